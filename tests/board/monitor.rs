//! `udpcli board monitor`: on a pseudo-terminal into which a test writes, and on a virtual board.
//!
//! Long because each flag, and each kind of line that it explains, has a test.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::OpenptFlags;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{start, start_source};
use crate::dialogue::recording;
use crate::files::text;
use crate::process::{Finished, Running, eventually, udpcli, udpcli_on_terminal};
use crate::support::VirtualBoard;

/// A serial line: bytes written to `board` come out of the port of this name.
struct Line {
    board: File,
    port: String,
}

impl Line {
    fn new() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours: OwnedFd = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&ours).unwrap();
        rustix::pty::unlockpt(&ours).unwrap();
        let mut settings = rustix::termios::tcgetattr(&ours).unwrap();
        settings.make_raw();
        rustix::termios::tcsetattr(&ours, rustix::termios::OptionalActions::Now, &settings)
            .unwrap();
        let name = rustix::pty::ptsname(&ours, Vec::new()).unwrap();
        Self {
            board: File::from(ours),
            port: name.into_string().unwrap(),
        }
    }

    fn says(&mut self, bytes: impl AsRef<[u8]>) {
        self.board.write_all(bytes.as_ref()).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = udpcli(["board", "-s", &self.port, "monitor"]);
        command.args(args).env_remove("UDPCLI_SERIAL");
        command.stdin(Stdio::null());
        command
    }

    /// Starts the monitor, and waits until it watches the line.
    fn monitored(&self, args: &[&str]) -> Running {
        let mut running = Running::spawn(&mut self.command(args));
        running.stderr_line_with(&self.port);
        running
    }

    /// Lets the monitor see `said`, which has `lines` lines, and ends it. Without lines, it waits for a while.
    fn shown(&mut self, args: &[&str], said: impl AsRef<[u8]>, lines: usize) -> Finished {
        let mut running = self.monitored(args);
        self.says(said);
        for _ in 0..lines {
            running.stdout_line();
        }
        if lines == 0 {
            std::thread::sleep(Duration::from_millis(500));
        }
        running.interrupt().expect_code(0)
    }
}

fn objects(finished: &Finished) -> Vec<Value> {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/monitor.schema.json")).unwrap();
    let text = finished.text();
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for object in &objects {
        assert!(object["time"].is_string(), "{object}");
        for (key, value) in object.as_object().unwrap() {
            let known = &schema["properties"][key];
            assert!(known.is_object(), "{key} is not in the schema");
            if let Some(values) = known["enum"].as_array() {
                assert!(values.contains(value), "{key}: {value}");
            }
        }
    }
    objects
}

fn all<'a>(objects: &'a [Value], key: &str) -> Vec<&'a str> {
    objects
        .iter()
        .filter_map(|object| object[key].as_str())
        .collect()
}

#[test]
fn recordings_of_genuine_firmware_are_decoded() {
    for name in [
        "mpython-1.0.1",
        "mpython-1.2.0",
        "mpython-1.4.0",
        "mixly-mpython-1.19.1",
        "generic-1.17",
        "generic-1.26.1",
    ] {
        let mut said: Vec<u8> = recording(name)
            .into_iter()
            .flat_map(|step| step.got)
            .collect();
        said.extend_from_slice(b"\r\nthe end\r\n");
        let mut line = Line::new();
        let running = line.monitored(&["--format", "json"]);
        line.says(&said);
        std::thread::sleep(Duration::from_millis(500));
        let finished = running.interrupt().expect_code(0);
        let objects = objects(&finished);
        // Nothing is lost: the lines equal the input.
        let lines = String::from_utf8_lossy(&said).replace("\r\n", "\n");
        let shown: Vec<&str> = all(&objects, "text");
        let is_text = objects.iter().all(|object| object["base64"].is_null());
        if is_text {
            assert_eq!(shown.join("\n") + "\n", lines, "{name}");
        }
        let count = |part: &str| lines.matches(part).count();
        let kinds = all(&objects, "kind");
        let of = |kind: &str| kinds.iter().filter(|other| **other == kind).count();
        assert_eq!(of("soft-reboot"), count("soft reboot\n"), "{name}");
        assert_eq!(of("banner"), count("\nMicroPython v"), "{name}");
        assert!(of("rom") >= 10, "{name}: {kinds:?}");
        assert!(of("traceback") >= 3 * count("Traceback (most"), "{name}");
        let codes = all(&objects, "code");
        assert_eq!(codes.first(), Some(&"power-on"), "{name}: {codes:?}");
        assert!(finished.stderr.contains("POWERON_RESET"), "{name}");
        assert!(!codes.contains(&"board-panic"), "{name}");
    }
}

