//! A pseudo-terminal with a terminal emulator behind it, and a process on it that executes orders.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Winsize};
use tempfile::TempDir;

use crate::child;

/// The timeout for a screen on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Enough rows so that nothing scrolls away.
const ROWS: u16 = 60;

/// The content of the terminal, and all bytes that it received.
struct Shown {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// The terminal, with this test binary's [`child`] on it.
pub(crate) struct Emulator {
    /// The leader of the terminal's session.
    child: Child,
    folder: TempDir,
    orders: Option<File>,
    ours: OwnedFd,
    shown: Arc<Mutex<Shown>>,
    reader: Option<JoinHandle<()>>,
    /// Whether nobody reads for now.
    is_stalled: Arc<AtomicBool>,
}

fn set_size(terminal: &OwnedFd, rows: u16, columns: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(terminal, size).unwrap();
}

impl Emulator {
    /// A terminal with this many columns as stdout and stderr of the child. `raw`: bytes arrive unchanged, for example
    /// a line feed without a carriage return.
    pub(crate) fn start(columns: u16, raw: bool) -> Self {
        let me = std::env::current_exe().unwrap();
        let args = [child::NAME, "--exact", "--ignored", "--nocapture"];
        Self::run((ROWS, columns), raw, me.as_os_str(), &args)
    }

    /// As [`Self::start`], with udpcli itself instead of the child.
    pub(crate) fn udpcli(columns: u16, args: &[&str]) -> Self {
        Self::run(
            (ROWS, columns),
            false,
            env!("CARGO_BIN_EXE_udpcli").as_ref(),
            args,
        )
    }

    /// udpcli in a folder, on a terminal with this many rows and columns; the last line is `exit code` and the code.
    pub(crate) fn udpcli_on(size: (u16, u16), folder: &Path, args: &[&str]) -> Self {
        let line = r#""$@"; echo "exit code $?""#;
        let folder = folder.to_str().unwrap();
        let udpcli = env!("CARGO_BIN_EXE_udpcli");
        let begin = ["-C", folder, "sh", "-c", line, "sh", udpcli];
        let all: Vec<&str> = begin.iter().chain(args).copied().collect();
        Self::run(size, false, "env".as_ref(), &all)
    }

    /// As [`Self::udpcli`], with a program of the system.
    pub(crate) fn program(columns: u16, name: &str, args: &[&str]) -> Self {
        Self::run((ROWS, columns), false, name.as_ref(), args)
    }

