//! Errors of sockets, addresses and payloads, as data; `words` turns them into text for people.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::file;
use crate::text::sentence::Sentence;
use crate::text::{counted, encoding, escape, hex, pattern, seconds, template};

/// The purpose of a socket, which decides what the hint suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To listen.
    Listen,
    /// To send.
    Send,
    /// For the clients of a relay.
    Relay,
}

/// An error of the UDP layer; each variant names the operation and its object.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    // The run began but failed: exit code 1.
    #[error("refused: nothing listens on {peer}")]
    Refused { peer: SocketAddr },
    #[error("no reply from {peer} within {}", seconds(*.wait))]
    NoReply {
        peer: SocketAddr,
        wait: Duration,
        is_present: bool,
    },
    #[error("{} cannot be reached: no device on {interface} answers for that address", .peer.ip())]
    NoNeighbour { peer: SocketAddr, interface: String },
    #[error("{got} of {wanted} replies from {peer} within {}", seconds(*.wait))]
    TooFewReplies {
        peer: SocketAddr,
        got: u64,
        wanted: u64,
        wait: Duration,
    },
    #[error("{} from {peer}, and none equals the expected text", counted(*.got, "reply", "replies"))]
    Unexpected { peer: SocketAddr, got: u64 },
    /// A replay without a single datagram.
    #[error("nothing was sent of {name}")]
    NothingReplayed { name: Sentence, is_empty: bool },
    /// A message of a conversation failed; the source says why.
    #[error("message {number} of {count}, {name}, failed")]
    Message {
        number: usize,
        count: usize,
        name: String,
        source: Box<Self>,
    },
    #[error("no datagram for {}", seconds(*.timeout))]
    NoDatagram {
        timeout: Duration,
        local: Option<SocketAddr>,
        filtered: u64,
    },

    // A payload that cannot be a datagram: exit code 2.
    #[error("{what} is {len} bytes: a UDP datagram over {family} carries at most {max}")]
    TooLong {
        what: Sentence,
        len: u64,
        max: usize,
        family: &'static str,
    },
    /// The payload's full length is unknown: udpcli read or made it only up to this length.
    #[error("{what} is over {max} bytes, the most that a UDP datagram over {family} carries")]
    OverLimit {
        what: Sentence,
        max: usize,
        family: &'static str,
    },
    #[error("cannot read the escapes in {what}")]
    Escape {
        what: Sentence,
        source: escape::Error,
    },
    #[error("cannot read the hex digits in {what}")]
    Hex { what: Sentence, source: hex::Error },
    #[error("cannot encode {what}")]
    Encode {
        what: Sentence,
        source: encoding::Error,
    },

    #[error("cannot read the pattern in {what}")]
    Pattern {
        what: Sentence,
        /// Whether another `=` follows the one that ends the pattern.
        is_cut: bool,
        source: pattern::Error,
    },
    #[error("cannot read the template in {what}")]
    Template {
        what: Sentence,
        /// Which fields it may have.
        fields: template::Fields,
        /// Whether the text follows a pattern that the user may have meant to end at a later `=`.
        is_cut: bool,
        source: template::Error,
    },
    #[error("{what} is not UTF-8")]
    NotUtf8 { what: Sentence },
    #[error("{what} is over {} MiB: it cannot be kept for another round", *.limit >> 20)]
    TooLongToRepeat { what: Sentence, limit: usize },
    #[error("{address}: both {first} and {second} have that address")]
    AmbiguousZone {
        address: IpAddr,
        first: String,
        second: String,
    },
    #[error("{local} cannot reach {peer}: one is IPv4, the other IPv6")]
    OtherFamily { local: IpAddr, peer: SocketAddr },

    // The run could not begin: exit code 3.
    #[error("cannot replay {what}")]
    Capture { what: Sentence, source: Sentence },
    #[error("cannot resolve {host}")]
    Resolve { host: String, source: io::Error },
    #[error("{host} has no {family} address")]
    NoSuchFamily { host: String, family: &'static str },
    #[error("no network interface is called {name}")]
    NoInterface { name: String, known: Vec<String> },
    #[error("network interface {name} has no {family} address")]
    NoInterfaceAddress { name: String, family: &'static str },
    #[error("cannot open a UDP socket for {object}")]
    Socket { object: String, source: io::Error },
    #[error("cannot set {option}")]
    Option { option: String, source: io::Error },
    #[error("cannot bind {local}")]
    Bind {
        local: SocketAddr,
        known: Vec<IpAddr>,
        purpose: Purpose,
        source: io::Error,
    },
    #[error("no free local port on {local}")]
    NoFreePort { local: IpAddr, source: io::Error },
    #[error("cannot join multicast group {group}")]
    Join { group: String, source: io::Error },
    #[error("cannot send to {peer}")]
    Send {
        peer: SocketAddr,
        broadcast: bool,
        source: io::Error,
    },
    #[error("{failed} of {total} datagrams to {peer} did not get through")]
    SendSome {
        peer: SocketAddr,
        failed: u64,
        total: u64,
        source: io::Error,
    },
    #[error("cannot receive on {local}")]
    Receive {
        local: SocketAddr,
        source: io::Error,
    },
    #[error("cannot start {what:?}")]
    Start { what: SendPart, source: io::Error },
    #[error(transparent)]
    File(#[from] file::Error),
}

/// What could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendPart {
    /// The thread that reads the input.
    InputThread,
    /// The timer of the send loop.
    Timer,
}

impl SendPart {
    /// Its name in the catalogue.
    #[must_use]
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::InputThread => "input-thread",
            Self::Timer => "timer",
        }
    }
}

impl Error {
    /// The message with what the system says, for one line of a trace.
    pub(crate) fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }

    /// The process exit code: 1 it ran but failed, 2 usage, 3 it could not run.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. }
            | Self::NoReply { .. }
            | Self::TooFewReplies { .. }
            | Self::Unexpected { .. }
            | Self::NothingReplayed { .. }
            | Self::NoDatagram { .. } => 1,
            Self::Message { source, .. } => source.exit_code(),
            Self::TooLong { .. }
            | Self::OverLimit { .. }
            | Self::Escape { .. }
            | Self::Hex { .. }
            | Self::Encode { .. }
            | Self::Pattern { .. }
            | Self::Template { .. }
            | Self::NotUtf8 { .. }
            | Self::TooLongToRepeat { .. }
            | Self::AmbiguousZone { .. }
            | Self::OtherFamily { .. } => 2,
            Self::NoNeighbour { .. }
            | Self::Capture { .. }
            | Self::Resolve { .. }
            | Self::NoSuchFamily { .. }
            | Self::NoInterface { .. }
            | Self::NoInterfaceAddress { .. }
            | Self::Socket { .. }
            | Self::Option { .. }
            | Self::Bind { .. }
            | Self::NoFreePort { .. }
            | Self::Join { .. }
            | Self::Send { .. }
            | Self::SendSome { .. }
            | Self::Receive { .. }
            | Self::Start { .. }
            | Self::File(_) => 3,
        }
    }
}
