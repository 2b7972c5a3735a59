//! Opens paths that a user named. A FIFO holds its opener until another program opens the other end (fifo(7)), a hung
//! network file system holds it as long as it likes: the call runs on a thread of its own, so that Ctrl-C, SIGTERM and
//! `--duration` end the wait. The thread is left behind; the process does not wait for it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::shutdown::Shutdown;
use crate::wait::{Site, Waited, wait_for};

/// How an [`Error::Write`] names standard output.
pub const STDOUT: &str = "standard output";

/// A file, a device or a standard stream that failed.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    #[error("cannot open {}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {object}")]
    Read { object: String, source: io::Error },
    #[error("cannot write {object}")]
    Write { object: String, source: io::Error },
}

/// What an opened path is.
#[derive(Debug)]
pub struct Opened {
    /// The open file.
    pub file: File,
    /// The file's length; none where it is no regular file, so that it cannot be read again or cut.
    pub len: Option<u64>,
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
/// The system refuses.
pub fn for_reading(path: &Path) -> Result<Opened, Error> {
    File::open(path)
        .and_then(Opened::new)
        .map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })
}

/// Opens a path for writing as `options` say, on a thread of its own.
///
/// # Errors
/// The system refuses.
pub async fn for_writing(
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
        // The thread panicked or was never started.
        Waited::Done(Err(error)) => return Err(failed(io::Error::other(error))),
        Waited::Interrupted => Waited::Interrupted,
        Waited::TimeUp => Waited::TimeUp,
    })
}
