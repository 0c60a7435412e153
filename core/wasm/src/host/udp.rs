//! `wasi:sockets/udp` over osl: each destination is asked for.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use airssys_osl::{NetError, Protocol, UdpSocket as OslSocket};
use tokio::io::Interest;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Network as TheirNetwork,
};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    self, HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, IncomingDatagram,
    IncomingDatagramStream as TheirIncoming, OutgoingDatagram, OutgoingDatagramStream as TheirOutgoing,
    UdpSocket as Theirs,
};
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket;
use wasmtime_wasi::p2::{DynPollable, Pollable, SocketError, SocketResult};

use super::datagrams::{DATAGRAM_BYTES_MAX, Ends};
use super::descriptor::{Handle, push};
use super::network::{anywhere, is_implicit, unicast, wait};
use super::state::State;

/// Datagrams of one call at most.
const DATAGRAMS_MAX: usize = 16;
/// Bytes of one call at which no more are received.
const RECEIVED_BYTES_MAX: usize = 64 << 10;
/// What the guest may ask for and has no effect here.
const BUFFER_BYTES: u64 = 64 << 10;
const HOP_LIMIT: u8 = 64;

/// A socket of a guest.
pub(super) struct UdpSocket {
    family: IpAddressFamily,
    is_binding: bool,
    way: Way,
    peer: Option<SocketAddr>,
    hops: Option<u8>,
}

enum Way {
    Fresh,
    /// Bound to any port, which is not chosen before it matters.
    Anywhere(Option<Arc<Ends>>),
    Bound(OslSocket),
}

/// What comes in.
pub(super) struct Incoming {
    ends: Arc<Ends>,
    peer: Option<SocketAddr>,
    /// Seen while waiting, told by the next call.
    failed: Option<NetError>,
}

/// What goes out.
pub(super) struct Outgoing {
    ends: Arc<Ends>,
    family: IpAddressFamily,
    peer: Option<SocketAddr>,
    /// Datagrams that `check-send` allowed.
    permit: usize,
    /// To whom the system took none.
    full: Option<SocketAddr>,
}

impl Way {
    fn local(&self, family: IpAddressFamily) -> Option<SocketAddr> {
        match self {
            Way::Fresh => None,
            Way::Anywhere(ends) => {
                Some(ends.as_ref().and_then(|ends| ends.local()).unwrap_or_else(|| anywhere(family)))
            }
            Way::Bound(socket) => Some(socket.local()),
        }
    }
}

#[async_trait]
impl Pollable for UdpSocket {
    /// Nothing that the socket itself does takes time.
    async fn ready(&mut self) {}
}

#[async_trait]
impl Pollable for Incoming {
    async fn ready(&mut self) {
        if self.failed.is_some() {
            return;
        }
        match self.ends.ready_fds() {
            Err(error) => self.failed = Some(error),
            Ok(fds) => {
                let waits = fds.into_iter().map(|fd| wait(fd, Interest::READABLE));
                let mut waits: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> =
                    waits.map(|one| Box::pin(one) as _).collect();
                let any = |context: &mut std::task::Context<'_>| match waits
                    .iter_mut()
                    .any(|one| one.as_mut().poll(context).is_ready())
                {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                };
                std::future::poll_fn(any).await;
            }
        }
    }
}

#[async_trait]
impl Pollable for Outgoing {
    async fn ready(&mut self) {
        if let Some(fd) = self.full.take().and_then(|to| self.ends.writable_fd(to)) {
            wait(fd, Interest::WRITABLE).await;
        }
    }
}

impl State {
    fn udp(&mut self, socket: &Resource<Theirs>) -> SocketResult<&mut UdpSocket> {
        Ok(self.table.get_mut::<UdpSocket>(&socket.ours())?)
    }

    fn is_streaming(&self, socket: &Resource<Theirs>) -> SocketResult<bool> {
        let mut children = self.table.iter_children(&Resource::<UdpSocket>::new_borrow(socket.rep()))?;
        Ok(children.any(|child| child.is::<Incoming>() || child.is::<Outgoing>()))
    }

    /// Sends until one cannot be sent; how many were.
    fn send_all(
        &mut self,
        stream: &Resource<TheirOutgoing>,
        datagrams: Vec<OutgoingDatagram>,
    ) -> SocketResult<u64> {
        let mut sent = 0;
        for datagram in datagrams {
            let outgoing = self.table.get::<Outgoing>(&stream.ours())?;
            let to = destination(outgoing, &datagram)?;
            let ends = outgoing.ends.clone();
            self.output(datagram.data.len()).map_err(|over| SocketError::trap(wasmtime::Error::new(over)))?;
            match ends.send(&datagram.data, to, "wasi:sockets/udp#send") {
                Ok(true) => sent += 1,
                Ok(false) => {
                    self.table.get_mut::<Outgoing>(&stream.ours())?.full = Some(to);
                    break;
                }
                // WASI tells no error of a call that has sent something; a denial is told all the same.
                Err(error) if sent > 0 => {
                    self.refusals.note_of(&error);
                    break;
                }
                Err(error) => return Err(self.refused_to(to, error)),
            }
        }
        Ok(sent)
    }
}

