//! Starts virtual boards: the real MicroPython on a pseudo-terminal, see `tests/virtual_board/README.md`. Every wait
//! has a timeout; a board and its processes end when its [`VirtualBoard`] is dropped.
//!
//! Long because every helper that drives a board is here, once.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than any step here takes on a busy machine, except the installation.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The baud rate of a board in a test that names none: the highest that udpcli sets. At the 115,200 baud of an unchanged
/// board most of a test's time would be waiting for the line. A test that needs the time says [`Options::slow`].
const BAUD: u32 = 921_600;

/// Each profile with the milliseconds of its soft reset, as recorded (`tests/genuine/`, *raw: Ctrl-D alone, a soft
/// reset*). For mPython 2.x: the three pauses of 100 ms in its `_boot.py` plus the time of 1.0.1.
pub(crate) const PROFILES: [(&str, u64); 6] = [
    ("mpython-1.0", 157),
    ("mpython-1.4", 225),
    ("mpython-2.x", 457),
    ("mixly-1.19", 463),
    ("generic-1.17", 471),
    ("generic-1.26", 937),
];

/// The folder with the programs of the tests' Python environment: `python`, `mpremote`.
///
/// The first use creates it in `target/virtual-board/` from the pinned requirements; other processes wait meanwhile.
pub(crate) fn environment() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(install)
}

fn install() -> PathBuf {
    let requirements = source().join("requirements.txt");
    let wanted = fs::read(&requirements).expect("requirements.txt is readable");
    // CARGO_TARGET_TMPDIR is target/tmp.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("virtual-board");
    fs::create_dir_all(&root).expect("target/virtual-board can be made");
    let lock = fs::File::create(root.join("lock")).expect("a lock file can be made");
    lock.lock().expect("the lock file can be locked");
    let (bin, stamp) = (root.join("bin"), root.join("installed"));
    if fs::read(&stamp).is_ok_and(|done| done == wanted) {
        return bin;
    }
    eprintln!(
        "installing tests/virtual_board/requirements.txt into {}",
        root.display()
    );
    let hint =
        "the virtual board needs python3 (3.10 or newer) with venv and pip (Debian: python3-venv)";
    must(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&root),
        hint,
    );
    must(
        Command::new(bin.join("python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--only-binary",
                ":all:",
                "-r",
            ])
            .arg(&requirements),
        hint,
    );
    fs::write(stamp, wanted).expect("the stamp can be written");
    bin
}

fn must(command: &mut Command, hint: &str) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; {hint}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stderr}\n{hint}",
        output.status
    );
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/virtual_board")
}

/// Options of `virtual_board.py`; `VirtualBoard::options().profile("mpython-1.4").baud(0).start()`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Options {
    args: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl Options {
    /// Any option of the program, see its `--help`.
    pub(crate) fn arg(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.args.extend([name.to_owned(), value.to_string()]);
        self
    }

    /// An option without a value.
    pub(crate) fn flag(mut self, name: &str) -> Self {
        self.args.push(name.to_owned());
        self
    }

    /// The board's firmware, by default `mpython-2.x`: `mpython-1.0`, `mpython-1.2`, `mpython-1.4`, `mpython-2.x`,
    /// `mixly-1.19`, `generic-1.17`, `generic-1.26`; see the README.
    pub(crate) fn profile(self, name: &str) -> Self {
        self.arg("--profile", name)
    }

    /// A board without a working MicroPython: `no-firmware`, `firmware-damaged`, `brown-out`, `panic`, `download`,
    /// `program`, `echo`, `silence`; it never becomes [`ready`](Self::ready).
    pub(crate) fn broken(self, kind: &str) -> Self {
        self.arg("--broken", kind)
    }

    /// Generic MicroPython 1.26, which has raw-paste mode and `deflate`, with the maker's modules.
    pub(crate) fn raw_paste(self) -> Self {
        self.profile("generic-1.26").flag("--mpython")
    }

    /// The baud rate, 10 bits per byte, [`BAUD`] by default; 0 means unlimited and without loss.
    pub(crate) fn baud(self, baud: u32) -> Self {
        self.arg("--baud", &baud)
    }

    /// The 115,200 baud of an unchanged board, for a test that acts in the middle of a transfer.
    pub(crate) fn slow(self) -> Self {
        self.baud(115_200)
    }

    /// A file on the board before it boots, such as `main.py`.
    pub(crate) fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files
            .push((name.to_owned(), content.as_ref().to_owned()));
        self
    }

    /// Starts the board; it then still boots, and receives nothing.
    pub(crate) fn start(self) -> VirtualBoard {
        VirtualBoard::start(&self)
    }

    /// Starts the board and waits until it runs `main.py` or is at its prompt.
    pub(crate) fn ready(self) -> VirtualBoard {
        let mut board = self.start();
        board.wait_ready();
        board
    }
}

