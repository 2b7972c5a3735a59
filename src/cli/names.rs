//! The list of the boards' names, for the commands that show boards.

use std::path::{Path, PathBuf};

use crate::config;
use crate::error::Error;
use crate::names::BoardNames;

/// The list of the flag or the environment, or else of the project. An empty name stands for no list.
///
/// # Errors
/// The file cannot be read, or is no list of names.
pub(super) fn read(given: Option<&Path>) -> Result<BoardNames, Error> {
    let path = match given {
        Some(path) if path.as_os_str().is_empty() => None,
        Some(path) => Some(path.to_owned()),
        None => config::project()?
            .and_then(|project| project.names)
            .map(|names| PathBuf::from(names.value)),
    };
    Ok(match path {
        Some(path) => BoardNames::parse(&path, &config::names(&path)?)?,
        None => BoardNames::default(),
    })
}
