//! The packets of pcap and pcapng files.

use std::io::Read;

use crate::capture::read::{CaptureInput, Error, MAX_RECORD};
use crate::text::sentence::sentence;

/// The most interfaces of a pcapng section. udpcli keeps the description of each.
const MAX_INTERFACES: usize = 65_536;

/// The types of pcapng blocks.
// Reads the same in both byte orders, because the byte order is inside the block.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Options of an interface.
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

/// A captured packet.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// In nanoseconds since the Unix epoch.
    pub(super) time: i128,
    /// The link type (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcaplinktype-00.html>); `None` if the interface
    /// is not described.
    pub(super) link: Option<u16>,
    /// The number of the interface, from 0.
    pub(super) interface: u32,
    /// The packet, as far as it was captured.
    pub(super) bytes: Vec<u8>,
    /// Whether the capture program kept only its beginning.
    pub(super) is_cut: bool,
}

/// A file of packets.
#[derive(Debug)]
pub(super) struct Container {
    /// The byte order, which a section of pcapng may change.
    order: FileByteOrder,
    /// The link types and time units of the packets.
    kind: LinkKind,
    /// The number of the last packet, from 1.
    number: u64,
    /// The time of the last packet, for those without one.
    last: i128,
}

/// The link types and time units in a file.
#[derive(Debug)]
enum LinkKind {
    /// All packets have the same link type; the nanoseconds of a unit of time.
    Pcap {
        /// The link type.
        link: u16,
        /// How many nanoseconds a unit of time has.
        unit: i128,
    },
    PcapNg {
        /// The interfaces of the section, by number.
        interfaces: Vec<CaptureInterface>,
    },
}

/// An interface of a pcapng section.
#[derive(Debug, Clone, Copy)]
struct CaptureInterface {
    /// The link type.
    link: u16,
    /// The unit of time: a negative power of 10, or of 2 if the upper bit is set.
    resolution: u8,
    /// In seconds.
    offset: i64,
}

/// The byte order of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileByteOrder {
    Big,
    Little,
}

impl FileByteOrder {
    /// The number at this place; `None` if the bytes end before.
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        })
    }

    /// The same with 32 bits.
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        })
    }

    /// The same with 64 bits and a sign.
    fn i64(self, bytes: &[u8], at: usize) -> Option<i64> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Big => i64::from_be_bytes(bytes),
            Self::Little => i64::from_le_bytes(bytes),
        })
    }
}

