//! Sends a program in pieces, each with a checksum. udpcli sends a damaged piece again in shorter ones, which are less
//! likely to be damaged.

use std::time::Instant;

use super::{Launch, TRIES, WORK};
use crate::board::crc32::crc32;
use crate::board::deflate::deflate;
use crate::board::error::Error;
use crate::board::helper::Repeats;
use crate::board::literal;
use crate::board::operation::Doing;
use crate::board::repl::{Ack, Repl, SubmitMode};

/// Up to this baud rate, programs are sent as plain bytes even if the firmware has flow control.
const PLAIN_BAUD: u32 = 230_400;

/// How much of a program to send at once. A shorter piece is less likely to be damaged on a bad line, but each needs a
/// reply.
const PIECE: usize = 4096;

/// The shortest piece on a bad line: its call and its reply add 40 bytes.
const SHORTEST_PIECE: usize = 128;

/// Receives a program in pieces and returns it whole. `print` acknowledges each piece; the last one deletes the
/// function's name.
const LOAD: &str = include_str!("../scripts/minified/load.py");

/// The same for firmware without CRC-32.
const LOAD_UNCHECKED: &str = include_str!("../scripts/minified/load_unchecked.py");

/// Like [`LOAD`], for a program that is compressed.
const LOAD_PACKED: &str = include_str!("../scripts/minified/load_packed.py");

/// The window in bits for a compressed program: 4 KiB of the board's memory for a moment.
const WINDOW: u8 = 12;

/// How often to try a compressed program: on a bad line the loader itself may be damaged.
const PACKED_TRIES: u32 = 2;

/// A program as it goes over the line.
#[derive(Debug, Clone, Copy)]
struct Shipment<'a> {
    loader: &'static str,
    bytes: &'a [u8],
    /// The value for the last call: the window in bits of a compressed program, otherwise 1.
    last: u8,
}

impl Shipment<'_> {
    /// About how many bytes the program takes on the line.
    fn len(&self) -> usize {
        self.loader.len() + call(0, self.bytes, self.last).len()
    }
}

/// Sends a program in pieces with checksums and starts it; `None` if it does not fit in the board's memory.
///
/// A damaged piece is sent again in shorter pieces, which are less likely to be damaged.
pub(super) fn start_checked(repl: &mut Repl, source: &[u8]) -> Result<Option<Launch>, Error> {
    let plain = |loader| Shipment {
        loader,
        bytes: source,
        last: 1,
    };
    // A faster line takes less time than the board needs to inflate.
    if repl.link().address().baud <= PLAIN_BAUD
        && let Some(bytes) = deflate(source, WINDOW)
    {
        let packed = Shipment {
            loader: LOAD_PACKED,
            bytes: &bytes,
            last: WINDOW,
        };
        let is_shorter = packed.len() * 10 < plain(LOAD).len() * 9;
        for _ in 0..if is_shorter { PACKED_TRIES } else { 0 } {
            match try_to_start(repl, packed) {
                Ok(Some(launch)) => return Ok(Some(launch)),
                Ok(None) => break,
                Err(Error::Refused { exception, .. }) => {
                    tracing::debug!("the board did not take the compressed program: {exception}");
                }
                Err(error) => return Err(error),
            }
        }
    }
    with_another_definition(|loader| try_to_start(repl, plain(loader)))
}

