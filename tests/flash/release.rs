//! The maker's release: one image of the whole flash, of which udpcli writes only the firmware.
//!
//! Long because each way in which a release may be wrong has a test.

use std::ops::Range;

use crate::emulator::{Config, Emulator, Mode};
use crate::esptool::{littlefs, littlefs_file, run_esptool, run_esptool_on_files};
use crate::images::{Release, TABLE, application, font_like, image, table};
use crate::refuse::zip;
use crate::support::{file, flash};

const NVS: Range<usize> = 0x9000..0xf000;
const VFS: Range<usize> = 0x20_0000..0x40_0000;
const USER_NVS: Range<usize> = 0x7f_c000..0x80_0000;

/// An entry of a partition table: label, type, subtype, offset, size.
pub(crate) type Entry = (&'static str, u8, u8, u32, u32);

/// The flash of a board that a class has used: other firmware, settings, calibration, a pupil's `main.py`.
pub(crate) fn used_flash(entries: &[Entry]) -> Vec<u8> {
    let mut flash = vec![0x5a; 8 << 20];
    let mut put = |offset: usize, bytes: &[u8]| {
        flash[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    put(0x1000, &image(0, 0x4007_8000, &font_like(18_000, 901)));
    put(0x8000, &[0xff; 0x1000]);
    put(0x8000, &table(entries));
    put(NVS.start, &font_like(NVS.len(), 902));
    let old = application("v2.3.2 on 2023-01-01; mpython with ESP32", 200_000, 903);
    put(0x1_0000, &old);
    put(VFS.start, &littlefs("main.py", "print('Xiaoming')"));
    put(USER_NVS.start, &font_like(USER_NVS.len(), 904));
    flash
}

fn board(flash: Vec<u8>) -> Emulator {
    Emulator::start(Config {
        flash,
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    })
}

/// Checks that `now` contains `parts` and is otherwise unchanged, apart from the rest of the erased sectors.
#[track_caller]
fn only_parts_changed(before: &[u8], now: &[u8], parts: &[(usize, &[u8])]) {
    let mut expected = before.to_vec();
    for (offset, bytes) in parts {
        let end = (offset + bytes.len()).next_multiple_of(0x1000);
        expected[*offset..end].fill(0xff);
        expected[*offset..offset + bytes.len()].copy_from_slice(bytes);
    }
    let differ = expected.iter().zip(now).position(|(a, b)| a != b);
    assert_eq!(differ.map(|at| format!("{at:#x}")), None);
    assert_eq!(expected.len(), now.len());
}

#[test]
fn a_release_is_written_in_parts_and_the_boards_data_stays() {
    let before = used_flash(&TABLE);
    let release = Release::new(300_000, 4_000, 1);
    for packed in [false, true] {
        let board = board(before.clone());
        let path = if packed {
            let path = board.folder().join("release.zip");
            zip(&path, &[("mpython/a name.BIN", &release.merged())]);
            path
        } else {
            file(&board, "download (3)", &release.merged())
        };
        let run = flash(&board, &[path]).expect_code(0).expect_says(&[
            "verified by MD5",
            "MicroPython v2.6.1",
            "the board's files",
        ]);
        for (label, action) in [
            ("boot loader", "write"),
            ("partitions", "write"),
            ("nvs", "keep"),
            ("factory", "write"),
            ("vfs", "keep"),
            ("font", "write"),
            ("user_nvs", "keep"),
        ] {
            let mut rows = run.stderr.lines().filter(|line| line.starts_with(label));
            assert!(
                rows.any(|row| row.contains(action)),
                "{label}: {}",
                run.stderr
            );
        }
        only_parts_changed(&before, &board.flash(), &release.parts());
        assert_eq!(board.wear().spoilt, 0);
        assert_eq!(
            littlefs_file(&board.flash()[VFS], "main.py"),
            "print('Xiaoming')"
        );
    }
}

#[test]
fn files_are_replaced_only_on_request() {
    let before = used_flash(&TABLE);
    let mut release = Release::new(60_000, 500, 11);
    release.files = Some(littlefs("main.py", "print('the maker')"));
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    let path = path.to_str().unwrap();
    flash(&board, &[path]).expect_code(0).expect_says(&[
        "contains files of its own, which udpcli does not write",
        "--files replace",
    ]);
    only_parts_changed(&before, &board.flash(), &release.parts());
    // The user can also request it.
    flash(&board, &[path, "--files", "keep"])
        .expect_code(0)
        .expect_says(&["nothing to write"]);

    let run = flash(&board, &[path, "--files", "replace"])
        .expect_code(0)
        .expect_says(&["replaces the board's files"]);
    let planned = run
        .stderr
        .find("replaces the board's files (--files replace)")
        .unwrap();
    assert!(
        planned < run.stderr.find("writing").unwrap(),
        "{}",
        run.stderr
    );
    let now = board.flash();
    assert_eq!(now[VFS], release.files.as_ref().unwrap()[..]);
    // esptool reads the same files. It does not look for a stub that is already running, so reset the chip.
    board.set_lines(false, true);
    board.set_lines(false, false);
    board.wait_for(Mode::Rom);
    let copy = board.folder().join("copy.bin");
    let copy = copy.to_str().unwrap();
    run_esptool(&board, 921_600, &["read-flash", "0x200000", "0x8000", copy]);
    let mut copy = std::fs::read(copy).unwrap();
    copy.resize(VFS.len(), 0xff);
    assert_eq!(littlefs_file(&copy, "main.py"), "print('the maker')");
    // The calibration is not part of the files.
    for data in [NVS, USER_NVS] {
        assert_eq!(now[data.clone()], before[data]);
    }
}

#[test]
fn the_plan_names_the_parts_of_flash_in_the_language_of_messages() {
    let release = Release::new(60_000, 500, 21);
    let board = board(used_flash(&TABLE));
    let path = file(&board, "m.bin", &release.merged());
    let path = path.to_str().unwrap();
    let run = flash(&board, &[path, "--dry-run", "--lang", "zh-CN"]).expect_code(0);
    let names: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|row| row.split(' ').next())
        .collect();
    assert!(
        names.starts_with(&["引导程序", "分区表"])
            // A partition's name is the firmware's own.
            && names.contains(&"vfs")
            && run.stdout.contains("写入")
            && !run.stdout.contains("boot loader"),
        "{}",
        run.stdout
    );
}

#[test]
fn files_are_erased_if_the_firmware_has_none() {
    let before = used_flash(&TABLE);
    let release = Release::new(60_000, 500, 21);
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    let path = path.to_str().unwrap();
    let run = flash(&board, &[path, "--files", "replace", "--dry-run"]).expect_code(0);
    assert!(
        run.stdout
            .lines()
            .any(|row| row.starts_with("vfs") && row.contains("erase")),
        "{}",
        run.stdout
    );
    assert_eq!(board.flash(), before);
    flash(&board, &[path, "--files", "replace"]).expect_code(0);
    let blank = vec![0xff; VFS.len()];
    let parts = release.parts();
    let parts: Vec<_> = parts
        .iter()
        .copied()
        .chain([(VFS.start, &blank[..])])
        .collect();
    only_parts_changed(&before, &board.flash(), &parts);
    // A second run has nothing to do.
    let wear = board.wear();
    flash(&board, &[path, "--files", "replace"])
        .expect_code(0)
        .expect_says(&["nothing to write"]);
    assert_eq!(board.wear(), wear);
}

#[test]
fn a_blank_board_gets_the_whole_release() {
    let mut release = Release::new(60_000, 500, 31);
    release.files = Some(littlefs("main.py", "print('the maker')"));
    let merged = release.merged();
    let board = board(vec![0xff; 8 << 20]);
    let path = file(&board, "m.bin", &merged);
    flash(&board, &[path])
        .expect_code(0)
        .expect_says(&["the board has none"]);
    let now = board.flash();
    assert!(now.starts_with(&merged));
    assert!(now[merged.len()..].iter().all(|&byte| byte == 0xff));
}

/// A pulled cable may leave a board without a partition table, but its files are still there.
#[test]
fn files_survive_a_damaged_table() {
    let mut before = used_flash(&TABLE);
    before[0x8000..0x9000].fill(0xff);
    let mut release = Release::new(60_000, 500, 41);
    release.files = Some(littlefs("main.py", "print('the maker')"));
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    flash(&board, &[path]).expect_code(0);
    only_parts_changed(&before, &board.flash(), &release.parts());
}

#[test]
fn files_that_the_new_firmware_would_not_find_need_a_choice() {
    // mPython 1.x had half as much space for files, and the font after them.
    let mut old = TABLE;
    old[3] = ("vfs", 1, 0x81, 0x20_0000, 0x10_0000);
    let before = used_flash(&old);
    let release = Release::new(60_000, 500, 51);
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    let path = path.to_str().unwrap();
    for dry in [None, Some("--dry-run")] {
        let arguments: Vec<&str> = [path].into_iter().chain(dry).collect();
        flash(&board, &arguments).expect_code(1).expect_says(&[
            "partition \"vfs\" at 0x200000 (1 MB)",
            "its own at 0x200000 (2 MB)",
            "--files replace",
            "--files keep",
            "board get :/",
        ]);
    }
    assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));

    flash(&board, &[path, "--files", "keep"]).expect_code(0);
    only_parts_changed(&before, &board.flash(), &release.parts());
    flash(&board, &[path, "--files", "replace"]).expect_code(0);
    assert!(board.flash()[VFS].iter().all(|&byte| byte == 0xff));
    for data in [NVS, USER_NVS] {
        assert_eq!(board.flash()[data.clone()], before[data]);
    }
}

