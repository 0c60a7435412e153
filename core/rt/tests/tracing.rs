//! What a subscriber of `tracing` is told. One test in a process of its own, as there is one subscriber a process.

mod common;

use std::fmt::{Debug, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use airssys_rt::Caller::Waits;
use airssys_rt::{Restart, Spec};
use common::{Ask, World, eventually, id, soon};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static SPANS: AtomicU64 = AtomicU64::new(1);

/// Writes each span and event of the crate as a line.
struct Lines;

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes all");
    }
}

fn write(metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
    let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
    record(&mut line);
    LINES.lock().expect("no panic").push(line.0);
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "airssys_rt"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        write(span.metadata(), |line| span.record(line));
        Id::from_u64(SPANS.fetch_add(1, SeqCst))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        write(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn has(wanted: &str) -> bool {
    LINES.lock().expect("no panic").iter().any(|line| line.starts_with(wanted))
}

#[test]
fn turns_are_spans_and_notices_are_events() {
    tracing::subscriber::set_global_default(Lines).expect("the first one");
    let world = World::new();
    let actor = world.spawn_as(Spec::new(id("one")), Restart::Permanent);
    assert!(actor.request(Ask::Boom, soon(), Waits).wait().is_err());
    assert_eq!(actor.request(Ask::Echo(1), soon(), Waits).wait().expect("lives again"), 1_001);
    eventually("it is told of the restart", || {
        has("INFO airssys_rt message=restarted id=default/one/0 restarts=1")
    });
    assert!(has("TRACE airssys_rt id=default/one/0"), "a turn");
    assert!(has("DEBUG airssys_rt message=started id=default/one/0"));
    assert!(has("WARN airssys_rt message=crashed id=default/one/0 exit="));
}
