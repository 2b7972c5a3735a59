//! Finds offsets in file names: `mPython-0x1000-V1.19.1-lib.bin`, as Mixly names its firmware.

use super::super::write::SECTOR;

/// The offset that a file name contains, if it is a possible one.
pub(super) fn offset(path: &str) -> Option<u32> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|word| {
        let digits = word
            .strip_prefix("0x")
            .or_else(|| word.strip_prefix("0X"))?;
        let offset = u32::from_str_radix(digits, 16).ok()?;
        offset.is_multiple_of(SECTOR).then_some(offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_found_between_other_words() {
        assert_eq!(offset("mPython-0x1000-V1.19.1-lib.bin"), Some(0x1000));
        assert_eq!(offset("a/0x8000/font_0X400000.bin"), Some(0x40_0000));
        assert_eq!(offset(r"C:\fw\app@0x10000.bin"), Some(0x1_0000));
        for name in [
            "0x1000/fw.bin",
            "fw0x1000.bin",
            "fw-0x1001.bin",
            "fw-0x.bin",
            "fw-0x100000000.bin",
            "fw.bin",
        ] {
            assert_eq!(offset(name), None, "{name}");
        }
    }
}
