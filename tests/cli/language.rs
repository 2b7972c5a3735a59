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
    assert!(asked("LC_ALL", "zh_CN.UTF-8").contains("被拒绝"));
    let wrong = asked("UDPCLI_LANG", "klingon");
    assert!(wrong.contains("invalid value 'klingon'"), "{wrong}");
}

/// The variables that a shell script sets for plain English override the desktop's language.
#[test]
fn lc_all_c_gives_english_and_lang_gives_chinese_in_help_and_errors() {
    let said = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = udpcli(args);
        for name in [
            "UDPCLI_LANG",
            "LC_ALL",
            "LC_CTYPE",
            "LC_MESSAGES",
            "LANG",
            "LANGUAGE",
        ] {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).output();
        let output = output.expect("it runs");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    };
    for (args, english, chinese) in [
        (&["--help"][..], "Usage: udpcli ", "用法：udpcli "),
        (&["send", "127.0.0.1"], "the port is missing", "缺少端口"),
    ] {
        for variables in [
            &[("LC_ALL", "C")][..],
            &[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")],
            &[],
        ] {
            let text = said(args, variables);
            assert!(
                text.contains(english) && !text.contains(chinese),
                "{variables:?}: {text}"
            );
        }
        for variables in [
            &[("LANG", "zh_CN.UTF-8")][..],
            &[("LANG", "C"), ("LC_ALL", "zh_CN.UTF-8")],
        ] {
            let text = said(args, variables);
            assert!(
                text.contains(chinese) && !text.contains(english),
                "{variables:?}: {text}"
            );
        }
    }
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

/// Variables for the language and the port do not count as typed arguments: the help still appears.
#[test]
fn a_command_alone_shows_its_help_whatever_the_environment_sets() {
    for (args, heading) in [
        (vec![], "  udpcli listen "),
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

/// udpcli understands full-width characters in an address, a number and hex digits; a message stays unchanged.
#[test]
fn full_width_characters_are_read_in_values_and_kept_in_messages() {
    let socket = loopback_socket();
    let port = socket.local_addr().expect("bound").port();
    let wide = |text: &str| -> String {
        text.chars()
            .map(|c| char::from_u32(u32::from(c) + 0xfee0).expect("full-width"))
            .collect()
    };
    let to = wide(&format!("127.0.0.1:{port}"));
    run(["send", &to, "你好：１，２。", "-n", "２", "-i", "１ｍｓ"]).expect_code(0);
    run(["send", &to, "--hex", "ｄｅ，ａｄ"]).expect_code(0);
    let mut buffer = [0; 64];
    let mut received = || {
        let (len, _) = socket.recv_from(&mut buffer).expect("a datagram");
        buffer[..len].to_vec()
    };
    for _ in 0..2 {
        assert_eq!(received(), "你好：１，２。".as_bytes());
    }
    assert_eq!(received(), [0xde, 0xad]);
    let unclear = run(["send", "127，0，0，1：9", "x"]).expect_code(2);
    assert!(
        unclear
            .stderr
            .contains("an address has points, not commas: 127.0.0.1:9"),
        "{}",
        unclear.stderr
    );
}

/// A usage error is completely in Chinese: the error, the hint and the form of the command.
#[test]
fn usage_errors_are_in_the_language_of_messages() {
    for (args, wanted) in [
        (
            vec!["send", "127.0.0.1"],
            "udpcli: error: <HOST:PORT> 的值“127.0.0.1”不对：缺少端口：要写成 HOST:PORT（主机和端口，中间是英文冒号），例如 192.168.0.3:6000\n  \
             hint: 请写成：udpcli send 127.0.0.1:6000\n  \
             hint: 详细用法：udpcli send --help\n",
        ),
        (
            vec!["listen", "--prot", "6000"],
            "udpcli: error: 不认识“--prot”\n  \
             hint: 是不是想写 --port？\n  \
             hint: 用法：udpcli listen --port <N>\n",
        ),
        (
            vec!["listen", "--timeout", "2；"],
            "udpcli: error: --timeout <D> 的值“2；”不对：时长要写成 250ms、2s、1m30s 这样，或者直接写秒数，例如 0.5\n  \
             hint: ； 是用中文输入法输入的：请切换到英文输入，再重新输入这个值\n  \
             hint: 详细用法：udpcli listen --help\n",
        ),
    ] {
        let output = udpcli(args).env("UDPCLI_LANG", "zh-CN").output();
        let output = output.expect("it runs");
        assert_eq!(String::from_utf8(output.stderr).expect("text"), wanted);
    }
}

/// Otherwise udpcli would send `—n 3`, as a Chinese input method types it, as two messages.
#[test]
fn a_flag_with_a_chinese_dash_is_not_sent_as_a_message() {
    let receiver = loopback_socket();
    let to = address_of(&receiver);
    for flag in ["—n", "－n", "–n", "——count"] {
        let end = run(["send", &to, "你好", flag, "3", "--lang", "zh-CN"]).expect_code(2);
        let line = format!(
            "请写成：udpcli send {to} 你好 {} 3",
            if flag == "——count" {
                "--count"
            } else {
                "-n"
            }
        );
        assert!(end.stderr.contains(&line), "{flag}: {}", end.stderr);
    }
    let mut buffer = [0; 64];
    run(["send", &to, "--", "—n", "3"]).expect_code(0);
    let len = receiver.recv(&mut buffer).expect("the literal message");
    assert_eq!(&buffer[..len], "—n".as_bytes());
}

/// The messages of the system, of the regex library and of the TOML parser are translated, too, and full-width
/// characters are accepted if their meaning is certain.
#[test]
fn no_error_is_left_in_english_where_the_words_come_from_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    for (args, says) in [
        (
            &["listen", "--on", "re:(=b"][..],
            "左括号 ( 没有对应的右括号 )",
        ),
        (
            &["listen", "--on", "re：(=b"],
            "左括号 ( 没有对应的右括号 )",
        ),
        (&["listen", "--on", "hex：zz=00"], "'z' 不是十六进制数字"),
        (&["listen", "--on", "temp?＝23"], "请写成 --on 'temp?=23'"),
        (&["listen", "--report", "."], "这是一个文件夹"),
        (
            &["listen", "--report", "nosuch/x.html"],
            "没有这个文件或文件夹（No such file or directory (os error 2)）",
        ),
        (&["listen", "--port：6000"], "请写成 --port 6000"),
        (
            &["listen", "-e", "--on", "x=\\q"],
            "-e 能识别 \\n \\r \\t \\0",
        ),
        (&["listen", "--check", "x"], "应当是 sum8、xor8、crc8、"),
        (
            &["listen", "--stats", "-1"],
            "--stats 的值“-1”不对：不能小于 0",
        ),
        (
            &["send　127.0.0.1:9"],
            "全角的（中文输入法）：请写成 send 127.0.0.1:9",
        ),
        (&["send", "127.0.0.1:9", "@"], "@ 后面缺少消息的名字"),
        (
            &["send", "127.0.0.1:9", "x", "--lang", "fr"],
            "--lang <LANG> 的值“fr”不对",
        ),
        (
            &["send", "127.0.0.1:9", "x", "--lang", "zh_CN.UTF-8"],
            "被拒绝",
        ),
        (
            &[
                "send",
                "127.0.0.1:9",
                "--template",
                "{seq：０４} {rand:1。。9}",
                "-w",
                "1",
            ],
            "被拒绝",
        ),
        (&["board", "do", "sleep x"], "时长要写成 250ms"),
        (&["board", "do", "ls　:"], "请写成 ls :"),
        (&["board", "do", "foo"], "没有“foo”这个命令"),
        (
            &["board", "put", "--exclude", "[", ".", ":"],
            "[ 没有写完整",
        ),
        (
            &["board", "monitor", "--filter", "*"],
            "前面没有可以重复的内容",
        ),
        (
            &["board", "info", "-s", "“COM３”"],
            "“ 是用中文输入法输入的：请写成 COM3",
        ),
        (
            &["board", "cp", "：a", "：b", "-s", "./nosuch"],
            "无法打开串口 ./nosuch",
        ),
    ] {
        if !cfg!(feature = "board") && args.first() == Some(&"board")
            || cfg!(windows) && args.iter().any(|arg| arg.contains("nosuch"))
        {
            continue;
        }
        let output = udpcli(args)
            .current_dir(&folder)
            .env("UDPCLI_LANG", "zh-CN")
            .output()
            .expect("it runs");
        let text = String::from_utf8(output.stderr).expect("text");
        assert!(text.contains(says), "{args:?}: {text}");
        let reason = text.split('（').next().unwrap_or_default();
        for english in ["invalid", "unclosed", "unrecognized", "required", "value."] {
            assert!(!reason.contains(english), "{args:?}: {text}");
        }
    }
}

#[test]
fn a_wrong_variable_is_named_and_an_empty_one_counts_as_none() {
    let said = |value: &str| {
        let mut command = udpcli(["nosuch"]);
        command
            .env("UDPCLI_LANG", value)
            .env("LC_ALL", "zh_CN.UTF-8");
        let output = command.output().expect("it runs");
        String::from_utf8(output.stderr).expect("text")
    };
    for value in ["", "zh_CN", "zh_CN.UTF-8", "ZH"] {
        assert!(
            said(value).contains("没有“nosuch”这个命令"),
            "{value}: {}",
            said(value)
        );
    }
    let mut command = udpcli(["demo"]);
    command
        .env("UDPCLI_LANG", "fr")
        .env("LC_ALL", "zh_CN.UTF-8");
    let output = command.output().expect("it runs");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains("UDPCLI_LANG 的值“fr”不对"), "{text}");
}
