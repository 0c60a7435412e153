//! Model checks of mailbox and run state together: no message is left without somebody who will handle it, and the counts
//! add up.

use std::sync::Arc;

use loom::cell::Cell;
use loom::thread;

use crate::actor::{Message, ReplyTo};
use crate::bounds::{Bounds, Overflow};
use crate::counts::Counts;
use crate::error::{Error, Refused};
use crate::exit::Exit;
use crate::mailbox::{Envelope, Mailbox, Pushed, Sender};
use crate::promise::{Pending, promise};
use crate::run_state::RunState;
use crate::run_state_models::model;

/// Message `number` of one of two senders.
struct Note {
    sender: usize,
    number: usize,
    bytes: usize,
}

impl Message for Note {
    type Reply = ();
    type Error = Error;

    fn size_bytes(&self) -> usize {
        self.bytes
    }
}

/// An actor reduced to its mailbox and its run state. Whoever must queue it is its worker at once.
struct World {
    run: RunState,
    mailbox: Mailbox<Note>,
    /// Messages of each sender that were handled, and the last of each. loom reports two who touch it at once.
    handled: Cell<[(usize, usize); 2]>,
}

impl World {
    #[allow(clippy::arc_with_non_send_sync, reason = "loom's threads take turns on one")]
    fn idle(overflow: Overflow, messages_max: u64) -> Arc<Self> {
        let bounds = Bounds { messages_max, bytes_max: 10, ..Bounds::default() };
        let mailbox = Mailbox::new(bounds, overflow);
        let world = Arc::new(Self { run: RunState::parked(), mailbox, handled: Cell::new([(0, 0); 2]) });
        world.run.unpark();
        world.work();
        world
    }

    fn envelope(sender: usize, number: usize, bytes: usize) -> Envelope<Note> {
        Envelope { message: Note { sender, number, bytes }, reply: ReplyTo::none() }
    }

    fn activate(&self) {
        if self.run.activate() {
            self.work();
        }
    }

    /// Sends as `ActorRef` does; `false` if the mailbox did not take it.
    fn send(&self, sender: usize, number: usize) -> bool {
        let first = match self.mailbox.push(Self::envelope(sender, number, 1)) {
            Ok(Pushed::Queued { first } | Pushed::Instead { first, .. }) => first,
            Err(_) => return false,
        };
        if first {
            self.activate();
        }
        true
    }

    /// Sends, and waits for room where there is none: what it is told then.
    fn send_blocking(&self, sender: usize, number: usize, bytes: usize) -> Option<Pending<(), Error>> {
        match self.mailbox.push(Self::envelope(sender, number, bytes)) {
            Ok(Pushed::Queued { first } | Pushed::Instead { first, .. }) => {
                if first {
                    self.activate();
                }
                None
            }
            Err(Refused { error: Error::Stopped(_), .. }) => None,
            Err(refused) => {
                let (room, told) = promise();
                let sender = Sender { ticket: sender as u64, room: Some(room) };
                if self.mailbox.wait_for_room(refused.message, Some(sender)).is_err() {
                    return None;
                }
                self.activate();
                Some(told)
            }
        }
    }

    /// Runs the actor, which is queued, until it is idle.
    fn work(&self) {
        loop {
            self.run.start();
            self.poll();
            if !self.run.rest() {
                break;
            }
        }
    }

    /// One turn, of two messages.
    fn poll(&self) {
        for _ in 0..2 {
            let Some(Envelope { message, .. }) = self.mailbox.pop() else { return };
            let mut handled = self.handled.get();
            let (count, last) = &mut handled[message.sender];
            assert!(message.number > *last, "in the order of each sender, and once");
            (*count, *last) = (*count + 1, message.number);
            self.handled.set(handled);
        }
        if !self.mailbox.is_empty() {
            // The turn is used up: it activates itself.
            self.run.activate();
        }
    }

