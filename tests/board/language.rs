//! What people read in Chinese, and that programs read the same in every language.

use std::process::Stdio;

use crate::client::board;
use crate::process::{run_with_input, udpcli};
use crate::support::VirtualBoard;

#[test]
fn an_error_of_the_board_is_chinese_with_its_hint_and_its_reason() {
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
        "udpcli: error: 无法删除掌控板上的 /lib：文件夹不是空的\n  hint: 加上 -r 会连同里面的内容一起删除文件夹\n"
    );
}

#[test]
fn what_an_error_was_caused_by_is_chinese_too() {
    let mut command = udpcli(["board", "-s", "/dev/null", "--lang", "zh-CN", "info"]);
    command.env_remove("UDPCLI_SERIAL").stdin(Stdio::null());
    let finished = run_with_input(command, b"").expect_code(3);
    assert_eq!(
        finished.stderr,
        "udpcli: error: 无法打开串口 /dev/null [serial-port]\n  caused by: 它不是串口\n  hint: udpcli board list 会列出现有的串口\n"
    );
}
