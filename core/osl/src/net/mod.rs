//! The network of one actor: TCP and UDP over IPv4 and IPv6, and nothing else.
//!
//! A name is resolved once by the host, each address it leads to is decided alone, and what is
//! connected to is an address that was decided, never a name. Calls block until their deadline;
//! an embedder that waits by readiness uses the `try_` calls and [`ReadyFd`].

mod bound;
mod connecting;
mod decide;
pub mod dns;
mod error;
mod fixed_names;
mod http;
mod limits;
mod listener;
mod network;
mod pins;
mod ports;
mod raw;
mod resolve;
mod socket;
mod tcp_stream;
mod udp_socket;

pub use bound::Bound;
pub use connecting::Connecting;
pub use dns::DnsResolver;
pub use error::NetError;
pub use fixed_names::FixedNames;
pub use http::{HttpAddress, HttpRoute};
pub use limits::NetLimits;
pub use listener::Listener;
pub use network::Network;
pub use resolve::{Resolve, ResolveError};
pub use socket::ReadyFd;
pub use tcp_stream::{KeepAlive, TcpStream};
pub use udp_socket::UdpSocket;
