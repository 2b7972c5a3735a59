//! Boards that plain firmware would damage, and unusual flash chips and headers.

use crate::emulator::{Config, Emulator};
use crate::esptool::run_esptool_on_files;
use crate::images::{Release, firmware, font_like, image};
use crate::support::{file, flash, has_firmware};

/// `EFUSE_BLK0_RDATA0_REG` and `EFUSE_BLK0_RDATA6_REG` (ESP32 Technical Reference Manual, eFuse controller).
const CRYPT: u32 = 0x3ff5_a000;
const DONE: u32 = 0x3ff5_a018;

fn board(config: Config) -> Emulator {
    Emulator::start(Config {
        flash_time: 0.1,
        line_time: 0.25,
        ..config
    })
}

#[test]
fn a_locked_chip_is_not_written() {
    for (address, value, says) in [
        (CRYPT, 1 << 20, "flash encryption"),
        (CRYPT, 0x7f << 20, "flash encryption"),
        (DONE, 1 << 4, "secure boot"),
        (DONE, 1 << 5, "secure boot"),
    ] {
        let board = board(Config {
            efuses: vec![(address, value)],
            ..Config::default()
        });
        let path = file(&board, "m.bin", &firmware(20_000, 1));
        let path = path.to_str().unwrap();
        for arguments in [
            vec![path],
            vec![path, "--force"],
            vec![path, "--erase-all"],
            vec![path, "--dry-run"],
        ] {
            flash(&board, &arguments).expect_code(1).expect_says(&[
                says,
                "eFuse",
                "cannot be switched off",
            ]);
        }
        assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));
    }
    // Encryption was enabled and disabled again: the chip starts any firmware.
    let board = board(Config {
        efuses: vec![(CRYPT, 3 << 20)],
        ..Config::default()
    });
    let path = file(&board, "m.bin", &firmware(20_000, 1));
    flash(&board, &[&path]).expect_code(0);
}

#[test]
fn the_user_can_give_the_size_of_an_unknown_flash_chip() {
    let board = board(Config {
        // A maker that does not use JEDEC's exponent.
        flash_id: Some(0x00_4020),
        ..Config::default()
    });
    let image = firmware(20_000, 1);
    let path = file(&board, "m.bin", &image);
    let path = path.to_str().unwrap();
    flash(&board, &[path])
        .expect_code(1)
        .expect_says(&["0x004020", "--flash-size 8MB"]);
    assert_eq!(board.wear().erased, 0);
    flash(&board, &[path, "--flash-size", "8MB"])
        .expect_code(0)
        .expect_says(&["8 MB of flash"]);
    assert!(has_firmware(&board.flash(), &image));
    for wrong in ["8", "7MB", "0MB", "1GB", "8 apples", "256MB"] {
        flash(&board, &[path, "--flash-size", wrong]).expect_code(2);
    }
    // The size from the chip is the upper limit, whatever the user gives.
    let board = self::board(Config {
        flash: vec![0xff; 4 << 20],
        ..Config::default()
    });
    let path = file(&board, "f.bin", &font_like(5_000, 3));
    let at = format!("{}@0x600000", path.display());
    flash(&board, &[at.as_str(), "--flash-size", "8MB", "--force"])
        .expect_code(1)
        .expect_says(&["a flash chip of 4 MB"]);
    let at = format!("{}@0x300000", path.display());
    flash(&board, &[at.as_str(), "--flash-size", "2MB"])
        .expect_code(1)
        .expect_says(&["(2 MB)"]);
    assert_eq!(board.wear().erased, 0);
}

fn in_qio_mode(image: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    let mut image = image.to_vec();
    image[2] = 0;
    let end = image.len() - 32;
    let digest = sha2::Sha256::digest(&image[..end]);
    image[end..].copy_from_slice(&digest);
    image
}

#[test]
fn the_boot_loaders_flash_mode_is_kept_by_default() {
    let mut release = Release::new(20_000, 100, 5);
    // The header of mPython 1.0.1 has QIO: 0.
    release.bootloader = in_qio_mode(&release.bootloader);
    let board = board(Config::default());
    let path = file(&board, "m.bin", &release.merged());
    let path = path.to_str().unwrap();
    flash(&board, &[path])
        .expect_code(0)
        .expect_says(&["in QIO mode", "--flash-mode dio"]);
    assert!(board.flash()[0x1000..].starts_with(&release.bootloader));
    let run = flash(&board, &[path, "--flash-mode", "dio"]).expect_code(0);
    assert!(!run.stderr.contains("QIO"), "{}", run.stderr);
    let now = board.flash()[0x1000..0x1000 + release.bootloader.len()].to_vec();
    assert_eq!(now[2], 2);
    // esptool agrees, and the digest is correct.
    let boot = file(&board, "boot.bin", &now);
    let log = run_esptool_on_files(&["image-info", boot.to_str().unwrap()]);
    assert!(log.contains("Flash mode: DIO"), "{log}");
    assert!(log.matches("(valid)").count() >= 2, "{log}");
    let app = file(
        &board,
        "app.bin",
        &image(0, 0x400d_0020, &font_like(5_000, 1)),
    );
    let at = format!("{}@0x10000", app.display());
    flash(&board, &[at.as_str(), "--flash-mode", "dio"])
        .expect_code(2)
        .expect_says(&["changes the boot loader"]);
}

#[test]
fn an_application_alone_on_an_empty_chip_gives_a_note() {
    let board = board(Config::default());
    let app = file(
        &board,
        "app.bin",
        &image(0, 0x400d_0020, &font_like(5_000, 1)),
    );
    let at = format!("{}@0x10000", app.display());
    flash(&board, &[at.as_str(), "--dry-run"])
        .expect_code(0)
        .expect_says(&["no boot loader", "will not start"]);
    flash(&board, &[at.as_str()])
        .expect_code(0)
        .expect_says(&["no boot loader", "will not start"]);
    let path = file(&board, "m.bin", &firmware(20_000, 1));
    flash(&board, &[path.as_path()]).expect_code(0);
    let run = flash(&board, &[at.as_str()]).expect_code(0);
    assert!(!run.stderr.contains("will not start"), "{}", run.stderr);
}
