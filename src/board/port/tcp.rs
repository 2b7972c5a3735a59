//! `socket://HOST:PORT`: the plain bytes of a serial port over TCP, as `ser2net` and `socat` offer it.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::{LineFault, Port, is_timeout};

/// A TCP connection in place of a cable.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
}

impl Tcp {
    /// Connects to the first address of `HOST:PORT` that accepts, within `timeout` for all of them. The error is that
    /// of the last address.
    pub(super) fn connect(address: &str, timeout: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + timeout;
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, LineFault::NoAddress);
        // Options after a question mark are for pyserial; the instructions of other tools contain them.
        let address = address.split('?').next().unwrap_or(address);
        let address = address.trim_end_matches('/');
        if !address.contains(':') {
            return Err(last);
        }
        for address in address.to_socket_addrs()? {
            let left = deadline
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => {
                    // Keystrokes and acknowledgements are small; send them without delay.
                    stream.set_nodelay(true)?;
                    return Ok(Self { stream });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Port for Tcp {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.stream
            // The standard library refuses a timeout of zero.
            .set_read_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        match self.stream.read(buffer) {
            Ok(0) => Err(super::closed()),
            Err(error) if is_timeout(&error) => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        self.stream
            .set_write_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        match self.stream.write(bytes) {
            Err(error) if is_timeout(&error) => Ok(0),
            result => result,
        }
    }

    fn set_dtr(&mut self, _: bool) -> io::Result<()> {
        Err(no_lines())
    }

    fn set_rts(&mut self, _: bool) -> io::Result<()> {
        Err(no_lines())
    }
}

/// The error for a control line over plain TCP.
fn no_lines() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, LineFault::NoLinesOverTcp)
}
