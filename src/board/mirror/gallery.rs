//! Pictures of several boards in one folder, a file each. No existing file is replaced: nobody named it.

use std::io;
use std::path::{Path, PathBuf};

use super::picture_file;
use crate::board::files::local;
use crate::terminal::panel::screen::Screen;
use crate::text::reorders_or_hides;

/// The longest name without number and ending, in bytes: with these, and with that of a temporary file, it stays below
/// the 255 bytes that file systems allow.
const LONGEST: usize = 120;

/// How many pictures of one name a folder holds.
const MOST: u32 = 9999;

/// A folder for pictures.
#[derive(Debug, Clone)]
pub(crate) struct Gallery {
    folder: PathBuf,
}

impl Gallery {
    /// Takes this folder, and makes it if it does not exist. Its parent must exist.
    ///
    /// # Errors
    /// It is a file, or it cannot be written.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !folder.is_dir() {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
            }
            made => made?,
        }
        // Without a commit, the drop removes the temporary file.
        tempfile::Builder::new()
            // Try to write now, and not after the programs have run for minutes.
            .prefix(".udpcli-")
            .tempfile_in(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Saves a picture under this name, or with the first free number after it, and returns its path.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn save(&self, screen: &Screen, name: &str) -> io::Result<PathBuf> {
        let name = file_name(name);
        // Count up instead of asking which names are free: another udpcli may write into the folder too.
        for number in 1..=MOST {
            let name = if number == 1 {
                format!("{name}.png")
            } else {
                format!("{name}-{number}.png")
            };
            let path = self.folder.join(name);
            match picture_file::save_new(screen, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(path),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// A name that every system accepts and that stays in its folder: `小明`, `ttyUSB0`, `board-COM3`. A serial port goes by
/// its last part.
fn file_name(name: &str) -> String {
    let name = name.strip_prefix("/dev/").unwrap_or(name);
    let mut safe = String::new();
    for character in name.chars() {
        let is_safe = !character.is_control()
            && !reorders_or_hides(character)
            && !r#"/\:*?"<>|%"#.contains(character);
        let character = if is_safe { character } else { '_' };
        if character == '_' && safe.ends_with('_') {
            continue;
        }
        if safe.len() + character.len_utf8() > LONGEST {
            break;
        }
        safe.push(character);
    }
    // A dot at the beginning hides the file, and Windows drops dots and spaces at the end; a hyphen looks like a flag.
    let safe = safe.trim_matches([' ', '.', '_']).trim_start_matches('-');
    if safe.is_empty() {
        "board".to_owned()
    } else if local::is_device(safe) {
        format!("board-{safe}")
    } else {
        safe.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_in_their_folder_on_every_system() {
        for (name, wanted) in [
            ("小明", "小明"),
            ("👩‍🚀 Eva", "👩_🚀 Eva"),
            ("/dev/ttyUSB0", "ttyUSB0"),
            ("COM3", "board-COM3"),
            ("nul.txt", "board-nul.txt"),
            ("socket://10.0.0.1:6000", "socket_10.0.0.1_6000"),
            ("../../etc/passwd", "etc_passwd"),
            (r"C:\x", "C_x"),
            ("..", "board"),
            ("", "board"),
            ("-rf", "rf"),
            ("a. ", "a"),
            ("\u{1b}[31mRed", "[31mRed"),
            ("\u{202e}abc", "abc"),
        ] {
            assert_eq!(file_name(name), wanted, "{name:?}");
        }
        assert_eq!(file_name(&"好".repeat(64)).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_file_in_the_folder(name in any::<String>()) {
            let safe = file_name(&name);
            prop_assert!(!safe.is_empty() && safe.len() <= LONGEST + 6);
            let path = Path::new("folder").join(&safe);
            prop_assert_eq!(path.parent(), Some(Path::new("folder")));
            prop_assert!(!safe.starts_with('.') && !safe.ends_with([' ', '.']));
        }
    }

    #[test]
    fn an_existing_picture_is_never_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("screens");
        let gallery = Gallery::open(&folder).unwrap();
        std::fs::write(folder.join("小明.png"), "mine").unwrap();
        // Do not replace the target of a link either.
        #[cfg(unix)]
        std::os::unix::fs::symlink(parent.path().join("victim"), folder.join("小明-2.png"))
            .unwrap();
        #[cfg(not(unix))]
        std::fs::write(folder.join("小明-2.png"), "mine").unwrap();
        let saved = gallery.save(&Screen::default(), "小明").unwrap();
        assert_eq!(saved, folder.join("小明-3.png"));
        assert_eq!(std::fs::read(folder.join("小明.png")).unwrap(), b"mine");
        assert!(!parent.path().join("victim").exists());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
    }

    #[test]
    fn a_file_is_no_folder_and_a_missing_parent_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("a.png");
        std::fs::write(&file, "mine").unwrap();
        assert!(Gallery::open(&file).is_err());
        assert!(Gallery::open(&parent.path().join("none/screens")).is_err());
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 1);
    }
}
