//! The serial line: a pseudo-terminal with the speed of the baud rate.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustix::time::Timespec;

use super::{Mode, Shared, slip};

/// Bits per byte: start, eight data bits, stop.
const BITS: u32 = 10;
/// How far the two baud rates may differ.
const TOLERANCE: f64 = 0.04;

#[derive(Debug)]
pub(crate) struct Line {
    master: OwnedFd,
    /// Kept open so that the pseudo-terminal exists between two programs of the host.
    _slave: OwnedFd,
    /// How long a byte takes, as a fraction of the real time.
    time: f64,
    /// When the last byte to the host has left.
    sent: Mutex<Instant>,
}

impl Line {
    pub(crate) fn open(time: f64) -> (Self, PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = rustix::fs::open(
            &name,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
        let mut settings: Termios = tcgetattr(&slave).unwrap();
        settings.make_raw();
        settings.set_speed(115_200).unwrap();
        tcsetattr(&slave, OptionalActions::Now, &settings).unwrap();
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK | OFlags::RDWR).unwrap();
        let line = Self {
            master,
            _slave: slave,
            time,
            sent: Mutex::new(Instant::now()),
        };
        (line, name)
    }

    /// The host's baud rate: on Linux, the master reports the slave's settings.
    pub(crate) fn host_baud(&self) -> u32 {
        tcgetattr(&self.master).map_or(0, |settings| settings.output_speed())
    }

    /// A pseudo-terminal buffers 4 KB, a tenth of a USB adapter with its driver. So a host that is late on a busy
    /// machine gets more time, and only a host that does not read loses bytes.
    fn hand_over(&self, mut bytes: &[u8]) {
        let until = Instant::now() + Duration::from_secs(3);
        while !bytes.is_empty() && Instant::now() < until {
            match rustix::io::write(&self.master, bytes) {
                Ok(len) => bytes = &bytes[len..],
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Sends to the host at `baud`, as slowly as the line; returns when the last byte has left.
    pub(crate) fn send(&self, bytes: &[u8], baud: u32, max_baud: u32) {
        let mut sent = self.sent.lock().unwrap();
        for chunk in bytes.chunks(chunk_len(baud)) {
            *sent = (*sent).max(Instant::now()) + airtime(chunk.len(), baud).mul_f64(self.time);
            sleep_until(*sent);
            let mut chunk = chunk.to_vec();
            garble(&mut chunk, baud, self.host_baud(), max_baud);
            self.hand_over(&chunk);
        }
    }
}

fn airtime(bytes: usize, baud: u32) -> Duration {
    Duration::from_secs_f64(bytes as f64 * f64::from(BITS) / f64::from(baud.max(1)))
}

/// About 2 ms of line time.
fn chunk_len(baud: u32) -> usize {
    (baud / BITS / 500).clamp(16, 512) as usize
}

fn sleep_until(when: Instant) {
    let wait = when.saturating_duration_since(Instant::now());
    if !wait.is_zero() {
        std::thread::sleep(wait);
    }
}

/// Changes the bytes as a receiver at another baud rate would see them.
fn garble(bytes: &mut [u8], baud: u32, host: u32, max_baud: u32) {
    let apart = (f64::from(baud) - f64::from(host)).abs() > TOLERANCE * f64::from(host.max(1));
    if apart || host > max_baud {
        for byte in bytes {
            *byte = byte.rotate_left(3) ^ 0x5a;
        }
    }
}

/// Receives from the host until the cable is pulled.
pub(crate) fn receive(shared: &Shared, line: &Line) {
    let mut decoder = slip::Decoder::default();
    let mut free = Instant::now();
    let mut buffer = [0; 512];
    loop {
        if shared.lock().unplugged {
            return;
        }
        let host = line.host_baud();
        let Ok(len) = rustix::io::read(&line.master, &mut buffer[..chunk_len(host)]) else {
            // The line is idle. With waiting bytes it is not: a thread that wakes up late must not slow the line down.
            let mut fds = [PollFd::new(&line.master, PollFlags::IN)];
            let tick = Timespec {
                tv_sec: 0,
                tv_nsec: 20_000_000,
            };
            let _ = poll(&mut fds, Some(&tick));
            free = free.max(Instant::now());
            continue;
        };
        free += airtime(len, host).mul_f64(line.time);
        sleep_until(free);

        let bytes = &mut buffer[..len];
        let mut state = shared.lock();
        state.stats.received += len as u64;
        if !state.stats.bauds.contains(&host) {
            state.stats.bauds.push(host);
        }
        if std::mem::take(&mut state.autobaud) {
            state.baud = host;
        }
        garble(bytes, state.baud, host, state.config.max_baud);
        for &byte in &*bytes {
            if state.mode == Mode::App {
                state.typed.push(byte);
                continue;
            }
            let Some(frame) = decoder.push(byte) else {
                continue;
            };
            // While the stub sends flash content, it reads the line itself: a newer acknowledgement replaces an older
            // one.
            let is_count = |frame: &Vec<u8>| frame.len() == 4;
            if is_count(&frame) {
                state.frames.retain(|waiting| !is_count(waiting));
                state.frames.push_back(frame);
                continue;
            }
            // Two buffers: one is being processed while the other one fills.
            if state.frames.len() + usize::from(state.busy) < 2 {
                state.frames.push_back(frame);
            } else {
                state.stats.lost += 1;
            }
        }
        drop(state);
        shared.wake.notify_all();
    }
}
