//! Every page for users exists in English and in Chinese with the same outline: headings, commands, tables, flags and
//! pictures. These tests compare the structure; people review the sentences.

use std::collections::BTreeSet;

use super::{README, README_ZH, REFERENCE_ZH, all_commands, help, pages, path, read};

/// The pages for users; pages for programmers are in English only.
const NAMES: [&str; 16] = [
    "install",
    "tutorial",
    "troubleshooting",
    "pair",
    "board",
    "boards",
    "oled",
    "flash",
    "usage",
    "measuring",
    "pipelines",
    "coming-from",
    "configuration",
    "glossary",
    "unproven",
    "upgrading",
];

/// The pages and their Chinese twins.
pub(super) fn twins() -> Vec<(String, String)> {
    let named = NAMES.map(|name| (format!("docs/{name}.md"), format!("docs/{name}.zh-CN.md")));
    [(README.to_owned(), README_ZH.to_owned())]
        .into_iter()
        .chain(named)
        .collect()
}

/// The structure that two pages must have in common, in order. Each entry has its section's number, so that a
/// difference is easy to find.
#[derive(Debug, Default, PartialEq)]
struct Outline {
    /// The levels of the headings.
    headings: Vec<usize>,
    /// The language of each code block, and the commands in it.
    code: Vec<(usize, String, Vec<String>)>,
    /// The rows of all tables: the number of cells, and the code in the first cell.
    rows: Vec<(usize, usize, Vec<String>)>,
    /// The flags that each section mentions.
    flags: Vec<BTreeSet<String>>,
    /// The udpcli commands that each section mentions in its sentences.
    commands: Vec<BTreeSet<String>>,
    /// Pictures.
    pictures: Vec<(usize, String)>,
    /// The numbered and unnumbered entries of lists.
    entries: Vec<(usize, &'static str)>,
}

/// The commands in a code block, or the whole block if it is a program or data, without comments, which may be
/// translated.
fn typed(language: &str, lines: &[&str]) -> Vec<String> {
    let without_comment = |line: &&str| {
        let code = line.split(" #").next().unwrap_or_default();
        code.trim_end().to_owned()
    };
    match language {
        "console" => {
            let commands = lines.iter().filter(|line| line.starts_with("$ "));
            commands.map(without_comment).collect()
        }
        "text" => vec![format!("{} lines", lines.len())],
        _ => {
            let lines = lines.iter().filter(|line| !line.starts_with('#'));
            lines.map(without_comment).collect()
        }
    }
}

/// The code between backticks that must be the same in every language: without Chinese, and without `..` for omitted
/// words.
fn code_in(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let same = spans.filter(|span| span.is_ascii() && !span.contains(".."));
    let mut same: Vec<String> = same.map(str::to_owned).collect();
    // Sort them, because each language may use a different order.
    same.sort();
    same
}

/// The flags in a text. `--` after a letter, as in `non--x`, is not a flag.
fn flags_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|next: char| !(next.is_ascii_alphanumeric() || next == '-'));
    let flags = words.filter(|word| {
        let long = word.strip_prefix("--").unwrap_or_default();
        let is_long = long.starts_with(|first: char| first.is_ascii_lowercase());
        is_long
            || (word.len() == 2
                && word.starts_with('-')
                && word.as_bytes()[1].is_ascii_alphabetic())
    });
    flags
        .map(|word| word.trim_end_matches('-').to_owned())
        .collect()
}

/// The name that a picture and its Chinese twin have in common.
fn without_language(picture: &str) -> String {
    picture.replace(".zh-CN.", ".")
}

