//! What actors and supervisors have in common: a place in the tree, lives, and an end.

use std::any::Any;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::counts::Counts;
use crate::exit::{Exit, GaveUp};
use crate::handle::Handle;
use crate::id::ActorId;
use crate::promise::Done;
use crate::queue::Runnable;
use crate::supervision::{ChildKey, Fate, Restart};
use crate::supervisor::Supervisor;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use crate::waits::Waits;
use crate::watch::{MonitorId, Signal, Watcher};

/// How long a child may take to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It is killed at once: OTP's `brutal_kill`.
    Brutal,
    /// It is told to stop, and killed after this time.
    After(Duration),
    /// It is told to stop, and waited for.
    Infinity,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown::After(Duration::from_millis(5_000))
    }
}

/// What an actor or supervisor is doing.
#[derive(Clone, Debug)]
pub struct Status {
    /// `starting`, `running`, `restarting`, `stopping`, `stopped` or `abandoned`.
    pub state: &'static str,
    /// Messages that wait.
    pub mailbox_messages: u64,
    /// Messages handed to it, over all lives.
    pub handled: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// How its last life ended.
    pub last_exit: Option<Exit>,
    /// Time that its code has run, in whole ticks of a millisecond that passed meanwhile.
    pub busy: Duration,
}

/// A place in the tree.
pub(crate) struct Parent {
    pub supervisor: Weak<Supervisor>,
    pub key: ChildKey,
    /// How many supervisors stand above that one.
    pub depth: usize,
    /// Whether the supervisor exists only for this child, and so ends with it.
    pub is_hidden: bool,
    /// When it is started again, for those who look at the tree.
    pub restart: Restart,
}

/// What every node has.
pub(crate) struct Core {
    pub handle: Handle,
    name: OnceLock<ActorId>,
    named: bool,
    // Boxed: an actor without a supervisor is smaller so.
    pub parent: Option<Box<Parent>>,
    pub waits: Waits,
    /// Lives begun so far.
    pub life: AtomicU32,
    /// Counts what it has handled, so that what it began meanwhile is known to be over.
    pub turn: AtomicU32,
    /// Whether it was ever subscribed to a topic, so that its end must be told there.
    pub subscribes: AtomicBool,
    /// Whether a timer was ever set for it, so that its end must be told there.
    pub has_timers: AtomicBool,
    /// Order of the starts, for stopping in reverse.
    pub serial: u64,
}

impl Core {
    pub(crate) fn new(handle: Handle, id: Option<ActorId>, parent: Option<Parent>, serial: u64) -> Self {
        let named = id.is_some();
        let name = id.map_or_else(OnceLock::new, OnceLock::from);
        Self {
            handle,
            name,
            named,
            parent: parent.map(Box::new),
            waits: Waits::default(),
            life: AtomicU32::new(0),
            turn: AtomicU32::new(0),
            subscribes: AtomicBool::new(false),
            has_timers: AtomicBool::new(false),
            serial,
        }
    }

    /// Another life begins. Only one at a time does, so a plain load and store do.
    pub(crate) fn begin_life(&self) {
        self.life.store(self.life.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Whether this life is the one at hand.
    pub(crate) fn is_in(&self, life: u32) -> bool {
        self.life.load(Relaxed) == life
    }

    /// What it handled is over. Only the one that runs it calls this, so a plain load and store do.
    #[inline]
    pub(crate) fn end_turn(&self) {
        self.turn.store(self.turn.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Its address; one without a name has `unnamed/actor/<number>`, made when first asked for.
    pub(crate) fn id(&self) -> ActorId {
        self.id_ref().clone()
    }

    pub(crate) fn id_ref(&self) -> &ActorId {
        self.name.get_or_init(|| ActorId::unnamed(self.serial))
    }

    /// The name it was given, if it was.
    pub(crate) fn given(&self) -> Option<&ActorId> {
        self.name.get().filter(|_| self.named)
    }

    pub(crate) fn supervisor(&self) -> Option<(Arc<Supervisor>, ChildKey)> {
        let parent = self.parent.as_ref()?;
        Some((parent.supervisor.upgrade()?, parent.key))
    }
}

/// How a life is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Told to stop; killed after this time, if one is named.
    Stop(Option<Duration>),
    /// Ended at its next await, without hooks.
    Kill,
}

impl Ending {
    /// How a supervisor ends by it.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Stop(_) => Exit::Shutdown,
            Self::Kill => Exit::Killed,
        }
    }
}

impl From<Shutdown> for Ending {
    fn from(shutdown: Shutdown) -> Self {
        match shutdown {
            Shutdown::Brutal => Self::Kill,
            Shutdown::After(grace) => Self::Stop(Some(grace)),
            Shutdown::Infinity => Self::Stop(None),
        }
    }
}

/// A node whose grace is over: a worker ends it, as others are told on the way.
pub(crate) struct Overdue<N>(pub Arc<N>);

impl<N: Node + 'static> Runnable for Overdue<N> {
    fn run(self: Arc<Self>) {
        self.0.clone().overdue();
    }
}

/// An actor or a supervisor over all its lives.
pub(crate) trait Node: Send + Sync {
    fn core(&self) -> &Core;
    /// Begins a life; its parent is told when it is up or has ended.
    fn begin(self: Arc<Self>);
    /// Ends the life at hand. Its parent is told of the end, always.
    fn end(self: Arc<Self>, ending: Ending);
    /// Ends the life whose grace is over, unless it has ended: the one at hand may be the next.
    fn overdue(self: Arc<Self>);
    /// Ends it by its own shutdown rule.
    fn shut_down(self: Arc<Self>);
    /// Its supervisor gives up: announces the crash that was one too many.
    fn given_up(&self, _why: GaveUp) {}
    /// What becomes of it after a life has ended.
    fn settle(self: Arc<Self>, fate: Fate);
    /// Ends it for good, by way of its supervisor if it has one; `done` is told when it is down.
    fn stop(self: Arc<Self>, ending: Ending, done: Option<Done>);
    /// The workers are gone: what is left of it is dropped, and who waits is told.
    fn abolish(self: Arc<Self>);
    fn status(&self) -> Status;
    /// Whether it is down, for good or until somebody asks its supervisor to start it again.
    fn is_stopped(&self) -> bool;
    fn counts(&self) -> Counts;
    /// Adds one who wants to know of the end; `Err` gives the exit of one that has ended for good, or `None` if it has too many.
    fn watch(&self, watcher: Watcher) -> Result<(), Option<Exit>>;
    fn demonitor(&self, monitor: MonitorId) -> bool;
    fn unlink(&self, other: Handle) -> bool;
    fn signal(self: Arc<Self>, signal: Signal);
    /// An actor that this one is linked to has ended.
    fn linked_down(self: Arc<Self>, id: &ActorId, exit: &Exit);
    /// The poll in which it is to stop lasts.
    fn lasts(self: Arc<Self>) {}
    /// Whether it is left out of lists and trees: it exists only to restart one actor.
    fn is_hidden(&self) -> bool {
        false
    }
    /// Its children in the order of their starts; none for an actor.
    fn children(&self) -> Vec<Arc<dyn Node>>;
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}
