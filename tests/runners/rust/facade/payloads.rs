//! What is published or broadcast to receivers that take less in one message.

use std::sync::mpsc::{Receiver, channel};

use airwasm::{ActorHandle, ActorSpec, Code, Limits, SendOptions, System};

use super::{open, refused};

/// One payload where nothing else is said.
const DEFAULT_BYTES: usize = 4 << 20;
/// One payload of the actor `small`.
const SMALL_BYTES: usize = 10;

type Seen = Receiver<(String, usize)>;

/// Three actors that tell what reaches them: `large` takes more than the default, `plain` that, `small` less.
fn three(system: &System) -> ([ActorHandle; 3], Seen) {
    let (tell, told) = channel();
    let spawn = |(name, payload_bytes): (&str, Option<u64>)| {
        let tell = tell.clone();
        let handler = move |message: airwasm::Message| {
            tell.send((message.to, message.payload.len())).expect("open");
            Ok(Vec::new())
        };
        let spec = ActorSpec::host(name).limits(Limits { payload_bytes, ..Limits::default() });
        system.spawn_host(spec, Box::new(handler)).expect("starts")
    };
    let actors = [("large", Some(8 << 20)), ("plain", None), ("small", Some(SMALL_BYTES as u64))];
    (actors.map(spawn), told)
}

/// Who got one of so many bytes, sorted; each of them exactly once.
fn reached(seen: &Seen, count: u64, bytes: usize) -> Vec<String> {
    let mut names: Vec<_> = (0..count).map(|_| seen.recv().expect("comes")).collect();
    names.sort_unstable();
    names.into_iter().inspect(|(_, got)| assert_eq!(*got, bytes)).map(|(name, _)| name).collect()
}

fn counts(system: &System) -> (u64, u64, u64) {
    let stats = system.stats().expect("open");
    (stats.sent, stats.delivered, stats.rejected)
}

/// Sends to all three at, above and far above the limits.
fn limits_hold(system: &System, seen: &Seen, send: impl Fn(&[u8]) -> airwasm::Result<u64>) {
    let all = ["default/large/0", "default/plain/0", "default/small/0"];
    let payload = vec![0; DEFAULT_BYTES + 1];
    assert_eq!(send(&payload[..SMALL_BYTES]).expect("taken"), 3);
    assert_eq!(reached(seen, 3, SMALL_BYTES), all);
    assert_eq!(counts(system), (3, 3, 0));
    assert_eq!(send(&payload[..=SMALL_BYTES]).expect("taken by two"), 2);
    assert_eq!(reached(seen, 2, SMALL_BYTES + 1), all[..2]);
    assert_eq!(counts(system), (6, 5, 1));
    assert_eq!(send(&payload[..DEFAULT_BYTES]).expect("taken by two"), 2);
    assert_eq!(reached(seen, 2, DEFAULT_BYTES), all[..2]);
    assert_eq!(counts(system), (9, 7, 2));
    // More than the default is nobody's, whatever a receiver would take.
    let error = refused(send(&payload));
    assert_eq!(error.code, Code::PayloadTooLarge);
    assert_eq!(
        (&error.detail["allowed"], &error.detail["given"]),
        (&DEFAULT_BYTES.into(), &payload.len().into())
    );
    assert_eq!(counts(system), (9, 7, 2), "it was offered to nobody");
    assert!(seen.try_recv().is_err());
}

#[test]
fn what_is_published_is_refused_by_each_receiver_that_takes_less() {
    let system = open();
    let (actors, seen) = three(&system);
    for actor in actors {
        system.subscribe(actor, "t").expect("subscribed");
    }
    limits_hold(&system, &seen, |payload| system.publish("t", payload, &SendOptions::default()));
}

#[test]
fn what_is_broadcast_is_refused_by_each_member_that_takes_less() {
    let system = open();
    let (actors, seen) = three(&system);
    for actor in actors {
        system.join(actor, "g").expect("joined");
    }
    limits_hold(&system, &seen, |payload| system.broadcast("g", payload, &SendOptions::default()));
}
