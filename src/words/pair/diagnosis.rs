//! The sentences of each diagnosis.

use crate::pair::diagnosis::Diagnosis;
use crate::text::sentence::{Sentence, sentence};

/// The evidence that `udpcli pair` saw, its meaning, and what to do next.
#[expect(clippy::too_many_lines, reason = "one row per diagnosis")]
pub(super) fn sentences(diagnosis: Diagnosis) -> [Sentence; 3] {
    match diagnosis {
        Diagnosis::SerialPort => [
            sentence!("pair-diagnosis.serial-port.evidence"),
            sentence!("pair-diagnosis.serial-port"),
            sentence!("pair-diagnosis.serial-port.next"),
        ],
        Diagnosis::NoSerialAnswer => [
            sentence!("pair-diagnosis.no-serial-answer.evidence"),
            sentence!("pair-diagnosis.no-serial-answer"),
            sentence!("pair-diagnosis.no-serial-answer.next"),
        ],
        Diagnosis::DownloadMode => [
            sentence!("pair-diagnosis.download-mode.evidence"),
            sentence!("pair-diagnosis.download-mode"),
            sentence!("pair-diagnosis.download-mode.next"),
        ],
        Diagnosis::NoFirmware => [
            sentence!("pair-diagnosis.no-firmware.evidence"),
            sentence!("pair-diagnosis.no-firmware"),
            sentence!("pair-diagnosis.no-firmware.next"),
        ],
        Diagnosis::FirmwareDamaged => [
            sentence!("pair-diagnosis.firmware-damaged.evidence"),
            sentence!("pair-diagnosis.firmware-damaged"),
            sentence!("pair-diagnosis.firmware-damaged.next"),
        ],
        Diagnosis::BrownOut => [
            sentence!("pair-diagnosis.brown-out.evidence"),
            sentence!("pair-diagnosis.brown-out"),
            sentence!("pair-diagnosis.brown-out.next"),
        ],
        Diagnosis::BoardPanic => [
            sentence!("pair-diagnosis.board-panic.evidence"),
            sentence!("pair-diagnosis.board-panic"),
            sentence!("pair-diagnosis.board-panic.next"),
        ],
        Diagnosis::LineNoise => [
            sentence!("pair-diagnosis.line-noise.evidence"),
            sentence!("pair-diagnosis.line-noise"),
            sentence!("pair-diagnosis.line-noise.next"),
        ],
        Diagnosis::BoardBusy => [
            sentence!("pair-diagnosis.board-busy.evidence"),
            sentence!("pair-diagnosis.board-busy"),
            sentence!("pair-diagnosis.board-busy.next"),
        ],
        Diagnosis::NoMicroPython => [
            sentence!("pair-diagnosis.no-micropython.evidence"),
            sentence!("pair-diagnosis.no-micropython"),
            sentence!("pair-diagnosis.no-micropython.next"),
        ],
        Diagnosis::SerialEcho => [
            sentence!("pair-diagnosis.serial-echo.evidence"),
            sentence!("pair-diagnosis.serial-echo"),
            sentence!("pair-diagnosis.serial-echo.next"),
        ],
        Diagnosis::SerialLost => [
            sentence!("pair-diagnosis.serial-lost.evidence"),
            sentence!("pair-diagnosis.serial-lost"),
            sentence!("pair-diagnosis.serial-lost.next"),
        ],
        Diagnosis::BoardRestarted => [
            sentence!("pair-diagnosis.board-restarted.evidence"),
            sentence!("pair-diagnosis.board-restarted"),
            sentence!("pair-diagnosis.board-restarted.next"),
        ],
        Diagnosis::BoardProgramDied => [
            sentence!("pair-diagnosis.board-program-died.evidence"),
            sentence!("pair-diagnosis.board-program-died"),
            sentence!("pair-diagnosis.board-program-died.next"),
        ],
        Diagnosis::BoardProgramSilentEnd => [
            sentence!("pair-diagnosis.board-program-silent-end.evidence"),
            sentence!("pair-diagnosis.board-program-silent-end"),
            sentence!("pair-diagnosis.board-program-silent-end.next"),
        ],
        Diagnosis::NotMpython => [
            sentence!("pair-diagnosis.not-mpython.evidence"),
            sentence!("pair-diagnosis.not-mpython"),
            sentence!("pair-diagnosis.not-mpython.next"),
        ],
        Diagnosis::WifiNotConnected => [
            sentence!("pair-diagnosis.wifi-not-connected.evidence"),
            sentence!("pair-diagnosis.wifi-not-connected"),
            sentence!("pair-diagnosis.wifi-not-connected.next"),
        ],
        Diagnosis::WifiNotFound => [
            sentence!("pair-diagnosis.wifi-not-found.evidence"),
            sentence!("pair-diagnosis.wifi-not-found"),
            sentence!("pair-diagnosis.wifi-not-found.next"),
        ],
        Diagnosis::WifiPasswordRefused => [
            sentence!("pair-diagnosis.wifi-password-refused.evidence"),
            sentence!("pair-diagnosis.wifi-password-refused"),
            sentence!("pair-diagnosis.wifi-password-refused.next"),
        ],
        Diagnosis::Wifi5GhzOnly => [
            sentence!("pair-diagnosis.wifi-5ghz-only.evidence"),
            sentence!("pair-diagnosis.wifi-5ghz-only"),
            sentence!("pair-diagnosis.wifi-5ghz-only.next"),
        ],
        Diagnosis::WifiTimeout => [
            sentence!("pair-diagnosis.wifi-timeout.evidence"),
            sentence!("pair-diagnosis.wifi-timeout"),
            sentence!("pair-diagnosis.wifi-timeout.next"),
        ],
        Diagnosis::NoRoute => [
            sentence!("pair-diagnosis.no-route.evidence"),
            sentence!("pair-diagnosis.no-route"),
            sentence!("pair-diagnosis.no-route.next"),
        ],
        Diagnosis::DifferentSubnets => [
            sentence!("pair-diagnosis.different-subnets.evidence"),
            sentence!("pair-diagnosis.different-subnets"),
            sentence!("pair-diagnosis.different-subnets.next"),
        ],
        Diagnosis::AddressRewritten => [
            sentence!("pair-diagnosis.address-rewritten.evidence"),
            sentence!("pair-diagnosis.address-rewritten"),
            sentence!("pair-diagnosis.address-rewritten.next"),
        ],
        Diagnosis::PcPortInUse => [
            sentence!("pair-diagnosis.pc-port-in-use.evidence"),
            sentence!("pair-diagnosis.pc-port-in-use"),
            sentence!("pair-diagnosis.pc-port-in-use.next"),
        ],
        Diagnosis::PcPortRefused => [
            sentence!("pair-diagnosis.pc-port-refused.evidence"),
            sentence!("pair-diagnosis.pc-port-refused"),
            sentence!("pair-diagnosis.pc-port-refused.next"),
        ],
        Diagnosis::BoardPortInUse => [
            sentence!("pair-diagnosis.board-port-in-use.evidence"),
            sentence!("pair-diagnosis.board-port-in-use"),
            sentence!("pair-diagnosis.board-port-in-use.next"),
        ],
        Diagnosis::BoardNoArp => [
            sentence!("pair-diagnosis.board-no-arp.evidence"),
            sentence!("pair-diagnosis.board-no-arp"),
            sentence!("pair-diagnosis.board-no-arp.next"),
        ],
        Diagnosis::ApIsolation => [
            sentence!("pair-diagnosis.ap-isolation.evidence"),
            sentence!("pair-diagnosis.ap-isolation"),
            sentence!("pair-diagnosis.ap-isolation.next"),
        ],
        Diagnosis::PcFirewall => [
            sentence!("pair-diagnosis.pc-firewall.evidence"),
            sentence!("pair-diagnosis.pc-firewall"),
            sentence!("pair-diagnosis.pc-firewall.next"),
        ],
        Diagnosis::PcToBoardBlocked => [
            sentence!("pair-diagnosis.pc-to-board-blocked.evidence"),
            sentence!("pair-diagnosis.pc-to-board-blocked"),
            sentence!("pair-diagnosis.pc-to-board-blocked.next"),
        ],
        Diagnosis::NoEcho => [
            sentence!("pair-diagnosis.no-echo.evidence"),
            sentence!("pair-diagnosis.no-echo"),
            sentence!("pair-diagnosis.no-echo.next"),
        ],
        Diagnosis::WeakSignal => [
            sentence!("pair-diagnosis.weak-signal.evidence"),
            sentence!("pair-diagnosis.weak-signal"),
            sentence!("pair-diagnosis.weak-signal.next"),
        ],
        Diagnosis::Loss => [
            sentence!("pair-diagnosis.loss.evidence"),
            sentence!("pair-diagnosis.loss"),
            sentence!("pair-diagnosis.loss.next"),
        ],
        Diagnosis::PayloadCut => [
            sentence!("pair-diagnosis.payload-cut-at-1024.evidence"),
            sentence!("pair-diagnosis.payload-cut-at-1024"),
            sentence!("pair-diagnosis.payload-cut-at-1024.next"),
        ],
        Diagnosis::SizeLost => [
            sentence!("pair-diagnosis.size-lost.evidence"),
            sentence!("pair-diagnosis.size-lost"),
            sentence!("pair-diagnosis.size-lost.next"),
        ],
        Diagnosis::GbkNotDecoded => [
            sentence!("pair-diagnosis.gbk-not-decoded.evidence"),
            sentence!("pair-diagnosis.gbk-not-decoded"),
            sentence!("pair-diagnosis.gbk-not-decoded.next"),
        ],
        Diagnosis::OledWrong => [
            sentence!("pair-diagnosis.oled-wrong.evidence"),
            sentence!("pair-diagnosis.oled-wrong"),
            sentence!("pair-diagnosis.oled-wrong.next"),
        ],
        Diagnosis::NoOledOnThisBoard => [
            sentence!("pair-diagnosis.no-oled-on-this-board.evidence"),
            sentence!("pair-diagnosis.no-oled-on-this-board"),
            sentence!("pair-diagnosis.no-oled-on-this-board.next"),
        ],
        Diagnosis::NotCleanedUp => [
            sentence!("pair-diagnosis.not-cleaned-up.evidence"),
            sentence!("pair-diagnosis.not-cleaned-up"),
            sentence!("pair-diagnosis.not-cleaned-up.next"),
        ],
    }
}
