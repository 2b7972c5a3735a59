//! The virtual board behaves like a real board: checked with mpremote, which is an independent program.
//!
//! Long because each behaviour of a real board has its comparison here.

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::Instant;

use serde_json::json;

use crate::client::kinds;
use crate::support::{Port, VirtualBoard, mpremote, mpremote_ok, python};

#[test]
fn mpremote_runs_code_and_moves_files() {
    for (kind, options) in kinds() {
        let mut board = options.ready();
        assert_eq!(
            mpremote_ok(&board, ["exec", "print('one\\ntwo')"]),
            "one\r\ntwo\r\n",
            "{kind}"
        );
        assert_eq!(board.count("soft_resets"), 1, "{kind}");
        assert_eq!(
            mpremote_ok(
                &board,
                ["resume", "exec", "import sys; print(sys.platform)"]
            ),
            "esp32\r\n"
        );
        assert_eq!(board.count("soft_resets"), 1, "{kind}");

        let script = board.files().with_file_name("script.py");
        fs::write(&script, "x = 40\nprint(x + 2)\n").unwrap();
        let script = script.to_str().unwrap();
        assert_eq!(mpremote_ok(&board, ["run", script]), "42\r\n", "{kind}");
        mpremote_ok(&board, ["fs", "cp", script, ":copy.py"]);
        assert_eq!(
            fs::read(board.files().join("copy.py")).unwrap(),
            fs::read(script).unwrap()
        );
        let listing = mpremote_ok(&board, ["fs", "ls"]);
        assert!(
            listing.contains("copy.py") && listing.contains("20"),
            "{kind}: {listing}"
        );
        mpremote_ok(&board, ["soft-reset"]);
        assert_eq!(board.count("lost"), 0, "{kind}");
    }
}

#[test]
fn the_firmware_identifies_itself() {
    let code = "import uos, sys; print(sys.implementation[1][:2], uos.uname()[4], uos.getcwd(), uos.listdir('/'))";
    for ((kind, options), expected) in kinds().into_iter().zip([
        "(1, 10) mPython with ESP32 / ['a.txt']\r\n",
        "(1, 12) mpython with ESP32 / ['a.txt']\r\n",
        "(1, 26) Generic ESP32 module with ESP32 / ['a.txt']\r\n",
    ]) {
        let board = options.file("a.txt", "a").ready();
        assert_eq!(mpremote_ok(&board, ["exec", code]), expected, "{kind}");
    }
}

#[test]
fn the_first_boot_has_its_own_working_directory() {
    let code = "import uos
print(uos.getcwd(), uos.listdir('/'), uos.stat('/')[0])
for f in (lambda: uos.statvfs('/'), lambda: open('/x', 'w'), lambda: uos.rename('/boot.py', '/b')):
    try: f()
    except OSError as e: print(e)
open('x', 'w').close()
uos.rename('x', '/flash/y')
print(sorted(uos.listdir()), uos.statvfs('/flash')[2])";
    let board = VirtualBoard::options()
        .profile("mpython-1.4")
        .flag("--first-boot")
        .ready();
    let first = mpremote_ok(&board, ["resume", "exec", code]);
    assert_eq!(
        first,
        // statvfs of a root without a mounted file system returns zeros: extmod/vfs.c, mp_vfs_statvfs.
        "/flash ['flash'] 16384\r\n[Errno 19] ENODEV\r\n[Errno 19] ENODEV\r\n['boot.py', 'y'] 512\r\n"
    );
    let later = mpremote_ok(
        &board,
        [
            "exec",
            "import uos; print(uos.getcwd(), sorted(uos.listdir('/')))",
        ],
    );
    assert_eq!(later, "/ ['boot.py', 'y']\r\n");
}

/// The modules that a pupil's file replaces, and those that it does not, according to the lists of modules in the
/// recordings and `py/builtinimport.c`. The maker's `mpython` imports `time`: with such a file it does not load.
#[test]
fn a_file_replaces_some_modules() {
    let names = "io os time socket ustruct uos uio sys machine network gc array mpython";
    for (profile, replaced) in [
        ("mpython-1.4", "io os time socket"),
        ("mpython-2.x", "io os time socket array"),
        ("mixly-1.19", "io os time socket sys machine array mpython"),
        ("generic-1.17", "io os time socket sys array"),
        ("generic-1.26", "io os time socket machine array mpython"),
    ] {
        let mut options = VirtualBoard::options().profile(profile).flag("--quick");
        if profile == "generic-1.26" {
            options = options.flag("--mpython");
        }
        for name in names.split(' ') {
            options = options.file(&format!("{name}.py"), "pupil = 1");
        }
        let board = options.ready();
        let code = format!(
            "r = []\nfor n in '{names}'.split(' '):\n try: m = __import__(n)\n except Exception: continue\n if hasattr(m, 'pupil'): r.append(n)\nprint(' '.join(r))"
        );
        let said = mpremote_ok(&board, ["resume", "exec", &code]);
        let mut said: Vec<&str> = said.trim_end().split(' ').collect();
        said.sort_unstable();
        // This firmware lacks the module, so the pupil's file is the only one.
        let missing = if profile == "generic-1.17" {
            " mpython"
        } else {
            ""
        };
        let replaced = format!("{replaced}{missing}");
        let mut replaced: Vec<&str> = replaced.split(' ').collect();
        replaced.sort_unstable();
        assert_eq!(said, replaced, "{profile}");
    }
}

