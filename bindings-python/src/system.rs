//! The system: the facade's operations, in their order.

mod grants;
mod keyvalue;
mod messages;
mod regions;
mod supervision;

use std::path::PathBuf;
use std::sync::Arc;

use airwasm::Config;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::actor::{self, Actor};
use crate::audit::AuditOptions;
use crate::awaitable;
use crate::component::{self, Component, ComponentInfo};
use crate::convert::{payload, seconds, to_vec};
use crate::ending::{ExitHook, atexit};
use crate::errors::raise;
use crate::events::Events;
use crate::handler::{self, Handlers};
use crate::helper;
use crate::info::{ActorStatus, CloseReport, Stats};
use crate::loops;
use crate::service;
use crate::shared::{Shared, unpicklable};
use crate::spec::{guest_spec, host_spec};
use crate::supervision::Down;
use crate::wait::{block, call};

type Any<'a, 'py> = Option<&'a Bound<'py, PyAny>>;
type Name = Option<String>;
type Of<'a, 'py> = &'a Bound<'py, Actor>;
type Awaited<'py> = PyResult<Bound<'py, PyAny>>;
type Dict<'a, 'py> = &'a Bound<'py, PyDict>;

/// One world of components, actors and grants. Any thread may use it; `with` or `async with` closes it.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct System {
    pub shared: Arc<Shared>,
    pub handlers: Arc<Handlers>,
    pub exit_hook: Py<ExitHook>,
}

