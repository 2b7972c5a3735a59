//! The OLED step: a text is sent, drawn by the board as the tutorial's server draws it, and read off the mirror.

use std::time::Duration;

use serde_json::json;

use crate::board::mirror::agent;
use crate::pair::Plan;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::{self, Course, Trouble, python_bytes};
use crate::pair::report::{Finding, StepResult, Verdict};
use crate::pair::talk::Talk;
use crate::panel::screen::{Screen, WIDTH};

/// Where the tutorial's server draws the address, the text and the sender.
const ROWS: [i16; 3] = [0, 15, 31];

/// Glyphs are 16 pixels high.
const GLYPH: usize = 16;

pub(super) fn step(
    talk: &mut Talk,
    plan: &Plan,
    course: &mut Course,
    result: &mut StepResult,
) -> Result<(), Trouble> {
    let work = Duration::from_secs(10);
    if !talk.is_mirrored {
        let hook = agent::source(agent::Report::Everything);
        talk.call("watching the OLED", &hook, work, &mut |_: &[&str]| {})?;
        talk.is_mirrored = true;
    }
    if !talk.mirror.is_attached() {
        result.verdict = Verdict::Skipped;
        "the module mpython has no OLED of 128 x 64 pixels".clone_into(&mut result.seen);
        return Ok(());
    }
    let here = format!("{}:{}", course.board, course.board_port);
    let handler = format!("_po('{here}',{})", python_bytes(&plan.text_bytes));
    let said = measure::deliver(talk, course, &handler, &plan.text_bytes)?;
    talk.call(
        "reading the OLED",
        agent::FINISH,
        work,
        &mut |_: &[&str]| {},
    )?;
    let mut sender = None;
    for line in &said {
        match line.split_once(' ') {
            Some(("undecodable", _)) => {
                "the board received it and could not decode it".clone_into(&mut result.seen);
                result.fail(Finding::plain(Diagnosis::GbkNotDecoded));
                return Ok(());
            }
            Some(("shown", from)) => sender = Some(from.to_owned()),
            _ => {}
        }
    }
    let Some(sender) = sender else {
        "the text never reached the board".clone_into(&mut result.seen);
        result.fail(Finding::plain(Diagnosis::PcToBoardBlocked));
        return Ok(());
    };
    let wanted = [here, plan.text.clone(), format!("from{sender}")];
    let screen = talk.mirror.screen();
    let shown: Vec<String> = screen.texts.iter().map(|text| text.text.clone()).collect();
    result.figures = json!({
        "sent": plan.text,
        "shown": shown,
        "sender": sender,
        "frames_damaged": talk.mirror.garbled(),
    });
    let rows: Vec<i16> = screen.texts.iter().map(|text| text.y).collect();
    let problem = if !screen.whole {
        Some("the picture did not come over the cable whole".to_owned())
    } else if shown != wanted || rows != ROWS {
        Some(format!("wanted {wanted:?}, on the OLED {shown:?}"))
    } else {
        ROWS.iter()
            .zip(&wanted)
            .find(|(row, text)| !text.trim().is_empty() && is_dark(screen, **row))
            .map(|(row, text)| format!("{text:?} was drawn at row {row}, and no pixel is lit there: the font is missing"))
    };
    match problem {
        Some(problem) => {
            "other than what was sent".clone_into(&mut result.seen);
            result.fail(Finding::with(Diagnosis::OledWrong, problem));
        }
        None => result.seen = format!("{} | {} | {}", wanted[0], wanted[1], wanted[2]),
    }
    Ok(())
}

/// Whether no pixel of a line of text is lit.
fn is_dark(screen: &Screen, row: i16) -> bool {
    let top = usize::try_from(row).unwrap_or(0);
    !(top..top + GLYPH).any(|y| (0..WIDTH).any(|x| screen.pixel(x, y)))
}
