//! Malicious files: udpcli refuses them quickly and with little memory.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::images::elf;
use crate::refuse::zip;
use crate::support::{Finished, finish};

/// More memory than the largest valid file and its content need.
const MEMORY_KB: u32 = 400 << 10;

/// A run without a board and with limited memory; no file here is valid enough to need a board.
fn flash_in_little_memory(path: &Path) -> Finished {
    let mut command = Command::new("sh");
    command
        .arg0("sh")
        .args(["-c", &format!("ulimit -v {MEMORY_KB}; exec \"$@\""), "sh"])
        .arg(env!("CARGO_BIN_EXE_udpcli"))
        .args(["board", "flash", "--serial", "/dev/null/none"])
        .arg(path)
        .stdin(Stdio::null());
    let run = finish(&mut command);
    assert!(run.took < Duration::from_secs(30), "{:?}", run.took);
    run
}

/// Adds a file with `len` bytes of repeated `text` to an archive at `path`.
fn bomb(path: &Path, name: &str, text: &[u8], len: usize, more: &[(&str, &[u8])]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    archive.start_file(name, options).unwrap();
    let chunk = text.repeat((1 << 20) / text.len());
    for _ in 0..len.div_ceil(chunk.len()) {
        archive.write_all(&chunk).unwrap();
    }
    for (name, bytes) in more {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.zip");
    bomb(&path, "a.bin", b"\x02", 200 << 20, &[]);
    flash_in_little_memory(&path)
        .expect_code(1)
        .expect_says(&["a.bin of at most 64 MB", "found more"]);
    // Each of these files alone would be accepted.
    let arguments = b"0x0 a.bin 0x2000000 a.bin";
    bomb(
        &path,
        "a.bin",
        b"\x02",
        33 << 20,
        &[("flash_args", arguments)],
    );
    flash_in_little_memory(&path)
        .expect_code(1)
        .expect_says(&["64 MB in all"]);
    for name in ["flasher_args.json", "flash_args"] {
        bomb(&path, name, b"0x0 a [0,0,", 60 << 20, &[]);
        flash_in_little_memory(&path)
            .expect_code(1)
            .expect_says(&[name, "1 MB"]);
    }
}

#[test]
fn archives_with_too_many_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.zip");
    let names: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    zip(&path, &files);
    flash_in_little_memory(&path)
        .expect_code(1)
        .expect_says(&["10,000"]);
}

#[test]
fn archives_in_archives_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    zip(&path, &[("a.bin", b"no archive")]);
    for _ in 0..300 {
        let inner = std::fs::read(&path).unwrap();
        zip(&path, &[("a.bin", &inner)]);
    }
    flash_in_little_memory(&path)
        .expect_code(1)
        .expect_says(&["another archive", "unpack it"]);
    // A file name with a terminal control sequence.
    zip(&path, &[("\x1b[2J.bin", b"text")]);
    let run = flash_in_little_memory(&path).expect_code(1);
    assert!(!run.stderr.contains('\x1b'), "{}", run.stderr);
}

#[test]
fn programs_with_sections_larger_than_the_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.elf");
    let good = elf();
    let table = u32::from_le_bytes(good[32..36].try_into().unwrap()) as usize;
    // A thousand sections in the chip's memory, all with the same megabytes of the file.
    let len = 4_u32 << 20;
    let mut bytes = good[..table].to_vec();
    bytes.resize(len as usize, 0);
    let mut headers = vec![0; 40];
    for index in 0..1000_u32 {
        let address = 0x4008_0000_u32.wrapping_add(index * len);
        for word in [40, 1, 6, address, 0, len, 0, 0, 4, 0] {
            headers.extend(u32::to_le_bytes(word));
        }
    }
    headers.extend(&good[table + 4 * 40..]);
    bytes[32..36].copy_from_slice(&len.to_le_bytes());
    bytes[48..50].copy_from_slice(&1002_u16.to_le_bytes());
    bytes[50..52].copy_from_slice(&1001_u16.to_le_bytes());
    bytes.extend(headers);
    std::fs::write(&path, bytes).unwrap();
    flash_in_little_memory(&path)
        .expect_code(1)
        .expect_says(&["sections", "damaged"]);
}

#[test]
fn endless_and_special_files_are_refused() {
    flash_in_little_memory(Path::new("/dev/zero"))
        .expect_code(1)
        .expect_says(&["at most 64 MB"]);
    flash_in_little_memory(Path::new("/dev/null"))
        .expect_code(1)
        .expect_says(&["an empty file"]);
    flash_in_little_memory(Path::new("/"))
        .expect_code(3)
        .expect_says(&["cannot read /"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.bin");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    flash_in_little_memory(&path)
        .expect_code(1)
        .expect_says(&["at most 64 MB"]);
}
