//! One actor over all its lives: its mailbox, its run state, and the future that is polled.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::actor::{Message, ReplyTo};
use crate::bounds::Overflow;
use crate::error::{Error, Refused};
use crate::exit::{Exit, Panicked};
use crate::foreign;
use crate::handle::Handle;
use crate::life::{Life, Stage};
use crate::mailbox::{Envelope, Mailbox, Pushed};
use crate::node::{Core, Node, Status};
use crate::poller;
use crate::promise::{Lent, Resolver};
use crate::queue::Runnable;
use crate::run_state::{Before, RunState};
use crate::shared::Shared;
use crate::spec::{Executor, Manner, Spec};
use crate::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Relaxed};
use crate::sync::{Mutex, lock};
use crate::trace;
use crate::watch::Signal;

/// Messages that an actor may handle before the next one has its turn.
const TURN: u32 = 64;
/// Inline dispatch stops at an average handling time of so many microseconds.
const QUICK_US_MAX: u32 = 50;
/// So many messages make the average: one that crosses a tick by chance, however short it was, is not enough to stop it.
const AVERAGED: u32 = 32;

/// Wanted of an actor besides its messages, and before them.
pub(crate) const STOP: u8 = 1;
pub(crate) const KILL: u8 = 2;
pub(crate) const SIGNAL: u8 = 4;
pub(crate) const CHECK: u8 = 8;

/// Whose thread asks, and so how much of its time may be spent on polling in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// It waits for the answer and has nothing else to do.
    Waits,
    /// An event loop, which has others to serve: after a tick that was spent in place it has a turn.
    Loop,
    /// It has other things to do: a worker polls.
    Busy,
}

/// How one life ended.
pub(crate) struct Ended {
    pub exit: Exit,
    /// The actor itself, which a worker drops: the caller that polled in place may be an event loop.
    pub remains: Option<Box<dyn Send>>,
}

impl Ended {
    pub(crate) fn new(exit: Exit) -> Self {
        Self { exit, remains: None }
    }
}

pub(crate) type Task = Pin<Box<dyn Future<Output = Ended> + Send>>;
pub(crate) type Starter<M> = Box<dyn Fn(Arc<Cell<M>>) -> Task + Send + Sync>;

/// What there is to poll.
pub(crate) enum Slot {
    Empty,
    // The waker is made once a life, not once a poll.
    Living {
        task: Task,
        waker: Waker,
    },
    /// A life that ended while a caller polled it in place; a worker buries it. Boxed, as it does not last.
    Ended(Box<(Task, Ended)>),
    /// Buried, but kept until its end has been told.
    Corpse {
        _task: Task,
        _remains: Option<Box<dyn Send>>,
    },
}

impl Slot {
    /// Its life has ended so: what was polled is not polled again, and is to be buried.
    fn end(&mut self, ended: Ended) -> Option<(Task, Ended)> {
        match std::mem::replace(self, Slot::Empty) {
            Slot::Living { task, .. } => Some((task, ended)),
            _ => None,
        }
    }
}

pub(crate) struct Cell<M: Message> {
    pub(crate) core: Core,
    pub(crate) shared: Arc<Shared>,
    pub(crate) manner: Manner,
    pub(crate) run: RunState,
    pub(crate) wanted: AtomicU8,
    pub(crate) mailbox: Mailbox<M>,
    pub(crate) task: Mutex<Slot>,
    pub(crate) life: Mutex<Life<M>>,
    turn_left: AtomicU32,
    average_us: AtomicU32,
    busy_ticks: AtomicU64,
    /// The duty to answer the message at hand, here so that it can be settled if its handler never returns.
    pub(crate) in_flight: Mutex<ReplyTo<M>>,
}

/// What an actor is to do before any message.
pub(crate) enum Urgent {
    Signal(Signal),
    Check,
    Stop,
    /// Nothing more: its runner ends it.
    Kill,
}

