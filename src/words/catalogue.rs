//! The catalogue: every sentence by its ID, in each language. Its format is Fluent (projectfluent.org): a translator
//! can reorder placeholders and choose by number in the text itself, and `tests/words.rs` can compare two languages.
//!
//! An ID is `area.message` or `area.message.attribute`, as in `say!("udp.refused.hint", peer = peer)`. An area is a
//! file, which is parsed when its first sentence is needed: a command that prints one summary parses one small file
//! (under 0.1 ms).

use std::cell::RefCell;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unicode_width::UnicodeWidthChar as _;

use crate::text::sentence::{Sentence, SentenceValue};
use crate::words::language::{self, Language};

/// The files of a language, in the order of [`AREAS`].
type Sources = [&'static str; AREAS.len()];

macro_rules! areas {
    ($($area:literal),+ $(,)?) => {
        /// The part of an ID before its first dot: the file's name.
        const AREAS: [&str; [$($area),+].len()] = [$($area),+];
        const ENGLISH: Sources = [$(include_str!(concat!("en/", $area, ".ftl"))),+];
        const CHINESE: Sources = [$(include_str!(concat!("zh-CN/", $area, ".ftl"))),+];
    };
}

areas! {
    "bench",
    "board",
    "board-cli",
    "boards",
    "cli",
    "config",
    "doctor",
    "expression",
    "find",
    "fleet",
    "flash",
    "help",
    "input",
    "line-rate",
    "listen",
    "listen-findings",
    "listen-report",
    "listen-watch",
    "menu",
    "messages",
    "monitor",
    "mpremote",
    "named",
    "names",
    "oled-wall",
    "pair",
    "pair-diagnosis",
    "pair-survey",
    "pair-watch",
    "put",
    "relay",
    "replay",
    "report",
    "send",
    "summary",
    "terminal",
    "udp",
    "usage",
    "value",
    "watch",
}

type Bundle = FluentBundle<FluentResource>;

/// The parsed files of a language.
struct Parsed([OnceLock<Bundle>; AREAS.len()]);

static PARSED_ENGLISH: Parsed = Parsed([const { OnceLock::new() }; AREAS.len()]);
static PARSED_CHINESE: Parsed = Parsed([const { OnceLock::new() }; AREAS.len()]);

thread_local! {
    /// What `{ $serial }` stands for, see [`among_boards`].
    static SERIAL: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Renders sentences about one board of several. A command in a hint, as in `udpcli board{ $serial } flash`, then names its
/// serial port. Without this the placeholder is empty.
pub(crate) fn among_boards<T>(port: &str, say: impl FnOnce() -> T) -> T {
    /// Restores the text on drop, also after a panic.
    struct SerialGuard(String);
    impl Drop for SerialGuard {
        fn drop(&mut self) {
            SERIAL.set(std::mem::take(&mut self.0));
        }
    }
    let _before = SerialGuard(SERIAL.replace(format!(" -s {port}")));
    say()
}

/// A sentence in the current language; in English if that language lacks it.
#[must_use]
pub fn text(sentence: &Sentence) -> String {
    in_language(language::current(), sentence)
}

/// A sentence in one language; in English if that language lacks it.
#[must_use]
pub fn in_language(language: Language, sentence: &Sentence) -> String {
    if let ("", [(_, SentenceValue::Text(text))]) = (sentence.id, sentence.parts.as_slice()) {
        return text.clone();
    }
    let args = args(language, sentence);
    let text = find(language, sentence.id, &args)
        .or_else(|| find(Language::English, sentence.id, &args))
        // tests/words.rs prevents this.
        .unwrap_or_else(|| sentence.id.to_owned());
    match language {
        Language::English => text,
        Language::Chinese => without_gaps(text, sentence),
    }
}

/// Chinese has a space beside a path, but none between two Chinese words: `无法读取 { $object }` is written for both, and
/// the object may be a phrase of the catalogue. Only spaces beside such phrases are removed, never those of a value.
fn without_gaps(mut text: String, sentence: &Sentence) -> String {
    let is_wide = |character: Option<char>| character.and_then(char::width) == Some(2);
    for (_, part) in &sentence.parts {
        let SentenceValue::Phrase(phrase) = part else {
            continue;
        };
        if phrase.id.is_empty() {
            continue;
        }
        let phrase = in_language(Language::Chinese, phrase);
        let Some(place) = text.find(&phrase) else {
            continue;
        };
        let end = place + phrase.len();
        let after = text.get(end..).and_then(|rest| rest.strip_prefix(' '));
        if is_wide(phrase.chars().next_back())
            && is_wide(after.and_then(|rest| rest.chars().next()))
        {
            text.remove(end);
        }
        let before = text.get(..place).and_then(|rest| rest.strip_suffix(' '));
        if is_wide(phrase.chars().next())
            && is_wide(before.and_then(|rest| rest.chars().next_back()))
        {
            text.remove(place - 1);
        }
    }
    text
}

/// An event's sentence in the current language. The ID comes from the event, so it may be unknown.
#[must_use]
pub(crate) fn of_event(id: &str, args: &FluentArgs<'_>) -> String {
    find(language::current(), id, args)
        .or_else(|| find(Language::English, id, args))
        .unwrap_or_else(|| id.to_owned())
}

/// A text without placeholders in the current language; in English if that language lacks it.
#[must_use]
pub(crate) fn lookup(id: &str) -> Option<String> {
    lookup_in(language::current(), id).or_else(|| lookup_in(Language::English, id))
}

/// A text without placeholders in one language.
#[must_use]
pub(crate) fn lookup_in(language: Language, id: &str) -> Option<String> {
    find(language, id, &FluentArgs::new())
}

fn args(language: Language, sentence: &Sentence) -> FluentArgs<'_> {
    let mut args = FluentArgs::with_capacity(sentence.parts.len() + 1);
    args.set("serial", SERIAL.with_borrow(Clone::clone));
    for (name, part) in &sentence.parts {
        match part {
            SentenceValue::Text(text) => args.set(*name, text.as_str()),
            // Exact up to 2^53, which no count here reaches.
            SentenceValue::Number(number) => args.set(*name, *number as f64),
            SentenceValue::List(items) => args.set(*name, list(language, items)),
            SentenceValue::Phrase(phrase) => args.set(*name, in_language(language, phrase)),
        }
    }
    args
}

/// Joins items: `a, b, c`.
fn list(language: Language, items: &[Sentence]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| in_language(language, item))
        .collect();
    items.join(match language {
        Language::English => ", ",
        Language::Chinese => "、",
    })
}

