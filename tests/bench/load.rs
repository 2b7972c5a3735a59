//! The benchmark's own traffic: a sender, a sink and an echo, as plain as in a C program and independent of the
//! measured code.

use std::fs;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use socket2::SockRef;

use crate::process::{Result, udp_port};
use crate::say;

/// The maximum number of GSO segments per buffer that every kernel with GSO supports.
const MAX_SEGMENTS: usize = 64;

/// The largest UDP payload over IPv4.
const MAX_PAYLOAD: usize = 65_507;

/// A paced sender sends at most this much of its schedule at once, and drops datagrams that are later than that.
const BURST: Duration = Duration::from_millis(1);

/// The last part of a wait, for which the sender spins.
const SPIN: Duration = Duration::from_micros(100);

/// The whole part of a number that is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}

/// The payload of every measurement: text of this size.
pub(crate) fn payload(size: usize) -> Vec<u8> {
    b"hello message from mPython, "
        .iter()
        .copied()
        .cycle()
        .take(size)
        .collect()
}

/// What to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) size: usize,
    /// Datagrams per second; `None` means as fast as the kernel accepts them.
    pub(crate) rate: Option<f64>,
    /// Many datagrams per system call (GSO), or one.
    pub(crate) batching: bool,
    pub(crate) duration: Duration,
    /// At most so many.
    pub(crate) most: u64,
}

/// What was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) datagrams: u64,
    pub(crate) elapsed: Duration,
}

/// A socket that sends to one address.
pub(crate) fn connect(to: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(to)?;
    Ok(socket)
}

/// Sends on a connected socket.
pub(crate) fn send(socket: &UdpSocket, load: &Load) -> Result<Sent> {
    let Load { size, .. } = *load;
    let most_at_once = if load.batching {
        MAX_SEGMENTS.min(MAX_PAYLOAD / size.max(1)).max(1)
    } else {
        1
    };
    // A slow sender gathers at most a burst.
    let at_once = load.rate.map_or(most_at_once as u64, |rate| {
        whole(rate * BURST.as_secs_f64()).clamp(1, most_at_once as u64)
    });
    let segment = if load.batching { size } else { 0 };
    setsockopt(socket, sockopt::UdpGsoSegment, &i32::try_from(segment)?)?;
    let buffer = payload(size).repeat(most_at_once);
    let mut start = Instant::now();
    let first = start;
    let mut due_from = 0;
    let mut sent = 0;
    loop {
        let now = Instant::now();
        if now - first >= load.duration || sent >= load.most {
            break;
        }
        let count = at_once.min(load.most - sent);
        if let Some(rate) = load.rate {
            let due = Duration::from_secs_f64((sent - due_from) as f64 / rate);
            let elapsed = now - start;
            if let Some(wait) = due.checked_sub(elapsed).filter(|wait| !wait.is_zero()) {
                // Sleep wakes up late, so spin for the rest.
                match wait.checked_sub(SPIN) {
                    Some(sleepable) => sleep(sleepable),
                    None => std::hint::spin_loop(),
                }
                continue;
            }
            if elapsed > due + BURST {
                start = now;
                due_from = sent;
            }
        }
        let end = size * usize::try_from(count)?;
        socket.send(buffer.get(..end).unwrap_or(&buffer))?;
        sent += count;
    }
    Ok(Sent {
        datagrams: sent,
        elapsed: first.elapsed(),
    })
}

/// `sender ADDRESS SIZE MILLISECONDS max|RATE gso|single`: prints `N datagrams in NANOSECONDS`.
///
/// With `max gso` it reaches the rate of a C program with segmentation: one system call for 64 prepared datagrams.
pub(crate) fn sender_main(args: &[String]) -> Result<bool> {
    let [address, size, millis, rate, way] = args else {
        return Err("sender ADDRESS SIZE MILLISECONDS max|RATE gso|single".into());
    };
    let load = Load {
        size: size.parse()?,
        rate: if rate == "max" {
            None
        } else {
            Some(rate.parse()?)
        },
        batching: way == "gso",
        duration: Duration::from_millis(millis.parse()?),
        most: u64::MAX,
    };
    let sent = send(&connect(address.parse()?)?, &load)?;
    say(format_args!(
        "{} datagrams in {}",
        sent.datagrams,
        sent.elapsed.as_nanos()
    ));
    Ok(true)
}

