//! Renders datagrams as text, hex dump, JSON, raw bytes or the output of the tutorial's server. All renderers append to
//! one reused buffer.

pub mod clock;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod python;

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::datagram::{Datagram, Timestamp};
use crate::text::encoding::{Part, TextEncoding};
use crate::text::escape::{self, Audience};
use clock::{LocalClock, UtcClock};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Time, peer, length and escaped text on a line
    Text,
    /// Exactly what the tutorial's server prints
    Board,
    /// Time, peer and length on a line, then a hex dump
    Hex,
    /// One JSON object per line
    Json,
    /// The payload bytes alone
    Raw,
}

/// The settings of a renderer.
#[derive(Debug, Clone)]
pub struct Style {
    /// The format.
    pub format: Format,
    /// Who reads the output; decides what is escaped.
    pub audience: Audience,
    /// Whether to colour times and peers.
    pub color: bool,
    /// The encoding for decoding payload text.
    pub encoding: TextEncoding,
    /// Bytes to write after each payload of [`Format::Raw`].
    pub separator: Vec<u8>,
}

/// Renders datagrams.
#[derive(Debug)]
pub struct Renderer {
    style: Style,
    local_clock: LocalClock,
    utc_clock: UtcClock,
    names: Names,
    scratch: String,
}

/// A cache of addresses as text. It keeps the last address of each role, as most traffic comes from one peer at a time.
#[derive(Debug, Default)]
struct Names {
    peer: Name,
    local: Name,
}

#[derive(Debug, Default)]
struct Name {
    address: Option<SocketAddr>,
    text: String,
}

impl Name {
    fn of(&mut self, address: SocketAddr) -> &str {
        if self.address != Some(address) {
            self.address = Some(address);
            self.text.clear();
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{address}");
        }
        &self.text
    }
}

/// Dim, cyan and reset (ANSI SGR): readable on light and dark backgrounds.
const TIME_COLOR: &[u8] = b"\x1b[2m";
const PEER_COLOR: &[u8] = b"\x1b[36m";
const NO_COLOR: &[u8] = b"\x1b[0m";

impl Renderer {
    /// A renderer with this style.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self {
            style,
            local_clock: LocalClock::default(),
            utc_clock: UtcClock::default(),
            names: Names::default(),
            scratch: String::new(),
        }
    }

    /// Appends the output before the first datagram, if the format has any.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if matches!(self.style.format, Format::Text | Format::Hex) {
            // Load the time zone now, so that the first datagram is not delayed.
            self.local_clock.format(Timestamp::now());
        }
        if self.style.format == Format::Board {
            out.extend_from_slice(b"waiting...\n");
        }
    }

    /// Appends one datagram.
    pub fn render(&mut self, datagram: &Datagram<'_>, notes: Notes, out: &mut Vec<u8>) {
        match self.style.format {
            Format::Text => {
                self.head(datagram, out);
                out.push(b' ');
                self.escaped(datagram.payload, out);
                out.push(b'\n');
            }
            Format::Board => python::received(datagram, self.names.peer_ip(datagram.peer), out),
            Format::Hex => {
                self.head(datagram, out);
                out.push(b'\n');
                hex::dump(datagram.payload, out);
            }
            Format::Json => {
                let time = self.utc_clock.format(datagram.time);
                let names = (
                    self.names.peer.of(datagram.peer),
                    self.names.local.of(datagram.local),
                );
                json::object(
                    datagram,
                    notes,
                    time,
                    names,
                    &self.style,
                    &mut self.scratch,
                    out,
                );
            }
            Format::Raw => {
                match self.style.audience {
                    Audience::Pipe => out.extend_from_slice(datagram.payload),
                    Audience::Terminal => self.shown(datagram.payload, out),
                }
                // Write it after each payload, not only between two, so that a program that reads line by line gets
                // every datagram at once.
                out.extend_from_slice(&self.style.separator);
            }
        }
    }

    /// Fast path: appends a whole run at once if the output is exactly its bytes; returns whether it did.
    pub fn render_joined(&mut self, run: &Run<'_>, out: &mut Vec<u8>) -> bool {
        if self.style.format != Format::Raw
            || self.style.audience != Audience::Pipe
            || !self.style.separator.is_empty()
        {
            return false;
        }
        let Some(bytes) = run.joined() else {
            return false;
        };
        out.extend_from_slice(bytes);
        true
    }

    /// `12:01:05.123456 192.168.0.5:49153 28`
    fn head(&mut self, datagram: &Datagram<'_>, out: &mut Vec<u8>) {
        let time = self.local_clock.format(datagram.time);
        let peer = self.names.peer.of(datagram.peer);
        if self.style.color {
            for part in [
                TIME_COLOR,
                time,
                NO_COLOR,
                b" ",
                PEER_COLOR,
                peer.as_bytes(),
                NO_COLOR,
            ] {
                out.extend_from_slice(part);
            }
        } else {
            out.extend_from_slice(time);
            out.push(b' ');
            out.extend_from_slice(peer.as_bytes());
        }
        out.push(b' ');
        out.extend_from_slice(
            itoa::Buffer::new()
                .format(datagram.payload.len())
                .as_bytes(),
        );
    }

    fn escaped(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let audience = self.style.audience;
        self.style
            .encoding
            .parts(payload, &mut self.scratch, |part| match part {
                Part::Text(text) => escape::append_text(text, audience, out),
                Part::Bytes(bytes) => escape::append_bytes(bytes, out),
            });
    }

    /// Appends raw bytes for a terminal: newlines and tabs pass, other control characters are escaped.
    fn shown(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.style
            .encoding
            .parts(payload, &mut self.scratch, |part| match part {
                Part::Text(text) => {
                    let mut rest = text;
                    while let Some(at) = rest.find(['\n', '\t', '\\']) {
                        let (head, tail) = rest.split_at(at);
                        let head = if tail.starts_with('\n') {
                            head.strip_suffix('\r').unwrap_or(head)
                        } else {
                            head
                        };
                        escape::append_text(head, Audience::Terminal, out);
                        out.extend(tail.bytes().next());
                        rest = tail.get(1..).unwrap_or_default();
                    }
                    escape::append_text(rest, Audience::Terminal, out);
                }
                Part::Bytes(bytes) => escape::append_bytes(bytes, out),
            });
    }
}

impl Names {
    /// The peer's address without its port, as the tutorial prints it.
    fn peer_ip(&mut self, peer: SocketAddr) -> &str {
        let text = self.peer.of(peer);
        let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datagram::Addressed;
    use proptest::prelude::*;

    fn datagram(payload: &[u8]) -> Datagram<'_> {
        Datagram {
            payload,
            peer: "192.168.0.5:49153".parse().unwrap(),
            local: "192.168.0.10:6000".parse().unwrap(),
            addressed: Addressed::Unicast,
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
        assert!(
            render(Format::Text, Audience::Pipe, "gbk", b"\xc4\xe3\xff").ends_with("3 你\\xff\n")
        );
        assert!(render(Format::Text, Audience::Pipe, "auto", b"\xc4\xe3").ends_with("2 你\n"));
        assert!(
            render(Format::Json, Audience::Pipe, "utf-8", b"\xc4\xe3")
                .contains(r#""base64":"xOM=""#)
        );
        assert!(
            render(Format::Json, Audience::Pipe, "gbk", b"\xc4\xe3").contains(r#""text":"你""#)
        );
    }

    #[test]
    fn notes_show_in_json_where_they_apply() {
        let style = Style {
            format: Format::Json,
            audience: Audience::Pipe,
            color: false,
            encoding: TextEncoding::default(),
            separator: Vec::new(),
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
}