#[test]
fn a_frozen_module_or_a_file_takes_precedence() {
    for (first, expected) in [("file", "True\r\n"), ("frozen", "False\r\n")] {
        for (kind, options) in kinds() {
            let board = options
                .arg("--mpython-first", first)
                .file("mpython.py", "pupil = 1")
                .ready();
            let code = "import mpython; print(hasattr(mpython, 'pupil'))";
            assert_eq!(mpremote_ok(&board, ["exec", code]), expected, "{kind}");
        }
    }
}

#[test]
fn mixly_has_another_display_and_no_wifi_class() {
    let mut board = VirtualBoard::options()
        .profile("mixly-1.19")
        .arg("--wifi", "class:secret")
        .ready();
    let code = "from mpython import *
onboard_oled.shows('hi', x=0, y=0, size=1, center=False)
onboard_oled.pixel(127, 63, 1)
onboard_oled.show()
print('oled' in globals(), 'wifi' in globals(), onboard_oled.get_buffer()[1023])
onboard_oled.texts('one\\ntwo')
import network, time
w = network.WLAN(network.STA_IF)
w.active(True)
w.connect('class', 'secret')
while not w.isconnected(): time.sleep_ms(10)
print(w.ifconfig()[0])";
    let said = mpremote_ok(&board, ["exec", code]);
    assert_eq!(said, "False False 128\r\n127.0.0.1\r\n");
    assert_eq!(board.count("shows"), 4);
    assert_ne!(board.frame(), vec![0; 1024]);
}

#[test]
fn a_soft_reset_prints_the_profiles_text() {
    for (profile, text) in [
        ("mpython-1.0", "mpython soft reboot"),
        ("mpython-1.2", "mpython soft reboot"),
        ("mpython-1.4", "mpython: soft reboot"),
        ("mpython-2.x", "mpython: soft reboot"),
        ("mixly-1.19", "MPY: soft reboot"),
        ("generic-1.17", "MPY: soft reboot"),
        ("generic-1.26", "MPY: soft reboot"),
    ] {
        let board = VirtualBoard::options().profile(profile).ready();
        let mut port = Port::open(&board);
        port.send(b"\x04");
        port.until(format!("\r\n{text}\r\n").as_bytes());
    }
}

#[test]
fn bytes_beyond_the_receive_buffer_are_lost() {
    let mut board = VirtualBoard::options().ready();
    let mut port = Port::open(&board);
    port.send(b"\x01");
    port.until(b"raw REPL; CTRL-B to exit\r\n>");
    port.send(b"import time; print('asleep'); time.sleep(1)\x04");
    port.until(b"asleep\r\n");
    port.send(&[b'#'; 400]);
    board.wait_until("bytes are lost", |stats| stats["lost"] == 145);
    assert_eq!(board.count("unread"), 255);
    // The interrupt still arrives.
    port.send(b"\x03");
    port.until(b"KeyboardInterrupt");
}

#[test]
fn the_line_keeps_its_rate() {
    rate(115_200, 30_000);
    rate(921_600, 240_000);
}

