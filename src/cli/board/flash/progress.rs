//! Shows the flasher's plan, notes and progress.

use crate::board::flash::FlashObserver;
use crate::board::flash::layout::{FlashLayout, rows};
use crate::cli::GlobalArgs;
use crate::terminal::{progress, sanitize};
use crate::text::sentence::Sentence;
use crate::words::catalogue::text;

/// Shows the progress.
#[derive(Debug)]
pub(super) struct FlashProgress {
    /// The bar.
    bar: progress::Progress,
    /// Keep the plan for stdout instead of printing it as a message.
    keeps_plan: bool,
    /// The plan as a table.
    plan: String,
}

impl FlashProgress {
    /// `keeps_plan`: store the plan for [`Self::plan_text`], because it goes to stdout as the result.
    pub(super) fn new(global: &GlobalArgs, keeps_plan: bool) -> Self {
        Self {
            bar: progress::Progress::with_ends(global.quiet, super::super::bar::words()),
            keeps_plan,
            plan: String::new(),
        }
    }

    /// The plan as a table.
    pub(super) fn plan_text(&self) -> &str {
        &self.plan
    }

    /// Removes the bar.
    pub(super) fn end(&mut self) {
        self.bar.end();
    }
}

impl FlashObserver for FlashProgress {
    fn note(&mut self, note: &Sentence) {
        tracing::info!("{}", sanitize::for_terminal(&text(note)));
    }

    fn plan(&mut self, layout: &FlashLayout) {
        self.plan = rows::text(&layout.rows, &text);
        if !self.keeps_plan {
            for line in self.plan.lines() {
                tracing::info!("{line}");
            }
        }
        for note in &layout.notes {
            self.note(note);
        }
    }

    fn progress(&mut self, doing: &Sentence, done: u64, total: u64) {
        self.bar.at(text(doing).trim_end(), done, total);
    }
}
