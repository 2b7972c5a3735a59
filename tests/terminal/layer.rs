//! Nothing outside `src/terminal` writes to stdout or stderr.

use std::fs;
use std::path::{Path, PathBuf};

/// The names that only the terminal layer may use: functions for stdout, stderr and the terminal's modes.
const RESERVED: [&str; 10] = [
    "io::stdout",
    "io::stderr",
    "stdio::",
    "Stdout>",
    "Stderr>",
    "crossterm",
    "anstream",
    "indicatif",
    "rpassword",
    "\"/dev/tty\"",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Lines with a reserved name outside comments, as `file:line: text`.
fn offending(name: &str, text: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines()
        .enumerate()
        .filter(|(_, line)| is_code(line) && RESERVED.iter().any(|word| line.contains(word)))
        .map(|(index, line)| format!("{name}:{}: {}", index + 1, line.trim()))
        .collect()
}

#[test]
fn only_the_terminal_layer_touches_stdout_and_stderr() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&root).unwrap();
        if !name.starts_with("terminal") && name != Path::new("terminal.rs") {
            let text = fs::read_to_string(file).unwrap();
            found.extend(offending(&format!("src/{}", name.display()), &text));
        }
    }
    assert!(files.len() > 100, "{} files", files.len());
    assert!(
        found.is_empty(),
        "use crate::terminal instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn an_offender_is_named_with_its_line() {
    let text = "use std::io;\n// io::stdout is elsewhere\nlet out = io::stdout();\n";
    assert_eq!(
        offending("src/a.rs", text),
        ["src/a.rs:3: let out = io::stdout();"]
    );
}
