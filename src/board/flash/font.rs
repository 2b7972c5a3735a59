//! Fonts that firmware for the mPython board reads from flash, and the offset where each firmware expects its font.
//!
//! mPython's font is an XBF file of SEGGER's emWin (`Noto_Sans_CJK_SC_Light16.xbf`): `GUIX`, seven 16-bit numbers of
//! which the last two are the first and last character, then the offset (32 bits) and length (16 bits) of each glyph.
//! `class Font` in the firmware's `mpython.py` reads it this way. Mixly's font is a *Unicode Font Library*: `UFL`, the
//! version, the file's length; `class Font_Uincode` in Mixly's `uframebuf.py` reads it.

use super::error::{Error, FlashRefusal};
use super::files::FontFile;
use super::firmware::{self, Firmware, Maker};
use super::image::Use;
use super::pieces::{FONT, FlashPiece, Role};
use crate::text::sentence::{Sentence, sentence};

/// The font formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FontFormat {
    /// emWin's XBF, for mPython's firmware.
    Xbf,
    /// Unicode Font Library, for Mixly's firmware.
    Ufl,
}

/// Why bytes are not a font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FontProblem {
    /// The bytes do not begin with the magic number of a font.
    Magic,
    /// The bytes begin like a font, but the rest is not consistent.
    Damaged,
    /// The bytes end before the last glyph does: a complete font has this many bytes.
    Short(u64),
}

/// The sizes of XBF's header and of its entry for a glyph.
const XBF_HEADER: usize = 18;
const XBF_ENTRY: usize = 6;

/// The size of UFL's header with its three character ranges.
const UFL_HEADER: usize = 40;

/// The limit for a plausible glyph height. Glyphs for the boards' displays are 8 to 32 rows high.
const MAX_HEIGHT: u16 = 128;

/// Identifies the format of a font.
///
/// # Errors
/// The bytes are not a font, or not a complete one.
pub fn recognise(bytes: &[u8]) -> Result<FontFormat, FontProblem> {
    if bytes.starts_with(b"GUIX") {
        xbf(bytes).map(|()| FontFormat::Xbf)
    } else if bytes.starts_with(b"UFL") {
        ufl(bytes).map(|()| FontFormat::Ufl)
    } else {
        Err(FontProblem::Magic)
    }
}

/// A number of 16 bits.
fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// A number of 32 bits.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Checks an XBF font to its last glyph.
fn xbf(bytes: &[u8]) -> Result<(), FontProblem> {
    let short = || FontProblem::Short(XBF_HEADER as u64);
    let height = half(bytes, 4).ok_or_else(short)?;
    let first = half(bytes, 14).ok_or_else(short)?;
    let last = half(bytes, 16).ok_or_else(short)?;
    if height == 0 || height > MAX_HEIGHT || first > last {
        return Err(FontProblem::Damaged);
    }
    let count = usize::from(last - first) + 1;
    let table_end = XBF_HEADER + count * XBF_ENTRY;
    let mut end = table_end as u64;
    for index in 0..count {
        let at = XBF_HEADER + index * XBF_ENTRY;
        let (Some(offset), Some(len)) = (word(bytes, at), half(bytes, at + 4)) else {
            return Err(FontProblem::Short(table_end as u64));
        };
        // This character has no glyph.
        if offset == 0 || len == 0 {
            continue;
        }
        // A glyph within the table of glyphs means that these bytes are not a font.
        if (offset as usize) < table_end {
            return Err(FontProblem::Damaged);
        }
        end = end.max(u64::from(offset) + u64::from(len));
    }
    if end > bytes.len() as u64 {
        return Err(FontProblem::Short(end));
    }
    Ok(())
}

/// Checks a UFL font's header and length.
fn ufl(bytes: &[u8]) -> Result<(), FontProblem> {
    let len = word(bytes, 4).ok_or(FontProblem::Short(UFL_HEADER as u64))?;
    let height = u16::from(*bytes.get(9).ok_or(FontProblem::Short(UFL_HEADER as u64))?);
    if height == 0 || height > MAX_HEIGHT || (len as usize) < UFL_HEADER {
        return Err(FontProblem::Damaged);
    }
    if u64::from(len) > bytes.len() as u64 {
        return Err(FontProblem::Short(len.into()));
    }
    Ok(())
}

