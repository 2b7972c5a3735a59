//! The USB port inside a board's own chip: what is special about it, and how to find it again.
//!
//! An adapter (CP2104, CH340) stays on the bus when the board restarts. A chip's own port may leave the bus at a reset and
//! return a moment later, under another name if the old one is still in use. Which USB device a name belongs to can only be
//! read while the port is there, so udpcli remembers it when it opens a port.
//!
//! The USB-Serial/JTAG unit (ESP32-S3, C3, C6 ..) has no baud rate. It sends in packets of 64 bytes, and the computer may
//! hold back an answer whose last packet is full until the board sends more (micropython#19651).

use std::sync::{Mutex, PoisonError};

use crate::board::serial_ports::{self, Chip, Listed, chip_of};

/// Espressif's vendor ID and the product ID of the USB-Serial/JTAG unit.
const SERIAL_JTAG: (u16, u16) = (0x303a, 0x1001);

/// Whether this is the USB-Serial/JTAG unit, which interprets DTR and RTS as commands of its own. USB-OTG interprets
/// them as the two transistors do (esptool `loader.py`, `_construct_reset_strategy_sequence`).
#[must_use]
pub(crate) fn is_serial_jtag(port: &Listed) -> bool {
    port.usb
        .as_ref()
        .is_some_and(|usb| (usb.vid, usb.pid) == SERIAL_JTAG)
}

/// The USB device behind a board's own port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeUsb {
    /// The vendor ID.
    pub vid: u16,
    /// The product ID.
    pub pid: u16,
    /// The serial number; on Espressif's chips the MAC address.
    pub serial: Option<String>,
    /// The USB socket of this PC, if the operating system reports it.
    pub place: Option<String>,
}

impl NativeUsb {
    /// Whether the computer may hold back the end of an answer.
    pub(crate) fn holds_packets(&self) -> bool {
        (self.vid, self.pid) == SERIAL_JTAG
    }

    /// Whether this is the same device. In its loader a chip may have another product ID, so only the vendor counts.
    fn is(&self, other: &Self) -> bool {
        if self.vid != other.vid {
            return false;
        }
        match (&self.serial, &other.serial) {
            (Some(serial), Some(other)) => serial.eq_ignore_ascii_case(other),
            _ => self.place.is_some() && self.place == other.place,
        }
    }

    fn of_port(port: &Listed) -> Option<Self> {
        let usb = port.usb.as_ref()?;
        chip_of(usb.vid, usb.pid)
            .is_some_and(Chip::is_native)
            .then(|| Self {
                vid: usb.vid,
                pid: usb.pid,
                serial: usb.serial.clone().filter(|serial| !serial.is_empty()),
                place: place(&port.name),
            })
    }
}

/// The devices of the ports that were opened, by name; `None` for an adapter, or another port of this PC.
static KNOWN: Mutex<Vec<(String, Option<NativeUsb>)>> = Mutex::new(Vec::new());

/// Whether the computer may hold back the end of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// Behind an adapter the computer holds nothing back.
    No,
    /// The other end is unknown: `socket://`, a pseudo-terminal.
    Unknown,
    /// The port is the USB-Serial/JTAG unit of the chip.
    Yes,
}

/// What is known about a port that was opened.
pub(crate) fn holding(name: &str) -> Holding {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match known.iter().find(|(known, _)| known == name) {
        Some((_, Some(device))) if device.holds_packets() => Holding::Yes,
        Some(_) => Holding::No,
        None => Holding::Unknown,
    }
}

/// Remembers the device behind a port that has just been opened, if it is a board's own.
pub(crate) fn note_opened(name: &str) {
    let target = std::fs::canonicalize(name).ok();
    let is_it = |port: &&Listed| {
        port.name.eq_ignore_ascii_case(name)
            || target.as_ref().is_some_and(|target| {
                std::fs::canonicalize(&port.name).ok().as_ref() == Some(target)
            })
    };
    let ports = serial_ports::list().unwrap_or_default();
    if let Some(port) = ports.iter().find(is_it) {
        note(name, NativeUsb::of_port(port));
    }
}

/// Remembers the device behind a name.
pub fn remember(name: &str, device: NativeUsb) {
    note(name, Some(device));
}

fn note(name: &str, device: Option<NativeUsb>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|(old, _)| old != name);
    known.push((name.to_owned(), device));
}

/// The device that a port with this name had when it was opened last; `None` for an adapter.
pub(crate) fn of(name: &str) -> Option<NativeUsb> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.iter().find(|(known, _)| known == name);
    found.and_then(|(_, device)| device.clone())
}

