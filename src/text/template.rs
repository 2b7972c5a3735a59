//! Payloads with fields that are filled in for each datagram: `{seq:04} {time:%H:%M:%S} {rand:1..100}`.
//!
//! A template is parsed once. Rendering appends to the caller's buffer and allocates nothing in UTF-8.

mod error;
mod field;

use std::fmt::Write as _;
use std::net::SocketAddr;

use jiff::Timestamp;
use jiff::fmt::StdFmtWrite;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::text::encoding::{self, TextEncoding};
use crate::text::escape;
use crate::text::hex;
use crate::text::random::Random;
use field::{TemplatePiece, piece};

pub(crate) use error::TemplateAdvice;
pub use error::{Error, FieldProblem};

/// The maximum length of a template, in bytes; longer payloads do not fit in a datagram anyway.
const MAX_LEN: usize = 65_535;

/// How to read a template.
#[derive(Debug, Clone, Copy)]
pub struct TemplateOptions<'a> {
    /// Interpret escapes such as `\n` and `\xNN`.
    pub escapes: bool,
    /// The encoding of the payload.
    pub encoding: TextEncoding,
    /// The purpose of a template, which decides which fields it may have.
    pub place: Place<'a>,
}

/// Where a template stands.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In a message to send, where `{line}` may be an input line.
    Message {
        /// Whether there are input lines.
        lines: bool,
    },
    /// In a reply, where `{line}` is the datagram without its line ending, `{from}` its sender, and `{1}` and `{name}`
    /// are the groups of the pattern, given here by their names in order from group 0.
    Reply(&'a [Option<String>]),
}

/// Which fields a template may have, for a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// The fields of a message that is sent for each input line.
    WithLine,
    /// The fields of a message without input lines.
    WithoutLine,
    /// The fields of a reply.
    Reply,
}

impl Place<'_> {
    /// The fields that a template may have here.
    #[must_use]
    pub fn fields(&self) -> Fields {
        match self {
            Self::Message { lines: true } => Fields::WithLine,
            Self::Message { lines: false } => Fields::WithoutLine,
            Self::Reply(_) => Fields::Reply,
        }
    }
}

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    /// The pieces of the template, in order.
    pieces: Vec<TemplatePiece>,
    encoding: TextEncoding,
    /// The local time zone, if a field needs it.
    zone: Option<TimeZone>,
    /// Whether it has `{line}`.
    has_line: bool,
    /// Whether it has groups of a pattern.
    has_groups: bool,
    /// Whether it has no fields.
    is_literal: bool,
}

/// The values for the fields of one datagram.
#[derive(Debug)]
pub struct Values<'a, F> {
    /// The number of the datagram, from 0.
    pub seq: u64,
    /// The time.
    pub now: Timestamp,
    /// The input line; in a reply, the datagram that is answered, without its line ending.
    pub line: &'a [u8],
    /// The sender of the datagram that is answered.
    pub from: Option<SocketAddr>,
    /// The groups that the pattern matched.
    pub group: F,
    /// Whether lines and groups are UTF-8 text to be encoded, instead of bytes of the payload.
    pub is_text: bool,
}

/// The buffers for rendering, reused for each datagram.
#[derive(Debug)]
pub struct RenderState {
    /// The source of `{rand}`.
    pub(crate) random: Random,
    /// A buffer for a field before it is encoded.
    scratch: String,
}

impl RenderState {
    /// A renderer with this source of random numbers.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            scratch: String::new(),
        }
    }
}

