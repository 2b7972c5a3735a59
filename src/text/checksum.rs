//! Checksums at the end of a payload: the algorithms that boards and serial protocols use, and their byte order.

use std::str::FromStr;

use crc::{CRC_8_SMBUS, CRC_16_IBM_3740, CRC_16_MODBUS, CRC_32_ISO_HDLC, Crc};

use crate::text::sentence::{Sentence, sentence};

// The names of the CRC catalogue (reveng.sourceforge.io/crc-catalogue), which gives the parameters of each.
static CRC8: Crc<u8> = Crc::<u8>::new(&CRC_8_SMBUS);
static MODBUS: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
static CCITT: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);
static CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A checksum at the end of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Append {
    /// The algorithm.
    pub(crate) check: Check,
    /// The byte order, if it is given.
    pub(crate) order: Option<ByteOrder>,
}

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// The sum of all bytes, modulo 256.
    Sum8,
    /// The exclusive or of all bytes.
    Xor8,
    /// CRC-8/SMBUS, which most people call CRC-8.
    Crc8,
    /// CRC-16/MODBUS.
    Crc16Modbus,
    /// CRC-16/IBM-3740, which most people call CRC-16-CCITT (FALSE): it starts with 0xffff.
    Crc16Ccitt,
    /// CRC-32/ISO-HDLC, the one of zlib, Ethernet and `binascii.crc32`.
    Crc32,
}

/// The byte order of a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// Little-endian: the least significant byte first.
    Little,
    /// Big-endian: the most significant byte first.
    Big,
}

impl Check {
    /// All algorithms.
    pub(crate) const ALL: [Self; 6] = [
        Self::Sum8,
        Self::Xor8,
        Self::Crc8,
        Self::Crc16Modbus,
        Self::Crc16Ccitt,
        Self::Crc32,
    ];

    /// The name in configuration files and on the command line.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum8 => "sum8",
            Self::Xor8 => "xor8",
            Self::Crc8 => "crc8",
            Self::Crc16Modbus => "crc16-modbus",
            Self::Crc16Ccitt => "crc16-ccitt",
            Self::Crc32 => "crc32",
        }
    }

    /// The order in which the algorithm's own protocols send the bytes: Modbus sends the low byte first.
    fn usual_order(self) -> ByteOrder {
        match self {
            Self::Crc16Modbus => ByteOrder::Little,
            _ => ByteOrder::Big,
        }
    }

    /// The checksum of these bytes, in the low bits.
    fn of(self, bytes: &[u8]) -> u32 {
        match self {
            Self::Sum8 => bytes
                .iter()
                .fold(0u8, |sum, byte| sum.wrapping_add(*byte))
                .into(),
            Self::Xor8 => bytes.iter().fold(0u8, |sum, byte| sum ^ byte).into(),
            Self::Crc8 => CRC8.checksum(bytes).into(),
            Self::Crc16Modbus => MODBUS.checksum(bytes).into(),
            Self::Crc16Ccitt => CCITT.checksum(bytes).into(),
            Self::Crc32 => CRC32.checksum(bytes),
        }
    }
}

impl Append {
    /// How many bytes the checksum takes.
    #[must_use]
    pub(crate) fn len(self) -> usize {
        match self.check {
            Check::Sum8 | Check::Xor8 | Check::Crc8 => 1,
            Check::Crc16Modbus | Check::Crc16Ccitt => 2,
            Check::Crc32 => 4,
        }
    }

    /// Appends the checksum of the bytes from `start` on.
    pub(crate) fn append(self, start: usize, out: &mut Vec<u8>) {
        let sum = self.bytes(out.get(start..).unwrap_or_default());
        out.extend_from_slice(sum.get(..self.len()).unwrap_or_default());
    }

