//! Ctrl-C in the middle.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::emulator::{Config, Emulator, op};
use crate::images::{firmware, font_like};
use crate::support::{command, file, flash, has_firmware, quick_board};

/// Starts `arguments`, presses Ctrl-C when stderr says `when`; what else was on stderr.
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
    // Nothing is left of half a copy.
    let left = std::fs::read_dir(board.folder()).unwrap().count();
    assert_eq!(left, 1, "the port alone");

    let path = file(&board, "m.bin", &firmware(700_000, 41));
    let erase = [path.as_os_str(), "--erase-all".as_ref()];
    let text = stopped(&board, &erase, "erasing");
    assert!(text.contains("partly erased"), "{text}");

    // Half of the flash is blank now; the rest is compared.
    let same = file(&board, "same.bin", &board.flash()[0x30_0000..]);
    let same = format!("{}@0x300000", same.display());
    let text = stopped(&board, &[same.as_ref(), "--force".as_ref()], "comparing");
    assert!(text.contains("nothing in flash was changed"), "{text}");
}

#[test]
fn a_copy_that_was_made_is_not_asked_for_again() {
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
    assert!(text.contains("leave --backup out"), "{text}");
    assert!(std::fs::read(copy).unwrap() == before);
}

#[test]
fn ctrl_c_says_what_is_in_flash_and_the_same_command_completes() {
    let board = quick_board();
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
    // It went on where the first had ended: the stub was still there.
    assert!(!board.stats().commands[before..].contains(&op::MEM_BEGIN));
}
