//! `udpcli board edit`: a file of the board in the user's editor.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

use clap::Args;

use super::files::{TransferPrinter, remote_path};
use super::{SerialArgs, session};
use crate::board::files::remote::{self, RemotePath};
use crate::board::files::transfer::{TransferEvent, TransferObserver as _};
use crate::board::files::{BoardPath, PathKind};
use crate::board::repl::ToGo;
use crate::cli::GlobalArgs;
use crate::error::{Error, Outcome, Startable};
use crate::file;
use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait};
use crate::words::catalogue::say;

/// How often to look whether the editor has ended.
const TICK: Duration = Duration::from_millis(20);

/// What `udpcli board edit` takes.
#[derive(Debug, Args)]
pub(super) struct EditArgs {
    #[arg(value_name = ":PATH", value_parser = remote_path())]
    path: RemotePath,
}

/// Gets the file, has it edited, and puts it back if it has changed. The board is at its prompt meanwhile.
pub(super) fn run(
    args: &EditArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    // Use two connections: the user may edit for an hour, and may pull the cable meanwhile.
    let to_go = ToGo::Path(args.path.as_bytes().to_vec());
    let (path, before) = session::with_files_for(serial, to_go, |files| {
        let path = remote::resolve_one(files, &args.path);
        let found = files.look(&[&path])?.pop().unwrap_or(PathKind::Nothing);
        if found == PathKind::Folder {
            // A folder has no hash: this gives the error for it.
            found.hash_at(&path)?;
        }
        // A file that does not exist yet is made, as editors do.
        let content = if found == PathKind::Nothing {
            None
        } else {
            Some(files.get(&path, &found, &mut |_| {})?)
        };
        Ok((path, content))
    })?;
    let folder = tempfile::Builder::new()
        .prefix("udpcli-")
        .tempdir()
        .map_err(|source| open_error(&std::env::temp_dir(), source))?;
    // An editor recognises the language by the name's extension.
    let file = folder.path().join(format!("file{}", extension(&path)));
    fs::write(&file, before.as_deref().unwrap_or_default())
        .map_err(|source| open_error(&file, source))?;
    let is_stopped = !edit(&file, &shutdown)?;
    let after = fs::read(&file).map_err(|source| open_error(&file, source))?;
    // Write nothing if the text is unchanged: flash wears out, and the file's date would change.
    if after == before.as_deref().unwrap_or_default() {
        tracing::info!(say = "mpremote.not-edited", path = %path);
        return Ok(if is_stopped {
            Outcome::Interrupted
        } else {
            Outcome::Done
        });
    }
    if is_stopped {
        let _ = folder.keep();
        tracing::warn!(say = "mpremote.edit-kept", path = %path, file = %file.display());
        return Ok(Outcome::Interrupted);
    }
    let mut printer = TransferPrinter::new(global.quiet);
    let to_go = ToGo::Bytes(after.len() as u64);
    let result = session::with_files_for(serial, to_go, |files| {
        let (name, len) = (path.to_string(), after.len() as u64);
        let sent = files.put(&path, &after, &mut |done| {
            let name = &name;
            printer.event(TransferEvent::Progress { name, done, len });
        });
        printer.event(TransferEvent::ProgressEnded);
        Ok(sent?)
    });
    match result {
        Ok(sent) => {
            printer.event(TransferEvent::Put {
                remote: &path,
                len: after.len(),
                sent,
            });
            Ok(Outcome::Done)
        }
        // The user's work must not be lost with the connection.
        Err(error) => {
            let _ = folder.keep();
            tracing::warn!(say = "mpremote.edit-kept", path = %path, file = %file.display());
            Err(error)
        }
    }
}

/// The error for a file on this PC.
fn open_error(path: &Path, source: io::Error) -> Error {
    Error::File(file::Error::Open {
        path: path.to_owned(),
        source,
    })
}

/// `.py` of `/lib/main.py`, if this PC can have it in a name.
fn extension(path: &BoardPath) -> String {
    let name = String::from_utf8_lossy(path.name()).into_owned();
    let extension = Path::new(&name).extension().and_then(OsStr::to_str);
    match extension {
        Some(text) if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => format!(".{text}"),
        _ => String::new(),
    }
}

/// Runs the editor. False after Ctrl-C.
fn edit(file: &Path, shutdown: &Shutdown) -> Result<bool, Error> {
    let words = editor();
    let Some((program, args)) = words.split_first() else {
        return Ok(true);
    };
    let failed = |source| Error::Start {
        what: Startable::Editor,
        source,
    };
    let mut child = Command::new(program)
        .args(args)
        .arg(file)
        .spawn()
        .map_err(failed)?;
    let is_stopped = || shutdown.is_asked();
    let mut wait = Wait::at(Site::Editor, &is_stopped);
    loop {
        match child.try_wait() {
            Ok(None) if wait.look().is_some() => {
                stop(&mut child);
                return Ok(false);
            }
            Ok(None) => std::thread::sleep(TICK),
            Ok(Some(status)) if status.success() => return Ok(true),
            Ok(Some(status)) => {
                return Err(failed(io::Error::other(say!(
                    "mpremote.editor-ended",
                    status = status
                ))));
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Ends the editor: politely, so that it restores the terminal and keeps its recovery file; by force after half a second.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_millis(500) && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(TICK);
        }
    }
    let _ = child.kill();
    let _ = child.try_wait();
}

/// The program and its arguments: from the environment, otherwise the system's usual editor.
fn editor() -> Vec<OsString> {
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| {
        let value = std::env::var_os(name)?;
        (!value.is_empty()).then_some(value)
    });
    let Some(value) = named else {
        return vec![if cfg!(windows) { "notepad" } else { "vi" }.into()];
    };
    // `code --wait` is a program with an argument; a path of Windows' with spaces is one word.
    if Path::new(&value).is_file() {
        return vec![value];
    }
    let words = value.to_str().and_then(shlex::split);
    match words {
        Some(words) if !cfg!(windows) && !words.is_empty() => {
            words.into_iter().map(OsString::from).collect()
        }
        _ => value
            .to_string_lossy()
            .split_whitespace()
            .map(OsString::from)
            .collect(),
    }
}
