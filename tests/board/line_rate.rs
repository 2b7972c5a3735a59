//! `--line-rate`: transfers at a higher rate of the line, and back, whatever happens meanwhile.
//!
//! The virtual board has the ESP32's divider: at different rates of the two ends, noise arrives.
//!
//! Long because each fault ends with the same check that the board is as before.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{assert_untouched, board, command, start};
use crate::files::{folder, random, text};
use crate::process::run_with_input;
use crate::support::VirtualBoard;

/// Whether the board has its old rate, which 1.4 makes from a clock that is 0.6 % off.
fn is_old(rate: u64) -> bool {
    (114_000..117_000).contains(&rate)
}

/// The board is at its old rate, has no traces of udpcli, and was at most at `fastest`.
#[track_caller]
fn assert_back(vboard: &mut VirtualBoard, files: &[&str]) {
    let rate = vboard.count("rate");
    assert!(is_old(rate), "the board is at {rate} baud");
    assert_untouched(vboard, files);
}

/// Puts a file, and checks that it arrives.
#[track_caller]
fn put_with(vboard: &VirtualBoard, path: &Path, arguments: &[&str]) {
    let mut put = command(vboard, ["put", text(path)]);
    put.args(arguments);
    run_with_input(put, b"").expect_code(0);
    let there = vboard.files().join(path.file_name().unwrap());
    assert!(fs::read(there).unwrap() == fs::read(path).unwrap());
}

#[test]
fn every_firmware_is_switched_and_returns() {
    let content = random(17_000);
    let here = folder(&[("x", &content)]);
    // From the APB clock, and from REF_TICK.
    for profile in ["mpython-1.0", "mpython-1.4", "generic-1.26"] {
        let mut vboard = VirtualBoard::options()
            .slow()
            .profile(profile)
            .flag("--quick")
            .ready();
        board(&vboard, ["put", text(&here.path().join("x"))]).expect_code(0);
        assert_back(&mut vboard, &["x"]);
        let there = fs::read(vboard.files().join("x")).unwrap();
        assert!(there == content, "{profile}");
        let changes = vboard.count("rate_changes");
        let target = here.path().join("back");
        board(&vboard, ["get", ":x", text(&target)]).expect_code(0);
        assert!(fs::read(&target).unwrap() == content, "{profile}");
        fs::remove_file(&target).unwrap();
        assert!(is_old(vboard.count("rate")), "{profile}");
        assert!(vboard.count("rate_changes") > changes, "{profile}");
        let fastest = vboard.count("fastest");
        assert!(
            (910_000..930_000).contains(&fastest),
            "{profile}: {fastest}"
        );
    }
}

#[test]
fn the_rate_changes_for_much_and_on_request() {
    let here = folder(&[("x", &random(16_000)), ("y", &random(17_000))]);
    let mut vboard = fast_board();
    for (name, arguments) in [("x", &[] as &[&str]), ("y", &["--line-rate", "keep"])] {
        put_with(&vboard, &here.path().join(name), arguments);
    }
    assert_eq!(vboard.count("fastest"), 0);
    fs::remove_file(vboard.files().join("x")).unwrap();
    put_with(&vboard, &here.path().join("x"), &["--line-rate", "250000"]);
    let fastest = vboard.count("fastest") / 8;
    assert!((247_000..253_000).contains(&fastest), "{fastest}");
    // A board that saves power has another clock.
    let mut vboard = VirtualBoard::options()
        .baud(921_600)
        .flag("--quick")
        .file("boot.py", "import machine\nmachine.freq(40000000)\n")
        .ready();
    put_with(&vboard, &here.path().join("y"), &[]);
    assert_eq!(vboard.count("fastest"), 0);
}

