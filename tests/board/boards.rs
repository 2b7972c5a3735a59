//! The mPython board 3.0, other boards with an ESP32-S3, and generic boards: what they are called, what is mirrored of their
//! displays, and which example they get.

use serde_json::Value;

use crate::client::{assert_untouched, board, run_source, start_source};
use crate::process::{Running, loopback_socket, run, udpcli, udpcli_on_terminal};
use crate::support::{Options, VirtualBoard};

const NAME: &str = "mPython board 3.0 (掌控板 3.0)";

fn quick(profile: &str) -> Options {
    VirtualBoard::options().profile(profile).flag("--quick")
}

#[test]
fn the_board_3_0_is_called_by_its_name() {
    let vboard = quick("mpython-3.0").ready();
    let text = board(&vboard, ["info"]).expect_code(0).text();
    assert!(
        text.contains(&format!("{NAME}: mpython pro with ESP32S3")),
        "{text}"
    );
    let info = board(&vboard, ["info", "--format", "json"]).expect_code(0);
    let info: Value = serde_json::from_str(&info.text()).expect("an object");
    assert_eq!(info["board"], NAME);
    assert_eq!(info["mpython"], true);
    assert_eq!(info["version"], "1.24.1");
    let text = board(&vboard, ["list", "--probe"]).expect_code(0).text();
    assert_eq!(
        text,
        format!("{}  {NAME}: MicroPython answers\n", vboard.port)
    );
    let listed = board(&vboard, ["list", "--probe", "--format", "json"]).expect_code(0);
    let listed: Value = serde_json::from_str(&listed.text()).expect("an object");
    assert_eq!(listed["board"], NAME);
    let chinese = board(&vboard, ["--lang", "zh-CN", "info"])
        .expect_code(0)
        .text();
    assert!(
        chinese.contains("掌控板 3.0：mpython pro with ESP32S3"),
        "{chinese}"
    );
    assert_untouched(&vboard, &[]);
}

#[test]
fn the_first_board_is_known_to_a_probe_too() {
    let vboard = quick("mpython-2.x").ready();
    let listed = board(&vboard, ["list", "--probe", "--format", "json"]).expect_code(0);
    let listed: Value = serde_json::from_str(&listed.text()).expect("an object");
    assert_eq!(listed["board"], "mPython board (掌控板)");
    let info = board(&vboard, ["info", "--format", "json"]).expect_code(0);
    let info: Value = serde_json::from_str(&info.text()).expect("an object");
    assert_eq!(listed["board"], info["board"]);
}

#[test]
fn other_boards_keep_their_firmwares_name() {
    for (profile, name, mpython) in [
        ("xuejing-s3", "labplus for xuejing with ESP32S3", true),
        (
            "generic-s3-usb",
            "Generic ESP32S3 module with ESP32S3",
            false,
        ),
        ("generic-c3", "ESP32C3 module with ESP32C3", false),
    ] {
        let vboard = quick(profile).ready();
        let info = board(&vboard, ["info", "--format", "json"]).expect_code(0);
        let info: Value = serde_json::from_str(&info.text()).expect("an object");
        assert_eq!(info["machine"], name, "{profile}");
        assert_eq!(info["board"], Value::Null, "{profile}");
        assert_eq!(info["mpython"], mpython, "{profile}");
    }
}

/// A `main.py` that draws on the colour display with its own object.
const DRAWS: &str = "from lv_oled import OLED
oled = OLED()
oled.fill(0)
oled.DispChar('你好', 0, 0)
oled.DispChar('second', 10, 32, 2)
oled.show()
print('drawn')
oled.DispChar('not shown', 0, 64)
";

#[test]
fn the_texts_on_the_colour_display_are_mirrored() {
    let vboard = quick("mpython-3.0").file("main.py", DRAWS).ready();
    let finished = board(&vboard, ["oled", "--once", "--format", "json"]).expect_code(0);
    let screen: Value = serde_json::from_str(&finished.text()).expect("an object");
    assert_eq!(
        screen["texts"],
        serde_json::json!([
            {"x": 0, "y": 0, "text": "你好"},
            {"x": 10, "y": 32, "text": "second", "mode": "rev"},
        ])
    );
    assert_eq!(screen["display"], "lcd");
    assert!(
        finished
            .stderr
            .contains("this board has a colour display (320x172)"),
        "{}",
        finished.stderr
    );
    let text = board(&vboard, ["oled", "--once"]).expect_code(0).text();
    assert!(text.contains("你好") && text.contains("second"), "{text}");
}

#[test]
fn a_main_py_that_draws_in_another_file_is_mirrored_on_the_board_3_0() {
    let unused = "from lv_oled import oled\n";
    let plain = quick("mpython-3.0")
        .file("main.py", "import time\nfrom machine import Pin # unused\n")
        .file("unused.py", unused)
        .ready();
    board(&plain, ["oled", "--once"]).expect_code(3);
    let vboard = quick("mpython-3.0")
        .file("main.py", "import time, shower\nshower.draw()\n")
        .file(
            "shower.py",
            format!("{unused}def draw():\n oled.DispChar('there', 0, 0)\n oled.show()\n"),
        )
        .ready();
    let text = board(&vboard, ["oled", "--once"]).expect_code(0).text();
    assert!(text.contains("there"), "{text}");
    assert_untouched(&vboard, &["main.py", "shower.py"]);
}

