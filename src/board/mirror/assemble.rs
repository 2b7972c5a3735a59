//! Makes pictures from frames: only complete `show()` calls become visible.

use std::collections::VecDeque;

use crate::board::mirror::frame::{Frame, FrameOp, SEQUENCE};
use crate::terminal::panel::screen::{BYTES, DrawnText, Screen};

/// The limit for stored texts, higher than the agent's own.
const MAX_TEXTS: usize = 64;

/// Applies frames, and shows only complete `show()` calls.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// The last complete picture.
    shown: Screen,
    /// The picture according to the frames so far, perhaps an incomplete `show()`.
    next: Screen,
    /// The previous list of texts, from the current position on.
    before: VecDeque<DrawnText>,
    /// The sequence number of the next frame; `None` before the first one.
    expected: Option<u8>,
    /// Whether a whole picture was ever shown.
    has_picture: bool,
    /// How often the sequence number was another one.
    gaps: u64,
}

impl Stage {
    /// The visible picture.
    #[must_use]
    pub(crate) fn shown(&self) -> &Screen {
        &self.shown
    }

    /// Whether any frame has arrived.
    #[must_use]
    pub(crate) fn shows_anything(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether a whole picture was ever shown.
    #[must_use]
    pub(crate) fn has_picture(&self) -> bool {
        self.has_picture
    }

    /// How often frames were missing.
    #[must_use]
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Applies a frame; true if it completes a change of the picture.
    pub(crate) fn take(&mut self, frame: &Frame<'_>) -> bool {
        if self.expected.is_some_and(|expected| expected != frame.seq) {
            self.gaps += 1;
            self.next.whole = false;
        }
        self.expected = Some((frame.seq + 1) % SEQUENCE);
        let mut complete = false;
        for step in &frame.steps {
            match step {
                FrameOp::Key => {
                    self.next.framebuffer = [0; BYTES];
                    self.next.texts.clear();
                    self.next.whole = true;
                }
                FrameOp::Bytes(start, bytes) => {
                    for (to, &from) in self.next.framebuffer.iter_mut().skip(*start).zip(bytes) {
                        *to = from;
                    }
                }
                &FrameOp::Panel {
                    on,
                    inverted,
                    contrast,
                    lcd,
                } => {
                    self.next.on = on;
                    self.next.inverted = inverted;
                    self.next.contrast = contrast;
                    self.next.lcd = lcd;
                }
                // Each list is complete, so a text that is missing from it is gone.
                FrameOp::Texts => self.before = std::mem::take(&mut self.next.texts).into(),
                FrameOp::SameText => {
                    let before = self.before.pop_front();
                    self.add(before);
                }
                &FrameOp::Text { x, y, mode, words } => {
                    let before = self.before.pop_front();
                    let text = match words {
                        Some(words) => Some(unescape(words)),
                        None => before.map(|before| before.text),
                    };
                    self.add(text.map(|text| DrawnText { x, y, mode, text }));
                }
                FrameOp::Shown => {
                    self.show();
                    complete = true;
                }
            }
        }
        complete
    }

    /// Adds a text; if it was in a lost frame, the list is incomplete.
    fn add(&mut self, text: Option<DrawnText>) {
        match text {
            Some(text) if self.next.texts.len() < MAX_TEXTS => self.next.texts.push(text),
            _ => self.next.whole = false,
        }
    }

    /// The program called `show()`: makes its picture visible if nothing of it was lost.
    fn show(&mut self) {
        self.next.changes += 1;
        let (shown, next) = (&mut self.shown, &self.next);
        if next.whole {
            self.has_picture = true;
            shown.clone_from(next);
        } else {
            shown.whole = false;
            shown.changes = next.changes;
            shown.on = next.on;
            shown.inverted = next.inverted;
            shown.contrast = next.contrast;
            shown.lcd = next.lcd;
        }
    }
}

/// Replaces the escapes by control characters.
fn unescape(words: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(words.len());
    let mut words = words.iter().copied();
    while let Some(byte) = words.next() {
        bytes.push(match (byte, words.clone().next()) {
            (255, Some(escaped)) => {
                words.next();
                escaped ^ 64
            }
            _ => byte,
        });
    }
    // If a text was shortened, its last character may be incomplete.
    let whole = match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    bytes.truncate(whole);
    String::from_utf8_lossy(&bytes).into_owned()
}
