//! A newly flashed board: until the first soft reset, firmware up to 1.4 mounts its file system at `/flash` and uses it
//! as working directory (recorded: `genuine/mpython-1.4.0.jsonl`, *working directory*).

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{assert_untouched, board};
use crate::files::{assert_says, folder, random, text};
use crate::support::{Options, VirtualBoard, card};

/// The firmwares with the file system at `/flash` on the first boot.
const PROFILES: [&str; 2] = ["mpython-1.0", "mpython-1.4"];

fn new(profile: &str) -> Options {
    VirtualBoard::options()
        .profile(profile)
        .flag("--first-boot")
        .baud(921_600)
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn files_go_to_the_working_directory_of_a_new_board() {
    let here = folder(&[
        ("main.py", b"print(1)\n".as_slice()),
        ("lib/a.py", b"a = 1\n"),
    ]);
    let at = |path: &str| text(&here.path().join(path)).to_owned();
    for profile in PROFILES {
        let vboard = new(profile).ready();
        let finished = board(&vboard, ["put", &at("main.py"), &at("lib"), ":"]).expect_code(0);
        assert_says(&finished, "the board's working directory is /flash");
        assert_says(&finished, "/flash/main.py: 9 bytes");
        assert_eq!(
            fs::read(vboard.files().join("main.py")).unwrap(),
            b"print(1)\n"
        );
        let again = board(&vboard, ["put", &at("lib"), ":/flash/"]).expect_code(0);
        assert_says(&again, "0 written, 1 unchanged");

        let listed = board(&vboard, ["ls"]).expect_code(0);
        assert_says(&listed, "the board's working directory is /flash");
        let names: Vec<String> = listed
            .text()
            .lines()
            .map(|line| line.split_whitespace().last().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["boot.py", "lib/", "main.py"], "{profile}");
        // The root contains no files, but `ls` still works there.
        assert_eq!(
            board(&vboard, ["ls", ":/"]).expect_code(0).text(),
            "          flash/\n"
        );
        let listed = board(&vboard, ["ls", "-r", "--format", "json", ":/"]).expect_code(0);
        let listed = json_lines(&listed.text());
        assert!(
            listed.contains(&json!({"path": "/flash/lib/a.py", "len": 6, "folder": false})),
            "{listed:?}"
        );

        let boot = board(&vboard, ["get", ":boot.py", "-"]).expect_code(0);
        assert_eq!(
            boot.stdout,
            fs::read(vboard.files().join("boot.py")).unwrap()
        );
        let back = TempDir::new().unwrap();
        board(&vboard, ["get", ":", text(back.path())]).expect_code(0);
        assert_eq!(fs::read(back.path().join("lib/a.py")).unwrap(), b"a = 1\n");

        board(&vboard, ["rm", ":main.py"]).expect_code(0);
        for whole in [":", ":/flash"] {
            let finished = board(&vboard, ["rm", "-r", whole]).expect_code(3);
            assert_says(
                &finished,
                "cannot remove /flash on the board: a file system is mounted there",
            );
        }
        board(&vboard, ["rm", "-r", ":/"]).expect_code(2);
        assert_untouched(&vboard, &["boot.py", "lib"]);
    }
}

#[test]
fn without_a_file_system_the_error_names_the_right_folder() {
    let here = folder(&[("x", b"1")]);
    let x = here.path().join("x");
    let vboard = new("mpython-1.4").ready();
    for remote in [":/x", ":/"] {
        let finished = board(&vboard, ["put", text(&x), remote]).expect_code(3);
        assert_says(
            &finished,
            "cannot write /x on the board: no file system is mounted there; the board's files are in /flash",
        );
        assert!(!finished.stderr.contains("old file"), "{}", finished.stderr);
    }
    for args in [["get", ":/boot.py"], ["rm", ":/boot.py"], ["ls", ":/lib"]] {
        let finished = board(&vboard, args).expect_code(3);
        assert_says(&finished, "is not on the board");
    }
    assert_untouched(&vboard, &["boot.py"]);
}

#[test]
fn info_shows_the_space_of_the_file_system_in_use() {
    for profile in PROFILES {
        let vboard = new(profile).arg("--fs-size", &1_024_000).ready();
        let info: Value = serde_json::from_str(
            &board(&vboard, ["info", "--format", "json"])
                .expect_code(0)
                .text(),
        )
        .unwrap();
        assert_eq!(info["files_at"], "/flash", "{profile}");
        assert_eq!(info["files_total"], 1_024_000, "{profile}");
        assert!(info["files_free"].as_u64() > Some(900_000), "{info}");
        let shown = board(&vboard, ["info"]).expect_code(0).text();
        assert!(
            shown.contains("of 1024000 bytes free, in /flash\n"),
            "{shown}"
        );
    }
}

#[test]
fn after_a_soft_reset_a_new_board_is_like_any_other() {
    let here = folder(&[("x", b"1")]);
    let mut vboard = new("mpython-1.4").ready();
    board(&vboard, ["reset"]).expect_code(0);
    vboard.wait_until("it has started anew", |stats| {
        stats["soft_resets"] == 1 && stats["stage"] == "repl"
    });
    let finished = board(&vboard, ["put", text(&here.path().join("x")), ":"]).expect_code(0);
    assert_says(&finished, "/x: 1 bytes");
    assert!(!finished.stderr.contains("working directory"));
    assert_untouched(&vboard, &["boot.py", "x"]);
}

#[test]
fn a_card_has_its_own_files_and_space() {
    let here = folder(&[("x", &random(30_000)), ("big", &random(120_000))]);
    let at = |path: &str| text(&here.path().join(path)).to_owned();
    let vboard = new("mpython-1.4")
        .arg("--fs-size", &20_000)
        .arg("--heap", "600k")
        // A new board has no `main.py`; this one replaces typed commands.
        .file("main.py", card("VfsFat", "/sd"))
        .ready();
    // Neither file system uses the space of the other.
    board(&vboard, ["put", &at("x"), ":/sd/x"]).expect_code(0);
    let finished = board(&vboard, ["put", &at("x"), ":x"]).expect_code(3);
    assert_says(
        &finished,
        "the board's file system is full: /flash/x needs 30000 bytes, ",
    );
    let finished = board(&vboard, ["put", &at("big"), ":/sd/big"]).expect_code(3);
    assert_says(
        &finished,
        "the board's file system is full: /sd/big needs 120000 bytes, ",
    );
    assert_eq!(
        board(&vboard, ["ls", ":/"]).expect_code(0).text(),
        "          flash/\n          sd/\n"
    );
    let listed = board(&vboard, ["ls", "-r", ":/"]).expect_code(0).text();
    assert!(listed.contains("    30000 sd/x\n"), "{listed}");
    assert!(listed.contains(" flash/boot.py\n"), "{listed}");
    let finished = board(&vboard, ["rm", "-r", ":/sd"]).expect_code(3);
    assert_says(&finished, "a file system is mounted there");
    board(&vboard, ["rm", ":/sd/x"]).expect_code(0);
    assert_eq!(board(&vboard, ["ls", ":/sd"]).expect_code(0).text(), "");
}
