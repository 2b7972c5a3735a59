//! What can go wrong between the PC and a board, with the exit code and the hint of each.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::board::doing::{Doing, Reason};
use crate::board::evidence::Fault;
use crate::board::holder;
use crate::board::path::with_slashes;
use crate::text::seconds;

/// A failure on the serial bridge.
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
    #[error("cannot open serial port {port}{}", held_by(holder.as_deref()))]
    Open {
        port: String,
        holder: Option<String>,
        source: io::Error,
    },
    #[error("serial port {port} is gone")]
    Gone { port: String, source: io::Error },
    #[error("serial port {port} takes no more bytes")]
    Stuck { port: String },
    #[error("cannot reset the board on {port} through its control lines")]
    Lines { port: String, source: io::Error },

    // Getting the board's attention.
    #[error("no answer from the board on {port} within {}", seconds(*waited))]
    Silent {
        port: String,
        waited: Duration,
        lines: bool,
        reset: bool,
    },
    #[error("the board on {port} is in download mode, waiting for firmware")]
    DownloadMode { port: String },
    #[error("unreadable data from {port} at {baud} baud")]
    Noise { port: String, baud: u32 },
    #[error("the board on {port} did not react to Ctrl-C within {}", seconds(*waited))]
    Deaf {
        port: String,
        waited: Duration,
        said: String,
    },
    #[error("{}", fault_on(port, *fault, doing.as_ref()))]
    Fault {
        port: String,
        fault: Fault,
        /// What was going on, where it was more than entering the board.
        doing: Option<Doing>,
        /// The line of its log that says so.
        said: String,
    },
    #[error("{port} sends back what it receives: no board answers there")]
    Echo { port: String },
    #[error("the program on {port} is not MicroPython")]
    NotMicroPython { port: String, said: String },
    #[error("stopped by Ctrl-C")]
    Interrupted,

    // Talking with it.
    #[error("the board on {port} stopped answering while {doing}")]
    NoAnswer { port: String, doing: Doing },
    #[error("the board restarted while {doing}")]
    Restarted { doing: Doing },
    #[error("the board answered {doing} with something unexpected: {said}")]
    Answer { doing: Doing, said: String },
    #[error("{doing} raised an exception on the board: {exception}")]
    Refused { doing: Doing, exception: String },
    #[error("a program on the board keeps printing while {doing}: {said}")]
    Chatter { doing: Doing, said: String },
    #[error("data on the serial line was damaged {times} times while {doing}")]
    Garbled { doing: Doing, times: u32 },
    #[error("{name} is {}", what_it_is(*what))]
    NotSource { name: String, what: NotSource },
    #[error("{path} is a file on the board; run takes a file of this PC")]
    OnTheBoard { path: String },
    #[error("the program ended with {}", shortened(exception))]
    Traceback { exception: String },
    #[error("the board has no OLED that can be mirrored")]
    NoDisplay,
    #[error("the board's program showed nothing on the OLED")]
    NothingShown,

    // Its file system.
    #[error("{path} is not on the board")]
    NoSuchFile { path: String },
    #[error("{path} on the board is a folder")]
    IsFolder { path: String },
    #[error("the board's file system is full: {path} needs {needed} bytes, {free} are free")]
    Full {
        path: String,
        needed: u64,
        free: u64,
        /// Whether there is an old file, which is as it was.
        keeps_old: bool,
    },
    #[error("cannot write {path} on the board: {reason}")]
    WriteFile {
        path: String,
        reason: Reason,
        /// Whether there is an old file, which is as it was.
        keeps_old: bool,
    },
    #[error("cannot read {path} on the board: {reason}")]
    ReadFile { path: String, reason: Reason },
    #[error("the board claims that {path} has {len} bytes; udpcli reads at most {most}")]
    TooLong { path: String, len: u64, most: u64 },
    #[error("cannot remove {path} on the board: {reason}")]
    Remove { path: String, reason: Reason },
    #[error("{path} arrived damaged {times} times")]
    Damaged { path: String, times: u32 },
}

/// An error as an event takes it.
pub(crate) fn as_value(error: &Error) -> &(dyn std::error::Error + 'static) {
    error
}

/// `: in use by X` or nothing.
fn held_by(holder: Option<&str>) -> String {
    holder.map_or_else(String::new, |holder| format!(": in use by {holder}"))
}

