//! The PC's sockets: one receiving socket per local address, shared by all boards, and one sending socket per
//! measurement.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::udp::adapter;

/// How many datagrams wait for a board's measurement.
const WAITING: usize = 8192;

/// The receive buffer to request: forty boards may send at once.
const RECV_BUFFER: usize = 4 << 20;

/// How often a receiving thread checks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// A datagram that arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    /// When it was read from the socket.
    pub(super) at: Instant,
    /// The sender's address; it is not the board's if a router or a virtual machine rewrites it (NAT).
    pub(super) from: Ipv4Addr,
    /// Its bytes.
    pub(super) payload: Vec<u8>,
}

/// A measurement that waits for a board's datagrams.
struct Subscriber {
    /// The board's own address.
    from: Ipv4Addr,
    /// The token of its run.
    token: [u8; 4],
    /// Where its datagrams go.
    to: SyncSender<Arrived>,
}

/// One receiving socket.
struct Inbox {
    /// One for each board whose test runs.
    subscribers: Mutex<Vec<Subscriber>>,
    /// Set when the thread should end.
    ended: AtomicBool,
}

/// All receiving sockets of a run. They close on drop.
#[derive(Default)]
pub(crate) struct Inboxes {
    /// By the local address.
    inboxes: Mutex<BTreeMap<SocketAddrV4, Arc<Inbox>>>,
}

impl std::fmt::Debug for Inboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inboxes").finish_non_exhaustive()
    }
}

impl Inboxes {
    /// Receives on `local`, shared with other boards, what the board at `from` sends: datagrams with its `token` from
    /// any address, and datagrams too short for a token from its own or an unknown address.
    pub(super) fn subscribe(
        &self,
        local: SocketAddrV4,
        from: Ipv4Addr,
        token: [u8; 4],
    ) -> io::Result<Receiver<Arrived>> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        // All boards send to the same port, and only one socket can have it.
        let inbox = match inboxes.get(&local) {
            Some(inbox) => Arc::clone(inbox),
            None => {
                let inbox = open(local)?;
                inboxes.insert(local, Arc::clone(&inbox));
                inbox
            }
        };
        let (to, receiver) = sync_channel(WAITING);
        inbox
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Subscriber { from, token, to });
        Ok(receiver)
    }
}

impl Drop for Inboxes {
    fn drop(&mut self) {
        for inbox in self
            .inboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            inbox.ended.store(true, Ordering::Relaxed);
        }
    }
}

/// Opens a socket and starts a thread that receives.
fn open(local: SocketAddrV4) -> io::Result<Arc<Inbox>> {
    tracing::debug!("socket AF_INET SOCK_DGRAM");
    tracing::debug!("bind {local}");
    let socket = UdpSocket::bind(local)?;
    // Best effort: the operating system limits the size.
    let _ = SockRef::from(&socket).set_recv_buffer_size(RECV_BUFFER);
    socket.set_read_timeout(Some(LOOK))?;
    let inbox = Arc::new(Inbox {
        subscribers: Mutex::new(Vec::new()),
        ended: AtomicBool::new(false),
    });
    let hearing = Arc::clone(&inbox);
    std::thread::Builder::new()
        .name("hearing".to_owned())
        .spawn(move || hear(&socket, &hearing))?;
    Ok(inbox)
}

/// Hands each datagram to the board that it belongs to, until the inbox has ended.
fn hear(socket: &UdpSocket, inbox: &Inbox) {
    // No UDP payload is longer, so nothing is cut here.
    let mut buffer = vec![0; 65_536];
    while !inbox.ended.load(Ordering::Relaxed) {
        let (len, from) = match socket.recv_from(&mut buffer) {
            Ok(got) => got,
            Err(error) if is_passing(&error) => continue,
            Err(error) => {
                tracing::warn!(say = "pair.cannot-receive", error = %error);
                return;
            }
        };
        let at = Instant::now();
        let SocketAddr::V4(from) = from else { continue };
        let payload = buffer.get(..len).unwrap_or_default();
        let token = payload.get(3..7);
        let mut subscribers = inbox
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_boards = subscribers.iter().any(|other| other.from == *from.ip());
        subscribers.retain(|subscriber| {
            let is_theirs = match token {
                Some(token) => token == subscriber.token,
                None => subscriber.from == *from.ip() || !is_boards,
            };
            if !is_theirs {
                return true;
            }
            let arrived = Arrived {
                at,
                from: *from.ip(),
                payload: payload.to_vec(),
            };
            !matches!(
                // Never wait for one board's measurement: the others' datagrams would be dropped by the kernel
                // meanwhile.
                subscriber.to.try_send(arrived),
                Err(TrySendError::Disconnected(_))
            )
        });
    }
    tracing::debug!("close");
}

/// Whether a socket error is a timeout, or an ICMP error for an earlier datagram.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// The PC's side of the path to a board.
#[derive(Debug, Clone)]
pub(super) struct Facing {
    /// The PC's address on the path to the board.
    pub(super) local: Ipv4Addr,
    /// The interface with this address, and whether the board is in its network; unknown on some operating systems.
    pub(super) interface: Option<PathInterface>,
}

/// The interface on the path to the board.
#[derive(Debug, Clone)]
pub(super) struct PathInterface {
    /// Its name.
    pub(super) name: String,
    /// The prefix length of its network.
    pub(super) prefix: u8,
    /// Whether the board's address is in its network.
    pub(super) has_board: bool,
    /// The longest IP packet; `None` if the operating system does not report it.
    pub(super) mtu: Option<usize>,
}

/// Finds the local address that the operating system uses to send to the board, without sending anything.
pub(super) fn facing(board: Ipv4Addr, port: u16) -> io::Result<Facing> {
    // Connecting a UDP socket only chooses the route; no packet is sent.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((board, port))?;
    let SocketAddr::V4(local) = socket.local_addr()? else {
        return Err(io::Error::other("an IPv4 socket has an IPv4 address"));
    };
    let local = *local.ip();
    let interface = adapter::all()
        .into_iter()
        .find_map(|found| match &found.addr {
            if_addrs::IfAddr::V4(v4) if v4.ip == local => {
                let host_bits = 32 - u32::from(v4.prefixlen.min(32));
                let network = v4.ip.to_bits().checked_shr(host_bits).unwrap_or(0);
                Some(PathInterface {
                    mtu: adapter::mtu(&found.name),
                    prefix: v4.prefixlen,
                    has_board: board.to_bits().checked_shr(host_bits).unwrap_or(0) == network,
                    name: found.name,
                })
            }
            _ => None,
        });
    Ok(Facing { local, interface })
}

/// A socket that sends from `local` to the board and receives only from it.
pub(super) fn to_board(local: Ipv4Addr, board: SocketAddrV4) -> io::Result<UdpSocket> {
    tracing::debug!("socket AF_INET SOCK_DGRAM");
    let socket = UdpSocket::bind((local, 0))?;
    socket.connect(board)?;
    socket.set_read_timeout(Some(LOOK))?;
    Ok(socket)
}
