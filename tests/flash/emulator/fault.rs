//! What can go wrong, and when.

use std::time::Duration;

/// The `nth` command (from 0) with the number `op`, counted from the injection on, is hit.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) op: u8,
    pub(crate) nth: u32,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The command is done and nothing comes back.
    LoseReply,
    /// The command never reaches the chip.
    LoseCommand,
    /// One byte of what the host sent changes on the way.
    DamageCommand,
    /// Byte `n` of the reply changes on the way.
    DamageReply(usize),
    /// The reply ends after `n` bytes.
    CutReply(usize),
    /// These bytes come before the reply.
    Noise(Vec<u8>),
    /// The chip does nothing for so long, then goes on.
    Stall(Duration),
    /// The command is refused with this error code.
    Refuse(u8),
    /// An MD5 that is not the flash's.
    WrongMd5,
    /// One byte of the block is written wrong, and nobody says so.
    BadBits,
    /// The cable is pulled before the command is worked on.
    Unplug,
    /// The supply dips: the chip starts over, in download mode if BOOT is held.
    BrownOut,
}
