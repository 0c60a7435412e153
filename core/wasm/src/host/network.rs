//! Sockets: every address and every name is asked for; guests are connected to none in this version.

use std::net::SocketAddr;
use std::sync::Arc;

use airssys_osl::{Ask, Endpoint, Protocol};
use wasmtime::component::Resource;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{self, ResolveAddressStream};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, IpAddressFamily, Network};
use wasmtime_wasi::p2::bindings::sockets::{tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynPollable, SocketError, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsView};

use super::state::{Refusals, State};

/// A WASI context that asks the live grants about each address. Nothing is inherited from the host process.
pub(super) fn context(refusals: Arc<Refusals>) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    // A socket may be made, so that the denial comes with the address it was wanted for.
    builder.allow_tcp(true).allow_udp(true);
    builder.socket_addr_check(move |address, usage| {
        let allowed = is_implicit_bind(address, usage);
        if !allowed {
            let (ask, function) = ask(address, usage);
            // A socket that no revocation could cut is not made, whatever is granted; the decision is audited and told.
            let _ = refusals.check(&ask, function);
        }
        Box::pin(async move { allowed })
    });
    builder
}

/// The bind of any free port that a connect or a send begins with; the address it goes to is asked for next.
fn is_implicit_bind(address: SocketAddr, usage: SocketAddrUse) -> bool {
    let bind = matches!(usage, SocketAddrUse::TcpBind | SocketAddrUse::UdpBind);
    bind && address.port() == 0 && address.ip().is_unspecified()
}

fn ask(address: SocketAddr, usage: SocketAddrUse) -> (Ask, &'static str) {
    let tcp = Endpoint::address(address, Protocol::Tcp);
    let udp = Endpoint::address(address, Protocol::Udp);
    match usage {
        SocketAddrUse::TcpBind => (Ask::NetListen(tcp), "wasi:sockets/tcp#start-bind"),
        SocketAddrUse::TcpListen => (Ask::NetListen(tcp), "wasi:sockets/tcp#start-listen"),
        SocketAddrUse::TcpAccept => (Ask::NetListen(tcp), "wasi:sockets/tcp#accept"),
        SocketAddrUse::TcpConnect => (Ask::NetConnect(tcp), "wasi:sockets/tcp#start-connect"),
        SocketAddrUse::UdpBind => (Ask::NetListen(udp), "wasi:sockets/udp#start-bind"),
        SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => {
            (Ask::NetConnect(udp), "wasi:sockets/udp#stream")
        }
    }
}

impl network::Host for State {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.sockets(), error)
    }
}

impl network::HostNetwork for State {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), network)
    }
}

impl ip_name_lookup::Host for State {
    fn resolve_addresses(
        &mut self,
        _: Resource<Network>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        let function = "wasi:sockets/ip-name-lookup#resolve-addresses";
        match self.refusals.check(&Ask::NetResolve(name), function) {
            Err(_) => Err(ErrorCode::AccessDenied.into()),
            // Nothing is resolved for guests in this version.
            Ok(_) => Err(ErrorCode::NotSupported.into()),
        }
    }
}

impl ip_name_lookup::HostResolveAddressStream for State {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        ip_name_lookup::HostResolveAddressStream::resolve_next_address(&mut self.sockets(), stream)
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.sockets(), stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.sockets(), stream)
    }
}

/// Sockets that one life may make: they are files of the host process even while nothing can be done with them.
const SOCKETS_MAX: u32 = 64;

impl State {
    fn count_socket(&mut self) -> Result<(), SocketError> {
        if self.sockets_made >= SOCKETS_MAX {
            return Err(ErrorCode::NewSocketLimit.into());
        }
        self.sockets_made += 1;
        Ok(())
    }
}

impl tcp_create_socket::Host for State {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> Result<Resource<TcpSocket>, SocketError> {
        self.count_socket()?;
        tcp_create_socket::Host::create_tcp_socket(&mut self.sockets(), family)
    }
}

impl udp_create_socket::Host for State {
    async fn create_udp_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> Result<Resource<UdpSocket>, SocketError> {
        self.count_socket()?;
        udp_create_socket::Host::create_udp_socket(&mut self.sockets(), family).await
    }
}
