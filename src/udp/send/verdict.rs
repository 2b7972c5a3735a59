//! Judges the counts of a run: whether it got the replies that it waited for.

use std::net::SocketAddr;

use crate::udp::Neighbour;
use crate::udp::error::Error;
use crate::udp::send::{ReplyPlan, SendSummary};

/// The result of a completed run, or of a step of a conversation. `replies` has the required replies, if any.
///
/// # Errors
/// Too few replies came, not the expected one, or datagrams did not get through.
pub(crate) fn verdict(
    peer: SocketAddr,
    replies: Option<&ReplyPlan>,
    report: &mut SendSummary,
) -> Result<(), Error> {
    if let Some(replies) = replies {
        let wait = replies.wait;
        let got = report.replies;
        let enough = replies.wanted.unwrap_or(1);
        let is_expected = replies.expect.is_none() || report.is_expected_seen;
        if got >= enough && is_expected {
            return Ok(());
        }
        // Otherwise a network error explains more than the number of replies.
        if report.refused == 0 && report.errors == 0 {
            return Err(match (got, report.neighbour.take()) {
                (0, Some(Neighbour::Silent { interface })) => {
                    Error::NoNeighbour { peer, interface }
                }
                (0, neighbour) => Error::NoReply {
                    peer,
                    wait,
                    is_present: neighbour.is_some(),
                },
                (got, _) if !is_expected => Error::Unexpected { peer, got },
                (got, _) => Error::TooFewReplies {
                    peer,
                    got,
                    wanted: enough,
                    wait,
                },
            });
        }
    }
    if report.refused > 0 {
        return Err(Error::Refused { peer });
    }
    match report.last_error.take() {
        Some(source) if report.errors > 0 => Err(Error::SendSome {
            peer,
            failed: report.errors,
            total: report.datagrams + report.unsent,
            source,
        }),
        _ => Ok(()),
    }
}
