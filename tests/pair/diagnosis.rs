//! Causes every diagnosis for real.
//!
//! Long because it causes every diagnosis.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::air::{PASSWORD, Pc, SSID, finish, pair, wifi_board};
use crate::board::VirtualBoard;
use crate::link::{BOARD, FAR_BOARD, FAR_ROUTER, Link, NEAR_ROUTER, PC, must};
use crate::support::{Finished, Running, udpcli};

const QUICK: &str = "-n 4 --interval 10ms --sizes 64,512";

/// Checks that the report has only this diagnosis, and the exit code.
#[track_caller]
fn only(finished: Finished, code: i32, diagnosis: &str) -> String {
    let finished = finished.expect_code(code);
    let text = finished.text();
    let mut found: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("meaning: "))
        .filter_map(|line| line.rsplit_once('[')?.1.strip_suffix(']'))
        .collect();
    found.dedup();
    assert_eq!(found, [diagnosis], "{text}");
    assert!(text.contains("next:    "), "{text}");
    if code != 0 {
        assert!(
            finished
                .stderr
                .contains(&format!("the test failed: {diagnosis}\n")),
            "{}",
            finished.stderr
        );
    }
    text
}

// The serial line.

#[test]
fn no_serial_answer() {
    let mut board = wifi_board(VirtualBoard::options(), 51);
    board.control("silence", json!({"on": true}));
    let finished = pair(&board, &Pc::new(), "--connect-timeout 3s");
    let text = only(finished, 3, "no-serial-answer");
    assert!(text.contains("skip  clean-up"), "{text}");
}

#[test]
fn no_serial_port() {
    let board = wifi_board(VirtualBoard::options(), 52);
    let mut command = udpcli(["pair", "-s", "/nonexistent/tty"]);
    only(finish(&mut command), 3, "serial-port");
    drop(board);
}

#[test]
fn no_micropython() {
    let device = Device::new(b"", b"ERROR\r\n");
    let text = only(device.pair(), 3, "no-micropython");
    assert!(text.contains("ERROR"), "{text}");
}

#[test]
fn pair_gives_the_same_boot_log_diagnosis_as_the_board_commands() {
    for (kind, code) in [
        ("no-firmware", "no-firmware"),
        ("firmware-damaged", "firmware-damaged"),
        ("brown-out", "brown-out"),
        ("panic", "board-panic"),
        ("program", "no-micropython"),
        ("echo", "serial-echo"),
        ("silence", "no-serial-answer"),
    ] {
        let board = VirtualBoard::options().broken(kind).start();
        let command = ["pair", "-s", &board.port, "--connect-timeout", "4s"];
        let finished = finish(&mut udpcli(command));
        let code_of_info = {
            let command = [
                "board",
                "-s",
                &board.port,
                "--connect-timeout",
                "4s",
                "info",
            ];
            let stderr = finish(&mut udpcli(command)).expect_code(3).stderr;
            let (_, code) = stderr.rsplit_once('[').expect("a code");
            code.split_once(']').expect("a code").0.to_owned()
        };
        only(finished, 3, code);
        assert_eq!(code_of_info, code, "{kind}");
    }
}

#[test]
fn endless_output() {
    let mut board = wifi_board(VirtualBoard::options(), 53);
    for (text, code) in [
        // Only MicroPython prints the first text; any program may print the second.
        ("KeyboardInterrupt: \r\n", "board-busy"),
        ("temperature 21.5\r\n", "no-micropython"),
    ] {
        board.control("chatter", json!({"on": true, "text": text}));
        only(pair(&board, &Pc::new(), "--connect-timeout 3s"), 3, code);
    }
}

/// A network device that is not MicroPython: its output at the start, and its reply to everything.
struct Device {
    port: String,
}

impl Device {
    fn new(hello: &'static [u8], answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = format!("socket://{}", listener.local_addr().expect("its address"));
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut buffer = [0; 256];
            let _ = stream.write_all(hello);
            while let Ok(1..) = stream.read(&mut buffer) {
                if stream.write_all(answer).is_err() {
                    return;
                }
            }
        });
        Self { port }
    }

    fn pair(&self) -> Finished {
        finish(&mut udpcli([
            "pair",
            "-s",
            &self.port,
            "--connect-timeout",
            "2s",
        ]))
    }
}

