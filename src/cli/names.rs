//! The list of the boards' names, for the commands that show boards, and for `board:NAME`.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config;
use crate::error::Error;
use crate::names::BoardNames;
use crate::survey::find;
use crate::survey::find::mac::Mac;
use crate::survey::find::neighbours::{self, NearDevice};
use crate::udp;
use crate::udp::endpoint::{Endpoint, Family};
use crate::words::catalogue::say;

/// How long to search for a board that the neighbour table does not have.
const SEARCH: Duration = Duration::from_secs(3);

/// How long to wait before looking up a sender without a name again: the neighbour table may have it by then.
const AGAIN: Duration = Duration::from_secs(1);

/// The most senders whose names are remembered.
const MAX_SENDERS: usize = 4096;

/// The list of the flag or the environment, or else of the project. An empty name stands for no list.
///
/// # Errors
/// The file cannot be read, or is not a list of names.
pub(super) fn read(given: Option<&Path>) -> Result<BoardNames, Error> {
    let path = match given {
        Some(path) if path.as_os_str().is_empty() => None,
        Some(path) => Some(path.to_owned()),
        None => config::project()?
            .and_then(|project| project.names)
            .map(|names| PathBuf::from(names.value)),
    };
    Ok(match path {
        Some(path) => BoardNames::parse(&path, &config::names(&path)?)?,
        None => BoardNames::default(),
    })
}

/// The addresses of a host, or of the board that `board:NAME` stands for.
///
/// # Errors
/// There is no such host or board.
pub(super) async fn addresses(
    names: Option<&Path>,
    endpoint: &Endpoint,
    family: Family,
) -> Result<Vec<SocketAddr>, Error> {
    if endpoint.board().is_some() {
        return resolve(names.map(Path::to_owned), endpoint, family).await;
    }
    Ok(endpoint.resolve(family).await?)
}

/// The address of the board that `board:NAME` stands for: from the list and the neighbour table, or else by a search of
/// this PC's networks. Caches nothing.
///
/// # Errors
/// No board, or more than one, has this name, or none is found.
async fn resolve(
    names: Option<PathBuf>,
    endpoint: &Endpoint,
    family: Family,
) -> Result<Vec<SocketAddr>, Error> {
    // Boards have IPv4 only: the neighbour table and the search know no other addresses.
    if family == Family::V6 {
        return Err(Error::Udp(udp::error::Error::NoSuchFamily {
            host: endpoint.host.clone(),
            family: "IPv6",
        }));
    }
    let name = endpoint.board().unwrap_or_default().to_owned();
    let failed = |source| {
        Error::Udp(udp::error::Error::Resolve {
            host: endpoint.host.clone(),
            source,
        })
    };
    // On another thread: the search waits for seconds, and Ctrl-C must end it.
    let searched = tokio::task::spawn_blocking(move || {
        let list = read(names.as_deref())?;
        Ok::<_, Error>(address_of(&list, &name))
    });
    let found = searched
        .await
        .map_err(|error| failed(io::Error::other(error)))??;
    let address = found.map_err(|why| failed(io::Error::new(io::ErrorKind::NotFound, why)))?;
    Ok(vec![SocketAddr::new(IpAddr::V4(address), endpoint.port)])
}

/// The address, or why there is none.
fn address_of(list: &BoardNames, name: &str) -> Result<Ipv4Addr, String> {
    let boards = list.boards_called(name);
    let mut macs: Vec<Mac> = boards
        .iter()
        .filter_map(|board| board.parse().ok())
        .collect();
    // A MAC address is a name, too.
    macs.extend(name.parse::<Mac>());
    // The list has this name twice: a message to the wrong board would be worse than none.
    if boards.len() > 1 {
        return Err(say!("names.several", name = name));
    }
    if let Some(address) = boards.iter().find_map(|board| board.parse().ok()) {
        return Ok(address);
    }
    if macs.is_empty() && !boards.is_empty() {
        return Err(say!("names.no-address", name = name));
    }
    let by_mac = |table: &[NearDevice]| {
        let found = table.iter().find(|neighbour| macs.contains(&neighbour.mac));
        found.map(|neighbour| neighbour.address)
    };
    if let Some(address) = by_mac(&neighbours::read().unwrap_or_default()) {
        return Ok(address);
    }
    if macs.is_empty() && list.is_empty() {
        tracing::info!(say = "names.search-by-host-name", name = %name);
    }
    // Search last: the search sends a datagram to every address of the network, and takes seconds.
    let findings = find::search(SEARCH, false);
    let found = findings.boards.iter().find(|board| {
        board.mac.is_some_and(|mac| macs.contains(&mac))
            || macs.is_empty() && board.name.as_deref() == Some(name)
    });
    match found.and_then(|board| board.address) {
        Some(address) => Ok(address),
        None if macs.is_empty() => Err(say!("names.unknown", name = name)),
        None => Err(say!("names.not-found", name = name)),
    }
}

/// The names of senders of datagrams, by their IP address or by the MAC address that the neighbour table has for it.
pub(super) fn of_senders(list: BoardNames) -> Option<impl FnMut(IpAddr) -> Option<String> + Send> {
    if list.is_empty() {
        return None;
    }
    let table = SharedNeighbours::default();
    let mut known: HashMap<IpAddr, (Option<String>, Instant)> = HashMap::new();
    Some(move |address: IpAddr| {
        let now = Instant::now();
        if let Some((name, at)) = known.get(&address)
            && (name.is_some() || now.duration_since(*at) < AGAIN)
        {
            return name.clone();
        }
        let mac = match address {
            IpAddr::V4(address) => table.mac(address),
            IpAddr::V6(_) => None,
        };
        let name = list
            .of(&address.to_string())
            .or_else(|| list.of(&mac?.to_string()))
            .map(str::to_owned);
        // A flood of forged senders must not use up memory.
        if known.len() >= MAX_SENDERS {
            known.clear();
        }
        known.insert(address, (name.clone(), now));
        name
    })
}

/// The neighbour table. On Linux it is a file; on other systems a program prints it, and a thread waits for that
/// program.
#[derive(Debug, Default)]
struct SharedNeighbours(Arc<Mutex<Option<HashMap<Ipv4Addr, Mac>>>>);

impl SharedNeighbours {
    /// The MAC address that the table has for an IP address.
    fn mac(&self, address: Ipv4Addr) -> Option<Mac> {
        if cfg!(target_os = "linux") {
            return of(neighbours::read()).get(&address).copied();
        }
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.is_none() {
            *table = Some(HashMap::new());
            let shared = Arc::clone(&self.0);
            // This thread ends with the process.
            std::thread::spawn(move || {
                loop {
                    let read = of(neighbours::read());
                    *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                    std::thread::sleep(neighbours::PERIOD);
                }
            });
        }
        table.as_ref()?.get(&address).copied()
    }
}

/// The table by address.
fn of(table: Option<Vec<NearDevice>>) -> HashMap<Ipv4Addr, Mac> {
    let neighbours = table.unwrap_or_default().into_iter();
    neighbours
        .map(|neighbour| (neighbour.address, neighbour.mac))
        .collect()
}
