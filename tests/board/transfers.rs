//! Puts and gets files without a process: a port replays a wire log from `logs/`, and the observer keeps the events.
//!
//! `UPDATE_LOGS=1 cargo test --test board transfers::` records the logs anew on virtual boards.

use std::ffi::OsStr;
use std::fs;

use tempfile::TempDir;
use udpcli::board::each_save::{CableEvent, CableObserver};
use udpcli::board::files::Files;
use udpcli::board::files::download;
use udpcli::board::files::error::{TransferError, TransferRefusal};
use udpcli::board::files::remote::RemotePath;
use udpcli::board::files::transfer::{TransferEvent, TransferObserver, Transferred};
use udpcli::board::files::upload::Upload;
use udpcli::board::repl::Repl;
use udpcli::board::reput::{self, ReputEvent, ReputObserver, ReputOptions};
use udpcli::shutdown::Shutdown;

use crate::life_cycle::with_log;

/// What happened during a transfer.
#[derive(Debug, Default)]
struct Kept(Vec<String>);

impl TransferObserver for Kept {
    fn event(&mut self, event: TransferEvent<'_>) {
        self.0.push(match event {
            TransferEvent::Progress { .. } | TransferEvent::ProgressEnded => return,
            TransferEvent::Put { remote, len, .. } => format!("put {remote} {len}"),
            TransferEvent::Got { local, len } => {
                format!("got {} {len}", local.file_name().expect("a name").display())
            }
            TransferEvent::UnchangedThere(remote) => format!("unchanged {remote}"),
            TransferEvent::UnchangedHere(_) => "unchanged here".to_owned(),
            TransferEvent::Renamed { .. } => "renamed".to_owned(),
            TransferEvent::Removed(remote) => format!("removed {remote}"),
            TransferEvent::AlsoFailed(error) => format!("also failed: {error}"),
        });
    }
}

fn remote(path: &str) -> RemotePath {
    RemotePath::parse(OsStr::new(path)).expect("a path on the board")
}

