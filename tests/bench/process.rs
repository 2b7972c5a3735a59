//! Child processes: a guard process outlives the benchmark and ends them, every wait has a deadline, and /proc has
//! their costs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Whatever went wrong, in words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A time limit longer than anything here needs, even on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

/// Between two looks.
const POLL: Duration = Duration::from_micros(500);

/// `USER_HZ`: what /proc/PID/stat counts CPU time in; 100 wherever Rust's standard library runs on Linux.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Polls until there is a result, or the deadline has passed.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(format!("{what}: not within {DEADLINE:?}").into());
        }
        sleep(POLL);
    }
}

/// A directory in memory, if there is one, and the guard of the started processes.
#[derive(Debug)]
pub(crate) struct Stage {
    // Before the directory: the guard ends first.
    guard: RefCell<Guard>,
    dir: TempDir,
    serial: Cell<u32>,
}

impl Stage {
    pub(crate) fn new() -> Result<Self> {
        let builder = || {
            let mut builder = tempfile::Builder::new();
            builder.prefix("udpcli-bench-");
            builder
        };
        let dir = builder()
            .tempdir_in("/dev/shm")
            .or_else(|_| builder().tempdir())?;
        Ok(Self {
            guard: RefCell::new(Guard::start(dir.path())?),
            dir,
            serial: Cell::new(0),
        })
    }

    /// A path of its own for a file.
    pub(crate) fn new_path(&self, suffix: &str) -> PathBuf {
        self.serial.set(self.serial.get() + 1);
        self.dir
            .path()
            .join(format!("{}{suffix}", self.serial.get()))
    }

    /// Starts a command. Its stderr is kept for [`Running::log`], its stdout for [`Running::output`] unless it goes
    /// elsewhere.
    pub(crate) fn spawn(
        &self,
        command: &mut Command,
        stdin: Stdio,
        stdout: Option<Stdio>,
    ) -> Result<Running<'_>> {
        let out = self.new_path(".out");
        let err = self.new_path(".err");
        let stdout = match stdout {
            Some(stdout) => stdout,
            None => File::create(&out)?.into(),
        };
        let what = Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let child = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(File::create(&err)?)
            .spawn()
            .map_err(|error| format!("cannot start {what}: {error}"))?;
        // `Command` keeps its ends of pipes and sockets until they are replaced.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.guard.borrow_mut().note('+', child.id());
        Ok(Running {
            stage: self,
            child,
            what,
            out,
            err,
            is_over: false,
        })
    }
}

/// A process that ends the remaining processes after this one is gone, for whatever reason. It gets a message for each
/// start and end.
#[derive(Debug)]
struct Guard {
    child: Child,
    notes: Option<ChildStdin>,
}

impl Guard {
    fn start(dir: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("guard")
            .arg(dir)
            .stdin(Stdio::piped())
            // Ctrl-C is not for it.
            .process_group(0)
            .spawn()?;
        let notes = child.stdin.take();
        Ok(Self { child, notes })
    }

    fn note(&mut self, sign: char, pid: u32) {
        if let Some(notes) = &mut self.notes {
            let _ = writeln!(notes, "{sign}{pid}");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.notes.take());
        let _ = self.child.wait();
    }
}

/// The guard's program: at the end of its input, it kills the processes that still run.
pub(crate) fn guard_main(args: &[String]) -> Result<bool> {
    let mut running = BTreeSet::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if let Some(pid) = line.strip_prefix('+') {
            running.insert(pid.to_owned());
        } else if let Some(pid) = line.strip_prefix('-') {
            running.remove(pid);
        }
    }
    if !running.is_empty() {
        Command::new("kill").arg("-KILL").args(&running).status()?;
    }
    if let Some(dir) = args.first() {
        // The benchmark itself may already have done it.
        let _ = fs::remove_dir_all(dir);
    }
    Ok(true)
}

/// A process that ends with its scope.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    stage: &'a Stage,
    child: Child,
    what: String,
    out: PathBuf,
    err: PathBuf,
    is_over: bool,
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// User and system time of it and the processes it waited for.
    pub(crate) cpu: Duration,
    /// What it wrote to stdout.
    pub(crate) output: String,
    /// What it wrote to stderr.
    pub(crate) log: String,
}

