//! `udpcli board put`, `get`, `ls` and `rm`, and the commands that manage files on the board.

mod get;
mod manage;
mod put;
mod put_watch;
mod tree;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use serde_json::json;

use super::fleet::Job;
use super::{SerialArgs, TextOrJson, bar, session};
use crate::board::error::Error as BoardError;
use crate::board::files::exclude::Exclude;
use crate::board::files::remote::{self, RemotePath};
use crate::board::files::transfer::{TransferEvent, TransferObserver, Transferred};
use crate::board::files::upload_plan::ExcludedEntries;
use crate::board::files::{BoardPath, Files, MachineText, Shown};
use crate::cli::output;
use crate::error::{Error, Outcome};
use crate::terminal::progress::Progress;
use crate::terminal::status;
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::words;
use crate::words::catalogue::{say, text};

pub(super) use get::run as get;
pub(super) use manage::{CatArgs, CpArgs, DfArgs, MkdirArgs, MvArgs};
pub(super) use manage::{RmdirArgs, Sha256sumArgs, TouchArgs};
pub(super) use manage::{cat, cp, df, mkdir, mv, rmdir, sha256sum, touch};
pub(super) use put::{for_many as put_for_many, run as put, unasked};
pub(super) use tree::{TreeArgs, run as tree};

/// The arguments of `udpcli board put`.
#[derive(Debug, Default, Args)]
pub(super) struct PutArgs {
    #[arg(required = true, value_name = "LOCAL|:REMOTE")]
    paths: Vec<PathBuf>,
    #[arg(long, value_name = "GLOB", value_parser = exclude)]
    exclude: Vec<Exclude>,
    #[arg(long)]
    delete: bool,
    #[arg(short, long, requires = "delete")]
    yes: bool,
    #[arg(long)]
    dry_run: bool,
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
}

impl PutArgs {
    /// Whether it puts again at each save, until Ctrl-C.
    pub(super) fn watches(&self) -> bool {
        self.watch
    }
}

/// The clap parser for a pattern.
fn exclude(text: &str) -> Result<Exclude, Sentence> {
    Exclude::parse(text)
}

/// The arguments of `udpcli board get`.
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    #[arg(value_name = ":REMOTE", value_parser = remote_path())]
    remote: RemotePath,
    local: Option<PathBuf>,
}

