//! The facade: owned plain data in and out, the same operations for every host.

mod actors;
mod audit;
mod close;
mod compilers;
mod components;
mod directory;
mod environment;
mod events;
mod grants;
mod handing;
mod io;
mod keyvalue;
mod messages;
mod morgue;
mod network;
mod notices;
mod operation;
mod policy;
mod regions;
mod rt_spec;
mod services;
mod supervision;
mod supervisor_spec;
mod timers;
mod topics;
mod watching;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use airssys_osl::{Audit, Kv, ResourceManager};
use airssys_rt::Runtime;
use dashmap::DashMap;
use wasmtime::component::Linker;

pub use self::actors::{DeferredHandler, HostExecutor, HostHandler};
use self::close::Closing;
use self::compilers::Compilers;
use self::directory::Directory;
pub use self::events::Events;
use self::events::Subscriptions;
use self::grants::Given;
use self::io::Io;
use self::operation::Tickets;
pub use self::operation::{Asker, Completion, Operation, Started};
pub use self::supervisor_spec::{ChildSpec, SupervisorSpec};
use crate::component::Loaded;
pub use crate::component::Reply;
use crate::engine::{Engine, Helper, Profile, Settings};
use crate::fork;
use crate::host::hub::Hub;
use crate::host::{Lives, Ports, Programs, Regions, State, add_to_linker};
use crate::types::config::Config;
use crate::types::error::{Code, Error, Result};
use crate::types::info::Stats;

/// One world of components, actors and grants. Any thread may use it; a clone is the same system.
///
/// Dropping the last clone of an unclosed system kills its actors.
#[derive(Clone)]
pub struct System {
    inner: Arc<Inner>,
}

type Grants = Arc<DashMap<u64, Given>>;

pub(crate) struct Inner {
    me: Weak<Inner>,
    forks: u64,
    closed: AtomicBool,
    closing: Closing,
    engine: Engine,
    linker: Linker<State>,
    audit: Arc<Audit>,
    // Before `io`: actors are dropped while their timers can still be cancelled.
    runtime: Arc<Runtime>,
    io: Arc<Io>,
    ports: Arc<Ports>,
    directory: Arc<Directory>,
    grants: Grants,
    components: DashMap<u64, Arc<Loaded>>,
    loads: AtomicU64,
    compilers: Arc<Compilers<Loaded>>,
    subscriptions: Subscriptions,
    tickets: Arc<Tickets>,
    topics: topics::Subscribed,
    timers: timers::Timers,
    morgue: Arc<morgue::Morgue>,
    policies: policy::Policies,
    policy_watch: Option<Duration>,
    /// The store as the host itself uses it.
    kv: Option<Kv>,
}

impl System {
    /// Opens a system: its threads, its engine, its audit log.
    pub fn open(config: Config) -> Result<System> {
        if config.policy_watch == Some(Duration::ZERO) {
            return Err(Error::argument("policy_watch_ms", "0 is no interval; leave it out not to watch"));
        }
        let profile = Profile::parse(config.profile.as_deref())?;
        let audit = audit::open(config.audit, config.audit_options)?;
        let (store, kv) = keyvalue::open(config.kv.as_deref(), &audit)?.unzip();
        let cache =
            config.cache_dir.as_deref().map(|path| components::open_cache(path, &audit)).transpose()?;
        let cached = cache.is_some();
        let helper = config.compile_helper.map(|helper| Helper::new(helper, &audit)).transpose()?;
        let engine = Engine::new(Settings { profile, fuel: config.fuel }, cache, helper)?;
        let mut linker = engine.linker();
        add_to_linker(&mut linker)?;
        let outside = network::outside(config.network)?;
        let io = Arc::new(Io::start()?);
        let (directory, hub, grants) =
            (Arc::<Directory>::default(), Arc::<Hub>::default(), Grants::default());
        let observer = notices::observer(directory.clone(), hub.clone(), grants.clone());
        let runtime = start_runtime(&engine, &io, observer)?;
        let morgue = Arc::<morgue::Morgue>::default();
        runtime.read_dead_letters(Box::new(morgue::reader(morgue.clone(), hub.clone())));
        let watch = components::watch(io.handle().clone(), hub.clone(), cached);
        let compilers = Compilers::new(std::thread::available_parallelism().map_or(1, usize::from), watch);
        let ports = Arc::new(Ports {
            runtime: Arc::downgrade(&runtime),
            hub,
            outside,
            denied: AtomicU64::new(0),
            correlation: AtomicU64::new(0),
            lives: Lives::default(),
            programs: Programs::default(),
            regions: Regions::default(),
            resources: ResourceManager::default(),
            desk: OnceLock::new(),
            store,
        });
        let inner = Arc::new_cyclic(|me| Inner {
            me: me.clone(),
            forks: fork::count(),
            closed: AtomicBool::new(false),
            closing: Closing::default(),
            engine,
            linker,
            audit,
            runtime,
            io,
            ports,
            directory,
            grants,
            components: DashMap::new(),
            loads: AtomicU64::new(0),
            compilers,
            subscriptions: Subscriptions::new(),
            tickets: Arc::default(),
            topics: topics::Subscribed::new(),
            timers: timers::Timers::default(),
            morgue,
            policies: policy::Policies::default(),
            policy_watch: config.policy_watch,
            kv,
        });
        inner.open_desk();
        if let Some(path) = &config.policy {
            inner.load_policy(path)?;
        }
        Ok(System { inner })
    }

