//! `board info --format json`, and the schema that describes it.

use serde_json::Value;

use crate::client::kinds;
use crate::process::{run_with_input, udpcli};

/// Checks an object against `docs/info.schema.json`: no unknown key, each value of its type, and all keys of one of the
/// two kinds of objects.
#[track_caller]
fn check(object: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/info.schema.json")).unwrap();
    let keys = object.as_object().unwrap();
    for (key, value) in keys {
        let types = &schema["properties"][key]["type"];
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            _ => "string",
        };
        let fits = match types {
            Value::Array(all) => all.iter().any(|one| one == name),
            one => one == name,
        };
        assert!(fits, "{key} is {value}, and the schema has {types}");
    }
    let has_all = |kind: &Value| {
        let mut required = kind["required"].as_array().unwrap().iter();
        required.all(|key| keys.contains_key(key.as_str().unwrap()))
    };
    let mut kinds = schema["anyOf"].as_array().unwrap().iter();
    assert!(kinds.any(has_all), "keys are missing: {object}");
}

#[test]
fn every_firmware_is_described_as_the_schema_says() {
    for (kind, options) in kinds() {
        let board = options
            .flag("--quick")
            .arg("--wifi", "class:secret")
            .ready();
        let args = ["board", "-s", &board.port, "info", "--format", "json"];
        let finished = run_with_input(udpcli(args), b"").expect_code(0);
        let object: Value = serde_json::from_str(&finished.text()).unwrap();
        check(&object);
        assert!(object["version"].is_string(), "{kind}: {object}");
    }
    // One of several that fails.
    let args = [
        "info",
        "--format",
        "json",
        "-s",
        "/nonexistent/a",
        "-s",
        "/nonexistent/b",
    ];
    let finished = run_with_input(udpcli(["board"].into_iter().chain(args)), b"").expect_code(1);
    for line in finished.text().lines() {
        check(&serde_json::from_str(line).unwrap());
    }
}
