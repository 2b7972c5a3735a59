//! Ctrl-C, SIGTERM and SIGHUP (a closed terminal): the first asks the run to end, a second (or a later one) ends the
//! process at once. A signal that was ignored when the program started stays ignored: `nohup`, `trap '' INT`, and the
//! SIGINT of background jobs. On Windows: Ctrl-C, Ctrl-Break, closing the window, logging off, shutting down.

use std::io;

use tokio::sync::watch;

/// Tells a run that it was asked to end.
#[derive(Debug, Clone)]
pub struct Shutdown {
    asked: watch::Receiver<u32>,
}

impl Shutdown {
    /// Waits for Ctrl-C and the other signals from now on; the second ends the process.
    ///
    /// # Errors
    /// As [`Self::on_signals`].
    pub fn on_signal() -> io::Result<Self> {
        Self::on_signals(1)
    }

    /// Waits for Ctrl-C and the other signals from now on; the run is told of the first `told`, one more ends the process.
    ///
    /// The signals are watched on a thread of their own, so that the second one works even while a write to a
    /// stopped reader blocks the run.
    ///
    /// # Errors
    /// The system has no signal handler or no thread to give.
    pub fn on_signals(told: u32) -> io::Result<Self> {
        Self::on_signals_or(told).map(|(shutdown, _)| shutdown)
    }

    /// As [`Self::on_signals`], and by hand: where Ctrl-C is a key that the program reads itself.
    ///
    /// # Errors
    /// As [`Self::on_signals`].
    pub fn on_signals_or(told: u32) -> io::Result<(Self, Asker)> {
        let (ask, asked) = watch::channel(0);
        let by_hand = Asker { ask: ask.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let entered = runtime.enter();
        let mut signals = Signals::new()?;
        drop(entered);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    for _ in 0..told {
                        signals.next().await;
                        // A run that has ended already has dropped its receiver.
                        ask.send_modify(|times| *times += 1);
                    }
                    signals.next().await;
                    end_now();
                });
            })?;
        Ok((Self { asked }, by_hand))
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.times() > 0
    }

    /// How often the end was asked for.
    #[must_use]
    pub fn times(&self) -> u32 {
        *self.asked.borrow()
    }

    /// Resolves when the end is asked for; never otherwise.
    pub async fn asked(&mut self) {
        if self.asked.wait_for(|asked| *asked > 0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Asks a run to end.
#[derive(Debug, Clone)]
pub struct Asker {
    ask: watch::Sender<u32>,
}

impl Asker {
    /// Asks once more.
    pub fn ask(&self) {
        self.ask
            .send_modify(|times| *times = times.saturating_add(1));
    }
}

#[expect(
    clippy::exit,
    reason = "the user asked twice: nothing else may delay the end"
)]
fn end_now() -> ! {
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
