//! The errors between PC and board, in words.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use crate::board::boot_output::BoardFault;
use crate::board::error::{Error, NotSource, shortened};
use crate::board::files::error::NoMatch;
use crate::board::files::local::{self, Unnameable};
use crate::board::hidden_error::Symptom;
use crate::board::model::Model;
use crate::board::operation::{Doing, RefusalReason};
use crate::board::path::with_slashes;
use crate::board::port::LineFault;
use crate::board::serial_port_owner;
use crate::board::serial_ports::Chip;
use crate::processes::Process;
use crate::text::fullwidth;
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::words::catalogue::say;

/// What failed, and on what.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::NoBoard { .. } => say!("board.no-board"),
        Error::ManyBoards { candidates } => say!("board.many-boards", count: candidates.len()),
        Error::List { .. } => say!("board.list"),
        Error::Open { port, holders, .. } if !holders.is_empty() => {
            let holders = holders.iter().map(super::process).collect();
            say!("board.open-held", port = port, holder <- holders)
        }
        Error::Open { port, .. } => say!("board.open", port = port),
        Error::Gone { port, .. } => say!("board.gone", port = port),
        Error::Stuck { port } => say!("board.stuck", port = port),
        Error::Lines { port, .. } => say!("board.lines", port = port),
        Error::Silent { port, waited, .. } => {
            say!("board.silent", port = port, waited = seconds(*waited))
        }
        Error::DownloadMode { port } => say!("board.download-mode", port = port),
        Error::Noise {
            port,
            baud: Some(baud),
        } => say!("board.noise", port = port, baud = baud),
        Error::Noise { port, baud: None } => say!("boards.noise-native", port = port),
        Error::Deaf { port, waited, .. } => {
            say!("board.deaf", port = port, waited = seconds(*waited))
        }
        Error::Fault {
            port, fault, doing, ..
        } => fault_on(port, *fault, doing.as_ref()),
        Error::Echo { port } => say!("board.echo", port = port),
        Error::NotMicroPython { port, .. } => say!("board.not-micropython", port = port),
        Error::Interrupted => say!("board.interrupted"),
        Error::NoDisplay => say!("board.no-display"),
        Error::NothingShown => say!("board.nothing-shown"),
        Error::NoPicture => say!("boards.no-picture"),
        _ => talk_message(error),
    }
}

/// Errors of the communication with a board.
fn talk_message(error: &Error) -> String {
    match error {
        Error::NoAnswer { port, doing } => {
            say!("board.no-answer", port = port, doing => doing.sentence())
        }
        Error::Restarted { doing } => say!("board.restarted", doing => doing.sentence()),
        Error::Answer { doing, said } => {
            say!("board.answer", doing => doing.sentence(), said = said)
        }
        Error::Refused { doing, exception } => say!(
            "board.refused",
            doing => doing.sentence(),
            exception = exception
        ),
        Error::Chatter { doing, said } => {
            say!("board.chatter", doing => doing.sentence(), said = said)
        }
        Error::Garbled { doing, times } => {
            say!("board.garbled", doing => doing.sentence(), times = times)
        }
        Error::NotSource { name, what } => match what {
            NotSource::Compiled => say!("board.compiled", name = name),
            NotSource::Utf16 => say!("board.utf16", name = name),
            NotSource::Binary => say!("board.binary", name = name),
        },
        Error::OnTheBoard { path } => say!("board.on-the-board", path = path),
        Error::Traceback { exception } => {
            say!("board.traceback", exception = shortened(exception))
        }
        _ => file_message(error),
    }
}

/// Errors of a board's file system.
fn file_message(error: &Error) -> String {
    match error {
        Error::NoSuchFile { path } => say!("board.no-such-file", path = path),
        Error::IsFolder { path } => say!("board.is-folder", path = path),
        Error::Full {
            path, needed, free, ..
        } => say!("board.full", path = path, needed = needed, free = free),
        Error::WriteFile { path, reason, .. } => {
            say!("board.write-file", path = path, reason => reason.sentence())
        }
        Error::ReadFile { path, reason } => {
            say!("board.read-file", path = path, reason => reason.sentence())
        }
        Error::TooLong { path, len, most } => {
            say!("board.too-long", path = path, len = len, most = most)
        }
        Error::Remove { path, reason } => {
            say!("board.remove", path = path, reason => reason.sentence())
        }
        Error::CopyInto { from, to } => say!("board.copy-into", from = from, to = to),
        Error::Move { from, to, reason } => {
            say!("board.move", from = from, to = to, reason => reason.sentence())
        }
        Error::Damaged { path, times } => say!("board.damaged", path = path, times = times),
        // `message` and `talk_message` handle the others.
        other => other.to_string(),
    }
}

