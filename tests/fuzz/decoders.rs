//! All code that reads bytes from outside, each with the checks for any input: no panic, no unbounded memory, and the
//! same result for any division into chunks.
//!
//! Long because it is one list of decoders.

#[path = "board.rs"]
mod board;
#[path = "line.rs"]
mod line;
#[path = "loader.rs"]
mod loader;

use std::io::Read;
use std::net::SocketAddr;

use udpcli::board::flash::firmware::identify;
use udpcli::board::flash::image::{Image, partitions};
use udpcli::board::flash::kind::not_firmware;
use udpcli::board::flash::layout::{self, FilesFate, FlashReader, LayoutRequest, RangeAction};
use udpcli::board::flash::{
    Chip, ChipInfo, Locks, ReadOptions, check, error, files, font, pieces, slip,
};
use udpcli::board::mirror::Mirror;
use udpcli::board::mirror::frame::Frame;
use udpcli::board::port::rfc2217::Telnet;
use udpcli::board::repl::output::{OutputEnd, split_output};
use udpcli::capture::read::CaptureReader;
use udpcli::datagram::Notes;
use udpcli::datagram::run::Run;
use udpcli::datagram::{Addressed, Timestamp};
use udpcli::render::{Format, Renderer, Style};
use udpcli::terminal::sanitize::{Allowed, Filter};
use udpcli::text::encoding::TextEncoding;
use udpcli::text::escape::{self, Audience};
use udpcli::text::hex;
use udpcli::text::pattern::Pattern;
use udpcli::text::random::Random;
use udpcli::text::template::{self, Place, RenderState, Template, Values};
use udpcli::udp::answer::rules::{AnswerRule, AnswerRules, Matched, Workspace};
use udpcli::udp::payload::TextRules;
use udpcli::udp::payload::sequence::Header;
use udpcli::udp::stats::loss::Tracker;

/// Takes any bytes; panics on a finding.
pub(crate) type Decoder = fn(&[u8]);

/// The decoders by name.
pub(crate) const DECODERS: [(&str, Decoder); 16] = [
    ("payload", payload),
    ("pattern", pattern),
    ("template", template),
    ("capture", capture),
    ("render", render),
    ("sequence", sequence),
    ("terminal", terminal),
    ("telnet", telnet),
    ("repl", repl),
    ("board", board::answers),
    ("oled", oled),
    ("slip", slip_frames),
    ("loader", loader::replies),
    ("image", image),
    ("partitions", partition_table),
    ("firmware", firmware),
];

/// Cuts `bytes` at places that its first few bytes select.
fn pieces(bytes: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (cuts, bytes) = bytes.split_at(bytes.len().min(4));
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for &cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(rest.len().min(usize::from(cut) + 1));
        pieces.push(piece);
        rest = after;
    }
    (bytes, pieces)
}

fn encoding(byte: u8) -> TextEncoding {
    let names = [
        "utf-8",
        "auto",
        "gbk",
        "gb18030",
        "big5",
        "shift_jis",
        "utf-16le",
        "iso-2022-jp",
    ];
    names[usize::from(byte) % names.len()]
        .parse()
        .expect("a known encoding")
}

/// A payload as a user types it.
fn payload(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    if let Ok(parsed) = hex::parse(&text) {
        assert!(parsed.len() <= text.len());
    }
    for piece in escape::pieces(&text) {
        if piece.is_err() {
            break;
        }
    }
    let rules = TextRules {
        escapes: choice & 0x80 != 0,
        encoding: encoding(choice),
        line_ending: "\r\n",
    };
    let mut out = Vec::new();
    if rules.append(&text, || "it".into(), &mut out).is_ok() {
        assert!(out.len() <= 4 * text.len() + 16);
    }
    drop(text.parse::<udpcli::udp::endpoint::Endpoint>());
    drop(text.parse::<udpcli::udp::membership::Group>());
}

