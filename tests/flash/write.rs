//! The written content, and the speed.

use std::time::Duration;

use crate::emulator::{Config, Emulator, Fault, Kind, op};
use crate::images::{firmware, font_like};
use crate::support::{file, flash, has_firmware, quick_board};

#[test]
fn firmware_and_font_are_written_at_their_offsets() {
    let board = quick_board();
    let (image, font) = (firmware(250_000, 3), font_like(150_001, 5));
    let (image_file, font_file) = (file(&board, "m.bin", &image), file(&board, "f.bin", &font));
    let arguments = [
        image_file.display().to_string(),
        format!("{}@0x400000", font_file.display()),
    ];

    let first = flash(&board, &arguments).expect_code(0);
    assert_eq!(first.stdout, "");
    let first = first.expect_says(&[
        "ESP32 revision 3.1",
        "24:0a:c4:12:34:56",
        "8 MB",
        "921600",
        "verified by MD5",
        "press RESET",
    ]);
    let flash_now = board.flash();
    assert!(has_firmware(&flash_now, &image));
    assert!(flash_now[0x40_0000..].starts_with(&font));
    assert!(flash_now[..0x1000].iter().all(|&byte| byte == 0x5a));
    let end = (0x1000 + image.len()).next_multiple_of(0x1000);
    assert!(flash_now[end..0x40_0000].iter().all(|&byte| byte == 0x5a));
    assert_eq!(board.wear().spoilt, 0);

    // A second run writes nothing. The stub still runs at its baud rate.
    let wear = board.wear();
    let commands = board.stats().commands.len();
    let again = flash(&board, &arguments)
        .expect_code(0)
        .expect_says(&["nothing to write"]);
    assert_eq!(board.wear(), wear);
    // The firmware's partition table is already there, so it is not read.
    assert!(!board.stats().commands[commands..].contains(&op::READ_FLASH));
    assert!(again.took < first.took, "{:?} {:?}", again.took, first.took);

    // One sector has changed: one piece of 128 KB is written.
    let mut changed = font;
    changed[100_000] ^= 0xff;
    file(&board, "f.bin", &changed);
    flash(&board, &arguments).expect_code(0);
    assert!(board.flash()[0x40_0000..].starts_with(&changed));
    assert_eq!(board.wear().erased - wear.erased, 128 / 4);
}

/// Each fault of the line or the chip that udpcli has to recover from, and the command that it hits.
pub(crate) fn faults() -> Vec<(u8, Kind)> {
    let noise = vec![0xc0, 0x01, 0xff, 0x00, 0xdb, 0xdd, b'x', 0xc0, 0x01, 0x11];
    vec![
        (op::FLASH_DEFL_DATA, Kind::LoseReply),
        (op::FLASH_DEFL_DATA, Kind::LoseCommand),
        (op::FLASH_DEFL_DATA, Kind::DamageCommand),
        (op::FLASH_DEFL_DATA, Kind::DamageReply(2)),
        (op::FLASH_DEFL_DATA, Kind::DamageReply(9)),
        (op::FLASH_DEFL_DATA, Kind::CutReply(5)),
        (op::FLASH_DEFL_DATA, Kind::Noise(noise.clone())),
        (op::FLASH_DEFL_DATA, Kind::Refuse(0xc4)),
        (op::FLASH_DEFL_DATA, Kind::BadBits),
        (op::FLASH_DEFL_DATA, Kind::BrownOut),
        (op::FLASH_DEFL_BEGIN, Kind::LoseReply),
        (op::FLASH_DEFL_BEGIN, Kind::DamageReply(0)),
        (op::FLASH_DEFL_BEGIN, Kind::BrownOut),
        (op::SPI_FLASH_MD5, Kind::WrongMd5),
        (op::SPI_FLASH_MD5, Kind::LoseReply),
        (op::MEM_DATA, Kind::DamageCommand),
        (op::MEM_DATA, Kind::LoseReply),
        (op::MEM_END, Kind::LoseReply),
        (op::SYNC, Kind::Noise(noise)),
        (op::READ_REG, Kind::DamageReply(7)),
        (op::CHANGE_BAUDRATE, Kind::LoseReply),
        (op::CHANGE_BAUDRATE, Kind::LoseCommand),
    ]
}

#[test]
fn every_single_fault_is_recovered() {
    let image = firmware(100_000, 9);
    std::thread::scope(|scope| {
        for (op, kind) in faults() {
            let image = &image;
            scope.spawn(move || {
                for nth in [0, 2] {
                    survive(
                        image,
                        &Fault {
                            op,
                            nth,
                            kind: kind.clone(),
                        },
                    );
                }
            });
        }
    });
}

