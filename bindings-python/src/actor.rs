//! An actor, by its handle.

use std::sync::Arc;

use airwasm::{ActorHandle, Code, Error, RequestOptions, SendOptions};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::awaitable;
use crate::convert::{payload, seconds, time, to_bytes};
use crate::errors::raise;
use crate::grant::{Grant, GrantInfo, capability_text};
use crate::info::ActorStatus;
use crate::shared::{Shared, unpicklable};
use crate::subscription::Subscription;
use crate::supervision::Down;
use crate::timer::Timer;
use crate::wait::{block, block_for, call};

/// A running actor. A name, not an owner: it stays valid over restarts, and dropping it stops nothing.
#[pyclass(frozen, subclass, module = "airwasm", weakref)]
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

/// Makes the actor of a handle that was awaited.
pub fn value(
    shared: &Arc<Shared>,
) -> impl FnOnce(Python<'_>, ActorHandle) -> PyResult<Py<PyAny>> + Clone + Send + 'static {
    let shared = shared.clone();
    move |py, handle| Ok(Py::new(py, Actor::new(py, shared, handle)?)?.into_any())
}

/// An actor whose id is known.
pub fn known(py: Python<'_>, shared: &Arc<Shared>, handle: ActorHandle, id: String) -> PyResult<Py<Actor>> {
    Py::new(py, Actor { shared: shared.clone(), handle, id })
}

#[pymethods]
impl Actor {
    /// The three-part id.
    #[getter]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Queues a message and forgets it. Where the mailbox is full and its overflow is `block`, it waits for room, for 5 s.
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

    /// `send`, awaited: over once the message is queued. It is sent at the call; cancelling takes it back if it waits still.
    #[pyo3(signature = (payload, *, content_type = None))]
    pub fn send_async<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self::payload(payload)?;
        let (bytes, options) = (bytes.as_bytes(), SendOptions { content_type });
        self.done(py, || self.shared.system.send_async(self.handle, bytes, &options))
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
        awaitable::start(py, &self.shared, begin, |py, reply: Vec<u8>| {
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

    /// Whether it may do this now, asked for the host's own ends, as `custom.billing charge`; `Denied` if not.
    pub fn check(&self, py: Python<'_>, capability: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = capability_text(capability)?;
        call(py, &self.shared, |system| system.check(self.handle, &text))
    }

    /// What it is doing.
    pub fn status(&self, py: Python<'_>) -> PyResult<ActorStatus> {
        call(py, &self.shared, |system| system.status(self.handle)).map(Into::into)
    }

    /// Lets it finish, and kills it after `deadline` seconds. In its own handler, or below it, waiting for that is `Cycle`;
    /// the stop happens when the handler has answered.
    #[pyo3(signature = (*, deadline = None))]
    pub fn stop(&self, py: Python<'_>, deadline: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let deadline = seconds("deadline", deadline)?;
        block(py, &self.shared, |system| system.stop_async(self.handle, deadline))
    }

    /// `stop`, awaited. Its own handler may call it, and not await it.
    #[pyo3(signature = (*, deadline = None))]
    pub fn stop_async<'py>(
        &self,
        py: Python<'py>,
        deadline: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let deadline = seconds("deadline", deadline)?;
        self.done(py, || self.shared.system.stop_async(self.handle, deadline))
    }

    /// Ends it at once, without its stop hooks.
    pub fn kill(&self, py: Python<'_>) -> PyResult<()> {
        call(py, &self.shared, |system| system.kill(self.handle))
    }

    /// Waits until the life at hand ends, and tells how; `Timeout` if it goes on after `timeout` seconds.
    #[pyo3(signature = (*, timeout = None))]
    pub fn monitor(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Down> {
        let Some(timeout) = seconds("timeout", timeout)? else {
            let down = block(py, &self.shared, |system| system.monitor_async(self.handle))?;
            return Ok(Down::new(py, down));
        };
        let down = block_for(py, &self.shared, timeout, |system| system.monitor_async(self.handle))?;
        let text = || format!("{} is still there", self.id);
        down.map(|down| Down::new(py, down)).ok_or_else(|| raise(py, Error::new(Code::Timeout, text())))
    }

    /// `monitor`, awaited. The watch starts at the call.
    pub fn monitor_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let begin = || self.shared.system.monitor_async(self.handle);
        let value = |py: Python<'_>, down| Ok(Py::new(py, Down::new(py, down))?.into_any());
        awaitable::start(py, &self.shared, begin, value)
    }

    /// Links it to another: when the life of one ends badly, so does that of the other. A link ends with either life.
    pub fn link(&self, other: &Bound<'_, Actor>) -> PyResult<()> {
        let handle = self.shared.own(other)?.handle;
        call(other.py(), &self.shared, |system| system.link(self.handle, handle))
    }

    /// Undoes a link; nothing if there is none.
    pub fn unlink(&self, other: &Bound<'_, Actor>) -> PyResult<()> {
        let handle = self.shared.own(other)?.handle;
        call(other.py(), &self.shared, |system| system.unlink(self.handle, handle))
    }

    /// Sends it what is published under topics that match. Parts are divided by dots; `*` is one part, `>` or `**` at the
    /// end the rest.
    pub fn subscribe(&self, py: Python<'_>, pattern: &str) -> PyResult<Subscription> {
        let handle = call(py, &self.shared, |system| system.subscribe(self.handle, pattern))?;
        Ok(Subscription { shared: self.shared.clone(), handle })
    }

    /// Puts it into a group, which is there as long as it has members.
    pub fn join(&self, py: Python<'_>, group: &str) -> PyResult<()> {
        call(py, &self.shared, |system| system.join(self.handle, group))
    }

    /// Takes it out of a group; `False` if it was not in it.
    pub fn leave(&self, py: Python<'_>, group: &str) -> PyResult<bool> {
        call(py, &self.shared, |system| system.leave(self.handle, group))
    }

    /// Sends a message after `delay` seconds.
    #[pyo3(signature = (payload, delay, *, content_type = None))]
    pub fn send_after(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        delay: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Timer> {
        let (bytes, delay) = (self::payload(payload)?, time("delay", delay)?);
        let (bytes, options) = (bytes.as_bytes(), SendOptions { content_type });
        let handle = call(py, &self.shared, |system| system.send_after(self.handle, bytes, delay, &options))?;
        Ok(Timer { shared: self.shared.clone(), handle })
    }

    /// Sends a message each time `period` seconds have passed, until it has ended for good.
    #[pyo3(signature = (payload, period, *, content_type = None))]
    pub fn send_every(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        period: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Timer> {
        let (bytes, period) = (self::payload(payload)?, time("period", period)?);
        let (bytes, options) = (bytes.as_bytes(), SendOptions { content_type });
        let handle =
            call(py, &self.shared, |system| system.send_every(self.handle, bytes, period, &options))?;
        Ok(Timer { shared: self.shared.clone(), handle })
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
