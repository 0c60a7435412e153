use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many places, each free again when what took it is dropped.
#[derive(Clone)]
pub(crate) struct Slots {
    taken: Arc<AtomicUsize>,
    max: usize,
}

impl Slots {
    pub fn new(max: usize) -> Self {
        Self { taken: Arc::default(), max }
    }

    /// A place, unless all are taken.
    pub fn take(&self) -> Option<Slot> {
        let free = |taken| (taken < self.max).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        Some(Slot(self.taken.clone()))
    }

    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    pub fn max(&self) -> usize {
        self.max
    }
}

pub(crate) struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
