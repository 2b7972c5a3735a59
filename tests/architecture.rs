//! The layers: a module uses only modules below it, and the modules of a layer have no circular dependency.
//! `docs/architecture.md` contains the table that this test makes; `UPDATE_DOCS=1` updates it.

// Tells clippy that all helpers here are test code.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The layers, top down: a layer may use those below it. The modules in one row do not use each other.
const LAYERS: &[(&[&str], &str)] = &[
    (&["build"], "how the program is linked; no part of it"),
    (&["main", "lib"], "parse, run, print the error, exit"),
    (&["cli"], "arguments -> plan, call one thing, exit code"),
    (&["words"], "errors as people read them; only `cli` uses it"),
    (
        &["error"],
        "how a command ends: outcome, or error and exit code",
    ),
    (&["pair"], "the test of PC and board"),
    (
        &["survey"],
        "what blocks datagrams or the board, and which boards are near",
    ),
    (&["board"], "the serial bridge; knows nothing of `udp`"),
    (&["udp"], "sockets, loops, payloads, statistics"),
    (&["report"], "results -> one HTML page with charts"),
    (&["capture"], "datagrams -> pcap, pcapng, jsonl"),
    (&["render"], "datagrams -> text, board, hex, json, raw"),
    (&["terminal"], "all output, and what the user types"),
    (&["file"], "opens what the user names"),
    (&["demo"], "a listener and a sender on this PC"),
    (
        &["firewall"],
        "whether this PC's firewall lets a datagram in",
    ),
    (&["os_command"], "asks a program of the operating system"),
    (&["wait"], "waits that Ctrl-C ends"),
    (&["config", "names"], "settings and names from files"),
    (
        &[
            "atomic_file",
            "datagram",
            "processes",
            "registry",
            "shutdown",
            "text",
        ],
        "small things; they know nothing",
    ),
];

/// The uses of one module by another, with the two files.
type Uses = BTreeMap<(String, String), (PathBuf, String)>;

fn source_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The source without comments, because a link in a doc comment is not a dependency.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a source file");
    text.lines()
        .map(|line| line.split_once("//").map_or(line, |(before, _)| before))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// The paths below `prefix` in some code: `crate::a::b` and the names within `crate::{a::b, c}`.
fn paths_below(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (index, character) in group.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' if depth > 0 => depth -= 1,
                    ',' | '}' if depth == 0 => {
                        found.insert(group[start..index].trim().to_owned());
                        start = index + 1;
                        if character == '}' {
                            break;
                        }
                    }
                    _ => {}
                }
            }
        } else {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')))
                .unwrap_or(rest.len());
            found.insert(rest[..end].to_owned());
        }
    }
    found
}

fn first_name(path: &str) -> String {
    let end = path
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(path.len());
    path[..end].to_owned()
}

/// The uses between the modules directly below `folder`, whose path in code is `prefix`.
fn uses(folder: &Path, prefix: &str) -> Uses {
    let mut files = Vec::new();
    source_files(folder, &mut files);
    files.sort();
    let mut uses = Uses::new();
    for path in files {
        let inside = path.strip_prefix(folder).expect("a file below");
        let first = inside.iter().next().expect("a name").to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        for target in paths_below(&code(&path), prefix) {
            let name = first_name(&target);
            if name != module && is_module(folder, &name) {
                uses.entry((module.clone(), name))
                    .or_insert_with(|| (path.clone(), format!("{prefix}{target}")));
            }
        }
    }
    uses
}

fn is_module(folder: &Path, name: &str) -> bool {
    folder.join(format!("{name}.rs")).exists()
}

fn rank(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|(modules, _)| modules.contains(&module))
        .unwrap_or_else(|| panic!("src/{module} is in no layer: put it into the table in tests/architecture.rs, and the docs"))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

