//! Messages for people on stderr, and below them the status area, which is drawn over itself: progress bars and the OLED
//! panel. Where stdout is the same terminal, its data appears above the area as well.
//!
//! There is one area for the process, as there is one terminal. Code with something to show there holds an
//! [`AreaBlock`]. Every message, and every write of [`super::stdout`], erases the area and draws it again below: a line
//! appears above the area and never inside it, whichever thread writes it. An incomplete line of data stays below the
//! area, and moves above it once it is complete.
//!
//! Drawing uses the terminal's current size. Terminals wrap lines that have become too long, and erasing the area
//! allows for that; while there is an area, a thread checks the size.
//!
//! Long because everything here runs under the lock of the one status area.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::job_output::JobOutput;
use super::sanitize::{Allowed, Filter, plain};
use super::stream::{self, WriteOutcome};
use super::{Size, color};
use crate::text::wrap;

/// Terminals that know this sequence show nothing until [`SHOW`]; others ignore it (DEC private mode 2026).
const HOLD: &str = "\x1b[?2026h";

/// Shows the held-back output at once.
const SHOW: &str = "\x1b[?2026l";

/// The longest incomplete line that is kept; of a longer one only the end is shown.
const MAX_TAIL: usize = 4096;

/// How often to check the terminal's size while there is an area.
const LOOK: Duration = Duration::from_millis(100);

/// Messages that are kept while the terminal shows a full-screen view.
const MAX_DIVERTED: usize = 500;

/// The one area, as there is one terminal.
static AREA: Mutex<Area> = Mutex::new(Area::new());

/// The area, locked for one write.
fn lock() -> MutexGuard<'static, Area> {
    // A thread that panicked has at worst left lines on the terminal.
    AREA.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of the area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StatusLine {
    /// With its escape sequences.
    pub(crate) text: String,
    /// Cells across.
    pub(crate) cells: usize,
}

/// Makes the lines of a block for a size of the terminal.
type Draw = Box<dyn FnMut(Size) -> Vec<StatusLine> + Send>;

/// A part of the area; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct AreaBlock {
    /// `None` if udpcli cannot draw on stderr.
    id: Option<u64>,
}

impl AreaBlock {
    /// Adds a block below those that are there; it appears with the next [`AreaBlock::draw`]. `draw` makes its lines for a
    /// size: at most as wide as that, and fewer than it has rows. It must not log, nor draw another block.
    #[must_use]
    pub(crate) fn new(draw: impl FnMut(Size) -> Vec<StatusLine> + Send + 'static) -> Self {
        if !can_draw() {
            return Self { id: None };
        }
        let mut area = lock();
        area.last_id += 1;
        let id = area.last_id;
        area.entries.push((id, Box::new(draw)));
        area.is_stale = true;
        area.watch();
        Self { id: Some(id) }
    }

    /// Replaces the content, which appears with the next [`AreaBlock::draw`].
    pub(crate) fn replace(&self, draw: impl FnMut(Size) -> Vec<StatusLine> + Send + 'static) {
        let mut area = lock();
        let entry = area.entries.iter_mut().find(|(id, _)| Some(*id) == self.id);
        if let Some((_, old)) = entry {
            *old = Box::new(draw);
            area.is_stale = true;
        }
    }

    /// Draws the area, unless the terminal already shows the latest content.
    pub(crate) fn draw(&self) {
        let mut area = lock();
        if self.id.is_some() && area.is_stale {
            area.repaint();
        }
    }

    /// Draws the area again, because the block's content has changed.
    pub(crate) fn redraw(&self) {
        if self.id.is_some() {
            lock().repaint();
        }
    }

    /// Leaves the block on the terminal: later output goes below it.
    pub(crate) fn keep(mut self) {
        if let Some(id) = self.id.take() {
            lock().keep(id);
        }
    }
}

impl Drop for AreaBlock {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut area = lock();
            area.entries.retain(|(entry, _)| *entry != id);
            // A block that was never drawn need not be erased.
            if area.drawn.is_some() {
                area.repaint();
            }
        }
    }
}

