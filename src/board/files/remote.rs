//! Paths on the board, as users write them on the command line.

use std::ffi::OsStr;

use super::error::TransferRefusal;
use super::{BoardPath, Files, Shown, escape_value, unescape, with_slashes};

/// A path on the board: `:main.py` relative to its working directory, `:/main.py` from its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePath {
    /// The text after the colon, with escapes decoded.
    path: Vec<u8>,
    /// Written with a slash at the end, so it is a folder.
    is_folder: bool,
    /// The path with slashes, if it was written with backslashes, each of which may be meant as a slash.
    slashed: Option<String>,
}

/// What follows the colon of a path on the board. A Chinese input method types a full-width colon.
#[must_use]
pub(crate) fn without_colon(text: &OsStr) -> Option<&[u8]> {
    let bytes = text.as_encoded_bytes();
    bytes
        .strip_prefix(b":")
        .or_else(|| bytes.strip_prefix("：".as_bytes()))
}

impl RemotePath {
    /// Parses the text. Names that are not UTF-8 are kept unchanged, if the operating system supports them.
    ///
    /// # Errors
    /// It is not a path on the board.
    pub fn parse(text: &OsStr) -> Result<Self, TransferRefusal> {
        if let Some(bad) = git_bash(text) {
            return Err(bad);
        }
        let Some(path) = without_colon(text) else {
            return Err(TransferRefusal::NoColon {
                path: text.to_owned(),
            });
        };
        let slashed = with_slashes(&Shown(path).to_string());
        if let Some(slashed) = &slashed
            && path.starts_with(b"\\")
            && escape_value(path).is_none()
        {
            return Err(TransferRefusal::Backslashes {
                path: text.to_owned(),
                slashed: slashed.clone(),
            });
        }
        let path = unescape(path);
        // A NUL separates the records of the board's answers.
        if path.contains(&0) {
            return Err(TransferRefusal::Nul);
        }
        Ok(Self {
            is_folder: path.is_empty() || path.ends_with(b"/"),
            path,
            slashed,
        })
    }

    /// Whether the path depends on the board's working directory.
    #[must_use]
    pub(crate) fn is_relative(&self) -> bool {
        !self.path.starts_with(b"/")
    }

    /// Whether the path is the root folder, independent of the working directory.
    #[must_use]
    pub(crate) fn is_root(&self) -> bool {
        !self.is_relative() && BoardPath::root().resolve(&self.path).is_root()
    }

    /// Whether the user wrote the path as a folder.
    #[must_use]
    pub(crate) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The path with slashes, if it was written with backslashes.
    #[must_use]
    pub(crate) fn slashed(&self) -> Option<&str> {
        self.slashed.as_deref()
    }

    /// The path as the board resolves it.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.path
    }

    /// Its last name; empty for `:`, `:/` and `:..`, which mean the content.
    #[must_use]
    pub(crate) fn name(&self) -> Vec<u8> {
        let last = self
            .path
            .split(|byte| *byte == b'/')
            .rfind(|part| !part.is_empty() && *part != b".");
        match last {
            // Only the board knows what `..` is called.
            None | Some(b"..") => Vec::new(),
            Some(name) => name.to_vec(),
        }
    }

    /// The full path on the board in this session.
    #[must_use]
    pub(crate) fn resolve(&self, files: &Files<'_>) -> BoardPath {
        files.cwd().resolve(&self.path)
    }
}

/// The full paths on the board. Reports the working directory if it matters.
#[must_use]
pub(crate) fn resolve(files: &Files<'_>, paths: &[RemotePath]) -> Vec<BoardPath> {
    if !files.cwd().is_root() && paths.iter().any(RemotePath::is_relative) {
        tracing::info!(say = "board-cli.working-directory", path = %files.cwd());
    }
    paths.iter().map(|path| path.resolve(files)).collect()
}

/// As [`resolve`], for one path.
#[must_use]
pub(crate) fn resolve_one(files: &Files<'_>, path: &RemotePath) -> BoardPath {
    let paths = resolve(files, std::slice::from_ref(path));
    paths.into_iter().next().unwrap_or_default()
}

/// Git for Windows rewrites arguments that look like paths: `:/lib` becomes `;C:\Program Files\Git\lib` (its release
/// notes, *Known issues*).
#[must_use]
pub(crate) fn git_bash(text: &OsStr) -> Option<TransferRefusal> {
    match text.as_encoded_bytes() {
        [b';', drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic() => {
            Some(TransferRefusal::GitBash {
                path: text.to_owned(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RemotePath, TransferRefusal> {
        RemotePath::parse(OsStr::new(text))
    }

    #[test]
    fn paths_are_resolved_as_on_the_board() {
        for (text, relative, root, folder, name) in [
            (":", true, false, true, ""),
            (":/", false, true, true, ""),
            (":main.py", true, false, false, "main.py"),
            (":/lib/", false, false, true, "lib"),
            ("://lib", false, false, false, "lib"),
            (":/lib/..", false, true, false, ""),
            (":.", true, false, false, ""),
            ("：main.py", true, false, false, "main.py"),
        ] {
            let path = parse(text).unwrap();
            assert_eq!(path.is_relative(), relative, "{text}");
            assert_eq!(path.is_root(), root, "{text}");
            assert_eq!(path.is_folder(), folder, "{text}");
            assert_eq!(path.name(), name.as_bytes(), "{text}");
        }
        assert_eq!(parse(r":Fr\x81hst.wav").unwrap().name(), b"Fr\x81hst.wav");
        assert!(parse("main.py").is_err());
        assert!(parse(r":a\x00b").is_err());
    }

    #[test]
    fn paths_changed_by_another_shell_are_explained() {
        let bad = parse(r":\lib\a.py").unwrap_err();
        assert!(
            matches!(&bad, TransferRefusal::Backslashes { slashed, .. } if slashed == "/lib/a.py"),
            "{bad}"
        );
        let bad = parse(r";C:\Program Files\Git\lib").unwrap_err();
        assert!(matches!(bad, TransferRefusal::GitBash { .. }), "{bad}");
        // A backslash that does not replace a slash.
        assert_eq!(parse(r":\x5cback").unwrap().name(), br"\back");
        assert_eq!(parse(r":deep/\back").unwrap().name(), br"\back");
        assert_eq!(parse(r":deep/\back").unwrap().slashed(), Some("deep//back"));
        assert_eq!(parse(r":\x81").unwrap().slashed(), None);
    }
}
