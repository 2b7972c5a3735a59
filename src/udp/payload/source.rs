//! Payload sources of `send`: fixed payloads, generated ones, or a stream that is split into lines or chunks.
//!
//! Long because every kind of source has its constructor and its next payload here.

mod input;
mod stream;

use std::ops::RangeInclusive;
use std::time::Instant;

use stream::Stream;

use crate::capture::read::SkippedPackets;
use crate::text::checksum::Append;
use crate::text::random::Random;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::payload::replay::Replay;
use crate::udp::payload::sequence;
use crate::udp::payload::templates::Templates;

pub(crate) use input::Input;
pub(crate) use stream::Split;

/// The maximum number of payload bytes per batch.
const BATCH_BYTES: usize = 256 << 10;

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

impl Source {
    /// The given payloads, one after another.
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
        let stream = Stream::new(input, split, rounds != Some(1));
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
                // The final checksum of a sequenced payload replaces this one when the payload is sent.
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

    /// The packets of a capture that were not sent.
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

#[cfg(test)]
mod tests;
