//! From a running program to download mode and back, through the control lines of a real port: RFC 2217.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;

use crate::emulator::{Config, Emulator, Mode};
use crate::images::{Release, TABLE, firmware};
use crate::release::used_flash;
use crate::rfc2217::Server;
use crate::support::{file, finish, has_firmware};

fn udpcli(server: &Server, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
    command
        .args(["board", "--serial", &server.url()])
        .args(arguments);
    command
}

#[test]
fn auto_reset_works_over_the_network() {
    let board = Arc::new(Emulator::start(Config {
        flash_time: 0.1,
        boot_held: false,
        ..Config::default()
    }));
    board.wait_for(Mode::App);
    let server = Server::start(Arc::clone(&board));

    let image = firmware(60_000, 61);
    let path = file(&board, "m.bin", &image);
    finish(&mut udpcli(&server, &["flash".as_ref(), path.as_os_str()]))
        .expect_code(0)
        .expect_says(&["verified by MD5", "the board starts its program"]);
    assert!(has_firmware(&board.flash(), &image));
    board.wait_for(Mode::App);

    let info = finish(&mut udpcli(&server, &["info".as_ref(), "--flash".as_ref()])).expect_code(0);
    for words in [
        "ESP32 revision 3.1",
        "24:0a:c4:12:34:56",
        "8 MB",
        "app factory",
        "vfs",
    ] {
        assert!(info.stdout.contains(words), "{words}: {}", info.stdout);
    }
    board.wait_for(Mode::App);
    let json = ["info", "--flash", "--format", "json"].map(OsStr::new);
    let info = finish(&mut udpcli(&server, &json)).expect_code(0);
    let object: serde_json::Value = serde_json::from_str(&info.stdout).unwrap();
    assert_eq!(object["flash_size"], 8 << 20);
    assert_eq!(object["partitions"][2]["offset"], 0x1_0000);
}

/// For manual tests, and for the picture in `docs/flash.md`: a board that a class has used, and a release for it.
#[test]
#[ignore = "serves a board until its standard input ends"]
fn a_board_for_manual_tests() {
    let board = Arc::new(Emulator::start(Config {
        flash: used_flash(&TABLE),
        boot_held: false,
        ..Config::default()
    }));
    let release = Release::new(1_500_000, 45_000, 1);
    let path = file(&board, "mpython.bin", &release.merged());
    let server = Server::start(Arc::clone(&board));
    println!("UDPCLI_SERIAL={} {}", server.url(), path.display());
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}
