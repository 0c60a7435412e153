//! A bounded queue of messages that counts what becomes of each.

use std::collections::VecDeque;

use crate::actor::{Message, ReplyTo};
use crate::bounds::{Bounds, Overflow};
use crate::counts::Counts;
use crate::error::{Error, Refused};
use crate::exit::Exit;
use crate::promise::Resolver;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, MutexGuard, lock};

/// A message on its way, with the duty to answer it.
pub(crate) struct Envelope<M: Message> {
    pub message: M,
    pub reply: ReplyTo<M>,
}

/// A message whose sender waits for room.
struct Blocked<M: Message> {
    ticket: u64,
    envelope: Envelope<M>,
    /// Absent for a request, whose caller waits for the answer anyway.
    room: Option<Room<M>>,
}

/// Tells a sender that its message is in, or gives it back.
pub(crate) type Room<M> = Resolver<Option<Refused<M>>, Error>;

struct Incoming<M: Message> {
    queue: VecDeque<Envelope<M>>,
    bytes: u64,
    closed: Option<Exit>,
    retired: bool,
    #[allow(clippy::box_collection, reason = "a null pointer is smaller than an empty queue")]
    blocked: Option<Box<VecDeque<Blocked<M>>>>,
    /// All but `delivered`, and the part of `dropped` that the taker found.
    counts: Counts,
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
    delivered: AtomicU64,
    /// Found in the batch when the caller had given up.
    dropped_late: AtomicU64,
}

/// Bytes of room that an empty queue keeps: what a small burst needed is not asked for again at the next one.
const KEPT_BYTES: usize = 24 << 10;

impl<M: Message> Mailbox<M> {
    const KEPT: usize = KEPT_BYTES / size_of::<Envelope<M>>();

