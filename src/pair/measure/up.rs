//! From the board to the PC.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::{Course, LATE, SLACK, Trouble, python_bytes};
use crate::pair::counts::{Counts, State};
use crate::pair::datagram::{self, HEADER, Mark};
use crate::pair::post::Arrived;
use crate::pair::talk::{Ears, Talk};
use crate::stats::Spread;

/// What was measured from the board to the PC.
#[derive(Debug)]
pub(in crate::pair) struct Up {
    pub(in crate::pair) counts: Counts,
    /// Between one datagram and the next, as they came.
    pub(in crate::pair) gaps: Spread,
    /// The number of the board's last error.
    pub(in crate::pair) error: Option<i64>,
    /// The last datagrams: length, and time since the one before.
    pub(in crate::pair) last: VecDeque<(usize, Duration)>,
}

/// How many of the last datagrams are kept.
const KEPT: usize = 8;

/// Hears the board send.
struct UpEars<'a> {
    arrivals: &'a Receiver<Arrived>,
    sizes: &'a [usize],
    mark: Mark,
    up: Up,
    last: Option<Instant>,
}

impl Ears for UpEars<'_> {
    fn line(&mut self, words: &[&str]) {
        if let ["err", place, _, number] = *words {
            let place: usize = place.parse().unwrap_or(usize::MAX);
            if let Some(count) = self.up.counts.sizes.get_mut(place) {
                count.refused += 1;
            }
            self.up.error = number.parse().ok();
        }
    }

    fn tick(&mut self) {
        while let Ok(arrived) = self.arrivals.try_recv() {
            self.take(&arrived);
        }
    }
}

impl UpEars<'_> {
    fn take(&mut self, arrived: &Arrived) {
        let bytes = &arrived.payload;
        let first = bytes.get(..HEADER).unwrap_or(bytes);
        let Some(header) = datagram::read(first, bytes.len(), self.mark, self.sizes) else {
            return;
        };
        let size = self.sizes.get(header.place).copied().unwrap_or(0);
        let state = if bytes.len() < size {
            State::Cut
        } else if datagram::is_whole(bytes) {
            State::Whole
        } else {
            State::Damaged
        };
        if self.up.counts.arrive(header, state) {
            let gap = self
                .last
                .replace(arrived.at)
                .map(|last| arrived.at.saturating_duration_since(last));
            self.up.last.truncate(KEPT - 1);
            self.up
                .last
                .push_front((bytes.len(), gap.unwrap_or_default()));
            if let Some(gap) = gap {
                self.up.gaps.record(gap);
            }
        }
    }
}

/// Has the board send `count` of each of `sizes`.
pub(in crate::pair) fn up(
    talk: &mut Talk,
    course: &mut Course,
    arrivals: &Receiver<Arrived>,
    sizes: &[usize],
    count: u16,
    interval: Duration,
) -> Result<Up, Trouble> {
    let mark = course.next_phase();
    let mut counts = Counts::new(sizes);
    for size in &mut counts.sizes {
        size.sent = u64::from(count);
    }
    let list: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let code = format!(
        "_pt('{}',{},({},),{count},{},{})",
        course.facing.local,
        course.port,
        list.join(","),
        interval.as_millis(),
        python_bytes(&mark.bytes()),
    );
    let mut ears = UpEars {
        arrivals,
        sizes,
        mark,
        up: Up {
            counts,
            gaps: Spread::default(),
            error: None,
            last: VecDeque::with_capacity(KEPT),
        },
        last: None,
    };
    let datagrams = u32::try_from(sizes.len()).unwrap_or(u32::MAX) * u32::from(count);
    talk.call("sending", &code, interval * datagrams + SLACK, &mut ears)?;
    let total = ears.up.counts.sent();
    let until = Instant::now() + LATE;
    while ears.up.counts.received() < total {
        match arrivals.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(arrived) => ears.take(&arrived),
            Err(_) => break,
        }
    }
    Ok(ears.up)
}
