//! Interoperability in both directions with socat, ncat, OpenBSD's nc, and the tutorial's Python programs.
//!
//! Long because each peer is tried in both directions.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::support::{
    Listener, Running, address_of, eventually, heard, loopback_socket, receive, run,
    run_with_input, socket_on, sockets_bound_to, udpcli,
};

/// The tutorial's server without the panel. It prints its port first, and ends after a given number of datagrams.
const TUTORIAL_SERVER: &str = r"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 0))
print('listening on %s:%d' % s.getsockname(), file=sys.stderr, flush=True)
print('waiting...', flush=True)
for _ in range(int(sys.argv[1])):
    data, addr = s.recvfrom(1024)
    print('received:', data, 'from', addr, flush=True)
    if len(sys.argv) > 2:
        s.sendto(b'received ' + data, addr)
s.close()
";

/// The tutorial's client, except that it ends after a given number of datagrams.
const TUTORIAL_CLIENT: &str = r"
import socket, sys, time
host, port = sys.argv[1].rsplit(':', 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
for _ in range(int(sys.argv[2])):
    s.sendto(b'hello message from mPython\r\n', (host, int(port)))
    time.sleep(0.05)
s.close()
";

fn python(script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", script]).args(args).stdin(Stdio::null());
    command
}

fn peer(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    command
}

/// Starts a program that listens; `HOST` and `PORT` in its arguments are replaced with the address. Such programs can
/// neither choose a free port nor report when they are ready. So each gets its own loopback address, another port is
/// tried if one is in use, and the kernel's socket table shows when the program is ready.
fn receiver(program: &str, args: &[&str]) -> (Running, SocketAddrV4) {
    static NEXT_HOST: AtomicU8 = AtomicU8::new(100);
    for _ in 0..10 {
        let host = Ipv4Addr::new(127, 0, 0, NEXT_HOST.fetch_add(1, Ordering::Relaxed));
        let port = socket_on(&format!("{host}:0")).local_addr().unwrap().port();
        let address = SocketAddrV4::new(host, port);
        let mut command = Command::new(program);
        for arg in args {
            command.arg(
                arg.replace("HOST", &host.to_string())
                    .replace("PORT", &port.to_string()),
            );
        }
        let mut running = Running::spawn(command.stdin(Stdio::piped()));
        eventually("it listens, or ends", || {
            sockets_bound_to(address) > 0 || running.has_ended()
        });
        if sockets_bound_to(address) > 0 {
            return (running, address);
        }
    }
    panic!("{program} does not start");
}

// From udpcli to them.

#[test]
fn socat_hears_send() {
    let (mut socat, address) = receiver("socat", &["-u", "UDP4-RECV:PORT,bind=HOST", "STDOUT"]);
    run([
        "send",
        &address.to_string(),
        "-e",
        r"hello socat\n",
        r"again\n",
    ])
    .expect_code(0);
    assert_eq!(
        [socat.stdout_line(), socat.stdout_line()],
        ["hello socat\n", "again\n"]
    );
}

#[test]
fn ncat_hears_send() {
    let (mut ncat, address) = receiver(
        "ncat",
        &["--udp", "--listen", "--recv-only", "-n", "HOST", "PORT"],
    );
    run(["send", &address.to_string(), "-e", r"hello ncat\n"]).expect_code(0);
    assert_eq!(ncat.stdout_line(), "hello ncat\n");
}

/// `listen` records three datagrams; the programs receive them again.
#[test]
fn socat_and_ncat_hear_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lesson.pcapng");
    let path = path.to_str().unwrap();
    let listener = Listener::start(["--bind", "127.0.0.1", "--save", path, "-n", "3"]);
    let peer = listener.address.to_string();
    run(["send", &peer, "-e", r"one\n", r"two\n", r"three\n"]).expect_code(0);
    listener.running.finish().expect_code(0);
    for (program, args) in [
        ("socat", &["-u", "UDP4-RECV:PORT,bind=HOST", "STDOUT"][..]),
        (
            "ncat",
            &["--udp", "--listen", "--recv-only", "-n", "HOST", "PORT"],
        ),
        ("nc.openbsd", &["-u", "-l", "-n", "HOST", "PORT"]),
    ] {
        let (mut receiver, address) = receiver(program, args);
        run(["send", &address.to_string(), "--replay", path]).expect_code(0);
        let lines = [(); 3].map(|()| receiver.stdout_line());
        assert_eq!(lines, ["one\n", "two\n", "three\n"], "{program}");
    }
}

