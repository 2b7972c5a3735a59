//! A pupil's files with the names of the firmware's modules: no command imports them in place of the module; if one
//! interferes, the error names the file and how to remove it.

use std::fs;

use crate::client::{board, run_source};
use crate::files::{folder, text};
use crate::process::Finished;
use crate::support::{Options, VirtualBoard};

const PROFILES: [&str; 6] = [
    "mpython-1.0",
    "mpython-1.4",
    "mpython-2.x",
    "mixly-1.19",
    "generic-1.17",
    "generic-1.26",
];

/// Every module that our programs on the board import, directly or through `mpython`, without the prefix `u`.
const MODULES: [&str; 26] = [
    "array",
    "binascii",
    "collections",
    "deflate",
    "errno",
    "esp",
    "framebuf",
    "gc",
    "hashlib",
    "io",
    "json",
    "machine",
    "math",
    "micropython",
    "network",
    "os",
    "random",
    "re",
    "select",
    "socket",
    "struct",
    "sys",
    "time",
    "uctypes",
    "zlib",
    "neopixel",
];

fn shadow(options: Options, name: &str) -> Options {
    options.file(
        &format!("{name}.py"),
        format!("raise ValueError('shadow of {name}')\n"),
    )
}

/// The error must not blame the cable.
#[track_caller]
fn assert_no_bad_line(finished: &Finished, what: &str) {
    for word in ["damaged", "cable", "soft reset", "shadow of"] {
        assert!(
            !finished.stderr.contains(word),
            "{what}: {}",
            finished.stderr
        );
    }
}

/// Runs every command but `oled`, with exit code 0.
#[track_caller]
fn assert_commands_work(vboard: &VirtualBoard, what: &str) {
    let here = folder(&[("new.py", b"print('new')\n"), ("run.py", b"print(6 * 7)\n")]);
    let at = |name: &str| text(&here.path().join(name)).to_owned();
    let ok = |finished: Finished| {
        let finished = finished.expect_code(0);
        assert_no_bad_line(&finished, what);
        finished
    };
    ok(board(vboard, ["info"]));
    ok(board(vboard, ["info", "--format", "json"]));
    assert!(ok(board(vboard, ["ls"])).text().contains(".py"), "{what}");
    ok(board(vboard, ["put", &at("new.py"), ":"]));
    assert_eq!(
        ok(board(vboard, ["get", ":new.py", "-"])).stdout,
        b"print('new')\n",
        "{what}"
    );
    ok(board(vboard, ["rm", ":new.py"]));
    assert!(!vboard.files().join("new.py").exists(), "{what}");
    assert_eq!(
        ok(board(vboard, ["run", &at("run.py")])).text(),
        "42\r\n",
        "{what}"
    );
    assert_eq!(ok(run_source(vboard, "print(1)")).text(), "1\r\n", "{what}");
}

/// Draws, if the firmware's module can be imported.
const DRAWS: &str = "
import mpython
oled = getattr(mpython, 'oled', None) or mpython.onboard_oled
oled.fill(0)
oled.text('hi', 0, 0)
oled.show()
while True: pass
";

/// One look at the OLED while `main.py` draws.
fn look(vboard: &VirtualBoard) -> Finished {
    fs::write(vboard.files().join("main.py"), DRAWS).expect("main.py");
    let finished = board(vboard, ["oled", "--once"]);
    fs::remove_file(vboard.files().join("main.py")).expect("main.py goes");
    finished
}

/// Either the picture appears, or a sentence names the interfering file and how to remove it.
#[track_caller]
fn assert_oled_works_or_names_the_file(vboard: &VirtualBoard, what: &str) {
    let finished = look(vboard);
    if finished.code == Some(0) {
        return;
    }
    assert_eq!(finished.code, Some(3), "{what}: {}", finished.stderr);
    for word in ["damaged", "cable"] {
        assert!(
            !finished.stderr.contains(word),
            "{what}: {}",
            finished.stderr
        );
    }
    assert!(
        finished.stderr.contains("udpcli board rm :"),
        "{what}: {}",
        finished.stderr
    );
}

#[test]
fn a_file_with_any_modules_name_stops_no_command() {
    for profile in PROFILES {
        let mut options = VirtualBoard::options().profile(profile).baud(921_600);
        for name in MODULES {
            options = shadow(options, name);
        }
        let vboard = options.ready();
        assert_commands_work(&vboard, profile);
        if profile.starts_with("mpython") || profile.starts_with("mixly") {
            assert_oled_works_or_names_the_file(&vboard, profile);
        }
        // Removing the files works too.
        for name in MODULES {
            let path = format!(":/{name}.py");
            board(&vboard, ["rm", &path]).expect_code(0);
        }
        let left = fs::read_dir(vboard.files())
            .expect("the board's files")
            .filter(|entry| {
                let name = entry.as_ref().expect("an entry").file_name();
                name != "boot.py"
            })
            .count();
        assert_eq!(left, 0, "{profile}");
    }
}

#[test]
fn a_file_named_mpython_stops_no_command() {
    for profile in ["mpython-1.4", "mpython-2.x", "mixly-1.19"] {
        for first in ["file", "frozen"] {
            let what = format!("{profile}, {first} first");
            let options = VirtualBoard::options()
                .profile(profile)
                .baud(921_600)
                .arg("--mpython-first", first);
            let vboard = shadow(options, "mpython").ready();
            assert_commands_work(&vboard, &what);
            let finished = look(&vboard);
            if first == "frozen" {
                finished.expect_code(0);
            } else {
                let finished = finished.expect_code(3);
                assert!(
                    finished.stderr.contains("ValueError: shadow of mpython")
                        && finished.stderr.contains("udpcli board rm :mpython.py"),
                    "{what}: {}",
                    finished.stderr
                );
            }
        }
    }
}
