//! The boards' rows: in the status area while udpcli works on a board, and afterwards as lines with a verdict.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{FleetBoard, is_interrupted, message};
use crate::cli::GlobalArgs;
use crate::error::Outcome;
use crate::render::palette;
use crate::terminal::job_output::JobOutput;
use crate::terminal::status::{self, AreaBlock, StatusLine};
use crate::terminal::{Size, color, sanitize};
use crate::words::catalogue::say;

/// A verdict in a word of four cells, and the state in words.
fn verdict(member: &FleetBoard, note: &str) -> (String, &'static str, String) {
    match &member.result {
        Some(Ok(Outcome::Done)) => (
            say!("pair.verdict-passed"),
            palette::PASSED,
            note.to_owned(),
        ),
        Some(Err(error)) if !is_interrupted(error) => {
            (say!("pair.verdict-failed"), palette::FAILED, message(error))
        }
        _ => (
            say!("pair.verdict-interrupted"),
            palette::WARNED,
            say!("fleet.stopped"),
        ),
    }
}

/// The text, filled up with blanks to this many cells.
fn padded(text: &str, cells: usize) -> String {
    let missing = cells.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// A row: the verdict, the name if any board has one, the port, and the message.
fn row(
    verdict: (&str, &str),
    name: Option<&str>,
    member: &FleetBoard,
    widths: CellWidths,
) -> String {
    let word = padded(verdict.0, 4);
    let mut row = if color::has_color() {
        format!("\x1b[{}m{word}\x1b[0m", verdict.1)
    } else {
        word
    };
    if widths.name > 0 {
        row.push_str("  ");
        row.push_str(&padded(
            &sanitize::for_terminal(name.unwrap_or("-")),
            widths.name,
        ));
    }
    row.push_str("  ");
    row.push_str(&padded(&sanitize::for_terminal(&member.port), widths.port));
    row
}

/// The cells of the columns.
#[derive(Debug, Clone, Copy, Default)]
struct CellWidths {
    /// Of the longest name; 0 if no board has one.
    name: usize,
    /// Of the longest port.
    port: usize,
}

impl CellWidths {
    /// As wide as the widest name and the widest port.
    fn of<'a>(boards: impl Iterator<Item = (Option<String>, &'a str)>) -> Self {
        let mut widths = Self::default();
        for (name, port) in boards {
            let name = name.map_or(0, |name| sanitize::for_terminal(&name).width());
            widths.name = widths.name.max(name);
            widths.port = widths.port.max(sanitize::for_terminal(port).width());
        }
        widths
    }
}

