//! Calls that may block are made only where [`udpcli::wait`] runs them, or where they cannot block.

use std::fs;
use std::path::Path;

use crate::files::text;

/// Calls that may block without a limit, and the files that may contain them: where the call cannot block, or where
/// [`udpcli::wait`] runs it.
const BLOCKING: [(&str, &[&str]); 19] = [
    (
        "File::open(",
        &[
            // Files of the operating system.
            "src/atomic_file.rs",
            // On another thread: `Site::OpenPayload`, `Site::ReadScript`, `Site::ReadFirmware`.
            "src/file.rs",
            "src/cli/board/run.rs",
            // A regular file, which the code has checked before.
            "src/cli/board/run/watch.rs",
            "src/board/flash/files.rs",
            "src/board/flash/backup.rs",
            // Regular files, checked before.
            "src/board/files/upload_plan.rs",
        ],
    ),
    (
        "File::options(",
        &[
            // `Site::WriteDevice`.
            "src/atomic_file.rs",
            // The code refuses a FIFO or a device before.
            "src/cli/board/monitor/log.rs",
            // These do not block: O_NONBLOCK, or the terminal itself.
            "src/board/monitor/reader.rs",
            "src/config.rs",
            "src/board/port/cable.rs",
            "src/terminal/stream.rs",
            "src/terminal/prompt.rs",
            "src/config.rs",
        ],
    ),
    (
        "OpenOptions::new(",
        &[
            // `Site::OpenCapture`.
            "src/capture.rs",
        ],
    ),
    (
        "(File::create(",
        &[
            // The code refuses a FIFO or a device before.
            "src/board/wire_log.rs",
        ],
    ),
    // A device is refused before.
    ("= File::create(", &["src/cli/board/repl.rs"]),
    (
        "fs::read(",
        &[
            // Regular files, checked before.
            "src/board/files/changed.rs",
            "src/board/files/download.rs",
            // A file that udpcli made itself.
            "src/cli/board/edit.rs",
        ],
    ),
    (
        "fs::read_to_string(",
        &[
            // A regular file, checked before.
            "src/cli/board/repl.rs",
            // The kernel's neighbour table.
            "src/survey/find/neighbours.rs",
            // Files of the operating system.
            "src/board/serial_port_owner.rs",
            "src/board/port.rs",
            "src/board/serial_ports.rs",
            "src/firewall/linux.rs",
            "src/processes.rs",
            "src/udp/adapter.rs",
            "src/pair/sockets.rs",
            "src/shutdown.rs",
            "src/udp/system/linux.rs",
            "src/udp/system/linux/receive.rs",
        ],
    ),
    // In a folder that udpcli made itself.
    ("fs::write(", &["src/cli/board/edit.rs"]),
    ("connect_timeout(", &["src/board/port/tcp.rs"]),
    ("to_socket_addrs(", &["src/board/port/tcp.rs"]),
    ("lookup_host(", &["src/udp/endpoint.rs"]),
    ("prompt_password(", &["src/terminal/prompt.rs"]),
    ("read_password", &["src/terminal/prompt.rs"]),
    // An event loop's wait has a site as well.
    (".asked()", &["src/wait.rs"]),
    (
        ".recv()",
        &[
            // The signal handling, and event loops, where a signal ends the wait.
            "src/shutdown.rs",
            "src/udp/payload/replay.rs",
            "src/udp/payload/source/stream.rs",
            // A thread that the same function ends.
            "src/pair/measure.rs",
        ],
    ),
    (
        ".join()",
        &[
            // These threads end by themselves: they compute, or check for Ctrl-C.
            "src/board/files/put.rs",
            "src/board/flash/backup.rs",
            "src/cli/listen/watch.rs",
            "src/cli/pair/watch.rs",
            "src/pair/measure.rs",
        ],
    ),
    (
        "child.wait()",
        &[
            // Child processes that have closed their output, or were killed.
            "src/demo.rs",
            // Killed before.
            "src/pair/simulate.rs",
            "src/cli/menu.rs",
            "src/os_command.rs",
        ],
    ),
    (
        "read_line(",
        &[
            "src/cli/menu.rs",
            // On the thread of `Site::Password`.
            "src/terminal/prompt.rs",
        ],
    ),
    (
        "::stdin()",
        &[
            // On other threads: `Site::OpenPayload` and the send loop, `Site::ReadScript`, `Site::ReadSource`.
            "src/udp/payload/source/input.rs",
            "src/cli/board/run.rs",
            "src/cli/board/do_steps.rs",
            "src/cli/board/repl.rs",
            // Its own thread reads; this only asks whether it is a terminal.
            "src/cli/board/stdin.rs",
            "src/cli/menu.rs",
            "src/cli/send/payload.rs",
            // This only asks whether it is a file.
            "src/file.rs",
            "src/terminal.rs",
            "src/terminal/stream.rs",
            "src/terminal/prompt.rs",
        ],
    ),
];

#[test]
fn every_blocking_call_is_covered_by_a_site() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = text(path.strip_prefix(root).unwrap()).to_owned();
            let is_test = name.ends_with("/tests.rs");
            if path.extension().is_none_or(|extension| extension != "rs")
                || is_test
                || name == "src/wait.rs"
            {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
            for (call, places) in BLOCKING {
                for line in source.lines() {
                    let is_code = !line.trim_start().starts_with("//");
                    if is_code && line.contains(call) && !places.contains(&name.as_str()) {
                        found.push(format!("{name}: {}", line.trim()));
                    }
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "these may hold up the end; let udpcli::wait call them: {found:#?}"
    );
}
