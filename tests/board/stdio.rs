//! Standard streams in every state: closed, full, non-blocking, a socket, a terminal, a pipe without a reader. Every
//! command that reads or writes must not panic, hang or lose a byte, and its exit code must report the error.
//!
//! Long because each stream is tested in each of its states.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::client::assert_untouched;
use crate::process::{DEADLINE, bash, loopback_socket};
use crate::streams::{make_nonblocking, terminal};
use crate::support::VirtualBoard;

/// The kind of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The stream is closed.
    Closed,
    /// The disk is full.
    Full,
    /// A pipe whose other end is closed.
    Dead,
    Pipe,
    NonblockingPipe,
    Socket,
    NonblockingSocket,
    Terminal,
}

use Kind::{Closed, Dead, Full, NonblockingPipe, NonblockingSocket, Pipe, Socket, Terminal};

const OUTPUTS: [Kind; 8] = [
    Pipe,
    Closed,
    Full,
    Dead,
    NonblockingPipe,
    Socket,
    NonblockingSocket,
    Terminal,
];

const INPUTS: [Kind; 7] = [
    Pipe,
    NonblockingPipe,
    Socket,
    NonblockingSocket,
    Terminal,
    Dead,
    Closed,
];

/// A stream to write to, and a thread that reads the other end.
fn output(kind: Kind) -> (OwnedFd, Option<JoinHandle<Vec<u8>>>) {
    let (theirs, ours): (OwnedFd, OwnedFd) = match kind {
        Closed | Full => {
            let full = File::options().write(true).open("/dev/full").unwrap();
            return (full.into(), None);
        }
        Dead => {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            return (writer.into(), None);
        }
        Pipe | NonblockingPipe => {
            let (reader, writer) = std::io::pipe().unwrap();
            (writer.into(), reader.into())
        }
        Socket | NonblockingSocket => {
            let (theirs, ours) = UnixStream::pair().unwrap();
            (theirs.into(), ours.into())
        }
        Terminal => terminal(),
    };
    if matches!(kind, NonblockingPipe | NonblockingSocket) {
        make_nonblocking(&theirs);
    }
    let mut ours = File::from(ours);
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        // Reading a closed terminal fails with EIO.
        let _ = ours.read_to_end(&mut all);
        all
    });
    (theirs, Some(reader))
}

/// A stream that provides `content`, if it can, and the thread that writes it.
fn input(kind: Kind, content: &'static [u8]) -> (OwnedFd, JoinHandle<Option<File>>) {
    let (theirs, ours): (OwnedFd, OwnedFd) = match kind {
        Pipe | NonblockingPipe | Dead | Closed | Full => {
            let (reader, writer) = std::io::pipe().unwrap();
            (reader.into(), writer.into())
        }
        Socket | NonblockingSocket => {
            let (theirs, ours) = UnixStream::pair().unwrap();
            (theirs.into(), ours.into())
        }
        Terminal => terminal(),
    };
    if matches!(kind, NonblockingPipe | NonblockingSocket) {
        make_nonblocking(&theirs);
    }
    let is_empty = matches!(kind, Dead | Closed | Full);
    let writer = std::thread::spawn(move || {
        let mut ours = File::from(ours);
        if !is_empty {
            // Write in two parts, so that the reader waits in between.
            let (first, second) = content.split_at(content.len() / 2);
            ours.write_all(first).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(30));
            ours.write_all(second).unwrap();
            if kind == Terminal {
                // Ctrl-D at the beginning of a line ends the input.
                ours.write_all(b"\x04").unwrap();
                // Keep our end open: closing it would close the terminal at once.
                return Some(ours);
            }
        }
        None
    });
    (theirs, writer)
}

