//! What the live view shows.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, RenderDirection, Sparkline};

use crate::pair::results::{Step, StepResult, Verdict};
use crate::pair::watch::{DirectionCounts, RoundResults};
use crate::terminal::panel::picture;
use crate::terminal::sanitize;
use crate::text::seconds;
use crate::words;
use crate::words::catalogue::say;

/// Rounds that are kept: more than a terminal is wide.
const KEPT: usize = 512;

/// Lines of messages that are kept.
const MESSAGES: usize = 6;

/// Log lines that are kept and shown, where there are any.
const LOG: usize = 5;

/// The OLED as braille with its frame.
const PANEL: (u16, u16) = (66, 18);

/// One direction's past, the newest first.
#[derive(Debug, Default)]
struct Past {
    total: DirectionCounts,
    /// Datagrams a second, times ten.
    rate: VecDeque<u64>,
    /// Percent.
    loss: VecDeque<u64>,
}

impl Past {
    fn add(&mut self, way: DirectionCounts, time: Duration) {
        self.total.sent += way.sent;
        self.total.received += way.received;
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        push(&mut self.rate, way.received.saturating_mul(10_000) / millis);
        push(&mut self.loss, way.loss());
    }
}

fn push(values: &mut VecDeque<u64>, value: u64) {
    values.truncate(KEPT - 1);
    values.push_front(value);
}

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct RoundsView {
    title: String,
    messages: VecDeque<(Verdict, String)>,
    /// What would be on stderr.
    log: VecDeque<String>,
    down: Past,
    up: Past,
    /// Median, in microseconds.
    rtt: VecDeque<u64>,
    last: Option<RoundResults>,
    is_ending: bool,
}

impl RoundsView {
    pub(super) fn new(port: &str) -> Self {
        Self {
            title: format!(" udpcli pair --watch  {} ", sanitize::for_terminal(port)),
            ..Self::default()
        }
    }

    /// A step has ended.
    pub(super) fn step(&mut self, step: &StepResult) {
        let mut text = say!(
            "pair-watch.step",
            step = words::pair::step_name(step.step),
            seen = words::pair::said(&step.seen)
        );
        for finding in &step.findings {
            text.push_str(" - ");
            text.push_str(&say!(
                "pair-watch.finding",
                meaning = words::pair::meaning(finding.diagnosis),
                next = words::pair::next(finding.diagnosis)
            ));
        }
        if step.step == Step::Serial {
            self.messages.clear();
        }
        self.messages.truncate(MESSAGES - 1);
        self.messages
            .push_front((step.verdict, sanitize::for_terminal(&text).into_owned()));
    }

