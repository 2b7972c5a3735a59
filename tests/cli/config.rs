//! Settings from files, the environment and flags: precedence, invalid values, and the cost in system calls.
//!
//! Long because each setting is tried from each place that may set it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(target_os = "linux")]
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::support::skipped;
use crate::support::{Finished, address_of, loopback_socket, run_with_input, udpcli};

/// A working folder, and a folder for the user's file.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        fs::create_dir_all(place.user_file().parent().unwrap()).unwrap();
        place
    }

    fn with(project: &str, user: &str) -> Self {
        let place = Self::new();
        fs::write(place.project_file(), project).unwrap();
        fs::write(place.user_file(), user).unwrap();
        place
    }

    fn project_file(&self) -> PathBuf {
        self.folder.path().join("udpcli.toml")
    }

    /// The path of the user's file; in the test, all systems' configuration folders are in one folder.
    fn user_file(&self) -> PathBuf {
        let home = self.home();
        if cfg!(target_os = "macos") {
            home.join("Library/Application Support/udpcli/config.toml")
        } else {
            home.join("udpcli").join("config.toml")
        }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = udpcli(args);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home())
            .env("APPDATA", self.home())
            .env_remove("UDPCLI_SERIAL")
            .env_remove("UDPCLI_LANG");
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Finished {
        run_with_input(self.command(args), b"")
    }

    /// `udpcli config --format json` with further arguments and variables.
    #[track_caller]
    fn settings(&self, args: &[&str], variables: &[(&str, &str)]) -> Value {
        let mut command = self.command(&["config", "--format", "json"]);
        command.args(args).envs(variables.iter().copied());
        let text = run_with_input(command, b"").expect_code(0).text();
        serde_json::from_str(&text).unwrap()
    }
}