/// The result of a run.
struct Ended {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs a command with these streams; `input` is the content of stdin.
fn run(args: &[String], stdin: (Kind, &'static [u8]), stdout: Kind, stderr: Kind) -> Ended {
    let mut closing = String::from("exec \"$0\" \"$@\"");
    for (kind, how) in [(stdin.0, " <&-"), (stdout, " >&-"), (stderr, " 2>&-")] {
        if kind == Closed {
            closing.push_str(how);
        }
    }
    let mut command: Command = bash(&closing, args);
    command
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("UDPCLI_SERIAL")
        .env("NO_COLOR", "1");
    let (their_in, writer) = input(stdin.0, stdin.1);
    let (their_out, out) = output(stdout);
    let (their_err, err) = output(stderr);
    let mut child = command
        .stdin(Stdio::from(their_in))
        .stdout(Stdio::from(their_out))
        .stderr(Stdio::from(their_err))
        .spawn()
        .unwrap();
    // `command` holds copies of the streams, which would keep the readers waiting.
    drop(command);
    let deadline = Instant::now() + DEADLINE;
    let mut writer = Some(writer);
    let mut _open = None;
    let status = loop {
        if let Some(written) = writer.take_if(|writer| writer.is_finished()) {
            // A command that does not read leaves the content unread.
            _open = written.join().ok();
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{args:?} with {stdin:?}, {stdout:?}, {stderr:?} does not end");
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let read = |reader: Option<JoinHandle<Vec<u8>>>| {
        reader.map_or_else(Vec::new, |reader| reader.join().unwrap())
    };
    Ended {
        code: status.code(),
        stdout: read(out),
        stderr: read(err),
    }
}

/// Commands that write, the board they need, and their input.
fn writers() -> Vec<(&'static str, Board, &'static [u8])> {
    let none = |line| (line, Board::None, &b""[..]);
    let plain = |line| (line, Board::Plain, &b""[..]);
    vec![
        none("--help"),
        none("--version"),
        none("send --help"),
        none("man"),
        none("completions zsh"),
        none("listen -p 0 --bind 127.0.0.1 --duration 50ms --format board"),
        none("pair -s /dev/null --format json"),
        none("board -s /dev/null list --probe"),
        none("board list"),
        plain("board info"),
        plain("board info --format json"),
        plain("board ls"),
        plain("board get :x -"),
        plain("board run FILE"),
        ("board repl", Board::Plain, b"print(6 * 7)\n"),
        ("board oled --once --format json", Board::Shows, b""),
    ]
}

/// The board that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Board {
    None,
    /// A board with a file.
    Plain,
    /// A board with a program that shows something.
    Shows,
}

/// One board of each kind.
struct Boards {
    plain: VirtualBoard,
    shows: VirtualBoard,
}

impl Boards {
    fn new() -> Self {
        let main = "from mpython import oled\nimport time\noled.text('hi', 0, 0)\noled.show()\nwhile True: time.sleep(1)\n";
        Self {
            plain: a_board(),
            shows: VirtualBoard::options().file("main.py", main).ready(),
        }
    }

    fn get(&self, which: Board) -> Option<&VirtualBoard> {
        match which {
            Board::None => None,
            Board::Plain => Some(&self.plain),
            Board::Shows => Some(&self.shows),
        }
    }
}

/// Whether the output is reproducible: free memory and times are not.
fn is_the_same_each_time(line: &str) -> bool {
    !line.contains("info") && !line.contains("pair")
}

fn args_of(line: &str, board: Option<&VirtualBoard>) -> Vec<String> {
    let mut args: Vec<String> = line.split(' ').map(str::to_owned).collect();
    if let Some(board) = board {
        args.splice(1..1, ["-s".to_owned(), board.port.clone()]);
        let script = board.files().with_file_name("script.py");
        for arg in &mut args {
            *arg = arg.replace("FILE", script.to_str().unwrap());
        }
    }
    args
}

fn a_board() -> VirtualBoard {
    let board = VirtualBoard::options()
        .baud(921_600)
        .file("x", "one\ntwo\n")
        .ready();
    let script = board.files().with_file_name("script.py");
    std::fs::write(script, "for i in range(100): print(i)\n").unwrap();
    board
}

const NO_INPUT: (Kind, &[u8]) = (Pipe, b"");

#[test]
fn every_kind_of_stdout_is_written_or_reported() {
    let boards = Boards::new();
    for (line, which, content) in writers() {
        let args = args_of(line, boards.get(which));
        let input = (Pipe, content);
        let usual = run(&args, input, Pipe, Pipe);
        let code = usual.code.unwrap();
        assert!(code <= 3, "{line}: {code}");
        let writes = !usual.stdout.is_empty();
        for kind in OUTPUTS {
            let ended = run(&args, input, kind, Pipe);
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            let expected = match kind {
                Full if writes => 3,
                _ => code,
            };
            assert_eq!(ended.code, Some(expected), "{line}, {kind:?}: {said}");
            assert!(!said.contains("panicked"), "{line}, {kind:?}: {said}");
            match kind {
                Full if writes => assert!(
                    said.contains("standard output") || code != 0,
                    "{line}: {said}"
                ),
                NonblockingPipe | Socket | NonblockingSocket if is_the_same_each_time(line) => {
                    assert!(ended.stdout == usual.stdout, "{line}, {kind:?}");
                }
                _ => {}
            }
        }
    }
    assert_untouched(&boards.plain, &["x"]);
}

#[test]
fn no_kind_of_stderr_changes_what_a_command_does() {
    let boards = Boards::new();
    for (line, which, content) in writers() {
        let args = args_of(line, boards.get(which));
        let input = (Pipe, content);
        let usual = run(&args, input, Pipe, Pipe);
        for kind in OUTPUTS {
            let ended = run(&args, input, Pipe, kind);
            assert_eq!(ended.code, usual.code, "{line}, {kind:?}");
            if is_the_same_each_time(line) {
                assert!(ended.stdout == usual.stdout, "{line}, {kind:?}");
            }
        }
    }
    assert_untouched(&boards.plain, &["x"]);
}

#[test]
fn every_kind_of_stdin_is_read_to_its_end() {
    let board = a_board();
    let table: [(&str, &'static str, &str); 3] = [
        (
            "board run -",
            "print('one')\nprint('two')\n",
            "one\r\ntwo\r\n",
        ),
        (
            "board repl",
            "print('o' + 'ne')\nprint('t' + 'wo')\n",
            "one\r\n",
        ),
        ("board ls", "", "        8 x\n"),
    ];
    for (line, content, out) in table {
        let args = args_of(line, Some(&board));
        for kind in INPUTS {
            if line == "board repl" && kind == Terminal {
                // Single keys are tested in tests/board/repl.rs.
                continue;
            }
            let ended = run(&args, (kind, content.as_bytes()), Pipe, Pipe);
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            let shown = String::from_utf8_lossy(&ended.stdout).into_owned();
            assert_eq!(ended.code, Some(0), "{line}, {kind:?}: {said}");
            if !matches!(kind, Dead | Closed) || content.is_empty() {
                assert!(shown.contains(out), "{line}, {kind:?}: {shown}; {said}");
            }
        }
    }
    assert_untouched(&board, &["x"]);
}

#[test]
fn datagrams_come_from_every_kind_of_stdin() {
    for kind in INPUTS {
        for form in ["", "--lines", "--file -"] {
            if form.is_empty() && kind == Terminal {
                // This stream provides the tutorial's message without end.
                continue;
            }
            let socket = loopback_socket();
            let peer = socket.local_addr().unwrap().to_string();
            let line = format!("send {peer} {form}");
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let ended = run(&args, (kind, b"one\ntwo\n"), Pipe, Pipe);
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(!said.contains("panicked"), "{line}, {kind:?}: {said}");
            if matches!(kind, Dead | Closed) {
                assert!(
                    matches!(ended.code, Some(0..=3)),
                    "{line}, {kind:?}: {said}"
                );
                continue;
            }
            assert_eq!(ended.code, Some(0), "{line}, {kind:?}: {said}");
            let expected: &[&[u8]] = if form == "--file -" {
                &[b"one\ntwo\n"]
            } else {
                &[b"one", b"two"]
            };
            for payload in expected {
                assert_eq!(crate::process::receive(&socket).0, *payload);
            }
        }
    }
}

/// Some programs know no `-`, so users write /dev/stdout.
#[test]
fn dev_stdout_is_written_but_never_to_a_terminal() {
    let board = a_board();
    let hostile = "\x1b]0;title\x07\u{202e}one\n";
    std::fs::write(board.files().join("hostile"), hostile).unwrap();
    let get = args_of("board get :hostile /dev/stdout", Some(&board));
    for kind in [Pipe, NonblockingPipe] {
        let ended = run(&get, NO_INPUT, kind, Pipe);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.code, Some(0), "{kind:?}: {said}");
        assert!(ended.stdout == hostile.as_bytes(), "{kind:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("saved.jsonl");
    std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
    let link = link.to_str().unwrap();
    let save = format!("listen -p 0 --bind 127.0.0.1 --save {link} --duration 50ms");
    for args in [get, args_of(&save, None)] {
        let ended = run(&args, NO_INPUT, Terminal, Pipe);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.code, Some(3), "{args:?}: {said}");
        assert!(said.contains("it is a terminal"), "{args:?}: {said}");
        assert!(ended.stdout.is_empty(), "{args:?}: {:?}", ended.stdout);
    }
    assert_untouched(&board, &["hostile", "x"]);
}

#[test]
fn replies_are_written_to_every_kind_of_stdout() {
    for kind in OUTPUTS {
        let socket = loopback_socket();
        let peer = socket.local_addr().unwrap().to_string();
        let echo = std::thread::spawn(move || {
            let (payload, from) = crate::process::receive(&socket);
            socket.send_to(&payload, from).unwrap();
        });
        let args: Vec<String> = ["send", &peer, "hello", "-w", "20s", "--format", "raw"]
            .map(str::to_owned)
            .to_vec();
        let ended = run(&args, NO_INPUT, kind, Pipe);
        echo.join().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let code = if kind == Full { 3 } else { 0 };
        assert_eq!(ended.code, Some(code), "{kind:?}: {said}");
        if matches!(kind, Pipe | NonblockingPipe | Socket | NonblockingSocket) {
            assert_eq!(ended.stdout, b"hello", "{kind:?}");
        }
    }
}
