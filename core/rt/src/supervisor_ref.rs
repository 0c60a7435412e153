//! A way to a supervisor: its children, and their starts and ends.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::child::ChildSpec;
use crate::error::Error;
use crate::exit::Exit;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::node::{Ending, Node, Status};
use crate::promise::Done;
use crate::supervision::{ChildKey, ChildRules, Input, Refusal, Ticket};
use crate::supervisor::Supervisor;

/// A way to a supervisor; owns nothing of it.
#[derive(Clone)]
pub struct SupervisorRef(pub(crate) Arc<Supervisor>);

/// What a supervisor answers about its children.
pub type Asked<T> = crate::Pending<T, Error>;

impl SupervisorRef {
    /// Its address.
    pub fn id(&self) -> ActorId {
        self.0.core().id()
    }

    /// Its number within its runtime.
    pub fn handle(&self) -> Handle {
        self.0.core().handle
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        Node::status(&*self.0)
    }

    /// Its children in the order of their starts.
    pub fn children(&self) -> Vec<(Handle, ActorId, Status)> {
        let nodes = Node::children(&*self.0);
        nodes.into_iter().map(|node| (node.core().handle, node.core().id(), node.status())).collect()
    }

    /// Adds a child and starts it: the answer comes when it is up. One that does not start is not added.
    pub fn start_child(&self, child: ChildSpec) -> Result<(Handle, Asked<()>), Error> {
        let supervisor = &self.0;
        let rules = ChildRules { restart: child.restart, significant: child.significant, dynamic: true };
        let key = supervisor.next_key();
        let handle = supervisor.take(key, child, true)?;
        let (resolver, pending) = crate::promise();
        let weak: Weak<Supervisor> = Arc::downgrade(supervisor);
        let answer = move |result: Result<(), Refusal>| {
            if result.is_err()
                && let Some(supervisor) = weak.upgrade()
            {
                supervisor.refuse(key);
            }
            resolver.settle(result.map_err(refused));
        };
        supervisor.ask(|ticket| Input::Add(ticket, key, rules), Box::new(answer));
        let before = supervisor.ends_first().unwrap_or(handle);
        Ok((handle, pending.toward(&supervisor.shared, before, None)))
    }

    /// Stops a child by its shutdown rule; nobody restarts it. A temporary or dynamic temporary one is removed.
    pub fn terminate_child(&self, child: Handle) -> Asked<()> {
        self.about(child, Input::Terminate, |_, _| ()).toward(&self.0.shared, child, None)
    }

    /// Starts a child that was stopped.
    pub fn restart_child(&self, child: Handle) -> Asked<()> {
        self.in_turn(self.about(child, Input::Restart, |_, _| ()))
    }

    /// Removes a child that does not run; its name is free again.
    pub fn delete_child(&self, child: Handle) -> Asked<()> {
        self.in_turn(self.about(child, Input::Delete, Supervisor::discard))
    }

    /// An answer that comes after what the supervisor is busy with.
    fn in_turn(&self, asked: Asked<()>) -> Asked<()> {
        match self.0.ends_first() {
            Some(before) => asked.toward(&self.0.shared, before, None),
            None => asked,
        }
    }

    /// Asks for something about a child; `done` follows when it was granted.
    fn about(
        &self,
        child: Handle,
        input: fn(Ticket, ChildKey) -> Input,
        done: fn(&Supervisor, ChildKey),
    ) -> Asked<()> {
        let (resolver, pending) = crate::promise();
        let key = self.0.shared.node(child).and_then(|node| {
            let (supervisor, key) = node.core().supervisor()?;
            Arc::ptr_eq(&supervisor, &self.0).then_some(key)
        });
        let Some(key) = key else {
            resolver.settle(Err(Error::Refused(Refusal::NotFound)));
            return pending;
        };
        let weak: Weak<Supervisor> = Arc::downgrade(&self.0);
        let answer = move |result: Result<(), Refusal>| {
            if result.is_ok()
                && let Some(supervisor) = weak.upgrade()
            {
                done(&supervisor, key);
            }
            resolver.settle(result.map_err(refused));
        };
        self.0.ask(|ticket| input(ticket, key), Box::new(answer));
        pending
    }

    /// Stops its children, newest first, then itself; kills what is left after `grace`. Done when all are down.
    pub fn stop(&self, grace: Duration) -> Asked<()> {
        let (done, pending) = Done::promise();
        let node: Arc<dyn Node> = self.0.clone();
        node.stop(Ending::Stop(Some(grace)), Some(done));
        pending.toward(&self.0.shared, self.handle(), None)
    }

    /// Ends it and its children at their next awaits, without any hook.
    pub fn kill(&self) {
        let node: Arc<dyn Node> = self.0.clone();
        node.stop(Ending::Kill, None);
    }
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::StartFailed(Exit::Crash(cause)) => Error::StartFailed(cause),
        other => Error::Refused(other),
    }
}
