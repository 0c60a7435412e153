//! A descriptor that a revocation can close under its holder.

use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cut::Cut;
use crate::denial::DenialKind;
use crate::grant::{Guard, Lease};
use crate::resources::Permit;

pub(crate) struct Descriptor(Mutex<Option<Arc<CountedFd>>>);

/// A descriptor that counts as open until it is closed.
pub(crate) struct CountedFd {
    // Closed before it counts no more: the order of the fields.
    fd: OwnedFd,
    _permits: Vec<Arc<Permit>>,
}

impl Deref for CountedFd {
    type Target = OwnedFd;

    fn deref(&self) -> &OwnedFd {
        &self.fd
    }
}

impl AsFd for CountedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Descriptor {
    /// With the permits that it takes, if it is one that counts.
    pub fn new(fd: OwnedFd, permits: Vec<Arc<Permit>>) -> Self {
        Self(Mutex::new(Some(Arc::new(CountedFd { fd, _permits: permits }))))
    }

    pub fn closed() -> Self {
        Self(Mutex::new(None))
    }

    /// The descriptor for one use; it closes after the last use that began before `cut`.
    pub fn get(&self) -> Option<Arc<CountedFd>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<CountedFd>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cut for Descriptor {
    fn cut(&self) {
        // Closed, and its permits given back, with the lock released.
        let last = self.lock().take();
        drop(last);
    }
}

impl Guard {
    /// Ties a descriptor to the grant; refused when the grant has ended meanwhile.
    pub(crate) fn mint(&self, fd: OwnedFd, permit: Permit) -> Result<Lease<Descriptor>, DenialKind> {
        self.tie(Arc::new(Descriptor::new(fd, vec![Arc::new(permit)])))
    }
}

impl Lease<Descriptor> {
    pub fn get(&self) -> Result<Arc<CountedFd>, DenialKind> {
        self.guard().alive()?;
        // Only the end of the grant empties it, and it says which end before it does so.
        self.resource().get().ok_or_else(|| self.guard().alive().err().unwrap_or(DenialKind::Revoked))
    }
}
