//! The reset sequences on DTR and RTS of the serial port.
//!
//! On boards with a USB serial adapter, two transistors connect the control lines to the chip: EN (reset) is low
//! while RTS is asserted and DTR is not, IO0 (boot mode) is low while DTR is asserted and RTS is not. Espressif's *boot
//! mode selection* page has the circuit; the times are those of Espressif's own tools.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use clap::ValueEnum;

use crate::board::port::Port;

/// How long to hold the chip in reset.
const HOLD: Duration = Duration::from_millis(100);

/// How to get the board into download mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResetMethod {
    /// DTR and RTS through the two transistors, as on the mPython board.
    DefaultReset,
    /// No reset: the user held BOOT during a reset, so the board is already in download mode.
    NoReset,
    /// DTR and RTS as the USB port inside the chip interprets them.
    UsbReset,
}

/// What the board does afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum After {
    /// The board starts its program.
    HardReset,
    /// The board stays in download mode.
    NoReset,
}

/// Resets into download mode. `settle` is how long IO0 stays low after EN is released, because a capacitor delays EN.
pub(super) fn into_download(port: &mut dyn Port, settle: Duration) -> io::Result<()> {
    // IO0 high, EN low: the chip is held in reset. Some Windows drivers update RTS only when DTR is set again.
    port.set_dtr(false)?;
    port.set_rts(true)?;
    port.set_dtr(false)?;
    sleep(HOLD);
    // IO0 must be low before EN rises, because the chip samples IO0 at that moment.
    port.set_dtr(true)?;
    port.set_rts(false)?;
    port.set_dtr(true)?;
    sleep(settle);
    port.set_dtr(false)
}

/// Resets into download mode through the USB port inside newer chips, which interprets the control lines as commands.
pub(super) fn into_download_by_usb(port: &mut dyn Port) -> io::Result<()> {
    port.set_rts(false)?;
    port.set_dtr(false)?;
    sleep(HOLD);
    port.set_dtr(true)?;
    port.set_rts(false)?;
    sleep(HOLD);
    // Go through the state with both asserted: both released would be another command.
    port.set_rts(true)?;
    port.set_dtr(false)?;
    port.set_rts(true)?;
    sleep(HOLD);
    port.set_dtr(false)?;
    port.set_rts(false)
}

/// Starts the board's program.
pub(super) fn into_program(port: &mut dyn Port) -> io::Result<()> {
    port.set_dtr(false)?;
    port.set_rts(true)?;
    port.set_dtr(false)?;
    sleep(HOLD);
    port.set_rts(false)?;
    port.set_dtr(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port that only records the states of its control lines.
    #[derive(Debug, Default)]
    struct Lines(Vec<String>);

    impl Port for Lines {
        fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
            Ok(0)
        }
        fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn set_dtr(&mut self, level: bool) -> io::Result<()> {
            self.0.push(format!("DTR {}", u8::from(level)));
            Ok(())
        }
        fn set_rts(&mut self, level: bool) -> io::Result<()> {
            self.0.push(format!("RTS {}", u8::from(level)));
            Ok(())
        }
    }

    fn sequence(reset: impl FnOnce(&mut Lines) -> io::Result<()>) -> String {
        let mut lines = Lines::default();
        reset(&mut lines).unwrap();
        lines.0.join(", ")
    }

    #[test]
    fn each_reset_sets_the_lines_in_its_order() {
        assert_eq!(
            sequence(|lines| into_download(lines, Duration::ZERO)),
            "DTR 0, RTS 1, DTR 0, DTR 1, RTS 0, DTR 1, DTR 0"
        );
        assert_eq!(
            sequence(|lines| into_download_by_usb(lines)),
            "RTS 0, DTR 0, DTR 1, RTS 0, RTS 1, DTR 0, RTS 1, DTR 0, RTS 0"
        );
        assert_eq!(
            sequence(|lines| into_program(lines)),
            "DTR 0, RTS 1, DTR 0, RTS 0, DTR 0"
        );
    }
}
