//! The agent's code, compressed. docs/protocol.md specifies its frames.

use crate::board::deflate::deflate;
use crate::board::literal;

/// The agent for the maker's firmware, and for Mixly's: `scripts/mirror.py`, minified.
const MPYTHON: &str = include_str!("../scripts/minified/mirror_mpython.py");
/// The same agent with another object to hook.
const MIXLY: &str = include_str!("../scripts/minified/mirror_mixly.py");

/// The agent for the board 3.0, which reports texts only.
const LCD: &str = include_str!("../scripts/minified/mirror_lcd.py");

/// Inflates and runs its argument.
const UNPACK: &str = include_str!("../scripts/minified/unpack.py");

/// [`FINISH`] for the board 3.0.
pub(crate) const FINISH_LCD: &str =
    "try:__import__('lv_oled').OLED._udp()\nexcept Exception:pass\n";

/// Runs on the board after the user's program: sends the last shown picture again.
pub const FINISH: &str = include_str!("../scripts/minified/last_picture.py");

/// The display object in the firmware's module `mpython`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// `oled`: the maker's firmware.
    Oled,
    /// `onboard_oled`: Mixly's firmware for the same board.
    OnboardOled,
    /// The colour display of the board 3.0, by the class `OLED` of its module `lv_oled`.
    Lcd,
}

/// What the agent reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OledReport {
    /// Texts and picture.
    Everything,
    /// Only texts, which take a third of the bytes.
    Texts,
}

/// The code to run on the board before the user's program.
#[must_use]
pub(crate) fn source(report: OledReport, display: Display) -> String {
    let script = match display {
        Display::Oled => MPYTHON,
        Display::OnboardOled => MIXLY,
        Display::Lcd => LCD,
    };
    // The length of the picture; with -1, the agent examines and sends no page.
    let picture = match report {
        OledReport::Everything => 1024,
        OledReport::Texts => -1,
    };
    format!("{script}_u({picture})\ndel _u\n")
}

/// Like [`source`], but compressed, with code that inflates and runs it: less than 2 KB on the line.
///
/// It raises `ImportError` on firmware that cannot inflate.
#[must_use]
pub fn packed(report: OledReport, display: Display) -> Vec<u8> {
    /// The window size in bits, the same on both sides.
    // 1 KiB: the agent must leave the board's memory to the program.
    const WINDOW: u8 = 10;
    let source = source(report, display);
    let Some(deflated) = deflate(source.as_bytes(), WINDOW) else {
        // Compressing into memory fails only by an error in zlib itself.
        return source.into_bytes();
    };
    let mut code = format!("{UNPACK}_u(").into_bytes();
    literal::append_bytes(&deflated, &mut code);
    code.extend(b")\n");
    code
}

/// Whether a program may use the OLED, judged by its text.
#[must_use]
pub(crate) fn is_of_use_to(program: &[u8]) -> bool {
    [&b"mpython"[..], b"oled"]
        .iter()
        .any(|word| memchr::memmem::find(program, word).is_some())
}

/// Whether a program draws with the module `lv_oled` of the board 3.0, judged by its text. Only then does udpcli import
/// the module, because the import switches the colour display over to LVGL. Whether it is frozen or a file makes no difference to the import.
#[must_use]
pub(crate) fn draws_on_lcd(program: &[u8]) -> bool {
    memchr::memmem::find(program, b"lv_oled").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_takes_less_than_three_kilobytes() {
        // The agent for Mixly handles more text functions.
        for (display, most, most_packed) in [
            (Display::Oled, 3000, 2000),
            (Display::OnboardOled, 3500, 2250),
            (Display::Lcd, 1500, 1200),
        ] {
            for report in [OledReport::Everything, OledReport::Texts] {
                let source = source(report, display);
                println!("{display:?}: {} bytes", source.len());
                assert!(source.len() < most, "{display:?}: {} bytes", source.len());
                assert!(source.is_ascii());
            }
            let packed = packed(OledReport::Everything, display).len();
            println!("{display:?}: {packed} bytes packed");
            assert!(packed < most_packed, "{display:?}: {packed} bytes packed");
            assert_ne!(
                source(OledReport::Texts, display),
                source(OledReport::Everything, display),
                "{display:?}"
            );
        }
    }
}
