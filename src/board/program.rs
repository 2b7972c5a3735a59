//! Programs in the board's memory.
//!
//! udpcli sends a program as Python literals with a CRC-32 each, so that a byte damaged on the line counts as a bad
//! line and not as an error in the pupil's program. The board joins the pieces, compiles them under the name `<stdin>`
//! and runs them in `__main__`, as the raw REPL would. A program too long for the board's memory goes into a file.

pub mod source;

use std::time::{Duration, Instant};

use crate::board::checksum::crc32;
use crate::board::doing::Doing;
use crate::board::error::Error;
use crate::board::files::Files;
use crate::board::helper::Repeats;
use crate::board::literal;
use crate::board::repl::{Ack, Repl, SubmitMode};

/// The file for a program that is too long for the board's memory, in its working directory.
const FILE: &str = ".udpcli_run.py";

/// udpcli sends programs up to this length without asking for the free memory.
const SURELY_FITS: usize = 4096;

/// How many bytes of memory each byte of a program takes while it is joined and compiled: the pieces, the whole, and
/// the compiler's output.
const MEMORY_PER_BYTE: usize = 4;

/// Up to this baud rate, programs are sent as plain bytes even if the firmware has flow control.
const PLAIN_BAUD: u32 = 230_400;

/// How much of a program to send at once. A shorter piece is less likely to be damaged on a bad line, but each needs a
/// reply.
const PIECE: usize = 4096;

/// The shortest piece on a bad line: its call and its reply add 40 bytes.
const SHORTEST_PIECE: usize = 128;

/// How often to send a piece.
const TRIES: u32 = 8;

/// The timeout for the board's work on a piece: a garbage collection.
const WORK: Duration = Duration::from_secs(5);

/// Checks whether anything but the boot has run in this interpreter, queries the free memory, and removes the file of a
/// long program that was left running.
///
/// The names from the boot are recognised by their kind, because each firmware leaves different ones: modules, the
/// flash's block device (`readblocks`, from a loaded module) and file system (`statvfs`), classes of loaded modules,
/// and on mPython 2.x the text `$#mac:..#$` with one counter (its `_boot.py`). Everything else is from a program:
/// functions, objects, numbers, modules from a file on the board; and `mpython`, whose buttons keep the callbacks of a
/// program.
const LOOK: &str = include_str!("scripts/minified/look.py");

/// Receives a program in pieces and returns it whole. `print` acknowledges each piece; the last one deletes the
/// function's name.
const LOAD: &str = include_str!("scripts/minified/load.py");

/// The same for firmware without CRC-32.
const LOAD_UNCHECKED: &str = include_str!("scripts/minified/load_unchecked.py");

/// How a program was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// It is in a temporary file of ours on the board.
    file: bool,
    /// The line of our code that runs it, which a traceback names first.
    line: Option<usize>,
}

impl Launch {
    /// Whether the program is in a temporary file on the board, because it is too long for the memory.
    #[must_use]
    pub fn is_file(self) -> bool {
        self.file
    }

    /// The traceback as if the raw REPL had run the program itself: without the line of our code.
    #[must_use]
    pub fn traceback(self, text: &str) -> String {
        let Some(line) = self.line else {
            return text.to_owned();
        };
        let frame = format!("  File \"<stdin>\", line {line}, in <module>\r\n");
        text.replacen(&frame, "", 1)
    }
}

/// Starts a program. If an earlier program left something behind and `fresh` is set, soft-resets first; `before` runs
/// in between. After a failure, none of our names remain in the interpreter.
///
/// # Errors
/// The board does not accept the program.
pub fn start(
    repl: &mut Repl,
    source: &[u8],
    fresh: bool,
    before: impl FnOnce(&mut Repl) -> Result<(), Error>,
) -> Result<Launch, Error> {
    let result = start_or_fail(repl, source, fresh, before);
    if result.is_err() && !repl.link().is_lost() {
        forget(repl);
    }
    result
}

