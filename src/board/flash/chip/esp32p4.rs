//! The ESP32-P4.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, EfuseField, Locking, Revision, Spi, StubFlasher, Watchdogs};

/// Register addresses and eFuses from the *ESP32-P4 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32p4,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32p4.json"),
        before: Some((3, include_str!("../stub/esp32p4-rev1.json"))),
    },
    ram_block: 0x800,
    spi: Spi {
        base: 0x5008_d000,
        usr: 0x18,
        usr2: 0x20,
        miso_dlen: 0x28,
        w0: 0x58,
    },
    // Words 0 and 1 of eFuse block 1.
    mac: 0x5012_d044,
    revision: Revision::Fields {
        // WAFER_VERSION_MAJOR in word 2 of block 1.
        major: &[
            EfuseField {
                register: 0x5012_d04c,
                shift: 23,
                bits: 1,
            },
            EfuseField {
                register: 0x5012_d04c,
                shift: 4,
                bits: 2,
            },
        ],
        // WAFER_VERSION_MINOR in word 2 of block 1.
        minor: &[EfuseField {
            register: 0x5012_d04c,
            shift: 0,
            bits: 4,
        }],
    },
    locks: Locking {
        // EFUSE_SPI_BOOT_CRYPT_CNT.
        encryption: Bits {
            register: 0x5012_d034,
            mask: 0x7 << 18,
        },
        // EFUSE_SECURE_BOOT_EN.
        secure_boot: Bits {
            register: 0x5012_d038,
            mask: 1 << 20,
        },
        secure_boot_2: None,
    },
    watchdogs: Some(Watchdogs {
        protect: 0x5011_6018,
        config: 0x5011_6000,
        key: 0x50d8_3aa1,
        super_protect: 0x5011_6020,
        super_config: 0x5011_601c,
        super_key: 0x50d8_3aa1,
        super_feed: 1 << 18,
    }),
    // RTC_CNTL_FORCE_DOWNLOAD_BOOT in RTC_CNTL_OPTION1_REG.
    forced_download: Some(Bits {
        register: 0x5011_0008,
        mask: 1 << 2,
    }),
};
