//! Tests of `template.rs`.

use super::*;
use proptest::prelude::*;

use crate::text::sentence::Sentence;

fn rules(place: Place<'_>) -> TemplateOptions<'_> {
    TemplateOptions {
        escapes: true,
        encoding: TextEncoding::default(),
        place,
    }
}

const MESSAGE: Place<'static> = Place::Message { lines: true };

fn render(template: &Template) -> Result<String, RenderError> {
    let mut out = Vec::new();
    let values = Values {
        seq: 7,
        now: "2026-11-27T21:18:46.1234567Z".parse().unwrap(),
        line: "line".as_bytes(),
        from: Some("192.168.0.5:49153".parse().unwrap()),
        group: |index| [&b"all"[..], b"one"].get(index).copied(),
        is_text: true,
    };
    let mut state = RenderState::new(Random::new(Some(1)));
    template.render(&values, &mut state, 100, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn fields_are_filled_in() {
    for (text, payload) in [
        ("", ""),
        ("plain", "plain"),
        ("{seq} {seq:4} {seq:04}", "7    7 0007"),
        ("{unix_ms}", "1795814326123"),
        ("{{{seq}}} {{seq}}", "{7} {seq}"),
        ("[{line}]\\n\\u{4f60}\\x41", "[line]\n你A"),
        ("{rand:1..1}{rand:-3..-3}", "1-3"),
    ] {
        let template = Template::parse(text, rules(MESSAGE)).unwrap();
        assert_eq!(render(&template).unwrap(), payload, "{text}");
    }
    let groups = [None, Some("name".to_owned())];
    let template =
        Template::parse("{0} {1} {name} {from} {line}", rules(Place::Reply(&groups))).unwrap();
    assert_eq!(
        render(&template).unwrap(),
        "all one one 192.168.0.5:49153 line"
    );
    for (text, len) in [
        ("{rand}", 8),
        ("{rand:3}", 3),
        ("{time:%H:%M:%S}", 8),
        ("{time}", 32),
    ] {
        let template = Template::parse(text, rules(MESSAGE)).unwrap();
        assert_eq!(render(&template).unwrap().len(), len, "{text}");
        assert_eq!(template.as_literal(), None);
    }
    let template = Template::parse("{{a}}", rules(MESSAGE)).unwrap();
    assert_eq!(template.as_literal().unwrap(), b"{a}");
}

#[test]
fn a_wrong_field_is_named_with_its_place() {
    for (text, id, at) in [
        ("a {sec}", "messages.unknown-field-nearest", "3"),
        ("a {x}", "messages.unknown-field", "3"),
        // Close to `from`, which only a reply has.
        ("a {form}", "messages.unknown-field", "3"),
        ("{seq", "messages.unclosed", "1"),
        ("a}", "messages.stray", "2"),
        ("{seq:x}", "messages.wrong-option", "1"),
        ("{seq:+4}", "messages.wrong-option", "1"),
        ("{rand:5..1}", "messages.wrong-option", "1"),
        ("{rand:0}", "messages.wrong-option", "1"),
        ("{unix_ms:3}", "messages.wrong-option", "1"),
        ("{from}", "messages.not-in-a-message", "1"),
    ] {
        let wrong = Template::parse(text, rules(MESSAGE)).unwrap_err();
        let sentence = Sentence::from(&wrong);
        assert_eq!(sentence.id, id, "{text}");
        assert!(
            sentence.to_string().contains(&format!("at={at}")),
            "{sentence}"
        );
    }
    assert!(Template::parse("\\q", rules(MESSAGE)).is_err());
    let wrong = Template::parse("{\"ok\": 1}", rules(MESSAGE)).unwrap_err();
    assert_eq!(wrong.advice(), Some(TemplateAdvice::Braces));
    for (text, problem) in [
        (
            "设{time:%H:%M:%!}",
            "messages.time-directive directive=%! at=14",
        ),
        ("{time:%设}", "messages.time-directive directive=%设 at=7"),
        ("{time:%-5J}", "messages.time-directive directive=%-5J at=7"),
        ("{time:%H:%}", "messages.time-unfinished at=10"),
        ("{time:%_5}", "messages.time-unfinished at=7"),
        (
            "{rand:0..18446744073709551616}",
            "messages.range least=-9223372036854775808 most=18446744073709551615",
        ),
    ] {
        let wrong = Template::parse(text, rules(MESSAGE)).unwrap_err();
        let told = Sentence::from(&wrong).to_string();
        assert!(told.ends_with(&format!("problem=({problem})")), "{told}");
    }
    let most = Template::parse(
        "{rand:18446744073709551615..18446744073709551615}",
        rules(MESSAGE),
    );
    assert_eq!(render(&most.unwrap()).unwrap(), "18446744073709551615");
    let wrong = Template::parse("{2}", rules(Place::Reply(&[None, None]))).unwrap_err();
    assert_eq!(Sentence::from(&wrong).id, "messages.no-group");
    assert!(Template::parse(&"x".repeat(70_000), rules(MESSAGE)).is_err());
}

#[test]
fn a_payload_that_grows_too_long_is_an_error() {
    let template = Template::parse(&"{rand:1024}".repeat(9), rules(MESSAGE)).unwrap();
    assert_eq!(render(&template), Err(RenderError::TooLong));
}

#[test]
fn fields_are_in_the_encoding_of_the_text() {
    let gbk = TemplateOptions {
        encoding: "gbk".parse().unwrap(),
        ..rules(MESSAGE)
    };
    let template = Template::parse("{line}度{seq}", gbk).unwrap();
    let values = Values {
        seq: 1,
        now: Timestamp::UNIX_EPOCH,
        line: "开".as_bytes(),
        from: None,
        group: |_| None,
        is_text: true,
    };
    let mut state = RenderState::new(Random::new(None));
    let mut out = Vec::new();
    template.render(&values, &mut state, 100, &mut out).unwrap();
    assert_eq!(out, b"\xbf\xaa\xb6\xc81");
    let values = Values {
        line: b"\xff",
        ..values
    };
    assert_eq!(
        template.render(&values, &mut state, 100, &mut out),
        Err(RenderError::NotUtf8)
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\{|\\}|seq|time|rand|:|%[a-zA-Z0-9:.]{0,5}|[0-9]{1,4}|\\.\\.|\\\\|\\PC){0,12}") {
        for place in [MESSAGE, Place::Reply(&[None])] {
            if let Ok(template) = Template::parse(&text, rules(place)) {
                let _ = render(&template);
            }
        }
    }
}
