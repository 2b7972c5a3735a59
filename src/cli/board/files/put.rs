//! `udpcli board put`.

use std::path::PathBuf;
use std::time::Instant;

use super::{Printer, PutArgs, SerialArgs, conclude, session};
use crate::board::files::remote::{self, RemotePath};
use crate::board::files::upload::Upload;
use crate::cli::GlobalArgs;
use crate::error::{Error, Outcome};
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// Uploads everything that differs.
pub(in crate::cli::board) fn run(
    args: &PutArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let (locals, remote) = split(&args.paths)?;
    let upload = Upload::read(&locals, remote)?;
    let start = Instant::now();
    let mut printer = Printer::new(global.quiet);
    let result = session::with_files(serial, |files| Ok(upload.put(files, &mut printer)?));
    conclude(result, start, &sentence!("board-cli.stopped-put"))
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
        // A file of that name here is meant.
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
