//! What mpremote's users type.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::client::{assert_untouched, board, command};
use crate::files::text;
use crate::process::{Running, run_with_input, udpcli_on_terminal};
use crate::support::{VirtualBoard, mpremote_ok};

fn quick() -> crate::support::Options {
    VirtualBoard::options().flag("--quick")
}

#[test]
fn empty_files_empty_folders_and_hashes() {
    let vboard = quick().file("a.txt", "abc").file("lib/x.py", "x").ready();
    board(&vboard, ["touch", ":new.py", ":a.txt"]).expect_code(0);
    assert_eq!(fs::read(vboard.files().join("new.py")).unwrap(), b"");
    assert_eq!(fs::read(vboard.files().join("a.txt")).unwrap(), b"abc");
    let said = board(&vboard, ["touch", ":/no/x"]).expect_code(3).stderr;
    assert!(said.contains("the folder is not there"), "{said}");
    let sums = board(&vboard, ["sha256sum", ":a.txt"])
        .expect_code(0)
        .text();
    let theirs = mpremote_ok(&vboard, ["fs", "sha256sum", ":a.txt"]);
    let hash = theirs.lines().last().unwrap();
    assert_eq!(sums, format!("{hash}  /a.txt\n"));
    let said = board(&vboard, ["sha256sum", ":lib"]).expect_code(3).stderr;
    assert!(said.contains("is a folder"), "{said}");
    for (path, says) in [
        (":lib", "the folder is not empty"),
        (":a.txt", "it is a file"),
        (":none", "/none is not on the board"),
        (":/", "a file system is mounted there"),
    ] {
        let said = board(&vboard, ["rmdir", path]).expect_code(3).stderr;
        assert!(said.contains(says), "{path}: {said}");
    }
    board(&vboard, ["rm", ":lib/x.py"]).expect_code(0);
    board(&vboard, ["rmdir", ":lib"]).expect_code(0);
    assert_untouched(&vboard, &["a.txt", "new.py"]);
}

#[test]
fn commands_with_a_plus_between_them_are_steps() {
    let vboard = quick().ready();
    let words = "exec x=['a\\nb','c\"d'] + eval len(x) + sleep 0.1 + fs ls +";
    let mut finished = command(&vboard, []);
    finished.args(words.split(' '));
    let finished = run_with_input(finished, b"").expect_code(0);
    assert_eq!(finished.text(), "2\n");
    assert!(
        finished.stderr.contains("step 4 of 4: fs ls"),
        "{}",
        finished.stderr
    );
    let mut last = command(&vboard, ["exec", "y = 7", "+", "resume", "repl"]);
    let said = run_with_input(std::mem::replace(&mut last, command(&vboard, [])), b"");
    assert!(
        said.expect_code(2)
            .stderr
            .contains("resume cannot be a step")
    );
    let finished = run_with_input(
        command(&vboard, ["exec", "y = 7", "+", "repl"]),
        b"print(y * 6)\n",
    );
    assert!(finished.expect_code(0).text().contains("42"));
    let port = vboard.port.clone();
    for words in [["connect", &port, "eval", "3"], ["connect", "list", "", ""]] {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let mut connected = crate::process::udpcli(["board"]);
        connected.args(words).env_remove("UDPCLI_SERIAL");
        run_with_input(connected, b"").expect_code(0);
    }
}

#[test]
fn what_udpcli_calls_otherwise_or_lacks_is_said() {
    for (words, says) in [
        ("setrtc", "write: udpcli board rtc --set"),
        ("u0 ls", "write: udpcli board -s /dev/ttyUSB0"),
        ("mount .", "udpcli cannot mount a folder"),
        ("-s /dev/x --baud 9600 romfs query", "udpcli writes no ROM"),
        ("u0 ls", "write: udpcli board -s /dev/ttyUSB0 ls"),
        (
            "eval 1/2 eval 3/4",
            "put a + between commands: udpcli board eval 1/2 + eval 3/4",
        ),
        (
            "-s /dev/x soft-reset exec 2",
            "udpcli board -s /dev/x soft-reset + exec 2",
        ),
        (
            "exec x=5 resume eval x",
            "udpcli board exec x=5 + resume eval x",
        ),
        ("mip install x", "udpcli installs no packages"),
        ("disconnect", "leave out disconnect"),
        ("bootloader", "download mode itself"),
    ] {
        let mut refused = crate::process::udpcli(["board"]);
        refused.args(words.split(' ')).env_remove("UDPCLI_SERIAL");
        let said = run_with_input(refused, b"").expect_code(2).stderr;
        assert!(said.contains(says), "{words}: {said}");
    }
    let mut refused = crate::process::udpcli(["board", "tree", "-s", ":lib"]);
    let said = run_with_input(
        std::mem::replace(&mut refused, crate::process::udpcli([""])),
        b"",
    );
    let said = said.expect_code(3).stderr;
    assert!(said.contains("udpcli board tree --size"), "{said}");
}

