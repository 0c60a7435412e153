//! What becomes of messages that find a full mailbox.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use airssys_rt::Caller::{Busy, Loop, Waits};
use airssys_rt::{ActorRef, Bounds, Counts, Error, Exit, Overflow, Pending, Refused, Restart, Spec};
use common::{Ask, World, answer, begun, echo, eventually, id, soon};

/// An actor that holds one message in its hands until the gate opens.
fn held(world: &World, overflow: Overflow, bounds: Bounds) -> (ActorRef<Ask>, Pending<u64, Error>) {
    let actor = world.spawn_as(Spec { bounds, overflow, ..Spec::new(id("one")) }, Restart::Temporary);
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    (actor, held)
}

fn messages(messages_max: u64) -> Bounds {
    Bounds { messages_max, ..Bounds::default() }
}

fn note(number: u64) -> Ask {
    Ask::Note(number, 1)
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn hostile_g5_a_full_mailbox_refuses_and_gives_the_message_back() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Reject, messages(2));
    assert!(actor.send(note(0)).is_ok() && actor.send(note(1)).is_ok());
    let refused = actor.send(note(2)).expect_err("full");
    assert!(matches!(
        refused,
        Refused { message: Ask::Note(2, _), error: Error::MailboxFull { messages: 2, .. } }
    ));
    assert!(matches!(echo(&actor, 3), Err(Error::MailboxFull { .. })));
    world.open(1);
    answer(held).expect("answer");
    begun(&actor, 3);
    assert_eq!(world.logged(3)[1..], ["0", "1"]);
    let expected = Counts { sent: 5, delivered: 3, rejected: 2, dropped: 0, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

#[test]
fn hostile_g5_the_oldest_makes_room_and_its_caller_is_told() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::DropOldest, messages(2));
    let asked: Vec<_> = (0..5).map(|number| actor.request(note(number), soon(), Waits)).collect();
    world.open(1);
    answer(held).expect("answer");
    for (number, asked) in asked.into_iter().enumerate() {
        match answer(asked) {
            Ok(answer) => assert!(number >= 3 && answer == number as u64),
            Err(error) => assert!(number < 3 && matches!(error, Error::Dropped), "{error}"),
        }
    }
    let expected = Counts { sent: 6, delivered: 3, rejected: 0, dropped: 3, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

#[test]
fn hostile_g5_senders_wait_for_room_in_order_and_one_that_gives_up_loses_its_own() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(1));
    actor.send(note(0)).expect("room for one");
    let mut first = Box::pin(actor.send_async(note(1), soon()));
    let mut second = Box::pin(actor.send_async(note(2), soon()));
    let mut third = Box::pin(actor.send_async(note(3), soon()));
    for waits in [&mut first, &mut second, &mut third] {
        assert!(poll(waits.as_mut()).is_pending());
    }
    drop(second);
    world.open(1);
    answer(held).expect("answer");
    assert!(world.io.block_on(first).is_ok() && world.io.block_on(third).is_ok());
    begun(&actor, 4);
    assert_eq!(world.logged(4)[1..], ["0", "1", "3"]);
    let expected = Counts { sent: 5, delivered: 4, rejected: 1, dropped: 0, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

#[test]
fn hostile_g5_a_thread_that_sends_is_held_until_there_is_room() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(1));
    actor.send(note(0)).expect("room for one");
    let sender = actor.clone();
    let sends = std::thread::spawn(move || sender.send_until(note(1), soon()).is_ok());
    eventually("it waits", || actor.status().mailbox_messages == 2);
    world.open(1);
    assert!(sends.join().expect("no panic"));
    answer(held).expect("answer");
    begun(&actor, 3);
    assert_eq!(world.counts().delivered, 3);
}

#[test]
fn hostile_g5_who_has_waited_to_its_deadline_gets_its_message_back() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(1));
    actor.send(note(0)).expect("room for one");
    let until = Some(Instant::now() + Duration::from_millis(5));
    let refused = actor.send_until(note(1), until).expect_err("no room");
    assert!(matches!(refused, Refused { message: Ask::Note(1, _), error: Error::MailboxFull { .. } }));
    let refused = world.io.block_on(actor.send_async(note(2), until)).expect_err("no room");
    assert!(matches!(refused, Refused { message: Ask::Note(2, _), error: Error::MailboxFull { .. } }));
    world.open(1);
    answer(held).expect("answer");
    begun(&actor, 2);
    let expected = Counts { sent: 4, delivered: 2, rejected: 2, dropped: 0, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

#[test]
fn hostile_g5_who_waits_for_room_is_refused_when_the_actor_stops() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(1));
    actor.send(note(0)).expect("room for one");
    let mut sends = pin!(actor.send_async(note(1), soon()));
    assert!(poll(sends.as_mut()).is_pending());
    let asked = actor.request(note(2), soon(), Waits);
    let stop = actor.stop(common::LONG);
    world.open(1);
    answer(held).expect("answer");
    stop.wait().expect("stops");
    let refused = world.io.block_on(sends).expect_err("it has stopped");
    assert!(matches!(refused, Refused { message: Ask::Note(1, _), error: Error::Stopped(Exit::Shutdown) }));
    assert!(matches!(answer(asked), Err(Error::Stopped(Exit::Shutdown))));
    let expected = Counts { sent: 4, delivered: 1, rejected: 2, dropped: 0, dead_letters: 1 };
    assert_eq!(world.counts(), expected);
}

