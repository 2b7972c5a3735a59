//! How commands end: wherever a command waits, the first SIGINT, SIGTERM or SIGHUP ends it cleanly within 2 s, and the
//! second one at once. The [table](rows) covers every [`Site`] where the program can be blocked.

mod blocking;
mod rows;
mod terminals;

use std::any::Any;
use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::json;
use udpcli::wait::Site;

use self::rows::rows;
use crate::client::{assert_untouched, run_source, start, start_source};
use crate::files::{random, text};
use crate::process::{DEADLINE, Running, loopback_socket, udpcli};
use crate::streams::make_nonblocking;
use crate::support::VirtualBoard;

const SIGNALS: [&str; 3] = ["INT", "TERM", "HUP"];

/// The test's timeout for a command to end: twice what the command may take, for a busy machine.
const SOON: Duration = Duration::from_secs(4);

/// How a test recognises that the command waits.
enum Waits {
    /// The `-vv` log names the site.
    Says,
    /// The other end received the command's bytes, so the command waits for a reply.
    Heard(Receiver<()>),
    /// The command printed this and then uses no processor time.
    Rests(&'static str),
}

/// A command that is about to wait.
struct Scene {
    command: Command,
    waits: Waits,
    /// Objects that must live while the command waits.
    _keep: Box<dyn Any>,
}

/// A row of the table.
struct Row {
    site: Site,
    name: &'static str,
    /// The exit code after the first signal.
    code: i32,
    scene: Box<dyn Fn() -> Scene>,
}

impl Row {
    fn new(site: Site, name: &'static str, scene: impl Fn() -> Scene + 'static) -> Self {
        Self {
            site,
            name,
            code: 130,
            scene: Box::new(scene),
        }
    }
}

/// Starts a row's command and waits until it is blocked at the row's site.
#[track_caller]
fn waiting(row: &Row) -> (Running, Scene) {
    let mut scene = (row.scene)();
    let mut running = Running::spawn(&mut scene.command);
    match &scene.waits {
        Waits::Says => {
            running.stderr_line_with(&format!("waiting for {}", row.site));
        }
        Waits::Heard(heard) => heard
            .recv_timeout(DEADLINE)
            .unwrap_or_else(|_| panic!("{}: nothing is said on the line", row.name)),
        Waits::Rests(text) => {
            if !text.is_empty() {
                running.stderr_line_with(text);
            }
            until_idle(running.id());
        }
    }
    scene.command = Command::new("true");
    (running, scene)
}

#[test]
fn the_first_signal_ends_every_wait_cleanly() {
    for row in rows() {
        for signal in SIGNALS {
            let (running, _scene) = waiting(&row);
            let asked = Instant::now();
            running.signal(signal);
            let finished = running.finish();
            let took = asked.elapsed();
            assert_eq!(
                finished.code,
                Some(row.code),
                "{:?}, {}, {signal}: {}",
                row.site,
                row.name,
                finished.stderr
            );
            assert!(
                took < SOON,
                "{:?}, {}, {signal}: {took:?}; {}",
                row.site,
                row.name,
                finished.stderr
            );
        }
    }
}

#[test]
fn the_second_signal_ends_every_wait_at_once() {
    for row in rows() {
        let (running, _scene) = waiting(&row);
        two_signals(&running);
        let finished = running.finish();
        // A command with nothing to clean up may end before it sees the second signal.
        assert!(
            [Some(130), Some(row.code)].contains(&finished.code),
            "{:?}, {}: {:?}; {}",
            row.site,
            row.name,
            finished.code,
            finished.stderr
        );
    }
}

/// Sends two signals while the process is stopped, so that it sees both at once.
#[track_caller]
fn two_signals(running: &Running) {
    running.stop();
    running.signal("INT");
    running.signal("TERM");
    running.signal("CONT");
}

#[test]
fn every_site_is_in_the_table() {
    let tested: HashSet<Site> = rows().iter().map(|row| row.site).collect();
    for site in Site::ALL {
        let is_tested = tested.contains(&site)
            // In `terminals`.
            || site == Site::Password
            // In tests/board/watch.rs: the wait begins on a board that answers.
            || site == Site::Save
            || !cfg!(feature = "flash") && matches!(site, Site::ReadFirmware | Site::Chip);
        assert!(is_tested, "{site:?}");
    }
}

/// The board stops receiving in the middle of an operation.
#[test]
fn after_ctrl_c_on_a_silent_board_the_run_ends_with_a_hint() {
    for signal in SIGNALS {
        let mut board = VirtualBoard::options().slow().file("x", "old").ready();
        let big = board.files().with_file_name("x");
        fs::write(&big, random(60_000)).unwrap();
        let part = board.files().join(".udpcli.part");
        let running = start(&board, ["put", text(&big), ":"]);
        crate::process::eventually("the transfer has begun", || {
            fs::metadata(&part).is_ok_and(|part| part.len() > 0)
        });
        board.control("silence", json!({"on": true}));
        ends_and_says(running, signal, 130);
        board.control("silence", json!({"on": false}));
        assert_eq!(fs::read(board.files().join("x")).unwrap(), b"old");
        board.control("baud", json!({"baud": 921_600}));
        // The next run reaches the board, and removes the leftovers of this one.
        let again = crate::client::board(&board, ["put", text(&big), ":"]).expect_code(0);
        assert!(again.stderr.contains("1 written"), "{}", again.stderr);
        assert_untouched(&board, &["x"]);

        let mut running = start_source(&board, "print('begin')\nwhile True: pass\n");
        assert_eq!(running.stdout_line(), "begin\r\n");
        board.control("silence", json!({"on": true}));
        ends_and_says(running, signal, 130);
        board.control("silence", json!({"on": false}));
        assert_eq!(
            run_source(&board, "print(2)").expect_code(0).text(),
            "2\r\n"
        );
    }
}

#[track_caller]
fn ends_and_says(running: Running, signal: &str, code: i32) {
    let asked = Instant::now();
    running.signal(signal);
    let finished = running.finish().expect_code(code);
    let took = asked.elapsed();
    assert!(took < SOON, "{signal}: {took:?}; {}", finished.stderr);
    assert!(
        finished.stderr.contains("udpcli board reset --hard"),
        "{signal}: {}",
        finished.stderr
    );
}

#[test]
fn the_second_signal_does_not_wait_for_a_silent_board() {
    let mut board = VirtualBoard::options().ready();
    let mut running = start_source(&board, "print('begin')\nwhile True: pass\n");
    assert_eq!(running.stdout_line(), "begin\r\n");
    board.control("silence", json!({"on": true}));
    two_signals(&running);
    // A clean end would have printed how to recover the board.
    let finished = running.finish().expect_code(130);
    assert!(
        !finished.stderr.contains("reset --hard"),
        "{}",
        finished.stderr
    );
}

/// A full pipe with its reading end.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    fill(&writer);
    (reader, writer)
}

