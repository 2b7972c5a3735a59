//! Mirrors the board's OLED on the PC: an agent on the board reports each `show()` in frames between the program's
//! output.
//!
//! - [`agent`] is the code that runs before the user's program; [`attach`] sends it.
//! - [`demux`] separates its frames from the program's output, [`frame`] parses them, [`assemble`] makes pictures from
//!   them.
//! - [`json`] and [`picture_file`] write the picture as a line and as a file; `gallery` those of several boards.

pub mod agent;
pub(crate) mod assemble;
pub(crate) mod attach;
pub(crate) mod demux;
pub(crate) mod display_use;
pub mod frame;
pub(crate) mod gallery;
pub(crate) mod json;
pub(crate) mod picture_file;

use assemble::Stage;
use demux::{Demux, DemuxedFrame};
use frame::Frame;

use crate::terminal::panel::screen::Screen;

/// Separates the board's output into the program's output and the picture.
#[derive(Debug, Default)]
pub struct Mirror {
    /// Finds the frames.
    demux: Demux,
    /// Makes pictures of the frames.
    stage: Stage,
    /// How many frames were damaged.
    garbled: u64,
}

impl Mirror {
    /// A mirror that has received nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the board in chunks of any size: appends the program's own to `output` unchanged, and reports
    /// each change of the picture.
    pub fn feed(&mut self, bytes: &[u8], output: &mut Vec<u8>, mut changed: impl FnMut(&Screen)) {
        let Self {
            demux,
            stage,
            garbled,
        } = self;
        demux.feed(bytes, output, |piece| match piece {
            DemuxedFrame::Garbled => *garbled += 1,
            DemuxedFrame::Frame(frame) => match Frame::parse(frame) {
                Some(frame) => {
                    if stage.take(&frame) {
                        changed(stage.shown());
                    }
                }
                None => *garbled += 1,
            },
        });
    }

    /// The output has ended: text that only began like a frame goes to `output`. A partial frame is dropped and does
    /// not count as damaged.
    pub fn finish(&mut self, output: &mut Vec<u8>) {
        self.demux.finish(output);
    }

