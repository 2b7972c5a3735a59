//! The ESP32.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, Locking, Revision, Spi, StubFlasher};

/// Register addresses and eFuses from the *ESP32 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32.json"),
        before: None,
    },
    ram_block: 0x1800,
    spi: Spi {
        base: 0x3ff4_2000,
        usr: 0x1c,
        usr2: 0x24,
        miso_dlen: 0x2c,
        w0: 0x80,
    },
    // Words 1 and 2 of block 0.
    mac: 0x3ff5_a004,
    // CHIP_VER_REV1 and REV2 in words 3 and 5 of block 0, and bit 31 of APB_CTRL_DATE.
    revision: Revision::Esp32 {
        version: 0x3ff5_a00c,
        minor: 0x3ff5_a014,
        date: 0x3ff6_607c,
    },
    locks: Locking {
        // FLASH_CRYPT_CNT in word 0 of eFuse block 0.
        encryption: Bits {
            register: 0x3ff5_a000,
            mask: 0x7f << 20,
        },
        // ABS_DONE_0: secure boot, version 1.
        secure_boot: Bits {
            register: 0x3ff5_a018,
            mask: 1 << 4,
        },
        // ABS_DONE_1: secure boot, version 2. It counts from revision 3 on.
        secure_boot_2: Some(Bits {
            register: 0x3ff5_a018,
            mask: 1 << 5,
        }),
    },
    // The chip has no USB-Serial/JTAG unit.
    watchdogs: None,
    forced_download: None,
};
