//! What a store holds: the actor's grants, its way to the others, and the tables of WASI.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use airssys_osl::{Ask, CapabilitySet, Denial, ENTRIES_MAX, Files, Guard, ResourceManager, Store};
use airssys_rt::{ActorId, Runtime};
use serde_json::json;
use tokio::sync::Semaphore;
use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;

use super::asks::Asks;
use super::baseline::Baseline;
use super::desk::Desk;
use super::environment::Environment;
use super::http::Exchanges;
use super::hub::Hub;
use super::life::{Access, Life, Lives, Living};
use super::network::{Net, Outside};
use super::programs::Programs;
use super::regions::{Owner, Regions};
use super::stdio::{Log, Logs, Stream, Tail};
use crate::engine::{Bounded, Limiter, Meter};
use crate::types::cpu_share::CpuShare;
use crate::types::error::{Code, Error, Result};
use crate::types::event::detail;
use crate::types::limits::{ResolvedBudget, ResolvedLimits};
use crate::types::tab::Tab;

/// The ways out of an actor: other actors, the network, and whoever listens.
pub(crate) struct Ports {
    pub runtime: Weak<Runtime>,
    pub hub: Arc<Hub>,
    pub outside: Outside,
    pub denied: std::sync::atomic::AtomicU64,
    pub correlation: std::sync::atomic::AtomicU64,
    pub lives: Lives,
    pub programs: Programs,
    /// The key-value store, if there is one.
    pub store: Option<Store>,
    pub regions: Regions,
    /// What all actors together may have open and running.
    pub resources: ResourceManager,
    /// Set once the system that it speaks for is made.
    pub desk: OnceLock<Desk>,
}

impl Ports {
    /// Writes what waits to be, and lets others open the store.
    pub(crate) fn close_store(&self) {
        if let Some(store) = &self.store {
            store.close();
        }
    }

    /// Counts a refusal and tells it.
    pub(crate) fn denied(&self, denial: &Denial) {
        self.denied.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.hub.tell("capability.denied", Some(&denial.actor), || {
            let mut facts = detail("capability", denial.capability.clone());
            facts.insert("function".to_owned(), denial.function.clone().into());
            facts.insert("policy_line".to_owned(), denial.policy_line().into());
            if let Some(rule) = &denial.rule {
                facts.insert("rule".to_owned(), rule.to_string().into());
            }
            facts
        });
    }
}

/// What every life of an actor is made of.
#[derive(Clone)]
pub(crate) struct Grounds {
    pub id: ActorId,
    pub grants: CapabilitySet,
    /// For more than these.
    pub asks: Arc<Asks>,
    pub access: Access,
    pub net: Net,
    /// As one that may have regions.
    pub regions: Owner,
    pub limits: ResolvedLimits,
    pub budget: ResolvedBudget,
    /// Of a processor, if it is bounded.
    pub cpu_share: Option<Arc<CpuShare>>,
    pub ports: Arc<Ports>,
    pub args: Arc<[String]>,
    /// Names and values; which of them a life sees is the grants' business.
    pub env: Arc<[(String, String)]>,
    /// The texts of its config, which are its own: no grant is asked for them.
    pub config: Arc<[(String, String)]>,
}

/// The last refusal while a message was handled, and where refusals are told.
pub(crate) struct Refusals {
    grants: CapabilitySet,
    ports: Arc<Ports>,
    last: Mutex<Option<Denial>>,
}

impl Refusals {
    /// Of one life with these grants.
    pub(crate) fn new(grants: CapabilitySet, ports: Arc<Ports>) -> Arc<Self> {
        Arc::new(Self { grants, ports, last: Mutex::default() })
    }

    /// Decides; a refusal is noted and told.
    pub(crate) fn check(&self, ask: &Ask, function: &str) -> std::result::Result<Guard, Denial> {
        self.grants.check(ask, function).inspect_err(|denial| self.note(denial))
    }

    /// Decides; a refusal is told, and excuses nothing: what is only left out fails nobody.
    pub(crate) fn check_optional(&self, ask: &Ask, function: &str) -> std::result::Result<Guard, Denial> {
        self.grants.check(ask, function).inspect_err(|denial| self.ports.denied(denial))
    }

    /// Decides without a word to anybody.
    pub(crate) fn covers(&self, ask: &Ask) -> bool {
        self.grants.covers(ask)
    }

    /// Notes and tells a refusal that osl decided.
    pub(crate) fn note(&self, denial: &Denial) {
        self.tell(denial);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(denial.clone());
    }

    /// Tells a refusal that is no reason for what becomes of the message at hand.
    pub(crate) fn tell(&self, denial: &Denial) {
        self.ports.denied(denial);
    }

