//! How a mailbox closes, and hands over what is left in it and what it counted.

use super::{Batch, Envelope, Incoming, Mailbox};
use crate::actor::Message;
use crate::counts::Counts;
use crate::error::Error;
use crate::exit::{Exit, SmallExit};
use crate::promise::Resolver;
use crate::sync::atomic::Ordering::{Acquire, Relaxed};
use crate::sync::lock;

impl<M: Message> Mailbox<M> {
    /// Refuses whatever comes from now on, and whoever waits for room.
    pub(crate) fn close(&self, exit: &Exit) {
        let mut incoming = lock(&self.incoming);
        let turned = self.shut(&mut incoming, exit);
        drop(incoming);
        if let Some(turned) = turned {
            turned.tell(exit);
        }
    }

    /// Takes messages again.
    pub(crate) fn reopen(&self) {
        let mut incoming = lock(&self.incoming);
        incoming.closed = None;
        self.note_blocked(&incoming);
    }

    /// Closes it and takes what is left, as dead letters; where it retires its counts too, at the cost of one lock.
    pub(crate) fn finish(&self, exit: &Exit, retires: bool) -> (Batch<M>, Counts) {
        let mut incoming = lock(&self.incoming);
        let turned = self.shut(&mut incoming, exit);
        let left = self.take_left(&mut incoming);
        let counts = if retires { self.hand_over(&mut incoming) } else { Counts::default() };
        drop(incoming);
        if let Some(turned) = turned {
            turned.tell(exit);
        }
        (left, counts)
    }

    /// Hands its counts over, once; what it counts from now on are late comers.
    pub(crate) fn retire(&self) -> Counts {
        self.hand_over(&mut lock(&self.incoming))
    }

    /// What was counted since it retired, to be added elsewhere; nothing if it has not.
    pub(crate) fn late(&self) -> Option<Counts> {
        let mut incoming = lock(&self.incoming);
        self.is_retired.load(Relaxed).then(|| incoming.take_counts())
    }

    /// Those who wait for room, to be told that there will be none when no lock is held.
    fn shut(&self, incoming: &mut Incoming<M>, exit: &Exit) -> Option<TurnedAway<M>> {
        incoming.closed.get_or_insert_with(|| SmallExit::from(exit));
        let blocked = incoming.blocked.take()?;
        let mut turned = TurnedAway { requests: Vec::new(), rooms: Vec::new() };
        for mut blocked in *blocked {
            let Some(sender) = &mut blocked.sender else {
                turned.requests.push(blocked.envelope);
                continue;
            };
            // It stays until its sender takes it back, who may give up at this moment and needs it all the same.
            turned.rooms.extend(sender.room.take());
            incoming.blocked.get_or_insert_default().push_back(blocked);
        }
        incoming.others().rejected += turned.requests.len() as u64;
        self.note_blocked(incoming);
        Some(turned)
    }

    fn take_left(&self, incoming: &mut Incoming<M>) -> Batch<M> {
        let mut left = std::mem::take(&mut incoming.queue);
        // A batch is taken under the lock that is held, so that none is missed. A life that was abandoned may still take
        // out of it: what it took is counted by then.
        if self.taken_messages.load(Acquire) > 0 {
            let mut taken = lock(&self.taken);
            // What was taken came before what has come in since.
            std::mem::swap(&mut *taken, &mut left);
            left.append(&mut taken);
            self.note_taken(&taken, 0);
        }
        if !left.is_empty() {
            incoming.bytes = 0;
            self.incoming_messages.store(0, Relaxed);
            incoming.others().dead_letters += left.len() as u64;
        }
        left
    }

    fn hand_over(&self, incoming: &mut Incoming<M>) -> Counts {
        // What was delivered is not taken back, so it is handed over once.
        let delivered = if self.is_retired.load(Relaxed) { 0 } else { self.delivered.load(Relaxed) };
        self.is_retired.store(true, Relaxed);
        Counts { delivered, ..incoming.take_counts() }
    }
}

/// Those who waited for room of a mailbox that has closed.
struct TurnedAway<M: Message> {
    requests: Vec<Envelope<M>>,
    rooms: Vec<Resolver<(), Error>>,
}

impl<M: Message> TurnedAway<M> {
    fn tell(self, exit: &Exit) {
        for mut request in self.requests {
            request.reply.settle(Err(Error::Stopped(exit.clone()).into()));
        }
        for room in self.rooms {
            room.settle(Err(Error::Stopped(exit.clone())));
        }
    }
}
