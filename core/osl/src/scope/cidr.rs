use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address_class;

/// A block of addresses, or one address: the block of its full length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cidr {
    network: IpAddr,
    prefix_bits: u8,
}

impl Cidr {
    /// Reads an address without brackets, and the digits behind its `/`. A block of IPv4-mapped
    /// addresses is that of the IPv4 addresses.
    pub fn parse(address: &str, prefix: Option<&str>) -> Result<Self, String> {
        let ip: IpAddr = address.parse().map_err(|_| format!("{address:?} is no address"))?;
        let length_bits = if ip.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => length_bits,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|bits: &u8| *bits <= length_bits && digits == bits.to_string())
                .ok_or(format!("the number of bits behind the `/` is 0 to {length_bits}"))?,
        };
        let network = masked(ip, prefix_bits);
        if network != ip {
            let block = Self { network, prefix_bits };
            return Err(format!("bits of {address} lie outside the block: write {block} for the block"));
        }
        match (ip, ip.to_canonical()) {
            (IpAddr::V6(_), network @ IpAddr::V4(_)) if prefix_bits >= 96 => {
                Ok(Self { network, prefix_bits: prefix_bits - 96 })
            }
            _ => Ok(Self { network: ip, prefix_bits }),
        }
    }

    /// Its lowest address.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    pub fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    pub fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.network.is_ipv4() && masked(ip, self.prefix_bits) == self.network
    }

    /// Whether a grant of the block reaches the address, or the IPv4 address embedded in it, whatever
    /// their class; but the unspecified address only when the block is that address alone.
    pub fn covers(&self, ip: IpAddr) -> bool {
        let reaches = |ip: IpAddr| self.contains(ip) && (!ip.is_unspecified() || self.exact().is_some());
        reaches(ip) || address_class::embedded(ip).is_some_and(|v4| reaches(v4.into()))
    }

    /// Whether a ban of the block touches the address, the one embedded in it, or loopback, where the unspecified
    /// address leads.
    pub fn touches(&self, ip: IpAddr) -> bool {
        let reaches = |ip: IpAddr| self.contains(ip) || (ip.is_unspecified() && self.contains(loopback(ip)));
        reaches(ip) || address_class::embedded(ip).is_some_and(|v4| reaches(v4.into()))
    }

    /// Whether each address that the other covers is covered; exact but for blocks of IPv6 addresses
    /// that embed IPv4, which it holds apart from blocks of IPv4.
    pub fn includes(&self, other: &Cidr) -> bool {
        let alone = other.exact().is_some_and(|ip| ip.is_unspecified());
        self == other || (!alone && self.prefix_bits <= other.prefix_bits && self.contains(other.network))
    }

    /// The address, when it is one.
    pub fn exact(&self) -> Option<IpAddr> {
        let length_bits = if self.network.is_ipv4() { 32 } else { 128 };
        (self.prefix_bits == length_bits).then_some(self.network)
    }
}

/// That of the address's family.
pub(crate) fn loopback(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// The address with all but its first bits cleared.
pub(crate) fn masked(ip: IpAddr, prefix_bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix_bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix_bits)).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

/// As it stands before a port: IPv6 in brackets, the bits behind them.
impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::endpoint::in_url(self.network))?;
        if self.exact().is_none() {
            write!(f, "/{}", self.prefix_bits)?;
        }
        Ok(())
    }
}
