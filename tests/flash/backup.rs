//! Backups of the flash: making, describing and restoring them.
//!
//! Long because making, describing and restoring share the same flash.

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::emulator::{Config, Emulator, op};
use crate::images::{TABLE, font_like, image, table};
use crate::support::{Finished, command, file, finish, flash};

/// One megabyte of flash: the partition table, and partitions that fit.
fn small_flash(seed: u64) -> Vec<u8> {
    let mut flash = font_like(1 << 20, seed);
    flash[0x8000..0x9000].fill(0xff);
    flash[0x8000..0x8c00].copy_from_slice(&table(&[
        ("nvs", 1, 2, 0x9000, 0x6000),
        ("factory", 0, 0, 0x1_0000, 0x8_0000),
        ("vfs", 1, 0x81, 0x9_0000, 0x2_0000),
    ]));
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

/// The names in the board's folder, without its port.
fn left(board: &Emulator) -> Vec<String> {
    let entries = fs::read_dir(board.folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "port").collect();
    names.sort();
    names
}

#[test]
fn a_backup_is_described_and_overwrites_no_file() {
    let content = small_flash(70);
    let board = board(content.clone());
    // Names that look temporary may belong to the user's own files.
    for name in ["copy.bin.part", "copy.bin.tmp", "copy.bin~"] {
        file(&board, name, b"theirs");
    }
    let copy = board.folder().join("copy.bin");
    let arguments = ["--backup".as_ref(), copy.as_os_str()];
    flash(&board, &arguments)
        .expect_code(0)
        .expect_says(&["copy.bin has the flash as it was", "copy.bin.json"]);
    assert!(fs::read(&copy).unwrap() == content);
    let about = fs::read(board.folder().join("copy.bin.json")).unwrap();
    let about: serde_json::Value = serde_json::from_slice(&about).unwrap();
    assert_eq!(about["chip"], "ESP32");
    assert_eq!(about["mac"], "24:0a:c4:12:34:56");
    assert_eq!(about["flash_size"], 1 << 20);
    assert_eq!(
        (&about["offset"], &about["size"]),
        (&0.into(), &(1 << 20).into())
    );
    assert_eq!(about["partitions"][2]["name"], "vfs");
    let names = left(&board);
    assert_eq!(
        names,
        [
            "copy.bin",
            "copy.bin.json",
            "copy.bin.part",
            "copy.bin.tmp",
            "copy.bin~"
        ]
    );
    for name in &names[2..] {
        assert_eq!(fs::read(board.folder().join(name)).unwrap(), b"theirs");
    }
    // Neither the backup nor its description is overwritten, and the board is not disturbed.
    let commands = board.stats().commands.len();
    for gone in ["copy.bin.json", "copy.bin"] {
        flash(&board, &arguments)
            .expect_code(3)
            .expect_says(&["never overwrites"]);
        fs::remove_file(board.folder().join(gone)).unwrap();
        file(&board, "copy.bin.json", b"{}");
    }
    assert_eq!(board.stats().commands.len(), commands);
}

#[test]
fn a_backup_is_restored_and_verified() {
    let content = small_flash(71);
    let board = board(content.clone());
    let copy = board.folder().join("copy.bin");
    let copy = copy.to_str().unwrap();
    flash(&board, &["--backup", copy]).expect_code(0);
    // Other settings, other files, another program.
    let other = file(&board, "other.bin", &font_like(0xf_0000, 72));
    let other = format!("{}@0x9000", other.display());
    flash(&board, &[other.as_str(), "--force", "--files", "replace"]).expect_code(0);
    assert!(board.flash() != content);

    // Restore the files alone first.
    flash(&board, &["--restore", copy, "--only", "vfs"])
        .expect_code(0)
        .expect_says(&["verified by MD5"]);
    let now = board.flash();
    assert!(now[0x9_0000..0xb_0000] == content[0x9_0000..0xb_0000]);
    assert!(now[0x9000..0x9_0000] != content[0x9000..0x9_0000]);
    flash(&board, &["--restore", copy, "--dry-run"])
        .expect_code(0)
        .expect_says(&["would be written"]);
    assert!(board.flash() == now);
    flash(&board, &["--restore", copy])
        .expect_code(0)
        .expect_says(&["verified by MD5"]);
    assert!(board.flash() == content);
    flash(&board, &["--restore", copy])
        .expect_code(0)
        .expect_says(&["nothing to write"]);

    // Another board accepts the backup too, with a note.
    let other = Emulator::start(Config {
        flash: vec![0xff; 1 << 20],
        flash_time: 0.1,
        line_time: 0.25,
        mac: [1, 2, 3, 4, 5, 6],
        ..Config::default()
    });
    flash(&other, &["--restore", copy])
        .expect_code(0)
        .expect_says(&["the copy is from another board (24:0a:c4:12:34:56)"]);
    assert!(other.flash() == content);
}

#[test]
fn a_partition_is_backed_up_and_restored() {
    let content = small_flash(73);
    let board = board(content.clone());
    for (only, range) in [
        ("vfs", 0x9_0000..0xb_0000),
        ("0xb0000+0x3000", 0xb_0000..0xb_3000),
    ] {
        let copy = board.folder().join("part.bin");
        let copy = copy.to_str().unwrap();
        flash(&board, &["--backup", copy, "--only", only]).expect_code(0);
        assert!(fs::read(copy).unwrap() == content[range.clone()]);
        let other = file(&board, "other", &font_like(range.len(), 74));
        let other = format!("{}@{:#x}", other.display(), range.start);
        flash(&board, &[&other]).expect_code(0);
        assert!(board.flash() != content);
        // The description beside the backup has the offset; without it, the user has to give one.
        let beside = format!("{copy}.json");
        flash(&board, &["--restore", copy]).expect_code(0);
        assert!(board.flash() == content);
        fs::remove_file(&beside).unwrap();
        flash(&board, &["--restore", copy])
            .expect_code(2)
            .expect_says(&["part.bin@0x"]);
        let at = format!("{copy}@{:#x}", range.start);
        flash(&board, &["--restore", &at]).expect_code(0);
        fs::remove_file(copy).unwrap();
    }
    let copy = board.folder().join("none.bin");
    let copy = copy.to_str().unwrap();
    flash(&board, &["--backup", copy, "--only", "nothing"])
        .expect_code(1)
        .expect_says(&["nvs, factory, vfs"]);
    flash(&board, &["--backup", copy, "--only", "0x0+0x200000"]).expect_code(1);
    flash(&board, &["--only", "vfs", "x.bin"]).expect_code(2);
    assert!(!Path::new(copy).exists());
}

#[test]
fn files_that_are_no_backup_for_this_board_are_refused() {
    let board = board(small_flash(75));
    let copy = board.folder().join("copy.bin");
    let copy = copy.to_str().unwrap();
    flash(&board, &["--backup", copy]).expect_code(0);
    let bytes = fs::read(copy).unwrap();
    let mut damaged = bytes.clone();
    damaged[0x5_0000] ^= 1;
    for (content, says) in [
        (&damaged[..], "SHA-256"),
        (&bytes[..0x8_0000], "524288 bytes"),
    ] {
        fs::write(copy, content).unwrap();
        flash(&board, &["--restore", copy])
            .expect_code(1)
            .expect_says(&[says]);
    }
    fs::write(copy, &bytes).unwrap();
    let beside = format!("{copy}.json");
    let about = fs::read_to_string(&beside).unwrap();
    fs::write(&beside, about.replace("\"ESP32\"", "\"ESP32-S3\"")).unwrap();
    flash(&board, &["--restore", copy, "--force"])
        .expect_code(1)
        .expect_says(&["ESP32-S3"]);
    fs::write(&beside, "no JSON").unwrap();
    flash(&board, &["--restore", copy]).expect_code(1);
    fs::remove_file(&beside).unwrap();
    let page = file(&board, "page.bin", b"<html>");
    flash(&board, &["--restore".as_ref(), page.as_os_str()])
        .expect_code(1)
        .expect_says(&["an HTML page"]);
    // Packed as in docs/flash.md.
    let packed = file(&board, "copy.bin.gz", b"\x1f\x8b\x08\0\0\0");
    flash(&board, &["--restore".as_ref(), packed.as_os_str()])
        .expect_code(1)
        .expect_says(&["a gzip archive", "unpack it"]);
    // For another chip: a whole backup from 0 on, and an application without a description.
    let s3 = file(
        &board,
        "s3.bin",
        &image(9, 0x403c_9000, &font_like(5_000, 1)),
    );
    for at in ["0x0", "0x10000"] {
        let s3 = format!("{}@{at}", s3.display());
        flash(&board, &["--restore", &s3, "--force"])
            .expect_code(1)
            .expect_says(&["ESP32-S3"]);
    }
    flash(&board, &["--restore", "/no/such/file"]).expect_code(3);
    flash(&board, &["--restore", copy, "x.bin"]).expect_code(2);
    // Across the border of two partitions.
    let torn = file(&board, "torn.bin", &font_like(0x1_0000, 76));
    let torn = format!("{}@0x88000", torn.display());
    flash(&board, &["--restore", &torn])
        .expect_code(1)
        .expect_says(&["\"factory\""]);
    let beyond = format!("{copy}@0x1000");
    flash(&board, &["--restore", &beyond, "--force"])
        .expect_code(1)
        .expect_says(&["the end of the board's flash"]);
    assert_eq!((board.wear().erased, board.wear().programmed), (0, 0));
}

#[test]
fn a_backup_goes_to_a_pipe() {
    let content = small_flash(77);
    let board = board(content.clone());
    let output = command(&board, &["--backup", "-"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(output.stdout == content, "{log}");
    assert!(left(&board).is_empty());

    // A reader that closes the pipe ends the backup, as with any filter.
    let mut child = command(&board, &["--backup", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0; 1000];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert!(first == content[..1000]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // But without a complete backup, nothing is written.
    let path = file(&board, "x.bin", &font_like(9_000, 78));
    let path = format!("{}@0x90000", path.display());
    let mut child = command(&board, &["--backup", "-", &path, "--force"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(board.flash() == content);
}

/// A stream in the state that another program left it in, and a thread that reads its other end.
fn stream(kind: &str) -> (Stdio, Option<JoinHandle<Vec<u8>>>) {
    let (theirs, ours): (OwnedFd, OwnedFd) = match kind {
        "full" => {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            return (full.into(), None);
        }
        "socket" | "non-blocking socket" => {
            let (theirs, ours) = UnixStream::pair().unwrap();
            (theirs.into(), ours.into())
        }
        _ => {
            let (ours, theirs) = std::io::pipe().unwrap();
            (theirs.into(), ours.into())
        }
    };
    if kind.starts_with("non-blocking") {
        let flags = rustix::fs::fcntl_getfl(&theirs).unwrap();
        rustix::fs::fcntl_setfl(&theirs, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    }
    let reader = std::thread::spawn(move || {
        // The writer has to wait for its reader.
        std::thread::sleep(Duration::from_millis(300));
        let mut all = Vec::new();
        fs::File::from(ours).read_to_end(&mut all).unwrap();
        all
    });
    (theirs.into(), Some(reader))
}

#[test]
fn a_backup_goes_to_every_kind_of_stdout() {
    let content = small_flash(81);
    let board = board(content.clone());
    for (kind, code) in [
        ("pipe", 0),
        ("non-blocking pipe", 0),
        ("socket", 0),
        ("non-blocking socket", 0),
        ("full", 3),
    ] {
        // More than the buffer of a pipe or a socket.
        let (stdout, reader) = stream(kind);
        let mut command = command(&board, &["--backup", "-", "--only", "factory"]);
        let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
        drop(command);
        let output = child.unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{kind}: {said}");
        match reader {
            Some(reader) => {
                assert!(
                    reader.join().unwrap() == content[0x1_0000..0x9_0000],
                    "{kind}"
                );
            }
            None => assert!(said.contains("standard output"), "{kind}: {said}"),
        }
    }
    // No stdout at all, and a terminal, which binary data would upset.
    for (line, code) in [
        ("exec \"$@\" >&-", 0),
        ("exec script -qec \"$*\" /dev/null", 2),
    ] {
        let inner = command(&board, &["--backup", "-", "--only", "nvs"]);
        let mut command = Command::new("sh");
        command.args(["-c", line, "sh"]).arg(inner.get_program());
        command.args(inner.get_args()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(output.stdout.len() < 1000, "{line}");
    }
    assert!(left(&board).is_empty());
}

#[test]
fn ctrl_c_ends_a_backup_whose_reader_stalls() {
    let board = board(small_flash(79));
    let mut child = command(&board, &["--backup", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The pipe holds 64 KB; after that, nobody reads any more.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1000]).unwrap();
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(status.success());
    let asked = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(asked.elapsed() < Duration::from_secs(2), "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(code, Some(130));
}

/// A run with a backup on a disk of `size`, in its own mount namespace.
fn on_a_small_disk(board: &Emulator, folder: &Path, size: &str) -> Finished {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=$2 none \"$1\" && shift 2 && \"$@\"; code=$?; ls -A \"$0\"; exit $code")
        .arg(folder)
        .arg(folder)
        .arg(size)
        .arg(env!("CARGO_BIN_EXE_udpcli"))
        .args(["board", "flash", "--serial"])
        .arg(board.port())
        .arg("--backup")
        .arg(folder.join("copy.bin"));
    finish(&mut command)
}

#[test]
fn a_full_disk_is_reported_before_reading() {
    let content = small_flash(80);
    let board = board(content.clone());
    let folder = tempfile::tempdir().unwrap();
    // The second disk has space for the backup, but not for its description.
    for (size, runs) in [("256k", 1), ("1024k", 2)] {
        let run = on_a_small_disk(&board, folder.path(), size)
            .expect_code(3)
            .expect_says(&["cannot write", "the disk is full"]);
        // No partial backup remains. Only the table was read, on a busy machine more than once; a backup takes sixteen
        // reads.
        assert_eq!(run.stdout, "");
        let reads = board
            .stats()
            .commands
            .into_iter()
            .filter(|&op| op == op::READ_FLASH);
        assert!((runs..8 * runs).contains(&reads.count()), "{size}");
    }
    // The same command with enough space.
    let copy = folder.path().join("copy.bin");
    flash(&board, &["--backup".as_ref(), copy.as_os_str()]).expect_code(0);
    assert!(fs::read(&copy).unwrap() == content);
}

#[test]
fn a_file_that_changes_during_the_run_has_no_effect() {
    use std::io::{BufRead as _, BufReader};
    let board = board(vec![0xff; 8 << 20]);
    let release = crate::images::Release {
        table: table(&TABLE),
        ..crate::images::Release::new(400_000, 100, 5)
    };
    let path = file(&board, "m.bin", &release.merged());
    let mut child = command(&board, &[&path])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut log = String::new();
    while !log.contains("writing") {
        assert_ne!(stderr.read_line(&mut log).unwrap(), 0, "{log}");
    }
    // Another download under the same name; then the file disappears.
    fs::write(&path, b"<html>").unwrap();
    fs::remove_file(&path).unwrap();
    while stderr.read_line(&mut log).unwrap() > 0 {}
    assert_eq!(child.wait().unwrap().code(), Some(0), "{log}");
    for (offset, bytes) in release.parts() {
        assert!(board.flash()[offset..].starts_with(bytes), "{offset:#x}");
    }
    flash(&board, &[&path])
        .expect_code(3)
        .expect_says(&["cannot read"]);
}
