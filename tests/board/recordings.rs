//! The virtual board behaves like genuine firmware: it repeats the steps of the recordings.

use std::io::Read as _;
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, poll};
use serde_json::json;

use crate::dialogue::{Board, Step, compare, find, recording};
use crate::support::{Port, VirtualBoard};

/// A virtual board and its port.
struct Line {
    board: VirtualBoard,
    port: Port,
}

impl Board for Line {
    fn send(&mut self, bytes: &[u8]) {
        self.port.send(bytes);
    }

    fn wait_running(&mut self) {
        self.board
            .wait_until("Ctrl-C interrupts", |stats| stats["interrupt_char"] == 3);
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut fds = [PollFd::new(self.port.file.as_fd(), PollFlags::POLLIN)];
        let mut buffer = [0; 4096];
        if poll(&mut fds, 20_u16).expect("poll") == 0 {
            return Vec::new();
        }
        let read = self.port.file.read(&mut buffer).expect("the port is there");
        buffer[..read].to_vec()
    }
}

/// Flashes a board with this profile, and drives its first boot while the port is open.
fn drive(profile: &str, name: &str, steps: &[Step]) {
    let mut board = VirtualBoard::options()
        .profile(profile)
        .broken("silence")
        // Longer than any wait, so that an interrupt during the boot hits this point.
        .arg(
            "--setup-time",
            &if name == "mpython-1.0.1" { 60 } else { 0 },
        )
        .start();
    let port = Port::open(&board);
    board.control("flash", json!({}));
    compare(name, &mut Line { board, port }, steps);
}

fn replay(profile: &str, name: &str) {
    drive(profile, name, &recording(name));
}

#[test]
fn mpython_1_0_is_as_recorded() {
    replay("mpython-1.0", "mpython-1.0.1");
}

#[test]
fn mpython_1_2_is_as_recorded() {
    replay("mpython-1.2", "mpython-1.2.0");
}

#[test]
fn mpython_1_4_is_as_recorded() {
    replay("mpython-1.4", "mpython-1.4.0");
}

#[test]
fn mixly_1_19_is_as_recorded() {
    replay("mixly-1.19", "mixly-mpython-1.19.1");
}

#[test]
fn generic_1_17_is_as_recorded() {
    replay("generic-1.17", "generic-1.17");
}

#[test]
fn generic_1_26_is_as_recorded() {
    replay("generic-1.26", "generic-1.26.1");
}

