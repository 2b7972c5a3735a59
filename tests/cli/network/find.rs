//! `udpcli find` in a network with 60 hosts of which 20 have the MAC address of a board.
//! Long because each kind of host and each way to find it has its place in one network.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Net, assert_fits};
use crate::support::{DEADLINE, Finished, Running, run_with_input, skipped};

const HOSTS: u8 = 60;

/// One search at a time. The kernel's neighbour table has room for 1,024 entries in all namespaces together
/// (`gc_thresh3`), and each search asks for up to 256: several at once overflow it, and hosts go missing.
static NEIGHBOUR_TABLE: Mutex<()> = Mutex::new(());

fn neighbour_table() -> MutexGuard<'static, ()> {
    NEIGHBOUR_TABLE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Every third host is a board.
fn is_board(host: u8) -> bool {
    host.is_multiple_of(3)
}

fn address(host: u8) -> String {
    format!("10.77.1.{}", 100 + host)
}

fn mac(host: u8) -> String {
    let block = if is_board(host) {
        "24:0a:c4"
    } else {
        "02:00:00"
    };
    format!("{block}:00:01:{host:02x}")
}

/// Namespace 0 is the PC. In namespace 1, each host is an interface with its own MAC address. `None` if this machine
/// cannot make them.
fn class() -> Option<Net> {
    let net = Net::pair()?;
    let mut batch = String::new();
    for host in 0..HOSTS {
        let _ = writeln!(
            batch,
            "link add link vb name h{host} address {} type macvlan mode bridge\n\
             link set h{host} addrgenmode none up\n\
             addr add {}/32 dev h{host}",
            mac(host),
            address(host)
        );
    }
    // Only the host that has an address answers for it, and no host uses up the ICMP errors of another.
    let settings = [
        "-qw",
        "net.ipv4.conf.all.arp_ignore=1",
        "net.ipv4.icmp_ratelimit=0",
    ];
    net.run(1, "sysctl", &settings);
    let made = run_with_input(
        net.within(1, Command::new("ip").args(["-batch", "-"])),
        batch.as_bytes(),
    );
    if made.code != Some(0) {
        assert!(std::env::var_os("CI").is_none(), "{}", made.stderr);
        skipped(format!("no macvlan here: {}", made.stderr));
        return None;
    }
    net.wait_until_up(1, "h59");
    Some(net)
}

/// Programs at UDP port 6000 of these hosts: `replies` answer, `silent` do not. What they received is on stdout, a line
/// each.
fn programs(net: &Net, replies: &[u8], silent: &[u8]) -> Running {
    let list = |hosts: &[u8]| {
        let hosts: Vec<String> = hosts.iter().map(|host| address(*host)).collect();
        hosts.join(",")
    };
    let mut python = Command::new("python3");
    python.args(["-S", "-c", PROGRAMS, &list(replies), &list(silent)]);
    let mut running = Running::spawn(net.within(1, &python).stdin(Stdio::null()));
    assert_eq!(running.stdout_line(), "ready\n");
    running
}

const PROGRAMS: &str = r#"
import select, socket, sys
replies = [a for a in sys.argv[1].split(",") if a]
silent = [a for a in sys.argv[2].split(",") if a]
sockets = []
for address in replies + silent:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 6000))
    sockets.append(s)
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        data, peer = s.recvfrom(2000)
        own = s.getsockname()[0]
        print(own, data.hex(), flush=True)
        if own in replies:
            s.sendto(b"ack:" + data, peer)
"#;

#[track_caller]
fn find(net: &Net, args: &str, code: i32) -> Finished {
    run_with_input(net.udpcli(0, format!("find {args}").trim_end()), b"").expect_code(code)
}

fn objects(finished: &Finished) -> Vec<Value> {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/find.schema.json")).expect("JSON");
    let objects: Vec<Value> = finished
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect();
    for object in &objects {
        assert_fits(object, &schema);
        let ways = schema["properties"]["found"]["items"]["enum"].as_array();
        for way in object["found"].as_array().expect("a list") {
            assert!(ways.unwrap().contains(way), "{way}");
        }
    }
    // This machine may have a board on USB.
    objects
        .into_iter()
        .filter(|object| !object["address"].is_null())
        .collect()
}

