use std::fmt;
use std::io;

use crate::resources::AcquireError;

/// Why an operation has no result of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// As many operations wait for a thread as may.
    Full { queued_max: usize },
    /// The pool is gone, and the operation was not run.
    Closed,
    /// The operation panicked, with this text.
    Panicked(String),
    /// There is no thread to run it, and the system gives none.
    NoThread(io::ErrorKind),
    /// The permit that it was to have.
    Permit(AcquireError),
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::Full { queued_max } => write!(f, "{queued_max} operations wait, as many as may"),
            PoolError::Closed => f.write_str("the pool is gone, and the operation was not run"),
            PoolError::Panicked(text) => write!(f, "the operation panicked: {text}"),
            PoolError::NoThread(kind) => write!(f, "no thread could be made: {kind}"),
            PoolError::Permit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PoolError {}
