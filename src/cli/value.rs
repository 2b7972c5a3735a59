//! Parsers for argument values: durations, sizes, addresses with an optional port. All of them read full-width
//! characters as ASCII.

use std::fmt::Display;
#[cfg(feature = "board")]
use std::net::SocketAddrV4;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use crate::text::checksum::Append;
use crate::text::fullwidth::to_ascii;
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::quoted;
use crate::udp::interface;

pub(super) use crate::text::duration::parse as duration;

/// Text for people or JSON for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    Text,
    Json,
}

/// A baud rate in the range that serial adapters support.
pub(super) fn baud(text: &str) -> Result<u32, Sentence> {
    number(text, 50..=12_000_000)
}

/// A whole number of a range.
pub(super) fn number<T>(text: &str, range: RangeInclusive<T>) -> Result<T, Sentence>
where
    T: FromStr + PartialOrd + Display,
{
    let number = to_ascii(text).parse().ok();
    let number = number.filter(|number| range.contains(number));
    number.ok_or_else(|| sentence!("value.number", least = range.start(), most = range.end()))
}

/// A number of boards at a time.
#[cfg(feature = "board")]
pub(super) fn jobs(text: &str) -> Result<std::num::NonZeroUsize, Sentence> {
    use std::num::NonZeroUsize;
    let most = NonZeroUsize::new(crate::board::fleet::MOST_BOARDS).unwrap_or(NonZeroUsize::MIN);
    number(text, NonZeroUsize::MIN..=most)
}

/// A number of one byte, such as a TTL.
pub(super) fn byte(text: &str) -> Result<u8, Sentence> {
    number(text, 0..=u8::MAX)
}

/// A UDP port that datagrams can be sent to.
#[cfg(feature = "board")]
pub(super) fn peer_port(text: &str) -> Result<u16, Sentence> {
    number(text, 1..=u16::MAX)
}

/// A duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, Sentence> {
    match duration(text)? {
        Duration::ZERO => Err(sentence!("value.above-zero")),
        duration => Ok(duration),
    }
}

/// What is left of `--duration` after waiting for the other end of a FIFO or for a name server. Shorter waits, as for
/// an ordinary file, do not count.
pub(super) fn remaining(duration: Duration, waited: Duration) -> Duration {
    const UNNOTICED: Duration = Duration::from_millis(50);
    if waited < UNNOTICED {
        duration
    } else {
        duration.saturating_sub(waited)
    }
}

/// Parses a number of bytes, with a unit as in GNU tools: `64k` and `64KiB` are 65,536, `64kB` is 64,000.
pub(super) fn size(text: &str) -> Result<usize, Sentence> {
    let text = &*to_ascii(text);
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let help = || sentence!("value.size");
    // Without digits it is no size at all; `parse` would take a `+` as well.
    if !digits
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_digit())
    {
        return Err(help());
    }
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => {
            return Err(sentence!("value.unit", unit = quoted(unit)));
        }
    };
    let count: u64 = digits.parse().map_err(|_| help())?;
    let bytes = count
        .checked_mul(factor)
        .filter(|&bytes| bytes <= 1 << 40)
        .ok_or_else(|| sentence!("value.size-too-large"))?;
    usize::try_from(bytes).map_err(|_| help())
}

/// A size, or `A..B`: any size between these, both included.
pub(super) fn sizes(text: &str) -> Result<RangeInclusive<usize>, Sentence> {
    let text = &*to_ascii(text);
    let Some((first, last)) = text.split_once("..") else {
        let size = size(text)?;
        return Ok(size..=size);
    };
    let (first, last) = (size(first)?, size(last)?);
    if first > last {
        return Err(sentence!(
            "value.sizes-reversed",
            first = first,
            last = last
        ));
    }
    Ok(first..=last)
}

/// A size above zero.
pub(super) fn positive_size(text: &str) -> Result<usize, Sentence> {
    match size(text)? {
        0 => Err(sentence!("value.above-zero")),
        size => Ok(size),
    }
}

/// A size for a socket buffer. The kernel stores it in a signed 32-bit integer, and Linux doubles it.
pub(super) fn buffer_size(text: &str) -> Result<usize, Sentence> {
    match positive_size(text)? {
        size if size > i32::MAX as usize / 2 => Err(sentence!("value.at-most-gib")),
        size => Ok(size),
    }
}

/// A count above zero.
pub(super) fn positive_count(text: &str) -> Result<u64, Sentence> {
    match to_ascii(text).parse() {
        Ok(0) => Err(sentence!("value.above-zero")),
        Ok(count) => Ok(count),
        Err(_) => Err(sentence!("value.whole-number")),
    }
}

