//! Messages to come.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use airssys_rt::Restart;
use common::{Ask, World, answer, begun, crash, eventually};

const SOON: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(3_600);

#[test]
fn a_message_comes_after_its_time_and_once() {
    let world = World::new();
    let actor = world.plain("one");
    let timer = actor.send_after(SOON, Ask::Note(7, 1));
    begun(&actor, 1);
    eventually("over", || timer.is_over());
    assert!(!timer.cancel(), "it has come");
    assert_eq!(world.logged(2)[1..], ["7"]);
    drop(actor.send_after(SOON, Ask::Note(8, 1)));
    begun(&actor, 2);
    assert_eq!(world.logged(3)[1..], ["7", "8"], "a dropped timer comes all the same");
}

#[test]
fn a_cancelled_message_does_not_come() {
    let world = World::new();
    let actor = world.plain("one");
    let timer = actor.send_after(NEVER, Ask::Note(7, 1));
    assert!(!timer.is_over() && timer.cancel());
    eventually("over", || timer.is_over());
    let every = actor.send_every(NEVER, || Ask::Note(8, 1));
    assert!(every.cancel());
    eventually("over", || every.is_over());
    assert_eq!(world.counts().sent, 0);
}

#[test]
fn a_repeated_message_comes_until_its_actor_has_ended_and_over_restarts() {
    let world = World::new();
    let actor = world.spawn("one", Restart::Permanent, airssys_rt::Bounds::default());
    let made = Arc::new(AtomicU64::new(0));
    let count = made.clone();
    let timer = actor.send_every(SOON, move || Ask::Note(count.fetch_add(1, SeqCst), 1));
    begun(&actor, 3);
    crash(&actor);
    let before = actor.status().handled;
    begun(&actor, before + 3);
    assert!(!timer.is_over());
    answer(actor.stop(common::LONG)).expect("stops");
    eventually("over", || timer.is_over());
    let lines = world.log.lines();
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    assert!(numbers.is_sorted() && numbers.len() >= 6);
    world.counts();
}

#[test]
fn a_message_that_comes_too_late_harms_nobody() {
    let world = World::new();
    let actor = world.plain("one");
    let timer = actor.send_after(Duration::from_millis(5), Ask::Echo(1));
    actor.kill();
    eventually("it came", || timer.is_over());
    eventually("the actor is down", || !world.is_there("one"));
    world.counts();
}
