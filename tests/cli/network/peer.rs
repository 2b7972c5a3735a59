//! A Python program in a namespace, which sends and receives what a test tells it.

use super::*;

/// A Python program with a socket: it executes the commands on its stdin and prints what it receives.
pub(super) const PEER: &str = r#"
import socket, struct, sys
v6 = sys.argv[1] == "6"
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(15)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
if v6:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
else:
    s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.bind(("", 0))
for join in sys.argv[2:]:
    group, name = join.split("@")
    index = socket.if_nametoindex(name)
    if v6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + struct.pack("@4si", b"", index))
print(s.getsockname()[1], flush=True)
def to(host, port):
    return socket.getaddrinfo(host, int(port), s.family, s.type)[0][4]
for line in sys.stdin:
    what, *rest = line.split()
    if what == "send":
        s.sendto(bytes.fromhex(rest[2] if len(rest) > 2 else ""), to(rest[0], rest[1]))
    elif what == "segments":  # UDP_SEGMENT: the kernel cuts it up
        s.sendmsg([bytes.fromhex(rest[3])], [(17, 103, struct.pack("@H", int(rest[2])))], 0, to(rest[0], rest[1]))
    elif what == "connect":
        s.connect(to(rest[0], rest[1]))
    elif what == "by":
        index = socket.if_nametoindex(rest[0])
        if v6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", b"", b"", index))
    elif what == "receive":
        try:
            data, control, flags, address = s.recvmsg(1 << 16, 256)
        except OSError as error:
            print("failed", error, flush=True)
            continue
        ttl = [struct.unpack("@i", value[:4])[0] for level, kind, value in control][0]
        print(address[0], address[1], ttl, data.hex(), flush=True)
"#;

pub(super) struct Peer {
    pub(super) running: Running,
    pub(super) port: u16,
}

/// A datagram that a peer received.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) from: String,
    pub(super) port: u16,
    pub(super) ttl: u8,
    pub(super) payload: Vec<u8>,
}

impl Peer {
    pub(super) fn tell(&mut self, command: &str) {
        let stdin = self.running.stdin.as_mut().expect("stdin is piped");
        stdin
            .write_all(format!("{command}\n").as_bytes())
            .and_then(|()| stdin.flush())
            .expect("the peer reads");
    }

    pub(super) fn send(&mut self, host: &str, port: u16, payload: &[u8]) {
        self.tell(&format!("send {host} {port} {}", hex(payload)));
    }

    #[track_caller]
    pub(super) fn receive(&mut self) -> Heard {
        self.tell("receive");
        let line = self.running.stdout_line();
        let mut words = line.trim_end_matches('\n').split(' ');
        let mut word = || {
            words
                .next()
                .unwrap_or_else(|| panic!("the peer heard: {line}"))
        };
        let from = word().to_owned();
        assert_ne!(from, "failed", "the peer heard nothing: {line}");
        Heard {
            from,
            port: word().parse().unwrap(),
            ttl: word().parse().unwrap(),
            payload: unhex(word()),
        }
    }
}
