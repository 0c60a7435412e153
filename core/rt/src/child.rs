//! What a supervisor is told of a child before it exists.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use crate::actor::{Actor, Message};
use crate::actor_ref::ActorRef;
use crate::cell::{Cell, Starter};
use crate::error::Error;
use crate::exit::Cause;
use crate::id::ActorId;
use crate::life::Life;
use crate::live::live;
use crate::node::{Node, Parent, Shutdown};
use crate::promise::{Pending, Resolver, promise};
use crate::shared::Shared;
use crate::spec::Spec;
use crate::supervision::{Restart, Rules};
use crate::supervisor::Supervisor;

type Make = Box<dyn FnOnce(&Arc<Shared>, Option<Parent>) -> Result<Arc<dyn Node>, Error> + Send>;

/// One child of a supervisor: an actor, or a supervisor with children of its own.
pub struct ChildSpec {
    pub(crate) id: Option<ActorId>,
    pub(crate) restart: Restart,
    pub(crate) significant: bool,
    pub(crate) make: Make,
}

impl ChildSpec {
    /// An actor; `start` is called for each of its lives.
    pub fn actor<A, F, S>(spec: Spec, restart: Restart, start: F) -> Self
    where
        A: Actor,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        Self::made(spec, restart, start, Arc::default(), None)
    }

    /// The same, with the way to the actor, there once its supervisor is made, and the answer whether it came up.
    pub fn told<A, F, S>(spec: Spec, restart: Restart, start: F) -> (Self, Told<A::Message>)
    where
        A: Actor,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        let (resolver, up) = promise();
        let actor = Arc::new(OnceLock::new());
        let child = Self::made(spec, restart, start, actor.clone(), Some(resolver));
        (child, Told { actor, up })
    }

    fn made<A, F, S>(
        spec: Spec,
        restart: Restart,
        start: F,
        made: Arc<OnceLock<ActorRef<A::Message>>>,
        on_start: Option<Resolver<(), <A::Message as Message>::Error>>,
    ) -> Self
    where
        A: Actor,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        let id = spec.id.clone();
        let make: Make = Box::new(move |shared, parent| {
            let id = spec.id.clone();
            let starter: Starter<A::Message> = Box::new(move |cell| Box::pin(live(cell, start())));
            let life = Life::new(on_start, Some(starter));
            let make = |core| Cell::new(core, &spec, shared, life);
            let cell = shared.enter(id, parent, make)?;
            // Set once, here.
            let _ = made.set(ActorRef(cell.clone()));
            Ok(cell)
        });
        Self { id, restart, significant: false, make }
    }

    /// A supervisor with its own children.
    pub fn supervisor(spec: SupervisorSpec, restart: Restart) -> Self {
        let id = spec.id.clone();
        let make: Make = Box::new(move |shared, parent| Ok(Supervisor::make(shared, spec, parent, None)?));
        Self { id, restart, significant: false, make }
    }

    /// Its end counts for the supervisor's [`AutoShutdown`](crate::AutoShutdown).
    #[must_use]
    pub fn significant(mut self) -> Self {
        self.significant = true;
        self
    }
}

/// What is told of an actor that was specified as a child.
pub struct Told<M: Message> {
    /// The way to it.
    pub actor: Arc<OnceLock<ActorRef<M>>>,
    /// Whether its first start succeeded.
    pub up: Pending<(), M::Error>,
}

/// A supervisor before it exists. All its children, and theirs, are checked and named before anything starts.
pub struct SupervisorSpec {
    /// Its address, if it has one.
    pub id: Option<ActorId>,
    /// How it treats its children.
    pub rules: Rules,
    /// How long its own supervisor gives it to stop.
    pub shutdown: Shutdown,
    /// Its static children, in the order of their starts.
    pub children: Vec<ChildSpec>,
}

impl SupervisorSpec {
    /// A supervisor of this id with OTP's defaults and no children.
    pub fn new(id: ActorId) -> Self {
        Self { id: Some(id), rules: Rules::default(), shutdown: Shutdown::Infinity, children: Vec::new() }
    }

    /// The same spec with these rules.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The same spec with one more child, started after those before it.
    #[must_use]
    pub fn child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }
}
