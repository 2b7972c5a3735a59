//! The content of the panel: texts with their places, and pixels.

/// Pixels across.
pub(crate) const WIDTH: usize = 128;

/// Pixels down.
pub(crate) const HEIGHT: usize = 64;

/// Pixels across the colour display of the mPython board 3.0.
pub const LCD_WIDTH: usize = 320;

/// Pixels down the colour display of the mPython board 3.0.
pub const LCD_HEIGHT: usize = 172;

/// Bytes of a page: 8 rows, one byte a column, bit 0 the top one (`MONO_VLSB`).
pub(crate) const PAGE: usize = WIDTH;

/// Bytes of the framebuffer.
pub(crate) const BYTES: usize = PAGE * HEIGHT / 8;

/// How a text was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawMode {
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

impl DrawMode {
    /// `TextMode`'s numbers, and 5 for `text()`.
    #[must_use]
    pub(crate) fn from_number(number: u8) -> Self {
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
    pub(crate) fn name(self) -> &'static str {
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
pub struct DrawnText {
    /// Column of its left edge, 0 to 127 where it is visible.
    pub x: i16,
    /// Row of its upper edge, 0 to 63 where it is visible.
    pub y: i16,
    /// How it was drawn.
    pub mode: DrawMode,
    /// The text itself, including control characters.
    pub text: String,
}

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// 8 pages of 128 bytes, `MONO_VLSB`.
    pub framebuffer: [u8; BYTES],
    /// In the order in which they were drawn.
    pub texts: Vec<DrawnText>,
    /// Whether the panel is on.
    pub on: bool,
    /// Whether the panel is inverted.
    pub inverted: bool,
    /// 0 to 255, once the program set it.
    pub contrast: Option<u8>,
    /// Whether picture and texts are those of the last `show()`; after a lost frame they are older, until a key frame
    /// comes.
    pub whole: bool,
    /// Whether this is the colour display of the mPython board 3.0: [`LCD_WIDTH`] by [`LCD_HEIGHT`] pixels, of which only the
    /// texts are known.
    pub lcd: bool,
    /// Shows and changes of the panel so far.
    pub changes: u64,
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            framebuffer: [0; BYTES],
            texts: Vec::new(),
            // As the board's driver leaves the panel after its start.
            on: true,
            inverted: false,
            contrast: None,
            whole: false,
            lcd: false,
            changes: 0,
        }
    }
}

impl Screen {
    /// Whether a pixel of the framebuffer is set; not beyond its edges.
    #[must_use]
    pub(crate) fn pixel(&self, x: usize, y: usize) -> bool {
        x < WIDTH
            && self
                .framebuffer
                .get(y / 8 * PAGE + x)
                .is_some_and(|byte| byte >> (y % 8) & 1 == 1)
    }

    /// Whether a pixel of the panel is lit, after inversion and on/off.
    #[must_use]
    pub(crate) fn is_lit(&self, x: usize, y: usize) -> bool {
        self.on && self.pixel(x, y) != self.inverted
    }
}
