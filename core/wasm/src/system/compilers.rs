//! The threads that compile: few and their own. Whoever waits for one is free at once; one that does not end in time
//! is abandoned, and counted until it does.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use airssys_rt::{Pending, Resolver, promise};

use crate::component::Progress;
use crate::types::error::{Code, Error, Result};

/// As many compilations may outlast their time, or those who waited for them, before new ones are refused.
const ABANDONED_MAX: usize = 4;
const WAITING_MAX: usize = 1_024;
/// Validators and compilers recurse, as deep as the bounds of the scan let them.
const STACK_BYTES: usize = 8 << 20;

pub(super) type Work<V> = Box<dyn FnOnce(&Task<V>) -> Result<V> + Send>;
/// Called when a task begins; what it gives back is called when the task is over.
pub(super) type Watch<V> =
    Box<dyn Fn(&Arc<Compilers<V>>, &Arc<Task<V>>) -> Box<dyn FnOnce() + Send> + Send + Sync>;

pub(super) struct Compilers<V: Send + 'static> {
    state: Mutex<State<V>>,
    threads_max: usize,
    stack_bytes: usize,
    watch: Watch<V>,
}

/// What waits, and why no thread could be begun for it.
struct Threadless<V: Send + 'static> {
    waiting: VecDeque<(Arc<Task<V>>, Work<V>)>,
    why: std::io::Error,
}

impl<V: Send + 'static> Threadless<V> {
    fn tell(self) {
        let text = format!("no thread to compile on: {}", self.why);
        for resolver in self.waiting.into_iter().filter_map(|(task, _)| task.take()) {
            resolver.settle(Err(Error::new(Code::Io, text.clone())));
        }
    }
}

struct State<V: Send + 'static> {
    waiting: VecDeque<(Arc<Task<V>>, Work<V>)>,
    /// Those that compile; the abandoned ones are no longer among them.
    threads: usize,
    /// What they compile.
    running: Vec<Arc<Task<V>>>,
    abandoned: usize,
    closed: bool,
}

/// One compilation, for whoever watches it.
pub(super) struct Task<V: Send + 'static> {
    /// Taken by the one that answers: the thread, or its deadline.
    resolver: Mutex<Option<Resolver<V, Error>>>,
    /// Of the pool.
    closed: AtomicBool,
    pub progress: Progress,
}

impl<V: Send + 'static> Task<V> {
    fn take(&self) -> Option<Resolver<V, Error>> {
        self.resolver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether nobody waits for it any more, or for anything.
    pub(super) fn is_given_up(&self) -> bool {
        let resolver = self.resolver.lock().unwrap_or_else(PoisonError::into_inner);
        self.closed.load(Relaxed) || resolver.as_ref().is_none_or(Resolver::is_abandoned)
    }
}

