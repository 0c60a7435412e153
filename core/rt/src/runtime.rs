//! A runtime: its workers, its names, its counters.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::runtime::Handle;

use crate::actor::{Actor, Message};
use crate::actor_ref::ActorRef;
use crate::callbacks::Callbacks;
use crate::cell::{Cell, Status};
use crate::error::Error;
use crate::exit::{Cause, Exit};
use crate::id::ActorId;
use crate::life::Life;
use crate::mailbox::{Bounds, Counts};
use crate::promise::{Pending, promise};
use crate::queue::Queue;
use crate::supervision::{Backoff, Intensity, Restart};
use crate::ticker::{Ticker, Ticks};

/// On which threads an actor is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// A worker, or a caller that waits. The actor must not block.
    Any,
    /// An elastic pool of threads, never a worker. The actor may block.
    Callback,
}

/// How an actor is run.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its address.
    pub id: ActorId,
    /// Who polls it.
    pub executor: Executor,
    /// What its mailbox holds.
    pub bounds: Bounds,
    /// When it is started again.
    pub restart: Restart,
    /// How many restarts are too many.
    pub intensity: Intensity,
    /// How long a restart waits.
    pub backoff: Backoff,
}

impl Spec {
    /// The spec of a temporary actor of this id with all defaults.
    pub fn new(id: ActorId) -> Self {
        Self {
            id,
            executor: Executor::Any,
            bounds: Bounds::default(),
            restart: Restart::Temporary,
            intensity: Intensity::default(),
            backoff: Backoff::default(),
        }
    }
}

/// What the observer of a runtime is told, before anybody who waits is answered.
#[derive(Debug)]
pub enum Notice<'a> {
    /// It is up for the first time.
    Started {
        /// Who.
        id: &'a ActorId,
    },
    /// It is up again.
    Restarted {
        /// Who.
        id: &'a ActorId,
        /// How often by now.
        restarts: u64,
    },
    /// It ended without being told to.
    Crashed {
        /// Who.
        id: &'a ActorId,
        /// How.
        exit: &'a Exit,
        /// When it will be started again, if so.
        restart_in: Option<Duration>,
    },
    /// It was restarted as often as it may.
    GaveUp {
        /// Who.
        id: &'a ActorId,
        /// How often.
        restarts: u64,
        /// Within which time.
        period: Duration,
        /// The last exit.
        exit: &'a Exit,
    },
    /// It is down for good.
    Stopped {
        /// Who.
        id: &'a ActorId,
        /// How.
        exit: &'a Exit,
        /// Whether its first start had succeeded.
        was_up: bool,
    },
    /// It ended with messages in its mailbox.
    DeadLetters {
        /// Whose.
        id: &'a ActorId,
        /// How many.
        count: u64,
    },
}

