use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;

use crate::ask::Ask;
use crate::audit::Running;
use crate::capability::Capability;
use crate::denial::DenialKind;
use crate::endpoint::{Endpoint, Protocol};
use crate::grant::Guard;
use crate::name::Name;
use crate::net::decide::{ADDRESSES_MAX, Decider, Route, Step};
use crate::net::socket::{Context, Socket};
use crate::net::{
    Bound, Connecting, Listener, NetError, NetLimits, Resolve, ResolveError, TcpStream, UdpSocket, ports, raw,
};
use crate::resources::{Permit, Resource, Resources};
use crate::scope::{Scope, address_class, host_name};
use crate::set::CapabilitySet;

/// Connects, listens and resolves for the holder of a [`CapabilitySet`]; a clone is the same, and counts
/// the same sockets.
///
/// Nothing is asked of the network before a grant covers it. A call that ends in a denial writes one record of that. A
/// lookup, each address that is tried, and what listens has one of its start and one of its result; what it opened has
/// one more at its end, `close`, with the bytes of both directions. Connections that are accepted have none, so that no
/// peer fills the audit.
#[derive(Clone)]
pub struct Network {
    pub(crate) decider: Decider,
    pub(crate) context: Context,
    resolver: Arc<dyn Resolve>,
    resources: Resources,
    hop_limit: Option<u8>,
}

impl Network {
    /// With the default [`Resources`] of an actor that is alone.
    pub fn new(set: CapabilitySet, resolver: Arc<dyn Resolve>, limits: NetLimits) -> Self {
        let context = Context { set: set.clone(), limits: Arc::new(limits) };
        Self {
            decider: Decider::new(set),
            context,
            resolver,
            resources: Resources::default(),
            hop_limit: None,
        }
    }

    /// The same, whose sockets count on these resources.
    pub fn with_resources(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }

    /// The same, whose next socket counts as what the permit was taken for.
    pub fn with_permit(self, permit: Permit) -> Self {
        Self { resources: self.resources.with_permit(permit), ..self }
    }

    /// The same, whose new sockets send over so many routers at most; without a number as the system does.
    pub fn with_hop_limit(self, hop_limit: Option<u8>) -> Self {
        Self { hop_limit, ..self }
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
        self.reach(host, port, Protocol::Tcp, deadline, function, |socket, to, deadline, running| {
            let stream = TcpStream::connect(socket, to, deadline)?;
            stream.set_open(running.opened());
            Ok(stream)
        })
    }

    /// Decides about an address, and begins to connect to it.
    pub fn begin_connect(&self, to: SocketAddr, function: &str) -> Result<Connecting, NetError> {
        if to.port() == 0 {
            return Err(NetError::PortZero);
        }
        let route = self.decider.literal(to, Protocol::Tcp, function, Instant::now())?;
        self.begin(&route, function)
    }