/// One setting of `udpcli config --format json`: its value and its source.
#[track_caller]
fn setting(settings: &Value, key: &str) -> (Value, String) {
    let found = settings["settings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|setting| setting["setting"] == key)
        .unwrap_or_else(|| panic!("no {key}: {settings}"));
    let line = found["line"]
        .as_u64()
        .map_or_else(String::new, |line| format!(" {line}"));
    let name = found["name"]
        .as_str()
        .map_or_else(String::new, |name| format!(" {name}"));
    let origin = found["origin"].as_str().unwrap();
    (found["value"].clone(), format!("{origin}{name}{line}"))
}

const PROJECT: &str = "\
names = \"names.csv\"
exclude = [\"*.bak\", \"notes\"]

[messages.led-on]
text = \"led on\\r\\n\"
append = \"crc16-modbus:le\"
expect = \"ok\"
wait = \"2s\"

[messages.\"开灯\"]
hex = \"01 02\"

[[replies]]
on = \"temp?\"
template = \"{rand:1..100}\"
drop = \"10%\"
";

const USER: &str = "# this PC\nserial = \"COM7\"\nbaud = 9600\nlang = \"zh-CN\"\n";

#[test]
fn flags_stand_above_the_environment_and_that_above_files() {
    let none = Place::new().settings(&[], &[]);
    assert_eq!(
        setting(&none, "serial"),
        (Value::Null, "default".to_owned())
    );
    assert_eq!(
        setting(&none, "baud"),
        (115_200.into(), "default".to_owned())
    );
    assert_eq!(
        setting(&none, "lang"),
        ("auto".into(), "default".to_owned())
    );
    assert_eq!(none["files"]["project"]["found"], false);
    assert_eq!(none["files"]["user"]["found"], false);

    let place = Place::with(PROJECT, USER);
    let settings = place.settings(&[], &[]);
    for (key, value, origin) in [
        ("serial", "COM7".into(), "user 2"),
        ("baud", 9600.into(), "user 3"),
        ("lang", "zh-CN".into(), "user 4"),
        ("names", "names.csv".into(), "project 1"),
        (
            "exclude",
            serde_json::json!(["*.bak", "notes"]),
            "project 2",
        ),
        (
            "messages.开灯",
            serde_json::json!({"hex": "01 02"}),
            "project 10",
        ),
    ] {
        assert_eq!(setting(&settings, key), (value, origin.to_owned()), "{key}");
    }
    let variables = [("UDPCLI_SERIAL", "COM8"), ("UDPCLI_LANG", "en")];
    let settings = place.settings(&[], &variables);
    let serial = ("COM8".into(), "environment UDPCLI_SERIAL".to_owned());
    assert_eq!(setting(&settings, "serial"), serial);
    let lang = ("en".into(), "environment UDPCLI_LANG".to_owned());
    assert_eq!(setting(&settings, "lang"), lang);

    let settings = place.settings(&["-s", "COM9", "--baud", "50"], &variables);
    let serial = ("COM9".into(), "flag --serial".to_owned());
    assert_eq!(setting(&settings, "serial"), serial);
    assert_eq!(
        setting(&settings, "baud"),
        (50.into(), "flag --baud".to_owned())
    );

    // An empty name selects the one board found, and overrides the file.
    let settings = place.settings(&[], &[("UDPCLI_SERIAL", "")]);
    let serial = (Value::Null, "environment UDPCLI_SERIAL".to_owned());
    assert_eq!(setting(&settings, "serial"), serial);
}

#[test]
fn the_users_file_chooses_the_language_of_messages() {
    let place = Place::with("", "lang = 'zh-CN'");
    let args = ["listen", "--port", "0", "--bind", "192.0.2.1"];
    let told = |command: Command| run_with_input(command, b"").expect_code(3).stderr;
    let chinese = told(place.command(&args));
    assert!(chinese.contains("无法"), "{chinese}");
    let mut variable = place.command(&args);
    variable.env("UDPCLI_LANG", "en");
    assert!(told(variable).contains("cannot bind"));
    let mut flag = place.command(&args);
    flag.args(["--lang", "en"]);
    assert!(told(flag).contains("cannot bind"));
    let settings = place.settings(&["--lang", "en"], &[]);
    let lang = ("en".into(), "flag --lang".to_owned());
    assert_eq!(setting(&settings, "lang"), lang);
}

#[test]
fn what_config_shows_can_be_put_into_the_files_again() {
    let place = Place::with(PROJECT, USER);
    let text = place.run(&["config"]).expect_code(0).text();
    for line in [
        "# 项目：udpcli.toml\n",
        "[messages.led-on]  # udpcli.toml 第 4 行\n",
        "[messages.\"开灯\"]  # udpcli.toml 第 10 行\n",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    let remark = format!("# {} 第 2 行\n", place.user_file().display());
    assert!(text.contains(&remark), "no {remark:?} in {text}");

    let is_of_user = |line: &str| {
        ["serial", "baud", "lang"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let (user, project): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| is_of_user(line));
    let again = Place::with(&project.join("\n"), &user.join("\n"));
    let values = |settings: &Value| -> Vec<Value> {
        let settings = settings["settings"].as_array().unwrap();
        settings
            .iter()
            .map(|setting| setting["value"].clone())
            .collect()
    };
    assert_eq!(
        values(&again.settings(&[], &[])),
        values(&place.settings(&[], &[]))
    );
}

#[test]
fn wrong_settings_are_usage_errors_with_file_line_and_what_was_meant() {
    for (project, user, told) in [
        (
            "\n  mesages = 1",
            "",
            &[
                "udpcli.toml, line 2, column 3",
                "\"mesages\"",
                "did you mean messages?",
            ][..],
        ),
        (
            "serial = 'COM5'",
            "",
            &[
                "udpcli.toml, line 1",
                "serial is a setting of this PC",
                "other PCs",
                "config.toml",
            ],
        ),
        ("baud = 9600", "", &["baud is a setting of this PC"]),
        ("lang = 'en'", "", &["lang is a setting of this PC"]),
        (
            "",
            "names = 'x'",
            &[
                "config.toml, line 1",
                "a setting of a project",
                "udpcli.toml",
            ],
        ),
        (
            "",
            "lang = 'fr'",
            &["config.toml, line 1, column 8", "auto, en or zh-CN"],
        ),
        (
            "",
            "serial = COM5",
            &["config.toml, line 1, column 10", "quotes"],
        ),
        ("[messages.开灯]", "", &["line 1, column 11", "quotes"]),
    ] {
        let place = Place::with(project, user);
        for command in [
            &["config"][..],
            #[cfg(feature = "board")]
            &["board", "info"],
            #[cfg(feature = "board")]
            &["pair"],
        ] {
            let finished = place.run(command).expect_code(2);
            assert_eq!(finished.stdout, b"");
            for part in told {
                assert!(
                    finished.stderr.contains(part),
                    "no {part:?} in {}",
                    finished.stderr
                );
            }
        }
    }
    let place = Place::new();
    let mut command = place.command(&["config"]);
    command.env("UDPCLI_LANG", "fr");
    let finished = run_with_input(command, b"").expect_code(2);
    assert!(
        finished
            .stderr
            .contains("[possible values: auto, en, zh-CN]")
            && finished.stderr.contains("'fr'"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_file_in_the_editors_encoding_is_read_or_named() {
    let place = Place::new();
    fs::write(place.user_file(), "\u{feff}baud = 9600\r\n").unwrap();
    assert_eq!(setting(&place.settings(&[], &[]), "baud").0, 9600);
    fs::write(place.user_file(), b"\xff\xfeb\0a\0u\0d\0").unwrap();
    let finished = place.run(&["config"]).expect_code(2);
    assert!(finished.stderr.contains("UTF-16"), "{}", finished.stderr);
    fs::write(place.user_file(), b"# ok\nserial = '\xb5'\n").unwrap();
    let finished = place.run(&["config"]).expect_code(2);
    assert!(
        finished.stderr.contains("line 2, column 11"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_file_that_is_none_or_too_long_holds_nothing_up() {
    let place = Place::new();
    fs::create_dir(place.project_file()).unwrap();
    let finished = place.run(&["config"]).expect_code(3);
    assert!(
        finished.stderr.contains("cannot read udpcli.toml"),
        "{}",
        finished.stderr
    );
    fs::remove_dir(place.project_file()).unwrap();

    fs::write(place.project_file(), "#".repeat((1 << 20) + 1)).unwrap();
    let finished = place.run(&["config"]).expect_code(2);
    assert!(
        finished.stderr.contains("over 1048576 bytes"),
        "{}",
        finished.stderr
    );
    // A large, deeply nested file, which is slow to parse.
    for nested in ["[", "{a=", "a.", "a=[["] {
        let text = format!("names = {}", nested.repeat((1 << 19) / nested.len()));
        fs::write(place.project_file(), text).unwrap();
        let begun = Instant::now();
        place.run(&["config"]).expect_code(2);
        assert!(begun.elapsed() < Duration::from_secs(20), "{nested}");
    }
    fs::remove_file(place.project_file()).unwrap();
    #[cfg(unix)]
    {
        let made = Command::new("mkfifo").arg(place.project_file()).status();
        assert!(made.unwrap().success());
        let finished = place.run(&["config"]).expect_code(3);
        assert!(
            finished.stderr.contains("not a regular file"),
            "{}",
            finished.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn a_file_may_be_a_link_and_one_that_leads_nowhere_is_none() {
    let place = Place::new();
    let elsewhere = place.folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, place.user_file()).unwrap();
    assert_eq!(setting(&place.settings(&[], &[]), "baud").1, "default");
    fs::write(elsewhere, "baud = 300").unwrap();
    assert_eq!(setting(&place.settings(&[], &[]), "baud").1, "user 1");
}

#[test]
fn a_wrong_file_does_not_stop_commands_that_use_nothing_of_it() {
    let place = Place::with("this is no TOML", "nor this");
    let socket = loopback_socket();
    place
        .run(&["send", &address_of(&socket), "hi"])
        .expect_code(0);
    place
        .run(&["listen", "--port", "0", "--duration", "1ms", "--no-project"])
        .expect_code(0);
    place.run(&["completions", "bash"]).expect_code(0);
    #[cfg(feature = "board")]
    place.run(&["pair", "--help"]).expect_code(0);
}

/// The configuration files that a run tries to open or checks for.
#[cfg(target_os = "linux")]
fn looked_for(place: &Place, args: &[&str]) -> Option<Vec<String>> {
    let log = place.folder.path().join("strace");
    let program = place.command(args);
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-e", "trace=file", "-o"])
        .arg(&log)
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(place.folder.path())
        .stdin(Stdio::null());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(key, value),
            None => strace.env_remove(key),
        };
    }
    if strace.output().is_err() {
        skipped("no strace");
        return None;
    }
    let log = fs::read_to_string(log).unwrap();
    let calls = log.lines().filter(|line| !line.contains("execve("));
    Some(
        calls
            .filter(|line| line.contains("udpcli.toml") || line.contains("config.toml"))
            .map(str::to_owned)
            .collect(),
    )
}

#[cfg(target_os = "linux")]
#[test]
fn settings_that_nobody_made_cost_two_failed_opens_or_nothing() {
    let place = Place::new();
    for (args, most) in [
        // Without a flag or a variable, the language of messages is read from the user's file as well.
        (&["send", "127.0.0.1:9", "hi"][..], 1),
        (&["listen", "--port", "0", "--duration", "1ms"], 2),
        (
            &["listen", "--port", "0", "--duration", "1ms", "--no-project"],
            1,
        ),
        (&["send", "127.0.0.1:9", "hi", "--lang", "en"], 0),
        (&["config"], 2),
        #[cfg(feature = "board")]
        (&["board", "-s", "/nonexistent/tty", "info"], 2),
        #[cfg(feature = "board")]
        (&["board", "list"], 2),
        #[cfg(feature = "board")]
        (&["pair", "-s", "/nonexistent/tty"], 2),
    ] {
        let Some(calls) = looked_for(&place, args) else {
            return;
        };
        assert_eq!(calls.len(), most, "{args:?}: {calls:#?}");
        for call in calls {
            assert!(
                call.contains("openat(") && call.contains("ENOENT"),
                "{call}"
            );
        }
    }
}

/// `serial` and `baud` apply to every command that opens a serial port. The other end does not respond in this test.
#[cfg(feature = "board")]
#[test]
fn board_commands_and_pair_take_serial_port_and_baud_rate_from_the_users_file() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("socket://{}", listener.local_addr().unwrap());
    let place = Place::with("", &format!("baud = 9600\nserial = '{port}'\n"));
    std::thread::spawn(move || {
        // The other end closes the connection immediately.
        for connection in listener.incoming() {
            drop(connection);
        }
    });
    for command in [
        &["board", "info"][..],
        &["board", "ls"],
        &["board", "reset"],
        &["pair"],
    ] {
        let args = [command, &["-v", "--connect-timeout", "1s"]].concat();
        let stderr = place.run(&args).stderr;
        for told in [
            format!(
                "serial port {port} is set in {}, line 2",
                place.user_file().display()
            ),
            format!(
                "baud rate 9600 is set in {}, line 1",
                place.user_file().display()
            ),
            format!("serial port {port} at 9600 baud"),
        ] {
            assert!(stderr.contains(&told), "{args:?}: no {told:?} in {stderr}");
        }
        // Flags and variables override the file.
        let args = [&args[..], &["--baud", "300", "-s", "/nonexistent/flag"]].concat();
        let mut flags = place.command(&args);
        flags.env("UDPCLI_SERIAL", "/nonexistent/variable");
        let finished = run_with_input(flags, b"");
        let seen = format!("{}{}", finished.text(), finished.stderr);
        assert!(seen.contains("/nonexistent/flag"), "{args:?}: {seen}");
        let mut variable = place.command(command);
        variable.env("UDPCLI_SERIAL", "/nonexistent/variable");
        let finished = run_with_input(variable, b"");
        let seen = format!("{}{}", finished.text(), finished.stderr);
        assert!(
            seen.contains("/nonexistent/variable"),
            "{command:?}: {seen}"
        );
    }
    // If the port cannot be opened, the message says which file sets it.
    let place = Place::with("", "serial = '/nonexistent/file'");
    let finished = place.run(&["board", "info"]).expect_code(3);
    let told = format!(
        "/nonexistent/file is set in {}, line 1",
        place.user_file().display()
    );
    assert!(finished.stderr.contains(&told), "{}", finished.stderr);
    // Listing ports is not affected by the setting.
    let finished = place.run(&["board", "list", "--probe", "--connect-timeout", "1s"]);
    assert!(
        !finished.text().contains("/nonexistent"),
        "{}",
        finished.text()
    );
}

#[test]
fn the_files_in_the_docs_are_read() {
    for page in ["docs/configuration.md", "docs/configuration.zh-CN.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let blocks: Vec<&str> = text
            .split("```toml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
        assert!(blocks.len() >= 2, "{page}");
        for block in blocks {
            let place = if block.starts_with("# udpcli.toml") {
                Place::with(block, "")
            } else {
                Place::with("", block)
            };
            place.run(&["config"]).expect_code(0);
        }
    }
}
