//! What is flashed: made up, but as compressible as the real thing.

/// Bytes as a font has them: runs of empty rows, rows of few bits. Deflate halves it, about.
pub(crate) fn font_like(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed | 1);
    let mut bytes = Vec::with_capacity(len + 64);
    while bytes.len() < len {
        let word = random.next();
        if word.trailing_zeros() >= 2 {
            bytes.extend(std::iter::repeat_n(0, (word >> 2 & 15) as usize));
        } else {
            bytes.extend((word >> 8).to_le_bytes().map(|byte| byte & 0x3e));
        }
    }
    bytes.truncate(len);
    bytes
}

/// An xorshift generator: the same bytes in every run.
#[derive(Debug)]
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// An ESP image: one segment of `payload` at `address`, its checksum, and its digest.
pub(crate) fn image(chip_id: u16, address: u32, payload: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    let mut image = vec![0xe9, 1, 2, 0x20, 0, 0, 8, 0x40, 0xee, 0, 0, 0];
    image.extend(chip_id.to_le_bytes());
    image.resize(23, 0);
    image.push(1);
    image.extend(address.to_le_bytes());
    image.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    image.extend(payload);
    let end = (image.len() + 1).next_multiple_of(16);
    image.resize(end - 1, 0);
    image.push(payload.iter().fold(0xef, |sum, byte| sum ^ byte));
    let digest = sha2::Sha256::digest(&image);
    image.extend(digest);
    image
}

/// A partition table: label, type, subtype, offset, size.
pub(crate) fn table(partitions: &[(&str, u8, u8, u32, u32)]) -> Vec<u8> {
    let mut table = Vec::new();
    for (label, kind, subtype, offset, size) in partitions {
        let start = table.len();
        table.extend([0xaa, 0x50, *kind, *subtype]);
        table.extend(offset.to_le_bytes());
        table.extend(size.to_le_bytes());
        table.extend(label.as_bytes());
        table.resize(start + 32, 0);
    }
    table.resize(0xc00, 0xff);
    table
}

/// Firmware as the mPython board's maker ships it: bootloader, table and an application of `len` bytes, for 0x1000.
pub(crate) fn firmware(len: usize, seed: u64) -> Vec<u8> {
    let mut firmware = image(0, 0x4007_8000, &font_like(20_000, seed));
    firmware.resize(0x7000, 0xff);
    firmware.extend(table(&[
        ("nvs", 1, 2, 0x9000, 0x6000),
        ("phy_init", 1, 1, 0xf000, 0x1000),
        ("factory", 0, 0, 0x1_0000, 0x1b_0000),
        ("vfs", 1, 0x81, 0x20_0000, 0x20_0000),
    ]));
    firmware.resize(0xf000, 0xff);
    firmware.extend(image(0, 0x400d_0020, &font_like(len, seed + 1)));
    firmware
}

/// A program as ESP-IDF links it, as far as a loader looks: an application descriptor, code run in place, code copied
/// to memory, and the table of these sections.
pub(crate) fn elf() -> Vec<u8> {
    let mut descriptor = 0xabcd_5432_u32.to_le_bytes().to_vec();
    descriptor.resize(256, 0);
    let names = b"\0.flash.appdesc\0.flash.text\0.iram0.text\0.shstrtab\0";
    // Name, type, flags, address, data.
    let sections: [(u32, u32, u32, u32, Vec<u8>); 4] = [
        (1, 1, 2, 0x3f40_0020, descriptor),
        (16, 1, 6, 0x400d_0020, font_like(5_000, 51)),
        (28, 1, 6, 0x4008_0000, font_like(3_000, 52)),
        (40, 3, 0, 0, names.to_vec()),
    ];
    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x5e\0".to_vec();
    let mut headers = vec![0; 40];
    let mut data = Vec::new();
    for (name, kind, flags, address, bytes) in &sections {
        let (at, len) = (52 + data.len(), bytes.len());
        let [at, len] = [at, len].map(|n| u32::try_from(n).unwrap());
        for word in [*name, *kind, *flags, *address, at, len, 0, 0, 4, 0] {
            headers.extend(word.to_le_bytes());
        }
        data.extend(bytes);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let table = u32::try_from(52 + data.len()).unwrap();
    for word in [1, 0x4008_0000, 0, table, 0x300] {
        elf.extend(u32::to_le_bytes(word));
    }
    // This header's size, no program headers, five sections, of which the last has the names.
    for half in [52_u16, 32, 0, 40, 5, 4] {
        elf.extend(half.to_le_bytes());
    }
    elf.extend(data);
    elf.extend(headers);
    elf
}
