//! The fast line: our own raw REPL on the board (`scripts/fast_line.py`) at a higher rate of its UART.
//!
//! It answers as the raw REPL does, but takes code in frames, in which data needs no escapes. The board leaves this
//! mode and returns to the old rate at a Ctrl-C, at an exception, at an invalid frame, and after 2 s without a byte. So
//! [`Link::end_fast`] can end it from any state, and the worst failure costs only time.

use std::time::{Duration, Instant};

use super::{Repl, SubmitMode};
use crate::board::error::Error;
use crate::board::line_rate::{Clock, Registers};
use crate::board::link::Link;
use crate::board::operation::Doing;
use crate::text::escape;

/// Where the program on the board finds a frame's data.
pub(crate) const FRAME_DATA: &[u8] = b"_udpcli['zd']";

/// The longest data of one frame: two sectors of the flash.
const FRAME_LEN: u32 = 8192;

/// The shortest that is worth a frame.
const SHORT_FRAME: u32 = 1024;

/// The longest part of a frame: its length has 14 bits.
const LONGEST: usize = 16_383;

/// How long after the change of its rate the board returns to the old one, unless the handshake is complete.
const RETURN: Duration = Duration::from_millis(300);

/// How long to try the handshake: its last part is the first frame.
const HANDSHAKE: Duration = Duration::from_millis(240);

/// How long the board still sends at the old rate after it announced the change.
const CHANGING: Duration = Duration::from_millis(7);

/// How long to wait for the prompt at the old rate before udpcli enters the raw REPL again.
const PROMPT: Duration = Duration::from_millis(150);

/// How long to wait before sending the token again: the adapter may not have changed its rate in time.
const TOKEN_AGAIN: Duration = Duration::from_millis(25);

/// The timeout for the board's own work in the handshake.
const WORK: Duration = Duration::from_secs(2);

/// How long a board may take to confirm a frame, in addition to the frame's time on the line.
pub(super) const CONFIRMED: Duration = Duration::from_secs(1);

/// How often a rate may fail before it counts as unusable for the session.
const FAILURES: u32 = 2;

/// What is still to be transferred, for the choice of the rate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ToGo {
    /// Little.
    #[default]
    Nothing,
    /// This number of bytes.
    Bytes(u64),
    /// The file or folder at this path on the board; the session asks for its length.
    Path(Vec<u8>),
}

/// The state of the fast line over a session.
#[derive(Debug, Default)]
pub(crate) struct FastLine {
    pub(crate) to_go: ToGo,
    /// The rates that have not failed, the best first; `None` before the first choice.
    rates: Option<Vec<u32>>,
    failures: u32,
    /// The clock of the board's UART; `None` if its rate stays as it is.
    clock: Option<Clock>,
    /// The data of the next frame.
    data: Vec<u8>,
}

impl Repl {
    /// Tells the next session how much it will transfer, so that it can choose the rate of the line.
    pub(crate) fn expect(&mut self, to_go: ToGo) {
        self.fast.to_go = to_go;
        self.fast.rates = None;
    }

    /// The data for the next code that is sent in a frame.
    pub(crate) fn attach(&mut self, data: &[u8]) {
        self.fast.data = data.to_vec();
    }

    /// Whether a faster line is worth a try.
    pub(crate) fn wants_fast(&self) -> bool {
        let link = &self.link;
        let choice = link.address().line_rate;
        if link.is_fast() || !link.can_change_rate() {
            return false;
        }
        match (&self.fast.rates, &self.fast.to_go) {
            (Some(rates), _) => !rates.is_empty(),
            (None, ToGo::Nothing) => false,
            (None, ToGo::Bytes(len)) => !choice.candidates(*len, link.rate()).is_empty(),
            // The length is still unknown: ask for it if a faster line would be worth it for any length.
            (None, ToGo::Path(_)) => !choice.candidates(u64::MAX, link.rate()).is_empty(),
        }
    }

    /// The path on the board whose length decides whether a faster line is worth a try.
    pub(crate) fn path_to_go(&self) -> Option<Vec<u8>> {
        match &self.fast.to_go {
            ToGo::Path(path) if self.fast.rates.is_none() => Some(path.clone()),
            _ => None,
        }
    }

    /// The longest data that is worth a frame. The board waits 2 s for a frame, so one takes at most a second.
    pub(crate) fn frame_len(&self) -> usize {
        let len = (self.link.rate() / 10).clamp(SHORT_FRAME, FRAME_LEN);
        usize::try_from(len).unwrap_or_default()
    }

