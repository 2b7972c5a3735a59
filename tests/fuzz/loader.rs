//! A chip's loader whose replies come from the input. About half of them are well-formed, so that fuzzing reaches the
//! code after the first reply.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use udpcli::board::flash::files::Loaded;
use udpcli::board::flash::layout::{FlashLayout, LayoutRequest, rows};
use udpcli::board::flash::reset::{After, ResetMethod};
use udpcli::board::flash::{self, Connect, FlashObserver, FlashPlan, Options, pieces, slip};
use udpcli::board::port::Port;
use udpcli::text::sentence::Sentence;

use super::line::Line;

/// A longer conversation finds nothing new.
const TIME: Duration = Duration::from_millis(100);

/// The chip's number at 0x40001000: the ESP32.
const MAGIC: (u32, u32) = (0x4000_1000, 0x00f0_1d83);

/// The registers that start the flash chip's identification and hold its result.
const SPI_CMD: u32 = 0x3ff4_2000;
const SPI_W0: u32 = 0x3ff4_2080;

#[derive(Debug)]
struct Chip {
    input: VecDeque<u8>,
    line: Line,
    heard: slip::FrameDecoder,
    is_stub: bool,
    /// The flash content at the part's place.
    fill: u8,
    /// The values of earlier register reads, because udpcli reads each register twice.
    registers: BTreeMap<u32, u32>,
}

impl Chip {
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let len = len.min(self.input.len());
        self.input.drain(..len).collect()
    }

    fn frame(&mut self, payload: &[u8]) {
        let mut frame = Vec::new();
        slip::encode(payload, &mut frame);
        self.line.say(&frame);
    }

    /// A reply as the protocol has it.
    fn reply(&mut self, op: u8, value: u32, data: &[u8], status: &[u8]) {
        let len = u16::try_from(data.len() + status.len()).expect("a short reply");
        let head = [&[1, op][..], &len.to_le_bytes(), &value.to_le_bytes()].concat();
        self.frame(&[&head, data, status].concat());
    }

    /// An MD5, which is right in about half of the cases.
    fn digest(&mut self, flash: &[u8]) -> Vec<u8> {
        let mut digest = Md5::digest(flash).to_vec();
        if self.input.pop_front().unwrap_or_default() & 1 != 0 {
            digest.reverse();
        }
        digest
    }

    fn register(&mut self, address: u32) -> u32 {
        match address {
            _ if address == MAGIC.0 => return MAGIC.1,
            SPI_CMD => return 0,
            // 1 to 16 MB.
            SPI_W0 => return u32::from(0x14 + self.input.front().map_or(3, |byte| byte % 5)) << 16,
            _ => {}
        }
        let fresh = self
            .bytes(4)
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u32::from(byte));
        *self.registers.entry(address).or_insert(fresh)
    }

    /// The reply of a loader or stub to a command.
    fn obey(&mut self, op: u8, body: &[u8]) {
        let word = |at: usize| {
            let bytes = body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            u32::from_le_bytes(bytes.unwrap_or_default())
        };
        let done: &[u8] = if self.is_stub { &[0; 2] } else { &[0; 4] };
        match op {
            // MEM_END starts the stub, which announces itself.
            0x06 => {
                self.reply(op, 0, &[], done);
                self.frame(b"OHAI");
                self.is_stub = true;
            }
            // SYNC: the ROM's value differs from the stub's.
            0x08 => self.reply(op, u32::from(!self.is_stub), &[], done),
            0x0a => {
                let value = self.register(word(0));
                self.reply(op, value, &[], done);
            }
            // SPI_FLASH_MD5: of the expected content, or of something else.
            0x13 => {
                let len = usize::try_from(word(4)).expect("64 bits").min(0x1_0000);
                let flash = vec![self.fill; len];
                let digest = self.digest(&flash);
                self.reply(op, 0, &digest, done);
            }
            // READ_FLASH: frames of data, then their MD5.
            0xd2 => {
                self.reply(op, 0, &[], done);
                let len = usize::try_from(word(4)).expect("64 bits").min(0x1_0000);
                let known = self.input.pop_front().unwrap_or_default();
                let mut flash = self.bytes(known.into());
                flash.resize(len, 0xff);
                for data in flash.chunks(0x1000) {
                    self.frame(data);
                }
                let digest = self.digest(&flash);
                self.frame(&digest);
            }
            _ => self.reply(op, 0, &[], done),
        }
    }

    /// Answers a frame that came.
    fn answer(&mut self, command: &[u8]) {
        let [0, op, _, _, _, _, _, _, body @ ..] = command else {
            return;
        };
        match self.input.pop_front().unwrap_or_default() {
            // Anything at all.
            0xff => {
                let len = self.input.pop_front().unwrap_or_default();
                let bytes = self.bytes(len.into());
                self.line.say(&bytes);
            }
            // A frame of anything.
            0xfe => {
                let len = self.input.pop_front().unwrap_or_default();
                let bytes = self.bytes(len.into());
                self.frame(&bytes);
            }
            // The right header, followed by any bytes.
            0xfd => {
                let bytes = self.bytes(6);
                self.reply(*op, 0, &bytes, &[]);
            }
            // No.
            0xfc => {
                let why = self.input.pop_front().unwrap_or_default();
                // The ROM sends a failure flag and an error code; the stub sends only the code.
                let status = if self.is_stub {
                    [why, 0, 0, 0]
                } else {
                    [1, why, 0, 0]
                };
                let len = if self.is_stub { 2 } else { 4 };
                self.reply(*op, 0, &[], &status[..len]);
            }
            _ => self.obey(*op, body),
        }
    }
}