#[test]
fn dependencies_point_down() {
    let mut wrong = String::new();
    let uses = uses(&source(), "crate::");
    assert!(uses.len() > 30, "the sources were not read: {uses:?}");
    for ((user, used), (file, path)) in &uses {
        if rank(user) >= rank(used) {
            let _ = writeln!(
                wrong,
                "{} uses {path}: `{user}` is not above `{used}`",
                file.display()
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn only_the_command_line_uses_words() {
    let users: Vec<String> = uses(&source(), "crate::")
        .into_keys()
        .filter(|(_, used)| used == "words")
        .map(|(user, _)| user)
        .collect();
    assert_eq!(users, ["cli"]);
}

/// Within a layer: no module depends on itself through others.
#[test]
fn no_circle_closes_within_a_layer() {
    let mut wrong = String::new();
    for layer in LAYERS.iter().flat_map(|(modules, _)| *modules) {
        let folder = source().join(layer);
        if !folder.is_dir() {
            continue;
        }
        let uses = uses(&folder, &format!("crate::{layer}::"));
        for (user, used) in uses.keys() {
            if let Some(way) = way_between(&uses, used, user) {
                let (file, path) = &uses[&(user.clone(), used.clone())];
                let _ = writeln!(
                    wrong,
                    "{} uses {path}, and {used} leads back: {}",
                    file.display(),
                    way.join(" -> ")
                );
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The modules on the shortest path from one to another.
fn way_between(uses: &Uses, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::from([from.to_owned()]);
    while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
        let end = way.last().expect("a way has an end");
        if end == to {
            return Some(way);
        }
        for (_, next) in uses.keys().filter(|(user, _)| user == end) {
            if seen.insert(next.clone()) {
                ways.push(way.iter().cloned().chain([next.clone()]).collect());
            }
        }
    }
    None
}

/// A file with more lines than this must say at its top why it is not split: "Long because ..".
const LONGEST_FILE: usize = 400;

#[test]
fn a_long_file_says_why_it_is_long() {
    let mut files = Vec::new();
    source_files(&source(), &mut files);
    source_files(&tests(), &mut files);
    let mut wrong = String::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let is_long = text.lines().count() > LONGEST_FILE;
        let says_why = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .any(|line| line.starts_with("//! Long because "));
        if is_long != says_why {
            let _ = writeln!(
                wrong,
                "{}: {} lines: split it by subject, or say at its top why not (`//! Long because ..`); no reason for a short one",
                path.display(),
                text.lines().count()
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn table() -> String {
    let uses = uses(&source(), "crate::");
    let mut table = String::from("| layer | what it is | uses |\n|---|---|---|\n");
    for (modules, what) in LAYERS {
        let below: BTreeSet<&str> = uses
            .keys()
            .filter(|(user, _)| modules.contains(&user.as_str()))
            .map(|(_, used)| used.as_str())
            .collect();
        let below: Vec<&str> = below.into_iter().collect();
        let _ = writeln!(
            table,
            "| `{}` | {what} | {} |",
            modules.join("`, `"),
            below.join(", ")
        );
    }
    table
}

/// A file that `docs/architecture.md` names exists: as a path below `src` or below the folder that its row describes.
#[test]
fn the_files_that_the_docs_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/architecture.md")).expect("the page");
    let mut files = Vec::new();
    source_files(&source(), &mut files);
    source_files(&tests(), &mut files);
    let files: Vec<String> = files
        .iter()
        .map(|file| format!("/{}", file.display()))
        .collect();
    let named = text.split('`').skip(1).step_by(2);
    let is_a_file = |name: &str| {
        let is_rust = Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "rs");
        is_rust && !name.contains(['{', '*', ' ']) && !name.contains("NAME")
    };
    let missing: Vec<&str> = named
        .filter(|name| is_a_file(name))
        .filter(|name| !files.iter().any(|file| file.ends_with(&format!("/{name}"))))
        .collect();
    assert!(missing.is_empty(), "docs/architecture.md names {missing:?}");
}

#[test]
fn the_docs_show_the_layers() {
    const START: &str = "<!-- layers: tests/architecture.rs writes this -->\n";
    const END: &str = "<!-- end of layers -->\n";
    let table = table();
    println!("{table}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = std::fs::read_to_string(&path).expect("docs/architecture.md");
    let (before, rest) = text.split_once(START).expect("the start of the table");
    let (shown, after) = rest.split_once(END).expect("the end of the table");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{START}{table}{END}{after}")).expect("written");
    } else {
        assert_eq!(shown, table, "UPDATE_DOCS=1 cargo test --test architecture");
    }
}
