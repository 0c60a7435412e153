//! Messages that an actor is sent later, or again and again.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::time::Duration;

use dashmap::DashMap;
use tokio::task::AbortHandle;

use crate::actor::{Message, ReplyTo};
use crate::actor_ref::ActorRef;
use crate::handle::Handle;
use crate::node::Node;
use crate::shared::Shared;

/// A message to come. Dropped it comes all the same.
pub struct Timer {
    shared: Weak<Shared>,
    number: u64,
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
        if let (Some(shared), Some(actor)) = (self.shared.upgrade(), self.actor.upgrade()) {
            shared.timers.forget(actor.core().handle, self.number);
        }
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
        self.send_after_by(delay, move || message)
    }

    /// The same with a message that is made when it is sent. What makes it is dropped at the latest when the actor has
    /// ended for good.
    pub fn send_after_by(&self, delay: Duration, message: impl FnOnce() -> M + Send + 'static) -> Timer {
        let (weak, pending) = (Arc::downgrade(&self.0), Arc::new(AtomicBool::new(true)));
        let is_pending = pending.clone();
        let sends = async move {
            tokio::time::sleep(delay).await;
            if let Some(cell) = weak.upgrade()
                && is_pending.swap(false, AcqRel)
            {
                // Counted as rejected; there is nobody to tell.
                let _ = cell.offer(message(), ReplyTo::none());
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
        let (shared, handle) = (self.0.shared.clone(), self.handle());
        let number = shared.monitor_ids.number();
        self.0.core.has_timers.store(true, SeqCst);
        let weak = Arc::downgrade(&shared);
        let task = shared.io.spawn(async move {
            sends.await;
            if let Some(shared) = weak.upgrade() {
                shared.timers.forget(handle, number);
            }
        });
        let task = task.abort_handle();
        shared.timers.keep(handle, number, task.clone());
        if task.is_finished() {
            shared.timers.forget(handle, number);
        }
        if shared.node(handle).is_none() {
            // It ended meanwhile.
            shared.timers.end(handle);
        }
        let actor = Arc::downgrade(&self.0.as_node());
        Timer { shared: Arc::downgrade(&shared), number, task, pending, actor }
    }
}

/// The timers that run, by the actor that they end with.
#[derive(Default)]
pub(crate) struct Timers(DashMap<Handle, HashMap<u64, AbortHandle>>);

impl Timers {
    fn keep(&self, actor: Handle, number: u64, task: AbortHandle) {
        self.0.entry(actor).or_default().insert(number, task);
    }

    fn forget(&self, actor: Handle, number: u64) {
        if let Some(mut timers) = self.0.get_mut(&actor) {
            timers.remove(&number);
        }
        self.0.remove_if(&actor, |_, timers| timers.is_empty());
    }

    /// The actor has ended for good: so have its timers, with the messages they hold.
    pub(crate) fn end(&self, actor: Handle) {
        let timers = self.0.remove(&actor).map(|(_, timers)| timers);
        timers.into_iter().flatten().for_each(|(_, task)| task.abort());
    }
}
