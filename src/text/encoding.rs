//! Encodes and decodes text in other encodings than UTF-8: WHATWG labels through `encoding_rs`, and `auto`.

use std::str::FromStr;

use encoding_rs::{DecoderResult, EncoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::text::escape;
use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};

/// The text has a character that the encoding does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{encoding} has no {character:?} (U+{:04X})", u32::from(*.character))]
pub struct Error {
    /// The character.
    pub(crate) character: char,
    /// The encoding's name.
    pub(crate) encoding: &'static str,
}

impl From<&Error> for Sentence {
    fn from(error: &Error) -> Self {
        sentence!(
            "value.no-character",
            encoding = error.encoding,
            character = format!("{:?}", error.character),
            code = format!("{:04X}", u32::from(error.character))
        )
    }
}

/// The encoding of payload text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// Decodes UTF-8, and falls back to GBK if the bytes are not valid UTF-8. Encodes UTF-8, but for text that was
    /// decoded from GBK.
    Auto,
    /// One encoding of the WHATWG Encoding standard.
    Named(&'static Encoding),
}

impl Default for TextEncoding {
    fn default() -> Self {
        Self::Named(UTF_8)
    }
}

impl FromStr for TextEncoding {
    type Err = Sentence;

    fn from_str(label: &str) -> Result<Self, Sentence> {
        let label = fullwidth::to_ascii(label);
        if label.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        // Aliases from Windows code pages, Python and other tools that are not WHATWG labels.
        let label = match label.to_ascii_lowercase().as_str() {
            "cp936" | "ms936" | "windows-936" => "gbk".to_owned(),
            "cp54936" | "gb-18030" | "gb18030-2005" | "gb18030-2022" => "gb18030".to_owned(),
            "cp950" | "ms950" | "windows-950" => "big5".to_owned(),
            "cp932" | "ms932" => "shift_jis".to_owned(),
            "cp949" | "ms949" => "euc-kr".to_owned(),
            "cp65001" | "utf_8" | "utf-8-sig" | "utf8-sig" => "utf-8".to_owned(),
            "utf16" | "utf_16" | "utf16le" => "utf-16le".to_owned(),
            "utf16be" => "utf-16be".to_owned(),
            _ => label.into_owned(),
        };
        // The standard maps encodings that are unsafe to decode to "replacement"; reject those.
        match Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) => Ok(Self::Named(encoding)),
            None => Err(sentence!("value.encoding")),
        }
    }
}

/// A decoded part of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodedPart<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes that are not valid in this encoding.
    Bytes(&'a [u8]),
}

impl TextEncoding {
    /// Whether text is sent as UTF-8.
    #[must_use]
    pub(crate) fn sends_utf8(self) -> bool {
        match self {
            Self::Auto => true,
            Self::Named(encoding) => encoding == UTF_8,
        }
    }

