//! The binary from outside: its command line, its streams and its exit codes, against real peers.

// Says to clippy that every helper here is test code.
#![cfg(test)]

mod support;

#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod waits;

mod capture;
mod demo;
mod docs;
mod faults;
mod listen;
mod peers;
mod send;

use support::{bash, run, run_with_input};

const COMMANDS: [&str; 5] = ["send", "listen", "demo", "completions", "man"];

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]).expect_code(0).text();
        for word in ["udpcli", "listen", "reuse-addr", "line-ending"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    run(["completions", "tcsh"]).expect_code(2);
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
    let line = r#"source <("$0" completions bash) && complete -p udpcli"#;
    let finished = support::Running::spawn(&mut bash(line, [""; 0]))
        .finish()
        .expect_code(0);
    assert!(finished.text().contains("udpcli"), "{}", finished.text());
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
    // Containers often come without man.
    if std::process::Command::new("man")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: man is not installed");
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
        // Whatever the program is called here, its name is udpcli.
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
