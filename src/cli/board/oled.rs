//! `udpcli board oled`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::board_output::BoardOutput;
use super::fleet::{self, Job};
use super::run::show_traceback;
use super::{SerialArgs, mirroring, session};
use crate::board::error::Error as BoardError;
use crate::board::life_cycle::Ending;
use crate::board::mirror::agent::OledReport;
use crate::board::mirror::json;
use crate::board::oled::{self, MAIN, OledEvent, OledObserver, OledOptions};
use crate::board::repl::last_line;
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;
use crate::terminal::job_output::JobOutput;
use crate::terminal::panel::screen::Screen;
use crate::terminal::panel::{self, Panel, PanelContent, TerminalLimits};
use crate::terminal::sanitize::{Allowed, Filter};
use crate::terminal::{status, stdout};
use crate::words::catalogue::say;

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

/// The same for several boards, as lines: a text has the board's name in front, a JSON object has `port` and `name`.
pub(super) fn for_many(args: &OledArgs) -> Result<Job<'_>, Error> {
    fleet::one_board_only(args.image.is_some(), "--image")?;
    Ok(Job {
        names_lines: args.format != Some(ScreenFormat::Json),
        ..Job::new(|serial| run(args, serial))
    })
}

/// Starts main.py with the mirror and shows what it shows.
pub(super) fn run(args: &OledArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let is_terminal = stdout::shares_terminal() && JobOutput::current().is_none();
    let format = args.format.unwrap_or(if is_terminal && !args.once {
        ScreenFormat::Picture
    } else {
        ScreenFormat::Text
    });
    if args.framebuffer && format != ScreenFormat::Json {
        return Err(Error::usage(say!("board-cli.framebuffer-format")));
    }
    if let Some(path) = &args.image {
        mirroring::check(path)?;
    }
    let shutdown = session::shutdown()?;
    tracing::info!(say = "board-cli.oled-starts", main = MAIN);
    let mut repl = session::open_repl(serial, shutdown.clone())?;
    if shutdown.is_asked() {
        return Ok(Outcome::Interrupted);
    }
    let report = if format == ScreenFormat::Picture || args.framebuffer || args.image.is_some() {
        OledReport::Everything
    } else {
        OledReport::Texts
    };
    let options = OledOptions {
        report,
        once: args.once,
    };
    let mut shower = Shower::new(args, format, is_terminal, shutdown.clone());
    let ended = oled::watch(&mut repl, options, &mut shower);
    if let Some(failure) = shower.failure {
        repl.detach();
        return Err(failure);
    }
    let ended = ended?;
    ended.leave(repl)?;
    match ended.ending {
        Ending::Exception(text) => {
            show_traceback(&text);
            let exception = last_line(&text);
            return Err(BoardError::Traceback { exception }.into());
        }
        Ending::Restarted(error) | Ending::StillRunning(error) => return Err(error.into()),
        Ending::Detached { .. } => tracing::info!(say = "board-cli.oled-runs-on", main = MAIN),
        Ending::Done | Ending::Stopped => tracing::info!(say = "board-cli.oled-ended", main = MAIN),
    }
    if args.once && !shower.has_shown && !shower.reader_gone && !shutdown.is_asked() {
        return Err(BoardError::NothingShown.into());
    }
    Ok(Outcome::Done)
}

/// Shows screens as they come.
struct Shower {
    format: ScreenFormat,
    once: bool,
    framebuffer: bool,
    stdout: BoardOutput,
    /// The panel below the prints, on one terminal.
    panel: Option<Panel>,
    /// Where the last picture is saved.
    image: Option<PathBuf>,
    filter: Filter,
    /// What was shown last on stdout, which is not shown twice.
    last: String,
    /// Whether a whole screen came.
    has_shown: bool,
    shutdown: Shutdown,
    reader_gone: bool,
    failure: Option<Error>,
}

impl Shower {
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
            panel: view.filter(|_| is_terminal && !args.once).map(Panel::new),
            image: args.image.clone(),
            filter: Filter::new(Allowed::Program),
            last: String::new(),
            has_shown: false,
            shutdown,
            reader_gone: false,
            failure: None,
        }
    }

    /// A screen as it goes to stdout.
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
            // Braille, which most places are wide enough for.
            terminal.columns = 100;
            terminal.rows = usize::MAX;
            terminal.color = false;
        }
        let mut text = String::new();
        for line in panel::lines(screen, view, terminal).lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

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

    fn write_new(&mut self, screen: &Screen) {
        let text = self.rendered(screen);
        if text != self.last {
            self.write(text.as_bytes());
            self.last = text;
        }
    }

    /// What the program prints goes above the panel, or to stderr: it is not what was asked for.
    fn show_prints(&mut self, printed: &[u8], picture: Option<&Screen>) {
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

    fn save(&mut self, picture: Option<&Screen>) {
        if let (Some(path), Some(picture)) = (&self.image, picture)
            && let Err(error) = mirroring::save(picture, path, &self.shutdown)
        {
            self.failure.get_or_insert(error);
        }
    }
}

impl OledObserver for Shower {
    fn event(&mut self, event: OledEvent<'_>) {
        match event {
            OledEvent::NoDisplay(why) => mirroring::tell_no_display(why),
            OledEvent::Screen(screen) => {
                if self.panel.is_none() && !self.once {
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
        // A screen that does not change makes no write that would tell.
        self.reader_gone |= stdout::reader_is_gone();
        self.reader_gone
    }
}