/// A question, on the line below everything else, until this is dropped. Messages appear above it.
#[cfg(feature = "board")]
#[derive(Debug)]
pub(super) struct OpenQuestion {
    /// Puts output that comes meanwhile above the line with the question.
    _line: AreaBlock,
}

#[cfg(feature = "board")]
impl OpenQuestion {
    /// Shows the question; the user types after it.
    pub(super) fn ask(text: &str) -> Self {
        let mut filter = Filter::new(Allowed::Colors);
        let has_tail = lock().has_tail();
        if has_tail {
            pass(b"\n", &mut filter);
        }
        // Only control sequences, which have already taken effect.
        lock().tail.clear();
        let line = AreaBlock::new(|_| Vec::new());
        pass(text.as_bytes(), &mut filter);
        Self { _line: line }
    }
}

#[cfg(feature = "board")]
impl Drop for OpenQuestion {
    fn drop(&mut self) {
        pass(b"\n", &mut Filter::new(Allowed::Colors));
    }
}

/// Whether stderr is a terminal.
#[must_use]
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether stderr is a terminal on which a line can be drawn over itself.
#[must_use]
pub(crate) fn can_draw() -> bool {
    is_terminal()
        && color::obeys_escapes()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes a message to stderr, above the area: whole lines, whose untrusted parts are escaped.
pub fn print(text: &str) {
    match JobOutput::current() {
        Some(lane) => print_as_it_is(&lane.prefixed(text)),
        None => print_as_it_is(text),
    }
}

/// As [`print()`], without a lane's name.
fn print_as_it_is(text: &str) {
    lock().print(text.as_bytes(), &mut |bytes| {
        // If stderr is gone, the error cannot be reported.
        let _ = stream::write_stderr(bytes);
    });
}

/// Writes messages for people to stderr, above the area: a line that is wider than the terminal is broken, and its rest
/// indented. Their untrusted parts are escaped.
pub(crate) fn print_message(text: &str, indent: usize) {
    let mut area = lock();
    // One column stays free: Windows' classic console begins a new line as soon as the last one is taken.
    let columns = Size::of_stderr().columns.saturating_sub(1);
    let wrapped =
        (is_terminal() && area.diverted.is_none()).then(|| wrap::messages(text, columns, indent));
    let text = wrapped.as_deref().unwrap_or(text);
    area.print(text.as_bytes(), &mut |bytes| {
        // Nobody is left to tell when stderr is gone.
        let _ = stream::write_stderr(bytes);
    });
}

/// Writes to stderr what a program on the board printed, as it comes. The caller keeps `filter`, which holds the
/// unfinished end of a piece.
pub fn pass(bytes: &[u8], filter: &mut Filter) {
    let mut shown = Vec::new();
    if is_terminal() {
        filter.pass(bytes, &mut shown);
    } else {
        shown.extend_from_slice(bytes);
    }
    // Nobody waits for it.
    let _ = beside(&shown, &mut |bytes| {
        stream::write_stderr(bytes)?;
        Ok(WriteOutcome::Whole)
    });
}

/// Writes data to the terminal with the area, through `write`: complete lines go above the area.
pub(super) fn beside(
    bytes: &[u8],
    write: &mut dyn FnMut(&[u8]) -> io::Result<WriteOutcome>,
) -> io::Result<WriteOutcome> {
    lock().pass(bytes, write)
}

/// Ends the line on which a terminal showed `^C`, so that later output begins on a new line.
pub(crate) fn end_interrupted_line() {
    let mut area = lock();
    if is_terminal() && area.entries.is_empty() {
        area.tail.clear();
        area.write("\n");
    }
}

/// Ends an incomplete line of data, if there is one.
pub(crate) fn end_line() {
    let mut area = lock();
    if area.has_tail() && area.entries.is_empty() {
        area.tail.clear();
        area.write("\n");
    }
}

/// The user has typed a line, which the terminal has shown after the incomplete line of data.
#[cfg(feature = "board")]
pub(crate) fn typed(line: &[u8]) {
    let mut area = lock();
    if !is_terminal() {
        return;
    }
    let ends_at = memchr::memrchr(b'\n', line).map_or(0, |at| at + 1);
    let (complete, rest) = line.split_at(ends_at);
    if area.drawn.is_none() {
        area.keep_tail(complete, rest);
        return;
    }
    if complete.is_empty() {
        return;
    }
    // The area goes below what was typed, instead of above it.
    let typed = String::from_utf8_lossy(complete);
    let typed = typed.trim_end_matches(['\r', '\n']);
    let shown = String::from_utf8_lossy(&std::mem::take(&mut area.tail)).into_owned() + typed;
    let shown = filtered(&shown);
    if let Some(drawn) = &mut area.drawn {
        // One row more: the line end has moved the cursor.
        let rows = drawn.size.rows_of(drawn.tail + plain(typed).width());
        drawn.lines.extend(std::iter::repeat_n(0, rows));
        drawn.tail = 0;
    }
    let text = format!("{HOLD}{}{shown}\n{}{SHOW}", area.erase(), area.paint());
    area.write(&text);
}

/// The terminal is in raw mode, in which a line feed does not return the carriage.
#[cfg(feature = "board")]
pub(super) fn set_raw(is_raw: bool) {
    lock().is_raw = is_raw;
}

/// From now on messages are kept for [`take_diverted`]: the terminal shows something else.
#[cfg(feature = "board")]
pub(super) fn divert() {
    lock().diverted = Some(VecDeque::new());
}

/// The messages since the last call, each without its line end and colours.
#[cfg(feature = "board")]
pub(super) fn take_diverted() -> Vec<String> {
    lock()
        .diverted
        .as_mut()
        .map_or_else(Vec::new, |lines| lines.drain(..).collect())
}

/// Messages go to stderr again; first those that were not taken.
#[cfg(feature = "board")]
pub(super) fn end_diversion() {
    let kept = lock().diverted.take();
    for line in kept.unwrap_or_default() {
        print(&format!("{line}\n"));
    }
}

/// The writer for tracing's events: one call per event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventLog {
    /// Whether a long line is broken at the terminal's width.
    pub(crate) wraps: bool,
}

