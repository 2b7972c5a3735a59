//! Sends one command to the chip's ROM loader or stub, and reads the reply.
//!
//! esptool's documentation describes the protocol under *Serial Protocol*. A reply has no checksum. So udpcli reads
//! each value that controls the writing twice, and verifies the written data by MD5.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::reply::{CommandReply, SecurityInfo, parse};
use super::slip::{self, FrameDecoder};
use crate::board::port::{Port, TICK};
use crate::wait::{Over, Site, Wait};

/// The commands and their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Op {
    FlashBegin = 0x02,
    FlashData = 0x03,
    MemBegin = 0x05,
    MemEnd = 0x06,
    MemData = 0x07,
    Sync = 0x08,
    WriteReg = 0x09,
    ReadReg = 0x0a,
    SpiSetParams = 0x0b,
    ChangeBaudrate = 0x0f,
    FlashDeflBegin = 0x10,
    FlashDeflData = 0x11,
    SpiFlashMd5 = 0x13,
    GetSecurityInfo = 0x14,
    EraseRegion = 0xd1,
    ReadFlash = 0xd2,
}

/// Why a command failed.
#[derive(Debug)]
pub(super) enum CommandFault {
    /// No reply within the timeout, or no valid one.
    Silent,
    /// The chip replied with this error code.
    Refused(u8),
    /// The serial port is gone.
    Gone(io::Error),
    /// The user pressed Ctrl-C.
    Stopped,
}

impl From<io::Error> for CommandFault {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// The timeout for most commands: the chip replies within milliseconds.
pub(super) const QUICK: Duration = Duration::from_secs(1);

/// After an invalid frame, the real reply follows soon: shorten the timeout.
const AFTER_NOISE: Duration = Duration::from_millis(300);

/// The first of SYNC's 36 bytes. The rest is 0x55, which lets the ROM detect the baud rate.
const SYNC: [u8; 4] = [0x07, 0x07, 0x12, 0x20];

/// The connection to the chip.
pub(super) struct Loader<'a> {
    /// The line.
    port: Box<dyn Port>,
    /// Finds the frames.
    decoder: FrameDecoder,
    /// Bytes that udpcli has read from the port but not yet parsed: they follow the last complete frame.
    unread: VecDeque<u8>,
    /// The stub runs: replies have two status bytes instead of four, and more commands exist.
    pub(super) stub: bool,
    /// The present baud rate of the line.
    pub(super) baud: u32,
    /// True once the user has pressed Ctrl-C.
    stop: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader")
            .field("port", &self.port)
            .field("stub", &self.stub)
            .field("baud", &self.baud)
            .finish_non_exhaustive()
    }
}

impl<'a> Loader<'a> {
    /// A connection over which nothing was sent yet.
    pub(super) fn new(port: Box<dyn Port>, baud: u32, stop: &'a dyn Fn() -> bool) -> Self {
        Self {
            port,
            decoder: FrameDecoder::default(),
            unread: VecDeque::new(),
            stub: false,
            baud,
            stop,
        }
    }

    /// The port, for its control lines.
    pub(super) fn port(&mut self) -> &mut dyn Port {
        &mut *self.port
    }

    /// Ends the connection.
    pub(super) fn into_port(self) -> Box<dyn Port> {
        self.port
    }

    /// Sets the PC's side of the line; the chip needs a command of its own.
    pub(super) fn set_baud(&mut self, baud: u32) -> Result<(), CommandFault> {
        self.port.set_baud(baud)?;
        self.baud = baud;
        Ok(())
    }

    /// Whether the user has asked to stop.
    pub(super) fn is_stopped(&self) -> bool {
        (self.stop)()
    }

    /// Waits for `duration`, unless the user presses Ctrl-C.
    pub(super) fn pause(&self, duration: Duration) -> Result<(), CommandFault> {
        let mut wait = Wait::at(Site::Chip, self.stop).until(Instant::now() + duration);
        loop {
            match wait.look() {
                Some(Over::Interrupted) => return Err(CommandFault::Stopped),
                Some(Over::TimeUp) => return Ok(()),
                None => std::thread::sleep(wait.piece(TICK)),
            }
        }
    }

