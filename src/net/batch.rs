//! Datagrams many to a system call, both ways.
//!
//! Where the system has batching (Linux: recvmmsg, sendmmsg, and the kernel's own segmentation, UDP GSO and GRO) it
//! is used; elsewhere, or when told to, the same interface moves one datagram a call. Datagrams stay what they are:
//! boundaries, order, senders and times are kept, and long ones may be fragmented as ordinary UDP tools allow.

use std::io;
use std::net::SocketAddr;

use socket2::Socket;
use tokio::net::UdpSocket;

use crate::net::run::Run;
use crate::net::{Addressed, Timestamp, system};

/// Bytes of one receive buffer: more than any UDP datagram, so that the system never cuts one (Windows would give an
/// error for it) and the receive size is ours to apply.
pub(crate) const SLOT: usize = 1 << 16;

/// No send call takes more datagrams than this, `UDP_MAX_SEGMENTS` of Linux 6.9 and later.
pub(crate) const MOST_AT_ONCE: usize = 128;

/// Where arrival times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The kernel's, where it gives them.
    Kernel,
    /// Ours, when the datagram is read.
    User,
}

/// How to receive.
#[derive(Debug, Clone, Copy)]
pub struct ReceiveOptions {
    /// Bytes kept of a datagram.
    pub recv_size: usize,
    /// Where times come from.
    pub clock: Clock,
    /// Many datagrams a system call, where the system can; else one.
    pub batching: bool,
}

/// Switches on what a receiver wants of a socket; before the bind, so that the first datagram has it too.
pub(crate) fn prepare(socket: &Socket, is_v4: bool, options: &ReceiveOptions) {
    system::prepare_receive(socket, is_v4, options);
}

/// Datagrams that the kernel dropped at a socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// How many.
    pub count: u64,
    /// The kernel counts buffers; how many datagrams those held is taken from their neighbours.
    pub is_estimate: bool,
}

impl std::ops::Add for Drops {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            is_estimate: self.is_estimate || other.is_estimate,
        }
    }
}

/// Receives from sockets into buffers that are used again and again.
#[derive(Debug)]
pub struct Receiver {
    way: ReceiveWay,
    recv_size: usize,
}

#[derive(Debug)]
enum ReceiveWay {
    Batched(system::BatchReceiver),
    Single(Box<[u8]>),
}

impl Receiver {
    /// A receiver for sockets that were opened with the same options.
    #[must_use]
    pub fn new(options: ReceiveOptions) -> Self {
        let way = match system::BatchReceiver::new(&options) {
            Some(receiver) => ReceiveWay::Batched(receiver),
            None => ReceiveWay::Single(vec![0; SLOT].into_boxed_slice()),
        };
        Self {
            way,
            recv_size: options.recv_size,
        }
    }

    /// What the kernel dropped at this socket for want of buffer, where it tells.
    #[must_use]
    pub fn drops(&self, socket: &UdpSocket) -> Option<Drops> {
        match &self.way {
            ReceiveWay::Batched(receiver) => receiver.drops(socket),
            ReceiveWay::Single(_) => system::plain_drops(socket),
        }
    }

    /// Receives what is there, with one system call, at most `limit` datagrams where the system lets us say so.
    /// Returns how many came; those of one sender that came together are one run.
    ///
    /// # Errors
    /// `WouldBlock` if none is there; else what the system says, an ICMP error for an earlier answer among it.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        local: SocketAddr,
        limit: usize,
        mut each: impl FnMut(Run<'_>),
    ) -> io::Result<usize> {
        let recv_size = self.recv_size;
        let mut cut = |run: Run<'_>| each(run.cut_to(recv_size));
        match &mut self.way {
            ReceiveWay::Batched(receiver) => receiver.receive(socket, local, limit, cut),
            ReceiveWay::Single(buffer) => {
                let (len, peer) = socket.try_recv_from(buffer)?;
                let payload = buffer.get(..len).unwrap_or_default();
                let addressed = if local.ip().is_multicast() {
                    Addressed::Group
                } else {
                    Addressed::Unknown
                };
                cut(Run::single(
                    payload,
                    canonical(peer),
                    local,
                    addressed,
                    Timestamp::now(),
                ));
                Ok(1)
            }
        }
    }
}

