//! A mailbox under each policy, on one thread.

use crate::actor::{Message, ReplyTo};
use crate::bounds::{Bounds, Overflow};
use crate::counts::Counts;
use crate::error::{Error, Refused};
use crate::exit::Exit;
use crate::mailbox::{Envelope, Mailbox, Pushed, Sender};
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
    let mailbox =
        Mailbox::new(Bounds { messages_max: 2, bytes_max: 5, ..Bounds::default() }, Overflow::Reject);
    assert_eq!(queued(mailbox.push(envelope("abc"))), Some(true));
    assert_eq!(queued(mailbox.push(envelope("def"))), None, "six bytes are more than five");
    assert_eq!(queued(mailbox.push(envelope("de"))), Some(false));
    assert_eq!(queued(mailbox.push(envelope(""))), None, "three messages are more than two");
    assert_eq!(mailbox.pop().expect("first").message.0, "abc");
    adds_up(&mailbox);
    assert_eq!(queued(mailbox.push(envelope("abc"))), Some(true));
    assert_eq!(queued(mailbox.push(envelope(""))), None, "what was taken out at once still waits");
    assert_eq!(mailbox.finish(&Exit::Shutdown, false).0.len(), 2);
    assert!(matches!(mailbox.push(envelope("x")), Err(Refused { error: Error::Stopped(_), .. })));
    let counts = adds_up(&mailbox);
    assert_eq!(counts, Counts { sent: 7, delivered: 1, rejected: 4, dropped: 0, dead_letters: 2 });
}

#[test]
fn hostile_g5_the_oldest_makes_room() {
    let mailbox =
        Mailbox::new(Bounds { messages_max: 2, bytes_max: 4, ..Bounds::default() }, Overflow::DropOldest);
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
    let mailbox =
        Mailbox::new(Bounds { messages_max: 1, bytes_max: 10, ..Bounds::default() }, Overflow::Block);
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
