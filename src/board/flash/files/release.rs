//! Reads ZIP releases: the file that describes the offsets, and the files that it names.
//!
//! Long because every way in which a release describes its offsets is here.

use std::borrow::Cow;
use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::error::{Error, FlashRefusal};
use super::given::offset as parse_offset;
use super::{
    Contents, Loaded, MAX_FILE, ReadOptions, contents, for_this_chip, is_archive, not_firmware,
    other_chip, refused,
};
use crate::text::sentence::{Sentence, sentence};

/// The size limit for description files. A real one has a few hundred bytes.
const MAX_TEXT: u64 = 1 << 20;

/// The limit for the number of files: a release has a dozen, and each one takes memory.
const MAX_ENTRIES: usize = 10_000;

/// A file in a release: its offset and path.
type Entry = (u32, String);

/// Reads a release and its files.
pub(super) fn release(
    name: &str,
    bytes: Vec<u8>,
    offset: Option<u32>,
    rules: ReadOptions,
) -> Result<Contents, Error> {
    let mut archive = Archive::open(name, bytes)?;
    let Some((path, entries)) = described(&mut archive, rules)? else {
        return undescribed(&mut archive, offset, rules);
    };
    if offset.is_some() {
        return Err(refused(
            name,
            sentence!("flash.x-no-offset-release"),
            sentence!("flash.f-offset"),
        ));
    }
    let folder = path
        .rfind('/')
        .map_or("", |end| path.get(..=end).unwrap_or_default());
    // The limit for the unpacked size, against ZIP bombs: no board has more flash.
    let mut room = MAX_FILE;
    let mut found = Contents::default();
    for (offset, path) in entries {
        let data = archive.take(&joined(folder, &path), room)?;
        room = room.saturating_sub(data.len() as u64);
        let name = format!("{path} in {name}");
        if let Some(error) = not_firmware(&path, &name, &data, rules.force) {
            return Err(error);
        }
        found.files.push(Loaded::placed(name, offset, data));
    }
    Ok(found)
}

/// The entries from the file that describes the release, and that file's path; `None` if there is no such file.
fn described(
    archive: &mut Archive<'_>,
    rules: ReadOptions,
) -> Result<Option<(String, Vec<Entry>)>, Error> {
    let name = archive.name;
    if let Some(path) = archive.find("flasher_args.json") {
        let text = archive.take(&path, MAX_TEXT)?;
        return Ok(Some((path, from_json(name, &text, rules)?)));
    }
    for wanted in ["flash_args", "flash_project_args", "flash_args.txt"] {
        if let Some(path) = archive.find(wanted) {
            let text = archive.take(&path, MAX_TEXT)?;
            return Ok(Some((path, from_arguments(name, &decoded(&text))?)));
        }
    }
    if let Some(path) = archive.find("manifest.json") {
        let text = archive.take(&path, MAX_TEXT)?;
        // Other programs also have a file named manifest.
        if let Some(entries) = from_manifest(name, &text, rules)? {
            return Ok(Some((path, entries)));
        }
    }
    Ok(None)
}

/// Handles a release without a description: each file has to determine its own offset.
fn undescribed(
    archive: &mut Archive<'_>,
    offset: Option<u32>,
    rules: ReadOptions,
) -> Result<Contents, Error> {
    let name = archive.name;
    let images = archive.images();
    if images.is_empty() {
        let first = archive.names.first().map(|entry| entry.path.clone());
        let (found, hint) = match (archive.names.len(), first) {
            (0, _) | (_, None) => (
                sentence!("flash.f-nothing"),
                sentence!("flash.download-again"),
            ),
            (1, Some(first)) => (first.into(), sentence!("flash.unpack-one")),
            (count, Some(first)) => (
                sentence!("flash.f-files", count = count, first = first),
                sentence!("flash.is-it-source"),
            ),
        };
        return Err(Error::Refused(Box::new(FlashRefusal {
            what: name.into(),
            expected: sentence!("flash.x-described"),
            found,
            hint: Some(hint),
        })));
    }
    let mut room = MAX_FILE;
    let mut found = Contents::default();
    let mut others = Vec::new();
    for path in &images {
        let data = archive.take(path, room)?;
        room = room.saturating_sub(data.len() as u64);
        // An archive may even contain itself, so do not recurse.
        if is_archive(&data) {
            let found = sentence!("flash.f-archive", path = path);
            return Err(refused(name, sentence!("flash.x-in-archive"), found));
        }
        let of = |error| choose(name, &images, error);
        let label = format!("{path} in {name}");
        // Some releases have one file per chip.
        if let Err(error) = for_this_chip(&label, &data, rules.chip) {
            others.push((label, error));
            continue;
        }
        found.add(contents(path, &label, data, offset, rules).map_err(of)?);
    }
    let is_empty = found.files.is_empty() && found.fonts.is_empty();
    for (label, error) in others {
        if is_empty {
            return Err(error);
        }
        found
            .notes
            .push(sentence!("flash.other-chip-left-out", name = label));
    }
    let mut sorted: Vec<&Loaded> = found.files.iter().collect();
    sorted.sort_by_key(|file| file.offset);
    let clash = sorted.windows(2).any(|pair| match pair {
        [first, second] => first.range().end > u64::from(second.offset),
        _ => false,
    });
    if clash || found.fonts.len() > 1 {
        return Err(several(name, &images));
    }
    Ok(found)
}

