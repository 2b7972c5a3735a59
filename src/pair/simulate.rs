//! A board in place of a board: the real MicroPython of this PC (its Unix port), with stand-ins for what only the
//! mPython board has. It answers as mPython 1.4.0 does, byte for byte. It talks through pipes; Ctrl-C, which a serial line
//! carries as a byte, becomes SIGINT while a program runs.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::board::port::{Port, TICK};
use crate::shutdown::Shutdown;
use crate::wait::{Over, Site, Wait};

/// The program that runs on it.
const SIMULATOR: &str = include_str!("scripts/simulator.py");

/// What it says when it has booted.
const PROMPT: &[u8] = b">>> ";

/// How long MicroPython may take to start.
const START: Duration = Duration::from_secs(10);

/// Pieces of output that wait to be read.
const WAITING: usize = 256;

/// Why there is no simulated board.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum Error {
    #[error("MicroPython does not run on this system: --simulate needs Linux or macOS")]
    System,
    #[error("the program micropython is not on the PATH")]
    NotInstalled,
    #[error("cannot start {}", .program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("{} does not run the simulated board; it says: {said}", .program.display())]
    Silent { program: PathBuf, said: String },
    #[error("stopped by Ctrl-C")]
    Interrupted,
}

/// Why the line of a simulated board does not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum Fault {
    #[error("the simulated board has ended")]
    Ended,
    #[error("a simulated board has no control lines")]
    NoLines,
}

/// A simulated board's process and pipes. It ends when this is dropped.
#[derive(Debug)]
pub struct Simulated {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    /// What it said while it booted.
    boot: Vec<u8>,
    rest: Vec<u8>,
    /// Whether a program runs that Ctrl-C could stop: code was sent, and its end was not read.
    is_running: bool,
    /// The last bytes that were read.
    tail: Vec<u8>,
    interrupted: Option<Instant>,
}

/// What ends a program's output.
const END: &[u8] = b"\x04>";

/// Between two interrupts: MicroPython takes a second one, before it has looked at the first, for a wish to end it.
const INTERRUPT_GAP: Duration = Duration::from_secs(1);

/// Its address, and its UDP port where the PC has `port` on its own.
///
/// All of 127.0.0.0/8 is this machine on Linux. Where only 127.0.0.1 is (macOS) the two need different ports.
#[must_use]
pub fn place(port: u16) -> (Ipv4Addr, u16) {
    let second = Ipv4Addr::new(127, 0, 0, 2);
    if UdpSocket::bind((second, 0)).is_ok() {
        (second, port)
    } else {
        (
            Ipv4Addr::LOCALHOST,
            if port == u16::MAX { port - 1 } else { port + 1 },
        )
    }
}

/// Starts the MicroPython on the PATH and waits until it has booted.
///
/// # Errors
/// It is not installed, or this system has none.
pub fn start(address: Ipv4Addr) -> Result<Simulated, Error> {
    start_program(PathBuf::from("micropython"), address)
}

