//! Messages to come.

use std::sync::Arc;

use airwasm::TimerHandle;
use pyo3::prelude::*;

use crate::shared::{Shared, unpicklable};
use crate::wait::call;

/// A message to come, once or again and again. A name, not an owner: dropping it cancels nothing.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Timer {
    pub shared: Arc<Shared>,
    pub handle: TimerHandle,
}

#[pymethods]
impl Timer {
    /// The message does not come any more; `False` if it was sent already, or its actor has ended.
    pub fn cancel(&self, py: Python<'_>) -> PyResult<bool> {
        call(py, &self.shared, |system| system.cancel_timer(self.handle))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Timer>().is_ok_and(|other| {
            Arc::ptr_eq(&self.shared, &other.get().shared) && self.handle == other.get().handle
        })
    }

    fn __hash__(&self) -> u64 {
        self.handle.raw()
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Timer {:#x}>", self.handle.raw())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Timer", "timers belong to the actors of one process"))
    }
}
