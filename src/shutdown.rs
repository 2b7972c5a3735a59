//! Handles Ctrl-C, SIGTERM and SIGHUP (a closed terminal): the first signal asks the run to stop, the second ends the
//! process immediately. A signal that was ignored when the program started stays ignored, as with `nohup`, `trap ''
//! INT` and background jobs (SIGINT). On Windows: Ctrl-C, Ctrl-Break, closing the window, logging off, shutting down.
//!
//! Signals are per process, so there is one [`Shutdown`] per process, and it is cloned where needed.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long after the loss of the terminal the SIGHUP of a closed window may arrive.
const HANG_UP: Duration = Duration::from_millis(100);

/// Tells a run that it was asked to stop.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// Tells all clones.
    ask: watch::Sender<Option<Instant>>,
    /// When the stop was requested.
    asked: watch::Receiver<Option<Instant>>,
}

/// The [`Shutdown`] of this process, once somebody has asked for it.
static CURRENT: Mutex<Option<Watched>> = Mutex::new(None);

/// The first wait has to start the handling of signals.
static STARTS_AT_WAIT: AtomicBool = AtomicBool::new(false);

/// The [`Shutdown`] of this process.
#[derive(Debug)]
struct Watched {
    shutdown: Shutdown,
    /// Whether the signals are handled.
    is_watching: bool,
}

/// Restores the terminal before the process exits immediately.
static LAST: Mutex<Option<fn()>> = Mutex::new(None);

impl Shutdown {
    /// Starts handling Ctrl-C and the other signals. Idempotent: another call returns a clone.
    ///
    /// A separate thread handles the signals, so that the second one works even while the run is blocked in a call.
    ///
    /// # Errors
    /// The signal handlers or the thread cannot be set up.
    pub fn on_signal() -> io::Result<Self> {
        Self::with_current(|current| {
            if !current.is_watching {
                handle_signals(current.shutdown.asker())?;
                current.is_watching = true;
            }
            Ok(current.shutdown.clone())
        })
    }

    /// As [`Self::on_signal`], but handles the signals only from the first wait on: before [`crate::wait`] waits, or
    /// when the event loop calls [`Self::start_at_wait`]. Until then a signal ends the process, as it ends any program.
    ///
    /// For runs that are usually over without a wait, which the thread and its runtime would delay.
    #[must_use]
    pub(crate) fn at_first_wait() -> Self {
        STARTS_AT_WAIT.store(true, Ordering::Relaxed);
        Self::with_current(|current| current.shutdown.clone())
    }

    /// Handles the signals from now on, if the first wait has to start that. Idempotent.
    pub(crate) fn start_at_wait() {
        if STARTS_AT_WAIT.load(Ordering::Relaxed)
            && STARTS_AT_WAIT.swap(false, Ordering::Relaxed)
            && let Err(error) = Self::on_signal()
        {
            // The run continues: a signal still ends it, but without a summary.
            tracing::debug!("signals are not handled: {error}");
        }
    }

    /// Calls `with` with the one of this process.
    fn with_current<T>(with: impl FnOnce(&mut Watched) -> T) -> T {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        with(current.get_or_insert_with(|| Watched {
            shutdown: Self::by_hand(),
            is_watching: false,
        }))
    }

    /// The [`Shutdown`] of this process. Commands that never block do not handle signals: there, no signal triggers it.
    #[must_use]
    pub(crate) fn current() -> Self {
        let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let shutdown = current.as_ref().map(|current| current.shutdown.clone());
        shutdown.unwrap_or_else(Self::by_hand)
    }

    /// A [`Shutdown`] that no signal triggers.
    #[must_use]
    pub fn by_hand() -> Self {
        let (ask, asked) = watch::channel(None);
        Self { ask, asked }
    }

    /// Whether a stop was requested.
    #[must_use]
    pub(crate) fn is_asked(&self) -> bool {
        self.asked_at().is_some()
    }

    /// Whether a stop is requested now or within 100 ms. Closing a window removes the terminal and sends SIGHUP, and
    /// the program may notice either first.
    #[must_use]
    pub(crate) fn is_asked_soon(&self) -> bool {
        let until = Instant::now() + HANG_UP;
        while !self.is_asked() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.is_asked()
    }

    /// When the stop was requested.
    #[must_use]
    pub(crate) fn asked_at(&self) -> Option<Instant> {
        *self.asked.borrow()
    }

    /// Resolves when a stop is requested. Only [`crate::wait`] calls this, because every wait must name its site there.
    pub(crate) async fn asked(&mut self) {
        if self.asked.wait_for(Option::is_some).await.is_err() {
            // Never: this value has a sender of its own.
            std::future::pending::<()>().await;
        }
    }

    /// Forgets a request to stop that was meant for another program in the same terminal.
    pub(crate) fn forget(&self) {
        self.ask.send_replace(None);
    }

    /// A handle to request a stop without a signal, for raw mode, where the program reads Ctrl-C as a key.
    #[must_use]
    pub fn asker(&self) -> Asker {
        Asker {
            ask: self.ask.clone(),
        }
    }
}

/// A handle with which to ask a run to stop.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Tells all clones.
    ask: watch::Sender<Option<Instant>>,
}

impl Asker {
    /// Requests a stop. Idempotent.
    pub fn ask(&self) {
        self.is_first();
    }

    /// Acts like a signal: the first call requests a stop, the second ends the process immediately.
    pub fn interrupt(&self) {
        if !self.is_first() {
            end_now();
        }
    }

    /// Requests a stop; false if one was requested already.
    fn is_first(&self) -> bool {
        self.ask.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert_with(Instant::now);
            is_first
        })
    }
}

/// Starts the thread that handles the signals.
fn handle_signals(asker: Asker) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    // tokio's signals need a runtime when they are set up, and not only when they are awaited.
    let entered = runtime.enter();
    // Before the thread starts: a signal between would end the process the hard way.
    let mut signals = Signals::new()?;
    drop(entered);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(follow(async || signals.next().await, &asker, || end_now()));
        })?;
    Ok(())
}

/// Acts on signals: the first requests a stop, the second calls `end`.
async fn follow(mut next: impl AsyncFnMut(), asker: &Asker, end: impl FnOnce()) {
    loop {
        next().await;
        if !asker.is_first() {
            return end();
        }
    }
}

/// Sets the function that restores the terminal before the process exits immediately. Code that changes the terminal's
/// mode must set it.
pub(crate) fn before_ending_at_once(what: Option<fn()>) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// Ends the process at once, with the terminal as it was before.
#[expect(
    clippy::exit,
    reason = "the user asked twice: nothing else may delay the end"
)]
fn end_now() -> ! {
    // Do not wait for the lock: a thread that is setting the function has not changed the terminal yet.
    if let Ok(Some(restore)) = LAST.try_lock().as_deref() {
        restore();
    }
    // 128 and the number of SIGINT, as shells report a process that a signal has ended.
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

/// The signals that this process ignores, as a bit mask: bit 0 is signal 1 (proc(5), `SigIgn`). Only Linux has a safe
/// way to ask; other systems return 0.
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
            // The previous signal has requested a stop and has not ended the process.
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
        // The time limit for stopping counts from the first signal.
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

    /// Only checks that the handlers can be installed, also on Windows, where a test cannot press Ctrl-Break or close a
    /// window.
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
        // SIGPIPE (13): Rust's standard library sets it to ignored at program start.
        assert_ne!(ignored() & (1 << 12), 0);
    }
}
