//! The OLED mirror with faults: a bad line, unusual programs, files that cannot be written, a terminal that changes its
//! size.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use udpcli::board::mirror::Mirror;
use udpcli::board::mirror::agent::{self, Display, OledReport};
use udpcli::board::repl::{Exit, OutputHandler, Repl, SubmitMode};

use crate::client::kinds;
use crate::oled::{DRAW, enter, run, udpcli};
use crate::support::{DEADLINE, VirtualBoard};

/// A process that is killed at the end of the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `udpcli board` with stdout and stderr connected to pipes.
pub(crate) fn start(board: &VirtualBoard, args: &[&str]) -> Running {
    let child = Command::new(env!("CARGO_BIN_EXE_udpcli"))
        .args(["board", "-s", &board.port])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C.UTF-8")
        .spawn();
    Running(child.expect("udpcli starts"))
}

/// The line damages one byte in a hundred while a program draws and prints.
#[test]
fn a_bad_line_shows_no_wrong_picture_and_the_next_whole_frame_is_right() {
    struct Garbled<'a> {
        board: &'a mut VirtualBoard,
        bytes: Vec<u8>,
        until: Instant,
    }
    impl OutputHandler for Garbled<'_> {
        fn output(&mut self, bytes: &[u8]) -> Result<(), udpcli::board::error::Error> {
            self.bytes.extend_from_slice(bytes);
            assert!(Instant::now() < self.until, "the program does not end");
            // The program prints its end marker repeatedly, so that at least one arrives undamaged.
            if memchr::memmem::find(&self.bytes, b"done done").is_some() {
                let clean = json!({"probability": 0, "direction": "up"});
                self.board.control("garble", clean);
            }
            Ok(())
        }
    }
    for (kind, options) in kinds() {
        let mut board = options.baud(0).file("draw.py", DRAW).ready();
        let mut repl = enter(&board);
        let limit = Duration::from_secs(10);
        let code = agent::packed(OledReport::Everything, Display::Oled);
        let started = repl.exec("the agent", &code, limit).unwrap();
        let program = "exec(open('draw.py').read())\ndraw(2000)\nprint('done '*200)\ntime.sleep(1)\noled.fill(0)\noled.DispChar('whole',0,0)\noled.show()\n";
        repl.submit(SubmitMode::Paced, "the program", program.as_bytes())
            .unwrap();
        let garble = json!({"probability": 0.01, "seed": 7, "direction": "up"});
        board.control("garble", garble);
        let mut garbled = Garbled {
            board: &mut board,
            bytes: started,
            until: Instant::now() + 4 * DEADLINE,
        };
        let ended = repl.follow(&mut garbled).unwrap();
        let bytes = garbled.bytes;
        let said = bytes.len().saturating_sub(300);
        assert_eq!(
            ended,
            Exit::Done,
            "{kind}: {}",
            bytes[said..].escape_ascii()
        );
        assert!(board.count("garbled") > 500, "{kind}");
        let clean = clean_pictures(kind);
        let (mut mirror, mut wholes) = (Mirror::new(), 0);
        mirror.feed(&bytes, &mut Vec::new(), |screen| {
            if screen.whole {
                wholes += 1;
                let is_last = screen.texts.len() == 1 && screen.texts[0].text == "whole";
                assert!(
                    is_last || clean.contains(&screen.framebuffer),
                    "{kind}: a picture that was never shown"
                );
            }
        });
        println!("{kind}: {wholes} whole, {} garbled", mirror.garbled());
        assert!(mirror.garbled() > 50, "{kind}: {}", mirror.garbled());
        let finish = repl.exec("the end", agent::FINISH.as_bytes(), limit);
        let finish = finish.unwrap();
        mirror.feed(&finish, &mut Vec::new(), |_| {});
        assert!(
            mirror.screen().whole,
            "{kind}: {} after {}",
            finish.escape_ascii(),
            bytes[said..].escape_ascii()
        );
        assert_eq!(mirror.screen().framebuffer.as_slice(), board.frame());
    }
}

/// Every picture that the program shows, from a run without faults.
fn clean_pictures(kind: &str) -> std::collections::HashSet<[u8; 1024]> {
    let (_, options) = kinds().into_iter().find(|(name, _)| *name == kind).unwrap();
    let board = options.baud(0).file("draw.py", DRAW).ready();
    let mut repl = enter(&board);
    let program = "exec(open('draw.py').read())\ndraw(2000)\n";
    let (bytes, _) = run(&mut repl, OledReport::Everything, program);
    let mut shown = std::collections::HashSet::new();
    Mirror::new().feed(&bytes, &mut Vec::new(), |screen| {
        shown.insert(screen.framebuffer);
    });
    shown
}

