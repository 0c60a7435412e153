//! Which decisions are recorded, which are counted, and what a record says.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use airssys_osl::{
    Ask, Audit, AuditConfig, CapabilitySet, Decision, Filter, Level, Operation, Phase, Record, Sink,
};
use support::log::{LogWorld, actor};

fn send() -> Ask {
    Ask::MessageSend("db".into())
}

/// Three allowed messages, one denial and one operation of an actor that may send and ask for the time.
fn play(set: &CapabilitySet) {
    for _ in 0..3 {
        set.check(&send(), "send").unwrap();
    }
    let guard = set.check(&Ask::Clock, "now").unwrap();
    set.check(&Ask::Random, "random").unwrap_err();
    set.begin("connect", &guard, "net.connect 1.2.3.4:80", "start-connect").finish(Err("refused"));
}

fn names(records: &[Record]) -> Vec<&'static str> {
    records.iter().map(|record| record.operation.name()).collect()
}

#[test]
fn each_level_records_what_it_says() {
    let world = LogWorld::new();
    let table: [(Level, &[&str]); 3] = [
        (Level::Denials, &["check"]),
        (Level::Default, &["grant", "grant", "check", "connect", "connect", "summary", "summary"]),
        (Level::All, &["grant", "grant", "check", "check", "check", "check", "check", "connect", "connect"]),
    ];
    for (level, want) in table {
        let audit = Audit::open(AuditConfig { level, ..world.memory() }).unwrap();
        let set = actor(&audit, "tools/a/0", &["message.send db", "clock"]);
        play(&set);
        audit.summarise().unwrap();
        assert_eq!(names(&audit.recent()), want, "{level:?}");
        assert_eq!(set.grants().iter().map(|grant| grant.allowed).collect::<Vec<_>>(), [3, 1]);
    }
}

#[test]
fn a_filter_gives_some_actors_a_level_of_their_own() {
    let world = LogWorld::new();
    let filters = vec![
        Filter::new("tools/*/*", &["check"], Level::All).unwrap(),
        Filter::new("tools/*/*", &[], Level::Denials).unwrap(),
    ];
    let audit = Audit::open(AuditConfig { filters, ..world.memory() }).unwrap();
    play(&actor(&audit, "tools/a/0", &["message.send db", "clock"]));
    assert_eq!(names(&audit.recent()), ["check"; 5]);
    play(&actor(&audit, "default/a/0", &["message.send db", "clock"]));
    assert_eq!(names(&audit.recent())[5..], ["grant", "grant", "check", "connect", "connect"]);
}

#[test]
fn summaries_are_exact_and_name_their_interval() {
    let world = LogWorld::new();
    let audit = Audit::open(world.memory()).unwrap();
    let set = actor(&audit, "a", &["message.send db"]);
    let mut want = Vec::new();
    for (count, seconds) in [(1, 5), (70, 60), (2, 1)] {
        (0..count).for_each(|_| drop(set.check(&send(), "").unwrap()));
        world.pass(Duration::from_secs(seconds));
        audit.summarise().unwrap();
        want.push((count, seconds * 1_000));
    }
    audit.summarise().unwrap();
    let mut records = audit.recent();
    records.retain(|record| record.operation == Operation::Summary);
    let seen: Vec<_> = records.iter().map(|r| (r.counts["allowed"], r.counts["interval_ms"])).collect();
    assert_eq!(seen, want);
    assert_eq!((records[0].grant, &*records[0].capability), (Some(1), "message.send default/db/0"));
}

#[test]
fn what_was_counted_under_a_grant_that_ended_is_told_when_closing() {
    let world = LogWorld::new();
    let audit = world.open();
    let set = actor(&audit, "a", &["message.send db"]);
    set.check(&send(), "").unwrap();
    set.revoke(1);
    drop(set);
    audit.close().unwrap();
    let lines = world.lines();
    assert_eq!(lines[2]["operation"], "summary");
    assert_eq!(lines[2]["counts"]["allowed"], 1);
    assert_eq!(lines[3]["operation"], "anchor");
}

#[test]
fn hostile_l8_a_flood_of_denials_is_counted_exactly() {
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { denials_per_second_max: 100, ..world.memory() }).unwrap();
    let flooding = CapabilitySet::new("a", audit.clone());
    let quiet = CapabilitySet::new("b", audit.clone());
    (0..10_000).for_each(|_| drop(flooding.check(&send(), "").unwrap_err()));
    quiet.check(&send(), "").unwrap_err();
    world.pass(Duration::from_secs(1));
    flooding.check(&send(), "").unwrap_err();
    audit.summarise().unwrap();
    let records = audit.recent();
    let of = |actor: &str| records.iter().filter(|record| &*record.actor == actor).count();
    assert_eq!((of("a"), of("b")), (102, 1));
    let summary = records.last().unwrap();
    assert_eq!((summary.operation, summary.decision), (Operation::Summary, Decision::Deny));
    assert_eq!((&*summary.actor, summary.counts["denied"]), ("a", 9_900));
}

