//! What the emulator knows about each chip: the numbers and registers by which hosts tell chips apart.
//!
//! The numbers are those of Espressif's technical reference manuals; `esptool` itself is tested against each profile
//! (`chips.rs`), so that a wrong one shows.

use std::ops::Range;

/// The chip model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// The mPython board's chip: no `GET_SECURITY_INFO`, four status bytes in the ROM.
    Esp32,
    Esp32S2,
    /// The chip of mPython board 3.0.
    Esp32S3,
    Esp32C2,
    Esp32C3,
    Esp32C5,
    Esp32C6,
    Esp32H2,
    Esp32P4,
}

/// A chip's reply to `GET_SECURITY_INFO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecurityInfo {
    /// The command is unknown.
    None,
    /// Without the chip's number.
    Short,
    /// With the chip's number.
    Long,
}

/// The data of a model.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// The name that `--chip` takes.
    pub(crate) name: &'static str,
    /// The number in image headers.
    pub(crate) id: u16,
    /// The word in the ROM by which hosts tell chips apart.
    pub(crate) magic: u32,
    pub(crate) security_info: SecurityInfo,
    /// Where the boot loader begins.
    pub(crate) boot: usize,
    /// The lower eFuse word of the MAC address.
    pub(crate) mac: u32,
    /// The SPI controller, and its registers USR2 and W0.
    pub(crate) spi: [u32; 3],
    /// Where the stub can run.
    pub(crate) ram: Range<u32>,
    /// An address where the chip maps its flash.
    pub(crate) mapped: u32,
    /// Registers with a fixed value: the revision (1.0 for the newer chips), the crystal.
    pub(crate) registers: Vec<(u32, u32)>,
    /// An eFuse of flash encryption and one of secure boot, with the bits that switch them on.
    pub(crate) locks: [(u32, u32); 2],
}

impl Model {
    pub(crate) const ALL: [Self; 9] = [
        Self::Esp32,
        Self::Esp32S2,
        Self::Esp32S3,
        Self::Esp32C2,
        Self::Esp32C3,
        Self::Esp32C5,
        Self::Esp32C6,
        Self::Esp32H2,
        Self::Esp32P4,
    ];

    pub(crate) fn profile(self) -> Profile {
        match self {
            Self::Esp32 | Self::Esp32S2 | Self::Esp32S3 => self.xtensa(),
            _ => self.risc_v(),
        }
    }

    fn xtensa(self) -> Profile {
        match self {
            Self::Esp32 => Profile {
                boot: 0x1000,
                ram: 0x4008_0000..0x400c_2000,
                mapped: 0x3f40_0020,
                security_info: SecurityInfo::None,
                spi: [0x3ff4_2000, 0x3ff4_2024, 0x3ff4_2080],
                registers: vec![
                    (0x3ff5_a00c, 1 << 15 | 1 << 9),
                    (0x3ff5_a014, 1 << 20 | 1 << 24),
                    (0x3ff6_607c, 1 << 31),
                    // The ROM's measurement of the 40 MHz crystal, in units of 15,625 Hz, times the slow clock's 40 / 40.
                    (0x3ff5_f06c, 2560 << 7),
                    (0x3ff5_a010, 40),
                ],
                locks: [(0x3ff5_a000, 1 << 20), (0x3ff5_a018, 1 << 4)],
                ..Profile::new("esp32", 0, 0x00f0_1d83, 0x3ff5_a004, 0x3ff4_2000)
            },
            Self::Esp32S2 => Profile {
                boot: 0x1000,
                ram: 0x4002_0000..0x4007_0000,
                mapped: 0x3f00_0020,
                security_info: SecurityInfo::Short,
                registers: vec![(0x3f41_a050, 1 << 18)],
                ..Profile::new("esp32s2", 2, 0x07c6, 0x3f41_a044, 0x3f40_2000)
            },
            _ => Profile {
                ram: 0x4037_0000..0x403e_0000,
                mapped: 0x3c00_0020,
                registers: vec![(0x6000_7058, 1 << 24), (0x6000_7050, 2 << 18)],
                ..Profile::new("esp32s3", 9, 9, 0x6000_7044, 0x6000_2000)
            },
        }
    }

    fn risc_v(self) -> Profile {
        match self {
            Self::Esp32C2 => Profile {
                ram: 0x4037_c000..0x403c_0000,
                mapped: 0x3c00_0020,
                registers: vec![(0x6000_8844, 1 << 20)],
                locks: [(0x6000_8830, 1 << 7), (0x6000_8830, 1 << 21)],
                ..Profile::new("esp32c2", 12, 0x6f51_306f, 0x6000_8840, 0x6000_2000)
            },
            Self::Esp32C3 => Profile {
                ram: 0x4037_c000..0x403e_0000,
                mapped: 0x3c00_0020,
                registers: vec![(0x6000_8858, 1 << 24)],
                ..Profile::new("esp32c3", 5, 0x1b31_506f, 0x6000_8844, 0x6000_2000)
            },
            Self::Esp32C5 => Profile {
                boot: 0x2000,
                ram: 0x4080_0000..0x4086_0000,
                mapped: 0x4200_0020,
                // The second is the crystal: 48 MHz.
                registers: vec![(0x600b_484c, 1 << 4), (0x6009_6110, 48 << 24)],
                locks: [(0x600b_4834, 1 << 16), (0x600b_4838, 1 << 25)],
                ..Profile::new("esp32c5", 23, 0x5fd1_406f, 0x600b_4844, 0x6000_3000)
            },
            Self::Esp32C6 => Profile {
                ram: 0x4080_0000..0x4088_0000,
                mapped: 0x4200_0020,
                registers: vec![(0x600b_0850, 1 << 22)],
                ..Profile::new("esp32c6", 13, 0x2ce0_806f, 0x600b_0844, 0x6000_3000)
            },
            Self::Esp32H2 => Profile {
                ram: 0x4080_0000..0x4085_0000,
                mapped: 0x4200_0020,
                registers: vec![(0x600b_0850, 1 << 21)],
                ..Profile::new("esp32h2", 16, 0xd7b7_3e80, 0x600b_0844, 0x6000_3000)
            },
            _ => Profile {
                boot: 0x2000,
                ram: 0x4ff0_0000..0x4ffc_0000,
                mapped: 0x4000_0020,
                registers: vec![(0x5012_d04c, 1 << 4)],
                ..Profile::new("esp32p4", 18, 0, 0x5012_d044, 0x5008_d000)
            },
        }
    }
}

impl Profile {
    /// The values that most of the newer chips have in common. `mac` is the lower eFuse word of the MAC address, `spi`
    /// the address of the SPI controller.
    fn new(name: &'static str, id: u16, magic: u32, mac: u32, spi: u32) -> Self {
        Self {
            name,
            id,
            magic,
            security_info: SecurityInfo::Long,
            boot: 0,
            mac,
            spi: [spi, spi + 0x20, spi + 0x58],
            ram: 0..0,
            mapped: 0,
            registers: Vec::new(),
            locks: [(mac - 0x10, 1 << 18), (mac - 0xc, 1 << 20)],
        }
    }
}