fn rate(baud: u32, bytes: u32) {
    let mut board = VirtualBoard::options().baud(baud).ready();
    let mut port = Port::open(&board);
    port.send(b"\x01");
    port.until(b"raw REPL; CTRL-B to exit\r\n>");
    // Both directions; the program prints when it is ready.
    for (stream, filled) in [
        ("stdout.buffer.write", &b""[..]),
        ("stdin.buffer.readinto", &b"y"[..]),
    ] {
        let parts = bytes / 6000;
        let code = format!(
            "import sys; b = bytearray(6000); print('go')\nfor i in range({parts}): sys.{stream}(b)\nprint('end')\x04"
        );
        // A busy machine can only make it slower: the best of several runs is the line's own rate. To check that it is
        // not faster, start the clock before the board prints "go", because the program may start before we read that.
        let line = f64::from(bytes) / f64::from(baud / 10);
        let mut best = f64::MAX;
        for _ in 0..5 {
            let asked = Instant::now();
            port.send(code.as_bytes());
            port.until(b"go\r\n");
            let began = Instant::now();
            port.send(&filled.repeat(bytes as usize));
            port.until(b"end\r\n");
            let all = asked.elapsed().as_secs_f64() / line;
            assert!(
                all > 0.97,
                "{stream} of {bytes} bytes takes {all:.3} of the line's time"
            );
            best = best.min(began.elapsed().as_secs_f64() / line);
            if best < 1.03 {
                break;
            }
        }
        assert!(
            best < 1.03,
            "{stream} of {bytes} bytes takes {best:.3} of the line's time"
        );
    }
    assert_eq!(board.count("lost"), 0);
}

#[test]
fn the_cable_comes_back_on_the_same_path() {
    let mut board = VirtualBoard::options().ready();
    let mut port = Port::open(&board);
    board.unplug();
    let mut rest = Vec::new();
    // A hang-up: end of file, or an I/O error.
    let _ = port.file.read_to_end(&mut rest);
    assert!(port.file.write_all(b"x").is_err());
    assert!(fs::metadata(&board.port).is_err());
    board.plug();
    board.wait_ready();
    assert_eq!(mpremote_ok(&board, ["exec", "print(1)"]), "1\r\n");
    board.reset();
    assert_eq!(board.count("resets"), 1);
}

#[test]
fn stubborn_programs_block_mpremote() {
    let deaf =
        "import micropython, time\nmicropython.kbd_intr(-1)\nwhile True: time.sleep_ms(10)\n";
    let stubborn =
        "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass\n";
    let grudging = "import time\nn = 0\nwhile n < 5:\n    try:\n        time.sleep(1)\n    except KeyboardInterrupt: n += 1\n";
    for (name, main) in [
        ("deaf", deaf),
        ("stubborn", stubborn),
        ("grudging", grudging),
    ] {
        let mut board = VirtualBoard::options().file("main.py", main).ready();
        let output = mpremote(&board, ["exec", "print(1)"]);
        assert!(!output.status.success(), "{name}");
        let interrupts = board.count("interrupts");
        assert_eq!(
            interrupts == 0,
            name == "deaf",
            "{name}: {interrupts} interrupts"
        );
    }
}

#[test]
fn mpremote_stops_an_ordinary_program() {
    let main = "import time\nwhile True: time.sleep(1)\n";
    for (kind, options) in kinds() {
        let board = options.file("main.py", main).ready();
        assert_eq!(mpremote_ok(&board, ["exec", "print(1)"]), "1\r\n", "{kind}");
    }
}

#[test]
fn old_firmware_inflates_with_uzlib() {
    let inflate = "import ubinascii, uio, uzlib; print(uzlib.DecompIO(uio.BytesIO(ubinascii.unhexlify('cb48cdc9c95728cf2fca490100')), -10).read())";
    for (kind, options) in kinds() {
        let board = options.ready();
        let said = |code: &str| String::from_utf8(mpremote(&board, ["exec", code]).stdout).unwrap();
        let (uzlib, deflate) = (said(inflate), said("import deflate"));
        if kind == "generic-1.26" {
            assert!(uzlib.contains("no module named 'uzlib'"), "{uzlib}");
            assert_eq!(deflate, "");
        } else {
            assert_eq!(uzlib, "b'hello world'\r\n", "{kind}");
            assert!(deflate.contains("no module named 'deflate'"), "{deflate}");
        }
    }
}

#[test]
fn the_displays_content_can_be_read() {
    let mut board = VirtualBoard::options().ready();
    let code = "from mpython import *; oled.fill(0); oled.pixel(3, 9, 1); oled.show()";
    mpremote_ok(&board, ["exec", code]);
    let mut expected = vec![0; 1024];
    expected[128 + 3] = 2;
    assert_eq!(board.frame(), expected);
}

#[test]
fn a_full_file_system_refuses() {
    let board = VirtualBoard::options().arg("--fs-size", &20_000).ready();
    let code = "f = open('big', 'w')\nfor i in range(100): f.write('x' * 1000)\n";
    let output = mpremote(&board, ["exec", code]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("OSError: 28"),
        "{output:?}"
    );
    let board = VirtualBoard::options().flag("--read-only").ready();
    let output = mpremote(&board, ["exec", "open('big', 'w')"]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("OSError: 30"),
        "{output:?}"
    );
}

