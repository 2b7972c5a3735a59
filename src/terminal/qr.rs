//! A QR code, for a phone to read from the terminal.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

use super::{Size, has_unicode};

/// Modules of white around the code, which readers need (ISO/IEC 18004).
const QUIET: usize = 4;

/// The code of a short text, two modules to a cell; `None` if the terminal is too narrow for it. Without colour the
/// light modules are drawn, because most terminals are dark; on a light terminal the code is inverted, which readers
/// accept, too.
#[must_use]
pub(crate) fn lines(text: &str, size: Size, has_color: bool) -> Option<Vec<String>> {
    // The lowest level makes the smallest code: a terminal has few cells, and a screen has no dirt.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let modules = code.width();
    let colors = code.to_colors();
    let width = modules + 2 * QUIET;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < modules);
        inside(x)
            .zip(inside(y))
            .is_some_and(|(x, y)| colors.get(y * modules + x) == Some(&Color::Dark))
    };
    // A cell is about twice as high as wide. Without half-blocks, two cells beside each other make a square.
    let cells = if has_unicode() { 1 } else { 2 };
    if width * cells > size.columns {
        return None;
    }
    // Black on white, whatever the terminal's colours are.
    let (begin, end) = if has_color {
        ("\x1b[38;5;231;48;5;16m", "\x1b[0m")
    } else {
        ("", "")
    };
    let line = |y: usize| {
        let row: String = (0..width)
            .map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
                (false, false) => '█',
                (false, true) => '▀',
                (true, false) => '▄',
                (true, true) => ' ',
            })
            .collect();
        format!("{begin}{row}{end}")
    };
    let ascii = |y: usize| {
        let row: String = (0..width)
            .map(|x| if is_dark(x, y) { "  " } else { "##" })
            .collect();
        format!("{begin}{row}{end}")
    };
    Some(if has_unicode() {
        (0..width).step_by(2).map(line).collect()
    } else {
        (0..width).map(ascii).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_has_no_room_for_a_code() {
        let size = |columns| Size { columns, rows: 24 };
        assert_eq!(lines("192.168.0.10:6000", size(20), false), None);
        let code = lines("192.168.0.10:6000", size(80), false).unwrap();
        assert!(
            code.iter()
                .all(|row| row.chars().count() == code[0].chars().count())
        );
    }
}
