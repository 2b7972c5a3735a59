//! The operations on a board, for error messages that say what udpcli was doing.

use std::fmt;

use crate::text::sentence::{Sentence, sentence};

/// An operation, as a phrase after *while*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    // The interpreter.
    EnteringPaste,
    LeavingRawRepl,
    PastingAtPrompt,
    SoftReset,
    Preparing,
    ChangingRate,
    CleaningUp,
    AskingWhatItIs,
    // Programs.
    LookingAtInterpreter,
    SendingProgram,
    StartingProgram,
    LookingForFile,
    RemovingProgramFile,
    /// The program that was sent ran.
    ProgramRan,
    /// A program stored on the board ran.
    FileRan(&'static str),
    // The OLED.
    LookingForDisplay,
    StartingMirror,
    EndingMirror,
    // Files, with their path.
    PreparingForFiles,
    AskingForRoom,
    ComparingFiles,
    LookingForOldFile,
    RemovingTemporary,
    Writing(String),
    Checking(String),
    Reading(String),
    Listing(String),
    MakingFolder(String),
    Removing(String),
    Copying(String),
    Moving(String),
    AskingForDates,
    // Its clock.
    SettingClock,
    ReadingClock,
    /// An operation of a higher layer: English text for logs, and a sentence for people.
    Above(&'static str, Sentence),
    /// Another operation, in words that are the same in every language.
    Other(String),
}

impl From<&str> for Doing {
    fn from(text: &str) -> Self {
        Self::Other(text.to_owned())
    }
}

impl From<&Self> for Doing {
    fn from(doing: &Self) -> Self {
        doing.clone()
    }
}

impl Doing {
    /// The operation as a sentence of the catalogue.
    #[must_use]
    pub(crate) fn sentence(&self) -> Sentence {
        match self {
            Self::EnteringPaste => sentence!("board.doing-entering-paste"),
            Self::LeavingRawRepl => sentence!("board.doing-leaving-raw-repl"),
            Self::PastingAtPrompt => sentence!("board.doing-pasting-at-prompt"),
            Self::SoftReset => sentence!("board.doing-soft-reset"),
            Self::Preparing => sentence!("board.doing-preparing"),
            Self::ChangingRate => sentence!("line-rate.doing"),
            Self::CleaningUp => sentence!("board.doing-cleaning-up"),
            Self::AskingWhatItIs => sentence!("board.doing-asking-what-it-is"),
            Self::LookingAtInterpreter => sentence!("board.doing-looking-at-interpreter"),
            Self::SendingProgram => sentence!("board.doing-sending-program"),
            Self::StartingProgram => sentence!("board.doing-starting-program"),
            Self::LookingForFile => sentence!("board.doing-looking-for-file"),
            Self::RemovingProgramFile => sentence!("board.doing-removing-program-file"),
            Self::ProgramRan => sentence!("board.doing-program-ran"),
            Self::FileRan(name) => sentence!("board.doing-file-ran", name = name),
            Self::LookingForDisplay => sentence!("board.doing-looking-for-display"),
            Self::StartingMirror => sentence!("board.doing-starting-mirror"),
            Self::EndingMirror => sentence!("board.doing-ending-mirror"),
            Self::PreparingForFiles => sentence!("board.doing-preparing-for-files"),
            Self::AskingForRoom => sentence!("board.doing-asking-for-room"),
            Self::ComparingFiles => sentence!("board.doing-comparing-files"),
            Self::LookingForOldFile => sentence!("board.doing-looking-for-old-file"),
            Self::RemovingTemporary => sentence!("board.doing-removing-temporary"),
            Self::Writing(path) => sentence!("board.doing-writing", path = path),
            Self::Checking(path) => sentence!("board.doing-checking", path = path),
            Self::Reading(path) => sentence!("board.doing-reading", path = path),
            Self::Listing(path) => sentence!("board.doing-listing", path = path),
            Self::MakingFolder(path) => sentence!("board.doing-making-folder", path = path),
            Self::Removing(path) => sentence!("board.doing-removing", path = path),
            Self::Copying(path) => sentence!("board.doing-copying", path = path),
            Self::Moving(path) => sentence!("board.doing-moving", path = path),
            Self::AskingForDates => sentence!("board.doing-asking-for-dates"),
            Self::SettingClock => sentence!("board.doing-setting-clock"),
            Self::ReadingClock => sentence!("board.doing-reading-clock"),
            Self::Above(_, sentence) => sentence.clone(),
            Self::Other(text) => sentence!("board.doing-other", text = text),
        }
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::EnteringPaste => "asking for raw-paste mode",
            Self::LeavingRawRepl => "leaving the raw REPL",
            Self::PastingAtPrompt => "pasting at its prompt",
            Self::SoftReset => "a soft reset",
            Self::Preparing => "preparing the board",
            Self::ChangingRate => "changing the line's rate",
            Self::CleaningUp => "cleaning up",
            Self::AskingWhatItIs => "identifying the board",
            Self::LookingAtInterpreter => "looking at the interpreter",
            Self::SendingProgram => "sending the program",
            Self::StartingProgram => "starting the program",
            Self::LookingForFile => "looking for a file",
            Self::RemovingProgramFile => "removing the program's file",
            Self::ProgramRan => "the program ran",
            Self::FileRan(name) => return write!(f, "{name} ran"),
            Self::LookingForDisplay => "looking for a display",
            Self::StartingMirror => "starting the OLED mirror",
            Self::EndingMirror => "ending the OLED mirror",
            Self::PreparingForFiles => "preparing for files",
            Self::AskingForRoom => "checking the free space",
            Self::ComparingFiles => "comparing files",
            Self::LookingForOldFile => "looking for the old file",
            Self::RemovingTemporary => "removing a temporary file",
            Self::Writing(path) => return write!(f, "writing {path}"),
            Self::Checking(path) => return write!(f, "checking {path}"),
            Self::Reading(path) => return write!(f, "reading {path}"),
            Self::Listing(path) => return write!(f, "listing {path}"),
            Self::MakingFolder(path) => return write!(f, "making folder {path}"),
            Self::Removing(path) => return write!(f, "removing {path}"),
            Self::Copying(path) => return write!(f, "copying {path}"),
            Self::Moving(path) => return write!(f, "moving {path}"),
            Self::AskingForDates => "asking for the dates of files",
            Self::SettingClock => "setting the clock",
            Self::ReadingClock => "reading the clock",
            Self::Above(text, _) => text,
            Self::Other(text) => text,
        };
        f.write_str(text)
    }
}

