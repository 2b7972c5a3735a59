//! Standard input for a program on the board, read on a thread.

use std::io::{self, IsTerminal as _, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Mutex, OnceLock};

use crate::board::input::Typed;
use crate::shutdown::Shutdown;
use crate::terminal::{status, stream};

/// Whether standard input held the program, or the steps.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Several programs of one command read one after the other.
static INPUT: OnceLock<Mutex<KeyboardState>> = OnceLock::new();

/// The bytes that were read from standard input.
#[derive(Debug)]
struct KeyboardState {
    /// Pieces from the reading thread.
    pieces: Receiver<Vec<u8>>,
    /// The unread rest of the last piece.
    rest: Vec<u8>,
}

/// From now on standard input is at its end for the board's programs: something else reads it.
pub(super) fn take() {
    IS_TAKEN.store(true, Ordering::Relaxed);
}

/// Takes back input that a program did not read.
pub(super) fn give_back(mut rest: Vec<u8>) {
    if let Some(Ok(mut input)) = INPUT.get().map(Mutex::lock) {
        rest.append(&mut input.rest);
        input.rest = rest;
    }
}

/// What the user types, for a program.
#[derive(Debug)]
pub(super) struct Keyboard {
    /// Whether stdin is a terminal, where one Ctrl-D does not end the input for later programs.
    is_terminal: bool,
}

impl Keyboard {
    /// None if standard input is taken.
    pub(super) fn open() -> Option<Self> {
        (!IS_TAKEN.load(Ordering::Relaxed)).then(|| Self {
            is_terminal: io::stdin().is_terminal(),
        })
    }

    /// The next line, or as much of it as there is.
    pub(super) fn next(&self) -> Typed {
        let start = || {
            Mutex::new(KeyboardState {
                pieces: read(self.is_terminal),
                rest: Vec::new(),
            })
        };
        let Ok(mut input) = INPUT.get_or_init(start).lock() else {
            return Typed::End;
        };
        if input.rest.is_empty() {
            match input.pieces.try_recv() {
                // On Windows, Ctrl-C ends the read, too.
                Ok(piece) if piece.is_empty() && Shutdown::current().is_asked_soon() => {
                    return Typed::Nothing;
                }
                Ok(piece) if piece.is_empty() => return Typed::End,
                Ok(piece) => input.rest = piece,
                Err(TryRecvError::Empty) => return Typed::Nothing,
                Err(TryRecvError::Disconnected) => return Typed::End,
            }
        }
        // A line at a time: the board's `input()` takes one, and the next program may read the rest.
        let len = memchr::memchr(b'\n', &input.rest).map_or(input.rest.len(), |at| at + 1);
        let line: Vec<u8> = input.rest.drain(..len).collect();
        if self.is_terminal {
            status::typed(&line);
        }
        Typed::Bytes(line)
    }
}

/// Standard input in pieces, a few in advance; an empty one is the end, after which more may come from a terminal.
fn read(is_terminal: bool) -> Receiver<Vec<u8>> {
    let (sender, pieces) = sync_channel(2);
    std::thread::spawn(move || {
        let mut stdin = stream::stdin();
        let mut buffer = [0; 1024];
        loop {
            let piece = match stdin.read(&mut buffer) {
                Ok(read) => buffer.get(..read).unwrap_or_default().to_vec(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            if piece.is_empty() && !is_terminal || sender.send(piece).is_err() {
                return;
            }
        }
    });
    pieces
}