#[test]
fn files_under_an_application_are_not_kept() {
    let before = used_flash(&TABLE);
    // port/partitions.csv of another branch: a larger application, and the files after it.
    let mut release = Release::new(0x20_0000, 500, 61);
    let mut entries = TABLE;
    entries[2] = ("factory", 0, 0, 0x1_0000, 0x27_0000);
    entries[3] = ("vfs", 1, 0x81, 0x28_0000, 0x18_0000);
    release.table = table(&entries);
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    let path = path.to_str().unwrap();
    flash(&board, &[path])
        .expect_code(1)
        .expect_says(&["0x200000 (2 MB)", "0x280000 (1.5 MB)"]);
    flash(&board, &[path, "--files", "keep"])
        .expect_code(1)
        .expect_says(&["cannot be kept", "--files replace"]);
    assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));
    flash(&board, &[path, "--files", "replace"]).expect_code(0);
    let now = board.flash();
    for (offset, bytes) in release.parts() {
        assert!(now[offset..].starts_with(bytes), "{offset:#x}");
    }
    assert!(now[0x28_0000..0x40_0000].iter().all(|&byte| byte == 0xff));
    for data in [NVS, USER_NVS] {
        assert_eq!(now[data.clone()], before[data]);
    }
    // An empty file system causes no conflict.
    let mut empty = used_flash(&TABLE);
    empty[VFS].fill(0xff);
    let board = self::board(empty);
    let path = file(&board, "m.bin", &release.merged());
    flash(&board, &[path]).expect_code(0);
}

