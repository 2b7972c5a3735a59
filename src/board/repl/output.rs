//! Finds the end of a program's output.

use memchr::{memchr, memmem};

use super::Exit;
use crate::board::boot_output::{self, BoardFault, RebootLine, SOFT_REBOOT};

/// The length limit of a traceback. A very deep recursion prints a few thousand lines of 40 bytes; the board's memory
/// is smaller than this limit.
const MAX_EXCEPTION: usize = 1 << 20;

/// The length limit of an exception without a traceback.
const MAX_LONE_LINE: usize = 1024;

/// What is at the end of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputEnd {
    /// Not the end of the program.
    None,
    /// Perhaps the end: it depends on the next bytes.
    Unclear,
    /// The end; `len` bytes belong to the end marker.
    Found {
        /// The length of the end marker.
        len: usize,
        /// How the program ended.
        ended: Exit,
    },
    /// The end, and a soft reset follows.
    Exiting,
}

/// Returns how many of `bytes` are certainly the program's output, and whether the end follows them.
///
/// A program may print 0x04 itself. It is the end only if the rest of the protocol follows: 0x04 and `>`, or an
/// exception's text, 0x04 and `>`.
#[must_use]
pub fn split_output(bytes: &[u8]) -> (usize, OutputEnd) {
    let mut from = 0;
    while let Some(at) = memchr(4, bytes.get(from..).unwrap_or_default()) {
        let at = from + at;
        match end_at(bytes.get(at + 1..).unwrap_or_default()) {
            OutputEnd::None => from = at + 1,
            end => return (at, end),
        }
    }
    (bytes.len(), OutputEnd::None)
}

/// Whether the bytes after a 0x04 make it the end.
fn end_at(rest: &[u8]) -> OutputEnd {
    match rest {
        [] | [4] => OutputEnd::Unclear,
        [4, b'>', ..] => OutputEnd::Found {
            len: 3,
            ended: Exit::Done,
        },
        // `OK\x04\x04MPY: soft reboot`: on 1.26 a soft reset follows `sys.exit()` with no `>` in between (recorded).
        [4, rest @ ..] => match boot_output::reboot_line(rest) {
            RebootLine::Yes => OutputEnd::Exiting,
            RebootLine::Perhaps => OutputEnd::Unclear,
            RebootLine::No => OutputEnd::None,
        },
        // A traceback begins with T and an exception's name with a capital letter, so other output need not be held
        // back.
        [b'A'..=b'Z', ..] => exception_at(rest),
        _ => OutputEnd::None,
    }
}

/// The beginning of every traceback.
const TRACEBACK: &[u8] = b"Traceback (most recent call last):\r\n";

/// Whether an exception's text and the end follow a 0x04: a traceback, or one line if the board had no memory for a
/// traceback.
fn exception_at(rest: &[u8]) -> OutputEnd {
    // The word may arrive in two chunks.
    if TRACEBACK.starts_with(rest) {
        return OutputEnd::Unclear;
    }
    let is_traceback = rest.starts_with(TRACEBACK);
    if !is_traceback && !begins_with_name(rest) {
        return OutputEnd::None;
    }
    let longest = if is_traceback {
        MAX_EXCEPTION
    } else {
        MAX_LONE_LINE
    };
    // Limit the length even if more has arrived, so that the result does not depend on the chunk size.
    let within = rest.get(..longest).unwrap_or(rest);
    let text_end = if is_traceback {
        // Not the first 0x04, because an exception's text may contain one.
        let mut from = 0;
        loop {
            let Some(at) = memchr(4, within.get(from..).unwrap_or_default()) else {
                break None;
            };
            from += at + 1;
            match rest.get(from..).unwrap_or_default() {
                [] => return OutputEnd::Unclear,
                // The program's own end: the text that looked like a traceback was its output.
                [4, b'>', ..] => return OutputEnd::None,
                [b'>', ..] => break Some(from - 1),
                _ => {}
            }
        }
    } else {
        memmem::find(within, b"\r\n").map(|at| at + 2)
    };
    let Some(text_end) = text_end else {
        return if rest.len() < longest {
            OutputEnd::Unclear
        } else {
            OutputEnd::None
        };
    };
    match rest.get(text_end..).unwrap_or_default() {
        [] | [4] => OutputEnd::Unclear,
        [4, b'>', ..] => {
            let text = String::from_utf8_lossy(rest.get(..text_end).unwrap_or_default());
            OutputEnd::Found {
                len: 1 + text_end + 2,
                ended: Exit::Exception(text.into_owned()),
            }
        }
        _ => OutputEnd::None,
    }
}

