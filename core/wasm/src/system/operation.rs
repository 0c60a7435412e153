//! One wait primitive for every operation that may take time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use airssys_rt::{ActorId, Canceller, Pending};
use dashmap::DashMap;

use super::forked;
use crate::fork;
use crate::types::error::{Code, Error, Result};
use crate::types::handle::{Kind, RequestHandle};

/// Called with the outcome, exactly once, on an airwasm thread, never on the starting caller's stack and with no
/// lock held. It must not block: hand the outcome over and return.
pub type Completion<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// How an operation stands right after it was started.
pub enum Started<T> {
    /// It is over; the completion was not and will not be called.
    Ready(Result<T>),
    /// The completion will be called; the handle cancels, by [`System::cancel`](super::System::cancel).
    Pending(RequestHandle),
}

/// Operations that were given a completion and can be cancelled by their number.
pub(crate) struct Tickets {
    serial: AtomicU64,
    open: DashMap<u64, Box<dyn Fn() -> bool + Send + Sync>>,
    /// In which process; see [`fork::count`].
    forks: u64,
}

impl Default for Tickets {
    fn default() -> Self {
        Self { serial: AtomicU64::default(), open: DashMap::default(), forks: fork::count() }
    }
}

impl Tickets {
    /// Cancels; `false` if it had its outcome already.
    pub(crate) fn cancel(&self, request: RequestHandle) -> bool {
        // Taken out before it is called: the completion runs inside the call and removes it too.
        self.open.remove(&request.raw()).is_some_and(|(_, cancel)| cancel())
    }
}

/// On whose behalf something is awaited; by default on nobody's. From [`System::asker`](super::System::asker), and
/// for operations of that system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asker(pub(super) Option<airssys_rt::Handle>);

/// An operation under way. Await it, wait for it, or give it a completion. Dropped, a request is cancelled.
#[must_use = "a request that is dropped is cancelled"]
pub struct Operation<T> {
    pending: Pending<T, Error>,
    at: Option<ActorId>,
    tickets: Arc<Tickets>,
}

/// Says at which actor, if the error does not.
fn place<T>(at: &Option<ActorId>, outcome: Result<T>) -> Result<T> {
    outcome.map_err(|mut error| match at {
        Some(id) if error.actor.is_none() => {
            error.message = format!("{id}: {}", error.message);
            error.at(id)
        }
        _ => error,
    })
}

impl<T: Send + 'static> Operation<T> {
    pub(super) fn new(pending: Pending<T, Error>, at: Option<ActorId>, tickets: &Arc<Tickets>) -> Self {
        Self { pending, at, tickets: tickets.clone() }
    }

    pub(super) fn ready(outcome: Result<T>, tickets: &Arc<Tickets>) -> Self {
        Self::new(Pending::ready(outcome), None, tickets)
    }

    /// Whether those who would answer were left behind in the parent of this process.
    fn is_forked(&self) -> bool {
        fork::count() != self.tickets.forks
    }

    /// It is awaited on behalf of an actor, where its handler is asynchronous: if that closes a circle, the wait is
    /// `CYCLE` at once, and what was asked for goes on. On a thread that calls a handler this is known without it.
    #[must_use = "an operation that is dropped is not awaited"]
    pub fn asked_by(mut self, asker: Asker) -> Self {
        if let Some(asker) = asker.0 {
            self.pending = self.pending.asked_by(asker);
        }
        self
    }

    /// The outcome, if it is there.
    pub fn try_take(&mut self) -> Option<Result<T>> {
        self.pending.try_take().map(|outcome| place(&self.at, outcome))
    }

    /// Blocks until the outcome, or the operation's own deadline.
    pub fn wait(self) -> Result<T> {
        if self.is_forked() {
            return Err(forked());
        }
        place(&self.at, self.pending.wait())
    }

    /// Blocks for at most `time`; `None` if it is still under way then.
    pub fn wait_for(&mut self, time: Duration) -> Option<Result<T>> {
        if self.is_forked() {
            return Some(Err(forked()));
        }
        let until = Instant::now().checked_add(time);
        self.pending.wait_until(until).map(|outcome| place(&self.at, outcome))
    }

    /// Delivers to `completion`, unless the outcome is there already.
    pub fn start(self, completion: Completion<T>) -> Started<T> {
        if self.is_forked() {
            return Started::Ready(Err(forked()));
        }
        let Operation { pending, at, tickets } = self;
        let number = Kind::Request.tag(tickets.serial.fetch_add(1, Relaxed) + 1);
        let (id, open) = (at.clone(), tickets.clone());
        let delivered = pending.on_ready(Box::new(move |outcome| {
            open.open.remove(&number);
            completion(place(&id, outcome));
        }));
        match delivered {
            Err(outcome) => Started::Ready(place(&at, outcome)),
            Ok(canceller) => {
                register(&tickets, number, canceller);
                Started::Pending(RequestHandle(number))
            }
        }
    }
}

/// Enters the ticket, unless the outcome came in between and had nothing to remove.
fn register<T: Send + 'static>(tickets: &Tickets, number: u64, canceller: Canceller<T, Error>) {
    let canceller = Arc::new(canceller);
    let cancel = canceller.clone();
    tickets.open.insert(number, Box::new(move || cancel.cancel()));
    if canceller.is_over() {
        tickets.open.remove(&number);
    }
}

impl<T: Send + 'static> Future for Operation<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_forked() {
            return Poll::Ready(Err(forked()));
        }
        let polled = Pin::new(&mut self.pending).poll(context);
        polled.map(|outcome| place(&self.at, outcome))
    }
}

/// The same answer with an error of ours.
pub(super) fn as_ours<T: Send + 'static>(pending: Pending<T, airssys_rt::Error>) -> Pending<T, Error> {
    pending.map(|outcome| outcome.map_err(Error::from))
}

/// The error of an operation that may not block here.
pub(super) fn would_deadlock(what: &str) -> Error {
    let text =
        format!("{what} blocks the very thread that must answer it: it was made inside its own callback");
    Error::new(Code::WouldDeadlock, text)
}
