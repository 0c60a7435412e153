//! Where an actor stands between its first start and its end, and who wants to be told.

use crate::actor::Message;
use crate::exit::Exit;
use crate::promise::Resolver;
use crate::supervision::History;

#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Starting,
    Running,
    /// Down, waiting for its backoff.
    Restarting,
    /// Told to stop, or killed.
    Stopping,
    Stopped(Exit),
}

impl Stage {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Stage::Starting => "starting",
            Stage::Running => "running",
            Stage::Restarting => "restarting",
            Stage::Stopping => "stopping",
            Stage::Stopped(_) => "stopped",
        }
    }
}

pub(crate) struct Life<M: Message> {
    pub stage: Stage,
    pub stop: bool,
    pub kill: bool,
    /// Whether the first start has succeeded.
    pub was_up: bool,
    pub restarts: u64,
    pub history: History,
    pub on_start: Option<Resolver<(), M::Error>>,
    pub on_stop: Vec<Resolver<(), M::Error>>,
}

impl<M: Message> Life<M> {
    pub(crate) fn new(on_start: Resolver<(), M::Error>) -> Self {
        Self {
            stage: Stage::Starting,
            stop: false,
            kill: false,
            was_up: false,
            restarts: 0,
            history: History::default(),
            on_start: Some(on_start),
            on_stop: Vec::new(),
        }
    }
}
