//! The plan of a listener, and why it ended.

use std::time::Duration;

use crate::text::checksum::Append;
use crate::udp::answer::AnswerPlan;
use crate::udp::prefix::Prefix;
use crate::udp::receive::ReceiveOptions;

/// What the listener does with the datagrams it receives.
#[derive(Debug)]
pub(crate) struct ListenPlan {
    /// Options of the receive calls.
    pub(crate) receive: ReceiveOptions,
    /// Accept datagrams from these senders only; from all senders if empty.
    pub(crate) from: Vec<Prefix>,
    /// What to answer, if anything.
    pub(crate) answers: Option<AnswerPlan>,
    /// The checksum at the end of each payload, to be verified.
    pub(crate) check: Option<Append>,
    /// Read the sequence numbers in the payloads, to detect loss.
    pub(crate) sequenced: bool,
    /// Stop after this many datagrams.
    pub(crate) count: Option<u64>,
    /// Stop when no datagram arrives for this long.
    pub(crate) timeout: Option<Duration>,
    /// Stop after this total time.
    pub(crate) duration: Option<Duration>,
    /// The interval between reports of the counts.
    pub(crate) stats_every: Option<Duration>,
    /// Keep the course of the figures in time, for a report.
    pub(crate) charted: bool,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenEnd {
    /// The loop reached the count or the duration.
    Complete,
    /// No datagram arrived within the timeout.
    Silence,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The program that reads the output closed its end of the pipe.
    ReaderGone,
}
