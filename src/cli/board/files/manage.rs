//! `udpcli board mkdir`, `rmdir`, `touch`, `cp`, `mv`, `cat`, `sha256sum` and `df`.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::{GetArgs, PutArgs, SerialArgs, TextOrJson, conclude, remote_path, session};
use crate::board::files::remote::{self, RemotePath};
use crate::board::files::transfer::Transferred;
use crate::board::files::{BoardPath, Files, MachineText, Shown};
use crate::board::repl::ToGo;
use crate::cli::output;
use crate::cli::{GlobalArgs, board};
use crate::error::{Error, Outcome};
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// What `udpcli board mkdir` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct MkdirArgs {
    #[arg(required = true, value_name = ":DIR", value_parser = remote_path())]
    folders: Vec<RemotePath>,
    #[arg(short, long)]
    parents: bool,
}

/// What `udpcli board rmdir` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct RmdirArgs {
    #[arg(required = true, value_name = ":DIR", value_parser = remote_path())]
    folders: Vec<RemotePath>,
}

/// What `udpcli board touch` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct TouchArgs {
    #[arg(required = true, value_name = ":PATH", value_parser = remote_path())]
    paths: Vec<RemotePath>,
}

/// What `udpcli board sha256sum` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct Sha256sumArgs {
    #[arg(required = true, value_name = ":PATH", value_parser = remote_path())]
    paths: Vec<RemotePath>,
}

/// What `udpcli board cp` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct CpArgs {
    #[arg(required = true, num_args = 2.., value_name = "PATH|:PATH")]
    paths: Vec<OsString>,
    // For mpremote's users: udpcli copies folders with their content anyway.
    #[arg(short, long)]
    recursive: bool,
    // For mpremote's users: udpcli compares the SHA-256 anyway.
    #[arg(short, long, hide = true)]
    force: bool,
}

/// What `udpcli board mv` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct MvArgs {
    #[arg(required = true, num_args = 2.., value_name = ":PATH", value_parser = remote_path())]
    paths: Vec<RemotePath>,
    #[arg(short, long)]
    force: bool,
}

/// What `udpcli board cat` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct CatArgs {
    #[arg(required = true, value_name = ":PATH", value_parser = remote_path())]
    paths: Vec<RemotePath>,
}

/// What `udpcli board df` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct DfArgs {
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Makes folders.
pub(in crate::cli::board) fn mkdir(
    args: &MkdirArgs,
    serial: &SerialArgs,
) -> Result<Outcome, Error> {
    session::with_files(serial, |files| {
        for path in remote::resolve(files, &args.folders) {
            files.make_new_folder(&path, args.parents)?;
            tracing::info!(say = "bench.made", path = %path);
        }
        Ok(Outcome::Done)
    })
}

/// Removes empty folders.
pub(in crate::cli::board) fn rmdir(
    args: &RmdirArgs,
    serial: &SerialArgs,
) -> Result<Outcome, Error> {
    session::with_files(serial, |files| {
        for path in remote::resolve(files, &args.folders) {
            files.remove_folder(&path)?;
            tracing::info!(say = "board-cli.removed", path = %path);
        }
        Ok(Outcome::Done)
    })
}

/// Makes empty files, or sets their dates to now.
pub(in crate::cli::board) fn touch(
    args: &TouchArgs,
    serial: &SerialArgs,
) -> Result<Outcome, Error> {
    session::with_files(serial, |files| {
        for path in remote::resolve(files, &args.paths) {
            files.touch(&path)?;
            tracing::info!(say = "mpremote.touched", path = %path);
        }
        Ok(Outcome::Done)
    })
}

/// Prints hashes as the system's own `sha256sum` does.
pub(in crate::cli::board) fn sha256sum(
    args: &Sha256sumArgs,
    serial: &SerialArgs,
) -> Result<Outcome, Error> {
    let mut out = String::new();
    let result = session::with_files(serial, |files| {
        let paths = remote::resolve(files, &args.paths);
        for (path, found) in paths.iter().zip(files.look(&paths)?) {
            let hash = found.hash_at(path)?;
            for byte in hash {
                // Writing to a String cannot fail.
                let _ = write!(out, "{byte:02x}");
            }
            let _ = writeln!(out, "  {}", Shown(path.as_bytes()));
        }
        Ok(())
    });
    // Print the hashes before a failure, too.
    let printed = output::print(out.as_bytes())?;
    result.map(|()| printed)
}

/// Copies on the board, or as put and get do.
pub(in crate::cli::board) fn cp(
    args: &CpArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let Some((to, from)) = args.paths.split_last() else {
        return Ok(Outcome::Done);
    };
    // Git Bash turns `:/lib` into a path of Windows before udpcli sees it.
    if let Some(bad) = args.paths.iter().find_map(|path| remote::git_bash(path)) {
        return Err(bad.into());
    }
    let remotes = from.iter().filter(|path| is_remote(path)).count();
    match (remotes, is_remote(to)) {
        (0, true) => {
            let paths = args.paths.iter().map(PathBuf::from).collect();
            let put = PutArgs {
                paths,
                ..PutArgs::default()
            };
            super::put::run(&put, serial, global)
        }
        (0, false) => Err(Error::usage_hint(
            say!("bench.both-here"),
            say!("bench.both-here.hint"),
        )),
        (count, _) if count < from.len() => Err(Error::usage(say!("bench.both-kinds"))),
        (_, false) => get_all(from, to, serial, global),
        (_, true) => {
            let from = parse_all(from)?;
            copy_there(&from, &RemotePath::parse(to)?, serial)
        }
    }
}

