//! The board's clock (`machine.RTC`), which keeps local time: it knows no time zone.

use std::fmt;
use std::time::Duration;

use jiff::civil;

use crate::board::error::Error;
use crate::board::helper::Helper;
use crate::board::operation::Doing;
use crate::board::repl::Repl;
use crate::text::escape;

/// Sets or reads the clock.
const SCRIPT: &str = include_str!("scripts/minified/clock.py");

/// The timeout for the board's answer.
const WORK: Duration = Duration::from_secs(5);

/// How far off the clock may be after it was set: if the line damaged the first reply, the clock has the time of that
/// first attempt.
const CLOSE: Duration = Duration::from_secs(2);

/// How often it is set.
const TRIES: u32 = 3;

/// What a board's clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BoardTime(civil::DateTime);

impl fmt::Display for BoardTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%d %H:%M:%S").fmt(f)
    }
}

impl BoardTime {
    /// As ISO 8601 writes it, without a zone.
    #[must_use]
    pub(crate) fn iso(&self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

/// The time on the board's clock; first sets the clock to `now`, if given.
///
/// # Errors
/// The board does not answer, or its firmware has no such clock.
pub(crate) fn ask(
    repl: &mut Repl,
    now: Option<&dyn Fn() -> civil::DateTime>,
) -> Result<BoardTime, Error> {
    Helper::with(repl, &[SCRIPT], |helper| {
        let Some(now) = now else {
            let doing = &Doing::ReadingClock;
            let answer = helper.call(doing, b"c()", WORK)?;
            return read(&answer).ok_or_else(|| nonsense(doing, &answer));
        };
        let doing = &Doing::SettingClock;
        let mut tries = 0;
        loop {
            // Use the current time in each attempt: the previous call may have taken seconds on a bad line.
            let answer = helper.call(doing, call(now()).as_bytes(), WORK)?;
            let time = read(&answer).ok_or_else(|| nonsense(doing, &answer))?;
            tries += 1;
            let off = time.0.duration_since(now()).unsigned_abs();
            if off <= CLOSE || tries == TRIES {
                return Ok(time);
            }
        }
    })
}

/// The error for an answer that is not a time.
fn nonsense(doing: &Doing, answer: &[u8]) -> Error {
    Error::Answer {
        doing: doing.clone(),
        said: escape::excerpt(answer),
    }
}

/// The call that sets the clock.
fn call(time: civil::DateTime) -> String {
    format!(
        "c({},{},{},{},{},{},{})",
        time.year(),
        time.month(),
        time.day(),
        time.weekday().to_monday_zero_offset(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// `2026 11 27 4 21 30 5 0`: year, month, day, weekday, hour, minute, second, and a part of it.
fn read(answer: &[u8]) -> Option<BoardTime> {
    let mut parts = std::str::from_utf8(answer).ok()?.split(' ');
    let mut number = || parts.next()?.parse::<i16>().ok();
    let (year, month, day, _weekday) = (number()?, number()?, number()?, number()?);
    let (hour, minute, second) = (number()?, number()?, number()?);
    let small = |number: i16| i8::try_from(number).ok();
    let time = civil::DateTime::new(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    );
    time.ok().map(BoardTime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_is_set_and_read() {
        let time = civil::date(2026, 11, 27).at(21, 30, 5, 0);
        assert_eq!(call(time), "c(2026,11,27,4,21,30,5)");
        let read = read(b"2026 11 27 4 21 30 5 123456").unwrap();
        assert_eq!(read, BoardTime(time));
        assert_eq!(read.to_string(), "2026-11-27 21:30:05");
        assert_eq!(read.iso(), "2026-11-27T21:30:05");
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(answer in proptest::collection::vec(any::<u8>(), 0..40), text in "[-0-9 ]{0,40}") {
            let _ = (read(&answer), read(text.as_bytes()));
        }
    }
}
