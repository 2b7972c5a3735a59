//! Tests of `kind.rs`.

use super::*;
use proptest::prelude::*;

fn what(bytes: &[u8]) -> Option<String> {
    not_firmware("a.bin", bytes).map(|found| found.what.id.to_owned())
}

#[test]
fn known_formats_are_identified_by_name() {
    let mut tar = vec![0; 512];
    // The magic number of a header (pax(1), POSIX).
    tar[257..262].copy_from_slice(b"ustar");
    // 掌控板 in GBK.
    let gbk = b"\xd5\xc6\xbf\xd8\xb0\xe5 readme\r\n".repeat(300);
    let cases: [(&[u8], &str); 30] = [
        (b"\r\n<!DOCTYPE html>\n<html>", "flash.kind-an-html-page"),
        (b"\xef\xbb\xbf<HTML lang=\"en\">", "flash.kind-an-html-page"),
        (b"<?xml version=\"1.0\"?><html>", "flash.kind-an-html-page"),
        (
            b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey",
            "flash.kind-an-xml-document",
        ),
        (b"{\"message\": \"Not Found\"}", "flash.kind-json-text"),
        (
            b"{\"builds\": [{\"chipFamily\": \"ESP32\"}]}",
            "flash.kind-json-text-that-only-describes-a-release",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:",
            "flash.kind-a-git-lfs-pointer-which-stands-for-a-file-that-was-not-downloaded",
        ),
        (b":020000040000FA\r\n:1000", "flash.kind-an-intel-hex-file"),
        (
            b"S00F000068656C6C6F202020202000003C\r\n",
            "flash.kind-a-motorola-s-record-file",
        ),
        (b"\x1f\x8b\x08\0", "flash.kind-a-gzip-archive"),
        (b"\xfd7zXZ\0\0", "flash.kind-an-xz-archive"),
        (b"7z\xbc\xaf\x27\x1c\0", "flash.kind-a-7z-archive"),
        (b"Rar!\x1a\x07\x01\0", "flash.kind-a-rar-archive"),
        (&tar, "flash.kind-a-tar-archive"),
        (b"%PDF-1.7\n\x80", "flash.kind-a-pdf-document"),
        (b"\x89PNG\r\n\x1a\n", "flash.kind-a-picture-png"),
        (b"MZ\x90\0", "flash.kind-a-windows-program"),
        (b"", "flash.kind-an-empty-file"),
        (&[0xff; 5000], "flash.kind-a-blank-file-nothing-but-ff"),
        (&[0; 5000], "flash.kind-nothing-but-zeros"),
        (b"no firmware at all", "flash.kind-text"),
        (b"import machine\n", "flash.kind-text"),
        ("固件\n".as_bytes(), "flash.kind-text"),
        (&gbk, "flash.kind-text"),
        (b"\xff\xfeh\0e\0l\0l\0o\0", "flash.kind-text"),
        (b"PK\x05\x06\0\0", "flash.kind-an-empty-zip-archive"),
        (
            b"\xea\x04\0\0\x10\0\x10\x40",
            "flash.kind-firmware-for-the-esp8266",
        ),
        // Images as esptool's elf2image makes them: entry point, then the first segment's address and length.
        (
            b"\xe9\x03\x02\x20\xb0\x00\x10\x40\x00\x00\x10\x40\x54\x05\x00\x00",
            "flash.kind-firmware-for-the-esp8266",
        ),
        (
            b"\xe9\x01\x00\x00\x04\x00\x10\x40\xe8\x84\xfe\x3f\x54\x05\x00\x00",
            "flash.kind-firmware-for-the-esp8266",
        ),
        (b"\0\x01\0\0\0\x12GDEF", "flash.kind-a-truetype-font"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(what(bytes).as_deref(), Some(expected));
    }
    let hint = |name: &str| not_firmware(name, b"import machine\n").unwrap().hint().id;
    assert!(hint("main.PY").contains("python"));
    assert!(!hint("main.bin").contains("python"));
    assert!(what(b"M\x05\x03").is_none());
    assert!(not_firmware("a.mpy", b"M\x05\x03").is_some());
}

#[test]
fn possible_firmware_is_not_refused_here() {
    // An ESP32 image header, a partition table, a font, a file system, and arbitrary bytes.
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
    fn any_bytes_are_checked_without_a_panic(name: String, bytes: Vec<u8>) {
        let _ = not_firmware(&name, &bytes);
    }
}
