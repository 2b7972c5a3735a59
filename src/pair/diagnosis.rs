//! What a failed check means, and what to do next: each with a code that stays.

use crate::board::symptom::Symptom;

/// What was found to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Diagnosis {
    /// The serial port does not open.
    SerialPort,
    /// Nothing answers on the serial port.
    NoSerialAnswer,
    /// The board waits for firmware.
    DownloadMode,
    /// The board's flash is empty.
    NoFirmware,
    /// The board's firmware does not start.
    FirmwareDamaged,
    /// The board's supply voltage falls too low.
    BrownOut,
    /// The board's firmware crashes.
    BoardPanic,
    /// What comes is no text.
    LineNoise,
    /// A program on the board does not stop.
    BoardBusy,
    /// Something talks, but not as `MicroPython` does.
    NoMicroPython,
    /// What is sent comes back, and nothing else.
    SerialEcho,
    /// The board stopped answering on the serial line, or the cable is out.
    SerialLost,
    /// The board restarted during the test.
    BoardRestarted,
    /// Our program ended with an exception on the board.
    BoardProgramDied,
    /// The pupil's own UDP program ended, and its bare `except:` hides why.
    BoardProgramSilentEnd,
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
    /// The Wi-Fi is there, and the board did not get a connection in time.
    WifiTimeout,
    /// The PC has no route to the board's address.
    NoRoute,
    /// The PC and the board are in different networks.
    DifferentSubnets,
    /// Something between the two rewrites addresses (NAT).
    AddressRewritten,
    /// Another program has the PC's UDP port.
    PcPortInUse,
    /// The system refuses the PC's UDP port for another reason.
    PcPortRefused,
    /// Something on the board has the UDP port.
    BoardPortInUse,
    /// Nobody answers the board's ARP request for the address it sends to.
    BoardNoArp,
    /// Neither direction gets through, though both are in one network.
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

/// All that is said about one diagnosis.
struct Entry {
    /// The code for programs; it never changes its meaning.
    code: &'static str,
    /// Whether the test could not run (exit code 3), rather than ran and failed (exit code 1).
    is_environment: bool,
    /// What udpcli saw.
    evidence: &'static str,
    /// What that means.
    meaning: &'static str,
    /// What to do next.
    next: &'static str,
}

impl Diagnosis {
    /// All of them, for the documentation's test.
    pub const ALL: &[Self] = &[
        Self::SerialPort,
        Self::NoSerialAnswer,
        Self::DownloadMode,
        Self::NoFirmware,
        Self::FirmwareDamaged,
        Self::BrownOut,
        Self::BoardPanic,
        Self::LineNoise,
        Self::BoardBusy,
        Self::NoMicroPython,
        Self::SerialEcho,
        Self::SerialLost,
        Self::BoardRestarted,
        Self::BoardProgramDied,
        Self::BoardProgramSilentEnd,
        Self::NotMpython,
        Self::WifiNotConnected,
        Self::WifiNotFound,
        Self::WifiPasswordRefused,
        Self::Wifi5GhzOnly,
        Self::WifiTimeout,
        Self::NoRoute,
        Self::DifferentSubnets,
        Self::AddressRewritten,
        Self::PcPortInUse,
        Self::PcPortRefused,
        Self::BoardPortInUse,
        Self::BoardNoArp,
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
        self.entry().code
    }

    /// Whether the test could not run (exit code 3), rather than ran and failed (exit code 1).
    #[must_use]
    pub fn is_environment(self) -> bool {
        self.entry().is_environment
    }