#[test]
fn a_second_font_gives_a_note() {
    let before = used_flash(&TABLE);
    let release = Release::new(60_000, 500, 71);
    let font = crate::images::xbf(600, 72);
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    let font_path = file(&board, "font.xbf", &font);
    flash(
        &board,
        &[path.as_os_str(), "--font".as_ref(), font_path.as_os_str()],
    )
    .expect_code(0)
    .expect_says(&["has a font of its own", "is written instead"]);
    let mut parts = release.parts();
    parts[3].1 = &font;
    only_parts_changed(&before, &board.flash(), &parts);
}

#[test]
fn an_image_merged_by_esptool_is_accepted() {
    let before = used_flash(&TABLE);
    let release = Release::new(60_000, 500, 81);
    let board = board(before.clone());
    let merged = board.folder().join("merged.bin");
    let mut arguments = vec!["merge-bin".to_owned(), "--output".to_owned()];
    arguments.push(merged.display().to_string());
    for (offset, bytes) in release.parts() {
        let part = file(&board, &format!("{offset:x}.bin"), bytes);
        arguments.extend([format!("{offset:#x}"), part.display().to_string()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run_esptool_on_files(&arguments);
    assert_eq!(std::fs::read(&merged).unwrap(), release.merged());
    flash(&board, &[&merged]).expect_code(0);
    only_parts_changed(&before, &board.flash(), &release.parts());
    // esptool accepts the parts as images, too.
    for offset in ["1000", "10000"] {
        let part = board.folder().join(format!("{offset}.bin"));
        let log = run_esptool_on_files(&["image-info", part.to_str().unwrap()]);
        assert!(log.contains("(valid)"), "{log}");
    }
}

#[test]
fn info_shows_the_same_table_for_the_boards_content() {
    let board = board(used_flash(&TABLE));
    let path = file(&board, "m.bin", &Release::new(60_000, 500, 91).merged());
    flash(&board, &[path]).expect_code(0);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_udpcli"));
    command
        .args(["board", "info", "--flash", "--serial"])
        .arg(board.port());
    let run = crate::support::finish(&mut command).expect_code(0);
    for (label, content) in [
        ("boot loader", "DIO mode"),
        ("partitions", "5 partitions"),
        ("nvs", "data nvs: in use"),
        ("factory", "MicroPython v2.6.1"),
        ("vfs", "files (LittleFS)"),
        ("font", "for mPython's firmware"),
        ("user_nvs", "in use"),
    ] {
        let mut rows = run.stdout.lines().filter(|line| line.starts_with(label));
        assert!(
            rows.any(|row| row.contains(content)),
            "{label}: {}",
            run.stdout
        );
    }
}

/// A font, or other bytes, whose offset is in the middle of the board's files.
#[test]
fn a_font_never_overwrites_the_boards_files_without_a_choice() {
    let before = used_flash(&TABLE);
    let board = board(before.clone());
    let font = crate::images::xbf(300, 101);
    let path = file(&board, "font.xbf", &font);
    let at = format!("{}@0x300000", path.display());
    for dry in [None, Some("--dry-run")] {
        let arguments: Vec<&str> = [at.as_str()].into_iter().chain(dry).collect();
        flash(&board, &arguments).expect_code(1).expect_says(&[
            "partition \"vfs\" at 0x200000 (2 MB)",
            "font.xbf",
            "--files replace",
        ]);
    }
    flash(&board, &[at.as_str(), "--files", "keep"])
        .expect_code(1)
        .expect_says(&["cannot be kept"]);
    assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));
    let run = flash(&board, &[at.as_str(), "--files", "replace"]).expect_code(0);
    assert!(
        run.stderr
            .lines()
            .any(|row| row.starts_with("vfs") && row.contains("erase")),
        "{}",
        run.stderr
    );
    let now = board.flash();
    assert!(now[0x30_0000..].starts_with(&font));
    assert!(now[VFS.start..0x30_0000].iter().all(|&byte| byte == 0xff));
    assert_eq!(now[NVS], before[NVS]);

    // With the offset of the whole partition, the user has made the choice.
    let board = self::board(before);
    let files = littlefs("main.py", "print('own')");
    let path = file(&board, "files.bin", &files);
    let run = flash(&board, &[format!("{}@0x200000", path.display())]).expect_code(0);
    assert!(
        run.stderr
            .lines()
            .any(|row| row.starts_with("vfs") && row.contains("in place of the board's files")),
        "{}",
        run.stderr
    );
    assert_eq!(board.flash()[VFS], files[..]);
}

/// mPython 1.4 has half as much space for files, and its font after that.
#[test]
fn older_firmware_with_its_font_needs_a_choice_about_the_files() {
    let before = used_flash(&TABLE);
    let board = board(before.clone());
    let mut entries = TABLE;
    entries[3] = ("vfs", 1, 0x81, 0x20_0000, 0x10_0000);
    let release = Release {
        table: table(&entries),
        application: application("v1.2.0 on 2019-01-26; mPython with ESP32", 60_000, 5),
        ..Release::new(60_000, 1, 111)
    };
    let merged = release.merged();
    let path = file(
        &board,
        "m.bin",
        &merged[..0x1_0000 + release.application.len()],
    );
    let font = file(&board, "font.xbf", &crate::images::xbf(300, 112));
    let (path, font) = (path.to_str().unwrap(), font.to_str().unwrap());
    flash(&board, &[path, "--font", font])
        .expect_code(1)
        .expect_says(&["--files replace"]);
    flash(&board, &[path, "--font", font, "--files", "keep"])
        .expect_code(1)
        .expect_says(&["cannot be kept"]);
    assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));
    flash(&board, &[path, "--font", font, "--files", "replace"]).expect_code(0);
    let now = board.flash();
    assert!(now[0x30_0000..].starts_with(b"GUIX"));
    assert!(now[0x20_0000..0x30_0000].iter().all(|&byte| byte == 0xff));
    for data in [NVS, USER_NVS] {
        assert_eq!(now[data.clone()], before[data]);
    }
}