/// Fills a pipe, or a FIFO.
fn fill<S: AsFd>(stream: &S)
where
    for<'a> &'a S: Write,
{
    let flags = rustix::fs::fcntl_getfl(stream).unwrap();
    make_nonblocking(stream);
    let mut writer = stream;
    while writer.write(&[b'.'; 4096]).is_ok() {}
    while writer.write(b".").is_ok() {}
    rustix::fs::fcntl_setfl(stream, flags).unwrap();
}

/// Waits until the process uses no processor time, because it is blocked by its reader.
fn until_idle(id: u32) {
    let time = || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split(' ').collect();
        // User and system time (proc_pid_stat(5)).
        (fields[12].to_owned(), fields[13].to_owned())
    };
    let deadline = Instant::now() + DEADLINE;
    let mut last = time();
    let mut still = 0;
    while still < 10 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
        let now = time();
        still = if now == last { still + 1 } else { 0 };
        last = now;
    }
}

/// Starts a command with unread stdout or stderr, and waits until it is blocked.
fn unread(mut command: Command, stream: &str) -> (Child, std::io::PipeReader) {
    let (reader, writer) = full_pipe();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match stream {
        "stdout" => command.stdout(writer),
        _ => command.stderr(writer),
    };
    let child = command.spawn().unwrap();
    until_idle(child.id());
    (child, reader)
}