#[test]
fn nc_hears_send() {
    let (mut nc, address) = receiver("nc.openbsd", &["-u", "-l", "-n", "HOST", "PORT"]);
    let peer = address.to_string();
    let finished = run_with_input(
        udpcli(["send", &peer, "--line-ending", "lf"]),
        b"hello nc\nfrom a pipe\n",
    )
    .expect_code(0);
    assert!(
        finished.stderr.contains("2 datagrams, "),
        "{}",
        finished.stderr
    );
    assert_eq!(
        [nc.stdout_line(), nc.stdout_line()],
        ["hello nc\n", "from a pipe\n"]
    );
}

#[test]
fn the_tutorials_server_hears_send() {
    let mut server = Listener::spawn(&mut python(TUTORIAL_SERVER, &["2"]));
    assert_eq!(server.running.stdout_line(), "waiting...\n");
    let peer = server.address.to_string();
    run([
        "send",
        &peer,
        "-e",
        r"hello message from mPython\r\n",
        "",
        "--bind",
        "127.0.0.2",
    ])
    .expect_code(0);
    let line = server.running.stdout_line();
    assert!(
        line.starts_with(r"received: b'hello message from mPython\r\n' from ('127.0.0.2', "),
        "{line}"
    );
    let line = server.running.stdout_line();
    assert!(
        line.starts_with("received: b'' from ('127.0.0.2', "),
        "{line}"
    );
}

#[test]
fn a_reply_of_the_tutorials_server_is_heard() {
    let server = Listener::spawn(&mut python(TUTORIAL_SERVER, &["1", "reply"]));
    let peer = server.address.to_string();
    let finished = run([
        "send",
        &peer,
        "hello",
        "-w",
        "1h",
        "--replies",
        "1",
        "--expect",
        "received hello",
    ])
    .expect_code(0);
    assert!(
        finished
            .text()
            .ends_with(&format!(" {peer} 14 received hello\n")),
        "{}",
        finished.text()
    );
}

#[test]
fn a_reply_of_socat_is_heard() {
    let (_socat, address) = receiver("socat", &["UDP4-RECVFROM:PORT,bind=HOST", "EXEC:cat"]);
    let finished = run([
        "send",
        &address.to_string(),
        "echo me",
        "-w",
        "1h",
        "--replies",
        "1",
        "--format",
        "raw",
    ])
    .expect_code(0);
    assert_eq!(finished.text(), "echo me");
}

// From them to udpcli.

#[test]
fn listen_hears_socat() {
    let listener = Listener::start(["--format", "raw", "-n", "1", "--echo"]);
    let mut socat = peer(
        "socat",
        &[
            "-t",
            "20",
            "-T",
            "20",
            "STDIO",
            &format!("UDP4:{}", listener.address),
        ],
    );
    let mut socat = Running::spawn(socat.stdin(Stdio::piped()));
    socat.type_in(b"hello from socat\n");
    assert_eq!(socat.stdout_line(), "hello from socat\n", "the echo");
    assert_eq!(
        listener.running.finish().expect_code(0).text(),
        "hello from socat\n"
    );
}

#[test]
fn listen_hears_ncat() {
    let listener = Listener::start(["--format", "board", "-n", "1"]);
    let ncat = peer(
        "ncat",
        &[
            "--udp",
            "--send-only",
            "-n",
            "127.0.0.1",
            &listener.port().to_string(),
        ],
    );
    run_with_input(ncat, b"hello from ncat\n").expect_code(0);
    let shown = listener.running.finish().expect_code(0).text();
    assert!(
        shown.starts_with("waiting...\nreceived: b'hello from ncat\\n' from ('127.0.0.1', "),
        "{shown}"
    );
}

#[test]
fn listen_hears_nc() {
    let listener = Listener::start(["--reply", "pong\n", "-n", "1"]);
    let mut nc = Running::spawn(
        peer(
            "nc.openbsd",
            &["-u", "-n", "127.0.0.1", &listener.port().to_string()],
        )
        .stdin(Stdio::piped()),
    );
    nc.type_in(b"ping\n");
    assert_eq!(nc.stdout_line(), "pong\n");
    let shown = listener.running.finish().expect_code(0).text();
    assert!(shown.ends_with(" 5 ping\\n\n"), "{shown}");
}

