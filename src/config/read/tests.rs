//! Tests of `read.rs`.

use super::*;
use crate::config::ByteOrder;
use crate::text::checksum::Check;
use proptest::prelude::*;

fn project_of(text: &str) -> Result<Project, Error> {
    project(
        Path::new("udpcli.toml"),
        text,
        Some(Path::new("/home/li/config.toml")),
    )
}

fn user_of(text: &str) -> Result<User, Error> {
    user(Path::new("config.toml"), text)
}

#[test]
fn a_project_sets_messages_replies_excludes_and_names() {
    let project = project_of(
        r#"
names = "names.csv"
exclude = ["*.bak", "notes"]

[messages.led-on]
text = "led on\r\n"
encoding = "gbk"
append = "crc16-modbus:le"
expect = "ok"
wait = "2s"

[messages."开灯"]
hex = "01 02"
wait = 0.5

[[replies]]
on = "temp?"
template = "{rand:1..100}"
delay = 1
drop = "10%"

[[replies]]
on = "hex:01 ??"
file = "answer.bin"
"#,
    )
    .unwrap();
    assert_eq!(project.names.unwrap().line, 2);
    assert_eq!(project.exclude.unwrap().value, ["*.bak", "notes"]);
    let [led, lamp] = project.messages.as_slice() else {
        panic!("{:?}", project.messages)
    };
    assert_eq!((led.line, led.value.name.as_str()), (5, "led-on"));
    assert_eq!(
        led.value.content.body,
        PayloadForm::Text("led on\r\n".to_owned())
    );
    let append = Append {
        check: Check::Crc16Modbus,
        order: Some(ByteOrder::Little),
    };
    assert_eq!(led.value.content.append, Some(append));
    assert_eq!(led.value.expect.as_deref(), Some("ok"));
    assert_eq!(led.value.wait, Some(Duration::from_secs(2)));
    assert_eq!(lamp.value.content.body, PayloadForm::Hex(vec![1, 2]));
    assert_eq!(lamp.value.wait, Some(Duration::from_millis(500)));
    let [temp, bytes] = project.replies.as_slice() else {
        panic!("{:?}", project.replies)
    };
    assert_eq!((temp.line, temp.value.drop), (16, Some(10.0)));
    assert_eq!(temp.value.delay, Some(Duration::from_secs(1)));
    assert_eq!(bytes.value.on, "hex:01 ??");
}

#[test]
fn a_user_sets_serial_port_baud_rate_and_language() {
    let user = user_of("lang = 'zh-cn'\nserial = \"COM5\"\r\nbaud = 9_600\n").unwrap();
    assert_eq!(user.lang.unwrap().value, Lang::ZhCn);
    let serial = user.serial.unwrap();
    assert_eq!((serial.value.as_str(), serial.line), ("COM5", 2));
    assert_eq!(user.baud.unwrap().value, 9600);
    assert_eq!(user_of("").unwrap(), User::default());
}

#[test]
fn every_reply_knows_its_line() {
    let text = "[[replies]]\non = '温度'\r\ntext = 'v'\n\n".repeat(2000);
    let replies = replies(Path::new("r.toml"), &text).unwrap();
    let lines: Vec<usize> = replies.iter().map(|reply| reply.line).collect();
    let wanted: Vec<usize> = (1..=8000).step_by(4).collect();
    assert_eq!(lines, wanted);
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    for (text, place) in [
        ("serial = COM5", "line 1, column 10"),
        ("baud = 1\nbaud = 2", "line 2, column 1"),
        ("\n\nserial = 'x", "line 3, column 12"),
        ("=", "line 1, column 1"),
    ] {
        let error = user_of(text).unwrap_err();
        let told = error.to_string();
        assert!(
            told.starts_with(&format!("config.toml, {place}: ")),
            "{told}"
        );
        assert!(matches!(error, Error::Syntax { .. }), "{text}");
    }
    // Extremely deep nesting.
    let deep = format!("serial = 'x'\n{} = 1", vec!["a"; 100_000].join("."));
    let told = user_of(&deep).unwrap_err().to_string();
    assert!(told.starts_with("config.toml, line 2, column "), "{told}");
    for bracket in ["[", "{a="] {
        let deep = format!("serial = {}", bracket.repeat(100_000));
        assert!(user_of(&deep).is_err());
    }
}

#[test]
fn bytes_become_text_or_say_where_they_do_not() {
    let of = |bytes: &[u8]| text(Path::new("x"), bytes.to_vec());
    assert_eq!(of("\u{feff}baud = 1".as_bytes()).unwrap(), "baud = 1");
    let latin = of(b"# ok\n# \xe4\n").unwrap_err().to_string();
    assert!(latin.starts_with("x, line 2, column 3: "), "{latin}");
    let wide = of(b"\xff\xfeb\0").unwrap_err().to_string();
    assert!(wide.ends_with("config.utf-16"), "{wide}");
}

proptest! {
    #[test]
    fn no_file_panics(
        lines in prop::collection::vec("(\\[\\[?(messages|replies)(\\.[a-z]{1,2})?\\]\\]?|(names|exclude|text|hex|wait|on|drop|baud|append|encoding|serial|lang)? ?=? ?('|\")?\\PC{0,6}('|\")?)", 0..8)
    ) {
        let text = lines.join("\n");
        let _ = project_of(&text).map_err(|error| error.to_string());
        let _ = user_of(&text).map_err(|error| error.to_string());
    }
}
