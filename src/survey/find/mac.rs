//! MAC addresses.

use std::fmt;
use std::str::FromStr;

use crate::survey::find::espressif::BLOCKS;

/// The address of a network adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether Espressif made the adapter, as on every mPython board.
    #[must_use]
    pub(crate) fn is_espressif(self) -> bool {
        let [first, second, third, ..] = self.0;
        BLOCKS
            .binary_search(&u32::from_be_bytes([0, first, second, third]))
            .is_ok()
    }

    /// Whether this is the address of one adapter, not of a group and not all zeros.
    pub(super) fn is_of_one(self) -> bool {
        let [first, ..] = self.0;
        // The lowest bit of the first byte marks the address of a group (IEEE 802).
        first & 1 == 0 && self.0 != [0; 6]
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// The text is not a MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoMac;

impl FromStr for Mac {
    type Err = NoMac;

    /// Six bytes in hex with `:` or `-` between them, a leading zero of each optional (macOS leaves it out), or twelve
    /// digits without anything between them.
    fn from_str(text: &str) -> Result<Self, NoMac> {
        let byte = |digits: &str| {
            let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            if digits.len() > 2 || !are_digits {
                return Err(NoMac);
            }
            u8::from_str_radix(digits, 16).map_err(|_| NoMac)
        };
        let parts: Vec<&str> = match text.find([':', '-']) {
            Some(_) if text.contains(':') => text.split(':').collect(),
            Some(_) => text.split('-').collect(),
            None if text.len() == 12 && text.is_ascii() => (0..6)
                .filter_map(|at| text.get(2 * at..2 * at + 2))
                .collect(),
            None => return Err(NoMac),
        };
        let bytes: Vec<u8> = parts.into_iter().map(byte).collect::<Result<_, _>>()?;
        bytes.try_into().map(Self).map_err(|_| NoMac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_mac_address_is_read() {
        let mac = Mac([0x24, 0x0a, 0xc4, 0x00, 0x01, 0x0f]);
        for text in [
            "24:0a:c4:00:01:0f",
            "24-0A-C4-00-01-0F",
            "24:a:c4:0:1:f",
            "240AC400010f",
        ] {
            assert_eq!(text.parse(), Ok(mac), "{text}");
        }
        assert_eq!(mac.to_string(), "24:0a:c4:00:01:0f");
        for text in [
            "",
            "24:0a:c4:00:01",
            "24:0a:c4:00:01:0f:00",
            "24:0a:c4:00:01:+f",
            "24:0a-c4:00:01:0f",
            "240ac400010",
            "一二三四",
            "::::: ",
            "192.168.0.1",
        ] {
            assert_eq!(text.parse::<Mac>(), Err(NoMac), "{text}");
        }
    }

    #[test]
    fn espressifs_blocks_are_sorted_and_known() {
        assert!(BLOCKS.is_sorted());
        assert!(Mac([0x24, 0x0a, 0xc4, 1, 2, 3]).is_espressif());
        assert!(!Mac([0x02, 0x0a, 0xc4, 1, 2, 3]).is_espressif());
        assert!(!Mac([0xff; 6]).is_of_one());
        // The group 224.0.0.251 (RFC 1112, section 6.4).
        assert!(!Mac([0x01, 0, 0x5e, 0, 0, 0xfb]).is_of_one());
    }
}
