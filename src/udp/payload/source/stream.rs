//! Splits an input into datagrams: lines, chunks, or the whole.
//!
//! A path is opened again for each round. Data from a FIFO, a process substitution or standard input cannot be read
//! twice, so it is kept in memory for further rounds.

use tokio::sync::mpsc;

use super::input::{Input, InputEvent, read_on_thread};
use super::{BATCH_BYTES, push};
use crate::text::checksum::Append;
use crate::text::sentence::sentence;
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::payload::TextRules;

/// The maximum number of bytes kept in memory for further rounds.
const MAX_KEPT: usize = 64 << 20;

/// A byte-order mark (BOM): old versions of Notepad write one in UTF-8, PowerShell's `>` in UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteOrderMark {
    Utf8,
    Utf16,
}

impl ByteOrderMark {
    /// The byte-order mark at the start of a file (Unicode, chapter 23.8).
    fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0xef, 0xbb, 0xbf, ..] => Some(Self::Utf8),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Self::Utf16),
            _ => None,
        }
    }

    /// Whether these bytes are an incomplete byte-order mark.
    fn may_follow(start: &[u8]) -> bool {
        [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"]
            .iter()
            .any(|mark| mark.len() > start.len() && mark.starts_with(start))
    }
}

/// How to split a stream into datagrams.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Split {
    /// One datagram per line, without its line ending.
    Lines(TextRules),
    /// One datagram per this many bytes.
    Chunks(usize),
    /// The whole input in one datagram.
    Whole,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) input: Input,
    pub(super) split: Split,
    reads: Option<mpsc::Receiver<Result<InputEvent, Error>>>,
    /// The input's length, if it is a regular file.
    len: Option<u64>,
    is_open: bool,
    /// Whether this round has already checked for a byte-order mark.
    is_begun: bool,
    /// Whether the user was told about the byte-order mark.
    is_mark_told: bool,
    /// Bytes that were read; those from `start` on are not yet in a datagram.
    pending: Vec<u8>,
    start: usize,
    /// Everything between `start` and this offset was searched and has no newline.
    scanned: usize,
    pub(super) is_at_end: bool,
    /// Datagrams of this round so far; with lines, the line number.
    pub(super) made: u64,
    /// Whether another round follows, so that the input must be kept.
    keeps: bool,
    /// A copy of the whole input for the next round, if it cannot be read again.
    kept: Option<Vec<u8>>,
}

impl Stream {
    /// A stream whose input is not open yet; `keeps` is whether another round follows.
    pub(super) fn new(input: Input, split: Split, keeps: bool) -> Self {
        Self {
            input,
            split,
            reads: None,
            len: None,
            is_open: false,
            is_begun: false,
            is_mark_told: false,
            pending: Vec::new(),
            start: 0,
            scanned: 0,
            is_at_end: false,
            made: 0,
            keeps,
            kept: None,
        }
    }

    /// Checks for a byte-order mark once enough bytes are there, and removes it from lines. Returns false while more
    /// bytes are needed.
    pub(super) fn begin(&mut self) -> bool {
        if self.is_begun {
            return true;
        }
        if !self.is_at_end && (self.pending.is_empty() || ByteOrderMark::may_follow(&self.pending))
        {
            return false;
        }
        self.is_begun = true;
        let Some(mark) = ByteOrderMark::of(&self.pending) else {
            return true;
        };
        let is_lines = matches!(self.split, Split::Lines(_));
        if is_lines && mark == ByteOrderMark::Utf8 {
            self.start = 3;
            self.scanned = 3;
        }
        if !std::mem::replace(&mut self.is_mark_told, true) {
            let name = self.input.name();
            match (mark, is_lines) {
                (ByteOrderMark::Utf8, true) => {
                    tracing::info!(say = "udp.bom-dropped", name = %name);
                }
                (ByteOrderMark::Utf8, false) => tracing::info!(say = "udp.bom-sent", name = %name),
                (ByteOrderMark::Utf16, _) => tracing::warn!(say = "udp.utf16", name = %name),
            }
        }
        true
    }

    /// Fast path: moves lines that need no conversion to the outbox, up to `limit`; returns whether it moved any.
    /// [`Self::take`] handles the special cases (a line that is too long, the last line without a newline).
    pub(super) fn take_plain_lines(
        &mut self,
        outbox: &mut Outbox,
        limit: usize,
        max: usize,
    ) -> bool {
        if !matches!(self.split, Split::Lines(rules) if rules.is_verbatim())
            || self.scanned != self.start
        {
            return false;
        }
        let rest = self.pending.get(self.start..).unwrap_or_default();
        let mut from = 0;
        for newline in memchr::memchr_iter(b'\n', rest) {
            let line = rest.get(from..newline).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > max || outbox.len() >= limit || outbox.byte_len() >= BATCH_BYTES {
                break;
            }
            outbox.push(line);
            self.made += 1;
            from = newline + 1;
        }
        self.start += from;
        self.scanned = self.start;
        from > 0
    }

