//! JSON Lines: one object per datagram, described in `docs/datagram.schema.json`. For compatibility, keys may be added
//! but never removed.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::datagram::Datagram;
use crate::datagram::Notes;
use crate::render::Style;
use crate::text::escape::Audience;
use crate::text::reorders_or_hides;

/// The cached beginning of an object, as text.
pub(super) struct Head<'a> {
    /// The time of arrival.
    pub(super) time: &'a [u8],
    /// The sender.
    pub(super) from: &'a str,
    /// The destination.
    pub(super) to: &'a str,
    /// What people call the peer.
    pub(super) name: Option<&'a str>,
}

/// Appends the object and a newline.
pub(super) fn object(
    head: &Head<'_>,
    datagram: &Datagram<'_>,
    notes: Notes,
    style: &Style,
    scratch: &mut String,
    out: &mut Vec<u8>,
) {
    let mut number = itoa::Buffer::new();
    for part in [
        br#"{"time":""#,
        head.time,
        br#"","from":""#,
        head.from.as_bytes(),
        br#"","to":""#,
        head.to.as_bytes(),
        br#"","len":"#,
    ] {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(number.format(datagram.payload.len()).as_bytes());
    if let Some(text) = style.encoding.decode(datagram.payload, scratch) {
        out.extend_from_slice(br#","text":"#);
        string(text, style.audience, out);
    } else {
        out.extend_from_slice(br#","base64":""#);
        let start = out.len();
        // Base64 needs four characters per three bytes, rounded up.
        out.resize(start + datagram.payload.len().div_ceil(3) * 4, b'=');
        let room = out.get_mut(start..).unwrap_or_default();
        let written = STANDARD.encode_slice(datagram.payload, room).unwrap_or(0);
        out.truncate(start + written);
        out.push(b'"');
    }
    if datagram.is_truncated() {
        out.extend_from_slice(br#","truncated":true"#);
    }
    if let Some(sequence) = notes.sequence {
        out.extend_from_slice(br#","seq":"#);
        out.extend_from_slice(number.format(sequence).as_bytes());
        if notes.lost > 0 {
            out.extend_from_slice(br#","lost":"#);
            out.extend_from_slice(number.format(notes.lost).as_bytes());
        }
    }
    if let Some(is_good) = notes.check {
        let check = if is_good { "ok" } else { "bad" };
        out.extend_from_slice(br#","check":""#);
        out.extend_from_slice(check.as_bytes());
        out.push(b'"');
    }
    if let Some(rule) = notes.rule {
        out.extend_from_slice(br#","rule":"#);
        out.extend_from_slice(number.format(rule.get()).as_bytes());
    }
    if let Some(name) = head.name {
        out.extend_from_slice(br#","name":"#);
        string(name, style.audience, out);
    }
    out.extend_from_slice(b"}\n");
}

/// Appends a JSON string. JSON requires escapes for ASCII control characters only; this also escapes other characters
/// that are dangerous on a terminal. `\uNNNN` means the same to every JSON parser.
pub(crate) fn string(text: &str, audience: Audience, out: &mut Vec<u8>) {
    let is_plain = |byte: &u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if text
        .as_bytes()
        // In pieces of 32 bytes, which the compiler turns into vector instructions; a loop that may stop at each byte
        // it does not.
        .chunks(32)
        .all(|chunk| chunk.iter().fold(true, |all, byte| all & is_plain(byte)))
    {
        // Fast path for the usual case: nothing to escape.
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    let hides = |character: char| {
        matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
            || (audience == Audience::Terminal && reorders_or_hides(character))
    };
    let start = out.len();
    // Writing to a Vec cannot fail, and every string can be serialised.
    let _ = serde_json::to_writer(&mut *out, text);
    let is_clean = |byte: &u8| byte.is_ascii() && *byte != 0x7f;
    if out.get(start..).unwrap_or_default().iter().all(is_clean) || !text.chars().any(hides) {
        return;
    }
    // Text with such characters is rare, so it may cost a copy.
    let written = out.split_off(start);
    for character in String::from_utf8_lossy(&written).chars() {
        if hides(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}