/// What [`sender_main`] printed.
pub(crate) fn read_sent(output: &str) -> Result<Sent> {
    let parts = output.trim().split_once(" datagrams in ");
    let (datagrams, nanos) = parts.ok_or("the sender did not say what it sent")?;
    Ok(Sent {
        datagrams: datagrams.parse()?,
        elapsed: Duration::from_nanos(nanos.parse()?),
    })
}

/// `echo`: sends every datagram back with one receive and one send call, the minimum cost of an echo. Runs until it is
/// killed.
pub(crate) fn echo_main() -> Result<bool> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    say(format_args!("listening on {}", socket.local_addr()?));
    let mut buffer = vec![0; 1 << 16];
    loop {
        let (len, from) = socket.recv_from(&mut buffer)?;
        socket.send_to(buffer.get(..len).unwrap_or_default(), from)?;
    }
}

/// What a sink measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// The number of datagrams, many per buffer (GRO): fast enough for every sender.
    Count,
    /// The arrival time of each datagram, by the kernel's clock.
    Times,
}

/// What a sink found out.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    pub(crate) datagrams: u64,
    /// Dropped buffers, because the sink was too slow; a buffer is one datagram unless the sender batches.
    pub(crate) drops: u64,
    /// From the first to the last.
    pub(crate) span: Duration,
    /// Nanoseconds, with [`Watch::Times`].
    pub(crate) times: Vec<u64>,
}

/// Receives in a thread of its own.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    has_begun: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<Arrivals>>>,
}

/// Buffers of one call.
const SLOTS: usize = 16;
/// Bytes of one of them.
const SLOT: usize = 1 << 16;

impl Sink {
    pub(crate) fn start(watch: Watch) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        // As much as an ordinary user may have.
        let allowed = fs::read_to_string("/proc/sys/net/core/rmem_max")?;
        SockRef::from(&socket).set_recv_buffer_size(allowed.trim().parse()?)?;
        socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        match watch {
            Watch::Count => setsockopt(&socket, sockopt::UdpGroSegment, &true)?,
            Watch::Times => setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?,
        }
        let address = socket.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let has_begun = Arc::new(AtomicBool::new(false));
        let flags = (Arc::clone(&stop), Arc::clone(&has_begun));
        let thread = std::thread::spawn(move || collect(&socket, &flags.0, &flags.1));
        Ok(Self {
            address,
            stop,
            has_begun,
            thread: Some(thread),
        })
    }

    /// Whether a datagram has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Takes what has arrived by now, and ends.
    pub(crate) fn finish(mut self) -> Result<Arrivals> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().ok_or("the sink has ended")?;
        let arrivals = thread.join().map_err(|_| "the sink panicked")??;
        Ok(arrivals)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn collect(socket: &UdpSocket, stop: &AtomicBool, has_begun: &AtomicBool) -> io::Result<Arrivals> {
    let mut buffer = vec![0; SLOTS * SLOT];
    let mut arrivals = Arrivals::default();
    let mut first = None;
    loop {
        // If the flag is set, an empty receive call means the end.
        let is_last = stop.load(Ordering::Relaxed);
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = buffer
            .chunks_exact_mut(SLOT)
            .map(|slot| [IoSliceMut::new(slot)])
            .collect();
        let control = nix::cmsg_space!(TimeSpec, i32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(SLOTS, Some(control));
        let result = recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        );
        let messages = match result {
            Ok(messages) => messages,
            Err(Errno::EAGAIN) if is_last => break,
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        has_begun.store(true, Ordering::Relaxed);
        let now = Instant::now();
        arrivals.span = now - *first.get_or_insert(now);
        for message in messages {
            let mut count = 1;
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::UdpGroSegments(segment) => {
                        let segment = usize::try_from(segment).unwrap_or(0).max(1);
                        count = message.bytes.div_ceil(segment) as u64;
                    }
                    ControlMessageOwned::ScmTimestampns(time) => {
                        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
                        let nanos = u64::try_from(time.tv_nsec()).unwrap_or(0);
                        arrivals.times.push(seconds * 1_000_000_000 + nanos);
                    }
                    _ => {}
                }
            }
            arrivals.datagrams += count;
        }
    }
    arrivals.drops = udp_port(socket.local_addr()?.port()).map_or(0, |state| state.drops);
    Ok(arrivals)
}
