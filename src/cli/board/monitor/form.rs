//! Formats the board's output for stdout or the log.

use regex::bytes::Regex;

use crate::board::mirror::json;
use crate::board::monitor::lines::LinePiece;
use crate::board::monitor::meaning::DecodedLine;
use crate::datagram::Timestamp;
use crate::render::clock::{DateClock, LocalClock, UtcClock};
use crate::render::hex;
use crate::render::json::string;
use crate::terminal::panel::screen::Screen;
use crate::text::escape::{Audience, append_bytes, append_text};
use crate::words::catalogue::in_language;
use crate::words::language::Language;

/// The bytes per row of the hex dump.
const ROW: usize = 16;

/// The layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineLayout {
    /// Byte for byte.
    Bytes,
    /// Line by line.
    Lines,
    /// A hex dump of everything, including frames of the OLED.
    Hex,
    /// One JSON object per line.
    Json,
}

/// The time in front of a line.
enum LineTime {
    /// No time.
    None,
    /// On the terminal: the time of day.
    Local(LocalClock),
    /// In a log: date and time, because it may cover several days.
    Date(DateClock),
}

/// Formats the output.
pub(super) struct LineForm {
    /// The layout.
    layout: LineLayout,
    /// The time in front of lines.
    clock: LineTime,
    /// The time in JSON.
    utc: UtcClock,
    /// Only lines that match are shown.
    filter: Option<Regex>,
    /// Whether to escape everything that is not text: in a log.
    escapes: bool,
    /// Formatted output that is not written yet.
    out: Vec<u8>,
    /// How much of the incomplete line is already shown; `None` if nothing.
    shown: Option<usize>,
    /// Whether a note came after the shown part, so that the rest needs a new line.
    is_broken: bool,
    /// The incomplete row of the hex dump, and its offset.
    row: Vec<u8>,
    row_at: usize,
}

impl LineForm {
    /// The formatter for stdout.
    pub(super) fn new(layout: LineLayout, timestamps: bool, filter: Option<Regex>) -> Self {
        let clock = if timestamps {
            LineTime::Local(LocalClock::default())
        } else {
            LineTime::None
        };
        Self::with(layout, clock, filter, false)
    }

    /// The formatter for a log: all lines, with date and time, escaped.
    pub(super) fn of_log(layout: LineLayout) -> Self {
        let layout = if layout == LineLayout::Bytes {
            LineLayout::Lines
        } else {
            layout
        };
        Self::with(layout, LineTime::Date(DateClock::default()), None, true)
    }

    /// A formatter before the first line.
    fn with(layout: LineLayout, clock: LineTime, filter: Option<Regex>, escapes: bool) -> Self {
        Self {
            layout,
            clock,
            utc: UtcClock::default(),
            filter,
            escapes,
            out: Vec::new(),
            shown: None,
            is_broken: false,
            row: Vec::with_capacity(ROW),
            row_at: 0,
        }
    }

    /// The number of formatted bytes.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// The formatted bytes.
    pub(super) fn ready(&self) -> &[u8] {
        &self.out
    }

    /// Forgets the formatted bytes, because they have been written.
    pub(super) fn clear(&mut self) {
        self.out.clear();
    }

    /// Appends the time, if lines have one.
    fn stamp(&mut self, time: Timestamp) {
        let text = match &mut self.clock {
            LineTime::None => return,
            LineTime::Local(clock) => clock.format(time),
            LineTime::Date(clock) => clock.format(time),
        };
        self.out.extend_from_slice(text);
        self.out.push(b' ');
    }

    /// Handles all bytes, unchanged.
    pub(super) fn raw(&mut self, bytes: &[u8], time: Timestamp) {
        if self.layout != LineLayout::Hex {
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (row, after) = rest.split_at(rest.len().min(ROW - self.row.len()));
            self.row.extend_from_slice(row);
            rest = after;
            if self.row.len() == ROW {
                self.end_row(time);
            }
        }
    }

    /// Appends the row of the hex dump.
    fn end_row(&mut self, time: Timestamp) {
        self.stamp(time);
        hex::dump_from(self.row_at, &self.row, &mut self.out);
        self.row_at += self.row.len();
        self.row.clear();
    }

    /// Handles the board's output without the frames of its OLED.
    pub(super) fn printed(&mut self, bytes: &[u8]) {
        if self.layout == LineLayout::Bytes {
            self.out.extend_from_slice(bytes);
        }
    }

