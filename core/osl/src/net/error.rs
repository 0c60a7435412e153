use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::denial::Denial;
use crate::net::ResolveError;
use crate::resources::Exhausted;

/// Why something on the network did not happen.
#[derive(Debug)]
pub enum NetError {
    Denied(Denial),
    /// The name is granted and could not be resolved.
    Resolve(ResolveError),
    /// The deadline passed, or the longest wait of a call.
    Timeout,
    /// As many sockets are open as may.
    TooManySockets(Exhausted),
    /// As many connections that this listener accepted are open as may.
    TooManyAccepted {
        accepted_max: usize,
    },
    /// The socket has received as much as it may.
    TooManyBytes {
        received_bytes_max: u64,
    },
    /// Nothing can be reached at port 0.
    PortZero,
    Io(io::Error),
}

impl From<Denial> for NetError {
    fn from(denial: Denial) -> Self {
        NetError::Denied(denial)
    }
}

impl From<ResolveError> for NetError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Timeout => NetError::Timeout,
            error => NetError::Resolve(error),
        }
    }
}

impl From<Errno> for NetError {
    fn from(error: Errno) -> Self {
        NetError::Io(error.into())
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetError::Denied(denial) => denial.fmt(f),
            NetError::Resolve(error) => error.fmt(f),
            NetError::Timeout => f.write_str("the deadline passed"),
            NetError::TooManySockets(full) => full.fmt(f),
            NetError::TooManyAccepted { accepted_max } => {
                write!(f, "{accepted_max} accepted connections are open, as many as may")
            }
            NetError::TooManyBytes { received_bytes_max } => {
                write!(f, "the socket has received {received_bytes_max} bytes, as many as it may")
            }
            NetError::PortZero => f.write_str("nothing can be reached at port 0"),
            NetError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NetError {}
