//! What a failed check means, and what to do next: each with a code that stays.

/// What was found to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Diagnosis {
    /// The serial port does not open.
    SerialPort,
    /// Nothing answers on the serial port.
    NoSerialAnswer,
    /// The board waits for firmware.
    DownloadMode,
    /// What comes is no text.
    LineNoise,
    /// A program on the board does not give in.
    BoardBusy,
    /// Something talks, but not as `MicroPython` does.
    NoMicroPython,
    /// The board stopped answering on the serial line, or the cable is out.
    SerialLost,
    /// The board started anew in the middle.
    BoardRestarted,
    /// Our program ended with an exception on the board.
    BoardProgramDied,
    /// The firmware lacks the module `mpython`.
    NotMpython,
    /// The board is in no Wi-Fi and none was named.
    WifiNotConnected,
    /// The board does not see this Wi-Fi.
    WifiNotFound,
    /// The Wi-Fi refused the password.
    WifiPasswordRefused,
    /// The Wi-Fi is there on 5 GHz only.
    Wifi5GhzOnly,
    /// The Wi-Fi is there, and no connection came about in time.
    WifiTimeout,
    /// The PC has no way to the board's address.
    NoRoute,
    /// The PC and the board are in different networks.
    DifferentSubnets,
    /// Another program has the PC's UDP port.
    PcPortInUse,
    /// The system refuses the PC's UDP port for another reason.
    PcPortRefused,
    /// Something on the board has the UDP port.
    BoardPortInUse,
    /// Neither direction gets through, though both are up.
    ApIsolation,
    /// The board's datagrams do not reach this PC, the PC's reach the board.
    PcFirewall,
    /// The PC's datagrams do not reach the board, the board's reach the PC.
    PcToBoardBlocked,
    /// The echo does not come back, though both directions work.
    NoEcho,
    /// Datagrams are lost, and the signal is weak.
    WeakSignal,
    /// Datagrams are lost.
    Loss,
    /// Payloads arrive cut at 1,024 bytes.
    PayloadCut,
    /// Payloads of this size do not arrive, shorter ones do.
    SizeLost,
    /// Text that is not UTF-8 came to the board's `decode()`.
    GbkNotDecoded,
    /// The OLED shows something else.
    OledWrong,
    /// The board could not be left as it was.
    NotCleanedUp,
}

impl Diagnosis {
    /// All of them, for the documentation's test.
    pub const ALL: [Self; 31] = [
        Self::SerialPort,
        Self::NoSerialAnswer,
        Self::DownloadMode,
        Self::LineNoise,
        Self::BoardBusy,
        Self::NoMicroPython,
        Self::SerialLost,
        Self::BoardRestarted,
        Self::BoardProgramDied,
        Self::NotMpython,
        Self::WifiNotConnected,
        Self::WifiNotFound,
        Self::WifiPasswordRefused,
        Self::Wifi5GhzOnly,
        Self::WifiTimeout,
        Self::NoRoute,
        Self::DifferentSubnets,
        Self::PcPortInUse,
        Self::PcPortRefused,
        Self::BoardPortInUse,
        Self::ApIsolation,
        Self::PcFirewall,
        Self::PcToBoardBlocked,
        Self::NoEcho,
        Self::WeakSignal,
        Self::Loss,
        Self::PayloadCut,
        Self::SizeLost,
        Self::GbkNotDecoded,
        Self::OledWrong,
        Self::NotCleanedUp,
    ];

