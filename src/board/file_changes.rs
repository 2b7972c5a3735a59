//! Notices when files on this PC change: `--watch`.
//!
//! The operating system's notifications only wake udpcli (crate `notify`). To find out what changed, udpcli compares
//! lengths, times and inodes, so it does not matter how an editor saves: in place, by truncating first, or by renaming
//! a temporary file. An editor that renames replaces the file, therefore udpcli watches the folder that it is in. Once
//! a second udpcli compares without a notification, because network drives and shared folders send none.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::board::files::upload_plan::is_left_out;

/// An editor may need several operations for one save: udpcli waits for a pause of this length.
const PAUSE: Duration = Duration::from_millis(30);

/// If there is no pause, udpcli stops waiting for one after this time.
const LONGEST: Duration = Duration::from_millis(400);

/// How often udpcli looks without a notification.
const LOOK: Duration = Duration::from_secs(1);

/// Files and folders beyond this number are not looked at.
const MAX_ENTRIES: usize = 20_000;

/// How deep udpcli looks into folders, as for an upload.
const MAX_DEPTH: usize = 32;

/// What distinguishes a saved file from its previous version.
pub(crate) type FileState = BTreeMap<PathBuf, Option<(u64, Option<SystemTime>, u64)>>;

/// The first and the last notification of a save that may not be over.
#[derive(Debug, Clone, Default)]
struct Woken(Arc<Mutex<Option<(Instant, Instant)>>>);

impl Woken {
    /// Notes a notification; called on the thread of `notify`.
    fn wake(&self) {
        if let Ok(mut times) = self.0.lock() {
            let now = Instant::now();
            let first = times.map_or(now, |(first, _)| first);
            *times = Some((first, now));
        }
    }

    /// The first and the last notification since [`Self::forget`].
    fn times(&self) -> Option<(Instant, Instant)> {
        self.0.lock().ok().and_then(|times| *times)
    }

    /// The save is over, or was none.
    fn forget(&self) {
        if let Ok(mut times) = self.0.lock() {
            *times = None;
        }
    }
}

/// Watches files and folders.
#[derive(Debug)]
pub(crate) struct Changes {
    /// What the user named.
    paths: Vec<PathBuf>,
    /// Holds the system's watches as long as it lives.
    _watcher: Option<RecommendedWatcher>,
    /// When the system reported something.
    woken: Woken,
    /// When to compare without a notification.
    next_look: Instant,
    /// The files at the last [`Self::note`].
    seen: FileState,
}

impl Changes {
    /// Watches these files, and folders with everything in them.
    #[must_use]
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        let woken = Woken::default();
        let watcher = watcher(paths, woken.clone());
        if watcher.is_none() {
            tracing::debug!("the system sends no notifications: looking once a second");
        }
        Self {
            paths: paths.to_vec(),
            _watcher: watcher,
            woken,
            next_look: Instant::now() + LOOK,
            seen: state(paths),
        }
    }

    /// Whether something has changed since the last [`Self::note`], and the save is over. Never blocks for long: call it
    /// every 20 ms.
    pub(crate) fn is_there(&mut self) -> bool {
        !self.may_go_on() && self.has_begun()
    }

    /// Whether something has changed since the last [`Self::note`]. The save may go on.
    pub(crate) fn has_begun(&mut self) -> bool {
        let now = Instant::now();
        if self.woken.times().is_none() && now < self.next_look {
            return false;
        }
        self.next_look = now + LOOK;
        let has_changed = state(&self.paths) != self.seen;
        // A backup file or a changed permission woke udpcli: ignore it.
        if !has_changed && !self.may_go_on() {
            self.woken.forget();
        }
        has_changed
    }

    /// Whether the last notification is so recent that another may follow.
    #[must_use]
    pub(crate) fn may_go_on(&self) -> bool {
        let now = Instant::now();
        self.woken
            .times()
            // A program that writes a log into the folder all the time must not hold up every save.
            .is_some_and(|(first, last)| now - last < PAUSE && now - first < LONGEST)
    }

    /// Makes the current state of the files the known one. Call this before reading the files, so that a change during
    /// the reading counts as a new change.
    pub(crate) fn note(&mut self) {
        self.woken.forget();
        self.seen = state(&self.paths);
    }
}