/// The text of `lv_oled`, for a board that has it as a file.
const LV_OLED: &str = include_str!("../virtual_board/modules/frozen/maker_s3/lv_oled.py");

/// A module of the pupil's that draws with `display`.
fn drawing_module(import: &str) -> String {
    format!("{import}\ndef draw():\n oled.DispChar('there', 0, 0)\n oled.show()\n")
}

/// `run` on a terminal, where the mirror is only there for a program that may draw.
#[test]
fn a_program_that_draws_in_another_file_is_mirrored() {
    let source = "import time, pen\npen.line()\nprint('drawn')\n";
    for (profile, import, mirrored) in [
        ("mpython-3.0", "from lv_oled import oled", "there"),
        // As a picture: the upper half of *here*.
        (
            "mpython-2.x",
            "from mpython import oled",
            "▀▀▀▄ ▄▀▀▀▀▄ █▄▀▀▀▄ ▄▀▀▀▀▄",
        ),
    ] {
        let vboard = quick(profile)
            // Through one file more.
            .file("lib/pen.py", "from shower import draw\nline = draw\n")
            .file("shower.py", drawing_module(import))
            .ready();
        let script = vboard.files().with_file_name("program.py");
        std::fs::write(&script, source).expect("a script");
        let finished = Running::spawn(&mut udpcli_on_terminal(
            "",
            [
                "board",
                "-s",
                vboard.port.as_str(),
                "run",
                script.to_str().expect("UTF-8"),
            ],
        ))
        .finish()
        .expect_code(0);
        let shown = finished.text();
        let is_mirrored = shown.contains(mirrored);
        assert!(is_mirrored && shown.contains("drawn"), "{profile}: {shown}");
        assert_untouched(&vboard, &["lib", "shower.py"]);
    }
}

/// Frozen, a file in either place, or not there at all: which of them a real board has is not known.
#[test]
fn lv_oled_may_be_a_file_or_missing() {
    let without = || quick("mpython-3.0").arg("--without", "lv_oled");
    for path in ["lv_oled.py", "lib/lv_oled.py"] {
        let vboard = without().file("main.py", DRAWS).file(path, LV_OLED).ready();
        let text = board(&vboard, ["oled", "--once"]).expect_code(0).text();
        assert!(
            text.contains("你好") && text.contains("second"),
            "{path}: {text}"
        );
        let mut vboard = without()
            .arg("--wifi", "class:secret")
            .file(path, LV_OLED)
            .ready();
        server(&mut vboard, |stats| {
            let drawn = stats["lcd"].as_str().unwrap_or_default();
            drawn.contains("(0, 32, 1, 'hello')")
        });
    }
    let vboard = without().file("main.py", DRAWS).ready();
    let finished = board(&vboard, ["oled", "--once"]).expect_code(3);
    assert!(
        finished.stderr.contains("no OLED that can be mirrored"),
        "{}",
        finished.stderr
    );
    // The example goes on without a display.
    let mut vboard = without().arg("--wifi", "class:secret").ready();
    server(&mut vboard, |_| true);
}

/// An empty picture would claim that the display is dark.
#[test]
fn no_file_is_written_for_the_picture_that_the_colour_display_cannot_give() {
    let vboard = quick("mpython-3.0").file("main.py", DRAWS).ready();
    let path = vboard.files().with_file_name("screen.png");
    let image = path.to_str().expect("UTF-8");
    let finished = board(&vboard, ["oled", "--once", "--image", image]).expect_code(3);
    assert_eq!(finished.text(), "");
    for words in ["gives no picture back", "hint: leave out --image"] {
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
    }
    assert!(!path.exists());
    let script = vboard.files().with_file_name("draws.py");
    std::fs::write(&script, DRAWS).expect("a script");
    let script = script.to_str().expect("UTF-8");
    let finished = board(&vboard, ["run", "--image", image, script]).expect_code(0);
    assert_eq!(finished.text(), "drawn\r\n");
    assert!(
        finished.stderr.contains("no picture in "),
        "{}",
        finished.stderr
    );
    assert!(!path.exists());
    // The folder of several boards.
    let folder = vboard.files().with_file_name("screens");
    let folder_name = folder.to_str().expect("UTF-8");
    let twice = [
        "-s",
        vboard.port.as_str(),
        "oled",
        "--once",
        "--image",
        folder_name,
    ];
    let other = quick("xuejing-s3")
        .file("main.py", "from mpython import *\noled.show()\n")
        .ready();
    let finished = run(["board", "-s", &other.port].iter().chain(&twice).copied());
    let finished = finished.expect_code(1);
    assert!(
        finished.stderr.contains("gives no picture back"),
        "{}",
        finished.stderr
    );
    let saved = std::fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(saved, 1, "{}", finished.stderr);
}

