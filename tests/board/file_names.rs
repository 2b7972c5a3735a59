//! File names: bytes on the board, patterns and links on this PC, and what shells do to a path.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{assert_untouched, board, command, kinds};
use crate::files::{assert_says, folder, text};
use crate::process::run_with_input;
use crate::support::{VirtualBoard, card};

/// A name that a recorder or a PC with another code page wrote to a card.
const ODD: &[u8] = b"Fr\x81hst.wav";

fn names(folder: &Path) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().as_bytes().to_vec())
        .collect();
    names.sort();
    names
}

#[test]
fn a_name_that_is_not_text_is_shown_and_accepted_escaped() {
    for (kind, options) in kinds() {
        let vboard = options.file("d/a.txt", "a").file("d/z.txt", "z").ready();
        let on_board = vboard.files();
        fs::write(on_board.join("d").join(OsStr::from_bytes(ODD)), "odd").unwrap();
        fs::create_dir(on_board.join("d").join(OsStr::from_bytes(b"\xff"))).unwrap();
        fs::write(
            on_board
                .join("d")
                .join(OsStr::from_bytes(b"\xff"))
                .join("in"),
            "in",
        )
        .unwrap();
        fs::write(on_board.join(OsStr::from_bytes(b"\xe4")), "root").unwrap();

        // The bad name does not hide the rest of the folder.
        let listed = board(&vboard, ["ls", ":d"]).expect_code(0);
        assert_eq!(
            listed.text(),
            "        3 Fr\\x81hst.wav\n        1 a.txt\n        1 z.txt\n          \\xff/\n",
            "{kind}"
        );
        assert_eq!(listed.stderr, "", "{kind}");
        let listed = board(&vboard, ["ls", "-r", "--format", "json"]).expect_code(0);
        let listed: Vec<Value> = listed
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for (path, len) in [("/d/\\xff/in", 2), ("/\\xe4", 4), ("/d/z.txt", 1)] {
            assert!(
                listed.contains(&json!({"path": path, "len": len, "folder": false})),
                "{kind}: {path} in {listed:?}"
            );
        }

        let back = TempDir::new().unwrap();
        let finished = board(&vboard, ["get", ":d", text(back.path())]).expect_code(0);
        assert_says(&finished, "Fr\\x81hst.wav on the board is saved here as ");
        assert_says(&finished, "4 files: 4 written");
        assert_eq!(
            names(&back.path().join("d")),
            [b"%ff".as_slice(), b"Fr%81hst.wav", b"a.txt", b"z.txt"],
            "{kind}"
        );
        assert_eq!(fs::read(back.path().join("d/%ff/in")).unwrap(), b"in");
        let one = board(&vboard, ["get", r":d/Fr\x81hst.wav", "-"]).expect_code(0);
        assert_eq!(one.stdout, b"odd", "{kind}");
        let mut raw = command(&vboard, ["get"]);
        raw.arg(OsStr::from_bytes(b":/d/Fr\x81hst.wav")).arg("-");
        assert_eq!(run_with_input(raw, b"").expect_code(0).stdout, b"odd");

        // Upload a file with exactly that name, and one to an escaped name.
        let here = TempDir::new().unwrap();
        let local = here.path().join("d");
        fs::create_dir(&local).unwrap();
        fs::write(local.join(OsStr::from_bytes(ODD)), "odd").unwrap();
        fs::write(local.join(OsStr::from_bytes(b"\xfe")), "new").unwrap();
        let finished = board(&vboard, ["put", text(&local), ":"]).expect_code(0);
        assert_says(&finished, "2 files: 1 written, 1 unchanged");
        assert_eq!(
            fs::read(on_board.join("d").join(OsStr::from_bytes(b"\xfe"))).unwrap(),
            b"new"
        );
        let a = folder(&[("a", b"to")]);
        let a = a.path().join("a");
        board(&vboard, ["put", text(&a), r":\x80\x5cx41"]).expect_code(0);
        assert_eq!(
            fs::read(on_board.join(OsStr::from_bytes(b"\x80\\x41"))).unwrap(),
            b"to"
        );
        let listed = board(&vboard, ["ls"]).expect_code(0).text();
        assert!(listed.contains("        2 \\x80\\x5cx41\n"), "{listed}");

        // Remove each file by the name that `ls` displays.
        for name in [r":d/Fr\x81hst.wav", r":/\xe4", r":\x80\x5cx41"] {
            board(&vboard, ["rm", name]).expect_code(0);
        }
        board(&vboard, ["rm", "-r", ":d"]).expect_code(0);
        assert_untouched(&vboard, &[]);
    }
}

