//! Writes the picture as a PNG file: one bit per pixel, enlarged, with white for lit pixels.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::atomic_file::{self, AtomicFile};
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::{HEIGHT, Screen, WIDTH};
use crate::wait::{Site, Wait, Waited};

/// The scale: each pixel of the panel has this many pixels in each direction, so the file has 512 by 256.
pub(crate) const SCALE: usize = 4;

/// Writes the file atomically: a reader sees the complete old or new file.
///
/// # Errors
/// The folder is not writable, or the disk is full.
pub(crate) fn save(screen: &Screen, path: &Path) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    write(screen, &mut file)?;
    file.commit()
}

/// Like [`save`], but never replaces an existing file.
///
/// # Errors
/// As for [`save`], or [`io::ErrorKind::AlreadyExists`].
pub(super) fn save_new(screen: &Screen, path: &Path) -> io::Result<()> {
    let mut file = AtomicFile::create_new(path)?;
    write(screen, &mut file)?;
    file.commit()
}

/// How long to wait for a FIFO's reader after Ctrl-C.
const GRACE: Duration = Duration::from_millis(300);

/// Like [`save`], but waits for a FIFO's reader until Ctrl-C.
///
/// # Errors
/// As for [`save`].
pub(crate) fn save_or_wait(
    screen: &Screen,
    path: &Path,
    shutdown: &Shutdown,
) -> io::Result<Waited<()>> {
    if !atomic_file::is_device(path) {
        return save(screen, path).map(Waited::Done);
    }
    let is_stopped = || shutdown.is_asked();
    let (screen, owned) = (screen.clone(), path.to_owned());
    let saved = Wait::at(Site::WriteDevice, &is_stopped)
        .with_grace(GRACE)
        .call(move || save(&screen, &owned))?;
    Ok(match saved {
        Waited::Done(saved) => Waited::Done(saved?),
        Waited::Interrupted => Waited::Interrupted,
        Waited::TimeUp => Waited::TimeUp,
    })
}

/// Checks whether the file can be written. Leaves nothing behind.
///
/// # Errors
/// As for [`save`].
pub(crate) fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if atomic_file::is_device(path) {
        // Opening and closing a FIFO gives its reader an end of file, so do not open it here.
        return Ok(());
    }
    // Without a commit, the drop removes the temporary file.
    AtomicFile::create(path).map(drop)
}

/// Encodes the picture, row by row, eight pixels per byte.
fn write(screen: &Screen, file: &mut AtomicFile) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    let (width, height) = (WIDTH * SCALE, HEIGHT * SCALE);
    let mut bits = vec![0_u8; width / 8 * height];
    for (index, byte) in bits.iter_mut().enumerate() {
        let (x, y) = (index % (width / 8) * 8, index / (width / 8));
        for bit in 0..8 {
            let lit = screen.is_lit((x + bit) / SCALE, y / SCALE);
            *byte = *byte << 1 | u8::from(lit);
        }
    }
    let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut file, size(width), size(height));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bits)?;
    // Explicitly, because dropping the writer would ignore a full disk.
    writer.finish()?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_users_file_with_an_old_temporary_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("oled.png");
        let other = folder
            .path()
            .join(format!("oled.png.{}.part", std::process::id()));
        std::fs::write(&other, "mine").unwrap();
        check(&path).unwrap();
        save(&Screen::default(), &path).unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn lit_pixels_are_white_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("oled.png");
        let mut screen = Screen::default();
        // The pixels (0, 0) and (127, 63).
        screen.framebuffer[0] = 1;
        screen.framebuffer[1023] = 0x80;
        for inverted in [false, true] {
            screen.inverted = inverted;
            save(&screen, &path).unwrap();
            let decoder = png::Decoder::new(io::BufReader::new(File::open(&path).unwrap()));
            let mut reader = decoder.read_info().unwrap();
            assert_eq!((reader.info().width, reader.info().height), (512, 256));
            let mut bits = vec![0; 512 / 8 * 256];
            reader.next_frame(&mut bits).unwrap();
            let mut expected = vec![0_u8; bits.len()];
            for row in 0..4 {
                expected[row * 64] = 0xf0;
                expected[(252 + row) * 64 + 63] = 0x0f;
            }
            if inverted {
                for byte in &mut expected {
                    *byte = !*byte;
                }
            }
            assert_eq!(bits, expected);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/oled.png");
        assert!(save(&Screen::default(), &path).is_err());
        assert!(check(&path).is_err() && check(folder.path()).is_err());
        assert!(check(&folder.path().join("oled.png")).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
