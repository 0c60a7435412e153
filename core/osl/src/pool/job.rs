use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::answer::Answer;
use super::{PoolError, Shared};

/// The result of an operation, to come. Dropped, it is forgotten, and an operation that no thread has begun is not run.
#[must_use = "dropped, the operation may never run"]
pub struct Job<T> {
    pub(super) shared: Arc<Shared>,
    /// Its number in the queue, if it came there.
    pub(super) ticket: Option<u64>,
    pub(super) answer: Arc<Answer<T>>,
}

impl<T> Future for Job<T> {
    type Output = Result<T, PoolError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.poll(context)
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let work = self.shared.lock().queue.remove(&ticket);
        drop(work);
    }
}
