//! What a policy says.

use pyo3::prelude::*;

use crate::info::{records, shown};

records! {
    /// What became of the tests of the policy in force.
    PolicyReport {
        /// How many held.
        passed: u64,
        /// One line for each that does not hold, in the order of the file.
        failed: Vec<String>,
    }
}

/// Which rule of the policy decides what an actor asks for; `str()` is one line.
#[pyclass(frozen, get_all, eq, module = "airwasm", weakref)]
#[derive(PartialEq)]
pub struct Explanation {
    /// Whether the policy allows it.
    allowed: bool,
    /// As in `deny: policy.yaml:13 fs.read /srv/private/** beats policy.yaml:11 fs.read /srv/**`.
    text: String,
    /// The rule that decides, as in `policy.yaml:13 fs.read /srv/private/**`; `None` where nothing allows it.
    rule: Option<String>,
    /// The allow that a deny beats.
    beaten: Option<String>,
    /// The line that would allow it where nothing does, to be pasted into the policy.
    policy_line: Option<String>,
}

impl From<airwasm::Explanation> for Explanation {
    fn from(explanation: airwasm::Explanation) -> Self {
        let airwasm::Explanation { allowed, text, rule, beaten, policy_line } = explanation;
        Self { allowed, text, rule, beaten, policy_line }
    }
}

#[pymethods]
impl Explanation {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, "Explanation", &["allowed", "text", "rule", "beaten", "policy_line"])
    }
}
