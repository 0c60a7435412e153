//! The children of a supervisor: added, terminated, deleted, refused, abandoned.

mod common;

use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use airssys_rt::Caller::Waits;
use airssys_rt::{
    Backoff, ChildSpec, Error, Executor, Exit, Notice, Refusal, Restart, Rules, Spec, Strategy,
    SupervisorSpec,
};
use common::{Ask, World, answer, at_once, begun, crash, echo, eventually, failing, id, short, soon, spec};

#[test]
fn children_that_are_supervisors_are_counted() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(0)));
    let ups: Vec<_> = (0..100)
        .map(|number| {
            let sub = spec(&format!("sub-{number}"), at_once(0));
            top.start_child(ChildSpec::supervisor(sub, Restart::Transient)).expect("room").1
        })
        .collect();
    for up in ups {
        answer(up).expect("starts");
    }
    let children = top.children();
    assert_eq!(children.len(), 100);
    assert!(children.iter().all(|(_, _, status)| status.state == "running"));
    for (handle, ..) in children {
        answer(top.terminate_child(handle)).expect("stops");
    }
    assert!(top.children().iter().all(|(_, _, status)| status.state == "stopped"));
    assert_eq!(world.runtime.tree().len(), 1);
    answer(top.stop(common::LONG)).expect("stops");
    assert!(world.runtime.is_empty());
}

#[test]
fn a_terminated_child_that_waited_for_its_restart_stays_down_until_asked_for() {
    let world = World::new();
    let rules = Rules { backoff: Backoff::delayed(Duration::from_secs(3_600)), ..at_once(5) };
    let top = world.supervise(spec("top", rules).child(world.child("a", Restart::Permanent)));
    let a = world.at("a");
    crash(&a);
    assert!(matches!(answer(top.restart_child(a.handle())), Err(Error::Refused(Refusal::Restarting))));
    answer(top.terminate_child(a.handle())).expect("at once");
    assert_eq!(a.status().state, "stopped");
    assert!(matches!(echo(&a, 1), Err(Error::Stopped(_))));
    answer(top.restart_child(a.handle())).expect("starts");
    assert_eq!(echo(&a, 1).expect("the second life"), 1_001);
    assert!(matches!(answer(top.restart_child(a.handle())), Err(Error::Refused(Refusal::Running))));
    assert!(matches!(answer(top.delete_child(a.handle())), Err(Error::Refused(Refusal::Running))));
}

#[test]
fn a_child_that_was_stopped_lives_again_once_it_is_restarted() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(0)).child(world.child("a", Restart::Permanent)));
    let a = world.at("a");
    answer(a.stop(common::LONG)).expect("stops");
    assert_eq!(a.status().state, "stopped");
    answer(top.restart_child(a.handle())).expect("starts");
    assert_eq!(echo(&a, 1).expect("the second life"), 1_001);
    a.kill();
    eventually("down", || a.status().state == "stopped");
    answer(top.restart_child(a.handle())).expect("starts");
    assert_eq!(echo(&a, 1).expect("the third life"), 2_001);
    assert_eq!(a.status().state, "running");
}

#[test]
fn a_supervisor_that_was_stopped_lives_again_once_it_is_restarted() {
    let world = World::new();
    let sub = spec("sub", at_once(0)).child(world.child("leaf", Restart::Permanent));
    let top = world.supervise(spec("top", at_once(0)).child(ChildSpec::supervisor(sub, Restart::Permanent)));
    let sub = world.runtime.find(&id("sub")).expect("there");
    answer(world.runtime.stop(sub, common::LONG)).expect("stops");
    answer(top.restart_child(sub)).expect("starts");
    assert_eq!(echo(&world.at("leaf"), 1).expect("it lives"), 1_001);
    assert_eq!(world.runtime.status(sub).expect("there").state, "running");
}

