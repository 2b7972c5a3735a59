//! Log lines, data, progress and the OLED's panel on one terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::emulator::Emulator;

/// A name that is too long for a bar in 40 columns.
const FILE: &str = "课程/第一课/main.py";

/// The expected screen.
#[derive(Default)]
struct Expected {
    columns: usize,
    /// Whole lines, the oldest first.
    lines: Vec<String>,
    /// The text on the panel.
    panel: Option<String>,
    has_progress: bool,
    /// An incomplete line.
    tail: String,
}

/// A line, wrapped as by a terminal with this many columns.
fn broken(line: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut used = 0;
    for character in line.chars() {
        let width = character.width().unwrap();
        if used + width > columns {
            rows.push(String::new());
            used = 0;
        }
        used += width;
        rows.last_mut().unwrap().push(character);
    }
    rows.iter().map(|row| row.trim_end().to_owned()).collect()
}

/// A message in rows of at most `columns` cells, broken between words; all but the first are indented.
fn wrapped(message: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in message.split_whitespace() {
        let row = rows.last_mut().unwrap();
        let is_first = row.trim().is_empty();
        if !is_first && row.width() + 1 + word.width() > columns {
            rows.push(format!("  {word}"));
        } else {
            row.push_str(if is_first { "" } else { " " });
            row.push_str(word);
        }
    }
    rows
}

impl Expected {
    fn panel(text: &str) -> Vec<String> {
        let row = |text: &str| format!("│{text}{}│", " ".repeat(21 - text.width()));
        vec![
            "┌─────────────────────┐".to_owned(),
            row(text),
            row(""),
            row(""),
            row(""),
            "└─────────────────────┘".to_owned(),
        ]
    }

    /// Whether the screen equals this one, apart from the bar's rate and time.
    fn is_shown(&self, rows: &[String]) -> bool {
        let mut expected: Vec<Option<String>> = Vec::new();
        let lines = self.lines.iter();
        expected.extend(lines.flat_map(|line| broken(line, self.columns)).map(Some));
        if let Some(text) = &self.panel {
            expected.extend(Self::panel(text).into_iter().map(Some));
        }
        expected.extend(self.has_progress.then_some(None));
        if !self.tail.is_empty() {
            expected.push(Some(self.tail.clone()));
        }
        expected.len() == rows.len()
            && expected
                .iter()
                .zip(rows)
                .all(|(expected, row)| match expected {
                    Some(expected) => expected == row,
                    None => self.is_bar(row),
                })
    }

    fn is_bar(&self, row: &str) -> bool {
        let bar = row.chars().filter(|char| matches!(char, '█' | '░'));
        row.starts_with("课程/")
            && row.contains(" 42 %")
            && row.width() < self.columns
            && bar.count() >= 5
            && (self.columns < 80 || row.contains("B/s"))
            && (self.columns < 200
                || row.contains(&format!("{FILE} ")) && row.contains("420 of 1000 bytes"))
    }
}

