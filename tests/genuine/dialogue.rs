//! Dialogues with genuine firmware, and a driver that repeats their steps with another board.
//!
//! The comparison uses the joined stream of all answers: a step of a recording ended when the board had been quiet for
//! a second, so a late answer may be in the next step.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than any answer takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// What was sent, and what came.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) sent: Vec<u8>,
    pub(crate) got: Vec<u8>,
}

/// The steps of a recording: `recording("mpython-1.4.0")`.
pub(crate) fn recording(name: &str) -> Vec<Step> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/genuine")
        .join(name)
        .with_added_extension("jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let steps: Vec<Step> = text
        .lines()
        .map(|line| {
            let step: Value = serde_json::from_str(line).expect("a JSON line");
            // Bytes, written as Latin-1.
            let bytes = |key: &str| -> Vec<u8> {
                let text = step[key].as_str().expect("a string");
                text.chars()
                    .map(|char| u8::try_from(u32::from(char)).expect("Latin-1"))
                    .collect()
            };
            Step {
                name: step["step"].as_str().expect("a name").to_owned(),
                sent: bytes("sent"),
                got: bytes("got"),
            }
        })
        .collect();
    assert!(steps.len() > 30, "{name} has {} steps", steps.len());
    steps
}

/// Something that answers as a board does.
pub(crate) trait Board {
    /// Sends bytes.
    fn send(&mut self, bytes: &[u8]);
    /// The bytes since the last call; waits for a moment if there are none.
    fn receive(&mut self) -> Vec<u8>;
    /// Waits until a program runs: before that, a Ctrl-C would be an ordinary byte.
    fn wait_running(&mut self);
}

/// The only parts in which a stand-in may differ from the genuine board: the text between these two marks.
const MASKS: [(&[u8], &[u8]); 6] = [
    // The ROM's log: of another chip, with another loader.
    (b"ets J", b"\nentry 0x"),
    (b"\nentry 0x", b"\r\n"),
    // The milliseconds in ESP-IDF's log.
    (b"\x1b[0;32mI (", b")"),
    // Free memory, the size of the flash, the list of modules.
    (b"mem_free())\r\n", b"\r\n"),
    (b"statvfs('/'))\r\n", b"\r\n"),
    (b"help('modules')\r\n", b"Plus any modules"),
];

/// The stream without the masked parts. An end that later bytes may turn into a masked part is left out.
fn masked(stream: &[u8]) -> Vec<u8> {
    let mut stream = stream.to_vec();
    for (start, end) in MASKS {
        let mut result = Vec::new();
        let mut rest = &stream[..];
        while let Some(at) = find(rest, start) {
            let (before, behind) = rest.split_at(at + start.len());
            result.extend_from_slice(before);
            rest = find(behind, end).map_or(&[], |at| &behind[at..]);
        }
        result.extend_from_slice(rest);
        stream = result;
    }
    stream
}

/// The prompt that comes before the first answers.
const PROMPT: &[u8] = b">>> ";

/// The output of a freshly flashed board before it writes to its flash.
const SETUP: &[u8] = b"Performing initial setup\r\n";

/// Sends the bytes of each step and asserts that the same answer comes back, byte for byte except for [`MASKS`].
///
/// Sends the keys typed before the first prompt after that prompt, except for a Ctrl-C that interrupted the boot: it
/// sends that one while the board sets up its file system.
#[track_caller]
pub(crate) fn compare(name: &str, board: &mut dyn Board, steps: &[Step]) {
    let interrupts_boot = steps
        .iter()
        .any(|step| find(&step.got, b"File \"_boot.py\"").is_some());
    let (mut expected, mut sent, mut came) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_at_prompt = false;
    for step in steps {
        expected.extend_from_slice(&step.got);
        sent.extend_from_slice(&step.sent);
        let wanted = masked(&expected);
        let wait_for = |came: &mut Vec<u8>,
                        board: &mut dyn Board,
                        what: &str,
                        done: &dyn Fn(&[u8]) -> bool| {
            let until = Instant::now() + DEADLINE;
            while !done(came) {
                let more = board.receive();
                assert!(
                    Instant::now() < until,
                    "{name}, {}: {what} never came; {}",
                    step.name,
                    difference(&masked(came), &wanted)
                );
                came.extend(more);
            }
        };
        if !is_at_prompt {
            if interrupts_boot && step.sent == b"\x03" {
                wait_for(&mut came, board, "the set-up", &|came| {
                    find(came, SETUP).is_some()
                });
            } else if find(&expected, PROMPT).is_none() {
                continue;
            } else {
                is_at_prompt = true;
                if !interrupts_boot {
                    wait_for(&mut came, board, "a prompt", &|came| {
                        find(came, PROMPT).is_some()
                    });
                }
            }
        }
        // As recorded, a second after the last answer: the program runs by then.
        if step.sent == b"\x03" && came.ends_with(b"OK") {
            board.wait_running();
        }
        board.send(&std::mem::take(&mut sent));
        wait_for(&mut came, board, "an answer", &|came| {
            masked(came).len() >= wanted.len()
        });
        let seen = masked(&came);
        assert!(
            seen.starts_with(&wanted),
            "{name}, {}: {}",
            step.name,
            difference(&seen, &wanted)
        );
    }
}

pub(crate) fn find(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

/// Where two streams part.
fn difference(seen: &[u8], wanted: &[u8]) -> String {
    let same = seen.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(60);
    let show = |stream: &[u8]| {
        let end = stream.len().min(same + 200);
        stream[from.min(end)..end].escape_ascii().to_string()
    };
    format!(
        "after {same} bytes\n  came:   {}\n  wanted: {}",
        show(seen),
        show(wanted)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_masked_may_differ() {
        let log = b"x\r\nets Jul 29\r\nrst:0x1\r\nentry 0x400806b0\r\nMicro\x1b[0;32mI (112) cpu";
        assert_eq!(
            masked(log),
            b"x\r\nets J\nentry 0x\r\nMicro\x1b[0;32mI () cpu"
        );
        assert_eq!(masked(b"before ets Jun 8"), b"before ets J");
        assert_eq!(
            masked(b"help('modules')\r\na b\r\nPlus any modules on the"),
            b"help('modules')\r\nPlus any modules on the"
        );
        let texts: &[u8] = b"MPY: soft reboot\r\n>>> ";
        assert_eq!(masked(texts), texts);
    }
}
