//! Waits for the sockets of a relay.

use std::future::poll_fn;
use std::task::Poll;

use crate::udp::relay::sessions::Sessions;
use crate::udp::socket::Bound;

/// A socket that is ready.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadySocket {
    /// The socket that clients send to.
    Clients,
    /// The place of a session, and the number of the target.
    Target(usize, usize),
}

/// Waits for readable sockets, and lists them. `first` is where to begin, so that the sockets take turns.
pub(super) async fn wait_ready(
    bound: &Bound,
    sessions: &Sessions,
    first: usize,
    ready: &mut Vec<ReadySocket>,
) {
    // Written by hand instead of with `select!`, because the number of sockets changes while the relay runs. Every
    // socket is polled each time, because only a poll registers the waker for the next datagram.
    poll_fn(|context| {
        ready.clear();
        if bound.socket.poll_recv_ready(context).is_ready() {
            ready.push(ReadySocket::Clients);
        }
        let places = sessions.places();
        for offset in 0..places {
            // Sockets that are always ready must not starve the sockets after them.
            let slot = (first % places + offset) % places;
            let links = sessions.links(slot).iter().enumerate();
            for (target, link) in links {
                if let Some((bound, _)) = &link.open
                    && bound.socket.poll_recv_ready(context).is_ready()
                {
                    ready.push(ReadySocket::Target(slot, target));
                }
            }
        }
        if ready.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}
