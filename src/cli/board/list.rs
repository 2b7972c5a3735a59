//! `udpcli board list`.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::{SerialArgs, TextOrJson, session};
use crate::board::error::Error as BoardError;
use crate::board::link::{Address, Link};
use crate::board::ports::{self, Listed};
use crate::board::repl::Repl;
use crate::cli::output;
use crate::error::{Error, Outcome};
use crate::terminal::sanitize;
use crate::words;
use crate::words::catalogue::{self, say};

/// The arguments of `udpcli board list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[arg(long)]
    probe: bool,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

impl ListArgs {
    /// Whether the command opens ports.
    pub(super) fn probes(&self) -> bool {
        self.probe
    }
}

/// Prints the ports. Finding none is not an error.
pub(super) fn run(args: &ListArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let mut ports = ports::list()?;
    if let (true, Some(name)) = (args.probe, serial.given_port()) {
        let listed = ports.into_iter().find(|port| port.name == name);
        ports = vec![listed.unwrap_or_else(|| Listed {
            name: name.to_owned(),
            usb: None,
        })];
    }
    let shutdown = session::shutdown()?;
    let wire = session::wire_log(serial)?;
    let mut text = String::new();
    for port in &ports {
        let answer = if args.probe {
            let address = Address {
                port: port.name.clone(),
                baud: serial.rate(),
                timeout: serial.connect_timeout,
                wire: wire.clone(),
            };
            let answer = Link::open(&address, shutdown.clone())
                .and_then(Repl::enter_without_reset)
                .and_then(Repl::close);
            match answer {
                Err(BoardError::Interrupted) => return Ok(Outcome::Interrupted),
                answer => Some(answer),
            }
        } else {
            None
        };
        text.push_str(&match args.format {
            TextOrJson::Text => line(port, answer.as_ref()),
            TextOrJson::Json => object(port, answer.as_ref()).to_string(),
        });
        text.push('\n');
    }
    if ports.is_empty() {
        tracing::info!(say = "board-cli.list-empty");
    }
    output::print(text.as_bytes())
}

/// Whether MicroPython answered, if it was asked.
type Answer = Result<(), BoardError>;

/// A line such as `/dev/ttyUSB0  10c4:ea60  CP2104 USB to UART  (CP210x: mPython board)`.
fn line(port: &Listed, answer: Option<&Answer>) -> String {
    let mut line = port.name.clone();
    if let Some(usb) = &port.usb {
        let _ = write!(line, "  {:04x}:{:04x}", usb.vid, usb.pid);
        for text in [&usb.product, &usb.serial].into_iter().flatten() {
            line.push_str("  ");
            line.push_str(text);
        }
    }
    if let Some(chip) = port.chip() {
        let _ = write!(line, "  ({})", catalogue::text(&words::chip(chip)));
    }
    if let Some(answer) = answer {
        let answer = match answer {
            Ok(()) => say!("board-cli.list-answers"),
            Err(error) => say!("board-cli.list-no-answer", error = words::cause(error)),
        };
        let _ = write!(line, "  {answer}");
    }
    // A device can choose any name for itself.
    sanitize::for_terminal(&line).into_owned()
}

fn object(port: &Listed, answer: Option<&Answer>) -> serde_json::Value {
    let mut object = json!({
        "port": port.name,
        "vid": port.usb.as_ref().map(|usb| format!("{:04x}", usb.vid)),
        "pid": port.usb.as_ref().map(|usb| format!("{:04x}", usb.pid)),
        "serial": port.usb.as_ref().and_then(|usb| usb.serial.clone()),
        "product": port.usb.as_ref().and_then(|usb| usb.product.clone()),
        "board": port.board(),
    });
    if let (Some(answer), Some(object)) = (answer, object.as_object_mut()) {
        object.insert("micropython".to_owned(), json!(answer.is_ok()));
        let error = answer.as_ref().err().map(ToString::to_string);
        object.insert("error".to_owned(), json!(error));
    }
    object
}