#[test]
fn another_baud_rate() {
    let mut board = wifi_board(VirtualBoard::options(), 54);
    board.control("wrong_baud", json!({"on": true}));
    only(
        pair(&board, &Pc::new(), "--connect-timeout 3s"),
        3,
        "line-noise",
    );
}

#[test]
fn download_mode() {
    let device = Device::new(
        b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT)\r\nwaiting for download\r\n",
        b"",
    );
    only(device.pair(), 3, "download-mode");
}

#[test]
fn the_cable_is_pulled() {
    let mut board = wifi_board(VirtualBoard::options(), 56);
    let pc = Pc::new();
    let mut running = Running::spawn(&mut pc.command(&board, "-n 100 --interval 50ms --sizes 64"));
    while !running.stdout_line().contains("addresses") {}
    board.unplug();
    let finished = running.finish().expect_code(3);
    let text = finished.text();
    assert!(
        text.contains("FAIL  PC to board") && text.contains("[serial-lost]"),
        "{text}"
    );
}

#[test]
fn the_board_restarts() {
    let mut board = wifi_board(VirtualBoard::options(), 57);
    let pc = Pc::new();
    let mut running = Running::spawn(&mut pc.command(&board, "-n 100 --interval 50ms --sizes 64"));
    while !running.stdout_line().contains("addresses") {}
    board.reset();
    let finished = running.finish().expect_code(1);
    let text = finished.text();
    assert!(
        text.contains("[board-restarted]") && text.contains("ok    clean-up"),
        "{text}"
    );
}

// Firmware and Wi-Fi.

#[test]
fn another_firmware_has_no_oled() {
    let board = wifi_board(VirtualBoard::options().profile("generic-1.26"), 58);
    let text = only(pair(&board, &Pc::new(), QUICK), 0, "not-mpython");
    assert!(
        text.contains("note  firmware") && text.contains("skip  OLED text"),
        "{text}"
    );
    assert!(text.contains("ok    echo round trip"), "{text}");
}

#[test]
fn wifi_with_another_name() {
    let board = wifi_board(VirtualBoard::options(), 59);
    let finished = finish(&mut Pc::new().bare(&board, "--ssid Class --password-env WIFI_PASSWORD"));
    let text = only(finished, 1, "wifi-not-found");
    assert!(text.contains("the board sees class (-55 dBm)"), "{text}");
}

#[test]
fn wifi_with_another_password() {
    let board = wifi_board(VirtualBoard::options(), 60);
    let mut command = Pc::new().command(&board, "");
    command.env("WIFI_PASSWORD", "wrong-one");
    let text = only(finish(&mut command), 1, "wifi-password-refused");
    assert!(!text.contains("wrong-one"), "{text}");
}

#[test]
fn wifi_on_5_ghz_only() {
    let board = VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}:5g"))
        .arg("--wifi", "class-5G:secret:5g")
        .ready();
    // By its name.
    let finished =
        finish(&mut Pc::new().bare(&board, "--ssid class-5G --password-env WIFI_PASSWORD"));
    only(finished, 1, "wifi-5ghz-only");
    // By the PC's own radio: a program with the output of NetworkManager's.
    let folder = tempfile::tempdir().expect("a folder");
    let nmcli = folder.path().join("nmcli");
    fs::write(
        &nmcli,
        "#!/bin/sh\nprintf 'other:2412 MHz\\nclass:5180 MHz\\n'\n",
    )
    .expect("a program");
    fs::set_permissions(&nmcli, fs::Permissions::from_mode(0o755)).expect("it may run");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Pc::new().command(&board, "");
    command.env("PATH", format!("{}:{path}", folder.path().display()));
    let text = only(finish(&mut command), 1, "wifi-5ghz-only");
    assert!(text.contains("this PC's radio sees it on 5 GHz"), "{text}");
}

#[test]
fn a_wifi_that_does_not_exist() {
    for name in ["", "a name of more than thirty-two bytes"] {
        let stderr = finish(&mut udpcli(["pair", "--ssid", name]))
            .expect_code(2)
            .stderr;
        assert!(stderr.contains("has 1 to 32 bytes, not "), "{stderr}");
    }
}

