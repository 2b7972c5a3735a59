//! A board whose answers in the raw REPL come from the input. About half of them are well-formed, so that fuzzing
//! reaches the code after the first answer.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use udpcli::board::error::Error;
use udpcli::board::files::{Files, PathKind};
use udpcli::board::info::Info;
use udpcli::board::link::{Address, Link};
use udpcli::board::port::Port;
use udpcli::board::program;
use udpcli::board::repl::Repl;
use udpcli::shutdown::Shutdown;

use super::line::Line;

const BANNER: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";

#[derive(Debug)]
struct Board {
    input: VecDeque<u8>,
    line: Line,
    code: Vec<u8>,
    /// In raw-paste mode.
    pasting: bool,
}

impl Board {
    fn byte(&mut self) -> u8 {
        self.input.pop_front().unwrap_or_default()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte()).min(self.input.len());
        self.input.drain(..len).collect()
    }

    fn say(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.line.say(part);
        }
    }

    fn hear(&mut self, byte: u8) {
        match byte {
            0x01 if self.code.ends_with(b"\x05A") => {
                self.code.clear();
                match self.byte() % 4 {
                    0 => self.say(&[BANNER]),
                    1 => self.say(&[b"R\x00"]),
                    2 => {
                        let window = [self.byte(), self.byte()];
                        // More than any code sends: this board never answers the end of a window.
                        self.say(&[b"R\x01", &window, &[1; 64]]);
                        self.pasting = true;
                    }
                    _ => {
                        let bytes = self.bytes();
                        self.say(&[&bytes]);
                    }
                }
            }
            0x01 => self.say(&[BANNER]),
            0x02 => self.say(&[b">>> "]),
            0x03 => self.code.clear(),
            0x04 => {
                let code = std::mem::take(&mut self.code);
                let way: &[u8] = if std::mem::take(&mut self.pasting) {
                    b"\x04"
                } else {
                    b"OK"
                };
                self.run(&code, way);
            }
            _ => self.code.push(byte),
        }
    }

    /// The answer to one of udpcli's programs.
    fn run(&mut self, code: &[u8], way: &[u8]) {
        let text = String::from_utf8_lossy(code);
        // The number that proves that a board is there.
        if let Some(halves) = text.strip_prefix("import sys\nsys.stdout.write('") {
            let (a, b) = (halves.get(..4), halves.get(7..11));
            if let (Some(a), Some(b)) = (a, b) {
                let answer = format!("OK{a}{b}\x04\x04>");
                self.say(&[answer.as_bytes()]);
                return;
            }
        }
        match self.byte() {
            0xff => {
                let bytes = self.bytes();
                self.say(&[&bytes]);
            }
            0xfe => {
                let bytes = self.bytes();
                self.say(&[way, &bytes, b"\x04\x04>"]);
            }
            0xfd => {
                let text = self.bytes();
                self.say(&[way, b"\x04", &text, b"\r\n\x04>"]);
            }
            0xfc => {
                let number = self.byte().to_string();
                self.say(&[way, b"\x04OSError: ", number.as_bytes(), b"\r\n\x04>"]);
            }
            _ if text.contains("'t'].write('.')") => self.say(&[way, b".\x04\x04>"]),
            _ if text.starts_with("if'_udpcli'in") => self.say(&[way, b"\x04\x04>"]),
            // In a literal, whose quotes may be escaped.
            _ if text.replace('\\', "").contains("y('/')") => {
                self.say(&[way, b"9000 90000 65000 10~--------\x04\x04>"]);
            }
            // Requests with a checksum, and requests without one.
            _ if text.starts_with("_udpcli['x'](") => {
                let bytes = self.bytes();
                self.say(&[way, &bytes, b"~--------\x04\x04>"]);
            }
            _ => {
                let bytes = self.bytes();
                self.say(&[way, &bytes, b"\x04\x04>"]);
            }
        }
    }
}

impl Port for Board {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        self.line.read(buffer)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.line.written();
        for &byte in bytes {
            self.hear(byte);
        }
        Ok(bytes.len())
    }
}

/// The answers of a board in its raw REPL: to the entry, to programs, about itself, about its files.
pub(crate) fn answers(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let address = Address {
        port: "fuzz".to_owned(),
        baud: 115_200,
        timeout: Duration::from_millis(100),
        wire: None,
        line_rate: udpcli::board::line_rate::LineRate::Keep,
    };
    let board = Board {
        input: bytes.iter().copied().collect(),
        line: Line::default(),
        code: Vec::new(),
        pasting: false,
    };
    let _ = with(Box::new(board), &address, choice);
}

fn with(port: Box<dyn Port>, address: &Address, choice: u8) -> Result<(), Error> {
    let mut repl = Repl::enter(Link::over(port, address, Shutdown::by_hand()))?;
    match choice % 4 {
        0 => {
            let info = Info::ask(&mut repl)?;
            for key in ["version", "memory", "mpython"] {
                assert!(
                    info.text(key)
                        .is_none_or(|text| text.chars().count() <= 256)
                );
            }
        }
        1 => {
            let long = b"print(1)\n".repeat(600);
            let launch = program::start(&mut repl, &long, choice & 4 != 0, None, |_| Ok(()))?;
            program::clean_up(&mut repl, launch);
        }
        2 => Files::with(&mut repl, |files| {
            let paths = ["/a".to_owned(), "/b".to_owned()];
            for (path, found) in paths.iter().zip(files.look(&paths)?) {
                if let PathKind::File { len, .. } = found {
                    let content = files.get(path, &found, &mut |_| {})?;
                    assert_eq!(content.len() as u64, len);
                }
            }
            Ok::<(), Error>(())
        })?,
        _ => Files::with(&mut repl, |files| {
            let entries = files.list("/", choice & 4 != 0)?;
            assert!(entries.is_sorted_by(|a, b| a.path <= b.path));
            files.put("/a", &[choice; 300], &mut |_| {})?;
            files.remove("/a", false)
        })?,
    }
    Ok(())
}
