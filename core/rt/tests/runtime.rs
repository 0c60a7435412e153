//! The runtime as its user sees it: send, request, deadlines, crashes and restarts.

mod common;

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use airssys_rt::Caller::Waits;
use airssys_rt::{Backoff, Bounds, Cause, Error, Exit, Restart, Rules, Spec};
use common::{Ask, Probe, World, begun, echo, id, soon};

#[test]
fn a_request_is_answered_and_a_taken_name_is_refused() {
    let world = World::new();
    let actor = world.plain("one");
    assert_eq!(echo(&actor, 7).expect("answer"), 7);
    let start = world.starter(&Spec::new(id("one")), false);
    assert!(matches!(world.runtime.spawn(Spec::new(id("one")), start), Err(Error::AlreadyExists)));
    assert!(world.runtime.lookup::<Ask>(&id("one")).is_some());
    assert!(world.runtime.lookup::<Ask>(&id("two")).is_none());
}

#[test]
fn a_reply_may_travel_and_come_later() {
    let world = World::new();
    let actor = world.plain("one");
    let (tell, told) = mpsc::channel();
    let pending = actor.request(Ask::Later(tell), soon(), Waits);
    let mut reply = told.recv().expect("the duty");
    assert_eq!(echo(&actor, 1).expect("not blocked by the first"), 1);
    reply.settle(Ok(9));
    assert_eq!(pending.wait().expect("answer"), 9);
}

#[test]
fn order_per_sender_is_kept() {
    let world = World::new();
    let actor = world.plain("one");
    let many: Vec<_> = (0..500).map(|number| actor.request(Ask::Echo(number), soon(), Waits)).collect();
    for (number, pending) in many.into_iter().enumerate() {
        assert_eq!(pending.wait().expect("answer"), number as u64);
    }
}

#[test]
fn a_deadline_ends_the_wait_and_never_the_actor() {
    let world = World::new();
    let actor = world.plain("one");
    let in_handler = actor.request(Ask::Wait, Some(Instant::now() + Duration::from_millis(200)), Waits);
    begun(&actor, 1);
    let queued = actor.request(Ask::Echo(1), Some(Instant::now() + Duration::from_millis(20)), Waits);
    assert!(matches!(in_handler.wait(), Err(Error::Timeout { handling: true })));
    assert!(matches!(queued.wait(), Err(Error::Timeout { handling: false })));
    world.open(1);
    assert_eq!(echo(&actor, 2).expect("it lives"), 2);
    let counts = world.runtime.counts();
    assert_eq!((counts.sent, counts.delivered, counts.dropped), (3, 2, 1));
}

#[test]
fn requests_whose_callers_gave_up_make_room() {
    let world = World::new();
    let bounds = Bounds { messages_max: 2, ..Bounds::default() };
    let actor = world.spawn("one", Restart::Temporary, bounds);
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    drop(actor.request(Ask::Echo(1), soon(), Waits));
    drop(actor.request(Ask::Echo(2), soon(), Waits));
    let third = actor.request(Ask::Echo(3), soon(), Waits);
    world.open(1);
    assert_eq!(held.wait().expect("answer"), 0);
    assert_eq!(third.wait().expect("there was room"), 3);
    assert_eq!(world.runtime.counts().dropped, 2);
}

#[test]
fn a_crash_fails_its_message_keeps_the_queue_and_comes_back() {
    let world = World::new();
    let actor = world.spawn("one", Restart::Permanent, Bounds::default());
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    let crash = actor.request(Ask::Boom, soon(), Waits);
    let after = actor.request(Ask::Echo(5), soon(), Waits);
    world.open(1);
    assert_eq!(held.wait().expect("answer"), 0);
    assert!(matches!(crash.wait(), Err(Error::Crashed(cause)) if cause.to_string() == "boom"));
    assert_eq!(after.wait().expect("the second life answers"), 1_005);
    assert_eq!(world.notices(), ["started", "crashed: boom", "restarted 1"]);
}

#[test]
fn hostile_h15_a_panic_is_a_crash_with_its_text() {
    let world = World::new();
    let actor = world.spawn("one", Restart::Transient, Bounds::default());
    let panicked = actor.request(Ask::Panic, soon(), Waits).wait();
    assert!(matches!(panicked, Err(Error::Crashed(cause)) if cause.to_string() == "panicked: on purpose"));
    assert_eq!(echo(&actor, 1).expect("answer"), 1_001);
}

