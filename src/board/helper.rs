//! Our program on the board, with calls that work on a line that damages bytes.
//!
//! All its names are in one dictionary, `_udpcli`, which udpcli deletes at the end of the session. Every call and every
//! reply has a checksum. udpcli repeats damaged ones, so every call must be idempotent.
//!
//! An exception that the program catches comes back as a reply with a checksum: the board itself raised it, so udpcli
//! reports it at once. Only a wrong checksum, and silence, count as a bad line.
//!
//! The program imports modules only from the firmware (`load_module` in `scripts/helper.py`): otherwise a file `/io.py`
//! or `/os.py` on the board would run in place of the firmware's module. Built-in modules with names that begin with
//! `u` precede files in every version. If a firmware lacks such a name, udpcli removes the board's folders from
//! `sys.path`, so that the import finds no file. For names without `u`, versions up to 1.20 look for a file first if
//! the module is a weak link, later ones if it is extensible (MicroPython, `py/builtinimport.c` and `py/objmodule.c`).
//! `sys` is a weak link from 1.13 to 1.20, and `usys` is its safe name.
//!
//! Long because a call, its checksum and its repetition are one protocol with one state.

use std::time::{Duration, Instant};

use crate::board::crc32::crc32;
use crate::board::error::Error;
use crate::board::literal;
use crate::board::operation::Doing;
use crate::board::repl::fast::FRAME_DATA;
use crate::board::repl::{Repl, SubmitMode};
use crate::text::escape;

/// The helper itself, as `tests/minify_scripts.py` made it from `scripts/helper.py`.
const SCRIPT: &str = include_str!("scripts/minified/helper.py");

/// For [`Repl::speed_up`]. Needs the first part of [`SCRIPT`]. Its parts: the change of the rate, what runs at the new
/// one, and the length of a folder.
const FAST_LINE: &str = include_str!("scripts/minified/fast_line.py");

/// Separates the parts of a script: each part is short enough for a line that damages bytes.
const PART_END: &str = "#\n";

/// The bit of a folder in a file's mode.
const IS_FOLDER: u64 = 0x4000;

/// Removes the helper. None of its names belong to the user.
const CLEAN_UP: &[u8] = b"if'_udpcli'in globals():del _udpcli\nexec('import gc\\ngc.collect()',{})";

/// Whether the helper is there.
const IS_THERE: &[u8] = b"print('_udpcli'in globals())";

/// The timeout for a short call on the board.
const WORK: Duration = Duration::from_secs(10);

/// How often to repeat a call until its reply is complete.
const TRIES: u32 = 6;

/// How long to listen for output that the board prints by itself.
const EAVESDROP: Duration = Duration::from_millis(1200);

/// The length of the checksum at the end of a reply, after `~` or an exception's length.
const CHECKSUM_LEN: usize = 8;

/// Firmware without CRC-32 sends this in place of a checksum.
const NO_CHECKSUM: &[u8] = b"--------";

/// The largest prime below 2^16, and a factor: a checksum in plain Python, for the code that is sent before the board
/// has our program. Its products fit in MicroPython's small integers of 31 bits.
const PLAIN_MODULUS: u32 = 65_521;
// 65,520 * 31 + 255 is 2,031,375, far below 2^30.
const PLAIN_FACTOR: u32 = 31;

/// A session with our program on the board.
#[derive(Debug)]
pub(crate) struct Helper<'a> {
    /// The board.
    repl: &'a mut Repl,
    /// Plain until the line has lost bytes.
    way: SubmitMode,
    /// Scripts to define in addition to the helper's own.
    scripts: &'static [&'static str],
    /// Whether the interpreter restarted in this session.
    is_fresh: bool,
    /// How many attempts the last call took.
    attempts: u32,
    /// Whether the board has the scripts for a fast line.
    can_be_fast: bool,
    /// Whether the board restarted while the line was fast.
    has_restarted: bool,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallResult {
    /// A complete reply.
    Answer(Vec<u8>),
    /// The code on the board raised this exception.
    Raised(String),
    /// An exception that our program did not catch: the line may have damaged the call, or the board itself may have
    /// raised the exception, which is certain if the next attempt raises the same one.
    Uncaught(String),
    /// The call or its reply was damaged; holds the received bytes, for a log.
    Damaged(Vec<u8>),
    /// No reply, or an incomplete one.
    Silent,
}

