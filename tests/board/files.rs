//! `udpcli board put`, `get`, `ls` and `rm`: afterwards the file is the new one or the old one, never a mixture.
//!
//! Long because each command is also interrupted, repeated and run on a line that damages bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{assert_untouched, board, command, kinds};
use crate::process::Finished;
use crate::support::{VirtualBoard, card, mpremote_ok};

/// Random bytes, which do not compress.
pub(crate) fn random(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Typical Python code: this project's own.
pub(crate) fn source(len: usize) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/virtual_board");
    let mut all = Vec::new();
    for name in ["cpu.py", "virtual_board.py", "hosts.py", "line.py"] {
        all.extend(fs::read(folder.join(name)).expect("a source file"));
    }
    all.into_iter().cycle().take(len).collect()
}

/// The files below a folder, by relative path; an empty folder as its path with a slash.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let mut is_empty = true;
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            is_empty = false;
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).expect("a file");
                found.insert(relative(folder, &path), content);
            }
        }
        if is_empty && next != folder {
            found.insert(relative(folder, &next) + "/", Vec::new());
        }
    }
    found
}

fn relative(folder: &Path, path: &Path) -> String {
    let path = path.strip_prefix(folder).expect("below it");
    path.to_str().expect("UTF-8").to_owned()
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, content).expect("a file");
}

/// A folder on this PC with these files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, content) in files {
        write(folder.path(), name, content);
    }
    folder
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[track_caller]
pub(crate) fn assert_says(finished: &Finished, words: &str) {
    assert!(
        finished.stderr.contains(words),
        "{words}: {}",
        finished.stderr
    );
}

