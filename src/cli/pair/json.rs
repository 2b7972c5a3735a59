//! A report as one JSON object, in English whatever the user's language: `docs/pair.schema.json` describes it.

use serde_json::{Value, json};

use crate::pair::results::{BoardReport, StepResult};
use crate::words;
use crate::words::language::{self, Language};

/// The report of one board.
pub(super) fn object(report: &BoardReport, name: Option<&str>) -> Value {
    let mut codes: Vec<&str> = Vec::new();
    for (_, finding) in report.findings() {
        let code = finding.diagnosis.code();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let mut object = json!({
        "port": report.port,
        "verdict": report.verdict().key(),
        "codes": codes,
        "environment": report.is_environment(),
        "seconds": seconds(report.time),
        "steps": language::within(Language::English, || report.steps.iter().map(step).collect::<Vec<_>>()),
    });
    if let (Some(name), Some(object)) = (name, object.as_object_mut()) {
        object.insert("name".to_owned(), json!(name));
    }
    object
}

/// A step as an object.
fn step(result: &StepResult) -> Value {
    json!({
        "step": result.step.key(),
        "verdict": result.verdict.key(),
        "tried": words::pair::said(&result.tried),
        "seen": words::pair::said(&result.seen),
        "notes": result.notes.iter().map(words::pair::said).collect::<Vec<_>>(),
        "seconds": seconds(result.time),
        "figures": result.figures,
        "findings": result.findings.iter().map(|finding| json!({
            "code": finding.diagnosis.code(),
            "meaning": words::pair::meaning(finding.diagnosis),
            "next": words::pair::next(finding.diagnosis),
            "detail": words::pair::said(&finding.detail),
            "evidence": finding.evidence,
        })).collect::<Vec<_>>(),
    })
}

/// Three digits behind the point.
fn seconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::diagnosis::Diagnosis;
    use crate::pair::results::{Finding, Step, StepNote};

    #[test]
    fn a_code_is_there_once_in_the_order_of_the_steps() {
        let mut down = StepResult::new(Step::PcToBoard, StepNote::Nothing);
        down.fail(Finding::plain(Diagnosis::SizeLost));
        down.fail(Finding::plain(Diagnosis::Loss));
        let mut up = StepResult::new(Step::BoardToPc, StepNote::Nothing);
        up.fail(Finding::plain(Diagnosis::SizeLost));
        let report = BoardReport {
            port: "COM3".to_owned(),
            steps: vec![down, up],
            time: std::time::Duration::ZERO,
        };
        assert_eq!(object(&report, None)["codes"], json!(["size-lost", "loss"]));
    }
}