impl<M: Message> Cell<M> {
    /// An actor whose lives are begun by [`Node::begin`].
    pub(crate) fn new(core: Core, spec: &Spec, shared: &Arc<Shared>, life: Life<M>) -> Arc<Self> {
        Self::with(core, spec, shared, life, RunState::parked())
    }

    /// An actor whose only life has begun, but for its task.
    pub(crate) fn begun(
        core: Core,
        spec: &Spec,
        shared: &Arc<Shared>,
        on_start: Resolver<(), M::Error>,
    ) -> Arc<Self> {
        core.begin_life();
        Self::with(core, spec, shared, Life::begun(on_start, spec.traps_exits), RunState::queued())
    }

    // It is big, so it is made where it is to be, as far as that can be had.
    #[inline(always)]
    fn with(core: Core, spec: &Spec, shared: &Arc<Shared>, life: Life<M>, run: RunState) -> Arc<Self> {
        Arc::new(Self {
            core,
            shared: shared.clone(),
            mailbox: Mailbox::new(spec.bounds, spec.overflow),
            manner: spec.manner(),
            run,
            wanted: AtomicU8::new(0),
            task: Mutex::new(Slot::Empty),
            life: Mutex::new(life),
            turn_left: AtomicU32::new(0),
            average_us: AtomicU32::new(0),
            busy_ticks: AtomicU64::new(0),
            in_flight: Mutex::new(ReplyTo::none()),
        })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.core.handle
    }

    /// The task of a new life. Called without a lock: it is the actor's own code.
    pub(crate) fn made(self: &Arc<Self>, make: impl FnOnce(Arc<Self>) -> Task) -> Task {
        catch_unwind(AssertUnwindSafe(|| make(self.clone()))).unwrap_or_else(|panic| {
            let cause = Panicked::cause(&*panic);
            Box::pin(async move { Ended::new(Exit::Crash(cause)) })
        })
    }

    /// Puts the task of a new life in place and lets a worker begin it. It counts as queued before, so that whatever is
    /// wanted of it meanwhile is seen by the worker.
    pub(crate) fn start(self: &Arc<Self>, task: Task) {
        let waker = Waker::from(self.clone());
        *lock(&self.task) = Slot::Living { task, waker };
        self.enqueue_fresh();
    }

    fn enqueue_fresh(self: &Arc<Self>) {
        match self.manner.executor {
            Executor::Any if self.shared.queue.push_fresh(self.clone()) => {}
            // The workers are gone, and with them whoever would have let go of it.
            Executor::Any => {
                let slot = self.task.try_lock().map(|mut slot| std::mem::replace(&mut *slot, Slot::Empty));
                foreign::call("drop of an actor", || drop(slot));
            }
            Executor::Callback => {
                let cell = self.clone();
                self.shared.callbacks.run(Box::new(move || cell.run()));
            }
        }
    }

    pub(crate) fn activate(self: &Arc<Self>) {
        if self.run.activate() {
            self.enqueue_fresh();
        }
    }

    /// The same for one that was told to stop: a worker that takes it from its queue sees to its grace, else it is seen to
    /// here.
    pub(crate) fn activate_to_stop(self: &Arc<Self>) {
        let before = self.run.activate_from();
        if before == Before::Other || self.manner.executor != Executor::Any {
            self.arm_grace();
        }
        if before == Before::Idle {
            self.enqueue_fresh();
        }
    }

    /// Activates; what it gives must be queued for the workers, together with others.
    pub(crate) fn activation(self: &Arc<Self>) -> Option<Arc<dyn Runnable>> {
        if !self.run.activate() {
            return None;
        }
        if self.manner.executor == Executor::Any {
            return Some(self.clone());
        }
        self.enqueue_fresh();
        None
    }

    /// Asks for something besides messages.
    pub(crate) fn want(self: &Arc<Self>, what: u8) {
        self.wanted.fetch_or(what, AcqRel);
        self.activate();
    }

