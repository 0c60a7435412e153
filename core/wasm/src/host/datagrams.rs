//! What is behind a guest's UDP socket: one socket of osl with an address of its own, or one for each destination.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use airssys_osl::{NetError, Network, ReadyFd, UdpSocket};

/// Destinations of one socket that are remembered; the one that was used least lately makes room, and is heard no more.
const DESTINATIONS_MAX: usize = 16;
/// A datagram's largest size.
pub(super) const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Nothing here waits: what is sent at once is sent to an address.
const NO_TIME: Duration = Duration::from_secs(1);

pub(super) enum Ends {
    /// Bound to no address that was asked for. It hears those to whom it has sent, each over a socket that is connected
    /// to them and tied to the grant that allows it.
    Client(Mutex<(Network, VecDeque<UdpSocket>)>),
    /// Bound where a grant allows that; it hears everybody.
    Bound(UdpSocket),
}

impl Ends {
    pub(super) fn client(network: Network) -> Self {
        Self::Client(Mutex::new((network, VecDeque::new())))
    }

    /// Asks whether it may be sent to the address, with nothing sent.
    pub(super) fn open(&self, to: SocketAddr, function: &str) -> Result<(), NetError> {
        match self {
            Ends::Bound(socket) => socket.may_send_to(to),
            Ends::Client(known) => connected(&mut lock(known), to, function).map(drop),
        }
    }

    /// Sends one datagram; false when the system takes none now.
    pub(super) fn send(&self, bytes: &[u8], to: SocketAddr, function: &str) -> Result<bool, NetError> {
        let socket = match self {
            Ends::Bound(socket) => socket.clone(),
            Ends::Client(known) => connected(&mut lock(known), to, function)?,
        };
        match socket.try_send_to(bytes, to) {
            Ok(sent) => Ok(sent.is_some()),
            Err(error) => {
                self.forget(&socket, &error);
                Err(error)
            }
        }
    }

    /// A datagram that has arrived, and who sent it.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError> {
        for socket in self.sockets() {
            match socket.try_recv_from(buffer) {
                Ok(None) => {}
                Ok(came) => return Ok(came),
                Err(error) => {
                    self.forget(&socket, &error);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// What to wait for until a datagram arrives.
    pub(super) fn ready_fds(&self) -> Result<Vec<ReadyFd>, NetError> {
        let ready = |socket: UdpSocket| socket.ready_fd().inspect_err(|error| self.forget(&socket, error));
        self.sockets().into_iter().map(ready).collect()
    }

    /// What to wait for until the system takes a datagram to this address.
    pub(super) fn writable_fd(&self, to: SocketAddr) -> Option<ReadyFd> {
        let leads = |socket: &UdpSocket| socket.peer().is_none_or(|peer| peer == to);
        self.sockets().into_iter().find(leads)?.ready_fd().ok()
    }

    /// Where it is; of a client the end of its first destination, for there is no other.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.sockets().first().map(UdpSocket::local)
    }

    /// Sends over so many routers at most from now on.
    pub(super) fn set_hop_limit(&self, hops: u8) -> Result<(), NetError> {
        if let Ends::Client(known) = self {
            let mut known = lock(known);
            known.0 = known.0.clone().with_hop_limit(Some(hops));
        }
        let set = |socket: UdpSocket| {
            let set = socket.set_hop_limit(hops);
            set.inspect_err(|error| self.forget(&socket, error))
        };
        self.sockets().into_iter().try_for_each(set)
    }

    fn sockets(&self) -> Vec<UdpSocket> {
        match self {
            Ends::Bound(socket) => vec![socket.clone()],
            Ends::Client(known) => lock(known).1.iter().cloned().collect(),
        }
    }

    /// One whose grant has ended is of no use; it is asked for anew when it is sent to.
    fn forget(&self, socket: &UdpSocket, error: &NetError) {
        if let (Ends::Client(known), NetError::Denied(_)) = (self, error) {
            lock(known).1.retain(|other| other.peer() != socket.peer());
        }
    }
}

fn lock<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The socket for this destination, the last in the row from now on.
fn connected(
    (network, known): &mut (Network, VecDeque<UdpSocket>),
    to: SocketAddr,
    function: &str,
) -> Result<UdpSocket, NetError> {
    let found = known.iter().position(|socket| socket.peer() == Some(to));
    let socket = match found.and_then(|at| known.remove(at)) {
        Some(socket) if socket.guard().alive().is_ok() => socket,
        _ => {
            let host = to.ip().to_string();
            network.udp_connect(&host, to.port(), Instant::now() + NO_TIME, function)?
        }
    };
    if known.len() == DESTINATIONS_MAX {
        known.pop_front();
    }
    known.push_back(socket.clone());
    Ok(socket)
}