    /// Notes what the board reports about its UART. False if the rate stays unchanged.
    pub(crate) fn found_clock(&mut self, answer: &[u8]) -> bool {
        self.fast.clock = Clock::read(answer, self.link.rate());
        if self.fast.clock.is_none() {
            tracing::debug!("the line stays as it is: {}", escape::excerpt(answer));
            self.give_up_fast();
        }
        self.fast.clock.is_some()
    }

    /// Changes to the best rate that works. The board has the first part of `scripts/fast_line.py`; `frames` is the
    /// second. If no rate works, that is not an error.
    ///
    /// # Errors
    /// The line has failed, or the board does not come back to its prompt.
    pub(crate) fn speed_up(&mut self, frames: &[u8]) -> Result<(), Error> {
        let now = self.link.rate();
        if self.fast.rates.is_none() {
            let len = match self.fast.to_go {
                ToGo::Bytes(len) => len,
                ToGo::Nothing | ToGo::Path(_) => 0,
            };
            self.fast.rates = Some(self.link.address().line_rate.candidates(len, now));
        }
        let Some(clock) = self.fast.clock.clone() else {
            return Ok(());
        };
        while let Some(rate) = self
            .fast
            .rates
            .as_ref()
            .and_then(|rates| rates.first().copied())
        {
            if let Some(registers) = clock.registers(rate)
                && self.change_rate(rate, registers, frames)?
            {
                tracing::debug!("the line has {rate} baud");
                return Ok(());
            }
            tracing::debug!("the line does not carry {rate} baud");
            self.drop_rate();
        }
        Ok(())
    }

    /// After damage at a fast rate, when the board is at its old rate again: try again, then a lower rate.
    pub(crate) fn note_fast_failure(&mut self) {
        self.fast.failures += 1;
        if self.fast.failures >= FAILURES {
            self.drop_rate();
        }
    }

    /// Keeps the old rate for the session.
    pub(crate) fn give_up_fast(&mut self) {
        self.fast.rates = Some(Vec::new());
    }

    fn drop_rate(&mut self) {
        self.fast.failures = 0;
        if let Some(rates) = &mut self.fast.rates
            && !rates.is_empty()
        {
            rates.remove(0);
        }
    }

    /// Sets the length at the path; `None` if the board does not know it.
    pub(crate) fn found_length(&mut self, len: Option<u64>) {
        self.fast.to_go = len.map_or(ToGo::Nothing, ToGo::Bytes);
    }

    /// Runs a short call; `None` if the board refuses it or its answer was damaged.
    pub(crate) fn short(&mut self, code: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.exec_short(SubmitMode::Plain, Doing::ChangingRate, code, WORK) {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Refused { exception, .. }) => {
                tracing::debug!("{}: {exception}", Doing::ChangingRate);
                Ok(None)
            }
            Err(Error::NoAnswer { .. }) => self.reenter().map(|()| None),
            Err(error) => Err(error),
        }
    }

    /// Changes to `rate` and shakes hands; false if the board and the line are at the old rate.
    fn change_rate(
        &mut self,
        rate: u32,
        registers: Registers,
        frames: &[u8],
    ) -> Result<bool, Error> {
        let tokens = Tokens::new();
        let code = format!(
            "_udpcli['E'](globals(),{},{},b'{}',b'{}',{},{})",
            registers.divider,
            registers.configuration,
            tokens.ours,
            tokens.answer,
            frames.len(),
            frames.iter().map(|&byte| u32::from(byte)).sum::<u32>()
        );
        match self.submit(SubmitMode::Plain, Doing::ChangingRate, code.as_bytes()) {
            Err(Error::NoAnswer { .. }) => return self.reenter().map(|()| false),
            result => result?,
        }
        let begins = self.link.exactly(1, Instant::now() + WORK)?;
        // From here on the board changes its rate, even if this end cannot follow.
        if begins.as_deref() == Some(b"+") {
            let began = Instant::now();
            if self.link.set_rate(rate) && shake_hands(&mut self.link, &tokens, frames, began)? {
                return Ok(true);
            }
            // The board returns to the old rate by itself, and then waits for a Ctrl-C.
            std::thread::sleep(
                (began + RETURN + CHANGING).saturating_duration_since(Instant::now()),
            );
            self.link.set_old_rate();
        }
        self.reenter().map(|()| false)
    }

    /// Returns to the old rate after work that went well.
    ///
    /// # Errors
    /// The board does not come back to its prompt.
    pub(crate) fn end_fast(&mut self) -> Result<(), Error> {
        if !self.link.is_fast() {
            return Ok(());
        }
        self.link.forget();
        self.link.send(&frame(b"", b""))?;
        if self.link.until(b"~", Instant::now() + CONFIRMED)?.is_some() {
            self.link.set_old_rate();
            if self
                .link
                .until(b"\x04\x04>", Instant::now() + PROMPT)?
                .is_some()
            {
                return Ok(());
            }
        }
        self.reenter()
    }

    /// Sends code in a frame, with the attached data.
    pub(super) fn submit_frame(&mut self, doing: &Doing, code: &[u8]) -> Result<(), Error> {
        let data = std::mem::take(&mut self.fast.data);
        if code.len() > LONGEST || data.len() > LONGEST {
            // Too long for a frame: not our own code, which is cut into pieces.
            return Err(self.no_answer(doing));
        }
        let frame = frame(code, &data);
        self.link.send(&frame)?;
        let deadline = Instant::now() + self.link.line_time(frame.len()) + CONFIRMED;
        match self.link.until(b"OK", deadline)? {
            Some(_) => Ok(()),
            None => Err(self.no_answer(doing)),
        }
    }
}

