//! What airwasm's threads hand to one JavaScript environment: one queue, drained in batches.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use airwasm::{Message, Reply, Result};

use crate::answer::Value;
use crate::wake::Wake;

/// How many items one turn of the event loop takes, so that a flood leaves room for timers and sockets.
const BATCH: usize = 1_024;

/// One thing that JavaScript is to be told.
pub enum Item {
    /// The operation with this ticket is over.
    Settled { ticket: u64, outcome: Result<Value> },
    /// A message for the handler with this number.
    Message { handler: u32, message: Message, reply: Reply },
    /// The core dropped the handler with this number: its actor has ended for good.
    HandlerGone { handler: u32 },
}

/// Items in the order in which they happened. Any thread may push; only the environment's thread takes.
pub struct Queue {
    inner: Mutex<Inner>,
}

struct Inner {
    items: VecDeque<Item>,
    /// `None` before the environment is ready and after its teardown began; then items are dropped.
    wake: Option<Wake>,
    /// Whether a signal is on its way, so that many items cost one.
    signalled: bool,
}

impl Queue {
    /// A queue that drops all it is given until `open`.
    pub fn new() -> Self {
        Self { inner: Mutex::new(Inner { items: VecDeque::new(), wake: None, signalled: false }) }
    }

    /// From here on items are kept and announced.
    pub fn open(&self, wake: Wake) {
        self.lock().wake = Some(wake);
    }

    /// Hands one item over. Never blocks for longer than another push, and never runs JavaScript.
    pub fn push(&self, item: Item) {
        let mut inner = self.lock();
        let Some(wake) = inner.wake else {
            // Dropped without the lock: dropping a `Reply` may end in another push.
            drop(inner);
            drop(item);
            return;
        };
        inner.items.push_back(item);
        if !inner.signalled {
            inner.signalled = wake.signal();
        }
    }

    /// The next batch. What is left is announced again.
    pub fn take(&self) -> VecDeque<Item> {
        let mut inner = self.lock();
        let size = inner.items.len().min(BATCH);
        let rest = inner.items.split_off(size);
        let batch = std::mem::replace(&mut inner.items, rest);
        inner.signalled = match inner.wake {
            Some(wake) if !inner.items.is_empty() => wake.signal(),
            _ => false,
        };
        batch
    }

    /// The environment goes away: drops what waits and all that still comes.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.wake = None;
        let dropped = std::mem::take(&mut inner.items);
        drop(inner);
        drop(dropped);
    }

    /// A panic of another thread while it held the lock cannot have left the queue half changed.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
