//! The datagrams of `listen --format json` and `--save FILE.jsonl`: docs/datagram.schema.json.

use std::io::Read;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use crate::capture::read::{CaptureInput, Error};
use crate::text::encoding::TextEncoding;
use crate::text::sentence::{Sentence, sentence};

/// The longest line: a datagram in which every byte is written with six characters is shorter.
const MAX_LINE: usize = 1 << 20;

/// What a line was.
#[derive(Debug)]
pub(super) enum JsonLine {
    /// The input has no more lines.
    End,
    /// The line has only blanks.
    Empty,
    /// The payload was truncated when it was received.
    Cut,
    /// The payload is in the buffer.
    Datagram {
        /// In nanoseconds since the Unix epoch.
        time: i128,
        /// The sender.
        from: SocketAddr,
        /// The destination port.
        to_port: u16,
    },
}

/// Reads the next line, whose number is `number`.
pub(super) fn next<R: Read>(
    input: &mut CaptureInput<R>,
    number: u64,
    encoding: TextEncoding,
    payload: &mut Vec<u8>,
) -> Result<JsonLine, Error> {
    let wrong = |problem: Sentence| {
        Error::Wrong(sentence!("replay.line", number = number, problem => problem))
    };
    let mut scanned = 0;
    let len = loop {
        let rest = input.rest();
        if let Some(at) = memchr::memchr(b'\n', rest.get(scanned..).unwrap_or_default()) {
            break scanned + at;
        }
        scanned = rest.len();
        if scanned > MAX_LINE {
            return Err(wrong(sentence!("replay.long-line")));
        }
        if !input.read()? {
            if scanned == 0 {
                return Ok(JsonLine::End);
            }
            break scanned;
        }
    };
    let line = input.rest().get(..len).unwrap_or_default();
    let read = if line.trim_ascii().is_empty() {
        Ok(JsonLine::Empty)
    } else {
        datagram(line, encoding, payload)
    };
    input.skip(len + 1);
    read.map_err(wrong)
}

/// Reads one object; the payload goes into `payload`.
fn datagram(
    line: &[u8],
    encoding: TextEncoding,
    payload: &mut Vec<u8>,
) -> Result<JsonLine, Sentence> {
    let object: Value = serde_json::from_slice(line).map_err(|_| sentence!("replay.no-json"))?;
    let text = |key: &'static str| object.get(key).and_then(Value::as_str);
    let missing = |key: &'static str| sentence!("replay.no-key", key = key);
    // A value of the wrong type counts as missing: in both cases `listen` did not write the line.
    let time = text("time").and_then(|time| time.parse::<Timestamp>().ok());
    let time = time.ok_or_else(|| missing("time"))?.as_nanosecond();
    let address = |key| text(key).and_then(|text| text.parse::<SocketAddr>().ok());
    let from = address("from").ok_or_else(|| missing("from"))?;
    let to_port = address("to").ok_or_else(|| missing("to"))?.port();
    // `len` is then the truncated length, and the rest cannot be sent.
    if object.get("truncated") == Some(&Value::Bool(true)) {
        return Ok(JsonLine::Cut);
    }
    let len = match object.get("len") {
        None => None,
        Some(len) => {
            let len = len.as_u64().and_then(|len| u16::try_from(len).ok());
            Some(usize::from(len.ok_or_else(|| missing("len"))?))
        }
    };
    payload.clear();
    match (text("text"), text("base64")) {
        (Some(text), _) => {
            let encoded = encoding.encode_again(text, len, payload);
            encoded.map_err(|_| sentence!("replay.other-encoding"))?;
        }
        (None, Some(base64)) => {
            let decoded = STANDARD.decode_vec(base64, payload);
            decoded.map_err(|_| missing("base64"))?;
        }
        (None, None) => return Err(missing("text")),
    }
    // Text that was decoded with one encoding and is encoded with another gives other bytes, and mostly another
    // length.
    if let Some(len) = len.filter(|len| *len != payload.len()) {
        return Err(match text("text") {
            Some(_) => sentence!("replay.other-encoding"),
            None => sentence!("replay.other-len", len = len, is = payload.len()),
        });
    }
    Ok(JsonLine::Datagram {
        time,
        from,
        to_port,
    })
}