/// The text for a fault in a board's log, with the port.
fn fault_on(port: &str, fault: BoardFault, doing: Option<&Doing>) -> String {
    let Some(doing) = doing.map(Doing::sentence) else {
        return match fault {
            BoardFault::NoFirmware => say!("board.no-firmware", port = port),
            BoardFault::FirmwareDamaged => say!("board.firmware-damaged", port = port),
            BoardFault::BrownOut => say!("board.brown-out", port = port),
            BoardFault::Panic => say!("board.panic", port = port),
        };
    };
    match fault {
        BoardFault::NoFirmware => say!("board.no-firmware-while", port = port, doing => doing),
        BoardFault::FirmwareDamaged => {
            say!("board.firmware-damaged-while", port = port, doing => doing)
        }
        BoardFault::BrownOut => say!("board.brown-out-while", port = port, doing => doing),
        BoardFault::Panic => say!("board.panic-while", port = port, doing => doing),
    }
}

/// The text for an error of the bridge or its cause; `None` for other errors.
pub(super) fn cause(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<Error>() {
        return Some(message(error));
    }
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    if let Some(fault) = inner.downcast_ref::<LineFault>() {
        return Some(match fault {
            LineFault::NoAnswer => say!("board.line-no-answer"),
            LineFault::Closed => say!("board.line-closed"),
            LineFault::NoAddress => say!("board.line-no-address"),
            LineFault::NoLinesOverTcp => say!("board.line-no-lines-over-tcp"),
            LineFault::NoLines => say!("board.line-no-lines"),
            LineFault::NoSerialPort => say!("board.line-no-serial-port"),
            LineFault::TakesNoCommands => say!("board.line-takes-no-commands"),
            LineFault::ReadsNoAnswers => say!("board.line-reads-no-answers"),
        });
    }
    if inner.is::<NoMatch>() {
        return Some(say!("board-cli.no-match"));
    }
    inner
        .downcast_ref::<Unnameable>()
        .map(|unnameable| match unnameable {
            Unnameable::LeadsElsewhere => say!("board.unnameable"),
            Unnameable::TooLong => say!("board.name-too-long", longest = local::LONGEST),
        })
}

/// The meaning of a symptom at a program's end, and what to do next.
pub(super) fn symptom(symptom: Symptom) -> (String, String) {
    match symptom {
        Symptom::SilentEnd => (
            say!("board.symptom-silent-end"),
            say!("board.symptom-silent-end.next"),
        ),
        Symptom::NoOled => (
            say!("pair-diagnosis.no-oled-on-this-board"),
            say!("pair-diagnosis.no-oled-on-this-board.next"),
        ),
        Symptom::HiddenNoOled => (
            say!("boards.hidden-no-oled"),
            say!("pair-diagnosis.no-oled-on-this-board.next"),
        ),
        Symptom::NoArp => (
            say!("board.symptom-no-arp"),
            say!("board.symptom-no-arp.next"),
        ),
    }
}

/// The hint, if there is one.
pub(super) fn hint(error: &Error) -> Option<String> {
    Some(match error {
        Error::NoBoard { others } if others.is_empty() => say!("board.no-board.hint"),
        Error::NoBoard { others } => {
            say!("board.no-board.hint-others", others <- Sentence::verbatim_list(others))
        }
        Error::ManyBoards { candidates } => {
            say!("board.many-boards.hint", ports <- Sentence::verbatim_list(candidates))
        }
        Error::Open { port, .. } if port.starts_with([':', '：']) => {
            say!("mpremote.serial-is-path")
        }
        Error::Open {
            port,
            holders,
            source,
        } => open_hint(port, holders, source),
        Error::Gone { .. } => say!("board.gone.hint"),
        Error::Stuck { port } if port.contains("://") => say!("board.stuck.hint-network"),
        Error::Stuck { .. } => say!("board.stuck.hint"),
        Error::Lines { .. } => say!("board.lines.hint"),
        Error::Silent {
            native: true,
            reset: true,
            ..
        } => say!("boards.silent-native-reset"),
        Error::Silent { native: true, .. } => say!("boards.silent-native"),
        Error::Silent { reset: true, .. } => say!("board.silent.hint-reset"),
        Error::Silent { lines: true, .. } => say!("board.silent.hint-lines"),
        Error::Silent { .. } => say!("board.silent.hint"),
        Error::DownloadMode { .. } => say!("board.download-mode.hint"),
        Error::Noise { baud: None, .. } => say!("boards.noise-native.hint"),
        Error::Noise { .. } => say!("board.noise.hint"),
        Error::Deaf { .. } => say!("board.deaf.hint"),
        Error::Fault { fault, said, .. } => fault_hint(*fault, said),
        Error::Echo { .. } => say!("board.echo.hint"),
        Error::NotMicroPython { said, .. } => {
            // Escaped already.
            say!("board.not-micropython.hint", said = format!("\"{said}\""))
        }
        Error::NoDisplay => say!("board.no-display.hint"),
        Error::NoPicture => say!("boards.no-picture.hint"),
        _ => return talk_hint(error),
    })
}