/// The name that the board behind `name` has now, if it has another one.
pub(crate) fn elsewhere(name: &str) -> Option<String> {
    let device = of(name)?;
    let ports = serial_ports::list().ok()?;
    let now = find(&device, &ports, NativeUsb::of_port)?;
    (now != name).then(|| now.to_owned())
}

fn find<'a>(
    device: &NativeUsb,
    ports: &'a [Listed],
    of_port: impl Fn(&Listed) -> Option<NativeUsb>,
) -> Option<&'a str> {
    let mut same = ports
        .iter()
        .filter(|port| of_port(port).is_some_and(|other| device.is(&other)));
    // If two boards claim the same serial number, neither is certainly the wanted one.
    match (same.next(), same.next()) {
        (Some(port), None) => Some(&port.name),
        _ => None,
    }
}

/// The USB socket of a port, as Linux names it: `1-1.3`.
#[cfg(target_os = "linux")]
fn place(name: &str) -> Option<String> {
    let tty = std::path::Path::new(name).file_name()?;
    let link = std::path::Path::new("/sys/class/tty")
        .join(tty)
        .join("device");
    let interface = std::fs::canonicalize(link).ok()?;
    let place = interface.parent()?.file_name()?;
    Some(place.to_string_lossy().into_owned())
}

/// Other systems do not show the socket in the port's name; use the serial number only.
#[cfg(not(target_os = "linux"))]
fn place(_: &str) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::serial_ports::Usb;

    fn device(pid: u16, serial: Option<&str>, place: Option<&str>) -> NativeUsb {
        NativeUsb {
            vid: 0x303a,
            pid,
            serial: serial.map(str::to_owned),
            place: place.map(str::to_owned),
        }
    }

    fn listed(name: &str, device: &NativeUsb) -> Listed {
        Listed {
            name: name.to_owned(),
            usb: Some(Usb {
                vid: device.vid,
                pid: device.pid,
                serial: device.serial.clone(),
                product: device.place.clone(),
            }),
        }
    }

    #[test]
    fn only_the_serial_jtag_unit_has_a_reset_of_its_own() {
        for (pid, expected) in [(0x1001, true), (0x4001, false), (2, false)] {
            let port = listed("COM5", &device(pid, None, None));
            assert_eq!(is_serial_jtag(&port), expected, "{pid:x}");
        }
    }

    /// The search, with the place in the product's name.
    fn found<'a>(device: &NativeUsb, ports: &'a [Listed]) -> Option<&'a str> {
        find(device, ports, |port| {
            let usb = port.usb.as_ref()?;
            Some(NativeUsb {
                vid: usb.vid,
                pid: usb.pid,
                serial: usb.serial.clone(),
                place: usb.product.clone(),
            })
        })
    }

    #[test]
    fn a_board_is_found_by_its_serial_number_or_by_its_place() {
        let mine = device(0x1001, Some("AA:BB:CC:DD:EE:FF"), Some("1-1"));
        let other = device(0x1001, Some("AA:BB:CC:DD:EE:00"), Some("1-2"));
        let ports = [
            listed("/dev/ttyACM0", &other),
            listed("/dev/ttyACM1", &mine),
        ];
        assert_eq!(found(&mine, &ports), Some("/dev/ttyACM1"));
        assert_eq!(found(&other, &ports), Some("/dev/ttyACM0"));
        // Plugged into another socket, and in its loader.
        let moved = device(0x0002, Some("aa:bb:cc:dd:ee:ff"), Some("2-4"));
        assert_eq!(found(&mine, &[listed("COM9", &moved)]), Some("COM9"));
        // Without a serial number the place decides; a device with another serial number is another board.
        let (anonymous, there) = (
            device(0x4001, None, Some("1-1")),
            device(0x4001, None, Some("1-2")),
        );
        assert_eq!(found(&anonymous, &[listed("a", &there)]), None);
        assert_eq!(found(&anonymous, &[listed("a", &anonymous)]), Some("a"));
        assert_eq!(found(&mine, &[listed("a", &other)]), None);
        let nowhere = device(0x4001, None, None);
        assert_eq!(found(&nowhere, &[listed("a", &nowhere)]), None);
        // Never guessed.
        let twins = [listed("a", &mine), listed("b", &mine)];
        assert_eq!(found(&mine, &twins), None);
    }

    #[test]
    fn only_the_usb_serial_jtag_unit_holds_packets() {
        // 0x1001 is the USB-Serial/JTAG unit of a chip, 0x4001 is MicroPython's own USB stack.
        assert!(device(0x1001, None, None).holds_packets());
        assert!(!device(0x4001, None, None).holds_packets());
    }
}