    /// The actor is idle and nothing is left: what became of all messages.
    fn check(&self) -> (Counts, [usize; 2]) {
        assert!(self.run.claim(), "idle again");
        assert_eq!(self.mailbox.len(), 0, "a message was left to nobody");
        let counts = self.mailbox.counts();
        let Counts { sent, delivered, rejected, dropped, dead_letters } = counts;
        assert_eq!(sent, delivered + rejected + dropped + dead_letters, "{counts:?}");
        let handled = self.handled.get().map(|(count, _)| count);
        assert_eq!(delivered as usize, handled[0] + handled[1]);
        (counts, handled)
    }
}

/// Runs one part beside the other.
fn beside<T: 'static>(
    world: &Arc<World>,
    other: impl FnOnce(&World) -> T + Send + 'static,
    here: impl FnOnce(&World),
) -> T {
    let shared = world.clone();
    let other = thread::spawn(move || other(&shared));
    here(world);
    other.join().expect("no panic")
}

#[test]
fn model_messages_of_two_senders_are_all_handled_in_order() {
    model(|| {
        let world = World::idle(Overflow::Reject, 100);
        beside(
            &world,
            |world| assert!(world.send(0, 1) && world.send(0, 2)),
            |world| assert!(world.send(1, 1) && world.send(1, 2)),
        );
        assert_eq!(world.check().1, [2, 2]);
    });
}

#[test]
fn model_what_is_taken_in_a_batch_is_handled_before_what_comes_meanwhile() {
    model(|| {
        let world = World::idle(Overflow::Reject, 100);
        for number in 1..=3 {
            // Queued without activation, as by one who is about to activate.
            assert!(world.mailbox.push(World::envelope(0, number, 1)).is_ok());
        }
        beside(&world, World::activate, |world| assert!(world.send(0, 4) && world.send(0, 5)));
        world.activate();
        assert_eq!(world.check().1, [5, 0]);
    });
}

#[test]
fn model_a_full_mailbox_refuses_and_loses_nothing_it_took() {
    model(|| {
        let world = World::idle(Overflow::Reject, 1);
        let taken = beside(
            &world,
            |world| usize::from(world.send(0, 1)) + usize::from(world.send(0, 2)),
            |world| {
                world.send(1, 1);
            },
        );
        let (counts, handled) = world.check();
        assert_eq!((counts.sent, counts.dropped), (3, 0));
        assert_eq!(handled[0], taken);
    });
}

#[test]
fn model_the_oldest_that_is_dropped_is_counted_once() {
    model(|| {
        let world = World::idle(Overflow::DropOldest, 1);
        beside(
            &world,
            |world| assert!(world.send(0, 1) && world.send(0, 2)),
            |world| assert!(world.send(1, 1) && world.send(1, 2)),
        );
        let (counts, _) = world.check();
        assert_eq!((counts.sent, counts.rejected), (4, 0));
    });
}

#[test]
fn model_who_waits_for_room_comes_in_and_is_told() {
    model(|| {
        let world = World::idle(Overflow::Block, 1);
        let told = beside(
            &world,
            |world| world.send_blocking(0, 1, 1),
            |world| {
                let told = world.send_blocking(1, 1, 1);
                assert!(told.is_none_or(|told| told.wait().is_ok()));
            },
        );
        assert!(told.is_none_or(|told| told.wait().is_ok()));
        assert_eq!(world.check().1, [1, 1]);
    });
}

#[test]
fn model_a_heavy_message_finds_room_beside_light_ones() {
    model(|| {
        let world = World::idle(Overflow::Block, 100);
        for number in 1..=2 {
            assert!(world.mailbox.push(World::envelope(0, number, 4)).is_ok());
        }
        let told = beside(&world, |world| world.send_blocking(1, 1, 9), World::activate);
        assert!(told.is_none_or(|told| told.wait().is_ok()));
        assert_eq!(world.check().1, [2, 1]);
    });
}

