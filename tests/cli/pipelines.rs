//! docs/pipelines.md: each recipe runs exactly as written, with the real program, in its own network namespace.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::skipped;

/// The shell code around a recipe: it sets the addresses of the page. In a process namespace no program outlives this
/// shell.
const AROUND: &str = r#"
set -eu
ip link set lo up
ip address add 192.168.0.3/32 dev lo
ip address add 192.168.0.5/32 dev lo
# Runs the recipe in the background; its output goes to `out`.
recipe() { (. ./recipe.sh) > out 2> err < /dev/null & }
# Sends until the recipe has received enough.
feed() { (while :; do "$@" > /dev/null 2>&1 || true; sleep 0.1; done) & }
until_has() {
    for _ in $(seq 600); do
        if grep -qsE -- "$1" "$2"; then return; fi
        sleep 0.05
    done
    tail -n 20 ./* >&2
    exit 1
}
"#;

/// The recipes of a page, in order.
fn recipes(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let text = fs::read_to_string(path).expect("the page");
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| {
            block
                .split_once("```")
                .expect("the end of a block")
                .0
                .to_owned()
        })
        .collect()
}

/// Runs a recipe, which has this text in it, and `script` around it.
#[track_caller]
fn run(number: usize, what: &str, script: &str) {
    let recipes = recipes("pipelines.md");
    let recipe = recipes.get(number).expect("a recipe");
    assert!(recipe.contains(what), "{what}: {recipe}");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("recipe.sh"), recipe).expect("written");
    let program = Path::new(env!("CARGO_BIN_EXE_udpcli"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!(
        "{}:{path}:/usr/sbin:/sbin",
        program.parent().expect("a folder").display()
    );
    let mut command = Command::new("unshare");
    command
        .args([
            "--map-root-user",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
        ])
        .args(["timeout", "--kill-after=1", "60", "bash", "-c"])
        .arg(format!("{AROUND}{script}"))
        .current_dir(folder.path())
        .env("PATH", path)
        .stdin(Stdio::null());
    let output = command.output().expect("unshare starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("unshare: unshare failed") {
        skipped("no network namespaces here");
        return;
    }
    assert!(output.status.success(), "{recipe}{stderr}");
}

#[test]
fn jq_chooses_datagrams() {
    run(
        0,
        "@tsv",
        r#"
        recipe
        feed udpcli send 192.168.0.3:6000 no "led 你好"
        until_has $'^20[^\t]*Z\t192\\.168\\.0\\.3:[0-9]+\tled 你好$' out
        ! grep -q $'\tno$' out
        "#,
    );
}

#[test]
fn sqlite3_has_a_table_of_datagrams_by_way_of_csv() {
    run(
        4,
        "sqlite3 lesson.db",
        r#"
        recipe
        feed udpcli send 192.168.0.3:6000 'he said "on, off"' -n 20 --bind 192.168.0.5
        until_has '^192\.168\.0\.5:' out
        [[ $(sqlite3 lesson.db "select count(*), sum(len), min(text) from datagrams") == '20|340|he said "on, off"' ]]
        "#,
    );
}

#[test]
fn a_spreadsheet_gets_csv() {
    run(
        1,
        "@csv",
        r#"
        recipe
        feed udpcli send 192.168.0.3:6000 'a "b", c' -n 20
        wait %1
        [[ $(wc -l < datagrams.csv) == 20 ]]
        python3 -c 'import csv; rows = list(csv.reader(open("datagrams.csv"))); assert all(row[2:] == ["8", "a \"b\", c"] for row in rows), rows'
        "#,
    );
}

#[test]
fn gnuplot_draws_numbers() {
    run(
        2,
        "numbers.svg",
        r"
        recipe
        feed udpcli send 192.168.0.3:6000 20.5 21 19.75
        wait %1
        until_has '</svg>' numbers.svg
        [[ $(sort -u numbers.txt | tr '\n' ' ') == '19.75 20.5 21 ' ]]
        ",
    );
}

#[test]
fn gnuplot_draws_the_rate() {
    run(
        3,
        "rate.svg",
        r"
        recipe
        feed udpcli send 192.168.0.3:6000 --size 100 -n 20 --rate 100
        wait %1
        until_has '</svg>' rate.svg
        [[ $(wc -l < rate.csv) -ge 2 ]]
        ",
    );
}

#[test]
fn mqtt_gets_what_the_board_sends() {
    run(
        5,
        "mosquitto_pub",
        r#"
        printf 'listener 1883 127.0.0.1\nallow_anonymous true\nuser root\n' > broker.conf
        mosquitto -c broker.conf > broker 2>&1 &
        until_has 'running' broker
        mosquitto_sub -h localhost -t class/datagrams > heard &
        recipe
        feed udpcli send 192.168.0.3:6000 'button A'
        until_has '"text":"button A"' heard
        "#,
    );
}

#[test]
fn mqtt_reaches_the_board() {
    run(
        6,
        "mosquitto_sub",
        r"
        printf 'listener 1883 127.0.0.1\nallow_anonymous true\nuser root\n' > broker.conf
        mosquitto -c broker.conf > broker 2>&1 &
        until_has 'running' broker
        udpcli listen --bind 192.168.0.5 > board 2> /dev/null &
        recipe
        feed mosquitto_pub -h localhost -t class/led -m 'led on'
        until_has 'led on' board
        ",
    );
}

#[test]
fn tshark_reads_along() {
    run(
        7,
        "tshark",
        r"
        recipe
        feed udpcli send 192.168.0.3:6000 'hello'
        until_has $'^192\\.168\\.0\\.3\t6000\thello$' out
        ",
    );
}

#[test]
fn both_languages_have_the_same_recipes() {
    assert_eq!(recipes("pipelines.md"), recipes("pipelines.zh-CN.md"));
    assert_eq!(recipes("pipelines.md").len(), 8);
}
