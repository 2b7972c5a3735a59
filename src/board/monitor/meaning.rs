//! Identifies the lines of a board's output, and explains those that a user may not know.
//!
//! The texts are those of the ESP32's mask ROM, of ESP-IDF and of MicroPython, as recorded in `tests/genuine/`.
//!
//! Long because it is one table of messages and what they mean.

use memchr::memmem;

use crate::board::boot_output::{self, BoardFault};
use crate::board::hidden_error::Symptom;
use crate::text::escape;
use crate::text::sentence::{Sentence, sentence};

/// How much output is kept for [`boot_output`], which examines the text around a fault.
const LOG: usize = 4096;

/// The limit for stored addresses of a backtrace.
const MAX_ADDRESSES: usize = 64;

/// The line limit for a traceback or a crash report.
const LONGEST: usize = 200;

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Output of the chip's mask ROM.
    Rom,
    /// Output of ESP-IDF's boot loader.
    BootLoader,
    /// Another line of ESP-IDF's log.
    Log,
    /// Part of the firmware's crash report.
    Panic,
    /// Part of a MicroPython traceback; its last line is the exception.
    Traceback,
    /// The announcement of a soft reset.
    SoftReboot,
    /// Output of mPython 2.x during its boot.
    BootMark,
    /// MicroPython's banner.
    Banner,
}

impl LineKind {
    /// The stable name for programs.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rom => "rom",
            Self::BootLoader => "boot-loader",
            Self::Log => "log",
            Self::Panic => "panic",
            Self::Traceback => "traceback",
            Self::SoftReboot => "soft-reboot",
            Self::BootMark => "boot-mark",
            Self::Banner => "banner",
        }
    }
}

/// Why the chip started, from the reason in the ROM's `rst:` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reset {
    /// Power, or the RESET button.
    PowerOn,
    /// The program or the firmware requested it.
    Software,
    /// A watchdog.
    Watchdog,
    /// The chip woke up from deep sleep.
    DeepSleep,
    /// Another reason.
    Other,
}

/// An error that pupils often meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownError {
    /// `ENOMEM`: from `sendto`, it means that nobody answered the ARP request.
    NoMemoryForDatagram,
    /// `UnicodeError`.
    NotUtf8,
    /// `EADDRINUSE`.
    AddressInUse,
    /// The Wi-Fi was not found.
    WifiNotFound,
    /// The board did not connect to the Wi-Fi within the timeout.
    WifiTimeout,
    /// `ETIMEDOUT`.
    TimedOut,
    /// `MemoryError`.
    MemoryError,
}

/// Something that needs an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Explained {
    /// The chip started.
    Reset(Reset, String),
    /// The ROM waits for firmware.
    DownloadMode,
    /// A fault, the line that reports it, and the addresses of a crash's backtrace.
    Fault(BoardFault, String, Vec<String>),
    /// The board printed its MAC address.
    Mac(String),
    /// A well-known error.
    Error(KnownError),
}

