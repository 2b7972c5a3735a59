//! Starts the agent on the board, finds out why there is no display, and requests the last picture.

use std::fmt;
use std::time::Duration;

use crate::board::error::Error;
use crate::board::mirror::Mirror;
use crate::board::mirror::agent::{self, Display, OledReport};
use crate::board::model::Model;
use crate::board::operation::Doing;
use crate::board::repl::Repl;
use crate::terminal::sanitize;
use crate::text::sentence::{Sentence, sentence};

/// The timeout for the agent's start, mainly for `import mpython`.
const START: Duration = Duration::from_secs(5);

/// The timeout for the last picture.
const LAST: Duration = Duration::from_secs(5);

/// How often to request the last picture on a line that loses it.
const LAST_TRIES: usize = 5;

/// Queries which display exists in place of `oled`.
const WHY: &str = include_str!("../scripts/minified/no_display.py");

/// The modules that `import mpython` needs in the maker's firmware or in Mixly's (`mpython.py`, `oled128x64.py`,
/// `uframebuf.py` of each), and the module itself: a pupil's file with one of these names is imported in its place.
const MODULES: &str = "mpython machine time network esp math struct ustruct array io os framebuf neopixel gui ssd1106 calibrate_img micropython oled128x64 uframebuf mmc5603 qmi8658 ws2812 music";

/// The limit for the number of named files.
const MAX_FILES: usize = 8;

/// Whether the agent watches a display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attached {
    /// The agent watches a display, and has reported the content.
    Yes,
    /// There is no display, or an unknown one.
    No(NoDisplay),
}

/// Why there is no display to watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoDisplay {
    /// The exception from `import mpython`. Untrusted.
    pub(crate) exception: Option<String>,
    /// The pupil's files on the board that hide modules of the firmware. Untrusted.
    pub(crate) files: Vec<String>,
    /// The exception from the agent itself: too little memory.
    pub(crate) refused: Option<String>,
    /// There is a display of another size.
    pub(crate) has_other: bool,
    /// The board is the board 3.0 with a colour display, and the program does not draw with `lv_oled`.
    pub(crate) has_lcd: bool,
}

impl NoDisplay {
    /// Whether the firmware simply has no display, so that the user can do nothing.
    #[must_use]
    pub(crate) fn is_plain(&self) -> bool {
        self.refused.is_none()
            && self.files.is_empty()
            && self.exception.as_deref().is_none_or(is_missing)
    }
}

impl NoDisplay {
    /// The reason as a sentence of the catalogue.
    #[must_use]
    pub(crate) fn sentence(&self) -> Sentence {
        let why = match (&self.refused, &self.exception) {
            (Some(refused), _) => sentence!("board.mirror-refused", exception = shown(refused)),
            // If a file replaces a module, that is the reason, and the firmware may have mpython.
            (None, Some(exception)) if is_missing(exception) && self.files.is_empty() => {
                sentence!("board.mirror-no-module")
            }
            (None, Some(exception)) => {
                sentence!("board.mirror-import", exception = shown(exception))
            }
            (None, None) if self.has_lcd => sentence!("boards.mirror-lcd"),
            (None, None) if self.has_other => sentence!("board.mirror-other-size"),
            (None, None) => sentence!("board.mirror-no-oled"),
        };
        if self.files.is_empty() {
            return why;
        }
        let files: Vec<_> = self.files.iter().map(|file| shown(file)).collect();
        sentence!(
            "board.mirror-hidden",
            count: files.len(),
            why => why,
            files <- Sentence::verbatim_list(&files),
            paths = format!(":{}", files.join(" :"))
        )
    }
}

impl fmt::Display for NoDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.refused, &self.exception) {
            (Some(refused), _) => write!(f, "the mirror does not run: {}", shown(refused))?,
            // If a file replaces a module, that is the reason, and the firmware may have mpython.
            (None, Some(exception)) if is_missing(exception) && self.files.is_empty() => {
                f.write_str("the firmware has no module mpython")?;
            }
            (None, Some(exception)) => write!(
                f,
                "the board cannot import the module mpython: {}",
                shown(exception)
            )?,
            (None, None) if self.has_lcd => {
                f.write_str("the board has a colour display in place of the OLED, and the program itself does not import lv_oled (from lv_oled import OLED)")?;
            }
            (None, None) if self.has_other => {
                f.write_str("the board's display does not have 128 x 64 pixels")?;
            }
            (None, None) => {
                f.write_str("the board's module mpython has neither oled nor onboard_oled")?;
            }
        }
        if !self.files.is_empty() {
            let files: Vec<_> = self.files.iter().map(|file| shown(file)).collect();
            let (are, them) = if files.len() == 1 {
                (
                    "a file on the board has the name of a module of the firmware and is imported in its place",
                    "it",
                )
            } else {
                (
                    "files on the board have the names of modules of the firmware and are imported in their place",
                    "them",
                )
            };
            write!(
                f,
                "; {are}: {}. Rename {them}, or remove {them}: udpcli board rm :{}",
                files.join(", "),
                files.join(" :")
            )?;
        }
        Ok(())
    }
}

/// Untrusted text, escaped for a terminal.
fn shown(text: &str) -> String {
    sanitize::for_terminal(text).into_owned()
}

/// Whether the module mpython itself is missing: `ImportError: no module named 'mpython'`.
fn is_missing(exception: &str) -> bool {
    exception.starts_with("ImportError") && exception.contains("'mpython'")
}

