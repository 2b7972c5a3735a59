//! Wildcards in the names of local files.

use std::path::{Path, PathBuf};

use super::error::NoMatch;
use crate::file;

/// The files that match a pattern with wildcards, if no file has exactly that name: `cmd.exe` and PowerShell leave this
/// to the program. A name that begins with a dot matches only a pattern that does, as in a Unix shell.
pub(super) fn expand(local: &Path) -> Result<Vec<PathBuf>, file::Error> {
    let pattern = match local.to_str() {
        Some(text) if text.contains(['*', '?', '[']) => text,
        _ => return Ok(vec![local.to_owned()]),
    };
    if std::fs::symlink_metadata(local).is_ok() {
        return Ok(vec![local.to_owned()]);
    }
    let options = glob::MatchOptions {
        // As the shells of each system do it.
        case_sensitive: !cfg!(windows),
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let open = |source| file::Error::Open {
        path: local.to_owned(),
        source,
    };
    let matches = glob::glob_with(pattern, options)
        .map_err(|error| open(std::io::Error::new(std::io::ErrorKind::InvalidInput, error)))?;
    let mut found = Vec::new();
    for path in matches {
        found.push(path.map_err(|error| open(error.into()))?);
    }
    if found.is_empty() {
        return Err(open(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            NoMatch,
        )));
    }
    Ok(found)
}
