//! The picture as a line of JSON; `docs/oled.schema.json` describes it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::render::json::string;
use crate::terminal::panel::screen::{DrawMode, Screen};
use crate::text::escape::Audience;

/// One object without a line ending; contains the framebuffer only on request.
#[must_use]
pub(crate) fn line(screen: &Screen, with_framebuffer: bool) -> String {
    let mut line = String::from("{\"texts\":[");
    // Writing to a String cannot fail.
    for (index, text) in screen.texts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Always escape for a terminal: every JSON parser accepts the escapes, so it does not matter where the line
        // goes.
        let mut words = Vec::new();
        string(&text.text, Audience::Terminal, &mut words);
        let words = String::from_utf8_lossy(&words);
        let _ = write!(
            line,
            "{comma}{{\"x\":{},\"y\":{},\"text\":{words}",
            text.x, text.y
        );
        if text.mode != DrawMode::Normal {
            let _ = write!(line, ",\"mode\":\"{}\"", text.mode.name());
        }
        line.push('}');
    }
    let _ = write!(
        line,
        "],\"on\":{},\"inverted\":{}",
        screen.on, screen.inverted
    );
    if let Some(contrast) = screen.contrast {
        let _ = write!(line, ",\"contrast\":{contrast}");
    }
    if screen.lcd {
        line.push_str(",\"display\":\"lcd\"");
    }
    if !screen.whole {
        line.push_str(",\"incomplete\":true");
    }
    // A colour display sends no picture.
    if with_framebuffer && !screen.lcd {
        let _ = write!(
            line,
            ",\"framebuffer\":\"{}\"",
            STANDARD.encode(screen.framebuffer)
        );
    }
    line.push('}');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::panel::screen::DrawnText;

    #[test]
    fn a_line_has_the_texts_and_their_places() {
        let mut screen = Screen {
            whole: true,
            ..Screen::default()
        };
        let text = |x, y, mode, text: &str| DrawnText {
            x,
            y,
            mode,
            text: text.to_owned(),
        };
        screen.texts.push(text(0, 15, DrawMode::Normal, "hello"));
        assert_eq!(
            line(&screen, false),
            r#"{"texts":[{"x":0,"y":15,"text":"hello"}],"on":true,"inverted":false}"#
        );
        screen
            .texts
            .push(text(-3, 31, DrawMode::Xor, "\u{1b}\"你\u{9b}\u{202e}"));
        screen.contrast = Some(128);
        screen.whole = false;
        assert_eq!(
            line(&screen, true),
            format!(
                r#"{{"texts":[{{"x":0,"y":15,"text":"hello"}},{{"x":-3,"y":31,"text":"\u001b\"你\u009b\u202e","mode":"xor"}}],"on":true,"inverted":false,"contrast":128,"incomplete":true,"framebuffer":"{}"}}"#,
                "A".repeat(1364) + "AA=="
            )
        );
    }
}
