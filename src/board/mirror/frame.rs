//! One frame of the agent: `ESC _ U`, sequence number, length, sections, checksum, `ESC \`.
//!
//! It is an application program command (ECMA-48, 8.3.2), which terminals ignore. Inside, a *symbol* 0 to 190 is one
//! byte, 0x20 to 0x7e or 0xa0 to 0xff: it is never a control character, neither in 7 nor in 8 bits.
//!
//! | symbols | what |
//! |---|---|
//! | 1 | sequence number, modulo 90 |
//! | 2 | length of the sections in bytes, 6 bits a symbol, high ones first |
//! | … | sections, each begun by a tag |
//! | 4 | CRC-32 over all of the above, its lower 24 bits, 6 bits a symbol, low ones first |
//!
//! | tag | section |
//! |---|---|
//! | 159 + page | changes in a page: *0 to 63* that many bytes less one follow as they are; *64 to 127* that many less 63 stay; *128 to 158* so many less 124 are equal to the one that follows |
//! | 167 | panel: bits 0 on, 1 inverted, 2 contrast known, 3 a colour display of which only texts come; contrast in two symbols of 4 bits |
//! | 168 | texts: all that are on the screen follow |
//! | 169 | key: picture and texts begin empty |
//! | 170 | a `show()` is complete |
//! | 171 | a text: x, y, mode, length, UTF-8 whose control characters are 255 and the character with bit 6 turned |
//! | 172 | a text: the one that was at this place of the list |
//! | 173 | a text: x, y, mode, and the words that were at this place of the list |
//!
//! A byte of the picture below 190 is the symbol of its value, others are 190 and the value less 190. A number below
//! 160 is one symbol, others 160 + the upper 4 of 16 bits and two symbols of 6 bits; negative ones are two's
//! complement.

use crate::board::crc32::crc32;
use crate::terminal::panel::screen::{DrawMode, PAGE};

/// The beginning of a frame.
pub(super) const START: &[u8] = b"\x1b_U";

/// The bytes before the sections: start, sequence number, length.
pub(super) const HEADER: usize = 6;

/// The bytes of the checksum after them.
pub(super) const CHECKSUM: usize = 4;

/// The agent ends a frame before a page that would begin beyond 999, and a page takes 259 bytes.
pub(super) const MAX_SECTIONS: usize = 1264;

/// The longest frame, with its `ESC \`.
pub(super) const MAX_LEN: usize = HEADER + MAX_SECTIONS + CHECKSUM + 2;

/// Sequence numbers are below this.
pub(super) const SEQUENCE: u8 = 90;

/// The symbol of a byte.
pub(super) fn symbol(byte: u8) -> Option<u8> {
    match byte {
        0x20..=0x7e => Some(byte - 32),
        0xa0..=0xff => Some(byte - 65),
        _ => None,
    }
}

/// One instruction of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameOp<'a> {
    /// Picture and texts begin empty.
    Key,
    /// Bytes of the picture from this index on.
    Bytes(usize, Vec<u8>),
    /// The panel: on, inverted, contrast if the program set it.
    Panel {
        /// Whether it is on.
        on: bool,
        /// Whether black and white are exchanged.
        inverted: bool,
        /// 0 to 255.
        contrast: Option<u8>,
        /// Whether it is the colour display of the board 3.0, of which only texts come.
        lcd: bool,
    },
    /// The list of texts follows.
    Texts,
    /// The next text of the list is unchanged.
    SameText,
    /// The next text of the list; without `words`, its words are unchanged.
    Text {
        /// The column of its left edge.
        x: i16,
        /// The row of its upper edge.
        y: i16,
        /// How it was drawn.
        mode: DrawMode,
        /// UTF-8 with escaped control characters.
        words: Option<&'a [u8]>,
    },
    /// A `show()` is complete.
    Shown,
}

/// A complete frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its sequence number, modulo 90.
    pub(crate) seq: u8,
    /// Its instructions, in order.
    pub(crate) steps: Vec<FrameOp<'a>>,
}

impl<'a> Frame<'a> {
    /// Parses a frame without its `ESC \`; `None` if it is damaged.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let counted = bytes.get(START.len()..bytes.len().checked_sub(CHECKSUM)?)?;
        let expected = crc32(&[counted]);
        let mut checksum = SymbolReader(bytes.get(bytes.len() - CHECKSUM..)?);
        for shift in [0, 6, 12, 18] {
            if u32::from(checksum.symbol()?) != expected >> shift & 63 {
                return None;
            }
        }
        let mut reader = SymbolReader(counted);
        let seq = reader.symbol()?;
        // The length: [`super::demux`] has used it already.
        let (_high, _low) = (reader.symbol()?, reader.symbol()?);
        let mut steps = Vec::new();
        let mut at = None;
        while !reader.0.is_empty() {
            match reader.symbol()? {
                token @ 0..=158 => {
                    let index = at.as_mut()?;
                    reader.picture(token, index, &mut steps)?;
                }
                page @ 159..=166 => at = Some(usize::from(page - 159) * PAGE),
                tag => {
                    at = None;
                    steps.push(reader.section(tag)?);
                }
            }
        }
        Some(Self { seq, steps })
    }
}

/// Reads symbols from the front.
struct SymbolReader<'a>(&'a [u8]);

