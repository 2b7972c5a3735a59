//! `cargo run --release --example try-it`: sends and receives on this machine alone, no board needed.
//!
//! Builds udpcli, starts `udpcli listen`, sends to it with `udpcli send`, shows both sides as they speak and checks
//! what they said. The exit code is 0 if all of it came across.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Ten times what the two sides take.
const DEADLINE: Duration = Duration::from_secs(30);

const LISTEN: [&str; 8] = [
    "listen",
    "--bind",
    "127.0.0.1",
    "--port",
    "0",
    "-n",
    "4",
    "--echo",
];

const TUTORIAL: [&str; 8] = [
    "-e",
    r"hello message from mPython\r\n",
    "-n",
    "3",
    "-i",
    "500ms",
    "-w",
    "1s",
];

const CHINESE: [&str; 3] = ["你好", "-w", "1s"];

fn main() -> ExitCode {
    match try_it() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "try-it: error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn try_it() -> Result<(), Box<dyn Error>> {
    let udpcli = build()?;
    let (lines, heard) = channel();
    let mut screen = Screen::new(heard);

    let mut listen = Process::start(&udpcli, &LISTEN, Side::Listen, &lines)?;
    let peer = screen.listening_address()?;
    for (turn, payload) in [&TUTORIAL[..], &CHINESE[..]].into_iter().enumerate() {
        let args = [&["send", &peer], payload].concat();
        let mut send = Process::start(&udpcli, &args, Side::Send, &lines)?;
        screen.show_until_closed(Side::Send, 2 * (turn + 1))?;
        send.succeeded()?;
    }
    screen.show_until_closed(Side::Listen, 2)?;
    listen.succeeded()?;

    for (side, what) in [
        (Side::Listen, "of 4 datagrams listen shows"),
        (Side::Send, "of 4 replies send shows"),
    ] {
        let counts = (
            screen.count(side, r" 28 hello message from mPython\r\n"),
            screen.count(side, " 6 你好"),
        );
        if counts != (3, 1) {
            let (hello, chinese) = counts;
            return Err(format!("{what} {hello} hello (not 3) and {chinese} 你好 (not 1)").into());
        }
    }
    writeln!(
        io::stdout(),
        "\nAll 4 datagrams arrived, their text unchanged, and each came back: UDP works on this PC.\n\
         Next, with a board on the same network: {} listen",
        udpcli.display()
    )?;
    Ok(())
}

/// Builds the binary with the profile and into the directory that this example was built with; gives its path.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let profile_dir = own
        .parent()
        .and_then(Path::parent)
        .ok_or("no directory above examples/")?;
    let target_dir = profile_dir.parent().ok_or("no target directory")?;
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => return Err("no profile directory".into()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--locked", "--bin", "udpcli", "--profile", profile])
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !status.success() {
        return Err("udpcli could not be built".into());
    }
    Ok(profile_dir.join(format!("udpcli{}", std::env::consts::EXE_SUFFIX)))
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Listen,
    Send,
}

impl Side {
    fn label(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Send => "  send",
        }
    }
}

/// What one of a process's two streams said.
enum Said {
    /// A line of data, from stdout.
    Data(String),
    /// A line for people, from stderr.
    Note(String),
    /// Nothing more.
    Closed,
}

/// A running `udpcli`; killed if it is dropped early.
struct Process {
    side: Side,
    child: Child,
}

impl Process {
    fn start(
        program: &Path,
        args: &[&str],
        side: Side,
        lines: &Sender<(Side, Said)>,
    ) -> io::Result<Self> {
        let quote = |arg: &&str| {
            if arg.contains([' ', '\\']) {
                format!("\"{arg}\"")
            } else {
                (*arg).to_owned()
            }
        };
        let shown: Vec<String> = args.iter().map(quote).collect();
        writeln!(
            io::stdout(),
            "{} $ udpcli {}",
            side.label(),
            shown.join(" ")
        )?;
        let mut child = Command::new(program)
            .args(args)
            .env_remove("UDPCLI_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, side, Said::Data, lines.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, side, Said::Note, lines.clone());
        }
        Ok(Self { side, child })
    }

    fn succeeded(&mut self) -> Result<(), Box<dyn Error>> {
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("udpcli {} ended with {status}", self.side.label().trim()).into())
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes each line on, then the end. Nobody listens any more once something went wrong.
fn forward(
    stream: impl Read + Send + 'static,
    side: Side,
    said: fn(String) -> Said,
    lines: Sender<(Side, Said)>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = lines.send((side, said(line)));
        }
        let _ = lines.send((side, Said::Closed));
    });
}

/// Shows what both sides say as they say it, and remembers the data.
struct Screen {
    heard: Receiver<(Side, Said)>,
    deadline: Instant,
    data: Vec<(Side, String)>,
    closed: Vec<Side>,
}

impl Screen {
    fn new(heard: Receiver<(Side, Said)>) -> Self {
        Self {
            heard,
            deadline: Instant::now() + DEADLINE,
            data: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// Shows the next line; gives it if it is a note.
    fn show(&mut self) -> Result<Option<String>, Box<dyn Error>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let (side, said) = self
            .heard
            .recv_timeout(left)
            .map_err(|_| format!("not finished within {} s", DEADLINE.as_secs()))?;
        match said {
            Said::Data(line) => {
                writeln!(io::stdout(), "{} | {line}", side.label())?;
                self.data.push((side, line));
                Ok(None)
            }
            Said::Note(line) => {
                writeln!(io::stdout(), "{} : {line}", side.label())?;
                Ok(Some(line))
            }
            Said::Closed => {
                self.closed.push(side);
                Ok(None)
            }
        }
    }

    /// Where `udpcli listen` says that it listens.
    fn listening_address(&mut self) -> Result<String, Box<dyn Error>> {
        while !self.closed.contains(&Side::Listen) {
            if let Some(note) = self.show()?
                && let Some((_, rest)) = note.split_once("listening on ")
                && let Some(address) = rest.split(';').next()
            {
                return Ok(address.to_owned());
            }
        }
        Err("udpcli listen does not listen".into())
    }

    /// Shows lines until so many streams of this side are closed.
    fn show_until_closed(&mut self, side: Side, streams: usize) -> Result<(), Box<dyn Error>> {
        while self.closed.iter().filter(|&&closed| closed == side).count() < streams {
            self.show()?;
        }
        Ok(())
    }

    /// How many lines of this side's data end so.
    fn count(&self, side: Side, end: &str) -> usize {
        self.data
            .iter()
            .filter(|(of, line)| *of == side && line.ends_with(end))
            .count()
    }
}