    /// The code for programs; it never changes its meaning.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SerialPort => "serial-port",
            Self::NoSerialAnswer => "no-serial-answer",
            Self::DownloadMode => "download-mode",
            Self::LineNoise => "line-noise",
            Self::BoardBusy => "board-busy",
            Self::NoMicroPython => "no-micropython",
            Self::SerialLost => "serial-lost",
            Self::BoardRestarted => "board-restarted",
            Self::BoardProgramDied => "board-program-died",
            Self::NotMpython => "not-mpython",
            Self::WifiNotConnected => "wifi-not-connected",
            Self::WifiNotFound => "wifi-not-found",
            Self::WifiPasswordRefused => "wifi-password-refused",
            Self::Wifi5GhzOnly => "wifi-5ghz-only",
            Self::WifiTimeout => "wifi-timeout",
            Self::NoRoute => "no-route",
            Self::DifferentSubnets => "different-subnets",
            Self::PcPortInUse => "pc-port-in-use",
            Self::PcPortRefused => "pc-port-refused",
            Self::BoardPortInUse => "board-port-in-use",
            Self::ApIsolation => "ap-isolation",
            Self::PcFirewall => "pc-firewall",
            Self::PcToBoardBlocked => "pc-to-board-blocked",
            Self::NoEcho => "no-echo",
            Self::WeakSignal => "weak-signal",
            Self::Loss => "loss",
            Self::PayloadCut => "payload-cut-at-1024",
            Self::SizeLost => "size-lost",
            Self::GbkNotDecoded => "gbk-not-decoded",
            Self::OledWrong => "oled-wrong",
            Self::NotCleanedUp => "not-cleaned-up",
        }
    }

    /// Whether the environment refused (exit code 3) rather than a check failed (exit code 1).
    #[must_use]
    pub fn is_environment(self) -> bool {
        matches!(
            self,
            Self::SerialPort
                | Self::NoSerialAnswer
                | Self::DownloadMode
                | Self::LineNoise
                | Self::BoardBusy
                | Self::NoMicroPython
                | Self::SerialLost
                | Self::NoRoute
                | Self::PcPortInUse
                | Self::PcPortRefused
        )
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::SerialPort => "this PC cannot open the serial port",
            Self::NoSerialAnswer => {
                "nothing answers on the serial port: no power, another device, or a cable without data lines"
            }
            Self::DownloadMode => "the board waits for firmware instead of running its own",
            Self::LineNoise => "what comes from the board is no text at this rate",
            Self::BoardBusy => "a program on the board does not let go",
            Self::NoMicroPython => "the board talks, but what it runs is not MicroPython",
            Self::SerialLost => "the board stopped answering on the cable",
            Self::BoardRestarted => {
                "the board started anew in the middle: often its power supply is too weak once Wi-Fi is on"
            }
            Self::BoardProgramDied => {
                "the test's program on the board ended with an error of the board's own"
            }
            Self::NotMpython => {
                "the firmware is not the mPython board's (no module mpython): there is no OLED to check; everything else is"
            }
            Self::WifiNotConnected => "the board is in no Wi-Fi",
            Self::WifiNotFound => {
                "the board sees no Wi-Fi of this name: it is out of reach, spelled otherwise (case counts), or on 5 GHz only, which the board cannot see"
            }
            Self::WifiPasswordRefused => "the Wi-Fi is there and refuses this password",
            Self::Wifi5GhzOnly => {
                "this Wi-Fi is there on 5 GHz only; the board's radio knows 2.4 GHz only"
            }
            Self::WifiTimeout => {
                "the Wi-Fi is there, but no connection came about in time: a wrong password, or no free address (DHCP)"
            }
            Self::NoRoute => {
                "this PC has no way to the board's address: it is in no network, or in another one"
            }
            Self::DifferentSubnets => {
                "the PC and the board are in different networks, and nothing gets from one to the other"
            }
            Self::PcPortInUse => "another program on this PC has the UDP port",
            Self::PcPortRefused => "this PC's system does not allow the UDP port",
            Self::BoardPortInUse => "something on the board still holds the UDP port",
            Self::ApIsolation => {
                "both are in one network and nothing gets through in either direction: the access point keeps its clients apart (AP or client isolation, guest network)"
            }
            Self::PcFirewall => {
                "datagrams reach the board but none come back: this PC's firewall drops the UDP port"
            }
            Self::PcToBoardBlocked => {
                "datagrams come from the board but none reach it: a firewall on this PC, or a security program, drops what goes out"
            }
            Self::NoEcho => {
                "each direction works alone, the echo does not come back: a firewall here drops answers"
            }
            Self::WeakSignal => "datagrams are lost, and the board's signal is weak",
            Self::Loss => {
                "datagrams are lost although the signal is good: a crowded channel, power saving, or an overloaded access point"
            }
            Self::PayloadCut => {
                "the board takes 1,024 bytes of a datagram and drops the rest without a sign: recvfrom(1024), as in the tutorial"
            }
            Self::SizeLost => {
                "datagrams of this size never arrive while shorter ones do: beyond the network's MTU (1,472 bytes of payload) they travel in fragments, which the board's firmware or the network drops"
            }
            Self::GbkNotDecoded => {
                "the text was sent in another encoding than UTF-8 (GBK on many Windows PCs): decode() on the board raises UnicodeError, which ends the tutorial's server"
            }
            Self::OledWrong => "the OLED does not show what was sent",
            Self::NotCleanedUp => "the board could not be left as it was found",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn next(self) -> &'static str {
        match self {
            Self::SerialPort => {
                "udpcli board list shows the ports; close the editor or terminal that has it open"
            }
            Self::NoSerialAnswer => {
                "try another USB cable (some only charge) and another socket; press the board's RESET button; udpcli board list shows which port is the board's"
            }
            Self::DownloadMode => {
                "press RESET without holding another button; if it stays so: udpcli board flash"
            }
            Self::LineNoise => "give the board's rate with --baud (115200 is usual)",
            Self::BoardBusy => "press the board's RESET button and run this again at once",
            Self::NoMicroPython => "put the mPython firmware on it: udpcli board flash",
            Self::SerialLost => {
                "plug the cable in again, without a hub if there is one, and run this again"
            }
            Self::BoardRestarted => {
                "use another USB cable or socket, or a powered hub, and run this again"
            }
            Self::BoardProgramDied => {
                "read the error below; a file of the pupil's on the board that is called like a module (socket.py, network.py) is a common cause: udpcli board ls, udpcli board rm"
            }
            Self::NotMpython => {
                "nothing, if this board is meant to be another one; else: udpcli board flash"
            }
            Self::WifiNotConnected => "name the Wi-Fi: --ssid NAME, and --password-env VAR",
            Self::WifiNotFound => {
                "check the name letter by letter, bring the board nearer, and switch on 2.4 GHz at the access point"
            }
            Self::WifiPasswordRefused => {
                "check the password (case counts); networks with user names (WPA-Enterprise) do not work on the board"
            }
            Self::Wifi5GhzOnly => {
                "switch on 2.4 GHz at the access point, or use another Wi-Fi or a phone's hotspot set to 2.4 GHz"
            }
            Self::WifiTimeout => {
                "check the password, then whether the access point has addresses left (restart it), then bring the board nearer"
            }
            Self::NoRoute => "connect this PC to the board's network",
            Self::DifferentSubnets => {
                "connect this PC to the same Wi-Fi as the board (not a guest network, not a VPN)"
            }
            Self::PcPortInUse => "close that program, or take another port with --port",
            Self::PcPortRefused => "take a port from 1024 up with --port",
            Self::BoardPortInUse => {
                "reset the board (udpcli board reset --hard) and run this again"
            }
            Self::ApIsolation => {
                "switch off client isolation at the access point, leave the guest network, or use a phone's hotspot"
            }
            Self::PcFirewall => {
                "allow udpcli, or the UDP port, for incoming traffic in this PC's firewall (on Windows: set the network to private)"
            }
            Self::PcToBoardBlocked => {
                "allow udpcli to send in this PC's firewall or security program, and switch off a VPN"
            }
            Self::NoEcho => "allow udpcli for incoming traffic in this PC's firewall",
            Self::WeakSignal => {
                "bring the board nearer to the access point, away from metal and other radios"
            }
            Self::Loss => {
                "run it again; try another Wi-Fi channel, fewer devices, or a phone's hotspot"
            }
            Self::PayloadCut => {
                "keep payloads at 1,024 bytes or less, or give recvfrom a larger number in the board's program"
            }
            Self::SizeLost => "keep payloads at 1,472 bytes or less",
            Self::GbkNotDecoded => {
                "send UTF-8 (udpcli send does), or catch UnicodeError in the board's program"
            }
            Self::OledWrong => {
                "compare the two texts below; a character that the font lacks stays empty: udpcli board flash --font puts the font on the board"
            }
            Self::NotCleanedUp => "press the board's RESET button",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_plain() {
        for (index, diagnosis) in Diagnosis::ALL.iter().enumerate() {
            let code = diagnosis.code();
            assert!(
                code.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{code}"
            );
            assert!(
                Diagnosis::ALL[..index]
                    .iter()
                    .all(|other| other.code() != code),
                "{code}"
            );
        }
    }
}
