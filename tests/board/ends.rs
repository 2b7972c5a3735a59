//! How commands end: wherever a command waits, the first SIGINT, SIGTERM or SIGHUP ends it cleanly within 2 s, and the
//! second one at once. The table covers every [`Site`] where the program can be blocked.
//!
//! Long because it is one table of all waits, and the checks that none is missing from it.

use std::any::Any;
use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use udpcli::wait::Site;

use crate::client::{assert_untouched, command, run_source, start, start_source};
use crate::files::{random, text};
use crate::process::{DEADLINE, Running, bash, loopback_socket, udpcli};
use crate::streams::{Fifo, make_nonblocking, terminal};
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

fn scene(command: Command, keep: impl Any) -> Scene {
    Scene {
        command,
        waits: Waits::Says,
        _keep: Box::new(keep),
    }
}

fn quiet(args: &[&str]) -> Command {
    let mut command = udpcli(args);
    command
        .arg("-vv")
        .env_remove("UDPCLI_SERIAL")
        .stdin(Stdio::null());
    command
}

/// A command with a FIFO in place of `FIFO`, which no other process opens.
fn with_fifo(args: &'static [&'static str]) -> impl Fn() -> Scene {
    move || {
        let fifo = Fifo::new("fifo.pcap");
        let socket = loopback_socket();
        let peer = socket.local_addr().unwrap().to_string();
        let args: Vec<String> = args
            .iter()
            .map(|arg| arg.replace("FIFO", fifo.name()).replace("PEER", &peer))
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scene(quiet(&args), (fifo, socket))
    }
}

/// A command with a standard input that stays open and silent.
fn with_stdin(command: Command, keep: impl Any) -> Scene {
    let mut command = command;
    let (ours, theirs) = std::io::pipe()
        .map(|(reader, writer)| (writer, reader))
        .unwrap();
    command.stdin(theirs);
    scene(command, (ours, keep))
}

/// A TCP port that sends `answer` after any input.
fn line(answer: &'static [u8]) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut lines = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            lines.push(stream.try_clone().unwrap());
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer) {
                    if stream.write_all(answer).is_err() || sender.send(()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

/// A command on a serial port that never replies.
fn on_silent_line(args: &'static [&'static str]) -> impl Fn() -> Scene {
    move || {
        let (address, heard) = line(b"");
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file.py");
        fs::write(&path, "print(1)").unwrap();
        let args: Vec<String> = args
            .iter()
            .map(|arg| {
                arg.replace("LINE", &format!("socket://{address}"))
                    .replace("FILE", text(&path))
            })
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Scene {
            waits: Waits::Heard(heard),
            ..scene(quiet(&args), folder)
        }
    }
}

/// A listener with a full backlog: the next connection gets no reply.
fn full_listener() -> (SocketAddr, impl Any) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
    }
    (address, (socket, queued))
}

fn unconnected(args: &'static [&'static str]) -> impl Fn() -> Scene {
    move || {
        let (address, keep) = full_listener();
        let args: Vec<String> = args
            .iter()
            .map(|arg| arg.replace("ADDRESS", &address.to_string()))
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scene(quiet(&args), keep)
    }
}

/// A command in its own network namespace with a name server that never replies.
fn without_name_server(args: &'static [&'static str]) -> impl Fn() -> Scene {
    move || {
        let folder = TempDir::new().unwrap();
        let conf = folder.path().join("resolv.conf");
        fs::write(
            &conf,
            "nameserver 10.9.9.2\noptions timeout:30 attempts:1\n",
        )
        .unwrap();
        let inner = quiet(args);
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "--net", "sh", "-c"])
            .arg(
                "mount --bind \"$0\" /etc/resolv.conf && ip link add quiet type veth peer name other \
                 && ip address add 10.9.9.1/24 dev quiet && ip link set quiet up && ip link set other up \
                 && ip neighbour add 10.9.9.2 lladdr 02:00:00:00:00:02 dev quiet \
                 && for i in $(seq 500); do ip link show quiet | grep -q LOWER_UP && break; sleep 0.02; done && exec \"$@\"",
            )
            .arg(conf)
            .arg(inner.get_program())
            .args(inner.get_args())
            .env_remove("UDPCLI_LOG")
            .stdin(Stdio::null());
        scene(command, folder)
    }
}

