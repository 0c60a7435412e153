//! A way to an actor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actor::{Message, ReplyTo};
use crate::bounds::Overflow;
use crate::cell::{Caller, Cell};
use crate::error::{Error, Refused};
use crate::exit::Exit;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::mailbox::{Envelope, Sender};
use crate::node::{Ending, Status};
use crate::poller;
use crate::promise::{Done, Pending, promise};

/// How long a send waits for room where nobody says otherwise.
const BLOCK_MAX: Duration = Duration::from_millis(5_000);

/// A way to an actor; owns nothing of it, and stays valid over restarts.
pub struct ActorRef<M: Message>(pub(crate) Arc<Cell<M>>);

impl<M: Message> Clone for ActorRef<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Message> ActorRef<M> {
    /// Its address.
    pub fn id(&self) -> ActorId {
        self.0.core.id()
    }

    /// Its number within its runtime: slot and generation, never given to another actor.
    pub fn handle(&self) -> Handle {
        self.0.handle()
    }

    /// Queues a message; it comes back if the mailbox is full or closed. With [`Overflow::Block`] the thread waits for
    /// room up to 5 s, unless it is a worker or the actor's own.
    #[inline]
    pub fn send(&self, message: M) -> Result<(), Refused<M>> {
        self.send_until(message, None)
    }

    /// The same with another deadline for the wait for room.
    #[inline]
    pub fn send_until(&self, message: M, until: Option<Instant>) -> Result<(), Refused<M>> {
        self.try_push(message).or_else(|refused| self.block(refused, until))
    }

    /// Waits for room, if that is how this mailbox is, on a thread that may.
    #[cold]
    fn block(&self, refused: Refused<Envelope<M>>, until: Option<Instant>) -> Result<(), Refused<M>> {
        // A handler keeps the thread that polls it only where that may be: on the pool for callbacks.
        let keeps_thread = poller::current().is_some() && poller::current_callback().is_none();
        if !self.may_wait(&refused) || poller::is_worker() || keeps_thread {
            return Err(self.0.refuse(refused));
        }
        let (ticket, mut room) = self.wait_for_room(refused, until)?;
        let answer = room.wait_until(None);
        self.admitted(ticket, answer.unwrap_or(Err(Error::NoReply)))
    }

    /// The same without blocking: with [`Overflow::Block`] the future waits for room.
    pub async fn send_async(&self, message: M, until: Option<Instant>) -> Result<(), Refused<M>> {
        match self.try_push(message) {
            Ok(()) => Ok(()),
            Err(refused) if self.may_wait(&refused) => {
                let (ticket, room) = self.wait_for_room(refused, until)?;
                let _waiting = Waiting { actor: self.clone(), ticket };
                self.admitted(ticket, room.await)
            }
            Err(refused) => Err(self.0.refuse(refused)),
        }
    }

    /// The same as an answer to come. Given up, the message is taken back unless it has come in.
    pub fn send_begin(&self, message: M, until: Option<Instant>) -> Pending<(), Error> {
        let refused = match self.try_push(message) {
            Ok(()) => return Pending::ready(Ok(())),
            Err(refused) if self.may_wait(&refused) => refused,
            Err(refused) => return Pending::ready(Err(self.0.refuse(refused).error)),
        };
        let (ticket, room) = match self.wait_for_room(refused, until) {
            Ok(waiting) => waiting,
            Err(refused) => return Pending::ready(Err(refused.error)),
        };
        let waiting = Waiting { actor: self.clone(), ticket };
        room.map(move |answer| waiting.actor.admitted(ticket, answer).map_err(|refused| refused.error))
    }

    /// Queues and activates.
    #[inline]
    fn try_push(&self, message: M) -> Result<(), Refused<Envelope<M>>> {
        // Whoever leaves messages behind goes on by itself: only the first one has to activate.
        if self.0.push(message, ReplyTo::none())? {
            self.0.activate();
        }
        Ok(())
    }

    fn may_wait(&self, Refused { message: envelope, error }: &Refused<Envelope<M>>) -> bool {
        let mailbox = &self.0.mailbox;
        let blocks = mailbox.overflow() == Overflow::Block && matches!(error, Error::MailboxFull { .. });
        // A message that is too big for an empty mailbox would wait for nothing; so would one to oneself.
        let size = envelope.message.size_bytes() as u64;
        blocks && mailbox.could_hold(size) && poller::current() != Some(self.handle())
    }

