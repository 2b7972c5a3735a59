//! Sends what the user types to a program that reads it, in a form that the board accepts.
//!
//! `input()` is the board's `readline` (`shared/readline/readline.c`): it echoes every character, ends at a carriage
//! return, drops what is not ASCII, and acts on control characters. The terminal has already shown typed text, and a
//! file's lines do not belong in the output, so udpcli removes the echo. The receive buffer holds about 255 bytes, and
//! what is left in it would reach the raw REPL after the program's end. So udpcli first sends a probe, a character and
//! a backspace: when both are echoed, the program waits in `input()`, and reads what follows.
//!
//! A program that reads `sys.stdin` itself gets the bytes as they are, without a probe: it would read that, too.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::board::program::source::InputUse;

/// What the user typed since the last call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Text: a line or a piece of one.
    Bytes(Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// The end, as Ctrl-D on a terminal: more may follow.
    End,
}

/// A character that hardly any program prints at the end of its output, and a backspace.
const PROBE: &[u8] = b"`\x08";

/// How `readline` echoes the probe: the character; back, and erase the line from there.
const PROBE_ECHO: &[u8] = b"`\x08\x1b[K";

/// The most bytes that udpcli sends at a time. Half of the board's receive buffer.
const PIECE: usize = 128;

/// How long udpcli holds back output that may be the beginning of an echo.
const HELD: Duration = Duration::from_millis(500);

/// The timeout for an echo: a damaged one never becomes complete.
const ECHO: Duration = Duration::from_secs(1);

/// A program is silent for this long before udpcli tells it the end: most programs read what they expect, and end.
const SILENT: Duration = Duration::from_millis(100);

/// A program that reads `sys.stdin` and prints nothing gets the next piece after this time.
const UNSEEN: Duration = Duration::from_secs(1);

/// How far the exchange with the board's `readline` is.
#[derive(Debug)]
enum EscapeState {
    /// Nothing is on its way.
    Idle,
    /// The probe is on its way; this is how many bytes of its echo have arrived.
    Probing(usize),
    /// The program waits in `input()`.
    Waits,
    /// A piece was sent, and its echo is expected.
    Echo {
        /// The expected bytes, in this order.
        left: VecDeque<u8>,
        is_line_end: bool,
        since: Instant,
    },
}

/// Feeds a running program.
#[derive(Debug)]
pub(crate) struct ProgramInput {
    /// Whether the program reads with `input()`: it needs the probe, and its echo is removed.
    by_readline: bool,
    /// The byte that ends a line for the way in which the program reads.
    line_end: u8,
    /// Typed text that is not sent yet; a line feed ends each line, whatever the user typed.
    queue: VecDeque<u8>,
    /// Whether the user's input has ended.
    has_ended: bool,
    /// Whether a part of the line was sent.
    is_within_line: bool,
    /// Whether the last byte was a carriage return: a line feed after it is the same line end.
    after_return: bool,
    state: EscapeState,
    /// When the program printed last, or its input began.
    last_output: Instant,
    /// When a piece was sent last without a probe.
    last_sent: Option<Instant>,
    /// How many bytes were sent since the last output.
    unseen: usize,
    /// Whether the user typed what `readline` would drop.
    has_dropped: bool,
    /// Whether [`Notice::NotAscii`] was given.
    told_of_drop: bool,
    /// Whether [`Notice::Ended`] was given.
    told_of_end: bool,
}

/// What the user should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The board's `input()` takes only ASCII; the rest was dropped.
    NotAscii,
    /// There is no more input, and a program cannot find that out from `sys.stdin`.
    Ended,
}

impl ProgramInput {
    /// For a program that reads in this way.
    #[must_use]
    pub(crate) fn new(usage: InputUse) -> Option<Self> {
        let (by_readline, line_end) = match usage {
            InputUse::None => return None,
            InputUse::Readline => (true, b'\r'),
            InputUse::Stdin => (false, b'\n'),
            // `sys.stdin` turns a carriage return into a line feed. Such a program must not get the probe, but only a
            // carriage return ends a line in `input()`.
            InputUse::Both => (false, b'\r'),
        };
        Some(Self {
            by_readline,
            line_end,
            queue: VecDeque::new(),
            has_ended: false,
            is_within_line: false,
            after_return: false,
            state: EscapeState::Idle,
            last_output: Instant::now(),
            last_sent: None,
            unseen: 0,
            has_dropped: false,
            told_of_drop: false,
            told_of_end: false,
        })
    }

