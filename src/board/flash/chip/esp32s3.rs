//! The ESP32-S3.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, EfuseField, Locking, Revision, Spi, StubFlasher, Watchdogs};

/// Register addresses and eFuses from the *ESP32-S3 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32s3,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32s3.json"),
        before: None,
    },
    ram_block: 0x800,
    spi: Spi {
        base: 0x6000_2000,
        usr: 0x18,
        usr2: 0x20,
        miso_dlen: 0x28,
        w0: 0x58,
    },
    // Words 0 and 1 of eFuse block 1.
    mac: 0x6000_7044,
    revision: Revision::Fields {
        // WAFER_VERSION_MAJOR in word 5 of block 1.
        major: &[EfuseField {
            register: 0x6000_7058,
            shift: 24,
            bits: 2,
        }],
        // WAFER_VERSION_MINOR in words 3 and 5 of block 1, as two fields.
        minor: &[
            EfuseField {
                register: 0x6000_7058,
                shift: 23,
                bits: 1,
            },
            EfuseField {
                register: 0x6000_7050,
                shift: 18,
                bits: 3,
            },
        ],
    },
    locks: Locking {
        // EFUSE_SPI_BOOT_CRYPT_CNT.
        encryption: Bits {
            register: 0x6000_7034,
            mask: 0x7 << 18,
        },
        // EFUSE_SECURE_BOOT_EN.
        secure_boot: Bits {
            register: 0x6000_7038,
            mask: 1 << 20,
        },
        secure_boot_2: None,
    },
    watchdogs: Some(Watchdogs {
        protect: 0x6000_80b0,
        config: 0x6000_8098,
        key: 0x50d8_3aa1,
        super_protect: 0x6000_80b8,
        super_config: 0x6000_80b4,
        super_key: 0x8f1d_312a,
        super_feed: 1 << 31,
    }),
    // RTC_CNTL_FORCE_DOWNLOAD_BOOT in RTC_CNTL_OPTION1_REG.
    forced_download: Some(Bits {
        register: 0x6000_812c,
        mask: 1,
    }),
};

/// The version of the eFuse layout.
pub(super) const LAYOUT_MAJOR: EfuseField = EfuseField {
    register: 0x6000_706c,
    shift: 0,
    bits: 2,
};
/// Its second number.
pub(super) const LAYOUT_MINOR: EfuseField = EfuseField {
    register: 0x6000_7050,
    shift: 24,
    bits: 3,
};
