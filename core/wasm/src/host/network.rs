//! `wasi:sockets` over osl: what TCP, UDP and name lookup have in common.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{CapabilitySet, NetError, NetLimits, Network, ReadyFd, Resolve, ResolveError, Resources};
use tokio::io::Interest;
use tokio::sync::Semaphore;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::instance_network;
use wasmtime_wasi::p2::bindings::sockets::network::{
    self, ErrorCode, IpAddressFamily, IpSocketAddress, Network as Theirs,
};
use wasmtime_wasi::p2::{SocketError, SocketResult};

use super::descriptor::{Handle, push};
use super::state::{Refusals, State};
use super::tls::Trust;

/// Lookups of one system at once: each holds a thread of the pool that files and compilations need too.
const LOOKUPS_MAX: usize = 32;
/// Lookups of one actor at once; more wait for these.
const ACTOR_LOOKUPS_MAX: usize = 4;
/// How long one lookup may take.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether a socket is ready, while there is no descriptor to wait with.
const LOOK: Duration = Duration::from_millis(10);

/// What the networks of all actors of a system share.
pub(crate) struct Outside {
    resolver: Arc<dyn Resolve>,
    lookups: Arc<Semaphore>,
    trust: Arc<Trust>,
}

/// The network of one actor, over all its lives.
#[derive(Clone)]
pub(crate) struct Net {
    pub(super) network: Network,
    pub(super) trust: Arc<Trust>,
    lookups: [Arc<Semaphore>; 2],
}

impl Outside {
    pub(crate) fn new(resolver: Arc<dyn Resolve>, trust: Trust) -> Self {
        Self { resolver, lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)), trust: Arc::new(trust) }
    }

    /// The network of the actor that has these grants.
    pub(crate) fn net(&self, grants: &CapabilitySet, resources: Resources) -> Net {
        let network = Network::new(grants.clone(), self.resolver.clone(), NetLimits::default());
        Net {
            network: network.with_resources(resources),
            trust: self.trust.clone(),
            lookups: [Arc::new(Semaphore::new(ACTOR_LOOKUPS_MAX)), self.lookups.clone()],
        }
    }
}

impl Net {
    /// Looks something up on the blocking pool, when it is this actor's turn.
    pub(super) async fn look_up<T: Send + 'static>(
        self,
        run: impl FnOnce(&Network, Instant) -> Result<T, NetError> + Send + 'static,
    ) -> Result<T, NetError> {
        let mut turns = Vec::with_capacity(self.lookups.len());
        for turn in &self.lookups {
            turns.push(turn.clone().acquire_owned().await.expect("nobody closes it"));
        }
        let done = tokio::task::spawn_blocking(move || {
            // Whoever asked may be gone: the thread is in use all the same.
            let _turns = turns;
            run(&self.network, Instant::now() + LOOKUP_TIME_MAX)
        });
        done.await.unwrap_or_else(|why| Err(NetError::Io(io::Error::other(why))))
    }
}

impl State {
    /// The WASI code of what went wrong; a denial is noted.
    pub(super) fn socket_error(&self, error: NetError) -> SocketError {
        self.refusals.note_of(&error);
        code(&error).into()
    }

    /// The same for what should go to this address; of one that leads nowhere WASI has a denial as a wrong argument.
    pub(super) fn refused_to(&self, to: SocketAddr, error: NetError) -> SocketError {
        match &error {
            NetError::Denied(denial) if to.ip().is_unspecified() => {
                self.refusals.note(denial);
                ErrorCode::InvalidArgument.into()
            }
            _ => self.socket_error(error),
        }
    }
}

impl Refusals {
    /// Notes and tells the denial, if it is one.
    pub(super) fn note_of(&self, error: &NetError) {
        if let NetError::Denied(denial) = error {
            self.note(denial);
        }
    }
}

/// The WASI code of an error of osl.
pub(super) fn code(error: &NetError) -> ErrorCode {
    match error {
        NetError::Denied(_) => ErrorCode::AccessDenied,
        NetError::Resolve(ResolveError::NotFound(_)) => ErrorCode::NameUnresolvable,
        NetError::Resolve(_) => ErrorCode::TemporaryResolverFailure,
        NetError::Timeout => ErrorCode::Timeout,
        NetError::TooManySockets { .. } | NetError::TooManyAccepted { .. } => ErrorCode::NewSocketLimit,
        NetError::TooManyBytes { .. } => ErrorCode::OutOfMemory,
        NetError::PortZero => ErrorCode::InvalidArgument,
        NetError::Io(why) => ErrorCode::from(why),
    }
}

/// Waits until the socket can be read or written, has failed or was cut; the use that follows says which.
pub(super) async fn wait(fd: ReadyFd, interest: Interest) {
    let watched = watched(&fd);
    drop(fd);
    match watched {
        Ok(watched) => drop(watched.ready(interest).await),
        // At once would be over and over, on the thread of all timers.
        Err(_) => tokio::time::sleep(LOOK).await,
    }
}

/// The socket, of whatever kind, as the loop waits for it; nothing is read or written by this. It has a descriptor of its
/// own, for the loop knows each only once, and a reader and a writer may wait at the same time.
pub(super) fn watched(fd: &ReadyFd) -> io::Result<tokio::net::TcpStream> {
    tokio::net::TcpStream::from_std(std::net::TcpStream::from(fd.as_fd().try_clone_to_owned()?))
}

/// An address of the socket's family that one host can have.
pub(super) fn unicast(address: IpSocketAddress, family: IpAddressFamily) -> SocketResult<SocketAddr> {
    let address = SocketAddr::from(address);
    let fits = match (address.ip(), family) {
        (IpAddr::V4(ip), IpAddressFamily::Ipv4) => !ip.is_multicast() && !ip.is_broadcast(),
        // Each of these is an address of IPv4, which has sockets of its own.
        (IpAddr::V6(ip), IpAddressFamily::Ipv6) => !ip.is_multicast() && ip.to_ipv4_mapped().is_none(),
        _ => false,
    };
    if fits { Ok(address) } else { Err(ErrorCode::InvalidArgument.into()) }
}

/// The bind of any free port that a connect or a send begins with; the address it goes to is asked for.
pub(super) fn is_implicit(address: SocketAddr) -> bool {
    address.port() == 0 && address.ip().is_unspecified()
}

/// Where a socket without a port of its own says that it is.
pub(super) fn anywhere(family: IpAddressFamily) -> SocketAddr {
    match family {
        IpAddressFamily::Ipv4 => SocketAddr::from(([0, 0, 0, 0], 0)),
        IpAddressFamily::Ipv6 => SocketAddr::from(([0; 16], 0)),
    }
}

/// The handle that other functions want and that allows nothing: each address is asked for.
struct Anything;

impl network::Host for State {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<NetError>().map(code))
    }
}

impl network::HostNetwork for State {
    fn drop(&mut self, network: Resource<Theirs>) -> wasmtime::Result<()> {
        self.table.delete::<Anything>(network.ours())?;
        Ok(())
    }
}

impl instance_network::Host for State {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Theirs>> {
        Ok(push(&mut self.table, Anything)?)
    }
}
