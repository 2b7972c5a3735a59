//! Finds boards: devices with an Espressif adapter in the neighbour table, host names from multicast DNS, and USB ports.
//!
//! udpcli sends nothing to the programs on boards, unless the user asks for it: a datagram to UDP port 6000 would
//! appear on every display. It opens no serial port either, because that resets some boards. IPv4 only, like the
//! programs on the boards.

mod espressif;
pub(crate) mod mac;
mod mdns;
pub(crate) mod neighbours;
pub(crate) mod probe;
mod sweep;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

#[cfg(feature = "board")]
use crate::board::serial_ports::{self, Chip};
use crate::shutdown::Shutdown;
use crate::survey::find::mac::Mac;
use crate::survey::find::mdns::Resolver;
use crate::survey::find::probe::{PortState, Probes};
use crate::survey::find::sweep::Sweep;
use crate::wait::{Over, Site, Wait};

/// The payload of every datagram to a device. It is not empty: an empty datagram ends the loop of some programs.
const MESSAGE: &[u8] = b"udpcli find";

/// How often to look for answers.
const TICK: Duration = Duration::from_millis(2);

/// The most boards to list.
const MAX_BOARDS: usize = 4096;

/// How a board was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The board's MAC address in the neighbour table is Espressif's.
    NeighbourTable,
    /// The board answered a multicast DNS query.
    Mdns,
    /// The USB device has the chip of a board.
    #[cfg(feature = "board")]
    Usb(Chip),
}

impl Evidence {
    /// The value in JSON.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NeighbourTable => "neighbour-table",
            Self::Mdns => "mdns",
            #[cfg(feature = "board")]
            Self::Usb(_) => "usb",
        }
    }
}

/// A board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FoundBoard {
    /// Its host name.
    pub(crate) name: Option<String>,
    /// Its IPv4 address.
    pub(crate) address: Option<Ipv4Addr>,
    /// Its MAC address.
    pub(crate) mac: Option<Mac>,
    /// The serial port on this PC.
    pub(crate) serial_port: Option<String>,
    /// How udpcli found the board, in at least one way.
    pub(crate) found: Vec<Evidence>,
    /// Whether a program listens on UDP port 6000, if it was asked.
    pub(crate) port: Option<PortState>,
}

/// What was found, and whether the search came to its end.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The boards on the network by address, then the boards on USB.
    pub(crate) boards: Vec<FoundBoard>,
    /// Whether the user ended the search.
    pub(crate) is_interrupted: bool,
}

/// Searches for this long. `probes` asks each board on the network whether a program listens on UDP port 6000.
#[must_use]
pub(crate) fn search(wait: Duration, probes: bool) -> Findings {
    let shutdown = Shutdown::current();
    let is_stopped = || shutdown.is_asked();
    let now = Instant::now();
    // A wait beyond the range of the clock never ends.
    let deadline = now.checked_add(wait);
    let networks = sweep::networks();
    let mut search = Search {
        boards: BTreeMap::new(),
        macs: BTreeMap::new(),
        resolver: Resolver::new(networks.iter().map(|network| network.own)),
        probes: probes.then(Probes::default),
        has_table: true,
    };
    let mut is_interrupted = false;
    if networks.is_empty() {
        tracing::warn!(say = "find.no-network");
    } else {
        let mut sweep = Sweep::new(&networks);
        let mut waiting = Wait::at(Site::Boards, &is_stopped);
        waiting = match deadline {
            Some(deadline) => waiting.until(deadline),
            None => waiting,
        };
        let mut read_at = now;
        loop {
            let over = waiting.look();
            let now = Instant::now();
            sweep.tick(now);
            search.resolver.tick(now);
            // Also at the end, for devices that have only just answered.
            if now >= read_at || over.is_some() {
                search.read_table();
                read_at = now + neighbours::PERIOD;
            }
            search.hear();
            if let Some(over) = over {
                is_interrupted = over == Over::Interrupted;
                break;
            }
            std::thread::sleep(waiting.piece(TICK));
        }
        if !search.has_table {
            tracing::warn!(say = "find.no-table");
        }
    }
    #[cfg_attr(not(feature = "board"), expect(unused_mut, reason = "USB adds some"))]
    let mut boards = search.finish();
    #[cfg(feature = "board")]
    add_usb(&mut boards);
    Findings {
        boards,
        is_interrupted: is_interrupted || shutdown.is_asked(),
    }
}