/// A reply rule, and a datagram after the first line: the pattern, its reply, and the same in a file of replies.
fn pattern(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let (rule, datagram) = bytes.split_at(end.unwrap_or(bytes.len()));
    let text = String::from_utf8_lossy(rule);
    let (on, reply) = text.split_once('=').unwrap_or((&text, "{0}"));
    let encoding = encoding(choice);
    let Ok(pattern) = Pattern::parse(on, choice & 0x80 != 0, encoding) else {
        return;
    };
    let groups = pattern.groups();
    let rules = template::TemplateOptions {
        escapes: choice & 0x80 != 0,
        encoding,
        place: Place::Reply(&groups),
    };
    let reply = Template::parse(reply, rules).unwrap_or_else(|_| Template::literal(vec![1]));
    let rule = AnswerRule {
        pattern,
        encoding,
        reply,
        append: "crc32".parse().ok(),
        delay: None,
        drop: None,
    };
    let table = AnswerRules::new(vec![rule]).expect("one rule");
    let mut workspace = Workspace::new(&table, RenderState::new(Random::new(Some(1))));
    if let Some(rule) = table.find(datagram, &mut workspace) {
        let matched = Matched {
            rule,
            payload: datagram,
            from: SocketAddr::from(([127, 0, 0, 1], 6000)),
        };
        let mut out = Vec::new();
        let result = table.render(matched, &mut workspace, 1000, &mut out);
        assert!(result.is_err() || out.len() <= 1000, "{}", out.len());
    }
}

/// A template of a message.
fn template(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    let rules = template::TemplateOptions {
        escapes: choice & 0x80 != 0,
        encoding: encoding(choice),
        place: Place::Message { lines: true },
    };
    let Ok(template) = Template::parse(&text, rules) else {
        return;
    };
    let values = Values {
        seq: u64::MAX,
        now: "1970-01-01T00:00:00Z".parse().expect("a time"),
        line: bytes,
        from: None,
        group: |_| None,
        is_text: choice & 0x40 != 0,
    };
    let mut out = Vec::new();
    let mut state = RenderState::new(Random::new(Some(1)));
    if template.render(&values, &mut state, 1000, &mut out).is_ok() {
        assert!(out.len() <= 1000);
        if let Some(literal) = template.as_literal() {
            assert_eq!(out, literal);
        }
    }
}

/// The content of a capture does not depend on the chunks in which its bytes come, and nothing in it is longer than the
/// capture.
fn capture(bytes: &[u8]) {
    let (bytes, pieces) = pieces(bytes);
    let read = |pieces: &mut dyn Read| {
        let mut reader = CaptureReader::new(pieces, TextEncoding::default());
        let mut found = Vec::new();
        let error = loop {
            match reader.next_datagram() {
                Ok(Some(recorded)) => {
                    assert!(recorded.payload.len() <= bytes.len());
                    found.push((recorded.time, recorded.from, recorded.payload.to_vec()));
                }
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        (found, error, reader.take_left_out())
    };
    let mut cut: Box<dyn Read> = Box::new(std::io::empty());
    for piece in pieces {
        cut = Box::new(cut.chain(piece));
    }
    // A chain of thousands of readers would use up the stack.
    if bytes.len() <= 1000 {
        assert_eq!(read(&mut &*bytes), read(&mut cut));
    } else {
        read(&mut &*bytes);
    }
}

/// A datagram in every format; a terminal gets no control character.
fn render(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let peer = SocketAddr::from(([127, 0, 0, 1], 6000));
    for format in [
        Format::Text,
        Format::Board,
        Format::Hex,
        Format::Json,
        Format::Raw,
    ] {
        let style = Style {
            format,
            audience: Audience::Terminal,
            color: false,
            encoding: encoding(choice),
            separator: Vec::new(),
            microseconds: false,
        };
        let run = Run::single(bytes, peer, peer, Addressed::Unicast, Timestamp::default());
        let mut out = Vec::new();
        let mut renderer = Renderer::new(style);
        for datagram in run.datagrams() {
            renderer.render(&datagram, Notes::default(), &mut out);
        }
        let text = std::str::from_utf8(&out).expect("a terminal gets text");
        let is_bad = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\t')) || udpcli::text::reorders_or_hides(c)
        };
        assert!(!text.contains(is_bad), "{format:?}: {text:?}");
    }
}

/// Sequenced headers, in any order.
fn sequence(bytes: &[u8]) {
    let mut tracker = Tracker::default();
    let mut count = 0;
    for payload in bytes.chunks(16) {
        if let Some(header) = Header::read(payload) {
            assert!(header.starts(payload));
            tracker.arrive(header.sequence, header.sent);
            count += 1;
        }
    }
    let totals = tracker.totals();
    assert!(totals.duplicate + totals.reordered <= count);
}

/// The output of a board on its way to the terminal.
fn terminal(bytes: &[u8]) {
    let (whole, pieces) = pieces(bytes);
    let (mut at_once, mut in_pieces) = (Vec::new(), Vec::new());
    let mut filter = Filter::new(Allowed::Program);
    filter.pass(whole, &mut at_once);
    filter.end(&mut at_once);
    let mut filter = Filter::new(Allowed::Program);
    for piece in pieces {
        filter.pass(piece, &mut in_pieces);
    }
    filter.end(&mut in_pieces);
    assert_eq!(at_once, in_pieces);
    assert!(at_once.len() <= 10 * whole.len());
    // Escape sequences that pass begin with `ESC [` and contain no control character.
    for (at, _) in at_once
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == 0x1b)
    {
        assert_eq!(at_once.get(at + 1), Some(&b'['));
    }
}