impl<'a> Helper<'a> {
    /// Loads the helper and `scripts` onto the board, does `work` with it, and removes it, also after an error.
    ///
    /// # Errors
    /// The board does not accept the helper, or `work` fails.
    pub(crate) fn with<T, E: From<Error>>(
        repl: &'a mut Repl,
        scripts: &'static [&'static str],
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut helper = Self::new(repl, scripts);
        let result = match helper.begin() {
            Ok(()) => work(&mut helper),
            Err(error) => Err(E::from(error)),
        };
        helper.end(result)
    }

    /// A session that has not begun.
    pub(crate) fn new(repl: &'a mut Repl, scripts: &'static [&'static str]) -> Self {
        Self {
            repl,
            way: SubmitMode::Plain,
            scripts,
            is_fresh: false,
            attempts: 0,
            can_be_fast: false,
            has_restarted: false,
        }
    }

    /// Loads the helper and its scripts onto the board. The caller must call [`Self::end`], also after an error.
    ///
    /// # Errors
    /// The board does not accept them.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        let doing = &Doing::Preparing;
        match self.define() {
            Err(error) if is_unclear(&error) => self.start_anew(doing).map(drop),
            // The stopped program still occupies memory.
            Err(Error::Refused { exception, .. }) if exception.starts_with("MemoryError") => self
                .start_anew_because(doing, NewStart::MemoryFull)
                .map(drop),
            ready => ready,
        }
    }

    /// Removes the helper after work that ended with `result`.
    ///
    /// # Errors
    /// The error of the work, or that of the clean-up.
    pub(crate) fn end<T, E: From<Error>>(mut self, result: Result<T, E>) -> Result<T, E> {
        let cleaned = self.clean_up(result.is_ok());
        match (result, cleaned) {
            (Ok(_), Err(error)) => Err(E::from(error)),
            (result, _) => result,
        }
    }

    /// The board's raw REPL.
    pub(crate) fn repl(&mut self) -> &mut Repl {
        self.repl
    }

    /// Switches to flow control, if the firmware supports it, after the line lost bytes at full speed.
    pub(crate) fn slow_down(&mut self) {
        self.way = SubmitMode::Paced;
    }

    /// Defines the helper and then the scripts, part by part.
    ///
    /// # Errors
    /// The board does not accept them.
    pub(crate) fn define(&mut self) -> Result<(), Error> {
        let doing = &Doing::Preparing;
        let mut parts = SCRIPT.split(PART_END);
        self.define_first(parts.next().unwrap_or_default())?;
        for part in parts {
            self.define_part(part, false)?;
        }
        for script in self.scripts {
            if self.repl.link().is_fast() {
                // udpcli leaves a fast line that damages bytes, so one long part costs less than a reply to each short
                // one.
                self.call_once(doing, script.as_bytes(), WORK, CallKind::Quick)?;
                continue;
            }
            for part in script.split(PART_END) {
                self.call_once(doing, part.as_bytes(), WORK, CallKind::Quick)?;
            }
        }
        Ok(())
    }

    /// Defines the first part of the helper and makes the line fast, if that is worth it. Bytes at the old rate take
    /// most of the time until the first byte of a file, so udpcli sends both together if possible.
    fn define_first(&mut self, first: &str) -> Result<(), Error> {
        let change = FAST_LINE.split(PART_END).next().unwrap_or_default();
        if self.repl.wants_fast() && self.repl.path_to_go().is_none() {
            match self.define_part(&format!("{first}{change}"), true) {
                Err(Error::Refused { exception, .. }) => self.keep_rate(&exception),
                answer => {
                    let answer = answer?;
                    self.can_be_fast = self.repl.found_clock(&answer);
                    return self.speed_up();
                }
            }
        }
        self.define_part(first, true)?;
        if self.repl.wants_fast() {
            self.prepare_fast(change)?;
            self.speed_up()?;
        }
        Ok(())
    }

    /// Keeps the old rate for the session: the board cannot change it.
    fn keep_rate(&mut self, exception: &str) {
        tracing::debug!("the line stays as it is: {exception}");
        self.repl.give_up_fast();
    }

    /// Defines a part of the helper itself, before there are checksums. Returns what the part prints.
    fn define_part(&mut self, part: &str, is_first: bool) -> Result<Vec<u8>, Error> {
        let doing = &Doing::Preparing;
        let (code, expected) = plain_frame(part, is_first);
        self.insist(doing, WORK, |helper| {
            helper.attempt(doing, &code, WORK, CallKind::Quick, |answer| {
                let said = answer.trim_ascii_end().strip_suffix(expected.as_slice())?;
                let is_whole = said.is_empty() || said.ends_with(b"~");
                is_whole.then(|| CallResult::Answer(said.to_vec()))
            })
        })
    }

    /// Makes the line fast again after a failure, unless no rate is left.
    ///
    /// # Errors
    /// The line has failed, or the board does not come back to its prompt.
    pub(crate) fn speed_up(&mut self) -> Result<(), Error> {
        if !self.can_be_fast || !self.repl.wants_fast() {
            return Ok(());
        }
        let before = self.repl.new_starts();
        let frames = FAST_LINE.split(PART_END).nth(1).unwrap_or_default();
        self.repl.speed_up(frames.as_bytes())?;
        if self.repl.new_starts() == before {
            return Ok(());
        }
        // The board has lost the helper, and the line is too bad for another try.
        self.repl.give_up_fast();
        Err(Error::NoAnswer {
            port: self.repl.link().name().to_owned(),
            doing: Doing::ChangingRate,
        })
    }

    /// Like [`Self::speed_up`], and restores the helper if the interpreter had to restart.
    ///
    /// # Errors
    /// As for [`Self::start_anew`].
    pub(crate) fn be_fast(&mut self, doing: &Doing) -> Result<(), Error> {
        match self.speed_up() {
            Err(error) if self.restores_after(&error, doing)? => Ok(()),
            result => result,
        }
    }

    /// Whether udpcli restored the helper after an error that a new interpreter fixes. Bytes at a wrong rate are noise,
    /// which may be a Ctrl-D: so the old rate stays after a restart.
    ///
    /// # Errors
    /// As for [`Self::start_anew`].
    pub(crate) fn restores_after(&mut self, error: &Error, doing: &Doing) -> Result<bool, Error> {
        if matches!(error, Error::Restarted { .. }) && self.can_be_fast {
            self.can_be_fast = false;
            self.is_fresh = false;
            self.repl.give_up_fast();
            return self.start_anew(doing);
        }
        Ok(is_unclear(error) && self.start_anew(doing)?)
    }

    /// Finds out whether a faster line is worth it, and sends what the board needs for it. A board that cannot do it
    /// keeps its rate.
    fn prepare_fast(&mut self, change: &str) -> Result<(), Error> {
        if let Some(path) = self.repl.path_to_go() {
            let size_of = FAST_LINE.split(PART_END).nth(2).unwrap_or_default();
            let len = self.length_of(&path, size_of)?;
            self.repl.found_length(len);
            if !self.repl.wants_fast() {
                return Ok(());
            }
        }
        match self.define_part(change, false) {
            Err(Error::Refused { exception, .. }) => self.keep_rate(&exception),
            answer => {
                let answer = answer?;
                self.can_be_fast = self.repl.found_clock(&answer);
            }
        }
        Ok(())
    }

    /// The length of a file or of everything in a folder, for which the board needs `size_of`.
    fn length_of(&mut self, path: &[u8], size_of: &str) -> Result<Option<u64>, Error> {
        let mut code = b"print(*_udpcli['O'].stat(".to_vec();
        literal::append_bytes(path, &mut code);
        code.extend_from_slice(b")[:7])");
        let Some(answer) = self.repl.short(&code)? else {
            return Ok(None);
        };
        let text = String::from_utf8(answer).unwrap_or_default();
        let status: Vec<u64> = text
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let &[mode, _, _, _, _, _, len] = status.as_slice() else {
            return Ok(None);
        };
        if mode & IS_FOLDER == 0 {
            return Ok(Some(len));
        }
        match self.define_part(size_of, false) {
            Err(Error::Refused { .. }) => return Ok(None),
            result => result.map(drop)?,
        }
        let mut code = b"_udpcli['Q'](".to_vec();
        literal::append_bytes(path, &mut code);
        code.push(b')');
        let answer = self.repl.short(&code)?;
        Ok(answer.and_then(|answer| {
            String::from_utf8(answer)
                .ok()?
                .strip_suffix('~')?
                .parse()
                .ok()
        }))
    }

    /// Restarts the interpreter once: a timer or a thread of the stopped program may print between the replies, and a
    /// retry does not help against that. False if this was done before.
    ///
    /// # Errors
    /// The board does not come back.
    pub(crate) fn start_anew(&mut self, doing: &Doing) -> Result<bool, Error> {
        let why = if std::mem::take(&mut self.has_restarted) {
            NewStart::Restarted
        } else {
            NewStart::Printed
        };
        self.start_anew_because(doing, why)
    }

    fn start_anew_because(&mut self, doing: &Doing, why: NewStart) -> Result<bool, Error> {
        if std::mem::replace(&mut self.is_fresh, true) {
            return Ok(false);
        }
        self.repl.reenter()?;
        // The first step only stops the program; its threads and timers end with the interpreter.
        self.repl.soft_reset()?;
        let doing = doing.sentence();
        match why {
            NewStart::MemoryFull => {
                tracing::info!(say = "board.new-start-memory", doing = doing.as_value());
            }
            NewStart::Printed => {
                tracing::info!(say = "board.new-start-printed", doing = doing.as_value());
            }
            NewStart::Restarted => {
                tracing::info!(say = "line-rate.restarted", doing = doing.as_value());
            }
        }
        self.define()?;
        Ok(true)
    }

    /// Re-enters the raw REPL after a silence.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] if that took a reset, or the board restarted: the helper is gone, and [`Self::start_anew`] restores it.
    pub(crate) fn reenter(&mut self, doing: &Doing) -> Result<(), Error> {
        let before = self.repl.new_starts();
        let was_fast = self.repl.link().is_fast();
        if was_fast {
            self.repl.note_fast_failure();
        }
        self.repl.reenter()?;
        if was_fast {
            // At a fast rate, the output of a restarting board is noise.
            let answer = self.repl.short(IS_THERE)?;
            self.has_restarted = answer.is_some_and(|answer| answer.starts_with(b"False"));
        }
        if self.repl.new_starts() == before && !self.has_restarted {
            return Ok(());
        }
        Err(Error::NoAnswer {
            port: self.repl.link().name().to_owned(),
            doing: doing.clone(),
        })
    }

    /// Returns to the old rate after damage at a fast one.
    ///
    /// # Errors
    /// As for [`Self::reenter`].
    pub(crate) fn leave_fast(&mut self, doing: &Doing) -> Result<(), Error> {
        if self.repl.link().is_fast() {
            return self.reenter(doing);
        }
        Ok(())
    }

    /// Removes the helper, even after Ctrl-C. After a failure the board may be in any state.
    fn clean_up(&mut self, went_well: bool) -> Result<(), Error> {
        if self.repl.link().is_lost() {
            return Ok(());
        }
        // Ctrl-C must not end the clean-up that it has caused; the link limits the clean-up to 1.85 s.
        let heeded = self.repl.link().heed_shutdown(false);
        let ready = if went_well {
            self.repl.end_fast()
        } else {
            self.repl.reenter()
        };
        let doing = &Doing::CleaningUp;
        let result = ready.and_then(|()| {
            self.insist(doing, WORK, |helper| {
                helper.attempt(doing, CLEAN_UP, WORK, CallKind::Quick, |answer| {
                    answer.is_empty().then(|| CallResult::Answer(Vec::new()))
                })
            })
        });
        let result = match result {
            // A soft reset leaves a clean interpreter.
            Err(error) if is_unclear(&error) => {
                self.repl.reenter().and_then(|()| self.repl.soft_reset())
            }
            result => result.map(drop),
        };
        self.repl.link().heed_shutdown(heeded);
        result
    }

    /// Runs code with the helper, and returns its output. If other output appears in between, restarts the interpreter
    /// once; only the helper and its scripts are restored.
    ///
    /// # Errors
    /// [`Error::Refused`] with an exception of the code; the line is bad, or the board does not reply.
    pub(crate) fn call(
        &mut self,
        doing: &Doing,
        code: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        self.call_or_start_anew(doing, code, limit, CallKind::Quick)
    }

    /// Like [`Self::call`], for work of a kind.
    ///
    /// # Errors
    /// As for [`Self::call`].
    pub(crate) fn call_of(
        &mut self,
        kind: CallKind,
        doing: &Doing,
        code: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        self.call_or_start_anew(doing, code, limit, kind)
    }

    fn call_or_start_anew(
        &mut self,
        doing: &Doing,
        code: &[u8],
        limit: Duration,
        kind: CallKind,
    ) -> Result<Vec<u8>, Error> {
        let result = self.call_once(doing, code, limit, kind);
        if result.as_ref().is_err_and(is_unclear) && self.start_anew(doing)? {
            return self.call_once(doing, code, limit, kind);
        }
        result
    }

    /// How many attempts the last call took.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Like [`Self::call`], but never restarts the interpreter.
    pub(crate) fn call_once(
        &mut self,
        doing: &Doing,
        code: &[u8],
        limit: Duration,
        kind: CallKind,
    ) -> Result<Vec<u8>, Error> {
        let framed = framed(code, b"");
        self.insist(doing, limit, |helper| {
            helper.attempt(doing, &framed, limit, kind, read)
        })
    }

    /// One attempt of a call with data, which the code finds as `A`.
    pub(crate) fn attempt_with_data(
        &mut self,
        doing: &Doing,
        call: &DataCall<'_>,
        limit: Duration,
    ) -> Result<CallResult, Error> {
        self.repl.attach(call.data);
        self.attempt(doing, &call.code, limit, CallKind::Quick, read)
    }

    /// A call with data, in the form for the current line.
    pub(crate) fn data_call<'d>(&mut self, code: &[u8], data: &'d [u8]) -> DataCall<'d> {
        if !self.repl.link().is_fast() {
            let code = framed(code, data);
            return DataCall { code, data: b"" };
        }
        let mut call = format!("_udpcli['x']({},", crc32(&[code, data])).into_bytes();
        literal::append_bytes(code, &mut call);
        call.push(b',');
        call.extend_from_slice(FRAME_DATA);
        call.push(b')');
        DataCall { code: call, data }
    }

    /// Repeats attempts until the result is clear: a reply, or an exception.
    fn insist(
        &mut self,
        doing: &Doing,
        limit: Duration,
        mut attempt: impl FnMut(&mut Self) -> Result<CallResult, Error>,
    ) -> Result<Vec<u8>, Error> {
        let start = Instant::now();
        // If every attempt meets silence, the board hangs. One damaged reply shows that the board runs and that the
        // line is bad.
        let mut all_silent = true;
        let mut repeats = Repeats::default();
        for turn in 1..=TRIES {
            self.attempts = turn;
            match attempt(self)? {
                CallResult::Answer(answer) => return Ok(answer),
                CallResult::Raised(exception) => return Err(refused(doing, exception)),
                CallResult::Uncaught(exception) => {
                    all_silent = false;
                    tracing::debug!("exception while {doing}: {exception}");
                    if repeats.has(&exception) {
                        return Err(refused(doing, exception));
                    }
                    self.leave_fast(doing)?;
                }
                CallResult::Damaged(said) => {
                    all_silent = false;
                    tracing::debug!(
                        "damaged on the way while {doing}: {}",
                        escape::excerpt(&said)
                    );
                    self.leave_fast(doing)?;
                }
                CallResult::Silent => {
                    // Each silent attempt has used its whole timeout; six of them would take a minute.
                    if start.elapsed() > limit {
                        break;
                    }
                    self.reenter(doing)?;
                }
            }
        }
        match self.bad_line(doing)? {
            // Nothing was damaged, so the board hangs and the line is good.
            Error::Garbled { doing, .. } if all_silent => Err(Error::NoAnswer {
                port: self.repl.link().name().to_owned(),
                doing,
            }),
            error => Err(error),
        }
    }

    /// The error after too many damaged replies: a bad line, or a board that prints by itself. To find out which,
    /// listen without sending anything.
    pub(crate) fn bad_line(&mut self, doing: &Doing) -> Result<Error, Error> {
        self.repl.reenter()?;
        let link = self.repl.link();
        link.forget();
        if link.fill(Instant::now() + EAVESDROP)? {
            // The excerpt in the error should have more than the first byte.
            link.fill(Instant::now() + EAVESDROP / 4)?;
            return Ok(Error::Chatter {
                doing: doing.clone(),
                said: escape::excerpt(link.pending()),
            });
        }
        Ok(Error::Garbled {
            doing: doing.clone(),
            times: TRIES,
        })
    }

    /// Runs code once and evaluates the output.
    fn attempt(
        &mut self,
        doing: &Doing,
        code: &[u8],
        limit: Duration,
        kind: CallKind,
        read: impl Fn(&[u8]) -> Option<CallResult>,
    ) -> Result<CallResult, Error> {
        let result = match kind {
            // A reply that normally comes in one piece and stops in the middle has lost its end: do not wait for the
            // whole timeout.
            CallKind::Quick => self.repl.exec_short(self.way, doing, code, limit),
            CallKind::Long => self
                .repl
                .exec_stoppable(self.way, doing, code, limit, false),
            CallKind::Pausing => self.repl.exec_stoppable(self.way, doing, code, limit, true),
        };
        match result {
            Ok(answer) => Ok(match read(&answer) {
                Some(outcome) => outcome,
                None => CallResult::Damaged(answer),
            }),
            Err(Error::Refused { exception, .. }) => uncaught(doing, exception),
            Err(Error::NoAnswer { .. }) => Ok(CallResult::Silent),
            Err(error) => Err(error),
        }
    }
}

