//! Monitors that are given up make room for others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use airwasm::{ActorHandle, Code, Down, Error, Operation, RequestOptions, Started, System};

use super::{idle, open, refused};

const GIVEN_UP: usize = 25_000;
const WATCHERS_MAX: usize = 10_000;

/// One that waits, or why there is no room for it.
fn watch(system: &System, actor: ActorHandle) -> Result<Operation<Down>, Error> {
    let mut monitor = system.monitor_async(actor);
    match monitor.try_take() {
        None => Ok(monitor),
        Some(outcome) => Err(refused(outcome)),
    }
}

fn is_full(error: &Error) {
    let which = "monitors and links of one actor";
    assert_eq!((error.code, error.text("which")), (Code::LimitExceeded, which), "{error}");
}

#[test]
fn monitors_that_are_dropped_free_their_places() {
    let system = open();
    let actor = idle(&system, "a");
    let first = watch(&system, actor).expect("room");
    for _ in 0..GIVEN_UP {
        drop(watch(&system, actor).expect("those before it were given up"));
    }
    let last = watch(&system, actor).expect("room");
    system.stop(actor, None).expect("stops");
    for kept in [first, last] {
        let down = kept.wait().expect("it has ended");
        assert_eq!((down.id.as_str(), down.reason.as_str()), ("default/a/0", "shutdown"));
    }
}

#[test]
fn monitors_that_are_cancelled_free_their_places_and_are_told_so_once() {
    let system = open();
    let actor = idle(&system, "a");
    let cancelled = Arc::new(AtomicUsize::new(0));
    for n in 1..=GIVEN_UP {
        let counted = cancelled.clone();
        let started = watch(&system, actor).expect("room").start(Box::new(move |outcome| {
            assert_eq!(refused(outcome).code, Code::Cancelled);
            counted.fetch_add(1, SeqCst);
        }));
        let Started::Pending(number) = started else { panic!("the actor lives") };
        assert!(system.cancel(number).expect("open"));
        assert_eq!(cancelled.load(SeqCst), n);
    }
    let kept = watch(&system, actor).expect("room");
    system.stop(actor, None).expect("stops");
    assert_eq!(kept.wait().expect("it has ended").reason, "shutdown");
    assert_eq!(cancelled.load(SeqCst), GIVEN_UP, "none is told again");
}

#[test]
fn monitors_that_are_kept_are_bounded_and_each_is_told() {
    let system = open();
    let (actor, other) = (idle(&system, "a"), idle(&system, "b"));
    let mut kept: Vec<_> =
        (0..WATCHERS_MAX).map(|n| watch(&system, actor).unwrap_or_else(|why| panic!("{n}: {why}"))).collect();
    is_full(&refused(watch(&system, actor)));
    is_full(&refused(system.link(actor, other)));
    kept.truncate(WATCHERS_MAX - 1);
    kept.push(watch(&system, actor).expect("one was given up"));
    is_full(&refused(watch(&system, actor)));
    drop(watch(&system, other).expect("the bound is each actor's own"));
    system.stop(actor, None).expect("stops");
    let told = kept.into_iter().filter_map(|monitor| monitor.wait().ok());
    assert_eq!(told.filter(|down| down.reason == "shutdown").count(), WATCHERS_MAX);
}

#[test]
fn links_that_are_undone_free_their_places() {
    let system = open();
    let (actor, other) = (idle(&system, "a"), idle(&system, "b"));
    for _ in 0..GIVEN_UP {
        system.link(actor, other).expect("room");
        system.unlink(actor, other).expect("lives");
    }
    // Told after all that were added before it, so a link that was left would have ended the other by then.
    let end = watch(&system, actor).expect("room");
    system.kill(actor).expect("lives");
    assert_eq!(end.wait().expect("ends").reason, "killed");
    assert_eq!(system.request(other, b"", &RequestOptions::default()).expect("no link is left"), b"");
}
