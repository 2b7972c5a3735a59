//! How commands end on a terminal: a closed window, and signals at a prompt and in the REPL.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::rows::line;
use super::{SIGNALS, SOON};
use crate::client::assert_untouched;
use crate::files::{random, text};
use crate::process::{DEADLINE, udpcli};
use crate::streams::terminal;
use crate::support::VirtualBoard;

/// Closing the terminal window ends the command.
#[test]
fn a_closed_window_ends_every_command_cleanly() {
    let board = VirtualBoard::options()
        .baud(921_600)
        .arg("--wifi", "class:secret")
        .ready();
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("script.py");
    fs::write(
        &script,
        "import time\nwhile True:\n print('tick')\n time.sleep(0.02)\n",
    )
    .unwrap();
    let big = folder.path().join("big");
    fs::write(&big, random(300_000)).unwrap();
    let port = board.port.clone();
    let on_board = |args: &[&str]| -> Vec<String> {
        let all = ["board", "-s", &port]
            .into_iter()
            .chain(args.iter().copied());
        all.map(str::to_owned).collect()
    };
    let (silent, _heard) = line(b"");
    let plain = |line: &str| line.split(' ').map(str::to_owned).collect();
    let listen = "listen -p 0 --bind 127.0.0.1 --stats 10ms";
    let rows: Vec<(&str, Vec<String>, &str, i32)> = vec![
        ("run", on_board(&["run", text(&script)]), "tick", 0),
        ("repl", on_board(&["repl"]), ">>> ", 0),
        ("put", on_board(&["put", text(&big), ":"]), "%", 130),
        ("listen", plain(listen), "0 datagrams", 0),
        ("listen --oled", plain(&format!("{listen} --oled")), "└", 0),
        ("send", plain("send 127.0.0.1:9 -i 10ms"), "refused", 0),
        ("send -I", plain("send 127.0.0.1:9 -I"), "Ctrl-C", 0),
        (
            "send -n",
            plain("send 127.0.0.1:9 -v x -n 10000 -i 10ms"),
            "refused",
            130,
        ),
        (
            "pair",
            plain(&format!("pair -v -s socket://{silent}")),
            " baud",
            130,
        ),
        (
            "pair --ssid",
            plain(&format!("pair -s {port} --ssid x")),
            "password of x: ",
            130,
        ),
        // Before the first round.
        (
            "pair --watch",
            plain(&format!("pair -s socket://{silent} --watch")),
            "TESTING",
            130,
        ),
    ];
    for (name, args, until, code) in rows {
        // The process may notice the signal first, or the closed terminal.
        for _ in 0..3 {
            let (ended, took) = in_closed_window(&args, until);
            assert_eq!(ended, Some(code), "{name}");
            assert!(took < SOON, "{name}: {took:?}");
        }
    }
    assert_untouched(&board, &[]);
}

/// Runs `udpcli ARGS` on a terminal, closes it once it shows `text`, and returns the exit code and the time until the
/// end.
fn in_closed_window(args: &[String], text: &str) -> (Option<i32>, Duration) {
    let (theirs, ours) = terminal();
    let size = rustix::termios::Winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&theirs, size).unwrap();
    // The program is the session leader of the terminal, so it receives SIGHUP.
    let mut command = Command::new("setsid");
    command
        .arg("--ctty")
        .arg(udpcli::<&str>([]).get_program())
        .args(args)
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("UDPCLI_SERIAL")
        .env_remove("UDPCLI_LOG")
        .stdin(theirs.try_clone().unwrap())
        .stdout(theirs.try_clone().unwrap())
        .stderr(theirs);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut ours = fs::File::from(ours);
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&shown).contains(text) {
        let len = ours.read(&mut buffer).unwrap_or_else(|error| {
            panic!("{args:?}: {error}; {}", String::from_utf8_lossy(&shown))
        });
        shown.extend_from_slice(&buffer[..len]);
    }
    drop(ours);
    let closed = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), closed.elapsed());
        }
        if closed.elapsed() > DEADLINE {
            let _ = child.kill();
            panic!("{args:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The child of this process, once it exists.
fn child_of(parent: u32) -> u32 {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let mut child = None;
    crate::process::eventually("it starts a process", || {
        let children = fs::read_to_string(&path).unwrap_or_default();
        child = children.split(' ').find_map(|id| id.parse().ok());
        child.is_some()
    });
    child.unwrap()
}

/// Runs `udpcli ARGS` on a terminal, sends `signals` once it shows `text`, and returns the output, with the terminal's
/// modes at the end, and the exit code.
fn signalled_on_terminal(args: &[&str], text: &str, signals: &[&str]) -> (String, Option<i32>) {
    let line = "trap : INT; stty echo; \"$0\" \"$@\"; code=$?; \
                echo; stty -a | grep -owE -- '-?(echo|icanon)'; echo ended; exit $code";
    let mut command = Command::new("python3");
    command
        .args(["-c", crate::process::PTY, "", "sh", "-c", line])
        .arg(udpcli::<&str>([]).get_program())
        .args(args)
        .env_remove("UDPCLI_SERIAL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = String::new();
    let mut until = |text: &str| {
        let mut byte = [0];
        while !shown.contains(text) {
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "no {text} in {shown}");
            shown.push(char::from(byte[0]));
        }
    };
    until(text);
    let id = child_of(child_of(child.id()));
    let asked = Instant::now();
    for signal in signals {
        let sent = Command::new("kill")
            .args([format!("-{signal}"), id.to_string()])
            .status();
        assert!(sent.unwrap().success());
        if *signal == "STOP" {
            crate::process::eventually("it is stopped", || {
                let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
                stat.rsplit(')').next().unwrap().starts_with(" T")
            });
        }
    }
    until("ended");
    let took = asked.elapsed();
    assert!(took < SOON, "{signals:?}: {took:?}");
    (shown, child.wait().unwrap().code())
}

/// Whether the terminal echoes typed lines, as before.
fn is_as_before(shown: &str) -> bool {
    let has = |mode: &str| shown.lines().any(|line| line.trim() == mode);
    has("echo") && has("icanon") && !has("-echo") && !has("-icanon")
}

#[test]
fn a_signal_ends_a_prompt_and_restores_the_terminal() {
    let args = ["board", "-s", "/dev/null", "run", "--example", "server"];
    let args = [&args[..], &["--ssid", "class"]].concat();
    for signals in [
        &["INT"][..],
        &["TERM"],
        &["HUP"],
        &["STOP", "INT", "TERM", "CONT"],
    ] {
        let (shown, code) = signalled_on_terminal(&args, "password of class: ", signals);
        assert!(is_as_before(&shown), "{signals:?}: {shown}");
        assert_eq!(code, Some(130), "{signals:?}");
    }
}

#[test]
fn a_signal_ends_the_repl_and_restores_the_terminal() {
    let board = VirtualBoard::options().ready();
    for signal in SIGNALS {
        let args = ["board", "-s", &board.port, "repl"];
        let (shown, code) = signalled_on_terminal(&args, ">>> ", &[signal]);
        assert!(is_as_before(&shown), "{signal}: {shown}");
        assert_eq!(code, Some(0), "{signal}");
    }
    assert_untouched(&board, &[]);
}
