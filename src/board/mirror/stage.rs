//! Makes screens out of frames: only what one `show()` showed is shown.

use std::collections::VecDeque;

use crate::board::mirror::frame::{Frame, SEQUENCE, Step};
use crate::terminal::panel::screen::{BYTES, Screen, Text};

/// Texts kept, more than the agent keeps.
const MAX_TEXTS: usize = 64;

/// Takes frames, and shows only what one `show()` showed.
#[derive(Debug, Default)]
pub struct Stage {
    shown: Screen,
    /// As the agent's frames have it, half a show perhaps.
    next: Screen,
    /// Texts before this frame's list, from its place on.
    before: VecDeque<Text>,
    expected: Option<u8>,
    /// Whether a whole picture was ever shown.
    has_picture: bool,
    gaps: u64,
}

impl Stage {
    /// What is shown.
    #[must_use]
    pub fn shown(&self) -> &Screen {
        &self.shown
    }

    /// Whether any frame came.
    #[must_use]
    pub fn shows_anything(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether a whole picture was ever shown.
    #[must_use]
    pub fn has_picture(&self) -> bool {
        self.has_picture
    }

    /// Times that frames were missing.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Does what a frame says; true if a change of the screen is complete.
    pub fn take(&mut self, frame: &Frame<'_>) -> bool {
        if self.expected.is_some_and(|expected| expected != frame.seq) {
            self.gaps += 1;
            self.next.whole = false;
        }
        self.expected = Some((frame.seq + 1) % SEQUENCE);
        let mut complete = false;
        for step in &frame.steps {
            match step {
                Step::Key => {
                    self.next.framebuffer = [0; BYTES];
                    self.next.texts.clear();
                    self.next.whole = true;
                }
                Step::Bytes(start, bytes) => {
                    for (to, &from) in self.next.framebuffer.iter_mut().skip(*start).zip(bytes) {
                        *to = from;
                    }
                }
                &Step::Panel {
                    on,
                    inverted,
                    contrast,
                } => {
                    self.next.on = on;
                    self.next.inverted = inverted;
                    self.next.contrast = contrast;
                }
                Step::Texts => self.before = std::mem::take(&mut self.next.texts).into(),
                Step::SameText => {
                    let before = self.before.pop_front();
                    self.add(before);
                }
                &Step::Text { x, y, mode, words } => {
                    let before = self.before.pop_front();
                    let text = match words {
                        Some(words) => Some(unescape(words)),
                        None => before.map(|before| before.text),
                    };
                    self.add(text.map(|text| Text { x, y, mode, text }));
                }
                Step::Shown => {
                    self.show();
                    complete = true;
                }
            }
        }
        complete
    }

    /// A text that a lost frame would have had makes the list incomplete.
    fn add(&mut self, text: Option<Text>) {
        match text {
            Some(text) if self.next.texts.len() < MAX_TEXTS => self.next.texts.push(text),
            _ => self.next.whole = false,
        }
    }

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
        }
    }
}

/// Control characters out of their escapes.
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
    // Of a text that was cut, the last character may be there in part.
    let whole = match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    bytes.truncate(whole);
    String::from_utf8_lossy(&bytes).into_owned()
}
