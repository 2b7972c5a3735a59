//! Shows progress: a bar in the status area, or a line for every tenth if stderr is not a terminal.

mod canvas;

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::job_output::JobOutput;
use super::sanitize::{self, plain};
use super::status::{self, AreaBlock};
use super::{color, has_unicode};
use canvas::BarCanvas;

/// How often to redraw the bar.
const REDRAW: Duration = Duration::from_millis(100);

/// The width if the terminal's is unknown.
const COLUMNS: usize = 80;

/// Without a terminal, shorter work needs no line per tenth: it ends soon, and its end is reported anyway.
const SHORT: u64 = 16 << 10;

/// The text beside a bar on a wide terminal, with the placeholders that indicatif fills: `{pos} of {len} bytes,
/// {decimal_bytes_per_sec}, {eta} left`.
#[derive(Debug, Clone)]
pub struct BarWords {
    /// On a wide terminal.
    pub wide: String,
    /// The same for a terminal of 60 to 89 columns.
    pub middle: String,
}

/// Reports the progress of one piece of work after another.
#[derive(Debug)]
pub struct Progress {
    /// Whether to tell nothing.
    is_quiet: bool,
    /// The words beside the bar.
    words: BarWords,
    /// Whether to report the end of each piece, too.
    tells_end: bool,
    /// What is under way.
    current: Option<Current>,
}

/// What is under way.
#[derive(Debug)]
struct Current {
    /// Its name.
    name: String,
    /// When it began.
    since: Instant,
    /// The progress at that time.
    from: u64,
    /// The last tenth that was reported.
    tenth: u64,
    /// Whether its end was told.
    is_whole: bool,
    /// The bar; `None` if stderr is not a terminal.
    shown: Option<ShownBar>,
}

/// Its bar on the terminal.
#[derive(Debug)]
struct ShownBar {
    /// Works out rate and time left.
    bar: ProgressBar,
    /// Its place in the status area.
    block: AreaBlock,
    /// When it was drawn last.
    drawn: Instant,
}

impl Progress {
    /// Progress without final lines, because the caller reports the results; `is_quiet`: no progress at all.
    #[must_use]
    pub fn new(is_quiet: bool, words: BarWords) -> Self {
        Self {
            is_quiet,
            words,
            tells_end: false,
            current: None,
        }
    }

    /// Progress that leaves a line at the end of each piece of work.
    #[must_use]
    pub fn with_ends(is_quiet: bool, words: BarWords) -> Self {
        Self {
            tells_end: true,
            ..Self::new(is_quiet, words)
        }
    }

    /// Reports that `done` of `total` bytes of `name` are done; a new name starts a new piece of work.
    pub fn at(&mut self, name: &str, done: u64, total: u64) {
        if self.is_quiet {
            return;
        }
        if let Some(lane) = JobOutput::current() {
            let percent = done.saturating_mul(100) / total.max(1);
            lane.set_note(format!("{name}  {percent} %"));
            return;
        }
        let is_whole = done >= total;
        let current = match &mut self.current {
            // The same name after its end is a new piece of work, such as a second attempt.
            Some(current) if current.name == name && (is_whole || !current.is_whole) => current,
            current => current.insert(Current::new(name, done, total, &self.words)),
        };
        if is_whole {
            if self.tells_end && !std::mem::replace(&mut current.is_whole, true) {
                current.shown = None;
                current.tell(done, total);
            }
        } else if let Some(shown) = &mut current.shown {
            shown.at(done);
        } else if total >= SHORT || self.tells_end {
            let tenth = done.saturating_mul(10) / total;
            if tenth > std::mem::replace(&mut current.tenth, tenth) {
                current.tell(done, total);
            }
        }
    }

    /// The current work has ended: removes its bar.
    pub fn end(&mut self) {
        self.current = None;
    }
}

impl Current {
    fn new(name: &str, done: u64, total: u64, words: &BarWords) -> Self {
        Self {
            name: name.to_owned(),
            since: Instant::now(),
            from: done,
            tenth: 0,
            is_whole: false,
            shown: status::can_draw().then(|| ShownBar::new(name, done, total, words)),
        }
    }

    /// `writing a.bin  42 %  655360 of 1556784 bytes, 91.2 kB/s, 10 s left`
    fn tell(&self, done: u64, total: u64) {
        let elapsed = self.since.elapsed().as_secs_f64();
        let moved = done.saturating_sub(self.from) as f64;
        // A rate over such a short time is meaningless.
        let rate = if elapsed > 0.05 { moved / elapsed } else { 0.0 };
        let percent = done.saturating_mul(100) / total.max(1);
        let name = sanitize::for_terminal(&self.name);
        let percent = format!("{percent:>3}");
        let left = (total.saturating_sub(done) as f64 / rate).ceil();
        let (done, total, is_over) = (done.to_string(), total.to_string(), done >= total);
        if rate <= 0.0 {
            tracing::info!(say = "terminal.progress", name = %name, percent, done, total);
            return;
        }
        let rate = format!("{:.1}", rate / 1e3);
        if is_over {
            tracing::info!(say = "terminal.progress-rate", name = %name, percent, done, total, rate);
        } else {
            tracing::info!(
                say = "terminal.progress-left",
                name = %name,
                percent,
                done,
                total,
                rate,
                left = %left
            );
        }
    }
}

