use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::PollFlags;

use crate::grant::Guard;
use crate::net::socket::Socket;
use crate::net::{NetError, ReadyFd, TcpStream, raw};
use crate::resources::{Resource, ResourceLimits, Resources};

/// A listening TCP socket, as long as its grant holds; so do the connections it accepts. A clone is the
/// same listener.
#[derive(Clone)]
pub struct Listener(Arc<Listening>);

struct Listening {
    socket: Socket,
    local: SocketAddr,
    resources: Resources,
    /// Those that this listener has accepted count among themselves too.
    accepted: Resources,
}

impl Listener {
    pub(crate) fn new(socket: Socket, local: SocketAddr, resources: Resources) -> Self {
        let sockets_max = socket.context.limits.accepted_max;
        let accepted = Resources::new(ResourceLimits { sockets_max, ..ResourceLimits::default() });
        Self(Arc::new(Listening { socket, local, resources, accepted }))
    }

    /// The next connection. Refused at once while as many as may are open; those that come meanwhile
    /// wait in the system's own short queue, or are turned away by it.
    pub fn accept(&self, deadline: Instant) -> Result<TcpStream, NetError> {
        self.accept_by(|socket| socket.run(PollFlags::IN, deadline, raw::accept).map(Some))
            .map(|stream| stream.expect("it waits for one"))
    }

    /// A connection that is there already.
    pub fn try_accept(&self) -> Result<Option<TcpStream>, NetError> {
        self.accept_by(|socket| socket.once(raw::accept))
    }

    fn accept_by(
        &self,
        next: impl FnOnce(&Socket) -> Result<Option<(std::os::fd::OwnedFd, SocketAddr)>, NetError>,
    ) -> Result<Option<TcpStream>, NetError> {
        let Listening { socket, resources, accepted, .. } = &*self.0;
        // Whether it may at all is asked before how many: those places may be taken for good.
        socket.fd()?;
        let accepted_max = socket.context.limits.accepted_max;
        let too_many = |_| NetError::TooManyAccepted { accepted_max };
        let of_listener = accepted.try_acquire(Resource::Socket).map_err(too_many)?;
        let permit = resources.try_acquire(Resource::Socket).map_err(NetError::TooManySockets)?;
        let Some((fd, peer)) = next(socket)? else { return Ok(None) };
        socket.count_accepted();
        let permits = vec![Arc::new(of_listener), Arc::new(permit)];
        let (capability, function) = (socket.capability(), socket.function());
        let accepted = Socket::new(&socket.context, socket.guard(), permits, fd, capability, function)?;
        TcpStream::connected(accepted, peer).map(Some)
    }

    /// Turns everybody away from now on, those included that wait to be accepted; whoever waits in an accept is told.
    pub fn close(&self) {
        // The end of its grant closes it too.
        if self.guard().alive().is_ok()
            && let Ok(fd) = self.0.socket.fd()
        {
            // One that is closed already says so.
            let _ = rustix::net::shutdown(&*fd, rustix::net::Shutdown::Both);
        }
    }

    /// Where it listens, the chosen port included.
    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    /// Sends over so many routers at most, on what it accepts too.
    pub fn set_hop_limit(&self, hops: u8) -> Result<(), NetError> {
        self.0.socket.set_hop_limit(hops)
    }

    /// The guard of the grant it listens under.
    pub fn guard(&self) -> &Guard {
        self.0.socket.guard()
    }

    pub fn ready_fd(&self) -> Result<ReadyFd, NetError> {
        self.0.socket.ready_fd()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.0.socket.capability())
    }
}