impl Outline {
    fn of(page: &str) -> Self {
        let text = read(page);
        let mut outline = Self {
            flags: vec![BTreeSet::new()],
            commands: vec![BTreeSet::new()],
            ..Self::default()
        };
        let mut block: Option<(&str, Vec<&str>)> = None;
        // In a table that explains messages, the first column is translated.
        let (mut in_table, mut translates_first) = (false, false);
        for line in text.lines() {
            let section = outline.headings.len();
            if let Some(fence) = line.trim_start().strip_prefix("```") {
                match block.take() {
                    Some((language, lines)) => {
                        let typed = typed(language, &lines);
                        outline.code.push((section, language.to_owned(), typed));
                    }
                    None => block = Some((fence, Vec::new())),
                }
                continue;
            }
            if let Some((_, lines)) = &mut block {
                lines.push(line.trim_start());
                continue;
            }
            let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
            if hashes > 0 && line[hashes..].starts_with(' ') {
                outline.headings.push(hashes);
                outline.flags.push(BTreeSet::new());
                outline.commands.push(BTreeSet::new());
                continue;
            }
            if let Some(row) = line.strip_prefix("| ").or(line.strip_prefix("|")) {
                let row = row.replace("\\|", "");
                let cells: Vec<&str> = row.trim_end_matches('|').split('|').collect();
                let first = cells[0].trim();
                if !in_table {
                    translates_first =
                        ["message", "消息", "it says", "屏幕上显示"].contains(&first);
                }
                let code = if translates_first {
                    Vec::new()
                } else {
                    code_in(first)
                };
                let number = first.parse::<u32>().ok().map(|number| number.to_string());
                outline.rows.push((
                    section,
                    cells.len(),
                    number.into_iter().chain(code).collect(),
                ));
                in_table = true;
            } else {
                in_table = false;
            }
            let start = line.trim_start();
            let digits = start.bytes().take_while(u8::is_ascii_digit).count();
            if start.starts_with("- ") {
                outline.entries.push((section, "-"));
            } else if digits > 0 && start[digits..].starts_with(". ") {
                outline.entries.push((section, "1."));
            }
            for picture in line.split("![").skip(1) {
                let target = picture.split_once("](").map_or("", |(_, rest)| rest);
                let file = target.split(')').next().unwrap_or_default();
                let file = file.trim_start_matches("docs/");
                outline.pictures.push((section, without_language(file)));
            }
            let flags = outline.flags.last_mut().expect("one for each section");
            flags.extend(flags_in(line));
            let commands = outline.commands.last_mut().expect("one for each section");
            let spans = line.split('`').skip(1).step_by(2);
            commands.extend(
                spans
                    .filter(|span| span.starts_with("udpcli "))
                    .map(str::to_owned),
            );
        }
        outline
    }
}

#[test]
fn what_is_compared_is_found() {
    assert_eq!(code_in("`-v`, `发送`, `a ..` and `b`"), ["-v", "b"]);
    let flags = flags_in("`-n`（`--count N`）, a-b, --, `--no-verify`, --从");
    assert_eq!(
        flags,
        ["--count", "--no-verify", "-n"].map(str::to_owned).into()
    );
    let typed_in = typed("console", &["$ udpcli listen  # 监听", "listening on .."]);
    assert_eq!(typed_in, ["$ udpcli listen"]);
    let outline = Outline::of("docs/board.md");
    assert!(
        outline.headings.len() > 5 && outline.code.len() > 2,
        "{outline:?}"
    );
    assert!(
        outline.rows.len() > 20 && outline.entries.len() > 5,
        "{outline:?}"
    );
}

/// The first entry in which two lists differ.
fn difference<T: PartialEq + std::fmt::Debug>(english: &[T], chinese: &[T]) -> Option<String> {
    let length = english.len().max(chinese.len());
    (0..length)
        .map(|at| (at, english.get(at), chinese.get(at)))
        .find(|(_, english, chinese)| english != chinese)
        .map(|(at, english, chinese)| format!("no. {at}: {english:?}, but in Chinese {chinese:?}"))
}

#[test]
fn a_page_and_its_chinese_twin_have_the_same_outline() {
    let mut drifted = Vec::new();
    for (page, twin) in twins() {
        let (english, chinese) = (Outline::of(&page), Outline::of(&twin));
        for (what, difference) in [
            ("headings", difference(&english.headings, &chinese.headings)),
            ("code blocks", difference(&english.code, &chinese.code)),
            ("table rows", difference(&english.rows, &chinese.rows)),
            (
                "flags by section",
                difference(&english.flags, &chinese.flags),
            ),
            (
                "commands by section",
                difference(&english.commands, &chinese.commands),
            ),
            ("pictures", difference(&english.pictures, &chinese.pictures)),
            (
                "list entries",
                difference(&english.entries, &chinese.entries),
            ),
        ] {
            drifted.extend(difference.map(|difference| format!("{page}: {what}: {difference}")));
        }
    }
    assert!(
        drifted.is_empty(),
        "a page and its Chinese twin differ:\n{}",
        drifted.join("\n")
    );
}