    /// Queues a message without activating; `true` if nothing waited before.
    #[inline]
    pub(crate) fn push(&self, message: M, reply: ReplyTo<M>) -> Result<bool, Refused<Envelope<M>>> {
        match self.mailbox.push(Envelope { message, reply }) {
            Ok(Pushed::Queued { first }) => Ok(first),
            Ok(Pushed::Instead { first, mut dropped }) => {
                dropped.reply.settle(Err(Error::Dropped.into()));
                Ok(first)
            }
            Err(refused) => {
                self.shared.count_late(|| self.mailbox.late());
                Err(refused)
            }
        }
    }

    /// Queues a message and activates. What is refused comes back, and its caller is told.
    pub(crate) fn offer(self: &Arc<Self>, message: M, reply: ReplyTo<M>) -> Result<(), Refused<M>> {
        match self.push(message, reply) {
            // Whoever leaves messages behind goes on by itself, so only the first one of a queue has to activate.
            Ok(true) => self.activate(),
            Ok(false) => {}
            Err(refused) => return Err(self.refuse(refused)),
        }
        Ok(())
    }

    /// Tells the caller of a message that was refused, and counts it.
    pub(crate) fn refuse(&self, refused: Refused<Envelope<M>>) -> Refused<M> {
        let Refused { message: mut envelope, error } = refused;
        if self.mailbox.overflow() == Overflow::Block {
            if let Error::MailboxFull { .. } = error {
                self.mailbox.reject();
            }
            self.shared.count_late(|| self.mailbox.late());
        }
        envelope.reply.settle(Err(error.clone().into()));
        Refused { message: envelope.message, error }
    }