fn screens(
    repl: &mut Repl,
    report: OledReport,
    program: &str,
) -> Vec<udpcli::terminal::panel::screen::Screen> {
    let (bytes, finish) = run(repl, report, program);
    let mut seen = Vec::new();
    let mut mirror = Mirror::new();
    for bytes in [bytes, finish] {
        mirror.feed(&bytes, &mut Vec::new(), |screen| seen.push(screen.clone()));
    }
    assert_eq!((mirror.garbled(), mirror.gaps()), (0, 0));
    seen
}

#[test]
fn text_accepts_bytes_and_long_words_are_split_between_characters() {
    for (kind, options) in kinds() {
        let board = options.baud(0).ready();
        let mut repl = enter(&board);
        let program = "from mpython import *\noled.text(b'bytes',0,0)\noled.DispChar('你'*300,0,16)\noled.text(b'\\xff\\xfe',0,40)\noled.show()\n";
        let seen = screens(&mut repl, OledReport::Everything, program);
        let last = seen.last().unwrap();
        assert!(last.whole, "{kind}");
        assert!(last.framebuffer.iter().any(|&byte| byte != 0), "{kind}");
        assert_eq!(last.texts[0].text, "bytes", "{kind}");
        let long = &last.texts[1].text;
        assert!(
            long.len() > 300 && long.chars().all(|c| c == '你'),
            "{kind}: {long}"
        );
    }
}

#[test]
fn an_agent_that_is_sent_again_uses_the_new_settings() {
    let mut board = VirtualBoard::options().baud(0).ready();
    let mut repl = enter(&board);
    let program = |word: &str| {
        format!("from mpython import *\noled.fill(0)\noled.DispChar('{word}',0,0)\noled.show()\n")
    };
    let seen = screens(&mut repl, OledReport::Texts, &program("one"));
    assert!(seen.last().unwrap().framebuffer.iter().all(|&b| b == 0));
    // Without a soft reset in between, as in `run --no-soft-reset`.
    let seen = screens(&mut repl, OledReport::Everything, &program("two"));
    let last = seen.last().unwrap();
    assert!(last.whole && last.texts[0].text == "two");
    assert_eq!(last.framebuffer.as_slice(), board.frame());
    // The agent showed no part of the unknown old picture.
    assert!(
        seen.iter()
            .all(|screen| !screen.whole || screen.framebuffer == last.framebuffer)
    );
    let seen = screens(&mut repl, OledReport::Texts, &program("three"));
    let last = seen.last().unwrap();
    assert!(last.whole && last.texts[0].text == "three");
    assert!(last.framebuffer.iter().all(|&byte| byte == 0));
}

#[test]
fn output_that_looks_like_a_frame_is_printed() {
    let board = VirtualBoard::options().ready();
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("odd.py");
    let image = folder.path().join("oled.png");
    let args = |script: &str| {
        let image = image.to_str().unwrap().to_owned();
        [
            "run".to_owned(),
            script.to_owned(),
            "--image".to_owned(),
            image,
        ]
    };
    let run = |program: &str| {
        std::fs::write(&script, program).unwrap();
        let args = args(script.to_str().unwrap());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (code, stdout, stderr) = udpcli(&board, &args);
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    // The last bytes may be the beginning of a frame.
    for end in ["\\x1b", "\\x1b_", "\\x1b_U", "\\x1b_mine\\x1b\\\\"] {
        let program =
            format!("from mpython import *\noled.show()\nimport sys\nsys.stdout.write('a{end}')\n");
        let expected = end.replace("\\x1b", "\x1b").replace("\\\\", "\\");
        assert_eq!(run(&program), format!("a{expected}"));
    }
    drop(board);
    // Without a display there is no agent, and all output is ordinary.
    let board = VirtualBoard::options().profile("generic-1.26").ready();
    std::fs::write(
        &script,
        "import sys\nsys.stdout.write('x\\x1b_U !!' + 'q' * 99 + '\\x1b\\\\y')\n",
    )
    .unwrap();
    let args = args(script.to_str().unwrap());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, stdout, stderr) = udpcli(&board, &args);
    let expected = format!("x\x1b_U !!{}\x1b\\y", "q".repeat(99));
    assert_eq!((code, stdout), (Some(0), expected), "{stderr}");
}

#[test]
fn an_unwritable_picture_file_is_reported_before_the_run() {
    let main = "import time\nwhile True:\n time.sleep(0.1)\n";
    let mut board = VirtualBoard::options().file("main.py", main).ready();
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none/oled.png");
    let script = folder.path().join("one.py");
    std::fs::write(&script, "print(1)").unwrap();
    for args in [&["oled"][..], &["run", script.to_str().unwrap()]] {
        let args = [args, &["--image", none.to_str().unwrap()]].concat();
        let (code, stdout, stderr) = udpcli(&board, &args);
        assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
        assert!(stderr.contains("cannot write"), "{stderr}");
    }
    let stats = board.stats();
    assert!(
        stats["stage"] == "main.py" && stats["soft_resets"] == 0,
        "{stats}"
    );
}

