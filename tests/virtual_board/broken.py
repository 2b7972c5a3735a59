"""Boards on which no MicroPython answers: what their port says instead, for as long as they have power.

Texts are the chip's ROM's and ESP-IDF's own, with where they come from. Numbers in them (addresses, registers, times) are
examples.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """What the board says after a reset: the ROM's log if it boots, `first`, then `again` every `period` seconds."""

    first: bytes
    again: bytes
    period: float = 0.5
    boots: bool = False  # the ROM's log of a working boot comes before `first`
    echoes: bool = False  # the board sends every byte back


def lines(*texts):
    return "".join(text + "\r\n" for text in texts).encode()


def error(time, tag, text):
    """A line of ESP-IDF's log at level error: log_internal.h's LOG_FORMAT, in its colour."""
    return f"\x1b[0;31mE ({time}) {tag}: {text}\x1b[0m"


ROM = "ets Jul 29 2019 12:21:46"
LOAD = (
    "configsip: 0, SPIWP:0xee",
    "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00",
    "mode:DIO, clock div:2",
    "load:0x3fff0018,len:4",
    "load:0x3fff001c,len:4944",
    "ho 0 tail 12 room 4",
    "load:0x40078000,len:9332",
    "load:0x40080400,len:6216",
    "entry 0x400806e8",
)

# The ROM finds no image header at 0x1000 and retries until its watchdog resets the chip.
EMPTY = lines(ROM, "", "rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", *["invalid header: 0xffffffff"] * 8)

# ESP-IDF components/bootloader_support: esp_image_format.c (magic byte), bootloader_utility.c (the other two), then
# bootloader_reset(): a software reset of the whole chip, rst:0x3.
DAMAGED = lines(
    ROM,
    "",
    "rst:0x3 (SW_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
    *LOAD,
    error(57, "esp_image", "image at 0x10000 has invalid magic byte"),
    error(57, "boot", "Factory app partition is not bootable"),
    error(59, "boot", "No bootable app partitions in the partition table"),
)

# ESP-IDF components/esp32/brownout.c: the text, then esp_restart_noos(): rst:0xc.
BROWN_OUT = lines("", "Brownout detector was triggered", "", ROM, "", "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", *LOAD)

# ESP-IDF components/esp32/panic.c; docs/en/api-guides/fatal-errors.rst shows one.
PANIC = lines(
    "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
    "Core 0 register dump:",
    "PC      : 0x400e14ed  PS      : 0x00060030  A0      : 0x800d0805  A1      : 0x3ffb5030  ",
    "A2      : 0x00000000  A3      : 0x00000001  A4      : 0x00000001  A5      : 0x3ffb50dc  ",
    "A6      : 0x00000000  A7      : 0x00000001  A8      : 0x00000000  A9      : 0x3ffb5000  ",
    "A10     : 0x00000000  A11     : 0x3ffb2bac  A12     : 0x40082d1c  A13     : 0x06ff1ff8  ",
    "A14     : 0x3ffb7078  A15     : 0x00000000  SAR     : 0x00000014  EXCCAUSE: 0x0000001c  ",
    "EXCVADDR: 0x00000000  LBEG    : 0x4000c46c  LEND    : 0x4000c477  LCOUNT  : 0xffffffff  ",
    "",
    "Backtrace: 0x400e14ed:0x3ffb5030 0x400d0802:0x3ffb5050",
    "",
    "Rebooting...",
    ROM,
    "",
    "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
    *LOAD,
)

# A sketch that prints measurements: Serial.println ends a line with CR LF.
SKETCH = lines("temperature: 23.4 C", "humidity: 51 %")

DOWNLOAD = lines(ROM, "", "rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))", "waiting for download")

KINDS = {
    "no-firmware": Trouble(EMPTY.replace(b"0x10 (RTCWDT_RTC_RESET)", b"0x1 (POWERON_RESET)"), EMPTY, 0.3),
    "firmware-damaged": Trouble(DAMAGED.replace(b"0x3 (SW_RESET)", b"0x1 (POWERON_RESET)"), DAMAGED, 0.3),
    "brown-out": Trouble(b"", BROWN_OUT, 0.3, boots=True),
    "panic": Trouble(b"", PANIC, 0.4, boots=True),
    "download": Trouble(DOWNLOAD, b""),
    "program": Trouble(b"", SKETCH, 0.2, boots=True),
    "echo": Trouble(b"", b"", echoes=True),
    "silence": Trouble(b"", b""),
}
