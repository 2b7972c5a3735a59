//! The drawing of the wall.

use std::io;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::{Board, LOG, TileEnd, WallView};
use crate::cli::board::oled::tiles::{Grid, Kind, TEXT_ROWS};
use crate::render::palette;
use crate::terminal::panel::picture;
use crate::terminal::panel::screen::Screen;
use crate::terminal::panel::{PanelNote, TerminalLimits, text};
use crate::terminal::sanitize;
use crate::text::cells::fit;
use crate::text::wrap;
use crate::words;
use crate::words::catalogue::say;

/// The escape sequences around reversed text in a row of the panel.
const REVERSE: (&str, &str) = ("\x1b[7m", "\x1b[27m");

impl WallView {
    /// Draws the whole wall. False if the terminal is gone.
    pub(super) fn draw(&mut self) -> io::Result<bool> {
        let Self {
            wall,
            boards,
            wanted,
            first,
            grid,
            errors,
            log,
            is_ending,
            screen,
            ..
        } = self;
        screen.draw(|frame| {
            if let Some(row) = errors {
                return draw_errors(frame, boards, row);
            }
            let lines = newest(log, frame.area().width.into());
            let log_rows = u16::try_from(lines.len()).unwrap_or(0);
            let [tiles, below, keys] = Layout::vertical([
                Constraint::Fill(1),
                Constraint::Length(log_rows),
                Constraint::Length(1),
            ])
            .areas(frame.area());
            let mut terminal = TerminalLimits::of_stderr();
            terminal.columns = tiles.width.into();
            terminal.rows = tiles.height.into();
            let new = Grid::for_boards(boards.len(), *wanted, terminal);
            *grid = Some(new);
            let page = new.capacity().max(1);
            // Whole pages, so that a board stays in its tile while the user turns pages.
            let last = boards.len().saturating_sub(1) / page * page;
            *first = (*first / page * page).min(last);
            let screens = wall.screens();
            let shown = boards.iter().skip(*first).take(page).enumerate();
            for (slot, board) in shown {
                let screen = screens.get(&board.lane.place());
                let area = place(new, slot, tiles);
                draw_tile(frame, area, new, board, screen, terminal.color);
            }
            let lines: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
            frame.render_widget(Paragraph::new(lines), below);
            let end = end_line(boards, *first, page, *is_ending);
            frame.render_widget(Paragraph::new(fit(&end, keys.width.into())), keys);
        })
    }
}

/// What is wrong with each board that failed and what to do, in full: a tile has no room for that.
fn draw_errors(frame: &mut Frame<'_>, boards: &[Board], first: &mut usize) {
    let [page, keys] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    let width = usize::from(page.width);
    let mut rows: Vec<Line<'_>> = Vec::new();
    for board in boards {
        let Some(TileEnd::Failed { message, hint }) = &board.end else {
            continue;
        };
        let mut add = |text: &str, style: Style| {
            let text = wrap::message(&sanitize::for_terminal(text), width, 2);
            let lines = text.lines().map(|row| Line::styled(fit(row, width), style));
            rows.extend(lines);
        };
        add(
            &say!("oled-wall.error", who = board.who(), error = message),
            Style::new().add_modifier(Modifier::BOLD),
        );
        if let Some(hint) = hint {
            add(&format!("  {hint}"), Style::new());
        }
    }
    // As far down as there is something to read.
    *first = (*first).min(rows.len().saturating_sub(page.height.into()));
    let shown: Vec<_> = rows.into_iter().skip(*first).collect();
    frame.render_widget(Paragraph::new(shown), page);
    let end = fit(&say!("oled-wall.keys-of-errors"), keys.width.into());
    frame.render_widget(Paragraph::new(end), keys);
}

/// The newest messages in at most [`LOG`] rows, broken between words.
fn newest(log: &[String], width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for message in log.iter().rev() {
        let broken = wrap::message(message, width, 2);
        let broken: Vec<String> = broken.lines().map(|row| fit(row, width)).collect();
        if !rows.is_empty() && rows.len() + broken.len() > LOG {
            break;
        }
        rows.splice(..0, broken);
    }
    if rows.len() > LOG {
        rows.truncate(LOG);
        if let Some(last) = rows.last_mut() {
            *last = cut(last, width);
        }
    }
    rows
}

/// A row after which text is left out, with the sign for that.
fn cut(row: &str, width: usize) -> String {
    let room = fit(row, width.saturating_sub(2));
    format!("{} …", room.trim_end_matches([' ', '…']))
}