/// How a call replies, and whether Ctrl-C may stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// Replies soon and without pauses. Must not be interrupted: it renames files, for example.
    Quick,
    /// Replies without pauses, about many lines or files. Changes nothing, or may be interrupted.
    Long,
    /// Replies with pauses, while it reads or writes files. Changes nothing, or may be interrupted.
    Pausing,
}

/// A call with data: as a literal in its code, or beside it in a frame.
#[derive(Debug)]
pub(crate) struct DataCall<'d> {
    code: Vec<u8>,
    data: &'d [u8],
}

impl DataCall<'_> {
    /// How many bytes go over the line.
    pub(crate) fn len(&self) -> usize {
        self.code.len() + self.data.len()
    }
}

/// Why the interpreter restarts.
#[derive(Debug, Clone, Copy)]
enum NewStart {
    /// The stopped program occupies memory that the helper needs.
    MemoryFull,
    /// A timer or a thread of the stopped program may have printed in between.
    Printed,
    /// The board restarted while the line was fast.
    Restarted,
}

/// Detects an exception that occurs twice in a row.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    last: String,
}

impl Repeats {
    /// Records an exception; true if it equals the previous one, so the board itself raised it.
    ///
    /// A damaged line hardly ever changes a call in the same way twice, except for code that does not compile and for a
    /// byte that became Ctrl-C. Our own code compiles, and this code runs no other.
    pub(crate) fn has(&mut self, exception: &str) -> bool {
        let is_repeated = self.last == exception && !Self::is_of_the_line(exception);
        exception.clone_into(&mut self.last);
        is_repeated
    }

