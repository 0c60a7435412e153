//! The totals of one instance: all memories together, all tables together, all handles.

use wasmtime::ResourceLimiter;

use crate::types::error::Error;
use crate::types::limits::ResolvedLimits;

/// Core instances, memories and tables of one actor: each costs the host even while it is empty.
const CORE_INSTANCES_MAX: usize = 256;
const MEMORIES_MAX: usize = 32;
const TABLES_MAX: usize = 256;
/// Handles of one instance, also where its limits say more.
const HANDLES_MAX: u64 = 100_000;

/// Refuses growth over the totals, and remembers the refusal.
pub(crate) struct Limiter {
    memory_max: u64,
    memory: u64,
    tables_max: u64,
    tables: u64,
    handles_max: u64,
    refused: Option<Error>,
}

impl Limiter {
    pub(crate) fn new(limits: &ResolvedLimits) -> Self {
        let (memory_max, tables_max) = (limits.memory_bytes, limits.table_elements);
        let handles_max = limits.handles.min(HANDLES_MAX);
        Self { memory_max, memory: 0, tables_max, tables: 0, handles_max, refused: None }
    }

    /// Handles that may be open at once.
    pub(super) fn handles_max(&self) -> usize {
        usize::try_from(self.handles_max).unwrap_or(usize::MAX)
    }

    /// That there was one handle more than may be, for which the guest has died.
    pub(super) fn refused_handle(&mut self) {
        self.refused = Some(Error::limit("handles", self.handles_max, self.handles_max.saturating_add(1)));
    }

    /// The refusal since the last call, if there was one: a guest that traps after it died of the limit.
    pub(crate) fn take_refusal(&mut self) -> Option<Error> {
        self.refused.take()
    }
}

/// Adds growth to a total if the bound allows it.
fn grow(total: &mut u64, max: u64, current: usize, desired: usize) -> Result<(), u64> {
    let wanted = total.saturating_add((desired as u64).saturating_sub(current as u64));
    if wanted > max {
        return Err(wanted);
    }
    *total = wanted;
    Ok(())
}

impl ResourceLimiter for Limiter {
    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = grow(&mut self.memory, self.memory_max, current, desired);
        self.refused = grown.err().map(|used| Error::limit("memory_bytes", self.memory_max, used));
        Ok(grown.is_ok())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = grow(&mut self.tables, self.tables_max, current, desired);
        self.refused = grown.err().map(|used| Error::limit("table_elements", self.tables_max, used));
        Ok(grown.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::limits::Limits;

    #[test]
    fn memories_count_together() {
        let limits = Limits { memory_bytes: Some(100), ..Limits::default() }.resolve().expect("valid");
        let mut limiter = Limiter::new(&limits);
        assert!(limiter.memory_growing(0, 60, None).expect("no trap"));
        assert!(!limiter.memory_growing(0, 60, None).expect("no trap"));
        assert_eq!(limiter.take_refusal(), Some(Error::limit("memory_bytes", 100, 120)));
        assert!(limiter.memory_growing(60, 100, None).expect("no trap"));
        assert_eq!(limiter.take_refusal(), None);
    }

    #[test]
    fn hostile_b3_growth_beyond_all_numbers_is_refused() {
        let mut limiter = Limiter::new(&Limits::default().resolve().expect("valid"));
        assert!(!limiter.table_growing(10, usize::MAX, None).expect("no trap"));
        assert!(!limiter.memory_growing(0, usize::MAX, None).expect("no trap"));
    }
}
