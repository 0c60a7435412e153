//! What a handler may do while it handles a message.

use std::sync::Arc;

use crate::actor::{Message, ReplyTo};
use crate::actor_ref::ActorRef;
use crate::cell::{Cell, KILL};
use crate::error::Error;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::sync::atomic::Ordering::Relaxed;
use crate::sync::lock;
use crate::watch::{MonitorId, Watcher};

/// The message at hand and the actor that handles it.
pub struct Context<'a, M: Message> {
    cell: &'a Arc<Cell<M>>,
    /// Whether the duty to answer the message at hand is still here.
    open: bool,
}

impl<'a, M: Message> Context<'a, M> {
    pub(crate) fn new(cell: &'a Arc<Cell<M>>) -> Self {
        Self { cell, open: false }
    }

    /// The next message is at hand, with the duty to answer it.
    #[inline]
    pub(crate) fn open(&mut self, reply: ReplyTo<M>) {
        self.open = reply.is_request();
        if self.open {
            reply.mark_handling();
            *lock(&self.cell.in_flight) = reply;
            if self.cell.wanted.load(Relaxed) & KILL != 0 {
                self.cell.answer_if_abandoned();
            }
        }
    }

    /// The handler has returned: a duty that it left is dropped, and so its caller told.
    #[inline]
    pub(crate) fn close(&mut self) {
        self.cell.core.end_turn();
        if self.open {
            drop(self.take_reply());
        }
    }

    /// Answers the message at hand. What was answered or taken before stays as it is.
    pub fn reply(&mut self, answer: Result<M::Reply, M::Error>) {
        let mut duty = self.take_reply();
        if answer.is_err() {
            self.cell.note_error();
        }
        duty.settle(answer);
    }

    /// Takes the duty to answer the message at hand, to be settled later or elsewhere.
    #[must_use]
    pub fn take_reply(&mut self) -> ReplyTo<M> {
        match std::mem::take(&mut self.open) {
            true => lock(&self.cell.in_flight).take(),
            false => ReplyTo::none(),
        }
    }

    /// Whether somebody waits for an answer.
    pub fn is_wanted(&self) -> bool {
        self.open && lock(&self.cell.in_flight).is_wanted()
    }

    /// The actor itself.
    pub fn me(&self) -> ActorRef<M> {
        ActorRef(self.cell.clone())
    }

    /// Its address.
    pub fn id(&self) -> ActorId {
        self.cell.core.id()
    }

    /// Hands a message on with the duty to answer the one at hand.
    pub fn forward(&mut self, to: &ActorRef<M>, message: M) -> Result<(), Error> {
        let duty = self.take_reply();
        to.0.offer(message, duty).map_err(|refused| refused.error)
    }

    /// Wants to be told by [`Actor::signal`](crate::Actor::signal) when the life of this actor ends.
    pub fn monitor(&mut self, other: Handle) -> Result<MonitorId, Error> {
        let me: Arc<dyn crate::node::Node> = self.cell.clone();
        let monitor = self.cell.shared.monitor_ids.next();
        let life = me.core().life.load(Relaxed);
        let watcher = Watcher::Actor { monitor, node: Arc::downgrade(&me), life };
        self.cell.shared.watch(other, watcher).map(|()| monitor)
    }

    /// Undoes a monitor; `false` if it has been used up.
    pub fn demonitor(&mut self, other: Handle, monitor: MonitorId) -> bool {
        self.cell.shared.node(other).is_some_and(|node| node.demonitor(monitor))
    }

    /// Links the two: when the life of one ends badly, so does that of the other.
    pub fn link(&mut self, other: Handle) -> Result<(), Error> {
        self.cell.shared.link(self.cell.core.handle, other)
    }

    /// Undoes a link.
    pub fn unlink(&mut self, other: Handle) {
        self.cell.shared.unlink(self.cell.core.handle, other);
    }

    /// From now on the end of a linked actor is told by [`Actor::signal`](crate::Actor::signal) instead of ending this one.
    pub fn trap_exits(&mut self, trap: bool) {
        lock(&self.cell.life).traps_exits = trap;
    }
}
