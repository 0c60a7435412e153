//! A supervisor, by its handle, and what concerns its children.

use std::sync::Arc;

use airwasm::{ActorHandle, Operation};
use pyo3::prelude::*;

use crate::actor::Actor;
use crate::awaitable;
use crate::homes::Homes;
use crate::info::ActorStatus;
use crate::shared::Shared;
use crate::supervisor_spec::{SupervisorSpec, prepare_child};
use crate::wait::{block, call};

/// A supervisor: starts its children in their order, starts them again by its strategy, stops them in reverse. It takes
/// no messages: `send` and `request` raise `InvalidHandle`.
#[pyclass(frozen, extends = Actor, module = "airwasm")]
pub struct Supervisor;

impl Supervisor {
    fn known(py: Python<'_>, shared: &Arc<Shared>, handle: ActorHandle) -> PyResult<Py<PyAny>> {
        let actor = Actor::new(py, shared.clone(), handle)?;
        Ok(Py::new(py, PyClassInitializer::from(actor).add_subclass(Supervisor))?.into_any())
    }

    /// Makes it, and waits until its children are up.
    pub fn start(py: Python<'_>, shared: &Arc<Shared>, spec: &SupervisorSpec) -> PyResult<Py<PyAny>> {
        let mut homes = Homes::default();
        let prepared = spec.prepare(py, shared, &mut homes)?;
        let handle = block(py, shared, |system| system.supervisor_async(prepared))?;
        homes.settle(py, shared, handle);
        Supervisor::known(py, shared, handle)
    }

    /// `start`, awaited.
    pub fn start_async<'py>(
        py: Python<'py>,
        shared: &Arc<Shared>,
        spec: &SupervisorSpec,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut homes = Homes::default();
        let prepared = spec.prepare(py, shared, &mut homes)?;
        let begin = || shared.system.supervisor_async(prepared);
        awaitable::start(py, shared, begin, started(shared, homes, true))
    }
}

/// What a start comes to, once the loops of what is `async` in it are noted.
fn started(
    shared: &Arc<Shared>,
    homes: Homes,
    supervises: bool,
) -> impl FnOnce(Python<'_>, ActorHandle) -> PyResult<Py<PyAny>> + Clone + Send + 'static {
    let (shared, homes) = (shared.clone(), Arc::new(homes));
    move |py: Python<'_>, handle| {
        homes.settle(py, &shared, handle);
        if supervises {
            return Supervisor::known(py, &shared, handle);
        }
        Ok(Py::new(py, Actor::new(py, shared, handle)?)?.into_any())
    }
}

#[pymethods]
impl Supervisor {
    /// Its children in the order of their starts.
    fn children(slf: &Bound<'_, Self>) -> PyResult<Vec<ActorStatus>> {
        slf.as_super().get().children(slf.py())
    }

    /// Adds a child and waits until it is up; one that does not start is not added.
    fn start_child(slf: &Bound<'_, Self>, child: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        slf.as_super().get().start_child(child)
    }

    /// `start_child`, awaited.
    fn start_child_async<'py>(
        slf: &Bound<'py, Self>,
        child: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.as_super().get().start_child_async(child)
    }

    /// Stops a child by its own shutdown time; nobody restarts it. It is kept for `restart_child`, unless it is temporary.
    fn terminate_child(slf: &Bound<'_, Self>, child: &Bound<'_, Actor>) -> PyResult<()> {
        slf.as_super().get().terminate_child(child)
    }

    /// `terminate_child`, awaited.
    fn terminate_child_async<'py>(
        slf: &Bound<'py, Self>,
        child: &Bound<'py, Actor>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.as_super().get().terminate_child_async(child)
    }

    /// Starts a child that was stopped, and waits until it is up.
    fn restart_child(slf: &Bound<'_, Self>, child: &Bound<'_, Actor>) -> PyResult<()> {
        slf.as_super().get().restart_child(child)
    }

    /// `restart_child`, awaited.
    fn restart_child_async<'py>(
        slf: &Bound<'py, Self>,
        child: &Bound<'py, Actor>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.as_super().get().restart_child_async(child)
    }

    /// Removes a child that was stopped; its id is free again.
    fn delete_child(slf: &Bound<'_, Self>, child: &Bound<'_, Actor>) -> PyResult<()> {
        slf.as_super().get().delete_child(child)
    }

    /// `delete_child`, awaited.
    fn delete_child_async<'py>(
        slf: &Bound<'py, Self>,
        child: &Bound<'py, Actor>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.as_super().get().delete_child_async(child)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<airwasm.Supervisor {}>", slf.as_super().get().id())
    }
}

/// What the system offers for any actor, and a supervisor by itself: the core says which actors are none.
impl Actor {
    pub fn children(&self, py: Python<'_>) -> PyResult<Vec<ActorStatus>> {
        let children = call(py, &self.shared, |system| system.children(self.handle))?;
        Ok(children.into_iter().map(Into::into).collect())
    }

    pub fn start_child(&self, child: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let (py, shared) = (child.py(), &self.shared);
        let (spec, homes) = prepare_child(child, shared)?;
        let handle = block(py, shared, |system| system.start_child_async(self.handle, spec))?;
        started(shared, homes, child.is_instance_of::<SupervisorSpec>())(py, handle)
    }

    pub fn start_child_async<'py>(&self, child: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, shared) = (child.py(), &self.shared);
        let (spec, homes) = prepare_child(child, shared)?;
        let value = started(shared, homes, child.is_instance_of::<SupervisorSpec>());
        let begin = || shared.system.start_child_async(self.handle, spec);
        awaitable::start(py, shared, begin, value)
    }

    pub fn terminate_child(&self, child: &Bound<'_, Actor>) -> PyResult<()> {
        let (supervisor, below) = (self.handle, self.shared.own(child)?.handle);
        block(child.py(), &self.shared, |system| system.terminate_child_async(supervisor, below))
    }

    pub fn terminate_child_async<'py>(&self, child: &Bound<'py, Actor>) -> PyResult<Bound<'py, PyAny>> {
        let below = self.shared.own(child)?.handle;
        self.done(child.py(), || self.shared.system.terminate_child_async(self.handle, below))
    }

    pub fn restart_child(&self, child: &Bound<'_, Actor>) -> PyResult<()> {
        let (supervisor, below) = (self.handle, self.shared.own(child)?.handle);
        block(child.py(), &self.shared, |system| system.restart_child_async(supervisor, below))
    }

    pub fn restart_child_async<'py>(&self, child: &Bound<'py, Actor>) -> PyResult<Bound<'py, PyAny>> {
        let below = self.shared.own(child)?.handle;
        self.done(child.py(), || self.shared.system.restart_child_async(self.handle, below))
    }

    pub fn delete_child(&self, child: &Bound<'_, Actor>) -> PyResult<()> {
        let (supervisor, below) = (self.handle, self.shared.own(child)?.handle);
        block(child.py(), &self.shared, |system| system.delete_child_async(supervisor, below))
    }

    pub fn delete_child_async<'py>(&self, child: &Bound<'py, Actor>) -> PyResult<Bound<'py, PyAny>> {
        let below = self.shared.own(child)?.handle;
        self.done(child.py(), || self.shared.system.delete_child_async(self.handle, below))
    }

    /// What is awaited of an operation that answers nothing.
    pub fn done<'py>(
        &self,
        py: Python<'py>,
        begin: impl FnOnce() -> Operation<()> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable::start(py, &self.shared, begin, |py, ()| Ok(py.None()))
    }
}