type Observer = Box<dyn Fn(Notice<'_>) + Send + Sync>;

/// What a runtime is given.
pub struct Config {
    /// Threads that poll actors; at least one.
    pub workers: usize,
    /// Where timers and IO live; actors are polled inside it, never on its threads.
    pub io: Handle,
    /// Called at each millisecond tick while actors run.
    pub on_tick: Box<dyn Fn() + Send>,
    /// Told of what happens.
    pub observer: Observer,
}

/// A new actor, and the answer whether it came up.
pub type Spawned<M> = (ActorRef<M>, Pending<(), <M as Message>::Error>);

trait AnyCell: Send + Sync {
    fn counts(&self) -> Counts;
    fn status(&self) -> Status;
    fn terminate(self: Arc<Self>, kill: bool);
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<M: Message> AnyCell for Cell<M> {
    fn counts(&self) -> Counts {
        Cell::counts(self)
    }
    fn status(&self) -> Status {
        Cell::status(self)
    }
    fn terminate(self: Arc<Self>, kill: bool) {
        Cell::terminate(&self, kill);
    }
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// What all actors of one runtime share.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) callbacks: Callbacks,
    pub(crate) ticker: Ticker,
    pub(crate) io: Handle,
    observer: Observer,
    names: DashMap<ActorId, Arc<dyn AnyCell>>,
    retired: Mutex<Counts>,
    restarts: AtomicU64,
    seed: AtomicU64,
}

impl Shared {
    pub(crate) fn notify(&self, notice: Notice<'_>) {
        if let Notice::Restarted { .. } = notice {
            self.restarts.fetch_add(1, Relaxed);
        }
        (self.observer)(notice);
    }

    /// The name is free again; its counts are kept.
    pub(crate) fn retire(&self, id: &ActorId, counts: Counts) {
        self.names.remove(id);
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).add(&counts);
    }

    /// A message came to an actor that is already retired.
    pub(crate) fn count_late(&self, counts: &mut Counts) {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).add(&std::mem::take(counts));
    }

    /// A number in 0..1 for jitter: a counter scattered by a multiplication, which is all that jitter needs.
    pub(crate) fn random(&self) -> f64 {
        let step = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        let mixed = (step ^ (step >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Runs actors. Ended by [`Runtime::end`], or by being dropped, which kills.
pub struct Runtime {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Runtime {
    /// Starts the workers and the ticker.
    pub fn start(config: Config) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Queue::default(),
            callbacks: Callbacks::default(),
            ticker: Ticker::start(config.on_tick)?,
            io: config.io,
            observer: config.observer,
            names: DashMap::new(),
            retired: Mutex::default(),
            restarts: AtomicU64::new(0),
            seed: AtomicU64::new(u64::from(std::process::id())),
        });
        let runtime = Self { shared, workers: Mutex::default() };
        for number in 0..config.workers.max(1) {
            let shared = runtime.shared.clone();
            let worker =
                thread::Builder::new().name(format!("airwasm-work-{number}")).spawn(move || work(&shared))?;
            runtime.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
        Ok(runtime)
    }

    /// Registers an actor and starts it on a worker; the answer comes when it is up. `start` is called for each life.
    pub fn spawn<A, F, S>(&self, spec: Spec, start: F) -> Result<Spawned<A::Message>, Error>
    where
        A: Actor,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        let (resolver, pending) = promise();
        let cell = match self.shared.names.entry(spec.id.clone()) {
            Entry::Occupied(_) => return Err(Error::AlreadyExists),
            Entry::Vacant(vacant) => {
                let cell = Cell::new(spec, self.shared.clone(), Life::new(resolver), start);
                vacant.insert(cell.clone());
                cell
            }
        };
        cell.begin();
        Ok((ActorRef(cell), pending))
    }

    /// The actor of this id and message type, if it lives.
    pub fn lookup<M: Message>(&self, id: &ActorId) -> Option<ActorRef<M>> {
        let cell = self.shared.names.get(id)?.value().clone();
        cell.as_any().downcast::<Cell<M>>().ok().map(ActorRef)
    }

    /// All live actors with what they do, in the order of their ids.
    pub fn list(&self) -> Vec<(ActorId, Status)> {
        let mut list: Vec<_> =
            self.shared.names.iter().map(|entry| (entry.key().clone(), entry.value().status())).collect();
        list.sort_by(|one, other| one.0.cmp(&other.0));
        list
    }

    /// How many actors live.
    pub fn len(&self) -> usize {
        self.shared.names.len()
    }

    /// Whether no actor lives.
    pub fn is_empty(&self) -> bool {
        self.shared.names.is_empty()
    }

    /// What became of all messages so far.
    pub fn counts(&self) -> Counts {
        let mut counts = *self.shared.retired.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in &self.shared.names {
            counts.add(&entry.value().counts());
        }
        counts
    }

    /// Restarts of all actors so far.
    pub fn restarts(&self) -> u64 {
        self.shared.restarts.load(Relaxed)
    }

    /// The tick of now.
    pub fn ticks(&self) -> Ticks {
        self.shared.ticker.ticks().clone()
    }

    /// Runs a job that may block on the pool for callbacks.
    pub fn run_callback(&self, job: Box<dyn FnOnce() + Send>) {
        self.shared.callbacks.run(job);
    }

    /// Kills every actor that still lives.
    pub fn kill_all(&self) {
        let cells: Vec<_> = self.shared.names.iter().map(|entry| entry.value().clone()).collect();
        for cell in cells {
            cell.terminate(true);
        }
    }

    /// Lets the workers end once nothing is queued, and waits for them unless this thread is one.
    pub fn end(&self) {
        self.shared.queue.end();
        self.shared.callbacks.end();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if worker.thread().id() != thread::current().id() {
                // A worker catches the panics of actors; what is left to report is nothing.
                let _ = worker.join();
            }
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.kill_all();
        self.end();
    }
}

fn work(shared: &Shared) {
    crate::mark_inside();
    let _io = shared.io.enter();
    let ticker = &shared.ticker;
    ticker.enter();
    while let Some(actor) = shared.queue.next(|| ticker.leave(), || ticker.enter()) {
        // What an actor's own code throws is caught closer to it; this keeps the worker whatever else may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| actor.run()));
    }
    ticker.leave();
}
