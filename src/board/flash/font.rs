//! Fonts that firmware for the mPython board reads straight from flash, and where each firmware looks for its own.
//!
//! mPython's is an XBF file of SEGGER's emWin (`Noto_Sans_CJK_SC_Light16.xbf`): `GUIX`, seven 16-bit numbers of which
//! the last two are the first and last character, then offset (32 bits) and length (16 bits) of each glyph. That is how
//! `class Font` in the firmware's `mpython.py` reads it. Mixly's is a *Unicode Font Library*: `UFL`, the version, the
//! file's length; `class Font_Uincode` in Mixly's `uframebuf.py` reads that.

use super::error::{Error, Refusal};
use super::files::FontFile;
use super::firmware::{self, Firmware, Maker};
use super::image::Use;
use super::pieces::{FONT, Piece, Role};
use crate::text::sentence::{Sentence, sentence};

/// The kinds of fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// emWin's XBF, for mPython's firmware.
    Xbf,
    /// Unicode Font Library, for Mixly's firmware.
    Ufl,
}

/// Why bytes are no font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// They begin as no font does.
    Magic,
    /// They begin as a font, and what follows does not fit.
    Damaged,
    /// They end before the last glyph does: so many bytes are needed.
    Short(u64),
}

/// XBF's header, and its entry for a glyph.
const XBF_HEADER: usize = 18;
const XBF_ENTRY: usize = 6;

/// UFL's header with its three ranges of characters.
const UFL_HEADER: usize = 40;

/// Glyphs of the boards' panels are 8 to 32 rows high; a font for a larger one would be no mistake.
const MAX_HEIGHT: u16 = 128;

/// What font the bytes are.
///
/// # Errors
/// They are none, or not all of it is there.
pub fn recognise(bytes: &[u8]) -> Result<Kind, Problem> {
    if bytes.starts_with(b"GUIX") {
        xbf(bytes).map(|()| Kind::Xbf)
    } else if bytes.starts_with(b"UFL") {
        ufl(bytes).map(|()| Kind::Ufl)
    } else {
        Err(Problem::Magic)
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn xbf(bytes: &[u8]) -> Result<(), Problem> {
    let short = || Problem::Short(XBF_HEADER as u64);
    let height = half(bytes, 4).ok_or_else(short)?;
    let first = half(bytes, 14).ok_or_else(short)?;
    let last = half(bytes, 16).ok_or_else(short)?;
    if height == 0 || height > MAX_HEIGHT || first > last {
        return Err(Problem::Damaged);
    }
    let count = usize::from(last - first) + 1;
    let table_end = XBF_HEADER + count * XBF_ENTRY;
    let mut end = table_end as u64;
    for index in 0..count {
        let at = XBF_HEADER + index * XBF_ENTRY;
        let (Some(offset), Some(len)) = (word(bytes, at), half(bytes, at + 4)) else {
            return Err(Problem::Short(table_end as u64));
        };
        // A character without a glyph.
        if offset == 0 || len == 0 {
            continue;
        }
        if (offset as usize) < table_end {
            return Err(Problem::Damaged);
        }
        end = end.max(u64::from(offset) + u64::from(len));
    }
    if end > bytes.len() as u64 {
        return Err(Problem::Short(end));
    }
    Ok(())
}

fn ufl(bytes: &[u8]) -> Result<(), Problem> {
    let len = word(bytes, 4).ok_or(Problem::Short(UFL_HEADER as u64))?;
    let height = u16::from(*bytes.get(9).ok_or(Problem::Short(UFL_HEADER as u64))?);
    if height == 0 || height > MAX_HEIGHT || (len as usize) < UFL_HEADER {
        return Err(Problem::Damaged);
    }
    if u64::from(len) > bytes.len() as u64 {
        return Err(Problem::Short(len.into()));
    }
    Ok(())
}

impl Kind {
    /// Whose firmware reads it.
    pub(super) fn maker(self) -> &'static str {
        match self {
            Self::Xbf => "mPython",
            Self::Ufl => "Mixly",
        }
    }
}

/// So many bytes say what font it is.
pub(super) const HEAD: u32 = 40;

/// How large a font is that begins with `head`: its bytes, or where its last entry is, which says that. None if it is
/// no font.
pub(super) fn extent(head: &[u8]) -> Option<(Kind, Extent)> {
    if head.starts_with(b"UFL") {
        return Some((Kind::Ufl, Extent::Bytes(word(head, 4)?)));
    }
    let (first, last) = (half(head, 14)?, half(head, 16)?);
    let count = last.checked_sub(first)?;
    let at = XBF_HEADER + usize::from(count) * XBF_ENTRY;
    let entry = u32::try_from(at).ok()?;
    head.starts_with(b"GUIX")
        .then_some((Kind::Xbf, Extent::Entry(entry)))
}

/// How large a font is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes.
    Bytes(u32),
    /// As far as the glyph of the entry there goes; six bytes.
    Entry(u32),
}