impl FontFormat {
    /// The maker whose firmware reads this format.
    pub(super) fn maker(self) -> &'static str {
        match self {
            Self::Xbf => "mPython",
            Self::Ufl => "Mixly",
        }
    }
}

/// The number of bytes that identify a font.
pub(super) const HEAD: u32 = 40;

/// Finds the size of a font from its first bytes, `head`: the number of bytes, or the last entry, which gives it.
/// `None` if it is not a font.
pub(super) fn extent(head: &[u8]) -> Option<(FontFormat, Extent)> {
    if head.starts_with(b"UFL") {
        return Some((FontFormat::Ufl, Extent::Bytes(word(head, 4)?)));
    }
    let (first, last) = (half(head, 14)?, half(head, 16)?);
    let count = last.checked_sub(first)?;
    let at = XBF_HEADER + usize::from(count) * XBF_ENTRY;
    let entry = u32::try_from(at).ok()?;
    head.starts_with(b"GUIX")
        .then_some((FontFormat::Xbf, Extent::Entry(entry)))
}

/// The size of a font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The number of bytes.
    Bytes(u32),
    /// The font ends with the glyph of the entry at this offset; the entry has six bytes.
    Entry(u32),
}

/// The end of the glyph that an entry describes.
pub(super) fn glyph_end(entry: &[u8]) -> Option<u32> {
    word(entry, 0)?.checked_add(u32::from(half(entry, 4)?))
}

/// Where firmware expects its font, and how udpcli knows that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FontPlace {
    /// The offset in flash.
    pub(crate) offset: u32,
    /// The firmware, and the evidence: `mPython since 1.5 (this is v2.6.1)`.
    pub(crate) who: Sentence,
    /// The format that belongs there.
    pub(crate) kind: FontFormat,
}

// mPython's firmware moved its font once: `font_address=` in the maker's `mpython.py`, before and since 1.5.0.
const UNTIL_1_4: u32 = 0x30_0000;
const SINCE_1_5: u32 = 0x40_0000;

/// `font_address=0x700000` in the drivers that Mixly builds into its firmware for the mPython board.
const MIXLY: u32 = 0x70_0000;

/// All three offsets.
pub(super) const PLACES: [u32; 3] = [UNTIL_1_4, SINCE_1_5, MIXLY];

/// Where `firmware` expects its font; `None` if udpcli cannot know it.
///
/// The offset in the firmware's own code takes precedence over its version.
#[must_use]
pub fn place(firmware: &Firmware) -> Option<FontPlace> {
    let tag = firmware.text.split(' ').nth(1).unwrap_or_default();
    let (offset, who, kind) = match firmware.maker {
        Maker::Other => return None,
        Maker::Mixly => (MIXLY, sentence!("flash.who-mixly"), FontFormat::Ufl),
        Maker::Labplus => {
            let own = match (
                firmware.has_constant(UNTIL_1_4),
                firmware.has_constant(SINCE_1_5),
            ) {
                (true, false) => Some(UNTIL_1_4),
                (false, true) => Some(SINCE_1_5),
                // Both constants, or neither, prove nothing: another function may have the same default.
                _ => None,
            };
            let (offset, who) = match (own, firmware.version) {
                (Some(offset), _) => (offset, sentence!("flash.who-this", tag = tag)),
                (None, Some(version)) if version < (1, 5) => {
                    (UNTIL_1_4, sentence!("flash.who-until", tag = tag))
                }
                (None, Some(_)) => (SINCE_1_5, sentence!("flash.who-since", tag = tag)),
                (None, None) => return None,
            };
            (offset, who, FontFormat::Xbf)
        }
    };
    Some(FontPlace { offset, who, kind })
}

