//! Lines of help for a terminal. clap breaks lines only at spaces, takes Chinese characters to be as wide as Latin ones,
//! and continues an example's explanation below its command.

use unicode_width::UnicodeWidthChar as _;

use crate::cli::HELP_COLUMNS;
use crate::text::wrap::{is_wide, pieces, visible};

/// The minimum width of a text column; a narrower one moves to the left.
const LEAST: usize = 24;

/// The width of help, as clap computes it.
pub(super) fn columns() -> usize {
    let of_terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let of_environment = || std::env::var("COLUMNS").ok()?.parse().ok();
    of_terminal
        .or_else(of_environment)
        .unwrap_or(HELP_COLUMNS)
        .min(HELP_COLUMNS)
}

/// Breaks lines that are too long between Chinese characters and at spaces. Continuation lines are indented below their
/// text.
pub(super) fn wrap(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        wrap_line(line, columns, &mut out);
    }
    out
}

/// Appends a line, wrapped if it is too long.
fn wrap_line(line: &str, columns: usize, out: &mut String) {
    // clap leaves spaces in the empty lines between paragraphs.
    let text = line.trim_end_matches(['\n', ' ']);
    let ending = if line.ends_with('\n') { "\n" } else { "" };
    let pieces = pieces(text);
    let width: usize = pieces.iter().map(|piece| piece.width + piece.spaces).sum();
    if width <= columns {
        out.push_str(text);
        out.push_str(ending);
        return;
    }
    let indent = indent(text, columns);
    let mut column = 0;
    for piece in pieces {
        if column > indent && column + piece.width > columns {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        out.push_str(piece.text);
        column += piece.width + piece.spaces;
    }
    out.push_str(ending);
}

/// Replaces clap's colon after Chinese text with the Chinese one, and removes the space after it.
pub(super) fn with_wide_colons(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = '\n';
    let mut in_sequence = false;
    for character in text.chars() {
        in_sequence |= character == '\x1b';
        if in_sequence {
            in_sequence = !character.is_ascii_alphabetic();
            out.push(character);
            continue;
        }
        let ours = match character {
            // Not in an address such as ::.
            ':' if is_wide(before) && before.is_alphabetic() => '：',
            _ => character,
        };
        if !(character == ' ' && before == '：') {
            out.push(ours);
        }
        before = ours;
    }
    out
}

/// The indent of continuation lines: below the line's text, after a flag or an example.
fn indent(line: &str, columns: usize) -> usize {
    let mut leading = 0;
    let mut spaces = 0;
    let mut begun = false;
    let mut column = 0;
    let mut dash = false;
    for (_, character) in visible(line) {
        let width = character.width().unwrap_or(0);
        if character == ' ' {
            spaces += 1;
        } else {
            if !begun {
                leading = column;
                begun = true;
                dash = character == '-';
            } else if spaces >= 2 && column + LEAST <= columns {
                return column;
            } else if dash && spaces == 1 && column == leading + 2 {
                // A value in a list.
                leading = column;
            }
            spaces = 0;
        }
        column += width;
    }
    leading
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn a_long_line_goes_on_below_its_text() {
        let line = "  -n, --count <N>  消息发送的次数 [默认值：1；教程消息不停地发送]\n";
        assert_eq!(
            wrap(line, 46),
            "  -n, --count <N>  消息发送的次数 [默认值：1；\n                   教程消息不停地发送]\n"
        );
        let value = "          - text: 每个数据报一行：时间、对方、长度和转义后的文本\n";
        assert_eq!(
            wrap(value, 40),
            "          - text: 每个数据报一行：时间、\n            对方、长度和转义后的文本\n"
        );
        assert_eq!(wrap("一行\n   \n另一行\n", 40), "一行\n\n另一行\n");
        let spaced = "  a          很宽\n";
        assert_eq!(wrap(spaced, 14), "  a\n  很宽\n");
    }

    #[test]
    fn colours_have_no_width_and_stay_with_their_text() {
        let line = "  \x1b[1m--lines\x1b[0m  一行一个数据报，从标准输入或者文件读取\n";
        let wrapped = wrap(line, 38);
        assert_eq!(
            wrapped,
            "  \x1b[1m--lines\x1b[0m  一行一个数据报，从标准输入\n           或者文件读取\n"
        );
    }

    #[test]
    fn no_line_begins_with_a_mark_that_closes() {
        let text = "数据报，（你好）。每个：字；都？是！这样、的》”\n"
            .repeat(3)
            .replace('\n', "");
        for columns in 6..60 {
            for line in wrap(&text, columns).lines() {
                assert!(line.width() <= columns + 6, "{line}");
                assert!(
                    !line.starts_with(['，', '。', '）', '：', '；', '？', '！', '、', '》', '”']),
                    "{line}"
                );
            }
        }
    }
}
