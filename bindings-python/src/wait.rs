//! How a blocking call waits: without the GIL, and with an ear for Ctrl-C.

use std::time::{Duration, Instant};

use airwasm::{Operation, Result, System};
use pyo3::prelude::*;

use crate::asker::asker;
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
    let (mut operation, mut outcome) = started(py, shared, SIGNAL_CHECK, start)?;
    loop {
        if let Some(outcome) = outcome {
            return outcome.map_err(|error| raise(py, error));
        }
        py.check_signals()?;
        outcome = waited(py, shared, SIGNAL_CHECK, &mut operation);
    }
}

/// The same for at most `time`; `None` if it is still under way then, which drops it.
pub fn block_for<T: Send + 'static>(
    py: Python<'_>,
    shared: &Shared,
    time: Duration,
    start: impl FnOnce(&System) -> Operation<T> + Send,
) -> PyResult<Option<T>> {
    let until = Instant::now().checked_add(time);
    let left = || until.map_or(SIGNAL_CHECK, |until| until.saturating_duration_since(Instant::now()));
    let (mut operation, mut outcome) = started(py, shared, left().min(SIGNAL_CHECK), start)?;
    loop {
        if let Some(outcome) = outcome {
            return outcome.map(Some).map_err(|error| raise(py, error));
        }
        py.check_signals()?;
        if left().is_zero() {
            return Ok(None);
        }
        outcome = waited(py, shared, left().min(SIGNAL_CHECK), &mut operation);
    }
}

fn started<T: Send + 'static>(
    py: Python<'_>,
    shared: &Shared,
    time: Duration,
    start: impl FnOnce(&System) -> Operation<T> + Send,
) -> PyResult<(Operation<T>, Option<Result<T>>)> {
    let asker = asker(py, shared)?;
    Ok(py.detach(|| {
        let mut operation = start(&shared.system).asked_by(asker);
        let outcome = operation.wait_for(time);
        shared.linger();
        (operation, outcome)
    }))
}

fn waited<T: Send + 'static>(
    py: Python<'_>,
    shared: &Shared,
    time: Duration,
    operation: &mut Operation<T>,
) -> Option<Result<T>> {
    py.detach(|| {
        let outcome = operation.wait_for(time);
        shared.linger();
        outcome
    })
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
