//! Blocking waits that depend on other programs or devices: the other end of a FIFO, a name server, a silent board, a
//! reader that does not read.
//!
//! The first Ctrl-C, SIGTERM or SIGHUP ends every such wait. Each wait names its [`Site`]; the tests try all signals at
//! all sites, and search for blocking calls that bypass this module (`tests/board/ends.rs`). `-vv` logs a wait that takes
//! long.
//!
//! A system call that cannot be interrupted runs on a separate thread. If the wait is given up, that thread is
//! abandoned, and the process does not wait for it.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;

/// Log a wait only if it takes longer than this.
const WORTH_SAYING: Duration = Duration::from_millis(200);

/// How often a wait polls for a request to stop.
const LOOK: Duration = Duration::from_millis(20);

/// The places where the program may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Site {
    /// `send`: opening the input.
    OpenPayload,
    /// `listen --save`: opening the capture.
    OpenCapture,
    /// `send`: resolving the host name.
    Resolve,
    /// `board run`: reading the program from a file or standard input.
    ReadScript,
    /// `board flash`: reading firmware, a font or a backup.
    ReadFirmware,
    /// `board repl`: reading source code from a pipe.
    ReadSource,
    /// `listen`: reading the replies by pattern and compiling their regular expressions.
    Rules,
    /// Typing a Wi-Fi password, or the answer to a question.
    Password,
    /// `socket://` and `rfc2217://`: resolving the host name and connecting.
    Connect,
    /// A response of the board's MicroPython.
    Board,
    /// `board monitor`: the next output of the board.
    Monitor,
    /// The port of a board whose cable was pulled.
    Cable,
    /// `--watch`: the next save of a file.
    Save,
    /// A response of the board's ROM loader, or of our stub that replaces it.
    Chip,
    /// `pair --simulate`: starting MicroPython on the PC.
    Simulator,
    /// `board get`, `--image` and `--save`: writing to a FIFO or a device.
    WriteDevice,
    /// `send`: the next line or chunk of the input.
    Payload,
    /// `send`: waiting until the next datagram is due.
    Pace,
    /// `send`: waiting for room in the send buffer.
    SendBuffer,
    /// `send`: waiting for replies and refusals.
    Replies,
    /// `listen`: waiting for datagrams.
    Datagrams,
    /// `relay`: waiting for datagrams to pass on.
    Relayed,
    /// Writing to stdout, until its reader reads.
    Stdout,
    /// Writing to stderr, until its reader reads.
    Stderr,
    /// `demo`: waiting for output of the listener and the sender that it runs.
    Demo,
    /// `pair`: the operating system's program that lists the Wi-Fi networks in range.
    Radio,
    /// `udpcli` alone: the menu's question.
    Menu,
    /// `doctor`: the operating system's program that shows the firewall's rules.
    Firewall,
    /// `find`: the answers of devices on the network.
    Boards,
    /// `board edit`: the user's editor.
    Editor,
    /// `board sleep`: the time until the next step.
    Sleep,
}

impl Site {
    /// All sites.
    pub const ALL: [Self; 31] = [
        Self::OpenPayload,
        Self::OpenCapture,
        Self::Resolve,
        Self::ReadScript,
        Self::ReadFirmware,
        Self::ReadSource,
        Self::Rules,
        Self::Password,
        Self::Connect,
        Self::Board,
        Self::Monitor,
        Self::Cable,
        Self::Save,
        Self::Chip,
        Self::Simulator,
        Self::WriteDevice,
        Self::Payload,
        Self::Pace,
        Self::SendBuffer,
        Self::Replies,
        Self::Datagrams,
        Self::Relayed,
        Self::Stdout,
        Self::Stderr,
        Self::Demo,
        Self::Radio,
        Self::Firewall,
        Self::Menu,
        Self::Boards,
        Self::Editor,
        Self::Sleep,
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
            Self::Rules => "the replies by pattern",
            Self::Password => "the password",
            Self::Connect => "the connection",
            Self::Board => "the board",
            Self::Monitor => "output of the board",
            Self::Cable => "the serial port to come back",
            Self::Save => "the next save",
            Self::Chip => "the chip",
            Self::Simulator => "the simulated board",
            Self::WriteDevice => "the reader of what is written",
            Self::Payload => "what is to be sent",
            Self::Pace => "the time of the next datagram",
            Self::SendBuffer => "room for datagrams",
            Self::Replies => "replies",
            Self::Datagrams => "datagrams",
            Self::Relayed => "datagrams to relay",
            Self::Stdout => "the reader of stdout",
            Self::Stderr => "the reader of stderr",
            Self::Demo => "the listener and the sender",
            Self::Radio => "the list of Wi-Fis",
            Self::Firewall => "the firewall's rules",
            Self::Menu => "the user's choice",
            Self::Boards => "boards",
            Self::Editor => "the editor to end",
            Self::Sleep => "the time of the next step",
        })
    }
}

