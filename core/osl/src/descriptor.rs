//! A descriptor that a revocation can close under its holder.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cut::Cut;

pub(crate) struct Descriptor(Mutex<Option<Arc<OwnedFd>>>);

impl Descriptor {
    pub fn new(fd: OwnedFd) -> Self {
        Self(Mutex::new(Some(Arc::new(fd))))
    }

    pub fn closed() -> Self {
        Self(Mutex::new(None))
    }

    /// The descriptor for one use; it closes after the last use that began before `cut`.
    pub fn get(&self) -> Option<Arc<OwnedFd>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<OwnedFd>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cut for Descriptor {
    fn cut(&self) {
        self.lock().take();
    }
}
