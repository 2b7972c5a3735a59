//! Generated files to flash, as compressible as real ones.

/// Bytes like those of a font: runs of empty rows, and rows with few bits. Deflate halves them approximately.
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

/// Firmware in the format of the mPython board's maker, for 0x1000: boot loader, table and an application of `len`
/// bytes.
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

/// The parts of an ESP-IDF program that a loader reads: an application descriptor, code run in place, code copied to
/// memory, and the table of these sections.
pub(crate) fn elf() -> Vec<u8> {
    let mut descriptor = 0xabcd_5432_u32.to_le_bytes().to_vec();
    descriptor.resize(256, 0);
    linked(
        0x4008_0000,
        &[
            (".flash.appdesc", 2, 0x3f40_0020, descriptor),
            (".flash.text", 6, 0x400d_0020, font_like(5_000, 51)),
            (".iram0.text", 6, 0x4008_0000, font_like(3_000, 52)),
        ],
    )
}

/// An ELF file for Xtensa: its entry point, and its sections with name, flags, address and data.
pub(crate) fn linked(entry: u32, sections: &[(&str, u32, u32, Vec<u8>)]) -> Vec<u8> {
    let word = |n: usize| u32::try_from(n).unwrap();
    let mut names = vec![0];
    let mut headers = vec![0; 40];
    let mut data = Vec::new();
    let table = (".shstrtab", 0, 0, Vec::new());
    let count = sections.len();
    for (index, (name, flags, address, bytes)) in sections.iter().chain([&table]).enumerate() {
        let name_at = names.len();
        names.extend(name.as_bytes());
        names.push(0);
        let (kind, bytes) = if index == count {
            (3, &names)
        } else {
            (1, bytes)
        };
        let (at, len) = (52 + data.len(), bytes.len());
        for word in [
            word(name_at),
            kind,
            *flags,
            *address,
            word(at),
            word(len),
            0,
            0,
            4,
            0,
        ] {
            headers.extend(word.to_le_bytes());
        }
        data.extend(bytes);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x5e\0".to_vec();
    for word in [1, entry, 0, word(52 + data.len()), 0x300] {
        elf.extend(u32::to_le_bytes(word));
    }
    // This header's size, no program headers, the sections, of which the last has the names.
    let sections = u16::try_from(count + 2).unwrap();
    for half in [52_u16, 32, 0, 40, sections, sections - 1] {
        elf.extend(half.to_le_bytes());
    }
    elf.extend(data);
    elf.extend(headers);
    elf
}

/// mPython's partition table of 2026-08 (`port/boards/mpython`, read from the release), and the one before it.
pub(crate) const TABLE: [(&str, u8, u8, u32, u32); 5] = [
    ("nvs", 1, 2, 0x9000, 0x6000),
    ("phy_init", 1, 1, 0xf000, 0x1000),
    ("factory", 0, 0, 0x1_0000, 0x1b_0000),
    ("vfs", 1, 0x81, 0x20_0000, 0x20_0000),
    ("user_nvs", 1, 2, 0x7f_c000, 0x4000),
];

/// An application with a banner, like `MicroPython`'s.
pub(crate) fn application(banner: &str, len: usize, seed: u64) -> Vec<u8> {
    application_with(banner, &[], len, seed)
}

/// The same, with a frozen module after the banner.
pub(crate) fn application_with(banner: &str, module: &[u8], len: usize, seed: u64) -> Vec<u8> {
    let mut code = font_like(len, seed);
    let text = format!("MicroPython {banner}\r\n\0");
    for (at, bytes) in [(len / 2, text.as_bytes()), (len / 4 * 3, module)] {
        code[at..at + bytes.len()].copy_from_slice(bytes);
    }
    image(0, 0x3f40_0020, &code)
}

/// Mixly's font: a *Unicode Font Library*, as `class Font_Uincode` of its `uframebuf.py` reads it.
pub(crate) fn ufl(len: usize, seed: u64) -> Vec<u8> {
    let mut font = b"UFL\x12".to_vec();
    font.extend(u32::try_from(len).unwrap().to_le_bytes());
    // Three character ranges, twelve rows high.
    font.extend([3, 12, 0, 0, 0, 0, 0, 1]);
    let glyphs = font_like(len - font.len(), seed);
    font.extend(glyphs);
    font
}

/// An XBF font of emWin with `count` glyphs from the space on, as `class Font` of the firmware's `mpython.py` reads it.
pub(crate) fn xbf(count: u16, seed: u64) -> Vec<u8> {
    const GLYPH: u32 = 36;
    let mut font = b"GUIX".to_vec();
    // Height, width, baseline, heights of x and Y, first and last character.
    for number in [16, 16, 14, 8, 12, 0x20, 0x20 + count - 1] {
        font.extend(u16::to_le_bytes(number));
    }
    let first = 18 + u32::from(count) * 6;
    for index in 0..u32::from(count) {
        font.extend((first + index * GLYPH).to_le_bytes());
        font.extend(u16::try_from(GLYPH).unwrap().to_le_bytes());
    }
    for index in 0..u64::from(count) {
        // Width and bytes per row, then sixteen rows of two bytes.
        font.extend([16, 0, 2, 0]);
        font.extend(font_like(32, seed + index));
    }
    font
}

/// The parts of the maker's release: offset and bytes (`port/release.py`).
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) bootloader: Vec<u8>,
    pub(crate) table: Vec<u8>,
    pub(crate) application: Vec<u8>,
    pub(crate) files: Option<Vec<u8>>,
    pub(crate) font: Vec<u8>,
}

impl Release {
    /// A release of mPython 2.6.1: as large as the real one, or smaller with other values of `len` and `glyphs`.
    pub(crate) fn new(len: usize, glyphs: u16, seed: u64) -> Self {
        Self {
            bootloader: image(0, 0x4007_8000, &font_like(20_000, seed)),
            table: table(&TABLE),
            application: application("v2.6.1 on 2026-08-01; mpython with ESP32", len, seed + 1),
            files: None,
            font: xbf(glyphs, seed + 2),
        }
    }

    /// The parts that are always written, with their offsets.
    pub(crate) fn parts(&self) -> [(usize, &[u8]); 4] {
        [
            (0x1000, &self.bootloader),
            (0x8000, &self.table),
            (0x1_0000, &self.application),
            (0x40_0000, &self.font),
        ]
    }

    /// The maker's merged image for offset 0, with 0xff between its parts.
    pub(crate) fn merged(&self) -> Vec<u8> {
        let mut image = Vec::new();
        let files = self.files.iter().map(|files| (0x20_0000, files.as_slice()));
        let mut parts: Vec<(usize, &[u8])> = self.parts().into_iter().chain(files).collect();
        parts.sort_by_key(|(offset, _)| *offset);
        for (offset, bytes) in parts {
            assert!(image.len() <= offset);
            image.resize(offset, 0xff);
            image.extend(bytes);
        }
        image
    }
}
