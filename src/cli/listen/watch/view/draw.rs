//! The drawing of the view.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use unicode_width::UnicodeWidthStr as _;

use super::SendersView;
use crate::cli::listen::watch::cells::{age, fit, left, percent, right, short};
use crate::cli::listen::watch::sender::{PAST, SenderCounts};
use crate::cli::listen::watch::table::{SenderTable, SortOrder};
use crate::datagram::Timestamp;
use crate::render::palette;
use crate::terminal::sanitize;
use crate::words::catalogue::say;

/// The narrowest text column that leaves room for a sparkline, and the sparkline's minimum width.
const TEXT: usize = 16;
const SPARKLINE: usize = 8;

/// Cells of the columns.
struct ColumnWidths {
    name: usize,
    address: usize,
    loss: usize,
    sparkline: usize,
    text: usize,
}

const COUNT: usize = 8;
const RATE: usize = 8;
const AGE: usize = 7;

impl SendersView {
    /// A style without its colours, if there is no colour.
    fn style(&self, style: Style) -> Style {
        if self.options.color {
            style
        } else {
            Style {
                fg: None,
                bg: None,
                ..style
            }
        }
    }

    /// Draws all of it.
    pub(in crate::cli::listen::watch) fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let log = u16::try_from(self.log.len()).unwrap_or(0);
        // A quarter of the rows: the view is for the table of senders.
        let newest = (area.height / 4).clamp(3, 12);
        let [title, totals, senders, newest, log, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(newest),
            Constraint::Length(log),
            Constraint::Length(1),
        ])
        .areas(area);
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let title_line = fit(&self.options.title, title.width.into());
        frame.render_widget(Paragraph::new(Line::styled(title_line, bold)), title);
        frame.render_widget(Paragraph::new(self.totals()), totals);
        self.draw_senders(frame, senders);
        self.draw_newest(frame, newest);
        let width = usize::from(log.width);
        let lines: Vec<Line<'_>> = self
            .log
            .iter()
            .map(|line| Line::from(fit(&sanitize::for_terminal(line), width)))
            .collect();
        frame.render_widget(Paragraph::new(lines), log);
        frame.render_widget(Paragraph::new(self.end_line()), keys);
    }

    /// The last line: what the keys do.
    fn end_line(&self) -> String {
        if self.is_ending {
            say!("listen-watch.ending")
        } else if self.is_typing {
            say!("listen-watch.typing", filter = self.filter.as_str())
        } else {
            say!("listen-watch.keys")
        }
    }

    /// The counts of all senders.
    fn totals(&self) -> Line<'_> {
        let (table, _) = self.shown();
        let mut text = say!(
            "listen-watch.totals",
            senders: table.senders.len(),
            datagrams = short(table.datagrams),
            bytes = short(table.bytes),
            rate = table.rate()
        );
        if let Some((lost, all)) = table.loss() {
            let percent = percent(lost as f64 / all as f64);
            text.push_str("  ");
            text.push_str(&say!(
                "listen-watch.lost",
                lost = short(lost),
                percent = percent
            ));
        }
        let mut spans = vec![Span::raw(text)];
        if self.paused.is_some() {
            spans.push(Span::raw("  "));
            spans.push(Span::styled(
                say!("listen-watch.paused"),
                Style::new().add_modifier(Modifier::REVERSED),
            ));
        }
        Line::from(spans)
    }

    /// The widths of the columns: as wide as the shown values need; the text gets the rest.
    fn widths(&self, table: &SenderTable, shown: &[&SenderCounts], inner: usize) -> ColumnWidths {
        let widest = |text: &dyn Fn(&SenderCounts) -> usize| {
            shown.iter().map(|sender| text(sender)).max().unwrap_or(0)
        };
        let name = if table.has_names {
            widest(&|sender| sender.name.width()).clamp(6, 16)
        } else {
            0
        };
        let address = widest(&|sender| sender.address.width())
            .max(say!("listen-watch.address").width())
            .clamp(19, (inner / 2).max(19));
        let loss = if self.options.has_loss { 7 } else { 0 };
        // One blank separates two columns.
        let fixed = address
            + COUNT
            + RATE
            + AGE
            + 4
            + [name, loss]
                .iter()
                .map(|width| width + usize::from(*width > 0))
                .sum::<usize>();
        let left = inner.saturating_sub(fixed);
        let sparkline = if left > TEXT + SPARKLINE {
            ((left - TEXT) / 2).clamp(SPARKLINE, PAST)
        } else {
            0
        };
        ColumnWidths {
            name,
            address,
            loss,
            sparkline,
            text: left.saturating_sub(sparkline + usize::from(sparkline > 0)),
        }
    }

    /// The names of the columns; the one that gives the order has an arrow.
    fn head(&self, widths: &ColumnWidths) -> String {
        let arrow = if self.is_reversed { '▲' } else { '▼' };
        let mut head = String::new();
        let mut column = |order: Option<SortOrder>, text: String, width: usize, is_right: bool| {
            if width == 0 {
                return;
            }
            let text = match order {
                Some(order) if order == self.order => format!("{text}{arrow}"),
                _ => text,
            };
            head.push_str(&if is_right {
                right(&text, width)
            } else {
                left(&text, width)
            });
            head.push(' ');
        };
        column(
            Some(SortOrder::Name),
            say!("listen-watch.name"),
            widths.name,
            false,
        );
        column(
            Some(SortOrder::Address),
            say!("listen-watch.address"),
            widths.address,
            false,
        );
        column(
            Some(SortOrder::Datagrams),
            say!("listen-watch.datagrams"),
            COUNT,
            true,
        );
        column(Some(SortOrder::Rate), say!("listen-watch.rate"), RATE, true);
        column(
            Some(SortOrder::Loss),
            say!("listen-watch.loss"),
            widths.loss,
            true,
        );
        column(None, say!("listen-watch.past"), widths.sparkline, false);
        column(Some(SortOrder::Age), say!("listen-watch.age"), AGE, true);
        column(None, say!("listen-watch.text"), widths.text, false);
        head
    }

    /// The table of senders.
    fn draw_senders(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let inner = usize::from(area.width.saturating_sub(2));
        // The frame and the head.
        self.room = usize::from(area.height.saturating_sub(3));
        self.offset = self.offset.min(self.rows.len().saturating_sub(self.room));
        let (table, now) = self.shown();
        let shown: Vec<&SenderCounts> = self.senders().skip(self.offset).take(self.room).collect();
        let widths = self.widths(table, &shown, inner);
        let mut lines = vec![Line::styled(
            self.head(&widths),
            Style::new().add_modifier(Modifier::BOLD),
        )];
        lines.extend(
            shown
                .iter()
                .map(|sender| self.row(table, sender, now, &widths)),
        );
        let title = if self.filter.is_empty() {
            say!(
                "listen-watch.senders",
                first: (self.offset + 1).min(self.rows.len()),
                last: self.offset + shown.len(),
                all: self.rows.len()
            )
        } else {
            say!(
                "listen-watch.senders-filtered",
                first: (self.offset + 1).min(self.rows.len()),
                last: self.offset + shown.len(),
                found: self.rows.len(),
                all: table.senders.len(),
                filter = self.filter.as_str()
            )
        };
        let rest = table.rest.as_ref().map_or_else(String::new, |rest| {
            format!(
                " {} ",
                say!("listen-watch.rest", datagrams = short(rest.datagrams))
            )
        });
        let block = Block::bordered()
            .title(format!(" {title} "))
            .title_bottom(rest);
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }

    /// A sender's row.
    fn row(
        &self,
        table: &SenderTable,
        sender: &SenderCounts,
        now: Timestamp,
        widths: &ColumnWidths,
    ) -> Line<'static> {
        let color = self.style(Style::new().fg(Color::Indexed(palette::of_sender(sender.peer))));
        let mut spans = Vec::new();
        if widths.name > 0 {
            spans.push(Span::styled(left(&sender.name, widths.name) + " ", color));
        }
        spans.push(Span::styled(
            left(&sender.address, widths.address) + " ",
            color,
        ));
        let mut figures = right(&short(sender.datagrams), COUNT) + " ";
        figures.push_str(&right(&table.rate_of(sender), RATE));
        figures.push(' ');
        if widths.loss > 0 {
            let loss = sender.loss().map_or_else(|| "-".to_owned(), percent);
            figures.push_str(&right(&loss, widths.loss));
            figures.push(' ');
        }
        spans.push(Span::raw(figures));
        if widths.sparkline > 0 {
            let sparkline = sender.sparkline(table.second, widths.sparkline);
            spans.push(Span::styled(sparkline + " ", color));
        }
        let mut rest = right(&age(now, sender.time), AGE) + " ";
        rest.push_str(&fit(&table.text(&sender.last), widths.text));
        spans.push(Span::raw(rest));
        Line::from(spans)
    }

    /// The newest datagrams.
    fn draw_newest(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let rows = usize::from(area.height.saturating_sub(2));
        let width = usize::from(area.width.saturating_sub(2));
        let mut clock = std::mem::take(&mut self.clock);
        let (table, _) = self.shown();
        let mut lines = Vec::new();
        for newest in table.newest.iter().rev().take(rows) {
            let time = String::from_utf8_lossy(clock.format(newest.time)).into_owned();
            // To the millisecond.
            let time = time.get(..12).unwrap_or(&time).to_owned();
            let peer = newest.peer.to_string();
            let len = say!("listen-watch.bytes", len: newest.payload.len);
            let used = time.width() + peer.width().max(21) + len.width() + 3;
            let text = fit(&table.text(&newest.payload), width.saturating_sub(used));
            let color =
                self.style(Style::new().fg(Color::Indexed(palette::of_sender(newest.peer))));
            lines.push(Line::from(vec![
                Span::styled(time + " ", Style::new().add_modifier(Modifier::DIM)),
                Span::styled(left(&peer, 21) + " ", color),
                Span::raw(format!("{len} {text}")),
            ]));
        }
        let block = Block::bordered().title(format!(" {} ", say!("listen-watch.newest")));
        frame.render_widget(Paragraph::new(lines).block(block), area);
        self.clock = clock;
    }
}
