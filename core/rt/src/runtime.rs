//! A runtime: its workers, its names, its counters.

use std::any::TypeId;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Io;

use crate::actor::{Actor, Message};
use crate::actor_ref::ActorRef;
use crate::cell::Cell;
use crate::child::{ChildSpec, SupervisorSpec};
use crate::counts::Counts;
use crate::dead_letters::DeadLetter;
use crate::error::Error;
use crate::exit::Cause;
use crate::groups::CannotJoin;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::id_pattern::IdPattern;
use crate::live::live;
use crate::node::{Ending, Node, Status};
use crate::notice::Notice;
use crate::promise::{Done, Pending, promise};
use crate::pubsub::{AnyPubSub, PubSub};
use crate::shared::Shared;
use crate::spec::Spec;
use crate::stopping::{Stopped, stop_root};
use crate::supervision::{AutoShutdown, Restart, Rules};
use crate::supervisor::Supervisor;
use crate::supervisor_ref::{Asked, SupervisorRef};
use crate::task::TaskHandle;
use crate::ticker::Ticks;
use crate::tree::{Branch, branch};
use crate::watch::{Down, MonitorId, Mourner, Watcher};

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

/// Runs actors. Ended by [`Runtime::end`], or by being dropped, which kills.
pub struct Runtime {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Runtime {
    /// Starts the workers and the ticker.
    pub fn start(config: Config) -> std::io::Result<Self> {
        let workers = config.workers.max(1);
        let shared = Shared::start(config)?;
        let runtime = Self { shared, workers: Mutex::default() };
        for number in 0..workers {
            let shared = runtime.shared.clone();
            let worker = thread::Builder::new()
                .name(format!("airwasm-work-{number}"))
                .spawn(move || work(&shared, number))?;
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
        let make = |core| Cell::begun(core, &spec, &self.shared, resolver);
        let cell = self.shared.enter(spec.id.clone(), None, make)?;
        cell.start(cell.made(|cell| Box::pin(live(cell, start()))));
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
    #[inline]
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
        let (done, pending) = Done::promise();
        match self.shared.node(target) {
            Some(node) => node.stop(Ending::Stop(Some(grace)), Some(done)),
            None => done.tell(),
        }
        pending.toward(&self.shared, target, None)
    }

    /// Ends an actor or supervisor at its next await, without any hook. Nobody restarts it.
    pub fn kill(&self, target: Handle) {
        if let Some(node) = self.shared.node(target) {
            node.stop(Ending::Kill, None);
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
        self.shared.groups.join(group, member).map_err(|why| match why {
            CannotJoin::InvalidName => Error::InvalidName(why.to_string()),
            CannotJoin::TooManyMembers { memberships_max: max } => {
                Error::TooMany { what: "members of groups", max }
            }
            CannotJoin::TooManyGroups { groups_max: max } => Error::TooMany { what: "groups", max },
        })?;
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

    /// Has the workers poll a future beside the actors, until it is done or aborted. It may be lost when the runtime ends.
    pub fn spawn_task(&self, work: impl Future<Output = ()> + Send + 'static) -> TaskHandle {
        crate::task::spawn(&self.shared, Box::pin(work))
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
            node.stop(Ending::Kill, None);
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

/// How long callbacks that run when a runtime is dropped are waited for, so that their actors end in order.
const CALLBACKS_GONE: Duration = Duration::from_secs(1);

impl Drop for Runtime {
    fn drop(&mut self) {
        self.kill_all();
        if !crate::poller::is_inside() {
            self.shared.callbacks.settle(CALLBACKS_GONE);
        }
        self.end();
    }
}

fn work(shared: &Shared, number: usize) {
    crate::poller::mark_worker(number);
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