    /// Polls once on this thread, which has claimed or started the actor.
    fn poll(self: &Arc<Self>, turn: u32) -> Option<(Task, Ended)> {
        let mut slot = lock(&self.task);
        if let Slot::Ended(_) = &*slot {
            let Slot::Ended(both) = std::mem::replace(&mut *slot, Slot::Empty) else { return None };
            return Some(*both);
        }
        let Slot::Living { task, waker } = &mut *slot else { return None };
        if self.wanted.load(Relaxed) & KILL != 0 {
            return slot.end(Ended::new(Exit::Killed));
        }
        self.turn_left.store(turn, Relaxed);
        let before = (self.shared.ticker.ticks().now(), self.mailbox.delivered());
        let blocks = self.manner.executor == Executor::Callback;
        let polled = poller::polling(self.core.handle, self.manner.nests, blocks, || {
            catch_unwind(AssertUnwindSafe(|| {
                let _span = trace::turn(&self.core);
                task.as_mut().poll(&mut Context::from_waker(waker))
            }))
        });
        let both = match polled {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(ended)) => slot.end(ended),
            Err(panic) => slot.end(Ended::new(Exit::Crash(Panicked::cause(&*panic)))),
        };
        drop(slot);
        self.pace(before);
        both
    }

    /// Polls what was told to stop, and looks at the clock only where that poll lasts or is not the last.
    fn poll_last(self: &Arc<Self>) -> Option<(Task, Ended)> {
        let worker = poller::worker();
        if let Some(worker) = worker {
            self.shared.last_polls.enter(worker, self.core.handle);
        }
        let ended = self.poll(TURN);
        if let Some(worker) = worker {
            self.shared.last_polls.leave(worker);
        }
        if ended.is_none() {
            self.arm_grace();
        }
        ended
    }

    /// Updates the average handling time from the ticks that the poll crossed: no clock is read.
    fn pace(&self, (tick, delivered): (u64, u64)) {
        let crossed = self.shared.ticker.ticks().now() - tick;
        let average = self.average_us.load(Relaxed);
        if crossed == 0 && average == 0 {
            return;
        }
        self.busy_ticks.store(self.busy_ticks.load(Relaxed) + crossed, Relaxed);
        let messages = (self.mailbox.delivered() - delivered).max(1);
        let sample = u32::try_from(crossed * 1_000 / messages).unwrap_or(u32::MAX / 8).min(u32::MAX / 8);
        self.average_us.store(average - average.div_ceil(AVERAGED) + sample / AVERAGED, Relaxed);
    }

    /// Polls in place for the caller's one message, if nothing speaks against it; `false` if a worker must.
    pub(crate) fn poll_inline(self: &Arc<Self>, caller: Caller) -> bool {
        let began = self.shared.ticker.ticks().now();
        let quick = self.average_us.load(Relaxed) < QUICK_US_MAX;
        // Whoever waits anyway takes the place of a worker that sleeps, and spares waking it.
        let may = match caller {
            Caller::Waits => quick || self.shared.has_idle_worker(),
            Caller::Loop => quick,
            Caller::Busy => false,
        };
        let may = may && self.manner.executor == Executor::Any;
        if !may || !poller::may_poll(began) || !self.run.claim() {
            return false;
        }
        self.poll_here(caller, began, 1);
        true
    }

    /// Polls in place what this thread has claimed or started.
    fn poll_here(self: &Arc<Self>, caller: Caller, began: u64, turn: u32) {
        if poller::is_worker() {
            return self.poll_claimed(caller, began, turn);
        }
        let _io = self.shared.io.enter();
        let _active = self.shared.ticker.enter_for_now();
        self.poll_claimed(caller, began, turn);
    }

    /// Queues what was woken; where a thread blocks for its answer, and a worker would have to be woken too, it is that
    /// thread which goes on with it: one that is woken instead of two.
    fn enqueue_woken(self: &Arc<Self>) {
        let alone = self.manner.executor == Executor::Any && self.wanted.load(Relaxed) == 0;
        if alone && !poller::is_worker() && self.shared.has_idle_worker() {
            // Whoever holds it is about to answer. It is let go before anybody is told.
            let waiter = self.in_flight.try_lock().ok().and_then(|duty| duty.waiter());
            if waiter.is_some_and(|waiter| waiter.lend(self.clone()).is_ok()) {
                return;
            }
        }
        self.enqueue_fresh();
    }

    fn poll_claimed(self: &Arc<Self>, caller: Caller, began: u64, turn: u32) {
        let ended = self.poll(turn);
        let again = ended.is_none() && self.run.rest();
        let now = self.shared.ticker.ticks().now();
        if now != began {
            // Its tick was over before it was done; what waits for something else has crossed one by chance.
            let exceeded = again && lock(&self.in_flight).is_wanted();
            match caller {
                _ if exceeded => poller::bar_until(now + poller::BARRED_TICKS),
                // A tick of its own time is what a loop, or a worker, spends at once: then others have their turn.
                Caller::Loop => poller::skip_next(),
                _ if poller::is_worker() => poller::skip_next(),
                _ => {}
            }
        }
        if let Some(ended) = ended {
            // Restarting and dropping are a worker's: the caller's thread may be an event loop.
            *lock(&self.task) = Slot::Ended(Box::new(ended));
            self.run.requeue();
            self.enqueue_fresh();
        } else if again {
            self.enqueue_fresh();
        }
    }

    /// What overtakes the messages, if there is anything.
    #[inline]
    pub(crate) fn next_urgent(&self) -> Option<Urgent> {
        match self.wanted.load(Relaxed) {
            0 => None,
            wanted => self.next_wanted(wanted),
        }
    }

    #[cold]
    fn next_wanted(&self, wanted: u8) -> Option<Urgent> {
        if wanted & KILL != 0 {
            return Some(Urgent::Kill);
        }
        if wanted & SIGNAL != 0 {
            let mut life = lock(&self.life);
            if let Some(signal) = life.signals.as_mut().and_then(|signals| signals.pop_front()) {
                return Some(Urgent::Signal(signal));
            }
            self.wanted.fetch_and(!SIGNAL, AcqRel);
        }
        if wanted & CHECK != 0 {
            self.wanted.fetch_and(!CHECK, AcqRel);
            return Some(Urgent::Check);
        }
        (wanted & STOP != 0).then_some(Urgent::Stop)
    }

    /// The next message, unless the turn is used up.
    #[inline]
    pub(crate) fn next_message(&self) -> Option<Envelope<M>> {
        let left = self.turn_left.load(Relaxed);
        if left == 0 {
            return None;
        }
        self.turn_left.store(left - 1, Relaxed);
        self.mailbox.pop()
    }

    /// Whether there is something to do that waits for the next turn, or for the runner.
    pub(crate) fn goes_on(&self) -> bool {
        self.wanted.load(Relaxed) & KILL != 0 || self.turn_left.load(Relaxed) == 0 && !self.mailbox.is_empty()
    }

    /// The life is about to stop: its mailbox takes nothing more, unless another life may follow.
    pub(crate) fn close(&self, exit: &Exit) {
        if self.core.parent.is_none() || lock(&self.life).stops {
            self.mailbox.close(exit);
        }
    }

    /// A request was answered with an error: too many of them end the life.
    pub(crate) fn note_error(self: &Arc<Self>) {
        let Some(watch) = self.manner.rare.as_ref().and_then(|rare| rare.errors.as_ref()) else { return };
        if watch.note(std::time::Instant::now()) {
            let mut life = lock(&self.life);
            // Work that it left to others may fail after its end, or while it stops.
            if !life.alive || matches!(life.stage, Stage::Stopping) {
                return;
            }
            life.forced = Some(Box::new(Exit::Crash(watch.cause())));
            // Under the lock: it must not hit the next life.
            self.wanted.fetch_or(KILL, AcqRel);
            drop(life);
            // Its handler may go on to wait for something.
            self.activate();
        }
    }

    pub(crate) fn status(&self) -> Status {
        let life = lock(&self.life);
        let state = match life.abandoned {
            true => "abandoned",
            false => life.stage.name(),
        };
        let (restarts, last_exit) = (life.restarts, life.last_exit());
        drop(life);
        Status {
            state,
            mailbox_messages: self.mailbox.len() as u64,
            handled: self.mailbox.delivered(),
            restarts,
            last_exit,
            busy: Duration::from_millis(self.busy_ticks.load(Relaxed)),
        }
    }

    /// Why it has stopped, if it has.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match &lock(&self.life).stage {
            Stage::Stopped(exit) => Some(exit.clone()),
            _ => None,
        }
    }

    pub(crate) fn as_node(self: &Arc<Self>) -> Arc<dyn Node> {
        self.clone()
    }
}