    /// The version of this build, as in `0.1.0`.
    pub fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Counters; messages sent = delivered + rejected + dropped + dead letters + those that wait.
    pub fn stats(&self) -> Result<Stats> {
        self.check_fork()?;
        let inner = &self.inner;
        let counts = inner.runtime.counts();
        let (regions, region_bytes) = inner.ports.regions.totals();
        Ok(Stats {
            components: inner.components.len() as u64,
            actors: inner.runtime.len() as u64,
            sent: counts.sent,
            delivered: counts.delivered,
            rejected: counts.rejected,
            dropped: counts.dropped,
            dead_letters: counts.dead_letters,
            restarts: inner.runtime.restarts(),
            denied: inner.ports.denied.load(Relaxed),
            regions,
            region_bytes,
        })
    }

    /// Runs a job that may block on the pool of threads for callbacks.
    pub fn run_callback(&self, job: Box<dyn FnOnce() + Send>) {
        self.inner.runtime.run_callback(job);
    }

    fn check_fork(&self) -> Result<()> {
        if fork::count() == self.inner.forks {
            return Ok(());
        }
        Err(forked())
    }

    /// The system, if it is open and of this process.
    fn open_inner(&self) -> Result<&Arc<Inner>> {
        self.check_fork()?;
        match self.inner.closed.load(Relaxed) {
            true => Err(Error::new(Code::Closed, "the system is closed")),
            false => Ok(&self.inner),
        }
    }

    /// An operation that failed before it began.
    fn failed<T: Send + 'static>(&self, error: Error) -> Operation<T> {
        Operation::ready(Err(error), &self.inner.tickets)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if fork::count() != self.forks {
            // The threads behind these are the parent's: joining them here would wait for ever.
            std::mem::forget((self.runtime.clone(), self.io.clone(), self.audit.clone(), self.kv.clone()));
            return;
        }
        self.ports.hub.close();
        self.compilers.close();
        self.runtime.kill_all();
        self.runtime.end();
        self.ports.close_store();
        self.io.end();
    }
}

/// The error of whatever belongs to the parent of this process.
fn forked() -> Error {
    let text = "the system was opened before this process was forked; open another one here";
    Error::new(Code::Forked, text)
}

/// The workers, and the ticks of the engine.
fn start_runtime(engine: &Engine, io: &Io, observer: airssys_rt::Observer) -> Result<Arc<Runtime>> {
    let runtime = Runtime::start(airssys_rt::Config {
        workers: std::thread::available_parallelism().map_or(2, usize::from),
        io: io.handle().clone(),
        on_tick: engine.tick(),
        observer: Some(observer),
    });
    let no_thread = |why: std::io::Error| Error::new(Code::Io, format!("no thread for a worker: {why}"));
    Ok(Arc::new(runtime.map_err(no_thread)?))
}
