//! The screens in docs/flash.md are real: this test runs each command of the page, in order, on one board.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::emulator::{Config, Emulator};
use crate::images::{Release, TABLE, table};
use crate::release::used_flash;
use crate::support::{file, finish};

/// The console blocks of a page, split into lines.
fn screens(page: &str) -> Vec<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    let blocks = text.split("```console\n").skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0)
        .map(|block| block.lines().map(str::to_owned).collect())
        .collect()
}

/// Whether `line` matches `shown`, where `..` stands for any text.
fn matches(shown: &str, line: &str) -> bool {
    let mut parts = shown.split("..");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = part.is_empty();
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    open || rest.is_empty()
}

/// Whether a line shows progress; the page leaves these out, because they differ in each run.
fn is_progress(line: &str) -> bool {
    let mut words = line.split(" %  ");
    words.next().is_some_and(|before| {
        let digits = before.trim_end_matches(|c: char| c.is_ascii_digit());
        digits.len() < before.len()
    }) && words
        .next()
        .is_some_and(|after| after.contains(" bytes") || after.contains(" 字节"))
}

#[test]
fn both_languages_show_screens_of_the_same_commands_and_lengths() {
    let outline = |page: &str| -> Vec<(String, usize)> {
        let screens = screens(page).into_iter();
        screens
            .map(|lines| (lines[0].clone(), lines.len()))
            .collect()
    };
    assert_eq!(outline("docs/flash.zh-CN.md"), outline("docs/flash.md"));
}

#[test]
fn each_screen_of_the_page_is_the_programs_output() {
    screens_are_output("docs/flash.md", "en");
}

#[test]
fn each_screen_of_the_chinese_page_is_the_programs_output_in_chinese() {
    screens_are_output("docs/flash.zh-CN.md", "zh-CN");
}

fn screens_are_output(page: &str, language: &str) {
    let board = Emulator::start(Config {
        flash: used_flash(&TABLE),
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    });
    let release = Release::new(300_000, 4_000, 1);
    let mut entries = TABLE;
    entries[3] = ("vfs", 1, 0x81, 0x28_0000, 0x18_0000);
    let mut other = Release::new(60_000, 500, 2);
    other.table = table(&entries);
    file(&board, "mpython.bin", &release.merged());
    file(&board, "other.bin", &other.merged());
    file(&board, "page.bin", b"<!DOCTYPE html><html>");
    let shown = screens(page);
    assert!(shown.len() >= 6, "{shown:?}");
    for screen in shown {
        let (first, lines) = screen.split_first().unwrap();
        let words = first.strip_prefix("$ udpcli ").unwrap().split(' ');
        let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
        command
            .args(words)
            .current_dir(board.folder())
            .env("UDPCLI_SERIAL", board.port())
            .env("UDPCLI_LANG", language)
            .env_remove("UDPCLI_LOG")
            .stdin(Stdio::null());
        let run = finish(&mut command);
        // A terminal shows both streams: the plan of a dry run comes before the messages.
        let output = if first.contains("--dry-run") {
            format!("{}{}", run.stdout, run.stderr)
        } else {
            format!("{}{}", run.stderr, run.stdout)
        };
        let mut seen = output.lines().filter(|line| !is_progress(line));
        for line in lines {
            assert!(
                seen.any(|seen| matches(line, seen)),
                "{first}\nno {line:?} in its place in\n{output}"
            );
        }
    }
    // At the end, the files are unchanged.
    assert_eq!(
        board.flash()[0x20_0000..0x40_0000],
        used_flash(&TABLE)[0x20_0000..0x40_0000]
    );
}
