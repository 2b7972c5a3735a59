//! `udpcli board list`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{SerialArgs, TextOrJson, session};
use crate::atomic_file::AtomicFile;
use crate::board::error::Error as BoardError;
use crate::board::info;
use crate::board::line_rate::LineRate;
use crate::board::link::{Address, Link};
use crate::board::model::Model;
use crate::board::repl::Repl;
use crate::board::serial_ports::{self, Listed};
use crate::board::wire_log::WireLog;
use crate::cli::{names, output};
use crate::error::{Error, Outcome};
use crate::file;
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
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["probe", "format"])]
    names_template: Option<PathBuf>,
}

impl ListArgs {
    /// Whether the command opens ports.
    pub(super) fn probes(&self) -> bool {
        self.probe || self.names_template.is_some()
    }
}

/// Prints the ports. Finding none is not an error.
pub(super) fn run(args: &ListArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    if let Some(path) = &args.names_template {
        return template(path, serial);
    }
    let list = names::read(serial.names.as_deref())?;
    let mut ports = serial_ports::list()?;
    if args.probe && serial.given_port().is_some() {
        // Ask a port that the user names even if the system does not list it, such as a pseudo-terminal of a program.
        ports = serial
            .serial
            .iter()
            .map(|name| listed(&ports, name))
            .collect();
    }
    let shutdown = session::shutdown()?;
    let wire = session::wire_log(serial)?;
    let mut text = String::new();
    for port in &ports {
        let mut mac = None;
        let answer = if args.probe {
            let address = address(port, serial, wire.clone());
            let answer = Link::open(&address, shutdown.clone())
                // Listing must not reset the boards that are plugged in.
                .and_then(Repl::enter_without_reset)
                .and_then(|mut repl| {
                    let model = Model::ask(&mut repl)?;
                    // Only a list of names needs the MAC address, and asking takes time.
                    if !list.is_empty() {
                        mac = info::mac(&mut repl)?;
                    }
                    repl.close()?;
                    Ok(model)
                });
            match answer {
                Err(BoardError::Interrupted) => return Ok(Outcome::Interrupted),
                answer => Some(answer),
            }
        } else {
            None
        };
        let usb = port.usb.as_ref().and_then(|usb| usb.serial.clone());
        let keys = [mac, usb, Some(port.name.clone())];
        let name = keys.iter().flatten().find_map(|key| list.of(key));
        text.push_str(&match args.format {
            TextOrJson::Text => {
                let name = (!list.is_empty()).then_some(name.unwrap_or("-"));
                line(port, name, answer.as_ref())
            }
            TextOrJson::Json => object(port, name, answer.as_ref()).to_string(),
        });
        text.push('\n');
    }
    if ports.is_empty() {
        tracing::info!(say = "board-cli.list-empty");
    }
    output::print(text.as_bytes())
}

/// The port with this name, listed or not.
fn listed(ports: &[Listed], name: &str) -> Listed {
    let listed = ports.iter().find(|port| port.name == name);
    listed.cloned().unwrap_or_else(|| Listed {
        name: name.to_owned(),
        usb: None,
    })
}

/// How to open a port for a question.
fn address(port: &Listed, serial: &SerialArgs, wire: Option<WireLog>) -> Address {
    Address {
        port: port.name.clone(),
        baud: serial.rate(),
        timeout: serial.connect_timeout,
        wire,
        line_rate: LineRate::Keep,
    }
}