    /// Moves one datagram to the outbox, if it is complete.
    pub(super) fn take(
        &mut self,
        outbox: &mut Outbox,
        append: Option<Append>,
        max: usize,
        family: &'static str,
    ) -> Result<bool, Error> {
        let rest = self.pending.get(self.start..).unwrap_or_default();
        let (len, used) = match self.split {
            Split::Lines(_) => {
                let unseen = rest.get(self.scanned - self.start..).unwrap_or_default();
                match memchr::memchr(b'\n', unseen) {
                    Some(offset) => {
                        let end = self.scanned - self.start + offset;
                        (end, end + 1)
                    }
                    None if self.is_at_end && !rest.is_empty() => (rest.len(), rest.len()),
                    None => {
                        self.scanned = self.pending.len();
                        // Allow one more byte: it may be the carriage return of the line ending.
                        if rest.len() > max + 1 {
                            return Err(Error::OverLimit {
                                what: sentence!(
                                    "udp.line-of",
                                    line = self.made + 1,
                                    name => self.input.name()
                                ),
                                max,
                                family,
                            });
                        }
                        return Ok(false);
                    }
                }
            }
            Split::Chunks(size) if rest.len() >= size => (size, size),
            Split::Chunks(_) if self.is_at_end && !rest.is_empty() => (rest.len(), rest.len()),
            Split::Whole if rest.len() > max => return Err(self.too_long(rest.len(), max, family)),
            Split::Whole if self.is_at_end && self.made == 0 => (rest.len(), rest.len()),
            Split::Chunks(_) | Split::Whole => return Ok(false),
        };
        let bytes = rest.get(..len).unwrap_or_default();
        self.made += 1;
        match self.split {
            Split::Lines(rules) => {
                let line = bytes.strip_suffix(b"\r").unwrap_or(bytes);
                if rules.is_verbatim() {
                    push(outbox, line, append);
                } else {
                    let what =
                        || sentence!("udp.line-of", line = self.made, name => self.input.name());
                    let text =
                        std::str::from_utf8(line).map_err(|_| Error::NotUtf8 { what: what() })?;
                    outbox.push_with(|out| {
                        let start = out.len();
                        rules.append(text, what, out)?;
                        if let Some(append) = append {
                            append.append(start, out);
                        }
                        Ok::<(), Error>(())
                    })?;
                }
            }
            Split::Chunks(_) | Split::Whole => push(outbox, bytes, append),
        }
        let made_len = outbox.payload(outbox.len() - 1).len();
        if made_len > max {
            return Err(self.too_long(made_len, max, family));
        }
        self.start += used;
        self.scanned = self.start;
        Ok(true)
    }

    fn too_long(&self, len: usize, max: usize, family: &'static str) -> Error {
        let name = self.input.name();
        let what = match self.split {
            Split::Lines(_) => sentence!("udp.line-of", line = self.made.max(1), name => name),
            Split::Chunks(_) => sentence!("udp.chunk-of", name => name),
            Split::Whole => name,
        };
        let len = match (self.split, self.len) {
            // Reading stopped at the limit, so the file's length is the better number.
            (Split::Whole, Some(whole)) => whole.max(len as u64),
            (Split::Whole, None) if !self.is_at_end => {
                return Error::OverLimit { what, max, family };
            }
            (Split::Whole | Split::Lines(_) | Split::Chunks(_), _) => len as u64,
        };
        Error::TooLong {
            what,
            len,
            max,
            family,
        }
    }

    pub(super) fn has_read_ahead(&self) -> bool {
        self.reads.as_ref().is_some_and(|reads| !reads.is_empty())
    }

    /// Waits until the input is open.
    pub(super) async fn open(&mut self) -> Result<(), Error> {
        while !self.is_open {
            self.read().await?;
        }
        Ok(())
    }

    /// Waits for the reading thread's next message: the input is open, more bytes, or the end.
    pub(super) async fn read(&mut self) -> Result<(), Error> {
        let reads = match &mut self.reads {
            Some(reads) => reads,
            none => none.insert(read_on_thread(self.input.clone())?),
        };
        let bytes = match reads.recv().await.transpose()? {
            None => {
                self.is_open = true;
                self.is_at_end = true;
                return Ok(());
            }
            Some(InputEvent::Opened(len)) => {
                self.is_open = true;
                self.len = len;
                if self.keeps && len.is_none() {
                    self.kept = Some(Vec::new());
                }
                return Ok(());
            }
            Some(InputEvent::Bytes(bytes)) => bytes,
        };
        if let Some(kept) = &mut self.kept {
            if kept.len() + bytes.len() > MAX_KEPT {
                return Err(Error::TooLongToRepeat {
                    what: self.input.name(),
                    limit: MAX_KEPT,
                });
            }
            kept.extend_from_slice(&bytes);
        }
        self.scanned -= self.start;
        if self.start == self.pending.len() {
            self.pending = bytes;
        } else {
            self.pending.drain(..self.start);
            self.pending.extend_from_slice(&bytes);
        }
        self.start = 0;
        Ok(())
    }

    /// Rewinds to the first byte for another round.
    pub(super) fn rewind(&mut self) {
        self.made = 0;
        self.start = 0;
        self.scanned = 0;
        self.is_begun = false;
        match &self.kept {
            Some(kept) => {
                // The whole input is in memory, so `is_at_end` stays true.
                self.pending.clear();
                self.pending.extend_from_slice(kept);
            }
            None => {
                self.pending.clear();
                self.reads = None;
                self.is_open = false;
                self.is_at_end = false;
            }
        }
    }
}
