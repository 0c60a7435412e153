//! What all actors of one runtime share: its tables, queues and clocks.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use dashmap::DashMap;
use tokio::runtime::Handle as Io;
use tokio::task::AbortHandle;

use crate::callbacks::Callbacks;
use crate::counts::Counts;
use crate::dead_letters::DeadLetters;
use crate::deadlines::Deadlines;
use crate::error::Error;
use crate::exit::Exit;
use crate::foreign;
use crate::grace::{LastPolls, Watch};
use crate::groups::Groups;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::names::Names;
use crate::node::{Core, Node, Parent};
use crate::notice::Notice;
use crate::pubsub::AnyPubSub;
use crate::queue::Queue;
use crate::runtime::{Config, Observer};
use crate::slots::Slots;
use crate::ticker::Ticker;
use crate::timer::Timers;
use crate::trace;
use crate::watch::{MonitorIds, WATCHERS_MAX, Watcher};

/// Actors and supervisors that may live at once.
const NODES_MAX: usize = 4_000_000;

/// What all actors of one runtime share.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) callbacks: Callbacks,
    pub(crate) ticker: Ticker,
    pub(crate) deadlines: Deadlines,
    pub(crate) last_polls: LastPolls,
    pub(crate) io: Io,
    observer: Option<Observer>,
    pub(crate) slots: Slots<Arc<dyn Node>>,
    pub(crate) names: Names,
    pub(crate) groups: Groups,
    pub(crate) timers: Timers,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) monitor_ids: MonitorIds,
    pub(crate) pubsubs: DashMap<TypeId, Arc<dyn AnyPubSub>>,
    pub(crate) retired: Mutex<Counts>,
    pub(crate) restarts: AtomicU64,
    /// Those that have not ended.
    workers: AtomicUsize,
    /// All workers have ended.
    ended: AtomicBool,
    serial: AtomicU64,
    seed: AtomicU64,
}

impl Shared {
    pub(crate) fn start(config: Config) -> std::io::Result<Arc<Self>> {
        let workers = config.workers.max(1);
        let last_polls = LastPolls::new(workers);
        let (watch, me, io) = (Watch::new(last_polls.clone()), Arc::new(OnceLock::new()), config.io.clone());
        let on_tick = watched(config.on_tick, watch, me.clone(), io);
        let shared = Arc::new(Self {
            queue: Queue::default(),
            callbacks: Callbacks::default(),
            ticker: Ticker::start(on_tick)?,
            last_polls,
            deadlines: Deadlines::start(&config.io),
            io: config.io,
            observer: config.observer,
            slots: Slots::new(NODES_MAX),
            names: Names::default(),
            groups: Groups::new(),
            timers: Timers::default(),
            dead_letters: DeadLetters::default(),
            monitor_ids: MonitorIds::default(),
            pubsubs: DashMap::new(),
            retired: Mutex::default(),
            restarts: AtomicU64::new(0),
            workers: AtomicUsize::new(workers),
            ended: AtomicBool::new(false),
            serial: AtomicU64::new(0),
            seed: AtomicU64::new(u64::from(std::process::id())),
        });
        // Set once, here.
        let _ = me.set(Arc::downgrade(&shared));
        Ok(shared)
    }