impl ShownBar {
    fn new(name: &str, done: u64, total: u64, words: &BarWords) -> Self {
        let canvas = BarCanvas::default();
        let bar = ProgressBar::with_draw_target(
            Some(total),
            ProgressDrawTarget::term_like(Box::new(canvas.clone())),
        );
        bar.set_position(done);
        bar.reset_elapsed();
        bar.reset_eta();
        let look = BarLook::of_stderr();
        let name = plain(&sanitize::for_terminal(name));
        let (drawn, mut width, words) = (bar.clone(), None, words.clone());
        let block = AreaBlock::new(move |size| {
            let columns = match size.columns {
                usize::MAX => COLUMNS,
                // Some terminals would break a line of their full width.
                columns => columns.saturating_sub(1),
            };
            if width != Some(columns) {
                width = Some(columns);
                canvas.set_width(columns);
                drawn.set_prefix(cut(&name, columns / 3));
                if let Some(style) = look.style(columns, &words) {
                    drawn.set_style(style);
                }
            }
            canvas.line(&drawn)
        });
        block.draw();
        Self {
            bar,
            block,
            drawn: Instant::now(),
        }
    }

    fn at(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.drawn.elapsed() >= REDRAW {
            self.drawn = Instant::now();
            self.block.redraw();
        }
    }
}

/// The bar in a form that the terminal can show.
#[derive(Debug, Clone, Copy)]
struct BarLook {
    /// Whether the terminal shows more than ASCII.
    unicode: bool,
    /// Whether it gets colour.
    color: bool,
}

impl BarLook {
    fn of_stderr() -> Self {
        Self {
            unicode: has_unicode(),
            color: color::has_color(),
        }
    }

    /// Name, bar, percent, rate and time left, as far as they fit in `columns`.
    fn style(self, columns: usize, words: &BarWords) -> Option<ProgressStyle> {
        let bar = if self.color {
            "\x1b[38;5;32m{wide_bar}\x1b[0m"
        } else {
            "{wide_bar}"
        };
        let template = match columns {
            90.. => format!("{{prefix}} {bar} {{percent:>3}} %  {}", words.wide),
            60.. => format!("{{prefix}} {bar} {{percent:>3}} %  {}", words.middle),
            30.. => format!("{{prefix}} {bar} {{percent:>3}} %  {{eta}}"),
            12.. => "{prefix} {percent:>3} %".to_owned(),
            _ => "{percent:>3} %".to_owned(),
        };
        let chars = if self.unicode { "█░" } else { "#-" };
        // The templates are constants, and tests cover all of them.
        let style = ProgressStyle::with_template(&template).ok()?;
        Some(style.progress_chars(chars))
    }
}

/// The beginning of a text, at most this many cells wide; an ellipsis marks a cut.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(2);
    let mut cut: String = text
        .chars()
        .take_while(|character| {
            let width = character.width().unwrap_or(0);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect();
    cut.push_str("..");
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::status::StatusLine;

    fn line(name: &str, columns: usize, look: BarLook) -> StatusLine {
        let canvas = BarCanvas::default();
        let bar = ProgressBar::with_draw_target(
            Some(1000),
            ProgressDrawTarget::term_like(Box::new(canvas.clone())),
        );
        bar.set_position(420);
        canvas.set_width(columns);
        bar.set_prefix(cut(name, columns / 3));
        let words = BarWords {
            wide: "{pos} of {len} bytes, {decimal_bytes_per_sec}, {eta} left".to_owned(),
            middle: "{decimal_bytes_per_sec}  {eta} left".to_owned(),
        };
        bar.set_style(look.style(columns, &words).unwrap());
        canvas.line(&bar).pop().unwrap()
    }

    #[test]
    fn a_bar_fits_every_width_whatever_its_name() {
        for name in [
            "main.py",
            "",
            "你好世界/很长的中文文件名.py",
            &"a/very/long/path".repeat(20),
        ] {
            for columns in 1..=220 {
                for (unicode, color) in [(true, false), (true, true), (false, false)] {
                    let line = line(name, columns, BarLook { unicode, color });
                    assert!(
                        columns < 6 || line.cells <= columns,
                        "{name} {columns}: {line:?}"
                    );
                    assert_eq!(line.cells, plain(&line.text).width());
                    assert!(
                        columns < 6 || line.text.contains("42 %"),
                        "{columns}: {line:?}"
                    );
                    assert_eq!(line.text.contains('\x1b'), color && columns >= 30);
                    assert!(
                        unicode || !name.is_ascii() || line.text.is_ascii(),
                        "{line:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_long_name_is_cut_by_its_cells() {
        assert_eq!(cut("main.py", 7), "main.py");
        assert_eq!(cut("main.py", 6), "main..");
        assert_eq!(cut("你好世界", 7), "你好..");
        assert_eq!(cut("你好世界", 1), "..");
    }
}