    /// Discards what was received so far.
    fn forget(&mut self) {
        self.decoder.reset();
        self.unread.clear();
    }

    /// Discards the input until the line is quiet for `quiet`, or `limit` has passed; returns the last 4 KB.
    pub(super) fn drain(
        &mut self,
        quiet: Duration,
        limit: Duration,
    ) -> Result<Vec<u8>, CommandFault> {
        // A whole boot log fits, and a program that prints without end does not fill the memory.
        const KEPT: usize = 4096;
        let mut kept = Vec::new();
        let mut buffer = [0; 1024];
        let until = Instant::now() + limit;
        let mut wait = Wait::at(Site::Chip, self.stop);
        loop {
            if wait.look().is_some() {
                return Err(CommandFault::Stopped);
            }
            let len = self.port.read(&mut buffer, quiet)?;
            kept.extend_from_slice(buffer.get(..len).unwrap_or_default());
            if kept.len() > KEPT {
                kept.drain(..kept.len() - KEPT);
            }
            if len == 0 || Instant::now() >= until {
                self.forget();
                return Ok(kept);
            }
        }
    }

    /// Sends a command and waits for its reply.
    pub(super) fn command(
        &mut self,
        op: Op,
        body: &[u8],
        timeout: Duration,
    ) -> Result<CommandReply, CommandFault> {
        self.send(op, body, 0)?;
        self.reply(op, timeout)
    }

    /// Sends a data block with its sequence number and checksum, and waits for the reply.
    pub(super) fn block(
        &mut self,
        op: Op,
        sequence: u32,
        data: &[u8],
        timeout: Duration,
    ) -> Result<(), CommandFault> {
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut body = words(&[len, sequence, 0, 0]);
        body.extend_from_slice(data);
        // Only data blocks have a checksum; the chip ignores the field in other commands.
        let checksum = data.iter().fold(0xef, |sum, byte| sum ^ byte);
        self.send(op, &body, u32::from(checksum))?;
        // The operating system or the network may buffer the whole block before the line sends it.
        self.reply(op, timeout + self.airtime(body.len())).map(drop)
    }

    /// Sends a command: direction, number, length, checksum, body.
    fn send(&mut self, op: Op, body: &[u8], checksum: u32) -> Result<(), CommandFault> {
        let mut packet = vec![0, op as u8];
        packet.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
        packet.extend_from_slice(&checksum.to_le_bytes());
        packet.extend_from_slice(body);
        self.forget();
        self.send_frame(&packet)
    }

