use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::KvError;
use crate::cut::Cut;
use crate::denial::{DenialKind, Refusal};
use crate::grant::Lease;
use crate::set::CapabilitySet;

/// Why a change has no result of its own.
pub(super) enum Failure {
    /// A grant that it was asked under ended first.
    Ended,
    Error(KvError),
}

impl From<KvError> for Failure {
    fn from(error: KvError) -> Self {
        Failure::Error(error)
    }
}

/// What one change came to, given once and taken once.
pub(super) struct Answer {
    state: Mutex<State>,
    given: Condvar,
}

enum State {
    /// Who is to be told, if anybody has asked; whether its commit has begun.
    Open(Option<Waker>, bool),
    Given(Result<u64, Failure>),
    Taken,
}

impl Answer {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::Open(None, false)), given: Condvar::new() })
    }

    /// Its commit begins: only what that comes to counts from here on. False if the end of a grant came first.
    pub fn begin(&self) -> bool {
        match &mut *self.lock() {
            State::Open(_, begun) => {
                *begun = true;
                true
            }
            State::Given(_) | State::Taken => false,
        }
    }

    /// The first result counts.
    pub fn settle(&self, result: Result<u64, Failure>) {
        self.settle_if(result, |_| true);
    }

    fn settle_if(&self, result: Result<u64, Failure>, may: impl FnOnce(bool) -> bool) {
        let mut state = self.lock();
        let State::Open(waker, begun) = &mut *state else { return };
        if !may(*begun) {
            return;
        }
        let waker = waker.take();
        *state = State::Given(result);
        drop(state);
        self.given.notify_all();
        // A waker is code of others: no lock is held.
        waker.into_iter().for_each(Waker::wake);
    }

    /// The result, once it is there; else this waker is told.
    fn take(&self, waker: Option<&Waker>) -> Option<Result<u64, Failure>> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Given(result) => Some(result),
            State::Taken => None,
            State::Open(before, begun) => {
                *state = State::Open(waker.cloned(), begun);
                drop(state);
                drop(before);
                None
            }
        }
    }

    fn wait(&self, deadline: Instant) {
        let mut state = self.lock();
        while matches!(*state, State::Open(..)) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            state = self.given.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change whose commit has not begun is left; one whose commit has may still be made, and says what it came to.
impl Cut for Answer {
    fn cut(&self) {
        self.settle_if(Err(Failure::Ended), |begun| !begun);
    }
}

/// A change under way: what it comes to once it is on the disk. Dropped, it may be made all the same.
#[must_use = "only what it comes to says that the change is on the disk"]
pub struct Pending {
    pub(super) answer: Arc<Answer>,
    /// One for each grant that it was asked under; the end of any cuts it.
    pub(super) leases: Vec<Lease<Answer>>,
    pub(super) set: CapabilitySet,
    pub(super) capability: String,
    pub(super) function: String,
}

impl Pending {
    /// Waits for it on this thread.
    pub fn wait(self, deadline: Instant) -> Result<u64, KvError> {
        self.answer.wait(deadline);
        self.answer.take(None).map_or(Err(KvError::TimedOut), |result| self.told(result))
    }

    fn told(&self, result: Result<u64, Failure>) -> Result<u64, KvError> {
        result.map_err(|failure| match failure {
            Failure::Error(error) => error,
            Failure::Ended => {
                let ended = self.leases.iter().find_map(|lease| {
                    lease
                        .guard()
                        .alive()
                        .err()
                        .map(|kind| Refusal::because(kind, lease.guard().rule().clone()))
                });
                let refusal = ended.unwrap_or_else(|| DenialKind::Revoked.into());
                self.set.deny(refusal, self.capability.clone(), &self.function).into()
            }
        })
    }
}

impl Future for Pending {
    type Output = Result<u64, KvError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.answer.take(Some(context.waker())) {
            Some(result) => Poll::Ready(self.told(result)),
            None => Poll::Pending,
        }
    }
}
