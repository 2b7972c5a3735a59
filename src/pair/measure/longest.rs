//! Finds the longest payload that arrives complete.

use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::{
    IDLE, LATE, MeasurementContext, ReportedDatagram, SLACK, TRIES, TUTORIAL, Trouble, mtu, up,
    with_listener,
};
use crate::pair::board_session::BoardSession;
use crate::pair::sockets::{self, Arrived};
use crate::pair::test_datagram::{self, PhaseMark};

/// The longest payload that arrived complete, and the shortest that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pair) struct Longest {
    /// The longest that arrived complete, in bytes.
    pub(in crate::pair) whole: usize,
    /// `None` if no length failed.
    pub(in crate::pair) fails: Option<usize>,
    /// The limit is the board's memory, not the network.
    pub(in crate::pair) memory: bool,
}

/// The longest payload to try: longer than the tutorial's board ever sends, in six fragments.
pub(in crate::pair) const LONGEST: usize = 8192;

/// The lengths to try first, close to the usual limits: the tutorial's buffer and the MTU.
fn ladder(mtu: usize) -> Vec<usize> {
    let whole = mtu.saturating_sub(28);
    let mut lengths = vec![512, TUTORIAL, whole, whole + 1, 2000, 4096, LONGEST];
    lengths.retain(|&length| length <= LONGEST);
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// Finds the limit: tries the ladder, then bisects between the last length that passed and the first that failed.
fn search<E>(
    mtu: usize,
    most: usize,
    mut passes: impl FnMut(usize) -> Result<bool, E>,
) -> Result<Option<Longest>, E> {
    let mut whole = 0;
    let mut fails = None;
    for length in ladder(mtu) {
        // The board has said that it has no memory for more.
        if length > most {
            continue;
        }
        if passes(length)? {
            whole = length;
        } else {
            fails = Some(length);
            break;
        }
    }
    while let Some(short) = fails
        && short - whole > 1
    {
        // The steps of the ladder are close together, so the bisection needs few tries, and still finds the exact byte.
        let middle = whole + (short - whole) / 2;
        if passes(middle)? {
            whole = middle;
        } else {
            fails = Some(middle);
        }
    }
    Ok((whole > 0).then_some(Longest {
        whole,
        fails,
        memory: most < LONGEST && fails.is_none(),
    }))
}

/// Finds the longest payload that reaches the board complete, if its program receives all of it.
pub(in crate::pair) fn longest_down(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
) -> Result<Option<Longest>, Trouble> {
    let mark = context.next_phase();
    let context = &*context;
    let socket = context.to_board().map_err(Trouble::Send)?;
    let code = context.listen_code(mark, LONGEST, "_pr");
    let limit = IDLE + SLACK + LATE * 60;
    let measured = with_listener(
        session,
        &socket,
        mark,
        &code,
        limit,
        |most, reported, over| {
            let mut number = 0;
            search(mtu(context), most, |length| {
                let sizes = [length];
                // A single lost datagram must not look like a limit.
                for _ in 0..TRIES {
                    number += 1;
                    let bytes = test_datagram::payload(mark, 0, number, length);
                    if let Err(error) = socket.send(&bytes)
                        && !sockets::is_passing(&error)
                    {
                        return Ok(false);
                    }
                    let until = Instant::now() + LATE / 2;
                    loop {
                        if over.load(Ordering::Relaxed) {
                            return Err(());
                        }
                        match reported.recv_timeout(until.saturating_duration_since(Instant::now()))
                        {
                            Ok(report) => {
                                let header =
                                    test_datagram::read(&report.first, report.len, mark, &sizes);
                                if header.is_some() && report.len == length {
                                    return Ok(report.sum == sum_of_any(mark, &report, length));
                                }
                            }
                            Err(_) => break,
                        }
                    }
                }
                Ok(false)
            })
        },
    )?;
    Ok(measured.0.and_then(Result::ok).flatten())
}

/// The expected sum of a payload of the search, for any sequence number.
fn sum_of_any(mark: PhaseMark, report: &ReportedDatagram, length: usize) -> u64 {
    let number = u16::from_le_bytes([
        report.first.first().copied().unwrap_or(0),
        report.first.get(2).copied().unwrap_or(0),
    ]);
    test_datagram::sum(&test_datagram::payload(mark, 0, number, length))
}

/// Finds the longest payload that the board can send to the PC complete.
pub(in crate::pair) fn longest_up(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    arrivals: &Receiver<Arrived>,
) -> Result<Option<Longest>, Trouble> {
    let mut memory = false;
    let found = search(mtu(context), LONGEST, |length| {
        let up = up(
            session,
            context,
            arrivals,
            &[length],
            TRIES,
            Duration::from_millis(20),
        )?;
        memory |= up.memory || up.error.is_some();
        Ok::<_, Trouble>(
            up.counts
                .sizes
                .iter()
                .any(|count| count.received > count.damaged + count.cut),
        )
    })?;
    Ok(found.map(|longest| Longest { memory, ..longest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_limit_is_found() {
        for limit in [600, 1023, 1024, 1300, 1472, 1473, 5000, 8191, 8192] {
            let found = search(1500, LONGEST, |length| Ok::<_, ()>(length <= limit))
                .unwrap()
                .unwrap();
            assert_eq!(found.whole, limit);
            assert_eq!(found.fails, (limit < LONGEST).then_some(limit + 1));
        }
        assert_eq!(search(1500, LONGEST, |_| Ok::<_, ()>(false)).unwrap(), None);
        let small = search(1500, 3000, |_| Ok::<_, ()>(true)).unwrap().unwrap();
        assert_eq!((small.whole, small.memory), (2000, true));
    }
}
