use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::clock::Moment;
use super::{json, stamp};

/// What a record tells of. As JSON its [`name`](Operation::name).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Check,
    Grant,
    Revoke,
    Expire,
    /// A rule from now on denies it, whoever grants it; with the decision `allow`, no longer.
    Forbid,
    /// Something done to the operating system: `resolve`, `connect`, `listen`, `bind`, `spawn`, or `close`, the end of
    /// what one of them opened.
    Os(&'static str),
    /// What was only counted: `allowed` under a grant, or `denied` to an actor, in `interval_ms`.
    Summary,
    /// So many records were `lost`, because the file could not be written or the queue was full.
    Lost,
    /// The line before this one is the first part of a line, `bytes` long, that was never finished.
    Torn,
    /// The first line of a file that goes on with the chain of another.
    Rotate,
    /// The hash of this line is told outside the log.
    Anchor,
}

impl Operation {
    pub fn name(&self) -> &'static str {
        match self {
            Operation::Check => "check",
            Operation::Grant => "grant",
            Operation::Revoke => "revoke",
            Operation::Expire => "expire",
            Operation::Forbid => "forbid",
            Operation::Os(name) => name,
            Operation::Summary => "summary",
            Operation::Lost => "lost",
            Operation::Torn => "torn",
            Operation::Rotate => "rotate",
            Operation::Anchor => "anchor",
        }
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Allow,
    Deny,
}

/// Which of its two records this is, where an operation has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Start,
    Result,
}

/// One decision, one change of the grants, or one step of an operation. As JSON it is one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Of the format: 1.
    pub version: u32,
    /// The number of the line in the log, from 1; it goes on over files and restarts. Set by the
    /// [`Audit`](crate::Audit) as it writes; a number whose line could not be written is used again.
    pub seq: u64,
    #[serde(serialize_with = "stamp::serialize")]
    pub time: SystemTime,
    /// Since the audit was opened.
    pub monotonic_ns: u64,
    /// Empty in what the audit says of itself.
    pub actor: Arc<str>,
    pub operation: Operation,
    /// Ties the start and the result of an operation together, within one run of the audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The canonical text of what was asked, or of what was granted.
    pub capability: Arc<str>,
    /// The WIT function that asked; empty when none is known.
    pub function: String,
    pub decision: Decision,
    /// The grant that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<u64>,
    /// The text of that grant, or why its file was refused all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// `ok`, or the error's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<&'static str, u64>,
}

impl Record {
    pub(crate) fn new(
        now: Moment,
        actor: &Arc<str>,
        operation: Operation,
        capability: Arc<str>,
        decision: Decision,
    ) -> Self {
        Self {
            version: 1,
            seq: 0,
            time: now.wall,
            monotonic_ns: now.monotonic_ns,
            actor: actor.clone(),
            operation,
            id: None,
            phase: None,
            capability,
            function: String::new(),
            decision,
            grant: None,
            rule: None,
            duration_us: None,
            outcome: None,
            counts: BTreeMap::new(),
        }
    }

    /// What the audit says of itself.
    pub(crate) fn own(now: Moment, operation: Operation, counts: &[(&'static str, u64)]) -> Self {
        let mut record = Self::new(now, &"".into(), operation, "".into(), Decision::Allow);
        record.counts.extend(counts.iter().copied());
        record
    }

    /// The record as one line of JSON, without the line's end: on one line and in one direction for
    /// every reader, whatever its texts hold.
    pub fn to_json(&self) -> String {
        json::line(self)
    }
}
