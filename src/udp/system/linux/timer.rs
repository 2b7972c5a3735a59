//! A precise timer for evenly spaced datagrams: timerfd(2).

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The usual maximum lateness of a wake-up.
pub(crate) const TIMER_GRAIN: Duration = Duration::from_micros(200);

/// A timer with a precision of some tens of microseconds; tokio's has 1 ms. The timerfd is created at the first wait.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    /// The timerfd, registered with tokio.
    timer: Option<AsyncFd<Handle>>,
}

#[derive(Debug)]
struct Handle(TimerFd);

impl AsRawFd for Handle {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Timer {
    /// Resolves at `deadline`. Cancel safe.
    pub(crate) async fn until(&mut self, deadline: Instant) -> io::Result<()> {
        let wait = deadline.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        let timer = match &mut self.timer {
            Some(timer) => timer,
            none => none.insert(Self::make()?),
        };
        timer.get_ref().0.set(
            Expiration::OneShot(TimeSpec::from_duration(wait)),
            TimerSetTimeFlags::empty(),
        )?;
        loop {
            let mut ready = timer.readable().await?;
            // Do not read the descriptor: setting it again also clears expirations (`timerfd_setup`, fs/timerfd.c).
            ready.clear_ready();
            // A cancelled wait may have left an expiration behind, so check the clock.
            if Instant::now() >= deadline {
                return Ok(());
            }
        }
    }

    /// Creates the timerfd. `CLOCK_MONOTONIC` is the clock of [`Instant`] on Linux.
    fn make() -> io::Result<AsyncFd<Handle>> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for handles that lend their descriptor; ours owns it"
        )]
        AsyncFd::with_interest(Handle(timer), Interest::READABLE)
    }
}
