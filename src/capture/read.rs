//! Reads UDP datagrams out of a capture: pcap, pcapng (<https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap/>), or the
//! JSON lines that `listen` writes.
//!
//! udpcli recognises the format by the first bytes, so that a capture can come through a pipe. One packet is in memory
//! at a time, and a limited number of fragments. The lengths in a capture are claims: each is checked before it is
//! used.
//!
//! `pcap-file`, which writes captures, is not used here: it takes the time of every pcapng packet for nanoseconds, and
//! refuses pcap packets that were cut.

mod fragments;
mod json;
mod link_layer;
mod pcap;

use std::io::{self, Read};
use std::net::SocketAddr;

use crate::text::encoding::TextEncoding;
use crate::text::sentence::{Sentence, sentence};
use fragments::Fragments;
use pcap::{Container, Packet};

/// The longest packet, block or line, in bytes. A longer length is a sign of damage.
const MAX_RECORD: usize = 16 << 20;

/// How many bytes to read at once.
const READ_SIZE: usize = 64 << 10;

/// One datagram of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// Its time, in nanoseconds since the Unix epoch.
    pub time: i128,
    /// The sender.
    pub from: SocketAddr,
    /// The destination port.
    pub(crate) to_port: u16,
    /// The payload.
    pub payload: &'a [u8],
}

/// How many packets were left out, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedPackets {
    /// Packets that are neither UDP nor a fragment of a UDP datagram.
    pub(crate) not_udp: u64,
    /// Fragments whose datagram is not complete.
    pub(crate) fragments: u64,
    /// Packets that the capture program truncated, so that the payload is incomplete.
    pub(crate) cut: u64,
    /// A header is damaged.
    pub(crate) damaged: u64,
    /// Packets of a link type that udpcli cannot read.
    pub(crate) unknown_link: u64,
    /// From another sender than wanted.
    pub(crate) other_sender: u64,
    /// To another port than wanted.
    pub(crate) other_port: u64,
    /// The payload is too long for the peer's address family.
    pub(crate) too_long: u64,
}

impl SkippedPackets {
    /// Each reason with its number.
    #[must_use]
    pub(crate) fn reasons(&self) -> [(&'static str, u64); 8] {
        [
            ("not_udp", self.not_udp),
            ("fragments", self.fragments),
            ("cut", self.cut),
            ("damaged", self.damaged),
            ("unknown_link", self.unknown_link),
            ("other_sender", self.other_sender),
            ("other_port", self.other_port),
            ("too_long", self.too_long),
        ]
    }

    /// How many there are.
    #[must_use]
    pub(crate) fn total(&self) -> u64 {
        self.reasons().iter().map(|(_, count)| count).sum()
    }

    /// The clause of a summary; `None` if nothing was left out.
    #[must_use]
    pub(crate) fn clause(&self) -> Option<Sentence> {
        let reasons = self.reasons().into_iter().filter(|(_, count)| *count > 0);
        let reasons: Vec<Sentence> = reasons
            .map(|(reason, n)| match reason {
                "not_udp" => sentence!("replay.not-udp", n = n),
                "fragments" => sentence!("replay.fragments", n: n),
                "cut" => sentence!("replay.cut", n = n),
                "damaged" => sentence!("replay.damaged", n = n),
                "unknown_link" => sentence!("replay.unknown-link", n = n),
                "other_sender" => sentence!("replay.other-sender", n = n),
                "other_port" => sentence!("replay.other-port", n = n),
                _ => sentence!("replay.too-long", n = n),
            })
            .collect();
        let total = self.total();
        (total > 0).then(|| sentence!("replay.left-out", n: total, reasons <- reasons))
    }

    /// Adds the numbers of another part.
    pub(crate) fn add(&mut self, other: &Self) {
        self.not_udp += other.not_udp;
        self.fragments += other.fragments;
        self.cut += other.cut;
        self.damaged += other.damaged;
        self.unknown_link += other.unknown_link;
        self.other_sender += other.other_sender;
        self.other_port += other.other_port;
        self.too_long += other.too_long;
    }
}

/// Why a capture cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input fails.
    #[error("cannot read the capture")]
    Read(#[source] io::Error),
    /// The capture is damaged or of another kind.
    #[error(transparent)]
    Wrong(Sentence),
}

/// The bytes of a capture that were read but not used yet.
#[derive(Debug)]
struct CaptureInput<R> {
    /// What is read.
    inner: R,
    /// The bytes that were read, from the first one that may still be needed.
    bytes: Vec<u8>,
    /// How much of it is used up.
    start: usize,
    /// Whether the input has ended.
    is_at_end: bool,
}

impl<R: Read> CaptureInput<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            bytes: Vec::new(),
            start: 0,
            is_at_end: false,
        }
    }

    /// What is not used up.
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Reads more; returns whether there was more.
    fn read(&mut self) -> Result<bool, Error> {
        if self.is_at_end {
            return Ok(false);
        }
        // Drain only here, before reading more, instead of at each packet: each drain moves the remaining bytes.
        self.bytes.drain(..self.start);
        self.start = 0;
        let len = self.bytes.len();
        self.bytes.resize(len + READ_SIZE, 0);
        let room = self.bytes.get_mut(len..).unwrap_or_default();
        let result = loop {
            match self.inner.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.bytes
            // Truncate before returning the error, so that the zeros of the unused space never count as data.
            .truncate(len + result.as_ref().map_or(0, |count| *count));
        let count = result.map_err(Error::Read)?;
        // Remember the end: otherwise udpcli would read from a terminal again after Ctrl-D.
        self.is_at_end = count == 0;
        Ok(count > 0)
    }

    /// Reads until there are `len` bytes; fewer only at the end.
    fn fill(&mut self, len: usize) -> Result<&[u8], Error> {
        while self.rest().len() < len && self.read()? {}
        Ok(self.rest())
    }

    /// Uses up `len` bytes.
    fn skip(&mut self, len: usize) {
        self.start = (self.start + len).min(self.bytes.len());
    }
}