    /// Whether our code can raise this exception only because the line damaged it.
    pub(crate) fn is_of_the_line(exception: &str) -> bool {
        const OF_THE_LINE: [&str; 3] = ["SyntaxError", "IndentationError", "KeyboardInterrupt"];
        OF_THE_LINE.iter().any(|kind| exception.starts_with(kind))
    }
}

/// Whether other output within the reply may have caused the error.
pub(crate) fn is_unclear(error: &Error) -> bool {
    matches!(
        error,
        Error::NoAnswer { .. } | Error::Garbled { .. } | Error::Chatter { .. }
    )
}

/// The error for an exception.
pub(crate) fn refused(doing: &Doing, exception: String) -> Error {
    Error::Refused {
        doing: doing.clone(),
        exception,
    }
}

/// The meaning of an exception that our program did not catch.
pub(crate) fn uncaught(doing: &Doing, exception: String) -> Result<CallResult, Error> {
    if exception.starts_with("NameError") && exception.contains("'_udpcli'") {
        // The helper is gone: the interpreter restarted.
        return Err(Error::Restarted {
            doing: doing.clone(),
        });
    }
    Ok(if exception.starts_with("MemoryError") {
        // There was not enough memory for the call itself.
        CallResult::Raised(exception)
    } else {
        CallResult::Uncaught(exception)
    })
}

