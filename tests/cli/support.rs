//! Helpers that start udpcli and its peers and wait for their output. Every wait has a deadline, and no port is fixed.
//!
//! Long because every helper of these tests is here, once.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The deadline of every wait; longer than any operation takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A command that runs the binary under test, without the caller's settings in the environment.
pub(crate) fn udpcli<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = program();
    command
        .args(args)
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("NO_COLOR")
        .env("TZ", "UTC");
    command
}

/// The program under test. `tests/windows/run` runs some of the tests with the Windows program under Wine.
fn program() -> Command {
    let wine = std::env::var_os("UDPCLI_WINE").zip(std::env::var_os("UDPCLI_WINDOWS_EXE"));
    let Some((wine, exe)) = wine else {
        return Command::new(env!("CARGO_BIN_EXE_udpcli"));
    };
    let mut command = Command::new(wine);
    // Wine uses the locale to encode the arguments.
    command.arg(exe).env("LC_ALL", "C.UTF-8");
    command
}

/// Reports that the calling test was skipped. `cargo test` counts it as passed, so `tests/run` collects and lists
/// skipped tests.
pub(crate) fn skipped(reason: impl std::fmt::Display) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    eprintln!("skipped: {test}: {reason}");
    if let Some(list) = std::env::var_os("UDPCLI_SKIPPED") {
        let reason = reason.to_string().replace('\n', " ");
        let mut list = std::fs::File::options()
            .append(true)
            .open(list)
            .expect("the list of tests/run");
        // Write in one call, because tests of this process write concurrently.
        list.write_all(format!("{test}: {reason}\n").as_bytes())
            .expect("room in the list");
    }
}

/// The result of a process that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// stdout as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("stdout is UTF-8")
    }

    /// Asserts the exit code, and shows stderr if it differs.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "exit code; stdout: {} stderr: {}",
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        );
        self
    }
}

/// Runs a shell script in a network namespace of its own, where raw sockets are allowed and no interface is up. `$0` is
/// udpcli, `$1` the argument. None where there are no namespaces; the test then counts as skipped.
#[track_caller]
pub(crate) fn run_in_namespace(script: &str, argument: &str) -> Option<Finished> {
    let mut command = Command::new("unshare");
    command
        .args(["-rn", "bash", "-c", script])
        .args([env!("CARGO_BIN_EXE_udpcli"), argument])
        .env("UDPCLI_LANG", "en")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .stdin(Stdio::null());
    let Ok(output) = command.output() else {
        skipped("no unshare");
        return None;
    };
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if stderr.contains("unshare") {
        skipped("no namespaces here");
        return None;
    }
    Some(Finished {
        code: output.status.code(),
        stdout: output.stdout,
        stderr,
    })
}

/// Runs a command to its end with `input` on its stdin.
#[track_caller]
pub(crate) fn run_with_input(mut command: Command, input: &[u8]) -> Finished {
    let mut running = Running::spawn(command.stdin(Stdio::piped()));
    let mut stdin = running.stdin.take().expect("stdin is piped");
    // A process that ends early does not read all of its input; ignore the error.
    let _ = stdin.write_all(input);
    drop(stdin);
    running.finish()
}

/// Runs `udpcli` with nothing on its stdin.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Finished {
    run_with_input(udpcli(args), b"")
}

/// A running process whose output is read line by line.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    seen_stdout: Vec<u8>,
    seen_stderr: Vec<u8>,
}

