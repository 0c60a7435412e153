//! One answer that is still to come: awaited, waited for by a thread, or delivered to a callback.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::deadlines::{Deadline, Due};
use crate::error::Error;
use crate::handle::Handle as Actor;
use crate::shared::Shared;
use crate::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use crate::sync::{Condvar, Mutex, MutexGuard, lock};
use crate::waits::{Edge, Open};

/// The resolver was dropped without an answer.
#[derive(Clone, Copy, Debug)]
pub struct Broken;

type Callback<V, E> = Box<dyn FnOnce(Result<V, E>) + Send>;
/// An answer that was there already, and the callback that was not needed for it.
type Early<V, E> = (Result<V, E>, Callback<V, E>);

enum State<V, E> {
    Empty,
    /// A thread blocks for it. Known, because to notify a condition costs a system call even if nobody waits.
    Blocking {
        /// It may be given something to do meanwhile.
        helps: bool,
    },
    /// The thread that blocks for it has this to do first.
    Lent(Arc<dyn Lent>),
    Polled(Waker),
    Called(Callback<V, E>),
    Ready(Result<V, E>),
    /// Taken, delivered or given up: whatever comes now is dropped.
    Over,
}

type Held<V, E> = (State<V, E>, Option<Box<Aside>>);

/// What is dropped as soon as it is over, and undoes itself then.
#[derive(Default)]
struct Aside {
    _deadline: Option<Deadline>,
    _upstream: Option<Upstream>,
}

/// What the thread that waits for an answer may do towards it: one of the two is called, once.
pub(crate) trait Lent: Send + Sync {
    /// On the thread that waits.
    fn run_here(self: Arc<Self>);
    /// It does not wait any more.
    fn give_back(self: Arc<Self>);
}

/// The promise that this one is made of: whoever gives this one up gives up that one too.
struct Upstream(Box<dyn Source>);

impl Drop for Upstream {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

trait Source: Send {
    fn give_up(&self);
}

impl<V: Send, E: Send> Source for Weak<Slot<V, E>> {
    fn give_up(&self) {
        let Some(slot) = self.upgrade() else { return };
        let mut guard = slot.lock();
        if let State::Called(_) = guard.0 {
            slot.over.store(true, Release);
            let earlier = (std::mem::replace(&mut guard.0, State::Over), guard.1.take());
            drop(guard);
            drop(earlier);
        }
    }
}

struct Slot<V, E> {
    /// With the deadline of a wait that has begun.
    state: Mutex<Held<V, E>>,
    arrived: Condvar,
    handling: AtomicBool,
    /// Whether there is an answer, or nobody waits for one. Written under the lock, read without it.
    over: AtomicBool,
}

impl<V, E> Slot<V, E> {
    fn new(state: State<V, E>) -> Self {
        let over = matches!(state, State::Ready(_));
        Self {
            state: Mutex::new((state, None)),
            arrived: Condvar::new(),
            handling: AtomicBool::new(false),
            over: AtomicBool::new(over),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held<V, E>> {
        lock(&self.state)
    }

    /// The first answer wins.
    #[inline]
    fn settle(&self, answer: Result<V, E>) -> bool {
        let mut guard = self.lock();
        if let (State::Empty, None) = &*guard {
            guard.0 = State::Ready(answer);
            self.over.store(true, Release);
            return true;
        }
        self.settle_waited(guard, answer)
    }

    /// Keeps something until it is over; what is not needed, or not any more, is dropped when no lock is held.
    fn set_aside<T>(&self, keep: impl FnOnce(&mut Aside) -> T) {
        let mut guard = self.lock();
        let unused = match guard.0 {
            State::Ready(_) | State::Over => Err(keep),
            _ => Ok(keep(guard.1.get_or_insert_default())),
        };
        drop(guard);
        drop(unused);
    }

    /// The lock is released before anybody is told.
    fn settle_waited(&self, mut guard: MutexGuard<'_, Held<V, E>>, answer: Result<V, E>) -> bool {
        self.over.store(true, Release);
        let aside = guard.1.take();
        let told = match std::mem::replace(&mut guard.0, State::Over) {
            State::Empty => {
                guard.0 = State::Ready(answer);
                drop(guard);
                true
            }
            State::Blocking { .. } => {
                guard.0 = State::Ready(answer);
                drop(guard);
                self.arrived.notify_all();
                true
            }
            State::Lent(lent) => {
                // Its thread was told already, and finds the answer instead.
                guard.0 = State::Ready(answer);
                drop(guard);
                lent.give_back();
                true
            }
            State::Polled(waker) => {
                guard.0 = State::Ready(answer);
                drop(guard);
                waker.wake();
                true
            }
            State::Called(callback) => {
                drop(guard);
                // A callback that panics must not take the thread that answers, nor the actor it answers for.
                let _ = catch_unwind(AssertUnwindSafe(|| callback(answer)));
                true
            }
            earlier => {
                guard.0 = earlier;
                drop(guard);
                false
            }
        };
        drop(aside);
        told
    }
}

impl<V: Send, E: Send> Open for Slot<V, E> {
    fn is_open(&self) -> bool {
        !self.over.load(Acquire)
    }
}

/// The side that answers; dropped without an answer it breaks the promise.
// No `Option` inside, so that an `Option` of it is as small.
pub struct Resolver<V, E: From<Broken>>(Arc<Slot<V, E>>);

/// The side that waits; dropped, it gives up.
#[must_use = "an answer nobody waits for is given up"]
pub struct Pending<V, E: From<Error>> {
    slot: Option<Arc<Slot<V, E>>>,
    deadline: Option<Instant>,
    /// The actor that is to answer, for those that would wait in a circle; its runtime keeps the deadline.
    target: Option<(Arc<Shared>, Actor)>,
    /// The actor on whose behalf somebody else waits.
    asker: Option<Actor>,
    edge: Option<Edge>,
}

/// The side that tells of an end, whatever the other side's errors are; dropped, it breaks the promise.
pub(crate) struct Done(Arc<dyn Told>);

/// What is told once, without a box around it.
trait Told: Send + Sync {
    fn tell(&self, answer: Result<(), Broken>);
}

impl<E: From<Broken> + Send> Told for Slot<(), E> {
    fn tell(&self, answer: Result<(), Broken>) {
        if !self.over.load(Acquire) {
            self.settle(answer.map_err(E::from));
        }
    }
}

impl Done {
    /// A new pair.
    pub(crate) fn promise<E: From<Broken> + From<Error> + Send + 'static>() -> (Self, Pending<(), E>) {
        let slot = Arc::new(Slot::new(State::Empty));
        (Self(slot.clone()), Pending::new(slot))
    }

    /// It is down.
    pub(crate) fn tell(self) {
        self.0.tell(Ok(()));
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.0.tell(Err(Broken));
    }
}

/// A new pair.
pub fn promise<V, E: From<Broken> + From<Error>>() -> (Resolver<V, E>, Pending<V, E>) {
    let slot = Arc::new(Slot::new(State::Empty));
    let pending = Pending::new(slot.clone());
    (Resolver(slot), pending)
}

impl<V, E: From<Broken>> Resolver<V, E> {
    /// Answers; `false` if the other side has given up.
    pub fn settle(self, answer: Result<V, E>) -> bool {
        !self.is_abandoned() && self.0.settle(answer)
    }

