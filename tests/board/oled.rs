//! The OLED mirror: the agent on the real MicroPython, its cost, and the commands that use it.
//!
//! Long because each way to watch the OLED has a test, and all share the same programs.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use udpcli::board::error::Error;
use udpcli::board::link::Address;
use udpcli::board::mirror::Mirror;
use udpcli::board::mirror::agent::{self, Display, OledReport};
use udpcli::board::repl::{Exit, OutputHandler, Repl, SubmitMode};
use udpcli::shutdown::Shutdown;

use crate::client::kinds;
use crate::support::{DEADLINE, Options, VirtualBoard};

/// A linear congruential generator, the same here and on the board.
pub(crate) const DRAW: &str = r"
from mpython import *
import sys, ubinascii, framebuf
from array import array
seed = 1
def r(n):
    global seed
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
small = framebuf.FrameBuffer(bytearray(b'\xaa\x55\xf0\x0f\xff\x81\x42\x18'), 8, 8, framebuf.MONO_HLSB)
words = ('hello', '你好,掌控板', 'a\r\nb', 'from192.168.0.5', '=' * 40, '\x1b_Ux\x1b\\')
def poke(i, v): oled.buffer[i] = v
def x(): return r(160) - 16
def y(): return r(90) - 13
ops = (
    lambda: oled.fill(r(2)) if r(4) == 0 else oled.fill_rect(x(), y(), r(60), r(30), 0),
    lambda: oled.fill_rect(x(), y(), r(60), r(30), r(2)),
    lambda: oled.rect(x(), y(), r(60), r(30), r(2)),
    lambda: oled.pixel(x(), y(), r(2)),
    lambda: oled.hline(x(), y(), r(90), r(2)),
    lambda: oled.vline(x(), y(), r(60), r(2)),
    lambda: oled.line(x(), y(), x(), y(), r(2)),
    lambda: oled.text(words[r(6)], x(), y(), r(2)),
    lambda: oled.blit(small, x(), y(), r(2) - 1),
    lambda: oled.scroll(r(9) - 4, r(9) - 4),
    lambda: oled.ellipse(x(), y(), r(30), r(20), r(2), r(2)),
    lambda: oled.poly(x(), y(), array('h', (0, 0, 20, 5, 9, 18)), 1, r(2)),
    lambda: oled.DispChar(words[r(6)], x(), y(), 1 + r(4)),
    lambda: oled.DispChar(words[r(6)], x(), y(), mode=1 + r(4), auto_return=True),
    lambda: oled.RoundRect(r(60), r(30), 30, 20, 4, 1),
    lambda: oled.circle(x(), y(), r(20), 1),
    lambda: oled.fill_circle(x(), y(), r(12), r(2)),
    lambda: oled.triangle(x(), y(), x(), y(), x(), y(), 1),
    lambda: oled.fill_triangle(x(), y(), x(), y(), x(), y(), r(2)),
    lambda: oled.Bitmap(x(), y(), b'\xff\x81\xbd\xa5\xa5\xbd\x81\xff', 8, 8, 1),
    lambda: poke(r(1024), r(256)),
    lambda: oled.invert(r(2)),
    lambda: oled.contrast(r(256)),
    lambda: oled.poweroff() if r(2) else oled.poweron(),
)
def draw(count):
    for i in range(count):
        ops[r(len(ops))]()
        if i % 7 == 0:
            sys.stdout.write('\x1b[1mpart %d ' % i)
        if i % 4 == 3:
            oled.show()
            sys.stdout.write('shown %08x\n' % ubinascii.crc32(oled.buffer))
";

/// Records a program's output unchanged.
struct Raw {
    bytes: Vec<u8>,
    until: Instant,
}

impl OutputHandler for Raw {
    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes.extend_from_slice(bytes);
        assert!(Instant::now() < self.until, "the program does not end");
        Ok(())
    }
}

pub(crate) fn enter(board: &VirtualBoard) -> Repl {
    let address = Address {
        port: board.port.clone(),
        baud: 115_200,
        timeout: DEADLINE,
        wire: None,
        line_rate: udpcli::board::line_rate::LineRate::Auto,
    };
    let repl = Repl::open(&address, Shutdown::by_hand());
    repl.expect("the board is entered")
}

