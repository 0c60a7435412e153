use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;

use crate::ask::Ask;
use crate::capability::Capability;
use crate::denial::DenialKind;
use crate::endpoint::{Endpoint, Protocol};
use crate::grant::Guard;
use crate::name::Name;
use crate::net::decide::{ADDRESSES_MAX, Decider, Route, recorded};
use crate::net::slots::{Slot, Slots};
use crate::net::socket::{Context, Socket};
use crate::net::{
    Bound, Connecting, Listener, NetError, NetLimits, Resolve, ResolveError, TcpStream, UdpSocket, ports, raw,
};
use crate::scope::{Scope, address_class, host_name};
use crate::set::CapabilitySet;

/// Connects, listens and resolves for the holder of a [`CapabilitySet`]; a clone is the same, and counts
/// the same sockets.
///
/// Nothing is asked of the network before a grant covers it. A call that ends in a denial writes one
/// record of that; a lookup and each address that is tried has one of its own.
#[derive(Clone)]
pub struct Network {
    pub(crate) decider: Decider,
    pub(crate) context: Context,
    resolver: Arc<dyn Resolve>,
    sockets: Slots,
}

impl Network {
    pub fn new(set: CapabilitySet, resolver: Arc<dyn Resolve>, limits: NetLimits) -> Self {
        let sockets = Slots::new(limits.sockets_max);
        let context = Context { set: set.clone(), limits: Arc::new(limits) };
        Self { decider: Decider::new(set), context, resolver, sockets }
    }

    /// Connects to a name, or to the text of an address. Of a name each address is decided alone, and
    /// those that may be reached are tried in order, each with its share of the time that is left.
    pub fn connect(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
        function: &str,
    ) -> Result<TcpStream, NetError> {
        self.reach(host, port, Protocol::Tcp, deadline, function, |route, deadline| {
            let socket = self.open(route, Protocol::Tcp, function)?;
            TcpStream::connect(socket, route.address, deadline)
        })
    }

    /// Decides about an address, and begins to connect to it.
    pub fn begin_connect(&self, to: SocketAddr, function: &str) -> Result<Connecting, NetError> {
        if to.port() == 0 {
            return Err(NetError::PortZero);
        }
        let route = self.decider.literal(to, Protocol::Tcp, function, Instant::now())?;
        recorded(&self.context.set, &route.guard, route.text.clone(), function, || {
            Connecting::begin(self.open(&route, Protocol::Tcp, function)?, route.address)
        })
    }

    /// A UDP socket that sends to and hears one peer, chosen as for [`connect`](Network::connect).
    pub fn udp_connect(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
        function: &str,
    ) -> Result<UdpSocket, NetError> {
        self.reach(host, port, Protocol::Udp, deadline, function, |route, _| {
            let socket = self.open(route, Protocol::Udp, function)?;
            let fd = socket.fd()?;
            rustix::net::connect(&*fd, &route.address)?;
            let local = raw::local(&*fd)?;
            Ok(UdpSocket::new(socket, local, Some(route.address), self.decider.clone()))
        })
    }

    /// Listens on an address; on all of them (`0.0.0.0`, `::`) only where a grant names exactly that.
    /// Port 0 is a free port of a granted range.
    pub fn listen(&self, address: IpAddr, port: u16, function: &str) -> Result<Listener, NetError> {
        self.bind(address, port, function)?.listen()
    }

    /// Binds as [`listen`](Network::listen) does, and waits to be told to listen.
    pub fn bind(&self, address: IpAddr, port: u16, function: &str) -> Result<Bound, NetError> {
        let (socket, local) = self.bound(address, port, Protocol::Tcp, function)?;
        Ok(Bound::new(socket, local, self.sockets.clone()))
    }

