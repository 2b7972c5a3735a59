//! docs/pair.md has the table evidence -> verdict -> code of every diagnosis, in the program's words.

use udpcli::pair::diagnosis::Diagnosis;
use udpcli::words::pair::{evidence, meaning, next};

const TABLE: &str = "| evidence | verdict | code | what to do next |\n|---|---|---|---|\n";

#[test]
fn the_page_has_the_evidence_the_verdict_and_the_next_step_of_every_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pair.md");
    let page = std::fs::read_to_string(path).expect("docs/pair.md is readable");
    let (_, table) = page.split_once(TABLE).expect("the table");
    let rows: Vec<&str> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .collect();
    let wanted: Vec<String> = Diagnosis::ALL
        .iter()
        .map(|diagnosis| {
            format!(
                "| {} | {} | `{}` | {} |",
                evidence(*diagnosis),
                meaning(*diagnosis),
                diagnosis.code(),
                next(*diagnosis)
            )
        })
        .collect();
    assert_eq!(rows, wanted);
}
