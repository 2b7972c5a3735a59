//! `udpcli doctor` in networks of its own: addresses, a port in use, rules of nftables, and the findings for an
//! ordinary user.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Net, assert_fits};
use crate::support::{Finished, Running, run_with_input, skipped, udpcli};

/// Runs doctor in the namespace with these further arguments and checks its exit code.
#[track_caller]
fn doctor(net: &Net, args: &[&str], code: i32) -> Finished {
    let command = udpcli([&["doctor"], args].concat());
    run_with_input(net.within(0, &command), b"").expect_code(code)
}

/// The findings by their codes, checked against the schema.
fn findings(finished: &Finished) -> Vec<Value> {
    let document: Value = serde_json::from_str(&finished.text()).expect("one JSON object");
    fits_the_schema(&document);
    document["findings"].as_array().expect("a list").clone()
}

fn fits_the_schema(document: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/doctor.schema.json")).expect("JSON");
    assert_fits(document, &schema);
    let finding = &schema["$defs"]["finding"];
    for found in document["findings"].as_array().expect("a list") {
        assert_fits(found, finding);
        for key in ["code", "severity"] {
            let values = finding["properties"][key]["enum"].as_array().unwrap();
            assert!(values.contains(&found[key]), "{found}");
        }
    }
}

#[track_caller]
fn find<'a>(findings: &'a [Value], code: &str) -> &'a Value {
    let found = findings.iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}"))
}

/// Loads rules into the namespace. False, with the reason, where this machine has no nftables.
fn load(net: &Net, rules: &str) -> bool {
    let mut list = Command::new("nft");
    list.args(["list", "ruleset"]);
    let listed = run_with_input(net.within(0, &list), b"");
    if listed.code != Some(0) {
        skipped(format!("no nftables here: {}", listed.stderr));
        return false;
    }
    let mut nft = Command::new("nft");
    nft.args(["-f", "-"]);
    run_with_input(net.within(0, &nft), rules.as_bytes()).expect_code(0);
    true
}

#[test]
fn a_pc_without_a_network_is_a_problem_and_one_with_an_address_is_told_it() {
    let Some(net) = Net::pair() else { return };
    let finished = doctor(&net, &["--port", "6100", "--format", "json"], 0);
    let found = findings(&finished);
    let address = find(&found, "address");
    assert_eq!(address["address"], "10.77.1.1");
    assert_eq!(address["interface"], "va");
    assert_eq!(find(&found, "port-free")["severity"], "ok");
    let text = doctor(&net, &["--port", "6100"], 0).text();
    let line =
        "ok: type this address into the board's program: 10.77.1.1, port 6100 (va) [address]\n";
    assert!(text.starts_with(line), "{text}");

    net.ip(0, "link set va down");
    let finished = doctor(&net, &["--format", "json"], 1);
    assert_eq!(
        find(&findings(&finished), "no-address")["severity"],
        "problem"
    );
    let error = "udpcli: error: something on this PC blocks datagrams or the board: no-address";
    assert!(finished.stderr.contains(error), "{}", finished.stderr);

    net.ip(0, "addr flush dev va");
    net.ip(0, "link set va up");
    net.ip(0, "addr add 169.254.7.8/16 dev va");
    net.wait_until_up(0, "va");
    let finished = doctor(&net, &["--format", "json"], 0);
    let found = findings(&finished);
    assert_eq!(
        find(&found, "self-assigned-address")["address"],
        "169.254.7.8"
    );
}

#[test]
fn a_port_that_is_taken_is_a_problem_with_the_programs_name() {
    let Some(net) = Net::pair() else { return };
    let mut listener = udpcli(["listen", "--port", "6100", "--bind", "10.77.1.1"]);
    listener.stdin(Stdio::null());
    let mut listener = Running::spawn(net.within(0, &listener).stdin(Stdio::null()));
    listener.stderr_line_with("listening on ");
    let finished = doctor(&net, &["--port", "6100", "--format", "json"], 1);
    let found = findings(&finished);
    let taken = find(&found, "port-in-use");
    assert_eq!(
        taken["holders"],
        json!([{"name": "udpcli", "process": listener.id()}])
    );
    assert_eq!(taken["command"], format!("kill {}", listener.id()));
    // Another namespace has its own ports.
    let other = udpcli(["doctor", "--port", "6100"]);
    let text = run_with_input(net.within(1, &other), b"")
        .expect_code(0)
        .text();
    assert!(text.contains("[port-free]"), "{text}");
    listener.interrupt();
}