/// Runs a program with the agent; returns the whole output, and what arrived at the end.
pub(crate) fn run(repl: &mut Repl, report: OledReport, program: &str) -> (Vec<u8>, Vec<u8>) {
    let limit = Duration::from_secs(10);
    let mut bytes = repl
        .exec("the agent", &agent::packed(report, Display::Oled), limit)
        .unwrap();
    repl.submit(SubmitMode::Paced, "the program", program.as_bytes())
        .unwrap();
    let mut raw = Raw {
        bytes: Vec::new(),
        until: Instant::now() + 4 * DEADLINE,
    };
    let ended = repl.follow(&mut raw).unwrap();
    let said = String::from_utf8_lossy(&raw.bytes).into_owned();
    assert_eq!(
        ended,
        Exit::Done,
        "{}",
        said.chars().take(2000).collect::<String>()
    );
    bytes.append(&mut raw.bytes);
    let finish = repl
        .exec("the end", agent::FINISH.as_bytes(), limit)
        .unwrap();
    (bytes, finish)
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Ten thousand drawing operations of every kind, on every firmware.
fn drawn(kind: &str, options: Options) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut board = options.baud(0).file("draw.py", DRAW).ready();
    let mut repl = enter(&board);
    let (bytes, finish) = run(
        &mut repl,
        OledReport::Everything,
        "exec(open('draw.py').read())\ndraw(10000)\n",
    );
    let frame = board.frame();
    assert!(board.count("shows") >= 2500, "{kind}");
    (bytes, finish, frame)
}

#[test]
fn every_picture_equals_the_boards_and_prints_are_unchanged() {
    for (kind, options) in kinds() {
        let (bytes, finish, frame) = drawn(kind, options);
        let mut mirror = Mirror::new();
        let mut output = Vec::new();
        let (mut lines, mut expected) = (0, String::new());
        for byte in &bytes {
            let before = output.len();
            mirror.feed(&[*byte], &mut output, |_| {});
            if output.len() > before && output.ends_with(b"\n") {
                assert!(
                    mirror.screen().whole,
                    "{kind}: line {lines}, {} garbled, {} gaps",
                    mirror.garbled(),
                    mirror.gaps()
                );
                // The board printed its own buffer at this point; it must equal the mirror's.
                for i in 4 * lines..4 * lines + 4 {
                    if i % 7 == 0 {
                        write!(expected, "\x1b[1mpart {i} ").unwrap();
                    }
                }
                let crc = crc32(&mirror.screen().framebuffer);
                write!(expected, "shown {crc:08x}\r\n").unwrap();
                lines += 1;
                assert_eq!(output.len(), expected.len(), "{kind}: line {lines}");
            }
        }
        assert_eq!(lines, 2500, "{kind}");
        assert!(output == expected.as_bytes(), "{kind}: the prints differ");
        mirror.feed(&finish, &mut output, |_| {});
        assert_eq!(mirror.screen().framebuffer.as_slice(), frame, "{kind}");
        assert_eq!((mirror.garbled(), mirror.gaps()), (0, 0), "{kind}");
    }
}

