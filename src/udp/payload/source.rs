//! Payload sources of `send`: fixed payloads, generated ones, or a stream that is split into lines or chunks.
//!
//! A separate thread opens and reads files and standard input, so that a blocking one (a pipe, a terminal, a FIFO
//! without a writer) delays neither pacing nor replies nor Ctrl-C. A path is opened again for each round. Data from a
//! FIFO, a process substitution or standard input cannot be read twice, so it is kept in memory for further rounds.
//!
//! Long because every kind of source has its constructor and its next payload here.

use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::capture::read::SkippedPackets;
use crate::file;
use crate::terminal::stream;
use crate::text::checksum::Append;
use crate::text::random::Random;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::payload::replay::Replay;
use crate::udp::payload::templates::Templates;
use crate::udp::payload::{TextRules, sequence};

/// The buffer size of one read, in bytes.
const READ_SIZE: usize = 64 << 10;

/// The capacity, in reads, of the channel from the reading thread to the loop.
const READS_AHEAD: usize = 4;

/// The maximum number of bytes kept in memory for further rounds.
const MAX_KEPT: usize = 64 << 20;

/// The maximum number of payload bytes per batch.
const BATCH_BYTES: usize = 256 << 10;

/// The input of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// The file at this path.
    File(PathBuf),
}

impl Input {
    pub(super) fn name(&self) -> Sentence {
        match self {
            Self::Stdin => sentence!("udp.stdin"),
            Self::File(path) => path.display().to_string().into(),
        }
    }

    /// Whether it comes while a person types or a program writes, so that only that other end knows where it ends.
    fn is_live(&self) -> bool {
        *self == Self::Stdin && !file::stdin_is_regular()
    }

    /// Opens the input. May block, so call it on the reading thread.
    pub(super) fn open(&self) -> Result<(Box<dyn Read + Send>, Option<u64>), Error> {
        match self {
            Self::Stdin => Ok((Box::new(stream::stdin()), None)),
            Self::File(path) => {
                let opened = file::for_reading(path)?;
                Ok((Box::new(opened.file), opened.len))
            }
        }
    }
}

/// A message from the reading thread.
#[derive(Debug)]
enum InputEvent {
    /// The input is open; its length, if it is a regular file.
    Opened(Option<u64>),
    /// The next bytes.
    Bytes(Vec<u8>),
}

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

/// The payloads to send, round after round.
#[derive(Debug)]
pub(crate) struct Source {
    kind: SourceState,
    /// Remaining rounds, including the current one; `None` means no limit.
    rounds: Option<u64>,
    is_sequenced: bool,
    /// The checksum after each payload of a stream and each sequenced payload; other payloads have theirs already.
    append: Option<Append>,
    max_payload: usize,
    family: &'static str,
    /// How many more datagrams [`Self::fill`] may give; `None` means no limit.
    allowed: Option<usize>,
}

#[derive(Debug)]
enum SourceState {
    Fixed {
        payloads: Vec<Vec<u8>>,
        next: usize,
    },
    /// The beginnings of one payload, of random length.
    Sized {
        longest: Vec<u8>,
        lens: RangeInclusive<usize>,
        random: Random,
    },
    Stream(Stream),
    Templates(Box<Templates>),
    Replay(Box<Replay>),
}

#[derive(Debug)]
struct Stream {
    input: Input,
    split: Split,
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
    is_at_end: bool,
    /// Datagrams of this round so far; with lines, the line number.
    made: u64,
    /// Whether another round follows, so that the input must be kept.
    keeps: bool,
    /// A copy of the whole input for the next round, if it cannot be read again.
    kept: Option<Vec<u8>>,
}

impl Source {
    /// These payloads, one after another.
    #[must_use]
    pub(crate) fn fixed(payloads: Vec<Vec<u8>>, rounds: Option<u64>) -> Self {
        Self::new(SourceState::Fixed { payloads, next: 0 }, rounds)
    }

    /// Payloads of `len` bytes with room for a sequence number and a send time.
    #[must_use]
    pub(crate) fn sequenced(len: usize, rounds: Option<u64>) -> Self {
        let mut source = Self::fixed(vec![sequence::blank(len)], rounds);
        source.is_sequenced = true;
        source
    }

    /// The same with a random length for each datagram, uniformly distributed over these.
    #[must_use]
    pub(crate) fn sequenced_of(
        lens: RangeInclusive<usize>,
        random: Random,
        rounds: Option<u64>,
    ) -> Self {
        let kind = SourceState::Sized {
            longest: sequence::blank(*lens.end()),
            lens,
            random,
        };
        let mut source = Self::new(kind, rounds);
        source.is_sequenced = true;
        source
    }