    /// How long this many bytes take on the line, at ten bits each.
    fn airtime(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(self.baud.max(1)))
    }

    /// Sends `payload` as one frame.
    pub(super) fn send_frame(&mut self, payload: &[u8]) -> Result<(), CommandFault> {
        let mut frame = Vec::new();
        slip::encode(payload, &mut frame);
        // Allow extra time for a busy PC.
        let until = Instant::now() + self.airtime(frame.len()) + Duration::from_secs(3);
        let mut wait = Wait::at(Site::Chip, self.stop).until(until);
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match wait.look() {
                Some(Over::Interrupted) => return Err(CommandFault::Stopped),
                Some(Over::TimeUp) => return Err(CommandFault::Silent),
                None => {}
            }
            let len = self.port.write(rest, TICK)?;
            rest = rest.get(len..).unwrap_or_default();
        }
        Ok(())
    }

    /// The next frame, of any kind.
    pub(super) fn frame(&mut self, timeout: Duration) -> Result<Vec<u8>, CommandFault> {
        let mut frame = None;
        self.frames(timeout, |payload, _| {
            frame = Some(payload);
            true
        })?;
        frame.ok_or(CommandFault::Silent)
    }

    /// Passes frames to `take` until it is satisfied or the timeout ends; `take` can shorten the timeout.
    fn frames(
        &mut self,
        timeout: Duration,
        mut take: impl FnMut(Vec<u8>, &mut Instant) -> bool,
    ) -> Result<(), CommandFault> {
        let mut until = Instant::now() + timeout;
        let mut wait = Wait::at(Site::Chip, self.stop);
        let mut buffer = [0; 4096];
        loop {
            while let Some(byte) = self.unread.pop_front() {
                if let Some(frame) = self.decoder.push(byte)
                    && take(frame, &mut until)
                {
                    return Ok(());
                }
            }
            wait = wait.until(until);
            match wait.look() {
                Some(Over::Interrupted) => return Err(CommandFault::Stopped),
                Some(Over::TimeUp) => return Err(CommandFault::Silent),
                None => {}
            }
            let len = self.port.read(&mut buffer, wait.piece(TICK))?;
            self.unread.extend(buffer.get(..len).unwrap_or_default());
        }
    }

    /// Waits for the reply to `op`, and passes over other frames.
    fn reply(&mut self, op: Op, timeout: Duration) -> Result<CommandReply, CommandFault> {
        let status_len = if self.stub { 2 } else { 4 };
        let mut reply = Err(CommandFault::Silent);
        self.frames(timeout, |frame, until| {
            match parse(&frame, op, status_len) {
                Some(parsed) => {
                    reply = parsed;
                    true
                }
                None => {
                    *until = (*until).min(Instant::now() + AFTER_NOISE);
                    false
                }
            }
        })?;
        reply
    }

    /// Waits until the stub has finished the commands that it acknowledged.
    pub(super) fn settle(&mut self, timeout: Duration) -> Result<(), CommandFault> {
        // This register exists on every chip; its value does not matter.
        self.command(Op::ReadReg, &words(&[0x4000_1000]), timeout)
            .map(drop)
    }

    /// Synchronises with the ROM or the stub, and finds out which of them answers.
    pub(super) fn sync(&mut self, timeout: Duration) -> Result<(), CommandFault> {
        let mut body = SYNC.to_vec();
        body.resize(36, 0x55);
        self.send(Op::Sync, &body, 0)?;
        let mut stub = None;
        self.frames(timeout, |frame, _| {
            stub = parse(&frame, Op::Sync, 2)
                .and_then(Result::ok)
                // The stub answers 0, the ROM another value.
                .map(|reply| reply.value == 0);
            stub.is_some()
        })?;
        // The chip answers each SYNC eight times.
        self.drain(Duration::from_millis(20), Duration::from_millis(200))?;
        self.stub = stub.ok_or(CommandFault::Silent)?;
        Ok(())
    }

    /// Reads a register of the chip.
    pub(super) fn read_register(&mut self, address: u32) -> Result<u32, CommandFault> {
        // Replies have no checksum, so accept a value after two equal replies.
        let mut last = None;
        for _ in 0..5 {
            let value = self.command(Op::ReadReg, &words(&[address]), QUICK)?.value;
            if last == Some(value) {
                return Ok(value);
            }
            last = Some(value);
        }
        Err(CommandFault::Silent)
    }

    /// What the chip reports about its number and its locks.
    pub(super) fn security_info(&mut self) -> Result<SecurityInfo, CommandFault> {
        // As for registers.
        let mut last = None;
        for _ in 0..5 {
            let data = self.command(Op::GetSecurityInfo, &[], QUICK)?.data;
            let info = SecurityInfo::read(&data);
            if info.is_some() && last == info {
                return info.ok_or(CommandFault::Silent);
            }
            last = info;
        }
        Err(CommandFault::Silent)
    }

    /// Writes a register of the chip.
    pub(super) fn write_register(&mut self, address: u32, value: u32) -> Result<(), CommandFault> {
        // Mask: all bits; delay: none.
        self.command(Op::WriteReg, &words(&[address, value, u32::MAX, 0]), QUICK)
            .map(drop)
    }
}

/// Encodes `words` in little-endian order.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
