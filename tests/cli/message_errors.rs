//! Errors in patterns, templates, names of messages and captures: udpcli's own short messages in both languages, with a
//! hint.

use std::fs;
use std::process::Stdio;

use crate::support::{
    Finished, Running, address_of, loopback_socket, receive, run, run_with_input, udpcli,
};

/// Runs it in a language; it ends at once with a usage error.
#[track_caller]
fn wrong_in(language: &str, args: &[&str]) -> String {
    let args = [&["--lang", language], args].concat();
    run(args).expect_code(2).stderr
}

#[test]
fn no_library_speaks_english_in_a_chinese_error() {
    let rule = |on: &'static str| ["listen", "--port", "0", "-e", "--on", on];
    let template =
        |text: &'static str| ["send", "127.0.0.1:9", "--template", text, "-e", "-n", "1"];
    for (args, chinese) in [
        (
            &rule("re:a(=x")[..],
            "正则表达式第 2 个字符处有错：左括号 ( 没有对应的右括号 )",
        ),
        (
            &rule(r"re:\p{Klingon}=x"),
            "第 1 个字符处有错：udpcli 不认识这一类字符",
        ),
        (&rule(r"a\q=x"), r"第 2 个字符处的转义 \q 无法识别"),
        (&template("{time:%H:%!}"), "第 10 个字符处的 %! 不存在"),
        (&template("{time:%H:%}"), "第 10 个字符处的 % 后面没有字母"),
        (&template(r"\q"), r"第 1 个字符处的转义 \q 无法识别"),
    ] {
        let told = wrong_in("zh-CN", args);
        assert!(told.contains(chinese), "{told}");
        for line in told
            .lines()
            .filter(|line| line.starts_with("  caused by: "))
        {
            let english = line.split(|c: char| !c.is_ascii_alphabetic());
            let words = english.filter(|word| word.len() > 1 && !["caused", "by"].contains(word));
            // Names that stay as they are, such as udpcli and the fields.
            let kept = ["udpcli", "time"];
            let words: Vec<&str> = words.filter(|word| !kept.contains(word)).collect();
            assert!(words.is_empty(), "{words:?} in {line}");
        }
    }
    // `-vv` shows the library's own message.
    let told = wrong_in("zh-CN", &[&["-vv"], &rule("re:a(=x")[..]].concat());
    assert!(told.contains("unclosed group"), "{told}");
}

#[test]
fn an_expression_of_a_file_is_wrong_at_a_place_in_chinese_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[replies]]\non = \"re:[z-a]\"\ntext = \"x\"\n";
    fs::write(folder.path().join("device.toml"), text).unwrap();
    let mut command = udpcli(["--lang", "zh-CN", "listen", "--replies", "device.toml"]);
    command.current_dir(folder.path());
    let told = run_with_input(command, b"").expect_code(2).stderr;
    let wanted = "device.toml 第 2 行第 6 列：on：正则表达式第 2 个字符处有错：范围写反了";
    assert!(told.contains(wanted), "{told}");
}