    pub(crate) fn take(&self) -> Option<Denial> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) grounds: Grounds,
    pub(crate) files: Files,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) baseline: Baseline,
    pub(crate) environment: Environment,
    pub(crate) table: ResourceTable,
    /// Room for what directories were listed, as long as a stream of it is open.
    pub(crate) listings: Arc<Semaphore>,
    /// When the caller of the message at hand stops waiting.
    pub(crate) deadline: Option<Instant>,
    /// Ends with the store, and with it what others do on behalf of this life.
    pub(crate) living: Living,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    http_hooks: Exchanges,
    limiter: Limiter,
    meter: Arc<Meter>,
    stderr: Arc<Mutex<Tail>>,
    logs: Logs,
}

/// The resource table alone, for the interfaces of wasi:io.
pub(crate) struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

impl State {
    /// A fresh state for one life; `ticks` is the system's clock.
    pub(crate) fn new(grounds: Grounds, ticks: airssys_rt::Ticks) -> Self {
        let refusals = Refusals::new(grounds.grants.clone(), grounds.ports.clone());
        let life = Life::new(grounds.id.clone(), grounds.access.clone(), refusals.clone());
        let stderr = Arc::new(Mutex::new(Tail::default()));
        let baseline = Baseline::new(refusals.clone());
        let log = |stream| Log::new(stream, &grounds, baseline.clone(), stderr.clone());
        let (stdout, errors) = (log(Stream::Stdout), log(Stream::Stderr));
        let logs = Logs::new(&stdout, &errors);
        // Nothing is inherited from the host process.
        let wasi = WasiCtxBuilder::new().stdout(stdout).stderr(errors).max_random_size(1 << 20).build();
        let meter = Arc::new(Meter::new(ticks, grounds.budget, grounds.cpu_share.clone()));
        let (net, to) = (grounds.net.clone(), refusals.clone());
        Self {
            files: grounds.access.files.clone(),
            living: Living::begin(life, &grounds.ports),
            environment: Environment::new(grounds.env.clone(), refusals.clone()),
            http_hooks: Exchanges { net, refusals: to, meter: meter.clone() },
            baseline,
            refusals,
            table: ResourceTable::new(),
            listings: Arc::new(Semaphore::new(ENTRIES_MAX)),
            deadline: None,
            wasi,
            http: WasiHttpCtx::new(),
            limiter: Limiter::new(&grounds.limits),
            meter,
            stderr,
            logs,
            grounds,
        }
    }

    /// A message begins: what was refused before is no excuse any more.
    pub(crate) fn begin(&mut self, deadline: Option<Instant>, payer: Option<Weak<Tab>>) {
        self.deadline = deadline;
        self.meter.charge_to(payer);
        self.refusals.take();
    }

    /// The refusal behind a failure of the message at hand, with the failure as its cause, or the failure itself.
    pub(crate) fn blame(&self, failure: Error) -> Error {
        // A guest that used too much did so whatever it was refused before.
        if matches!(failure.code, Code::BudgetExceeded | Code::LimitExceeded) {
            return failure;
        }
        let Some(denial) = self.refusals.take() else {
            return failure;
        };
        let cause =
            json!({ "code": failure.code.name(), "message": failure.message, "detail": failure.detail });
        Error::from(denial).with("cause", cause)
    }

    /// The end of what the guest wrote to its standard error in this life, at most 2 KiB.
    pub(crate) fn stderr_tail(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).text()
    }

    /// The life ends: what it wrote is told to the last byte.
    pub(crate) fn end_logs(&self) {
        self.logs.end();
    }

    /// Counts the bytes that leave the guest.
    pub(crate) fn output(&self, bytes: usize) -> Result<()> {
        self.meter.output(bytes)
    }

    /// What a request of this guest is charged to: whoever works on it uses up this message's budget as well.
    pub(crate) fn tab(&self) -> Weak<Tab> {
        self.meter.tab()
    }

    pub(crate) fn called(&mut self) -> &mut Self {
        self.meter.host_call();
        self
    }

    pub(crate) fn called_table(&mut self) -> &mut ResourceTable {
        &mut self.called().table
    }

    pub(crate) fn called_cli(&mut self) -> wasmtime_wasi::cli::WasiCliCtxView<'_> {
        self.called().cli()
    }
}

impl Bounded for State {
    fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl wasmtime_wasi_http::WasiHttpView for State {
    fn http(&mut self) -> wasmtime_wasi_http::WasiHttpCtxView<'_> {
        self.meter.host_call();
        wasmtime_wasi_http::WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.http_hooks,
        }
    }
}
