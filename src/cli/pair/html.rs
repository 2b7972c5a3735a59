//! `--report FILE.html`: the reports as one page in the user's language.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::atomic_file::{self, AtomicFile};
use crate::cli::menu;
use crate::error::Error;
use crate::file;
use crate::pair::PairNetwork;
use crate::pair::results::{BoardReport, Step, StepResult, Verdict};
use crate::report::{
    self, Bar, Marks, Page, ReportProblem, ReportSection, ResultMark, StepRow, Subject, TimeSpread,
};
use crate::shutdown::Shutdown;
use crate::text::sentence::sentence;
use crate::wait::{Site, Wait, Waited};
use crate::words;
use crate::words::catalogue::say;
use crate::words::language;

/// How long to wait for a FIFO's reader after Ctrl-C.
const GRACE: Duration = Duration::from_millis(300);

/// Where the page goes.
#[derive(Debug)]
pub(super) struct ReportFile {
    path: PathBuf,
}

impl ReportFile {
    /// Checks that the file can be written, before the test starts. Leaves nothing behind.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = Self {
            path: path.to_owned(),
        };
        // Opening and closing a FIFO gives its reader an end of file, so a device is not tried.
        if !atomic_file::is_device(path) {
            // The drop removes the temporary file.
            drop(AtomicFile::create(path).map_err(|source| file.failed(source))?);
        }
        Ok(file)
    }

    /// Writes the page; a file that is there is replaced. Only a device can keep it waiting, until Ctrl-C.
    pub(super) fn write(
        &self,
        reports: &[BoardReport],
        names: impl Fn(&BoardReport) -> Option<String>,
        network: &PairNetwork,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let page = report::html(&page(reports, names, &|text| network.without_secret(text)));
        if !atomic_file::is_device(&self.path) {
            atomic_file::write(&self.path, page.as_bytes())
                .map_err(|source| self.failed(source))?;
        } else if !self.write_device(page, shutdown)? {
            return Ok(());
        }
        tracing::info!(say = "report.written", file = %self.path.display());
        Ok(())
    }

    /// Whether the device took the page before Ctrl-C.
    fn write_device(&self, page: String, shutdown: &Shutdown) -> Result<bool, Error> {
        let is_stopped = || shutdown.is_asked();
        let path = self.path.clone();
        let written = Wait::at(Site::WriteDevice, &is_stopped)
            .with_grace(GRACE)
            .call(move || atomic_file::write(&path, page.as_bytes()))
            .map_err(|source| self.failed(source))?;
        match written {
            Waited::Done(written) => written.map(|()| true).map_err(|error| self.failed(error)),
            Waited::Interrupted | Waited::TimeUp => Ok(false),
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::File(file::Error::Write {
            object: sentence!("report.the-file", file = self.path.display()),
            source,
        })
    }
}

/// The page. `clean` takes secrets out of what a board or the command line may contain.
fn page(
    reports: &[BoardReport],
    names: impl Fn(&BoardReport) -> Option<String>,
    clean: &dyn Fn(&str) -> String,
) -> Page {
    let subjects = reports
        .iter()
        .map(|report| subject(report, names(report), clean))
        .collect();
    let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S %:z");
    let command: Vec<String> = env::args_os()
        .map(|arg| quoted(&arg.to_string_lossy()))
        .collect();
    Page {
        language: language::current().tag(),
        title: say!("report.pair-title"),
        subjects,
        about: (
            say!("report.about"),
            vec![
                (say!("report.time"), time.to_string()),
                (say!("report.command"), clean(&command.join(" "))),
                (
                    say!("report.version"),
                    format!("udpcli {}", env!("CARGO_PKG_VERSION")),
                ),
                (
                    say!("report.system"),
                    format!("{} {}", env::consts::OS, env::consts::ARCH),
                ),
            ],
        ),
    }
}

fn subject(report: &BoardReport, name: Option<String>, clean: &dyn Fn(&str) -> String) -> Subject {
    let verdict = report.verdict();
    let sentence = super::text::verdict_sentence(report);
    let mut sections = Vec::new();
    let found: Vec<ReportProblem> = report
        .findings()
        .map(|(_, found)| ReportProblem {
            meaning: words::pair::meaning(found.diagnosis),
            code: found.diagnosis.code().to_owned(),
            next: words::pair::next(found.diagnosis),
            detail: clean(&words::pair::said(&found.detail)),
            evidence: clean(found.evidence.as_deref().unwrap_or_default()),
        })
        .collect();
    if !found.is_empty() {
        sections.push((say!("report.findings"), ReportSection::Findings(found)));
    }
    sections.push((
        say!("report.steps"),
        ReportSection::Steps {
            columns: [
                say!("report.column-verdict"),
                say!("report.column-step"),
                say!("report.column-result"),
            ],
            rows: report.steps.iter().map(|step| row(step, clean)).collect(),
        },
    ));
    let bars = bars(report);
    if !bars.is_empty() {
        sections.push((say!("report.loss"), ReportSection::Bars(bars)));
    }
    if let Some(spread) = rtt(report) {
        let marks = Marks([
            say!("report.rtt-min"),
            say!("report.rtt-median"),
            say!("report.rtt-p99"),
            say!("report.rtt-max"),
        ]);
        sections.push((
            say!("report.rtt"),
            ReportSection::Spreads(vec![spread], marks),
        ));
    }
    sections.push((
        say!("report.board"),
        ReportSection::Facts(facts(report, clean)),
    ));
    Subject {
        mark: mark(verdict),
        word: word(verdict),
        sentence: match name {
            Some(name) => say!(
                "report.subject-named",
                name = name,
                port = &report.port,
                sentence = sentence
            ),
            None => say!("report.subject", port = &report.port, sentence = sentence),
        },
        sections,
    }
}