/// The hint for an error of the communication with a board.
fn talk_hint(error: &Error) -> Option<String> {
    Some(match error {
        Error::NoAnswer { .. } => say!("board.no-answer.hint"),
        Error::Restarted { .. } => say!("board.restarted.hint"),
        Error::NotSource { what, .. } => match what {
            NotSource::Compiled => say!("board.compiled.hint"),
            NotSource::Utf16 => say!("board.utf16.hint"),
            NotSource::Binary => say!("board.binary.hint"),
        },
        Error::OnTheBoard { path } => {
            let module = path.trim_start_matches('/').trim_end_matches(".py");
            say!("board.on-the-board.hint", module = module.replace('/', "."))
        }
        Error::NoSuchFile { path } => match with_slashes(path) {
            Some(path) => say!("board.no-such-file.hint-slashes", path = path),
            None => say!("board.no-such-file.hint"),
        },
        Error::IsFolder { .. } => say!("board.is-folder.hint"),
        Error::Full {
            keeps_old: true, ..
        } => say!("board.full.hint-old"),
        Error::Full { .. }
        | Error::WriteFile {
            reason: RefusalReason::Full,
            keeps_old: false,
            ..
        } => say!("board.full.hint"),
        Error::TooLong { .. } => say!("board.too-long.hint"),
        Error::Remove {
            reason: RefusalReason::NotEmpty,
            ..
        } => say!("board.remove.hint-not-empty"),
        Error::Move {
            reason: RefusalReason::NameTaken,
            ..
        } => say!("board.move.hint-taken"),
        Error::WriteFile {
            keeps_old: true, ..
        } => say!("board.write-file.hint-old"),

        Error::Chatter { .. } => say!("board.chatter.hint"),
        Error::ReadFile {
            reason: RefusalReason::IsFolder,
            ..
        } => return None,
        Error::ReadFile { .. } => say!("board.read-file.hint"),
        Error::Damaged { .. } | Error::Garbled { .. } => say!("board.garbled.hint"),
        _ => return None,
    })
}

/// What to do about a fault, and the line of the board's log that reports it.
fn fault_hint(fault: BoardFault, said: &str) -> String {
    let said = format!("{said:?}");
    match fault {
        BoardFault::NoFirmware | BoardFault::FirmwareDamaged => {
            say!("board.no-firmware.hint", said = said)
        }
        BoardFault::BrownOut => say!("board.brown-out.hint", said = said),
        BoardFault::Panic => say!("board.panic.hint", said = said),
    }
}

/// What to do about a port that cannot be opened.
fn open_hint(name: &str, holders: &[Process], source: &io::Error) -> String {
    if name.contains("://") {
        return say!("board.open.hint-network");
    }
    if !holders.is_empty() {
        return if holders.iter().any(|holder| holder.name == "brltty") {
            say!("board.open.hint-brltty")
        } else {
            say!("board.open.hint-holder")
        };
    }
    if let Some(typed) = fullwidth::first_typed(name)
        && source.kind() != io::ErrorKind::PermissionDenied
    {
        let meant = fullwidth::to_ascii(name);
        return say!("usage.typed-word", typed = typed, meant = meant);
    }
    match source.kind() {
        _ if serial_port_owner::is_held(source) => say!("board.open.hint-held"),
        // On Windows a port that another program has open gives ERROR_ACCESS_DENIED.
        io::ErrorKind::PermissionDenied if cfg!(windows) => say!("board.open.hint-held"),
        io::ErrorKind::PermissionDenied => match serial_port_owner::group_of(name) {
            Some(group) => say!("board.open.hint-group", group = group),
            None => say!("board.open.hint-permission"),
        },
        // The user left `/dev/` out.
        io::ErrorKind::NotFound if !name.contains('/') && Path::new("/dev").join(name).exists() => {
            say!("board.open.hint-whole-name", name = name)
        }
        _ => say!("board.open.hint"),
    }
}

/// The boards that have this USB chip.
pub(super) fn chip(chip: Chip) -> Sentence {
    match chip {
        Chip::Cp210x => sentence!("board-cli.chip-cp210x"),
        Chip::Ch340 => sentence!("board-cli.chip-ch340"),
        Chip::Ch9102 => sentence!("board-cli.chip-ch9102"),
        Chip::Ch343 => sentence!("board-cli.chip-ch343"),
        Chip::Espressif => sentence!("board-cli.chip-espressif"),
        Chip::Ftdi => sentence!("board-cli.chip-ftdi"),
        Chip::MicroPython => sentence!("board-cli.chip-micropython"),
    }
}

/// What people call a board.
pub(super) fn model(model: Model) -> Sentence {
    match model {
        Model::Mpython => sentence!("boards.mpython"),
        Model::Mpython3 => sentence!("boards.mpython-3"),
    }
}

#[cfg(test)]
mod tests;
