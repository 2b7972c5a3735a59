//! What a board's output proves: boots, restarts, and faults that Ctrl-C does not fix.
//!
//! The texts are those of the ESP32's mask ROM, of ESP-IDF's second-stage boot loader and of the firmwares recorded in
//! `tests/genuine/`. udpcli matches the part that all versions share: `mpython soft reboot`, `mpython: soft reboot` and
//! `MPY: soft reboot` all contain *soft reboot*.

use memchr::memmem;

/// Every firmware prints this at a soft reset, after its own name.
pub(crate) const SOFT_REBOOT: &[u8] = b"soft reboot";

/// The length limit of a line that ends in [`SOFT_REBOOT`]: the names of firmwares are short.
const LONGEST_REBOOT_LINE: usize = 48;

/// The signs of a boot: the ROM's log (`ets J` on the ESP32, `ESP-ROM:` on newer chips), the texts of `_boot.py` on mPython
/// 2.x and on the board 3.0, a soft reset.
pub(crate) const BOOT_MARKS: [&[u8]; 7] = [
    b"rst:0x",
    b"ets J",
    b"ESP-ROM:",
    b"=$%#=",
    b"boot...\r\n",
    MPYTHON_3,
    SOFT_REBOOT,
];

/// `_boot.py` of the board 3.0 prints this at each boot.
pub(crate) const MPYTHON_3: &[u8] = b"mpython_v3\r\n";

/// The ROM loader prints these while it waits for firmware.
pub(crate) const DOWNLOAD_MARKS: [&[u8]; 2] = [b"waiting for download", b"boot:0x3 "];

/// Text that only `MicroPython` prints.
pub(crate) const MICROPYTHON_MARKS: [&[u8]; 6] = [
    b">>> ",
    b"MicroPython",
    b"Traceback (most",
    b"KeyboardInterrupt",
    b"=$%#=",
    SOFT_REBOOT,
];

/// Whether `text` contains one of `marks`.
pub(crate) fn has(text: &[u8], marks: &[&[u8]]) -> bool {
    marks.iter().any(|mark| memmem::find(text, mark).is_some())
}

/// A fault that keeps a board from running its firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BoardFault {
    /// The flash is empty where the boot loader should be.
    NoFirmware,
    /// Boot loader, partition table or application is damaged.
    FirmwareDamaged,
    /// The supply voltage dropped too low.
    BrownOut,
    /// The firmware crashed.
    Panic,
}

impl BoardFault {
    /// The stable code for programs, the same as in `udpcli pair`.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoFirmware => "no-firmware",
            Self::FirmwareDamaged => "firmware-damaged",
            Self::BrownOut => "brown-out",
            Self::Panic => "board-panic",
        }
    }

    /// How often the text must appear before udpcli stops waiting. An empty or damaged flash stays so. If a program
    /// causes a brown-out or a crash, a Ctrl-C may interrupt it in one of the next boots.
    fn times_until_sure(self) -> usize {
        match self {
            Self::NoFirmware | Self::FirmwareDamaged => 2,
            Self::BrownOut | Self::Panic => 4,
        }
    }
}

/// The mask ROM's text for an invalid boot loader header. Eight digits follow; eight `f` mean an empty flash.
const INVALID_HEADER: &[u8] = b"invalid header: 0x";
/// How many hexadecimal digits follow it.
const INVALID_HEADER_DIGITS: usize = 8;