/// Accepts an exception only after the loader was sent again: the loader has no checksum of its own, so a damaged one
/// may raise the same exception each time. `attempt` gets the loader.
fn with_another_definition<T>(
    mut attempt: impl FnMut(&'static str) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut last = None;
    let mut loader = LOAD;
    for _ in 0..TRIES {
        match attempt(loader) {
            Err(Error::Refused { exception, .. }) if lacks_crc32(&exception) => {
                tracing::debug!("the firmware has no CRC-32: sending the program unchecked");
                loader = LOAD_UNCHECKED;
            }
            Err(Error::Refused { exception, .. }) if last.as_ref() != Some(&exception) => {
                last = Some(exception);
            }
            result => return result,
        }
    }
    Err(damaged())
}

fn try_to_start(repl: &mut Repl, shipment: Shipment<'_>) -> Result<Option<Launch>, Error> {
    let loader = shipment.loader;
    let way = if repl.link().address().baud <= PLAIN_BAUD {
        SubmitMode::Plain
    } else {
        SubmitMode::Paced
    };
    let mut len = PIECE;
    for _ in 0..TRIES {
        let mut rest = shipment.bytes;
        let mut index = 0;
        while rest.len() > len {
            match send_piece(repl, loader, way, index, rest, &mut len)? {
                Some(behind) => rest = behind,
                None => return Ok(None),
            }
            index += 1;
        }
        let last = Shipment {
            bytes: rest,
            ..shipment
        };
        match start_last(repl, way, index, last)? {
            Started::Yes(launch) => return Ok(Some(launch)),
            Started::NoMemory => return Ok(None),
            Started::Damaged => len = (len / 2).max(SHORTEST_PIECE),
        }
    }
    Err(damaged())
}

/// Sends our own code in pieces with checksums and runs it to its end. The code must be idempotent, because a retry
/// runs it again.
///
/// # Errors
/// The line is bad, or the code raises an exception.
pub(crate) fn load(repl: &mut Repl, doing: impl Into<Doing>, source: &[u8]) -> Result<(), Error> {
    let doing = &doing.into();
    with_another_definition(|loader| try_to_load(repl, loader, doing, source))
}

fn try_to_load(repl: &mut Repl, loader: &str, doing: &Doing, source: &[u8]) -> Result<(), Error> {
    let mut len = PIECE;
    let mut repeats = Repeats::default();
    for _ in 0..TRIES {
        let mut rest = source;
        let mut index = 0;
        while rest.len() > len {
            rest = send_piece(repl, loader, SubmitMode::Plain, index, rest, &mut len)?.ok_or_else(
                || Error::Refused {
                    doing: doing.clone(),
                    exception: "MemoryError".to_owned(),
                },
            )?;
            index += 1;
        }
        let mut code = if index == 0 {
            loader.as_bytes().to_vec()
        } else {
            Vec::new()
        };
        code.extend(b"exec(");
        code.extend(call(index, rest, 1));
        code.extend(b")");
        match repl.exec_short(SubmitMode::Plain, doing, &code, WORK) {
            Ok(answer) if answer == ack(index) => return Ok(()),
            Ok(_) => {}
            Err(Error::Refused { exception, .. }) => fail_if_repeated(&mut repeats, &exception)?,
            Err(Error::NoAnswer { .. }) => repl.reenter()?,
            Err(error) => return Err(error),
        }
        len = (len / 2).max(SHORTEST_PIECE);
    }
    Err(damaged())
}

/// The result of the call with the last piece, which starts the program.
enum Started {
    Yes(Launch),
    NoMemory,
    /// The program did not arrive complete. udpcli sends the whole program again, because it may have been started and
    /// interrupted.
    Damaged,
}

fn start_last(
    repl: &mut Repl,
    way: SubmitMode,
    index: usize,
    piece: Shipment<'_>,
) -> Result<Started, Error> {
    let loader = piece.loader;
    let mut code = b"exec(compile(".to_vec();
    code.extend(call(index, piece.bytes, piece.last));
    code.extend(b",'<stdin>','exec')");
    if repl.link().holds_packets() {
        // The acknowledgement must not be in one packet with the program's first output: the computer may hold that
        // packet back until the program prints again.
        code.extend(b",__import__('utime').sleep_ms(3)or globals()");
    }
    code.extend(b")");
    let line = if index == 0 {
        code = [loader.as_bytes(), &code].concat();
        loader.lines().count() + 1
    } else {
        1
    };
    let ack = ack(index);
    let mut repeats = Repeats::default();
    for _ in 0..2 {
        repl.submit(way, Doing::StartingProgram, &code)?;
        match repl.acknowledged(&ack, Instant::now() + WORK) {
            Ok(Ack::Yes) => {
                return Ok(Started::Yes(Launch {
                    file: false,
                    line: Some(line),
                }));
            }
            Ok(Ack::Exception(exception)) if is_out_of_memory(&exception) => {
                return Ok(Started::NoMemory);
            }
            // Either the loader was damaged, or the call arrived and only its reply was lost.
            Ok(Ack::Exception(exception)) if is_not_loaded(&exception) => break,
            Ok(Ack::Exception(exception)) => fail_if_repeated(&mut repeats, &exception)?,
            Err(Error::NoAnswer { .. }) => {
                repl.reenter()?;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Started::Damaged)
}

/// Sends a piece of at most `len` bytes until it arrives, and returns the rest; `None` if it does not fit in the
/// board's memory. Damage reduces `len`.
fn send_piece<'a>(
    repl: &mut Repl,
    loader: &str,
    way: SubmitMode,
    index: usize,
    source: &'a [u8],
    len: &mut usize,
) -> Result<Option<&'a [u8]>, Error> {
    let mut repeats = Repeats::default();
    for _ in 0..TRIES {
        let (piece, behind) = source.split_at(source.len().min(*len));
        let code = if index == 0 {
            [loader.as_bytes(), &call(index, piece, 0)].concat()
        } else {
            call(index, piece, 0)
        };
        match repl.exec_short(way, Doing::SendingProgram, &code, WORK) {
            Ok(answer) if answer == ack(index) => return Ok(Some(behind)),
            Ok(_) => {}
            Err(Error::Refused { exception, .. }) if is_out_of_memory(&exception) => {
                return Ok(None);
            }
            Err(Error::Refused { exception, .. }) => fail_if_repeated(&mut repeats, &exception)?,
            Err(Error::NoAnswer { .. }) => repl.reenter()?,
            Err(error) => return Err(error),
        }
        *len = (*len / 2).max(SHORTEST_PIECE);
    }
    Err(damaged())
}

pub(super) fn damaged() -> Error {
    Error::Garbled {
        doing: Doing::SendingProgram,
        times: TRIES,
    }
}

fn is_out_of_memory(exception: &str) -> bool {
    exception.starts_with("MemoryError")
}

/// Whether the firmware's module binascii lacks `crc32`.
fn lacks_crc32(exception: &str) -> bool {
    exception.starts_with("AttributeError") && exception.contains("'crc32'")
}

/// Whether the loader is missing on the board.
fn is_not_loaded(exception: &str) -> bool {
    exception.starts_with("NameError") && exception.contains("'_udpcli'")
}

/// An exception is the board's own if it occurs twice in a row and is not about a checksum: the line damages bytes at
/// random.
fn fail_if_repeated(repeats: &mut Repeats, exception: &str) -> Result<(), Error> {
    tracing::debug!("exception while sending the program: {exception}");
    if repeats.has(exception) && exception != "ValueError: crc" && !is_not_loaded(exception) {
        return Err(Error::Refused {
            doing: Doing::SendingProgram,
            exception: exception.to_owned(),
        });
    }
    Ok(())
}

/// The board's acknowledgement of a piece.
fn ack(index: usize) -> Vec<u8> {
    format!("~{index}\r\n").into_bytes()
}

/// The call with a piece; `last` is 0 but for the last one. It is idempotent, because a piece has its index.
fn call(index: usize, piece: &[u8], last: u8) -> Vec<u8> {
    let crc = crc32(&[format!("{index},{last}").as_bytes(), piece]);
    let mut code = format!("_udpcli({index},").into_bytes();
    literal::append_bytes(piece, &mut code);
    code.extend(format!(",{crc},{last})").into_bytes());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_can_be_sent() {
        let call = call(0, b"a\x01\x04\r\n\xe4", 1);
        assert!(!call.iter().any(|byte| matches!(byte, 1..=5 | b'\r')));
    }
}
