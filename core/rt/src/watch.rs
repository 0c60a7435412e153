//! Monitors and links: who is told when a life ends.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::Error;
use crate::exit::Exit;
use crate::foreign;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::node::Node;
use crate::promise::{Broken, Resolver};

/// Monitors and links of one actor.
pub(crate) const WATCHERS_MAX: usize = 10_000;
/// So many are never looked through for those who have given up.
const SWEEP_MIN: usize = 32;

/// Names one monitor; never given twice within a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MonitorId(pub(crate) u64);

/// What an actor is told of another one, before any message that waits.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The life of an actor that it monitors has ended.
    Down {
        /// Which monitor; it is used up.
        monitor: MonitorId,
        /// Whose life.
        id: ActorId,
        /// How.
        exit: Exit,
    },
    /// The life of an actor that it is linked to has ended, and it traps exits.
    Exit {
        /// Whose life.
        id: ActorId,
        /// How.
        exit: Exit,
    },
}

/// How a life ended, as one who monitors it is told.
#[derive(Clone, Debug)]
pub struct Down {
    /// Whose life.
    pub id: ActorId,
    /// How.
    pub exit: Exit,
    /// Whether it will be started again.
    pub restarting: bool,
}

/// One who is told how a life ended, and is no actor.
pub trait Mourner: Send {
    /// Told once.
    fn tell(self: Box<Self>, down: Down);
    /// Whether it still wants to know.
    fn is_wanted(&self) -> bool {
        true
    }
}

impl<F: FnOnce(Down) + Send> Mourner for F {
    fn tell(self: Box<Self>, down: Down) {
        self(down);
    }
}

impl<E: From<Error> + From<Broken> + Send + 'static> Mourner for Resolver<Down, E> {
    fn tell(self: Box<Self>, down: Down) {
        self.settle(Ok(down));
    }

    fn is_wanted(&self) -> bool {
        !self.is_abandoned()
    }
}

pub(crate) enum Watcher {
    /// An actor that monitors.
    Actor { monitor: MonitorId, node: Weak<dyn Node>, life: u32 },
    /// Somebody else who monitors.
    Other { monitor: MonitorId, mourner: Box<dyn Mourner> },
    /// The other end of a link.
    Link { handle: Handle, node: Weak<dyn Node> },
}

/// Those who want to know of one actor's end.
#[derive(Default)]
pub(crate) struct Watchers {
    all: Vec<Watcher>,
    /// How many were left when it was swept last.
    swept: usize,
}

impl Watcher {
    fn is_wanted(&self) -> bool {
        match self {
            Watcher::Other { mourner, .. } => mourner.is_wanted(),
            // A monitor ends with the life that made it.
            Watcher::Actor { node, life, .. } => node.upgrade().is_some_and(|node| node.core().is_in(*life)),
            Watcher::Link { node, .. } => node.strong_count() > 0,
        }
    }
}

impl Watchers {
    /// Adds one; `false` if there are as many as there may be.
    pub(crate) fn add(&mut self, watcher: Watcher) -> bool {
        if let Watcher::Link { handle, .. } = &watcher
            && self.is_linked(*handle)
        {
            return true;
        }
        if self.all.len() >= self.swept.saturating_mul(2).clamp(SWEEP_MIN, WATCHERS_MAX) {
            // Those who have given up make room, at a cost that is shared by all that were added.
            self.all.retain(Watcher::is_wanted);
            self.swept = self.all.len();
        }
        if self.all.len() >= WATCHERS_MAX {
            return false;
        }
        self.all.push(watcher);
        true
    }

    fn is_linked(&self, other: Handle) -> bool {
        self.all.iter().any(|watcher| matches!(watcher, Watcher::Link { handle, .. } if *handle == other))
    }

    /// Removes a monitor; `false` if it has been used up.
    pub(crate) fn demonitor(&mut self, wanted: MonitorId) -> bool {
        let before = self.all.len();
        self.all.retain(|watcher| match watcher {
            Watcher::Actor { monitor, .. } | Watcher::Other { monitor, .. } => *monitor != wanted,
            Watcher::Link { .. } => true,
        });
        self.all.len() < before
    }

    /// Removes this end of a link.
    pub(crate) fn unlink(&mut self, other: Handle) -> bool {
        let before = self.all.len();
        self.all.retain(|watcher| !matches!(watcher, Watcher::Link { handle, .. } if *handle == other));
        self.all.len() < before
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Tells everybody that this life has ended; monitors and links are used up by it.
    pub(crate) fn tell(self, from: Handle, down: &Down) {
        for watcher in self.all {
            match watcher {
                Watcher::Other { mourner, .. } => {
                    foreign::call("monitor", || mourner.tell(down.clone()));
                }
                Watcher::Actor { monitor, node, life } => {
                    if let Some(node) = node.upgrade().filter(|node| node.core().is_in(life)) {
                        let (id, exit) = (down.id.clone(), down.exit.clone());
                        node.signal(Signal::Down { monitor, id, exit });
                    }
                }
                Watcher::Link { node, .. } => {
                    if let Some(node) = node.upgrade() {
                        node.unlink(from);
                        node.linked_down(&down.id, &down.exit);
                    }
                }
            }
        }
    }
}

/// Where monitors get their numbers.
#[derive(Default)]
pub(crate) struct MonitorIds(AtomicU64);

impl MonitorIds {
    pub(crate) fn next(&self) -> MonitorId {
        MonitorId(self.number())
    }

    /// A number that nobody else has.
    pub(crate) fn number(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }
}
