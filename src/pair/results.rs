//! The results of the steps, as data; `words` turns them into sentences.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::board::error::Error as BoardError;
use crate::board::mirror::attach::NoDisplay;
use crate::pair::diagnosis::Diagnosis;
use crate::text::sentence::Sentence;

/// The steps, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Enter the raw REPL.
    Serial,
    /// Identify board and firmware.
    Firmware,
    /// Check the board's Wi-Fi.
    Wifi,
    /// Find the board's address and the PC's address on the path to it.
    Addresses,
    /// Send datagrams from the PC to the board.
    PcToBoard,
    /// Send datagrams from the board to the PC.
    BoardToPc,
    /// Send echoes there and back.
    Echo,
    /// Show a text on the OLED.
    Oled,
    /// Restore the board's state.
    CleanUp,
}

impl Step {
    /// All steps, in order.
    pub(crate) const ALL: [Self; 9] = [
        Self::Serial,
        Self::Firmware,
        Self::Wifi,
        Self::Addresses,
        Self::PcToBoard,
        Self::BoardToPc,
        Self::Echo,
        Self::Oled,
        Self::CleanUp,
    ];

    /// The step's name for programs.
    #[must_use]
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Firmware => "firmware",
            Self::Wifi => "wifi",
            Self::Addresses => "addresses",
            Self::PcToBoard => "pc_to_board",
            Self::BoardToPc => "board_to_pc",
            Self::Echo => "echo",
            Self::Oled => "oled",
            Self::CleanUp => "clean_up",
        }
    }
}

/// The verdict on a step, or on the whole test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The step passed.
    Passed,
    /// The step passed, with a warning.
    Warned,
    /// The step was not tried: an earlier failure makes it pointless, or the board does not support it.
    Skipped,
    /// Ctrl-C interrupted the step.
    Interrupted,
    /// The step failed.
    Failed,
}

impl Verdict {
    /// The verdict's name for programs.
    #[must_use]
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// The text of the report about a step, as data. It may contain text from the board or the user.
#[derive(Debug, Clone, Default)]
pub(crate) enum StepNote {
    /// Nothing.
    #[default]
    Nothing,
    /// A sentence of the catalogue.
    Sentence(Sentence),
    /// Several texts, one after the other.
    List(Vec<Self>),
    /// A name, or the board's own output, which is not translated.
    Text(String),
    /// An error of the serial line.
    Error(Arc<BoardError>),
    /// An error of the serial line with its cause.
    ErrorAndCause(Arc<BoardError>),
    /// The hint for an error, if there is one.
    Hint(Arc<BoardError>),
    /// Why there is no display.
    NoDisplay(NoDisplay),
}

impl StepNote {
    /// Whether it is empty.
    #[must_use]
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Several sentences, one after the other.
    #[must_use]
    pub(crate) fn list(sentences: Vec<Sentence>) -> Self {
        Self::List(sentences.into_iter().map(Self::Sentence).collect())
    }
}

impl From<Sentence> for StepNote {
    fn from(sentence: Sentence) -> Self {
        Self::Sentence(sentence)
    }
}

/// A problem that a step found, with its evidence.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// What is wrong.
    pub(crate) diagnosis: Diagnosis,
    /// The evidence in one line; nothing if the step's own line has it.
    pub(crate) detail: StepNote,
    /// The board's own output, such as a traceback. Untrusted.
    pub(crate) evidence: Option<String>,
}

impl Finding {
    /// A finding without further evidence.
    #[must_use]
    pub(crate) fn plain(diagnosis: Diagnosis) -> Self {
        Self::with(diagnosis, StepNote::Nothing)
    }

    /// A finding with evidence.
    #[must_use]
    pub(crate) fn with(diagnosis: Diagnosis, detail: impl Into<StepNote>) -> Self {
        Self {
            diagnosis,
            detail: detail.into(),
            evidence: None,
        }
    }
}