#[test]
fn start_and_result_belong_together() {
    let world = LogWorld::new();
    let audit = Audit::open(world.memory()).unwrap();
    let set = actor(&audit, "a", &["clock"]);
    let guard = set.check(&Ask::Clock, "").unwrap();
    let first = set.begin("spawn", &guard, "process.run /bin/x", "run");
    let second = set.begin("connect", &guard, "net.connect a:1", "run");
    world.pass(Duration::from_micros(42));
    first.finish(Ok(()));
    drop(second);
    let steps = &audit.recent()[1..];
    let seen: Vec<_> = steps.iter().map(|r| (r.id, r.phase, r.duration_us, r.outcome.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (Some(1), Some(Phase::Start), None, None),
            (Some(2), Some(Phase::Start), None, None),
            (Some(1), Some(Phase::Result), Some(42), Some("ok")),
            (Some(2), Some(Phase::Result), Some(42), Some("dropped before its end")),
        ]
    );
}

#[test]
fn the_lines_are_these() {
    let world = LogWorld::new();
    world.pass(Duration::from_millis(1_500));
    let audit = world.open();
    let set = actor(&audit, "a", &["message.send db"]);
    let guard = set.check(&send(), "send").unwrap();
    set.check(&Ask::Env("HOME".into()), "get-environment").unwrap_err();
    set.begin("connect", &guard, "net.connect 1.2.3.4:80", "f").finish(Err("refused"));
    audit.close().unwrap();
    let head = r#""time":"1970-01-01T00:00:01.500Z","monotonic_ns":1500000000"#;
    let rule = r#""rule":"message.send default/db/0""#;
    let connect = r#""capability":"net.connect 1.2.3.4:80","function":"f","decision":"allow","grant":1"#;
    let want = [
        format!(
            r#"{{"version":1,"seq":1,{head},"actor":"a","operation":"grant","capability":"message.send default/db/0","function":"","decision":"allow","grant":1,"#
        ),
        format!(
            r#"{{"version":1,"seq":2,{head},"actor":"a","operation":"check","capability":"env HOME","function":"get-environment","decision":"deny","#
        ),
        format!(
            r#"{{"version":1,"seq":3,{head},"actor":"a","operation":"connect","id":1,"phase":"start",{connect},{rule},"#
        ),
        format!(
            r#"{{"version":1,"seq":4,{head},"actor":"a","operation":"connect","id":1,"phase":"result",{connect},{rule},"duration_us":0,"outcome":"refused","#
        ),
        format!(
            r#"{{"version":1,"seq":5,{head},"actor":"a","operation":"summary","capability":"message.send default/db/0","function":"","decision":"allow","grant":1,"counts":{{"allowed":1,"interval_ms":0}},"#
        ),
        format!(
            r#"{{"version":1,"seq":6,{head},"actor":"","operation":"anchor","capability":"","function":"","decision":"allow","#
        ),
    ];
    let text = std::fs::read_to_string(&world.path).unwrap();
    assert_eq!(text.lines().count(), want.len());
    for (line, want) in text.lines().zip(&want) {
        assert_eq!(line.split("\"prev\":").next().unwrap(), want);
    }
}

#[test]
fn a_record_is_a_tracing_event() {
    let seen = Seen::default();
    let subscriber = tracing::Dispatch::new(seen.clone());
    let audit = tracing::dispatcher::with_default(&subscriber, || {
        Audit::open(AuditConfig { sinks: vec![Sink::Tracing], ..AuditConfig::default() }).unwrap()
    });
    actor(&audit, "a", &["clock"]).check(&Ask::Random, "f").unwrap_err();
    audit.close().unwrap();
    assert_eq!(
        *seen.0.lock().unwrap(),
        [
            "INFO airssys_osl::audit operation=\"grant\" capability=\"clock\"",
            "WARN airssys_osl::audit operation=\"check\" capability=\"random\"",
        ]
    );
    assert_eq!(audit.recent(), []);
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Seen {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);
        impl tracing::field::Visit for Line {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if matches!(field.name(), "operation" | "capability") {
                    self.0 += &format!(" {}={value:?}", field.name());
                }
            }
        }
        let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
