//! The input of a stream, read on a thread of its own, so that a blocking one (a pipe, a terminal, a FIFO without a
//! writer) delays neither pacing nor replies nor Ctrl-C.

use std::io::{self, Read};
use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::file;
use crate::terminal::stream;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::error::{Error, SendPart};

/// The buffer size of one read, in bytes.
const READ_SIZE: usize = 64 << 10;

/// The capacity, in reads, of the channel from the reading thread to the loop.
const READS_AHEAD: usize = 4;

/// The input of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// The file at this path.
    File(PathBuf),
}

impl Input {
    pub(in crate::udp::payload) fn name(&self) -> Sentence {
        match self {
            Self::Stdin => sentence!("udp.stdin"),
            Self::File(path) => path.display().to_string().into(),
        }
    }

    /// Whether the input arrives while a person types or a program writes, so that only the other side knows its end.
    pub(in crate::udp::payload) fn is_live(&self) -> bool {
        *self == Self::Stdin && !file::stdin_is_regular()
    }

    /// Opens the input. May block, so call it on the reading thread.
    pub(in crate::udp::payload) fn open(
        &self,
    ) -> Result<(Box<dyn Read + Send>, Option<u64>), Error> {
        match self {
            Self::Stdin => Ok((Box::new(stream::stdin()), None)),
            Self::File(path) => {
                let opened = file::for_reading(path)?;
                Ok((Box::new(opened.file), opened.len))
            }
        }
    }
}

/// A message from the reading thread.
#[derive(Debug)]
pub(super) enum InputEvent {
    /// The input is open; its length, if it is a regular file.
    Opened(Option<u64>),
    /// The next bytes.
    Bytes(Vec<u8>),
}

/// Starts a thread that opens the input and reads it to the end. If the thread blocks in a system call, the process
/// exits without waiting for it.
pub(super) fn read_on_thread(
    input: Input,
) -> Result<mpsc::Receiver<Result<InputEvent, Error>>, Error> {
    let (sender, receiver) = mpsc::channel(READS_AHEAD);
    let read = move || {
        let (mut stream, len) = match input.open() {
            Ok(opened) => opened,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        if sender.blocking_send(Ok(InputEvent::Opened(len))).is_err() {
            return;
        }
        loop {
            let mut bytes = vec![0; READ_SIZE];
            let result = match stream.read(&mut bytes) {
                Ok(0) => return,
                Ok(len) => {
                    bytes.truncate(len);
                    Ok(InputEvent::Bytes(bytes))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => Err(Error::File(file::Error::Read {
                    object: input.name(),
                    source,
                })),
            };
            let failed = result.is_err();
            if sender.blocking_send(result).is_err() || failed {
                return;
            }
        }
    };
    match std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(read)
    {
        Ok(_) => Ok(receiver),
        Err(source) => Err(Error::Start {
            what: SendPart::InputThread,
            source,
        }),
    }
}
