//! Subscriptions of actors to topics.

use std::sync::Arc;

use airwasm::SubscriptionHandle;
use pyo3::prelude::*;

use crate::shared::{Shared, unpicklable};
use crate::wait::call;

/// What an actor is sent of what is published. A name, not an owner: dropping it ends nothing.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Subscription {
    pub shared: Arc<Shared>,
    pub handle: SubscriptionHandle,
}

#[pymethods]
impl Subscription {
    /// Ends it, if it has not ended with its actor; what is in the mailbox already is still handled.
    pub fn unsubscribe(&self, py: Python<'_>) -> PyResult<()> {
        call(py, &self.shared, |system| system.unsubscribe(self.handle))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Subscription>().is_ok_and(|other| {
            Arc::ptr_eq(&self.shared, &other.get().shared) && self.handle == other.get().handle
        })
    }

    fn __hash__(&self) -> u64 {
        self.handle.raw()
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Subscription {:#x}>", self.handle.raw())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Subscription", "subscriptions belong to the actors of one process"))
    }
}
