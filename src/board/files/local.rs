//! Converts names on the board to names on this PC.
//!
//! A board's file names can be nearly anything: FAT and `LittleFS` accept almost all bytes, and both `A.py` and `a.py`.
//! Which names a PC accepts depends on its operating system. [`Rules`] has this as data, so that the tests on one
//! system cover all systems.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The names that an operating system accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Forbidden characters, in addition to `/` and control characters.
    reserved: &'static str,
    /// Device names are reserved (`CON`, `NUL.txt`), and a dot or a space at the end is dropped.
    has_devices: bool,
    /// Names that differ only in case are the same.
    ignores_case: bool,
    /// The length limit counts UTF-16 units; otherwise bytes.
    counts_utf16: bool,
}

/// The length limit of a name, in UTF-16 units or bytes: the same for NTFS, exFAT, APFS, ext4 and others.
pub const LONGEST: usize = 255;

impl Rules {
    /// Linux and similar systems.
    pub const LINUX: Self = Self {
        reserved: "",
        has_devices: false,
        ignores_case: false,
        counts_utf16: false,
    };

    /// macOS, whose Finder shows a colon as a slash.
    pub const MACOS: Self = Self {
        reserved: ":",
        has_devices: false,
        ignores_case: true,
        counts_utf16: false,
    };

    /// Windows ("Naming Files, Paths, and Namespaces", learn.microsoft.com).
    pub const WINDOWS: Self = Self {
        reserved: r#"\:*?"<>|"#,
        has_devices: true,
        ignores_case: true,
        counts_utf16: true,
    };

    /// The rules of this PC's operating system.
    pub const HERE: Self = if cfg!(windows) {
        Self::WINDOWS
    } else if cfg!(target_vendor = "apple") {
        Self::MACOS
    } else {
        Self::LINUX
    };

    /// The local name for a name on the board. Each byte is written as `%NN` if it is not valid text, could not be
    /// typed, or is forbidden here; so are the first `escaped` characters in any case.
    fn name(&self, name: &[u8], escaped: usize) -> String {
        let text = String::from_utf8_lossy(name);
        let escaped = escaped.max(usize::from(self.has_devices && is_device(&text)));
        let ends_badly = self.has_devices && (name.ends_with(b".") || name.ends_with(b" "));
        let mut local = String::with_capacity(name.len());
        let mut position = 0;
        let mut at = 0;
        for chunk in name.utf8_chunks() {
            for character in chunk.valid().chars() {
                at += character.len_utf8();
                let is_last = at == name.len();
                if position < escaped
                    || character.is_control()
                    || self.reserved.contains(character)
                    || (is_last && ends_badly)
                {
                    escape(character.encode_utf8(&mut [0; 4]).as_bytes(), &mut local);
                } else {
                    local.push(character);
                }
                position += 1;
            }
            escape(chunk.invalid(), &mut local);
            at += chunk.invalid().len();
            position += chunk.invalid().len();
        }
        local
    }

    /// A key that is equal for names that the operating system treats as the same. Systems differ in which letters they
    /// treat as equal; the key is generous, which only means that one more name is changed.
    fn key(&self, name: &str) -> String {
        if self.ignores_case {
            name.to_uppercase().to_lowercase()
        } else {
            name.to_owned()
        }
    }

    fn is_too_long(&self, name: &str) -> bool {
        let len = if self.counts_utf16 {
            name.encode_utf16().count()
        } else {
            name.len()
        };
        len > LONGEST
    }
}

/// Whether Windows treats a name as a device, whatever follows its first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) {
        return true;
    }
    // The superscript digits count as digits here (ISO-8859-1's, as the page above says).
    ["COM", "LPT"].iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|number| {
            let mut characters = number.chars();
            matches!(characters.next(), Some('0'..='9' | '¹' | '²' | '³'))
                && characters.next().is_none()
        })
    })
}

fn escape(bytes: &[u8], local: &mut String) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(local, "%{byte:02x}");
    }
}

/// Why this PC cannot have a file with that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unnameable {
    /// The name would lead out of its folder.
    #[error("it is no name")]
    LeadsElsewhere,
    /// The name would exceed the length limit here.
    #[error("it is longer than the {LONGEST} characters or bytes that a name may have on this PC")]
    TooLong,
}

/// The local place for a file or folder of the board, below the target folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path relative to the target folder.
    pub path: PathBuf,
    /// Whether a name in it differs from the one on the board.
    pub is_renamed: bool,
    /// A key that is equal for paths that the operating system treats as the same.
    key: String,
}

