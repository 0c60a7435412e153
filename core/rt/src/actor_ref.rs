//! A way to an actor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actor::{Message, ReplyTo};
use crate::cell::{Caller, Cell, Status, lock};
use crate::error::Refused;
use crate::exit::Exit;
use crate::id::ActorId;
use crate::life::Stage;
use crate::promise::{Pending, promise};

/// A way to an actor; owns nothing of it, and stays valid over restarts.
pub struct ActorRef<M: Message>(pub(crate) Arc<Cell<M>>);

impl<M: Message> Clone for ActorRef<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Message> ActorRef<M> {
    /// Its address.
    pub fn id(&self) -> &ActorId {
        &self.0.spec.id
    }

    /// Queues a message; it comes back if the mailbox is full or closed.
    pub fn send(&self, message: M) -> Result<(), Refused<M>> {
        self.0.push(message, ReplyTo::new(None))?;
        self.0.activate();
        Ok(())
    }

    /// Queues a request; polls the actor in place if it is idle and quick, else a worker does. `until` ends the wait.
    pub fn request(&self, message: M, until: Option<Instant>, caller: Caller) -> Pending<M::Reply, M::Error> {
        let (resolver, pending) = promise();
        // A refusal settles the promise, so there is nothing more to do about it here.
        if let Ok(alone) = self.0.push(message, ReplyTo::new(Some(resolver)))
            && !(alone && self.0.poll_inline(caller))
        {
            self.0.activate();
        }
        pending.until(until, &self.0.shared.io)
    }

    /// Lets it finish its message and stop; kills it after `grace`. Done when it is down.
    pub fn stop(&self, grace: Duration) -> Pending<(), M::Error> {
        let (resolver, pending) = promise();
        let mut life = lock(&self.0.life);
        if matches!(life.stage, Stage::Stopped(_)) {
            drop(life);
            resolver.settle(Ok(()));
            return pending;
        }
        life.on_stop.push(resolver);
        drop(life);
        self.0.terminate(false);
        let cell = Arc::downgrade(&self.0);
        self.0.shared.io.spawn(async move {
            tokio::time::sleep(grace).await;
            if let Some(cell) = cell.upgrade() {
                cell.terminate(true);
            }
        });
        pending
    }

    /// Ends it at its next await, without any hook.
    pub fn kill(&self) {
        self.0.terminate(true);
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Why it has stopped, if it has.
    pub fn exit(&self) -> Option<Exit> {
        match &lock(&self.0.life).stage {
            Stage::Stopped(exit) => Some(exit.clone()),
            _ => None,
        }
    }
}