#[test]
fn a_long_argument_is_shortened_in_the_error_about_it() {
    let long = "x".repeat(70_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.toml");
    fs::write(&file, format!("[[replies]]\non = \"a\"\n{long} = 1\n")).unwrap();
    let (field, on) = (format!("{{{long}}}"), format!("re:({long}=x"));
    let (reply, bare, flag) = (
        format!("a={{{long}}}"),
        format!("a{long}"),
        format!("--{long}"),
    );
    let (port, host) = (format!("127.0.0.1:{long}"), format!("{long}:6000,"));
    let name = format!("@{long}");
    for args in [
        &["send", "127.0.0.1:9", "--template", &field][..],
        &["send", "127.0.0.1:9", "--template", &long],
        &["send", "127.0.0.1:9", "--hex", &long],
        &["send", "127.0.0.1:9", &name],
        &["send", "127.0.0.1:9", &format!("{long}\\q"), "-e"],
        &["send", "127.0.0.1:9", "--append", &long],
        &["send", &port, "x"],
        &["send", &host, "x"],
        &["listen", "--on", &on],
        &["listen", "--on", &reply],
        &["listen", "--on", &bare],
        &["listen", "--reply", &format!("{long}\\q"), "-e"],
        &["listen", "--replies", file.to_str().unwrap()],
        &["listen", "--format", &long],
        &["relay", "--listen", &long, "--to", "127.0.0.1:9"],
        &["listen", &flag],
        &[&long],
    ] {
        let told = run(args).expect_code(2).stderr;
        assert!(told.len() < 5000, "{} bytes: {}", told.len(), &told[..300]);
        assert!(told.starts_with("udpcli: error: "), "{}", &told[..100]);
    }
}

#[test]
fn an_at_sign_alone_lacks_the_name_of_a_message() {
    let told = run(["send", "127.0.0.1:9", "@"]).expect_code(2).stderr;
    let wanted = "udpcli: error: the name of a message is missing after @\n  hint: write, for example: @led-on";
    assert!(told.starts_with(wanted), "{told}");
}

#[test]
fn a_wrong_speed_says_what_to_write() {
    for (speed, problem) in [
        ("0", "from 0.000001 to 1000000, such as 2 or 0.5"),
        ("nan", "from 0.000001 to 1000000, such as 2 or 0.5"),
        ("=-1", "from 0.000001 to 1000000, such as 2 or 0.5"),
        ("-1", "--speed takes no number below zero"),
    ] {
        let args = ["send", "127.0.0.1:9", "--replay", "x.pcap"];
        let flag = format!("--speed{speed}");
        let told = if speed.starts_with('=') {
            run([&args[..], &[&flag]].concat())
        } else {
            run([&args[..], &["--speed", speed]].concat())
        };
        let told = told.expect_code(2).stderr;
        assert!(told.contains(problem), "{speed}: {told}");
    }
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &len, body, &len].concat()
}

fn replayed(bytes: &[u8]) -> Finished {
    let command = udpcli(["send", "127.0.0.1:9", "--replay", "-"]);
    run_with_input(command, bytes).expect_code(3)
}

#[test]
fn what_cannot_be_replayed_has_a_hint() {
    // From pcap-savefile(5): magic number, version, time zone, accuracy, snapshot length, link type.
    let pcap = |link: u32| {
        let mut header = vec![
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0,
        ];
        header.extend_from_slice(&link.to_le_bytes());
        header
    };
    let section = block(
        0x0a0d_0d0a,
        &[
            0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ],
    );
    let interfaces = block(1, &[1, 0, 0, 0, 0, 0, 0, 0]).repeat(300_000);
    let damaged = "hint: udpcli sends the datagrams before the damaged place";
    for (bytes, problem, hint) in [
        (
            &[&pcap(1)[..], &[0; 20], &[9]].concat()[..],
            "within packet 2",
            damaged,
        ),
        (&pcap(1)[..10], "within its header", damaged),
        (
            &[&pcap(1)[..], &[0xff; 16]].concat(),
            "packet 1 claims a length of 4294967295 bytes",
            damaged,
        ),
        (
            &[&section[..], &[6, 0, 0, 0, 32, 0, 0, 0], &[0; 24]].concat(),
            "its lengths contradict",
            damaged,
        ),
        (
            &pcap(127),
            "link type 127",
            "hint: record on an Ethernet or Wi-Fi interface",
        ),
        (
            b"{\"time\":1}\n",
            "line 1: the key time",
            "hint: udpcli replays the lines that udpcli listen",
        ),
        (
            &[&section[..], &interfaces].concat(),
            "it describes more than 65536 network interfaces",
            "hint: editcap -F pcap IN OUT",
        ),
    ] {
        let told = replayed(bytes).stderr;
        assert!(told.contains(problem) && told.contains(hint), "{told}");
    }
}

#[test]
fn a_folder_in_place_of_a_file_has_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for args in [
        &["send", "127.0.0.1:9", "--replay", path][..],
        &["send", "127.0.0.1:9", "--file", path],
        &["listen", "--port", "0", "--replies", path],
    ] {
        let told = run(args).expect_code(3).stderr;
        assert!(
            told.contains("hint: this is a folder: write the path of a file"),
            "{told}"
        );
    }
}