/// The texts of each fault. An empty word is `0xffffffff`: `invalid header` with another number means a damaged boot
/// loader, see [`last_fault_at`].
const TEXTS: [(BoardFault, &[u8]); 15] = [
    // Mask ROM: the boot loader's header at 0x1000; the first revision's error for an empty flash.
    // An erased sector of flash reads as 0xff.
    (BoardFault::NoFirmware, b"invalid header: 0xffffffff"),
    (BoardFault::NoFirmware, b"flash read err, 1000"),
    (BoardFault::FirmwareDamaged, INVALID_HEADER),
    (BoardFault::FirmwareDamaged, b"csum err:0x"),
    // ESP-IDF's boot loader (components/bootloader_support).
    (BoardFault::FirmwareDamaged, b"No bootable app partitions"),
    (
        BoardFault::FirmwareDamaged,
        b"Failed to verify partition table",
    ),
    (
        BoardFault::FirmwareDamaged,
        b"partition 0 invalid magic number",
    ),
    (BoardFault::FirmwareDamaged, b"has invalid magic byte"),
    (
        BoardFault::FirmwareDamaged,
        b"Checksum failed. Calculated 0x",
    ),
    // ESP-IDF (components/esp_system, esp32): the brown-out detector, the panic handler.
    (BoardFault::BrownOut, b"Brownout detector was triggered"),
    (BoardFault::BrownOut, b"BROWN_OUT_RESET"),
    (BoardFault::Panic, b"Guru Meditation Error"),
    (BoardFault::Panic, b"abort() was called at PC"),
    (BoardFault::Panic, b"assert failed:"),
    (BoardFault::Panic, b"***ERROR*** A stack overflow"),
];

/// The last fault that a log reports, with its line; `None` without one.
///
/// A program may print any of the texts: see `is_of_the_firmware`.
#[must_use]
pub(crate) fn last_fault(log: &[u8]) -> Option<(BoardFault, String)> {
    last_fault_at(log).map(|(at, fault)| (fault, line_at(log, at)))
}

/// The last fault that a log reports, and the position of its text.
pub(crate) fn last_fault_at(log: &[u8]) -> Option<(usize, BoardFault)> {
    let mut last: Option<(usize, BoardFault)> = None;
    for (fault, text) in TEXTS {
        // Ignore this line until all its digits have arrived.
        // While `0xffffffff` arrives, its first digits look like those of a damaged boot loader.
        let whole = if text == INVALID_HEADER {
            log.get(..log.len().saturating_sub(INVALID_HEADER_DIGITS))
        } else {
            Some(log)
        };
        let said = memmem::find_iter(whole.unwrap_or_default(), text)
            .filter(|at| is_of_the_firmware(log, *at, fault))
            .last();
        if let Some(at) = said
            // The more specific text is first in the list, so a text that is its prefix does not replace it.
            && last.is_none_or(|(before, _)| at > before)
        {
            last = Some((at, fault));
        }
    }
    last
}

/// The longest boot loader log has about 1,000 bytes, so the text appears within this distance.
const LONGEST_BOOT: usize = 2048;

/// Whether the firmware printed the text at `at`, and not a program with the same words.
///
/// ROM and boot loader print right after `rst:0x`. After a crash's text there is a backtrace or a register dump. A
/// brown-out's text is followed by the ROM's log, or the log names the brown-out as the reset reason.
fn is_of_the_firmware(log: &[u8], at: usize, fault: BoardFault) -> bool {
    // The pupil's own program may print "abort() was called at PC", and must not be told that the firmware crashed.
    let (before, after) = log.split_at(at);
    let near = |len: usize| after.get(..len).unwrap_or(after);
    match fault {
        BoardFault::NoFirmware | BoardFault::FirmwareDamaged => memmem::rfind(before, b"rst:0x")
            .is_some_and(|reset| {
                before.len() - reset < LONGEST_BOOT && !has(before.split_at(reset).1, &[b">>> "])
            }),
        BoardFault::Panic => has(after, &[b"Backtrace:", b"register dump", b"Stack memory:"]),
        BoardFault::BrownOut => {
            let line = before.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
            has(before.split_at(line).1, &[b"rst:0x"]) || has(near(80), &[b"ets J", b"rst:0x"])
        }
    }
}

