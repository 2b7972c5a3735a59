//! The OLED step: sends a text, which the board draws like the tutorial's server, and reads it in the OLED mirror.
//!
//! The tutorial's server shows its own address until the first datagram arrives, then clears the OLED and draws only
//! text and sender.

use std::time::Duration;

use serde_json::json;

use crate::board::literal;
use crate::board::mirror::agent;
use crate::board::mirror::attach::{Attached, attach};
use crate::pair::PairPlan;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::{self, MeasurementContext, Trouble};
use crate::pair::operation::Work;
use crate::pair::results::{Finding, StepNote, StepResult};
use crate::terminal::panel::screen::{Screen, WIDTH};
use crate::text::sentence::{Sentence, sentence};

/// The rows where the tutorial's server draws the text and the sender.
const ROWS: [i16; 2] = [15, 31];

/// The rows on the colour display of the board 3.0, whose lines are 32 pixels high.
const LCD_ROWS: [i16; 2] = [32, 64];

/// Glyphs are 16 pixels high.
const GLYPH: usize = 16;

/// Sends the plan's text and judges what the OLED shows. Adds what it found to `result`.
pub(super) fn step(
    session: &mut BoardSession,
    plan: &PairPlan,
    context: &mut MeasurementContext,
    result: &mut StepResult,
) -> Result<(), Trouble> {
    if !attached(session, context, result)? {
        return Ok(());
    }
    let work = Duration::from_secs(10);
    let here = format!("{}:{}", context.board, context.board_port);
    // Frames of earlier steps are no answer to this text.
    session.shown.clear();
    let handler = format!("_po('{here}',{})", literal::ascii_bytes(&plan.text_bytes));
    let said = measure::deliver(session, context, &handler, &plan.text_bytes)?;
    let is_lcd = session.mirror.screen().lcd;
    let finish = if is_lcd {
        agent::FINISH_LCD
    } else {
        agent::FINISH
    };
    // Ask for the last picture again: the serial line may have lost its frame.
    session.call(Work::ReadingOled, finish, work, &mut |_: &[&str]| {})?;
    let mut sender = None;
    for line in &said {
        match line.split_once(' ') {
            // The board's `decode()` raised an exception, as the tutorial's server would.
            Some(("undecodable", _)) => {
                result.see(sentence!("pair.oled-undecodable"));
                result.fail(Finding::plain(Diagnosis::GbkNotDecoded));
                return Ok(());
            }
            Some(("shown", from)) => sender = Some(from.to_owned()),
            _ => {}
        }
    }
    let Some(sender) = sender else {
        result.see(sentence!("pair.oled-not-reached"));
        result.fail(Finding::plain(Diagnosis::PcToBoardBlocked));
        return Ok(());
    };
    let wanted = [plan.text.clone(), format!("from{sender}")];
    // The first frame; `None` if the serial line damaged it.
    let address = session
        .shown
        .iter()
        .find_map(|texts| texts.iter().find(|text| text.y == 0))
        .map(|text| text.text.clone());
    let screen = session.mirror.screen();
    let shown: Vec<String> = screen.texts.iter().map(|text| text.text.clone()).collect();
    result.figures = json!({
        "sent": plan.text,
        "address": address,
        "shown": shown,
        "sender": sender,
        "frames_damaged": session.mirror.garbled(),
    });
    if is_lcd && let Some(figures) = result.figures.as_object_mut() {
        figures.insert("lcd".to_owned(), json!(true));
    }
    let expected_rows = if is_lcd { LCD_ROWS } else { ROWS };
    let rows: Vec<i16> = screen.texts.iter().map(|text| text.y).collect();
    let problem = if !screen.whole {
        Some(sentence!("pair.oled-not-whole"))
    // A missing first frame is not an error: it was only lost on the serial line.
    } else if address.as_ref().is_some_and(|address| *address != here) {
        Some(sentence!(
            "pair.oled-other-address",
            wanted => quoted(&here),
            shown => quoted(address.unwrap_or_default())
        ))
    } else if shown != wanted || rows != expected_rows {
        Some(sentence!(
            "pair.oled-other-texts",
            wanted <- wanted.iter().map(quoted).collect(),
            shown <- shown.iter().map(quoted).collect()
        ))
    } else if is_lcd {
        // The colour display reports only its texts.
        None
    } else {
        ROWS.iter()
            .zip(&wanted)
            // Even if the texts are right, the pixels may be dark: a font at the wrong offset draws nothing.
            .find(|(row, text)| !text.trim().is_empty() && is_dark(screen, **row))
            .map(|(row, text)| sentence!("pair.oled-dark", text => quoted(text), row = row))
    };
    match problem {
        Some(problem) => {
            result.see(sentence!("pair.oled-other"));
            result.fail(Finding::with(Diagnosis::OledWrong, problem));
        }
        None if is_lcd => {
            let [text, sender] = &wanted;
            let said = sentence!(
                "boards.oled-on-lcd",
                address = here,
                text = text,
                sender = sender
            );
            result.skip_for(said, Diagnosis::NoOledOnThisBoard);
        }
        None => {
            let [text, sender] = &wanted;
            result.see(sentence!(
                "pair.oled-seen",
                address = here,
                text = text,
                sender = sender
            ));
        }
    }
    Ok(())
}

/// Starts the mirror, if it does not run yet. False if there is nothing to mirror; the result says why.
fn attached(
    session: &mut BoardSession,
    context: &MeasurementContext,
    result: &mut StepResult,
) -> Result<bool, Trouble> {
    if !session.is_mirrored {
        let report = agent::OledReport::Everything;
        let attached = attach(
            &mut session.repl,
            &mut session.mirror,
            report,
            context.is_board_3,
        )
        .map_err(SessionError::from)?;
        session.is_mirrored = true;
        if let Attached::No(why) = attached {
            if context.is_board_3 {
                result.skip_for(StepNote::NoDisplay(why), Diagnosis::NoOledOnThisBoard);
            } else {
                result.skip(StepNote::NoDisplay(why));
            }
            return Ok(false);
        }
    }
    if !session.mirror.is_attached() {
        result.skip(sentence!("pair.oled-none"));
        return Ok(false);
    }
    Ok(true)
}

/// A text in quotation marks, with escapes for what cannot be seen.
fn quoted(text: impl AsRef<str>) -> Sentence {
    sentence!("pair.oled-text", text = text.as_ref().escape_debug())
}

/// Whether all pixels of a text line are dark.
fn is_dark(screen: &Screen, row: i16) -> bool {
    let top = usize::try_from(row).unwrap_or(0);
    !(top..top + GLYPH).any(|y| (0..WIDTH).any(|x| screen.pixel(x, y)))
}
