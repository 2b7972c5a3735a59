//! `--lang`: chosen before the arguments are parsed, since help and usage errors are in that language too.

use std::ffi::{OsStr, OsString};

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

use crate::config::{self, Lang};
use crate::text::fullwidth::to_ascii;
use crate::words::language::{self, Language};

/// What `--lang` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    Auto,
    En,
    #[value(name = "zh-CN", alias = "zh-cn", alias = "zh")]
    ZhCn,
}

impl Choice {
    /// The same value as in the user's file.
    pub(super) fn to_lang(self) -> Lang {
        match self {
            Self::Auto => Lang::Auto,
            Self::En => Lang::En,
            Self::ZhCn => Lang::ZhCn,
        }
    }

    /// The same value as for the flag.
    fn of_lang(lang: Lang) -> Self {
        match lang {
            Lang::Auto => Self::Auto,
            Lang::En => Self::En,
            Lang::ZhCn => Self::ZhCn,
        }
    }

    /// `zh-CN`, and other spellings: `zh_CN.UTF-8`, `ZH-cn`, full-width letters. Empty text is `auto`, because an empty
    /// variable counts as unset.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = to_ascii(name).replace('_', "-");
        let name = name.split('.').next().unwrap_or_default();
        if name.is_empty() {
            return Some(Self::Auto);
        }
        Self::from_str(name, true).ok()
    }

    /// The language; `None` for that of the system.
    fn language(self) -> Option<Language> {
        match self {
            Self::Auto => None,
            Self::En => Some(Language::English),
            Self::ZhCn => Some(Language::Chinese),
        }
    }
}

/// Reads a language as [`Choice::of_name`] does.
#[derive(Debug, Clone)]
pub(super) struct ChoiceParser;

impl TypedValueParser for ChoiceParser {
    type Value = Choice;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Choice, clap::Error> {
        match value.to_str().and_then(Choice::of_name) {
            Some(choice) => Ok(choice),
            None => EnumValueParser::<Choice>::new().parse_ref(command, argument, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = Choice::value_variants().iter();
        Some(Box::new(values.filter_map(ValueEnum::to_possible_value)))
    }
}

/// Chooses the language of this process: `--lang`, else `UDPCLI_LANG`, else the user's file, else the system's. Ignores
/// a value that clap will refuse.
pub fn choose(args: &[OsString]) {
    let flag = of_flag(args).and_then(|name| Choice::of_name(&name));
    let choice = flag.or_else(|| Choice::of_name(&std::env::var("UDPCLI_LANG").ok()?));
    let choice = choice.or_else(|| config::user_lang().map(Choice::of_lang));
    let language = choice.unwrap_or(Choice::Auto).language();
    language::choose(language.unwrap_or_else(Language::of_system));
}

/// Whether this command line has `--lang`.
pub(super) fn is_given() -> bool {
    of_flag(&std::env::args_os().collect::<Vec<_>>()).is_some()
}

/// The value of the last `--lang` before `--`.
fn of_flag(args: &[OsString]) -> Option<String> {
    let mut found = None;
    let mut words = args.iter().skip(1).map(|arg| arg.to_string_lossy());
    while let Some(word) = words.next() {
        // An argument after `--` is a message to send, even if it looks like a flag.
        if word == "--" {
            break;
        }
        if word == "--lang" {
            found = words.next().map(std::borrow::Cow::into_owned);
        } else if let Some(value) = word.strip_prefix("--lang=") {
            found = Some(value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_what_people_write() {
        for name in ["zh-CN", "zh_CN", "zh_CN.UTF-8", "ZH-cn", "zh", "ｚｈ－ＣＮ"] {
            assert_eq!(Choice::of_name(name), Some(Choice::ZhCn), "{name}");
        }
        assert_eq!(Choice::of_name("EN"), Some(Choice::En));
        assert_eq!(Choice::of_name(""), Some(Choice::Auto));
        assert_eq!(Choice::of_name("fr"), None);
    }

    #[test]
    fn the_flag_is_found_wherever_it_stands() {
        let of = |args: &[&str]| of_flag(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["u", "send", "--lang", "en"]).as_deref(), Some("en"));
        assert_eq!(of(&["u", "--lang=zh-CN", "send"]).as_deref(), Some("zh-CN"));
        assert_eq!(of(&["u", "send", "--", "--lang", "en"]), None);
        assert_eq!(of(&["u", "send", "--lang"]), None);
    }
}
