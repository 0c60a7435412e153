//! The system: the facade's operations, in their order.

use std::path::PathBuf;
use std::sync::Arc;

use airwasm::{ActorHandle, ComponentHandle, Config};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::actor::Actor;
use crate::awaitable;
use crate::background::Background;
use crate::component::{Component, ComponentInfo};
use crate::convert::{payload, seconds, to_vec};
use crate::ending::{ExitHook, atexit};
use crate::errors::raise;
use crate::events::Events;
use crate::grant::{Grant, GrantInfo};
use crate::handler::{self, Handlers};
use crate::info::{ActorStatus, CloseReport, Stats};
use crate::limits::{Budget, Limits};
use crate::loops;
use crate::shared::{Shared, unpicklable};
use crate::spec::{ActorSpec, Options};
use crate::wait::{block, call};

type Any<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// One world of components, actors and grants. Any thread may use it; `with` or `async with` closes it.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct System {
    pub shared: Arc<Shared>,
    pub handlers: Arc<Handlers>,
    pub background: Arc<Background>,
    pub exit_hook: Py<ExitHook>,
}

#[pymethods]
impl System {
    #[new]
    #[pyo3(signature = (*, policy = None, audit = None, profile = None, cache_dir = None))]
    fn new(
        py: Python<'_>,
        policy: Option<PathBuf>,
        audit: Option<PathBuf>,
        profile: Option<String>,
        cache_dir: Option<PathBuf>,
    ) -> PyResult<Self> {
        let config = Config { policy, audit, cache_dir, profile };
        let opened = py.detach(|| airwasm::System::open(config));
        let shared = Shared::new(opened.map_err(|error| raise(py, error))?);
        let exit_hook = Py::new(py, ExitHook { shared: Arc::downgrade(&shared) })?;
        atexit(py, "register", &exit_hook)?;
        Ok(Self { shared, handlers: Arc::default(), background: Arc::default(), exit_hook })
    }

