//! Opens paths that the user named. Opening a FIFO blocks until another program opens the other end (fifo(7)), and a
//! hung network file system can block without limit. So the call runs on a separate thread, and Ctrl-C, SIGTERM and
//! `--duration` end the wait. The process does not wait for an abandoned thread.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::shutdown::Shutdown;
use crate::text::sentence::{Sentence, sentence};
use crate::wait::{Site, Waited, wait_for};

/// The name of standard output in an [`Error::Write`].
pub(crate) const STDOUT: &str = "standard output";

/// Standard output, as an error names it.
#[must_use]
pub(crate) fn stdout_name() -> Sentence {
    sentence!("udp.stdout")
}

/// A failed operation on a file, a device or a standard stream.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    #[error("cannot open {}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {object}")]
    Read { object: Sentence, source: io::Error },
    #[error("cannot write {object}")]
    Write { object: Sentence, source: io::Error },
}

/// An opened path.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The open file.
    pub(crate) file: File,
    /// The length of a regular file. `None` for a FIFO or a device, which cannot be read again or truncated.
    pub(crate) len: Option<u64>,
}

impl Opened {
    fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let len = metadata.is_file().then_some(metadata.len());
        Ok(Self { file, len })
    }
}

/// Opens a path for reading.
///
/// # Errors
/// The operating system refuses.
pub(crate) fn for_reading(path: &Path) -> Result<Opened, Error> {
    File::open(path)
        .and_then(Opened::new)
        .map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })
}

/// Whether standard input is a regular file, as after `<`, and not a pipe or a terminal.
#[must_use]
pub(crate) fn stdin_is_regular() -> bool {
    #[cfg(unix)]
    let own = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let own = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    let metadata = own.and_then(|own| File::from(own).metadata());
    metadata.is_ok_and(|metadata| metadata.is_file())
}

/// Opens a path for writing with these options, on a separate thread.
///
/// # Errors
/// The operating system refuses.
pub(crate) async fn for_writing(
    options: &std::fs::OpenOptions,
    path: &Path,
    shutdown: &mut Shutdown,
    deadline: Option<Instant>,
) -> Result<Waited<Opened>, Error> {
    let (options, owned) = (options.clone(), path.to_owned());
    let open = move || options.open(owned).and_then(Opened::new);
    let waited = wait_for(
        Site::OpenCapture,
        tokio::task::spawn_blocking(open),
        shutdown,
        deadline,
        || {
            tracing::info!(say = "udp.waiting-for-reader", path = %path.display());
        },
    )
    .await;
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    Ok(match waited {
        Waited::Done(Ok(result)) => Waited::Done(result.map_err(failed)?),
        // The blocking task panicked or could not start.
        Waited::Done(Err(error)) => return Err(failed(io::Error::other(error))),
        Waited::Interrupted => Waited::Interrupted,
        Waited::TimeUp => Waited::TimeUp,
    })
}