/// A UDP port.
pub(super) fn port(text: &str) -> Result<u16, Sentence> {
    to_ascii(text).parse().map_err(|_| sentence!("value.port"))
}

/// A UDP port that a datagram can be sent to.
pub(super) fn positive_port(text: &str) -> Result<u16, Sentence> {
    number(text, 1..=u16::MAX)
}

/// Parses `IP`, with an optional IPv6 zone after `%`; the port is 0.
fn bare_address(text: &str) -> Option<SocketAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    match bare.split_once('%') {
        None => bare
            .parse()
            .ok()
            .map(|address: IpAddr| SocketAddr::new(address, 0)),
        Some((address, zone)) => {
            let zone = interface::find(zone).ok()?;
            Some(SocketAddrV6::new(address.parse().ok()?, 0, 0, zone.index).into())
        }
    }
}

/// A local address to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, Sentence> {
    bare_address(&to_ascii(text)).ok_or_else(|| sentence!("value.address"))
}

/// A port to listen on, or an address and a port; without an address, all IPv4 addresses.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, Sentence> {
    if let Ok(port) = port(text) {
        return Ok((Ipv4Addr::UNSPECIFIED, port).into());
    }
    // Report both an address without a port and an invalid address.
    let has_port = bare_address(&to_ascii(text)).is_none();
    local_address(text)
        .ok()
        .filter(|_| has_port)
        .ok_or_else(|| sentence!("value.listen-address"))
}

/// The address and port that a board sends to.
#[cfg(feature = "board")]
pub(super) fn target(text: &str) -> Result<SocketAddrV4, Sentence> {
    to_ascii(text)
        .parse()
        .map_err(|_| sentence!("value.target"))
}

/// Parses `IP` or `IP:PORT` (`[IPv6]:PORT`); without a port, the port is 0.
pub(super) fn local_address(text: &str) -> Result<SocketAddr, Sentence> {
    let text = &*to_ascii(text);
    let with_port = || {
        let (address, port) = text.rsplit_once(':')?;
        let mut address =
            // The brackets tell the last group of an IPv6 address from a port. IPv4 has none (RFC 3986, section
            // 3.2.2).
            bare_address(address).filter(|found| found.is_ipv4() != address.starts_with('['))?;
        address.set_port(port.parse().ok()?);
        Some(address)
    };
    bare_address(text)
        .or_else(with_port)
        .ok_or_else(|| sentence!("value.local-address"))
}

/// The delay of answers: at most a day, as in the configuration.
pub(super) fn delay(text: &str) -> Result<Duration, Sentence> {
    match duration(text)? {
        delay if delay > Duration::from_hours(24) => Err(sentence!("config.over-a-day")),
        delay => Ok(delay),
    }
}

/// A percentage, with or without `%`.
pub(super) fn percent(text: &str) -> Result<f64, Sentence> {
    let text = to_ascii(text);
    match text.strip_suffix('%').unwrap_or(&text).parse() {
        // `nan` can be parsed too, but no range contains it.
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err(sentence!("config.percent")),
    }
}

/// A seed of random numbers.
pub(super) fn seed(text: &str) -> Result<u64, Sentence> {
    let seed = to_ascii(text).parse();
    seed.map_err(|_| sentence!("value.whole-number"))
}

/// A checksum and its byte order.
pub(super) fn checksum(text: &str) -> Result<Append, Sentence> {
    to_ascii(text).parse()
}

/// How fast to replay a capture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Speed {
    /// Without its pauses.
    Max,
    /// This many times as fast as recorded.
    Times(f64),
}

impl Speed {
    /// The factor; `None` without pauses.
    pub(super) fn times(self) -> Option<f64> {
        match self {
            Self::Max => None,
            Self::Times(times) => Some(times),
        }
    }
}

/// `2`, `0.5`, `2x` or `max`.
pub(super) fn speed(text: &str) -> Result<Speed, Sentence> {
    let text = to_ascii(text).to_ascii_lowercase();
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.strip_suffix('x').unwrap_or(&text).parse() {
        // This also excludes `nan` and `inf`.
        Ok(times) if (1e-6..=1e6).contains(&times) => Ok(Speed::Times(times)),
        _ => Err(sentence!("value.speed")),
    }
}

/// The interval of periodic reports.
pub(super) fn report_period(text: &str) -> Result<Duration, Sentence> {
    const LEAST: Duration = Duration::from_millis(10);
    match duration(text)? {
        period if period < LEAST => Err(sentence!("value.at-least-10ms")),
        period => Ok(period),
    }
}

#[cfg(test)]
mod tests;
