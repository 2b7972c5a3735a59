//! `udpcli board list`.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::{SerialArgs, TextOrJson};
use crate::board::ports::{self, Listed};
use crate::error::{Error, Outcome};
use crate::output;
use crate::payload::escape;

/// List serial ports, and which of them may be a board
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli board list
  udpcli board list --format json")]
pub struct ListArgs {
    /// How ports are printed
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Prints the ports; none is an answer too.
pub(super) fn run(args: &ListArgs, _serial: &SerialArgs) -> Result<Outcome, Error> {
    let ports = ports::list()?;
    let mut text = String::new();
    for port in &ports {
        text.push_str(&match args.format {
            TextOrJson::Text => line(port),
            TextOrJson::Json => object(port).to_string(),
        });
        text.push('\n');
    }
    if ports.is_empty() {
        tracing::info!(
            "no serial ports: is the board plugged in, the cable one that carries data, the driver installed?"
        );
    }
    output::print(text.as_bytes())
}

/// `/dev/ttyUSB0  10c4:ea60  CP2104 USB to UART  (CP210x: mPython board)`
fn line(port: &Listed) -> String {
    let mut line = port.name.clone();
    if let Some(usb) = &port.usb {
        let _ = write!(line, "  {:04x}:{:04x}", usb.vid, usb.pid);
        for text in [&usb.product, &usb.serial].into_iter().flatten() {
            line.push_str("  ");
            line.push_str(text);
        }
    }
    if let Some(board) = port.board() {
        let _ = write!(line, "  ({board})");
    }
    // A device names itself as it likes.
    escape::for_terminal(&line).into_owned()
}

fn object(port: &Listed) -> serde_json::Value {
    json!({
        "port": port.name,
        "vid": port.usb.as_ref().map(|usb| format!("{:04x}", usb.vid)),
        "pid": port.usb.as_ref().map(|usb| format!("{:04x}", usb.pid)),
        "serial": port.usb.as_ref().and_then(|usb| usb.serial.clone()),
        "product": port.usb.as_ref().and_then(|usb| usb.product.clone()),
        "board": port.board(),
    })
}
