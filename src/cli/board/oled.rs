//! `udpcli board oled`.

mod tiles;
pub(super) mod wall;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::board_output::BoardOutput;
use super::fleet::{self, Job, Rows};
use super::run::show_traceback;
use super::{SerialArgs, mirroring, session};
use crate::board::error::Error as BoardError;
use crate::board::life_cycle::Ending;
use crate::board::mirror::agent::OledReport;
use crate::board::mirror::gallery::Gallery;
use crate::board::mirror::json;
use crate::board::oled::{self, MAIN, OledEvent, OledObserver, OledOptions};
use crate::board::repl::last_line;
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::job_output::JobOutput;
use crate::terminal::panel::screen::Screen;
use crate::terminal::panel::{self, Panel, PanelContent, TerminalLimits};
use crate::terminal::sanitize::{Allowed, Filter};
use crate::terminal::{status, stdout};
use crate::text::sentence::sentence;
use crate::words;
use crate::words::catalogue::say;
use wall::Wall;

/// What `udpcli board oled` takes.
#[derive(Debug, Args)]
pub(super) struct OledArgs {
    #[arg(long)]
    once: bool,
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[arg(long, value_enum)]
    format: Option<ScreenFormat>,
    #[arg(long)]
    framebuffer: bool,
}

/// How a screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScreenFormat {
    Text,
    Json,
    Picture,
}

/// The differences for one of several boards.
#[derive(Debug, Default)]
struct Several {
    /// The wall that shows their screens, instead of stdout.
    wall: Option<Arc<Wall>>,
    /// The folder for their last pictures.
    gallery: Option<Gallery>,
}

/// The same for several boards: on a terminal a wall of screens; elsewhere, and with `--once`, lines. A text has the
/// board's name in front, a JSON object has `port` and `name`.
pub(super) fn for_many(args: &OledArgs) -> Result<Job<'_>, Error> {
    args.check()?;
    let is_json = args.format == Some(ScreenFormat::Json);
    let is_on_terminal = stdout::shares_terminal() && status::can_draw();
    let has_wall = is_on_terminal && !args.once && !is_json;
    let several = Several {
        wall: has_wall.then(|| Arc::new(Wall::new(args.format))),
        gallery: args.image.as_deref().map(open_gallery).transpose()?,
    };
    let rows = match &several.wall {
        Some(wall) => Rows::Wall(Arc::clone(wall)),
        None if is_json => Rows::Json(&fleet::failed_object),
        None => Rows::Verdicts,
    };
    Ok(Job {
        names_lines: !is_json,
        rows,
        ..Job::new(move |serial| watch(args, serial, Some(&several)))
    })
}

/// The folder for the pictures. The name of a picture file is a mistake here.
fn open_gallery(folder: &Path) -> Result<Gallery, Error> {
    let is_picture = folder
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if folder.is_file() || is_picture && !folder.is_dir() {
        return Err(Error::usage_hint(
            say!("oled-wall.image-folder", path = folder.display()),
            say!("oled-wall.image-folder.hint"),
        ));
    }
    Gallery::open(folder).map_err(|source| {
        Error::File(file::Error::Write {
            object: folder.display().to_string().into(),
            source,
        })
    })
}

impl OledArgs {
    /// Refuses flags that contradict each other.
    fn check(&self) -> Result<(), Error> {
        if self.framebuffer && self.format != Some(ScreenFormat::Json) {
            return Err(Error::usage(say!("board-cli.framebuffer-format")));
        }
        Ok(())
    }
}

/// Starts main.py with the mirror and shows its screens.
pub(super) fn run(args: &OledArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    args.check()?;
    if let Some(path) = &args.image {
        mirroring::check(path)?;
    }
    watch(args, serial, None)
}

