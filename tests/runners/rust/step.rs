//! One line of a scenario: keys are taken out as they are used, so that one that is left over is unknown.

use serde_json::{Map, Value};

/// Every key of the format, as in `tests/scenarios/README.md`.
const KEYS: &str = "scenario op as to of component path text bytes count name grant restart config behaviour \
    capability ttl_ms timeout_ms cpu_ms wall_ms host_calls output_bytes fuel memory_bytes handles mailbox_messages \
    payload_bytes cpu_percent written_bytes region_bytes region offset expect_regions args env request id kind within_ms target expect_error expect_message expect_policy_line expect_which \
    expect_text expect_part expect_bytes expect_id expect_cut expect_grant expect_given_by expect_count expect_state \
    expect_restarts expect_handled expect_key expect_value expect_import expect_export expect_capability \
    expect_handler expect_stopped expect_dead_letters strategy intensity period_ms initial_ms give_up auto_shutdown \
    children supervisor_of significant overflow shutdown_ms errors_max health_interval_ms health_missed supervisor child monitor pattern \
    subscription topic group delay_ms timer expect_ids expect_tree expect_reason expect_restarting expect_code \
    expect_left language expect_capabilities http_listen expect_listening expect_found kv namespace key expect_sender expect_cancelled counts_fuel helper actor expect_allowed expect_passed expect_failed";

pub struct Step(Map<String, Value>);

impl Step {
    pub fn new(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// Whether it is this operation.
    pub fn is(&self, op: &str) -> bool {
        self.0.get("op").is_some_and(|found| found == op)
    }

    pub fn replace(&mut self, what: &str, with: &str) {
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                *text = text.replace(what, with);
            }
        }
    }

    pub fn text(&mut self, key: &str) -> Option<String> {
        self.0
            .remove(key)
            .map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no string")).to_owned())
    }

    pub fn need(&mut self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| panic!("{key} is missing"))
    }

    pub fn int(&mut self, key: &str) -> Option<i64> {
        self.0.remove(key).map(|value| value.as_i64().unwrap_or_else(|| panic!("{key} is no integer")))
    }

    pub fn count(&mut self, key: &str) -> Option<u64> {
        self.int(key).map(|value| u64::try_from(value).unwrap_or_else(|_| panic!("{key} is negative")))
    }

    pub fn flag(&mut self, key: &str) -> Option<bool> {
        self.0.remove(key).map(|value| value.as_bool().unwrap_or_else(|| panic!("{key} is no boolean")))
    }

    /// Keys that the format does not know, whatever the operation.
    pub fn unknown(&self) -> Vec<&String> {
        self.0.keys().filter(|key| !KEYS.split_whitespace().any(|known| known == *key)).collect()
    }

    /// Keys that a step which succeeded has not looked at.
    pub fn left_over(&self) -> Vec<&String> {
        self.0.keys().collect()
    }
}

/// Whether what was got is what was expected.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, got: T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected {expected:?}, got {got:?}")) }
}
