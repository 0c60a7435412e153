//! Messages that an actor is sent later, or again and again.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::actor::{Message, ReplyTo};
use crate::actor_ref::ActorRef;
use crate::node::Node;

/// A message to come. Dropped it comes all the same.
pub struct Timer {
    task: AbortHandle,
    pending: Arc<AtomicBool>,
    actor: Weak<dyn Node>,
}

impl Timer {
    /// It does not come any more; `false` if it had come before, or its actor had ended.
    pub fn cancel(&self) -> bool {
        // Whoever takes the flag decides: the task sends nothing without it.
        let was_pending = self.pending.swap(false, AcqRel) && self.lives();
        self.task.abort();
        was_pending
    }

    /// Whether it has come, or will not.
    pub fn is_over(&self) -> bool {
        !self.pending.load(Acquire) || !self.lives()
    }

    fn lives(&self) -> bool {
        self.actor.upgrade().is_some_and(|actor| !actor.is_stopped())
    }
}

impl<M: Message> ActorRef<M> {
    /// Sends the actor this message after a time; one that is refused then is counted and dropped.
    pub fn send_after(&self, delay: Duration, message: M) -> Timer {
        let (weak, pending) = (Arc::downgrade(&self.0), Arc::new(AtomicBool::new(true)));
        let is_pending = pending.clone();
        let sends = async move {
            tokio::time::sleep(delay).await;
            if let Some(cell) = weak.upgrade()
                && is_pending.swap(false, AcqRel)
            {
                // Counted as rejected; there is nobody to tell.
                let _ = cell.offer(message, ReplyTo::none());
            }
        };
        self.timer(pending, sends)
    }

    /// Sends the actor what `message` makes, each time a period has passed, until it has ended for good. A full mailbox
    /// misses its turn.
    pub fn send_every(&self, period: Duration, mut message: impl FnMut() -> M + Send + 'static) -> Timer {
        let (weak, pending) = (Arc::downgrade(&self.0), Arc::new(AtomicBool::new(true)));
        let is_pending = pending.clone();
        let sends = async move {
            let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let Some(cell) = weak.upgrade() else { return };
                if cell.is_stopped() || !is_pending.load(Acquire) {
                    return;
                }
                let _ = cell.offer(message(), ReplyTo::none());
            }
        };
        self.timer(pending, sends)
    }

    fn timer(&self, pending: Arc<AtomicBool>, sends: impl Future<Output = ()> + Send + 'static) -> Timer {
        let task = self.0.shared.io.spawn(sends).abort_handle();
        Timer { task, pending, actor: Arc::downgrade(&self.0.as_node()) }
    }
}
