//! A loaded component.

use std::sync::Arc;

use airwasm::ComponentHandle;
use pyo3::prelude::*;

use crate::shared::{Shared, unpicklable};
use crate::wait::call;

/// A loaded component. A name, not an owner: it stays loaded when this object goes.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Component {
    pub shared: Arc<Shared>,
    pub handle: ComponentHandle,
    info: airwasm::ComponentInfo,
}

impl Component {
    pub fn new(py: Python<'_>, shared: Arc<Shared>, handle: ComponentHandle) -> PyResult<Self> {
        let info = call(py, &shared, |system| system.inspect(handle))?;
        Ok(Self { shared, handle, info })
    }
}

/// Makes the component of a handle that was awaited.
pub fn value(
    shared: &Arc<Shared>,
) -> impl FnOnce(Python<'_>, ComponentHandle) -> PyResult<Py<PyAny>> + Clone + Send + 'static {
    let shared = shared.clone();
    move |py, handle| Ok(Py::new(py, Component::new(py, shared, handle)?)?.into_any())
}

#[pymethods]
impl Component {
    /// SHA-256 of its bytes, as `sha256:<hex>`.
    #[getter]
    fn digest(&self) -> &str {
        &self.info.digest
    }

    /// Interfaces and functions it imports, with versions.
    #[getter]
    fn imports(&self) -> Vec<String> {
        self.info.imports.clone()
    }

    /// Interfaces and functions it exports, with versions.
    #[getter]
    fn exports(&self) -> Vec<String> {
        self.info.exports.clone()
    }

    /// Capability families that its imports could ask for, as in `fs.read`.
    #[getter]
    fn capabilities(&self) -> Vec<String> {
        self.info.capabilities.clone()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Component>().is_ok_and(|other| {
            Arc::ptr_eq(&self.shared, &other.get().shared) && self.handle == other.get().handle
        })
    }

    fn __hash__(&self) -> u64 {
        self.handle.raw()
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Component {}>", self.info.digest)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Component", "load it in the other process"))
    }
}

/// What is known of a component before it runs.
#[pyclass(frozen, get_all, eq, module = "airwasm", weakref)]
#[derive(PartialEq)]
pub struct ComponentInfo {
    /// SHA-256 of the bytes, as `sha256:<hex>`.
    digest: String,
    /// Interfaces and functions it imports, with versions.
    imports: Vec<String>,
    /// Interfaces and functions it exports, with versions.
    exports: Vec<String>,
    /// Capability families that its imports could ask for, as in `fs.read`.
    capabilities: Vec<String>,
    /// Whether it exports `airssys:wasm/handler`, so that it can be sent messages.
    handler: bool,
    /// Whether it exports `airssys:wasm/lifecycle`.
    lifecycle: bool,
}

impl From<airwasm::ComponentInfo> for ComponentInfo {
    fn from(info: airwasm::ComponentInfo) -> Self {
        let airwasm::ComponentInfo { digest, imports, exports, capabilities, handler, lifecycle } = info;
        Self { digest, imports, exports, capabilities, handler, lifecycle }
    }
}

#[pymethods]
impl ComponentInfo {
    fn __repr__(&self) -> String {
        format!(
            "ComponentInfo(digest={:?}, imports={:?}, exports={:?}, capabilities={:?}, handler={}, lifecycle={})",
            self.digest, self.imports, self.exports, self.capabilities, self.handler, self.lifecycle
        )
    }
}
