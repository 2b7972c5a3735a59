//! `udpcli board run`: immediate output, unchanged bytes, and every way a program can end.
//!
//! Long because each way in which a program ends has a test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::client::{assert_untouched, board, command, kinds, run_source, start, start_source};
use crate::process::run_with_input;
use crate::support::{VirtualBoard, mpremote_ok};

#[test]
fn each_line_is_printed_at_once() {
    for (kind, options) in kinds() {
        let board = options.ready();
        // The board waits for a file that is created only after its line has arrived.
        let code = "import os, time\nfor i in range(3):\n    print('line', i)\n    while 'go%d' % i not in os.listdir('/'): time.sleep_ms(5)\n";
        let mut running = start_source(&board, code);
        for i in 0..3 {
            assert_eq!(running.stdout_line(), format!("line {i}\r\n"), "{kind}");
            fs::write(board.files().join(format!("go{i}")), "").unwrap();
        }
        let finished = running.finish().expect_code(0);
        assert_eq!(finished.stderr, "", "{kind}");
    }
}

#[test]
fn bytes_arrive_unchanged() {
    let code = "import sys\nfor i in range(3): sys.stdout.buffer.write(bytes(range(256)))\nsys.stdout.buffer.write(b'\\x04\\x04\\x04')\n";
    let mut expected: Vec<u8> = (0..3).flat_map(|_| 0..=255u8).collect();
    expected.extend([4, 4, 4]);
    for (kind, options) in kinds() {
        let board = options.ready();
        let finished = run_source(&board, code).expect_code(0);
        assert!(finished.stdout == expected, "{kind}: {:?}", finished.stdout);
    }
}

#[test]
fn a_split_end_marker_in_the_output_is_not_the_end() {
    let code = "import sys, time\nfor part in (b'a\\x04', b'\\x04', b'b\\x04', b'Traceback', b' of what\\n'):\n    sys.stdout.buffer.write(part)\n    time.sleep_ms(100)\nprint('end')\n";
    let board = VirtualBoard::options().ready();
    let finished = run_source(&board, code).expect_code(0);
    assert_eq!(
        finished.stdout.escape_ascii().to_string(),
        "a\\x04\\x04b\\x04Traceback of what\\nend\\r\\n"
    );
}

#[test]
fn a_traceback_is_printed_unchanged_and_exits_1() {
    for (kind, options) in kinds() {
        let board = options.ready();
        let finished = run_source(
            &board,
            "def f(): raise ValueError('bad 你好')\nprint('before')\nf()\n",
        )
        .expect_code(1);
        assert_eq!(finished.text(), "before\r\n", "{kind}");
        assert_eq!(
            finished.stderr,
            "Traceback (most recent call last):\r\n  File \"<stdin>\", line 3, in <module>\r\n  File \"<stdin>\", line 1, in f\r\nValueError: bad 你好\r\nudpcli: error: the program ended with ValueError: bad 你好\n",
            "{kind}"
        );
        let finished = run_source(&board, "print(1)\nprint(2\n").expect_code(1);
        assert_eq!(finished.text(), "", "{kind}");
        assert!(
            finished.stderr.contains("SyntaxError: invalid syntax\r\n")
                && finished
                    .stderr
                    .contains("the program ended with SyntaxError"),
            "{kind}: {}",
            finished.stderr
        );
        assert_untouched(&board, &[]);
    }
}

#[test]
fn sys_exit_ends_a_program_successfully() {
    for (kind, options) in kinds() {
        let board = options.ready();
        let finished = run_source(&board, "import sys\nprint('bye')\nsys.exit()\n").expect_code(0);
        assert_eq!(finished.text(), "bye\r\n", "{kind}");
        assert_eq!(finished.stderr, "", "{kind}");
        assert_eq!(mpremote_ok(&board, ["resume", "exec", "print(1)"]), "1\r\n");
    }
}

#[test]
fn a_restart_of_the_board_is_reported() {
    for (kind, options) in kinds() {
        let board = options.ready();
        let finished =
            // A reset discards unsent output, so give the text its time on the line.
            run_source(&board, "import machine, time\nprint('now')\ntime.sleep_ms(50)\nmachine.reset()\n").expect_code(3);
        assert!(finished.text().starts_with("now\r\n"), "{kind}");
        assert!(
            finished
                .stderr
                .contains("the board restarted while the program ran"),
            "{kind}: {}",
            finished.stderr
        );
    }
}

