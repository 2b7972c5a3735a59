//! The registers that hosts read.

use super::Chip;
use crate::emulator::Model;

/// A word that differs from chip to chip.
const MAGIC: u32 = 0x4000_1000;

impl Chip {
    pub(super) fn read_register(&self, address: u32) -> u32 {
        let state = self.shared.lock();
        let (mac, profile) = (state.config.mac, &self.profile);
        let mut words = state.config.efuses.iter().chain(&profile.registers);
        let fixed = words
            .find(|(at, _)| *at == address)
            .map(|(_, value)| *value);
        // The ESP32-C2 has its revision beside the MAC address.
        if address == profile.mac + 4 {
            let high = u32::from(u16::from_be_bytes([mac[0], mac[1]]));
            return high | fixed.unwrap_or(0);
        }
        if let Some(value) = fixed {
            return value;
        }
        if address == MAGIC {
            return profile.magic;
        }
        if address == profile.mac {
            return u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]]);
        }
        let is_esp32 = state.config.model == Model::Esp32;
        match address {
            // The UART's divider of the 40 MHz crystal, in the ESP32 and in the others.
            0x3ff4_0014 if is_esp32 => 40_000_000 / state.baud.max(1),
            0x6000_0014 if !is_esp32 => 40_000_000 / state.baud.max(1),
            // The strapping pins at reset.
            0x3ff4_4038 if is_esp32 => {
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
        let [base, usr2, w0] = self.profile.spi;
        // SPI_CMD's USR bit runs the command in SPI_USR2.
        if address == base && value & 1 << 18 != 0 {
            let command = self.registers.get(&usr2).copied().unwrap_or(0) & 0xffff;
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
            self.registers.insert(w0, answer);
            self.registers.insert(base, 0);
        }
    }
}
