//! What a file is that is no firmware for this board, by its first bytes: a failed download, an archive, text, firmware
//! for another chip. Whoever sees the name of it knows what went wrong.

use std::borrow::Cow;

use super::image;
use super::pieces::is_blank;

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFirmware {
    /// With its article: `an HTML page`.
    pub what: Cow<'static, str>,
    /// What to do.
    pub hint: &'static str,
    /// No board of this kind can run it: `--force` does not write it.
    pub is_final: bool,
}

impl NotFirmware {
    fn new(what: impl Into<Cow<'static, str>>, hint: &'static str) -> Self {
        Self {
            what: what.into(),
            hint,
            is_final: false,
        }
    }

    /// It is an archive, which may well have the right file in it.
    pub(super) fn is_packed(&self) -> bool {
        self.hint == UNPACK
    }
}

const DOWNLOAD: &str = "the download failed: open the download page in a browser, save the firmware itself, and look at its size (1 to 8 MB)";
const UNPACK: &str = "unpack it, then flash the .bin or .zip inside";
const BIN: &str = "get the firmware itself: a .bin, .zip or .uf2 for the ESP32";
const OTHER_BOARD: &str =
    "it is for another kind of board (the micro:bit takes such files): get the .bin for the ESP32";

/// First bytes that say what a file is.
const MAGIC: [(&[u8], &str, &str); 26] = [
    // These are taken apart where that is possible, and come here where it is not: as a font, or as one of many files.
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (b"\x7fELF", "a linked program (ELF)", ALONE),
    (b"UF2\n", "a UF2 file", ALONE),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"MSCF", "a Windows cabinet archive", UNPACK),
    (b"PK\x05\x06", "an empty ZIP archive", DOWNLOAD),
    (b"%PDF-", "a PDF document", BIN),
    (b"\x89PNG", "a picture (PNG)", BIN),
    (b"\xff\xd8\xff", "a picture (JPEG)", BIN),
    (b"GIF8", "a picture (GIF)", BIN),
    (b"MZ", "a Windows program", BIN),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a Windows installer or an Office document",
        BIN,
    ),
    (b"\xca\xfe\xba\xbe", "a program for macOS or Java", BIN),
    (b"\xcf\xfa\xed\xfe", "a program for macOS", BIN),
    (b"!<arch>", "a Debian package or a library", BIN),
    (b"\0\x01\0\0\0", "a TrueType font", FONT),
    (b"OTTO", "an OpenType font", FONT),
    (b"DfuSe", "a DFU file, for STM32 boards", BIN),
    (b"SQLite format 3\0", "a database", BIN),
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer, which stands for a file that was not downloaded",
        "on the file's page, use its Download button; in a clone, run git lfs pull",
    ),
    (b"aria2", "the rest of an unfinished download", DOWNLOAD),
];

const ALONE: &str = "flash it by itself: it says itself where its parts go";

const FONT: &str =
    "the board reads bitmap fonts only: mPython's is Noto_Sans_CJK_SC_Light16.xbf, from the maker";

/// What the file is, if it is known to be no firmware.
#[must_use]
pub fn not_firmware(name: &str, bytes: &[u8]) -> Option<NotFirmware> {
    if let Some(chip) = esp8266(bytes) {
        return Some(NotFirmware {
            is_final: true,
            ..NotFirmware::new(
                chip,
                "get the firmware for the ESP32; an ESP8266 board is flashed with esptool",
            )
        });
    }
    if bytes.is_empty() {
        return Some(NotFirmware::new("an empty file", DOWNLOAD));
    }
    if is_blank(bytes) {
        return Some(NotFirmware::new(
            "a blank file: nothing but 0xff",
            "get the firmware again; to blank the board, use --erase-all",
        ));
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return Some(NotFirmware::new("nothing but zeros", DOWNLOAD));
    }
    let found = MAGIC.iter().find(|(magic, ..)| bytes.starts_with(magic));
    if let Some((_, what, hint)) = found {
        return Some(NotFirmware::new(*what, hint));
    }
    // What browsers and download managers call a file until it is whole.
    let unfinished = ["crdownload", "part", "partial", "download", "opdownload"];
    if unfinished
        .iter()
        .any(|extension| has_extension(name, extension))
    {
        return Some(NotFirmware::new(
            "an unfinished download, by its name",
            "wait until the browser has finished it, or download it again",
        ));
    }
    // POSIX tar: the magic follows the first file's 257 bytes of name, owner, size ..
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(NotFirmware::new("a tar archive", UNPACK));
    }
    // MicroPython bytecode: M, then the version of the format, 1 to 6 so far (py/persistentcode.c).
    if let [b'M', 1..=9, ..] = bytes
        && has_extension(name, "mpy")
    {
        return Some(NotFirmware::new(
            "a MicroPython module",
            "it goes into the board's file system: udpcli board put",
        ));
    }
    text(name, bytes)
}

