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

/// Reads the output until a line contains these words.
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
fn keys_reach_the_prompt_and_output_reaches_the_terminal() {
    for (kind, options) in kinds() {
        let vboard = options.ready();
        let mut repl = open(&vboard);
        repl.type_in(b"print('\\u4f60' + '\\u597d')\r");
        assert_eq!(shown(&mut repl, "你好"), "你好\r\n", "{kind}");
        // Fetch the previous line from the prompt's own history, and delete its last character.
        repl.type_in(b"print(6*7)\r");
        assert_eq!(shown(&mut repl, "42\r"), "42\r\n", "{kind}");
        repl.type_in(b"\x1b[A\x7f+1)\r");
        assert_eq!(shown(&mut repl, "43\r"), "43\r\n", "{kind}");
        // The board ignores a Ctrl-C that comes before the loop runs: only the loop's own output shows that it runs.
        repl.type_in(b"exec(\"print('go' + 'ing')\\nwhile True: pass\")\r");
        shown(&mut repl, "going\r");
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
fn a_board_cannot_control_the_terminal() {
    let vboard = VirtualBoard::options().ready();
    let mut repl = open(&vboard);
    repl.type_in(b"print('\\x1b]0;title\\x07' + 'a' + '\\x1b[31mred\\x1b[0m' + '\\x1b[6n' + '\\x1bP$q\\x1b\\\\' + 'z')\r");
    let line = shown(&mut repl, "z\r");
    assert_eq!(
        line.escape_debug().to_string(),
        "\\\\x1b]0;title\\\\x07a\\u{1b}[31mred\\u{1b}[0m\\\\x1b[6n\\\\x1bP$q\\\\x1b\\\\z\\r\\n"
    );
    repl.type_in(LEAVE);
    repl.finish().expect_code(0);
}

/// Runs a shell line on a terminal, with the board's port as `$1`, and prints the terminal modes before and after.
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
fn every_exit_restores_the_terminal() {
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
fn the_repl_continues_when_the_cable_is_back() {
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
fn piped_source_is_typed_and_its_output_printed() {
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

/// Runs source from a pipe through `udpcli board repl`; returns the board's output.
fn piped(vboard: &VirtualBoard, source: &str) -> String {
    run_with_input(command(vboard, ["repl"]), source.as_bytes())
        .expect_code(0)
        .text()
}

#[test]
fn every_one_of_400_piped_lines_is_answered() {
    let lines: Vec<String> = (0..400).map(|n| format!("print('n', {n})\n")).collect();
    let source = lines.concat();
    for (kind, options) in kinds() {
        let vboard = options.ready();
        let text = piped(&vboard, &source);
        let answers: Vec<&str> = text.lines().filter(|line| line.starts_with("n ")).collect();
        let expected: Vec<String> = (0..400).map(|n| format!("n {n}")).collect();
        assert_eq!(answers, expected, "{kind}");
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn piped_compound_statements_run_whatever_their_line_ends() {
    let source = "def f(x):\n    if x > 1:\n        return 'big'\n\n    else:\n        return 'small'\n\nfor i in range(3):\n    print(f(i))\ntry:\n    1/0\nexcept ZeroDivisionError:\n    print('caught')\nprint('你好')\n";
    for (kind, options) in kinds() {
        let vboard = options.ready();
        for source in [source.to_owned(), source.replace('\n', "\r\n")] {
            let text = piped(&vboard, &source);
            let answers: Vec<&str> = text
                .lines()
                .filter(|line| matches!(*line, "big" | "small" | "caught" | "你好"))
                .collect();
            assert_eq!(
                answers,
                ["small", "small", "big", "caught", "你好"],
                "{kind}: {text}"
            );
            assert!(!text.contains("SyntaxError"), "{kind}: {text}");
            assert!(text.ends_with(">>> "), "{kind}: {text}");
        }
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn a_silent_piped_statement_has_no_timeout() {
    let vboard = VirtualBoard::options().ready();
    let text = piped(
        &vboard,
        "import time\ntime.sleep(1.5)\nprint('after')\nx = input('name? ')\nPeter\nprint('hello', x)\n",
    );
    assert!(
        text.contains("after\r\n") && text.contains("hello Peter\r\n"),
        "{text}"
    );
}

#[test]
fn ctrl_c_ends_piped_source_at_the_prompt() {
    for (kind, options) in kinds() {
        let vboard = options.ready();
        let mut repl = Running::spawn(command(&vboard, ["repl"]).stdin(Stdio::piped()));
        repl.type_in(b"import time\nwhile True: print('tick'); time.sleep_ms(50)\n\n");
        shown(&mut repl, "tick\r");
        repl.signal("INT");
        repl.finish().expect_code(0);
        let text = piped(&vboard, "print(6*7)\n");
        assert!(text.contains("\r\n42\r\n"), "{kind}: {text}");
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn piped_source_stops_a_running_program() {
    let vboard = VirtualBoard::options()
        .file("main.py", "import time\nwhile True: time.sleep(1)\n")
        .ready();
    let finished = run_with_input(command(&vboard, ["repl"]), b"print(6*7)\n").expect_code(0);
    assert!(finished.text().contains("\r\n42\r\n"));
    assert!(
        finished.stderr.contains("was stopped"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_paste_of_60_lines_runs_completely() {
    use std::fmt::Write as _;
    let mut source =
        String::from("def f(n):\r    if n % 2:\r        return 'odd'\r    return 'even'\r");
    for n in 0..56 {
        write!(source, "print('p', {n}, f({n}))\r").unwrap();
    }
    for (kind, options) in kinds() {
        let vboard = options.ready();
        // With the terminal's paste markers, and without.
        for text in [format!("\x1b[200~{source}\x1b[201~"), source.clone()] {
            let mut repl = open(&vboard);
            repl.type_in(b"print(1 + 1)\r");
            shown(&mut repl, "2\r");
            repl.type_in(text.as_bytes());
            for n in 0..56 {
                let parity = if n % 2 == 1 { "odd" } else { "even" };
                loop {
                    let line = repl.stdout_line();
                    assert!(!line.contains("Error"), "{kind}: {line}");
                    if line.starts_with("p ") {
                        assert_eq!(line, format!("p {n} {parity}\r\n"), "{kind}");
                        break;
                    }
                }
            }
            repl.type_in(LEAVE);
            repl.finish().expect_code(0);
        }
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn ctrl_c_stops_pasted_code() {
    let vboard = VirtualBoard::options().ready();
    let mut repl = open(&vboard);
    repl.type_in(b"print(1 + 1)\r");
    shown(&mut repl, "2\r");
    repl.type_in(b"\x1b[200~while True:\r    print('on')\rprint('never')\r\x1b[201~");
    shown(&mut repl, "on\r");
    repl.type_in(b"\x03");
    shown(&mut repl, "KeyboardInterrupt");
    repl.type_in(b"print(40 + 2)\r");
    loop {
        let line = repl.stdout_line();
        assert_ne!(line, "never\r\n");
        if line == "42\r\n" {
            break;
        }
    }
    repl.type_in(LEAVE);
    repl.finish().expect_code(0);
}
