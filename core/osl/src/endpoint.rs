use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::scope::address_class::{self, AddressClass};
use crate::scope::host_name;
use crate::text;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// Where somebody wants to connect to or listen on: a name, an address or both, and a port.
///
/// The name is folded to lower case without a last dot; one that is no host name stays as it is and is
/// covered by nothing. An IPv4 address in the clothes of IPv6 (`::ffff:1.2.3.4`) is the IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    name: Option<String>,
    address: Option<IpAddr>,
    port: u16,
    protocol: Protocol,
}

impl Endpoint {
    /// A literal address.
    pub fn address(address: SocketAddr, protocol: Protocol) -> Self {
        let ip = address_class::canonical(address.ip());
        Self { name: None, address: Some(ip), port: address.port(), protocol }
    }

    /// A name before it is resolved: covered where the name is. Each address it resolves to is asked
    /// for with [`Endpoint::resolved`].
    pub fn named(name: &str, port: u16, protocol: Protocol) -> Self {
        match name.parse() {
            Ok(ip) => Self::address(SocketAddr::new(ip, port), protocol),
            Err(_) => Self { name: Some(host_name::fold(name)), address: None, port, protocol },
        }
    }

    /// One address that a name was resolved to: the one that will be connected to.
    pub fn resolved(name: &str, address: SocketAddr, protocol: Protocol) -> Self {
        let named = Self::named(name, address.port(), protocol);
        Self { address: Some(address_class::canonical(address.ip())), ..named }
    }

    /// The name, where one was given.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address, where it is known.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Scope and parameters of the line that allows exactly this. A name that leads where names do
    /// not lead shows the address instead.
    pub(crate) fn text(&self) -> String {
        let class = self.address.map(address_class::class);
        let by_name = class.is_none_or(|class| class.is_reachable_by_name(true));
        let private = class.is_some_and(|class| class != AddressClass::Public);
        let (host, private) = match (&self.name, self.address) {
            (Some(name), None) => (shown(name), ""),
            (Some(name), _) if by_name => (shown(name), if private { "private=yes ; " } else { "" }),
            (_, Some(ip)) => (in_url(ip), ""),
            (None, None) => unreachable!("an endpoint has a name or an address"),
        };
        format!("{} ; {private}proto={}", text::word(&format!("{host}:{}", self.port)), self.protocol)
    }
}

/// What a guest called a name: nothing in it is a wildcard, a block or an address.
pub(crate) fn shown(name: &str) -> String {
    text::escape(&text::bounded(name), &['*', '[', '/', '\\'])
}

/// The address as it stands before a port.
pub(crate) fn in_url(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Protocol::Tcp { "tcp" } else { "udp" })
    }
}