#[test]
fn damaged_frames_never_show_a_wrong_picture() {
    let (bytes, finish, frame) = drawn("mpython-2.x", VirtualBoard::options());
    // Every picture that the program showed.
    let mut shown = std::collections::HashSet::new();
    Mirror::new().feed(&bytes, &mut Vec::new(), |screen| {
        shown.insert(screen.framebuffer);
    });
    for seed in 1..=10_u64 {
        let mut state = seed;
        let mut next = || {
            // xorshift64 (Marsaglia, 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let garbled: Vec<u8> = bytes
            .iter()
            .map(|&byte| {
                if next() % 100 == 0 {
                    byte ^ 1 << (next() % 8)
                } else {
                    byte
                }
            })
            .collect();
        let mut mirror = Mirror::new();
        let mut wholes = 0;
        mirror.feed(&garbled, &mut Vec::new(), |screen| {
            if screen.whole {
                wholes += 1;
                assert!(
                    shown.contains(&screen.framebuffer),
                    "seed {seed}: never shown"
                );
            }
        });
        assert!(mirror.garbled() > 100, "seed {seed}: {}", mirror.garbled());
        // On a clean line again, the next whole frame is right.
        mirror.feed(&finish, &mut Vec::new(), |_| {});
        assert!(mirror.screen().whole, "seed {seed}");
        assert_eq!(mirror.screen().framebuffer.as_slice(), frame, "seed {seed}");
        println!("seed {seed}: {wholes} whole, {} garbled", mirror.garbled());
    }
}

/// Bytes per show of a program, without the first show.
fn bytes_per_show(repl: &mut Repl, report: OledReport, body: &str) -> usize {
    const SHOWS: usize = 40;
    let program = format!(
        "from mpython import *\ndef step(i):\n{body}\n oled.show()\nstep(-1)\nprint('|',end='')\nfor i in range({SHOWS}):step(i)\nprint('|',end='')\n"
    );
    repl.soft_reset().unwrap();
    let (bytes, _) = run(repl, report, &program);
    let len = bytes.split(|&byte| byte == b'|').nth(1).unwrap().len();
    // The agent sends a whole frame every four seconds of shows. These take less time, so there is at most one.
    len / SHOWS
}

#[test]
fn shows_are_short_enough_for_the_line() {
    for (kind, options) in kinds() {
        let board = options.baud(0).ready();
        let mut repl = enter(&board);
        let tutorial = " oled.fill(0)\n oled.DispChar('192.168.0.3:6000',0,0)\n oled.DispChar('hello message from mPython %d\\r\\n'%i,0,15)\n oled.DispChar('from192.168.0.5',0,31)";
        let three = " oled.fill(0)\n oled.DispChar('192.168.0.%d:6000'%(100+i),0,0)\n oled.DispChar('hello message from %d\\r\\n'%i,0,15)\n oled.DispChar('from192.168.0.%d'%(100+i),0,31)";
        let scroll = " oled.fill(0)\n for l in range(4):oled.DispChar('你好世界掌控板真好玩吗编程学习'[l:],-i,16*l)";
        for (what, report, body, rate) in [
            ("three new texts", OledReport::Texts, three, 120),
            (
                "the tutorial's next message",
                OledReport::Everything,
                tutorial,
                74,
            ),
            ("scrolling Chinese", OledReport::Everything, scroll, 10),
        ] {
            let len = bytes_per_show(&mut repl, report, body);
            println!(
                "{kind}: {what}: {len} bytes a show, {} shows a second",
                11_520 / len
            );
            assert!(11_520 / len >= rate, "{kind}: {what}: {len} bytes a show");
        }
    }
}

#[test]
fn the_agent_starts_fast_and_leaves_no_garbage() {
    for (kind, options) in kinds() {
        let board = options.arg("--import-time", &0).ready();
        let mut repl = enter(&board);
        let packed = agent::packed(OledReport::Everything, Display::Oled);
        // Take the fastest of three runs, because other tests use this machine.
        let fastest = (0..3)
            .map(|_| {
                repl.soft_reset().unwrap();
                let start = Instant::now();
                let limit = Duration::from_secs(10);
                repl.exec("the agent", &packed, limit).unwrap();
                start.elapsed()
            })
            .min()
            .unwrap();
        println!("{kind}: {} bytes, started in {fastest:?}", packed.len());
        assert!(
            packed.len() < 2000 && fastest < Duration::from_millis(300),
            "{kind}: {fastest:?}"
        );
        let program = "\
import gc
from mpython import *
o=oled
a=bytearray(8)
def step(i):
 o.pixel(i%128,i%64,1)
 gc.collect()
 a=gc.mem_alloc()
 o.show()
 return gc.mem_alloc()-a
def bare(i):
 gc.collect()
 a=gc.mem_alloc()
 type(o).show(o)
 return gc.mem_alloc()-a
def least():
 # What a stale register still points at is not collected.
 m=1<<30
 for i in range(20):
  step(i)
  gc.collect()
  m=min(m,gc.mem_alloc())
 return m
first=least()
for i in range(300):
 n=step(i)
last=least()
print('|%d %d'%(n-bare(0),last-first),end='|')
";
        let (bytes, _) = run(&mut repl, OledReport::Everything, program);
        let mut mirror = Mirror::new();
        let mut output = Vec::new();
        mirror.feed(&bytes, &mut output, |_| {});
        let text = String::from_utf8(output).unwrap();
        println!("{kind}: garbage of a show, growth over 250: {text}");
        let numbers: Vec<i64> = text
            .trim_matches('|')
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        assert!((0..=512).contains(&numbers[0]), "{kind}: {text}");
        assert!(numbers[1] <= 512, "{kind}: {text}");
    }
}

#[test]
fn drawing_without_show_is_not_shown_at_the_end() {
    let mut board = VirtualBoard::options().baud(0).ready();
    let mut repl = enter(&board);
    let program = "from mpython import *\noled.DispChar('shown',0,0)\noled.show()\noled.fill(1)\n";
    let (bytes, finish) = run(&mut repl, OledReport::Everything, program);
    let mut mirror = Mirror::new();
    for bytes in [bytes, finish] {
        mirror.feed(&bytes, &mut Vec::new(), |_| {});
        assert!(mirror.screen().whole);
        assert_eq!(mirror.screen().framebuffer.as_slice(), board.frame());
    }
    // Sent again without a soft reset, the agent must not install its hooks twice.
    let again = "from mpython import *\noled.fill(0)\noled.DispChar('again',0,0)\noled.show()\n";
    let (bytes, _) = run(&mut repl, OledReport::Everything, again);
    let mut shows = 0;
    let mut mirror = Mirror::new();
    mirror.feed(&bytes, &mut Vec::new(), |_| shows += 1);
    // Three frames: the panel and the old picture at the agent's start, and the new picture.
    assert_eq!(shows, 3);
    assert_eq!(mirror.screen().texts[0].text, "again");
    assert_eq!(mirror.screen().framebuffer.as_slice(), board.frame());
}

const TUTORIAL: &str = "\
from mpython import *
import time
oled.fill(0)
oled.DispChar('192.168.0.3:6000', 0, 0)
oled.DispChar('你好 hello', 0, 15)
oled.DispChar('from192.168.0.5', 0, 31)
oled.show()
print('shown')
";

/// Runs `udpcli board` with a timeout.
pub(crate) fn udpcli(board: &VirtualBoard, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new("timeout")
        .arg(DEADLINE.as_secs().to_string())
        .arg(env!("CARGO_BIN_EXE_udpcli"))
        .args(["board", "-s", &board.port])
        .args(args)
        .stdin(Stdio::null())
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("udpcli starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn once_shows_the_oled_of_a_board_that_runs_main_py() {
    let main = format!("{TUTORIAL}while True:\n time.sleep(0.1)\n");
    let mut board = VirtualBoard::options().file("main.py", &main).ready();
    let image = tempfile::tempdir().unwrap();
    let path = image.path().join("screen.png");
    let path = path.to_str().unwrap();
    let (code, stdout, stderr) = udpcli(&board, &["oled", "--once", "--image", path]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        stdout,
        "┌─────────────────────┐\n│192.168.0.3:6000     │\n│你好 hello           │\n│from192.168.0.5      │\n│                     │\n└─────────────────────┘\n"
    );
    // The soft reset is announced before it happens, and the program's output does not appear here.
    let said = stderr.find("soft reset").unwrap();
    assert!(
        said < stderr.find("shown").unwrap() && stderr.contains("main.py runs on"),
        "{stderr}"
    );
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    // The program keeps running, and a second look works.
    let (code, stdout, stderr) = udpcli(
        &board,
        &["oled", "--once", "--format", "json", "--framebuffer"],
    );
    assert_eq!(code, Some(0), "{stderr}");
    let screen = check_line(&stdout);
    assert_eq!(
        screen["texts"][1],
        json!({"x": 0, "y": 15, "text": "你好 hello"})
    );
    let pixels = base64::engine::general_purpose::STANDARD
        .decode(screen["framebuffer"].as_str().unwrap())
        .unwrap();
    assert_eq!(pixels, board.frame());
    let (code, stdout, _) = udpcli(&board, &["oled", "--once", "--format", "picture"]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 18));
}

/// Checks that a JSON line has exactly the keys of the schema.
fn check_line(line: &str) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../../docs/oled.schema.json")).unwrap();
    let value: Value = serde_json::from_str(line).unwrap();
    // A board that did not fail.
    let mut with_required = schema.clone();
    with_required["required"] = schema["anyOf"][0]["required"].clone();
    let check = |value: &Value, schema: &Value| {
        let (object, known) = (value.as_object().unwrap(), &schema["properties"]);
        for (key, value) in object {
            let known = &known[key];
            assert!(known.is_object(), "{key} is not in the schema: {line}");
            let fits = match known["type"].as_str() {
                Some("array") => value.is_array(),
                Some("boolean") => value.is_boolean(),
                Some("integer") => value.is_i64(),
                Some("string") => value.is_string(),
                _ => {
                    known["const"] == *value
                        || known["enum"]
                            .as_array()
                            .is_some_and(|all| all.contains(value))
                }
            };
            assert!(fits, "{key}: {line}");
        }
        for key in schema["required"].as_array().unwrap() {
            assert!(object.contains_key(key.as_str().unwrap()), "{key}: {line}");
        }
    };
    check(&value, &with_required);
    for text in value["texts"].as_array().unwrap() {
        check(text, &schema["properties"]["texts"]["items"]);
    }
    value
}