type Then = Box<dyn Fn(&Notice<'_>) + Send + Sync>;

/// Has a child that waits for its restart ended by `end`, and asks for its next life from within that.
fn ended_and_restarted(
    world: &World,
    then: &OnceLock<Then>,
    name: &str,
    end: impl Fn() + Send + Sync + 'static,
) {
    let top = world.runtime.supervisor(world.runtime.find(&id("top")).expect("there")).expect("one");
    let child = world.runtime.find(&id(name)).expect("there");
    let other = world.plain("other");
    eventually("down", || world.runtime.status(child).expect("there").state == "restarting");
    let (asks, asked) = mpsc::channel();
    let name = name.to_owned();
    let told: Then = Box::new(move |notice| match notice {
        // On a worker with nothing else in its hands: what the supervisor does about it, it does within the call.
        Notice::Stopped { id, .. } if short(id) == "other" => end(),
        Notice::Stopped { id, .. } if short(id) == name => {
            // The second time is the end of the test.
            let _ = asks.send(top.restart_child(child));
        }
        _ => {}
    });
    assert!(then.set(told).is_ok());
    other.kill();
    answer(asked.recv_timeout(common::LONG).expect("it is down")).expect("starts");
    assert_eq!(world.runtime.status(child).expect("there").state, "running");
}

fn observed(then: &Arc<OnceLock<Then>>) -> World {
    let then = then.clone();
    World::observed_by(move |notice| then.get().into_iter().for_each(|then| then(notice)))
}

#[test]
fn a_kill_spares_the_life_that_follows_the_one_it_was_for() {
    let then = Arc::default();
    let world = observed(&then);
    let rules = Rules { backoff: Backoff::delayed(Duration::from_secs(3_600)), ..at_once(5) };
    world.supervise(spec("top", rules).child(world.child("a", Restart::Permanent)));
    let a = world.at("a");
    crash(&a);
    ended_and_restarted(&world, &then, "a", {
        let a = a.clone();
        move || a.kill()
    });
    assert_eq!(echo(&a, 1).expect("the second life"), 1_001);
}

#[test]
fn a_stop_spares_the_life_of_a_supervisor_that_follows_the_one_it_was_for() {
    let then = Arc::default();
    let world = observed(&then);
    let rules = Rules { backoff: Backoff::delayed(Duration::from_secs(3_600)), ..at_once(5) };
    let sub = spec("sub", at_once(0)).child(world.child("leaf", Restart::Permanent));
    world.supervise(spec("top", rules).child(ChildSpec::supervisor(sub, Restart::Permanent)));
    let sub = world.runtime.supervisor(world.runtime.find(&id("sub")).expect("there")).expect("one");
    crash(&world.at("leaf"));
    ended_and_restarted(&world, &then, "sub", move || drop(sub.stop(common::LONG)));
    assert_eq!(echo(&world.at("leaf"), 1).expect("its second life"), 1_001);
}

#[test]
fn the_name_of_a_deleted_child_is_free_again() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(0)).child(world.child("static", Restart::Permanent)));
    let (added, up) = top.start_child(world.child("added", Restart::Permanent)).expect("free");
    answer(up).expect("starts");
    let fixed = world.at("static").handle();
    for (name, handle) in [("added", added), ("static", fixed)] {
        answer(top.terminate_child(handle)).expect("stops");
        assert!(world.is_there(name), "{name} keeps its name until it is deleted");
        answer(top.delete_child(handle)).expect("goes");
        assert!(!world.is_there(name), "{name}");
        assert!(matches!(answer(top.delete_child(handle)), Err(Error::Refused(Refusal::NotFound))));
        world.plain(name);
    }
    assert!(top.children().is_empty());
}

#[test]
fn a_temporary_child_leaves_its_name_and_its_place_when_it_ends() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(0)));
    for _ in 0..3 {
        let (_, up) = top.start_child(world.child("brief", Restart::Temporary)).expect("free again");
        answer(up).expect("starts");
        crash(&world.at("brief"));
        eventually("gone", || !world.is_there("brief"));
        assert!(top.children().is_empty());
    }
    assert_eq!(top.status().state, "running");
}

