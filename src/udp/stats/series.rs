//! How figures change over a run, as a limited number of points: when a run gets long, two points become one.

use std::time::Duration;

use crate::datagram::Timestamp;

/// The maximum number of points.
pub(crate) const MOST_POINTS: usize = 240;

/// The time that a point stands for at first, in nanoseconds.
const FIRST_WIDTH: u64 = 100_000_000;

/// What happened in the time of one point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Point {
    /// Datagrams that arrived.
    pub(crate) datagrams: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// Numbers that were missed in this time and never arrived.
    pub(crate) lost: u64,
    /// Numbers that arrived again.
    pub(crate) duplicate: u64,
    /// Numbers that arrived after a higher one.
    pub(crate) reordered: u64,
    /// The sum of the differences that jitter is made of, in nanoseconds, and their number.
    pub(crate) difference: f64,
    /// How many differences that are.
    pub(crate) differences: u64,
    /// The longest time without a datagram that ended here, in nanoseconds.
    pub(crate) gap: u64,
}

impl Point {
    fn add(&mut self, other: &Self) {
        self.datagrams += other.datagrams;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.duplicate += other.duplicate;
        self.reordered += other.reordered;
        self.difference += other.difference;
        self.differences += other.differences;
        self.gap = self.gap.max(other.gap);
    }

    /// The mean jitter, in seconds; `None` without data.
    #[must_use]
    pub(crate) fn jitter(&self) -> Option<f64> {
        (self.differences > 0).then(|| self.difference / self.differences as f64 / 1e9)
    }

    /// The lost percentage of the expected datagrams; `None` if none was expected.
    #[must_use]
    pub(crate) fn loss(&self) -> Option<f64> {
        let arrived = self.datagrams.saturating_sub(self.duplicate);
        let all = arrived + self.lost;
        (all > 0).then(|| self.lost as f64 * 100.0 / all as f64)
    }
}

/// Points of equal width from a start.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// When the first point begins.
    start: Timestamp,
    /// The time that a point stands for, in nanoseconds.
    width: u64,
    /// The points.
    points: Vec<Point>,
    /// A fallback for a missing point; the list is never empty.
    beyond: Point,
}

impl Series {
    /// Begins at this time.
    #[must_use]
    pub(crate) fn new(start: Timestamp) -> Self {
        Self {
            start,
            width: FIRST_WIDTH,
            points: Vec::new(),
            beyond: Point::default(),
        }
    }

    /// The point of a time. Times before the start belong to the first.
    pub(crate) fn at(&mut self, time: Timestamp) -> &mut Point {
        let since = time.as_nanos().saturating_sub(self.start.as_nanos());
        let since = u64::try_from(since).unwrap_or(0);
        // A run has no known length: points are joined as it gets longer.
        while since / self.width >= MOST_POINTS as u64 {
            self.halve();
        }
        let index = usize::try_from(since / self.width).unwrap_or(0);
        if index >= self.points.len() {
            self.points.resize(index + 1, Point::default());
        }
        self.points.get_mut(index).unwrap_or(&mut self.beyond)
    }

    /// Makes one point of each two.
    fn halve(&mut self) {
        self.width = self.width.saturating_mul(2);
        let halves = self.points.chunks(2).map(|pair| {
            let mut sum = Point::default();
            for point in pair {
                sum.add(point);
            }
            sum
        });
        self.points = halves.collect();
    }

    /// The points so far.
    #[must_use]
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The time that a point stands for.
    #[must_use]
    pub(crate) fn width(&self) -> Duration {
        Duration::from_nanos(self.width)
    }

    /// Adds the points of another sender, which began at the same time.
    pub(crate) fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        // Widths are the first one times a power of two, so two series can always be made equal.
        while other.width < self.width {
            other.halve();
        }
        while self.width < other.width {
            self.halve();
        }
        if self.points.len() < other.points.len() {
            self.points.resize(other.points.len(), Point::default());
        }
        for (sum, point) in self.points.iter_mut().zip(&other.points) {
            sum.add(point);
        }
    }
}
