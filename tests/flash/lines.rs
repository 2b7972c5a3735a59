//! A board with wired DTR and RTS: a pseudo-terminal has no such lines, so the test passes them to the emulator
//! directly, and everything else over the port.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use udpcli::board::flash::files::Loaded;
use udpcli::board::flash::layout::{FlashLayout, LayoutRequest};
use udpcli::board::flash::reset::{After, ResetMethod};
use udpcli::board::flash::{
    self, Chip, Connect, FlashObserver, FlashPlan, Flashed, Options, pieces,
};
use udpcli::board::port::{self, Port};
use udpcli::text::sentence::Sentence;

use crate::emulator::{Config, Emulator, Fault, Kind, Mode, op};
use crate::images::firmware;
use crate::support::has_firmware;

/// The emulator's port with its control lines.
#[derive(Debug)]
struct Wired {
    port: Box<dyn Port>,
    board: Arc<Emulator>,
    dtr: bool,
    rts: bool,
}

impl Wired {
    fn open(board: &Arc<Emulator>) -> Box<dyn Port> {
        let name = board.port();
        let port = port::open(
            name.to_str().unwrap(),
            115_200,
            Duration::from_secs(1),
            &|| false,
        )
        .unwrap();
        Box::new(Self {
            port,
            board: Arc::clone(board),
            dtr: false,
            rts: false,
        })
    }
}

impl Port for Wired {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.read(buffer, timeout)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        self.port.write(bytes, timeout)
    }

    fn set_dtr(&mut self, level: bool) -> io::Result<()> {
        self.dtr = level;
        self.board.set_lines(self.dtr, self.rts);
        Ok(())
    }

    fn set_rts(&mut self, level: bool) -> io::Result<()> {
        self.rts = level;
        self.board.set_lines(self.dtr, self.rts);
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.port.set_baud(baud)
    }
}

/// Records the notes.
#[derive(Debug, Default)]
struct Notes(Vec<String>);

impl FlashObserver for Notes {
    fn note(&mut self, note: &Sentence) {
        self.0.push(udpcli::words::catalogue::text(note));
    }

    fn progress(&mut self, _: &Sentence, _: u64, _: u64) {}

    fn plan(&mut self, _: &FlashLayout) {}
}

fn board(config: Config) -> Arc<Emulator> {
    let board = Arc::new(Emulator::start(Config {
        flash_time: 0.1,
        boot_held: false,
        ..config
    }));
    board.wait_for(Mode::App);
    board
}

fn flash_through_lines(board: &Arc<Emulator>, image: &[u8], notes: &mut Notes) -> Flashed {
    let firmware = Loaded {
        name: "firmware".to_owned(),
        offset: 0x1000,
        data: image.to_vec(),
        is_asked_for: false,
    };
    let mut plan = FlashPlan {
        connect: Connect {
            port: "the board".to_owned(),
            before: ResetMethod::DefaultReset,
            timeout: Duration::from_secs(10),
            flash_baud: None,
            flash_size: None,
            chip: None,
            is_chip_given: false,
        },
        pieces: pieces::of(vec![firmware], Chip::Esp32),
        fonts: Vec::new(),
        wish: LayoutRequest::default(),
        options: Options {
            erase_all: false,
            verify: true,
            compress: true,
            dry_run: false,
        },
        restore: None,
        backup: None,
        only: None,
        after: After::HardReset,
        force: false,
    };
    flash::run(Wired::open(board), &mut plan, &|| false, notes).unwrap()
}

#[test]
fn the_control_lines_enter_and_leave_download_mode() {
    let board = board(Config::default());
    let image = firmware(60_000, 21);
    let mut flashed = flash_through_lines(&board, &image, &mut Notes::default());
    assert!(flashed.started);
    assert!(has_firmware(&board.flash(), &image));
    board.wait_for(Mode::App);
    // The next user of the port sees the program start.
    let mut seen = Vec::new();
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while !seen.ends_with(b">>> ") {
        assert!(
            std::time::Instant::now() < deadline,
            "{}",
            String::from_utf8_lossy(&seen)
        );
        let mut buffer = [0; 256];
        let len = flashed
            .port
            .read(&mut buffer, Duration::from_millis(100))
            .unwrap();
        seen.extend(&buffer[..len]);
    }
}

#[test]
fn a_baud_rate_that_fails_is_lowered() {
    let board = board(Config {
        max_baud: 500_000,
        ..Config::default()
    });
    let image = firmware(60_000, 22);
    let mut notes = Notes::default();
    flash_through_lines(&board, &image, &mut notes);
    assert!(has_firmware(&board.flash(), &image));
    let text = notes.0.join("\n");
    assert!(text.contains("921600 baud does not work"), "{text}");
    assert!(text.contains("at 460800 baud"), "{text}");
}

#[test]
fn a_board_that_restarts_during_the_run_is_recovered() {
    let board = board(Config::default());
    let image = firmware(100_000, 23);
    board.inject(Fault {
        op: op::FLASH_DEFL_DATA,
        nth: 2,
        kind: Kind::BrownOut,
    });
    flash_through_lines(&board, &image, &mut Notes::default());
    assert!(board.pending_faults().is_empty());
    assert!(has_firmware(&board.flash(), &image));
}