/// The boards found so far, and the queries in progress.
struct Search {
    /// The boards, by address.
    boards: BTreeMap<Ipv4Addr, FoundBoard>,
    /// All devices of the neighbour table.
    macs: BTreeMap<Ipv4Addr, Mac>,
    /// Asks for names.
    resolver: Resolver,
    /// Asks for the port, if the user wants that.
    probes: Option<Probes>,
    /// Whether the operating system shows its neighbour table.
    has_table: bool,
}

impl Search {
    /// Takes the new devices of the neighbour table.
    fn read_table(&mut self) {
        let Some(table) = neighbours::read() else {
            self.has_table = false;
            return;
        };
        for neighbour in table {
            // An address may pass to another device while the search runs.
            let is_new = self.macs.insert(neighbour.address, neighbour.mac) != Some(neighbour.mac);
            if is_new && neighbour.mac.is_espressif() {
                self.add(neighbour.address, Evidence::NeighbourTable);
            }
        }
    }

    /// Takes the answers that have come.
    fn hear(&mut self) {
        for (address, name) in self.resolver.answers() {
            self.add(address, Evidence::Mdns);
            if let Some(board) = self.boards.get_mut(&address) {
                board.name.get_or_insert(name);
            }
        }
        if let Some(probes) = &mut self.probes {
            probes.tick();
        }
    }

    /// Adds a board, or another way in which it was found.
    fn add(&mut self, address: Ipv4Addr, evidence: Evidence) {
        let is_new = !self.boards.contains_key(&address);
        // Limit the number: answers come from the network and must not fill this PC's memory.
        if is_new && self.boards.len() >= MAX_BOARDS {
            return;
        }
        let board = self.boards.entry(address).or_default();
        board.address = Some(address);
        if !board.found.contains(&evidence) {
            board.found.push(evidence);
        }
        if is_new {
            self.resolver.ask_for_name_of(address);
            if let Some(probes) = &mut self.probes {
                probes.ask(address);
            }
        }
    }

    /// The boards with all known details.
    fn finish(self) -> Vec<FoundBoard> {
        let Self {
            boards,
            macs,
            probes,
            ..
        } = self;
        let with_details = boards.into_iter().map(|(address, board)| FoundBoard {
            mac: macs.get(&address).copied(),
            port: probes.as_ref().map(|probes| probes.state(address)),
            ..board
        });
        with_details.collect()
    }
}

/// Adds the boards on USB. An ESP32 with its own USB port has its MAC address as the serial number, so it can be
/// matched with a board on the network.
#[cfg(feature = "board")]
fn add_usb(boards: &mut Vec<FoundBoard>) {
    let Ok(listed) = serial_ports::list() else {
        tracing::warn!(say = "find.no-usb");
        return;
    };
    for port in listed {
        let Some(chip) = port.chip() else { continue };
        let serial = port.usb.as_ref().and_then(|usb| usb.serial.as_deref());
        let mac = serial
            .and_then(|serial| serial.parse().ok())
            // The serial numbers of other chips may look like a MAC address, too.
            .filter(|mac: &Mac| mac.is_espressif());
        let same = boards
            .iter_mut()
            // Two boards without a known address are not the same one.
            .find(|board| mac.is_some() && board.mac == mac);
        if let Some(board) = same {
            board.serial_port = Some(port.name);
            board.found.push(Evidence::Usb(chip));
        } else {
            boards.push(FoundBoard {
                mac,
                serial_port: Some(port.name),
                found: vec![Evidence::Usb(chip)],
                ..FoundBoard::default()
            });
        }
    }
}
