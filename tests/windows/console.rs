//! A console: Wine shows the Windows program's console on the terminal in which it was started, here tmux.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    DEADLINE, address_of, listening_address, loopback_socket, receive_payloads, skipped,
};

/// A terminal with 150 columns; dropping it ends its programs.
struct Screen {
    folder: tempfile::TempDir,
}

impl Screen {
    /// Starts a shell line on it.
    fn start(line: &str) -> Self {
        let screen = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        screen.tmux(&[
            "-f",
            "/dev/null",
            "-u",
            "new-session",
            "-d",
            "-x",
            "150",
            "-y",
            "40",
            line,
        ]);
        screen.tmux(&["set-option", "-g", "remain-on-exit", "on"]);
        screen
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.folder.path().join("tmux"))
            .args(args)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("tmux starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types Enter until `text` is shown. Wine reads keys only once its console waits for a line: the terminal echoes
    /// earlier keys, and they are lost.
    fn enter_until(&self, text: &str) {
        for _ in 0..10 {
            self.tmux(&["send-keys", "Enter"]);
            let until = Instant::now() + Duration::from_secs(3);
            while Instant::now() < until {
                if self.tmux(&["capture-pane", "-p", "-J"]).contains(text) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.wait_for(text);
    }

    /// Waits until this text is on the screen; returns the whole screen.
    #[track_caller]
    fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let shown = self.tmux(&["capture-pane", "-p", "-J"]);
            if shown.contains(text) {
                return shown;
            }
            assert!(Instant::now() < deadline, "never {text:?} in:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn chinese_is_shown_whatever_the_code_page_and_control_characters_are_not() {
    let (Ok(exe), Ok(wine)) = (
        std::env::var("UDPCLI_WINDOWS_EXE"),
        std::env::var("UDPCLI_WINE"),
    ) else {
        skipped("tests/windows/run builds the Windows program and runs this");
        return;
    };
    let folder = Path::new(&exe).parent().expect("a folder").display();
    for code_page in [936, 65001, 437] {
        let screen = Screen::start(&format!(
            "cd '{folder}' && export LC_ALL=C.UTF-8 TZ=UTC && '{wine}' cmd /c 'chcp {code_page} & udpcli.exe listen --bind 127.0.0.1 --port 0 -n 1'"
        ));
        let shown = screen.wait_for("listening on ");
        let line = shown
            .lines()
            .find(|line| line.contains("listening on "))
            .expect("the line");
        let address = listening_address(line.trim_end());
        let socket = loopback_socket();
        socket
            .send_to("你好，掌控板 \x1b[31m\u{202e}\x07é".as_bytes(), address)
            .expect("loopback");
        let shown = screen.wait_for("1 datagram,");
        let text = r"你好，掌控板 \x1b[31m\u{202e}\x07é";
        assert!(shown.contains(text), "{code_page}: {shown}");
        // Colours take effect, or there are none: no escape sequences remain.
        assert!(
            !["[0m", "[2m", "[36m"]
                .iter()
                .any(|rest| shown.contains(rest)),
            "{shown}"
        );
    }
    // Type Ctrl-C; cmd would end, too.
    let screen = Screen::start(&format!(
        "cd '{folder}' && '{wine}' udpcli.exe listen --bind 127.0.0.1 --port 0"
    ));
    screen.wait_for("listening on ");
    screen.tmux(&["send-keys", "C-c"]);
    screen.wait_for("0 datagrams,");
}

/// udpcli's own sentences, as characters on the console of a Chinese Windows: help, an error with its hint, a listener with
/// its summary.
#[test]
fn sentences_in_chinese_are_shown_on_consoles_of_both_code_pages() {
    let (Ok(exe), Ok(wine)) = (
        std::env::var("UDPCLI_WINDOWS_EXE"),
        std::env::var("UDPCLI_WINE"),
    ) else {
        skipped("tests/windows/run builds the Windows program and runs this");
        return;
    };
    let folder = Path::new(&exe).parent().expect("a folder").display();
    for code_page in [936, 65001] {
        let screen = Screen::start(&format!(
            "cd '{folder}' && export LC_ALL=C.UTF-8 TZ=UTC UDPCLI_LANG=zh-CN && '{wine}' cmd /c 'chcp {code_page} \
             & udpcli.exe demo -h & udpcli.exe send 127.0.0.1 你好 \
             & udpcli.exe listen --bind 127.0.0.1 --port 0 -n 1'"
        ));
        let shown = screen.wait_for("listening on ");
        let line = shown
            .lines()
            .find(|line| line.contains("listening on "))
            .expect("the line");
        let (line, rest) = line.split_once('；').expect("a Chinese semicolon");
        assert!(
            rest.starts_with("只有本机的程序能发到这里"),
            "{code_page}: {shown}"
        );
        let socket = loopback_socket();
        let address = listening_address(line);
        socket
            .send_to("掌控板".as_bytes(), address)
            .expect("loopback");
        let shown = screen.wait_for("1 个数据报，9 字节，1 个发送端");
        for sentence in [
            "在本机演示接收和发送，不需要掌控板",
            "用法：",
            "缺少端口：要写成 HOST:PORT（主机和端口，中间是英文冒号）",
            "hint: 请写成：udpcli send 127.0.0.1:6000 你好",
            "9 B  掌控板",
        ] {
            assert!(
                shown.contains(sentence),
                "{code_page}: no {sentence}:\n{shown}"
            );
        }
        assert!(!shown.contains('\u{fffd}'), "{code_page}: {shown}");
    }
}

/// A file and a pipe get UTF-8 in every code page: `docs/usage.md` describes what PowerShell does with it. The
/// arguments are Chinese whatever the code page is.
#[test]
fn a_file_and_a_pipe_get_utf_8_and_arguments_stay_chinese_in_every_code_page() {
    let (Ok(exe), Ok(wine)) = (
        std::env::var("UDPCLI_WINDOWS_EXE"),
        std::env::var("UDPCLI_WINE"),
    ) else {
        skipped("tests/windows/run builds the Windows program and runs this");
        return;
    };
    let exe = format!("z:{}", exe.replace('/', r"\"));
    for code_page in [936, 65001, 437] {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = loopback_socket();
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let address = socket.local_addr().expect("an address");
        let line = format!(
            "chcp {code_page} >nul & {exe} --lang zh-CN --help >help.txt \
             & {exe} --lang zh-CN send 127.0.0.1:{port} 你好 2>sent.txt \
             & {exe} --lang zh-CN send 127.0.0.1:99999 你好 2>error.txt",
            port = address.port(),
        );
        // The lines of a help text through a pipe of cmd.
        let piped = loopback_socket();
        piped.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let line = format!(
            "{line} & {exe} --lang zh-CN listen --help | {exe} send {to} & exit 1",
            to = address_of(&piped),
        );
        let status = Command::new(&wine)
            .args(["cmd", "/c", &line])
            .current_dir(folder.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("Wine starts");
        assert!(!status.success(), "{code_page}: the last command fails");
        let mut bytes = [0; 16];
        let length = socket.recv(&mut bytes).expect("a datagram");
        assert_eq!(bytes.get(..length), Some("你好".as_bytes()), "{code_page}");
        let [help] = &receive_payloads(&piped, 1)[..] else {
            panic!("one line")
        };
        let help = std::str::from_utf8(help).expect("UTF-8");
        assert!(help.contains("数据报"), "{code_page}: {help}");
        for (file, part) in [
            ("help.txt", "退出码：0 成功"),
            ("sent.txt", "1 个数据报，6 字节，0 个错误"),
            ("error.txt", "99999"),
        ] {
            let written = std::fs::read(folder.path().join(file)).expect("a file");
            let text = String::from_utf8(written).expect("UTF-8");
            assert!(text.contains(part), "{code_page}: {file}: {text}");
        }
    }
}

/// An empty console belongs to the program, as after a double click.
#[test]
fn alone_in_its_own_console_it_shows_the_menu_and_in_a_shell_its_help() {
    let (Ok(exe), Ok(wine)) = (
        std::env::var("UDPCLI_WINDOWS_EXE"),
        std::env::var("UDPCLI_WINE"),
    ) else {
        skipped("tests/windows/run builds the Windows program and runs this");
        return;
    };
    let folder = Path::new(&exe).parent().expect("a folder").display();
    for (language, choose, close, done) in [
        (
            "en",
            "Type a number",
            "Press Enter to close.",
            "UDP works on this PC",
        ),
        ("zh-CN", "请输入数字", "按回车键关闭窗口。", "UDP"),
    ] {
        let screen = Screen::start(&format!(
            "cd '{folder}' && export LC_ALL=C.UTF-8 UDPCLI_LANG={language} && '{wine}' udpcli.exe; echo ended: $?"
        ));
        screen.wait_for(choose);
        // The console begins to read shortly after the question is shown, and no event marks that moment.
        std::thread::sleep(Duration::from_millis(500));
        screen.tmux(&["send-keys", "4"]);
        screen.enter_until("> udpcli demo");
        screen.wait_for(done);
        screen.enter_until(close);
        screen.enter_until("ended: 0");
    }
    // Ctrl-C ends the command that the menu runs, and at a question the menu itself.
    let screen = Screen::start(&format!(
        "cd '{folder}' && export LC_ALL=C.UTF-8 UDPCLI_LANG=en && '{wine}' udpcli.exe; echo ended: $?"
    ));
    screen.wait_for("Type a number");
    std::thread::sleep(Duration::from_millis(500));
    screen.tmux(&["send-keys", "C-c"]);
    screen.wait_for("ended: ");
    let screen = Screen::start(&format!(
        "cd '{folder}' && export LC_ALL=C.UTF-8 UDPCLI_LANG=en && '{wine}' cmd"
    ));
    screen.wait_for(">");
    screen.tmux(&["send-keys", "udpcli.exe", "Enter"]);
    let shown = screen.wait_for("All commands: udpcli --help");
    assert!(!shown.contains("Type a number"), "{shown}");
}
