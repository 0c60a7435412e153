use std::fmt;
use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::{connect, sockopt};

use crate::audit::Running;
use crate::net::socket::Socket;
use crate::net::{NetError, ReadyFd, TcpStream};

/// A TCP connection on its way, as long as its grant holds.
pub struct Connecting {
    socket: Socket,
    peer: SocketAddr,
    /// The system has said so.
    stands: bool,
    /// Whose result is recorded when it is known.
    running: Option<Running>,
}

impl Connecting {
    /// Sends a new socket to the address, which was decided.
    pub(crate) fn begin(socket: Socket, peer: SocketAddr) -> Result<Self, NetError> {
        match connect(&*socket.fd()?, &peer) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {
                Ok(Self { socket, peer, stands: false, running: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The same, whose result ends this record.
    pub(crate) fn recorded(self, running: Running) -> Self {
        Self { running: Some(running), ..self }
    }

    /// Whether it stands now; wait for the descriptor to become writable while it does not. Its record ends with a
    /// failure, which the system tells only once.
    pub fn is_connected(&mut self) -> Result<bool, NetError> {
        if !self.stands {
            let stands = self.socket.once(stands);
            self.stands = self.told(stands)?.is_some();
        }
        Ok(self.stands)
    }

    /// The connection, which must stand.
    pub fn finish(mut self) -> Result<TcpStream, NetError> {
        let done = match self.is_connected() {
            Ok(true) => TcpStream::connected(self.socket, self.peer),
            Ok(false) => Err(Errno::NOTCONN.into()),
            Err(error) => Err(error),
        };
        if let Some(running) = self.running {
            if let Ok(stream) = &done {
                stream.set_open(running.opened());
            }
            match &done {
                Ok(_) => running.finish(Ok(())),
                Err(error) => running.finish(Err(&error.to_string())),
            }
        }
        done
    }

    /// Its descriptor, to wait on. Its record ends with a failure.
    pub fn ready_fd(&mut self) -> Result<ReadyFd, NetError> {
        let fd = self.socket.ready_fd();
        self.told(fd)
    }

    fn told<T>(&mut self, result: Result<T, NetError>) -> Result<T, NetError> {
        if let Err(error) = &result
            && let Some(running) = self.running.take()
        {
            running.finish(Err(&error.to_string()));
        }
        result
    }

    pub(crate) fn parts(self) -> (Socket, SocketAddr) {
        (self.socket, self.peer)
    }
}

/// Fails as the connection did, and with `AGAIN` while nobody knows.
pub(crate) fn stands(fd: &std::os::fd::OwnedFd) -> Result<(), Errno> {
    sockopt::socket_error(fd)??;
    match rustix::net::getpeername(fd) {
        Ok(_) => Ok(()),
        Err(Errno::NOTCONN) => Err(Errno::AGAIN),
        Err(error) => Err(error),
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connecting({})", self.socket.capability())
    }
}