#[test]
fn a_child_whose_name_is_taken_is_refused() {
    let world = World::new();
    world.plain("taken");
    let sub = spec("sub", at_once(0))
        .child(world.child("b", Restart::Permanent))
        .child(world.child("taken", Restart::Permanent));
    let tree = spec("top", at_once(0))
        .child(world.child("a", Restart::Permanent))
        .child(ChildSpec::supervisor(sub, Restart::Permanent));
    assert!(matches!(world.runtime.supervise(tree), Err(Error::AlreadyExists)));
    assert_eq!(world.runtime.len(), 1, "nothing is left behind");
    let top = world.supervise(spec("top", at_once(0)).child(world.child("a", Restart::Permanent)));
    let again = top.start_child(world.child("taken", Restart::Permanent));
    assert!(matches!(again, Err(Error::AlreadyExists)));
    assert_eq!(top.children().len(), 1);
    assert!(!world.log.lines().contains(&"start b".to_owned()));
    assert_eq!(world.log.lines().iter().filter(|line| *line == "start taken").count(), 1);
}

#[test]
fn a_spec_that_is_refused_starts_nothing_and_takes_no_name() {
    let world = World::new();
    let bad = world.child("a", Restart::Temporary).significant();
    let refused = world
        .runtime
        .supervise(spec("top", at_once(0)).child(world.child("b", Restart::Permanent)).child(bad));
    assert!(matches!(refused, Err(Error::InvalidChild { child, .. }) if child.contains("/a/")));
    let deep = spec("deep", at_once(0)).child(world.child("a", Restart::Temporary).significant());
    let refused = world.runtime.supervise(
        spec("top", at_once(0))
            .child(world.child("b", Restart::Permanent))
            .child(ChildSpec::supervisor(deep, Restart::Permanent)),
    );
    assert!(matches!(refused, Err(Error::InvalidChild { .. })));
    let rules = Rules { backoff: Backoff { factor: 0.5, ..Backoff::default() }, ..at_once(0) };
    assert!(matches!(world.runtime.supervise(spec("top", rules)), Err(Error::InvalidChild { .. })));
    assert!(world.runtime.is_empty());
    assert!(world.log.lines().is_empty());
}

#[test]
fn an_added_child_that_does_not_start_leaves_no_name() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(0)));
    let (_, up) = top.start_child(failing("a")).expect("a free name");
    assert!(matches!(answer(up), Err(Error::StartFailed(cause)) if cause.to_string() == "no"));
    assert!(!world.is_there("a") && top.children().is_empty());
    let (_, up) = top.start_child(world.child("a", Restart::Permanent)).expect("a free name");
    answer(up).expect("starts");
}

#[test]
fn a_supervisor_that_has_stopped_takes_no_child() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(0)));
    answer(top.stop(common::LONG)).expect("stops");
    match top.start_child(world.child("a", Restart::Permanent)) {
        Ok((_, up)) => assert!(matches!(answer(up), Err(Error::Refused(Refusal::Stopping)))),
        Err(error) => assert!(matches!(error, Error::NotFound | Error::Stopped(_)), "{error}"),
    }
    assert!(world.runtime.is_empty());
}

#[test]
fn a_hanging_callback_is_abandoned_and_its_supervisor_goes_on() {
    let world = World::new();
    let callback = Spec { executor: Executor::Callback, ..Spec::new(id("stuck")) };
    let tree = spec("top", at_once(5))
        .child(world.child_as(callback, Restart::Permanent, false))
        .child(world.child("sibling", Restart::Permanent));
    let top = world.supervise(tree);
    let stuck = world.at("stuck");
    let (release, block) = mpsc::channel();
    let held = stuck.request(Ask::Block(block), soon(), Waits);
    begun(&stuck, 1);
    stuck.exit_with(common::boom());
    assert!(matches!(held.wait(), Err(Error::Crashed(_))), "its caller is set free");
    assert_eq!(stuck.status().state, "abandoned");
    crash(&world.at("sibling"));
    assert_eq!(echo(&world.at("sibling"), 1).expect("restarted beside it"), 1_001);
    let (_, up) = top.start_child(world.child("added", Restart::Permanent)).expect("free");
    answer(up).expect("its supervisor answers");
    let queued = stuck.request(Ask::Echo(3), soon(), Waits);
    drop(release);
    assert_eq!(queued.wait().expect("its next life, once the callback is back"), 1_003);
    assert_eq!(stuck.status().state, "running");
}