/// So much of a file says whether it is text.
const SAMPLE: usize = 4096;

/// What text the file is, if it is text.
fn text(name: &str, bytes: &[u8]) -> Option<NotFirmware> {
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    let text = decode(sample, sample.len() == bytes.len())?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
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
        NotFirmware::new("an HTML page", DOWNLOAD)
    } else if lower.starts_with("<?xml") || lower.starts_with('<') {
        NotFirmware::new("an XML document", DOWNLOAD)
    } else if text.starts_with(['{', '[']) {
        let describes = ["flash_files", "chipfamily", "builds"];
        if describes.iter().any(|key| lower.contains(key)) {
            NotFirmware::new(
                "JSON text that only describes a release",
                "give the .zip that it came in, or the .bin files that it names, each as FILE@OFFSET",
            )
        } else {
            NotFirmware::new("JSON text", DOWNLOAD)
        }
    } else if is_intel_hex(first_line) {
        NotFirmware::new("an Intel HEX file", OTHER_BOARD)
    } else if is_srec(first_line) {
        NotFirmware::new("a Motorola S-record file", OTHER_BOARD)
    } else if has_extension(name, "py") {
        NotFirmware::new(
            "a Python program",
            "to run it: udpcli board run; to store it on the board: udpcli board put",
        )
    } else if has_extension(name, "csv") {
        NotFirmware::new("a table as text", BIN)
    } else {
        NotFirmware::new("text", BIN)
    };
    Some(found)
}

/// `sample` as text; none if it is none. If it is not the whole file, a character may be cut off at its end.
fn decode(sample: &[u8], is_whole: bool) -> Option<Cow<'_, str>> {
    if sample.starts_with(&[0xff, 0xfe]) || sample.starts_with(&[0xfe, 0xff]) {
        let (text, _, damaged) = encoding_rs::UTF_16LE.decode(sample);
        // decode() goes by the byte order mark.
        // Flash that begins so is not mostly letters.
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

fn has_extension(name: &str, wanted: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(wanted))
}