    /// A file or standard input, split into datagrams.
    #[must_use]
    pub(crate) fn stream(input: Input, split: Split, rounds: Option<u64>) -> Self {
        let stream = Stream {
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
            keeps: rounds != Some(1),
            kept: None,
        };
        Self::new(SourceState::Stream(stream), rounds)
    }

    /// Payloads that are rendered just before they are sent.
    #[must_use]
    pub(crate) fn templates(templates: Templates, rounds: Option<u64>) -> Self {
        Self::new(SourceState::Templates(Box::new(templates)), rounds)
    }

    /// The datagrams of a capture, at their times.
    #[must_use]
    pub(crate) fn replay(replay: Replay, rounds: Option<u64>) -> Self {
        Self::new(SourceState::Replay(Box::new(replay)), rounds)
    }

    /// Puts a checksum after each payload.
    #[must_use]
    pub(crate) fn with_append(mut self, append: Option<Append>) -> Self {
        self.append = append;
        if let (Some(append), SourceState::Fixed { payloads, .. }) = (append, &mut self.kind) {
            for payload in payloads {
                // That of a sequenced payload is written over this one when it is sent.
                append.append(0, payload);
            }
        }
        self
    }

    fn new(kind: SourceState, rounds: Option<u64>) -> Self {
        Self {
            kind,
            rounds,
            is_sequenced: false,
            append: None,
            max_payload: crate::udp::MAX_PAYLOAD_V4,
            family: "IPv4",
            allowed: None,
        }
    }

    /// Holds the source back after `count` more datagrams.
    pub(crate) fn allow(&mut self, count: usize) {
        self.allowed = Some(count);
    }

    /// Whether the source is held back.
    #[must_use]
    pub(crate) fn is_held(&self) -> bool {
        self.allowed == Some(0)
    }

    /// Whether all rounds are done.
    #[must_use]
    pub(crate) fn is_done(&self) -> bool {
        self.rounds == Some(0)
    }

    /// Opens the input. For a FIFO this waits until another program opens it for writing. Cancel safe.
    ///
    /// # Errors
    /// The input cannot be opened.
    pub(crate) async fn open(&mut self) -> Result<(), Error> {
        match &mut self.kind {
            // Standard input is open already; start reading it only when the socket is ready to send.
            SourceState::Stream(stream) if stream.input != Input::Stdin => stream.open().await,
            SourceState::Replay(replay) if *replay.input() != Input::Stdin => replay.open().await,
            SourceState::Stream(_)
            | SourceState::Fixed { .. }
            | SourceState::Sized { .. }
            | SourceState::Templates(_)
            | SourceState::Replay(_) => Ok(()),
        }
    }

    /// Sets the longest payload that the peer's address family carries.
    ///
    /// # Errors
    /// One of the fixed payloads is longer.
    pub(crate) fn limit(&mut self, max_payload: usize, family: &'static str) -> Result<(), Error> {
        self.max_payload = max_payload;
        self.family = family;
        let longest = match &mut self.kind {
            SourceState::Fixed { payloads, .. } => payloads.iter().map(Vec::len).max(),
            SourceState::Stream(Stream {
                split: Split::Chunks(size),
                ..
            }) => Some(*size + self.append.map_or(0, Append::len)),
            SourceState::Sized { lens, .. } => {
                Some(*lens.end() + self.append.map_or(0, Append::len))
            }
            SourceState::Templates(templates) => {
                templates.limit(max_payload, family);
                None
            }
            SourceState::Replay(replay) => {
                replay.limit(max_payload.saturating_sub(self.append.map_or(0, Append::len)));
                None
            }
            SourceState::Stream(_) => None,
        };
        match longest {
            Some(len) if len > max_payload => Err(Error::TooLong {
                what: sentence!("udp.the-payload"),
                len: len as u64,
                max: max_payload,
                family,
            }),
            _ => Ok(()),
        }
    }

    /// Whether each datagram gets a sequence number and a send time just before it is sent.
    #[must_use]
    pub(crate) fn is_sequenced(&self) -> bool {
        self.is_sequenced
    }

    /// Whether payloads are made, or have their own time, just before they are sent.
    #[must_use]
    pub(crate) fn is_rendered(&self) -> bool {
        matches!(
            self.kind,
            SourceState::Templates(_) | SourceState::Replay(_)
        )
    }