#[test]
fn a_programs_timers_are_left_alone() {
    let timers = |numbers: &str| {
        format!(
            "import machine\ncount = 0\ndef tick(_):\n    global count\n    count += 1\n    \
             with open('ticks', 'w') as file:\n        file.write(str(count))\n\
             timers = [machine.Timer(n) for n in ({numbers})]\n\
             for timer in timers:\n    timer.init(mode=1, period=50, callback=tick)\n"
        )
    };
    let here = folder(&[("x", &random(17_000))]);
    // Timer(11) is the hardware's third.
    for (numbers, is_fast) in [("11,", true), ("8, 1, 2, 11", false)] {
        let mut vboard = VirtualBoard::options()
            .slow()
            .profile("mpython-1.4")
            .flag("--quick")
            .file("main.py", timers(numbers))
            .ready();
        vboard.wait_until("it is at its prompt", |stats| stats["stage"] == "repl");
        board(&vboard, ["put", text(&here.path().join("x"))]).expect_code(0);
        assert_eq!(vboard.count("fastest") > 0, is_fast, "{numbers}");
        assert!(is_old(vboard.count("rate")), "{numbers}");
        // The program's timers tick on.
        let ticks = vboard.files().join("ticks");
        let count = || fs::read_to_string(&ticks).unwrap_or_default();
        let first = count();
        let until = Instant::now() + Duration::from_secs(10);
        while count() == first || count().is_empty() {
            assert!(Instant::now() < until, "{numbers}: still {first}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn no_sector_of_the_flash_is_written_twice_and_no_byte_is_lost() {
    let content = random(102_400);
    let here = folder(&[("x", &content)]);
    let mut vboard = VirtualBoard::options().slow().flag("--flash-time").ready();
    let mut tries = 0;
    loop {
        let before = vboard.stats();
        board(&vboard, ["put", text(&here.path().join("x"))]).expect_code(0);
        assert!(fs::read(vboard.files().join("x")).unwrap() == content);
        let after = vboard.stats();
        let count = |key: &str| after[key].as_u64().unwrap() - before[key].as_u64().unwrap();
        // On a busy PC, a frame that was confirmed too late goes again.
        let (sectors, lost, down) = (count("sectors"), count("lost"), count("down"));
        tries += 1;
        if down > 111_000 && tries < 4 {
            fs::remove_file(vboard.files().join("x")).unwrap();
            continue;
        }
        // The file's 25 sectors, those of the table, and those of the folder: at the file's start, at its end, and for
        // its name.
        assert_eq!((sectors, lost), (29, 0));
        // Code, frames and data together.
        assert!(down < 111_000, "{down}");
        return;
    }
}

#[test]
fn a_piece_that_the_flash_takes_long_for_is_waited_for() {
    // A compressed frame contains several sectors, so the board answers later than the 300 ms of a nudge.
    let here = folder(&[("x", &crate::files::source(60_000))]);
    let mut vboard = VirtualBoard::options().slow().flag("--flash-time").ready();
    let mut changes = 0;
    // A busy PC may be too late for a frame.
    for _ in 0..3 {
        let before = vboard.count("rate_changes");
        put_with(&vboard, &here.path().join("x"), &[]);
        fs::remove_file(vboard.files().join("x")).unwrap();
        changes = vboard.count("rate_changes") - before;
        if changes == WRITES {
            return;
        }
    }
    panic!("{changes} writes of the registers for one change of the rate");
}

#[test]
fn a_port_of_another_computer_is_changed_if_it_can_be() {
    let here = folder(&[("x", &random(17_000))]);
    for (flag, is_fast) in [("--tcp", false), ("--rfc2217", true)] {
        let mut vboard = VirtualBoard::options()
            .baud(921_600)
            .flag(flag)
            .flag("--quick")
            .ready();
        put_with(&vboard, &here.path().join("x"), &[]);
        let fastest = vboard.count("fastest");
        assert_eq!(fastest > 8 * 900_000, is_fast, "{flag}: {fastest}");
    }
}

#[test]
fn a_rate_that_does_not_work_costs_time_only() {
    let content = random(17_000);
    let here = folder(&[("x", &content)]);
    for (fault, arguments, expected) in [
        // The board ignores the write.
        ("keep_rate", json!({}), 0),
        // The adapter does not go beyond 500,000 baud.
        ("host_most", json!({"baud": 500_000}), 8 * 450_000),
        // The line is bad at high rates.
        (
            "fast_noise",
            json!({"probability": 0.01, "beyond": 8 * 300_000}),
            8 * 230_000,
        ),
        (
            "fast_noise",
            json!({"probability": 0.0005, "beyond": 1_000_000}),
            0,
        ),
    ] {
        let mut vboard = fast_board();
        vboard.control(fault, arguments);
        put_with(&vboard, &here.path().join("x"), &[]);
        if expected > 0 {
            let target = here.path().join("back");
            board(&vboard, ["get", ":x", text(&target)]).expect_code(0);
            assert!(fs::read(&target).unwrap() == content, "{fault}");
            fs::remove_file(&target).unwrap();
        }
        assert_usable(&mut vboard, fault);
        if expected > 0 {
            assert!(vboard.count("fastest") >= expected, "{fault}");
        }
    }
}

/// Starts a put of 150 KB and waits until it is under way on the fast line. A busy PC may miss the handshake; then it
/// begins again.
fn under_way(vboard: &mut VirtualBoard) -> (crate::process::Running, tempfile::TempDir) {
    let here = folder(&[("x", &random(150_000))]);
    for _ in 0..5 {
        let running = start(vboard, ["put", text(&here.path().join("x"))]);
        let down = vboard.count("down");
        let stats = vboard.wait_until("it is under way", |stats| {
            stats["down"].as_u64() > Some(down + 30_000)
        });
        if stats["rate"].as_u64() > Some(200_000) {
            return (running, here);
        }
        running.interrupt();
    }
    panic!("the line was never fast");
}

#[test]
fn a_killed_pc_leaves_a_board_that_returns_by_itself_and_works_at_once() {
    for waits in [true, false] {
        let mut vboard = VirtualBoard::options().slow().ready();
        let (running, _here) = under_way(&mut vboard);
        running.signal("KILL");
        drop(running);
        if waits {
            vboard.wait_until("the board is at its old rate", |stats| {
                stats["rate"].as_u64().is_some_and(is_old)
            });
        }
        let finished = board(&vboard, ["exec", "print(6*7)"]).expect_code(0);
        assert_eq!(finished.text(), "42\r\n");
        let rate = vboard.count("rate");
        assert!(is_old(rate), "{rate}");
    }
}

#[test]
fn ctrl_c_returns_to_the_old_rate_in_time() {
    let mut vboard = VirtualBoard::options().slow().ready();
    let (running, _here) = under_way(&mut vboard);
    let asked = Instant::now();
    running.interrupt().expect_code(130);
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_back(&mut vboard, &[]);
}

#[test]
fn a_reset_and_a_pulled_cable_end_a_fast_transfer_with_an_ordinary_board() {
    for fault in ["reset", "unplug"] {
        let mut vboard = VirtualBoard::options().slow().ready();
        let (running, _here) = under_way(&mut vboard);
        vboard.control(fault, json!({}));
        let finished = running.finish();
        // After a reset the file is written again.
        let is_expected = matches!((fault, finished.code), ("reset", Some(0)) | (_, Some(3)));
        assert!(
            is_expected,
            "{fault}: {:?} {}",
            finished.code, finished.stderr
        );
        if fault == "unplug" {
            vboard.plug();
        }
        vboard.wait_ready();
        let finished = board(&vboard, ["exec", "print(6*7)"]).expect_code(0);
        assert_eq!(finished.text(), "42\r\n", "{fault}");
    }
}

#[test]
fn steps_of_do_change_the_rate_one_by_one() {
    let content = random(17_000);
    let here = folder(&[("x", &content)]);
    let mut vboard = VirtualBoard::options().slow().flag("--quick").ready();
    let steps = ["do", "put x", "exec print(6*7)", "get :x back"];
    let mut command = command(&vboard, steps);
    command.current_dir(here.path());
    let finished = run_with_input(command, b"").expect_code(0);
    assert_eq!(finished.text(), "42\r\n");
    assert!(fs::read(here.path().join("back")).unwrap() == content);
    assert!(vboard.count("fastest") > 200_000);
    assert_back(&mut vboard, &["x"]);
    let refused = board(&vboard, ["do", "put x --line-rate keep"]).expect_code(2);
    assert!(refused.stderr.contains("before do"), "{refused:?}");
}

#[test]
fn each_save_goes_over_a_fast_line() {
    let here = folder(&[("x", &random(17_000))]);
    let mut vboard = VirtualBoard::options().slow().flag("--quick").ready();
    let mut running = start(&vboard, ["put", text(&here.path().join("x")), "--watch"]);
    running.stderr_line_with("Ctrl-C ends it");
    let changes = vboard.count("rate_changes");
    assert!(is_old(vboard.count("rate")));
    let content = random(18_000);
    fs::write(here.path().join("x"), &content).unwrap();
    running.stderr_line_with("1 written, 0 unchanged");
    assert!(vboard.count("rate_changes") > changes);
    assert!(fs::read(vboard.files().join("x")).unwrap() == content);
    running.interrupt().expect_code(0);
    assert_back(&mut vboard, &["x"]);
}

#[test]
fn a_program_that_is_too_long_for_the_memory_goes_over_a_fast_line_and_runs_at_the_old_rate() {
    // Random text does not become shorter by compression.
    let mut source = String::new();
    for line in random(60_000).chunks(60) {
        source.push_str("# ");
        source.extend(line.iter().map(|byte| char::from(b'a' + byte % 26)));
        source.push('\n');
    }
    source.push_str("print(6*7)\n");
    let mut vboard = VirtualBoard::options().slow().flag("--quick").ready();
    let finished = crate::client::run_source(&vboard, source);
    assert_eq!(finished.expect_code(0).text(), "42\r\n");
    assert!(vboard.count("fastest") > 200_000);
    assert_back(&mut vboard, &[]);
}

/// A random number below a limit, again and again.
fn random_numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    }
}

/// Eight times as fast as a board, both at the old rate and at the new ones.
fn fast_board() -> VirtualBoard {
    VirtualBoard::options()
        .baud(921_600)
        .flag("--quick")
        .ready()
}

/// The next command finds the board at its old rate, or restores that rate.
fn assert_usable(vboard: &mut VirtualBoard, what: &str) {
    let next = board(vboard, ["exec", "print(6*7)"]);
    assert_eq!(
        (next.code, next.text().as_str()),
        (Some(0), "42\r\n"),
        "{what}: {}",
        next.stderr
    );
    let rate = vboard.count("rate");
    assert!((910_000..940_000).contains(&rate), "{what}: {rate}");
}

/// Changes the rate again and again, with a fault in most rounds. After each, the next command finds a board that works.
fn many_changes(rounds: u64, seed: u64) {
    let mut random_below = random_numbers(seed);
    let here = folder(&[("x", &random(40_000))]);
    let path = here.path().join("x");
    let mut vboard = fast_board();
    let mut switched = 0;
    for round in 0..rounds {
        let kind = random_below(9);
        let changes = vboard.count("rate_changes");
        match kind {
            1 => drop(vboard.control("keep_rate", json!({}))),
            2 => drop(vboard.control("host_most", json!({"baud": 115_200 << random_below(3)}))),
            3 => drop(vboard.control(
                "fast_noise",
                json!({"probability": 0.02, "beyond": 1_000_000}),
            )),
            4 => drop(vboard.control(
                "fast_noise",
                json!({"probability": 0.0005, "beyond": 1_000_000}),
            )),
            _ => {}
        }
        let running = start(&vboard, ["put", text(&path)]);
        let pause = Duration::from_millis(random_below(150));
        match kind {
            5 | 6 => {
                std::thread::sleep(pause);
                running.signal("KILL");
            }
            7 => {
                std::thread::sleep(pause);
                vboard.reset();
            }
            8 => {
                std::thread::sleep(pause);
                running.signal("INT");
            }
            _ => {}
        }
        let finished = running.finish();
        assert!(
            matches!(finished.code, Some(0 | 3 | 130) | None),
            "{round}, {kind}: {finished:?}"
        );
        for (fault, arguments) in [
            ("keep_rate", json!({"on": false})),
            ("host_most", json!({"baud": 0})),
            ("fast_noise", json!({"probability": 0, "beyond": 0})),
        ] {
            vboard.control(fault, arguments);
        }
        assert_usable(&mut vboard, &format!("round {round}, {kind}"));
        switched += u64::from(vboard.count("rate_changes") > changes);
        let _ = fs::remove_file(vboard.files().join("x"));
    }
    println!("{switched} of {rounds} rounds changed the rate");
    assert!(switched > rounds / 10, "{switched} of {rounds}");
}

#[test]
fn no_fault_leaves_a_board_that_the_next_command_cannot_use() {
    many_changes(6, 0x1234_5678);
}

/// How often the registers are written for one change: both for the new rate, and twice both for the old one.
const WRITES: u64 = 6;

/// Puts a short file again and again at another rate, over one connection; every so often, a fault ends it.
fn changes_in_one_session(sessions: u64, steps: u64, seed: u64) -> u64 {
    let mut random_below = random_numbers(seed);
    let here = folder(&[("x", b"x")]);
    let mut vboard = fast_board();
    for session in 0..sessions {
        let mut arguments = vec![
            "do".to_owned(),
            "--line-rate".to_owned(),
            "460800".to_owned(),
        ];
        arguments.extend((0..steps).map(|_| "put x".to_owned()));
        let mut command = command(&vboard, []);
        command.args(&arguments).current_dir(here.path());
        let before = vboard.count("rate_changes");
        let running = crate::process::Running::spawn(&mut command);
        let kind = random_below(6);
        if kind < 3 {
            let until = before + 2 + random_below(WRITES * (steps - 1));
            vboard.wait_until("it is under way", |stats| {
                stats["rate_changes"].as_u64() >= Some(until)
            });
        }
        match kind {
            0 => running.signal("KILL"),
            1 => vboard.reset(),
            2 => running.signal("INT"),
            _ => {}
        }
        let finished = running.finish();
        assert!(
            matches!(
                (kind, finished.code),
                (0, None) | (1, Some(0 | 3)) | (2, Some(0 | 130)) | (3.., Some(0))
            ),
            "{session}, {kind}: {finished:?}"
        );
        assert_usable(&mut vboard, &format!("session {session}, {kind}"));
    }
    vboard.count("rate_changes") / WRITES
}

#[test]
fn two_hundred_changes_leave_a_board_that_the_next_command_can_use() {
    // Three boards, so that one waits while another works.
    let boards: Vec<_> = [1, 2, 3]
        .into_iter()
        .map(|seed| std::thread::spawn(move || changes_in_one_session(4, 25, seed)))
        .collect();
    let count: u64 = boards.into_iter().map(|board| board.join().unwrap()).sum();
    println!("{count} changes of the rate");
    assert!(count >= 200, "{count}");
}

#[test]
#[ignore = "takes hours; docs/CONTRIBUTING.md has the command"]
fn no_fault_leaves_an_unusable_board_in_ten_thousand_changes() {
    let rounds = std::env::var("ROUNDS").map_or(10_000, |text| text.parse().expect("a number"));
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(1, |time| u64::from(time.subsec_nanos()) | 1);
    println!("seed {seed}");
    many_changes(rounds, seed);
}
