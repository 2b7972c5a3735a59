//! Errors between PC and board, each with its exit code; `words` has the hints.

use std::io;
use std::time::Duration;

use crate::board::boot_output::BoardFault;
use crate::board::operation::{Doing, RefusalReason};
use crate::processes::Process;
use crate::text::seconds;

/// An error of the serial bridge.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    // Finding and opening a port.
    #[error("no board found")]
    NoBoard { others: Vec<String> },
    #[error("{} boards found", .candidates.len())]
    ManyBoards { candidates: Vec<String> },
    #[error("cannot list the serial ports")]
    List { source: io::Error },
    #[error("cannot open serial port {port}{}", held_by(holders))]
    Open {
        port: String,
        holders: Vec<Process>,
        source: io::Error,
    },
    #[error("serial port {port} is gone")]
    Gone { port: String, source: io::Error },
    #[error("serial port {port} accepts no more bytes")]
    Stuck { port: String },
    #[error("cannot reset the board on {port} through its control lines")]
    Lines { port: String, source: io::Error },

    // Entering the raw REPL.
    #[error("no answer from the board on {port} within {}", seconds(*waited))]
    Silent {
        port: String,
        waited: Duration,
        lines: bool,
        reset: bool,
        /// Whether it is the USB port of the board's own chip, which has no baud rate.
        native: bool,
    },
    #[error("the board on {port} is in download mode, waiting for firmware")]
    DownloadMode { port: String },
    #[error("unreadable data from {port}{}", at_rate(*baud))]
    Noise {
        port: String,
        /// None on the USB port of the board's own chip.
        baud: Option<u32>,
    },
    #[error("the board on {port} did not react to Ctrl-C within {}", seconds(*waited))]
    Deaf {
        port: String,
        waited: Duration,
        said: String,
    },
    #[error("{}", fault_on(port, *fault, doing.as_ref()))]
    Fault {
        port: String,
        fault: BoardFault,
        /// What udpcli was doing, if it was more than entering the raw REPL.
        doing: Option<Doing>,
        /// The line of the board's log that reports the fault.
        said: String,
    },
    #[error("{port} sends back what it receives: no board answers there")]
    Echo { port: String },
    #[error("the program on {port} is not MicroPython")]
    NotMicroPython { port: String, said: String },
    #[error("stopped by Ctrl-C")]
    Interrupted,

    // Talking with the board.
    #[error("the board on {port} stopped answering while {doing}")]
    NoAnswer { port: String, doing: Doing },
    #[error("the board restarted while {doing}")]
    Restarted { doing: Doing },
    #[error("unexpected answer from the board while {doing}: {said}")]
    Answer { doing: Doing, said: String },
    #[error("{doing} raised an exception on the board: {exception}")]
    Refused { doing: Doing, exception: String },
    #[error("a program on the board keeps printing while {doing}: {said}")]
    Chatter { doing: Doing, said: String },
    #[error("data on the serial line was damaged {times} times while {doing}")]
    Garbled { doing: Doing, times: u32 },
    #[error("{name} is {}", what_it_is(*what))]
    NotSource { name: String, what: NotSource },
    #[error("{path} is a file on the board; run needs a file on this PC")]
    OnTheBoard { path: String },
    #[error("the program ended with {}", shortened(exception))]
    Traceback { exception: String },
    #[error("the board has no OLED that can be mirrored")]
    NoDisplay,
    #[error("the board's program showed nothing on the OLED")]
    NothingShown,
    #[error("the colour display of the board gives no picture back")]
    NoPicture,

    // The board's file system.
    #[error("{path} is not on the board")]
    NoSuchFile { path: String },
    #[error("{path} on the board is a folder")]
    IsFolder { path: String },
    #[error("the board's file system is full: {path} needs {needed} bytes, {free} are free")]
    Full {
        path: String,
        needed: u64,
        free: u64,
        /// Whether an old file exists, which is unchanged.
        keeps_old: bool,
    },
    #[error("cannot write {path} on the board: {reason}")]
    WriteFile {
        path: String,
        reason: RefusalReason,
        /// Whether an old file exists, which is unchanged.
        keeps_old: bool,
    },
    #[error("cannot read {path} on the board: {reason}")]
    ReadFile { path: String, reason: RefusalReason },
    #[error("the board claims that {path} has {len} bytes; udpcli reads at most {most}")]
    TooLong { path: String, len: u64, most: u64 },
    #[error("cannot remove {path} on the board: {reason}")]
    Remove { path: String, reason: RefusalReason },
    #[error("cannot copy {from} to {to} on the board: a folder cannot go into itself")]
    CopyInto { from: String, to: String },
    #[error("cannot move {from} to {to} on the board: {reason}")]
    Move {
        from: String,
        to: String,
        reason: RefusalReason,
    },
    #[error("{path} arrived damaged {times} times")]
    Damaged { path: String, times: u32 },
}