/// The result of one step.
#[derive(Debug, Clone)]
pub(crate) struct StepResult {
    /// Which step.
    pub(crate) step: Step,
    /// Its verdict.
    pub(crate) verdict: Verdict,
    /// What was tried.
    pub(crate) tried: StepNote,
    /// What was seen.
    pub(crate) seen: StepNote,
    /// More lines for people: counts by size, limits.
    pub(crate) notes: Vec<StepNote>,
    /// The duration.
    pub(crate) time: Duration,
    /// The problems that the step found.
    pub(crate) findings: Vec<Finding>,
    /// The measurements, under stable keys (docs/pair.schema.json).
    pub(crate) figures: Value,
}

impl StepResult {
    /// The result of a step that starts: it passes unless a finding is added.
    #[must_use]
    pub(crate) fn new(step: Step, tried: impl Into<StepNote>) -> Self {
        Self {
            step,
            verdict: Verdict::Passed,
            tried: tried.into(),
            seen: StepNote::Nothing,
            notes: Vec::new(),
            time: Duration::ZERO,
            findings: Vec::new(),
            figures: Value::Object(serde_json::Map::new()),
        }
    }

    /// The result of a step that is skipped.
    #[must_use]
    pub(crate) fn skipped(step: Step, why: Sentence) -> Self {
        let mut result = Self::new(step, StepNote::Nothing);
        result.skip(why);
        result
    }

    /// Sets what was seen.
    pub(crate) fn see(&mut self, what: impl Into<StepNote>) {
        self.seen = what.into();
    }

    /// Adds a line for people.
    pub(crate) fn note(&mut self, what: impl Into<StepNote>) {
        self.notes.push(what.into());
    }

    /// Marks the step as skipped after it started.
    pub(crate) fn skip(&mut self, why: impl Into<StepNote>) {
        self.verdict = Verdict::Skipped;
        self.see(why);
    }

    /// Marks the step as skipped because the board lacks what it needs, with a finding that says what to do instead.
    pub(crate) fn skip_for(&mut self, why: impl Into<StepNote>, diagnosis: Diagnosis) {
        self.skip(why);
        self.findings.push(Finding::plain(diagnosis));
    }

    /// Adds a finding that fails the step.
    pub(crate) fn fail(&mut self, finding: Finding) {
        self.verdict = Verdict::Failed;
        self.findings.push(finding);
    }

    /// Adds a finding that is only a warning.
    pub(crate) fn warn(&mut self, finding: Finding) {
        // A warning must not hide a failure that came before it.
        self.verdict = self.verdict.max(Verdict::Warned);
        self.findings.push(finding);
    }
}

/// The report on one board.
#[derive(Debug, Clone)]
pub(crate) struct BoardReport {
    /// The board's serial port.
    pub(crate) port: String,
    /// The steps, in order.
    pub(crate) steps: Vec<StepResult>,
    /// The total duration.
    pub(crate) time: Duration,
}

impl BoardReport {
    /// Failed if a step failed; skipped steps alone do not fail the test.
    #[must_use]
    pub(crate) fn verdict(&self) -> Verdict {
        let worst = self
            .steps
            .iter()
            .map(|step| step.verdict)
            // Skipped steps follow from a failure, or from what the board does not have.
            .filter(|verdict| *verdict != Verdict::Skipped)
            .max()
            .unwrap_or(Verdict::Skipped);
        // Ctrl-C decides, whatever else was found: half a test has no verdict.
        if self.was_interrupted() {
            return Verdict::Interrupted;
        }
        worst
    }

    /// Whether Ctrl-C interrupted the test.
    #[must_use]
    pub(crate) fn was_interrupted(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.verdict == Verdict::Interrupted)
    }

    /// All findings, in the order in which the steps found them.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&StepResult, &Finding)> {
        self.steps
            .iter()
            .flat_map(|step| step.findings.iter().map(move |finding| (step, finding)))
    }

    /// Whether a failure means that the test could not run (exit code 3).
    #[must_use]
    pub(crate) fn is_environment(&self) -> bool {
        self.steps
            .iter()
            // The first one: those after it follow from it.
            .find(|step| step.verdict == Verdict::Failed)
            .is_some_and(|step| {
                step.findings
                    .iter()
                    .any(|finding| finding.diagnosis.is_environment())
            })
    }

    /// The result of one step.
    #[must_use]
    pub(crate) fn step(&self, step: Step) -> Option<&StepResult> {
        self.steps.iter().find(|result| result.step == step)
    }
}
