//! WASI's sockets themselves, where the standard library has no word for it.

use std::net::{SocketAddr, SocketAddrV4};

use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp_create_socket::create_udp_socket;

use super::{Failure, failure};

const FOUR: IpAddressFamily = IpAddressFamily::Ipv4;

fn of_code(code: ErrorCode) -> Failure {
    failure("io", code.message())
}

fn address(text: &str) -> Result<IpSocketAddress, Failure> {
    let address: SocketAddrV4 = text.parse().map_err(|why| failure("usage", why))?;
    let [a, b, c, d] = address.ip().octets();
    Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) }))
}

fn text(address: IpSocketAddress) -> String {
    match address {
        IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) }) => {
            SocketAddr::from(([a, b, c, d], port)).to_string()
        }
        IpSocketAddress::Ipv6(_) => "an address of IPv6".to_owned(),
    }
}

pub fn options() -> Result<String, Failure> {
    let tcp = create_tcp_socket(FOUR).map_err(of_code)?;
    tcp.set_keep_alive_idle_time(1).map_err(of_code)?;
    tcp.set_keep_alive_interval(1).map_err(of_code)?;
    tcp.set_keep_alive_count(1).map_err(of_code)?;
    tcp.set_hop_limit(1).map_err(of_code)?;
    let udp = create_udp_socket(FOUR).map_err(of_code)?;
    udp.set_unicast_hop_limit(1).map_err(of_code)?;
    let (idle, interval) = (tcp.keep_alive_idle_time(), tcp.keep_alive_interval());
    Ok(format!(
        "{} {} {} {} {}",
        idle.map_err(of_code)?,
        interval.map_err(of_code)?,
        tcp.keep_alive_count().map_err(of_code)?,
        tcp.hop_limit().map_err(of_code)?,
        udp.unicast_hop_limit().map_err(of_code)?
    ))
}

pub fn inherit(on: &str) -> Result<String, Failure> {
    let listener = bound(on)?;
    listener.start_listen().and_then(|()| listener.finish_listen()).map_err(of_code)?;
    listener.set_hop_limit(42).map_err(of_code)?;
    let to = text(listener.local_address().map_err(of_code)?);
    let (client, _, _) = connected(&to)?;
    listener.subscribe().block();
    let (accepted, _, _) = listener.accept().map_err(of_code)?;
    listener.set_hop_limit(43).map_err(of_code)?;
    let hops = |socket: &TcpSocket| socket.hop_limit().map_err(of_code);
    Ok(format!("{} {} {}", hops(&accepted)?, hops(&listener)?, hops(&client)?))
}

pub fn local(kind: &str, on: &str) -> Result<String, Failure> {
    let local = match kind {
        "udp" => {
            let socket = create_udp_socket(FOUR).map_err(of_code)?;
            socket.start_bind(&instance_network(), address(on)?).map_err(of_code)?;
            socket.finish_bind().and_then(|()| socket.local_address())
        }
        _ => bound(on)?.local_address(),
    };
    let local = text(local.map_err(of_code)?);
    Ok(if local.ends_with(":0") { "none" } else { "a port" }.to_owned())
}

pub fn deaf(to: &str) -> Result<String, Failure> {
    let (socket, input, _output) = connected(to)?;
    input.subscribe().block();
    socket.shutdown(ShutdownType::Receive).map_err(of_code)?;
    Ok(match input.read(10) {
        Err(StreamError::Closed) => "closed".to_owned(),
        other => format!("{other:?}"),
    })
}

fn bound(on: &str) -> Result<TcpSocket, Failure> {
    let socket = create_tcp_socket(FOUR).map_err(of_code)?;
    socket.start_bind(&instance_network(), address(on)?).map_err(of_code)?;
    socket.finish_bind().map_err(of_code)?;
    Ok(socket)
}

fn connected(to: &str) -> Result<(TcpSocket, InputStream, OutputStream), Failure> {
    let socket = create_tcp_socket(FOUR).map_err(of_code)?;
    socket.start_connect(&instance_network(), address(to)?).map_err(of_code)?;
    let (input, output) = loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            done => break done.map_err(of_code)?,
        }
    };
    Ok((socket, input, output))
}