/// Creates an executable with this name in the folder.
fn executable(folder: &Path, name: &str, line: &str) {
    let program = folder.join(name);
    fs::write(&program, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The PATH with this folder first.
fn path_with(folder: &Path) -> String {
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}", text(folder))
}

/// `listen` with rules of which each takes long to compile, and all together longer than the test waits.
fn with_many_rules() -> Scene {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rules.toml");
    let rules: Vec<String> = (0..1000)
        .map(|n| format!("[[replies]]\non = 're:{n}(\\w{{4}})'\ntext = 'a'\n"))
        .collect();
    fs::write(&path, rules.concat()).unwrap();
    let args = ["listen", "-p", "0", "--bind", "127.0.0.1", "--replies"];
    scene(quiet(&[&args[..], &[text(&path)]].concat()), folder)
}

fn files() -> Vec<Row> {
    vec![
        Row::new(
            Site::OpenPayload,
            "send --file",
            with_fifo(&["send", "PEER", "--file", "FIFO"]),
        ),
        Row::new(
            Site::OpenPayload,
            "send --lines",
            with_fifo(&["send", "PEER", "--file", "FIFO", "--lines", "-w", "1h"]),
        ),
        Row::new(
            Site::OpenCapture,
            "listen --save",
            with_fifo(&["listen", "-p", "0", "--bind", "127.0.0.1", "--save", "FIFO"]),
        ),
        Row::new(Site::Rules, "listen --replies", with_many_rules),
        Row::new(
            Site::Resolve,
            "send NAME",
            without_name_server(&["send", "board.example:6000", "x"]),
        ),
        Row::new(
            Site::ReadScript,
            "board run FIFO",
            with_fifo(&["board", "-s", "/dev/null", "run", "FIFO"]),
        ),
        Row::new(Site::ReadScript, "board run -", || {
            with_stdin(quiet(&["board", "-s", "/dev/null", "run", "-"]), ())
        }),
        Row {
            code: 0,
            ..Row::new(Site::ReadSource, "board repl", || {
                let (address, heard) = line(b"\r\n>>> ");
                let port = format!("socket://{address}");
                with_stdin(quiet(&["board", "-s", &port, "repl"]), heard)
            })
        },
        Row::new(Site::Simulator, "pair --simulate", || {
            // A micropython without any output.
            let folder = TempDir::new().unwrap();
            executable(folder.path(), "micropython", "exec sleep 1000");
            let mut command = quiet(&["pair", "--simulate"]);
            command.env("PATH", path_with(folder.path()));
            scene(command, folder)
        }),
        Row::new(Site::Radio, "pair", || {
            let board = VirtualBoard::options()
                .arg("--wifi", "class:secret")
                .ready();
            let folder = TempDir::new().unwrap();
            executable(folder.path(), "nmcli", "sleep 1000 & exec sleep 1000");
            let mut command = quiet(&["pair", "-s", &board.port, "--ssid", "another"]);
            command
                .args(["--password-env", "PASSWORD"])
                .env("PASSWORD", "secret")
                .env("PATH", path_with(folder.path()));
            scene(command, (folder, board))
        }),
        Row::new(Site::Menu, "udpcli alone", || {
            // With `-vv` it would not be alone.
            let mut command = udpcli::<&str>([]);
            command.env("UDPCLI_MENU", "1");
            Scene {
                waits: Waits::Rests(""),
                ..with_stdin(command, ())
            }
        }),
        Row::new(Site::Editor, "board edit", || {
            let board = VirtualBoard::options().file("x", "old").ready();
            let folder = TempDir::new().unwrap();
            // After the second signal nobody ends the editor: it must not hold the streams that the test reads to the end.
            executable(folder.path(), "editor", "exec sleep 20 >&- 2>&-");
            let mut command = command(&board, ["edit", ":x"]);
            command
                .arg("-vv")
                .env("VISUAL", folder.path().join("editor"));
            scene(command, (folder, board))
        }),
        Row::new(Site::Sleep, "board sleep", || {
            scene(quiet(&["board", "sleep", "1h"]), ())
        }),
        Row::new(
            Site::Boards,
            "find",
            without_name_server(&["find", "--wait", "1h"]),
        ),
        Row::new(Site::Firewall, "doctor", || {
            let folder = TempDir::new().unwrap();
            executable(folder.path(), "nft", "sleep 1000 & exec sleep 1000");
            let mut command = quiet(&["doctor"]);
            command.env("PATH", path_with(folder.path()));
            scene(command, folder)
        }),
        Row::new(Site::WriteDevice, "board get", || {
            let board = VirtualBoard::options().file("x", "new").ready();
            let fifo = Fifo::new("fifo.pcap");
            let mut command = command(&board, ["get", ":x", fifo.name()]);
            command.arg("-vv");
            scene(command, (fifo, board))
        }),
    ]
}

fn connections() -> Vec<Row> {
    vec![
        Row::new(
            Site::Connect,
            "socket://",
            unconnected(&["board", "-s", "socket://ADDRESS", "info"]),
        ),
        Row::new(
            Site::Connect,
            "rfc2217://",
            unconnected(&["board", "-s", "rfc2217://ADDRESS", "ls"]),
        ),
        Row::new(
            Site::Connect,
            "socket://NAME",
            without_name_server(&["board", "-s", "socket://board.example:2217", "info"]),
        ),
        Row::new(
            Site::Connect,
            "pair",
            unconnected(&["pair", "-s", "socket://ADDRESS"]),
        ),
        Row::new(
            Site::Connect,
            "pair --watch",
            unconnected(&["pair", "-s", "socket://ADDRESS", "--watch"]),
        ),
    ]
}

fn silent_boards() -> Vec<Row> {
    [
        ("info", &["board", "-s", "LINE", "info"][..]),
        ("list --probe", &["board", "-s", "LINE", "list", "--probe"]),
        ("ls", &["board", "-s", "LINE", "ls"]),
        ("rm", &["board", "-s", "LINE", "rm", ":x"]),
        ("put", &["board", "-s", "LINE", "put", "FILE"]),
        ("get", &["board", "-s", "LINE", "get", ":x", "FILE"]),
        ("get -", &["board", "-s", "LINE", "get", ":x", "-"]),
        ("run", &["board", "-s", "LINE", "run", "FILE"]),
        ("oled", &["board", "-s", "LINE", "oled"]),
        ("oled --once", &["board", "-s", "LINE", "oled", "--once"]),
        ("repl", &["board", "-s", "LINE", "repl"]),
        ("reset", &["board", "-s", "LINE", "reset"]),
        ("pair", &["pair", "-s", "LINE"]),
        (
            "pair --format json",
            &["pair", "-s", "LINE", "--format", "json"],
        ),
        ("pair --watch", &["pair", "-s", "LINE", "--watch"]),
    ]
    .map(|(name, args)| Row::new(Site::Board, name, on_silent_line(args)))
    .into()
}

/// `board monitor` on a board that says nothing, and on a line that was cut.
fn monitors() -> Vec<Row> {
    let monitor = |address: SocketAddr| {
        let port = format!("socket://{address}");
        quiet(&["board", "-s", &port, "monitor"])
    };
    let silent = move || {
        let (address, heard) = line(b"");
        scene(monitor(address), heard)
    };
    let cut = move || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || drop(listener.accept()));
        scene(monitor(address), thread)
    };
    let row = |site, name, scene: Box<dyn Fn() -> Scene>| Row {
        site,
        name,
        code: 0,
        scene,
    };
    vec![
        row(Site::Monitor, "monitor", Box::new(silent)),
        row(Site::Cable, "monitor", Box::new(cut)),
    ]
}