/// All boards with their columns, aligned.
pub(super) fn table(members: &[FleetBoard], columns: &BTreeMap<String, Vec<String>>) -> String {
    let boards = members
        .iter()
        .map(|member| (member.lane.name(), member.port.as_str()));
    let widths = CellWidths::of(boards);
    let mut cells: Vec<usize> = Vec::new();
    for row in columns.values() {
        cells.resize(cells.len().max(row.len()), 0);
        for (width, cell) in cells.iter_mut().zip(row) {
            *width = (*width).max(sanitize::for_terminal(cell).width());
        }
    }
    let mut text = String::new();
    for member in members {
        let (word, paint, state) = verdict(member, "");
        let name = member.lane.name();
        let mut line = row((&word, paint), name.as_deref(), member, widths);
        match columns.get(&member.port) {
            Some(row) => {
                for (cell, width) in row.iter().zip(&cells) {
                    line.push_str("  ");
                    line.push_str(&padded(&sanitize::for_terminal(cell), *width));
                }
            }
            None => {
                line.push_str("  ");
                line.push_str(&sanitize::for_terminal(&state));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What the area shows.
#[derive(Debug, Default)]
struct Live {
    /// The boards at work, by their index.
    working: BTreeMap<usize, Instant>,
    /// How many boards have ended.
    ended: usize,
    /// How many of the boards in `ended` failed.
    failed: usize,
}

/// The rows on stderr.
pub(super) struct FleetRows {
    /// The block in the status area, if udpcli can draw there.
    block: Option<AreaBlock>,
    /// The content of the block; the thread of `status` draws it, too.
    live: Arc<Mutex<Live>>,
    /// Every board's lane and port.
    lanes: Vec<(JobOutput, String)>,
    /// Whether to show nothing.
    is_quiet: bool,
}

impl FleetRows {
    /// `draws`: whether the rows of the boards at work are in the status area.
    pub(super) fn new(members: &[FleetBoard], global: &GlobalArgs, draws: bool) -> Self {
        let live = Arc::new(Mutex::new(Live::default()));
        let lanes: Vec<(JobOutput, String)> = members
            .iter()
            .map(|member| (member.lane.clone(), member.port.clone()))
            .collect();
        let block = (draws && !global.quiet && status::can_draw()).then(|| {
            let (live, lanes) = (Arc::clone(&live), lanes.clone());
            AreaBlock::new(move |size| {
                let live = live.lock().unwrap_or_else(PoisonError::into_inner);
                lines(&live, &lanes, size)
            })
        });
        Self {
            block,
            live,
            lanes,
            is_quiet: global.quiet,
        }
    }

    /// Changes what the block shows.
    fn live(&self, change: impl FnOnce(&mut Live)) {
        change(&mut self.live.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A board's work begins.
    pub(super) fn begin(&self, index: usize) {
        self.live(|live| {
            live.working.insert(index, Instant::now());
        });
    }

    /// A board's work ends.
    pub(super) fn end(&self, index: usize, has_failed: bool) {
        self.live(|live| {
            live.working.remove(&index);
            live.ended += 1;
            live.failed += usize::from(has_failed);
        });
    }

    /// Draws the rows again, because their notes may have changed.
    pub(super) fn draw(&self) {
        if let Some(block) = &self.block {
            block.redraw();
        }
    }

    /// Prints the row of a board whose work ended.
    pub(super) fn print(&self, member: &FleetBoard) {
        if self.is_quiet {
            return;
        }
        let boards = self.lanes.iter();
        let widths = CellWidths::of(boards.map(|(lane, port)| (lane.name(), port.as_str())));
        let (word, paint, state) = verdict(member, &member.lane.note());
        let name = member.lane.name();
        let row = row((&word, paint), name.as_deref(), member, widths);
        let time = member.began.map_or(Duration::ZERO, |began| began.elapsed());
        let state = sanitize::for_terminal(&state);
        let gap = if state.is_empty() { "" } else { "  " };
        status::print(&format!(
            "{row}{gap}{state}  [{:.1} s]\n",
            time.as_secs_f64()
        ));
    }
}

/// A line for each board at work, as many as fit, and one for all of them.
fn lines(live: &Live, lanes: &[(JobOutput, String)], size: Size) -> Vec<StatusLine> {
    // An unknown size is very large; 200 cells are more than a row needs.
    let columns = size.columns.saturating_sub(1).min(200);
    let widths = CellWidths::of(
        lanes
            .iter()
            .map(|(lane, port)| (lane.name(), port.as_str())),
    );
    // Leave some rows for the lines above the area.
    let room = size.rows.saturating_sub(4).clamp(1, 64);
    let mut rows = Vec::new();
    for index in live.working.keys().take(room) {
        let Some((lane, port)) = lanes.get(*index) else {
            continue;
        };
        let mut text = String::new();
        if widths.name > 0 {
            let name = lane.name().unwrap_or_else(|| "-".to_owned());
            text = padded(&sanitize::for_terminal(&name), widths.name) + "  ";
        }
        text.push_str(&padded(&sanitize::for_terminal(port), widths.port));
        text.push_str("  ");
        text.push_str(&sanitize::for_terminal(&lane.note()));
        rows.push(line(&text, columns));
    }
    let total = say!(
        "fleet.so-far",
        ended = live.ended,
        count = lanes.len(),
        failed = live.failed
    );
    rows.push(line(&total, columns));
    rows
}

/// A line that fits.
fn line(text: &str, columns: usize) -> StatusLine {
    let mut cells = 0;
    let text: String = text
        .chars()
        .take_while(|character| {
            let width = character.width().unwrap_or(0);
            let fits = cells + width <= columns;
            cells += if fits { width } else { 0 };
            fits
        })
        .collect();
    let cells = text.width();
    StatusLine { text, cells }
}
