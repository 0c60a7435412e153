//! A runtime: its workers, its names, its counters.

use std::any::TypeId;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use tokio::runtime::Handle as Io;
use tokio::task::AbortHandle;

use crate::actor::{Actor, Message};
use crate::actor_ref::ActorRef;
use crate::callbacks::Callbacks;
use crate::cell::Cell;
use crate::child::{ChildSpec, SupervisorSpec};
use crate::counts::Counts;
use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::deadlines::Deadlines;
use crate::error::Error;
use crate::exit::{Cause, Exit};
use crate::groups::Groups;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::id_pattern::IdPattern;
use crate::life::Life;
use crate::names::Names;
use crate::node::{Core, Ending, Node, Parent, Status};
use crate::notice::Notice;
use crate::promise::{Pending, promise};
use crate::pubsub::{AnyPubSub, PubSub};
use crate::queue::Queue;
use crate::slots::Slots;
use crate::spec::Spec;
use crate::supervision::{AutoShutdown, Restart, Rules};
use crate::supervisor::Supervisor;
use crate::supervisor_ref::{Asked, SupervisorRef};
use crate::ticker::{Ticker, Ticks};
use crate::trace;
use crate::tree::{Branch, branch};
use crate::watch::{Down, MonitorId, MonitorIds, Mourner, Watcher};

/// Actors and supervisors that may live at once.
const NODES_MAX: usize = 4_000_000;

/// Told of what happens.
pub type Observer = Box<dyn Fn(Notice<'_>) + Send + Sync>;

/// What a runtime is given.
pub struct Config {
    /// Threads that poll actors; at least one.
    pub workers: usize,
    /// Where timers and IO live; actors are polled inside it, never on its threads.
    pub io: Io,
    /// Called at each millisecond tick while actors run.
    pub on_tick: Box<dyn Fn() + Send>,
    /// Told of what happens, if anybody wants to know.
    pub observer: Option<Observer>,
}

/// A new actor, and the answer whether it came up.
pub type Spawned<M> = (ActorRef<M>, Pending<(), <M as Message>::Error>);

/// What all actors of one runtime share.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) callbacks: Callbacks,
    pub(crate) ticker: Ticker,
    pub(crate) deadlines: Deadlines,
    pub(crate) io: Io,
    observer: Option<Observer>,
    slots: Slots<Arc<dyn Node>>,
    names: Names,
    groups: Groups,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) monitor_ids: MonitorIds,
    pubsubs: DashMap<TypeId, Arc<dyn AnyPubSub>>,
    retired: Mutex<Counts>,
    restarts: AtomicU64,
    /// Those that have not ended.
    workers: AtomicUsize,
    serial: AtomicU64,
    seed: AtomicU64,
}