/// An IPv4 peer that reached an IPv6 socket is shown as what it is.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => (v4, v6.port()).into(),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}

/// Datagrams to send, their payloads end to end in one buffer.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The length of every datagram, while they are alike: nothing need be looked up then.
    even_len: Option<usize>,
    /// Whether all datagrams are copies that [`Outbox::repeat`] made.
    is_repeated: bool,
}

impl Outbox {
    /// Forgets all datagrams, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.even_len = None;
        self.is_repeated = false;
    }

    /// Holds `count` copies of one payload and nothing else. The next call with the same payload keeps what is there,
    /// headers written over it included.
    pub fn repeat(&mut self, payload: &[u8], count: usize) {
        if !self.is_repeated {
            self.clear();
            self.is_repeated = true;
        }
        self.even_len = Some(payload.len());
        self.ends.truncate(count);
        self.bytes.truncate(count * payload.len());
        while self.ends.len() < count {
            self.bytes.extend_from_slice(payload);
            self.ends.push(self.bytes.len());
        }
    }

    /// Adds one datagram: what `write` appends to the buffer.
    ///
    /// # Errors
    /// What `write` says; nothing is added then.
    pub fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.is_repeated = false;
        let start = self.bytes.len();
        let result = write(&mut self.bytes);
        match result {
            Ok(()) => self.end_at(start),
            Err(_) => self.bytes.truncate(start),
        }
        result
    }

    /// Adds one datagram.
    pub fn push(&mut self, payload: &[u8]) {
        self.is_repeated = false;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.end_at(start);
    }

    /// A datagram that starts at `start` is whole.
    fn end_at(&mut self, start: usize) {
        let len = self.bytes.len() - start;
        self.even_len = match self.even_len {
            None if self.ends.is_empty() => Some(len),
            even => even.filter(|&even| even == len),
        };
        self.ends.push(self.bytes.len());
    }

    /// How many datagrams there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All payloads' bytes together.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The payload of datagram `index`; empty beyond the last.
    #[must_use]
    pub fn payload(&self, index: usize) -> &[u8] {
        self.bytes
            .get(self.start(index)..self.end(index))
            .unwrap_or_default()
    }

    /// The payloads of `count` datagrams from `first`, to write over, where all are of one length; else none.
    pub fn even_payloads_mut(
        &mut self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let len = self.even_len.unwrap_or(0);
        let span = self.bytes.get_mut(first * len..(first + count) * len);
        span.unwrap_or_default().chunks_exact_mut(len.max(1))
    }

    /// How many of the datagrams from the first on stand for the lengths of all.
    #[must_use]
    pub fn lengths(&self) -> usize {
        if self.even_len.is_some() {
            self.len().min(1)
        } else {
            self.len()
        }
    }

    /// The payloads of `count` datagrams from `first`, end to end.
    #[must_use]
    pub fn span(&self, first: usize, count: usize) -> &[u8] {
        match count.checked_sub(1) {
            Some(more) => self
                .bytes
                .get(self.start(first)..self.end(first + more))
                .unwrap_or_default(),
            None => &[],
        }
    }

    /// How many datagrams from `first` on have the length of the first, at most `limit`.
    #[must_use]
    pub fn run_len(&self, first: usize, limit: usize) -> usize {
        if self.even_len.is_some() {
            return self.len().saturating_sub(first).min(limit);
        }
        let start = self.start(first);
        let len = self.end(first) - start;
        let ends = self
            .ends
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take(limit);
        let even = (1..).map(|count| start + count * len);
        ends.zip(even)
            .take_while(|(end, even)| *end == even)
            .count()
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn end(&self, index: usize) -> usize {
        self.ends.get(index).copied().unwrap_or(self.bytes.len())
    }
}

