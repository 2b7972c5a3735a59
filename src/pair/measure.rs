//! The measurements: loss in both directions, the longest payload in each direction, the round-trip time.

mod down;
mod echo;
mod longest;
mod up;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::board::literal;
use crate::pair::board_session::{BoardSession, LineHandler, SessionError};
use crate::pair::operation::Work;
use crate::pair::sockets::{self, Facing};
use crate::pair::test_datagram::PhaseMark;
use crate::text::hex;

pub(super) use down::{Down, down};
pub(super) use echo::{ECHO_SIZE, Echo, echo};
pub(super) use longest::{Longest, longest_down, longest_up};
pub(super) use up::{ENOMEM, Up, up};

/// The size in the `recvfrom(1024)` of the tutorial's server.
pub(super) const TUTORIAL: usize = 1024;

/// The board's timeout for the next datagram, in addition to the interval.
const IDLE: Duration = Duration::from_secs(4);

/// How long to wait for late datagrams.
const LATE: Duration = Duration::from_millis(700);

/// The length of one look for late datagrams.
const LOOK: Duration = Duration::from_millis(20);

/// A timeout that counts looks instead of time. On a busy PC, a thread may be suspended for longer than [`LATE`]: then
/// it has not checked at all, and a datagram in the receive buffer is not lost.
#[derive(Debug)]
struct Patience {
    /// How many looks are left.
    looks: u128,
}

impl Patience {
    /// As many looks as take `time` on an idle PC.
    fn new(time: Duration) -> Self {
        Self {
            looks: (time.as_millis() / LOOK.as_millis()).max(1),
        }
    }

    /// Counts a look that found nothing; returns whether to look again.
    fn again(&mut self) -> bool {
        self.looks = self.looks.saturating_sub(1);
        self.looks > 0
    }
}

/// The time between two repetitions of the datagram that ends a phase.
const BYE_GAP: Duration = Duration::from_millis(30);

/// The timeout for one echo: Wi-Fi power saving delays datagrams by some hundred milliseconds.
const ECHO_WAIT: Duration = Duration::from_secs(1);

/// Stop after this many lost echoes at the beginning.
const ECHO_TRIES: u32 = 8;

/// The function on the board that echoes datagrams.
const ECHO: &str = "_pe";

/// How often to try before a datagram counts as lost.
const TRIES: u16 = 3;

/// The extra time for a call on the board, in addition to its expected duration.
const SLACK: Duration = Duration::from_secs(15);

/// The parameters and sockets of the measurements.
#[derive(Debug)]
pub(super) struct MeasurementContext {
    /// The board's address.
    pub(super) board: Ipv4Addr,
    /// The port on which the board receives.
    pub(super) board_port: u16,
    /// This PC's side of the path.
    pub(super) facing: Facing,
    /// The port on which this PC receives.
    pub(super) port: u16,
    /// The payload sizes.
    pub(super) sizes: Vec<usize>,
    /// How many datagrams of each size.
    pub(super) count: u16,
    /// The time between two datagrams.
    pub(super) interval: Duration,
    /// Distinguishes this run's datagrams from those of other boards and runs.
    pub(super) token: [u8; 4],
    /// The number of the current phase.
    pub(super) phase: u8,
    /// Whether the board is the board 3.0, which has a colour display in place of the OLED.
    pub(super) is_board_3: bool,
}

impl MeasurementContext {
    /// Begins a phase: datagrams of earlier phases no longer count.
    pub(super) fn next_phase(&mut self) -> PhaseMark {
        self.phase = self.phase.wrapping_add(1);
        PhaseMark {
            token: self.token,
            phase: self.phase,
        }
    }

    /// A socket that sends to the board.
    pub(super) fn to_board(&self) -> io::Result<UdpSocket> {
        sockets::to_board(
            self.facing.local,
            SocketAddrV4::new(self.board, self.board_port),
        )
    }

    /// The code that makes the board receive with `handler` until the end datagram of `mark`.
    pub(super) fn listen_code(&self, mark: PhaseMark, size: usize, handler: &str) -> String {
        // The board's timeout must be longer than all timeouts for lost echoes together.
        let idle =
            IDLE + self.interval * 2 + ECHO_WAIT * if handler == ECHO { ECHO_TRIES } else { 0 };
        format!(
            "_ph('{}',{},{size},{},{},{handler})",
            self.board,
            self.board_port,
            literal::ascii_bytes(&mark.bye()),
            idle.as_millis(),
        )
    }

    /// The maximum duration of a phase with this many datagrams.
    fn limit(&self, datagrams: usize) -> Duration {
        self.interval * u32::try_from(datagrams + 2).unwrap_or(u32::MAX) + IDLE + SLACK
    }
}

/// Why a measurement failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A failure on the board or the serial line.
    SessionError(SessionError),
    /// The board's UDP port is in use; holds the errno.
    BoardPort(i64),
    /// The PC cannot send.
    Send(io::Error),
}

impl From<SessionError> for Trouble {
    fn from(failure: SessionError) -> Self {
        Self::SessionError(failure)
    }
}

/// How many other lines of a call are kept.
const MAX_SAID: usize = 16;

