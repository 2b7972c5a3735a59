//! `rfc2217://HOST:PORT`: a serial port over Telnet with its baud rate and control lines (RFC 2217), as `ser2net`,
//! `pyserial` and `esp_rfc2217_server` offer it.

use std::io;
use std::time::Duration;

use super::{LineFault, Port, tcp::Tcp};
use crate::shutdown::Shutdown;

// Telnet commands (RFC 854). A byte 255 in the data is sent twice, so that it is not taken for IAC.
const IAC: u8 = 255;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const SB: u8 = 250;
const SE: u8 = 240;
/// Telnet options: 8-bit data, no go-ahead signals, and the serial port itself.
const BINARY: u8 = 0; // RFC 856
const SUPPRESS_GO_AHEAD: u8 = 3; // RFC 858
const COM_PORT: u8 = 44;
/// Commands of the COM-PORT option.
const SET_BAUD_RATE: u8 = 1;
const SET_CONTROL: u8 = 5;

/// Escape and send at most this much at once.
const PIECE: usize = 256;

/// The limit for unsent bytes. A server that sends option requests and never reads the replies must not fill our
/// memory; a normal one sends about a dozen.
const MAX_WAITING: usize = 16 << 10;

/// How long to wait for a server that accepts nothing after Ctrl-C.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// A Telnet connection with RFC 2217.
#[derive(Debug)]
pub(super) struct Rfc2217 {
    tcp: Tcp,
    telnet: Telnet,
    received: Vec<u8>,
    /// Escaped bytes and commands that wait for buffer space.
    to_send: Vec<u8>,
}

impl Rfc2217 {
    /// Negotiates the options and sets the baud rate. Fails if the server accepts no commands.
    pub(super) fn over(tcp: Tcp, baud: u32) -> io::Result<Self> {
        let mut port = Self {
            tcp,
            telnet: Telnet::default(),
            received: vec![0; 4096],
            to_send: Vec::new(),
        };
        // Both directions carry 8-bit data, and the server supports the port's options. udpcli reads the server's
        // replies together with the board's bytes, and never waits for them.
        for (verb, option) in [
            (WILL, BINARY),
            (DO, BINARY),
            (WILL, SUPPRESS_GO_AHEAD),
            (DO, SUPPRESS_GO_AHEAD),
            (WILL, COM_PORT),
        ] {
            port.to_send.extend([IAC, verb, option]);
        }
        port.set_baud(baud)?;
        Ok(port)
    }

    /// Sends a SET-CONTROL command; RFC 2217 numbers DTR on and off 8 and 9, RTS 11 and 12.
    fn control(&mut self, value: u8) -> io::Result<()> {
        self.to_send
            .extend([IAC, SB, COM_PORT, SET_CONTROL, value, IAC, SE]);
        self.flush()
    }

    /// Sends the waiting bytes; a timeout must not cut off a command.
    fn flush(&mut self) -> io::Result<()> {
        let asked_at = || Shutdown::current().asked_at();
        for _ in 0..100 {
            if self.to_send.is_empty() {
                return Ok(());
            }
            self.push(super::TICK)?;
            if asked_at().is_some_and(|asked_at| asked_at.elapsed() > LAST_WAIT) {
                break;
            }
        }
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            LineFault::TakesNoCommands,
        ))
    }

    /// Sends as many bytes as the connection accepts within `timeout`.
    fn push(&mut self, timeout: Duration) -> io::Result<()> {
        let sent = self.tcp.write(&self.to_send, timeout)?;
        self.to_send.drain(..sent);
        Ok(())
    }
}

impl Port for Rfc2217 {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let room = buffer.len().min(self.received.len());
        let raw = self.received.get_mut(..room).unwrap_or_default();
        let read = self.tcp.read(raw, timeout)?;
        let mut len = 0;
        // Send before looking at the received bytes, because each of them may add three bytes to the queue.
        if self.to_send.len() > MAX_WAITING {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                LineFault::ReadsNoAnswers,
            ));
        }
        for &byte in raw.iter().take(read) {
            if let Some(byte) = self.telnet.take(byte, &mut self.to_send)
                && let Some(place) = buffer.get_mut(len)
            {
                *place = byte;
                len += 1;
            }
        }
        // Replies go out while udpcli reads, because it may write nothing for a long time.
        if !self.to_send.is_empty() {
            self.push(timeout)?;
        }
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        if !self.to_send.is_empty() {
            self.push(timeout)?;
            if !self.to_send.is_empty() {
                return Ok(0);
            }
        }
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        for &byte in piece {
            self.to_send.push(byte);
            if byte == IAC {
                self.to_send.push(IAC);
            }
        }
        self.push(timeout)?;
        // The whole piece counts as written, even if some of its bytes are still queued here: an escape pair or a
        // command must not be cut off and sent twice.
        Ok(piece.len())
    }

    /// The operating system has already taken the bytes.
    fn discard_output(&mut self) {}

    fn set_dtr(&mut self, level: bool) -> io::Result<()> {
        self.control(if level { 8 } else { 9 })
    }

    fn set_rts(&mut self, level: bool) -> io::Result<()> {
        self.control(if level { 11 } else { 12 })
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.to_send.extend([IAC, SB, COM_PORT, SET_BAUD_RATE]);
        for byte in baud.to_be_bytes() {
            self.to_send.push(byte);
            if byte == IAC {
                self.to_send.push(IAC);
            }
        }
        self.to_send.extend([IAC, SE]);
        self.flush()
    }

    fn can_change_rate(&self) -> bool {
        true
    }
}