/// An error as the value of a log event.
pub(crate) fn as_value(error: &Error) -> &(dyn std::error::Error + 'static) {
    error
}

/// `: in use by X`, or nothing.
fn held_by(holders: &[Process]) -> String {
    if holders.is_empty() {
        return String::new();
    }
    let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
    format!(": in use by {}", names.join(", "))
}

/// The text about a fault in a board's log.
fn fault_on(port: &str, fault: BoardFault, doing: Option<&Doing>) -> String {
    let meanwhile = doing.map_or_else(String::new, |doing| format!(" while {doing}"));
    // These faults are older than what udpcli was doing.
    let found = doing.map_or_else(String::new, |doing| format!(" (found while {doing})"));
    match fault {
        BoardFault::NoFirmware => {
            format!("the board on {port} has no firmware: its flash is empty{found}")
        }
        BoardFault::FirmwareDamaged => {
            format!("the firmware of the board on {port} is damaged and does not start{found}")
        }
        BoardFault::BrownOut => {
            format!("the supply voltage of the board on {port} fell too low{meanwhile}")
        }
        BoardFault::Panic => format!("the firmware of the board on {port} crashed{meanwhile}"),
    }
}

/// The length limit for an exception in an error line: the traceback above it has the full text.
const LONGEST_EXCEPTION: usize = 400;

/// The beginning of an exception's line.
pub(crate) fn shortened(exception: &str) -> String {
    match exception.char_indices().nth(LONGEST_EXCEPTION) {
        Some((at, _)) => format!("{}..", exception.get(..at).unwrap_or_default()),
        None => exception.to_owned(),
    }
}

/// What the file is instead of a Python program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSource {
    /// Compiled `MicroPython`, `.mpy`.
    Compiled,
    /// Text in UTF-16.
    Utf16,
    /// Not text.
    Binary,
}

fn what_it_is(what: NotSource) -> &'static str {
    match what {
        NotSource::Compiled => "compiled MicroPython (.mpy), not Python source",
        NotSource::Utf16 => "UTF-16 text, which the board cannot read",
        NotSource::Binary => "not Python source",
    }
}

/// The words for a baud rate, if there is one.
fn at_rate(baud: Option<u32>) -> String {
    baud.map(|baud| format!(" at {baud} baud"))
        .unwrap_or_default()
}

impl Error {
    /// The code for programs, if there is one: the same as in `udpcli pair`.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::Silent { .. } => "no-serial-answer",
            Self::DownloadMode { .. } => "download-mode",
            Self::Noise { .. } => "line-noise",
            Self::Deaf { .. } | Self::Chatter { .. } => "board-busy",
            Self::Fault { fault, .. } => fault.code(),
            Self::Echo { .. } => "serial-echo",
            Self::NotMicroPython { .. } => "no-micropython",
            Self::Restarted { .. } => "board-restarted",
            Self::NoBoard { .. }
            | Self::ManyBoards { .. }
            | Self::List { .. }
            | Self::Open { .. } => "serial-port",
            Self::Gone { .. } | Self::Stuck { .. } | Self::NoAnswer { .. } => "serial-lost",
            // Errors without a code are about one file or one command line; a program has the exit code for them.
            _ => return None,
        })
    }

    /// The process exit code: 1 for a program that failed, 3 for a board or port that is not available, 130 for Ctrl-C.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            // udpcli did its part, and the program failed; a script must be able to tell this from a board that is
            // not there.
            Self::Traceback { .. } | Self::NothingShown => 1,
            Self::Interrupted => 130,
            _ => 3,
        }
    }
}
