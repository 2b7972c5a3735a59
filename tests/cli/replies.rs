//! `listen --on`, `--replies` and the replies of a project; delayed and dropped answers; checksums that are verified.
//!
//! Long because each kind of rule has a test.

use std::fmt::Write as _;
use std::fs;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Listener, Running, listening_address, loopback_socket, receive, run, run_with_input, skipped,
    udpcli,
};

const HERE: [&str; 2] = ["--bind", "127.0.0.1"];

/// A listener on loopback, and a socket to talk to it.
fn listener(args: &[&str]) -> (Listener, UdpSocket) {
    let listener = Listener::start([&HERE, args].concat());
    let socket = loopback_socket();
    socket.connect(listener.address).unwrap();
    (listener, socket)
}

/// The answer to a request.
#[track_caller]
fn ask(socket: &UdpSocket, request: &[u8]) -> Vec<u8> {
    socket.send(request).unwrap();
    receive(socket).0
}

#[test]
fn the_first_pattern_that_matches_answers() {
    let (listener, socket) = listener(&[
        "--on",
        "temp?=23",
        "--on",
        "re:^led (?<state>on|off)$=led is {state}, {seq}",
        "--on",
        "hex:01 03 *=hex:01 03 02 00 17",
        "--on",
        r"a\=b=\equals {{{0}}}",
        "--on",
        "from=you are {from}",
        "--on",
        "hex:ff *=[{line}]",
        "--on",
        r"re:^say (?s:.*)=said {line}!",
        "--on",
        "temp?=never",
        "--reply",
        "?",
        "--format",
        "json",
        "-v",
    ]);
    let from = format!("you are {}", socket.local_addr().unwrap());
    for (request, answer) in [
        (&b"temp?"[..], &b"23"[..]),
        (b"temp?\r\n", b"23"),
        (b"led on", b"led is on, 0"),
        (b"led off", b"led is off, 1"),
        (b"\x01\x03\x00\x00\x00\x01", b"\x01\x03\x02\x00\x17"),
        (b"a=b", br"\equals {a=b}"),
        (b"from", from.as_bytes()),
        (b"\xff\x00\r\n", b"[\xff\x00]"),
        (b"say hi\n\n", b"said say hi\n!"),
        (b"other", b"?"),
        (b"", b"?"),
    ] {
        assert_eq!(ask(&socket, request), answer, "{request:?}");
    }
    let finished = listener.running.interrupt().expect_code(0);
    let rules: Vec<Value> = finished
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["rule"].clone())
        .collect();
    let number = |number: u64| Value::from(number);
    let expected = [1, 1, 2, 2, 3, 4, 5, 6, 7].map(number);
    assert_eq!(rules, [&expected[..], &[Value::Null, Value::Null]].concat());
    assert!(
        finished.stderr.contains("rule 2 answers 127.0.0.1:"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("11 answered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_wrong_reply_is_told_which_fields_replies_have() {
    for (rule, problem, hint) in [
        (
            "a={x}",
            "unknown field {x}",
            "rand, from, line and the groups",
        ),
        (
            "re:(.)={2}",
            "the pattern has no group 2",
            "{from} {line} and the groups",
        ),
        ("a={seq:x}", "write a width", "{from} {line} and the groups"),
    ] {
        let wrong = run(["listen", "--port", "0", "--on", rule]).expect_code(2);
        let stderr = &wrong.stderr;
        assert!(
            stderr.contains(problem) && stderr.contains(hint),
            "{stderr}"
        );
    }
}

#[test]
fn patterns_and_replies_are_in_the_encoding() {
    let (_listener, socket) = listener(&[
        "--encoding",
        "gbk",
        "-e",
        "--on",
        r"开灯\n=灯开了\r\n",
        "--on",
        "re:^设(.)度=好：{1}",
        "--on",
        r"hex:*=收到 {line}",
    ]);
    let gbk = |text: &str| encoding(text);
    assert_eq!(ask(&socket, &gbk("开灯\n")), gbk("灯开了\r\n"));
    assert_eq!(ask(&socket, &gbk("设九度")), gbk("好：九"));
    assert_eq!(ask(&socket, &gbk("别的\r\n")), gbk("收到 别的"));
}

/// A text in GBK, by Python.
fn encoding(text: &str) -> Vec<u8> {
    let mut python = Command::new("python3");
    python.args([
        "-c",
        "import sys; sys.stdout.buffer.write(sys.argv[1].encode('gbk'))",
        text,
    ]);
    run_with_input(python, b"").expect_code(0).stdout
}

#[test]
fn a_file_and_the_project_add_replies_after_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "udpcli.toml",
        "[[replies]]\non = \"hex:*\"\ntemplate = \"project {0}\"\nappend = \"sum8\"\n",
    );
    fs::create_dir(folder.path().join("sub")).unwrap();
    write(
        "sub/device.toml",
        "[[replies]]\non = \"file\"\nfile = \"answer.bin\"\n\n[[replies]]\non = \"开\"\ntext = \"{literal}\"\nencoding = \"gbk\"\n",
    );
    write("sub/answer.bin", "\u{1}\u{2}");
    let mut command = udpcli(["listen", "--port", "0", "--on", "flag=f"]);
    command
        .args(HERE)
        .args(["--replies", "sub/device.toml", "--format", "json"])
        .current_dir(folder.path())
        .stdin(Stdio::null());
    let mut running = Running::spawn(&mut command);
    running.stderr_line_with("answering with the reply of udpcli.toml; --no-project leaves it out");
    let address = listening_address(&running.stderr_line_with("listening on "));
    let socket = loopback_socket();
    socket.connect(address).unwrap();
    for (request, answer, rule) in [
        (&b"flag"[..], &b"f"[..], 1),
        (b"file", b"\x01\x02", 2),
        (b"\xbf\xaa", b"{literal}", 3),
        (b"ab", b"project ab\xda", 4),
    ] {
        assert_eq!(ask(&socket, request), answer, "{request:?}");
        let line: Value = serde_json::from_str(&running.stdout_line()).unwrap();
        assert_eq!(line["rule"], rule, "{line}");
    }
    running.interrupt().expect_code(0);

    let mut command = udpcli(["listen", "--port", "0", "--no-project"]);
    command
        .args(HERE)
        .current_dir(folder.path())
        .stdin(Stdio::null());
    let finished = Listener::spawn(&mut command)
        .running
        .interrupt()
        .expect_code(0);
    assert!(!finished.stderr.contains("answer"), "{}", finished.stderr);
}