#[test]
fn wifi_without_an_address() {
    let board = VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--ip", "0.0.0.0")
        .ready();
    let text = only(pair(&board, &Pc::new(), QUICK), 1, "wifi-timeout");
    assert!(
        text.contains("the board was given no address (DHCP)"),
        "{text}"
    );
}

#[test]
fn no_wifi_at_all() {
    let board = wifi_board(VirtualBoard::options(), 61);
    only(
        finish(&mut Pc::new().bare(&board, "")),
        1,
        "wifi-not-connected",
    );
}

#[test]
fn the_wifi_that_the_board_left_is_named() {
    let mut board = VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--wifi", "home:own")
        .arg("--ip", "127.0.0.67")
        .file(
            "main.py",
            "import mpython\nmpython.wifi().connectWiFi('home', 'own')\n",
        )
        .ready();
    board.wait_until("main.py has ended", |stats| stats["stage"] == "repl");
    let text = pair(&board, &Pc::new(), QUICK).expect_code(0).text();
    assert!(text.contains("the board was in home before"), "{text}");
}

#[test]
fn a_socket_on_the_board_uses_the_port() {
    let pc = Pc::new();
    let held = UdpSocket::bind(("127.0.0.68", pc.port)).expect("the port is free");
    let board = wifi_board(VirtualBoard::options(), 68);
    let text = pair(&board, &pc, QUICK).expect_code(1).text();
    assert!(
        text.contains("FAIL  PC to board") && text.contains("[board-port-in-use]"),
        "{text}"
    );
    assert!(text.contains("ok    board to PC"), "{text}");
    drop(held);
}

#[test]
fn a_dropped_echo() {
    let Some(link) = Link::new() else { return };
    // Datagrams to the PC's own port pass, but not those to the port of the echo.
    link.pc_rules("input", "udp sport 6000 drop");
    let text = only(linked(&link, -55, QUICK), 1, "no-echo");
    assert!(text.contains("ok    board to PC"), "{text}");
}

#[test]
fn the_font_is_missing() {
    // The font draws nothing for a missing character.
    let boot = "import mpython\nmpython.oled.DispChar = lambda *a: (0, (0, 0))\n";
    let board = wifi_board(VirtualBoard::options().file("boot.py", boot), 69);
    let text = only(pair(&board, &Pc::new(), QUICK), 1, "oled-wrong");
    assert!(
        text.contains("no pixel is lit there: the font is missing"),
        "{text}"
    );
}

// The PC.

#[test]
fn another_program_uses_the_port() {
    let board = wifi_board(VirtualBoard::options(), 62);
    let pc = Pc::new();
    let held = UdpSocket::bind(("0.0.0.0", pc.port));
    // The board's own address must stay free for its socket: Linux refuses it together with a wildcard.
    drop(held);
    let _held = UdpSocket::bind(("127.0.0.1", pc.port)).expect("the port is free");
    let text = only(pair(&board, &pc, QUICK), 3, "pc-port-in-use");
    let own = fs::read_to_string("/proc/self/comm").expect("our name");
    assert!(
        text.contains(&format!(
            "UDP port {} belongs to {} (process {})",
            pc.port,
            own.trim(),
            std::process::id()
        )),
        "{text}"
    );
    assert!(
        text.contains("ok    PC to board") && text.contains("skip  board to PC"),
        "{text}"
    );
}

#[test]
fn the_operating_system_refuses_the_port() {
    let Some(link) = Link::new() else { return };
    let board = link_board(&link, -55);
    // As for ordinary users: only root may use ports below 1024.
    let inner = Pc { port: 80 }.command(&board, QUICK);
    let mut command = std::process::Command::new("ip");
    command
        .args(["netns", "exec", &link.pc, "setpriv", "--bounding-set"])
        .arg("-net_bind_service")
        .args([inner.get_program()])
        .args(inner.get_args())
        .env("WIFI_PASSWORD", PASSWORD);
    let text = only(finish(&mut command), 3, "pc-port-refused");
    assert!(
        text.contains(&format!("cannot bind {PC}:80: Permission denied"))
            && text.contains("take a port from 1024 up")
            && text.contains("ok    PC to board"),
        "{text}"
    );
}

// The board's program.

