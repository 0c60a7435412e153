//! What the objects of one system have in common.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use airwasm::{ActorHandle, Code, Error};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::actor::Actor;
use crate::background::Background;
use crate::component::Component;
use crate::errors::raise;
use crate::grant::Grant;
use crate::handler::Handlers;
use crate::loops;
use crate::queue::Queue;
use crate::spec::ActorSpec;
use crate::subscription::Subscription;
use crate::timer::Timer;

/// How long a thread that the interpreter's exit has woken stays out of Python.
const EXIT_GRACE: Duration = Duration::from_secs(1);

/// The core's system behind its Python objects.
pub struct Shared {
    pub system: airwasm::System,
    /// The callables of its actors, as long as its Python object is there.
    pub handlers: Weak<Handlers>,
    /// The loop of `async` handlers that were given where none ran.
    pub background: Background,
    /// The thread that exits the interpreter, from then on.
    exit: OnceLock<ThreadId>,
    /// The loops of actors that are `async` functions.
    homes: Mutex<HashMap<ActorHandle, Weak<Queue>>>,
}

/// Objects that belong to one system.
pub trait Member: pyo3::PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync {
    const WHAT: &'static str;
    fn shared(&self) -> &Arc<Shared>;
}

macro_rules! members {
    ($($name:ident $text:literal,)*) => {$(
        impl Member for $name {
            const WHAT: &'static str = $text;
            fn shared(&self) -> &Arc<Shared> {
                &self.shared
            }
        }
    )*};
}

members! {
    Actor "actor",
    Component "component",
    Grant "grant",
    ActorSpec "component",
    Subscription "subscription",
    Timer "timer",
}

impl Shared {
    pub fn new(system: airwasm::System, handlers: &Arc<Handlers>) -> Arc<Self> {
        let (handlers, background) = (Arc::downgrade(handlers), Background::default());
        Arc::new(Self { system, handlers, background, exit: OnceLock::new(), homes: Mutex::default() })
    }

    /// Notes on which loop an actor answers, or that it answers no more.
    pub fn set_home(&self, actor: ActorHandle, home: Option<&Arc<Queue>>) {
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        match home {
            Some(queue) => drop(homes.insert(actor, Arc::downgrade(queue))),
            None => drop(homes.remove(&actor)),
        }
    }

    /// Refuses to block the very loop that must answer, which would wait for itself.
    pub fn check_may_block(&self, py: Python<'_>, actor: ActorHandle) -> PyResult<()> {
        let home =
            self.homes.lock().unwrap_or_else(PoisonError::into_inner).get(&actor).and_then(Weak::upgrade);
        let Some(home) = home else { return Ok(()) };
        let Some(running) = loops::running_if_any(py)? else { return Ok(()) };
        if !Arc::ptr_eq(&home, loops::queue_of(&running)?.get().queue()) {
            return Ok(());
        }
        let text = "request blocks the event loop that must answer it: await request_async instead";
        Err(raise(py, Error::new(Code::WouldDeadlock, text)))
    }

    /// Whether the interpreter exits.
    pub fn exits(&self) -> bool {
        self.exit.get().is_some()
    }

    /// Says that this thread exits the interpreter.
    pub fn exit_here(&self) {
        let _ = self.exit.set(thread::current().id());
    }

    /// Called before a thread goes back into Python. When the interpreter exits, only daemon threads are left: given
    /// a little time they hang, as such threads do, and complain to nobody. One that is still waited for goes on.
    pub fn linger(&self) {
        if self.exit.get().is_some_and(|exits| *exits != thread::current().id()) {
            thread::sleep(EXIT_GRACE);
        }
    }
    /// The object, if it is this system's: the numbers of two systems may be equal.
    pub fn own<'a, T: Member>(self: &Arc<Self>, object: &'a Bound<'_, T>) -> PyResult<&'a T> {
        let member = object.get();
        if Arc::ptr_eq(self, member.shared()) {
            return Ok(member);
        }
        let text = format!("the {} belongs to another system", T::WHAT);
        Err(raise(object.py(), Error::new(Code::InvalidHandle, text)))
    }
}

/// Why a handle cannot be pickled, and what to do.
pub fn unpicklable(what: &str, instead: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "airwasm.{what} names something in this process and cannot be pickled: {instead}"
    ))
}
