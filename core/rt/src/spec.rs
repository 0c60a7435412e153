//! How an actor is run.

use std::time::Duration;

use crate::bounds::{Bounds, Overflow};
use crate::errors::{ErrorRate, ErrorWatch};
use crate::id::ActorId;
use crate::node::Shutdown;

/// On which threads an actor is polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Executor {
    /// A worker, or a caller that waits. The actor must not block.
    #[default]
    Any,
    /// An elastic pool of threads, never a worker. The actor may block.
    Callback,
}

/// How often an actor is asked how it is; after `missed_max` checks without a good answer its life is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Between two checks; the answer to one must be there before the next.
    pub interval: Duration,
    /// Checks in a row that may be missed, less one.
    pub missed_max: u32,
}

/// How an actor is run.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its address; absent for one that nobody looks up.
    pub id: Option<ActorId>,
    /// Who polls it.
    pub executor: Executor,
    /// Whether a request that it makes may poll the asked actor in place: not where its code runs on a small stack.
    pub nests: bool,
    /// What its mailbox holds.
    pub bounds: Bounds,
    /// What becomes of a message that finds the mailbox full.
    pub overflow: Overflow,
    /// How long its supervisor gives it to stop.
    pub shutdown: Shutdown,
    /// Whether the end of a linked actor is told to it instead of ending it.
    pub traps_exits: bool,
    /// Whether and how it is asked how it is.
    pub health: Option<Health>,
    /// How many of its answers may be errors.
    pub error_rate: Option<ErrorRate>,
}

impl Spec {
    /// The spec of an actor of this id with all defaults.
    pub fn new(id: ActorId) -> Self {
        Self { id: Some(id), ..Self::unnamed() }
    }

    /// The spec of an actor that has no name, with all defaults.
    pub fn unnamed() -> Self {
        Self {
            id: None,
            executor: Executor::Any,
            nests: true,
            bounds: Bounds::default(),
            overflow: Overflow::Reject,
            shutdown: Shutdown::default(),
            traps_exits: false,
            health: None,
            error_rate: None,
        }
    }

    /// What the actor keeps of it.
    pub(crate) fn manner(&self) -> Manner {
        Manner {
            executor: self.executor,
            nests: self.nests,
            shutdown: self.shutdown,
            traps_exits: self.traps_exits,
            rare: (self.health.is_some() || self.error_rate.is_some()).then(|| {
                Box::new(Rare { health: self.health, errors: self.error_rate.map(ErrorWatch::new) })
            }),
        }
    }
}

/// What an actor keeps of its spec, small, as there are many.
pub(crate) struct Manner {
    pub executor: Executor,
    pub nests: bool,
    pub shutdown: Shutdown,
    pub traps_exits: bool,
    pub rare: Option<Box<Rare>>,
}

/// What few actors have.
pub(crate) struct Rare {
    pub health: Option<Health>,
    pub errors: Option<ErrorWatch>,
}
