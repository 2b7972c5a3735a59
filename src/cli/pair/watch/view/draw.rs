//! The drawing of the view: the verdict, the OLED, the timeline and the log, as much as fits.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::{RoundsView, State};
use crate::pair::results::{Step, Verdict};
use crate::render::palette;
use crate::terminal::panel::picture;
use crate::terminal::panel::text::{self, glyph};
use crate::terminal::{self, sanitize};
use crate::text::cells::fit;
use crate::text::{seconds, wrap};
use crate::words;
use crate::words::catalogue::say;

/// Rows of the verdict, of the timeline and of the log, each with its frame.
const VERDICT: u16 = 4;
const TIMELINE: u16 = 8;
const LOG: u16 = 4;

/// The OLED's texts with their frame.
const TEXTS: (u16, u16) = (23, 6);

const WHITE: Color = Color::Indexed(palette::ON_VERDICT);
const GREEN: Color = Color::Indexed(palette::WORKS);
const RED: Color = Color::Indexed(palette::PROBLEM);
const BLUE: Color = Color::Indexed(palette::NO_VERDICT);

/// The signs of the verdict, which work without colour and language.
const WORKS: [&str; 4] = ["       ▄█", "      ▄█▀", "▀█▄ ▄█▀  ", "  ▀█▀    "];
const PROBLEM: [&str; 4] = ["▀█▄   ▄█▀", "  ▀█▄█▀  ", "  ▄█▀█▄  ", "▄█▀   ▀█▄"];

/// The narrowest terminal whose verdict has a sign.
const SIGN: u16 = 60;

/// How the OLED is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oled {
    /// Pixel by pixel.
    Picture(picture::PixelStyle),
    /// The texts only.
    Texts,
}

impl Oled {
    /// The largest picture that fits beside the figures and above the timeline.
    fn for_area(width: u16, height: u16) -> Self {
        let styles = if terminal::has_unicode() {
            vec![
                picture::PixelStyle::HalfBlocks { color: false },
                picture::PixelStyle::Braille { color: false },
            ]
        } else {
            vec![picture::PixelStyle::Ascii]
        };
        let fitting = styles.into_iter().map(Self::Picture).find(|oled| {
            let (across, down) = oled.size();
            width >= across + 40 && height >= down + VERDICT + TIMELINE + LOG + 2
        });
        fitting.unwrap_or(Self::Texts)
    }

    /// With its frame.
    fn size(self) -> (u16, u16) {
        match self {
            Self::Picture(style) => {
                let cells = |count: usize| u16::try_from(count + 2).unwrap_or(u16::MAX);
                (cells(style.width()), cells(style.height()))
            }
            Self::Texts => TEXTS,
        }
    }
}

/// A text in the frame of a box, or in the last line.
fn spaced(text: &str) -> String {
    format!(" {text} ")
}

