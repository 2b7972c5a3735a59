//! What the board has and this PC lacks: the plan for `put --delete`.

use std::collections::HashSet;

use super::exclude::{Exclude, is_excluded};
use super::upload_plan::is_left_out;
use super::{BoardPath, Entry};

/// The entries below `folder` to remove, each after its content, so that they can be removed in this order. Entries in
/// another file system (`is_foreign`) stay, and so do those that an upload would leave out.
pub(super) fn excess<'a>(
    entries: &[Entry],
    folder: &BoardPath,
    wanted: impl IntoIterator<Item = &'a BoardPath>,
    excludes: &[Exclude],
    is_foreign: impl Fn(&BoardPath) -> bool,
) -> Vec<Entry> {
    // By the generous key: keeping one file too many costs nothing, but removing one too many cannot be undone.
    let wanted: HashSet<String> = wanted.into_iter().map(key).collect();
    let stays = |entry: &Entry| {
        let Some(below) = entry.path.below(folder).filter(|below| !below.is_empty()) else {
            return true;
        };
        wanted.contains(&key(&entry.path))
            || is_protected(below, excludes)
            || is_foreign(&entry.path)
    };
    let mut kept_folders: HashSet<BoardPath> = HashSet::new();
    for entry in entries.iter().filter(|entry| stays(entry)) {
        let mut parent = entry.path.folder();
        // A folder stays as long as anything in it does.
        while !parent.is_root() && kept_folders.insert(parent.clone()) {
            parent = parent.folder();
        }
    }
    let mut excess: Vec<Entry> = entries
        .iter()
        .filter(|entry| !stays(entry) && !kept_folders.contains(&entry.path))
        .cloned()
        .collect();
    // In descending order, so that each path comes before its folder.
    excess.sort_by(|a, b| b.path.cmp(&a.path));
    excess.dedup();
    excess
}

/// Whether an upload would leave out this path, or a folder that contains it.
fn is_protected(below: &[u8], excludes: &[Exclude]) -> bool {
    let ends = below
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| at)
        .chain([below.len()]);
    ends.filter_map(|end| below.get(..end)).any(|path| {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        name.is_empty() || is_left_out(name) || is_excluded(excludes, path)
    })
}

/// Equal for two paths that may be one file on the board: FAT ignores case, and dots and spaces at the end of a name.
fn key(path: &BoardPath) -> String {
    let text = String::from_utf8_lossy(path.as_bytes()).to_lowercase();
    let names: Vec<&str> = text
        .split('/')
        .map(|name| name.trim_end_matches(['.', ' ']))
        .collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A path that ends in a slash is a folder.
    fn entries(paths: &[&str]) -> Vec<Entry> {
        paths
            .iter()
            .map(|path| Entry {
                path: BoardPath::from(path.trim_end_matches('/')),
                len: 1,
                is_folder: path.ends_with('/'),
            })
            .collect()
    }

    fn removed(there: &[&str], folder: &str, wanted: &[&str], excludes: &[&str]) -> Vec<String> {
        let wanted: Vec<BoardPath> = wanted.iter().map(|path| BoardPath::from(*path)).collect();
        let excludes: Vec<Exclude> = excludes
            .iter()
            .map(|text| Exclude::parse(text).unwrap())
            .collect();
        let is_foreign = |path: &BoardPath| path.below(&BoardPath::from("/sd")).is_some();
        let found = excess(
            &entries(there),
            &BoardPath::from(folder),
            &wanted,
            &excludes,
            is_foreign,
        );
        found.iter().map(|entry| entry.path.to_string()).collect()
    }

    #[test]
    fn what_is_not_wanted_is_removed_from_the_inside_to_the_outside() {
        let there = [
            "/boot.py",
            "/lib/",
            "/lib/a.py",
            "/lib/b.py",
            "/old/",
            "/old/x/",
            "/old/x/y",
        ];
        assert_eq!(
            removed(&there, "/", &["/lib", "/lib/a.py"], &[]),
            ["/old/x/y", "/old/x", "/old", "/lib/b.py", "/boot.py"]
        );
    }

    #[test]
    fn nothing_outside_the_destination_is_removed() {
        let there = ["/boot.py", "/lib/", "/lib/a.py", "/library/", "/library/b"];
        assert_eq!(removed(&there, "/lib", &[], &[]), ["/lib/a.py"]);
        assert!(removed(&["/lib/../x", "/lib//y", "/lib/./z"], "/lib", &[], &[]).is_empty());
    }

    #[test]
    fn what_an_upload_leaves_out_stays_with_its_folders() {
        let there = [
            "/a/",
            "/a/.git/",
            "/a/.git/x",
            "/a/gone",
            "/data/",
            "/data/log.csv",
            "/data/x.py",
            "/sd/",
            "/sd/photo",
            "/b/",
            "/b/__pycache__/",
            "/b/__pycache__/c.pyc",
            "/.udpcli.part",
        ];
        assert_eq!(
            removed(&there, "/", &[], &["*.csv"]),
            ["/data/x.py", "/a/gone"]
        );
        assert_eq!(removed(&there, "/", &[], &["data"]), ["/a/gone"]);
    }

    #[test]
    fn a_name_that_fat_takes_for_the_same_stays() {
        // FAT does not tell case apart, and leaves out a dot at the end of a name.
        let there = ["/Main.py", "/LIB/", "/LIB/A.PY", "/notes", "/Ä"];
        let wanted = ["/main.py", "/lib", "/lib/a.py", "/notes.", "/ä"];
        assert!(removed(&there, "/", &wanted, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn a_removed_folder_holds_nothing_that_stays(
            names in prop::collection::vec("/[ab.]{1,2}(/[ab.]{1,2}){0,2}", 0..12),
            wanted in prop::collection::vec("/[ab]{1,2}(/[ab]{1,2}){0,2}", 0..4),
        ) {
            let there: Vec<&str> = names.iter().map(String::as_str).collect();
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let gone = removed(&there, "/", &wanted, &["b"]);
            for path in &gone {
                prop_assert!(!wanted.contains(&path.as_str()));
                for other in &there {
                    let is_inside = other.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'));
                    prop_assert!(!is_inside || gone.iter().any(|gone| gone == other), "{path} {other}");
                }
            }
        }
    }
}