/// The local places of a folder's files, each unique.
#[derive(Debug)]
pub struct Places {
    rules: Rules,
    /// By the path on the board.
    given: HashMap<Vec<u8>, Place>,
    taken: HashSet<String>,
}

impl Places {
    /// Assigns a place to every path. Names that can stay do. If two names would be the same file here, the later one
    /// in byte order gets another name. So the same files always get the same names.
    pub fn of<'a>(rules: Rules, paths: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut places = Self {
            rules,
            given: HashMap::new(),
            taken: HashSet::new(),
        };
        let mut paths: Vec<&[u8]> = paths.into_iter().collect();
        paths.sort_by_cached_key(|path| {
            let is_renamed = path
                .split(|byte| *byte == b'/')
                .any(|name| rules.name(name, 0).as_bytes() != name);
            (is_renamed, *path)
        });
        for path in paths {
            // place() returns the error to its caller later.
            let _ = places.place(path);
        }
        places
    }

    /// The place of a path on the board, given relative to the folder that is fetched.
    ///
    /// # Errors
    /// This PC cannot have such a file.
    pub fn place(&mut self, path: &[u8]) -> Result<Place, Unnameable> {
        if let Some(place) = self.given.get(path) {
            return Ok(place.clone());
        }
        let (folder, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => {
                let (folder, name) = path.split_at_checked(at).unwrap_or_default();
                (Some(folder), name.get(1..).unwrap_or_default())
            }
            None => (None, path),
        };
        if matches!(name, b"" | b"." | b"..") {
            return Err(Unnameable::LeadsElsewhere);
        }
        let folder = match folder {
            Some(folder) => self.place(folder)?,
            None => Place {
                path: PathBuf::new(),
                is_renamed: false,
                key: String::new(),
            },
        };
        // Escape one more character at a time until the name is unique, then make it longer.
        let mut attempt = 0;
        let (local, key) = loop {
            let mut local = self.rules.name(name, attempt);
            local.extend(std::iter::repeat_n('%', attempt.saturating_sub(name.len())));
            if self.rules.is_too_long(&local) {
                return Err(Unnameable::TooLong);
            }
            let key = format!("{}/{}", folder.key, self.rules.key(&local));
            if self.taken.insert(key.clone()) {
                break (local, key);
            }
            attempt += 1;
        };
        let place = Place {
            is_renamed: folder.is_renamed || local.as_bytes() != name,
            path: folder.path.join(local),
            key,
        };
        self.given.insert(path.to_vec(), place.clone());
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Component;

    const SYSTEMS: [(&str, Rules); 3] = [
        ("Linux", Rules::LINUX),
        ("macOS", Rules::MACOS),
        ("Windows", Rules::WINDOWS),
    ];

    /// Whether this system can open paths that were made by `rules`.
    /// On Windows, a colon or a backslash changes the meaning of what other systems treat as a name.
    fn can_be_tried(rules: Rules) -> bool {
        !cfg!(windows) || rules == Rules::WINDOWS
    }

    fn places(rules: Rules, paths: &[&[u8]]) -> Vec<Result<String, Unnameable>> {
        let mut places = Places::of(rules, paths.iter().copied());
        paths
            .iter()
            .map(|path| {
                places
                    .place(path)
                    .map(|place| place.path.to_str().unwrap().replace('\\', "/"))
            })
            .collect()
    }

    #[test]
    fn each_system_gets_names_that_it_accepts() {
        // The name on the board, then on Linux, macOS and Windows; `None` if it is the same.
        let table: [(&[u8], [Option<&str>; 3]); 24] = [
            (b"main.py", [None; 3]),
            ("你好.py".as_bytes(), [None; 3]),
            (b"50%", [None; 3]),
            (b".hidden", [None; 3]),
            (b"Fr\x81hst.wav", [Some("Fr%81hst.wav"); 3]),
            (b"a\x1b[31m\nb", [Some("a%1b[31m%0ab"); 3]),
            (b"a\x7fb", [Some("a%7fb"); 3]),
            (b"a:b", [None, Some("a%3ab"), Some("a%3ab")]),
            (b"a\\b", [None, None, Some("a%5cb")]),
            (b"a*b?c", [None, None, Some("a%2ab%3fc")]),
            (b"\"<|>\"", [None, None, Some("%22%3c%7c%3e%22")]),
            (b"CON", [None, None, Some("%43ON")]),
            (b"nul", [None, None, Some("%6eul")]),
            (b"con.txt", [None, None, Some("%63on.txt")]),
            (b"Aux .tar.gz", [None, None, Some("%41ux .tar.gz")]),
            (b"COM1", [None, None, Some("%43OM1")]),
            (b"lpt9.log", [None, None, Some("%6cpt9.log")]),
            ("COM²".as_bytes(), [None, None, Some("%43OM²")]),
            (b"COM10", [None; 3]),
            (b"CONSOLE", [None; 3]),
            (b"end.", [None, None, Some("end%2e")]),
            (b"end. ", [None, None, Some("end.%20")]),
            (b"...", [None, None, Some("..%2e")]),
            (
                b"lib/CON/a:b",
                [None, Some("lib/CON/a%3ab"), Some("lib/%43ON/a%3ab")],
            ),
        ];
        for (name, expected) in table {
            for ((system, rules), expected) in SYSTEMS.into_iter().zip(expected) {
                if !can_be_tried(rules) {
                    continue;
                }
                let same = || String::from_utf8(name.to_vec()).unwrap();
                let expected = expected.map_or_else(same, str::to_owned);
                let expected = expected.replace('\\', "/");
                assert_eq!(places(rules, &[name]), [Ok(expected)], "{system}: {name:?}");
            }
        }
    }

    #[test]
    fn colliding_names_get_different_places() {
        for (paths, unfolded, folded) in [
            (
                &[b"A.py".as_slice(), b"a.py"][..],
                &["A.py", "a.py"][..],
                &["A.py", "%61.py"][..],
            ),
            (
                &[b"Lib/x", b"lib/x", b"lib/y"],
                &["Lib/x", "lib/x", "lib/y"],
                &["Lib/x", "%6cib/x", "%6cib/y"],
            ),
            (
                &["Ä".as_bytes(), "ä".as_bytes()],
                &["Ä", "ä"],
                &["Ä", "%c3%a4"],
            ),
            // A name that can stay does, regardless of the order.
            (
                &[b"a\x81", b"a%81"],
                &["%61%81", "a%81"],
                &["%61%81", "a%81"],
            ),
            (
                &[b"A", b"a", b"%61"],
                &["A", "a", "%61"],
                &["A", "%61%", "%61"],
            ),
        ] {
            for (system, rules) in SYSTEMS {
                let expected = if rules.ignores_case { folded } else { unfolded };
                let placed: Vec<String> = places(rules, paths)
                    .into_iter()
                    .map(Result::unwrap)
                    .collect();
                assert_eq!(placed, expected, "{system}");
            }
        }
    }

    #[test]
    fn only_invalid_and_too_long_names_are_refused() {
        for (_, rules) in SYSTEMS {
            for path in ["../x", "a/../../x", "a/", ".", "..", "/etc/passwd", "a//b"] {
                assert_eq!(
                    places(rules, &[path.as_bytes(), b"fine"]),
                    [Err(Unnameable::LeadsElsewhere), Ok("fine".to_owned())],
                    "{path}"
                );
            }
        }
        let (long, fits) = ("x".repeat(256), "x".repeat(255));
        let wide = "好".repeat(100);
        for ((system, rules), wide_fits) in SYSTEMS.into_iter().zip([false, false, true]) {
            let placed = places(
                rules,
                &[long.as_bytes(), fits.as_bytes(), wide.as_bytes(), b"y"],
            );
            assert_eq!(placed[0], Err(Unnameable::TooLong), "{system}");
            assert_eq!(placed[1], Ok(fits.clone()), "{system}");
            assert_eq!(placed[2].is_ok(), wide_fits, "{system}");
            assert_eq!(placed[3], Ok("y".to_owned()), "{system}");
        }
    }

    proptest! {
        #[test]
        fn every_path_gets_a_unique_place_inside_the_folder(
            names in proptest::collection::btree_set(
                proptest::collection::vec(
                    prop_oneof![Just(b'a'), Just(b'A'), Just(b'.'), Just(b'/'), Just(b':'), Just(b'%'), Just(b'6'), Just(b'1'), any::<u8>()],
                    1..5,
                ),
                0..30,
            ),
        ) {
            for (_, rules) in SYSTEMS.into_iter().filter(|(_, rules)| can_be_tried(*rules)) {
                let mut places = Places::of(rules, names.iter().map(Vec::as_slice));
                let mut keys = HashSet::new();
                for name in &names {
                    if let Ok(place) = places.place(name) {
                        let local = place.path.to_str().unwrap();
                        prop_assert!(place.path.components().all(|part| matches!(part, Component::Normal(_))));
                        prop_assert!(keys.insert(rules.key(local)), "{local}");
                        prop_assert!(!local.chars().any(char::is_control));
                    }
                }
            }
        }
    }
}
