//! Runs a program of the operating system, and reads its output.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait, Waited};

/// The longest answer to read.
const MAX_ANSWER: u64 = 16 << 20;

/// What came of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProgramEnd {
    /// The program ended well; its standard output.
    Text(String),
    /// The program failed, or took too long; its standard output.
    Failed(String),
    /// There is no such program.
    Absent,
    /// The user asked udpcli to stop.
    Interrupted,
}

/// Runs the program with these arguments and no input, and waits for it at most this long.
#[must_use]
pub(crate) fn ask(site: Site, patience: Duration, program: &str, args: &[&str]) -> ProgramEnd {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return ProgramEnd::Absent;
    };
    let Some(stdout) = child.stdout.take() else {
        return ProgramEnd::Absent;
    };
    let shutdown = Shutdown::current();
    let is_stopped = || shutdown.is_asked();
    // Do not wait longer: children of the program may keep the other end of the pipe open.
    let read = Wait::at(site, &is_stopped)
        .until(Instant::now() + patience)
        .call(move || {
            let mut text = Vec::new();
            let _ = stdout.take(MAX_ANSWER).read_to_end(&mut text);
            text
        });
    let is_read = matches!(read, Ok(Waited::Done(_)));
    if !is_read {
        let _ = child.kill();
    }
    let succeeded = ended_well(&mut child);
    match read {
        Ok(Waited::Done(text)) => {
            let text = String::from_utf8_lossy(&text).into_owned();
            if succeeded {
                ProgramEnd::Text(text)
            } else {
                ProgramEnd::Failed(text)
            }
        }
        Ok(Waited::Interrupted) => ProgramEnd::Interrupted,
        Ok(Waited::TimeUp) | Err(_) => ProgramEnd::Failed(String::new()),
    }
}

/// Collects the exit status. A program that closed its output but stays is killed after a moment.
fn ended_well(child: &mut std::process::Child) -> bool {
    const MOMENT: Duration = Duration::from_millis(200);
    const STEP: Duration = Duration::from_millis(5);

    let until = Instant::now() + MOMENT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < until => std::thread::sleep(STEP),
            Ok(None) | Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
