//! Everything is stopped: in reverse order, in time, whatever hangs.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use airssys_rt::Caller::{Busy, Waits};
use airssys_rt::{
    Actor, Child, ChildSpec, Context, Error, Executor, Exit, Restart, Shutdown, Spec, Stopped, SupervisorSpec,
};
use common::{Ask, World, answer, at_once, begun, eventually, id, soon};

fn late() -> Instant {
    Instant::now() + common::LONG
}

fn early() -> Instant {
    Instant::now() + Duration::from_millis(20)
}

#[test]
fn trees_and_actors_stop_in_the_reverse_order_of_their_starts() {
    let world = World::new();
    world.plain("first");
    let tree = SupervisorSpec::new(id("top")).rules(at_once(0));
    world.supervise(
        tree.child(world.child("a", Restart::Permanent)).child(world.child("b", Restart::Permanent)),
    );
    world.spawn("last", Restart::Permanent, airssys_rt::Bounds::default());
    assert_eq!(answer(world.runtime.stop_all(late())).expect("stops"), Stopped { stopped: 5, killed: 0 });
    assert_eq!(world.log.lines()[4..], ["stop last", "stop b", "stop a", "stop first"]);
    assert!(world.runtime.is_empty());
    assert_eq!(answer(world.runtime.stop_all(late())).expect("nothing to do"), Stopped::default());
}

#[test]
fn what_has_not_stopped_at_the_deadline_is_killed_and_counted() {
    let world = World::new();
    world.plain("quick");
    let stuck = world.plain("stuck");
    let held = stuck.request(Ask::Wait, soon(), Waits);
    begun(&stuck, 1);
    let deep = SupervisorSpec::new(id("deep")).rules(at_once(0));
    let deep = deep.child(world.late_child("late", Shutdown::Infinity));
    let tree = SupervisorSpec::new(id("top")).rules(at_once(0));
    world.supervise(tree.child(ChildSpec::supervisor(deep, Restart::Permanent)));
    let stopped = answer(world.runtime.stop_all(early())).expect("a hang does not hang it");
    assert_eq!(stopped.stopped + stopped.killed, 5);
    assert!(stopped.killed >= 2, "{stopped:?}");
    assert!(answer(held).is_err());
    assert!(world.runtime.is_empty());
    world.counts();
}

#[test]
fn what_blocks_its_thread_is_abandoned_and_holds_up_nobody() {
    let world = World::new();
    let (release, block) = mpsc::channel();
    let callback = Spec { executor: Executor::Callback, ..Spec::new(id("callback")) };
    let stuck = world.spawn_as(callback, Restart::Permanent);
    let held = stuck.request(Ask::Block(block), soon(), Waits);
    begun(&stuck, 1);
    world.plain("other");
    let stopped = answer(world.runtime.stop_all(early())).expect("a hang does not hang it");
    assert_eq!(stopped.stopped + stopped.killed, 2);
    assert!(answer(held).is_err(), "its caller is set free");
    assert!(world.runtime.is_empty());
    drop(release);
}

#[test]
fn a_worker_that_is_blocked_is_abandoned_too() {
    let world = World::new();
    let (release, block) = mpsc::channel();
    let stuck = world.plain("stuck");
    let held = stuck.request(Ask::Block(block), soon(), Busy);
    begun(&stuck, 1);
    let stopped = answer(world.runtime.stop_all(early())).expect("a hang does not hang it");
    assert_eq!(stopped, Stopped { stopped: 0, killed: 1 });
    assert!(answer(held).is_err());
    drop(release);
}

#[test]
fn a_tree_that_is_restarting_is_stopped_all_the_same() {
    let world = World::new();
    let backoff = airssys_rt::Backoff::delayed(Duration::from_secs(3_600));
    let rules = airssys_rt::Rules { backoff, ..at_once(5) };
    world.supervise(SupervisorSpec::new(id("top")).rules(rules).child(world.child("a", Restart::Permanent)));
    let alone = world.spawn_by(Spec::new(id("alone")), Restart::Permanent, rules);
    common::crash(&world.at("a"));
    common::crash(&alone);
    let stopped = answer(world.runtime.stop_all(late())).expect("at once");
    assert_eq!(stopped.stopped, 3);
    assert!(world.runtime.is_empty());
}

#[test]
fn everything_is_killed_at_once_if_asked_for() {
    let world = World::new();
    let tree = SupervisorSpec::new(id("top")).rules(at_once(0));
    let tree =
        (0..100).fold(tree, |tree, n| tree.child(world.late_child(&format!("c-{n}"), Shutdown::Infinity)));
    world.supervise(tree);
    world.plain("alone");
    world.runtime.kill_all();
    eventually("down", || world.runtime.is_empty());
    assert!(!world.log.lines().iter().any(|line| line.starts_with("stop")));
}

#[test]
fn a_runtime_that_is_dropped_while_its_actors_are_busy_ends() {
    for _ in 0..20 {
        let world = World::new();
        let actors: Vec<_> = (0..8).map(|n| world.plain(&format!("a-{n}"))).collect();
        for number in 0..500 {
            actors[number % 8].send(Ask::Echo(1)).expect("room");
        }
    }
}