    /// Whether the other side has given up.
    pub fn is_abandoned(&self) -> bool {
        // A deadline that passed has put its error there already.
        self.0.over.load(Acquire)
    }

    pub(crate) fn mark_handling(&self) {
        self.0.handling.store(true, Relaxed);
    }

    pub(crate) fn waiter(&self) -> Waiter<V, E> {
        Waiter(self.0.clone())
    }
}

/// Whoever waits for an answer.
pub(crate) struct Waiter<V, E>(Arc<Slot<V, E>>);

impl<V, E> Waiter<V, E> {
    /// Has the thread that blocks for the answer do this, if there is one that may and has nothing to do yet.
    pub(crate) fn lend(&self, lent: Arc<dyn Lent>) -> Result<(), Arc<dyn Lent>> {
        let mut guard = self.0.lock();
        if !matches!(guard.0, State::Blocking { helps: true }) {
            return Err(lent);
        }
        guard.0 = State::Lent(lent);
        drop(guard);
        self.0.arrived.notify_all();
        Ok(())
    }
}

impl<V, E: From<Broken>> Drop for Resolver<V, E> {
    fn drop(&mut self) {
        if !self.0.over.load(Acquire) {
            self.0.settle(Err(Broken.into()));
        }
    }
}

/// Gives up a pending answer from elsewhere.
pub struct Canceller<V, E>(Weak<Slot<V, E>>);

impl<V, E: From<Error>> Canceller<V, E> {
    /// Whether the answer has come.
    pub fn is_over(&self) -> bool {
        self.0.upgrade().is_none_or(|slot| matches!(slot.lock().0, State::Over))
    }

    /// Settles with this error; `false` if there was an answer before.
    pub fn fail(&self, error: E) -> bool {
        self.0.upgrade().is_some_and(|slot| slot.settle(Err(error)))
    }

