//! The streams that this process was given, and FIFOs that it writes to: whole writes, and a reader that stopped
//! reading does not delay the exit. What goes to stdout and stderr comes through [`super::stdout`] and
//! [`super::status`].
//!
//! `O_NONBLOCK` is kept with the open file, not with the descriptor (open(2)): any program that shares a terminal, a
//! pipe or a socket with udpcli may have set it. A call that would block then waits with poll(2); it is not an error.

use std::io::{self, Write};

#[cfg(not(unix))]
pub(crate) use other::stdin;
#[cfg(not(unix))]
pub(super) use other::stdout;
#[cfg(not(unix))]
use std::io::stderr as plain_stderr;
#[cfg(unix)]
use unix::plain_stderr;
#[cfg(unix)]
pub(crate) use unix::stdin;
#[cfg(unix)]
pub(super) use unix::stdout;

use crate::shutdown::Shutdown;

#[cfg(unix)]
mod unix {
    use super::{Write, io};
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// Waits until the descriptor is ready, has an error, or is at its end.
    pub(super) fn wait(fd: &impl AsFd, ready: PollFlags, at_most: Option<Timespec>) {
        // A signal may end the wait early: the caller's next call shows the state.
        let _ = poll(&mut [PollFd::new(fd, ready)], at_most.as_ref());
    }

    /// A stream that waits instead of failing when it would block.
    #[derive(Debug)]
    pub(crate) struct Patient<T>(pub T);

    impl<T: Read + AsFd> Read for Patient<T> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            loop {
                match self.0.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        wait(&self.0, PollFlags::IN, None);
                    }
                    // The user can no longer type there.
                    Err(error) if is_closed_terminal(&self.0, &error) => return Ok(0),
                    result => return result,
                }
            }
        }
    }

    /// Whether an error means that the window of a terminal was closed. It is no longer a terminal then, but still a
    /// device.
    pub(super) fn is_closed_terminal(fd: &impl AsFd, error: &io::Error) -> bool {
        use rustix::fs::FileType;
        error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
            && rustix::fs::fstat(fd).is_ok_and(|stat| {
                FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            })
    }

    impl<T: Write + AsFd> Write for Patient<T> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            loop {
                match self.0.write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        wait(&self.0, PollFlags::OUT, None);
                    }
                    Err(error) if is_closed_terminal(&self.0, &error) => {
                        return Err(io::ErrorKind::BrokenPipe.into());
                    }
                    result => return result,
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    /// Standard input.
    #[must_use]
    pub(crate) fn stdin() -> Patient<io::Stdin> {
        Patient(io::stdin())
    }

    /// Standard error as std has it.
    pub(in crate::terminal) fn plain_stderr() -> Patient<io::Stderr> {
        Patient(io::stderr())
    }

    /// stdout without std's line buffer, which searches every batch for its last newline and writes the rest
    /// separately.
    pub(in crate::terminal) fn stdout() -> Box<dyn Write + Send> {
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(owned) => Box::new(Patient(File::from(owned))),
            Err(_) => Box::new(Patient(io::stdout())),
        }
    }
}

#[cfg(not(unix))]
mod other {
    use super::{Write, io};

    /// Standard input.
    #[must_use]
    pub(crate) fn stdin() -> io::Stdin {
        io::stdin()
    }

    /// stdout as std has it: a Windows console takes text, not bytes, and std converts.
    pub(in crate::terminal) fn stdout() -> Box<dyn Write + Send> {
        Box::new(io::stdout())
    }
}

/// How much of a write the reader has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// All.
    Whole,
    /// The reader stopped reading, and the user ended the run. Holds the number of lost bytes.
    Abandoned(usize),
}

/// Writes whole buffers, to stdout or to a file that may be a FIFO.
pub(crate) struct StreamWriter {
    /// How to write; stdout is prepared by its first write, because many runs write nothing there.
    way: Option<Way>,
    /// Decides when to give up a reader that does not read.
    #[cfg(target_os = "linux")]
    shutdown: Shutdown,
}

impl std::fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// How a stream waits for its reader.
enum Way {
    /// Waits in the write.
    Blocking(Box<dyn Write>),
    /// Waits beside the write, so that the wait can be abandoned.
    #[cfg(target_os = "linux")]
    Polled(linux::Polled),
}

impl Way {
    /// How to write to stdout.
    fn for_stdout() -> Self {
        #[cfg(target_os = "linux")]
        if let Some(polled) = linux::stdout() {
            return Self::Polled(polled);
        }
        Self::Blocking(stdout())
    }
}

impl StreamWriter {
    /// Writes to stdout.
    #[must_use]
    pub(super) fn stdout(shutdown: Shutdown) -> Self {
        #[cfg(not(target_os = "linux"))]
        drop(shutdown);
        Self {
            way: None,
            #[cfg(target_os = "linux")]
            shutdown,
        }
    }

    /// Writes to a FIFO that this process opened.
    #[must_use]
    pub(crate) fn fifo(file: std::fs::File, shutdown: Shutdown) -> Self {
        #[cfg(target_os = "linux")]
        return Self {
            way: Some(Way::Polled(linux::Polled::fifo(file))),
            shutdown,
        };
        #[cfg(not(target_os = "linux"))]
        {
            drop(shutdown);
            Self {
                way: Some(Way::Blocking(Box::new(file))),
            }
        }
    }

