//! What scenarios cannot say of supervision: threads, many at once, handlers that use their system, wrong bounds.

use std::time::{Duration, Instant};

use airwasm::{
    ActorHandle, ActorSpec, Backoff, ChildSpec, Code, Config, Error, Message, RequestOptions, SendOptions,
    Strategy, SubscriptionHandle, SupervisorSpec, System, TimerHandle,
};

fn open() -> System {
    System::open(Config::default()).expect("a system")
}

fn at_once() -> Backoff {
    Backoff { initial: Some(Duration::ZERO), ..Backoff::default() }
}

/// A child that answers what it is asked, and crashes when asked to.
fn child(name: &str) -> ChildSpec {
    let handler = |message: Message| match message.payload.as_slice() {
        b"boom" => Err(Error::new(Code::HandlerRaised, "on purpose")),
        _ => Ok(message.payload),
    };
    ChildSpec::host(ActorSpec::host(name), Box::new(handler))
}

fn ask(system: &System, actor: ActorHandle, text: &str) -> airwasm::Result<Vec<u8>> {
    system.request(actor, text.as_bytes(), &RequestOptions::default())
}

#[test]
fn hostile_i3_handles_of_timers_and_subscriptions_are_told_apart() {
    let system = open();
    let actor = system.spawn_host(ActorSpec::host("a"), Box::new(|_| Ok(Vec::new()))).expect("starts");
    let subscription = system.subscribe(actor, "news").expect("subscribed");
    let later = Duration::from_millis(60_000);
    let timer = system.send_after(actor, b"x", later, &SendOptions::default()).expect("a timer");
    let kind = |error: Error| assert_eq!(error.code, Code::InvalidHandle, "{error}");
    kind(SubscriptionHandle::from_raw(timer.raw()).expect_err("a timer"));
    kind(TimerHandle::from_raw(subscription.raw()).expect_err("a subscription"));
    kind(ActorHandle::from_raw(timer.raw()).expect_err("a timer"));
    kind(open().unsubscribe(subscription).expect_err("of another system"));
    let stranger = open().supervisor(SupervisorSpec::new("s")).expect("starts");
    kind(system.children(stranger).expect_err("of another system"));
    kind(system.start_child(stranger, child("c")).expect_err("of another system"));
    assert_eq!(system.lookup("c").expect_err("refused").code, Code::ActorNotFound);
    assert!(system.cancel_timer(timer).expect("open"));
}

#[test]
fn hostile_h2_rules_that_make_no_sense_are_refused_and_take_no_name() {
    let system = open();
    let factor = |factor| Backoff { factor: Some(factor), ..Backoff::default() };
    let jitter = |jitter| Backoff { jitter: Some(jitter), ..Backoff::default() };
    let max =
        Backoff { initial: Some(Duration::from_secs(2)), max: Some(Duration::from_secs(1)), ..at_once() };
    for backoff in [factor(0.5), factor(f64::NAN), jitter(-0.1), jitter(1.1), jitter(f64::NAN), max] {
        let spec = SupervisorSpec::new("s").backoff(backoff).child(child("a"));
        let error = system.supervisor(spec).expect_err("no such backoff");
        assert_eq!(error.code, Code::InvalidChild, "{backoff:?} {error}");
    }
    let spec = SupervisorSpec::new("s").intensity(1, Duration::ZERO).child(child("a"));
    assert_eq!(system.supervisor(spec).expect_err("no period").code, Code::InvalidChild);
    assert!(system.list(None).expect("open").is_empty());
    system.supervisor(SupervisorSpec::new("s").child(child("a"))).expect("both names are free");
}

#[test]
fn supervisors_stand_below_each_other_only_so_deep() {
    let system = open();
    let nested = |depth: usize| {
        let inmost = SupervisorSpec::new(&format!("s{depth}")).child(child("a"));
        (1..depth).rev().fold(inmost, |inner, at| SupervisorSpec::new(&format!("s{at}")).child(inner))
    };
    let error = system.supervisor(nested(33)).expect_err("too deep");
    assert_eq!(error.code, Code::InvalidChild);
    assert!(system.list(None).expect("open").is_empty());
    let top = system.supervisor(nested(32)).expect("deep enough");
    let inside = system.lookup("a").expect("lives");
    assert_eq!(ask(&system, inside, "x").expect("answers"), b"x");
    system.stop(top, None).expect("stops all");
    assert!(system.list(None).expect("open").is_empty());
}

