//! Lists the serial ports, and finds the one with a board.

use std::io;

use serialport::SerialPortType;

use crate::board::error::Error;

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name to open: `/dev/ttyUSB0`, `/dev/cu.usbserial-0001`, `COM5`.
    pub(crate) name: String,
    /// The USB device of the port, if it has one.
    pub(crate) usb: Option<Usb>,
}

/// A USB device with a serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usb {
    /// The vendor ID.
    pub(crate) vid: u16,
    /// The product ID.
    pub(crate) pid: u16,
    /// The serial number, if it has one.
    pub(crate) serial: Option<String>,
    /// The product name from the device or the driver.
    pub(crate) product: Option<String>,
}

/// The USB IDs of the chips on mPython boards and similar ones: vendor, product (any if absent), chip.
// Espressif and FTDI use many product IDs for the same purpose, therefore only their vendor counts.
const KNOWN: [(u16, Option<u16>, Chip); 7] = [
    (0x10c4, Some(0xea60), Chip::Cp210x),
    (0x1a86, Some(0x7523), Chip::Ch340),
    (0x1a86, Some(0x55d4), Chip::Ch9102),
    (0x1a86, Some(0x55d3), Chip::Ch343),
    (0x303a, None, Chip::Espressif),
    (0x0403, None, Chip::Ftdi),
    (0xf055, None, Chip::MicroPython),
];

/// The chip between the USB plug and a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chip {
    /// Silicon Labs' adapter, on the mPython board.
    Cp210x,
    /// WCH's adapter, on other mPython boards.
    Ch340,
    /// WCH's adapter, on many ESP32 boards.
    Ch9102,
    /// Another one of WCH, on many ESP32 boards.
    Ch343,
    /// The USB port inside an ESP32.
    Espressif,
    /// FTDI's adapters.
    Ftdi,
    /// A USB port that the firmware implements.
    MicroPython,
}

impl Chip {
    /// What its maker calls it.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cp210x => "CP210x",
            Self::Ch340 => "CH340",
            Self::Ch9102 => "CH9102",
            Self::Ch343 => "CH343",
            Self::Espressif => "Espressif",
            Self::Ftdi => "FTDI",
            Self::MicroPython => "MicroPython",
        }
    }

    /// Whether the board itself is the USB device, and no adapter sits between.
    #[must_use]
    pub(crate) fn is_native(self) -> bool {
        matches!(self, Self::Espressif | Self::MicroPython)
    }

    /// The boards with this chip, for programs.
    #[must_use]
    pub(crate) fn boards(self) -> &'static str {
        match self {
            Self::Cp210x => "CP210x: mPython board, many ESP32 boards",
            Self::Ch340 => "CH340: mPython board, many ESP32 boards",
            Self::Ch9102 => "CH9102: many ESP32 boards",
            Self::Ch343 => "CH343: many ESP32 boards",
            Self::Espressif => {
                "Espressif's own USB: mPython board 3.0, other boards with an ESP32-S2, S3, C3 or later"
            }
            Self::Ftdi => "FTDI: some ESP32 boards",
            Self::MicroPython => "MicroPython's own USB",
        }
    }
}

impl Listed {
    /// The board that this may be by its USB IDs, for programs; `None` if it does not look like one.
    #[must_use]
    pub fn board(&self) -> Option<&'static str> {
        self.chip().map(Chip::boards)
    }

    /// The USB chip of a board; `None` if it does not look like one.
    #[must_use]
    pub(crate) fn chip(&self) -> Option<Chip> {
        let usb = self.usb.as_ref()?;
        chip_of(usb.vid, usb.pid)
    }
}

/// The USB chip of a board by its IDs.
#[must_use]
pub(crate) fn chip_of(vid: u16, pid: u16) -> Option<Chip> {
    KNOWN
        .iter()
        .find(|known| known.0 == vid && known.1.is_none_or(|known| known == pid))
        .map(|known| known.2)
}

/// The chips of boards that are plugged in, but have no serial port: the driver is missing, or another
/// program took the device away from it. Only Linux shows this.
#[must_use]
pub(crate) fn boards_without_port(ports: &[Listed]) -> Vec<Chip> {
    without_port(std::path::Path::new("/sys/bus/usb/devices"), ports)
}

/// [`boards_without_port`] with the folder of the USB devices, for a test.
fn without_port(devices: &std::path::Path, ports: &[Listed]) -> Vec<Chip> {
    let mut chips: Vec<Chip> = Vec::new();
    for device in std::fs::read_dir(devices).into_iter().flatten().flatten() {
        let id = |name| {
            let text = std::fs::read_to_string(device.path().join(name)).ok()?;
            u16::from_str_radix(text.trim(), 16).ok()
        };
        if let (Some(vid), Some(pid)) = (id("idVendor"), id("idProduct"))
            && let Some(chip) = chip_of(vid, pid)
        {
            chips.push(chip);
        }
    }
    for chip in ports.iter().filter_map(Listed::chip) {
        if let Some(at) = chips.iter().position(|known| *known == chip) {
            // One device for each port: of two boards with the same chip, one may lack its port.
            chips.swap_remove(at);
        }
    }
    // A board with its own USB may offer a drive or a keyboard instead of a serial port.
    chips.retain(|chip| !chip.is_native());
    chips
}