impl Running<'_> {
    pub(crate) fn log(&self) -> String {
        read_lossy(&self.err)
    }

    pub(crate) fn output(&self) -> String {
        read_lossy(&self.out)
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }

    /// CPU time so far in whole ticks.
    pub(crate) fn ticks(&self) -> u64 {
        ticks(self.child.id())
    }

    /// The most memory it had so far, in KiB (`VmHWM`).
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
            .ok_or_else(|| format!("{}: no VmHWM in its status", self.what).into())
    }

    /// Whether the process has ended but is not reaped yet.
    fn has_ended(&self) -> bool {
        stat(self.child.id())
            .is_none_or(|fields| matches!(fields.first().map(String::as_str), Some("Z" | "X")))
    }

    /// Waits until `look` finds something, as long as the process runs.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let found = wait_for(&format!("{}: {what}", self.what), || {
            look(self)
                .map(Some)
                .or_else(|| self.has_ended().then_some(None))
        })?;
        found.ok_or_else(|| format!("{} ended early: {}", self.what, self.log().trim()).into())
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) -> Result<()> {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &pid]).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("cannot interrupt {}", self.what).into())
        }
    }

    /// Waits for the end; an exit code but 0 is an error.
    pub(crate) fn finish(mut self) -> Result<Ended> {
        wait_for(&format!("{}: its end", self.what), || {
            self.has_ended().then_some(())
        })?;
        let ended = Ended {
            cpu: self.cpu(),
            output: self.output(),
            log: self.log(),
        };
        self.note_end();
        let status = self.child.wait()?;
        if status.success() {
            Ok(ended)
        } else {
            Err(format!("{}: {status}: {}", self.what, ended.log.trim()).into())
        }
    }

    fn note_end(&mut self) {
        self.is_over = true;
        // Do this before the wait that frees the process number.
        if let Ok(mut guard) = self.stage.guard.try_borrow_mut() {
            guard.note('-', self.child.id());
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.child.kill();
            self.note_end();
            let _ = self.child.wait();
        }
        let _ = fs::remove_file(&self.out);
        let _ = fs::remove_file(&self.err);
    }
}

fn read_lossy(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The fields of /proc/PID/stat after the name, the state first.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_ascii_whitespace().map(str::to_owned).collect())
}

/// utime, stime, and those of children it waited for.
fn ticks(pid: u32) -> u64 {
    let fields = stat(pid).unwrap_or_default();
    fields
        .iter()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

/// CPU time to the nanosecond if all threads are alive (`schedstat`), otherwise in ticks.
fn cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let nanos = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_ascii_whitespace().next()?.parse::<u64>().ok()
        })
        .sum();
    let in_ticks = TICK * u32::try_from(ticks(pid)).unwrap_or(u32::MAX);
    Duration::from_nanos(nanos).max(in_ticks)
}

/// The values of /proc/net/udp for the sockets on a port.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PortState {
    /// Bytes of memory that wait to be read.
    pub(crate) queued: u64,
    /// Buffers dropped.
    pub(crate) drops: u64,
}

/// `None` if nothing is bound there.
pub(crate) fn udp_port(port: u16) -> Option<PortState> {
    let table = fs::read_to_string("/proc/net/udp").ok()?;
    let suffix = format!(":{port:04X}");
    let mut state = None;
    for row in table.lines().skip(1) {
        let fields: Vec<&str> = row.split_ascii_whitespace().collect();
        if !fields.get(1).is_some_and(|local| local.ends_with(&suffix)) {
            continue;
        }
        let state: &mut PortState = state.get_or_insert_default();
        let queued = fields.get(4).and_then(|queues| queues.split_once(':'));
        state.queued += queued
            .and_then(|(_, receive)| u64::from_str_radix(receive, 16).ok())
            .unwrap_or(0);
        state.drops += fields
            .last()
            .and_then(|drops| drops.parse::<u64>().ok())
            .unwrap_or(0);
    }
    state
}

/// Whether something accepts TCP connections on this port.
pub(crate) fn tcp_listens(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let suffix = format!(":{port:04X}");
    table.lines().any(|row| {
        let mut fields = row.split_ascii_whitespace().skip(1);
        fields.next().is_some_and(|local| local.ends_with(&suffix)) && fields.nth(1) == Some("0A")
    })
}

/// A free port of 127.0.0.1, for UDP and TCP.
pub(crate) fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = udp.local_addr()?;
        if TcpListener::bind(address).is_ok() {
            return Ok(address.port());
        }
    }
    Err("no free port".into())
}