/// The payload is longer than allowed, or a line has a character that the encoding does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Longer than allowed.
    #[error("it does not fit in a datagram")]
    TooLong,
    /// The input line is not UTF-8, so it cannot be encoded.
    #[error("its text is not UTF-8")]
    NotUtf8,
    /// A character that the encoding does not have.
    #[error(transparent)]
    Encode(encoding::Error),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// A field is unknown or has no meaning here, a brace is not closed, or the text cannot be encoded.
    pub fn parse(text: &str, rules: TemplateOptions<'_>) -> Result<Self, Error> {
        if text.len() > MAX_LEN {
            return Err(Error::TooLong);
        }
        let mut template = Self::literal(Vec::new());
        template.encoding = rules.encoding;
        let mut literal = String::new();
        let mut chars = text.char_indices().enumerate().peekable();
        while let Some((index, (place, character))) = chars.next() {
            let at = index + 1;
            let doubled = |chars: &mut std::iter::Peekable<_>| {
                chars
                    .next_if(|&(_, (_, next)): &(usize, (usize, char))| next == character)
                    .is_some()
            };
            match character {
                '{' if doubled(&mut chars) => literal.push('{'),
                '{' => {
                    let rest = text.get(place + 1..).unwrap_or_default();
                    let (field, _) = rest.split_once('}').ok_or(Error::Unclosed { at })?;
                    let end = place + 1 + field.len();
                    // Continue after the field, whose characters `find` has already passed.
                    while chars.next_if(|(_, (next, _))| *next <= end).is_some() {}
                    template.add_literal(&mut literal, rules)?;
                    template.pieces.push(piece(field, at, rules.place)?);
                }
                '}' if doubled(&mut chars) => literal.push('}'),
                // Usually the `{` before it is missing. A literal brace is written twice.
                '}' => return Err(Error::Stray { at }),
                '\\' if rules.escapes => {
                    literal.push(character);
                    let Some((_, (_, letter))) = chars.next() else {
                        continue;
                    };
                    literal.push(letter);
                    // The braces of \u{NNNN} are not a field.
                    if letter == 'u' && chars.peek().is_some_and(|(_, (_, next))| *next == '{') {
                        for (_, (_, next)) in chars.by_ref() {
                            literal.push(next);
                            if next == '}' {
                                break;
                            }
                        }
                    }
                }
                _ => literal.push(character),
            }
        }
        template.add_literal(&mut literal, rules)?;
        let has = |wanted: fn(&TemplatePiece) -> bool| template.pieces.iter().any(wanted);
        template.has_line = has(|piece| *piece == TemplatePiece::Line);
        template.has_groups = has(|piece| matches!(piece, TemplatePiece::Group(_)));
        template.is_literal = !has(|piece| !matches!(piece, TemplatePiece::Bytes(_)));
        if has(|piece| matches!(piece, TemplatePiece::Time(_))) {
            // Load the time zone here instead of for each datagram: that takes a millisecond or two.
            template.zone = Some(TimeZone::system());
        }
        Ok(template)
    }

    /// A template without fields: always these bytes.
    #[must_use]
    pub fn literal(bytes: Vec<u8>) -> Self {
        Self {
            pieces: vec![TemplatePiece::Bytes(bytes)],
            encoding: TextEncoding::default(),
            zone: None,
            has_line: false,
            has_groups: false,
            is_literal: true,
        }
    }

    /// The bytes of a template without fields.
    #[must_use]
    pub fn as_literal(&self) -> Option<Vec<u8>> {
        let bytes = |piece: &TemplatePiece| match piece {
            TemplatePiece::Bytes(bytes) => bytes.clone(),
            _ => Vec::new(),
        };
        self.is_literal
            .then(|| self.pieces.iter().flat_map(bytes).collect())
    }

    /// The length of the text between the fields: no payload is shorter.
    #[must_use]
    pub(crate) fn least_len(&self) -> usize {
        let len = |piece: &TemplatePiece| match piece {
            TemplatePiece::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        self.pieces.iter().map(len).sum()
    }

    /// Whether it has groups of the pattern.
    #[must_use]
    pub(crate) fn has_groups(&self) -> bool {
        self.has_groups
    }

    /// Adds bytes at the end.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        self.pieces.push(TemplatePiece::Bytes(bytes));
    }

    /// Adds the text between two fields, encoded, and empties `literal`.
    fn add_literal(
        &mut self,
        literal: &mut String,
        rules: TemplateOptions<'_>,
    ) -> Result<(), Error> {
        let mut bytes = Vec::new();
        if rules.escapes {
            append_escaped(literal, rules.encoding, &mut bytes)?;
        } else {
            rules.encoding.encode(literal, &mut bytes)?;
        }
        literal.clear();
        self.pieces.push(TemplatePiece::Bytes(bytes));
        Ok(())
    }

    /// Appends the payload of one datagram to `out`, at most `max` bytes.
    ///
    /// # Errors
    /// The payload is longer than `max`, or a line cannot be encoded. Then `out` ends in an incomplete payload.
    pub fn render<'a, F>(
        &self,
        values: &Values<'a, F>,
        state: &mut RenderState,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError>
    where
        F: Fn(usize) -> Option<&'a [u8]>,
    {
        let start = out.len();
        for piece in &self.pieces {
            let RenderState { random, scratch } = &mut *state;
            scratch.clear();
            // Writing to a String cannot fail; the format of a time was tried when it was parsed.
            let _ = match piece {
                TemplatePiece::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(())
                }
                TemplatePiece::Line => {
                    self.copy(values.line, values.is_text, out)?;
                    Ok(())
                }
                TemplatePiece::Group(index) => {
                    let bytes = (values.group)(*index).unwrap_or_default();
                    self.copy(bytes, values.is_text, out)?;
                    Ok(())
                }
                TemplatePiece::Seq { width, zeros: true } => {
                    write!(scratch, "{:0width$}", values.seq, width = *width)
                }
                TemplatePiece::Seq { width, .. } => {
                    write!(scratch, "{:width$}", values.seq, width = *width)
                }
                TemplatePiece::UnixMs => write!(scratch, "{}", values.now.as_millisecond()),
                TemplatePiece::Between(first, last) => {
                    write!(scratch, "{}", random.between(*first, *last))
                }
                TemplatePiece::From => match values.from {
                    Some(from) => write!(scratch, "{from}"),
                    None => Ok(()),
                },
                TemplatePiece::Hex(digits) => {
                    append_digits(*digits, random, scratch);
                    Ok(())
                }
                TemplatePiece::Time(format) => {
                    let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
                    let time = BrokenDownTime::from(&values.now.to_zoned(zone));
                    drop(time.format(format, StdFmtWrite(&mut *scratch)));
                    Ok(())
                }
            };
            if !scratch.is_empty() {
                self.encoding
                    .encode(scratch, out)
                    .map_err(RenderError::Encode)?;
            }
            // Check after each piece: all pieces together could be far longer than a datagram.
            if out.len() - start > max {
                return Err(RenderError::TooLong);
            }
        }
        Ok(())
    }

    /// Appends bytes of a line or a group in the encoding of the payload.
    fn copy(&self, bytes: &[u8], is_text: bool, out: &mut Vec<u8>) -> Result<(), RenderError> {
        if !is_text || self.encoding.sends_utf8() {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RenderError::NotUtf8)?;
        self.encoding.encode(text, out).map_err(RenderError::Encode)
    }
}

/// Appends text with escapes such as `\n`.
pub(super) fn append_escaped(
    text: &str,
    encoding: TextEncoding,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    for piece in escape::pieces(text) {
        match piece? {
            escape::EscapedPiece::Text(text) => encoding.encode(text, out)?,
            escape::EscapedPiece::Char(character) => {
                encoding.encode(character.encode_utf8(&mut [0; 4]), out)?;
            }
            escape::EscapedPiece::Byte(byte) => out.push(byte),
        }
    }
    Ok(())
}

/// Appends `count` random hex digits.
fn append_digits(count: usize, random: &mut Random, out: &mut String) {
    let mut left = count;
    while left > 0 {
        for byte in random.draw().to_be_bytes() {
            for digit in hex::digits(byte) {
                if left > 0 {
                    out.push(char::from(digit));
                    left -= 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