    /// Settles with `Cancelled`; `false` if there was an answer before.
    pub fn cancel(&self) -> bool {
        self.0.upgrade().is_some_and(|slot| slot.settle(Err(Error::Cancelled.into())))
    }
}

impl<V, E: From<Error>> Pending<V, E> {
    fn new(slot: Arc<Slot<V, E>>) -> Self {
        Self { slot: Some(slot), deadline: None, target: None, asker: None, edge: None }
    }
}

impl<V: Send + 'static, E: From<Error> + Send + 'static> Pending<V, E> {
    /// An answer that is there already.
    pub fn ready(answer: Result<V, E>) -> Self {
        Self::new(Arc::new(Slot::new(State::Ready(answer))))
    }

    /// It is an answer of this actor; it fails with `Timeout` at the deadline.
    pub(crate) fn toward(mut self, shared: &Arc<Shared>, target: Actor, deadline: Option<Instant>) -> Self {
        self.target = Some((shared.clone(), target));
        self.deadline = deadline;
        self
    }

    /// Whether the answer is there, so that nothing will be waited for.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.slot.as_ref().is_none_or(|slot| slot.over.load(Acquire))
    }

    /// It is waited for on behalf of this actor, wherever that happens: a circle of such waits fails with `Cycle`.
    pub fn asked_by(mut self, asker: Actor) -> Self {
        self.asker = Some(asker);
        self
    }

    /// Records that the actor whose code this is will wait; fails if it closes a circle.
    fn record_wait(&mut self, explicit: bool) -> Result<(), E> {
        let asker = if explicit { self.asker } else { self.asker.or_else(crate::poller::current) };
        let (None, Some(asker), Some((shared, target)), Some(slot)) =
            (&self.edge, asker, &self.target, &self.slot)
        else {
            return Ok(());
        };
        let wait: Weak<Slot<V, E>> = Arc::downgrade(slot);
        match Edge::record(shared, asker, *target, wait) {
            Ok(edge) => self.edge = edge,
            Err(ids) if slot.is_open() => return Err(Error::Cycle(ids).into()),
            // The answer came meanwhile.
            Err(_) => {}
        }
        Ok(())
    }

    /// The same with another outcome. Dropped, this one is given up too.
    pub fn map<U, F>(
        self,
        change: impl FnOnce(Result<V, E>) -> Result<U, F> + Send + 'static,
    ) -> Pending<U, F>
    where
        U: Send + 'static,
        F: From<Broken> + From<Error> + Send + 'static,
    {
        let (resolver, mut mapped) = promise();
        (mapped.target, mapped.asker) = (self.target.clone(), self.asker);
        let deliver = move |outcome| {
            resolver.settle(change(outcome));
        };
        match (self.hand_to(Box::new(deliver)), &mapped.slot) {
            (Ok(canceller), Some(slot)) => {
                let upstream = Upstream(Box::new(canceller.0));
                slot.set_aside(|aside| aside._upstream.replace(upstream));
            }
            (Ok(_), None) => {}
            (Err((outcome, deliver)), _) => deliver(outcome),
        }
        mapped
    }

    /// The answer, if it is there.
    #[inline]
    pub fn try_take(&mut self) -> Option<Result<V, E>> {
        if !self.is_over() {
            return None;
        }
        let slot = self.slot.take()?;
        let mut guard = slot.lock();
        let State::Ready(answer) = std::mem::replace(&mut guard.0, State::Over) else {
            // Over without an answer is only what is over for this side, which then has no slot.
            return Some(Err(Error::NoReply.into()));
        };
        drop(guard);
        self.edge = None;
        Some(answer)
    }

