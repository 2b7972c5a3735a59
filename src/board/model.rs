//! Boards that udpcli knows by the name in their firmware (`os.uname().machine`).

use std::time::Duration;

use crate::board::error::Error;
use crate::board::operation::Doing;
use crate::board::repl::{Repl, SubmitMode};

/// The timeout for the board's answer.
const WORK: Duration = Duration::from_secs(2);

/// The length limit of a name.
const MAX_NAME: usize = 128;

/// Asks for the firmware's name. `uos` exists in every version, no file of the user can replace it, and no name is left
/// behind.
const ASK: &[u8] = b"print(__import__('uos').uname()[4])";

/// A board that udpcli treats in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// The mPython board with an ESP32 and an OLED.
    Mpython,
    /// The mPython board 3.0, with an ESP32-S3 and a colour display. Its firmware calls itself *mpython pro*
    /// (labplus-cn/labplus_mpython_esp32s3, `port/boards/mpython_v3/mpconfigboard.h`).
    Mpython3,
}

impl Model {
    /// The board whose firmware reports this machine; `None` for other boards, which may have the module `mpython` too.
    #[must_use]
    pub(crate) fn of(machine: &str) -> Option<Self> {
        let machine = machine.to_lowercase();
        if !machine.starts_with("mpython") {
            return None;
        }
        // *mpython_v3 with ESP32-S3* has no *pro* in its name.
        let is_s3 = machine.contains("esp32s3") || machine.contains("esp32-s3");
        if is_s3 || machine.starts_with("mpython pro") {
            Some(Self::Mpython3)
        } else {
            Some(Self::Mpython)
        }
    }

    /// The name for programs.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mpython => "mPython board (掌控板)",
            Self::Mpython3 => "mPython board 3.0 (掌控板 3.0)",
        }
    }

    /// Asks a board in its raw REPL which one it is.
    ///
    /// # Errors
    /// The line has failed, or Ctrl-C. A board that does not know is none that udpcli knows.
    pub(crate) fn ask(repl: &mut Repl) -> Result<Option<Self>, Error> {
        match repl.exec_short(SubmitMode::Plain, Doing::AskingWhatItIs, ASK, WORK) {
            Ok(answer) => {
                let answer = answer.get(..MAX_NAME).unwrap_or(&answer);
                Ok(Self::of(String::from_utf8_lossy(answer).trim()))
            }
            Err(Error::Refused { .. } | Error::NoAnswer { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_told_apart_by_their_firmwares_name() {
        for (machine, model) in [
            ("mPython with ESP32", Some(Model::Mpython)),
            ("mpython with ESP32", Some(Model::Mpython)),
            ("mPython Libs with ESP32", Some(Model::Mpython)),
            ("mpython pro with ESP32S3", Some(Model::Mpython3)),
            ("mpython_v3 with ESP32-S3", Some(Model::Mpython3)),
            ("labplus for xuejing with ESP32S3", None),
            ("Generic ESP32S3 module with ESP32S3", None),
            ("", None),
        ] {
            assert_eq!(Model::of(machine), model, "{machine}");
        }
    }
}
