//! Where an actor stands between its first start and its end, and who wants to be told.

use std::collections::VecDeque;

use crate::actor::Message;
use crate::cell::Starter;
use crate::exit::Exit;
use crate::foreign;
use crate::grace::Grace;
use crate::health::Checks;
use crate::promise::{Done, Resolver};
use crate::watch::{Signal, Watchers};

#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Starting,
    Running,
    /// Told to stop, or killed.
    Stopping,
    /// The life has ended; its supervisor has not said yet what becomes of it.
    Down(Exit),
    /// Down, to be started again.
    Restarting,
    /// Down for good, or until somebody asks its supervisor to start it again.
    Stopped(Exit),
}

impl Stage {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Stage::Starting => "starting",
            Stage::Running => "running",
            Stage::Stopping => "stopping",
            Stage::Down(_) | Stage::Restarting => "restarting",
            Stage::Stopped(_) => "stopped",
        }
    }
}

/// Who waits for the end: mostly nobody, or one.
#[derive(Default)]
pub(crate) enum Waiting {
    #[default]
    Nobody,
    One(Done),
    Many(Vec<Done>),
}

impl Waiting {
    pub(crate) fn add(&mut self, done: Done) {
        *self = match std::mem::take(self) {
            Self::Nobody => Self::One(done),
            Self::One(first) => Self::Many(vec![first, done]),
            Self::Many(mut all) => {
                all.push(done);
                Self::Many(all)
            }
        };
    }

    /// Tells them in the order in which they came.
    pub(crate) fn tell(self) {
        let all = match self {
            Self::Nobody => return,
            Self::One(done) => return tell(done),
            Self::Many(all) => all,
        };
        all.into_iter().for_each(tell);
    }
}

/// Whoever is told may panic.
pub(crate) fn tell(done: Done) {
    foreign::call("end of a stop", || done.tell());
}

pub(crate) struct Life<M: Message> {
    /// Makes lives; gone with the first one of an actor that nobody restarts.
    pub starter: Option<Starter<M>>,
    pub stage: Stage,
    pub kill: bool,
    /// Somebody asked for its end and has not got it, so no life follows.
    pub stops: bool,
    /// The exit that a linked actor, a missed health check or too many errors forced on it; of a life that is down, the
    /// one that its supervisor gave it by giving up.
    pub forced: Option<Box<Exit>>,
    /// Whether a life was begun and has not ended.
    pub alive: bool,
    /// Whether any life was up so far.
    pub was_up: bool,
    /// Whether this life is up.
    pub is_up: bool,
    /// A callback that could not be killed still holds the thread of an earlier life.
    pub abandoned: bool,
    /// Whether its crash was announced already.
    pub announced: bool,
    pub traps_exits: bool,
    pub restarts: u64,
    /// How the life before this one ended.
    last_exit: Option<Box<Exit>>,
    pub on_start: Option<Resolver<(), M::Error>>,
    pub on_stop: Waiting,
    // Boxed: most actors have none of these.
    pub watchers: Option<Box<Watchers>>,
    #[allow(clippy::box_collection, reason = "a null pointer is smaller than an empty queue")]
    pub signals: Option<Box<VecDeque<Signal>>>,
    /// Killed at the end of it.
    pub grace: Grace,
    /// The asking for its health, and what came of it.
    pub checks: Option<Box<Checks>>,
}

impl<M: Message> Life<M> {
    /// Not begun.
    pub(crate) fn new(on_start: Option<Resolver<(), M::Error>>, starter: Option<Starter<M>>) -> Self {
        Self {
            starter,
            stage: Stage::Starting,
            kill: false,
            stops: false,
            forced: None,
            alive: false,
            was_up: false,
            is_up: false,
            abandoned: false,
            announced: false,
            traps_exits: false,
            restarts: 0,
            last_exit: None,
            on_start,
            on_stop: Waiting::Nobody,
            watchers: None,
            signals: None,
            grace: Grace::Endless,
            checks: None,
        }
    }

    /// The only life of an actor, which has begun.
    pub(crate) fn begun(on_start: Resolver<(), M::Error>, traps_exits: bool) -> Self {
        Self { alive: true, traps_exits, ..Self::new(Some(on_start), None) }
    }

    /// A new life: what was asked of the last one is forgotten, but that somebody waits for the end.
    pub(crate) fn renew(&mut self, traps_exits: bool) {
        self.stage = if self.was_up { Stage::Restarting } else { Stage::Starting };
        (self.kill, self.is_up, self.announced) = (false, false, false);
        self.forced = None;
        (self.alive, self.traps_exits) = (true, traps_exits);
        self.signals = None;
    }

    /// The timers of a life that has ended.
    pub(crate) fn disarm(&mut self) {
        (self.grace, self.checks) = (Grace::Endless, None);
    }

    /// Whether somebody waits for its end, or wanted it.
    pub(crate) fn is_stop_asked(&self) -> bool {
        self.stops
    }

    /// The life at hand has ended so, and another one follows.
    pub(crate) fn restart(&mut self, exit: &Exit) {
        self.stage = Stage::Restarting;
        self.restarts += 1;
        self.last_exit = Some(Box::new(exit.clone()));
    }

    /// How the last life ended.
    pub(crate) fn last_exit(&self) -> Option<Exit> {
        match &self.stage {
            Stage::Down(exit) | Stage::Stopped(exit) => Some(exit.clone()),
            _ => self.last_exit.as_deref().cloned(),
        }
    }
}
