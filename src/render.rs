//! Renders datagrams as text, hex dump, JSON, raw bytes or the output of the tutorial's server. All renderers append to
//! one reused buffer.

pub(crate) mod clock;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod palette;
pub(crate) mod python;

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::datagram::{Datagram, Timestamp};
use crate::text::encoding::{DecodedPart, TextEncoding};
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
    /// Whether a terminal shows microseconds, as a pipe does, and not milliseconds.
    pub microseconds: bool,
}

/// Renders datagrams.
#[derive(Debug)]
pub struct Renderer {
    /// The settings.
    style: Style,
    /// For text and hex.
    local_clock: LocalClock,
    /// For JSON.
    utc_clock: UtcClock,
    /// The addresses as text.
    names: Names,
    /// Whether to write the destination after the sender.
    shows_destination: bool,
    /// The names of senders, if there are any.
    namer: Option<Namer>,
    /// Cells of the widest peer so far: on a terminal the columns are aligned.
    peer_width: usize,
    /// A buffer for decoded text.
    scratch: String,
}

/// What people call a sender.
struct Namer {
    /// The name for an address.
    name_of: Box<dyn FnMut(IpAddr) -> Option<String>>,
}

impl std::fmt::Debug for Namer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namer").finish_non_exhaustive()
    }
}

/// A cache of addresses as text. It keeps the last address of each role, as most traffic comes from one peer at a time.
#[derive(Debug, Default)]
struct Names {
    /// The last sender.
    peer: Name,
    /// The last destination.
    local: Name,
}

/// An address as text.
#[derive(Debug, Default)]
struct Name {
    /// The address; `None` before the first.
    address: Option<SocketAddr>,
    /// Its text.
    text: String,
}

impl Name {
    /// The text of an address, formatted again only if the address has changed.
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

/// Dim and reset (ANSI SGR): readable on light and dark backgrounds.
const TIME_COLOR: &[u8] = b"\x1b[2m";
const NO_COLOR: &[u8] = b"\x1b[0m";

/// Cells of the longest IPv4 address with its port.
const IPV4_WIDTH: usize = "255.255.255.255:65535".len();

/// `12:01:05.123`.
const MILLISECONDS: usize = "12:01:05.123".len();

impl Renderer {
    /// Sets the encoding of the payloads that follow.
    pub(crate) fn decode_with(&mut self, encoding: TextEncoding) {
        self.style.encoding = encoding;
    }

    /// A renderer with this style.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self {
            style,
            local_clock: LocalClock::default(),
            utc_clock: UtcClock::default(),
            names: Names::default(),
            shows_destination: false,
            namer: None,
            peer_width: IPV4_WIDTH,
            scratch: String::new(),
        }
    }

    /// Also writes the destination in text and hex, for relayed datagrams.
    #[must_use]
    pub(crate) fn with_destination(self) -> Self {
        Self {
            shows_destination: true,
            ..self
        }
    }

    /// Shows the names that `name_of` gives to senders: in JSON, and to people.
    #[must_use]
    pub(crate) fn naming(
        mut self,
        name_of: impl FnMut(IpAddr) -> Option<String> + 'static,
    ) -> Self {
        self.namer = Some(Namer {
            name_of: Box::new(name_of),
        });
        self
    }

    /// What people call the sender.
    fn name(&mut self, peer: SocketAddr) -> Option<String> {
        (self.namer.as_mut()?.name_of)(peer.ip())
    }

    /// Appends the output before the first datagram, if the format has any.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        if matches!(self.style.format, Format::Text | Format::Hex) {
            // Load the time zone now, so that the first datagram is not delayed.
            self.local_clock.format(Timestamp::now());
        }
        // The tutorial's server prints this line, and a test may compare the outputs.
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
                let name = self.name(datagram.peer);
                let head = json::Head {
                    time: self.utc_clock.format(datagram.time),
                    from: self.names.peer.of(datagram.peer),
                    to: self.names.local.of(datagram.local),
                    name: name.as_deref(),
                };
                json::object(&head, datagram, notes, &self.style, &mut self.scratch, out);
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
    pub(crate) fn render_joined(&mut self, run: &Run<'_>, out: &mut Vec<u8>) -> bool {
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

    /// `12:01:05.123456 192.168.0.5:49153 28`; for a person in columns, `12:01:05.123  192.168.0.5:49153  28 B `.
    fn head(&mut self, datagram: &Datagram<'_>, out: &mut Vec<u8>) {
        // A program that reads lines gets the same columns with names as without.
        let name = match self.style.audience {
            Audience::Terminal => self.name(datagram.peer),
            Audience::Pipe => None,
        };
        let is_table = self.style.audience == Audience::Terminal;
        let mut time = self.local_clock.format(datagram.time);
        let peer = self.names.peer.of(datagram.peer);
        let (mut blanks, gap) = (0, if is_table { &b"  "[..] } else { b" " });
        if is_table {
            if !self.style.microseconds {
                time = time.get(..MILLISECONDS).unwrap_or(time);
            }
            // The width only grows: narrower columns would look like another table.
            self.peer_width = self.peer_width.max(peer.len());
            blanks = self.peer_width - peer.len();
        }
        if self.style.color {
            for part in [TIME_COLOR, time, NO_COLOR, gap] {
                out.extend_from_slice(part);
            }
            // Writing to a Vec cannot fail.
            let color = palette::of_sender(datagram.peer);
            let _ = std::io::Write::write_fmt(out, format_args!("\x1b[38;5;{color}m"));
            out.extend_from_slice(peer.as_bytes());
            out.extend_from_slice(NO_COLOR);
        } else {
            for part in [time, gap, peer.as_bytes()] {
                out.extend_from_slice(part);
            }
        }
        if let Some(name) = name {
            out.extend_from_slice(b" (");
            escape::append_text(&name, Audience::Terminal, out);
            out.push(b')');
        }
        if self.shows_destination {
            out.extend_from_slice(b" > ");
            out.extend_from_slice(self.names.local.of(datagram.local).as_bytes());
        }
        out.extend(std::iter::repeat_n(b' ', blanks));
        if is_table {
            let len = datagram.payload.len();
            let _ = std::io::Write::write_fmt(out, format_args!("  {len:>5} B "));
        } else {
            out.push(b' ');
            let mut digits = itoa::Buffer::new();
            out.extend_from_slice(digits.format(datagram.payload.len()).as_bytes());
        }
    }

    /// Appends a payload on one line, and escapes bytes that are dangerous or not text.
    fn escaped(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let audience = self.style.audience;
        self.style
            .encoding
            .parts(payload, &mut self.scratch, |part| match part {
                DecodedPart::Text(text) => escape::append_text(text, audience, out),
                DecodedPart::Bytes(bytes) => escape::append_bytes(bytes, out),
            });
    }

    /// Appends raw bytes for a terminal: newlines and tabs pass, other control characters are escaped.
    fn shown(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.style
            .encoding
            .parts(payload, &mut self.scratch, |part| match part {
                DecodedPart::Text(text) => {
                    let mut rest = text;
                    while let Some(at) = rest.find(['\n', '\t', '\\']) {
                        let (head, tail) = rest.split_at(at);
                        let head = if tail.starts_with('\n') {
                            // Windows ends lines with both; a terminal needs only the newline, and an escaped carriage
                            // return would end each line.
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
                DecodedPart::Bytes(bytes) => escape::append_bytes(bytes, out),
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
mod tests;