#[pymethods]
impl System {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "they are Python's keywords")]
    #[pyo3(signature = (*, policy = None, policy_watch = None, audit = None, audit_options = None, profile = None, cache_dir = None, kv = None, fuel = false, compile_helper = None))]
    fn new(
        py: Python<'_>,
        policy: Option<PathBuf>,
        policy_watch: Any,
        audit: Option<PathBuf>,
        audit_options: Option<&Bound<'_, AuditOptions>>,
        profile: Option<String>,
        cache_dir: Option<PathBuf>,
        kv: Option<PathBuf>,
        fuel: bool,
        compile_helper: Any,
    ) -> PyResult<Self> {
        let policy_watch = seconds("policy_watch", policy_watch)?;
        let audit_options = audit_options.map(|options| options.get().into()).unwrap_or_default();
        let compile_helper = compile_helper.map(helper::command).transpose()?.flatten();
        let config = Config {
            policy,
            policy_watch,
            audit,
            audit_options,
            cache_dir,
            profile,
            kv,
            fuel,
            compile_helper,
            ..Config::default()
        };
        let opened = py.detach(|| airwasm::System::open(config));
        let handlers = Arc::default();
        let shared = Shared::new(opened.map_err(|error| raise(py, error))?, &handlers);
        let exit_hook = ExitHook::register(py, &shared)?;
        Ok(Self { shared, handlers, exit_hook })
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
        self.shared.background.stop(py);
        atexit(py, "unregister", &self.exit_hook)?;
        Ok(report.into())
    }

    /// `close`, awaited.
    #[pyo3(signature = (*, deadline = None))]
    fn close_async<'py>(&self, py: Python<'py>, deadline: Any<'_, 'py>) -> Awaited<'py> {
        self.closing(py, deadline, |py, report| Ok(Py::new(py, CloseReport::from(report))?.into_any()))
    }

    /// Loads a component from its file.
    fn load(&self, py: Python<'_>, path: PathBuf) -> PyResult<Component> {
        let handle = block(py, &self.shared, |system| system.load_async(&path))?;
        Component::new(py, self.shared.clone(), handle)
    }

    /// `load`, awaited.
    fn load_async<'py>(&self, py: Python<'py>, path: PathBuf) -> Awaited<'py> {
        let begin = || self.shared.system.load_async(&path);
        awaitable::start(py, &self.shared, begin, component::value(&self.shared))
    }

    /// Loads a component from its bytes.
    fn load_bytes(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Component> {
        let data = to_vec(&payload(data)?)?;
        let handle = block(py, &self.shared, |system| system.load_bytes_async(data))?;
        Component::new(py, self.shared.clone(), handle)
    }

    /// `load_bytes`, awaited.
    fn load_bytes_async<'py>(&self, py: Python<'py>, data: &Bound<'py, PyAny>) -> Awaited<'py> {
        let data = to_vec(&payload(data)?)?;
        let begin = || self.shared.system.load_bytes_async(data);
        awaitable::start(py, &self.shared, begin, component::value(&self.shared))
    }

    /// What is known of a component before it runs.
    fn inspect(&self, py: Python<'_>, component: &Bound<'_, Component>) -> PyResult<ComponentInfo> {
        let handle = self.shared.own(component)?.handle;
        call(py, &self.shared, |system| system.inspect(handle)).map(Into::into)
    }

    /// What a component exports, as text in a language: `wit`.
    fn types(&self, py: Python<'_>, component: &Bound<'_, Component>, language: &str) -> PyResult<String> {
        let handle = self.shared.own(component)?.handle;
        call(py, &self.shared, |system| system.types(handle, language))
    }

    /// Forgets a component; actors that run it go on.
    fn unload(&self, py: Python<'_>, component: &Bound<'_, Component>) -> PyResult<()> {
        let handle = self.shared.own(component)?.handle;
        call(py, &self.shared, |system| system.unload(handle))
    }

    /// Starts a guest, and waits until it is up.
    #[pyo3(
        signature = (component, name=None, **options),
        text_signature = "($self, component, name=None, *, grants=(), limits=None, budget=None, config=None, args=(), env=None, http_listen=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
    )]
    fn spawn(
        &self,
        py: Python<'_>,
        component: &Bound<'_, PyAny>,
        name: Option<String>,
        options: Option<Dict>,
    ) -> PyResult<Actor> {
        let spec = guest_spec(&self.shared, component, name, options)?;
        let handle = block(py, &self.shared, |system| system.spawn_async(spec))?;
        Actor::new(py, self.shared.clone(), handle)
    }

    /// `spawn`, awaited.
    #[pyo3(
        signature = (component, name=None, **options),
        text_signature = "($self, component, name=None, *, grants=(), limits=None, budget=None, config=None, args=(), env=None, http_listen=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
    )]
    fn spawn_async<'py>(
        &self,
        py: Python<'py>,
        component: &Bound<'py, PyAny>,
        name: Option<String>,
        options: Option<Dict>,
    ) -> Awaited<'py> {
        let spec = guest_spec(&self.shared, component, name, options)?;
        let begin = || self.shared.system.spawn_async(spec);
        awaitable::start(py, &self.shared, begin, actor::value(&self.shared))
    }

    /// Makes a function an actor. An `async` one runs on the loop that runs here, or on one of the system's own.
    #[pyo3(
        signature = (handler, name=None, **options),
        text_signature = "($self, handler, name=None, *, grants=(), limits=None, budget=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
    )]
    fn spawn_host(
        &self,
        py: Python<'_>,
        handler: &Bound<'_, PyAny>,
        name: Option<String>,
        options: Option<Dict>,
    ) -> PyResult<Actor> {
        let spec = host_spec(name, options)?;
        let deferred = handler::deferred(&self.shared, handler)?;
        let (executor, called) = (deferred.executor, deferred.handler);
        let handle = call(py, &self.shared, |system| system.spawn_host_deferred(spec, executor, called))?;
        deferred.registration.belongs_to(handle, deferred.home.as_ref());
        Actor::new(py, self.shared.clone(), handle)
    }

    /// Starts a file actor: others ask it to read and write files, each message by the grants of who sent it. README.md has
    /// the forms of its messages, at "Files and programs by message".
    #[pyo3(signature = (name=None, **options), text_signature = "($self, name=None, *, grants=(), limits=None, restart=None, shutdown_ms=None, significant=False, overflow=None, errors_max=None, error_period_ms=None)")]
    fn spawn_files(&self, py: Python<'_>, name: Name, options: Option<Dict>) -> PyResult<Actor> {
        service::spawn(py, &self.shared, (name, options), airwasm::System::spawn_files_async)
    }

    /// `spawn_files`, awaited.
    #[pyo3(signature = (name=None, **options), text_signature = "($self, name=None, *, grants=(), limits=None, restart=None, shutdown_ms=None, significant=False, overflow=None, errors_max=None, error_period_ms=None)")]
    fn spawn_files_async<'py>(&self, py: Python<'py>, name: Name, options: Option<Dict>) -> Awaited<'py> {
        service::spawn_async(py, &self.shared, (name, options), airwasm::System::spawn_files_async)
    }

    /// Starts a process actor: others ask it to run programs, each message by the grants of who sent it. README.md has the
    /// forms of its messages, at "Files and programs by message".
    #[pyo3(signature = (name=None, **options), text_signature = "($self, name=None, *, grants=(), limits=None, restart=None, shutdown_ms=None, significant=False, overflow=None, errors_max=None, error_period_ms=None)")]
    fn spawn_processes(&self, py: Python<'_>, name: Name, options: Option<Dict>) -> PyResult<Actor> {
        service::spawn(py, &self.shared, (name, options), airwasm::System::spawn_processes_async)
    }

    /// `spawn_processes`, awaited.
    #[pyo3(signature = (name=None, **options), text_signature = "($self, name=None, *, grants=(), limits=None, restart=None, shutdown_ms=None, significant=False, overflow=None, errors_max=None, error_period_ms=None)")]
    fn spawn_processes_async<'py>(&self, py: Python<'py>, name: Name, options: Option<Dict>) -> Awaited<'py> {
        service::spawn_async(py, &self.shared, (name, options), airwasm::System::spawn_processes_async)
    }

    /// The actor of this id: three parts, or a bare name.
    fn lookup(&self, py: Python<'_>, id: &str) -> PyResult<Actor> {
        let handle = call(py, &self.shared, |system| system.lookup(id))?;
        Actor::new(py, self.shared.clone(), handle)
    }

    /// What each actor is doing, or each whose id matches a pattern such as `tools/*/*`.
    #[pyo3(signature = (pattern = None))]
    fn list(&self, py: Python<'_>, pattern: Option<&str>) -> PyResult<Vec<ActorStatus>> {
        Ok(call(py, &self.shared, |system| system.list(pattern))?.into_iter().map(Into::into).collect())
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
    fn stop_async<'py>(&self, py: Python<'py>, actor: Of<'_, 'py>, deadline: Any<'_, 'py>) -> Awaited<'py> {
        self.shared.own(actor)?.stop_async(py, deadline)
    }

    /// `actor.kill()`.
    fn kill(&self, py: Python<'_>, actor: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(actor)?.kill(py)
    }

    /// `actor.monitor()`.
    #[pyo3(signature = (actor, *, timeout = None))]
    fn monitor(&self, py: Python<'_>, actor: &Bound<'_, Actor>, timeout: Any) -> PyResult<Down> {
        self.shared.own(actor)?.monitor(py, timeout)
    }

    /// `actor.monitor_async()`.
    fn monitor_async<'py>(&self, py: Python<'py>, actor: &Bound<'py, Actor>) -> Awaited<'py> {
        self.shared.own(actor)?.monitor_async(py)
    }

    /// `one.link()`.
    fn link(&self, one: &Bound<'_, Actor>, other: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(one)?.link(other)
    }

    /// `one.unlink()`.
    fn unlink(&self, one: &Bound<'_, Actor>, other: &Bound<'_, Actor>) -> PyResult<()> {
        self.shared.own(one)?.unlink(other)
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

    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> Awaited<'py> {
        awaitable::ready(&loops::running(slf.py())?, Ok(slf.clone().unbind().into_any()))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(&self, py: Python<'py>, _exception: &Bound<'py, PyAny>) -> Awaited<'py> {
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
