//! `udpcli pair --watch`: a live view on a terminal, a line a round elsewhere.

mod view;

use std::cell::RefCell;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Out, Place, text};
use crate::error::Error;
use crate::file;
use crate::pair::post::Post;
use crate::pair::report::{Report, StepResult, Verdict};
use crate::pair::watch::{Direction, Round};
use crate::pair::{self, Plan};
use crate::shutdown::{Asker, Shutdown};
use crate::terminal::full_screen::FullScreen;
use crate::terminal::keys::{self, Key};
use crate::terminal::stdout;
use crate::text::seconds;
use crate::words::catalogue::say;
use view::View;

/// How long to wait before a board that was lost is looked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// How often the view looks at the keyboard.
const LOOK: Duration = Duration::from_millis(50);

/// How long it then waits for a key.
const KEYS: Duration = Duration::from_millis(1);

/// What the view is told.
enum News {
    Step(Box<StepResult>),
    Round(Box<Round>),
}

/// All rounds together, for the summary.
#[derive(Debug, Default)]
struct Total {
    rounds: u64,
    down: Direction,
    up: Direction,
    echo: Direction,
}

impl Total {
    fn add(&mut self, round: &Round) {
        self.rounds += 1;
        for (sum, way) in [
            (&mut self.down, round.down),
            (&mut self.up, round.up),
            (&mut self.echo, round.echo),
        ] {
            sum.sent += way.sent;
            sum.received += way.received;
        }
    }
}

/// `received/sent`.
fn fraction(way: Direction) -> String {
    format!("{}/{}", way.received, way.sent)
}

/// Says what all rounds saw. A watch that never came as far as a round ends as its report says.
fn sum_up(report: Option<Report>, total: &Total) -> Option<Report> {
    if total.rounds == 0 {
        return report;
    }
    tracing::info!(
        say = "pair-watch.total",
        rounds = total.rounds,
        down = %fraction(total.down),
        up = %fraction(total.up),
        echo = %fraction(total.echo)
    );
    None
}

/// Watches until Ctrl-C. The report, if it did not come as far as a first round.
pub(super) fn run(
    plan: &Plan,
    place: &Place,
    post: &Post,
    shutdown: &Shutdown,
    out: &mut Out,
) -> Result<Option<Report>, Error> {
    let asker = shutdown.asker();
    if !stdout::is_terminal() {
        let (report, total) = sessions(plan, place, post, shutdown, &mut |news| {
            match news {
                News::Step(step) => out.write(&text::step(&step, out.style)),
                News::Round(round) => out.write(&line(&round)),
            }
            // Nobody reads any more.
            if out.is_gone() {
                asker.ask();
            }
        });
        return Ok(sum_up(report, &total));
    }
    let (sender, news) = channel();
    let (shown, watched) = std::thread::scope(|scope| {
        let watching = scope.spawn(move || {
            sessions(plan, place, post, shutdown, &mut |news| {
                // A view that cannot draw any more has ended everything.
                let _ = sender.send(news);
            })
        });
        let shown = show(&news, &asker, &place.address().port);
        // Where nobody looks any more, and where the view cannot be drawn, the watch is over.
        asker.ask();
        // Until clean-up is over.
        for _ in &news {}
        (shown, watching.join().ok())
    });
    shown.map_err(|source| {
        Error::File(file::Error::Write {
            object: say!("pair-watch.the-terminal"),
            source,
        })
    })?;
    let (report, total) = watched.unwrap_or_default();
    // The view is gone, and with it what the steps said: of the last session, clean-up included.
    for step in report.iter().flat_map(|report| &report.steps) {
        if step.verdict != Verdict::Skipped {
            out.write(&text::step(step, out.style));
        }
    }
    Ok(sum_up(report, &total))
}

/// The board is watched; when it is lost it is looked for again. One that never came as far as a round is not. The last
/// report, and what all rounds saw.
fn sessions(
    plan: &Plan,
    place: &Place,
    post: &Post,
    shutdown: &Shutdown,
    tell: &mut dyn FnMut(News),
) -> (Option<Report>, Total) {
    let mut total = Total::default();
    let tell = RefCell::new(tell);
    loop {
        let report = pair::watch_board(
            plan,
            &place.address().port,
            || place.open(shutdown.clone()),
            post,
            shutdown,
            &mut |step| {
                if step.verdict != Verdict::Skipped {
                    tell.borrow_mut()(News::Step(Box::new(step.clone())));
                }
            },
            &mut |round| {
                total.add(&round);
                tell.borrow_mut()(News::Round(Box::new(round)));
            },
        );
        let has_failed = total.rounds == 0 && report.verdict() == Verdict::Failed;
        let until = Instant::now() + AGAIN;
        while !has_failed && !shutdown.is_asked() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        if has_failed || shutdown.is_asked() {
            return (Some(report), total);
        }
    }
}

/// A round as a line.
fn line(round: &Round) -> String {
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
    let mut view = View::new(port);
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
        // A closed window has no keys: the next drawing tells.
        while let Ok(Some(key)) = keys::next(KEYS) {
            // Ctrl-C is a key here.
            if [&b"q"[..], b"\x03"]
                .iter()
                .any(|end| key == Key::Bytes(end.to_vec()))
            {
                view.ending();
                // The second one, as a signal does, ends it at once.
                asker.interrupt();
            }
        }
    }
}
