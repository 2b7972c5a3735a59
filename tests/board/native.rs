//! Boards whose serial port is the chip's own USB: the last full packet that the computer holds back, and a port that leaves
//! at a reset and returns, under another name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use udpcli::board::link::Link;
use udpcli::board::port::{self, Port};
use udpcli::board::repl::Repl;

use crate::enter::{address, shutdown};
use crate::process::{Finished, Running, run_with_input, udpcli};
use crate::support::{DEADLINE, Options, Port as Raw, VirtualBoard};

/// The firmware on USB-Serial/JTAG, which holds back full packets.
const HOLDING: [&str; 2] = ["mpython-3.0", "generic-c3"];

fn options(profile: &str) -> Options {
    VirtualBoard::options().profile(profile).flag("--quick")
}

/// Checks the stand-in itself.
#[test]
fn the_computer_holds_back_an_answer_of_64_bytes_until_more_follows() {
    let mut board = options("mpython-3.0").ready();
    let mut port = Raw::open(&board);
    port.send(b"\x01");
    port.until(b"raw REPL; CTRL-B to exit\r\n>");
    // OK, 57 characters, CR LF, the two ends and the prompt.
    port.send(b"print('x'*57)\x04");
    board.wait_until("the answer is held back", |stats| stats["held"] == 64);
    port.send(b"\x01");
    let came = port.until(b"raw REPL; CTRL-B to exit\r\n>");
    assert!(came.starts_with(b"OKxxx"), "{came:?}");
    // One byte less needs no help.
    port.send(b"print('x'*56)\x04");
    port.until(b"\x04\x04>");
}

#[test]
fn answers_of_every_length_arrive() {
    for profile in HOLDING {
        let board = options(profile).ready();
        let mut repl = Repl::open(&address(&board), shutdown()).expect("it gets in");
        for len in 40..180 {
            let code = format!("print('x'*{len})");
            let answer = repl
                .exec("a test", code.as_bytes(), Duration::from_secs(10))
                .unwrap_or_else(|error| panic!("{profile}, {len}: {error}"));
            assert_eq!(answer.len(), len + 2, "{profile}");
        }
        for len in 0..64 {
            let code = format!("raise ValueError('x'*{len})");
            let refused = repl.exec("a test", code.as_bytes(), Duration::from_secs(10));
            let text = refused.expect_err("an exception").to_string();
            assert!(text.ends_with(&"x".repeat(len)), "{profile}, {len}: {text}");
        }
        // The rest of a nudge on the line is not part of the next answer.
        assert!(repl.has_raw_paste().expect("it says"), "{profile}");
        repl.exec("a test", b"print('x'*57)", Duration::from_secs(10))
            .expect("64 bytes");
        repl.soft_reset().expect("a soft reset");
        let answer = repl.exec("a test", b"print(1)", Duration::from_secs(10));
        assert_eq!(answer.expect("an answer"), b"1\r\n", "{profile}");
        repl.close().expect("the prompt");
    }
}

/// A pseudo-terminal with a board's control lines: RTS resets it.
#[derive(Debug)]
struct WithLines {
    port: Box<dyn Port>,
    control: String,
    rts: bool,
}

impl WithLines {
    fn open(board: &VirtualBoard) -> Self {
        let port = port::open(&board.port, 115_200, DEADLINE, &|| false).expect("the port");
        let control = board.control_address();
        Self {
            port,
            control,
            rts: false,
        }
    }
}

impl Port for WithLines {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.read(buffer, timeout)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        self.port.write(bytes, timeout)
    }

    fn discard_output(&mut self) {
        self.port.discard_output();
    }

    fn set_dtr(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn set_rts(&mut self, level: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.rts, level) && !level {
            use std::io::{BufRead as _, Write as _};
            let mut control = std::net::TcpStream::connect(&self.control)?;
            control.write_all(b"{\"do\":\"reset\"}\n")?;
            io::BufReader::new(control).read_line(&mut String::new())?;
        }
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.port.set_baud(baud)
    }
}

