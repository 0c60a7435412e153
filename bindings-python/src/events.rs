//! What happened, as records and as a stream of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::awaitable::{self, Outcome};
use crate::convert::from_json_object;
use crate::loops;
use crate::shared::{Shared, unpicklable};
use crate::wait::block;

/// One thing that happened in a system; `str()` is one line.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Event(airwasm::Event);

#[pymethods]
impl Event {
    /// Counts from 1 in each system, without gaps.
    #[getter]
    fn seq(&self) -> u64 {
        self.0.seq
    }

    /// Seconds since 1970.
    #[getter]
    fn time(&self) -> f64 {
        self.0.time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    /// Dotted text, as in `actor.crashed`.
    #[getter]
    fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The three-part id of the actor concerned.
    #[getter]
    fn actor(&self) -> Option<&str> {
        self.0.actor.as_deref()
    }

    /// Facts by name.
    #[getter]
    fn detail<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        from_json_object(py, &self.0.detail)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Event {} {}>", self.0.seq, self.0)
    }
}

/// The stream, and what came for somebody who no longer waited.
struct Stream {
    events: airwasm::Events,
    returned: Mutex<VecDeque<airwasm::Event>>,
}

impl Stream {
    fn returned(&self) -> MutexGuard<'_, VecDeque<airwasm::Event>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events from the call that made it on; iterate it with `for` or `async for`.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Events {
    shared: Arc<Shared>,
    stream: Arc<Stream>,
}

impl Events {
    pub fn new(shared: Arc<Shared>, events: airwasm::Events) -> Self {
        Self { shared, stream: Arc::new(Stream { events, returned: Mutex::default() }) }
    }
}

#[pymethods]
impl Events {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        let returned = self.stream.returned().pop_front();
        match returned {
            Some(event) => Ok(Some(Event(event))),
            None => Ok(block(py, &self.shared, |_| self.stream.events.next_async())?.map(Event)),
        }
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let returned = self.stream.returned().pop_front();
        if let Some(event) = returned {
            return awaitable::ready(&loops::running(py)?, value(py, Some(event)));
        }
        let stream = self.stream.clone();
        let undelivered = move |event| stream.returned().extend(event);
        let begin = || self.stream.events.next_async();
        awaitable::start_with(py, &self.shared, begin, Outcome { value, undelivered })
    }

    /// Ends it; whoever waits for an event comes to the end of the iteration.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.stream.events.close());
    }

    fn __repr__(&self) -> &'static str {
        "<airwasm.Events>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Events", "subscribe in the other process"))
    }
}

fn value(py: Python<'_>, event: Option<airwasm::Event>) -> PyResult<Py<PyAny>> {
    match event {
        Some(event) => Ok(Py::new(py, Event(event))?.into_any()),
        None => Err(PyStopAsyncIteration::new_err(())),
    }
}