/// Where the glyph of an entry ends.
pub(super) fn glyph_end(entry: &[u8]) -> Option<u32> {
    word(entry, 0)?.checked_add(u32::from(half(entry, 4)?))
}

/// Where firmware looks for its font, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The offset in flash.
    pub offset: u32,
    /// Who looks there, and how that is known: `mPython since 1.5 (this is v2.6.1)`.
    pub who: Sentence,
    /// What kind of font belongs there.
    pub kind: Kind,
}

// mPython's firmware has had its font at two places: `font_address=` in the makers' `mpython.py`, before and since 1.5.0.
const UNTIL_1_4: u32 = 0x30_0000;
const SINCE_1_5: u32 = 0x40_0000;

/// `font_address=0x700000` in the drivers that Mixly builds into its firmware for the mPython board.
const MIXLY: u32 = 0x70_0000;

/// All of them.
pub(super) const PLACES: [u32; 3] = [UNTIL_1_4, SINCE_1_5, MIXLY];

/// Where `firmware` looks for its font; none if that cannot be known.
///
/// What the firmware's own code says is believed first, then its version.
#[must_use]
pub fn place(firmware: &Firmware) -> Option<Place> {
    let tag = firmware.text.split(' ').nth(1).unwrap_or_default();
    let (offset, who, kind) = match firmware.maker {
        Maker::Other => return None,
        Maker::Mixly => (MIXLY, sentence!("flash.who-mixly"), Kind::Ufl),
        Maker::Labplus => {
            let own = match (
                firmware.has_constant(UNTIL_1_4),
                firmware.has_constant(SINCE_1_5),
            ) {
                (true, false) => Some(UNTIL_1_4),
                (false, true) => Some(SINCE_1_5),
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
            (offset, who, Kind::Xbf)
        }
    };
    Some(Place { offset, who, kind })
}

/// Puts fonts where the application among `pieces` looks for them; without an application, they wait for the board's.
/// Gives what the user should know.
///
/// # Errors
/// The application does not say where it looks, or looks for another kind of font.
pub fn settle(
    pieces: &mut Vec<Piece>,
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
    let is_lost = |piece: &&Piece| piece.role == Role::Font && piece.offset != place.offset;
    let notes = pieces.iter().filter(is_lost).map(|piece| {
        sentence!("flash.font-lost", name = piece.name(), at = format!("{:#x}", piece.offset), who => place.who.clone(), place = format!("{:#x}", place.offset))
    });
    Ok(notes.collect())
}

/// A font for `place`.
///
/// # Errors
/// It is another kind of font than the firmware reads.
pub(super) fn placed(font: FontFile, place: &Place, force: bool) -> Result<Piece, Error> {
    if let Some(kind) = font.kind.filter(|&kind| kind != place.kind && !force) {
        return Err(Error::Refused(Box::new(Refusal {
            what: font.name.into(),
            expected: sentence!("flash.x-font-for", maker = place.kind.maker(), who => place.who.clone()),
            found: sentence!("flash.f-font-for", maker = kind.maker()),
            hint: Some(sentence!("flash.font-hint")),
        })));
    }
    Ok(Piece {
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

/// Nothing says where the firmware in `application` looks for a font.
pub(super) fn unknown_place(
    font: &FontFile,
    firmware: Option<&Firmware>,
    application: &str,
) -> Error {
    let found = match firmware {
        Some(firmware) => sentence!(
            "flash.n-font-place-of",
            application = application,
            firmware = &firmware.text
        ),
        None => sentence!("flash.n-font-place", application = application),
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

    /// Two glyphs, as `class Font` in mpython.py reads them.
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
    fn fonts_are_told_from_what_is_cut_short_or_damaged() {
        let font = small_xbf();
        assert_eq!(recognise(&font), Ok(Kind::Xbf));
        for len in 4..font.len() {
            assert!(
                matches!(recognise(&font[..len]), Err(Problem::Short(_))),
                "{len}"
            );
        }
        assert_eq!(recognise(&font[..60]), Err(Problem::Short(70)));
        let mut damaged = font.clone();
        damaged[14] = 200;
        assert_eq!(recognise(&damaged), Err(Problem::Damaged));
        assert_eq!(recognise(b"GUI"), Err(Problem::Magic));

        let mut font = b"UFL\x12".to_vec();
        font.extend(100_u32.to_le_bytes());
        font.extend([3, 12]);
        font.resize(100, 0);
        assert_eq!(recognise(&font), Ok(Kind::Ufl));
        assert_eq!(recognise(&font[..99]), Err(Problem::Short(100)));
    }

    proptest! {
        #[test]
        fn whatever_begins_as_a_font_is_taken_or_refused(kind in 0..3_usize, rest: Vec<u8>) {
            let heads: [&[u8]; 3] = [b"GUIX", b"UFL\x12", b""];
            let _ = recognise(&[heads[kind], &rest].concat());
        }
    }
}