#[test]
fn a_reset_takes_the_port_away_and_the_line_goes_on_when_it_is_back() {
    let deaf = "import mpython, micropython, time\nmicropython.kbd_intr(-1)\nopen('deaf', 'w').close()\nwhile True: time.sleep(1)";
    let mut board = options("mpython-3.0").file("main.py", deaf).ready();
    let file = board.files().join("deaf");
    board.wait_until("Ctrl-C is off", |_| file.exists());
    let address = address(&board);
    let link = Link::over(Box::new(WithLines::open(&board)), &address, shutdown());
    let mut repl = Repl::enter(link).expect("a reset lets it in");
    assert!(repl.entered().reset);
    let answer = repl.exec("a test", b"print(6*7)", DEADLINE);
    assert_eq!(answer.expect("an answer"), b"42\r\n");
    repl.close().expect("the prompt");
}

/// The first output of a program must not share a held-back packet with the acknowledgement of its start.
#[test]
fn programs_whose_first_output_fills_a_packet_run_once() {
    let Some(pc) = Pc::new() else { return };
    let board = pc.plug(options("mpython-3.0"));
    let script = pc.path("script.py");
    let script_name = script.to_str().expect("UTF-8");
    for len in [57, 58, 62, 64, 122] {
        let source = format!(
            "print('x'*{len},end='')\nimport time\ntime.sleep(0.1)\nopen('ran','a').write('x')\n"
        );
        fs::write(&script, source).expect("a script");
        let finished = pc.run(&["board", "run", script_name]).expect_code(0);
        assert_eq!(finished.text(), "x".repeat(len));
    }
    let ran = fs::read(board.files().join("ran")).expect("it ran");
    assert_eq!(ran.len(), 5);
}

/// A PC as a command sees it: its own `/dev` and `/sys/class/tty`, with one board on USB.
struct Pc {
    folder: TempDir,
}

