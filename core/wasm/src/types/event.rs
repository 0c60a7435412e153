//! What happened, as a record.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

/// One thing that happened in a system.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Counts from 1 in each system, without gaps.
    pub seq: u64,
    /// Wall time.
    pub time: SystemTime,
    /// Dotted text, as in `actor.crashed`.
    pub kind: String,
    /// The three-part id of the actor concerned.
    pub actor: Option<String>,
    /// Facts by name.
    pub detail: Map<String, Value>,
}

impl Event {
    /// Milliseconds since 1970.
    pub fn time_unix_ms(&self) -> i64 {
        let since = self.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// The detail as JSON text.
    pub fn detail_json(&self) -> String {
        Value::Object(self.detail.clone()).to_string()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.actor.as_deref().unwrap_or("-"), self.detail_json())
    }
}

/// Whether `kind` is one of `kinds`: a comma list of kinds, families with `.*`, or `*`.
pub(crate) fn kind_matches(kinds: &str, kind: &str) -> bool {
    kinds.split(',').map(str::trim).any(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => kind == wanted,
    })
}

/// The detail with one fact.
pub(crate) fn detail(key: &str, value: impl Into<Value>) -> Map<String, Value> {
    json!({ key: value.into() }).as_object().cloned().unwrap_or_default()
}
