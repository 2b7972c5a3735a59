//! `udpcli board put`, `get`, `ls` and `rm`.

mod get;
mod plan;
mod put;
mod remote;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{SerialArgs, TextOrJson, session};
use crate::board::error::Error as BoardError;
use crate::board::files::{BoardPath, Shown, Text};
use crate::cli::output;
use crate::error::{Error, Outcome};
use crate::terminal::status;
use crate::text::seconds;
use crate::text::sentence::Sentence;
use crate::words;
use crate::words::catalogue::{say, text};
use plan::LeftOut;
use remote::RemotePath;

pub(super) use get::run as get;
pub(super) use put::run as put;

/// What `udpcli board put` takes.
#[derive(Debug, Args)]
pub(super) struct PutArgs {
    #[arg(required = true, value_name = "LOCAL|:REMOTE")]
    paths: Vec<PathBuf>,
}

/// What `udpcli board get` takes.
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    #[arg(value_name = ":REMOTE", value_parser = RemotePath::parser())]
    remote: RemotePath,
    local: Option<PathBuf>,
}

/// What `udpcli board ls` takes.
#[derive(Debug, Args)]
pub(super) struct LsArgs {
    #[arg(value_name = ":DIR", default_value = ":", value_parser = RemotePath::parser())]
    folder: RemotePath,
    #[arg(short, long)]
    recursive: bool,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// What `udpcli board rm` takes.
#[derive(Debug, Args)]
pub(super) struct RmArgs {
    #[arg(required = true, value_name = ":PATH", value_parser = RemotePath::parser())]
    paths: Vec<RemotePath>,
    #[arg(short, long)]
    recursive: bool,
}

/// What a transfer did.
#[derive(Debug, Default)]
struct Done {
    written: u64,
    unchanged: u64,
    bytes: u64,
    /// Of folders that were put.
    left_out: LeftOut,
}

impl Done {
    fn text(&self, time: Duration) -> String {
        let count = self.written + self.unchanged;
        if self.left_out.is_empty() {
            say!(
                "board-cli.transfer",
                count: count,
                written = self.written,
                unchanged = self.unchanged,
                bytes = self.bytes,
                time = seconds(time)
            )
        } else {
            say!(
                "board-cli.transfer-left-out",
                count: count,
                written = self.written,
                unchanged = self.unchanged,
                bytes = self.bytes,
                time = seconds(time),
                names = self.left_out.text()
            )
        }
    }
}

/// Says what a transfer did; `interrupted` is what Ctrl-C left.
fn conclude(
    result: Result<Done, Error>,
    start: Instant,
    interrupted: &Sentence,
) -> Result<Outcome, Error> {
    match result {
        Ok(done) => {
            tracing::info!("{}", done.text(start.elapsed()));
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
    let (folder, entries) = session::with_files(serial, |files| {
        let folder = remote::resolve(files, std::slice::from_ref(&args.folder))
            .pop()
            .unwrap_or_default();
        let entries = files.list(&folder, args.recursive)?;
        Ok((folder, entries))
    })?;
    let mut out = String::new();
    for entry in entries {
        // Writing to a String cannot fail.
        let _ = match args.format {
            TextOrJson::Json => writeln!(
                out,
                "{}",
                json!({"path": Text(entry.path.as_bytes()).to_string(), "len": entry.len, "folder": entry.is_folder})
            ),
            TextOrJson::Text => {
                let name = match entry.path.below(&folder) {
                    // A file that was named itself.
                    Some(b"") | None => Shown(entry.path.as_bytes()),
                    Some(rest) => Shown(rest),
                };
                if entry.is_folder {
                    writeln!(out, "{:>9} {name}/", "")
                } else {
                    writeln!(out, "{:>9} {name}", entry.len)
                }
            }
        };
    }
    output::print(out.as_bytes())
}

/// Removes files; what is left to do after a failure is done first.
pub(super) fn rm(args: &RmArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
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

fn root_stays() -> Error {
    Error::usage_hint(
        say!("board-cli.root-stays"),
        say!("board-cli.root-stays.hint"),
    )
}
