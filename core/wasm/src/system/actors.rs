//! Spawning, finding and ending actors.

use std::future::ready;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use airssys_osl::CapabilitySet;
use airssys_rt::{ActorId, Bounds, Cause, Executor, Exit, Runtime, Spawned, Spec};

use super::directory::Resident;
use super::operation::{Operation, map, would_deadlock};
use super::{Inner, System};
use crate::component::{Blueprint, Guest, HostActor, Reply, SharedHandler};
use crate::host::Grounds;
use crate::types::error::{Code, Error, Result};
use crate::types::handle::ActorHandle;
use crate::types::info::ActorStatus;
use crate::types::letter::Letter;
use crate::types::limits::ResolvedLimits;
use crate::types::message::Message;
use crate::types::spec::{ActorSpec, Restart};

/// How long a stop waits before it kills.
const SHUTDOWN: Duration = Duration::from_millis(5_000);
/// Granted to every actor, because WASI cannot refuse them but by a trap; each can be revoked.
const BASELINE: [&str; 3] = ["clock", "random", "stdio"];
/// Bytes of a spec's `config`.
const CONFIG_BYTES_MAX: usize = 1 << 20;

/// The simple form of a host handler: one message in, the answer out. It may block.
pub type HostHandler = Box<dyn FnMut(Message) -> Result<Vec<u8>> + Send>;

/// The general form: it is given the duty to answer and may keep it. One message at a time: the next one comes
/// when the duty is settled or dropped.
pub type DeferredHandler = Box<dyn FnMut(Message, Reply) + Send>;

/// Where a host handler is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostExecutor {
    /// On a pool of threads of their own; it may block.
    Callback,
    /// On a worker; it only hands the message to a loop elsewhere, and must not block.
    Loop,
}

impl System {
    /// Starts a guest: instantiates it and runs its `pre-start`. Blocks until it is up.
    pub fn spawn(&self, spec: ActorSpec) -> Result<ActorHandle> {
        self.spawn_async(spec).wait()
    }

    /// [`spawn`](System::spawn) without blocking.
    pub fn spawn_async(&self, spec: ActorSpec) -> Operation<ActorHandle> {
        match self.open_inner().and_then(|inner| inner.spawn_guest(spec)) {
            Ok(operation) => operation,
            Err(error) => self.failed(error),
        }
    }

    /// Makes a function of the host an actor. It is called for one message at a time, on a thread of its own pool.
    pub fn spawn_host(&self, spec: ActorSpec, mut handler: HostHandler) -> Result<ActorHandle> {
        let deferred = move |message, reply: Reply| reply.settle(handler(message));
        self.spawn_host_deferred(spec, HostExecutor::Callback, Box::new(deferred))
    }

    /// The form for bindings: the handler is given the duty to answer.
    pub fn spawn_host_deferred(
        &self,
        spec: ActorSpec,
        executor: HostExecutor,
        handler: DeferredHandler,
    ) -> Result<ActorHandle> {
        self.open_inner()?.spawn_host(spec, executor, handler)
    }

    /// Lets the actor finish its message, runs its stop hooks, and kills it at the deadline. Blocks until it is down.
    pub fn stop(&self, actor: ActorHandle, deadline: Option<Duration>) -> Result<()> {
        self.stop_async(actor, deadline).wait()
    }

