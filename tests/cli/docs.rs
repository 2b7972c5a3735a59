//! Checks README and docs against the program: commands parse, help texts and exit codes match, JSON Lines fit the
//! schema.
//!
//! Long because every page is checked against the same parsed commands.

mod screens;
mod tables;
mod twins;

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use clap::{CommandFactory as _, Parser as _};
use serde_json::{Map, Value};
use udpcli::cli::Cli;
use udpcli::error::{Error, Outcome};
use udpcli::udp;

use crate::support::{Listener, Running, address_of, loopback_socket, run, udpcli};

const README: &str = "README.md";
const README_ZH: &str = "docs/README.zh-CN.md";
const USAGE: &str = "docs/usage.md";
const REFERENCE: &str = "docs/reference.md";
const REFERENCE_ZH: &str = "docs/reference.zh-CN.md";
const SCHEMA: &str = "docs/datagram.schema.json";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    let text = fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.replace("\r\n", "\n")
}

/// README and all Markdown files in docs and docs/decisions.
fn pages() -> Vec<String> {
    let mut pages = vec![README.to_owned()];
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(path(folder)).expect("the folder is there") {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8");
            if name.split('.').next_back() == Some("md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    pages
}

/// The lines in code blocks, with their line numbers. Help texts are not among them: their examples have a test of their own.
fn code_lines(page: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    if [REFERENCE, REFERENCE_ZH].contains(&page) {
        return lines;
    }
    let mut in_code = false;
    for (index, line) in read(page).lines().enumerate() {
        match line {
            _ if line.trim_start().starts_with("```") => in_code = !in_code,
            _ if in_code => lines.push((index + 1, line.trim().to_owned())),
            _ => {}
        }
    }
    assert!(!in_code, "{page}: a block is not closed");
    lines
}

/// Splits a shell line into simple commands and their words, without redirections and comments. Quotes work as in a
/// POSIX shell, except that double quotes keep every backslash, as all our examples need.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    let mut redirects = false;
    while let Some(char) = chars.next() {
        match char {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                word.extend(chars.by_ref().take_while(|&next| next != char));
                assert!(
                    char == '\'' || !word.contains(['$', '`']),
                    "{line}: the shell would expand that"
                );
            }
            '#' if word.is_none() => break,
            ' ' | '|' | '&' | ';' | '>' | '<' => {
                let is_target = word.is_some() && std::mem::take(&mut redirects);
                // As in `2> file`.
                let is_stream = char == '>' && matches!(word.as_deref(), Some("1" | "2"));
                if let Some(word) = word.take()
                    && !is_target
                    && !is_stream
                {
                    commands.last_mut().expect("one at least").push(word);
                }
                match char {
                    ' ' => {}
                    '>' | '<' => redirects = true,
                    _ => commands.push(Vec::new()),
                }
            }
            _ => word.get_or_insert_default().push(char),
        }
    }
    if let Some(word) = word
        && !redirects
    {
        commands.last_mut().expect("one at least").push(word);
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// The commands of a page that run udpcli, with their line numbers.
fn udpcli_commands(page: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (number, line) in code_lines(page) {
        let is_prompt = line.starts_with("$ ");
        let line = line.strip_prefix("$ ").unwrap_or(&line);
        // A line without either prefix is the output of a command.
        if is_prompt || line.starts_with("udpcli ") {
            let commands = commands(line)
                .into_iter()
                .filter(|command| command[0] == "udpcli");
            found.extend(commands.map(|command| (number, command)));
        }
    }
    found
}

#[test]
fn shell_lines_are_read_as_a_shell_reads_them() {
    assert_eq!(
        commands(r#"a 'b "c' "d\r\n" e # f"#),
        [["a", r#"b "c"#, r"d\r\n", "e"]]
    );
    assert_eq!(
        commands("a > b | c < d && e 2> g; f ''"),
        [vec!["a"], vec!["c"], vec!["e"], vec!["f", ""]]
    );
}

#[test]
fn every_command_in_the_docs_parses() {
    for page in pages() {
        let commands = udpcli_commands(&page);
        if [README, README_ZH, USAGE].contains(&page.as_str()) {
            assert!(
                commands.len() > 5,
                "{page}: {} commands found",
                commands.len()
            );
        }
        for (number, command) in commands {
            if let Err(error) = Cli::try_parse_from(&command) {
                assert!(!error.use_stderr(), "{page}:{number}: {command:?}: {error}");
            }
        }
    }
}

/// The console blocks of a page: a command and its output.
fn console_blocks(page: &str) -> Vec<String> {
    let text = read(page);
    let blocks = text.split("```console\n").skip(1);
    blocks
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

/// Commands are the same in every language.
#[test]
fn the_tables_of_other_tools_have_the_same_commands_in_both_languages() {
    let [english, chinese] =
        ["docs/coming-from.md", "docs/coming-from.zh-CN.md"].map(table_commands);
    assert!(english.len() > 20, "{english:?}");
    assert_eq!(english, chinese);
}

/// The udpcli commands in a page's tables.
fn table_commands(page: &str) -> Vec<String> {
    let text = read(page).replace("\\|", "|");
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let spans = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    spans
        .filter(|span| span.contains("udpcli ") && !span.ends_with(" .."))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_in_the_tables_parses() {
    for page in ["docs/coming-from.md", "docs/coming-from.zh-CN.md"] {
        for span in table_commands(page) {
            for command in commands(&span) {
                if command[0] == "udpcli"
                    && let Err(error) = Cli::try_parse_from(&command)
                {
                    panic!("{page}: {span}: {error}");
                }
            }
        }
    }
    // A command listed for reading flash must not write to it.
    let backup = read("docs/coming-from.md")
        .lines()
        .find_map(|line| line.strip_prefix("| `esptool read_flash 0 ALL backup.bin` | `"))
        .and_then(|rest| rest.split('`').next().map(str::to_owned));
    assert_eq!(
        backup.as_deref(),
        Some("udpcli board flash --backup backup.bin")
    );
}

/// The steps of the mPython course, six for the client and five for the server, match the output of `-v`.
#[test]
fn the_tutorials_steps_are_what_the_program_tells() {
    const CLIENT: [&str; 5] = [
        "socket AF_INET SOCK_DGRAM",
        "setsockopt SO_REUSEADDR 1",
        "bind ",
        // Steps four (the receiver) and five.
        "sendto 28 bytes to ",
        "close",
    ];
    const SERVER: [&str; 5] = [
        "socket AF_INET SOCK_DGRAM",
        "setsockopt SO_REUSEADDR 1",
        "bind ",
        "recvfrom 28 bytes from ",
        "close",
    ];
    let check = |shown: &str, steps: [&str; 5]| {
        let mut lines = shown.lines();
        for step in steps {
            assert!(
                lines.any(|line| line.starts_with(step)),
                "no {step:?} in its place in {shown}"
            );
        }
    };
    let message = r"hello message from mPython\r\n";
    for page in ["docs/tutorial.md", "docs/tutorial.zh-CN.md"] {
        let blocks = console_blocks(page);
        let block = |command: &str| {
            let start = format!("$ {command}");
            let found = blocks.iter().find(|block| block.starts_with(&start));
            found.unwrap_or_else(|| panic!("{page}: no {command}"))
        };
        let client = "udpcli send 192.168.0.3:6000 -v --reuse-addr --bind ";
        check(block(client), CLIENT);
        check(block("udpcli listen -v --reuse-addr "), SERVER);
    }
    let mut listen = udpcli([
        "listen",
        "-v",
        "--reuse-addr",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "-n",
        "1",
    ]);
    let listener = Listener::spawn(&mut listen);
    let peer = listener.address.to_string();
    let sent = run([
        "send",
        &peer,
        "-v",
        "--reuse-addr",
        "--bind",
        "127.0.0.1:0",
        "-e",
        message,
    ]);
    check(&sent.expect_code(0).stderr, CLIENT);
    check(&listener.running.finish().expect_code(0).stderr, SERVER);
}

/// All commands with a help text, in the order of the help; read from the parser, so that none can be left out.
fn all_commands() -> Vec<String> {
    fn add(command: &clap::Command, path: &str, to: &mut Vec<String>) {
        to.push(path.to_owned());
        for inner in command
            .get_subcommands()
            .filter(|inner| !inner.is_hide_set())
        {
            let path = format!("{path} {}", inner.get_name());
            add(inner, path.trim_start(), to);
        }
    }
    let mut all = Vec::new();
    add(&Cli::command(), "", &mut all);
    all
}

#[test]
fn every_example_in_the_help_texts_parses() {
    for command in all_commands() {
        let help = help(&command, "en");
        let examples = help.split_once("\nExamples:\n").expect("examples").1;
        let mut count = 0;
        for line in examples
            .lines()
            .filter_map(|line| line.strip_prefix("  udpcli "))
        {
            // Two spaces separate the explanation from the command.
            let line = line.split("  ").next().unwrap_or(line);
            let words = commands(&format!("udpcli {line}")).swap_remove(0);
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("udpcli {command} --help: {words:?}: {error}");
            }
            count += 1;
        }
        assert!(count > 0, "udpcli {command} --help has no example");
    }
}

/// The code block after a heading.
fn block_after(page: &str, heading: &str) -> String {
    let text = read(page);
    let rest = text
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("{page}: no {heading}"))
        .1;
    let block = rest.split("```").nth(1).expect("a code block");
    block
        .split_once('\n')
        .expect("a language, then lines")
        .1
        .trim()
        .to_owned()
}

#[test]
fn try_it_and_test_it_name_what_is_there() {
    for (page, try_it, test_it) in [
        (README, "## Try it", "## Test it"),
        (README_ZH, "## 试一试", "## 跑测试"),
    ] {
        assert_eq!(block_after(page, try_it), "cargo run --release -- demo");
        assert_eq!(block_after(page, test_it), "tests/run");
    }
    let runner = fs::metadata(path("tests/run")).expect("tests/run is there");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert!(
            runner.permissions().mode() & 0o111 != 0,
            "tests/run can be executed"
        );
    }
    assert!(runner.is_file());
}

/// Every link to a file or to a heading must resolve.
#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let base = path(&page);
        let text = read(&page);
        // Python in a code block may look like a link: `names['x'](..)`.
        let prose: Vec<&str> = text.split("```").step_by(2).collect();
        for link in prose
            .concat()
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.starts_with("https://") {
                continue;
            }
            let target = if file.is_empty() {
                base.clone()
            } else {
                base.parent().expect("a folder").join(file)
            };
            assert!(target.is_file(), "{page}: {link}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).expect("text");
                // The anchor that GitHub generates: lower case, no punctuation, dashes for spaces.
                let is_heading = |line: &str| {
                    let title = line.trim_start_matches('#').trim().to_lowercase();
                    let kept = title
                        .chars()
                        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
                    line.starts_with('#') && kept.collect::<String>().replace(' ', "-") == anchor
                };
                assert!(
                    text.lines().any(is_heading),
                    "{page}: no heading for {link}"
                );
            }
        }
    }
}

/// `udpcli COMMAND --help` as shown in the docs: 100 columns, no colour, no trailing spaces.
fn help(command: &str, language: &str) -> String {
    let mut call = udpcli(command.split_whitespace().chain(["--help"]));
    call.env("COLUMNS", "100").env("UDPCLI_LANG", language);
    let text = Running::spawn(&mut call).finish().expect_code(0).text();
    text.lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect()
}

#[test]
fn the_reference_has_the_help_texts() {
    check_reference(REFERENCE, "en");
}

#[test]
fn the_chinese_reference_has_the_chinese_help_texts() {
    check_reference(REFERENCE_ZH, "zh-CN");
}

/// Checks a page of help texts, or writes it.
fn check_reference(page: &str, language: &str) {
    let reference = read(page);
    let (head, _) = reference.split_once("## udpcli\n").expect("a section");
    let mut fresh = head.to_owned();
    for command in all_commands() {
        let text = help(&command, language);
        let heading = format!("## udpcli {command}");
        fresh += &[heading.trim_end(), "\n\n```text\n", &text, "```\n\n"].concat();
    }
    fresh.truncate(fresh.trim_end().len() + 1);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(page), &fresh).expect("the page can be written");
    } else {
        let differ = reference
            .lines()
            .zip(fresh.lines())
            .find(|(old, new)| old != new);
        assert!(
            reference == fresh,
            "{page} is behind --help ({differ:?}): UPDATE_DOCS=1 cargo test --test cli docs::"
        );
    }
}

