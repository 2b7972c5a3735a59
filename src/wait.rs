//! Waits that somebody else ends: the other end of a FIFO, a name server, a board that says nothing, a reader that does
//! not read.
//!
//! The first Ctrl-C, SIGTERM or SIGHUP ends any of them. So every wait says at which [`Site`] it is; the tests go through
//! all sites with all signals, and look for calls that block and pass this module by (`tests/cli/ends.rs`). `-vv` tells
//! of a wait that takes long.
//!
//! A call of the system that cannot be interrupted runs on a thread of its own. When the wait is given up that thread is
//! left behind; the process does not wait for it.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;

/// Waits shorter than this are not worth a message.
const WORTH_SAYING: Duration = Duration::from_millis(200);

/// How often a wait looks whether the end was asked for.
const LOOK: Duration = Duration::from_millis(20);

/// Where the program may be held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Site {
    /// `send`: opening what is to be sent.
    OpenPayload,
    /// `listen --save`: opening the capture.
    OpenCapture,
    /// `send`: the name server.
    Resolve,
    /// `board run`: reading the program from a file or standard input.
    ReadScript,
    /// `board flash`: reading firmware, a font or a backup.
    ReadFirmware,
    /// `board repl`: reading source that is piped in.
    ReadSource,
    /// A Wi-Fi password that is typed.
    Password,
    /// `socket://` and `rfc2217://`: the name server, and the connection.
    Connect,
    /// The board's MicroPython.
    Board,
    /// The board's boot loader, or our stub in its place.
    Chip,
    /// `pair --simulate`: the MicroPython that is started.
    Simulator,
    /// `board get`, `--image` and `--save`: writing to a FIFO or a device.
    WriteDevice,
    /// `send`: the next line or piece of what is to be sent.
    Payload,
    /// `send`: the time of the next datagram.
    Pace,
    /// `send`: the system takes no more datagrams.
    SendBuffer,
    /// `send`: replies, and word of datagrams that were refused.
    Replies,
    /// `listen`: datagrams.
    Datagrams,
    /// Whoever reads stdout.
    Stdout,
    /// Whoever reads stderr.
    Stderr,
    /// `demo`: the listener and the sender that it runs.
    Demo,
    /// `pair`: the system's own program that lists the Wi-Fis which this PC's radio sees.
    Radio,
}

impl Site {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::OpenPayload,
        Self::OpenCapture,
        Self::Resolve,
        Self::ReadScript,
        Self::ReadFirmware,
        Self::ReadSource,
        Self::Password,
        Self::Connect,
        Self::Board,
        Self::Chip,
        Self::Simulator,
        Self::WriteDevice,
        Self::Payload,
        Self::Pace,
        Self::SendBuffer,
        Self::Replies,
        Self::Datagrams,
        Self::Stdout,
        Self::Stderr,
        Self::Demo,
        Self::Radio,
    ];
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenPayload => "what is to be sent to open",
            Self::OpenCapture => "the capture to open",
            Self::Resolve => "the name server",
            Self::ReadScript => "the program",
            Self::ReadFirmware => "the firmware file",
            Self::ReadSource => "source on standard input",
            Self::Password => "the password",
            Self::Connect => "the connection",
            Self::Board => "the board",
            Self::Chip => "the chip",
            Self::Simulator => "the simulated board",
            Self::WriteDevice => "the reader of what is written",
            Self::Payload => "what is to be sent",
            Self::Pace => "the time of the next datagram",
            Self::SendBuffer => "room for datagrams",
            Self::Replies => "replies",
            Self::Datagrams => "datagrams",
            Self::Stdout => "the reader of stdout",
            Self::Stderr => "the reader of stderr",
            Self::Demo => "the listener and the sender",
            Self::Radio => "the list of Wi-Fis",
        })
    }
}

/// What became of a call that may wait.
#[derive(Debug)]
pub enum Waited<T> {
    /// It returned.
    Done(T),
    /// The end was asked for.
    Interrupted,
    /// The time was up.
    TimeUp,
}

/// Why to wait no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The end was asked for.
    Interrupted,
    /// The time is up.
    TimeUp,
}