#[test]
fn ctrl_c_interrupts_and_prints_the_remaining_output() {
    let code = "import time\ntry:\n    print('begin')\n    time.sleep(20)\nfinally:\n    time.sleep_ms(300)\n    print('end')\n";
    for (kind, options) in kinds() {
        let board = options.ready();
        let mut running = start_source(&board, code);
        assert_eq!(running.stdout_line(), "begin\r\n");
        running.signal("INT");
        let finished = running.finish().expect_code(0);
        assert_eq!(finished.text(), "begin\r\nend\r\n", "{kind}");
        assert_eq!(finished.stderr, "stopped by Ctrl-C\n", "{kind}");
        assert_untouched(&board, &[]);
    }
}

#[test]
fn an_unstoppable_program_is_reported_with_a_hint() {
    // Ctrl-C is disabled, and a pseudo-terminal has no reset line.
    let code = "import micropython, time\nprint('begin')\nmicropython.kbd_intr(-1)\nwhile True: time.sleep_ms(10)\n";
    let board = VirtualBoard::options().ready();
    let mut running = start_source(&board, code);
    assert_eq!(running.stdout_line(), "begin\r\n");
    let start = Instant::now();
    running.signal("TERM");
    let finished = running.finish().expect_code(130);
    assert!(start.elapsed() < 2 * LIMIT, "{:?}", start.elapsed());
    assert!(
        finished.stderr.contains("still runs") && finished.stderr.contains("reset --hard"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_reset_into_main_py_is_reported() {
    // main.py runs after the reset, and catches Ctrl-C.
    let main = "import time\nprint('main')\nwhile True:\n    try:\n        while True: time.sleep_ms(1)\n    except KeyboardInterrupt: print('no')\n";
    for (kind, options) in kinds() {
        let board = options.file("main.py", main).ready();
        let finished =
            run_source(&board, "import machine\nprint('now')\nmachine.reset()\n").expect_code(3);
        assert!(
            finished
                .stderr
                .contains("restarted while the program ran [board-restarted]"),
            "{kind}: {}",
            finished.stderr
        );
    }
}

/// The time limit for the end after the first signal.
const LIMIT: Duration = Duration::from_secs(2);

#[test]
fn closing_the_reader_ends_the_program() {
    for (kind, options) in kinds() {
        let board = options.ready();
        let script = board.files().with_file_name("script.py");
        fs::write(
            &script,
            "import time\nwhile True:\n    print('tick')\n    time.sleep_ms(20)\n",
        )
        .unwrap();
        let mut command = command(&board, ["run", script.to_str().unwrap()]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{kind}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{kind}");
        assert_untouched(&board, &[]);
    }
}

#[test]
fn sources_run_as_editors_save_them() {
    for (kind, options) in kinds() {
        let board = options.ready();
        let crlf = "\u{feff}x = '''a\r\nb'''\r\nif True:\r\n    print(repr(x))\r\n";
        let finished = run_source(&board, crlf).expect_code(0);
        assert_eq!(finished.text(), "'a\\nb'\r\n", "{kind}");
        // Control bytes in a literal.
        let control = b"print(b'\x01\x02\x03\x04\x05' == bytes(range(1, 6)))\n";
        let finished = run_source(&board, control).expect_code(0);
        assert_eq!(finished.text(), "True\r\n", "{kind}");
        assert_untouched(&board, &[]);
        let utf8 = "print('你好')\nprint(len('你好'))";
        assert_eq!(
            run_source(&board, utf8).expect_code(0).text(),
            "你好\r\n2\r\n",
            "{kind}"
        );
        assert_eq!(run_source(&board, "").expect_code(0).text(), "", "{kind}");
    }
}

/// A program too long for a board with little memory: 150 KB of source that does little.
fn long_program(end: &str) -> String {
    let comment =
        "# what follows is a comment that a compiler reads and forgets again\n".repeat(20);
    (comment + "x = 1\n").repeat(110) + end
}

#[test]
fn a_program_longer_than_the_memory_runs_from_a_file() {
    for (kind, options) in kinds() {
        let board = options.arg("--heap", "96k").ready();
        let finished = run_source(
            &board,
            long_program("import os\nprint('ran', os.listdir('/'))\n"),
        )
        .expect_code(0);
        assert_eq!(finished.text(), "ran ['.udpcli_run.py']\r\n", "{kind}");
        assert!(
            finished.stderr.contains("puts it into a file"),
            "{kind}: {}",
            finished.stderr
        );
        assert_untouched(&board, &[]);

        let finished = run_source(&board, long_program("1/0\n")).expect_code(1);
        assert!(finished.stderr.contains("ZeroDivisionError"), "{kind}");
        assert_untouched(&board, &[]);

        let mut running = start_source(
            &board,
            long_program("import time\nprint('there')\ntime.sleep(20)\n"),
        );
        assert_eq!(running.stdout_line(), "there\r\n");
        running.signal("INT");
        running.finish().expect_code(0);
        assert_untouched(&board, &[]);

        let source = long_program("import time\ntime.sleep(20)\n");
        run_with_input(command(&board, ["run", "-", "--detach"]), source.as_bytes()).expect_code(0);
        run_source(&board, "print(1)").expect_code(0);
        assert_untouched(&board, &[]);
    }
}

#[test]
fn detach_leaves_it_running() {
    for (kind, options) in kinds() {
        let mut vboard = options.ready();
        let code = "import time\nn = 0\nwhile True:\n    open('beat', 'w').write(str(n))\n    n += 1\n    time.sleep_ms(10)\n";
        let finished = run_with_input(command(&vboard, ["run", "-", "--detach"]), code.as_bytes())
            .expect_code(0);
        assert_eq!(finished.text(), "", "{kind}");
        let beat = vboard.files().join("beat");
        let count = || {
            fs::read_to_string(&beat)
                .ok()
                .and_then(|text| text.parse::<u32>().ok())
                .unwrap_or(0)
        };
        let before = count();
        vboard.wait_until("it goes on", |_| count() > before + 5);
        // The next run still works.
        assert_eq!(
            run_source(&vboard, "print(3)").expect_code(0).text(),
            "3\r\n",
            "{kind}"
        );
        let finished =
            run_with_input(command(&vboard, ["run", "-", "--detach"]), b"1/0").expect_code(1);
        assert!(
            finished.stderr.contains("ZeroDivisionError"),
            "{kind}: {}",
            finished.stderr
        );
    }
}

#[test]
fn every_run_has_a_clean_interpreter() {
    let code = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nprint('x' in globals())\nx = 1\ns.bind(('127.0.0.1', 16123))\nprint('bound')\n";
    for (kind, options) in kinds() {
        let mut vboard = options.ready();
        for _ in 0..3 {
            assert_eq!(
                run_source(&vboard, code).expect_code(0).text(),
                "False\r\nbound\r\n",
                "{kind}"
            );
        }
        let resets = vboard.count("soft_resets");
        assert!((2..=3).contains(&resets), "{kind}: {resets}");
        let finished = run_with_input(
            command(&vboard, ["run", "-", "--no-soft-reset"]),
            b"print(x)",
        )
        .expect_code(0);
        assert_eq!(finished.text(), "1\r\n");
    }
}

#[test]
fn a_pulled_cable_is_noticed_at_once() {
    for (kind, options) in kinds() {
        let mut vboard = options.ready();
        let mut running = start_source(&vboard, "import time\nprint('there')\ntime.sleep(20)\n");
        assert_eq!(running.stdout_line(), "there\r\n");
        let began = Instant::now();
        vboard.unplug();
        let finished = running.finish().expect_code(3);
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{kind}: {:?}",
            began.elapsed()
        );
        assert!(
            finished
                .stderr
                .contains(&format!("serial port {} is gone", vboard.port)),
            "{kind}: {}",
            finished.stderr
        );
        vboard.plug();
        vboard.wait_ready();
        assert_eq!(
            run_source(&vboard, "print(4)").expect_code(0).text(),
            "4\r\n",
            "{kind}"
        );
    }
}

#[test]
fn a_missing_script_is_reported_before_the_board_is_disturbed() {
    let mut vboard = VirtualBoard::options()
        .file("main.py", "import time\nwhile True: time.sleep(1)\n")
        .ready();
    let finished = board(&vboard, ["run", "no-such.py"]).expect_code(3);
    assert!(
        finished.stderr.contains("no-such.py"),
        "{}",
        finished.stderr
    );
    assert_eq!(vboard.count("interrupts"), 0);
    let running = start(&vboard, ["run", "--example", "client"]);
    assert!(running.finish().expect_code(2).stderr.contains("--target"));
    assert_eq!(vboard.count("interrupts"), 0);
}

/// A thread that keeps printing after its program has ended: between two replies, and without a pause.
const PRINTING: [&str; 2] = [
    "import _thread, time\ndef f():\n while True:\n  print('noise', end=' ')\n_thread.start_new_thread(f, ())\ntime.sleep_ms(50)\n",
    "import _thread, time\ndef f():\n while True:\n  print('noise')\n  time.sleep_ms(30)\n_thread.start_new_thread(f, ())\ntime.sleep_ms(50)\n",
];

#[test]
fn a_thread_that_prints_does_not_outlive_the_next_run() {
    for (kind, options) in kinds() {
        let vboard = options.ready();
        for thread in PRINTING {
            for round in 0..2 {
                let detached = command(&vboard, ["run", "-", "--detach"]);
                run_with_input(detached, thread.as_bytes()).expect_code(0);
                let finished = run_source(&vboard, "print(6*7)").expect_code(0);
                assert_eq!(finished.text(), "42\r\n", "{kind}, {round}: {thread}");
            }
        }
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn a_damaged_line_is_not_an_error_of_the_program() {
    let code = format!(
        "total = 0\n{}print('total', total)\n",
        "total += 1\n".repeat(500)
    );
    for (kind, options) in kinds() {
        let mut vboard = options.ready();
        for seed in 0..6 {
            vboard.control(
                "garble",
                serde_json::json!({"probability": 0.0004, "seed": seed, "direction": "down"}),
            );
            let finished = run_source(&vboard, &code);
            vboard.control(
                "garble",
                serde_json::json!({"probability": 0, "direction": "down"}),
            );
            assert!(
                !finished.stderr.contains("Traceback"),
                "{kind}, {seed}: {}",
                finished.stderr
            );
            assert_eq!(
                finished.expect_code(0).text(),
                "total 500\r\n",
                "{kind}, {seed}"
            );
        }
    }
}

#[test]
fn a_program_without_line_ends_and_one_with_a_long_traceback_end() {
    let flood = "import sys\nfor i in range(1024): sys.stdout.write('x' * 1024)\nsys.exit()\n";
    // 1,500 lines of at least 50 bytes: longer than any recursion on the board can print.
    let traceback =
        "try: 1/0\nexcept Exception as e: error = e\ntext = 'y' * 70000\nraise ValueError(text)\n";
    for (kind, options) in kinds() {
        let vboard = options.baud(0).ready();
        let finished = run_source(&vboard, flood).expect_code(0);
        assert_eq!(finished.stdout.len(), 1 << 20, "{kind}");
        let finished = run_source(&vboard, traceback).expect_code(1);
        assert_eq!(finished.text(), "", "{kind}");
        assert!(finished.stderr.contains("yyy"), "{kind}");
        assert_untouched(&vboard, &[]);
    }
}

#[test]
fn files_that_are_not_source_are_identified() {
    let folder = tempfile::TempDir::new().unwrap();
    let utf16: Vec<u8> = "\u{feff}print(1)\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, content, words) in [
        ("compiled.mpy", b"M\x06\x00\x1f".to_vec(), "compiled"),
        ("wide.py", utf16, "UTF-16"),
        (
            "shell.py",
            b"\x7fELF\x02\x01\x01\x00\x00".to_vec(),
            "not Python source",
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        // Before any port is opened.
        let finished = crate::process::run([
            "board",
            "-s",
            "/dev/does-not-exist",
            "run",
            path.to_str().unwrap(),
        ])
        .expect_code(3);
        assert!(
            finished.stderr.contains(words) && finished.stderr.contains("hint:"),
            "{name}: {}",
            finished.stderr
        );
    }
    // GBK: the board may run it, but its Chinese text is wrong.
    let path = folder.path().join("gbk.py");
    fs::write(&path, b"# \xc4\xe3\xba\xc3\nprint(1)\n").unwrap();
    let vboard = VirtualBoard::options().ready();
    let finished = run_with_input(command(&vboard, ["run", path.to_str().unwrap()]), b"");
    assert!(finished.stderr.contains("GBK"), "{}", finished.stderr);
    assert_eq!(finished.expect_code(0).text(), "1\r\n");
}

#[test]
fn a_script_named_as_on_the_board_is_explained() {
    let finished = crate::process::run(["board", "-s", "/dev/does-not-exist", "run", ":main.py"])
        .expect_code(3);
    assert!(
        finished.stderr.contains("is a file on the board")
            && finished.stderr.contains("import main"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let board = VirtualBoard::options().ready();
    let code = "import time\nprint('begin')\ntime.sleep_ms(700)\nprint('end')\n";
    let script = board.files().with_file_name("script.py");
    fs::write(&script, code).unwrap();
    let mut command = crate::process::bash(
        "trap '' INT HUP; exec \"$0\" board -s \"$1\" run \"$2\"",
        [board.port.as_str(), script.to_str().unwrap()],
    );
    let mut running = crate::process::Running::spawn(&mut command);
    assert_eq!(running.stdout_line(), "begin\r\n");
    running.signal("INT");
    running.signal("HUP");
    let finished = running.finish().expect_code(0);
    assert_eq!(finished.text(), "begin\r\nend\r\n");
}

#[test]
fn one_signal_ends_a_run_whose_reader_stopped_reading() {
    let flood = "while True: print('x' * 200)\n";
    for (kind, options) in kinds() {
        let board = options.baud(0).ready();
        for signal in ["INT", "TERM"] {
            let script = board.files().with_file_name("script.py");
            fs::write(&script, flood).unwrap();
            let mut command = command(&board, ["run", script.to_str().unwrap()]);
            let mut child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut stdout = child.stdout.take().unwrap();
            // Read one byte and no more, so that the pipe fills up.
            std::io::Read::read_exact(&mut stdout, &mut [0]).unwrap();
            std::thread::sleep(Duration::from_millis(500));
            let start = Instant::now();
            send_signal(child.id(), signal);
            let status = child.wait().unwrap();
            assert!(
                start.elapsed() < LIMIT + Duration::from_secs(1),
                "{kind}: {:?}",
                start.elapsed()
            );
            assert_eq!(status.code(), Some(0), "{kind}");
            drop(stdout);
            assert_untouched(&board, &[]);
        }
    }
}

fn send_signal(id: u32, signal: &str) {
    let status = std::process::Command::new("kill")
        .args([format!("-{signal}"), id.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_udp_program_that_a_bare_except_ended_is_diagnosed() {
    let program = |body: &str| {
        format!(
            "import socket\ntry:\n    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    while True:\n        {body}\nexcept:\n    s.close()\n    print('closed')\n"
        )
    };
    for (kind, options) in kinds() {
        let board = options.ready();
        // GBK, as many Windows programs send it to the tutorial's server.
        let finished =
            run_source(&board, program("b'\\xc4\\xe3'.decode(); s.recvfrom(1)")).expect_code(0);
        assert_eq!(finished.text(), "closed\r\n", "{kind}");
        for part in [
            "[board-program-silent-end]",
            "except Exception as e:",
            "sys.print_exception(e)",
        ] {
            assert!(
                finished.stderr.contains(part),
                "{kind}: no {part} in {}",
                finished.stderr
            );
        }
        // A program that the user stopped has not failed, although it catches Ctrl-C.
        let mut running = start_source(
            &board,
            program("print('there'); __import__('time').sleep(20); s.recvfrom(1)"),
        );
        assert_eq!(running.stdout_line(), "there\r\n");
        let finished = running.interrupt().expect_code(0);
        assert!(
            !finished.stderr.contains("silent-end"),
            "{kind}: {}",
            finished.stderr
        );
    }
}

#[test]
fn enomem_from_sendto_means_an_unanswered_address() {
    for (kind, options) in kinds() {
        let board = options.ready();
        // Raised elsewhere, ENOMEM means too little memory.
        let finished = run_source(&board, "raise OSError(12)\n").expect_code(1);
        assert!(
            !finished.stderr.contains("board-no-arp"),
            "{kind}: {}",
            finished.stderr
        );
        let source =
            "def sendto(data, address): raise OSError(12)\nsendto(b'x', ('192.168.0.3', 6000))\n";
        let finished = run_source(&board, source).expect_code(1);
        assert!(
            finished.stderr.contains("[board-no-arp]")
                && finished.stderr.contains("udpcli listen shows it"),
            "{kind}: {}",
            finished.stderr
        );
    }
}
