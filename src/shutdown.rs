//! Ctrl-C, SIGTERM and SIGHUP (a closed terminal): the first asks the run to end, the second ends the process at once.
//! A signal that was ignored when the program started stays ignored: `nohup`, `trap '' INT`, and the SIGINT of background
//! jobs. On Windows: Ctrl-C, Ctrl-Break, closing the window, logging off, shutting down.
//!
//! Signals come to the process, so there is one [`Shutdown`] for it, of which everybody has a copy.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long the signal of a closed window may take to come once the terminal is gone.
const HANG_UP: Duration = Duration::from_millis(100);

/// Tells a run that it was asked to end.
#[derive(Debug, Clone)]
pub struct Shutdown {
    ask: watch::Sender<Option<Instant>>,
    asked: watch::Receiver<Option<Instant>>,
}

/// The process's own, once the signals are watched.
static CURRENT: Mutex<Option<Shutdown>> = Mutex::new(None);

/// What restores the terminal before the process ends at once.
static LAST: Mutex<Option<fn()>> = Mutex::new(None);

impl Shutdown {
    /// Watches for Ctrl-C and the other signals from now on; called again it gives another copy.
    ///
    /// The signals are watched on a thread of their own, so that the second one works even while a call blocks the run.
    ///
    /// # Errors
    /// The system has no signal handler or no thread to give.
    pub fn on_signal() -> io::Result<Self> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shutdown) = &*current {
            return Ok(shutdown.clone());
        }
        let shutdown = Self::by_hand();
        let asker = shutdown.asker();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let entered = runtime.enter();
        let mut signals = Signals::new()?;
        drop(entered);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(follow(async || signals.next().await, &asker, || end_now()));
            })?;
        *current = Some(shutdown.clone());
        Ok(shutdown)
    }

    /// The process's own; one that no signal asks where none are watched, as in commands that wait for nobody.
    #[must_use]
    pub fn current() -> Self {
        let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        current.clone().unwrap_or_else(Self::by_hand)
    }

    /// One that no signal asks.
    #[must_use]
    pub fn by_hand() -> Self {
        let (ask, asked) = watch::channel(None);
        Self { ask, asked }
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked_at().is_some()
    }

    /// Whether the end is asked for just now: closing a window takes the terminal away and sends SIGHUP, and either may be
    /// noticed first.
    #[must_use]
    pub fn is_asked_soon(&self) -> bool {
        let until = Instant::now() + HANG_UP;
        while !self.is_asked() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.is_asked()
    }

    /// When the end was asked for.
    #[must_use]
    pub fn asked_at(&self) -> Option<Instant> {
        *self.asked.borrow()
    }

    /// Resolves when the end is asked for; never otherwise. For [`crate::wait`]: every wait names its site there.
    pub(crate) async fn asked(&mut self) {
        if self.asked.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What asks for the end without a signal: where Ctrl-C is a key that the program reads itself.
    #[must_use]
    pub fn asker(&self) -> Asker {
        Asker {
            ask: self.ask.clone(),
        }
    }
}

/// Asks a run to end.
#[derive(Debug, Clone)]
pub struct Asker {
    ask: watch::Sender<Option<Instant>>,
}

impl Asker {
    /// Asks, once or more often.
    pub fn ask(&self) {
        self.is_first();
    }

    /// As a signal: the first asks, the second ends the process at once.
    pub fn interrupt(&self) {
        if !self.is_first() {
            end_now();
        }
    }

    /// Asks. False if the end was asked for already.
    fn is_first(&self) -> bool {
        self.ask.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert_with(Instant::now);
            is_first
        })
    }
}

/// Does what signals say: the first asks, the second ends.
async fn follow(mut next: impl AsyncFnMut(), asker: &Asker, end: impl FnOnce()) {
    loop {
        next().await;
        if !asker.is_first() {
            return end();
        }
    }
}

