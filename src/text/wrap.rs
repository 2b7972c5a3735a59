//! Where a line of text may be broken: at spaces and between Chinese characters, counted in the columns of a terminal.

use unicode_width::UnicodeWidthChar as _;

/// An unbreakable part, and the spaces after it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unbroken<'a> {
    /// The text, with the escape sequences before it.
    pub(crate) text: &'a str,
    /// Columns without the spaces.
    pub(crate) width: usize,
    /// The spaces after the text, which disappear at the end of a line.
    pub(crate) spaces: usize,
}

/// The line, cut wherever it may be broken.
pub(crate) fn pieces(line: &str) -> Vec<Unbroken<'_>> {
    let mut pieces = Vec::new();
    let mut piece = Unbroken::default();
    let mut start = 0;
    let mut before: Option<char> = None;
    // Whether the part so far is a number: a port's name may end in a digit, too.
    let mut is_number = true;
    for (at, character) in visible(line) {
        // A number stays with its measure word: `0 个`.
        let is_counted = piece.spaces == 1 && piece.width > 0 && is_number && is_wide(character);
        if !is_counted && before.is_some_and(|before| may_break(before, character)) {
            piece.text = line.get(start..at).unwrap_or_default();
            pieces.push(std::mem::take(&mut piece));
            start = at;
            is_number = true;
        }
        match character {
            ' ' => piece.spaces += 1,
            _ => {
                piece.width += std::mem::take(&mut piece.spaces) + character.width().unwrap_or(0);
                is_number &= character.is_ascii_digit() || matches!(character, '.' | ',');
            }
        }
        before = Some(character);
    }
    piece.text = line.get(start..).unwrap_or_default();
    pieces.push(piece);
    pieces
}

/// The characters that are not part of an escape sequence. An escape sequence belongs to the character that follows it.
pub(crate) fn visible(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut in_sequence = false;
    let mut begun = None;
    line.char_indices().filter_map(move |(at, character)| {
        if character == '\x1b' {
            in_sequence = true;
            // Several sequences in a row belong to the same character, so the first one counts.
            begun.get_or_insert(at);
            return None;
        }
        if in_sequence {
            // Colours end with `m`: udpcli's own messages have no other sequences.
            in_sequence = !character.is_ascii_alphabetic();
            return None;
        }
        Some((begun.take().unwrap_or(at), character))
    })
}

/// Whether a character takes two columns.
pub(crate) fn is_wide(character: char) -> bool {
    character.width() == Some(2)
}

/// Whether a line may end between these two.
fn may_break(before: char, after: char) -> bool {
    // Spaces stay with the word before them: at the end of a line they disappear.
    if after == ' ' {
        return false;
    }
    if before == ' ' {
        return true;
    }
    // The rules of Chinese typesetting: no line begins with a closing mark, and none ends with an opening one.
    let opens = "（《“‘[([{</".contains(before);
    let closes = "，。；：？！、）》”’…—)]}>,.;:/".contains(after);
    (is_wide(before) || is_wide(after)) && !opens && !closes
}

/// Breaks a message that is wider than a terminal. The rest is indented. An address, a flag with its value and a command
/// stay in one piece, so that people can copy them; the terminal breaks those that are wider than itself.
pub(crate) fn message(line: &str, columns: usize, indent: usize) -> String {
    let pieces = pieces(line);
    let width: usize = pieces.iter().map(|piece| piece.width + piece.spaces).sum();
    // On so narrow a terminal the indent would leave no room for the text.
    if width <= columns || columns <= 2 * indent {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 16);
    let mut column = 0;
    let mut rest = pieces.as_slice();
    while !rest.is_empty() {
        let room = columns - indent;
        // Prefer to keep a whole clause on one line. A command stays in one piece even if it is wider than the line.
        let count = [until_clause_ends(rest), until_command_ends(rest)]
            .into_iter()
            .find(|count| columns_of(rest, *count) <= room)
            .unwrap_or_else(|| until_command_ends(rest));
        let width = columns_of(rest, count);
        if column > indent && column + width > columns {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        for piece in now {
            out.push_str(piece.text);
            column += piece.width + piece.spaces;
        }
        rest = later;
    }
    out
}

/// Breaks each of the lines, as [`message()`] does.
pub(crate) fn messages(lines: &str, columns: usize, indent: usize) -> String {
    lines
        .split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => message(line, columns, indent) + "\n",
            None => message(line, columns, indent),
        })
        .collect()
}