/// Puts each font where the application among `pieces` expects it. Without an application, the fonts wait until the
/// board's application is known. Returns notes for the user.
///
/// # Errors
/// The application does not say where it expects a font, or expects another format.
pub fn settle(
    pieces: &mut Vec<FlashPiece>,
    fonts: &mut Vec<FontFile>,
    force: bool,
) -> Result<Vec<Sentence>, Error> {
    let application = pieces
        .iter()
        .find(|piece| piece.role == Role::Partition(Use::App));
    let Some(application) = application else {
        return Ok(Vec::new());
    };
    let firmware = firmware::identify(&application.data);
    let place = firmware.as_ref().and_then(place);
    let name = application.name();
    for font in std::mem::take(fonts) {
        let place = place
            .as_ref()
            .ok_or_else(|| unknown_place(&font, firmware.as_ref(), &name))?;
        pieces.push(placed(font, place, force)?);
    }
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let is_lost = |piece: &&FlashPiece| piece.role == Role::Font && piece.offset != place.offset;
    let notes = pieces.iter().filter(is_lost).map(|piece| {
        sentence!("flash.font-lost", name => piece.name(), at = format!("{:#x}", piece.offset), who => place.who.clone(), place = format!("{:#x}", place.offset))
    });
    Ok(notes.collect())
}

/// Puts a font at `place`.
///
/// # Errors
/// The firmware reads another format.
pub(super) fn placed(font: FontFile, place: &FontPlace, force: bool) -> Result<FlashPiece, Error> {
    if let Some(kind) = font.kind.filter(|&kind| kind != place.kind && !force) {
        return Err(Error::Refused(Box::new(FlashRefusal {
            what: font.name.into(),
            expected: sentence!("flash.x-font-for", maker = place.kind.maker(), who => place.who.clone()),
            found: sentence!("flash.f-font-for", maker = kind.maker()),
            hint: Some(sentence!("flash.font-hint")),
        })));
    }
    Ok(FlashPiece {
        role: Role::Font,
        label: FONT.to_owned(),
        file: font.name,
        offset: place.offset,
        data: font.data,
        is_asked_for: true,
        is_cut: false,
        why: Some(sentence!("flash.font-here", who => place.who.clone())),
    })
}

/// The error if nothing says where the firmware in `application` expects a font.
pub(super) fn unknown_place(
    font: &FontFile,
    firmware: Option<&Firmware>,
    application: &Sentence,
) -> Error {
    let found = match firmware {
        Some(firmware) => sentence!(
            "flash.n-font-place-of",
            application => application.clone(),
            firmware = &firmware.text
        ),
        None => sentence!("flash.n-font-place", application => application.clone()),
    };
    Error::NeedsOffset {
        what: font.name.clone(),
        found,
        example: sentence!("flash.e-font", name = &font.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two glyphs in the layout that `class Font` in mpython.py reads.
    fn small_xbf() -> Vec<u8> {
        let mut font = b"GUIX".to_vec();
        for number in [16_u16, 16, 14, 8, 12, 65, 66] {
            font.extend(number.to_le_bytes());
        }
        for index in 0..2_u32 {
            font.extend((30 + index * 20).to_le_bytes());
            font.extend(20_u16.to_le_bytes());
        }
        font.resize(70, 1);
        font
    }

    #[test]
    fn complete_fonts_are_told_from_short_and_damaged_ones() {
        let font = small_xbf();
        assert_eq!(recognise(&font), Ok(FontFormat::Xbf));
        for len in 4..font.len() {
            assert!(
                matches!(recognise(&font[..len]), Err(FontProblem::Short(_))),
                "{len}"
            );
        }
        assert_eq!(recognise(&font[..60]), Err(FontProblem::Short(70)));
        let mut damaged = font.clone();
        damaged[14] = 200;
        assert_eq!(recognise(&damaged), Err(FontProblem::Damaged));
        assert_eq!(recognise(b"GUI"), Err(FontProblem::Magic));

        let mut font = b"UFL\x12".to_vec();
        font.extend(100_u32.to_le_bytes());
        font.extend([3, 12]);
        font.resize(100, 0);
        assert_eq!(recognise(&font), Ok(FontFormat::Ufl));
        assert_eq!(recognise(&font[..99]), Err(FontProblem::Short(100)));
    }

    proptest! {
        #[test]
        fn any_bytes_after_a_font_header_are_accepted_or_refused(kind in 0..3_usize, rest: Vec<u8>) {
            let heads: [&[u8]; 3] = [b"GUIX", b"UFL\x12", b""];
            let _ = recognise(&[heads[kind], &rest].concat());
        }
    }
}