    /// When the next datagram is due by its own time; `None` if it has none.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Instant> {
        match &mut self.kind {
            SourceState::Replay(replay) => Some(replay.due(now)),
            _ => None,
        }
    }

    /// What a capture has that was not sent.
    #[must_use]
    pub(crate) fn left_out(&self) -> Option<SkippedPackets> {
        match &self.kind {
            SourceState::Replay(replay) => Some(replay.left_out()),
            _ => None,
        }
    }

    /// The checksum that belongs after the header and the filler of sequenced payloads.
    #[must_use]
    pub(crate) fn append(&self) -> Option<Append> {
        self.append
    }

    /// Whether all payloads that are rendered have been.
    #[must_use]
    pub(crate) fn is_at_end(&self) -> bool {
        match &self.kind {
            SourceState::Templates(templates) => templates.is_at_end() || self.rounds == Some(0),
            SourceState::Replay(replay) => replay.is_at_end(),
            SourceState::Fixed { .. } | SourceState::Sized { .. } | SourceState::Stream(_) => false,
        }
    }

    /// Waits until there is a payload to send, or until all rounds are done. Only payloads that are rendered need this:
    /// their fields are filled in when they are due. Cancel safe.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        match &mut self.kind {
            SourceState::Templates(templates) if self.rounds != Some(0) => templates.ready().await,
            SourceState::Replay(replay) if self.rounds != Some(0) => replay.ready().await,
            SourceState::Templates(_)
            | SourceState::Replay(_)
            | SourceState::Fixed { .. }
            | SourceState::Sized { .. }
            | SourceState::Stream(_) => Ok(()),
        }
    }

    /// Whether the payloads come through a pipe or from a terminal, so that their number is unknown.
    #[must_use]
    pub(crate) fn is_live(&self) -> bool {
        match &self.kind {
            SourceState::Stream(Stream { input, split, .. }) => {
                input.is_live() && !matches!(split, Split::Whole)
            }
            SourceState::Templates(templates) => templates.is_live(),
            SourceState::Replay(replay) => replay.input().is_live(),
            SourceState::Fixed { .. } | SourceState::Sized { .. } => false,
        }
    }

    /// The input's name, for messages.
    #[must_use]
    pub(crate) fn input_name(&self) -> Option<Sentence> {
        match &self.kind {
            SourceState::Stream(stream) => Some(stream.input.name()),
            SourceState::Templates(templates) => templates.input_name(),
            SourceState::Replay(replay) => Some(replay.input_name()),
            SourceState::Fixed { .. } | SourceState::Sized { .. } => None,
        }
    }

    /// Prepares the outbox for [`Self::fill`]: clears it, unless it can reuse the copies of a single fixed payload.
    pub(crate) fn begin(&self, outbox: &mut Outbox) {
        if !matches!(&self.kind, SourceState::Fixed { payloads, .. } if payloads.len() == 1) {
            outbox.clear();
        }
    }

    /// Fills the outbox with up to `limit` datagrams, and waits for at least one. It stays empty when all rounds are
    /// done. Cancel safe: dropping the future loses no data.
    ///
    /// # Errors
    /// The input cannot be read, or a payload in it is invalid.
    pub(crate) async fn fill(&mut self, outbox: &mut Outbox, limit: usize) -> Result<(), Error> {
        let Some(allowed) = self.allowed else {
            return self.fill_to(outbox, limit).await;
        };
        if allowed == 0 {
            return Ok(());
        }
        self.fill_to(outbox, limit.min(allowed)).await?;
        self.allowed = Some(allowed.saturating_sub(outbox.len()));
        Ok(())
    }

    async fn fill_to(&mut self, outbox: &mut Outbox, limit: usize) -> Result<(), Error> {
        if let SourceState::Fixed { payloads, .. } = &self.kind
            && let [payload] = payloads.as_slice()
        {
            // Fast path for floods: the copies are made once and reused in every batch.
            let fits = BATCH_BYTES / payload.len().max(1);
            let left = self.rounds.map_or(usize::MAX, |rounds| {
                usize::try_from(rounds).unwrap_or(usize::MAX)
            });
            let count = limit.min(fits.max(1)).min(left);
            outbox.repeat(payload, count);
            self.rounds = self.rounds.map(|rounds| rounds - count as u64);
            return Ok(());
        }
        while self.rounds != Some(0) && outbox.len() < limit && outbox.byte_len() < BATCH_BYTES {
            match &mut self.kind {
                SourceState::Templates(templates) => {
                    if !outbox.is_empty() && !templates.has_more() {
                        // Send what we have: the next line may come late.
                        return Ok(());
                    }
                    templates.ready().await?;
                    if templates.is_at_end() {
                        self.rounds = Some(0);
                    } else if templates.render(outbox)? {
                        self.end_round();
                    }
                }
                SourceState::Replay(replay) => {
                    if replay.is_at_end() {
                        // Rounds of an empty input would be a loop that sends nothing and never waits.
                        let is_empty_round = !replay.rewind();
                        self.end_round();
                        if is_empty_round {
                            self.rounds = Some(0);
                        }
                        continue;
                    }
                    if !outbox.is_empty() {
                        // Send what is due.
                        return Ok(());
                    }
                    replay.ready().await?;
                    replay.take(outbox, limit, BATCH_BYTES, self.append);
                }
                SourceState::Fixed { payloads, next } => {
                    if let Some(payload) = payloads.get(*next) {
                        outbox.push(payload);
                        *next += 1;
                    }
                    if *next >= payloads.len() {
                        *next = 0;
                        self.end_round();
                    }
                }
                SourceState::Sized {
                    longest,
                    lens,
                    random,
                } => {
                    let bound = |len: usize| i128::try_from(len).unwrap_or(i128::MAX);
                    let len = random.between(bound(*lens.start()), bound(*lens.end()));
                    let len = usize::try_from(len).unwrap_or(*lens.end());
                    push(outbox, longest.get(..len).unwrap_or(longest), self.append);
                    self.end_round();
                }
                SourceState::Stream(stream) => {
                    if stream.begin()
                        && ((self.append.is_none()
                            && stream.take_plain_lines(outbox, limit, self.max_payload))
                            || stream.take(outbox, self.append, self.max_payload, self.family)?)
                    {
                        continue;
                    }
                    if stream.is_at_end {
                        let is_empty_round = stream.made == 0;
                        stream.rewind();
                        self.end_round();
                        if is_empty_round {
                            self.rounds = Some(0);
                        }
                        continue;
                    }
                    if !outbox.is_empty() && !stream.has_read_ahead() {
                        // Send what we have: the next read may block for a long time.
                        return Ok(());
                    }
                    stream.read().await?;
                }
            }
        }
        Ok(())
    }

    fn end_round(&mut self) {
        if let Some(rounds) = &mut self.rounds {
            *rounds = rounds.saturating_sub(1);
        }
    }
}

