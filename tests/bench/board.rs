//! Compares the bridge with mpremote on the same virtual board, in one run: `cargo bench --bench board`.
//! `docs/benchmark.md` explains the figures. It only measures.
//!
//! Long because each task is measured with each program.

#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::print_stderr,
        clippy::unwrap_used,
        reason = "as in a test: where the virtual board fails there is nothing to measure"
    )
)]

#[cfg(target_os = "linux")]
#[expect(dead_code, reason = "the board's tests use what is not used here")]
#[path = "../board/support.rs"]
mod support;

use std::io::Write as _;
use std::process::ExitCode;

/// Prints a line on stdout; ignores a reader that is gone.
fn say(text: impl std::fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    say("the virtual board runs on Linux: nothing is measured here");
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        say("nothing is measured in a test run; the benchmark is: cargo bench --bench board");
        return ExitCode::SUCCESS;
    }
    let runs = if args.iter().any(|arg| arg == "--quick") {
        1
    } else {
        3
    };
    if args.iter().any(|arg| arg == "--line-rate") {
        measure::fast_line(runs);
        return ExitCode::SUCCESS;
    }
    for profile in ["mpython-1.4", "mpython-2.x", "generic-1.26"] {
        for imports in ["time", "time, sys", "time, network"] {
            measure::saves(profile, imports, runs);
        }
        measure::one_change(profile, runs);
    }
    if args.iter().any(|arg| arg == "--saves") {
        return ExitCode::SUCCESS;
    }
    measure::fast_line(runs);
    for baud in [115_200, 921_600] {
        for has_raw_paste in [false, true] {
            measure::all(baud, has_raw_paste, runs);
        }
    }
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
mod measure {
    use std::fs;
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::say;
    use super::support::{VirtualBoard, environment};

    const LEN: usize = 100_000;

    /// Everything on one kind of board; each figure the median of `runs`.
    pub(super) fn all(baud: u32, has_raw_paste: bool, runs: usize) {
        let options = VirtualBoard::options().baud(baud);
        let mut board = if has_raw_paste {
            options.raw_paste()
        } else {
            options
        }
        .ready();
        let here = tempfile::tempdir().expect("a folder");
        let line = f64::from(baud) / 10.0;
        say(format_args!(
            "\n{} firmware at {baud} baud: the line carries {:.1} kB/s\n{:<26} {:>10} {:>10} {:>7}",
            if has_raw_paste {
                "generic 1.26"
            } else {
                "mPython 2.x"
            },
            line / 1000.0,
            "",
            "udpcli",
            "mpremote",
            "ratio"
        ));

        let print = file(here.path(), "print.py", b"print(1)\n");
        let ours = median(runs, || udpcli(&board, &["run", text(&print)]));
        let theirs = median(runs, || mpremote(&board, &["run", text(&print)]));
        row("connect, print(1)", ours, theirs, |time| {
            format!("{:.0} ms", time * 1000.0)
        });

        let contents = [
            ("Python", source()),
            ("dense Python", dense_source()),
            ("random bytes", random()),
        ];
        for (name, content) in &contents {
            let path = file(here.path(), "x", content);
            let forget = |board: &VirtualBoard| drop(fs::remove_file(board.files().join("x")));
            let down = board.count("down");
            let ours = median(runs, || {
                forget(&board);
                udpcli(&board, &["put", text(&path)])
            });
            let on_line = (board.count("down") - down) as f64 / runs as f64;
            assert!(fs::read(board.files().join("x")).expect("it is there") == *content);
            let theirs = median(runs, || {
                forget(&board);
                mpremote(&board, &["fs", "cp", text(&path), ":x"])
            });
            row(&format!("put 100 KB of {name}"), ours, theirs, rate);
            say(format_args!(
                "{:<26} {:>10} of the line's raw rate; {:.0} % of the file's length went over it, {:.0} % of what it carries",
                "",
                format!("x{:.2}", LEN as f64 / ours / line),
                on_line / LEN as f64 * 100.0,
                on_line / ours / line * 100.0
            ));
        }
        let target = here.path().join("back");
        let ours = median(runs, || {
            drop(fs::remove_file(&target));
            udpcli(&board, &["get", ":x", text(&target)])
        });
        assert!(fs::read(&target).expect("it came back") == contents[2].1);
        let theirs = median(runs, || {
            mpremote(&board, &["fs", "cp", ":x", text(&target)])
        });
        row("get 100 KB", ours, theirs, rate);

        let tree = here.path().join("tree");
        for n in 0..50 {
            let name = format!("folder{}/file{n}.py", n % 5);
            file(&tree, &name, &contents[0].1[n * 500..n * 500 + 1500]);
        }
        udpcli(&board, &["put", text(&tree)]);
        let ours = median(runs, || udpcli(&board, &["put", text(&tree)]));
        say(format_args!(
            "{:<26} {:>7.0} ms",
            "put 50 unchanged files",
            ours * 1000.0
        ));

        let mut script = b"print('started')\n".to_vec();
        script
            .extend(b"value = 'a line as programs have them'  # and what it is for\n".repeat(200));
        script.truncate(10_000);
        // The program leaves nothing in the interpreter, so the next run needs no soft reset.
        script.extend(b"\ndel value\n");
        udpcli(&board, &["run", text(&print)]);
        let script = file(here.path(), "script.py", &script);
        let bare = median(runs, || first_output(&mut ours_run(&board, &print)));
        let ours = median(runs, || first_output(&mut ours_run(&board, &script)));
        let theirs = median(runs, || {
            first_output(mpremote_command(&board).args(["run", text(&script)]))
        });
        row("run 10 KB, first output", ours, theirs, |time| {
            format!("{:.0} ms", time * 1000.0)
        });
        say(format_args!(
            "{:<26} x{:.2} of its bytes' time on the line, connecting apart",
            "",
            (ours - bare) / (10_000.0 / line)
        ));
    }