#[test]
fn hostile_h2_too_many_crashes_end_it_and_the_end_is_told() {
    let world = World::new();
    let actor = world.spawn("one", Restart::Permanent, Bounds::default());
    for _ in 0..3 {
        assert!(actor.request(Ask::Boom, soon(), Waits).wait().is_err());
    }
    let late = echo(&actor, 1);
    assert!(matches!(late, Err(Error::Stopped(Exit::Crash(_)))));
    let expected = [
        "started",
        "crashed: boom",
        "restarted 1",
        "crashed: boom",
        "restarted 2",
        "crashed: boom",
        "gave up 2",
        "stopped given up after 2 restarts within 10000 ms: crashed: boom",
    ];
    assert_eq!(world.notices(), expected);
}

#[test]
fn a_stop_ends_the_message_in_hand_and_dead_letters_the_rest() {
    let world = World::new();
    let actor = world.plain("one");
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    let queued = actor.request(Ask::Echo(1), soon(), Waits);
    let stop = actor.stop(Duration::from_secs(20));
    world.open(1);
    assert_eq!(held.wait().expect("answer"), 0);
    stop.wait().expect("stops");
    assert!(matches!(queued.wait(), Err(Error::Stopped(Exit::Shutdown))));
    assert_eq!(world.notices(), ["started", "dead 1", "stopped shutdown"]);
    let counts = world.runtime.counts();
    assert_eq!(counts.sent, counts.delivered + counts.rejected + counts.dropped + counts.dead_letters);
    world.plain("one");
}

#[test]
fn a_stop_that_hangs_is_a_kill_at_its_deadline() {
    let world = World::new();
    let actor = world.plain("one");
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    actor.stop(Duration::from_millis(10)).wait().expect("is down");
    let held = held.wait();
    assert!(matches!(held, Err(Error::Stopped(Exit::Killed))), "{held:?}");
    assert!(matches!(actor.exit(), Some(Exit::Killed)));
}

#[test]
fn a_stop_overtakes_a_restart_that_waits() {
    let world = World::new();
    let backoff = Backoff::delayed(Duration::from_secs(3_600));
    let rules = Rules { backoff, ..Rules::default() };
    let actor = world.spawn_by(Spec::new(id("one")), Restart::Permanent, rules);
    assert!(actor.request(Ask::Boom, soon(), Waits).wait().is_err());
    let waiting = actor.request(Ask::Echo(1), soon(), Waits);
    actor.stop(Duration::from_secs(20)).wait().expect("is down at once");
    assert!(matches!(waiting.wait(), Err(Error::Stopped(Exit::Shutdown))));
}

#[test]
fn a_start_that_fails_is_the_answer_of_spawn() {
    let world = World::new();
    let start = || async { Err::<Probe, Cause>(Arc::new(std::io::Error::other("no"))) };
    let rules = Rules::default();
    let spawned = world.runtime.spawn_restarted(Spec::new(id("one")), Restart::Permanent, rules, start);
    let (_, up) = spawned.expect("free");
    assert!(matches!(up.wait(), Err(Error::StartFailed(cause)) if cause.to_string() == "no"));
    common::eventually("nothing is left", || world.runtime.is_empty());
}

#[test]
fn many_threads_ask_many_actors() {
    let world = World::new();
    let actors: Vec<_> = (0..4).map(|n| world.plain(&format!("actor-{n}"))).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let actors = &actors;
            scope.spawn(move || {
                for round in 0..2_000u64 {
                    let answer =
                        actors[(thread + round as usize) % 4].request(Ask::Echo(round), soon(), Waits).wait();
                    assert_eq!(answer.expect("answer") % 1_000, round % 1_000);
                }
            });
        }
    });
    assert_eq!(world.runtime.counts().delivered, 8_000);
}

#[test]
fn an_exit_ends_one_life_and_kills_no_later_one() {
    let world = World::new();
    let actor = world.spawn_by(Spec::new(id("one")), Restart::Permanent, common::at_once(u32::MAX));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    actor.exit_with(common::boom());
                }
            });
        }
    });
    assert!(echo(&actor, 1).is_ok());
    let notices = world.notices();
    assert!(notices.iter().any(|line| line == "crashed: boom"));
    assert!(!notices.iter().any(|line| line.contains("killed")), "nobody killed it");
}
