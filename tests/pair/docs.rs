//! docs/pair.md and its Chinese twin list the evidence, diagnosis and code of every diagnosis, in the program's words.

use udpcli::pair::diagnosis::Diagnosis;
use udpcli::words::language::{Language, within};
use udpcli::words::pair::{evidence, meaning, next};

/// The pages, their languages, and the header of the table.
const PAGES: [(&str, Language, &str); 2] = [
    (
        "docs/pair.md",
        Language::English,
        "| evidence | verdict | code | what to do next |",
    ),
    (
        "docs/pair.zh-CN.md",
        Language::Chinese,
        "| 依据 | 结论 | 代码 | 怎么办 |",
    ),
];

#[test]
fn the_pages_describe_every_code() {
    for (name, language, heading) in PAGES {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let page = std::fs::read_to_string(path).expect("the page is readable");
        let (_, table) = page
            .split_once(&format!("{heading}\n|---|---|---|---|\n"))
            .expect("the table");
        let rows: Vec<&str> = table
            .lines()
            .take_while(|line| line.starts_with('|'))
            .collect();
        let row = |diagnosis: &Diagnosis| {
            format!(
                "| {} | {} | `{}` | {} |",
                evidence(*diagnosis),
                meaning(*diagnosis),
                diagnosis.code(),
                next(*diagnosis)
            )
        };
        let wanted: Vec<String> = within(language, || Diagnosis::ALL.iter().map(row).collect());
        assert_eq!(rows, wanted, "{name}");
    }
}
