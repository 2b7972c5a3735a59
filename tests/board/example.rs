//! `udpcli board run --example`: the tutorial's two programs with `udpcli listen` and `udpcli send`.

use std::fs;
use std::process::Command;

use crate::client::kinds;
use crate::process::{Finished, Listener, Running, loopback_socket, run, run_with_input, udpcli};
use crate::support::{Options, VirtualBoard, mpremote_ok};

const PASSWORD: &str = "geheim'\\ 你好";

/// A board that sees the class's Wi-Fi.
fn in_class(options: Options) -> VirtualBoard {
    options.arg("--wifi", &format!("class:{PASSWORD}")).ready()
}

/// `udpcli -vv board run --example ARGS` with the name and password of the Wi-Fi.
fn example(vboard: &VirtualBoard, args: &[&str], password: &str) -> Command {
    let mut command = udpcli([
        "-vv",
        "board",
        "-s",
        &vboard.port,
        "run",
        "--password-env",
        "CLASS_WIFI",
        "--ssid",
        "class",
        "--example",
    ]);
    command.args(args).env("CLASS_WIFI", password);
    command
}

/// Checks that the password is stored nowhere.
#[track_caller]
fn assert_kept(vboard: &VirtualBoard, finished: &Finished) {
    let everything = [
        finished.stdout.clone(),
        finished.stderr.clone().into_bytes(),
    ]
    .concat();
    assert!(
        !String::from_utf8_lossy(&everything).contains("geheim"),
        "{}",
        finished.stderr
    );
    let seen = mpremote_ok(
        vboard,
        [
            "resume",
            "exec",
            "print('geheim' in str(globals()), globals().get('PASSWORD'))",
        ],
    );
    assert_eq!(seen, "False None\r\n");
    assert_eq!(fs::read_dir(vboard.files()).unwrap().count(), 0);
}

#[test]
fn the_client_sends_to_udpcli_listen() {
    for (kind, options) in kinds() {
        let vboard = in_class(options);
        let listener = Listener::start(["--bind", "127.0.0.1", "--count", "3", "--format", "raw"]);
        let target = listener.address.to_string();
        let mut client = Running::spawn(&mut example(
            &vboard,
            &["client", "--target", &target, "--interval", "50ms"],
            PASSWORD,
        ));
        assert_eq!(
            client.stdout_line(),
            format!("board 127.0.0.1 sends to 127.0.0.1 {}\r\n", listener.port())
        );
        let heard = listener.running.finish().expect_code(0);
        assert_eq!(
            heard.text(),
            "hello message from mPython\r\n".repeat(3),
            "{kind}"
        );
        let finished = client.interrupt().expect_code(0);
        assert!(finished.text().ends_with("sent\r\n"), "{kind}");
        assert_kept(&vboard, &finished);
    }
}

#[test]
fn the_server_receives_from_udpcli_send() {
    for (kind, options) in kinds() {
        let mut vboard = in_class(options);
        let free = loopback_socket();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let mut server = Running::spawn(&mut example(
            &vboard,
            &["server", "--port", &port],
            PASSWORD,
        ));
        let mut line = server.stdout_line();
        while !line.contains("waiting on") {
            line = server.stdout_line();
        }
        assert_eq!(line, format!("waiting on 127.0.0.1:{port}\r\n"), "{kind}");
        // The first page of the OLED: the upper half of the address.
        let has_address = |vboard: &mut VirtualBoard| vboard.frame()[..128] != [0; 128];
        vboard.wait_until("the address is on the OLED", |stats| {
            stats["shows"].as_u64() > Some(1)
        });
        assert!(has_address(&mut vboard), "{kind}: no address");
        let shows = vboard.stats()["shows"].as_u64().unwrap();
        run(["send", &format!("127.0.0.1:{port}"), "hello 你好"]).expect_code(0);
        let line = server.stdout_line();
        assert!(
            line.starts_with(
                "received: b'hello \\xe4\\xbd\\xa0\\xe5\\xa5\\xbd' from ('127.0.0.1', "
            ),
            "{kind}: {line}"
        );
        vboard.wait_until("it is on the OLED", |stats| {
            stats["shows"].as_u64() > Some(shows)
        });
        assert!(
            !has_address(&mut vboard),
            "{kind}: the tutorial's server clears the address with the first datagram"
        );
        let finished = server.interrupt().expect_code(0);
        assert_kept(&vboard, &finished);
    }
}

#[test]
fn a_refused_wifi_password_is_reported() {
    for (kind, options) in kinds() {
        let vboard = in_class(options);
        let client = ["client", "--target", "127.0.0.1:9"];
        let finished = run_with_input(example(&vboard, &client, "wrong"), b"").expect_code(1);
        assert!(
            finished
                .stderr
                .contains("no connection to Wi-Fi class: wrong password"),
            "{kind}: {}",
            finished.stderr
        );
        let mut other = example(&vboard, &client, PASSWORD);
        let finished = run_with_input(
            {
                other.args(["--ssid", "nowhere"]);
                other
            },
            b"",
        );
        assert_eq!(
            finished.code,
            Some(2),
            "the name is given once: {}",
            finished.stderr
        );
        let mut unset = udpcli([
            "board",
            "-s",
            &vboard.port,
            "run",
            "--example",
            "server",
            "--ssid",
            "class",
            "--password-env",
            "NO_SUCH_VARIABLE",
        ]);
        unset.env_remove("NO_SUCH_VARIABLE");
        let finished = run_with_input(unset, b"").expect_code(2);
        assert!(
            finished.stderr.contains("NO_SUCH_VARIABLE is not set"),
            "{}",
            finished.stderr
        );
    }
    // A Wi-Fi name that does not exist.
    let vboard = VirtualBoard::options().ready();
    let finished = run_with_input(example(&vboard, &["server"], PASSWORD), b"").expect_code(1);
    assert!(
        finished
            .stderr
            .contains("no connection to Wi-Fi class: not in reach, or 5 GHz only"),
        "{}",
        finished.stderr
    );
    assert_kept(&vboard, &finished);
}