impl Stream {
    /// Checks for a byte-order mark once enough bytes are there, and removes it from lines. Returns false while more
    /// bytes are needed.
    fn begin(&mut self) -> bool {
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
    fn take_plain_lines(&mut self, outbox: &mut Outbox, limit: usize, max: usize) -> bool {
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
    fn take(
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

    fn has_read_ahead(&self) -> bool {
        self.reads.as_ref().is_some_and(|reads| !reads.is_empty())
    }

    /// Waits until the input is open.
    async fn open(&mut self) -> Result<(), Error> {
        while !self.is_open {
            self.read().await?;
        }
        Ok(())
    }

    /// Waits for the reading thread's next message: the input is open, more bytes, or the end.
    async fn read(&mut self) -> Result<(), Error> {
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
    fn rewind(&mut self) {
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

/// Adds a datagram with its checksum.
pub(super) fn push(outbox: &mut Outbox, payload: &[u8], append: Option<Append>) {
    // Nothing here fails.
    let _ = outbox.push_with(|out| {
        let start = out.len();
        out.extend_from_slice(payload);
        if let Some(append) = append {
            append.append(start, out);
        }
        Ok::<(), ()>(())
    });
}

/// Starts a thread that opens the input and reads it to the end. If the thread blocks in a system call, the process
/// exits without waiting for it.
fn read_on_thread(input: Input) -> Result<mpsc::Receiver<Result<InputEvent, Error>>, Error> {
    let (sender, receiver) = mpsc::channel(READS_AHEAD);
    let read = move || {
        let (mut stream, len) = match input.open() {
            Ok(opened) => opened,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        if sender.blocking_send(Ok(InputEvent::Opened(len))).is_err() {
            return;
        }
        loop {
            let mut bytes = vec![0; READ_SIZE];
            let result = match stream.read(&mut bytes) {
                Ok(0) => return,
                Ok(len) => {
                    bytes.truncate(len);
                    Ok(InputEvent::Bytes(bytes))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => Err(Error::File(file::Error::Read {
                    object: input.name(),
                    source,
                })),
            };
            let failed = result.is_err();
            if sender.blocking_send(result).is_err() || failed {
                return;
            }
        }
    };
    match std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(read)
    {
        Ok(_) => Ok(receiver),
        Err(source) => Err(Error::Start {
            what: "input-thread",
            source,
        }),
    }
}

#[cfg(test)]
mod tests;
