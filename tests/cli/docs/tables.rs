//! Runs the commands in the tables of docs/coming-from.md, with their addresses replaced by ones of this machine.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{commands, read, table_commands};
use crate::support::{
    Running, address_of, listening_address, loopback_socket, receive, run, run_with_input, udpcli,
};

const PEER: &str = "192.168.0.3:6000";

/// The files that the commands name.
fn files(folder: &Path) {
    let project =
        "[messages.led-on]\ntext = \"led on\"\n\n[messages.led-off]\ntext = \"led off\"\n";
    fs::write(folder.join("udpcli.toml"), project).unwrap();
    fs::write(folder.join("message.bin"), b"\x00\x01").unwrap();
    for name in ["traffic.pcap", "traffic.pcapng"] {
        let mut text2pcap = Command::new("text2pcap");
        text2pcap.args(["-q", "-u", "5000,6000", "-4", "192.168.0.10,192.168.0.3"]);
        let path = folder.join(name);
        text2pcap
            .args(["-F", name.rsplit('.').next().unwrap(), "-"])
            .arg(&path);
        run_with_input(text2pcap, b"0000 68 69\n").expect_code(0);
    }
}

/// Starts a command of the tables in `folder`.
#[track_caller]
fn start(args: &[String], folder: &Path) -> Running {
    let mut command = udpcli(args);
    command.current_dir(folder).stdin(Stdio::piped());
    let mut running = Running::spawn(&mut command);
    if args.iter().any(|arg| arg == "-I") {
        running.type_in(b"typed\n");
    }
    running
}

/// Nothing of these commands may leave this machine.
#[track_caller]
fn local(args: &[String], peer: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut words = args.iter().skip(1).map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match word {
            // Another program may have the usual port.
            "--port" => drop(words.next()),
            "listen" => all.extend(["listen", "--port", "0", "--bind", "127.0.0.1"]),
            "7000" | "0.0.0.0:6000" => all.push("127.0.0.1:0"),
            PEER => all.push(peer),
            // Senders in the capture.
            "--from" => all.extend([word, words.next().unwrap()]),
            word => {
                assert!(!word.contains("192.168."), "{word} in {args:?}");
                all.push(word);
            }
        }
    }
    all.into_iter().map(str::to_owned).collect()
}

/// A datagram gets to `target` by this command.
#[track_caller]
fn passes(args: &[String], folder: &Path, target: &UdpSocket) {
    let mut running = start(args, folder);
    match args[0].as_str() {
        "send" => {}
        "relay" | "listen" => {
            let address = listening_address(&running.stderr_line_with("listening on "));
            let client = loopback_socket();
            client.send_to(b"temp?\n", address).unwrap();
            if args[0] == "listen" {
                let answers = ["--echo", "--reply", "--on"];
                if args.iter().any(|arg| answers.contains(&arg.as_str())) {
                    receive(&client);
                } else {
                    running.stdout_line();
                }
                running.interrupt().expect_code(0);
                return;
            }
        }
        _ => panic!("{args:?}"),
    }
    receive(target);
    // A run of its own end may be over by now. A plain `send` leaves signals to the system until it waits for something.
    let code = running.interrupt().code;
    let is_plain = args[0] == "send" && args.len() == 3;
    assert!(
        [Some(0), Some(130)].contains(&code) || (is_plain && code.is_none()),
        "{args:?}: {code:?}"
    );
}

#[test]
fn the_commands_in_the_tables_of_other_tools_do_what_they_are_listed_for() {
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let text = read("docs/coming-from.md");
    let tools = text.split_once("## mpremote").unwrap().0;
    let mut ran = 0;
    for span in table_commands("docs/coming-from.md") {
        if !tools.contains(&span.replace('|', "\\|")) || span.contains('|') {
            continue;
        }
        for words in commands(&span) {
            let beyond = ["255.255.255.255:6000", "--join"];
            if words[0] != "udpcli" || words.iter().any(|word| beyond.contains(&word.as_str())) {
                continue;
            }
            if words[1] == "messages" {
                let mut messages = udpcli(["messages"]);
                messages.current_dir(folder.path());
                let listed = run_with_input(messages, b"").expect_code(0).text();
                assert!(listed.contains("led-on"), "{listed}");
                continue;
            }
            let target = loopback_socket();
            let args = local(&words, &address_of(&target));
            passes(&args, folder.path(), &target);
            ran += 1;
        }
    }
    assert!(ran > 40, "{ran}");
    run(["messages", "--nosuch"]).expect_code(2);
}

/// What the tables promise for each tool.
#[test]
fn each_tool_has_a_row_for_everything_it_is_compared_in() {
    let text = read("docs/coming-from.md");
    for tool in ["NetAssist", "socat", "Packet Sender", "tcpreplay"] {
        let section = text.split(&format!("## {tool}\n")).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for (row, flags) in [
            ("replies", &["listen --on ", "listen -e --on "][..]),
            ("templates", &["--template "]),
            ("checksums", &["--append "]),
            ("saved packets", &["@led-on"]),
            ("replay", &["--replay "]),
            ("relay", &["udpcli relay "]),
        ] {
            let has = flags.iter().any(|flag| section.contains(flag));
            assert!(has, "{tool}: {row}");
        }
    }
}