/// Why the board's file system refused an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    NotPermitted,
    NoFolder,
    BadFlash,
    NameTaken,
    FileOfThatName,
    NotMounted,
    PartIsFile,
    BadName,
    IsFolder,
    Full,
    ReadOnly,
    NameTooLong,
    NotAFolder,
    /// `-r` removes such a folder.
    NotEmpty,
    MountPoint,
    NoFileSystem,
    /// A folder would have to contain itself.
    IntoItself,
    /// No file system is mounted there; holds the places with one.
    FilesAreIn(Vec<String>),
    NoMemory,
    /// An exception from the board. Untrusted.
    Exception(String),
}

impl RefusalReason {
    /// The reason as a sentence of the catalogue.
    #[must_use]
    pub(crate) fn sentence(&self) -> Sentence {
        match self {
            Self::NotPermitted => sentence!("board.reason-not-permitted"),
            Self::NoFolder => sentence!("board.reason-no-folder"),
            Self::BadFlash => sentence!("board.reason-bad-flash"),
            Self::NameTaken => sentence!("board.reason-name-taken"),
            Self::FileOfThatName => sentence!("board.reason-file-of-that-name"),
            Self::NotMounted => sentence!("board.reason-not-mounted"),
            Self::PartIsFile => sentence!("board.reason-part-is-file"),
            Self::BadName => sentence!("board.reason-bad-name"),
            Self::IsFolder => sentence!("board.reason-is-folder"),
            Self::Full => sentence!("board.reason-full"),
            Self::ReadOnly => sentence!("board.reason-read-only"),
            Self::NameTooLong => sentence!("board.reason-name-too-long"),
            Self::NotAFolder => sentence!("board.reason-not-a-folder"),
            Self::NotEmpty => sentence!("board.reason-not-empty"),
            Self::MountPoint => sentence!("board.reason-mount-point"),
            Self::NoFileSystem => sentence!("board.reason-no-file-system"),
            Self::IntoItself => sentence!("board.reason-into-itself"),
            Self::FilesAreIn(mounts) => {
                sentence!("board.reason-files-are-in", mounts <- Sentence::verbatim_list(mounts))
            }
            Self::NoMemory => sentence!("board.reason-no-memory"),
            Self::Exception(text) => sentence!("board.reason-exception", text = text),
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPermitted => "not permitted",
            Self::NoFolder => "the folder is not there",
            Self::BadFlash => "the flash cannot be read or written",
            Self::NameTaken => "the name is already in use",
            Self::FileOfThatName => "a file of that name exists",
            Self::NotMounted => "no file system is mounted there",
            Self::PartIsFile => "a part of the path is a file",
            Self::BadName => "the file system does not allow this name",
            Self::IsFolder => "it is a folder",
            Self::Full => "the file system is full",
            Self::ReadOnly => "the file system is read-only",
            Self::NameTooLong => "the name is too long",
            Self::NotAFolder => "it is a file",
            Self::NotEmpty => "the folder is not empty",
            Self::MountPoint => "a file system is mounted there",
            Self::NoFileSystem => "the board has no file system",
            Self::IntoItself => "a folder cannot go into itself",
            Self::FilesAreIn(mounts) => {
                return write!(
                    f,
                    "no file system is mounted there; the board's files are in {}",
                    mounts.join(", ")
                );
            }
            Self::NoMemory => "the board has too little free memory; udpcli board reset frees some",
            Self::Exception(text) => text,
        })
    }
}
