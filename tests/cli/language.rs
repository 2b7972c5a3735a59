//! The language of messages: chosen by flag, environment or system. Output for programs does not change.

use crate::support::{address_of, loopback_socket, run, udpcli};

const NO_PORT: [&str; 4] = ["send", "127.0.0.1:9", "x", "-w"];

#[test]
fn the_flag_chooses_the_language_of_messages_and_errors() {
    let end = run([&NO_PORT[..], &["1s", "--lang", "zh-CN"]].concat()).expect_code(1);
    assert!(
        end.stderr.contains("1 个数据报，1 字节，"),
        "{}",
        end.stderr
    );
    assert!(
        end.stderr
            .contains("udpcli: error: 被拒绝：127.0.0.1:9 上没有程序在监听"),
        "{}",
        end.stderr
    );
    assert!(
        end.stderr.contains("  hint: 127.0.0.1 有回应"),
        "{}",
        end.stderr
    );
}

#[test]
fn without_the_flag_the_environment_chooses() {
    let asked = |name: &str, value: &str| {
        let mut command = udpcli([&NO_PORT[..], &["1s"]].concat());
        command
            .env_remove("UDPCLI_LANG")
            .env_remove("LC_ALL")
            .env_remove("LC_CTYPE")
            .env_remove("LC_MESSAGES")
            .env("LANG", "C")
            .env(name, value);
        let output = command.output().expect("it runs");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(asked("UDPCLI_LANG", "zh-CN").contains("被拒绝"));
    assert!(asked("LANG", "zh_CN.UTF-8").contains("被拒绝"));
    assert!(asked("LANG", "en_GB.UTF-8").contains("refused"));
    assert!(asked("LANG", "C").contains("refused"));
    let wrong = asked("UDPCLI_LANG", "klingon");
    assert!(wrong.contains("invalid value 'klingon'"), "{wrong}");
}

#[test]
fn the_listening_line_begins_alike_in_every_language() {
    let end = run([
        "listen",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--timeout",
        "10ms",
        "--lang",
        "zh-CN",
    ]);
    assert!(
        end.stderr.starts_with("listening on 127.0.0.1:"),
        "{}",
        end.stderr
    );
    assert!(end.stderr.contains("只有本机的程序"), "{}", end.stderr);
}

#[test]
fn what_programs_read_does_not_change_with_the_language() {
    let socket = loopback_socket();
    let of = |lang: &str| {
        let address = address_of(&socket);
        let end = run(["send", &address, "x", "--summary", "json", "--lang", lang]);
        let object: serde_json::Value = serde_json::from_str(end.stderr.trim()).expect("JSON");
        let summary = object["summary"].as_object().expect("a summary").clone();
        summary.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("en"), of("zh-CN"));
    let steps = |lang: &str| {
        let address = address_of(&socket);
        let end = run(["send", &address, "x", "-v", "--lang", lang]);
        assert!(
            end.stderr.contains("socket AF_INET SOCK_DGRAM"),
            "{}",
            end.stderr
        );
        assert!(end.stderr.contains("sendto 1 bytes to "), "{}", end.stderr);
    };
    steps("en");
    steps("zh-CN");
}

/// Variables that name a language and a port do not count as typed: the help comes all the same.
#[test]
fn a_command_alone_shows_its_help_whatever_the_environment_sets() {
    for (args, heading) in [
        (vec![], "Usage: udpcli "),
        (vec!["board"], "Usage: udpcli board "),
    ] {
        if args.contains(&"board") && cfg!(not(feature = "board")) {
            continue;
        }
        for lang in ["", "en"] {
            let mut command = udpcli(args.clone());
            command
                .env_remove("UDPCLI_LANG")
                .env_remove("UDPCLI_SERIAL");
            if !lang.is_empty() {
                command
                    .env("UDPCLI_LANG", lang)
                    .env("UDPCLI_SERIAL", "COM3");
            }
            let output = command
                .env("LANG", "C")
                .env("LC_ALL", "C")
                .output()
                .expect("it runs");
            let text = String::from_utf8(output.stderr).expect("text");
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(text.contains(heading), "{args:?} {lang:?}: {text}");
            assert!(!text.contains("requires a subcommand"), "{text}");
        }
    }
}
