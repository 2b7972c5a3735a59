//! The test of PC and board, in words: its findings, their meaning, and what to do next.

mod diagnosis;

use std::error::Error as StdError;
use std::io;

use crate::pair::diagnosis::Diagnosis;
use crate::pair::results::{Step, StepNote};
use crate::pair::simulate;
use crate::text::sentence::{Sentence, sentence};
use crate::words::catalogue::{say, text};
use crate::words::{self, board};

/// The evidence for this diagnosis.
#[must_use]
pub fn evidence(found: Diagnosis) -> String {
    let [evidence, ..] = diagnosis::sentences(found);
    text(&evidence)
}

/// The meaning of this diagnosis.
#[must_use]
pub fn meaning(found: Diagnosis) -> String {
    let [_, meaning, _] = diagnosis::sentences(found);
    text(&meaning)
}

/// What to do next.
#[must_use]
pub fn next(found: Diagnosis) -> String {
    let [.., next] = diagnosis::sentences(found);
    text(&next)
}

/// The text about a step; may be empty.
pub(crate) fn said(what: &StepNote) -> String {
    match what {
        StepNote::Nothing => String::new(),
        StepNote::Sentence(sentence) => text(sentence),
        StepNote::List(items) => {
            let items: Vec<String> = items.iter().map(said).collect();
            items.join(&say!("summary.separator"))
        }
        StepNote::Text(text) => text.clone(),
        StepNote::Error(error) => board::message(error),
        StepNote::ErrorAndCause(error) => match error.source() {
            Some(cause) => say!(
                "pair.error-and-cause",
                error = board::message(error),
                cause = words::cause(cause)
            ),
            None => board::message(error),
        },
        StepNote::Hint(error) => board::hint(error).unwrap_or_default(),
        StepNote::NoDisplay(why) => text(&why.sentence()),
    }
}

/// The text for the cause of an error, if it is one of ours.
pub(super) fn cause(error: &(dyn StdError + 'static)) -> Option<String> {
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    if let Some(fault) = inner.and_then(|inner| inner.downcast_ref()) {
        return Some(match fault {
            simulate::SimulatorFault::Ended => say!("pair.simulated-ended"),
            simulate::SimulatorFault::NoLines => say!("pair.simulated-no-lines"),
        });
    }
    error
        .downcast_ref()
        .or_else(|| inner?.downcast_ref())
        .map(simulate_message)
}

/// Why there is no simulated board.
fn simulate_message(error: &simulate::Error) -> String {
    match error {
        simulate::Error::System => say!("pair.simulate-system"),
        simulate::Error::NotInstalled => say!("pair.simulate-not-installed"),
        simulate::Error::Start { program, .. } => {
            say!("pair.simulate-start", program = program.display())
        }
        simulate::Error::Silent { program, said } => say!(
            "pair.simulate-silent",
            program = program.display(),
            said = said
        ),
        simulate::Error::Interrupted => say!("pair.stopped"),
    }
}

/// What to try next.
pub(super) fn simulate_hint(error: &simulate::Error) -> Option<String> {
    match error {
        simulate::Error::System => Some(say!("pair.simulate-system.hint")),
        simulate::Error::NotInstalled => Some(say!("pair.simulate-not-installed.hint")),
        simulate::Error::Silent { .. } => Some(say!("pair.simulate-silent.hint")),
        simulate::Error::Start { .. } | simulate::Error::Interrupted => None,
    }
}

/// A step's name as a sentence.
pub(crate) fn step(step: Step) -> Sentence {
    match step {
        Step::Serial => sentence!("pair.step-serial"),
        Step::Firmware => sentence!("pair.step-firmware"),
        Step::Wifi => sentence!("pair.step-wifi"),
        Step::Addresses => sentence!("pair.step-addresses"),
        Step::PcToBoard => sentence!("pair.step-pc-to-board"),
        Step::BoardToPc => sentence!("pair.step-board-to-pc"),
        Step::Echo => sentence!("pair.step-echo"),
        Step::Oled => sentence!("pair.step-oled"),
        Step::CleanUp => sentence!("pair.step-clean-up"),
    }
}

/// A step's name as text.
pub(crate) fn step_name(which: Step) -> String {
    text(&step(which))
}
