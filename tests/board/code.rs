//! `udpcli board exec`, `eval`, `do` and `resume`.

use std::fs;

use serde_json::{Value, json};

use crate::client::{assert_untouched, board, command, start};
use crate::process::{Finished, Running, eventually, run_with_input};
use crate::support::{Options, VirtualBoard};

fn profiles() -> [(&'static str, Options); 4] {
    ["mpython-1.0", "mpython-1.4", "mixly-1.19", "generic-1.26"]
        .map(|name| (name, VirtualBoard::options().profile(name)))
}

#[track_caller]
fn assert_says(finished: &Finished, text: &str) {
    assert!(finished.stderr.contains(text), "{}", finished.stderr);
}

#[test]
fn code_runs_and_its_traceback_exits_1() {
    for (kind, options) in profiles() {
        let vboard = options.ready();
        let finished = board(&vboard, ["exec", "for i in range(3): print(i)"]).expect_code(0);
        assert_eq!(finished.text(), "0\r\n1\r\n2\r\n", "{kind}");
        let finished = run_with_input(command(&vboard, ["exec", "-"]), b"print('in')\r\n");
        assert_eq!(finished.expect_code(0).text(), "in\r\n", "{kind}");
        let finished = board(&vboard, ["exec", "print('a')\nraise ValueError(1)"]).expect_code(1);
        assert_eq!(finished.text(), "a\r\n", "{kind}");
        assert_says(
            &finished,
            "File \"<stdin>\", line 2, in <module>\r\nValueError: 1\r\n",
        );
        // As with `run`, each command starts a new interpreter, unless a flag keeps the old one.
        board(&vboard, ["exec", "x = [7]"]).expect_code(0);
        let finished = board(&vboard, ["exec", "--no-soft-reset", "print(x)"]).expect_code(0);
        assert_eq!(finished.text(), "[7]\r\n", "{kind}");
        let finished = board(&vboard, ["resume", "eval", "x"]).expect_code(0);
        assert_eq!(finished.text(), "[7]\n", "{kind}");
        let finished = board(&vboard, ["exec", "print(x)"]).expect_code(1);
        assert_says(&finished, "NameError");
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn a_value_is_json_where_json_can_hold_it() {
    let values = [
        ("1 + 2", json!(3)),
        (" -7 ", json!(-7)),
        (
            "2 ** 70",
            serde_json::from_str("1180591620717411303424").unwrap(),
        ),
        ("1.5", json!(1.5)),
        ("None", json!(null)),
        ("[True, False, 1 == 2]", json!([true, false, false])),
        (
            "'a\"b\\\\c\\n\\x00\\x7f\\x1b' * 2",
            json!("a\"b\\c\n\0\x7f\x1ba\"b\\c\n\0\x7f\x1b"),
        ),
        ("'你好' * 50", json!("你好".repeat(50))),
        ("(1, 'a', [])", json!([1, "a", []])),
        (
            "{'a': {'b': (None,)}, 'c': {}}",
            json!({"a": {"b": [null]}, "c": {}}),
        ),
        ("list(range(3000))", json!((0..3000).collect::<Vec<u32>>())),
        ("''", json!("")),
    ];
    for (kind, options) in profiles() {
        let vboard = options.baud(0).ready();
        for (expression, expected) in &values {
            let finished = board(&vboard, ["eval", "--", expression]).expect_code(0);
            let text = finished.text();
            let value: Value = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{kind}: {expression}: {error}: {text}"));
            assert_eq!(value, *expected, "{kind}: {expression}");
            assert!(
                text.ends_with('\n') && !text.contains('\r'),
                "{kind}: {text:?}"
            );
        }
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn any_other_value_is_python_text_and_has_an_end() {
    for (kind, options) in profiles() {
        let vboard = options.baud(0).ready();
        let eval = |setup: &str, expression: &str| {
            let steps = [format!("exec '{setup}'"), format!("eval '{expression}'")];
            board(&vboard, ["-q", "do", &steps[0], &steps[1]])
                .expect_code(0)
                .text()
        };
        for (expression, expected) in [
            ("float(\"nan\")", "nan\n"),
            ("[1, float(\"-inf\")]", "[1, -inf]\n"),
            ("b\"\\xff\\n\"", "b'\\xff\\n'\n"),
            ("{1: \"a\"}", "{1: 'a'}\n"),
            ("(b\"a\",)", "(b'a',)\n"),
            ("(b\"a\", {})", "(b'a', {})\n"),
            ("range(2)", "range(0, 2)\n"),
        ] {
            assert_eq!(eval("pass", expression), expected, "{kind}: {expression}");
        }
        let text = eval("a = []; a.append(a)", "a");
        assert!(
            text.contains("[[[[") && text.contains("...") && text.len() < 100,
            "{kind}: {text}"
        );
        let text = eval("a = {}; a[\"x\"] = a; a[\"y\"] = a", "a");
        assert!(
            text.contains("...") && text.len() < 20_000,
            "{kind}: {}",
            text.len()
        );
        let text = eval("a = [b\"\"] * 3000", "a");
        assert!(
            text.ends_with("...]\n") && text.len() < 6_000,
            "{kind}: {}",
            text.len()
        );
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn an_expression_is_evaluated_once_and_may_take_its_time() {
    let vboard = VirtualBoard::options().ready();
    let code = "exec \"import time\ndef f(): print('in f'); time.sleep(3); return 1\"";
    let finished = board(&vboard, ["do", code, "eval f()"]).expect_code(0);
    assert_eq!(finished.text(), "in f\r\n1\n");
    let finished = board(&vboard, ["eval", "1 +"]).expect_code(1);
    assert_says(&finished, "SyntaxError");
    let finished = board(&vboard, ["eval", "nosuch"]).expect_code(1);
    assert_says(&finished, "the program ended with NameError");
    assert_untouched(&vboard, &[]);
}

#[test]
fn code_that_is_not_followed_runs_on() {
    for flag in ["--detach", "--no-follow"] {
        let vboard = VirtualBoard::options().ready();
        let done = vboard.files().join("done");
        let code = "import time; time.sleep(1); open('done', 'w').close()";
        let finished = board(&vboard, ["exec", flag, code]).expect_code(0);
        assert_says(&finished, "the program runs on");
        eventually("it has run to its end", || done.exists());
    }
}

#[test]
fn steps_share_one_connection_and_end_at_the_first_that_fails() {
    for (kind, options) in profiles() {
        let mut vboard = options.file("a.txt", "a").ready();
        let here = tempfile::TempDir::new().unwrap();
        let script = here.path().join("main.py");
        fs::write(&script, "print('ran')\n").unwrap();
        let run = format!("run '{}'", script.display());
        let before = vboard.count("soft_resets");
        let finished = board(
            &vboard,
            ["do", "mkdir :lib", "cp :a.txt :lib", &run, "cat :lib/a.txt"],
        );
        assert_eq!(finished.expect_code(0).text(), "ran\r\na", "{kind}");
        assert_eq!(vboard.count("soft_resets"), before, "{kind}");
        let finished =
            board(&vboard, ["do", "cat :a.txt", "cat :none", "rm :a.txt"]).expect_code(3);
        assert_eq!(finished.text(), "a", "{kind}");
        assert_says(
            &finished,
            "udpcli: error: step 2 of 3: cat :none\n  caused by: /none is not on the board\n  hint: ",
        );
        let finished = board(&vboard, ["do", "exec 1/0", "rm :a.txt"]).expect_code(1);
        assert_says(
            &finished,
            "error: step 1 of 2: exec 1/0\n  caused by: the program ended with ZeroDivisionError",
        );
        assert_untouched(&vboard, &["a.txt", "lib"]);
    }
}

#[test]
fn a_mistake_in_any_step_is_said_before_the_first() {
    let vboard = VirtualBoard::options().file("a.txt", "a").ready();
    for (step, says) in [
        (
            "rnu x",
            "error: step 2 of 2: rnu x: unrecognized subcommand 'rnu'",
        ),
        ("rm a.txt", "a path on the board begins with a colon"),
        ("cat ':a.txt", "a quotation mark is not closed"),
        ("oled", "oled cannot be a step"),
        ("ls -s COM3", "hint: flags for the connection go before do"),
        ("ls -h", "a step cannot show help"),
    ] {
        let finished = board(&vboard, ["do", "rm :a.txt", step]).expect_code(2);
        assert_says(&finished, says);
    }
    let input = b"# a lesson\n\nrm :a.txt\nrun -\n";
    let finished = run_with_input(command(&vboard, ["do", "-"]), input).expect_code(2);
    assert_says(
        &finished,
        "step 2 of 2: run -: standard input is already used for the steps",
    );
    assert_untouched(&vboard, &["a.txt"]);
}

#[test]
fn steps_come_from_standard_input() {
    let vboard = VirtualBoard::options().file("a.txt", "a").ready();
    let input = "\u{feff}# a lesson\r\n\r\nexec 'x = 1'\r\nexec 'print(x)'  # still there\r\ncat :a.txt\r\n";
    let finished = run_with_input(command(&vboard, ["do", "-"]), input.as_bytes()).expect_code(0);
    assert_eq!(finished.text(), "1\r\na");
    assert_says(&finished, "step 2 of 3: exec 'print(x)'");
    for input in [&b"# nothing\n"[..], b"", b"\xff\n"] {
        run_with_input(command(&vboard, ["do", "-"]), input).expect_code(2);
    }
    assert_untouched(&vboard, &["a.txt"]);
}

#[test]
fn ctrl_c_ends_a_row_of_steps_with_130() {
    let vboard = VirtualBoard::options().file("a.txt", "a").ready();
    let code = "exec \"import time\nprint('on')\nwhile True: time.sleep_ms(5)\"";
    let mut running: Running = start(&vboard, ["do", code, "rm :a.txt"]);
    assert_eq!(running.stdout_line(), "on\r\n");
    running.signal("INT");
    let finished = running.finish().expect_code(130);
    assert_says(&finished, "stopped at step 1 of 2: exec");
    assert_untouched(&vboard, &["a.txt"]);
}
