//! What other threads leave for an asyncio loop. Leaving a job takes no GIL.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PySet, PyWeakrefReference};

use crate::loops;
use crate::turns::Turns;

/// Work for the loop's own thread. The set keeps the tasks of async handlers alive.
pub type Job = Box<dyn FnOnce(Python<'_>, &Bound<'_, PySet>) + Send>;

/// How the loop learns that there are jobs.
pub enum Bell {
    /// The writing end of the pair whose other end the loop watches.
    Socket(UnixStream),
    /// A loop without `add_reader`: its `call_soon_threadsafe`, which needs the GIL and so a thread that may wait.
    Call(Py<PyWeakrefReference>),
}

struct State {
    jobs: Vec<Job>,
    /// None once the loop is closed.
    bell: Option<Arc<Bell>>,
    rung: bool,
}

/// The jobs that wait for one loop.
pub struct Queue {
    state: Mutex<State>,
    /// How long the loop's turn has been filled with answers that were there at once.
    pub turns: Turns,
}

impl Queue {
    pub fn new(bell: Bell) -> Arc<Self> {
        let state = State { jobs: Vec::new(), bell: Some(Arc::new(bell)), rung: false };
        Arc::new(Self { state: Mutex::new(state), turns: Turns::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_closed(&self) -> bool {
        self.lock().bell.is_none()
    }

    /// Leaves a job, and wakes the loop if it is the first since it last looked. A job for a closed loop is dropped.
    pub fn push(self: &Arc<Self>, system: &airwasm::System, job: Job) {
        let mut state = self.lock();
        let Some(bell) = state.bell.clone() else {
            // Unlocked first: a dropped job answers somebody, who may push here again.
            drop(state);
            return drop(job);
        };
        state.jobs.push(job);
        if std::mem::replace(&mut state.rung, true) {
            return;
        }
        match &*bell {
            // Under the lock, so that the other end is still open. If the pipe is full, it is rung already.
            Bell::Socket(socket) => {
                let mut socket = socket;
                let _ = socket.write(&[1]);
            }
            Bell::Call(_) => {
                drop(state);
                let queue = self.clone();
                system.run_callback(Box::new(move || queue.call(&bell)));
            }
        }
    }

    fn call(&self, bell: &Bell) {
        let Bell::Call(asyncio_loop) = bell else { return };
        let rang = Python::try_attach(|py| loops::call_soon(asyncio_loop.bind(py)).is_ok());
        if rang != Some(true) {
            self.close();
        }
    }

    /// What was left so far.
    pub fn take(&self) -> Vec<Job> {
        let mut state = self.lock();
        state.rung = false;
        std::mem::take(&mut state.jobs)
    }

    /// Drops what waits and all that comes: the loop is closed.
    pub fn close(&self) {
        let mut state = self.lock();
        let left = (state.bell.take(), std::mem::take(&mut state.jobs));
        drop(state);
        drop(left);
    }
}
