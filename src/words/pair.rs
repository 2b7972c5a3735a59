//! The test of PC and board, in words: what it found, what that means and what to do.

mod diagnosis;

use crate::pair::diagnosis::Diagnosis;
use crate::pair::report::Step;
use crate::text::sentence::{Sentence, sentence};
use crate::words::catalogue::text;

/// What udpcli saw: the evidence that leads to this verdict.
#[must_use]
pub fn evidence(found: Diagnosis) -> String {
    let [evidence, ..] = diagnosis::sentences(found);
    text(&evidence)
}

/// What it means.
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

/// A step's name.
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
