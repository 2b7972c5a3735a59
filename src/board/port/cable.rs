//! A serial port of this machine.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use serialport::SerialPort;

use super::{LineFault, Port, is_timeout};
use crate::board::serial_ports::{self, Chip};

/// Write at most this much at once, so that a line that stopped is noticed between two chunks.
const PIECE: usize = 128;

/// The length of one wait on Windows: some drivers (and Wine) return received bytes only at the end of the wait.
const WINDOWS_WAIT: Duration = Duration::from_millis(10);

/// An open, locked serial port.
pub(super) struct Cable {
    port: Box<dyn SerialPort>,
    timeout: Duration,
    /// Whether the board's own USB is at the other end, and this system leaves DTR and RTS off.
    needs_lines: bool,
}

impl std::fmt::Debug for Cable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cable")
            .field("port", &self.port.name())
            .finish_non_exhaustive()
    }
}

impl Cable {
    /// Opens and locks the port. Errors are those of the operating system, or [`LineFault::NoSerialPort`].
    pub(super) fn open(name: &str, baud: u32) -> io::Result<Self> {
        // The library locks the port: TIOCEXCL and flock here, exclusive access on Windows.
        let port = serialport::new(device(name), baud)
            .timeout(super::TICK)
            .open()
            .map_err(io::Error::from)
            .map_err(|error| {
                // The library's own error for a file is "not a typewriter", which does not help a pupil.
                if is_no_port(name) {
                    no_port()
                } else {
                    refusal(name).unwrap_or(error)
                }
            })?;
        Ok(Self::over(port, cfg!(windows) && is_native(name)))
    }

    /// A cable over a port that was opened with a tick as its time-out.
    fn over(port: Box<dyn SerialPort>, needs_lines: bool) -> Self {
        let mut cable = Self {
            port,
            timeout: super::TICK,
            needs_lines,
        };
        cable.show_reader();
        cable
    }

    /// Sets the timeout of the next call, if it differs from the last one: on Windows each change is a system call.
    fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        let timeout = if cfg!(windows) {
            timeout.min(WINDOWS_WAIT)
        } else {
            timeout
        };
        if timeout != self.timeout {
            self.port.set_timeout(timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }
}

/// Whether this port is the USB port of a board's own chip.
fn is_native(name: &str) -> bool {
    let ports = serial_ports::list().unwrap_or_default();
    let port = ports
        .iter()
        .find(|port| port.name.eq_ignore_ascii_case(name));
    port.and_then(serial_ports::Listed::chip)
        .is_some_and(Chip::is_native)
}

/// Whether the name exists but is not a serial port: a file, a folder, `/dev/null`.
#[cfg(unix)]
fn is_no_port(name: &str) -> bool {
    use std::io::IsTerminal as _;
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    use rustix::fs::OFlags;

    let Ok(metadata) = std::fs::metadata(name) else {
        return false;
    };
    // Without NONBLOCK, opening a line without a carrier signal would block.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let open = || {
        std::fs::File::options()
            .read(true)
            .custom_flags(flags)
            .open(name)
    };
    !metadata.file_type().is_char_device() || open().is_ok_and(|file| !file.is_terminal())
}

/// Windows reports this itself.
#[cfg(not(unix))]
fn is_no_port(_: &str) -> bool {
    false
}

/// The error "Access is denied", if another program uses the port. The library turns it into "no such port".
#[cfg(windows)]
fn refusal(name: &str) -> Option<io::Error> {
    let again = std::fs::File::options()
        .read(true)
        .write(true)
        .open(device(name));
    let error = again.err()?;
    (error.kind() == io::ErrorKind::PermissionDenied).then_some(error)
}

/// On other systems the library keeps the reason.
#[cfg(not(windows))]
fn refusal(_: &str) -> Option<io::Error> {
    None
}

/// A terminal without modem lines reports ENOTTY (not a typewriter).
fn no_lines(error: serialport::Error) -> io::Error {
    let text = error.to_string();
    if text.contains("typewriter") || text.contains("ioctl") {
        io::Error::new(io::ErrorKind::Unsupported, LineFault::NoLines)
    } else {
        error.into()
    }
}

/// The error for a name that is not a serial port.
fn no_port() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, LineFault::NoSerialPort)
}

/// The operating system's name for a port: on Windows, `COM10` and above need a prefix.
fn device(name: &str) -> String {
    if cfg!(windows) && !name.starts_with('\\') {
        format!(r"\\.\{name}")
    } else {
        name.to_owned()
    }
}

impl Port for Cable {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.wait(timeout)?;
        match self.port.read(buffer) {
            // A terminal device reads 0 when the other side has hung up; a COM port never does.
            Ok(0) if cfg!(unix) => Err(super::closed()),
            Err(error) if is_timeout(&error) => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        self.wait(timeout)?;
        match self.port.write(bytes.get(..PIECE).unwrap_or(bytes)) {
            Err(error) if is_timeout(&error) => Ok(0),
            result => result,
        }
    }

    fn discard_output(&mut self) {
        // Best effort: bytes that cannot be discarded are sent, and take their time.
        let _ = self.port.clear(serialport::ClearBuffer::Output);
    }

    fn set_dtr(&mut self, level: bool) -> io::Result<()> {
        self.port.write_data_terminal_ready(level).map_err(no_lines)
    }

    fn set_rts(&mut self, level: bool) -> io::Result<()> {
        self.port.write_request_to_send(level).map_err(no_lines)
    }

    /// DTR first: RTS alone would reset an ESP32-S3 or C3. Best effort: the line works without.
    fn show_reader(&mut self) {
        if self.needs_lines && self.set_dtr(true).is_ok() {
            let _ = self.set_rts(true);
        }
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        Ok(self.port.set_baud_rate(baud)?)
    }

    fn can_change_rate(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
