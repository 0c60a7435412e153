//! The audit's counters as OpenTelemetry metrics.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use airssys_osl::{Ask, Audit, AuditConfig, OnFull};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    AsyncInstrument, AsyncInstrumentBuilder, Callback, InstrumentProvider, Meter, ObservableCounter,
    ObservableGauge,
};
use support::log::{LogWorld, actor};

/// As much of an SDK as observes instruments of whole numbers.
#[derive(Default)]
struct Instruments(Mutex<Vec<(String, Vec<Callback<u64>>)>>);

impl Instruments {
    fn keep<I>(&self, builder: AsyncInstrumentBuilder<'_, I, u64>) {
        self.0.lock().unwrap().push((builder.name.into_owned(), builder.callbacks));
    }

    /// What is told now: each value by its instrument's name and its attributes.
    fn collect(&self) -> BTreeMap<String, u64> {
        let points = Points::default();
        for (name, callbacks) in &*self.0.lock().unwrap() {
            points.of(name);
            callbacks.iter().for_each(|tell| tell(&points));
        }
        points.values.into_inner().unwrap()
    }
}

impl InstrumentProvider for Instruments {
    fn u64_observable_counter(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableCounter<u64>, u64>,
    ) -> ObservableCounter<u64> {
        self.keep(builder);
        ObservableCounter::new()
    }

    fn u64_observable_gauge(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableGauge<u64>, u64>,
    ) -> ObservableGauge<u64> {
        self.keep(builder);
        ObservableGauge::new()
    }
}

#[derive(Default)]
struct Points {
    instrument: Mutex<String>,
    values: Mutex<BTreeMap<String, u64>>,
}

impl Points {
    fn of(&self, instrument: &str) {
        *self.instrument.lock().unwrap() = instrument.to_owned();
    }
}

impl AsyncInstrument<u64> for Points {
    fn observe(&self, value: u64, attributes: &[KeyValue]) {
        let mut key = self.instrument.lock().unwrap().clone();
        attributes.iter().for_each(|pair| key += &format!(" {}={}", pair.key, pair.value));
        assert_eq!(self.values.lock().unwrap().insert(key, value), None);
    }
}

#[test]
fn the_meter_observes_decisions_by_family_and_the_records_of_the_audit_while_it_lives() {
    let instruments = Arc::new(Instruments::default());
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { on_full: OnFull::Count, ..world.config() }).unwrap();
    audit.observe(&Meter::new(instruments.clone()));
    let set = actor(&audit, "a", &["clock", "env HOME"]);
    (0..7).for_each(|_| drop(set.check(&Ask::Clock, "").unwrap()));
    (0..3).for_each(|_| drop(set.check(&Ask::Env("HOME".into()), "").unwrap()));
    (0..2).for_each(|_| drop(set.check(&Ask::Env("PATH".into()), "").unwrap_err()));
    audit.flush().unwrap();
    let want = [
        ("airssys.audit.decisions family=clock decision=allow", 7),
        ("airssys.audit.decisions family=clock decision=deny", 0),
        ("airssys.audit.decisions family=env decision=allow", 3),
        ("airssys.audit.decisions family=env decision=deny", 2),
        ("airssys.audit.records.dropped", 0),
        ("airssys.audit.records.queued", 0),
        // Two grants and five decisions; the clock is only counted.
        ("airssys.audit.records.written", 7),
    ];
    let want = want.map(|(key, value)| (key.to_owned(), value));
    assert_eq!(instruments.collect().into_iter().collect::<Vec<_>>(), want);
    drop((set, audit));
    assert!(instruments.collect().is_empty(), "an audit that is gone is not observed");
}
