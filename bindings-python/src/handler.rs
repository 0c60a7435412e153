//! Python functions as actors: plain ones on callback threads, `async` ones on an asyncio loop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use airwasm::{Code, DeferredHandler, Error, HostExecutor, Reply, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PySet;

use crate::background::Background;
use crate::convert::{payload, to_vec};
use crate::errors;
use crate::loops;
use crate::message::Message;
use crate::queue::Queue;

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

    fn enter(self: &Arc<Self>, callable: &Bound<'_, PyAny>) -> Registration {
        let number = self.serial.fetch_add(1, Relaxed);
        let before = self.lock().insert(number, callable.clone().unbind());
        debug_assert!(before.is_none(), "a serial number repeats");
        Registration { handlers: Arc::downgrade(self), number }
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
struct Registration {
    handlers: Weak<Handlers>,
    number: u64,
}

impl Registration {
    /// `None` once the system's Python object is gone.
    fn callable<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.handlers.upgrade()?.lock().get(&self.number).map(|callable| callable.bind(py).clone())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let gone = self.handlers.upgrade().and_then(|handlers| handlers.lock().remove(&self.number));
        drop(gone);
    }
}

/// The duty to answer. Dropped with a loop or an interpreter that ended, it says so.
struct Duty(Option<Reply>);

impl Duty {
    /// Settles without the GIL, for the answer may run on in this call.
    fn settle(mut self, py: Python<'_>, answer: Result<Vec<u8>>) {
        if let Some(reply) = self.0.take() {
            py.detach(|| reply.settle(answer));
        }
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if let Some(reply) = self.0.take() {
            let text = "the handler's event loop, or its interpreter, has ended";
            reply.settle(Err(Error::new(Code::HandlerRaised, text)));
        }
    }
}

/// Where the awaitables of a handler run: the loop that ran when it was given, or the system's own.
#[derive(Clone)]
struct Home {
    system: airwasm::System,
    queue: Option<Arc<Queue>>,
    background: Arc<Background>,
}

impl Home {
    fn queue(&self, py: Python<'_>) -> PyResult<Arc<Queue>> {
        self.queue.clone().map_or_else(|| self.background.queue(py), Ok)
    }
}

/// What the core calls for a handler, and where.
pub fn deferred(
    handlers: &Arc<Handlers>,
    background: &Arc<Background>,
    system: &airwasm::System,
    callable: &Bound<'_, PyAny>,
) -> PyResult<(HostExecutor, DeferredHandler)> {
    let py = callable.py();
    if !callable.is_callable() {
        return Err(PyTypeError::new_err("a handler is a function or another callable of one message"));
    }
    let running = loops::running_if_any(py)?;
    let queue = running.map(|running| loops::queue_of(&running)).transpose()?;
    let queue = queue.map(|queue| queue.get().queue().clone());
    let home = Home { system: system.clone(), queue, background: background.clone() };
    let registration = Arc::new(handlers.enter(callable));
    if is_coroutine_function(callable)? {
        let queue = home.queue(py)?;
        return Ok((HostExecutor::Loop, Box::new(move |message, reply| on_loop(&home, &queue, &registration, message, reply))));
    }
    let handler = move |message, reply| {
        let duty = Duty(Some(reply));
        // Without an interpreter the duty is dropped uncalled, which answers.
        let _ = Python::try_attach(|py| on_thread(py, &home, &registration, message, duty));
    };
    Ok((HostExecutor::Callback, Box::new(handler)))
}

/// Whether it is known before the call that it must be called on a loop.
fn is_coroutine_function(callable: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = callable.py();
    let check = py.import(intern!(py, "inspect"))?.getattr(intern!(py, "iscoroutinefunction"))?;
    let call = callable.getattr(intern!(py, "__call__"))?;
    Ok(check.call1((callable,))?.is_truthy()? || check.call1((call,))?.is_truthy()?)
}