/// What a board's log shows, and of which board.
fn fault_on(port: &str, fault: Fault, doing: Option<&Doing>) -> String {
    let meanwhile = doing.map_or_else(String::new, |doing| format!(" while {doing}"));
    match fault {
        Fault::NoFirmware => {
            format!("the board on {port} has no firmware: its flash is empty{meanwhile}")
        }
        Fault::FirmwareDamaged => {
            format!("the firmware of the board on {port} is damaged and does not start{meanwhile}")
        }
        Fault::BrownOut => {
            format!("the supply voltage of the board on {port} fell too low{meanwhile}")
        }
        Fault::Panic => format!("the firmware of the board on {port} crashed{meanwhile}"),
    }
}

/// How much of an exception an error line shows: the traceback above it has the whole.
const LONGEST_EXCEPTION: usize = 400;

/// The beginning of an exception's line.
pub(crate) fn shortened(exception: &str) -> String {
    match exception.char_indices().nth(LONGEST_EXCEPTION) {
        Some((at, _)) => format!("{}..", exception.get(..at).unwrap_or_default()),
        None => exception.to_owned(),
    }
}

/// What a file is that was given as a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSource {
    /// `MicroPython` that was compiled, `.mpy`.
    Compiled,
    /// Text in UTF-16.
    Utf16,
    /// No text.
    Binary,
}

fn what_it_is(what: NotSource) -> &'static str {
    match what {
        NotSource::Compiled => "compiled MicroPython (.mpy), not Python source",
        NotSource::Utf16 => "UTF-16 text, which the board cannot read",
        NotSource::Binary => "not Python source",
    }
}

impl Error {
    /// The code for programs, where there is one: the same as `udpcli pair` gives for it.
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
            _ => return None,
        })
    }

    /// The process exit code: 1 for a program that failed, 3 for a board or port that is not available, 130 for Ctrl-C.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Traceback { .. } | Self::NothingShown => 1,
            Self::Interrupted => 130,
            _ => 3,
        }
    }

    /// What to try next, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoBoard { others } if others.is_empty() => {
                "is the USB cable one that carries data (some only charge), and the driver installed (CP2104 or CH340)? udpcli board list shows what is there".to_owned()
            }
            Self::NoBoard { others } => format!(
                "found {}, but it does not look like a board. Is the cable a data cable, and is the driver installed? If it is your board: add -s PORT",
                others.join(", ")
            ),
            Self::ManyBoards { candidates } => {
                format!("choose with -s: {}", candidates.join(", "))
            }
            Self::Open { port, holder, source } => return Some(open_hint(port, holder.as_deref(), source)),
            Self::Gone { .. } => {
                "the cable was pulled or the board lost power; a cable or hub that moves does this too".to_owned()
            }
            Self::Stuck { port } if port.contains("://") => {
                "restart the program that offers the port (ser2net, esp_rfc2217_server)".to_owned()
            }
            Self::Stuck { .. } => "pull the USB plug and put it in again".to_owned(),
            Self::Lines { .. } => "press the board's RESET button instead".to_owned(),
            Self::Silent { lines, reset, .. } => {
                let reset = if *reset {
                    "a reset through the control lines did not help either"
                } else if *lines {
                    "press the board's RESET button and try again, or give it more time with --connect-timeout: it was too short for a reset"
                } else {
                    "press the board's RESET button and try again: this port has no control lines to reset it with"
                };
                format!("{reset}. Is this the board's port (udpcli board list)? Is its firmware MicroPython, and its rate the one given with --baud?")
            }
            Self::DownloadMode { .. } => {
                "press the board's RESET button without holding any other; if that brings it back here, it needs firmware: udpcli board flash".to_owned()
            }
            Self::Noise { .. } => {
                "another rate? --baud 115200 is usual, 74880, 460800 or 921600 also occur; the boot messages of some boards look like this as well".to_owned()
            }
            Self::Deaf { .. } => {
                "press the board's RESET button while udpcli tries; if main.py switches Ctrl-C off, only a reset through the control lines or new firmware gets in".to_owned()
            }
            Self::Fault { fault, said, .. } => fault_hint(*fault, said),
            Self::Echo { .. } => {
                "is this the board's port (udpcli board list)? A loopback plug, or an adapter whose TX and RX are connected, does this".to_owned()
            }
            Self::NotMicroPython { said, .. } => format!(
                "it prints {said:?}, as an Arduino sketch or another program would; to put the mPython firmware on the board: udpcli board flash mpython.bin"
            ),
            Self::NoAnswer { .. } => {
                "try again; if that does not help, reset the board: udpcli board reset --hard".to_owned()
            }
            Self::Restarted { .. } => {
                "a weak power supply or cable does this too (brown-out), most often when Wi-Fi starts".to_owned()
            }
            Self::NotSource { what, .. } => not_source_hint(*what).to_owned(),
            Self::OnTheBoard { path } => {
                let module = path.trim_start_matches('/').trim_end_matches(".py").replace('/', ".");
                format!("to run it: echo 'import {module}' | udpcli board run -")
            }
            Self::NoSuchFile { path } => match with_slashes(path) {
                Some(path) => format!("with slashes it is :{path}; udpcli board ls shows what is there"),
                None => "udpcli board ls shows what is there".to_owned(),
            },
            Self::NoDisplay => {
                "the mirror takes `oled` of the module mpython, in Mixly's firmware `onboard_oled`: has the board one of these firmwares, and is its display connected?".to_owned()
            }
            Self::IsFolder { .. } => "a file goes under another name, or into the folder (:FOLDER/); get takes a folder with all that is in it to a folder of this PC, not to -".to_owned(),
            Self::Full { keeps_old, .. } => format!(
                "{}udpcli board ls -r shows what takes the space, udpcli board rm frees it",
                if *keeps_old { "the old file is as it was; " } else { "" }
            ),
            Self::TooLong { .. } => {
                "no board holds so much: its file system is damaged, or what answers is no board; udpcli board info shows what it is".to_owned()
            }
            Self::Remove {
                reason: Reason::NotEmpty,
                ..
            } => {
                "-r removes a folder with everything in it".to_owned()
            }
            Self::WriteFile { keeps_old: true, .. } => "the old file is as it was".to_owned(),
            Self::Chatter { .. } => {
                "a soft reset did not end it, so boot.py on the board starts a timer or a thread that prints: remove it at the prompt (udpcli board repl, then import os; os.remove('boot.py')) and press RESET".to_owned()
            }
            Self::ReadFile { .. } => {
                "try again; if only this file fails, put it onto the board anew; if many do, the flash or the card is worn out".to_owned()
            }
            Self::Damaged { .. } | Self::Garbled { .. } => {
                "the line loses bytes: another cable or USB port, or a lower --baud where the firmware allows it".to_owned()
            }
            Self::List { .. }
            | Self::Interrupted
            | Self::Answer { .. }
            | Self::Refused { .. }
            | Self::Remove { .. }
            | Self::WriteFile { .. }
            | Self::NothingShown
            | Self::Traceback { .. } => return None,
        };
        Some(hint)
    }
}

