//! How a supervisor and its children are specified.

use std::time::Duration;

use super::actors::{DeferredHandler, HostExecutor, HostHandler};
use crate::component::Reply;
use crate::types::spec::{ActorSpec, Restart};
use crate::types::supervisor::{AutoShutdown, Backoff, GiveUp, Strategy};

/// What a supervisor is made of; everything absent is the core's default.
#[derive(Default)]
pub struct SupervisorSpec {
    /// `namespace/name/instance`, or a bare name.
    pub name: String,
    /// `one_for_one`.
    pub strategy: Option<Strategy>,
    /// Restarts that are allowed within the period; 5. Up to 4,294,967,295, or `UNLIMITED`.
    pub intensity: Option<u64>,
    /// The sliding window of the intensity; 10 s.
    pub period: Option<Duration>,
    /// How long a restart waits.
    pub backoff: Backoff,
    /// `escalate`.
    pub give_up: Option<GiveUp>,
    /// `never`.
    pub auto_shutdown: Option<AutoShutdown>,
    /// Among the children of another supervisor: when it is started again; `permanent`.
    pub restart: Option<Restart>,
    /// Its children in the order of their starts.
    pub children: Vec<ChildSpec>,
}

/// One child of a supervisor.
pub enum ChildSpec {
    /// A guest.
    Guest(ActorSpec),
    /// A function of the host.
    Host(ActorSpec, HostExecutor, DeferredHandler),
    /// A supervisor with children of its own.
    Supervisor(SupervisorSpec),
}

impl SupervisorSpec {
    /// The spec of a supervisor of this name with all defaults and no children.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The same spec with this strategy.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = Some(strategy);
        self
    }

    /// The same spec with so many restarts within this time.
    #[must_use]
    pub fn intensity(mut self, restarts: u64, period: Duration) -> Self {
        (self.intensity, self.period) = (Some(restarts), Some(period));
        self
    }

    /// The same spec with this backoff.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The same spec with this way to give up.
    #[must_use]
    pub fn give_up(mut self, give_up: GiveUp) -> Self {
        self.give_up = Some(give_up);
        self
    }

    /// The same spec with one more child, started after those before it.
    #[must_use]
    pub fn child(mut self, child: impl Into<ChildSpec>) -> Self {
        self.children.push(child.into());
        self
    }
}

impl ChildSpec {
    /// A function of the host, called for one message at a time on a thread of its own pool.
    pub fn host(spec: ActorSpec, mut handler: HostHandler) -> Self {
        let deferred = move |message, reply: Reply| reply.settle(handler(message));
        ChildSpec::Host(spec, HostExecutor::Callback, Box::new(deferred))
    }
}

impl From<ActorSpec> for ChildSpec {
    fn from(spec: ActorSpec) -> Self {
        ChildSpec::Guest(spec)
    }
}

impl From<SupervisorSpec> for ChildSpec {
    fn from(spec: SupervisorSpec) -> Self {
        ChildSpec::Supervisor(spec)
    }
}
