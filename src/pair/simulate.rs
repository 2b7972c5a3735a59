//! A virtual board: the PC's own MicroPython (Unix port) with replacements for the modules that only the mPython board
//! has. Its output equals that of mPython 1.4.0, byte for byte. It talks through pipes. Ctrl-C, a byte on a serial
//! line, becomes SIGINT while a program runs.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::board::port::{Port, TICK};
use crate::shutdown::Shutdown;
use crate::wait::{Over, Site, Wait};

/// The program that simulates the board.
const SIMULATOR: &str = include_str!("scripts/simulator.py");

/// The prompt at the end of the boot.
const PROMPT: &[u8] = b">>> ";

/// The timeout for MicroPython's start.
const START: Duration = Duration::from_secs(10);

/// How many chunks of output wait to be read.
const WAITING: usize = 256;

/// Why the virtual board did not start.
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

/// Why the virtual board's serial line failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SimulatorFault {
    #[error("the simulated board has ended")]
    Ended,
    #[error("a simulated board has no control lines")]
    NoLines,
}

/// The process and pipes of a virtual board. It ends on drop.
#[derive(Debug)]
pub struct Simulated {
    /// The process.
    child: Child,
    /// The board's input; `None` after it is closed.
    stdin: Option<ChildStdin>,
    /// The board's output, from one thread per stream.
    output: Receiver<Vec<u8>>,
    /// The output of the boot.
    boot: Vec<u8>,
    /// The rest of the last chunk.
    rest: Vec<u8>,
    /// Whether a program runs that Ctrl-C could interrupt: code was sent, and its end was not read yet.
    is_running: bool,
    /// The last bytes that were read.
    tail: Vec<u8>,
    /// When it was interrupted last.
    interrupted: Option<Instant>,
}

/// The end of a program's output.
const END: &[u8] = b"\x04>";

/// The minimum time between two interrupts: a second one before MicroPython has handled the first makes MicroPython
/// exit.
const INTERRUPT_GAP: Duration = Duration::from_secs(1);

/// The virtual board's address, and its UDP port if the PC uses `port`.
///
/// On Linux, all of 127.0.0.0/8 is local. On macOS only 127.0.0.1 is, so the two need different ports.
#[must_use]
pub(crate) fn place(port: u16) -> (Ipv4Addr, u16) {
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
/// MicroPython is not installed, or does not exist for this operating system.
pub(crate) fn start(address: Ipv4Addr) -> Result<Simulated, Error> {
    start_program(PathBuf::from("micropython"), address)
}

/// Like [`start`], with the MicroPython at this path.
///
/// # Errors
/// As for [`start`].
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
    // A process group of its own keeps the terminal's Ctrl-C from the board; udpcli passes it on when needed.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::NotInstalled,
        _ => Error::Start {
            program: program.clone(),
            source,
        },
    })?;
    // Threads, because reading a pipe with a timeout is not possible with the standard library.
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
    // Before the prompt, a SIGINT would end MicroPython.
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
            // Another program of this name may print without end.
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
    /// The output from the start to the prompt.
    #[must_use]
    pub fn boot(&self) -> &[u8] {
        &self.boot
    }

    /// Sends the signal that corresponds to Ctrl-C on a board.
    fn interrupt(&self) -> io::Result<()> {
        // Use the program kill, because the standard library cannot send signals.
        let status = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                SimulatorFault::Ended,
            ))
        }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // MicroPython exits when its input ends.
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The error for a control line, which pipes do not have.
fn no_lines() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, SimulatorFault::NoLines)
}

impl Port for Simulated {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.rest.is_empty() {
            match self.output.recv_timeout(timeout) {
                Ok(bytes) => self.rest = bytes,
                Err(RecvTimeoutError::Timeout) => return Ok(0),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        SimulatorFault::Ended,
                    ));
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
        // The end of a program's output: the raw REPL's mark, or one of the two prompts.
        if self.tail == END || read.ends_with(b"\r\n>") || read.ends_with(b">>> ") {
            self.is_running = false;
        }
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        let Some(stdin) = &mut self.stdin else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        // A program starts after Ctrl-D in the raw REPL, or after Enter at the prompt. While no program runs, Ctrl-C is
        // an ordinary key.
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

    fn set_dtr(&mut self, _: bool) -> io::Result<()> {
        Err(no_lines())
    }

    fn set_rts(&mut self, _: bool) -> io::Result<()> {
        Err(no_lines())
    }
}
