//! Separates the agent's frames from the user's program output, byte by byte; buffers at most one frame.

use crate::board::mirror::frame::{self, CHECKSUM, HEADER, MAX_LEN, MAX_SECTIONS, SEQUENCE, START};

/// ESC begins a frame and its terminator, and no other byte in a frame has this value.
const ESC: u8 = 0x1b;

/// Input that is not output of the program.
#[derive(Debug)]
pub(crate) enum DemuxedFrame<'a> {
    /// A frame with its full length, without its `ESC \`; the checksum is not verified yet.
    Frame(&'a [u8]),
    /// A frame was cut short.
    Garbled,
}

/// The rest of an accepted or dropped frame that may still arrive; these bytes are not output.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Tail {
    #[default]
    None,
    /// A `\`, or a whole terminator.
    Backslash,
    /// `ESC \`, in which the `\` may be damaged; the ESC is buffered.
    Terminator,
    /// `ESC \`; the ESC, which cut a frame short, is buffered.
    Stray,
}

/// The state between two chunks of input.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    /// A possible frame, from its ESC on.
    held: Vec<u8>,
    /// The bytes of the last frame that may still come.
    tail: Tail,
}

impl Demux {
    /// Takes bytes: appends output to `output`, and passes frames to `found` in order.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        output: &mut Vec<u8>,
        mut found: impl FnMut(DemuxedFrame<'_>),
    ) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            if self.held.is_empty() && self.tail == Tail::None {
                let plain = memchr::memchr(ESC, rest).unwrap_or(rest.len());
                let (text, after) = rest.split_at(plain);
                output.extend_from_slice(text);
                rest = after;
                if let Some((&esc, after)) = rest.split_first() {
                    self.held.push(esc);
                    rest = after;
                }
                continue;
            }
            if self.step(byte, output, &mut found) {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }

    /// Takes one byte while something is buffered; false if the byte must be examined again.
    fn step(
        &mut self,
        byte: u8,
        output: &mut Vec<u8>,
        found: &mut impl FnMut(DemuxedFrame<'_>),
    ) -> bool {
        match std::mem::take(&mut self.tail) {
            Tail::None => {}
            Tail::Backslash if byte == ESC => {
                self.held.push(byte);
                self.tail = Tail::Terminator;
                return true;
            }
            Tail::Backslash => return byte == b'\\',
            tail @ (Tail::Terminator | Tail::Stray) => {
                let is_ours = match tail {
                    Tail::Terminator => byte != b'_',
                    _ => byte == b'\\',
                };
                if is_ours {
                    self.held.clear();
                    return true;
                }
            }
        }
        let len = self.held.len();
        if let Some(&expected) = START.get(len) {
            if byte == expected {
                self.held.push(byte);
                return true;
            }
            output.append(&mut self.held);
            return false;
        }
        if len == self.end() {
            return self.close(byte, found);
        }
        // No symbol is a control character, so this is damage, or the program prints while the agent writes.
        if byte < 0x20 || byte == 0x7f {
            self.held.clear();
            found(DemuxedFrame::Garbled);
            if byte == ESC {
                self.held.push(byte);
                self.tail = Tail::Stray;
                return true;
            }
            return false;
        }
        self.held.push(byte);
        // Check the header as soon as it is complete: otherwise the output of a program that prints an APC of its own
        // would wait for the end of a frame that never comes.
        if self.held.len() == HEADER && !self.is_plausible() {
            // An escape sequence of the program itself.
            output.append(&mut self.held);
        }
        true
    }

    /// The frame has its full length: examines the first byte after it.
    fn close(&mut self, byte: u8, found: &mut impl FnMut(DemuxedFrame<'_>)) -> bool {
        found(DemuxedFrame::Frame(&self.held));
        self.held.clear();
        if byte == ESC {
            self.held.push(byte);
            self.tail = Tail::Terminator;
        } else {
            self.tail = Tail::Backslash;
        }
        // A control character cannot be a damaged terminator.
        byte >= 0x20 || byte == ESC
    }

    /// The end of the input: buffered bytes are output after all, unless they are an incomplete frame.
    pub(crate) fn finish(&mut self, output: &mut Vec<u8>) {
        let is_frame = self.held.len() > START.len();
        if is_frame || self.tail != Tail::None {
            self.held.clear();
        }
        output.append(&mut self.held);
        self.tail = Tail::None;
    }

    /// The number of buffered bytes.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// The length of the sections, from the header.
    fn sections(&self) -> Option<usize> {
        let digit = |index| {
            let symbol = self.held.get(index).copied().and_then(frame::symbol)?;
            (symbol < 64).then(|| usize::from(symbol))
        };
        Some(digit(HEADER - 2)? << 6 | digit(HEADER - 1)?)
    }

    /// Whether sequence number and length are ones that the agent sends.
    fn is_plausible(&self) -> bool {
        let seq = self.held.get(START.len()).copied().and_then(frame::symbol);
        seq.is_some_and(|seq| seq < SEQUENCE)
            && self
                .sections()
                .is_some_and(|len| (1..=MAX_SECTIONS).contains(&len))
    }

    /// Where the checksum ends, if the header is complete.
    fn end(&self) -> usize {
        if self.held.len() < HEADER {
            return MAX_LEN;
        }
        self.sections()
            .map_or(MAX_LEN, |len| HEADER + len + CHECKSUM)
    }
}
