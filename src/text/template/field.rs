//! A field of a template: what stands between its braces.

use jiff::Timestamp;
use jiff::fmt::StdFmtWrite;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::Place;
use super::error::{Error, FieldProblem, TimeDirective};
use crate::text::fullwidth::to_ascii;
use crate::text::nearest::nearest;

/// The maximum width of `{seq:N}`.
pub(super) const MAX_WIDTH: usize = 40;

/// The maximum number of hex digits of `{rand:N}`.
pub(super) const MAX_DIGITS: usize = 1024;

/// The number of hex digits of `{rand}`.
const USUAL_DIGITS: usize = 8;

/// The numbers of `{rand:A..B}`: what 64 bits hold, with or without a sign.
pub(super) const LEAST_NUMBER: i128 = i64::MIN as i128;
pub(super) const MOST_NUMBER: i128 = u64::MAX as i128;

/// RFC 3339 with microseconds and the offset from UTC.
const RFC_3339: &str = "%Y-%m-%dT%H:%M:%S%.6f%:z";

/// The names of the fields that a template may have in this place.
fn names(place: Place<'_>) -> &'static [&'static str] {
    match place {
        Place::Message { lines: false } => &["rand", "seq", "time", "unix_ms"],
        Place::Message { lines: true } => &["line", "rand", "seq", "time", "unix_ms"],
        Place::Reply(_) => &["from", "line", "rand", "seq", "time", "unix_ms"],
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplatePiece {
    /// Always the same.
    Bytes(Vec<u8>),
    /// `{seq}`, filled with blanks or zeros up to `width` columns.
    Seq { width: usize, zeros: bool },
    /// `{time}` in this format of strftime.
    Time(String),
    /// `{unix_ms}`.
    UnixMs,
    /// `{rand:N}`: N hex digits.
    Hex(usize),
    /// `{rand:A..B}`: a number, both ends included.
    Between(i128, i128),
    /// `{line}`.
    Line,
    /// `{from}`.
    From,
    /// A group of the pattern, by its number.
    Group(usize),
}

/// Parses the text between the braces.
pub(super) fn piece(field: &str, at: usize, place: Place<'_>) -> Result<TemplatePiece, Error> {
    // A Chinese input method types a full-width colon, and full-width digits.
    let (name, option) = match field.split_once([':', '：']) {
        Some((name, option)) => (name, Some(option)),
        None => (field, None),
    };
    if let Place::Reply(groups) = place
        && option.is_none()
    {
        // `parse` would take `+1`.
        let number = name.parse().ok().filter(|_| !name.starts_with('+'));
        let named = || {
            groups
                .iter()
                .position(|group| group.as_deref() == Some(name))
        };
        match number.or_else(named) {
            Some(index) if index < groups.len() => return Ok(TemplatePiece::Group(index)),
            Some(_) => {
                let name = name.to_owned();
                return Err(Error::NoGroup { name, at });
            }
            None => {}
        }
    }
    let wrong = |name, problem| Error::Option {
        name,
        option: option.unwrap_or_default().to_owned(),
        at,
        problem,
    };
    let not_here = |name| Error::NotHere { name, at };
    let no_option = |name, piece| match option {
        None => Ok(piece),
        Some(_) => Err(wrong(name, FieldProblem::None)),
    };
    let number = option.map(to_ascii);
    match &*to_ascii(name) {
        "seq" => sequence(number.as_deref()).ok_or_else(|| wrong("seq", FieldProblem::Width)),
        "time" => {
            let format = option.unwrap_or(RFC_3339);
            match time_problem(format, at + "{time:".len()) {
                None => Ok(TemplatePiece::Time(format.to_owned())),
                Some(problem) => Err(wrong("time", problem)),
            }
        }
        "unix_ms" => no_option("unix_ms", TemplatePiece::UnixMs),
        "rand" => random_piece(number.as_deref()).map_err(|problem| wrong("rand", problem)),
        "line" => match place {
            Place::Message { lines: true } | Place::Reply(_) => {
                no_option("line", TemplatePiece::Line)
            }
            Place::Message { lines: false } => Err(not_here("line")),
        },
        "from" => match place {
            Place::Reply(_) => no_option("from", TemplatePiece::From),
            Place::Message { .. } => Err(not_here("from")),
        },
        _ => Err(Error::Unknown {
            name: field.to_owned(),
            at,
            nearest: nearest(name, names(place)).map(str::to_owned),
        }),
    }
}

/// Whether times can be written in this format. What works for one time works for all: jiff's directives do not depend
/// on it.
fn check_time(format: &str) -> Result<(), jiff::Error> {
    let epoch = BrokenDownTime::from(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC));
    epoch.format(format, StdFmtWrite(&mut String::new()))
}

/// The first directive of a time format that cannot be written; `begin` is the place of the format in the template.
fn time_problem(format: &str, begin: usize) -> Option<FieldProblem> {
    let error = check_time(format).err()?;
    let wrong = |directive: &str, at| {
        let directive = directive.to_owned();
        FieldProblem::Time(Box::new(TimeDirective { directive, at }))
    };
    tracing::debug!("{error}");
    let mut place = 0;
    while let Some(percent) = format.get(place..)?.find('%') {
        let start = place + percent;
        let at = begin + format.get(..start)?.chars().count();
        // Flags, a width and colons may come between the % and its letter.
        let letter = format
            .get(start + 1..)?
            .find(|c: char| !matches!(c, '-' | '_' | '0'..='9' | '^' | '#' | ':' | '.'));
        let Some(letter) = letter else {
            return Some(FieldProblem::TimeUnfinished { at });
        };
        let letter = start + 1 + letter;
        place = letter + format.get(letter..)?.chars().next()?.len_utf8();
        let directive = format.get(start..place)?;
        if check_time(directive).is_err() {
            return Some(wrong(directive, at));
        }
    }
    // Each directive works alone.
    Some(wrong(format, begin))
}

/// Whether there are digits only: `parse` alone would take a sign too.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The piece for `{seq}`, `{seq:4}` or `{seq:04}`; `None` for another option.
fn sequence(option: Option<&str>) -> Option<TemplatePiece> {
    let Some(option) = option else {
        return Some(TemplatePiece::Seq {
            width: 0,
            zeros: false,
        });
    };
    let width = option.parse().ok().filter(|_| is_digits(option))?;
    (1..=MAX_WIDTH)
        .contains(&width)
        .then_some(TemplatePiece::Seq {
            width,
            // As in the formats of Python and C: `04` fills with zeros, `4` with blanks.
            zeros: option.starts_with('0'),
        })
}

/// The piece for `{rand}`, `{rand:8}` or `{rand:1..100}`.
fn random_piece(option: Option<&str>) -> Result<TemplatePiece, FieldProblem> {
    let Some(option) = option else {
        return Ok(TemplatePiece::Hex(USUAL_DIGITS));
    };
    if let Some((first, last)) = option.split_once("..") {
        let number = |text: &str| {
            let number = text.parse().ok();
            number.filter(|number| (LEAST_NUMBER..=MOST_NUMBER).contains(number))
        };
        return match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(TemplatePiece::Between(first, last)),
            (Some(_), Some(_)) => Err(FieldProblem::Backwards),
            _ => Err(FieldProblem::Range),
        };
    }
    match option.parse() {
        Ok(digits) if is_digits(option) && (1..=MAX_DIGITS).contains(&digits) => {
            Ok(TemplatePiece::Hex(digits))
        }
        _ => Err(FieldProblem::Random),
    }
}
