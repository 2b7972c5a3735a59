//! Files that are not firmware for this board: udpcli names their format and refuses them before it touches the board.
//!
//! Long because each kind of file has a test.

use std::io::Write as _;
use std::path::Path;

use crate::emulator::{Config, Emulator};
use crate::esptool::esptool;
use crate::images::{Release, elf, firmware, font_like, image, linked, table};
use crate::refuse::zip;
use crate::support::{file, flash, has_firmware};

/// The files in an archive.
type Packed<'a> = &'a [(&'a str, &'a [u8])];

fn board() -> Emulator {
    Emulator::start(Config {
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    })
}

/// A UF2 file with one block for `family`.
fn uf2(family: u32) -> Vec<u8> {
    let mut block = b"UF2\nWQ]\x9e".to_vec();
    for word in [0x2000, 0x1000, 256, 0, 1, family] {
        block.extend(u32::to_le_bytes(word));
    }
    block.resize(508, 7);
    block.extend(0x0ab1_6f30_u32.to_le_bytes());
    block
}

/// A UF2 file of `data` from 0x1000 on, in blocks of 256 bytes, with these flags.
fn uf2_of(data: &[u8], flags: u32) -> Vec<u8> {
    let word = |n: usize| u32::try_from(n).unwrap();
    let count = data.len().div_ceil(256);
    let mut uf2 = Vec::new();
    for (index, data) in data.chunks(256).enumerate() {
        let mut block = b"UF2\nWQ]\x9e".to_vec();
        let address = 0x1000 + index * 256;
        for word in [word(address), word(data.len()), word(index), word(count)] {
            if block.len() == 8 {
                block.extend(flags.to_le_bytes());
            }
            block.extend(word.to_le_bytes());
        }
        block.extend(0x1c5f_21b0_u32.to_le_bytes());
        block.extend(data);
        block.resize(508, 0);
        block.extend(0x0ab1_6f30_u32.to_le_bytes());
        uf2.extend(block);
    }
    uf2
}

#[test]
fn uf2_files_must_be_complete_and_for_this_chip() {
    let board = board();
    let image = firmware(20_000, 31);
    let whole = uf2_of(&image, 0x2000);
    for (bytes, says) in [
        // The files of boards with older boot loaders have no family.
        (uf2_of(&image, 0), "without a chip family"),
        (whole[..whole.len() - 512].to_vec(), "cut short"),
        (whole[..512 * 40].to_vec(), "cut short"),
        // Another program has written into the file.
        (
            [&whole[..512], &[0; 512], &whole[1024..]].concat(),
            "damaged",
        ),
    ] {
        let path = file(&board, "m.uf2", &bytes);
        flash(&board, &[&path]).expect_code(1).expect_says(&[says]);
    }
    let mut damaged = whole.clone();
    damaged[508..512].fill(0);
    let path = file(&board, "m.uf2", &damaged);
    flash(&board, &[&path])
        .expect_code(1)
        .expect_says(&["damaged"]);
    assert!(board.stats().commands.is_empty());
    let path = file(&board, "m.uf2", &uf2_of(&image, 0));
    flash(&board, &[path.as_os_str(), "--force".as_ref()]).expect_code(0);
    assert!(has_firmware(&board.flash(), &image));
    let path = file(&board, "m.uf2", &whole);
    flash(&board, &[path.as_os_str()])
        .expect_code(0)
        .expect_says(&["nothing to write"]);
}