/// The serial ports of this machine, sorted by name.
///
/// # Errors
/// The operating system does not list them.
pub fn list() -> Result<Vec<Listed>, Error> {
    // The library panics without this folder, for example in a sandbox.
    if cfg!(target_os = "linux")
        && let Err(error) = std::fs::read_dir("/sys/class/tty")
    {
        let text = format!("/sys/class/tty: {error}");
        return Err(Error::List {
            source: io::Error::new(error.kind(), text),
        });
    }
    let found = serialport::available_ports().map_err(|source| Error::List {
        source: io::Error::from(source),
    })?;
    let mut ports: Vec<Listed> = found
        .into_iter()
        // macOS lists every port twice; opening tty.* waits for a carrier signal that boards do not have.
        .filter(|port| !(cfg!(target_os = "macos") && port.port_name.starts_with("/dev/tty.")))
        .map(|port| Listed {
            name: port.port_name,
            usb: match port.port_type {
                SerialPortType::UsbPort(usb) => Some(Usb {
                    vid: usb.vid,
                    pid: usb.pid,
                    serial: usb.serial_number,
                    product: usb.product,
                }),
                _ => None,
            },
        })
        .collect();
    ports.sort_by_key(|port| natural(&port.name));
    Ok(ports)
}

/// The key for natural sorting, `COM2` before `COM10`: the text without its last digits, then their number.
fn natural(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name
        .strip_prefix(stem)
        .and_then(|digits| digits.parse().ok());
    (stem.to_owned(), number.unwrap_or(0))
}

/// The only port with a board, if the user named none.
///
/// # Errors
/// There is none, or more than one; both errors list the candidates. This function never guesses.
pub(crate) fn only_board() -> Result<String, Error> {
    choose(list()?)
}

/// The only board among these ports.
fn choose(ports: Vec<Listed>) -> Result<String, Error> {
    let (boards, others): (Vec<Listed>, Vec<Listed>) =
        ports.into_iter().partition(|port| port.board().is_some());
    let mut names: Vec<String> = boards.into_iter().map(|port| port.name).collect();
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        (Some(name), false) => {
            names.push(name);
            Err(Error::ManyBoards { candidates: names })
        }
        (None, _) => Err(Error::NoBoard {
            others: others.into_iter().map(|port| port.name).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, ids: Option<(u16, u16)>) -> Listed {
        Listed {
            name: name.to_owned(),
            usb: ids.map(|(vid, pid)| Usb {
                vid,
                pid,
                serial: None,
                product: None,
            }),
        }
    }

    #[test]
    fn the_only_board_is_chosen_and_never_guessed() {
        let modem = port("COM1", None);
        let board = port("COM5", Some((0x10c4, 0xea60)));
        let other = port("COM10", Some((0x1a86, 0x7523)));
        assert_eq!(choose(vec![modem.clone(), board.clone()]).unwrap(), "COM5");
        let many = choose(vec![board, modem.clone(), other]).unwrap_err();
        assert!(
            matches!(&many, Error::ManyBoards { candidates } if *candidates == ["COM5", "COM10"]),
            "{many:?}"
        );
        let none = choose(vec![modem]).unwrap_err();
        assert!(
            matches!(&none, Error::NoBoard { others } if *others == ["COM1"]),
            "{none:?}"
        );
    }

    #[test]
    fn a_board_without_a_serial_port_is_seen_by_its_usb_ids() {
        let folder = tempfile::tempdir().unwrap();
        for (name, vid, pid) in [
            ("1-1", "1a86\n", "7523\n"),
            ("1-2", "10c4\n", "ea60\n"),
            ("usb1", "1d6b\n", "0002\n"),
            ("1-3", "303a\n", "1001\n"),
        ] {
            let device = folder.path().join(name);
            std::fs::create_dir(&device).unwrap();
            std::fs::write(device.join("idVendor"), vid).unwrap();
            std::fs::write(device.join("idProduct"), pid).unwrap();
        }
        std::fs::create_dir(folder.path().join("1-1:1.0")).unwrap();
        let listed = [port("/dev/ttyUSB0", Some((0x10c4, 0xea60)))];
        assert_eq!(without_port(folder.path(), &listed), [Chip::Ch340]);
        assert_eq!(without_port(&folder.path().join("none"), &listed), []);
    }

    #[test]
    fn names_are_sorted_by_number() {
        assert!(natural("COM2") < natural("COM10"));
        assert!(natural("/dev/ttyUSB9") < natural("/dev/ttyUSB10"));
    }
}