impl Container {
    /// Recognises a file by its first four bytes, and uses up the header of a pcap file.
    pub(super) fn of<R: Read>(
        begin: [u8; 4],
        input: &mut CaptureInput<R>,
    ) -> Result<Option<Self>, Error> {
        let container = |order, kind| Self {
            order,
            kind,
            number: 0,
            last: 0,
        };
        if u32::from_be_bytes(begin) == SECTION {
            let interfaces = Vec::new();
            // Each section declares its byte order.
            return Ok(Some(container(
                FileByteOrder::Little,
                LinkKind::PcapNg { interfaces },
            )));
        }
        let (order, unit) = match begin {
            [0xa1, 0xb2, 0xc3, 0xd4] => (FileByteOrder::Big, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (FileByteOrder::Little, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (FileByteOrder::Big, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (FileByteOrder::Little, 1),
            _ => return Ok(None),
        };
        let header = input.fill(24)?;
        let Some(link) = order.u32(header, 20) else {
            return Err(Error::Wrong(sentence!("replay.short-header")));
        };
        input.skip(24);
        // The upper bits contain the length of the frame check sequence.
        let link = u16::try_from(link & 0xffff).unwrap_or_default();
        if !super::link_layer::is_known(link) {
            return Err(Error::Wrong(sentence!("replay.link-type", link = link)));
        }
        Ok(Some(container(order, LinkKind::Pcap { link, unit })))
    }

    /// Reads the next packet; `false` at the end.
    pub(super) fn next<R: Read>(
        &mut self,
        input: &mut CaptureInput<R>,
        packet: &mut Packet,
    ) -> Result<bool, Error> {
        match self.kind {
            LinkKind::Pcap { link, unit } => {
                packet.link = Some(link);
                self.pcap_packet(input, packet, unit)
            }
            LinkKind::PcapNg { .. } => loop {
                match self.block(input, packet)? {
                    PcapngBlock::End => return Ok(false),
                    PcapngBlock::Packet => return Ok(true),
                    PcapngBlock::Other => {}
                }
            },
        }
    }

    /// Reads the next packet of a pcap file; `false` at the end.
    fn pcap_packet<R: Read>(
        &mut self,
        input: &mut CaptureInput<R>,
        packet: &mut Packet,
        unit: i128,
    ) -> Result<bool, Error> {
        self.number += 1;
        let order = self.order;
        let header = input.fill(16)?;
        if header.is_empty() {
            return Ok(false);
        }
        let field = |at| order.u32(header, at);
        let (Some(seconds), Some(part), Some(len), Some(full_len)) =
            (field(0), field(4), field(8), field(12))
        else {
            return Err(self.short());
        };
        let len = self.checked_len(len)?;
        input.skip(16);
        let Some(bytes) = input.fill(len)?.get(..len) else {
            return Err(self.short());
        };
        packet.bytes.clear();
        packet.bytes.extend_from_slice(bytes);
        input.skip(len);
        packet.time = i128::from(seconds) * 1_000_000_000 + i128::from(part) * unit;
        packet.is_cut = full_len as usize > len;
        Ok(true)
    }

    /// Reads one block of a pcapng file.
    fn block<R: Read>(
        &mut self,
        input: &mut CaptureInput<R>,
        packet: &mut Packet,
    ) -> Result<PcapngBlock, Error> {
        let begin = input.fill(12)?;
        if begin.is_empty() {
            return Ok(PcapngBlock::End);
        }
        // Read the byte order before the lengths, which depend on it.
        if begin.first_chunk() == Some(&SECTION.to_be_bytes()) {
            self.order = match begin.get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => FileByteOrder::Big,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => FileByteOrder::Little,
                Some(_) => return Err(self.damaged()),
                None => return Err(self.short()),
            };
        }
        let order = self.order;
        let (Some(kind), Some(total)) = (order.u32(begin, 0), order.u32(begin, 4)) else {
            return Err(self.short());
        };
        let is_packet = matches!(kind, OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
        self.number += u64::from(is_packet);
        let total = self.checked_len(total)?;
        // The type and both lengths alone are 12 bytes, and blocks are padded to 32 bits.
        if total < 12 || !total.is_multiple_of(4) {
            return Err(self.damaged());
        }
        let Some(block) = input.fill(total)?.get(..total) else {
            return Err(self.short());
        };
        // The length is at both ends of a block, which shows where a file is damaged.
        if order.u32(block, total - 4) != order.u32(block, 4) {
            return Err(self.damaged());
        }
        let body = block.get(8..total - 4).unwrap_or_default();
        let found = match (kind, &mut self.kind) {
            (SECTION, LinkKind::PcapNg { interfaces }) => {
                // Numbers of interfaces count from 0 in each section.
                interfaces.clear();
                Some(PcapngBlock::Other)
            }
            (INTERFACE, LinkKind::PcapNg { interfaces }) => {
                if interfaces.len() == MAX_INTERFACES {
                    return Err(Error::Wrong(sentence!(
                        "replay.too-many-interfaces",
                        most = MAX_INTERFACES
                    )));
                }
                interface(order, body).map(|interface| {
                    interfaces.push(interface);
                    PcapngBlock::Other
                })
            }
            (_, LinkKind::PcapNg { interfaces }) if is_packet => {
                packet_of(kind, order, body, interfaces, self.last, packet).map(|()| {
                    self.last = packet.time;
                    PcapngBlock::Packet
                })
            }
            // Names, statistics, and blocks of other programs.
            _ => Some(PcapngBlock::Other),
        };
        input.skip(total);
        found.ok_or_else(|| self.damaged())
    }

    /// A length as a number of bytes, if a packet can be that long.
    fn checked_len(&self, len: u32) -> Result<usize, Error> {
        match usize::try_from(len) {
            Ok(len) if len <= MAX_RECORD => Ok(len),
            _ => Err(Error::Wrong(sentence!(
                "replay.too-long-record",
                number = self.shown_number(),
                len = len
            ))),
        }
    }

    /// The error for a file that ends within a record.
    fn short(&self) -> Error {
        Error::Wrong(sentence!("replay.short", number = self.shown_number()))
    }

    /// The error for a block that contradicts itself.
    fn damaged(&self) -> Error {
        Error::Wrong(sentence!(
            "replay.damaged-block",
            number = self.shown_number()
        ))
    }

    /// The packet that an error is about: the one being read, or the first.
    fn shown_number(&self) -> u64 {
        self.number.max(1)
    }
}

/// The content of a pcapng block.
enum PcapngBlock {
    /// A packet, which was read.
    Packet,
    /// Nothing of interest.
    Other,
    /// The end of the file.
    End,
}

/// Reads the description of an interface.
fn interface(order: FileByteOrder, body: &[u8]) -> Option<CaptureInterface> {
    let mut interface = CaptureInterface {
        link: order.u16(body, 0)?,
        // The default: microseconds.
        resolution: 6,
        offset: 0,
    };
    let mut options = body.get(8..)?;
    while let (Some(code), Some(len)) = (order.u16(options, 0), order.u16(options, 2)) {
        let len = usize::from(len);
        let value = options.get(4..4 + len)?;
        match code {
            0 => break,
            TIME_RESOLUTION => interface.resolution = *value.first()?,
            TIME_OFFSET => interface.offset = order.i64(value, 0)?,
            _ => {}
        }
        options = options
            .get(4 + len.next_multiple_of(4)..)
            .unwrap_or_default();
    }
    Some(interface)
}

/// Reads a packet out of its block; `None` if the block is damaged.
fn packet_of(
    kind: u32,
    order: FileByteOrder,
    body: &[u8],
    interfaces: &[CaptureInterface],
    last: i128,
    packet: &mut Packet,
) -> Option<()> {
    let (number, time, len, full_len, start) = match kind {
        SIMPLE_PACKET => {
            // This block does not contain the captured length; it follows from the block's own length.
            let full_len = order.u32(body, 0)?;
            let room = u32::try_from(body.len().checked_sub(4)?).ok()?;
            (0, None, full_len.min(room), full_len, 4)
        }
        _ => {
            let number = if kind == ENHANCED_PACKET {
                order.u32(body, 0)?
            } else {
                u32::from(order.u16(body, 0)?)
            };
            let (high, low) = (order.u32(body, 4)?, order.u32(body, 8)?);
            let time = u64::from(high) << 32 | u64::from(low);
            let (len, full_len) = (order.u32(body, 12)?, order.u32(body, 16)?);
            (number, Some(time), len, full_len, 20)
        }
    };
    let len = usize::try_from(len).ok()?;
    let bytes = body.get(start..)?.get(..len)?;
    let interface = interfaces.get(usize::try_from(number).ok()?);
    packet.bytes.clear();
    packet.bytes.extend_from_slice(bytes);
    packet.interface = number;
    packet.link = interface.map(|interface| interface.link);
    packet.is_cut = full_len as usize > len;
    packet.time = match (time, interface) {
        (Some(time), Some(interface)) => nanos(time, interface),
        _ => last,
    };
    Some(())
}

/// A time in units of its interface as nanoseconds since the epoch.
fn nanos(time: u64, interface: &CaptureInterface) -> i128 {
    let time = u128::from(time);
    let exponent = u32::from(interface.resolution & 0x7f);
    let nanos = if interface.resolution & 0x80 == 0 {
        match exponent.checked_sub(9) {
            None | Some(0) => time * 10_u128.pow(9 - exponent),
            Some(more) => 10_u128.checked_pow(more).map_or(0, |unit| time / unit),
        }
    } else {
        (time * 1_000_000_000).checked_shr(exponent).unwrap_or(0)
    };
    let offset = i128::from(interface.offset) * 1_000_000_000;
    i128::try_from(nanos).unwrap_or(i128::MAX / 2) + offset
}