#[test]
fn the_twenty_boards_among_sixty_hosts_are_found_and_their_programs_get_nothing() {
    let _table = neighbour_table();
    let Some(net) = class() else { return };
    let boards: Vec<u8> = (0..HOSTS).filter(|host| is_board(*host)).collect();
    let mut programs = programs(&net, &boards[..10], &boards[10..]);
    let finished = find(&net, "--format json", 0);
    let found = objects(&finished);
    let pairs: Vec<(String, String)> = found
        .iter()
        .map(|board| {
            let text = |key: &str| board[key].as_str().expect("a text").to_owned();
            (text("address"), text("mac"))
        })
        .collect();
    let wanted: Vec<(String, String)> = boards
        .iter()
        .map(|host| (address(*host), mac(*host)))
        .collect();
    assert_eq!(pairs, wanted);
    assert!(found.iter().all(|board| board.get("port_6000").is_none()));
    let told = "sending a datagram to the discard port (9) of 253 addresses of 10.77.1.0/24, at most 250 per second";
    assert!(finished.stderr.contains(told), "{}", finished.stderr);

    // The probe is the first datagram that the programs receive.
    let finished = find(&net, "--probe --format json", 0);
    let states: Vec<&str> = objects(&finished)
        .iter()
        .map(|board| board["port_6000"].as_str().expect("a state"))
        .map(|state| match state {
            "open" => "open",
            "unknown" => "unknown",
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(states, [&["open"; 10][..], &["unknown"; 10]].concat());
    let mut heard: Vec<String> = (0..20).map(|_| programs.stdout_line()).collect();
    heard.sort();
    let mut wanted: Vec<String> = boards
        .iter()
        .map(|host| format!("{} {}\n", address(*host), super::hex(b"udpcli find")))
        .collect();
    wanted.sort();
    assert_eq!(heard, wanted);
}

#[test]
fn a_closed_port_is_told_from_a_silent_program_and_the_columns_are_aligned() {
    let _table = neighbour_table();
    let Some(net) = class() else { return };
    let _programs = programs(&net, &[0], &[3]);
    let text = find(&net, "--probe --wait 4s", 0).text();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("10.77."))
        .collect();
    assert_eq!(lines.len(), 20, "{text}");
    assert_eq!(
        lines[0],
        "-  10.77.1.100  24:0a:c4:00:01:00  neighbour table  port 6000 open"
    );
    assert!(lines[1].ends_with("  port 6000 unknown"), "{text}");
    let closed = lines
        .iter()
        .filter(|line| line.ends_with("  port 6000 closed"))
        .count();
    assert_eq!(closed, 18, "{text}");
}

#[test]
fn boards_have_the_names_of_the_list_and_hostile_ones_are_escaped() {
    let _table = neighbour_table();
    let Some(net) = class() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("names.csv");
    let text =
        "\u{feff}mac-or-id,name,seat\n24-0A-C4-00-01-00,小明 🎈,A1\n10.77.1.103,red\u{1b}[31m\n";
    std::fs::write(&list, text).expect("a file");
    let list = list.to_str().expect("a path");
    let text = find(&net, &format!("--wait 4s --names {list}"), 0).text();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("10.77."))
        .collect();
    assert!(lines[0].starts_with("小明 🎈  "), "{text}");
    assert!(
        lines[1].starts_with(r"red\u{1b}[31m  10.77.1.103  "),
        "{text}"
    );
    let column = |line: &str| unicode_width(&line[..line.find("10.77.").unwrap()]);
    assert!(
        lines.iter().all(|line| column(line) == column(lines[0])),
        "{text}"
    );
    let mut command = net.udpcli(0, "find --wait 2s --format json");
    command.env("UDPCLI_NAMES", list);
    let found = objects(&run_with_input(command, b"").expect_code(0));
    assert_eq!(found[0]["name"], "小明 🎈");
    std::fs::write(list, "24-0A-C4-00-01-00\n").expect("a file");
    let finished = find(&net, &format!("--names {list}"), 3);
    assert!(
        finished
            .stderr
            .contains("names.csv, line 1: a line needs a board and a name"),
        "{}",
        finished.stderr
    );
}

/// The columns of a text on a terminal; only these characters are wide.
fn unicode_width(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if matches!(c, '小' | '明' | '🎈') {
                2
            } else {
                1
            }
        })
        .sum()
}

#[test]
fn a_board_tells_its_name_by_mdns() {
    let _table = neighbour_table();
    let Some(net) = class() else { return };
    let mut python = Command::new("python3");
    python.args(["-S", "-c", RESPONDER, &address(3), "mpy-esp32.local"]);
    let mut responder = Running::spawn(net.within(1, &python).stdin(Stdio::null()));
    assert_eq!(responder.stdout_line(), "ready\n");
    let found = objects(&find(&net, "--format json --wait 4s", 0));
    let board = found
        .iter()
        .find(|board| board["address"] == address(3))
        .expect("the board");
    assert_eq!(board["name"], "mpy-esp32.local");
    assert_eq!(
        board["found"].as_array().unwrap().len(),
        2,
        "both ways: {board}"
    );
    let others = found.iter().filter(|board| board["name"].is_null());
    assert_eq!(others.count(), 19);
}

/// Answers as ESP-IDF does: by unicast to a question from another port than 5353, with the question and its ID.
const RESPONDER: &str = r#"
import socket, struct, sys
own, name = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5353))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("224.0.0.251") + struct.pack("@4si", b"", socket.if_nametoindex("vb")))
reply = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reply.bind((own, 0))
wire = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(9000)
    if wire + b"\0\x01" in data:
        answer = data[:2] + struct.pack(">HHHHH", 0x8400, 0, 1, 0, 0) + wire + struct.pack(">HHIH", 1, 1, 10, 4) + socket.inet_aton(own)
        reply.sendto(answer, peer)