fn mark(verdict: Verdict) -> ResultMark {
    match verdict {
        Verdict::Passed => ResultMark::Good,
        Verdict::Warned => ResultMark::Warning,
        Verdict::Skipped => ResultMark::Skipped,
        Verdict::Interrupted => ResultMark::Stopped,
        Verdict::Failed => ResultMark::Bad,
    }
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Passed => say!("report.word-passed"),
        Verdict::Warned => say!("report.word-warned"),
        Verdict::Skipped => say!("report.word-skipped"),
        Verdict::Interrupted => say!("report.word-interrupted"),
        Verdict::Failed => say!("report.word-failed"),
    }
}

fn row(step: &StepResult, clean: &dyn Fn(&str) -> String) -> StepRow {
    let notes = step.notes.iter().map(words::pair::said);
    StepRow {
        mark: mark(step.verdict),
        word: match step.verdict {
            Verdict::Warned => say!("pair.verdict-warned"),
            verdict => word(verdict),
        },
        name: words::pair::step_name(step.step),
        lines: std::iter::once(super::text::what(step))
            .chain(notes)
            .filter(|line| !line.is_empty())
            .map(|line| clean(&line))
            .collect(),
        time: if step.time >= Duration::from_millis(1) {
            format!("{:.1} s", step.time.as_secs_f64())
        } else {
            String::new()
        },
    }
}

/// What arrived and what was lost: by size in each direction, and of the echoes.
fn bars(report: &BoardReport) -> Vec<Bar> {
    let mut bars = Vec::new();
    for step in [Step::PcToBoard, Step::BoardToPc] {
        let sizes = figure(report, step, "/sizes").and_then(Value::as_array);
        for size in sizes.into_iter().flatten() {
            let bytes = number(size, "size").unwrap_or_default();
            let way = words::pair::step_name(step);
            bars.extend(bar(say!("report.loss-bar", way = way, size: bytes), size));
        }
    }
    if let Some(figures) = report.step(Step::Echo).map(|step| &step.figures) {
        let bytes = number(figures, "size").unwrap_or_default();
        bars.extend(bar(say!("report.loss-echo", size: bytes), figures));
    }
    bars
}

fn bar(name: String, figures: &Value) -> Option<Bar> {
    let sent = number(figures, "sent").filter(|&sent| sent > 0)?;
    let received = number(figures, "received")?;
    let percent = sent.saturating_sub(received) as f64 * 100.0 / sent as f64;
    Some(Bar {
        name,
        sent,
        received,
        figures: say!(
            "report.loss-figures",
            received: received,
            sent: sent,
            percent = (percent * 10.0).round() / 10.0
        ),
    })
}

fn rtt(report: &BoardReport) -> Option<TimeSpread> {
    let rtt = figure(report, Step::Echo, "/rtt_ms")?;
    let of = |key: &str| rtt.get(key)?.as_f64();
    Some(TimeSpread {
        name: words::pair::step_name(Step::Echo),
        quantiles: [of("min")?, of("median")?, of("p99")?, of("max")?],
    })
}

/// The board, its network and this PC's address.
fn facts(report: &BoardReport, clean: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
    let text = |step, key| Some(clean(figure(report, step, key)?.as_str()?));
    let signal = figure(report, Step::Wifi, "/rssi").and_then(Value::as_i64);
    let known = [
        (say!("report.board-serial"), Some(report.port.clone())),
        (
            say!("report.board-firmware"),
            text(Step::Firmware, "/version").map(|version| format!("MicroPython {version}")),
        ),
        (
            say!("report.board-machine"),
            text(Step::Firmware, "/machine"),
        ),
        (say!("report.board-mac"), text(Step::Firmware, "/mac")),
        (say!("report.wifi"), text(Step::Wifi, "/ssid")),
        (
            say!("report.signal"),
            signal.map(|rssi| format!("{rssi} dBm")),
        ),
        (
            say!("report.board-address"),
            text(Step::Addresses, "/board"),
        ),
        (say!("report.pc-address"), text(Step::Addresses, "/pc")),
        (
            say!("report.pc-interface"),
            text(Step::Addresses, "/interface"),
        ),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn figure<'a>(report: &'a BoardReport, step: Step, pointer: &str) -> Option<&'a Value> {
    report.step(step)?.figures.pointer(pointer)
}

fn number(figures: &Value, key: &str) -> Option<u64> {
    figures.get(key)?.as_u64()
}

/// An argument as one types it in a shell.
fn quoted(arg: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !arg.is_empty() && arg.chars().all(is_plain) {
        arg.to_owned()
    } else {
        menu::quoted(arg)
    }
}