#[test]
fn a_folder_that_disappears_leaves_main_py_running() {
    let main = "from mpython import *\nimport time\noled.DispChar('one',0,0)\noled.show()\nn=0\nwhile True:\n time.sleep(0.05)\n n+=1\n oled.fill_rect(0,0,128,16,0)\n oled.DispChar(str(n),0,0)\n oled.show()\n";
    let mut board = VirtualBoard::options().file("main.py", main).ready();
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let image = inner.join("oled.png");
    let args = [
        "oled",
        "--format",
        "json",
        "--image",
        image.to_str().unwrap(),
    ];
    let mut running = start(&board, &args);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    std::fs::remove_dir_all(&inner).unwrap();
    // Closing the reader ends the command.
    drop(lines);
    let status = running.0.wait().unwrap();
    assert_eq!(status.code(), Some(3));
    let shows = board.count("shows");
    board.wait_until("main.py shows more", |stats| {
        stats["shows"].as_u64() > Some(shows + 3)
    });
}

#[test]
fn closing_the_reader_ends_the_command_without_a_change() {
    let main = "from mpython import *\nimport time\noled.contrast(9)\noled.invert(1)\noled.DispChar('a\\x9b\\u202e',0,0)\noled.show()\nwhile True:\n time.sleep(1)\n";
    let mut board = VirtualBoard::options().file("main.py", main).ready();
    let mut running = start(&board, &["oled", "--format", "json"]);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    // Panel changes before the first picture are part of its line.
    assert_eq!(
        lines.next().unwrap().unwrap(),
        r#"{"texts":[{"x":0,"y":0,"text":"a\u009b\u202e"}],"on":true,"inverted":true,"contrast":9}"#
    );
    drop(lines);
    let until = Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < until, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(0));
    assert_eq!(board.count("soft_resets"), 1);
}

/// A terminal with udpcli in it.
struct Tmux {
    folder: TempDir,
}

impl Tmux {
    fn run(board: &VirtualBoard, size: [&str; 2], program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("show.py");
        std::fs::write(&script, program).unwrap();
        let line = format!(
            "{} board run -s {} {}; sleep 100",
            env!("CARGO_BIN_EXE_udpcli"),
            board.port,
            script.display()
        );
        let tmux = Self { folder };
        tmux.tell(&["new-session", "-d", "-x", size[0], "-y", size[1], &line]);
        tmux
    }

    fn tell(&self, args: &[&str]) -> String {
        let socket = self.folder.path().join("tmux");
        let output = Command::new("tmux")
            .args(["-u", "-f", "/dev/null", "-S", socket.to_str().unwrap()])
            .args(args)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[track_caller]
    fn until(&self, what: &str, done: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let shown = self.tell(&["capture-pane", "-p"]);
            if done(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "never: {what}\n{shown}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tell(&["kill-server"]);
    }
}

#[test]
fn a_resized_terminal_gets_a_fitting_panel_at_once() {
    let board = VirtualBoard::options().ready();
    // An incomplete line, longer than the terminal is wide, and then no further change.
    let program = "from mpython import *\nimport sys,time\nsys.stdout.write('T'*200)\noled.DispChar('hello',0,0)\noled.show()\ntime.sleep(100)\n";
    let tmux = Tmux::run(&board, ["150", "50"], program);
    let frame = |width: usize| format!("┌{}┐", "─".repeat(width));
    let shown = tmux.until("half-blocks", |shown| {
        shown.contains(&frame(128)) && shown.trim_end().ends_with('T')
    });
    // Text above the panel moved below it, complete.
    assert!(shown.starts_with('┌'), "{shown}");
    assert_eq!(shown.matches('┌').count(), 1, "{shown}");
    for (width, height, cells) in [
        ("80", "24", 64),
        ("150", "50", 128),
        ("90", "30", 64),
        ("40", "12", 21),
    ] {
        tmux.tell(&["resize-window", "-x", width, "-y", height]);
        let shown = tmux.until(width, |shown| {
            shown.lines().any(|line| line == frame(cells)) && shown.trim_end().ends_with('T')
        });
        assert_eq!(shown.matches(&frame(cells)).count(), 1, "{shown}");
    }
}

#[test]
fn without_space_for_a_panel_the_incomplete_line_appears_once() {
    let board = VirtualBoard::options().ready();
    let program = "from mpython import *\nimport sys,time\nprint('begin')\nsys.stdout.write('in a line')\nfor i in range(9):\n oled.fill(0)\n oled.DispChar('n %d'%i,0,0)\n oled.show()\nsys.stdout.write('.')\ntime.sleep(100)\n";
    let tmux = Tmux::run(&board, ["18", "10"], program);
    let shown = tmux.until("the dot", |shown| shown.contains('.'));
    assert_eq!(shown.trim_end(), "begin\nin a line.");
}