/// Has the system send a notification for each change; none if it cannot.
fn watcher(paths: &[PathBuf], woken: Woken) -> Option<RecommendedWatcher> {
    let mut names: Vec<OsString> = Vec::new();
    let mut folders: Vec<(PathBuf, RecursiveMode)> = Vec::new();
    for path in paths {
        // A link, and the file that it leads to.
        // The system reports a change where the file really is, and a replaced link where the link is.
        for path in [Some(path.clone()), std::fs::canonicalize(path).ok()]
            .into_iter()
            .flatten()
        {
            if path.is_dir() {
                folders.push((path, RecursiveMode::Recursive));
            } else if let Some(name) = path.file_name() {
                names.push(name.to_owned());
                let parent = path.parent().filter(|parent| *parent != Path::new(""));
                // `main.py` has the parent "", which no system can watch.
                let parent = parent.unwrap_or(Path::new(".")).to_owned();
                folders.push((parent, RecursiveMode::NonRecursive));
            }
        }
    }
    let is_recursive = folders
        .iter()
        .any(|(_, mode)| *mode == RecursiveMode::Recursive);
    let wake = move |event: notify::Result<notify::Event>| {
        let is_ours = match &event {
            // Reading a file is an event too.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => false,
            Ok(event) => {
                is_recursive
                    || event.paths.iter().any(|path| {
                        path.file_name()
                            .is_some_and(|name| names.iter().any(|ours| ours == name))
                    })
            }
            // The system has lost some.
            Err(_) => true,
        };
        if is_ours {
            woken.wake();
        }
    };
    let mut watcher = notify::recommended_watcher(wake).ok()?;
    for (folder, mode) in folders {
        // Not an error: the comparison once a second still finds the save.
        if let Err(error) = watcher.watch(&folder, mode) {
            tracing::debug!("cannot watch {}: {error}", folder.display());
        }
    }
    Some(watcher)
}

/// The files as they are now.
pub(crate) fn state(paths: &[PathBuf]) -> FileState {
    let mut state = FileState::new();
    for path in paths {
        add(path, 0, &mut state);
    }
    state
}

/// Adds a file, or a folder with everything in it that an upload would take.
fn add(path: &Path, depth: usize, state: &mut FileState) {
    if state.len() >= MAX_ENTRIES || depth > MAX_DEPTH {
        return;
    }
    let Ok(metadata) = std::fs::metadata(path) else {
        // Record a missing file, too, so that its return counts as a change.
        state.insert(path.to_owned(), None);
        return;
    };
    if !metadata.is_dir() {
        let of = (metadata.len(), metadata.modified().ok(), inode(&metadata));
        state.insert(path.to_owned(), Some(of));
        return;
    }
    state.insert(path.to_owned(), Some((0, None, 0)));
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if !is_left_out(entry.file_name().as_encoded_bytes()) {
            add(&entry.path(), depth + 1, state);
        }
    }
}

/// A file that was renamed into another's place has another inode, even with the same length and time.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Windows' file index needs an open file, so compare only length and time.
#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Whether a change is seen within two seconds.
    fn is_seen(changes: &mut Changes) -> bool {
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            if changes.is_there() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    #[test]
    fn a_save_is_seen_however_an_editor_saves() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("main.py");
        fs::write(&file, "1").unwrap();
        let mut changes = Changes::of(std::slice::from_ref(&file));
        let other = folder.path().join("main.py.tmp");
        let saves: [(&str, &dyn Fn()); 4] = [
            ("in place", &|| fs::write(&file, "22").unwrap()),
            ("by a temporary file that is renamed", &|| {
                fs::write(&other, "22").unwrap();
                fs::rename(&other, &file).unwrap();
            }),
            ("by a backup that is renamed away", &|| {
                fs::rename(&file, &other).unwrap();
                fs::write(&file, "333").unwrap();
                fs::remove_file(&other).unwrap();
            }),
            ("again, with the same content", &|| {
                std::thread::sleep(Duration::from_millis(20));
                fs::write(&file, "333").unwrap();
            }),
        ];
        for (how, save) in saves {
            changes.note();
            save();
            let begun = Instant::now();
            assert!(is_seen(&mut changes), "{how}");
            assert!(begun.elapsed() < Duration::from_millis(700), "{how}");
        }
        changes.note();
        fs::write(folder.path().join(".main.py.swp"), "x").unwrap();
        let _ = fs::read(&file).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        assert!(!changes.is_there());
        fs::remove_file(&file).unwrap();
        assert!(is_seen(&mut changes));
    }

    #[test]
    fn a_folder_is_watched_with_everything_in_it_but_what_stays_here() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let mut changes = Changes::of(&[folder.path().to_owned()]);
        fs::write(deep.join("x.py"), "1").unwrap();
        assert!(is_seen(&mut changes));
        changes.note();
        fs::create_dir(folder.path().join("__pycache__")).unwrap();
        fs::write(folder.path().join("__pycache__/x.pyc"), "1").unwrap();
        fs::write(deep.join(".DS_Store"), "1").unwrap();
        std::thread::sleep(Duration::from_millis(1200));
        assert!(!changes.is_there());
        fs::create_dir(folder.path().join("new")).unwrap();
        fs::write(folder.path().join("new/y.py"), "1").unwrap();
        assert!(is_seen(&mut changes));
    }

    #[test]
    fn saves_without_a_pause_are_seen_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("main.py");
        let mut changes = Changes::of(std::slice::from_ref(&file));
        let begun = Instant::now();
        let mut seen = 0;
        // A busy machine makes some.
        let mut pauses = 0;
        for number in 0..200 {
            let saved = Instant::now();
            fs::write(&file, number.to_string()).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            if saved.elapsed() > PAUSE / 2 {
                pauses += 1;
            }
            if changes.is_there() {
                changes.note();
                seen += 1;
            }
        }
        assert!(seen >= 1, "{:?}", begun.elapsed());
        assert!(seen <= 20 + pauses, "{seen} with {pauses} pauses");
    }
}
