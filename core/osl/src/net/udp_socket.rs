use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recvfrom, send, sendto};

use crate::grant::Guard;
use crate::net::decide::Decider;
use crate::net::pins::PIN;
use crate::net::socket::Socket;
use crate::net::{NetError, ReadyFd, raw};

/// A UDP socket, as long as its grant holds: connected to one peer, or bound and open to all. A clone is
/// the same socket.
#[derive(Clone)]
pub struct UdpSocket(Arc<Udp>);

struct Udp {
    socket: Socket,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    decider: Decider,
    /// Destinations that a live grant allowed, and until when nobody is asked again: one record a
    /// minute stands for many datagrams.
    allowed: Mutex<HashMap<SocketAddr, (Guard, Instant)>>,
}

/// Destinations that one socket remembers; when there are more it asks again.
const ALLOWED_MAX: usize = 256;

impl UdpSocket {
    pub(crate) fn new(socket: Socket, local: SocketAddr, peer: Option<SocketAddr>, decider: Decider) -> Self {
        Self(Arc::new(Udp { socket, local, peer, decider, allowed: Mutex::default() }))
    }

    /// Sends one datagram to the address; needs `net.connect` of it, or of a name that was resolved to
    /// it. A connected socket sends to its peer alone.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr, deadline: Instant) -> Result<usize, NetError> {
        let to = self.destination(to)?;
        self.sent(self.0.socket.run(PollFlags::OUT, deadline, |fd| self.put(fd, bytes, to))?)
    }

    /// The same, when it can be sent now.
    pub fn try_send_to(&self, bytes: &[u8], to: SocketAddr) -> Result<Option<usize>, NetError> {
        let to = self.destination(to)?;
        let count = self.0.socket.once(|fd| self.put(fd, bytes, to))?;
        count.map(|count| self.sent(count)).transpose()
    }

    /// Whether it may send to the address, decided and recorded as if it did.
    pub fn may_send_to(&self, to: SocketAddr) -> Result<(), NetError> {
        self.destination(to).map(drop)
    }

    /// Receives one datagram, cut to the buffer, and who sent it. A connected socket hears its peer
    /// alone. Refused, with an audit record, once the grant has ended.
    pub fn recv_from(&self, buf: &mut [u8], deadline: Instant) -> Result<(usize, SocketAddr), NetError> {
        let bytes = self.0.socket.receivable(buf.len())?;
        let buf = &mut buf[..bytes];
        let came = self.0.socket.run(PollFlags::IN, deadline, |fd| self.get(fd, buf))?;
        self.received(came)
    }

    /// A datagram that has arrived.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError> {
        let bytes = self.0.socket.receivable(buf.len())?;
        let buf = &mut buf[..bytes];
        let came = self.0.socket.once(|fd| self.get(fd, buf))?;
        came.map(|came| self.received(came)).transpose()
    }

    /// Sends over so many routers at most.
    pub fn set_hop_limit(&self, hops: u8) -> Result<(), NetError> {
        self.0.socket.set_hop_limit(hops)
    }

    /// Whom it is connected to.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.peer
    }

    /// Where it is bound, the chosen port included.
    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    pub fn bytes_in(&self) -> u64 {
        self.0.socket.received()
    }

    pub fn bytes_out(&self) -> u64 {
        self.0.socket.sent()
    }

    /// The guard of the grant it was made under.
    pub fn guard(&self) -> &Guard {
        self.0.socket.guard()
    }

    pub fn ready_fd(&self) -> Result<ReadyFd, NetError> {
        self.0.socket.ready_fd()
    }

    /// The address without the dress of another family, once a live grant allows it.
    fn destination(&self, to: SocketAddr) -> Result<SocketAddr, NetError> {
        match self.0.peer {
            Some(peer) if peer == to => return Ok(to),
            // Some systems would send it to the other address.
            Some(_) => return Err(Errno::ISCONN.into()),
            None => {}
        }
        let now = Instant::now();
        let mut allowed = self.0.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.get(&to).is_some_and(|(guard, until)| *until > now && guard.alive().is_ok()) {
            return Ok(SocketAddr::new(to.ip().to_canonical(), to.port()));
        }
        let route = self.0.decider.datagram(to, self.0.socket.function(), now)?;
        if allowed.len() == ALLOWED_MAX {
            allowed.clear();
        }
        allowed.insert(to, (route.guard, now + PIN));
        Ok(route.address)
    }

    fn put(&self, fd: &OwnedFd, bytes: &[u8], to: SocketAddr) -> Result<usize, Errno> {
        match self.0.peer {
            Some(_) => send(fd, bytes, raw::SEND),
            None => sendto(fd, bytes, raw::SEND, &to),
        }
    }

    fn get(&self, fd: &OwnedFd, buf: &mut [u8]) -> Result<(usize, Option<SocketAddr>), Errno> {
        let (count, _, from) = recvfrom(fd, buf, RecvFlags::empty())?;
        match from {
            // What a socket that was shut down receives has no sender.
            None => Ok((count, None)),
            from => raw::address(from).map(|from| (count, Some(from))),
        }
    }

    fn sent(&self, count: usize) -> Result<usize, NetError> {
        self.0.socket.count_sent(count);
        Ok(count)
    }

    fn received(&self, came: (usize, Option<SocketAddr>)) -> Result<(usize, SocketAddr), NetError> {
        let (count, from) = came;
        let Some(from) = from.or(self.0.peer).filter(|_| from.is_some() || count > 0) else {
            self.0.socket.fd()?;
            return Err(Errno::NOTCONN.into());
        };
        self.0.socket.count_received(count);
        Ok((count, from))
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UdpSocket({})", self.0.socket.capability())
    }
}