/// Work on a card at `/sd`: files with unusual names.
const ODD_NAMES: &str = "for name in (b'Fr\\x81hst.wav', b'a.txt'):
    f = open(b'/sd/' + name, 'w')
    f.write('x')
    f.close()
uos.mkdir(b'/sd/\\xff')
open('on', 'w').close()
";

#[test]
fn the_boards_own_file_systems_keep_such_names_too() {
    for kind in ["VfsFat", "VfsLfs2"] {
        let mut vboard = VirtualBoard::options()
            .baud(921_600)
            .arg("--heap", "600k")
            .file("main.py", card(kind, "/sd") + ODD_NAMES)
            .ready();
        let on = vboard.files().join("on");
        vboard.wait_until("the card is mounted", |_| on.exists());
        let listed = board(&vboard, ["ls", ":/sd"]).expect_code(0).text();
        assert_eq!(
            listed, "        1 Fr\\x81hst.wav\n        1 a.txt\n          \\xff/\n",
            "{kind}"
        );
        let here = folder(&[("new", b"new")]);
        let new = here.path().join("new");
        board(&vboard, ["put", text(&new), r":/sd/\xff/\xfe"]).expect_code(0);
        let back = board(&vboard, ["get", r":/sd/\xff/\xfe", "-"]).expect_code(0);
        assert_eq!(back.stdout, b"new", "{kind}");
        board(&vboard, ["rm", "-r", r":/sd/\xff", r":/sd/Fr\x81hst.wav"]).expect_code(0);
        let listed = board(&vboard, ["ls", "-r", ":/sd"]).expect_code(0).text();
        assert_eq!(listed, "        1 a.txt\n", "{kind}");
    }
}

#[test]
fn patterns_that_the_shell_did_not_expand_are_matched() {
    let here = folder(&[
        ("a.py", b"a".as_slice()),
        ("b.py", b"b"),
        (".c.py", b"c"),
        ("d.txt", b"d"),
        ("lib/e.py", b"e"),
        ("[x].py", b"x"),
    ]);
    let vboard = VirtualBoard::options().baud(921_600).ready();
    let put = |args: &[&str]| {
        let mut command = command(&vboard, ["put"]);
        command.args(args).current_dir(here.path());
        run_with_input(command, b"")
    };
    let finished = put(&["*.py", ":"]).expect_code(0);
    assert_says(&finished, "3 files: 3 written");
    assert_untouched(&vboard, &["[x].py", "a.py", "b.py"]);
    // A file with exactly that name is used as it is, without pattern matching.
    fs::write(here.path().join("x.py"), "another").unwrap();
    assert_says(
        &put(&["[x].py"]).expect_code(0),
        "1 file: 0 written, 1 unchanged",
    );
    assert_says(
        &put(&["l*/?.py", ":e2.py"]).expect_code(0),
        "/e2.py: 1 bytes",
    );
    let finished = put(&["*.nothing"]).expect_code(3);
    assert_says(&finished, "cannot open *.nothing");
    assert_says(&finished, "no file here matches this pattern");
    assert_untouched(&vboard, &["[x].py", "a.py", "b.py", "e2.py"]);
}

#[test]
fn files_that_a_board_does_not_need_are_left_out_and_counted() {
    let here = folder(&[
        ("p/main.py", b"1".as_slice()),
        ("p/.DS_Store", b"no"),
        ("p/.git/config", b"no"),
        ("p/lib/.DS_Store", b"no"),
        ("p/lib/a.py", b"2"),
        ("p/lib/__pycache__/a.pyc", b"no"),
        ("p/Thumbs.db", b"no"),
        ("p/.hidden.py", b"3"),
    ]);
    let vboard = VirtualBoard::options().baud(921_600).ready();
    let p = here.path().join("p");
    let finished = board(&vboard, ["put", text(&p), ":"]).expect_code(0);
    assert_says(&finished, "2 files: 2 written, 0 unchanged;");
    assert_says(
        &finished,
        "; left out: .DS_Store (2), .git, .hidden.py, Thumbs.db, __pycache__\n",
    );
    // A file that the user names is uploaded, whatever its name.
    let hidden = p.join(".hidden.py");
    let finished = board(&vboard, ["put", text(&hidden)]).expect_code(0);
    assert!(!finished.stderr.contains("left out"), "{}", finished.stderr);
    assert_untouched(&vboard, &[".hidden.py", "p"]);
    assert_eq!(names(&vboard.files().join("p/lib")), [b"a.py"]);
}