    /// From a save of a 2 KB program to its first output: `run --watch`, beside mpremote started at the save. After a
    /// program that imports more than modules without a state of their own, udpcli soft-resets the board.
    pub(super) fn saves(profile: &str, imports: &str, runs: usize) {
        let board = VirtualBoard::options()
            .profile(profile)
            .baud(115_200)
            .ready();
        let here = tempfile::tempdir().expect("a folder");
        let path = here.path().join("main.py");
        let people_write = source();
        let program = |number: usize| {
            let mut program = format!("import {imports}\nprint('save {number}')\n").into_bytes();
            // 2 KB of typical source, which is compiled but not run.
            program.extend(b"def unused():\n    r'''\n");
            program.extend(people_write.get(40_000..41_900).expect("its source"));
            program.extend(b"\n    '''\n");
            program.extend(b"while True:\n time.sleep(0.01)\n");
            program
        };
        fs::write(&path, program(0)).expect("a program");
        let mut child = ours_run(&board, &path)
            .arg("--watch")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("udpcli starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        lines.next().expect("a line").expect("text");
        let mut number = 0;
        let ours = median(runs.max(5), || {
            number += 1;
            std::thread::sleep(Duration::from_millis(200));
            let began = Instant::now();
            fs::write(&path, program(number)).expect("a program");
            let line = lines.next().expect("a line").expect("text");
            assert!(line.contains(&format!("save {number}")), "{line}");
            began.elapsed().as_secs_f64()
        });
        let id = child.id().to_string();
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill");
        child.wait().expect("it ends");
        // mpremote interrupts the program that runs; its own process is ended at each save.
        let theirs = median(runs.max(5), || {
            number += 1;
            fs::write(&path, program(number)).expect("a program");
            let began = Instant::now();
            let mut child = mpremote_command(&board)
                .args(["run", text(&path)])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("mpremote starts");
            let mut byte = [0];
            let mut stdout = child.stdout.take().expect("stdout is piped");
            stdout.read_exact(&mut byte).expect("output");
            let took = began.elapsed().as_secs_f64();
            child.kill().expect("it can be ended");
            child.wait().expect("it ends");
            took
        });
        row(
            &format!("{profile}, import {imports}"),
            ours,
            theirs,
            |time| format!("{:.0} ms", time * 1000.0),
        );
    }

    /// A folder of 50 files (60 KB) of which one of 2 KB has changed: at a save under `put --watch`, and by `put` beside
    /// mpremote, which copies what differs, too.
    pub(super) fn one_change(profile: &str, runs: usize) {
        let board = VirtualBoard::options()
            .profile(profile)
            .baud(115_200)
            .ready();
        let here = tempfile::tempdir().expect("a folder");
        let source = source();
        let tree = here.path().join("tree");
        for n in 0..50 {
            let name = format!("folder{}/file{n}.py", n % 5);
            file(&tree, &name, &source[n * 500..n * 500 + 1200]);
        }
        let mut number = 0;
        let mut change = || {
            number += 1;
            let mut content = format!("# {number}\n").into_bytes();
            content.extend(&source[50_000..52_000]);
            file(&tree, "folder0/file0.py", &content);
            content
        };
        change();
        udpcli(&board, &["put", text(&tree)]);
        let ours = median(runs.max(5), || {
            change();
            udpcli(&board, &["put", text(&tree)])
        });
        let theirs = median(runs.max(5), || {
            change();
            mpremote(&board, &["fs", "cp", "-r", text(&tree), ":"])
        });
        row(&format!("{profile}, put a folder"), ours, theirs, |time| {
            format!("{:.0} ms", time * 1000.0)
        });
        let mut child = Command::new(env!("CARGO_BIN_EXE_udpcli"))
            .args(["board", "-s", &board.port, "put", text(&tree), "--watch"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("udpcli starts");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let mut done = || loop {
            let line = lines.next().expect("a line").expect("text");
            if line.contains("unchanged") {
                return;
            }
        };
        done();
        let ours = median(runs.max(5), || {
            std::thread::sleep(Duration::from_millis(200));
            let began = Instant::now();
            let content = change();
            done();
            let took = began.elapsed().as_secs_f64();
            let there = fs::read(board.files().join("tree/folder0/file0.py"));
            assert!(there.expect("it is there") == content);
            took
        });
        let id = child.id().to_string();
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill");
        child.wait().expect("it ends");
        say(format_args!(
            "{:<26} {:>7.0} ms",
            format!("{profile}, put --watch"),
            ours * 1000.0
        ));
    }

    /// What a fast line and the flash take for `put`, one after the other: the UART's interrupt does not run while the
    /// flash writes. The line time is of everything that went over it.
    fn bound(bytes: u64) -> f64 {
        const SECTOR: f64 = 4096.0;
        const SECTOR_TIME: f64 = 0.045 + 16.0 * 0.0004;
        bytes as f64 / 92_160.0 + (LEN as f64 / SECTOR).ceil() * SECTOR_TIME
    }

    /// The line at a higher rate, on a board that takes as long to write its flash as the chip does.
    pub(super) fn fast_line(runs: usize) {
        for profile in ["mpython-1.4", "mpython-2.x", "generic-1.26"] {
            let options = VirtualBoard::options().profile(profile);
            let mut board = options.flag("--flash-time").ready();
            let port = board.port.clone();
            let here = tempfile::tempdir().expect("a folder");
            say(format_args!(
                "\n{profile} at 115,200 baud, with the flash's time: 100 KB\n{:<26} {:>10} {:>10} {:>22} {:>14}",
                "", "keep", "auto", "auto, of the old line", "of the bound"
            ));
            for (name, content) in [("Python", source()), ("random bytes", random())] {
                let path = file(here.path(), "x", &content);
                let back = here.path().join("back");
                let there = board.files().join("x");
                let once = |rate: &str, args: &[&str]| {
                    let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
                    command.args(["board", "-s", &port, "--line-rate", rate]);
                    timed(command.args(args))
                };
                let put = |rate: &str| {
                    median(runs, || {
                        drop(fs::remove_file(&there));
                        once(rate, &["put", text(&path)])
                    })
                };
                let (keep, auto) = (put("keep"), put("auto"));
                let before = board.count("down");
                drop(fs::remove_file(&there));
                once("auto", &["put", text(&path)]);
                let bound = bound(board.count("down") - before);
                let share = format!("{:.0} %", bound / auto * 100.0);
                fast_row(&format!("put, {name}"), keep, auto, &share);
                assert!(fs::read(&there).expect("it is there") == content);
                let get = |rate: &str| {
                    median(runs, || {
                        drop(fs::remove_file(&back));
                        once(rate, &["get", ":x", text(&back)])
                    })
                };
                fast_row(&format!("get, {name}"), get("keep"), get("auto"), "");
                assert!(fs::read(&back).expect("it came back") == content);
            }
        }
    }

    fn fast_row(name: &str, keep: f64, auto: f64, share: &str) {
        say(format_args!(
            "{name:<26} {:>10} {:>10} {:>22} {share:>14}",
            rate(keep),
            rate(auto),
            format!("x{:.2}", LEN as f64 / auto / 11_520.0)
        ));
    }

    /// udpcli's time, mpremote's time, and their ratio.
    fn row(name: &str, ours: f64, theirs: f64, show: impl Fn(f64) -> String) {
        say(format_args!(
            "{name:<26} {:>10} {:>10} {:>7}",
            show(ours),
            show(theirs),
            format!("x{:.2}", theirs / ours)
        ));
    }

    fn rate(time: f64) -> String {
        format!("{:.1} kB/s", LEN as f64 / time / 1000.0)
    }

    fn median(runs: usize, mut run: impl FnMut() -> f64) -> f64 {
        let mut times: Vec<f64> = (0..runs).map(|_| run()).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    fn udpcli(board: &VirtualBoard, args: &[&str]) -> f64 {
        // At the line's own rate, as mpremote.
        let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
        command.args(["board", "-s", &board.port, "--line-rate", "keep"]);
        timed(command.args(args))
    }

    fn ours_run(board: &VirtualBoard, script: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
        command
            .args(["board", "-s", &board.port, "run"])
            .arg(script);
        command
    }

    fn mpremote_command(board: &VirtualBoard) -> Command {
        let mut command = Command::new(environment().join("mpremote"));
        command.args(["connect", &board.port]);
        command
    }

    fn mpremote(board: &VirtualBoard, args: &[&str]) -> f64 {
        timed(mpremote_command(board).args(args))
    }

    fn timed(command: &mut Command) -> f64 {
        let began = Instant::now();
        let output = command
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let took = began.elapsed();
        assert!(output.status.success(), "{command:?}: {output:?}");
        took.as_secs_f64()
    }

    /// How long until a program on the board says something.
    fn first_output(command: &mut Command) -> f64 {
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut byte = [0];
        let mut stdout = child.stdout.take().expect("stdout is piped");
        stdout.read_exact(&mut byte).expect("output");
        let took = began.elapsed();
        let _ = stdout.read_to_end(&mut Vec::new());
        assert!(child.wait().expect("it ends").success(), "{command:?}");
        // The other side has closed the port before the next run opens it.
        std::thread::sleep(Duration::from_millis(20));
        took.as_secs_f64()
    }

    fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, content).expect("a file");
        path
    }

    fn text(path: &Path) -> &str {
        path.to_str().expect("UTF-8")
    }

    /// Python as people write it, comments and repetition included: pyserial, of the version that is pinned.
    fn source() -> Vec<u8> {
        let python = environment().join("python");
        let output = Command::new(python)
            .args(["-c", "import serial; print(serial.__path__[0], end='')"])
            .output()
            .expect("Python starts");
        let folder = PathBuf::from(String::from_utf8(output.stdout).expect("a path"));
        let mut files: Vec<_> = fs::read_dir(&folder)
            .expect("pyserial is installed")
            .map(|entry| entry.expect("its entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
            .collect();
        files.sort();
        let mut all = Vec::new();
        for file in files {
            all.extend(fs::read(file).expect("a source file"));
        }
        assert!(all.len() >= LEN, "{}", all.len());
        all.truncate(LEN);
        all
    }

    /// Python in which little repeats: the virtual board's own.
    fn dense_source() -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/virtual_board");
        let mut all = Vec::new();
        for name in [
            "cpu.py",
            "virtual_board.py",
            "hosts.py",
            "line.py",
            "modules/machine.py",
            "modules/socket.py",
            "modules/mpython.py",
            "modules/network.py",
            "modules/_display.py",
        ] {
            all.extend(fs::read(folder.join(name)).expect("a source file"));
        }
        // Repetitions are further apart than any compression window.
        all.into_iter().cycle().take(LEN).collect()
    }

    /// Bytes that no compression shortens.
    fn random() -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = Vec::with_capacity(LEN + 8);
        while bytes.len() < LEN {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        bytes.truncate(LEN);
        bytes
    }
}
