//! Boards in a Wi-Fi, and the PC side.

use std::net::UdpSocket;
use std::process::{Command, Stdio};

use crate::board::{Options, VirtualBoard};
use crate::support::{Finished, udpcli};

/// The network that the boards see, and its password.
pub(crate) const SSID: &str = "class";
pub(crate) const PASSWORD: &str = "secret";

/// The test's timeout in seconds: silence in two directions takes 20 s on an idle machine.
const LONG: &str = "150";

/// A board at its prompt, with the address 127.0.0.`last`, that sees the Wi-Fi.
pub(crate) fn wifi_board(options: Options, last: u8) -> VirtualBoard {
    options
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--ip", &format!("127.0.0.{last}"))
        .ready()
}

/// A UDP port that is free now.
#[derive(Debug)]
pub(crate) struct Pc {
    pub(crate) port: u16,
}

impl Pc {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a free port");
        let port = socket.local_addr().expect("its address").port();
        Self { port }
    }

    /// `udpcli pair` without a Wi-Fi name; `args` is split at spaces.
    pub(crate) fn bare(&self, board: &VirtualBoard, args: &str) -> Command {
        let port = self.port.to_string();
        let mut command = udpcli(
            ["pair", "-s", &board.port, "--port", &port]
                .into_iter()
                .chain(args.split_ascii_whitespace()),
        );
        command.env("WIFI_PASSWORD", PASSWORD).stdin(Stdio::null());
        command
    }

    /// `udpcli pair` with the Wi-Fi to join.
    pub(crate) fn command(&self, board: &VirtualBoard, args: &str) -> Command {
        self.bare(
            board,
            &format!("--ssid {SSID} --password-env WIFI_PASSWORD {args}"),
        )
    }
}

/// Runs the command to its end.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Finished {
    let mut limited = Command::new("timeout");
    limited
        .args(["--kill-after=1", LONG])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(key, value),
            None => limited.env_remove(key),
        };
    }
    let output = limited.output().expect("timeout starts");
    Finished {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `udpcli pair` on a board in the Wi-Fi.
#[track_caller]
pub(crate) fn pair(board: &VirtualBoard, pc: &Pc, args: &str) -> Finished {
    finish(&mut pc.command(board, args))
}
