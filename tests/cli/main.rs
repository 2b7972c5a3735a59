//! Black-box tests of the binary: its command line, streams and exit codes, with real peers.
//!
//! Long because it tests the rules for all commands.

// Tells clippy that every helper here is test code.
#![cfg(test)]

mod support;

#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod waits;

mod capture;
mod config;
mod demo;
mod docs;
mod faults;
mod figures;
mod language;
mod listen;
mod listen_report;
mod menu;
mod message_errors;
mod named;
mod names;
mod pacing;
mod peers;
mod pipelines;
mod relay;
mod replay;
mod replies;
mod reports;
mod send;
mod templates;

use std::path::Path;
use std::process::Stdio;

use support::{bash, run, run_with_input, skipped, udpcli};

const COMMANDS: [&str; 9] = [
    "send",
    "listen",
    "relay",
    "demo",
    "doctor",
    "find",
    "config",
    "completions",
    "man",
];

/// The completions for the last of `words` in `shell`, one per line, as the completion script receives them.
fn offered(shell: &str, words: &[&str], folder: &Path) -> String {
    let mut command = udpcli(["--", "udpcli"].iter().chain(words));
    command
        .current_dir(folder)
        .env("UDPCLI_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        // The registration script of each shell sets these.
        .stdin(Stdio::null());
    let finished = support::Running::spawn(&mut command)
        .finish()
        .expect_code(0);
    assert_eq!(finished.stderr, "");
    finished.text()
}

#[test]
fn every_shell_has_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]).expect_code(0).text();
        for word in ["udpcli", "UDPCLI_COMPLETE"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
        for (words, expected) in [
            (&["li"][..], "listen"),
            (&["listen", "--reu"], "--reuse-addr"),
            (&["send", "1.2.3.4:5", "--line-ending", ""], "crlf"),
        ] {
            let text = offered(shell, words, folder.path());
            assert!(text.contains(expected), "{shell} {words:?}: {text}");
        }
    }
    run(["completions", "tcsh"]).expect_code(2);
}

/// Subcommands come first, values are valid, and nothing hidden is offered.
#[test]
fn values_are_completed() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["main.py", "fw.bin", "fw.ZIP", "font.xbf", "notes.txt"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    let words = |words: &[&str]| -> Vec<String> {
        let text = offered("bash", words, folder.path());
        text.lines().map(|line| line.trim().to_owned()).collect()
    };
    let values = |line: &[&str]| -> Vec<String> {
        let all = words(line).into_iter();
        all.filter(|word| !word.starts_with('-')).collect()
    };
    let first = words(&[""]);
    assert_eq!(first[0], "send", "{first:?}");
    let flags = first.iter().position(|word| word.starts_with('-')).unwrap();
    assert!(
        first[flags..].iter().all(|word| word.starts_with('-')),
        "{first:?}"
    );
    assert_eq!(
        values(&["completions", ""]),
        ["bash", "elvish", "fish", "powershell", "zsh"]
    );
    assert_eq!(values(&["listen", "--encoding", "gb"]), ["gbk", "gb18030"]);
    assert_eq!(
        values(&["listen", "--encoding", ""])[..2],
        ["auto", "utf-8"]
    );
    assert_eq!(values(&["send", "1.2.3.4:5", "--encoding", ""])[0], "utf-8");
    assert_eq!(
        values(&["send", "1.2.3.4:5", "--encoding", "shift"]),
        ["shift_jis"]
    );
    assert!(words(&["listen", "--no-b"]).is_empty());
    for flag in [
        &["listen", "--interface", ""][..],
        &["send", "1.2.3.4:5", "--multicast-if", ""],
    ] {
        let names = values(flag);
        assert!(
            names.iter().any(|name| name.starts_with("lo")) || !cfg!(unix),
            "{names:?}"
        );
    }
    if cfg!(target_os = "linux") {
        assert_eq!(
            values(&["listen", "--join", "239.1.2.3@l"]),
            ["239.1.2.3@lo"]
        );
    }
    let slash = std::path::MAIN_SEPARATOR;
    for (line, expected) in [
        (&["board", "run", ""][..], &["main.py"][..]),
        (&["board", "flash", ""], &["fw.ZIP", "fw.bin"]),
        (&["board", "flash", "--font", ""], &["font.xbf", "fw.bin"]),
    ] {
        let mut expected: Vec<String> = expected.iter().map(|&name| name.to_owned()).collect();
        expected.push(format!("lib{slash}"));
        let mut offered = values(line);
        if cfg!(feature = "flash") {
            offered.sort();
            expected.sort();
            assert_eq!(offered, expected, "{line:?}");
        }
    }
}