/// One wait.
pub struct Wait<'a> {
    site: Site,
    is_stopped: &'a dyn Fn() -> bool,
    deadline: Option<Instant>,
    /// When to say that it takes long.
    say_at: Option<Instant>,
    /// How long to go on after the end was asked for.
    grace: Duration,
    given_up_at: Option<Instant>,
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("site", &self.site)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl<'a> Wait<'a> {
    /// Waits at `site` until `is_stopped` says that the end was asked for.
    #[must_use]
    pub fn at(site: Site, is_stopped: &'a dyn Fn() -> bool) -> Self {
        Self {
            site,
            is_stopped,
            deadline: None,
            say_at: Some(Instant::now() + WORTH_SAYING),
            grace: Duration::ZERO,
            given_up_at: None,
        }
    }

    /// At most until then.
    #[must_use]
    pub fn until(self, deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }

    /// What is to be done even though the end was asked for gets so much time.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Does not tell that it takes long: where a message would have to wait itself.
    #[must_use]
    pub fn in_silence(self) -> Self {
        Self {
            say_at: None,
            ..self
        }
    }

    /// Looks whether to wait no longer: what waits piece by piece asks between two pieces.
    pub fn look(&mut self) -> Option<Over> {
        let now = Instant::now();
        if (self.is_stopped)() && now >= *self.given_up_at.get_or_insert(now + self.grace) {
            return Some(Over::Interrupted);
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(Over::TimeUp);
        }
        if self.say_at.is_some_and(|say_at| now >= say_at) {
            self.say_at = None;
            tracing::trace!("waiting for {}", self.site);
        }
        None
    }

    /// How long the next piece of the wait may be, at most `most`; never nothing, which some calls take for no limit.
    #[must_use]
    pub fn piece(&self, most: Duration) -> Duration {
        let piece = self.deadline.map_or(most, |deadline| {
            most.min(deadline.saturating_duration_since(Instant::now()))
        });
        piece.max(Duration::from_millis(1))
    }

    /// Runs `call` on a thread of its own.
    ///
    /// # Errors
    /// There is no thread to give, or the call panicked.
    pub fn call<T: Send + 'static>(
        mut self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Waited<T>> {
        let (sender, result) = sync_channel(1);
        std::thread::Builder::new()
            .name("wait".to_owned())
            .spawn(move || sender.send(call()))?;
        loop {
            match self.receive(&result, LOOK) {
                Some(Ok(result)) => return Ok(Waited::Done(result)),
                Some(Err(Ended)) => return Err(io::Error::other("the call came to no end")),
                None => {}
            }
            match self.look() {
                Some(Over::Interrupted) => return Ok(Waited::Interrupted),
                Some(Over::TimeUp) => return Ok(Waited::TimeUp),
                None => {}
            }
        }
    }

    /// Waits at most `most` for what a thread sends; none if nothing came. The caller looks between two calls.
    #[must_use]
    pub fn receive<T>(&self, from: &Receiver<T>, most: Duration) -> Option<Result<T, Ended>> {
        match from.recv_timeout(self.piece(most)) {
            Ok(received) => Some(Ok(received)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Ended)),
        }
    }
}

/// Nothing more will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// Resolves at the deadline; never without one.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// Resolves when the end is asked for while an event loop waits at `site`. Without a message: the loops come by here for
/// each batch of datagrams.
pub async fn end_asked_at(_site: Site, shutdown: &mut Shutdown) {
    shutdown.asked().await;
}

/// Waits for what an event loop drives; `say` is called once it takes long.
pub async fn wait_for<T>(
    site: Site,
    what: impl Future<Output = T>,
    shutdown: &mut Shutdown,
    deadline: Option<Instant>,
    say: impl FnOnce(),
) -> Waited<T> {
    let mut what = std::pin::pin!(what);
    let mut say = Some(say);
    let mut say_at = Some(Instant::now() + WORTH_SAYING);
    loop {
        tokio::select! {
            biased;
            () = shutdown.asked() => return Waited::Interrupted,
            result = &mut what => return Waited::Done(result),
            () = until(deadline) => return Waited::TimeUp,
            () = until(say_at) => {
                say_at = None;
                tracing::trace!("waiting for {site}");
                if let Some(say) = say.take() {
                    say();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn sites_are_told_apart() {
        let names: std::collections::HashSet<String> =
            Site::ALL.iter().map(Site::to_string).collect();
        assert_eq!(names.len(), Site::ALL.len());
    }

    #[test]
    fn a_call_is_waited_for_or_left() {
        let never = || false;
        let done = Wait::at(Site::Connect, &never).call(|| 7).unwrap();
        assert!(matches!(done, Waited::Done(7)));

        let (_keeps_it_waiting, forever) = sync_channel::<()>(0);
        let now = Instant::now();
        let left = Wait::at(Site::Connect, &never)
            .until(now + Duration::from_millis(30))
            .call(move || forever.recv())
            .unwrap();
        assert!(matches!(left, Waited::TimeUp));

        let (_keeps_it_waiting, forever) = sync_channel::<()>(0);
        let left = Wait::at(Site::Connect, &|| true)
            .call(move || forever.recv())
            .unwrap();
        assert!(matches!(left, Waited::Interrupted));
        assert!(now.elapsed() < LONG);
    }

    #[test]
    fn a_call_that_panics_is_an_error() {
        let panics = Wait::at(Site::Connect, &|| false).call(|| {
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(panics.is_err());
    }

    #[test]
    fn what_is_to_be_done_all_the_same_gets_its_time() {
        let mut wait = Wait::at(Site::WriteDevice, &|| true).with_grace(Duration::from_millis(30));
        assert_eq!(wait.look(), None);
        let asked = Instant::now();
        while wait.look().is_none() {
            assert!(asked.elapsed() < LONG);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(asked.elapsed() >= Duration::from_millis(25));
    }

    #[test]
    fn a_look_sees_the_end_and_the_time() {
        let stopped = AtomicBool::new(false);
        let is_stopped = || stopped.load(Ordering::SeqCst);
        let mut wait = Wait::at(Site::Board, &is_stopped).until(Instant::now() + LONG);
        assert_eq!(wait.look(), None);
        assert!(wait.piece(LONG * 2) <= LONG);
        stopped.store(true, Ordering::SeqCst);
        assert_eq!(wait.look(), Some(Over::Interrupted));
        let mut wait = Wait::at(Site::Board, &|| false).until(Instant::now());
        assert_eq!(wait.look(), Some(Over::TimeUp));
    }
}