fn flashing() -> Vec<Row> {
    let mut rows = Vec::new();
    if cfg!(feature = "flash") {
        for (name, args) in [
            (
                "flash FIFO",
                &["board", "-s", "/dev/null", "flash", "FIFO"][..],
            ),
            (
                "flash --font",
                &["board", "-s", "/dev/null", "flash", "--font", "FIFO"],
            ),
            (
                "flash --restore",
                &["board", "-s", "/dev/null", "flash", "--restore", "FIFO"],
            ),
        ] {
            rows.push(Row::new(Site::ReadFirmware, name, with_fifo(args)));
        }
        rows.push(Row::new(
            Site::Connect,
            "board flash",
            unconnected(&["board", "-s", "socket://ADDRESS", "flash", "--backup", "-"]),
        ));
        for (name, args) in [
            (
                "info --flash",
                &["board", "-s", "LINE", "info", "--flash"][..],
            ),
            (
                "flash --backup",
                &["board", "-s", "LINE", "flash", "--backup", "-"],
            ),
            (
                "flash",
                &["board", "-s", "LINE", "flash", "--force", "FILE@0x10000"],
            ),
        ] {
            rows.push(Row::new(Site::Chip, name, on_silent_line(args)));
        }
    }
    rows
}

/// A command that waits after it has printed `text`; `PEER` is replaced by a socket that never replies.
fn resting(args: &'static [&'static str], text: &'static str) -> impl Fn() -> Scene {
    move || {
        let socket = loopback_socket();
        let peer = socket.local_addr().unwrap().to_string();
        let args: Vec<String> = args.iter().map(|arg| arg.replace("PEER", &peer)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Scene {
            waits: Waits::Rests(text),
            ..with_stdin(quiet(&args), socket)
        }
    }
}

