//! How children are stopped: in time, at their deadline, or at once.

mod common;

use std::sync::mpsc;
use std::time::Duration;

use airssys_rt::Caller::Busy;
use airssys_rt::{ChildSpec, Restart, Shutdown, Spec, SupervisorRef, SupervisorSpec};
use common::{Ask, World, answer, at_once, begun, eventually, id, soon};

const NEVER: Duration = Duration::from_secs(3_600);
const AT_ONCE: Duration = Duration::from_millis(10);

fn top(world: &World, children: impl IntoIterator<Item = ChildSpec>) -> SupervisorRef {
    let spec = SupervisorSpec::new(id("top")).rules(at_once(0));
    world.supervise(children.into_iter().fold(spec, SupervisorSpec::child))
}

fn add(top: &SupervisorRef, child: ChildSpec) {
    let (_, up) = top.start_child(child).expect("a free name");
    answer(up).expect("starts");
}

fn told(world: &World, line: &str) -> bool {
    world.told.lines().iter().any(|told| told == line)
}

fn brutal(world: &World, name: &str) -> ChildSpec {
    let spec = Spec { shutdown: Shutdown::Brutal, ..Spec::new(id(name)) };
    world.child_as(spec, Restart::Permanent, true)
}

#[test]
fn a_child_without_a_shutdown_deadline_is_awaited() {
    let world = World::new();
    let children = [world.child("before", Restart::Permanent), world.late_child("slow", Shutdown::Infinity)];
    let top = top(&world, children);
    let mut down = top.stop(NEVER);
    eventually("it stops", || world.log.lines().iter().any(|line| line == "stop slow"));
    assert!(down.try_take().is_none());
    assert!(!world.log.lines().iter().any(|line| line == "stop before"), "one after the other");
    world.open(1);
    answer(down).expect("down");
    assert!(told(&world, "slow: stopped shutdown") && told(&world, "before: stopped shutdown"));
}

#[test]
fn hostile_h7_a_child_that_does_not_stop_in_time_is_killed() {
    let world = World::new();
    let children = [
        world.child("before", Restart::Permanent),
        world.late_child("late", Shutdown::After(AT_ONCE)),
        world.child("after", Restart::Permanent),
    ];
    answer(top(&world, children).stop(NEVER)).expect("down");
    assert!(told(&world, "late: stopped killed"));
    assert!(told(&world, "before: stopped shutdown") && told(&world, "after: stopped shutdown"));
}

#[test]
fn hostile_h7_a_dynamic_child_that_does_not_stop_in_time_is_killed() {
    let world = World::new();
    let top = top(&world, []);
    add(&top, world.child("before", Restart::Permanent));
    add(&top, world.late_child("late", Shutdown::After(AT_ONCE)));
    answer(top.stop(NEVER)).expect("down");
    assert!(told(&world, "late: stopped killed") && told(&world, "before: stopped shutdown"));
}

#[test]
fn a_child_with_brutal_kill_is_killed_at_once() {
    let world = World::new();
    let top = top(&world, [world.child("sibling", Restart::Permanent), brutal(&world, "brutal")]);
    answer(top.stop(NEVER)).expect("down");
    assert!(told(&world, "brutal: stopped killed") && told(&world, "sibling: stopped shutdown"));
    assert!(!world.log.lines().iter().any(|line| line == "stop brutal"), "no hook of it is called");
}

#[test]
fn dynamic_children_with_brutal_kill_are_killed_at_once() {
    let world = World::new();
    let top = top(&world, []);
    for number in 0..10 {
        add(&top, brutal(&world, &format!("brutal-{number}")));
    }
    answer(top.stop(NEVER)).expect("down");
    for number in 0..10 {
        assert!(told(&world, &format!("brutal-{number}: stopped killed")));
    }
    assert!(world.runtime.is_empty());
}

#[test]
fn dynamic_children_stop_in_the_time_of_the_slowest() {
    let world = World::new();
    let top = top(&world, [world.child("static", Restart::Permanent)]);
    for number in 0..20 {
        add(&top, world.late_child(&format!("late-{number}"), Shutdown::Infinity));
    }
    let mut down = top.stop(NEVER);
    let stopping = || world.log.lines().iter().filter(|line| line.starts_with("stop late")).count();
    eventually("all are told before any has ended", || stopping() == 20);
    assert!(down.try_take().is_none());
    assert!(!world.log.lines().iter().any(|line| line == "stop static"));
    world.open(20);
    answer(down).expect("down");
}

#[test]
fn whoever_stops_a_child_may_give_it_less_time_than_its_spec() {
    let world = World::new();
    let _top = top(&world, [world.late_child("late", Shutdown::After(NEVER))]);
    let late = world.at("late");
    late.stop(AT_ONCE).wait().expect("down");
    assert!(told(&world, "late: stopped killed"));
}

#[test]
fn whoever_stops_a_tree_may_give_it_less_time_than_its_children_have() {
    let world = World::new();
    let deep =
        SupervisorSpec::new(id("deep")).rules(at_once(0)).child(world.late_child("late", Shutdown::Infinity));
    let top = top(&world, [ChildSpec::supervisor(deep, Restart::Permanent)]);
    answer(top.stop(AT_ONCE)).expect("down");
    assert!(told(&world, "late: stopped killed"));
    assert!(world.runtime.is_empty());
}

#[test]
fn a_killed_tree_is_down_without_hooks() {
    let world = World::new();
    let deep =
        SupervisorSpec::new(id("deep")).rules(at_once(0)).child(world.late_child("late", Shutdown::Infinity));
    let top =
        top(&world, [world.child("a", Restart::Permanent), ChildSpec::supervisor(deep, Restart::Permanent)]);
    top.kill();
    eventually("down", || told(&world, "top: stopped killed"));
    assert!(told(&world, "late: stopped killed") && told(&world, "a: stopped killed"));
    assert!(!world.log.lines().iter().any(|line| line.starts_with("stop")));
}

#[test]
fn trees_in_trees_stop_from_the_last_leaf_to_the_first() {
    let world = World::new();
    let nested = ["c", "b"].iter().fold(None, |inner: Option<ChildSpec>, name| {
        let spec = SupervisorSpec::new(id(&format!("of-{name}"))).rules(at_once(0));
        let spec = spec.child(world.child(name, Restart::Permanent));
        Some(ChildSpec::supervisor(inner.into_iter().fold(spec, SupervisorSpec::child), Restart::Permanent))
    });
    let top = top(&world, [world.child("a", Restart::Permanent)].into_iter().chain(nested));
    answer(top.stop(NEVER)).expect("down");
    assert_eq!(world.log.lines(), ["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
}

#[test]
fn a_stop_that_was_asked_for_twenty_thousand_times_is_one_stop() {
    let world = World::new();
    let actor = world.plain("one");
    let (release, block) = mpsc::channel();
    let held = actor.request(Ask::Block(block), soon(), Busy);
    begun(&actor, 1);
    for _ in 0..20_000 {
        drop(actor.stop(common::LONG));
    }
    let last = actor.stop(common::LONG);
    drop(release);
    answer(held).expect("the message in hand is finished");
    answer(last).expect("stops");
    assert_eq!(world.notices(), ["started", "stopped shutdown"]);
}
