//! `listen --watch`: the live view of the senders, on terminals of several sizes.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use unicode_width::UnicodeWidthStr as _;

use crate::emulator::Emulator;

const SIZES: [(u16, u16); 3] = [(24, 80), (40, 120), (60, 200)];

const UP: &str = "\x1b[A";
const PAGE_DOWN: &str = "\x1b[6~";
const END: &str = "\x1b[F";
const HOME: &str = "\x1b[H";

/// The view on a terminal, and its address.
pub(crate) struct Watched {
    pub(crate) terminal: Emulator,
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Watched {
    pub(crate) fn start(size: (u16, u16), more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args = ["listen", "--watch", "--bind", "127.0.0.1", "--port", "0"];
        let args: Vec<&str> = args.iter().chain(more).copied().collect();
        let terminal = Emulator::udpcli_on(size, folder.path(), &args);
        terminal.until("the view", |rows| is_whole(rows, size));
        let sent = String::from_utf8_lossy(&terminal.sent()).into_owned();
        let (_, rest) = sent.split_once("listening on 127.0.0.1:").unwrap();
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Self {
            terminal,
            address: (Ipv4Addr::LOCALHOST, port.parse().unwrap()).into(),
            folder,
        }
    }

    /// Sends from an address of loopback.
    fn send(&self, host: [u8; 4], payload: &[u8]) {
        let socket = UdpSocket::bind((Ipv4Addr::from(host), 0)).unwrap();
        socket.send_to(payload, self.address).unwrap();
    }

    #[track_caller]
    fn until(&self, what: &str) -> Vec<String> {
        self.terminal
            .until(what, |rows| rows.iter().any(|row| row.contains(what)))
    }

    /// Ends the view with `q`; returns the lines that stay on the terminal.
    #[track_caller]
    pub(crate) fn quit(&self) -> Vec<String> {
        self.terminal.type_in("q");
        self.terminal.until("the end", |rows| {
            rows.last().is_some_and(|row| row.starts_with("exit code "))
        })
    }
}

/// Whether the view is complete: the frames are closed, and the last row has the keys.
fn is_whole(rows: &[String], (height, width): (u16, u16)) -> bool {
    let full = |row: &&String| row.width() == usize::from(width);
    let tops = rows.iter().filter(|row| row.starts_with('┌')).filter(full);
    let bottoms = rows.iter().filter(|row| row.starts_with('└')).filter(full);
    tops.count() == 2
        && bottoms.count() == 2
        && rows.len() == usize::from(height)
        && rows.last().is_some_and(|row| row.starts_with("q "))
}

#[test]
fn the_view_fits_every_size_and_follows_a_resize() {
    let mut watched = Watched::start(SIZES[0], &["--seq"]);
    watched.send([127, 0, 0, 5], b"hello message from mPython\r\n");
    watched.send([127, 0, 0, 9], "你好，世界".as_bytes());
    watched.until("hello mess");
    for size in SIZES.into_iter().chain([SIZES[0], (30, 100)]) {
        watched.terminal.resize_screen(size.0, size.1);
        let rows = watched.terminal.until("the view of this size", |rows| {
            is_whole(rows, size) && rows.iter().any(|row| row.contains("你好，"))
        });
        let shown = rows.join("\n");
        assert!(
            shown.contains("senders 1-2 of 2") && shown.contains("2 datagrams"),
            "{shown}"
        );
    }
    let rows = watched.quit();
    assert_eq!(rows.last().unwrap(), "exit code 0");
    // The first screen is back, with the summary.
    assert!(rows[0].starts_with("listening on 127.0.0.1:"), "{rows:?}");
    assert!(
        rows.iter().any(|row| row.contains("2 datagrams")),
        "{rows:?}"
    );
    assert!(watched.terminal.is_cooked());
}

#[test]
fn a_row_shows_counts_loss_age_and_the_last_text() {
    let watched = Watched::start((30, 130), &["--seq"]);
    let socket = UdpSocket::bind("127.0.0.7:0").unwrap();
    // Number 2 of 0 to 3 is missing.
    for sequence in [0_u64, 1, 3] {
        let payload = [&sequence.to_be_bytes()[..], &1_u64.to_be_bytes(), b"filler"].concat();
        socket.send_to(&payload, watched.address).unwrap();
    }
    let row = |rows: &[String]| {
        let address = socket.local_addr().unwrap().to_string();
        rows.iter().find(|row| row.contains(&address)).cloned()
    };
    let rows = watched.terminal.until("a row with loss", |rows| {
        row(rows).is_some_and(|row| row.contains("25 %"))
    });
    let row = row(&rows).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[1], "3", "{row}");
    assert!(row.contains("filler"), "{row}");
    assert!(rows[1].contains("lost 1 (25 %)"), "{}", rows[1]);
    watched.quit();
}

