//! The output on a terminal, encodings and times.

use super::*;

#[test]
fn the_terminal_sees_no_control_character_in_any_format() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let payloads = [
        &all_bytes[..],
        b"\x1b[31mred\x1b]0;title\x07\x9b31m",
        "\u{9b}31m\u{90}\u{85}\u{7f}".as_bytes(),
        "\u{202e}evil\u{2066}\u{200b}\u{200f}\u{feff}\u{ad}\u{2028}\u{e0041}".as_bytes(),
        b"\xed\xa0\x80\xed\xb0\x80\xf5\x80\x80\x80\xc0\x80",
        b"a\rb\nc\x08\x0c",
    ];
    let is_harmful = |char: char| {
        char.is_control()
            || matches!(char,
                '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}')
    };
    for format in ["text", "board", "hex", "json", "raw"] {
        for encoding in ["utf-8", "auto", "latin1"] {
            let mut command = udpcli_on_terminal(
                "2",
                [
                    "listen",
                    "--port",
                    "0",
                    "--bind",
                    "127.0.0.1",
                    "-n",
                    "6",
                    "--format",
                    format,
                    "--encoding",
                    encoding,
                ],
            );
            let (finished, _) = heard_by(&mut command, &payloads);
            let shown = String::from_utf8(finished.stdout)
                .unwrap_or_else(|error| panic!("{format} {encoding}: {error}"));
            // udpcli's own colours are the only escape sequences allowed.
            let begin = |part: &str| part.find('m').map_or(0, |at| at + 1);
            let shown: String = shown
                .split("\x1b[")
                .enumerate()
                .map(|(number, part)| match number {
                    0 => part,
                    _ => {
                        let (color, text) = part.split_at(begin(part));
                        let is_color = matches!(color, "2m" | "0m") || color.starts_with("38;5;");
                        assert!(is_color, "{format} {encoding}: {color:?}");
                        text
                    }
                })
                .collect();
            let harmful: Vec<char> = shown
                .chars()
                .filter(|&char| {
                    char != '\n' && !(format == "raw" && char == '\t') && is_harmful(char)
                })
                .collect();
            assert!(
                harmful.is_empty(),
                "{format} {encoding}: {harmful:?} in {shown:?}"
            );
        }
    }
}

#[test]
fn invisible_characters_are_escaped_on_a_terminal() {
    let unseen = [
        '\u{34f}',
        '\u{fe0f}',
        '\u{115f}',
        '\u{1160}',
        '\u{3164}',
        '\u{ffa0}',
        '\u{180b}',
        '\u{180f}',
        '\u{e0100}',
    ];
    let text: String = unseen.iter().flat_map(|&char| ['a', char]).collect();
    let args = [
        "listen",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "-n",
        "1",
        "--format",
    ];
    for format in ["text", "json", "raw"] {
        let mut command = udpcli_on_terminal("2", args.iter().copied().chain([format]));
        let (finished, _) = heard_by(&mut command, &[text.as_bytes()]);
        let shown = finished.text();
        let raw: Vec<char> = unseen
            .into_iter()
            .filter(|&char| shown.contains(char))
            .collect();
        assert!(raw.is_empty(), "{format}: {raw:?} in {shown:?}");
        assert!(shown.contains('a'), "{format}: {shown:?}");
        let (finished, _) = heard(&["--format", format], &[text.as_bytes()]);
        assert!(
            finished.text().contains(&text),
            "{format}: {:?}",
            finished.text()
        );
    }
}

#[test]
fn on_a_terminal_an_escaped_text_still_tells_its_bytes() {
    let mut command = udpcli_on_terminal(
        "2",
        [
            "listen",
            "--port",
            "0",
            "--bind",
            "127.0.0.1",
            "-n",
            "1",
            "--color",
            "never",
        ],
    );
    let (finished, port) = heard_by(&mut command, &["\x1b[31m\u{202e}\u{4f60}".as_bytes()]);
    let shown = finished.text();
    let peer = format!("127.0.0.1:{port}");
    let (time, rest) = shown.split_once("  ").expect("a time and more");
    assert_eq!(
        rest,
        format!("{peer:<21}     11 B  \\x1b[31m\\u{{202e}}你\n")
    );
    // To the millisecond.
    assert_eq!(time.len(), "12:01:05.123".len(), "{time}");
}

