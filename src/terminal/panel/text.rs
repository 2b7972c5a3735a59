//! Texts in rows of cells, each roughly at its place on the panel.
//!
//! `DispChar`'s glyphs are 16 pixels high, Chinese ones 16 wide, Latin ones 4 to 9 (Noto Sans CJK); `text()`'s are 8 by 8.

use unicode_width::UnicodeWidthChar as _;

use crate::terminal::panel::screen::{
    DrawMode, DrawnText, HEIGHT, LCD_HEIGHT, LCD_WIDTH, Screen, WIDTH,
};
use crate::terminal::sanitize;

/// Terminal cells across: 128 pixels of 6-pixel glyphs, and every IPv4 address with its port. A Chinese glyph takes two
/// cells for its 16 pixels.
pub(crate) const COLUMNS: usize = 21;

/// Terminal cells across the colour display of the board 3.0: 13 Chinese glyphs of 24 pixels.
const LCD_COLUMNS: usize = 26;

/// The height of a line of text on that display.
const LCD_LINE: i16 = 32;

/// Terminal cells across this screen.
#[must_use]
pub(crate) fn columns(screen: &Screen) -> usize {
    if screen.lcd { LCD_COLUMNS } else { COLUMNS }
}

/// Replaces characters that the font lacks.
pub(crate) const MISSING: char = '□';

/// The character, if a terminal shows it as itself.
#[must_use]
pub(crate) fn glyph(character: char) -> char {
    let has_shape = character.width().is_some_and(|width| width > 0) && !sanitize::acts(character);
    if has_shape { character } else { MISSING }
}

/// One cell: its text, and whether it is reversed; empty for the second half of a wide character.
type Cell = (Option<char>, bool);

/// The texts as rows, [`columns`] cells each: four rows of 16 pixels, or eight of 8 where there is small print. The colour
/// display has five of 32.
#[must_use]
pub(crate) fn rows(screen: &Screen, color: bool) -> Vec<String> {
    let is_small = screen.texts.iter().any(|text| text.mode == DrawMode::Small);
    let (height, count) = match (screen.lcd, is_small) {
        (true, _) => (LCD_LINE, LCD_HEIGHT / LCD_LINE.unsigned_abs() as usize),
        (false, true) => (8, HEIGHT / 8),
        (false, false) => (16, HEIGHT / 16),
    };
    let mut grid = vec![vec![(Some(' '), false); columns(screen)]; count];
    for text in screen.texts.iter().filter(|_| screen.on) {
        // The row that contains most of the text. A text above the panel gets a negative row and is not drawn.
        let row = text.y.saturating_add(height / 2).div_euclid(height);
        if let Some(row) = usize::try_from(row).ok().and_then(|row| grid.get_mut(row)) {
            let width = if screen.lcd { LCD_WIDTH } else { WIDTH };
            place(text, row, width);
        }
    }
    grid.iter()
        .map(|row| line(row, color && screen.inverted, color))
        .collect()
}

/// Writes a text into its row. An ellipsis marks a cut, because half an address looks like a complete one.
fn place(text: &DrawnText, row: &mut [Cell], width: usize) {
    // The font has no glyph for a line ending.
    let glyphs = || {
        let shown = text
            .text
            .chars()
            .filter(|&c| c != '\r' && c != '\n')
            .map(glyph);
        shown.map(|glyph| {
            (
                glyph,
                i32::try_from(glyph.width().unwrap_or(1)).unwrap_or(1),
            )
        })
    };
    let columns = i32::try_from(row.len()).unwrap_or(i32::MAX);
    let mut at = (i32::from(text.x) * columns).div_euclid(i32::try_from(width).unwrap_or(1));
    let is_reversed = text.mode == DrawMode::Reverse;
    // Measured before anything is written, because the ellipsis needs a cell of its own.
    let overflows = at + glyphs().map(|(_, width)| width).sum::<i32>() > columns;
    let end = columns - i32::from(overflows);
    for (glyph, width) in glyphs() {
        if at + width > end {
            break;
        }
        for offset in 0..width {
            put(
                row,
                at + offset,
                ((offset == 0).then_some(glyph), is_reversed),
            );
        }
        at += width;
    }
    if overflows && at <= end {
        put(row, at.max(0), (Some('…'), is_reversed));
    }
}