#[test]
fn every_change_is_a_json_line() {
    let main = "\
from mpython import *
oled.DispChar('one', 0, 0)
oled.show()
oled.DispChar('two', 5, 16, TextMode.rev)
oled.text('three', -3, 40)
oled.show()
oled.invert(1)
oled.contrast(7)
oled.poweroff()
print('end')
";
    let board = VirtualBoard::options().file("main.py", main).ready();
    let (code, stdout, stderr) = udpcli(&board, &["oled", "--format", "json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let lines: Vec<Value> = stdout.lines().map(check_line).collect();
    assert_eq!(lines.len(), 5, "{stdout}");
    assert_eq!(
        lines[0],
        json!({"texts": [{"x": 0, "y": 0, "text": "one"}], "on": true, "inverted": false})
    );
    assert_eq!(
        lines[4],
        json!({"texts": [
            {"x": 0, "y": 0, "text": "one"},
            {"x": 5, "y": 16, "text": "two", "mode": "rev"},
            {"x": -3, "y": 40, "text": "three", "mode": "small"},
        ], "on": false, "inverted": true, "contrast": 7})
    );
    assert!(
        stderr.contains("end\r\n") && stderr.contains("has ended"),
        "{stderr}"
    );
}

#[test]
fn a_piped_run_prints_only_the_programs_bytes() {
    let board = VirtualBoard::options().ready();
    let folder = tempfile::tempdir().unwrap();
    let (script, image) = (
        folder.path().join("show.py"),
        folder.path().join("oled.png"),
    );
    std::fs::write(&script, TUTORIAL).unwrap();
    let script = script.to_str().unwrap();
    for args in [
        &["run", script][..],
        &["run", script, "--image", image.to_str().unwrap()],
    ] {
        let (code, stdout, stderr) = udpcli(&board, args);
        assert_eq!((code, stdout.as_str()), (Some(0), "shown\r\n"), "{stderr}");
    }
    assert!(std::fs::read(&image).unwrap().starts_with(b"\x89PNG"));
    // A picture was requested, but the program has no display.
    std::fs::write(folder.path().join("show.py"), "print(1)").unwrap();
    let none = folder.path().join("none.png");
    let (code, stdout, stderr) =
        udpcli(&board, &["run", script, "--image", none.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (Some(0), "1\r\n"), "{stderr}");
    assert!(
        stderr.contains("showed nothing") && !none.exists(),
        "{stderr}"
    );
}

#[test]
fn a_board_without_main_py_or_picture_is_reported() {
    let board = VirtualBoard::options().ready();
    let (code, _, stderr) = udpcli(&board, &["oled", "--once"]);
    assert!(
        code == Some(3) && stderr.contains("main.py is not on the board"),
        "{code:?} {stderr}"
    );
    drop(board);
    let board = VirtualBoard::options()
        .file("main.py", "print('no picture')")
        .ready();
    let (code, _, stderr) = udpcli(&board, &["oled", "--once"]);
    assert!(
        code == Some(1) && stderr.contains("showed nothing"),
        "{code:?} {stderr}"
    );
}

/// The terminal as the user sees it.
#[test]
fn prints_scroll_above_and_the_panel_stays_below() {
    let board = VirtualBoard::options().ready();
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("show.py");
    let program = format!(
        "{TUTORIAL}for i in range(40):\n print('line', i)\n oled.DispChar('n=%d'%i, 0, 47)\n oled.show()\nprint('no line end', end='')\ntime.sleep(60)\n"
    );
    std::fs::write(&script, program).unwrap();
    let socket = folder.path().join("tmux");
    let tmux = |args: &[&str]| {
        let output = Command::new("tmux")
            .args(["-u", "-f", "/dev/null", "-S", socket.to_str().unwrap()])
            .args(args)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let line = format!(
        "{} board run -s {} {}; sleep 100",
        env!("CARGO_BIN_EXE_udpcli"),
        board.port,
        script.display()
    );
    tmux(&["new-session", "-d", "-x", "80", "-y", "24", &line]);
    let until = |what: &str, done: &dyn Fn(&str) -> bool| {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let shown = tmux(&["capture-pane", "-p"]);
            if done(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "never: {what}\n{shown}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let shown = until("the last line below the panel", &|shown| {
        shown.contains("no line end")
    });
    let lines: Vec<&str> = shown.lines().collect();
    let top = lines.iter().position(|line| line.starts_with('┌')).unwrap();
    assert_eq!(lines[top - 1], "line 39", "{shown}");
    assert!(
        lines[top + 17].starts_with('└') && lines[top + 18] == "no line end",
        "{shown}"
    );
    assert_eq!(shown.matches('┌').count(), 1, "{shown}");
    // A narrower terminal, then Ctrl-C: one panel, with the final message below it.
    tmux(&["send-keys", "C-c"]);
    let shown = until("the end", &|shown| shown.contains("stopped by Ctrl-C"));
    assert_eq!(shown.matches('┌').count(), 1, "{shown}");
    tmux(&["kill-server"]);
}

/// Mixly's `onboard_oled` draws with `shows` and `texts`, which update the OLED at once.
#[test]
fn mixlys_display_is_mirrored_with_its_texts() {
    let draws = "from mpython import *
onboard_oled.fill(0)
onboard_oled.shows('shown', x=0, y=0, size=1, center=False)
onboard_oled.texts('one\\ntwo')
";
    let mut board = VirtualBoard::options()
        .profile("mixly-1.19")
        .file("main.py", format!("{draws}while True: pass\n"))
        .ready();
    let (code, stdout, stderr) = udpcli(
        &board,
        &["oled", "--once", "--format", "json", "--framebuffer"],
    );
    assert_eq!(code, Some(0), "{stderr}");
    let screen = check_line(&stdout);
    let texts: Vec<&str> = screen["texts"]
        .as_array()
        .expect("texts")
        .iter()
        .filter_map(|text| text["text"].as_str())
        .collect();
    for wanted in ["one", "two"] {
        assert!(texts.contains(&wanted), "{stdout}");
    }
    let pixels = base64::engine::general_purpose::STANDARD
        .decode(screen["framebuffer"].as_str().unwrap())
        .unwrap();
    assert_eq!(pixels, board.frame());

    let folder = tempfile::tempdir().unwrap();
    let (script, image) = (folder.path().join("a.py"), folder.path().join("a.png"));
    std::fs::write(&script, draws).unwrap();
    let (code, _, stderr) = udpcli(
        &board,
        &[
            "run",
            script.to_str().unwrap(),
            "--image",
            image.to_str().unwrap(),
        ],
    );
    assert_eq!(code, Some(0), "{stderr}");
    assert!(std::fs::read(image).unwrap().starts_with(b"\x89PNG"));
}
