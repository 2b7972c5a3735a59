//! The ESP32-C5.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, EfuseField, Locking, Revision, Spi, StubFlasher, Watchdogs};

/// Register addresses and eFuses from the *ESP32-C5 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32c5,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32c5.json"),
        before: None,
    },
    ram_block: 0x1800,
    spi: Spi {
        base: 0x6000_3000,
        usr: 0x18,
        usr2: 0x20,
        miso_dlen: 0x28,
        w0: 0x58,
    },
    // Words 0 and 1 of eFuse block 1.
    mac: 0x600b_4844,
    revision: Revision::Fields {
        // WAFER_VERSION_MAJOR in word 2 of block 1.
        major: &[EfuseField {
            register: 0x600b_484c,
            shift: 4,
            bits: 2,
        }],
        // WAFER_VERSION_MINOR in word 2 of block 1.
        minor: &[EfuseField {
            register: 0x600b_484c,
            shift: 0,
            bits: 4,
        }],
    },
    locks: Locking {
        // EFUSE_SPI_BOOT_CRYPT_CNT.
        encryption: Bits {
            register: 0x600b_4834,
            mask: 0x7 << 16,
        },
        // EFUSE_SECURE_BOOT_EN.
        secure_boot: Bits {
            register: 0x600b_4838,
            mask: 1 << 25,
        },
        secure_boot_2: None,
    },
    watchdogs: Some(Watchdogs {
        protect: 0x600b_1c18,
        config: 0x600b_1c00,
        key: 0x50d8_3aa1,
        super_protect: 0x600b_1c20,
        super_config: 0x600b_1c1c,
        super_key: 0x50d8_3aa1,
        super_feed: 1 << 18,
    }),
    forced_download: None,
};
