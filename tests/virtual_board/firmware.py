"""The firmware that the virtual board can run as: what differs between them, as a program or a client can see it.

What has a `recording` is as recorded from the genuine firmware (../genuine). mpython-2.x is from its source,
github.com/labplus-cn/mpython (L) over github.com/micropython/micropython (M): each text has its file and line there.
The boards with an ESP32-S3 or C3 are from source as well: github.com/labplus-cn/labplus_mpython_esp32s3 (S) and M.
"""

import json
import os
import re
from dataclasses import dataclass, replace

DEFAULT = "mpython-2.x"
RECORDINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "genuine")

# Modules whose names begin with u on some firmware but not on other. Other names that begin with u are ordinary.
PLAIN = set(
    "array asyncio binascii bluetooth collections cryptolib errno hashlib heapq io json machine os platform random re select socket"
    " ssl struct sys time websocket zlib".split()
)

# MP_REGISTER_EXTENSIBLE_MODULE in 1.26: a file with that name takes precedence, and `uio` always means the firmware's `io`.
EXTENSIBLE = PLAIN - {"asyncio", "sys", "zlib"}


def plain(name):
    return name[1:] if name[:1] == "u" and name[1:] in PLAIN else name


@dataclass(frozen=True)
class Firmware:
    """One firmware."""

    version: str  # in the banner and os.uname()
    machine: str  # the same
    release: tuple  # sys.implementation.version
    soft_reset: str  # text of a soft reset
    boot: str  # the file in modules/boot that serves as _boot.py
    modules: frozenset  # all its modules, from help('modules')
    frozen: tuple  # the folders in modules/frozen with its modules
    implementation: tuple = ()  # further attributes of sys.implementation: names and values
    sys_version: str = "3.4.0"
    sys_path: tuple = ("", "/lib")
    raw_paste: bool = False
    polls_stdin: bool = True  # select.poll() takes sys.stdin: since MicroPython 1.12 (lib/utils/sys_stdio_mphal.c)
    links: str = "u"  # how `io` finds `uio`: "weak" links in a table, "u" added in front, or "extensible" modules
    frozen_first: bool = True  # a frozen module takes precedence over a file with its name
    flash: bool = False  # the first boot mounts the file system at /flash and uses it as working directory
    says_enoent: bool = False  # a missing boot.py or main.py prints an error
    exit_resets: bool = False  # sys.exit() causes a soft reset
    can_soft_reset: bool = True  # machine.soft_reset() exists
    heeds_exit_at_boot: bool = True  # boot.py and main.py can request a soft reset too
    newline_next_line: bool = True  # a syntax error at the end of a line is reported for the next line
    old_attribute_error: bool = True  # 'module' object has no attribute ..
    yields_at_unlock: bool = False  # a thread that unlocks the interpreter lets the others go first
    division: bytes = b"divide by zero"
    soft_reset_time: float = 0.2  # seconds from a soft reset's text to the next output
    log: tuple = ()  # ESP-IDF's log at power-on, before MicroPython
    uart: tuple = (0x7002B6, 0xC00001C)  # UART_CLKDIV_REG and UART_CONF0_REG
    rom: str = "esp32"  # whose ROM prints at power-on: a key of rom.LOGS
    usb: str = ""  # the chip's own USB port that carries the REPL, a key of hosts.USB; empty: UART0 behind an adapter

    @property
    def names(self):
        """Name to (plain name, whether a file of the pupil's takes its place) for each module that may be built in."""
        found = {}
        for name in self.modules:
            if self.links == "weak":
                found[name] = (plain(name), "u" + name in self.modules)
            elif self.links == "extensible":
                found[name] = (name, name in EXTENSIBLE)
                if name in EXTENSIBLE:
                    found["u" + name] = (name, False)
            else:
                found[name] = (plain(name), False)
                if plain(name) != name:
                    found.setdefault(plain(name), (plain(name), True))
        if self.links == "extensible":
            found["usys"] = ("sys", False)
        return found


def recorded(name, **more):
    """A recorded firmware: its modules, its log and its UART are taken from the recording."""
    steps = {}
    with open(os.path.join(RECORDINGS, name + ".jsonl"), encoding="utf-8") as file:
        for line in file:
            step = json.loads(line)
            steps[step["step"]] = step["got"]
    listing = steps["modules"].split("\r\n", 1)[1].split("Plus any modules")[0]
    modules = frozenset(name.removesuffix("/__init__") for name in listing.split())
    log = tuple(re.findall("\x1b[^\r]*\r\n", steps["power-on until quiet"]))
    uart = tuple(int(word, 16) for word in steps["UART0 clock divider"].split("\r\n")[1].split())
    return Firmware(modules=modules, log=log, uart=uart, **more)