    pub(crate) fn new(bounds: Bounds, overflow: Overflow) -> Self {
        let incoming = Incoming {
            queue: VecDeque::new(),
            bytes: 0,
            closed: None,
            retired: false,
            blocked: None,
            counts: Counts::default(),
        };
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
            delivered: AtomicU64::new(0),
            dropped_late: AtomicU64::new(0),
        }
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Queues a message, or gives it back.
    #[inline]
    pub(crate) fn push(&self, envelope: Envelope<M>) -> Result<Pushed<M>, Refused<Envelope<M>>> {
        let mut incoming = lock(&self.incoming);
        incoming.counts.sent += 1;
        let size = envelope.message.size_bytes() as u64;
        if incoming.closed.is_some() {
            return Err(incoming.refuse(envelope));
        }
        if self.is_full(&incoming, size) {
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
        let pushed = match self.is_full(&incoming, size) {
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
            Overflow::Block => incoming.counts.sent -= 1,
            _ => incoming.counts.rejected += 1,
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
        incoming.counts.dropped += 1;
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
        incoming.counts.dropped += swept.len() as u64;
        swept
    }

    /// `true` if nothing waited before.
    #[inline]
    fn queue(&self, incoming: &mut Incoming<M>, envelope: Envelope<M>, size: u64) -> bool {
        incoming.bytes += size;
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
        incoming.counts.sent += 1;
        incoming.counts.rejected += 1;
    }

    /// Lets a message wait for room; the resolver is settled when it is queued, or the mailbox closes.
    pub(crate) fn wait_for_room(&self, ticket: u64, envelope: Envelope<M>, room: Option<Room<M>>) {
        let mut incoming = lock(&self.incoming);
        if let Some(exit) = incoming.closed.clone() {
            incoming.counts.sent += 1;
            incoming.counts.rejected += 1;
            drop(incoming);
            return refuse(envelope, room, Error::Stopped(exit));
        }
        incoming.counts.sent += 1;
        incoming.blocked.get_or_insert_default().push_back(Blocked { ticket, envelope, room });
        self.is_blocking.store(true, Relaxed);
        drop(incoming);
        // Room may have come since the push that failed.
        self.admit();
    }

    /// Takes back a message that still waits for room.
    pub(crate) fn withdraw(&self, ticket: u64) -> Option<M> {
        let mut incoming = lock(&self.incoming);
        let blocked = incoming.blocked.as_mut()?;
        let place = blocked.iter().position(|blocked| blocked.ticket == ticket)?;
        let message = blocked.remove(place)?.envelope.message;
        incoming.counts.rejected += 1;
        Some(message)
    }

    /// Queues what waited for room, as far as there is room.
    #[cold]
    fn admit(&self) {
        let mut admitted = Vec::new();
        let mut incoming = lock(&self.incoming);
        while let Some(front) = incoming.blocked.as_ref().and_then(|blocked| blocked.front()) {
            let size = front.envelope.message.size_bytes() as u64;
            if self.is_full(&incoming, size) {
                break;
            }
            let Some(blocked) = incoming.blocked.as_mut().and_then(|blocked| blocked.pop_front()) else {
                break;
            };
            if blocked.is_abandoned() {
                incoming.counts.rejected += 1;
                continue;
            }
            self.queue(&mut incoming, blocked.envelope, size);
            admitted.extend(blocked.room);
        }
        let waiting = incoming.blocked.as_ref().is_some_and(|blocked| !blocked.is_empty());
        self.is_blocking.store(waiting, Relaxed);
        drop(incoming);
        for room in admitted {
            room.settle(Ok(None));
        }
    }

    /// The next message whose caller still waits; only the one that runs the actor calls it.
    // A message leaves its queue in a return, so that it is moved once.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Envelope<M>> {
        if self.is_blocking.load(Relaxed) {
            self.admit();
        }
        loop {
            if self.taken_messages.load(Relaxed) > 0 {
                let mut taken = lock(&self.taken);
                match taken.front() {
                    Some(next) if !next.reply.is_abandoned() => {
                        let bytes = self.taken_bytes.load(Relaxed) - next.message.size_bytes() as u64;
                        self.taken_bytes.store(bytes, Relaxed);
                        self.taken_messages.store(taken.len() - 1, Relaxed);
                        self.delivered.store(self.delivered.load(Relaxed) + 1, Relaxed);
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
        let mut taken = lock(&self.taken);
        let Some(abandoned) = taken.pop_front() else { return self.note_taken(&taken, 0) };
        let bytes = self.taken_bytes.load(Relaxed) - abandoned.message.size_bytes() as u64;
        self.note_taken(&taken, bytes);
        self.dropped_late.store(self.dropped_late.load(Relaxed) + 1, Relaxed);
        drop(taken);
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

    /// Refuses whatever comes from now on, and whoever waits for room.
    pub(crate) fn close(&self, exit: &Exit) {
        let mut incoming = lock(&self.incoming);
        incoming.closed.get_or_insert_with(|| exit.clone());
        let blocked = incoming.blocked.take();
        self.is_blocking.store(false, Relaxed);
        incoming.counts.rejected += blocked.as_ref().map_or(0, |blocked| blocked.len() as u64);
        drop(incoming);
        for Blocked { envelope, room, .. } in blocked.into_iter().flat_map(|blocked| *blocked) {
            refuse(envelope, room, Error::Stopped(exit.clone()));
        }
    }

    /// Takes messages again.
    pub(crate) fn reopen(&self) {
        lock(&self.incoming).closed = None;
    }

    /// Takes what is left, as dead letters.
    pub(crate) fn drain(&self) -> VecDeque<Envelope<M>> {
        let mut incoming = lock(&self.incoming);
        let mut taken = lock(&self.taken);
        let mut left = std::mem::take(&mut *taken);
        left.append(&mut incoming.queue);
        incoming.bytes = 0;
        self.incoming_messages.store(0, Relaxed);
        self.note_taken(&taken, 0);
        incoming.counts.dead_letters += left.len() as u64;
        left
    }

    /// Hands its counts over; what it counts from now on are late comers.
    pub(crate) fn retire(&self) -> Counts {
        let mut incoming = lock(&self.incoming);
        incoming.retired = true;
        self.counted(&std::mem::take(&mut incoming.counts))
    }

    /// What was counted since it retired, to be added elsewhere; nothing if it has not.
    pub(crate) fn late(&self) -> Option<Counts> {
        let mut incoming = lock(&self.incoming);
        incoming.retired.then(|| std::mem::take(&mut incoming.counts))
    }

    pub(crate) fn counts(&self) -> Counts {
        let incoming = lock(&self.incoming);
        match incoming.retired {
            true => incoming.counts,
            false => self.counted(&incoming.counts),
        }
    }

    fn counted(&self, others: &Counts) -> Counts {
        let dropped = others.dropped + self.dropped_late.load(Relaxed);
        Counts { delivered: self.delivered.load(Relaxed), dropped, ..*others }
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
    #[cold]
    fn refuse(&mut self, envelope: Envelope<M>) -> Refused<Envelope<M>> {
        self.counts.rejected += 1;
        let exit = self.closed.clone().unwrap_or(Exit::Shutdown);
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

/// Gives a message back to its sender, who waited for room.
fn refuse<M: Message>(mut envelope: Envelope<M>, room: Option<Room<M>>, error: Error) {
    envelope.reply.settle(Err(error.clone().into()));
    if let Some(room) = room {
        room.settle(Ok(Some(Refused { message: envelope.message, error })));
    }
}

impl<M: Message> Blocked<M> {
    /// Whether nobody waits any more.
    fn is_abandoned(&self) -> bool {
        match &self.room {
            Some(room) => room.is_abandoned(),
            None => self.envelope.reply.is_abandoned(),
        }
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;
    use crate::promise::promise;

    struct Text(&'static str);

    impl Message for Text {
        type Reply = ();
        type Error = Error;

        fn size_bytes(&self) -> usize {
            self.0.len()
        }
    }

    fn envelope(text: &'static str) -> Envelope<Text> {
        Envelope { message: Text(text), reply: ReplyTo::new(None) }
    }

    fn adds_up(mailbox: &Mailbox<Text>) -> Counts {
        let counts = mailbox.counts();
        let Counts { sent, delivered, rejected, dropped, dead_letters } = counts;
        assert_eq!(sent, delivered + rejected + dropped + dead_letters + mailbox.len() as u64);
        counts
    }

    fn queued(pushed: Result<Pushed<Text>, Refused<Envelope<Text>>>) -> Option<bool> {
        match pushed {
            Ok(Pushed::Queued { first } | Pushed::Instead { first, .. }) => Some(first),
            Err(_) => None,
        }
    }

    #[test]
    fn hostile_g5_a_full_mailbox_rejects_and_the_counts_add_up() {
        let mailbox = Mailbox::new(Bounds { messages_max: 2, bytes_max: 5 }, Overflow::Reject);
        assert_eq!(queued(mailbox.push(envelope("abc"))), Some(true));
        assert_eq!(queued(mailbox.push(envelope("def"))), None, "six bytes are more than five");
        assert_eq!(queued(mailbox.push(envelope("de"))), Some(false));
        assert_eq!(queued(mailbox.push(envelope(""))), None, "three messages are more than two");
        assert_eq!(mailbox.pop().expect("first").message.0, "abc");
        adds_up(&mailbox);
        assert_eq!(queued(mailbox.push(envelope("abc"))), Some(true));
        assert_eq!(queued(mailbox.push(envelope(""))), None, "what was taken out at once still waits");
        assert_eq!(mailbox.drain().len(), 2);
        mailbox.close(&Exit::Shutdown);
        assert!(matches!(mailbox.push(envelope("x")), Err(Refused { error: Error::Stopped(_), .. })));
        let counts = adds_up(&mailbox);
        assert_eq!(counts, Counts { sent: 7, delivered: 1, rejected: 4, dropped: 0, dead_letters: 2 });
    }

    #[test]
    fn hostile_g5_the_oldest_makes_room() {
        let mailbox = Mailbox::new(Bounds { messages_max: 2, bytes_max: 4 }, Overflow::DropOldest);
        for text in ["a", "b", "c"] {
            assert!(queued(mailbox.push(envelope(text))).is_some());
        }
        assert_eq!(queued(mailbox.push(envelope("12345"))), None, "it fits into no mailbox of four bytes");
        assert_eq!(mailbox.pop().expect("b").message.0, "b");
        assert_eq!(mailbox.pop().expect("c").message.0, "c");
        assert!(mailbox.pop().is_none());
        let counts = adds_up(&mailbox);
        assert_eq!(counts, Counts { sent: 4, delivered: 2, rejected: 1, dropped: 1, dead_letters: 0 });
    }

    #[test]
    fn hostile_g5_a_sender_waits_for_room_and_keeps_its_place() {
        let mailbox = Mailbox::new(Bounds { messages_max: 1, bytes_max: 10 }, Overflow::Block);
        assert!(queued(mailbox.push(envelope("a"))).is_some());
        let (room, mut waits) = promise::<Option<Refused<Text>>, Error>();
        mailbox.wait_for_room(1, envelope("b"), Some(room));
        let (second_room, second) = promise::<Option<Refused<Text>>, Error>();
        mailbox.wait_for_room(2, envelope("c"), Some(second_room));
        assert!(waits.try_take().is_none());
        adds_up(&mailbox);
        assert_eq!(mailbox.withdraw(2).expect("still outside").0, "c");
        assert_eq!(mailbox.pop().expect("a").message.0, "a");
        assert_eq!(mailbox.pop().expect("b").message.0, "b");
        assert!(matches!(waits.try_take(), Some(Ok(None))));
        drop(second);
        let counts = adds_up(&mailbox);
        // The refusal of the push that found no room is not counted: its message waited instead.
        assert_eq!(counts, Counts { sent: 3, delivered: 2, rejected: 1, dropped: 0, dead_letters: 0 });
    }
}
