//! Timers are bounded in number and in bytes, and end with their actors.

use std::sync::mpsc::channel;
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, Code, Error, Limits, Result, SendOptions, System, TimerHandle, UNLIMITED,
};

use super::{HOUR, eventually, idle, open, refused};

const TIMERS_MAX: usize = 100_000;
const BYTES_MAX: usize = 256 << 20;
/// How many are refused at the bound before those that are over are looked for.
const REFUSALS_MAX: usize = 1_025;

/// The spec of an actor that takes half of what all timers may hold in one message.
fn roomy(name: &str) -> ActorSpec {
    let limits =
        Limits { payload_bytes: Some(BYTES_MAX as u64), mailbox_bytes: Some(UNLIMITED), ..Limits::default() };
    ActorSpec::host(name).limits(limits)
}

fn after(system: &System, actor: ActorHandle, payload: &[u8]) -> Result<TimerHandle> {
    system.send_after(actor, payload, HOUR, &SendOptions::default())
}

fn every(system: &System, actor: ActorHandle, payload: &[u8]) -> Result<TimerHandle> {
    system.send_every(actor, payload, HOUR, &SendOptions::default())
}

fn has_no_bytes_left(error: &Error) {
    assert_eq!((error.code, error.text("which")), (Code::LimitExceeded, "timer_bytes"));
    assert_eq!(error.message, "the messages of timers have 268435457 bytes, allowed are 268435456");
}

fn has_no_timer_left(error: &Error) {
    assert_eq!((error.code, error.text("which")), (Code::LimitExceeded, "timers"));
    assert_eq!(error.message, "100000 timers run, as many as may");
}

#[test]
fn the_bytes_of_timers_are_bounded_and_given_back_with_their_actor() {
    let system = open();
    let half = vec![0; BYTES_MAX / 2];
    let ends: [fn(&System, ActorHandle, [TimerHandle; 2]); 3] = [
        |system, actor, _| system.stop(actor, None).expect("stops"),
        |system, actor, _| system.kill(actor).expect("lives"),
        |system, _, timers| timers.iter().for_each(|one| assert!(system.cancel_timer(*one).expect("open"))),
    ];
    for (round, end) in ends.into_iter().enumerate() {
        let handler = Box::new(|_| Ok(Vec::new()));
        let actor = system.spawn_host(roomy(&format!("round/{round}/0")), handler).expect("starts");
        let bystander = idle(&system, &format!("bystander/{round}/0"));
        let once = eventually(|| after(&system, actor, &half));
        let often = eventually(|| every(&system, actor, &half));
        has_no_bytes_left(&refused(after(&system, actor, b"x")));
        has_no_bytes_left(&refused(every(&system, bystander, b"x")));
        after(&system, bystander, b"").expect("nothing has room");
        end(&system, actor, [once, often]);
    }
    let last = system.spawn_host(roomy("last"), Box::new(|_| Ok(Vec::new()))).expect("starts");
    eventually(|| after(&system, last, &half));
    eventually(|| after(&system, last, &half));
    has_no_bytes_left(&refused(after(&system, last, b"x")));
}

#[test]
fn a_timer_that_has_come_holds_no_bytes() {
    let system = open();
    let (tell, told) = channel();
    let handler = move |message: airwasm::Message| {
        tell.send(message.payload.len()).expect("open");
        Ok(Vec::new())
    };
    let actor = system.spawn_host(roomy("a"), Box::new(handler)).expect("starts");
    let half = vec![0; BYTES_MAX / 2];
    for _ in 0..4 {
        let sent = system.send_after(actor, &half, Duration::ZERO, &SendOptions::default());
        sent.expect("those before it have come");
        assert_eq!(told.recv().expect("comes"), half.len());
    }
}

#[test]
fn a_timer_of_an_actor_that_ended_is_over() {
    let system = open();
    let actor = idle(&system, "a");
    let timers = [after(&system, actor, b"x"), every(&system, actor, b"x")].map(|made| made.expect("room"));
    system.stop(actor, None).expect("stops");
    for timer in timers {
        assert!(!system.cancel_timer(timer).expect("open"), "it ended with its actor");
    }
    assert_eq!(refused(after(&system, actor, b"x")).code, Code::ActorStopped);
    let stats = system.stats().expect("open");
    assert_eq!((stats.sent, stats.dead_letters), (0, 0));
}

#[test]
fn timers_are_bounded_in_number_and_make_room_with_their_actor() {
    let system = open();
    let (actor, other) = (idle(&system, "a"), idle(&system, "b"));
    let mut timers = (0..TIMERS_MAX).map(|_| after(&system, actor, b"").expect("room"));
    let first = timers.next().expect("many");
    assert_eq!(timers.count(), TIMERS_MAX - 1);
    has_no_timer_left(&refused(after(&system, actor, b"")));
    has_no_timer_left(&refused(every(&system, other, b"")));
    assert!(system.cancel_timer(first).expect("open"));
    after(&system, other, b"").expect("one was cancelled");
    has_no_timer_left(&refused(after(&system, other, b"")));
    system.stop(actor, None).expect("stops");
    let attempts = (0..REFUSALS_MAX).find(|_| after(&system, other, b"").is_ok());
    assert!(attempts.is_some(), "those of an actor that ended make room");
    for n in 2..TIMERS_MAX {
        after(&system, other, b"").unwrap_or_else(|why| panic!("{n}: {why}"));
    }
    has_no_timer_left(&refused(after(&system, other, b"")));
}
