//! The side of an asyncio loop: one queue and one wake-up descriptor each.
//!
//! The loop owns the reader of the descriptor, so that its being dropped tells that the loop was closed.

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use pyo3::exceptions::{PyNotImplementedError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PySet, PyWeakrefReference};

use crate::hang::call_method;
use crate::queue::{Bell, Queue};

/// The name under which a loop carries its queue.
const ATTRIBUTE: &str = "_airwasm_queue";

/// Holds a queue where its loop can keep it; also what the loop calls in its next turn.
#[pyclass(frozen, module = "airwasm._airwasm")]
pub struct LoopQueue {
    queue: Arc<Queue>,
    /// For a loop without `add_reader`, which cannot own it.
    drain: Option<Py<Drain>>,
}

#[pymethods]
impl LoopQueue {
    fn __call__(&self) {
        self.queue.turns.over();
    }

    /// Refuses what waits and all that comes; called on the loop's thread.
    fn close(&self) {
        self.queue.close();
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.drain)
    }
}

impl LoopQueue {
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }
}

/// Runs what was left for the loop. Dropped with its loop, and the queue is closed then.
#[pyclass(frozen, module = "airwasm._airwasm")]
struct Drain {
    queue: Arc<Queue>,
    reader: Option<UnixStream>,
    tasks: Py<PySet>,
}

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) {
        self.quiet();
        for job in self.queue.take() {
            job(py, self.tasks.bind(py));
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tasks)
    }
}

impl Drain {
    /// Takes the bytes out, before the jobs, so that a later push rings again.
    fn quiet(&self) {
        let Some(mut reader) = self.reader.as_ref() else { return };
        let mut bytes = [0; 64];
        loop {
            match reader.read(&mut bytes) {
                Ok(count) if count == bytes.len() => {}
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The loop that runs on this thread; `RuntimeError` if none does.
pub fn running(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FUNCTION.import(py, "asyncio", "get_running_loop")?.call0()
}

/// The loop that runs on this thread, if one does.
pub fn running_if_any(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    match running(py) {
        Ok(running) => Ok(Some(running)),
        Err(why) if why.is_instance_of::<PyRuntimeError>(py) => Ok(None),
        Err(why) => Err(why),
    }
}

/// The queue of a loop, made at its first use: on the loop's thread, or before it runs.
pub fn queue_of<'py>(asyncio_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, LoopQueue>> {
    let py = asyncio_loop.py();
    if let Ok(known) = asyncio_loop.getattr(intern!(py, ATTRIBUTE)) {
        let known = known.cast_into::<LoopQueue>()?;
        if !known.get().queue.is_closed() {
            return Ok(known);
        }
    }
    let made = match watch(asyncio_loop) {
        Err(why) if why.is_instance_of::<PyNotImplementedError>(py) => call_instead(asyncio_loop)?,
        watched => watched?,
    };
    let made = Bound::new(py, made)?;
    asyncio_loop.setattr(intern!(py, ATTRIBUTE), &made)?;
    Ok(made)
}

fn watch(asyncio_loop: &Bound<'_, PyAny>) -> PyResult<LoopQueue> {
    let py = asyncio_loop.py();
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    let descriptor = reader.as_raw_fd();
    let queue = Queue::new(Bell::Socket(writer));
    let drain = Drain { queue: queue.clone(), reader: Some(reader), tasks: PySet::empty(py)?.unbind() };
    call_method(asyncio_loop, intern!(py, "add_reader"), (descriptor, Bound::new(py, drain)?))?;
    Ok(LoopQueue { queue, drain: None })
}

fn call_instead(asyncio_loop: &Bound<'_, PyAny>) -> PyResult<LoopQueue> {
    let py = asyncio_loop.py();
    let queue = Queue::new(Bell::Call(PyWeakrefReference::new(asyncio_loop)?.unbind()));
    let drain = Drain { queue: queue.clone(), reader: None, tasks: PySet::empty(py)?.unbind() };
    Ok(LoopQueue { queue, drain: Some(Py::new(py, drain)?) })
}

/// Wakes a loop that has no descriptor; an error if it is closed or gone.
pub fn call_soon(asyncio_loop: &Bound<'_, PyWeakrefReference>) -> PyResult<()> {
    let py = asyncio_loop.py();
    let gone = || PyRuntimeError::new_err("the event loop is gone");
    let asyncio_loop = asyncio_loop.call0()?;
    let queue = asyncio_loop.getattr(intern!(py, ATTRIBUTE)).map_err(|_| gone())?.cast_into::<LoopQueue>()?;
    let drain = queue.get().drain.as_ref().ok_or_else(gone)?;
    call_method(&asyncio_loop, intern!(py, "call_soon_threadsafe"), (drain,)).map(drop)
}
