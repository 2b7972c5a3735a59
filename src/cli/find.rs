//! `udpcli find`: lists the boards on this PC's networks and USB ports.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::cli::value::{self, TextOrJson};
use crate::cli::{names, output};
use crate::error::{Error, Outcome};
use crate::names::BoardNames;
use crate::survey::find::{self, Evidence, FoundBoard};
use crate::terminal::sanitize;
use crate::words;

/// The arguments of `udpcli find`.
#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    #[arg(short, long, value_name = "D", default_value = "3s", value_parser = value::positive_duration)]
    wait: Duration,
    #[arg(long)]
    probe: bool,
    #[arg(long, value_name = "FILE", env = "UDPCLI_NAMES", hide_env_values = true, value_hint = clap::ValueHint::FilePath)]
    names: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Prints the boards.
///
/// # Errors
/// [`Error::NoBoardFound`] if there is none.
pub(crate) fn run(args: &FindArgs) -> Result<Outcome, Error> {
    let names = names::read(args.names.as_deref())?;
    let mut findings = find::search(args.wait, args.probe);
    for board in &mut findings.boards {
        if let Some(name) = name(board, &names) {
            board.name = Some(name);
        }
    }
    let text = match args.format {
        TextOrJson::Text => table(&findings.boards),
        TextOrJson::Json => {
            let objects: Vec<String> = findings
                .boards
                .iter()
                .map(|board| object(board).to_string() + "\n")
                .collect();
            objects.concat()
        }
    };
    // Print the boards even after Ctrl-C: those found so far are useful.
    let outcome = output::print(text.as_bytes())?;
    if findings.is_interrupted {
        Ok(Outcome::Interrupted)
    } else if findings.boards.is_empty() {
        Err(Error::NoBoardFound)
    } else {
        Ok(outcome)
    }
}

/// The name that the list gives to a board.
fn name(board: &FoundBoard, names: &BoardNames) -> Option<String> {
    // The MAC address first, because DHCP may give an IP address to another board.
    let keys = [
        board.mac.map(|mac| mac.to_string()),
        board.address.map(|address| address.to_string()),
        board.serial_port.clone(),
    ];
    let name = keys.iter().flatten().find_map(|key| names.of(key));
    name.map(str::to_owned)
}

/// A line per board: name, address, MAC, how it was found, and with --probe the port's state.
fn table(boards: &[FoundBoard]) -> String {
    let rows: Vec<Vec<String>> = boards.iter().map(columns).collect();
    let mut widths = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The cells of a board's row.
fn columns(board: &FoundBoard) -> Vec<String> {
    let none = || "-".to_owned();
    let place = match (board.address, &board.serial_port) {
        (Some(address), Some(port)) => words::these([address.to_string(), port.clone()]),
        (Some(address), None) => address.to_string(),
        (None, port) => port.clone().unwrap_or_else(none),
    };
    let mut columns = vec![
        board.name.clone().unwrap_or_else(none),
        place,
        board.mac.map_or_else(none, |mac| mac.to_string()),
        words::find::evidence(&board.found),
    ];
    columns.extend(board.port.map(words::find::port));
    // Devices choose their names themselves.
    for column in &mut columns {
        *column = sanitize::for_terminal(column).into_owned();
    }
    columns
}

/// A board as an object.
fn object(board: &FoundBoard) -> serde_json::Value {
    let mut object = json!({
        "name": board.name,
        "address": board.address,
        "mac": board.mac.map(|mac| mac.to_string()),
        "serial_port": board.serial_port,
        "found": board.found.iter().copied().map(Evidence::code).collect::<Vec<_>>(),
    });
    if let (Some(port), Some(object)) = (board.port, object.as_object_mut()) {
        object.insert("port_6000".to_owned(), json!(port.code()));
    }
    object
}
