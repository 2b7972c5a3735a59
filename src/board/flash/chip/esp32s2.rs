//! The ESP32-S2.

use espflash::target::Chip;

use super::spec::{Bits, ChipSpec, EfuseField, Locking, Revision, Spi, StubFlasher};

/// Register addresses and eFuses from the *ESP32-S2 Technical Reference Manual*.
pub(super) const SPEC: ChipSpec = ChipSpec {
    chip: Chip::Esp32s2,
    stub: StubFlasher {
        newest: include_str!("../stub/esp32s2.json"),
        before: None,
    },
    ram_block: 0x800,
    spi: Spi {
        base: 0x3f40_2000,
        usr: 0x18,
        usr2: 0x20,
        miso_dlen: 0x28,
        w0: 0x58,
    },
    // Words 0 and 1 of eFuse block 1.
    mac: 0x3f41_a044,
    revision: Revision::Fields {
        // WAFER_VERSION_MAJOR in word 3 of block 1.
        major: &[EfuseField {
            register: 0x3f41_a050,
            shift: 18,
            bits: 2,
        }],
        // WAFER_VERSION_MINOR in words 3 and 4 of block 1, as two fields.
        minor: &[
            EfuseField {
                register: 0x3f41_a050,
                shift: 20,
                bits: 1,
            },
            EfuseField {
                register: 0x3f41_a054,
                shift: 4,
                bits: 3,
            },
        ],
    },
    locks: Locking {
        // EFUSE_SPI_BOOT_CRYPT_CNT.
        encryption: Bits {
            register: 0x3f41_a034,
            mask: 0x7 << 18,
        },
        // EFUSE_SECURE_BOOT_EN.
        secure_boot: Bits {
            register: 0x3f41_a038,
            mask: 1 << 20,
        },
        secure_boot_2: None,
    },
    // The chip has no USB-Serial/JTAG unit.
    watchdogs: None,
    // RTC_CNTL_FORCE_DOWNLOAD_BOOT in RTC_CNTL_OPTION1_REG.
    forced_download: Some(Bits {
        register: 0x3f40_8128,
        mask: 1,
    }),
};
