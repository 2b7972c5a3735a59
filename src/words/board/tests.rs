//! Tests of the words for board errors.

use std::time::Duration;

use super::*;
use crate::words::catalogue::text;

fn port() -> String {
    "COM3".to_owned()
}

fn path() -> String {
    "/main.py".to_owned()
}

fn said() -> String {
    "said".to_owned()
}

fn doing() -> Doing {
    Doing::Writing(path())
}

/// Errors of a port, and of a board that does not reply.
fn of_the_port() -> Vec<Error> {
    let waited = Duration::from_secs(10);
    let source = || io::Error::new(io::ErrorKind::UnexpectedEof, LineFault::Closed);
    let open = |holders| Error::Open {
        port: port(),
        holders,
        source: source(),
    };
    let silent = |lines, reset, native| Error::Silent {
        port: port(),
        waited,
        lines,
        reset,
        native,
    };
    let noise = |baud| Error::Noise { port: port(), baud };
    let mut all = vec![
        Error::NoBoard {
            others: vec![port()],
        },
        Error::ManyBoards {
            candidates: vec![port(), "COM5".to_owned()],
        },
        Error::List { source: source() },
        open(vec![Process {
            id: 12,
            name: "screen".to_owned(),
        }]),
        open(Vec::new()),
        Error::Gone {
            port: port(),
            source: source(),
        },
        Error::Stuck { port: port() },
        Error::Lines {
            port: port(),
            source: source(),
        },
        silent(false, false, false),
        silent(true, false, false),
        silent(true, true, false),
        silent(true, false, true),
        silent(true, true, true),
        Error::DownloadMode { port: port() },
        noise(Some(9600)),
        noise(None),
        Error::Deaf {
            port: port(),
            waited,
            said: said(),
        },
        Error::Echo { port: port() },
        Error::NotMicroPython {
            port: port(),
            said: said(),
        },
    ];
    for fault in [
        BoardFault::NoFirmware,
        BoardFault::FirmwareDamaged,
        BoardFault::BrownOut,
        BoardFault::Panic,
    ] {
        all.extend([None, Some(doing())].map(|doing| Error::Fault {
            port: port(),
            fault,
            doing,
            said: said(),
        }));
    }
    all
}

/// Errors of the communication with a board.
fn of_the_talk() -> Vec<Error> {
    let mut all = vec![
        Error::Interrupted,
        Error::NoAnswer {
            port: port(),
            doing: doing(),
        },
        Error::Restarted {
            doing: Doing::ProgramRan,
        },
        Error::Answer {
            doing: doing(),
            said: said(),
        },
        Error::Refused {
            doing: doing(),
            exception: said(),
        },
        Error::Chatter {
            doing: doing(),
            said: said(),
        },
        Error::Garbled {
            doing: doing(),
            times: 5,
        },
        Error::OnTheBoard { path: path() },
        Error::Traceback {
            exception: "x".repeat(500),
        },
        Error::NoDisplay,
        Error::NothingShown,
        Error::NoPicture,
    ];
    for what in [NotSource::Compiled, NotSource::Utf16, NotSource::Binary] {
        all.push(Error::NotSource { name: path(), what });
    }
    all
}

/// Errors of a board's file system.
fn of_its_files() -> Vec<Error> {
    let mut all = vec![
        Error::NoSuchFile { path: path() },
        Error::IsFolder { path: path() },
        Error::TooLong {
            path: path(),
            len: 5,
            most: 4,
        },
        Error::ReadFile {
            path: path(),
            reason: RefusalReason::BadFlash,
        },
        Error::Damaged {
            path: path(),
            times: 5,
        },
        Error::CopyInto {
            from: path(),
            to: path(),
        },
        Error::Remove {
            path: path(),
            reason: RefusalReason::NotEmpty,
        },
        Error::Remove {
            path: path(),
            reason: RefusalReason::Exception("OSError: 99".to_owned()),
        },
    ];
    for keeps_old in [false, true] {
        all.push(Error::Full {
            path: path(),
            needed: 5,
            free: 4,
            keeps_old,
        });
        all.push(Error::WriteFile {
            path: path(),
            reason: RefusalReason::FilesAreIn(vec!["/flash".to_owned(), "/sd".to_owned()]),
            keeps_old,
        });
    }
    all
}

#[test]
fn the_catalogue_matches_the_error_texts() {
    let errors = of_the_port().into_iter().chain(of_the_talk());
    for error in errors.chain(of_its_files()) {
        assert_eq!(message(&error), error.to_string(), "{error:?}");
    }
}

#[test]
fn operations_and_reasons_match_their_display_texts() {
    for doing in [
        Doing::EnteringPaste,
        Doing::LeavingRawRepl,
        Doing::PastingAtPrompt,
        Doing::SoftReset,
        Doing::Preparing,
        Doing::CleaningUp,
        Doing::AskingWhatItIs,
        Doing::LookingAtInterpreter,
        Doing::SendingProgram,
        Doing::StartingProgram,
        Doing::LookingForFile,
        Doing::RemovingProgramFile,
        Doing::ProgramRan,
        Doing::FileRan("main.py"),
        Doing::LookingForDisplay,
        Doing::StartingMirror,
        Doing::EndingMirror,
        Doing::PreparingForFiles,
        Doing::AskingForRoom,
        Doing::ComparingFiles,
        Doing::LookingForOldFile,
        Doing::RemovingTemporary,
        Doing::Writing(path()),
        Doing::Checking(path()),
        Doing::Reading(path()),
        Doing::Listing(path()),
        Doing::MakingFolder(path()),
        Doing::Removing(path()),
        Doing::Above("sending", sentence!("pair.doing-sending")),
    ] {
        assert_eq!(text(&doing.sentence()), doing.to_string());
    }
    for reason in [
        RefusalReason::NotPermitted,
        RefusalReason::NoFolder,
        RefusalReason::BadFlash,
        RefusalReason::NameTaken,
        RefusalReason::FileOfThatName,
        RefusalReason::NotMounted,
        RefusalReason::PartIsFile,
        RefusalReason::BadName,
        RefusalReason::IsFolder,
        RefusalReason::Full,
        RefusalReason::ReadOnly,
        RefusalReason::NameTooLong,
        RefusalReason::NotAFolder,
        RefusalReason::NotEmpty,
        RefusalReason::MountPoint,
        RefusalReason::NoFileSystem,
        RefusalReason::FilesAreIn(vec![path()]),
        RefusalReason::NoMemory,
        RefusalReason::Exception("OSError: 99".to_owned()),
    ] {
        assert_eq!(text(&reason.sentence()), reason.to_string());
    }
}

#[test]
fn line_faults_match_their_display_texts() {
    for fault in [
        LineFault::NoAnswer,
        LineFault::Closed,
        LineFault::NoAddress,
        LineFault::NoLinesOverTcp,
        LineFault::NoLines,
        LineFault::NoSerialPort,
        LineFault::TakesNoCommands,
        LineFault::ReadsNoAnswers,
    ] {
        let error = io::Error::other(fault);
        assert_eq!(cause(&error), Some(error.to_string()));
    }
    let error = io::Error::other(Unnameable::TooLong);
    assert_eq!(cause(&error), Some(error.to_string()));
    assert_eq!(cause(&io::Error::other("the system's own")), None);
}