/// The pages that explain the commands.
const EXPLAINED: [&str; 6] = [
    USAGE,
    "docs/board.md",
    "docs/oled.md",
    "docs/flash.md",
    "docs/pair.md",
    "docs/configuration.md",
];

#[test]
fn the_pages_name_every_flag() {
    let (usage, explained) = (read(USAGE), EXPLAINED.map(read).join("\n"));
    for command in all_commands() {
        // The flags of send and listen must all be explained on the usage page.
        let told = if ["send", "listen"].contains(&command.as_str()) {
            &usage
        } else {
            &explained
        };
        for line in help(&command, "en").lines() {
            let flag = line.split_whitespace().find(|word| word.starts_with('-'));
            if let Some(flag) =
                flag.filter(|_| line.starts_with("  -") || line.starts_with("      --"))
            {
                let long = line
                    .split_whitespace()
                    .find(|word| word.starts_with("--"))
                    .unwrap_or(flag);
                let long = long.trim_end_matches(['.', ',']);
                let is_told = told
                    .split(|c: char| !(c.is_alphanumeric() || c == '-'))
                    .any(|word| word == long);
                assert!(
                    is_told || ["--help", "--version"].contains(&long),
                    "no page explains udpcli {command} {long}"
                );
            }
        }
    }
}

