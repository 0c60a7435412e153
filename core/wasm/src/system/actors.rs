//! Spawning, finding and ending actors.

use std::future::ready;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use airssys_osl::CapabilitySet;
use airssys_osl::policy::{PolicyBudget, Resolved};
use airssys_rt::{ActorId, Cause, ChildSpec, Executor, Exit, IdPattern, Rules, Spec, Told};

use super::directory::{Resident, Way};
use super::grants::Origin;
use super::operation::{Operation, as_ours, would_deadlock};
use super::{Inner, System, environment};
use crate::component::{Blueprint, Guest, HostActor, Loaded, Reply, SharedHandler};
use crate::host::{Access, Grounds, Site};
use crate::types::cpu_share::CpuShare;
use crate::types::error::{Error, Result};
use crate::types::handle::ActorHandle;
use crate::types::info::ActorStatus;
use crate::types::letter::Letter;
use crate::types::limits::{ResolvedLimits, UNLIMITED};
use crate::types::message::Message;
use crate::types::spec::ActorSpec;

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
    /// Starts a guest: instantiates it and runs its `pre-start` and `post-start`. Blocks until it is up.
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
    /// Asked by what must be down first, its own handler or one below it, the wait is `CYCLE` at once; the stop has begun
    /// all the same, and happens when that handler has returned.
    pub fn stop(&self, actor: ActorHandle, deadline: Option<Duration>) -> Result<()> {
        self.stop_async(actor, deadline).wait()
    }

    /// [`stop`](System::stop) without blocking.
    pub fn stop_async(&self, actor: ActorHandle, deadline: Option<Duration>) -> Operation<()> {
        let begin = || {
            let inner = self.open_inner()?;
            check_deadline("deadline_ms", deadline)?;
            let resident = inner.directory.resident(actor)?;
            let stopped = inner.runtime.stop(resident.rt_handle()?, deadline.unwrap_or(resident.shutdown));
            Ok(Operation::new(as_ours(stopped), Some(resident.id.clone()), &inner.tickets))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// Ends the actor at its next await, without any hook. Nobody restarts it.
    pub fn kill(&self, actor: ActorHandle) -> Result<()> {
        let inner = self.open_inner()?;
        inner.runtime.kill(inner.directory.resident(actor)?.rt_handle()?);
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

    /// What an actor or supervisor is doing.
    pub fn status(&self, actor: ActorHandle) -> Result<ActorStatus> {
        let inner = self.open_inner()?;
        let departed = || inner.directory.departed(actor).map(|(id, exit)| stopped(&id, Some(&exit)));
        if let Some(status) = departed() {
            return Ok(status);
        }
        let resident = match inner.directory.resident(actor) {
            Ok(resident) => resident,
            // It has left since.
            Err(error) => return departed().ok_or(error),
        };
        match inner.runtime.status(resident.rt_handle()?) {
            Some(found) => Ok(inner.status(&resident.id, found)),
            // It ends at this moment: how is known as soon as it has left.
            None => Ok(departed().unwrap_or_else(|| stopped(&resident.id, None))),
        }
    }

    /// Live actors and supervisors, in the order of their ids: all, or those whose ids match a pattern, `tools/*/*`.
    pub fn list(&self, pattern: Option<&str>) -> Result<Vec<ActorStatus>> {
        let inner = self.open_inner()?;
        let Some(pattern) = pattern else {
            return Ok(inner
                .runtime
                .list()
                .into_iter()
                .map(|(id, found)| inner.status(&id, found))
                .collect());
        };
        let pattern = pattern.parse::<IdPattern>().map_err(|why| Error::argument("pattern", why))?;
        let matching = inner.runtime.matching(&pattern).into_iter();
        let found =
            matching.filter_map(|(id, handle)| Some(inner.status(&id, inner.runtime.status(handle)?)));
        Ok(found.collect())
    }
}

/// What bounds a guest bounds no function of the host, so it is refused instead of ignored.
pub(super) fn check_host_spec(spec: &ActorSpec) -> Result<()> {
    let (budget, limits) = (&spec.budget, &spec.limits);
    let given = [
        ("config", spec.config.is_some()),
        ("cpu_ms", budget.cpu.is_some()),
        ("wall_ms", budget.wall.is_some()),
        ("fuel", budget.fuel.is_some()),
        ("output_bytes", budget.output_bytes.is_some()),
        ("host_calls", budget.host_calls.is_some()),
        ("memory_bytes", limits.memory_bytes.is_some()),
        ("table_elements", limits.table_elements.is_some()),
        ("handles", limits.handles.is_some()),
        ("cpu_percent", limits.cpu_percent.is_some()),
        ("health_interval_ms", spec.health_interval.is_some()),
        ("health_missed", spec.health_missed.is_some()),
        ("written_bytes", limits.written_bytes.is_some()),
        ("region_bytes", limits.region_bytes.is_some()),
        ("args", !spec.args.is_empty()),
        ("env", !spec.env.is_empty()),
        ("http_listen", spec.http_listen.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((which, _)) => {
            Err(Error::argument(which, "it is for guests: a function of the host is not bound by it"))
        }
        None => Ok(()),
    }
}

/// What is left to say of one that has ended for good.
fn stopped(id: &ActorId, exit: Option<&Exit>) -> ActorStatus {
    let last_exit = exit.map(ToString::to_string);
    ActorStatus { id: id.to_string(), state: "stopped".to_owned(), last_exit, ..ActorStatus::default() }
}

/// An actor that has its id and its grants, and is about to be handed to the runtime.
pub(super) struct Prepared {
    pub resident: Arc<Resident>,
    pub child: ChildSpec,
    pub up: airssys_rt::Pending<(), Error>,
}

impl Inner {
    fn spawn_guest(self: &Arc<Self>, spec: ActorSpec) -> Result<Operation<ActorHandle>> {
        let prepared = self.prepare_guest(spec, airssys_rt::Restart::Temporary)?;
        let resident = prepared.resident.clone();
        let handle = resident.handle;
        let up = self.spawn_alone(prepared)?.map(move |up: Result<()>| up.map(|()| handle));
        Ok(Operation::new(up, Some(resident.id.clone()), &self.tickets))
    }

    fn spawn_host(
        self: &Arc<Self>,
        spec: ActorSpec,
        executor: HostExecutor,
        handler: DeferredHandler,
    ) -> Result<ActorHandle> {
        let prepared = self.prepare_host(spec, executor, handler, airssys_rt::Restart::Temporary)?;
        let handle = prepared.resident.handle;
        self.spawn_alone(prepared)?.wait().map(|()| handle)
    }

    /// What the runtime and the directory know of one.
    pub(super) fn status(&self, id: &ActorId, found: airssys_rt::Status) -> ActorStatus {
        let airssys_rt::Status { state, mailbox_messages, handled, restarts, last_exit, busy } = found;
        let site = self.directory.find(id).ok().and_then(|resident| resident.site.clone());
        ActorStatus {
            id: id.to_string(),
            state: state.to_owned(),
            mailbox_messages,
            handled,
            restarts,
            last_exit: last_exit.map(|exit| exit.to_string()),
            busy_ms: busy.as_millis() as u64,
            listening: site.and_then(|site| site.bound()).map(|bound| bound.to_string()),
        }
    }

    pub(super) fn spawn_alone(&self, prepared: Prepared) -> Result<airssys_rt::Pending<(), Error>> {
        let Prepared { resident, child, up } = prepared;
        match self.runtime.spawn_child(child, Rules::default()) {
            Ok(()) => Ok(up),
            Err(error) => {
                self.forget(&resident.id, &Exit::Normal);
                Err(Error::from(error).at(&resident.id))
            }
        }
    }

    /// Checks a guest's spec and takes its id.
    pub(super) fn prepare_guest(&self, spec: ActorSpec, default: airssys_rt::Restart) -> Result<Prepared> {
        let Some(component) = spec.component else {
            return Err(Error::argument("component", "a guest needs one"));
        };
        let component = self.component(component)?;
        component.linked.as_ref().map_err(Clone::clone)?;
        let budget = spec.budget.resolve()?;
        if budget.fuel != UNLIMITED && !self.engine.counts_fuel() {
            return Err(Error::argument("fuel", "this system counts none: open it with its option fuel"));
        }
        let config = check_config(spec.config.as_deref())?;
        let texts = config.as_deref().map_or_else(Arc::default, environment::texts);
        let (args, env) = environment::checked(&spec.args, &spec.env)?;
        if spec.http_listen.is_some() {
            component.check_http()?;
        }
        let (engine, ticks, ports) = (self.engine.clone(), self.runtime.ticks(), self.ports.clone());
        let of = component.clone();
        self.prepare(&spec, (&of.stem, Some(&of)), default, |resident, rt_spec, restart, (limits, policy)| {
            let budget = budget.within(policy);
            let (id, grants, asks) = (resident.id.clone(), resident.grants.clone(), resident.asks.clone());
            let regions = resident.regions.clone();
            let access = Access::new(&grants, &limits, &ports);
            let net = ports.outside.net(&grants, access.resources.clone());
            let cpu_share = CpuShare::new(limits.cpu_percent, Instant::now()).map(Arc::new);
            let grounds = Grounds {
                id,
                grants,
                asks,
                access,
                net,
                regions,
                limits,
                budget,
                cpu_share,
                ports,
                args,
                env,
                config: texts,
            };
            let site = resident.site.clone();
            let blueprint = Blueprint { engine, component, grounds, config, ticks, nobody: "".into(), site };
            let blueprint = Arc::new(blueprint);
            // A guest's code runs on a stack of its own, too small for another actor on top of it.
            let rt_spec = Spec { nests: false, ..rt_spec };
            ChildSpec::told(rt_spec, restart, move || Guest::start(blueprint.clone()))
        })
    }

    /// Checks a host actor's spec and takes its id.
    pub(super) fn prepare_host(
        &self,
        spec: ActorSpec,
        executor: HostExecutor,
        handler: DeferredHandler,
        default: airssys_rt::Restart,
    ) -> Result<Prepared> {
        if spec.component.is_some() {
            return Err(Error::argument("component", "a host actor has none"));
        }
        check_host_spec(&spec)?;
        let handler: SharedHandler = Arc::new(Mutex::new(handler));
        let executor = match executor {
            HostExecutor::Callback => Executor::Callback,
            HostExecutor::Loop => Executor::Any,
        };
        self.prepare(&spec, ("host", None), default, |resident, rt_spec, restart, (limits, _)| {
            let payload_bytes_max = limits.payload_bytes;
            let id = resident.id.clone();
            ChildSpec::told(Spec { executor, ..rt_spec }, restart, move || {
                let (id, handler) = (id.clone(), handler.clone());
                ready(Ok::<_, Cause>(HostActor { id, handler, payload_bytes_max }))
            })
        })
    }

    /// Checks what all specs share, takes the id and gives it its grants. `stem` is a name for one that has none.
    pub(super) fn prepare(
        &self,
        spec: &ActorSpec,
        (stem, component): (&str, Option<&Loaded>),
        default: airssys_rt::Restart,
        make: impl FnOnce(
            &Arc<Resident>,
            Spec,
            airssys_rt::Restart,
            (ResolvedLimits, &PolicyBudget),
        ) -> (ChildSpec, Told<Letter>),
    ) -> Result<Prepared> {
        check_deadline("shutdown_ms", spec.shutdown)?;
        let id = match &spec.name {
            Some(name) => name.parse::<ActorId>().map_err(|why| Error::argument("name", why))?,
            None => self.directory.free_id(stem)?,
        };
        let digest = component.map(|component| component.info.digest.clone());
        // Held until the actor has what the policy says, so that a new policy finds it.
        let in_force = self.policies.read();
        let resolved = in_force.policy.resolve(id.as_str(), digest.as_deref());
        let limits = spec.limits.resolve()?.within(&resolved.limits)?;
        let rt_spec = super::rt_spec::checked(spec, &limits)?;
        if !spec.grants.is_empty() {
            in_force.check_code()?;
        }
        let shutdown = spec.shutdown.unwrap_or(SHUTDOWN);
        let site = spec.http_listen.as_deref().map(Site::parse).transpose()?;
        let resident = self.take_id(id, shutdown, limits.payload_bytes, digest, site)?;
        self.enter(&resident, spec, &resolved)?;
        if let Some(component) = component.filter(|_| resolved.strict_link) {
            self.check_wants(&resident, component)?;
        }
        drop(in_force);
        let rt_spec = Spec { id: Some(resident.id.clone()), ..rt_spec };
        let restart = spec.restart.map_or(default, super::rt_spec::restart);
        let (child, Told { actor, up }) = make(&resident, rt_spec, restart, (limits, &resolved.budget));
        // Entered once, by the one that took the id.
        let _ = resident.way.set(Way::Actor(actor));
        let child = if spec.significant { child.significant() } else { child };
        Ok(Prepared { resident, child, up })
    }

    /// Gives an actor that has its id its grants, or the id back.
    fn enter(&self, resident: &Arc<Resident>, spec: &ActorSpec, resolved: &Resolved) -> Result<()> {
        let baseline = BASELINE.into_iter().map(|text| (text, Origin::Baseline));
        let from_code = spec.grants.iter().map(|text| (text.as_str(), Origin::Code));
        for (text, origin) in baseline.chain(from_code) {
            if let Err(error) = self.give(resident, text, None, origin) {
                self.forget(&resident.id, &Exit::Normal);
                return Err(error);
            }
        }
        if let Some(why) = self.apply(resident, resolved).into_iter().next() {
            self.forget(&resident.id, &Exit::Normal);
            return Err(Error::argument("policy", why));
        }
        Ok(())
    }

    /// Refuses a guest that may ask for what nothing grants it, where the policy wants that, and gives back its id.
    fn check_wants(&self, resident: &Resident, component: &Loaded) -> Result<()> {
        let given = resident.grants.grants();
        component.check_wants(given.iter().map(|grant| grant.text.as_str())).map_err(|error| {
            self.forget(&resident.id, &Exit::Normal);
            error.at(&resident.id)
        })
    }

    pub(super) fn take_id(
        &self,
        id: ActorId,
        shutdown: Duration,
        payload_bytes_max: u64,
        digest: Option<String>,
        site: Option<Arc<Site>>,
    ) -> Result<Arc<Resident>> {
        self.directory.enter(|handle| Resident {
            handle,
            grants: CapabilitySet::new(id.as_str(), self.audit.clone()),
            regions: self.ports.regions.owner(&id),
            id,
            asks: Arc::default(),
            payload_bytes_max,
            shutdown,
            way: OnceLock::new(),
            digest,
            site,
            from_policy: Mutex::default(),
            given: Mutex::default(),
        })
    }
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
pub(super) fn check_deadline(which: &str, deadline: Option<Duration>) -> Result<()> {
    match deadline {
        Some(Duration::ZERO) => Err(Error::argument(which, "0 is no time to stop; to kill is another call")),
        _ => Ok(()),
    }
}

/// Fails at once where a blocking call could never end.
pub(super) fn check_may_block(what: &str) -> Result<()> {
    if airssys_rt::is_inside() { Err(would_deadlock(what)) } else { Ok(()) }
}
