//! Messages that an actor is sent later, or again and again.

use std::time::Duration;

use tokio::task::AbortHandle;

use crate::actor::{Message, ReplyTo};
use crate::actor_ref::ActorRef;

/// A message to come. Dropped it comes all the same.
#[derive(Debug)]
pub struct Timer(AbortHandle);

impl Timer {
    /// It does not come any more; `false` if it had come before, or its actor had ended.
    pub fn cancel(&self) -> bool {
        let pending = !self.0.is_finished();
        self.0.abort();
        pending
    }

    /// Whether it has come, or will not.
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }
}

impl<M: Message> ActorRef<M> {
    /// Sends the actor this message after a time; one that is refused then is counted and dropped.
    pub fn send_after(&self, delay: Duration, message: M) -> Timer {
        let weak = std::sync::Arc::downgrade(&self.0);
        let sends = async move {
            tokio::time::sleep(delay).await;
            if let Some(cell) = weak.upgrade() {
                // Counted as rejected; there is nobody to tell.
                let _ = cell.offer(message, ReplyTo::none());
            }
        };
        Timer(self.0.shared.io.spawn(sends).abort_handle())
    }

    /// Sends the actor what `message` makes, each time a period has passed, until it has ended for good. A full mailbox
    /// misses its turn.
    pub fn send_every(&self, period: Duration, mut message: impl FnMut() -> M + Send + 'static) -> Timer {
        let weak = std::sync::Arc::downgrade(&self.0);
        let sends = async move {
            let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let Some(cell) = weak.upgrade() else { return };
                if cell.exit().is_some() {
                    return;
                }
                let _ = cell.offer(message(), ReplyTo::none());
            }
        };
        Timer(self.0.shared.io.spawn(sends).abort_handle())
    }
}