/// A request that udpcli cannot answer must not print anything or block the shell.
#[test]
fn an_invalid_completion_request_prints_nothing() {
    for (shell, words) in [("tcsh", &["--", "udpcli", ""][..]), ("bash", &["--"])] {
        let mut command = udpcli(words);
        command.env("UDPCLI_COMPLETE", shell);
        let finished = support::Running::spawn(&mut command).finish();
        assert_eq!(finished.stderr, "", "{shell}");
    }
    let mut command = udpcli(["completions", "bash"]);
    command.env("UDPCLI_COMPLETE", "");
    support::Running::spawn(&mut command)
        .finish()
        .expect_code(0);
}

#[test]
fn bash_reads_its_completions() {
    let script = run(["completions", "bash"]).expect_code(0).stdout;
    let mut bash_reads = std::process::Command::new("bash");
    run_with_input(
        {
            bash_reads.arg("-n");
            bash_reads
        },
        &script,
    )
    .expect_code(0);
    // What bash does when the user presses Tab after: udpcli board fl
    let line = r#"
        PATH="$(dirname "$0"):$PATH"
        source <(udpcli completions bash)
        [[ $(complete -p udpcli) =~ -F\ ([^ ]+) ]] || exit 1
        COMP_WORDS=(udpcli board fl) COMP_CWORD=2
        "${BASH_REMATCH[1]}" udpcli fl board
        printf '%s\n' "${COMPREPLY[@]}""#;
    let finished = support::Running::spawn(&mut bash(line, [""; 0]))
        .finish()
        .expect_code(0);
    if cfg!(feature = "flash") {
        assert_eq!(finished.text().trim(), "flash");
    }
}

/// Every command has a page, and the pages refer to each other.
#[test]
fn each_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("share/man1");
    run(["man".as_ref(), "--out".as_ref(), out.as_os_str()]).expect_code(0);
    let page = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    for (name, words) in [
        (
            "udpcli.1",
            &[".TH udpcli 1", "udpcli\\-send(1)", "udpcli listen"][..],
        ),
        (
            "udpcli-send.1",
            &[
                ".TH udpcli-send 1",
                ".SH EXAMPLES",
                "\\-\\-line\\-ending",
                "udpcli(1)",
            ],
        ),
        ("udpcli-completions.1", &[".TH udpcli-completions 1"]),
    ] {
        let text = page(name);
        for word in words {
            assert!(text.contains(word), "{name}: no {word} in {text}");
        }
        assert!(!text.contains("batching"), "{name}");
    }
    if cfg!(feature = "flash") {
        assert!(page("udpcli-board-flash.1").contains("udpcli\\-board(1)"));
    }
    let names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().all(|name| !name.contains("help")), "{names:?}");
    // A second run replaces the pages.
    run(["man".as_ref(), "--out".as_ref(), out.as_os_str()]).expect_code(0);
    let file = out.join("udpcli.1");
    run(["man".as_ref(), "--out".as_ref(), file.as_os_str()]).expect_code(3);
    if std::process::Command::new("man")
        .arg("--version")
        .output()
        .is_err()
    {
        skipped("man is not installed");
        return;
    }
    for name in names {
        let mut man = std::process::Command::new("man");
        man.args(["--warnings", "-l"])
            .arg(out.join(&name))
            .env("MANWIDTH", "100")
            .env("LC_ALL", "C.UTF-8");
        let finished = support::Running::spawn(&mut man).finish().expect_code(0);
        assert_eq!(finished.stderr, "", "{name}: groff warns of nothing");
    }
}

#[test]
fn the_man_page_is_one_that_man_reads() {
    let page = run(["man"]).expect_code(0).stdout;
    let text = String::from_utf8(page.clone()).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with(".TH udpcli 1")),
        "{text}"
    );
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"] {
        assert!(text.contains(&format!(".SH {section}")), "{section}");
    }
    // Containers often do not have man installed.
    if std::process::Command::new("man")
        .arg("--version")
        .output()
        .is_err()
    {
        skipped("man is not installed");
        return;
    }
    let mut man = std::process::Command::new("man");
    man.args(["--warnings", "-l", "-"])
        .env("MANWIDTH", "100")
        .env("LC_ALL", "C.UTF-8");
    let finished = run_with_input(man, &page).expect_code(0);
    assert_eq!(finished.stderr, "", "groff warns of nothing");
    for text in ["NAME", "SYNOPSIS", "--reuse-addr", "--line-ending"] {
        assert!(
            finished.text().contains(text),
            "{text} in {}",
            finished.text()
        );
    }
}