    fn wait_for_room(
        &self,
        refused: Refused<Envelope<M>>,
        until: Option<Instant>,
    ) -> Result<(u64, Pending<(), Error>), Refused<M>> {
        let (room, pending) = promise();
        let ticket = self.0.shared.monitor_ids.number();
        let sender = Sender { ticket, room: Some(room) };
        if let Err(refused) = self.0.mailbox.wait_for_room(refused.message, Some(sender)) {
            return Err(self.0.refuse(refused));
        }
        // Room may have come meanwhile.
        self.0.activate();
        let until = until.unwrap_or_else(|| Instant::now() + BLOCK_MAX);
        Ok((ticket, pending.toward(&self.0.shared, self.handle(), Some(until))))
    }

    /// What became of a message that waited for room: only the mailbox knows, whatever its sender was told first.
    fn admitted(&self, ticket: u64, answer: Result<(), Error>) -> Result<(), Refused<M>> {
        let full = self.0.mailbox.full_error();
        match (self.withdraw(ticket), answer) {
            (None, _) => Ok(()),
            (Some(message), Err(Error::Timeout { .. }) | Ok(())) => Err(Refused { message, error: full }),
            (Some(message), Err(error)) => Err(Refused { message, error }),
        }
    }

    /// Takes back a message that still waits for room.
    fn withdraw(&self, ticket: u64) -> Option<M> {
        let message = self.0.mailbox.withdraw(ticket)?;
        self.0.shared.count_late(|| self.0.mailbox.late());
        Some(message)
    }

    /// Queues a request; polls the actor in place if it is idle and that keeps nobody waiting, else a worker does. `until`
    /// ends the wait.
    #[inline]
    pub fn request(&self, message: M, until: Option<Instant>, caller: Caller) -> Pending<M::Reply, M::Error> {
        let (resolver, pending) = promise();
        match self.0.push(message, ReplyTo::new(Some(resolver))) {
            Ok(true) if self.0.poll_inline(caller) => {}
            Ok(true) => self.0.activate(),
            Ok(false) => {}
            Err(refused) if self.may_wait(&refused) => {
                match self.0.mailbox.wait_for_room(refused.message, None) {
                    Ok(()) => self.0.activate(),
                    Err(refused) => drop(self.0.refuse(refused)),
                }
            }
            // A refusal settles the promise, so there is nothing more to do about it here.
            Err(refused) => drop(self.0.refuse(refused)),
        }
        // An answer that is there needs no terms.
        match pending.is_over() {
            true => pending,
            false => pending.toward(&self.0.shared, self.handle(), until),
        }
    }

    /// Lets it finish its message and stop; kills it after `grace`. Done when it is down.
    pub fn stop(&self, grace: Duration) -> Pending<(), M::Error> {
        let (done, pending) = Done::promise();
        self.0.stop_for_good(Ending::Stop(Some(grace)), Some(done));
        match pending.is_over() {
            true => pending,
            false => pending.toward(&self.0.shared, self.handle(), None),
        }
    }

    /// Ends it at its next await, without any hook. Nobody restarts it.
    pub fn kill(&self) {
        self.0.stop_for_good(Ending::Kill, None);
    }

    /// Ends its life as if it had crashed with this exit: its supervisor decides what becomes of it.
    pub fn exit_with(&self, exit: Exit) {
        self.0.force(exit);
    }

    /// Counts an error of work that it left to others, as an answer with an error counts.
    pub fn note_error(&self) {
        self.0.note_error();
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Why it has stopped, if it has.
    pub fn exit(&self) -> Option<Exit> {
        self.0.exit()
    }
}

/// Somebody who waits for room. Dropped it waits no more, and its message is gone unless it has come in.
struct Waiting<M: Message> {
    actor: ActorRef<M>,
    ticket: u64,
}

impl<M: Message> Drop for Waiting<M> {
    fn drop(&mut self) {
        drop(self.actor.withdraw(self.ticket));
    }
}