/// Hands a message over to a loop; takes no GIL, for it runs on a worker.
fn on_loop(
    home: &Home,
    queue: &Arc<Queue>,
    registration: &Arc<Registration>,
    message: airwasm::Message,
    reply: Reply,
) {
    let (duty, registration) = (Duty(Some(reply)), registration.clone());
    let job = move |py: Python<'_>, tasks: &Bound<'_, PySet>| {
        let Some(callable) = registration.callable(py) else { return };
        match called(&callable, message) {
            Ok(awaitable) => begin_task(tasks, &awaitable, duty),
            Err(raised) => duty.settle(py, Err(errors::from_handler(py, &raised))),
        }
    };
    queue.push(&home.system, Box::new(job));
}

/// Calls on this thread; what it returns may still be something to await.
fn on_thread(py: Python<'_>, home: &Home, registration: &Registration, message: airwasm::Message, duty: Duty) {
    let Some(callable) = registration.callable(py) else { return };
    let returned = called(&callable, message).and_then(|value| {
        let awaits = !value.is_none() && value.hasattr(intern!(py, "__await__"))?;
        awaits.then(|| home.queue(py)).transpose().map(|queue| (value, queue))
    });
    match returned {
        Ok((value, None)) => duty.settle(py, answer(&value)),
        Ok((value, Some(queue))) => {
            let awaitable = value.unbind();
            let job = move |py: Python<'_>, tasks: &Bound<'_, PySet>| begin_task(tasks, awaitable.bind(py), duty);
            py.detach(|| queue.push(&home.system, Box::new(job)));
        }
        Err(raised) => duty.settle(py, Err(errors::from_handler(py, &raised))),
    }
}

fn called<'py>(callable: &Bound<'py, PyAny>, message: airwasm::Message) -> PyResult<Bound<'py, PyAny>> {
    callable.call1((Message::new(callable.py(), message)?,))
}

/// What a handler's value means: none is empty, a `Failure` is its refusal, a buffer its bytes.
fn answer(value: &Bound<'_, PyAny>) -> Result<Vec<u8>> {
    let py = value.py();
    if value.is_none() {
        return Ok(Vec::new());
    }
    if errors::is_failure(value).unwrap_or(false) {
        return Err(errors::failure(value));
    }
    let bytes = payload(value).and_then(|bytes| to_vec(&bytes));
    bytes.map_err(|why| errors::from_handler(py, &why))
}

/// Runs an awaitable as a task of the loop whose thread this is.
fn begin_task(tasks: &Bound<'_, PySet>, awaitable: &Bound<'_, PyAny>, duty: Duty) {
    let py = tasks.py();
    let begun = py.import(intern!(py, "asyncio")).and_then(|asyncio| {
        let task = asyncio.call_method1(intern!(py, "ensure_future"), (awaitable,))?;
        tasks.add(&task)?;
        Ok(task)
    });
    match begun {
        Ok(task) => {
            let settle = Settle { duty: Mutex::new(Some(duty)), tasks: tasks.clone().unbind() };
            let added = Bound::new(py, settle)
                .and_then(|settle| task.call_method1(intern!(py, "add_done_callback"), (settle,)));
            added.map_or_else(|why| why.write_unraisable(py, Some(&task)), drop);
        }
        Err(raised) => duty.settle(py, Err(errors::from_handler(py, &raised))),
    }
}

/// Answers with what a task came to.
#[pyclass(frozen)]
struct Settle {
    duty: Mutex<Option<Duty>>,
    tasks: Py<PySet>,
}

#[pymethods]
impl Settle {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = task.py();
        self.tasks.bind(py).discard(task)?;
        let duty = self.duty.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(duty) = duty {
            let result = task.call_method0(intern!(py, "result"));
            duty.settle(py, result.map_err(|raised| errors::from_handler(py, &raised)).and_then(|value| answer(&value)));
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.tasks)
    }
}
