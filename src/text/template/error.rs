//! What can be wrong with a template.

use super::MAX_LEN;
use super::field::{LEAST_NUMBER, MAX_DIGITS, MAX_WIDTH, MOST_NUMBER};
use crate::text::encoding;
use crate::text::escape;
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::shortened;

/// Why a template is invalid. Positions are in characters, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum Error {
    #[error("unknown field {{{name}}} at character {at}")]
    Unknown {
        name: String,
        at: usize,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    #[error("the field at character {at} has no closing }}")]
    Unclosed { at: usize },
    #[error("the }} at character {at} closes nothing")]
    Stray { at: usize },
    #[error("{{{name}:{option}}} at character {at}: {problem:?}")]
    Option {
        name: &'static str,
        option: String,
        at: usize,
        problem: FieldProblem,
    },
    #[error("{{{name}}} at character {at} has no meaning here")]
    NotHere { name: &'static str, at: usize },
    #[error("the pattern has no group {name} for {{{name}}} at character {at}")]
    NoGroup { name: String, at: usize },
    #[error(transparent)]
    Escape(#[from] escape::Error),
    #[error(transparent)]
    Encode(#[from] encoding::Error),
    #[error("it is over {MAX_LEN} bytes long")]
    TooLong,
}

/// What is wrong with the text after the name of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence in the catalogue says what it is")]
pub enum FieldProblem {
    None,
    Width,
    Time(Box<TimeDirective>),
    TimeUnfinished { at: usize },
    Range,
    Backwards,
    Random,
}

/// A directive of a time format that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeDirective {
    pub(super) directive: String,
    /// Its place in the template.
    pub(super) at: usize,
}

impl From<&FieldProblem> for Sentence {
    fn from(problem: &FieldProblem) -> Self {
        match problem {
            FieldProblem::None => sentence!("messages.no-option"),
            FieldProblem::Width => sentence!("messages.width", most = MAX_WIDTH),
            FieldProblem::Time(wrong) => sentence!(
                "messages.time-directive",
                directive = shortened(&wrong.directive),
                at = wrong.at
            ),
            FieldProblem::TimeUnfinished { at } => sentence!("messages.time-unfinished", at = at),
            FieldProblem::Range => {
                sentence!("messages.range", least = LEAST_NUMBER, most = MOST_NUMBER)
            }
            FieldProblem::Backwards => sentence!("messages.backwards"),
            FieldProblem::Random => sentence!("messages.random", most = MAX_DIGITS),
        }
    }
}

impl From<&Error> for Sentence {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unknown {
                name,
                at,
                nearest: Some(nearest),
            } => sentence!(
                "messages.unknown-field-nearest",
                name = shortened(name),
                at = at,
                nearest = nearest
            ),
            Error::Unknown { name, at, .. } => {
                sentence!("messages.unknown-field", name = shortened(name), at = at)
            }
            Error::Unclosed { at } => sentence!("messages.unclosed", at = at),
            Error::Stray { at } => sentence!("messages.stray", at = at),
            Error::Option {
                name,
                option,
                at,
                problem,
            } => sentence!(
                "messages.wrong-option",
                name = shortened(name),
                option = shortened(option),
                at = at,
                problem => problem
            ),
            Error::NotHere { name: "line", at } => sentence!("messages.no-lines", at = at),
            Error::NotHere { name, at } => {
                sentence!("messages.not-in-a-message", name = shortened(name), at = at)
            }
            Error::NoGroup { name, at } => {
                sentence!("messages.no-group", name = shortened(name), at = at)
            }
            Error::Escape(error) => error.into(),
            Error::Encode(error) => error.into(),
            Error::TooLong => sentence!("messages.template-too-long", most = MAX_LEN),
        }
    }
}
impl Error {
    /// The text to write instead.
    #[must_use]
    pub(crate) fn advice(&self) -> Option<TemplateAdvice> {
        match self {
            Self::Unknown { nearest: None, .. } | Self::Stray { .. } | Self::Unclosed { .. } => {
                Some(TemplateAdvice::Braces)
            }
            Self::NotHere { name: "line", .. } => Some(TemplateAdvice::Pipe),
            _ => None,
        }
    }
}

/// A hint for a wrong template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateAdvice {
    /// A literal brace is written twice.
    Braces,
    /// Input lines come through a pipe.
    Pipe,
}
