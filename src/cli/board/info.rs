//! `udpcli board info`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::fleet::{self, Job, Rows};
use super::{SerialArgs, TextOrJson, session};
use crate::board::info::{Info, with_colons};
use crate::board::model::Model;
use crate::cli::{GlobalArgs, names, output};
use crate::error::{Error, Outcome};
use crate::terminal::job_output::JobOutput;
use crate::terminal::sanitize;
use crate::words;
use crate::words::catalogue::{say, text as text_of};

/// The arguments of `udpcli board info`.
#[derive(Debug, Args)]
pub(super) struct InfoArgs {
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    #[cfg(feature = "flash")]
    #[arg(long)]
    flash: bool,
}

/// The keys of the JSON object, in order, and whether they are numbers.
const KEYS: [(&str, bool); 21] = [
    ("implementation", false),
    ("version", false),
    ("release", false),
    ("build", false),
    ("machine", false),
    ("platform", false),
    ("unique_id", false),
    ("mac", false),
    ("frequency", true),
    ("memory", true),
    ("memory_total", true),
    ("files_free", true),
    ("files_total", true),
    ("files_at", false),
    ("flash", true),
    ("ssid", false),
    ("address", false),
    ("netmask", false),
    ("gateway", false),
    ("rssi", true),
    ("wifi_connected", false),
];

/// Queries the board and prints the result.
pub(super) fn run(
    args: &InfoArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    #[cfg(feature = "flash")]
    if args.flash {
        return super::flash::info(serial, global, args.format);
    }
    #[cfg(not(feature = "flash"))]
    let _ = global;
    let list = names::read(serial.names.as_deref())?;
    let (port, info) = ask(serial)?;
    let keys = [
        info.text("mac"),
        info.text("unique_id"),
        info.text("address"),
        Some(&port),
    ];
    let name = keys.into_iter().flatten().find_map(|key| list.of(key));
    let text = match args.format {
        TextOrJson::Text => text(&port, name, &info),
        TextOrJson::Json => format!("{}\n", object(&port, name, &info)),
    };
    output::print(text.as_bytes())
}

/// Enters the board's raw REPL, asks, and returns the board to its prompt.
fn ask(serial: &SerialArgs) -> Result<(String, Info), Error> {
    let mut repl = session::connect(serial, session::shutdown()?)?;
    let port = repl.link().name().to_owned();
    let info = Info::ask(&mut repl)?;
    repl.close()?;
    Ok((port, info))
}

/// The same for several boards: an object or a row each.
pub(super) fn for_many<'a>(args: &'a InfoArgs, global: &'a GlobalArgs) -> Job<'a> {
    let is_json = args.format == TextOrJson::Json;
    #[cfg(feature = "flash")]
    if args.flash {
        return Job {
            names_lines: !is_json,
            ..Job::new(|serial| super::flash::info(serial, global, args.format))
        };
    }
    #[cfg(not(feature = "flash"))]
    let _ = global;
    let rows = Arc::new(Mutex::new(BTreeMap::new()));
    let found = Arc::clone(&rows);
    let job = Job::new(move |serial| {
        let (port, info) = ask(serial)?;
        // On an ESP32 the unique ID is the MAC address.
        if let Some(mac) = info.text("mac").or(info.text("unique_id")) {
            fleet::identify(serial.known.as_deref(), mac);
        }
        if is_json {
            let name = JobOutput::current().and_then(|lane| lane.name());
            let line = format!("{}\n", object(&port, name.as_deref(), &info));
            return output::print(line.as_bytes());
        }
        let mut rows = found.lock().unwrap_or_else(PoisonError::into_inner);
        rows.insert(port, columns(&info));
        Ok(Outcome::Done)
    });
    Job {
        names_lines: false,
        rows: if is_json {
            Rows::Json(&fleet::failed_object)
        } else {
            Rows::Table(rows)
        },
        ..job
    }
}

/// The columns of a board among several: firmware, MAC address, Wi-Fi address.
fn columns(info: &Info) -> Vec<String> {
    let none = || "-".to_owned();
    let version = info.text("version").unwrap_or_default();
    let firmware = info.text("implementation").unwrap_or("MicroPython");
    let mut firmware = format!("{firmware} {version}");
    if info.model() == Some(Model::Mpython3) {
        firmware.push_str(" + mpython 3.0");
    } else if info.is_mpython() {
        firmware.push_str(" + mpython");
    }
    let mac = info.text("mac").or(info.text("unique_id"));
    vec![
        firmware,
        mac.map_or_else(none, with_colons),
        info.text("address").map_or_else(none, str::to_owned),
    ]
}

