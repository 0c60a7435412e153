//! What an operation on an actor can answer instead of a reply.

use std::fmt;

use crate::exit::{Cause, Exit};
use crate::id::ActorId;
use crate::promise::Broken;

/// What an operation on an actor can answer instead of a reply.
#[derive(Clone, Debug)]
pub enum Error {
    /// No actor has this id.
    NotFound,
    /// Another live actor has this id.
    AlreadyExists,
    /// The actor has stopped, for this reason.
    Stopped(Exit),
    /// The mailbox holds as many messages or bytes as it may.
    MailboxFull {
        /// Messages that wait.
        messages: u64,
        /// Bytes that wait.
        bytes: u64,
    },
    /// The message has more bytes than the actor takes in one.
    TooLarge {
        /// How many.
        bytes: u64,
        /// How many may be.
        allowed: u64,
    },
    /// The caller's deadline passed; `true` if the message had reached the actor.
    Timeout {
        /// Whether the actor was handling the message.
        handling: bool,
    },
    /// The caller gave up.
    Cancelled,
    /// The actor ended while it handled the message.
    Crashed(Cause),
    /// The actor dropped the message without an answer.
    NoReply,
    /// It did not start.
    StartFailed(Cause),
    /// A newer message took its place in a full mailbox.
    Dropped,
    /// Whom it would wait for waits for it: the ids on the circle.
    Cycle(Vec<ActorId>),
    /// No group can have this name, for this reason.
    InvalidName(String),
    /// There are as many of these as there may be.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many may be.
        max: usize,
    },
    /// The spec of a child or supervisor is wrong.
    InvalidChild {
        /// Whose.
        child: String,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// A supervisor refuses what it was asked about a child.
    Refused(crate::supervision::Refusal),
}

/// A message that no mailbox took, with the reason.
#[derive(Debug)]
pub struct Refused<M> {
    /// The message, unharmed.
    pub message: M,
    /// Why it was refused.
    pub error: Error,
}

impl From<Broken> for Error {
    fn from(_: Broken) -> Self {
        Error::NoReply
    }
}

impl Error {
    /// The sentence, with the actor's id in it.
    pub fn at(&self, id: &ActorId) -> String {
        format!("{id}: {self}")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => f.write_str("no such actor"),
            Error::AlreadyExists => f.write_str("the id is taken"),
            Error::Stopped(exit) => write!(f, "the actor has stopped: {exit}"),
            Error::MailboxFull { messages, bytes } => {
                write!(f, "the mailbox is full: {messages} messages and {bytes} bytes wait")
            }
            Error::TooLarge { bytes, allowed } => {
                write!(f, "the message has {bytes} bytes, allowed are {allowed}")
            }
            Error::Timeout { handling: true } => {
                f.write_str("no answer in time: the actor is still handling it")
            }
            Error::Timeout { handling: false } => {
                f.write_str("no answer in time: it still waited in the mailbox")
            }
            Error::InvalidName(why) => f.write_str(why),
            Error::Cancelled => f.write_str("cancelled"),
            Error::Crashed(cause) => write!(f, "the actor crashed: {cause}"),
            Error::NoReply => f.write_str("the actor ended without an answer"),
            Error::StartFailed(cause) => write!(f, "did not start: {cause}"),
            Error::Dropped => f.write_str("a newer message took its place in the full mailbox"),
            Error::Cycle(ids) => {
                let ids: Vec<_> = ids.iter().map(ActorId::as_str).collect();
                write!(f, "it would wait in a circle: {}", ids.join(" waits for "))
            }
            Error::TooMany { what, max } => write!(f, "there are {max} {what}, as many as there may be"),
            Error::InvalidChild { child, reason } => write!(f, "child {child}: {reason}"),
            Error::Refused(refusal) => write!(f, "{refusal}"),
        }
    }
}

impl std::error::Error for Error {}
