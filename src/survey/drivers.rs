//! Drivers of boards' USB chips on Windows, from the registry. Windows keeps a key for each device that was ever
//! plugged in: one without a service has never had a driver.

use crate::board::serial_ports::{Chip, Listed, chip_of};

/// The year before which a driver is older than Windows 10.
const WINDOWS_10: u16 = 2015;

/// What is wrong with a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DriverFault {
    /// A chip has none.
    Missing(Chip),
    /// The driver of a port is older than Windows 10.
    Old {
        /// The port's name.
        port: String,
        /// Its chip.
        chip: Chip,
        /// The year of the driver.
        year: u16,
    },
}

/// A device that was plugged in at some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Device {
    /// The name of its key: `VID_10C4&PID_EA60`.
    pub(super) id: String,
    /// Whether it has a driver.
    pub(super) has_driver: bool,
    /// Its serial port.
    pub(super) port: Option<String>,
    /// Its driver's date: month, day and year, `9-16-2013`.
    pub(super) date: Option<String>,
}

impl Device {
    /// The board's chip. Interfaces of a device, which have keys of their own, are left out, and so are boards with their
    /// own USB: they need no driver, and may offer a drive or a keyboard instead of a serial port.
    fn chip(&self) -> Option<Chip> {
        let ids = self.id.strip_prefix("VID_")?;
        let (vendor, product) = ids.split_once("&PID_")?;
        let vendor = u16::from_str_radix(vendor, 16).ok()?;
        let product = u16::from_str_radix(product, 16).ok()?;
        chip_of(vendor, product).filter(|chip| !chip.is_native())
    }

    /// The year of the driver's date.
    fn year(&self) -> Option<u16> {
        self.date
            .as_deref()?
            .rsplit(['-', '/'])
            .next()?
            .parse()
            .ok()
    }
}

/// Chips without a driver, and drivers of `ports` that are too old. The registry does not show whether a device without
/// a driver is plugged in now, so this reports one only while no board has a port.
pub(super) fn judge(devices: &[Device], ports: &[Listed]) -> Vec<DriverFault> {
    let mut findings = Vec::new();
    for device in devices {
        let Some(chip) = device.chip() else { continue };
        let listed = device
            .port
            .as_ref()
            .and_then(|name| ports.iter().find(|port| port.name == *name));
        let finding = match (listed, device.year()) {
            (Some(port), Some(year)) if year < WINDOWS_10 => DriverFault::Old {
                port: port.name.clone(),
                chip,
                year,
            },
            (None, _) if !device.has_driver && !ports.iter().any(|port| port.chip().is_some()) => {
                DriverFault::Missing(chip)
            }
            _ => continue,
        };
        // A class room's PC remembers dozens of boards that were plugged in once.
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

/// The USB devices in the registry.
#[cfg(windows)]
pub(super) fn devices() -> Vec<Device> {
    use crate::registry::RegistryKey;

    let Some(all) = RegistryKey::open(r"SYSTEM\CurrentControlSet\Enum\USB") else {
        return Vec::new();
    };
    let mut devices = Vec::new();
    for id in all.names() {
        let Some(instances) = all.child(&id) else {
            continue;
        };
        devices.extend(instances.children().map(|instance| {
            let class = instance.text("Driver").and_then(|driver| {
                RegistryKey::open(&format!(r"SYSTEM\CurrentControlSet\Control\Class\{driver}"))
            });
            Device {
                id: id.to_ascii_uppercase(),
                has_driver: instance
                    .text("Service")
                    .is_some_and(|service| !service.is_empty()),
                port: instance
                    .child("Device Parameters")
                    .and_then(|parameters| parameters.text("PortName")),
                date: class.and_then(|class| class.text("DriverDate")),
            }
        }));
    }
    devices
}

/// Other systems have no registry.
#[cfg(not(windows))]
pub(super) fn devices() -> Vec<Device> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::serial_ports::Usb;

    fn device(id: &str, port: Option<&str>, date: Option<&str>) -> Device {
        Device {
            id: id.to_owned(),
            has_driver: port.is_some(),
            port: port.map(str::to_owned),
            date: date.map(str::to_owned),
        }
    }

    fn port(name: &str, vid: u16, pid: u16) -> Listed {
        Listed {
            name: name.to_owned(),
            usb: Some(Usb {
                vid,
                pid,
                serial: None,
                product: None,
            }),
        }
    }

    #[test]
    fn a_board_without_a_driver_is_told_from_one_that_is_not_plugged_in() {
        let without = device("VID_10C4&PID_EA60", None, None);
        let unplugged = device("VID_1A86&PID_7523", Some("COM3"), Some("1-30-2023"));
        let interface = device("VID_303A&PID_1001&MI_02", None, None);
        let native = device("VID_303A&PID_1001", None, None);
        let mouse = device("VID_046D&PID_C52B", None, None);
        let devices = [
            without.clone(),
            without,
            unplugged,
            interface,
            native,
            mouse,
        ];
        let chip = Chip::Cp210x;
        assert_eq!(judge(&devices, &[]), [DriverFault::Missing(chip)]);
        // A board works, so the key may belong to a board that is no longer plugged in.
        assert_eq!(judge(&devices, &[port("COM5", 0x10c4, 0xea60)]), []);
        assert_eq!(judge(&devices, &[port("COM5", 0x1a86, 0x7523)]), []);
        let modem = port("COM1", 0x046d, 0xc52b);
        assert_eq!(judge(&devices, &[modem]), [DriverFault::Missing(chip)]);
    }

    #[test]
    fn a_driver_from_before_windows_10_is_old_while_its_port_is_there() {
        let devices = [
            device("VID_1A86&PID_7523", Some("COM3"), Some("8-8-2014")),
            device("VID_10C4&PID_EA60", Some("COM4"), Some("10-18-2021")),
            device("VID_0403&PID_6001", Some("COM9"), Some("not a date")),
        ];
        let ports = [port("COM3", 0x1a86, 0x7523), port("COM4", 0x10c4, 0xea60)];
        let old = DriverFault::Old {
            port: "COM3".to_owned(),
            chip: Chip::Ch340,
            year: 2014,
        };
        assert_eq!(judge(&devices, &ports), [old]);
        assert_eq!(judge(&devices, &[]), []);
    }
}
