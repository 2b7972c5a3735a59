//! `udpcli pair --watch`: a live view on a terminal, a line a round elsewhere.

pub(super) mod page;
mod view;

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::{Out, text};
use crate::error::Error;
use crate::file;
use crate::pair::TestContext;
use crate::pair::fleet::{self, BoardPlace, FleetObserver, PairFleetEvent};
use crate::pair::results::{BoardReport, StepResult, Verdict};
use crate::pair::watch::history::History;
use crate::pair::watch::{DirectionCounts, RoundResults};
use crate::shutdown::Asker;
use crate::terminal::color;
use crate::terminal::full_screen::FullScreen;
use crate::terminal::keys::{self, Key};
use crate::terminal::stdout;
use crate::text::seconds;
use crate::text::sentence::sentence;
use crate::words::catalogue::say;
use view::RoundsView;

/// How often the view checks the keyboard.
const LOOK: Duration = Duration::from_millis(50);

/// How long the view then waits for a key.
const KEYS: Duration = Duration::from_millis(1);

/// What the view is told.
enum News {
    Step(Box<StepResult>),
    Round(Box<RoundResults>),
}

/// Writes lines if stdout is not a terminal; when their reader is gone, the watch ends.
struct LinePrinter<'a> {
    out: &'a mut Out,
    asker: Asker,
}

impl FleetObserver for LinePrinter<'_> {
    fn event(&mut self, event: PairFleetEvent<'_>) {
        self.out.event(event);
        if self.out.is_gone() {
            self.asker.ask();
        }
    }
}

impl FleetObserver for Sender<News> {
    fn event(&mut self, event: PairFleetEvent<'_>) {
        let news = match event {
            PairFleetEvent::Step(step) => News::Step(Box::new(step.clone())),
            PairFleetEvent::Round(round) => News::Round(Box::new(round.clone())),
            PairFleetEvent::Report(_) => return,
        };
        // If the view cannot draw any more, it has ended the watch.
        let _ = self.send(news);
    }
}

/// `received/sent`.
fn fraction(way: DirectionCounts) -> String {
    format!("{}/{}", way.received, way.sent)
}

/// Prints the summary of all rounds, if there was one.
fn sum_up(history: &History) {
    let total = history.total();
    if total.rounds > 0 {
        tracing::info!(
            say = "pair-watch.total",
            rounds = total.rounds,
            down = %fraction(total.down),
            up = %fraction(total.up),
            echo = %fraction(total.echo)
        );
    }
}

/// Watches until Ctrl-C. Returns the report of the last session, and the history.
pub(super) fn run(
    context: TestContext<'_>,
    place: &BoardPlace,
    out: &mut Out,
) -> Result<Option<(BoardReport, History)>, Error> {
    let asker = context.shutdown.asker();
    if !stdout::is_terminal() {
        let (report, history) = fleet::watch(context, place, &mut LinePrinter { out, asker });
        sum_up(&history);
        return Ok(Some((report, history)));
    }
    let (sender, news) = channel();
    let (shown, watched) = std::thread::scope(|scope| {
        let watching = scope.spawn(move || {
            let mut sender = sender;
            fleet::watch(context, place, &mut sender)
        });
        let shown = show(&news, &asker, &place.address().port);
        // If the window is closed or the view cannot be drawn, the watch ends.
        asker.ask();
        // Until clean-up is over.
        for _ in &news {}
        (shown, watching.join().ok())
    });
    shown.map_err(|source| {
        Error::File(file::Error::Write {
            object: sentence!("pair-watch.the-terminal"),
            source,
        })
    })?;
    let Some((report, history)) = watched else {
        return Ok(None);
    };
    // The view is gone, so print the steps of the last session, including the clean-up.
    for step in &report.steps {
        if step.verdict != Verdict::Skipped {
            out.write(&text::step(step, out.style));
        }
    }
    sum_up(&history);
    Ok(Some((report, history)))
}

/// A round as a line.
pub(super) fn line(round: &RoundResults) -> String {
    let rtt = round.rtt.map_or_else(
        || "-".to_owned(),
        |[min, median, _, max]| format!("{}/{}/{}", seconds(min), seconds(median), seconds(max)),
    );
    let round_line = say!(
        "pair-watch.round",
        number: round.number,
        down = fraction(round.down),
        up = fraction(round.up),
        echo = fraction(round.echo),
        rtt = rtt
    );
    let oled = match &round.oled {
        None => String::new(),
        Some((_, true)) => say!("pair-watch.round-oled-ok"),
        Some((_, false)) => say!("pair-watch.round-oled-other"),
    };
    let space = if oled.is_empty() { "" } else { "  " };
    let time = round.time.as_secs_f64();
    format!("{round_line}{space}{oled}  [{time:.1} s]\n")
}

/// Shows the live view until the sender of news ends or the terminal is closed.
fn show(news: &Receiver<News>, asker: &Asker, port: &str) -> io::Result<()> {
    let mut view = RoundsView::new(port, color::has_color());
    let mut screen = FullScreen::open()?;
    loop {
        for message in screen.messages() {
            view.message(message);
        }
        if !screen.draw(|frame| view.draw(frame))? {
            return Ok(());
        }
        match news.recv_timeout(LOOK) {
            Ok(News::Step(step)) => view.step(&step),
            Ok(News::Round(round)) => view.round(*round),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        // A closed window has no keys: the next drawing notices it.
        while let Ok(Some(key)) = keys::next(KEYS) {
            // Ctrl-C is a key here.
            if [&b"q"[..], b"\x03"]
                .iter()
                .any(|end| key == Key::Bytes(end.to_vec()))
            {
                view.ending();
                // Like a second signal, a second key ends the run at once.
                asker.interrupt();
            }
        }
    }
}