/// Sends the token until its answer comes, then the second part of the script, which answers too; false if that fails.
fn shake_hands(
    link: &mut Link,
    tokens: &Tokens,
    frames: &[u8],
    began: Instant,
) -> Result<bool, Error> {
    let until = began + HANDSHAKE;
    // Bytes that arrive during the change have one of two rates, so they are noise.
    std::thread::sleep(CHANGING);
    link.forget();
    while Instant::now() < until {
        link.send(tokens.ours.as_bytes())?;
        let wait = (Instant::now() + TOKEN_AGAIN).min(until);
        if link.until(tokens.answer.as_bytes(), wait)?.is_some() {
            link.send(frames)?;
            return Ok(link.until(tokens.answer.as_bytes(), until)?.is_some());
        }
    }
    Ok(false)
}

/// Texts that only this handshake knows.
struct Tokens {
    ours: String,
    answer: String,
}

impl Tokens {
    fn new() -> Self {
        // The clock differs from that of earlier handshakes; it need not be unpredictable.
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.subsec_nanos());
        Self {
            ours: format!("{nanos:08x}"),
            // The complement, so that an echo of the token is not the answer.
            answer: format!("{:08x}", !nanos),
        }
    }
}

/// A frame: three lengths and a checksum in seven bytes from 0x80, code, data, and the places of 0x03 in both, which on
/// the line would be a Ctrl-C. No byte of a frame is 0x03.
fn frame(code: &[u8], data: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(code.len() + data.len() + 64);
    body.extend_from_slice(code);
    body.extend_from_slice(data);
    let mut places = Vec::new();
    let mut last = 0;
    for (at, byte) in body.iter_mut().enumerate() {
        if *byte == 3 {
            *byte = 2;
            places.extend(seven_bits(at - last));
            last = at;
        }
    }
    let mut frame = Vec::with_capacity(body.len() + places.len() + 7);
    for len in [code.len(), data.len(), places.len() / 2] {
        frame.extend(seven_bits(len));
    }
    let sum: u32 = frame.iter().map(|&byte| u32::from(byte)).sum();
    frame.push(sum.to_le_bytes()[0] | 0x80);
    frame.extend(body);
    frame.extend(places);
    frame
}

/// A number below 2^14 in two bytes from 0x80.
fn seven_bits(number: usize) -> [u8; 2] {
    let [low, ..] = number.to_le_bytes();
    let [high, ..] = (number >> 7).to_le_bytes();
    [high | 0x80, low | 0x80]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_has_no_interrupt_character_and_everything_in_it(
            code in proptest::collection::vec(any::<u8>(), 0..300),
            data in proptest::collection::vec(prop_oneof![Just(3), any::<u8>()], 0..4096),
        ) {
            let frame = frame(&code, &data);
            prop_assert!(!frame.contains(&3));
            let number = |at: usize| usize::from(frame[at] & 127) << 7 | usize::from(frame[at + 1] & 127);
            prop_assert_eq!((number(0), number(2)), (code.len(), data.len()));
            let (start, end) = (7, 7 + code.len() + data.len());
            let mut body = frame[start..end].to_vec();
            let mut place = 0;
            for n in 0..number(4) {
                place += number(end + 2 * n);
                body[place] = 3;
            }
            prop_assert_eq!(&body[..code.len()], &code[..]);
            prop_assert_eq!(&body[code.len()..], &data[..]);
        }
    }
}