/// A command in its own network namespace with a neighbour that never answers: the kernel queues datagrams up to the
/// size of the send buffer.
fn without_neighbour(args: &'static [&'static str]) -> impl Fn() -> Scene {
    move || {
        let inner = quiet(args);
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--net", "sh", "-c"])
            .arg(
                "ip link add quiet type veth peer name other && ip address add 10.9.9.1/24 dev quiet \
                 && ip link set quiet up && ip link set other up \
                 && echo 10000000 > /proc/sys/net/ipv4/neigh/quiet/unres_qlen_bytes \
                 && echo 100000 > /proc/sys/net/ipv4/neigh/quiet/mcast_solicit && exec \"$0\" \"$@\"",
            )
            .arg(inner.get_program())
            .args(inner.get_args())
            .env_remove("UDPCLI_LOG")
            .stdin(Stdio::null());
        Scene {
            waits: Waits::Rests(""),
            ..scene(command, ())
        }
    }
}

/// A command with stdout or stderr connected to a full pipe.
fn into_full_pipe(stream: &'static str, args: &'static [&'static str]) -> impl Fn() -> Scene {
    move || {
        let fifo = Fifo::new("fifo.pcap");
        // With both ends open, neither this process nor the command blocks in `open`.
        let both = fs::File::options()
            .read(true)
            .write(true)
            .open(&fifo.path)
            .unwrap();
        fill(&both);
        let socket = loopback_socket();
        let peer = socket.local_addr().unwrap().to_string();
        let args: Vec<String> = args.iter().map(|arg| arg.replace("PEER", &peer)).collect();
        let inner = udpcli(args.iter().map(String::as_str));
        let number = if stream == "stdout" { 1 } else { 2 };
        let mut command = bash(
            &format!("exec \"$0\" \"$@\" {number}>\"$FULL\""),
            inner.get_args(),
        );
        command
            .env("FULL", &fifo.path)
            .env_remove("UDPCLI_SERIAL")
            .env_remove("UDPCLI_LOG")
            .stdin(Stdio::null());
        Scene {
            waits: Waits::Rests(""),
            ..scene(command, (fifo, both, socket))
        }
    }
}

fn relays() -> Vec<Row> {
    const RELAY: [&str; 5] = ["relay", "--listen", "127.0.0.1:0", "--to", "PEER"];
    const LIMITED: [&str; 7] = [
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "PEER",
        "--duration",
        "1h",
    ];
    let row = |name, code, args| Row {
        code,
        ..Row::new(Site::Relayed, name, resting(args, "listening on"))
    };
    vec![
        row("relay", 0, &RELAY[..]),
        row("relay --duration", 130, &LIMITED[..]),
    ]
}

fn datagrams() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |site, name, code, scene: Box<dyn Fn() -> Scene>| {
        rows.push(Row {
            site,
            name,
            code,
            scene,
        });
    };
    for (site, name, code, args, text) in [
        (
            Site::Payload,
            "send, lines",
            0,
            &["send", "PEER"][..],
            "socket",
        ),
        (
            Site::Payload,
            "send --file -",
            130,
            &["send", "PEER", "--file", "-"],
            "socket",
        ),
        (
            Site::Pace,
            "send -n 2",
            130,
            &["send", "PEER", "x", "-n", "2", "-i", "1h"],
            "sendto",
        ),
        (
            Site::Pace,
            "send --rate",
            130,
            &["send", "PEER", "x", "--rate", "0.001", "--duration", "1h"],
            "sendto",
        ),
        (
            Site::Replies,
            "send -w",
            130,
            &["send", "PEER", "x", "-w", "1h"],
            "sendto",
        ),
        (
            Site::Datagrams,
            "listen",
            0,
            &["listen", "-p", "0", "--bind", "127.0.0.1"],
            "listening on",
        ),
        (
            Site::Datagrams,
            "listen -n 1",
            130,
            &["listen", "-p", "0", "--bind", "127.0.0.1", "-n", "1"],
            "listening on",
        ),
        (
            Site::Datagrams,
            "listen --timeout",
            0,
            &[
                "listen",
                "-p",
                "0",
                "--bind",
                "127.0.0.1",
                "--timeout",
                "1h",
                "--oled",
            ],
            "listening on",
        ),
    ] {
        row(site, name, code, Box::new(resting(args, text)));
    }
    let args = &[
        "send",
        "10.9.9.2:6000",
        "--size",
        "1000",
        "-n",
        "1000000",
        "--send-buffer",
        "8k",
        "--bind",
        "10.9.9.1",
    ];
    let scene = Box::new(without_neighbour(args));
    row(Site::SendBuffer, "send --size", 130, scene);
    row(
        Site::Demo,
        "demo",
        130,
        Box::new(|| scene_of(quiet(&["demo"]))),
    );
    rows
}

