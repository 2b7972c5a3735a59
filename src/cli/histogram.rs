//! `--histogram`: a distribution of times as bars below the summary, or as numbers in its JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::logging::Summary;
use crate::terminal::{Size, status};
use crate::udp::stats::Spread;

/// The width of the plot if stderr is not a terminal.
const USUAL_COLUMNS: usize = 80;

/// Adds `[upper bound in ms, count]` of each step to the counts of a summary.
pub(super) fn add(counts: &mut Value, spread: &Spread) {
    let steps = spread.steps().into_iter();
    let steps: Vec<Value> = steps
        .map(|(bound, count)| json!([in_ms(bound), count]))
        .collect();
    if let Some(counts) = counts.as_object_mut() {
        counts.insert("histogram".to_owned(), steps.into());
    }
}

/// Draws the bars below a summary in text; -q leaves out the bars, like the summary.
pub(super) fn draw(summary: Summary, title: impl FnOnce() -> String, spread: &Spread) {
    if summary == Summary::Json || spread.count() == 0 || !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let columns = Some(Size::of_stderr().columns).filter(|&columns| columns != usize::MAX);
    // One column stays free: Windows' classic console begins a new line as soon as the last one is taken.
    let columns = columns.unwrap_or(USUAL_COLUMNS).saturating_sub(1);
    let plot = plot(&spread.steps(), columns);
    status::print(&format!("{}\n{plot}", title()));
}

/// A line per step: the upper bound in milliseconds, the count, a bar.
fn plot(steps: &[(Duration, u64)], columns: usize) -> String {
    let rows: Vec<_> = steps
        .iter()
        .map(|&(bound, count)| (in_ms(bound).to_string(), count))
        .collect();
    let most = steps.iter().map(|&(_, count)| count).max().unwrap_or(0);
    let bounds = rows.iter().map(|(bound, _)| bound.len()).max().unwrap_or(0);
    let counts = most.to_string().len();
    let room = columns.saturating_sub(bounds + counts + 4);
    let mut text = String::new();
    for (bound, count) in rows {
        let len = (u128::from(count) * room as u128).div_ceil(u128::from(most.max(1)));
        let bar = "#".repeat(usize::try_from(len).unwrap_or(room));
        let line = format!("{bound:>bounds$}  {count:>counts$}  {bar}");
        // Nothing here fails.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// In milliseconds.
fn in_ms(time: Duration) -> f64 {
    // Whole nanoseconds, so that 0.3 ms is 0.3.
    time.as_nanos() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_the_terminal() {
        let us = Duration::from_micros;
        let steps = [
            (us(200), 1),
            (us(500), 1000),
            (us(1000), 0),
            (us(2000), 500),
        ];
        assert_eq!(
            plot(&steps, 21),
            "0.2     1  #\n0.5  1000  ##########\n  1     0\n  2   500  #####\n"
        );
        for columns in [0, 5, 11, 12, 79] {
            let plot = plot(&steps, columns);
            assert!(
                plot.lines().all(|line| line.len() <= columns.max(11)),
                "{plot}"
            );
        }
        assert_eq!(plot(&[], 80), "");
    }
}
