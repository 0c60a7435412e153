//! How a blocking call waits: without the GIL, and with an ear for Ctrl-C.

use std::time::Duration;

use airwasm::{Operation, Result, System};
use pyo3::prelude::*;

use crate::errors::raise;
use crate::shared::Shared;

/// How long a wait goes on before Python may handle a signal.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

/// Starts an operation and waits for its outcome. `KeyboardInterrupt` drops it, which cancels it.
pub fn block<T: Send + 'static>(
    py: Python<'_>,
    shared: &Shared,
    start: impl FnOnce(&System) -> Operation<T> + Send,
) -> PyResult<T> {
    let (mut operation, mut outcome) = py.detach(|| {
        let mut operation = start(&shared.system);
        let outcome = operation.wait_for(SIGNAL_CHECK);
        shared.linger();
        (operation, outcome)
    });
    loop {
        if let Some(outcome) = outcome {
            return outcome.map_err(|error| raise(py, error));
        }
        py.check_signals()?;
        outcome = py.detach(|| {
            let outcome = operation.wait_for(SIGNAL_CHECK);
            shared.linger();
            outcome
        });
    }
}

/// Calls the core without the GIL, for any call may wait for a lock that another thread holds.
pub fn call<T: Send>(
    py: Python<'_>,
    shared: &Shared,
    work: impl FnOnce(&System) -> Result<T> + Send,
) -> PyResult<T> {
    let outcome = py.detach(|| {
        let outcome = work(&shared.system);
        shared.linger();
        outcome
    });
    outcome.map_err(|error| raise(py, error))
}
