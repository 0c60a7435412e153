//! Messages from the host to actors.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use airssys_rt::{ActorId, Caller};

use super::directory::Resident;
use super::operation::{Asker, Operation, as_ours, would_deadlock};
use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::handle::{ActorHandle, RequestHandle};
use crate::types::letter::Letter;
use crate::types::message::{CONTENT_TYPE_BYTES_MAX, RequestOptions, SendOptions};

/// How long a request waits that names no time.
const TIMEOUT: Duration = Duration::from_millis(5_000);

impl System {
    /// Queues a message and forgets it. Blocks for up to 5 s where the mailbox is full and its overflow is `block`.
    pub fn send(&self, actor: ActorHandle, payload: &[u8], options: &SendOptions) -> Result<()> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        let letter = inner.letter(&resident, payload, options.content_type.as_deref(), None, 0)?;
        resident.actor()?.send(letter).map_err(|refused| {
            let error = Error::from(refused.error);
            let message = format!("{}: {}", resident.id, error.message);
            Error { message, ..error }.at(&resident.id)
        })
    }

    /// [`send`](System::send) without blocking. Over as soon as the message is queued, which most often is at once. Given
    /// up, or refused as a `CYCLE`, it takes the message back.
    pub fn send_async(&self, actor: ActorHandle, payload: &[u8], options: &SendOptions) -> Operation<()> {
        let begin = || {
            let inner = self.open_inner()?;
            let resident = inner.directory.resident(actor)?;
            let letter = inner.letter(&resident, payload, options.content_type.as_deref(), None, 0)?;
            let sent = resident.actor()?.send_begin(letter, None);
            Ok(Operation::new(as_ours(sent), Some(resident.id.clone()), &inner.tickets))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// Asks and blocks for the answer; a handler's none reads as empty.
    pub fn request(&self, actor: ActorHandle, payload: &[u8], options: &RequestOptions) -> Result<Vec<u8>> {
        self.request_begin(actor, payload, options).wait()
    }

    /// [`request`](System::request) without blocking. It starts at the call, and is cancelled if it is dropped.
    pub fn request_async(
        &self,
        actor: ActorHandle,
        payload: &[u8],
        options: &RequestOptions,
    ) -> Operation<Vec<u8>> {
        self.begin_request(actor, payload, options, Caller::Loop)
    }

    /// [`request`](System::request) in two halves, for a binding that blocks in slices: the caller's thread has
    /// nothing else to do than to wait.
    pub fn request_begin(
        &self,
        actor: ActorHandle,
        payload: &[u8],
        options: &RequestOptions,
    ) -> Operation<Vec<u8>> {
        self.begin_request(actor, payload, options, Caller::Waits)
    }

    fn begin_request(
        &self,
        actor: ActorHandle,
        payload: &[u8],
        options: &RequestOptions,
        caller: Caller,
    ) -> Operation<Vec<u8>> {
        let begin = || {
            let inner = self.open_inner()?;
            let resident = inner.directory.resident(actor)?;
            let actor = resident.actor()?;
            if caller == Caller::Waits && airssys_rt::current_callback() == Some(actor.handle()) {
                return Err(would_deadlock(&format!("a request to {}", resident.id)).at(&resident.id));
            }
            let until = deadline(options.timeout)?;
            let number = inner.ports.correlation.fetch_add(1, Relaxed) + 1;
            let letter = inner.letter(&resident, payload, options.content_type.as_deref(), until, number)?;
            let pending = actor.request(letter, until, caller);
            Ok(Operation::new(pending, Some(resident.id.clone()), &inner.tickets))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// The actor of this id, to wait on its behalf; nobody if there is none.
    pub fn asker(&self, id: Option<&str>) -> Result<Asker> {
        self.check_fork()?;
        let Some(id) = id else { return Ok(Asker::default()) };
        let id = id.parse::<ActorId>().map_err(|why| Error::argument("asked_by", why))?;
        Ok(Asker(self.inner.runtime.find(&id)))
    }

    /// Ends a pending operation's wait with `CANCELLED`; `false` if it had its outcome already.
    pub fn cancel(&self, request: RequestHandle) -> Result<bool> {
        self.check_fork()?;
        Ok(self.inner.tickets.cancel(request))
    }
}

/// When a caller stops waiting; never for a time beyond all clocks.
fn deadline(timeout: Option<Duration>) -> Result<Option<Instant>> {
    let timeout = timeout.unwrap_or(TIMEOUT);
    if timeout.is_zero() {
        return Err(Error::argument("timeout_ms", "0 is no time to answer; leave it out for the default"));
    }
    Ok(Instant::now().checked_add(timeout))
}

impl Inner {
    pub(super) fn letter(
        &self,
        to: &Resident,
        payload: &[u8],
        content_type: Option<&str>,
        deadline: Option<Instant>,
        correlation: u64,
    ) -> Result<Letter> {
        // Who takes no messages says that before anything of this one.
        to.actor()?;
        let (allowed, given) = (to.payload_bytes_max, payload.len());
        if given as u64 > allowed {
            let text = format!("{}: the payload has {given} bytes, allowed are {allowed}", to.id);
            let error = Error::new(Code::PayloadTooLarge, text).with("allowed", allowed).with("given", given);
            return Err(error.at(&to.id));
        }
        check_content_type(content_type)?;
        let letter = Letter::from_host(payload.to_vec(), content_type.map(Arc::from));
        Ok(Letter { deadline, correlation, ..letter })
    }
}

pub(super) fn check_content_type(content_type: Option<&str>) -> Result<()> {
    if content_type.is_some_and(|text| text.len() > CONTENT_TYPE_BYTES_MAX) {
        return Err(Error::argument("content_type", format!("more than {CONTENT_TYPE_BYTES_MAX} bytes")));
    }
    Ok(())
}
