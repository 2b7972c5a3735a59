//! The list of names: senders in `listen`, and `board:NAME` in `send`.

use std::fs;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Listener, loopback_socket, receive, run_with_input, udpcli, udpcli_on_terminal,
};

const LIST: &str = "mac-or-id,name,seat\r\n127.0.0.1,小\u{1b}明👩‍🚀,A1\r\n127.0.0.2,Li Hua,A2\r\n127.0.0.3,Twin,\r\n127.0.0.4,Twin,\r\n24:0a:c4:00:01:17,Away,\r\n/dev/ttyUSB0,Cable,\r\n";

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("names.csv"), LIST).expect("a list");
    folder
}

#[test]
fn listen_shows_the_senders_name_in_json_and_leaves_piped_text_as_it_is() {
    let folder = folder();
    for (format, variable) in [("json", true), ("text", false)] {
        let mut command = udpcli(["listen", "-p", "0", "--bind", "127.0.0.1", "-n", "1"]);
        command
            .args(["--format", format])
            .current_dir(folder.path());
        if variable {
            command.env("UDPCLI_NAMES", "names.csv");
        } else {
            command.args(["--names", "names.csv"]);
        }
        let listener = Listener::spawn(&mut command);
        let socket = loopback_socket();
        socket
            .send_to(b"hello", ("127.0.0.1", listener.port()))
            .unwrap();
        let finished = listener.running.finish().expect_code(0);
        let text = finished.text();
        if variable {
            let object: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(object["name"], "小\u{1b}明👩‍🚀");
        } else {
            let from = socket.local_addr().unwrap().to_string();
            assert!(text.ends_with(&format!(" {from} 5 hello\n")), "{text}");
        }
    }
}

#[test]
fn on_a_terminal_the_senders_name_stands_behind_the_address_with_its_control_characters_escaped() {
    let folder = folder();
    let list = folder.path().join("names.csv");
    let mut command = udpcli_on_terminal(
        "2",
        [
            "listen",
            "-p",
            "0",
            "--bind",
            "127.0.0.1",
            "-n",
            "1",
            "--color",
            "never",
            "--names",
            list.to_str().unwrap(),
        ],
    );
    let listener = Listener::spawn(command.stdin(Stdio::null()));
    let socket = loopback_socket();
    socket
        .send_to(b"hello", ("127.0.0.1", listener.port()))
        .unwrap();
    let text = listener.running.finish().text();
    // The columns between them fit the terminal.
    let name = "(小\\x1b明👩\\u{200d}🚀) ";
    let shown = text.split_once(name).map(|(_, rest)| rest);
    assert!(shown.is_some_and(|rest| rest.contains("hello")), "{text}");
}

#[test]
fn send_finds_a_board_by_its_name_and_keeps_nothing() {
    let folder = folder();
    let socket = loopback_socket();
    let port = socket.local_addr().unwrap().port();
    let to = |host: &str| {
        let mut command = udpcli(["send", host, "hi", "--names", "names.csv"]);
        command.current_dir(folder.path());
        run_with_input(command, b"")
    };
    to(&format!("board:小\u{1b}明👩‍🚀:{port}")).expect_code(0);
    assert_eq!(receive(&socket).0, b"hi");
    for (host, words) in [
        (
            "board:Twin:6000",
            "the list of names has several boards called Twin",
        ),
        (
            "board:Cable:6000",
            "the list of names has only a port or USB chip for Cable",
        ),
    ] {
        let finished = to(host).expect_code(3);
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
        assert!(
            finished
                .stderr
                .contains("hint: udpcli find shows the boards on the network"),
            "{}",
            finished.stderr
        );
    }
    // Nothing but the list is there.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_wrong_list_of_names_is_said_before_anything_is_received() {
    let folder = folder();
    fs::write(folder.path().join("names.csv"), "only\n").unwrap();
    let mut command = udpcli([
        "listen",
        "-p",
        "0",
        "--bind",
        "127.0.0.1",
        "--names",
        "names.csv",
    ]);
    command.current_dir(folder.path());
    let finished = run_with_input(command, b"").expect_code(3);
    assert!(
        finished
            .stderr
            .contains("names.csv, line 1: a line needs a board and a name"),
        "{}",
        finished.stderr
    );
}
