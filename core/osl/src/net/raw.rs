//! The calls of the operating system: non-blocking sockets that no child inherits.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrAny, SocketType, ipproto, sockopt};

use crate::endpoint::Protocol;

/// A wait looks up this often. Revocation wakes it anyway, by shutting the socket down; a ttl that
/// nobody ends is noticed after so long.
const SLICE: Duration = Duration::from_millis(250);

/// Connections that the system keeps ready for a listener.
const BACKLOG: i32 = 64;

/// A peer that has gone is an error and no signal.
#[cfg(not(target_vendor = "apple"))]
pub(crate) const SEND: SendFlags = SendFlags::NOSIGNAL;
/// The same is said of the whole socket, when it is opened.
#[cfg(target_vendor = "apple")]
pub(crate) const SEND: SendFlags = SendFlags::empty();

pub(crate) fn open(ip: IpAddr, protocol: Protocol) -> Result<OwnedFd, Errno> {
    let family = if ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let (kind, number) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
    };
    let fd = os::socket(family, kind, number)?;
    if ip.is_ipv6() {
        // `::` is every address of IPv6 and none of IPv4, which has a name of its own.
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    Ok(fd)
}

/// Over how many routers at most what it sends goes.
pub(crate) fn set_hop_limit(fd: impl AsFd, hops: u8) -> Result<(), Errno> {
    match local(&fd)? {
        SocketAddr::V4(_) => sockopt::set_ip_ttl(fd, hops.into()),
        SocketAddr::V6(_) => sockopt::set_ipv6_unicast_hops(fd, Some(hops)),
    }
}

/// Binds; the address with the port that the system chose. `SO_REUSEPORT` is never set, and
/// `SO_REUSEADDR` only where it lets nobody share the port, so a port belongs to one socket.
pub(crate) fn bind(fd: &OwnedFd, address: SocketAddr, protocol: Protocol) -> Result<SocketAddr, Errno> {
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    sockopt::set_socket_reuseaddr(fd, linux && protocol == Protocol::Tcp)?;
    rustix::net::bind(fd, &address)?;
    local(fd)
}

pub(crate) fn listen(fd: &OwnedFd) -> Result<(), Errno> {
    rustix::net::listen(fd, BACKLOG)
}

/// The next connection; one that went away before it was accepted is none.
pub(crate) fn accept(fd: &OwnedFd) -> Result<(OwnedFd, SocketAddr), Errno> {
    let gone = |error| if error == Errno::CONNABORTED { Errno::AGAIN } else { error };
    let (fd, peer) = os::accept(fd).map_err(gone)?;
    Ok((fd, address(peer)?))
}

pub(crate) fn local(fd: impl AsFd) -> Result<SocketAddr, Errno> {
    address(Some(rustix::net::getsockname(fd)?))
}

pub(crate) fn address(any: Option<SocketAddrAny>) -> Result<SocketAddr, Errno> {
    any.ok_or(Errno::NOTCONN)?.try_into()
}

/// Waits until the descriptor is ready or a slice of time is over; false when the deadline passed.
pub(crate) fn wait(fd: impl AsFd, ready: PollFlags, deadline: Instant) -> Result<bool, Errno> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(false);
    }
    let slice = Timespec::try_from(left.min(SLICE)).expect("a quarter of a second fits");
    match poll(&mut [PollFd::new(&fd, ready)], Some(&slice)) {
        Ok(_) | Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod os {
    use rustix::net::{Protocol, SocketFlags, acceptfrom_with, socket_with};

    use super::{AddressFamily, AsFd, Errno, OwnedFd, SocketAddrAny, SocketType};

    const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

    pub fn socket(family: AddressFamily, kind: SocketType, number: Protocol) -> Result<OwnedFd, Errno> {
        socket_with(family, kind, FLAGS, Some(number))
    }

    pub fn accept(fd: impl AsFd) -> Result<(OwnedFd, Option<SocketAddrAny>), Errno> {
        acceptfrom_with(fd, FLAGS)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod os {
    use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
    use rustix::net::Protocol;

    use super::{AddressFamily, AsFd, Errno, OwnedFd, SocketAddrAny, SocketType};

    pub fn socket(family: AddressFamily, kind: SocketType, number: Protocol) -> Result<OwnedFd, Errno> {
        set_flags(rustix::net::socket(family, kind, Some(number))?)
    }

    pub fn accept(fd: impl AsFd) -> Result<(OwnedFd, Option<SocketAddrAny>), Errno> {
        let (fd, peer) = rustix::net::acceptfrom(fd)?;
        Ok((set_flags(fd)?, peer))
    }

    fn set_flags(fd: OwnedFd) -> Result<OwnedFd, Errno> {
        fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
        ioctl_fionbio(&fd, true)?;
        #[cfg(target_vendor = "apple")]
        rustix::net::sockopt::set_socket_nosigpipe(&fd, true)?;
        Ok(fd)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_hop_limit_is_that_of_the_sockets_family() {
        let four = open(Ipv4Addr::LOCALHOST.into(), Protocol::Udp).unwrap();
        set_hop_limit(&four, 42).unwrap();
        assert_eq!(sockopt::ip_ttl(&four), Ok(42));
        let six = open(Ipv6Addr::LOCALHOST.into(), Protocol::Tcp).unwrap();
        set_hop_limit(&six, 43).unwrap();
        assert_eq!(sockopt::ipv6_unicast_hops(&six), Ok(43));
    }
}