    /// Blocks this thread until the answer is there or `until` has come; `None` in the latter case.
    pub fn wait_until(&mut self, until: Option<Instant>) -> Option<Result<V, E>> {
        if let Some(answer) = self.try_take() {
            return Some(answer);
        }
        if let Err(cycle) = self.record_wait(false) {
            self.give_up();
            return Some(Err(cycle));
        }
        let slot = self.slot.clone()?;
        let mut guard = slot.lock();
        if let State::Polled(_) = guard.0 {
            // From here on it is this thread that waits.
            guard.0 = State::Empty;
        }
        while matches!(guard.0, State::Empty | State::Blocking { .. } | State::Lent(_)) {
            if let State::Lent(lent) = std::mem::replace(&mut guard.0, State::Empty) {
                drop(guard);
                lent.run_here();
                guard = slot.lock();
                continue;
            }
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                drop(guard);
                slot.settle(Err(self.timed_out()));
                return self.try_take();
            }
            if until.is_some_and(|until| until <= now) {
                drop(guard);
                self.edge = None;
                return None;
            }
            guard.0 = State::Blocking { helps: self.helps() };
            guard = match [self.deadline, until].into_iter().flatten().min() {
                None => slot.arrived.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let waited = slot.arrived.wait_timeout(guard, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        drop(guard);
        self.try_take()
    }

    /// Whether this thread may poll what it waits for.
    fn helps(&self) -> bool {
        let tick = self.target.as_ref().map(|(shared, _)| shared.ticker.ticks().now());
        tick.is_none_or(crate::poller::could_poll)
    }

    /// Blocks this thread until the answer or the deadline.
    pub fn wait(mut self) -> Result<V, E> {
        self.wait_until(None).unwrap_or_else(|| Err(Error::NoReply.into()))
    }

    /// Delivers to `callback`, exactly once, on the thread that answers; or returns the answer if it is there already.
    pub fn on_ready(self, callback: Callback<V, E>) -> Result<Canceller<V, E>, Result<V, E>> {
        self.hand_to(callback).map_err(|(answer, _)| answer)
    }

    fn hand_to(mut self, callback: Callback<V, E>) -> Result<Canceller<V, E>, Early<V, E>> {
        if let Some(answer) = self.try_take() {
            return Err((answer, callback));
        }
        if let Err(cycle) = self.record_wait(true) {
            self.give_up();
            return Err((Err(cycle), callback));
        }
        let Some(slot) = self.slot.clone() else {
            return Err((Err(Error::NoReply.into()), callback));
        };
        let callback = match self.edge.take() {
            Some(edge) => Box::new(move |answer| {
                drop(edge);
                callback(answer);
            }),
            None => callback,
        };
        self.arm(&slot);
        let mut guard = slot.lock();
        match std::mem::replace(&mut guard.0, State::Over) {
            State::Empty | State::Blocking { .. } | State::Polled(_) => {
                guard.0 = State::Called(callback);
                self.slot = None;
                Ok(Canceller(Arc::downgrade(&slot)))
            }
            State::Ready(answer) => {
                self.slot = None;
                Err((answer, callback))
            }
            // Lent is only to a thread that waits, which has this pending itself.
            State::Lent(_) | State::Called(_) | State::Over => Err((Err(Error::NoReply.into()), callback)),
        }
    }

    fn timed_out(&self) -> E {
        let handling = self.slot.as_ref().is_some_and(|slot| slot.handling.load(Relaxed));
        Error::Timeout { handling }.into()
    }

    /// Lets the deadline come, once.
    fn arm(&mut self, slot: &Arc<Slot<V, E>>) {
        let (Some(at), Some((shared, _))) = (self.deadline.take(), &self.target) else { return };
        let weak: Weak<dyn Due> = Arc::downgrade(&(slot.clone() as Arc<dyn Due>));
        let deadline = shared.deadlines.add(at, weak);
        slot.set_aside(|aside| aside._deadline.replace(deadline));
    }
}

impl<V: Send, E: From<Error> + Send> Due for Slot<V, E> {
    fn due(self: Arc<Self>) {
        let handling = self.handling.load(Relaxed);
        self.settle(Err(Error::Timeout { handling }.into()));
    }
}

impl<V: Send + 'static, E: From<Error> + Send + 'static> Future for Pending<V, E> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(answer) = self.try_take() {
            return Poll::Ready(answer);
        }
        if let Err(cycle) = self.record_wait(false) {
            self.give_up();
            return Poll::Ready(Err(cycle));
        }
        let waker = context.waker().clone();
        let Some(slot) = self.slot.take() else {
            return Poll::Ready(Err(Error::NoReply.into()));
        };
        self.arm(&slot);
        let mut guard = slot.lock();
        let is_ready = matches!(guard.0, State::Ready(_));
        if !is_ready {
            guard.0 = State::Polled(waker);
        }
        drop(guard);
        self.slot = Some(slot);
        match is_ready {
            true => self.try_take().map_or(Poll::Pending, Poll::Ready),
            false => Poll::Pending,
        }
    }
}

impl<V, E: From<Error>> Pending<V, E> {
    /// Waits no more: whoever answers is told so.
    fn give_up(&mut self) {
        self.edge = None;
        let Some(slot) = self.slot.take() else { return };
        let mut guard = slot.lock();
        slot.over.store(true, Release);
        let earlier = std::mem::replace(&mut guard.0, State::Over);
        let aside = guard.1.take();
        drop(guard);
        drop((earlier, aside));
    }
}

impl<V, E: From<Error>> Drop for Pending<V, E> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<V, E: From<Broken>> Unpin for Resolver<V, E> {}
impl<V, E: From<Error>> Unpin for Pending<V, E> {}

#[cfg(all(test, not(feature = "loom")))]
#[path = "promise_tests.rs"]
mod tests;
