use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::PoolError;

/// One result, given once and taken once.
pub(super) struct Answer<T>(Mutex<State<T>>);

enum State<T> {
    /// Who is to be told, if anybody has asked.
    Open(Option<Waker>),
    Given(Result<T, PoolError>),
    Taken,
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self(Mutex::new(State::Open(None)))
    }
}

impl<T> Answer<T> {
    /// The first result counts; a later one is dropped.
    pub fn settle(&self, result: Result<T, PoolError>) {
        let mut state = self.lock();
        let State::Open(waker) = &mut *state else {
            drop(state);
            return drop(result);
        };
        let waker = waker.take();
        *state = State::Given(result);
        drop(state);
        // A waker is code of others: no lock is held.
        waker.into_iter().for_each(Waker::wake);
    }

    /// The result once it is there. Pending for ever after it was taken.
    pub fn poll(&self, context: &Context<'_>) -> Poll<Result<T, PoolError>> {
        let mut waker = Some(context.waker().clone());
        let mut state = self.lock();
        match &mut *state {
            State::Open(kept) => {
                std::mem::swap(kept, &mut waker);
                drop(state);
                drop(waker);
                Poll::Pending
            }
            State::Taken => Poll::Pending,
            State::Given(_) => match std::mem::replace(&mut *state, State::Taken) {
                State::Given(result) => Poll::Ready(result),
                State::Open(_) | State::Taken => unreachable!("it was given"),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code that runs under this lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