#[test]
fn who_waits_for_room_survives_a_restart_of_the_actor() {
    let world = World::new();
    let spec = Spec { bounds: messages(1), overflow: Overflow::Block, ..Spec::new(id("one")) };
    let actor = world.spawn_by(spec, Restart::Permanent, common::at_once(1));
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    actor.send(Ask::Boom).expect("room for one");
    let mut sends = pin!(actor.send_async(note(1), soon()));
    assert!(poll(sends.as_mut()).is_pending());
    world.open(1);
    answer(held).expect("answer");
    assert!(world.io.block_on(sends).is_ok());
    assert_eq!(world.logged(3).last().map(String::as_str), Some("1"));
}

#[test]
fn what_fits_into_no_mailbox_is_refused_at_once() {
    let world = World::new();
    for overflow in [Overflow::Reject, Overflow::DropOldest, Overflow::Block] {
        let bounds = Bounds { bytes_max: 200, ..Bounds::default() };
        let (actor, held) = held(&world, overflow, bounds);
        actor.send(note(0)).expect("room");
        let mut sends = pin!(actor.send_async(Ask::Note(1, 201), soon()));
        let Poll::Ready(Err(refused)) = poll(sends.as_mut()) else {
            panic!("it waits for ever: {overflow:?}")
        };
        assert!(matches!(refused.error, Error::MailboxFull { .. }));
        assert!(matches!(
            answer(actor.request(Ask::Note(1, 201), soon(), Waits)),
            Err(Error::MailboxFull { .. })
        ));
        actor.send(note(2)).expect("nobody stands in the way");
        world.open(1);
        answer(held).expect("answer");
        answer(actor.stop(common::LONG)).expect("stops");
    }
    let counts = world.counts();
    assert_eq!((counts.sent, counts.rejected), (15, 6));
}

#[test]
fn a_heavy_message_comes_in_when_the_light_ones_are_done() {
    let world = World::new();
    let bounds = Bounds { bytes_max: 200, ..Bounds::default() };
    let (actor, held) = held(&world, Overflow::Block, bounds);
    for number in 0..3 {
        actor.send(Ask::Note(number, 60)).expect("room");
    }
    let heavy = actor.request(Ask::Note(3, 190), soon(), Waits);
    let mut light = pin!(actor.send_async(Ask::Note(4, 1), soon()));
    assert!(poll(light.as_mut()).is_pending(), "it does not overtake the heavy one");
    world.open(1);
    answer(held).expect("answer");
    assert_eq!(answer(heavy).expect("answer"), 3);
    assert!(world.io.block_on(light).is_ok());
    begun(&actor, 6);
    assert_eq!(world.logged(6)[1..], ["0", "1", "2", "3", "4"]);
}

#[test]
fn what_waits_for_room_is_not_overtaken_by_what_its_sender_sends_later() {
    let world = World::new();
    for messages_max in [1, 2, 3] {
        let spec = Spec { bounds: messages(messages_max), overflow: Overflow::Block, ..Spec::new(id("one")) };
        let actor = world.spawn_as(spec, Restart::Temporary);
        world.log.take();
        let mut asked = Vec::new();
        for number in 0..3_000 {
            match number % 3 {
                0 => actor.send_until(note(number), soon()).expect("room comes"),
                _ => asked.push(actor.request(note(number), soon(), Busy)),
            }
        }
        for asked in asked {
            answer(asked).expect("answer");
        }
        let numbers: Vec<u64> =
            world.log.lines().iter().map(|line| line.parse().expect("a number")).collect();
        assert!(numbers.is_sorted(), "{messages_max}");
        answer(actor.stop(common::LONG)).expect("stops");
    }
}

#[test]
fn an_actor_that_fills_its_own_mailbox_is_refused() {
    let world = World::new();
    let spec = Spec { bounds: messages(3), overflow: Overflow::Block, ..Spec::new(id("one")) };
    let (actor, _) =
        world.runtime.spawn(spec, || async { Ok::<_, airssys_rt::Cause>(Greedy) }).expect("free");
    assert_eq!(answer(actor.request(Fill(10), soon(), Waits)).expect("no hang"), 3);
    begun(&actor, 4);
    let expected = Counts { sent: 11, delivered: 4, rejected: 7, dropped: 0, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

/// Sends itself so many messages.
#[derive(Debug)]
struct Fill(u64);

impl airssys_rt::Message for Fill {
    type Reply = u64;
    type Error = Error;
}

struct Greedy;

impl airssys_rt::Child for Greedy {}

impl airssys_rt::Actor for Greedy {
    type Message = Fill;

    async fn handle(
        &mut self,
        Fill(count): Fill,
        context: &mut airssys_rt::Context<'_, Fill>,
    ) -> Result<(), Exit> {
        let me = context.me();
        let mut taken = 0;
        for _ in 0..count {
            taken += u64::from(me.send_async(Fill(0), soon()).await.is_ok());
        }
        context.reply(Ok(taken));
        Ok(())
    }
}

#[test]
fn hostile_g5_a_sender_comes_in_as_soon_as_there_is_room() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(1));
    let second = actor.request(Ask::Wait, soon(), Waits);
    let third = actor.send_begin(note(3), soon());
    world.open(1);
    answer(held).expect("the first is handled");
    begun(&actor, 2);
    answer(third).expect("in, while the second is handled");
    world.open(1);
    answer(second).expect("the second is handled");
    assert_eq!(world.logged(2)[1..], ["3"]);
}

