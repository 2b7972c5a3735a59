//! ZIP releases: the arguments for the flasher, and the files they name.

use std::io::{Cursor, Read as _};
use std::path::Path;

use espflash::target::Chip;
use zip::ZipArchive;
use zip::result::ZipError;

use super::super::error::Error;
use super::{Loaded, MAX_FILE, is_archive, offset, parts, refused};

/// What describes a release is a few hundred bytes: a larger one would only take memory.
const MAX_TEXT: u64 = 1 << 20;

/// A release has a dozen files; each takes memory before it is looked at.
const MAX_ENTRIES: usize = 10_000;

/// Takes a release apart.
pub(super) fn release(
    name: &str,
    bytes: Vec<u8>,
    offset: Option<u32>,
    chip: Chip,
) -> Result<Vec<Loaded>, Error> {
    let mut archive = Archive::open(name, bytes)?;
    let (arguments, files) = if let Some(path) = archive.find("flasher_args.json") {
        let text = archive.take(&path, MAX_TEXT)?;
        (path, from_json(name, &text, chip)?)
    } else if let Some(path) = archive
        .find("flash_args")
        .or_else(|| archive.find("flash_project_args"))
    {
        let text = archive.take(&path, MAX_TEXT)?;
        (path, from_arguments(name, &String::from_utf8_lossy(&text))?)
    } else {
        let only = archive.only_image()?;
        let data = archive.take(&only, MAX_FILE)?;
        // An archive may even hold itself.
        if is_archive(&data) {
            let found = format!("another archive, {only}: unpack it first");
            return Err(refused(name, "firmware in the archive", found));
        }
        return parts(&format!("{only} in {name}"), data, offset, chip);
    };
    if offset.is_some() {
        return Err(refused(
            name,
            "no offset: the release says where its files go",
            "one",
        ));
    }
    let folder = arguments
        .rfind('/')
        .map_or("", |end| arguments.get(..=end).unwrap_or_default());
    // However well it packs: no board has more.
    let mut room = MAX_FILE;
    let mut parts = Vec::new();
    for (offset, path) in files {
        let data = archive.take(&format!("{folder}{path}"), room)?;
        room = room.saturating_sub(data.len() as u64);
        parts.push(Loaded::placed(format!("{path} in {name}"), offset, data));
    }
    Ok(parts)
}

/// A ZIP file in memory.
struct Archive<'a> {
    name: &'a str,
    zip: ZipArchive<Cursor<Vec<u8>>>,
    /// What is in it, the outermost first.
    names: Vec<String>,
}

impl<'a> Archive<'a> {
    fn open(name: &'a str, bytes: Vec<u8>) -> Result<Self, Error> {
        let entry = |four: &&[u8]| *four == b"PK\x01\x02";
        if bytes.windows(4).filter(entry).count() > MAX_ENTRIES {
            return Err(refused(name, "at most 10,000 files in it", "more"));
        }
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| refused(name, "a ZIP archive", error))?;
        let mut names: Vec<String> = zip
            .file_names()
            // What macOS adds: a shadow of every file, under the same name.
            .filter(|path| !path.starts_with("__MACOSX/"))
            .map(str::to_owned)
            .collect();
        names.sort_by_cached_key(|name| (name.matches('/').count(), name.clone()));
        Ok(Self { name, zip, names })
    }

    fn find(&self, wanted: &str) -> Option<String> {
        let matches = |path: &&String| path.rsplit('/').next() == Some(wanted);
        self.names.iter().find(matches).cloned()
    }

    /// The one `.bin` there is.
    fn only_image(&self) -> Result<String, Error> {
        let is_image = |path: &&String| {
            let extension = Path::new(path).extension();
            extension.is_some_and(|extension| extension.eq_ignore_ascii_case("bin"))
        };
        let images: Vec<&String> = self.names.iter().filter(is_image).collect();
        match images.as_slice() {
            [only] => Ok((*only).clone()),
            _ => Err(refused(
                self.name,
                "flasher_args.json, flash_args or one .bin",
                format!("{} .bin files", images.len()),
            )),
        }
    }

    /// What `path` unpacks to, at most `limit` bytes.
    fn take(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let name = self.name;
        let file = self.zip.by_name(path).map_err(|error| match error {
            ZipError::FileNotFound => {
                refused(name, format!("{path}, which its arguments name"), "none")
            }
            error => refused(name, format!("{path} readable"), error),
        })?;
        let mut data = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut data)
            .map_err(|error| refused(name, format!("a whole {path}"), error))?;
        if data.len() as u64 > limit {
            let limit = if limit == MAX_TEXT {
                "1 MB"
            } else {
                "64 MB in all"
            };
            return Err(refused(name, format!("{path} of at most {limit}"), "more"));
        }
        Ok(data)
    }
}

/// What ESP-IDF's build writes: `"flash_files": {"0x1000": "bootloader/bootloader.bin", ..}`.
fn from_json(name: &str, text: &[u8], chip: Chip) -> Result<Vec<(u32, String)>, Error> {
    let unreadable = |found: String| refused(name, "flasher_args.json as ESP-IDF writes it", found);
    let json: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| unreadable(error.to_string()))?;
    let other = json
        .pointer("/extra_esptool_args/chip")
        .and_then(serde_json::Value::as_str)
        .filter(|other| *other != chip.to_string());
    if let Some(other) = other {
        return Err(refused(
            name,
            format!("firmware for {chip}"),
            format!("firmware for {other}"),
        ));
    }
    let files = json
        .get("flash_files")
        .and_then(serde_json::Value::as_object);
    let files = files.ok_or_else(|| unreadable("no flash_files".to_owned()))?;
    files
        .iter()
        .map(|(at, path)| {
            let path = path
                .as_str()
                .ok_or_else(|| unreadable("no file name".to_owned()))?;
            Ok((offset(at).map_err(unreadable)?, path.to_owned()))
        })
        .collect()
}

/// The same as esptool's arguments: `--flash_mode dio .. 0x1000 bootloader/bootloader.bin ..`.
fn from_arguments(name: &str, text: &str) -> Result<Vec<(u32, String)>, Error> {
    let mut words = text.split_whitespace();
    let mut files = Vec::new();
    while let Some(word) = words.next() {
        if word.starts_with("0x") {
            let at = offset(word).map_err(|found| refused(name, "flash_args", found))?;
            let path = words
                .next()
                .ok_or_else(|| refused(name, format!("a file at {word}"), "none"))?;
            files.push((at, path.to_owned()));
        }
    }
    if files.is_empty() {
        return Err(refused(name, "flash_args with offsets and files", "none"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_whatever_stands_before_them() {
        let text = "--flash_mode dio --flash_size 4MB\n0x1000 boot/b.bin\n0x10000 app.bin\n";
        let files = from_arguments("x.zip", text).unwrap();
        assert_eq!(
            files,
            [
                (0x1000, "boot/b.bin".to_owned()),
                (0x1_0000, "app.bin".to_owned())
            ]
        );
        assert!(from_arguments("x.zip", "0x1000").is_err());
        assert!(from_arguments("x.zip", "none").is_err());
    }
}