impl Pc {
    /// None where this user may not make namespaces.
    fn new() -> Option<Self> {
        let allowed = Command::new("unshare")
            .args(["--map-root-user", "--mount", "true"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !allowed {
            assert!(std::env::var_os("CI").is_none(), "no mount namespaces here");
            println!("SKIPPED: this user may not make mount namespaces");
            return None;
        }
        let folder = TempDir::with_prefix("udpcli-pc-").expect("a folder");
        for name in ["dev/pts", "sys/tty"] {
            fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        for name in ["null", "tty", "urandom"] {
            fs::write(folder.path().join("dev").join(name), "").expect("a file");
        }
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A board whose port is `/dev/ttyACM0` on this PC.
    fn plug(&self, options: Options) -> VirtualBoard {
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        options
            .arg("--usb-sys", &text(&self.path("sys")))
            .arg("--link", &text(&self.path("dev/ttyACM0")))
            .ready()
    }

    /// `udpcli ARGS` on this PC.
    fn command(&self, args: &[&str]) -> Command {
        let inner = udpcli(args);
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg(
                "mount --rbind /dev/pts \"$0/dev/pts\" && for f in null tty urandom; do mount --bind /dev/$f \"$0/dev/$f\"; done \
                 && mount --bind \"$0/sys/tty\" /sys/class/tty && mount --rbind \"$0/dev\" /dev && exec \"$@\"",
            )
            .arg(self.folder.path())
            .arg(inner.get_program())
            .args(inner.get_args())
            .env_remove("UDPCLI_SERIAL")
            .stdin(Stdio::null());
        for (key, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Finished {
        run_with_input(self.command(args), b"")
    }
}

#[test]
fn the_one_board_on_usb_is_found_by_itself() {
    let Some(pc) = Pc::new() else { return };
    for (profile, ids) in [
        ("mpython-3.0", "303a:1001"),
        ("generic-s3-usb", "303a:4001"),
    ] {
        let _board = pc.plug(options(profile));
        let listed = pc.run(&["board", "list"]).expect_code(0).text();
        assert!(
            listed.starts_with(&format!("/dev/ttyACM0  {ids}  "))
                && listed.contains("AA:BB:CC:DD:EE:FF"),
            "{listed}"
        );
        let finished = pc.run(&["board", "exec", "print('x'*57)"]).expect_code(0);
        assert_eq!(
            finished.text(),
            format!("{}\r\n", "x".repeat(57)),
            "{profile}"
        );
    }
}

#[test]
fn a_program_that_restarts_the_board_is_said_to_have_done_so() {
    let Some(pc) = Pc::new() else { return };
    let _board = pc.plug(options("mpython-3.0").flag("--usb-renames"));
    let script = pc.path("reset.py");
    fs::write(
        &script,
        "print('now')\nimport machine, time\ntime.sleep(0.2)\nmachine.reset()\n",
    )
    .expect("a script");
    let finished = pc.run(&["board", "run", script.to_str().expect("UTF-8")]);
    assert!(finished.stderr.contains("restarted"), "{}", finished.stderr);
    assert_eq!(finished.text(), "now\r\n");
    // The port has another name now, and the board answers there.
    let finished = pc.run(&["board", "exec", "print(1)"]).expect_code(0);
    assert_eq!(finished.text(), "1\r\n");
}

#[test]
fn a_reset_while_udpcli_enters_is_waited_for() {
    let Some(pc) = Pc::new() else { return };
    // Nothing stops this program later, so that udpcli is still trying when RESET is pressed.
    let deaf =
        "import time, micropython\ntime.sleep(2)\nmicropython.kbd_intr(-1)\nwhile True: pass\n";
    let resets = options("mpython-3.0")
        .flag("--usb-renames")
        .arg("--usb-gone", &0.5)
        .file("main.py", deaf);
    let mut board = pc.plug(resets);
    std::thread::sleep(Duration::from_secs(3));
    let exec = ["board", "-s", "/dev/ttyACM0", "-vv", "exec", "print(6*7)"];
    let mut running = Running::spawn(&mut pc.command(&exec));
    running.stderr_line_with("/dev/ttyACM0");
    std::thread::sleep(Duration::from_millis(600));
    board.reset();
    let finished = running.finish().expect_code(0);
    assert_eq!(finished.text(), "42\r\n", "{}", finished.stderr);
}

#[test]
fn a_reset_during_a_transfer_is_no_pulled_cable() {
    let Some(pc) = Pc::new() else { return };
    let resets = options("mpython-3.0")
        .flag("--usb-renames")
        .arg("--usb-gone", &0.5)
        .file("big", vec![b'x'; 100]);
    let mut board = pc.plug(resets);
    let big = pc.path("big");
    let noise: Vec<u8> = (0..400_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    fs::write(&big, noise).expect("a file");
    let mut command = pc.command(&[
        "board",
        "-s",
        "/dev/ttyACM0",
        "-v",
        "put",
        big.to_str().expect("UTF-8"),
        ":",
    ]);
    let running = Running::spawn(&mut command);
    let part = board.files().join(".udpcli.part");
    board.wait_until("the transfer has begun", |_| part.exists());
    board.reset();
    let finished = running.finish();
    assert!(
        !finished.stderr.contains("serial-lost"),
        "{}",
        finished.stderr
    );
    // The board restarted; the file has its old or its new content.
    let len = fs::metadata(board.files().join("big"))
        .expect("the file")
        .len();
    assert!(
        matches!((finished.code, len), (Some(0), 400_000) | (Some(3), 100)),
        "{len}: {}",
        finished.stderr
    );
}

#[test]
fn monitor_follows_the_board_to_its_new_name() {
    let Some(pc) = Pc::new() else { return };
    // The board boots slowly, so that the monitor has opened the port by then.
    let slow = options("mpython-3.0")
        .flag("--usb-renames")
        .arg("--boot-time", &1.5);
    let mut board = pc.plug(slow);
    let mut command = pc.command(&["board", "-s", "/dev/ttyACM0", "monitor"]);
    let mut monitor = Running::spawn(&mut command);
    monitor.stderr_line_with("ttyACM0");
    board.reset();
    monitor.stderr_line_with("/dev/ttyACM1");
    let mut line = monitor.stdout_line();
    while !line.contains("mpython_v3") {
        line = monitor.stdout_line();
    }
    monitor.interrupt().expect_code(0);
}
