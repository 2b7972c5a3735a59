//! The board's screen: what its `show()` calls amount to.

use std::collections::VecDeque;

use crate::board::mirror::frame::{Frame, SEQUENCE, Step};

/// Pixels across.
pub const WIDTH: usize = 128;

/// Pixels down.
pub const HEIGHT: usize = 64;

/// Bytes of a page: 8 rows, one byte a column, bit 0 the top one (`MONO_VLSB`).
pub const PAGE: usize = WIDTH;

/// Bytes of the framebuffer.
pub const BYTES: usize = PAGE * HEIGHT / 8;

/// Texts kept, more than the agent keeps.
const MAX_TEXTS: usize = 64;

/// How a text was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// White on black, 16 pixels high.
    Normal,
    /// Black on white.
    Reverse,
    /// White, the background as it was.
    Transparent,
    /// White and black exchanged where it is drawn.
    Xor,
    /// `framebuf`'s own font: white, 8 by 8 pixels.
    Small,
}

impl Mode {
    /// `TextMode`'s numbers, and 5 for `text()`.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            2 => Self::Reverse,
            3 => Self::Transparent,
            4 => Self::Xor,
            5 => Self::Small,
            _ => Self::Normal,
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Reverse => "rev",
            Self::Transparent => "trans",
            Self::Xor => "xor",
            Self::Small => "small",
        }
    }
}

/// A text on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Column of its left edge, 0 to 127 where it is visible.
    pub x: i16,
    /// Row of its upper edge, 0 to 63 where it is visible.
    pub y: i16,
    /// How it was drawn.
    pub mode: Mode,
    /// What it says, control characters and all.
    pub text: String,
}

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// 8 pages of 128 bytes, `MONO_VLSB`.
    pub framebuffer: [u8; BYTES],
    /// In the order in which they were drawn.
    pub texts: Vec<Text>,
    /// Whether the panel is on.
    pub on: bool,
    /// Whether it shows black for white.
    pub inverted: bool,
    /// 0 to 255, once the program set it.
    pub contrast: Option<u8>,
    /// Whether picture and texts are those of the last `show()`; they are an earlier one's while a lost frame waits for
    /// a key frame.
    pub whole: bool,
    /// Shows and changes of the panel so far.
    pub changes: u64,
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            framebuffer: [0; BYTES],
            texts: Vec::new(),
            on: true,
            inverted: false,
            contrast: None,
            whole: false,
            changes: 0,
        }
    }
}

impl Screen {
    /// Whether a pixel of the framebuffer is set; not beyond its edges.
    #[must_use]
    pub fn pixel(&self, x: usize, y: usize) -> bool {
        x < WIDTH
            && self
                .framebuffer
                .get(y / 8 * PAGE + x)
                .is_some_and(|byte| byte >> (y % 8) & 1 == 1)
    }

    /// Whether a pixel of the panel is lit: inverted, and off, as the program has it.
    #[must_use]
    pub fn is_lit(&self, x: usize, y: usize) -> bool {
        self.on && self.pixel(x, y) != self.inverted
    }
}

/// Takes frames, and shows only what one `show()` showed.
#[derive(Debug, Default)]
pub struct Stage {
    shown: Screen,
    /// As the agent's frames have it, half a show perhaps.
    next: Screen,
    /// Texts before this frame's list, from its place on.
    before: VecDeque<Text>,
    expected: Option<u8>,
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
    String::from_utf8_lossy(&bytes).into_owned()
}
