//! Tab completion: subcommands, flags, and values that depend on this machine.
//!
//! `udpcli completions SHELL` prints a script that calls udpcli again, with `UDPCLI_COMPLETE` set and the words so far.

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use crate::cli::{Cli, help, language};
use crate::config::quoted;
#[cfg(feature = "board")]
use crate::terminal::sanitize;

/// Only the scripts from [`script`] set this variable; its value is the shell's name.
const VARIABLE: &str = "UDPCLI_COMPLETE";

/// Answers a completion request of the shell; `None` if this is an ordinary run.
#[must_use]
pub fn answered() -> Option<ExitCode> {
    // Check this first, so that ordinary runs do no further work.
    std::env::var_os(VARIABLE)?;
    // Descriptions are in the user's language; the words so far are not options of this run.
    language::choose(&[]);
    let folder = std::env::current_dir().ok();
    let answer = CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .bin("udpcli")
        .completer("udpcli")
        .try_complete(std::env::args_os(), folder.as_deref());
    match answer {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        // Print nothing: a message would appear in the middle of the command that the user is typing.
        Err(_) => Some(ExitCode::from(2)),
    }
}

/// The command line without its hidden flag, which clap would otherwise offer when no other flag matches.
fn command() -> clap::Command {
    help::fill(Cli::command().mut_arg("no_batching", |flag| flag.long("~")))
}

/// As a file `_udpcli` in zsh's `fpath` the script is an autoloaded function: zsh runs it at the first Tab, which only
/// registers the completer, so this line also answers that first request.
const ZSH_AUTOLOAD: &[u8] =
    b"if [[ ${funcstack[1]} == _udpcli ]]; then\n    _clap_dynamic_completer_udpcli \"$@\"\nfi\n";

/// The completion script for `shell`, which calls udpcli.
///
/// # Errors
/// clap has no completer for the shell.
pub(crate) fn script(shell: clap_complete::Shell) -> std::io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let name = shell.to_string();
    let shell = shells
        .completer(&name)
        .ok_or_else(|| std::io::Error::other(format!("no completions for {name}")))?;
    shell.write_registration(VARIABLE, "udpcli", "udpcli", "udpcli", &mut script)?;
    if name == "zsh" {
        script.extend_from_slice(ZSH_AUTOLOAD);
    }
    Ok(script)
}

/// This PC's serial ports, each with the board or product name.
#[cfg(feature = "board")]
pub(super) fn serial_ports() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let ports = crate::board::serial_ports::list().unwrap_or_default();
        ports.into_iter().map(of_port).collect()
    })
}

/// A port with its description. The shell shows the text unescaped, and a device can choose any name.
#[cfg(feature = "board")]
fn of_port(port: crate::board::serial_ports::Listed) -> CompletionCandidate {
    let what = port.board().map(str::to_owned);
    let product = port.usb.and_then(|usb| usb.product);
    let shown = what.or(product).map(|text| sanitize::plain(&text).into());
    CompletionCandidate::new(port.name).help(shown)
}

/// The names of this PC's interfaces, each once.
fn interface_names() -> Vec<String> {
    let mut names: Vec<String> = crate::udp::adapter::all()
        .into_iter()
        .map(|interface| interface.name)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The names of this PC's network interfaces.
pub(super) fn interfaces() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = interface_names().into_iter();
        names.map(CompletionCandidate::new).collect()
    })
}

/// Interface names after the `@` of `GROUP@IFACE`.
pub(super) fn group_interfaces() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some((group, begun)) = current.to_str().and_then(|text| text.split_once('@')) else {
            return Vec::new();
        };
        let names = interface_names().into_iter();
        names
            .filter(|name| name.starts_with(begun))
            .map(|name| CompletionCandidate::new(format!("{group}@{name}")))
            .collect()
    })
}

/// The names of the project's messages, with `@` in front.
pub(super) fn messages() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(begun) = current.to_str().and_then(|text| text.strip_prefix('@')) else {
            return Vec::new();
        };
        // An invalid file offers no names here; `send` reports its error.
        let project = crate::config::project().ok().flatten().unwrap_or_default();
        let messages = project.messages.into_iter().map(|message| message.value);
        messages
            .filter(|message| message.name.starts_with(begun))
            .map(|message| {
                let pairs = message.pairs();
                let shown = pairs
                    .first()
                    .map(|(key, value)| format!("{key} = {}", quoted(value)));
                CompletionCandidate::new(format!("@{}", message.name)).help(shown.map(Into::into))
            })
            .collect()
    })
}

/// The names in the WHATWG *Encoding* standard; `--encoding` also accepts its other labels.
const ENCODINGS: [&str; 36] = [
    "utf-8",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "euc-kr",
    "utf-16le",
    "utf-16be",
    "ibm866",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
];

/// Labels of encodings; those most used in Chinese classrooms come first.
pub(super) fn encodings() -> ArgValueCandidates {
    ArgValueCandidates::new(|| in_order(&ENCODINGS))
}

/// The same for decoding, which can also distinguish UTF-8 from GBK (`auto`).
pub(super) fn encodings_and_auto() -> ArgValueCandidates {
    ArgValueCandidates::new(|| in_order(&[&["auto"], &ENCODINGS[..]].concat()))
}

/// Candidates in this order; shells would sort them.
fn in_order(labels: &[&'static str]) -> Vec<CompletionCandidate> {
    let labels = (0..).zip(labels);
    labels
        .map(|(order, label)| CompletionCandidate::new(label).display_order(Some(order)))
        .collect()
}

/// Files with one of `extensions`, and folders.
#[cfg(feature = "board")]
pub(super) fn files(extensions: &'static [&'static str]) -> ArgValueCompleter {
    use clap_complete::engine::PathCompleter;
    let with_extension = move |path: &std::path::Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        extension.is_some_and(|extension| {
            extensions
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
    };
    ArgValueCompleter::new(PathCompleter::any().filter(with_extension))
}

/// Extensions of firmware files.
#[cfg(feature = "flash")]
pub(super) const FIRMWARE: &[&str] = &["bin", "zip", "uf2", "elf"];

/// Extensions of font files.
#[cfg(feature = "flash")]
pub(super) const FONTS: &[&str] = &["xbf", "bin"];

/// Extensions of programs for the board.
#[cfg(feature = "board")]
pub(super) const PROGRAMS: &[&str] = &["py", "mpy"];

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "board")]
    #[test]
    fn what_a_device_calls_itself_does_nothing_to_the_terminal() {
        use crate::board::serial_ports::{Listed, Usb};
        let usb = Usb {
            vid: 1,
            pid: 2,
            serial: None,
            product: Some("a \x1b[31m\x1b]0;t\x07\u{202e}name".to_owned()),
        };
        let candidate = of_port(Listed {
            name: "/dev/ttyUSB0".to_owned(),
            usb: Some(usb),
        });
        let shown = candidate.get_help().unwrap().to_string();
        assert!(
            shown.starts_with("a ") && shown.ends_with("name"),
            "{shown:?}"
        );
        assert!(!shown.chars().any(sanitize::acts), "{shown:?}");
    }

    #[test]
    fn every_label_is_one() {
        for label in ENCODINGS {
            let found = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
            assert!(found.is_some(), "{label}");
        }
    }
}
