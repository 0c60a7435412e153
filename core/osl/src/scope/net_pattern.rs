use std::fmt;
use std::net::IpAddr;

use super::address_class::{canonical, class};
use super::cidr::Cidr;
use super::host_pattern::HostPattern;
use super::port_range::PortRange;
use crate::endpoint::Endpoint;

/// Hosts and ports: `*.example.com:443`, `10.0.0.0/8:5432`, `[::1]:8080-8090`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NetPattern {
    pub host: HostPattern,
    pub ports: PortRange,
}

impl NetPattern {
    pub fn parse(text: &str) -> Result<Self, String> {
        let no_port = || "a port follows the host, as in api.example.com:443 or api.example.com:*".to_owned();
        let after_brackets = text.rfind(']').unwrap_or(0);
        let colon = text[after_brackets..].rfind(':').ok_or_else(no_port)? + after_brackets;
        let host = HostPattern::parse(&text[..colon])?;
        Ok(Self { host, ports: PortRange::parse(&text[colon + 1..])? })
    }

    /// Whether a grant reaches the endpoint. A name leads only to public addresses unless `private`;
    /// an address leads to itself. Linear in the length of the name.
    pub fn covers(&self, endpoint: &Endpoint, private: bool) -> bool {
        self.ports.contains(endpoint.port())
            && match &self.host {
                HostPattern::Block(block) => endpoint.ip().is_some_and(|ip| block.covers(ip)),
                names => {
                    endpoint.name().is_some_and(|name| names.matches_name(name))
                        && endpoint.ip().is_none_or(|ip| self.permits(ip, private))
                }
            }
    }

    /// Whether a ban touches the endpoint, whatever its name leads to.
    pub fn touches(&self, endpoint: &Endpoint) -> bool {
        self.ports.contains(endpoint.port())
            && match &self.host {
                HostPattern::Block(block) => endpoint.ip().is_some_and(|ip| block.touches(ip)),
                names => endpoint.name().is_some_and(|name| names.matches_name(name)),
            }
    }

    /// The same of somebody who listens: on the unspecified address that is on all of its family.
    pub fn touches_listener(&self, endpoint: &Endpoint) -> bool {
        let every = endpoint.ip().filter(IpAddr::is_unspecified);
        let is_among = |block: &Cidr| every.is_some_and(|ip| ip.is_ipv4() == block.network().is_ipv4());
        self.touches(endpoint)
            || (self.ports.contains(endpoint.port())
                && matches!(&self.host, HostPattern::Block(block) if is_among(block)))
    }

    /// Whether a connection to a host that it covers may go to this address.
    pub fn permits(&self, ip: IpAddr, private: bool) -> bool {
        permits(&self.host, ip, private)
    }

    pub fn includes(&self, other: &NetPattern) -> bool {
        self.host.includes(&other.host) && self.ports.includes(&other.ports)
    }
}

/// Whether a connection to a host that the pattern covers may go to this address.
pub(crate) fn permits(host: &HostPattern, ip: IpAddr, private: bool) -> bool {
    match host {
        HostPattern::Block(block) => block.covers(canonical(ip)),
        _ => class(ip).is_reachable_by_name(private),
    }
}

impl fmt::Display for NetPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.ports)
    }
}