/// Who types a line of the help in one language types the same as in the other; only the explanations differ.
#[test]
fn the_examples_in_the_help_are_the_same_in_both_languages() {
    let examples = |command: &str, language: &str, heading: &str| -> Vec<String> {
        let help = help(command, language);
        let (_, examples) = help.split_once(heading).expect("examples");
        let lines = examples.lines().take_while(|line| line.starts_with("  "));
        // Two spaces separate the explanation from the command; an explanation that is too long goes on below.
        let typed = lines
            .filter_map(|line| {
                line.strip_prefix("  ")
                    .filter(|rest| !rest.starts_with(' '))
            })
            .map(|line| line.split("  ").next().unwrap_or(line).to_owned());
        typed.collect()
    };
    let mut count = 0;
    for command in all_commands() {
        let english = examples(&command, "en", "\nExamples:\n");
        let chinese = examples(&command, "zh-CN", "\n示例：\n");
        assert_eq!(english, chinese, "udpcli {command} --help");
        count += english.len();
    }
    assert!(count > 100, "only {count} examples were found");
}

/// A reader of a Chinese page sees the screens in Chinese, and the other way round.
#[test]
fn a_page_shows_the_pictures_of_its_language() {
    let mut chinese_pictures = 0;
    for (page, twin) in twins() {
        for (page, is_chinese) in [(page, false), (twin, true)] {
            for shown in read(&page).split("](").skip(1) {
                let file = shown.split(')').next().unwrap_or_default();
                let Some(name) = file.strip_suffix(".svg") else {
                    continue;
                };
                let name = name.trim_start_matches("docs/");
                assert!(
                    path(&format!("docs/{name}.svg")).is_file(),
                    "{page} shows {file}, which does not exist"
                );
                let has_twin = path(&format!("docs/{name}.zh-CN.svg")).is_file();
                assert!(
                    !is_chinese || !has_twin,
                    "{page} shows {file}, which has a Chinese twin"
                );
                let is_picture_chinese = name.ends_with(".zh-CN");
                assert!(
                    is_chinese || !is_picture_chinese,
                    "{page} shows {file}, which is in Chinese"
                );
                chinese_pictures += usize::from(is_picture_chinese);
            }
        }
    }
    assert!(chinese_pictures > 0, "no picture was found");
}

/// Links stay within one language, except the language switch at the top.
#[test]
fn a_chinese_page_leads_to_chinese_pages() {
    for page in pages().iter().filter(|page| page.ends_with(".zh-CN.md")) {
        // Its headings are checked with the help texts.
        assert!(
            page == REFERENCE_ZH || twins().iter().any(|(_, twin)| twin == page),
            "{page} has no English twin in the list"
        );
        for link in read(page).split("](").skip(1) {
            let file = link.split([')', '#']).next().unwrap_or_default();
            let Some(name) = file.strip_suffix(".md") else {
                continue;
            };
            // docs/README.md links to the pages of both languages.
            if name == "README" {
                continue;
            }
            let twin = path(&format!("docs/{name}.zh-CN.md"));
            let is_switch = read(page).contains(&format!("[English]({file})"));
            assert!(
                name.ends_with(".zh-CN") || is_switch || !twin.is_file(),
                "{page} leads to {file}, which has a Chinese twin"
            );
        }
    }
}

#[test]
fn each_page_leads_to_its_twin_at_the_top() {
    for (page, twin) in twins() {
        let top = |page: &str| read(page).lines().take(4).collect::<String>();
        let name = |page: &str| page.rsplit('/').next().expect("a name").to_owned();
        assert!(
            top(&page).contains(&name(&twin)),
            "{page} does not lead to {twin}"
        );
        assert!(
            top(&twin).contains(&name(&page)),
            "{twin} does not lead to {page}"
        );
    }
}

/// Where emphasis ends after a full stop and the next word follows at once, Markdown shows the asterisks: `**停。**再`.
#[test]
fn emphasis_in_chinese_text_ends_before_the_punctuation() {
    for (_, twin) in twins() {
        let mut in_code = false;
        for (at, line) in read(&twin).lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            // Every other part stands between backticks.
            let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
            let parts: Vec<&str> = text.split("**").collect();
            for pair in parts.windows(2).skip(1).step_by(2) {
                let [before, after] = [pair[0].chars().next_back(), pair[1].chars().next()];
                let ends_badly = before.is_some_and(|last| "。，：；？！）”".contains(last));
                let goes_on = after.is_some_and(char::is_alphanumeric);
                assert!(!(ends_badly && goes_on), "{twin}:{}: {line}", at + 1);
            }
        }
    }
}
