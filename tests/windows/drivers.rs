//! Devices in Wine's registry, in the form in which Windows stores devices that were plugged in. Wine has no USB
//! drivers, so this tests only the reading.

use serde_json::Value;

use crate::firewall::{reg, set};
use crate::support::Running;
use crate::windows;

const USB: &str = r"HKLM\SYSTEM\CurrentControlSet\Enum\USB";

/// Removes the keys, also after a panic.
struct Keys;

impl Drop for Keys {
    fn drop(&mut self) {
        for id in ["VID_10C4&PID_EA60", "VID_1A86&PID_7523"] {
            reg(&["delete", &format!(r"{USB}\{id}"), "/f"]);
        }
    }
}

/// The chips of the findings about drivers.
fn chips_without_driver() -> Vec<String> {
    let mut command = windows(["doctor", "--format", "json"]).expect("a program");
    let finished = Running::spawn(&mut command).finish();
    let document: Value = serde_json::from_str(&finished.text()).expect("JSON");
    let findings = document["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter(|finding| finding["code"] == "no-driver")
        .map(|finding| finding["chip"].as_str().expect("a chip").to_owned())
        .collect()
}

#[test]
fn a_board_for_which_windows_has_no_driver_is_named() {
    if windows([""; 0]).is_none() {
        return;
    }
    let _keys = Keys;
    assert_eq!(chips_without_driver(), [""; 0]);
    let without = format!(r"{USB}\VID_10C4&PID_EA60\0001");
    set(
        &without,
        "DeviceDesc",
        "REG_SZ",
        "CP2102 USB to UART Bridge Controller",
    );
    // A device with a driver, currently unplugged.
    let with = format!(r"{USB}\VID_1A86&PID_7523\5&1f&0&1");
    set(&with, "Service", "REG_SZ", "CH341SER_A64");
    set(
        &format!(r"{with}\Device Parameters"),
        "PortName",
        "REG_SZ",
        "COM7",
    );
    assert_eq!(chips_without_driver(), ["CP210x"]);
    set(&without, "Service", "REG_SZ", "silabser");
    assert_eq!(chips_without_driver(), [""; 0]);
}
