//! Functions of the host: their mailboxes are bounded, and the bounds of guests are refused.

use std::time::Duration;

use airwasm::{
    ActorSpec, Budget, ChildSpec, Code, Limits, RequestOptions, SendOptions, SupervisorSpec, UNLIMITED,
};

use super::{gated, open, refused};

type Change = fn(&mut ActorSpec);

/// What bounds guests only, by the name under which it is refused.
const OF_GUESTS: [(&str, Change); 16] = [
    ("config", |spec| spec.config = Some("{}".to_owned())),
    ("cpu_ms", |spec| spec.budget.cpu = Some(Duration::MAX)),
    ("wall_ms", |spec| spec.budget.wall = Some(Duration::from_millis(1))),
    ("fuel", |spec| spec.budget.fuel = Some(UNLIMITED)),
    ("output_bytes", |spec| spec.budget.output_bytes = Some(1)),
    ("host_calls", |spec| spec.budget.host_calls = Some(1)),
    ("memory_bytes", |spec| spec.limits.memory_bytes = Some(UNLIMITED)),
    ("table_elements", |spec| spec.limits.table_elements = Some(1)),
    ("handles", |spec| spec.limits.handles = Some(1)),
    ("health_interval_ms", |spec| spec.health_interval = Some(Duration::from_millis(1))),
    ("health_missed", |spec| spec.health_missed = Some(1)),
    ("written_bytes", |spec| spec.limits.written_bytes = Some(1)),
    ("region_bytes", |spec| spec.limits.region_bytes = Some(1)),
    ("args", |spec| spec.args.push("a".to_owned())),
    ("http_listen", |spec| spec.http_listen = Some("127.0.0.1:0".to_owned())),
    ("env", |spec| spec.env.push(("A".to_owned(), "b".to_owned()))),
];

fn of_host(change: Change) -> ActorSpec {
    let mut spec = ActorSpec::host("a");
    change(&mut spec);
    spec
}

fn child(change: Change) -> ChildSpec {
    ChildSpec::host(of_host(change), Box::new(|_| Ok(Vec::new())))
}

#[test]
fn a_function_of_the_host_is_refused_the_bounds_of_guests_by_name() {
    let system = open();
    let top = system.supervisor(SupervisorSpec::new("top")).expect("starts");
    for (which, change) in OF_GUESTS {
        let alone = system.spawn_host(of_host(change), Box::new(|_| Ok(Vec::new())));
        let in_tree = system.supervisor(SupervisorSpec::new("s").child(child(change)));
        let later = system.start_child(top, child(change));
        for error in [alone, in_tree, later].map(refused) {
            assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, which), "{error}");
            assert!(error.message.contains(which), "{error}");
        }
        assert_eq!(refused(system.lookup("a")).code, Code::ActorNotFound);
        assert_eq!(refused(system.lookup("s")).code, Code::ActorNotFound);
    }
    assert_eq!(system.list(None).expect("open").len(), 1, "top alone");
    system.start_child(top, child(|_| ())).expect("the name is free, and what is left of the spec is right");
}

/// A bound of a guest that is refused there too says which.
#[test]
fn fuel_is_counted_only_where_the_system_was_asked_to() {
    let system = open();
    let component = system.load(&airwasm_tests::guest("echo")).expect("loads");
    let budget = Budget { fuel: Some(1), ..Budget::default() };
    let error = refused(system.spawn(ActorSpec::new(component).budget(budget)));
    assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "fuel"));
}

#[test]
fn the_messages_that_wait_for_a_function_of_the_host_are_bounded() {
    let system = open();
    let (handler, told, leave) = gated();
    let limits = Limits { mailbox_messages: Some(2), ..Limits::default() };
    let actor = system.spawn_host(ActorSpec::host("a").limits(limits), handler).expect("starts");
    let send = || system.send(actor, b"x", &SendOptions::default());
    send().expect("room");
    told.recv().expect("it is being handled");
    send().expect("room");
    send().expect("room");
    let error = refused(send());
    assert_eq!((error.code, &error.detail["messages"]), (Code::MailboxFull, &2.into()));
    leave.send(()).expect("it waits");
    told.recv().expect("the next one is being handled");
    send().expect("one has left");
    assert_eq!(refused(send()).code, Code::MailboxFull);
    let stats = system.stats().expect("open");
    assert_eq!((stats.sent, stats.delivered, stats.rejected), (6, 2, 2));
    drop(leave);
}

#[test]
fn the_bytes_that_wait_for_a_function_of_the_host_are_bounded() {
    let system = open();
    let (handler, told, leave) = gated();
    let limits = Limits { mailbox_bytes: Some(10), ..Limits::default() };
    let actor = system.spawn_host(ActorSpec::host("a").limits(limits), handler).expect("starts");
    let send = |bytes: usize| system.send(actor, &vec![0; bytes], &SendOptions::default());
    send(10).expect("room");
    told.recv().expect("it is being handled");
    send(6).expect("room");
    let error = refused(send(5));
    assert_eq!((error.code, &error.detail["bytes"]), (Code::MailboxFull, &6.into()));
    send(4).expect("room");
    assert_eq!(refused(send(1)).detail["bytes"], 10);
    drop(leave);
}

#[test]
fn a_payload_in_or_out_of_a_function_of_the_host_is_bounded() {
    let system = open();
    let limits = Limits { payload_bytes: Some(8), ..Limits::default() };
    let twice = |message: airwasm::Message| Ok(message.payload.repeat(2));
    let actor = system.spawn_host(ActorSpec::host("a").limits(limits), Box::new(twice)).expect("starts");
    let ask = |bytes: usize| system.request(actor, &vec![b'x'; bytes], &RequestOptions::default());
    assert_eq!(ask(4).expect("answers"), b"xxxxxxxx");
    for (bytes, given) in [(9, 9), (5, 10)] {
        let error = refused(ask(bytes));
        assert_eq!(error.code, Code::PayloadTooLarge);
        assert_eq!((&error.detail["allowed"], &error.detail["given"]), (&8.into(), &given.into()), "{error}");
        assert_eq!(error.actor.as_deref(), Some("default/a/0"));
    }
    assert_eq!(ask(1).expect("it lives on"), b"xx");
    assert_eq!(system.status(actor).expect("lives").handled, 3, "what is too large never reached it");
}
