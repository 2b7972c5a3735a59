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
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    inner.downcast_ref::<Sentence>().map(catalogue::text)
}
