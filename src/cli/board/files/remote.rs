//! Paths on the board as they are written on the command line.

use std::ffi::OsStr;
use std::fmt;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::board::files::{self, BoardPath, Files, Shown};
use crate::error::Error;
use crate::words::catalogue::say;

/// A path on the board: `:main.py` from its working directory on, `:/main.py` from its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::board) struct RemotePath {
    /// What stands behind the colon, escapes read.
    path: Vec<u8>,
    /// Written with a slash at its end: a folder.
    is_folder: bool,
    /// Written with backslashes, each of which may have been meant as a slash; the path with slashes.
    slashed: Option<String>,
}

/// Why a path is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::board) struct BadPath {
    problem: String,
    hint: Option<String>,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BadPath {}

impl From<BadPath> for Error {
    fn from(bad: BadPath) -> Self {
        Self::Usage {
            problem: bad.problem,
            hint: bad.hint,
        }
    }
}

impl RemotePath {
    /// For clap: names that are not UTF-8 are taken as they are, where the system has them.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|text| Self::parse(&text))
    }

    pub(super) fn parse(text: &OsStr) -> Result<Self, BadPath> {
        if let Some(bad) = git_bash(text) {
            return Err(bad);
        }
        let bytes = text.as_encoded_bytes();
        let Some(path) = bytes.strip_prefix(b":") else {
            return Err(BadPath {
                problem: say!("board-cli.no-colon", path = text.display()),
                hint: None,
            });
        };
        let slashed = files::with_slashes(&Shown(path).to_string());
        if let Some(slashed) = &slashed
            && path.starts_with(b"\\")
            && files::escape_value(path).is_none()
        {
            return Err(BadPath {
                problem: say!("board-cli.backslashes", path = text.display()),
                hint: Some(say!("board-cli.backslashes.hint", slashed = slashed)),
            });
        }
        let path = files::unescape(path);
        if path.contains(&0) {
            return Err(BadPath {
                problem: say!("board-cli.no-nul"),
                hint: None,
            });
        }
        Ok(Self {
            is_folder: path.is_empty() || path.ends_with(b"/"),
            path,
            slashed,
        })
    }

    /// Whether it depends on the board's working directory.
    pub(super) fn is_relative(&self) -> bool {
        !self.path.starts_with(b"/")
    }

    /// Whether it is the root folder whatever the working directory is.
    pub(super) fn is_root(&self) -> bool {
        !self.is_relative() && BoardPath::root().resolve(&self.path).is_root()
    }

    /// Whether it was written as a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The path with slashes, if it was written with backslashes.
    pub(super) fn slashed(&self) -> Option<&str> {
        self.slashed.as_deref()
    }

    /// The name that it ends in; empty for `:`, `:/` and `:..`, whose content is meant.
    pub(super) fn name(&self) -> Vec<u8> {
        let last = self
            .path
            .split(|byte| *byte == b'/')
            .rfind(|part| !part.is_empty() && *part != b".");
        match last {
            None | Some(b"..") => Vec::new(),
            Some(name) => name.to_vec(),
        }
    }

    /// The whole path on the board of this session.
    pub(super) fn resolve(&self, files: &Files<'_>) -> BoardPath {
        files.cwd().resolve(&self.path)
    }
}

/// The whole paths on the board. Says what its working directory is where that matters.
pub(super) fn resolve(files: &Files<'_>, paths: &[RemotePath]) -> Vec<BoardPath> {
    if !files.cwd().is_root() && paths.iter().any(RemotePath::is_relative) {
        tracing::info!(say = "board-cli.working-directory", path = %files.cwd());
    }
    paths.iter().map(|path| path.resolve(files)).collect()
}

/// Git for Windows rewrites arguments that look like paths: `:/lib` becomes `;C:\Program Files\Git\lib` (its release
/// notes, *Known issues*).
pub(super) fn git_bash(text: &OsStr) -> Option<BadPath> {
    match text.as_encoded_bytes() {
        [b';', drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic() => Some(BadPath {
            problem: say!("board-cli.git-bash", path = text.display()),
            hint: Some(say!("board-cli.git-bash.hint")),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RemotePath, BadPath> {
        RemotePath::parse(OsStr::new(text))
    }

    #[test]
    fn paths_are_taken_as_the_board_would_take_them() {
        for (text, relative, root, folder, name) in [
            (":", true, false, true, ""),
            (":/", false, true, true, ""),
            (":main.py", true, false, false, "main.py"),
            (":/lib/", false, false, true, "lib"),
            ("://lib", false, false, false, "lib"),
            (":/lib/..", false, true, false, ""),
            (":.", true, false, false, ""),
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
    fn what_other_shells_make_of_a_path_is_explained() {
        let bad = parse(r":\lib\a.py").unwrap_err();
        assert!(bad.to_string().contains(": :/lib/a.py "), "{bad}");
        let bad = parse(r";C:\Program Files\Git\lib").unwrap_err();
        assert!(bad.to_string().contains("MSYS_NO_PATHCONV=1"), "{bad}");
        // A backslash that is no slash.
        assert_eq!(parse(r":\x5cback").unwrap().name(), br"\back");
        assert_eq!(parse(r":deep/\back").unwrap().name(), br"\back");
        assert_eq!(parse(r":deep/\back").unwrap().slashed(), Some("deep//back"));
        assert_eq!(parse(r":\x81").unwrap().slashed(), None);
    }
}