#[test]
fn wrong_rules_are_usage_errors_that_say_where() {
    let folder = tempfile::tempdir().unwrap();
    for (on, error, hint) in [
        (
            "led on",
            "--on \"led on\": there is no = between pattern and reply",
            "--on 'temp?=23'",
        ),
        (
            "re:(=x",
            "the regular expression is wrong at character 1: this ( is not closed",
            "a pattern is",
        ),
        (
            "hex:0=x",
            "the byte at character 1 has one digit",
            "?? is one byte",
        ),
        (
            "a={tmie}",
            "unknown field {tmie} at character 1",
            "did you mean time?",
        ),
        (
            "a={\"ok\": 1}",
            "unknown field {\"ok\": 1}",
            "written twice: {{ or }}",
        ),
        (
            "a={1}",
            "the pattern has no group 1 for the field at character 1",
            "fields are {seq:04}",
        ),
        (
            "a=hex:0g",
            "in the reply of --on \"a=hex:0g\"\n  caused by: 'g' at character 2 is not a hex digit",
            "two hex digits",
        ),
    ] {
        let finished = run(["listen", "--port", "0", "--on", on]).expect_code(2);
        let stderr = &finished.stderr;
        assert!(
            stderr.contains(error) && stderr.contains(hint),
            "{on}: {stderr}"
        );
    }
    for (text, error) in [
        (
            "[[replies]]\non = \"re:(\"\ntext = \"x\"",
            "line 2, column 6: on: the regular expression is wrong at character 1: this ( is not closed",
        ),
        (
            "[[replies]]\non = \"a\"\ntemplate = \"{tmie}\"",
            "line 3, column 12: template: unknown field {tmie} at character 1, perhaps time",
        ),
        (
            "[[replies]]\non = \"re:(?<a>x)\"\ntemplate = \"{a}{b}\"",
            "line 3, column 12: template: unknown field {b}",
        ),
        (
            "[[replies]]\ntext = \"x\"",
            "line 1, column 1: replies[1]: the key on is missing",
        ),
        ("names = \"x\"", "line 1, column 1: unknown key \"names\""),
        (
            "[[replies]]\non = \"a\"\nfile = \"nosuch.bin\"",
            "cannot read nosuch.bin",
        ),
    ] {
        for name in ["udpcli.toml", "device.toml"] {
            if name == "udpcli.toml" && text.starts_with("names") {
                continue;
            }
            fs::write(folder.path().join(name), text).unwrap();
            let mut command = udpcli(["listen", "--port", "0"]);
            if name == "device.toml" {
                command.args(["--replies", name, "--no-project"]);
            }
            command.current_dir(folder.path());
            let code = if text.contains("nosuch") { 3 } else { 2 };
            let finished = run_with_input(command, b"").expect_code(code);
            assert!(
                finished.stderr.contains(error),
                "{text}: {}",
                finished.stderr
            );
        }
    }
    let missing = run(["listen", "--replies", "/nonexistent.toml"]).expect_code(3);
    let system = std::io::Error::from_raw_os_error(2).to_string();
    let told = format!("udpcli: error: cannot read /nonexistent.toml\n  caused by: {system}\n");
    assert_eq!(missing.stderr, told);
}

