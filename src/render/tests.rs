//! Tests of rendering.

use super::*;
use proptest::prelude::*;

fn datagram(payload: &[u8]) -> Datagram<'_> {
    Datagram {
        payload,
        peer: "192.168.0.5:49153".parse().unwrap(),
        local: "192.168.0.10:6000".parse().unwrap(),
        time: Timestamp::from_nanos(1_763_870_465_123_456_789),
        full_len: payload.len(),
    }
}

fn render(format: Format, audience: Audience, encoding: &str, payload: &[u8]) -> String {
    let style = Style {
        format,
        audience,
        color: false,
        encoding: encoding.parse().unwrap(),
        separator: Vec::new(),
        microseconds: false,
    };
    let mut out = Vec::new();
    Renderer::new(style).render(&datagram(payload), Notes::default(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_tutorials_message_in_every_format() {
    let payload = b"hello message from mPython\r\n";
    let text = render(Format::Text, Audience::Pipe, "utf-8", payload);
    assert!(
        text.ends_with(".123456 192.168.0.5:49153 28 hello message from mPython\\r\\n\n"),
        "{text}"
    );
    assert_eq!(
        render(Format::Board, Audience::Pipe, "utf-8", payload),
        "received: b'hello message from mPython\\r\\n' from ('192.168.0.5', 49153)\n"
    );
    assert_eq!(
        render(Format::Json, Audience::Pipe, "utf-8", payload),
        concat!(
            r#"{"time":"2025-11-23T04:01:05.123456Z","from":"192.168.0.5:49153","to":"192.168.0.10:6000","len":28,"#,
            r#""text":"hello message from mPython\r\n"}"#,
            "\n"
        )
    );
    assert_eq!(
        render(Format::Raw, Audience::Pipe, "utf-8", payload).as_bytes(),
        payload
    );
    let hex = render(Format::Hex, Audience::Pipe, "utf-8", payload);
    let (head, dump) = hex.split_once('\n').unwrap();
    assert!(head.ends_with(".123456 192.168.0.5:49153 28"), "{head}");
    assert_eq!(
        dump,
        "00000000  68 65 6c 6c 6f 20 6d 65  73 73 61 67 65 20 66 72  |hello message fr|\n\
             00000010  6f 6d 20 6d 50 79 74 68  6f 6e 0d 0a              |om mPython..|\n"
    );
}

#[test]
fn an_encoding_decodes_and_what_it_cannot_is_kept() {
    assert!(render(Format::Text, Audience::Pipe, "gbk", b"\xc4\xe3\xff").ends_with("3 你\\xff\n"));
    assert!(render(Format::Text, Audience::Pipe, "auto", b"\xc4\xe3").ends_with("2 你\n"));
    assert!(
        render(Format::Json, Audience::Pipe, "utf-8", b"\xc4\xe3").contains(r#""base64":"xOM=""#)
    );
    assert!(render(Format::Json, Audience::Pipe, "gbk", b"\xc4\xe3").contains(r#""text":"你""#));
}

#[test]
fn notes_show_in_json_where_they_apply() {
    let style = Style {
        format: Format::Json,
        audience: Audience::Pipe,
        color: false,
        encoding: TextEncoding::default(),
        separator: Vec::new(),
        microseconds: false,
    };
    let mut out = Vec::new();
    let cut = Datagram {
        full_len: 9,
        ..datagram(b"ab")
    };
    Renderer::new(style).render(
        &cut,
        Notes {
            sequence: Some(7),
            lost: 2,
            ..Notes::default()
        },
        &mut out,
    );
    let line = String::from_utf8(out).unwrap();
    assert!(
        line.ends_with(concat!(
            r#""len":2,"text":"ab","truncated":true,"seq":7,"lost":2}"#,
            "\n"
        )),
        "{line}"
    );
}

#[test]
fn raw_on_a_terminal_breaks_lines_and_nothing_else() {
    let payload = b"a\\b\r\nc\td\x1b[2J\xff\r";
    assert_eq!(
        render(Format::Raw, Audience::Terminal, "utf-8", payload),
        "a\\b\nc\td\\x1b[2J\\xff\\r"
    );
}

#[test]
fn a_separator_stands_after_each_datagram() {
    let style = Style {
        format: Format::Raw,
        audience: Audience::Pipe,
        color: false,
        encoding: TextEncoding::default(),
        separator: b"|".to_vec(),
        microseconds: false,
    };
    let mut renderer = Renderer::new(style);
    let mut out = Vec::new();
    for payload in [&b"a"[..], b"", b"b"] {
        renderer.render(&datagram(payload), Notes::default(), &mut out);
    }
    assert_eq!(out, b"a||b|");
}

proptest! {
    #[test]
    fn no_payload_puts_control_or_bidi_characters_on_a_terminal(
        payload in prop::collection::vec(any::<u8>(), 0..80),
        format in prop::sample::select(vec![Format::Text, Format::Board, Format::Hex, Format::Json, Format::Raw]),
        encoding in prop::sample::select(vec!["utf-8", "auto", "gbk", "utf-16le"]),
    ) {
        let text = render(format, Audience::Terminal, encoding, &payload);
        prop_assert!(!text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\t')) || crate::text::reorders_or_hides(c)), "{:?}", text);
    }

    #[test]
    fn json_gives_the_payload_back(payload in prop::collection::vec(any::<u8>(), 0..80), terminal: bool) {
        let audience = if terminal { Audience::Terminal } else { Audience::Pipe };
        let line = render(Format::Json, audience, "utf-8", &payload);
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        let back = match object["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => {
                use base64::Engine as _;
                base64::engine::general_purpose::STANDARD.decode(object["base64"].as_str().unwrap()).unwrap()
            }
        };
        prop_assert_eq!(back, payload);
        prop_assert_eq!(line.matches('\n').count(), 1);
    }
}
