//! A key as the bytes that a serial terminal sends for it.

use std::io;
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Bytes for the board.
    Bytes(Vec<u8>),
    /// Text that was pasted, as the terminal marks it.
    Paste(String),
    /// Ctrl-]: leave.
    Leave,
    /// Nothing.
    Ignored,
}

/// The next key, if one comes within that time. In raw mode only.
///
/// # Errors
/// The terminal cannot be read.
pub(crate) fn next(at_most: Duration) -> io::Result<Option<Key>> {
    // Not zero: crossterm's reader of /dev/tty, the one that does not lose the end of a paste of more than 1,024 bytes,
    // does not check for keys at all with a timeout of zero.
    if event::poll(at_most.max(Duration::from_millis(1)))? {
        Ok(Some(read(&event::read()?)))
    } else {
        Ok(None)
    }
}

/// Reads an event of the terminal.
fn read(event: &Event) -> Key {
    match event {
        // Windows also reports the release of a key.
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(key),
        Event::Paste(text) => Key::Paste(text.clone()),
        _ => Key::Ignored,
    }
}

/// The bytes of a key, as xterm sends them.
fn of_key(key: &KeyEvent) -> Key {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let bytes: Vec<u8> = match key.code {
        // On Unix the byte 0x1d is both Ctrl-] and Ctrl-5.
        KeyCode::Char(']' | '5') if control && !alt => return Key::Leave,
        // AltGr is Ctrl and Alt at once on Windows: use the character that it makes.
        KeyCode::Char(character) if control && !alt => match controlled(character) {
            Some(byte) => vec![byte],
            None => return Key::Ignored,
        },
        KeyCode::Char(character) => {
            let mut bytes = if alt && !control {
                vec![0x1b]
            } else {
                Vec::new()
            };
            bytes.extend(character.to_string().into_bytes());
            bytes
        }
        KeyCode::Enter => b"\r".to_vec(),
        KeyCode::Tab => b"\t".to_vec(),
        // DEL and not BS: both delete in MicroPython's readline, and terminals send this one.
        KeyCode::Backspace => b"\x7f".to_vec(),
        KeyCode::Esc => b"\x1b".to_vec(),
        KeyCode::Up => b"\x1b[A".to_vec(),
        KeyCode::Down => b"\x1b[B".to_vec(),
        KeyCode::Right if control => b"\x1b[1;5C".to_vec(),
        KeyCode::Left if control => b"\x1b[1;5D".to_vec(),
        KeyCode::Right => b"\x1b[C".to_vec(),
        KeyCode::Left => b"\x1b[D".to_vec(),
        KeyCode::Home => b"\x1b[H".to_vec(),
        KeyCode::End => b"\x1b[F".to_vec(),
        KeyCode::Delete => b"\x1b[3~".to_vec(),
        KeyCode::Insert => b"\x1b[2~".to_vec(),
        KeyCode::PageUp => b"\x1b[5~".to_vec(),
        KeyCode::PageDown => b"\x1b[6~".to_vec(),
        _ => return Key::Ignored,
    };
    Key::Bytes(bytes)
}

/// The byte of Ctrl and a character.
fn controlled(character: char) -> Option<u8> {
    let byte = u8::try_from(character).ok()?.to_ascii_uppercase();
    match byte {
        b'@'..=b'_' => Some(byte & 0x1f),
        b' ' | b'2' => Some(0),
        b'3' => Some(0x1b),
        // The digits as VT220 terminals have them: Ctrl-4 is Ctrl-\, Ctrl-6 is Ctrl-^, Ctrl-7 is Ctrl-_. Ctrl-5
        // leaves, above.
        b'4' | b'6' | b'7' => Some(byte - b'4' + 0x1c),
        b'8' | b'?' => Some(0x7f),
        b'/' => Some(0x1f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Key {
        read(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn keys_become_what_a_serial_terminal_sends() {
        let none = KeyModifiers::NONE;
        let bytes = |text: &str| Key::Bytes(text.as_bytes().to_vec());
        assert_eq!(key(KeyCode::Char('你'), none), bytes("你"));
        assert_eq!(key(KeyCode::Enter, none), bytes("\r"));
        assert_eq!(key(KeyCode::Up, none), bytes("\x1b[A"));
        assert_eq!(
            key(KeyCode::Char('c'), KeyModifiers::CONTROL),
            bytes("\x03")
        );
        assert_eq!(
            key(KeyCode::Char('d'), KeyModifiers::CONTROL),
            bytes("\x04")
        );
        assert_eq!(key(KeyCode::Char(']'), KeyModifiers::CONTROL), Key::Leave);
        let altgr = KeyModifiers::CONTROL | KeyModifiers::ALT;
        assert_eq!(key(KeyCode::Char(']'), altgr), bytes("]"));
    }
}