#[test]
fn hostile_g5_requests_that_wait_for_room_and_were_given_up_make_room_for_others() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(10));
    for _ in 0..10 {
        actor.send(note(0)).expect("room");
    }
    for _ in 0..20_000 {
        drop(actor.request(note(1), soon(), Busy));
    }
    let waiting = actor.status().mailbox_messages;
    assert!(waiting <= 10 + WAITING_MAX, "{waiting}");
    let kept = actor.request(note(2), soon(), Busy);
    world.open(1);
    answer(held).expect("answer");
    assert_eq!(answer(kept).expect("it came in"), 2);
    assert_eq!(world.log.lines()[1..], ["0"; 10].into_iter().chain(["2"]).collect::<Vec<_>>());
    let expected = Counts { sent: 20_012, delivered: 12, rejected: 20_000, dropped: 0, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

/// Messages that may wait for room.
const WAITING_MAX: u64 = 1_000;

#[test]
fn hostile_g5_no_more_wait_for_room_than_may() {
    let world = World::new();
    let (actor, held) = held(&world, Overflow::Block, messages(1));
    actor.send(note(0)).expect("room for one");
    let waiting: Vec<_> = (0..WAITING_MAX).map(|n| actor.request(note(n), soon(), Busy)).collect();
    assert!(matches!(answer(actor.request(note(1), soon(), Busy)), Err(Error::MailboxFull { .. })));
    let refused = actor.send_until(note(2), soon()).expect_err("it is not even waited for");
    assert!(matches!(refused, Refused { message: Ask::Note(2, _), error: Error::MailboxFull { .. } }));
    world.open(1);
    answer(held).expect("answer");
    for (number, asked) in waiting.into_iter().enumerate() {
        assert_eq!(answer(asked).expect("in order"), number as u64);
    }
    let delivered = WAITING_MAX + 2;
    let expected = Counts { sent: delivered + 2, delivered, rejected: 2, dropped: 0, dead_letters: 0 };
    assert_eq!(world.counts(), expected);
}

#[test]
fn hostile_g5_no_more_bytes_wait_for_room_than_the_mailbox_holds() {
    let world = World::new();
    let bounds = Bounds { messages_max: 1, bytes_max: 1_000, ..Bounds::default() };
    let (actor, held) = held(&world, Overflow::Block, bounds);
    actor.send(note(0)).expect("room for one");
    let waiting: Vec<_> = (0..4).map(|n| actor.request(Ask::Note(n, 250), soon(), Busy)).collect();
    assert!(matches!(answer(actor.request(note(1), soon(), Busy)), Err(Error::MailboxFull { .. })));
    world.open(1);
    answer(held).expect("answer");
    for asked in waiting {
        answer(asked).expect("it came in");
    }
    world.counts();
}

/// Sends into the mailbox of another one; answers whether it was refused.
struct Pass(ActorRef<Ask>);

impl airssys_rt::Child for Pass {}

impl airssys_rt::Actor for Pass {
    type Message = Ask;

    async fn handle(&mut self, _: Ask, context: &mut airssys_rt::Context<'_, Ask>) -> Result<(), Exit> {
        let sent = self.0.send_until(Ask::Echo(1), soon());
        context.reply(Ok(u64::from(sent.is_err())));
        Ok(())
    }
}

#[test]
fn hostile_g5_a_handler_that_is_polled_in_place_does_not_keep_the_thread_until_there_is_room() {
    let world = World::new();
    let (full, held) = held(&world, Overflow::Block, messages(1));
    full.send(note(0)).expect("room for one");
    let to = full.clone();
    let start = move || std::future::ready(Ok(Pass(to.clone())));
    let (pass, up) = world.runtime.spawn(Spec::new(id("pass")), start).expect("free");
    answer(up).expect("starts");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // One that waited after all is set free, to be told apart.
        scope.spawn(|| {
            while !over.load(SeqCst) && full.status().mailbox_messages < 2 {
                std::thread::yield_now();
            }
            world.open(1);
        });
        let refused: Vec<_> = [Loop, Busy, Waits]
            .into_iter()
            .cycle()
            .take(300)
            .map(|caller| pass.request(Ask::Echo(0), soon(), caller).wait())
            .collect();
        over.store(true, SeqCst);
        assert!(refused.iter().all(|refused| matches!(refused, Ok(1))), "{refused:?}");
    });
    answer(held).expect("answer");
}
