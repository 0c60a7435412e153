use std::fmt;
use std::io;

use crate::denial::Denial;

/// Why a key or a store could not be reached.
#[derive(Debug)]
pub enum KvError {
    Denied(Denial),
    /// No namespace can have this name; why.
    BadName(String),
    KeyTooLong {
        key_bytes_max: usize,
    },
    ValueTooLarge {
        value_bytes_max: usize,
    },
    /// More pairs, or more of their bytes, than one call moves.
    BatchTooLarge {
        batch_pairs_max: usize,
        batch_bytes_max: usize,
    },
    /// Nothing was written: the namespace would hold more than the grant allows.
    QuotaExceeded {
        quota_bytes: u64,
        needed_bytes: u64,
    },
    /// Nothing was written: the store holds as much as it may; of what.
    Full(&'static str),
    /// Nothing was written: as many changes wait as may.
    Busy {
        queued_max: usize,
    },
    /// The caller's deadline came first; the change may be made all the same.
    TimedOut,
    /// What is to be incremented is no decimal number.
    NotNumber,
    /// The sum is beyond the largest number.
    Overflow,
    /// Another opener has the store.
    InUse,
    /// The file is of a later version of this library.
    Newer {
        found: i64,
        known: i64,
    },
    /// Others may read or write the file, or it is another user's.
    NotPrivate(&'static str),
    /// What is on the disk is not what was written.
    Damaged(String),
    /// A commit failed: the store takes no more changes until it is opened anew.
    Broken(String),
    Closed,
    Io(io::Error),
}

impl KvError {
    /// Whether the change that it refuses was surely not made, nor ever will be.
    pub fn is_refusal(&self) -> bool {
        match self {
            KvError::Denied(_)
            | KvError::BadName(_)
            | KvError::KeyTooLong { .. }
            | KvError::ValueTooLarge { .. }
            | KvError::BatchTooLarge { .. }
            | KvError::QuotaExceeded { .. }
            | KvError::Full(_)
            | KvError::Busy { .. }
            | KvError::NotNumber
            | KvError::Overflow => true,
            KvError::TimedOut
            | KvError::InUse
            | KvError::Newer { .. }
            | KvError::NotPrivate(_)
            | KvError::Damaged(_)
            | KvError::Broken(_)
            | KvError::Closed
            | KvError::Io(_) => false,
        }
    }
}

impl From<io::Error> for KvError {
    fn from(error: io::Error) -> Self {
        KvError::Io(error)
    }
}

impl From<rusqlite::Error> for KvError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error, ErrorCode};
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => KvError::Damaged(error.to_string()),
            Some(_) => KvError::Io(io::Error::other(error)),
            // A column of another type than is ever written there.
            None => match error {
                Error::InvalidColumnType(..)
                | Error::FromSqlConversionFailure(..)
                | Error::Utf8Error(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::QueryReturnedNoRows => KvError::Damaged(error.to_string()),
                error => KvError::Io(io::Error::other(error)),
            },
        }
    }
}

impl From<Denial> for KvError {
    fn from(denial: Denial) -> Self {
        KvError::Denied(denial)
    }
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KvError::Denied(denial) => denial.fmt(f),
            KvError::BadName(why) => f.write_str(why),
            KvError::KeyTooLong { key_bytes_max } => write!(f, "a key has at most {key_bytes_max} bytes"),
            KvError::ValueTooLarge { value_bytes_max } => {
                write!(f, "a value has at most {value_bytes_max} bytes")
            }
            KvError::BatchTooLarge { batch_pairs_max, batch_bytes_max } => {
                write!(f, "one call moves at most {batch_pairs_max} pairs and {batch_bytes_max} bytes")
            }
            KvError::QuotaExceeded { quota_bytes, needed_bytes } => {
                write!(f, "the namespace may hold {quota_bytes} bytes, and this would make it {needed_bytes}")
            }
            KvError::Full(what) => write!(f, "the store holds as many {what} as it may"),
            KvError::Busy { queued_max } => {
                write!(f, "{queued_max} changes wait for the store, as many as may")
            }
            KvError::TimedOut => {
                f.write_str("the deadline came first, and the change may be made all the same")
            }
            KvError::NotNumber => f.write_str("the value is no decimal number"),
            KvError::Overflow => f.write_str("the sum is beyond the largest number"),
            KvError::InUse => f.write_str("the store is open already, here or in another process"),
            KvError::Newer { found, known } => {
                write!(f, "the store has version {found}, and this library knows those up to {known}")
            }
            KvError::NotPrivate(why) => write!(f, "the store's file is not this user's alone: {why}"),
            KvError::Damaged(why) => write!(f, "the store is damaged: {why}"),
            KvError::Broken(why) => {
                write!(f, "the store takes no changes until it is opened anew, for a commit failed: {why}")
            }
            KvError::Closed => f.write_str("the store is closed"),
            KvError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KvError {}