    /// Encodes `text` and appends it.
    ///
    /// # Errors
    /// The encoding does not have one of the characters.
    pub(crate) fn encode(self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let encoding = match self {
            Self::Auto => UTF_8,
            Self::Named(encoding) => encoding,
        };
        if encoding == UTF_8 {
            out.extend_from_slice(text.as_bytes());
        } else if encoding == UTF_16LE {
            out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        } else if encoding == UTF_16BE {
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        } else {
            // The WHATWG standard has no UTF-16 encoder, hence the branches above. Its other encoders replace a missing
            // character with `&#NNNN;`; report an error instead.
            let mut encoder = encoding.new_encoder();
            let mut rest = text;
            loop {
                let room = encoder
                    .max_buffer_length_from_utf8_without_replacement(rest.len())
                    .unwrap_or(rest.len() * 4 + 16);
                out.reserve(room);
                let (result, read) =
                    encoder.encode_from_utf8_to_vec_without_replacement(rest, out, true);
                rest = rest.get(read..).unwrap_or_default();
                match result {
                    EncoderResult::InputEmpty => break,
                    EncoderResult::OutputFull => {}
                    EncoderResult::Unmappable(character) => {
                        return Err(Error {
                            character,
                            encoding: encoding.name(),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Encodes text that this encoding decoded from `len` bytes, and appends it. Where `auto` decoded GBK, the length
    /// tells: UTF-8 has other lengths for all that is not ASCII.
    ///
    /// # Errors
    /// The encoding does not have one of the characters.
    pub(crate) fn encode_again(
        self,
        text: &str,
        len: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let was_gbk = self == Self::Auto && len.is_some_and(|len| len != text.len());
        let encoding = if was_gbk {
            Self::Named(encoding_rs::GBK)
        } else {
            self
        };
        encoding.encode(text, out)
    }

    /// The beginning of a payload as text, escaped; the bytes if they are not valid in this encoding.
    #[must_use]
    pub(crate) fn excerpt(self, payload: &[u8]) -> String {
        let mut scratch = String::new();
        let text = self.decode(payload, &mut scratch);
        escape::excerpt(text.map_or(payload, str::as_bytes))
    }

    /// Decodes the payload; `None` if it is not valid in this encoding. `scratch` is a reused buffer for the converted
    /// text.
    pub(crate) fn decode<'a>(self, payload: &'a [u8], scratch: &'a mut String) -> Option<&'a str> {
        match self {
            Self::Named(encoding) if encoding == UTF_8 => std::str::from_utf8(payload).ok(),
            Self::Auto => match std::str::from_utf8(payload) {
                Ok(text) => Some(text),
                Err(_) => convert(encoding_rs::GBK, payload, scratch),
            },
            Self::Named(encoding) => convert(encoding, payload, scratch),
        }
    }

    /// Splits the payload into valid text and invalid bytes, and passes each part to `each` in order.
    pub(crate) fn parts(
        self,
        payload: &[u8],
        scratch: &mut String,
        mut each: impl FnMut(DecodedPart<'_>),
    ) {
        if let Some(text) = self.decode(payload, scratch) {
            each(DecodedPart::Text(text));
            return;
        }
        match self {
            Self::Named(encoding) if encoding != UTF_8 => {
                convert_parts(encoding, payload, scratch, each);
            }
            _ => {
                for chunk in payload.utf8_chunks() {
                    each(DecodedPart::Text(chunk.valid()));
                    each(DecodedPart::Bytes(chunk.invalid()));
                }
            }
        }
    }
}

/// Decodes all of `payload`; `None` if any byte is invalid.
fn convert<'a>(
    encoding: &'static Encoding,
    payload: &[u8],
    scratch: &'a mut String,
) -> Option<&'a str> {
    // A byte-order mark is part of the payload: it must not switch the encoding or vanish.
    let mut decoder = encoding.new_decoder_without_bom_handling();
    scratch.clear();
    scratch.reserve(decoder.max_utf8_buffer_length_without_replacement(payload.len())?);
    match decoder.decode_to_string_without_replacement(payload, scratch, true) {
        (DecoderResult::InputEmpty, _) => Some(scratch),
        _ => None,
    }
}

/// Decodes part by part, and passes invalid bytes on as they are.
fn convert_parts(
    encoding: &'static Encoding,
    payload: &[u8],
    scratch: &mut String,
    mut each: impl FnMut(DecodedPart<'_>),
) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut done = 0;
    loop {
        let rest = payload.get(done..).unwrap_or_default();
        scratch.clear();
        scratch.reserve(
            decoder
                .max_utf8_buffer_length_without_replacement(rest.len())
                .unwrap_or(0)
                // Room for at least one character, or the loop would not get on.
                .max(16),
        );
        let (result, read) = decoder.decode_to_string_without_replacement(rest, scratch, true);
        done += read;
        each(DecodedPart::Text(scratch));
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                // The malformed sequence ends `after` bytes before the decoder's position (see
                // `DecoderResult::Malformed`).
                let end = done.saturating_sub(usize::from(after));
                let start = end.saturating_sub(usize::from(length));
                each(DecodedPart::Bytes(
                    payload.get(start..end).unwrap_or_default(),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn named(label: &str) -> TextEncoding {
        label.parse().unwrap()
    }

    fn parts(encoding: TextEncoding, payload: &[u8]) -> String {
        let mut out = String::new();
        encoding.parts(payload, &mut String::new(), |part| match part {
            DecodedPart::Text(text) => out.push_str(text),
            DecodedPart::Bytes(bytes) => {
                for byte in bytes {
                    write!(out, "<{byte:02x}>").unwrap();
                }
            }
        });
        out
    }

    #[test]
    fn chinese_goes_out_in_gbk_and_comes_back() {
        let mut bytes = Vec::new();
        named("gbk").encode("你好", &mut bytes).unwrap();
        assert_eq!(bytes, b"\xc4\xe3\xba\xc3");
        let mut scratch = String::new();
        assert_eq!(named("gbk").decode(&bytes, &mut scratch), Some("你好"));
        assert_eq!(
            TextEncoding::Auto.decode(&bytes, &mut scratch),
            Some("你好")
        );
        assert_eq!(
            TextEncoding::Auto.decode("你好".as_bytes(), &mut scratch),
            Some("你好")
        );
        assert_eq!(TextEncoding::default().decode(&bytes, &mut scratch), None);
    }

    #[test]
    fn a_character_the_encoding_lacks_is_named() {
        let error = named("big5").encode("a😀", &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "Big5 has no '😀' (U+1F600)");
    }

    #[test]
    fn utf16_is_sent_as_utf16() {
        let mut bytes = Vec::new();
        named("utf-16le").encode("a你", &mut bytes).unwrap();
        assert_eq!(bytes, b"a\0\x60\x4f");
        assert_eq!(
            named("utf-16le").decode(&bytes, &mut String::new()),
            Some("a你")
        );
    }

    #[test]
    fn code_pages_are_labels_too() {
        for (label, like) in [
            ("cp936", "gbk"),
            ("CP950", "big5"),
            ("gb-18030", "gb18030"),
            ("utf-8-sig", "utf-8"),
            ("cp932", "shift_jis"),
        ] {
            assert_eq!(named(label), named(like), "{label}");
        }
    }

    #[test]
    fn labels_that_nobody_may_decode_are_refused() {
        // The Encoding Standard has this label only to refuse it (*replacement*), because text in it can hide other
        // text.
        assert!("hz-gb-2312".parse::<TextEncoding>().is_err());
        assert!("nonsense".parse::<TextEncoding>().is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_in_place() {
        assert_eq!(parts(named("gbk"), b"a\xffb\xc4\xe3\xc4"), "a<ff>b你<c4>");
        assert_eq!(parts(TextEncoding::Auto, b"a\xffb"), "a<ff>b");
        assert_eq!(parts(named("utf-16le"), b"a\0b"), "a<62>");
        assert_eq!(parts(TextEncoding::default(), b"\xe4\xbd"), "<e4><bd>");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_any_decoder(bytes in prop::collection::vec(any::<u8>(), 0..64),
                                      label in prop::sample::select(vec!["auto", "utf-8", "gbk", "gb18030", "big5", "shift_jis", "euc-kr", "iso-2022-jp", "utf-16le", "utf-16be", "windows-1252"])) {
            let _ = parts(named(label), &bytes);
        }

        #[test]
        fn text_round_trips(text in "\\PC*", label in prop::sample::select(vec!["utf-8", "gb18030", "utf-16le", "utf-16be"])) {
            let mut bytes = Vec::new();
            named(label).encode(&text, &mut bytes).unwrap();
            let mut scratch = String::new();
            prop_assert_eq!(named(label).decode(&bytes, &mut scratch), Some(text.as_str()));
        }
    }
}