#[test]
fn an_abandoned_child_that_is_stopped_leaves_its_name_and_its_late_answer_is_dropped() {
    let world = World::new();
    let top = world.supervise(spec("top", at_once(5)));
    let callback = Spec {
        executor: Executor::Callback,
        shutdown: airssys_rt::Shutdown::After(Duration::from_millis(10)),
        ..Spec::new(id("stuck"))
    };
    let child = world.child_as(callback, Restart::Temporary, false);
    let (handle, up) = top.start_child(child).expect("free");
    answer(up).expect("starts");
    let stuck = world.at("stuck");
    let (release, block) = mpsc::channel();
    let held = stuck.request(Ask::Block(block), soon(), Waits);
    begun(&stuck, 1);
    answer(top.terminate_child(handle)).expect("it is not waited for");
    assert!(matches!(held.wait(), Err(Error::Stopped(Exit::Killed))));
    assert!(!world.is_there("stuck"));
    let again = world.plain("stuck");
    drop(release);
    assert_eq!(echo(&again, 4).expect("no mix-up"), 4);
    assert!(stuck.send(Ask::Echo(0)).is_err());
    world.counts();
}

#[test]
fn a_supervisor_whose_child_was_abandoned_can_still_be_stopped() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let world = World::new();
        let callback = Spec { executor: Executor::Callback, ..Spec::new(id("stuck")) };
        let tree = spec("top", Rules { strategy, ..at_once(5) })
            .child(world.child("before", Restart::Permanent))
            .child(world.child_as(callback, Restart::Permanent, false))
            .child(world.child("after", Restart::Permanent));
        let top = world.supervise(tree);
        let stuck = world.at("stuck");
        let (release, block) = mpsc::channel();
        let held = stuck.request(Ask::Block(block), soon(), Waits);
        begun(&stuck, 1);
        stuck.exit_with(common::boom());
        assert!(matches!(answer(held), Err(Error::Crashed(_))));
        answer(top.stop(common::LONG)).expect("it does not wait for the callback");
        assert!(world.runtime.is_empty(), "{strategy:?}");
        drop(release);
        world.counts();
    }
}

#[test]
fn an_abandoned_child_starts_again_only_when_its_callback_is_back() {
    let world = World::new();
    let callback = Spec { executor: Executor::Callback, ..Spec::new(id("stuck")) };
    let backoff = Backoff { initial: common::LONG, max: common::LONG, ..Backoff::default() };
    let rules = Rules { backoff, ..at_once(5) };
    let top = world.supervise(spec("top", rules).child(world.child_as(callback, Restart::Permanent, false)));
    let stuck = world.at("stuck");
    let (release, block) = mpsc::channel();
    let held = stuck.request(Ask::Block(block), soon(), Waits);
    begun(&stuck, 1);
    stuck.exit_with(common::boom());
    assert!(answer(held).is_err());
    answer(top.terminate_child(stuck.handle())).expect("at once");
    assert!(matches!(echo(&stuck, 1), Err(Error::Stopped(_))));
    let refused = answer(top.restart_child(stuck.handle())).expect_err("its callback still runs");
    assert!(matches!(&refused, Error::StartFailed(cause) if cause.to_string().contains("has not returned")));
    drop(release);
    eventually("it starts", || answer(top.restart_child(stuck.handle())).is_ok());
    assert!(echo(&stuck, 1).is_ok());
}

