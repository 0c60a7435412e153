//! One actor over all its lives: its mailbox, its run state, and the future that is polled.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use crate::actor::{Actor, Message, ReplyTo};
use crate::error::{Error, Refused};
use crate::exit::{Cause, Exit, Panicked};
use crate::id::ActorId;
use crate::life::{Life, Stage};
use crate::mailbox::{Envelope, Mailbox};
use crate::promise::Canceller;
use crate::queue::Runnable;
use crate::run_state::RunState;
use crate::runtime::{Executor, Notice, Shared, Spec};
use crate::supervision::{Decision, decide};

/// Messages that an actor may handle before the next one has its turn.
const TURN: u32 = 64;
/// Inline dispatch stops at an average handling time of so many microseconds.
const QUICK_US_MAX: u32 = 50;
/// A caller whose guest did not end within its tick polls none in place for so many ticks.
const BARRED_TICKS: u64 = 16;

/// Whose thread asks, and so how much of its time may be spent on polling in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// It waits for the answer and has nothing else to do.
    Waits,
    /// An event loop: at most about every other tick is spent in place.
    Loop,
}

thread_local! {
    static INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    static POLLING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    /// The actor whose callback runs on this thread.
    static CURRENT: std::cell::RefCell<Option<ActorId>> = const { std::cell::RefCell::new(None) };
    static BARRED_UNTIL: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Whether this thread is one of a runtime, or polls an actor right now: nothing may wait here for the runtime's end.
pub fn is_inside() -> bool {
    POLLING.get() || INSIDE.get()
}

/// This thread belongs to a runtime from now on.
pub fn mark_inside() {
    INSIDE.set(true);
}

/// The actor whose callback runs on this thread: it answers nobody before the callback returns.
pub fn current_callback() -> Option<ActorId> {
    CURRENT.with_borrow(Clone::clone)
}

/// How one life ended, with the message it was handling.
pub(crate) struct Ended<M: Message> {
    exit: Exit,
    in_flight: Option<ReplyTo<M>>,
    /// The actor itself, which a worker drops: the caller that polled in place may be an event loop.
    remains: Option<Box<dyn Send>>,
}

impl<M: Message> Ended<M> {
    fn new(exit: Exit) -> Self {
        Self { exit, in_flight: None, remains: None }
    }
}

type Task<M> = Pin<Box<dyn Future<Output = Ended<M>> + Send>>;
type Starter<M> = Box<dyn Fn(Arc<Cell<M>>) -> Task<M> + Send + Sync>;

pub(crate) struct Cell<M: Message> {
    pub(crate) spec: Spec,
    pub(crate) shared: Arc<Shared>,
    starter: Starter<M>,
    run: RunState,
    stop_wanted: AtomicBool,
    kill_wanted: AtomicBool,
    mailbox: Mutex<Mailbox<M>>,
    task: Mutex<Option<Task<M>>>,
    /// A life that ended while a caller polled it in place; a worker buries it.
    ended: Mutex<Option<Ended<M>>>,
    pub(crate) life: Mutex<Life<M>>,
    turn_left: AtomicU32,
    average_us: AtomicU32,
    /// Whether a message is in its hands.
    handling: AtomicBool,
    handled: AtomicU64,
    /// The caller of the message at hand, for the case that its handler is killed or never returns.
    in_flight: Mutex<Option<Canceller<M::Reply, M::Error>>>,
}

/// What an actor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// `starting`, `running`, `restarting`, `stopping` or `stopped`.
    pub state: &'static str,
    /// Messages that wait.
    pub mailbox_messages: u64,
    /// Messages handed to it, over all lives.
    pub handled: u64,
    /// How often it was started again.
    pub restarts: u64,
}

