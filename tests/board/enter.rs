//! Into the raw REPL from every state a board can be in.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use udpcli::board::link::Address;
use udpcli::board::repl::Repl;
use udpcli::shutdown::Shutdown;

use crate::support::{DEADLINE, Options, Port, VirtualBoard};

/// How long an entry may take once the board can answer.
const LIMIT: Duration = Duration::from_secs(2);

/// A state of a board before it is entered.
#[derive(Clone, Copy)]
struct State {
    name: &'static str,
    /// Its `main.py`; none: it is at its prompt.
    main: Option<&'static str>,
    /// What was typed there.
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

/// One watch for Ctrl-C: they are this process's.
fn shutdown() -> Shutdown {
    static SHUTDOWN: OnceLock<Shutdown> = OnceLock::new();
    SHUTDOWN
        .get_or_init(|| Shutdown::on_signal().expect("signals can be watched"))
        .clone()
}

fn address(board: &VirtualBoard) -> Address {
    Address {
        port: board.port.clone(),
        baud: 115_200,
        timeout: Duration::from_secs(10),
    }
}

/// A board that boots fast, so that many boots fit into a test.
fn options(old: bool) -> Options {
    let options = VirtualBoard::options()
        .arg("--boot-time", &0.02)
        .flag("--no-marker");
    if old { options.old() } else { options }
}

/// Brings a board into a state, enters it, and leaves it at its prompt.
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
        .unwrap_or_else(|error| panic!("{}: {error}: {:?}", state.name, error.hint()));
    let took = start.elapsed();
    let answer = repl
        .exec("a test", b"print(6*7)", DEADLINE)
        .unwrap_or_else(|error| panic!("{}: {error}", state.name));
    assert_eq!(answer, b"42\r\n", "{}", state.name);
    assert!(!repl.entered().reset, "{}: was reset", state.name);
    repl.close().expect("the prompt");
    assert!(took < LIMIT, "{}: {took:?}", state.name);
    took
}

/// `UDPCLI_TEST_ENTRIES=1000 cargo test --test board enter::` is the long run.
fn entries() -> usize {
    std::env::var("UDPCLI_TEST_ENTRIES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(120)
}

fn every_state(old: bool) {
    let rounds = (entries() / 2).div_ceil(STATES.len());
    let mut longest = Vec::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = STATES
            .chunks(STATES.len().div_ceil(4))
            .map(|states| {
                scope.spawn(move || {
                    states
                        .iter()
                        .map(|state| {
                            let options = options(old);
                            let mut board = match state.main {
                                Some(main) => options.file("main.py", main).ready(),
                                None => options.ready(),
                            };
                            let longest = (0..rounds)
                                .map(|_| enter_from(&mut board, state))
                                .max()
                                .unwrap_or_default();
                            (state.name, longest)
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for run in runs {
            longest.extend(run.join().expect("every entry"));
        }
    });
    for (name, time) in longest {
        println!("{name}: {rounds} entries, longest {time:?}");
    }
}

#[test]
fn every_state_of_current_firmware_is_entered() {
    every_state(false);
}

#[test]
fn every_state_of_old_firmware_is_entered() {
    every_state(true);
}

#[test]
fn a_booting_board_is_waited_for() {
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
