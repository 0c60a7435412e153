//! A bounded queue of messages that counts what becomes of each.

mod ending;

use std::collections::VecDeque;

use crate::actor::{Message, ReplyTo};
use crate::bounds::{Bounds, Overflow};
use crate::counts::Counts;
use crate::error::{Error, Refused};
use crate::exit::{Exit, SmallExit};
use crate::promise::Resolver;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::Release};
use crate::sync::{Mutex, MutexGuard, lock};

/// A message on its way, with the duty to answer it.
pub(crate) struct Envelope<M: Message> {
    pub message: M,
    pub reply: ReplyTo<M>,
}

/// A message whose sender waits for room.
struct Blocked<M: Message> {
    envelope: Envelope<M>,
    /// Absent for a request, whose caller waits for the answer anyway.
    sender: Option<Sender>,
}

/// A sender that waits. It takes its message back by the ticket whenever it does not want to wait any more.
pub(crate) struct Sender {
    pub ticket: u64,
    /// Tells it that its message is in, or why it never will be.
    pub room: Option<Resolver<(), Error>>,
}

struct Incoming<M: Message> {
    queue: VecDeque<Envelope<M>>,
    bytes: u64,
    closed: Option<SmallExit>,
    #[allow(clippy::box_collection, reason = "a null pointer is smaller than an empty queue")]
    blocked: Option<Box<VecDeque<Blocked<M>>>>,
    sent: u64,
    /// Neither sent nor delivered; boxed, for most mailboxes see none of it.
    others: Option<Box<Counts>>,
}

/// What the actor has taken out at once and not yet handled.
type Batch<M> = VecDeque<Envelope<M>>;

/// How a push went.
pub(crate) enum Pushed<M: Message> {
    /// Queued; `first` if nothing waited, so that somebody has to activate the actor.
    Queued { first: bool },
    /// Queued in the place of an older one, which its caller must be told of.
    Instead { first: bool, dropped: Envelope<M> },
}

/// A bounded queue: many push, one takes. The taker swaps the whole queue out, so senders meet it once a batch.
// Who needs both locks takes `incoming` first.
pub(crate) struct Mailbox<M: Message> {
    bounds: Bounds,
    overflow: Overflow,
    incoming: Mutex<Incoming<M>>,
    taken: Mutex<Batch<M>>,
    /// What `incoming` holds, written under its lock. Read without it: a push that is not seen activates its actor again.
    incoming_messages: AtomicUsize,
    // Those below are written by the taker alone, or under both locks, so a plain load and store do.
    /// What the batch holds, so that nobody needs its lock to know.
    taken_messages: AtomicUsize,
    taken_bytes: AtomicU64,
    /// Whether somebody waits for room. One that is not seen at once is seen when the batch is used up.
    is_blocking: AtomicBool,
    /// Whether a batch was so big that its room is to be given back.
    is_big: AtomicBool,
    /// Whether its counts were handed over. Written and read under the lock of `incoming`.
    is_retired: AtomicBool,
    delivered: AtomicU64,
}

/// Bytes of room that an empty queue keeps: what a small burst needed is not asked for again at the next one.
const KEPT_BYTES: usize = 24 << 10;

/// Messages that may wait for room, besides those that have it.
const BLOCKED_MAX: usize = 1_000;

impl<M: Message> Mailbox<M> {
    const KEPT: usize = KEPT_BYTES / size_of::<Envelope<M>>();