impl<M: Message> Runnable for Cell<M> {
    fn run(self: Arc<Self>) {
        self.run.start();
        let stops = self.wanted.load(Relaxed) & STOP != 0;
        let ended = if stops { self.poll_last() } else { self.poll(TURN) };
        if let Some((task, ended)) = ended {
            return self.bury(task, ended);
        }
        if !self.run.rest() {
            return;
        }
        // It used up its turn, or yielded: what was activated only now goes before it.
        match self.manner.executor {
            Executor::Any => self.shared.queue.push_spent(self.clone()),
            Executor::Callback => self.enqueue_fresh(),
        }
    }
}

impl<M: Message> Wake for Cell<M> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.run.activate() {
            self.enqueue_woken();
        }
    }
}

impl<M: Message> Lent for Cell<M> {
    fn run_here(self: Arc<Self>) {
        // First: whoever wants something of it from now on meets one that runs, whoever did before is seen.
        self.run.start();
        let began = self.shared.ticker.ticks().now();
        if self.wanted.load(Relaxed) != 0 || !poller::may_poll(began) {
            self.run.requeue();
            return self.enqueue_fresh();
        }
        // No message besides the one in hand: whoever waits goes on as soon as that is answered.
        self.poll_here(Caller::Waits, began, 0);
    }

    fn give_back(self: Arc<Self>) {
        self.enqueue_fresh();
    }
}