fn not_source_hint(what: NotSource) -> &'static str {
    match what {
        NotSource::Compiled => "put it on the board and import it: udpcli board put FILE.mpy :",
        NotSource::Utf16 => "save it as UTF-8 in your editor",
        NotSource::Binary => "give a text file with a Python program",
    }
}

/// What to do about a fault, and the line of the board's log that shows it.
fn fault_hint(fault: Fault, said: &str) -> String {
    let cure = match fault {
        Fault::NoFirmware | Fault::FirmwareDamaged => {
            "write the firmware to it: udpcli board flash mpython.bin"
        }
        Fault::BrownOut => {
            "use another USB cable, plug it into the PC itself and not into a hub, and unplug motors and LED strips"
        }
        Fault::Panic => {
            "press its RESET button; if it crashes at each start, write the firmware to it again: udpcli board flash mpython.bin"
        }
    };
    format!("{cure} (its log says {said:?})")
}

fn open_hint(name: &str, holder: Option<&str>, source: &io::Error) -> String {
    if name.contains("://") {
        return "is the program that offers the port running there (ser2net, esp_rfc2217_server), and does the firewall let it through?".to_owned();
    }
    if let Some(holder) = holder {
        return if holder.contains("brltty") {
            "brltty, the driver for Braille displays, takes USB serial adapters for its own: sudo apt remove brltty, then plug the board in again".to_owned()
        } else {
            "end that program, or the connection in it".to_owned()
        };
    }
    match source.kind() {
        _ if holder::is_held(source) => {
            "another program has the port open: an editor (mPython, Mind+, Mixly, Thonny, Arduino), a terminal, another udpcli".to_owned()
        }
        io::ErrorKind::PermissionDenied if cfg!(windows) => {
            "another program has the port open: an editor (mPython, Mind+, Mixly, Thonny, Arduino), a terminal, another udpcli".to_owned()
        }
        io::ErrorKind::PermissionDenied => holder::group_of(name).map_or_else(general_group, |group| {
            format!("the port belongs to the group {group}: sudo usermod -aG {group} $USER, then log in again")
        }),
        io::ErrorKind::NotFound if !name.contains('/') && Path::new("/dev").join(name).exists() => {
            format!("write the port's whole name: -s /dev/{name}")
        }
        _ => "udpcli board list shows the ports that are there".to_owned(),
    }
}

fn general_group() -> String {
    "add yourself to the group that owns it, then log in again: sudo usermod -aG dialout $USER (uucp on Arch)".to_owned()
}