/// Writes a list of names to be filled in: a line for each board that is plugged in, with its MAC address.
fn template(path: &Path, serial: &SerialArgs) -> Result<Outcome, Error> {
    // Check this before the boards are disturbed.
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let all = serial_ports::list()?;
    let ports: Vec<Listed> = if serial.given_port().is_some() {
        serial
            .serial
            .iter()
            .map(|name| listed(&all, name))
            .collect()
    } else {
        all.iter()
            .filter(|port| port.board().is_some())
            .cloned()
            .collect()
    };
    if ports.is_empty() {
        return Err(BoardError::NoBoard {
            others: all.into_iter().map(|port| port.name).collect(),
        }
        .into());
    }
    let shutdown = session::shutdown()?;
    // Line ends of Windows, because the list is for a spreadsheet.
    let mut text = "mac-or-id,name,seat\r\n".to_owned();
    for port in &ports {
        let link = Link::open(&address(port, serial, None), shutdown.clone());
        let mac = link.and_then(Repl::enter).and_then(|mut repl| {
            let mac = info::mac(&mut repl)?;
            repl.close()?;
            Ok(mac)
        });
        let usb = port.usb.as_ref().and_then(|usb| usb.serial.clone());
        let board = match mac {
            Ok(Some(mac)) => info::with_colons(&mac),
            Err(BoardError::Interrupted) => return Ok(Outcome::Interrupted),
            Ok(None) => usb.unwrap_or_else(|| port.name.clone()),
            Err(error) => {
                let error = words::cause(&error);
                tracing::warn!(say = "names.no-mac", port = %port.name, error = %error);
                usb.unwrap_or_else(|| port.name.clone())
            }
        };
        tracing::info!(say = "names.template-line", board = %board, port = %port.name);
        let mut row = csv::Writer::from_writer(Vec::new());
        // Writing to a Vec cannot fail.
        let _ = row.write_record([&*sanitize::for_terminal(&board), "", ""]);
        let row = row.into_inner().unwrap_or_default();
        text.push_str(String::from_utf8_lossy(&row).trim_end());
        text.push_str("\r\n");
    }
    write_new(path, text.as_bytes())?;
    tracing::info!(say = "names.template", path = %path.display(), count = ports.len() as u64);
    Ok(Outcome::Done)
}

/// The refusal to overwrite a list that somebody has filled in.
fn exists(path: &Path) -> Error {
    Error::usage_hint(
        say!("names.exists", path = path.display()),
        say!("names.exists.hint"),
    )
}

/// Writes the list, whole or not at all.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = AtomicFile::create_new(path)?;
        file.write_all(content)?;
        file.commit()
    };
    write().map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Error::File(file::Error::Open {
            path: path.to_owned(),
            source,
        }),
    })
}

/// Which board answered, if it was asked.
type Answer = Result<Option<Model>, BoardError>;

/// A line such as `/dev/ttyUSB0  10c4:ea60  CP2104 USB to UART  (CP210x: mPython board)`.
fn line(port: &Listed, name: Option<&str>, answer: Option<&Answer>) -> String {
    let mut line = port.name.clone();
    if let Some(name) = name {
        line.push_str("  ");
        line.push_str(name);
    }
    if let Some(usb) = &port.usb {
        let _ = write!(line, "  {:04x}:{:04x}", usb.vid, usb.pid);
        for text in [&usb.product, &usb.serial].into_iter().flatten() {
            line.push_str("  ");
            line.push_str(text);
        }
    }
    if let Some(chip) = port.chip() {
        let chip = say!("board-cli.list-chip", chip => words::chip(chip));
        let _ = write!(line, "  {chip}");
    }
    if let Some(answer) = answer {
        let answer = match answer {
            Ok(Some(model @ Model::Mpython3)) => {
                let board = catalogue::text(&words::model(*model));
                say!("boards.list-answers", board = board)
            }
            Ok(_) => say!("board-cli.list-answers"),
            Err(error) => say!("board-cli.list-no-answer", error = words::cause(error)),
        };
        let _ = write!(line, "  {answer}");
    }
    // A device can choose any name for itself.
    sanitize::for_terminal(&line).into_owned()
}

/// The port as an object; with an answer only after `--probe`.
fn object(port: &Listed, name: Option<&str>, answer: Option<&Answer>) -> serde_json::Value {
    let mut object = json!({
        "port": port.name,
        "vid": port.usb.as_ref().map(|usb| format!("{:04x}", usb.vid)),
        "pid": port.usb.as_ref().map(|usb| format!("{:04x}", usb.pid)),
        "serial": port.usb.as_ref().and_then(|usb| usb.serial.clone()),
        "product": port.usb.as_ref().and_then(|usb| usb.product.clone()),
        "board": port.board(),
    });
    if let (Some(name), Some(object)) = (name, object.as_object_mut()) {
        object.insert("name".to_owned(), json!(name));
    }
    if let (Some(answer), Some(object)) = (answer, object.as_object_mut()) {
        object.insert("micropython".to_owned(), json!(answer.is_ok()));
        // The firmware's own name is better than a guess from the USB IDs.
        if let Ok(Some(model)) = answer {
            object.insert("board".to_owned(), json!(model.name()));
        }
        let error = answer.as_ref().err().map(ToString::to_string);
        object.insert("error".to_owned(), json!(error));
    }
    object
}