/// The arguments of `udpcli board ls`.
#[derive(Debug, Args)]
pub(super) struct LsArgs {
    #[arg(value_name = ":DIR", default_value = ":", value_parser = remote_path())]
    folder: RemotePath,
    #[arg(short, long)]
    recursive: bool,
    #[arg(short, long)]
    long: bool,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// The arguments of `udpcli board rm`.
#[derive(Debug, Args)]
pub(super) struct RmArgs {
    #[arg(required = true, value_name = ":PATH", value_parser = remote_path())]
    paths: Vec<RemotePath>,
    #[arg(short, long)]
    recursive: bool,
}

/// The clap parser for a path on the board.
pub(super) fn remote_path() -> impl TypedValueParser<Value = RemotePath> {
    OsStringValueParser::new().try_map(|text| {
        RemotePath::parse(&text).map_err(|refusal| {
            let error = Error::from(refusal);
            match words::hint(&error) {
                // clap accepts one text for an error, so the text must include the hint.
                Some(hint) => say!("value.and", problem = words::message(&error), hint = hint),
                None => words::message(&error),
            }
        })
    })
}

/// Prints the events of a transfer.
pub(super) struct TransferPrinter(Progress);

impl TransferPrinter {
    /// `quiet` leaves out the bar, and nothing else.
    pub(super) fn new(quiet: bool) -> Self {
        Self(Progress::new(quiet, bar::words()))
    }
}

impl TransferObserver for TransferPrinter {
    fn event(&mut self, event: TransferEvent<'_>) {
        match event {
            TransferEvent::Progress { name, done, len } => self.0.at(name, done, len),
            TransferEvent::ProgressEnded => self.0.end(),
            TransferEvent::Put { remote, len, sent } if sent.again > 0 => tracing::info!(
                say = "board-cli.put-again",
                path = %remote,
                len = %len,
                sent = %sent.on_the_line,
                again = u64::from(sent.again)
            ),
            TransferEvent::Put { remote, len, sent } => tracing::info!(
                say = "board-cli.put",
                path = %remote,
                len = %len,
                sent = %sent.on_the_line
            ),
            TransferEvent::Got { local, len } => {
                tracing::info!(say = "board-cli.got", path = %local.display(), len = %len);
            }
            TransferEvent::Removed(remote) => {
                tracing::info!(say = "board-cli.removed", path = %remote);
            }
            TransferEvent::UnchangedThere(remote) => {
                tracing::debug!(say = "board-cli.unchanged", path = %remote);
            }
            TransferEvent::UnchangedHere(local) => {
                tracing::debug!(say = "board-cli.unchanged", path = %local.display());
            }
            TransferEvent::Renamed { name, local } => {
                tracing::info!(say = "board-cli.becomes", name = %Shown(name), path = %local.display());
            }
            TransferEvent::AlsoFailed(error) => tell_also_failed(&error.into()),
        }
    }
}

/// Prints the error of one more file.
pub(super) fn tell_also_failed(error: &Error) {
    match std::error::Error::source(error) {
        Some(source) => tracing::warn!(
            "{}",
            say!(
                "board-cli.with-cause",
                error = words::message(error),
                cause = words::cause(source)
            )
        ),
        None => tracing::warn!("{}", words::message(error)),
    }
}

/// The summary of a transfer.
fn summary(done: &Transferred, time: Duration) -> String {
    let count = done.written + done.unchanged;
    if done.left_out.is_empty() {
        return say!(
            "board-cli.transfer",
            count: count,
            written = done.written,
            unchanged = done.unchanged,
            bytes = done.bytes,
            time = seconds(time)
        );
    }
    say!(
        "board-cli.transfer-left-out",
        count: count,
        written = done.written,
        unchanged = done.unchanged,
        bytes = done.bytes,
        time = seconds(time),
        names = names(&done.left_out)
    )
}

/// The names of what was left out.
fn names(left_out: &ExcludedEntries) -> String {
    let (names, more) = left_out.names();
    let names = names
        .into_iter()
        .map(|(name, count)| match count {
            1 => Sentence::verbatim(name),
            count => sentence!("board-cli.left-out-times", name = name, count: count),
        })
        .collect();
    match more {
        0 => say!("udp.these", items <- names),
        more => say!("board-cli.left-out-more", names <- names, more = more),
    }
}

/// Prints the summary of a transfer; `interrupted` describes the state after Ctrl-C.
fn conclude(
    result: Result<Transferred, Error>,
    start: Instant,
    interrupted: &Sentence,
) -> Result<Outcome, Error> {
    match result {
        Ok(done) => {
            tracing::info!("{}", summary(&done, start.elapsed()));
            Ok(Outcome::Done)
        }
        Err(Error::Board(BoardError::Interrupted)) => {
            status::end_interrupted_line();
            tracing::info!("{}", text(interrupted));
            Ok(Outcome::Interrupted)
        }
        Err(error) => Err(error),
    }
}

/// Prints a folder's entries.
pub(super) fn ls(args: &LsArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let list = |files: &mut Files<'_>| {
        let folder = remote::resolve_one(files, &args.folder);
        let entries = files.list(&folder, args.recursive)?;
        let dates = if args.long {
            let paths: Vec<&BoardPath> = entries.iter().map(|entry| &entry.path).collect();
            files.dates(&paths)?
        } else {
            vec![None; entries.len()]
        };
        Ok((folder, entries, dates))
    };
    // Dates need the larger helper, which takes longer to send: only if they are asked for.
    let (folder, entries, dates) = if args.long {
        session::with_manage(serial, list)?
    } else {
        session::with_files(serial, list)?
    };
    let mut out = String::new();
    for (entry, date) in entries.iter().zip(dates) {
        // Writing to a String cannot fail.
        let _ = match args.format {
            TextOrJson::Json => {
                let path = MachineText(entry.path.as_bytes()).to_string();
                let object = if args.long {
                    json!({"path": path, "len": entry.len, "folder": entry.is_folder, "modified": date})
                } else {
                    json!({"path": path, "len": entry.len, "folder": entry.is_folder})
                };
                writeln!(out, "{object}")
            }
            TextOrJson::Text => {
                let name = match entry.path.below(&folder) {
                    // A file that the user named directly.
                    Some(b"") | None => Shown(entry.path.as_bytes()),
                    Some(rest) => Shown(rest),
                };
                let date = match (args.long, date) {
                    (false, _) => String::new(),
                    (true, Some(date)) => format!("{} ", date.replace('T', " ")),
                    (true, None) => format!("{:19} ", "-"),
                };
                if entry.is_folder {
                    writeln!(out, "{:>9} {date}{name}/", "")
                } else {
                    writeln!(out, "{:>9} {date}{name}", entry.len)
                }
            }
        };
    }
    output::print(out.as_bytes())
}

/// Removes files; continues with the others after a failure.
pub(super) fn rm(args: &RmArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    // Refuse this before the board is disturbed, and again below once `.` is resolved.
    if args.paths.iter().any(RemotePath::is_root) {
        return Err(root_stays());
    }
    session::with_files(serial, |files| {
        let paths = remote::resolve(files, &args.paths);
        if paths.iter().any(BoardPath::is_root) {
            return Err(root_stays());
        }
        let mut first: Option<BoardError> = None;
        for path in &paths {
            match files.remove(path, args.recursive) {
                Ok(()) => tracing::info!(say = "board-cli.removed", path = %path),
                Err(error @ (BoardError::NoSuchFile { .. } | BoardError::Remove { .. })) => {
                    match &first {
                        None => first = Some(error),
                        // One error ends the command and sets the exit code; the others are reported as they occur.
                        Some(_) => tracing::warn!("{}", words::cause(&error)),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        match first {
            Some(error) => Err(error.into()),
            None => Ok(Outcome::Done),
        }
    })
}

/// The same for several boards.
pub(super) fn rm_for_many(args: &RmArgs) -> Result<Job<'_>, Error> {
    if args.paths.iter().any(RemotePath::is_root) {
        return Err(root_stays());
    }
    Ok(Job::new(|serial| rm(args, serial)))
}

/// The refusal to remove everything.
fn root_stays() -> Error {
    Error::usage_hint(
        say!("board-cli.root-stays"),
        say!("board-cli.root-stays.hint"),
    )
}
