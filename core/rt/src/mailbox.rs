//! A bounded queue of messages that counts what becomes of each.

use std::collections::VecDeque;

use crate::actor::{Message, ReplyTo};
use crate::error::{Error, Refused};
use crate::exit::Exit;
use crate::promise::Resolver;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// What a mailbox may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages that wait.
    pub messages_max: u64,
    /// Bytes that wait, by [`Message::size_bytes`].
    pub bytes_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { messages_max: 1_000, bytes_max: 16 << 20 }
    }
}

/// What becomes of a message that finds the mailbox full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// It comes back to its sender.
    #[default]
    Reject,
    /// The oldest one that waits is dropped for it.
    DropOldest,
    /// Its sender waits for room, up to its deadline; an actor that sends to itself is refused.
    Block,
}

/// What became of messages: sent = delivered + rejected + dropped + dead_letters + those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offered.
    pub sent: u64,
    /// Handed to the actor.
    pub delivered: u64,
    /// Refused: full or closed.
    pub rejected: u64,
    /// Removed: the caller gave up first, or a newer message took the place.
    pub dropped: u64,
    /// Still queued when the actor ended for good.
    pub dead_letters: u64,
}

impl Counts {
    /// Adds the counts of another mailbox.
    pub fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.rejected += other.rejected;
        self.dropped += other.dropped;
        self.dead_letters += other.dead_letters;
    }
}

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
    closed: Option<Exit>,
    retired: bool,
    // Boxed: most mailboxes never block anybody.
    blocked: Option<Box<VecDeque<Blocked<M>>>>,
    /// All but `delivered`, and the part of `dropped` that the taker found.
    counts: Counts,
}

/// What the actor has taken out at once and not yet handled: one lock for many messages.
struct Taken<M: Message> {
    batch: VecDeque<Envelope<M>>,
    bytes: u64,
}

/// How a push went.
pub(crate) enum Pushed<M: Message> {
    /// Queued; `first` if nothing waited, so that somebody has to activate the actor.
    Queued { first: bool },
    /// Queued in the place of an older one, which its caller must be told of.
    Instead { first: bool, dropped: Envelope<M> },
}

/// A bounded queue: many push, one takes. Senders and the taker meet at one lock per batch.
pub(crate) struct Mailbox<M: Message> {
    bounds: Bounds,
    overflow: Overflow,
    incoming: Mutex<Incoming<M>>,
    taken: Mutex<Taken<M>>,
    // The three below are written by the taker alone, so a plain load and store do.
    /// Length of the batch: most turns find it empty, and need not lock it to know.
    taken_messages: AtomicUsize,
    delivered: AtomicU64,
    /// Found in the batch when the caller had given up.
    dropped_late: AtomicU64,
}

/// Messages taken at once. With `DropOldest` it is one, so that the oldest is still there to be dropped.
const BATCH: usize = 64;
/// Bytes taken at once, but for a single message.
const BATCH_BYTES: u64 = 64 << 10;
/// Room for messages that an empty queue keeps.
const KEPT: usize = 64;

