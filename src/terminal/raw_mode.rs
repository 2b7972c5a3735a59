//! Raw mode of the user's terminal, and what else has to be undone there: bracketed paste, the alternate screen.
//!
//! Whatever way the program ends, the terminal is as it was: [`RawMode`] restores it when it is dropped, a hook does so
//! before a panic is reported, and [`restore`] where the program ends without dropping anything.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Once, mpsc};
use std::time::Duration;

use crossterm::{event, execute, queue, terminal};

use super::{status, stdout, stream};
use crate::shutdown::{self, Shutdown};

/// What has to be undone, one bit each.
static TO_UNDO: AtomicU8 = AtomicU8::new(0);

const RAW: u8 = 1;
const PASTE: u8 = 2;
const ALTERNATE_SCREEN: u8 = 4;

/// A terminal that takes no more bytes (Ctrl-S) does not hold up the end for longer.
const AT_MOST: Duration = Duration::from_millis(100);

/// Raw mode of the terminal, for as long as this lives.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Keys come one by one, without echo, Ctrl-C among them. A paste is marked where the terminal can do that.
    ///
    /// # Errors
    /// The terminal cannot be set.
    pub fn on() -> io::Result<Self> {
        let guard = Self::begin()?;
        // Windows' console has no such mark; there a paste is told by its speed.
        if cfg!(unix) && status::is_terminal() {
            TO_UNDO.fetch_or(PASTE, Ordering::Relaxed);
            let mut mark = Vec::new();
            queue!(mark, event::EnableBracketedPaste)?;
            // A terminal that takes nothing does not hold up the end.
            stream::write_stderr(&mark)?;
        }
        Ok(guard)
    }

    /// As [`Self::on`], on a screen of its own on stdout. Messages are kept until that is over.
    pub(super) fn on_alternate_screen() -> io::Result<Self> {
        let guard = Self::begin()?;
        // Noted before it is done: undoing what was not done yet does no harm.
        TO_UNDO.fetch_or(ALTERNATE_SCREEN, Ordering::Relaxed);
        status::divert();
        let mut enter = Vec::new();
        queue!(enter, terminal::EnterAlternateScreen)?;
        stream::StreamWriter::stdout(Shutdown::current()).write(&enter)?;
        Ok(guard)
    }

    /// Sets raw mode, and arranges that every way out of the program ends it.
    fn begin() -> io::Result<Self> {
        // Once: each further hook would wrap the one before.
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

/// Puts the terminal back as it was, if it is not: for an end that drops nothing. Waits for no lock of ours, and hardly
/// for the terminal.
pub(crate) fn restore() {
    // A swap, so that of two ends at once only one undoes each thing.
    let undo = TO_UNDO.swap(0, Ordering::Relaxed);
    if undo & RAW != 0 {
        let _ = terminal::disable_raw_mode();
    }
    if undo & (PASTE | ALTERNATE_SCREEN) == 0 {
        return;
    }
    // On a thread of its own: after Ctrl-S the terminal takes nothing, and this write would hold up the end.
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
