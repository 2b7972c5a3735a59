//! The line of the fuzzed board.

use std::collections::VecDeque;
use std::io;

/// After this many empty reads since the last write, the line counts as closed, because no real time passes here.
const SILENCE: u32 = 4;

#[derive(Debug, Default)]
pub(crate) struct Line {
    bytes: VecDeque<u8>,
    silent: u32,
}

impl Line {
    /// The board says this.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The board has been written to.
    pub(crate) fn written(&mut self) {
        self.silent = 0;
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.bytes.len());
        for (to, from) in buffer.iter_mut().zip(self.bytes.drain(..len)) {
            *to = from;
        }
        self.silent = if len == 0 { self.silent + 1 } else { 0 };
        if self.silent > SILENCE {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(len)
    }
}