fn survive(image: &[u8], fault: &Fault) {
    let board = quick_board();
    let image_file = file(&board, "m.bin", image);
    board.inject(fault.clone());
    let run = flash(&board, &[image_file.as_os_str()]);
    assert_eq!(run.code, 0, "{fault:?}: {}", run.stderr);
    // Some commands are sent fewer than three times, but each at least once.
    assert!(
        fault.nth > 0 || board.pending_faults().is_empty(),
        "{fault:?}"
    );
    assert!(has_firmware(&board.flash(), image), "{fault:?}");
    assert!(
        run.took < Duration::from_secs(30),
        "{fault:?}: {:?}: {}",
        run.took,
        run.stderr
    );
}

#[test]
fn a_backup_is_correct_despite_faults() {
    let faults = [
        (0, Kind::LoseReply),
        (0, Kind::DamageReply(3)),
        (3, Kind::DamageReply(40)),
        (3, Kind::LoseReply),
        (5, Kind::CutReply(100)),
        (0, Kind::BrownOut),
    ];
    std::thread::scope(|scope| {
        for (nth, kind) in faults {
            scope.spawn(move || {
                let board = Emulator::start(Config {
                    flash: font_like(1 << 20, 77),
                    ..Config::default()
                });
                board.inject(Fault {
                    op: op::READ_FLASH,
                    nth,
                    kind: kind.clone(),
                });
                let copy = board.folder().join("copy.bin");
                let run = flash(&board, &["--backup".as_ref(), copy.as_os_str()]);
                assert_eq!(run.code, 0, "{nth} {kind:?}: {}", run.stderr);
                assert!(board.pending_faults().is_empty(), "{nth} {kind:?}");
                assert!(
                    std::fs::read(&copy).unwrap() == board.flash(),
                    "{nth} {kind:?}"
                );
            });
        }
    });
}

#[test]
fn a_stall_of_eight_seconds_is_recovered() {
    let image = firmware(100_000, 9);
    survive(
        &image,
        &Fault {
            op: op::FLASH_DEFL_DATA,
            nth: 2,
            kind: Kind::Stall(Duration::from_secs(8)),
        },
    );
}

#[test]
fn a_pulled_cable_ends_within_four_seconds_and_the_same_command_completes() {
    let image = firmware(400_000, 9);
    let mut board = quick_board();
    let image_file = file(&board, "m.bin", &image);
    board.inject(Fault {
        op: op::FLASH_DEFL_DATA,
        nth: 6,
        kind: Kind::Unplug,
    });
    let run = flash(&board, &[image_file.as_os_str()])
        .expect_code(3)
        .expect_says(&["is gone", "bytes are written", "run the same command again"]);
    let since = board.pulled().unwrap().elapsed();
    assert!(since < Duration::from_secs(4), "{since:?}: {}", run.stderr);
    board.plug_in();
    flash(&board, &[image_file.as_os_str()]).expect_code(0);
    assert!(has_firmware(&board.flash(), &image));
}

#[test]
fn writing_works_uncompressed_and_at_a_fixed_rate() {
    let board = Emulator::start(Config {
        flash_time: 0.1,
        ..Config::default()
    });
    let image = firmware(60_000, 9);
    let image_file = file(&board, "m.bin", &image);
    let options = ["--no-compress", "--flash-baud", "460800", "--erase-all"];
    let mut arguments = vec![image_file.as_os_str()];
    arguments.extend(options.iter().map(std::ffi::OsStr::new));
    flash(&board, &arguments)
        .expect_code(0)
        .expect_says(&["460800", "erasing 100 %"]);
    assert!(has_firmware(&board.flash(), &image));
    assert!(!board.stats().bauds.contains(&921_600));
    let odd = file(&board, "odd.bin", &font_like(20_003, 8));
    let arguments = [
        format!("{}@0x300000", odd.display()),
        "--no-compress".to_owned(),
    ];
    flash(&board, &arguments).expect_code(0);
    assert!(board.flash()[0x30_0000..].starts_with(&font_like(20_003, 8)));
}

#[test]
fn esptools_baud_flag_sets_the_data_rate() {
    let board = quick_board();
    let path = file(&board, "m.bin", &firmware(20_000, 9));
    flash(
        &board,
        &[path.as_os_str(), "--baud".as_ref(), "230400".as_ref()],
    )
    .expect_code(0)
    .expect_says(&["at 230400 baud"]);
    assert!(!board.stats().bauds.contains(&921_600));
}

#[test]
fn a_damaged_stub_upload_is_not_a_restart() {
    let board = quick_board();
    board.inject(Fault {
        op: op::MEM_DATA,
        nth: 0,
        kind: Kind::DamageCommand,
    });
    let path = file(&board, "m.bin", &firmware(20_000, 9));
    let run = flash(&board, &[path]).expect_code(0);
    assert!(!run.stderr.contains("restarted"), "{}", run.stderr);
    assert!(board.pending_faults().is_empty());
}
