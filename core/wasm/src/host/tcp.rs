//! `wasi:sockets/tcp` over osl: a socket of the system is made when it is known where it leads.

use std::net::SocketAddr;
use std::time::Duration;

use airssys_osl::{Bound, Connecting, KeepAlive, Listener, NetError, Protocol, TcpStream};
use tokio::io::Interest;
use tokio::time::Instant;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Network as TheirNetwork,
};
use wasmtime_wasi::p2::bindings::sockets::tcp::{self, HostTcpSocket, ShutdownType, TcpSocket as Theirs};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, Pollable, SocketResult};

use super::descriptor::{Handle, push};
use super::network::{anywhere, is_implicit, unicast, wait};
use super::state::State;
use super::tcp_io::{Ended, Reader, Writer};
use crate::engine::Bounded;

/// How long a connection may take to stand.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(30);
/// Of a buffer that nobody set, which is the system's matter, and the most that can be set.
const BUFFER_BYTES: u64 = 64 << 10;
/// What a socket says of its hops before somebody sets them.
const HOP_LIMIT: u8 = 64;
const KEEP_ALIVE: KeepAlive =
    KeepAlive { idle: Duration::from_secs(7_200), interval: Duration::from_secs(75), count: 9 };
/// The largest that Linux takes.
const KEEP_ALIVE_SECONDS_MAX: u64 = 32_767;
const KEEP_ALIVE_COUNT_MAX: u32 = 127;

/// What a guest set, before there is a socket of the system or after.
#[derive(Clone, Copy)]
struct Options {
    keeps_alive: bool,
    keep_alive: KeepAlive,
    hops: Option<u8>,
    send_bytes: Option<u64>,
    receive_bytes: Option<u64>,
}

/// A socket of a guest.
pub(super) struct TcpSocket {
    family: IpAddressFamily,
    /// What was started and is not finished.
    begun: Option<Begun>,
    way: Way,
    /// Bound to a port that the system chose: a connection may have another.
    is_implicit: bool,
    options: Options,
    /// Seen while waiting, told by what comes next.
    failed: Option<NetError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Bind,
    Connect,
    Listen,
}

enum Way {
    Fresh,
    /// Bound to any port, which is not chosen before it matters.
    Anywhere,
    Bound(Box<Bound>),
    Connecting(Box<Connecting>, Instant),
    Connected(TcpStream, Writer, Ended),
    Listening(Listener),
    Closed,
}

impl TcpSocket {
    fn new(family: IpAddressFamily, way: Way) -> Self {
        let options = Options {
            keeps_alive: false,
            keep_alive: KEEP_ALIVE,
            hops: None,
            send_bytes: None,
            receive_bytes: None,
        };
        Self { family, begun: None, way, is_implicit: false, options, failed: None }
    }

    fn begin(&mut self, what: Begun) -> SocketResult<()> {
        match self.begun {
            Some(_) => Err(ErrorCode::ConcurrencyConflict.into()),
            None => {
                self.begun = Some(what);
                Ok(())
            }
        }
    }

    fn finish(&mut self, what: Begun) -> SocketResult<()> {
        match self.begun == Some(what) {
            true => {
                self.begun = None;
                Ok(())
            }
            false => Err(ErrorCode::NotInProgress.into()),
        }
    }

    fn local(&self) -> SocketResult<SocketAddr> {
        match &self.way {
            Way::Anywhere => Ok(anywhere(self.family)),
            Way::Bound(bound) => Ok(bound.local()),
            Way::Connected(stream, ..) => Ok(stream.local()),
            Way::Listening(listener) => Ok(listener.local()),
            Way::Fresh | Way::Connecting(..) | Way::Closed => Err(ErrorCode::InvalidState.into()),
        }
    }