    /// Handles a line, or a part of it.
    pub(super) fn piece(&mut self, piece: &LinePiece<'_>, decoded: &DecodedLine) {
        if !matches!(self.layout, LineLayout::Lines | LineLayout::Json) {
            return;
        }
        let begun = self.shown;
        self.shown = if piece.ends { None } else { begun };
        // A line whose beginning is on the screen is shown to its end, even if all of it would not match.
        let passes = begun.is_some()
            || self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.is_match(piece.line));
        if !passes {
            return;
        }
        let bytes = piece.line.get(begun.unwrap_or(0)..).unwrap_or_default();
        if self.layout == LineLayout::Json {
            self.object(piece, bytes, decoded);
        } else {
            if begun.is_none() || self.is_broken {
                self.stamp(piece.time);
            }
            self.is_broken = false;
            self.words(bytes);
            if piece.ends {
                self.out.push(b'\n');
            }
        }
        if !piece.ends {
            self.shown = Some(piece.line.len());
        }
    }

    /// Appends bytes of a line.
    fn words(&mut self, bytes: &[u8]) {
        if !self.escapes {
            self.out.extend_from_slice(bytes);
            return;
        }
        for chunk in bytes.utf8_chunks() {
            append_text(chunk.valid(), Audience::Terminal, &mut self.out);
            append_bytes(chunk.invalid(), &mut self.out);
        }
    }

    /// Appends a key with a text.
    fn key(&mut self, key: &str, value: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        // Always escape for a terminal: every JSON parser accepts the escapes, so it does not matter where the line
        // goes.
        string(value, Audience::Terminal, &mut self.out);
    }

    /// Appends the beginning of an object.
    fn open_object(&mut self, time: Timestamp) {
        self.out.extend_from_slice(br#"{"time":""#);
        self.out.extend_from_slice(self.utc.format(time));
        self.out.push(b'"');
    }

    /// Appends a line as an object.
    fn object(&mut self, piece: &LinePiece<'_>, bytes: &[u8], decoded: &DecodedLine) {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;

        self.open_object(piece.time);
        match std::str::from_utf8(bytes) {
            Ok(text) => self.key("text", text),
            Err(_) => self.key("base64", &STANDARD.encode(bytes)),
        }
        if !piece.ends {
            self.out.extend_from_slice(br#","partial":true"#);
        }
        if let Some(kind) = decoded.kind {
            self.key("kind", kind.name());
        }
        if let Some(finding) = &decoded.finding {
            self.key("code", finding.code());
            let text = in_language(Language::English, &finding.sentence());
            self.key("explanation", &text);
            if !finding.addresses().is_empty() {
                let list = serde_json::json!(finding.addresses()).to_string();
                self.out.extend_from_slice(br#","addresses":"#);
                self.out.extend_from_slice(list.as_bytes());
            }
        }
        self.out.extend_from_slice(b"}\n");
    }

    /// Handles an event of the serial line: an object in JSON, a note in a log.
    pub(super) fn event(&mut self, time: Timestamp, name: &str, what: &str, note: &str) {
        if self.layout == LineLayout::Json {
            self.open_object(time);
            self.key("event", name);
            self.key(if name == "back" { "port" } else { "reason" }, what);
            self.out.extend_from_slice(b"}\n");
        } else if self.escapes {
            self.note(time, note);
        }
    }

    /// Adds a message of udpcli to a log for people.
    pub(super) fn note(&mut self, time: Timestamp, text: &str) {
        if self.layout == LineLayout::Json {
            return;
        }
        if self.layout == LineLayout::Lines && self.shown.is_some() && !self.is_broken {
            self.out.push(b'\n');
            self.is_broken = true;
        }
        self.stamp(time);
        self.out.extend_from_slice(b"-- ");
        self.words(text.as_bytes());
        self.out.push(b'\n');
    }

    /// Handles the content of the OLED, for programs.
    pub(super) fn screen(&mut self, time: Timestamp, screen: &Screen) {
        if self.layout == LineLayout::Json {
            self.open_object(time);
            self.out.extend_from_slice(br#","oled":"#);
            self.out
                .extend_from_slice(json::line(screen, false).as_bytes());
            self.out.extend_from_slice(b"}\n");
        }
    }

    /// Shows the incomplete row because the board pauses.
    pub(super) fn pause(&mut self, time: Timestamp) {
        if !self.row.is_empty() {
            self.end_row(time);
        }
    }
}
