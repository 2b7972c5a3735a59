//! Raw mode of the user's terminal, and two other modes to restore: bracketed paste and the alternate screen.
//!
//! However the program ends, the terminal is restored: [`RawMode`] does it on drop, a hook does it before a panic is
//! reported, and [`restore`] does it when the program ends without dropping anything.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Once, mpsc};
use std::time::Duration;

use crossterm::{event, execute, queue, terminal};

use super::{status, stdout, stream};
use crate::shutdown::{self, Shutdown};

/// The modes to restore, one bit each.
static TO_UNDO: AtomicU8 = AtomicU8::new(0);

const RAW: u8 = 1;
const PASTE: u8 = 2;
const ALTERNATE_SCREEN: u8 = 4;

/// The longest wait at the end for a terminal that accepts no bytes (Ctrl-S).
const AT_MOST: Duration = Duration::from_millis(100);

/// Raw mode of the terminal, for as long as this lives.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Keys come one by one, without echo, Ctrl-C among them. The terminal marks a paste, if it can.
    ///
    /// # Errors
    /// The terminal cannot be set.
    pub fn on() -> io::Result<Self> {
        let guard = Self::begin()?;
        // Windows' console has no such mark; there udpcli recognises a paste by its speed.
        if cfg!(unix) && status::is_terminal() {
            TO_UNDO.fetch_or(PASTE, Ordering::Relaxed);
            let mut mark = Vec::new();
            queue!(mark, event::EnableBracketedPaste)?;
            // A terminal that accepts no bytes must not delay the end.
            stream::write_stderr(&mark)?;
        }
        Ok(guard)
    }

    /// As [`Self::on`], on the alternate screen of stdout. Messages are kept until it is released.
    pub(super) fn on_alternate_screen() -> io::Result<Self> {
        let guard = Self::begin()?;
        // Set the bit first: restoring a mode that was not changed is harmless.
        TO_UNDO.fetch_or(ALTERNATE_SCREEN, Ordering::Relaxed);
        status::divert();
        let mut enter = Vec::new();
        queue!(enter, terminal::EnterAlternateScreen)?;
        stream::StreamWriter::stdout(Shutdown::current()).write(&enter)?;
        Ok(guard)
    }

    /// Sets raw mode, and makes sure that every exit ends it.
    fn begin() -> io::Result<Self> {
        // Only once: each further hook would wrap the previous one.
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                restore();
                report(info);
            }));
        });
        shutdown::before_ending_at_once(Some(restore));
        terminal::enable_raw_mode()?;
        TO_UNDO.fetch_or(RAW, Ordering::Relaxed);
        status::set_raw(true);
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
        shutdown::before_ending_at_once(None);
        status::set_raw(false);
        status::end_diversion();
    }
}

/// Restores the terminal if necessary, for an exit that drops nothing. Takes no lock, and hardly waits for the
/// terminal.
pub(crate) fn restore() {
    // A swap, so that of two simultaneous exits only one restores each mode.
    let undo = TO_UNDO.swap(0, Ordering::Relaxed);
    if undo & RAW != 0 {
        let _ = terminal::disable_raw_mode();
    }
    if undo & (PASTE | ALTERNATE_SCREEN) == 0 {
        return;
    }
    // On its own thread: after Ctrl-S the terminal accepts no bytes, and this write would delay the exit.
    let (done, is_done) = mpsc::channel::<()>();
    let undo = move || {
        let _done = done;
        if undo & PASTE != 0 {
            let _ = execute!(io::stderr(), event::DisableBracketedPaste);
        }
        if undo & ALTERNATE_SCREEN != 0 && stdout::is_terminal() {
            use crossterm::cursor::Show;
            let _ = execute!(io::stdout(), Show, terminal::LeaveAlternateScreen);
        }
    };
    if std::thread::Builder::new().spawn(undo).is_ok() {
        let _ = is_done.recv_timeout(AT_MOST);
    }
}
