//! What differs from chip to chip: the shape of one chip's data.

use espflash::target::Chip;

/// The data of one chip. Espressif's *Serial Protocol* page says what is the same on all chips.
#[derive(Debug)]
pub(in crate::board::flash) struct ChipSpec {
    /// The chip, as espflash names it.
    pub(in crate::board::flash) chip: Chip,
    /// The program that writes its flash.
    pub(in crate::board::flash) stub: StubFlasher,
    /// The largest block for the ROM's memory commands. The ROM takes 0x1800 bytes over a UART, but only 0x800 over
    /// USB-OTG (esptool, `USB_OTG_BLOCK_SIZE`), and udpcli cannot tell which of the two the cable uses.
    pub(in crate::board::flash) ram_block: usize,
    /// The SPI controller of the flash chip.
    pub(in crate::board::flash) spi: Spi,
    /// The lower of the two eFuse words with the base MAC address.
    pub(in crate::board::flash) mac: u32,
    /// Where the chip's revision is.
    pub(in crate::board::flash) revision: Revision,
    /// Where its security features are.
    pub(in crate::board::flash) locks: Locking,
    /// The watchdogs that a download over USB-Serial/JTAG does not stop.
    pub(in crate::board::flash) watchdogs: Option<Watchdogs>,
    /// A program sets this bit to make the next start end in download mode; it survives the reset.
    pub(in crate::board::flash) forced_download: Option<Bits>,
}

/// Bits of a register.
#[derive(Debug, Clone, Copy)]
pub(in crate::board::flash) struct Bits {
    /// The address of the register.
    pub(in crate::board::flash) register: u32,
    /// The bits that count.
    pub(in crate::board::flash) mask: u32,
}

/// A number in an eFuse word.
#[derive(Debug, Clone, Copy)]
pub(in crate::board::flash) struct EfuseField {
    /// The address of the word.
    pub(in crate::board::flash) register: u32,
    /// The number of its lowest bit.
    pub(in crate::board::flash) shift: u32,
    /// How many bits it has.
    pub(in crate::board::flash) bits: u32,
}

/// Espressif's flasher stub (stub/README.md).
#[derive(Debug)]
pub(in crate::board::flash) struct StubFlasher {
    /// For the present chips.
    pub(in crate::board::flash) newest: &'static str,
    /// For chips whose major revision is below the given number.
    pub(in crate::board::flash) before: Option<(u32, &'static str)>,
}

/// The base address of the SPI controller, and the offsets of its registers.
#[derive(Debug)]
pub(in crate::board::flash) struct Spi {
    /// The first register, `SPI_CMD_REG`: bit 18 starts a transaction.
    pub(in crate::board::flash) base: u32,
    /// `SPI_USER_REG`: which phases a transaction has.
    pub(in crate::board::flash) usr: u32,
    /// `SPI_USER2_REG`: the command and its length.
    pub(in crate::board::flash) usr2: u32,
    /// `SPI_MISO_DLEN_REG`: the length of the answer in bits, less one.
    pub(in crate::board::flash) miso_dlen: u32,
    /// `SPI_W0_REG`: the answer.
    pub(in crate::board::flash) w0: u32,
}

/// Where the chip stores its revision.
#[derive(Debug)]
pub(in crate::board::flash) enum Revision {
    /// The ESP32's major revision is spread over three registers.
    Esp32 { version: u32, minor: u32, date: u32 },
    /// Fields of eFuse words, the most significant first.
    Fields {
        major: &'static [EfuseField],
        minor: &'static [EfuseField],
    },
}

/// The eFuses that stop a chip from running plain firmware.
#[derive(Debug)]
pub(in crate::board::flash) struct Locking {
    /// An odd number of these bits: the chip decrypts its flash.
    pub(in crate::board::flash) encryption: Bits,
    /// Any of these bits: the chip starts signed boot loaders only.
    pub(in crate::board::flash) secure_boot: Bits,
    /// The second version of secure boot, which the ESP32 has since its revision 3.
    pub(in crate::board::flash) secure_boot_2: Option<Bits>,
}

/// The watchdog of the RTC and the super watchdog. Both keep running when the chip is reset over USB-Serial/JTAG, and
/// would reset it again during a download (esptool, `disable_watchdogs`).
#[derive(Debug)]
pub(in crate::board::flash) struct Watchdogs {
    /// `WDTWPROTECT`: write the key here before changing the watchdog.
    pub(in crate::board::flash) protect: u32,
    /// `WDTCONFIG0`: 0 switches the watchdog off.
    pub(in crate::board::flash) config: u32,
    /// What `WDTWPROTECT` takes.
    pub(in crate::board::flash) key: u32,
    /// `SWD_WPROTECT`: the same for the super watchdog.
    pub(in crate::board::flash) super_protect: u32,
    /// `SWD_CONF`: has the bit that makes it feed itself.
    pub(in crate::board::flash) super_config: u32,
    /// The key for `SWD_WPROTECT`; it differs between chips.
    pub(in crate::board::flash) super_key: u32,
    /// The bit that makes the super watchdog feed itself.
    pub(in crate::board::flash) super_feed: u32,
}