#[test]
fn log_data_progress_and_panel_share_the_terminal() {
    for order in [[40, 80, 200], [200, 80, 40], [80, 40, 200]] {
        let columns = order[0];
        let mut expected = Expected {
            columns: columns.into(),
            ..Expected::default()
        };
        let mut terminal = Emulator::start(columns, false);
        terminal.tell("begin");
        let mut step = |terminal: &mut Emulator, order: &str, change: &dyn Fn(&mut Expected)| {
            terminal.tell(order);
            change(&mut expected);
            terminal.until(order, |rows| expected.is_shown(rows));
        };
        step(&mut terminal, "log 第一行 first", &|e| {
            e.lines.push("第一行 first".into());
        });
        step(&mut terminal, "panel 你好 mPython", &|e| {
            e.panel = Some("你好 mPython".into());
        });
        step(&mut terminal, &format!("progress 420 {FILE}"), &|e| {
            e.has_progress = true;
        });
        let long = format!("{}长长的一行 {}", "a long line ".repeat(4), "b".repeat(30));
        step(&mut terminal, &format!("log {long}"), &|e| {
            e.lines.extend(wrapped(&long, e.columns - 1));
        });
        step(&mut terminal, "warn 小心", &|e| {
            e.lines.push("warning: 小心".into());
        });
        step(&mut terminal, "line 数据 data", &|e| {
            e.lines.push("数据 data".into());
        });
        step(&mut terminal, "data 没有完", &|e| {
            e.tail = "没有完".into();
        });
        for columns in order.into_iter().skip(1).chain([columns, 41, 199]) {
            expected.columns = columns.into();
            terminal.resize(columns);
            terminal.until(&format!("{columns} columns"), |rows| {
                expected.is_shown(rows)
            });
            let said = format!("now {columns} 列");
            terminal.tell(&format!("log {said}"));
            expected.lines.push(said.clone());
            terminal.until(&said, |rows| expected.is_shown(rows));
            let text = format!("面板 {columns}");
            terminal.tell(&format!("panel {text}"));
            expected.panel = Some(text.clone());
            terminal.until(&text, |rows| expected.is_shown(rows));
        }
        // The line is complete now, above the other lines.
        terminal.tell("line  完了");
        expected.tail = String::new();
        expected.lines.push("没有完 完了".to_owned());
        terminal.until("the whole line", |rows| expected.is_shown(rows));
        terminal.tell("done");
        expected.has_progress = false;
        terminal.until("no bar", |rows| expected.is_shown(rows));
        // The panel stays in place, and later output is below it.
        terminal.tell("keep");
        terminal.tell("log 最后 last");
        let panel = expected.panel.take().unwrap();
        expected.lines.extend(Expected::panel(&panel));
        expected.lines.push("最后 last".to_owned());
        terminal.until("the end", |rows| expected.is_shown(rows));
        terminal.end();
    }
}

#[test]
fn a_question_stays_below_messages_and_progress() {
    for columns in [40, 80, 200] {
        let mut terminal = Emulator::start(columns, false);
        terminal.tell("begin");
        terminal.tell("ask 密码 of class");
        let question = "密码 of class:";
        terminal.until("the question", |rows| rows == [question]);
        terminal.tell("log 第一 said meanwhile");
        terminal.until("a message above it", |rows| {
            rows == ["第一 said meanwhile", question]
        });
        terminal.tell(&format!("progress 420 {FILE}"));
        terminal.until(
            "progress above it",
            |rows| matches!(rows, [_, bar, asked] if bar.starts_with("课程/") && asked == question),
        );
        terminal.tell("log and again");
        terminal.until("a message above both", |rows| {
            matches!(rows, [_, said, bar, asked]
                if said == "and again" && bar.starts_with("课程/") && asked == question)
        });
        terminal.tell("done");
        terminal.until("no bar", |rows| rows.len() == 3);
        terminal.type_in("geheim 密\r");
        terminal.tell("answer");
        // The question does not show the typed text.
        terminal.until("the answer", |rows| {
            rows == [
                "第一 said meanwhile",
                "and again",
                question,
                "answered geheim 密",
            ]
        });
        assert!(terminal.is_cooked());
        terminal.end();
    }
}

/// The rows as one text, because the terminal wrapped the lines.
fn joined(rows: &[String]) -> String {
    rows.concat()
}

