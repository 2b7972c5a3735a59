//! The registers that hosts read.

use super::Chip;
use crate::emulator::Model;

impl Chip {
    pub(super) fn read_register(&self, address: u32) -> u32 {
        let state = self.shared.lock();
        let mac = state.config.mac;
        let burnt = state.config.efuses.iter().find(|(at, _)| *at == address);
        if let Some((_, value)) = burnt {
            return *value;
        }
        match (state.config.model, address) {
            (Model::Esp32, 0x4000_1000) => 0x00f0_1d83,
            (Model::Esp32S3, 0x4000_1000) => 0x0000_0009,
            // eFuse BLOCK0: the MAC, package and revision.
            (_, 0x3ff5_a004) => u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]]),
            (_, 0x3ff5_a008) => u32::from(u16::from_be_bytes([mac[0], mac[1]])),
            (_, 0x3ff5_a00c) => 1 << 15 | 1 << 9,
            (_, 0x3ff5_a014) => 1 << 20 | 1 << 24,
            (_, 0x3ff6_607c) => 1 << 31,
            // The ROM's measurement of the 40 MHz crystal, in units of 15,625 Hz, times the slow clock's 40 / 40.
            (_, 0x3ff5_f06c) => 2560 << 7,
            (_, 0x3ff5_a010) => 40,
            // The UART's divider of the 40 MHz crystal.
            (_, 0x3ff4_0014) => 40_000_000 / state.baud.max(1),
            // The strapping pins at reset.
            (_, 0x3ff4_4038) => {
                if state.strapped {
                    0x03
                } else {
                    0x13
                }
            }
            _ => self.registers.get(&address).copied().unwrap_or(0),
        }
    }

    pub(super) fn write_register(&mut self, address: u32, value: u32) {
        self.registers.insert(address, value);
        let base = match self.model() {
            Model::Esp32 => 0x3ff4_2000,
            Model::Esp32S3 => 0x6000_2000,
        };
        // SPI_CMD's USR bit runs the command in SPI_USR2.
        if address == base && value & 1 << 18 != 0 {
            let usr2 = if self.model() == Model::Esp32 {
                0x24
            } else {
                0x20
            };
            let command = self.registers.get(&(base + usr2)).copied().unwrap_or(0) & 0xffff;
            let w0 = if self.model() == Model::Esp32 {
                0x80
            } else {
                0x58
            };
            let (size, id) = {
                let state = self.shared.lock();
                (
                    state.flash.bytes().len().trailing_zeros(),
                    state.config.flash_id,
                )
            };
            // RDID: Winbond, its W25Q family, and the exponent of the capacity. Flash does not reply before it is
            // attached.
            let answer = match command {
                0x9f if self.attached => id.unwrap_or(0x40ef | size << 16),
                0x9f => 0x00ff_ffff,
                _ => 0,
            };
            self.registers.insert(base + w0, answer);
            self.registers.insert(base, 0);
        }
    }
}
