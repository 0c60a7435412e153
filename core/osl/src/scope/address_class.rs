//! What an address leads to, whatever it is dressed as.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A class of addresses, after the registries of special addresses of IANA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AddressClass {
    Public,
    /// `0.0.0.0` and `::`, which on Linux reach the machine itself.
    Unspecified,
    Loopback,
    Private,
    LinkLocal,
    /// `100.64.0.0/10`, behind a carrier's NAT.
    Shared,
    Multicast,
    Broadcast,
    Documentation,
    /// For protocols, for measurements or for nothing yet.
    Reserved,
}

impl AddressClass {
    /// Whether a name may lead there, with `private=yes` or without.
    pub fn is_reachable_by_name(self, private: bool) -> bool {
        use AddressClass::{LinkLocal, Loopback, Private, Public, Shared};
        self == Public || (private && matches!(self, Loopback | Private | LinkLocal | Shared))
    }
}

/// The address without the dress of `::ffff:0:0/96`, which is one of notation alone.
pub(crate) fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The IPv4 address that an IPv6 address leads to through a translator or a tunnel: IPv4-mapped,
/// IPv4-compatible, NAT64 (`64:ff9b::/96`) and 6to4 (`2002::/16`).
pub(crate) fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0) if high == 0 && low <= 1 => None,
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(v4(high, low)),
        (0x2002, ..) => Some(v4(b, c)),
        _ => None,
    }
}

/// The class of the address, or of the one embedded in it.
pub(crate) fn class(ip: IpAddr) -> AddressClass {
    match (ip, embedded(ip)) {
        (IpAddr::V4(ip), _) | (_, Some(ip)) => class_v4(ip),
        (IpAddr::V6(ip), None) => class_v6(ip),
    }
}

/// The address at which Azure's virtual machines reach their host: public by its number alone.
const AZURE_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn class_v4(ip: Ipv4Addr) -> AddressClass {
    match ip.octets() {
        [0, 0, 0, 0] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [169, 254, ..] => AddressClass::LinkLocal,
        [100, 64..=127, ..] => AddressClass::Shared,
        [224..=239, ..] => AddressClass::Multicast,
        [255, 255, 255, 255] => AddressClass::Broadcast,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [0 | 240..=255, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => {
            AddressClass::Reserved
        }
        _ if ip == AZURE_HOST => AddressClass::Private,
        _ => AddressClass::Public,
    }
}

fn class_v6(ip: Ipv6Addr) -> AddressClass {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        // Unique local, the old site-local, and the NAT64 of one's own network.
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => AddressClass::Private,
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => AddressClass::Documentation,
        // Teredo and its neighbours: protocols, not places.
        [0x2001, 0..=0x01ff, ..] => AddressClass::Reserved,
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

#[cfg(test)]
#[path = "address_class_tests.rs"]
mod tests;