#[test]
fn a_board_that_does_not_come_back_is_reported() {
    // From a certain point it hangs during the boot, and ignores Ctrl-C.
    let boot = "import os\nif 'hang' in os.listdir('/'):\n import micropython\n micropython.kbd_intr(-1)\n while True: pass\n";
    let board = wifi_board(VirtualBoard::options().file("boot.py", boot), 70);
    let pc = Pc::new();
    let mut command = pc.command(&board, QUICK);
    command.args(["--connect-timeout", "3s"]);
    let mut running = Running::spawn(&mut command);
    while !running.stdout_line().contains("board to PC") {}
    fs::write(board.files().join("hang"), "").expect("a file on the board");
    let text = running.finish().expect_code(1).text();
    assert!(
        text.contains("ok    echo round trip") && text.contains("FAIL  clean-up"),
        "{text}"
    );
    assert!(text.contains("[not-cleaned-up]"), "{text}");
}

#[test]
fn the_boards_program_dies() {
    // A boot.py that changes one of the firmware's modules; udpcli would ignore a file named socket.py.
    let boot = "import usocket\ndef died(*a):\n    raise ValueError('my own \\x1b[31msocket')\nusocket.socket = died\n";
    let board = wifi_board(VirtualBoard::options().file("boot.py", boot), 63);
    let finished = pair(&board, &Pc::new(), QUICK).expect_code(1);
    let text = finished.text();
    assert!(text.contains("[board-program-died]"), "{text}");
    assert!(
        text.contains("| Traceback (most recent call last):"),
        "{text}"
    );
    assert!(
        text.contains("ValueError: my own \\u{1b}[31msocket"),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.contains("ok    clean-up"), "{text}");
}

/// A program with the structure of the tutorial's server.
fn tutorials_server(ip: &str, port: u16) -> String {
    format!(
        "from mpython import *
import socket
mywifi = wifi()
mywifi.connectWiFi('{SSID}', '{PASSWORD}')
try:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('{ip}', {port}))
    print('waiting...')
    while True:
        data, addr = s.recvfrom(1024)
        oled.fill(0)
        oled.DispChar(data.decode(), 0, 15)
        oled.show()
except:
    if s:
        s.close()
    mywifi.disconnectWiFi()
"
    )
}

#[test]
fn a_server_that_ended_silently_is_diagnosed() {
    let pc = Pc::new();
    let main = tutorials_server("127.0.0.107", pc.port);
    let mut board = wifi_board(VirtualBoard::options().file("main.py", main), 107);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    // GBK, which decode() refuses. Repeat it until the server runs, and has ended.
    board.wait_until("the server has ended", |stats| {
        let _ = socket.send_to(b"\xc4\xe3\xba\xc3", ("127.0.0.107", pc.port));
        stats["stage"] == "repl"
    });
    let text = only(pair(&board, &pc, QUICK), 0, "board-program-silent-end");
    assert!(
        text.contains("note  firmware")
            && text.contains("main.py on the board was started and no longer runs")
            && text.contains("sys.print_exception(e)"),
        "{text}"
    );
    // The clean-up left the board at its prompt, and main.py was not started since.
    let text = pair(&board, &pc, QUICK).expect_code(0).text();
    assert!(!text.contains("meaning:"), "{text}");
    // A running server has not ended: the test stops it, and it also catches that silently.
    board.reset();
    let shows = board.stats()["shows"].as_u64();
    board.wait_until("the server shows what it receives", |stats| {
        let _ = socket.send_to(b"hello", ("127.0.0.107", pc.port));
        stats["stage"] == "main.py" && stats["shows"].as_u64() > shows.map(|shows| shows + 1)
    });
    let text = pair(&board, &pc, QUICK).expect_code(0).text();
    assert!(!text.contains("meaning:"), "{text}");
}

#[test]
fn a_socket_left_by_the_last_program_is_closed() {
    let pc = Pc::new();
    let main = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('127.0.0.64', {}))\nwhile True: s.recvfrom(1024)\n",
        pc.port
    );
    let board = wifi_board(VirtualBoard::options().file("main.py", main), 64);
    let text = pair(&board, &pc, QUICK).expect_code(0).text();
    assert!(text.contains("the program that ran was stopped"), "{text}");
}

// Payloads.

