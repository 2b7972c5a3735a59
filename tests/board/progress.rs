//! How `board put` and `get` show their progress.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use crate::client::board;
use crate::files::random;
use crate::process::udpcli_on_terminal;
use crate::support::VirtualBoard;

/// Several pieces of the longest kind, and two seconds on the line.
const LEN: usize = 100_000;

const NAME: &str = "课程.bin";

/// The screen of a terminal with 200 columns after these bytes; line feeds have no carriage return.
fn screen(bytes: &[u8]) -> Vec<String> {
    let mut parser = vt100::Parser::new(50, 200, 0);
    for &byte in bytes {
        if byte == b'\n' {
            parser.process(b"\r");
        }
        parser.process(&[byte]);
    }
    let rows = parser.screen().rows(0, 200);
    rows.filter(|row| !row.is_empty()).collect()
}

#[test]
fn the_bar_stays_below_the_log_lines_and_disappears_at_the_end() {
    let vboard = VirtualBoard::options().baud(460_800).ready();
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join(NAME);
    fs::write(&local, random(LEN)).unwrap();
    let (local, remote) = (local.to_str().unwrap(), format!(":{NAME}"));
    let back = folder.path().join("back");
    for args in [
        ["put", local, &remote],
        ["get", &remote, back.to_str().unwrap()],
    ] {
        let mut child = udpcli_on_terminal(
            "",
            ["board", "-vv", "-s", &vboard.port, "--line-rate", "keep"]
                .into_iter()
                .chain(args),
        )
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (mut all, mut buffer, mut bars) = (Vec::new(), vec![0; 1 << 16], 0);
        loop {
            let len = stdout.read(&mut buffer).unwrap();
            if len == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..len]);
            // Ignore updates that are not complete yet.
            if !all.ends_with(b"\x1b[?2026l") {
                continue;
            }
            let rows = screen(&all);
            let (bar, above) = rows.split_last().unwrap();
            if bar.contains(['█', '░']) {
                bars += 1;
                assert!(bar.starts_with(&format!("/{NAME} ")), "{bar}");
                for part in [" %  ", &format!(" of {LEN} bytes, "), "B/s, ", " left"] {
                    assert!(bar.contains(part), "{part}: {bar}");
                }
            }
            assert!(
                !above.iter().any(|row| row.contains(['█', '░'])),
                "{rows:#?}"
            );
        }
        assert!(child.wait().unwrap().success(), "{:#?}", screen(&all));
        assert!(bars > 3, "{bars} bars in {:#?}", screen(&all));
        let rows = screen(&all);
        assert!(
            rows.iter().any(|row| row.contains("1 file: 1 written"))
                && !rows.iter().any(|row| row.contains(['█', '░'])),
            "{rows:#?}"
        );
    }
    assert!(fs::read(&back).unwrap() == random(LEN));
}

#[test]
fn without_a_terminal_there_is_a_line_per_ten_percent() {
    let vboard = VirtualBoard::options().ready();
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("data.bin");
    fs::write(&local, random(LEN)).unwrap();
    let (local, back) = (local.to_str().unwrap(), folder.path().join("back"));
    for args in [
        ["put", local, ":data.bin"],
        ["get", ":data.bin", back.to_str().unwrap()],
    ] {
        let finished = board(&vboard, args).expect_code(0);
        let percents: Vec<u64> = finished
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("/data.bin "))
            .filter_map(|line| line.split_once(" %  ")?.0.trim().parse().ok())
            .collect();
        assert!(
            (3..10).contains(&percents.len()) && percents.is_sorted_by(|a, b| a / 10 < b / 10),
            "{percents:?} in {}",
            finished.stderr
        );
    }
    // A short transfer needs no progress lines.
    let small = folder.path().join("small.bin");
    fs::write(&small, random(9000)).unwrap();
    let finished = board(&vboard, ["put", small.to_str().unwrap(), ":"]).expect_code(0);
    assert!(!finished.stderr.contains(" %  "), "{}", finished.stderr);
    let finished = board(&vboard, ["-q", "put", local, ":again.bin"]).expect_code(0);
    assert_eq!(finished.stderr, "");
}