/// Whether an incomplete line may be an exception's: a name, then a colon or nothing.
fn begins_with_name(line: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
    let after = line.iter().find(|byte| !is_of_name(byte));
    after.is_none_or(|after| b":\r\n".contains(after))
}

/// How much of a program's last output is kept as evidence: a crash's registers and the ROM's log after them.
const EVIDENCE: usize = 4096;

/// Detects that the board restarted while a program ran: the ROM's log, or a soft reset and then a prompt.
#[derive(Debug, Default)]
pub(super) struct RestartWatch {
    /// The latest output.
    tail: Vec<u8>,
    /// The ROM's log or a soft reset was announced.
    boot_seen: bool,
    /// The ROM's log came as a whole, which no program prints by chance.
    rom_seen: bool,
    /// The output ends in the ordinary prompt.
    prompt_last: bool,
}

impl RestartWatch {
    /// Looks at the next output of the program.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        // A mark may arrive in two chunks; the ROM's log has about 400 bytes.
        let recent = self.tail.len().saturating_sub(512);
        self.tail.extend_from_slice(bytes);
        let fresh = self.tail.get(recent..).unwrap_or_default();
        self.boot_seen |= boot_output::has(fresh, &[b"rst:0x", SOFT_REBOOT]);
        self.rom_seen |= boot_output::has_rom_log(fresh);
        self.prompt_last = self.tail.ends_with(b"\r\n>>> ");
        let surplus = self.tail.len().saturating_sub(EVIDENCE);
        self.tail.drain(..surplus);
    }

    /// Whether the program has certainly ended. The caller asks when the board is silent, because a program may print
    /// text that looks like a prompt.
    pub(super) fn is_sure(&self) -> bool {
        self.rom_seen || (self.boot_seen && self.prompt_last)
    }

    /// The fault that the log reports, if any.
    pub(super) fn fault(&self) -> Option<(BoardFault, String)> {
        boot_output::last_fault(&self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(len: usize, ended: Exit) -> OutputEnd {
        OutputEnd::Found { len, ended }
    }

    #[test]
    fn the_end_is_found_after_the_output() {
        assert_eq!(split_output(b"hello\r\n"), (7, OutputEnd::None));
        assert_eq!(split_output(b"hi\x04"), (2, OutputEnd::Unclear));
        assert_eq!(split_output(b"hi\x04\x04"), (2, OutputEnd::Unclear));
        assert_eq!(split_output(b"hi\x04\x04>"), (2, found(3, Exit::Done)));
        assert_eq!(
            split_output(b"hi\x04OSError: 5\r\n\x04>"),
            (2, found(15, Exit::Exception("OSError: 5\r\n".to_owned())))
        );
        for text in [
            "MPY: soft reboot",
            "mpython: soft reboot",
            "\r\nmpython soft reboot",
        ] {
            let text = format!("\x04\x04{text}\r\n");
            assert_eq!(
                split_output(text.as_bytes()),
                (0, OutputEnd::Exiting),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_program_may_print_the_end_byte_itself() {
        assert_eq!(split_output(b"a\x04b\x04\x04>"), (3, found(3, Exit::Done)));
        assert_eq!(split_output(b"\x04\x04\x04\x04>").1, found(3, Exit::Done));
    }

    #[test]
    fn a_program_may_print_text_that_looks_like_an_exception() {
        // Of two 0x04 before the `>`, the first one is not the end of an exception.
        let bytes = b"a\x04Traceback (most recent call last):\r\nend\r\n\x04\x04>";
        assert_eq!(split_output(bytes), (bytes.len() - 3, found(3, Exit::Done)));
        // A longer line is output at once.
        assert_eq!(split_output(b"\x04Hello\r\nyou"), (11, OutputEnd::None));
        assert_eq!(split_output(b"\x04Hello").1, OutputEnd::Unclear);
        assert_eq!(split_output(b"\x04OSError: 5").1, OutputEnd::Unclear);
        // Output such text at once, too: a damaged byte on a bad line.
        assert_eq!(split_output(b"a\x04Bc~d"), (6, OutputEnd::None));
        assert_eq!(
            split_output(b"\x04MemoryError: \r\n\x04>"),
            (
                0,
                found(18, Exit::Exception("MemoryError: \r\n".to_owned()))
            )
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_within_bounds(bytes in proptest::collection::vec(prop_oneof![Just(4u8), Just(b'>'), Just(b'T'), any::<u8>()], 0..64)) {
            let (output, end) = split_output(&bytes);
            prop_assert!(output <= bytes.len());
            if let OutputEnd::Found { len, .. } = end {
                prop_assert!(output + len <= bytes.len());
            }
        }
    }
}
