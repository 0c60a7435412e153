use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use super::{Actor, Resource};

/// One file, socket or program that may be open; it counts until it is dropped.
#[must_use = "dropped, it counts no more"]
pub struct Permit {
    pub(super) actor: Arc<Actor>,
    pub(super) resource: Resource,
}

impl Permit {
    pub fn resource(&self) -> Resource {
        self.resource
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let woken = self.actor.book(self.resource).give_back(self.actor.key);
        wake(woken);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({:?} of {})", self.resource, self.actor.key)
    }
}

/// With no lock held: a waker is code of others. Its panic keeps no other from being woken, and ends nothing here.
pub(super) fn wake(woken: Vec<Waker>) {
    for waker in woken {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            std::mem::forget(panic); // its drop might panic again
        }
    }
}