#[test]
fn on_a_terminal_the_columns_are_aligned_and_microseconds_come_on_request() {
    let mut command = udpcli_on_terminal(
        "2",
        "listen --port 0 --bind 127.0.0.1 -n 2 --color never --microseconds".split(' '),
    );
    let (finished, _) = heard_by(&mut command, &[b"x", &[b'x'; 12345]]);
    let text = finished.text();
    let at: Vec<usize> = text.lines().filter_map(|line| line.find(" B  x")).collect();
    assert_eq!(
        at,
        ["12:01:05.123456  255.255.255.255:65535  12345".len(); 2]
    );
}

#[test]
fn a_pipe_keeps_marks_and_every_script() {
    let text = "\u{202e}\u{200b}\u{feff}你好 ümlaut 😀 שלום";
    let (finished, _) = heard(&["--format", "text"], &[text.as_bytes()]);
    assert!(
        finished
            .text()
            .ends_with(&format!(" {} {text}\n", text.len())),
        "{}",
        finished.text()
    );
    let (finished, _) = heard(&["--format", "json"], &[text.as_bytes()]);
    assert_eq!(objects(&finished)[0]["text"].as_str(), Some(text));
    assert!(finished.text().contains(text), "{}", finished.text());
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let (finished, _) = heard(&["--color", "auto"], &[b"x"]);
    assert!(!finished.text().contains('\x1b'));
    let (finished, _) = heard(&["--color", "always"], &[b"x"]);
    assert!(finished.text().contains("\x1b["));
    for (args, variable, colored) in [
        (&[][..], None, true),
        (&[], Some("NO_COLOR"), false),
        (&["--color", "never"], None, false),
    ] {
        let mut command = udpcli_on_terminal(
            "2",
            [
                &["listen", "--port", "0", "--bind", "127.0.0.1", "-n", "1"],
                args,
            ]
            .concat(),
        );
        if let Some(variable) = variable {
            command.env(variable, "1");
        }
        let (finished, _) = heard_by(&mut command, &[b"x"]);
        assert_eq!(
            finished.text().contains('\x1b'),
            colored,
            "{args:?} {variable:?}: {:?}",
            finished.text()
        );
    }
}

#[test]
fn an_encoding_decodes_the_text() {
    let payloads = [&b"\xc4\xe3\xba\xc3"[..], b"\xc4\xe3\xff"];
    let (finished, _) = heard(&["--encoding", "gbk"], &payloads);
    assert_in_order(&finished.text(), &[" 4 你好\n", " 3 你\\xff\n"]);
    let (finished, _) = heard(&["--encoding", "gbk", "--format", "json"], &payloads);
    let objects = objects(&finished);
    assert_eq!(
        (objects[0]["text"].as_str(), objects[1]["base64"].as_str()),
        (Some("你好"), Some("xOP/"))
    );
    let (finished, _) = heard(
        &["--encoding", "auto"],
        &["你好".as_bytes(), b"\xc4\xe3\xba\xc3", b"\xff\xff"],
    );
    assert_in_order(
        &finished.text(),
        &[" 6 你好\n", " 4 你好\n", " 2 \\xff\\xff\n"],
    );
    run(["listen", "--encoding", "klingon"]).expect_code(2);
}

// Timestamps.

#[test]
fn kernel_time_is_when_it_came_and_user_time_when_it_was_read() {
    for clock in ["kernel", "user"] {
        let listener = Listener::start([
            "--format",
            "json",
            "-n",
            "1",
            "--timestamps",
            clock,
            "--bind",
            "127.0.0.1",
        ]);
        listener.running.stop();
        let before = now();
        loopback_socket().send_to(b"x", listener.address).unwrap();
        let after = now();
        // This delay is what the test checks; it is not used for synchronisation.
        std::thread::sleep(Duration::from_millis(300));
        let continued = now();
        listener.running.signal("CONT");
        let object = &objects(&listener.running.finish().expect_code(0))[0];
        let time = time(object);
        let microsecond = Duration::from_micros(1);
        if clock == "kernel" {
            assert!(
                before <= time + microsecond && time <= after,
                "{before:?} <= {time:?} <= {after:?}"
            );
        } else {
            assert!(continued <= time + microsecond, "{continued:?} <= {time:?}");
        }
    }
}

// Ways to end.
