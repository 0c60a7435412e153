//! The system: the facade's operations, in their order.

use std::path::PathBuf;
use std::sync::Arc;

use airwasm::{Config, SendOptions};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::actor::{self, Actor};
use crate::audit::{AuditOptions, AuditReport};
use crate::awaitable;
use crate::component::{self, Component, ComponentInfo};
use crate::convert::{payload, seconds, to_vec};
use crate::ending::{ExitHook, atexit};
use crate::errors::raise;
use crate::events::Events;
use crate::grant::{Grant, GrantInfo, capability_text};
use crate::handler::{self, Handlers};
use crate::info::{ActorStatus, CloseReport, Stats};
use crate::loops;
use crate::policy::{Explanation, PolicyReport};
use crate::service;
use crate::shared::{Shared, unpicklable};
use crate::spec::{guest_spec, host_spec};
use crate::subscription::Subscription;
use crate::supervision::{DeadLetter, Down, TreeNode};
use crate::supervisor::Supervisor;
use crate::supervisor_spec::SupervisorSpec;
use crate::timer::Timer;
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
    #[pyo3(signature = (*, policy = None, policy_watch = None, audit = None, audit_options = None, profile = None, cache_dir = None))]
    fn new(
        py: Python<'_>,
        policy: Option<PathBuf>,
        policy_watch: Any,
        audit: Option<PathBuf>,
        audit_options: Option<&Bound<'_, AuditOptions>>,
        profile: Option<String>,
        cache_dir: Option<PathBuf>,
    ) -> PyResult<Self> {
        let policy_watch = seconds("policy_watch", policy_watch)?;
        let audit_options = audit_options.map(|options| options.get().into()).unwrap_or_default();
        let config =
            Config { policy, policy_watch, audit, audit_options, cache_dir, profile, ..Config::default() };
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

    /// Forgets a component; actors that run it go on.
    fn unload(&self, py: Python<'_>, component: &Bound<'_, Component>) -> PyResult<()> {
        let handle = self.shared.own(component)?.handle;
        call(py, &self.shared, |system| system.unload(handle))
    }

    /// Starts a guest, and waits until it is up.
    #[pyo3(
        signature = (component, name=None, **options),
        text_signature = "($self, component, name=None, *, grants=(), limits=None, budget=None, config=None, args=(), env=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
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
        text_signature = "($self, component, name=None, *, grants=(), limits=None, budget=None, config=None, args=(), env=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
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

    /// `actor.send_async()`.
    #[pyo3(signature = (actor, payload, *, content_type = None))]
    fn send_async<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        payload: &Bound<'py, PyAny>,
        content_type: Option<String>,
    ) -> Awaited<'py> {
        self.shared.own(actor)?.send_async(py, payload, content_type)
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
    ) -> Awaited<'py> {
        self.shared.own(actor)?.request_async(py, payload, timeout, content_type)
    }

    /// `actor.send_after()`.
    #[pyo3(signature = (actor, payload, delay, *, content_type = None))]
    fn send_after(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        payload: &Bound<'_, PyAny>,
        delay: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Timer> {
        self.shared.own(actor)?.send_after(py, payload, delay, content_type)
    }

    /// `actor.send_every()`.
    #[pyo3(signature = (actor, payload, period, *, content_type = None))]
    fn send_every(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        payload: &Bound<'_, PyAny>,
        period: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Timer> {
        self.shared.own(actor)?.send_every(py, payload, period, content_type)
    }

    /// `timer.cancel()`.
    fn cancel_timer(&self, py: Python<'_>, timer: &Bound<'_, Timer>) -> PyResult<bool> {
        self.shared.own(timer)?.cancel(py)
    }

    /// `actor.subscribe()`.
    fn subscribe(&self, py: Python<'_>, actor: &Bound<'_, Actor>, pattern: &str) -> PyResult<Subscription> {
        self.shared.own(actor)?.subscribe(py, pattern)
    }

    /// `subscription.unsubscribe()`.
    fn unsubscribe(&self, py: Python<'_>, subscription: &Bound<'_, Subscription>) -> PyResult<()> {
        self.shared.own(subscription)?.unsubscribe(py)
    }

    /// Sends a message to each subscription whose pattern matches; how many mailboxes took it.
    #[pyo3(signature = (topic, payload, *, content_type = None))]
    fn publish(
        &self,
        py: Python<'_>,
        topic: &str,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<u64> {
        let (bytes, options) = (self::payload(payload)?, SendOptions { content_type });
        let bytes = bytes.as_bytes();
        call(py, &self.shared, |system| system.publish(topic, bytes, &options))
    }

    /// `actor.join()`.
    fn join(&self, py: Python<'_>, actor: &Bound<'_, Actor>, group: &str) -> PyResult<()> {
        self.shared.own(actor)?.join(py, group)
    }

    /// `actor.leave()`.
    fn leave(&self, py: Python<'_>, actor: &Bound<'_, Actor>, group: &str) -> PyResult<bool> {
        self.shared.own(actor)?.leave(py, group)
    }

    /// The members of a group in the order in which they joined.
    fn members(&self, py: Python<'_>, group: &str) -> PyResult<Vec<Actor>> {
        let members = call(py, &self.shared, |system| system.members(group))?;
        members.into_iter().map(|member| Actor::new(py, self.shared.clone(), member)).collect()
    }

    /// Sends a message to each member of a group; how many mailboxes took it.
    #[pyo3(signature = (group, payload, *, content_type = None))]
    fn broadcast(
        &self,
        py: Python<'_>,
        group: &str,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<u64> {
        let (bytes, options) = (self::payload(payload)?, SendOptions { content_type });
        let bytes = bytes.as_bytes();
        call(py, &self.shared, |system| system.broadcast(group, bytes, &options))
    }

    /// Takes the messages that were still queued when their actors ended, oldest first.
    fn dead_letters(&self, py: Python<'_>) -> PyResult<Vec<DeadLetter>> {
        DeadLetter::all(py, call(py, &self.shared, |system| system.dead_letters())?)
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

    /// `actor.check()`.
    fn check(&self, py: Python<'_>, actor: &Bound<'_, Actor>, capability: &Bound<'_, PyAny>) -> PyResult<()> {
        self.shared.own(actor)?.check(py, capability)
    }

    /// Puts a policy in force for all actors at once, those that live included; at an error the one before stays. What it
    /// denies is cut, what it no longer allows is revoked. With `policy_watch` it is watched from now on.
    fn policy_load(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        block(py, &self.shared, |system| system.policy_load_async(&path))
    }

    /// `policy_load`, awaited. Cancelling ends the wait, not the loading.
    fn policy_load_async<'py>(&self, py: Python<'py>, path: PathBuf) -> Awaited<'py> {
        let begin = || self.shared.system.policy_load_async(&path);
        awaitable::start(py, &self.shared, begin, |py, ()| Ok(py.None()))
    }

    /// Which rule of the policy decides what an actor of this id may do; its `str()` is one line. Grants from code are
    /// not looked at.
    fn policy_explain(&self, actor: &str, capability: &Bound<'_, PyAny>) -> PyResult<Explanation> {
        let py = capability.py();
        let text = capability_text(capability)?;
        call(py, &self.shared, |system| system.policy_explain(actor, &text)).map(Into::into)
    }

    /// Runs the tests of the policy in force; only tells what became of them.
    fn policy_test(&self, py: Python<'_>) -> PyResult<PolicyReport> {
        call(py, &self.shared, |system| system.policy_test()).map(Into::into)
    }

    /// Follows the hash chain of an audit log; `AuditBroken` with the first line that is not as it was written.
    #[staticmethod]
    fn audit_verify(py: Python<'_>, path: PathBuf) -> PyResult<AuditReport> {
        let verified = py.detach(|| airwasm::System::audit_verify(&path));
        verified.map(Into::into).map_err(|error| raise(py, error))
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
