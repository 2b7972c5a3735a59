//! The user's keys on their way to the board: grouped into what was typed and what was pasted, and sent a line at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::board::prompt::PromptObserver;
use crate::terminal::keys::Key;

/// How long to wait for the prompt before typing the next line: nobody types faster, and the board's buffer holds only
/// 255 bytes of a paste.
const TAKEN: Duration = Duration::from_millis(300);

/// How long to wait for keys from the terminal.
const KEYS: Duration = Duration::from_millis(1);

/// How long to wait for more keys of the same paste, if the terminal does not mark pastes.
pub(super) const PASTE_GAP: Duration = Duration::from_millis(150);

/// How long a paste waits for the prompt: lines typed one by one would be indented by the prompt, and a compound statement
/// among them never ended.
const HOLD: Duration = Duration::from_millis(500);

/// The most bytes to read at once.
const MOST: usize = 64 << 10;

/// Ctrl-C.
const INTERRUPT: u8 = 3;

/// What the user did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UserAction {
    /// Typed keys.
    Bytes(Vec<u8>),
    /// Pasted something.
    Paste(Vec<u8>),
    /// Nothing.
    Nothing,
    /// Pressed Ctrl-].
    Leave,
}

/// Reads what was typed: keys, or a paste. A terminal that does not mark a paste gives keys faster than anybody types,
/// with line ends among them.
pub(super) fn read(user: &mut dyn PromptObserver) -> UserAction {
    let mut typed = Vec::new();
    let mut gap = KEYS;
    while typed.len() < MOST
        && let Some(key) = user.key(gap)
    {
        match key {
            Key::Bytes(bytes) => typed.extend(bytes),
            Key::Paste(text) if typed.is_empty() => return UserAction::Paste(text.into_bytes()),
            Key::Paste(text) => typed.extend(text.into_bytes()),
            Key::Leave => return UserAction::Leave,
            Key::Ignored => {}
        }
        if may_be_a_paste(&typed) {
            gap = PASTE_GAP;
        }
    }
    if typed.is_empty() {
        UserAction::Nothing
    } else if has_lines(&typed) {
        UserAction::Paste(typed)
    } else {
        UserAction::Bytes(typed)
    }
}

/// Whether keys may be the beginning of a paste: several at once, all of them text. Nobody types two within a
/// millisecond; a paste that comes in pieces must not be taken for typed lines, which the prompt would indent.
fn may_be_a_paste(typed: &[u8]) -> bool {
    typed.len() > 1 && typed.iter().copied().all(is_text)
}

/// Whether text follows a line end, without a key that the board should get at once.
fn has_lines(typed: &[u8]) -> bool {
    let line_end = typed.iter().position(|&byte| byte == b'\r');
    line_end.is_some_and(|at| at + 1 < typed.len()) && typed.iter().copied().all(is_text)
}

/// Whether a byte is text, and not a key that the board should get at once.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | b'\n' | b' '..)
}

/// Whether Ctrl-C is among what was typed.
pub(super) fn has_interrupt(typed: &[u8]) -> bool {
    typed.contains(&INTERRUPT)
}

/// Typed keys that are not sent yet: udpcli sends a line at a time, as fast as the board accepts them.
#[derive(Debug, Default)]
pub(super) struct TypedAhead {
    /// The bytes, in order.
    waiting: VecDeque<u8>,
    /// When the last line end was sent, while its answer is awaited.
    sent: Option<Instant>,
    /// The end of the board's output.
    tail: Vec<u8>,
}

impl TypedAhead {
    /// Takes what was typed.
    pub(super) fn typed(&mut self, bytes: &[u8]) {
        if has_interrupt(bytes) {
            // Ctrl-C is for the running program, and discards the keys that were typed ahead.
            self.waiting.clear();
            self.sent = None;
        }
        self.waiting.extend(bytes);
    }

    /// Takes the board's output: a prompt means that the board has read the line.
    pub(super) fn heard(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        // A prompt with the line end before it has five bytes.
        let surplus = self.tail.len().saturating_sub(8);
        self.tail.drain(..surplus);
        if self.tail.ends_with(b">>> ") || self.tail.ends_with(b"... ") {
            self.sent = None;
        }
    }