/// A call with its checksum. `data` is for the code, and is sent separately so that it is not compiled.
pub(crate) fn framed(code: &[u8], data: &[u8]) -> Vec<u8> {
    let mut call = format!("_udpcli['x']({},", crc32(&[code, data])).into_bytes();
    literal::append_bytes(code, &mut call);
    if !data.is_empty() {
        call.push(b',');
        literal::append_bytes(data, &mut call);
    }
    call.push(b')');
    call
}

/// A part of the helper itself, which the board defines only if it is complete, and the expected reply.
fn plain_frame(part: &str, is_first: bool) -> (Vec<u8>, Vec<u8>) {
    let sum = plain_checksum(part.as_bytes());
    let mut code = Vec::new();
    if is_first {
        code.extend(b"_udpcli={}\n");
    }
    code.extend(b"_udpcli['s']=");
    literal::append_bytes(part.as_bytes(), &mut code);
    code.extend(
        format!(
            "\nexec('h=0\\nfor c in s:h=(h*{PLAIN_FACTOR}+c)%{PLAIN_MODULUS}\\nif h=={sum}:\\n exec(s)\\n print(h)',_udpcli)"
        )
        .into_bytes(),
    );
    (code, sum.to_string().into_bytes())
}

/// The checksum that `docs/protocol.md` describes as plain: `h = (h * 31 + byte) % 65521`.
fn plain_checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, &byte| {
        (sum * PLAIN_FACTOR + u32::from(byte)) % PLAIN_MODULUS
    })
}

