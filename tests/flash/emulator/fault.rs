//! The faults, and when they occur.

use std::time::Duration;

/// A fault at the `nth` command (from 0) with the number `op`, counted from the injection.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) op: u8,
    pub(crate) nth: u32,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The command is executed, but its reply is lost.
    LoseReply,
    /// The command is lost.
    LoseCommand,
    /// The line changes one byte of the command.
    DamageCommand,
    /// The line changes byte `n` of the reply.
    DamageReply(usize),
    /// The reply ends after `n` bytes.
    CutReply(usize),
    /// The given bytes come before the reply.
    Noise(Vec<u8>),
    /// The chip does nothing for this time, then continues.
    Stall(Duration),
    /// The command is refused with this error code.
    Refuse(u8),
    /// The reply contains a wrong MD5.
    WrongMd5,
    /// One byte of the block is written wrong, without an error.
    BadBits,
    /// The cable is pulled before the command is executed.
    Unplug,
    /// A brown-out: the chip restarts, in download mode if BOOT is held.
    BrownOut,
}
