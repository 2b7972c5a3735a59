//! Payloads: literal text with escapes, hex digits, encodings, sequenced payloads, and the sources from which `send`
//! reads payloads.

pub(crate) mod replay;
pub mod sequence;
pub(crate) mod source;
pub(crate) mod templates;

use crate::text::encoding::TextEncoding;
use crate::text::escape;
use crate::text::sentence::Sentence;
use crate::udp::error::Error;

/// The message of the tutorial's client (28 bytes).
pub(crate) const TUTORIAL_MESSAGE: &[u8] = b"hello message from mPython\r\n";

/// The receive size of the tutorial's server (`recvfrom(1024)`); it truncates longer datagrams.
pub(crate) const TUTORIAL_RECV_SIZE: usize = 1024;

/// Rules that turn text from the user into payload bytes.
#[derive(Debug, Clone, Copy)]
pub struct TextRules {
    /// Interpret escapes such as `\n` and `\xNN`.
    pub escapes: bool,
    /// The encoding of the text in the payload.
    pub encoding: TextEncoding,
    /// The line ending to append to every payload, in its encoding.
    pub line_ending: &'static str,
}

impl TextRules {
    /// Whether the payload is exactly the input, so that no conversion is needed.
    #[must_use]
    pub(crate) fn is_verbatim(&self) -> bool {
        !self.escapes && self.encoding.sends_utf8() && self.line_ending.is_empty()
    }

    /// Appends the payload for `text` to `out`. `what` names the text in an error.
    ///
    /// # Errors
    /// An invalid escape, or a character that the encoding does not have.
    pub fn append(
        &self,
        text: &str,
        what: impl Fn() -> Sentence,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let encode = |text: &str, out: &mut Vec<u8>| {
            self.encoding
                .encode(text, out)
                .map_err(|source| Error::Encode {
                    what: what(),
                    source,
                })
        };
        if self.escapes {
            for piece in escape::pieces(text) {
                match piece.map_err(|source| Error::Escape {
                    what: what(),
                    source,
                })? {
                    escape::EscapedPiece::Text(text) => encode(text, out)?,
                    escape::EscapedPiece::Char(character) => {
                        encode(character.encode_utf8(&mut [0; 4]), out)?;
                    }
                    escape::EscapedPiece::Byte(byte) => out.push(byte),
                }
            }
        } else {
            encode(text, out)?;
        }
        encode(self.line_ending, out)
    }
}
