//! The output for programs: JSON that matches its schema, `JUnit` that an XML parser accepts.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use udpcli::board::serial_ports;
use udpcli::pair::diagnosis::Diagnosis;

use crate::air::{Pc, pair, wifi_board};
use crate::board::VirtualBoard;
use crate::support::{run_with_input, skipped, udpcli};

const QUICK: &str = "-n 3 --interval 10ms --sizes 64,512";

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pair.schema.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the schema")).expect("JSON")
}

/// Validates a value against the keywords of JSON Schema that our schema uses.
#[track_caller]
fn fits(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root
            .pointer(name.trim_start_matches('#'))
            .expect("a definition");
        return fits(value, target, root, at);
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(
            allowed.contains(value),
            "{at}: {value} is none of {allowed:?}"
        );
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
        _ => panic!("{at}: the schema gives no type"),
    };
    let is_integer_for_number = kind == "integer" && kinds.contains(&"number");
    assert!(
        kinds.contains(&kind) || is_integer_for_number,
        "{at}: {value} is no {kinds:?}"
    );
    if let Value::Array(items) = value {
        for item in items {
            fits(item, &schema["items"], root, &format!("{at}[]"));
        }
    }
    if let Value::Object(map) = value {
        for (key, value) in map {
            let known = &schema["properties"][key];
            assert!(!known.is_null(), "{at}: {key} is not in the schema");
            fits(value, known, root, &format!("{at}.{key}"));
        }
        for key in schema["required"].as_array().into_iter().flatten() {
            let key = key.as_str().expect("a name");
            assert!(map.contains_key(key), "{at}: {key} is missing");
        }
    }
}

/// Validates a report against the schema.
#[track_caller]
pub(crate) fn fits_schema(report: &Value) {
    let schema = schema();
    fits(report, &schema, &schema, "$");
}

#[test]
fn the_schema_has_every_code() {
    let codes: Vec<&str> = Diagnosis::ALL
        .iter()
        .map(|diagnosis| diagnosis.code())
        .collect();
    assert_eq!(schema()["$defs"]["code"]["enum"], serde_json::json!(codes));
}

#[test]
fn json_matches_its_schema() {
    let schema = schema();
    let board = wifi_board(VirtualBoard::options().profile("mpython-1.4"), 81);
    for (args, code, verdict) in [
        (QUICK, 0, "passed"),
        ("-n 3 --interval 10ms --sizes 1,2000", 1, "failed"),
        ("--connect-timeout 1ms", 3, "failed"),
    ] {
        let finished = pair(&board, &Pc::new(), &format!("{args} --format json")).expect_code(code);
        let text = finished.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        let value: Value = serde_json::from_str(&text).expect("one JSON line");
        fits(&value, &schema, &schema, "$");
        assert_eq!(value["verdict"], verdict, "{text}");
        assert_eq!(value["environment"], code == 3, "{text}");
        let steps = value["steps"].as_array().expect("steps");
        assert_eq!(steps.len(), 9, "{text}");
        if code == 0 {
            assert_eq!(steps[4]["figures"]["received"], 6, "{text}");
            assert_eq!(steps[4]["figures"]["recvfrom_1024_of_1025"], 1024, "{text}");
            assert_eq!(steps[5]["figures"]["longest"]["limit"], "none", "{text}");
            assert!(
                steps[6]["figures"]["rtt_ms"]["median"].as_f64() > Some(0.0),
                "{text}"
            );
            assert_eq!(steps[7]["figures"]["shown"][0], "你好 hello", "{text}");
        }
        if code == 1 {
            assert_eq!(
                value["codes"],
                serde_json::json!(["payload-cut-at-1024"]),
                "{text}"
            );
        }
    }
}

/// Prints what a CI system reads in a `JUnit` file: counts, and name and outcome of each case.
const READ: &str = r"
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == 'testsuites', root.tag
total = dict.fromkeys(('tests', 'failures', 'errors', 'skipped'), 0)
for suite in root:
    cases = suite.findall('testcase')
    count = {'tests': len(cases)}
    for key, tag in (('failures', 'failure'), ('errors', 'error'), ('skipped', 'skipped')):
        count[key] = sum(case.find(tag) is not None for case in cases)
    for key in count:
        assert int(suite.get(key)) == count[key], (key, suite.attrib, count)
        total[key] += count[key]
    float(suite.get('time'))
    for case in cases:
        float(case.get('time'))
        problem = case.find('failure') if case.find('failure') is not None else case.find('error')
        print(case.get('name'), '-' if problem is None else problem.get('type'), repr('' if problem is None else problem.text))
for key in total:
    assert int(root.get(key)) == total[key], (key, root.attrib, total)
print(total)
";

