//! docs/pair.md has every diagnosis, in the program's words.

use udpcli::pair::diagnosis::Diagnosis;

#[test]
fn the_page_has_every_diagnosis() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pair.md");
    let page = std::fs::read_to_string(path).expect("docs/pair.md is readable");
    for diagnosis in Diagnosis::ALL {
        let row = format!(
            "| `{}` | {} | {} |",
            diagnosis.code(),
            diagnosis.meaning(),
            diagnosis.next()
        );
        assert!(page.contains(&row), "docs/pair.md lacks this row:\n{row}");
    }
}
