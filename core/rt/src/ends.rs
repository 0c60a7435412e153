//! Beginning and ending the lives of an actor.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actor::Message;
use crate::cell::{CHECK, Cell, Ended, KILL, SIGNAL, STOP, Slot, Task};
use crate::counts::Counts;
use crate::deadlines::Due;
use crate::error::Error;
use crate::exit::{Abandoned, Cause, Exit, GaveUp, Linked};
use crate::foreign;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::life::{Life, Stage};
use crate::node::{Core, Ending, Node, Overdue, Status};
use crate::notice::Notice;
use crate::promise::Done;
use crate::spec::Executor;
use crate::supervision::{Fate, Input};
use crate::sync::atomic::Ordering::{Acquire, Relaxed};
use crate::sync::{MutexGuard, lock};
use crate::watch::{Down, MonitorId, Signal, Watcher, Watchers};

/// How long a killed actor that blocks its worker is waited for before it is abandoned.
const ABANDON_AFTER: Duration = Duration::from_millis(1_000);
/// Signals that wait for one actor.
const SIGNALS_MAX: usize = 10_000;

impl<M: Message> Cell<M> {
    /// Whether this life was given up while its code kept its thread.
    pub(crate) fn is_abandoned(&self) -> bool {
        // Whoever abandons it has wanted it killed before.
        self.wanted.load(Acquire) & KILL != 0 && lock(&self.life).abandoned
    }

    /// The life is up: it counts, is told, and is announced. `false` if it was abandoned meanwhile.
    pub(crate) fn up(self: &Arc<Self>) -> bool {
        let mut life = lock(&self.life);
        if life.abandoned {
            return false;
        }
        if matches!(life.stage, Stage::Starting | Stage::Restarting) {
            life.stage = Stage::Running;
        }
        life.is_up = true;
        let again = std::mem::replace(&mut life.was_up, true);
        let (restarts, waiting) = (life.restarts, life.on_start.take());
        if let Some(health) = self.manner.rare.as_ref().and_then(|rare| rare.health) {
            life.checks = Some(crate::health::watch(self, health));
        }
        drop(life);
        if again {
            self.shared.count_restart();
        }
        self.shared.notify(&self.core, |id| match again {
            true => Notice::Restarted { id, restarts },
            false => Notice::Started { id },
        });
        if let Some(waiting) = waiting {
            waiting.settle(Ok(()));
        }
        if let Some((supervisor, key)) = self.core.supervisor() {
            supervisor.feed(Input::Started(key));
        }
        true
    }

    /// A life has ended: its supervisor is asked what becomes of it.
    pub(crate) fn bury(self: &Arc<Self>, task: Task, ended: Ended) {
        self.run.park();
        self.core.end_turn();
        let Ended { exit, remains } = ended;
        let corpse = Slot::Corpse { _task: task, _remains: remains };
        let mut life = lock(&self.life);
        life.disarm();
        if std::mem::take(&mut life.abandoned) {
            // Whatever its callback says now is too late.
            drop(life);
            if self.manner.executor == Executor::Callback {
                self.shared.callbacks.found();
            }
            foreign::call("drop of an actor", || drop(corpse));
            return;
        }
        let crashed = matches!(exit, Exit::Crash(_));
        let exit = match life.forced.take() {
            Some(forced) => *forced,
            None if life.kill && !crashed => Exit::Killed,
            None => exit,
        };
        life.alive = false;
        if self.core.parent.is_none() {
            return self.end_for_good(life, exit, true, true, Some(corpse));
        }
        let is_up = life.is_up;
        life.stage = Stage::Down(exit.clone());
        drop(life);
        // What its supervisor says becomes of it may come later.
        *lock(&self.task) = corpse;
        self.report(exit, is_up);
    }

    fn report(self: &Arc<Self>, exit: Exit, is_up: bool) {
        match self.core.supervisor() {
            Some((supervisor, key)) if is_up => supervisor.feed(Input::Exited(key, exit)),
            Some((supervisor, key)) => supervisor.feed(Input::Failed(key, exit)),
            None => self.clone().settle(Fate::Gone(exit)),
        }
    }

    /// It will be started again.
    fn settle_again(self: &Arc<Self>, after: Duration) {
        let mut life = lock(&self.life);
        let Stage::Down(exit) = life.stage.clone() else { return };
        life.restart(&exit);
        let watchers = life.watchers.take();
        drop(life);
        if !matches!(exit, Exit::Shutdown) {
            let notice = |id| Notice::Crashed { id, exit: &exit, restart_in: Some(after) };
            self.shared.notify(&self.core, notice);
        }
        self.tell_end(&exit, true, self.take_corpse(), watchers);
    }

