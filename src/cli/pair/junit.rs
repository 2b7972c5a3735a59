//! Reports as `JUnit` XML, as CI systems read it: a suite a board, a case a step. English whatever the user's language.

use std::fmt::Write as _;

use crate::pair::report::{BoardReport, StepResult, Verdict};
use crate::words;
use crate::words::language::{self, Language};

/// All reports as one document.
pub(super) fn document(reports: &[BoardReport]) -> String {
    language::within(Language::English, || in_english(reports))
}

fn in_english(reports: &[BoardReport]) -> String {
    let mut suites = String::new();
    let mut all = Counts::default();
    let mut time = 0.0;
    for report in reports {
        let counts = Counts::of(report);
        let mut cases = String::new();
        for step in &report.steps {
            case(&mut cases, report, step);
        }
        let _ = write!(
            suites,
            "  <testsuite name=\"{}\" {counts} time=\"{:.3}\">\n{cases}  </testsuite>\n",
            escape(&report.port),
            report.time.as_secs_f64(),
            counts = counts.attributes(),
        );
        all.add(counts);
        // Boards are tested side by side.
        time = report.time.as_secs_f64().max(time);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"udpcli pair\" {} time=\"{time:.3}\">\n{suites}</testsuites>\n",
        all.attributes()
    )
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of(report: &BoardReport) -> Self {
        let mut counts = Self::default();
        for step in &report.steps {
            counts.tests += 1;
            match kind(step) {
                CaseResult::Failure => counts.failures += 1,
                CaseResult::Error => counts.errors += 1,
                CaseResult::Skipped => counts.skipped += 1,
                CaseResult::Passed => {}
            }
        }
        counts
    }

    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(self) -> String {
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
            self.tests, self.failures, self.errors, self.skipped
        )
    }
}

enum CaseResult {
    Passed,
    Skipped,
    Failure,
    /// The environment's refusal.
    Error,
}

fn kind(step: &StepResult) -> CaseResult {
    match step.verdict {
        Verdict::Passed | Verdict::Warned => CaseResult::Passed,
        Verdict::Skipped => CaseResult::Skipped,
        Verdict::Interrupted => CaseResult::Error,
        Verdict::Failed => {
            if step
                .findings
                .iter()
                .any(|finding| finding.diagnosis.is_environment())
            {
                CaseResult::Error
            } else {
                CaseResult::Failure
            }
        }
    }
}

fn case(out: &mut String, report: &BoardReport, step: &StepResult) {
    let _ = writeln!(
        out,
        "    <testcase classname=\"udpcli.pair.{}\" name=\"{}\" time=\"{:.3}\">",
        escape(&report.port),
        escape(&words::pair::step_name(step.step)),
        step.time.as_secs_f64()
    );
    let code = step
        .findings
        .first()
        .map_or("interrupted", |finding| finding.diagnosis.code());
    let tag = match kind(step) {
        CaseResult::Passed => "",
        CaseResult::Skipped => {
            let _ = writeln!(
                out,
                "      <skipped message=\"{}\"/>",
                escape(&words::pair::said(&step.seen))
            );
            ""
        }
        CaseResult::Failure => "failure",
        CaseResult::Error => "error",
    };
    if !tag.is_empty() {
        let message = step.findings.first().map_or_else(
            || words::pair::said(&step.seen),
            |finding| words::pair::meaning(finding.diagnosis),
        );
        let mut body = String::new();
        for finding in &step.findings {
            let diagnosis = finding.diagnosis;
            let _ = writeln!(
                body,
                "{}: {}\nnext: {}",
                diagnosis.code(),
                words::pair::meaning(diagnosis),
                words::pair::next(diagnosis)
            );
            let detail = words::pair::said(&finding.detail);
            for line in detail
                .lines()
                .chain(finding.evidence.iter().flat_map(|text| text.lines()))
            {
                let _ = writeln!(body, "{line}");
            }
        }
        let _ = writeln!(
            out,
            "      <{tag} type=\"{code}\" message=\"{}\">{}</{tag}>",
            escape(&message),
            escape(&body)
        );
    }
    let mut said = format!(
        "{}: {}\n",
        words::pair::said(&step.tried),
        words::pair::said(&step.seen)
    );
    for note in &step.notes {
        let _ = writeln!(said, "{}", words::pair::said(note));
    }
    let _ = writeln!(
        out,
        "      <system-out>{}</system-out>\n    </testcase>",
        escape(&said)
    );
}

/// Text for an element or an attribute. What XML 1.0 has no way to write (control characters, which a board may send)
/// is written as `\u{..}`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' | ' '..='\u{7e}' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.extend(character.escape_unicode()),
            character if character.is_control() => out.extend(character.escape_unicode()),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escape("a<b>&\"c\"\r\n\x1b你"),
            "a&lt;b&gt;&amp;&quot;c&quot;\\u{d}&#10;\\u{1b}你"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_xml_cannot_have_is_left(text in any::<String>()) {
            let escaped = escape(&text);
            let is_written = |c: char| c == '\t' || (c >= ' ' && !['\u{fffe}', '\u{ffff}'].contains(&c));
            let all_written = escaped.chars().all(is_written);
            prop_assert!(all_written);
            let no_markup = !escaped.contains(['<', '>', '"']);
            prop_assert!(no_markup);
        }
    }
}
