//! The language of the texts for people: English or Chinese.

use std::cell::Cell;
use std::sync::OnceLock;

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag (BCP 47), which is also the name of its folder.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language for a tag from the user or the operating system: `zh-CN`, `zh_CN.UTF-8`, `zh-Hans-CN`, `en_GB`.
    /// Every kind of Chinese maps to Chinese, everything else to English.
    #[must_use]
    pub(crate) fn of_tag(tag: &str) -> Self {
        let first = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        if first.eq_ignore_ascii_case("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    /// The operating system's language.
    #[must_use]
    pub(crate) fn of_system() -> Self {
        sys_locale::get_locale().map_or(Self::English, |tag| Self::of_tag(&tag))
    }
}

static CHOSEN: OnceLock<Language> = OnceLock::new();

/// Sets the language of this process. Only the first call has an effect.
pub(crate) fn choose(language: Language) {
    let _ = CHOSEN.set(language);
}

thread_local! {
    /// The language of this thread, if it differs from the language of the process.
    static WITHIN: Cell<Option<Language>> = const { Cell::new(None) };
}

/// Runs `say` in this language, for example in English for JSON.
pub fn within<T>(language: Language, say: impl FnOnce() -> T) -> T {
    /// Restores the language on drop, also after a panic.
    struct LanguageGuard(Option<Language>);
    impl Drop for LanguageGuard {
        fn drop(&mut self) {
            WITHIN.set(self.0);
        }
    }
    let _before = LanguageGuard(WITHIN.replace(Some(language)));
    say()
}

/// The current language: English until one is chosen.
#[must_use]
pub(crate) fn current() -> Language {
    if let Some(language) = WITHIN.get() {
        return language;
    }
    CHOSEN.get().copied().unwrap_or(Language::English)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_sets_the_language_only_inside() {
        let inner = within(Language::Chinese, || {
            let innermost = within(Language::English, current);
            (current(), innermost)
        });
        assert_eq!(inner, (Language::Chinese, Language::English));
        assert_eq!(current(), Language::English);
    }

    #[test]
    fn every_system_tag_for_chinese_is_chinese() {
        for tag in [
            "zh",
            "zh-CN",
            "zh_CN.UTF-8",
            "zh-Hans-CN",
            "ZH_tw",
            "zh@pinyin",
        ] {
            assert_eq!(Language::of_tag(tag), Language::Chinese, "{tag}");
        }
        for tag in ["en", "en_GB.UTF-8", "C", "POSIX", "", "zhx", "de_AT@euro"] {
            assert_eq!(Language::of_tag(tag), Language::English, "{tag}");
        }
    }
}