#[test]
fn untrusted_text_is_escaped_and_wide_text_keeps_the_columns() {
    let size = (30, 110);
    let watched = Watched::start(size, &[]);
    let payloads = [
        "\x1b]0;title\x07\x1b[2J".as_bytes(),
        "\u{202e}reversed".as_bytes(),
        "👩‍👩‍👧 emoji 🎉".as_bytes(),
        "中文".repeat(60).as_bytes(),
        b"\xff\xfe\r\n\t",
        b"",
    ]
    .map(<[u8]>::to_vec);
    for (host, payload) in (1..).zip(&payloads) {
        watched.send([127, 0, 1, host], payload);
    }
    let rows = watched.terminal.until("all senders", |rows| {
        rows.iter().any(|row| row.contains("senders 1-6 of 6"))
    });
    let shown = rows.join("\n");
    for wanted in [
        "\\x1b]0;",
        "\\u{202e}reversed",
        "emoji 🎉",
        "\\xff\\xfe",
        "…",
    ] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    // Every row of the frames has the right width.
    for row in rows.iter().filter(|row| row.starts_with(['│', '┌', '└'])) {
        assert_eq!(row.width(), usize::from(size.1), "{row}");
    }
    let sent = String::from_utf8_lossy(&watched.terminal.sent()).into_owned();
    assert!(!sent.contains("\x1b]0;") && !sent.contains('\u{202e}'));
    watched.quit();
}

#[test]
fn names_of_any_characters_keep_the_columns_and_cannot_act() {
    let size = (24, 100);
    let names = tempfile::NamedTempFile::new().unwrap();
    let list = "127.0.4.1,小明,\n127.0.4.2,👩‍🚀 Eva 🎉,\n127.0.4.3,\u{1b}[31mRed\u{7},\n127.0.4.4,\u{202e}abc,\n\
                127.0.4.5,非常非常非常非常非常非常非常长的名字,\n";
    std::fs::write(names.path(), list).unwrap();
    let watched = Watched::start(size, &["--names", names.path().to_str().unwrap()]);
    for host in 1..=6 {
        watched.send([127, 0, 4, host], format!("text {host}").as_bytes());
    }
    let wanted = [
        "小明",
        "🚀 Ev…",
        "Red",
        "\\u{202e}abc",
        "非常非常",
        "text 6",
    ];
    let rows = watched.terminal.until("all names", |rows| {
        is_whole(rows, size) && {
            let shown = rows.join("\n");
            wanted.iter().all(|name| shown.contains(name))
        }
    });
    // The texts are aligned, whatever comes before them.
    let column = |row: &String| {
        let (before, _) = row.split_once("127.0.4.")?;
        Some(before.width())
    };
    let table = rows.iter().take_while(|row| !row.starts_with('└'));
    let columns: Vec<usize> = table.filter_map(column).collect();
    assert_eq!(columns.len(), 6, "{rows:#?}");
    assert!(
        columns.iter().all(|column| *column == columns[0]),
        "{rows:#?}"
    );
    let sent = String::from_utf8_lossy(&watched.terminal.sent()).into_owned();
    assert!(!sent.contains("\x1b[31mRed") && !sent.contains(['\u{202e}', '\u{7}']));
    watched.quit();
}

#[test]
fn a_flood_is_counted_while_keys_still_act() {
    let watched = Watched::start(SIZES[1], &["--recv-buffer", "8M"]);
    let flood = std::process::Command::new(env!("CARGO_BIN_EXE_udpcli"))
        .args([
            "send",
            &watched.address.to_string(),
            "--size",
            "32",
            "--rate",
            "100000",
            "--duration",
            "2s",
            "-q",
        ])
        .spawn();
    let mut flood = flood.unwrap();
    // In the middle of it.
    watched.until("1 sender ");
    for _ in 0..3 {
        watched.terminal.type_in(" ");
        watched.until("paused");
        watched.terminal.type_in(" ");
        watched
            .terminal
            .until("it goes on", |rows| !rows.join("").contains("paused"));
    }
    assert!(flood.wait().unwrap().success());
    // Every datagram that the kernel did not drop was counted: the view and the summary agree.
    let rows = watched.quit();
    let summary = rows
        .iter()
        .find(|row| row.contains(" dropped by the kernel"))
        .unwrap();
    let number = |what: &str| -> u64 {
        let (before, _) = summary.split_once(what).unwrap();
        let number = before.rsplit([' ', ',']).next().unwrap();
        number.parse().unwrap()
    };
    assert!(number(" datagrams") > 10_000, "{summary}");
}