    /// A UDP socket that sends to and hears one peer, chosen as for [`connect`](Network::connect).
    pub fn udp_connect(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
        function: &str,
    ) -> Result<UdpSocket, NetError> {
        self.reach(host, port, Protocol::Udp, deadline, function, |socket, to, _, running| {
            let fd = socket.fd()?;
            rustix::net::connect(&*fd, &to)?;
            let local = raw::local(&*fd)?;
            socket.set_open(running.opened());
            Ok(UdpSocket::new(socket, local, Some(to), self.decider.clone()))
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
        Ok(Bound::new(socket, local, self.resources.clone()))
    }

    /// Binds a UDP socket as [`listen`](Network::listen) does one for TCP. It hears everybody; where it
    /// sends to is decided for each destination.
    pub fn udp_bind(&self, address: IpAddr, port: u16, function: &str) -> Result<UdpSocket, NetError> {
        let (socket, local) = self.bound(address, port, Protocol::Udp, function)?;
        Ok(UdpSocket::new(socket, local, None, self.decider.clone()))
    }

    /// Whether some grant lets it listen on the address with a port that the system chooses; nothing is recorded.
    pub fn may_choose_port(&self, address: IpAddr, protocol: Protocol) -> bool {
        let ask = |port| Ask::NetListen(Endpoint::address(SocketAddr::new(address, port), protocol));
        !self.context.set.live(|capability| ranges_over(capability, &ask).is_some()).is_empty()
    }

    /// The addresses of a name that may be told. For a minute a connection to one of them passes where
    /// a grant covers a connection to the name. The text of an address is that address.
    pub fn resolve(&self, host: &str, deadline: Instant, function: &str) -> Result<Vec<IpAddr>, NetError> {
        let guard = self.decider.resolve(host, function)?;
        if let Ok(ip) = host.parse() {
            let text = Ask::NetResolve(host.to_owned()).capability_text();
            self.context.set.allow(&guard, text, function);
            return Ok(vec![address_class::canonical(ip)]);
        }
        let name = host_name::fold(host);
        let addresses = self.look_up(&name, &guard, deadline, function, &mut None)?;
        Ok(self.decider.told(&name, &addresses, &guard, function, Instant::now())?)
    }

    /// Sockets of this actor that are open now.
    pub fn open_sockets(&self) -> usize {
        self.resources.used(Resource::Socket)
    }

    /// Decides where a host leads, and acts on each address until that succeeds; or else the first error.
    fn reach<T>(
        &self,
        host: &str,
        port: u16,
        protocol: Protocol,
        deadline: Instant,
        function: &str,
        act: impl Fn(Socket, SocketAddr, Instant, &Running) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        if port == 0 {
            return Err(NetError::PortZero);
        }
        let deadline = self.context.limits.capped(deadline, Instant::now());
        // One place for all that it takes: the question, and one address after the other.
        let mut place = None;
        let routes = self.routes(host, port, protocol, deadline, function, &mut place)?;
        let mut failed = None;
        for (tried, route) in routes.iter().enumerate() {
            let deadline = share(deadline, Instant::now(), routes.len() - tried);
            let step = Step { operation: "connect", guard: &route.guard, text: &route.text, function };
            let done = step.run(&self.context.set, |running| {
                if deadline <= Instant::now() {
                    return Err(NetError::Timeout);
                }
                let permit = self.place(&mut place)?;
                let fd = self.open(route.address.ip(), protocol)?;
                let socket =
                    Socket::new(&self.context, &route.guard, vec![permit], fd, &route.text, function)?;
                act(socket, route.address, deadline, running)
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
        place: &mut Option<Arc<Permit>>,
    ) -> Result<Vec<Route>, NetError> {
        let endpoint = Endpoint::named(host, port, protocol);
        let Some(name) = endpoint.name() else {
            let ip = endpoint.ip().expect("an endpoint has a name or an address");
            let to = SocketAddr::new(ip, port);
            return Ok(vec![self.decider.literal(to, protocol, function, Instant::now())?]);
        };
        let guard = self.decider.named(&endpoint, function)?;
        let addresses = self.look_up(name, &guard, deadline, function, place)?;
        Ok(self.decider.resolved(&endpoint, &addresses, &guard, function)?)
    }

    /// Asks the resolver about a name that is granted: each address once, at least one.
    pub(crate) fn look_up(
        &self,
        name: &str,
        guard: &Guard,
        deadline: Instant,
        function: &str,
        place: &mut Option<Arc<Permit>>,
    ) -> Result<Vec<IpAddr>, NetError> {
        let deadline = self.context.limits.capped(deadline, Instant::now());
        let text = Ask::NetResolve(name.to_owned()).capability_text();
        let step = Step { operation: "resolve", guard, text: &text, function };
        step.run(&self.context.set, |_| {
            // The question needs a socket too, for as long as it takes.
            let _permit = self.place(place)?;
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

    /// Begins to connect to an address that was decided; its record ends when it is known what came of it.
    pub(crate) fn begin(&self, route: &Route, function: &str) -> Result<Connecting, NetError> {
        let step = Step { operation: "connect", guard: &route.guard, text: &route.text, function };
        let running = step.begin(&self.context.set);
        let begun = self.place(&mut None).and_then(|permit| {
            let fd = self.open(route.address.ip(), Protocol::Tcp)?;
            let socket = Socket::new(&self.context, &route.guard, vec![permit], fd, &route.text, function)?;
            Connecting::begin(socket, route.address)
        });
        match begun {
            Ok(connecting) => Ok(connecting.recorded(running)),
            Err(error) => {
                running.finish(Err(&error.to_string()));
                Err(error)
            }
        }
    }

    fn open(&self, ip: IpAddr, protocol: Protocol) -> Result<OwnedFd, NetError> {
        let fd = raw::open(ip, protocol)?;
        if let Some(hops) = self.hop_limit {
            raw::set_hop_limit(&fd, hops)?;
        }
        Ok(fd)
    }

    /// The place of a call among the sockets that are open, taken when it first needs one.
    fn place(&self, taken: &mut Option<Arc<Permit>>) -> Result<Arc<Permit>, NetError> {
        if let Some(permit) = taken {
            return Ok(permit.clone());
        }
        let permit = self.resources.try_acquire(Resource::Socket).map_err(NetError::TooManySockets)?;
        Ok(taken.insert(Arc::new(permit)).clone())
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
        let operation = if protocol == Protocol::Tcp { "listen" } else { "bind" };
        let step = Step { operation, guard: &guard, text: &text, function };
        let socket = step.run(&self.context.set, |running| {
            let permit = self.place(&mut None)?;
            let fd = match reserved {
                Some(fd) => fd,
                None => {
                    let fd = self.open(address, protocol)?;
                    raw::bind(&fd, local, protocol)?;
                    fd
                }
            };
            let socket = Socket::new(&self.context, &guard, vec![permit], fd, &text, function)?;
            socket.set_open(running.opened());
            Ok(socket)
        })?;
        Ok((socket, local))
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
        let (mut error, mut refused) = (None, None);
        for guard in guards {
            let (low, high) = ranges_over(guard.capability(), &ask).expect("only such grants were taken");
            let random = getrandom::u32().map_err(|error| NetError::Io(error.into()))?;
            for port in ports::candidates(low, high, random) {
                let fd = self.open(address, protocol)?;
                let local = match raw::bind(&fd, SocketAddr::new(address, port), protocol) {
                    Ok(local) => local,
                    Err(taken @ (Errno::ADDRINUSE | Errno::ACCESS)) => {
                        error = Some(taken);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                // A line that covers a port may stand beside one that takes it away; port 0 covers any.
                let asks = [ask(local.port()), ask(0)];
                match set.covering(if high == 0 { &asks } else { &asks[..1] }) {
                    Ok(_) => return Ok((fd, local, guard)),
                    Err(refusal) => drop(refused.get_or_insert(refusal)),
                }
            }
        }
        match error {
            Some(error) => Err(error.into()),
            None => {
                let refusal = refused.or_else(|| set.covering(&[ask(0)]).err());
                let refusal = refusal.unwrap_or(DenialKind::NotGranted.into());
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
