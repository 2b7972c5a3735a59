//! Identifies files that are not firmware for this board, by their first bytes: a failed download, an archive, text,
//! firmware for another chip. The name of the format tells the user what went wrong.
//!
//! Long because it is one table of file kinds.

use std::borrow::Cow;

use super::image;
use super::pieces::is_blank;
use crate::text::sentence::{Sentence, sentence};

/// A file that is not firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFirmware {
    /// The format, with its article: `an HTML page`.
    pub(crate) what: Sentence,
    /// What the user can do.
    hint: Hint,
    /// No board of this kind can run it, so `--force` does not write it.
    pub(crate) is_final: bool,
}

impl NotFirmware {
    /// A file that is written only with `--force`.
    fn new(what: Sentence, hint: Hint) -> Self {
        Self {
            what,
            hint,
            is_final: false,
        }
    }

    /// What the user can do; mentions `--force` if it helps.
    #[must_use]
    pub(crate) fn hint(&self) -> Sentence {
        self.hint.sentence(!self.is_final)
    }

    /// Whether it is an archive that may contain the right file.
    pub(super) fn is_packed(&self) -> bool {
        self.hint == Hint::Unpack
    }
}

/// What to do with a file that is not firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    Download,
    Unpack,
    Bin,
    OtherBoard,
    Alone,
    Font,
    Lfs,
    Esp8266,
    Blank,
    Unfinished,
    Mpy,
    Describes,
    Python,
}

impl Hint {
    /// The hint as a sentence; with `may_force` it mentions `--force`.
    fn sentence(self, may_force: bool) -> Sentence {
        match (self, may_force) {
            (Self::Download, false) => sentence!("flash.kind-hint-download"),
            (Self::Download, true) => sentence!("flash.kind-hint-download.force"),
            (Self::Unpack, false) => sentence!("flash.kind-hint-unpack"),
            (Self::Unpack, true) => sentence!("flash.kind-hint-unpack.force"),
            (Self::Bin, false) => sentence!("flash.kind-hint-bin"),
            (Self::Bin, true) => sentence!("flash.kind-hint-bin.force"),
            (Self::OtherBoard, false) => sentence!("flash.kind-hint-other-board"),
            (Self::OtherBoard, true) => sentence!("flash.kind-hint-other-board.force"),
            (Self::Alone, false) => sentence!("flash.kind-hint-alone"),
            (Self::Alone, true) => sentence!("flash.kind-hint-alone.force"),
            (Self::Font, false) => sentence!("flash.kind-hint-font"),
            (Self::Font, true) => sentence!("flash.kind-hint-font.force"),
            (Self::Lfs, false) => sentence!("flash.kind-hint-lfs"),
            (Self::Lfs, true) => sentence!("flash.kind-hint-lfs.force"),
            (Self::Esp8266, false) => sentence!("flash.kind-hint-esp8266"),
            (Self::Esp8266, true) => sentence!("flash.kind-hint-esp8266.force"),
            (Self::Blank, false) => sentence!("flash.kind-hint-blank"),
            (Self::Blank, true) => sentence!("flash.kind-hint-blank.force"),
            (Self::Unfinished, false) => sentence!("flash.kind-hint-unfinished"),
            (Self::Unfinished, true) => sentence!("flash.kind-hint-unfinished.force"),
            (Self::Mpy, false) => sentence!("flash.kind-hint-mpy"),
            (Self::Mpy, true) => sentence!("flash.kind-hint-mpy.force"),
            (Self::Describes, false) => sentence!("flash.kind-hint-describes"),
            (Self::Describes, true) => sentence!("flash.kind-hint-describes.force"),
            (Self::Python, false) => sentence!("flash.kind-hint-python"),
            (Self::Python, true) => sentence!("flash.kind-hint-python.force"),
        }
    }
}