    /// Tells the system what the guest set; what is not connected yet is told when it is.
    fn apply(&self) -> Result<(), NetError> {
        let Options { keeps_alive, keep_alive, hops, send_bytes, receive_bytes } = self.options;
        match (&self.way, hops) {
            (Way::Connected(stream, ..), hops) => {
                stream.set_keepalive(keeps_alive.then_some(keep_alive))?;
                let size = |bytes: Option<u64>| bytes.and_then(|bytes| usize::try_from(bytes).ok());
                stream.set_buffers(size(send_bytes), size(receive_bytes))?;
                hops.map_or(Ok(()), |hops| stream.set_hop_limit(hops))
            }
            (Way::Bound(bound), Some(hops)) => bound.set_hop_limit(hops),
            (Way::Listening(listener), Some(hops)) => listener.set_hop_limit(hops),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Pollable for TcpSocket {
    async fn ready(&mut self) {
        let ready = match &mut self.way {
            Way::Connecting(connecting, until) => connecting.ready_fd().map(|fd| (fd, Some(*until))),
            Way::Listening(listener) => listener.ready_fd().map(|fd| (fd, None)),
            _ => return,
        };
        match ready {
            _ if self.failed.is_some() => {}
            Err(error) => self.failed = Some(error),
            Ok((fd, None)) => wait(fd, Interest::READABLE).await,
            Ok((fd, Some(until))) => {
                let _ = tokio::time::timeout_at(until, wait(fd, Interest::WRITABLE)).await;
            }
        }
    }
}

impl State {
    fn tcp(&mut self, socket: &Resource<Theirs>) -> SocketResult<&mut TcpSocket> {
        Ok(self.table.get_mut::<TcpSocket>(&socket.ours())?)
    }

    /// What osl did, or its failure, after which the socket is of no use.
    fn tcp_done<T>(&mut self, socket: &Resource<Theirs>, done: Result<T, NetError>) -> SocketResult<T> {
        match done {
            Ok(value) => Ok(value),
            Err(error) => {
                let socket = self.tcp(socket)?;
                (socket.begun, socket.way) = (None, Way::Closed);
                Err(self.socket_error(error))
            }
        }
    }

    /// Changes what the guest may set.
    fn set_option(&mut self, socket: &Resource<Theirs>, set: impl FnOnce(&mut Options)) -> SocketResult<()> {
        let socket = self.tcp(socket)?;
        set(&mut socket.options);
        let applied = socket.apply();
        applied.map_err(|error| self.socket_error(error))
    }

    /// The streams of a connection, children of its socket.
    fn streams(
        &mut self,
        socket: &Resource<Theirs>,
        stream: TcpStream,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let writer = Writer::new(stream.clone(), self.refusals.clone(), Bounded::meter(self).clone());
        let ended = Ended::default();
        let reader = Reader::new(stream.clone(), self.refusals.clone(), ended.clone());
        let input: DynInputStream = Box::new(reader);
        let output: DynOutputStream = Box::new(writer.clone());
        self.tcp(socket)?.way = Way::Connected(stream, writer, ended);
        let parent: Resource<TcpSocket> = Resource::new_borrow(socket.rep());
        Ok((self.table.push_child(input, &parent)?, self.table.push_child(output, &parent)?))
    }
}

impl tcp_create_socket::Host for State {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<Theirs>> {
        Ok(push(&mut self.table, TcpSocket::new(family, Way::Fresh))?)
    }
}

impl tcp::Host for State {}

impl HostTcpSocket for State {
    async fn start_bind(
        &mut self,
        this: Resource<Theirs>,
        _: Resource<TheirNetwork>,
        address: IpSocketAddress,
    ) -> SocketResult<()> {
        let network = self.grounds.net.network.clone();
        let socket = self.tcp(&this)?;
        let address = unicast(address, socket.family)?;
        socket.begin(Begun::Bind)?;
        let way = match &socket.way {
            Way::Fresh if is_implicit(address) => Ok(Way::Anywhere),
            Way::Fresh => {
                let network = network.with_hop_limit(socket.options.hops);
                let bound = network.bind(address.ip(), address.port(), "wasi:sockets/tcp#start-bind");
                bound.map(|bound| Way::Bound(Box::new(bound)))
            }
            _ => {
                socket.begun = None;
                return Err(ErrorCode::InvalidState.into());
            }
        };
        match way {
            Ok(way) => socket.way = way,
            Err(error) => {
                // It may be bound to another address.
                socket.begun = None;
                return Err(self.socket_error(error));
            }
        }
        Ok(())
    }

    fn finish_bind(&mut self, this: Resource<Theirs>) -> SocketResult<()> {
        self.tcp(&this)?.finish(Begun::Bind)
    }

    fn start_connect(
        &mut self,
        this: Resource<Theirs>,
        _: Resource<TheirNetwork>,
        address: IpSocketAddress,
    ) -> SocketResult<()> {
        let network = self.grounds.net.network.clone();
        let socket = self.tcp(&this)?;
        let address = unicast(address, socket.family)?;
        match (&socket.way, socket.begun) {
            (_, Some(_)) => return Err(ErrorCode::ConcurrencyConflict.into()),
            (Way::Fresh | Way::Anywhere, None) => {}
            (Way::Bound(_), None) if socket.is_implicit => {}
            // A client's own port is the system's choice.
            (Way::Bound(_), None) => return Err(ErrorCode::NotSupported.into()),
            _ => return Err(ErrorCode::InvalidState.into()),
        }
        let network = network.with_hop_limit(socket.options.hops);
        let begun = network.begin_connect(address, "wasi:sockets/tcp#start-connect");
        let is_nowhere = address.ip().is_unspecified() && matches!(begun, Err(NetError::Denied(_)));
        let connecting = self.tcp_done(&this, begun).map_err(|error| match is_nowhere {
            true => ErrorCode::InvalidArgument.into(),
            false => error,
        })?;
        let socket = self.tcp(&this)?;
        socket.way = Way::Connecting(Box::new(connecting), Instant::now() + CONNECT_TIME_MAX);
        socket.begin(Begun::Connect)
    }

    fn finish_connect(
        &mut self,
        this: Resource<Theirs>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let socket = self.tcp(&this)?;
        let Way::Connecting(connecting, until) = &mut socket.way else {
            return Err(ErrorCode::NotInProgress.into());
        };
        let stands = match socket.failed.take() {
            Some(error) => Err(error),
            None => match connecting.is_connected() {
                Ok(false) if *until <= Instant::now() => Err(NetError::Timeout),
                stands => stands,
            },
        };
        if !self.tcp_done(&this, stands)? {
            return Err(ErrorCode::WouldBlock.into());
        }
        let socket = self.tcp(&this)?;
        socket.finish(Begun::Connect)?;
        let Way::Connecting(connecting, _) = std::mem::replace(&mut socket.way, Way::Closed) else {
            return Err(ErrorCode::NotInProgress.into());
        };
        // A guest that writes a little and waits for the answer has no way to ask for this.
        let stream = connecting.finish().and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = self.tcp_done(&this, stream)?;
        let streams = self.streams(&this, stream)?;
        let applied = self.tcp(&this)?.apply();
        self.tcp_done(&this, applied)?;
        Ok(streams)
    }

    async fn start_listen(&mut self, this: Resource<Theirs>) -> SocketResult<()> {
        let network = self.grounds.net.network.clone();
        let socket = self.tcp(&this)?;
        socket.begin(Begun::Listen)?;
        let listener = match std::mem::replace(&mut socket.way, Way::Closed) {
            Way::Bound(bound) => bound.listen(),
            // A server that leaves the port to the system.
            Way::Anywhere => {
                let network = network.with_hop_limit(socket.options.hops);
                network.listen(anywhere(socket.family).ip(), 0, "wasi:sockets/tcp#start-listen")
            }
            other => {
                (socket.begun, socket.way) = (None, other);
                return Err(ErrorCode::InvalidState.into());
            }
        };
        let listener = self.tcp_done(&this, listener)?;
        self.tcp(&this)?.way = Way::Listening(listener);
        Ok(())
    }

    fn finish_listen(&mut self, this: Resource<Theirs>) -> SocketResult<()> {
        self.tcp(&this)?.finish(Begun::Listen)
    }

    fn accept(
        &mut self,
        this: Resource<Theirs>,
    ) -> SocketResult<(Resource<Theirs>, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let socket = self.tcp(&this)?;
        let (Way::Listening(listener), None) = (&socket.way, socket.begun) else {
            return Err(ErrorCode::InvalidState.into());
        };
        let (family, options) = (socket.family, socket.options);
        let accepted = match socket.failed.take() {
            Some(error) => Err(error),
            None => listener.try_accept(),
        };
        let stream = match accepted {
            Ok(None) => return Err(ErrorCode::WouldBlock.into()),
            Ok(Some(stream)) => stream,
            Err(error @ NetError::Denied(_)) => return self.tcp_done(&this, Err(error)),
            // The listener goes on.
            Err(error) => return Err(self.socket_error(error)),
        };
        stream.set_nodelay(true).map_err(|error| self.socket_error(error))?;
        // It has what its listener has by now.
        let accepted = TcpSocket { options, ..TcpSocket::new(family, Way::Fresh) };
        let socket: Resource<Theirs> = push(&mut self.table, accepted)?;
        let (input, output) = self.streams(&socket, stream)?;
        let applied = self.tcp(&socket)?.apply();
        applied.map_err(|error| self.socket_error(error))?;
        Ok((socket, input, output))
    }

    fn local_address(&mut self, this: Resource<Theirs>) -> SocketResult<IpSocketAddress> {
        let network = self.grounds.net.network.clone();
        let socket = self.tcp(&this)?;
        let any = anywhere(socket.family).ip();
        // The port is chosen when somebody wants to know it, by who may listen there.
        if matches!(socket.way, Way::Anywhere) && network.may_choose_port(any, Protocol::Tcp) {
            let network = network.with_hop_limit(socket.options.hops);
            let bound = network.bind(any, 0, "wasi:sockets/tcp#local-address");
            let bound = bound.map_err(|error| self.socket_error(error))?;
            let socket = self.tcp(&this)?;
            (socket.way, socket.is_implicit) = (Way::Bound(Box::new(bound)), true);
        }
        Ok(self.tcp(&this)?.local()?.into())
    }

    fn remote_address(&mut self, this: Resource<Theirs>) -> SocketResult<IpSocketAddress> {
        match &self.tcp(&this)?.way {
            Way::Connected(stream, ..) => Ok(stream.peer().into()),
            _ => Err(ErrorCode::InvalidState.into()),
        }
    }

    fn is_listening(&mut self, this: Resource<Theirs>) -> wasmtime::Result<bool> {
        let socket = self.table.get::<TcpSocket>(&this.ours())?;
        Ok(matches!(socket.way, Way::Listening(_)))
    }

    fn address_family(&mut self, this: Resource<Theirs>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get::<TcpSocket>(&this.ours())?.family)
    }

    fn set_listen_backlog_size(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        match &self.tcp(&this)?.way {
            Way::Connecting(..) | Way::Connected(..) => Err(ErrorCode::InvalidState.into()),
            _ => hint(value),
        }
    }

    fn keep_alive_enabled(&mut self, this: Resource<Theirs>) -> SocketResult<bool> {
        Ok(self.tcp(&this)?.options.keeps_alive)
    }

    fn set_keep_alive_enabled(&mut self, this: Resource<Theirs>, value: bool) -> SocketResult<()> {
        self.set_option(&this, |options| options.keeps_alive = value)
    }

    fn keep_alive_idle_time(&mut self, this: Resource<Theirs>) -> SocketResult<u64> {
        Ok(self.tcp(&this)?.options.keep_alive.idle.as_nanos() as u64)
    }

    fn set_keep_alive_idle_time(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        hint(value)?;
        self.set_option(&this, |options| options.keep_alive.idle = whole_seconds(value))
    }

    fn keep_alive_interval(&mut self, this: Resource<Theirs>) -> SocketResult<u64> {
        Ok(self.tcp(&this)?.options.keep_alive.interval.as_nanos() as u64)
    }

    fn set_keep_alive_interval(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        hint(value)?;
        self.set_option(&this, |options| options.keep_alive.interval = whole_seconds(value))
    }

    fn keep_alive_count(&mut self, this: Resource<Theirs>) -> SocketResult<u32> {
        Ok(self.tcp(&this)?.options.keep_alive.count)
    }

    fn set_keep_alive_count(&mut self, this: Resource<Theirs>, value: u32) -> SocketResult<()> {
        hint(value.into())?;
        self.set_option(&this, |options| options.keep_alive.count = value.min(KEEP_ALIVE_COUNT_MAX))
    }

    fn hop_limit(&mut self, this: Resource<Theirs>) -> SocketResult<u8> {
        Ok(self.tcp(&this)?.options.hops.unwrap_or(HOP_LIMIT))
    }

    fn set_hop_limit(&mut self, this: Resource<Theirs>, value: u8) -> SocketResult<()> {
        hint(value.into())?;
        self.set_option(&this, |options| options.hops = Some(value))
    }

    fn receive_buffer_size(&mut self, this: Resource<Theirs>) -> SocketResult<u64> {
        Ok(self.tcp(&this)?.options.receive_bytes.unwrap_or(BUFFER_BYTES))
    }

    fn set_receive_buffer_size(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        hint(value)?;
        self.set_option(&this, |options| options.receive_bytes = Some(value.min(BUFFER_BYTES)))
    }

    fn send_buffer_size(&mut self, this: Resource<Theirs>) -> SocketResult<u64> {
        Ok(self.tcp(&this)?.options.send_bytes.unwrap_or(BUFFER_BYTES))
    }

    fn set_send_buffer_size(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        hint(value)?;
        self.set_option(&this, |options| options.send_bytes = Some(value.min(BUFFER_BYTES)))
    }

    fn subscribe(&mut self, this: Resource<Theirs>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime_wasi_io::poll::subscribe(&mut self.table, this.ours::<TcpSocket>())
    }

    fn shutdown(&mut self, this: Resource<Theirs>, how: ShutdownType) -> SocketResult<()> {
        let Way::Connected(stream, writer, ended) = &self.tcp(&this)?.way else {
            return Err(ErrorCode::InvalidState.into());
        };
        let receive = match how {
            ShutdownType::Send => Ok(()),
            ShutdownType::Receive | ShutdownType::Both => {
                // Linux goes on to read what has come.
                ended.set();
                stream.shutdown(std::net::Shutdown::Read)
            }
        };
        let send = match how {
            ShutdownType::Receive => Ok(()),
            ShutdownType::Send | ShutdownType::Both => writer.end(),
        };
        receive.and(send).map_err(|error| self.socket_error(error))
    }

    fn drop(&mut self, this: Resource<Theirs>) -> wasmtime::Result<()> {
        self.table.delete::<TcpSocket>(this.ours())?;
        Ok(())
    }
}

/// What Linux takes of a time, which is never none.
fn whole_seconds(nanoseconds: u64) -> Duration {
    Duration::from_secs(nanoseconds.div_ceil(1_000_000_000).min(KEEP_ALIVE_SECONDS_MAX))
}

/// What WASI lets us round to what we have, but for nothing.
fn hint(value: u64) -> SocketResult<()> {
    if value == 0 { Err(ErrorCode::InvalidArgument.into()) } else { Ok(()) }
}