impl io::Write for EventLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        // Write both unchanged: the lane's name is already in front.
        if self.wraps {
            print_message(&text, 2);
        } else {
            print_as_it_is(&text);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines on the terminal just above the cursor.
struct Drawn {
    /// Cells of each line of the area.
    lines: Vec<usize>,
    /// Cells of the incomplete line below them.
    tail: usize,
    /// The terminal's size at that time.
    size: Size,
}

struct Area {
    /// The blocks from top to bottom, each with its number.
    entries: Vec<(u64, Draw)>,
    /// The number of the last block.
    last_id: u64,
    /// Whether a block has changed since it was drawn.
    is_stale: bool,
    /// The lines that are on the terminal; `None` if there are none.
    drawn: Option<Drawn>,
    /// What was printed after the last line end: on the terminal, or with an area, its visible end below that.
    tail: Vec<u8>,
    /// Whether the terminal is in raw mode.
    is_raw: bool,
    /// Messages kept for a full-screen view; `None` if they go to stderr.
    diverted: Option<VecDeque<String>>,
    /// Whether a thread looks for another size.
    is_watched: bool,
}

impl fmt::Debug for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Area").finish_non_exhaustive()
    }
}

impl Area {
    const fn new() -> Self {
        Self {
            entries: Vec::new(),
            last_id: 0,
            is_stale: false,
            drawn: None,
            tail: Vec::new(),
            is_raw: false,
            diverted: None,
            is_watched: false,
        }
    }

