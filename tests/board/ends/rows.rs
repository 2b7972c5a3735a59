//! The table of all waits: for each [`Site`], commands that come to wait there.
//!
//! Long because it is one table.

use std::any::Any;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;
use udpcli::wait::Site;

use super::{Row, Scene, Waits, fill};
use crate::client::command;
use crate::files::text;
use crate::process::{bash, loopback_socket, udpcli};
use crate::streams::Fifo;
use crate::support::VirtualBoard;

fn scene(command: Command, keep: impl Any) -> Scene {
    Scene {
        command,
        waits: Waits::Says,
        _keep: Box::new(keep),
    }
}

pub(super) fn quiet(args: &[&str]) -> Command {
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
pub(super) fn line(answer: &'static [u8]) -> (SocketAddr, Receiver<()>) {
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

/// `listen` with rules that each take long to compile, and together longer than the test waits.
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
            // With `-vv` other lines would surround it.
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
            // After the second signal the editor keeps running, so it must not hold the streams that the test reads to
            // the end.
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
        // A run that handles signals only once it waits.
        (Site::Stderr, "send", 0, &["send", "PEER", "x"]),
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
pub(super) fn rows() -> Vec<Row> {
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