#[test]
fn ten_megabytes_pass_byte_for_byte_faster_than_921600_baud_carries_them() {
    let mut random = 1_u32;
    let said: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Mostly text of lines; each byte occurs.
        let byte = random.to_be_bytes()[0];
        match byte {
            0..=3 => b'\n',
            4..=250 => b' ' + byte % 95,
            _ => random.to_be_bytes()[1],
        }
    })
    .take(10_000_000)
    .collect();
    let line = Line::new();
    let folder = TempDir::new().unwrap();
    let (out, log) = (folder.path().join("out"), folder.path().join("log"));
    let mut command = line.command(&["--log", text(&log)]);
    command
        .stdout(File::create(&out).unwrap())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut board = line.board.try_clone().unwrap();
    let written = said.clone();
    let begun = Instant::now();
    let writer = std::thread::spawn(move || {
        // Written at once, the bytes would fill the terminal's buffer before it is in raw mode.
        board.write_all(&written).unwrap();
    });
    eventually("all of it is there", || {
        fs::metadata(&out).unwrap().len() == said.len() as u64
    });
    let took = begun.elapsed();
    writer.join().unwrap();
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(fs::read(&out).unwrap() == said, "a byte is lost or changed");
    // 10 bits per byte.
    let on_the_line = Duration::from_secs_f64(said.len() as f64 * 10.0 / 921_600.0);
    assert!(took < on_the_line / 2, "{took:?} of {on_the_line:?}");
    let newlines = memchr::memchr_iter(b'\n', &said).count();
    let lines = fs::read(&log).unwrap();
    let logged = memchr::memchr_iter(b'\n', &lines).count();
    assert!(
        logged >= newlines,
        "{logged} of {newlines} lines in the log"
    );
}

#[test]
fn a_reader_that_pauses_costs_no_byte() {
    let mut line = Line::new();
    let mut child = line
        .command(&[])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let said: Vec<u8> = (0..200_000)
        .flat_map(|number| format!("{number}\n").into_bytes())
        .collect();
    // The reader of stdout has stopped; udpcli still reads the line.
    line.says(&said);
    let mut shown = vec![0; said.len()];
    stdout.read_exact(&mut shown).unwrap();
    assert!(shown == said);
    // A reader that goes away ends the monitor.
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_is_sent_and_no_control_line_is_moved() {
    let mut board = VirtualBoard::options()
        .flag("--rfc2217")
        .file(
            "main.py",
            "import time\nwhile True:\n print('tick')\n time.sleep(0.05)\n",
        )
        .ready();
    let resets = board.count("resets");
    let folder = TempDir::new().unwrap();
    let wire = folder.path().join("wire.jsonl");
    let mut running = start(&board, ["--wire", text(&wire), "monitor"]);
    for _ in 0..5 {
        assert_eq!(running.stdout_line(), "tick\r\n");
    }
    running.interrupt().expect_code(0);
    assert_eq!(board.count("resets"), resets);
    for line in fs::read_to_string(&wire).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["got"].is_string(), "{line}");
    }
    // The program runs on.
    let mut again = start(&board, ["monitor"]);
    // It may begin in the middle of a line.
    let first = again.stdout_line();
    assert!("tick\r\n".ends_with(&first), "{first:?}");
    assert_eq!(again.stdout_line(), "tick\r\n");
    again.interrupt().expect_code(0);
}

#[test]
fn a_pulled_cable_is_waited_for() {
    let mut board = VirtualBoard::options()
        .file(
            "main.py",
            "import time\nwhile True:\n print('tick')\n time.sleep(0.05)\n",
        )
        .ready();
    let mut running = start(&board, ["monitor", "--format", "json"]);
    let text =
        |running: &mut Running| -> Value { serde_json::from_str(&running.stdout_line()).unwrap() };
    while text(&mut running)["text"] != "tick" {}
    for _ in 0..2 {
        board.unplug();
        running.stderr_line_with("udpcli waits until it is back");
        board.plug();
        running.stderr_line_with("is back");
        while text(&mut running)["event"] != "back" {}
        while text(&mut running)["text"] != "tick" {}
    }
    let finished = running.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains("2 reconnections"),
        "{}",
        finished.stderr
    );
}

#[test]
fn ctrl_c_ends_the_wait_for_a_pulled_cable() {
    let mut board = VirtualBoard::options().ready();
    let mut running = start(&board, ["monitor"]);
    running.stderr_line_with("watching");
    board.unplug();
    running.stderr_line_with("udpcli waits until it is back");
    running.interrupt().expect_code(0);
}

