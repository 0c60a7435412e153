//! Whose rights a message is done by.

use std::sync::Arc;

use airssys_osl::{CapabilitySet, Denial, Files, FsError, ProcessError, Processes};
use airssys_rt::ReplyTo;

use super::Post;
use crate::host::{Access, Belongs, ERRANDS_MAX, Life, Refusals, Turn};
use crate::types::error::{Code, Error, Result};
use crate::types::letter::Letter;
use crate::types::limits::Limits;

/// The life that sent a message, with the grants that it is done by.
pub(super) struct Sender {
    life: Arc<Life>,
    number: u64,
    /// The host program itself, by the service's own grants.
    is_host: bool,
}

impl Sender {
    /// Of this letter. A life that has ended, or one without rights of its own, is granted nothing: each operation is
    /// denied, and recorded so.
    pub(super) fn of(post: &Post, letter: &Letter) -> Self {
        let lives = &post.charter.ports.lives;
        let (number, found, id) = match &letter.sender {
            None => (post.life, lives.get(post.life), &post.charter.id),
            Some(id) => (letter.life, lives.get(letter.life).filter(|life| life.id == *id), id),
        };
        let life = found.unwrap_or_else(|| nobody(post, id.clone()));
        Self { life, number, is_host: letter.sender.is_none() }
    }

    /// A place among those whose messages are under way, unless this actor has all that are for one.
    pub(super) fn enter(&self) -> Result<Option<Turn>> {
        if self.is_host {
            return Ok(None);
        }
        let turn = self.life.access.errands.try_take().ok_or_else(|| {
            let text = format!("{ERRANDS_MAX} messages of it are under way, as many as may");
            exceeded(text, "under_way", ERRANDS_MAX as u64).at(&self.life.id)
        });
        turn.map(Some)
    }
}

/// The one whom a message is done for, and who waits for its answer if it was a request. What is done is done by the
/// grants of this one, never by the service's.
pub(super) struct Client<'a> {
    post: &'a Post,
    reply: &'a ReplyTo<Letter>,
    life: Arc<Life>,
    number: u64,
    /// Whether it was asked, not only sent.
    asks: bool,
}

impl<'a> Client<'a> {
    pub(super) fn new(post: &'a Post, sender: Sender, asks: bool, reply: &'a ReplyTo<Letter>) -> Self {
        Self { post, reply, life: sender.life, number: sender.number, asks }
    }

    pub(super) fn files(&self) -> &Files {
        &self.life.access.files
    }

    pub(super) fn processes(&self) -> &Processes {
        &self.life.access.processes
    }

    pub(super) fn post(&self) -> &Post {
        self.post
    }

    pub(super) fn belongs(&self) -> Belongs {
        Belongs { sender: self.number, service: self.post.life }
    }

    /// Bytes that an answer may have.
    pub(super) fn answer_bytes_max(&self) -> u64 {
        self.post.charter.payload_bytes_max
    }

    /// Whether somebody waits for the answer, as far as anybody ever did.
    pub(super) fn waits(&self) -> bool {
        !self.asks || self.reply.is_wanted()
    }

    /// Whether what it has started may go on: neither its life nor that of the service is over.
    pub(super) fn lasts(&self) -> bool {
        !self.post.is_closed() && self.post.charter.ports.lives.lasts(self.number)
    }

    /// The error as this client's: a guest is told in full what is its own.
    pub(super) fn at(&self, error: Error) -> Error {
        error.at(&self.life.id)
    }

    /// A refusal as an error, told and noted.
    fn denied(&self, denial: Denial) -> Error {
        self.life.denied(&denial, self.asks && self.reply.is_wanted());
        denial.into()
    }

    /// Why an operation on this path failed.
    pub(super) fn fs_error(&self, error: FsError, path: &str) -> Error {
        let text = format!("{path}: {error}");
        let code = match error {
            FsError::Denied(denial) => return self.denied(denial),
            FsError::NotFound => Code::NotFound,
            FsError::AlreadyExists => Code::AlreadyExists,
            FsError::InvalidPath(_) => return Error::argument("path", text),
            FsError::InvalidOptions(_) | FsError::NotOpenFor(_) => return Error::argument("op", text),
            FsError::TooLarge { bytes_max } => {
                return Error::new(Code::PayloadTooLarge, text).with("allowed", bytes_max);
            }
            FsError::QuotaExceeded { write_bytes_max } => {
                return exceeded(text, "write_bytes", write_bytes_max).with("path", path);
            }
            FsError::TooManyOpen(full) => {
                return exceeded(text, "files", full.allowed as u64).with("path", path);
            }
            FsError::TooManyEntries { entries_max } => {
                return exceeded(text, "entries", entries_max as u64).with("path", path);
            }
            FsError::Io(why) => {
                let errno = why.raw_os_error().unwrap_or_default();
                return Error::new(Code::Io, text).with("errno", errno).with("path", path);
            }
            _ => Code::Io,
        };
        Error::new(code, text).with("path", path)
    }

    /// Why a program could not be run, or talked to.
    pub(super) fn process_error(&self, error: ProcessError) -> Error {
        let text = error.to_string();
        match error {
            ProcessError::Denied(denial) => self.denied(denial),
            ProcessError::Invalid(_) | ProcessError::NotProgram(_) => Error::argument("program", text),
            ProcessError::TooLarge { what, allowed, given } => {
                exceeded(text, what, allowed).with("used", given)
            }
            ProcessError::NotFound(path) => Error::new(Code::NotFound, text).with("path", path),
            ProcessError::TooManyProcesses(full) => exceeded(text, "processes", full.allowed as u64),
            ProcessError::TooManyStarts { starts_per_second_max } => {
                exceeded(text, "starts_per_second", starts_per_second_max.into())
            }
            ProcessError::OutputLimit { output_bytes_max } => {
                exceeded(text, "output_bytes", output_bytes_max)
            }
            ProcessError::TimedOut => Error::new(Code::Timeout, text).with("in", "handler"),
            ProcessError::Ended => Error::new(Code::NotFound, text),
            ProcessError::Unsupported(_) => Error::new(Code::Unsupported, text),
            ProcessError::Io(why) => {
                Error::new(Code::Io, text).with("errno", why.raw_os_error().unwrap_or_default())
            }
        }
    }
}

fn exceeded(text: String, which: &str, allowed: u64) -> Error {
    Error::new(Code::LimitExceeded, text).with("which", which).with("allowed", allowed)
}

/// One who has no rights: not even those that an actor of the same id has now.
fn nobody(post: &Post, id: airssys_rt::ActorId) -> Arc<Life> {
    let grants = CapabilitySet::new(id.as_str(), post.charter.audit.clone());
    let ports = &post.charter.ports;
    let limits = Limits::default().resolve().expect("no limits are valid limits");
    let access = Access::new(&grants, &limits, ports);
    Arc::new(Life::new(id, access, Refusals::new(grants, ports.clone())))
}