/// A capture being read.
#[derive(Debug)]
pub struct CaptureReader<R> {
    /// The bytes.
    input: CaptureInput<R>,
    /// The format, known after the first bytes.
    format: Option<SourceFormat>,
    /// The encoding of text in JSON lines.
    encoding: TextEncoding,
    /// Fragments whose datagram is not complete.
    fragments: Fragments,
    /// The packet and the payload of the last datagram.
    packet: Packet,
    /// The payload of the last datagram.
    payload: Vec<u8>,
    /// The packets left out since the last call of [`Self::take_left_out`].
    left_out: SkippedPackets,
    is_at_end: bool,
}

/// The format of a capture, with its state.
#[derive(Debug)]
enum SourceFormat {
    Packets(Container),
    /// The number of the last line.
    Lines(u64),
}

impl<R: Read> CaptureReader<R> {
    /// Reads a capture; `encoding` is that of the text in JSON lines.
    #[must_use]
    pub fn new(inner: R, encoding: TextEncoding) -> Self {
        Self {
            input: CaptureInput::new(inner),
            format: None,
            encoding,
            fragments: Fragments::default(),
            packet: Packet::default(),
            payload: Vec::new(),
            left_out: SkippedPackets::default(),
            is_at_end: false,
        }
    }

    /// What was left out since the last call.
    pub fn take_left_out(&mut self) -> SkippedPackets {
        std::mem::take(&mut self.left_out)
    }

    /// The next datagram; `None` at the end.
    ///
    /// # Errors
    /// The capture cannot be read, is damaged, or is none.
    pub fn next_datagram(&mut self) -> Result<Option<Recorded<'_>>, Error> {
        let mut found = None;
        // A loop around `step`, because a loop that writes to the payload cannot also return a borrow of it.
        while found.is_none() && !self.is_at_end {
            found = self.step()?;
        }
        Ok(found.map(|(time, from, to_port)| Recorded {
            time,
            from,
            to_port,
            payload: &self.payload,
        }))
    }

    /// Reads one packet or line. If it has a datagram, or completes one, its payload is in `self.payload`.
    fn step(&mut self) -> Result<Option<(i128, SocketAddr, u16)>, Error> {
        let format = match &mut self.format {
            Some(format) => format,
            none => match recognise(&mut self.input)? {
                Some(format) => none.insert(format),
                None => {
                    self.is_at_end = true;
                    return Ok(None);
                }
            },
        };
        match format {
            SourceFormat::Lines(number) => {
                *number += 1;
                let line = json::next(&mut self.input, *number, self.encoding, &mut self.payload)?;
                match line {
                    json::JsonLine::End => self.is_at_end = true,
                    json::JsonLine::Empty => {}
                    json::JsonLine::Cut => self.left_out.cut += 1,
                    json::JsonLine::Datagram {
                        time,
                        from,
                        to_port,
                    } => return Ok(Some((time, from, to_port))),
                }
                Ok(None)
            }
            SourceFormat::Packets(container) => {
                if !container.next(&mut self.input, &mut self.packet)? {
                    self.is_at_end = true;
                    // Datagrams that are incomplete at the end will never be complete.
                    self.left_out.fragments += self.fragments.clear();
                    return Ok(None);
                }
                let packet = &self.packet;
                let found = link_layer::packet(
                    packet,
                    &mut self.fragments,
                    &mut self.payload,
                    &mut self.left_out,
                );
                Ok(found.map(|(from, to_port)| (packet.time, from, to_port)))
            }
        }
    }
}

/// Recognises the format by its first bytes; `None` if there are none at all.
fn recognise<R: Read>(input: &mut CaptureInput<R>) -> Result<Option<SourceFormat>, Error> {
    let begin = input.fill(4)?;
    Ok(match *begin {
        [] => None,
        // The byte order mark that PowerShell and Notepad put before UTF-8.
        [0xef, 0xbb, 0xbf, ..] => {
            input.skip(3);
            Some(SourceFormat::Lines(0))
        }
        // A pcapng file begins with line ends, so that changing them shows.
        [b'{' | b'\n' | b'\r' | b' ', ..] if !begin.starts_with(b"\n\r\r\n") => {
            Some(SourceFormat::Lines(0))
        }
        // Wireshark opens compressed captures, so somebody will try one.
        [0x1f, 0x8b, ..] => return Err(Error::Wrong(sentence!("replay.gzip"))),
        [a, b, c, d, ..] => match Container::of([a, b, c, d], input)? {
            Some(container) => Some(SourceFormat::Packets(container)),
            None => return Err(Error::Wrong(sentence!("replay.no-capture"))),
        },
        _ => return Err(Error::Wrong(sentence!("replay.no-capture"))),
    })
}

#[cfg(test)]
mod tests;
