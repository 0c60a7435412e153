//! How a blocking call waits: without the GIL, and with an ear for Ctrl-C.

use std::time::Duration;

use airwasm::{Operation, Result};
use pyo3::prelude::*;

use crate::errors::raise;

/// How long a wait goes on before Python may handle a signal.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

/// Starts an operation and waits for its outcome. `KeyboardInterrupt` drops it, which cancels it.
pub fn block<T: Send + 'static>(py: Python<'_>, start: impl FnOnce() -> Operation<T> + Send) -> PyResult<T> {
    let (mut operation, mut outcome) = py.detach(|| {
        let mut operation = start();
        let outcome = operation.wait_for(SIGNAL_CHECK);
        (operation, outcome)
    });
    loop {
        if let Some(outcome) = outcome {
            return outcome.map_err(|error| raise(py, error));
        }
        py.check_signals()?;
        outcome = py.detach(|| operation.wait_for(SIGNAL_CHECK));
    }
}

/// Calls the core without the GIL, for any call may wait for a lock that another thread holds.
pub fn call<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    py.detach(work).map_err(|error| raise(py, error))
}
