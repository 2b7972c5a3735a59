//! The catalogue of sentences: every language has every sentence with the same placeholders, and the code uses each of
//! them with exactly its placeholders.

// Tells clippy that all helpers here are test code.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use udpcli::words::language::Language;

/// The placeholders of each sentence, by its ID.
type Sentences = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, extension, into);
        } else if path.extension().is_some_and(|found| found == extension) {
            into.push(path);
        }
    }
    into.sort();
}

fn placeholders(pattern: &Pattern<String>, into: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            of_expression(expression, into);
        }
    }
}

fn of_expression(expression: &Expression<String>, into: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => of_inline(inline, into),
        Expression::Select { selector, variants } => {
            of_inline(selector, into);
            for variant in variants {
                placeholders(&variant.value, into);
            }
        }
    }
}

fn of_inline(inline: &InlineExpression<String>, into: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            into.insert(id.name.clone());
        }
        InlineExpression::Placeable { expression } => of_expression(expression, into),
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        other => panic!("a sentence is whole, and takes nothing from others: {other:?}"),
    }
}

/// Every sentence of a language.
fn catalogue(language: Language) -> Sentences {
    let mut sentences = Sentences::new();
    let mut paths = Vec::new();
    files(
        &root().join("src/words").join(language.tag()),
        "ftl",
        &mut paths,
    );
    for path in paths {
        let area = path.file_stem().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a catalogue");
        let resource = fluent_syntax::parser::parse(text)
            .unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", path.display()));
        for entry in resource.body {
            let Entry::Message(message) = entry else {
                continue;
            };
            let id = format!("{area}.{}", message.id.name);
            let attributes = message.attributes.iter();
            let all = attributes
                .map(|attribute| (format!("{id}.{}", attribute.id.name), &attribute.value))
                .chain(message.value.iter().map(|value| (id.clone(), value)));
            for (id, pattern) in all {
                let mut names = BTreeSet::new();
                placeholders(pattern, &mut names);
                // The catalogue itself fills it, see `among_boards`.
                names.remove("serial");
                let twice = sentences.insert(id.clone(), names);
                assert!(twice.is_none(), "{id} stands twice in {}", path.display());
            }
        }
    }
    sentences
}

#[test]
fn every_language_has_every_sentence_with_the_same_placeholders() {
    let english = catalogue(Language::English);
    assert!(english.len() > 50, "the catalogue was not read");
    for language in Language::ALL {
        let other = catalogue(language);
        let mut wrong = String::new();
        for (id, names) in &english {
            match other.get(id) {
                None => writeln!(wrong, "{id} is missing"),
                Some(theirs) if theirs != names => {
                    writeln!(wrong, "{id} has {theirs:?}, English has {names:?}")
                }
                Some(_) => Ok(()),
            }
            .expect("a String");
        }
        for id in other.keys().filter(|id| !english.contains_key(*id)) {
            writeln!(wrong, "{id} is not English").expect("a String");
        }
        assert!(wrong.is_empty(), "{}:\n{wrong}", language.tag());
    }
}

/// The text between a parenthesis and its closing one; skips strings.
fn arguments(code: &str) -> &str {
    let mut depth = 1;
    let mut in_string = false;
    let mut escaped = false;
    for (at, character) in code.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return &code[..at];
                }
            }
            _ => {}
        }
    }
    code
}

