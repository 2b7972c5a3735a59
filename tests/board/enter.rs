//! Entering the raw REPL from every state of a board.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use udpcli::board::link::Address;
use udpcli::board::native;
use udpcli::board::repl::Repl;
use udpcli::shutdown::Shutdown;

use crate::client::kinds;
use crate::support::{DEADLINE, Options, Port, VirtualBoard};

/// The time limit for entry once the board can reply, if both ends get enough processor time.
const LIMIT: Duration = Duration::from_secs(2);

/// The percentage of entries that may take longer: on a busy machine, interrupts reach a program late and together, and
/// interrupting the stubborn program's handler takes longer.
const LATE: usize = 1;

/// The state of a board before entry.
#[derive(Clone, Copy)]
struct State {
    name: &'static str,
    /// Its `main.py`; `None` if it is at its prompt.
    main: Option<&'static str>,
    /// The keys that were typed at the prompt.
    typed: &'static [u8],
}

const STATES: [State; 15] = [
    typed("the prompt", b""),
    typed("raw REPL", b"\x01"),
    typed("raw REPL with half a line", b"\x01print('half"),
    typed("raw-paste mode", b"\x01\x05A\x01print('half"),
    typed("paste mode", b"\x05def f():\r"),
    typed("a multi-line statement", b"for i in range(3):\r"),
    typed("half a command", b"import machine; machine.reset("),
    typed("half a character", b"print('\xe4\xbd"),
    typed("an open string", b"'''never\r\r closed"),
    program("sleeping", "import time\nwhile True: time.sleep(60)"),
    program("spinning", "while True: pass"),
    program(
        "flooding",
        "n = 0\nwhile True:\n n += 1\n print('raw REPL; CTRL-B to exit\\r\\n>' * 3, n)",
    ),
    program(
        "waiting in recvfrom",
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('127.0.0.1', 0))\nwhile True: s.recvfrom(1024)",
    ),
    program(
        "grudging",
        "import time\nfor i in range(4):\n try:\n  while True: time.sleep(1)\n except KeyboardInterrupt: print('not yet')\nwhile True: time.sleep(1)",
    ),
    program(
        "stubborn",
        "import time\nwhile True:\n try:\n  time.sleep(1)\n except KeyboardInterrupt:\n  print('never')",
    ),
];

const fn typed(name: &'static str, typed: &'static [u8]) -> State {
    State {
        name,
        main: None,
        typed,
    }
}

const fn program(name: &'static str, main: &'static str) -> State {
    State {
        name,
        main: Some(main),
        typed: b"",
    }
}

/// One Ctrl-C watch for all tests, because signals belong to the process.
pub(crate) fn shutdown() -> Shutdown {
    static SHUTDOWN: OnceLock<Shutdown> = OnceLock::new();
    SHUTDOWN
        .get_or_init(|| Shutdown::on_signal().expect("signals can be watched"))
        .clone()
}

pub(crate) fn address(board: &VirtualBoard) -> Address {
    if let Some((vid, pid)) = board.usb {
        let device = native::NativeUsb {
            vid,
            pid,
            serial: None,
            place: None,
        };
        native::remember(&board.port, device);
    }
    Address {
        port: board.port.clone(),
        baud: 115_200,
        timeout: Duration::from_secs(10),
        wire: None,
        line_rate: udpcli::board::line_rate::LineRate::Auto,
    }
}

/// A board that boots fast, so that a test can boot it often.
fn options(profile: &str) -> Options {
    let options = VirtualBoard::options().profile(profile);
    options
        .arg("--boot-time", &0.02)
        .arg("--usb-gone", &0.05)
        .flag("--quick")
}

/// Brings a board into a state, enters the raw REPL, and returns to the prompt.
fn enter_from(board: &mut VirtualBoard, state: &State) -> Duration {
    if state.main.is_some() {
        board.reset();
        board.wait_until("main.py runs", |stats| stats["stage"] == "main.py");
    } else {
        let mut port = Port::open(board);
        port.send(b"\r");
        port.until(b">>> ");
        let unread = board.count("down");
        port.send(state.typed);
        let sent = unread + state.typed.len() as u64;
        board.wait_until("the board has read it", |stats| {
            stats["down"].as_u64() >= Some(sent) && stats["unread"] == 0
        });
    }
    let start = Instant::now();
    let mut repl = Repl::open(&address(board), shutdown())
        .unwrap_or_else(|error| panic!("{}: {error:?}", state.name));
    let took = start.elapsed();
    let answer = repl
        .exec("a test", b"print(6*7)", DEADLINE)
        .unwrap_or_else(|error| panic!("{}: {error}", state.name));
    assert_eq!(answer, b"42\r\n", "{}", state.name);
    assert!(!repl.entered().reset, "{}: was reset", state.name);
    repl.close().expect("the prompt");
    took
}

