//! The screens in Chinese pages must be exact translations of the English screens, taken from the catalogue, so that a
//! change there fails here until the page is updated.

use std::collections::BTreeMap;
use std::fs;

use super::twins::twins;
use super::{console_blocks, path, read};

/// Every plural form of every message of a language, by ID: `udp.refused`, `udp.refused.hint`.
type Catalogue = BTreeMap<String, Vec<String>>;

/// Reads the catalogue line by line instead of parsing Fluent: every message, attribute and variant is on its own line.
fn catalogue(language: &str) -> Catalogue {
    let mut sentences = Catalogue::new();
    let folder = path("src/words").join(language);
    for file in fs::read_dir(folder).expect("a folder of the catalogue") {
        let file = file.expect("an entry").path();
        let area = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&file).expect("UTF-8");
        let (mut sentence, mut id) = (String::new(), String::new());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let form = line.trim_start().trim_start_matches('*');
            if let Some((_, words)) = form
                .strip_prefix('[')
                .and_then(|form| form.split_once("] "))
            {
                sentences
                    .entry(id.clone())
                    .or_default()
                    .push(words.to_owned());
            } else if let Some((name, words)) = line.split_once(" =") {
                id = if let Some(name) = name.trim_start().strip_prefix('.') {
                    format!("{sentence}.{name}")
                } else {
                    sentence = format!("{area}.{name}");
                    sentence.clone()
                };
                let forms = sentences.entry(id.clone()).or_default();
                if !words.contains("->") {
                    forms.push(words.trim_start().to_owned());
                }
            }
        }
    }
    sentences
}

/// The values of the placeholders, if the line matches this form of a message.
fn values(form: &str, line: &str) -> Option<BTreeMap<String, String>> {
    let form = form.replace("{ \"{\" }", "{").replace("{ \"}\" }", "}");
    let mut pieces = form.split("{ $");
    let mut rest = line.strip_prefix(pieces.next()?)?;
    let mut found = BTreeMap::new();
    for piece in pieces {
        let (name, words) = piece.split_once(" }")?;
        let end = if words.is_empty() {
            rest.len()
        } else {
            rest.find(words)?
        };
        let value = rest[..end].to_owned();
        rest = &rest[end + words.len()..];
        if found.get(name).is_some_and(|earlier| *earlier != value) {
            return None;
        }
        found.insert(name.to_owned(), value);
    }
    rest.is_empty().then_some(found)
}

/// Whether `to` is the catalogue's translation of `from`: the same message with the same values.
fn is_translation([english, chinese]: [&Catalogue; 2], from: &str, to: &str) -> bool {
    let said = |catalogue: &Catalogue, id: &str, line: &str| {
        let forms = catalogue.get(id)?;
        forms.iter().find_map(|form| values(form, line))
    };
    english.keys().any(|id| {
        let (Some(wanted), Some(found)) = (said(english, id, from), said(chinese, id, to)) else {
            return false;
        };
        // A value is a name or a number, or another message of the catalogue.
        wanted.len() == found.len()
            && wanted
                .iter()
                .zip(&found)
                .all(|((name, value), (same, other))| {
                    let is_shorter = value.len() < from.len();
                    let is_same = value == other
                        || (is_shorter && is_translation([english, chinese], value, other));
                    name == same && is_same
                })
    })
}

/// Whether a Chinese summary is the translation of the English one, compared clause by clause.
fn is_summary(catalogues: [&Catalogue; 2], from: &str, to: &str) -> bool {
    let clauses = from.split(", ").map(str::to_owned);
    // Lost, duplicate and reordered datagrams are one message.
    let english = clauses.fold(Vec::<String>::new(), |mut clauses, clause| {
        match clauses.last_mut().filter(|last| last.contains(" lost")) {
            Some(last) if !last.contains(" reordered") => *last = format!("{last}, {clause}"),
            _ => clauses.push(clause),
        }
        clauses
    });
    let chinese = to.split('，').map(str::to_owned);
    let chinese = chinese.fold(Vec::<String>::new(), |mut clauses, clause| {
        match clauses.last_mut().filter(|last| last.starts_with("丢失")) {
            Some(last) if !last.contains("乱序") => *last = format!("{last}，{clause}"),
            _ => clauses.push(clause),
        }
        clauses
    });
    english.len() == chinese.len()
        && english
            .iter()
            .zip(&chinese)
            .all(|(from, to)| is_translation(catalogues, from, to))
}

