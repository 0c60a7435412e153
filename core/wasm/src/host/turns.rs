//! How much of one kind of work an actor may have under way at once, over all its lives.

use std::sync::Arc;

use airssys_osl::FsError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::state::Refusals;

/// One is kept by whoever works, for as long as that takes: whoever asked for it may be gone before.
pub(crate) type Turn = OwnedSemaphorePermit;

/// The turns of one actor; a clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Semaphore::new(max)))
    }

    /// A turn, unless all are taken.
    pub(crate) fn try_take(&self) -> Option<Turn> {
        self.0.clone().try_acquire_owned().ok()
    }

    /// A turn, waited for in the order of those who ask.
    pub(crate) async fn take(&self) -> Turn {
        self.0.clone().acquire_owned().await.expect("nobody closes it")
    }
}

/// How a stream of an actor works, and where it notes a refusal.
pub(super) type Means = (Turns, Arc<Refusals>);

/// Begins a blocking operation of osl on the pool.
pub(super) fn begin<T: Send + 'static>(
    turn: Turn,
    run: impl FnOnce() -> Result<T, FsError> + Send + 'static,
) -> JoinHandle<Result<T, FsError>> {
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        run()
    })
}

/// What it came to.
pub(super) async fn end<T>(task: &mut JoinHandle<Result<T, FsError>>) -> Result<T, FsError> {
    task.await.unwrap_or_else(|why| Err(std::io::Error::other(why).into()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn hostile_b5_work_that_nobody_waits_for_any_more_keeps_its_turn_until_it_ends() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let turns = Turns::new(1);
        let (go, wait) = mpsc::channel::<()>();
        runtime.block_on(async {
            let turn = turns.try_take().expect("a turn");
            drop(begin(turn, move || Ok(wait.recv())));
            assert!(turns.try_take().is_none());
            go.send(()).expect("it waits");
            drop(turns.take().await);
        });
        assert!(turns.try_take().is_some());
    }
}