#[test]
fn the_man_page_is_in_chinese_too() {
    let page = run(["--lang", "zh-CN", "man"]).expect_code(0).text();
    for section in [".SH 名称", ".SH 概要", ".SH 全局选项", ".SS 示例"] {
        assert!(page.lines().any(|line| line == section), "{section}");
    }
    // English stays in commands, flags and the names of values.
    for english in [
        "Print",
        "Possible values",
        "[default:",
        "EXAMPLES",
        "SYNOPSIS",
    ] {
        assert!(!page.contains(english), "{english}");
    }
    assert!(page.contains("发送数据报"), "{page}");
}

#[test]
fn help_has_examples() {
    for command in COMMANDS {
        for flag in ["--help", "-h"] {
            let finished = run([command, flag]).expect_code(0);
            let help = finished.text();
            assert!(
                help.contains("Examples:") && help.contains(&format!("udpcli {command}")),
                "{help}"
            );
            assert_eq!(finished.stderr, "");
        }
    }
    let help = run(["--help"]).expect_code(0).text();
    for text in COMMANDS.iter().chain(&["Examples:", "Exit codes:"]) {
        assert!(help.contains(text), "{text} in {help}");
    }
    run(["nosuch"]).expect_code(2);
}

#[test]
fn usage_errors_have_the_shape_of_every_error() {
    for args in [
        &["listen", "--port", "x"][..],
        &["send", "127.0.0.1:9", "x", "--ttl", "x"],
        &["--nosuch"],
        &["listen", "--nosuch"],
        &["send", "127.0.0.1:9", "x", "--prot", "1"],
        &["send"],
        &["nosuch"],
        &["send", "127.0.0.1:9", "x", "-4", "-6"],
        &["send", "127.0.0.1:9", "--file", "x", "--hex", "ab"],
        &["listen", "--echo", "--reply", "x"],
        &["completions", "tcsh"],
        &["completions"],
    ] {
        // Messages use the name udpcli, whatever the executable is called.
        let line = r#"(exec -a other-name "$0" "$@")"#;
        let finished = support::Running::spawn(&mut bash(line, args))
            .finish()
            .expect_code(2);
        let stderr = &finished.stderr;
        assert_eq!(finished.text(), "", "{args:?}");
        assert!(!stderr.contains("other-name"), "{args:?}: {stderr}");
        let mut lines = stderr.lines();
        let first = lines.next().unwrap();
        assert!(first.starts_with("udpcli: error: "), "{args:?}: {stderr}");
        let mut has_hint = false;
        for line in lines {
            assert!(
                line.starts_with("  ") && !line.trim().is_empty(),
                "{args:?}: {line:?} in {stderr}"
            );
            if let Some(hint) = line.strip_prefix("  hint: ") {
                has_hint |= hint.contains("udpcli");
            }
        }
        assert!(has_hint, "{args:?}: no hint names udpcli in {stderr}");
    }
}

#[test]
fn a_usage_error_suggests_the_command_that_would_have_worked() {
    for (args, hint) in [
        (
            &["listen", "6000"][..],
            "to listen on port 6000: udpcli listen --port 6000 (6000 is the default: udpcli listen)",
        ),
        (
            &["listen", "-port", "6000"],
            "write: udpcli listen --port 6000",
        ),
        (&["listen", "--json"], "write: udpcli listen --format json"),
        (
            &["client", "127.0.0.1:9", "hi"],
            "write: udpcli send 127.0.0.1:9 hi",
        ),
        (
            &["send", "127.0.0.1", "9", "hi"],
            "write: udpcli send 127.0.0.1:9 hi",
        ),
        (
            &["send", "udp://127.0.0.1:9", "hi"],
            "write: udpcli send 127.0.0.1:9 hi",
        ),
        (
            &["send", "127.0.0.1:9", "-hello"],
            "write: udpcli send 127.0.0.1:9 -- -hello",
        ),
        (&["listen", "--nosuch"], "usage: udpcli listen"),
        (&["listen", "--port", "x"], "see: udpcli listen --help"),
    ] {
        let finished = run(args).expect_code(2);
        assert_eq!(finished.text(), "", "{args:?}");
        assert!(
            finished.stderr.contains(&format!("  hint: {hint}")),
            "{args:?}: {}",
            finished.stderr
        );
    }
    for args in [&["send", "-h"][..], &["send", "-qh"], &["send", "--help"]] {
        run(args).expect_code(0);
    }
}

#[test]
fn version_is_the_packages() {
    for args in [&["--version"][..], &["-V"], &["send", "--version"]] {
        let text = run(args).expect_code(0).text();
        assert!(
            text.starts_with("udpcli") && text.trim_end().ends_with(env!("CARGO_PKG_VERSION")),
            "{text}"
        );
    }
}
