//! Help, errors and the live view of the senders in both languages, as a terminal of 80 columns shows them.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::Path;

use crate::emulator::Emulator;
use crate::listen_watch::Watched;

const COLUMNS: u16 = 80;
const LANGUAGES: [&str; 2] = ["en", "zh-CN"];
const END: &str = "exit code ";

/// All bytes that the terminal receives from udpcli in this folder, with the exit code at the end, independent of this
/// machine's settings.
fn sent(folder: &Path, language: &str, args: &[&str]) -> Vec<u8> {
    let folder = folder.to_str().unwrap();
    let home = format!("{folder}/home");
    let line = format!(r#""$@" </dev/null; echo "{END}$?""#);
    let mut all = vec![
        "-C".to_owned(),
        folder.to_owned(),
        "--unset=UDPCLI_SERIAL".to_owned(),
        format!("HOME={home}"),
        format!("XDG_CONFIG_HOME={home}"),
        format!("UDPCLI_LANG={language}"),
    ];
    all.extend(["sh", "-c", &line, "sh", env!("CARGO_BIN_EXE_udpcli")].map(str::to_owned));
    let all: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .chain(args.iter().copied())
        .collect();
    let terminal = Emulator::program(COLUMNS, "env", &all);
    terminal.until("the end", |rows| {
        rows.last()
            .is_some_and(|row| row.strip_prefix(END).is_some_and(|code| !code.is_empty()))
    });
    terminal.sent()
}

/// The rows of the output on a terminal with this many columns.
fn rows(sent: &[u8], columns: u16) -> Vec<String> {
    let mut terminal = vt100::Parser::new(500, columns, 0);
    terminal.process(sent);
    let rows = terminal.screen().rows(0, columns);
    let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
    let end = rows.iter().rposition(|row| !row.is_empty()).unwrap_or(0);
    rows.into_iter().take(end + 1).collect()
}

/// Compares with the file of this name, or writes it.
#[track_caller]
fn check(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/terminal")
        .join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, shown).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(shown, kept, "{name}: UPDATE_DOCS=1 writes it");
}

#[test]
fn help_fits_80_columns_in_both_languages() {
    let pages = [
        "--help",
        "-h",
        "send --help",
        "listen -h",
        "board flash --help",
        "board put -h",
        "pair --help",
        "pair -h",
    ];
    let folder = tempfile::tempdir().unwrap();
    for language in LANGUAGES {
        let mut all = String::new();
        for page in pages {
            let args: Vec<&str> = page.split(' ').collect();
            let sent = sent(folder.path(), language, &args);
            let mut shown = rows(&sent, COLUMNS);
            // The terminal itself breaks no line.
            assert_eq!(shown, rows(&sent, 200), "{language}: {page}");
            assert_eq!(
                shown.pop().unwrap(),
                format!("{END}0"),
                "{language}: {page}"
            );
            if ["--help", "send --help"].contains(&page) {
                let shown = shown.join("\n");
                writeln!(all, "$ udpcli --lang {language} {page}\n{shown}\n").unwrap();
            }
        }
        check(&format!("help.{language}.txt"), &all);
    }
}

/// The view of two senders, once nothing comes any more. What differs from run to run is shown as something as wide.
#[test]
fn the_senders_are_shown_in_both_languages() {
    let clock = regex::Regex::new(r"\d\d:\d\d:\d\d\.\d{3}").unwrap();
    let age = regex::Regex::new(r"\d+(\.\d)? s ").unwrap();
    for language in LANGUAGES {
        let watched = Watched::start((24, COLUMNS), &["--seq", "--lang", language]);
        let [plain, numbered] =
            ["127.0.0.5:0", "127.0.0.9:0"].map(|from| UdpSocket::bind(from).unwrap());
        // Number 2 is lost.
        for sequence in [0_u64, 1, 3] {
            let text = "第四个数据报".as_bytes();
            let payload = [&sequence.to_be_bytes()[..], &1_u64.to_be_bytes(), text].concat();
            numbered.send_to(&payload, watched.address).unwrap();
        }
        for text in [
            "hello message from mPython\r\n",
            "温度 23.5 度",
            "你好，掌控板",
        ] {
            plain.send_to(text.as_bytes(), watched.address).unwrap();
        }
        let rows = watched.terminal.until("the senders at rest", |rows| {
            rows[1].starts_with("2 ") && rows[1].contains(" 0.0")
        });
        let mut shown = rows.join("\n");
        for (socket, mark) in [(&plain, "50005"), (&numbered, "50009")] {
            let port = socket.local_addr().unwrap().port().to_string();
            shown = shown.replace(&port, mark);
        }
        let shown = shown.replace(&watched.address.port().to_string(), "60000");
        let shown = clock.replace_all(&shown, "12:00:00.000");
        let shown = age.replace_all(&shown, |found: &regex::Captures<'_>| {
            format!("{:>1$}", "9 s ", found[0].len())
        });
        check(
            &format!("listen-watch.{language}.txt"),
            &(shown.into_owned() + "\n"),
        );
        watched.quit();
    }
}