MPYTHON_1 = {
    "machine": "mPython with ESP32",
    "boot": "mpython_1",
    "frozen": ("maker", "common"),
    "links": "weak",
    "flash": True,
    "can_soft_reset": False,
    "polls_stdin": False,
}
GENERIC = {
    "soft_reset": "MPY: soft reboot",
    "raw_paste": True,
    "soft_reset_time": 0.5,
}

# L port/mpconfigport.h (MICROPY_PORT_BUILTIN_MODULES, MICROPY_PY_..: C modules), L port/modules and port/boards/mpython/modules
# by port/boards/manifest.py:1-2 (frozen ones), M py/objmodule.c (the interpreter's own). `sys` became `usys` later than 1.12.
MPYTHON_2_MODULES = frozenset(
    "__main__ _boot _onewire _thread _webrepl audio btree builtins camera cmath dht ds18x20 educore esp esp32 flashbdev framebuf gc"
    " gui inisetup machine math micropython mpython music neopixel network onewire radio rfid servo ssd1106 sys uarray ubinascii"
    " ubluetooth ucollections ucryptolib uctypes uerrno uhashlib uheapq uio ujson uos upip urandom ure urequests uselect usocket ussl"
    " ustruct utime utimeq uwebsocket uzlib webrepl webrepl_setup websocket_helper xunfeiAI".split()
)

def from_source(name, **more):
    """A firmware that nobody has recorded, with the modules of a recorded one of nearly the same version."""
    like = recorded(name, version="", machine="", release=(), soft_reset="", boot="", frozen=())
    settings = {
        "soft_reset": "MPY: soft reboot",  # M ports/esp32/main.c, soft_reset_exit; S port/builtins/main.c, the same
        "raw_paste": True,
        "soft_reset_time": 0.9,  # as recorded on generic 1.26.1
        "sys_path": ("", ".frozen", "/lib"),
        "links": "extensible",
        "frozen_first": False,
        "exit_resets": True,
        "newline_next_line": False,
        "old_attribute_error": False,
        "modules": like.modules,
    }
    return Firmware(**{**settings, **more})


def generic(machine, build, **more):
    """Generic MicroPython 1.26.1 for another chip than the recorded one."""
    return from_source(
        "generic-1.26.1",
        version="v1.26.1 on 2025-09-11",
        machine=machine,
        release=(1, 26, 1, ""),
        implementation=(("_machine", machine), ("_mpy", 11014), ("_build", build), ("_thread", "GIL")),
        yields_at_unlock=True,
        sys_version="3.4.0; MicroPython v1.26.1 on 2025-09-11",
        boot="generic_1_26",
        frozen=("common",),
        **more,
    )


def labplus_s3(machine, **more):
    """The maker's firmware for its boards with an ESP32-S3: MicroPython 1.24.1, as an owner of a 3.0 board reports."""
    return from_source(
        "generic-1.26.1",
        version="v1.24.1 on 2025-06-01",  # the date is an example
        machine=machine,
        release=(1, 24, 1, ""),
        implementation=(("_machine", machine), ("_mpy", 11014)),
        yields_at_unlock=True,
        sys_version="3.4.0; MicroPython v1.24.1 on 2025-06-01",
        rom="esp32s3",
        usb="serial-jtag",  # S mpconfigboard.h: MICROPY_HW_ESP_USB_SERIAL_JTAG (1), MICROPY_HW_ENABLE_UART_REPL (0)
        **more,
    )


GENERIC_1_26 = recorded("generic-1.26.1", version="", machine="", release=(), soft_reset="", boot="", frozen=()).modules

