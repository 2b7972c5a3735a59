//! Every sentence for people, by its ID, in each language. The layers below carry data and know no flags; this module
//! turns errors into sentences.

#[cfg(feature = "board")]
mod board;
pub mod catalogue;
mod config;
pub(crate) mod doctor;
pub(crate) mod find;
#[cfg(feature = "flash")]
mod flash;
pub mod language;
mod names;
#[cfg(feature = "board")]
pub mod pair;
#[cfg(feature = "board")]
mod transfer;
mod udp;
mod value;

use crate::error::{Error, Feature, Startable};
use crate::processes::Process;
#[cfg(feature = "board")]
use crate::terminal::panel::PanelNote;
use crate::text::sentence::{Sentence, sentence};
use crate::words::catalogue::say;

/// What failed and on what, in one line.
#[must_use]
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::Udp(error) => udp::message(error),
        Error::File(error) => udp::file_message(error),
        Error::Usage { problem, .. } => problem.clone(),
        Error::Config(error) => config::message(error),
        Error::Demo { problem } => say!("cli.demo-failed", problem = problem),
        Error::Doctor { codes } => say!("doctor.failed", codes <- Sentence::verbatim_list(codes)),
        Error::Boards { boards, failed } => {
            say!("fleet.failed", failed: failed.len(), boards: *boards)
        }
        Error::Names(error) => names::message(error),
        Error::NoBoardFound => say!("find.none"),
        Error::LeftOut { feature, .. } => match feature {
            Feature::Flash => say!("cli.left-out-flash"),
            Feature::Board => say!("cli.left-out-board"),
        },
        #[cfg(feature = "board")]
        Error::Step {
            index, count, step, ..
        } => say!("bench.step", index = index, count = count, step = step),
        Error::Start { what, .. } => say!("udp.start", what = what.key()),
        #[cfg(feature = "board")]
        Error::Simulate(_) => say!("cli.no-simulated-board"),
        #[cfg(feature = "board")]
        Error::Board(error) => board::message(error),
        #[cfg(feature = "board")]
        Error::Transfer(refusal) => transfer::message(refusal),
        #[cfg(feature = "flash")]
        Error::Flash(error) => flash::message(error),
        Error::Pair {
            codes,
            boards: 0 | 1,
            ..
        } => say!("cli.test-failed", codes <- Sentence::verbatim_list(codes)),
        Error::Pair {
            codes,
            boards,
            failed,
            ..
        } => say!(
            "cli.test-failed-boards",
            failed = failed,
            boards = boards,
            codes <- Sentence::verbatim_list(codes)
        ),
    }
}

/// Several sentences joined, such as the clauses of a summary.
#[must_use]
pub(crate) fn list(sentences: &[Sentence]) -> String {
    let texts: Vec<String> = sentences.iter().map(catalogue::text).collect();
    texts.join(&say!("summary.separator"))
}

/// Names, numbers or addresses, joined as the language joins the items of a list.
#[must_use]
pub(crate) fn these<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    say!("udp.these", items <- Sentence::verbatim_list(items))
}

/// The text for the cause of an error, or for an error in an event.
#[must_use]
pub(crate) fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    // Find the type by downcasting: in a chain of causes and in an event, an error has lost its type.
    if let Some(sentence) = error.downcast_ref::<Sentence>() {
        return catalogue::text(sentence);
    }
    if let Some(error) = error.downcast_ref::<Error>() {
        return message(error);
    }
    if let Some(error) = error.downcast_ref::<Box<Error>>() {
        return message(error);
    }
    if let Some(error) = error.downcast_ref::<crate::udp::error::Error>() {
        return udp::message(error);
    }
    if let Some(error) = error.downcast_ref::<Box<crate::udp::error::Error>>() {
        return udp::message(error);
    }
    if let Some(error) = error.downcast_ref::<Box<crate::config::Error>>() {
        return config::message(error);
    }
    if let Some(error) = error.downcast_ref::<crate::file::Error>() {
        return udp::file_message(error);
    }
    if let Some(text) = value::cause(error) {
        return text;
    }
    #[cfg(feature = "board")]
    if let Some(text) = board::cause(error).or_else(|| pair::cause(error)) {
        return text;
    }
    error.to_string()
}

/// The operating system's message, as the value of an event: in the user's language if udpcli knows it.
#[must_use]
pub(crate) fn of_system(text: &str) -> Option<String> {
    value::of_system(text)
}

/// The meaning of a symptom at a program's end, and what to do next.
#[cfg(feature = "board")]
#[must_use]
pub(crate) fn symptom(symptom: crate::board::hidden_error::Symptom) -> (String, String) {
    board::symptom(symptom)
}

/// An address, and the interface that has it.
#[must_use]
pub(crate) fn address_on(address: &impl std::fmt::Display, interface: &str) -> Sentence {
    sentence!("value.address-on", address = address, interface = interface)
}

/// What the frame of a board's screen says besides the picture.
#[cfg(feature = "board")]
#[must_use]
pub(crate) fn panel_note(note: PanelNote) -> String {
    match note {
        PanelNote::Off => say!("oled-wall.off"),
        PanelNote::Inverted => say!("oled-wall.inverted"),
        PanelNote::Incomplete => say!("oled-wall.incomplete"),
    }
}

/// A running program, with the number that ends it.
fn process(process: &Process) -> Sentence {
    sentence!("value.process", name = &process.name, id = process.id)
}

/// What people call a board.
#[cfg(feature = "board")]
#[must_use]
pub(crate) fn model(model: crate::board::model::Model) -> Sentence {
    board::model(model)
}

/// The boards that have this USB chip.
#[cfg(feature = "board")]
#[must_use]
pub(crate) fn chip(chip: crate::board::serial_ports::Chip) -> Sentence {
    board::chip(chip)
}

/// Why a listener that the user ended may have received nothing.
#[must_use]
pub(crate) fn silence(local: std::net::SocketAddr, filtered: u64) -> Option<String> {
    udp::silence(local, filtered)
}

/// The hint for an error, if there is one.
#[must_use]
pub(crate) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Udp(error) => udp::hint(error),
        Error::File(error) => udp::file_hint(error),
        Error::Demo { .. } => Some(say!("cli.demo-failed.hint")),
        Error::Names(_) => Some(say!("names.hint")),
        Error::NoBoardFound => Some(say!("find.none.hint")),
        Error::Usage { hint, .. } => hint.clone(),
        Error::Config(error) => config::hint(error),
        Error::LeftOut { feature, .. } => {
            Some(say!("cli.left-out-board.hint", feature = feature.name()))
        }
        #[cfg(feature = "board")]
        Error::Step { source, .. } => hint(source),
        #[cfg(feature = "board")]
        Error::Simulate(error) => pair::simulate_hint(error),
        #[cfg(feature = "board")]
        Error::Board(error) => board::hint(error),
        #[cfg(feature = "board")]
        Error::Transfer(refusal) => transfer::hint(refusal),
        #[cfg(feature = "flash")]
        Error::Flash(error) => flash::hint(error),
        Error::Start {
            what: Startable::Editor,
            ..
        } => Some(say!("mpremote.editor-hint")),
        Error::Start { .. } | Error::Boards { .. } | Error::Pair { .. } | Error::Doctor { .. } => {
            None
        }
    }
}