/// The last line: the state of the boards, and the keys.
fn end_line(boards: &[Board], first: usize, page: usize, is_ending: bool) -> String {
    if is_ending {
        return say!("oled-wall.ending");
    }
    let failed = boards.iter().filter(|board| board.has_failed()).count();
    let shown = say!(
        "oled-wall.boards",
        first: (first + 1).min(boards.len()),
        last: (first + page).min(boards.len()),
        count: boards.len(),
        failed: failed
    );
    let keys = match (boards.len() > page, failed > 0) {
        (false, false) => say!("oled-wall.keys"),
        (true, false) => say!("oled-wall.keys-pages"),
        (false, true) => say!("oled-wall.keys-errors"),
        (true, true) => say!("oled-wall.keys-pages-errors"),
    };
    format!("{keys}   {shown}")
}

/// The area of the tile with this number.
fn place(grid: Grid, slot: usize, area: Rect) -> Rect {
    let cells = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let (width, height) = grid.kind.inner();
    let (column, row) = (
        slot % grid.columns.max(1),
        slot.checked_div(grid.columns).unwrap_or(0),
    );
    let tile = match grid.kind {
        Kind::Line => Rect::new(area.x, area.y + cells(row), area.width, 1),
        _ => Rect::new(
            area.x + cells(column * (width + 2)),
            area.y + cells(row * (height + 1)),
            cells(width + 2),
            cells(height + 2),
        ),
    };
    tile.intersection(area)
}

/// The state of the board: a sign that works without colour, and the style.
fn mark(board: &Board, color: bool) -> (&'static str, Style) {
    match &board.end {
        Some(TileEnd::Failed { .. }) if color => (
            "✗ ",
            Style::new()
                .fg(Color::Indexed(palette::RED))
                .add_modifier(Modifier::BOLD),
        ),
        Some(TileEnd::Failed { .. }) => ("✗ ", Style::new().add_modifier(Modifier::BOLD)),
        Some(TileEnd::Done) => ("· ", Style::new()),
        None => ("", Style::new().add_modifier(Modifier::BOLD)),
    }
}

/// The text in the frame besides the name.
fn notes(board: &Board, screen: Option<&Screen>) -> String {
    let mut notes = Vec::new();
    if board.end == Some(TileEnd::Done) {
        notes.push(say!("oled-wall.ended"));
    }
    if let Some(screen) = screen {
        if !screen.on {
            notes.push(words::panel_note(PanelNote::Off));
        }
        if screen.inverted {
            notes.push(words::panel_note(PanelNote::Inverted));
        }
        if !screen.whole {
            notes.push(words::panel_note(PanelNote::Incomplete));
        }
    }
    notes.join(" ")
}

/// Draws a board: its name in the frame, and in it its screen, its error, or what it is doing.
fn draw_tile(
    frame: &mut Frame<'_>,
    area: Rect,
    grid: Grid,
    board: &Board,
    screen: Option<&Screen>,
    color: bool,
) {
    let (sign, style) = mark(board, color);
    if grid.kind == Kind::Line {
        let what = in_a_line(board, screen);
        let line = say!("fleet.cause", who = board.who(), what = what);
        let line = format!("{sign}{line}");
        let line = fit(&line, area.width.into());
        frame.render_widget(Paragraph::new(Line::styled(line, style)), area);
        return;
    }
    let inner = usize::from(area.width.saturating_sub(2));
    let notes = notes(board, screen);
    // The name has at least half of the edge.
    let notes = fit(&notes, inner / 2 - 1);
    let used = if notes.is_empty() {
        0
    } else {
        unicode_width::UnicodeWidthStr::width(notes.as_str()) + 2
    };
    let mut title = format!("{sign}{}", board.who());
    // If there is room, show the port, which helps to find the board on the table.
    if board.lane.name().is_some() && inner > 40 {
        title = format!("{title}  {}", sanitize::for_terminal(&board.lane.place()));
    }
    let title = fit(&title, inner.saturating_sub(used + 2));
    let mut block = Block::bordered().title(Span::styled(format!(" {title} "), style));
    if !notes.is_empty() {
        block = block.title(Line::from(format!(" {notes} ")).right_aligned());
    }
    let content = match (&board.end, screen) {
        (Some(TileEnd::Failed { message, hint }), _) => {
            let mut rows = wrap::rows(&sanitize::for_terminal(message), inner);
            if let Some(hint) = hint {
                rows.extend(wrap::rows(&sanitize::for_terminal(hint), inner));
            }
            let room = usize::from(area.height.saturating_sub(2));
            if rows.len() > room {
                rows.truncate(room);
                if let Some(last) = rows.last_mut() {
                    *last = cut(last, inner);
                }
            }
            let lines: Vec<Line<'_>> = rows.into_iter().map(Line::from).collect();
            Paragraph::new(lines).wrap(Wrap { trim: true })
        }
        (_, None) => {
            let note = wrap::rows(&sanitize::for_terminal(&board.lane.note()), inner);
            Paragraph::new(note.join("\n"))
                .wrap(Wrap { trim: true })
                .style(Style::new().add_modifier(Modifier::DIM))
        }
        (_, Some(screen)) => Paragraph::new(panel(grid.kind, screen, color)),
    };
    frame.render_widget(content.block(block), area);
    join_edges(frame, area, grid);
}