    pub(crate) fn new(bounds: Bounds, overflow: Overflow) -> Self {
        let incoming =
            Incoming { queue: VecDeque::new(), bytes: 0, closed: None, blocked: None, sent: 0, others: None };
        Self {
            bounds,
            overflow,
            incoming: Mutex::new(incoming),
            taken: Mutex::new(VecDeque::new()),
            incoming_messages: AtomicUsize::new(0),
            taken_messages: AtomicUsize::new(0),
            taken_bytes: AtomicU64::new(0),
            is_blocking: AtomicBool::new(false),
            is_big: AtomicBool::new(false),
            is_retired: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
        }
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Queues a message, or gives it back.
    #[inline]
    pub(crate) fn push(&self, envelope: Envelope<M>) -> Result<Pushed<M>, Refused<Envelope<M>>> {
        let mut incoming = lock(&self.incoming);
        incoming.sent += 1;
        let size = envelope.message.size_bytes() as u64;
        if incoming.closed.is_some() {
            return Err(incoming.refuse(envelope));
        }
        if size > self.bounds.message_bytes_max {
            return Err(incoming.refuse_big(envelope, self.bounds.message_bytes_max));
        }
        // Whoever waits for room is not overtaken, be it by a message that is smaller.
        if self.is_blocking.load(Relaxed) || self.is_full(&incoming, size) {
            return self.push_full(incoming, envelope, size);
        }
        Ok(Pushed::Queued { first: self.queue(&mut incoming, envelope, size) })
    }

    /// Queues a message in the place of one that nobody waits for, or does what is to be done where there is none.
    #[cold]
    fn push_full(
        &self,
        mut incoming: MutexGuard<'_, Incoming<M>>,
        envelope: Envelope<M>,
        size: u64,
    ) -> Result<Pushed<M>, Refused<Envelope<M>>> {
        let swept = self.sweep(&mut incoming);
        let pushed = match self.is_blocking.load(Relaxed) || self.is_full(&incoming, size) {
            true => self.overflowed(&mut incoming, envelope, size),
            false => Ok(Pushed::Queued { first: self.queue(&mut incoming, envelope, size) }),
        };
        drop(incoming);
        drop(swept);
        pushed
    }

    fn overflowed(
        &self,
        incoming: &mut Incoming<M>,
        envelope: Envelope<M>,
        size: u64,
    ) -> Result<Pushed<M>, Refused<Envelope<M>>> {
        if self.overflow == Overflow::DropOldest
            && let Some(dropped) = self.drop_oldest(incoming, size)
        {
            let first = self.queue(incoming, envelope, size);
            return Ok(Pushed::Instead { first, dropped });
        }
        let error = self.full(incoming);
        match self.overflow {
            // It is not refused yet: its sender waits for room, or calls `reject`.
            Overflow::Block => incoming.sent -= 1,
            _ => incoming.others().rejected += 1,
        }
        Err(Refused { message: envelope, error })
    }

    /// Takes out the oldest that waits, if that makes room for a message of this size.
    fn drop_oldest(&self, incoming: &mut Incoming<M>, size: u64) -> Option<Envelope<M>> {
        let mut taken = lock(&self.taken);
        let oldest = taken.front().or_else(|| incoming.queue.front())?;
        let frees = oldest.message.size_bytes() as u64;
        let bytes = incoming.bytes + self.taken_bytes.load(Relaxed) - frees;
        // A big message may not fit into the place of a small one.
        if bytes.saturating_add(size) > self.bounds.bytes_max || self.bounds.messages_max == 0 {
            return None;
        }
        incoming.others().dropped += 1;
        if taken.is_empty() {
            incoming.bytes -= frees;
            let dropped = incoming.queue.pop_front();
            self.incoming_messages.store(incoming.queue.len(), Relaxed);
            return dropped;
        }
        let dropped = taken.pop_front();
        self.note_taken(&taken, self.taken_bytes.load(Relaxed) - frees);
        dropped
    }

    /// Takes out what nobody waits for any more; to be dropped when no lock is held.
    #[cold]
    fn sweep(&self, incoming: &mut Incoming<M>) -> Batch<M> {
        let mut taken = lock(&self.taken);
        let mut bytes = self.taken_bytes.load(Relaxed);
        let mut swept = sweep(&mut incoming.queue, &mut incoming.bytes);
        swept.append(&mut sweep(&mut taken, &mut bytes));
        self.incoming_messages.store(incoming.queue.len(), Relaxed);
        self.note_taken(&taken, bytes);
        incoming.others().dropped += swept.len() as u64;
        swept
    }

    /// `true` if nothing waited before.
    #[inline]
    fn queue(&self, incoming: &mut Incoming<M>, envelope: Envelope<M>, size: u64) -> bool {
        incoming.bytes += size;
        if incoming.queue.capacity() == 0 {
            // Many actors are asked one thing at a time, and are smaller so.
            incoming.queue.reserve_exact(1);
        }
        incoming.queue.push_back(envelope);
        let messages = incoming.queue.len();
        self.incoming_messages.store(messages, Relaxed);
        messages == 1
    }

    fn note_taken(&self, taken: &Batch<M>, bytes: u64) {
        self.taken_messages.store(taken.len(), Relaxed);
        self.taken_bytes.store(bytes, Relaxed);
    }

    fn full(&self, incoming: &Incoming<M>) -> Error {
        Error::MailboxFull {
            messages: (incoming.queue.len() + self.taken_messages.load(Relaxed)) as u64,
            bytes: incoming.bytes + self.taken_bytes.load(Relaxed),
        }
    }

    // A taker at work may have made room that is not seen yet; it never seems to be more than there is.
    fn is_full(&self, incoming: &Incoming<M>, size: u64) -> bool {
        let messages = incoming.queue.len() + self.taken_messages.load(Relaxed);
        let bytes = incoming.bytes + self.taken_bytes.load(Relaxed);
        messages as u64 >= self.bounds.messages_max || bytes.saturating_add(size) > self.bounds.bytes_max
    }

    /// Whether a message of this size fits when nothing else is there.
    pub(crate) fn could_hold(&self, size: u64) -> bool {
        self.bounds.messages_max > 0 && size <= self.bounds.bytes_max
    }

    /// How full it is, as an error.
    pub(crate) fn full_error(&self) -> Error {
        self.full(&lock(&self.incoming))
    }

    /// Counts a message that found no room and does not wait for it.
    pub(crate) fn reject(&self) {
        let mut incoming = lock(&self.incoming);
        incoming.sent += 1;
        incoming.others().rejected += 1;
    }

    /// Lets a message wait for room; its sender is told when it is queued, or the mailbox closes. Refused where as many
    /// wait as may, or as many bytes as the mailbox holds: then it is still to be counted.
    pub(crate) fn wait_for_room(
        &self,
        envelope: Envelope<M>,
        sender: Option<Sender>,
    ) -> Result<(), Refused<Envelope<M>>> {
        let mut incoming = lock(&self.incoming);
        incoming.sent += 1;
        if incoming.closed.is_some() {
            return Err(incoming.refuse(envelope));
        }
        let size = envelope.message.size_bytes() as u64;
        let mut given_up = VecDeque::new();
        if !self.may_wait(&incoming, size) {
            // Those whose senders have given up make room for others who wait.
            given_up = incoming.take_abandoned();
            if !self.may_wait(&incoming, size) {
                incoming.sent -= 1;
                let error = self.full(&incoming);
                drop(incoming);
                drop(given_up);
                return Err(Refused { message: envelope, error });
            }
        }
        incoming.blocked.get_or_insert_default().push_back(Blocked { envelope, sender });
        self.note_blocked(&incoming);
        drop(incoming);
        drop(given_up);
        // Room may have come since the push that failed.
        self.admit();
        Ok(())
    }

    fn may_wait(&self, incoming: &Incoming<M>, size: u64) -> bool {
        let Some(blocked) = incoming.blocked.as_deref() else { return true };
        let bytes: u64 = blocked.iter().map(|blocked| blocked.envelope.message.size_bytes() as u64).sum();
        blocked.len() < BLOCKED_MAX && bytes.saturating_add(size) <= self.bounds.bytes_max
    }

    /// Who waits for room of a closed mailbox waits for nothing.
    fn note_blocked(&self, incoming: &Incoming<M>) {
        let waiting = incoming.blocked.as_ref().is_some_and(|blocked| !blocked.is_empty());
        self.is_blocking.store(waiting && incoming.closed.is_none(), Relaxed);
    }

    /// Takes back a message that still waits for room; without one it has come in.
    pub(crate) fn withdraw(&self, ticket: u64) -> Option<M> {
        let mut incoming = lock(&self.incoming);
        let blocked = incoming.blocked.as_mut()?;
        let place = blocked
            .iter()
            .position(|blocked| blocked.sender.as_ref().is_some_and(|it| it.ticket == ticket))?;
        let message = blocked.remove(place)?.envelope.message;
        incoming.others().rejected += 1;
        self.note_blocked(&incoming);
        Some(message)
    }

    /// Queues what waited for room, as far as there is room.
    #[cold]
    fn admit(&self) {
        let (mut admitted, mut given_up) = (Vec::new(), Vec::new());
        let mut incoming = lock(&self.incoming);
        while let Some(front) = incoming.blocked.as_ref().and_then(|blocked| blocked.front()) {
            let size = front.envelope.message.size_bytes() as u64;
            if incoming.closed.is_some() || self.is_full(&incoming, size) {
                break;
            }
            let Some(blocked) = incoming.blocked.as_mut().and_then(|blocked| blocked.pop_front()) else {
                break;
            };
            if blocked.is_abandoned() {
                incoming.others().rejected += 1;
                given_up.push(blocked);
                continue;
            }
            self.queue(&mut incoming, blocked.envelope, size);
            admitted.extend(blocked.sender.and_then(|sender| sender.room));
        }
        self.note_blocked(&incoming);
        drop(incoming);
        drop(given_up);
        for room in admitted {
            room.settle(Ok(()));
        }
    }

    /// The next message whose caller still waits; only the one that runs the actor calls it.
    // A message leaves its queue in a return, so that it is moved once.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Envelope<M>> {
        match self.is_blocking.load(Relaxed) {
            false => self.pop_next(),
            true => self.pop_and_admit(),
        }
    }