/// Where mPython 2.x differs from 1.4.0. No recording exists; each text is from the firmware's source,
/// github.com/labplus-cn/mpython, in port/ (commits 0236e7d main.c, 1f347eb pyexec.c, 59dec86 _boot.py, 6500012
/// modmachine.c).
const MPYTHON_2: [(&str, &str); 17] = [
    // boards/mpython/modules/_boot.py:19 calls inisetup.setup() of micropython's ports/esp32/modules/inisetup.py
    // ("Performing initial setup"); _boot.py:22-24 and 29-30 print the rest. The banner is from
    // lib/utils/pyexec.c:439-441, its version is an example, its machine is from boards/mpython/mpconfigboard.h:1-2;
    // the prompt is pyexec.c:485.
    (
        "power-on until quiet",
        "ets Jul 29\r\nentry 0x400806e8\r\nPerforming initial setup\r\n=$%#=\r\n=$%#=\r\n=$%#=\r\n$#mac:AABBCCDDEEFF#$\r\n\
         MicroPython v2.6.1 on 2025-06-01; mpython with ESP32\r\nType \"help()\" for more information.\r\n>>> ",
    ),
    // _boot.py:16 mounts at "/"; whether setup() does so too is not proven.
    (
        "working directory",
        "import uos;print(uos.getcwd(), uos.listdir('/'), uos.listdir())\r\n/ ['boot.py'] ['boot.py']\r\n>>> ",
    ),
    // _boot.py:1-7 (imports), 18-19 (inisetup, vfs), 22 (count), 29 (mac); line 12 deletes _rgb.
    (
        "names after boot",
        "print(sorted(globals()))\r\n['NeoPixel', '__name__', 'bdev', 'count', 'gc', 'inisetup', 'mac', 'machine', 'time', \
         'ubinascii', 'uos', 'vfs']\r\n>>> ",
    ),
    // Versions, which may differ.
    (
        "firmware",
        "import sys;print(sys.implementation, sys.version, sys.platform, uos.uname())\r\n(name='micropython', version=(1, 12, \
         0)) 3.4.0 esp32 (sysname='esp32', nodename='esp32', release='1.12.0', version='v2.6.1 on 2025-06-01', \
         machine='mpython with ESP32')\r\n>>> ",
    ),
    // pyexec.c:390-392: Ctrl-A in the raw REPL repeats the banner; this file has no raw-paste mode.
    ("raw: raw-paste request", "raw REPL; CTRL-B to exit\r\n>"),
    // pyexec.c:393-398, then 439-441.
    (
        "back to the prompt",
        "\r\nMicroPython v2.6.1 on 2025-06-01; mpython with ESP32\r\nType \"help()\" for more information.\r\n>>> ",
    ),
    // pyexec.c:75-76, 129-131: sys.exit() returns 0, which only ends the program.
    ("raw: sys.exit()", "OK\x04\x04>"),
    // builtins/modmachine.c:192-195 makes pyexec.c:131 return PYEXEC_FORCED_EXIT; boards/mpython/main.c:219-220 leaves
    // the REPL, 242 prints, 255 jumps to 168, and 208 runs _boot.py again. The mode is still raw: 217-219,
    // pyexec.c:383-387.
    (
        "raw: machine.soft_reset()",
        "OK\x04\x04mpython: soft reboot\r\n=$%#=\r\n=$%#=\r\n=$%#=\r\n$#mac:AABBCCDDEEFF#$\r\nraw REPL; CTRL-B to exit\r\n>",
    ),
    // pyexec.c:411-419 (OK, CR LF), then as above.
    (
        "raw: Ctrl-D alone, a soft reset",
        "OK\r\nmpython: soft reboot\r\n=$%#=\r\n=$%#=\r\n=$%#=\r\n$#mac:AABBCCDDEEFF#$\r\nraw REPL; CTRL-B to exit\r\n>",
    ),
    (
        "Ctrl-B",
        "\r\nMicroPython v2.6.1 on 2025-06-01; mpython with ESP32\r\nType \"help()\" for more information.\r\n>>> ",
    ),
    // pyexec.c:507-511, then as above.
    (
        "friendly: Ctrl-D, a soft reset",
        "\r\nmpython: soft reboot\r\n=$%#=\r\n=$%#=\r\n=$%#=\r\n$#mac:AABBCCDDEEFF#$\r\n\
         MicroPython v2.6.1 on 2025-06-01; mpython with ESP32\r\nType \"help()\" for more information.\r\n>>> ",
    ),
    // _boot.py as after boot, without 18-19; `i` is from the pasted program.
    (
        "names after a soft reset",
        "print(sorted(globals()))\r\n['NeoPixel', '__name__', 'bdev', 'count', 'gc', 'i', 'mac', 'machine', 'time', \
         'ubinascii', 'uos']\r\n>>> ",
    ),
    // Masked: memory, the size of the file system, the list of modules.
    (
        "free memory",
        "import gc;gc.collect();print(gc.mem_free())\r\n0\r\n>>> ",
    ),
    ("file system", "print(uos.statvfs('/'))\r\n()\r\n>>> "),
    (
        "modules",
        "help('modules')\r\nPlus any modules on the filesystem\r\n>>> ",
    ),
    // The registers of 1.4.0; the values on 2.x are unknown.
    (
        "UART0 clock divider",
        "import machine;print(hex(machine.mem32[0x3ff40014]), hex(machine.mem32[0x3ff40020]))\r\n0xa00008 0x400001c\r\n>>> ",
    ),
    // As at power-on, without the initial setup.
    (
        "reset",
        "import machine;machine.reset()\r\nets Jul 29\r\nentry 0x400806e8\r\n=$%#=\r\n=$%#=\r\n=$%#=\r\n$#mac:AABBCCDDEEFF#$\r\n\
         MicroPython v2.6.1 on 2025-06-01; mpython with ESP32\r\nType \"help()\" for more information.\r\n>>> ",
    ),
];

/// mPython 2.x is based on MicroPython 1.12: it has everything that the recordings before it (1.4.0, based on 1.10) and
/// after it (1.17) have in common. The rest is in [`MPYTHON_2`].
#[test]
fn mpython_2_behaves_as_in_its_source() {
    let later = recording("generic-1.17");
    let mut steps = recording("mpython-1.4.0");
    let mut from_source = 0;
    for step in &mut steps {
        if let Some((_, got)) = MPYTHON_2.iter().find(|(name, _)| *name == step.name) {
            step.got = got.as_bytes().to_vec();
            from_source += 1;
        } else {
            let same = later.iter().find(|other| other.name == step.name);
            let same = same.expect("both recordings have the same steps");
            assert_eq!(
                step.got.escape_ascii().to_string(),
                same.got.escape_ascii().to_string(),
                "{}",
                step.name
            );
        }
    }
    assert_eq!(from_source, MPYTHON_2.len());
    drive("mpython-2.x", "mpython-2.x", &steps);
}

#[test]
fn a_wrong_byte_fails_the_comparison() {
    let mut steps = recording("mpython-1.4.0");
    let step = steps
        .iter_mut()
        .find(|step| step.name == "raw: Ctrl-D alone, a soft reset")
        .expect("the step");
    let at = find(&step.got, b"soft").expect("the text");
    step.got[at] = b'S';
    let result = std::panic::catch_unwind(|| drive("mpython-1.4", "mpython-1.4.0", &steps));
    let message = *result
        .expect_err("a difference")
        .downcast::<String>()
        .expect("a message");
    assert!(
        message.contains("Ctrl-D alone")
            && message.contains("wanted")
            && message.contains("Soft reboot"),
        "{message}"
    );
}
