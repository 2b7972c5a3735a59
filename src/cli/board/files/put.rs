//! `udpcli board put`.

use std::path::PathBuf;
use std::time::Instant;

use super::super::fleet::{self, Job};
use super::{PutArgs, SerialArgs, TransferPrinter, conclude, names, put_watch, session};
use crate::board::files::exclude::Exclude;
use crate::board::files::remote::{self, RemotePath};
use crate::board::files::transfer::Transferred;
use crate::board::files::upload::{self, Planned, Remembered, Upload};
use crate::board::files::{Entry, Files};
use crate::board::repl::ToGo;
use crate::cli::{GlobalArgs, output};
use crate::config::PROJECT_FILE;
use crate::error::{Error, Outcome};
use crate::terminal::prompt;
use crate::terminal::status;
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// How an upload ended.
enum PutEnd {
    /// Everything is on the board.
    Put(Transferred),
    /// The user did not agree to remove files.
    Declined,
    /// `--dry-run`: nothing was changed.
    Previewed,
    /// Ctrl-C at the question.
    Interrupted,
}

/// Uploads everything that differs.
pub(in crate::cli::board) fn run(
    args: &PutArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    if let Some((problem, hint)) = unasked(args) {
        return Err(Error::usage_hint(problem, hint));
    }
    let (locals, remote) = split(&args.paths)?;
    let excludes = excludes(args, serial)?;
    if args.watch {
        return put_watch::run(&locals, &remote, &excludes, args, serial, global);
    }
    // Check the files on this PC before the board: a wrong name must not interrupt the board's program.
    let upload = Upload::read_without(&locals, remote, excludes)?;
    refuse_delete_of_files(args, &upload)?;
    upload_to(&upload, args, serial, global)
}

/// The same for several boards; reads the files once.
pub(in crate::cli::board) fn for_many<'a>(
    args: &'a PutArgs,
    serial: &SerialArgs,
    global: &'a GlobalArgs,
) -> Result<Job<'a>, Error> {
    fleet::one_board_only(args.watch, "--watch")?;
    if args.delete && !args.yes && !args.dry_run {
        return Err(Error::usage_hint(
            say!("fleet.delete-needs-yes"),
            say!("fleet.delete-needs-yes.hint"),
        ));
    }
    let (locals, remote) = split(&args.paths)?;
    let upload = Upload::read_without(&locals, remote, excludes(args, serial)?)?;
    refuse_delete_of_files(args, &upload)?;
    Ok(Job::new(move |serial| {
        upload_to(&upload, args, serial, global)
    }))
}

/// Uploads the files that were read before to one board.
fn upload_to(
    upload: &Upload,
    args: &PutArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    let mut printer = TransferPrinter::new(global.quiet);
    let ended = session::with_files_for(serial, ToGo::Bytes(upload.total_len()), |files| {
        let planned = upload.plan(files)?;
        let excess = if args.delete {
            planned.excess(files)?
        } else {
            Vec::new()
        };
        if args.dry_run {
            return preview(&planned, &excess, files);
        }
        if !excess.is_empty() && !args.yes {
            // The board does not keep a fast line while the user thinks.
            files.repl().end_fast()?;
            match agrees(&excess)? {
                Some(true) => {}
                Some(false) => return Ok(PutEnd::Declined),
                None => return Ok(PutEnd::Interrupted),
            }
        }
        // Put the new files before removing others: after a failure in between, the board has too many files and not
        // too few.
        let done = planned.put(files, &mut Remembered::default(), &mut printer)?;
        upload::remove(files, &excess, &mut printer)?;
        Ok(PutEnd::Put(done))
    });
    let stopped = sentence!("board-cli.stopped-put");
    match ended {
        Ok(PutEnd::Put(done)) => conclude(Ok(done), start, &stopped),
        Ok(PutEnd::Declined) => {
            tracing::info!(say = "put.declined");
            Ok(Outcome::Done)
        }
        Ok(PutEnd::Previewed) => Ok(Outcome::Done),
        Ok(PutEnd::Interrupted) => {
            status::end_interrupted_line();
            tracing::info!(say = "put.declined");
            Ok(Outcome::Interrupted)
        }
        Err(error) => conclude(Err(error), start, &stopped),
    }
}

/// The problem and a hint, if `--delete` must ask but there is no terminal.
pub(in crate::cli::board) fn unasked(args: &PutArgs) -> Option<(String, String)> {
    if args.watch && args.delete && !args.yes {
        let hint = say!("put.watch-needs-yes.hint");
        return Some((say!("put.watch-needs-yes"), hint));
    }
    (args.delete && !args.yes && !args.dry_run && !prompt::can_ask())
        .then(|| (say!("put.nobody-to-ask"), say!("put.nobody-to-ask.hint")))
}