    /// The version of this build.
    #[staticmethod]
    fn version() -> &'static str {
        airwasm::System::version()
    }

    /// Whether it was closed, or belongs to the parent process.
    fn is_closed(&self) -> bool {
        self.shared.system.is_closed()
    }

    /// Stops every actor, and kills after `deadline` seconds what is left. A second call gives the same report.
    #[pyo3(signature = (*, deadline = None))]
    fn close(&self, py: Python<'_>, deadline: Any) -> PyResult<CloseReport> {
        let deadline = seconds("deadline", deadline)?;
        let report = block(py, &self.shared, |system| system.close_async(deadline))?;
        self.background.stop(py);
        atexit(py, "unregister", &self.exit_hook)?;
        Ok(report.into())
    }

    /// `close`, awaited.
    #[pyo3(signature = (*, deadline = None))]
    fn close_async<'py>(&self, py: Python<'py>, deadline: Any<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        self.closing(py, deadline, |py, report| Ok(Py::new(py, CloseReport::from(report))?.into_any()))
    }

    /// Loads a component from its file.
    fn load(&self, py: Python<'_>, path: PathBuf) -> PyResult<Component> {
        let handle = block(py, &self.shared, |system| system.load_async(&path))?;
        Component::new(py, self.shared.clone(), handle)
    }

    /// `load`, awaited.
    fn load_async<'py>(&self, py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyAny>> {
        awaitable::start(py, &self.shared.system, || self.shared.system.load_async(&path), self.component())
    }

    /// Loads a component from its bytes.
    fn load_bytes(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Component> {
        let data = to_vec(&payload(data)?)?;
        let handle = block(py, &self.shared, |system| system.load_bytes_async(data))?;
        Component::new(py, self.shared.clone(), handle)
    }

    /// `load_bytes`, awaited.
    fn load_bytes_async<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let data = to_vec(&payload(data)?)?;
        awaitable::start(
            py,
            &self.shared.system,
            || self.shared.system.load_bytes_async(data),
            self.component(),
        )
    }

    /// What is known of a component before it runs.
    fn inspect(&self, py: Python<'_>, component: &Bound<'_, Component>) -> PyResult<ComponentInfo> {
        let handle = self.shared.own(component)?.handle;
        call(py, &self.shared, |system| system.inspect(handle)).map(Into::into)
    }

    /// Forgets a component; actors that run it go on.
    fn unload(&self, py: Python<'_>, component: &Bound<'_, Component>) -> PyResult<()> {
        let handle = self.shared.own(component)?.handle;
        call(py, &self.shared, |system| system.unload(handle))
    }

    /// Starts a guest, and waits until it is up.
    #[pyo3(
        signature = (component, name=None, *, grants=None, limits=None, budget=None, config=None, restart=None, shutdown_ms=None),
        text_signature = "($self, component, name=None, *, grants=(), limits=None, budget=None, config=None, restart=None, shutdown_ms=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn spawn(
        &self,
        py: Python<'_>,
        component: &Bound<'_, PyAny>,
        name: Option<String>,
        grants: Any,
        limits: Option<&Bound<'_, Limits>>,
        budget: Option<&Bound<'_, Budget>>,
        config: Any,
        restart: Option<String>,
        shutdown_ms: Any,
    ) -> PyResult<Actor> {
        let options = Options { name, grants, limits, budget, config, restart, shutdown_ms };
        let spec = self.guest(component, options)?;
        let handle = block(py, &self.shared, |system| system.spawn_async(spec))?;
        Actor::new(py, self.shared.clone(), handle)
    }

    /// `spawn`, awaited.
    #[pyo3(
        signature = (component, name=None, *, grants=None, limits=None, budget=None, config=None, restart=None, shutdown_ms=None),
        text_signature = "($self, component, name=None, *, grants=(), limits=None, budget=None, config=None, restart=None, shutdown_ms=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn spawn_async<'py>(
        &self,
        py: Python<'py>,
        component: &Bound<'py, PyAny>,
        name: Option<String>,
        grants: Any,
        limits: Option<&Bound<'_, Limits>>,
        budget: Option<&Bound<'_, Budget>>,
        config: Any,
        restart: Option<String>,
        shutdown_ms: Any,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = Options { name, grants, limits, budget, config, restart, shutdown_ms };
        let spec = self.guest(component, options)?;
        let shared = self.shared.clone();
        let value = move |py: Python<'_>, handle: ActorHandle| {
            Ok(Py::new(py, Actor::new(py, shared, handle)?)?.into_any())
        };
        awaitable::start(py, &self.shared.system, || self.shared.system.spawn_async(spec), value)
    }

    /// Makes a function an actor. An `async` one runs on the loop that runs here, or on one of the system's own.
    #[pyo3(
        signature = (handler, name=None, *, grants=None, limits=None, budget=None, restart=None, shutdown_ms=None),
        text_signature = "($self, handler, name=None, *, grants=(), limits=None, budget=None, restart=None, shutdown_ms=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn spawn_host(
        &self,
        py: Python<'_>,
        handler: &Bound<'_, PyAny>,
        name: Option<String>,
        grants: Any,
        limits: Option<&Bound<'_, Limits>>,
        budget: Option<&Bound<'_, Budget>>,
        restart: Option<String>,
        shutdown_ms: Any,
    ) -> PyResult<Actor> {
        let options = Options { name, grants, limits, budget, config: None, restart, shutdown_ms };
        let spec = options.spec(py)?;
        let deferred = handler::deferred(&self.handlers, &self.background, &self.shared, handler)?;
        let (executor, called) = (deferred.executor, deferred.handler);
        let handle = call(py, &self.shared, |system| system.spawn_host_deferred(spec, executor, called))?;
        deferred.registration.belongs_to(handle, deferred.home.as_ref());
        Actor::new(py, self.shared.clone(), handle)
    }

    /// The actor of this id: three parts, or a bare name.
    fn lookup(&self, py: Python<'_>, id: &str) -> PyResult<Actor> {
        let handle = call(py, &self.shared, |system| system.lookup(id))?;
        Actor::new(py, self.shared.clone(), handle)
    }

    /// What each actor is doing.
    fn list(&self, py: Python<'_>) -> PyResult<Vec<ActorStatus>> {
        Ok(call(py, &self.shared, |system| system.list(None))?.into_iter().map(Into::into).collect())
    }

    /// `actor.status()`.
    fn status(&self, py: Python<'_>, actor: &Bound<'_, Actor>) -> PyResult<ActorStatus> {
        self.shared.own(actor)?.status(py)
    }

    /// `actor.stop()`.
    #[pyo3(signature = (actor, *, deadline = None))]
    fn stop(&self, py: Python<'_>, actor: &Bound<'_, Actor>, deadline: Any) -> PyResult<()> {
        self.shared.own(actor)?.stop(py, deadline)
    }

    /// `actor.stop_async()`.
    #[pyo3(signature = (actor, *, deadline = None))]
    fn stop_async<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        deadline: Any<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.shared.own(actor)?.stop_async(py, deadline)
    }

    /// `actor.kill()`.
    fn kill(&self, py: Python<'_>, actor: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(actor)?.kill(py)
    }

    /// `actor.send()`.
    #[pyo3(signature = (actor, payload, *, content_type = None))]
    fn send(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<()> {
        self.shared.own(actor)?.send(py, payload, content_type)
    }

    /// `actor.request()`.
    #[pyo3(signature = (actor, payload, *, timeout = None, content_type = None))]
    fn request<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        payload: &Bound<'py, PyAny>,
        timeout: Any<'_, 'py>,
        content_type: Option<String>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.shared.own(actor)?.request(py, payload, timeout, content_type)
    }

    /// `actor.request_async()`.
    #[pyo3(signature = (actor, payload, *, timeout = None, content_type = None))]
    fn request_async<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        payload: &Bound<'py, PyAny>,
        timeout: Any<'_, 'py>,
        content_type: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.shared.own(actor)?.request_async(py, payload, timeout, content_type)
    }

    /// `actor.grant()`.
    #[pyo3(signature = (actor, capability, *, ttl = None))]
    fn grant(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        capability: &Bound<'_, PyAny>,
        ttl: Any,
    ) -> PyResult<Grant> {
        self.shared.own(actor)?.grant(py, capability, ttl)
    }

    /// `grant.revoke()`.
    fn revoke(&self, py: Python<'_>, grant: &Bound<'_, Grant>) -> PyResult<u64> {
        self.shared.own(grant)?.revoke(py)
    }

    /// `actor.grants()`.
    fn grants(&self, py: Python<'_>, actor: &Bound<'_, Actor>) -> PyResult<Vec<GrantInfo>> {
        self.shared.own(actor)?.grants(py)
    }

    /// Events of these kinds from now on: a comma list, `actor.*`, or `*`.
    #[pyo3(signature = (kinds = "*"))]
    fn events(&self, py: Python<'_>, kinds: &str) -> PyResult<Events> {
        let events = call(py, &self.shared, |system| system.events(kinds))?;
        Ok(Events::new(self.shared.clone(), events))
    }

    /// Counters.
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        call(py, &self.shared, |system| system.stats()).map(Into::into)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py, None).map(drop)
    }

    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        awaitable::ready(&loops::running(slf.py())?, Ok(slf.clone().unbind().into_any()))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(&self, py: Python<'py>, _exception: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        // Nothing true, which would swallow the exception.
        self.closing(py, None, |py, _report| Ok(py.None()))
    }

    fn __repr__(&self) -> &'static str {
        if self.is_closed() { "<airwasm.System closed>" } else { "<airwasm.System open>" }
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("System", "open one in the other process"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.exit_hook)?;
        self.handlers.traverse(visit)
    }

    fn __clear__(&self) {
        self.handlers.clear();
    }
}

impl System {
    fn component(
        &self,
    ) -> impl FnOnce(Python<'_>, ComponentHandle) -> PyResult<Py<PyAny>> + Clone + Send + 'static {
        let shared = self.shared.clone();
        move |py, handle| Ok(Py::new(py, Component::new(py, shared, handle)?)?.into_any())
    }

    fn guest(&self, component: &Bound<'_, PyAny>, options: Options<'_, '_>) -> PyResult<airwasm::ActorSpec> {
        if let Ok(spec) = component.cast::<ActorSpec>() {
            if options.given() {
                return Err(PyTypeError::new_err("an ActorSpec says it all: put the options into it"));
            }
            return Ok(self.shared.own(spec)?.spec.clone());
        }
        let handle = self.shared.own(component.cast::<Component>()?)?.handle;
        let spec = options.spec(component.py())?;
        Ok(airwasm::ActorSpec { component: Some(handle), ..spec })
    }
}