#[test]
fn model_who_withdraws_gets_its_message_or_it_is_handled() {
    model(|| {
        let world = World::idle(Overflow::Block, 1);
        assert!(world.mailbox.push(World::envelope(1, 1, 1)).is_ok());
        let back = beside(
            &world,
            |world| {
                let told = world.send_blocking(0, 1, 1);
                drop(told);
                world.mailbox.withdraw(0).is_some()
            },
            World::activate,
        );
        world.activate();
        let (counts, handled) = world.check();
        assert_eq!(handled, [usize::from(!back), 1]);
        assert_eq!(counts.rejected, u64::from(back));
    });
}

#[test]
fn model_what_comes_while_the_mailbox_closes_is_refused_or_left() {
    model(|| {
        let world = World::idle(Overflow::Reject, 100);
        assert!(world.run.claim(), "its last life is at its end");
        let taken = beside(
            &world,
            |world| usize::from(world.send(0, 1)) + usize::from(world.send(0, 2)),
            |world| {
                world.run.park();
                let left = world.mailbox.finish(&Exit::Shutdown, false).0.len();
                world.handled.set([(left, 0), (0, 0)]);
            },
        );
        let left = world.handled.get()[0].0;
        let counts = world.mailbox.counts();
        assert_eq!((left, world.mailbox.len()), (taken, 0), "nothing comes in once it is closed");
        let (left, refused) = (taken as u64, 2 - taken as u64);
        assert_eq!((counts.sent, counts.dead_letters, counts.rejected), (2, left, refused));
    });
}

#[test]
fn model_who_waits_for_room_while_the_mailbox_closes_gets_its_message_back_or_it_is_left() {
    model(|| {
        let world = World::idle(Overflow::Block, 1);
        assert!(world.run.claim(), "its last life is at its end");
        assert!(world.mailbox.push(World::envelope(1, 1, 1)).is_ok());
        beside(
            &world,
            |world| {
                let Some(told) = world.send_blocking(0, 1, 1) else { return };
                assert!(told.wait().is_err(), "nobody makes room any more");
                assert!(world.mailbox.withdraw(0).is_some(), "it gets its message back");
            },
            |world| {
                world.run.park();
                assert_eq!(world.mailbox.finish(&Exit::Shutdown, false).0.len(), 1);
            },
        );
        let counts = world.mailbox.counts();
        assert_eq!((counts.sent, counts.dead_letters, counts.rejected), (2, 1, 1));
        assert_eq!(world.mailbox.len(), 0);
    });
}

/// A message must not be lost where the taker drops an abandoned one that a pusher swept meanwhile.
#[test]
fn model_what_an_abandoned_life_takes_while_its_mailbox_retires_is_counted() {
    model(|| {
        let world = World::idle(Overflow::Reject, 2);
        assert!((1..=2).all(|number| world.mailbox.push(World::envelope(0, number, 1)).is_ok()));
        let taker = thread::spawn({
            let world = world.clone();
            move || (0..2).filter(|_| world.mailbox.pop().is_some()).count() as u64
        });
        let (left, counts) = world.mailbox.finish(&Exit::Killed, true);
        let (taken, left) = (taker.join().expect("no panic"), left.len() as u64);
        assert_eq!((taken + left, counts.sent), (2, 2));
        assert_eq!((counts.delivered, counts.dead_letters), (taken, left));
    });
}

#[test]
fn model_a_sweep_beside_the_taker_loses_no_message() {
    model(|| {
        let bounds = Bounds { messages_max: 2, bytes_max: 10, ..Bounds::default() };
        let mailbox = Arc::new(Mailbox::<Note>::new(bounds, Overflow::Reject));
        let (resolver, pending) = promise();
        let message = Note { sender: 0, number: 0, bytes: 1 };
        assert!(mailbox.push(Envelope { message, reply: ReplyTo::new(Some(resolver)) }).is_ok());
        assert!(mailbox.push(World::envelope(1, 7, 1)).is_ok());
        drop(pending);
        let pusher = thread::spawn({
            let mailbox = mailbox.clone();
            move || drop(mailbox.push(World::envelope(1, 8, 1)))
        });
        let first = mailbox.pop().map(|envelope| envelope.message.number);
        pusher.join().expect("no panic");
        assert_eq!(first, Some(7), "it was taken into the mailbox, and nobody gave it up");
    });
}