/// The top-level arguments, split at their commas.
fn split(arguments: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut in_string, mut escaped) = (0, 0, false, false);
    for (at, character) in arguments.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => depth -= 1,
            ',' if depth == 0 && !in_string => {
                parts.push(arguments[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(arguments[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The name of an argument: before its `=` or `:`, or the variable itself.
fn name(argument: &str) -> String {
    argument
        .trim_start_matches(['%', '?'])
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The sentences that a piece of code uses, each with the placeholders that it fills.
fn used(code: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    for (at, macro_name) in code
        .match_indices("say!(")
        .chain(code.match_indices("sentence!("))
        .chain(code.match_indices("tracing::debug!("))
        .chain(code.match_indices("tracing::info!("))
        .chain(code.match_indices("tracing::warn!("))
        .chain(code.match_indices("tracing::error!("))
    {
        let parts = split(arguments(&code[at + macro_name.len()..]));
        let Some((first, rest)) = parts.split_first() else {
            continue;
        };
        let id = if matches!(macro_name, "say!(" | "sentence!(") {
            first
        } else if let Some(id) = first.strip_prefix("say = ") {
            id
        } else {
            continue;
        };
        let Some(id) = id.strip_prefix('"').and_then(|id| id.strip_suffix('"')) else {
            // Skip the macro's own definition.
            continue;
        };
        found.push((
            id.to_owned(),
            rest.iter().map(|argument| name(argument)).collect(),
        ));
    }
    found
}

#[test]
fn the_code_uses_each_sentence_with_all_its_placeholders() {
    let english = catalogue(Language::English);
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    let mut wrong = String::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let code = std::fs::read_to_string(&path).expect("a source file");
        // Comments contain examples.
        let code: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .fold(String::new(), |all, line| all + line + "\n");
        for (id, given) in used(&code) {
            let place = path.strip_prefix(root()).expect("below the root").display();
            match english.get(&id) {
                None => writeln!(wrong, "{place}: no sentence {id}"),
                Some(names) if *names != given => {
                    writeln!(wrong, "{place}: {id} has {names:?}, given are {given:?}")
                }
                Some(_) => Ok(()),
            }
            .expect("a String");
            seen.insert(id);
        }
    }
    for id in english
        .keys()
        .filter(|id| !seen.contains(*id) && !id.starts_with("help."))
    {
        writeln!(wrong, "nothing uses {id}").expect("a String");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Chinese sentences use full-width punctuation between Chinese characters and around placeholders.
#[test]
fn chinese_sentences_have_chinese_punctuation() {
    let mut paths = Vec::new();
    files(&root().join("src/words/zh-CN"), "ftl", &mut paths);
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let mut wrong = String::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a catalogue");
        for line in text.lines() {
            let characters: Vec<char> = line.chars().collect();
            let bad = characters
                .windows(2)
                .any(|pair| is_chinese(pair[0]) && matches!(pair[1], ',' | ';' | ':' | '?' | '!'));
            if bad {
                writeln!(wrong, "{}: {line}", path.display()).expect("a String");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Punctuation differs between languages, so it belongs into the catalogue: a list is a list value of a sentence, and
/// what stands in parentheses is a placeholder.
#[test]
fn the_code_adds_no_punctuation_to_sentences() {
    // Text for programs, and English text for logs.
    const ALLOWED: [(&str, &str); 9] = [
        (
            "cli/board/files/tree.rs",
            "data: the name and size of a file",
        ),
        ("cli/config.rs", "TOML"),
        ("cli/messages.rs", "TOML"),
        ("cli/doctor.rs", "JSON"),
        ("error.rs", "the Display of errors, for logs"),
        ("board/error.rs", "the Display of errors, for logs"),
        ("board/operation.rs", "the Display of errors, for logs"),
        ("board/mirror/attach.rs", "the Display of errors, for logs"),
        ("udp/system/linux/transmit.rs", "a log"),
    ];
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    let mut wrong = String::new();
    let mut found = BTreeSet::new();
    for path in paths.iter().filter(|path| !path.ends_with("tests.rs")) {
        let code = std::fs::read_to_string(path).expect("a source file");
        let program = code.split("\nmod tests {").next().unwrap_or_default();
        let name = path.strip_prefix(root().join("src")).expect("below src");
        for line in program.lines().map(str::trim_start) {
            let is_glued =
                line.contains(" ({") && line.contains('"') || line.contains("join(\", \")");
            if !is_glued || line.starts_with("//") || line.starts_with("#[error(") {
                continue;
            }
            match ALLOWED.iter().find(|(file, _)| name == Path::new(file)) {
                Some((file, _)) => drop(found.insert(*file)),
                None => writeln!(wrong, "{}: {line}", name.display()).expect("a String"),
            }
        }
    }
    for (file, _) in ALLOWED.iter().filter(|(file, _)| !found.contains(file)) {
        writeln!(wrong, "nothing of the kind in {file}: take it off the list").expect("a String");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// If a file is missing in the program's list of areas, users see IDs instead of sentences.
#[test]
fn the_program_has_every_file() {
    use udpcli::text::sentence::Sentence;
    use udpcli::words::catalogue::in_language;

    let english = catalogue(Language::English);
    for (id, _) in english.iter().filter(|(_, names)| names.is_empty()) {
        let id: &'static str = Box::leak(id.clone().into_boxed_str());
        for language in Language::ALL {
            assert_ne!(in_language(language, &Sentence::new(id)), id);
        }
    }
}

/// udpcli breaks the lines of help to fit the terminal. A line that the catalogue breaks would be broken twice.
#[test]
fn a_paragraph_of_help_is_one_line() {
    for language in ["en", "zh-CN"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/words")
            .join(language)
            .join("help.ftl");
        let help = std::fs::read_to_string(path).unwrap();
        let prose = |line: &str| {
            let text = line.strip_prefix("        ").unwrap_or_default();
            !text.is_empty()
                && !text.starts_with([' ', '1', '2', '3'])
                && !text.ends_with([':', '：'])
                && !text.starts_with("udpcli ")
        };
        let lines: Vec<&str> = help.lines().collect();
        for pair in lines.windows(2) {
            let is_broken = pair.iter().all(|line| prose(line));
            assert!(!is_broken, "{language}: {pair:#?}");
        }
    }
}
