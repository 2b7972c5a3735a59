//! Which programs have a file or a socket open: one walk through `/proc`, for serial ports and UDP ports alike.

/// A running program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its process ID.
    pub(crate) id: u32,
    /// The program's own name, which may be anything: escape it before printing it on a terminal.
    pub(crate) name: String,
}

/// In English, for JSON and logs.
impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.id)
    }
}

/// The programs with an open descriptor whose link in `/proc/PID/fd` is `wanted`. The kernel shows these links only for
/// processes of the same user (of all users to root).
#[cfg(target_os = "linux")]
pub(crate) fn with_open(
    wanted: impl Fn(&std::path::Path) -> bool,
) -> impl Iterator<Item = Process> {
    use std::fs;

    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let has_it =
            files.any(|file| fs::read_link(file.path()).is_ok_and(|target| wanted(&target)));
        has_it.then(|| Process {
            id,
            name: fs::read_to_string(process.path().join("comm"))
                .unwrap_or_default()
                .trim_end()
                .to_owned(),
        })
    })
}

/// The programs with a socket bound to this UDP port, at most three; with `local`, only sockets for that address or for
/// every address. Only Linux reports them.
#[must_use]
pub(crate) fn with_udp_port(port: u16, local: Option<std::net::Ipv4Addr>) -> Vec<Process> {
    #[cfg(target_os = "linux")]
    {
        let mut sockets: Vec<String> = Vec::new();
        for table in ["/proc/net/udp", "/proc/net/udp6"] {
            let table = std::fs::read_to_string(table).unwrap_or_default();
            let lines = table.lines().skip(1);
            sockets.extend(lines.filter_map(|line| inode(line, port, local)));
        }
        if sockets.is_empty() {
            return Vec::new();
        }
        let has_socket = |target: &std::path::Path| {
            let target = target.to_string_lossy();
            target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inode| sockets.iter().any(|socket| socket == inode))
        };
        with_open(has_socket).take(3).collect()
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Windows and macOS need a program for this (`netstat -ano`, `lsof -i UDP`); the documentation names it.
        let _ = (port, local);
        Vec::new()
    }
}

/// The inode of a socket in a line of the table, if it has the port: `  sl  local_address rem_address st .. inode ..`.
#[cfg(target_os = "linux")]
fn inode(line: &str, port: u16, local: Option<std::net::Ipv4Addr>) -> Option<String> {
    let mut fields = line.split_ascii_whitespace();
    let (address, theirs) = fields.nth(1)?.split_once(':')?;
    if u16::from_str_radix(theirs, 16).ok()? != port {
        return None;
    }
    let is_any = address.bytes().all(|byte| byte == b'0');
    let is_local = local.is_none_or(|local| {
        // The table prints the address in the processor's byte order.
        address.ends_with(&format!("{:08X}", u32::from_ne_bytes(local.octets())))
    });
    (is_any || is_local)
        .then(|| fields.nth(7).map(str::to_owned))
        .flatten()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_sockets_table_has_port_and_inode() {
        let line = "  311: 0A00A8C0:1770 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 123456 2 0000 0";
        assert_eq!(inode(line, 6000, None).as_deref(), Some("123456"));
        assert_eq!(inode(line, 6001, None), None);
        for garbage in ["", "1: x", "a b:zz c", "  311: 0A00A8C0:1770 short"] {
            assert_eq!(inode(garbage, 6000, None), None, "{garbage}");
        }
    }
}
