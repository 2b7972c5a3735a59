//! Texts for people in Chinese while flashing; output for programs is the same in every language.

use std::process::{Command, Stdio};

use crate::emulator::Emulator;
use crate::images::firmware;
use crate::support::{Finished, file, finish, flash, quick_board};

#[test]
fn a_refusal_and_its_hint_are_chinese() {
    let board = quick_board();
    let page = file(&board, "page.bin", b"<!DOCTYPE html><html>");
    let page = page.to_str().unwrap();
    let run = flash(&board, &["--lang", "zh-CN", page]).expect_code(1);
    assert_eq!(
        run.stderr,
        format!(
            "udpcli: error: 没有刷入 {page}。应为：固件；实为：HTML 网页\n  hint: 下载失败：请在浏览器里打开下载页，保存固件文件本身，并看看它的大小（1 到 8 MB）；加上 --force 可以强制写入\n"
        )
    );
}

fn info(board: &Emulator, lang: &str, format: &str) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
    command
        .args(["board", "info", "--flash", "--lang", lang])
        .args(["--format", format, "--serial"])
        .arg(board.port())
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .stdin(Stdio::null());
    finish(&mut command).expect_code(0)
}

#[test]
fn plans_and_contents_are_chinese_and_json_is_the_same() {
    let board = quick_board();
    let good = file(&board, "good.bin", &firmware(50_000, 1));
    let good = good.to_str().unwrap();
    flash(&board, &["--lang", "zh-CN", good])
        .expect_code(0)
        .expect_says(&["写入", "字节，用时 ", "，已用 MD5 校验", "掌控板"]);
    let told = info(&board, "zh-CN", "text").stdout;
    assert!(told.contains("芯片        ESP32 版本 "), "{told}");
    assert_eq!(
        info(&board, "zh-CN", "json").stdout,
        info(&board, "en", "json").stdout
    );
}
