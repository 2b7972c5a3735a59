//! What is wrong with a regular expression, and where: the library says it in English only, with a picture.

use regex_syntax::ast::{ErrorKind, Span};
use regex_syntax::hir::ErrorKind as MeaningError;

use crate::text::sentence::{Sentence, sentence};

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem:?} at character {at}")]
pub struct ExpressionError {
    /// The position in characters, from 1.
    at: usize,
    problem: ExpressionProblem,
}

/// What is wrong at that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpressionProblem {
    GroupOpen,
    GroupClosesNothing,
    ClassOpen,
    ClassRange,
    ClassEscape,
    EscapeAtEnd,
    Escape,
    Code,
    Flags,
    GroupName,
    GroupNameTwice,
    Nesting(u32),
    RepetitionOrder,
    RepetitionCount,
    NothingRepeated,
    WordBoundary,
    UnknownClass,
    BackReference,
    LookAround,
    BeyondAscii,
    Other,
}

impl From<&ExpressionError> for Sentence {
    fn from(error: &ExpressionError) -> Self {
        let problem = match error.problem {
            ExpressionProblem::GroupOpen => sentence!("expression.group-open"),
            ExpressionProblem::GroupClosesNothing => sentence!("expression.group-closes-nothing"),
            ExpressionProblem::ClassOpen => sentence!("expression.class-open"),
            ExpressionProblem::ClassRange => sentence!("expression.class-range"),
            ExpressionProblem::ClassEscape => sentence!("expression.class-escape"),
            ExpressionProblem::EscapeAtEnd => sentence!("expression.escape-at-end"),
            ExpressionProblem::Escape => sentence!("expression.escape"),
            ExpressionProblem::Code => sentence!("expression.code"),
            ExpressionProblem::Flags => sentence!("expression.flags"),
            ExpressionProblem::GroupName => sentence!("expression.group-name"),
            ExpressionProblem::GroupNameTwice => sentence!("expression.group-name-twice"),
            ExpressionProblem::Nesting(most) => sentence!("expression.nesting", most = most),
            ExpressionProblem::RepetitionOrder => sentence!("expression.repetition-order"),
            ExpressionProblem::RepetitionCount => sentence!("expression.repetition-count"),
            ExpressionProblem::NothingRepeated => sentence!("expression.nothing-repeated"),
            ExpressionProblem::WordBoundary => sentence!("expression.word-boundary"),
            ExpressionProblem::UnknownClass => sentence!("expression.unknown-class"),
            ExpressionProblem::BackReference => sentence!("expression.back-reference"),
            ExpressionProblem::LookAround => sentence!("expression.look-around"),
            ExpressionProblem::BeyondAscii => sentence!("expression.beyond-ascii"),
            ExpressionProblem::Other => sentence!("expression.other"),
        };
        sentence!("expression.at", at = error.at, problem => problem)
    }
}

/// What is wrong with an expression that may match any bytes; `None` if its syntax is right. `nesting` is how deep its
/// groups may be nested.
#[must_use]
pub(crate) fn syntax_error(expression: &str, nesting: u32) -> Option<ExpressionError> {
    let parsed = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .nest_limit(nesting)
        .build()
        .parse(expression);
    let (span, problem) = match parsed {
        Ok(_) => return None,
        Err(regex_syntax::Error::Parse(error)) => (*error.span(), of_syntax(error.kind())),
        Err(regex_syntax::Error::Translate(error)) => (*error.span(), of_meaning(error.kind())),
        // For errors that a later version of the library may add.
        Err(_) => (
            Span::splat(regex_syntax::ast::Position::new(0, 1, 1)),
            ExpressionProblem::Other,
        ),
    };
    let before = expression.get(..span.start.offset).unwrap_or_default();
    Some(ExpressionError {
        at: before.chars().count() + 1,
        problem,
    })
}

