//! Tests of `files.rs`.

use super::*;
use proptest::prelude::*;

const RULES: ReadOptions = ReadOptions {
    chip: Chip::Esp32,
    force: false,
};

#[test]
fn an_offset_in_the_name_counts_only_if_the_content_agrees() {
    let mut app = vec![0xe9, 1, 2, 0x20, 0, 0, 8, 0x40, 0xee];
    app.resize(24, 0);
    // One segment without bytes in flash makes it an application.
    app.extend(0x400d_0020_u32.to_le_bytes());
    app.extend(0_u32.to_le_bytes());
    app.resize(47, 0);
    app.push(0xef);
    let place = |name: &str, bytes: &[u8]| {
        take_apart(name, bytes.to_vec(), None, RULES).map(|contents| {
            let offset = contents.files.first().map(|file| file.offset);
            (offset, contents.notes.len())
        })
    };
    assert_eq!(place("app-0x20000.bin", &app).unwrap(), (Some(0x2_0000), 1));
    // An application is not a boot loader, even if its name has the boot loader's offset.
    assert!(matches!(
        place("app-0x1000.bin", &app),
        Err(Error::NeedsOffset { .. })
    ));
    assert!(matches!(
        place("app.bin", &app),
        Err(Error::NeedsOffset { .. })
    ));
    let mut boot = app.clone();
    boot[24..28].copy_from_slice(&0x4007_8000_u32.to_le_bytes());
    assert_eq!(
        place("mPython-0x1000-V1.19.1-lib.bin", &boot).unwrap(),
        (Some(0x1000), 0)
    );
    assert_eq!(place("fw-0x0.bin", &boot).unwrap(), (Some(0x1000), 1));
    // A file with any content could have such a name.
    let error = place("data-0x310000.bin", b"\x5a\x80\x01").unwrap_err();
    assert!(format!("{error:?}").contains("0x310000"), "{error:?}");
}

proptest! {
    #[test]
    fn any_file_content_is_accepted_or_refused_without_a_panic(
        kind in 0..8_usize,
        force: bool,
        mut bytes: Vec<u8>,
        rest in proptest::collection::vec(any::<u8>(), 0..700),
    ) {
        let heads: [&[u8]; 8] = [
            b"", b"\xe9\x02", b"\xaa\x50", b"UF2\n", b"PK\x03\x04", b"0x1000 a\n", b"\x7fELF", b"GUIX",
        ];
        bytes.splice(0..0, heads[kind].iter().copied());
        bytes.extend(rest);
        let rules = ReadOptions { force, ..RULES };
        if let Ok(contents) = take_apart("x", bytes, None, rules) {
            let _ = crate::board::flash::check::files(&contents.files, Chip::Esp32, false);
        }
    }
}