#[test]
fn a_stalled_reader_does_not_delay_the_end() {
    let main = "from mpython import oled\nimport time\nwhile True:\n    oled.text(str(time.ticks_ms()), 0, 0)\n    oled.show()\n    oled.fill(0)\n";
    let board = VirtualBoard::options()
        .baud(921_600)
        .file("x", "new")
        .file("main.py", main)
        .ready();
    let script = board.files().with_file_name("script.py");
    fs::write(&script, "while True: print('x' * 200)\n").unwrap();
    let peer = loopback_socket();
    let peer = peer.local_addr().unwrap().to_string();
    let on_board = |args: &[&str]| {
        let mut all = vec!["board", "-s", &board.port];
        all.extend(args);
        udpcli(all)
    };
    for (name, stream, codes, command) in [
        ("ls", "stdout", &[130][..], on_board(&["ls"])),
        ("info", "stdout", &[130], on_board(&["info"])),
        ("get -", "stdout", &[130], on_board(&["get", ":x", "-"])),
        ("list", "stdout", &[130], on_board(&["list", "--probe"])),
        ("run", "stdout", &[0], on_board(&["run", text(&script)])),
        (
            // On a busy machine the program may not have reached the first frame yet.
            "oled",
            "stdout",
            &[0, 130],
            on_board(&["oled", "--format", "json"]),
        ),
        ("ls -vv", "stderr", &[130], on_board(&["-vv", "ls"])),
        (
            "run -vv",
            "stderr",
            &[0, 130],
            on_board(&["-vv", "run", text(&script)]),
        ),
        (
            "send -v",
            "stderr",
            &[0, 130],
            udpcli(["-v", "send", &peer, "x", "-n", "1000", "-i", "1ms"]),
        ),
        (
            "listen -v",
            "stderr",
            &[0, 130],
            udpcli(["-v", "listen", "-p", "0", "--bind", "127.0.0.1"]),
        ),
        (
            "an error",
            "stderr",
            &[3, 130],
            udpcli(["board", "-s", "/dev/null", "ls"]),
        ),
    ] {
        let mut command = command;
        command.env_remove("UDPCLI_SERIAL");
        let (mut child, _reader) = unread(command, stream);
        let asked = Instant::now();
        let sent = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "{name}: it has ended before");
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if asked.elapsed() > SOON {
                let _ = child.kill();
                panic!("{name}, {stream}: does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(
            status.code().is_some_and(|code| codes.contains(&code)),
            "{name}, {stream}: {status}"
        );
    }
    assert_untouched(&board, &["main.py", "x"]);
}

/// A server that sends Telnet option requests without end and never reads the replies.
#[cfg(feature = "flash")]
#[test]
fn a_server_that_never_reads_does_not_delay_the_end() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // IAC DO 24: the terminal type.
            std::thread::spawn(
                move || while stream.write_all(&[255, 253, 24].repeat(1000)).is_ok() {},
            );
        }
    });
    let port = format!("rfc2217://{address}");
    // Take the best of several runs, because this machine may be busy.
    let took = (0..5).map(|_| {
        let running = Running::spawn(&mut rows::quiet(&["board", "-s", &port, "info", "--flash"]));
        std::thread::sleep(Duration::from_millis(1500));
        let asked = Instant::now();
        running.signal("TERM");
        running.finish().expect_code(130);
        asked.elapsed()
    });
    let best = took.min().unwrap();
    assert!(best < Duration::from_secs(2), "{best:?}");
}
