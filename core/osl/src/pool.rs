//! Operations away from the thread that asks for them: any of this crate, as a future of no runtime.
//!
//! The queue is one for all who share the pool, in order. So that one of them does not fill it, let each operation wait
//! for a permit of its actor first ([`Pool::run_with`]).

mod answer;
mod error;
mod job;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use error::PoolError;
pub use job::Job;

use crate::resources::{Acquire, Permit};
use answer::Answer;

/// Threads that run operations which block; a clone is the same. With the last clone what is queued is given up, and
/// each thread ends when it is done with what it runs.
///
/// ```
/// use airssys_osl::{Files, FsError, Pool, PoolError, Resource, Resources};
///
/// async fn read(
///     pool: &Pool,
///     own: &Resources,
///     files: &Files,
///     path: String,
/// ) -> Result<Result<Vec<u8>, FsError>, PoolError> {
///     let files = files.clone().with_resources(own.clone());
///     let place = own.acquire(Resource::File);
///     pool.run_with(place, move |permit| files.with_permit(permit).read_all(&path, 65_536, "read")).await
/// }
/// ```
#[derive(Clone)]
pub struct Pool(Arc<Owner>);

struct Owner(Arc<Shared>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Threads at once, made when there is work for them. 0 is taken as 1.
    pub threads_max: usize,
    /// Operations that wait for a thread.
    pub queued_max: usize,
    /// A thread without work ends after so long.
    pub idle: Duration,
}

impl Default for PoolLimits {
    /// 16 threads, 1,024 operations that wait for one, an end after 10 idle seconds.
    fn default() -> Self {
        Self { threads_max: 16, queued_max: 1_024, idle: Duration::from_secs(10) }
    }
}

type Work = Box<dyn FnOnce() + Send>;

struct Shared {
    limits: PoolLimits,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// In the order of asking.
    queue: BTreeMap<u64, Work>,
    last_ticket: u64,
    threads: usize,
    /// Those that wait for work.
    idle: usize,
    closed: bool,
}

impl Pool {
    pub fn new(limits: PoolLimits) -> Self {
        let limits = PoolLimits { threads_max: limits.threads_max.max(1), ..limits };
        Self(Arc::new(Owner(Arc::new(Shared { limits, state: Mutex::default(), changed: Condvar::new() }))))
    }

    /// Queues the operation at once, and gives its result.
    pub fn run<T, F>(&self, operation: F) -> Job<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let shared = self.0.0.clone();
        let answer: Arc<Answer<T>> = Arc::default();
        let theirs = Promise(answer.clone());
        let work = Box::new(move || {
            let done = catch_unwind(AssertUnwindSafe(operation));
            theirs.0.settle(done.map_err(|panic| PoolError::Panicked(text_of(panic))));
        });
        let ticket = match shared.push(work) {
            Ok(ticket) => Some(ticket),
            Err((error, work)) => {
                answer.settle(Err(error));
                drop(work);
                None
            }
        };
        Job { shared, ticket, answer }
    }

    /// Waits for the permit, then for a thread: an operation that still waits for its permit takes neither a thread nor a
    /// place in the queue. Waiting begins at the first poll.
    pub async fn run_with<T, F>(&self, permit: Acquire, operation: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce(Permit) -> T + Send + 'static,
    {
        let permit = permit.await.map_err(PoolError::Permit)?;
        self.run(move || operation(permit)).await
    }

    /// Threads that there are now.
    pub fn threads(&self) -> usize {
        self.0.0.lock().threads
    }

    /// Operations that wait for a thread.
    pub fn queued(&self) -> usize {
        self.0.0.lock().queue.len()
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(PoolLimits::default())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        self.0.changed.notify_all();
        // What it holds is others' and may do anything as it goes: no lock is held, and each has an end of its own.
        queue.into_values().for_each(|work| quietly(|| drop(work)));
    }
}

impl Shared {
    /// Queues the work, with a thread to come for it; or gives it back.
    fn push(self: &Arc<Self>, work: Work) -> Result<u64, (PoolError, Work)> {
        let mut state = self.lock();
        let queued_max = self.limits.queued_max;
        // What an idle thread is about to take waits for none.
        if state.queue.len() >= queued_max.saturating_add(self.at_hand(&state)) {
            return Err((PoolError::Full { queued_max }, work));
        }
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.queue.insert(ticket, work);
        if state.queue.len() > state.idle
            && state.threads < self.limits.threads_max
            && let Err(error) = self.add_thread(&mut state)
            && state.threads == 0
        {
            let work = state.queue.remove(&ticket).expect("it was queued under this lock");
            return Err((PoolError::NoThread(error.kind()), work));
        }
        drop(state);
        self.changed.notify_one();
        Ok(ticket)
    }

    /// Threads that have nothing to do, or that may yet be made.
    fn at_hand(&self, state: &State) -> usize {
        state.idle + (self.limits.threads_max - state.threads)
    }

    fn add_thread(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let shared = self.clone();
        thread::Builder::new().name("airwasm-io".into()).spawn(move || shared.work())?;
        // It counts as idle from its beginning, so that nobody makes a second one for the same work.
        state.threads += 1;
        state.idle += 1;
        Ok(())
    }

    /// A thread's life: it counts as idle whenever it holds the lock here.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some((_, work)) = state.queue.pop_first() {
                state.idle -= 1;
                drop(state);
                // The operation's own panic is its result; one of a waker, or of a result that nobody wants, is nobody's.
                quietly(work);
                state = self.lock();
                state.idle += 1;
                continue;
            }
            if state.closed {
                break;
            }
            let (woken, timeout) =
                self.changed.wait_timeout(state, self.limits.idle).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.idle -= 1;
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of an answer that gives it: work that goes unrun says so.
struct Promise<T>(Arc<Answer<T>>);

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.0.settle(Err(PoolError::Closed));
    }
}

/// Runs what is not ours, whose panic is nobody's.
fn quietly(run: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        std::mem::forget(panic); // its drop might panic again
    }
}

fn text_of(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    quietly(|| drop(panic));
    text.unwrap_or_else(|| "a value that is no text".to_owned())
}
