//! Chooses the rate of the serial line for large transfers, and computes the registers of the ESP32's UART for it.
//!
//! Registers as in Espressif's *ESP32 Technical Reference Manual*, chapter *UART Controller*: `UART_CLKDIV_REG` holds the
//! divider (20 bits) and its sixteenths (4 bits), bit 27 of `UART_CONF0_REG` selects the clock: `APB_CLK` (80 MHz) or
//! `REF_TICK` (1 MHz). `tests/genuine/` has them as recorded from six firmware versions.

use crate::text::sentence::{Sentence, sentence};

/// The rates that `auto` tries, the fastest first.
pub(crate) const FAST_RATES: [u32; 3] = [921_600, 460_800, 230_400];

/// At a lower rate, the handshake does not end in time.
const LOWEST: u32 = 38_400;

/// The number of bytes from which `auto` changes the rate.
pub(crate) const MUCH: u64 = 16 << 10;

/// Bit 27 of `UART_CONF0_REG`.
const APB_SELECTED: u32 = 1 << 27;

const APB: f64 = 80e6;
const REF_TICK: f64 = 1e6;

/// How far a rate may be from the wanted one: a receiver accepts about 4 %, and both ends have an error.
const MAX_ERROR: f64 = 0.015;

/// How far a computed clock may be from the real one. The genuine firmware's is 0.6 % off.
const CLOCK_ERROR: f64 = 0.03;

/// How much memory the board must have free: frames, our program and a window for compressed data take about half of it.
const LEAST_MEMORY: u64 = 64 << 10;

/// The choice of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineRate {
    /// A faster rate if there is much to transfer.
    #[default]
    Auto,
    /// The rate of the board's prompt.
    Keep,
    /// This rate for every transfer.
    At(u32),
}

impl LineRate {
    /// The rates to try for `len` bytes on a line that has the rate `now`, the best first.
    pub(crate) fn candidates(self, len: u64, now: u32) -> Vec<u32> {
        match self {
            Self::Auto if len > MUCH => FAST_RATES.into_iter().filter(|rate| *rate > now).collect(),
            Self::At(rate) if len > 0 && rate != now => vec![rate],
            _ => Vec::new(),
        }
    }
}

/// Parses `auto`, `keep` or a rate.
///
/// # Errors
/// A sentence that says what to write.
pub(crate) fn parse(text: &str) -> Result<LineRate, Sentence> {
    match text {
        "auto" => Ok(LineRate::Auto),
        "keep" => Ok(LineRate::Keep),
        _ => match text.parse() {
            Ok(rate @ LOWEST..=5_000_000) => Ok(LineRate::At(rate)),
            _ => Err(sentence!("line-rate.bad", text = text)),
        },
    }
}

/// The two registers that make a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Registers {
    pub(crate) divider: u32,
    pub(crate) configuration: u32,
}

/// The board's clock, as the board reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clock {
    now: Registers,
}

impl Clock {
    /// Parses `TIMER;FREE;CLKDIV;CONF0~` and computes the clock that the UART has now, at `rate`. `None` if that is not
    /// one of the UART's two clocks, because then the meaning of the registers is unknown; if all timers belong to a
    /// program; or if the board has little memory.
    pub(crate) fn read(answer: &[u8], rate: u32) -> Option<Self> {
        let text = std::str::from_utf8(answer).ok()?.strip_suffix('~')?;
        let mut fields = text.split(';');
        let timer: i32 = fields.next()?.parse().ok()?;
        let free: u64 = fields.next()?.parse().ok()?;
        let divider: u32 = fields.next()?.parse().ok()?;
        let configuration: u32 = fields.next()?.parse().ok()?;
        if timer < 0 || free < LEAST_MEMORY || fields.next().is_some() {
            return None;
        }
        let now = Registers {
            divider,
            configuration,
        };
        let expected = now.clock();
        let clock = f64::from(rate) * now.sixteenths() / 16.0;
        ((clock / expected - 1.0).abs() < CLOCK_ERROR).then_some(Self { now })
    }

    /// The registers for `rate`, from the APB clock; `None` if no divider is near enough.
    pub(crate) fn registers(&self, rate: u32) -> Option<Registers> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and compared with its limits"
        )]
        let sixteenths = (APB * 16.0 / f64::from(rate)).round() as u32;
        let registers = Registers {
            divider: (sixteenths / 16) | ((sixteenths % 16) << 20),
            configuration: self.now.configuration | APB_SELECTED,
        };
        let real = registers.clock() * 16.0 / registers.sixteenths();
        let is_near = (real / f64::from(rate) - 1.0).abs() < MAX_ERROR;
        (is_near && (16 * 2..16 << 20).contains(&sixteenths)).then_some(registers)
    }
}

impl Registers {
    /// The clock that is selected, in hertz.
    fn clock(self) -> f64 {
        if self.configuration & APB_SELECTED == 0 {
            REF_TICK
        } else {
            APB
        }
    }

    /// The divider, in sixteenths.
    fn sixteenths(self) -> f64 {
        f64::from(((self.divider & 0x000f_ffff) << 4) | ((self.divider >> 20) & 15)).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_registers_are_understood() {
        for (divider, configuration) in [(0x0070_02b6, 0x0c00_001c), (0x00a0_0008, 0x0400_001c)] {
            let answer = format!("3;114304;{divider};{configuration}~");
            let clock = Clock::read(answer.as_bytes(), 115_200).expect("an ESP32");
            let registers = clock.registers(921_600).expect("a divider");
            assert_eq!(registers.divider, 0x00d0_0056);
            assert_ne!(registers.configuration & APB_SELECTED, 0);
        }
    }

    #[test]
    fn another_clock_a_busy_timer_or_little_memory_keeps_the_rate() {
        let read = |text: &str, rate| Clock::read(text.as_bytes(), rate);
        assert!(read("3;114304;7340726;201326620~", 115_200).is_some());
        assert!(read("3;114304;7340726;201326620~", 57_600).is_none());
        assert!(read("-1;114304;7340726;201326620~", 115_200).is_none());
        assert!(read("3;20000;7340726;201326620~", 115_200).is_none());
        for damaged in [
            "",
            "~",
            "3;114304;0;0~",
            "3;114304;7340726~",
            "3;114304;7340726;201326620",
            "3;114304;7340726;201326620;1~",
        ] {
            assert!(read(damaged, 115_200).is_none(), "{damaged}");
        }
    }

    #[test]
    fn auto_changes_the_rate_only_for_much() {
        assert!(LineRate::Auto.candidates(MUCH, 115_200).is_empty());
        assert_eq!(LineRate::Auto.candidates(MUCH + 1, 115_200), FAST_RATES);
        assert_eq!(LineRate::Auto.candidates(MUCH + 1, 460_800), [921_600]);
        assert!(LineRate::Keep.candidates(1 << 30, 115_200).is_empty());
        assert_eq!(LineRate::At(250_000).candidates(1, 115_200), [250_000]);
    }
}
