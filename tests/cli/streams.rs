//! Streams that a command has to wait for: FIFOs, terminals, and streams that another program made non-blocking.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::thread::JoinHandle;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::pty::OpenptFlags;

/// A folder with a FIFO.
pub(crate) struct Fifo {
    pub(crate) path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fifo {
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// On a thread, opens the other end, writes `content` and closes it.
    pub(crate) fn written(&self, content: &'static [u8]) -> JoinHandle<()> {
        let path = self.path.clone();
        std::thread::spawn(move || {
            let mut file = File::options().write(true).open(path).unwrap();
            file.write_all(content).unwrap();
        })
    }
}

pub(crate) fn make_nonblocking(stream: &impl AsFd) {
    let flags = rustix::fs::fcntl_getfl(stream).unwrap();
    rustix::fs::fcntl_setfl(stream, flags | OFlags::NONBLOCK).unwrap();
}

/// A terminal: the end for the process, and our end.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .unwrap();
    rustix::pty::grantpt(&ours).unwrap();
    rustix::pty::unlockpt(&ours).unwrap();
    let name = rustix::pty::ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
    (theirs, ours)
}