    /// It is down for good, or until it is asked for again: then its name stays its own.
    fn settle_stopped(self: &Arc<Self>, fated: Exit, gone: bool) {
        let life = lock(&self.life);
        let (exit, had_life) = match &life.stage {
            Stage::Down(exit) => (exit.clone(), true),
            Stage::Stopped(exit) => {
                let exit = exit.clone();
                drop(life);
                if gone {
                    self.shared.retire(&self.core, &self.mailbox.retire());
                    self.shared.notify(&self.core, |id| Notice::Removed { id, exit: &exit });
                }
                return;
            }
            // It never had a life, or waits for the next one.
            _ => (fated, false),
        };
        self.end_for_good(life, exit, had_life, gone, None);
    }

    /// Tells all whom it concerns, the observer first. Its task is in its slot, unless it is given here.
    fn end_for_good(
        self: &Arc<Self>,
        mut life: MutexGuard<'_, Life<M>>,
        exit: Exit,
        had_life: bool,
        gone: bool,
        corpse: Option<Slot>,
    ) {
        // Who was part of the life learns how it ended, all others that it was given up.
        let for_good = life.forced.take().map_or_else(|| exit.clone(), |given_up| *given_up);
        life.stage = Stage::Stopped(for_good.clone());
        // Whoever asked for its end has got it: a life that its supervisor is asked for later is another matter.
        life.stops = false;
        let was_up = life.was_up;
        // Whoever comes from now on learns at once that it has stopped.
        let (on_start, on_stop) = (life.on_start.take(), std::mem::take(&mut life.on_stop));
        let watchers = life.watchers.take();
        drop(life);
        if was_up && had_life {
            self.announce_crash(&exit);
        }
        let (left, counts) = self.mailbox.finish(&for_good, gone);
        if gone {
            self.shared.retire(&self.core, &counts);
        }
        if !left.is_empty() {
            let count = left.len() as u64;
            self.shared.notify(&self.core, |id| Notice::DeadLetters { id, count });
        }
        self.shared.notify(&self.core, |id| Notice::Stopped { id, exit: &for_good, was_up, kept: !gone });
        self.shared.dead_letters.tell(&self.core, left, &for_good);
        let corpse = corpse.unwrap_or_else(|| self.take_corpse());
        self.tell_end(&exit, false, corpse, watchers);
        if let Some(waiting) = on_start {
            let error = match &exit {
                Exit::Crash(cause) => Error::StartFailed(cause.clone()),
                other => Error::Stopped(other.clone()),
            };
            waiting.settle(Err(error.into()));
        }
        on_stop.tell();
    }

    /// Once a life.
    fn announce_crash(&self, exit: &Exit) {
        if matches!(exit, Exit::Crash(_)) && !std::mem::replace(&mut lock(&self.life).announced, true) {
            self.shared.notify(&self.core, |id| Notice::Crashed { id, exit, restart_in: None });
        }
    }

    /// Tells whom it concerns how the life ended: after the observer, so that they can read of it.
    fn tell_end(&self, exit: &Exit, restarting: bool, corpse: Slot, watchers: Option<Box<Watchers>>) {
        self.answer_in_flight(exit);
        foreign::call("drop of an actor", || drop(corpse));
        if let Some(watchers) = watchers {
            let down = Down { id: self.core.id(), exit: exit.clone(), restarting };
            watchers.tell(self.core.handle, &down);
        }
    }

    /// What was kept until its end is told; a callback that was abandoned holds its own.
    fn take_corpse(&self) -> Slot {
        let mut slot = match self.run.is_parked() {
            // Nobody polls it: whoever has it locked only looks.
            true => lock(&self.task),
            false => match self.task.try_lock() {
                Ok(slot) => slot,
                Err(_) => return Slot::Empty,
            },
        };
        match &*slot {
            Slot::Corpse { .. } => std::mem::replace(&mut *slot, Slot::Empty),
            _ => Slot::Empty,
        }
    }

    /// Ends the life with this exit at its next await.
    pub(crate) fn force(self: &Arc<Self>, exit: Exit) {
        let mut life = lock(&self.life);
        if !life.alive {
            return;
        }
        life.forced.get_or_insert_with(|| Box::new(exit));
        // Under the lock: it must not hit the next life.
        self.wanted.fetch_or(KILL, Relaxed);
        drop(life);
        self.kill_now();
    }