#[test]
fn faults_occur_on_request() {
    let mut board = VirtualBoard::options().ready();
    let mut port = Port::open(&board);
    board.control("drop", json!({"bytes": 2}));
    port.send(b"12345\r");
    port.until(b"\r\n345\r\n");
    board.control("reboot_after", json!({"bytes": 3}));
    port.send(b"print(1)\r");
    port.until(b"rst:0x1");
    board.wait_ready();
    board.control("boot_download_mode", json!({}));
    port.until(b"waiting for download");
    board.control("chatter", json!({"on": true}));
    port.until(b"wifi: noise\r\nI (1234) wifi: noise\r\n");
}

#[test]
fn a_broken_board_reports_its_fault_repeatedly() {
    for (kind, text) in [
        ("no-firmware", "invalid header: 0xffffffff"),
        ("firmware-damaged", "No bootable app partitions"),
        ("brown-out", "Brownout detector was triggered"),
        ("panic", "Guru Meditation Error: Core  0 panic'ed"),
        ("program", "temperature: 23.4 C\r\n"),
    ] {
        let mut board = VirtualBoard::options().broken(kind).start();
        let mut port = Port::open(&board);
        for _ in 0..3 {
            port.until(text.as_bytes());
        }
        assert_eq!(board.stats()["state"], "broken", "{kind}");
    }
    let board = VirtualBoard::options().broken("echo").start();
    let mut port = Port::open(&board);
    port.send(b"\x03hello");
    assert_eq!(port.until(b"hello"), b"\x03hello");
    let mut board = VirtualBoard::options().broken("silence").start();
    let mut port = Port::open(&board);
    port.send(b"\r");
    board.wait_until("it came", |stats| stats["lost"] == 1);
    // New firmware is written to it.
    board.control("broken", json!({}));
    port.until(b">>> ");
    board.control("broken", json!({"kind": "download"}));
    port.until(b"waiting for download");
}

#[test]
fn ports_over_the_network_work() {
    for flag in ["--tcp", "--rfc2217"] {
        let board = VirtualBoard::options().flag(flag).ready();
        assert_eq!(mpremote_ok(&board, ["exec", "print(1)"]), "1\r\n", "{flag}");
    }
}

#[test]
fn control_lines_reset_the_board() {
    let mut board = VirtualBoard::options().flag("--rfc2217").ready();
    // The classic sequence: EN low; then IO0 low while EN rises, in one write, because EN takes 10 ms; then both
    // released.
    let code = "import serial, sys, time
port = serial.serial_for_url(sys.argv[1], 115200, timeout=10)
port.dtr = False; port.rts = True; time.sleep(0.05)
port.rts = False
assert port.read_until(b'boot:0x13').endswith(b'boot:0x13')
port.rts = True; time.sleep(0.05)
control = lambda value: bytes([255, 250, 44, 5, value, 255, 240])
port._internal_raw_write(control(8) + control(12)); time.sleep(0.05)
port.dtr = False
assert port.read_until(b'waiting for download').endswith(b'waiting for download')
";
    python(code, &board.port);
    assert_eq!(board.count("resets"), 2);
    assert_eq!(board.stats()["state"], "download");
}

#[test]
fn opening_the_port_can_reset_the_board() {
    let mut board = VirtualBoard::options().flag("--reset-on-open").ready();
    let mut port = Port::open(&board);
    port.until(b"rst:0x1");
    board.wait_ready();
    assert_eq!(board.count("resets"), 1);
}

#[test]
fn two_boards_exchange_datagrams() {
    let board = |ip: &str| {
        VirtualBoard::options()
            .arg("--ip", ip)
            .arg("--wifi", "class:secret")
            .ready()
    };
    let (receiver, sender) = (board("127.0.0.31"), board("127.0.0.32"));
    let join = "from mpython import *; import socket; wifi().connectWiFi('class', 'secret'); \
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); ";
    // Another program may use the tutorial's port 6000.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    mpremote_ok(
        &receiver,
        [
            "exec",
            &format!("{join}s.bind(('0.0.0.0', {port})); s.settimeout(10)"),
        ],
    );
    mpremote_ok(
        &sender,
        [
            "exec",
            &format!("{join}s.sendto(b'hello', ('127.0.0.31', {port}))"),
        ],
    );
    let heard = mpremote_ok(
        &receiver,
        ["resume", "exec", "d, a = s.recvfrom(1024); print(d, a[0])"],
    );
    assert_eq!(heard, "b'hello' 127.0.0.32\r\n");
}
