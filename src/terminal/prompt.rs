//! Questions to the user. A password is typed on the terminal itself: stdin and stdout may be pipes. The question
//! appears in the status area, below everything else; if stderr is not a terminal, udpcli asks on the terminal itself.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use super::sanitize;
use super::status::{self, OpenQuestion};
use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait, Waited};

/// The longest answer to read.
const MAX_LINE: u64 = 4096;

/// Asks for a password, which is not shown. None after Ctrl-C.
///
/// # Errors
/// There is no terminal to ask on.
pub fn password(question: &str) -> io::Result<Option<String>> {
    let shutdown = Shutdown::current();
    let question = sanitize::for_terminal(question).into_owned();
    // Before the question: the thread that reads may be left behind with the echo off.
    let _echo = echo::Kept::new();
    let shown = status::is_terminal().then(|| OpenQuestion::ask(&question));
    let is_shown = shown.is_some();
    let ask = move || {
        if is_shown {
            // The question is already in the status area.
            let silent = rpassword::ConfigBuilder::new().output_discard().build();
            rpassword::read_password_with_config(silent)
        } else {
            rpassword::prompt_password(question)
        }
    };
    let is_stopped = || shutdown.is_asked();
    let answered = Wait::at(Site::Password, &is_stopped).call(ask)?;
    match answered {
        Waited::Done(Ok(answer)) => Ok(Some(answer)),
        // Ctrl-C is a key here, and asks for the end itself.
        Waited::Done(Err(_)) if shutdown.is_asked_soon() => Ok(None),
        Waited::Done(Err(error)) => Err(error),
        // The thread that asks is left behind, and does not restore the terminal.
        Waited::Interrupted | Waited::TimeUp => Ok(None),
    }
}

/// Whether a user can read a question and type an answer on stdin.
#[must_use]
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && status::is_terminal()
}

/// Asks for a line. Empty at the end of stdin, none after Ctrl-C.
///
/// # Errors
/// stdin cannot be read.
pub(crate) fn line(question: &str) -> io::Result<Option<String>> {
    let shutdown = Shutdown::current();
    let question = sanitize::for_terminal(question).into_owned();
    let _shown = OpenQuestion::ask(&question);
    let read = || {
        let mut line = String::new();
        io::stdin()
            .lock()
            .take(MAX_LINE)
            .read_line(&mut line)
            .map(|_| line)
    };
    let is_stopped = || shutdown.is_asked();
    match Wait::at(Site::Password, &is_stopped).call(read)? {
        Waited::Done(_) if shutdown.is_asked_soon() => Ok(None),
        Waited::Done(line) => line.map(Some),
        Waited::Interrupted | Waited::TimeUp => Ok(None),
    }
}

/// The terminal's modes for typed text.
#[cfg(unix)]
mod echo {
    use std::fs::File;
    use std::sync::Mutex;

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    use crate::shutdown;

    /// The terminal and its modes before the question. The file stays open, because stdin may not be the terminal.
    static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

    /// Restores the terminal on drop, and when the process ends at once.
    pub(super) struct Kept(());

    impl Kept {
        /// Saves the terminal's current modes.
        pub(super) fn new() -> Self {
            let modes = File::options()
                .read(true)
                .write(true)
                .open("/dev/tty")
                .and_then(|terminal| Ok((tcgetattr(&terminal)?, terminal)));
            if let (Ok((modes, terminal)), Ok(mut before)) = (modes, BEFORE.lock()) {
                *before = Some((terminal, modes));
                shutdown::before_ending_at_once(Some(restore));
            }
            Self(())
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            restore();
            shutdown::before_ending_at_once(None);
        }
    }

    /// Puts the terminal back. `try_lock`, because it also runs in the handler of a second Ctrl-C, at which the
    /// process ends at once.
    fn restore() {
        if let Ok(mut before) = BEFORE.try_lock()
            && let Some((terminal, modes)) = before.take()
        {
            let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
        }
    }
}

/// Windows' shells do that themselves.
#[cfg(not(unix))]
mod echo {
    pub(super) struct Kept(());

    impl Kept {
        pub(super) fn new() -> Self {
            Self(())
        }
    }
}
