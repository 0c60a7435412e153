//! Starting the actors that do for others what the operating system does, files and programs.

use std::sync::Arc;

use airwasm::{ActorHandle, ActorSpec, Operation, System};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::actor::{self, Actor};
use crate::awaitable;
use crate::shared::Shared;
use crate::spec::host_spec;
use crate::wait::block;

/// A name and options, as a call has them.
type Given<'a, 'py> = (Option<String>, Option<&'a Bound<'py, PyDict>>);
type Start = fn(&System, ActorSpec) -> Operation<ActorHandle>;

/// Starts one, and waits until it is up.
pub fn spawn(py: Python<'_>, shared: &Arc<Shared>, (name, options): Given, start: Start) -> PyResult<Actor> {
    let spec = host_spec(name, options)?;
    let handle = block(py, shared, |system| start(system, spec))?;
    Actor::new(py, shared.clone(), handle)
}

/// `spawn`, awaited.
pub fn spawn_async<'py>(
    py: Python<'py>,
    shared: &Arc<Shared>,
    (name, options): Given,
    start: Start,
) -> PyResult<Bound<'py, PyAny>> {
    let spec = host_spec(name, options)?;
    awaitable::start(py, shared, || start(&shared.system, spec), actor::value(shared))
}
