//! `udpcli board oled`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::run::show_traceback;
use super::screen::Screen as Stdout;
use super::{SerialArgs, mirroring, session};
use crate::board::doing::Doing;
use crate::board::error::Error as BoardError;
use crate::board::mirror::agent::Report;
use crate::board::mirror::attach::{self, Attached};
use crate::board::mirror::{Mirror, json};
use crate::board::program;
use crate::board::repl::{Exit, FollowAction, OutputHandler, last_line};
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Screen;
use crate::terminal::panel::{self, Panel, Terminal, View};
use crate::terminal::sanitize::{Allowed, Filter};
use crate::terminal::{status, stdout};
use crate::words::catalogue::say;

/// With --once: the screen is taken when it did not change for so long.
const QUIET: Duration = Duration::from_millis(500);

/// With --once: or so long after the first one.
const LONGEST_LOOK: Duration = Duration::from_secs(3);

/// The program that the board starts by itself.
const MAIN: &str = "main.py";

/// What `udpcli board oled` takes.
#[derive(Debug, Args)]
pub(super) struct OledArgs {
    #[arg(long)]
    once: bool,
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[arg(long)]
    framebuffer: bool,
}

/// How a screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Picture,
}

/// Starts main.py with the mirror and shows what it shows.
pub(super) fn run(args: &OledArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let is_terminal = stdout::shares_terminal();
    let format = args.format.unwrap_or(if is_terminal && !args.once {
        Format::Picture
    } else {
        Format::Text
    });
    if args.framebuffer && format != Format::Json {
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
    program::exists(&mut repl, MAIN)?;
    repl.soft_reset()?;
    let report = if format == Format::Picture || args.framebuffer || args.image.is_some() {
        Report::Everything
    } else {
        Report::Texts
    };
    let mut mirror = Mirror::new();
    if let Attached::No(why) = attach::attach(&mut repl, &mut mirror, report)? {
        mirroring::tell_no_display(&why);
        return Err(BoardError::NoDisplay.into());
    }
    program::start_file(&mut repl, MAIN)?;
    let mut watcher = Watcher::new(args, format, is_terminal, mirror, shutdown);
    let ended = repl.follow(&mut watcher);
    if let Ok(Exit::Done | Exit::Exception(_)) = &ended {
        let mut rest = Vec::new();
        let changed = attach::finish(&mut repl, &mut watcher.mirror, &mut rest);
        watcher.show_prints(&rest, false);
        if changed {
            watcher.render();
        }
    }
    watcher.end();
    let saved = match &args.image {
        Some(path) if watcher.first.is_some() => {
            mirroring::save(watcher.mirror.screen(), path, &watcher.shutdown)
        }
        _ => Ok(()),
    };
    let failure = watcher.failure.take();
    let ended = match (ended, failure.map_or(saved, Err)) {
        (_, Err(failure)) => {
            repl.detach();
            return Err(failure);
        }
        (ended, Ok(())) => ended?,
    };
    let outcome = match ended {
        Exit::Detached => {
            repl.detach();
            tracing::info!(say = "board-cli.oled-runs-on", main = MAIN);
            Ok(Outcome::Done)
        }
        Exit::Done | Exit::Exited => {
            repl.close()?;
            tracing::info!(say = "board-cli.oled-ended", main = MAIN);
            Ok(Outcome::Done)
        }
        Exit::Exception(text) => {
            repl.close()?;
            show_traceback(&text);
            let exception = last_line(&text);
            Err(BoardError::Traceback { exception }.into())
        }
        Exit::Restarted => {
            let error = repl.restarted(Doing::FileRan(MAIN));
            repl.detach();
            Err(error.into())
        }
    };
    match outcome {
        Ok(Outcome::Done) if args.once && watcher.first.is_none() && !watcher.is_left() => {
            Err(BoardError::NothingShown.into())
        }
        outcome => outcome,
    }
}

/// Shows screens as they come.
struct Watcher {
    mirror: Mirror,
    format: Format,
    once: bool,
    framebuffer: bool,
    stdout: Stdout,
    /// The panel below the prints, on one terminal.
    panel: Option<Panel>,
    filter: Filter,
    /// What was shown last on stdout, which is not shown twice.
    last: String,
    /// When the first whole screen came, and the last change.
    first: Option<Instant>,
    changed: Instant,
    shutdown: Shutdown,
    reader_gone: bool,
    failure: Option<Error>,
}

impl Watcher {
    fn new(
        args: &OledArgs,
        format: Format,
        is_terminal: bool,
        mirror: Mirror,
        shutdown: Shutdown,
    ) -> Self {
        let view = match format {
            Format::Text => Some(View::Text),
            Format::Picture => Some(View::Picture),
            Format::Json => None,
        };
        Self {
            mirror,
            format,
            once: args.once,
            framebuffer: args.framebuffer,
            stdout: Stdout::new(shutdown.clone()),
            panel: view.filter(|_| is_terminal && !args.once).map(Panel::new),
            filter: Filter::new(Allowed::Program),
            last: String::new(),
            first: None,
            changed: Instant::now(),
            shutdown,
            reader_gone: false,
            failure: None,
        }
    }

    fn is_asked(&self) -> bool {
        self.shutdown.is_asked()
    }

    /// Whether nobody waits for a screen any more.
    fn is_left(&self) -> bool {
        self.is_asked() || self.reader_gone
    }

    /// A screen as it goes to stdout.
    fn rendered(screen: &Screen, format: Format, framebuffer: bool) -> String {
        let view = match format {
            Format::Json => return json::line(screen, framebuffer) + "\n",
            Format::Text => View::Text,
            Format::Picture => View::Picture,
        };
        let mut terminal = Terminal::of_stderr();
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

    /// Whether there is a screen to show: before the first `show()` there is none, but of one that was lost is told.
    fn has_screen(&self) -> bool {
        self.mirror.has_picture() || self.mirror.losses() > 0
    }

    /// The screen as it is, unless a panel shows it.
    fn render(&mut self) {
        if self.panel.is_some() {
            self.show_above_panel(&[], true);
        } else if !self.once && self.has_screen() {
            let text = Self::rendered(self.mirror.screen(), self.format, self.framebuffer);
            self.write_new(text);
        }
    }

    fn write_new(&mut self, text: String) {
        if text != self.last {
            self.write(text.as_bytes());
            self.last = text;
        }
    }

    fn show_above_panel(&mut self, printed: &[u8], changed: bool) {
        if let (Some(panel), true) = (&mut self.panel, changed) {
            panel.stage_once_whole(self.mirror.screen());
        }
        self.write(printed);
        if let Some(panel) = &self.panel {
            panel.draw();
        }
    }

    /// What the program prints goes above the panel, or to stderr: it is not what was asked for.
    fn show_prints(&mut self, bytes: &[u8], changed: bool) {
        if self.panel.is_some() {
            return self.show_above_panel(bytes, changed);
        }
        status::pass(bytes, &mut self.filter);
    }

    fn end(&mut self) {
        let mut rest = Vec::new();
        self.mirror.finish(&mut rest);
        self.show_prints(&rest, false);
        if let Some(panel) = self.panel.take() {
            panel.keep();
        }
        if self.once && self.first.is_some() {
            let text = Self::rendered(self.mirror.screen(), self.format, self.framebuffer);
            self.write_new(text);
        }
        if self.mirror.garbled() > 0 {
            mirroring::tell_losses(self.mirror.garbled());
        }
    }
}

impl OutputHandler for Watcher {
    fn output(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        let (format, framebuffer) = (self.format, self.framebuffer);
        let (mut plain, mut lines) = (Vec::new(), Vec::new());
        let (mut changed, mut whole) = (false, false);
        let renders = self.panel.is_none() && !self.once;
        let had_screen = self.has_screen();
        self.mirror.feed(bytes, &mut plain, |screen| {
            changed = true;
            whole |= screen.whole;
            if renders && (had_screen || whole) {
                lines.push(Self::rendered(screen, format, framebuffer));
            }
        });
        if changed {
            self.changed = Instant::now();
        }
        if whole {
            self.first.get_or_insert(self.changed);
        }
        for line in lines {
            self.write_new(line);
        }
        self.show_prints(&plain, changed);
        Ok(())
    }

    fn tick(&mut self) -> Result<FollowAction, BoardError> {
        // A screen that does not change makes no write that would tell.
        self.reader_gone |= stdout::reader_is_gone();
        let looked = self.once
            && self.first.is_some_and(|first| {
                self.changed.elapsed() > QUIET || first.elapsed() > LONGEST_LOOK
            });
        Ok(if looked || self.is_left() {
            FollowAction::Detach
        } else {
            FollowAction::Continue
        })
    }
}