impl RoundsView {
    /// Draws all of it.
    pub(in crate::cli::pair::watch) fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let oled = Oled::for_area(area.width, area.height);
        let (across, down) = oled.size();
        // On a small terminal, leave out the log first, then the timeline.
        let left = area.height.saturating_sub(2 + VERDICT + down);
        let timeline = if left >= 4 { left.min(TIMELINE) } else { 0 };
        let log = left - timeline;
        let log = if log >= 3 { log } else { 0 };
        let [title, verdict, middle, past, log, end] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(VERDICT),
            Constraint::Length(down),
            Constraint::Length(timeline),
            Constraint::Length(log),
            Constraint::Length(1),
        ])
        .areas(area);
        self.draw_title(frame, title);
        self.draw_verdict(frame, verdict);
        let [panel, figures] =
            Layout::horizontal([Constraint::Length(across), Constraint::Fill(1)]).areas(middle);
        self.draw_oled(frame, panel, oled);
        self.draw_figures(frame, figures);
        if past.height > 0 {
            let inner = usize::from(past.width.saturating_sub(2));
            let rows = usize::from(past.height.saturating_sub(2));
            let block = Block::bordered().title(spaced(&say!("pair-watch.timeline")));
            frame.render_widget(
                Paragraph::new(self.timeline(inner, rows)).block(block),
                past,
            );
        }
        if log.height > 0 {
            self.draw_log(frame, log);
        }
        let text = spaced(&if self.is_ending {
            say!("pair-watch.ending")
        } else {
            say!("pair-watch.keys")
        });
        frame.render_widget(Paragraph::new(text), end);
    }

    /// The port, and how many rounds were good.
    fn draw_title(&self, frame: &mut Frame<'_>, area: Rect) {
        let title = format!(" udpcli pair --watch  {}", self.port);
        let title = fit(&title, area.width.into());
        let bold = Style::new().add_modifier(Modifier::BOLD);
        frame.render_widget(Paragraph::new(Line::styled(title, bold)), area);
        let rounds = spaced(&say!(
            "pair-watch.rounds",
            good: self.good_rounds,
            rounds: self.rounds
        ));
        frame.render_widget(Paragraph::new(Line::from(rounds).right_aligned()), area);
    }

    /// The verdict in large signs, what it means and what to do.
    fn draw_verdict(&self, frame: &mut Frame<'_>, area: Rect) {
        let (sign, color, head, text) = match &self.state {
            State::Testing => (None, BLUE, say!("pair-watch.testing"), self.step.clone()),
            State::Works => (
                Some(WORKS),
                GREEN,
                say!("pair-watch.works"),
                if self.last.as_ref().is_some_and(|last| last.oled.is_some()) {
                    say!("pair-watch.works-text")
                } else {
                    say!("pair-watch.works-text-no-oled")
                },
            ),
            State::Problem { meaning, next } => (
                Some(PROBLEM),
                RED,
                say!("pair-watch.problem", meaning = meaning.as_str()),
                say!("pair-watch.next", next = next.as_str()),
            ),
        };
        let style = if self.has_color {
            Style::new().fg(WHITE).bg(color)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        };
        frame.render_widget(Block::new().style(style), area);
        let has_sign = area.width >= SIGN;
        let [left, right] = Layout::horizontal([
            Constraint::Length(if has_sign { 13 } else { 1 }),
            Constraint::Fill(1),
        ])
        .areas(area);
        if let (Some(rows), true) = (sign, has_sign) {
            let lines: Vec<Line<'_>> = rows.iter().map(|row| format!("  {row}").into()).collect();
            frame.render_widget(Paragraph::new(lines).style(style), left);
        }
        // The state first; its meaning and the next step get the remaining rows.
        let bold = style.add_modifier(Modifier::BOLD);
        let rows = |text: &str| wrap::rows(text, usize::from(right.width)).into_iter();
        let lines: Vec<Line<'_>> = rows(&head)
            .map(|row| Line::styled(row, bold))
            .chain(rows(&text).map(|row| Line::styled(row, style)))
            .collect();
        frame.render_widget(
            Paragraph::new(lines).style(style).wrap(Wrap { trim: true }),
            right,
        );
    }

    /// The board's OLED, as it was in the last round.
    fn draw_oled(&self, frame: &mut Frame<'_>, area: Rect, oled: Oled) {
        let shown = self.last.as_ref().and_then(|last| last.oled.as_ref());
        let sign = match shown {
            Some((_, true)) => " OLED ✓ ",
            Some((_, false)) => " OLED ✗ ",
            None => " OLED ",
        };
        let lines: Vec<Line<'_>> = shown.map_or_else(Vec::new, |(screen, _)| match oled {
            Oled::Picture(style) => {
                let paint = if self.has_color {
                    Style::new().fg(Color::White).bg(Color::Black)
                } else {
                    Style::new()
                };
                let rows = style.rows(screen).into_iter();
                rows.map(|row| Line::styled(row, paint)).collect()
            }
            Oled::Texts => {
                let rows = text::rows(screen, false).into_iter();
                rows.map(Line::from).collect()
            }
        });
        let block = Block::bordered().title(sign);
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }

    /// The figures of the last round.
    fn draw_figures(&self, frame: &mut Frame<'_>, area: Rect) {
        let mut lines = Vec::new();
        let mut title = String::new();
        if let Some(last) = &self.last {
            title = spaced(&say!("pair-watch.round-title", round: last.number));
            let millis = u64::try_from(last.time.as_millis())
                .unwrap_or(u64::MAX)
                .max(1);
            for (step, way) in [(Step::PcToBoard, last.down), (Step::BoardToPc, last.up)] {
                let rate = way.received.saturating_mul(10_000) / millis;
                lines.push(say!(
                    "pair-watch.way",
                    direction = words::pair::step_name(step),
                    came = super::super::fraction(way),
                    rate = format!("{}.{}", rate / 10, rate % 10)
                ));
            }
            if let Some([min, median, p99, max]) = last.rtt {
                lines.push(say!(
                    "pair-watch.rtt",
                    min = seconds(min),
                    median = seconds(median),
                    p99 = seconds(p99),
                    max = seconds(max)
                ));
            }
            if let Some((screen, is_right)) = &last.oled {
                let texts: Vec<String> = screen
                    .texts
                    .iter()
                    .map(|text| text.text.trim_end().chars().map(glyph).collect())
                    .collect();
                let texts = sanitize::for_terminal(&texts.join(" | ")).into_owned();
                lines.push(if *is_right {
                    say!("pair-watch.oled-right", texts = texts)
                } else {
                    say!("pair-watch.oled-other", texts = texts)
                });
            }
            if !last.last.is_empty() {
                lines.push(String::new());
                lines.push(say!("pair-watch.last-datagrams"));
            }
            for (len, gap) in &last.last {
                lines.push(say!(
                    "pair-watch.datagram",
                    len: *len,
                    gap = seconds(*gap)
                ));
            }
        }
        let width = usize::from(area.width.saturating_sub(2));
        let lines: Vec<Line<'_>> = lines.iter().map(|line| fit(line, width).into()).collect();
        let block = Block::bordered().title(title);
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }

    /// The last lines of the log.
    fn draw_log(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = usize::from(area.width.saturating_sub(2));
        let rows = usize::from(area.height.saturating_sub(2));
        let skipped = self.log.len().saturating_sub(rows);
        let line = |line: &super::LogLine| {
            let (sign, color) = match line.verdict {
                None => ("", None),
                Some(Verdict::Passed | Verdict::Skipped) => ("✓ ", None),
                Some(Verdict::Warned | Verdict::Interrupted) => {
                    ("! ", Some(Color::Indexed(palette::ORANGE)))
                }
                Some(Verdict::Failed) => ("✗ ", Some(Color::Indexed(palette::RED))),
            };
            let text = fit(&format!("{sign}{}", line.text), width);
            match color {
                Some(color) if self.has_color => Line::styled(text, Style::new().fg(color)),
                _ => Line::from(text),
            }
        };
        let lines: Vec<Line<'_>> = self.log.iter().skip(skipped).map(line).collect();
        let block = Block::bordered().title(spaced(&say!("pair-watch.log")));
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }
}