impl<V: Send + 'static> Compilers<V> {
    pub(super) fn new(threads_max: usize, watch: Watch<V>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::new()), threads_max, stack_bytes: STACK_BYTES, watch })
    }

    fn lock(&self) -> MutexGuard<'_, State<V>> {
        // Counts and the queue are changed together, by code that does not panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the work. If it is given up before it begins, it never does.
    pub(super) fn begin(self: &Arc<Self>, work: Work<V>) -> Pending<V, Error> {
        let (resolver, pending) = promise();
        let task = Arc::new(Task {
            resolver: Mutex::new(Some(resolver)),
            closed: AtomicBool::new(false),
            progress: Progress::new(Instant::now()),
        });
        let mut state = self.lock();
        if state.threads >= self.threads_max {
            state.give_up();
        }
        if let Err(error) = state.check() {
            return Pending::ready(Err(error));
        }
        state.waiting.push_back((task, work));
        let threadless = self.add_thread(&mut state);
        drop(state);
        threadless.into_iter().for_each(Threadless::tell);
        pending
    }

    /// One thread more for what waits, if there may be one. Threads end when nothing waits. What can have none is
    /// given back, to be told without the lock.
    fn add_thread(self: &Arc<Self>, state: &mut State<V>) -> Option<Threadless<V>> {
        if state.waiting.is_empty() || state.threads >= self.threads_max {
            return None;
        }
        let (pool, name) = (self.clone(), "airwasm-compile".to_owned());
        let thread = thread::Builder::new().name(name).stack_size(self.stack_bytes);
        match thread.spawn(move || pool.compile_all()) {
            Ok(_) => state.threads += 1,
            // The others will come to it.
            Err(_) if state.threads > 0 => {}
            Err(why) => return Some(Threadless { waiting: std::mem::take(&mut state.waiting), why }),
        }
        None
    }

    fn next(&self) -> Option<(Arc<Task<V>>, Work<V>)> {
        let mut state = self.lock();
        let next = state.waiting.pop_front();
        match &next {
            Some((task, _)) => state.running.push(task.clone()),
            None => state.threads -= 1,
        }
        next
    }

    fn compile_all(self: Arc<Self>) {
        airssys_rt::mark_inside();
        while let Some((task, work)) = self.next() {
            if !self.compile(&task, work) {
                return;
            }
        }
    }

    /// Compiles what was taken from the queue; `false` once this thread has been replaced.
    fn compile(self: &Arc<Self>, task: &Arc<Task<V>>, work: Work<V>) -> bool {
        if task.is_given_up() {
            // Nobody waits, or it is closed.
            return self.settle(task, Err(closed()));
        }
        task.progress.begin(Instant::now());
        let unwatch = (self.watch)(self, task);
        let outcome = catch_unwind(AssertUnwindSafe(|| work(task)));
        unwatch();
        let outcome = outcome.unwrap_or_else(|_| {
            Err(Error::new(Code::Panic, "the compiler panicked; please report the component"))
        });
        self.settle(
            task,
            match outcome {
                // Its helper was ended because the system is.
                Err(error) if error.code == Code::Cancelled && task.closed.load(Relaxed) => Err(closed()),
                outcome => outcome,
            },
        )
    }

    /// Answers for a task that was taken from the queue, unless that was done in its place: then this thread has been
    /// replaced.
    fn settle(&self, task: &Task<V>, outcome: Result<V>) -> bool {
        let mut state = self.lock();
        let Some(resolver) = task.take() else {
            state.abandoned -= 1;
            return false;
        };
        state.leave(task);
        drop(state);
        resolver.settle(outcome);
        true
    }

    /// Answers in place of a compilation that has taken too long, and lets another thread take its place.
    pub(super) fn abandon(self: &Arc<Self>, task: &Task<V>, allowed: Duration) {
        let mut state = self.lock();
        // Under the lock: a thread that finds it taken finds itself counted.
        let Some(resolver) = task.take() else { return };
        state.abandon(task);
        let threadless = self.add_thread(&mut state);
        drop(state);
        resolver.settle(Err(limit("compile_ms", allowed.as_millis(), task.progress.spent().as_millis())));
        threadless.into_iter().for_each(Threadless::tell);
    }

    /// Lets other threads go on with what waits, in place of those that compile for nobody.
    pub(super) fn relieve(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.waiting.is_empty() || state.threads < self.threads_max {
            return;
        }
        state.give_up();
        let threadless = self.add_thread(&mut state);
        drop(state);
        threadless.into_iter().for_each(Threadless::tell);
    }

    /// What waits is `CLOSED`; what compiles ends by itself, or with its helper at once.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.running.iter().for_each(|task| task.closed.store(true, Relaxed));
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for resolver in waiting.into_iter().filter_map(|(task, _)| task.take()) {
            resolver.settle(Err(closed()));
        }
    }
}

impl<V: Send + 'static> State<V> {
    fn new() -> Self {
        let (waiting, running) = (VecDeque::new(), Vec::new());
        Self { waiting, threads: 0, running, abandoned: 0, closed: false }
    }

    fn leave(&mut self, task: &Task<V>) {
        self.running.retain(|other| !std::ptr::eq(&**other, task));
    }

    /// Another thread may take the place of the task's, which counts apart until it ends.
    fn abandon(&mut self, task: &Task<V>) {
        self.leave(task);
        self.threads -= 1;
        self.abandoned += 1;
    }

    /// Abandons one that nobody waits for any more, if that may be. Once it is closed, who waits gets what compiles.
    fn give_up(&mut self) {
        if self.closed || self.abandoned >= ABANDONED_MAX {
            return;
        }
        for task in self.running.clone() {
            if task.is_given_up() && task.take().is_some() {
                return self.abandon(&task);
            }
        }
    }

    fn check(&self) -> Result<()> {
        match () {
            () if self.closed => Err(closed()),
            () if self.abandoned >= ABANDONED_MAX => {
                Err(limit("abandoned_compilations", ABANDONED_MAX as u128 - 1, self.abandoned as u128))
            }
            () if self.waiting.len() >= WAITING_MAX => {
                Err(limit("waiting_compilations", WAITING_MAX as u128, self.waiting.len() as u128 + 1))
            }
            () => Ok(()),
        }
    }
}

fn closed() -> Error {
    Error::new(Code::Closed, "the system is closed")
}

fn limit(which: &str, allowed: u128, given: u128) -> Error {
    let figure = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    Error::new(Code::CompileLimit, format!("compile limit: {which} allowed {allowed}, given {given}"))
        .with("which", which)
        .with("allowed", figure(allowed))
        .with("given", figure(given))
}

#[cfg(test)]
#[path = "compilers_tests.rs"]
mod tests;
