//! Code that is not ours and panics, or looks where it should not: it ends nothing but its own life.

mod common;

use std::future::Ready;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use airssys_rt::Caller::{Busy, Waits};
use airssys_rt::{
    Actor, ActorRef, Bounds, Cause, Child, ChildSpec, Context, Error, Executor, Exit, Message, Notice,
    Overflow, Restart, Spec, Stateless,
};
use common::{Ask, Probe, World, answer, at_once, begun, crash, echo, eventually, id, soon, spec};

#[test]
fn a_start_closure_that_panics_is_a_restart_that_failed() {
    let world = World::new();
    let (starter, lives) = (world.starter(&Spec::new(id("a")), false), AtomicU64::new(0));
    let start = move || {
        assert!(lives.fetch_add(1, SeqCst) != 1, "no second life");
        starter()
    };
    let top = world.supervise(
        spec("top", at_once(5))
            .child(ChildSpec::actor(Spec::new(id("a")), Restart::Permanent, start))
            .child(world.child("b", Restart::Permanent)),
    );
    crash(&world.at("a"));
    assert_eq!(echo(&world.at("a"), 1).expect("its third life, the second that was made"), 1_001);
    assert_eq!(world.at("a").status().restarts, 2);
    assert_eq!(echo(&world.at("b"), 2).expect("untouched"), 2);
    answer(top.stop(common::LONG)).expect("its supervisor answers");
}

#[test]
fn a_start_closure_that_panics_at_once_is_the_answer_of_spawn_and_leaves_no_name() {
    let world = World::new();
    let panics = || -> Ready<Result<Probe, Cause>> { panic!("no config") };
    let (_, up) = world.runtime.spawn(Spec::new(id("a")), panics).expect("free");
    let up = answer(up);
    assert!(
        matches!(&up, Err(Error::StartFailed(cause)) if cause.to_string().contains("no config")),
        "{up:?}"
    );
    eventually("gone", || world.runtime.is_empty());
    let (_, up) = world
        .runtime
        .spawn_restarted(Spec::new(id("a")), Restart::Permanent, at_once(3), panics)
        .expect("free");
    assert!(matches!(answer(up), Err(Error::StartFailed(_))));
    eventually("gone", || world.runtime.is_empty());
    assert_eq!(echo(&world.plain("a"), 1).expect("the name is free"), 1);
}

/// Its first drop panics.
struct Bad(Arc<AtomicU64>);

impl Child for Bad {}

impl Drop for Bad {
    fn drop(&mut self) {
        assert!(self.0.fetch_add(1, SeqCst) > 0, "in drop");
    }
}

impl Actor for Bad {
    type Message = Ask;

    async fn handle(&mut self, message: Ask, context: &mut Context<'_, Ask>) -> Result<(), Exit> {
        let Ask::Echo(number) = message else { return Err(common::boom()) };
        context.reply(Ok(number));
        Ok(())
    }
}

fn bad(spec: Spec, drops: &Arc<AtomicU64>) -> ChildSpec {
    let drops = drops.clone();
    ChildSpec::actor(spec, Restart::Permanent, move || std::future::ready(Ok(Bad(drops.clone()))))
}

#[test]
fn an_actor_whose_drop_panics_does_not_end_its_supervisor() {
    for executor in [Executor::default(), Executor::Callback] {
        let (world, drops) = (World::new(), Arc::default());
        let top = world.supervise(
            spec("top", at_once(5))
                .child(bad(Spec { executor, ..Spec::new(id("a")) }, &drops))
                .child(world.child("b", Restart::Permanent)),
        );
        let a = world.at("a");
        crash(&a);
        assert_eq!(echo(&a, 1).expect("its second life"), 1);
        crash(&world.at("b"));
        assert_eq!(echo(&world.at("b"), 2).expect("restarted beside it"), 1_002);
        answer(top.stop(common::LONG)).expect("its supervisor answers");
        assert_eq!(drops.load(SeqCst), 2);
        assert!(world.runtime.is_empty());
    }
}

#[test]
fn an_actor_whose_drop_panics_is_stopped_and_killed_as_others_are() {
    for executor in [Executor::default(), Executor::Callback] {
        let (world, stopped, killed) = (World::new(), Arc::default(), Arc::default());
        let top = world.supervise(
            spec("top", at_once(5))
                .child(world.child("b", Restart::Permanent))
                .child(bad(Spec { executor, ..Spec::new(id("stopped")) }, &stopped))
                .child(bad(Spec { executor, ..Spec::new(id("killed")) }, &killed)),
        );
        world.at("killed").kill();
        eventually("down", || world.at("killed").status().state == "stopped");
        answer(top.stop(common::LONG)).expect("its supervisor answers");
        assert_eq!((stopped.load(SeqCst), killed.load(SeqCst)), (1, 1));
        assert!(world.runtime.is_empty());
    }
}

