//! File transfer over a line that damages bytes, loses bytes or breaks: the result is the old file or the complete new
//! one.

use std::fs;

use serde_json::json;
use udpcli::board::files::Files;
use udpcli::board::repl::Repl;

use crate::client::{assert_untouched, board, kinds, start};
use crate::enter::{address, shutdown};
use crate::files::{assert_says, folder, random, source, text};

#[test]
fn damage_gives_the_new_file_or_keeps_the_old_one() {
    let new = source(12_000);
    let here = folder(&[("main.py", &new)]);
    for (kind, options) in kinds() {
        for (direction, probability) in [
            ("down", 0.001),
            ("up", 0.001),
            ("both", 0.001),
            ("both", 0.01),
        ] {
            let options = options.clone().baud(921_600);
            let mut vboard = options.file("main.py", "old").ready();
            vboard.control(
                "garble",
                json!({"probability": probability, "seed": 1, "direction": direction}),
            );
            let finished = board(&vboard, ["put", text(&here.path().join("main.py"))]);
            vboard.control("garble", json!({"probability": 0, "direction": "both"}));
            let there = fs::read(vboard.files().join("main.py")).unwrap();
            let what = format!(
                "{kind} {direction} {probability}: {:?} {}",
                finished.code, finished.stderr
            );
            match finished.code {
                Some(0) => assert!(there == new, "{what}"),
                Some(3) => assert!(there == b"old" || there == new, "{what}"),
                _ => panic!("{what}"),
            }
            assert!(probability > 0.005 || finished.code == Some(0), "{what}");
            // On a good line everything works again, and leftovers of a failed run are removed.
            board(&vboard, ["put", text(&here.path().join("main.py"))]).expect_code(0);
            // A very bad line may have changed our names into others.
            if probability < 0.005 {
                assert_untouched(&vboard, &["main.py"]);
            }
        }
    }
}

#[test]
fn lost_bytes_are_sent_again() {
    let new = random(30_000);
    let here = folder(&[("x", &new)]);
    for (kind, options) in kinds() {
        let mut vboard = options.slow().ready();
        let mut running = start(&vboard, ["put", text(&here.path().join("x"))]);
        for n in 1..=4 {
            vboard.wait_until("it is under way", |stats| {
                stats["down"].as_u64() > Some(n * 6000)
            });
            vboard.control("drop", json!({"bytes": 7}));
        }
        let _ = running.stderr_line_with("sent again");
        running.finish().expect_code(0);
        assert!(fs::read(vboard.files().join("x")).unwrap() == new, "{kind}");
    }
}

#[test]
fn a_lost_reply_is_requested_again() {
    let content = random(3000);
    for (kind, options) in kinds() {
        let mut vboard = options.file("x", &content).ready();
        let mut repl = Repl::open(&address(&vboard), shutdown()).unwrap();
        let mut drops = 2;
        let got = Files::with(&mut repl, |files| {
            let found = files.look(&["/x".to_owned()])?;
            files.get("/x", &found[0], &mut |at| {
                if at == 0 && drops > 0 {
                    drops -= 1;
                    vboard.control("drop", json!({"bytes": 3, "direction": "up"}));
                }
            })
        });
        assert!(got.unwrap() == content, "{kind}");
        repl.close().unwrap();
        assert_untouched(&vboard, &["x"]);
    }
}

#[test]
fn a_pulled_cable_leaves_the_old_file() {
    let new = random(30_000);
    let here = folder(&[("x", &new)]);
    for (kind, options) in kinds() {
        let mut vboard = options.slow().file("x", "old").ready();
        let running = start(&vboard, ["put", text(&here.path().join("x"))]);
        vboard.wait_until("it is under way", |stats| {
            stats["down"].as_u64() > Some(12_000)
        });
        vboard.unplug();
        let finished = running.finish().expect_code(3);
        assert_says(&finished, "is gone");
        assert_eq!(
            fs::read(vboard.files().join("x")).unwrap(),
            b"old",
            "{kind}"
        );
        vboard.plug();
        board(&vboard, ["put", text(&here.path().join("x"))]).expect_code(0);
        assert!(fs::read(vboard.files().join("x")).unwrap() == new, "{kind}");
        assert_untouched(&vboard, &["x"]);
    }
}

#[test]
fn a_restart_during_put_leaves_the_old_file() {
    let here = folder(&[("x", &random(30_000))]);
    for (kind, options) in kinds() {
        let mut vboard = options.file("x", "old").ready();
        vboard.control("reboot_after", json!({"bytes": 12_000}));
        // On a fast line, udpcli begins again.
        let x = here.path().join("x");
        let finished = board(&vboard, ["put", "--line-rate", "keep", text(&x)]).expect_code(3);
        assert_says(&finished, "the board restarted while writing /x");
        assert_eq!(
            fs::read(vboard.files().join("x")).unwrap(),
            b"old",
            "{kind}"
        );
        // The board is reachable again, without any leftovers of udpcli.
        assert_untouched(&vboard, &["x"]);
        board(&vboard, ["put", text(&here.path().join("x"))]).expect_code(0);
        assert_untouched(&vboard, &["x"]);
    }
}

#[test]
fn ctrl_c_leaves_the_old_file_and_nothing_else() {
    let here = folder(&[("x", &random(30_000))]);
    for (kind, options) in kinds() {
        let mut vboard = options.slow().file("x", "old").ready();
        let running = start(&vboard, ["put", text(&here.path().join("x"))]);
        vboard.wait_until("it is under way", |stats| {
            stats["down"].as_u64() > Some(12_000)
        });
        let finished = running.interrupt().expect_code(130);
        assert_says(
            &finished,
            "stopped: the file that udpcli was writing is unchanged",
        );
        assert_eq!(
            fs::read(vboard.files().join("x")).unwrap(),
            b"old",
            "{kind}"
        );
        assert_untouched(&vboard, &["x"]);

        // The same during a download.
        fs::write(vboard.files().join("y"), random(30_000)).unwrap();
        let up = vboard.count("up");
        let target = here.path().join("y");
        let running = start(&vboard, ["get", ":y", text(&target)]);
        vboard.wait_until("it is under way", |stats| {
            stats["up"].as_u64() > Some(up + 6000)
        });
        running.interrupt().expect_code(130);
        assert!(!target.exists(), "{kind}");
        assert_untouched(&vboard, &["x", "y"]);
    }
}
