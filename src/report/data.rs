//! JSON inside a page.

use std::fmt::Write as _;

use serde_json::Value;

use crate::text::reorders_or_hides;

/// The JSON text, so that no text in it can end the HTML element or hide: markup and invisible characters become
/// escapes. They can occur only in strings, where JSON allows escapes.
#[must_use]
pub(super) fn in_html(data: &Value) -> String {
    let text = data.to_string();
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        let is_markup = "<>&".contains(character);
        // serde_json escapes what is below a space, but not DEL and what follows it.
        let is_hidden = character.is_control()
            || reorders_or_hides(character)
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
        if is_markup || is_hidden {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// Every text in the value, keys left as they are, through a function.
pub(crate) fn map_texts(data: &mut Value, change: &dyn Fn(&str) -> String) {
    match data {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| map_texts(item, change)),
        Value::Object(map) => map.values_mut().for_each(|value| map_texts(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn markup_and_invisible_characters_are_escapes() {
        let hostile = "</script><!--<script>\u{202e}\u{2028}\u{7f}\u{9b}&\u{1b}\n你";
        let text = in_html(&json!({ "ssid": hostile }));
        assert_eq!(
            text,
            r#"{"ssid":"\u003c/script\u003e\u003c!--\u003cscript\u003e\u202e\u2028\u007f\u009b\u0026\u001b\n你"}"#
        );
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_leaves_its_place(key in any::<String>(), text in any::<String>()) {
            let value = json!({key: [text]});
            let out = in_html(&value);
            prop_assert!(!out.contains(['<', '>', '&']));
            prop_assert!(!out.chars().any(|c| c.is_control() || reorders_or_hides(c)));
            prop_assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), value);
        }
    }
}
