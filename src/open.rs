//! Opens paths that a user named. A FIFO holds its opener until another program opens the other end (fifo(7)), a hung
//! network file system holds it as long as it likes: the call runs on a thread of its own, so that Ctrl-C, SIGTERM and
//! `--duration` end the wait. The thread is left behind; the process does not wait for it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::net::until;
use crate::shutdown::Shutdown;

/// Waits shorter than this are not worth a message.
const WORTH_SAYING: Duration = Duration::from_millis(200);

/// What became of a call that may wait.
#[derive(Debug)]
pub enum Waited<T> {
    /// It returned.
    Done(T),
    /// The end was asked for.
    Interrupted,
    /// The time was up.
    TimeUp,
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
        tokio::task::spawn_blocking(open),
        shutdown,
        deadline,
        || {
            tracing::info!("waiting until another program reads {}", path.display());
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

/// Waits for what may take as long as it likes; `say` is called once it takes long.
pub async fn wait_for<T>(
    what: impl Future<Output = T>,
    shutdown: &mut Shutdown,
    deadline: Option<Instant>,
    say: impl FnOnce(),
) -> Waited<T> {
    let mut what = std::pin::pin!(what);
    let mut say = Some(say);
    let mut say_at = Some(Instant::now() + WORTH_SAYING);
    loop {
        tokio::select! {
            biased;
            () = shutdown.asked() => return Waited::Interrupted,
            result = &mut what => return Waited::Done(result),
            () = until(deadline) => return Waited::TimeUp,
            () = until(say_at) => {
                say_at = None;
                if let Some(say) = say.take() {
                    say();
                }
            }
        }
    }
}

/// As [`for_writing`] without a deadline, for commands that run without an event loop: what `call` gives, or none if the
/// end was asked for first.
///
/// # Errors
/// There is no thread to give.
pub fn interruptible<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
    shutdown: &Shutdown,
) -> Result<Option<T>, Error> {
    const LOOK: Duration = Duration::from_millis(50);
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("open".to_owned())
        .spawn(move || sender.send(call()))
        .map_err(|source| Error::Start {
            what: "thread that opens files",
            source,
        })?;
    while !shutdown.is_asked() {
        match receiver.recv_timeout(LOOK) {
            Ok(result) => return Ok(Some(result)),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            // The call panicked.
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(None)
}
