//! Names from multicast DNS (RFC 6762). A one-shot resolver (section 5.1) with a port of its own: it needs neither port
//! 5353, which a system service may have, nor membership in the group, and only it receives the answers.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, QCLASS, QTYPE, Question, TYPE};
use socket2::{Domain, Socket, Type};

/// Where devices hear questions.
const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);

/// The host names that MicroPython gives to a board by default (`MICROPY_PY_NETWORK_HOSTNAME_DEFAULT` in
/// ports/esp32/mpconfigport.h), and the one of older firmware.
const DEFAULT_NAMES: [&str; 5] = [
    "mpy-esp32.local",
    "mpy-esp32s2.local",
    "mpy-esp32s3.local",
    "mpy-esp32c3.local",
    "espressif.local",
];

/// When to ask again: the answer may get lost.
const AGAIN: Duration = Duration::from_secs(1);

/// The longest answer to read (RFC 6762, section 17).
const MAX_LEN: usize = 9000;

/// The most records of a kind in an answer. A board's name needs one.
const MAX_RECORDS: u16 = 64;

/// The most answers to read in one go.
const MAX_ANSWERS: usize = 64;

/// The questions for names, and the sockets for the answers.
#[derive(Debug)]
pub(super) struct Resolver {
    /// One per network.
    sockets: Vec<UdpSocket>,
    /// When to ask for the default names.
    ask_at: Vec<Instant>,
    /// The number of the last question.
    id: u16,
}

impl Resolver {
    /// A resolver that asks on the networks of these addresses of this PC.
    pub(super) fn new(own: impl Iterator<Item = Ipv4Addr>) -> Self {
        let now = Instant::now();
        Self {
            sockets: own.filter_map(|own| socket(own).ok()).collect(),
            ask_at: vec![now + AGAIN, now],
            id: 0,
        }
    }

    /// Asks what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.ask_at.pop_if(|at| *at <= now).is_some() {
            let names = DEFAULT_NAMES.map(str::to_owned);
            self.ask(&names, TYPE::A);
        }
    }

    /// Asks the device at this address for its name.
    pub(super) fn ask_for_name_of(&mut self, address: Ipv4Addr) {
        let [a, b, c, d] = address.octets();
        self.ask(&[format!("{d}.{c}.{b}.{a}.in-addr.arpa")], TYPE::PTR);
    }

    /// Sends one question for all `names`.
    fn ask(&mut self, names: &[String], kind: TYPE) {
        self.id = self.id.wrapping_add(1);
        let mut packet = Packet::new_query(self.id);
        for name in names {
            let Ok(name) = Name::new(name) else { continue };
            let (kind, class) = (QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN));
            packet
                .questions
                // `true` asks for a unicast answer (RFC 6762, section 5.4), which comes to our port.
                .push(Question::new(name, kind, class, true));
        }
        let Ok(question) = packet.build_bytes_vec() else {
            return;
        };
        for socket in &self.sockets {
            // Without an answer a board only has no name.
            let _ = socket.send_to(&question, GROUP);
        }
    }

    /// The names that have come, each with the address of the device that claims it.
    pub(super) fn answers(&mut self) -> Vec<(Ipv4Addr, String)> {
        let mut names = Vec::new();
        let mut buffer = vec![0; MAX_LEN];
        for socket in &self.sockets {
            for _ in 0..MAX_ANSWERS {
                match socket.recv_from(&mut buffer) {
                    Ok((len, from)) => {
                        if let (IpAddr::V4(from), Some(answer)) = (from.ip(), buffer.get(..len)) {
                            names.extend(name_of(from, answer).map(|name| (from, name)));
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // Windows reports ICMP errors and answers longer than the buffer.
                    Err(_) => {}
                }
            }
        }
        names
    }
}

/// A socket that sends to groups on the network of this address.
fn socket(own: Ipv4Addr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_multicast_if_v4(&own)?;
    // This PC is not a board.
    socket.set_multicast_loop_v4(false)?;
    socket.bind(&SocketAddrV4::new(own, 0).into())?;
    Ok(socket.into())
}

/// The name that the sender of an answer gives to itself; names of other devices in the answer do not count.
fn name_of(from: Ipv4Addr, answer: &[u8]) -> Option<String> {
    // Look at the counts first: the parser would allocate for as many records as they claim.
    let counts = answer.get(4..12)?;
    let is_small = counts.chunks_exact(2).all(|count| {
        let count = count.try_into().map_or(u16::MAX, u16::from_be_bytes);
        count <= MAX_RECORDS
    });
    if !is_small {
        return None;
    }
    let packet = Packet::parse(answer).ok()?;
    let [a, b, c, d] = from.octets();
    let reverse = format!("{d}.{c}.{b}.{a}.in-addr.arpa");
    let records = packet.answers.iter().chain(&packet.additional_records);
    let mut names = records.filter_map(|record| match &record.rdata {
        RData::A(address) if address.address == from.to_bits() => Some(record.name.to_string()),
        RData::PTR(name) if record.name.to_string().eq_ignore_ascii_case(&reverse) => {
            Some(name.0.to_string())
        }
        _ => None,
    });
    names.find(|name| {
        let host = name.strip_suffix(".local");
        host.is_some_and(|host| !host.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::{A, PTR};

    const BOARD: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 23);

    fn answer(records: &[(&str, RData<'_>)]) -> Vec<u8> {
        let mut packet = Packet::new_reply(1);
        for (name, data) in records {
            let name = Name::new(name).unwrap();
            packet
                .answers
                .push(ResourceRecord::new(name, CLASS::IN, 10, data.clone()));
        }
        packet.build_bytes_vec().unwrap()
    }

    fn a(address: Ipv4Addr) -> RData<'static> {
        RData::A(A {
            address: address.to_bits(),
        })
    }

    #[test]
    fn a_device_says_its_own_name_and_nobody_elses() {
        let own = answer(&[("mpy-esp32-2.local", a(BOARD))]);
        assert_eq!(name_of(BOARD, &own).as_deref(), Some("mpy-esp32-2.local"));
        let others = answer(&[("mpy-esp32.local", a(Ipv4Addr::new(192, 168, 0, 24)))]);
        assert_eq!(name_of(BOARD, &others), None);
        let elsewhere = answer(&[("board.example", a(BOARD)), (".local", a(BOARD))]);
        assert_eq!(name_of(BOARD, &elsewhere), None);
        let name = RData::PTR(PTR(Name::new("lamp.local").unwrap()));
        let reverse = answer(&[("23.0.168.192.in-addr.arpa", name.clone())]);
        assert_eq!(name_of(BOARD, &reverse).as_deref(), Some("lamp.local"));
        let wrong = answer(&[("24.0.168.192.in-addr.arpa", name)]);
        assert_eq!(name_of(BOARD, &wrong), None);
    }

    #[test]
    fn a_damaged_or_hostile_answer_is_no_name() {
        let good = answer(&[("mpy-esp32.local", a(BOARD))]);
        for len in 0..good.len() {
            assert_eq!(name_of(BOARD, &good[..len]), None, "{len}");
        }
        for at in 0..good.len() {
            for value in 0..=u8::MAX {
                let mut bad = good.clone();
                bad[at] = value;
                let _ = name_of(BOARD, &bad);
            }
        }
        let mut many = good;
        // The number of answers (RFC 1035, section 4.1.1).
        many[6..8].copy_from_slice(&u16::MAX.to_be_bytes());
        assert_eq!(name_of(BOARD, &many), None);
    }
}
