use std::fmt;
use std::net::SocketAddr;

use crate::net::socket::Socket;
use crate::net::{Listener, NetError, raw};
use crate::resources::Resources;

/// A TCP socket that has its address, as long as its grant holds, and turns everybody away until it
/// listens.
pub struct Bound {
    socket: Socket,
    local: SocketAddr,
    resources: Resources,
}

impl Bound {
    pub(crate) fn new(socket: Socket, local: SocketAddr, resources: Resources) -> Self {
        Self { socket, local, resources }
    }

    /// Where it is bound, the chosen port included.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends over so many routers at most, when it listens.
    pub fn set_hop_limit(&self, hops: u8) -> Result<(), NetError> {
        self.socket.set_hop_limit(hops)
    }

    /// Takes connections from now on.
    pub fn listen(self) -> Result<Listener, NetError> {
        raw::listen(&*self.socket.fd()?)?;
        Ok(Listener::new(self.socket, self.local, self.resources))
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bound({})", self.socket.capability())
    }
}
