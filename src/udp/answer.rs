//! Decides which datagrams a listener answers, and limits the rate per peer, so that two programs that answer each
//! other do not start a packet storm.

pub mod rules;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::datagram::Addressed;
use crate::datagram::run::Run;
use rules::AnswerRules;

/// The payload of a listener's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Send the received payload back.
    Echo,
    /// Send the same bytes every time.
    Fixed(Vec<u8>),
}

/// What to answer, how often each peer gets an answer, and when.
#[derive(Debug)]
pub(crate) struct AnswerPlan {
    /// Replies by pattern; the first match wins.
    pub(crate) rules: AnswerRules,
    /// The answer to datagrams that no rule matches.
    pub(crate) fallback: Option<Answer>,
    /// Rate limit: the maximum number of answers per second and peer.
    pub(crate) rate: u32,
    /// The delay before an answer is sent, unless its rule sets another.
    pub(crate) delay: Duration,
    /// The percentage of answers to drop, unless the rule sets another.
    pub(crate) drop: f64,
    /// The seed for dropped answers and random fields.
    pub(crate) seed: Option<u64>,
}

/// Why the listener does not answer a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    /// The datagram was sent to a multicast group or a broadcast address: many receivers would answer at once.
    #[error("the datagram was sent to a multicast group or a broadcast address")]
    Group,
    /// The sender's address is a multicast group, a broadcast address or unspecified, or its port is 0: an answer would
    /// reach many hosts, or none.
    #[error("its address is not that of one host and port")]
    Sender,
    /// The source address is this socket's own address: the listener would answer itself in a loop.
    #[error("its address is the listener's own")]
    Own,
    /// This peer has reached the rate limit.
    #[error("it has had as many answers as it gets per second")]
    Rate,
    /// Too many answers wait for their delay.
    #[error("too many answers wait for their delay")]
    Queue,
}

/// Checks whether the listener may answer the datagrams of `run`, apart from the rate limit. `own` are this machine's
/// addresses.
///
/// # Errors
/// The reason not to answer.
pub(crate) fn check(
    run: &Run<'_>,
    own: &[IpAddr],
    is_broadcast: impl Fn(IpAddr) -> bool,
) -> Result<(), Silence> {
    let peer = run.peer;
    if run.addressed == Addressed::Group || run.local.ip().is_multicast() {
        return Err(Silence::Group);
    }
    if peer.port() == 0
        || peer.ip().is_unspecified()
        || peer.ip().is_multicast()
        || is_broadcast(peer.ip())
    {
        return Err(Silence::Sender);
    }
    // The port alone decides nothing: another machine may send from the same port number.
    let is_own_address =
        peer.ip() == run.local.ip() || peer.ip().is_loopback() || own.contains(&peer.ip());
    if peer.port() == run.local.port() && is_own_address {
        return Err(Silence::Own);
    }
    Ok(())
}

/// Rate limit for the answers to one peer: a sliding-window counter that weights the previous one-second window by the
/// part of it that is still within the last second. It needs no list of timestamps and allows no double burst at a
/// window boundary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerRate {
    /// When the current window began.
    window: Instant,
    /// The answers in the current window.
    current: u32,
    /// The answers in the window before.
    previous: u32,
}

impl AnswerRate {
    /// The state for a peer without answers so far.
    #[must_use]
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            window: now,
            current: 0,
            previous: 0,
        }
    }

    /// Whether `per_second` allows one more answer.
    pub(crate) fn has_room(&mut self, now: Instant, per_second: u32) -> bool {
        const WINDOW: Duration = Duration::from_secs(1);
        let age = now.saturating_duration_since(self.window);
        // All counted answers are older than the last second.
        if age >= 2 * WINDOW {
            *self = Self::new(now);
        } else if age >= WINDOW {
            self.window += WINDOW;
            self.previous = self.current;
            self.current = 0;
        }
        let passed = now.saturating_duration_since(self.window).as_secs_f64();
        let counted = f64::from(self.previous) * (1.0 - passed) + f64::from(self.current);
        counted + 1.0 <= f64::from(per_second)
    }

    /// Counts an answer.
    pub(crate) fn count(&mut self) {
        self.current = self.current.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datagram::Timestamp;

    fn run(peer: &str, local: &str, addressed: Addressed) -> Run<'static> {
        let (peer, local) = (peer.parse().unwrap(), local.parse().unwrap());
        Run::single(b"x", peer, local, addressed, Timestamp::default())
    }

    fn check_one(peer: &str, local: &str, addressed: Addressed) -> Result<(), Silence> {
        let own = ["192.168.0.10".parse().unwrap()];
        check(&run(peer, local, addressed), &own, |address| {
            address.to_string() == "192.168.0.255"
        })
    }

    #[test]
    fn groups_broadcasts_and_ourselves_are_not_answered() {
        use Addressed::{Group, Unicast, Unknown};
        assert_eq!(
            check_one("192.168.0.5:49153", "192.168.0.10:6000", Unicast),
            Ok(())
        );
        assert_eq!(
            check_one("127.0.0.1:49153", "127.0.0.1:6000", Unicast),
            Ok(())
        );
        assert_eq!(
            check_one("192.168.0.5:6000", "192.168.0.10:6000", Unicast),
            Ok(())
        );
        assert_eq!(
            check_one("192.168.0.5:49153", "192.168.0.255:6000", Group),
            Err(Silence::Group)
        );
        assert_eq!(
            // If the system does not report how a datagram was addressed, use its destination.
            check_one("192.168.0.5:49153", "239.1.2.3:6000", Unknown),
            Err(Silence::Group)
        );
        assert_eq!(
            check_one("192.168.0.255:7", "192.168.0.10:6000", Unicast),
            Err(Silence::Sender)
        );
        assert_eq!(
            check_one("239.1.2.3:7", "192.168.0.10:6000", Unicast),
            Err(Silence::Sender)
        );
        assert_eq!(
            // Port 0 cannot receive an answer.
            check_one("192.168.0.5:0", "192.168.0.10:6000", Unicast),
            Err(Silence::Sender)
        );
        assert_eq!(
            check_one("192.168.0.10:6000", "192.168.0.10:6000", Unicast),
            Err(Silence::Own)
        );
        assert_eq!(
            check_one("127.0.0.1:6000", "0.0.0.0:6000", Unknown),
            Err(Silence::Own)
        );
    }

    fn allow(rate: &mut AnswerRate, now: Instant) -> bool {
        let has_room = rate.has_room(now, 100);
        if has_room {
            rate.count();
        }
        has_room
    }

    #[test]
    fn no_second_has_more_answers_than_allowed() {
        let start = Instant::now();
        let mut rate = AnswerRate::new(start);
        let step = Duration::from_millis(1);
        let answered: Vec<u32> = (0..5000)
            .filter(|&ms| allow(&mut rate, start + ms * step))
            .collect();
        for &first in &answered {
            let second = answered
                .iter()
                .filter(|&&ms| ms >= first && ms < first + 1000)
                .count();
            assert!(
                second <= 101,
                "{second} answers within a second from {first} ms"
            );
        }
        assert!(answered.len() >= 450, "{}", answered.len());
    }

    #[test]
    fn a_peer_may_use_its_second_at_once() {
        let start = Instant::now();
        let mut rate = AnswerRate::new(start);
        assert_eq!((0..500).filter(|_| allow(&mut rate, start)).count(), 100);
        assert_eq!(
            (0..500)
                .filter(|_| allow(&mut rate, start + Duration::from_secs(10)))
                .count(),
            100
        );
    }
}