PROFILES = {
    "mpython-3.0": labplus_s3(
        "mpython pro with ESP32S3",  # S port/boards/mpython_v3/mpconfigboard.h:3-5
        boot="mpython_3",
        frozen=("maker_s3", "common"),
        # S port/boards/mpython_v3/modules, and lv_oled.py with what it imports.
        modules=GENERIC_1_26 | {"mpython", "lv_oled", "lvgl", "lcd", "lv_displayer", "lv_utils", "servo", "educore", "_ntptime", "ltr308"},
    ),
    "xuejing-s3": labplus_s3(
        "labplus for xuejing with ESP32S3",  # S port/boards/labplus_for_xuejing/mpconfigboard.h:3-5
        boot="xuejing_s3",
        frozen=("maker", "common"),
        modules=GENERIC_1_26 | {"mpython", "ssd1106", "servo", "bluebit"},
    ),
    # M ports/esp32/boards/ESP32_GENERIC_S3/mpconfigboard.h. Its REPL is on the USB OTG port: M ports/esp32/mpconfigport.h,
    # MICROPY_HW_ENABLE_USBDEV.
    "generic-s3-usb": generic("Generic ESP32S3 module with ESP32S3", "ESP32_GENERIC_S3", rom="esp32s3", usb="otg"),
    # M ports/esp32/boards/ESP32_GENERIC_C3/mpconfigboard.h:3-4
    "generic-c3": generic("ESP32C3 module with ESP32C3", "ESP32_GENERIC_C3", rom="esp32c3", usb="serial-jtag"),
    "mpython-1.0": recorded(
        "mpython-1.0.1",
        version="v1.0.1-dirty on 2018-11-23",
        release=(1, 0, 1),
        soft_reset="mpython soft reboot",
        says_enoent=True,
        division=b"division by zero",
        soft_reset_time=0.14,
        **MPYTHON_1,
    ),
    "mpython-1.2": recorded(
        "mpython-1.2.0",
        version="v1.0.1-241-ged66773 on 2019-01-26",
        release=(1, 0, 1),
        soft_reset="mpython soft reboot",
        says_enoent=True,
        **MPYTHON_1,
    ),
    "mpython-1.4": recorded(
        "mpython-1.4.0",
        version="v1.4.0-51-g3c0e39c-dirty on 2019-05-09",
        release=(1, 10, 0),
        soft_reset="mpython: soft reboot",
        **MPYTHON_1,
    ),
    "mpython-2.x": Firmware(
        # L port/lib/utils/pyexec.c:439: "MicroPython " MICROPY_GIT_TAG " on " MICROPY_BUILD_DATE. The tag and the date are examples.
        version="v2.6.1 on 2025-06-01",
        machine="mpython with ESP32",  # L port/boards/mpython/mpconfigboard.h:1-2
        release=(1, 12, 0),  # M of that time
        soft_reset="mpython: soft reboot",  # L port/boards/mpython/main.c:242
        boot="mpython_2",
        # L port/boards/mpython/main.c, under "run boot-up scripts": the result of pyexec_file_if_exists() is ignored.
        heeds_exit_at_boot=False,
        modules=MPYTHON_2_MODULES,
        frozen=("maker", "common"),
        soft_reset_time=0.05,  # plus the 0.3 s that its _boot.py sleeps
        uart=(0xA00008, 0x400001C),
    ),
    "mixly-1.19": recorded(
        "mixly-mpython-1.19.1",
        version="v1.19.1 on 2024-04-08",
        machine="mPython Libs with ESP32",
        release=(1, 19, 1),
        implementation=(("_machine", "mPython Libs with ESP32"), ("_mpy", 10246)),
        sys_version="3.4.0; MicroPython v1.19.1 on 2024-04-08",
        sys_path=("", ".frozen", "/lib"),
        boot="generic_1_17",
        frozen=("mixly", "common"),
        frozen_first=False,
        **GENERIC,
    ),
    "generic-1.17": recorded(
        "generic-1.17",
        version="v1.17 on 2021-09-02",
        machine="ESP32 module with ESP32",
        release=(1, 17, 0),
        implementation=(("mpy", 10757),),
        boot="generic_1_17",
        frozen=("common",),
        **GENERIC,
    ),
    "generic-1.26": recorded(
        "generic-1.26.1",
        version="v1.26.1 on 2025-09-11",
        machine="Generic ESP32 module with ESP32",
        release=(1, 26, 1, ""),
        implementation=(("_machine", "Generic ESP32 module with ESP32"), ("_mpy", 11014), ("_build", "ESP32_GENERIC"), ("_thread", "GIL")),
        sys_version="3.4.0; MicroPython v1.26.1 on 2025-09-11",
        sys_path=("", ".frozen", "/lib"),
        boot="generic_1_26",
        frozen=("common",),
        links="extensible",
        frozen_first=False,
        exit_resets=True,
        newline_next_line=False,
        yields_at_unlock=True,
        old_attribute_error=False,
        **{**GENERIC, "soft_reset_time": 0.9},
    ),
}


def with_maker_modules(firmware):
    """A firmware with the maker's modules built in: `mpython` and what it needs."""
    return replace(firmware, frozen=("maker", *firmware.frozen), modules=firmware.modules | {"mpython", "ssd1106", "neopixel"})


def without(firmware, modules):
    """A firmware that lacks these modules."""
    return replace(firmware, modules=firmware.modules - set(modules))
