//! What is wrong with hex digits, escapes, characters, patterns and templates, in words.

use std::error::Error;
use std::io;

use crate::text::sentence::Sentence;
use crate::text::{encoding, escape, hex, pattern, template};
use crate::words::catalogue::{self, say};

/// The cause of an error, if it is one of these or a sentence within an error of the system.
pub(super) fn cause(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<hex::Error>() {
        return Some(catalogue::text(&error.into()));
    }
    if let Some(error) = error.downcast_ref::<escape::Error>() {
        return Some(match error {
            escape::Error::Unknown { letter, at } => {
                say!("value.escape-unknown", letter = letter, at = at)
            }
            escape::Error::Unfinished { at } => say!("value.escape-unfinished", at = at),
            escape::Error::Octal { at } => say!("value.escape-octal", at = at),
            escape::Error::Digits { at } => say!("value.escape-digits", at = at),
        });
    }
    if let Some(error) = error.downcast_ref::<encoding::Error>() {
        return Some(say!(
            "value.no-character",
            encoding = error.encoding,
            character = format!("{:?}", error.character),
            code = format!("{:04X}", u32::from(error.character))
        ));
    }
    if let Some(error) = error.downcast_ref::<pattern::Error>() {
        return match error {
            pattern::Error::Escape(inner) => cause(inner),
            pattern::Error::Encode(inner) => cause(inner),
            error => Some(catalogue::text(&error.into())),
        };
    }
    if let Some(error) = error.downcast_ref::<template::Error>() {
        return match error {
            template::Error::Escape(inner) => cause(inner),
            template::Error::Encode(inner) => cause(inner),
            error => Some(catalogue::text(&error.into())),
        };
    }
    let error = error.downcast_ref::<io::Error>()?;
    let inner = error.get_ref();
    inner
        .and_then(|inner| inner.downcast_ref::<Sentence>())
        .map(catalogue::text)
        .or_else(|| of_system(&error.to_string()))
}

/// What a Unix system says, which does so in English (`strerror(3)`); Windows has its own language.
fn of_system(text: &str) -> Option<String> {
    type Say = fn(&str) -> String;
    let known: [(&str, Say); 20] = [
        ("No such file or directory", |system| {
            say!("value.os-no-file", system = system)
        }),
        ("Permission denied", |system| {
            say!("value.os-denied", system = system)
        }),
        ("Operation not permitted", |system| {
            say!("value.os-not-permitted", system = system)
        }),
        ("Is a directory", |system| {
            say!("value.os-is-folder", system = system)
        }),
        ("Not a directory", |system| {
            say!("value.os-not-folder", system = system)
        }),
        ("Address already in use", |system| {
            say!("value.os-in-use", system = system)
        }),
        ("Cannot assign requested address", |system| {
            say!("value.os-not-ours", system = system)
        }),
        ("Network is unreachable", |system| {
            say!("value.os-unreachable", system = system)
        }),
        ("No route to host", |system| {
            say!("value.os-no-route", system = system)
        }),
        ("Device or resource busy", |system| {
            say!("value.os-busy", system = system)
        }),
        ("No space left on device", |system| {
            say!("value.os-full", system = system)
        }),
        ("Input/output error", |system| {
            say!("value.os-io", system = system)
        }),
        ("No such device", |system| {
            say!("value.os-no-device", system = system)
        }),
        ("Inappropriate ioctl for device", |system| {
            say!("value.os-not-terminal", system = system)
        }),
        ("Not a typewriter", |system| {
            say!("value.os-not-typewriter", system = system)
        }),
        ("Read-only file system", |system| {
            say!("value.os-read-only", system = system)
        }),
        ("failed to lookup address information", |system| {
            say!("value.os-no-name", system = system)
        }),
        ("Message too long", |system| {
            say!("value.os-too-long", system = system)
        }),
        ("Connection timed out", |system| {
            say!("value.os-timed-out", system = system)
        }),
        ("Connection refused", |system| {
            say!("value.os-refused", system = system)
        }),
    ];
    let (_, say) = known.iter().find(|(start, _)| text.starts_with(start))?;
    Some(say(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::language::{self, Language};

    #[test]
    fn what_the_system_says_is_said_in_chinese_too() {
        let error = io::Error::other("Permission denied (os error 13)");
        assert_eq!(
            cause(&error).as_deref(),
            Some("Permission denied (os error 13)")
        );
        let chinese = language::within(Language::Chinese, || cause(&error));
        assert_eq!(
            chinese.as_deref(),
            Some("没有权限（Permission denied (os error 13)）")
        );
        assert_eq!(cause(&io::Error::other("who knows")), None);
    }
}
