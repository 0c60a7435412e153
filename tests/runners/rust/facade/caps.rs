//! How many of each a system holds, what is said of the one above, and what makes room.

use airwasm::{ActorSpec, ChildSpec, Code, Error, SupervisorSpec};

use super::{idle, open, refused};

const ACTORS_MAX: usize = 10_000;
const SUBSCRIPTIONS_MAX: usize = 100_000;
const GROUPS_MAX: usize = 10_000;
const CALLBACKS_MAX: usize = 64;

fn is_too_many(error: &Error, which: &str) {
    assert_eq!((error.code, error.text("which")), (Code::LimitExceeded, which), "{error}");
}

fn has_no_place(error: &Error, size: usize) {
    assert_eq!((error.code, &error.detail["size"]), (Code::PoolExhausted, &size.into()), "{error}");
    assert!(error.message.contains(&size.to_string()), "{error}");
}

#[test]
fn so_many_actors_live_and_one_that_stopped_makes_room() {
    let system = open();
    let spawn = |name: &str| system.spawn_host(ActorSpec::host(name), Box::new(|_| Ok(Vec::new())));
    let actors: Vec<_> = (0..ACTORS_MAX).map(|n| spawn(&format!("many/a/{n}")).expect("room")).collect();
    assert_eq!(system.stats().expect("open").actors, ACTORS_MAX as u64);
    has_no_place(&refused(spawn("one-more")), ACTORS_MAX);
    has_no_place(&refused(system.supervisor(SupervisorSpec::new("one-more"))), ACTORS_MAX);
    system.stop(actors[7], None).expect("stops");
    // A tree needs a place for each; one that has too few takes none.
    let child = ChildSpec::host(ActorSpec::host("child"), Box::new(|_| Ok(Vec::new())));
    has_no_place(&refused(system.supervisor(SupervisorSpec::new("top").child(child))), ACTORS_MAX);
    spawn("one-more").expect("one has stopped");
    has_no_place(&refused(spawn("two-more")), ACTORS_MAX);
    let (end, killed) = (system.monitor_async(actors[8]), actors[8]);
    system.kill(killed).expect("lives");
    end.wait().expect("ends");
    spawn("two-more").expect("one was killed");
    assert_eq!(system.list(None).expect("open").len(), ACTORS_MAX);
    assert_eq!(system.close(None).expect("closes").stopped, ACTORS_MAX as u64);
}

#[test]
fn so_many_subscriptions_are_kept_and_one_that_is_undone_makes_room() {
    let system = open();
    let (actor, other) = (idle(&system, "a"), idle(&system, "b"));
    let mut all = (0..SUBSCRIPTIONS_MAX)
        .map(|n| system.subscribe(if n < 10 { other } else { actor }, &format!("t.{n}")).expect("room"));
    let first = all.next().expect("many");
    assert_eq!(all.count(), SUBSCRIPTIONS_MAX - 1);
    is_too_many(&refused(system.subscribe(actor, "t")), "subscriptions");
    system.unsubscribe(first).expect("it was kept");
    let again = system.subscribe(actor, "t").expect("one was undone");
    is_too_many(&refused(system.subscribe(other, "t")), "subscriptions");
    system.stop(other, None).expect("stops");
    for n in 1..10 {
        system.subscribe(actor, &format!("u.{n}")).expect("those of an actor that ended make room");
    }
    is_too_many(&refused(system.subscribe(actor, "u")), "subscriptions");
    system.unsubscribe(again).expect("it was kept");
}

#[test]
fn so_many_groups_are_there_and_one_without_members_makes_room() {
    let system = open();
    let (actor, other) = (idle(&system, "a"), idle(&system, "b"));
    for n in 0..GROUPS_MAX {
        system.join(if n < 10 { other } else { actor }, &format!("g{n}")).expect("room");
    }
    is_too_many(&refused(system.join(actor, "one more")), "groups");
    system.join(actor, "g0").expect("a group that is there has room");
    assert!(system.leave(actor, "g10").expect("lives"));
    system.join(actor, "one more").expect("one group is gone");
    is_too_many(&refused(system.join(other, "two more")), "groups");
    system.stop(other, None).expect("stops");
    for n in 1..10 {
        system.join(actor, &format!("h{n}")).expect("those of an actor that ended are gone, but g0");
    }
    is_too_many(&refused(system.join(actor, "two more")), "groups");
    assert_eq!(system.members("g0").expect("open"), [actor]);
}

#[test]
fn so_many_callbacks_are_told_of_events_and_one_that_is_undone_makes_room() {
    let system = open();
    let subscribe = || system.events_subscribe("actor.*", Box::new(|_| ()));
    let all: Vec<_> = (0..CALLBACKS_MAX).map(|_| subscribe().expect("room")).collect();
    has_no_place(&refused(subscribe()), CALLBACKS_MAX);
    system.unsubscribe(all[0]).expect("it was kept");
    subscribe().expect("one was undone");
    has_no_place(&refused(subscribe()), CALLBACKS_MAX);
}
