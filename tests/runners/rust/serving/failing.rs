//! Exchanges that do not come off: the peer is told, an event tells it, and it counts.

use super::*;

fn quick(spec: ActorSpec) -> ActorSpec {
    let (cpu, wall) = (Some(Duration::from_millis(500)), Some(Duration::from_secs(3)));
    spec.budget(Budget { cpu, wall, output_bytes: Some(1 << 20), ..Budget::default() })
}

#[test]
fn whatever_ends_an_exchange_ends_no_other_and_not_the_actor() {
    let world = World::with(quick);
    let mut peer = world.connect();
    peer.begin("/sleep/200");
    world.handled(1);
    for (target, status, code) in [
        ("/trap", 500, "TRAPPED"),
        ("/loop", 500, "BUDGET_EXCEEDED"),
        ("/silent", 500, "FAILURE"),
        ("/refuse", 500, "FAILURE"),
        ("/sleep/60000", 504, "BUDGET_EXCEEDED"),
    ] {
        assert_eq!(world.get(target).0, status, "{target}");
        let event = world.event("http.failed");
        assert_eq!(
            (event.detail["status"].as_u64(), &event.detail["code"]),
            (Some(status.into()), &Value::from(code))
        );
    }
    assert_eq!(peer.response().2, "slept");
    assert_eq!(world.told("still"), "still");
    assert_eq!(world.system.status(world.actor).expect("a status").restarts, 0);
}

#[test]
fn what_fails_after_the_head_is_cut() {
    let world = World::with(quick);
    let mut peer = world.connect();
    peer.begin("/half");
    let all = peer.read_to("halfhalf");
    // The head may not have left before the trap.
    assert!(all.is_empty() || all.starts_with("HTTP/1.1 200"), "{all}");
    peer.ended();
    assert!(world.event("http.failed").detail.get("status").is_none());
    let mut peer = world.connect();
    peer.begin(&format!("/bytes/{}", 2 << 20));
    let mut all = Vec::new();
    let _ = peer.0.read_to_end(&mut all);
    assert!(all.len() < 2 << 20 && !all.ends_with(b"0\r\n\r\n"), "{}", all.len());
    assert_eq!(world.event("http.failed").detail["which"], "output_bytes");
}

#[test]
fn too_many_failures_end_the_life_and_the_next_one_serves_again() {
    let world = World::with(|spec| {
        let spec = spec.restart(airwasm::Restart::Permanent);
        ActorSpec { errors_max: Some(1), error_period: Some(LONG), ..spec }
    });
    for _ in 0..2 {
        world.get("/trap");
    }
    assert_eq!(world.event("actor.restarted").detail["restarts"], 1);
    assert_eq!(world.get("/hello"), (200, "hello".to_owned()));
}

#[test]
fn a_full_mailbox_answers_that_one_may_come_again() {
    let world = World::with(|spec| {
        let limits = airwasm::Limits { mailbox_messages: Some(1), ..Default::default() };
        spec.limits(limits)
    });
    let options = RequestOptions { timeout: Some(LONG), ..RequestOptions::default() };
    let busy = world.system.request_async(world.actor, b"sleep 1000", &options);
    world.handled(1);
    let waits = world.system.request_async(world.actor, b"waits", &options);
    let mut peer = world.connect();
    peer.begin("/hello");
    let (status, head, _) = peer.response();
    assert_eq!(status, 503);
    assert!(head.contains("retry-after: 1\r\n"), "{head}");
    busy.wait().expect("answered");
    waits.wait().expect("answered");
    assert_eq!(world.get("/hello").0, 200);
}

#[test]
fn a_guest_that_answers_with_what_would_change_the_protocol_has_failed() {
    let world = World::new();
    for status in [100, 101, 103] {
        assert_eq!(world.get(&format!("/status/{status}")).0, 500, "{status}");
        let event = world.event("http.failed");
        assert_eq!((&event.detail["code"], &event.detail["status"]), (&"FAILURE".into(), &500.into()));
    }
    // What it makes of that is not told again, nor counted.
    assert_eq!(world.get("/odd").0, 500);
    assert_eq!(world.event("http.failed").detail["code"], "FAILURE");
    assert_eq!(world.get("/trap").0, 500);
    assert_eq!(world.event("http.failed").detail["status"], 500);
    assert_eq!(world.get("/status/299"), (299, String::new()));
}
