//! Files that are refused, and the messages.
//!
//! Long because each reason to refuse a file has a test with its message.

use std::io::Write as _;
use std::path::Path;

use espflash::target::Chip;
use udpcli::board::flash::files::{Wanted, load};
use udpcli::board::flash::image::{Image, partitions};

use crate::emulator::{Config, Emulator, Model};
use crate::images::{Random, elf, firmware, font_like, image, table, xbf};
use crate::support::{file, flash, has_firmware, quick_board};

/// A file, its offset, the exit code, and the words of the message.
type Case<'a> = (&'a str, &'a [u8], &'a str, i32, &'a [&'a str]);

/// Checks that nothing was written to the board's flash.
fn untouched(board: &Emulator) {
    assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn files_that_are_not_complete_firmware_for_this_chip_are_refused() {
    let board = quick_board();
    let good = firmware(50_000, 1);
    let mut damaged = good.clone();
    damaged[0xf100] ^= 1;
    let app = image(0, 0x400d_0020, &font_like(9_000, 2));
    let bootloader = image(9, 0x403c_0000, &font_like(9_000, 2));
    let cases: [Case<'_>; 17] = [
        (
            "cut.bin",
            &good[..80_000],
            "@0x1000",
            1,
            &["cut short", "--force"],
        ),
        ("cut2.bin", &good[..9_000], "", 1, &["cut short"]),
        (
            "damaged.bin",
            &damaged,
            "",
            1,
            &["checksum", "download it again", "--force"],
        ),
        (
            "app.bin",
            &app,
            "",
            2,
            &["application without a boot loader", "@0x10000"],
        ),
        (
            "app.bin",
            &app,
            "@0x1001",
            1,
            &["multiple of 0x1000", "0x1001"],
        ),
        ("app.bin", &app, "@10000", 1, &["is 0x10000 meant?"]),
        (
            "app.bin",
            &app,
            "@0x1000",
            1,
            &["found an application", "0x10000", "--force"],
        ),
        (
            "good.bin",
            &good,
            "@0x10000",
            1,
            &["begins with a bootloader", "leave out @OFFSET"],
        ),
        (
            "fw@2.bin",
            &app,
            "@0x1y",
            2,
            &["0x1y is not an offset", "0x1000"],
        ),
        (
            "u.uf2",
            b"UF2\n",
            "@0x1000",
            1,
            &["no offset: a UF2 file contains"],
        ),
        (
            "other.bin",
            &bootloader,
            "",
            1,
            &["firmware for the ESP32-S3"],
        ),
        (
            "data.bin",
            b"\x02no firmware at all",
            "",
            2,
            &["0xe9", "give its offset"],
        ),
        (
            "data.bin",
            b"\x02no firmware at all",
            "@0x1000",
            1,
            &["found 0x02", "--force"],
        ),
        ("empty.bin", b"", "", 1, &["an empty file"]),
        ("pack.gz", &[0x1f, 0x8b, 8, 0], "", 1, &["gzip"]),
        (
            "elf",
            b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0",
            "",
            1,
            &["RISC-V"],
        ),
        ("pack.zip", b"PK\x03\x04 and no more", "", 1, &["ZIP"]),
    ];
    for (name, bytes, at, code, says) in cases {
        let path = file(&board, name, bytes);
        let given = format!("{}{at}", path.display());
        let run = flash(&board, &[given.as_str(), "--chip=esp32"]);
        assert_eq!(run.code, code, "{name}: {}", run.stderr);
        run.expect_says(says);
    }
    untouched(&board);
    // All this happened without a command to the board.
    assert!(board.stats().commands.is_empty());
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let board = quick_board();
    let mut large = firmware(50_000, 1);
    large.truncate(0xf000);
    large.extend(image(0, 0x400d_0020, &font_like(0x1b_0000, 3)));
    let path = file(&board, "large.bin", &large);
    flash(&board, &[path]).expect_code(1).expect_says(&[
        "partition \"factory\"",
        "1769472",
        "--force",
    ]);
    let path = file(&board, "data.bin", &font_like(100, 1));
    flash(&board, &[format!("{}@0x7fffe000", path.display())])
        .expect_code(1)
        .expect_says(&["8 MB"]);
    flash(&board, &["/no/such/file.bin"]).expect_code(3);
    let path = path.display().to_string();
    let pair = [format!("{path}@0x20000"), format!("{path}@0x20000")];
    flash(&board, &pair)
        .expect_code(1)
        .expect_says(&["overlap"]);
    untouched(&board);
}

#[test]
fn firmware_for_a_larger_flash_is_refused() {
    let board = Emulator::start(Config {
        flash: vec![0xff; 4 << 20],
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    });
    let mut bytes = image(0, 0x4007_8000, &font_like(20_000, 4));
    bytes.resize(0x7000, 0xff);
    bytes.extend(table(&[
        ("factory", 0, 0, 0x1_0000, 0x10_0000),
        ("big", 1, 2, 0x70_0000, 0x1000),
    ]));
    bytes.resize(0xf000, 0xff);
    bytes.extend(image(0, 0x400d_0020, &font_like(9_000, 2)));
    let path = file(&board, "m.bin", &bytes);
    flash(&board, &[&path])
        .expect_code(1)
        .expect_says(&["partition \"big\"", "4 MB"]);
    let font = file(&board, "f.xbf", &xbf(50, 1));
    flash(&board, &["--font", &format!("{}@0x400000", font.display())])
        .expect_code(1)
        .expect_says(&["0x400000 (4 MB)"]);
    untouched(&board);
    flash(&board, &[path.as_os_str(), "--force".as_ref()]).expect_code(0);
}

#[test]
fn another_chip_than_the_one_of_the_flag_is_named_as_such() {
    let board = Emulator::start(Config::default());
    // A file that names no chip itself.
    let path = file(&board, "data.bin", &[7; 5_000]);
    let given = format!("{}@0x200000", path.display());
    flash(&board, &["--chip", "esp32s3", &given])
        .expect_code(1)
        .expect_says(&[
            "expected an ESP32-S3, as --chip says",
            "found an ESP32",
            "leave --chip out if the files are for the ESP32",
        ]);
    untouched(&board);
}

#[test]
fn another_chip_is_named() {
    let board = Emulator::start(Config {
        model: Model::Esp32S3,
        ..Config::default()
    });
    let path = file(&board, "m.bin", &firmware(9_000, 1));
    flash(&board, &[path]).expect_code(1).expect_says(&[
        "expected an ESP32, which the firmware is for",
        "found an ESP32-S3",
        "get the file for the ESP32-S3",
    ]);
    untouched(&board);
}

#[test]
fn a_board_that_runs_its_program_gets_a_hint() {
    let board = Emulator::start(Config {
        boot_held: false,
        ..Config::default()
    });
    let path = file(&board, "m.bin", &firmware(9_000, 1));
    flash(
        &board,
        &[
            path.as_os_str(),
            "--connect-timeout".as_ref(),
            "1s".as_ref(),
        ],
    )
    .expect_code(3)
    .expect_says(&[
        "does not answer within",
        "hold BOOT",
        "mPython board, A",
        "RESET",
    ]);
}

#[test]
fn a_dry_run_and_a_backup_change_nothing() {
    let board = Emulator::start(Config {
        flash: font_like(1 << 20, 77),
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    });
    let path = file(&board, "m.bin", &firmware(50_000, 1));
    let run = flash(
        &board,
        &[path.as_os_str(), "--dry-run".as_ref(), "--force".as_ref()],
    )
    .expect_code(0)
    .expect_says(&["would be written"]);
    assert!(
        run.stdout.starts_with("boot loader  0x00001000"),
        "{}",
        run.stdout
    );
    let copy = board.folder().join("copy.bin");
    let backup = ["--backup".as_ref(), copy.as_os_str()];
    flash(&board, &backup).expect_code(0);
    assert_eq!(std::fs::read(&copy).unwrap(), board.flash());
    let commands = board.stats().commands.len();
    flash(&board, &backup)
        .expect_code(3)
        .expect_says(&["there already", "never overwrites"]);
    assert_eq!(board.stats().commands.len(), commands);
    flash(&board, &["--dry-run", "--backup", "x.bin"]).expect_code(2);
    let monitor = ["--monitor", "--after", "no-reset", "x.bin"];
    flash(&board, &monitor)
        .expect_code(2)
        .expect_says(&["has no prompt"]);
    let run = flash(
        &board,
        &[
            path.as_os_str(),
            "--dry-run".as_ref(),
            "--erase-all".as_ref(),
            "--force".as_ref(),
        ],
    );
    run.expect_code(0)
        .expect_says(&["whole flash would be erased", "press RESET"]);
    flash(&board, &["--restore".as_ref(), copy.as_os_str()])
        .expect_code(0)
        .expect_says(&["nothing to write"]);
    untouched(&board);
}

/// A ZIP release of `files`.
pub(crate) fn zip(path: &Path, files: &[(&str, &[u8])]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in files {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn releases_describe_the_offsets_of_their_files() {
    let board = quick_board();
    let (first, second) = (firmware(20_000, 31), font_like(5_000, 32));
    let json = br#"{"flash_files": {"0x1000": "boot/m.bin", "0x300000": "f.bin"}, "extra_esptool_args": {"chip": "esp32"}}"#;
    let path = board.folder().join("a.zip");
    zip(
        &path,
        &[
            ("r/flasher_args.json", json),
            ("r/boot/m.bin", &first),
            ("r/f.bin", &second),
        ],
    );
    flash(&board, &[&path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &first));
    assert!(board.flash()[0x30_0000..].starts_with(&second));
    flash(&board, &[format!("{}@0x10000", path.display())])
        .expect_code(1)
        .expect_says(&["the release contains the offsets"]);

    let other = firmware(20_000, 33);
    let arguments = b"--flash_mode dio --flash_size 8MB\n0x1000 m.bin\n";
    zip(&path, &[("flash_args", arguments), ("m.bin", &other)]);
    flash(&board, &[&path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &other));

    let files: [(&str, &[u8]); 3] = [
        ("only.bin", &first),
        ("__MACOSX/._only.bin", b"\0\x05\x16\x07"),
        ("README.md", b"hello"),
    ];
    zip(&path, &files);
    flash(&board, &[&path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &first));

    let wrong = br#"{"flash_files": {"0x0": "m.bin"}, "extra_esptool_args": {"chip": "esp32s3"}}"#;
    zip(&path, &[("flasher_args.json", wrong), ("m.bin", &first)]);
    flash(&board, &[&path])
        .expect_code(1)
        .expect_says(&["esp32s3"]);
    zip(&path, &[("flash_args", arguments)]);
    flash(&board, &[&path])
        .expect_code(1)
        .expect_says(&["m.bin, which the archive's description names"]);

    // Merged from 0 on, and the same as UF2.
    let mut merged = vec![0xff; 0x1000];
    merged.extend(&other);
    let merged_file = file(&board, "merged.bin", &merged);
    flash(&board, &[merged_file]).expect_code(0);
    let now = board.flash();
    assert!(now[0x8000..].starts_with(&merged[0x8000..0x8c00]));
    assert!(now[0x1_0000..].starts_with(&merged[0x1_0000..]));
    // Blank parts of the image are not written.
    assert!(now[..0x1000].iter().all(|&byte| byte == 0x5a));
    let mut uf2 = Vec::new();
    for (index, data) in first.chunks(256).enumerate() {
        let mut block = b"UF2\n\x57\x51\x5d\x9e".to_vec();
        let address = 0x1000 + u32::try_from(index).unwrap() * 256;
        for word in [
            0x2000,
            address,
            u32::try_from(data.len()).unwrap(),
            0,
            0,
            0x1c5f_21b0,
        ] {
            block.extend(word.to_le_bytes());
        }
        block.extend(data);
        block.resize(508, 0);
        block.extend(0x0ab1_6f30_u32.to_le_bytes());
        uf2.extend(block);
    }
    let path = file(&board, "m.uf2", &uf2);
    flash(&board, &[&path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &first));
    file(&board, "m.uf2", &uf2[..700]);
    flash(&board, &[&path]).expect_code(1).expect_says(&["UF2"]);
}

#[test]
fn an_elf_program_becomes_boot_loader_table_and_application() {
    let board = quick_board();
    let elf = elf();
    let path = file(&board, "program.elf", &elf);
    flash(&board, &[&path]).expect_code(0);
    let now = board.flash();
    for offset in [0x1000, 0x1_0000] {
        assert!(Image::parse(&now[offset..]).is_ok(), "{offset:#x}");
    }
    assert!(partitions(&now[0x8000..]).is_some());
    // Damaged programs are refused, whatever is damaged.
    let mut random = Random(3);
    for _ in 0..300 {
        let mut damaged = elf.clone();
        for _ in 0..3 {
            let headers = usize::try_from(random.next()).unwrap() % 252;
            let at = if headers < 52 {
                headers
            } else {
                elf.len() - 252 + headers
            };
            damaged[at] = random.next().to_le_bytes()[0];
        }
        damaged.truncate(elf.len() - usize::try_from(random.next() % 50).unwrap());
        std::fs::write(&path, &damaged).unwrap();
        let wanted = Wanted {
            chip: Some(Chip::Esp32),
            force: false,
        };
        let _ = load(&path.to_str().unwrap().parse().unwrap(), wanted);
    }
}

#[test]
fn a_port_without_its_folder_gets_a_hint_with_the_full_name() {
    let board = quick_board();
    let path = file(&board, "m.bin", &firmware(9_000, 1));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_udpcli"));
    // This device exists everywhere; opening "null" fails like "ttyUSB0".
    command
        .args(["board", "flash", "--serial", "null"])
        .arg(&path);
    crate::support::finish(&mut command)
        .expect_code(3)
        .expect_says(&["cannot open serial port null", "-s /dev/null"]);
}