#[test]
fn keys_scroll_sort_filter_pause_and_save() {
    let watched = Watched::start((24, 100), &[]);
    for host in 1..=40 {
        watched.send([127, 0, 2, host], format!("board {host}").as_bytes());
    }
    for _ in 0..3 {
        watched.send([127, 0, 2, 33], b"often\r\n");
    }
    watched.until("of 43");
    watched.until("127.0.2.1:");
    watched.terminal.type_in(END);
    watched.until("-43 of 43");
    watched.until("127.0.2.40:");
    watched.terminal.type_in(UP);
    watched.until("-42 of 43");
    watched.terminal.type_in(HOME);
    watched.until("senders 1-");
    watched.terminal.type_in(PAGE_DOWN);
    watched.terminal.until("the next page", |rows| {
        !rows.join("").contains("senders 1-")
    });
    watched.terminal.type_in("/often\r");
    watched.until(r#"of 3 with "often" (of 43)"#);

    // Datagrams during the pause are counted, and shown afterwards.
    watched.terminal.type_in(" ");
    watched.until("paused");
    watched.send([127, 0, 2, 41], b"often later");
    std::thread::sleep(std::time::Duration::from_millis(600));
    let rows = watched.terminal.rows();
    assert!(rows.iter().any(|row| row.contains("(of 43)")), "{rows:?}");
    watched.terminal.type_in("p");
    watched.until("(of 44)");

    watched.terminal.type_in("w");
    watched.until("saved 4 senders to udpcli-senders-");
    let saved = std::fs::read_dir(watched.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .unwrap();
    let text = std::fs::read_to_string(saved).unwrap();
    assert!(
        text.starts_with("\u{feff}name,address,datagrams,") && text.lines().count() == 5,
        "{text}"
    );
    // Esc takes the filter away.
    watched.terminal.type_in("\x1b");
    watched.until("-11 of 44 ");
    assert_eq!(watched.quit().last().unwrap(), "exit code 0");
}

#[test]
fn ctrl_c_and_the_last_datagram_end_the_view_in_order() {
    let watched = Watched::start(SIZES[0], &["-n", "100"]);
    watched.terminal.type_in("\x03");
    let rows = watched.terminal.until("the end", |rows| {
        rows.last().is_some_and(|row| row.starts_with("exit code "))
    });
    assert_eq!(rows.last().unwrap(), "exit code 0");
    assert!(
        rows.iter().any(|row| row.contains("0 datagrams")),
        "{rows:?}"
    );

    let watched = Watched::start(SIZES[0], &["-n", "2"]);
    watched.send([127, 0, 0, 1], b"one");
    watched.send([127, 0, 0, 1], b"two");
    let rows = watched.until("exit code 0");
    assert!(
        rows.iter().any(|row| row.contains("2 datagrams")),
        "{rows:?}"
    );
}

#[test]
fn thousands_of_senders_scroll() {
    let watched = Watched::start(SIZES[1], &["--recv-buffer", "8M"]);
    for sender in 0..4000_u16 {
        let [high, low] = sender.to_be_bytes();
        watched.send(
            [127, 3, high, low.max(1)],
            format!("sender {sender}").as_bytes(),
        );
    }
    watched.until("4000 senders");
    watched.terminal.type_in(END);
    watched.until("-4000 of 4000");
    let rows = watched.terminal.rows();
    assert!(is_whole(&rows, SIZES[1]), "{rows:?}");
    watched.quit();
}

#[test]
fn a_terminal_that_takes_nothing_costs_no_datagram() {
    let mut watched = Watched::start(SIZES[2], &[]);
    watched.terminal.stall(true);
    // Whole views, until the terminal is full.
    for columns in 190..200 {
        watched.terminal.resize_screen(60, columns);
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // Ten times what the system's default buffer takes.
    for _ in 0..300 {
        for _ in 0..10 {
            socket.send_to(&[b'x'; 500], watched.address).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    watched.terminal.stall(false);
    watched.until("3000 datagrams");
    watched.quit();
}

#[test]
fn without_a_terminal_the_datagrams_follow_as_lines() {
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_udpcli"))
        .args([
            "listen",
            "--watch",
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
            "-n",
            "1",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let port = loop {
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        if let Some((_, rest)) = log.split_once("listening on 127.0.0.1:")
            && let Some((port, _)) = rest.split_once(';')
        {
            break port.parse::<u16>().unwrap();
        }
        assert!(std::time::Instant::now() < deadline, "{log}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"hello", ("127.0.0.1", port)).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with(" 5 hello\n"), "{text}");
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("--watch needs a terminal"), "{log}");
}