#[test]
fn hostile_h8_trees_that_crash_while_they_are_stopped_or_killed_go_down() {
    for round in 0..60 {
        let world = World::new();
        let strategies = [
            airssys_rt::Strategy::OneForOne,
            airssys_rt::Strategy::OneForAll,
            airssys_rt::Strategy::RestForOne,
        ];
        let rules = airssys_rt::Rules { strategy: strategies[round % 3], ..at_once(1_000) };
        let tree = (0..3).fold(SupervisorSpec::new(id("top")).rules(rules), |tree, sub| {
            let spec = SupervisorSpec::new(id(&format!("sub-{sub}"))).rules(rules);
            let spec = (0..5).fold(spec, |spec, leaf| {
                spec.child(world.child(&format!("leaf-{sub}-{leaf}"), Restart::Permanent))
            });
            tree.child(ChildSpec::supervisor(spec, Restart::Permanent))
        });
        let top = world.supervise(tree);
        let leaves: Vec<_> = (0..15).map(|n| world.at(&format!("leaf-{}-{}", n / 5, n % 5))).collect();
        for leaf in &leaves {
            // One that is being stopped for a sibling's sake refuses.
            let _ = leaf.send(Ask::Boom);
            let _ = leaf.send(Ask::Echo(1));
        }
        match round % 4 {
            0 => answer(top.stop(common::LONG)).expect("stops"),
            1 => top.kill(),
            2 => drop(answer(world.runtime.stop_all(late())).expect("stops")),
            _ => drop(answer(world.runtime.stop_all(Instant::now())).expect("is killed")),
        }
        eventually("down", || world.runtime.is_empty());
        let counts = world.counts();
        assert_eq!(counts.sent, 30);
    }
}

#[test]
fn a_runtime_that_is_dropped_amid_restarts_keeps_no_actor() {
    for _ in 0..100 {
        let world = World::new();
        let actor = world.spawn_by(Spec::new(id("one")), Restart::Permanent, at_once(10));
        let gate = std::sync::Arc::downgrade(&world.gate);
        assert!(actor.send(Ask::Boom).is_ok());
        drop((actor, world));
        // The thread of the timers may be the last that holds it.
        eventually("what makes its lives is dropped", || gate.strong_count() == 0);
    }
}

#[test]
fn stopping_everything_beside_spawns_that_are_refused_ends() {
    let world = Arc::new(World::new());
    let over = Arc::new(AtomicBool::new(false));
    let spawners = [(); 3].map(|()| {
        let (world, over) = (world.clone(), over.clone());
        std::thread::spawn(move || {
            while !over.load(SeqCst) {
                let start = world.starter(&Spec::new(id("twin")), false);
                drop(world.runtime.spawn(Spec::new(id("twin")), start));
            }
        })
    });
    let hung = (0..300).find(|_| world.runtime.stop_all(early()).wait_until(soon()).is_none());
    over.store(true, SeqCst);
    for spawner in spawners {
        spawner.join().expect("no panic");
    }
    assert_eq!(hung, None, "in this round");
}

#[test]
fn nobody_waits_for_a_runtime_that_has_ended() {
    let world = World::new();
    let actor = world.plain("a");
    world.runtime.end();
    assert!(matches!(common::echo(&actor, 1), Err(Error::Stopped(_))));
    let start = world.starter(&Spec::new(id("b")), false);
    assert!(matches!(world.runtime.spawn(Spec::new(id("b")), start), Err(Error::Stopped(_))));
    answer(actor.stop(common::LONG)).expect("it is down");
}

/// Counted while it lives.
struct Counted(Arc<AtomicU64>);

impl Child for Counted {}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Actor for Counted {
    type Message = Ask;

    async fn handle(&mut self, _: Ask, context: &mut Context<'_, Ask>) -> Result<(), Exit> {
        context.reply(Ok(1));
        Ok(())
    }
}

#[test]
fn a_runtime_that_is_dropped_leaves_no_actor_and_no_waiter() {
    for _ in 0..2 {
        let (_io, runtime) = common::runtime(None);
        let lives = Arc::new(AtomicU64::new(0));
        let tree = (0..200).fold(SupervisorSpec::new(id("top")).rules(at_once(3)), |tree, number| {
            let spec = Spec { executor: Executor::Callback, ..Spec::new(id(&format!("a-{number}"))) };
            let lives = lives.clone();
            tree.child(ChildSpec::actor(spec, Restart::Permanent, move || {
                lives.fetch_add(1, SeqCst);
                std::future::ready(Ok(Counted(lives.clone())))
            }))
        });
        let (_top, up) = runtime.supervise(tree).expect("a valid spec");
        answer(up).expect("starts");
        let actors: Vec<_> =
            (0..200).map(|n| runtime.lookup::<Ask>(&id(&format!("a-{n}"))).expect("there")).collect();
        let asked: Vec<_> =
            actors.iter().flat_map(|actor| [(); 2].map(|()| actor.request(Ask::Wait, None, Busy))).collect();
        drop((runtime, actors));
        for mut asked in asked {
            assert!(asked.wait_until(soon()).is_some(), "its caller is set free");
        }
        eventually("all actors are dropped", || lives.load(SeqCst) == 0);
    }
}