/// Each message in `src/board/error.rs` needs a row in docs/board.md that contains its words in the same order.
#[test]
fn every_error_of_the_board_is_explained() {
    let page = read("docs/board.md");
    let source = read("src/board/error.rs");
    let messages: Vec<&str> = source
        .split("#[error(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(messages.len() > 20, "{messages:?}");
    for message in messages {
        let words: Vec<&str> = message
            .split('{')
            .enumerate()
            .filter_map(|(at, part)| match at {
                0 => Some(part),
                _ => part.split_once('}').map(|(_, words)| words),
            })
            .map(str::trim)
            .filter(|words| !words.is_empty())
            .collect();
        let is_told = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .any(|row| {
                let told = row.split('`').nth(1).unwrap_or_default();
                words
                    .iter()
                    .try_fold(told, |rest, words| {
                        rest.split_once(words).map(|(_, rest)| rest)
                    })
                    .is_some()
            });
        assert!(is_told, "docs/board.md says nothing of {message:?}");
    }
}

/// The first column of the table of exit codes.
fn exit_codes(page: &str) -> Vec<u8> {
    let text = read(page);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split_once(" |")?.0.parse::<u8>().ok())
        .collect()
}

#[test]
fn the_exit_code_tables_are_what_the_program_returns() {
    let refused = udp::error::Error::Refused {
        peer: ([127, 0, 0, 1], 6000).into(),
    };
    let resolve = udp::error::Error::Resolve {
        host: String::new(),
        source: std::io::Error::other(""),
    };
    let codes = [
        Outcome::Done.exit_code(),
        refused.exit_code(),
        Error::usage("").exit_code(),
        resolve.exit_code(),
        Outcome::Interrupted.exit_code(),
    ];
    for page in [README, README_ZH] {
        assert_eq!(exit_codes(page), codes, "{page}");
    }
    let socket = loopback_socket();
    let taken = address_of(&socket)
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    run(["send", &address_of(&socket), "hello"]).expect_code(0);
    run([
        "listen",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "--timeout",
        "10ms",
    ])
    .expect_code(1);
    run(["send", "no-port"]).expect_code(2);
    run(["listen", "--bind", "127.0.0.1", "--port", &taken]).expect_code(3);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_as_the_table_says() {
    let endless = Listener::start(["--bind", "127.0.0.1"]);
    endless.running.interrupt().expect_code(0);
    let counted = Listener::start(["--bind", "127.0.0.1", "-n", "1"]);
    counted.running.interrupt().expect_code(130);
}

/// Validates one value against its part of the schema.
fn check_value(key: &str, value: &Value, schema: &Value) {
    let rules = schema.as_object().expect("a property is an object");
    for (rule, wanted) in rules {
        let holds = match rule.as_str() {
            "description" | "pattern" | "contentEncoding" => true,
            "type" => match wanted.as_str() {
                Some("string") => value.is_string(),
                Some("integer") => value.is_u64(),
                _ => panic!("{key}: a type that this check does not know: {wanted}"),
            },
            "minimum" => value.as_u64() >= wanted.as_u64(),
            "maximum" => value.as_u64() <= wanted.as_u64(),
            "const" => value == wanted,
            _ => panic!("{key}: a rule that this check does not know: {rule}"),
        };
        assert!(holds, "{key}: {value} breaks {rule}: {wanted}");
    }
    let text = value.as_str().unwrap_or_default();
    match key {
        "time" => {
            let time: jiff::Timestamp = text.parse().expect("RFC 3339");
            assert_eq!(format!("{time:.6}"), text, "UTC, microseconds");
        }
        "from" | "to" => drop(text.parse::<std::net::SocketAddr>().expect("an address")),
        "base64" => drop(
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .expect("base64"),
        ),
        _ => {}
    }
}

/// Validates a line against the schema; returns its object.
fn check_line(line: &str, schema: &Value) -> Map<String, Value> {
    let object: Map<String, Value> =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let has = |keys: &Value| {
        let keys = keys.as_array().expect("a list of keys");
        keys.iter()
            .all(|key| object.contains_key(key.as_str().expect("a key")))
    };
    for (key, value) in &object {
        let property = schema["properties"].get(key);
        check_value(
            key,
            value,
            property.unwrap_or_else(|| panic!("{key} is not in {SCHEMA}: {line}")),
        );
    }
    assert!(has(&schema["required"]), "{line}");
    let choices = schema["oneOf"].as_array().expect("choices");
    assert_eq!(
        choices
            .iter()
            .filter(|choice| has(&choice["required"]))
            .count(),
        1,
        "{line}"
    );
    for (key, needs) in schema["dependentRequired"]
        .as_object()
        .expect("dependencies")
    {
        assert!(!object.contains_key(key) || has(needs), "{line}");
    }
    object
}

const SUMMARY_SCHEMA: &str = "docs/summary.schema.json";

/// Validates a value against a rule of the schema.
#[track_caller]
fn check_rule(name: &str, value: &Value, rule: &Value, schema: &Value) {
    let reference = rule["$ref"].as_str();
    let rule = match reference.and_then(|path| path.strip_prefix("#/$defs/")) {
        Some(definition) => &schema["$defs"][definition],
        None => rule,
    };
    let holds = match rule["type"].as_str() {
        Some("string") => {
            value.is_string()
                && rule["enum"]
                    .as_array()
                    .is_none_or(|all| all.contains(value))
        }
        Some("integer") => value.is_u64(),
        Some("number") => value.as_f64().is_some_and(|number| number >= 0.0),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.as_array().is_some_and(|items| {
            for item in items {
                check_rule(name, item, &rule["items"], schema);
            }
            rule["maxItems"]
                .as_u64()
                .is_none_or(|most| items.len() as u64 <= most)
        }),
        Some("object") => {
            let object = value.as_object().expect("an object");
            let known = rule["properties"].as_object().expect("properties");
            for (key, value) in object {
                let rule = known
                    .get(key)
                    .unwrap_or_else(|| panic!("{key} is not in {SUMMARY_SCHEMA}: {value}"));
                check_rule(key, value, rule, schema);
            }
            match rule["required"].as_array() {
                Some(required) => required
                    .iter()
                    .all(|key| object.contains_key(key.as_str().expect("a key"))),
                None => object.keys().eq(known.keys()),
            }
        }
        _ => false,
    };
    assert!(holds, "{name}: {value} breaks {rule}");
}

/// Validates an object of counts against its part of the schema; returns its keys.
fn check_counts(counts: &Value, schema: &Value) -> Vec<String> {
    check_rule("counts", counts, &schema["$defs"]["counts"], schema);
    for key in ["rtt", "delay"] {
        if let Some(spread) = counts.get(key) {
            let times: Vec<f64> = ["min", "median", "p99", "p99_9", "p99_99", "max"]
                .map(|name| spread[name].as_f64().expect("a time"))
                .to_vec();
            assert!(times.is_sorted(), "{spread}");
        }
    }
    let object = counts.as_object().expect("an object of counts");
    object.keys().cloned().collect()
}

/// The JSON Lines on stderr whose only key is `key`.
fn counts_on(stderr: &str, key: &str) -> Vec<Value> {
    let lines = stderr.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"))
        })
        .filter_map(|mut object| {
            assert_eq!(object.as_object().expect("an object").len(), 1, "{object}");
            object.get_mut(key).map(Value::take)
        })
        .collect()
}

