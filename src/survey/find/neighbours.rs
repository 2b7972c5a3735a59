//! The neighbour table: which IPv4 address has which MAC address, as far as the operating system knows. No rights needed.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::os_command::{self, ProgramEnd};
use crate::survey::find::mac::Mac;
use crate::wait::Site;

/// The most entries to use.
const MAX_ENTRIES: usize = 4096;

/// A device that this PC has exchanged packets with lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NearDevice {
    /// Its IPv4 address.
    pub(crate) address: Ipv4Addr,
    /// Its MAC address.
    pub(crate) mac: Mac,
}

/// How often to read the table: on Linux it is a file, elsewhere the output of a program.
pub(crate) const PERIOD: Duration = if cfg!(target_os = "linux") {
    Duration::from_millis(100)
} else {
    Duration::from_millis(900)
};

/// Reads the table; `None` if the system does not show it.
#[must_use]
pub(crate) fn read() -> Option<Vec<NearDevice>> {
    // Only on systems other than Linux, where a program prints the table.
    const PATIENCE: Duration = Duration::from_secs(2);

    if cfg!(target_os = "linux") {
        let table = std::fs::read_to_string("/proc/net/arp").ok()?;
        return Some(of_proc(&table));
    }
    // On macOS -n keeps arp from asking a name server about each address.
    let args = if cfg!(windows) { "-a" } else { "-an" };
    match os_command::ask(Site::Boards, PATIENCE, "arp", &[args]) {
        ProgramEnd::Text(table) => Some(of_arp(&table)),
        ProgramEnd::Interrupted => Some(Vec::new()),
        ProgramEnd::Failed(_) | ProgramEnd::Absent => None,
    }
}

/// The entries of `/proc/net/arp` that the kernel has verified (`ATF_COM`).
fn of_proc(table: &str) -> Vec<NearDevice> {
    let entries = table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let address = columns.next()?.parse().ok()?;
        // The column between is the kind of network.
        let flags = columns.nth(1)?.strip_prefix("0x")?;
        let mac: Mac = columns.next()?.parse().ok()?;
        let is_complete = u32::from_str_radix(flags, 16).ok()? & 2 != 0;
        (is_complete && mac.is_of_one()).then_some(NearDevice { address, mac })
    });
    entries.take(MAX_ENTRIES).collect()
}

/// The entries of `arp -a`, in whatever language it speaks: the lines with an IPv4 address and a MAC address.
fn of_arp(table: &str) -> Vec<NearDevice> {
    let entries = table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let address = columns.find_map(|column| {
            let column = column.strip_prefix('(').unwrap_or(column);
            column.strip_suffix(')').unwrap_or(column).parse().ok()
        })?;
        let mac: Mac = columns.find_map(|column| column.parse().ok())?;
        mac.is_of_one().then_some(NearDevice { address, mac })
    });
    entries.take(MAX_ENTRIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbour(address: &str, mac: &str) -> NearDevice {
        NearDevice {
            address: address.parse().unwrap(),
            mac: mac.parse().unwrap(),
        }
    }

    #[test]
    fn the_table_of_linux_is_read() {
        // The flag 0x2 is a complete entry, 0x4 one that somebody has entered by hand (include/uapi/linux/if_arp.h).
        let table = "\
IP address       HW type     Flags       HW address            Mask     Device
192.168.0.23     0x1         0x2         24:0a:c4:00:00:17     *        wlan0
192.168.0.24     0x1         0x0         24:0a:c4:00:00:18     *        wlan0
192.168.0.25     0x1         0x0         00:00:00:00:00:00     *        wlan0
192.168.0.26     0x1         0x6         24:0a:c4:00:00:1a     *        wlan0
192.168.0.27     0x1
torn
";
        assert_eq!(
            of_proc(table),
            [
                neighbour("192.168.0.23", "24:0a:c4:00:00:17"),
                neighbour("192.168.0.26", "24:0a:c4:00:00:1a"),
            ]
        );
    }

    #[test]
    fn the_table_of_windows_is_read_in_english_and_chinese() {
        let table = "\r
Interface: 192.168.0.10 --- 0x5\r
  Internet Address      Physical Address      Type\r
  192.168.0.1           00-11-22-33-44-55     dynamic\r
  192.168.0.23          24-0a-c4-00-00-17     dynamic\r
  192.168.0.255         ff-ff-ff-ff-ff-ff     static\r
  224.0.0.251           01-00-5e-00-00-fb     static\r
";
        let wanted = [
            neighbour("192.168.0.1", "00:11:22:33:44:55"),
            neighbour("192.168.0.23", "24:0a:c4:00:00:17"),
        ];
        assert_eq!(of_arp(table), wanted);
        let chinese = table
            .replace("Interface", "接口")
            .replace("dynamic", "动态");
        assert_eq!(of_arp(&chinese), wanted);
        // In the code page of a Chinese Windows it is not UTF-8.
        assert_eq!(
            of_arp(&table.replace("dynamic", "\u{fffd}\u{fffd}")),
            wanted
        );
    }

    #[test]
    fn the_table_of_macos_is_read() {
        let table = "\
? (192.168.0.1) at 0:11:22:33:44:55 on en0 ifscope [ethernet]
? (192.168.0.23) at 24:a:c4:0:0:17 on en0 ifscope [ethernet]
? (192.168.0.24) at (incomplete) on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
";
        assert_eq!(
            of_arp(table),
            [
                neighbour("192.168.0.1", "00:11:22:33:44:55"),
                neighbour("192.168.0.23", "24:0a:c4:00:00:17"),
            ]
        );
    }
}
