//! What `board run` and `board oled` share: the agent on the board, and the picture file.

use std::path::Path;
use std::time::Duration;

use crate::atomic_file;
use crate::board::doing::Doing;
use crate::board::error::Error as BoardError;
use crate::board::mirror::agent::{self, Report};
use crate::board::mirror::attach::{self, Attached};
use crate::board::mirror::{Mirror, image};
use crate::board::repl::Repl;
use crate::error::Error;
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Screen;
use crate::wait::{Site, Wait, Waited};
use crate::words::catalogue::say;

/// How long the last picture may take.
const LAST: Duration = Duration::from_secs(5);

/// How often the last picture is asked for on a line that loses it.
const TRIES: usize = 5;

/// Starts the agent. Without a display, or without the memory for the agent, everything goes on as if it were not there.
pub(super) fn attach(
    repl: &mut Repl,
    mirror: &mut Mirror,
    report: Report,
) -> Result<(), BoardError> {
    match attach::attach(repl, mirror, report)? {
        Attached::Yes => {}
        Attached::No(why) => {
            let text = say!("board-cli.no-mirror", why => why.sentence());
            if why.is_plain() {
                tracing::debug!("{text}");
            } else {
                tracing::warn!("{text}");
            }
        }
    }
    Ok(())
}

/// After the program: what was shown last comes once more, whatever was lost on the way. The rest of the program's
/// output goes to `printed`. True if the screen changed.
pub(super) fn finish(repl: &mut Repl, mirror: &mut Mirror, printed: &mut Vec<u8>) -> bool {
    let mut changed = false;
    mirror.finish(printed);
    for _ in 0..TRIES {
        let lost = mirror.losses();
        if !mirror.is_attached() {
            break;
        }
        match repl.exec(Doing::EndingMirror, agent::FINISH.as_bytes(), LAST) {
            Ok(answer) => mirror.feed(&answer, &mut Vec::new(), |_| changed = true),
            Err(error) => {
                tracing::debug!("the last picture did not come: {error}");
                break;
            }
        }
        if mirror.screen().whole || mirror.losses() == lost {
            break;
        }
    }
    changed
}

/// Says what was lost.
pub(super) fn report_losses(mirror: &Mirror) {
    let count = mirror.garbled();
    if count > 0 {
        tracing::warn!("{}", say!("board-cli.frames-lost", count: count));
    }
}

/// Whether a picture can be saved there, before there is one: a program may run for long.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    image::check(path).map_err(|source| {
        Error::File(file::Error::Write {
            object: path.display().to_string(),
            source,
        })
    })
}

/// How long a FIFO's reader may take after Ctrl-C.
const LAST_LOOK: Duration = Duration::from_millis(300);

/// Saves the picture. A FIFO's reader is waited for until Ctrl-C.
pub(super) fn save(screen: &Screen, path: &Path, shutdown: &Shutdown) -> Result<(), Error> {
    let failed = |source| {
        Error::File(file::Error::Write {
            object: path.display().to_string(),
            source,
        })
    };
    if !atomic_file::is_device(path) {
        return image::save(screen, path).map_err(failed);
    }
    let is_stopped = || shutdown.is_asked();
    let (screen, owned) = (screen.clone(), path.to_owned());
    let saved = Wait::at(Site::WriteDevice, &is_stopped)
        .with_grace(LAST_LOOK)
        .call(move || image::save(&screen, &owned));
    match saved {
        Ok(Waited::Done(saved)) => saved.map_err(failed),
        Ok(Waited::Interrupted | Waited::TimeUp) => {
            tracing::warn!(say = "board-cli.nobody-read", path = %path.display());
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}
