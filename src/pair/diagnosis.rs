//! What a failed check means: each verdict with a code that stays. `words` says it to people.

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
        match self {
            Self::SerialPort => "serial-port",
            Self::NoSerialAnswer => "no-serial-answer",
            Self::DownloadMode => "download-mode",
            Self::NoFirmware => "no-firmware",
            Self::FirmwareDamaged => "firmware-damaged",
            Self::BrownOut => "brown-out",
            Self::BoardPanic => "board-panic",
            Self::LineNoise => "line-noise",
            Self::BoardBusy => "board-busy",
            Self::NoMicroPython => "no-micropython",
            Self::SerialEcho => "serial-echo",
            Self::SerialLost => "serial-lost",
            Self::BoardRestarted => "board-restarted",
            Self::BoardProgramDied => "board-program-died",
            Self::BoardProgramSilentEnd => Symptom::SilentEnd.code(),
            Self::NotMpython => "not-mpython",
            Self::WifiNotConnected => "wifi-not-connected",
            Self::WifiNotFound => "wifi-not-found",
            Self::WifiPasswordRefused => "wifi-password-refused",
            Self::Wifi5GhzOnly => "wifi-5ghz-only",
            Self::WifiTimeout => "wifi-timeout",
            Self::NoRoute => "no-route",
            Self::DifferentSubnets => "different-subnets",
            Self::AddressRewritten => "address-rewritten",
            Self::PcPortInUse => "pc-port-in-use",
            Self::PcPortRefused => "pc-port-refused",
            Self::BoardPortInUse => "board-port-in-use",
            Self::BoardNoArp => Symptom::NoArp.code(),
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

    /// Whether the test could not run (exit code 3), rather than ran and failed (exit code 1).
    #[must_use]
    pub fn is_environment(self) -> bool {
        matches!(
            self,
            Self::SerialPort
                | Self::NoSerialAnswer
                | Self::DownloadMode
                | Self::NoFirmware
                | Self::FirmwareDamaged
                | Self::BrownOut
                | Self::BoardPanic
                | Self::LineNoise
                | Self::BoardBusy
                | Self::NoMicroPython
                | Self::SerialEcho
                | Self::SerialLost
                | Self::NoRoute
                | Self::PcPortInUse
                | Self::PcPortRefused
        )
    }

    /// The diagnosis with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
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
