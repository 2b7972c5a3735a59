//! What the steps found, as data: `words` puts it into sentences.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::board::error::Error as BoardError;
use crate::board::mirror::attach::NoDisplay;
use crate::pair::diagnosis::Diagnosis;
use crate::text::sentence::Sentence;

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The raw REPL is entered.
    Serial,
    /// What the board is.
    Firmware,
    /// The board is in a Wi-Fi.
    Wifi,
    /// The board's address, and the PC's own that faces it.
    Addresses,
    /// Datagrams from the PC to the board.
    PcToBoard,
    /// Datagrams from the board to the PC.
    BoardToPc,
    /// There and back.
    Echo,
    /// A text on the OLED.
    Oled,
    /// The board is left as it was.
    CleanUp,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
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

    /// Its name for programs.
    #[must_use]
    pub fn key(self) -> &'static str {
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

/// How a step, or all of it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// As it should be, with something to know.
    Warned,
    /// Not tried: an earlier step makes it pointless, or the board has no such thing.
    Skipped,
    /// Cut short by Ctrl-C.
    Interrupted,
    /// Not as it should be.
    Failed,
}

impl Verdict {
    /// Its name for programs.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// What there is to say about a step, as data. May have text of the board's or the user's in it.
#[derive(Debug, Clone, Default)]
pub enum Said {
    /// Nothing.
    #[default]
    Nothing,
    /// A sentence of the catalogue.
    Sentence(Sentence),
    /// Several of these, in a row.
    List(Vec<Self>),
    /// A name, or the board's own words: the same in every language.
    Text(String),
    /// What went wrong on the serial line.
    Error(Arc<BoardError>),
    /// The same with its cause.
    ErrorAndCause(Arc<BoardError>),
    /// What to do about it, where we know.
    Hint(Arc<BoardError>),
    /// Why there is no display.
    NoDisplay(NoDisplay),
}

impl Said {
    /// Whether it is nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Sentences in a row.
    #[must_use]
    pub fn list(sentences: Vec<Sentence>) -> Self {
        Self::List(sentences.into_iter().map(Self::Sentence).collect())
    }
}

impl From<Sentence> for Said {
    fn from(sentence: Sentence) -> Self {
        Self::Sentence(sentence)
    }
}

/// Something found to be wrong, with what shows it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What is wrong.
    pub diagnosis: Diagnosis,
    /// What shows it, in one line; nothing where the step's own line does.
    pub detail: Said,
    /// The board's own words: a traceback. Untrusted.
    pub evidence: Option<String>,
}

impl Finding {
    /// A finding that the step's line speaks for.
    #[must_use]
    pub fn plain(diagnosis: Diagnosis) -> Self {
        Self::with(diagnosis, Said::Nothing)
    }

    /// A finding with what shows it.
    #[must_use]
    pub fn with(diagnosis: Diagnosis, detail: impl Into<Said>) -> Self {
        Self {
            diagnosis,
            detail: detail.into(),
            evidence: None,
        }
    }
}

/// One step's result.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// Which step.
    pub step: Step,
    /// How it ended.
    pub verdict: Verdict,
    /// What was tried.
    pub tried: Said,
    /// What was seen.
    pub seen: Said,
    /// More lines for people: figures by size, limits.
    pub notes: Vec<Said>,
    /// How long it took.
    pub time: Duration,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The measurements, under stable keys (docs/pair.schema.json).
    pub figures: Value,
}

impl StepResult {
    /// A step that begins: passed unless something is found.
    #[must_use]
    pub fn new(step: Step, tried: impl Into<Said>) -> Self {
        Self {
            step,
            verdict: Verdict::Passed,
            tried: tried.into(),
            seen: Said::Nothing,
            notes: Vec::new(),
            time: Duration::ZERO,
            findings: Vec::new(),
            figures: Value::Object(serde_json::Map::new()),
        }
    }

    /// A step that is left out.
    #[must_use]
    pub fn skipped(step: Step, why: Sentence) -> Self {
        let mut result = Self::new(step, Said::Nothing);
        result.skip(why);
        result
    }

    /// Says what was seen.
    pub fn see(&mut self, what: impl Into<Said>) {
        self.seen = what.into();
    }

    /// Adds a line for people.
    pub fn note(&mut self, what: impl Into<Said>) {
        self.notes.push(what.into());
    }

    /// Leaves it out after all.
    pub fn skip(&mut self, why: impl Into<Said>) {
        self.verdict = Verdict::Skipped;
        self.see(why);
    }

    /// Adds what fails the step.
    pub fn fail(&mut self, finding: Finding) {
        self.verdict = Verdict::Failed;
        self.findings.push(finding);
    }

    /// Adds what is good to know.
    pub fn warn(&mut self, finding: Finding) {
        self.verdict = self.verdict.max(Verdict::Warned);
        self.findings.push(finding);
    }
}

/// Everything about one board.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its serial port.
    pub port: String,
    /// The steps, in order.
    pub steps: Vec<StepResult>,
    /// How long all of it took.
    pub time: Duration,
}

impl Report {
    /// Failed if a step failed; skipped steps alone do not fail it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let worst = self
            .steps
            .iter()
            .map(|step| step.verdict)
            .filter(|verdict| *verdict != Verdict::Skipped)
            .max()
            .unwrap_or(Verdict::Skipped);
        if self.was_interrupted() {
            return Verdict::Interrupted;
        }
        worst
    }

    /// Whether Ctrl-C cut it short.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.verdict == Verdict::Interrupted)
    }

    /// What is wrong, in the order in which it was found.
    pub fn findings(&self) -> impl Iterator<Item = (&StepResult, &Finding)> {
        self.steps
            .iter()
            .flat_map(|step| step.findings.iter().map(move |finding| (step, finding)))
    }

    /// Whether what failed is the environment's refusal (exit code 3).
    #[must_use]
    pub fn is_environment(&self) -> bool {
        self.steps
            .iter()
            .find(|step| step.verdict == Verdict::Failed)
            .is_some_and(|step| {
                step.findings
                    .iter()
                    .any(|finding| finding.diagnosis.is_environment())
            })
    }

    /// The result of one step.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepResult> {
        self.steps.iter().find(|result| result.step == step)
    }
}