    /// Whether the board waits for a statement, and nothing is on its way to it.
    pub(super) fn is_at_prompt(&self) -> bool {
        self.waiting.is_empty() && self.tail.ends_with(b"\n>>> ")
    }

    /// The bytes to send now: at most a line.
    pub(super) fn next(&mut self) -> Vec<u8> {
        if self.sent.is_some_and(|sent| sent.elapsed() < TAKEN) {
            return Vec::new();
        }
        let end = self.waiting.iter().position(|&byte| byte == b'\r');
        let len = end.map_or(self.waiting.len(), |at| at + 1).min(128);
        let line: Vec<u8> = self.waiting.drain(..len).collect();
        if line.ends_with(b"\r") {
            self.sent = Some(Instant::now());
            self.tail.clear();
        }
        line
    }
}

/// A paste that came before the prompt for the previous line was back.
#[derive(Debug)]
pub(super) struct HeldPaste {
    /// What was pasted.
    text: Vec<u8>,
    /// Then the paste is for the running program.
    until: Instant,
}

impl HeldPaste {
    /// Keeps a paste, or the keys that follow it.
    pub(super) fn add(held: &mut Option<Self>, text: &[u8]) {
        held.get_or_insert_with(|| Self {
            text: Vec::new(),
            until: Instant::now() + HOLD,
        })
        .text
        .extend(text);
    }

    /// Whether the paste no longer waits for the prompt.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.until
    }

    /// What was pasted.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// Line ends as the Enter key gives them: CR, LF and CR LF are one each.
pub(super) fn with_returns(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut after_cr = false;
    for &byte in text {
        if !(byte == b'\n' && after_cr) {
            out.push(if byte == b'\n' { b'\r' } else { byte });
        }
        after_cr = byte == b'\r';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::prompt::{PromptNote, SessionOutput};

    /// A user whose keys are all there.
    struct Keys(VecDeque<Key>);

    impl SessionOutput for Keys {
        fn show(&mut self, _: &[u8]) -> bool {
            true
        }

        fn is_stopped(&mut self) -> bool {
            false
        }
    }

    impl PromptObserver for Keys {
        fn key(&mut self, _: Duration) -> Option<Key> {
            self.0.pop_front()
        }

        fn note(&mut self, note: PromptNote) {
            panic!("{note:?}");
        }
    }

    fn keys(text: &str) -> UserAction {
        let keys = text.bytes().map(|byte| Key::Bytes(vec![byte]));
        read(&mut Keys(keys.collect()))
    }

    #[test]
    fn keys_with_a_line_end_among_them_are_a_paste() {
        let bytes = |text: &str| UserAction::Bytes(text.as_bytes().to_vec());
        let paste = |text: &str| UserAction::Paste(text.as_bytes().to_vec());
        assert_eq!(keys(""), UserAction::Nothing);
        assert_eq!(keys("a"), bytes("a"));
        assert_eq!(keys("a\r"), bytes("a\r"));
        assert_eq!(keys("a\rb"), paste("a\rb"));
        assert_eq!(keys("a\rb\x03"), bytes("a\rb\x03"));
        let marked = VecDeque::from([Key::Ignored, Key::Paste("a\nb".to_owned()), Key::Leave]);
        let mut marked = Keys(marked);
        assert_eq!(read(&mut marked), paste("a\nb"));
        assert_eq!(read(&mut marked), UserAction::Leave);
    }

    #[test]
    fn a_line_waits_for_the_prompt_of_the_one_before() {
        let mut ahead = TypedAhead::default();
        ahead.typed(b"a\rb\rc");
        assert_eq!(ahead.next(), b"a\r");
        assert_eq!(ahead.next(), b"");
        ahead.heard(b"a\r\n>>> ");
        assert_eq!(ahead.next(), b"b\r");
        assert_eq!(ahead.next(), b"");
        // Ctrl-C goes at once, and the keys typed before it are not sent.
        ahead.typed(b"\x03");
        assert_eq!(ahead.next(), b"\x03");
        assert!(!ahead.is_at_prompt());
        ahead.heard(b"\r\n>>> ");
        assert!(ahead.is_at_prompt());
    }

    #[test]
    fn every_kind_of_line_end_is_one_enter() {
        assert_eq!(with_returns(b"a\r\nb\nc\rd\n\n"), b"a\rb\rc\rd\r\r");
    }
}