/// As [`start`], with the MicroPython of this path.
///
/// # Errors
/// As [`start`].
pub fn start_program(program: PathBuf, address: Ipv4Addr) -> Result<Simulated, Error> {
    if cfg!(not(unix)) {
        return Err(Error::System);
    }
    let mut command = Command::new(&program);
    command
        .arg("-c")
        .arg(format!("IP = '{address}'\n{SIMULATOR}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C on the terminal is ours alone; the board gets it when we say so.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::NotInstalled,
        _ => Error::Start {
            program: program.clone(),
            source,
        },
    })?;
    let (sender, output) = sync_channel(WAITING);
    for stream in [
        child
            .stdout
            .take()
            .map(|out| Box::new(out) as Box<dyn io::Read + Send>),
        child
            .stderr
            .take()
            .map(|err| Box::new(err) as Box<dyn io::Read + Send>),
    ]
    .into_iter()
    .flatten()
    {
        let sender = sender.clone();
        let mut stream = stream;
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                if sender
                    .send(buffer.get(..read).unwrap_or_default().to_vec())
                    .is_err()
                {
                    return;
                }
            }
        });
    }
    let stdin = child.stdin.take();
    let mut simulated = Simulated {
        child,
        stdin,
        output,
        boot: Vec::new(),
        rest: Vec::new(),
        is_running: false,
        tail: Vec::new(),
        interrupted: None,
    };
    // Before that a SIGINT would end it.
    let shutdown = Shutdown::current();
    let is_stopped = || shutdown.is_asked();
    let mut wait = Wait::at(Site::Simulator, &is_stopped).until(Instant::now() + START);
    let mut said = Vec::new();
    while !said.ends_with(PROMPT) {
        let over = wait.look();
        if over == Some(Over::Interrupted) {
            return Err(Error::Interrupted);
        }
        match wait.receive(&simulated.output, TICK) {
            Some(Ok(bytes)) if said.len() < 4096 => said.extend(bytes),
            None if over.is_none() => {}
            _ => {
                return Err(Error::Silent {
                    program,
                    said: String::from_utf8_lossy(&said).trim().to_owned(),
                });
            }
        }
    }
    simulated.boot = said;
    Ok(simulated)
}

impl Simulated {
    /// What it said from its power-on to its prompt.
    #[must_use]
    pub fn boot(&self) -> &[u8] {
        &self.boot
    }

    /// What Ctrl-C does on a board.
    fn interrupt(&self) -> io::Result<()> {
        let status = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::BrokenPipe, Fault::Ended))
        }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // Its end of input is its end.
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn no_lines() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, Fault::NoLines)
}

impl Port for Simulated {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.rest.is_empty() {
            match self.output.recv_timeout(timeout) {
                Ok(bytes) => self.rest = bytes,
                Err(RecvTimeoutError::Timeout) => return Ok(0),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, Fault::Ended));
                }
            }
        }
        let len = self.rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.rest.drain(..len)) {
            *to = from;
        }
        let read = buffer.get(..len).unwrap_or_default();
        self.tail.extend_from_slice(
            read.get(len.saturating_sub(END.len())..)
                .unwrap_or_default(),
        );
        let surplus = self.tail.len().saturating_sub(END.len());
        self.tail.drain(..surplus);
        if self.tail == END || read.ends_with(b"\r\n>") || read.ends_with(b">>> ") {
            self.is_running = false;
        }
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        let Some(stdin) = &mut self.stdin else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        // Ctrl-D ends a program in the raw REPL, Enter a line at the prompt: then it runs. While nothing runs, Ctrl-C is a
        // key like any other.
        let starts = |byte: u8| matches!(byte, 4 | b'\r');
        let is_running = self.is_running;
        let typed = bytes.iter().take_while(|&&byte| byte != 3 || !is_running);
        let typed = typed.take_while(|&&byte| !starts(byte)).count();
        let starts_one = bytes.get(typed).is_some_and(|&byte| starts(byte));
        let plain = typed + usize::from(starts_one);
        if plain > 0 {
            stdin.write_all(bytes.get(..plain).unwrap_or_default())?;
            stdin.flush()?;
            if starts_one {
                self.is_running = true;
                self.interrupted = None;
            }
            return Ok(plain);
        }
        let interrupts = bytes.iter().take_while(|&&byte| byte == 3).count();
        let is_new = self
            .interrupted
            .is_none_or(|last| last.elapsed() > INTERRUPT_GAP);
        if is_new {
            self.interrupted = Some(Instant::now());
            self.interrupt()?;
        }
        Ok(interrupts)
    }

    fn discard_output(&mut self) {}

    fn set_dtr(&mut self, _: bool) -> io::Result<()> {
        Err(no_lines())
    }

    fn set_rts(&mut self, _: bool) -> io::Result<()> {
        Err(no_lines())
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }
}