impl Explained {
    /// The stable code for programs.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Reset(Reset::PowerOn, _) => "power-on",
            Self::Reset(Reset::Software, _) => "software-reset",
            Self::Reset(Reset::Watchdog, _) => "watchdog-reset",
            Self::Reset(Reset::DeepSleep, _) => "deep-sleep-reset",
            Self::Reset(Reset::Other, _) => "reset",
            Self::DownloadMode => "download-mode",
            Self::Fault(fault, ..) => fault.code(),
            Self::Mac(_) => "mpython-boot",
            Self::Error(KnownError::NoMemoryForDatagram) => Symptom::NoArp.code(),
            Self::Error(KnownError::NotUtf8) => "not-utf8",
            Self::Error(KnownError::AddressInUse) => "address-in-use",
            Self::Error(KnownError::WifiNotFound) => "wifi-not-found",
            Self::Error(KnownError::WifiTimeout) => "wifi-timeout",
            Self::Error(KnownError::TimedOut) => "timed-out",
            Self::Error(KnownError::MemoryError) => "memory-error",
        }
    }

    /// The addresses of a crash's backtrace.
    #[must_use]
    pub(crate) fn addresses(&self) -> &[String] {
        match self {
            Self::Fault(_, _, addresses) => addresses,
            _ => &[],
        }
    }

    /// The explanation in one sentence.
    #[must_use]
    pub(crate) fn sentence(&self) -> Sentence {
        match self {
            Self::Reset(Reset::PowerOn, reason) => sentence!("monitor.power-on", reason = reason),
            Self::Reset(Reset::Software, reason) => {
                sentence!("monitor.software-reset", reason = reason)
            }
            Self::Reset(Reset::Watchdog, reason) => {
                sentence!("monitor.watchdog-reset", reason = reason)
            }
            Self::Reset(Reset::DeepSleep, reason) => {
                sentence!("monitor.deep-sleep-reset", reason = reason)
            }
            Self::Reset(Reset::Other, reason) => sentence!("monitor.reset", reason = reason),
            Self::DownloadMode => sentence!("monitor.download-mode"),
            Self::Fault(BoardFault::NoFirmware, ..) => sentence!("monitor.no-firmware"),
            Self::Fault(BoardFault::FirmwareDamaged, ..) => sentence!("monitor.firmware-damaged"),
            Self::Fault(BoardFault::BrownOut, ..) => sentence!("monitor.brown-out"),
            Self::Fault(BoardFault::Panic, said, addresses) if addresses.is_empty() => {
                sentence!("monitor.panic", said = said)
            }
            Self::Fault(BoardFault::Panic, said, addresses) => {
                sentence!(
                    "monitor.panic-backtrace",
                    said = said,
                    addresses = addresses.join(" ")
                )
            }
            Self::Mac(mac) => sentence!("monitor.mac", mac = mac),
            Self::Error(KnownError::NoMemoryForDatagram) => sentence!("monitor.no-arp"),
            Self::Error(KnownError::NotUtf8) => sentence!("monitor.not-utf8"),
            Self::Error(KnownError::AddressInUse) => sentence!("monitor.address-in-use"),
            Self::Error(KnownError::WifiNotFound) => sentence!("monitor.wifi-not-found"),
            Self::Error(KnownError::WifiTimeout) => sentence!("monitor.wifi-timeout"),
            Self::Error(KnownError::TimedOut) => sentence!("monitor.timed-out"),
            Self::Error(KnownError::MemoryError) => sentence!("monitor.memory-error"),
        }
    }
}

/// The meaning of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DecodedLine {
    /// The kind of the line, if it has one.
    pub(crate) kind: Option<LineKind>,
    /// The explanation, if it needs one.
    pub(crate) finding: Option<Explained>,
}

/// A report of several lines that is not complete.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    /// A traceback with this many lines so far.
    Traceback(usize),
    /// A crash report with this many lines so far.
    Panic(usize),
}

/// Decodes line by line.
#[derive(Debug, Default)]
pub(crate) struct LineDecoder {
    /// The report that goes on in the next line.
    within: Within,
    /// The end of the output, with its line ends.
    log: Vec<u8>,
    /// How much output came before it.
    before: usize,
    /// Where the text of the last reported fault is; the search for the next one starts after it.
    told: Option<usize>,
}

impl LineDecoder {
    /// Decodes the next line, without its line end.
    pub(crate) fn line(&mut self, line: &[u8]) -> DecodedLine {
        let plain = if line.contains(&0x1b) {
            &boot_output::without_color(line)
        } else {
            line
        };
        self.keep(plain);
        let kind = self.kind(plain);
        let finding = match kind {
            Some(LineKind::Traceback) if self.within == Within::Nothing => {
                known(plain).map(Explained::Error)
            }
            Some(LineKind::Rom | LineKind::BootLoader | LineKind::Panic) => {
                self.fault(plain).or_else(|| reset(plain))
            }
            Some(LineKind::BootMark) => mac(plain),
            _ => None,
        };
        DecodedLine { kind, finding }
    }

    /// Appends a line to the log, and keeps the log short.
    fn keep(&mut self, line: &[u8]) {
        if self.log.len() > 2 * LOG {
            let surplus = self.log.len() - LOG;
            self.log.drain(..surplus);
            self.before += surplus;
        }
        self.log.extend_from_slice(line);
        self.log.extend_from_slice(b"\r\n");
    }

