//! The ESP32-C3.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, EfuseField, Locking, Revision, Spi, StubFlasher, Watchdogs};

/// Register addresses and eFuses from the *ESP32-C3 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32c3,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32c3.json"),
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
    // Words 0 and 1 of eFuse block 1.
    mac: 0x6000_8844,
    revision: Revision::Fields {
        // WAFER_VERSION_MAJOR in word 5 of block 1.
        major: &[EfuseField {
            register: 0x6000_8858,
            shift: 24,
            bits: 2,
        }],
        // WAFER_VERSION_MINOR in words 3 and 5 of block 1, as two fields.
        minor: &[
            EfuseField {
                register: 0x6000_8858,
                shift: 23,
                bits: 1,
            },
            EfuseField {
                register: 0x6000_8850,
                shift: 18,
                bits: 3,
            },
        ],
    },
    locks: Locking {
        // EFUSE_SPI_BOOT_CRYPT_CNT.
        encryption: Bits {
            register: 0x6000_8834,
            mask: 0x7 << 18,
        },
        // EFUSE_SECURE_BOOT_EN.
        secure_boot: Bits {
            register: 0x6000_8838,
            mask: 1 << 20,
        },
        secure_boot_2: None,
    },
    watchdogs: Some(Watchdogs {
        protect: 0x6000_80a8,
        config: 0x6000_8090,
        key: 0x50d8_3aa1,
        super_protect: 0x6000_80b0,
        super_config: 0x6000_80ac,
        super_key: 0x8f1d_312a,
        super_feed: 1 << 31,
    }),
    forced_download: None,
};
