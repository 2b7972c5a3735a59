//! Finds out whether the board's own `main.py` ended without a message, as the tutorial's server does because of its
//! bare `except:`.

use std::time::Duration;

use crate::board::hidden_error;
use crate::board::literal;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::measure::from_hex;
use crate::pair::operation::Work;

/// The timeout to read a file and look up names.
const WORK: Duration = Duration::from_secs(5);

/// The limit for `main.py`, equal to what `_pf` reads.
const MOST: usize = 8192;

/// Whether `main.py` contains an endless UDP loop, ran up to its bare `except:`, and has ended. Only meaningful if
/// entering the raw REPL stopped no program: then `main.py` ended by itself, or after somebody's Ctrl-C.
pub(super) fn main_has_ended(session: &mut BoardSession) -> Result<bool, SessionError> {
    let entered = session.repl.entered();
    if entered.stopped_program || entered.reset || entered.new_prompt {
        return Ok(false);
    }
    session.load()?;
    let mut source = Vec::new();
    session.call(Work::ReadingMain, "_pf()", WORK, &mut |words: &[&str]| {
        if let ["main", hex] = *words
            && source.len() < MOST
        {
            source.extend(from_hex(hex).unwrap_or_default());
        }
    })?;
    let source = String::from_utf8_lossy(&source);
    let names: Vec<String> = hidden_error::watched_names(&source)
        .iter()
        .map(|name| literal::quoted(name))
        .collect();
    if names.is_empty() || !hidden_error::ends_silently(&source) {
        return Ok(false);
    }
    // Names that only the program's `try` assigns prove that it ran so far; that no program was stopped proves that
    // it ended.
    let code = format!(
        "_pw('names',*[n for n in({},)if n in globals()])",
        names.join(",")
    );
    let mut has_run = false;
    session.call(Work::LookingAtMain, &code, WORK, &mut |words: &[&str]| {
        has_run |= matches!(words, ["names", _, ..]);
    })?;
    Ok(has_run)
}