    /// The kind of a line, which may depend on the lines before it.
    fn kind(&mut self, line: &[u8]) -> Option<LineKind> {
        // Only the end of the line must match: text that the program printed without a line end may come before it.
        if line.ends_with(b"Traceback (most recent call last):") {
            self.within = Within::Traceback(0);
            return Some(LineKind::Traceback);
        }
        if is_rom(line) {
            self.within = Within::Nothing;
            return Some(LineKind::Rom);
        }
        if begins_panic(line) {
            self.within = Within::Panic(0);
            return Some(LineKind::Panic);
        }
        match self.within {
            // With a limit, so that a program that prints two blanks before everything does not stay in a traceback.
            Within::Traceback(lines) if lines < LONGEST => {
                let is_frame = line.starts_with(b"  ");
                self.within = if is_frame {
                    Within::Traceback(lines + 1)
                } else {
                    Within::Nothing
                };
                return (is_frame || is_exception(line)).then_some(LineKind::Traceback);
            }
            Within::Panic(lines) if lines < LONGEST => {
                let is_last = line.starts_with(b"Rebooting");
                self.within = if is_last {
                    Within::Nothing
                } else {
                    Within::Panic(lines + 1)
                };
                return Some(LineKind::Panic);
            }
            _ => self.within = Within::Nothing,
        }
        if let Some(tag) = log_tag(line) {
            let is_boot = ["boot", "esp_image", "flash_parts", "bootloader_flash"];
            return Some(if is_boot.iter().any(|boot| tag == boot.as_bytes()) {
                LineKind::BootLoader
            } else {
                LineKind::Log
            });
        }
        if line.starts_with(b"=$%#=") || line.starts_with(b"$#mac:") {
            return Some(LineKind::BootMark);
        }
        if line.ends_with(boot_output::SOFT_REBOOT) && line.len() < 48 {
            return Some(LineKind::SoftReboot);
        }
        if line.starts_with(b"MicroPython v") {
            return Some(LineKind::Banner);
        }
        // The output of `sys.print_exception` on some firmware, and of programs that print only the exception.
        known(line).map(|_| LineKind::Traceback)
    }

    /// The fault that became certain with this line. A crash and a brown-out are certain only after the text that
    /// follows them.
    fn fault(&mut self, line: &[u8]) -> Option<Explained> {
        let (at, fault) = boot_output::last_fault_at(&self.log)?;
        let place = self.before + at;
        let is_new = self.told.is_none_or(|told| place > told);
        // The crash report's backtrace comes after the registers.
        let is_over = fault != BoardFault::Panic
            || line.starts_with(b"Backtrace:")
            || line.starts_with(b"Rebooting")
            || is_rom(line);
        if !is_new || !is_over {
            return None;
        }
        self.told = Some(place);
        let addresses = if fault == BoardFault::Panic {
            backtrace(self.log.get(at..).unwrap_or_default())
        } else {
            Vec::new()
        };
        let said = boot_output::line_at(&self.log, at);
        Some(Explained::Fault(fault, said, addresses))
    }
}

/// The beginnings of the mask ROM's lines.
const ROM: [&[u8]; 19] = [
    b"ets J",
    b"rst:0x",
    b"ESP-ROM:",
    b"Build:",
    b"configsip:",
    b"SPIWP:0x",
    b"clk_drv:0x",
    b"mode:D",
    b"mode:Q",
    b"load:0x",
    b"ho 0 tail",
    b"entry 0x4",
    b"csum err:0x",
    b"invalid header: 0x",
    b"flash read err, ",
    b"waiting for download",
    b"Saved PC:0x",
    b"ets_main.c",
    b"user code done",
];

/// Whether the mask ROM prints lines that begin so.
fn is_rom(line: &[u8]) -> bool {
    ROM.iter().any(|begin| line.starts_with(begin))
}

/// The first lines of ESP-IDF's crash reports.
fn begins_panic(line: &[u8]) -> bool {
    const TEXTS: [&[u8]; 5] = [
        b"Guru Meditation Error",
        b"abort() was called at PC",
        b"assert failed:",
        b"***ERROR*** A stack overflow",
        b"Brownout detector was triggered",
    ];
    TEXTS.iter().any(|begin| line.starts_with(begin))
}