/// Watches a board, the only one or one of several.
fn watch(
    args: &OledArgs,
    serial: &SerialArgs,
    several: Option<&Several>,
) -> Result<Outcome, Error> {
    let is_terminal = stdout::shares_terminal() && several.is_none();
    let wall = several.and_then(|several| several.wall.as_deref());
    let format = args
        .format
        .unwrap_or(if (is_terminal || wall.is_some()) && !args.once {
            ScreenFormat::Picture
        } else {
            ScreenFormat::Text
        });
    let shutdown = session::shutdown()?;
    tracing::info!(say = "board-cli.oled-starts", main = MAIN);
    let mut repl = session::open_repl(serial, shutdown.clone())?;
    if shutdown.is_asked() {
        return Ok(Outcome::Interrupted);
    }
    // The user may change from texts to pictures on the wall.
    let needs_pixels = format == ScreenFormat::Picture || wall.is_some();
    // Pixels cost the serial line a kilobyte for each picture, texts some bytes.
    let report = if needs_pixels || args.framebuffer || args.image.is_some() {
        OledReport::Everything
    } else {
        OledReport::Texts
    };
    let options = OledOptions {
        report,
        once: args.once,
        needs_picture: args.image.is_some(),
        stops: several.is_some(),
    };
    let mut printer = ScreenPrinter::new(args, format, is_terminal, shutdown.clone());
    printer.several = several;
    let ended = oled::watch(&mut repl, options, &mut printer);
    if let Some(failure) = printer.failure {
        // Let the program run on: a full disk on this PC must not stop the board.
        repl.detach();
        return Err(failure);
    }
    let ended = ended?;
    ended.leave(repl)?;
    match ended.ending {
        Ending::Exception(text) => {
            // The wall shows the error in the board's tile.
            if wall.is_none() {
                show_traceback(&text);
            }
            let exception = last_line(&text);
            return Err(BoardError::Traceback { exception }.into());
        }
        Ending::Restarted(error) | Ending::StillRunning(error) => return Err(error.into()),
        Ending::Detached { .. } => tracing::info!(say = "board-cli.oled-runs-on", main = MAIN),
        Ending::Stopped => tracing::info!(say = "oled-wall.stopped", main = MAIN),
        Ending::Done => tracing::info!(say = "board-cli.oled-ended", main = MAIN),
    }
    if args.once && !printer.has_shown && !printer.reader_gone && !shutdown.is_asked() {
        return Err(BoardError::NothingShown.into());
    }
    if let Some(path) = &printer.saved {
        tracing::info!(say = "oled-wall.saved", path = %path.display());
    }
    Ok(Outcome::Done)
}

/// Shows screens as they come.
struct ScreenPrinter<'a> {
    /// How screens are shown.
    format: ScreenFormat,
    /// Whether only the last screen is wanted.
    once: bool,
    /// Whether JSON has the pixels too.
    framebuffer: bool,
    /// Where screens and prints go.
    stdout: BoardOutput,
    /// The panel below the prints, on one terminal.
    panel: Option<Panel>,
    /// The file for the last picture.
    image: Option<PathBuf>,
    /// The wall and the folder, for one of several boards.
    several: Option<&'a Several>,
    /// The picture in that folder.
    saved: Option<PathBuf>,
    /// For prints on stderr.
    filter: Filter,
    /// The last screen on stdout, so that it is not shown twice.
    last: String,
    /// Whether a whole screen came.
    has_shown: bool,
    /// Tells of Ctrl-C.
    shutdown: Shutdown,
    /// Whether nobody reads stdout any more.
    reader_gone: bool,
    /// The error, to be reported after the board is at its prompt.
    failure: Option<Error>,
}

