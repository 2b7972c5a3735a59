//! Programs in the board's memory.
//!
//! udpcli sends a program as Python literals with a CRC-32 each, so that a byte damaged on the line counts as a bad
//! line and not as an error in the pupil's program. The board joins the pieces, compiles them under the name `<stdin>`
//! and runs them in `__main__`, as the raw REPL would. A program too long for the board's memory goes into a file.

pub(crate) mod known;
mod self_contained;
pub(crate) mod source;
mod transfer;

use std::time::Duration;

use crate::board::error::Error;
use crate::board::files::Files;
use crate::board::helper::Repeats;
use crate::board::literal;
use crate::board::operation::Doing;
use crate::board::repl::{Repl, SubmitMode, ToGo};

use known::InterpreterState;
pub(crate) use transfer::load;

use transfer::{damaged, start_checked};

/// The file for a program that is too long for the board's memory, in its working directory.
const FILE: &str = ".udpcli_run.py";

/// udpcli sends programs up to this length without asking for the free memory.
const SURELY_FITS: usize = 4096;

/// How many bytes of memory each byte of a program takes while it is joined and compiled: the pieces, the whole, and
/// the compiler's output.
const MEMORY_PER_BYTE: usize = 4;

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

/// How a program was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// Whether the program is in a temporary file that udpcli wrote on the board.
    file: bool,
    /// The line of our code that runs the program, which a traceback names first.
    line: Option<usize>,
}

impl Launch {
    /// Whether the program is in a temporary file on the board, because it is too long for the memory.
    #[must_use]
    pub(crate) fn is_file(self) -> bool {
        self.file
    }

    /// The traceback as if the raw REPL had run the program itself: without the line of our code.
    #[must_use]
    pub(crate) fn traceback(self, text: &str) -> String {
        let Some(line) = self.line else {
            return text.to_owned();
        };
        let frame = format!("  File \"<stdin>\", line {line}, in <module>\r\n");
        text.replacen(&frame, "", 1)
    }
}

/// Starts a program. If an earlier program left something behind and `fresh` is set, soft-resets first; `before` runs
/// in between. `known` is for a program that runs again and again. After a failure, none of our names remain in the
/// interpreter.
///
/// # Errors
/// The board does not accept the program.
pub fn start(
    repl: &mut Repl,
    source: &[u8],
    fresh: bool,
    known: Option<&mut InterpreterState>,
    before: impl FnOnce(&mut Repl) -> Result<(), Error>,
) -> Result<Launch, Error> {
    let result = start_or_fail(repl, source, fresh, known, before);
    if result.is_err() && !repl.link().is_lost() {
        // The pupil's next program must find no name of udpcli in `globals()`.
        forget(repl);
    }
    result
}

/// Removes our name from the interpreter after a program was not started: Ctrl-C, a bad line, a refusal.
fn forget(repl: &mut Repl) {
    let heeded = repl.link().heed_shutdown(false);
    let limit = repl.link().clean_up_time(FORGET);
    let result = repl.reenter_within(limit).and_then(|()| {
        let code = b"globals().pop('_udpcli',0)";
        let limit = repl.link().clean_up_time(FORGET);
        repl.exec(Doing::CleaningUp, code, limit)
    });
    if let Err(error) = result {
        tracing::debug!("the name _udpcli may be left in the interpreter: {error}");
    }
    repl.link().heed_shutdown(heeded);
}

/// The timeout for the clean-up: Ctrl-C ends a command within 2 s.
const FORGET: Duration = Duration::from_millis(800);

/// [`start`] without the clean-up after a failure.
fn start_or_fail(
    repl: &mut Repl,
    source: &[u8],
    fresh: bool,
    mut known: Option<&mut InterpreterState>,
    before: impl FnOnce(&mut Repl) -> Result<(), Error>,
) -> Result<Launch, Error> {
    let surely_fits = source.len() <= SURELY_FITS;
    let mut memory = usize::MAX;
    let mut is_clean = false;
    match known.as_deref_mut() {
        // Skip the check only for a program that surely fits, because the check also reports the free memory.
        Some(known) if fresh && surely_fits && known.is_ours() => {
            known.prepare(repl)?;
            is_clean = known.is_clean();
        }
        _ => {
            let look = look(repl)?;
            memory = look.memory;
            // A stopped program may have left threads and timers, which no list of names shows.
            if fresh && (look.is_used || repl.entered().stopped_program) {
                tracing::debug!("soft reset: an earlier program left something behind");
                repl.soft_reset()?;
            }
        }
    }
    if let Some(known) = known
        && !is_clean
    {
        known.learn(repl, source);
    }
    before(repl)?;
    let fits = surely_fits || source.len().saturating_mul(MEMORY_PER_BYTE) < memory;
    if fits && let Some(launch) = start_checked(repl, source)? {
        return Ok(launch);
    }
    tracing::info!(say = "board.into-a-file", free = %memory);
    let to_go = ToGo::Bytes(source.len() as u64);
    Files::with_transfer(repl, to_go, |files| files.put(FILE, source, &mut |_| {}))?;
    start_file(repl, FILE)?;
    Ok(Launch {
        file: true,
        line: Some(1),
    })
}

/// The state of the interpreter.
struct Interpreter {
    /// Whether anything but the boot has run in the interpreter.
    is_used: bool,
    /// The free bytes.
    memory: usize,
}

/// Asks for the state of the interpreter. Soft-resets once if something else prints between the answers.
fn look(repl: &mut Repl) -> Result<Interpreter, Error> {
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
    Ok(Interpreter {
        // In doubt, treat the interpreter as used: that costs a soft reset but never gives a wrong result.
        is_used: numbers.next() != Some("0") || !is_alone,
        memory: numbers
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(usize::MAX),
    })
}

/// Checks that a file is on the board.
///
/// # Errors
/// [`Error::NoSuchFile`] if it is not.
pub(crate) fn exists(repl: &mut Repl, path: &str) -> Result<(), Error> {
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
pub(crate) fn start_file(repl: &mut Repl, path: &str) -> Result<(), Error> {
    repl.submit(
        SubmitMode::Plain,
        Doing::StartingProgram,
        run_file(path).as_bytes(),
    )
}

/// The code that runs a file under the name `__main__`.
fn run_file(path: &str) -> String {
    let path = literal::quoted(path);
    // `execfile` compiles from the file; `exec` needs the whole text in memory, and is for firmware without
    // `execfile`.
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
}
