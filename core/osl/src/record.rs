use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use crate::stamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    Check,
    Grant,
    Revoke,
    Expire,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Allow,
    Deny,
}

/// One decision, or one change of the grants. As JSON it is one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Of the format: 1.
    pub version: u32,
    /// Counts from 1 in each [`Audit`](crate::Audit), which sets it.
    pub seq: u64,
    #[serde(serialize_with = "stamp::serialize")]
    pub time: SystemTime,
    pub actor: Arc<str>,
    pub operation: Operation,
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
}

impl Record {
    pub(crate) fn new(
        actor: &Arc<str>,
        operation: Operation,
        capability: Arc<str>,
        decision: Decision,
    ) -> Self {
        Self {
            version: 1,
            seq: 0,
            time: SystemTime::now(),
            actor: actor.clone(),
            operation,
            capability,
            function: String::new(),
            decision,
            grant: None,
            rule: None,
        }
    }

    /// The record as one line of JSON, without the line's end.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record has only texts and numbers")
    }
}
