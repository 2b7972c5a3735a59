//! What the user wants in flash: reads the files, checks them with each other, and cuts them into pieces. The board is not
//! needed for this.

use espflash::target::Chip;

use super::error::Error;
use super::files::{self, Contents, FontFile, Given, Wanted};
use super::image::{self, FlashMode};
use super::pieces::{self, FlashPiece, Role};
use super::{check, font};
use crate::terminal::sanitize;
use crate::text::sentence::Sentence;

/// The files that the user names, and how to treat them.
#[derive(Debug)]
pub(crate) struct ContentRequest {
    /// Firmware and other files.
    pub(crate) images: Vec<Given>,
    /// A font.
    pub(crate) font: Option<Given>,
    /// The flash mode to set in the boot loader; `None` leaves it unchanged.
    pub(crate) mode: Option<FlashMode>,
    /// The chip, and what the checks allow.
    pub(crate) wanted: Wanted,
}

/// What the files contain.
#[derive(Debug, Clone)]
pub(crate) struct FlashContent {
    /// The chip that it is for; `None` if neither the user nor a file says so.
    pub(crate) chip: Option<Chip>,
    /// The pieces to write.
    pub(crate) pieces: Vec<FlashPiece>,
    /// Fonts whose place depends on the board.
    pub(crate) fonts: Vec<FontFile>,
    /// Notes about them.
    pub(crate) notes: Vec<Sentence>,
}

/// Reads and checks the files. A file may be a FIFO, which blocks.
///
/// # Errors
/// A file cannot be read, or a check refuses it.
pub(crate) fn load(request: &ContentRequest) -> Result<FlashContent, Error> {
    let mut wanted = request.wanted;
    let mut contents = Contents::default();
    for given in &request.images {
        // The first file that names a chip decides for the others.
        let (content, chip) = files::load(given, wanted)?;
        contents.add(content);
        wanted.chip = chip;
    }
    let rules = wanted.rules();
    if let Some(font) = &request.font {
        contents.add(files::load_font(font, rules)?);
    }
    let Contents {
        files,
        mut fonts,
        mut notes,
    } = contents;
    // Check before cutting the files: the checks look at offsets within whole files.
    check::files(&files, rules.chip, rules.force)?;
    let mut pieces = pieces::of(files, rules.chip);
    check::whole(&pieces, rules.force)?;
    if let Some(mode) = request.mode {
        set_mode(&mut pieces, mode)?;
    }
    notes.extend(font::settle(&mut pieces, &mut fonts, rules.force)?);
    notes.extend(check::overlaps(&mut pieces)?);
    for piece in &pieces {
        tracing::debug!(
            "{} of {} goes to {:#x}, {} bytes",
            sanitize::for_terminal(&piece.label),
            sanitize::for_terminal(&piece.file),
            piece.offset,
            piece.data.len()
        );
    }
    Ok(FlashContent {
        chip: wanted.chip,
        pieces,
        fonts,
        notes,
    })
}

/// Sets the flash mode in the boot loader among the pieces.
fn set_mode(pieces: &mut [FlashPiece], mode: FlashMode) -> Result<(), Error> {
    let boot = pieces
        .iter_mut()
        .find(|piece| piece.role == Role::Bootloader)
        .ok_or(Error::NoBootLoader)?;
    image::set_flash_mode(&mut boot.data, mode);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_mode_needs_a_boot_loader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.bin");
        std::fs::write(&path, [7; 64]).unwrap();
        let name = format!("{}@0x200000", path.display());
        let mut request = ContentRequest {
            images: files::given(&[name]).unwrap(),
            font: None,
            mode: None,
            wanted: Wanted {
                chip: Some(Chip::Esp32),
                force: true,
            },
        };
        let content = load(&request).unwrap();
        assert_eq!(content.pieces.len(), 1);
        assert_eq!(content.pieces[0].offset, 0x20_0000);
        request.mode = Some(FlashMode::Dio);
        assert!(matches!(load(&request), Err(Error::NoBootLoader)));
    }
}