/// Only the writer knows where a pipe ends; a file, a number of rounds and a duration have an end (README, *Exit
/// codes*).
#[test]
fn ctrl_c_while_a_pipe_is_open_is_the_ordinary_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines.txt");
    fs::write(&file, "x\ny\n").unwrap();
    let json = "{\"time\":\"2026-11-28T00:00:00Z\",\"from\":\"127.0.0.1:1\",\"to\":\"127.0.0.1:2\",\"len\":1,\"text\":\"x\"}\n";
    for (args, input, code) in [
        (&["--lines"][..], "x\n", 0),
        (&["--template", "{line}"], "x\n", 0),
        (&["--replay", "-"], json, 0),
        (&["--file", "-", "--chunk", "1"], "x", 0),
        (&["--replay", "-", "--duration", "1h"], json, 130),
        (&["--lines", "-n", "2"], "x\n", 130),
    ] {
        let socket = loopback_socket();
        let mut command = udpcli([&["send", &address_of(&socket)], args].concat());
        let mut running = Running::spawn(command.stdin(Stdio::piped()));
        running.type_in(input.as_bytes());
        assert_eq!(receive(&socket).0, b"x", "{args:?}");
        // The writer goes on, so that the end of its output cannot end the run.
        let writer = running.stdin.take();
        let ended = running.interrupt();
        drop(writer);
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
    }
    for args in [
        &["--lines", "-i", "1h"][..],
        &["--template", "{line}", "-i", "1h"],
    ] {
        let socket = loopback_socket();
        let mut command = udpcli([&["send", &address_of(&socket)], args].concat());
        let running = Running::spawn(command.stdin(fs::File::open(&file).unwrap()));
        assert_eq!(receive(&socket).0, b"x", "{args:?}");
        running.interrupt().expect_code(130);
    }
}

/// Each letter class of Unicode takes tens of kilobytes: a thousand rules with four of them would take hundreds of
/// megabytes.
#[test]
fn all_expressions_of_a_table_together_have_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.toml");
    let rules = |range: std::ops::Range<u32>| {
        let rule = |number| format!("[[replies]]\non = 're:^\\w{{4}}{number}$'\ntext = 'x'\n");
        range.map(rule).collect::<String>()
    };
    let listen = ["listen", "--port", "0", "--duration", "1ms", "--no-project"];
    let path = file.to_str().unwrap();
    fs::write(&file, rules(0..1000)).unwrap();
    let told = run([&listen[..], &["--replies", path]].concat())
        .expect_code(2)
        .stderr;
    let line = told
        .split(", line ")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    let line: usize = line.and_then(|line| line.parse().ok()).unwrap_or_default();
    assert!((100..3000).contains(&line), "{told}");
    for part in [
        path,
        "column 6: on: with this one the regular expressions take more than 64 MiB",
        "hint: write fewer repetitions",
    ] {
        assert!(told.contains(part), "{told}");
    }
    // Rules from several places count together: half of what a file may have, twice.
    let half = u32::try_from(line / 3 * 6 / 10).unwrap();
    fs::write(&file, rules(0..half)).unwrap();
    fs::write(folder.path().join("udpcli.toml"), rules(half..2 * half)).unwrap();
    let mut command = udpcli(&listen[..5]);
    command.args(["--replies", path]).current_dir(folder.path());
    let told = run_with_input(command, b"").expect_code(2).stderr;
    let wanted = "udpcli: error: cannot read the pattern in udpcli.toml, line ";
    assert!(told.contains(wanted), "{told}");
    run([&listen[..], &["--replies", path]].concat()).expect_code(0);
}