#[test]
fn a_link_that_leads_nowhere_does_not_stop_a_folder() {
    let here = folder(&[
        ("p/a.py", b"1".as_slice()),
        ("p/lib/z.py", b"2"),
        ("real/r.py", b"3"),
    ]);
    let p = here.path().join("p");
    symlink("nowhere", p.join("dangling")).unwrap();
    symlink("itself", p.join("itself")).unwrap();
    symlink("..", p.join("lib/up")).unwrap();
    symlink("../real", p.join("real")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        p.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let vboard = VirtualBoard::options().baud(921_600).ready();
    let finished = board(&vboard, ["put", text(&p), ":"]).expect_code(0);
    assert_says(&finished, "3 files: 3 written");
    for what in [
        "dangling, a link that leads nowhere",
        "itself, a link that leads nowhere",
        "lib/up, a link to a folder that contains it",
        "pipe, neither a file nor a folder",
    ] {
        assert_eq!(
            finished.stderr.matches(what).count(),
            1,
            "{}",
            finished.stderr
        );
    }
    assert_says(&finished, "; left out: dangling, itself, pipe, up\n");
    assert_eq!(
        names(&vboard.files().join("p")),
        [b"a.py".as_slice(), b"lib", b"real"]
    );
    // Named directly, a dangling link is an error like any missing file.
    let finished = board(&vboard, ["put", text(&p.join("dangling"))]).expect_code(3);
    assert_says(&finished, "cannot open ");
}

#[test]
fn a_path_that_another_shell_changed_gets_a_hint() {
    let here = folder(&[("a.py", b"1")]);
    let a = here.path().join("a.py");
    let vboard = VirtualBoard::options().baud(921_600).ready();
    for args in [
        ["ls", r";C:\Program Files\Git\lib"].as_slice(),
        &["put", text(&a), r";C:\Program Files\Git\lib"],
        &["get", ";C:/Program Files/Git/boot.py"],
    ] {
        let mut command = command(&vboard, []);
        command.args(args);
        let finished = run_with_input(command, b"").expect_code(2);
        assert_says(&finished, "is what Git Bash made of a path on the board");
        assert_says(&finished, "MSYS_NO_PATHCONV=1");
    }
    for args in [
        ["ls", r":\lib"].as_slice(),
        &["put", text(&a), r":\lib\a.py"],
        &["get", r":\lib\a.py"],
        &["rm", r":\lib\a.py"],
    ] {
        let mut command = command(&vboard, []);
        command.args(args);
        let finished = run_with_input(command, b"").expect_code(2);
        assert_says(&finished, " separates folders: :/lib");
    }
    let finished = board(&vboard, ["put", text(&a), r":lib\a.py"]).expect_code(2);
    assert_says(&finished, "with slashes it is :lib/a.py");
    let finished = board(&vboard, ["get", r":lib\a.py"]).expect_code(3);
    assert_says(&finished, "hint: with slashes it is :/lib/a.py");
    assert_untouched(&vboard, &[]);
    // A doubled slash, typed because of Git Bash, is understood.
    board(&vboard, ["put", text(&a), "://a.py"]).expect_code(0);
    assert_untouched(&vboard, &["a.py"]);
}

#[test]
fn the_old_file_is_mentioned_only_if_there_was_one() {
    let here = folder(&[("x", &crate::files::random(40_000))]);
    let x = here.path().join("x");
    let vboard = VirtualBoard::options()
        .baud(921_600)
        .file("old", "old")
        .arg("--fs-size", &30_000)
        .ready();
    for (remote, is_said) in [(":old", true), (":new", false)] {
        let finished = board(&vboard, ["put", text(&x), remote]).expect_code(3);
        assert_says(&finished, "the board's file system is full");
        assert_eq!(
            finished.stderr.contains("the old file is unchanged"),
            is_said,
            "{}",
            finished.stderr
        );
    }
    let vboard = VirtualBoard::options()
        .baud(921_600)
        .file("old", "old")
        .flag("--read-only")
        .ready();
    for (remote, is_said) in [(":old", true), (":new", false), (":no/new", false)] {
        let finished = board(&vboard, ["put", text(&x), remote]).expect_code(3);
        assert_says(&finished, "cannot write /");
        assert_eq!(
            finished.stderr.contains("the old file is unchanged"),
            is_said,
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn an_unusual_file_name_does_not_hide_the_oled() {
    let draws = "import mpython
mpython.onboard_oled.fill(0)
mpython.onboard_oled.show()
while True: pass
";
    let vboard = VirtualBoard::options()
        .profile("mixly-1.19")
        .baud(921_600)
        .file("main.py", draws)
        .ready();
    fs::write(vboard.files().join(OsStr::from_bytes(ODD)), "x").unwrap();
    board(&vboard, ["oled", "--once"]).expect_code(0);
}
