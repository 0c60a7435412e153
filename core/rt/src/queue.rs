//! The workers and their two queues: fresh activations go before actors that used up their turn.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use crate::sync::{Condvar, Mutex, MutexGuard};

/// Something a worker can run for one turn.
pub(crate) trait Runnable: Send + Sync {
    fn run(self: Arc<Self>);
}

/// Every so many picks the oldest spent actor goes first, so that a flood of fresh ones starves nobody.
const SPENT_EVERY: u32 = 16;

#[derive(Default)]
struct Queues {
    fresh: VecDeque<Arc<dyn Runnable>>,
    spent: VecDeque<Arc<dyn Runnable>>,
    picks: u32,
    sleepers: usize,
    ended: bool,
    /// The workers are gone: what comes now is dropped.
    closed: bool,
}

impl Queues {
    fn pick(&mut self) -> Option<Arc<dyn Runnable>> {
        self.picks = self.picks.wrapping_add(1);
        let (first, second) = match self.picks.is_multiple_of(SPENT_EVERY) {
            true => (&mut self.spent, &mut self.fresh),
            false => (&mut self.fresh, &mut self.spent),
        };
        first.pop_front().or_else(|| second.pop_front())
    }
}

/// One pair of queues for all workers of a runtime.
// One lock: a push or pick holds it for a few nanoseconds, and an inline request takes none at all.
#[derive(Default)]
pub(crate) struct Queue {
    queues: Mutex<Queues>,
    work: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an actor that was just activated; `false` once nothing is taken any more.
    pub(crate) fn push_fresh(&self, actor: Arc<dyn Runnable>) -> bool {
        self.push(actor, |queues| &mut queues.fresh)
    }

    /// Queues an actor that used up its turn.
    pub(crate) fn push_spent(&self, actor: Arc<dyn Runnable>) {
        self.push(actor, |queues| &mut queues.spent);
    }

    /// Queues many at once.
    pub(crate) fn push_all_fresh(&self, actors: Vec<Arc<dyn Runnable>>) {
        if actors.is_empty() {
            return;
        }
        let mut queues = self.lock();
        if queues.closed {
            return drop((queues, actors));
        }
        queues.fresh.extend(actors);
        let wake = queues.sleepers > 0;
        drop(queues);
        if wake {
            self.work.notify_all();
        }
    }

    fn push(
        &self,
        actor: Arc<dyn Runnable>,
        which: fn(&mut Queues) -> &mut VecDeque<Arc<dyn Runnable>>,
    ) -> bool {
        let mut queues = self.lock();
        if queues.closed {
            drop((queues, actor));
            return false;
        }
        which(&mut queues).push_back(actor);
        let wake = queues.sleepers > 0;
        drop(queues);
        if wake {
            self.work.notify_one();
        }
        true
    }

    /// The next actor to run; blocks, and calls `idle` and `awake` around the wait. `None` when the queue has ended.
    pub(crate) fn next(&self, idle: impl Fn(), awake: impl Fn()) -> Option<Arc<dyn Runnable>> {
        let mut queues = self.lock();
        loop {
            if let Some(actor) = queues.pick() {
                return Some(actor);
            }
            if queues.ended {
                return None;
            }
            queues.sleepers += 1;
            idle();
            queues = self.work.wait(queues).unwrap_or_else(PoisonError::into_inner);
            awake();
            queues.sleepers -= 1;
        }
    }

    /// Lets the workers end when nothing is queued any more.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.work.notify_all();
    }

    /// Drops what is queued, and whatever comes.
    pub(crate) fn close(&self) {
        let mut queues = self.lock();
        queues.closed = true;
        let left = (std::mem::take(&mut queues.fresh), std::mem::take(&mut queues.spent));
        drop(queues);
        // Only now: what is dropped with an actor is not ours to know, so no lock may be held.
        drop(left);
    }
}
