//! Writes settings as TOML, so that the output of `udpcli config` can be copied into a file.

use std::fmt::Write as _;

use jiff::SignedDuration;

use super::{Append, ByteOrder, ConfiguredPayload, ConfiguredReply, Message, PayloadForm};

/// Formats a text as a TOML basic string. Control characters and invisible characters become `\uXXXX`, so that they
/// cannot affect a terminal.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str(r"\\"),
            '\n' => quoted.push_str(r"\n"),
            '\r' => quoted.push_str(r"\r"),
            '\t' => quoted.push_str(r"\t"),
            _ if character.is_control() || crate::text::reorders_or_hides(character) => {
                let code = u32::from(character);
                // Writing to a String cannot fail.
                let _ = if code > 0xffff {
                    write!(quoted, r"\U{code:08x}")
                } else {
                    write!(quoted, r"\u{code:04x}")
                };
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

impl Append {
    /// The form in configuration files.
    #[must_use]
    pub(crate) fn to_text(self) -> String {
        let order = match self.order {
            None => "",
            Some(ByteOrder::Little) => ":le",
            Some(ByteOrder::Big) => ":be",
        };
        format!("{}{order}", self.check.name())
    }
}

impl ConfiguredPayload {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![match &self.body {
            PayloadForm::Text(text) => ("text", text.clone()),
            PayloadForm::Hex(bytes) => {
                let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                ("hex", digits.join(" "))
            }
            PayloadForm::Template(text) => ("template", text.clone()),
            PayloadForm::File(path) => ("file", path.clone()),
        }];
        let encoding = self.encoding.as_ref();
        pairs.extend(encoding.map(|encoding| ("encoding", encoding.label.clone())));
        pairs.extend(self.append.map(|append| ("append", append.to_text())));
        pairs
    }
}

/// Formats a duration, such as `2s` or `250ms`, so that parsing it gives the same value.
fn duration_text(duration: std::time::Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(
        |_| format!("{}s", duration.as_secs()),
        |duration| format!("{duration:#}"),
    )
}

impl Message {
    /// Its keys and values, in output order.
    #[must_use]
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = self.content.pairs();
        pairs.extend(self.expect.clone().map(|expect| ("expect", expect)));
        pairs.extend(self.wait.map(|wait| ("wait", duration_text(wait))));
        pairs
    }
}

impl ConfiguredReply {
    /// Its keys and values, in output order.
    #[must_use]
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("on", self.on.clone())];
        pairs.extend(self.content.pairs());
        pairs.extend(self.delay.map(|delay| ("delay", duration_text(delay))));
        pairs.extend(self.drop.map(|drop| ("drop", format!("{drop}%"))));
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quoted_text_is_safe_to_look_at() {
        assert_eq!(quoted("a\"b\\c\r\n"), r#""a\"b\\c\r\n""#);
        assert_eq!(quoted("\x1b[31m\u{202e}"), r#""\u001b[31m\u202e""#);
        assert_eq!(quoted("你好"), "\"你好\"");
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_read_back(text in "\\PC{0,12}|[\\x00-\\x7f]{0,8}") {
            let line = format!("a = {}", quoted(&text));
            let table = toml::de::DeTable::parse(&line).unwrap();
            let value = table.get_ref().values().next().unwrap().get_ref().clone();
            prop_assert_eq!(value.as_str().unwrap(), text);
        }
    }
}