/// Chooses the error for a file among `images` that was refused. With several files, it is unclear which one the user
/// wants.
fn choose(name: &str, images: &[String], error: Error) -> Error {
    match error {
        Error::NeedsOffset { .. } if images.len() > 1 => several(name, images),
        error => error,
    }
}

/// The refusal of an archive with several files, any of which may be meant.
fn several(name: &str, images: &[String]) -> Error {
    const MOST: usize = 5;
    let mut found: Vec<&str> = images.iter().take(MOST).map(String::as_str).collect();
    if images.len() > MOST {
        found.push("..");
    }
    Error::Refused(Box::new(FlashRefusal {
        what: name.into(),
        expected: sentence!("flash.x-one"),
        found: sentence!(
            "flash.f-bins",
            count = images.len(),
            names <- Sentence::verbatim_list(&found)
        ),
        hint: Some(sentence!("flash.unpack-several")),
    }))
}

/// Resolves `path` relative to `folder`: the description can be in another folder than the files.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            // A path cannot leave the archive.
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A file in the archive.
struct ArchiveFile {
    /// Its path with forward slashes, even if the archiver wrote backslashes.
    path: String,
    /// Its number in the archive.
    index: usize,
}

/// A ZIP file in memory.
struct Archive<'a> {
    /// The archive's name, for messages.
    name: &'a str,
    /// Its content.
    zip: ZipArchive<Cursor<Vec<u8>>>,
    /// Its members, outermost folder first.
    names: Vec<ArchiveFile>,
}