    /// The sequence that erases the area and the incomplete line.
    fn erase(&mut self) -> String {
        let size = Size::of_stderr();
        let rows = match self.drawn.take() {
            Some(drawn) => {
                let lines: usize = drawn.lines.iter().map(|&cells| size.rows_of(cells)).sum();
                // Count rows for the current size: a terminal that became narrower has wrapped the lines.
                lines + size.rows_of(drawn.tail) - 1
            }
            None if self.tail.is_empty() => return String::new(),
            None => size.rows_of(last_row(&self.tail).width()) - 1,
        };
        up(rows) + "\x1b[J"
    }

    /// The area and below it the incomplete line, for the terminal as it is; without an area the line alone.
    fn paint(&mut self) -> String {
        self.is_stale = false;
        if self.entries.is_empty() {
            return String::from_utf8_lossy(&self.tail).into_owned();
        }
        let size = Size::of_stderr();
        let mut lines: Vec<StatusLine> = Vec::new();
        for (_, draw) in &mut self.entries {
            lines.extend(draw(Size {
                columns: size.columns,
                rows: size.rows.saturating_sub(lines.len()),
            }));
        }
        // The cursor needs a row of its own.
        lines.truncate(size.rows.saturating_sub(1));
        let mut text = String::new();
        for line in &lines {
            text.push_str(&filtered(&line.text));
            // The rest of the row is erased, because a shorter line may take the place of a longer one.
            text.push_str("\x1b[K\n");
        }
        let tail = end_of(&last_row(&self.tail), size.columns.saturating_sub(1));
        text.push_str(&tail);
        self.drawn = Some(Drawn {
            lines: lines.iter().map(|line| line.cells).collect(),
            tail: tail.width(),
            size,
        });
        text
    }

    /// Whether an incomplete line is visible: control sequences alone are not.
    fn has_tail(&self) -> bool {
        !last_row(&self.tail).is_empty()
    }

    /// Erases the area and draws it again in one write, so that it does not flicker.
    fn repaint(&mut self) {
        let text = format!("{HOLD}{}{}{SHOW}", self.erase(), self.paint());
        self.write(&text);
    }

    /// A failed drawing is no reason to stop.
    fn write(&self, text: &str) {
        let _ = stream::write_stderr(self.with_returns(text).as_bytes());
    }

    /// The text in the form for the terminal's current mode.
    fn with_returns(&self, text: &str) -> String {
        if self.is_raw {
            text.replace('\n', "\r\n")
        } else {
            text.to_owned()
        }
    }

    /// Leaves a block's lines above the area for good.
    fn keep(&mut self, id: u64) {
        let is_alone = self.entries.iter().all(|(entry, _)| *entry == id);
        // Its lines are already at the right place, so nothing has to be written.
        if is_alone && !self.is_stale && self.drawn.is_some() {
            self.entries.clear();
            self.drawn = None;
            return;
        }
        let erased = self.erase();
        let mut kept = String::new();
        if let Some(at) = self.entries.iter().position(|(entry, _)| *entry == id) {
            let (_, mut draw) = self.entries.remove(at);
            for line in draw(Size::of_stderr()) {
                kept.push_str(&filtered(&line.text));
                kept.push('\n');
            }
        }
        let text = format!("{HOLD}{erased}{kept}{}{SHOW}", self.paint());
        self.write(&text);
    }

    /// Writes whole lines above the area.
    fn print(&mut self, text: &[u8], write: &mut dyn FnMut(&[u8])) {
        if !is_terminal() {
            return write(text);
        }
        if let Some(diverted) = &mut self.diverted {
            for line in String::from_utf8_lossy(text).lines() {
                if diverted.len() == MAX_DIVERTED {
                    diverted.pop_front();
                }
                diverted.push_back(plain(line));
            }
            return;
        }
        let mut shown = filtered(&String::from_utf8_lossy(text));
        if self.entries.is_empty() {
            if self.has_tail() {
                shown.insert(0, '\n');
            }
            self.tail.clear();
        } else {
            if !shown.ends_with('\n') {
                shown.push('\n');
            }
            shown = format!("{HOLD}{}{shown}{}{SHOW}", self.erase(), self.paint());
        }
        write(self.with_returns(&shown).as_bytes());
    }