#[test]
fn payloads_are_truncated_at_1024() {
    let board = wifi_board(VirtualBoard::options(), 65);
    let finished = pair(
        &board,
        &Pc::new(),
        "-n 3 --interval 10ms --sizes 1024,1025,2000",
    );
    let text = only(finished, 1, "payload-cut-at-1024");
    assert!(text.contains("cut: 1025 bytes, 2000 bytes"), "{text}");
    assert!(text.contains("ok    board to PC"), "{text}");
}

#[test]
fn gbk_is_not_decoded() {
    let board = wifi_board(VirtualBoard::options(), 66);
    let finished = pair(&board, &Pc::new(), &format!("{QUICK} --encoding gbk"));
    only(finished, 1, "gbk-not-decoded");
}

// The network, in namespaces.

/// Runs `pair` on a board in the link's namespace.
fn linked(link: &Link, rssi: i32, args: &str) -> Finished {
    within(link, &link_board(link, rssi), args)
}

fn link_board(link: &Link, rssi: i32) -> VirtualBoard {
    VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--netns", &link.board)
        .arg("--ip", BOARD)
        .arg("--rssi", &rssi)
        .ready()
}

/// A board behind a router.
fn far_board(link: &Link) -> VirtualBoard {
    VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--netns", &link.board)
        .arg("--ip", FAR_BOARD)
        .ready()
}

