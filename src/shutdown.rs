//! Ctrl-C and SIGTERM: the first asks the run to end, a second (or a later one) ends the process at once.

use std::io;

use tokio::sync::watch;

/// Tells a run that it was asked to end.
#[derive(Debug, Clone)]
pub struct Shutdown {
    asked: watch::Receiver<u32>,
}

impl Shutdown {
    /// Waits for Ctrl-C or SIGTERM from now on; the second ends the process.
    ///
    /// # Errors
    /// As [`Self::on_signals`].
    pub fn on_signal() -> io::Result<Self> {
        Self::on_signals(1)
    }

    /// Waits for Ctrl-C or SIGTERM from now on; the run is told of the first `told`, one more ends the process.
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
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
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
            shutdown: windows::ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.ctrl_break.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}
