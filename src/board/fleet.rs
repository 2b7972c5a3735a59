//! Several boards at the same time: finds the boards, and runs a job for each on its own thread.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::board::error::Error;
use crate::board::serial_ports;

/// The most boards at the same time: two classes.
pub(crate) const MOST_BOARDS: usize = 64;

/// How often the observer gets [`FleetEvent::Tick`].
const TICK: Duration = Duration::from_millis(100);

/// What happens to the jobs.
#[derive(Debug)]
pub(crate) enum FleetEvent<T> {
    /// The job with this index began.
    Began(usize),
    /// The job with this index ended with this result.
    Ended(usize, T),
    /// Time passed.
    Tick,
}

/// The ports of all boards that are found.
///
/// # Errors
/// There is none.
pub(crate) fn all_boards() -> Result<Vec<String>, Error> {
    let listed = serial_ports::list()?;
    let boards: Vec<String> = listed
        .iter()
        .filter(|port| port.board().is_some())
        .map(|port| port.name.clone())
        .collect();
    if boards.is_empty() {
        return Err(Error::NoBoard {
            others: listed.into_iter().map(|port| port.name).collect(),
        });
    }
    Ok(boards)
}

/// Each port once: two jobs at the same board would disturb each other.
pub(crate) fn without_doubles(ports: &mut Vec<String>) {
    let mut named = HashSet::new();
    ports.retain(|port| named.insert(port.clone()));
}

/// Does `work` for the indices below `count`, at most `jobs` at a time, and tells the observer, on this thread, what
/// happens. Once `is_stopped`, no further job begins.
pub(crate) fn side_by_side<T: Send>(
    count: usize,
    jobs: usize,
    is_stopped: &(dyn Fn() -> bool + Sync),
    work: &(dyn Fn(usize) -> T + Sync),
    observer: &mut dyn FnMut(FleetEvent<T>),
) {
    let next = AtomicUsize::new(0);
    let (sender, events) = channel();
    std::thread::scope(|scope| {
        // Blocking code needs a thread per board (`docs/decisions/blocking-board.md`).
        for _ in 0..jobs.clamp(1, count.max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while !is_stopped() {
                    // Relaxed is enough, because only the number itself is shared.
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    // The receiver lives as long as the scope.
                    let _ = sender.send(FleetEvent::Began(index));
                    let _ = sender.send(FleetEvent::Ended(index, work(index)));
                }
            });
        }
        // Otherwise the channel would never be disconnected, and the loop below would not end.
        drop(sender);
        loop {
            match events.recv_timeout(TICK) {
                Ok(event) => observer(event),
                Err(RecvTimeoutError::Timeout) => observer(FleetEvent::Tick),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn every_job_is_done_once_and_no_more_than_allowed_at_a_time() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut ended = Vec::new();
        side_by_side(
            20,
            3,
            &|| false,
            &|index| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(2));
                now.fetch_sub(1, Ordering::SeqCst);
                index * 2
            },
            &mut |event| {
                if let FleetEvent::Ended(index, result) = event {
                    assert_eq!(result, index * 2);
                    ended.push(index);
                }
            },
        );
        ended.sort_unstable();
        assert_eq!(ended, (0..20).collect::<Vec<_>>());
        assert!(most.into_inner() <= 3);
    }

    #[test]
    fn no_job_begins_after_the_end_was_asked_for() {
        let is_stopped = AtomicBool::new(false);
        let mut ended = 0;
        side_by_side(
            20,
            1,
            &|| is_stopped.load(Ordering::SeqCst),
            &|index| is_stopped.store(index == 4, Ordering::SeqCst),
            &mut |event| ended += usize::from(matches!(event, FleetEvent::Ended(..))),
        );
        assert_eq!(ended, 5);
    }
}
