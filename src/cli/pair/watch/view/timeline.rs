//! The timeline: a column per round, the newest at the right, with round-trip times above and losses below.

use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::{Point, RoundsView};
use crate::pair::results::Step;
use crate::render::palette;
use crate::text::cells::fit;
use crate::text::seconds;
use crate::words;
use crate::words::catalogue::say;

/// Levels of a cell. No loss and total loss have their own signs, which work without colours.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const NONE_LOST: char = '·';
const ALL_LOST: char = '×';

/// Blue and orange, which people with any colour vision tell apart, on light and dark terminals.
const BLUE: Color = Color::Indexed(palette::BLUE);
const ORANGE: Color = Color::Indexed(palette::ORANGE);

/// The cells beside the timeline.
struct Widths {
    /// Of the longest name of a row.
    label: usize,
    /// Of the longest value behind a row.
    value: usize,
    /// The columns that are left for the rounds.
    past: usize,
}

impl RoundsView {
    /// The rows inside the box, at most `rows` of them.
    pub(super) fn timeline(&self, width: usize, rows: usize) -> Vec<Line<'static>> {
        let ways = [
            (words::pair::step_name(Step::PcToBoard), self.down),
            (words::pair::step_name(Step::BoardToPc), self.up),
            (words::pair::step_name(Step::Echo), self.echo),
        ];
        let values = ways.each_ref().map(|(_, total)| {
            say!(
                "pair-watch.lost",
                lost: total.lost(),
                sent: total.0.sent
            )
        });
        let label = ways.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        let most = say!("pair-watch.at-most", time = seconds(self.most()));
        let value = values.iter().chain([&most]);
        let value = value.map(|value| value.width()).max().unwrap_or(0);
        let label = label.min(width / 4);
        let value = value.clamp(7, (width / 3).max(7));
        let widths = Widths {
            label,
            value,
            past: width.saturating_sub(label + value + 2),
        };
        let rtt_rows = rows.saturating_sub(ways.len()).max(1);
        let mut lines = self.rtt_rows(&widths, rtt_rows);
        let losses: [fn(&Point) -> Option<u64>; 3] =
            [|point| point.down, |point| point.up, |point| point.echo];
        for (((name, _), value), loss) in ways.iter().zip(&values).zip(losses) {
            let cells = self
                .columns(widths.past)
                .map(|point| point.map(|point| loss_cell(loss(point))));
            lines.push(row(&widths, name, self.spans(cells), value));
        }
        lines.truncate(rows);
        lines
    }

    /// The points of the last `count` columns, from left to right.
    fn columns(&self, count: usize) -> impl Iterator<Item = Option<&Point>> {
        (0..count).rev().map(|column| self.past.get(column))
    }

    /// The longest round-trip time of all rounds.
    fn most(&self) -> Duration {
        let times = self.past.iter().filter_map(|point| point.rtt);
        times.max().unwrap_or_default()
    }

    /// The rows of round-trip times, which share one scale.
    fn rtt_rows(&self, widths: &Widths, rows: usize) -> Vec<Line<'static>> {
        let shown = self.columns(widths.past).flatten();
        let most = shown.filter_map(|point| point.rtt).max();
        let most = most.unwrap_or_default().max(Duration::from_micros(1));
        let last = self.past.front().and_then(|point| point.rtt);
        (0..rows)
            .map(|row_at| {
                let below = rows - 1 - row_at;
                let cells = self.columns(widths.past).map(|point| {
                    let point = point?;
                    match point.rtt {
                        Some(rtt) => level(rtt, most, rows, below).map(|cell| (cell, BLUE)),
                        // No echo came back.
                        None => (below == 0).then_some((ALL_LOST, ORANGE)),
                    }
                });
                let cells: Vec<_> = cells
                    .map(|cell| Some(cell.unwrap_or((' ', BLUE))))
                    .collect();
                let label = if below == 0 { "RTT" } else { "" };
                let value = match (row_at, below) {
                    // The scale, and what it is now.
                    (0, _) if rows > 1 => say!("pair-watch.at-most", time = seconds(most)),
                    (_, 0) => last.map_or_else(|| "-".to_owned(), |rtt| seconds(rtt).to_string()),
                    _ => String::new(),
                };
                row(widths, label, self.spans(cells.into_iter()), &value)
            })
            .collect()
    }

    /// Cells of one look together.
    fn spans(&self, cells: impl Iterator<Item = Option<(char, Color)>>) -> Vec<Span<'static>> {
        let mut spans: Vec<(String, Option<Color>)> = Vec::new();
        for cell in cells {
            let (character, color) =
                cell.map_or((' ', None), |(character, color)| (character, Some(color)));
            match spans.last_mut() {
                Some((text, last)) if *last == color => text.push(character),
                _ => spans.push((character.to_string(), color)),
            }
        }
        let styled = |(text, color): (String, Option<Color>)| {
            let style = match color {
                Some(color) if self.has_color => Style::new().fg(color),
                _ => Style::new(),
            };
            let style = if color == Some(ORANGE) {
                style.add_modifier(Modifier::BOLD)
            } else {
                style
            };
            Span::styled(text, style)
        };
        spans.into_iter().map(styled).collect()
    }
}

/// A label, the cells, a value.
fn row(widths: &Widths, label: &str, cells: Vec<Span<'static>>, value: &str) -> Line<'static> {
    let padded = |text: &str, cells: usize| {
        let text = fit(text, cells);
        let blanks = cells.saturating_sub(text.width());
        text + &" ".repeat(blanks)
    };
    let mut spans = vec![Span::raw(padded(label, widths.label) + " ")];
    spans.extend(cells);
    spans.push(Span::raw(" ".to_owned() + &padded(value, widths.value)));
    Line::from(spans)
}

/// The cell of a bar in one of several rows, the lowest of which is 0; nothing above the bar.
fn level(value: Duration, most: Duration, rows: usize, row: usize) -> Option<char> {
    let steps = LEVELS.len() * rows;
    // Make every answer visible, even a fast one.
    let filled = value.as_micros() * steps as u128 / most.as_micros().max(1);
    let filled = usize::try_from(filled).unwrap_or(steps).clamp(1, steps);
    let here = filled.saturating_sub(row * LEVELS.len()).min(LEVELS.len());
    here.checked_sub(1)
        .and_then(|index| LEVELS.get(index).copied())
}

/// The cell for a loss in percent; blank where nothing was sent.
fn loss_cell(loss: Option<u64>) -> (char, Color) {
    match loss {
        None => (' ', BLUE),
        Some(0) => (NONE_LOST, BLUE),
        Some(loss) if loss >= 100 => (ALL_LOST, ORANGE),
        Some(loss) => {
            let index = usize::try_from(loss * 7 / 100).unwrap_or(0);
            (LEVELS.get(index).copied().unwrap_or('█'), ORANGE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fill_from_below() {
        let ms = Duration::from_millis;
        let column = |value| {
            let cells = (0..2).rev().map(|row| level(ms(value), ms(16), 2, row));
            cells.map(|cell| cell.unwrap_or(' ')).collect::<String>()
        };
        assert_eq!([0, 1, 8, 9, 16].map(column), [" ▁", " ▁", " █", "▁█", "██"]);
    }

    #[test]
    fn loss_is_told_without_colours() {
        let cells = [None, Some(0), Some(1), Some(50), Some(99), Some(100)];
        let cells: String = cells.map(|loss| loss_cell(loss).0).iter().collect();
        assert_eq!(cells, " ·▁▄▇×");
    }
}