#[test]
fn four_threads_start_and_end_children_of_one_supervisor() {
    const ROUNDS: usize = 25;
    let system = open();
    let top = system.supervisor(SupervisorSpec::new("top")).expect("starts");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let system = &system;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let name = format!("t{thread}/c/{round}");
                    let actor = system.start_child(top, child(&name)).expect("starts");
                    assert_eq!(ask(system, actor, "x").expect("answers"), b"x");
                    system.terminate_child(top, actor).expect("ends");
                    if round % 2 == 0 {
                        system.restart_child(top, actor).expect("comes back");
                    } else {
                        system.delete_child(top, actor).expect("is gone");
                    }
                }
            });
        }
    });
    let kept = ROUNDS.div_ceil(2) * 4;
    assert_eq!(system.children(top).expect("lives").len(), kept);
    assert_eq!(system.tree().expect("open")[0].children.len(), kept);
    assert_eq!(system.close(None).expect("closes").stopped, kept as u64 + 1);
}

#[test]
fn many_asynchronous_starts_and_monitors_are_each_settled() {
    const CHILDREN: usize = 50;
    let system = open();
    let top = system.supervisor_async(SupervisorSpec::new("top")).wait().expect("starts");
    let starts: Vec<_> =
        (0..CHILDREN).map(|n| system.start_child_async(top, child(&format!("many/c/{n}")))).collect();
    let actors: Vec<_> = starts.into_iter().map(|one| one.wait().expect("starts")).collect();
    // Half of those who watch do not wait for the end.
    let monitors: Vec<_> = actors.iter().map(|actor| system.monitor_async(*actor)).collect();
    drop(actors.iter().map(|actor| system.monitor_async(*actor)).collect::<Vec<_>>());
    system.stop(top, None).expect("stops all");
    for (n, monitor) in monitors.into_iter().enumerate() {
        let down = monitor.wait().expect("has ended");
        assert_eq!(
            (down.id, down.reason, down.restarting),
            (format!("many/c/{n}"), "shutdown".to_owned(), false)
        );
    }
}

#[test]
fn hostile_h8_a_storm_of_crashes_brings_all_back_and_hurts_nobody_else() {
    const CHILDREN: usize = 500;
    let system = open();
    let mut spec =
        SupervisorSpec::new("top").intensity(airwasm::UNLIMITED, Duration::from_secs(60)).backoff(at_once());
    for n in 0..CHILDREN {
        spec = spec.child(child(&format!("storm/c/{n}")));
    }
    system.supervisor(spec).expect("starts");
    let calm =
        system.spawn_host(ActorSpec::host("calm"), Box::new(|_| Ok(b"calm".to_vec()))).expect("starts");
    let all: Vec<_> = (0..CHILDREN).map(|n| system.lookup(&format!("storm/c/{n}")).expect("lives")).collect();
    let options = RequestOptions::default();
    let crashes: Vec<_> = all.iter().map(|actor| system.request_async(*actor, b"boom", &options)).collect();
    assert_eq!(ask(&system, calm, "").expect("answers"), b"calm");
    for crash in crashes {
        assert_eq!(crash.wait().expect_err("crashed").code, Code::HandlerRaised);
    }
    for actor in all {
        assert_eq!(ask(&system, actor, "x").expect("is back"), b"x");
    }
    assert_eq!(system.stats().expect("open").restarts, CHILDREN as u64);
}