#[test]
fn timestamps_stand_before_each_line_and_in_the_log_always() {
    let mut line = Line::new();
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("board.log");
    let finished = line.shown(
        &["--timestamps", "--log", text(&log)],
        b"one\r\n\x1b]0;title\x07two\xff\r\n\r\n",
        0,
    );
    let shown = String::from_utf8_lossy(&finished.stdout).into_owned();
    let is_time = |text: &str| {
        text.len() == 15 && text.chars().all(|c| c.is_ascii_digit() || ":.".contains(c))
    };
    let lines: Vec<(&str, &str)> = shown
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert!(lines.iter().all(|(time, _)| is_time(time)), "{shown}");
    assert_eq!(lines[0].1, "one");
    assert_eq!(lines.len(), 3);
    let logged = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = logged.lines().map(|line| line.get(27..).unwrap()).collect();
    assert_eq!(lines, ["one", r"\x1b]0;title\x07two\xff", ""], "{logged}");
    // A second run appends.
    line.shown(&["--log", text(&log)], b"three\r\n", 1);
    let logged = fs::read_to_string(&log).unwrap();
    assert_eq!(logged.lines().count(), 4, "{logged}");
    assert!(logged.ends_with(" three\n"), "{logged}");
    // A log that cannot be one.
    let fifo = line.command(&["--log", "/dev/null"]).output().unwrap();
    assert_eq!(fifo.status.code(), Some(2));
}

#[test]
fn a_part_of_a_line_is_shown_when_the_board_pauses() {
    let mut line = Line::new();
    let mut running = line.monitored(&["--timestamps"]);
    line.says(b"one\r\n>>> ");
    running.stdout_line();
    std::thread::sleep(Duration::from_millis(500));
    line.says(b"1+1\r\n");
    let rest = running.stdout_line();
    assert!(rest.ends_with(">>> 1+1\n"), "{rest}");
    line.says(b"never ends");
    std::thread::sleep(Duration::from_millis(500));
    let finished = running.interrupt().expect_code(0);
    assert!(
        finished.text().ends_with(" never ends\n"),
        "{}",
        finished.text()
    );
    let mut running = line.monitored(&["--format", "json"]);
    line.says(b">>> ");
    let part: Value = serde_json::from_str(&running.stdout_line()).unwrap();
    assert_eq!(
        (&part["text"], &part["partial"]),
        (&">>> ".into(), &true.into())
    );
    running.interrupt().expect_code(0);
}

#[test]
fn a_filter_hides_lines_from_stdout_and_not_from_the_log() {
    let mut line = Line::new();
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("board.log");
    let said = "temp 20\r\nnoise\r\n温度 21\r\nOSError: [Errno 112] EADDRINUSE\r\ntemp 22\r\n";
    let finished = line.shown(&["--filter", "^temp|温度", "--log", text(&log)], said, 3);
    assert_eq!(finished.text(), "temp 20\n温度 21\ntemp 22\n");
    assert!(
        finished.stderr.contains("EADDRINUSE: a socket"),
        "{}",
        finished.stderr
    );
    let logged = fs::read_to_string(&log).unwrap();
    assert!(logged.contains(" noise\n"), "{logged}");
    assert!(logged.contains(" -- EADDRINUSE: a socket"), "{logged}");
    let finished = line.shown(&["--filter", "noise", "--format", "json"], said, 1);
    assert_eq!(all(&objects(&finished), "text"), ["noise"]);
}