    fn pass(
        &mut self,
        bytes: &[u8],
        write: &mut dyn FnMut(&[u8]) -> io::Result<WriteOutcome>,
    ) -> io::Result<WriteOutcome> {
        if !is_terminal() {
            return write(bytes);
        }
        let ends_at = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let (complete, rest) = bytes.split_at(ends_at);
        if self.entries.is_empty() {
            self.keep_tail(complete, rest);
            return write(bytes);
        }
        if bytes.is_empty() {
            return Ok(WriteOutcome::Whole);
        }
        let mut text = format!("{HOLD}{}", self.erase());
        let mut outcome = Ok(WriteOutcome::Whole);
        if !complete.is_empty() {
            // Write this first: `write` may go through stdout, and the area must be erased before the data comes.
            self.write(&std::mem::take(&mut text));
            let mut lines = std::mem::take(&mut self.tail);
            lines.extend_from_slice(complete);
            outcome = write(&lines);
        }
        self.keep_tail(complete, rest);
        text.push_str(&self.paint());
        text.push_str(SHOW);
        self.write(&text);
        outcome
    }

    /// Notes the output after the last line end.
    fn keep_tail(&mut self, complete: &[u8], rest: &[u8]) {
        if !complete.is_empty() {
            self.tail.clear();
        }
        self.tail.extend_from_slice(rest);
        let surplus = self.tail.len().saturating_sub(MAX_TAIL);
        self.tail.drain(..surplus);
    }

    /// Checks the terminal's size as long as there are blocks.
    fn watch(&mut self) {
        if self.is_watched {
            return;
        }
        let watch = || {
            loop {
                std::thread::sleep(LOOK);
                let mut area = lock();
                if area.entries.is_empty() {
                    area.is_watched = false;
                    return;
                }
                let size = Size::of_stderr();
                if area.drawn.as_ref().is_some_and(|drawn| drawn.size != size) {
                    area.repaint();
                }
            }
        };
        // Without the thread, the next line corrects the area.
        self.is_watched = std::thread::Builder::new()
            .name("terminal size".to_owned())
            .spawn(watch)
            .is_ok();
    }
}

/// Makes a text safe for the terminal, whatever it quotes.
fn filtered(text: &str) -> String {
    let mut shown = Vec::with_capacity(text.len());
    let mut filter = Filter::new(Allowed::Colors);
    filter.pass(text.as_bytes(), &mut shown);
    filter.end(&mut shown);
    String::from_utf8_lossy(&shown).into_owned()
}

/// Moves the cursor up by `rows`, to the beginning of that row.
fn up(rows: usize) -> String {
    match rows {
        0 => "\r".to_owned(),
        rows => format!("\x1b[{rows}A\r"),
    }
}

/// The visible part of an incomplete line: the text after its last carriage return, without control sequences.
fn last_row(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    let row = text
        .rsplit('\r')
        .find(|part| !part.is_empty())
        .unwrap_or("");
    plain(row)
}

/// The end of a text, at most `columns` cells wide.
fn end_of(text: &str, columns: usize) -> String {
    let mut left = columns;
    let mut start = text.len();
    for (index, character) in text.char_indices().rev() {
        let width = character.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        start = index;
    }
    text.get(start..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_fits_a_row() {
        assert_eq!(end_of("abc", 3), "abc");
        assert_eq!(end_of("abc", 2), "bc");
        assert_eq!(end_of("a你好", 3), "好");
        assert_eq!(end_of("", 3), "");
        assert_eq!(last_row(b"gone\ra\x1b[1;31mb\tc\x07\r"), "ab c");
    }

    #[test]
    fn incomplete_lines_are_kept_until_they_are_complete() {
        let mut area = Area::new();
        area.keep_tail(b"one\n", b"tw");
        area.keep_tail(b"", b"o");
        assert_eq!(area.tail, b"two");
        area.keep_tail(b"\n", b"");
        assert_eq!(area.tail, b"");
        area.keep_tail(b"", &[b'x'; 10_000]);
        assert_eq!(area.tail.len(), MAX_TAIL);
    }
}