/// Telnet commands among a board's bytes.
fn telnet(bytes: &[u8]) {
    let mut telnet = Telnet::default();
    let mut answer = Vec::new();
    let taken = bytes
        .iter()
        .filter_map(|&byte| telnet.take(byte, &mut answer))
        .count();
    assert!(taken <= bytes.len() && answer.len() <= 3 * bytes.len());
}

/// A program's output and its end, as the raw REPL sends them.
fn repl(bytes: &[u8]) {
    let (output, end) = split_output(bytes);
    assert!(output <= bytes.len());
    if let OutputEnd::Found { len, .. } = end {
        assert!(output + len <= bytes.len());
    }
    // Bytes that were passed on as output stay output when more bytes come.
    let (less, _) = split_output(&bytes[..bytes.len() / 2]);
    assert!(less <= bytes.len() / 2 && less <= output);
}

/// Frames of the OLED among a program's output.
fn oled(bytes: &[u8]) {
    let _ = Frame::parse(bytes);
    let (whole, pieces) = pieces(bytes);
    let (mut at_once, mut in_pieces) = (Vec::new(), Vec::new());
    let (mut seen, mut seen_in_pieces) = (0, 0);
    let mut one = Mirror::new();
    one.feed(whole, &mut at_once, |_| seen += 1);
    one.finish(&mut at_once);
    let mut other = Mirror::new();
    for piece in pieces {
        other.feed(piece, &mut in_pieces, |_| seen_in_pieces += 1);
    }
    other.finish(&mut in_pieces);
    assert_eq!(at_once, in_pieces);
    assert_eq!(
        (seen, one.garbled(), one.gaps()),
        (seen_in_pieces, other.garbled(), other.gaps())
    );
    assert!(at_once.len() <= whole.len());
}

/// Frames of the chip's loader.
fn slip_frames(bytes: &[u8]) {
    let mut decoder = slip::FrameDecoder::default();
    let mut again = slip::FrameDecoder::default();
    for &byte in bytes {
        if let Some(frame) = decoder.push(byte) {
            assert!(!frame.is_empty() && frame.len() <= 0x4000);
            let mut encoded = Vec::new();
            slip::encode(&frame, &mut encoded);
            let back: Vec<Vec<u8>> = encoded
                .iter()
                .filter_map(|&byte| again.push(byte))
                .collect();
            assert_eq!(back, [frame]);
        }
    }
}

/// An application or bootloader.
fn image(bytes: &[u8]) {
    if let Ok(image) = Image::parse(bytes) {
        assert!(image.len <= bytes.len());
    }
    if let Some(found) = identify(bytes) {
        assert!(!found.text.contains(|c: char| c.is_control()));
        let _ = font::place(&found);
    }
    let _ = font::recognise(bytes);
    let _ = layout::file_system(bytes);
    let name = String::from_utf8_lossy(bytes.get(..8).unwrap_or(bytes));
    let _ = not_firmware(&name, bytes);
}