/// Sets what is done before the process ends at once, or nothing: whoever changes the terminal restores it there.
pub fn before_ending_at_once(what: Option<fn()>) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

#[expect(
    clippy::exit,
    reason = "the user asked twice: nothing else may delay the end"
)]
fn end_now() -> ! {
    // Whoever is just setting it has not changed the terminal yet.
    if let Ok(Some(restore)) = LAST.try_lock().as_deref() {
        restore();
    }
    std::process::exit(130)
}

#[cfg(unix)]
struct Signals {
    signals: [Option<tokio::signal::unix::Signal>; 3],
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let watch = |kind: SignalKind| {
            let bit = 1 << (kind.as_raw_value() - 1);
            (ignored & bit == 0).then(|| signal(kind)).transpose()
        };
        Ok(Self {
            signals: [
                watch(SignalKind::interrupt())?,
                watch(SignalKind::terminate())?,
                watch(SignalKind::hangup())?,
            ],
        })
    }

    async fn next(&mut self) {
        async fn of(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => {
                    signal.recv().await;
                }
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            () = of(interrupt) => {}
            () = of(terminate) => {}
            () = of(hangup) => {}
        }
    }
}

/// The signals that this process ignores, one bit each: bit 0 is signal 1 (proc(5), `SigIgn`). Elsewhere than on Linux
/// there is no safe way to ask: none.
#[cfg(unix)]
fn ignored() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("SigIgn:"))?;
            u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()
        })
        .unwrap_or(0)
}

#[cfg(windows)]
struct Signals {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    logoff: tokio::signal::windows::CtrlLogoff,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::windows;
        Ok(Self {
            ctrl_c: windows::ctrl_c()?,
            ctrl_break: windows::ctrl_break()?,
            close: windows::ctrl_close()?,
            logoff: windows::ctrl_logoff()?,
            shutdown: windows::ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.ctrl_break.recv() => {}
            _ = self.close.recv() => {}
            _ = self.logoff.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn run(future: impl Future) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(future);
    }

    #[test]
    fn the_first_signal_asks_and_the_second_ends() {
        let shutdown = Shutdown::by_hand();
        let (seen, ended) = (Cell::new(0), Cell::new(false));
        let next = async || {
            // The signal before this one has asked, and not ended anything.
            assert_eq!(shutdown.is_asked(), seen.get() > 0);
            assert!(!ended.get());
            seen.set(seen.get() + 1);
        };
        run(follow(next, &shutdown.asker(), || ended.set(true)));
        assert_eq!((seen.get(), ended.get()), (2, true));
    }

    #[test]
    fn a_key_counts_as_the_first_signal() {
        let shutdown = Shutdown::by_hand();
        shutdown.asker().interrupt();
        let asked_at = shutdown.asked_at().unwrap();
        let ended = Cell::new(0);
        run(follow(
            async || {},
            &shutdown.asker(),
            || {
                ended.set(ended.get() + 1);
            },
        ));
        assert_eq!(ended.get(), 1);
        // The time that the end may take runs from the first on.
        shutdown.asker().ask();
        assert_eq!(shutdown.asked_at(), Some(asked_at));
    }

    #[test]
    fn every_copy_is_told() {
        let mut shutdown = Shutdown::by_hand();
        let copy = shutdown.clone();
        assert!(!copy.is_asked());
        shutdown.asker().ask();
        assert!(copy.is_asked());
        run(shutdown.asked());
    }

    /// Also on Windows, where nothing can press Ctrl-Break or close a window in a test: the handlers can be set.
    #[test]
    fn signals_can_be_watched_and_there_is_one_watch() {
        let first = Shutdown::on_signal().unwrap();
        let second = Shutdown::on_signal().unwrap();
        assert!(!first.is_asked());
        first.asker().ask();
        assert!(second.is_asked());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_ignored_is_read_from_the_system() {
        // SIGPIPE, 13: the standard library has it ignored from the start.
        assert_ne!(ignored() & (1 << 12), 0);
    }
}
