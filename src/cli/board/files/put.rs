//! Files onto the board.

use std::path::PathBuf;
use std::time::Instant;

use super::plan::{PutPlan, RemotePath, name_of};
use super::progress::Progress;
use super::{Done, PutArgs, SerialArgs, conclude, session};
use crate::board::error::Error as BoardError;
use crate::board::files::{self, Files, Found};
use crate::cli::GlobalArgs;
use crate::error::{Error, Outcome};
use crate::stats::counted;

/// Puts everything that differs.
pub(in crate::cli::board) fn run(
    args: &PutArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let (locals, remote) = split(&args.paths)?;
    // Whatever is wrong on this side is said before the board is disturbed.
    let mut trial = PutPlan::default();
    for local in &locals {
        trial.add(local, &format!("/{}", name_of(local)?))?;
    }
    trial.refuse_clashes()?;
    let start = Instant::now();
    let result = session::with_files(serial, |files| {
        let plan = plan(files, &locals, &remote)?;
        transfer(files, &plan, global.quiet)
    });
    conclude(
        result,
        start,
        "files that were begun are as they were before",
    )
}

/// Takes `:REMOTE` off the end; the root where there is none.
fn split(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, RemotePath), Error> {
    let as_remote = |path: &PathBuf| {
        path.to_str()
            .filter(|text| text.starts_with(':'))
            .map(str::to_owned)
    };
    let (locals, remote) = match paths.split_last() {
        Some((last, rest)) => match as_remote(last) {
            Some(remote) => (rest, remote),
            None => (paths, ":".to_owned()),
        },
        None => (paths, ":".to_owned()),
    };
    if locals.is_empty() {
        return Err(Error::usage_hint(
            "nothing to put",
            "udpcli board put main.py; a file whose name begins with a colon is ./:name",
        ));
    }
    if let Some(path) = locals.iter().find_map(as_remote) {
        return Err(Error::usage_hint(
            format!("{path} is a path on the board, and only the last argument can be one"),
            "a file of this PC whose name begins with a colon is ./:name",
        ));
    }
    let remote = RemotePath::parse(&remote).map_err(Error::usage)?;
    Ok((locals.to_vec(), remote))
}

/// Decides what goes where, which depends on what is there.
fn plan(files: &mut Files<'_>, locals: &[PathBuf], remote: &RemotePath) -> Result<PutPlan, Error> {
    let found = files.look(&[remote.as_str().to_owned()])?;
    let is_folder = remote.is_root() || matches!(found.first(), Some(Found::Folder));
    if remote.is_folder() && matches!(found.first(), Some(Found::File { .. })) {
        return Err(BoardError::WriteFile {
            path: format!("{}/", remote.as_str()),
            reason: "there is a file of that name".to_owned(),
        }
        .into());
    }
    if remote.is_folder() && !is_folder {
        return Err(BoardError::NoSuchFile {
            path: remote.as_str().to_owned(),
        }
        .into());
    }
    if locals.len() > 1 && !is_folder {
        return Err(Error::usage_hint(
            format!("{} is no folder on the board", remote.as_str()),
            "several files go into a folder that is there; a folder of this PC is made there with its content",
        ));
    }
    let mut plan = PutPlan::default();
    for local in locals {
        let target = if is_folder {
            remote.join(&name_of(local)?)
        } else {
            remote.as_str().to_owned()
        };
        plan.add(local, &target)?;
    }
    Ok(plan)
}

fn transfer(files: &mut Files<'_>, plan: &PutPlan, quiet: bool) -> Result<Done, Error> {
    let mut done = Done::default();
    let remotes: Vec<String> = plan
        .folders
        .iter()
        .cloned()
        .chain(plan.files.iter().map(|file| file.remote.clone()))
        .collect();
    let mut found = files.look(&remotes)?;
    let found_files = found.split_off(plan.folders.len());
    for (folder, found) in plan.folders.iter().zip(found) {
        if found == Found::Nothing {
            files.make_folder(folder)?;
        } else if found != Found::Folder {
            return Err(BoardError::WriteFile {
                path: folder.clone(),
                reason: "there is a file of that name".to_owned(),
            }
            .into());
        }
    }
    let mut progress = Progress::new(quiet);
    for (file, found) in plan.files.iter().zip(found_files) {
        let content = std::fs::read(&file.local).map_err(|source| Error::Open {
            path: file.local.clone(),
            source,
        })?;
        match found {
            Found::Folder => {
                return Err(BoardError::IsFolder {
                    path: file.remote.clone(),
                }
                .into());
            }
            Found::File { hash, .. } if hash == files::hash(&content) => {
                done.unchanged += 1;
                tracing::debug!("{} is unchanged", file.remote);
                continue;
            }
            _ => {}
        }
        progress.begin(&file.remote, content.len() as u64);
        let result = files.put(&file.remote, &content, &mut |at| progress.at(at));
        progress.end();
        let sent = result?;
        done.written += 1;
        done.bytes += content.len() as u64;
        tracing::info!(
            "{}: {} bytes, {} on the line{}",
            file.remote,
            content.len(),
            sent.on_the_line,
            if sent.again > 0 {
                format!(
                    ", {} sent again",
                    counted(u64::from(sent.again), "piece", "pieces")
                )
            } else {
                String::new()
            }
        );
    }
    Ok(done)
}
