//! Formats times with microseconds. The part up to the seconds is cached, because formatting it is slow.

use std::cell::OnceCell;
use std::io::Write as _;

use jiff::tz::TimeZone;

use crate::datagram::Timestamp;

/// `2026-11-23T04:18:44.123456Z`: RFC 3339, UTC.
#[derive(Debug, Default)]
pub(crate) struct UtcClock {
    cache: Cache,
}

/// `12:01:05.123456`: local time.
#[derive(Debug, Default)]
pub(crate) struct LocalClock(ZonedCache);

/// `2026-11-23 12:01:05.123456`: local date and time.
#[derive(Debug, Default)]
pub(crate) struct DateClock(ZonedCache);

/// Times in this PC's time zone, which is loaded at the first one, because that takes a millisecond or two.
#[derive(Debug, Default)]
struct ZonedCache {
    /// The last time as text.
    cache: Cache,
    /// The time zone, once loaded.
    zone: OnceCell<TimeZone>,
}

/// The last formatted time.
#[derive(Debug, Default)]
struct Cache {
    /// The second of `text`, since the Unix epoch.
    second: Option<i64>,
    /// The time that `text` shows: the datagrams of a batch share one time.
    time: Option<Timestamp>,
    /// The whole text.
    text: Vec<u8>,
    /// The offset of the six microsecond digits in `text`.
    digits_at: usize,
}

impl Cache {
    /// Formats `time`; `whole` writes the part before the decimal point, and `end` follows the digits.
    fn format(
        &mut self,
        time: Timestamp,
        end: &[u8],
        whole: impl FnOnce(jiff::Timestamp, &mut Vec<u8>),
    ) -> &[u8] {
        if self.time == Some(time) {
            return &self.text;
        }
        self.time = Some(time);
        let (second, nanos) = (
            // Not plain division: before 1970 it would round towards 0 and give negative microseconds.
            time.as_nanos().div_euclid(1_000_000_000),
            time.as_nanos().rem_euclid(1_000_000_000),
        );
        if self.second != Some(second) {
            self.second = Some(second);
            self.text.clear();
            whole(
                jiff::Timestamp::from_second(second).unwrap_or_default(),
                &mut self.text,
            );
            self.text.push(b'.');
            self.digits_at = self.text.len();
            self.text.extend_from_slice(b"000000");
            self.text.extend_from_slice(end);
        }
        let mut micros = nanos / 1000;
        for digit in self.text.iter_mut().skip(self.digits_at).take(6).rev() {
            // One decimal digit.
            *digit = b'0' + u8::try_from(micros % 10).unwrap_or_default();
            micros /= 10;
        }
        &self.text
    }
}

impl UtcClock {
    /// The time as text.
    pub(crate) fn format(&mut self, time: Timestamp) -> &[u8] {
        self.cache.format(time, b"Z", |second, text| {
            // Writing to a Vec cannot fail.
            let _ = write!(text, "{}", second.strftime("%Y-%m-%dT%H:%M:%S"));
        })
    }
}

impl LocalClock {
    /// The time as text.
    pub(crate) fn format(&mut self, time: Timestamp) -> &[u8] {
        self.0.format(time, "%H:%M:%S")
    }
}

impl DateClock {
    /// The time as text.
    pub(crate) fn format(&mut self, time: Timestamp) -> &[u8] {
        self.0.format(time, "%Y-%m-%d %H:%M:%S")
    }
}

impl ZonedCache {
    /// The local time as text; `pattern` is for the part before the decimal point.
    fn format(&mut self, time: Timestamp, pattern: &str) -> &[u8] {
        let zone = self.zone.get_or_init(TimeZone::system);
        self.cache.format(time, b"", |second, text| {
            let local = second.to_zoned(zone.clone());
            // Writing to a Vec cannot fail.
            let _ = write!(text, "{}", local.strftime(pattern));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_right_to_the_microsecond_in_any_order() {
        let mut clock = UtcClock::default();
        let mut text =
            |nanos| String::from_utf8(clock.format(Timestamp::from_nanos(nanos)).to_vec()).unwrap();
        assert_eq!(
            text(1_000_000_000_123_456_789),
            "2001-09-09T01:46:40.123456Z"
        );
        assert_eq!(
            text(1_000_000_000_000_001_000),
            "2001-09-09T01:46:40.000001Z"
        );
        assert_eq!(text(999_999_999_999_999_999), "2001-09-09T01:46:39.999999Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(i64::MAX), "2262-04-11T23:47:16.854775Z");
        assert_eq!(text(i64::MIN), "1677-09-21T00:12:43.145224Z");
    }
}
