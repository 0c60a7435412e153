//! Which failures may be gone a moment later.

use std::io;

use rustix::io::Errno;

use crate::fs::FsError;
use crate::net::{NetError, ResolveError};
use crate::process::ProcessError;

/// Whether the same operation might succeed later, though nobody has changed a grant or the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transience {
    Transient,
    Permanent,
}

use Transience::{Permanent, Transient};

impl FsError {
    /// A denial is permanent, and so is what the disk says of the path; too many open files are not.
    pub fn transience(&self) -> Transience {
        match self {
            FsError::TooManyOpen(_) => Transient,
            FsError::Io(error) => of_io(error),
            FsError::Denied(_)
            | FsError::NotFound
            | FsError::NotDirectory
            | FsError::IsDirectory
            | FsError::NotFile(_)
            | FsError::Loop
            | FsError::NameTooLong
            | FsError::InvalidPath(_)
            | FsError::TooManyEntries { .. }
            | FsError::AlreadyExists
            | FsError::NotEmpty
            | FsError::InvalidOptions(_)
            | FsError::NotOpenFor(_)
            | FsError::SameFile
            | FsError::NoLinks
            | FsError::TooLarge { .. }
            | FsError::QuotaExceeded { .. } => Permanent,
        }
    }
}

impl NetError {
    /// A denial is permanent; a peer that does not answer, or refuses, may do otherwise later.
    pub fn transience(&self) -> Transience {
        match self {
            NetError::Resolve(error) => error.transience(),
            NetError::Timeout | NetError::TooManySockets(_) | NetError::TooManyAccepted { .. } => Transient,
            NetError::Io(error) => of_io(error),
            NetError::Denied(_) | NetError::TooManyBytes { .. } | NetError::PortZero => Permanent,
        }
    }
}

impl ResolveError {
    /// That there is no such name is an answer, and permanent; no answer is not.
    pub fn transience(&self) -> Transience {
        match self {
            ResolveError::NoAnswer(_) | ResolveError::Timeout => Transient,
            ResolveError::NotFound(_) => Permanent,
        }
    }
}

impl ProcessError {
    /// A denial is permanent; too many programs or starts are not.
    pub fn transience(&self) -> Transience {
        match self {
            ProcessError::TooManyProcesses(_)
            | ProcessError::TooManyStarts { .. }
            | ProcessError::TimedOut => Transient,
            ProcessError::Io(error) => of_io(error),
            ProcessError::Denied(_)
            | ProcessError::Invalid(_)
            | ProcessError::TooLarge { .. }
            | ProcessError::NotFound(_)
            | ProcessError::NotProgram(_)
            | ProcessError::OutputLimit { .. }
            | ProcessError::Ended
            | ProcessError::Unsupported(_) => Permanent,
        }
    }
}

/// What the system is short of, busy with or cut off from may change; anything else it says is about the request.
fn of_io(error: &io::Error) -> Transience {
    use io::ErrorKind::{
        AddrInUse, AddrNotAvailable, ConnectionAborted, ConnectionRefused, ConnectionReset, Deadlock,
        ExecutableFileBusy, HostUnreachable, Interrupted, NetworkDown, NetworkUnreachable, OutOfMemory,
        ResourceBusy, StaleNetworkFileHandle, TimedOut, WouldBlock,
    };
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    if error.raw_os_error().is_some_and(|code| short.contains(&Errno::from_raw_os_error(code))) {
        return Transient;
    }
    match error.kind() {
        AddrInUse
        | AddrNotAvailable
        | ConnectionAborted
        | ConnectionRefused
        | ConnectionReset
        | Deadlock
        | ExecutableFileBusy
        | HostUnreachable
        | Interrupted
        | NetworkDown
        | NetworkUnreachable
        | OutOfMemory
        | ResourceBusy
        | StaleNetworkFileHandle
        | TimedOut
        | WouldBlock => Transient,
        _ => Permanent,
    }
}