#[test]
fn hostile_rules_take_neither_memory_nor_time() {
    let started = Instant::now();
    for on in [
        "re:(\\w{1000}){1000}=x".to_owned(),
        format!("re:{}=x", "(".repeat(50_000)),
        format!("re:{}=x", "a{9}".repeat(10_000)),
        format!("a={}", "{".repeat(50_001)),
        format!("hex:*{}=x", "?? ".repeat(3000)),
    ] {
        run(["listen", "--port", "0", "--on", &on]).expect_code(2);
    }
    let (listener, socket) = listener(&[
        "--on",
        "re:^(a|aa)+$=never",
        "--on",
        "re:(x+x+)+y=never",
        // A reply that is longer than a datagram.
        "--on",
        "re:^(?s)b(.*)={1}{1}{1}{1}",
        "--on",
        "hex:*=ok",
        "-v",
    ]);
    let mut payload = vec![b'a'; 60_000];
    payload.push(b'!');
    assert_eq!(ask(&socket, &payload), b"ok");
    assert_eq!(ask(&socket, &vec![b'x'; 60_000]), b"ok");
    socket.send(&vec![b'b'; 60_000]).unwrap();
    assert_eq!(ask(&socket, b"c"), b"ok");
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        finished
            .stderr
            .contains(": it does not fit in a datagram\n"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("1 answer failed"),
        "{}",
        finished.stderr
    );
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn ten_thousand_rules_are_read_and_the_last_answers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.toml");
    let mut text = String::new();
    for number in 0..10_000 {
        let pattern = match number % 100 {
            0 => format!("re:^request {number}$"),
            1 => format!("hex: 01 {:02x} {:02x} *", number / 256, number % 256),
            _ => format!("request {number}"),
        };
        writeln!(text, "[[replies]]\non = \"{pattern}\"\ntext = \"{number}\"").unwrap();
    }
    fs::write(&file, text).unwrap();
    let (_listener, socket) = listener(&["--replies", file.to_str().unwrap()]);
    assert_eq!(ask(&socket, b"request 9999"), b"9999");
    assert_eq!(ask(&socket, b"request 9900"), b"9900");
    assert_eq!(ask(&socket, b"\x01\x26\xadx"), b"9901");
}