/// Whether a path is one on the board.
fn is_remote(path: &OsStr) -> bool {
    remote::without_colon(path).is_some()
}

/// The paths on the board; an error for the first argument that is not one.
fn parse_all(paths: &[OsString]) -> Result<Vec<RemotePath>, Error> {
    let paths: Result<_, _> = paths.iter().map(|path| RemotePath::parse(path)).collect();
    Ok(paths?)
}

/// Gets one after the other, over one connection.
fn get_all(
    from: &[OsString],
    to: &OsStr,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let from = parse_all(from)?;
    let to = PathBuf::from(to);
    // As `cp` does it: several sources would overwrite one file.
    if from.len() > 1 && !to.is_dir() {
        return Err(Error::usage(say!(
            "bench.no-folder-here",
            path = to.display()
        )));
    }
    board::with_held(serial, |serial| {
        for remote in from {
            let local = Some(to.clone());
            let outcome = super::get::run(&GetArgs { remote, local }, serial, global)?;
            if outcome != Outcome::Done {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Done)
    })
}

/// Copies from one place on the board to another.
fn copy_there(from: &[RemotePath], to: &RemotePath, serial: &SerialArgs) -> Result<Outcome, Error> {
    let start = Instant::now();
    let result = session::with_manage(serial, |files| {
        let mut done = Transferred::default();
        for (from, to) in pairs(files, from, to)? {
            files.copy(&from, &to, &mut |copied| {
                if copied.is_unchanged {
                    done.unchanged += 1;
                    tracing::debug!("{}", say!("board-cli.unchanged", path = &copied.to));
                    return;
                }
                done.written += 1;
                done.bytes += copied.len;
                tracing::info!(
                    say = "bench.copied",
                    from = %copied.from,
                    to = %copied.to,
                    len = %copied.len
                );
            })?;
        }
        Ok(done)
    });
    conclude(result, start, &sentence!("board-cli.stopped-put"))
}

/// Each source with its destination.
fn pairs(
    files: &mut Files<'_>,
    from: &[RemotePath],
    to: &RemotePath,
) -> Result<Vec<(BoardPath, BoardPath)>, Error> {
    let target = remote::resolve_one(files, to);
    let from = remote::resolve(files, from);
    let is_folder = to.is_folder() || from.len() > 1;
    let mut pairs = Vec::new();
    for from in from {
        let to = files.destination(&from, &target, is_folder)?;
        pairs.push((from, to));
    }
    Ok(pairs)
}

/// Moves files and folders.
pub(in crate::cli::board) fn mv(args: &MvArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let Some((to, from)) = args.paths.split_last() else {
        return Ok(Outcome::Done);
    };
    session::with_manage(serial, |files| {
        for (from, to) in pairs(files, from, to)? {
            files.move_to(&from, &to, args.force)?;
            tracing::info!(say = "bench.moved", from = %from, to = %to);
        }
        Ok(Outcome::Done)
    })
}

/// Prints files.
pub(in crate::cli::board) fn cat(args: &CatArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let to_go = match args.paths.as_slice() {
        [path] => ToGo::Path(path.as_bytes().to_vec()),
        // Printing in between may take any time.
        _ => ToGo::Nothing,
    };
    session::with_files_for(serial, to_go, |files| {
        let paths = remote::resolve(files, &args.paths);
        let found = files.look(&paths)?;
        for (path, found) in paths.iter().zip(&found) {
            let content = files.get(path, found, &mut |_| {})?;
            let outcome = output::print(&content)?;
            if outcome != Outcome::Done {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Done)
    })
}

/// Prints the space in each file system.
pub(in crate::cli::board) fn df(args: &DfArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let rooms = session::with_files(serial, |files| Ok(files.all_rooms()?))?;
    if rooms.is_empty() {
        tracing::warn!(say = "bench.no-file-system");
    }
    let mut out = String::new();
    if args.format == TextOrJson::Text {
        let _ = writeln!(
            out,
            "{:>10} {:>10} {:>10}  {}",
            say!("bench.total"),
            say!("bench.used"),
            say!("bench.free"),
            say!("bench.mounted-at")
        );
    }
    for (mount, room) in rooms {
        let used = room.total.saturating_sub(room.free);
        let _ = match args.format {
            TextOrJson::Json => {
                let path = MachineText(mount.as_bytes()).to_string();
                let object =
                    json!({"path": path, "total": room.total, "used": used, "free": room.free});
                writeln!(out, "{object}")
            }
            TextOrJson::Text => writeln!(
                out,
                "{:>10} {used:>10} {:>10}  {}",
                room.total,
                room.free,
                Shown(mount.as_bytes())
            ),
        };
    }
    output::print(out.as_bytes())
}