impl<M: Message> Mailbox<M> {
    pub(crate) fn new(bounds: Bounds, overflow: Overflow) -> Self {
        let incoming = Incoming {
            queue: VecDeque::new(),
            bytes: 0,
            closed: None,
            retired: false,
            blocked: None,
            counts: Counts::default(),
        };
        let taken = Taken { batch: VecDeque::new(), bytes: 0 };
        Self {
            bounds,
            overflow,
            incoming: Mutex::new(incoming),
            taken: Mutex::new(taken),
            taken_messages: AtomicUsize::new(0),
            delivered: AtomicU64::new(0),
            dropped_late: AtomicU64::new(0),
        }
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Queues a message, or gives it back.
    pub(crate) fn push(&self, envelope: Envelope<M>) -> Result<Pushed<M>, Refused<Envelope<M>>> {
        let mut incoming = lock(&self.incoming);
        incoming.counts.sent += 1;
        let size = envelope.message.size_bytes() as u64;
        if let Some(exit) = &incoming.closed {
            let error = Error::Stopped(exit.clone());
            incoming.counts.rejected += 1;
            return Err(Refused { message: envelope, error });
        }
        if incoming.is_waited_for() || self.is_full(&incoming, size) {
            incoming.sweep();
            // Whoever waits for room is not overtaken, be it by a message that is smaller.
            if incoming.is_waited_for() || self.is_full(&incoming, size) {
                return self.overflowed(&mut incoming, envelope, size);
            }
        }
        Ok(Pushed::Queued { first: incoming.queue(envelope, size) })
    }

    fn overflowed(
        &self,
        incoming: &mut Incoming<M>,
        envelope: Envelope<M>,
        size: u64,
    ) -> Result<Pushed<M>, Refused<Envelope<M>>> {
        if self.overflow == Overflow::DropOldest
            && self.could_hold(size)
            && let Some(oldest) = incoming.queue.pop_front()
        {
            incoming.bytes -= oldest.message.size_bytes() as u64;
            incoming.counts.dropped += 1;
            if !self.is_full(incoming, size) {
                let first = incoming.queue(envelope, size);
                return Ok(Pushed::Instead { first, dropped: oldest });
            }
            // A big message may not fit into the place of a small one.
            incoming.counts.dropped -= 1;
            incoming.bytes += oldest.message.size_bytes() as u64;
            incoming.queue.push_front(oldest);
        }
        let error = self.full(incoming);
        match self.overflow {
            // It is not refused yet: its sender waits for room, or calls `reject`.
            Overflow::Block => incoming.counts.sent -= 1,
            _ => incoming.counts.rejected += 1,
        }
        Err(Refused { message: envelope, error })
    }

    fn full(&self, incoming: &Incoming<M>) -> Error {
        let taken = lock(&self.taken);
        Error::MailboxFull {
            messages: (incoming.queue.len() + taken.batch.len()) as u64,
            bytes: incoming.bytes + taken.bytes,
        }
    }

    /// Whether a message of this size fits into an empty mailbox: else waiting for room is in vain.
    pub(crate) fn could_hold(&self, size: u64) -> bool {
        size <= self.bounds.bytes_max && self.bounds.messages_max > 0
    }

    // The batch is asked only near the bound: it holds at most `BATCH` messages and `BATCH_BYTES`.
    fn is_full(&self, incoming: &Incoming<M>, size: u64) -> bool {
        let messages = incoming.queue.len() as u64;
        let many = messages.saturating_add(BATCH as u64) >= self.bounds.messages_max;
        let heavy = incoming.bytes.saturating_add(size).saturating_add(BATCH_BYTES) > self.bounds.bytes_max;
        if !many && !heavy {
            return false;
        }
        let taken = lock(&self.taken);
        messages + taken.batch.len() as u64 >= self.bounds.messages_max
            || (incoming.bytes + taken.bytes).saturating_add(size) > self.bounds.bytes_max
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

    /// Lets a message wait for room; its sender is told when it is queued, or the mailbox closes.
    pub(crate) fn wait_for_room(
        &self,
        envelope: Envelope<M>,
        sender: Option<Sender>,
    ) -> Result<(), Refused<Envelope<M>>> {
        let mut incoming = lock(&self.incoming);
        incoming.counts.sent += 1;
        if let Some(exit) = incoming.closed.clone() {
            incoming.counts.rejected += 1;
            return Err(Refused { message: envelope, error: Error::Stopped(exit) });
        }
        incoming.blocked.get_or_insert_default().push_back(Blocked { envelope, sender });
        drop(incoming);
        // Room may have come since the push that failed.
        self.admit();
        Ok(())
    }

    /// Takes back a message that still waits for room; without one it has come in.
    pub(crate) fn withdraw(&self, ticket: u64) -> Option<M> {
        let mut incoming = lock(&self.incoming);
        let blocked = incoming.blocked.as_mut()?;
        let place = blocked
            .iter()
            .position(|blocked| blocked.sender.as_ref().is_some_and(|it| it.ticket == ticket))?;
        let message = blocked.remove(place)?.envelope.message;
        incoming.counts.rejected += 1;
        Some(message)
    }

    /// Queues what waited for room, as far as there is room. `true` if something came in.
    fn admit(&self) -> bool {
        let (mut any, mut admitted) = (false, Vec::new());
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
                incoming.counts.rejected += 1;
                continue;
            }
            incoming.queue(blocked.envelope, size);
            any = true;
            admitted.extend(blocked.sender.and_then(|sender| sender.room));
        }
        drop(incoming);
        for room in admitted {
            room.settle(Ok(()));
        }
        any
    }

    /// The next message whose caller still waits; only the one that runs the actor calls it.
    pub(crate) fn pop(&self) -> Option<Envelope<M>> {
        loop {
            let envelope = match self.taken_messages.load(Relaxed) {
                0 => self.take()?,
                _ => self.pop_taken()?,
            };
            if !envelope.reply.is_abandoned() {
                self.delivered.store(self.delivered.load(Relaxed) + 1, Relaxed);
                return Some(envelope);
            }
            self.dropped_late.store(self.dropped_late.load(Relaxed) + 1, Relaxed);
        }
    }

    fn pop_taken(&self) -> Option<Envelope<M>> {
        let mut taken = lock(&self.taken);
        let envelope = taken.batch.pop_front();
        self.taken_messages.store(taken.batch.len(), Relaxed);
        taken.bytes -= envelope.as_ref().map_or(0, |envelope| envelope.message.size_bytes() as u64);
        envelope
    }