/// Starts the agent. A board without a display, or without enough memory for the agent, is not an error. `uses_lcd` says
/// that the program draws with `lv_oled` of the board 3.0 ([`display_use`](super::display_use)).
///
/// # Errors
/// The line has failed.
pub(crate) fn attach(
    repl: &mut Repl,
    mirror: &mut Mirror,
    report: OledReport,
    uses_lcd: bool,
) -> Result<Attached, Error> {
    if uses_lcd {
        // Before the OLED, because the board 3.0 has no OLED, and importing its `mpython` takes a second.
        let refused = start(repl, mirror, report, Display::Lcd)?;
        if mirror.is_attached() {
            return Ok(Attached::Yes);
        }
        if refused.is_some() {
            return Ok(Attached::No(NoDisplay {
                refused,
                ..NoDisplay::default()
            }));
        }
    }
    if let Some(refused) = start(repl, mirror, report, Display::Oled)? {
        return Ok(Attached::No(NoDisplay {
            refused: Some(refused),
            ..NoDisplay::default()
        }));
    }
    if mirror.is_attached() {
        return Ok(Attached::Yes);
    }
    let code = format!("{WHY}_u('{MODULES}'.split())\ndel _u\n");
    let answer = match repl.exec(Doing::LookingForDisplay, code.as_bytes(), START) {
        Ok(answer) => answer,
        Err(Error::Refused { exception, .. }) => {
            return Ok(Attached::No(NoDisplay {
                refused: Some(exception),
                ..NoDisplay::default()
            }));
        }
        Err(error) => return Err(error),
    };
    let (mut why, has_onboard) = read(&String::from_utf8_lossy(&answer));
    if why.exception.is_none() && !has_onboard {
        why.has_lcd = Model::ask(repl)? == Some(Model::Mpython3);
    }
    if has_onboard {
        why.refused = start(repl, mirror, report, Display::OnboardOled)?;
        if mirror.is_attached() {
            return Ok(Attached::Yes);
        }
        why.has_other = true;
    }
    Ok(Attached::No(why))
}

/// After the program: requests the last shown picture again, in case a frame was lost. The rest of the program's output
/// goes to `printed`. True if the picture changed.
pub(crate) fn finish(repl: &mut Repl, mirror: &mut Mirror, printed: &mut Vec<u8>) -> bool {
    let mut changed = false;
    mirror.finish(printed);
    for _ in 0..LAST_TRIES {
        let lost = mirror.losses();
        if !mirror.is_attached() {
            break;
        }
        let code = if mirror.screen().lcd {
            agent::FINISH_LCD
        } else {
            agent::FINISH
        };
        match repl.exec(Doing::EndingMirror, code.as_bytes(), LAST) {
            Ok(answer) => mirror.feed(&answer, &mut Vec::new(), |_| changed = true),
            Err(error) => {
                tracing::debug!("the last picture did not come: {error}");
                break;
            }
        }
        // Without a new loss another request would give the same answer.
        if mirror.screen().whole || mirror.losses() == lost {
            break;
        }
    }
    changed
}

/// Starts the agent for one kind of firmware; returns the exception if it could not start.
fn start(
    repl: &mut Repl,
    mirror: &mut Mirror,
    report: OledReport,
    display: Display,
) -> Result<Option<String>, Error> {
    let doing = Doing::StartingMirror;
    let mut answer = repl.exec(&doing, &agent::packed(report, display), START);
    if let Err(Error::Refused { exception, .. }) = &answer
        // As plain text the agent is longer, so this is only the second attempt.
        && exception.contains("ImportError")
    {
        // This firmware cannot inflate.
        answer = repl.exec(doing, agent::source(report, display).as_bytes(), START);
    }
    match answer {
        // Output of `import mpython` is not the program's output.
        Ok(answer) => {
            mirror.feed(&answer, &mut Vec::new(), |_| {});
            Ok(None)
        }
        Err(Error::Refused { exception, .. }) => Ok(Some(exception)),
        Err(error) => Err(error),
    }
}

/// Parses the reply to [`WHY`]; the second value is whether the board has Mixly's display.
fn read(answer: &str) -> (NoDisplay, bool) {
    let mut why = NoDisplay::default();
    let mut has_onboard = false;
    for line in answer.lines() {
        match line.trim_end().split_once(' ') {
            Some(("has", "onboard_oled")) => has_onboard = true,
            Some(("raised", exception)) => why.exception = Some(exception.to_owned()),
            Some(("file", file)) if why.files.len() < MAX_FILES => why.files.push(file.to_owned()),
            _ => {}
        }
    }
    (why, has_onboard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_names_the_file_that_hides_a_module() {
        let (why, has_onboard) = read(
            "Warning: x\r\n\r\nraised ImportError: can't import name sleep_ms\r\n\r\nfile time.py\r\n",
        );
        assert!(!has_onboard);
        assert_eq!(
            why.to_string(),
            "the board cannot import the module mpython: ImportError: can't import name sleep_ms; a file on the board has the name of a module of the firmware and is imported in its place: time.py. Rename it, or remove it: udpcli board rm :time.py"
        );
        let (why, _) = read("\r\nhas -\r\n\r\nfile mpython.py\r\n\r\nfile /lib/os.py\r\n");
        assert_eq!(
            why.to_string(),
            "the board's module mpython has neither oled nor onboard_oled; files on the board have the names of modules of the firmware and are imported in their place: mpython.py, /lib/os.py. Rename them, or remove them: udpcli board rm :mpython.py :/lib/os.py"
        );
        let (why, _) = read("\r\nraised ImportError: no module named 'mpython'\r\n");
        assert_eq!(why.to_string(), "the firmware has no module mpython");
    }

    #[test]
    fn the_boards_reply_is_escaped_and_bounded() {
        let many = "file \x1b[31mx.py\n".repeat(100);
        let (why, _) = read(&many);
        assert_eq!(why.files.len(), MAX_FILES);
        assert!(!why.to_string().contains('\x1b'));
    }
}