impl<'a> Archive<'a> {
    /// Reads the list of files.
    fn open(name: &'a str, bytes: Vec<u8>) -> Result<Self, Error> {
        // Count before the library reads the list, because it allocates for every entry.
        let entry = |four: &&[u8]| *four == b"PK\x01\x02";
        if bytes.windows(4).filter(entry).count() > MAX_ENTRIES {
            return Err(refused(
                name,
                sentence!("flash.x-10000"),
                sentence!("flash.f-more"),
            ));
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            Error::Refused(Box::new(FlashRefusal {
                what: name.into(),
                expected: sentence!("flash.x-zip"),
                found: error.to_string().into(),
                hint: Some(sentence!("flash.download-again")),
            }))
        })?;
        let mut names: Vec<ArchiveFile> = (0..zip.len())
            .filter_map(|index| {
                // Some Windows programs write backslashes, against the ZIP specification.
                let path = joined("", &zip.name_for_index(index)?.replace('\\', "/"));
                let is_folder = zip.name_for_index(index)?.ends_with(['/', '\\']);
                // macOS adds a metadata copy of every file, under `__MACOSX` or with a leading dot.
                let last = path.rsplit('/').next().unwrap_or_default();
                let is_shadow = path.starts_with("__MACOSX/") || last.starts_with('.');
                (!is_folder && !is_shadow).then_some(ArchiveFile { path, index })
            })
            .collect();
        names.sort_by_cached_key(|member| (member.path.matches('/').count(), member.path.clone()));
        Ok(Self { name, zip, names })
    }

    /// Finds a file by name, in any folder, ignoring case.
    fn find(&self, wanted: &str) -> Option<String> {
        let matches = |member: &&ArchiveFile| {
            let last = member.path.rsplit('/').next();
            last.is_some_and(|last| last.eq_ignore_ascii_case(wanted))
        };
        self.names
            .iter()
            .find(matches)
            .map(|member| member.path.clone())
    }

    /// The `.bin` files and fonts, or, without any, the other firmware files. Builds leave ELF files beside the
    /// binaries.
    fn images(&self) -> Vec<String> {
        let with = |extensions: &[&str]| -> Vec<String> {
            let is_image = |member: &&ArchiveFile| {
                let extension = member.path.rsplit_once('.').map(|(_, extension)| extension);
                extension.is_some_and(|extension| {
                    extensions
                        .iter()
                        .any(|known| extension.eq_ignore_ascii_case(known))
                })
            };
            let images = self.names.iter().filter(is_image);
            images.map(|member| member.path.clone()).collect()
        };
        let images = with(&["bin", "xbf"]);
        if !images.is_empty() {
            return images;
        }
        match self.names.as_slice() {
            // The content of the only file decides what it is.
            [only] => vec![only.path.clone()],
            _ => with(&["uf2", "elf"]),
        }
    }

    /// Unpacks `path`, at most `limit` bytes.
    fn take(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let name = self.name;
        let exact = self.names.iter().find(|member| member.path == path);
        let alike = || {
            self.names
                .iter()
                .find(|member| member.path.eq_ignore_ascii_case(path))
        };
        let Some(member) = exact.or_else(alike) else {
            return Err(refused(
                name,
                sentence!("flash.x-named", path = path),
                sentence!("flash.f-none"),
            ));
        };
        let file = self
            .zip
            .by_index(member.index)
            .map_err(|error| match error {
                ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
                    Error::Refused(Box::new(FlashRefusal {
                        what: name.into(),
                        expected: sentence!("flash.x-readable", path = path),
                        found: sentence!("flash.f-password"),
                        hint: Some(sentence!("flash.unpack-password")),
                    }))
                }
                error => Error::Refused(Box::new(FlashRefusal {
                    what: name.into(),
                    expected: sentence!("flash.x-readable", path = path),
                    found: error.to_string().into(),
                    hint: Some(sentence!("flash.unpack-first")),
                })),
            })?;
        let mut data = Vec::new();
        // The size in the archive's list may be a lie.
        file.take(limit + 1)
            .read_to_end(&mut data)
            .map_err(|error| {
                Error::Refused(Box::new(FlashRefusal {
                    what: name.into(),
                    expected: sentence!("flash.x-whole", path = path),
                    found: error.to_string().into(),
                    hint: Some(sentence!("flash.download-again")),
                }))
            })?;
        if data.len() as u64 > limit {
            let expected = if limit == MAX_TEXT {
                sentence!("flash.x-1mb", path = path)
            } else {
                sentence!("flash.x-64mb-all", path = path)
            };
            return Err(refused(name, expected, sentence!("flash.f-more")));
        }
        Ok(data)
    }
}

/// Parses the JSON of ESP-IDF's build: `"flash_files": {"0x1000": "bootloader/bootloader.bin", ..}`.
fn from_json(name: &str, text: &[u8], rules: ReadOptions) -> Result<Vec<Entry>, Error> {
    let unreadable = |found: Sentence| {
        let expected = sentence!("flash.x-flasher-args");
        unclear(name, expected, found)
    };
    let json: serde_json::Value = serde_json::from_str(&decoded(text))
        .map_err(|error| unreadable(error.to_string().into()))?;
    // A release for another chip has the same file names, so use the chip that the release names.
    let other = json
        .pointer("/extra_esptool_args/chip")
        .and_then(serde_json::Value::as_str)
        .filter(|other| *other != rules.chip.to_string());
    if let Some(other) = other {
        return Err(other_chip(name, rules.chip, other));
    }
    let files = json
        .get("flash_files")
        .and_then(serde_json::Value::as_object);
    let files = files
        .filter(|files| !files.is_empty())
        .ok_or_else(|| unreadable(sentence!("flash.f-no-flash-files")))?;
    files
        .iter()
        .map(|(at, path)| {
            let path = path
                .as_str()
                .ok_or_else(|| unreadable(sentence!("flash.f-no-file-name")))?;
            Ok((parse_offset(at).map_err(&unreadable)?, slashes(path)))
        })
        .collect()
}

