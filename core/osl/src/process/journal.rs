use crate::grant::Guard;
use crate::set::CapabilitySet;

/// The audit of one run: its start, and how it ended.
pub(super) struct Journal {
    set: CapabilitySet,
    guard: Guard,
    capability: String,
    function: String,
}

impl Journal {
    /// Records the start.
    pub fn begin(set: &CapabilitySet, guard: &Guard, capability: &str, function: &str) -> Self {
        set.allow(guard, capability.to_owned(), function);
        let (capability, function) = (capability.to_owned(), function.to_owned());
        Self { set: set.clone(), guard: guard.clone(), capability, function }
    }

    /// Records the result.
    pub fn finish(self, outcome: &str) {
        let Journal { set, guard, capability, function } = self;
        set.allow(&guard, capability, &format!("{function} ended: {outcome}"));
    }
}
