//! Python functions as actors: plain ones on callback threads, `async` ones on an asyncio loop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use airwasm::{ActorHandle, Code, DeferredHandler, Error, HostExecutor, Reply, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PySet;

use crate::asker;
use crate::convert::{payload, to_vec};
use crate::hang::call;
use crate::loops;
use crate::message::Message;
use crate::queue::Queue;
use crate::shared::Shared;

/// The callables of a system. Its Python object owns them, so that the garbage collector sees a handler that refers
/// to its own system; the core holds their numbers.
#[derive(Default)]
pub struct Handlers {
    callables: Mutex<HashMap<u64, Py<PyAny>>>,
    serial: AtomicU64,
}

impl Handlers {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Py<PyAny>>> {
        self.callables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, callable: &Bound<'_, PyAny>) -> u64 {
        let number = self.serial.fetch_add(1, Relaxed);
        let before = self.lock().insert(number, callable.clone().unbind());
        debug_assert!(before.is_none(), "a serial number repeats");
        number
    }

    /// Forgets them all. Dropped unlocked, for a finalizer may come back here.
    pub fn clear(&self) {
        let callables = std::mem::take(&mut *self.lock());
        drop(callables);
    }

    pub fn traverse(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        // Held by another thread it is in use, so nothing in it is garbage: not visited is alive.
        let Ok(callables) = self.callables.try_lock() else { return Ok(()) };
        callables.values().try_for_each(|callable| visit.call(callable))
    }
}

/// One callable, as long as its actor may be called.
pub struct Registration {
    number: u64,
    shared: Arc<Shared>,
    actor: OnceLock<ActorHandle>,
}

impl Registration {
    /// Enters a callable. A system whose Python object is gone takes none; the core refuses the actor then.
    fn new(shared: &Arc<Shared>, callable: &Bound<'_, PyAny>) -> Arc<Self> {
        let number = shared.handlers.upgrade().map_or(u64::MAX, |handlers| handlers.enter(callable));
        Arc::new(Self { number, shared: shared.clone(), actor: OnceLock::new() })
    }

    /// Notes whose it is, and on which loop it answers if it is `async`.
    pub fn belongs_to(&self, actor: ActorHandle, home: Option<&Arc<Queue>>) {
        if home.is_some() && self.actor.set(actor).is_ok() {
            self.shared.set_home(actor, home);
        }
    }

    /// `None` once the system's Python object is gone.
    fn callable<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.shared.handlers.upgrade()?.lock().get(&self.number).map(|callable| callable.bind(py).clone())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let gone = self.shared.handlers.upgrade().and_then(|handlers| handlers.lock().remove(&self.number));
        drop(gone);
        if let Some(actor) = self.actor.get() {
            self.shared.set_home(*actor, None);
        }
    }
}

/// The duty to answer, as the Python that calls the handler sees it. Dropped with a loop or an interpreter that ended, it
/// says so.
#[pyclass(frozen, module = "airwasm._airwasm", weakref)]
pub struct Answer {
    reply: Mutex<Option<Reply>>,
    /// The id of the actor that owes it.
    by: String,
    home: Home,
}

#[pymethods]
impl Answer {
    fn reply(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let bytes = to_vec(&payload(value)?)?;
        self.settle(py, Ok(bytes));
        Ok(())
    }

    fn refuse(&self, py: Python<'_>, code: &str, text: &str) {
        self.settle(py, Err(Error::failure(code, text)));
    }

    fn crash(&self, py: Python<'_>, kind: &str, text: &str, traceback: &str) {
        let message = if text.is_empty() { kind.to_owned() } else { format!("{kind}: {text}") };
        let error = Error::new(Code::HandlerRaised, message).with("type", kind).with("text", text);
        self.settle(py, Err(error.with("traceback", traceback)));
    }

    /// Awaits the value on the handler's loop.
    fn later(slf: &Bound<'_, Self>, value: Py<PyAny>) -> PyResult<()> {
        let py = slf.py();
        let home = slf.get().home.clone();
        let (queue, answer) = (home.queue(py)?, slf.clone().unbind());
        let job = move |py: Python<'_>, tasks: &Bound<'_, PySet>| {
            let begun = dispatch(py, "await_").and_then(|begin| call(&begin, (value, answer, tasks)));
            begun.map_or_else(|why| why.write_unraisable(py, None), drop);
        };
        py.detach(|| queue.push(&home.shared.system, Box::new(job)));
        Ok(())
    }
}

impl Answer {
    fn new(reply: Reply, by: &str, home: &Home) -> Self {
        Self { reply: Mutex::new(Some(reply)), by: by.to_owned(), home: home.clone() }
    }

