//! The emulated board behind RFC 2217: a serial port over Telnet, with the control lines that a pseudo-terminal lacks.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use rustix::time::Timespec;

use crate::emulator::Emulator;

const IAC: u8 = 255;
const WILL: u8 = 251;
const DO: u8 = 253;
const SB: u8 = 250;
const SE: u8 = 240;
const COM_PORT: u8 = 44;
const SET_BAUDRATE: u8 = 1;
const SET_CONTROL: u8 = 5;

/// Serves one client after another until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(board: Arc<Emulator>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                serve(&board, &stream);
            }
        });
        Self {
            port,
            stop,
            thread: Some(thread),
        }
    }

    /// The name of the port for udpcli.
    pub(crate) fn url(&self) -> String {
        format!("rfc2217://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves one client until it disconnects.
fn serve(board: &Emulator, stream: &TcpStream) {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let serial = rustix::fs::open(board.port(), flags, rustix::fs::Mode::empty()).unwrap();
    stream.set_nodelay(true).unwrap();
    let gone = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            to_host(&serial, stream, &gone);
        });
        from_host(board, &serial, stream);
        gone.store(true, Ordering::Relaxed);
    });
}

fn to_host(serial: &OwnedFd, mut stream: &TcpStream, gone: &AtomicBool) {
    let tick = Timespec::try_from(Duration::from_millis(20)).unwrap();
    let mut buffer = [0; 4096];
    while !gone.load(Ordering::Relaxed) {
        let mut fds = [PollFd::new(serial, PollFlags::IN)];
        if poll(&mut fds, Some(&tick)) != Ok(1) {
            continue;
        }
        let Ok(len @ 1..) = rustix::io::read(serial, &mut buffer) else {
            return;
        };
        let mut bytes = Vec::new();
        for &byte in &buffer[..len] {
            bytes.push(byte);
            if byte == IAC {
                bytes.push(IAC);
            }
        }
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn from_host(board: &Emulator, serial: &OwnedFd, mut stream: &TcpStream) {
    let (mut dtr, mut rts) = (false, false);
    let mut command: Vec<u8> = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        let mut data = Vec::new();
        for &byte in &buffer[..len] {
            if command.is_empty() && byte != IAC {
                data.push(byte);
                continue;
            }
            command.push(byte);
            match command.as_slice() {
                [IAC] | [IAC, SB | 251..=254] => {}
                [IAC, IAC] => {
                    data.push(IAC);
                    command.clear();
                }
                // Accept every option that the client offers.
                [IAC, verb @ 251..=254, option] => {
                    let answer = if *verb == WILL { DO } else { WILL };
                    if matches!(*verb, WILL | DO) {
                        let _ = stream.write_all(&[IAC, answer, *option]);
                    }
                    command.clear();
                }
                [IAC, SB, COM_PORT, what, value @ .., IAC, SE] => {
                    write_all(serial, &std::mem::take(&mut data));
                    match (*what, value) {
                        (SET_BAUDRATE, &[a, b, c, d]) => {
                            set_baud(serial, u32::from_be_bytes([a, b, c, d]));
                        }
                        (SET_CONTROL, &[value]) => {
                            match value {
                                8 | 9 => dtr = value == 8,
                                11 | 12 => rts = value == 11,
                                _ => {}
                            }
                            board.set_lines(dtr, rts);
                        }
                        _ => {}
                    }
                    let mut answer = vec![IAC, SB, COM_PORT, what + 100];
                    answer.extend(value);
                    answer.extend([IAC, SE]);
                    let _ = stream.write_all(&answer);
                    command.clear();
                }
                [IAC, SB, ..] => {}
                _ => command.clear(),
            }
        }
        write_all(serial, &data);
    }
}

fn set_baud(serial: &OwnedFd, baud: u32) {
    let mut settings = tcgetattr(serial).unwrap();
    settings.set_speed(baud).unwrap();
    tcsetattr(serial, OptionalActions::Now, &settings).unwrap();
}

fn write_all(serial: &OwnedFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let Ok(len) = rustix::io::write(serial, bytes) else {
            return;
        };
        bytes = &bytes[len..];
    }
}
