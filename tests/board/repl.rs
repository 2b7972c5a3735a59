//! `udpcli board repl` on a terminal and on a pipe.

use std::process::{Command, Stdio};

use crate::client::{assert_untouched, command, kinds};
use crate::process::{PTY, Running, run_with_input, udpcli_on_terminal};
use crate::support::VirtualBoard;

const LEAVE: &[u8] = b"\x1d";

/// `udpcli board repl` on a terminal, at the board's prompt.
#[track_caller]
fn open(vboard: &VirtualBoard) -> Running {
    let mut repl = Running::spawn(&mut udpcli_on_terminal(
        "2",
        ["board", "-s", &vboard.port, "repl"],
    ));
    repl.stderr_line_with("connected to");
    repl
}

/// Reads what is shown until a line has these words.
#[track_caller]
fn shown(repl: &mut Running, words: &str) -> String {
    loop {
        let line = repl.stdout_line();
        if line.contains(words) {
            return line;
        }
    }
}

#[test]
fn keys_reach_the_prompt_and_its_answers_the_terminal() {
    for (kind, options) in kinds() {
        let vboard = options.ready();
        let mut repl = open(&vboard);
        repl.type_in(b"print('\\u4f60' + '\\u597d')\r");
        assert_eq!(shown(&mut repl, "你好"), "你好\r\n", "{kind}");
        // The line before, from the prompt's own history; its last character taken back.
        repl.type_in(b"print(6*7)\r");
        assert_eq!(shown(&mut repl, "42\r"), "42\r\n", "{kind}");
        repl.type_in(b"\x1b[A\x7f+1)\r");
        assert_eq!(shown(&mut repl, "43\r"), "43\r\n", "{kind}");
        repl.type_in(b"while True: pass\r\r\r");
        shown(&mut repl, "while True");
        repl.type_in(b"\x03");
        shown(&mut repl, "KeyboardInterrupt");
        repl.type_in(b"\x04");
        shown(&mut repl, "soft reboot");
        repl.type_in(b"print(100 + 1)\r");
        assert_eq!(shown(&mut repl, "101\r"), "101\r\n", "{kind}");
        repl.type_in(LEAVE);
        repl.finish().expect_code(0);
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn a_board_cannot_command_the_terminal() {
    let vboard = VirtualBoard::options().ready();
    let mut repl = open(&vboard);
    repl.type_in(b"print('\\x1b]0;title\\x07' + 'a' + '\\x1b[31mred\\x1b[0m' + '\\x1b[6n' + '\\x1bP$q\\x1b\\\\' + 'z')\r");
    let line = shown(&mut repl, "z\r");
    assert_eq!(
        line.escape_debug().to_string(),
        "\\\\x1b]0;title\\u{7}a\\u{1b}[31mred\\u{1b}[0m\\\\x1b[6n\\\\x1bP$q\\\\x1b\\\\z\\r\\n"
    );
    repl.type_in(LEAVE);
    repl.finish().expect_code(0);
}

/// Runs a shell line with the board's port as `$1` on a terminal, and gives the modes before and after.
fn on_terminal(vboard: &VirtualBoard, line: &str) -> Running {
    let script =
        format!("echo modes $(stty -g); {line} ; code=$?; echo; echo modes $(stty -g) $code");
    let mut command = Command::new("python3");
    command
        .args([
            "-c",
            PTY,
            "",
            "bash",
            "-c",
            &script,
            env!("CARGO_BIN_EXE_udpcli"),
            &vboard.port,
        ])
        .stdin(Stdio::piped());
    Running::spawn(&mut command)
}

#[test]
fn the_terminal_is_as_it_was_after_every_end() {
    let mut vboard = VirtualBoard::options().ready();
    for (line, typed, code) in [
        ("$0 board -s $1 repl", LEAVE, 0),
        (
            "timeout --foreground -s TERM 2 $0 board -s $1 repl",
            b"",
            124,
        ),
    ] {
        let mut running = on_terminal(&vboard, line);
        let before = running.stdout_line();
        shown(&mut running, "connected to");
        running.type_in(typed);
        let after = shown(&mut running, "modes");
        assert_eq!(
            after.trim_end(),
            format!("{} {code}", before.trim_end()),
            "{line}"
        );
        let _ = vboard.stats();
    }
}

#[test]
fn it_goes_on_when_the_cable_comes_back() {
    for (kind, options) in kinds() {
        let mut vboard = options.ready();
        let mut repl = open(&vboard);
        repl.type_in(b"print(1 + 1)\r");
        shown(&mut repl, "2\r");
        vboard.unplug();
        repl.stderr_line_with("waiting for it to come back");
        vboard.plug();
        repl.stderr_line_with("connected again");
        vboard.wait_ready();
        repl.type_in(b"\rprint(2 + 1)\r");
        assert_eq!(shown(&mut repl, "3\r"), "3\r\n", "{kind}");
        repl.type_in(LEAVE);
        repl.finish().expect_code(0);
    }
}

#[test]
fn a_pipe_is_typed_and_the_answer_waited_for() {
    for (kind, options) in kinds() {
        let vboard = options.ready();
        let finished = run_with_input(command(&vboard, ["repl"]), b"print(1 + 1)\nprint(2 + 1)\n")
            .expect_code(0);
        let text = finished.text();
        assert!(
            text.contains("\r\n2\r\n>>> ") && text.ends_with("\r\n3\r\n>>> "),
            "{kind}: {text}"
        );
    }
}