/// The tag in a line of ESP-IDF's log: `I (31) boot: ..`.
fn log_tag(line: &[u8]) -> Option<&[u8]> {
    let (level, rest) = line.split_first()?;
    let rest = rest.strip_prefix(b" (")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(digits..)?.strip_prefix(b") ")?;
    let tag = rest.get(..memchr::memchr(b':', rest)?)?;
    (b"EWIDV".contains(level) && digits > 0 && tag.len() < 32).then_some(tag)
}

/// `NAME` or `NAME: text`, where the name is an identifier that begins with a capital letter.
fn is_exception(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// The error in an exception's line, if it is well known. Firmware of 2018 prints only the number.
fn known(line: &[u8]) -> Option<KnownError> {
    let has = |text: &str| memmem::find(line, text.as_bytes()).is_some();
    if line.starts_with(b"UnicodeError") {
        return Some(KnownError::NotUtf8);
    }
    if line.starts_with(b"MemoryError") {
        return Some(KnownError::MemoryError);
    }
    let said = line.strip_prefix(b"OSError: ")?;
    let number = match said.strip_prefix(b"[Errno ") {
        Some(rest) => rest.split(|byte| *byte == b']').next().unwrap_or_default(),
        None => said,
    };
    match number {
        b"12" => return Some(KnownError::NoMemoryForDatagram),
        // ESP-IDF's numbers, and those of firmware with Linux's.
        b"112" | b"98" => return Some(KnownError::AddressInUse),
        b"116" | b"110" => return Some(KnownError::TimedOut),
        _ => {}
    }
    if has("EADDRINUSE") {
        Some(KnownError::AddressInUse)
    } else if has("ETIMEDOUT") {
        Some(KnownError::TimedOut)
    } else if has("failed to scan this wifi") {
        Some(KnownError::WifiNotFound)
    } else if said.starts_with(b"Timeout!") {
        Some(KnownError::WifiTimeout)
    } else {
        None
    }
}

/// The reset in the ROM's `rst:0x1 (POWERON_RESET),boot:0x12 (SPI_FAST_FLASH_BOOT)`.
fn reset(line: &[u8]) -> Option<Explained> {
    if boot_output::has(line, &boot_output::DOWNLOAD_MARKS) {
        return Some(Explained::DownloadMode);
    }
    let rest = line.strip_prefix(b"rst:0x")?;
    let open = memchr::memchr(b'(', rest)?;
    let close = memchr::memchr(b')', rest)?;
    let reason = escape::excerpt(rest.get(open + 1..close)?);
    let kind = if reason.contains("WDT") {
        Reset::Watchdog
    } else if reason.starts_with("POWERON") {
        Reset::PowerOn
    } else if reason.starts_with("DEEPSLEEP") || reason.starts_with("DSLEEP") {
        Reset::DeepSleep
    } else if reason.starts_with("SW_") || reason.starts_with("RTC_SW_") {
        Reset::Software
    } else {
        Reset::Other
    };
    Some(Explained::Reset(kind, reason))
}

/// The address in mPython 2.x's `$#mac:AABBCCDDEEFF#$`.
fn mac(line: &[u8]) -> Option<Explained> {
    let digits = line.strip_prefix(b"$#mac:")?.strip_suffix(b"#$")?;
    if digits.len() != 12 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pairs: Vec<_> = digits.chunks(2).map(String::from_utf8_lossy).collect();
    Some(Explained::Mac(pairs.join(":").to_ascii_lowercase()))
}

/// The program addresses in `Backtrace: 0x400e14ed:0x3ffb1f60 ..`.
fn backtrace(report: &[u8]) -> Vec<String> {
    let Some(at) = memmem::find(report, b"Backtrace:") else {
        return Vec::new();
    };
    let line = report.get(at + b"Backtrace:".len()..).unwrap_or_default();
    let line = line.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.split(|byte| *byte == b' ')
        .filter_map(|pair| {
            let address = pair.split(|byte| *byte == b':').next()?;
            let digits = address.strip_prefix(b"0x")?;
            let is_number = digits.len() <= 8 && digits.iter().all(u8::is_ascii_hexdigit);
            is_number.then(|| String::from_utf8_lossy(address).into_owned())
        })
        .take(MAX_ADDRESSES)
        .collect()
}

#[cfg(test)]
mod tests;
