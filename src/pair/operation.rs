//! The operations on the board, for error messages.

use std::fmt;

use crate::board::operation::Doing;
use crate::text::sentence::{Sentence, sentence};

/// An operation on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Our functions go to the board.
    Loading,
    /// The board's own `main.py` is read.
    ReadingMain,
    /// Its names are looked for.
    LookingAtMain,
    /// Sockets of the last program are closed.
    ClosingSockets,
    /// The board joins a Wi-Fi.
    JoiningWifi,
    /// The board reports its connection.
    LookingAtWifi,
    /// The board becomes an access point.
    StartingAccessPoint,
    /// The board receives.
    Listening,
    /// The board sends.
    Sending,
    /// The OLED's last picture is read.
    ReadingOled,
    /// Our functions are removed.
    EndingProgram,
    /// The board leaves the Wi-Fi.
    LeavingWifi,
    /// The board's access point goes off.
    StoppingAccessPoint,
    /// The free space is read.
    LookingAtFiles,
}

impl Work {
    /// The operation as a sentence of the catalogue.
    fn sentence(self) -> Sentence {
        match self {
            Self::Loading => sentence!("pair.doing-loading"),
            Self::ReadingMain => sentence!("pair.doing-reading-main"),
            Self::LookingAtMain => sentence!("pair.doing-looking-at-main"),
            Self::ClosingSockets => sentence!("pair.doing-closing-sockets"),
            Self::JoiningWifi => sentence!("pair.doing-joining-wifi"),
            Self::LookingAtWifi => sentence!("pair.doing-looking-at-wifi"),
            Self::StartingAccessPoint => sentence!("pair.doing-starting-access-point"),
            Self::Listening => sentence!("pair.doing-listening"),
            Self::Sending => sentence!("pair.doing-sending"),
            Self::ReadingOled => sentence!("pair.doing-reading-oled"),
            Self::EndingProgram => sentence!("pair.doing-ending-program"),
            Self::LeavingWifi => sentence!("pair.doing-leaving-wifi"),
            Self::StoppingAccessPoint => sentence!("pair.doing-stopping-access-point"),
            Self::LookingAtFiles => sentence!("pair.doing-looking-at-files"),
        }
    }

    /// The English text, for logs.
    fn english(self) -> &'static str {
        match self {
            Self::Loading => "loading the test's program",
            Self::ReadingMain => "reading main.py",
            Self::LookingAtMain => "looking at what main.py left",
            Self::ClosingSockets => "closing sockets left open",
            Self::JoiningWifi => "joining the Wi-Fi",
            Self::LookingAtWifi => "looking at the Wi-Fi",
            Self::StartingAccessPoint => "starting the access point",
            Self::Listening => "listening",
            Self::Sending => "sending",
            Self::ReadingOled => "reading the OLED",
            Self::EndingProgram => "ending the test's program",
            Self::LeavingWifi => "leaving the Wi-Fi",
            Self::StoppingAccessPoint => "switching the access point off",
            Self::LookingAtFiles => "looking at the file system",
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}

impl From<Work> for Doing {
    fn from(work: Work) -> Self {
        Self::Above(work.english(), work.sentence())
    }
}
