//! Managing files on the board: folders, copies, moves, content, free space and dates; and the board's clock.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::client::{assert_untouched, board, kinds};
use crate::process::Finished;
use crate::support::{Options, VirtualBoard, card, mpremote_ok};

#[track_caller]
fn assert_says(finished: &Finished, text: &str) {
    assert!(finished.stderr.contains(text), "{}", finished.stderr);
}

fn read(board: &VirtualBoard, name: &str) -> Vec<u8> {
    let path = board.files().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn exists(board: &VirtualBoard, name: &str) -> bool {
    board.files().join(name).exists()
}

/// The oldest and the newest firmware, and one with another file layout.
fn profiles() -> [(&'static str, Options); 4] {
    ["mpython-1.0", "mpython-1.4", "mixly-1.19", "generic-1.26"]
        .map(|name| (name, VirtualBoard::options().profile(name)))
}

fn lines(finished: &Finished) -> Vec<Value> {
    let lines = finished.text();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn folders_are_made_and_an_existing_one_is_an_error_without_p() {
    for (kind, options) in profiles() {
        let vboard = options.file("a.txt", "a").ready();
        board(&vboard, ["mkdir", ":/logs", ":lib"]).expect_code(0);
        assert!(exists(&vboard, "logs") && exists(&vboard, "lib"), "{kind}");
        let finished = board(&vboard, ["mkdir", ":/logs"]).expect_code(3);
        assert_says(
            &finished,
            "cannot write /logs on the board: the name is already in use",
        );
        let finished = board(&vboard, ["mkdir", ":/x/y/z"]).expect_code(3);
        assert_says(&finished, "the folder is not there");
        board(&vboard, ["mkdir", "-p", ":/x/y/z", ":/logs", ":/"]).expect_code(0);
        assert!(exists(&vboard, "x/y/z"), "{kind}");
        let finished = board(&vboard, ["mkdir", "-p", ":/a.txt/b"]).expect_code(3);
        assert_says(&finished, "a file of that name exists");
        assert_untouched(&vboard, &["a.txt", "lib", "logs", "x"]);
    }
}

#[test]
fn a_copy_on_the_board_is_the_same_to_the_byte_and_leaves_nothing_else() {
    let content: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for (kind, options) in profiles() {
        let vboard = options
            .file("a.bin", &content)
            .file("b.txt", "old")
            .file("lib/x.py", "x = 1\n")
            .file("lib/deep/y.py", "y = 1\n")
            .file("backup/keep", "k")
            .ready();
        let finished = board(&vboard, ["cp", ":a.bin", ":b.txt"]).expect_code(0);
        assert_says(&finished, "/a.bin copied to /b.txt: 5000 bytes");
        assert_says(&finished, "1 file: 1 written, 0 unchanged");
        assert!(read(&vboard, "b.txt") == content, "{kind}");
        let finished = board(&vboard, ["cp", ":a.bin", ":b.txt"]).expect_code(0);
        assert_says(&finished, "1 file: 0 written, 1 unchanged");
        board(&vboard, ["cp", ":a.bin", ":lib/"]).expect_code(0);
        assert!(read(&vboard, "lib/a.bin") == content, "{kind}");
        // `cp` puts a folder into an existing one; otherwise it makes the folder.
        board(&vboard, ["cp", "-r", ":lib", ":backup"]).expect_code(0);
        assert_eq!(read(&vboard, "backup/lib/deep/y.py"), b"y = 1\n", "{kind}");
        board(&vboard, ["cp", ":/lib", ":/new"]).expect_code(0);
        assert_eq!(read(&vboard, "new/x.py"), b"x = 1\n", "{kind}");
        assert!(read(&vboard, "new/a.bin") == content, "{kind}");

        let finished = board(&vboard, ["cp", ":lib", ":lib/deep"]).expect_code(3);
        assert_says(&finished, "a folder cannot go into itself");
        let finished = board(&vboard, ["cp", ":none", ":b.txt"]).expect_code(3);
        assert_says(&finished, "/none is not on the board");
        let finished = board(&vboard, ["cp", ":a.bin", ":b.txt", ":none/"]).expect_code(3);
        assert_says(&finished, "/none/ is not on the board");
        assert_untouched(&vboard, &["a.bin", "b.txt", "backup", "lib", "new"]);
    }
}

#[test]
fn a_full_board_is_named_and_the_old_file_stays() {
    let vboard = VirtualBoard::options()
        .arg("--fs-size", "20480")
        .file("a.bin", vec![7; 12000])
        .file("b.bin", "old")
        .ready();
    let finished = board(&vboard, ["cp", ":a.bin", ":b.bin"]).expect_code(3);
    assert_says(
        &finished,
        "the board's file system is full: /b.bin needs 12000 bytes",
    );
    assert_says(&finished, "the old file is unchanged");
    assert_eq!(read(&vboard, "b.bin"), b"old");
    assert_untouched(&vboard, &["a.bin", "b.bin"]);
}

#[test]
fn cp_goes_both_ways_as_put_and_get_do() {
    let here = tempfile::TempDir::new().unwrap();
    let text = |name: &str| here.path().join(name).to_str().unwrap().to_owned();
    fs::write(text("main.py"), "print(1)\n").unwrap();
    let vboard = VirtualBoard::options()
        .file("a.csv", "a")
        .file("b.csv", "b")
        .ready();
    board(&vboard, ["cp", &text("main.py"), ":"]).expect_code(0);
    assert_eq!(read(&vboard, "main.py"), b"print(1)\n");
    board(&vboard, ["cp", ":a.csv", &text("old.csv")]).expect_code(0);
    assert_eq!(fs::read(text("old.csv")).unwrap(), b"a");
    board(
        &vboard,
        ["cp", ":a.csv", ":b.csv", here.path().to_str().unwrap()],
    )
    .expect_code(0);
    assert_eq!(fs::read(text("b.csv")).unwrap(), b"b");
    for (args, says) in [
        (["cp", "a", "b"], "both paths are on this PC"),
        (
            ["cp", "a", "b"],
            "hint: a path on the board begins with a colon",
        ),
    ] {
        let finished = board(&vboard, args).expect_code(2);
        assert_says(&finished, says);
    }
    let finished = board(&vboard, ["cp", "a", ":b", ":c"]).expect_code(2);
    assert_says(&finished, "not both at once");
    let finished = board(&vboard, ["cp", ":a.csv", ":b.csv", &text("none")]).expect_code(2);
    assert_says(&finished, "is not a folder on this PC");
}

#[test]
fn a_move_refuses_to_replace_a_file_unless_forced() {
    for (kind, options) in profiles() {
        let vboard = options
            .file("a.txt", "a")
            .file("b.txt", "b")
            .file("lib/x.py", "x")
            .ready();
        let finished = board(&vboard, ["mv", ":a.txt", ":b.txt"]).expect_code(3);
        assert_says(
            &finished,
            "cannot move /a.txt to /b.txt on the board: the name is already in use",
        );
        assert_says(&finished, "hint: -f replaces the file that is there");
        assert_eq!(read(&vboard, "b.txt"), b"b", "{kind}");
        let finished = board(&vboard, ["mv", "-f", ":a.txt", ":b.txt"]).expect_code(0);
        assert_says(&finished, "/a.txt moved to /b.txt");
        assert_eq!(read(&vboard, "b.txt"), b"a", "{kind}");
        board(&vboard, ["mv", ":b.txt", ":lib"]).expect_code(0);
        board(&vboard, ["mv", ":lib", ":/new"]).expect_code(0);
        assert_eq!(read(&vboard, "new/b.txt"), b"a", "{kind}");
        let finished = board(&vboard, ["mv", ":new", ":new/x"]).expect_code(3);
        assert_says(&finished, "a folder cannot go into itself");
        let finished = board(&vboard, ["mv", ":none", ":x"]).expect_code(3);
        assert_says(&finished, "/none is not on the board");
        let finished = board(&vboard, ["mv", ":/new/x.py", ":/no/x.py"]).expect_code(3);
        assert_says(&finished, "the folder is not there");
        assert_untouched(&vboard, &["new"]);
    }
}

#[test]
fn files_move_between_file_systems() {
    // A FAT card, which does not rename onto a file and has none of the flash's folders.
    let vboard = VirtualBoard::options()
        .raw_paste()
        .file("boot.py", card("VfsFat", "/sd"))
        .file("a.txt", "a")
        .file("lib/x.py", "x")
        .ready();
    board(&vboard, ["mv", ":a.txt", ":lib", ":/sd"]).expect_code(0);
    assert!(!exists(&vboard, "a.txt") && !exists(&vboard, "lib"));
    let finished = board(&vboard, ["cat", ":/sd/a.txt", ":/sd/lib/x.py"]).expect_code(0);
    assert_eq!(finished.text(), "ax");
    board(&vboard, ["cp", ":/sd/a.txt", ":/sd/b.txt"]).expect_code(0);
    board(&vboard, ["cp", ":/sd/lib/x.py", ":/sd/b.txt"]).expect_code(0);
    let finished = board(&vboard, ["cat", ":/sd/b.txt"]).expect_code(0);
    assert_eq!(finished.text(), "x");
    // The old file steps aside.
    board(&vboard, ["mv", "-f", ":/sd/a.txt", ":/sd/b.txt"]).expect_code(0);
    let finished = board(&vboard, ["tree", ":/sd"]).expect_code(0);
    assert_eq!(finished.text(), ":/sd\n├── b.txt\n└── lib/\n    └── x.py\n");
    let finished = board(&vboard, ["mv", ":/sd", ":/x"]).expect_code(3);
    assert_says(&finished, "a file system is mounted there");
    let rooms = lines(&board(&vboard, ["df", "--format", "json"]).expect_code(0));
    assert_eq!(rooms.len(), 2, "{rooms:?}");
    assert_eq!(rooms[1]["path"], "/sd");
    assert!(rooms.iter().all(|room| {
        let figure = |key: &str| room[key].as_u64().unwrap();
        figure("total") > 0 && figure("used") + figure("free") == figure("total")
    }));
}

#[test]
fn files_are_printed_to_the_byte() {
    let content: Vec<u8> = (0..=255).collect();
    for (kind, options) in kinds() {
        let vboard = options
            .file("a.bin", &content)
            .file("b.txt", "你好\n")
            .ready();
        let finished = board(&vboard, ["cat", ":a.bin", ":b.txt"]).expect_code(0);
        let expected = [content.as_slice(), "你好\n".as_bytes()].concat();
        assert!(finished.stdout == expected, "{kind}");
        assert_eq!(finished.stderr, "", "{kind}");
        let finished = board(&vboard, ["cat", ":none"]).expect_code(3);
        assert_says(&finished, "/none is not on the board");
        let finished = board(&vboard, ["cat", ":/"]).expect_code(3);
        assert_says(&finished, "on the board is a folder");
    }
}

#[test]
fn a_tree_shows_names_as_they_are_typed() {
    let vboard = VirtualBoard::options().file("lib/a.py", "1234").ready();
    let strange = std::os::unix::ffi::OsStrExt::from_bytes(&b"Fr\x81hst.wav"[..]);
    fs::write(
        vboard.files().join(Path::new::<std::ffi::OsStr>(strange)),
        "w",
    )
    .unwrap();
    let finished = board(&vboard, ["tree"]).expect_code(0);
    assert_eq!(
        finished.text(),
        ":/\n├── Fr\\x81hst.wav\n└── lib/\n    └── a.py\n"
    );
    let finished = board(&vboard, ["tree", "--size", ":lib"]).expect_code(0);
    assert_eq!(finished.text(), ":/lib\n└── a.py (4)\n");
    board(&vboard, ["mv", r":Fr\x81hst.wav", ":b.wav"]).expect_code(0);
    assert!(exists(&vboard, "b.wav"));
    let finished = board(&vboard, ["df"]).expect_code(0);
    let text = finished.text();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(
        words[..5],
        ["total", "used", "free", "mounted", "at"],
        "{text}"
    );
    assert_eq!(words.last(), Some(&"/"), "{text}");
}

#[test]
fn a_long_list_has_dates_where_the_clock_was_set() {
    for (kind, options) in profiles() {
        let vboard = options.file("new.py", "1234").file("old.py", "1").ready();
        let touch = |name: &str, date: &str| {
            let status = std::process::Command::new("touch")
                .env("TZ", "UTC")
                .args(["-d", date])
                .arg(vboard.files().join(name))
                .status();
            assert!(status.unwrap().success());
        };
        touch("old.py", "2000-01-01T00:00:09");
        touch("new.py", "2026-11-27T21:30:05");
        let finished = board(&vboard, ["ls", "-l"]).expect_code(0);
        assert_eq!(
            finished.text(),
            "        4 2026-11-27 21:30:05 new.py\n        1 -                   old.py\n",
            "{kind}"
        );
        let listed = lines(&board(&vboard, ["ls", "-l", "--format", "json"]).expect_code(0));
        assert_eq!(
            listed,
            [
                json!({"path": "/new.py", "len": 4, "folder": false, "modified": "2026-11-27T21:30:05"}),
                json!({"path": "/old.py", "len": 1, "folder": false, "modified": null}),
            ],
            "{kind}"
        );
    }
}

#[test]
fn the_clock_is_set_to_this_pcs_local_time() {
    for (kind, options) in profiles() {
        let vboard = options.ready();
        let set = "import machine; machine.RTC().datetime((2001, 2, 3, 5, 4, 5, 6, 0))";
        mpremote_ok(&vboard, ["exec", set]);
        let finished = board(&vboard, ["rtc"]).expect_code(0);
        assert!(
            finished.text().starts_with("2001-02-03 04:05:"),
            "{kind}: {}",
            finished.text()
        );
        let zoned = |name: &str| {
            let mut command = crate::client::command(&vboard, ["rtc", "--set", "--format", "json"]);
            command.env("TZ", name);
            let finished = crate::process::run_with_input(command, b"").expect_code(0);
            let time = lines(&finished)[0]["time"].as_str().unwrap().to_owned();
            time.parse::<jiff::civil::DateTime>().unwrap()
        };
        let china = zoned("Asia/Shanghai");
        let now = jiff::Timestamp::now();
        let expected = now.in_tz("Asia/Shanghai").unwrap().datetime();
        let off = expected.duration_since(china);
        assert!(
            off.as_secs().abs() < 10,
            "{kind}: {china} and not {expected}"
        );
        assert!(
            (china.duration_since(zoned("UTC")).as_hours() - 8).abs() <= 1,
            "{kind}"
        );
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn copies_survive_a_line_that_damages_bytes() {
    let content: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let mut vboard = VirtualBoard::options().file("a.bin", &content).ready();
    vboard.control("garble", json!({"probability": 0.0005, "seed": 11}));
    board(&vboard, ["cp", ":a.bin", ":b.bin"]).expect_code(0);
    board(&vboard, ["mv", ":b.bin", ":c.bin"]).expect_code(0);
    vboard.control("garble", json!({"probability": 0}));
    assert!(read(&vboard, "c.bin") == content);
    assert_untouched(&vboard, &["a.bin", "c.bin"]);
}