"#;

#[test]
fn a_name_by_mac_address_is_found_by_send_and_relay() {
    let _table = neighbour_table();
    let Some(net) = class() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("names.csv");
    std::fs::write(
        &list,
        "24:0a:c4:00:01:03,小明,A1\n24:0a:c4:00:01:06,Eva,A2\n",
    )
    .expect("a file");
    let list = list.to_str().expect("a path");
    let mut programs = programs(&net, &[3], &[6]);
    // The neighbour table is empty: the first search fills it.
    let finished = net.send(
        0,
        &format!("board:小明 hello --names {list} -w 10s --expect ack:hello"),
    );
    finished.expect_code(0);
    assert_eq!(
        programs.stdout_line(),
        format!("{} {}\n", address(3), super::hex(b"hello"))
    );
    // Through a relay, to two boards; one of them answers.
    let args =
        format!("relay --listen 127.0.0.1:0 --to board:小明 --to board:Eva:6000 --names {list}");
    let mut relay = Running::spawn(&mut net.udpcli(0, &args));
    let listening = relay.stderr_line_with("listening on ");
    let at = crate::support::listening_address(&listening);
    net.send(0, &format!("{at} on -w 10s --replies 1 --expect ack:on"))
        .expect_code(0);
    let mut heard = [programs.stdout_line(), programs.stdout_line()];
    heard.sort();
    let line = |host| format!("{} {}\n", address(host), super::hex(b"on"));
    assert_eq!(heard, [line(3), line(6)]);
    relay.interrupt().expect_code(0);
    // A name that the list does not have.
    let finished = net.send(0, &format!("board:Tom hello --names {list}"));
    finished.expect_code(3);
}

#[test]
fn listen_names_a_sender_by_its_mac_address_from_the_neighbour_table() {
    let Some(net) = Net::pair() else { return };
    net.ip(1, "link set vb address 24:0a:c4:00:01:07");
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("names.csv");
    std::fs::write(&list, "24:0a:c4:00:01:07,小明 👩‍🚀\u{1b}[31m,A1\n").expect("a file");
    let args = format!(
        "--bind 10.77.1.1 -n 1 --format json --names {}",
        list.display()
    );
    let listener = net.listen(0, &args);
    // The kernel asks for the other's MAC address before the first datagram, and both know each other then.
    net.send(1, &format!("10.77.1.1:{} hello", listener.port()))
        .expect_code(0);
    let finished = listener.running.finish().expect_code(0);
    let object: Value = serde_json::from_str(&finished.text()).expect("JSON");
    assert_eq!(object["name"], "小明 👩‍🚀\u{1b}[31m", "{object}");
}

#[test]
fn nothing_found_is_exit_code_1_and_ctrl_c_130() {
    let Some(net) = Net::pair() else { return };
    if std::fs::read_dir("/dev").is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("ttyUSB")
                || name.to_string_lossy().starts_with("ttyACM")
        })
    }) {
        return skipped("a board on USB");
    }
    let finished = find(&net, "--wait 300ms", 1);
    assert_eq!(finished.text(), "");
    assert!(
        finished.stderr.contains("udpcli: error: no board found\n"),
        "{}",
        finished.stderr
    );
    let mut running = Running::spawn(&mut net.udpcli(0, "find --wait 1h"));
    running.stderr_line_with("sending a datagram");
    let begun = Instant::now();
    running.interrupt().expect_code(130);
    assert!(begun.elapsed() < Duration::from_secs(2));

    net.ip(0, "link set va down");
    let finished = find(&net, "--wait 1h", 1);
    assert!(
        finished.stderr.contains("this PC is on no network"),
        "{}",
        finished.stderr
    );
}

#[test]
fn of_a_large_network_udpcli_asks_256_addresses_and_no_more_than_250_per_second() {
    let _table = neighbour_table();
    let Some(net) = Net::pair() else { return };
    net.ip(0, "addr flush dev va");
    net.ip(0, "addr add 10.77.1.1/16 brd + dev va");
    let begun = Instant::now();
    let finished = find(&net, "--wait 1500ms", 1);
    assert!(begun.elapsed() < DEADLINE);
    assert!(
        finished.stderr.contains("of 255 addresses of 10.77.1.0/24"),
        "{}",
        finished.stderr
    );
    // Only the addresses of the block were asked for.
    let asked = net.ip(0, "-4 neigh show dev va nud all");
    assert!(asked.lines().count() > 200, "{asked}");
    assert!(
        asked
            .lines()
            .all(|line| line.starts_with("10.77.1.") || line.starts_with("224.")),
        "{asked}"
    );
}