    /// Ends the actor for good, by way of its supervisor if it has one.
    pub(crate) fn stop_for_good(self: &Arc<Self>, ending: Ending, done: Option<Done>) {
        let mut life = lock(&self.life);
        if matches!(life.stage, Stage::Stopped(_)) {
            drop(life);
            return done.into_iter().for_each(Done::tell);
        }
        done.into_iter().for_each(|done| life.on_stop.add(done));
        // Known before its supervisor asks it to stop too.
        life.kill |= ending == Ending::Kill;
        life.stops = true;
        if self.core.parent.is_some() {
            drop(life);
            // Asked first, so that it does not take the end for a crash.
            self.ask_to_stop();
            life = lock(&self.life);
            if !life.stops {
                // It got its end meanwhile: the life at hand is one that somebody asked for after that.
                return;
            }
        }
        self.end_life(life, ending);
    }

    fn end_life(self: &Arc<Self>, mut life: MutexGuard<'_, Life<M>>, ending: Ending) {
        if !life.alive {
            return;
        }
        life.stage = Stage::Stopping;
        match ending {
            _ if life.kill || ending == Ending::Kill => {
                life.kill = true;
                self.wanted.fetch_or(KILL, Relaxed);
                drop(life);
                return self.kill_now();
            }
            Ending::Stop(Some(grace)) => {
                // One too far away to be told never comes.
                if let Some(until) = Instant::now().checked_add(grace) {
                    life.grace.shorten(until);
                }
            }
            Ending::Stop(None) | Ending::Kill => {}
        }
        // Under the lock: it must not hit the next life.
        self.wanted.fetch_or(STOP, Relaxed);
        drop(life);
        self.activate_to_stop();
    }

    /// Sees that the end of the grace comes, unless it has none or it was seen to before.
    pub(crate) fn arm_grace(self: &Arc<Self>) {
        let due = || Arc::downgrade(&(self.clone() as Arc<dyn Due>));
        lock(&self.life).grace.arm(&self.shared.deadlines, due);
    }

    /// Ends the life at its next await; one that cannot be ended is abandoned.
    fn kill_now(self: &Arc<Self>) {
        if self.task.try_lock().is_err() && !crate::poller::is_polling(self.core.handle) {
            match self.manner.executor {
                Executor::Callback => self.abandon(),
                Executor::Any => self.abandon_later(),
            }
        }
        self.activate();
    }

    fn abandon_later(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        let life = self.core.life.load(Relaxed);
        self.shared.after(ABANDON_AFTER, move || {
            if let Some(cell) = weak.upgrade()
                && cell.core.is_in(life)
                && cell.task.try_lock().is_err()
            {
                cell.abandon();
            }
        });
    }

    /// Code that blocks its thread cannot be killed: its name and its callers are set free.
    fn abandon(self: &Arc<Self>) {
        let mut life = lock(&self.life);
        if life.abandoned || !life.alive {
            return;
        }
        life.abandoned = true;
        let (exit, is_up) = (life.forced.take().map_or(Exit::Killed, |forced| *forced), life.is_up);
        (life.stage, life.alive) = (Stage::Down(exit.clone()), false);
        life.disarm();
        drop(life);
        if self.manner.executor == Executor::Callback {
            self.shared.callbacks.lose();
        }
        self.report(exit, is_up);
    }

    /// Its supervisor is not to start it again.
    fn ask_to_stop(&self) {
        if let Some((supervisor, key)) = self.core.supervisor() {
            supervisor.terminate(key);
        }
    }

    /// Tells the caller of the message at hand how the life ended.
    fn answer_in_flight(&self, exit: &Exit) {
        // Taken first: a callback may be called, and no lock is held then.
        let mut duty = lock(&self.in_flight).take();
        duty.settle(Err(failure(exit).into()));
    }

    /// Answers a message that was taken while its life was being abandoned, after what was in flight had been answered.
    #[cold]
    pub(crate) fn answer_if_abandoned(&self) {
        let life = lock(&self.life);
        if life.abandoned {
            let exit = life.last_exit().unwrap_or(Exit::Killed);
            drop(life);
            self.answer_in_flight(&exit);
        }
    }

    /// The answer to a health check.
    pub(crate) fn checked(&self, answer: &Result<(), Cause>) {
        crate::health::answered(self, answer);
    }
}

/// What the caller of the message at hand is told.
fn failure(exit: &Exit) -> Error {
    match exit {
        Exit::Crash(cause) => Error::Crashed(cause.clone()),
        other => Error::Stopped(other.clone()),
    }
}