impl Shared {
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
            observer(notice);
        }
    }

    /// A worker has ended. The last one lets go of all actors, which hold this in turn.
    fn worker_ended(&self) {
        if self.workers.fetch_sub(1, SeqCst) == 1 {
            self.queue.close();
            self.slots.clear();
        }
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
        let serial = self.serial.fetch_add(1, Relaxed);
        let mut made = None;
        let entered = self.slots.insert(|handle| {
            let node = make(Core::new(handle, id.clone(), parent, serial));
            made = Some(node.clone());
            node as Arc<dyn Node>
        });
        let (handle, _) = entered.map_err(|_| Error::TooMany("actors"))?;
        if let Some(id) = id
            && !self.names.register(id, handle)
        {
            self.slots.remove(handle);
            return Err(Error::AlreadyExists);
        }
        made.ok_or(Error::NotFound)
    }

    /// The node of this number, if it has not ended for good.
    pub(crate) fn node(&self, handle: Handle) -> Option<Arc<dyn Node>> {
        self.slots.get(handle)
    }

    /// Its name and slot are free again; its counts are kept. Done once.
    pub(crate) fn retire(&self, core: &Core, counts: impl FnOnce() -> Counts) {
        if self.slots.remove(core.handle).is_none() {
            return;
        }
        if let Some(id) = core.given() {
            self.names.unregister(id, core.handle);
        }
        self.groups.leave_all(core.handle);
        if core.subscribes.load(SeqCst) {
            self.pubsubs.iter().for_each(|topics| topics.forget(core.handle));
        }
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).add(&counts());
    }

    /// A message came to an actor that is already retired.
    pub(crate) fn count_late(&self, late: impl FnOnce() -> Option<Counts>) {
        if let Some(counts) = late() {
            self.retired.lock().unwrap_or_else(PoisonError::into_inner).add(&counts);
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
            None => Error::TooMany("monitors and links of one actor"),
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
            deadlines: Deadlines::start(&config.io),
            io: config.io,
            observer: config.observer,
            slots: Slots::new(NODES_MAX),
            names: Names::default(),
            groups: Groups::new(),
            dead_letters: DeadLetters::default(),
            monitor_ids: MonitorIds::default(),
            pubsubs: DashMap::new(),
            retired: Mutex::default(),
            restarts: AtomicU64::new(0),
            workers: AtomicUsize::new(config.workers.max(1)),
            serial: AtomicU64::new(0),
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

    /// Registers an actor that nobody restarts, and starts it on a worker; the answer comes when it is up.
    pub fn spawn<A, F, S>(&self, spec: Spec, start: F) -> Result<Spawned<A::Message>, Error>
    where
        A: Actor,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        let (resolver, pending) = promise();
        let id = spec.id.clone();
        let cell = self.shared.enter(id, None, |core| {
            Cell::new(core, spec, self.shared.clone(), Life::new(Some(resolver)), start)
        })?;
        cell.as_node().begin();
        Ok((ActorRef(cell), pending))
    }

    /// The same for an actor that is restarted by a supervisor of its own, with these rules. `start` is called for each life.
    pub fn spawn_restarted<A, F, S>(
        &self,
        spec: Spec,
        restart: Restart,
        rules: Rules,
        start: F,
    ) -> Result<Spawned<A::Message>, Error>
    where
        A: Actor,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        let (child, told) = ChildSpec::told(spec, restart, start);
        self.spawn_child(child, rules)?;
        let actor = told.actor.get().cloned().ok_or(Error::NotFound)?;
        Ok((actor, told.up))
    }

    /// Starts a child that has no siblings: by itself if it is temporary, else under a supervisor of its own, which is
    /// not shown and ends with it.
    pub fn spawn_child(&self, mut child: ChildSpec, rules: Rules) -> Result<(), Error> {
        if child.restart == Restart::Temporary {
            let node = (child.make)(&self.shared, None)?;
            node.begin();
            return Ok(());
        }
        // A supervisor whose only child is done is done too.
        child.significant = child.restart == Restart::Transient;
        let rules = Rules { auto_shutdown: AutoShutdown::AnySignificant, ..rules };
        let (shutdown, children) = (crate::Shutdown::Infinity, vec![child]);
        let spec = SupervisorSpec { id: None, rules, shutdown, children };
        let supervisor: Arc<dyn Node> = Supervisor::make(&self.shared, spec, None, None)?;
        supervisor.begin();
        Ok(())
    }

    /// Makes a supervisor with its children and starts them left to right; the answer comes when all are up. Nothing is
    /// started if a spec is wrong or a name taken.
    pub fn supervise(&self, spec: SupervisorSpec) -> Result<(SupervisorRef, Asked<()>), Error> {
        let (resolver, pending) = promise();
        let supervisor = Supervisor::make(&self.shared, spec, None, Some(resolver))?;
        let node: Arc<dyn Node> = supervisor.clone();
        node.begin();
        Ok((SupervisorRef(supervisor), pending))
    }

    /// The number that this name has now.
    pub fn find(&self, id: &ActorId) -> Option<Handle> {
        self.shared.names.find(id)
    }

    /// The actor of this id and message type, if it lives.
    pub fn lookup<M: Message>(&self, id: &ActorId) -> Option<ActorRef<M>> {
        self.actor(self.find(id)?)
    }

    /// The actor of this number and message type, if it has not ended for good.
    pub fn actor<M: Message>(&self, handle: Handle) -> Option<ActorRef<M>> {
        self.shared.node(handle)?.as_any().downcast::<Cell<M>>().ok().map(ActorRef)
    }

    /// The supervisor of this number.
    pub fn supervisor(&self, handle: Handle) -> Option<SupervisorRef> {
        self.shared.node(handle)?.as_any().downcast::<Supervisor>().ok().map(SupervisorRef)
    }

    /// Lets an actor or supervisor stop, and kills it after `grace`. Done when it is down.
    pub fn stop(&self, target: Handle, grace: Duration) -> Asked<()> {
        let (resolver, pending) = promise();
        let done = move || {
            resolver.settle(Ok(()));
        };
        match self.shared.node(target) {
            Some(node) => node.stop(Ending::Stop(Some(grace)), Box::new(done)),
            None => done(),
        }
        pending.toward(&self.shared, target, None)
    }

    /// Ends an actor or supervisor at its next await, without any hook. Nobody restarts it.
    pub fn kill(&self, target: Handle) {
        if let Some(node) = self.shared.node(target) {
            node.stop(Ending::Kill, Box::new(|| ()));
        }
    }

    /// What an actor or supervisor is doing, if it has not ended for good.
    pub fn status(&self, target: Handle) -> Option<Status> {
        self.shared.node(target).map(|node| node.status())
    }

    /// The named ones that match, in the order of their names.
    pub fn matching(&self, pattern: &IdPattern) -> Vec<(ActorId, Handle)> {
        self.shared.names.matching(pattern)
    }

    /// All live actors and supervisors with what they do, in the order of their ids.
    pub fn list(&self) -> Vec<(ActorId, Status)> {
        let nodes = self.shared.slots.snapshot();
        let shown = nodes.iter().filter(|node| !node.is_hidden());
        let mut list: Vec<_> = shown.map(|node| (node.core().id(), node.status())).collect();
        list.sort_by(|one, other| one.0.cmp(&other.0));
        list
    }

    /// Who supervises whom, in the order of the starts.
    pub fn tree(&self) -> Vec<Branch> {
        self.roots().iter().flat_map(branch).collect()
    }

    fn roots(&self) -> Vec<Arc<dyn Node>> {
        let mut roots = self.shared.slots.snapshot();
        roots.retain(|node| node.core().parent.is_none());
        roots.sort_by_key(|node| node.core().serial);
        roots
    }

    /// How many actors and supervisors live.
    pub fn len(&self) -> usize {
        self.shared.slots.len()
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What became of all messages so far; exact when none is on its way.
    pub fn counts(&self) -> Counts {
        let mut counts = *self.shared.retired.lock().unwrap_or_else(PoisonError::into_inner);
        for node in self.shared.slots.snapshot() {
            counts.add(&node.counts());
        }
        counts
    }

    /// Restarts of all actors and supervisors so far.
    pub fn restarts(&self) -> u64 {
        self.shared.restarts.load(Relaxed)
    }

    /// The tick of now.
    pub fn ticks(&self) -> Ticks {
        self.shared.ticker.ticks().clone()
    }

    /// Tells somebody when the life at hand of this actor or supervisor ends; at most once.
    pub fn monitor(&self, target: Handle, mourner: Box<dyn Mourner>) -> Result<MonitorId, Error> {
        let monitor = self.shared.monitor_ids.next();
        self.shared.watch(target, Watcher::Other { monitor, mourner }).map(|()| monitor)
    }

    /// The end of the life at hand of this actor or supervisor, to be waited for.
    pub fn down(&self, target: Handle) -> Result<Asked<Down>, Error> {
        let (resolver, pending) = promise();
        self.monitor(target, Box::new(resolver))?;
        Ok(pending.toward(&self.shared, target, None))
    }

    /// Undoes a monitor; `false` if it has been used up.
    pub fn demonitor(&self, target: Handle, monitor: MonitorId) -> bool {
        self.shared.node(target).is_some_and(|node| node.demonitor(monitor))
    }

    /// Links two: when the life of one ends badly, so does that of the other. A link lasts as long as both lives.
    pub fn link(&self, one: Handle, other: Handle) -> Result<(), Error> {
        self.shared.link(one, other)
    }

    /// Undoes a link.
    pub fn unlink(&self, one: Handle, other: Handle) {
        self.shared.unlink(one, other);
    }

    /// Puts an actor into a group, which it leaves at its end.
    pub fn join(&self, group: &str, member: Handle) -> Result<(), Error> {
        let node = self.shared.node(member).ok_or(Error::NotFound)?;
        self.shared
            .groups
            .join(group, member)
            .map_err(|_| Error::TooMany("groups, or bytes of a group's name"))?;
        if self.shared.node(node.core().handle).is_none() {
            // It ended meanwhile.
            self.shared.groups.leave_all(member);
        }
        Ok(())
    }

    /// Takes an actor out of a group; `false` if it was not in it.
    pub fn leave(&self, group: &str, member: Handle) -> bool {
        self.shared.groups.leave(group, member)
    }

    /// The members of a group in the order in which they joined.
    pub fn members(&self, group: &str) -> Vec<Handle> {
        self.shared.groups.members(group)
    }

    /// The groups that have members.
    pub fn groups(&self) -> Vec<Arc<str>> {
        self.shared.groups.groups()
    }

    /// Sends the same to each of these; how many mailboxes took it.
    pub fn broadcast<M: Message + Clone>(&self, to: &[ActorRef<M>], message: &M) -> usize {
        crate::pubsub::broadcast(&self.shared, to.iter(), message)
    }

    /// Topics for messages of this type; the same each time.
    pub fn topics<M: Message + Clone + Sync>(&self) -> Arc<PubSub<M>> {
        let made = || Arc::new(PubSub::<M>::new(Arc::downgrade(&self.shared))) as Arc<dyn AnyPubSub>;
        let topics = self.shared.pubsubs.entry(TypeId::of::<M>()).or_insert_with(made).clone();
        topics.as_any().downcast().unwrap_or_else(|_| Arc::new(PubSub::new(Arc::downgrade(&self.shared))))
    }

    /// Shows each message that was still queued when its actor ended to `reader`, instead of an earlier reader.
    pub fn read_dead_letters<M: Message>(&self, reader: impl Fn(DeadLetter<'_, M>) + Send + Sync + 'static) {
        self.shared.dead_letters.read(Box::new(reader));
    }

    /// Runs a job that may block on the pool for callbacks.
    pub fn run_callback(&self, job: Box<dyn FnOnce() + Send>) {
        self.shared.callbacks.run(job);
    }

    /// Stops everything, the trees in reverse order of their starts, and kills at the deadline what is left then.
    pub fn stop_all(&self, deadline: Instant) -> Asked<Stopped> {
        let (resolver, pending) = promise();
        let roots = self.roots();
        self.shared.io.spawn(async move {
            let mut stopped = Stopped::default();
            for root in roots.into_iter().rev() {
                stopped.add(stop_root(root, deadline).await);
            }
            resolver.settle(Ok(stopped));
        });
        pending
    }

    /// Kills every actor that still lives.
    pub fn kill_all(&self) {
        for node in self.roots() {
            node.stop(Ending::Kill, Box::new(|| ()));
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

/// What became of those that were stopped together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Those that ended in time, supervisors among them.
    pub stopped: u64,
    /// Those that were killed at the deadline.
    pub killed: u64,
}

impl Stopped {
    fn add(&mut self, other: Stopped) {
        self.stopped += other.stopped;
        self.killed += other.killed;
    }
}

/// Stops one tree, and kills it at the deadline.
async fn stop_root(root: Arc<dyn Node>, deadline: Instant) -> Stopped {
    let nodes = crate::tree::all(&root);
    let (told, mut down) = tokio::sync::oneshot::channel();
    let grace = deadline.saturating_duration_since(Instant::now());
    let done = move || {
        // The other end waits, or the runtime is gone.
        let _ = told.send(());
    };
    root.clone().stop(Ending::Stop(None), Box::new(done));
    if tokio::time::timeout(grace, &mut down).await.is_err() {
        root.end(Ending::Kill);
        let _ = down.await;
    }
    let mut stopped = Stopped::default();
    for node in nodes.iter().filter(|node| !node.is_hidden()) {
        match node.status().last_exit {
            Some(Exit::Killed) => stopped.killed += 1,
            _ => stopped.stopped += 1,
        }
    }
    stopped
}

fn work(shared: &Shared) {
    crate::poller::mark_worker();
    let _io = shared.io.enter();
    let ticker = &shared.ticker;
    ticker.enter();
    while let Some(actor) = shared.queue.next(|| ticker.leave(), || ticker.enter()) {
        // What an actor's own code throws is caught closer to it; this keeps the worker whatever else may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| actor.run()));
    }
    ticker.leave();
    shared.worker_ended();
}
