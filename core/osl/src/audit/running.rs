use std::sync::Arc;

use super::Audit;
use super::record::{Operation, Phase, Record};

/// An operation whose start is recorded; its end records the result. Dropped without one, it says so.
#[must_use = "dropping it records that the operation has no result"]
pub struct Running {
    audit: Arc<Audit>,
    /// The start, from which the result is made; none when neither is to be recorded.
    start: Option<Record>,
}

impl Running {
    /// Records the start.
    pub(crate) fn begin(audit: &Arc<Audit>, mut record: Record) -> Self {
        record.id = Some(audit.next_id());
        record.phase = Some(Phase::Start);
        audit.record(record.clone());
        Self { audit: audit.clone(), start: Some(record) }
    }

    pub(crate) fn unrecorded(audit: &Arc<Audit>) -> Self {
        Self { audit: audit.clone(), start: None }
    }

    /// What ties the two records together; none when the level leaves them out.
    pub fn id(&self) -> Option<u64> {
        self.start.as_ref().and_then(|record| record.id)
    }

    /// Records the result: `ok`, or the text of the error.
    pub fn finish(mut self, result: Result<(), &str>) {
        self.end(result.err().unwrap_or("ok"), &[]);
    }

    /// What this operation opens, from now on. Its end is one record of the operation `close`, under the same id.
    pub(crate) fn opened(&self) -> Opened {
        let now = self.audit.now();
        let begun = |start: &Record| Record {
            operation: Operation::Os("close"),
            time: now.wall,
            monotonic_ns: now.monotonic_ns,
            ..start.clone()
        };
        Opened(Running { audit: self.audit.clone(), start: self.start.as_ref().map(begun) })
    }

    fn end(&mut self, outcome: &str, counts: &[(&'static str, u64)]) {
        let Some(start) = self.start.take() else { return };
        let now = self.audit.now();
        let mut record = Record { time: now.wall, monotonic_ns: now.monotonic_ns, ..start };
        record.counts.extend(counts.iter().copied());
        record.duration_us = Some(now.monotonic_ns.saturating_sub(start.monotonic_ns) / 1_000);
        record.phase = Some(Phase::Result);
        record.outcome = Some(outcome.to_owned());
        self.audit.record(record);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end("dropped before its end", &[]);
    }
}

/// Something open, whose end is still to be recorded.
pub(crate) struct Opened(Running);

impl Opened {
    /// Records the end, with what was counted in its life.
    pub fn close(mut self, outcome: &str, counts: &[(&'static str, u64)]) {
        self.0.end(outcome, counts);
    }
}
