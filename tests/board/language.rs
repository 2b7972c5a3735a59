//! Texts for people in Chinese; output for programs is the same in every language.

use std::process::Stdio;

use serde_json::Value;

use crate::client::board;
use crate::files::{folder, text};
use crate::process::{Finished, run_with_input, udpcli};
use crate::support::VirtualBoard;

#[test]
fn a_board_error_is_chinese_with_its_hint_and_reason() {
    let vboard = VirtualBoard::options().file("lib/a.py", "").ready();
    let missing = ["--lang", "zh-CN", "get", ":nothing.py"];
    let finished = board(&vboard, missing).expect_code(3);
    assert_eq!(
        finished.stderr,
        "udpcli: error: 掌控板上没有 /nothing.py\n  hint: udpcli board ls 会列出掌控板上的文件\n"
    );
    let full = ["--lang", "zh-CN", "rm", ":lib"];
    let finished = board(&vboard, full).expect_code(3);
    assert_eq!(
        finished.stderr,
        "udpcli: error: 无法删除掌控板上的 /lib：文件夹不是空的\n  hint: udpcli board rm -r 会连同里面的内容一起删除文件夹\n"
    );
}

#[test]
fn the_cause_of_an_error_is_chinese_too() {
    let mut command = udpcli(["board", "-s", "/dev/null", "--lang", "zh-CN", "info"]);
    command.env_remove("UDPCLI_SERIAL").stdin(Stdio::null());
    let finished = run_with_input(command, b"").expect_code(3);
    assert_eq!(
        finished.stderr,
        "udpcli: error: 无法打开串口 /dev/null [serial-port]\n  caused by: 它不是串口\n  hint: udpcli board list 会列出现有的串口\n"
    );
}

#[test]
fn put_and_info_are_chinese_and_json_is_the_same() {
    let vboard = VirtualBoard::options().ready();
    let here = folder(&[("main.py", b"print(1)\n".as_slice())]);
    let main = here.path().join("main.py");
    let put = ["--lang", "zh-CN", "put", text(&main), ":"];
    let finished = board(&vboard, put).expect_code(0);
    let told: Vec<&str> = finished.stderr.lines().collect();
    assert!(
        told[0].starts_with("/main.py：9 字节，线路上传了 ")
            && told[1].starts_with("1 个文件：写入 1 个，0 个未变；9 字节，用时 "),
        "{told:?}"
    );
    let finished = board(&vboard, ["--lang", "zh-CN", "info"]).expect_code(0);
    let info = finished.text();
    assert!(
        info.contains("固件       ") && info.contains("Wi-Fi      未连接\n"),
        "{info}"
    );
    let json = |lang| board(&vboard, ["--lang", lang, "info", "--format", "json"]).expect_code(0);
    let keys = |finished: Finished| -> Vec<String> {
        let object: Value = serde_json::from_str(&finished.text()).expect("JSON");
        let object = object.as_object().expect("an object");
        object.keys().cloned().collect()
    };
    assert_eq!(keys(json("zh-CN")), keys(json("en")));
    let listed = |lang| {
        let args = ["--lang", lang, "ls", "--format", "json"];
        board(&vboard, args).expect_code(0).text()
    };
    assert_eq!(listed("zh-CN"), listed("en"));
}
