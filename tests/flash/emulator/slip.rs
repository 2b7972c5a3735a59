//! SLIP (RFC 1055): frames between 0xC0 bytes.

const END: u8 = 0xc0;
const ESC: u8 = 0xdb;
const ESC_END: u8 = 0xdc;
const ESC_ESC: u8 = 0xdd;

/// Encodes `payload` as a frame.
pub(crate) fn encode(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![END];
    for &byte in payload {
        match byte {
            END => frame.extend([ESC, ESC_END]),
            ESC => frame.extend([ESC, ESC_ESC]),
            byte => frame.push(byte),
        }
    }
    frame.push(END);
    frame
}

/// Finds frames in a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    frame: Option<Vec<u8>>,
    escaped: bool,
}

impl Decoder {
    /// Takes one byte; returns the frame that it completes.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        let Some(frame) = &mut self.frame else {
            if byte == END {
                self.frame = Some(Vec::new());
            }
            return None;
        };
        match (std::mem::take(&mut self.escaped), byte) {
            (false, END) if frame.is_empty() => None,
            (false, END) => self.frame.take(),
            (false, ESC) => {
                self.escaped = true;
                None
            }
            (true, ESC_END) => {
                frame.push(END);
                None
            }
            (true, ESC_ESC) => {
                frame.push(ESC);
                None
            }
            (true, _) => {
                // Not a frame of the protocol: wait for the next start.
                self.frame = None;
                None
            }
            (false, byte) => {
                // The largest frame is a block of 16 KB with its headers.
                if frame.len() > 0x4100 {
                    self.frame = None;
                    return None;
                }
                frame.push(byte);
                None
            }
        }
    }
}
