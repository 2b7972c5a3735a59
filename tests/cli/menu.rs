//! `udpcli` alone: the short help in a terminal, and the guided menu in a window that would close with the program.

use std::process::Command;

use crate::support::{address_of, loopback_socket, receive, run_with_input, udpcli};

/// `udpcli` alone, which assumes that the console is its own.
fn menu(language: &str) -> Command {
    let mut command = udpcli([""; 0]);
    command.env("UDPCLI_MENU", "1").env("UDPCLI_LANG", language);
    command
}

#[test]
fn alone_it_prints_one_screen_with_the_five_commands() {
    for (language, first) in [("en", "udpcli sends and receives"), ("zh-CN", "udpcli 在")] {
        let mut command = udpcli([""; 0]);
        command
            .env("UDPCLI_LANG", language)
            .env_remove("UDPCLI_MENU");
        let finished = run_with_input(command, b"").expect_code(2);
        let text = finished.stderr;
        assert!(text.starts_with(first), "{text}");
        assert!(text.lines().count() < 24, "{text}");
        for name in ["listen", "send", "pair", "doctor", "demo"] {
            assert!(
                text.contains(&format!("  udpcli {name} ")),
                "{name}: {text}"
            );
        }
    }
}

#[test]
fn a_choice_shows_its_command_line_and_runs_it() {
    for (language, choose, again, close) in [
        (
            "en",
            "Type a number",
            "Type 1, 2, 3, 4 or 5",
            "Press Enter to close.",
        ),
        (
            "zh-CN",
            "请输入数字",
            "请输入 1、2、3、4 或 5",
            "按回车键关闭窗口。",
        ),
    ] {
        let finished = run_with_input(menu(language), b"9\n5\n\n\n").expect_code(0);
        let text = finished.text();
        for part in [choose, again, "\n> udpcli --help\n", "udpcli listen", close] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn an_address_and_a_message_are_asked_for_and_sent() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let input = format!("2\n-x y\n{peer}\n你好 there\n\n\n");
    let finished = run_with_input(menu("en"), input.as_bytes()).expect_code(0);
    assert_eq!(receive(&socket).0, "你好 there".as_bytes());
    let text = finished.text();
    assert!(text.contains("An address looks like"), "{text}");
    let line = format!("> udpcli send {peer} -w 1s -- \"你好 there\"\n");
    assert!(text.contains(&line), "{text}");
}

#[test]
fn the_end_of_the_input_ends_it_at_every_question() {
    for input in [
        "",
        "2\n",
        "2\n127.0.0.1:6000\n",
        "\n",
        "nonsense",
        "2\nno address\n",
    ] {
        run_with_input(menu("en"), input.as_bytes()).expect_code(0);
    }
    let wrong = "x\n".repeat(100_000);
    let text = run_with_input(menu("en"), wrong.as_bytes())
        .expect_code(0)
        .text();
    assert!(text.len() < 10_000, "{} bytes", text.len());
}