/// Parses a reply of the helper: the code's output and `~`, or the output with an exception, `^` and the exception's
/// length in four digits; then the checksum over everything before `~` or `^`. `None` if they do not match.
pub(crate) fn read(answer: &[u8]) -> Option<CallResult> {
    let (rest, sum) = answer.split_at_checked(answer.len().checked_sub(CHECKSUM_LEN)?)?;
    let fits =
        // Without CRC-32 in the firmware every reply has to be believed.
        |said: &[u8]| sum == NO_CHECKSUM || sum == format!("{:08x}", crc32(&[said])).as_bytes();
    if let Some(said) = rest.strip_suffix(b"~") {
        return fits(said).then(|| CallResult::Answer(said.to_vec()));
    }
    let (said, len) = rest.split_at_checked(rest.len().checked_sub(5)?)?;
    let len = std::str::from_utf8(len.strip_prefix(b"^")?).ok()?;
    let len = usize::from_str_radix(len, 16).ok()?;
    if !fits(said) {
        return None;
    }
    let exception = said.get(said.len().checked_sub(len)?..)?;
    let exception = String::from_utf8_lossy(exception)
        .trim_end_matches([' ', ':'])
        .to_owned();
    Some(if sum == NO_CHECKSUM {
        CallResult::Uncaught(exception)
    } else {
        CallResult::Raised(exception)
    })
}

#[cfg(test)]
mod tests;
