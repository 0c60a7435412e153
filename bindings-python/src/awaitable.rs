//! Operations that are awaited: ready at once where the core is, an asyncio future otherwise.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use airwasm::{Operation, RequestHandle, Started};
use pyo3::exceptions::PyStopIteration;
use pyo3::intern;
use pyo3::prelude::*;

use crate::asker::asker;
use crate::errors::raise;
use crate::hang::call_method;
use crate::loops;
use crate::shared::Shared;
use crate::turns::Turn;

/// What an operation becomes when it is awaited.
pub struct Outcome<C, U> {
    /// Makes the Python value.
    pub value: C,
    /// Takes back what came when nobody waited any more.
    pub undelivered: U,
}

/// An answer that is there already: awaiting it costs no turn of the loop.
#[pyclass(frozen, module = "airwasm._airwasm")]
struct Ready {
    outcome: PyResult<Py<PyAny>>,
    yields: AtomicBool,
}

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if self.yields.swap(false, Relaxed) {
            return Ok(py.None());
        }
        match &self.outcome {
            Ok(value) => Err(PyStopIteration::new_err((value.clone_ref(py),))),
            Err(error) => Err(error.clone_ref(py)),
        }
    }
}

/// Cancels the operation of a future that was cancelled.
#[pyclass(frozen, module = "airwasm._airwasm")]
struct Cancel {
    system: airwasm::System,
    request: RequestHandle,
}

#[pymethods]
impl Cancel {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            // Over already is as good as cancelled, and so is a system that is gone.
            let _ = py.detach(|| self.system.cancel(self.request));
        }
        Ok(())
    }
}

/// Starts an operation; what it answers is awaited on the running loop. It starts at the call, not at the await, and so
/// does the wait for it, on behalf of the handler that this is a part of.
pub fn start<'py, T, C>(
    py: Python<'py>,
    shared: &Shared,
    begin: impl FnOnce() -> Operation<T> + Send,
    value: C,
) -> PyResult<Bound<'py, PyAny>>
where
    T: Send + 'static,
    C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Clone + Send + 'static,
{
    start_with(py, shared, begin, Outcome { value, undelivered: drop::<T> })
}

/// The same for an operation whose outcome must not get lost.
pub fn start_with<'py, T, C, U>(
    py: Python<'py>,
    shared: &Shared,
    begin: impl FnOnce() -> Operation<T> + Send,
    outcome: Outcome<C, U>,
) -> PyResult<Bound<'py, PyAny>>
where
    T: Send + 'static,
    C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Clone + Send + 'static,
    U: FnOnce(T) + Send + 'static,
{
    let asyncio_loop = loops::running(py)?;
    let (operation, over) = py.detach(|| {
        let mut operation = begin();
        let over = operation.try_take();
        (operation, over)
    });
    let Outcome { value, undelivered } = outcome;
    if let Some(over) = over {
        return ready(&asyncio_loop, settled(py, over, value));
    }
    let (operation, system) = (operation.asked_by(asker(py, shared)?), &shared.system);
    let queue = loops::queue_of(&asyncio_loop)?.get().queue().clone();
    let future = call_method(&asyncio_loop, intern!(py, "create_future"), ())?;
    let (waiter, host, convert) = (future.clone().unbind(), system.clone(), value.clone());
    let completion = move |over| {
        let job = move |py: Python<'_>, _: &Bound<'_, _>| {
            let resolved = resolve(waiter.bind(py), over, convert, undelivered);
            resolved.unwrap_or_else(|why| why.write_unraisable(py, Some(waiter.bind(py))));
        };
        queue.push(&host, Box::new(job));
    };
    match py.detach(|| operation.start(Box::new(completion))) {
        Started::Ready(over) => ready(&asyncio_loop, settled(py, over, value)),
        Started::Pending(request) => {
            let cancel = Bound::new(py, Cancel { system: system.clone(), request })?;
            future.call_method1(intern!(py, "add_done_callback"), (cancel,))?;
            Ok(future)
        }
    }
}

fn settled<T>(
    py: Python<'_>,
    over: airwasm::Result<T>,
    value: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    over.map_err(|error| raise(py, error)).and_then(|over| value(py, over))
}

/// An awaitable that is over, but after a tick of such answers lets the loop turn once.
pub fn ready<'py>(
    asyncio_loop: &Bound<'py, PyAny>,
    outcome: PyResult<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = asyncio_loop.py();
    let queue = loops::queue_of(asyncio_loop)?;
    let turn = queue.get().queue().turns.spend(Instant::now());
    if turn == Turn::Mark {
        call_method(asyncio_loop, intern!(py, "call_soon"), (queue,))?;
    }
    let ready = Ready { outcome, yields: AtomicBool::new(turn == Turn::Yield) };
    Ok(Bound::new(py, ready)?.into_any())
}

/// Hands the outcome to the future on its loop, unless that was cancelled meanwhile.
fn resolve<T>(
    future: &Bound<'_, PyAny>,
    over: airwasm::Result<T>,
    value: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>>,
    undelivered: impl FnOnce(T),
) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        if let Ok(late) = over {
            undelivered(late);
        }
        return Ok(());
    }
    match settled(py, over, value) {
        Ok(value) => call_method(future, intern!(py, "set_result"), (value,)).map(drop),
        Err(error) => {
            call_method(future, intern!(py, "set_exception"), (error.value(py),))?;
            // Marks it as seen: a caller that lost interest is not told off by asyncio.
            future.call_method0(intern!(py, "exception")).map(drop)
        }
    }
}