    /// Who owes it, as long as it is owed; an id means nothing in another system.
    pub fn asker(&self, shared: &Shared) -> Option<String> {
        let owed = self.reply.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        (owed && std::ptr::eq(shared, &*self.home.shared)).then(|| self.by.clone())
    }

    /// Settles without the GIL, for the answer may run on in this call.
    fn settle(&self, py: Python<'_>, answer: Result<Vec<u8>>) {
        if let Some(reply) = self.take() {
            py.detach(|| reply.settle(answer));
        }
    }

    fn take(&self) -> Option<Reply> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(reply) = self.take() {
            let text = "the handler's event loop, or its interpreter, has ended";
            reply.settle(Err(Error::new(Code::HandlerRaised, text)));
        }
    }
}

/// A function of the Python that calls handlers.
fn dispatch<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "airwasm._dispatch"))?.getattr(name)
}

/// Where the awaitables of a handler run: the loop that ran when it was given, or the system's own.
#[derive(Clone)]
struct Home {
    shared: Arc<Shared>,
    queue: Option<Arc<Queue>>,
}

impl Home {
    fn queue(&self, py: Python<'_>) -> PyResult<Arc<Queue>> {
        self.queue.clone().map_or_else(|| self.shared.background.queue(py), Ok)
    }
}

/// What the core calls for a handler, and where.
pub struct Deferred {
    pub executor: HostExecutor,
    pub handler: DeferredHandler,
    pub registration: Arc<Registration>,
    /// The loop on which it answers, if it is `async`.
    pub home: Option<Arc<Queue>>,
}

/// Prepares a callable for the core.
pub fn deferred(shared: &Arc<Shared>, callable: &Bound<'_, PyAny>) -> PyResult<Deferred> {
    let py = callable.py();
    check_callable(callable)?;
    let running = loops::running_if_any(py)?;
    let queue = running.map(|running| loops::queue_of(&running)).transpose()?;
    let queue = queue.map(|queue| queue.get().queue().clone());
    let home = Home { shared: shared.clone(), queue };
    let registration = Registration::new(shared, callable);
    let called = registration.clone();
    // Loaded here, and not at the first message on a thread of the core.
    asker::load(py)?;
    if is_coroutine_function(callable)? {
        let queue = home.queue(py)?;
        let answers_on = Some(queue.clone());
        let handler = move |message, reply| on_loop(&home, &queue, &called, message, reply);
        let (executor, handler) = (HostExecutor::Loop, Box::new(handler));
        return Ok(Deferred { executor, handler, registration, home: answers_on });
    }
    let handler = move |message: airwasm::Message, reply| {
        let answer = Answer::new(reply, &message.to, &home);
        if home.shared.exits() {
            return;
        }
        // Without an interpreter the duty is dropped uncalled, which answers.
        let _ = Python::try_attach(|py| on_thread(py, &called, message, answer));
    };
    Ok(Deferred { executor: HostExecutor::Callback, handler: Box::new(handler), registration, home: None })
}

/// A handler is something that can be called.
pub fn check_callable(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    if handler.is_callable() {
        return Ok(());
    }
    Err(PyTypeError::new_err("a handler is a function or another callable of one message"))
}

/// Whether it is known before the call that it must be called on a loop.
fn is_coroutine_function(callable: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = callable.py();
    let check = py.import(intern!(py, "inspect"))?.getattr(intern!(py, "iscoroutinefunction"))?;
    let called = callable.getattr(intern!(py, "__call__"))?;
    Ok(call(&check, (callable,))?.is_truthy()? || call(&check, (called,))?.is_truthy()?)
}

/// Hands a message over to a loop; takes no GIL, for it runs on a worker.
fn on_loop(
    home: &Home,
    queue: &Arc<Queue>,
    registration: &Arc<Registration>,
    message: airwasm::Message,
    reply: Reply,
) {
    let answer = Answer::new(reply, &message.to, home);
    let registration = registration.clone();
    let job = move |py: Python<'_>, tasks: &Bound<'_, PySet>| {
        let Some(callable) = registration.callable(py) else { return };
        let begun = Message::new(py, message)
            .and_then(|message| call(&dispatch(py, "begin")?, (callable, message, answer, tasks)));
        begun.map_or_else(|why| why.write_unraisable(py, None), drop);
    };
    queue.push(&home.shared.system, Box::new(job));
}

/// Calls on this thread, which is the core's.
fn on_thread(py: Python<'_>, registration: &Registration, message: airwasm::Message, answer: Answer) {
    let Some(callable) = registration.callable(py) else { return };
    let called = Message::new(py, message)
        .and_then(|message| call(&dispatch(py, "call")?, (callable, message, answer)));
    called.map_or_else(|why| why.write_unraisable(py, None), drop);
}
