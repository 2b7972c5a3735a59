//! Tests of files that are replaced atomically.

use super::*;

/// The names in `folder`, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_old_file_is_there_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    // Names that other programs, and older versions of udpcli, have used for temporary files.
    for taken in ["a", "a.part", "a.udpcli-part", "a.tmp", ".a.tmp"] {
        fs::write(folder.path().join(taken), taken).unwrap();
    }
    let before = names(folder.path());
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"a");
    drop(file);
    assert_eq!(names(folder.path()), before);
    assert_eq!(fs::read(&path).unwrap(), b"a");

    write(&path, b"new").unwrap();
    assert_eq!(names(folder.path()), before);
    for name in before {
        let expected = if name == "a" { "new" } else { &name };
        assert_eq!(
            fs::read_to_string(folder.path().join(&name)).unwrap(),
            expected
        );
    }
}

#[test]
fn temporary_names_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let files: Vec<_> = (0..20)
        .map(|_| AtomicFile::create(&path).unwrap())
        .collect();
    let names = names(folder.path());
    assert_eq!(names.len(), files.len());
    assert!(names.iter().all(|name| name.len() > 12), "{names:?}");
}

#[test]
fn a_new_file_never_replaces_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut file = AtomicFile::create_new(&path).unwrap();
    file.write_all(b"ours").unwrap();
    // The second file appears while the first is being written.
    fs::write(&path, "theirs").unwrap();
    let error = file.commit().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    let error = AtomicFile::create_new(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    assert_eq!(names(folder.path()), ["a"]);

    fs::remove_file(&path).unwrap();
    let mut file = AtomicFile::create_new(&path).unwrap();
    file.write_all(b"ours").unwrap();
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"ours");
}

#[test]
fn folders_and_missing_folders_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    assert!(AtomicFile::create(&inner).is_err());
    assert!(AtomicFile::create_new(&inner).is_err());
    assert!(AtomicFile::create(&folder.path().join("none/a")).is_err());
    assert!(AtomicFile::create(Path::new("")).is_err());
    assert!(AtomicFile::create(Path::new("/")).is_err());
    assert_eq!(names(folder.path()), ["inner"]);
}

#[test]
fn seeking_writes_over_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_all(&[0; 10]).unwrap();
    file.rewind().unwrap();
    file.write_all(b"abc").unwrap();
    file.set_len(3).unwrap();
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"abc");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn permissions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for kept in [0o600, 0o640, 0o666, 0o444, 0o755] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
            let mut file = AtomicFile::create(&path).unwrap();
            // The permissions are set before the first byte is written, so that nobody else can read it.
            let temporary = names(folder.path()).remove(0);
            assert_eq!(mode(&folder.path().join(temporary)), kept);
            file.write_all(b"new").unwrap();
            file.commit().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(mode(&path), kept);
            fs::remove_file(&path).unwrap();
        }
        // A new file gets the permissions that the umask allows.
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        write(&ours, b"").unwrap();
        fs::write(&theirs, "").unwrap();
        assert_eq!(mode(&ours), mode(&theirs));
        let new = folder.path().join("new");
        AtomicFile::create_new(&new).unwrap().commit().unwrap();
        assert_eq!(mode(&new), mode(&theirs));
    }

    #[test]
    fn the_owner_is_kept_where_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        // Only root may change the owner; for other users there is nothing to test.
        let other = std::os::unix::fs::chown(&path, Some(12), Some(34)).is_ok();
        let old = fs::metadata(&path).unwrap();
        write(&path, b"new").unwrap();
        let new = fs::metadata(&path).unwrap();
        assert_eq!((new.uid(), new.gid()), (old.uid(), old.gid()));
        assert!(!other || new.uid() == 12);
    }

    #[test]
    fn links_stay_and_what_they_lead_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("a"), "old").unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        symlink("inner/a", &first).unwrap();
        symlink(&first, &second).unwrap();
        write(&second, b"new").unwrap();
        assert_eq!(fs::read(inner.join("a")).unwrap(), b"new");
        assert!(first.is_symlink() && second.is_symlink());

        let dangling = folder.path().join("dangling");
        symlink("inner/b", &dangling).unwrap();
        assert!(AtomicFile::create_new(&dangling).is_err());
        write(&dangling, b"new").unwrap();
        assert_eq!(fs::read(inner.join("b")).unwrap(), b"new");
        assert!(dangling.is_symlink());

        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(write(&circle, b"new").is_err());
        assert!(circle.is_symlink());
    }

    #[test]
    fn devices_are_written_to_and_stay() {
        write(Path::new("/dev/null"), b"gone").unwrap();
        let metadata = fs::metadata("/dev/null").unwrap();
        assert!(!metadata.is_file());
        #[cfg(target_os = "linux")]
        {
            let error = write(Path::new("/dev/full"), b"x").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }
}

/// Windows' oldest limit is 260 characters for a whole path.
#[test]
fn a_path_may_be_longer_than_260_characters() {
    let folder = tempfile::tempdir().unwrap();
    let mut deep = folder.path().to_owned();
    while deep.as_os_str().len() < 300 {
        deep.push("第一课 ".to_owned() + &"x".repeat(40));
    }
    fs::create_dir_all(&deep).unwrap();
    let path = deep.join("屏幕.png");
    for content in ["old", "new"] {
        write(&path, content.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let other = deep.join("other");
    let mut file = AtomicFile::create_new(&other).unwrap();
    file.write_all(b"x").unwrap();
    file.commit().unwrap();
    assert_eq!(names(&deep), ["other", "屏幕.png"]);
    #[cfg(windows)]
    assert!(
        reachable(path)
            .as_os_str()
            .to_str()
            .unwrap()
            .starts_with(r"\\?\")
    );
}