/// A partition table.
fn partition_table(bytes: &[u8]) {
    for partition in partitions(bytes).unwrap_or_default() {
        assert!(partition.name.len() <= 16 * 3 && !partition.describe().is_empty());
    }
}

/// The limit for the content of any file or archive.
const MOST: usize = 64 << 20;

/// A file to be written to flash: bare, ZIP, UF2 or ELF. The result goes through the same checks as before writing.
fn firmware(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let force = choice & 1 != 0;
    let offset = (choice & 2 != 0).then_some(u32::from(choice >> 2) << 12);
    let rules = ReadOptions {
        chip: Chip::Esp32,
        force,
    };
    let Ok(contents) = files::take_apart("file-0x20000.bin", bytes.to_vec(), offset, rules) else {
        return;
    };
    let (parts, mut fonts) = (contents.files, contents.fonts);
    let sum: usize = parts.iter().map(|part| part.data.len()).sum();
    // Each part is filled up to whole words.
    assert!(sum <= MOST + 4 * parts.len(), "{sum}");
    assert!(parts.iter().all(|part| part.data.len().is_multiple_of(4)));
    let info = ChipInfo {
        chip: Chip::Esp32,
        revision: (1, 0),
        mac: [0; 6],
        flash_id: 0x17_4020,
        flash_size: 8 << 20,
        locks: Locks::default(),
    };
    if check::files(&parts, Chip::Esp32, force).is_err() {
        return;
    }
    let mut pieces = pieces::of(parts, Chip::Esp32);
    if font::settle(&mut pieces, &mut fonts, force).is_err() {
        return;
    }
    if check::overlaps(&mut pieces).is_err() || check::board(&pieces, &info, None, force).is_err() {
        return;
    }
    for piece in &pieces {
        assert!(piece.range().end <= 8 << 20);
        assert!(piece.offset.is_multiple_of(0x1000));
        assert!(piece.data.len().is_multiple_of(4));
    }
    let old = partitions(
        bytes
            .get(bytes.len().saturating_sub(0xc00)..)
            .unwrap_or_default(),
    );
    let wish = LayoutRequest {
        files: [None, Some(FilesFate::Keep), Some(FilesFate::Replace), None]
            [usize::from(choice >> 3) % 4],
        erase_all: choice & 4 != 0,
    };
    let Ok(layout) = layout::plan(pieces, old.as_deref(), wish, &mut Anything(choice)) else {
        return;
    };
    if layout.conflict.is_some() {
        return;
    }
    let mut changed: Vec<_> = layout
        .parts
        .iter()
        .map(|part| part.range().start..part.range().end.next_multiple_of(0x1000))
        .collect();
    changed.sort_by_key(|range| range.start);
    assert!(changed.windows(2).all(|pair| pair[0].end <= pair[1].start));
    for erase in &layout.erase {
        let start = u64::from(erase.offset);
        changed.push(start..start + u64::from(erase.size));
    }
    // Parts that the plan keeps do not change.
    for row in layout
        .rows
        .iter()
        .filter(|row| row.action == RangeAction::Keep)
    {
        let range = row.range();
        assert!(
            changed
                .iter()
                .all(|changed| changed.end <= range.start || range.end <= changed.start),
            "{row:?}: {layout:?}"
        );
    }
}

/// A flash with anything in it.
struct Anything(u8);

impl FlashReader for Anything {
    fn boot_address(&self) -> u32 {
        0x1000
    }

    fn is_blank(&mut self, _: std::ops::Range<u64>) -> Result<bool, error::Error> {
        self.0 = self.0.rotate_left(1);
        Ok(self.0 & 1 != 0)
    }

    fn holds(&mut self, _: u32, _: &[u8]) -> Result<bool, error::Error> {
        self.is_blank(0..0)
    }

    fn peek(&mut self, _: u32, len: u32) -> Result<Vec<u8>, error::Error> {
        let mut bytes = b"\xeb\0\0\0\0\0\0\0littlefs".to_vec();
        bytes.resize(len as usize, self.0);
        Ok(bytes)
    }
}