/// The magic numbers of known formats.
static MAGIC: [(&[u8], Sentence, Hint); 26] = [
    // udpcli unpacks these formats if it can; they get here as a font or as one of many files.
    (
        b"PK\x03\x04",
        sentence!("flash.kind-a-zip-archive"),
        Hint::Unpack,
    ),
    (
        b"\x7fELF",
        sentence!("flash.kind-a-linked-program-elf"),
        Hint::Alone,
    ),
    (b"UF2\n", sentence!("flash.kind-a-uf2-file"), Hint::Alone),
    (
        b"\x1f\x8b",
        sentence!("flash.kind-a-gzip-archive"),
        Hint::Unpack,
    ),
    (
        b"\xfd7zXZ\0",
        sentence!("flash.kind-an-xz-archive"),
        Hint::Unpack,
    ),
    (
        b"BZh",
        sentence!("flash.kind-a-bzip2-archive"),
        Hint::Unpack,
    ),
    (
        b"\x28\xb5\x2f\xfd",
        sentence!("flash.kind-a-zstd-archive"),
        Hint::Unpack,
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        sentence!("flash.kind-a-7z-archive"),
        Hint::Unpack,
    ),
    (
        b"Rar!\x1a\x07",
        sentence!("flash.kind-a-rar-archive"),
        Hint::Unpack,
    ),
    (
        b"MSCF",
        sentence!("flash.kind-a-windows-cabinet-archive"),
        Hint::Unpack,
    ),
    (
        b"PK\x05\x06",
        sentence!("flash.kind-an-empty-zip-archive"),
        Hint::Download,
    ),
    (b"%PDF-", sentence!("flash.kind-a-pdf-document"), Hint::Bin),
    (b"\x89PNG", sentence!("flash.kind-a-picture-png"), Hint::Bin),
    (
        b"\xff\xd8\xff",
        sentence!("flash.kind-a-picture-jpeg"),
        Hint::Bin,
    ),
    (b"GIF8", sentence!("flash.kind-a-picture-gif"), Hint::Bin),
    // Two bytes are few, but no image of a supported chip begins with them.
    (b"MZ", sentence!("flash.kind-a-windows-program"), Hint::Bin),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        sentence!("flash.kind-a-windows-installer-or-an-office-document"),
        Hint::Bin,
    ),
    (
        b"\xca\xfe\xba\xbe",
        sentence!("flash.kind-a-program-for-macos-or-java"),
        Hint::Bin,
    ),
    (
        b"\xcf\xfa\xed\xfe",
        sentence!("flash.kind-a-program-for-macos"),
        Hint::Bin,
    ),
    (
        b"!<arch>",
        sentence!("flash.kind-a-debian-package-or-a-library"),
        Hint::Bin,
    ),
    (
        b"\0\x01\0\0\0",
        sentence!("flash.kind-a-truetype-font"),
        Hint::Font,
    ),
    (
        b"OTTO",
        sentence!("flash.kind-an-opentype-font"),
        Hint::Font,
    ),
    (
        b"DfuSe",
        sentence!("flash.kind-a-dfu-file-for-stm32-boards"),
        Hint::Bin,
    ),
    (
        b"SQLite format 3\0",
        sentence!("flash.kind-a-database"),
        Hint::Bin,
    ),
    (
        b"version https://git-lfs.github.com/spec/",
        sentence!("flash.kind-a-git-lfs-pointer-which-stands-for-a-file-that-was-not-downloaded"),
        Hint::Lfs,
    ),
    (
        b"aria2",
        sentence!("flash.kind-the-rest-of-an-unfinished-download"),
        Hint::Download,
    ),
];

/// Identifies the file, if it is known not to be firmware.
#[must_use]
pub fn not_firmware(name: &str, bytes: &[u8]) -> Option<NotFirmware> {
    // First, because such an image also begins with the ESP32's magic byte.
    if let Some(chip) = esp8266(bytes) {
        return Some(NotFirmware {
            is_final: true,
            ..NotFirmware::new(chip, Hint::Esp8266)
        });
    }
    if bytes.is_empty() {
        return Some(NotFirmware::new(
            sentence!("flash.kind-an-empty-file"),
            Hint::Download,
        ));
    }
    if is_blank(bytes) {
        return Some(NotFirmware::new(
            sentence!("flash.kind-a-blank-file-nothing-but-ff"),
            Hint::Blank,
        ));
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return Some(NotFirmware::new(
            sentence!("flash.kind-nothing-but-zeros"),
            Hint::Download,
        ));
    }
    let found = MAGIC.iter().find(|(magic, ..)| bytes.starts_with(magic));
    if let Some((_, what, hint)) = found {
        return Some(NotFirmware::new(what.clone(), *hint));
    }
    // The extensions of unfinished downloads in browsers and download managers.
    let unfinished = ["crdownload", "part", "partial", "download", "opdownload"];
    if unfinished
        .iter()
        .any(|extension| has_extension(name, extension))
    {
        return Some(NotFirmware::new(
            sentence!("flash.kind-an-unfinished-download-by-its-name"),
            Hint::Unfinished,
        ));
    }
    // POSIX tar: the magic follows 257 bytes of the first file's header (name, owner, size ..).
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(NotFirmware::new(
            sentence!("flash.kind-a-tar-archive"),
            Hint::Unpack,
        ));
    }
    // MicroPython bytecode: M, then the version of the format, so far 1 to 6 (py/persistentcode.c).
    if let [b'M', 1..=9, ..] = bytes
        && has_extension(name, "mpy")
    {
        return Some(NotFirmware::new(
            sentence!("flash.kind-a-micropython-module"),
            Hint::Mpy,
        ));
    }
    text(name, bytes)
}

/// The number of bytes that decide whether a file is text.
const SAMPLE: usize = 4096;