/// All facts as an object; values that the board did not report are null, so that every object has the same keys.
fn object(port: &str, name: Option<&str>, info: &Info) -> Value {
    let mut object = fleet::with_name(port, name);
    for (key, is_number) in KEYS {
        let value = match (is_number, key) {
            (true, _) => info.number(key).map(Value::from),
            // The board prints it as Python does.
            (false, "wifi_connected") => info.text(key).map(|text| json!(text == "True")),
            (false, _) => info.text(key).map(Value::from),
        };
        object.insert(key.to_owned(), value.unwrap_or(Value::Null));
    }
    object.insert("mpython".to_owned(), json!(info.is_mpython()));
    object.insert("board".to_owned(), json!(info.model().map(Model::name)));
    Value::Object(object)
}

/// All known facts, a line each.
fn text(port: &str, name: Option<&str>, info: &Info) -> String {
    let mut out = String::new();
    let mut line = |name: String, value: Option<String>| {
        if let Some(value) = value {
            // Pad by hand, because `format!` counts a Chinese character as one column.
            let blanks = 10_usize.saturating_sub(name.width());
            // Writing to a String cannot fail. The board's text is untrusted.
            let _ = writeln!(
                out,
                "{name}{:blanks$} {}",
                "",
                sanitize::for_terminal(&value)
            );
        }
    };
    line(say!("board-cli.info-port"), Some(port.to_owned()));
    line(say!("fleet.info-name"), name.map(str::to_owned));
    line(
        say!("board-cli.info-board"),
        info.text("machine").map(|machine| {
            if info.model() == Some(Model::Mpython3) {
                let board = text_of(&words::model(Model::Mpython3));
                say!("boards.info-3", board = board, machine = machine)
            } else if info.is_mpython() {
                say!("board-cli.info-with-mpython", machine = machine)
            } else {
                say!("board-cli.info-without-mpython", machine = machine)
            }
        }),
    );
    let name = info.text("implementation").unwrap_or("MicroPython");
    line(
        say!("board-cli.info-firmware"),
        info.text("version")
            .map(|version| match info.text("build") {
                Some(build) => say!(
                    "board-cli.info-build",
                    name = name,
                    version = version,
                    build = build
                ),
                None => format!("{name} {version}"),
            }),
    );
    line(
        say!("board-cli.info-id"),
        info.text("unique_id").map(str::to_owned),
    );
    line(
        say!("board-cli.info-mac"),
        info.text("mac").map(with_colons),
    );
    line(
        say!("board-cli.info-memory"),
        share(info, "memory", "memory_total"),
    );
    let files = share(info, "files_free", "files_total").map(|share| match info.text("files_at") {
        None | Some("/") => share,
        Some(place) => say!("board-cli.info-free-in", share = share, place = place),
    });
    line(say!("board-cli.info-files"), files);
    line(say!("board-cli.info-wifi"), Some(wifi(info)));
    out
}

/// The board's Wi-Fi: `192.168.0.20 in class, signal -50 dBm`.
fn wifi(info: &Info) -> String {
    let Some(address) = info.text("address") else {
        return say!("board-cli.info-not-connected");
    };
    match (info.text("ssid"), info.number("rssi")) {
        (None, None) => address.to_owned(),
        (Some(ssid), None) => say!("board-cli.info-ssid", address = address, ssid = ssid),
        (None, Some(rssi)) => say!("board-cli.info-rssi", address = address, rssi = rssi),
        (Some(ssid), Some(rssi)) => say!(
            "board-cli.info-ssid-rssi",
            address = address,
            ssid = ssid,
            rssi = rssi
        ),
    }
}

/// The free share: `81920 of 111168 bytes free`.
fn share(info: &Info, free: &str, total: &str) -> Option<String> {
    let free = info.number(free)?;
    Some(match info.number(total) {
        Some(total) if total > 0 => say!("board-cli.info-free-of", free = free, total = total),
        _ => say!("board-cli.info-free", free = free),
    })
}