fn scene_of(command: Command) -> Scene {
    scene(command, ())
}

fn unread_streams() -> Vec<Row> {
    [
        (
            Site::Stdout,
            "listen",
            0,
            &[
                "listen",
                "-p",
                "0",
                "--bind",
                "127.0.0.1",
                "--format",
                "board",
            ][..],
        ),
        (
            Site::Stdout,
            "listen -n",
            130,
            &[
                "listen",
                "-p",
                "0",
                "--bind",
                "127.0.0.1",
                "--format",
                "board",
                "-n",
                "1",
            ],
        ),
        (
            Site::Stdout,
            "send -w",
            130,
            &["send", "PEER", "x", "-w", "1h", "--format", "board"],
        ),
        (
            Site::Stdout,
            "board list",
            130,
            &["board", "-s", "/dev/null", "list", "--probe"],
        ),
        (Site::Stdout, "demo", 130, &["demo"]),
        (Site::Stdout, "pair", 130, &["pair", "-s", "/dev/null"]),
        (
            Site::Stdout,
            "pair --format json",
            130,
            &["pair", "-s", "/dev/null", "--format", "json"],
        ),
        (
            Site::Stderr,
            "listen -v",
            0,
            &["listen", "-p", "0", "--bind", "127.0.0.1", "-v"],
        ),
        (
            Site::Stderr,
            "send -v",
            130,
            &["-v", "send", "PEER", "x", "-n", "1000", "-i", "1ms"],
        ),
    ]
    .map(|(site, name, code, args)| {
        let stream = if site == Site::Stdout {
            "stdout"
        } else {
            "stderr"
        };
        Row {
            site,
            name,
            code,
            scene: Box::new(into_full_pipe(stream, args)),
        }
    })
    .into()
}

