use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::{Decision, Operation, Phase, Record};

/// What an audit has counted since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditCounts {
    /// By family, the first part of the capability's name (`fs`, `net`, `message`…), or `flood` for denials that were
    /// only counted. Families without a decision are left out, and so is what a level does not let through: under
    /// `denials`, all that is allowed. A decision counts once its record has reached the writer; that on an operation of
    /// the operating system is the record of its start.
    pub decisions: BTreeMap<&'static str, Decisions>,
    /// Records that the file took, or without one the other sinks.
    pub written: u64,
    /// Records that were never written.
    pub dropped: u64,
    /// Records that wait or are in writing now.
    pub queued: u64,
}

/// How often something was allowed, and how often denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    pub allowed: u64,
    pub denied: u64,
}

const FAMILIES: [&str; 14] = [
    "fs", "net", "http", "process", "env", "kv", "message", "region", "clock", "random", "stdio", "custom",
    FLOOD, "other",
];
/// Denials that had no record of their own.
pub(crate) const FLOOD: &str = "flood";

/// Decisions by family, in the order of `FAMILIES`.
#[derive(Default)]
pub(crate) struct Decided([[AtomicU64; 2]; FAMILIES.len()]);

impl Decided {
    /// Counts the record, if it tells of a decision of its own, as the start of an operation does.
    pub fn record(&self, record: &Record) {
        if record.operation == Operation::Check || record.phase == Some(Phase::Start) {
            self.add(&record.capability, record.decision, 1);
        }
    }

    pub fn add(&self, capability: &str, decision: Decision, count: u64) {
        self.cell(capability, decision).fetch_add(count, Ordering::Relaxed);
    }

    pub fn take_back(&self, capability: &str, decision: Decision, count: u64) {
        self.cell(capability, decision).fetch_sub(count, Ordering::Relaxed);
    }

    /// Adds up what is counted here, per family.
    pub fn add_to(&self, all: &mut BTreeMap<&'static str, Decisions>) {
        for (family, [allowed, denied]) in FAMILIES.iter().zip(&self.0) {
            let (allowed, denied) = (allowed.load(Ordering::Relaxed), denied.load(Ordering::Relaxed));
            if allowed + denied > 0 {
                let sum = all.entry(family).or_default();
                sum.allowed += allowed;
                sum.denied += denied;
            }
        }
    }

    fn cell(&self, capability: &str, decision: Decision) -> &AtomicU64 {
        let end = capability.bytes().position(|byte| matches!(byte, b'.' | b' '));
        let name = &capability[..end.unwrap_or(capability.len())];
        let family = FAMILIES.iter().position(|family| *family == name).unwrap_or(FAMILIES.len() - 1);
        &self.0[family][usize::from(decision == Decision::Deny)]
    }
}