/// Events of a listening board for the thread that sends.
struct ListenEvents {
    /// Gets the longest datagram that the board has memory for, once it listens.
    ready: Sender<usize>,
    /// Gets each datagram that the board has received.
    reports: Sender<ReportedDatagram>,
    /// The errno if the board's port is taken.
    busy: Option<i64>,
    /// Other lines of the board.
    said: Vec<String>,
}

/// A datagram as the board reports it.
#[derive(Debug)]
struct ReportedDatagram {
    /// The sender's address as the board saw it.
    from: Option<Ipv4Addr>,
    /// Its length in bytes.
    len: usize,
    /// Its first bytes, at most 8.
    first: Vec<u8>,
    /// The sum of all of its bytes.
    sum: u64,
}

impl LineHandler for ListenEvents {
    fn line(&mut self, words: &[&str]) {
        match *words {
            ["ready", size] => {
                let _ = self.ready.send(size.parse().unwrap_or(TUTORIAL));
            }
            ["busy", number] => self.busy = Some(number.parse().unwrap_or(0)),
            ["in", from, len, first, sum] => {
                if let (Ok(len), Some(first), Ok(sum)) = (len.parse(), from_hex(first), sum.parse())
                {
                    let from = from.parse().ok();
                    // The other thread may have ended already; its result is then complete.
                    let _ = self.reports.send(ReportedDatagram {
                        from,
                        len,
                        first,
                        sum,
                    });
                }
            }
            ["end"] => {}
            // An empty datagram has no first bytes, so it is not ours.
            _ if self.said.len() < MAX_SAID => self.said.push(words.join(" ")),
            _ => {}
        }
    }
}

/// Decodes hex digits of at most 64 KiB of data.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    (text.len() <= 131_072).then(|| hex::decode(text))?
}

/// Lets the board listen while `traffic` sends to it on another thread. `traffic` gets the board's receive size and its
/// reports; when it returns, the board is told to stop.
fn with_listener<T: Send>(
    session: &mut BoardSession,
    socket: &UdpSocket,
    mark: PhaseMark,
    code: &str,
    limit: Duration,
    traffic: impl FnOnce(usize, &Receiver<ReportedDatagram>, &AtomicBool) -> T + Send,
) -> Result<(Option<T>, Vec<String>), Trouble> {
    let (ready, is_ready) = channel();
    let (reports, reported) = channel();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        let sending = scope.spawn(move || {
            // Datagrams that arrive before the board listens are lost, and would count as loss.
            let size = is_ready.recv().ok()?;
            let result = traffic(size, &reported, over);
            // The end datagram can be lost too, so repeat it until the board's program has ended.
            let bye = mark.bye();
            while !over.load(Ordering::Relaxed) {
                let _ = socket.send(&bye);
                std::thread::sleep(BYE_GAP);
            }
            Some(result)
        });
        let mut events = ListenEvents {
            ready,
            reports,
            busy: None,
            said: Vec::new(),
        };
        let called = session.call(Work::Listening, code, limit, &mut events);
        over.store(true, Ordering::Relaxed);
        let (busy, said) = (events.busy, std::mem::take(&mut events.said));
        // Dropping the senders ends a wait for a report that will not come.
        drop(events);
        let result = sending.join().ok().flatten();
        called?;
        match busy {
            Some(number) => Err(Trouble::BoardPort(number)),
            None => Ok((result, said)),
        }
    })
}

/// Sleeps until `until`, or until `over` is set.
fn pause(until: Instant, over: &AtomicBool) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || over.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// Sends `payload` until the board has it and its program ends; returns the program's lines.
pub(super) fn deliver(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    handler: &str,
    payload: &[u8],
) -> Result<Vec<String>, Trouble> {
    let mark = context.next_phase();
    let socket = context.to_board().map_err(Trouble::Send)?;
    let code = context.listen_code(mark, TUTORIAL, handler);
    let measured = with_listener(session, &socket, mark, &code, IDLE + SLACK, |_, _, over| {
        // One datagram is not enough: this text is the whole step, and Wi-Fi loses datagrams.
        for _ in 0..TRIES * 4 {
            let _ = socket.send(payload);
            pause(Instant::now() + LATE / 2, over);
            if over.load(Ordering::Relaxed) {
                return;
            }
        }
    })?;
    Ok(measured.1)
}

/// The MTU of the PC's interface; Ethernet's 1500 if the operating system does not report it.
pub(super) fn mtu(context: &MeasurementContext) -> usize {
    context
        .facing
        .interface
        .as_ref()
        .and_then(|interface| interface.mtu)
        .unwrap_or(1500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_counts_looks_and_not_time() {
        let mut patience = Patience::new(Duration::from_millis(100));
        let looks = std::iter::from_fn(|| patience.again().then_some(())).count();
        assert_eq!(looks, 4);
        assert!(!Patience::new(Duration::ZERO).again());
    }

    #[test]
    fn hex_from_the_board_is_decoded_or_rejected() {
        assert_eq!(from_hex("00ff"), Some(vec![0, 255]));
        for text in ["0", "zz", "é9", "+1"] {
            assert!(from_hex(text).is_none_or(|bytes| bytes == [1]), "{text}");
        }
    }
}
