//! Converts names on the board to names on this PC.
//!
//! A board's file names can be nearly anything: FAT and `LittleFS` accept almost all bytes, and both `A.py` and `a.py`.
//! Which names a PC accepts depends on its operating system. [`NameRules`] has these rules as data, so that the tests
//! on one system cover all systems.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The names that an operating system accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameRules {
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
pub(crate) const LONGEST: usize = 255;

impl NameRules {
    /// Linux and similar systems.
    pub(crate) const LINUX: Self = Self {
        reserved: "",
        has_devices: false,
        ignores_case: false,
        counts_utf16: false,
    };

    /// macOS, whose Finder shows a colon as a slash.
    pub(crate) const MACOS: Self = Self {
        reserved: ":",
        has_devices: false,
        ignores_case: true,
        counts_utf16: false,
    };

    /// Windows ("Naming Files, Paths, and Namespaces", learn.microsoft.com).
    pub(crate) const WINDOWS: Self = Self {
        reserved: r#"\:*?"<>|"#,
        has_devices: true,
        ignores_case: true,
        counts_utf16: true,
    };

    /// The rules of this PC's operating system.
    pub(crate) const HERE: Self = if cfg!(windows) {
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
        // One escaped character is enough for `%43ON`, which is not a device.
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
            // Both, because some letters have a capital form that they share with another letter.
            name.to_uppercase().to_lowercase()
        } else {
            name.to_owned()
        }
    }

    /// Whether the operating system refuses a name of this length.
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
pub(crate) fn is_device(name: &str) -> bool {
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

/// Appends each byte as `%NN`.
fn escape(bytes: &[u8], local: &mut String) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(local, "%{byte:02x}");
    }
}

/// Why this PC cannot have a file with that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unnameable {
    /// The name would lead out of its folder.
    #[error("it is not a valid name")]
    LeadsElsewhere,
    /// The name would exceed the length limit here.
    #[error("it is longer than the {LONGEST} characters or bytes that a name may have on this PC")]
    TooLong,
}

/// The local place for a file or folder of the board, below the target folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalPlace {
    /// The path relative to the target folder.
    pub(crate) path: PathBuf,
    /// Whether a name in the folder differs from the name on the board.
    pub(crate) is_renamed: bool,
    /// A key that is equal for paths that the operating system treats as the same.
    key: String,
}

/// The local places of a folder's files, each unique.
#[derive(Debug)]
pub(crate) struct Places {
    /// What this PC accepts.
    rules: NameRules,
    /// By the path on the board.
    given: HashMap<Vec<u8>, LocalPlace>,
    /// The keys of all places.
    taken: HashSet<String>,
}

impl Places {
    /// Assigns a place to every path. Names that can stay do. If two names would be the same file here, the later one
    /// in byte order gets another name. So the same files always get the same names.
    pub(crate) fn of<'a>(rules: NameRules, paths: impl IntoIterator<Item = &'a [u8]>) -> Self {
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
            // Names that can stay come first, so that a renamed one never takes their place.
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
    pub(crate) fn place(&mut self, path: &[u8]) -> Result<LocalPlace, Unnameable> {
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
        // A damaged or hostile file system must not lead a download out of the folder that the user named.
        if matches!(name, b"" | b"." | b"..") {
            return Err(Unnameable::LeadsElsewhere);
        }
        let folder = match folder {
            Some(folder) => self.place(folder)?,
            None => LocalPlace {
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
        let place = LocalPlace {
            is_renamed: folder.is_renamed || local.as_bytes() != name,
            path: folder.path.join(local),
            key,
        };
        self.given.insert(path.to_vec(), place.clone());
        Ok(place)
    }
}

#[cfg(test)]
mod tests;