/// Whether a line of a Chinese screen is the translation of the English line.
fn agrees(catalogues: [&Catalogue; 2], from: &str, to: &str) -> bool {
    // Messages of the operating system are not translated.
    let cause = "  caused by: ";
    let is_cause = from.starts_with(cause) && to.starts_with(cause);
    if from == to || is_cause || is_summary(catalogues, from, to) {
        return true;
    }
    // The settings of config: the comment says where each is from.
    if let (Some((code, from)), Some((same, to))) = (from.split_once("# "), to.split_once("# ")) {
        return code == same && agrees(catalogues, from, to);
    }
    // A row whose last cell is a sentence.
    if let (Some((row, from)), Some((same, to))) = (from.rsplit_once("  ("), to.rsplit_once("  ("))
    {
        return row == same
            && agrees(
                catalogues,
                from.trim_end_matches(')'),
                to.trim_end_matches(')'),
            );
    }
    // The boards of find: the last cell says how they were found.
    if let (Some((row, from)), Some((same, to))) = (from.rsplit_once("  "), to.rsplit_once("  "))
        && !row.is_empty()
        && row == same
    {
        let mut ways = from.split(" + ").zip(to.split(" + "));
        return from.matches(" + ").count() == to.matches(" + ").count()
            && ways.all(|(from, to)| agrees(catalogues, from, to));
    }
    // The findings of doctor, and the commands below them.
    for [mark, chinese] in [
        ["ok: ", "正常："],
        ["warning: ", "注意："],
        ["problem: ", "问题："],
        ["  type: ", "  输入："],
    ] {
        if let (Some(from), Some(to)) = (from.strip_prefix(mark), to.strip_prefix(chinese)) {
            return agrees(catalogues, from, to);
        }
    }
    for mark in ["udpcli: error: ", "  hint: ", "warning: ", ""] {
        if let (Some(from), Some(to)) = (from.strip_prefix(mark), to.strip_prefix(mark)) {
            // Error codes in brackets are not translated.
            let (from, code) = from
                .strip_suffix(']')
                .and_then(|from| from.rsplit_once(" ["))
                .unwrap_or((from, ""));
            let to = to.strip_suffix(&format!(" [{code}]")).unwrap_or(to);
            return is_translation(catalogues, from, to);
        }
    }
    false
}

#[test]
fn a_line_is_told_from_a_sentence_that_it_is_not() {
    let [english, chinese] = ["en", "zh-CN"].map(catalogue);
    let both = [&english, &chinese];
    let refused = "udpcli: error: refused: nothing listens on 10.0.0.1:6000";
    assert!(agrees(
        both,
        refused,
        "udpcli: error: 被拒绝：10.0.0.1:6000 上没有程序在监听"
    ));
    assert!(!agrees(
        both,
        refused,
        "udpcli: error: 被拒绝：10.0.0.2:6000 上没有程序在监听"
    ));
    assert!(!agrees(
        both,
        refused,
        "udpcli: error: 被拒绝：10.0.0.1:6000 没有程序"
    ));
    let summary = "1 datagram, 5 bytes, 0 errors, 1 refused, 0 replies, 3.2ms, 308.3 datagrams/s";
    let in_chinese =
        "1 个数据报，5 字节，0 个错误，1 次被拒绝，0 条回复，用时 3.2ms，每秒 308.3 个";
    assert!(agrees(both, summary, in_chinese));
    assert!(!agrees(
        both,
        summary,
        &in_chinese.replace("5 字节", "6 字节")
    ));
}

#[test]
fn the_screens_of_a_chinese_page_are_the_english_ones_in_chinese() {
    let [english, chinese] = ["en", "zh-CN"].map(catalogue);
    let mut compared = 0;
    // tests/flash/docs.rs runs the screens of flash.md in both languages.
    for (page, twin) in twins()
        .into_iter()
        .filter(|(page, _)| page != "docs/flash.md")
    {
        let (from, to) = (console_blocks(&page), console_blocks(&twin));
        assert_eq!(from.len(), to.len(), "{page}");
        for (from, to) in from.iter().zip(&to) {
            assert_eq!(from.lines().count(), to.lines().count(), "{twin}: {to}");
            // Most readers of the Chinese pages have Windows, where the Wi-Fi interface is called WLAN.
            let to = to.replace("（WLAN）", "（wlan0）");
            let lines = from.lines().zip(to.lines());
            for (from, to) in lines.filter(|(from, _)| !from.starts_with("$ ")) {
                assert!(
                    agrees([&english, &chinese], from, to),
                    "{twin}:\n{to}\nis not in the catalogue as what {page} has:\n{from}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared} lines");
}

/// The messages that a table explains: the code in the first cell of its rows.
fn messages(page: &str, heading: &str) -> Vec<String> {
    let text = read(page);
    let table = text.split_once(heading).expect("the table").1;
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('`').nth(1).map(str::to_owned))
        .collect()
}

/// The Chinese page must contain the Chinese messages, because pupils search for the text on their screen.
#[test]
fn the_board_page_explains_the_same_messages_in_both_languages() {
    let [english, chinese] = ["en", "zh-CN"].map(catalogue);
    let from = messages("docs/board.md", "| message | what it means, what to do |");
    let to = messages("docs/board.zh-CN.md", "| 消息 | 意思和办法 |");
    assert!(
        from.len() > 30 && from.len() == to.len(),
        "{} and {}",
        from.len(),
        to.len()
    );
    for (from, to) in from.iter().zip(&to) {
        // A page may leave out the end of a message, after the colon.
        let both = |id: &&String| {
            let said = |catalogue: &Catalogue, colon: &str, message: &str| {
                let forms = catalogue.get(*id)?;
                forms.iter().find_map(|form| {
                    let (head, _) = form.split_once(colon)?;
                    values(&format!("{head}{colon}{{ $rest }}"), message)
                })
            };
            said(&english, ": ", from).is_some() && said(&chinese, "：", to).is_some()
        };
        assert!(
            is_translation([&english, &chinese], from, to) || english.keys().any(|id| both(&id)),
            "docs/board.zh-CN.md: {to:?} is not in the catalogue as {from:?}"
        );
    }
}