/// Does `work` on the files of the board in the log of this name.
fn with_files<T>(
    name: &str,
    work: impl Fn(&mut Files<'_>) -> Result<T, TransferError>,
) -> Result<T, TransferError> {
    with_log(name, "generic-1.26", |link| {
        let mut repl = Repl::enter(link)?;
        let result = Files::with(&mut repl, &work);
        repl.close()?;
        result
    })
}

#[test]
fn only_what_differs_is_put() {
    let folder = TempDir::new().expect("a folder");
    let lesson = folder.path().join("lesson");
    fs::create_dir(&lesson).expect("a folder in it");
    fs::write(lesson.join("a.py"), "print('a')\n").expect("a file");
    fs::write(lesson.join(".hidden"), "").expect("a file");
    let upload = Upload::read(std::slice::from_ref(&lesson), remote(":")).expect("the files");
    let (first, second) = with_files("put-twice", |files| {
        let mut put = |kept: &mut Kept| upload.put(files, kept);
        let (mut first, mut second) = (Kept::default(), Kept::default());
        let done: Transferred = put(&mut first)?;
        assert_eq!((done.written, done.unchanged, done.bytes), (1, 0, 11));
        assert_eq!(done.left_out.names(), (vec![(".hidden", 1)], 0));
        let done = put(&mut second)?;
        assert_eq!((done.written, done.unchanged), (0, 1));
        Ok((first, second))
    })
    .expect("the transfers");
    assert_eq!(first.0, ["put /lesson/a.py 11"]);
    assert_eq!(second.0, ["unchanged /lesson/a.py"]);
}

#[test]
fn what_is_wrong_on_this_side_is_told_before_the_board_is_disturbed() {
    let folder = TempDir::new().expect("a folder");
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    for sub in [&a, &b] {
        fs::create_dir(sub).expect("a folder in it");
        fs::write(sub.join("x.py"), "").expect("a file");
    }
    let read = |locals: &[std::path::PathBuf]| Upload::read(locals, remote(":")).unwrap_err();
    let error = read(&[a.join("x.py"), b.join("x.py")]);
    assert!(
        matches!(error, TransferError::Refused(TransferRefusal::Clash { .. })),
        "{error}"
    );
    let error = read(&[a.join("none.py")]);
    assert!(matches!(error, TransferError::File(_)), "{error}");
    let error = read(&[a.join("*.txt")]);
    assert!(matches!(error, TransferError::File(_)), "{error}");
}

#[test]
fn several_files_go_into_a_folder_only() {
    let folder = TempDir::new().expect("a folder");
    let locals = ["a.py", "b.py"].map(|name| folder.path().join(name));
    for local in &locals {
        fs::write(local, "").expect("a file");
    }
    let upload = Upload::read(&locals, remote(":none")).expect("the files");
    let error = with_files("put-no-folder", |files| {
        upload.put(files, &mut Kept::default())
    })
    .unwrap_err();
    let is_refused = matches!(
        &error,
        TransferError::Refused(TransferRefusal::NotAFolder { path }) if path.to_string() == "/none"
    );
    assert!(is_refused, "{error}");
}

#[test]
fn a_folder_of_the_boards_comes_over_and_one_bad_name_does_not_stop_the_others() {
    let source = TempDir::new().expect("a folder");
    for name in ["a.py", "b.py"] {
        fs::write(source.path().join(name), name).expect("a file");
    }
    let upload = Upload::read(&[source.path().join("*.py")], remote(":/")).expect("the files");
    let kept = with_files("get-folder", |files| {
        let here = TempDir::new().expect("a folder");
        let target = here.path().join("got");
        fs::create_dir_all(target.join("a.py")).expect("a folder in the way");
        upload.put(files, &mut Kept::default())?;
        let mut kept = Kept::default();
        let error = download::get(files, &remote(":/"), Some(&target), &mut kept).unwrap_err();
        assert!(matches!(error, TransferError::File(_)), "{error}");
        Ok(kept)
    })
    .expect("the transfers");
    assert!(kept.0.contains(&"got b.py 4".to_owned()), "{kept:?}");
}

/// Saves the file again after its first upload, and ends the watch after the second one.
struct Saving<'a> {
    kept: Kept,
    local: &'a std::path::Path,
    shutdown: Shutdown,
    rounds: usize,
}

impl TransferObserver for Saving<'_> {
    fn event(&mut self, event: TransferEvent<'_>) {
        self.kept.event(event);
    }
}

impl CableObserver for Saving<'_> {
    fn cable(&mut self, event: CableEvent<'_>) {
        panic!("{event:?}");
    }
}

impl ReputObserver for Saving<'_> {
    fn between(&mut self, event: ReputEvent<'_>) {
        assert!(matches!(event, ReputEvent::Done(..)), "{event:?}");
        self.rounds += 1;
        match self.rounds {
            1 => fs::write(self.local, "print('second')\n").expect("a save"),
            _ => self.shutdown.asker().ask(),
        }
    }
}

#[test]
fn a_saved_file_is_put_again() {
    let folder = TempDir::new().expect("a folder");
    let local = folder.path().join("a.py");
    let kept = with_log("put-at-each-save", "generic-1.26", |link| {
        fs::write(&local, "print('first')\n").expect("a file");
        let mut repl = Repl::enter(link)?;
        let mut saving = Saving {
            kept: Kept::default(),
            local: &local,
            shutdown: repl.link().shutdown(),
            rounds: 0,
        };
        let shutdown = saving.shutdown.clone();
        let options = ReputOptions {
            locals: std::slice::from_ref(&local),
            remote: &remote(":"),
            excludes: &[],
            delete: false,
        };
        reput::run(repl, false, &options, &shutdown, &mut saving)?;
        Ok::<_, TransferError>(saving.kept)
    })
    .expect("the transfers");
    assert_eq!(kept.0, ["put /a.py 15", "put /a.py 16"]);
}