    /// Writes everything; stops only if the user ends the run while the reader has stopped reading.
    ///
    /// # Errors
    /// What the system says: the reader has gone, the disk is full. A terminal whose window was closed is a reader that
    /// has gone.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<WriteOutcome> {
        match self.way.get_or_insert_with(Way::for_stdout) {
            Way::Blocking(stream) => {
                stream.write_all(bytes)?;
                // A reader expects each batch when it is written, not when a buffer is full.
                stream.flush()?;
                Ok(WriteOutcome::Whole)
            }
            #[cfg(target_os = "linux")]
            Way::Polled(polled) => polled.write(bytes, &self.shutdown),
        }
    }
}

/// Writes to stderr. After the user has ended the run, it drops unread messages and all later ones: a message must not
/// delay the exit.
///
/// # Errors
/// What the system says.
pub(super) fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::sync::{Mutex, OnceLock, PoisonError};
        /// `None` inside after it was given up.
        static STDERR: OnceLock<Option<Mutex<Option<linux::Polled>>>> = OnceLock::new();
        if let Some(stderr) = STDERR.get_or_init(|| Some(Mutex::new(Some(linux::stderr()?)))) {
            let mut stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(polled) = &mut *stderr
                && let WriteOutcome::Abandoned(_) = polled.write(bytes, &Shutdown::current())?
            {
                *stderr = None;
            }
            return Ok(());
        }
    }
    plain_stderr().write_all(bytes)
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Shutdown, Write as _, WriteOutcome, io};
    use std::fs::File;
    use std::io::IsTerminal as _;
    use std::os::fd::{AsFd as _, BorrowedFd};
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
    use std::time::Duration;

    use rustix::event::{PollFlags, Timespec};
    use rustix::fs::OFlags;
    use rustix::net::SendFlags;

    use crate::wait::{Site, Wait};

    /// After the user has ended the run, give up a reader that reads nothing for this long.
    const LAST_WAIT: Duration = Duration::from_millis(100);

    /// After the user has ended the run, give up a slow reader after this time at the latest.
    const LONGEST_WAIT: Duration = Duration::from_millis(1200);

    /// How often a wait for the reader checks whether the user has ended the run.
    const LOOK: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };

    /// A descriptor whose writes do not block, or, if that is impossible, wait as usual.
    pub(super) struct Polled {
        /// The stream itself.
        file: File,
        /// A socket need not be made non-blocking: each call can be.
        is_socket: bool,
        /// Whose reader is waited for.
        site: Site,
    }

    /// stdout as something to wait for: a pipe, a terminal, a socket. None for files and devices, which do not wait.
    pub(super) fn stdout() -> Option<Polled> {
        standard(io::stdout().as_fd(), "/proc/self/fd/1", Site::Stdout)
    }

    /// stderr likewise.
    pub(super) fn stderr() -> Option<Polled> {
        standard(io::stderr().as_fd(), "/proc/self/fd/2", Site::Stderr)
    }

    /// A standard stream; `path` is its name for opening it again.
    fn standard(stream: BorrowedFd<'_>, path: &str, site: Site) -> Option<Polled> {
        let file = File::from(stream.try_clone_to_owned().ok()?);
        let kind = file.metadata().ok()?.file_type();
        if kind.is_socket() {
            return Some(Polled {
                file,
                is_socket: true,
                site,
            });
        }
        if !kind.is_fifo() && !file.is_terminal() {
            return None;
        }
        // Open it again: only then does non-blocking mode affect udpcli alone, and no other program that writes to it.
        let opened = File::options()
            .write(true)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
            .open(path);
        Some(Polled {
            file: opened.unwrap_or(file),
            is_socket: false,
            site,
        })
    }

    impl Polled {
        /// A FIFO that udpcli opened and that no other program shares.
        pub(super) fn fifo(file: File) -> Self {
            if let Ok(flags) = rustix::fs::fcntl_getfl(&file) {
                // Without it a write waits like any other.
                let _ = rustix::fs::fcntl_setfl(&file, flags | OFlags::NONBLOCK);
            }
            Self {
                file,
                is_socket: false,
                site: Site::WriteDevice,
            }
        }

        /// One write call, which does not block.
        fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.is_socket {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                return Ok(rustix::net::send(&self.file, bytes, flags)?);
            }
            self.file.write(bytes)
        }

        pub(super) fn write(
            &mut self,
            bytes: &[u8],
            shutdown: &Shutdown,
        ) -> io::Result<WriteOutcome> {
            let is_stopped = || shutdown.is_asked();
            let mut rest = bytes;
            let mut waiting: Option<Wait<'_>> = None;
            while !rest.is_empty() {
                match self.write_some(rest) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(len) => {
                        rest = rest.get(len..).unwrap_or_default();
                        // A reader that reads, however slowly, gets the full grace period again.
                        waiting = None;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let wait = waiting.get_or_insert_with(|| {
                            let wait = Wait::at(self.site, &is_stopped);
                            wait.with_grace(LAST_WAIT).in_silence()
                        });
                        let asked_at = shutdown.asked_at();
                        let is_late = asked_at.is_some_and(|at| at.elapsed() >= LONGEST_WAIT);
                        if is_late || wait.look().is_some() {
                            return Ok(WriteOutcome::Abandoned(rest.len()));
                        }
                        super::unix::wait(&self.file, PollFlags::OUT, Some(LOOK));
                    }
                    Err(error) if super::unix::is_closed_terminal(&self.file, &error) => {
                        return Err(io::ErrorKind::BrokenPipe.into());
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(WriteOutcome::Whole)
        }
    }
}
