//! Address prefixes (CIDR), for filtering by sender.

use std::net::IpAddr;
use std::str::FromStr;

use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};

/// An address or a CIDR block, such as `192.168.0.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// The address; its bits beyond the prefix do not count.
    address: IpAddr,
    /// How many bits must agree.
    bits: u8,
}

impl FromStr for Prefix {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        let text = fullwidth::to_ascii(text);
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (&*text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| sentence!("value.prefix"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => match bits.parse() {
                Ok(bits) if bits <= most => bits,
                _ => return Err(sentence!("value.prefix-length", most = most)),
            },
        };
        Ok(Self { address, bits })
    }
}

impl Prefix {
    /// Whether the block contains the address.
    #[must_use]
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let differ = match (self.address, address) {
            // Shifted to the top, so that the leading zeros count from the first bit of the address in both families.
            (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
            _ => return false,
        };
        u32::from(self.bits) <= differ.leading_zeros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_block_and_no_more() {
        let holds = |prefix: &str, address: &str| {
            prefix
                .parse::<Prefix>()
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(holds("192.168.0.0/24", "192.168.0.255"));
        assert!(holds("192.168.0.77/24", "192.168.0.1"));
        assert!(!holds("192.168.0.0/24", "192.168.1.0"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(holds("192.168.0.5", "192.168.0.5") && !holds("192.168.0.5", "192.168.0.4"));
        assert!(holds("fe80::/10", "fe80::1") && !holds("fe80::/10", "::1"));
        assert!(!holds("0.0.0.0/0", "::1") && !holds("::/0", "1.2.3.4"));
        for text in [
            "",
            "x",
            "192.168.0.0/33",
            "::/129",
            "1.2.3.4/",
            "1.2.3.4/-1",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
