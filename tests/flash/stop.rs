//! Ctrl-C during a flash run.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::emulator::{Config, Emulator, Fault, Kind, op};
use crate::images::{firmware, font_like};
use crate::support::{command, file, flash, has_firmware};

/// Starts `arguments`, presses Ctrl-C when stderr contains `when`, and returns the rest of stderr.
#[track_caller]
fn stopped(board: &Emulator, arguments: &[&OsStr], when: &str) -> String {
    let mut child = command(board, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains(when) {
        assert_ne!(stderr.read_line(&mut text).unwrap(), 0, "{text}");
    }
    interrupt(&mut child, stderr, text)
}

/// Presses Ctrl-C and checks that the run ends cleanly within two seconds. Returns stderr, with `text` first.
#[track_caller]
fn interrupt(child: &mut Child, mut stderr: impl BufRead, mut text: String) -> String {
    let asked = Instant::now();
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    while stderr.read_line(&mut text).unwrap() > 0 {}
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{text}");
    assert!(text.contains("stopped by Ctrl-C"), "{text}");
    text
}

#[test]
fn ctrl_c_ends_every_step() {
    let board = Emulator::start(Config {
        flash: font_like(8 << 20, 78),
        boot_held: false,
        ..Config::default()
    });
    let path = file(&board, "m.bin", &firmware(700_000, 41));
    let text = stopped(&board, &[path.as_os_str()], "still trying");
    assert!(text.contains("nothing in flash was changed"), "{text}");

    let board = Emulator::start(Config {
        flash: font_like(8 << 20, 78),
        ..Config::default()
    });
    let copy = board.folder().join("copy.bin");
    let backup = ["--backup".as_ref(), copy.as_os_str(), path.as_os_str()];
    let text = stopped(&board, &backup, "backing up");
    assert!(text.contains("nothing in flash was changed"), "{text}");
    assert!(text.contains("press RESET"), "{text}");
    // No partial backup remains.
    let left = std::fs::read_dir(board.folder()).unwrap().count();
    assert_eq!(left, 1, "the port alone");

    let path = file(&board, "m.bin", &firmware(700_000, 41));
    let erase = [path.as_os_str(), "--erase-all".as_ref()];
    let text = stopped(&board, &erase, "erasing");
    assert!(text.contains("partly erased"), "{text}");

    // Half of the flash is blank now, so udpcli compares only the rest.
    let same = file(&board, "same.bin", &board.flash()[0x30_0000..]);
    let same = format!("{}@0x300000", same.display());
    let text = stopped(&board, &[same.as_ref(), "--force".as_ref()], "comparing");
    assert!(text.contains("nothing in flash was changed"), "{text}");
}

#[test]
fn a_finished_backup_is_not_made_again() {
    let board = Emulator::start(Config {
        flash: font_like(1 << 20, 78),
        ..Config::default()
    });
    let path = file(&board, "m.bin", &firmware(400_000, 41));
    let copy = board.folder().join("copy.bin");
    let before = board.flash();
    let arguments = [
        "--backup".as_ref(),
        copy.as_os_str(),
        path.as_os_str(),
        "--force".as_ref(),
    ];
    let text = stopped(&board, &arguments, "writing");
    assert!(text.contains("leave out --backup"), "{text}");
    assert!(std::fs::read(copy).unwrap() == before);
}

#[test]
fn ctrl_c_reports_the_flash_state_and_the_same_command_completes() {
    let board = Emulator::start(Config {
        flash: vec![0x5a; 8 << 20],
        flash_time: 0.1,
        ..Config::default()
    });
    let image = firmware(700_000, 41);
    let path = file(&board, "m.bin", &image);
    let text = stopped(&board, &[path.as_os_str()], "writing");
    for words in ["bytes are written", "run the same command again"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!has_firmware(&board.flash(), &image));

    let before = board.stats().commands.len();
    flash(&board, &[&path]).expect_code(0);
    assert!(has_firmware(&board.flash(), &image));
    // The second run used the stub of the first one.
    assert!(!board.stats().commands[before..].contains(&op::MEM_BEGIN));
}

/// A board with `content` that stalls at the `nth` MD5 command.
fn stalling_board(content: &[u8], nth: Option<usize>) -> Emulator {
    let board = Emulator::start(Config {
        flash: content.to_vec(),
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    });
    if let Some(nth) = nth {
        board.inject(Fault {
            op: op::SPI_FLASH_MD5,
            nth: u32::try_from(nth).unwrap(),
            kind: Kind::Stall(Duration::from_secs(5)),
        });
    }
    board
}

/// The number of MD5 commands.
fn digests(board: &Emulator) -> usize {
    let commands = board.stats().commands.into_iter();
    commands.filter(|&op| op == op::SPI_FLASH_MD5).count()
}

#[test]
fn ctrl_c_ends_verifying_and_the_same_command_completes() {
    let content = vec![0xff; 8 << 20];
    let image = firmware(200_000, 41);
    // The last MD5 of a complete run verifies the last part.
    let board = stalling_board(&content, None);
    let path = file(&board, "m.bin", &image);
    flash(&board, &[path]).expect_code(0);
    let last = digests(&board) - 1;

    let board = stalling_board(&content, Some(last));
    let path = file(&board, "m.bin", &image);
    let text = stopped(&board, &[path.as_os_str()], "writing 100 %");
    for words in [
        "everything is written but not yet verified",
        "run the same command again",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let wear = board.wear();
    flash(&board, &[&path])
        .expect_code(0)
        .expect_says(&["nothing to write", "verified by MD5"]);
    assert_eq!(board.wear(), wear);
    assert!(has_firmware(&board.flash(), &image));
}

#[test]
fn ctrl_c_ends_restoring_and_the_same_command_completes() {
    let content = font_like(1 << 20, 78);
    let blank = vec![0xff; 1 << 20];
    let source = stalling_board(&content, None);
    let copy = source.folder().join("copy.bin");
    flash(&source, &["--backup".as_ref(), copy.as_os_str()]).expect_code(0);
    let restore = ["--restore".as_ref(), copy.as_os_str()];

    let board = stalling_board(&blank, None);
    let text = stopped(&board, &restore, "writing");
    for words in ["bytes are written", "run the same command again"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(board.flash() != content);
    flash(&board, &restore)
        .expect_code(0)
        .expect_says(&["verified by MD5"]);
    assert!(board.flash() == content);

    // During verification.
    let board = stalling_board(&blank, None);
    flash(&board, &restore).expect_code(0);
    let board = stalling_board(&blank, Some(digests(&board) - 1));
    let text = stopped(&board, &restore, "writing 100 %");
    assert!(text.contains("not yet verified"), "{text}");
    flash(&board, &restore)
        .expect_code(0)
        .expect_says(&["nothing to write"]);
    assert!(board.flash() == content);
}

#[test]
fn ctrl_c_ends_erasing_and_the_same_command_completes() {
    let board = Emulator::start(Config {
        flash: font_like(4 << 20, 78),
        flash_time: 0.3,
        ..Config::default()
    });
    let image = firmware(200_000, 41);
    let path = file(&board, "m.bin", &image);
    let arguments = [path.as_os_str(), "--erase-all".as_ref()];
    let text = stopped(&board, &arguments, "erasing");
    assert!(text.contains("partly erased"), "{text}");
    flash(&board, &arguments)
        .expect_code(0)
        .expect_says(&["erasing 100 %", "verified by MD5"]);
    assert!(has_firmware(&board.flash(), &image));
    assert!(board.flash()[0x20_0000..].iter().all(|&byte| byte == 0xff));
}

/// During every examination before the first write: loading the stub, the table, the application, the files.
#[test]
fn ctrl_c_ends_the_examination_of_the_board() {
    let release = crate::images::Release::new(60_000, 100, 3);
    // Another table, so that udpcli reads it.
    let mut entries = crate::images::TABLE;
    entries[1].0 = "phy";
    let used = crate::release::used_flash(&entries);
    for (op, nth) in [
        (op::MEM_DATA, 1),
        (op::READ_REG, 3),
        (op::READ_FLASH, 0),
        (op::SPI_FLASH_MD5, 2),
    ] {
        let board = stalling_board(&used, None);
        board.inject(Fault {
            op,
            nth,
            kind: Kind::Stall(Duration::from_secs(5)),
        });
        let path = file(&board, "m.bin", &release.merged());
        let mut child = command(&board, &[&path])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !board.pending_faults().is_empty() {
            assert!(Instant::now() < deadline, "{op:#x} never came");
            std::thread::sleep(Duration::from_millis(2));
        }
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let text = interrupt(&mut child, stderr, String::new());
        assert!(
            text.contains("nothing in flash was changed"),
            "{op:#x}: {text}"
        );
        assert!(board.flash() == used, "{op:#x}");
        flash(&board, &[&path]).expect_code(0);
        assert_eq!(
            board.flash()[0x20_0000..0x40_0000],
            used[0x20_0000..0x40_0000]
        );
    }
}