/// The result of a call that may block.
#[derive(Debug)]
pub(crate) enum Waited<T> {
    /// The call returned.
    Done(T),
    /// The program was asked to stop.
    Interrupted,
    /// The deadline passed.
    TimeUp,
}

/// Why a wait ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The program was asked to stop.
    Interrupted,
    /// The deadline passed.
    TimeUp,
}

/// A wait with a deadline, which a request to stop can end.
pub(crate) struct Wait<'a> {
    /// Where the program waits.
    site: Site,
    /// Whether the user has ended the run.
    is_stopped: &'a dyn Fn() -> bool,
    /// When the wait is over anyway.
    deadline: Option<Instant>,
    /// When to log that the wait takes long; `None` once logged.
    say_at: Option<Instant>,
    /// How long to continue after a request to stop.
    grace: Duration,
    /// When the grace period ends, after the user has ended the run.
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
    /// A wait at `site`, which ends when `is_stopped` returns true.
    #[must_use]
    pub(crate) fn at(site: Site, is_stopped: &'a dyn Fn() -> bool) -> Self {
        Shutdown::start_at_wait();
        Self {
            site,
            is_stopped,
            deadline: None,
            say_at: Some(Instant::now() + WORTH_SAYING),
            grace: Duration::ZERO,
            given_up_at: None,
        }
    }

    /// Sets a deadline.
    #[must_use]
    pub(crate) fn until(self, deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }

    /// Sets a grace period after a request to stop, for clean-up that must still be done.
    #[must_use]
    pub(crate) fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Disables the log message about a long wait, for waits in which writing the message would block too.
    #[must_use]
    pub(crate) fn in_silence(self) -> Self {
        Self {
            say_at: None,
            ..self
        }
    }

    /// Checks whether to stop waiting. A caller that waits in short steps calls this after each step.
    pub(crate) fn look(&mut self) -> Option<Over> {
        let now = Instant::now();
        // The grace period starts at the first check after the request, because only then does this wait notice it.
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

    /// The length of the next waiting step, at most `most`. At least 1 ms, because some calls treat a timeout of zero
    /// as no limit.
    #[must_use]
    pub(crate) fn piece(&self, most: Duration) -> Duration {
        let piece = self.deadline.map_or(most, |deadline| {
            most.min(deadline.saturating_duration_since(Instant::now()))
        });
        piece.max(Duration::from_millis(1))
    }

    /// Runs `call` on a separate thread.
    ///
    /// # Errors
    /// No thread could be started, or the call panicked.
    pub(crate) fn call<T: Send + 'static>(
        mut self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Waited<T>> {
        // Buffer the result, so that an abandoned thread can end without waiting for a receiver.
        let (sender, result) = sync_channel(1);
        std::thread::Builder::new()
            .name("wait".to_owned())
            .spawn(move || sender.send(call()))?;
        loop {
            match self.receive(&result, LOOK) {
                Some(Ok(result)) => return Ok(Waited::Done(result)),
                Some(Err(ThreadEnded)) => return Err(io::Error::other("the call came to no end")),
                None => {}
            }
            match self.look() {
                Some(Over::Interrupted) => return Ok(Waited::Interrupted),
                Some(Over::TimeUp) => return Ok(Waited::TimeUp),
                None => {}
            }
        }
    }

    /// Waits at most `most` for a message from a thread; `None` on timeout. The caller must call [`Self::look`] between
    /// two calls.
    #[must_use]
    pub(crate) fn receive<T>(
        &self,
        from: &Receiver<T>,
        most: Duration,
    ) -> Option<Result<T, ThreadEnded>> {
        match from.recv_timeout(self.piece(most)) {
            Ok(received) => Some(Ok(received)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(ThreadEnded)),
        }
    }
}

/// The sending thread has ended, so no more messages will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadEnded;

/// Resolves at the deadline; never resolves without one.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// Resolves when a stop is requested while an event loop waits at `site`. Logs nothing, because the loops call it once
/// per batch of datagrams.
pub(crate) async fn end_asked_at(_site: Site, shutdown: &mut Shutdown) {
    shutdown.asked().await;
}

/// Waits for a future. Calls `say` once if the wait takes long, to tell the user what it waits for.
pub(crate) async fn wait_for<T>(
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
            // Check the user's end first, then the result: at the deadline, a finished result counts.
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
mod tests;
