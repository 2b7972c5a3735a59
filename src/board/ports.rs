//! Lists the serial ports, and finds the one with a board.

use std::io;

use serialport::SerialPortType;

use crate::board::error::Error;

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name to open: `/dev/ttyUSB0`, `/dev/cu.usbserial-0001`, `COM5`.
    pub name: String,
    /// The USB device of the port, if it has one.
    pub usb: Option<Usb>,
}

/// A USB device with a serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    /// The vendor ID.
    pub vid: u16,
    /// The product ID.
    pub pid: u16,
    /// The serial number, if it has one.
    pub serial: Option<String>,
    /// The product name from the device or the driver.
    pub product: Option<String>,
}

/// The USB IDs of the chips on mPython boards and similar ones: vendor, product (any if absent), chip.
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
#[expect(missing_docs, reason = "their names are those of the makers")]
pub enum Chip {
    Cp210x,
    Ch340,
    Ch9102,
    Ch343,
    /// The USB port inside an ESP32.
    Espressif,
    Ftdi,
    /// A USB port that the firmware implements.
    MicroPython,
}

impl Chip {
    /// The boards with this chip, for programs.
    #[must_use]
    pub fn boards(self) -> &'static str {
        match self {
            Self::Cp210x => "CP210x: mPython board, many ESP32 boards",
            Self::Ch340 => "CH340: mPython board, many ESP32 boards",
            Self::Ch9102 => "CH9102: many ESP32 boards",
            Self::Ch343 => "CH343: many ESP32 boards",
            Self::Espressif => "Espressif's own USB: ESP32-S2, S3, C3 and later",
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
    pub fn chip(&self) -> Option<Chip> {
        let usb = self.usb.as_ref()?;
        KNOWN
            .iter()
            .find(|(vid, pid, _)| *vid == usb.vid && pid.is_none_or(|pid| pid == usb.pid))
            .map(|(_, _, chip)| *chip)
    }
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
pub fn only_board() -> Result<String, Error> {
    choose(list()?)
}

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
    fn names_are_sorted_by_number() {
        assert!(natural("COM2") < natural("COM10"));
        assert!(natural("/dev/ttyUSB9") < natural("/dev/ttyUSB10"));
    }
}
