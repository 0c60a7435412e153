//! Where timers and IO live: a tokio runtime on a thread of its own. No guest is ever polled there.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::types::error::{Code, Error, Result};

/// Threads for blocking operations: files, names, and messages to services. Made as they are needed; so many that those
/// of services which wait for programs leave some to everybody else.
const BLOCKING_THREADS_MAX: usize = 512;

pub(crate) struct Io {
    handle: Handle,
    end: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Io {
    pub(crate) fn start() -> Result<Self> {
        let failed =
            |why: std::io::Error| Error::new(Code::Io, format!("no thread for timers and io: {why}"));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("airwasm-block")
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("airwasm-io".to_owned())
            .spawn(move || {
                airssys_rt::mark_inside();
                // Ends when told to, or when whoever could tell is gone.
                let _ = runtime.block_on(ended);
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self { handle, end: Mutex::new(Some((end, thread))) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends the thread; what is still under way is dropped.
    pub(crate) fn end(&self) {
        let ending = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((end, thread)) = ending {
            let _ = end.send(());
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        self.end();
    }
}