    /// Tells the observer and subscribers of `tracing`, if there are any; the notice is made only then.
    pub(crate) fn notify<'a, F>(&self, core: &'a Core, notice: F)
    where
        F: FnOnce(&'a ActorId) -> Notice<'a>,
    {
        let traced = trace::is_wanted();
        if self.observer.is_none() && !traced {
            return;
        }
        let notice = notice(core.id_ref());
        if traced {
            trace::tell(&notice);
        }
        if let Some(observer) = &self.observer {
            foreign::call("observer", || observer(notice));
        }
    }

    /// A worker has ended. The last one lets go of all actors, which hold this in turn.
    pub(crate) fn worker_ended(&self) {
        if self.workers.fetch_sub(1, SeqCst) == 1 {
            self.ended.store(true, SeqCst);
            self.queue.close();
            // Newest first, as they would have been stopped.
            let mut left = self.slots.snapshot();
            left.sort_by_key(|node| std::cmp::Reverse(node.core().serial));
            left.into_iter().for_each(Node::abolish);
            self.slots.clear();
        }
    }

    /// Whether fewer threads poll than there are workers.
    pub(crate) fn has_idle_worker(&self) -> bool {
        self.ticker.active() < self.workers.load(Relaxed)
    }

    /// A life has begun after another one.
    pub(crate) fn count_restart(&self) {
        self.restarts.fetch_add(1, Relaxed);
    }

    /// Gives a new node its slot and its name.
    pub(crate) fn enter<N: Node + 'static>(
        &self,
        id: Option<ActorId>,
        parent: Option<Parent>,
        make: impl FnOnce(Core) -> Arc<N>,
    ) -> Result<Arc<N>, Error> {
        if self.ended.load(SeqCst) {
            return Err(Error::Stopped(Exit::Shutdown));
        }
        let serial = self.serial.fetch_add(1, Relaxed);
        let mut made = None;
        // Named before anybody can find it: one whose name is taken never was.
        let entered = self.slots.insert_if(|handle| {
            if let Some(id) = &id
                && !self.names.register(id, handle)
            {
                return None;
            }
            let node = make(Core::new(handle, id.clone(), parent, serial));
            made = Some(node.clone());
            Some(node as Arc<dyn Node>)
        });
        entered
            .map_err(|_| Error::TooMany { what: "actors", max: NODES_MAX })?
            .ok_or(Error::AlreadyExists)?;
        made.ok_or(Error::NotFound)
    }

    /// The node of this number, if it has not ended for good.
    pub(crate) fn node(&self, handle: Handle) -> Option<Arc<dyn Node>> {
        self.slots.get(handle)
    }

    /// Its name and slot are free again; its counts are kept. Done once.
    pub(crate) fn retire(&self, core: &Core, counts: &Counts) {
        self.keep(counts);
        if self.slots.remove(core.handle).is_none() {
            return;
        }
        if let Some(id) = core.given() {
            self.names.unregister(id, core.handle);
        }
        self.groups.leave_all(core.handle);
        if core.has_timers.load(SeqCst) {
            self.timers.end(core.handle);
        }
        if core.subscribes.load(SeqCst) {
            self.pubsubs.iter().for_each(|topics| topics.forget(core.handle));
        }
    }

    /// Counts of one that is retired.
    fn keep(&self, counts: &Counts) {
        if *counts != Counts::default() {
            self.retired.lock().unwrap_or_else(PoisonError::into_inner).add(counts);
        }
    }

    /// A message came to an actor that is already retired.
    pub(crate) fn count_late(&self, late: impl FnOnce() -> Option<Counts>) {
        if let Some(counts) = late() {
            self.keep(&counts);
        }
    }

    /// Calls `then` after a time, unless aborted before.
    pub(crate) fn after(&self, delay: Duration, then: impl FnOnce() + Send + 'static) -> AbortHandle {
        let waits = async move {
            tokio::time::sleep(delay).await;
            then();
        };
        self.io.spawn(waits).abort_handle()
    }

    /// A number in 0..1 for jitter: a counter scattered by a multiplication, which is all that jitter needs.
    pub(crate) fn random(&self) -> f64 {
        let step = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        let mixed = (step ^ (step >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Adds one who wants to know of an end.
    pub(crate) fn watch(&self, target: Handle, watcher: Watcher) -> Result<(), Error> {
        let node = self.node(target).ok_or(Error::NotFound)?;
        node.watch(watcher).map_err(|stopped| match stopped {
            Some(exit) => Error::Stopped(exit),
            None => Error::TooMany { what: "monitors and links of one actor", max: WATCHERS_MAX },
        })
    }

    /// Links two nodes; both ends or none.
    pub(crate) fn link(&self, one: Handle, other: Handle) -> Result<(), Error> {
        if one == other {
            return Ok(());
        }
        let (first, second) =
            (self.node(one).ok_or(Error::NotFound)?, self.node(other).ok_or(Error::NotFound)?);
        self.watch(other, Watcher::Link { handle: one, node: Arc::downgrade(&first) })?;
        let back = self.watch(one, Watcher::Link { handle: other, node: Arc::downgrade(&second) });
        if back.is_err() {
            second.unlink(one);
        }
        back
    }

    /// Undoes a link.
    pub(crate) fn unlink(&self, one: Handle, other: Handle) {
        for (from, to) in [(one, other), (other, one)] {
            if let Some(node) = self.node(from) {
                node.unlink(to);
            }
        }
    }
}

/// What is done at each tick: the host's part, and a look at polls in which an actor is to stop and that last.
fn watched(
    on_tick: Box<dyn Fn() + Send>,
    mut watch: Watch,
    shared: Arc<OnceLock<Weak<Shared>>>,
    io: Io,
) -> Box<dyn FnMut() + Send> {
    Box::new(move || {
        on_tick();
        for actor in watch.tick() {
            let shared = shared.clone();
            // Not on the ticker's thread: what it held last would wait there for its own end.
            io.spawn(async move {
                if let Some(node) = shared.get().and_then(Weak::upgrade).and_then(|it| it.node(actor)) {
                    node.lasts();
                }
            });
        }
    })
}