    /// Writes the checksum of the first bytes over the last bytes of `payload`.
    pub(crate) fn write(self, payload: &mut [u8]) {
        if let Some((body, end)) = payload
            .len()
            .checked_sub(self.len())
            .and_then(|len| payload.split_at_mut_checked(len))
        {
            let sum = self.bytes(body);
            end.copy_from_slice(sum.get(..end.len()).unwrap_or_default());
        }
    }

    /// The payload without its checksum, if the checksum is right.
    #[must_use]
    pub(crate) fn verified(self, payload: &[u8]) -> Option<&[u8]> {
        let (body, end) = payload.split_at_checked(payload.len().checked_sub(self.len())?)?;
        self.bytes(body).starts_with(end).then_some(body)
    }

    /// The checksum in its byte order; only the first [`Self::len`] bytes count.
    fn bytes(self, of: &[u8]) -> [u8; 4] {
        let sum = self.check.of(of);
        let unused = 8 * (4 - self.len());
        match self.order.unwrap_or(self.check.usual_order()) {
            ByteOrder::Little => sum.to_le_bytes(),
            // At most 24 bits of an 8-bit checksum are unused.
            ByteOrder::Big => (sum << unused).to_be_bytes(),
        }
    }
}

impl FromStr for Append {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        let (name, order) = match text.split_once(':') {
            Some((name, "le")) => (name, Some(ByteOrder::Little)),
            Some((name, "be")) => (name, Some(ByteOrder::Big)),
            _ => (text, None),
        };
        let found = Check::ALL.into_iter().find(|check| check.name() == name);
        let check = found.ok_or_else(|| {
            let names = Sentence::verbatim_list(Check::ALL.into_iter().map(Check::name));
            sentence!("value.checksum", names <- names)
        })?;
        // An order of one byte would be ignored without a word.
        if order.is_some() && matches!(check, Check::Sum8 | Check::Xor8 | Check::Crc8) {
            return Err(sentence!("value.checksum-one-byte", name = name));
        }
        Ok(Self { check, order })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_have_names_and_a_byte_order() {
        let crc32 = |order| {
            Ok(Append {
                check: Check::Crc32,
                order,
            })
        };
        assert_eq!("crc32".parse(), crc32(None));
        assert_eq!("crc32:le".parse(), crc32(Some(ByteOrder::Little)));
        assert_eq!("crc32:be".parse(), crc32(Some(ByteOrder::Big)));
        for wrong in ["", "crc", "crc32:", "crc32:xx", "sum8:le", "CRC32 "] {
            assert!(wrong.parse::<Append>().is_err(), "{wrong}");
        }
    }

    /// The check values of the catalogue: the checksums of `123456789`.
    #[test]
    fn each_checksum_is_the_one_of_the_catalogue() {
        for (name, sum) in [
            ("sum8", &[0xdd][..]),
            ("xor8", &[0x31]),
            ("crc8", &[0xf4]),
            ("crc16-modbus", &[0x37, 0x4b]),
            ("crc16-modbus:be", &[0x4b, 0x37]),
            ("crc16-ccitt", &[0x29, 0xb1]),
            ("crc16-ccitt:le", &[0xb1, 0x29]),
            ("crc32", &[0xcb, 0xf4, 0x39, 0x26]),
            ("crc32:le", &[0x26, 0x39, 0xf4, 0xcb]),
        ] {
            let append: Append = name.parse().unwrap();
            let mut payload = b"ab123456789".to_vec();
            append.append(2, &mut payload);
            assert_eq!(&payload[11..], sum, "{name}");
            assert_eq!(
                append.verified(&payload[2..]),
                Some(&b"123456789"[..]),
                "{name}"
            );
            let mut over = payload.split_off(2);
            over[9..].fill(0xff);
            assert_eq!(append.verified(&over), None, "{name}");
            append.write(&mut over);
            assert!(append.verified(&over).is_some(), "{name}");
            assert_eq!(append.verified(&over[..append.len() - 1]), None, "{name}");
            append.write(&mut []);
        }
    }
}
