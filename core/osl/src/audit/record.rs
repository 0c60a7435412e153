use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::clock::Moment;
use super::json::Members;
use super::stamp;

/// What a record tells of. As JSON its [`name`](Operation::name).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Check,
    Grant,
    Revoke,
    Expire,
    /// A rule from now on denies it, whoever grants it; with the decision `allow`, no longer.
    Forbid,
    /// Something done to the operating system: `open`, `create`, `list`, `create_directory`, `remove`, `rename`,
    /// `set_times`, `resolve`, `connect`, `listen`, `bind`, `spawn`, or `close`, the end of what one of the network opened.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

impl Decision {
    pub fn name(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
        }
    }
}

/// Which of its two records this is, where an operation has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Start,
    Result,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Phase::Start => "start",
            Phase::Result => "result",
        }
    }
}

/// One decision, one change of the grants, or one step of an operation. As JSON it is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of the format: 1.
    pub version: u32,
    /// The number of the line in the log, from 1; it goes on over files and restarts. Set by the
    /// [`Audit`](crate::Audit) as it writes; a number whose line could not be written is used again.
    pub seq: u64,
    pub time: SystemTime,
    /// Since the audit was opened.
    pub monotonic_ns: u64,
    /// Empty in what the audit says of itself.
    pub actor: Arc<str>,
    pub operation: Operation,
    /// Ties the start and the result of an operation together, within one run of the audit.
    pub id: Option<u64>,
    pub phase: Option<Phase>,
    /// The canonical text of what was asked, or of what was granted.
    pub capability: Arc<str>,
    /// The WIT function that asked; empty when none is known.
    pub function: String,
    pub decision: Decision,
    /// The grant that decided.
    pub grant: Option<u64>,
    /// The text of that grant, or why its file was refused all the same.
    pub rule: Option<Arc<str>>,
    /// Who handed this grant on, and under which grant of its own, where somebody did.
    pub giver: Option<Arc<str>>,
    pub parent: Option<u64>,
    pub duration_us: Option<u64>,
    /// `ok`, or the error's text.
    pub outcome: Option<String>,
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
            giver: None,
            parent: None,
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
    /// every reader, whatever its texts hold. What is none or empty is left out, but for `actor`, `capability` and
    /// `function`.
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(512);
        self.write_json(&mut out);
        String::from_utf8(out).expect("it is written in whole characters")
    }

    /// The same, appended.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        let mut members = Members::begin(out, "version", u64::from(self.version));
        members.number("seq", self.seq);
        members.text("time", str::from_utf8(&stamp::ascii(self.time)).expect("it is ASCII"));
        members.number("monotonic_ns", self.monotonic_ns);
        members.text("actor", &self.actor);
        members.text("operation", self.operation.name());
        self.id.inspect(|id| members.number("id", *id));
        self.phase.inspect(|phase| members.text("phase", phase.name()));
        members.text("capability", &self.capability);
        members.text("function", &self.function);
        members.text("decision", self.decision.name());
        self.grant.inspect(|grant| members.number("grant", *grant));
        self.rule.as_deref().inspect(|rule| members.text("rule", rule));
        self.giver.as_deref().inspect(|giver| members.text("giver", giver));
        self.parent.inspect(|parent| members.number("parent", *parent));
        self.duration_us.inspect(|us| members.number("duration_us", *us));
        self.outcome.as_deref().inspect(|outcome| members.text("outcome", outcome));
        if !self.counts.is_empty() {
            members.numbers("counts", &self.counts);
        }
        members.end();
    }
}