    /// Binds a UDP socket as [`listen`](Network::listen) does one for TCP. It hears everybody; where it
    /// sends to is decided for each destination.
    pub fn udp_bind(&self, address: IpAddr, port: u16, function: &str) -> Result<UdpSocket, NetError> {
        let (socket, local) = self.bound(address, port, Protocol::Udp, function)?;
        Ok(UdpSocket::new(socket, local, None, self.decider.clone()))
    }

    /// The addresses of a name that may be told. For a minute a connection to one of them passes where
    /// a grant covers a connection to the name. The text of an address is that address.
    pub fn resolve(&self, host: &str, deadline: Instant, function: &str) -> Result<Vec<IpAddr>, NetError> {
        let guard = self.decider.resolve(host, function)?;
        if let Ok(ip) = host.parse() {
            let text = Ask::NetResolve(host.to_owned()).capability_text();
            return recorded(&self.context.set, &guard, text, function, || {
                Ok(vec![address_class::canonical(ip)])
            });
        }
        let name = host_name::fold(host);
        let addresses = self.look_up(&name, &guard, deadline, function)?;
        Ok(self.decider.told(&name, &addresses, &guard, function, Instant::now())?)
    }

    /// Sockets that are open now.
    pub fn open_sockets(&self) -> usize {
        self.sockets.taken()
    }

    /// Decides where a host leads, and acts on each address until that succeeds; or else the first error.
    fn reach<T>(
        &self,
        host: &str,
        port: u16,
        protocol: Protocol,
        deadline: Instant,
        function: &str,
        act: impl Fn(&Route, Instant) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        if port == 0 {
            return Err(NetError::PortZero);
        }
        let deadline = self.context.limits.capped(deadline, Instant::now());
        let routes = self.routes(host, port, protocol, deadline, function)?;
        let mut failed = None;
        for (tried, route) in routes.iter().enumerate() {
            let deadline = share(deadline, Instant::now(), routes.len() - tried);
            let done = recorded(&self.context.set, &route.guard, route.text.clone(), function, || {
                if deadline <= Instant::now() { Err(NetError::Timeout) } else { act(route, deadline) }
            });
            match done {
                Err(error @ (NetError::Io(_) | NetError::Timeout)) => drop(failed.get_or_insert(error)),
                done => return done,
            }
        }
        Err(failed.expect("there is at least one address, and it failed"))
    }

    /// The addresses of a host that may be reached; at least one.
    fn routes(
        &self,
        host: &str,
        port: u16,
        protocol: Protocol,
        deadline: Instant,
        function: &str,
    ) -> Result<Vec<Route>, NetError> {
        let endpoint = Endpoint::named(host, port, protocol);
        let Some(name) = endpoint.name() else {
            let ip = endpoint.ip().expect("an endpoint has a name or an address");
            let to = SocketAddr::new(ip, port);
            return Ok(vec![self.decider.literal(to, protocol, function, Instant::now())?]);
        };
        let guard = self.decider.named(&endpoint, function)?;
        let addresses = self.look_up(name, &guard, deadline, function)?;
        Ok(self.decider.resolved(&endpoint, &addresses, &guard, function)?)
    }

    /// Asks the resolver about a name that is granted: each address once, at least one.
    pub(crate) fn look_up(
        &self,
        name: &str,
        guard: &Guard,
        deadline: Instant,
        function: &str,
    ) -> Result<Vec<IpAddr>, NetError> {
        let deadline = self.context.limits.capped(deadline, Instant::now());
        let text = Ask::NetResolve(name.to_owned()).capability_text();
        recorded(&self.context.set, guard, text, function, || {
            // The question needs a socket too, for as long as it takes.
            let _slot = self.slot()?;
            let mut addresses: Vec<IpAddr> = Vec::new();
            for ip in self.resolver.resolve(name, deadline)?.into_iter().map(address_class::canonical) {
                if addresses.len() < ADDRESSES_MAX && !addresses.contains(&ip) {
                    addresses.push(ip);
                }
            }
            if addresses.is_empty() {
                Err(ResolveError::NotFound(name.to_owned()).into())
            } else {
                Ok(addresses)
            }
        })
    }

