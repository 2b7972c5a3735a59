//! A board's information about itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::board::error::Error;
use crate::board::helper::Helper;
use crate::board::model::Model;
use crate::board::operation::Doing;
use crate::board::repl::Repl;

/// The functions that collect the information; `docs/protocol.md` lists the keys.
const SCRIPT: &str = include_str!("scripts/minified/info.py");

/// The timeout. If the firmware's name is not enough, the board imports `mpython`, which takes a second or more.
const WORK: Duration = Duration::from_secs(10);

/// The length limit for the value of a key.
const MAX_VALUE: usize = 256;

/// The information from a board; keys without a value are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// What the board sent, cut to [`MAX_VALUE`] characters. Untrusted.
    values: BTreeMap<String, String>,
}

impl Info {
    /// Queries the board.
    ///
    /// # Errors
    /// The board does not reply.
    pub fn ask(repl: &mut Repl) -> Result<Self, Error> {
        Helper::with(repl, &[SCRIPT], |helper| {
            let answer = helper.call(&Doing::AskingWhatItIs, b"i()", WORK)?;
            Ok(Self::read(&String::from_utf8_lossy(&answer)))
        })
    }

    /// Parses records `KEY\tVALUE\0`; ignores anything else in the answer.
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

    /// The value of `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The value of `key` as a number.
    #[must_use]
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }

    /// The board, if udpcli knows it by its firmware's name.
    #[must_use]
    pub(crate) fn model(&self) -> Option<Model> {
        self.text("machine").and_then(Model::of)
    }

    /// Whether the board has firmware for the mPython board, with a built-in module `mpython`. A file `/mpython.py`
    /// does not count.
    #[must_use]
    pub(crate) fn is_mpython(&self) -> bool {
        self.text("mpython").is_some()
    }
}

/// The board's MAC address as hexadecimal digits, which is its unique ID; none if the firmware does not know it.
///
/// # Errors
/// The line has failed, or Ctrl-C.
pub(crate) fn mac(repl: &mut Repl) -> Result<Option<String>, Error> {
    let answer = Helper::with(repl, &[SCRIPT], |helper| {
        helper.call(&Doing::AskingWhatItIs, b"D()", WORK)
    });
    match answer {
        Ok(digits) => Ok(Some(String::from_utf8_lossy(&digits).into_owned())),
        Err(Error::Refused { exception, .. }) => {
            tracing::debug!("the board does not know its MAC address: {exception}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Formats `240ac4..` as `24:0a:c4:..`.
#[must_use]
pub(crate) fn with_colons(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_and_values_are_parsed() {
        let info = Info::read("version\t1.12.0\0noise\0memory\t81920\0");
        assert_eq!(info.text("version"), Some("1.12.0"));
        assert_eq!(info.number("memory"), Some(81_920));
        assert!(!info.is_mpython());
    }
}