/// Where a datagram goes: where it says, or to the only peer.
fn destination(outgoing: &Outgoing, datagram: &OutgoingDatagram) -> SocketResult<SocketAddr> {
    let given = datagram.remote_address.map(|address| unicast(address, outgoing.family)).transpose()?;
    match (given, outgoing.peer) {
        (Some(to), Some(peer)) if to != peer => Err(ErrorCode::InvalidArgument.into()),
        (given, peer) => Ok(given.or(peer).ok_or(ErrorCode::InvalidArgument)?),
    }
}

impl udp_create_socket::Host for State {
    async fn create_udp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<Theirs>> {
        let socket = UdpSocket { family, is_binding: false, way: Way::Fresh, peer: None, hops: None };
        Ok(push(&mut self.table, socket)?)
    }
}

impl udp::Host for State {}

impl HostUdpSocket for State {
    async fn start_bind(
        &mut self,
        this: Resource<Theirs>,
        _: Resource<TheirNetwork>,
        address: IpSocketAddress,
    ) -> SocketResult<()> {
        let network = self.grounds.net.network.clone();
        let socket = self.udp(&this)?;
        let address = unicast(address, socket.family)?;
        match (&socket.way, socket.is_binding) {
            (_, true) => return Err(ErrorCode::ConcurrencyConflict.into()),
            (Way::Fresh, false) => {}
            _ => return Err(ErrorCode::InvalidState.into()),
        }
        let way = match is_implicit(address) {
            true => Ok(Way::Anywhere(None)),
            false => {
                let network = network.with_hop_limit(socket.hops);
                network.udp_bind(address.ip(), address.port(), "wasi:sockets/udp#start-bind").map(Way::Bound)
            }
        };
        match way {
            Ok(way) => (socket.way, socket.is_binding) = (way, true),
            Err(error) => return Err(self.socket_error(error)),
        }
        Ok(())
    }

    fn finish_bind(&mut self, this: Resource<Theirs>) -> SocketResult<()> {
        match std::mem::take(&mut self.udp(&this)?.is_binding) {
            true => Ok(()),
            false => Err(ErrorCode::NotInProgress.into()),
        }
    }

    async fn stream(
        &mut self,
        this: Resource<Theirs>,
        peer: Option<IpSocketAddress>,
    ) -> SocketResult<(Resource<TheirIncoming>, Resource<TheirOutgoing>)> {
        if self.is_streaming(&this)? {
            return Err(SocketError::trap(wasmtime::format_err!(
                "the streams of before are not dropped yet"
            )));
        }
        let network = self.grounds.net.network.clone();
        let socket = self.udp(&this)?;
        let family = socket.family;
        let peer = peer.map(|address| unicast(address, family)).transpose()?;
        let ends = match &socket.way {
            Way::Fresh => return Err(ErrorCode::InvalidState.into()),
            Way::Anywhere(_) => Arc::new(Ends::client(network.with_hop_limit(socket.hops))),
            Way::Bound(socket) => Arc::new(Ends::Bound(socket.clone())),
        };
        if let Some(peer) = peer {
            ends.open(peer, "wasi:sockets/udp#stream").map_err(|error| self.refused_to(peer, error))?;
        }
        let socket = self.udp(&this)?;
        socket.peer = peer;
        if let Way::Anywhere(_) = socket.way {
            socket.way = Way::Anywhere(Some(ends.clone()));
        }
        let parent: Resource<UdpSocket> = Resource::new_borrow(this.rep());
        let incoming = Incoming { ends: ends.clone(), peer, failed: None };
        let incoming = self.table.push_child(incoming, &parent)?;
        let outgoing =
            self.table.push_child(Outgoing { ends, family, peer, permit: 0, full: None }, &parent)?;
        Ok((Resource::new_own(incoming.rep()), Resource::new_own(outgoing.rep())))
    }

    fn local_address(&mut self, this: Resource<Theirs>) -> SocketResult<IpSocketAddress> {
        let network = self.grounds.net.network.clone();
        let socket = self.udp(&this)?;
        let any = anywhere(socket.family).ip();
        // The port is chosen when somebody wants to know it, by who may listen there.
        if matches!(socket.way, Way::Anywhere(None)) && network.may_choose_port(any, Protocol::Udp) {
            let network = network.with_hop_limit(socket.hops);
            let bound = network.udp_bind(any, 0, "wasi:sockets/udp#local-address");
            let bound = bound.map_err(|error| self.socket_error(error))?;
            self.udp(&this)?.way = Way::Bound(bound);
        }
        let socket = self.udp(&this)?;
        Ok(socket.way.local(socket.family).ok_or(ErrorCode::InvalidState)?.into())
    }