/// Sets a cell; if it was half of a wide character, removes the other half, too.
fn put(row: &mut [Cell], at: i32, cell: Cell) {
    let Ok(at) = usize::try_from(at) else { return };
    if let Some(next @ (None, _)) = row.get_mut(at + 1)
        && cell.0.is_some()
    {
        *next = (Some(' '), next.1);
    }
    if let Some(old) = row.get_mut(at) {
        let was_second_half = old.0.is_none();
        *old = cell;
        // Half of a wide character cannot be drawn; the terminal would shift the rest of the row.
        if was_second_half
            && cell.0.is_some()
            && let Some(first) = at.checked_sub(1).and_then(|before| row.get_mut(before))
        {
            first.0 = Some(' ');
        }
    }
    // A wide character whose first half is beyond the left edge.
    if at == 0
        && let Some(first @ (None, _)) = row.first_mut()
    {
        first.0 = Some(' ');
    }
}

/// A row as a line; reversed cells in reverse video where there is colour.
fn line(row: &[Cell], inverted: bool, color: bool) -> String {
    let mut line = String::new();
    let mut reverse = false;
    for &(glyph, is_reversed) in row {
        let wanted = color && is_reversed != inverted;
        if let Some(glyph) = glyph {
            if wanted != reverse {
                line.push_str(if wanted { "\x1b[7m" } else { "\x1b[27m" });
                reverse = wanted;
            }
            line.push(glyph);
        }
    }
    if reverse {
        line.push_str("\x1b[27m");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(texts: &[(i16, i16, DrawMode, &str)]) -> Vec<String> {
        let texts = texts.iter().map(|&(x, y, mode, text)| DrawnText {
            x,
            y,
            mode,
            text: text.to_owned(),
        });
        let screen = Screen {
            texts: texts.collect(),
            ..Screen::default()
        };
        rows(&screen, false)
            .iter()
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn texts_stand_where_they_were_drawn() {
        let normal = DrawMode::Normal;
        assert_eq!(
            shown(&[
                (0, 0, normal, "a"),
                (64, 0, normal, "b"),
                (0, 15, normal, "你好"),
                (122, 48, normal, "c")
            ]),
            ["a         b", "你好", "", "                    c"]
        );
        // Small print makes eight rows.
        assert_eq!(
            shown(&[
                (0, 0, DrawMode::Small, "one"),
                (0, 8, DrawMode::Small, "two")
            ])[..3],
            ["one", "two", ""]
        );
        // Off the panel, or partly.
        assert_eq!(
            shown(&[
                (0, -16, normal, "x"),
                (0, 64, normal, "x"),
                (-12, 0, normal, "你好")
            ])[0],
            "好"
        );
        assert_eq!(shown(&[(-6, 0, normal, "你好")])[0], " 好");
    }

    #[test]
    fn the_colour_display_has_five_rows_of_32_pixels() {
        let text = |x, y, text: &str| DrawnText {
            x,
            y,
            mode: DrawMode::Normal,
            text: text.to_owned(),
        };
        let screen = Screen {
            lcd: true,
            texts: vec![
                text(0, 0, "192.168.0.20:6000"),
                text(10, 42, "你好"),
                text(160, 64, "right"),
                text(0, 128, "一二三四五六七八九十百千万"),
            ],
            ..Screen::default()
        };
        let rows = rows(&screen, false);
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        assert_eq!(
            rows,
            [
                "192.168.0.20:6000",
                "你好",
                "             right",
                "",
                "一二三四五六七八九十百千万"
            ]
        );
    }

    #[test]
    fn later_texts_cover_earlier_ones() {
        let normal = DrawMode::Normal;
        assert_eq!(
            shown(&[(0, 0, normal, "你好"), (0, 0, normal, "a")])[0],
            "a 好"
        );
        assert_eq!(
            shown(&[(0, 0, normal, "你好"), (7, 0, normal, "a")])[0],
            " a好"
        );
    }

    #[test]
    fn reversed_text_is_reversed_where_there_is_colour() {
        let mut screen = Screen::default();
        screen.texts.push(DrawnText {
            x: 0,
            y: 0,
            mode: DrawMode::Reverse,
            text: "ab".into(),
        });
        let row = |screen: &Screen, color| rows(screen, color)[0].clone();
        assert_eq!(
            row(&screen, true),
            format!("\x1b[7mab\x1b[27m{}", " ".repeat(19))
        );
        assert_eq!(row(&screen, false), format!("ab{}", " ".repeat(19)));
        screen.on = false;
        assert_eq!(row(&screen, false), " ".repeat(21));
    }
}
