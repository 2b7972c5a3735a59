//! Texts in cells of a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// As much of a text as fits; an ellipsis marks a cut.
#[must_use]
pub(crate) fn fit(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut used = 0;
    let mut kept = String::new();
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if used + width + 1 > cells {
            break;
        }
        used += width;
        kept.push(character);
    }
    if cells > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(fit("你好", 4), "你好");
        assert_eq!(fit("你好吗", 4), "你…");
        assert_eq!(fit("abc", 0), "");
    }
}