/// The sentence in one language; `None` if the catalogue lacks the ID.
fn find(language: Language, id: &str, args: &FluentArgs<'_>) -> Option<String> {
    let (area, rest) = id.split_once('.')?;
    let (key, attribute) = match rest.split_once('.') {
        Some((key, attribute)) => (key, Some(attribute)),
        None => (rest, None),
    };
    let index = AREAS.iter().position(|known| *known == area)?;
    let (parsed, sources) = match language {
        Language::English => (&PARSED_ENGLISH, &ENGLISH),
        Language::Chinese => (&PARSED_CHINESE, &CHINESE),
    };
    let bundle = parsed
        .0
        .get(index)?
        .get_or_init(|| parse(language, sources.get(index).copied().unwrap_or_default()));
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        Some(attribute) => message.get_attribute(attribute)?.value(),
        None => message.value()?,
    };
    let mut errors = Vec::new();
    Some(
        bundle
            .format_pattern(pattern, Some(args), &mut errors)
            .into_owned(),
    )
}

fn parse(language: Language, source: &str) -> Bundle {
    // Sentences with syntax errors are left out; tests/words.rs prevents them.
    let resource = match FluentResource::try_new(source.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    let locale = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // Isolation marks around placeholders would be control characters on a terminal.
    bundle.set_use_isolating(false);
    let _ = bundle.add_resource(resource);
    bundle
}

/// A sentence of the catalogue as text: `say!("udp.refused", peer = peer)`, with parts as in
/// [`sentence!`](crate::text::sentence::sentence).
macro_rules! say {
    ($($sentence:tt)*) => {
        $crate::words::catalogue::text(&$crate::text::sentence::sentence!($($sentence)*))
    };
}
pub(crate) use say;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sentence::sentence;

    #[test]
    fn a_hint_names_the_port_among_several_boards() {
        let said = || in_language(Language::English, &sentence!("board.download-mode.hint"));
        assert!(said().ends_with(": udpcli board flash"), "{}", said());
        let among = among_boards("COM7", said);
        assert!(among.ends_with(": udpcli board -s COM7 flash"), "{among}");
        assert!(said().ends_with(": udpcli board flash"), "{}", said());
    }

    #[test]
    fn chinese_has_no_space_between_two_chinese_words() {
        let said = |object: Sentence| {
            let sentence = sentence!("udp.file-read", object => object);
            in_language(Language::Chinese, &sentence)
        };
        assert_eq!(said(sentence!("udp.stdin")), "无法读取标准输入");
        assert_eq!(said(Sentence::verbatim("a.bin")), "无法读取 a.bin");
        // A value stays as it is.
        assert_eq!(said(Sentence::verbatim("作业 一")), "无法读取 作业 一");
        let path = sentence!("report.the-file", file = "课 1.html");
        assert_eq!(said(path), "无法读取 HTML 报告 课 1.html");
    }
}