    /// The same, where senders wait for the room that is made.
    #[cold]
    fn pop_and_admit(&self) -> Option<Envelope<M>> {
        self.admit();
        let next = self.pop_next();
        self.admit();
        next
    }

    #[inline]
    fn pop_next(&self) -> Option<Envelope<M>> {
        loop {
            if self.taken_messages.load(Relaxed) > 0 {
                let mut taken = lock(&self.taken);
                match taken.front() {
                    Some(next) if !next.reply.is_abandoned() => {
                        let bytes = self.taken_bytes.load(Relaxed) - next.message.size_bytes() as u64;
                        self.taken_bytes.store(bytes, Relaxed);
                        self.delivered.store(self.delivered.load(Relaxed) + 1, Relaxed);
                        // Who sees that nothing is left without the lock sees what was delivered: `take_left`.
                        self.taken_messages.store(taken.len() - 1, Release);
                        return taken.pop_front();
                    }
                    _ => drop(taken),
                }
                self.drop_abandoned();
                continue;
            }
            if self.has_nothing() {
                return None;
            }
            let mut incoming = lock(&self.incoming);
            if incoming.queue.len() == 1
                && let Some(next) = incoming.queue.front()
                && !next.reply.is_abandoned()
            {
                // A single one needs no second queue.
                incoming.bytes = 0;
                self.incoming_messages.store(0, Relaxed);
                self.delivered.store(self.delivered.load(Relaxed) + 1, Relaxed);
                return incoming.queue.pop_front();
            }
            if !self.take(incoming) {
                return None;
            }
        }
    }