/// Removes our name from the interpreter after a program was not started: Ctrl-C, a bad line, a refusal.
fn forget(repl: &mut Repl) {
    let heeded = repl.link().heed_shutdown(false);
    let result = repl.reenter_within(FORGET).and_then(|()| {
        let code = b"globals().pop('_udpcli',0)";
        repl.exec(Doing::CleaningUp, code, FORGET)
    });
    if let Err(error) = result {
        tracing::debug!("the name _udpcli may be left in the interpreter: {error}");
    }
    repl.link().heed_shutdown(heeded);
}

/// The timeout for the clean-up: Ctrl-C ends a command within 2 s.
const FORGET: Duration = Duration::from_millis(800);

fn start_or_fail(
    repl: &mut Repl,
    source: &[u8],
    fresh: bool,
    before: impl FnOnce(&mut Repl) -> Result<(), Error>,
) -> Result<Launch, Error> {
    let look = look(repl)?;
    if fresh && (look.is_used || repl.entered().stopped_program) {
        tracing::debug!("soft reset: an earlier program left something behind");
        repl.soft_reset()?;
    }
    before(repl)?;
    let fits =
        source.len() <= SURELY_FITS || source.len().saturating_mul(MEMORY_PER_BYTE) < look.memory;
    if fits && let Some(launch) = start_checked(repl, source)? {
        return Ok(launch);
    }
    tracing::info!(say = "board.into-a-file", free = %look.memory);
    Files::with(repl, |files| files.put(FILE, source, &mut |_| {}))?;
    start_file(repl, FILE)?;
    Ok(Launch {
        file: true,
        line: Some(1),
    })
}

/// The state of the interpreter.
struct Look {
    is_used: bool,
    /// The free bytes.
    memory: usize,
}

fn look(repl: &mut Repl) -> Result<Look, Error> {
    let code = format!("{LOOK}_udpcli({})\ndel _udpcli\n", literal::quoted(FILE));
    let doing = &Doing::LookingAtInterpreter;
    let mut answer = repl.exec_short(SubmitMode::Plain, doing, code.as_bytes(), WORK);
    let mut repeats = Repeats::default();
    for turn in 0..TRIES {
        match &answer {
            Err(Error::NoAnswer { .. }) => repl.reenter()?,
            Err(Error::Refused { exception, .. }) if !repeats.has(exception) => {}
            _ => break,
        }
        if turn == 0 {
            // A thread or a timer of the last program prints in between, or a byte was lost.
            repl.reenter()?;
            repl.soft_reset()?;
        }
        answer = repl.exec_short(SubmitMode::Plain, doing, code.as_bytes(), WORK);
    }
    if matches!(&answer, Err(Error::Refused { exception, .. }) if Repeats::is_of_the_line(exception))
    {
        return Err(damaged());
    }
    let answer = String::from_utf8_lossy(&answer?).into_owned();
    let mut parts = answer.split('~');
    let before = parts.next().unwrap_or_default();
    let numbers = parts.next().unwrap_or_default();
    let after = parts.next().unwrap_or("?");
    let mut numbers = numbers.split_whitespace();
    // Other text in the reply is from a thread or a timer that still runs.
    let is_alone = before.is_empty() && after.is_empty();
    Ok(Look {
        is_used: numbers.next() != Some("0") || !is_alone,
        memory: numbers
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(usize::MAX),
    })
}