/// Removes Telnet's own bytes from the stream.
#[derive(Debug, Default)]
pub enum Telnet {
    /// In the board's bytes.
    #[default]
    Data,
    /// After an IAC.
    Command,
    /// After this verb: an option follows.
    Option(u8),
    /// Inside a subnegotiation.
    Subnegotiation,
    /// Inside a subnegotiation, after an IAC.
    SubnegotiationCommand,
}

impl Telnet {
    /// The board's byte in `byte`, if it is one; appends the reply for the server to `answer`.
    pub fn take(&mut self, byte: u8, answer: &mut Vec<u8>) -> Option<u8> {
        let (next, data) = match (&*self, byte) {
            (Self::Data, IAC) => (Self::Command, None),
            (Self::Data, byte) => (Self::Data, Some(byte)),
            (Self::Command, IAC) => (Self::Data, Some(IAC)),
            (Self::Command, verb @ (WILL | WONT | DO | DONT)) => (Self::Option(verb), None),
            (Self::Command, SB) => (Self::Subnegotiation, None),
            (Self::Option(verb), option) => {
                let known = matches!(option, BINARY | SUPPRESS_GO_AHEAD | COM_PORT);
                // Replies to our own requests need no answer; decline everything else.
                match *verb {
                    WILL if !known => answer.extend([IAC, DONT, option]),
                    DO if !known => answer.extend([IAC, WONT, option]),
                    _ => {}
                }
                (Self::Data, None)
            }
            (Self::Subnegotiation, IAC) => (Self::SubnegotiationCommand, None),
            // Other commands have no argument.
            (Self::Command, _) | (Self::SubnegotiationCommand, SE) => (Self::Data, None),
            (Self::Subnegotiation | Self::SubnegotiationCommand, _) => (Self::Subnegotiation, None),
        };
        *self = next;
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn telnet_commands_are_taken_out_and_doubled_bytes_are_one() {
        let stream = [
            b'a', IAC, IAC, b'b', IAC, WILL, COM_PORT, IAC, SB, COM_PORT, 107, 48, IAC, IAC, 1,
            IAC, SE, b'c', IAC, DO, 24, b'd',
        ];
        let mut telnet = Telnet::default();
        let mut answer = Vec::new();
        let data: Vec<u8> = stream
            .iter()
            .filter_map(|&byte| telnet.take(byte, &mut answer))
            .collect();
        assert_eq!(data, [b'a', IAC, b'b', b'c', b'd']);
        assert_eq!(answer, [IAC, WONT, 24]);
    }
    proptest! {
        #[test]
        fn escaped_bytes_are_decoded_unchanged(data in proptest::collection::vec(prop_oneof![Just(IAC), any::<u8>()], 0..64)) {
            let mut telnet = Telnet::default();
            let mut answer = Vec::new();
            let stream = data.iter().flat_map(|&byte| std::iter::repeat_n(byte, if byte == IAC { 2 } else { 1 }));
            let came: Vec<u8> = stream.filter_map(|byte| telnet.take(byte, &mut answer)).collect();
            prop_assert_eq!(came, data);
            prop_assert!(answer.is_empty());
        }

        #[test]
        fn any_stream_is_parsed_and_the_replies_are_shorter(stream in proptest::collection::vec(prop_oneof![Just(IAC), Just(SB), Just(DO), any::<u8>()], 0..64)) {
            let mut telnet = Telnet::default();
            let mut answer = Vec::new();
            let came = stream.iter().filter_map(|&byte| telnet.take(byte, &mut answer)).count();
            prop_assert!(came + answer.len() <= stream.len());
        }
    }
}