#[test]
fn hostile_g3_two_handlers_that_ask_each_other_do_not_wait_for_ever() {
    let system = open();
    let asks = |other: &'static str| {
        let inside = system.clone();
        move |_: Message| {
            let options =
                RequestOptions { timeout: Some(Duration::from_millis(200)), ..RequestOptions::default() };
            inside.request(inside.lookup(other)?, b"", &options)
        }
    };
    let spec = SupervisorSpec::new("top").backoff(at_once());
    let spec = spec.child(ChildSpec::host(ActorSpec::host("one"), Box::new(asks("other"))));
    let spec = spec.child(ChildSpec::host(ActorSpec::host("other"), Box::new(asks("one"))));
    system.supervisor(spec).expect("starts");
    let began = Instant::now();
    ask(&system, system.lookup("one").expect("lives"), "").expect_err("a circle");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_handler_may_start_and_watch_children_of_its_supervisor() {
    let system = open();
    let inside = system.clone();
    let handler = move |message: Message| {
        let top = inside.lookup("top")?;
        let name = String::from_utf8(message.payload).expect("text");
        inside.start_child_async(top, child(&name)).start(Box::new(|_| ()));
        Ok(Vec::new())
    };
    let starter = ChildSpec::host(ActorSpec::host("starter"), Box::new(handler));
    let events = system.events("actor.started").expect("open");
    system.supervisor(SupervisorSpec::new("top").child(starter)).expect("starts");
    ask(&system, system.lookup("starter").expect("lives"), "new").expect("begun");
    let mut started = events.map_while(|event| event.actor);
    assert!(started.any(|id| id == "default/new/0"));
}

#[test]
fn timers_and_publications_have_bounds() {
    let system = open();
    let actor = system.spawn_host(ActorSpec::host("a"), Box::new(|_| Ok(Vec::new()))).expect("starts");
    let options = SendOptions::default();
    let refused = system.send_every(actor, b"x", Duration::ZERO, &options).expect_err("no period");
    assert_eq!((refused.code, refused.text("which")), (Code::InvalidArgument, "period_ms"));
    let large = vec![0; (4 << 20) + 1];
    for refused in [
        system.publish("t", &large, &options).map(|_| ()),
        system.broadcast("g", &large, &options).map(|_| ()),
        system.send_after(actor, &large, Duration::from_millis(1), &options).map(|_| ()),
    ] {
        assert_eq!(refused.expect_err("too large").code, Code::PayloadTooLarge);
    }
}

#[test]
fn a_group_restart_keeps_what_waits_in_every_mailbox() {
    let system = open();
    let spec = SupervisorSpec::new("top").strategy(Strategy::OneForAll).backoff(at_once());
    system.supervisor(spec.child(child("a")).child(child("b"))).expect("starts");
    let (a, b) = (system.lookup("a").expect("lives"), system.lookup("b").expect("lives"));
    let events = system.events("actor.restarted").expect("open");
    ask(&system, a, "boom").expect_err("crashed");
    let mut restarted = events.map_while(|event| event.actor);
    assert!(restarted.any(|id| id == "default/b/0"));
    assert_eq!(ask(&system, b, "x").expect("is back"), b"x");
    assert!(system.dead_letters().expect("open").is_empty());
}

/// A pair of which one crashes and takes the other along, so often as is asked.
fn pair(system: &System) -> (ActorHandle, ActorHandle) {
    let spec = SupervisorSpec::new("top").strategy(Strategy::OneForAll).backoff(at_once());
    let spec =
        spec.intensity(airwasm::UNLIMITED, Duration::from_secs(60)).child(child("a")).child(child("b"));
    system.supervisor(spec).expect("starts");
    (system.lookup("a").expect("lives"), system.lookup("b").expect("lives"))
}

#[test]
fn hostile_h5_requests_and_subscriptions_outlast_a_group_restart() {
    let system = open();
    let (a, b) = pair(&system);
    system.subscribe(b, "t").expect("subscribed");
    let options = SendOptions::default();
    for _ in 0..300 {
        ask(&system, a, "boom").expect_err("crashed");
        assert_eq!(system.publish("t", b"x", &options).expect("open"), 1);
        assert_eq!(ask(&system, b, "x").expect("waits for the restart"), b"x");
        assert_eq!(ask(&system, a, "x").expect("waits for the restart"), b"x");
    }
}
