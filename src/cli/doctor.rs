//! `udpcli doctor`: checks this PC for anything that blocks datagrams or the board.

use clap::Args;
use serde_json::{Map, Value, json};

#[cfg(feature = "board")]
use crate::board::serial_ports::Chip;
use crate::cli::output;
use crate::cli::value::{self, TextOrJson};
use crate::error::{Error, Outcome};
use crate::firewall::{Firewall, Interrupted};
#[cfg(feature = "board")]
use crate::survey::doctor::PortFinding;
use crate::survey::doctor::{self, DoctorFinding};
use crate::survey::severity::Severity;
use crate::terminal::{sanitize, stdout};
use crate::words::language::{self, Language};
use crate::words::{self, catalogue};

/// The arguments of `udpcli doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[arg(short, long, value_name = "N", default_value = "6000", value_parser = value::positive_port)]
    port: u16,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Prints the findings.
///
/// # Errors
/// [`Error::Doctor`] with the codes of the problems.
pub(crate) fn run(args: &DoctorArgs) -> Result<Outcome, Error> {
    #[cfg(feature = "board")]
    let serial_port = serial_port()?;
    #[cfg(not(feature = "board"))]
    let serial_port: Option<String> = None;
    let findings = match doctor::examine(args.port, serial_port.as_deref()) {
        Ok(findings) => findings,
        Err(Interrupted) => return Ok(Outcome::Interrupted),
    };
    let text = match args.format {
        TextOrJson::Text => {
            let lines: String = findings.iter().map(text).collect();
            stdout::wrapped(&lines, 2).into_owned()
        }
        TextOrJson::Json => {
            // JSON is in English, whatever the user's language is.
            let document = language::within(Language::English, || object(args.port, &findings));
            format!("{document}\n")
        }
    };
    let outcome = output::print(text.as_bytes())?;
    let codes: Vec<&str> = problems(&findings).map(DoctorFinding::code).collect();
    if codes.is_empty() {
        Ok(outcome)
    } else {
        Err(Error::Doctor { codes })
    }
}

/// The serial port of the environment or the user's file, as board commands take it.
#[cfg(feature = "board")]
fn serial_port() -> Result<Option<String>, Error> {
    let port = match std::env::var("UDPCLI_SERIAL") {
        Ok(port) => Some(port),
        Err(_) => crate::cli::config::SerialSettings::read()?
            .serial()
            .map(str::to_owned),
    };
    Ok(port.filter(|port| !port.is_empty()))
}

/// The findings that keep something from working.
fn problems(findings: &[DoctorFinding]) -> impl Iterator<Item = &DoctorFinding> {
    findings
        .iter()
        .filter(|finding| finding.severity() == Severity::Problem)
}

/// A finding with its advice, as lines.
fn text(finding: &DoctorFinding) -> String {
    let mut lines = words::doctor::line(finding);
    if let Some(command) = finding.command() {
        lines.push('\n');
        lines.push_str(&words::doctor::command(&command));
    }
    // Escape names: programs, devices and interfaces choose them freely.
    let lines: Vec<String> = lines
        .lines()
        .map(|line| sanitize::for_terminal(line).into_owned() + "\n")
        .collect();
    lines.concat()
}

/// All findings as one object.
fn object(port: u16, findings: &[DoctorFinding]) -> Value {
    let entries: Vec<Value> = findings.iter().map(entry).collect();
    json!({
        "ok": problems(findings).next().is_none(),
        "port": port,
        "findings": entries,
    })
}

/// A finding as an object.
fn entry(finding: &DoctorFinding) -> Value {
    let mut entry = facts(finding);
    let message = catalogue::text(&words::doctor::sentence(finding));
    entry.insert("code".to_owned(), json!(finding.code()));
    entry.insert("severity".to_owned(), json!(finding.severity().code()));
    entry.insert("message".to_owned(), json!(message));
    entry.insert("command".to_owned(), json!(finding.command()));
    Value::Object(entry)
}

/// The details of a finding for programs.
fn facts(finding: &DoctorFinding) -> Map<String, Value> {
    let facts = match finding {
        DoctorFinding::Address { own, others, .. } => {
            let others: Vec<Value> = others
                .iter()
                .map(|own| json!({"address": own.address, "interface": own.interface}))
                .collect();
            json!({"address": own.address, "interface": own.interface, "others": others})
        }
        DoctorFinding::SelfAssigned { own } => {
            json!({"address": own.address, "interface": own.interface})
        }
        DoctorFinding::PortInUse { holders, .. } => {
            let holders: Vec<Value> = holders
                .iter()
                .map(|holder| json!({"name": holder.name, "process": holder.id}))
                .collect();
            json!({"holders": holders})
        }
        DoctorFinding::FirewallAllows { by, .. }
        | DoctorFinding::FirewallPartly { by, .. }
        | DoctorFinding::FirewallAsks { by, .. } => json!({"firewall": by.name()}),
        DoctorFinding::FirewallBlocks { block, .. } => {
            json!({"firewall": block.by.name(), "rule": block.rule})
        }
        DoctorFinding::FirewallUnknown { by, .. } => json!({"firewall": by.map(Firewall::name)}),
        #[cfg(feature = "board")]
        DoctorFinding::Serial(finding) => of_serial(finding),
        DoctorFinding::NoAddress
        | DoctorFinding::PortFree { .. }
        | DoctorFinding::PortRefused { .. }
        | DoctorFinding::FirewallOff => Value::Null,
    };
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}

/// The details of a finding about serial ports, for programs.
#[cfg(feature = "board")]
fn of_serial(finding: &PortFinding) -> Value {
    match finding {
        PortFinding::Board { port, chip } => {
            json!({"serial_port": port, "board": chip.map(Chip::boards)})
        }
        PortFinding::None { others } => json!({"serial_ports": others}),
        PortFinding::Held { port, holders } => {
            let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
            json!({"serial_port": port, "holder": names.join(", ")})
        }
        PortFinding::Brltty { port } => json!({"serial_port": port}),
        PortFinding::Denied { port, group, .. } => json!({"serial_port": port, "group": group}),
        PortFinding::Missing { port } => json!({"serial_port": port}),
        PortFinding::NoDriver { chip } => json!({"chip": chip.name()}),
        PortFinding::OldDriver { port, chip, year } => {
            json!({"serial_port": port, "chip": chip.name(), "year": year})
        }
        PortFinding::Unlisted => Value::Null,
    }
}
