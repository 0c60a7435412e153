//! What a thread is polling right now, and what it may poll besides.

use std::cell::{Cell, RefCell};

use crate::handle::Handle;

/// Polls in place that may stand on each other on one thread.
const NESTED_MAX: usize = 8;
/// A caller whose guest did not end within its tick polls none in place for so many ticks.
pub(crate) const BARRED_TICKS: u64 = 16;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static WORKER: Cell<bool> = const { Cell::new(false) };
    /// The actors that are polled on this thread, the innermost last.
    static POLLED: RefCell<Vec<Polled>> = const { RefCell::new(Vec::new()) };
    static BARRED_UNTIL: Cell<u64> = const { Cell::new(0) };
}

#[derive(Clone, Copy)]
struct Polled {
    handle: Handle,
    /// Whether another actor may be polled in place on top of it.
    nests: bool,
    /// Whether this thread may block until the callback returns.
    blocks: bool,
}

/// Whether this thread is one of a runtime, or polls an actor right now: nothing may wait here for the runtime's end.
pub fn is_inside() -> bool {
    INSIDE.get() || POLLED.with_borrow(|polled| !polled.is_empty())
}

/// This thread belongs to a runtime from now on.
pub fn mark_inside() {
    INSIDE.set(true);
}

/// This thread is a worker, within its runtime's IO and counted as active.
pub(crate) fn mark_worker() {
    INSIDE.set(true);
    WORKER.set(true);
}

/// Whether this thread is a worker.
pub(crate) fn is_worker() -> bool {
    WORKER.get()
}

/// Whether this thread is a worker that polls nothing: it may carry out what others should not be kept with.
pub(crate) fn is_free_worker() -> bool {
    WORKER.get() && POLLED.with_borrow(Vec::is_empty)
}

/// The actor whose code runs on this thread.
pub fn current() -> Option<Handle> {
    POLLED.with_borrow(|polled| polled.last().map(|polled| polled.handle))
}

/// The actor whose callback runs on this thread and may block it: it answers nobody before the callback returns.
pub fn current_callback() -> Option<Handle> {
    POLLED.with_borrow(|polled| polled.last().filter(|polled| polled.blocks).map(|polled| polled.handle))
}

/// Those that are polled on this thread on top of this actor, the innermost last, if any: it waits for them.
pub(crate) fn above(handle: Handle) -> Option<Vec<Handle>> {
    POLLED.with_borrow(|polled| {
        let place = polled.iter().position(|it| it.handle == handle)?;
        let above: Vec<_> = polled[place + 1..].iter().map(|it| it.handle).collect();
        (!above.is_empty()).then_some(above)
    })
}

/// Whether this actor is being polled on this thread.
pub(crate) fn is_polling(handle: Handle) -> bool {
    POLLED.with_borrow(|polled| polled.iter().any(|it| it.handle == handle))
}

/// Calls `poll` as this actor's code.
pub(crate) fn polling<T>(handle: Handle, nests: bool, blocks: bool, poll: impl FnOnce() -> T) -> T {
    struct Pop;
    impl Drop for Pop {
        fn drop(&mut self) {
            POLLED.with_borrow_mut(|polled| polled.pop());
        }
    }
    POLLED.with_borrow_mut(|polled| polled.push(Polled { handle, nests, blocks }));
    let _pop = Pop;
    poll()
}

/// Whether an actor may be polled in place here at this tick.
pub(crate) fn may_poll(tick: u64) -> bool {
    let nests =
        POLLED.with_borrow(|polled| polled.last().is_none_or(|it| it.nests && polled.len() < NESTED_MAX));
    nests && tick >= BARRED_UNTIL.get()
}

/// No actor is polled in place on this thread before this tick.
pub(crate) fn bar_until(tick: u64) {
    BARRED_UNTIL.set(tick);
}