/// A file with an offset is written as it is, so archives and linked programs have to be given without an offset.
#[test]
fn archives_and_programs_are_not_written_unchanged() {
    let board = board();
    let path = board.folder().join("a.zip");
    let inner = board.folder().join("inner.zip");
    zip(&inner, &[("app.bin", b"\xe9")]);
    let inner = std::fs::read(inner).unwrap();
    let boot = firmware(20_000, 31);
    for (name, bytes, says) in [
        ("app.elf", elf(), "ELF"),
        ("app.uf2", uf2(0x1c5f_21b0), "UF2"),
        ("app.zip", inner, "ZIP"),
    ] {
        let arguments = format!("0x1000 boot.bin 0x300000 {name}");
        zip(
            &path,
            &[
                ("flash_args", arguments.as_bytes()),
                ("boot.bin", &boot),
                (name, &bytes),
            ],
        );
        flash(&board, &[&path])
            .expect_code(1)
            .expect_says(&[name, says]);
        let font = file(&board, name, &bytes);
        let at = format!("{}@0x400000", font.display());
        flash(&board, &["--font", &at])
            .expect_code(1)
            .expect_says(&["expected a font", says]);
    }
    assert!(board.stats().commands.is_empty());
    // Without an offset, in an archive without a description, it defines where its parts go.
    zip(
        &path,
        &[("build/m.uf2", &uf2_of(&boot, 0x2000)), ("readme", b"x")],
    );
    flash(&board, &[&path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &boot));
}

/// Offsets from the makers' older pages, and wrong guesses.
#[test]
fn an_offset_that_the_file_contradicts_is_refused() {
    let board = board();
    let release = file(&board, "m.bin", &Release::new(20_000, 100, 3).merged());
    let firmware = file(&board, "fw.bin", &firmware(20_000, 31));
    for (path, at) in [
        (&release, "0x1000"),
        (&release, "0x10000"),
        (&firmware, "0x0"),
        (&firmware, "0x10000"),
    ] {
        flash(&board, &[at, path.to_str().unwrap()])
            .expect_code(1)
            .expect_says(&["leave", "@OFFSET: the file contains its own offset"]);
    }
    assert!(board.stats().commands.is_empty());
}