/// All rows.
fn rows() -> Vec<Row> {
    [
        files(),
        connections(),
        silent_boards(),
        monitors(),
        flashing(),
        datagrams(),
        relays(),
        unread_streams(),
    ]
    .into_iter()
    .flatten()
    .collect()
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
            // A separate test covers it, see below.
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
        // The next run reaches the board, and removes what this one had to leave.
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

/// Calls that may block without a limit, and the files that may contain them: where the call cannot block, or where
/// [`udpcli::wait`] runs it.
const BLOCKING: [(&str, &[&str]); 19] = [
    (
        "File::open(",
        &[
            // Files of the operating system.
            "src/atomic_file.rs",
            // On another thread: `Site::OpenPayload`, `Site::ReadScript`, `Site::ReadFirmware`.
            "src/file.rs",
            "src/cli/board/run.rs",
            // A regular file, looked at before.
            "src/cli/board/run/watch.rs",
            "src/board/flash/files.rs",
            "src/board/flash/backup.rs",
            // Regular files, checked before.
            "src/board/files/upload_plan.rs",
        ],
    ),
    (
        "File::options(",
        &[
            // `Site::WriteDevice`.
            "src/atomic_file.rs",
            // The code refuses a FIFO or a device before.
            "src/cli/board/monitor/log.rs",
            // These do not block: O_NONBLOCK, or the terminal itself.
            "src/board/monitor/reader.rs",
            "src/config.rs",
            "src/board/port/cable.rs",
            "src/terminal/stream.rs",
            "src/terminal/prompt.rs",
            "src/config.rs",
        ],
    ),
    (
        "OpenOptions::new(",
        &[
            // `Site::OpenCapture`.
            "src/capture.rs",
        ],
    ),
    (
        "(File::create(",
        &[
            // The code refuses a FIFO or a device before.
            "src/board/wire.rs",
        ],
    ),
    // A device is refused before.
    ("= File::create(", &["src/cli/board/repl.rs"]),
    (
        "fs::read(",
        &[
            // Regular files, checked before.
            "src/board/files/changed.rs",
            "src/board/files/download.rs",
            // A file that udpcli made itself.
            "src/cli/board/edit.rs",
        ],
    ),
    (
        "fs::read_to_string(",
        &[
            // A regular file, checked before.
            "src/cli/board/repl.rs",
            // The kernel's neighbour table.
            "src/survey/find/neighbours.rs",
            // Files of the operating system.
            "src/board/holder.rs",
            "src/board/port.rs",
            "src/board/ports.rs",
            "src/firewall/linux.rs",
            "src/processes.rs",
            "src/udp/adapter.rs",
            "src/pair/sockets.rs",
            "src/shutdown.rs",
            "src/udp/system/linux.rs",
            "src/udp/system/linux/receive.rs",
        ],
    ),
    // In a folder that udpcli made itself.
    ("fs::write(", &["src/cli/board/edit.rs"]),
    ("connect_timeout(", &["src/board/port/tcp.rs"]),
    ("to_socket_addrs(", &["src/board/port/tcp.rs"]),
    ("lookup_host(", &["src/udp/endpoint.rs"]),
    ("prompt_password(", &["src/terminal/prompt.rs"]),
    ("read_password", &["src/terminal/prompt.rs"]),
    // An event loop's wait has a site as well.
    (".asked()", &["src/wait.rs"]),
    (
        ".recv()",
        &[
            // The signal handling itself, and an event loop that selects.
            "src/shutdown.rs",
            "src/udp/payload/replay.rs",
            "src/udp/payload/source.rs",
            // A thread that the same function ends.
            "src/pair/measure.rs",
        ],
    ),
    (
        ".join()",
        &[
            // These threads end by themselves: they compute, or check for Ctrl-C.
            "src/board/files/put.rs",
            "src/board/flash/backup.rs",
            "src/cli/listen/watch.rs",
            "src/cli/pair/watch.rs",
            "src/pair/measure.rs",
        ],
    ),
    (
        "child.wait()",
        &[
            // Child processes that have closed their output, or were killed.
            "src/demo.rs",
            // Killed before.
            "src/pair/simulate.rs",
            "src/cli/menu.rs",
            "src/os_command.rs",
        ],
    ),
    (
        "read_line(",
        &[
            "src/cli/menu.rs",
            // On the thread of `Site::Password`.
            "src/terminal/prompt.rs",
        ],
    ),
    (
        "::stdin()",
        &[
            // On other threads: `Site::OpenPayload` and the send loop, `Site::ReadScript`, `Site::ReadSource`.
            "src/udp/payload/source.rs",
            "src/cli/board/run.rs",
            "src/cli/board/do_steps.rs",
            "src/cli/board/repl.rs",
            // Its own thread reads; this only asks whether it is a terminal.
            "src/cli/board/stdin.rs",
            "src/cli/menu.rs",
            "src/cli/send/payload.rs",
            "src/terminal.rs",
            "src/terminal/stream.rs",
            "src/terminal/prompt.rs",
        ],
    ),
];

#[test]
fn every_blocking_call_is_covered_by_a_site() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = text(path.strip_prefix(root).unwrap()).to_owned();
            let is_test = name.ends_with("/tests.rs");
            if path.extension().is_none_or(|extension| extension != "rs")
                || is_test
                || name == "src/wait.rs"
            {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
            for (call, places) in BLOCKING {
                for line in source.lines() {
                    let is_code = !line.trim_start().starts_with("//");
                    if is_code && line.contains(call) && !places.contains(&name.as_str()) {
                        found.push(format!("{name}: {}", line.trim()));
                    }
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "these may hold up the end; let udpcli::wait call them: {found:#?}"
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
            // On a busy machine it may not have reached the first frame yet.
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

/// Closing the terminal window ends the command.
#[test]
fn a_closed_window_ends_every_command_cleanly() {
    let board = VirtualBoard::options()
        .baud(921_600)
        .arg("--wifi", "class:secret")
        .ready();
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("script.py");
    fs::write(
        &script,
        "import time\nwhile True:\n print('tick')\n time.sleep(0.02)\n",
    )
    .unwrap();
    let big = folder.path().join("big");
    fs::write(&big, random(300_000)).unwrap();
    let port = board.port.clone();
    let on_board = |args: &[&str]| -> Vec<String> {
        let all = ["board", "-s", &port]
            .into_iter()
            .chain(args.iter().copied());
        all.map(str::to_owned).collect()
    };
    let (silent, _heard) = line(b"");
    let plain = |line: &str| line.split(' ').map(str::to_owned).collect();
    let listen = "listen -p 0 --bind 127.0.0.1 --stats 10ms";
    let rows: Vec<(&str, Vec<String>, &str, i32)> = vec![
        ("run", on_board(&["run", text(&script)]), "tick", 0),
        ("repl", on_board(&["repl"]), ">>> ", 0),
        ("put", on_board(&["put", text(&big), ":"]), "%", 130),
        ("listen", plain(listen), "0 datagrams", 0),
        ("listen --oled", plain(&format!("{listen} --oled")), "└", 0),
        ("send", plain("send 127.0.0.1:9 -i 10ms"), "refused", 0),
        ("send -I", plain("send 127.0.0.1:9 -I"), "Ctrl-C", 0),
        (
            "send -n",
            plain("send 127.0.0.1:9 -v x -n 10000 -i 10ms"),
            "refused",
            130,
        ),
        (
            "pair",
            plain(&format!("pair -v -s socket://{silent}")),
            " baud",
            130,
        ),
        (
            "pair --ssid",
            plain(&format!("pair -s {port} --ssid x")),
            "password of x: ",
            130,
        ),
        // Before the first round.
        (
            "pair --watch",
            plain(&format!("pair -s socket://{silent} --watch")),
            "TESTING",
            130,
        ),
    ];
    for (name, args, until, code) in rows {
        // The process may notice the signal first, or the closed terminal.
        for _ in 0..3 {
            let (ended, took) = in_closed_window(&args, until);
            assert_eq!(ended, Some(code), "{name}");
            assert!(took < SOON, "{name}: {took:?}");
        }
    }
    assert_untouched(&board, &[]);
}

/// Runs `udpcli ARGS` on a terminal, closes it once it shows `text`, and returns the exit code and the time until the
/// end.
fn in_closed_window(args: &[String], text: &str) -> (Option<i32>, Duration) {
    let (theirs, ours) = terminal();
    let size = rustix::termios::Winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&theirs, size).unwrap();
    // The program is the session leader of the terminal, so it receives SIGHUP.
    let mut command = Command::new("setsid");
    command
        .arg("--ctty")
        .arg(udpcli::<&str>([]).get_program())
        .args(args)
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("UDPCLI_SERIAL")
        .env_remove("UDPCLI_LOG")
        .stdin(theirs.try_clone().unwrap())
        .stdout(theirs.try_clone().unwrap())
        .stderr(theirs);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut ours = fs::File::from(ours);
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&shown).contains(text) {
        let len = ours.read(&mut buffer).unwrap_or_else(|error| {
            panic!("{args:?}: {error}; {}", String::from_utf8_lossy(&shown))
        });
        shown.extend_from_slice(&buffer[..len]);
    }
    drop(ours);
    let closed = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), closed.elapsed());
        }
        if closed.elapsed() > DEADLINE {
            let _ = child.kill();
            panic!("{args:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The child of this process, once it exists.
fn child_of(parent: u32) -> u32 {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let mut child = None;
    crate::process::eventually("it starts a process", || {
        let children = fs::read_to_string(&path).unwrap_or_default();
        child = children.split(' ').find_map(|id| id.parse().ok());
        child.is_some()
    });
    child.unwrap()
}

/// Runs `udpcli ARGS` on a terminal, sends `signals` once it shows `text`, and returns the output, with the terminal's
/// modes at the end, and the exit code.
fn signalled_on_terminal(args: &[&str], text: &str, signals: &[&str]) -> (String, Option<i32>) {
    let line = "trap : INT; stty echo; \"$0\" \"$@\"; code=$?; \
                echo; stty -a | grep -owE -- '-?(echo|icanon)'; echo ended; exit $code";
    let mut command = Command::new("python3");
    command
        .args(["-c", crate::process::PTY, "", "sh", "-c", line])
        .arg(udpcli::<&str>([]).get_program())
        .args(args)
        .env_remove("UDPCLI_SERIAL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = String::new();
    let mut until = |text: &str| {
        let mut byte = [0];
        while !shown.contains(text) {
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "no {text} in {shown}");
            shown.push(char::from(byte[0]));
        }
    };
    until(text);
    let id = child_of(child_of(child.id()));
    let asked = Instant::now();
    for signal in signals {
        let sent = Command::new("kill")
            .args([format!("-{signal}"), id.to_string()])
            .status();
        assert!(sent.unwrap().success());
        if *signal == "STOP" {
            crate::process::eventually("it is stopped", || {
                let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
                stat.rsplit(')').next().unwrap().starts_with(" T")
            });
        }
    }
    until("ended");
    let took = asked.elapsed();
    assert!(took < SOON, "{signals:?}: {took:?}");
    (shown, child.wait().unwrap().code())
}

/// Whether the terminal echoes typed lines, as before.
fn is_as_before(shown: &str) -> bool {
    let has = |mode: &str| shown.lines().any(|line| line.trim() == mode);
    has("echo") && has("icanon") && !has("-echo") && !has("-icanon")
}

#[test]
fn a_signal_ends_a_prompt_and_restores_the_terminal() {
    let args = ["board", "-s", "/dev/null", "run", "--example", "server"];
    let args = [&args[..], &["--ssid", "class"]].concat();
    for signals in [
        &["INT"][..],
        &["TERM"],
        &["HUP"],
        &["STOP", "INT", "TERM", "CONT"],
    ] {
        let (shown, code) = signalled_on_terminal(&args, "password of class: ", signals);
        assert!(is_as_before(&shown), "{signals:?}: {shown}");
        assert_eq!(code, Some(130), "{signals:?}");
    }
}

#[test]
fn a_signal_ends_the_repl_and_restores_the_terminal() {
    let board = VirtualBoard::options().ready();
    for signal in SIGNALS {
        let args = ["board", "-s", &board.port, "repl"];
        let (shown, code) = signalled_on_terminal(&args, ">>> ", &[signal]);
        assert!(is_as_before(&shown), "{signal}: {shown}");
        assert_eq!(code, Some(0), "{signal}");
    }
    assert_untouched(&board, &[]);
}

/// A server that sends Telnet option requests without end and never reads the replies.
#[cfg(feature = "flash")]
#[test]
fn a_server_that_never_reads_does_not_delay_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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
        let running = Running::spawn(&mut quiet(&["board", "-s", &port, "info", "--flash"]));
        std::thread::sleep(Duration::from_millis(1500));
        let asked = Instant::now();
        running.signal("TERM");
        running.finish().expect_code(130);
        asked.elapsed()
    });
    let best = took.min().unwrap();
    assert!(best < Duration::from_secs(2), "{best:?}");
}