/// A running board.
#[derive(Debug)]
pub(crate) struct VirtualBoard {
    child: Child,
    /// The program ends when this closes.
    stdin: Option<ChildStdin>,
    control: BufReader<TcpStream>,
    /// The port for clients: a path, `socket://..` or `rfc2217://..`.
    pub(crate) port: String,
    /// The vendor and product ID of the chip's own USB port, if the port is that one.
    pub(crate) usb: Option<(u16, u16)>,
    folder: TempDir,
}

impl VirtualBoard {
    /// The options of a board that has not started yet.
    pub(crate) fn options() -> Options {
        Options::default()
    }

    fn start(options: &Options) -> Self {
        let folder = TempDir::with_prefix("udpcli-board-").expect("a folder for the board");
        fs::create_dir(folder.path().join("fs")).expect("a folder for its files");
        for (name, content) in &options.files {
            let path = folder.path().join("fs").join(name);
            fs::create_dir_all(path.parent().expect("a file has a folder"))
                .expect("folders on the board");
            fs::write(path, content).expect("a file on the board");
        }
        let mut child = Command::new(environment().join("python"))
            .arg(source().join("virtual_board.py"))
            .args(["--baud", &BAUD.to_string()])
            .arg("--fs")
            .arg(folder.path().join("fs"))
            .arg("--link")
            .arg(folder.path().join("tty"))
            .args(&options.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, receiver) = channel();
        thread::spawn(move || {
            // Later lines are for people who read the test's output.
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let line = receiver
            .recv_timeout(DEADLINE)
            .expect("the virtual board says where it is");
        let place: Value = serde_json::from_str(&line).expect("one JSON line");
        let text = |key: &str| place[key].as_str().expect("a string").to_owned();
        let control = TcpStream::connect(text("control")).expect("the control connection");
        control
            .set_read_timeout(Some(DEADLINE))
            .expect("a read timeout");
        control.set_nodelay(true).expect("small writes go at once");
        let port = text("port");
        let usb = place["usb"].as_str().map(|ids| {
            let (vid, pid) = ids.split_once(':').expect("two IDs");
            let number = |text| u16::from_str_radix(text, 16).expect("four digits");
            (number(vid), number(pid))
        });
        Self {
            child,
            stdin,
            control: BufReader::new(control),
            port,
            usb,
            folder,
        }
    }

    /// The address of the control connection, for a second client.
    pub(crate) fn control_address(&self) -> String {
        let peer = self.control.get_ref().peer_addr();
        peer.expect("it is connected").to_string()
    }

    /// The folder on this PC that is the board's file system.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join("fs")
    }

    /// Sends a command to the control connection: `control("garble", json!({"probability": 0.01, "seed": 7}))`; see the
    /// README.
    #[track_caller]
    pub(crate) fn control(&mut self, command: &str, mut arguments: Value) -> Value {
        arguments["do"] = command.into();
        self.control
            .get_mut()
            .write_all(format!("{arguments}\n").as_bytes())
            .expect("the board takes commands");
        let mut answer = String::new();
        self.control
            .read_line(&mut answer)
            .expect("the board answers in time");
        let answer: Value = serde_json::from_str(&answer).expect("one JSON line");
        assert_eq!(answer["ok"], true, "{command}: {answer}");
        answer
    }

    /// The counts since the start; see the README for the keys.
    #[track_caller]
    pub(crate) fn stats(&mut self) -> Value {
        self.control("stats", json!({}))
    }

    /// One count from [`Self::stats`].
    #[track_caller]
    pub(crate) fn count(&mut self, key: &str) -> u64 {
        let stats = self.stats();
        stats[key]
            .as_u64()
            .unwrap_or_else(|| panic!("no count {key} in {stats}"))
    }

    /// The display's content since the last `show()`: 1,024 bytes, `MONO_VLSB`.
    #[track_caller]
    pub(crate) fn frame(&mut self) -> Vec<u8> {
        let stats = self.control("stats", json!({"frame": true}));
        let hex = stats["frame"].as_str().expect("a frame").as_bytes();
        hex.chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// Repeats until `done` accepts the board's stats.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, what: &str, mut done: impl FnMut(&Value) -> bool) -> Value {
        let until = Instant::now() + DEADLINE;
        loop {
            let stats = self.stats();
            if done(&stats) {
                return stats;
            }
            assert!(Instant::now() < until, "never: {what}; {stats}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the board runs `main.py` or is at its prompt.
    #[track_caller]
    pub(crate) fn wait_ready(&mut self) {
        self.wait_until("the board has booted", |stats| {
            ["main.py", "repl"]
                .iter()
                .any(|stage| stats["stage"] == *stage)
        });
    }

    /// Pulls the cable: the host sees a hang-up, and the board loses power.
    #[track_caller]
    pub(crate) fn unplug(&mut self) {
        self.control("unplug", json!({}));
    }

    /// Plugs the cable in again, with the same path; the board boots.
    #[track_caller]
    pub(crate) fn plug(&mut self) {
        self.control("plug", json!({}));
    }

    /// A hard reset, like the button on the board.
    #[track_caller]
    pub(crate) fn reset(&mut self) {
        self.control("reset", json!({}));
    }
}

impl Drop for VirtualBoard {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program for `main.py` that mounts 100 KiB of memory as a card: `card("VfsFat", "/sd")`.
pub(crate) fn card(file_system: &str, mount_point: &str) -> String {
    const CARD: &str = "import uos
class Ram:
    def __init__(self): self.data = bytearray(200 * 512)
    def readblocks(self, n, buf, at=0): buf[:] = memoryview(self.data)[n * 512 + at:n * 512 + at + len(buf)]
    def writeblocks(self, n, buf, at=0): self.data[n * 512 + at:n * 512 + at + len(buf)] = buf
    def ioctl(self, op, arg): return 200 if op == 4 else 512 if op == 5 else 0
ram = Ram()
uos.KIND.mkfs(ram)
uos.mount(uos.KIND(ram), 'MOUNT_POINT')
";
    CARD.replace("KIND", file_system)
        .replace("MOUNT_POINT", mount_point)
}

/// Runs mpremote on a board: `mpremote(&board, ["exec", "print(1)"])`. It is killed after [`DEADLINE`].
#[track_caller]
pub(crate) fn mpremote<const N: usize>(board: &VirtualBoard, args: [&str; N]) -> Output {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=1", &DEADLINE.as_secs().to_string()])
        .arg(environment().join("mpremote"))
        .args(["connect", &board.port])
        .args(args)
        .stdin(Stdio::null());
    command.output().expect("mpremote starts")
}

/// Like [`mpremote`], but it must succeed; returns its output.
#[track_caller]
pub(crate) fn mpremote_ok<const N: usize>(board: &VirtualBoard, args: [&str; N]) -> String {
    let output = mpremote(board, args);
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "mpremote {args:?}: {}\n{stdout}\n{stderr}",
        output.status
    );
    stdout.into_owned()
}

/// Runs a Python program with one argument in the environment; it must succeed.
#[track_caller]
pub(crate) fn python(code: &str, argument: &str) {
    let mut command = Command::new("timeout");
    command
        .arg(DEADLINE.as_secs().to_string())
        .arg(environment().join("python"))
        .args(["-c", code, argument]);
    must(&mut command, "");
}

/// A board's port without a client, for raw bytes.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) file: fs::File,
    received: Vec<u8>,
}

impl Port {
    /// Opens the pseudo-terminal, which the board has set to raw mode.
    pub(crate) fn open(board: &VirtualBoard) -> Self {
        let file = fs::File::options()
            .read(true)
            .write(true)
            .open(&board.port)
            .expect("the port opens");
        Self {
            file,
            received: Vec::new(),
        }
    }

    /// Writes all bytes, as fast as the line allows.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).expect("the port takes bytes");
    }

    /// Reads until these bytes arrive, and returns everything up to their end; fails after [`DEADLINE`].
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: &[u8]) -> Vec<u8> {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self
                .received
                .windows(wanted.len())
                .position(|window| window == wanted)
            {
                return self.received.drain(..at + wanted.len()).collect();
            }
            let shown = || {
                format!(
                    "{}; so far {}",
                    wanted.escape_ascii(),
                    self.received.escape_ascii()
                )
            };
            let left = until.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
            assert!(
                poll(&mut fds, timeout).expect("poll") > 0,
                "never: {}",
                shown()
            );
            let mut buffer = [0; 4096];
            let count = self
                .file
                .read(&mut buffer)
                .unwrap_or_else(|error| panic!("{error} before {}", shown()));
            assert!(count > 0, "the end before {}", shown());
            self.received.extend_from_slice(&buffer[..count]);
        }
    }
}