/// An ELF file with one section at `address` for `machine`.
fn program(machine: u16, address: u32) -> Vec<u8> {
    let mut elf = elf();
    elf[18..20].copy_from_slice(&machine.to_le_bytes());
    let table = u32::from_le_bytes(elf[32..36].try_into().unwrap()) as usize;
    // The second section's address.
    elf[table + 2 * 40 + 12..][..4].copy_from_slice(&address.to_le_bytes());
    elf
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_failed_download_is_identified() {
    let board = board();
    let mut tar = vec![b'x'; 512];
    tar[0] = 0;
    tar[257..262].copy_from_slice(b"ustar");
    let gbk: &[u8] = b"\xd5\xc6\xbf\xd8\xb0\xe5\r\n";
    let cases: [(&str, &[u8], &str, &str); 22] = [
        (
            "m.bin",
            b"\n<!doctype HTML>\n<html>",
            "an HTML page",
            "the download failed",
        ),
        (
            "m.bin",
            b"<?xml version=\"1.0\"?><Error/>",
            "an XML document",
            "the download failed",
        ),
        (
            "m.bin",
            b"{\"message\":\"Not Found\"}",
            "JSON text",
            "the download failed",
        ),
        (
            "manifest.json",
            b"{\"name\":\"x\",\"builds\":[]}",
            "only describes a release",
            ".zip",
        ),
        (
            "m.bin",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "a Git LFS pointer",
            "Download button",
        ),
        (
            "m.hex",
            b":10010000214601360121470136007EFE09D2190140\n",
            "an Intel HEX file",
            "micro:bit",
        ),
        (
            "m.srec",
            b"S00F000068656C6C6F202020202000003C\n",
            "a Motorola S-record",
            "ESP32",
        ),
        (
            "m.bin.gz",
            b"\x1f\x8b\x08\0\0\0",
            "a gzip archive",
            "unpack it",
        ),
        ("m.bin", b"\xfd7zXZ\0\0\x04", "an xz archive", "unpack it"),
        (
            "m.7z",
            b"7z\xbc\xaf\x27\x1c\0\x04",
            "a 7z archive",
            "unpack it",
        ),
        ("m.rar", b"Rar!\x1a\x07\x01\0", "a RAR archive", "unpack it"),
        ("m.tar", &tar, "a tar archive", "unpack it"),
        ("m.pdf", b"%PDF-1.5\n%\xe2\xe3", "a PDF document", ".bin"),
        ("m.exe", b"MZ\x90\0\x03", "a Windows program", ".bin"),
        (
            "main.py",
            b"from mpython import *\n",
            "a Python program",
            "board put",
        ),
        ("README.md", b"# mPython\n", "text", ".bin"),
        ("m.txt", gbk, "text", ".bin"),
        ("m.bin", b"", "an empty file", "the download failed"),
        ("m.bin", &[0xff; 9_000], "nothing but 0xff", "--erase-all"),
        (
            "m.bin",
            &[0; 9_000],
            "nothing but zeros",
            "the download failed",
        ),
        (
            "m.zip",
            b"PK\x05\x06\0\0\0\0",
            "an empty ZIP archive",
            "the download failed",
        ),
        (
            "m.zip",
            b"PK\x03\x04 and no more",
            "ZIP",
            "download it again",
        ),
    ];
    for (name, bytes, found, hint) in cases {
        let path = file(&board, name, bytes);
        for at in ["", "@0x10000"] {
            let run = flash(&board, &[format!("{}{at}", path.display())]);
            assert_eq!(run.code, 1, "{name}{at}: {}", run.stderr);
            run.expect_says(&["is not flashed", found, hint]);
        }
    }
    assert!(board.stats().commands.is_empty());
    // With --force, the user may write any bytes anywhere.
    let path = file(&board, "cert.pem", b"-----BEGIN CERTIFICATE-----\n");
    let at = format!("{}@0x310000", path.display());
    flash(&board, &[at.as_str(), "--force"]).expect_code(0);
    assert!(board.flash()[0x31_0000..].starts_with(b"-----BEGIN"));
}

#[test]
fn firmware_for_another_chip_is_never_written() {
    let board = board();
    let s3 = image(9, 0x403c_9000, &font_like(5_000, 1));
    let mut merged_s3 = s3.clone();
    merged_s3.resize(0x8000, 0xff);
    merged_s3.extend(table(&[("factory", 0, 0, 0x1_0000, 0x10_0000)]));
    let mut p4 = vec![0xff; 0x2000];
    p4.extend(image(18, 0x4ff2_9ed0, &font_like(5_000, 1)));
    // Images from esptool's elf2image for the ESP8266, with a header of eight bytes.
    let mut esp8266 = vec![0xe9, 1, 2, 0x20];
    for word in [0x4010_00b0_u32, 0x4010_0000, 1_000] {
        esp8266.extend(word.to_le_bytes());
    }
    esp8266.extend(font_like(1_000, 2));
    let cases: [(&str, &[u8], &str); 12] = [
        ("s3.bin", &s3, "ESP32-S3"),
        ("s3m.bin", &merged_s3, "ESP32-S3"),
        ("p4.bin", &p4, "ESP32-P4"),
        ("8266.bin", &esp8266, "ESP8266"),
        (
            "8266-2.bin",
            b"\xea\x04\0\0\x04\0\x10\x40\0\0\0\0\0\0\0\0",
            "ESP8266",
        ),
        ("pico.uf2", &uf2(0xe48b_ff56), "RP2040"),
        ("s3.uf2", &uf2(0xc47e_5767), "ESP32-S3"),
        ("odd.uf2", &uf2(0x1234_5678), "family 0x12345678"),
        ("c3.elf", &program(243, 0x4200_0020), "RISC-V"),
        ("arm.elf", &program(40, 0x0800_0000), "ARM"),
        ("pc.elf", &program(62, 0x0040_0000), "x86-64"),
        // The same processor as the ESP32's, but other memory.
        ("s3.elf", &program(94, 0x4200_0020), "another Xtensa chip"),
    ];
    for (name, bytes, other) in cases {
        let path = file(&board, name, bytes);
        let path = path.to_str().unwrap();
        let chip = "--chip=esp32";
        for arguments in [vec![path, chip], vec![path, chip, "--force"]] {
            let run = flash(&board, &arguments);
            assert_eq!(run.code, 1, "{arguments:?}: {}", run.stderr);
            run.expect_says(&["is not flashed", other, "hint:"]);
        }
        if name.contains(".bin") {
            let at = format!("{path}@0x1000");
            flash(&board, &[at.as_str(), chip, "--force"]).expect_code(1);
        }
    }
    assert!(board.stats().commands.is_empty());
}

/// The real tool's images for other chips.
#[test]
fn esptools_images_for_other_chips_are_recognised() {
    let board = board();
    let older = linked(
        0x4010_0004,
        &[
            (".irom0.text", 6, 0x4021_0000, font_like(2_000, 1)),
            (".text", 6, 0x4010_0000, font_like(1_500, 2)),
            (".data", 3, 0x3ffe_8000, font_like(100, 3)),
        ],
    );
    let newer = linked(
        0x4037_8000,
        &[
            (".flash.text", 6, 0x4200_0020, font_like(2_000, 1)),
            (".iram0.text", 6, 0x4037_8000, font_like(1_500, 2)),
        ],
    );
    for (chip, program, says) in [
        ("esp32s3", newer, "ESP32-S3"),
        ("esp8266", older, "ESP8266"),
    ] {
        let source = file(&board, "program.elf", &program);
        let image = board.folder().join("image");
        let output = std::process::Command::new(esptool())
            .args(["--chip", chip, "elf2image", "--output"])
            .args([&image, &source])
            .output()
            .unwrap();
        assert!(output.status.success(), "{chip}: {output:?}");
        // For the ESP8266 the name is only a prefix: the tool makes two files, of which the first is started.
        let made = [image.clone(), board.folder().join("image0x00000.bin")];
        let made = made.iter().find(|path| path.exists()).unwrap();
        for at in ["", "@0x1000"] {
            let path = format!("{}{at}", made.display());
            flash(&board, &[path.as_str(), "--chip=esp32", "--force"])
                .expect_code(1)
                .expect_says(&[says]);
        }
        std::fs::remove_file(made).unwrap();
        // The source file is not written either.
        flash(
            &board,
            &[source.to_str().unwrap(), "--chip=esp32", "--force"],
        )
        .expect_code(1)
        .expect_says(&["another Xtensa chip"]);
    }
    assert!(board.stats().commands.is_empty());
}

#[test]
fn offsets_are_accepted_in_esptools_notation() {
    let board = board();
    let (first, second) = (firmware(20_000, 31), font_like(5_000, 32));
    let (first_path, second_path) = (
        file(&board, "a.bin", &first),
        file(&board, "b.bin", &second),
    );
    let (first_path, second_path) = (first_path.to_str().unwrap(), second_path.to_str().unwrap());
    flash(&board, &["0x1000", first_path, "3145728", second_path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &first));
    assert!(board.flash()[0x30_0000..].starts_with(&second));
    flash(&board, &[second_path, "0x300000"])
        .expect_code(2)
        .expect_says(&["no file follows the offset 0x300000", "fw.bin@0x300000"]);
    flash(&board, &["0x1000", &format!("{first_path}@0x1000")])
        .expect_code(2)
        .expect_says(&["two offsets"]);
}

#[test]
fn an_offset_in_the_name_counts_if_the_content_agrees() {
    let board = board();
    let app = image(0, 0x400d_0020, &font_like(9_000, 2));
    let path = file(&board, "app-0x20000.bin", &app);
    flash(&board, &[&path])
        .expect_code(0)
        .expect_says(&["goes to 0x20000, the offset in its name"]);
    assert!(board.flash()[0x2_0000..].starts_with(&app));
    // An application is not a boot loader, and a file with any content can have any name.
    let path = file(&board, "app-0x1000.bin", &app);
    flash(&board, &[&path])
        .expect_code(2)
        .expect_says(&["application without a boot loader"]);
    let path = file(&board, "data_0x310000.bin", &font_like(5_000, 3));
    flash(&board, &[&path])
        .expect_code(2)
        .expect_says(&["@0x310000"]);
    let release = Release::new(20_000, 100, 3);
    let path = file(&board, "mpython-0x1000.bin", &release.merged());
    flash(&board, &[&path])
        .expect_code(0)
        .expect_says(&["goes to 0x0, the offset in its content"]);
    for (offset, bytes) in release.parts() {
        assert!(board.flash()[offset..].starts_with(bytes), "{offset:#x}");
    }
}

/// A ZIP archive with unchanged member names; the library would refuse some.
fn zip_with_backslashes(path: &Path, files: &[(&str, &[u8])]) {
    // The library writes slashes; names with backslashes have the same length.
    zip(path, files);
    let mut bytes = std::fs::read(path).unwrap();
    for (name, _) in files {
        let odd = name.replace('/', "\\");
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&bytes[at..], name.as_bytes()) {
            bytes[at + found..at + found + name.len()].copy_from_slice(odd.as_bytes());
            at += found + name.len();
        }
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn archives_are_accepted_as_people_pack_them() {
    let release = Release::new(20_000, 100, 3);
    let [(_, boot), (_, table), (_, app), (_, font)] = release.parts();
    let manifest = br#"{"name":"x","builds":[
        {"chipFamily":"ESP32-C3","parts":[{"path":"c3.bin","offset":0}]},
        {"chipFamily":"ESP32","parts":[
            {"path":"../fw/BOOT.bin","offset":4096},{"path":"..\\fw\\table.bin","offset":32768},
            {"path":"../fw/app.bin","offset":65536},{"path":"../fw/font.bin","offset":4194304}]}]}"#;
    let arguments = b"--flash_mode dio --flash_freq 40m --flash_size 8MB\n\
        0x1000 boot\\b.bin\n0x8000 t.bin\n0x10000 A.bin\n0x400000 f.bin\n";
    let merged = release.merged();
    let without_font = &merged[..0x1_0000 + app.len()];
    let quoted = b"0x1000 'my boot.bin' 0x8000 \"t.bin\"\r\n0x10000 a.bin 0x400000 f.bin";
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(quoted.iter().flat_map(|&byte| [byte, 0]))
        .collect();
    let marked = [b"\xef\xbb\xbf", &br#"{"flash_files":{"0x0":"m.bin"}}"#[..]].concat();
    let s3 = image(9, 0x403c_9000, &font_like(5_000, 1));
    let cases: [Packed<'_>; 12] = [
        // In the encodings of Notepad and PowerShell.
        &[
            ("flash_args", &wide),
            ("my boot.bin", boot),
            ("t.bin", table),
            ("a.bin", app),
            ("f.bin", font),
        ],
        &[("flasher_args.json", &marked), ("m.bin", &merged)],
        &[
            (
                "manifest.json",
                br#"{"builds":[{"chipFamily":"ESP32","parts":[{"path":"m.bin","offset":"0x0"}]}]}"#,
            ),
            ("m.bin", &merged),
        ],
        // One file per chip; one file with any name; the extra files of macOS.
        &[("esp32s3/m.bin", &s3), ("esp32/m.bin", &merged)],
        &[("firmware.img", &merged)],
        &[
            ("a/m.bin", &merged),
            ("a/._m.bin", b"\0\x05\x16\x07"),
            ("a/.DS_Store", b"\0\0\0\x01Bud1"),
        ],
        &[
            ("web/Manifest.json", manifest),
            ("fw/boot.BIN", boot),
            ("fw/table.bin", table),
            ("fw/app.bin", app),
            ("fw/font.bin", font),
        ],
        &[
            ("release/sub/FLASH_ARGS", arguments),
            ("release/sub/boot/b.bin", boot),
            ("release/sub/t.bin", table),
            ("release/sub/a.bin", app),
            ("release/sub/f.bin", font),
        ],
        // Names with offsets.
        &[
            ("bootloader-0x1000.bin", boot),
            ("table-0x8000.bin", table),
            ("app-0x10000.bin", app),
            ("font-0x400000.bin", font),
        ],
        // Firmware and font; the font goes where the firmware expects it.
        &[
            ("mpython/FIRMWARE.BIN", without_font),
            ("mpython/Noto_Sans_CJK_SC_Light16.xbf", font),
            ("mpython/readme.txt", b"hello"),
        ],
        &[
            ("mpython.bin", &merged),
            ("__MACOSX/._mpython.bin", b"\0\x05"),
        ],
        &[
            ("a/manifest.json", b"{\"icons\":[]}"),
            ("a/mpython.bin", &merged),
        ],
    ];
    for (index, files) in cases.into_iter().enumerate() {
        for backslashes in [false, true] {
            let board = board();
            let path = board.folder().join("release.zip");
            if backslashes {
                zip_with_backslashes(&path, files);
            } else {
                zip(&path, files);
            }
            let run = flash(&board, &[&path]);
            assert_eq!(run.code, 0, "{index} {backslashes}: {}", run.stderr);
            for (offset, bytes) in release.parts() {
                assert!(
                    board.flash()[offset..].starts_with(bytes),
                    "{index} {offset:#x}"
                );
            }
        }
    }
}

#[test]
fn unclear_archives_get_a_hint() {
    let board = board();
    let path = board.folder().join("a.zip");
    let (first, second) = (firmware(20_000, 31), firmware(20_000, 32));
    let app = image(0, 0x400d_0020, &font_like(9_000, 2));
    let s3_image = image(9, 0x403c_9000, &font_like(5_000, 1));
    let s3 = br#"{"builds":[{"chipFamily":"ESP32-S3","parts":[]}]}"#;
    let far = br#"{"builds":[{"chipFamily":"ESP32","parts":[{"path":"https://x.org/a.bin","offset":0}]}]}"#;
    let cases: [(Packed<'_>, &[&str]); 11] = [
        (
            &[
                ("flasher_args.json", b"{\"flash_files\":{}}"),
                ("a.bin", &first),
            ],
            &["no flash_files", "unpack the archive"],
        ),
        (
            &[("flash_args", b"4096 a.bin"), ("a.bin", &first)],
            &["offsets and files", "unpack the archive"],
        ),
        (
            &[("s3.bin", &s3_image), ("s3b.bin", &s3_image)],
            &["firmware for the ESP32-S3"],
        ),
        (
            &[("v1.bin", &first), ("v2.bin", &second)],
            &["2 .bin files: v1.bin, v2.bin", "unpack the archive"],
        ),
        (
            &[("boot.bin", &first), ("app.bin", &app)],
            &["app.bin, boot.bin", "a.bin@0x1000"],
        ),
        (
            &[("src/main.c", b"int main"), ("src/x.h", b"x")],
            &["2 files, src/main.c", "get the .bin"],
        ),
        (
            &[("m.bin.7z", b"7z\xbc\xaf\x27\x1c")],
            &["m.bin.7z", "unpack it"],
        ),
        (
            &[("m.bin", b"<html>404</html>")],
            &["m.bin in", "an HTML page"],
        ),
        (&[("manifest.json", s3), ("a.bin", &first)], &["ESP32-S3"]),
        (
            &[("manifest.json", far), ("a.bin", &first)],
            &["https://x.org/a.bin", "download that file"],
        ),
        (
            &[("flash_args", b"0x1000 gone.bin"), ("a.bin", &first)],
            &["gone.bin", "found none"],
        ),
    ];
    for (files, says) in cases {
        zip(&path, files);
        flash(&board, &[&path]).expect_code(1).expect_says(says);
    }
    assert!(board.stats().commands.is_empty());
    // A password: bit 0 of the flags in both headers.
    zip(&path, &[("m.bin", &first)]);
    let mut bytes = std::fs::read(&path).unwrap();
    for (magic, at) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let header = memchr::memmem::find(&bytes, magic).unwrap();
        bytes[header + at] |= 1;
    }
    std::fs::File::create(&path)
        .unwrap()
        .write_all(&bytes)
        .unwrap();
    flash(&board, &[&path])
        .expect_code(1)
        .expect_says(&["a password", "unpack it"]);
}
