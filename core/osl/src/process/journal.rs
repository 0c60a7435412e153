use crate::audit::Running;
use crate::grant::Guard;
use crate::set::CapabilitySet;

/// The audit of one run: its start, and how it ended.
pub(super) struct Journal(Running);

impl Journal {
    /// Records the start.
    pub fn begin(set: &CapabilitySet, guard: &Guard, capability: &str, function: &str) -> Self {
        guard.count(None);
        Self(set.begin("spawn", guard, capability, function))
    }

    /// Records the result: `exit 0` is `ok`.
    pub fn finish(self, outcome: &str) {
        self.0.finish(if outcome == "exit 0" { Ok(()) } else { Err(outcome) });
    }
}
