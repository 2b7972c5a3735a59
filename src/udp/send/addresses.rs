//! Sends to a host with several addresses: to the first one that does not refuse the first datagram.

use std::net::SocketAddr;

use super::{Conversation, ExchangeResult, SendEnd, SendPlan, SendSummary, Sender};
use crate::shutdown::Shutdown;
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::payload::source::Source;
use crate::udp::sink::Sink;
use crate::udp::socket::{self, SendOptions};
use crate::udp::{family_name, interface, max_payload};

/// One address of the host, and how to send to it.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The plan for this address. [`to_first`] sets [`SendPlan::has_alternative`].
    pub(crate) plan: SendPlan,
    /// The socket for it.
    pub(crate) options: SendOptions,
}

/// What happens to the addresses.
#[derive(Debug)]
pub(crate) enum AddressEvent<'a> {
    /// The socket is open, and nothing has been sent yet.
    Opened {
        /// The plan for the address.
        plan: &'a SendPlan,
        /// Whether no other address was tried before.
        is_first: bool,
        /// Whether the address is that of the socket itself.
        is_ourselves: bool,
    },
    /// The address refused the first datagram, or it could not be sent there.
    Next {
        /// The address.
        peer: SocketAddr,
        /// Why it could not be sent; `None` if the address refused it.
        problem: Option<Error>,
        /// The address to try now.
        next: SocketAddr,
    },
}

/// The result of sending to the address.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Its plan.
    pub(crate) plan: SendPlan,
    /// How the run ended.
    pub(crate) end: Result<SendEnd, Error>,
    /// The counts.
    pub(crate) report: SendSummary,
    /// The results of a conversation, if they are kept.
    pub(crate) results: Vec<ExchangeResult>,
}

