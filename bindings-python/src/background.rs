//! The asyncio loop of a system whose async handlers were given where no loop ran.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;

use crate::hang::{call, call_method};
use crate::loops;
use crate::queue::Queue;

/// A thread with a loop, started when it is first needed.
#[derive(Default)]
pub struct Background(Mutex<Option<(Py<PyAny>, Arc<Queue>)>>);

impl Background {
    /// The queue of the loop; starts it if it does not run.
    pub fn queue(&self, py: Python<'_>) -> PyResult<Arc<Queue>> {
        if let Some(queue) = self.known() {
            return Ok(queue);
        }
        let made = call(&py.import("airwasm._background")?.getattr("Background")?, ())?;
        let queue = loops::queue_of(&made.getattr(intern!(py, "loop"))?)?.get().queue().clone();
        if let Some(known) = self.keep(&made, &queue) {
            call_method(&made.getattr(intern!(py, "loop"))?, intern!(py, "close"), ())?;
            return Ok(known);
        }
        call_method(&made, intern!(py, "start"), ())?;
        Ok(queue)
    }

    /// Keeps what was made, unless another thread was faster: no lock is held over a call into Python.
    fn keep(&self, made: &Bound<'_, PyAny>, queue: &Arc<Queue>) -> Option<Arc<Queue>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            Some((_, known)) => Some(known.clone()),
            None => {
                *state = Some((made.clone().unbind(), queue.clone()));
                None
            }
        }
    }

    fn known(&self) -> Option<Arc<Queue>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.as_ref().map(|(_, queue)| queue.clone())
    }

    /// Lets the thread end, and does not wait for it.
    pub fn stop(&self, py: Python<'_>) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((thread, _)) = running {
            let stopped = call_method(thread.bind(py), intern!(py, "stop"), ());
            stopped.map_or_else(|why| why.write_unraisable(py, Some(thread.bind(py))), drop);
        }
    }
}
