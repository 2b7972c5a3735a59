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
    mac: 0x3ff5_a004,
    revision: Revision::Esp32 {
        version: 0x3ff5_a00c,
        minor: 0x3ff5_a014,
        date: 0x3ff6_607c,
    },
    locks: Locking {
        encryption: Bits {
            register: 0x3ff5_a000,
            mask: 0x7f << 20,
        },
        secure_boot: Bits {
            register: 0x3ff5_a018,
            mask: 1 << 4,
        },
        secure_boot_2: Some(Bits {
            register: 0x3ff5_a018,
            mask: 1 << 5,
        }),
    },
    watchdogs: None,
    forced_download: None,
};
