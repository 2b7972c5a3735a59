use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::results::{Finding, StepNote};
use crate::pair::watch::Signal;
use crate::terminal::panel::screen::{DrawMode, DrawnText, Screen};
use crate::words::language::{self, Language};

fn text(y: i16, text: &str) -> DrawnText {
    DrawnText {
        x: 0,
        y,
        mode: DrawMode::Normal,
        text: text.to_owned(),
    }
}

/// A round in which `lost` of ten datagrams were lost, with its diagnosis.
fn round(number: u64, lost: u64, finding: Option<Diagnosis>) -> RoundResults {
    let way = DirectionCounts {
        sent: 10,
        received: 10 - lost,
    };
    let screen = Screen {
        texts: vec![text(15, "你好 hello"), text(31, "from192.168.0.5")],
        whole: true,
        ..Screen::default()
    };
    RoundResults {
        number,
        down: way,
        up: way,
        echo: way,
        rtt: (lost < 10).then_some([2, 3, 4, 5].map(Duration::from_millis)),
        signal: Signal::default(),
        time: Duration::from_secs(1),
        oled: Some((screen, true)),
        last: [(64, Duration::from_millis(50))].into(),
        findings: finding.map(Finding::plain).into_iter().collect(),
    }
}

fn view() -> RoundsView {
    let mut view = RoundsView::new("COM3", true);
    let mut step = StepResult::new(Step::Serial, StepNote::Nothing);
    step.see(StepNote::Text("answers".to_owned()));
    view.step(&step);
    view.message("a \u{1b}[31mline".escape_debug().to_string());
    for number in 1..=30 {
        view.round(round(number, 0, None));
    }
    view
}

/// The rows of a terminal of this size.
fn rows(view: &RoundsView, (columns, rows): (u16, u16)) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| view.draw(frame)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    (0..rows)
        .map(|row| {
            let mut text = String::new();
            let mut column = 0;
            while column < columns {
                let symbol = buffer[(column, row)].symbol();
                text.push_str(symbol);
                column += u16::try_from(symbol.width().max(1)).unwrap();
            }
            text
        })
        .collect()
}

#[test]
fn every_part_is_there_at_every_usual_size() {
    let view = view();
    for size in [(80, 24), (120, 40), (200, 60)] {
        let rows = rows(&view, size);
        let all = rows.join("\n");
        for part in [
            "IT WORKS",
            "▀█▄ ▄█▀",
            "30 of 30 rounds",
            "OLED ✓",
            "你好 hello | from192.168.0.5",
            "loss and RTT",
            "0 of 300 lost",
            "····",
            "RTT min/median/p99/max 2ms/3ms/4ms/5ms",
            "┌ log ",
            "✓ serial: answers",
            "q or Ctrl-C ends",
        ] {
            assert!(all.contains(part), "{size:?}: no {part}:\n{all}");
        }
        // Frames are closed, and nothing is wider than the terminal.
        assert!(rows.iter().all(|row| row.width() <= usize::from(size.0)));
        assert_eq!(all.matches('┌').count(), all.matches('┘').count());
        assert_eq!(all.matches('┐').count(), all.matches('└').count());
    }
    // The texts of the OLED, where the picture has no room.
    assert!(
        rows(&view, (80, 24))[6..10]
            .concat()
            .contains("│你好 hello           │")
    );
}

#[test]
fn a_problem_is_told_without_colours_and_with_the_hint() {
    let mut view = view();
    view.has_color = false;
    view.round(round(31, 10, Some(Diagnosis::PcFirewall)));
    let all = rows(&view, (80, 24)).join("\n");
    for part in [
        "▄█▀   ▀█▄",
        "PROBLEM: datagrams reach the board but none come back",
        "To do next: allow udpcli",
        "30 of 31 rounds",
        "·×",
        "10 of 310 lost",
    ] {
        assert!(all.contains(part), "no {part}:\n{all}");
    }
    view.round(round(32, 0, None));
    assert!(rows(&view, (80, 24)).join("\n").contains("IT WORKS"));
    // A board that is lost leaves a gap.
    let mut step = StepResult::new(Step::CleanUp, StepNote::Nothing);
    step.fail(Finding::plain(Diagnosis::SerialLost));
    view.step(&step);
    let all = rows(&view, (80, 24)).join("\n");
    assert!(
        all.contains("PROBLEM: the board stopped answering"),
        "{all}"
    );
    assert!(all.contains("✗ clean-up"), "{all}");
    assert!(all.contains("·×·  "), "{all}");
}

/// The view on a terminal of 80 columns, while all works and with a problem.
#[test]
fn the_view_is_shown_in_both_languages() {
    for language in Language::ALL {
        let shown = language::within(language, || {
            let mut view = view();
            let works = rows(&view, (80, 24)).join("\n");
            view.round(round(31, 10, Some(Diagnosis::PcFirewall)));
            let problem = rows(&view, (80, 24)).join("\n");
            format!("{works}\n\n{problem}\n")
        });
        assert!(
            shown.lines().all(|row| [0, 80].contains(&row.width())),
            "{shown}"
        );
        let shown: String = shown
            .lines()
            .flat_map(|row| [row.trim_end(), "\n"])
            .collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/terminal")
            .join(format!("pair-watch.{}.txt", language.tag()));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &shown).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(shown, kept, "{}: UPDATE_DOCS=1 writes it", path.display());
    }
}

#[test]
fn the_smallest_terminals_break_nothing() {
    let mut view = view();
    for columns in [1, 2, 5, 12, 22, 23, 40, 59, 60, 79] {
        for height in [1, 2, 5, 9, 11, 12, 15, 16, 20, 23] {
            rows(&view, (columns, height));
        }
    }
    // The verdict, the OLED and the keys are what stays longest.
    let all = rows(&view, (60, 12)).join("\n");
    assert!(all.contains("IT WORKS") && all.contains("你好 hello") && all.contains("q or"));
    view.ending();
    assert!(rows(&view, (80, 24))[23].contains("leaving the board"));
}