/// The fault that a board reports repeatedly, so that waiting is pointless.
pub(crate) fn repeated_fault(log: &[u8]) -> Option<(BoardFault, String)> {
    // A program may print any of the texts, but the ROM's log between them proves that the board restarts. Two resets
    // prove that the board restarted after the fault between them.
    memmem::find_iter(log, b"rst:0x").nth(1)?;
    let (fault, line) = last_fault(log)?;
    let times: usize = TEXTS
        .iter()
        // Count each text alone, because one boot prints several of them.
        .filter(|(of, _)| *of == fault)
        .map(|(_, text)| memmem::find_iter(log, text).count())
        .max()
        .unwrap_or(0);
    (times >= fault.times_until_sure()).then_some((fault, line))
}

/// The line around a position, escaped and shortened to fit an error.
pub(crate) fn line_at(log: &[u8], at: usize) -> String {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let before = log.get(..at).unwrap_or_default();
    let start = before.iter().rposition(is_end).map_or(0, |end| end + 1);
    let rest = log.get(start..).unwrap_or_default();
    let end = rest.iter().position(is_end).unwrap_or(rest.len());
    let line = without_color(rest.get(..end).unwrap_or_default());
    crate::text::escape::excerpt(&line)
}

/// Removes ESP-IDF's log colours: `ESC [0;31m` before a line, `ESC [0m` after it.
pub(crate) fn without_color(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        if byte == 0x1b
            && let Some(end) = behind.iter().position(u8::is_ascii_alphabetic)
        {
            rest = behind.get(end + 1..).unwrap_or_default();
        } else {
            plain.push(byte);
            rest = behind;
        }
    }
    plain
}

/// Whether `text` is the line that announces a soft reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RebootLine {
    /// `text` is this line.
    Yes,
    /// `text` is incomplete, and may become this line.
    Perhaps,
    /// `text` is another line.
    No,
}

/// Looks for a soft reset's announcement at the beginning of `text`: a short line of printable characters that ends in
/// *soft reboot*. Some firmwares print a line end before it.
pub(crate) fn reboot_line(text: &[u8]) -> RebootLine {
    let line = text.strip_prefix(b"\r\n").unwrap_or(text);
    if line.is_empty() || line == b"\r" {
        return RebootLine::Perhaps;
    }
    let within = line.get(..LONGEST_REBOOT_LINE).unwrap_or(line);
    match within.iter().position(|byte| !matches!(byte, b' '..=b'~')) {
        Some(end)
            if within
                .get(..end)
                .is_some_and(|line| line.ends_with(SOFT_REBOOT)) =>
        {
            RebootLine::Yes
        }
        None if line.len() < LONGEST_REBOOT_LINE => RebootLine::Perhaps,
        // A program may print *soft reboot* in the middle of a longer text.
        Some(_) | None => RebootLine::No,
    }
}

