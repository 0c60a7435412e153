//! How a system ends: closed, dropped, or overtaken by the interpreter's exit.

use std::sync::{Arc, Weak};

use pyo3::exceptions::PyResourceWarning;
use pyo3::intern;
use pyo3::prelude::*;

use crate::awaitable;
use crate::convert::seconds;
use crate::shared::Shared;
use crate::system::System;

impl System {
    /// Closes, awaited; `value` is what the awaitable comes to.
    pub fn closing<'py>(
        &self,
        py: Python<'py>,
        deadline: Option<&Bound<'py, PyAny>>,
        value: impl FnOnce(Python<'_>, airwasm::CloseReport) -> PyResult<Py<PyAny>> + Clone + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let deadline = seconds("deadline", deadline)?;
        let (shared, hook) = (self.shared.clone(), Arc::new(self.exit_hook.clone_ref(py)));
        let closed = move |py: Python<'_>, report| {
            shared.background.stop(py);
            atexit(py, "unregister", &hook)?;
            value(py, report)
        };
        awaitable::start(py, &self.shared, || self.shared.system.close_async(deadline), closed)
    }

    /// Ends what nobody closed, and says so.
    fn drop_open(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.background.stop(py);
        // Closed, ended at the interpreter's exit, or another process's: nothing to import, nothing to say.
        if self.shared.system.is_closed() {
            return Ok(());
        }
        atexit(py, "unregister", &self.exit_hook)?;
        py.detach(|| self.shared.system.abandon());
        PyErr::warn(
            py,
            &py.get_type::<PyResourceWarning>(),
            c"an airwasm.System was not closed: its actors were killed",
            1,
        )
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = Python::try_attach(|py| {
            // A destructor may run while an exception is on its way.
            let raised = PyErr::take(py);
            self.drop_open(py).unwrap_or_else(|why| why.write_unraisable(py, None));
            self.handlers.clear();
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }
}

/// Registers or unregisters what the interpreter calls when it exits.
pub fn atexit(py: Python<'_>, what: &str, hook: &Py<ExitHook>) -> PyResult<()> {
    py.import(intern!(py, "atexit"))?.call_method1(what, (hook,)).map(drop)
}

/// What `atexit` calls: ends a system that nobody closed while Python still can be called.
#[pyclass(frozen, module = "airwasm._airwasm")]
pub struct ExitHook {
    pub shared: Weak<Shared>,
}

impl ExitHook {
    /// The hook of a system, which `atexit` knows from now on.
    pub fn register(py: Python<'_>, shared: &Arc<Shared>) -> PyResult<Py<Self>> {
        let hook = Py::new(py, Self { shared: Arc::downgrade(shared) })?;
        atexit(py, "register", &hook)?;
        Ok(hook)
    }
}

#[pymethods]
impl ExitHook {
    fn __call__(&self, py: Python<'_>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.exit_here();
            py.detach(|| shared.system.abandon());
        }
    }
}
