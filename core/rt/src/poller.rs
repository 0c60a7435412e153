//! What a thread is polling right now, and what it may poll besides.

use std::cell::Cell;

use crate::handle::Handle;

/// Polls in place that may stand on each other on one thread.
const NESTED_MAX: usize = 8;
/// A caller whose guest did not end within its tick polls none in place for so many ticks.
pub(crate) const BARRED_TICKS: u64 = 16;

/// More than can stand on each other: polls in place, the worker's or callback's own, and one to spare.
const STACK: usize = NESTED_MAX + 4;

thread_local! {
    // Cells without a destructor: they are reached without any check, at each poll.
    static LOCAL: Local = const {
        Local {
            is_inside: Cell::new(false),
            worker: Cell::new(None),
            skips: Cell::new(false),
            barred_until: Cell::new(0),
            depth: Cell::new(0),
            polled: [const { Cell::new(None) }; STACK],
        }
    };
}

struct Local {
    is_inside: Cell<bool>,
    worker: Cell<Option<usize>>,
    /// The next poll in place is left to a worker, so that others have their turn here.
    skips: Cell<bool>,
    barred_until: Cell<u64>,
    depth: Cell<usize>,
    /// The actors that are polled on this thread, the innermost last.
    polled: [Cell<Option<Polled>>; STACK],
}

impl Local {
    fn top(&self) -> Option<Polled> {
        self.at(self.depth.get().checked_sub(1)?)
    }

    fn at(&self, place: usize) -> Option<Polled> {
        self.polled.get(place)?.get()
    }

    fn has(&self, handle: Handle, depth: usize) -> bool {
        (0..depth).any(|place| self.at(place).is_some_and(|polled| polled.handle == handle))
    }
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
    LOCAL.with(|local| local.is_inside.get() || local.depth.get() > 0)
}

/// This thread belongs to a runtime from now on.
pub fn mark_inside() {
    LOCAL.with(|local| local.is_inside.set(true));
}

/// This thread is the worker of this number, within its runtime's IO and counted as active.
pub(crate) fn mark_worker(number: usize) {
    mark_inside();
    LOCAL.with(|local| local.worker.set(Some(number)));
}

/// Whether this thread is a worker.
pub(crate) fn is_worker() -> bool {
    worker().is_some()
}

/// The number of the worker that this thread is.
pub(crate) fn worker() -> Option<usize> {
    LOCAL.with(|local| local.worker.get())
}

/// Whether this thread is a worker that polls nothing: it may carry out what others should not be kept with.
pub(crate) fn is_free_worker() -> bool {
    LOCAL.with(|local| local.worker.get().is_some() && local.depth.get() == 0)
}

/// The actor whose code runs on this thread.
pub fn current() -> Option<Handle> {
    LOCAL.with(|local| local.top().map(|polled| polled.handle))
}

/// The actor whose callback runs on this thread and may block it: it answers nobody before the callback returns.
pub fn current_callback() -> Option<Handle> {
    LOCAL.with(|local| local.top().filter(|polled| polled.blocks).map(|polled| polled.handle))
}

/// Those that are polled on this thread on top of this actor, the innermost last, if any: it waits for them.
pub(crate) fn above(handle: Handle) -> Option<Vec<Handle>> {
    LOCAL.with(|local| {
        let polled: Vec<_> = (0..local.depth.get()).filter_map(|place| local.at(place)).collect();
        let place = polled.iter().position(|it| it.handle == handle)?;
        let above: Vec<_> = polled[place + 1..].iter().map(|it| it.handle).collect();
        (!above.is_empty()).then_some(above)
    })
}

/// Whether this actor is being polled on this thread beneath others: it goes on only after them.
pub(crate) fn is_beneath(handle: Handle) -> bool {
    LOCAL.with(|local| local.has(handle, local.depth.get().saturating_sub(1)))
}

/// Whether this actor is being polled on this thread.
pub(crate) fn is_polling(handle: Handle) -> bool {
    LOCAL.with(|local| local.has(handle, local.depth.get()))
}

/// Calls `poll` as this actor's code.
#[inline]
pub(crate) fn polling<T>(handle: Handle, nests: bool, blocks: bool, poll: impl FnOnce() -> T) -> T {
    struct Pop(usize);
    impl Drop for Pop {
        fn drop(&mut self) {
            LOCAL.with(|local| local.depth.set(self.0));
        }
    }
    let _pop = LOCAL.with(|local| {
        let depth = local.depth.get();
        assert!(depth < STACK, "polls in place stand at most {NESTED_MAX} high");
        local.polled[depth].set(Some(Polled { handle, nests, blocks }));
        local.depth.set(depth + 1);
        Pop(depth)
    });
    poll()
}

/// Whether an actor may be polled in place here at this tick.
#[inline]
pub(crate) fn may_poll(tick: u64) -> bool {
    could_poll(tick) && !LOCAL.with(|local| local.skips.replace(false))
}

/// The same, but for a turn that this thread owes others.
#[inline]
pub(crate) fn could_poll(tick: u64) -> bool {
    LOCAL.with(|local| {
        let nests = local.top().is_none_or(|polled| polled.nests && local.depth.get() < NESTED_MAX);
        nests && tick >= local.barred_until.get()
    })
}

/// No actor is polled in place on this thread before this tick.
pub(crate) fn bar_until(tick: u64) {
    LOCAL.with(|local| local.barred_until.set(tick));
}

/// The next poll in place on this thread is left to a worker.
pub(crate) fn skip_next() {
    LOCAL.with(|local| local.skips.set(true));
}
