//! Sends and receives batches of datagrams, many per system call.
//!
//! Linux batches with recvmmsg, sendmmsg and the kernel's segmentation offload (UDP GSO and GRO). Other systems, and
//! runs without batching, use the same interface with one datagram per call. Batching does not change the datagrams: it
//! keeps boundaries, order, senders and times, and IP may still fragment long ones, as with ordinary UDP tools.

use std::io;
use std::net::SocketAddr;

use socket2::Socket;
use tokio::net::UdpSocket;

use crate::datagram::run::Run;
use crate::datagram::{Addressed, Timestamp};
use crate::udp::outbox::Outbox;
use crate::udp::receive::{Drops, ReceiveOptions, SLOT, canonical};
use crate::udp::system;

/// Sets the socket options that a receiver needs. Call it before `bind`, so that they apply to the first datagram too.
pub(crate) fn prepare(socket: &Socket, is_v4: bool, options: &ReceiveOptions) {
    system::prepare_receive(socket, is_v4, options);
}

/// Receives datagrams into reused buffers.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// How this system receives.
    way: ReceiveWay,
    /// The longest payload to pass on; longer ones are truncated.
    recv_size: usize,
}

#[derive(Debug)]
enum ReceiveWay {
    /// Many datagrams per system call.
    Batched(system::BatchReceiver),
    /// One datagram per call, into this buffer.
    Single(Box<[u8]>),
}

impl Receiver {
    /// A receiver for sockets that were opened with these options.
    #[must_use]
    pub(crate) fn new(options: ReceiveOptions) -> Self {
        let way = match system::BatchReceiver::new(&options) {
            Some(receiver) => ReceiveWay::Batched(receiver),
            None => ReceiveWay::Single(vec![0; SLOT].into_boxed_slice()),
        };
        Self {
            way,
            recv_size: options.recv_size,
        }
    }

    /// How many datagrams the kernel dropped because this socket's receive buffer was full; `None` if the operating
    /// system does not report it.
    #[must_use]
    pub(crate) fn drops(&self, socket: &UdpSocket) -> Option<Drops> {
        match &self.way {
            ReceiveWay::Batched(receiver) => receiver.drops(socket),
            ReceiveWay::Single(_) => system::plain_drops(socket),
        }
    }

    /// Receives the queued datagrams with one system call. On systems with batching, `limit` bounds the number of
    /// buffers. Returns how many datagrams came; datagrams of one sender that arrived in one buffer form one run.
    ///
    /// # Errors
    /// `WouldBlock` if no datagram is queued; otherwise the error of the system call, which may be an ICMP error for an
    /// earlier answer.
    pub(crate) fn receive(
        &mut self,
        socket: &UdpSocket,
        local: SocketAddr,
        limit: usize,
        mut each: impl FnMut(Run<'_>),
    ) -> io::Result<usize> {
        let recv_size = self.recv_size;
        // Truncate here instead of using a short buffer, because the output states the full length.
        let mut cut = |run: Run<'_>| each(run.cut_to(recv_size));
        match &mut self.way {
            ReceiveWay::Batched(receiver) => receiver.receive(socket, local, limit, cut),
            ReceiveWay::Single(buffer) => {
                let (len, peer) = socket.try_recv_from(buffer)?;
                let payload = buffer.get(..len).unwrap_or_default();
                // Without control messages udpcli does not know how a datagram was addressed, except on a socket that
                // is bound to a group.
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
                    // The kernel's time is in a control message, too: without it, the clock after the call is the best
                    // estimate.
                    Timestamp::now(),
                ));
                Ok(1)
            }
        }
    }
}

/// Sends the datagrams of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct Transmitter {
    /// How this system sends.
    way: TransmitWay,
    /// `None` on a connected socket.
    peer: Option<SocketAddr>,
}

#[derive(Debug)]
enum TransmitWay {
    /// Many datagrams per system call.
    Batched(system::BatchTransmitter),
    /// One datagram per call.
    Single,
}

impl Transmitter {
    /// A transmitter to `peer`, or, with `None`, to the address that the socket is connected to.
    #[must_use]
    pub(crate) fn new(peer: Option<SocketAddr>, batching: bool) -> Self {
        let way = match system::BatchTransmitter::new(batching) {
            Some(transmitter) => TransmitWay::Batched(transmitter),
            None => TransmitWay::Single,
        };
        Self { way, peer }
    }

    /// Enables segmentation offload (GSO) for datagrams of at most `len` bytes: those that fit in one packet.
    pub(crate) fn set_longest_segment(&mut self, len: usize) {
        if let TransmitWay::Batched(transmitter) = &mut self.way {
            transmitter.set_longest_segment(len);
        }
    }

    /// Sends up to `limit` datagrams from `first` on with one system call; returns how many were sent, at least one.
    ///
    /// # Errors
    /// `WouldBlock` if the send buffer is full; otherwise the error for the first of these datagrams, or an ICMP error
    /// for an earlier one.
    pub(crate) fn send(
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

    /// Tests the unbatched path, which all other systems use, on Linux as well.
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