/// Identifies the kind of text, if the file is text.
fn text(name: &str, bytes: &[u8]) -> Option<NotFirmware> {
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    let text = decode(sample, sample.len() == bytes.len())?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // Pages may begin with comments, so a tag may come a little later.
    let lower: String = text
        .chars()
        .take(200)
        .flat_map(char::to_lowercase)
        .collect();
    let html = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<!--",
    ];
    let first_line = text.lines().next().unwrap_or_default().trim_end();
    let found = if html.iter().any(|tag| lower.starts_with(tag)) || lower.contains("<html") {
        NotFirmware::new(sentence!("flash.kind-an-html-page"), Hint::Download)
    } else if lower.starts_with("<?xml") || lower.starts_with('<') {
        NotFirmware::new(sentence!("flash.kind-an-xml-document"), Hint::Download)
    } else if text.starts_with(['{', '[']) {
        let describes = ["flash_files", "chipfamily", "builds"];
        if describes.iter().any(|key| lower.contains(key)) {
            NotFirmware::new(
                sentence!("flash.kind-json-text-that-only-describes-a-release"),
                Hint::Describes,
            )
        } else {
            NotFirmware::new(sentence!("flash.kind-json-text"), Hint::Download)
        }
    } else if is_intel_hex(first_line) {
        NotFirmware::new(sentence!("flash.kind-an-intel-hex-file"), Hint::OtherBoard)
    } else if is_srec(first_line) {
        NotFirmware::new(
            sentence!("flash.kind-a-motorola-s-record-file"),
            Hint::OtherBoard,
        )
    } else if has_extension(name, "py") {
        NotFirmware::new(sentence!("flash.kind-a-python-program"), Hint::Python)
    } else if has_extension(name, "csv") {
        NotFirmware::new(sentence!("flash.kind-a-table-as-text"), Hint::Bin)
    } else {
        NotFirmware::new(sentence!("flash.kind-text"), Hint::Bin)
    };
    Some(found)
}

/// Decodes `sample` as text; `None` if it is not text. A sample of a longer file may end within a character.
fn decode(sample: &[u8], is_whole: bool) -> Option<Cow<'_, str>> {
    if sample.starts_with(&[0xff, 0xfe]) || sample.starts_with(&[0xfe, 0xff]) {
        let (text, _, damaged) = encoding_rs::UTF_16LE.decode(sample);
        // `decode()` obeys the byte order mark. Flash content that happens to begin with one is not mostly ASCII.
        let plain = text.chars().filter(char::is_ascii).count();
        return (!damaged && plain * 2 > text.chars().count()).then_some(text);
    }
    let is_control = |byte: &u8| *byte < b' ' && !b"\t\n\r\x0c\x1b".contains(byte);
    if sample.iter().any(|byte| is_control(byte) || *byte == 0x7f) {
        return None;
    }
    match std::str::from_utf8(sample) {
        Ok(text) => Some(text.into()),
        Err(error) if error.error_len().is_none() => {
            let whole = sample.get(..error.valid_up_to())?;
            Some(String::from_utf8_lossy(whole))
        }
        Err(_) => {
            let mut decoder = encoding_rs::GBK.new_decoder_without_bom_handling();
            let mut text = String::with_capacity(decoder.max_utf8_buffer_length(sample.len())?);
            let (_, _, damaged) = decoder.decode_to_string(sample, &mut text, is_whole);
            (!damaged).then_some(text.into())
        }
    }
}

/// Whether a name ends in this extension, in any case.
fn has_extension(name: &str, wanted: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(wanted))
}

/// Whether a line is Intel HEX, `:10000000..`: a colon, then length, address, type, data and checksum with two digits
/// per byte.
fn is_intel_hex(line: &str) -> bool {
    line.strip_prefix(':').is_some_and(|digits| {
        digits.len() >= 10
            && digits.len().is_multiple_of(2)
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether a line is an S-record, `S0..` to `S9..`: a type, then length, address, data and checksum with two digits per
/// byte.
fn is_srec(line: &str) -> bool {
    let mut characters = line.chars();
    characters.next() == Some('S')
        && characters.next().is_some_and(|kind| kind.is_ascii_digit())
        && line.len() >= 10
        && characters.all(|character| character.is_ascii_hexdigit())
}

/// Identifies ESP8266 firmware: its image header has 8 bytes, the ESP32's has 24 (esptool, *Firmware Image Format*).
fn esp8266(bytes: &[u8]) -> Option<Sentence> {
    /// The second header, of images that a boot loader starts: `0xea`, then four segments.
    const SECOND: [u8; 2] = [0xea, 4];
    let name = || sentence!("flash.kind-firmware-for-the-esp8266");
    if bytes.starts_with(&SECOND) {
        return Some(name());
    }
    let (&[magic, segments, _, _], rest) = bytes.split_first_chunk()?;
    let (&entry, rest) = rest.split_first_chunk()?;
    let (entry, address) = (
        u32::from_le_bytes(entry),
        u32::from_le_bytes(*rest.first_chunk()?),
    );
    // The address ranges of code (instruction memory and flash) and of data memory. The ESP32's header has pin settings
    // at that place, which are below 0x10000.
    let is_code = |address: u32| (0x4010_0000..0x4030_0000).contains(&address);
    let is_data = |address: u32| (0x3ffe_8000..0x4000_0000).contains(&address);
    let is_one = magic == image::MAGIC
        && (1..=16).contains(&segments)
        && is_code(entry)
        && (is_code(address) || is_data(address));
    is_one.then(name)
}

#[cfg(test)]
mod tests;