/// Sends from an [`Outbox`].
#[derive(Debug)]
pub struct Transmitter {
    way: TransmitWay,
    /// `None` on a connected socket.
    peer: Option<SocketAddr>,
}

#[derive(Debug)]
enum TransmitWay {
    Batched(system::BatchTransmitter),
    Single,
}

impl Transmitter {
    /// A transmitter to `peer`, or to where the socket is connected.
    #[must_use]
    pub fn new(peer: Option<SocketAddr>, batching: bool) -> Self {
        let way = match system::BatchTransmitter::new(batching) {
            Some(transmitter) => TransmitWay::Batched(transmitter),
            None => TransmitWay::Single,
        };
        Self { way, peer }
    }

    /// Allows the kernel to cut buffers into datagrams of at most `len` bytes: those that leave as one packet.
    pub fn set_longest_segment(&mut self, len: usize) {
        if let TransmitWay::Batched(transmitter) = &mut self.way {
            transmitter.set_longest_segment(len);
        }
    }

    /// Sends datagrams from `first` on with one system call, at most `limit`; returns how many went, at least one.
    ///
    /// # Errors
    /// `WouldBlock` if the send buffer is full; else what the system says of the first of them, or an ICMP error for
    /// an earlier one.
    pub fn send(
        &mut self,
        socket: &UdpSocket,
        outbox: &Outbox,
        first: usize,
        limit: usize,
    ) -> io::Result<usize> {
        match &mut self.way {
            TransmitWay::Batched(transmitter) => {
                transmitter.send(socket, outbox, first, limit, self.peer)
            }
            TransmitWay::Single => {
                match self.peer {
                    None => socket.try_send(outbox.payload(first))?,
                    Some(peer) => socket.try_send_to(outbox.payload(first), peer)?,
                };
                Ok(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What other systems run on runs here too.
    #[test]
    fn the_plain_way_keeps_boundaries_and_cuts_to_size() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let local = listener.local_addr().unwrap();
            let mut outbox = Outbox::default();
            for payload in [&b"ab"[..], b"", &[7; 2000]] {
                outbox.push(payload);
            }
            let mut transmitter = Transmitter {
                way: TransmitWay::Single,
                peer: Some(local),
            };
            let way = ReceiveWay::Single(vec![0; SLOT].into_boxed_slice());
            let mut receiver = Receiver {
                way,
                recv_size: 1024,
            };
            let mut came = Vec::new();
            for index in 0..outbox.len() {
                sender.writable().await.unwrap();
                assert_eq!(transmitter.send(&sender, &outbox, index, 9).unwrap(), 1);
                listener.readable().await.unwrap();
                let each = |run: Run<'_>| {
                    came.extend(
                        run.datagrams()
                            .map(|one| (one.payload.len(), one.full_len, one.peer)),
                    );
                };
                assert_eq!(receiver.receive(&listener, local, 9, each).unwrap(), 1);
            }
            let peer = sender.local_addr().unwrap();
            assert_eq!(came, [(2, 2, peer), (0, 0, peer), (1024, 2000, peer)]);
            let nothing = receiver.receive(&listener, local, 9, |_| {}).unwrap_err();
            assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        });
    }

    #[test]
    fn an_outbox_keeps_boundaries_and_empty_datagrams() {
        let mut outbox = Outbox::default();
        for payload in [&b"ab"[..], b"", b"cd", b"ef", b"g"] {
            outbox.push(payload);
        }
        assert_eq!(
            (0..6)
                .map(|index| outbox.payload(index))
                .collect::<Vec<_>>(),
            [&b"ab"[..], b"", b"cd", b"ef", b"g", b""]
        );
        assert_eq!(outbox.run_len(2, 9), 2);
        assert_eq!(outbox.run_len(2, 1), 1);
        assert_eq!(outbox.span(2, 2), b"cdef");
        assert_eq!(outbox.span(2, 0), b"");
        let refused: Result<(), ()> = outbox.push_with(|bytes| {
            bytes.push(1);
            Err(())
        });
        assert_eq!((refused, outbox.len(), outbox.byte_len()), (Err(()), 5, 7));
    }
}
