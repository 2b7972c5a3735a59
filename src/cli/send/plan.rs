//! The arguments of `udpcli send` -> the plan for an address, its socket and its pace.

use std::net::SocketAddr;
use std::time::Duration;

use super::payload::PayloadChoice;
use super::{OnOff, SendArgs, TUTORIAL_INTERVAL};
use crate::cli::GlobalArgs;
use crate::error::Error;
use crate::text::random::Random;
use crate::udp::endpoint::Family;
use crate::udp::interface;
use crate::udp::pace::{Pace, Rate};
use crate::udp::receive::{ReceiveOptions, TimeSource};
use crate::udp::send::{ReplyPlan, SendPlan};
use crate::udp::socket::{SendOptions, Sharing};
use crate::words::catalogue::say;

impl SendArgs {
    /// The plan for one address.
    pub(super) fn plan(
        &self,
        peer: SocketAddr,
        duration: Option<Duration>,
        replies: Option<ReplyPlan>,
        global: &GlobalArgs,
    ) -> SendPlan {
        let is_broadcast = interface::is_broadcast(peer.ip());
        SendPlan {
            peer,
            pace: self.pace(self.form()),
            duration,
            replies,
            receive: ReceiveOptions {
                // Replies are shown whole: only `listen` imitates the tutorial's limit.
                recv_size: usize::MAX,
                clock: TimeSource::Kernel,
                batching: !global.no_batching,
            },
            unicast: !peer.ip().is_multicast() && !is_broadcast,
            broadcast: self.broadcast || is_broadcast,
            // `addresses::to_first` knows which address is the last one.
            has_alternative: false,
        }
    }

    /// The socket for that plan.
    pub(super) fn options(&self, form: PayloadChoice, plan: &SendPlan) -> SendOptions {
        SendOptions {
            // Set SO_REUSEADDR as the tutorial's client does.
            sharing: Sharing {
                reuse_addr: self.reuse_addr || form == PayloadChoice::Tutorial,
                reuse_port: self.reuse_port,
                interface: self.interface.clone(),
            },
            bind: self.bind,
            broadcast: plan.broadcast,
            ttl: self.ttl,
            multicast_if: self.multicast_if.clone(),
            multicast_loop: self.multicast_loop.map(|on| on == OnOff::On),
            tos: self.tos,
            send_buffer: self.send_buffer,
            replies: plan.replies.as_ref().map(|_| plan.receive),
        }
    }

    /// The family of the peer's address.
    pub(super) fn family(&self) -> Family {
        match (self.v4, self.v6, self.bind) {
            (true, ..) => Family::V4,
            (_, true, _) => Family::V6,
            (.., Some(bind)) if bind.is_ipv4() => Family::V4,
            (.., Some(_)) => Family::V6,
            _ => Family::Any,
        }
    }

    /// A pattern distributes datagrams around a mean rate, and a ramp ends at a rate: without one, there is nothing to
    /// do.
    pub(super) fn check_pace(&self, form: PayloadChoice) -> Result<(), Error> {
        let has_rate = matches!(self.rate, Some(Rate::PerSecond(_)));
        let has_interval = self.interval.is_some_and(|interval| !interval.is_zero());
        if self.pattern.is_some() && !has_rate && !has_interval {
            return Err(Error::usage_hint(
                say!("send.pattern-without-rate"),
                say!("send.pattern-without-rate.hint"),
            ));
        }
        if !self.ramp {
            return Ok(());
        }
        if !has_rate {
            return Err(Error::usage_hint(
                say!("send.ramp-without-rate"),
                say!("send.ramp-without-rate.hint"),
            ));
        }
        if self.duration.is_none() && self.planned(form).is_none() {
            return Err(Error::usage_hint(
                say!("send.ramp-without-end"),
                say!("send.ramp-without-end.hint"),
            ));
        }
        Ok(())
    }

    /// When datagrams are due.
    fn pace(&self, form: PayloadChoice) -> Pace {
        let pace = self.even_pace(form);
        match (self.pattern, self.ramp) {
            (Some(pattern), _) => pace.in_pattern(pattern, Random::new(None)),
            (None, true) => match (self.duration, self.planned(form)) {
                (Some(duration), _) => pace.with_ramp(duration),
                (None, Some(datagrams)) => pace.with_ramp_over(datagrams),
                (None, None) => pace,
            },
            (None, false) => pace,
        }
    }

    /// The same without a pattern or a ramp.
    fn even_pace(&self, form: PayloadChoice) -> Pace {
        if let Some(rate) = self.rate {
            return Pace::at(rate);
        }
        let is_endless = self.rounds(form).is_none();
        Pace::every(self.interval.unwrap_or(if is_endless {
            TUTORIAL_INTERVAL
        } else {
            Duration::ZERO
        }))
    }

    /// TTL 0 keeps a multicast datagram on this machine; a unicast datagram with it goes nowhere, and the kernel says
    /// only that the argument is invalid.
    pub(super) fn check_ttl(&self, addresses: &[SocketAddr]) -> Result<(), Error> {
        let unicast = addresses.iter().find(|peer| !peer.ip().is_multicast());
        match unicast {
            Some(peer) if self.ttl == Some(0) => Err(Error::usage_hint(
                say!("send.ttl-zero", peer = peer),
                say!("send.ttl-zero.hint"),
            )),
            _ => Ok(()),
        }
    }
}
