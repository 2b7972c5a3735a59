//! Writes, compressed or plain, and reads.

use std::ops::Range;
use std::time::{Duration, Instant};

use flate2::{Decompress, FlushDecompress, Status};

use super::{
    Answer, BAD_CHECKSUM, BAD_LENGTH, Chip, DONE, FAILED_SPI, INFLATE, Interrupt, NOT_FLASHING,
    Outcome, ROM_BAD_CRC, ROM_FAILED, ROM_INVALID_MESSAGE, ROM_WINDOW, TOO_MUCH, checks, refuse,
    word,
};
use crate::emulator::flash::SECTOR;
use crate::emulator::{Kind, Mode, op, slip};

/// A download into flash.
#[derive(Debug)]
pub(super) struct Download {
    next: usize,
    end: usize,
    /// The stub erases during the write; the ROM has erased everything before.
    erased: usize,
    inflate: Option<Box<Decompress>>,
    /// The stub reports an error after its acknowledgement with the next reply.
    pub(super) error: Option<u8>,
}

impl Chip {
    pub(super) fn begin(&mut self, op: u8, body: &[u8]) -> Outcome<Answer> {
        let stub = self.mode() == Mode::Stub;
        let (size, block_size, offset) = (word(body, 0), word(body, 2), word(body, 3));
        if size == 0 {
            // The host requests a reset: FLASH_END follows.
            return Ok(DONE);
        }
        // Flash is written in words.
        if stub && !size.is_multiple_of(4) {
            return Ok(refuse(BAD_LENGTH));
        }
        if block_size > if stub { 0x4000 } else { 0x1800 } {
            return Ok(refuse(self.pick(ROM_INVALID_MESSAGE, 0xc2)));
        }
        let Some(range) = self.area(offset, size) else {
            return Ok(refuse(self.pick(ROM_FAILED, FAILED_SPI)));
        };
        let whole = range.start..range.end.next_multiple_of(SECTOR);
        if !stub {
            self.erase(whole.clone())?;
        }
        self.download = Some(Download {
            next: range.start,
            end: range.end,
            erased: if stub { range.start } else { whole.end },
            inflate: (op == op::FLASH_DEFL_BEGIN).then(|| Box::new(Decompress::new(true))),
            error: None,
        });
        if stub {
            self.start_next_erase();
        }
        Ok(DONE)
    }

    /// The stub starts to erase before the block arrives.
    fn start_next_erase(&mut self) {
        let Some(download) = &mut self.download else {
            return;
        };
        let end = download.end.next_multiple_of(SECTOR);
        if download.erased < end {
            download.erased += self.shared.lock().flash.erase_next(download.erased..end);
        }
    }

    pub(super) fn data(&mut self, body: &[u8], checksum: u32) -> Outcome<Answer> {
        let stub = self.mode() == Mode::Stub;
        let Some(download) = &self.download else {
            return Ok(refuse(self.pick(ROM_FAILED, NOT_FLASHING)));
        };
        if let Some(code) = download.error {
            return Ok(refuse(code));
        }
        if body.len() < 16 || word(body, 0) as usize != body.len() - 16 {
            return Ok(refuse(self.pick(ROM_INVALID_MESSAGE, BAD_LENGTH)));
        }
        if !checks(&body[16..], checksum) {
            return Ok(refuse(self.pick(ROM_BAD_CRC, BAD_CHECKSUM)));
        }
        if !stub && let Err(code) = self.write(&body[16..])? {
            return Ok(refuse(code));
        }
        Ok(DONE)
    }

    /// Inflates a block if needed, and writes it.
    pub(super) fn write(&mut self, block: &[u8]) -> Outcome<Result<(), u8>> {
        let Some(download) = &mut self.download else {
            return Ok(Ok(()));
        };
        if download.error.is_some() {
            return Ok(Ok(()));
        }
        let Some(inflate) = &mut download.inflate else {
            // Padding beyond the announced size is trimmed.
            let room = download.end - download.next;
            let block = if self.mode() == Mode::Stub {
                &block[..block.len().min(room)]
            } else {
                block
            };
            return self.program(block);
        };
        let mut plain = Vec::with_capacity(2 << 20);
        let ended = match inflate.decompress_vec(block, &mut plain, FlushDecompress::Sync) {
            Ok(status) => status == Status::StreamEnd,
            Err(_) => return Ok(Err(self.pick(ROM_FAILED, INFLATE))),
        };
        let stub = self.mode() == Mode::Stub;
        if ended && !stub {
            plain.resize(plain.len().next_multiple_of(ROM_WINDOW), 0);
        }
        self.program(&plain)
    }

    fn program(&mut self, plain: &[u8]) -> Outcome<Result<(), u8>> {
        let stub = self.mode() == Mode::Stub;
        for page in plain.chunks(SECTOR) {
            let Some(download) = &mut self.download else {
                break;
            };
            let at = download.next;
            let mut page = page.to_vec();
            if stub && at + page.len() > download.end {
                return Ok(Err(TOO_MUCH));
            }
            download.next += page.len();
            while stub
                && self
                    .download
                    .as_ref()
                    .is_some_and(|download| download.erased < download.next)
            {
                self.start_next_erase();
            }
            self.wait_for_flash()?;
            if std::mem::take(&mut self.bad_bits) {
                page[0] ^= 0xff;
            }
            {
                let mut state = self.shared.lock();
                let room = state.flash.bytes().len() - at;
                page.truncate(room);
                state.flash.program(at, &page);
            }
            self.wait_for_flash()?;
        }
        if stub {
            self.start_next_erase();
        }
        Ok(Ok(()))
    }

    /// The stub's `READ_FLASH`: frames of `block` bytes, at most `window` of them unacknowledged, then the MD5.
    pub(super) fn read_out(
        &mut self,
        range: Range<usize>,
        block: usize,
        window: usize,
    ) -> Outcome<()> {
        use md5::Digest as _;
        let data = self.shared.lock().flash.bytes()[range].to_vec();
        let mut sent = 0;
        let mut acknowledged = 0;
        let mut heard = Instant::now();
        while acknowledged < data.len() {
            while sent < data.len() && sent - acknowledged < window * block {
                let end = (sent + block).min(data.len());
                let fault = self.fault(op::READ_FLASH);
                let mut frame = slip::encode(&data[sent..end]);
                match fault {
                    Some(Kind::LoseReply) => frame.clear(),
                    Some(Kind::DamageReply(index)) => frame[index] ^= 0x24,
                    Some(Kind::Unplug) => {
                        self.shared.lock().unplugged = true;
                        return Err(Interrupt::Unplugged);
                    }
                    _ => {}
                }
                self.send(&frame);
                sent = end;
                self.sleep_until(Instant::now())?;
                if !self.shared.lock().frames.is_empty() {
                    break;
                }
            }
            let frame = self.shared.lock().frames.pop_front();
            match frame {
                Some(frame) if frame.len() == 4 => {
                    acknowledged = word(&frame, 0) as usize;
                    heard = Instant::now();
                }
                // The host gave up and sent another command.
                Some(frame) => {
                    self.shared.lock().frames.push_front(frame);
                    return Ok(());
                }
                None => self.sleep_until(Instant::now() + Duration::from_millis(1))?,
            }
            if heard.elapsed() > Duration::from_secs(3) {
                return Ok(());
            }
        }
        let digest: [u8; 16] = md5::Md5::digest(&data).into();
        self.send(&slip::encode(&digest));
        Ok(())
    }
}
