//! Patterns for files that stay on this PC: `--exclude`, and `exclude` in `udpcli.toml`.

use glob::{MatchOptions, Pattern, PatternError};

use crate::text::sentence::{Sentence, sentence};

/// A pattern. Without a slash it stands for a name in any folder; with one, for a path below the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    /// The pattern itself.
    pattern: Pattern,
    /// Whether the pattern has a slash, and so stands for a path.
    is_path: bool,
}

impl Exclude {
    /// Parses a pattern.
    ///
    /// # Errors
    /// It is not a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, Sentence> {
        let text = if cfg!(windows) {
            text.replace('\\', "/")
        } else {
            text.to_owned()
        };
        // `build/` and `build` mean the same to most users.
        let text = text.trim_end_matches('/');
        let text = text.strip_prefix("./").unwrap_or(text);
        Ok(Self {
            is_path: text.contains('/'),
            pattern: Pattern::new(text.strip_prefix('/').unwrap_or(text))
                .map_err(|error| problem(&error))?,
        })
    }

    /// Whether the pattern matches a file or folder with this path below the destination.
    fn matches(&self, path: &str) -> bool {
        const OPTIONS: MatchOptions = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let text = match path.rsplit_once('/') {
            Some((_, name)) if !self.is_path => name,
            _ => path,
        };
        self.pattern.matches_with(text, OPTIONS)
    }
}

/// What is wrong with a pattern, and where.
fn problem(error: &PatternError) -> Sentence {
    let at = error.pos + 1;
    if error.msg.contains("range") {
        sentence!("value.glob-range", at = at)
    } else {
        sentence!("value.glob-stars", at = at)
    }
}

/// Whether a pattern matches a file or folder with this path below the destination, or below a folder in the
/// destination: the folder that the user named may become a folder there, or be the destination itself.
pub(super) fn is_excluded(excludes: &[Exclude], path: &[u8]) -> bool {
    if excludes.is_empty() {
        return false;
    }
    let path = String::from_utf8_lossy(path);
    let inner = path.split_once('/').map(|(_, inner)| inner);
    [Some(&*path), inner]
        .into_iter()
        .flatten()
        .any(|path| excludes.iter().any(|exclude| exclude.matches(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_a_slash_is_a_name_and_one_with_a_slash_a_path() {
        for (pattern, path, is_match) in [
            ("*.bak", "a.bak", true),
            ("*.bak", "lib/deep/a.bak", true),
            ("*.bak", "a.bak/b.py", false),
            ("notes", "notes", true),
            ("notes/", "lib/notes", true),
            ("lib/*.py", "lib/a.py", true),
            ("lib/*.py", "project/lib/a.py", true),
            ("lib/*.py", "lib/deep/a.py", false),
            ("lib/**/*.py", "lib/deep/a.py", true),
            ("/main.py", "main.py", true),
            ("/main.py", "project/main.py", true),
            ("/main.py", "project/lib/main.py", false),
            ("./lib/x", "lib/x", true),
            ("测试*", "lib/测试一.py", true),
            ("*.py", "A.PY", false),
            ("?[ab]", "xa", true),
        ] {
            let excludes = [Exclude::parse(pattern).unwrap()];
            let matched = is_excluded(&excludes, path.as_bytes());
            assert_eq!(matched, is_match, "{pattern} {path}");
        }
        assert!(is_excluded(&[Exclude::parse("*.x").unwrap()], b"\xff.x"));
        assert!(Exclude::parse("a[").is_err());
        assert!(!is_excluded(&[], b"x"));
    }
}