/// Sends a program in pieces with checksums and starts it; `None` if it does not fit in the board's memory.
///
/// A damaged piece is sent again in shorter pieces, which are less likely to be damaged.
fn start_checked(repl: &mut Repl, source: &[u8]) -> Result<Option<Launch>, Error> {
    with_another_definition(|loader| try_to_start(repl, loader, source))
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
                tracing::debug!("the firmware has no CRC-32: the program goes over unchecked");
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

fn try_to_start(repl: &mut Repl, loader: &str, source: &[u8]) -> Result<Option<Launch>, Error> {
    let way = if repl.link().address().baud <= PLAIN_BAUD {
        SubmitMode::Plain
    } else {
        SubmitMode::Paced
    };
    let mut len = PIECE;
    for _ in 0..TRIES {
        let mut rest = source;
        let mut index = 0;
        while rest.len() > len {
            match send_piece(repl, loader, way, index, rest, &mut len)? {
                Some(behind) => rest = behind,
                None => return Ok(None),
            }
            index += 1;
        }
        match start_last(repl, loader, way, index, rest)? {
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
        code.extend(call(index, rest, true));
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
    /// It did not arrive complete. udpcli sends the whole program again, because it may have been started and
    /// interrupted.
    Damaged,
}

fn start_last(
    repl: &mut Repl,
    loader: &str,
    way: SubmitMode,
    index: usize,
    piece: &[u8],
) -> Result<Started, Error> {
    let mut code = b"exec(compile(".to_vec();
    code.extend(call(index, piece, true));
    code.extend(b",'<stdin>','exec'))");
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
            [loader.as_bytes(), &call(index, piece, false)].concat()
        } else {
            call(index, piece, false)
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

fn damaged() -> Error {
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

/// The call with a piece. It is idempotent, because a piece has its index.
fn call(index: usize, piece: &[u8], is_last: bool) -> Vec<u8> {
    let is_last = u8::from(is_last);
    let crc = crc32(&[format!("{index},{is_last}").as_bytes(), piece]);
    let mut code = format!("_udpcli({index},").into_bytes();
    literal::append_bytes(piece, &mut code);
    code.extend(format!(",{crc},{is_last})").into_bytes());
    code
}

/// Checks that a file is on the board.
///
/// # Errors
/// [`Error::NoSuchFile`] if it is not.
pub fn exists(repl: &mut Repl, path: &str) -> Result<(), Error> {
    let code = format!("open({}).close()", literal::quoted(path));
    match repl.exec(Doing::LookingForFile, code.as_bytes(), WORK) {
        Err(Error::Refused { .. }) => Err(Error::NoSuchFile {
            path: path.to_owned(),
        }),
        result => result.map(drop),
    }
}

/// Runs a file on the board in the same way as the board starts `main.py`.
///
/// # Errors
/// The board does not accept the code.
pub fn start_file(repl: &mut Repl, path: &str) -> Result<(), Error> {
    repl.submit(
        SubmitMode::Plain,
        Doing::StartingProgram,
        run_file(path).as_bytes(),
    )
}

/// The code that runs a file under the name `__main__`.
fn run_file(path: &str) -> String {
    let path = literal::quoted(path);
    format!("try:execfile\nexcept NameError:exec(open({path}).read())\nelse:execfile({path})")
}

/// Removes the file that [`start`] created, even if the program changed the working directory.
pub fn clean_up(repl: &mut Repl, launch: Launch) {
    if !launch.file {
        return;
    }
    let code = format!(
        "try:import uos as _udpcli\nexcept ImportError:import os as _udpcli\nfor _udpcli_d in'','/','/flash/':\n try:_udpcli.remove(_udpcli_d+'{FILE}')\n except OSError:pass\ndel _udpcli,_udpcli_d"
    );
    if let Err(error) = repl.exec(Doing::RemovingProgramFile, code.as_bytes(), WORK) {
        tracing::warn!(
            say = "board.left-behind",
            path = FILE,
            error = crate::board::error::as_value(&error)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_loses_only_our_line() {
        let launch = Launch {
            file: false,
            line: Some(14),
        };
        let ours = "  File \"<stdin>\", line 14, in <module>\r\n";
        let head = "Traceback (most recent call last):\r\n";
        let rest = "  File \"<stdin>\", line 14, in <module>\r\nValueError: x\r\n";
        assert_eq!(
            launch.traceback(&format!("{head}{ours}{rest}")),
            format!("{head}{rest}")
        );
        assert_eq!(launch.traceback("MemoryError: \r\n"), "MemoryError: \r\n");
    }

    #[test]
    fn every_byte_can_be_sent() {
        let call = call(0, b"a\x01\x04\r\n\xe4", true);
        assert!(!call.iter().any(|byte| matches!(byte, 1..=5 | b'\r')));
    }
}