/// Sends all payloads of the source to the first address that works; `None` without any address.
///
/// # Errors
/// A socket cannot be opened or connected, a payload is too long for the address, or the sink fails before the first
/// datagram. Later errors are in [`Sent::end`].
pub(crate) async fn to_first(
    mut attempts: Vec<Attempt>,
    conversation: Option<Conversation<'_>>,
    source: &mut Source,
    sink: &mut impl Sink,
    shutdown: &mut Shutdown,
    observer: &mut dyn FnMut(AddressEvent<'_>),
) -> Result<Option<Sent>, Error> {
    let count = attempts.len();
    for (index, attempt) in attempts.iter_mut().enumerate() {
        // Set here and not by the caller: only the order of the attempts decides it.
        attempt.plan.has_alternative = index + 1 < count;
    }
    let mut outbox = Outbox::default();
    let mut attempts = attempts.into_iter().peekable();
    while let Some(Attempt { plan, options }) = attempts.next() {
        let peer = plan.peer;
        // IPv4 and IPv6 allow different lengths. Check before the socket is opened, so that this error comes first.
        source.limit(max_payload(&peer), family_name(&peer))?;
        let bound = socket::open_sender(&options, peer)?;
        observer(AddressEvent::Opened {
            plan: &plan,
            // A refused datagram stays in the outbox, because the next address gets the same one.
            is_first: outbox.is_empty(),
            is_ourselves: interface::is_ourselves(peer, bound.local),
        });
        if plan.replies.is_some() {
            // Log this after the socket is open, so that a run that cannot begin prints nothing.
            sink.begin()?;
        }
        let mut sender = match Sender::new(&plan, &bound).await {
            Ok(sender) => sender,
            // Only for errors of this address: if a socket cannot be opened, the next address fails, too.
            Err(error @ Error::Send { .. }) if let Some(next) = attempts.peek() => {
                observer(AddressEvent::Next {
                    peer,
                    problem: Some(error),
                    next: next.plan.peer,
                });
                continue;
            }
            Err(error) => return Err(error),
        };
        let end = match conversation {
            Some(conversation) => {
                sender
                    .converse(conversation, source, &mut outbox, sink, shutdown)
                    .await
            }
            None => sender.run(source, &mut outbox, sink, shutdown).await,
        };
        let (problem, next) = match (end, attempts.peek()) {
            (Ok(SendEnd::Refused), Some(next)) => (None, next.plan.peer),
            (Err(error @ Error::Send { .. }), Some(next)) => (Some(error), next.plan.peer),
            (end, _) => {
                let results = sender.take_results();
                return Ok(Some(Sent {
                    report: sender.into_report(),
                    plan,
                    end,
                    results,
                }));
            }
        };
        observer(AddressEvent::Next {
            peer,
            problem,
            next,
        });
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::datagram::Notes;
    use crate::datagram::run::Run;
    use crate::udp::pace::{Pace, Rate};
    use crate::udp::receive::{ReceiveOptions, TimeSource};
    use crate::udp::sink::Flow;

    struct Ignore;

    impl Sink for Ignore {
        fn run(&mut self, _: &Run<'_>, _: &[Notes]) {}

        fn flush(&mut self) -> Result<Flow, Error> {
            Ok(Flow::Continue)
        }
    }

    fn attempt(peer: SocketAddr) -> Attempt {
        Attempt {
            plan: SendPlan {
                peer,
                pace: Pace::at(Rate::Max),
                duration: None,
                replies: None,
                receive: ReceiveOptions {
                    recv_size: usize::MAX,
                    clock: TimeSource::Kernel,
                    batching: true,
                },
                unicast: true,
                broadcast: false,
                has_alternative: false,
            },
            options: SendOptions::default(),
        }
    }

    /// Sends one payload; returns the result, and the addresses that were given up.
    fn send(peers: &[SocketAddr]) -> (Option<Sent>, Vec<(SocketAddr, SocketAddr)>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut left = Vec::new();
        let sent = runtime.block_on(to_first(
            peers.iter().copied().map(attempt).collect(),
            None,
            &mut Source::fixed(vec![b"hello".to_vec()], Some(1)),
            &mut Ignore,
            &mut Shutdown::by_hand(),
            &mut |event| {
                if let AddressEvent::Next { peer, next, .. } = event {
                    left.push((peer, next));
                }
            },
        ));
        (sent.unwrap(), left)
    }

    /// An address that belongs to this test and refuses datagrams: a connected socket accepts them only from its peer.
    fn refusing() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect("127.0.0.1:9").unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    // Windows and macOS do not refuse here: their connected sockets drop such datagrams.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_datagram_that_one_address_refuses_goes_to_the_next() {
        let (_kept, refusing) = refusing();
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let works = receiver.local_addr().unwrap();
        let (sent, left) = send(&[refusing, works]);
        let sent = sent.unwrap();
        assert_eq!(sent.plan.peer, works);
        assert!(matches!(sent.end, Ok(SendEnd::Complete)), "{:?}", sent.end);
        assert_eq!(left, [(refusing, works)]);
        let mut buffer = [0; 16];
        let len = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"hello");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_last_address_counts_a_refusal_because_no_other_is_left() {
        let (_kept, refusing) = refusing();
        let (sent, left) = send(&[refusing]);
        let sent = sent.unwrap();
        assert!(left.is_empty());
        assert!(!sent.plan.has_alternative);
        assert!(matches!(sent.end, Ok(SendEnd::Complete)), "{:?}", sent.end);
        assert_eq!(sent.report.refused, 1);
    }

    #[test]
    fn an_address_that_works_is_the_only_one_that_gets_anything() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let spare = UdpSocket::bind("127.0.0.1:0").unwrap();
        spare.set_nonblocking(true).unwrap();
        let works = receiver.local_addr().unwrap();
        let (sent, left) = send(&[works, spare.local_addr().unwrap()]);
        assert_eq!(sent.unwrap().plan.peer, works);
        assert!(left.is_empty());
        assert_eq!(receiver.recv(&mut [0; 16]).unwrap(), 5);
        assert!(spare.recv(&mut [0; 16]).is_err());
    }
}
