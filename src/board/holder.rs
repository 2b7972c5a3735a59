//! Finds the program that uses a serial port.

use std::io;

/// The programs that have the device `name` open, as `name (process 123)`. Only Linux reports them, for programs of the
/// same user (for all users to root).
#[must_use]
pub fn of(name: &str) -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        linux::holder(name)
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Windows and macOS do not report this to ordinary programs; the error's hint lists the usual ones.
        let _ = name;
        None
    }
}

#[cfg(target_os = "linux")]
pub(crate) mod linux {
    use std::fs;
    use std::path::Path;

    use crate::terminal::sanitize;

    /// The limit for the number of programs.
    const MAX_HOLDERS: usize = 3;

    /// A process with an open file that was searched for.
    pub(crate) struct Holder {
        /// The name. Untrusted, because a process can choose any name for itself.
        pub(crate) name: String,
        /// The process ID.
        pub(crate) process: String,
    }

    /// The processes with an open file whose link in `/proc/PID/fd` is `wanted`. The kernel shows these links only for
    /// processes of the same user (of all users to root).
    pub(crate) fn with_open(wanted: impl Fn(&Path) -> bool) -> impl Iterator<Item = Holder> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes.filter_map(move |process| {
            let id = process.file_name().to_string_lossy().into_owned();
            if !id.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
            let has_it =
                files.any(|file| fs::read_link(file.path()).is_ok_and(|target| wanted(&target)));
            has_it.then(|| Holder {
                name: fs::read_to_string(process.path().join("comm"))
                    .unwrap_or_default()
                    .trim_end()
                    .to_owned(),
                process: id,
            })
        })
    }

    pub(super) fn holder(name: &str) -> Option<String> {
        let device = fs::canonicalize(name).ok()?;
        let own = std::process::id().to_string();
        let holders: Vec<String> = with_open(|target| target == device)
            .filter(|holder| holder.process != own)
            .take(MAX_HOLDERS)
            .map(|Holder { name, process }| {
                format!("{} (process {process})", sanitize::for_terminal(&name))
            })
            .collect();
        (!holders.is_empty()).then(|| holders.join(", "))
    }
}

/// Whether another program uses the device. The library gives this error a text, but no kind of its own.
pub(crate) fn is_held(error: &io::Error) -> bool {
    let text = error.to_string();
    error.kind() == io::ErrorKind::ResourceBusy || text.contains("lock") || text.contains("busy")
}

/// The group whose members may use a device, if the operating system has one.
#[cfg(unix)]
pub(crate) fn group_of(name: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = std::fs::metadata(name).ok()?;
    if metadata.mode() & 0o060 != 0o060 || metadata.gid() == 0 {
        return None;
    }
    let gid = metadata.gid().to_string();
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&gid))
        .and_then(|line| line.split(':').next())
        .map(str::to_owned)
}

/// Windows has no such groups.
#[cfg(not(unix))]
pub(crate) fn group_of(_: &str) -> Option<String> {
    None
}