#[test]
fn the_rules_of_nftables_are_followed_and_the_cure_cures() {
    let Some(net) = Net::pair() else { return };
    let usual = "table inet mine {
        chain in {
            type filter hook input priority 0; policy drop;
            iifname \"lo\" accept
            ct state vmap { established : accept, related : accept, invalid : drop }
            meta l4proto { icmp, ipv6-icmp } accept
            tcp dport { 22, 80 } accept
        }
    }";
    if !load(&net, usual) {
        return;
    }
    let json = ["--port", "6100", "--format", "json"];
    let finished = doctor(&net, &json, 1);
    let found = findings(&finished);
    let blocked = find(&found, "firewall-blocks");
    assert_eq!(blocked["firewall"], "nftables");
    assert_eq!(blocked["rule"], "inet mine in: policy drop");
    // Type the command that doctor shows.
    let command = blocked["command"].as_str().expect("a command");
    let words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words[..2], ["sudo", "nft"]);
    let mut cure = Command::new("nft");
    cure.args(&words[2..]);
    run_with_input(net.within(0, &cure), b"").expect_code(0);
    find(&findings(&doctor(&net, &json, 0)), "firewall-allows");

    assert!(load(
        &net,
        "flush ruleset
        table inet mine { chain in { type filter hook input priority 0; policy drop;
            ip saddr 10.77.0.0/16 udp dport 6000-6200 accept; }
        }"
    ));
    find(&findings(&doctor(&net, &json, 0)), "firewall-partly");

    assert!(load(
        &net,
        "flush ruleset
        table ip first { chain in { type filter hook input priority -5; policy accept;
            iifname \"va\" jump ports; }
            chain ports { udp dport vmap { 6100 : drop, 6101 : accept }; }
        }"
    ));
    let finished = doctor(&net, &json, 1);
    assert!(
        finished.stderr.contains("firewall-blocks"),
        "{}",
        finished.stderr
    );
    let finished = doctor(&net, &["--port", "6101", "--format", "json"], 0);
    find(&findings(&finished), "firewall-allows");
}

/// Doctor's verdict on the rules must match the fate of a real datagram.
#[test]
fn a_datagram_arrives_where_doctor_says_so() {
    let Some(net) = Net::pair() else { return };
    let rules = [
        "chain in { type filter hook input priority 0; policy accept; }",
        "chain in { type filter hook input priority 0; policy drop; }",
        "chain in { type filter hook input priority 0; policy drop; udp dport { 53, 6000-6200 } accept; }",
        "chain in { type filter hook input priority 0; policy accept; udp dport != 6100 accept; drop; }",
        "chain in { type filter hook input priority 0; policy drop; meta nfproto ipv6 accept; ct state new meta l4proto udp accept; }",
        "chain in { type filter hook input priority 0; policy accept; iif va ip protocol udp reject; }",
        "chain pre { type filter hook prerouting priority 0; policy accept; iifname \"v*\" udp dport 6100 drop; }",
    ];
    for rule in rules {
        let table = format!("flush ruleset\ntable inet t {{ {rule}\n }}\n");
        if !load(&net, &table) {
            return;
        }
        let says = run_with_input(net.within(0, &udpcli(["doctor", "--port", "6100"])), b"");
        let listen = udpcli(["listen", "--port", "6100", "-n", "1", "--timeout", "1s"]);
        let mut listener = Running::spawn(net.within(0, &listen).stdin(Stdio::null()));
        listener.stderr_line_with("listening on ");
        let send = udpcli(["send", "10.77.1.1:6100", "hello"]);
        run_with_input(net.within(1, &send), b"");
        let arrived = listener.finish().code == Some(0);
        let text = says.text();
        assert_eq!(arrived, says.code == Some(0), "{rule}: {text}");
        let code = if arrived {
            "[firewall-allows]"
        } else {
            "[firewall-blocks]"
        };
        assert!(text.contains(code), "{rule}: {text}");
    }
}