/// Parses esptool arguments: `--flash_mode dio .. 0x1000 bootloader/bootloader.bin ..`.
fn from_arguments(name: &str, text: &str) -> Result<Vec<Entry>, Error> {
    let mut words = words(text).into_iter();
    let mut files = Vec::new();
    while let Some(word) = words.next() {
        if word.starts_with("0x") || word.starts_with("0X") {
            let at = parse_offset(&word).map_err(|found| unclear(name, "flash_args", found))?;
            let path = words.next().ok_or_else(|| {
                unclear(
                    name,
                    sentence!("flash.x-file-at", at = &word),
                    sentence!("flash.f-none"),
                )
            })?;
            files.push((at, slashes(&path)));
        }
    }
    if files.is_empty() {
        return Err(unclear(
            name,
            sentence!("flash.x-flash-args"),
            sentence!("flash.f-none"),
        ));
    }
    Ok(files)
}

/// Splits a command line into words; a quoted part is one word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Decodes text from editors and PowerShell: UTF-8, or the encoding of its byte order mark.
fn decoded(text: &[u8]) -> Cow<'_, str> {
    encoding_rs::UTF_8.decode(text).0
}

/// The error for a description that does not say where the files go.
fn unclear(name: &str, expected: impl Into<Sentence>, found: impl Into<Sentence>) -> Error {
    Error::Refused(Box::new(FlashRefusal {
        what: name.into(),
        expected: expected.into(),
        found: found.into(),
        hint: Some(sentence!("flash.unpack-offsets")),
    }))
}

/// Parses a manifest for flashing from web pages (<https://esphome.github.io/esp-web-tools/>): `"builds":
/// [{"chipFamily": "ESP32", "parts": [{"path": "a.bin", "offset": 4096}]}]`. `None` if it is another kind of manifest.
fn from_manifest(name: &str, text: &[u8], rules: ReadOptions) -> Result<Option<Vec<Entry>>, Error> {
    use serde_json::Value;
    let Ok(json) = serde_json::from_str::<Value>(&decoded(text)) else {
        return Ok(None);
    };
    let Some(builds) = json.get("builds").and_then(Value::as_array) else {
        return Ok(None);
    };
    let family = |build: &Value| {
        build
            .get("chipFamily")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let wanted = super::super::name(rules.chip);
    let build = builds
        .iter()
        .find(|build| family(build).is_some_and(|family| family.eq_ignore_ascii_case(&wanted)));
    let Some(build) = build else {
        let others = Sentence::verbatim_list(builds.iter().filter_map(family));
        let others = sentence!("udp.these", items <- others);
        return Err(other_chip(name, wanted, others));
    };
    let unreadable = |found: Sentence| {
        let expected = sentence!("flash.x-manifest");
        unclear(name, expected, found)
    };
    let no_parts = || sentence!("flash.f-no-parts");
    let parts = build.get("parts").and_then(Value::as_array);
    let parts = parts.ok_or_else(|| unreadable(no_parts()))?;
    let mut entries = Vec::new();
    for part in parts {
        let path = part.get("path").and_then(Value::as_str);
        let path = path.ok_or_else(|| unreadable(sentence!("flash.f-no-path")))?;
        if path.contains("://") {
            return Err(Error::Refused(Box::new(FlashRefusal {
                what: name.into(),
                expected: sentence!("flash.x-files-inside"),
                found: sentence!("flash.f-address", path = path),
                hint: Some(sentence!("flash.download-that")),
            })));
        }
        let offset = match part.get("offset") {
            Some(Value::Number(number)) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            Some(Value::String(text)) => parse_offset(text).ok(),
            _ => None,
        };
        let offset = offset.ok_or_else(|| unreadable(sentence!("flash.f-no-offset")))?;
        entries.push((offset, slashes(path)));
    }
    if entries.is_empty() {
        return Err(unreadable(no_parts()));
    }
    Ok(Some(entries))
}

/// ESP-IDF on Windows writes backslashes.
fn slashes(path: &str) -> String {
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests;