#[test]
fn callbacks_that_were_abandoned_do_not_use_up_their_pool() {
    let world = World::new();
    let callback = |name: &str| Spec { executor: Executor::Callback, ..Spec::new(id(name)) };
    let stuck = (0..256).map(|number| {
        let stuck = world.spawn_as(callback(&format!("stuck-{number}")), Restart::Temporary);
        let (release, block) = mpsc::channel();
        stuck.send(Ask::Block(block)).expect("room");
        begun(&stuck, 1);
        stuck.kill();
        eventually("it is abandoned", || stuck.exit().is_some());
        release
    });
    let stuck: Vec<_> = stuck.collect();
    let one = world.spawn_as(callback("one"), Restart::Temporary);
    assert_eq!(echo(&one, 1).expect("a thread is left for it"), 1);
    drop(stuck);
}

/// So many supervisors below each other, the first one at the top, and a leaf.
fn nested(world: &World, name: &str, depth: usize) -> SupervisorSpec {
    let last = spec(&format!("{name}-{depth}"), at_once(0)).child(world.child(name, Restart::Permanent));
    (1..depth).rev().fold(last, |inner, number| {
        spec(&format!("{name}-{number}"), at_once(0)).child(ChildSpec::supervisor(inner, Restart::Permanent))
    })
}

#[test]
fn a_tree_of_more_than_64_supervisors_below_each_other_is_refused_before_anything_starts() {
    let world = World::new();
    for depth in [65, 1_000] {
        let refused = world.runtime.supervise(nested(&world, "deep", depth));
        assert!(matches!(refused, Err(Error::InvalidChild { .. })), "{depth}");
        assert!(world.runtime.is_empty());
    }
    assert!(world.log.lines().is_empty() && !world.notices().contains(&"started".to_owned()));
    let top = world.supervise(nested(&world, "deep", 64));
    assert_eq!(echo(&world.at("deep"), 1).expect("it is up"), 1);
    answer(top.stop(common::LONG)).expect("stops");
    assert!(world.runtime.is_empty());
}

#[test]
fn a_tree_that_grows_by_added_children_is_no_deeper_than_64_supervisors() {
    let world = World::new();
    let mut last = world.supervise(spec("top", at_once(0)));
    for number in 2..=64 {
        let name = format!("sub-{number}");
        let sub = ChildSpec::supervisor(spec(&name, at_once(0)), Restart::Permanent);
        let (handle, up) = last.start_child(sub).expect("not too deep");
        answer(up).expect("starts");
        last = world.runtime.supervisor(handle).expect("there");
    }
    let started = world.notices().len();
    for depth in [1, 2, 1_000] {
        let more = ChildSpec::supervisor(nested(&world, "more", depth), Restart::Permanent);
        assert!(matches!(last.start_child(more), Err(Error::InvalidChild { .. })), "{depth}");
    }
    assert_eq!((world.runtime.len(), world.notices().len()), (64, started));
    assert!(last.children().is_empty() && world.log.lines().is_empty());
    let (_, up) =
        last.start_child(world.child("leaf", Restart::Permanent)).expect("an actor is no supervisor");
    answer(up).expect("starts");
}

#[test]
fn a_stop_that_overtakes_the_start_of_an_added_child_ends_that_child_too() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll] {
        let world = World::new();
        let top = world.supervise(spec("top", Rules { strategy, ..at_once(0) }));
        let (begun, is_begun) = mpsc::channel();
        let (gate, probe) = (world.gate.clone(), world.starter(&Spec::new(id("late")), false));
        let start = move || {
            let (begun, gate, probe) = (begun.clone(), gate.clone(), probe());
            async move {
                begun.send(()).expect("the test listens");
                gate.acquire().await.expect("never closed").forget();
                probe.await
            }
        };
        let late = ChildSpec::actor(Spec::new(id("late")), Restart::Permanent, start);
        let (_, up) = top.start_child(late).expect("a free name");
        is_begun.recv_timeout(common::LONG).expect("it starts");
        let stopped = top.stop(common::LONG);
        world.open(1);
        assert!(answer(up).is_err(), "it was overtaken");
        answer(stopped).expect("all are down");
        eventually("nothing is left", || world.runtime.is_empty());
    }
}
