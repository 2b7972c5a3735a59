//! Starts udpcli and its peers, and waits for what they say: every wait has a deadline, no port is fixed.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A command that runs the binary under test, free of the caller's environment.
pub fn udpcli<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
    command.args(args).env_remove("UDPCLI_LOG").env_remove("NO_COLOR").env("TZ", "UTC");
    command
}

/// What a process that ended left behind.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("stdout is UTF-8")
    }

    /// Checks the exit code, showing stderr if it is another.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code; stdout: {} stderr: {}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self
    }
}

/// Runs a command to its end with this on its stdin.
#[track_caller]
pub fn run_with_input(mut command: Command, input: &[u8]) -> Finished {
    let mut running = Running::spawn(command.stdin(Stdio::piped()));
    let mut stdin = running.stdin.take().expect("stdin is piped");
    // A process that ends early does not read it all.
    let _ = stdin.write_all(input);
    drop(stdin);
    running.finish()
}

/// Runs `udpcli` with nothing on its stdin.
#[track_caller]
pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Finished {
    run_with_input(udpcli(args), b"")
}

/// A process whose output is read line by line as it comes.
pub struct Running {
    child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    seen_stdout: Vec<u8>,
    seen_stderr: Vec<u8>,
}

impl Running {
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error} (tests/run installs what the tests need)"));
        let stdout = lines_of(child.stdout.take().expect("piped"));
        let stderr = lines_of(child.stderr.take().expect("piped"));
        Self { stdin: child.stdin.take(), child, stdout, stderr, seen_stdout: Vec::new(), seen_stderr: Vec::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of stdout, its newline included.
    #[track_caller]
    pub fn stdout_line(&mut self) -> String {
        let line = next(&self.stdout, "stdout", &self.seen_stderr);
        self.seen_stdout.extend_from_slice(&line);
        String::from_utf8(line).expect("stdout is UTF-8")
    }

    /// Reads stderr until a line contains `text`; returns that line.
    #[track_caller]
    pub fn stderr_line_with(&mut self, text: &str) -> String {
        loop {
            let line = next(&self.stderr, &format!("stderr with {text:?}"), &self.seen_stderr);
            self.seen_stderr.extend_from_slice(&line);
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal by name (`INT`, `TERM`, `STOP`, `CONT`, `KILL`).
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status().expect("kill runs");
        assert!(status.success(), "kill -{name}");
    }

    /// Waits for the end.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        drop(self.stdin.take());
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                break status;
            }
            assert!(Instant::now() < deadline, "still running after {DEADLINE:?}; stderr: {}", self.drained_stderr());
            std::thread::sleep(Duration::from_millis(1));
        };
        self.finished(status)
    }

    /// Ctrl-C, then the end.
    #[track_caller]
    pub fn interrupt(self) -> Finished {
        self.signal("INT");
        self.finish()
    }

    fn drained_stderr(&mut self) -> String {
        while let Ok(line) = self.stderr.try_recv() {
            self.seen_stderr.extend_from_slice(&line);
        }
        String::from_utf8_lossy(&self.seen_stderr).into_owned()
    }

    fn finished(&mut self, status: ExitStatus) -> Finished {
        while let Ok(line) = self.stdout.recv_timeout(DEADLINE) {
            self.seen_stdout.extend_from_slice(&line);
        }
        while let Ok(line) = self.stderr.recv_timeout(DEADLINE) {
            self.seen_stderr.extend_from_slice(&line);
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
        Err(RecvTimeoutError::Timeout) => panic!("no line on {what} within {DEADLINE:?}; stderr so far: {}", String::from_utf8_lossy(stderr)),
        Err(RecvTimeoutError::Disconnected) => panic!("the process ended without a line on {what}; stderr: {}", String::from_utf8_lossy(stderr)),
    }
}

/// `udpcli listen`, listening.
pub struct Listener {
    pub running: Running,
    /// Where it listens; a wildcard is given as its loopback address.
    pub address: SocketAddr,
}

impl Listener {
    /// Starts `udpcli listen --port 0 ARGS` and waits until it listens.
    #[track_caller]
    pub fn start<S: AsRef<OsStr> + Debug>(args: impl IntoIterator<Item = S>) -> Self {
        let mut command = udpcli(["listen", "--port", "0"]);
        command.args(args).stdin(Stdio::null());
        Self::spawn(&mut command)
    }

    /// Starts a command that is, or wraps, `udpcli listen` and waits until it listens.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        let mut running = Running::spawn(command);
        let address = listening_address(&running.stderr_line_with("listening on "));
        Self { running, address }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// The address in `listening on ADDRESS; ..`.
#[track_caller]
pub fn listening_address(line: &str) -> SocketAddr {
    let rest = line.split_once("listening on ").expect("the listening line").1;
    let mut address: SocketAddr = rest.split([';', '\n']).next().and_then(|text| text.trim().parse().ok()).expect("an address");
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// A UDP socket of the test's own on loopback, with a deadline on reads.
pub fn loopback_socket() -> std::net::UdpSocket {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has ports");
    socket.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
    socket
}

/// Receives one datagram on a socket of the test's own.
#[track_caller]
pub fn receive(socket: &std::net::UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, peer) = socket.recv_from(&mut buffer).expect("a datagram before the deadline");
    buffer.truncate(len);
    (buffer, peer)
}
