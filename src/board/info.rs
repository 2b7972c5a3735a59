//! What a board says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::board::doing::Doing;
use crate::board::error::Error;
use crate::board::helper::Helper;
use crate::board::repl::Repl;

const SCRIPT: &str = include_str!("scripts/minified/info.py");

/// Where the firmware's name does not tell, `mpython` is imported, which takes a second and more.
const WORK: Duration = Duration::from_secs(10);

/// The longest value that is kept of a key.
const MAX_VALUE: usize = 256;

/// What a board said of itself; a key is missing where it did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    values: BTreeMap<String, String>,
}

impl Info {
    /// Asks the board.
    ///
    /// # Errors
    /// It does not answer.
    pub fn ask(repl: &mut Repl) -> Result<Self, Error> {
        Helper::with(repl, &[SCRIPT], |helper| {
            let answer = helper.call(&Doing::AskingWhatItIs, b"i()", WORK)?;
            Ok(Self::read(&String::from_utf8_lossy(&answer)))
        })
    }

    fn read(answer: &str) -> Self {
        let values = answer
            .split('\0')
            .filter_map(|line| line.split_once('\t'))
            .map(|(key, value)| {
                (
                    key.to_owned(),
                    value.trim().chars().take(MAX_VALUE).collect(),
                )
            })
            .collect();
        Self { values }
    }

    /// What it said to `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// What it said to `key`, as a number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }

    /// Whether its firmware is the mPython board's: it has the module `mpython`. A file `/mpython.py` is none.
    #[must_use]
    pub fn is_mpython(&self) -> bool {
        self.text("mpython").is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_read_and_nothing_else() {
        let info = Info::read("version\t1.12.0\0noise\0memory\t81920\0");
        assert_eq!(info.text("version"), Some("1.12.0"));
        assert_eq!(info.number("memory"), Some(81_920));
        assert!(!info.is_mpython());
    }
}