impl<'a> SymbolReader<'a> {
    /// The next byte.
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// The next symbol.
    fn symbol(&mut self) -> Option<u8> {
        self.byte().and_then(symbol)
    }

    /// A number of 16 bits.
    fn number(&mut self) -> Option<u16> {
        let first = u16::from(self.symbol()?);
        if first < 160 {
            return Some(first);
        }
        let (middle, low) = (self.symbol()?, self.symbol()?);
        let high = u8::try_from(first - 160).ok().filter(|&high| high < 16)?;
        // A checksum of 24 bits lets one damaged frame in 16 million pass, so check every number as well.
        (middle < 64 && low < 64)
            .then(|| u16::from(high) << 12 | u16::from(middle) << 6 | u16::from(low))
    }

    /// A byte of the picture.
    fn pixels(&mut self) -> Option<u8> {
        match self.symbol()? {
            190 => self.symbol()?.checked_add(190),
            value => Some(value),
        }
    }

    /// One instruction of a page; `index` is its place in the framebuffer, and advances.
    fn picture(
        &mut self,
        token: u8,
        index: &mut usize,
        steps: &mut Vec<FrameOp<'a>>,
    ) -> Option<()> {
        let len = usize::from(match token {
            0..=63 => token + 1,
            64..=127 => token - 63,
            _ => token - 124,
        });
        let start = *index;
        *index += len;
        let bytes = match token {
            0..=63 => (0..len).map(|_| self.pixels()).collect::<Option<_>>()?,
            64..=127 => return Some(()),
            _ => vec![self.pixels()?; len],
        };
        steps.push(FrameOp::Bytes(start, bytes));
        Some(())
    }

    /// The section that a tag begins; `None` if there is no such tag.
    fn section(&mut self, tag: u8) -> Option<FrameOp<'a>> {
        Some(match tag {
            167 => {
                let bits = self.symbol()?;
                let (high, low) = (self.symbol()?, self.symbol()?);
                FrameOp::Panel {
                    on: bits & 1 != 0,
                    inverted: bits & 2 != 0,
                    contrast: (bits & 4 != 0).then_some(high << 4 | low & 15),
                    lcd: bits & 8 != 0,
                }
            }
            168 => FrameOp::Texts,
            169 => FrameOp::Key,
            170 => FrameOp::Shown,
            171 | 173 => {
                let (x, y) = (self.number()?.cast_signed(), self.number()?.cast_signed());
                let mode = DrawMode::from_number(self.symbol()?);
                let words = if tag == 171 {
                    Some(self.words()?)
                } else {
                    None
                };
                FrameOp::Text { x, y, mode, words }
            }
            172 => FrameOp::SameText,
            _ => return None,
        })
    }

    /// This many bytes of UTF-8 with their escapes.
    fn words(&mut self) -> Option<&'a [u8]> {
        let mut len = 0;
        for _ in 0..self.number()? {
            // The byte 255 does not occur in UTF-8.
            len += if *self.0.get(len)? == 255 { 2 } else { 1 };
        }
        let (words, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(words)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame as the agent makes it, from sections in symbols.
    pub(in crate::board::mirror) fn encode(seq: u8, sections: &[u8]) -> Vec<u8> {
        let byte = |symbol: u8| {
            if symbol < 95 {
                symbol + 32
            } else {
                symbol + 65
            }
        };
        let mut frame = START.to_vec();
        let len = u32::try_from(sections.len()).unwrap();
        let bits = |number: u32| u8::try_from(number & 63).unwrap();
        frame.extend([seq, bits(len >> 6), bits(len)].map(byte));
        frame.extend(sections.iter().map(|&symbol| byte(symbol)));
        let crc = crc32(&[&frame[START.len()..]]);
        frame.extend([0, 6, 12, 18].map(|shift| byte(bits(crc >> shift))));
        frame.extend(b"\x1b\\");
        frame
    }

    /// Frames with a valid checksum and any content.
    pub(in crate::board::mirror) fn frames() -> impl Strategy<Value = Vec<u8>> {
        let tags = prop::sample::select(&[159, 160, 166, 167, 168, 169, 170, 171, 172, 173][..]);
        let symbols = prop_oneof![0..191_u8, tags];
        (0..90_u8, prop::collection::vec(symbols, 0..80))
            .prop_map(|(seq, sections)| encode(seq, &sections))
    }

    #[test]
    fn numbers_have_16_bits_and_a_sign() {
        for (symbols, number) in [
            (&[0][..], 0),
            (&[159], 159),
            (&[160, 2, 32], 160),
            (&[175, 63, 63], -1),
            (&[175, 56, 12], -500),
        ] {
            let frame = encode(0, symbols);
            let mut reader = SymbolReader(&frame[HEADER..]);
            assert_eq!(reader.number().unwrap().cast_signed(), number);
        }
    }

    #[test]
    fn every_changed_byte_is_detected() {
        let frame = encode(7, &[169, 159, 3, 1, 2, 3, 4, 170]);
        let body = &frame[..frame.len() - 2];
        assert!(Frame::parse(body).is_some());
        for index in START.len()..body.len() {
            for bit in 0..8 {
                let mut other = body.to_vec();
                other[index] ^= 1 << bit;
                assert_eq!(Frame::parse(&other), None, "byte {index}, bit {bit}");
            }
        }
    }
}