#[test]
fn answers_are_delayed_in_order_and_a_counted_run_sends_them_all() {
    let (listener, socket) = listener(&["--echo", "--reply-delay", "300ms", "-n", "3"]);
    let started = Instant::now();
    for payload in ["a", "b", "c"] {
        socket.send(payload.as_bytes()).unwrap();
    }
    for payload in ["a", "b", "c"] {
        assert_eq!(receive(&socket).0, payload.as_bytes());
        assert!(started.elapsed() >= Duration::from_millis(300));
    }
    let finished = listener.running.finish().expect_code(0);
    assert!(
        finished.stderr.contains("3 answered"),
        "{}",
        finished.stderr
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn ctrl_c_does_not_wait_for_delayed_answers() {
    for extra in [&[][..], &["-n", "1"]] {
        let args = [&["--echo", "--reply-delay", "1h", "-v"], extra].concat();
        let (mut listener, socket) = listener(&args);
        socket.send(b"x").unwrap();
        listener.running.stderr_line_with("recvfrom 1 bytes");
        let started = Instant::now();
        let code = if extra.is_empty() { 0 } else { 130 };
        let finished = listener.running.interrupt().expect_code(code);
        assert!(started.elapsed() < Duration::from_secs(2));
        assert!(
            finished.stderr.contains("1 answer not sent yet"),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_seed_drops_the_same_answers_again() {
    let kept = |seed: &str| {
        let args = [
            "--on",
            "re:.*={0} {rand:4}",
            "--reply-drop",
            "40%",
            "--random-seed",
            seed,
        ];
        let (listener, socket) = listener(&[&args[..], &["--reply-rate", "1000000"]].concat());
        for number in 0..100 {
            socket.send(format!("{number}").as_bytes()).unwrap();
        }
        // The answer to the last request may be dropped, so a second socket asks until one comes.
        let other = loopback_socket();
        other
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let mut buffer = [0; 100];
        for _ in 0..100 {
            other.send_to(b"end", listener.address).unwrap();
            if other.recv(&mut buffer).is_ok() {
                break;
            }
        }
        socket.set_nonblocking(true).unwrap();
        let mut answers = Vec::new();
        while let Ok(len) = socket.recv(&mut buffer) {
            answers.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
        }
        let finished = listener.running.interrupt().expect_code(0);
        assert!(
            finished.stderr.contains("(--reply-drop)"),
            "{}",
            finished.stderr
        );
        answers
    };
    let first = kept("1");
    assert!((40..80).contains(&first.len()), "{}", first.len());
    assert_eq!(kept("1"), first);
    assert_ne!(kept("2"), first);
}

#[test]
fn checksums_are_verified_and_a_damaged_request_is_not_answered() {
    let (listener, socket) = listener(&[
        "--check", "crc32:le", "--on", "temp?=23", "--format", "json",
    ]);
    // By Python's zlib.
    let mut python = Command::new("python3");
    python.args([
        "-c",
        "import sys, zlib, struct; sys.stdout.buffer.write(b'temp?' + struct.pack('<I', zlib.crc32(b'temp?')))",
    ]);
    let good = run_with_input(python, b"").expect_code(0).stdout;
    let mut bad = good.clone();
    bad[0] ^= 1;
    socket.send(&bad).unwrap();
    socket.send(b"abc").unwrap();
    assert_eq!(ask(&socket, &good), b"23");
    let finished = listener.running.interrupt().expect_code(0);
    let checks: Vec<String> = finished
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["check"].to_string())
        .collect();
    assert_eq!(checks, ["\"bad\"", "\"bad\"", "\"ok\""]);
    assert!(
        finished.stderr.contains("2 with a wrong checksum"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("1 answered"),
        "{}",
        finished.stderr
    );
    let wrong = run(["listen", "--check", "crc16-modbuz"]).expect_code(2);
    assert!(
        wrong.stderr.contains("write one of sum8, xor8"),
        "{}",
        wrong.stderr
    );
    run(["listen", "--check", "sum8:le"]).expect_code(2);
}

#[test]
fn flags_for_answers_warn_where_nothing_is_answered() {
    for flag in [
        "--reply-rate=5",
        "--reply-delay=1s",
        "--reply-drop=5",
        "--random-seed=5",
    ] {
        let finished = run(["listen", "--port", "0", "--duration", "1ms", flag]).expect_code(0);
        let name = flag.split('=').next().unwrap();
        assert!(
            finished
                .stderr
                .contains(&format!("{name} has no effect: nothing is answered")),
            "{}",
            finished.stderr
        );
    }
    for flags in [
        ["--reply-drop", "101"],
        ["--reply-drop", "x"],
        ["--reply-delay", "25h"],
    ] {
        run([&["listen", "--port", "0", "--echo"], &flags[..]].concat()).expect_code(2);
    }
    run(["listen", "--port", "0", "-e", "--echo"]).expect_code(2);
}

#[test]
fn socat_gets_an_answer_by_pattern() {
    if Command::new("socat").arg("-V").output().is_err() {
        skipped("no socat");
        return;
    }
    let (listener, _) = listener(&["--on", "re:^hello (\\w+)={1}, too\n", "-e"]);
    let mut socat = Command::new("socat");
    socat.args(["-t20", "-T20", "-", &format!("UDP4:{}", listener.address)]);
    let mut running = Running::spawn(socat.stdin(Stdio::piped()));
    running.type_in(b"hello socat\n");
    assert_eq!(running.stdout_line(), "socat, too\n");
}

#[test]
fn too_many_regular_expressions_are_refused_before_any_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    let path = path.to_str().unwrap();
    let rules = |count: usize| {
        let rules = (0..count).fold(String::new(), |mut rules, number| {
            let _ = write!(
                rules,
                "[[replies]]\non = 're:^cmd{number} (\\w{{5}})$'\ntext = 'ok'\n"
            );
            rules
        });
        fs::write(path, rules).unwrap();
    };
    rules(10_000);
    let listen = [
        "listen",
        "--bind",
        "127.0.0.1",
        "-p",
        "0",
        "--replies",
        path,
    ];
    let refused = run(listen).expect_code(2);
    let hint = "hint: write several as one: ";
    let told = format!(
        "{path}, line 3001, column 1: replies: there are more than 1000 replies with a regular expression\n"
    );
    for part in [&told, hint] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    // One rule too many from two sources together.
    rules(1);
    let mut args = listen.to_vec();
    args.extend(["--on", "re:a=b"].repeat(1000));
    let refused = run(args).expect_code(2);
    let told = format!(
        "cannot answer by pattern with --on, {path} together: there are more than 1000 replies with a regular expression\n"
    );
    for part in [&told, hint] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}

/// Before, the listener started and never answered.
#[test]
fn a_reply_that_no_datagram_can_carry_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("full.bin"), vec![0; 65_507]).unwrap();
    let refused = |language: &str, args: &[&str]| {
        let listen = ["listen", "--port", "0", "--duration", "1ms"];
        let mut command = udpcli([&["--lang", language], &listen[..]].concat());
        command.args(args).current_dir(folder.path());
        let told = run_with_input(command, b"").expect_code(2).stderr;
        assert!(told.len() < 1000, "{} bytes", told.len());
        told
    };
    let hex = format!("a=hex:{}", "00".repeat(65_511));
    let told = refused("en", &["--on", &hex]);
    for part in [
        "udpcli: error: the reply of --on \"a=hex:0000",
        "is 65511 bytes: a UDP datagram over IPv4 carries at most 65507",
        "hint: a reply is one datagram: write a shorter one",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let field = format!("a={{seq}}{}", "x".repeat(65_508));
    refused("en", &["--on", &field]);
    let long = "x".repeat(70_000);
    let told = refused("en", &["--reply", &long]);
    assert!(told.contains("hint: a reply is one datagram"), "{told}");
    let full = "x".repeat(65_507);
    for (reply, len) in [
        (format!("text = '{long}'"), 70_000),
        (format!("text = '{full}'\nappend = 'crc32'"), 65_511),
        (
            format!("hex = '{}'\nappend = 'sum8'", "00".repeat(65_507)),
            65_508,
        ),
        (
            format!("template = '{full}{{line}}'\nappend = 'crc16-modbus'"),
            65_509,
        ),
        ("file = 'full.bin'\nappend = 'crc32'".to_owned(), 65_511),
    ] {
        let text = format!("[[replies]]\non = 'a'\n{reply}\n");
        for name in ["device.toml", "udpcli.toml"] {
            fs::write(folder.path().join(name), &text).unwrap();
            let args: &[&str] = match name {
                "udpcli.toml" => &[],
                _ => &["--no-project", "--replies", name],
            };
            let told = refused("en", args);
            let wanted = format!(
                "the reply in {name}, line 1 is {len} bytes: a UDP datagram over IPv4 carries at most 65507"
            );
            assert!(told.contains(&wanted), "{told}");
        }
        let told = refused("zh-CN", &[]);
        assert!(told.contains("写短一些"), "{told}");
        fs::remove_file(folder.path().join("udpcli.toml")).unwrap();
    }
    // The longest reply fits.
    let (_listener, socket) = listener(&["--on", &format!("a={full}")]);
    assert_eq!(ask(&socket, b"a").len(), full.len());
}

#[test]
fn a_single_answer_and_the_reason_for_none_are_said_in_sentences() {
    let args = ["--echo", "--reply-drop", "100%", "--reply-rate", "1", "-v"];
    let (mut listener, socket) = listener(&args);
    socket.send(b"x").unwrap();
    listener.running.stderr_line_with("is dropped");
    socket.send(b"x").unwrap();
    let told = listener.running.stderr_line_with("no answer to ");
    assert!(
        told.contains(": it has had as many answers as it gets per second"),
        "{told}"
    );
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains("1 answer left out (--reply-drop)"),
        "{}",
        finished.stderr
    );
}
