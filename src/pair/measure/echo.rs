//! Measures the round trip.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{ECHO, ECHO_TRIES, ECHO_WAIT, IDLE, MeasurementContext, SLACK, Trouble, with_listener};
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::test_datagram;
use crate::udp::stats::Spread;

/// The results of the round trip.
#[derive(Debug)]
pub(in crate::pair) struct Echo {
    /// How many were sent.
    pub(in crate::pair) sent: u64,
    /// How many came back in time, unchanged.
    pub(in crate::pair) received: u64,
    /// The round-trip times.
    pub(in crate::pair) rtt: Spread,
    /// Echoes with wrong bytes, or that arrived after their timeout.
    pub(in crate::pair) other: u64,
    /// The last errno of the board's `sendto`.
    pub(in crate::pair) error: Option<i64>,
}

/// The payload size of an echo.
pub(in crate::pair) const ECHO_SIZE: usize = 64;

/// Sends one datagram after another, each when the previous one is back or lost.
pub(in crate::pair) fn echo(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    count: u16,
) -> Result<Echo, Trouble> {
    let mark = context.next_phase();
    let context = &*context;
    let socket = context.to_board().map_err(Trouble::Send)?;
    let code = context.listen_code(mark, 1500, ECHO);
    let limit = ECHO_WAIT * u32::from(count) + IDLE + SLACK;
    let measured = with_listener(session, &socket, mark, &code, limit, |_, _, over| {
        let mut echo = Echo {
            sent: 0,
            received: 0,
            rtt: Spread::default(),
            other: 0,
            error: None,
        };
        let mut lost_in_a_row = 0;
        let mut buffer = [0; 2048];
        for number in 0..count {
            // If none of the first echoes came back, none will.
            if over.load(Ordering::Relaxed) || (echo.received == 0 && lost_in_a_row >= ECHO_TRIES) {
                break;
            }
            let payload = test_datagram::payload(mark, 0, number, ECHO_SIZE);
            let start = Instant::now();
            echo.sent += 1;
            // An error here is an ICMP error for an earlier echo, or shows as a lost one.
            let _ = socket.send(&payload);
            lost_in_a_row += 1;
            while start.elapsed() < ECHO_WAIT && !over.load(Ordering::Relaxed) {
                match socket.recv(&mut buffer) {
                    // All bytes must agree, so that a late echo of an earlier datagram does not count for this one.
                    Ok(len) if buffer.get(..len) == Some(&payload[..]) => {
                        echo.rtt.record(start.elapsed());
                        echo.received += 1;
                        lost_in_a_row = 0;
                        break;
                    }
                    Ok(_) => echo.other += 1,
                    Err(_) => {}
                }
            }
        }
        echo
    })?;
    let (echo, said) = measured;
    let mut echo = echo.ok_or(Trouble::SessionError(SessionError::Restarted))?;
    echo.error = said
        .iter()
        .filter_map(|line| line.strip_prefix("err ")?.rsplit_once(' ')?.1.parse().ok())
        .next_back();
    Ok(echo)
}
