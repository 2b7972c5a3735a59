//! What a datagram carries: literal text and its escapes, hex digits, encodings, sequenced payloads, and the
//! sources that `send` takes payloads from.

pub mod sequence;
pub mod source;

use crate::text::encoding::TextEncoding;
use crate::text::escape;
use crate::udp::error::Error;

/// The message that the tutorial's client sends (28 bytes).
pub const TUTORIAL_MESSAGE: &[u8] = b"hello message from mPython\r\n";

/// Bytes that the tutorial's server reads of a datagram (`recvfrom(1024)`); it never sees the rest.
pub const TUTORIAL_RECV_SIZE: usize = 1024;

/// Turns what a user typed into payload bytes.
#[derive(Debug, Clone, Copy)]
pub struct TextRules {
    /// Read `\n`, `\xNN` and their like.
    pub escapes: bool,
    /// The encoding of the text on the wire.
    pub encoding: TextEncoding,
    /// Appended to every payload, in its encoding.
    pub line_ending: &'static str,
}

impl TextRules {
    /// Whether text goes to the wire as it came.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        !self.escapes && self.encoding.sends_utf8() && self.line_ending.is_empty()
    }

    /// Appends the payload for `text` to `out`. `what` names the text in an error.
    ///
    /// # Errors
    /// An escape that is not one, or a character that the encoding lacks.
    pub fn append(&self, text: &str, what: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let encode = |text: &str, out: &mut Vec<u8>| {
            self.encoding
                .encode(text, out)
                .map_err(|source| Error::Encode {
                    what: what.to_owned(),
                    source,
                })
        };
        if self.escapes {
            for piece in escape::pieces(text) {
                match piece.map_err(|source| Error::Escape {
                    what: what.to_owned(),
                    source,
                })? {
                    escape::Piece::Text(text) => encode(text, out)?,
                    escape::Piece::Char(character) => {
                        encode(character.encode_utf8(&mut [0; 4]), out)?;
                    }
                    escape::Piece::Byte(byte) => out.push(byte),
                }
            }
        } else {
            encode(text, out)?;
        }
        encode(self.line_ending, out)
    }
}