#[test]
fn no_expression_takes_for_ever_and_one_that_is_too_large_is_refused() {
    let mut line = Line::new();
    // A backtracking matcher needs exponential time for this expression.
    let said = format!("{}!\r\nend\r\n", "a".repeat(4000));
    let begun = Instant::now();
    let finished = line.shown(&["--filter", "^(a+)+$|end"], said, 1);
    assert_eq!(finished.text(), "end\n");
    assert!(begun.elapsed() < Duration::from_secs(5));
    for expression in ["(a{1000}){1000}", "(", "[z-a]"] {
        let output = line.command(&["--filter", expression]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{expression}: {stderr}");
    }
}

#[test]
fn a_hex_dump_shows_every_byte() {
    let mut line = Line::new();
    let said: Vec<u8> = (0..=255).chain(*b"end").collect();
    let finished = line.shown(&["--hex"], &said, 17);
    let mut hexdump = Command::new("hexdump")
        .arg("-Cv")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    hexdump.stdin.take().unwrap().write_all(&said).unwrap();
    let expected = String::from_utf8(hexdump.wait_with_output().unwrap().stdout).unwrap();
    let expected = expected.trim_end().rsplit_once('\n').unwrap().0;
    assert_eq!(finished.text().trim_end(), expected);
}

#[test]
fn a_terminal_gets_nothing_that_it_would_act_on() {
    let line = Line::new();
    for args in [
        &[][..],
        &["--timestamps"],
        &["--format", "json"],
        &["--hex"],
    ] {
        let mut all = vec!["board", "-s", &line.port, "monitor"];
        all.extend(args);
        let mut running = Running::spawn(&mut udpcli_on_terminal("", all));
        running.stdout_line();
        (&line.board)
            .write_all("\x1b]52;c;aGk=\x07\x1b[31mred\x1b[0m \u{202e}evil\r\nend\r\n".as_bytes())
            .unwrap();
        std::thread::sleep(Duration::from_millis(500));
        running.type_in(crate::process::CTRL_C);
        let finished = running.finish();
        let shown = String::from_utf8_lossy(&finished.stdout).into_owned();
        for active in ["\x1b]52", "\x07", "\u{202e}"] {
            assert!(!shown.contains(active), "{args:?}: {shown:?}");
        }
        assert!(
            shown.contains("red") || args == ["--hex"],
            "{args:?}: {shown:?}"
        );
    }
}

#[test]
fn a_crash_is_explained_once_with_its_addresses() {
    let crash = "Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled.\r\nCore 1 register dump:\r\nPC      : 0x400e14ed\r\n\r\nBacktrace: 0x400e14ed:0x3ffb1f60 0x400d2e2f:0x3ffb1f80\r\n\r\nRebooting...\r\nets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n";
    let mut line = Line::new();
    let finished = line.shown(&["--format", "json"], crash.repeat(3), 30);
    let objects = objects(&finished);
    assert_eq!(
        all(&objects, "code"),
        ["board-panic", "software-reset"].repeat(3)
    );
    let panic = objects
        .iter()
        .find(|object| object["code"] == "board-panic")
        .unwrap();
    assert_eq!(
        panic["addresses"],
        serde_json::json!(["0x400e14ed", "0x400d2e2f"])
    );
    // For a board that restarts repeatedly, the explanation appears only once in a while.
    assert_eq!(finished.stderr.matches("the firmware crashed").count(), 1);
}

#[test]
fn explanations_are_in_the_users_language_and_english_in_json() {
    let mut line = Line::new();
    let finished = line.shown(
        &["--lang", "zh-CN", "--format", "json"],
        "UnicodeError: \r\n",
        1,
    );
    assert!(
        finished.stderr.contains("多半是 Windows 程序发来的 GBK"),
        "{}",
        finished.stderr
    );
    let objects = objects(&finished);
    assert!(
        objects[0]["explanation"]
            .as_str()
            .unwrap()
            .contains("mostly GBK")
    );
}

#[test]
fn frames_of_the_oled_are_decoded_and_kept_out_of_the_text() {
    let board = VirtualBoard::options().ready();
    let folder = TempDir::new().unwrap();
    let wire = folder.path().join("wire.jsonl");
    let script = folder.path().join("show.py");
    fs::write(
        &script,
        "from mpython import *\noled.DispChar('hello', 0, 0)\noled.show()\nprint('shown')\n",
    )
    .unwrap();
    let image = folder.path().join("screen.png");
    let run = [
        "--wire",
        text(&wire),
        "run",
        "--image",
        text(&image),
        text(&script),
    ];
    start(&board, run).finish().expect_code(0);
    let came: Vec<u8> = fs::read_to_string(&wire)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| line["got"].as_str().map(str::to_owned))
        .flat_map(|text| {
            text.chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect::<Vec<u8>>()
        })
        .collect();
    let mut line = Line::new();
    let running = line.monitored(&["--format", "json"]);
    line.says(&came);
    std::thread::sleep(Duration::from_millis(500));
    let finished = running.interrupt().expect_code(0);
    let objects = objects(&finished);
    let shows = |object: &Value| object["oled"]["texts"][0]["text"] == "hello";
    assert!(objects.iter().any(shows), "{}", finished.text());
    assert!(
        finished.stderr.contains("the OLED shows: hello"),
        "{}",
        finished.stderr
    );
    assert!(
        !finished.text().contains("\\u001b_U"),
        "{}",
        finished.text()
    );
}

#[test]
fn a_port_that_does_not_open_is_an_error() {
    let output = udpcli(["board", "-s", "/dev/does-not-exist", "monitor"])
        .env_remove("UDPCLI_SERIAL")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    // The monitor does not wait if another udpcli has the port.
    let board = VirtualBoard::options().ready();
    let mut running = start_source(&board, "print('begin')\nwhile True: pass\n");
    assert_eq!(running.stdout_line(), "begin\r\n");
    let second = start(&board, ["monitor"]).finish().expect_code(3);
    assert!(
        second.stderr.contains("cannot open serial port"),
        "{}",
        second.stderr
    );
    running.interrupt().expect_code(0);
}