impl<M: Message> Node for Cell<M> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn begin(self: Arc<Self>) {
        let mut life = lock(&self.life);
        if life.abandoned {
            let exit = Exit::Crash(Arc::new(Abandoned));
            life.stage = Stage::Down(exit.clone());
            drop(life);
            return self.report(exit, false);
        }
        let asked = life.is_stop_asked();
        life.renew(self.manner.traps_exits);
        self.core.begin_life();
        // Under the lock: whoever wants its end from now on must not be overwritten.
        self.wanted.store(0, Relaxed);
        self.mailbox.reopen();
        let starter = life.starter.take();
        drop(life);
        let Some(starter) = starter else { return };
        self.run.unpark();
        let task = self.made(&*starter);
        if self.core.parent.is_some() {
            // Before anybody can end the life and begin the next one.
            lock(&self.life).starter = Some(starter);
        }
        self.start(task);
        if asked {
            // Its supervisor refused to stop it, as it was about to start it again.
            self.ask_to_stop();
            self.shut_down();
        }
    }

    fn end(self: Arc<Self>, ending: Ending) {
        self.end_life(lock(&self.life), ending);
    }

    fn overdue(self: Arc<Self>) {
        let life = lock(&self.life);
        if life.grace.is_over(Instant::now()) {
            self.end_life(life, Ending::Kill);
        }
    }

    fn shut_down(self: Arc<Self>) {
        let ending = self.manner.shutdown.into();
        self.end(ending);
    }

    fn given_up(&self, why: GaveUp) {
        let mut life = lock(&self.life);
        life.forced = Some(Box::new(Exit::Crash(Arc::new(why))));
        let Stage::Down(exit) = life.stage.clone() else { return };
        drop(life);
        self.announce_crash(&exit);
    }

    fn settle(self: Arc<Self>, fate: Fate) {
        match fate {
            Fate::Again { after } => self.settle_again(after),
            // Its supervisor ends with it, and only then its name is free, which is what is waited for.
            Fate::Kept(_) if self.core.parent.as_ref().is_some_and(|parent| parent.is_hidden) => {}
            Fate::Kept(exit) => self.settle_stopped(exit, false),
            Fate::Gone(exit) => self.settle_stopped(exit, true),
        }
    }

    fn stop(self: Arc<Self>, ending: Ending, done: Option<Done>) {
        self.stop_for_good(ending, done);
    }

    fn status(&self) -> Status {
        Cell::status(self)
    }

    fn abolish(self: Arc<Self>) {
        let task = match self.task.try_lock() {
            Ok(mut slot) => std::mem::replace(&mut *slot, Slot::Empty),
            // Code that blocks its thread holds it.
            Err(_) => Slot::Empty,
        };
        foreign::call("drop of an actor", || drop(task));
        self.settle_stopped(Exit::Killed, true);
    }

    fn is_stopped(&self) -> bool {
        matches!(lock(&self.life).stage, Stage::Stopped(_))
    }

    fn counts(&self) -> Counts {
        self.mailbox.counts()
    }

    fn watch(&self, watcher: Watcher) -> Result<(), Option<Exit>> {
        let mut life = lock(&self.life);
        if let Stage::Stopped(exit) = &life.stage {
            return Err(Some(exit.clone()));
        }
        let added = life.watchers.get_or_insert_default().add(watcher);
        added.then_some(()).ok_or(None)
    }

    fn demonitor(&self, monitor: MonitorId) -> bool {
        lock(&self.life).watchers.as_mut().is_some_and(|watchers| watchers.demonitor(monitor))
    }

    fn unlink(&self, other: Handle) -> bool {
        lock(&self.life).watchers.as_mut().is_some_and(|watchers| watchers.unlink(other))
    }

    fn signal(self: Arc<Self>, signal: Signal) {
        let mut life = lock(&self.life);
        let signals = life.signals.get_or_insert_default();
        if signals.len() < SIGNALS_MAX {
            signals.push_back(signal);
        }
        drop(life);
        self.want(SIGNAL);
    }

    fn linked_down(self: Arc<Self>, id: &ActorId, exit: &Exit) {
        let (id, exit) = (id.clone(), exit.clone());
        if lock(&self.life).traps_exits {
            return self.signal(Signal::Exit { id, exit });
        }
        if exit.is_crash() {
            self.force(Exit::Crash(Arc::new(Linked { id, exit })));
        }
    }

    fn lasts(self: Arc<Self>) {
        self.arm_grace();
    }

    fn children(&self) -> Vec<Arc<dyn Node>> {
        Vec::new()
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<M: Message> Due for Cell<M> {
    /// The grace of a stop is over.
    fn due(self: Arc<Self>) {
        let shared = self.shared.clone();
        shared.queue.push_fresh(Arc::new(Overdue(self)));
    }
}

impl<M: Message> Cell<M> {
    /// A health check is due.
    pub(crate) fn check(self: &Arc<Self>) {
        self.want(CHECK);
    }
}
