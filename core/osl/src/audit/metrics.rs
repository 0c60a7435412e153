//! The audit's counters for OpenTelemetry: read when somebody collects, so that no decision pays for them.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use super::Audit;
use super::counts::AuditCounts;

impl Audit {
    /// Lets the meter observe [`counts`](Audit::counts) for as long as the audit lives: the counters
    /// `airssys.audit.decisions` (with `family` and `decision`, `allow` or `deny`), `airssys.audit.records.written` and
    /// `airssys.audit.records.dropped`, and the gauge `airssys.audit.records.queued`. Needs the feature `opentelemetry`.
    pub fn observe(self: &Arc<Self>, meter: &Meter) {
        let audit = || Arc::downgrade(self);
        let decisions = meter.u64_observable_counter("airssys.audit.decisions").with_unit("{decision}");
        decisions
            .with_description("What was allowed and denied.")
            .with_callback(observed(audit(), tell_decisions))
            .build();
        let written = meter.u64_observable_counter("airssys.audit.records.written").with_unit("{record}");
        let written = written.with_description("Audit records that were written.");
        written.with_callback(observed(audit(), |counts, told| told.observe(counts.written, &[]))).build();
        let dropped = meter.u64_observable_counter("airssys.audit.records.dropped").with_unit("{record}");
        let dropped = dropped.with_description("Audit records that were never written.");
        dropped.with_callback(observed(audit(), |counts, told| told.observe(counts.dropped, &[]))).build();
        let queued = meter.u64_observable_gauge("airssys.audit.records.queued").with_unit("{record}");
        let queued = queued.with_description("Audit records that wait or are in writing.");
        queued.with_callback(observed(audit(), |counts, told| told.observe(counts.queued, &[]))).build();
    }
}

type Told<'a> = &'a dyn AsyncInstrument<u64>;

fn observed(
    audit: Weak<Audit>,
    tell: fn(&AuditCounts, Told<'_>),
) -> impl Fn(Told<'_>) + Send + Sync + 'static {
    move |told| {
        if let Some(audit) = audit.upgrade() {
            tell(&audit.counts(), told);
        }
    }
}

fn tell_decisions(counts: &AuditCounts, told: Told<'_>) {
    for (family, decisions) in &counts.decisions {
        for (decision, count) in [("allow", decisions.allowed), ("deny", decisions.denied)] {
            told.observe(count, &[KeyValue::new("family", *family), KeyValue::new("decision", decision)]);
        }
    }
}
