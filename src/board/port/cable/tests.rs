//! The control lines of a serial port that records them: no pseudo-terminal has any.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serialport::{ClearBuffer, DataBits, FlowControl, Parity, Result, SerialPort, StopBits};

use super::{Cable, Port as _};

/// The levels that the lines were set to, in their order.
type Levels = Arc<Mutex<Vec<(&'static str, bool)>>>;

/// A port that sends and receives nothing.
struct Recorded {
    levels: Levels,
    has_dtr: bool,
}

impl Recorded {
    fn set(&self, line: &'static str, level: bool) {
        self.levels.lock().unwrap().push((line, level));
    }
}

fn absent<T>() -> Result<T> {
    Err(serialport::Error::new(
        serialport::ErrorKind::Io(io::ErrorKind::Other),
        "Not a typewriter",
    ))
}

impl io::Read for Recorded {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl io::Write for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SerialPort for Recorded {
    fn write_request_to_send(&mut self, level: bool) -> Result<()> {
        self.set("RTS", level);
        Ok(())
    }

    fn write_data_terminal_ready(&mut self, level: bool) -> Result<()> {
        if !self.has_dtr {
            return absent();
        }
        self.set("DTR", level);
        Ok(())
    }

    fn name(&self) -> Option<String> {
        None
    }

    fn baud_rate(&self) -> Result<u32> {
        Ok(115_200)
    }

    fn data_bits(&self) -> Result<DataBits> {
        Ok(DataBits::Eight)
    }

    fn flow_control(&self) -> Result<FlowControl> {
        Ok(FlowControl::None)
    }

    fn parity(&self) -> Result<Parity> {
        Ok(Parity::None)
    }

    fn stop_bits(&self) -> Result<StopBits> {
        Ok(StopBits::One)
    }

    fn timeout(&self) -> Duration {
        Duration::ZERO
    }

    fn set_baud_rate(&mut self, _: u32) -> Result<()> {
        Ok(())
    }

    fn set_data_bits(&mut self, _: DataBits) -> Result<()> {
        Ok(())
    }

    fn set_flow_control(&mut self, _: FlowControl) -> Result<()> {
        Ok(())
    }

    fn set_parity(&mut self, _: Parity) -> Result<()> {
        Ok(())
    }

    fn set_stop_bits(&mut self, _: StopBits) -> Result<()> {
        Ok(())
    }

    fn set_timeout(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }

    fn read_clear_to_send(&mut self) -> Result<bool> {
        absent()
    }

    fn read_data_set_ready(&mut self) -> Result<bool> {
        absent()
    }

    fn read_ring_indicator(&mut self) -> Result<bool> {
        absent()
    }

    fn read_carrier_detect(&mut self) -> Result<bool> {
        absent()
    }

    fn bytes_to_read(&self) -> Result<u32> {
        Ok(0)
    }

    fn bytes_to_write(&self) -> Result<u32> {
        Ok(0)
    }

    fn clear(&self, _: ClearBuffer) -> Result<()> {
        Ok(())
    }

    fn try_clone(&self) -> Result<Box<dyn SerialPort>> {
        absent()
    }

    fn set_break(&self) -> Result<()> {
        absent()
    }

    fn clear_break(&self) -> Result<()> {
        absent()
    }
}

/// A cable over such a port, opened, and what has happened to its lines.
fn cable(needs_lines: bool, has_dtr: bool) -> (Cable, Levels) {
    let levels = Levels::default();
    let port = Recorded {
        levels: Arc::clone(&levels),
        has_dtr,
    };
    (Cable::over(Box::new(port), needs_lines), levels)
}

#[test]
fn a_board_with_its_own_usb_sees_a_reader_from_the_start_and_after_a_reset() {
    let (mut cable, levels) = cable(true, true);
    let reader = [("DTR", true), ("RTS", true)];
    assert_eq!(*levels.lock().unwrap(), reader);
    cable.set_dtr(false).unwrap();
    levels.lock().unwrap().clear();
    cable.show_reader();
    assert_eq!(*levels.lock().unwrap(), reader);
}

#[test]
fn opening_the_port_of_another_board_leaves_the_lines_alone() {
    let (mut cable, levels) = cable(false, true);
    cable.show_reader();
    assert_eq!(*levels.lock().unwrap(), []);
    cable.set_rts(true).unwrap();
    assert_eq!(*levels.lock().unwrap(), [("RTS", true)]);
}

/// RTS alone would hold an ESP32-S3 in reset.
#[test]
fn without_dtr_rts_stays_off() {
    let (mut cable, levels) = cable(true, false);
    cable.show_reader();
    assert_eq!(*levels.lock().unwrap(), []);
    let refused = cable.set_dtr(true).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
}