    pub(crate) fn open(&self, route: &Route, protocol: Protocol, function: &str) -> Result<Socket, NetError> {
        let slot = self.slot()?;
        let fd = raw::open(route.address.ip(), protocol)?;
        Ok(Socket::new(&self.context, &route.guard, vec![slot], fd, &route.text, function)?)
    }

    fn slot(&self) -> Result<Slot, NetError> {
        self.sockets.take().ok_or(NetError::TooManySockets { sockets_max: self.sockets.max() })
    }

    fn bound(
        &self,
        address: IpAddr,
        port: u16,
        protocol: Protocol,
        function: &str,
    ) -> Result<(Socket, SocketAddr), NetError> {
        let address = address_class::canonical(address);
        let (guard, local, reserved) = if port == 0 {
            let (fd, local, guard) = self.reserve(address, protocol, function)?;
            (guard, local, Some(fd))
        } else {
            let to = SocketAddr::new(address, port);
            (self.decider.covering(Ask::NetListen(Endpoint::address(to, protocol)), function)?, to, None)
        };
        let text = Ask::NetListen(Endpoint::address(local, protocol)).capability_text();
        let (fd, slot) = recorded(&self.context.set, &guard, text.clone(), function, || {
            let slot = self.slot()?;
            let fd = match reserved {
                Some(fd) => fd,
                None => {
                    let fd = raw::open(address, protocol)?;
                    raw::bind(&fd, local, protocol)?;
                    fd
                }
            };
            Ok((fd, slot))
        })?;
        Ok((Socket::new(&self.context, &guard, vec![slot], fd, &text, function)?, local))
    }

    /// Binds to a free port of a range that is granted. Nobody notices that, so what is recorded later
    /// is the port it became.
    fn reserve(
        &self,
        address: IpAddr,
        protocol: Protocol,
        function: &str,
    ) -> Result<(OwnedFd, SocketAddr, Guard), NetError> {
        let set = &self.context.set;
        let ask = |port| Ask::NetListen(Endpoint::address(SocketAddr::new(address, port), protocol));
        let guards = set.live(|capability| ranges_over(capability, &ask).is_some());
        let mut error = None;
        for guard in guards {
            let (low, high) = ranges_over(guard.capability(), &ask).expect("only such grants were taken");
            let random = getrandom::u32().map_err(|error| NetError::Io(error.into()))?;
            for port in ports::candidates(low, high, random) {
                let fd = raw::open(address, protocol)?;
                let local = match raw::bind(&fd, SocketAddr::new(address, port), protocol) {
                    Ok(local) => local,
                    Err(taken @ (Errno::ADDRINUSE | Errno::ACCESS)) => {
                        error = Some(taken);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                // A line that covers a port may stand beside one that takes it away.
                if high == 0 || set.covering(&[ask(local.port())]).is_ok() {
                    return Ok((fd, local, guard));
                }
            }
        }
        match error {
            Some(error) => Err(error.into()),
            None => {
                let refusal = set.covering(&[ask(0)]).err().unwrap_or(DenialKind::NotGranted.into());
                Err(set.deny(refusal, ask(0).capability_text(), function).into())
            }
        }
    }
}

/// The ports of a grant that reaches the address at more than one port, or at port 0.
fn ranges_over(capability: &Capability, ask: &impl Fn(u16) -> Ask) -> Option<(u16, u16)> {
    let (Name::NetListen, Scope::Net(pattern), _) = capability.parts() else { return None };
    let (low, high) = pattern.ports.bounds();
    ((low < high || high == 0) && capability.covers(&ask(low))).then_some((low, high))
}

/// When the first of so many attempts has used its part of the time that is left.
fn share(deadline: Instant, now: Instant, attempts: usize) -> Instant {
    let left = deadline.saturating_duration_since(now);
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    if attempts <= 1 { deadline } else { now + left / attempts }
}