    /// A line for the log.
    pub(super) fn message(&mut self, line: String) {
        while self.log.len() >= LOG {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    /// A round has ended.
    pub(super) fn round(&mut self, round: RoundResults) {
        self.down.add(round.down, round.time);
        self.up.add(round.up, round.time);
        let median = round.rtt.map_or(0, |[_, median, ..]| median.as_micros());
        push(&mut self.rtt, u64::try_from(median).unwrap_or(u64::MAX));
        self.last = Some(round);
    }

    /// Ctrl-C was pressed.
    pub(super) fn ending(&mut self) {
        self.is_ending = true;
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let log = u16::try_from(self.log.len()).map_or(0, |lines| lines + 2 * u16::from(lines > 0));
        let has_panel = area.height >= PANEL.1 + 13 + log && area.width >= PANEL.0;
        let [messages, ways, rtt, below, log, end] = Layout::vertical([
            Constraint::Length(4),
            Constraint::Min(5),
            Constraint::Length(3),
            Constraint::Length(if has_panel { PANEL.1 } else { 3 }),
            Constraint::Length(log),
            Constraint::Length(1),
        ])
        .areas(area);
        self.draw_messages(frame, messages);
        let [down, up] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(ways);
        draw_way(frame, down, Step::PcToBoard, &self.down);
        draw_way(frame, up, Step::BoardToPc, &self.up);
        let title = self.last.as_ref().and_then(|last| last.rtt).map_or_else(
            || " RTT ".to_owned(),
            |[min, median, p99, max]| {
                spaced(&say!(
                    "pair-watch.rtt",
                    min = seconds(min),
                    median = seconds(median),
                    p99 = seconds(p99),
                    max = seconds(max)
                ))
            },
        );
        frame.render_widget(
            Sparkline::default()
                .direction(RenderDirection::RightToLeft)
                .block(Block::bordered().title(title))
                .data(&self.rtt)
                .style(Style::new().fg(Color::Cyan)),
            rtt,
        );
        let [panel, last] = Layout::horizontal([
            Constraint::Length(if has_panel { PANEL.0 } else { 0 }),
            Constraint::Fill(1),
        ])
        .areas(below);
        if has_panel {
            self.draw_panel(frame, panel);
        }
        self.draw_last(frame, last);
        let lines: Vec<Line<'_>> = self.log.iter().map(|line| line.as_str().into()).collect();
        frame.render_widget(
            Paragraph::new(lines).block(Block::bordered().title(spaced(&say!("pair-watch.log")))),
            log,
        );
        let text = spaced(&if self.is_ending {
            say!("pair-watch.ending")
        } else {
            say!("pair-watch.keys")
        });
        frame.render_widget(Paragraph::new(text), end);
    }

    fn draw_messages(&self, frame: &mut Frame<'_>, area: Rect) {
        let lines: Vec<Line<'_>> = self
            .messages
            .iter()
            .map(|(verdict, text)| {
                let color = match verdict {
                    Verdict::Failed => Color::Red,
                    Verdict::Warned | Verdict::Interrupted => Color::Yellow,
                    Verdict::Passed | Verdict::Skipped => Color::Reset,
                };
                Line::styled(text.as_str(), Style::new().fg(color))
            })
            .collect();
        frame.render_widget(
            Paragraph::new(lines).block(Block::bordered().title(self.title.as_str())),
            area,
        );
    }

    fn draw_panel(&self, frame: &mut Frame<'_>, area: Rect) {
        let oled = self.last.as_ref().and_then(|last| last.oled.as_ref());
        let title = match oled {
            Some((_, true)) => spaced(&say!("pair-watch.oled-right")),
            Some((_, false)) => spaced(&say!("pair-watch.oled-other")),
            None => spaced("OLED"),
        };
        let rows = oled.map_or_else(Vec::new, |(screen, _)| {
            picture::PixelStyle::Braille { color: false }.rows(screen)
        });
        let lines: Vec<Line<'_>> = rows.into_iter().map(Line::from).collect();
        frame.render_widget(
            Paragraph::new(lines).block(Block::bordered().title(title)),
            area,
        );
    }

    fn draw_last(&self, frame: &mut Frame<'_>, area: Rect) {
        let mut lines = Vec::new();
        if let Some(last) = &self.last {
            for (len, gap) in &last.last {
                lines.push(Line::from(say!(
                    "pair-watch.datagram",
                    len: *len,
                    gap = seconds(*gap)
                )));
            }
            if let Some((screen, _)) = &last.oled {
                for text in &screen.texts {
                    lines.push(Line::from(format!(
                        "OLED: {}",
                        sanitize::for_terminal(&text.text)
                    )));
                }
            }
        }
        let round = self.last.as_ref().map_or(0, |last| last.number);
        let title = spaced(&say!("pair-watch.last-datagrams", round: round));
        frame.render_widget(
            Paragraph::new(lines).block(Block::bordered().title(title)),
            area,
        );
    }
}

/// A text in the frame of a box, or in the last line.
fn spaced(text: &str) -> String {
    format!(" {text} ")
}

fn draw_way(frame: &mut Frame<'_>, area: Rect, direction: Step, past: &Past) {
    let rate = past.rate.front().copied().unwrap_or(0);
    let rate = spaced(&say!(
        "pair-watch.rate",
        direction = words::pair::step_name(direction),
        rate = format!("{}.{}", rate / 10, rate % 10)
    ));
    let total = past.total;
    let lost = spaced(&say!(
        "pair-watch.lost",
        percent: past.loss.front().copied().unwrap_or(0),
        lost: total.sent.saturating_sub(total.received),
        sent: total.sent
    ));
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(area);
    frame.render_widget(
        Sparkline::default()
            .direction(RenderDirection::RightToLeft)
            .block(Block::bordered().title(rate))
            .data(&past.rate)
            .style(Style::new().fg(Color::Green)),
        above,
    );
    frame.render_widget(
        Sparkline::default()
            .direction(RenderDirection::RightToLeft)
            .block(Block::bordered().title(lost))
            .data(&past.loss)
            .max(100)
            .style(Style::new().fg(Color::Red)),
        below,
    );
}