impl ScreenPrinter<'_> {
    fn new(args: &OledArgs, format: ScreenFormat, is_terminal: bool, shutdown: Shutdown) -> Self {
        let view = match format {
            ScreenFormat::Text => Some(PanelContent::Text),
            ScreenFormat::Picture => Some(PanelContent::Picture),
            ScreenFormat::Json => None,
        };
        Self {
            format,
            once: args.once,
            framebuffer: args.framebuffer,
            stdout: BoardOutput::new(shutdown.clone()),
            panel: view
                .filter(|_| is_terminal && !args.once)
                .map(|view| Panel::new(view, words::panel_note)),
            image: args.image.clone(),
            several: None,
            saved: None,
            filter: Filter::new(Allowed::Program),
            last: String::new(),
            has_shown: false,
            shutdown,
            reader_gone: false,
            failure: None,
        }
    }

    /// A screen in the format for stdout.
    fn rendered(&self, screen: &Screen) -> String {
        let view = match self.format {
            ScreenFormat::Json => {
                return fleet::with_board(&json::line(screen, self.framebuffer)) + "\n";
            }
            ScreenFormat::Text => PanelContent::Text,
            ScreenFormat::Picture => PanelContent::Picture,
        };
        let mut terminal = TerminalLimits::of_stderr();
        if !stdout::is_terminal() {
            // Braille, for which most terminals are wide enough.
            terminal.columns = 100;
            terminal.rows = usize::MAX;
            terminal.color = false;
        }
        let mut text = String::new();
        for line in panel::lines(screen, view, terminal, words::panel_note).lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Writes to stdout, unless its reader is gone.
    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.reader_gone {
            return;
        }
        match self.stdout.show(bytes) {
            Ok(there) => self.reader_gone |= !there,
            Err(error) => {
                self.reader_gone = true;
                self.failure = Some(error);
            }
        }
    }

    /// Writes a screen, unless it looks like the last one.
    fn write_new(&mut self, screen: &Screen) {
        let text = self.rendered(screen);
        if text != self.last {
            self.write(text.as_bytes());
            self.last = text;
        }
    }

    /// The wall, for one of several boards on a terminal.
    fn wall(&self) -> Option<&Wall> {
        self.several.and_then(|several| several.wall.as_deref())
    }

    /// The program's output goes above the panel, or to stderr, because the user asked for the screens. The wall has no
    /// room for it.
    fn show_prints(&mut self, printed: &[u8], picture: Option<&Screen>) {
        if self.wall().is_some() {
            return;
        }
        let Some(panel) = &mut self.panel else {
            status::pass(printed, &mut self.filter);
            return;
        };
        if let Some(picture) = picture {
            panel.stage_once_whole(picture);
        }
        self.write(printed);
        if let Some(panel) = &self.panel {
            panel.draw();
        }
    }

    /// Leaves the panel on the terminal, and shows the last screen.
    fn end(&mut self, picture: Option<&Screen>) {
        if let Some(panel) = self.panel.take() {
            panel.keep();
        }
        let Some(picture) = picture else {
            return;
        };
        self.has_shown = true;
        if self.once {
            self.write_new(picture);
        }
    }

    /// Saves the last screen, if the user asked for it.
    fn save(&mut self, picture: Option<&Screen>) {
        if let Some(several) = self.several {
            if let (Some(gallery), Some(picture)) = (&several.gallery, picture) {
                self.save_in(gallery, picture);
            }
            return;
        }
        if let (Some(path), Some(picture)) = (&self.image, picture)
            && let Err(error) = mirroring::save(picture, path, &self.shutdown)
        {
            self.failure.get_or_insert(error);
        }
    }
}

impl ScreenPrinter<'_> {
    /// Saves the picture of one of several boards.
    fn save_in(&mut self, gallery: &Gallery, picture: &Screen) {
        let Some(lane) = JobOutput::current() else {
            return;
        };
        let who = lane.name().unwrap_or_else(|| lane.place());
        match gallery.save(picture, &who) {
            Ok(path) => self.saved = Some(path),
            Err(source) => {
                let object = sentence!("oled-wall.picture-of", who = who);
                self.failure
                    .get_or_insert(Error::File(file::Error::Write { object, source }));
            }
        }
    }
}

impl OledObserver for ScreenPrinter<'_> {
    fn event(&mut self, event: OledEvent<'_>) {
        match event {
            OledEvent::NoDisplay(why) => mirroring::tell_no_display_asked(why),
            OledEvent::Screen(screen) => {
                if let Some(wall) = self.wall() {
                    wall.show(screen);
                } else if self.panel.is_none() && !self.once {
                    self.write_new(screen);
                }
            }
            OledEvent::Output { printed, picture } => self.show_prints(printed, picture),
            OledEvent::Ended { picture, lost } => {
                self.end(picture);
                if lost > 0 {
                    mirroring::tell_losses(lost);
                }
                self.save(picture);
            }
        }
    }

    fn has_enough(&mut self) -> bool {
        // If the screen does not change, no write would show that the reader is gone.
        self.reader_gone |= stdout::reader_is_gone();
        self.reader_gone
    }
}