fn of_syntax(kind: &ErrorKind) -> ExpressionProblem {
    match kind {
        ErrorKind::GroupUnclosed => ExpressionProblem::GroupOpen,
        ErrorKind::GroupUnopened => ExpressionProblem::GroupClosesNothing,
        ErrorKind::ClassUnclosed => ExpressionProblem::ClassOpen,
        ErrorKind::ClassRangeInvalid => ExpressionProblem::ClassRange,
        ErrorKind::ClassEscapeInvalid | ErrorKind::ClassRangeLiteral => {
            ExpressionProblem::ClassEscape
        }
        ErrorKind::EscapeUnexpectedEof => ExpressionProblem::EscapeAtEnd,
        ErrorKind::EscapeUnrecognized => ExpressionProblem::Escape,
        ErrorKind::EscapeHexEmpty
        | ErrorKind::EscapeHexInvalid
        | ErrorKind::EscapeHexInvalidDigit => ExpressionProblem::Code,
        ErrorKind::FlagDanglingNegation
        | ErrorKind::FlagDuplicate { .. }
        | ErrorKind::FlagRepeatedNegation { .. }
        | ErrorKind::FlagUnexpectedEof
        | ErrorKind::FlagUnrecognized => ExpressionProblem::Flags,
        ErrorKind::GroupNameEmpty
        | ErrorKind::GroupNameInvalid
        | ErrorKind::GroupNameUnexpectedEof => ExpressionProblem::GroupName,
        ErrorKind::GroupNameDuplicate { .. } => ExpressionProblem::GroupNameTwice,
        ErrorKind::NestLimitExceeded(most) => ExpressionProblem::Nesting(*most),
        ErrorKind::RepetitionCountInvalid => ExpressionProblem::RepetitionOrder,
        ErrorKind::DecimalEmpty
        | ErrorKind::DecimalInvalid
        | ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::RepetitionCountUnclosed => ExpressionProblem::RepetitionCount,
        ErrorKind::RepetitionMissing => ExpressionProblem::NothingRepeated,
        ErrorKind::SpecialWordBoundaryUnclosed
        | ErrorKind::SpecialWordBoundaryUnrecognized
        | ErrorKind::SpecialWordOrRepetitionUnexpectedEof => ExpressionProblem::WordBoundary,
        ErrorKind::UnicodeClassInvalid => ExpressionProblem::UnknownClass,
        ErrorKind::UnsupportedBackreference => ExpressionProblem::BackReference,
        ErrorKind::UnsupportedLookAround => ExpressionProblem::LookAround,
        // Billions of groups, and errors that a later version may add.
        _ => ExpressionProblem::Other,
    }
}

fn of_meaning(kind: &MeaningError) -> ExpressionProblem {
    match kind {
        MeaningError::UnicodeNotAllowed => ExpressionProblem::BeyondAscii,
        MeaningError::UnicodePropertyNotFound
        | MeaningError::UnicodePropertyValueNotFound
        | MeaningError::UnicodePerlClassNotFound => ExpressionProblem::UnknownClass,
        _ => ExpressionProblem::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_with_an_expression_has_a_sentence_and_a_place() {
        for (expression, problem, at) in [
            ("设a(b", ExpressionProblem::GroupOpen, 3),
            ("a)", ExpressionProblem::GroupClosesNothing, 2),
            ("a[b", ExpressionProblem::ClassOpen, 2),
            ("[z-a]", ExpressionProblem::ClassRange, 2),
            (r"[a-\d]", ExpressionProblem::ClassEscape, 4),
            (r"[\b]", ExpressionProblem::ClassEscape, 2),
            ("a\\", ExpressionProblem::EscapeAtEnd, 2),
            (r"a\y", ExpressionProblem::Escape, 2),
            (r"\xg1", ExpressionProblem::Code, 3),
            (r"\x{}", ExpressionProblem::Code, 3),
            (r"\x{110000}", ExpressionProblem::Code, 4),
            ("(?y)", ExpressionProblem::Flags, 3),
            ("(?i-)", ExpressionProblem::Flags, 4),
            ("(?ii)", ExpressionProblem::Flags, 4),
            ("(?i--s)", ExpressionProblem::Flags, 5),
            ("(?i", ExpressionProblem::Flags, 4),
            ("(?<>a)", ExpressionProblem::GroupName, 4),
            ("(?<a b>a)", ExpressionProblem::GroupName, 5),
            ("(?<a", ExpressionProblem::GroupName, 5),
            ("(?<a>a)(?<a>b)", ExpressionProblem::GroupNameTwice, 11),
            ("((((a))))", ExpressionProblem::Nesting(3), 4),
            ("a{5,3}", ExpressionProblem::RepetitionOrder, 2),
            ("a{5", ExpressionProblem::RepetitionCount, 2),
            ("a{}", ExpressionProblem::RepetitionCount, 3),
            ("a{x}", ExpressionProblem::RepetitionCount, 3),
            ("a{99999999999}", ExpressionProblem::RepetitionCount, 3),
            ("*a", ExpressionProblem::NothingRepeated, 1),
            (r"\b{middle}", ExpressionProblem::WordBoundary, 4),
            (r"\p{Klingon}", ExpressionProblem::UnknownClass, 1),
            (r"(a)\1", ExpressionProblem::BackReference, 4),
            ("a(?=b)", ExpressionProblem::LookAround, 2),
            ("(?-u:[设])", ExpressionProblem::BeyondAscii, 7),
        ] {
            let error = syntax_error(expression, 3).expect(expression);
            assert_eq!((error.problem, error.at), (problem, at), "{expression}");
            let sentence = Sentence::from(&error);
            assert_eq!(sentence.id, "expression.at");
        }
        assert_eq!(syntax_error(r"^(?-u)\xff(a|b){2,}$", 50), None);
    }

    proptest! {
        #[test]
        fn an_error_lies_within_the_expression(text in "([a-z0-9(){}\\[\\]|+*?.^$\\\\<>=!:-]|\\PC){0,12}") {
            if let Some(error) = syntax_error(&text, 5) {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.at));
                prop_assert_ne!(error.problem, ExpressionProblem::Other);
            }
        }
    }
}
