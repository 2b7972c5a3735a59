//! Downloads that ended too early: whatever part of the file is missing, udpcli writes nothing.

use crate::emulator::{Config, Emulator};
use crate::esptool::littlefs;
use crate::images::{Release, TABLE, firmware, font_like, image, table, ufl, xbf};
use crate::refuse::zip;
use crate::release::used_flash;
use crate::support::{file, flash};

fn board(flash: Vec<u8>) -> Emulator {
    Emulator::start(Config {
        flash,
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    })
}

#[test]
fn a_release_that_is_cut_short_anywhere_is_refused() {
    let board = board(vec![0xff; 8 << 20]);
    let mut release = Release::new(60_000, 500, 1);
    release.files = Some(littlefs("main.py", "print('the maker')"));
    let merged = release.merged();
    for (len, says) in [
        // In the boot loader, in the table before its application, after the table, before and in the application.
        (0x2000, "cut short"),
        (0x8040, "no application"),
        (0x8060, "no application"),
        (0x9000, "no application"),
        (0x1_0000, "no application"),
        (0x1_0800, "cut short"),
        // In the files, and in the font: in its table, and in its last glyph.
        (0x20_1000, "file system"),
        (0x3f_ff00, "file system"),
        (0x40_0100, "font"),
        (merged.len() - 8, "font"),
    ] {
        let cut = &merged[..len];
        let path = file(&board, "m.bin", cut);
        let packed = board.folder().join("m.zip");
        zip(&packed, &[("m.bin", cut)]);
        for path in [path, packed] {
            let run = flash(&board, &[path]);
            assert_eq!(run.code, 1, "{len:#x}: {}", run.stderr);
            run.expect_says(&["is not flashed", says, "download it again"]);
        }
    }
    assert!(board.stats().commands.is_empty());
    // The gap before the font contains nothing, so only the font can be missing.
    release.files = None;
    let path = file(&board, "gap.bin", &release.merged()[..0x30_1234]);
    flash(&board, &[path]).expect_code(0).expect_says(&[
        "was its download complete?",
        "looks for its font at 0x400000, but there is none",
    ]);
    // Browsers mark incomplete downloads by an extension.
    let path = file(&board, "m.bin.crdownload", &merged);
    flash(&board, &[path])
        .expect_code(1)
        .expect_says(&["an unfinished download"]);
    // A user who knows better adds --force.
    let path = file(&board, "m.bin", &merged[..0x9000]);
    flash(&board, &[path.as_os_str(), "--force".as_ref()]).expect_code(0);
    assert!(board.flash()[0x8000..].starts_with(&release.table));
}

#[test]
fn fonts_that_are_cut_short_are_refused_at_any_offset() {
    let board = board(vec![0xff; 8 << 20]);
    for (font, at) in [(xbf(300, 8), "0x400000"), (ufl(20_000, 3), "0x700000")] {
        let path = file(&board, "f.bin", &font[..font.len() - 100]);
        let path = format!("{}@{at}", path.display());
        flash(&board, &[&path])
            .expect_code(1)
            .expect_says(&["font", "cut short"]);
        // The last glyph may be blank, and the file may continue after it.
        let mut whole = font;
        let len = whole.len();
        whole[len - 40..].fill(0xff);
        let mut firmware = firmware(20_000, 5);
        let start = usize::from_str_radix(&at[2..], 16).unwrap() - 0x1000;
        firmware.resize(start, 0xff);
        firmware.extend(&whole);
        firmware.resize(firmware.len() + 0x3000, 0xff);
        let path = file(&board, "m.bin", &firmware);
        flash(&board, &[path]).expect_code(0);
        assert!(board.flash()[start + 0x1000..].starts_with(&whole));
    }
}

/// Only an application can go into an application's partition, whichever file the table comes from.
#[test]
fn only_an_application_goes_into_an_app_partition() {
    let release = Release::new(20_000, 100, 3);
    let [(_, boot), (_, table), ..] = release.parts();
    let blank = board(vec![0xff; 8 << 20]);
    let arguments = b"0x1000 boot.bin 0x8000 table.bin 0x10000 app.bin";
    let packed = blank.folder().join("m.zip");
    let junk = font_like(9_000, 5);
    zip(
        &packed,
        &[
            ("flash_args", arguments),
            ("boot.bin", boot),
            ("table.bin", table),
            ("app.bin", &junk),
        ],
    );
    flash(&blank, &[&packed]).expect_code(1).expect_says(&[
        "app.bin in",
        "an application",
        "\"factory\"",
    ]);
    assert_eq!((blank.wear().erased, blank.wear().programmed), (0, 0));

    let used = board(used_flash(&TABLE));
    let path = file(&used, "junk.bin", &junk);
    let at = format!("{}@0x10000", path.display());
    flash(&used, &[at.as_str()])
        .expect_code(1)
        .expect_says(&["an application", "--force"]);
    assert_eq!(used.wear().erased, 0);
    flash(&used, &[at.as_str(), "--force"]).expect_code(0);
    assert!(used.flash()[0x1_0000..].starts_with(&junk));
}

/// A release without an application, although its table has a partition for one.
#[test]
fn firmware_without_its_application_is_incomplete() {
    let board = board(vec![0xff; 8 << 20]);
    let mut bytes = image(0, 0x4007_8000, &font_like(20_000, 4));
    bytes.resize(0x7000, 0xff);
    bytes.extend(table(&TABLE));
    bytes.resize(0x5_0000, 0xff);
    let path = file(&board, "m.bin", &bytes);
    flash(&board, &[&path])
        .expect_code(1)
        .expect_says(&["no application", "0x10000"]);
    // The application may be in another file.
    let release = Release::new(20_000, 100, 3);
    let [_, _, (_, app), _] = release.parts();
    let app = file(&board, "app.bin", app);
    let app = format!("{}@0x10000", app.display());
    flash(&board, &[path.to_str().unwrap(), &app]).expect_code(0);
}