    /// The diagnosis with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    /// What udpcli saw: the evidence that leads to this verdict.
    #[must_use]
    pub fn evidence(self) -> &'static str {
        self.entry().evidence
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// What to do next.
    #[must_use]
    pub fn next(self) -> &'static str {
        self.entry().next
    }

    #[expect(clippy::too_many_lines, reason = "one row per diagnosis")]
    fn entry(self) -> Entry {
        match self {
            Self::SerialPort => Entry {
                code: "serial-port",
                is_environment: true,
                evidence: "opening the serial port fails",
                meaning: "this PC cannot open the serial port",
                next: "udpcli board list shows the ports; close the editor or terminal that has it open",
            },
            Self::NoSerialAnswer => Entry {
                code: "no-serial-answer",
                is_environment: true,
                evidence: "not one byte comes from the port, not even after a reset through its control lines",
                meaning: "nothing answers on the serial port: no power, another device, or a cable without data lines",
                next: "try another USB cable (some only charge) and another socket; press the board's RESET button; udpcli board list shows which port is the board's",
            },
            Self::DownloadMode => Entry {
                code: "download-mode",
                is_environment: true,
                evidence: "the boot log says `boot:0x3` or `waiting for download`",
                meaning: "the board waits for firmware instead of running its own",
                next: "press RESET without holding another button; if it stays so: udpcli board flash",
            },
            Self::NoFirmware => Entry {
                code: "no-firmware",
                is_environment: true,
                evidence: "the boot log says `invalid header: 0xffffffff` or `flash read err, 1000`",
                meaning: "the board has no firmware: its flash is empty",
                next: "write the firmware to it: udpcli board flash",
            },
            Self::FirmwareDamaged => Entry {
                code: "firmware-damaged",
                is_environment: true,
                evidence: "the boot log says `No bootable app partitions`, `invalid header: 0x..`, `csum err` or `has invalid magic byte`, after every reset",
                meaning: "the board's firmware is damaged and does not start",
                next: "write the firmware to it again: udpcli board flash",
            },
            Self::BrownOut => Entry {
                code: "brown-out",
                is_environment: true,
                evidence: "the boot log says `Brownout detector was triggered` or `BROWN_OUT_RESET`",
                meaning: "the board's supply voltage falls too low, and it restarts",
                next: "use another USB cable, plug it into the PC itself and not into a hub, and unplug motors and LED strips",
            },
            Self::BoardPanic => Entry {
                code: "board-panic",
                is_environment: true,
                evidence: "the log says `Guru Meditation Error`, `abort() was called`, `assert failed` or `A stack overflow`",
                meaning: "the board's firmware crashed",
                next: "press the board's RESET button; if it crashes at each start, write the firmware to it again: udpcli board flash",
            },
            Self::LineNoise => Entry {
                code: "line-noise",
                is_environment: true,
                evidence: "most of the bytes that come are not text",
                meaning: "unreadable data comes from the board at this baud rate",
                next: "give the board's baud rate with --baud (115200 is usual)",
            },
            Self::BoardBusy => Entry {
                code: "board-busy",
                is_environment: true,
                evidence: "text keeps coming, and Ctrl-C brings no prompt",
                meaning: "a program on the board does not stop when Ctrl-C is pressed",
                next: "press the board's RESET button and run this again at once",
            },
            Self::NoMicroPython => Entry {
                code: "no-micropython",
                is_environment: true,
                evidence: "text comes, but the raw REPL never answers",
                meaning: "the board talks, but what it runs is not MicroPython",
                next: "put the mPython firmware on it: udpcli board flash",
            },
            Self::SerialEcho => Entry {
                code: "serial-echo",
                is_environment: true,
                evidence: "all that comes back is what udpcli sent",
                meaning: "something on the serial port sends back what it receives: no board answers there",
                next: "udpcli board list shows which port is the board's; take off a jumper or plug that connects TX and RX",
            },
            Self::SerialLost => Entry {
                code: "serial-lost",
                is_environment: true,
                evidence: "the port disappears, or an answer does not come in time",
                meaning: "the board stopped answering on the cable",
                next: "plug the cable in again, without a hub if there is one, and run this again",
            },
            Self::BoardRestarted => Entry {
                code: "board-restarted",
                is_environment: false,
                evidence: "a boot log or a `soft reboot` line comes during the test",
                meaning: "the board restarted during the test: often its power supply is too weak once Wi-Fi is on",
                next: "use another USB cable or socket, or a powered hub, and run this again",
            },
            Self::BoardProgramDied => Entry {
                code: "board-program-died",
                is_environment: false,
                evidence: "the test's own program on the board ends with a traceback",
                meaning: "the test's program on the board ended with an error of the board's own",
                next: "read the error below; if it names a file of yours on the board, move that away: udpcli board ls, udpcli board rm",
            },
            Self::BoardProgramSilentEnd => Entry {
                code: Symptom::SilentEnd.code(),
                is_environment: false,
                evidence: "a UDP program with an endless loop and a bare `except:` has ended without a traceback: the board's `main.py`, or the script of `udpcli board run`",
                meaning: Symptom::SilentEnd.meaning(),
                next: Symptom::SilentEnd.next(),
            },
            Self::NotMpython => Entry {
                code: "not-mpython",
                is_environment: false,
                evidence: "`import mpython` fails on the board",
                meaning: "the firmware has no module mpython: it is neither the maker's nor Mixly's (米思齐), and there is no OLED to check; everything else is checked",
                next: "nothing, if this is another board; otherwise: udpcli board flash",
            },
            Self::WifiNotConnected => Entry {
                code: "wifi-not-connected",
                is_environment: false,
                evidence: "the board's `isconnected()` is False, and no `--ssid` is given",
                meaning: "the board is not in a Wi-Fi",
                next: "name the Wi-Fi: --ssid NAME, and --password-env VAR",
            },
            Self::WifiNotFound => Entry {
                code: "wifi-not-found",
                is_environment: false,
                evidence: "the name is not in the board's `scan()`",
                meaning: "the board does not see a Wi-Fi of this name: it is out of reach, its name is written differently (upper and lower case count), or it is on 5 GHz only, which the board cannot see",
                next: "check the name letter by letter, move the board nearer, and switch on 2.4 GHz at the access point",
            },
            Self::WifiPasswordRefused => Entry {
                code: "wifi-password-refused",
                is_environment: false,
                evidence: "the name is in the board's `scan()`, and `status()` says 202, 204, 2 or 15",
                meaning: "the Wi-Fi is there and refuses this password",
                next: "check the password (upper and lower case count); networks with user names (WPA-Enterprise) do not work on the board",
            },
            Self::Wifi5GhzOnly => Entry {
                code: "wifi-5ghz-only",
                is_environment: false,
                evidence: "the name is not in the board's `scan()`; this PC's radio sees it on 5 GHz only, or it ends in `5G`",
                meaning: "this Wi-Fi is on 5 GHz only; the board's radio can only use 2.4 GHz",
                next: "switch on 2.4 GHz at the access point, or use another Wi-Fi or a phone's hotspot set to 2.4 GHz",
            },
            Self::WifiTimeout => Entry {
                code: "wifi-timeout",
                is_environment: false,
                evidence: "the name is in the board's `scan()`, and there is no connection within 15 s, or no address",
                meaning: "the Wi-Fi is there, but the board got no connection in time: a wrong password, or no free address (DHCP)",
                next: "check the password, then whether the access point has free addresses (restart it), then move the board nearer",
            },
            Self::NoRoute => Entry {
                code: "no-route",
                is_environment: true,
                evidence: "this PC has no route to the board's address; with `--board-ap`: it got no address in the board's network in time",
                meaning: "this PC is not on the board's network",
                next: "connect this PC to the board's network",
            },
            Self::DifferentSubnets => Entry {
                code: "different-subnets",
                is_environment: false,
                evidence: "the board's address is outside this PC's network, and nothing arrives in either direction",
                meaning: "the PC and the board are in different networks, and nothing gets from one to the other",
                next: "connect this PC to the same Wi-Fi as the board (not a guest network, not a VPN)",
            },
            Self::AddressRewritten => Entry {
                code: "address-rewritten",
                is_environment: false,
                evidence: "datagrams with this test's random token arrive from another address than the sender's own",
                meaning: "something between the PC and the board rewrites addresses (NAT): a router, a virtual machine, a phone's hotspot; answers to the address that is shown may never arrive",
                next: "connect the PC and the board to the same Wi-Fi; in a virtual machine set its network to bridged; without a common Wi-Fi: udpcli pair --board-ap",
            },
            Self::PcPortInUse => Entry {
                code: "pc-port-in-use",
                is_environment: true,
                evidence: "`bind` on this PC says that the address is in use",
                meaning: "another program on this PC has the UDP port",
                next: "close that program, or take another port with --port",
            },
            Self::PcPortRefused => Entry {
                code: "pc-port-refused",
                is_environment: true,
                evidence: "`bind` on this PC fails for another reason",
                meaning: "this PC's system does not allow the UDP port",
                next: "take a port from 1024 up with --port",
            },
            Self::BoardPortInUse => Entry {
                code: "board-port-in-use",
                is_environment: false,
                evidence: "`bind` on the board fails",
                meaning: "something on the board still has the UDP port",
                next: "reset the board (udpcli board reset --hard) and run this again",
            },
            Self::BoardNoArp => Entry {
                code: Symptom::NoArp.code(),
                is_environment: false,
                evidence: "`sendto` on the board raises ENOMEM (12)",
                meaning: Symptom::NoArp.meaning(),
                next: Symptom::NoArp.next(),
            },
            Self::ApIsolation => Entry {
                code: "ap-isolation",
                is_environment: false,
                evidence: "the board's address is in this PC's network, and nothing arrives in either direction",
                meaning: "both are in one network and nothing gets through in either direction: the access point keeps its clients apart (AP or client isolation, guest network)",
                next: "let the board be the access point: udpcli pair --board-ap; or switch off client isolation at the access point, leave the guest network, or use a phone's hotspot",
            },
            Self::PcFirewall => Entry {
                code: "pc-firewall",
                is_environment: false,
                evidence: "the PC's datagrams reach the board, and none of the board's reach the PC",
                meaning: "datagrams reach the board but none come back: this PC's firewall drops the UDP port",
                next: "allow udpcli, or the UDP port, for incoming traffic in this PC's firewall (on Windows: set the network to private)",
            },
            Self::PcToBoardBlocked => Entry {
                code: "pc-to-board-blocked",
                is_environment: false,
                evidence: "the board's datagrams reach the PC, and none of the PC's reach the board",
                meaning: "datagrams come from the board but none reach it: a firewall on this PC, or a security program, drops what goes out",
                next: "allow udpcli to send in this PC's firewall or security program, and switch off a VPN",
            },
            Self::NoEcho => Entry {
                code: "no-echo",
                is_environment: false,
                evidence: "both directions work, and none of the board's answers to the PC's own port arrive",
                meaning: "each direction works alone, the echo does not come back: a firewall on this PC drops answers",
                next: "allow udpcli for incoming traffic in this PC's firewall",
            },
            Self::WeakSignal => Entry {
                code: "weak-signal",
                is_environment: false,
                evidence: "more are lost than `--max-loss` allows, and the board's signal is -75 dBm or less",
                meaning: "datagrams are lost, and the board's signal is weak",
                next: "move the board nearer to the access point, away from metal and other radios",
            },
            Self::Loss => Entry {
                code: "loss",
                is_environment: false,
                evidence: "more are lost than `--max-loss` allows, and the signal is good or unknown",
                meaning: "datagrams are lost although the signal is good: a crowded channel, power saving, or an overloaded access point",
                next: "run it again; try another Wi-Fi channel, fewer devices, or a phone's hotspot",
            },
            Self::PayloadCut => Entry {
                code: "payload-cut-at-1024",
                is_environment: false,
                evidence: "payloads over 1,024 bytes arrive with 1,024",
                meaning: "the board takes 1,024 bytes of a datagram and drops the rest without an error: recvfrom(1024), as in the tutorial",
                next: "keep payloads at 1,024 bytes or less, or give recvfrom a larger number in the board's program",
            },
            Self::SizeLost => Entry {
                code: "size-lost",
                is_environment: false,
                evidence: "none of one size arrive, while most of a smaller size do",
                meaning: "datagrams of this size never arrive while shorter ones do: beyond the network's MTU (1,472 bytes of payload) they travel in fragments, which the board's firmware or the network drops",
                next: "keep payloads at 1,472 bytes or less",
            },
            Self::GbkNotDecoded => Entry {
                code: "gbk-not-decoded",
                is_environment: false,
                evidence: "`decode()` on the board raises UnicodeError for the OLED's text",
                meaning: "the text was sent in another encoding than UTF-8 (GBK on many Windows PCs): decode() on the board raises UnicodeError, which ends the tutorial's server",
                next: "send UTF-8 (udpcli send does), or catch UnicodeError in the board's program",
            },
            Self::OledWrong => Entry {
                code: "oled-wrong",
                is_environment: false,
                evidence: "the OLED's mirror shows other texts than were sent, or no lit pixel where they are",
                meaning: "the OLED does not show what was sent",
                next: "compare the two texts below; a character that the font lacks stays empty: udpcli board flash --font puts the font on the board",
            },
            Self::NotCleanedUp => Entry {
                code: "not-cleaned-up",
                is_environment: false,
                evidence: "the board does not come back to its prompt after the test",
                meaning: "the board could not be left as it was found",
                next: "press the board's RESET button",
            },
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