    /// Whether nothing came in, and nothing else is to be done about what may.
    #[inline]
    fn has_nothing(&self) -> bool {
        let (messages, blocking) = (&self.incoming_messages, &self.is_blocking);
        messages.load(Relaxed) == 0 && !blocking.load(Relaxed) && !self.is_big.load(Relaxed)
    }

    /// Makes all that came in the batch; `false` if it was nothing.
    fn take(&self, mut incoming: MutexGuard<'_, Incoming<M>>) -> bool {
        if !incoming.queue.is_empty() {
            let mut taken = lock(&self.taken);
            std::mem::swap(&mut *taken, &mut incoming.queue);
            self.incoming_messages.store(0, Relaxed);
            self.note_taken(&taken, std::mem::take(&mut incoming.bytes));
            if taken.capacity() > Self::KEPT {
                self.is_big.store(true, Relaxed);
            }
            return true;
        }
        if self.is_blocking.load(Relaxed) {
            // Whether there is room is seen for sure only here, where nothing waits.
            drop(incoming);
            self.admit();
            return true;
        }
        self.shrink(&mut incoming);
        false
    }

    /// Drops the first of the batch, for whose answer nobody waits any more.
    #[cold]
    fn drop_abandoned(&self) {
        let (mut incoming, mut taken) = (lock(&self.incoming), lock(&self.taken));
        // Looked at again: a push that swept, or dropped the oldest, may have taken it out since.
        if !taken.front().is_some_and(|next| next.reply.is_abandoned()) {
            return;
        }
        let Some(abandoned) = taken.pop_front() else { return };
        let bytes = self.taken_bytes.load(Relaxed) - abandoned.message.size_bytes() as u64;
        self.note_taken(&taken, bytes);
        incoming.others().dropped += 1;
        drop((incoming, taken));
        // Only now: what a message does when it is dropped is not ours to know, so no lock may be held.
        drop(abandoned);
    }