#[test]
fn summaries_for_programs_fit_the_schema() {
    let schema: Value = serde_json::from_str(&read(SUMMARY_SCHEMA)).expect("the schema is JSON");
    let mut seen: Vec<String> = Vec::new();
    for quiet in [&[][..], &["-q"]] {
        let args = [
            &[
                "--bind",
                "127.0.0.1",
                "--summary",
                "json",
                "--format",
                "raw",
                "--seq",
            ][..],
            &["--echo", "--from", "127.0.0.1", "--stats", "20ms"],
        ]
        .concat();
        // No -q, because the test reads the port from the listening line.
        let listener = Listener::start(&args);
        let peer = listener.address.to_string();
        let send = [
            &[
                "send", &peer, "--size", "32", "-n", "5", "-w", "1h", "--format", "raw",
            ][..],
            &["--summary", "json", "--histogram"],
            quiet,
        ]
        .concat();
        let done = run(send).expect_code(0);
        assert_eq!(done.stdout.len(), 5 * 32, "stdout is datagrams only");
        if !quiet.is_empty() {
            assert!(
                done.stderr.lines().all(|line| line.starts_with('{')),
                "{}",
                done.stderr
            );
        }
        let summary = counts_on(&done.stderr, "summary");
        assert_eq!(summary.len(), 1, "{}", done.stderr);
        assert_eq!(
            (&summary[0]["datagrams"], &summary[0]["replies"]),
            (&5.into(), &5.into())
        );
        seen.extend(check_counts(&summary[0], &schema));

        let heard = listener.running.interrupt().expect_code(0);
        assert_eq!(heard.stdout.len(), 5 * 32, "stdout is datagrams only");
        let summary = counts_on(&heard.stderr, "summary");
        assert_eq!(summary.len(), 1, "{}", heard.stderr);
        assert_eq!(
            (&summary[0]["datagrams"], &summary[0]["lost"]),
            (&5.into(), &0.into())
        );
        assert!(
            !heard.stderr.contains(" datagrams, "),
            "no text besides: {}",
            heard.stderr
        );
        for counts in summary.iter().chain(&counts_on(&heard.stderr, "stats")) {
            seen.extend(check_counts(counts, &schema));
        }
    }
    let stats = Listener::start([
        "--bind",
        "127.0.0.1",
        "--summary",
        "json",
        "--stats",
        "20ms",
        "--check",
        "crc32",
    ]);
    let mut running = stats.running;
    let line = running.stderr_line_with("{\"stats\":{");
    seen.extend(check_counts(&counts_on(&line, "stats")[0], &schema));
    running.interrupt().expect_code(0);
    let replay = ["send", "127.0.0.1:9", "--replay", "-", "--summary", "json"];
    let replayed = run(replay).expect_code(1);
    seen.extend(check_counts(
        &counts_on(&replayed.stderr, "summary")[0],
        &schema,
    ));
    // Every key of the schema must occur, except the one that needs more than 32,768 peers.
    for key in schema["$defs"]["counts"]["properties"]
        .as_object()
        .expect("properties")
        .keys()
    {
        assert!(
            key == "more_peers" || seen.contains(key),
            "no line has {key}"
        );
    }
}

