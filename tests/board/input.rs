//! `input()` and `sys.stdin` under `udpcli board run`: typed on a terminal, or from a pipe.

use std::fs;
use std::time::{Duration, Instant};

use crate::client::{assert_untouched, board, command, kinds, start_source};
use crate::files::text;
use crate::process::{CTRL_C, Finished, Running, run_with_input, udpcli_on_terminal};
use crate::support::VirtualBoard;

/// Runs a program from a file with this on its standard input.
#[track_caller]
fn run_with(board: &VirtualBoard, source: &str, input: impl AsRef<[u8]>) -> Finished {
    let script = board.files().with_file_name("script.py");
    fs::write(&script, source).unwrap();
    run_with_input(command(board, ["run", text(&script)]), input.as_ref())
}

const ASKS: &str = "import time
print('busy `')
time.sleep(0.3)
name = input('name? ')
age = input()
print('hello', name, 'aged', age)
try:
    input('more? ')
except EOFError:
    print('no more')
";

#[test]
fn piped_lines_go_to_input_and_the_end_is_an_eof_error() {
    for (kind, options) in kinds() {
        let vboard = options.flag("--quick").ready();
        let finished =
            run_with(&vboard, ASKS, "Bob\r\n\t7\x03\x04\x01 你".as_bytes()).expect_code(0);
        assert_eq!(
            finished.text(),
            "busy `\r\nname? hello Bob aged  7 \r\nmore? no more\r\n",
            "{kind}"
        );
        assert_eq!(
            finished.stderr.matches("accepts only ASCII").count(),
            1,
            "{}",
            finished.stderr
        );
        let finished = run_with(&vboard, "input('x')\n", "").expect_code(1);
        assert!(finished.stderr.contains("EOFError"), "{}", finished.stderr);
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn many_lines_and_long_lines_arrive_whole() {
    let mut vboard = VirtualBoard::options().flag("--quick").ready();
    let source = "n = 0\nwhile True:\n line = input()\n if not line: break\n n += 1\n print(n, len(line), line[-3:])\n";
    let lines: Vec<String> = (1..20).map(|n| "x".repeat(n * 37) + "end").collect();
    let finished = run_with(&vboard, source, lines.join("\n") + "\n\n").expect_code(0);
    let expected: Vec<String> = (1..20)
        .map(|n| format!("{n} {} end\r\n", n * 37 + 3))
        .collect();
    assert_eq!(finished.text(), expected.concat());
    assert_eq!(vboard.count("lost"), 0);
}

#[test]
fn a_program_that_reads_stdin_itself_gets_the_lines_as_they_are() {
    for (kind, options) in kinds() {
        let mut vboard = options.flag("--quick").ready();
        let source = "import sys\nfor i in range(12):\n line = sys.stdin.readline()\n sys.stdout.write('%d %d\\n' % (i, len(line)))\nprint('end')\n";
        let line = "你好 ".repeat(12) + "\n";
        let finished = run_with(&vboard, source, line.repeat(12)).expect_code(0);
        let expected: Vec<String> = (0..12).map(|i| format!("{i} 37\r\n")).collect();
        assert_eq!(finished.text(), expected.concat() + "end\r\n", "{kind}");
        assert_eq!(vboard.count("lost"), 0);
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn what_a_program_does_not_read_does_not_reach_the_prompt() {
    for (kind, options) in kinds() {
        let vboard = options.flag("--quick").ready();
        for source in [
            "import time\nprint('on')\ntime.sleep(0.4)\nif 0: input()\n",
            "import time, sys\nprint('on')\ntime.sleep(0.4)\nif 0: sys.stdin\n",
            "import time, sys\nprint('on')\ntime.sleep(0.4)\nif 0: sys.stdin\nsys.exit()\n",
            "import time, sys\nprint('on')\ntime.sleep(0.4)\nif 0: sys.stdin, input()\n1/0\n",
        ] {
            let input = "open('/left', 'w').close()\n".repeat(20);
            let finished = run_with(&vboard, source, input);
            assert_eq!(finished.text(), "on\r\n", "{kind}: {source}");
            assert!(matches!(finished.code, Some(0 | 1)), "{}", finished.stderr);
            assert_untouched(&vboard, &[]);
        }
    }
}

#[test]
fn ctrl_c_ends_a_program_that_waits_for_input() {
    for (kind, options) in kinds() {
        let vboard = options.flag("--quick").ready();
        let mut running = Running::spawn(&mut {
            let script = vboard.files().with_file_name("script.py");
            fs::write(
                &script,
                "print('on')\nwhile True:\n print('got', input('name? '))\n",
            )
            .unwrap();
            let mut command = command(&vboard, ["run", text(&script)]);
            command.stdin(std::process::Stdio::piped());
            command
        });
        assert_eq!(running.stdout_line(), "on\r\n", "{kind}");
        running.type_in(b"Bob\n");
        assert_eq!(running.stdout_line(), "name? got Bob\r\n", "{kind}");
        // Half a line stays here.
        running.type_in(b"Al");
        let asked = Instant::now();
        running.interrupt().expect_code(0);
        assert!(asked.elapsed() < Duration::from_secs(4), "{kind}");
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn on_a_terminal_the_boards_echo_is_not_shown() {
    let vboard = VirtualBoard::options().flag("--quick").ready();
    let script = vboard.files().with_file_name("script.py");
    let source = "print('name?')
print('hello', input(''), input('age? '))
print('more?')
try:
    print(input(), 'got')
    input()
except EOFError:
    print('no more')
";
    fs::write(&script, source).unwrap();
    let mut running = Running::spawn(&mut udpcli_on_terminal(
        "",
        ["board", "-s", &vboard.port, "run", text(&script)],
    ));
    let wait = |running: &mut Running, text: &str| while !running.stdout_line().contains(text) {};
    wait(&mut running, "name?");
    // This terminal does not echo.
    running.type_in(b"Bob\n7\n");
    assert_eq!(running.stdout_line(), "age? hello Bob 7\r\n");
    wait(&mut running, "more?");
    // Ctrl-D ends the input; a terminal may send it several times.
    running.type_in(b"x\n");
    wait(&mut running, "x got");
    running.type_in(b"\x04");
    wait(&mut running, "no more");
    let finished = running.finish().expect_code(0);
    assert!(finished.stderr.is_empty(), "{}", finished.stderr);
    // Ctrl-C is a key here.
    let mut running = Running::spawn(&mut udpcli_on_terminal(
        "",
        ["board", "-s", &vboard.port, "run", text(&script)],
    ));
    wait(&mut running, "name?");
    running.type_in(CTRL_C);
    running.finish().expect_code(0);
    assert_untouched(&vboard, &[]);
}

#[test]
fn standard_input_that_held_the_program_or_the_steps_is_at_its_end() {
    let vboard = VirtualBoard::options().flag("--quick").ready();
    let script = vboard.files().with_file_name("script.py");
    fs::write(&script, "print(input())\n").unwrap();
    let run = format!("run {}\n", text(&script));
    for (args, input) in [
        (&["run", "-"][..], "print(input())\n"),
        (&["exec", "-"], "print(input())\n"),
        (&["do", "-"], &run),
    ] {
        let mut command = command(&vboard, []);
        command.args(args);
        let finished = run_with_input(command, input.as_bytes()).expect_code(1);
        assert!(finished.stderr.contains("EOFError"), "{}", finished.stderr);
        assert!(
            finished.stderr.contains("standard input is already in use"),
            "{}",
            finished.stderr
        );
    }
    // Two steps read one after the other.
    let command = command(
        &vboard,
        ["do", run.trim(), run.trim(), "exec 'print(input())'"],
    );
    let finished = run_with_input(command, b"one\ntwo\nthree\n").expect_code(0);
    assert_eq!(finished.text(), "one\r\ntwo\r\nthree\r\n");
}

#[test]
fn a_program_that_reads_nothing_leaves_standard_input_alone() {
    let vboard = VirtualBoard::options().flag("--quick").ready();
    let script = vboard.files().with_file_name("script.py");
    fs::write(&script, "print('x') # input()\n").unwrap();
    let shell = "while read -r line; do \"$0\" board -s \"$1\" run \"$2\" && echo \"$line\"; done";
    let looped = crate::process::bash(shell, [&vboard.port, text(&script)]);
    let finished = run_with_input(looped, b"one\ntwo\n").expect_code(0);
    assert_eq!(finished.text(), "x\r\none\nx\r\ntwo\n");
}

#[test]
fn a_save_interrupts_a_program_that_waits_for_input() {
    let vboard = VirtualBoard::options().flag("--quick").ready();
    let script = vboard.files().with_file_name("main.py");
    fs::write(&script, "print('one')\nprint(input())\n").unwrap();
    let mut command = command(&vboard, ["run", text(&script), "--watch"]);
    command.stdin(std::process::Stdio::piped());
    let mut running = Running::spawn(&mut command);
    assert_eq!(running.stdout_line(), "one\r\n");
    fs::write(&script, "print('two')\nprint(input())\n").unwrap();
    assert_eq!(running.stdout_line(), "two\r\n");
    running.type_in(b"typed\n");
    assert_eq!(running.stdout_line(), "typed\r\n");
    running.stderr_line_with("has ended");
    running.interrupt().expect_code(0);
    assert_untouched(&vboard, &[]);
}

#[test]
fn a_program_that_waits_for_more_than_there_is_is_told_of() {
    let vboard = VirtualBoard::options().flag("--quick").ready();
    let mut running = start_source(&vboard, "import sys\nprint(sys.stdin.read(1))\n");
    running.stderr_line_with("standard input has ended");
    running.interrupt().expect_code(0);
    board(&vboard, ["ls"]).expect_code(0);
}