#[test]
fn a_main_py_without_lv_oled_has_nothing_to_mirror_on_the_board_3_0() {
    let vboard = quick("mpython-3.0")
        .file("main.py", "from mpython import *\ndisplay.show()\n")
        .ready();
    let finished = board(&vboard, ["oled", "--once"]).expect_code(3);
    assert!(
        finished.stderr.contains("from lv_oled import OLED"),
        "{}",
        finished.stderr
    );
}

#[test]
fn the_tutorials_oled_is_a_name_error_on_the_board_3_0() {
    let vboard = quick("mpython-3.0").ready();
    let finished = run_source(&vboard, "from mpython import *\noled.fill(0)\n").expect_code(1);
    assert!(
        finished.stderr.contains("NameError: name 'oled'"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("[no-oled-on-this-board]")
            && finished.stderr.contains("from lv_oled import OLED"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_bare_except_does_not_hide_that_the_board_3_0_has_no_oled() {
    let hides = "from mpython import *\ntry:\n oled.fill(0)\n oled.show()\nexcept:\n pass\n";
    let loops = "from mpython import *\nimport time\nprint('loops')\nwhile True:\n try:\n  time.sleep(0.01)\n  oled.show()\n except NameError:\n  pass\n except:\n  break\n";
    let told = "[no-oled-on-this-board]";
    let board_3 = quick("mpython-3.0").ready();
    let finished = run_source(&board_3, hides).expect_code(0);
    for words in [
        told,
        "the bare except: of the program hides the NameError",
        "from lv_oled import OLED",
    ] {
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
    }
    // The user ends a program that never ends.
    let mut running = start_source(&board_3, loops);
    assert_eq!(running.stdout_line(), "loops\r\n");
    let finished = running.interrupt().expect_code(0);
    assert!(finished.stderr.contains(told), "{}", finished.stderr);
    // Where the program is prepared, or the board has an OLED, nothing is hidden.
    let prepared = "try:\n from mpython import oled\nexcept:\n oled = None\nif oled: oled.show()\n";
    let finished = run_source(&board_3, prepared).expect_code(0);
    assert!(!finished.stderr.contains(told), "{}", finished.stderr);
    assert_untouched(&board_3, &[]);
    let first = quick("mpython-2.x").ready();
    let finished = run_source(&first, hides).expect_code(0);
    assert!(!finished.stderr.contains(told), "{}", finished.stderr);
}

/// `run --example server` on a board, one datagram to it, and what the display shows then.
fn server(vboard: &mut VirtualBoard, shown: impl Fn(&Value) -> bool + Copy) {
    let free = loopback_socket();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let mut running = Running::spawn(
        udpcli(["board", "-s", &vboard.port, "run", "--ssid", "class"])
            .args([
                "--password-env",
                "CLASS_WIFI",
                "--example",
                "server",
                "--port",
                &port,
            ])
            .env("CLASS_WIFI", "secret"),
    );
    let mut line = running.stdout_line();
    while !line.contains("waiting on") {
        line = running.stdout_line();
    }
    run(["send", &format!("127.0.0.1:{port}"), "hello"]).expect_code(0);
    let line = running.stdout_line();
    assert!(line.starts_with("received: b'hello'"), "{line}");
    vboard.wait_until("the text is on the display", shown);
    running.interrupt().expect_code(0);
}

#[test]
fn the_example_fits_the_board() {
    let in_class = |profile| quick(profile).arg("--wifi", "class:secret").ready();
    let mut vboard = in_class("mpython-3.0");
    server(&mut vboard, |stats| {
        let drawn = stats["lcd"].as_str().expect("a text");
        drawn.contains("(0, 32, 1, 'hello')") && drawn.contains("(0, 64, 1, 'from127.0.0.1')")
    });
    let mut vboard = in_class("xuejing-s3");
    server(&mut vboard, |stats| stats["shows"].as_u64() > Some(2));
    // Without an OLED the program goes on without drawing.
    let mut vboard = in_class("generic-c3");
    server(&mut vboard, |_| true);
}

#[test]
fn boards_with_an_s3_and_the_oled_work_as_the_first_board_does() {
    let main = "from mpython import *\noled.fill(0)\noled.DispChar('你好', 0, 0)\noled.show()\n";
    let vboard = quick("xuejing-s3").file("main.py", main).ready();
    let finished = board(&vboard, ["oled", "--once", "--format", "json"]).expect_code(0);
    let screen: Value = serde_json::from_str(&finished.text()).expect("an object");
    assert_eq!(screen["texts"][0]["text"], "你好");
    assert_eq!(screen.get("display"), None);
    let local = vboard.files().with_file_name("x.py");
    std::fs::write(&local, "print(1)\n").expect("a file");
    board(&vboard, ["put", local.to_str().expect("UTF-8")]).expect_code(0);
    assert!(vboard.files().join("x.py").exists());
}