impl Running {
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("cannot start {command:?}: {error} (tests/run installs what the tests need)")
            });
        let stdout = lines_of(child.stdout.take().expect("piped"));
        let stderr = lines_of(child.stderr.take().expect("piped"));
        Self {
            stdin: child.stdin.take(),
            child,
            stdout,
            stderr,
            seen_stdout: Vec::new(),
            seen_stderr: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of stdout, including its newline.
    #[track_caller]
    pub(crate) fn stdout_line(&mut self) -> String {
        let line = next(&self.stdout, "stdout", &self.seen_stderr);
        self.seen_stdout.extend_from_slice(&line);
        String::from_utf8(line).expect("stdout is UTF-8")
    }

    /// Reads stderr until a line contains `text`; returns that line.
    #[track_caller]
    pub(crate) fn stderr_line_with(&mut self, text: &str) -> String {
        loop {
            let line = next(
                &self.stderr,
                &format!("stderr with {text:?}"),
                &self.seen_stderr,
            );
            self.seen_stderr.extend_from_slice(&line);
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Writes to the process's stdin, which stays open.
    #[track_caller]
    pub(crate) fn type_in(&mut self, text: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is piped");
        stdin
            .write_all(text)
            .and_then(|()| stdin.flush())
            .expect("the process reads its stdin");
    }

    /// Sends a signal by name (`INT`, `TERM`, `STOP`, `CONT`, `KILL`).
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "kill -{name}");
    }

    /// Whether the process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("the child can be waited for")
            .is_some()
    }

    /// Stops the process with SIGSTOP, and waits until the kernel reports it as stopped.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        let path = format!("/proc/{}/stat", self.id());
        eventually("the process stops", || {
            let stat = std::fs::read_to_string(&path).expect("the process is there");
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('T'))
        });
    }

    /// Waits for the process to end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        drop(self.stdin.take());
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {DEADLINE:?}; stderr: {}",
                self.drained_stderr()
            );
            std::thread::sleep(Duration::from_millis(1));
        };
        self.finished(status)
    }

    /// Sends SIGINT and waits for the process to end.
    #[track_caller]
    pub(crate) fn interrupt(self) -> Finished {
        self.signal("INT");
        self.finish()
    }

    fn drained_stderr(&mut self) -> String {
        while let Ok(line) = self.stderr.try_recv() {
            self.seen_stderr.extend_from_slice(&line);
        }
        String::from_utf8_lossy(&self.seen_stderr).into_owned()
    }

    #[track_caller]
    fn finished(&mut self, status: ExitStatus) -> Finished {
        for (lines, seen) in [
            (&self.stdout, &mut self.seen_stdout),
            (&self.stderr, &mut self.seen_stderr),
        ] {
            loop {
                match lines.recv_timeout(DEADLINE) {
                    Ok(line) => seen.extend_from_slice(&line),
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => panic!(
                        "a process that it started still has its output open after {DEADLINE:?}: {}",
                        String::from_utf8_lossy(seen)
                    ),
                }
            }
        }
        Finished {
            code: status.code(),
            stdout: std::mem::take(&mut self.seen_stdout),
            stderr: String::from_utf8_lossy(&std::mem::take(&mut self.seen_stderr)).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(1..) if sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

#[track_caller]
fn next(lines: &Receiver<Vec<u8>>, what: &str, stderr: &[u8]) -> Vec<u8> {
    match lines.recv_timeout(DEADLINE) {
        Ok(line) => line,
        Err(RecvTimeoutError::Timeout) => panic!(
            "no line on {what} within {DEADLINE:?}; stderr so far: {}",
            String::from_utf8_lossy(stderr)
        ),
        Err(RecvTimeoutError::Disconnected) => panic!(
            "the process ended without a line on {what}; stderr: {}",
            String::from_utf8_lossy(stderr)
        ),
    }
}

/// A Python program that runs its arguments on a terminal of 50 rows and 200 columns, or of the size in `TERMINAL_SIZE`
/// (`24 80`). It copies the terminal's output to stdout and types what it reads from stdin. Its first argument lists
/// the file descriptors that are not connected to the terminal.
pub(crate) const PTY: &str = r"
import fcntl, os, pty, select, struct, sys, termios
kept = {int(fd): os.dup(int(fd)) for fd in sys.argv[1]}
pid, master = pty.fork()
if pid == 0:
    modes = termios.tcgetattr(0)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, modes)
    rows, columns = map(int, os.environ.get('TERMINAL_SIZE', '50 200').split())
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.environ['TERM'] = 'xterm'
    for fd, saved in kept.items():
        os.dup2(saved, fd)
    os.execvp(sys.argv[2], sys.argv[2:])
for saved in kept.values():
    os.close(saved)
if '1' in sys.argv[1]:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
if '2' in sys.argv[1]:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
sources = [master, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(master, typed)
        else:
            sources.remove(0)
    if master in ready:
        try:
            shown = os.read(master, 65536)
        except OSError:
            break
        if not shown:
            break
        while shown:
            shown = shown[os.write(1, shown):]
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
";

/// `udpcli` on a terminal; the file descriptors in `piped` (digits, for example `"2"`) stay pipes.
pub(crate) fn udpcli_on_terminal<S: AsRef<OsStr>>(
    piped: &str,
    args: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-c", PTY, piped, env!("CARGO_BIN_EXE_udpcli")])
        .args(args);
    command
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("NO_COLOR")
        .env("TZ", "UTC")
        .stdin(Stdio::piped());
    command
}

/// The byte that Ctrl-C sends on a terminal.
pub(crate) const CTRL_C: &[u8] = b"\x03";

/// Runs a shell line with `udpcli` as `$0` and the other arguments as `$1` and so on.
pub(crate) fn bash<S: AsRef<OsStr>>(line: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-c", line, env!("CARGO_BIN_EXE_udpcli")])
        .args(args);
    command
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env_remove("NO_COLOR")
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    command
}

/// Runs `udpcli listen ARGS` until it has received these payloads from one socket; returns its result and the sender's
/// port.
#[track_caller]
pub(crate) fn heard<S: AsRef<OsStr> + Debug>(args: &[S], payloads: &[&[u8]]) -> (Finished, u16) {
    let count = payloads.len().to_string();
    let mut command = udpcli([
        "listen",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "--count",
        &count,
    ]);
    command.args(args).stdin(Stdio::null());
    heard_by(&mut command, payloads)
}

/// Like [`heard`], for any command that ends after receiving the payloads.
#[track_caller]
pub(crate) fn heard_by(command: &mut Command, payloads: &[&[u8]]) -> (Finished, u16) {
    let listener = Listener::spawn(command);
    let socket = loopback_socket();
    for payload in payloads {
        socket
            .send_to(payload, listener.address)
            .expect("loopback takes every datagram");
    }
    (
        listener.running.finish().expect_code(0),
        socket.local_addr().expect("a bound socket").port(),
    )
}

/// A running `udpcli listen`.
pub(crate) struct Listener {
    pub(crate) running: Running,
    /// The address to send to; for a wildcard address, the loopback address.
    pub(crate) address: SocketAddr,
}

impl Listener {
    /// Starts `udpcli listen --port 0 ARGS` and waits until it listens.
    #[track_caller]
    pub(crate) fn start<S: AsRef<OsStr> + Debug>(args: impl IntoIterator<Item = S>) -> Self {
        let mut command = udpcli(["listen", "--port", "0"]);
        command.args(args).stdin(Stdio::null());
        Self::spawn(&mut command)
    }

    /// Starts a command that runs `udpcli listen`, directly or through another program, and waits until it listens.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut running = Running::spawn(command);
        let address = listening_address(&running.stderr_line_with("listening on "));
        Self { running, address }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// The address in `listening on ADDRESS; ..`.
#[track_caller]
pub(crate) fn listening_address(line: &str) -> SocketAddr {
    let rest = line
        .split_once("listening on ")
        .expect("the listening line")
        .1;
    let mut address: SocketAddr = rest
        .split([';', '\n'])
        .next()
        .and_then(|text| text.trim().parse().ok())
        .expect("an address");
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

/// A UDP socket on loopback with a read timeout.
pub(crate) fn loopback_socket() -> UdpSocket {
    socket_on("127.0.0.1:0")
}

/// A UDP socket on this address with a read timeout.
pub(crate) fn socket_on(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("loopback has ports");
    socket
        .set_read_timeout(Some(DEADLINE))
        .expect("a timeout can be set");
    socket
}

/// A socket that makes the kernel refuse datagrams to its port. It reserves the port, and because it is connected to
/// another address, the kernel does not deliver other senders' datagrams to it.
pub(crate) fn refusing_socket(address: &str) -> UdpSocket {
    let socket = socket_on(address);
    let own = socket.local_addr().expect("a bound socket");
    let elsewhere = SocketAddr::new(own.ip(), if own.port() == 9 { 7 } else { 9 });
    socket.connect(elsewhere).expect("loopback is reachable");
    socket
}

/// A socket with SO_REUSEADDR, which shares its port with others that set it too.
pub(crate) fn sharing_socket(address: SocketAddr) -> UdpSocket {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("a socket option");
    socket.bind(&address.into()).expect("the address is shared");
    let socket = UdpSocket::from(socket);
    socket
        .set_read_timeout(Some(DEADLINE))
        .expect("a timeout can be set");
    socket
}

/// How many UDP sockets the kernel lists for exactly this address. A dropped socket may be listed a little longer:
/// between fork and exec, a process that another test starts holds a copy.
pub(crate) fn sockets_bound_to(address: SocketAddrV4) -> usize {
    let entry = format!(
        "{:08X}:{:04X}",
        u32::from_ne_bytes(address.ip().octets()),
        address.port()
    );
    let table = std::fs::read_to_string("/proc/net/udp").expect("Linux lists its sockets");
    table
        .lines()
        .filter(|line| line.split_whitespace().nth(1) == Some(&entry))
        .count()
}

/// The socket's address as an argument.
pub(crate) fn address_of(socket: &UdpSocket) -> String {
    socket.local_addr().expect("a bound socket").to_string()
}

/// Receives this many datagrams and returns their payloads.
#[track_caller]
pub(crate) fn receive_payloads(socket: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| receive(socket).0).collect()
}

/// Runs `udpcli send` to a new socket, asserts that it succeeds and sends exactly this many datagrams, and returns
/// their payloads.
#[track_caller]
pub(crate) fn sent_by(args: &[&str], input: &[u8], count: usize) -> Vec<Vec<u8>> {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let finished = run_with_input(udpcli([&["send", &peer], args].concat()), input).expect_code(0);
    let payloads = receive_payloads(&socket, count);
    nothing_waits(&socket);
    let summary = format!("{count} datagram{}, ", if count == 1 { "" } else { "s" });
    assert!(
        finished.stderr.contains(&summary),
        "no {summary:?} in: {}",
        finished.stderr
    );
    payloads
}

/// Asserts that no datagram is queued at the socket. On loopback a datagram is queued before the send call returns.
#[track_caller]
pub(crate) fn nothing_waits(socket: &UdpSocket) {
    socket.set_nonblocking(true).expect("a socket option");
    let waits = socket.recv_from(&mut vec![0; 65_536]);
    socket.set_nonblocking(false).expect("a socket option");
    assert!(
        waits
            .as_ref()
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "one datagram too many: {waits:?}"
    );
}

/// Polls until the condition is true.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Asserts that `text` contains the parts in this order.
#[track_caller]
pub(crate) fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} does not come, or not in its turn ({parts:?}), in: {text}");
        };
        rest = after;
    }
}

/// Receives one datagram.
#[track_caller]
pub(crate) fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, peer) = loop {
        match socket.recv_from(&mut buffer) {
            // The kernel does not restart a receive call with a timeout after a signal (signal(7)).
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => break result.expect("a datagram before the deadline"),
        }
    };
    buffer.truncate(len);
    (buffer, peer)
}