/// Whether the ROM's log shows a reset of the chip: its reset line and the jump into the boot loader.
pub(crate) fn has_rom_log(text: &[u8]) -> bool {
    memmem::find(text, b"rst:0x").is_some_and(|at| {
        // The boot loader's entry is 0x400805ac on an ESP32, 0x403c98d4 on an S3, 0x403cc710 on a C3: only the first
        // digit is common.
        memmem::find(text.get(at..).unwrap_or_default(), b"\r\nentry 0x4").is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_firmwares_soft_reset_line_is_recognised() {
        for text in [
            "mpython soft reboot\r\n",
            "mpython: soft reboot\r\n",
            "MPY: soft reboot\r\n",
            "\r\nPYB: soft reboot\r\n",
        ] {
            assert_eq!(reboot_line(text.as_bytes()), RebootLine::Yes, "{text}");
            for end in 0..text.len() - 2 {
                let begun = reboot_line(&text.as_bytes()[..end]);
                assert_eq!(begun, RebootLine::Perhaps, "{}", &text[..end]);
            }
        }
        for text in ["no reboot\r\n", "\x04", "soft reboot of what?\r\n"] {
            assert_eq!(reboot_line(text.as_bytes()), RebootLine::No, "{text}");
        }
        assert_eq!(reboot_line(&[b'x'; 48]), RebootLine::No);
    }

    #[test]
    fn the_last_fault_counts() {
        let log = b"Brownout detector was triggered\r\n\r\nets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET)\r\n\x1b[0;31mE (512) boot: No bootable app partitions in the partition table\x1b[0m\r\n";
        let (fault, line) = last_fault(log).unwrap();
        assert_eq!(fault, BoardFault::FirmwareDamaged);
        assert_eq!(
            line,
            "E (512) boot: No bootable app partitions in the partition table"
        );
        assert_eq!(
            last_fault(b"rst:0x1 (POWERON_RESET)\r\ninvalid header: 0xffffffff\r\n")
                .unwrap()
                .0,
            BoardFault::NoFirmware
        );
        assert_eq!(
            last_fault(b"rst:0x1 (POWERON_RESET)\r\ninvalid header: 0x1234ffff\r\n")
                .unwrap()
                .0,
            BoardFault::FirmwareDamaged
        );
        assert_eq!(last_fault(b">>> print('all is well')"), None);
    }

    #[test]
    fn an_incomplete_line_is_not_a_fault_yet() {
        let line = b"invalid header: 0xffffffff";
        let log = b"rst:0x10 (RTCWDT_RTC_RESET)\r\ninvalid header: 0xffffffff\r\n".repeat(3);
        for len in 0..=line.len() {
            let mut log = log.clone();
            log.extend_from_slice(&line[..len]);
            assert_eq!(last_fault(&log).unwrap().0, BoardFault::NoFirmware, "{len}");
            assert_eq!(
                repeated_fault(&log).unwrap().0,
                BoardFault::NoFirmware,
                "{len}"
            );
        }
        assert_eq!(
            last_fault(b"rst:0x1 (POWERON_RESET)\r\ninvalid header: 0xf"),
            None
        );
    }

    #[test]
    fn a_programs_output_before_a_reset_is_not_a_fault() {
        let reset =
            "ets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET)\r\nentry 0x400806b8\r\n>>> ";
        for printed in [
            "invalid header: 0x55",
            "invalid header: 0xffffffff",
            "has invalid magic byte",
            "assert failed: x == 3",
            "abort() was called at PC 3",
            "Guru Meditation Error: none",
            "Brownout detector was triggered? no",
        ] {
            let log = format!(
                "{printed}\r\nmore of the program's words, for a line or two of them, as protocols have\r\n{reset}{printed}\r\n"
            );
            assert_eq!(last_fault(log.as_bytes()), None, "{printed}");
        }
        let reason = b"rst:0xf (BROWN_OUT_RESET),boot:0x12 (SPI_FAST_FLASH_BOOT)\r\n";
        assert_eq!(last_fault(reason).unwrap().0, BoardFault::BrownOut);
    }

    #[test]
    fn one_fault_may_pass_but_a_restart_loop_is_permanent() {
        let once = b"rst:0x10 (RTCWDT_RTC_RESET)\r\ninvalid header: 0xffffffff\r\n".to_vec();
        assert_eq!(repeated_fault(&once), None);
        assert_eq!(
            repeated_fault(&once.repeat(2)).unwrap().0,
            BoardFault::NoFirmware
        );
        let crash =
            b"Guru Meditation Error: Core  0 panic'ed\r\nBacktrace: 0x400e14ed\r\nrst:0xc (SW_CPU_RESET)\r\n".to_vec();
        // A program that only prints the text restarts nothing.
        assert_eq!(repeated_fault(&b"assert failed: x\r\n".repeat(9)), None);
        assert_eq!(repeated_fault(&crash.repeat(3)), None);
        assert_eq!(
            repeated_fault(&crash.repeat(4)).unwrap().0,
            BoardFault::Panic
        );
    }

    proptest! {
        #[test]
        fn any_log_is_searched_without_a_panic(log in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (last_fault(&log), repeated_fault(&log), reboot_line(&log), has_rom_log(&log), without_color(&log));
        }
    }
}