// Nothing panics while one of the locks is held, so a poisoned lock still guards a whole state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<M: Message> Cell<M> {
    pub(crate) fn new<A, F, S>(spec: Spec, shared: Arc<Shared>, life: Life<M>, start: F) -> Arc<Self>
    where
        A: Actor<Message = M>,
        F: Fn() -> S + Send + Sync + 'static,
        S: Future<Output = Result<A, Cause>> + Send + 'static,
    {
        let mailbox = Mutex::new(Mailbox::new(spec.bounds));
        let starter: Starter<M> = Box::new(move |cell| Box::pin(live(cell, start())));
        Arc::new(Self {
            spec,
            shared,
            starter,
            run: RunState::parked(),
            stop_wanted: AtomicBool::new(false),
            kill_wanted: AtomicBool::new(false),
            mailbox,
            task: Mutex::new(None),
            ended: Mutex::new(None),
            life: Mutex::new(life),
            turn_left: AtomicU32::new(0),
            average_us: AtomicU32::new(0),
            handling: AtomicBool::new(false),
            handled: AtomicU64::new(0),
            in_flight: Mutex::new(None),
        })
    }

    /// Begins a life on a worker.
    pub(crate) fn begin(self: &Arc<Self>) {
        *lock(&self.task) = Some((self.starter)(self.clone()));
        self.run.unpark();
        self.enqueue_fresh();
    }

    fn enqueue_fresh(self: &Arc<Self>) {
        match self.spec.executor {
            Executor::Any => self.shared.queue.push_fresh(self.clone()),
            Executor::Callback => {
                let cell = self.clone();
                self.shared.callbacks.run(Box::new(move || {
                    CURRENT.set(Some(cell.spec.id.clone()));
                    cell.run();
                    CURRENT.set(None);
                }));
            }
        }
    }

    pub(crate) fn activate(self: &Arc<Self>) {
        if self.run.activate() {
            self.enqueue_fresh();
        }
    }

    /// Queues a message without activating; `true` if it is the only one.
    pub(crate) fn push(&self, message: M, reply: ReplyTo<M>) -> Result<bool, Refused<M>> {
        let mut mailbox = lock(&self.mailbox);
        let pushed = mailbox.push(Envelope { message, reply });
        if pushed.is_err() && mailbox.is_retired() {
            self.shared.count_late(&mut mailbox.counts);
        }
        drop(mailbox);
        pushed.map_err(|Refused { message: mut envelope, error }| {
            envelope.reply.settle(Err(error.clone().into()));
            Refused { message: envelope.message, error }
        })
    }

    /// Polls once on this thread, which has claimed or started the actor.
    fn poll(self: &Arc<Self>, turn: u32) -> Option<Ended<M>> {
        if self.kill_wanted.load(Relaxed) {
            return Some(Ended::new(Exit::Killed));
        }
        self.turn_left.store(turn, Relaxed);
        let before = (self.shared.ticker.ticks().now(), self.handled.load(Relaxed));
        let waker = Waker::from(self.clone());
        let mut task = lock(&self.task);
        let future = task.as_mut()?;
        let nested = POLLING.replace(true);
        let polled =
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))));
        POLLING.set(nested);
        drop(task);
        self.pace(before);
        match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(ended)) => Some(ended),
            Err(panic) => Some(Ended::new(Exit::Crash(Panicked::cause(&*panic)))),
        }
    }

    /// Updates the average handling time from the ticks that the poll crossed: no clock is read.
    fn pace(&self, (tick, handled): (u64, u64)) {
        let crossed_us = (self.shared.ticker.ticks().now() - tick) * 1_000;
        let average = self.average_us.load(Relaxed);
        if crossed_us == 0 && average == 0 {
            return;
        }
        let messages = (self.handled.load(Relaxed) - handled).max(1);
        let sample = u32::try_from(crossed_us / messages).unwrap_or(u32::MAX / 8).min(u32::MAX / 8);
        self.average_us.store(average - average.div_ceil(8) + sample / 8, Relaxed);
    }

    /// Polls in place for the caller's one message, if nothing speaks against it; `false` if a worker must.
    pub(crate) fn poll_inline(self: &Arc<Self>, caller: Caller) -> bool {
        let ticks = self.shared.ticker.ticks();
        let barred = POLLING.get() || ticks.now() < BARRED_UNTIL.get();
        let quick = self.average_us.load(Relaxed) < QUICK_US_MAX;
        if barred || !quick || self.spec.executor != Executor::Any || !self.run.claim() {
            return false;
        }
        let _io = self.shared.io.enter();
        self.shared.ticker.enter();
        let began = ticks.now();
        let ended = self.poll(1);
        let now = ticks.now();
        let suspended = ended.is_none() && self.handling.load(Relaxed);
        match (now != began, caller) {
            (true, _) if suspended => BARRED_UNTIL.set(now + BARRED_TICKS),
            (true, Caller::Loop) => BARRED_UNTIL.set(now + 1),
            _ => {}
        }
        if ended.is_some() {
            // Restarting and dropping are a worker's: the caller's thread may be an event loop.
            *lock(&self.ended) = ended;
            self.run.requeue();
            self.enqueue_fresh();
        } else if self.run.rest() {
            self.enqueue_fresh();
        }
        self.shared.ticker.leave();
        true
    }

    /// The next thing to do; pending when there is nothing, or the turn is used up.
    fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Envelope<M>>> {
        self.handling.store(false, Relaxed);
        if self.stop_wanted.load(Relaxed) {
            return Poll::Ready(None);
        }
        let mut mailbox = lock(&self.mailbox);
        if self.turn_left.load(Relaxed) == 0 {
            if mailbox.len() > 0 {
                context.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        let Some(envelope) = mailbox.pop() else {
            return Poll::Pending;
        };
        drop(mailbox);
        self.turn_left.fetch_sub(1, Relaxed);
        self.handled.fetch_add(1, Relaxed);
        self.handling.store(true, Relaxed);
        envelope.reply.mark_handling();
        *lock(&self.in_flight) = envelope.reply.canceller();
        Poll::Ready(Some(envelope))
    }

    /// The actor is up: it counts, is told, and is announced.
    fn up(&self) {
        let mut life = lock(&self.life);
        life.history.started(Instant::now());
        if matches!(life.stage, Stage::Starting | Stage::Restarting) {
            life.stage = Stage::Running;
        }
        let again = std::mem::replace(&mut life.was_up, true);
        let (restarts, waiting) = (life.restarts, life.on_start.take());
        drop(life);
        let id = &self.spec.id;
        self.shared.notify(if again { Notice::Restarted { id, restarts } } else { Notice::Started { id } });
        if let Some(waiting) = waiting {
            waiting.settle(Ok(()));
        }
    }

    /// A life has ended: decides, tells the observer, then whoever waits, and starts again or never.
    fn bury(self: &Arc<Self>, ended: Ended<M>) {
        self.run.park();
        // Dropped after the observer was told, so that whoever sees the error can already read of it.
        let task = lock(&self.task).take();
        let mut life = lock(&self.life);
        if matches!(life.stage, Stage::Stopped(_)) {
            // It was abandoned while its callback hung; whatever that says now is too late.
            return;
        }
        let exit = if life.kill && !matches!(ended.exit, Exit::Crash(_)) { Exit::Killed } else { ended.exit };
        let decision = match life.stop || life.kill || !life.was_up {
            true => Decision::Stop,
            false => {
                let settings = (&self.spec.intensity, &self.spec.backoff);
                let random = self.shared.random();
                decide(self.spec.restart, &exit, settings, &mut life.history, Instant::now(), random)
            }
        };
        let id = &self.spec.id;
        if let Decision::Restart { after } = decision {
            life.stage = Stage::Restarting;
            life.restarts += 1;
            drop(life);
            self.shared.notify(Notice::Crashed { id, exit: &exit, restart_in: Some(after) });
            self.fail_in_flight(ended.in_flight, &exit);
            drop((task, ended.remains));
            self.begin_after(after);
            return;
        }
        let restarts = life.restarts;
        let was_up = life.was_up;
        drop(life);
        if matches!(exit, Exit::Crash(_)) && was_up {
            self.shared.notify(Notice::Crashed { id, exit: &exit, restart_in: None });
        }
        if decision == Decision::GiveUp {
            let period = self.spec.intensity.period;
            self.shared.notify(Notice::GaveUp { id, restarts, period, exit: &exit });
        }
        self.end(&exit, was_up);
        self.fail_in_flight(ended.in_flight, &exit);
        drop((task, ended.remains));
        self.settle_end(&exit);
    }

    /// Closes the mailbox and leaves the registry; once, whoever comes first.
    fn end(&self, exit: &Exit, was_up: bool) {
        let mut life = lock(&self.life);
        if matches!(life.stage, Stage::Stopped(_)) {
            return;
        }
        life.stage = Stage::Stopped(exit.clone());
        drop(life);
        let mut mailbox = lock(&self.mailbox);
        mailbox.close(exit.clone());
        let left = mailbox.drain();
        let counts = mailbox.retire();
        drop(mailbox);
        let id = &self.spec.id;
        self.shared.retire(id, counts);
        if !left.is_empty() {
            self.shared.notify(Notice::DeadLetters { id, count: left.len() as u64 });
        }
        self.shared.notify(Notice::Stopped { id, exit, was_up });
        for mut envelope in left {
            envelope.reply.settle(Err(Error::Stopped(exit.clone()).into()));
        }
    }

    /// Tells those who wait for the start or the end.
    fn settle_end(&self, exit: &Exit) {
        let mut life = lock(&self.life);
        let (on_start, on_stop) = (life.on_start.take(), std::mem::take(&mut life.on_stop));
        drop(life);
        if let Some(waiting) = on_start {
            let error = match exit {
                Exit::Crash(cause) => Error::StartFailed(cause.clone()),
                other => Error::Stopped(other.clone()),
            };
            waiting.settle(Err(error.into()));
        }
        for waiting in on_stop {
            waiting.settle(Ok(()));
        }
    }

    /// Tells the caller of the message at hand, wherever the duty to answer it is now.
    fn fail_in_flight(&self, reply: Option<ReplyTo<M>>, exit: &Exit) {
        let caller = lock(&self.in_flight).take();
        if let Some(mut reply) = reply {
            reply.settle(Err(failure(exit).into()));
        } else if matches!(exit, Exit::Killed)
            && let Some(caller) = caller
        {
            caller.fail(failure(exit).into());
        }
    }

    fn begin_after(self: &Arc<Self>, after: std::time::Duration) {
        let cell = self.clone();
        self.shared.io.spawn(async move {
            tokio::time::sleep(after).await;
            // Begun under the lock, so that a stop either prevents it or meets a life that it can end.
            let life = lock(&cell.life);
            if matches!(life.stage, Stage::Restarting) && !life.stop {
                cell.begin();
            }
        });
    }

    /// Asks it to stop, or kills it; what waits for its backoff ends here and now.
    pub(crate) fn terminate(self: &Arc<Self>, kill: bool) {
        let mut life = lock(&self.life);
        life.stop = true;
        life.kill |= kill;
        match life.stage {
            Stage::Stopped(_) => return,
            Stage::Restarting if self.task_is_none() => {
                drop(life);
                let exit = if kill { Exit::Killed } else { Exit::Shutdown };
                self.end(&exit, true);
                self.settle_end(&exit);
                return;
            }
            _ => life.stage = Stage::Stopping,
        }
        let was_up = life.was_up;
        drop(life);
        self.stop_wanted.store(true, Relaxed);
        self.kill_wanted.fetch_or(kill, Relaxed);
        if kill && self.spec.executor == Executor::Callback && self.task.try_lock().is_err() {
            // A callback that blocks its thread cannot be killed: its name and its callers are set free.
            self.end(&Exit::Killed, was_up);
            self.fail_in_flight(None, &Exit::Killed);
            self.settle_end(&Exit::Killed);
        }
        self.activate();
    }

    fn task_is_none(&self) -> bool {
        // A task that is being polled is there.
        self.task.try_lock().is_ok_and(|task| task.is_none())
    }

    pub(crate) fn status(&self) -> Status {
        let life = lock(&self.life);
        let (state, restarts) = (life.stage.name(), life.restarts);
        drop(life);
        let mailbox_messages = lock(&self.mailbox).len() as u64;
        Status { state, mailbox_messages, handled: self.handled.load(Relaxed), restarts }
    }

    pub(crate) fn counts(&self) -> crate::mailbox::Counts {
        lock(&self.mailbox).counts
    }
}

/// What the caller of the message at hand is told.
fn failure(exit: &Exit) -> Error {
    match exit {
        Exit::Crash(cause) => Error::Crashed(cause.clone()),
        other => Error::Stopped(other.clone()),
    }
}

/// One life: start, messages one at a time, stop.
async fn live<A: Actor>(
    cell: Arc<Cell<A::Message>>,
    start: impl Future<Output = Result<A, Cause>>,
) -> Ended<A::Message> {
    let mut actor = match start.await {
        Ok(actor) => actor,
        Err(cause) => return Ended::new(Exit::Crash(cause)),
    };
    cell.up();
    if let Err(exit) = actor.post_start().await {
        return Ended { remains: Some(Box::new(actor)), ..Ended::new(exit) };
    }
    while let Some(Envelope { message, mut reply }) = poll_fn(|context| cell.poll_next(context)).await {
        let handled = Caught { inner: actor.handle(message, &mut reply) }.await;
        if let Err(exit) = handled {
            return Ended { exit, in_flight: Some(reply), remains: Some(Box::new(actor)) };
        }
    }
    lock(&cell.mailbox).close(Exit::Shutdown);
    actor.stop().await;
    Ended { remains: Some(Box::new(actor)), ..Ended::new(Exit::Shutdown) }
}

pin_project_lite::pin_project! {
    /// A future whose panic becomes the exit of its actor, while the message it handled is still at hand.
    struct Caught<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future<Output = Result<(), Exit>>> Future for Caught<F> {
    type Output = Result<(), Exit>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        catch_unwind(AssertUnwindSafe(|| inner.poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Exit::Crash(Panicked::cause(&*panic)))))
    }
}

impl<M: Message> Runnable for Cell<M> {
    fn run(self: Arc<Self>) {
        self.run.start();
        if let Some(ended) = lock(&self.ended).take() {
            return self.bury(ended);
        }
        let tick = self.shared.ticker.ticks().now();
        if let Some(ended) = self.poll(TURN) {
            return self.bury(ended);
        }
        if !self.run.rest() {
            return;
        }
        let spent = self.turn_left.load(Relaxed) == 0 || self.shared.ticker.ticks().now() != tick;
        match (spent, self.spec.executor) {
            (true, Executor::Any) => self.shared.queue.push_spent(self.clone()),
            _ => self.enqueue_fresh(),
        }
    }
}

impl<M: Message> Wake for Cell<M> {
    fn wake(self: Arc<Self>) {
        self.activate();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.activate();
    }
}