#[test]
fn an_observer_that_panics_stops_neither_the_clock_nor_restarts() {
    let world = World::observed_by(|_: &Notice<'_>| panic!("in the observer"));
    let callback = Spec { executor: Executor::Callback, ..Spec::new(id("stuck")) };
    let stuck = world.spawn_as(callback, Restart::Temporary);
    let (release, block) = mpsc::channel();
    let held = stuck.request(Ask::Block(block), soon(), Busy);
    begun(&stuck, 1);
    // Its end is told where deadlines are carried out.
    answer(stuck.stop(Duration::from_millis(5))).expect("it is abandoned");
    assert!(answer(held).is_err());
    let other = world.plain("other");
    let asked = other.request(Ask::Wait, Some(Instant::now() + Duration::from_millis(5)), Busy);
    let (tell, told) = mpsc::channel();
    let waits = asked.on_ready(Box::new(move |answer| tell.send(answer).expect("open")));
    match waits {
        Ok(_) => assert!(matches!(told.recv_timeout(common::LONG), Ok(Err(Error::Timeout { .. })))),
        Err(answer) => assert!(matches!(answer, Err(Error::Timeout { .. }))),
    }
    let one = world.spawn("one", Restart::Permanent, Bounds::default());
    crash(&one);
    assert_eq!(echo(&one, 1).expect("its second life"), 1_001);
    assert!(world.told.lines().contains(&"stuck: stopped killed".to_owned()), "{:?}", world.told.lines());
    drop(release);
}

/// Its second copy cannot be made.
struct Note(Arc<AtomicU64>);

impl Message for Note {
    type Reply = ();
    type Error = Error;
}

impl Clone for Note {
    fn clone(&self) -> Self {
        assert!(self.0.fetch_add(1, SeqCst) != 1, "in clone");
        Note(self.0.clone())
    }
}

#[test]
fn a_message_whose_clone_panics_ends_nobody_who_was_told_before() {
    let world = World::new();
    let start = || std::future::ready(Ok(Stateless::new(|_: Note| std::future::ready(Ok::<(), Error>(())))));
    let actors = ["a", "b"].map(|name| {
        let (actor, up) = world.runtime.spawn(Spec::new(id(name)), start).expect("free");
        answer(up).expect("starts");
        actor
    });
    // Many times: whether it was idle, and had to be activated, shows only afterwards.
    for round in 0..100 {
        let note = Note(Arc::default());
        let broadcast = || world.runtime.broadcast(&actors, &note);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(broadcast)).is_err());
        begun(&actors[0], 1 + 2 * round);
        answer(actors[0].request(note, soon(), Waits)).expect("it goes on");
    }
    assert_eq!(actors[1].status().handled, 0);
}

/// Looks at its actor when it is dropped.
struct Looks {
    at: ActorRef<Looks>,
    until: Option<mpsc::Receiver<()>>,
    drops: Arc<AtomicU64>,
}

impl Message for Looks {
    type Reply = ();
    type Error = Error;
}

impl Drop for Looks {
    fn drop(&mut self) {
        let _ = (self.at.status(), self.at.exit());
        self.drops.fetch_add(1, SeqCst);
    }
}

#[test]
fn no_lock_is_held_where_a_message_is_dropped() {
    for overflow in [Overflow::Reject, Overflow::DropOldest, Overflow::Block] {
        for stops in [false, true] {
            drop_messages(overflow, stops);
        }
    }
}

fn drop_messages(overflow: Overflow, stops: bool) {
    let world = World::new();
    let bounds = Bounds { messages_max: 1, ..Bounds::default() };
    let spec = Spec { bounds, overflow, executor: Executor::Callback, ..Spec::new(id("a")) };
    let handle = |mut message: Looks| {
        // The other end is dropped.
        let _ = message.until.take().map(|until| until.recv());
        std::future::ready(Ok::<(), Error>(()))
    };
    let start = move || std::future::ready(Ok(Stateless::new(handle)));
    let (at, up) = world.runtime.spawn(spec, start).expect("free");
    answer(up).expect("starts");
    let drops = Arc::new(AtomicU64::new(0));
    let looks = |until| Looks { at: at.clone(), until, drops: drops.clone() };
    let (release, block) = mpsc::channel();
    assert!(at.send(looks(Some(block))).is_ok());
    begun(&at, 1);
    assert!(at.send(looks(None)).is_ok(), "room for one");
    // Refused, in the place of an older one, or waiting for room: given up in each case.
    for _ in 0..3 {
        drop(at.request(looks(None), soon(), Busy));
    }
    let down = stops.then(|| at.stop(common::LONG));
    drop(release);
    eventually("all are dropped", || drops.load(SeqCst) == 5);
    match down {
        Some(down) => answer(down).expect("stops"),
        None => answer(at.request(looks(None), soon(), Busy)).expect("it goes on"),
    }
}
