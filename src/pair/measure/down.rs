//! Measures from the PC to the board.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{
    LATE, LOOK, MeasurementContext, Patience, ReportedDatagram, TUTORIAL, Trouble, pause,
    with_listener,
};
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::counts::{ArrivalState, SizeCounts};
use crate::pair::sockets;
use crate::pair::test_datagram::{self, PhaseMark, ReceivedHeader};

/// The results from the PC to the board.
#[derive(Debug)]
pub(in crate::pair) struct Down {
    /// What arrived, by size.
    pub(in crate::pair) counts: SizeCounts,
    /// The last error of our own socket.
    pub(in crate::pair) error: Option<io::Error>,
    /// How many bytes of a payload longer than 1,024 bytes the tutorial's `recvfrom(1024)` returned.
    pub(in crate::pair) tutorial: Option<usize>,
    /// The source address that the board saw, if it is not the PC's address.
    pub(in crate::pair) alias: Option<Ipv4Addr>,
}

/// Sends every size to the board, which receives like the tutorial's server.
pub(in crate::pair) fn down(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
) -> Result<Down, Trouble> {
    let mark = context.next_phase();
    let context = &*context;
    let socket = context.to_board().map_err(Trouble::Send)?;
    // The extra size at the end shows where the tutorial's server truncates.
    let sizes = [&context.sizes[..], &[TUTORIAL + 1]].concat();
    let total = context.sizes.len() * usize::from(context.count);
    let code = context.listen_code(mark, TUTORIAL, "_pr");
    let received = AtomicU64::new(0);
    let measured = with_listener(
        session,
        &socket,
        mark,
        &code,
        context.limit(total),
        |_, reported, over| {
            let mut down = Down {
                counts: SizeCounts::new(&sizes),
                error: None,
                tutorial: None,
                alias: None,
            };
            let take = |down: &mut Down, wait: Duration| -> bool {
                let Ok(report) = reported.recv_timeout(wait) else {
                    return false;
                };
                let Some(header) = test_datagram::read(&report.first, report.len, mark, &sizes)
                else {
                    return true;
                };
                let Some(&size) = sizes.get(header.place) else {
                    return true;
                };
                // Only a datagram with the whole header has our token, so that a stranger's address is not taken for
                // this PC's.
                if report.first.len() == test_datagram::HEADER
                    && let Some(from) = report.from
                {
                    down.alias = (from != context.facing.local).then_some(from);
                }
                let state = arrival(&report, &header, mark, size);
                if header.place == context.sizes.len() {
                    down.tutorial = Some(report.len);
                }
                if down.counts.arrive(header, state) {
                    received.fetch_add(1, Ordering::Relaxed);
                }
                true
            };
            let mut due = Instant::now();
            for (place, &size) in sizes.iter().enumerate() {
                let is_probe = place == context.sizes.len();
                for number in 0..if is_probe { 1 } else { context.count } {
                    // To the time and not for a time, so that delays do not add up.
                    pause(due, over);
                    if over.load(Ordering::Relaxed) {
                        return down;
                    }
                    due += context.interval;
                    let bytes = test_datagram::payload(
                        mark,
                        u8::try_from(place).unwrap_or(u8::MAX),
                        number,
                        size,
                    );
                    let sent = socket.send(&bytes);
                    if let Some(count) = down.counts.sizes.get_mut(place) {
                        count.sent += 1;
                        if let Err(error) = sent
                            && !sockets::is_passing(&error)
                        {
                            count.refused += 1;
                            down.error = Some(error);
                        }
                    }
                    // Read the reports meanwhile: the channel would otherwise hold all of them.
                    while take(&mut down, Duration::ZERO) {}
                }
            }
            let mut patience = Patience::new(LATE);
            while received.load(Ordering::Relaxed) < u64::try_from(total + 1).unwrap_or(u64::MAX)
                && !over.load(Ordering::Relaxed)
            {
                if take(&mut down, LOOK) {
                    patience = Patience::new(LATE);
                } else if !patience.again() {
                    break;
                }
            }
            down
        },
    )?;
    let mut down = measured
        .0
        .ok_or(Trouble::SessionError(SessionError::Restarted))?;
    // The probe of the tutorial's limit is not a size of the plan.
    down.counts.sizes.pop();
    Ok(down)
}

/// Whether the payload of a datagram arrived whole.
fn arrival(
    report: &ReportedDatagram,
    header: &ReceivedHeader,
    mark: PhaseMark,
    size: usize,
) -> ArrivalState {
    let place = u8::try_from(header.place).unwrap_or(0);
    let sent = || test_datagram::payload(mark, place, header.number, size);
    if report.len < size {
        ArrivalState::Cut
    } else if header.is_exact && test_datagram::sum(&sent()) != report.sum {
        ArrivalState::Damaged
    } else {
        ArrivalState::Whole
    }
}