/// A pseudo-terminal that belongs to `gid`, as `/dev/ttyUSB0` does, and the `python3` that keeps it.
fn serial_port(folder: &Path, gid: u32, mode: u32) -> (String, Running) {
    let program = format!(
        "import os, pty, sys
controller, device = pty.openpty()
name = os.ttyname(device)
os.chown(name, 0, {gid}); os.chmod(name, {mode:#o})
os.symlink(name, sys.argv[1])
if sys.argv[2] == 'free': os.close(device)
print('ready', flush=True)
sys.stdin.read()"
    );
    let link = folder.join("port");
    let state = if mode == 0o600 { "held" } else { "free" };
    let mut command = Command::new("python3");
    command.arg("-c").arg(program).arg(&link).arg(state);
    let mut running = Running::spawn(command.stdin(Stdio::piped()));
    assert_eq!(running.stdout_line().trim(), "ready");
    (link.to_str().expect("UTF-8").to_owned(), running)
}

/// Doctor for the user nobody, on this serial port.
fn as_nobody(net: &Net, port: &str) -> Option<Finished> {
    let udpcli = udpcli(["doctor", "--format", "json"]);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(udpcli.get_program())
        .args(udpcli.get_args())
        .env("UDPCLI_SERIAL", port)
        .env("XDG_CONFIG_HOME", "/nonexistent");
    let finished = run_with_input(net.within(0, &command), b"");
    if finished.stderr.contains("setpriv:") {
        skipped(format!("no other user here: {}", finished.stderr));
        return None;
    }
    Some(finished)
}

#[test]
fn an_ordinary_user_is_told_the_group_of_the_serial_port_and_that_rules_are_for_root() {
    let Some(net) = Net::pair() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // 20 is dialout on Debian.
    let (port, keeper) = serial_port(folder.path(), 20, 0o660);
    let Some(finished) = as_nobody(&net, &port) else {
        return;
    };
    let found = findings(&finished.expect_code(1));
    let denied = find(&found, "serial-denied");
    assert_eq!(denied["group"], "dialout");
    assert_eq!(denied["command"], "sudo usermod -aG dialout $USER");
    let unknown = find(&found, "firewall-unknown");
    assert_eq!(unknown["severity"], "warning");
    assert_eq!(unknown["command"], "sudo udpcli doctor --port 6000");
    drop(keeper);
}

#[test]
fn a_serial_port_that_another_program_has_is_a_problem() {
    let Some(net) = Net::pair() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (port, keeper) = serial_port(folder.path(), 0, 0o600);
    let mut command = udpcli(["doctor", "--format", "json"]);
    command.env("UDPCLI_SERIAL", &port);
    let finished = run_with_input(net.within(0, &command), b"").expect_code(1);
    let found = findings(&finished);
    let held = find(&found, "serial-in-use");
    assert_eq!(held["command"], format!("kill {}", keeper.id()));
    drop(keeper);
    // What is not there.
    command.env("UDPCLI_SERIAL", folder.path().join("none"));
    let finished = run_with_input(net.within(0, &command), b"").expect_code(1);
    find(&findings(&finished), "serial-missing");
}

#[test]
fn chinese_sentences_leave_codes_and_commands_as_they_are() {
    let Some(net) = Net::empty(1) else { return };
    let finished = doctor(&net, &["--lang", "zh-CN"], 1);
    let text = finished.text();
    assert!(
        text.starts_with("问题：本机没有连接网络：请先连上掌控板所用的 Wi-Fi [no-address]\n  输入：nmcli device wifi list\n"),
        "{text}"
    );
    let finished = doctor(&net, &["--lang", "zh-CN", "--format", "json"], 1);
    let found = findings(&finished);
    let message = find(&found, "no-address")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.is_ascii(), "{message}");
}

/// The page for users explains every code that programs may get.
#[test]
fn the_page_explains_every_code() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/doctor.schema.json")).expect("JSON");
    let codes = schema["$defs"]["finding"]["properties"]["code"]["enum"].as_array();
    let page = include_str!("../../../docs/troubleshooting.md");
    for code in codes.expect("codes") {
        let row = format!("| `{}` | ", code.as_str().unwrap());
        assert!(page.contains(&row), "{code} has no row");
    }
}

/// ufw's files as it writes them: `user.rules` in the form of ufw 0.36, after `ufw allow 6100/udp`.
#[test]
fn an_active_ufw_blocks_what_none_of_its_rules_allows() {
    let Some(net) = Net::pair() else { return };
    let udpcli = udpcli(["doctor", "--port", "6100", "--format", "json"]);
    let asked = |rules: &str| {
        // /etc of this process alone.
        let script = format!(
            "mount --make-rprivate / && mount -t tmpfs none /etc && mkdir /etc/ufw /etc/default || exit 77
echo ENABLED=yes >/etc/ufw/ufw.conf
echo 'DEFAULT_INPUT_POLICY=\"DROP\"' >/etc/default/ufw
printf '%s\\n' '*filter' '{rules}' COMMIT >/etc/ufw/user.rules
exec \"$@\""
        );
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", &script, "sh"])
            .arg(udpcli.get_program())
            .args(udpcli.get_args());
        run_with_input(net.within(0, &command), b"")
    };
    let closed = asked("### RULES ###");
    if closed.code == Some(77) || closed.stderr.contains("unshare") {
        skipped(format!("no mounts here: {}", closed.stderr));
        return;
    }
    let found = findings(&closed.expect_code(1));
    let blocked = find(&found, "firewall-blocks");
    assert_eq!(blocked["firewall"], "ufw");
    assert_eq!(blocked["rule"], "DEFAULT_INPUT_POLICY=DROP");
    assert_eq!(blocked["command"], "sudo ufw allow 6100/udp");
    let rule = |tuple: &str| findings(&asked(&format!("### tuple ### {tuple} in")));
    let open = rule("allow udp 6100 0.0.0.0/0 any 0.0.0.0/0");
    assert_eq!(find(&open, "firewall-allows")["firewall"], "ufw");
    let some = rule("allow udp 6100 0.0.0.0/0 any 10.77.1.0/24");
    assert_eq!(find(&some, "firewall-partly")["severity"], "warning");
    let denied = rule("deny udp 6100 0.0.0.0/0 any 0.0.0.0/0");
    assert_eq!(find(&denied, "firewall-blocks")["severity"], "problem");
}
