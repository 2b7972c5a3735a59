//! Sends code to the board: as plain bytes, or in raw-paste mode.

use std::time::Instant;

use super::{Paste, Repl, SLACK, SubmitMode};
use crate::board::enter::BANNER;
use crate::board::error::Error;
use crate::board::operation::Doing;

/// Code up to this length is sent as plain bytes even if raw-paste mode exists: it fits in the board's receive buffer.
const SHORT: usize = 200;

impl Repl {
    /// Sends code, which the board then runs.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] if the board does not accept it.
    pub fn submit(
        &mut self,
        way: SubmitMode,
        doing: impl Into<Doing>,
        code: &[u8],
    ) -> Result<(), Error> {
        let doing = &doing.into();
        // Ctrl-D without any code would be a soft reset.
        let code = if code.is_empty() { b"\n" } else { code };
        if self.link.is_fast() {
            return self.submit_frame(doing, code);
        }
        if way == SubmitMode::Paced
            && code.len() > SHORT
            && self.paste != Paste::No
            && let Some(window) = self.begin_paste(doing)?
        {
            return self.paste(doing, code, window);
        }
        // The banners of earlier nudges come before the OK.
        self.link.take_nudges();
        self.link.send(code)?;
        self.link.send(b"\x04")?;
        let deadline = Instant::now() + self.link.line_time(code.len()) + SLACK;
        match self.link.until_nudging(b"OK", deadline)? {
            Some(_) => Ok(()),
            None => Err(self.no_answer(doing)),
        }
    }

    /// Requests raw-paste mode; returns the window size if the firmware has it.
    fn begin_paste(&mut self, doing: &Doing) -> Result<Option<u32>, Error> {
        self.settle()?;
        self.link.send(b"\x05A\x01")?;
        let deadline = Instant::now() + SLACK;
        let Some(answer) = self.link.exactly(2, deadline)? else {
            return Err(self.no_answer(doing));
        };
        if answer == b"R\x01" {
            self.paste = Paste::Yes;
            let Some(size) = self.link.exactly(2, deadline)? else {
                return Err(self.no_answer(doing));
            };
            let size = size
                .iter()
                .rev()
                .fold(0, |sum, &byte| sum << 8 | u32::from(byte));
            // A window of 0 would wait for ever.
            return Ok(Some(size.max(1)));
        }
        self.paste = Paste::No;
        // `R\0` means that it is not available. Firmware from before raw-paste mode prints its banner again, of which
        // two bytes were read.
        if answer != b"R\x00" {
            self.link.put_back(&answer);
            if self.link.until(BANNER, deadline)?.is_none() {
                return Err(self.no_answer(doing));
            }
        }
        Ok(None)
    }

    /// Sends code with flow control: each 0x01 from the board allows one more window.
    /// `window` is the number of bytes per 0x01, 128 on the recorded firmware.
    fn paste(&mut self, doing: &Doing, code: &[u8], window: u32) -> Result<(), Error> {
        let mut room = usize::try_from(window).unwrap_or(1);
        let window = room;
        let mut left = code;
        let mut patience = Instant::now() + SLACK;
        while !left.is_empty() {
            // Also look at what has come before the window is used up: a 0x04 means that the rest of the code would
            // be lost.
            if room == 0 || !self.link.pending().is_empty() {
                match self.link.exactly(1, patience)?.as_deref() {
                    Some(b"\x01") => {
                        room += window;
                        patience = Instant::now() + SLACK;
                    }
                    // The compiler gave up, so the rest of the code is not needed.
                    Some(b"\x04") => {
                        self.link.send(b"\x04")?;
                        return Ok(());
                    }
                    Some(_) | None => return Err(self.no_answer(doing)),
                }
                continue;
            }
            let (now, later) = left.split_at(room.min(left.len()));
            self.link.send(now)?;
            room -= now.len();
            left = later;
        }
        self.link.send(b"\x04")?;
        // Only the last bytes can still be on their way, because the board has acknowledged those before.
        let deadline = Instant::now() + self.link.line_time(code.len().min(4096)) + SLACK;
        match self.link.until(b"\x04", deadline)? {
            Some(_) => Ok(()),
            None => Err(self.no_answer(doing)),
        }
    }

    /// Whether the firmware has raw-paste mode; asks only once.
    ///
    /// # Errors
    /// [`Error::NoAnswer`].
    pub fn has_raw_paste(&mut self) -> Result<bool, Error> {
        if self.paste == Paste::Unknown {
            let doing = &Doing::EnteringPaste;
            if self.begin_paste(doing)?.is_some() {
                // Send an empty program.
                self.paste(doing, b"", 1)?;
                let deadline = Instant::now() + SLACK;
                if self.link.until_nudging(b"\x04\x04>", deadline)?.is_none() {
                    return Err(self.no_answer(doing));
                }
            }
        }
        Ok(self.paste == Paste::Yes)
    }
}