impl Port for Chip {
    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        self.line.read(buffer)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.line.written();
        for &byte in bytes {
            if let Some(command) = self.heard.push(byte) {
                self.answer(&command);
            }
        }
        Ok(bytes.len())
    }
}

/// Counts what it is told.
#[derive(Default)]
struct Told(Cell<usize>);

impl FlashObserver for Told {
    fn note(&mut self, note: &Sentence) {
        let text = note.to_string();
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        self.0.set(self.0.get() + 1);
    }

    fn progress(&mut self, _: &Sentence, done: u64, total: u64) {
        assert!(done <= total, "{done} of {total}");
    }

    fn plan(&mut self, layout: &FlashLayout) {
        let text = rows::text(&layout.rows, &ToString::to_string);
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n'),
            "{text:?}"
        );
    }
}

/// The replies of the chip's loader and its stub.
pub(crate) fn replies(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let port = Box::new(Chip {
        input: bytes.iter().copied().collect(),
        line: Line::default(),
        heard: slip::FrameDecoder::default(),
        is_stub: choice & 1 != 0,
        fill: choice,
        registers: BTreeMap::new(),
    });
    let connect = Connect {
        port: "fuzz".to_owned(),
        before: ResetMethod::NoReset,
        timeout: TIME,
        flash_baud: (choice & 2 != 0).then_some(115_200),
        flash_size: None,
        chip: None,
        is_chip_given: false,
    };
    let begun = Instant::now();
    let stop = || begun.elapsed() > TIME;
    let mut told = Told::default();
    if choice & 4 == 0 {
        if let Ok(description) = flash::describe(port, connect, &stop, &mut told) {
            let text = rows::contents(&description.contents, &ToString::to_string);
            let is_bad = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(is_bad), "{text:?}");
            assert!(description.partitions.is_none_or(|found| found.len() <= 96));
        }
        return;
    }
    let data = Loaded {
        name: "part".to_owned(),
        offset: 0x1_0000,
        data: vec![choice; 0x2000],
        is_asked_for: false,
    };
    let mut plan = FlashPlan {
        connect,
        pieces: pieces::of(vec![data], flash::Chip::Esp32),
        fonts: Vec::new(),
        wish: LayoutRequest::default(),
        options: Options {
            erase_all: choice & 8 != 0,
            verify: choice & 16 == 0,
            compress: choice & 32 == 0,
            dry_run: choice & 64 != 0,
        },
        restore: None,
        backup: None,
        only: None,
        after: After::NoReset,
        force: choice & 128 != 0,
    };
    if let Ok(flashed) = flash::run(port, &mut plan, &stop, &mut told) {
        assert_eq!(flashed.written.total, 0x2000);
        assert!(!flashed.started);
    }
}
