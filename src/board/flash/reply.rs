//! What the chip's ROM loader or stub replies.

use super::loader::{CommandFault, Op};

/// The reply to a command.
#[derive(Debug)]
pub(super) struct CommandReply {
    /// A register's value, or 0.
    pub(super) value: u32,
    /// What follows it, without the status.
    pub(super) data: Vec<u8>,
}

/// The reply to `GET_SECURITY_INFO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SecurityInfo {
    /// The eFuses that restrict the chip.
    flags: u32,
    /// The chip's number as in image headers; the ESP32-S2 does not give it.
    pub(super) chip: Option<u32>,
}

impl SecurityInfo {
    /// Reads flags, one byte of counts, seven of key purposes, the chip's number and its version.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes = data.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        Some(Self {
            flags: word(0)?,
            chip: word(12),
        })
    }

    /// The ROM takes only commands that write (`SECURE_DOWNLOAD_ENABLE`).
    pub(super) fn is_download_secured(self) -> bool {
        self.flags & 1 << 2 != 0
    }
}

/// Parses a frame as the reply to `op`; `None` if it is something else.
pub(super) fn parse(
    frame: &[u8],
    op: Op,
    status_len: usize,
) -> Option<Result<CommandReply, CommandFault>> {
    let (&[direction, name, size_low, size_high, a, b, c, d], data) = frame.split_first_chunk()?;
    let size = usize::from(u16::from_le_bytes([size_low, size_high]));
    // The reply to an earlier command that timed out may come now.
    if direction != 1 || name != op as u8 || size != data.len() {
        return None;
    }
    let value = u32::from_le_bytes([a, b, c, d]);
    let (data, status) = data.split_at_checked(data.len().checked_sub(status_len)?)?;
    Some(match status {
        [0, ..] => Ok(CommandReply {
            value,
            data: data.to_vec(),
        }),
        // The ROM sends a failure flag and then the error code; the stub sends only the code.
        [_, why, _, _] | [why, ..] => Err(CommandFault::Refused(*why)),
        [] => return None,
    })
}
