//! Files onto the board.

use std::path::PathBuf;
use std::time::Instant;

use super::super::bar;
use super::plan::{self, LeftOut, PutPlan, Tree};
use super::remote::{self, RemotePath};
use super::{Done, PutArgs, SerialArgs, conclude, session};
use crate::board::doing::Reason;
use crate::board::error::Error as BoardError;
use crate::board::files::{self, BoardPath, Files, Found};
use crate::cli::GlobalArgs;
use crate::error::{Error, Outcome};
use crate::file;
use crate::terminal::progress::Progress;
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// Puts everything that differs.
pub(in crate::cli::board) fn run(
    args: &PutArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let (locals, remote) = split(&args.paths)?;
    // Whatever is wrong on this side is said before the board is disturbed.
    let mut trees = Vec::new();
    for local in &locals {
        for local in plan::expand(local)? {
            trees.push(Tree::read(&local)?);
        }
    }
    let mut trial = PutPlan::default();
    for tree in &trees {
        trial.add(tree, &BoardPath::root().join(tree.name()))?;
    }
    trial.refuse_clashes()?;
    let start = Instant::now();
    let result = session::with_files(serial, |files| {
        let plan = plan(files, &trees, &remote)?;
        transfer(files, &plan, plan::left_out(&trees), global.quiet)
    });
    conclude(result, start, &sentence!("board-cli.stopped-put"))
}

/// Takes `:REMOTE` off the end; the board's working directory where there is none.
fn split(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, RemotePath), Error> {
    if let Some(bad) = paths
        .iter()
        .find_map(|path| remote::git_bash(path.as_os_str()))
    {
        return Err(bad.into());
    }
    let is_remote = |path: &&PathBuf| path.as_os_str().as_encoded_bytes().starts_with(b":");
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

/// Decides what goes where, which depends on what is there.
fn plan(files: &mut Files<'_>, trees: &[Tree], remote: &RemotePath) -> Result<PutPlan, Error> {
    let place = remote::resolve(files, std::slice::from_ref(remote))
        .pop()
        .unwrap_or_default();
    let found = files.look(&[&place])?.pop();
    // The root folder is none to the board where only other folders are mounted in it.
    let is_folder = place.is_root() || found == Some(Found::Folder);
    let is_file = matches!(found, Some(Found::File { .. } | Found::Unreadable(_)));
    if remote.is_folder() && is_file {
        return Err(BoardError::WriteFile {
            path: format!("{place}/"),
            reason: Reason::FileOfThatName,
            keeps_old: true,
        }
        .into());
    }
    if remote.is_folder() && !is_folder {
        return Err(BoardError::NoSuchFile {
            path: place.to_string(),
        }
        .into());
    }
    if let Some(slashed) = remote.slashed()
        && !is_folder
        && !is_file
    {
        return Err(Error::usage_hint(
            say!("board-cli.backslash", path = place),
            say!("board-cli.backslash.hint", slashed = slashed),
        ));
    }
    if trees.len() > 1 && !is_folder {
        return Err(Error::usage_hint(
            say!("board-cli.no-folder", path = place),
            say!("board-cli.no-folder.hint"),
        ));
    }
    let mut plan = PutPlan::default();
    for tree in trees {
        let target = if is_folder {
            place.join(tree.name())
        } else {
            place.clone()
        };
        plan.add(tree, &target)?;
    }
    Ok(plan)
}

fn transfer(
    files: &mut Files<'_>,
    plan: &PutPlan,
    left_out: LeftOut,
    quiet: bool,
) -> Result<Done, Error> {
    let mut done = Done {
        left_out,
        ..Done::default()
    };
    let remotes: Vec<&BoardPath> = plan
        .folders
        .iter()
        .chain(plan.files.iter().map(|file| &file.remote))
        .collect();
    let mut found = files.look(&remotes)?;
    let found_files = found.split_off(plan.folders.len());
    for (folder, found) in plan.folders.iter().zip(found) {
        if found == Found::Nothing {
            files.make_folder(folder)?;
        } else if found != Found::Folder {
            return Err(BoardError::WriteFile {
                path: folder.to_string(),
                reason: Reason::FileOfThatName,
                keeps_old: true,
            }
            .into());
        }
    }
    let mut progress = Progress::new(quiet, bar::words());
    for (file, found) in plan.files.iter().zip(found_files) {
        let content = std::fs::read(&file.local).map_err(|source| {
            Error::File(file::Error::Open {
                path: file.local.clone(),
                source,
            })
        })?;
        match found {
            Found::Folder => {
                return Err(BoardError::IsFolder {
                    path: file.remote.to_string(),
                }
                .into());
            }
            Found::File { hash, .. } if hash == files::hash(&content) => {
                done.unchanged += 1;
                tracing::debug!("{}", say!("board-cli.unchanged", path = &file.remote));
                continue;
            }
            _ => {}
        }
        let (name, len) = (file.remote.to_string(), content.len() as u64);
        let result = files.put(&file.remote, &content, &mut |at| {
            progress.at(&name, at, len);
        });
        progress.end();
        let sent = result?;
        done.written += 1;
        done.bytes += content.len() as u64;
        if sent.again > 0 {
            tracing::info!(
                say = "board-cli.put-again",
                path = %file.remote,
                len = %content.len(),
                sent = %sent.on_the_line,
                again = u64::from(sent.again)
            );
        } else {
            tracing::info!(
                say = "board-cli.put",
                path = %file.remote,
                len = %content.len(),
                sent = %sent.on_the_line
            );
        }
    }
    Ok(done)
}
