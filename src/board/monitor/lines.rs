//! Splits a stream of bytes into lines of limited length, and passes on a partial line when the board pauses.

use std::time::{Duration, Instant};

use crate::datagram::Timestamp;

/// A longer line is split here.
pub(crate) const MAX_LINE: usize = 4096;

/// A partial line is passed on after this pause: a prompt, or a progress bar of dots.
pub(crate) const QUIET: Duration = Duration::from_millis(100);

/// A line, or the part of it that was not passed on yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinePiece<'a> {
    /// The line so far, without its line end.
    pub(crate) line: &'a [u8],
    /// How much of the line was passed on before.
    pub(crate) from: usize,
    /// Whether the line is complete.
    pub(crate) ends: bool,
    /// When its first byte arrived.
    pub(crate) time: Timestamp,
}

impl LinePiece<'_> {
    /// The part that was not passed on before.
    #[cfg(test)]
    pub(crate) fn new_bytes(&self) -> &[u8] {
        self.line.get(self.from..).unwrap_or_default()
    }
}

/// The incomplete line.
#[derive(Debug, Default)]
pub(crate) struct PartialLine {
    /// What has come of it.
    line: Vec<u8>,
    /// How much of the line was passed on.
    given: usize,
    /// When its first byte arrived.
    begun: Option<Timestamp>,
    /// When its last byte arrived.
    last: Option<Instant>,
}

impl PartialLine {
    /// Takes bytes that arrived at `time`, and passes on every line that they complete.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        time: Timestamp,
        mut each: impl FnMut(LinePiece<'_>),
    ) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let begun = *self.begun.get_or_insert(time);
            let room = MAX_LINE.saturating_sub(self.line.len());
            let (taken, ends, after) = match memchr::memchr(b'\n', rest) {
                Some(at) if at <= room => (at, true, at + 1),
                _ if rest.len() > room => (room, true, room),
                _ => (rest.len(), false, rest.len()),
            };
            self.line
                .extend_from_slice(rest.get(..taken).unwrap_or_default());
            rest = rest.get(after..).unwrap_or_default();
            if ends {
                // Not if the CR was already passed on: udpcli cannot take back printed text.
                if self.line.last() == Some(&b'\r') && self.given < self.line.len() {
                    self.line.pop();
                }
                each(LinePiece {
                    line: &self.line,
                    from: self.given,
                    ends: true,
                    time: begun,
                });
                self.line.clear();
                self.given = 0;
                self.begun = None;
            }
        }
        self.last = Some(Instant::now());
    }

    /// Passes on a partial line if no more bytes arrived for [`QUIET`].
    pub(crate) fn pause(&mut self, each: impl FnOnce(LinePiece<'_>)) {
        let is_quiet = self.last.is_some_and(|last| last.elapsed() >= QUIET);
        if is_quiet && self.given < self.line.len() {
            self.give(false, each);
            self.given = self.line.len();
        }
    }

    /// Passes on a partial line whose rest will not arrive.
    pub(crate) fn end(&mut self, each: impl FnOnce(LinePiece<'_>)) {
        self.give(true, each);
        self.line.clear();
        self.given = 0;
        self.begun = None;
    }

    /// Passes on what is new of the line.
    fn give(&self, ends: bool, each: impl FnOnce(LinePiece<'_>)) {
        if let Some(time) = self.begun {
            each(LinePiece {
                line: &self.line,
                from: self.given,
                ends,
                time,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fed(pieces: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let (mut lines, mut given) = (PartialLine::default(), Vec::new());
        for bytes in pieces {
            lines.feed(bytes, Timestamp::from_nanos(1), |piece| {
                given.push((piece.new_bytes().to_vec(), piece.ends));
            });
        }
        lines.end(|piece| {
            given.push((piece.new_bytes().to_vec(), piece.ends));
        });
        given
    }

    #[test]
    fn lines_end_with_either_line_end_and_partial_ones_appear_at_a_pause() {
        assert_eq!(
            fed(&[b"one\r\ntw", b"o\nthr", b"ee"]),
            [
                (b"one".to_vec(), true),
                (b"two".to_vec(), true),
                (b"three".to_vec(), true)
            ]
        );
        let mut lines = PartialLine::default();
        lines.feed(b">>> ", Timestamp::from_nanos(1), |_| panic!("no line yet"));
        lines.pause(|_| panic!("no pause yet"));
        std::thread::sleep(QUIET);
        lines.pause(|piece| assert_eq!((piece.new_bytes(), piece.ends), (&b">>> "[..], false)));
        lines.pause(|_| panic!("given out twice"));
        lines.feed(b"1+1\r\n", Timestamp::from_nanos(2), |piece| {
            assert_eq!((piece.line, piece.from), (&b">>> 1+1"[..], 4));
            assert_eq!(piece.time, Timestamp::from_nanos(1));
        });
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_no_line_is_longer_than_allowed(
            pieces in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(0xff)], 0..3000), 0..6),
        ) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let given = fed(&pieces);
            prop_assert!(given.iter().all(|(line, _)| line.len() <= MAX_LINE));
            let whole: Vec<u8> = pieces.concat().into_iter().filter(|byte| *byte != b'\n').collect();
            let came: Vec<u8> = given.into_iter().flat_map(|(line, _)| line).collect();
            prop_assert_eq!(came, whole);
        }
    }
}