#[track_caller]
fn read(xml: &[u8]) -> String {
    let mut python = Command::new("python3");
    python.args(["-c", READ]).stdin(Stdio::piped());
    run_with_input(python, xml).expect_code(0).text()
}

#[test]
fn a_serial_error_is_chinese_for_people_and_english_in_json() {
    let run = |format: &str| {
        let args = [
            "pair",
            "-s",
            "/nonexistent/tty",
            "--lang",
            "zh-CN",
            "--format",
        ];
        let command = udpcli(args.into_iter().chain([format]));
        run_with_input(command, b"").expect_code(3).text()
    };
    let text = run("text");
    assert!(
        text.contains("失败  串口            进入原始 REPL（/nonexistent/tty）：无法打开串口 /nonexistent/tty："),
        "{text}"
    );
    let json = run("json");
    assert!(
        json.contains("cannot open serial port /nonexistent/tty") && json.is_ascii(),
        "{json}"
    );
    // A person reads why a case failed; a CI system compares the names of cases.
    let junit = run("junit");
    assert!(
        junit.contains(r#"<testcase name="serial" "#)
            && junit.contains(r#"type="serial-port""#)
            && junit.contains("serial-port：本机无法打开这个串口")
            && junit.contains("办法：udpcli board list")
            && junit.contains(r#"message="前面的步骤没有通过""#),
        "{junit}"
    );
}

#[test]
fn without_a_board_there_is_still_a_report() {
    let has_board = serial_ports::list()
        .expect("the ports")
        .iter()
        .any(|port| port.board().is_some());
    for args in ["-s /nonexistent/tty", "", "--all", "--simulate"] {
        // Skip this if a real board is connected to this machine.
        if has_board && matches!(args, "" | "--all") {
            skipped(format!(
                "udpcli pair {args}: a board is connected to this machine"
            ));
            continue;
        }
        let command = |format: &str| {
            let words = args.split_ascii_whitespace();
            let mut command = udpcli(["pair", "--format", format].into_iter().chain(words));
            // This PATH has no micropython.
            command
                .env_remove("UDPCLI_SERIAL")
                .env("PATH", "/nonexistent");
            command
        };
        let finished = run_with_input(command("junit"), b"").expect_code(3);
        let said = read(&finished.stdout);
        assert!(said.contains("serial serial-port "), "{args}: {said}");
        assert!(
            said.contains("{'tests': 9, 'failures': 0, 'errors': 1, 'skipped': 8}"),
            "{args}: {said}"
        );
        let finished = run_with_input(command("json"), b"").expect_code(3);
        let report = serde_json::from_str(&finished.text()).expect("one JSON object");
        fits_schema(&report);
        assert_eq!(
            report["codes"],
            serde_json::json!(["serial-port"]),
            "{args}: {report}"
        );
        assert_eq!(report["environment"], true, "{args}");
        assert!(
            finished.stderr.contains("the test failed: serial-port"),
            "{args}: {}",
            finished.stderr
        );
        let is_told = finished.stderr.contains("micropython is not on the PATH");
        assert_eq!(is_told, args == "--simulate", "{}", finished.stderr);
    }
}

#[test]
fn an_xml_parser_accepts_the_junit_report() {
    // A board whose output contains characters that XML forbids.
    let boot = "import usocket\ndef died(*a):\n    raise ValueError('<&\\x1b\\x00]]>\\ufffe')\nusocket.socket = died\n";
    let board = wifi_board(VirtualBoard::options().file("boot.py", boot), 82);
    let finished = pair(&board, &Pc::new(), &format!("{QUICK} --format junit")).expect_code(1);
    let said = read(&finished.stdout);
    assert!(said.contains("serial - ''"), "{said}");
    assert!(said.contains("PC to board board-program-died"), "{said}");
    assert!(
        said.contains("ValueError: <&\\\\u{1b}\\\\u{0}]]>\\\\u{fffe}"),
        "{said}"
    );
    assert!(said.contains("'tests': 9"), "{said}");
    let good = wifi_board(VirtualBoard::options(), 83);
    let folder = tempfile::tempdir().expect("a folder");
    let names = folder.path().join("names.csv");
    fs::write(&names, "aa:bb:cc:dd:ee:ff,小明 & Co,A1\n").expect("a list of names");
    let args = format!("{QUICK} --format junit --names {}", names.display());
    let finished = pair(&good, &Pc::new(), &args).expect_code(0);
    let xml = finished.text();
    assert!(xml.contains("<testsuite name=\"小明 &amp; Co "), "{xml}");
    let said = read(&finished.stdout);
    assert!(
        said.contains("{'tests': 9, 'failures': 0, 'errors': 0, 'skipped': 0}"),
        "{said}"
    );
}