    fn remote_address(&mut self, this: Resource<Theirs>) -> SocketResult<IpSocketAddress> {
        Ok(self.udp(&this)?.peer.ok_or(ErrorCode::InvalidState)?.into())
    }

    fn address_family(&mut self, this: Resource<Theirs>) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get::<UdpSocket>(&this.ours())?.family)
    }

    fn unicast_hop_limit(&mut self, this: Resource<Theirs>) -> SocketResult<u8> {
        Ok(self.udp(&this)?.hops.unwrap_or(HOP_LIMIT))
    }

    fn set_unicast_hop_limit(&mut self, this: Resource<Theirs>, value: u8) -> SocketResult<()> {
        let socket = self.udp(&this)?;
        if value == 0 {
            return Err(ErrorCode::InvalidArgument.into());
        }
        socket.hops = Some(value);
        let set = match &socket.way {
            Way::Bound(bound) => bound.set_hop_limit(value),
            Way::Anywhere(Some(ends)) => ends.set_hop_limit(value),
            Way::Fresh | Way::Anywhere(None) => Ok(()),
        };
        set.map_err(|error| self.socket_error(error))
    }

    fn receive_buffer_size(&mut self, this: Resource<Theirs>) -> SocketResult<u64> {
        self.udp(&this).map(|_| BUFFER_BYTES)
    }

    fn set_receive_buffer_size(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        self.set_send_buffer_size(this, value)
    }

    fn send_buffer_size(&mut self, this: Resource<Theirs>) -> SocketResult<u64> {
        self.udp(&this).map(|_| BUFFER_BYTES)
    }

    fn set_send_buffer_size(&mut self, this: Resource<Theirs>, value: u64) -> SocketResult<()> {
        self.udp(&this)?;
        if value == 0 { Err(ErrorCode::InvalidArgument.into()) } else { Ok(()) }
    }

    fn subscribe(&mut self, this: Resource<Theirs>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime_wasi_io::poll::subscribe(&mut self.table, this.ours::<UdpSocket>())
    }

    fn drop(&mut self, this: Resource<Theirs>) -> wasmtime::Result<()> {
        self.table.delete::<UdpSocket>(this.ours())?;
        Ok(())
    }
}

impl HostIncomingDatagramStream for State {
    fn receive(&mut self, this: Resource<TheirIncoming>, max: u64) -> SocketResult<Vec<IncomingDatagram>> {
        let incoming = self.table.get_mut::<Incoming>(&this.ours())?;
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(DATAGRAMS_MAX);
        let (mut datagrams, mut bytes, mut looked_at) = (Vec::new(), 0, 0);
        let mut failed = incoming.failed.take();
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        // Others' count too: a flood of them keeps nobody in here.
        while failed.is_none() && looked_at < max && bytes < RECEIVED_BYTES_MAX {
            looked_at += 1;
            match incoming.ends.receive(&mut buffer) {
                Ok(None) => break,
                // Linux filters when a datagram arrives, not when it is read.
                Ok(Some((_, from))) if incoming.peer.is_some_and(|peer| peer != from) => {}
                Ok(Some((count, from))) => {
                    bytes += count;
                    let data = buffer[..count].to_vec();
                    datagrams.push(IncomingDatagram { data, remote_address: from.into() });
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if datagrams.is_empty() => Err(self.socket_error(error)),
            failed => {
                incoming.failed = failed;
                Ok(datagrams)
            }
        }
    }

    fn subscribe(&mut self, this: Resource<TheirIncoming>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime_wasi_io::poll::subscribe(&mut self.table, this.ours::<Incoming>())
    }

    fn drop(&mut self, this: Resource<TheirIncoming>) -> wasmtime::Result<()> {
        self.table.delete::<Incoming>(this.ours())?;
        Ok(())
    }
}

impl HostOutgoingDatagramStream for State {
    fn check_send(&mut self, this: Resource<TheirOutgoing>) -> SocketResult<u64> {
        let outgoing = self.table.get_mut::<Outgoing>(&this.ours())?;
        outgoing.permit = if outgoing.full.is_some() { 0 } else { DATAGRAMS_MAX };
        Ok(outgoing.permit as u64)
    }

    fn send(&mut self, this: Resource<TheirOutgoing>, datagrams: Vec<OutgoingDatagram>) -> SocketResult<u64> {
        let outgoing = self.table.get_mut::<Outgoing>(&this.ours())?;
        if datagrams.len() > std::mem::take(&mut outgoing.permit) && !datagrams.is_empty() {
            return Err(SocketError::trap(wasmtime::format_err!("more is sent than check-send allows")));
        }
        self.send_all(&this, datagrams)
    }

    fn subscribe(&mut self, this: Resource<TheirOutgoing>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime_wasi_io::poll::subscribe(&mut self.table, this.ours::<Outgoing>())
    }

    async fn drop(&mut self, this: Resource<TheirOutgoing>) -> wasmtime::Result<()> {
        self.table.delete::<Outgoing>(this.ours())?;
        Ok(())
    }
}