    /// An idle actor keeps no more room than a small burst needs.
    #[cold]
    fn shrink(&self, incoming: &mut Incoming<M>) {
        for queue in [&mut incoming.queue, &mut *lock(&self.taken)] {
            if queue.capacity() > Self::KEPT {
                *queue = VecDeque::new();
            }
        }
        self.is_big.store(false, Relaxed);
    }

    /// Whether nothing waits that could be handled.
    pub(crate) fn is_empty(&self) -> bool {
        let messages = self.taken_messages.load(Relaxed) + self.incoming_messages.load(Relaxed);
        messages == 0 && !self.is_blocking.load(Relaxed)
    }

    pub(crate) fn counts(&self) -> Counts {
        let incoming = lock(&self.incoming);
        // What was delivered before it retired was handed over.
        let delivered = if self.is_retired.load(Relaxed) { 0 } else { self.delivered.load(Relaxed) };
        Counts { delivered, ..incoming.counts() }
    }

    /// Messages handed to the actor, over all lives.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Messages that wait, those whose sender waits for room among them.
    pub(crate) fn len(&self) -> usize {
        let incoming = lock(&self.incoming);
        let blocked = incoming.blocked.as_ref().map_or(0, |blocked| blocked.len());
        incoming.queue.len() + blocked + self.taken_messages.load(Relaxed)
    }
}

impl<M: Message> Incoming<M> {
    fn others(&mut self) -> &mut Counts {
        self.others.get_or_insert_default()
    }

    /// All but `delivered`.
    fn counts(&self) -> Counts {
        Counts { sent: self.sent, ..self.others.as_deref().copied().unwrap_or_default() }
    }

    fn take_counts(&mut self) -> Counts {
        let counts = self.counts();
        (self.sent, self.others) = (0, None);
        counts
    }

    /// Takes out of those that wait for room whose senders have given up.
    fn take_abandoned(&mut self) -> VecDeque<Blocked<M>> {
        let Some(blocked) = self.blocked.as_deref_mut() else { return VecDeque::new() };
        let (given_up, kept): (VecDeque<_>, VecDeque<_>) = blocked.drain(..).partition(Blocked::is_abandoned);
        *blocked = kept;
        self.others().rejected += given_up.len() as u64;
        given_up
    }

    #[cold]
    fn refuse_big(&mut self, envelope: Envelope<M>, allowed: u64) -> Refused<Envelope<M>> {
        self.others().rejected += 1;
        let bytes = envelope.message.size_bytes() as u64;
        Refused { message: envelope, error: Error::TooLarge { bytes, allowed } }
    }

    #[cold]
    fn refuse(&mut self, envelope: Envelope<M>) -> Refused<Envelope<M>> {
        self.others().rejected += 1;
        let exit = self.closed.as_ref().map_or(Exit::Shutdown, Exit::from);
        Refused { message: envelope, error: Error::Stopped(exit) }
    }
}

/// Takes out of a queue what nobody waits for any more.
fn sweep<M: Message>(queue: &mut Batch<M>, bytes: &mut u64) -> Batch<M> {
    if !queue.iter().any(|envelope| envelope.reply.is_abandoned()) {
        return Batch::new();
    }
    let (swept, kept): (Batch<M>, Batch<M>) =
        queue.drain(..).partition(|envelope| envelope.reply.is_abandoned());
    *queue = kept;
    *bytes -= swept.iter().map(|envelope| envelope.message.size_bytes() as u64).sum::<u64>();
    swept
}

impl<M: Message> Blocked<M> {
    /// Whether the caller of a request waits no more. A sender takes its message back itself.
    fn is_abandoned(&self) -> bool {
        self.envelope.reply.is_abandoned()
    }
}
