//! Finds the program that uses a serial port.

use std::io;

#[cfg(target_os = "linux")]
use crate::processes;
use crate::processes::Process;
#[cfg(target_os = "linux")]
use crate::terminal::sanitize;

/// The limit for the number of programs.
#[cfg(target_os = "linux")]
const MAX_HOLDERS: usize = 3;

/// The programs that have the device `name` open. Only Linux reports them, for programs of the
/// same user (for all users to root).
#[must_use]
pub(crate) fn of(name: &str) -> Vec<Process> {
    #[cfg(target_os = "linux")]
    {
        let Ok(device) = std::fs::canonicalize(name) else {
            return Vec::new();
        };
        processes::with_open(|target| target == device)
            .filter(|holder| holder.id != std::process::id())
            .take(MAX_HOLDERS)
            // A process can choose any name for itself.
            .map(|holder| Process {
                id: holder.id,
                name: sanitize::for_terminal(&holder.name).into_owned(),
            })
            .collect()
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Windows and macOS do not report this to ordinary programs; the error's hint lists the usual ones.
        let _ = name;
        Vec::new()
    }
}

/// Whether another program uses the device. The library gives this error a text, but no kind of its own.
pub(crate) fn is_held(error: &io::Error) -> bool {
    let text = error.to_string();
    error.kind() == io::ErrorKind::ResourceBusy || text.contains("lock") || text.contains("busy")
}

/// Whether this user may read and write the device, as far as its permissions tell. The device is not opened.
#[cfg(unix)]
pub(crate) fn may_open(name: &str) -> bool {
    use rustix::fs::{Access, access};

    access(name, Access::READ_OK | Access::WRITE_OK).is_ok()
}

/// Windows has no such permissions on serial ports.
#[cfg(not(unix))]
pub(crate) fn may_open(_: &str) -> bool {
    true
}

/// Whether the list of groups has this user in the group; the process itself may have started before.
pub(crate) fn is_member(group: &str, user: Option<&str>) -> bool {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    user.is_some_and(|user| has_member(&groups, group, user))
}

/// Lines of the list are `dialout:x:20:anna,ben`.
fn has_member(groups: &str, group: &str, user: &str) -> bool {
    groups.lines().any(|line| {
        let mut fields = line.split(':');
        fields.next() == Some(group)
            && fields
                .nth(2)
                .is_some_and(|members| members.split(',').any(|member| member == user))
    })
}

/// The group whose members may use a device, if the operating system has one.
#[cfg(unix)]
pub(crate) fn group_of(name: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = std::fs::metadata(name).ok()?;
    // Membership would not help: the group is not allowed to read and write, or it is root's own.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_groups_names_the_members() {
        let groups = "root:x:0:\ndialout:x:20:anna,ben\nuucp:x:21";
        assert!(has_member(groups, "dialout", "ben"));
        assert!(!has_member(groups, "dialout", "be"));
        assert!(!has_member(groups, "uucp", "ben"));
        assert!(!has_member("", "dialout", ""));
    }
}
