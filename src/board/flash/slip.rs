//! SLIP frames (RFC 1055), which carry the protocol of the ROM loader and its stub.

// A frame begins and ends with END. In the data, ESC ESC_END stands for END, and ESC ESC_ESC for ESC.
const END: u8 = 0xc0;
const ESC: u8 = 0xdb;
const ESC_END: u8 = 0xdc;
const ESC_ESC: u8 = 0xdd;

/// The longest frame from the chip is a sector of flash; longer input is noise.
const MAX_FRAME: usize = 0x4000;

/// Appends `payload` to `frames` as one frame.
pub fn encode(payload: &[u8], frames: &mut Vec<u8>) {
    frames.reserve(payload.len() + payload.len() / 64 + 2);
    frames.push(END);
    for &byte in payload {
        match byte {
            END => frames.extend_from_slice(&[ESC, ESC_END]),
            ESC => frames.extend_from_slice(&[ESC, ESC_ESC]),
            _ => frames.push(byte),
        }
    }
    frames.push(END);
}

/// Finds frames in the input from the chip, and skips what is between them.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// The bytes of the present frame, decoded.
    frame: Vec<u8>,
    /// Whether an END has been seen.
    inside: bool,
    /// Whether the last byte was an ESC.
    escaped: bool,
}

impl FrameDecoder {
    /// Discards a partial frame.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes one byte; returns the frame that it completes, if any.
    ///
    /// An END at the start of a frame may also be the end of noise, so empty frames are skipped.
    pub fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte == END {
            self.escaped = false;
            let whole = self.inside && !self.frame.is_empty();
            self.inside = true;
            let frame = std::mem::take(&mut self.frame);
            return whole.then_some(frame);
        }
        if !self.inside {
            return None;
        }
        let byte = match (std::mem::take(&mut self.escaped), byte) {
            (false, ESC) => {
                self.escaped = true;
                return None;
            }
            (true, ESC_END) => END,
            (true, ESC_ESC) => ESC,
            (_, byte) => byte,
        };
        self.frame.push(byte);
        if self.frame.len() > MAX_FRAME {
            self.reset();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut decoder = FrameDecoder::default();
        bytes
            .iter()
            .filter_map(|&byte| decoder.push(byte))
            .collect()
    }

    #[test]
    fn text_before_a_frame_is_left_out() {
        let mut bytes = b"waiting for download\r\n".to_vec();
        encode(&[1, END, ESC, 2], &mut bytes);
        assert_eq!(decode(&bytes), [vec![1, END, ESC, 2]]);
    }

    #[test]
    fn a_lost_end_marker_costs_one_frame() {
        let mut bytes = Vec::new();
        encode(b"one", &mut bytes);
        bytes.pop();
        encode(b"two", &mut bytes);
        assert_eq!(decode(&bytes), [b"one".to_vec(), b"two".to_vec()]);
    }

    proptest! {
        #[test]
        fn encoded_payloads_are_decoded_unchanged(payloads: Vec<Vec<u8>>) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                encode(payload, &mut bytes);
            }
            let expected: Vec<_> = payloads.into_iter().filter(|payload| !payload.is_empty()).collect();
            prop_assert_eq!(decode(&bytes), expected);
        }

        #[test]
        fn noise_takes_bounded_memory(noise: Vec<u8>) {
            let mut decoder = FrameDecoder::default();
            for byte in noise {
                decoder.push(byte);
                prop_assert!(decoder.frame.len() <= MAX_FRAME);
            }
        }
    }
}