/// `:10000000..`: a colon, then a length, an address, a type, the data, a checksum, two digits a byte.
fn is_intel_hex(line: &str) -> bool {
    line.strip_prefix(':').is_some_and(|digits| {
        digits.len() >= 10
            && digits.len().is_multiple_of(2)
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// `S0..` to `S9..`: a type, then a length, an address, data, a checksum, two digits a byte.
fn is_srec(line: &str) -> bool {
    let mut characters = line.chars();
    characters.next() == Some('S')
        && characters.next().is_some_and(|kind| kind.is_ascii_digit())
        && line.len() >= 10
        && characters.all(|character| character.is_ascii_hexdigit())
}

/// ESP8266 firmware: its image header has 8 bytes, where the ESP32's has 24 (esptool, *Firmware Image Format*).
fn esp8266(bytes: &[u8]) -> Option<&'static str> {
    /// The second header of images that a boot loader starts: `0xea`, then four segments.
    const SECOND: [u8; 2] = [0xea, 4];
    const NAME: &str = "firmware for the ESP8266";
    if bytes.starts_with(&SECOND) {
        return Some(NAME);
    }
    let (&[magic, segments, _, _], rest) = bytes.split_first_chunk()?;
    let (&entry, rest) = rest.split_first_chunk()?;
    let (entry, address) = (
        u32::from_le_bytes(entry),
        u32::from_le_bytes(*rest.first_chunk()?),
    );
    // Instruction memory and flash; data memory. The ESP32's header has the pins' settings at that place: below 0x10000.
    let is_code = |address: u32| (0x4010_0000..0x4030_0000).contains(&address);
    let is_data = |address: u32| (0x3ffe_8000..0x4000_0000).contains(&address);
    let is_one = magic == image::MAGIC
        && (1..=16).contains(&segments)
        && is_code(entry)
        && (is_code(address) || is_data(address));
    is_one.then_some(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn what(bytes: &[u8]) -> Option<String> {
        not_firmware("a.bin", bytes).map(|found| found.what.into_owned())
    }

    #[test]
    fn what_is_no_firmware_is_called_by_its_name() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let gbk = b"\xd5\xc6\xbf\xd8\xb0\xe5 readme\r\n".repeat(300);
        let cases: [(&[u8], &str); 30] = [
            (b"\r\n<!DOCTYPE html>\n<html>", "an HTML page"),
            (b"\xef\xbb\xbf<HTML lang=\"en\">", "an HTML page"),
            (b"<?xml version=\"1.0\"?><html>", "an HTML page"),
            (
                b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey",
                "an XML document",
            ),
            (b"{\"message\": \"Not Found\"}", "JSON text"),
            (
                b"{\"builds\": [{\"chipFamily\": \"ESP32\"}]}",
                "JSON text that only describes a release",
            ),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:",
                "a Git LFS pointer, which stands for a file that was not downloaded",
            ),
            (b":020000040000FA\r\n:1000", "an Intel HEX file"),
            (
                b"S00F000068656C6C6F202020202000003C\r\n",
                "a Motorola S-record file",
            ),
            (b"\x1f\x8b\x08\0", "a gzip archive"),
            (b"\xfd7zXZ\0\0", "an xz archive"),
            (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive"),
            (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
            (&tar, "a tar archive"),
            (b"%PDF-1.7\n\x80", "a PDF document"),
            (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
            (b"MZ\x90\0", "a Windows program"),
            (b"", "an empty file"),
            (&[0xff; 5000], "a blank file: nothing but 0xff"),
            (&[0; 5000], "nothing but zeros"),
            (b"no firmware at all", "text"),
            (b"import machine\n", "text"),
            ("固件\n".as_bytes(), "text"),
            (&gbk, "text"),
            (b"\xff\xfeh\0e\0l\0l\0o\0", "text"),
            (b"PK\x05\x06\0\0", "an empty ZIP archive"),
            (b"\xea\x04\0\0\x10\0\x10\x40", "firmware for the ESP8266"),
            // As esptool's elf2image makes them: entry, then the first segment's address and length.
            (
                b"\xe9\x03\x02\x20\xb0\x00\x10\x40\x00\x00\x10\x40\x54\x05\x00\x00",
                "firmware for the ESP8266",
            ),
            (
                b"\xe9\x01\x00\x00\x04\x00\x10\x40\xe8\x84\xfe\x3f\x54\x05\x00\x00",
                "firmware for the ESP8266",
            ),
            (b"\0\x01\0\0\0\x12GDEF", "a TrueType font"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(what(bytes).as_deref(), Some(expected));
        }
        let hint = |name: &str| not_firmware(name, b"import machine\n").unwrap().hint;
        assert!(hint("main.PY").contains("board put"));
        assert!(!hint("main.bin").contains("board put"));
        assert!(what(b"M\x05\x03").is_none());
        assert!(not_firmware("a.mpy", b"M\x05\x03").is_some());
    }

    #[test]
    fn what_may_be_firmware_is_left_to_others() {
        // An ESP32's header, a partition table, a font, a file system, anything.
        for bytes in [
            &b"\xe9\x04\x02\x20\xb0\x06\x08\x40\xee\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"[..],
            b"\xaa\x50\x01\x02\0\x90\0\0\0\x60\0\0nvs\0",
            b"GUIX\x10\0\x10\0",
            b"\x01\0\0\0\xf0\x0f\xff\xf7littlefs",
            b"\x5a\x80\x01\x02",
        ] {
            assert_eq!(what(bytes), None, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn any_file_is_looked_at(name: String, bytes: Vec<u8>) {
            let _ = not_firmware(&name, &bytes);
        }
    }
}
