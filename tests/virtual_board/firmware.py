"""The firmware that the virtual board can run as: what differs between them on the serial line.

Texts of mpython-1.0, mpython-1.2, mpython-1.4, mixly-1.19, generic-1.17 and generic-1.26 are as recorded from genuine firmware.
Those of mpython-2.x are from its source, github.com/labplus-cn/mpython; each has its file and line here.
"""

from dataclasses import dataclass, replace

DEFAULT = "current"


@dataclass(frozen=True)
class Firmware:
    """One firmware. Versions are those of its banner."""

    version: str  # as in the banner and os.uname().version
    machine: str  # the same
    release: tuple  # sys.implementation's version
    soft_reset: str  # what a soft reset prints
    boot: str  # the program of `modules/boot` that is its _boot.py
    raw_paste: bool = True
    deflate: bool = True  # else uzlib.DecompIO
    flash: bool = False  # the first boot mounts the file system at /flash, and works there

    @property
    def banner(self):
        return f"MicroPython {self.version}; {self.machine}"


MPYTHON = "mPython with ESP32"

PROFILES = {
    "mpython-1.0": Firmware(
        version="v1.0.1-dirty on 2018-11-23",
        machine=MPYTHON,
        release=(1, 0, 1),
        soft_reset="mpython soft reboot",
        boot="mpython_1",
        raw_paste=False,
        deflate=False,
        flash=True,
    ),
    "mpython-1.2": Firmware(
        version="v1.0.1-241-ged66773 on 2019-01-26",
        machine=MPYTHON,
        release=(1, 0, 1),
        soft_reset="mpython soft reboot",
        boot="mpython_1",
        raw_paste=False,
        deflate=False,
        flash=True,
    ),
    "mpython-1.4": Firmware(
        version="v1.4.0-51-g3c0e39c-dirty on 2019-05-09",
        machine=MPYTHON,
        release=(1, 10, 0),
        soft_reset="mpython: soft reboot",
        boot="mpython_1",
        raw_paste=False,
        deflate=False,
        flash=True,
    ),
    "mpython-2.x": Firmware(
        version="v1.12 on 2021-06-01",
        machine="mpython with ESP32",  # port/boards/mpython/mpconfigboard.h:1
        release=(1, 12, 0),
        soft_reset="mpython: soft reboot",  # port/boards/mpython/main.c
        boot="mpython_2",
        raw_paste=False,
        deflate=False,
    ),
    "mixly-1.19": Firmware(
        version="v1.19.1 on 2024-04-08",
        machine="mPython Libs with ESP32",
        release=(1, 19, 1),
        soft_reset="MPY: soft reboot",
        boot="generic_1_17",
        deflate=False,
    ),
    "generic-1.17": Firmware(
        version="v1.17 on 2021-09-02",
        machine="ESP32 module with ESP32",
        release=(1, 17, 0),
        soft_reset="MPY: soft reboot",
        boot="generic_1_17",
        deflate=False,
    ),
    "generic-1.26": Firmware(
        version="v1.26.1 on 2025-09-11",
        machine="Generic ESP32 module with ESP32",
        release=(1, 26, 1),
        soft_reset="MPY: soft reboot",
        boot="generic_1_26",
    ),
}

# For as long as tests use them: what this board was before there were profiles. Nothing is in globals() after boot, and a soft
# reset says what generic firmware says.
PROFILES["current"] = replace(PROFILES["generic-1.26"], boot="none")
PROFILES["old"] = replace(PROFILES["mpython-2.x"], soft_reset="MPY: soft reboot", boot="none")