#[test]
fn a_folder_tree_is_uploaded_and_downloaded() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let noise = random(20_000);
    let here = folder(&[
        ("lib/main.py", b"print(1)\r\n".as_slice()),
        ("lib/empty.txt", b""),
        ("lib/a b's \"c\" 你好.bin", &every_byte),
        ("lib/deep/er/noise", &noise),
        ("lib/deep/\\back", b"slash"),
        ("lib/__pycache__/main.pyc", b"no"),
    ]);
    fs::create_dir(here.path().join("lib/hollow")).unwrap();
    for (kind, options) in kinds() {
        let vboard = options.ready();
        let lib = here.path().join("lib");
        let finished = board(&vboard, ["put", text(&lib), ":"]).expect_code(0);
        assert_says(&finished, "5 files: 5 written, 0 unchanged");
        let mut expected = tree(&lib);
        expected.remove("__pycache__/main.pyc");
        assert_eq!(tree(&vboard.files().join("lib")), expected, "{kind}");

        let back = TempDir::new().unwrap();
        let target = back.path().join("copy");
        board(&vboard, ["get", ":lib", text(&target)]).expect_code(0);
        assert_eq!(tree(&target), expected, "{kind}");
        // A copy into an existing folder keeps its own name.
        fs::rename(&target, back.path().join("lib")).unwrap();
        let again = board(&vboard, ["get", ":lib", text(back.path())]).expect_code(0);
        assert_says(&again, "5 files: 0 written, 5 unchanged");

        // Only changed files are transferred again.
        let again = board(&vboard, ["put", text(&lib)]).expect_code(0);
        assert_says(&again, "5 files: 0 written, 5 unchanged");
        fs::write(vboard.files().join("lib/main.py"), "old").unwrap();
        let again = board(&vboard, ["put", text(&lib)]).expect_code(0);
        assert_says(&again, "5 files: 1 written, 4 unchanged");
        assert_eq!(tree(&vboard.files().join("lib")), expected, "{kind}");

        let listed = board(&vboard, ["ls", "-r", "--format", "json", ":lib"]).expect_code(0);
        let listed: Vec<Value> = listed
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(listed.len(), 8, "{kind}: {listed:?}");
        assert!(
            listed.contains(
                &json!({"path": "/lib/a b's \"c\" 你好.bin", "len": 256, "folder": false})
            ),
            "{kind}: {listed:?}"
        );
        let listed = board(&vboard, ["ls", ":lib"]).expect_code(0).text();
        assert!(
            listed.contains("          hollow/\n") && listed.contains("       10 main.py\n"),
            "{kind}: {listed}"
        );

        let finished = board(&vboard, ["rm", ":lib"]).expect_code(3);
        assert_says(
            &finished,
            "cannot remove /lib on the board: the folder is not empty",
        );
        assert_eq!(tree(&vboard.files().join("lib")), expected, "{kind}");
        board(&vboard, ["rm", "-r", ":lib"]).expect_code(0);
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn every_size_and_kind_of_content_arrives() {
    let sizes = [0, 1, 255, 256, 1023, 1024, 1025, 4096, 100_000];
    let here = TempDir::new().unwrap();
    for size in sizes {
        write(here.path(), &format!("t/random{size}"), &random(size));
        write(here.path(), &format!("t/source{size}"), &source(size));
    }
    write(here.path(), "t/zeros", &vec![0; 50_000]);
    for (kind, options) in kinds() {
        for baud in [921_600, 0] {
            let vboard = options.clone().baud(baud).ready();
            board(&vboard, ["put", text(&here.path().join("t"))]).expect_code(0);
            assert!(
                tree(&vboard.files()) == tree(here.path()),
                "{kind} at {baud}"
            );
            let back = TempDir::new().unwrap();
            board(&vboard, ["get", ":", text(back.path())]).expect_code(0);
            assert!(tree(back.path()) == tree(here.path()), "{kind} at {baud}");
        }
    }
}

#[test]
fn a_megabyte_is_uploaded_and_downloaded_to_stdout() {
    let content = random(1 << 20);
    let here = folder(&[("big", &content)]);
    let mut vboard = VirtualBoard::options().baud(0).ready();
    board(&vboard, ["put", text(&here.path().join("big")), ":x.bin"]).expect_code(0);
    assert!(fs::read(vboard.files().join("x.bin")).unwrap() == content);
    let finished = board(&vboard, ["get", ":x.bin", "-"]).expect_code(0);
    assert!(finished.stdout == content);
    assert_eq!(vboard.count("lost"), 0);
}

#[test]
fn little_memory_gives_smaller_pieces() {
    let here = folder(&[("noise", &random(30_000)), ("text.py", &source(30_000))]);
    for (kind, options) in kinds() {
        let vboard = options.baud(921_600).arg("--heap", "42k").ready();
        let (noise, text_py) = (here.path().join("noise"), here.path().join("text.py"));
        board(&vboard, ["put", text(&noise), text(&text_py), ":"]).expect_code(0);
        assert!(tree(&vboard.files()) == tree(here.path()), "{kind}");
        assert_untouched(&vboard, &["noise", "text.py"]);
    }
}

#[test]
fn a_file_system_that_refuses_keeps_the_old_file() {
    let here = folder(&[("x", &random(40_000)), ("small", b"1")]);
    let x = here.path().join("x");
    for (_, options) in kinds() {
        let options = || {
            let options = options.clone().baud(921_600);
            options.file("x", "old").file("d/f", "in a folder")
        };
        let vboard = options().arg("--fs-size", &40_000).ready();
        let finished = board(&vboard, ["put", text(&x)]).expect_code(3);
        assert_says(
            &finished,
            "the board's file system is full: /x needs 40000 bytes, ",
        );
        assert_says(&finished, "hint: the old file is unchanged");
        assert_eq!(fs::read(vboard.files().join("x")).unwrap(), b"old");
        assert_untouched(&vboard, &["d", "x"]);

        let vboard = options().flag("--read-only").ready();
        let finished = board(&vboard, ["put", text(&x)]).expect_code(3);
        assert_says(
            &finished,
            "cannot write /x on the board: the file system is read-only",
        );
        let finished = board(&vboard, ["rm", ":x"]).expect_code(3);
        assert_says(
            &finished,
            "cannot remove /x on the board: the file system is read-only",
        );
        assert_eq!(fs::read(vboard.files().join("x")).unwrap(), b"old");

        let vboard = options().ready();
        let finished = board(&vboard, ["put", text(&x), ":no/such"]).expect_code(3);
        assert_says(
            &finished,
            "cannot write /no/such on the board: the folder is not there",
        );
        assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
        let finished = board(&vboard, ["put", text(&x), ":no/"]).expect_code(3);
        assert_says(&finished, "/no is not on the board");
        // Into an existing folder, under its own name.
        board(&vboard, ["put", text(&x), ":d"]).expect_code(0);
        assert!(vboard.files().join("d/x").is_file());
        // A file with the name of a folder, and a folder with the name of a file.
        let tree_here = folder(&[("x/inner", b"1"), ("d/f/inner", b"1"), ("e/f", b"1")]);
        let finished = board(&vboard, ["put", text(&tree_here.path().join("x"))]).expect_code(3);
        assert_says(
            &finished,
            "cannot write /x on the board: a file of that name exists",
        );
        fs::create_dir(vboard.files().join("small")).unwrap();
        let finished = board(
            &vboard,
            ["put", text(&here.path().join("small")), ":small/"],
        )
        .expect_code(0);
        drop(finished);
        let tree_here = folder(&[("e/small", b"1")]);
        fs::create_dir_all(vboard.files().join("e/small")).unwrap();
        let finished = board(&vboard, ["put", text(&tree_here.path().join("e"))]).expect_code(3);
        assert_says(&finished, "/e/small on the board is a folder");
        assert_eq!(fs::read(vboard.files().join("x")).unwrap(), b"old");
        assert_untouched(&vboard, &["d", "e", "small", "x"]);
        assert_eq!(mpremote_ok(&vboard, ["fs", "cat", ":x"]), "old");
    }
}

#[test]
fn missing_files_are_reported() {
    let vboard = VirtualBoard::options()
        .file("a", "1")
        .file("d/x", "2")
        .ready();
    for args in [
        ["get", ":nope"],
        ["ls", ":nope"],
        ["rm", ":nope"],
        ["ls", ":a/b"],
    ] {
        let finished = board(&vboard, args).expect_code(3);
        assert_says(&finished, "is not on the board");
        assert_says(&finished, "hint: udpcli board ls shows what is there");
    }
    // The rest is still removed.
    let finished = board(&vboard, ["rm", ":nope", ":a"]).expect_code(3);
    assert_says(&finished, "removed /a");
    assert_eq!(
        board(&vboard, ["ls", ":d/x"]).expect_code(0).text(),
        "        1 /d/x\n"
    );
    let finished = board(&vboard, ["get", ":d", "-"]).expect_code(3);
    assert_says(&finished, "/d on the board is a folder");
    board(&vboard, ["rm", ":"]).expect_code(2);
    board(&vboard, ["get", "no-colon"]).expect_code(2);
    let finished = board(&vboard, ["put", "no-such-file.py"]).expect_code(3);
    assert_says(&finished, "no-such-file.py");
    assert_untouched(&vboard, &["d"]);
}

#[test]
fn a_board_cannot_write_outside_the_folder() {
    let vboard = VirtualBoard::options().ready();
    fs::create_dir(vboard.files().join("d")).unwrap();
    fs::write(vboard.files().join("d/a\x1b[31m\nb"), "x").unwrap();
    fs::write(vboard.files().join("d/z"), "z").unwrap();
    let here = TempDir::new().unwrap();
    // A name that cannot be typed here is changed, and does not stop the rest.
    let finished = board(&vboard, ["get", ":d", text(&here.path().join("out"))]).expect_code(0);
    assert_says(&finished, r"a\x1b[31m\x0ab on the board is saved here as ");
    assert_eq!(
        tree(here.path()),
        BTreeMap::from([
            ("out/a%1b[31m%0ab".to_owned(), b"x".to_vec()),
            ("out/z".to_owned(), b"z".to_vec())
        ])
    );
    let listed = board(&vboard, ["ls", ":d"]).expect_code(0).text();
    assert_eq!(listed, "        1 a\\x1b[31m\\x0ab\n        1 z\n");
    // The file with that name can still be removed.
    board(&vboard, ["rm", r":d/a\x1b[31m\x0ab"]).expect_code(0);
    assert_eq!(
        tree(&vboard.files()).into_keys().collect::<Vec<_>>(),
        ["d/z"]
    );
    board(&vboard, ["rm", "-r", ":d"]).expect_code(0);
    assert_untouched(&vboard, &[]);
}

/// A user's own file system, written in Python and mounted at `/odd`: udpcli does not trust its data.
const ODD: &str = "import os
class Odd:
    def mount(self, readonly, mkfs): pass
    def umount(self): pass
    def statvfs(self, path): return (512, 512, 100, 100, 100, 0, 0, 0, 0, 255)
    def stat(self, path): return (0x4000 if bytes(path) == b'/' else 0x8000, 0, 0, 0, 0, 0, 1, 0, 0, 0)
    def ilistdir(self, path): return iter(LIST)
    def open(self, path, mode): FAIL
os.mount(Odd(), '/odd')
";

#[test]
fn names_that_lead_out_of_the_folder_are_not_downloaded() {
    let odd = ODD
        .replace("LIST", "[('../../evil', 0x8000, 0, 1), ('..', 0x4000, 0)]")
        .replace("FAIL", "raise OSError(5)");
    let vboard = VirtualBoard::options().file("main.py", odd).ready();
    let here = TempDir::new().unwrap();
    let out = here.path().join("a/b/out");
    fs::create_dir_all(here.path().join("a/b")).unwrap();
    let finished = board(&vboard, ["get", ":/odd", text(&out)]).expect_code(2);
    assert_says(&finished, "cannot be the name of a file on this PC");
    assert_eq!(
        tree(here.path()).into_keys().collect::<Vec<_>>(),
        ["a/b/out/"]
    );
    assert_untouched(&vboard, &["main.py"]);
}

#[test]
fn an_exception_on_the_board_is_shown_as_what_it_is() {
    let here = folder(&[("x", b"1")]);
    let x = here.path().join("x");
    for profile in ["mpython-1.4", "generic-1.26"] {
        for (list, fail, args, words) in [
            (
                "1//0",
                "raise OSError(5)",
                ["ls", ":/odd"].as_slice(),
                "listing /odd raised an exception on the board: ZeroDivisionError: divide by zero",
            ),
            (
                "[('a', 0x8000, 0, 1)]",
                "raise ValueError('mine')",
                &["get", ":/odd/a", "-"],
                "comparing files raised an exception on the board: ValueError: mine",
            ),
            (
                "[]",
                "raise ValueError('mine')",
                &["put", text(&x), ":/odd/a"],
                "ValueError: mine",
            ),
            (
                "[('a', 0x8000, 0, 1)]",
                "raise OSError(5)",
                &["get", ":/odd/a", "-"],
                "cannot read /odd/a on the board: the flash cannot be read or written",
            ),
        ] {
            let odd = ODD.replace("LIST", list).replace("FAIL", fail);
            let vboard = VirtualBoard::options()
                .profile(profile)
                .file("main.py", odd)
                .ready();
            let mut command = command(&vboard, []);
            command.args(args).arg("-vv");
            let finished = crate::process::run_with_input(command, b"").expect_code(3);
            assert_says(&finished, words);
            for no in ["damaged", "cable", "soft reset"] {
                assert!(
                    !finished.stderr.contains(no),
                    "{args:?}: {}",
                    finished.stderr
                );
            }
            assert_untouched(&vboard, &["main.py"]);
        }
    }
}

#[test]
fn an_exception_before_our_code_counts_when_it_is_repeated() {
    // A user's program replaced a name that our own code needs at its start.
    let main = "def exec(*args):\n    raise TypeError('not yours')\n";
    for (kind, options) in kinds() {
        let vboard = options.file("main.py", main).ready();
        let finished = board(&vboard, ["ls", "-vv"]).expect_code(3);
        assert_says(
            &finished,
            "preparing the board raised an exception on the board: TypeError: not yours",
        );
        assert_eq!(
            finished.stderr.matches("exception while preparing").count(),
            2,
            "{kind}"
        );
        assert!(
            !finished.stderr.contains("damaged"),
            "{kind}: {}",
            finished.stderr
        );
    }
}

#[test]
fn one_file_that_cannot_be_read_does_not_stop_the_others() {
    let odd = ODD
        .replace("LIST", "[('a', 0x8000, 0, 0), ('b', 0x8000, 0, 0)]")
        .replace(
            "FAIL",
            "
        if bytes(path) == b'/a': raise OSError(5)
        import io
        return io.BytesIO(b'')",
        );
    let vboard = VirtualBoard::options().file("main.py", odd).ready();
    let here = TempDir::new().unwrap();
    let out = here.path().join("out");
    let finished = board(&vboard, ["get", ":/odd", text(&out)]).expect_code(3);
    assert_says(&finished, "cannot read /odd/a on the board");
    assert!(!out.join("a").exists());
    // The length differs from the announced one, which counts as damage.
    assert!(!out.join("b").exists() || fs::read(out.join("b")).unwrap().is_empty());
}

#[test]
fn leftovers_of_a_pulled_cable_take_no_space() {
    let here = folder(&[("x", &random(60_000))]);
    for (kind, options) in kinds() {
        let vboard = options
            .baud(921_600)
            .file("x", "old")
            .file(".udpcli.part", random(90_000))
            .arg("--fs-size", &140_000)
            .ready();
        board(&vboard, ["put", text(&here.path().join("x"))]).expect_code(0);
        assert!(tree(&vboard.files()) == tree(here.path()), "{kind}");
    }
}

#[test]
fn a_file_does_not_take_a_folders_place() {
    let here = folder(&[
        ("a/lib", b"file".as_slice()),
        ("b/lib/x", b"1"),
        ("c/.udpcli.part", b"left"),
        ("c/z", b"2"),
    ]);
    let vboard = VirtualBoard::options().baud(921_600).ready();
    let at = |path: &str| text(&here.path().join(path)).to_owned();
    let finished = board(&vboard, ["put", &at("a/lib"), &at("b/lib"), ":"]).expect_code(2);
    assert_says(
        &finished,
        "and a folder would have the same name on the board",
    );
    assert_untouched(&vboard, &[]);
    // `put` itself needs this name.
    let finished = board(&vboard, ["put", &at("c/.udpcli.part")]).expect_code(2);
    assert_says(&finished, "put's own temporary file");
    let finished = board(&vboard, ["put", &at("c")]).expect_code(0);
    assert_says(&finished, "left out: ");
    assert_says(&finished, "1 file: 1 written");
    let finished = board(&vboard, ["put", &at("c/z"), ":/c/z/"]).expect_code(3);
    assert_says(&finished, "a file of that name exists");
    assert_untouched(&vboard, &["c"]);
}

#[test]
fn special_files_are_written_and_not_replaced() {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};

    let vboard = VirtualBoard::options()
        .baud(921_600)
        .file("x", "new")
        .file("empty", "")
        .ready();
    let here = folder(&[("target", b"old")]);
    let at = |path: &str| here.path().join(path);
    fs::set_permissions(at("target"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("target", at("link")).unwrap();
    board(&vboard, ["get", ":x", text(&at("link"))]).expect_code(0);
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
    assert_eq!(fs::read(at("target")).unwrap(), b"new");
    let mode = fs::metadata(at("target")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let pipe = at("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    for (name, content) in [(":x", b"new".as_slice()), (":empty", b"")] {
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        board(&vboard, ["get", name, text(&pipe)]).expect_code(0);
        assert_eq!(reader.join().unwrap(), content);
    }
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let finished = board(&vboard, ["get", ":x", ":y"]).expect_code(2);
    assert_says(
        &finished,
        ":y is a second path on the board, and get takes only one",
    );
}

#[test]
fn get_overwrites_only_what_was_named() {
    use std::os::unix::fs::symlink;

    let vboard = VirtualBoard::options()
        .baud(921_600)
        .file("d/a", "from a")
        .file("d/b", "from b")
        .file("d/c", "from c")
        .ready();
    // Earlier versions of `get` wrote to this name first: here it is a user's file, and a link to one.
    let here = folder(&[
        ("d/a.udpcli-part", b"mine".as_slice()),
        ("d/precious", b"mine"),
    ]);
    let at = |path: &str| here.path().join(path);
    symlink("precious", at("d/b.udpcli-part")).unwrap();
    // Two files of the board would have the same name here; the second does not overwrite the first.
    symlink("a", at("d/c")).unwrap();
    let finished = board(&vboard, ["get", ":d", text(here.path())]).expect_code(2);
    assert_says(
        &finished,
        "/d/c and /d/a on the board would be the same file here",
    );
    assert_eq!(
        tree(here.path()),
        BTreeMap::from(
            [
                ("d/a", "from a"),
                ("d/a.udpcli-part", "mine"),
                ("d/b", "from b"),
                ("d/b.udpcli-part", "mine"),
                ("d/c", "from a"),
                ("d/precious", "mine"),
            ]
            .map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()))
        )
    );
    assert!(at("d/c").is_symlink() && at("d/b.udpcli-part").is_symlink());
}

#[test]
fn names_that_this_pc_cannot_have_are_reported_and_the_rest_is_downloaded() {
    let vboard = VirtualBoard::options().baud(921_600).ready();
    let on_board = vboard.files().join("d");
    fs::create_dir_all(on_board.join("folder")).unwrap();
    // Each of these characters needs three characters here.
    let long = "\x07".repeat(100);
    fs::write(on_board.join(&long), "too long").unwrap();
    for name in ["CON", "a:b", "folder/in", "taken", "z"] {
        fs::write(on_board.join(name), name).unwrap();
    }
    let here = folder(&[("d/folder", b"a file".as_slice()), ("d/taken/x", b"x")]);
    let finished = board(&vboard, ["get", ":d", text(here.path())]).expect_code(3);
    for words in [
        "of the board here",
        "it is longer than the 255 ",
        "d/folder",
        "d/taken",
    ] {
        assert_says(&finished, words);
    }
    let come = tree(here.path());
    for name in ["CON", "a:b", "z"] {
        assert_eq!(come[&format!("d/{name}")], name.as_bytes());
    }
    assert_eq!(come["d/folder"], b"a file");
    assert_eq!(come["d/taken/x"], b"x");
    assert_untouched(&vboard, &["d"]);
}

#[test]
fn other_file_systems_have_their_own_space() {
    let here = folder(&[("x", &random(30_000)), ("big", &random(120_000))]);
    let at = |path: &str| text(&here.path().join(path)).to_owned();
    for kind in ["VfsFat", "VfsLfs2"] {
        // The board's own file system has no space for it.
        let vboard = VirtualBoard::options()
            .baud(921_600)
            .arg("--heap", "600k")
            .arg("--fs-size", &20_000)
            .file("main.py", card(kind, "/card"))
            .ready();
        for name in [":/card/x", ":/card/x", ":/card/d/../x"] {
            board(&vboard, ["put", &at("x"), name]).expect_code(0);
        }
        fs::write(here.path().join("x"), random(25_000)).unwrap();
        board(&vboard, ["put", &at("x"), ":/card"]).expect_code(0);
        let back = board(&vboard, ["get", ":/card/x", "-"]).expect_code(0);
        assert!(back.stdout == random(25_000), "{kind}");
        let finished = board(&vboard, ["put", &at("big"), ":/card/x"]).expect_code(3);
        assert_says(&finished, "the board's file system is full: /card/x needs");
        let back = board(&vboard, ["get", ":/card/x", "-"]).expect_code(0);
        assert!(back.stdout == random(25_000), "{kind}");
        let listed = board(&vboard, ["ls", ":/card"]).expect_code(0).text();
        assert_eq!(listed, "    25000 x\n", "{kind}");
        fs::write(here.path().join("x"), random(30_000)).unwrap();
        fs::write(here.path().join("big"), random(120_000)).unwrap();
    }
}

/// Keeps printing after Ctrl-C has stopped the program, like a timer's callback.
const TICKING: &str = "import _thread, time\ndef tick():\n    while True:\n        print('tick')\n        time.sleep_ms(200)\n_thread.start_new_thread(tick, ())\nopen('on', 'w').close()\n";

#[test]
fn a_board_that_prints_in_between_is_soft_reset() {
    let noise = random(20_000);
    let here = TempDir::new().unwrap();
    for (kind, options) in kinds() {
        let mut options = options.slow().file("main.py", TICKING).file("x", &noise);
        for n in 0..60 {
            options = options.file(&format!("many/file{n}"), "");
        }
        let mut vboard = options.ready();
        let back = here.path().join(kind);
        for args in [
            ["get", ":x", text(&back)].as_slice(),
            &["ls", ":many"],
            &["info"],
        ] {
            let on = vboard.files().join("on");
            vboard.wait_until("it ticks", |_| fs::remove_file(&on).is_ok());
            vboard.reset();
            vboard.wait_until("it ticks again", |_| on.exists());
            let mut command = command(&vboard, []);
            command.args(args);
            let finished = crate::process::run_with_input(command, b"").expect_code(0);
            if args[0] == "get" {
                assert_says(&finished, "soft reset while ");
            }
        }
        assert!(fs::read(&back).unwrap() == noise, "{kind}");
    }
}

#[test]
fn names_and_files_do_not_control_the_terminal() {
    let board = VirtualBoard::options()
        .file("a\u{9b}31m\u{202e}.py", "print(1)\n")
        .file("bell", b"\x07\x1b]0;title\x07\xff\n")
        .ready();
    for (args, wanted) in [
        (&["ls", "--format", "json"][..], "\\u009b31m\\u202e.py"),
        (&["ls"], ".py"),
        (&["get", ":bell", "-"], "\\u0007\\u001b]0;title\\u0007\\xff"),
    ] {
        let mut command = crate::process::udpcli_on_terminal(
            // A pipe for stderr keeps progress off the terminal.
            "2",
            ["board", "-s", &board.port].iter().chain(args),
        );
        let finished = shown_by(&mut command);
        let text = String::from_utf8(finished).expect("what a terminal shows is text");
        assert!(text.contains(wanted), "{args:?}: {text:?}");
        let acts = |character: char| {
            matches!(character, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{202e}')
                && character != '\r'
        };
        assert!(!text.contains(acts), "{args:?}: {text:?}");
    }
}

/// The output of a command on a terminal.
fn shown_by(command: &mut std::process::Command) -> Vec<u8> {
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