#[test]
fn listen_hears_the_tutorials_client() {
    let listener = Listener::start(["--format", "board", "-n", "3"]);
    let address = listener.address.to_string();
    Running::spawn(&mut python(TUTORIAL_CLIENT, &[&address, "3"]))
        .finish()
        .expect_code(0);
    let shown = listener.running.finish().expect_code(0).text();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "waiting..."));
    for line in &lines[1..] {
        assert!(
            line.starts_with(r"received: b'hello message from mPython\r\n' from ('127.0.0.1', "),
            "{line}"
        );
        assert_eq!(line, &lines[1], "one socket");
    }
}

#[test]
fn board_prints_what_the_tutorials_server_prints_to_the_byte() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let long = vec![b'x'; 1500];
    let mut payloads: Vec<&[u8]> = vec![
        b"hello message from mPython\r\n",
        b"",
        b"it's",
        b"\"quoted\"",
        b"both ' and \"",
        b"\\ \t\r\n\x00\x1b\x7f\x80\xff",
        "\u{4f60}\u{597d} \u{202e}\u{1f600}".as_bytes(),
        &all_bytes,
        &long,
    ];
    let singles: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    payloads.extend(singles.iter().map(|single| &single[..]));

    let count = payloads.len().to_string();
    let mut server = Listener::spawn(&mut python(TUTORIAL_SERVER, &[&count]));
    let mut listener = Listener::start([
        "--format",
        "board",
        "--recv-size",
        "1024",
        "-n",
        &count,
        "--bind",
        "127.0.0.1",
    ]);
    for running in [&mut server.running, &mut listener.running] {
        assert_eq!(running.stdout_line(), "waiting...\n");
    }
    // Send from one socket to both, so that the sender's port is the same in both outputs.
    let socket = loopback_socket();
    for payload in &payloads {
        socket.send_to(payload, server.address).unwrap();
        socket.send_to(payload, listener.address).unwrap();
        // Send one at a time, because Python's receive buffer is small.
        server.running.stdout_line();
        listener.running.stdout_line();
    }
    let expected = server.running.finish().expect_code(0).stdout;
    let shown = listener.running.finish().expect_code(0).stdout;
    assert_eq!(
        String::from_utf8_lossy(&shown),
        String::from_utf8_lossy(&expected)
    );
    assert!(shown == expected);
}

#[test]
fn a_bytes_literal_reads_back_in_python() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let (finished, _) = heard(&["--format", "board"], &[&all_bytes]);
    let script = "import ast, sys\nline = sys.stdin.read().split('received: ')[1].rsplit(' from ', 1)[0]\nassert ast.literal_eval(line) == bytes(range(256))";
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    run_with_input(command, &finished.stdout).expect_code(0);
}

#[test]
fn json_lines_read_back_in_python() {
    let payloads = [
        &b"a \"quote\"\n\x00\x7f"[..],
        "\u{4f60}\u{202e}\u{2028}".as_bytes(),
        b"\xff\xfe",
    ];
    let (finished, _) = heard(&["--format", "json"], &payloads);
    let script = "
import base64, json, sys
got = [json.loads(line) for line in sys.stdin.buffer]
data = [o['text'].encode() if 'text' in o else base64.b64decode(o['base64'], validate=True) for o in got]
assert data == [b'a \"quote\"\\n\\x00\\x7f', '\\u4f60\\u202e\\u2028'.encode(), b'\\xff\\xfe'], data
assert [o['len'] for o in got] == [len(d) for d in data]
";
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    run_with_input(command, &finished.stdout).expect_code(0);
}

#[test]
fn python_reads_the_header_of_a_sequenced_datagram() {
    let socket = loopback_socket();
    run(["send", &address_of(&socket), "--size", "40", "-n", "2"]).expect_code(0);
    let payloads = [receive(&socket).0, receive(&socket).0].concat();
    let script = "
import struct, sys, time
data = sys.stdin.buffer.read()
for index, at in enumerate((0, 40)):
    sequence, sent = struct.unpack_from('>QQ', data, at)
    assert sequence == index and 0 <= time.time_ns() - sent < 60e9, (sequence, sent)
    assert all(0x20 <= byte < 0x7f for byte in data[at + 16:at + 40])
";
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    run_with_input(command, &payloads).expect_code(0);
}
