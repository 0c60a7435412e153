use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown, recv, send, shutdown, sockopt};

use crate::audit::Opened;
use crate::grant::Guard;
use crate::net::connecting::{Connecting, stands};
use crate::net::socket::Socket;
use crate::net::{NetError, ReadyFd, raw};

/// A TCP connection, as long as the grant it was made under holds. A clone is the same connection; it
/// closes with the last of them or with the grant.
#[derive(Clone)]
pub struct TcpStream(Arc<Stream>);

/// How a silent peer is asked whether it is there, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// After so much silence.
    pub idle: Duration,
    /// Again after each of these.
    pub interval: Duration,
    /// So often; then it is gone.
    pub count: u32,
}

struct Stream {
    socket: Socket,
    peer: SocketAddr,
    local: SocketAddr,
}

impl TcpStream {
    /// Connects a new socket to the address, which was decided.
    pub(crate) fn connect(socket: Socket, peer: SocketAddr, deadline: Instant) -> Result<Self, NetError> {
        let (socket, peer) = Connecting::begin(socket, peer)?.parts();
        socket.run(PollFlags::OUT, deadline, stands)?;
        Self::connected(socket, peer)
    }

    pub(crate) fn connected(socket: Socket, peer: SocketAddr) -> Result<Self, NetError> {
        let local = raw::local(&*socket.fd()?)?;
        Ok(Self(Arc::new(Stream { socket, peer, local })))
    }

    pub(crate) fn set_open(&self, opened: Opened) {
        self.0.socket.set_open(opened);
    }

    /// Reads at most a buffer full; 0 is the end of what the peer sends. Refused, with an audit record,
    /// once the grant has ended, also when that happens while it waits.
    pub fn read(&self, buf: &mut [u8], deadline: Instant) -> Result<usize, NetError> {
        let bytes = self.0.socket.receivable(buf.len())?;
        let buf = &mut buf[..bytes];
        let count = self.0.socket.run(PollFlags::IN, deadline, |fd| receive(fd, buf))?;
        self.received(count)
    }

    /// Reads what has arrived; nothing when nothing has.
    pub fn try_read(&self, buf: &mut [u8]) -> Result<Option<usize>, NetError> {
        let bytes = self.0.socket.receivable(buf.len())?;
        let buf = &mut buf[..bytes];
        let count = self.0.socket.once(|fd| receive(fd, buf))?;
        count.map(|count| self.received(count)).transpose()
    }

    /// Writes what fits, at least one byte of a buffer that has one.
    pub fn write(&self, bytes: &[u8], deadline: Instant) -> Result<usize, NetError> {
        let count = self.0.socket.run(PollFlags::OUT, deadline, |fd| send(fd, bytes, raw::SEND))?;
        self.0.socket.count_sent(count);
        Ok(count)
    }

    /// Writes what fits now; nothing when nothing does.
    pub fn try_write(&self, bytes: &[u8]) -> Result<Option<usize>, NetError> {
        let count = self.0.socket.once(|fd| send(fd, bytes, raw::SEND))?;
        self.0.socket.count_sent(count.unwrap_or(0));
        Ok(count)
    }

    /// Writes all of it before one deadline, however slowly the peer takes it.
    pub fn write_all(&self, mut bytes: &[u8], deadline: Instant) -> Result<(), NetError> {
        let deadline = self.0.socket.context.limits.capped(deadline, Instant::now());
        while !bytes.is_empty() {
            let count = self.write(bytes, deadline)?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Ends reading, writing or both; the peer sees the end of what is written.
    pub fn shutdown(&self, how: std::net::Shutdown) -> Result<(), NetError> {
        let how = match how {
            std::net::Shutdown::Read => Shutdown::Read,
            std::net::Shutdown::Write => Shutdown::Write,
            std::net::Shutdown::Both => Shutdown::Both,
        };
        Ok(shutdown(&*self.0.socket.fd()?, how)?)
    }

    /// Whether small writes are sent without waiting for more.
    pub fn set_nodelay(&self, nodelay: bool) -> Result<(), NetError> {
        Ok(sockopt::set_tcp_nodelay(&*self.0.socket.fd()?, nodelay)?)
    }

    /// After how much silence the peer is asked whether it is there; never when absent.
    pub fn set_keepalive(&self, keep_alive: Option<KeepAlive>) -> Result<(), NetError> {
        let fd = self.0.socket.fd()?;
        if let Some(KeepAlive { idle, interval, count }) = keep_alive {
            sockopt::set_tcp_keepidle(&*fd, idle)?;
            sockopt::set_tcp_keepintvl(&*fd, interval)?;
            sockopt::set_tcp_keepcnt(&*fd, count)?;
        }
        Ok(sockopt::set_socket_keepalive(&*fd, keep_alive.is_some())?)
    }

    /// How much the system keeps of what is sent and of what has come, at about so many bytes each; it knows a least.
    pub fn set_buffers(
        &self,
        send_bytes: Option<usize>,
        receive_bytes: Option<usize>,
    ) -> Result<(), NetError> {
        let fd = self.0.socket.fd()?;
        if let Some(bytes) = send_bytes {
            sockopt::set_socket_send_buffer_size(&*fd, bytes)?;
        }
        if let Some(bytes) = receive_bytes {
            sockopt::set_socket_recv_buffer_size(&*fd, bytes)?;
        }
        Ok(())
    }

    /// Sends over so many routers at most.
    pub fn set_hop_limit(&self, hops: u8) -> Result<(), NetError> {
        self.0.socket.set_hop_limit(hops)
    }

    /// The address that was decided and connected to, or that was accepted.
    pub fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    pub fn bytes_in(&self) -> u64 {
        self.0.socket.received()
    }

    pub fn bytes_out(&self) -> u64 {
        self.0.socket.sent()
    }

    /// The guard of the grant it was made under.
    pub fn guard(&self) -> &Guard {
        self.0.socket.guard()
    }

    pub fn ready_fd(&self) -> Result<ReadyFd, NetError> {
        self.0.socket.ready_fd()
    }

    fn received(&self, count: usize) -> Result<usize, NetError> {
        if count == 0 {
            // A connection that was cut ends as if its peer had closed it.
            self.0.socket.fd()?;
        }
        self.0.socket.count_received(count);
        Ok(count)
    }
}

fn receive(fd: &std::os::fd::OwnedFd, buf: &mut [u8]) -> Result<usize, Errno> {
    recv(fd, buf, RecvFlags::empty()).map(|(count, _)| count)
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpStream({})", self.0.socket.capability())
    }
}
