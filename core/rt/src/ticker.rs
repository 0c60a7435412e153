//! Time in ticks of a millisecond, counted by a thread of its own that sleeps while nobody runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(1);
const IDLE_TICKS_MAX: u32 = 100;

/// The current tick, to be read anywhere. It stands still while no actor is polled.
#[derive(Clone, Default)]
pub struct Ticks(Arc<AtomicU64>);

impl Ticks {
    /// How many ticks there have been.
    pub fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counted by whoever holds the number: by hand, where no time is to pass.
impl From<Arc<AtomicU64>> for Ticks {
    fn from(counter: Arc<AtomicU64>) -> Self {
        Self(counter)
    }
}

struct Shared {
    ticks: Ticks,
    /// Threads that may be polling: awake workers and callers that poll in place.
    active: AtomicUsize,
    asleep: AtomicBool,
    ended: AtomicBool,
}

/// The thread that counts.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
    join: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread; `on_tick` is called at each tick.
    pub(crate) fn start(mut on_tick: Box<dyn FnMut() + Send>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            ticks: Ticks::default(),
            active: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let counted = shared.clone();
        let join = thread::Builder::new()
            .name("airwasm-tick".to_owned())
            .spawn(move || counted.count(&mut on_tick))?;
        Ok(Self { shared, thread: join.thread().clone(), join: Some(join) })
    }

    pub(crate) fn ticks(&self) -> &Ticks {
        &self.shared.ticks
    }

    /// This thread is about to poll: time must run. Undone by [`Ticker::leave`].
    pub(crate) fn enter(&self) {
        // Sequential consistency pairs with `count`: either it sees this thread, or this thread sees it asleep.
        self.shared.active.fetch_add(1, SeqCst);
        if self.shared.asleep.load(SeqCst) {
            self.thread.unpark();
        }
    }

    /// The same, undone when this is dropped.
    pub(crate) fn enter_for_now(&self) -> Entered<'_> {
        self.enter();
        Entered(self)
    }

    /// Threads that may be polling now.
    pub(crate) fn active(&self) -> usize {
        self.shared.active.load(Relaxed)
    }

    /// This thread polls no more.
    pub(crate) fn leave(&self) {
        self.shared.active.fetch_sub(1, SeqCst);
    }
}

/// A thread that polls as long as this lives.
pub(crate) struct Entered<'a>(&'a Ticker);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Shared {
    fn count(&self, on_tick: &mut dyn FnMut()) {
        let mut idle_ticks = 0;
        while !self.ended.load(SeqCst) {
            thread::sleep(TICK);
            self.ticks.0.fetch_add(1, Relaxed);
            on_tick();
            idle_ticks = if self.active.load(SeqCst) == 0 { idle_ticks + 1 } else { 0 };
            if idle_ticks >= IDLE_TICKS_MAX {
                self.sleep();
                idle_ticks = 0;
            }
        }
    }

    fn sleep(&self) {
        self.asleep.store(true, SeqCst);
        while self.active.load(SeqCst) == 0 && !self.ended.load(SeqCst) {
            thread::park();
        }
        self.asleep.store(false, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        self.thread.unpark();
        if let Some(join) = self.join.take() {
            // The thread only counts; if a tick hook panicked there is nothing left to stop.
            let _ = join.join();
        }
    }
}
