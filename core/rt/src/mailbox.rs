//! A bounded queue that counts what becomes of each message.

use std::collections::VecDeque;

use crate::actor::{Message, ReplyTo};
use crate::error::{Error, Refused};
use crate::exit::Exit;

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

/// What became of messages: sent = delivered + rejected + dropped + dead_letters + those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offered.
    pub sent: u64,
    /// Handed to the actor.
    pub delivered: u64,
    /// Refused, full or closed.
    pub rejected: u64,
    /// Removed because the caller gave up first.
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

pub(crate) struct Mailbox<M: Message> {
    queue: VecDeque<Envelope<M>>,
    bytes: u64,
    bounds: Bounds,
    closed: Option<Exit>,
    retired: bool,
    pub counts: Counts,
}

impl<M: Message> Mailbox<M> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            bounds,
            closed: None,
            retired: false,
            counts: Counts::default(),
        }
    }

    /// Queues a message, or gives it back; `true` if it is the only one.
    pub(crate) fn push(&mut self, envelope: Envelope<M>) -> Result<bool, Refused<Envelope<M>>> {
        self.counts.sent += 1;
        let size = envelope.message.size_bytes() as u64;
        if self.is_full(size) {
            self.sweep();
        }
        let messages = self.queue.len() as u64;
        let error = match &self.closed {
            Some(exit) => Error::Stopped(exit.clone()),
            None if self.is_full(size) => Error::MailboxFull { messages, bytes: self.bytes },
            None => {
                self.bytes += size;
                self.queue.push_back(envelope);
                return Ok(messages == 0);
            }
        };
        self.counts.rejected += 1;
        Err(Refused { message: envelope, error })
    }

    fn is_full(&self, size: u64) -> bool {
        let messages = self.queue.len() as u64;
        messages >= self.bounds.messages_max || self.bytes.saturating_add(size) > self.bounds.bytes_max
    }

    /// Removes what nobody waits for any more.
    fn sweep(&mut self) {
        let before = self.queue.len();
        self.queue.retain(|envelope| !envelope.reply.is_abandoned());
        self.counts.dropped += (before - self.queue.len()) as u64;
        self.bytes = self.queue.iter().map(|envelope| envelope.message.size_bytes() as u64).sum();
    }

    /// The next message whose caller still waits.
    pub(crate) fn pop(&mut self) -> Option<Envelope<M>> {
        while let Some(envelope) = self.queue.pop_front() {
            self.bytes -= envelope.message.size_bytes() as u64;
            if !envelope.reply.is_abandoned() {
                self.counts.delivered += 1;
                return Some(envelope);
            }
            self.counts.dropped += 1;
        }
        None
    }

    /// Refuses whatever comes from now on.
    pub(crate) fn close(&mut self, exit: Exit) {
        self.closed.get_or_insert(exit);
    }

    /// Takes what is left, as dead letters.
    pub(crate) fn drain(&mut self) -> VecDeque<Envelope<M>> {
        self.bytes = 0;
        let left = std::mem::take(&mut self.queue);
        self.counts.dead_letters += left.len() as u64;
        left
    }

    /// Hands its counts over; what it counts from now on are late comers.
    pub(crate) fn retire(&mut self) -> Counts {
        self.retired = true;
        std::mem::take(&mut self.counts)
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn hostile_g5_a_full_mailbox_rejects_and_the_counts_add_up() {
        let mut mailbox = Mailbox::new(Bounds { messages_max: 2, bytes_max: 5 });
        assert!(mailbox.push(envelope("abc")).is_ok_and(|alone| alone));
        assert!(mailbox.push(envelope("def")).is_err(), "six bytes are more than five");
        assert!(mailbox.push(envelope("de")).is_ok_and(|alone| !alone));
        assert!(mailbox.push(envelope("")).is_err(), "three messages are more than two");
        assert_eq!(mailbox.pop().expect("first").message.0, "abc");
        assert_eq!(mailbox.drain().len(), 1);
        mailbox.close(Exit::Shutdown);
        assert!(matches!(mailbox.push(envelope("x")), Err(Refused { error: Error::Stopped(_), .. })));
        let counts = mailbox.counts;
        assert_eq!(counts, Counts { sent: 5, delivered: 1, rejected: 3, dropped: 0, dead_letters: 1 });
        assert_eq!(counts.sent, counts.delivered + counts.rejected + counts.dropped + counts.dead_letters);
    }
}
