use std::fmt;
use std::sync::Arc;

use crate::ask::Ask;

/// One line of `tests:`: what an actor must be allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyTest {
    pub line: u32,
    pub actor: String,
    pub component: Option<Arc<str>>,
    pub allowed: bool,
    pub ask: Ask,
}

impl fmt::Display for PolicyTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.allowed { "allow" } else { "deny" };
        write!(f, "{}, {verb}: {}", self.actor, self.ask.capability_text())
    }
}

/// What became of the tests of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    /// How many held.
    pub passed: usize,
    /// In the order of the file.
    pub failed: Vec<TestFailure>,
}

/// A test that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFailure {
    /// The file as it was named.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// What was to hold.
    pub text: String,
    /// What the policy decides instead, and by which rule.
    pub why: String,
}

/// One line a failure, and a last one that counts.
impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for TestFailure { file, line, text, why } in &self.failed {
            writeln!(f, "{file}:{line}: {text}: got {why}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failed.len())
    }
}