    /// Whether the queue accepts more typed text. It holds no more than it can send: further text may be for the next
    /// program.
    #[must_use]
    pub(crate) fn wants_more(&self) -> bool {
        !(self.has_piece() || self.by_readline && self.has_ended)
    }

    /// Takes what was typed.
    pub(crate) fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::Bytes(bytes) => {
                for byte in bytes {
                    self.add(byte);
                }
            }
            Typed::Nothing => {}
            Typed::End => self.has_ended = true,
        }
    }

    /// Puts one typed byte into the queue, in the form that the program's way of reading takes.
    fn add(&mut self, byte: u8) {
        let is_same_end = std::mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            b'\n' if is_same_end => {}
            b'\r' | b'\n' => self.queue.push_back(b'\n'),
            // `readline` would complete a name.
            b'\t' if self.by_readline => self.queue.push_back(b' '),
            0x80.. if self.by_readline => self.has_dropped = true,
            b' '..=b'~' | b'\t' | 0x80.. => self.queue.push_back(byte),
            // Control characters interrupt, soft-reset, or end the raw REPL's input.
            _ => {}
        }
    }

    /// What the user should know now, each once.
    pub(crate) fn notice(&mut self, now: Instant) -> Option<Notice> {
        if self.has_dropped && !std::mem::replace(&mut self.told_of_drop, true) {
            return Some(Notice::NotAscii);
        }
        let waits = !self.by_readline
            && self.has_ended
            && self.queue.is_empty()
            && now.duration_since(self.last_output) > UNSEEN
            && self.last_sent.is_none_or(|sent| now - sent > UNSEEN);
        (waits && !std::mem::replace(&mut self.told_of_end, true)).then_some(Notice::Ended)
    }

    /// Removes the echo from the output.
    pub(crate) fn output(&mut self, bytes: &[u8], shown: &mut Vec<u8>, now: Instant) {
        if bytes.is_empty() {
            return;
        }
        self.last_output = now;
        self.unseen = 0;
        for &byte in bytes {
            match &mut self.state {
                EscapeState::Probing(matched) => {
                    if PROBE_ECHO.get(*matched) != Some(&byte) {
                        // What looked like the echo was the program's own output: show what was held back.
                        shown.extend_from_slice(PROBE_ECHO.get(..*matched).unwrap_or_default());
                        *matched = 0;
                    }
                    if PROBE_ECHO.get(*matched) == Some(&byte) {
                        *matched += 1;
                    } else {
                        shown.push(byte);
                    }
                    if *matched == PROBE_ECHO.len() {
                        self.state = EscapeState::Waits;
                    }
                }
                // A thread or a timer may print in between.
                EscapeState::Echo { left, since, .. } if left.front() == Some(&byte) => {
                    left.pop_front();
                    *since = now;
                    self.end_echo();
                }
                _ => shown.push(byte),
            }
        }
    }

    /// Ends the wait for a complete echo: after a line end, udpcli probes for the next `input()`; within a line,
    /// `input()` still waits.
    fn end_echo(&mut self) {
        if let EscapeState::Echo {
            left, is_line_end, ..
        } = &self.state
            && left.is_empty()
        {
            let is_line_end = *is_line_end;
            self.is_within_line = !is_line_end;
            self.state = if is_line_end {
                EscapeState::Idle
            } else {
                EscapeState::Waits
            };
        }
    }

    /// Output that was held back for too long, or at the end.
    pub(crate) fn release(&mut self, shown: &mut Vec<u8>, now: Instant, is_end: bool) {
        if let EscapeState::Probing(matched @ 1..) = &mut self.state
            && (is_end || now.duration_since(self.last_output) > HELD)
        {
            shown.extend_from_slice(PROBE_ECHO.get(..*matched).unwrap_or_default());
            *matched = 0;
        }
    }

    /// The bytes to send now.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Vec<u8>> {
        if !self.by_readline {
            return self.due_as_it_is(now);
        }
        match &mut self.state {
            EscapeState::Idle => {
                // An end that comes too early would be an EOFError in a program that is about to stop reading anyway.
                let is_silent = now.duration_since(self.last_output) > SILENT;
                if !(self.has_piece() || self.has_ended && is_silent) {
                    return None;
                }
                self.state = EscapeState::Probing(0);
                Some(PROBE.to_vec())
            }
            EscapeState::Probing(_) => None,
            EscapeState::Echo { left, since, .. } => {
                if now.duration_since(*since) > ECHO {
                    // A damaged echo must not keep the user's next line back for ever.
                    left.clear();
                    self.end_echo();
                }
                None
            }
            EscapeState::Waits => self.due_to_readline(now),
        }
    }

    /// Whether there is something to send: a whole line, a long piece of one, or the rest at the end.
    fn has_piece(&self) -> bool {
        self.queue.contains(&b'\n')
            || self.queue.len() >= PIECE
            || self.has_ended && !self.queue.is_empty()
    }

    /// The next piece for an `input()` that waits: text of one line, its end, or Ctrl-D at the end of the input.
    fn due_to_readline(&mut self, now: Instant) -> Option<Vec<u8>> {
        let ends_line = match self.queue.front() {
            Some(b'\n') => {
                self.queue.pop_front();
                true
            }
            Some(_) => {
                // The line end goes alone and after its line: if the program does not read again, what follows the
                // line end would reach the raw REPL as code.
                let line = self.queue.iter().take_while(|&&byte| byte != b'\n');
                let len = line.take(PIECE).count();
                let piece: Vec<u8> = self.queue.drain(..len).collect();
                self.expect(piece.iter().copied().collect(), false, now);
                return Some(piece);
            }
            None if self.has_ended && self.is_within_line => true,
            None if self.has_ended => {
                // Ctrl-D on an empty line: EOFError.
                self.has_ended = false;
                self.state = EscapeState::Idle;
                self.last_output = now;
                return Some(vec![4]);
            }
            None => false,
        };
        if !ends_line {
            return None;
        }
        self.expect(b"\r\n".iter().copied().collect(), true, now);
        Some(vec![self.line_end])
    }

    /// Waits for the echo `left` of the bytes that are sent now.
    fn expect(&mut self, left: VecDeque<u8>, is_line_end: bool, now: Instant) {
        self.state = EscapeState::Echo {
            left,
            is_line_end,
            since: now,
        };
    }

    /// The next piece for a program that reads `sys.stdin`. udpcli cannot see when the program reads, so output, or a
    /// second, counts as proof.
    fn due_as_it_is(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.last_sent.is_some_and(|sent| now - sent > UNSEEN) {
            self.unseen = 0;
        }
        let room = PIECE.saturating_sub(self.unseen);
        if room == 0 || !self.has_piece() {
            return None;
        }
        let line = self.queue.iter().position(|&byte| byte == b'\n');
        let len = line.map_or(self.queue.len(), |at| at + 1).min(room);
        let line_end = self.line_end;
        let piece: Vec<u8> = self
            .queue
            .drain(..len)
            .map(|byte| if byte == b'\n' { line_end } else { byte })
            .collect();
        // At most half of the receive buffer is unread at any time: the board drops bytes beyond the buffer silently.
        self.unseen += piece.len();
        self.last_sent = Some(now);
        Some(piece)
    }

    /// What was typed and not sent.
    #[must_use]
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.queue.into()
    }

    /// Whether something was sent that the program may not have read.
    #[must_use]
    pub(crate) fn may_be_left(&self) -> bool {
        if self.by_readline {
            !matches!(self.state, EscapeState::Idle)
        } else {
            self.last_sent.is_some()
        }
    }
}

#[cfg(test)]
mod tests;