#[test]
fn a_file_is_edited_and_put_back_if_it_changed() {
    let vboard = quick().file("main.py", "print(1)\n").ready();
    let here = tempfile::TempDir::new().unwrap();
    let program = |name: &str, code: &str| {
        let path = here.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{code}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let edit = |path: &str, editor: &str| {
        let mut edit = command(&vboard, ["edit", path]);
        edit.env("TMPDIR", here.path())
            .env_remove("VISUAL")
            .env("EDITOR", editor);
        run_with_input(edit, b"")
    };
    let adds = program("adds", "echo \"# $1\" >> \"$2\"");
    edit(":main.py", &format!("{} more", text(&adds))).expect_code(0);
    let main = vboard.files().join("main.py");
    assert_eq!(fs::read_to_string(&main).unwrap(), "print(1)\n# more\n");
    let said = edit(":main.py", "true").expect_code(0).stderr;
    assert!(said.contains("/main.py is unchanged"), "{said}");
    edit(":new.txt", &format!("{} first", text(&adds))).expect_code(0);
    assert_eq!(
        fs::read(vboard.files().join("new.txt")).unwrap(),
        b"# first\n"
    );
    for editor in ["false", "/no/such/editor"] {
        let said = edit(":main.py", editor).expect_code(3).stderr;
        assert!(said.contains("name your editor"), "{said}");
    }
    // If the file cannot be put back, the text is kept.
    let removes = program(
        "removes",
        &format!(
            "echo x > \"$1\"; chmod 0 '{0}'; rm -r '{0}'",
            text(&vboard.files().join("lib"))
        ),
    );
    fs::create_dir(vboard.files().join("lib")).unwrap();
    fs::write(vboard.files().join("lib/a.py"), "1").unwrap();
    let said = edit(":lib/a.py", text(&removes)).expect_code(3).stderr;
    let kept = said
        .split("your text is in ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    assert_eq!(fs::read(kept.unwrap()).unwrap(), b"x\n", "{said}");
    let left = fs::read_dir(here.path()).unwrap();
    let left = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("udpcli-")
    });
    assert_eq!(left.count(), 1);
    assert_untouched(&vboard, &["main.py", "new.txt"]);
}

#[test]
fn the_prompt_is_captured_and_types_code_and_files() {
    let vboard = quick().ready();
    let here = tempfile::TempDir::new().unwrap();
    let capture = here.path().join("log.txt");
    let file = here.path().join("test.py");
    fs::write(&file, "for i in range(2):\n    print('file', i)\n").unwrap();
    let mut running = Running::spawn(&mut udpcli_on_terminal(
        "",
        [
            "board",
            "-s",
            &vboard.port,
            "repl",
            "--capture",
            text(&capture),
            "--inject-code",
            "word = 'co' + 'de'\\nprint(word)",
            "--inject-file",
            text(&file),
        ],
    ));
    let wait = |running: &mut Running, text: &str| while !running.stdout_line().contains(text) {};
    wait(&mut running, "Ctrl-]");
    running.type_in(b"print('re' + 'ady')\r");
    wait(&mut running, "ready");
    running.type_in(b"\n");
    wait(&mut running, "code");
    running.type_in(b"\x0b");
    wait(&mut running, "file 1");
    running.type_in(b"\x1d");
    running.finish().expect_code(0);
    let captured = fs::read_to_string(&capture).unwrap();
    for said in ["ready\r\n", "code\r\n", "file 0\r\nfile 1\r\n"] {
        assert!(captured.contains(said), "{captured}");
    }
    let finished = board(&vboard, ["repl", "--capture", "/dev/full"]).expect_code(2);
    assert!(
        finished.stderr.contains("--capture needs a file"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_full_board_has_no_room_for_a_folder_or_a_file() {
    for profile in ["mpython-1.4", "generic-1.26"] {
        let vboard = quick()
            .profile(profile)
            .arg("--fs-size", "8192")
            .file("a.bin", vec![7; 8192])
            .ready();
        for args in [["mkdir", ":d"], ["mkdir", ":d2"]] {
            let said = board(&vboard, args).expect_code(3).stderr;
            for part in [
                "cannot write /d",
                "on the board: the file system is full",
                "hint: udpcli board ls -r shows what takes the space",
            ] {
                assert!(said.contains(part), "{profile}: {said}");
            }
        }
        assert_untouched(&vboard, &["a.bin"]);
    }
}