/// Merges the lower edge of the tile above with the upper edge of this tile.
fn join_edges(frame: &mut Frame<'_>, area: Rect, grid: Grid) {
    let height = u16::try_from(grid.kind.inner().1 + 1).unwrap_or(u16::MAX);
    if area.y < height || area.width == 0 {
        return;
    }
    for (x, corner) in [(area.x, "├"), (area.right() - 1, "┤")] {
        if let Some(cell) = frame.buffer_mut().cell_mut((x, area.y)) {
            cell.set_symbol(corner);
        }
    }
}

/// The panel's content.
fn panel(kind: Kind, screen: &Screen, color: bool) -> Vec<Line<'static>> {
    match kind {
        Kind::Picture(style) => {
            // The escape sequences in lines reverse white and black; here a style does it.
            let (style, paint) = match style {
                picture::PixelStyle::HalfBlocks { color } => {
                    (picture::PixelStyle::HalfBlocks { color: false }, color)
                }
                picture::PixelStyle::Braille { color } => {
                    (picture::PixelStyle::Braille { color: false }, color)
                }
                picture::PixelStyle::Ascii => (style, false),
            };
            let look = if paint {
                Style::new().fg(Color::White).bg(Color::Black)
            } else {
                Style::new()
            };
            let rows = style.rows(screen).into_iter();
            rows.map(|row| Line::styled(row, look)).collect()
        }
        Kind::Text | Kind::Line => {
            let mut rows = text::rows(screen, color);
            // Small print makes eight rows; those with text come first.
            if rows.len() > TEXT_ROWS {
                rows.retain(|row| !row.trim().is_empty());
                rows.truncate(TEXT_ROWS);
            }
            rows.iter().map(|row| reversed(row)).collect()
        }
    }
}

/// A row whose reversed parts are marked by escape sequences.
fn reversed(row: &str) -> Line<'static> {
    let mut spans = Vec::new();
    for (index, part) in row.split(REVERSE.0).enumerate() {
        let (inside, outside) = match part.split_once(REVERSE.1) {
            Some((inside, outside)) if index > 0 => (inside, outside),
            _ if index > 0 => (part, ""),
            _ => ("", part),
        };
        if !inside.is_empty() {
            let style = Style::new().add_modifier(Modifier::REVERSED);
            spans.push(Span::styled(inside.to_owned(), style));
        }
        spans.push(Span::raw(outside.to_owned()));
    }
    Line::from(spans)
}

/// All of a board in one line.
fn in_a_line(board: &Board, screen: Option<&Screen>) -> String {
    match (&board.end, screen) {
        (Some(TileEnd::Failed { message, .. }), _) => sanitize::for_terminal(message).into_owned(),
        (_, Some(screen)) => {
            let rows = text::rows(screen, false);
            let rows: Vec<&str> = rows
                .iter()
                .map(|row| row.trim())
                .filter(|row| !row.is_empty())
                .collect();
            rows.join(" | ")
        }
        (_, None) => sanitize::for_terminal(&board.lane.note()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;
    use crate::terminal::job_output::JobOutput;
    use crate::words::language::{self, Language};

    #[test]
    fn the_last_line_fits_80_columns_in_every_language() {
        for failed in [0, 64] {
            let board = |index| Board {
                lane: JobOutput::new(format!("COM{index}"), None, false),
                end: (index < failed).then(|| TileEnd::Failed {
                    message: String::new(),
                    hint: None,
                }),
            };
            let boards: Vec<Board> = (0..64).map(board).collect();
            for language in Language::ALL {
                for page in [12, 64] {
                    let line = language::within(language, || end_line(&boards, 52, page, false));
                    assert!(line.width() <= 80, "{line}");
                }
            }
        }
    }

    #[test]
    fn text_that_is_left_out_leaves_a_sign() {
        let log = ["one two three four five six seven eight nine ten".to_owned()];
        let rows = newest(&log, 20);
        assert_eq!(rows.len(), LOG);
        assert!(rows[1].ends_with(" …") && rows[1].width() <= 20, "{rows:?}");
        assert_eq!(newest(&["short".to_owned()], 20), ["short"]);
    }
}
