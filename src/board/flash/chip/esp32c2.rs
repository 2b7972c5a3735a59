//! The ESP32-C2.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, EfuseField, Locking, Revision, Spi, StubFlasher};

/// Register addresses and eFuses from the *ESP32-C2 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32c2,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32c2.json"),
        before: None,
    },
    ram_block: 0x1800,
    spi: Spi {
        base: 0x6000_2000,
        usr: 0x18,
        usr2: 0x20,
        miso_dlen: 0x28,
        w0: 0x58,
    },
    // Words 0 and 1 of eFuse block 2.
    mac: 0x6000_8840,
    revision: Revision::Fields {
        // WAFER_VERSION_MAJOR in word 1 of block 2.
        major: &[EfuseField {
            register: 0x6000_8844,
            shift: 20,
            bits: 2,
        }],
        // WAFER_VERSION_MINOR in word 1 of block 2.
        minor: &[EfuseField {
            register: 0x6000_8844,
            shift: 16,
            bits: 4,
        }],
    },
    locks: Locking {
        // EFUSE_SPI_BOOT_CRYPT_CNT.
        encryption: Bits {
            register: 0x6000_8830,
            mask: 0x7 << 7,
        },
        // EFUSE_SECURE_BOOT_EN.
        secure_boot: Bits {
            register: 0x6000_8830,
            mask: 1 << 21,
        },
        secure_boot_2: None,
    },
    // The chip has no USB-Serial/JTAG unit.
    watchdogs: None,
    forced_download: None,
};