#[test]
fn listen_shows_its_panel_below_everything_it_says() {
    let args = [
        "listen",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "--oled",
        "--recv-size",
        "40",
        "--color",
        "never",
        "-v",
    ];
    for order in [[40, 80, 200], [200, 80, 40]] {
        let mut terminal = Emulator::udpcli(order[0], &args);
        let rows = terminal.until("the panel", |rows| {
            rows.last().is_some_and(|row| row.starts_with('└'))
        });
        let said = joined(&rows);
        let (_, after) = said.split_once("listening on ").unwrap();
        let port: String = after
            .strip_prefix("127.0.0.1:")
            .unwrap()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = format!("127.0.0.1:{port}");
        let mut sent = Vec::new();
        for (index, columns) in order.into_iter().chain([order[0], 60]).enumerate() {
            if index > 0 {
                terminal.resize(columns);
            }
            // More than the limit, so a warning appears.
            let text = format!("第{index}个 {}", "x".repeat(50));
            socket.send_to(text.as_bytes(), &address).unwrap();
            sent.push(format!("第{index}个 "));
            let shown = text.chars().take(16).collect::<String>();
            terminal.until(&format!("{columns}: {text}"), |rows| {
                let Some(top) = rows.len().checked_sub(6) else {
                    return false;
                };
                let (above, panel) = rows.split_at(top);
                let above = joined(above);
                // The panel is complete, at the end, and the only one; each datagram appears once.
                panel[0] == "┌─────────────────────┐"
                    && panel[2].starts_with(&format!("│{shown}"))
                    && panel[3] == "│from127.0.0.1        │"
                    && panel[5] == "└─────────────────────┘"
                    && !above.contains(['┌', '│', '└'])
                    && sent
                        .iter()
                        .all(|text| above.matches(text.as_str()).count() == 1)
            });
        }
        terminal.type_in("\u{3}");
        terminal.wait();
        terminal.until("the summary below the panel", |rows| {
            let bottom = rows.iter().position(|row| row.starts_with('└'));
            let below = joined(&rows[bottom.map_or(0, |at| at + 1)..]);
            bottom.is_some() && below.contains("5 datagrams, ") && below.contains("5 truncated")
        });
    }
}

#[test]
fn help_has_colours_and_shows_no_escapes() {
    for args in [&["--help"][..], &["send", "--help"], &["board", "--help"]] {
        let mut terminal = Emulator::udpcli(100, args);
        terminal.wait();
        terminal.until("help", |rows| joined(rows).contains("Examples:"));
        let sent = String::from_utf8_lossy(&terminal.sent()).into_owned();
        assert!(
            sent.contains("\x1b[1m") && !sent.contains("\\u001b"),
            "{args:?}: {sent:?}"
        );
    }
}

#[test]
fn what_is_done_leaves_its_line_where_that_is_wanted() {
    let mut terminal = Emulator::start(100, false);
    terminal.tell("begin");
    terminal.tell("flash 420 固件 firmware");
    terminal.until("the bar", |rows| {
        matches!(rows, [bar] if bar.starts_with("固件 firmware █") && bar.contains("420 of 1000 bytes"))
    });
    terminal.tell("flash 1000 固件 firmware");
    let line = |row: &str| row.starts_with("固件 firmware 100 %  1000 of 1000 bytes");
    terminal.until("its end", |rows| matches!(rows, [done] if line(done)));
    // The next piece of work has its own bar, and a repeated report makes no second line.
    terminal.tell("flash 1000 固件 firmware");
    terminal.tell("flash 100 next");
    terminal.until("the next bar", |rows| {
        matches!(rows, [done, bar] if line(done) && bar.starts_with("next █") && bar.contains(" 10 %"))
    });
    terminal.end();
}

#[test]
fn a_message_begins_on_a_line_of_its_own() {
    let mut terminal = Emulator::start(80, false);
    terminal.tell("begin");
    for order in [
        "data no end",
        "log said",
        "line data",
        "data >>> ",
        "log again",
        "data rest",
    ] {
        terminal.tell(order);
    }
    terminal.until("lines", |rows| {
        rows == ["no end", "said", "data", ">>>", "again", "rest"]
    });
    terminal.end();
}

#[test]
fn a_finding_is_broken_between_words_and_its_rest_is_indented() {
    let mut terminal = Emulator::udpcli(40, &["doctor"]);
    terminal.wait();
    let rows = terminal.until("findings", |rows| joined(rows).contains("[port-"));
    assert!(rows.iter().any(|row| row.starts_with("  ")), "{rows:?}");
    for row in &rows {
        let begins = ["  ", "ok: ", "warning: ", "problem: ", "udpcli: "];
        assert!(
            begins.iter().any(|begin| row.starts_with(begin)),
            "{rows:#?}"
        );
    }
}