    fn run((rows, columns): (u16, u16), raw: bool, program: &OsStr, args: &[&str]) -> Self {
        let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&ours).unwrap();
        rustix::pty::unlockpt(&ours).unwrap();
        let name = rustix::pty::ptsname(&ours, Vec::new()).unwrap();
        let theirs: OwnedFd = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
        if raw {
            let mut modes = rustix::termios::tcgetattr(&theirs).unwrap();
            modes.output_modes -= OutputModes::OPOST;
            rustix::termios::tcsetattr(&theirs, OptionalActions::Now, &modes).unwrap();
        }
        set_size(&ours, rows, columns);
        let shown = Arc::new(Mutex::new(Shown {
            parser: vt100::Parser::new(rows, columns, 0),
            bytes: Vec::new(),
        }));
        let kept = Arc::clone(&shown);
        let mut output = File::from(ours.try_clone().unwrap());
        let is_stalled = Arc::new(AtomicBool::new(false));
        let stalls = Arc::clone(&is_stalled);
        let reader = std::thread::spawn(move || {
            let mut buffer = vec![0; 16 << 10];
            // A terminal's end is an error (EIO).
            while let Ok(len @ 1..) = output.read(&mut buffer) {
                let mut shown = kept.lock().unwrap();
                shown.parser.process(&buffer[..len]);
                shown.bytes.extend_from_slice(&buffer[..len]);
                drop(shown);
                while stalls.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("orders");
        let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        // With both ends open, this does not wait for the child; closing it gives the child an end of file.
        let orders = File::options().read(true).write(true).open(&fifo).unwrap();
        // The terminal is the child's own. Its session outlives it: the system resets a terminal without one.
        let line = r#"trap : INT; "$@"; touch "$UDPCLI_TEST_FOLDER/ended"; exec sleep 600"#;
        let child = Command::new("setsid")
            .args(["--ctty", "sh", "-c", line, "sh"])
            .arg(program)
            .args(args)
            .env(child::FOLDER, folder.path())
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("UDPCLI_LOG")
            .env_remove("NO_COLOR")
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs)
            .spawn()
            .unwrap();
        Self {
            child,
            folder,
            orders: Some(orders),
            ours,
            shown,
            reader: Some(reader),
            is_stalled,
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap()
    }

    /// Gives the child an order.
    #[track_caller]
    pub(crate) fn tell(&mut self, order: &str) {
        let orders = self.orders.as_mut().unwrap();
        writeln!(orders, "{order}").unwrap();
        orders.flush().unwrap();
    }

    /// The rows of the screen, without blanks at the ends.
    pub(crate) fn rows(&self) -> Vec<String> {
        let shown = self.shown();
        let screen = shown.parser.screen();
        let (_, columns) = screen.size();
        let mut rows: Vec<String> = screen
            .rows(0, columns)
            .map(|row| row.trim_end().to_owned())
            .collect();
        let used = rows.iter().rposition(|row| !row.is_empty());
        rows.truncate(used.map_or(0, |last| last + 1));
        rows
    }

    /// Waits until the screen meets the condition, and returns the screen.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let rows = self.rows();
            if is_so(&rows) {
                return rows;
            }
            assert!(
                Instant::now() < deadline,
                "{what}: not on this screen:\n{}",
                rows.join("\n")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Gives the terminal another width. As most do (VTE, Windows Terminal, iTerm2, kitty, tmux), it breaks the lines
    /// that became too long, and joins those that it broke.
    pub(crate) fn resize(&mut self, columns: u16) {
        {
            let mut shown = self.shown();
            let screen = shown.parser.screen();
            let (cursor, _) = screen.cursor_position();
            let mut text = String::new();
            for (row, line) in (0..=cursor).zip(screen.rows(0, screen.size().1)) {
                text.push_str(if screen.row_wrapped(row) {
                    &line
                } else {
                    line.trim_end()
                });
                if row < cursor && !screen.row_wrapped(row) {
                    text.push_str("\r\n");
                }
            }
            let mut parser = vt100::Parser::new(ROWS, columns, 0);
            parser.process(text.as_bytes());
            shown.parser = parser;
        }
        set_size(&self.ours, ROWS, columns);
    }

    /// Resizes the alternate screen: there a terminal truncates lines and does not wrap them.
    pub(crate) fn resize_screen(&mut self, rows: u16, columns: u16) {
        self.shown().parser.screen_mut().set_size(rows, columns);
        set_size(&self.ours, rows, columns);
    }

    /// Whether the terminal echoes keys and waits for a line's end, as it does outside of raw mode.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.ours).unwrap();
        let wanted = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        modes.local_modes.contains(wanted)
    }

    /// Whether the alternate screen is on, and whether a paste is marked.
    pub(crate) fn modes(&self) -> (bool, bool) {
        let shown = self.shown();
        let screen = shown.parser.screen();
        (screen.alternate_screen(), screen.bracketed_paste())
    }

    /// All bytes that the terminal has received so far.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.shown().bytes.clone()
    }

    /// Types something.
    #[track_caller]
    pub(crate) fn type_in(&self, text: &str) {
        rustix::io::write(&self.ours, text.as_bytes()).unwrap();
    }

    /// Stops or continues reading the terminal's output.
    pub(crate) fn stall(&self, stalls: bool) {
        self.is_stalled.store(stalls, Ordering::Relaxed);
    }

    /// Sends a signal to the process on the terminal.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let shell = self.child.id();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        let status = Command::new("kill")
            .args([&format!("-{name}"), children.trim()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits until the child has ended by itself.
    #[track_caller]
    pub(crate) fn wait(&mut self) {
        self.wait_for("ended");
    }

    /// Waits until there is such a file in the folder.
    #[track_caller]
    pub(crate) fn wait_for(&self, name: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.folder.path().join(name).exists() {
            assert!(Instant::now() < deadline, "the child is not at {name:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the orders, so that the child ends; returns all bytes that the terminal received.
    #[track_caller]
    pub(crate) fn end(mut self) -> Vec<u8> {
        // Orders would be lost before the child has opened the FIFO.
        self.wait_for("open");
        drop(self.orders.take());
        self.wait();
        self.child.kill().unwrap();
        self.reader.take().unwrap().join().unwrap();
        std::mem::take(&mut self.shown().bytes)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
