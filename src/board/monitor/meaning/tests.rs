//! Tests of `meaning.rs`.

use super::*;
use proptest::prelude::*;

/// The codes of a text's findings, in order.
fn codes(text: &str) -> Vec<&'static str> {
    let mut decoder = LineDecoder::default();
    text.lines()
        .filter_map(|line| decoder.line(line.as_bytes()).finding)
        .map(|finding| finding.code())
        .collect()
}

fn kinds(text: &str) -> Vec<Option<&'static str>> {
    let mut decoder = LineDecoder::default();
    text.lines()
        .map(|line| decoder.line(line.as_bytes()).kind.map(LineKind::name))
        .collect()
}

const ROM_LOG: &str = "ets Jul 29 2019 12:21:46\n\nrst:0x1 (POWERON_RESET),boot:0x12 (SPI_FAST_FLASH_BOOT)\nconfigsip: 0, SPIWP:0xee\nentry 0x400806e8\n";

#[test]
fn boot_lines_are_distinguished_from_the_program() {
    let rom = Some("rom");
    assert_eq!(kinds(ROM_LOG), [rom, None, rom, rom, rom]);
    assert_eq!(codes(ROM_LOG), ["power-on"]);
    assert_eq!(
        kinds(
            "I (31) boot: ESP-IDF v3.1\nI (500) wifi: up\n=$%#=\n$#mac:A4CF1200AB9C#$\nmpython: soft reboot\nMicroPython v1.9.1 on 2019\n"
        ),
        [
            "boot-loader",
            "log",
            "boot-mark",
            "boot-mark",
            "soft-reboot",
            "banner"
        ]
        .map(Some)
    );
    assert_eq!(
        LineDecoder::default().line(b"$#mac:A4CF1200AB9C#$").finding,
        Some(Explained::Mac("a4:cf:12:00:ab:9c".to_owned()))
    );
    assert_eq!(
        codes(
            "rst:0x8 (TG1WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\nrst:0x5 (DEEPSLEEP_RESET),boot:0x13 ()\nrst:0xc (SW_CPU_RESET),boot:0x13 ()\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT)\n"
        ),
        [
            "watchdog-reset",
            "deep-sleep-reset",
            "software-reset",
            "download-mode"
        ]
    );
}

#[test]
fn a_crash_is_reported_once_with_its_backtrace() {
    let crash = "Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled.\nCore 1 register dump:\nPC      : 0x400e14ed  PS      : 0x00060730\n\nBacktrace: 0x400e14ed:0x3ffb1f60 0x400d2e2f:0x3ffb1f80 |<-CORRUPTED\n\nRebooting...\nets Jul 29 2019 12:21:46\n\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\n";
    assert_eq!(codes(crash), ["board-panic", "software-reset"]);
    let mut decoder = LineDecoder::default();
    let finding = crash
        .lines()
        .find_map(|line| decoder.line(line.as_bytes()).finding)
        .unwrap();
    assert_eq!(finding.addresses(), ["0x400e14ed", "0x400d2e2f"]);
    assert_eq!(codes(&crash.repeat(3)).len(), 6);
    // A program that prints the same words.
    assert!(codes("Guru Meditation Error: none\nhello\n").is_empty());
}

#[test]
fn a_brown_out_and_an_empty_flash_are_reported() {
    assert_eq!(
        codes(&format!("Brownout detector was triggered\n\n{ROM_LOG}")),
        ["brown-out", "power-on"]
    );
    let empty =
        "rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\ninvalid header: 0xffffffff\n";
    assert_eq!(codes(empty), ["watchdog-reset", "no-firmware"]);
    let damaged = format!(
        "{ROM_LOG}\x1b[0;31mE (512) boot: No bootable app partitions in the partition table\x1b[0m\n"
    );
    assert_eq!(codes(&damaged), ["power-on", "firmware-damaged"]);
}

#[test]
fn well_known_exceptions_are_explained_and_others_are_only_tracebacks() {
    let traceback = |exception: &str| {
        format!(
            "OK\x04Traceback (most recent call last):\n  File \"<stdin>\", line 4, in <module>\n{exception}\nnext\n"
        )
    };
    for (exception, code) in [
        ("OSError: [Errno 12] ENOMEM", "board-no-arp"),
        ("OSError: 12", "board-no-arp"),
        ("UnicodeError: ", "not-utf8"),
        ("OSError: [Errno 112] EADDRINUSE", "address-in-use"),
        ("OSError: 112", "address-in-use"),
        ("OSError: [Errno 116] ETIMEDOUT", "timed-out"),
        (
            "OSError: Timeout!Please check your wifi password",
            "wifi-timeout",
        ),
        (
            "OSError: SSID invalid / failed to scan this wifi",
            "wifi-not-found",
        ),
        (
            "MemoryError: memory allocation failed, allocating 8192 bytes",
            "memory-error",
        ),
    ] {
        assert_eq!(codes(&traceback(exception)), [code], "{exception}");
        let tracebacks = ["traceback"; 3].map(Some);
        assert_eq!(kinds(&traceback(exception))[..3], tracebacks, "{exception}");
        assert_eq!(kinds(&traceback(exception))[3], None, "{exception}");
    }
    assert!(codes(&traceback("ValueError: bad")).is_empty());
    assert!(codes(&traceback("OSError: [Errno 2] ENOENT")).is_empty());
    assert!(codes("received: OSError: 12\n").is_empty());
}

proptest! {
    #[test]
    fn any_output_is_decoded_without_a_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..100)) {
        let mut decoder = LineDecoder::default();
        for line in lines {
            let _ = decoder.line(&line).finding.map(|finding| finding.sentence());
        }
        prop_assert!(decoder.log.len() < 3 * LOG);
    }
}