    /// [`stop`](System::stop) without blocking.
    pub fn stop_async(&self, actor: ActorHandle, deadline: Option<Duration>) -> Operation<()> {
        let begin = || {
            let inner = self.open_inner()?;
            check_deadline(deadline)?;
            let resident = inner.directory.resident(actor)?;
            let pending = resident.actor()?.stop(deadline.unwrap_or(resident.shutdown));
            Ok(Operation::new(pending, Some(resident.id.clone()), &inner.tickets))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// Ends the actor at its next await, without any hook. Nobody restarts it.
    pub fn kill(&self, actor: ActorHandle) -> Result<()> {
        self.open_inner()?.directory.resident(actor)?.actor()?.kill();
        Ok(())
    }

    /// The actor of this id: three parts, or a bare name for `default/name/0`.
    pub fn lookup(&self, id: &str) -> Result<ActorHandle> {
        let inner = self.open_inner()?;
        let id = id.parse::<ActorId>().map_err(|why| Error::argument("id", why))?;
        Ok(inner.directory.find(&id)?.handle)
    }

    /// The three-part id of an actor, live or not long gone.
    pub fn id(&self, actor: ActorHandle) -> Result<String> {
        let inner = self.open_inner()?;
        match inner.directory.departed(actor) {
            Some((id, _)) => Ok(id.to_string()),
            None => Ok(inner.directory.resident(actor)?.id.to_string()),
        }
    }

    /// What an actor is doing.
    pub fn status(&self, actor: ActorHandle) -> Result<ActorStatus> {
        let inner = self.open_inner()?;
        if let Some((id, _)) = inner.directory.departed(actor) {
            let (id, state) = (id.to_string(), "stopped".to_owned());
            return Ok(ActorStatus { id, state, mailbox_messages: 0, handled: 0, restarts: 0 });
        }
        let resident = inner.directory.resident(actor)?;
        Ok(status(&resident.id, resident.actor()?.status()))
    }

    /// All live actors, in the order of their ids.
    pub fn list(&self) -> Result<Vec<ActorStatus>> {
        let list = self.open_inner()?.runtime.list();
        Ok(list.into_iter().map(|(id, found)| status(&id, found)).collect())
    }
}

fn status(id: &ActorId, found: airssys_rt::Status) -> ActorStatus {
    let airssys_rt::Status { state, mailbox_messages, handled, restarts } = found;
    ActorStatus { id: id.to_string(), state: state.to_owned(), mailbox_messages, handled, restarts }
}

impl Resident {
    /// The way to it; there is none for the moment between entering the directory and the runtime.
    pub(super) fn actor(&self) -> Result<&airssys_rt::ActorRef<Letter>> {
        self.actor.get().ok_or_else(|| {
            Error::new(Code::ActorNotFound, format!("{}: the actor is not registered yet", self.id))
                .at(&self.id)
        })
    }
}

impl Inner {
    fn spawn_guest(self: &Arc<Self>, spec: ActorSpec) -> Result<Operation<ActorHandle>> {
        let Some(component) = spec.component else {
            return Err(Error::argument("component", "a guest needs one"));
        };
        let component = self.component(component)?;
        component.linked.as_ref().map_err(Clone::clone)?;
        let budget = spec.budget.resolve()?;
        let config = check_config(spec.config.as_deref())?;
        let resident = self.enter(&spec, &component.stem)?;
        let blueprint = Arc::new(Blueprint {
            engine: self.engine.clone(),
            component,
            grounds: Grounds {
                id: resident.id.clone(),
                grants: resident.grants.clone(),
                limits: spec.limits.resolve()?,
                budget,
                ports: self.ports.clone(),
            },
            config,
            ticks: self.runtime.ticks(),
            nobody: "".into(),
        });
        let spawned = self.register(&resident, &spec, Executor::Any, |runtime, rt_spec| {
            runtime.spawn(rt_spec, move || Guest::start(blueprint.clone()))
        })?;
        let up = map(spawned, |(), number| ActorHandle(number), resident.handle.raw());
        Ok(Operation::new(up, Some(resident.id.clone()), &self.tickets))
    }

    fn spawn_host(
        self: &Arc<Self>,
        spec: ActorSpec,
        executor: HostExecutor,
        handler: DeferredHandler,
    ) -> Result<ActorHandle> {
        if spec.component.is_some() {
            return Err(Error::argument("component", "a host actor has none"));
        }
        let resident = self.enter(&spec, "host")?;
        let handler: SharedHandler = Arc::new(Mutex::new(handler));
        let id = resident.id.clone();
        let executor = match executor {
            HostExecutor::Callback => Executor::Callback,
            HostExecutor::Loop => Executor::Any,
        };
        let up = self.register(&resident, &spec, executor, |runtime, rt_spec| {
            runtime.spawn(rt_spec, move || {
                ready(Ok::<_, Cause>(HostActor { id: id.clone(), handler: handler.clone() }))
            })
        })?;
        up.wait().map(|()| resident.handle)
    }

    /// Checks a spec, takes its id, and gives it its grants.
    fn enter(&self, spec: &ActorSpec, stem: &str) -> Result<Arc<Resident>> {
        check_deadline(spec.shutdown)?;
        let limits = spec.limits.resolve()?;
        let id = match &spec.name {
            Some(name) => name.parse::<ActorId>().map_err(|why| Error::argument("name", why))?,
            None => self.directory.free_id(stem)?,
        };
        let resident = self.directory.enter(|handle| Resident {
            handle,
            grants: CapabilitySet::new(id.as_str(), self.audit.clone()),
            id,
            payload_bytes_max: limits.payload_bytes,
            shutdown: spec.shutdown.unwrap_or(SHUTDOWN),
            actor: OnceLock::new(),
            given: Mutex::default(),
        })?;
        let texts = BASELINE.into_iter().chain(spec.grants.iter().map(String::as_str));
        for text in texts {
            if let Err(error) = self.give(&resident, text, None) {
                self.forget(&resident.id, &Exit::Normal);
                return Err(error);
            }
        }
        Ok(resident)
    }

    /// Hands an entered actor to the runtime.
    fn register(
        &self,
        resident: &Arc<Resident>,
        spec: &ActorSpec,
        executor: Executor,
        spawn: impl FnOnce(&Runtime, Spec) -> std::result::Result<Spawned<Letter>, airssys_rt::Error>,
    ) -> Result<airssys_rt::Pending<(), Error>> {
        let limits = spec.limits.resolve()?;
        let rt_spec = Spec {
            executor,
            restart: restart(spec.restart),
            bounds: bounds(&limits),
            ..Spec::new(resident.id.clone())
        };
        match spawn(&self.runtime, rt_spec) {
            Ok((actor, up)) => {
                // Entered once, by the one that took the id.
                let _ = resident.actor.set(actor);
                Ok(up)
            }
            Err(error) => {
                self.forget(&resident.id, &Exit::Normal);
                Err(Error::from(error).at(&resident.id))
            }
        }
    }
}

fn restart(wanted: Option<Restart>) -> airssys_rt::Restart {
    match wanted {
        Some(Restart::Permanent) => airssys_rt::Restart::Permanent,
        Some(Restart::Transient) => airssys_rt::Restart::Transient,
        Some(Restart::Temporary) | None => airssys_rt::Restart::Temporary,
    }
}

fn bounds(limits: &ResolvedLimits) -> Bounds {
    Bounds { messages_max: limits.mailbox_messages, bytes_max: limits.mailbox_bytes }
}

fn check_config(config: Option<&str>) -> Result<Option<Arc<str>>> {
    let Some(text) = config else { return Ok(None) };
    if text.len() > CONFIG_BYTES_MAX {
        return Err(Error::argument(
            "config",
            format!("{} bytes are more than {CONFIG_BYTES_MAX}", text.len()),
        ));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map_err(|why| Error::argument("config", format!("not JSON: {why}")))?;
    Ok(Some(text.into()))
}

/// A deadline of nothing is refused as every 0 is.
pub(super) fn check_deadline(deadline: Option<Duration>) -> Result<()> {
    match deadline {
        Some(Duration::ZERO) => {
            Err(Error::argument("deadline_ms", "0 is no time to stop; to kill is another call"))
        }
        _ => Ok(()),
    }
}

/// Fails at once where a blocking call could never end.
pub(super) fn check_may_block(what: &str) -> Result<()> {
    if airssys_rt::is_inside() { Err(would_deadlock(what)) } else { Ok(()) }
}
