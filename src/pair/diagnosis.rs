//! The diagnoses: the meaning of a failed step, each with a stable code. `words` turns them into text.

use crate::board::hidden_error::Symptom;

/// What is wrong.
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
    /// The board's supply voltage drops too low.
    BrownOut,
    /// The board's firmware crashes.
    BoardPanic,
    /// The board sends unreadable data.
    LineNoise,
    /// A program on the board does not stop.
    BoardBusy,
    /// Something answers, but it is not `MicroPython`.
    NoMicroPython,
    /// The serial port only sends back what udpcli writes.
    SerialEcho,
    /// The board stopped answering on the serial line, or somebody pulled out the cable.
    SerialLost,
    /// The board restarted during the test.
    BoardRestarted,
    /// Our program ended with an exception on the board.
    BoardProgramDied,
    /// The pupil's own UDP program ended, and its bare `except:` hides the reason.
    BoardProgramSilentEnd,
    /// The firmware lacks the module `mpython`.
    NotMpython,
    /// The board is not connected to Wi-Fi, and the user named no network.
    WifiNotConnected,
    /// The board does not see this Wi-Fi.
    WifiNotFound,
    /// The Wi-Fi refused the password.
    WifiPasswordRefused,
    /// The Wi-Fi exists on 5 GHz only.
    Wifi5GhzOnly,
    /// The Wi-Fi exists, and the board did not connect within the timeout.
    WifiTimeout,
    /// The PC has no route to the board's address.
    NoRoute,
    /// The PC and the board are in different networks.
    DifferentSubnets,
    /// A device between PC and board rewrites addresses (NAT).
    AddressRewritten,
    /// Another program uses the PC's UDP port.
    PcPortInUse,
    /// The operating system refuses the PC's UDP port for another reason.
    PcPortRefused,
    /// A socket on the board uses the UDP port.
    BoardPortInUse,
    /// No device answers the board's ARP request for the address that it sends to.
    BoardNoArp,
    /// No direction works, although both are in one network.
    ApIsolation,
    /// The board's datagrams do not reach this PC, but the PC's reach the board.
    PcFirewall,
    /// The PC's datagrams do not reach the board, but the board's reach the PC.
    PcToBoardBlocked,
    /// The echo does not come back, although both directions work.
    NoEcho,
    /// Datagrams are lost, and the signal is weak.
    WeakSignal,
    /// Datagrams are lost.
    Loss,
    /// Payloads arrive truncated to 1,024 bytes.
    PayloadCut,
    /// Payloads of this size do not arrive, but shorter ones do.
    SizeLost,
    /// The board's `decode()` received text that is not UTF-8.
    GbkNotDecoded,
    /// The OLED does not show the expected text.
    OledWrong,
    /// The board has a colour display in place of the OLED.
    NoOledOnThisBoard,
    /// udpcli could not restore the board's state.
    NotCleanedUp,
}

impl Diagnosis {
    /// All diagnoses, for the test of the documentation.
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
        Self::NoOledOnThisBoard,
        Self::NotCleanedUp,
    ];

    /// The stable code for programs.
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
            // The same code as in the other commands, which a user may look up.
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
            Self::NoOledOnThisBoard => Symptom::NoOled.code(),
            Self::NotCleanedUp => "not-cleaned-up",
        }
    }

    /// Whether the test could not run (exit code 3); otherwise it ran and failed (exit code 1).
    #[must_use]
    pub(crate) fn is_environment(self) -> bool {
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
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_lower_case_words() {
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