    /// The current picture.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        self.stage.shown()
    }

    /// Whether the agent has reported, so there is a display that it watches.
    #[must_use]
    pub(crate) fn is_attached(&self) -> bool {
        self.stage.shows_anything()
    }

    /// Damaged frames and gaps; a higher number means a new loss.
    #[must_use]
    pub(crate) fn losses(&self) -> u64 {
        self.garbled + self.gaps()
    }

    /// Whether any frame arrived, even a damaged one.
    #[must_use]
    pub(crate) fn has_heard(&self) -> bool {
        self.is_attached() || self.garbled > 0
    }

    /// Whether a whole picture has arrived: there is none before the program's first `show()`.
    #[must_use]
    pub(crate) fn has_picture(&self) -> bool {
        self.stage.has_picture()
    }

    /// The number of damaged frames.
    #[must_use]
    pub fn garbled(&self) -> u64 {
        self.garbled
    }

    /// How often frames were missing between two that arrived.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.stage.gaps()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::board::mirror::frame::tests::{encode, frames};

    fn all(pieces: &[&[u8]]) -> (Vec<u8>, Screen, u64, Vec<Screen>) {
        let mut mirror = Mirror::new();
        let (mut output, mut seen) = (Vec::new(), Vec::new());
        for piece in pieces {
            mirror.feed(piece, &mut output, |screen| seen.push(screen.clone()));
            assert!(mirror.demux.held() <= frame::MAX_LEN);
        }
        mirror.finish(&mut output);
        (output, mirror.screen().clone(), mirror.garbled(), seen)
    }

    proptest! {
        #[test]
        fn any_bytes_are_accepted_and_at_most_a_frame_is_buffered(
            pieces in prop::collection::vec(prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec(prop::sample::select(&b"\x1b_U\\ !\"\xe0\xec\r\n"[..]), 0..200),
                frames(),
            ], 0..8)
        ) {
            let whole = pieces.concat();
            let one = all(&[&whole]);
            let bytes: Vec<&[u8]> = whole.chunks(1).collect();
            prop_assert_eq!(&all(&bytes), &one);
            let split: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(&all(&split), &one);
        }

        #[test]
        fn output_without_frames_is_unchanged(text in "[^\u{1b}]*(\u{1b}[^_]{1,9}[^\u{1b}]*)*") {
            let (output, _, garbled, _) = all(&[text.as_bytes()]);
            prop_assert_eq!(output, text.as_bytes());
            prop_assert_eq!(garbled, 0);
        }
    }

    #[test]
    fn frames_and_prints_are_separated() {
        // Key, page 0, one plain byte; end.
        let first = encode(0, &[169, 159, 0, 5, 170]);
        // In page 0 one byte stays, and one follows as two symbols: 190, and 32 more.
        let second = encode(1, &[159, 64, 0, 255 - 65, 32, 170]);
        let bytes = [
            b"a line bro",
            &first[..],
            b"ken \x1b[1m",
            &second,
            b"\x1b_mine\x1b\\ in two\r\n",
        ]
        .concat();
        let (output, screen, garbled, seen) = all(&[&bytes]);
        assert_eq!(output, b"a line broken \x1b[1m\x1b_mine\x1b\\ in two\r\n");
        assert_eq!((garbled, seen.len(), screen.whole), (0, 2, true));
        assert_eq!(screen.framebuffer.get(..3), Some(&[5, 222, 0][..]));
    }

    #[test]
    fn a_damaged_frame_keeps_the_last_picture_until_a_key_frame() {
        let key = encode(0, &[169, 159, 0, 5, 170]);
        let mut delta = encode(1, &[159, 0, 6, 170]);
        delta[8] ^= 1;
        let next = encode(2, &[159, 0, 7, 170]);
        let (output, screen, garbled, _) = all(&[&key, &delta, b"text", &next]);
        assert_eq!(output, b"text");
        assert_eq!(
            (garbled, screen.whole, screen.framebuffer[0]),
            (1, false, 5)
        );
        let repair = encode(3, &[169, 159, 0, 7, 170]);
        let (_, screen, _, _) = all(&[&key, &delta, &next, &repair]);
        assert_eq!((screen.whole, screen.framebuffer[0]), (true, 7));
    }

    #[test]
    fn a_partial_frame_at_the_end_is_not_damaged() {
        let key = encode(0, &[169, 159, 0, 5, 170]);
        // With three bytes, a frame cannot be recognised yet.
        for len in 4..key.len() {
            let (output, _, garbled, _) = all(&[b"text", &key[..len]]);
            assert_eq!((output.as_slice(), garbled), (&b"text"[..], 0), "{len}");
        }
    }

    #[test]
    fn a_frame_cut_by_a_print_loses_only_itself() {
        let key = encode(0, &[169, 159, 0, 5, 170]);
        let cut = [&key[..key.len() - 4], b"\r\nTraceback\r\n", &key].concat();
        let (output, screen, garbled, _) = all(&[&cut]);
        assert_eq!(output, b"\r\nTraceback\r\n");
        assert_eq!((garbled, screen.whole), (1, true));
        // A lost byte, an extra byte, a damaged terminator.
        for (bytes, counted) in [
            ([&key[..7], &key[8..]].concat(), 1),
            ([&key[..7], b"x", &key[7..]].concat(), 1),
            ([&key[..key.len() - 2], b"x\\"].concat(), 0),
            ([&key[..key.len() - 1], b"x"].concat(), 0),
        ] {
            let (output, _, garbled, _) = all(&[&[&bytes[..], b"print\n"].concat()]);
            assert_eq!(
                (output.as_slice(), garbled),
                (&b"print\n"[..], counted),
                "{bytes:?}"
            );
        }
    }
}
