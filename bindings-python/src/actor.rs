//! An actor, by its handle.

use std::sync::Arc;

use airwasm::{ActorHandle, RequestOptions, SendOptions};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::awaitable;
use crate::convert::{payload, seconds, to_bytes};
use crate::grant::{Grant, GrantInfo, capability_text};
use crate::info::ActorStatus;
use crate::shared::{Shared, unpicklable};
use crate::wait::{block, call};

/// A running actor. A name, not an owner: it stays valid over restarts, and dropping it stops nothing.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Actor {
    pub shared: Arc<Shared>,
    pub handle: ActorHandle,
    id: String,
}

impl Actor {
    pub fn new(py: Python<'_>, shared: Arc<Shared>, handle: ActorHandle) -> PyResult<Self> {
        let id = call(py, &shared, |system| system.id(handle))?;
        Ok(Self { shared, handle, id })
    }
}

#[pymethods]
impl Actor {
    /// The three-part id.
    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    /// Queues a message and forgets it.
    #[pyo3(signature = (payload, *, content_type = None))]
    pub fn send(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<()> {
        let bytes = self::payload(payload)?;
        let (bytes, options) = (bytes.as_bytes(), SendOptions { content_type });
        call(py, &self.shared, |system| system.send(self.handle, bytes, &options))
    }

    /// Asks and waits for the answer, without the GIL.
    #[pyo3(signature = (payload, *, timeout = None, content_type = None))]
    pub fn request<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        timeout: Option<&Bound<'py, PyAny>>,
        content_type: Option<String>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self::payload(payload)?;
        let options = RequestOptions { timeout: seconds("timeout", timeout)?, content_type };
        let bytes = bytes.as_bytes();
        self.shared.check_may_block(py, self.handle)?;
        let reply = block(py, &self.shared, |system| system.request_begin(self.handle, bytes, &options))?;
        to_bytes(py, &reply)
    }

    /// Asks; the answer is awaited. The request starts at the call; cancelling the task cancels it.
    #[pyo3(signature = (payload, *, timeout = None, content_type = None))]
    pub fn request_async<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        timeout: Option<&Bound<'py, PyAny>>,
        content_type: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self::payload(payload)?;
        let options = RequestOptions { timeout: seconds("timeout", timeout)?, content_type };
        let (system, bytes) = (&self.shared.system, bytes.as_bytes());
        let begin = || system.request_async(self.handle, bytes, &options);
        awaitable::start(py, system, begin, |py, reply: Vec<u8>| {
            Ok(to_bytes(py, &reply)?.unbind().into_any())
        })
    }

    /// Gives it a capability, for `ttl` seconds if there is a bound.
    #[pyo3(signature = (capability, *, ttl = None))]
    pub fn grant(
        &self,
        py: Python<'_>,
        capability: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Grant> {
        let (text, ttl) = (capability_text(capability)?, seconds("ttl", ttl)?);
        let handle = call(py, &self.shared, |system| system.grant(self.handle, &text, ttl))?;
        Ok(Grant::new(self.shared.clone(), handle))
    }

    /// All it may do, the baseline included.
    pub fn grants(&self, py: Python<'_>) -> PyResult<Vec<GrantInfo>> {
        let grants = call(py, &self.shared, |system| system.grants(self.handle))?;
        grants.into_iter().map(|grant| GrantInfo::new(py, &self.shared, grant)).collect()
    }

    /// What it is doing.
    pub fn status(&self, py: Python<'_>) -> PyResult<ActorStatus> {
        call(py, &self.shared, |system| system.status(self.handle)).map(Into::into)
    }

    /// Lets it finish, and kills it after `deadline` seconds.
    #[pyo3(signature = (*, deadline = None))]
    pub fn stop(&self, py: Python<'_>, deadline: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let deadline = seconds("deadline", deadline)?;
        block(py, &self.shared, |system| system.stop_async(self.handle, deadline))
    }

    /// `stop`, awaited.
    #[pyo3(signature = (*, deadline = None))]
    pub fn stop_async<'py>(
        &self,
        py: Python<'py>,
        deadline: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let deadline = seconds("deadline", deadline)?;
        let system = &self.shared.system;
        awaitable::start(py, system, || system.stop_async(self.handle, deadline), |py, ()| Ok(py.None()))
    }

    /// Ends it at once, without its stop hooks.
    pub fn kill(&self, py: Python<'_>) -> PyResult<()> {
        call(py, &self.shared, |system| system.kill(self.handle))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Actor>().is_ok_and(|other| {
            Arc::ptr_eq(&self.shared, &other.get().shared) && self.handle == other.get().handle
        })
    }

    fn __hash__(&self) -> u64 {
        self.handle.raw()
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Actor {}>", self.id)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Actor", "pass its id and look it up in a system of that process"))
    }
}
