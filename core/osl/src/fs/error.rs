use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::denial::{Denial, DenialKind, Refusal};
use crate::fs::Kind;
use crate::resources::Exhausted;

/// Why a file could not be reached. Only a granted path gets an error that says something of the disk.
#[derive(Debug)]
pub enum FsError {
    Denied(Denial),
    NotFound,
    NotDirectory,
    IsDirectory,
    /// Neither a regular file nor a directory.
    NotFile(Kind),
    /// Too many symbolic links.
    Loop,
    NameTooLong,
    InvalidPath(String),
    /// As many files are open as may be.
    TooManyOpen(Exhausted),
    TooManyEntries {
        entries_max: usize,
    },
    AlreadyExists,
    NotEmpty,
    /// The options of an open exclude each other; which.
    InvalidOptions(&'static str),
    /// For what the handle was not opened.
    NotOpenFor(&'static str),
    /// Both paths of a copy lead to one file.
    SameFile,
    /// A link, hard or symbolic, would bring a file under another grant; none is ever made.
    NoLinks,
    /// More bytes than the caller takes.
    TooLarge {
        bytes_max: u64,
    },
    /// Nothing was written: it would have been more than may be written in all.
    QuotaExceeded {
        write_bytes_max: u64,
    },
    Io(io::Error),
}

/// Why one grant did not lead to the object; another may.
pub(crate) enum Miss {
    /// The grant does not reach that far; why, for the audit only.
    Outside(String),
    Ended(DenialKind),
    /// A ban refuses what was found.
    Banned(Refusal),
    Error(FsError),
}

impl From<io::Error> for FsError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => FsError::NotFound,
            Some(Errno::NOTDIR) => FsError::NotDirectory,
            Some(Errno::ISDIR) => FsError::IsDirectory,
            Some(Errno::LOOP) => FsError::Loop,
            Some(Errno::EXIST) => FsError::AlreadyExists,
            Some(Errno::NOTEMPTY) => FsError::NotEmpty,
            Some(Errno::NAMETOOLONG) => FsError::NameTooLong,
            _ => FsError::Io(error),
        }
    }
}

impl From<Errno> for FsError {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl From<Denial> for FsError {
    fn from(denial: Denial) -> Self {
        FsError::Denied(denial)
    }
}

impl From<FsError> for Miss {
    fn from(error: FsError) -> Self {
        Miss::Error(error)
    }
}

impl From<DenialKind> for Miss {
    fn from(kind: DenialKind) -> Self {
        Miss::Ended(kind)
    }
}

impl fmt::Display for FsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FsError::Denied(denial) => denial.fmt(f),
            FsError::NotFound => f.write_str("no such file or directory"),
            FsError::NotDirectory => f.write_str("not a directory"),
            FsError::IsDirectory => f.write_str("is a directory"),
            FsError::NotFile(kind) => write!(f, "not a regular file but {kind:?}"),
            FsError::Loop => f.write_str("too many symbolic links"),
            FsError::NameTooLong => f.write_str("name or path too long"),
            FsError::InvalidPath(why) => write!(f, "invalid path: {why}"),
            FsError::TooManyOpen(full) => full.fmt(f),
            FsError::TooManyEntries { entries_max } => write!(f, "more than {entries_max} directory entries"),
            FsError::AlreadyExists => f.write_str("it exists already"),
            FsError::NotEmpty => f.write_str("the directory is not empty"),
            FsError::InvalidOptions(why) => write!(f, "invalid options: {why}"),
            FsError::NotOpenFor(what) => write!(f, "the file is not open for {what}"),
            FsError::SameFile => f.write_str("both paths lead to the same file"),
            FsError::NoLinks => f.write_str("links are never made: copy the file instead"),
            FsError::TooLarge { bytes_max } => write!(f, "the file has more than {bytes_max} bytes"),
            FsError::QuotaExceeded { write_bytes_max } => {
                write!(f, "{write_bytes_max} bytes may be written in all, and this would be more")
            }
            FsError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FsError {}
