//! stdout: whole batches at once, and a reader that stopped reading does not hold up the end.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;

/// After the end was asked for, a reader that takes nothing for so long is left behind.
#[cfg(target_os = "linux")]
const LAST_WAIT: Duration = Duration::from_millis(100);

/// How much of a batch its reader took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// All.
    All,
    /// The reader stopped reading, and the end was asked for.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "a write that blocks is not left here")
    )]
    AllBut(usize),
}

/// The process's stdout.
pub(super) struct Stdout {
    way: Way,
    #[cfg(target_os = "linux")]
    shutdown: Shutdown,
}

enum Way {
    /// Waits in the write.
    Blocking(Box<dyn io::Write>),
    /// A pipe: waits beside the write, so that the wait can be left.
    #[cfg(target_os = "linux")]
    Pipe(File),
}

impl Stdout {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        #[cfg(target_os = "linux")]
        return Self {
            way: pipe().map_or_else(|| Way::Blocking(super::stdout()), Way::Pipe),
            shutdown,
        };
        #[cfg(not(target_os = "linux"))]
        {
            drop(shutdown);
            Self {
                way: Way::Blocking(super::stdout()),
            }
        }
    }

    /// Writes all of it; stops only if the end is asked for while nobody reads.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Taken> {
        match &mut self.way {
            Way::Blocking(stdout) => {
                stdout.write_all(bytes)?;
                stdout.flush()?;
                Ok(Taken::All)
            }
            #[cfg(target_os = "linux")]
            Way::Pipe(pipe) => write_to_pipe(pipe, bytes, &self.shutdown),
        }
    }
}

#[cfg(target_os = "linux")]
fn write_to_pipe(mut pipe: &File, bytes: &[u8], shutdown: &Shutdown) -> io::Result<Taken> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::io::Write as _;
    use std::os::fd::AsFd as _;

    let mut rest = bytes;
    let mut left_at: Option<Instant> = None;
    while !rest.is_empty() {
        match pipe.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => {
                rest = rest.get(len..).unwrap_or_default();
                left_at = None;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if shutdown.is_asked() {
                    let now = Instant::now();
                    if now >= *left_at.get_or_insert(now + LAST_WAIT) {
                        return Ok(Taken::AllBut(rest.len()));
                    }
                }
                let mut files = [PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)];
                // A signal may end it early; the write says how things are.
                let _ = poll(&mut files, PollTimeout::from(20_u8));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Taken::All)
}

/// If stdout is a pipe, that pipe opened anew: only then is not blocking a matter of ours alone, and not of everybody
/// who writes to it (`O_NONBLOCK` is kept with the open file, not with the descriptor: open(2)).
#[cfg(target_os = "linux")]
fn pipe() -> Option<File> {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    if !stdout.metadata().ok()?.file_type().is_fifo() {
        return None;
    }
    File::options()
        .write(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open("/proc/self/fd/1")
        .ok()
}