/// `--delete` removes what a folder on this PC lacks, so files alone are not enough.
pub(super) fn refuse_delete_of_files(args: &PutArgs, upload: &Upload) -> Result<(), Error> {
    if args.delete && !upload.has_folder() {
        return Err(Error::usage_hint(
            say!("put.delete-of-files"),
            say!("put.delete-of-files.hint"),
        ));
    }
    Ok(())
}

/// The patterns of the command line and of the project's file.
fn excludes(args: &PutArgs, serial: &SerialArgs) -> Result<Vec<Exclude>, Error> {
    let mut excludes = args.exclude.clone();
    if let Some(set) = serial.settings.exclude() {
        for text in &set.value {
            excludes.push(Exclude::parse(text).map_err(|error| {
                Error::usage(say!(
                    "put.bad-exclude",
                    path = PROJECT_FILE,
                    line = set.line,
                    pattern = text,
                    error = error
                ))
            })?);
        }
    }
    Ok(excludes)
}

/// Prints what would be written and removed.
fn preview(
    planned: &Planned<'_>,
    excess: &[Entry],
    files: &mut Files<'_>,
) -> Result<PutEnd, Error> {
    let preview = planned.preview(files)?;
    let mut lines: Vec<String> = Vec::new();
    for (path, len) in &preview.files {
        lines.push(say!("put.would-put", path = path, len = len));
    }
    for entry in excess {
        lines.push(say!("put.would-remove", path = shown(entry)));
    }
    lines.push(String::new());
    if let Outcome::Interrupted = output::print(lines.join("\n").as_bytes())? {
        return Ok(PutEnd::Interrupted);
    }
    let (written, unchanged) = (preview.files.len() as u64, preview.unchanged);
    if preview.left_out.is_empty() {
        tracing::info!(
            say = "put.dry-run",
            written,
            unchanged,
            removed = excess.len() as u64
        );
    } else {
        tracing::info!(
            say = "put.dry-run-left-out",
            written,
            unchanged,
            removed = excess.len() as u64,
            names = %names(&preview.left_out)
        );
    }
    Ok(PutEnd::Previewed)
}

/// Lists the entries to remove, and asks. None after Ctrl-C.
fn agrees(excess: &[Entry]) -> Result<Option<bool>, Error> {
    tracing::warn!(say = "put.not-here", count = excess.len() as u64);
    for entry in excess {
        status::print(&format!("  {}\n", shown(entry)));
    }
    let answer = prompt::line(&say!("put.question")).map_err(|source| {
        Error::File(crate::file::Error::Read {
            object: sentence!("board-cli.standard-input"),
            source,
        })
    })?;
    Ok(answer.map(|line| {
        let line = line.trim().to_lowercase();
        // The last one is full-width: a Chinese input method types it.
        matches!(line.as_str(), "y" | "yes" | "是" | "ｙ")
    }))
}

/// The path, with a slash after a folder.
fn shown(entry: &Entry) -> String {
    let slash = if entry.is_folder { "/" } else { "" };
    format!("{}{slash}", entry.path)
}

/// Takes `:REMOTE` from the end of the arguments; without it, the target is the board's working directory.
fn split(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, RemotePath), Error> {
    if let Some(bad) = paths
        .iter()
        .find_map(|path| remote::git_bash(path.as_os_str()))
    {
        return Err(bad.into());
    }
    let is_remote = |path: &&PathBuf| {
        let is_named = || {
            path.as_os_str()
                .as_encoded_bytes()
                .starts_with("：".as_bytes())
        };
        // The user means a local file of that name.
        remote::without_colon(path.as_os_str()).is_some() && !(is_named() && path.exists())
    };
    let (locals, remote) = match paths.split_last() {
        Some((last, rest)) if is_remote(&last) => (rest, last.as_os_str()),
        _ => (paths, ":".as_ref()),
    };
    if locals.is_empty() {
        return Err(Error::usage_hint(
            say!("board-cli.nothing-to-put"),
            say!("board-cli.nothing-to-put.hint"),
        ));
    }
    if let Some(path) = locals.iter().find(is_remote) {
        return Err(Error::usage_hint(
            say!("board-cli.only-last", path = path.display()),
            say!("board-cli.only-last.hint"),
        ));
    }
    Ok((locals.to_vec(), RemotePath::parse(remote)?))
}