/// The number of entries for the seven firmwares on an adapter together; the environment variable `UDPCLI_TEST_ENTRIES`
/// changes it.
fn entries() -> usize {
    std::env::var("UDPCLI_TEST_ENTRIES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1000)
}

/// Enters every state of a firmware on an adapter, 150 times in all.
fn every_state(profile: &str) {
    let rounds = (entries() / 7).div_ceil(STATES.len());
    every_state_of(profile, rounds, rounds);
}

/// Enters every state of a firmware on the chip's own USB port, 100 times in all: a program costs a reset, in which the
/// port leaves and returns.
fn every_state_on_usb(profile: &str) {
    every_state_of(profile, entries().div_ceil(110), entries().div_ceil(330));
}

/// Enters each state of the prompt `typed` times and each program `programs` times, all on one board.
fn every_state_of(profile: &str, typed: usize, programs: usize) {
    let mut board = options(profile).ready();
    let (mut late, mut entries) = (0, 0);
    for state in &STATES {
        let rounds = match state.main {
            Some(main) => {
                std::fs::write(board.files().join("main.py"), main).expect("a file on the board");
                programs
            }
            None => typed,
        };
        let times: Vec<Duration> = (0..rounds).map(|_| enter_from(&mut board, state)).collect();
        let longest = times.iter().max();
        println!("{}: {rounds} entries, longest {longest:?}", state.name);
        late += times.iter().filter(|time| **time > LIMIT).count();
        entries += rounds;
    }
    println!("{profile}: {entries} entries, {late} took longer than {LIMIT:?}");
    assert!(
        late <= (entries * LATE).div_ceil(100),
        "{late} of {entries} were late"
    );
}

/// A test for each firmware, so that they run beside each other.
macro_rules! entered_from_every_state {
    ($($test:ident: $profile:literal by $enter:ident;)*) => {
        $(
            #[test]
            fn $test() {
                $enter($profile);
            }
        )*
    };
}

/// The raw REPL is entered from every state.
mod from_every_state {
    use super::{every_state, every_state_on_usb};

    entered_from_every_state! {
        mpython_1_0: "mpython-1.0" by every_state;
        mpython_1_2: "mpython-1.2" by every_state;
        mpython_1_4: "mpython-1.4" by every_state;
        mpython_2_x: "mpython-2.x" by every_state;
        mixly_1_19: "mixly-1.19" by every_state;
        generic_1_17: "generic-1.17" by every_state;
        generic_1_26: "generic-1.26" by every_state;
        // On USB-Serial/JTAG the computer holds back every answer whose length is a multiple of 64.
        mpython_3_0: "mpython-3.0" by every_state_on_usb;
        generic_c3: "generic-c3" by every_state_on_usb;
        generic_s3_on_usb_otg: "generic-s3-usb" by every_state_on_usb;
    }
}

/// On an ESP32, the window is a large part of the time between two bytes; here it is a hundredth of that, and hitting
/// it takes many tries, more on a busy machine.
#[test]
fn an_empty_handler_is_interrupted_without_a_reset() {
    let main = "x = 0\nwhile True:\n try:\n  while True: x += 1\n except KeyboardInterrupt: pass";
    for profile in ["mpython-1.4", "mpython-2.x", "generic-1.26"] {
        let mut board = options(profile).file("main.py", main).ready();
        board.wait_until("main.py runs", |stats| stats["stage"] == "main.py");
        let address = Address {
            timeout: 2 * DEADLINE,
            ..address(&board)
        };
        let repl = Repl::open(&address, shutdown()).expect("it gets in");
        assert!(!repl.entered().reset);
        repl.close().expect("the prompt");
    }
}

#[test]
fn entry_waits_for_a_booting_board() {
    let mut board = VirtualBoard::options().arg("--boot-time", &0.5).ready();
    for _ in 0..3 {
        board.reset();
        let mut repl = Repl::open(&address(&board), shutdown()).expect("it boots");
        assert_eq!(
            repl.exec("a test", b"print(1)", DEADLINE).unwrap(),
            b"1\r\n"
        );
        repl.close().expect("the prompt");
    }
}

/// Disables Ctrl-C: only a reset helps, and only while `import mpython` runs. The file shows that Ctrl-C is disabled.
const DEAF: &str = "import mpython, micropython, time\nmicropython.kbd_intr(-1)\nopen('deaf', 'w').close()\nwhile True: time.sleep(1)";

/// Waits until the board's program has disabled Ctrl-C.
fn wait_deaf(board: &mut VirtualBoard) {
    let file = board.files().join("deaf");
    board.wait_until("Ctrl-C is off", |_| file.exists());
    std::fs::remove_file(file).expect("it is there");
}

#[test]
fn a_board_that_ignores_ctrl_c_is_reset_through_the_control_lines() {
    for (_, options) in kinds() {
        let mut board = options.flag("--rfc2217").file("main.py", DEAF).ready();
        for round in 0..3 {
            wait_deaf(&mut board);
            let resets = board.count("resets");
            let start = Instant::now();
            let mut repl = Repl::open(&address(&board), shutdown()).expect("it is reset");
            let took = start.elapsed();
            assert!(repl.entered().reset);
            assert_eq!(
                repl.exec("a test", b"print(1)", DEADLINE).unwrap(),
                b"1\r\n"
            );
            repl.close().expect("the prompt");
            // A second reset only if the busy machine missed the window of the first boot.
            let needed = board.count("resets") - resets;
            assert!(needed == 1 || needed == 2, "{needed} resets");
            assert!(needed == 2 || took < 2 * LIMIT, "{round}: {took:?}");
            board.reset();
        }
    }
}

#[test]
fn without_control_lines_the_reset_button_helps() {
    let mut board = VirtualBoard::options().slow().file("main.py", DEAF).ready();
    wait_deaf(&mut board);
    let address = address(&board);
    let entering = std::thread::spawn(move || {
        let mut repl = Repl::open(&address, shutdown())?;
        repl.exec("a test", b"print(1)", DEADLINE)
    });
    // The user presses RESET after the request, 1.4 s after the first Ctrl-C: this many bytes have arrived since.
    // udpcli assumes that a boot in the first 0.6 s was caused by opening the port.
    let down = board.count("down");
    board.wait_until("it asks for RESET", |stats| {
        stats["down"].as_u64() > Some(down + 20_000)
    });
    board.reset();
    let answer = entering.join().expect("no panic").expect("it gets in");
    assert_eq!(answer, b"1\r\n");
}