/// The errors that people meet first. Each port is replaced by a fixed one of the same width.
#[test]
fn errors_are_shown_in_both_languages() {
    let bound = |address: &str| {
        let socket = UdpSocket::bind(address).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    };
    // A socket that accepts only its own datagrams: for other senders nothing listens there.
    let (deaf, nobody) = bound("127.0.0.1:0");
    deaf.connect(nobody).unwrap();
    let (_taken, taken) = bound("127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    std::fs::create_dir(&class).unwrap();
    std::fs::write(class.join("udpcli.toml"), "exclude = \"*.bak\"\n").unwrap();
    let nobody_at = nobody.to_string();
    let taken_port = taken.port().to_string();
    let errors: [(&Path, &[&str]); 14] = [
        (
            folder.path(),
            &["-q", "send", &nobody_at, "hello", "-w", "1s"],
        ),
        (folder.path(), &["send", "127.0.0.1", "hello"]),
        (folder.path(), &["send", "127.0.0.300:6000", "hello"]),
        (folder.path(), &["send", "127.0.0.1：6000；", "hello"]),
        (
            folder.path(),
            &["listen", "--bind", "127.0.0.1", "--port", &taken_port],
        ),
        (folder.path(), &["listen", "--prot", "6000"]),
        (folder.path(), &["sned", "127.0.0.1:6000", "hello"]),
        (
            folder.path(),
            &["send", "127.0.0.1:6000", "--file", "notes.txt"],
        ),
        (
            folder.path(),
            &["send", "127.0.0.1:6000", "--size", "70000"],
        ),
        (folder.path(), &["send", "127.0.0.1:6000", "--hex", "1g"]),
        (&class, &["config"]),
        (folder.path(), &["board", "info", "-s", "./no-board"]),
        (
            folder.path(),
            &["board", "run", "-s", "./no-board", "main.py"],
        ),
        (
            folder.path(),
            &["board", "flash", "firmware.bin", "--dry-run"],
        ),
    ];
    // Replace through markers, because the replacement of one port may be another port.
    let ports = [
        (u32::from(nobody.port()), "<a>", "50000"),
        (u32::from(taken.port()), "<b>", "60000"),
        (u32::from(taken.port()) + 1, "<c>", "60001"),
    ];
    let masked = |text: String, args: &[&str]| {
        let own = if args.contains(&"listen") {
            &ports[1..]
        } else {
            &ports[..1]
        };
        let marked = own.iter().fold(text, |text, (port, mark, _)| {
            text.replace(&port.to_string(), mark)
        });
        own.iter()
            .fold(marked, |text, (_, mark, shown)| text.replace(mark, shown))
    };
    for language in LANGUAGES {
        let mut all = String::new();
        for (folder, args) in errors {
            let shown = rows(&sent(folder, language, args), COLUMNS).join("\n");
            assert!(
                shown.contains("udpcli: error: "),
                "{language}: {args:?}: {shown}"
            );
            let shown = format!("$ udpcli {}\n{shown}\n", args.join(" "));
            writeln!(all, "{}", masked(shown, args)).unwrap();
        }
        check(&format!("errors.{language}.txt"), &all);
    }
}
