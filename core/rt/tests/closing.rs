//! Everything is stopped: in reverse order, in time, whatever hangs.

mod common;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use airssys_rt::Caller::Waits;
use airssys_rt::{ChildSpec, Executor, Restart, Shutdown, Spec, Stopped, SupervisorSpec};
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
    let held = stuck.request(Ask::Block(block), soon(), airssys_rt::Caller::Busy);
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