/// Like [`files_survive_a_damaged_table`]: a backup of another board contains settings, too.
#[test]
fn settings_survive_a_damaged_table() {
    let mut before = used_flash(&TABLE);
    before[0x8000..0x9000].fill(0xff);
    let mine = crate::esptool::nvs("mine");
    let theirs = crate::esptool::nvs("theirs");
    before[NVS].copy_from_slice(&mine);
    let release = Release::new(60_000, 500, 121);
    let mut merged = release.merged();
    merged[NVS].copy_from_slice(&theirs);
    let board = board(before);
    let path = file(&board, "m.bin", &merged);
    flash(&board, &[&path]).expect_code(0);
    assert_eq!(board.flash()[NVS], mine[..]);
    // On an empty board, the settings are part of the image.
    let board = self::board(vec![0xff; 8 << 20]);
    let path = file(&board, "m.bin", &merged);
    flash(&board, &[&path]).expect_code(0);
    assert_eq!(board.flash()[NVS], theirs[..]);
}

#[test]
fn files_of_another_file_system_give_a_note() {
    let mut before = used_flash(&TABLE);
    before[VFS].fill(0);
    before[VFS.start..VFS.start + 3].copy_from_slice(b"\xeb\xfe\x90");
    before[VFS.start + 510..VFS.start + 512].copy_from_slice(b"\x55\xaa");
    let mut release = Release::new(60_000, 500, 131);
    release.files = Some(littlefs("main.py", "print('the maker')"));
    let board = board(before.clone());
    let path = file(&board, "m.bin", &release.merged());
    flash(&board, &[&path]).expect_code(0).expect_says(&[
        "the board's files are in a FAT file system",
        "LittleFS",
        "copy them",
    ]);
    only_parts_changed(&before, &board.flash(), &release.parts());
}