#[test]
fn a_pattern_that_was_cut_at_its_equals_sign_has_a_hint_about_it() {
    let hint = r"hint: the first = ends the pattern: write \= for an = that belongs to it";
    for (on, is_cut) in [
        (r"re:^set x=(\d+)$=ok {1}", true),
        (r"re:^set x=(?<value>\d+)$=ok {value}", true),
        (r"re:^(x=\d+)$=ok", true),
        (r"hex:3=01=ok", true),
        (r"re:^set x\=(\d+)$=ok {2}", false),
        (r"re:^set x\=(\d+$=ok", false),
        (r"a={seq:x}=b", false),
        (r"a=b={sqe}", false),
    ] {
        let told = wrong_in("en", &["listen", "--port", "0", "--on", on]);
        assert_eq!(told.contains(hint), is_cut, "{on}: {told}");
        let told = wrong_in("zh-CN", &["listen", "--port", "0", "--on", on]);
        let hint = r"hint: 模式到第一个 = 为止：属于模式的 = 请写成 \=";
        assert_eq!(told.contains(hint), is_cut, "{on}: {told}");
    }
    let args = ["-e", "--on", r"re:^x=(\d+)$=ok"];
    let told = wrong_in("en", &[&["listen", "--port", "0"], &args[..]].concat());
    assert!(told.contains(hint), "{told}");
}

#[test]
fn hints_about_templates_name_what_cures() {
    let long = format!("{}{{seq}}", "x".repeat(65_536));
    let too_long = "hint: a datagram carries at most 65507 bytes: write a shorter template";
    let no_character = "hint: GBK cannot write 😀: leave it out, or choose another encoding";
    let gbk = |args: &[&'static str]| [args, &["--encoding", "gbk"]].concat();
    let listen = ["listen", "--port", "0"];
    for (args, hint) in [
        (
            gbk(&["send", "127.0.0.1:9", "--template", "温😀"]),
            no_character,
        ),
        (gbk(&["send", "127.0.0.1:9", "温😀"]), no_character),
        (
            gbk(&[&listen[..], &["--on", "温😀=x"]].concat()),
            no_character,
        ),
        (
            gbk(&[&listen[..], &["--on", "x=温😀"]].concat()),
            no_character,
        ),
        (
            gbk(&[&listen[..], &["--reply", "温😀"]].concat()),
            no_character,
        ),
        (vec!["send", "127.0.0.1:9", "--template", &long], too_long),
    ] {
        let told = wrong_in("en", &args);
        assert!(
            told.contains(hint) && !told.contains("fields are"),
            "{told}"
        );
    }
    let args = gbk(&["send", "127.0.0.1:9", "--template", "温😀"]);
    let told = wrong_in("zh-CN", &args);
    assert!(told.contains("hint: GBK 写不出 😀：请去掉它"), "{told}");
}

/// Reading and rendering stop at the limit, so the full length is unknown.
#[test]
fn a_payload_of_unknown_length_is_said_to_be_over_the_limit() {
    let template = "{rand:1024}".repeat(70);
    let line = "x".repeat(80_000);
    for (args, what) in [
        (&["--template", &template][..], "datagram 1 of the template"),
        (&["--template", "{line}"], "line 1 of standard input"),
        (&["--lines"], "line 1 of standard input"),
        (&["--file", "-"], "standard input"),
    ] {
        let command = udpcli([&["send", "127.0.0.1:9"], args].concat());
        let told = run_with_input(command, line.as_bytes())
            .expect_code(2)
            .stderr;
        let wanted =
            format!("{what} is over 65507 bytes, the most that a UDP datagram over IPv4 carries");
        assert!(told.contains(&wanted), "{told}");
    }
}

#[test]
fn chinese_errors_about_a_file_stand_apart_from_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let project = |text: &str| fs::write(folder.path().join("udpcli.toml"), text).unwrap();
    let told = |args: &[&str], code| {
        let mut command = udpcli([&["--lang", "zh-CN"], args].concat());
        command.current_dir(folder.path());
        run_with_input(command, b"").expect_code(code).stderr
    };
    project("[messages.sp-ace]\nfile = 'missing.bin'\n");
    let missing = told(&["send", "127.0.0.1:9", "@sp-ace"], 3);
    let wanted = "无法读取所用的文件（udpcli.toml 里的消息 sp-ace）";
    assert!(missing.contains(wanted), "{missing}");
    project("[[replies]]\non = 'a'\ntext = 'b'\ndrop = [1]\n");
    let wrong = told(&["listen", "--port", "0"], 2);
    assert!(
        wrong.contains("应当是百分数（0 到 100），现在是"),
        "{wrong}"
    );
}
