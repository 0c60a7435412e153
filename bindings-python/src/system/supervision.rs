//! Supervisors and their children.

use crate::actor::Actor;
use crate::info::ActorStatus;
use crate::supervision::TreeNode;
use crate::supervisor::Supervisor;
use crate::supervisor_spec::SupervisorSpec;
use crate::wait::call;
use pyo3::prelude::*;

use super::{Any, Awaited, Dict, Of, System};

#[pymethods]
impl System {
    /// Makes a supervisor and starts its children, and waits until they are up.
    #[pyo3(
        signature = (name, children=None, **options),
        text_signature = "($self, name, children=(), *, strategy=None, intensity=None, period_ms=None, backoff=None, give_up=None, auto_shutdown=None)"
    )]
    fn supervisor(
        &self,
        py: Python<'_>,
        name: String,
        children: Any,
        options: Option<Dict>,
    ) -> PyResult<Py<PyAny>> {
        Supervisor::start(py, &self.shared, &SupervisorSpec::top(name, children, options)?)
    }

    /// `supervisor`, awaited.
    #[pyo3(
        signature = (name, children=None, **options),
        text_signature = "($self, name, children=(), *, strategy=None, intensity=None, period_ms=None, backoff=None, give_up=None, auto_shutdown=None)"
    )]
    fn supervisor_async<'py>(
        &self,
        py: Python<'py>,
        name: String,
        children: Any<'_, 'py>,
        options: Option<Dict>,
    ) -> Awaited<'py> {
        Supervisor::start_async(py, &self.shared, &SupervisorSpec::top(name, children, options)?)
    }

    /// `supervisor.children()`.
    fn children(&self, py: Python<'_>, supervisor: &Bound<'_, Actor>) -> PyResult<Vec<ActorStatus>> {
        self.shared.own(supervisor)?.children(py)
    }

    /// `supervisor.start_child()`.
    fn start_child(&self, supervisor: &Bound<'_, Actor>, child: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.shared.own(supervisor)?.start_child(child)
    }

    /// `supervisor.start_child_async()`.
    fn start_child_async<'py>(&self, supervisor: Of<'_, 'py>, child: &Bound<'py, PyAny>) -> Awaited<'py> {
        self.shared.own(supervisor)?.start_child_async(child)
    }

    /// `supervisor.terminate_child()`.
    fn terminate_child(&self, supervisor: &Bound<'_, Actor>, child: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(supervisor)?.terminate_child(child)
    }

    /// `supervisor.terminate_child_async()`.
    fn terminate_child_async<'py>(&self, supervisor: Of<'_, 'py>, child: Of<'_, 'py>) -> Awaited<'py> {
        self.shared.own(supervisor)?.terminate_child_async(child)
    }

    /// `supervisor.restart_child()`.
    fn restart_child(&self, supervisor: &Bound<'_, Actor>, child: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(supervisor)?.restart_child(child)
    }

    /// `supervisor.restart_child_async()`.
    fn restart_child_async<'py>(&self, supervisor: Of<'_, 'py>, child: Of<'_, 'py>) -> Awaited<'py> {
        self.shared.own(supervisor)?.restart_child_async(child)
    }

    /// `supervisor.delete_child()`.
    fn delete_child(&self, supervisor: &Bound<'_, Actor>, child: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(supervisor)?.delete_child(child)
    }

    /// `supervisor.delete_child_async()`.
    fn delete_child_async<'py>(&self, supervisor: Of<'_, 'py>, child: Of<'_, 'py>) -> Awaited<'py> {
        self.shared.own(supervisor)?.delete_child_async(child)
    }

    /// Who supervises whom: the top in the order of the starts, each with those below it.
    fn tree(&self, py: Python<'_>) -> PyResult<Vec<Py<TreeNode>>> {
        let top = call(py, &self.shared, |system| system.tree())?;
        top.into_iter().map(|node| TreeNode::new(py, &self.shared, node)).collect()
    }
}
