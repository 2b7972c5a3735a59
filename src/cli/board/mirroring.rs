//! Shared by `board run` and `board oled`: sentences about the display, and the picture file.

use std::path::Path;

use crate::board::mirror::attach::NoDisplay;
use crate::board::mirror::picture_file;
use crate::error::Error;
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Screen;
use crate::wait::Waited;
use crate::words::catalogue::say;

/// Reports why the display is not mirrored; only with `-vv` if the board simply has none.
pub(super) fn tell_no_display(why: &NoDisplay) {
    let text = say!("board-cli.no-mirror", why => why.sentence());
    if why.is_plain() {
        tracing::debug!("{text}");
    } else {
        tracing::warn!("{text}");
    }
}

/// Tells a user who asked for the display that udpcli cannot mirror what the program shows on this colour display.
pub(super) fn tell_no_display_asked(why: &NoDisplay) {
    if why.has_lcd {
        tracing::warn!("{}", say!("board-cli.no-mirror", why => why.sentence()));
    } else {
        tell_no_display(why);
    }
}

/// Reports how many frames were lost.
pub(super) fn tell_losses(count: u64) {
    tracing::warn!("{}", say!("board-cli.frames-lost", count: count));
}

/// Checks that the picture file can be written, before a program that may run for long.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    picture_file::check(path).map_err(|source| {
        Error::File(file::Error::Write {
            object: path.display().to_string().into(),
            source,
        })
    })
}

/// Saves the picture, if the display gives one. Waits for a FIFO's reader until Ctrl-C.
pub(super) fn save(screen: &Screen, path: &Path, shutdown: &Shutdown) -> Result<(), Error> {
    if screen.lcd {
        tracing::warn!(say = "boards.run-no-picture", path = %path.display());
        return Ok(());
    }
    match picture_file::save_or_wait(screen, path, shutdown) {
        Ok(Waited::Done(())) => Ok(()),
        Ok(Waited::Interrupted | Waited::TimeUp) => {
            tracing::warn!(say = "board-cli.nobody-read", path = %path.display());
            Ok(())
        }
        Err(source) => Err(Error::File(file::Error::Write {
            object: path.display().to_string().into(),
            source,
        })),
    }
}
