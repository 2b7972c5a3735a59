//! `udpcli board put --delete`, `--exclude` and `--dry-run`: the board gets the files on the PC, and loses only the
//! files that the user allowed.

use std::fs;
use std::path::Path;

use crate::client::{assert_untouched, board, command, start};
use crate::files::{folder, text};
use crate::process::{Finished, Running, run_with_input, udpcli_on_terminal};
use crate::support::{Options, VirtualBoard};

#[track_caller]
fn assert_says(finished: &Finished, text: &str) {
    assert!(finished.stderr.contains(text), "{}", finished.stderr);
}

fn exists(board: &VirtualBoard, name: &str) -> bool {
    board.files().join(name).exists()
}

fn there() -> Options {
    VirtualBoard::options()
        .file("boot.py", "1")
        .file("lib/a.py", "old")
        .file("lib/gone/deep/x.py", "x")
        .file("data/log.csv", "1,2")
        .file("data/tool.py", "x")
        .file("odd \u{1b}[31m %s 'name'.txt", "x")
        .file("lib/.hidden", "x")
}

/// All files on the board, with their contents.
fn all(board: &VirtualBoard) -> Vec<(String, Vec<u8>)> {
    fn add(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                found.push((name, Vec::new()));
                add(&path, found);
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    add(&board.files(), &mut found);
    found.sort();
    found
}

/// Runs `udpcli board -s PORT ARGS` in a folder.
#[track_caller]
fn in_folder<const N: usize>(here: &Path, board: &VirtualBoard, args: [&str; N]) -> Finished {
    let mut command = command(board, args);
    command.current_dir(here);
    run_with_input(command, b"")
}

#[test]
fn delete_leaves_on_the_board_what_is_on_the_pc_and_what_put_leaves_out() {
    for profile in ["mpython-1.4", "mixly-1.19", "generic-1.26"] {
        let vboard = there().profile(profile).ready();
        let here = folder(&[
            ("main.py", b"1"),
            ("lib/a.py", b"new"),
            ("lib/.hidden", b"y"),
        ]);
        let args = ["put", ".", ":", "--delete", "--yes", "--exclude", "*.csv"];
        let finished = in_folder(here.path(), &vboard, args).expect_code(0);
        for line in [
            "removed /boot.py",
            "removed /lib/gone/deep/x.py",
            "removed /lib/gone/deep",
            "removed /lib/gone",
            "removed /data/tool.py",
            r"removed /odd \x1b[31m %s 'name'.txt",
            "2 files: 2 written, 0 unchanged",
        ] {
            assert_says(&finished, line);
        }
        assert_eq!(fs::read(vboard.files().join("lib/a.py")).unwrap(), b"new");
        assert_eq!(fs::read(vboard.files().join("lib/.hidden")).unwrap(), b"x");
        assert!(!exists(&vboard, "lib/gone") && exists(&vboard, "data/log.csv"));
        assert_untouched(&vboard, &["data", "lib", "main.py"]);
        let finished = in_folder(here.path(), &vboard, args).expect_code(0);
        assert!(!finished.stderr.contains("removed"), "{}", finished.stderr);
    }
}

#[test]
fn delete_removes_only_inside_the_folders_that_are_put() {
    let vboard = there().file("library/b.py", "b").ready();
    let here = folder(&[
        ("main.py", b"1"),
        ("lib/a.py", b"new"),
        ("lib/test_x.py", b"1"),
        ("fresh/c.py", b"1"),
    ]);
    let args = ["put", "lib", "fresh", "main.py", ":", "--delete", "-y"];
    in_folder(here.path(), &vboard, args).expect_code(0);
    assert!(!exists(&vboard, "lib/gone") && exists(&vboard, "lib/test_x.py"));
    assert!(exists(&vboard, "fresh/c.py") && exists(&vboard, "data/log.csv"));
    assert!(exists(&vboard, "boot.py") && exists(&vboard, "library/b.py"));
    // Files that are left out on the PC stay on the board.
    let args = [
        "put",
        "lib",
        ":",
        "--delete",
        "-y",
        "--exclude",
        "lib/test_*",
    ];
    let finished = in_folder(here.path(), &vboard, args).expect_code(0);
    assert!(!finished.stderr.contains("removed"), "{}", finished.stderr);
    // A folder that gets another name on the board.
    fs::remove_file(here.path().join("lib/test_x.py")).unwrap();
    for removes in [false, true] {
        let to = if removes { ":/lib2/" } else { ":/lib2" };
        let finished =
            in_folder(here.path(), &vboard, ["put", "lib", to, "--delete", "-y"]).expect_code(0);
        assert!(!finished.stderr.contains("removed"), "{}", finished.stderr);
    }
    assert!(exists(&vboard, "lib2/a.py") && exists(&vboard, "lib2/lib/a.py"));
}

#[test]
fn delete_of_files_alone_is_refused_before_the_board_is_disturbed() {
    let vboard = there().file("main.py", "print('running')").ready();
    let here = folder(&[("main.py", b"new"), ("b.py", b"1")]);
    for args in [
        &["put", "main.py", ":", "--delete", "-y"][..],
        &["put", "*.py", ":/lib", "--delete", "--dry-run"],
        &["put", "main.py", ":", "--delete", "-y", "--watch"],
        &["do", "put main.py b.py : --delete -y"],
    ] {
        let mut command = command(&vboard, []);
        command.args(args).current_dir(here.path());
        let finished = run_with_input(command, b"").expect_code(2);
        assert_says(&finished, "you named only files");
        assert_says(&finished, "udpcli board put . : --delete");
    }
    assert!(exists(&vboard, "boot.py") && exists(&vboard, "lib/gone"));
    let old = fs::read(vboard.files().join("main.py")).unwrap();
    assert_eq!(old, b"print('running')");
}

#[test]
fn a_dry_run_shows_all_and_changes_nothing() {
    let vboard = there().ready();
    let before = all(&vboard);
    let here = folder(&[("main.py", b"12"), ("lib/a.py", b"old"), ("x.bak", b"1")]);
    let args = [
        "put",
        ".",
        ":",
        "--delete",
        "--dry-run",
        "--exclude",
        "*.bak",
        "--exclude",
        "data",
    ];
    let finished = in_folder(here.path(), &vboard, args).expect_code(0);
    assert_eq!(
        finished.text(),
        "would put :/main.py, 2 bytes\n\
         would remove :/odd \\x1b[31m %s 'name'.txt\n\
         would remove :/lib/gone/deep/x.py\n\
         would remove :/lib/gone/deep/\n\
         would remove :/lib/gone/\n\
         would remove :/boot.py\n"
    );
    assert_says(
        &finished,
        "nothing was changed; 1 to put, 1 unchanged, 5 to remove; left out: x.bak",
    );
    assert!(all(&vboard) == before);
}

#[test]
fn without_a_terminal_delete_needs_yes_and_says_so_before_it_does_anything() {
    let here = folder(&[("main.py", b"1")]);
    let file = here.path().join("main.py");
    for port in ["/dev/does-not-exist"] {
        for args in [
            vec!["put", text(&file), ":", "--delete"],
            vec!["do", "put main.py : --delete"],
        ] {
            let mut command = crate::process::udpcli(["board", "-s", port]);
            command.args(&args).current_dir(here.path());
            let finished = run_with_input(command, b"y\n").expect_code(2);
            assert_says(&finished, "there is no terminal to ask on");
            assert_says(&finished, "hint: --dry-run shows");
        }
    }
    start(
        &VirtualBoard::options().ready(),
        ["put", text(&file), ":", "--yes"],
    )
    .finish()
    .expect_code(2);
}

#[test]
fn on_a_terminal_delete_lists_and_asks() {
    let here = folder(&[("main.py", b"1")]);
    for (answer, code, is_put) in [
        (&b"n\n"[..], 0, false),
        (b"\n", 0, false),
        (crate::process::CTRL_C, 130, false),
        (b"y\n", 0, true),
    ] {
        let vboard = VirtualBoard::options()
            .file("boot.py", "1")
            .file("old/x.py", "1")
            .ready();
        let args = ["board", "-s", &vboard.port, "put", ".", ":", "--delete"];
        let mut command = udpcli_on_terminal("", args);
        let mut running = Running::spawn(command.current_dir(here.path()));
        let mut listed = String::new();
        while !listed.contains("/boot.py") {
            listed.push_str(&running.stdout_line());
        }
        assert!(listed.contains("these 3 are on the board"), "{listed:?}");
        assert!(listed.contains("/old/x.py"), "{listed:?}");
        running.type_in(answer);
        let finished = running.finish();
        let shown = String::from_utf8_lossy(&finished.stdout).into_owned();
        let finished = finished.expect_code(code);
        drop(finished);
        assert_eq!(exists(&vboard, "main.py"), is_put, "{shown:?}");
        assert_eq!(exists(&vboard, "boot.py"), !is_put, "{shown:?}");
        assert_eq!(shown.contains("nothing was put"), !is_put, "{shown:?}");
    }
}

#[test]
fn the_projects_file_excludes_too_and_a_bad_pattern_is_named_with_its_line() {
    let vboard = VirtualBoard::options()
        .file("a.bak", "1")
        .file("b.py", "1")
        .ready();
    let here = folder(&[
        ("main.py", b"1"),
        ("notes/x.txt", b"1"),
        ("c.bak", b"1"),
        (
            "udpcli.toml",
            b"# project\nexclude = ['*.bak', 'notes', 'udpcli.toml']\n",
        ),
    ]);
    let finished =
        in_folder(here.path(), &vboard, ["put", ".", ":", "--delete", "-y"]).expect_code(0);
    assert_says(&finished, "left out: c.bak, notes, udpcli.toml");
    assert_untouched(&vboard, &["a.bak", "main.py"]);
    let finished = in_folder(
        here.path(),
        &vboard,
        ["do", "put . : --delete --yes --exclude a.bak"],
    )
    .expect_code(0);
    assert_says(&finished, "left out: c.bak");
    fs::write(here.path().join("udpcli.toml"), "\nexclude = ['a[']\n").unwrap();
    let finished = in_folder(here.path(), &vboard, ["put", "main.py"]).expect_code(2);
    assert_says(
        &finished,
        "udpcli.toml, line 2: exclude: a[ is not a pattern",
    );
    board(&vboard, ["put", "x", "--exclude", "a["]).expect_code(2);
    assert_untouched(&vboard, &["a.bak", "main.py"]);
}
