//! What is wrong with hex digits, escapes, characters, patterns and templates, in words.

use std::error::Error;
use std::io;

use crate::text::sentence::{Sentence, sentence};
use crate::text::{encoding, escape, hex, pattern, template};
use crate::words::catalogue;

/// The cause of an error, if it has one of the types below, or is a sentence within an error of the system.
pub(super) fn cause(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<hex::Error>() {
        return Some(catalogue::text(&error.into()));
    }
    if let Some(error) = error.downcast_ref::<escape::Error>() {
        return Some(catalogue::text(&error.into()));
    }
    if let Some(error) = error.downcast_ref::<encoding::Error>() {
        return Some(catalogue::text(&error.into()));
    }
    if let Some(error) = error.downcast_ref::<pattern::Error>() {
        return Some(catalogue::text(&error.into()));
    }
    if let Some(error) = error.downcast_ref::<template::Error>() {
        return Some(catalogue::text(&error.into()));
    }
    let error = error.downcast_ref::<io::Error>()?;
    let inner = error.get_ref();
    inner
        .and_then(|inner| inner.downcast_ref::<Sentence>())
        .map(catalogue::text)
        .or_else(|| of_system(&error.to_string()))
}

/// The sentence for the system's message.
type Say = fn(&str) -> Sentence;

/// The beginnings of a Unix system's messages (`strerror(3)`, on Linux or macOS), or of the messages that Rust's
/// library uses instead.
#[rustfmt::skip]
const OF_SYSTEM: [(&str, Say); 45] = [
    ("No such file or directory", |system| sentence!("value.os-no-file", system = system)),
    ("Permission denied", |system| sentence!("value.os-denied", system = system)),
    ("Operation not permitted", |system| sentence!("value.os-not-permitted", system = system)),
    ("Is a directory", |system| sentence!("value.os-is-folder", system = system)),
    ("is a directory", |system| sentence!("value.os-is-folder", system = system)),
    ("Not a directory", |system| sentence!("value.os-not-folder", system = system)),
    ("not a directory", |system| sentence!("value.os-not-folder", system = system)),
    ("File exists", |system| sentence!("value.os-exists", system = system)),
    ("Directory not empty", |system| sentence!("value.os-not-empty", system = system)),
    ("File name too long", |system| sentence!("value.os-long-name", system = system)),
    ("File too large", |system| sentence!("value.os-large", system = system)),
    ("Too many open files", |system| sentence!("value.os-many-files", system = system)),
    ("Too many levels of symbolic links", |system| sentence!("value.os-links", system = system)),
    ("Text file busy", |system| sentence!("value.os-text-busy", system = system)),
    ("Cannot allocate memory", |system| sentence!("value.os-no-memory", system = system)),
    ("Disk quota exceeded", |system| sentence!("value.os-quota", system = system)),
    ("Invalid argument", |system| sentence!("value.os-invalid", system = system)),
    ("Operation not supported", |system| sentence!("value.os-unsupported", system = system)),
    ("Broken pipe", |system| sentence!("value.os-pipe", system = system)),
    ("Address already in use", |system| sentence!("value.os-in-use", system = system)),
    ("Cannot assign requested address", |system| sentence!("value.os-not-ours", system = system)),
    ("Can't assign requested address", |system| sentence!("value.os-not-ours", system = system)),
    ("Network is unreachable", |system| sentence!("value.os-unreachable", system = system)),
    ("Network is down", |system| sentence!("value.os-network-down", system = system)),
    ("No route to host", |system| sentence!("value.os-no-route", system = system)),
    ("Host is down", |system| sentence!("value.os-no-route", system = system)),
    ("No buffer space available", |system| sentence!("value.os-no-buffer", system = system)),
    ("Device or resource busy", |system| sentence!("value.os-busy", system = system)),
    ("Resource busy", |system| sentence!("value.os-busy", system = system)),
    ("No space left on device", |system| sentence!("value.os-full", system = system)),
    ("Input/output error", |system| sentence!("value.os-io", system = system)),
    ("Device not configured", |system| sentence!("value.os-io", system = system)),
    ("No such device", |system| sentence!("value.os-no-device", system = system)),
    ("Inappropriate ioctl for device", |system| sentence!("value.os-not-terminal", system = system)),
    ("Not a typewriter", |system| sentence!("value.os-not-typewriter", system = system)),
    ("Read-only file system", |system| sentence!("value.os-read-only", system = system)),
    ("failed to lookup address information", |system| sentence!("value.os-no-name", system = system)),
    ("Message too long", |system| sentence!("value.os-too-long", system = system)),
    ("Connection timed out", |system| sentence!("value.os-timed-out", system = system)),
    ("Operation timed out", |system| sentence!("value.os-timed-out", system = system)),
    ("Connection refused", |system| sentence!("value.os-refused", system = system)),
    ("Connection reset by peer", |system| sentence!("value.os-reset", system = system)),
    ("unexpected end of file", |system| sentence!("value.os-eof", system = system)),
    ("failed to fill whole buffer", |system| sentence!("value.os-eof", system = system)),
    ("stream did not contain valid UTF-8", |system| sentence!("value.os-not-utf-8", system = system)),
];

/// A Unix system's message, translated into the user's language; Windows translates its own messages.
pub(super) fn of_system(text: &str) -> Option<String> {
    // Remove the name that tempfile adds: the user does not know that temporary file.
    let text = text
        .split_once(" at path \"")
        .map_or(text, |(text, _)| text);
    let known = OF_SYSTEM.iter().find(|(start, _)| text.starts_with(start));
    let (_, say) = known?;
    Some(catalogue::text(&say(text)))
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