pub(crate) fn within(link: &Link, board: &VirtualBoard, args: &str) -> Finished {
    let inner = Pc { port: 6000 }.command(board, args);
    let mut command = std::process::Command::new("ip");
    command
        .args(["netns", "exec", &link.pc])
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs(
            inner
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
    finish(&mut command)
}

#[test]
fn a_good_link_passes_and_its_fragments_arrive() {
    let Some(link) = Link::new() else { return };
    let text = linked(&link, -55, QUICK).expect_code(0).text();
    assert!(
        text.contains(&format!("board {BOARD}, PC {PC} (va, /24)")),
        "{text}"
    );
    assert!(
        text.contains(&format!("listening on {PC}:6000 only")),
        "{text}"
    );
    assert_eq!(
        text.matches("8192 bytes (no limit found)").count(),
        2,
        "{text}"
    );
}

#[test]
fn the_pcs_firewall() {
    let Some(link) = Link::new() else { return };
    link.pc_rules("input", "ct state new udp dport 6000 drop");
    let text = only(linked(&link, -55, QUICK), 1, "pc-firewall");
    // The firewall lets replies through.
    assert!(
        text.contains("ok    PC to board") && text.contains("ok    echo round trip"),
        "{text}"
    );
}

#[test]
fn outgoing_datagrams_are_dropped() {
    let Some(link) = Link::new() else { return };
    link.pc_rules("output", "udp dport 6000 drop");
    let text = only(linked(&link, -55, QUICK), 1, "pc-to-board-blocked");
    assert!(text.contains("ok    board to PC"), "{text}");
}

#[test]
fn nat_rewrites_the_boards_address() {
    let Some(link) = Link::routed("near") else {
        return;
    };
    // With one byte each, too, which is too short for a token.
    let args = "-n 4 --interval 10ms --sizes 1,64,512";
    let text = only(
        within(&link, &far_board(&link), args),
        1,
        "address-rewritten",
    );
    assert!(
        text.contains(&format!(
            "the datagrams arrived from {NEAR_ROUTER} instead of the board's own address {FAR_BOARD}"
        )),
        "{text}"
    );
    assert!(
        text.contains("FAIL  board to PC     send to 10.78.1.1:6000: 12 of 12 arrived"),
        "{text}"
    );
    assert!(
        text.contains("ok    PC to board") && text.contains("ok    echo round trip"),
        "{text}"
    );
}

#[test]
fn a_board_behind_nat_that_the_pc_cannot_reach() {
    let Some(link) = Link::routed("near") else {
        return;
    };
    // A phone's hotspot blocks incoming datagrams that are not replies.
    link.router_rules("forward", "iifname near oifname far ct state new drop");
    let text = only(
        within(&link, &far_board(&link), QUICK),
        1,
        "address-rewritten",
    );
    assert!(
        text.contains(&format!(
            "but from {NEAR_ROUTER} instead of its own address {FAR_BOARD}"
        )) && text.contains("FAIL  PC to board")
            && text.contains("FAIL  board to PC"),
        "{text}"
    );
}

#[test]
fn nat_rewrites_the_pcs_address() {
    let Some(link) = Link::routed("far") else {
        return;
    };
    // As for a virtual machine: only replies get in.
    link.router_rules("forward", "iifname far oifname near ct state new drop");
    let text = only(
        within(&link, &far_board(&link), QUICK),
        1,
        "address-rewritten",
    );
    assert!(
        text.contains(&format!(
            "the board sees this PC at {FAR_ROUTER} instead of {PC}"
        )) && text.contains("note  PC to board")
            && text.contains("FAIL  board to PC")
            && text.contains("ok    echo round trip"),
        "{text}"
    );
}

#[test]
fn a_rewritten_address_without_loss_gives_a_warning() {
    let Some(link) = Link::routed("far") else {
        return;
    };
    let text = only(
        within(&link, &far_board(&link), QUICK),
        0,
        "address-rewritten",
    );
    assert!(
        text.contains("note  PC to board") && text.contains("ok    board to PC"),
        "{text}"
    );
}

#[test]
fn nobody_answers_the_boards_arp_requests() {
    // lwIP's ENOMEM for every datagram to the PC's port; replies to the PC's other ports get through.
    let boot = |wanted: &str| {
        format!(
            "import usocket\nclass socket(usocket.socket):\n def sendto(self, data, address):\n  if address[1] {wanted} PORT: raise OSError(12)\n  return super().sendto(data, address)\nusocket.socket = socket\n"
        )
    };
    for (wanted, last, failed, passed) in [
        ("==", 105, "FAIL  board to PC", "ok    echo round trip"),
        ("!=", 106, "FAIL  echo round trip", "ok    board to PC"),
    ] {
        let pc = Pc::new();
        let boot = boot(wanted).replace("PORT", &pc.port.to_string());
        let board = wifi_board(VirtualBoard::options().file("boot.py", boot), last);
        let text = only(pair(&board, &pc, QUICK), 1, "board-no-arp");
        assert!(text.contains(failed) && text.contains(passed), "{text}");
        assert!(
            text.contains(
                "the board's sendto says ENOMEM (12): nobody answers its ARP request for 127.0.0.1"
            ),
            "{text}"
        );
    }
}

#[test]
fn the_access_point_isolates_its_clients() {
    let Some(link) = Link::new() else { return };
    link.isolate();
    only(linked(&link, -55, QUICK), 1, "ap-isolation");
}

#[test]
fn another_network() {
    let Some(link) = Link::with("10.78.2.2") else {
        return;
    };
    let board = VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--netns", &link.board)
        .arg("--ip", "10.78.2.2")
        .ready();
    // No route at all.
    only(within(&link, &board, QUICK), 3, "no-route");
    // A route through an address without a device.
    must(
        "ip",
        &format!("-n {} route add default via 10.78.1.9", link.pc),
    );
    only(within(&link, &board, QUICK), 1, "different-subnets");
}

#[test]
fn a_weak_signal_loses_datagrams() {
    let Some(link) = Link::new() else { return };
    link.lose();
    let text = only(
        linked(&link, -86, "-n 20 --interval 10ms --sizes 64"),
        1,
        "weak-signal",
    );
    assert!(text.contains("5 % allowed; signal -86 dBm"), "{text}");
    let text = only(
        linked(&link, -50, "-n 20 --interval 10ms --sizes 64"),
        1,
        "loss",
    );
    assert!(text.contains("signal -50 dBm"), "{text}");
}

#[test]
fn fragments_that_are_dropped() {
    let Some(link) = Link::new() else { return };
    // Before the kernel reassembles them.
    link.pc_rules("prerouting", "ip frag-off & 0x3fff != 0 drop");
    let text = linked(&link, -55, "-n 3 --interval 10ms --sizes 64,1472,1600")
        .expect_code(1)
        .text();
    assert!(
        text.contains("largest payload that arrived whole: 1472 bytes (limit: the MTU of 1500"),
        "{text}"
    );
    assert!(
        text.contains("never came: 1600 bytes") && text.contains("[size-lost]"),
        "{text}"
    );
}
