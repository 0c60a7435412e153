//! Supervision trees as their users see them: restarts, strategies, escalation, names.

mod common;

use std::sync::mpsc;
use std::time::Duration;

use airssys_rt::Caller::Waits;
use airssys_rt::{AutoShutdown, Backoff, ChildSpec, Error, Exit, Restart, Rules, Shutdown, Strategy};
use common::{Ask, Log, World, answer, at_once, begun, crash, echo, eventually, failing, id, soon, spec};

/// What was told after the children were up.
fn since_start(log: &Log, what: impl FnOnce()) -> Vec<String> {
    log.take();
    what();
    log.take()
}

#[test]
fn children_start_in_order_and_stop_in_reverse() {
    let world = World::new();
    let tree = ["a", "b", "c"]
        .iter()
        .fold(spec("top", at_once(0)), |tree, name| tree.child(world.child(name, Restart::Permanent)));
    let top = world.supervise(tree);
    assert_eq!(world.told.take(), ["a: started", "b: started", "c: started", "top: started"]);
    answer(top.stop(common::LONG)).expect("stops");
    let stopped =
        ["c: stopped shutdown", "b: stopped shutdown", "a: stopped shutdown", "top: stopped shutdown"];
    let mut told = world.told.take();
    assert_eq!(told.pop().as_deref(), Some(stopped[3]));
    assert_eq!(told, stopped[..3]);
    assert_eq!(world.log.lines(), ["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
    assert!(world.runtime.is_empty());
}

#[test]
fn one_for_one_restarts_the_child_that_crashed_under_its_handle() {
    let world = World::new();
    let tree = spec("top", at_once(1));
    let tree = tree.child(world.child("a", Restart::Permanent)).child(world.child("b", Restart::Permanent));
    let _top = world.supervise(tree);
    let (a, b) = (world.at("a"), world.at("b"));
    let handle = a.handle();
    let told = since_start(&world.told, || {
        crash(&a);
        assert_eq!(echo(&a, 1).expect("the second life"), 1_001);
    });
    assert_eq!(told, ["a: crashed: boom", "a: restarted 1"]);
    assert_eq!(echo(&b, 1).expect("the first life"), 1);
    assert_eq!(world.at("a").handle(), handle);
}

#[test]
fn messages_that_wait_survive_a_restart() {
    let world = World::new();
    let _top = world.supervise(spec("top", at_once(1)).child(world.child("a", Restart::Permanent)));
    let a = world.at("a");
    let held = a.request(Ask::Wait, soon(), Waits);
    begun(&a, 1);
    let boom = a.request(Ask::Boom, soon(), Waits);
    let waiting: Vec<_> = (0..200).map(|number| a.request(Ask::Echo(number), soon(), Waits)).collect();
    world.open(1);
    held.wait().expect("answer");
    assert!(matches!(boom.wait(), Err(Error::Crashed(_))));
    for (number, pending) in waiting.into_iter().enumerate() {
        assert_eq!(pending.wait().expect("kept"), 1_000 + number as u64);
    }
    assert_eq!(world.counts().delivered, 202);
}

/// Four children, of which the second crashes; what is told until it has come back.
fn group_restart(strategy: Strategy) -> (World, Vec<String>) {
    let world = World::new();
    let tree =
        ["a", "b", "c", "d"].iter().fold(spec("top", Rules { strategy, ..at_once(1) }), |tree, name| {
            tree.child(world.child(name, Restart::Permanent))
        });
    world.supervise(tree);
    let b = world.at("b");
    let told = since_start(&world.told, || {
        crash(&b);
        eventually("the last is back", || echo(&world.at("d"), 0).is_ok_and(|answer| answer == 1_000));
    });
    (world, told)
}

#[test]
fn one_for_all_stops_the_others_in_reverse_and_starts_all_in_order() {
    let (world, told) = group_restart(Strategy::OneForAll);
    assert_eq!(told.first().map(String::as_str), Some("b: crashed: boom"));
    let restarted: Vec<_> = told.iter().filter(|line| line.contains("restarted")).collect();
    assert_eq!(restarted, ["a: restarted 1", "b: restarted 1", "c: restarted 1", "d: restarted 1"]);
    let log = world.log.lines();
    assert_eq!(log[4..], ["stop d", "stop c", "stop a", "start a", "start b", "start c", "start d"]);
}

#[test]
fn rest_for_one_leaves_those_before_alone() {
    let (world, told) = group_restart(Strategy::RestForOne);
    let restarted: Vec<_> = told.iter().filter(|line| line.contains("restarted")).collect();
    assert_eq!(restarted, ["b: restarted 1", "c: restarted 1", "d: restarted 1"]);
    let log = world.log.lines();
    assert_eq!(log[4..], ["stop d", "stop c", "start b", "start c", "start d"]);
    assert_eq!(echo(&world.at("a"), 5).expect("its first life"), 5);
}

#[test]
fn a_start_that_fails_deep_in_a_tree_tells_its_cause() {
    let world = World::new();
    let deep = spec("deep", at_once(0)).child(world.child("b", Restart::Permanent)).child(failing("c"));
    let tree = spec("top", at_once(0))
        .child(world.child("a", Restart::Permanent))
        .child(ChildSpec::supervisor(deep, Restart::Permanent))
        .child(world.child("d", Restart::Permanent));
    let (_top, up) = world.runtime.supervise(tree).expect("valid");
    let failed = answer(up);
    assert!(
        matches!(&failed, Err(Error::StartFailed(cause)) if cause.to_string().contains("no")),
        "{failed:?}"
    );
    assert_eq!(world.log.lines(), ["start a", "start b", "stop b", "stop a"]);
    eventually("nothing is left", || world.runtime.is_empty());
    world.plain("a");
    world.plain("c");
}

#[test]
fn a_tree_restarts_without_what_was_added() {
    let world = World::new();
    let sub = spec("sub", at_once(1)).child(world.child("leaf", Restart::Permanent));
    let tree = spec("top", at_once(1)).child(ChildSpec::supervisor(sub, Restart::Permanent));
    let top = world.supervise(tree);
    let sub = world.runtime.supervisor(world.runtime.find(&id("sub")).expect("there")).expect("a supervisor");
    let (_, up) = sub.start_child(world.child("added", Restart::Permanent)).expect("a free name");
    answer(up).expect("starts");
    let (leaf, handle) = (world.at("leaf"), sub.handle());
    crash(&leaf);
    assert_eq!(echo(&leaf, 0).expect("alone"), 1_000);
    assert_eq!(echo(&world.at("added"), 0).expect("untouched"), 0);
    crash(&leaf);
    assert_eq!(echo(&leaf, 0).expect("with its supervisor"), 2_000);
    eventually("the added one is gone", || !world.is_there("added"));
    let names = |children: Vec<(_, airssys_rt::ActorId, _)>| -> Vec<_> {
        children.into_iter().map(|(_, id, _)| common::short(&id)).collect()
    };
    assert_eq!(names(sub.children()), ["leaf"]);
    assert_eq!(names(top.children()), ["sub"]);
    assert_eq!(world.runtime.find(&id("sub")), Some(handle));
    let told = world.told.lines();
    assert!(told.iter().any(|line| line == "sub: gave up 1"), "{told:?}");
    assert!(told.iter().any(|line| line == "added: stopped shutdown"), "{told:?}");
    eventually("told", || world.told.lines().iter().any(|line| line == "sub: restarted 1"));
}

#[test]
fn a_named_supervisor_that_is_killed_comes_back_under_its_name() {
    let world = World::new();
    let sub = spec("sub", at_once(0)).child(world.child("worker", Restart::Permanent));
    world.supervise(spec("top", at_once(2)).child(ChildSpec::supervisor(sub, Restart::Permanent)));
    let (sub, worker) = (world.runtime.find(&id("sub")).expect("there"), world.at("worker"));
    worker.exit_with(Exit::Killed);
    eventually("back", || world.told.lines().iter().any(|line| line == "sub: restarted 1"));
    assert_eq!(world.runtime.find(&id("sub")), Some(sub));
    assert_eq!(echo(&world.at("worker"), 1).expect("the second life"), 1_001);
    assert_eq!(world.at("worker").handle(), worker.handle());
}

#[test]
fn hostile_h4_escalation_to_the_root_leaves_the_runtime_alive() {
    let world = World::new();
    let sub = spec("sub", at_once(0)).child(world.child("leaf", Restart::Permanent));
    let tree = spec("top", at_once(0))
        .child(ChildSpec::supervisor(sub, Restart::Permanent))
        .child(world.child("sibling", Restart::Permanent));
    let top = world.supervise(tree);
    let bystander = world.plain("bystander");
    let (tell, told) = mpsc::channel();
    let mourner = move |down: airssys_rt::Down| tell.send(down).expect("open");
    world.runtime.monitor(top.handle(), Box::new(mourner)).expect("it lives");
    let leaf = world.at("leaf");
    crash(&leaf);
    let down = told.recv_timeout(common::LONG).expect("told");
    assert!(matches!(down.exit, Exit::Shutdown) && !down.restarting, "{down:?}");
    assert_eq!(top.status().state, "stopped");
    for line in ["sub: gave up 0", "top: gave up 0", "sibling: stopped shutdown", "top: stopped shutdown"] {
        assert!(world.told.lines().iter().any(|told| told == line), "{line}: {:?}", world.told.lines());
    }
    let Err(Error::Stopped(Exit::Crash(cause))) = echo(&leaf, 1) else { panic!("it was given up") };
    assert!(cause.to_string().starts_with("given up after 0 restarts within "), "{cause}");
    assert_eq!(echo(&bystander, 1).expect("untouched"), 1);
    assert_eq!(world.runtime.len(), 1);
    world.supervise(spec("top", at_once(0)).child(world.child("leaf", Restart::Permanent)));
    assert_eq!(echo(&world.at("leaf"), 1).expect("a new one"), 1);
}

#[test]
fn a_stop_of_the_supervisor_overtakes_a_restart_that_waits() {
    let world = World::new();
    let rules = Rules { backoff: Backoff::delayed(Duration::from_secs(3_600)), ..at_once(5) };
    let top = world.supervise(spec("top", rules).child(world.child("a", Restart::Permanent)));
    let a = world.at("a");
    crash(&a);
    let waiting = a.request(Ask::Echo(1), soon(), Waits);
    assert_eq!(a.status().state, "restarting");
    answer(top.stop(common::LONG)).expect("at once");
    assert!(matches!(waiting.wait(), Err(Error::Stopped(_))));
    assert_eq!(world.counts().dead_letters, 1);
}

#[test]
fn a_significant_child_that_is_done_ends_its_supervisor() {
    let world = World::new();
    let rules = Rules { auto_shutdown: AutoShutdown::AnySignificant, ..at_once(1) };
    let tree = spec("top", rules)
        .child(world.child("main", Restart::Transient).significant())
        .child(world.child("helper", Restart::Permanent));
    let top = world.supervise(tree);
    let main = world.at("main");
    crash(&main);
    assert_eq!(echo(&main, 0).expect("a crash is no end"), 1_000);
    let _ = main.request(Ask::Done, soon(), Waits).wait();
    eventually("all is down", || world.told.lines().contains(&"top: stopped shutdown".to_owned()));
    assert_eq!(top.status().state, "stopped");
    assert!(world.told.lines().contains(&"helper: stopped shutdown".to_owned()));
    assert!(world.told.lines().contains(&"main: stopped normal".to_owned()));
}

#[test]
fn hostile_h8_ten_thousand_children_that_crash_at_once_are_all_back() {
    const CHILDREN: usize = 10_000;
    let world = World::new();
    let tree = (0..CHILDREN).fold(spec("top", at_once(u32::MAX)), |tree, number| {
        tree.child(world.child(&format!("child-{number}"), Restart::Permanent))
    });
    let top = world.supervise(tree);
    let children: Vec<_> = (0..CHILDREN).map(|number| world.at(&format!("child-{number}"))).collect();
    for child in &children {
        child.send(Ask::Boom).expect("room");
    }
    for child in &children {
        assert_eq!(echo(child, 1).expect("its second life"), 1_001);
    }
    assert_eq!(world.runtime.restarts(), CHILDREN as u64);
    assert_eq!(world.runtime.len(), CHILDREN + 1);
    assert_eq!(top.status().state, "running");
    assert_eq!(world.counts().delivered, 2 * CHILDREN as u64);
}

#[test]
fn hostile_h8_a_storm_above_the_intensity_ends_the_tree_once() {
    const CHILDREN: usize = 1_000;
    let world = World::new();
    let tree = (0..CHILDREN).fold(spec("top", at_once(100)), |tree, number| {
        tree.child(world.child(&format!("child-{number}"), Restart::Permanent))
    });
    world.supervise(tree);
    let children: Vec<_> = (0..CHILDREN).map(|number| world.at(&format!("child-{number}"))).collect();
    for child in &children {
        // One that is down already takes no message.
        let _ = child.send(Ask::Boom);
    }
    let last = || world.told.lines().last().is_some_and(|line| line == "top: stopped shutdown");
    eventually("all is down", || world.runtime.is_empty() && last());
    assert_eq!(world.told.lines().iter().filter(|line| line.starts_with("top: gave up")).count(), 1);
    world.counts();
}

#[test]
fn a_stop_that_is_asked_for_during_a_restart_of_the_supervisor_is_not_lost() {
    let world = World::new();
    let inner = spec("inner", at_once(5)).child(world.late_child("a", Shutdown::Infinity));
    let rules = Rules { strategy: Strategy::OneForAll, ..at_once(5) };
    world.supervise(
        spec("outer", rules)
            .child(ChildSpec::supervisor(inner, Restart::Permanent))
            .child(world.child("b", Restart::Permanent)),
    );
    let a = world.at("a");
    crash(&world.at("b"));
    eventually("it stops", || world.log.lines().iter().any(|line| line == "stop a"));
    let stop = a.stop(common::LONG);
    world.open(2);
    answer(stop).expect("its supervisor starts it again only to stop it");
    assert_eq!(a.status().state, "stopped");
    assert_eq!(echo(&world.at("b"), 1).expect("the second life"), 1_001);
}

#[test]
fn a_stop_is_not_lost_while_ten_thousand_others_are_under_way() {
    let world = World::new();
    world.supervise(
        spec("top", at_once(5))
            .child(world.late_child("slow", Shutdown::Infinity))
            .child(world.child("quick", Restart::Permanent)),
    );
    let (slow, quick) = (world.at("slow"), world.at("quick"));
    let stops: Vec<_> = (0..10_000).map(|_| slow.stop(common::LONG)).collect();
    eventually("it stops", || world.log.lines().iter().any(|line| line == "stop slow"));
    answer(quick.stop(common::LONG)).expect("stops");
    assert_eq!(quick.status().state, "stopped");
    assert!(!world.told.lines().iter().any(|line| line.starts_with("quick: restarted")));
    world.open(1);
    for stop in stops {
        answer(stop).expect("each is answered");
    }
}