    /// The first message that came in; those behind it are taken out with it.
    fn take(&self) -> Option<Envelope<M>> {
        let mut incoming = lock(&self.incoming);
        let Some(first) = incoming.queue.pop_front() else {
            if incoming.is_waited_for() {
                drop(incoming);
                // A heavy one may have found no room beside the batch that is done now.
                return if self.admit() { self.take() } else { None };
            }
            self.shrink(&mut incoming);
            return None;
        };
        incoming.bytes -= first.message.size_bytes() as u64;
        if !incoming.queue.is_empty() && self.overflow != Overflow::DropOldest {
            self.take_batch(&mut incoming);
        }
        let waiting = incoming.is_waited_for();
        drop(incoming);
        if waiting {
            self.admit();
        }
        Some(first)
    }

    fn take_batch(&self, incoming: &mut Incoming<M>) {
        let mut taken = lock(&self.taken);
        let count = incoming.queue.len().min(BATCH - 1);
        for _ in 0..count {
            let Some(size) = incoming.queue.front().map(|next| next.message.size_bytes() as u64) else {
                break;
            };
            if taken.bytes + size > BATCH_BYTES {
                break;
            }
            taken.bytes += size;
            incoming.bytes -= size;
            taken.batch.extend(incoming.queue.pop_front());
        }
        self.taken_messages.store(taken.batch.len(), Relaxed);
    }

    /// An idle actor keeps no more room than a few messages need.
    fn shrink(&self, incoming: &mut Incoming<M>) {
        if incoming.queue.capacity() > KEPT {
            incoming.queue = VecDeque::new();
            lock(&self.taken).batch = VecDeque::new();
        }
    }

    /// Whether nothing waits that could be handled.
    pub(crate) fn is_empty(&self) -> bool {
        if self.taken_messages.load(Relaxed) != 0 {
            return false;
        }
        let incoming = lock(&self.incoming);
        incoming.queue.is_empty() && !incoming.is_waited_for()
    }

    /// Refuses whatever comes from now on, and whoever waits for room.
    pub(crate) fn close(&self, exit: &Exit) {
        let mut incoming = lock(&self.incoming);
        incoming.closed.get_or_insert_with(|| exit.clone());
        let (mut requests, mut rooms) = (Vec::new(), Vec::new());
        for mut blocked in incoming.blocked.take().into_iter().flat_map(|blocked| *blocked) {
            let Some(sender) = &mut blocked.sender else {
                requests.push(blocked.envelope);
                continue;
            };
            // It stays until its sender takes it back, who may have given up at this moment and needs it all the same.
            rooms.extend(sender.room.take());
            incoming.blocked.get_or_insert_default().push_back(blocked);
        }
        incoming.counts.rejected += requests.len() as u64;
        drop(incoming);
        for mut request in requests {
            request.reply.settle(Err(Error::Stopped(exit.clone()).into()));
        }
        for room in rooms {
            room.settle(Err(Error::Stopped(exit.clone())));
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
        let mut left = std::mem::take(&mut taken.batch);
        self.taken_messages.store(0, Relaxed);
        left.append(&mut incoming.queue);
        (taken.bytes, incoming.bytes) = (0, 0);
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
        incoming.queue.len() + blocked + lock(&self.taken).batch.len()
    }
}

impl<M: Message> Incoming<M> {
    fn queue(&mut self, envelope: Envelope<M>, size: u64) -> bool {
        self.bytes += size;
        self.queue.push_back(envelope);
        self.queue.len() == 1
    }

    /// Whether a sender waits for room.
    fn is_waited_for(&self) -> bool {
        self.blocked.as_ref().is_some_and(|blocked| !blocked.is_empty())
    }

    /// Removes what nobody waits for any more.
    fn sweep(&mut self) {
        let before = self.queue.len();
        let bytes = &mut self.bytes;
        self.queue.retain(|envelope| {
            let wanted = !envelope.reply.is_abandoned();
            *bytes -= if wanted { 0 } else { envelope.message.size_bytes() as u64 };
            wanted
        });
        self.counts.dropped += (before - self.queue.len()) as u64;
    }
}

impl<M: Message> Blocked<M> {
    /// Whether the caller of a request waits no more. A sender takes its message back itself.
    fn is_abandoned(&self) -> bool {
        self.envelope.reply.is_abandoned()
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
        let sender = |ticket, room| Some(Sender { ticket, room: Some(room) });
        let (room, mut waits) = promise();
        assert!(mailbox.wait_for_room(envelope("b"), sender(1, room)).is_ok());
        let (room, second) = promise::<(), Error>();
        assert!(mailbox.wait_for_room(envelope("c"), sender(2, room)).is_ok());
        assert!(waits.try_take().is_none());
        adds_up(&mailbox);
        assert_eq!(mailbox.withdraw(2).expect("still outside").0, "c");
        assert_eq!(mailbox.pop().expect("a").message.0, "a");
        assert_eq!(mailbox.pop().expect("b").message.0, "b");
        assert!(matches!(waits.try_take(), Some(Ok(()))));
        drop(second);
        let counts = adds_up(&mailbox);
        // The refusal of the push that found no room is not counted: its message waited instead.
        assert_eq!(counts, Counts { sent: 3, delivered: 2, rejected: 1, dropped: 0, dead_letters: 0 });
    }
}