#[test]
fn json_lines_fit_the_schema() {
    let schema: Value = serde_json::from_str(&read(SCHEMA)).expect("the schema is JSON");
    let known: Vec<&str> = [
        "$schema",
        "title",
        "description",
        "type",
        "properties",
        "required",
        "oneOf",
        "dependentRequired",
    ]
    .into();
    for key in schema.as_object().expect("an object").keys() {
        assert!(
            known.contains(&key.as_str()),
            "{SCHEMA}: {key} is not checked here"
        );
    }

    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("heard.jsonl");
    let saved_name = saved.to_str().expect("UTF-8");
    let names = folder.path().join("names.csv");
    fs::write(&names, "127.0.0.1,小明\n").expect("a list of names");
    let args = [
        "--names",
        names.to_str().expect("UTF-8"),
        "--bind",
        "127.0.0.1",
        "-n",
        "5",
        "--format",
        "json",
        "--seq",
        "--recv-size",
        "100",
        "--check",
        "sum8",
        "--on",
        "hex:ff=hex:06",
        "--save",
        saved_name,
    ];
    let listener = Listener::start(args);
    let numbered = |number: u64| {
        let sent = u64::try_from(jiff::Timestamp::now().as_nanosecond()).expect("after 1970");
        [&number.to_be_bytes()[..], &sent.to_be_bytes(), b"filler"].concat()
    };
    let socket = loopback_socket();
    for payload in [
        "你好\r\n".as_bytes(),
        b"\xff\xff",
        &[b'x'; 101],
        &numbered(0),
        &numbered(3),
    ] {
        socket
            .send_to(payload, listener.address)
            .expect("loopback takes every datagram");
    }
    let finished = listener.running.finish().expect_code(0);
    let text = finished.text();
    let objects: Vec<_> = text.lines().map(|line| check_line(line, &schema)).collect();
    let pick = |key: &str| -> Vec<Value> {
        objects
            .iter()
            .map(|object| object.get(key).cloned().unwrap_or_default())
            .collect()
    };
    assert_eq!(pick("len"), [8, 2, 100, 22, 22]);
    assert_eq!(pick("text")[..2], [Value::from("你好\r\n"), Value::Null]);
    assert_eq!(pick("base64")[1], "//8=");
    assert_eq!(
        pick("truncated"),
        [
            Value::Null,
            Value::Null,
            true.into(),
            Value::Null,
            Value::Null
        ]
    );
    assert_eq!(pick("seq")[3..], [Value::from(0), Value::from(3)]);
    assert_eq!(pick("lost")[3..], [Value::Null, Value::from(2)]);

    assert_eq!(pick("check"), ["bad", "ok", "bad", "bad", "bad"]);
    assert_eq!(pick("rule")[..2], [Value::Null, Value::from(1)]);

    // Every key of the schema must occur.
    for key in schema["properties"].as_object().expect("properties").keys() {
        assert!(
            pick(key).iter().any(|value| !value.is_null()),
            "no line has {key}"
        );
    }
    // A capture keeps the received data; the senders' names may change later, so it has none.
    assert_eq!(
        fs::read_to_string(saved).expect("the file is there"),
        text.replace(",\"name\":\"小明\"", ""),
        ".jsonl has the same lines"
    );
}
