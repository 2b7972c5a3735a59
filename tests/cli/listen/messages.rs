//! Messages on stderr, and the panel beside them.

use super::*;

#[test]
fn verbose_tells_the_steps_in_the_tutorials_terms() {
    let (finished, port) = heard(&["-v", "--reuse-addr", "--echo"], &[b"hello"]);
    let received = format!("recvfrom 5 bytes from 127.0.0.1:{port}\n");
    let steps = [
        "socket AF_INET SOCK_DGRAM\n",
        "setsockopt SO_REUSEADDR 1\n",
        "bind 127.0.0.1:0\n",
        &received,
        "sendto 5 bytes",
        "close\n",
    ];
    assert_in_order(&finished.stderr, &steps);
}

#[test]
fn quiet_says_errors_only() {
    // With -q no line shows the port, so reserve one with a socket that allows sharing it.
    let taken = sharing_socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let port = taken.local_addr().unwrap().port().to_string();
    let args = [
        "listen",
        "-q",
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--reuse-addr",
        "--timeout",
        "300ms",
    ];
    let finished = run(args).expect_code(1);
    assert!(
        finished
            .stderr
            .starts_with("udpcli: error: no datagram for 300ms\n"),
        "{}",
        finished.stderr
    );
    let finished = run([
        "listen",
        "-q",
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--reuse-addr",
        "--duration",
        "100ms",
    ])
    .expect_code(0);
    assert_eq!(
        (finished.text().as_str(), finished.stderr.as_str()),
        ("", "")
    );
}

#[test]
fn stderr_never_gets_data_nor_stdout_words() {
    let (finished, _) = heard(&["--format", "raw"], &[b"payload"]);
    assert_eq!(finished.text(), "payload");
    assert!(!finished.stderr.contains("payload"), "{}", finished.stderr);
    assert_eq!(
        finished.stderr.lines().count(),
        2,
        "where it listens, and the summary: {}",
        finished.stderr
    );
}

/// A terminal of 80 columns and 24 lines in a tmux server of its own; dropping it kills the server.
struct Screen {
    /// The path of the tmux socket.
    server: String,
    _folder: tempfile::TempDir,
}

impl Screen {
    /// Runs `udpcli ARGS` on a new terminal; arguments are split at spaces.
    #[track_caller]
    fn with(args: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let screen = Self {
            server: folder.path().join("tmux").to_str().unwrap().to_owned(),
            _folder: folder,
        };
        // Ignore the user's tmux configuration. `read` keeps the last screen after udpcli ends.
        let line = format!("'{}' {args}; read -r _", env!("CARGO_BIN_EXE_udpcli"));
        screen.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
            "env",
            "-u",
            "NO_COLOR",
            "LC_ALL=C.UTF-8",
            "bash",
            "-c",
            &line,
        ]);
        screen
    }

    #[track_caller]
    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-u", "-S", &self.server]).args(args);
        Running::spawn(command.stdin(Stdio::null()))
            .finish()
            .expect_code(0)
            .text()
    }

    /// The lines on the screen.
    #[track_caller]
    fn lines(&self) -> Vec<String> {
        let shown = self.tmux(&["capture-pane", "-p"]);
        shown.lines().map(str::to_owned).collect()
    }

    /// Waits until the screen meets a condition; returns its lines.
    #[track_caller]
    fn once(&self, what: &str, is_so: impl Fn(&str) -> bool) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let lines = self.lines();
            if is_so(&lines.join("\n")) {
                return lines;
            }
            assert!(Instant::now() < deadline, "no {what} in: {lines:#?}");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .args(["-S", &self.server, "kill-server"])
            .stderr(Stdio::null())
            .status();
    }
}

/// Checks that exactly one complete panel is on the screen, and that it shows the last sender.
#[track_caller]
fn shows_one_panel(lines: &[String], address: SocketAddr) {
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("┌"), 1, "top edge: {lines:#?}");
    assert_eq!(count("└"), 1, "bottom edge: {lines:#?}");
    // The first datagram clears the address, as in the tutorial's server.
    assert_eq!(count(&format!("│{address} ")), 0, "address: {lines:#?}");
    assert_eq!(count("│from127.0.0.1 "), 1, "sender: {lines:#?}");
    let top = lines.iter().position(|line| line.contains('┌')).unwrap();
    let bottom = lines.iter().position(|line| line.contains('└')).unwrap();
    assert_eq!(bottom - top, 5, "four lines in a frame: {lines:#?}");
    let width = lines[top].chars().count();
    for line in &lines[top..=bottom] {
        assert_eq!(line.chars().count(), width, "{line:?} in {lines:#?}");
    }
}

#[test]
fn the_panel_and_log_lines_share_the_screen() {
    let screen = Screen::with("listen --port 0 --bind 127.0.0.1 --oled --recv-size 20");
    let lines = screen.once("panel", |shown| shown.contains('└'));
    let listening = lines.iter().find(|line| line.contains("listening on "));
    let address = listening_address(listening.unwrap());
    let top = lines.iter().position(|line| line.contains('┌')).unwrap();
    assert!(
        lines[top + 1].contains(&format!("│{address} ")),
        "{lines:#?}"
    );
    let socket = loopback_socket();
    for round in 0..3 {
        // Thirty bytes, truncated to twenty.
        let payload = format!("round {round} of datagrams that long");
        socket.send_to(payload.as_bytes(), address).unwrap();
        let row = format!("│round {round} of ");
        let lines = screen.once("datagram on the panel below the warning", |shown| {
            shown.contains("a datagram of 30 bytes") && shown.contains(&row) && shown.contains('└')
        });
        shows_one_panel(&lines, address);
    }
    screen.tmux(&["send-keys", "C-c"]);
    let lines = screen.once("summary", |shown| shown.contains("3 truncated"));
    shows_one_panel(&lines, address);
}