/// The rows of a message in a box: ratatui breaks only what is wider than the box, and lets the last wide character of such
/// a row stand one column beyond it.
pub(crate) fn rows(text: &str, columns: usize) -> Vec<String> {
    let broken = messages(text, columns, 0);
    broken.lines().map(str::to_owned).collect()
}

/// The columns of the first `count` pieces, without the spaces behind the last.
fn columns_of(pieces: &[Unbroken<'_>], count: usize) -> usize {
    let all = pieces.iter().take(count);
    let last = pieces.get(count.saturating_sub(1));
    all.map(|piece| piece.width + piece.spaces).sum::<usize>()
        - last.map_or(0, |piece| piece.spaces)
}

/// Programs whose command lines messages contain.
const PROGRAMS: [&str; 15] = [
    "udpcli",
    "sudo",
    "netsh",
    "pip",
    "pipx",
    "brew",
    "apt",
    "ssh",
    "ip",
    "esptool",
    "mpremote",
    "New-NetFirewallRule",
    "Set-NetConnectionProfile",
    "systemctl",
    "chmod",
];

/// A piece without the bracket or the quotation mark before it, and without colours.
fn word(piece: &Unbroken<'_>) -> String {
    let visible: String = visible(piece.text)
        .map(|(_, character)| character)
        .collect();
    let word = visible.trim_start_matches(['(', '（', '“', '"', '\'']);
    word.trim_end_matches(' ').to_owned()
}

/// Whether a command can go on behind this word.
fn goes_on(word: &str) -> bool {
    !word.ends_with([
        ',', '.', ';', ':', '?', '!', ')', '，', '。', '；', '：', '？', '！', '）', '、', '”',
    ])
}

/// Whether a word can stand in a command; a mark behind it ends the command.
fn is_of_command(word: &str) -> bool {
    let word = word.trim_end_matches(|character| {
        !char::is_ascii(&character) && !goes_on(character.encode_utf8(&mut [0; 4]))
    });
    !word.is_empty() && word.is_ascii() && !word.starts_with('(')
}

/// Pieces that belong together, if a command lasts until its clause ends: nothing tells its last words from the
/// sentence's.
fn until_clause_ends(pieces: &[Unbroken<'_>]) -> usize {
    extent(pieces, |_, _| true)
}

/// Pieces that belong together, if a command ends before the first plain word.
fn until_command_ends(pieces: &[Unbroken<'_>]) -> usize {
    extent(pieces, |words_before, word| {
        let is_plain = word
            .trim_end_matches(|character| !char::is_alphanumeric(character))
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'\'');
        // udpcli COMMAND, udpcli board COMMAND
        let is_command = words_before == ["udpcli"] || words_before == ["udpcli", "board"];
        !is_plain || is_command
    })
}

/// How many pieces from the first on belong together; `belongs` decides for a word in a command.
fn extent(pieces: &[Unbroken<'_>], belongs: impl Fn(&[&str], &str) -> bool) -> usize {
    let words: Vec<String> = pieces.iter().map(word).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(first) = words.first() else {
        return 0;
    };
    let is_flag = first.starts_with('-') && first.len() > 1;
    if !PROGRAMS.contains(first) {
        // The value of a flag: a number, FILE, no-reset.
        let has_value = is_flag
            && goes_on(first)
            && words.get(1).is_some_and(|value| {
                let is_plain = value.bytes().all(|byte| byte.is_ascii_lowercase());
                is_of_command(value) && !value.starts_with('-') && !is_plain
            });
        return if has_value { 2 } else { 1 };
    }
    let mut count = 1;
    while let Some(next) = words.get(count)
        && words.get(count - 1).is_some_and(|last| goes_on(last))
        && is_of_command(next)
        && belongs(words.get(..count).unwrap_or_default(), next)
    {
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn chinese_is_broken_between_characters_and_commands_are_not() {
        let hint = "  hint: UDP 端口 60000 被另一个程序占用：请关掉它（往往是另一个 udpcli listen），或者换一个端口：udpcli listen --port 60001；要共用端口，请给两个程序都加 --reuse-addr，或者都加 --reuse-port";
        assert_eq!(
            message(hint, 79, 4),
            "  hint: UDP 端口 60000 被另一个程序占用：请关掉它（往往是另一个\n    udpcli listen），或者换一个端口：udpcli listen --port 60001；要共用端口，请\n    给两个程序都加 --reuse-addr，或者都加 --reuse-port"
        );
    }

    #[test]
    fn a_number_stays_with_its_measure_word_and_a_name_that_ends_in_one_does_not() {
        let parts = |line: &str| -> Vec<String> {
            let pieces = pieces(line);
            pieces.iter().map(|piece| piece.text.to_owned()).collect()
        };
        assert_eq!(parts("1,000 个"), ["1,000 个"]);
        assert_eq!(parts("usbmodem101 上"), ["usbmodem101 ", "上"]);
    }

    #[test]
    fn english_is_broken_at_spaces_and_commands_are_not() {
        let hint = "  hint: nobody listens there; start the receiver first, for example: udpcli listen --port 50000 hello";
        assert_eq!(
            message(hint, 79, 4),
            "  hint: nobody listens there; start the receiver first, for example:\n    udpcli listen --port 50000 hello"
        );
        let hint =
            "  hint: it is gone and the command has ended (udpcli board list, or --backup FILE);";
        assert_eq!(
            message(hint, 76, 4),
            "  hint: it is gone and the command has ended (udpcli board list, or\n    --backup FILE);"
        );
    }

    /// A sentence goes on behind a command without a mark: it cannot be told from the command, and is broken only if it
    /// has to be.
    #[test]
    fn a_sentence_that_goes_on_behind_a_command_is_broken_where_it_is_too_long() {
        let hint = "hint: udpcli board list --all shows every one of the serial ports that this computer has at the moment";
        assert_eq!(
            message(hint, 40, 4),
            "hint: udpcli board list --all shows\n    every one of the serial ports that\n    this computer has at the moment"
        );
    }

    #[test]
    fn what_fits_and_what_has_no_room_stays_one_line() {
        assert_eq!(message("short 你好", 79, 4), "short 你好");
        let long = "word ".repeat(9);
        assert_eq!(message(&long, 8, 4), long);
        let one = "x".repeat(90);
        assert_eq!(message(&one, 40, 4), one);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_added_but_line_ends(
            words in proptest::collection::vec("(udpcli|board|--port|6000|你好，|（中文|a\\.b:1;|send|“x”|\\PC{1,6})", 1..40),
            columns in 1usize..100,
        ) {
            let line = words.join(" ");
            let wrapped = message(&line, columns, 4);
            let strip = |text: &str| text.chars().filter(|c| !matches!(c, ' ' | '\n')).collect::<String>();
            prop_assert_eq!(strip(&wrapped), strip(&line));
        }

        #[test]
        fn a_line_fits_or_is_one_piece(text in "[你好，。（）a 1-]{1,200}", columns in 20usize..100) {
            for line in message(&text, columns, 4).lines() {
                prop_assert!(line.trim_end().width() <= columns || pieces(line.trim()).len() <= 2, "{}", line);
            }
        }
    }

    #[test]
    fn rows_of_wide_characters_are_not_wider_than_their_box() {
        let text = "数据报到达了掌控板，但没有一个返回：这台电脑的防火墙丢弃了 UDP 6000，请在专用网络中允许它";
        for columns in 20..60 {
            for row in rows(text, columns) {
                assert!(row.width() <= columns, "{columns}: {row}");
            }
        }
    }
}
