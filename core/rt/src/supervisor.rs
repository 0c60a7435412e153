//! A supervisor: feeds its pure machine, and does in order what the machine wants done.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::child::{ChildSpec, SupervisorSpec};
use crate::counts::Counts;
use crate::deadlines::{Deadline, Due};
use crate::error::Error;
use crate::exit::{Exit, GaveUp};
use crate::foreign;
use crate::handle::Handle;
use crate::id::ActorId;
use crate::life::{self, Stage};
use crate::node::{Core, Ending, Node, Overdue, Parent, Shutdown, Status};
use crate::notice::Notice;
use crate::poller;
use crate::promise::{Done, Resolver};
use crate::queue::Runnable;
use crate::shared::Shared;
use crate::supervision::{Busy, ChildKey, ChildRules, Fate, Input, Machine, Output, Refusal, Ticket};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::watch::{Down, MonitorId, Signal, Watcher, Watchers};

/// Supervisors below each other: their makings and ends are nested calls.
const DEPTH_MAX: usize = 64;

type Answer = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// An actor-like node without messages of its own: what happens to its children is all it is told.
pub(crate) struct Supervisor {
    core: Core,
    pub(crate) shared: Arc<Shared>,
    shutdown: Shutdown,
    period: Duration,
    /// Supervisors above it.
    depth: usize,
    /// It exists only to restart one actor, and ends with it.
    implicit: bool,
    state: Mutex<State>,
}

struct Charge {
    node: Arc<dyn Node>,
    dynamic: bool,
    /// It was asked to end, and has not been answered.
    terminates: bool,
}

struct State {
    machine: Machine,
    inbox: VecDeque<Input>,
    /// Somebody works through the inbox, or is about to.
    working: bool,
    children: BTreeMap<ChildKey, Charge>,
    serial: u64,
    answers: HashMap<Ticket, Answer>,
    stage: Stage,
    is_up: bool,
    was_up: bool,
    /// Somebody kills it: so are its children, whatever their own rules of shutdown are.
    killed: bool,
    /// Somebody asked for its end and has not got it, so no life follows.
    stops: bool,
    restarts: u64,
    last_exit: Option<Exit>,
    on_start: Option<Resolver<(), Error>>,
    on_stop: Vec<Done>,
    watchers: Watchers,
    deadline: Option<Box<Deadline>>,
}

impl Supervisor {
    /// Makes it with all its children, and theirs; nothing is left behind if one is refused.
    pub(crate) fn make(
        shared: &Arc<Shared>,
        spec: SupervisorSpec,
        parent: Option<Parent>,
        on_start: Option<Resolver<(), Error>>,
    ) -> Result<Arc<Self>, Error> {
        let SupervisorSpec { id, rules, shutdown, children } = spec;
        let name = id.as_ref().map_or_else(|| "unnamed".to_owned(), ToString::to_string);
        let depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
        let invalid = |child: &str, why: &dyn ToString| Error::InvalidChild {
            child: child.to_owned(),
            reason: why.to_string(),
        };
        if depth >= DEPTH_MAX {
            return Err(invalid(&name, &format!("more than {DEPTH_MAX} supervisors below each other")));
        }
        let mut machine = Machine::new(rules).map_err(|why| invalid(&name, &why))?;
        for (place, child) in children.iter().enumerate() {
            let rules = ChildRules { restart: child.restart, significant: child.significant, dynamic: false };
            let of = child.id.as_ref().map_or_else(|| name.clone(), ToString::to_string);
            machine.add_static(static_key(place), rules).map_err(|why| invalid(&of, &why))?;
        }
        let implicit = id.is_none() && parent.is_none() && children.len() == 1;
        let state = State::new(machine, children.len() as u64, on_start);
        let supervisor = shared.enter(id, parent, |core| {
            let period = rules.intensity.period;
            Arc::new(Self {
                core,
                shared: shared.clone(),
                shutdown,
                period,
                depth,
                implicit,
                state: Mutex::new(state),
            })
        })?;
        for (place, child) in children.into_iter().enumerate() {
            if let Err(error) = supervisor.take(static_key(place), child, false) {
                supervisor.clone().settle(Fate::Gone(Exit::Normal));
                return Err(error);
            }
        }
        Ok(supervisor)
    }

    pub(crate) fn take(
        self: &Arc<Self>,
        key: ChildKey,
        child: ChildSpec,
        dynamic: bool,
    ) -> Result<Handle, Error> {
        let parent = Parent {
            supervisor: Arc::downgrade(self),
            key,
            depth: self.depth,
            is_hidden: self.implicit,
            restart: child.restart,
        };
        let node = (child.make)(&self.shared, Some(parent))?;
        let handle = node.core().handle;
        lock(&self.state).children.insert(key, Charge { node, dynamic, terminates: false });
        Ok(handle)
    }

    /// Tells it something. A worker that has nothing else in its hands sees to it at once, else another one does.
    pub(crate) fn feed(self: &Arc<Self>, input: Input) {
        self.feed_into(lock(&self.state), input);
    }

    fn feed_into(self: &Arc<Self>, mut state: MutexGuard<'_, State>, input: Input) {
        state.inbox.push_back(input);
        if std::mem::replace(&mut state.working, true) {
            return;
        }
        drop(state);
        if poller::is_free_worker() {
            self.work();
        } else {
            self.shared.queue.push_fresh(self.clone());
        }
    }

    fn work(self: &Arc<Self>) {
        let mut outputs = Vec::new();
        loop {
            let mut state = lock(&self.state);
            let Some(input) = state.inbox.pop_front() else {
                state.working = false;
                return;
            };
            state.machine.step(input, Instant::now(), self.shared.random(), &mut outputs);
            drop(state);
            for output in outputs.drain(..) {
                // Whatever panics in it, the others are carried out too.
                foreign::call("a supervisor's step", || self.carry_out(output));
            }
        }
    }

    fn carry_out(self: &Arc<Self>, output: Output) {
        match output {
            Output::Begin(key) if !lock(&self.state).children.contains_key(&key) => {
                self.feed(Input::Ignored(key))
            }
            Output::Begin(key) => self.child(key, |node| node.begin()),
            Output::End(key) if lock(&self.state).killed => self.child(key, |node| node.end(Ending::Kill)),
            Output::End(key) => self.child(key, |node| node.shut_down()),
            Output::Settle(key, fate) => self.settle_child(key, fate),
            Output::Wait(token, after) => {
                let weak = Arc::downgrade(self);
                let due = move || {
                    if let Some(supervisor) = weak.upgrade() {
                        supervisor.feed(Input::Due(token));
                    }
                };
                self.shared.after(after, due);
            }
            Output::Up => self.up(),
            Output::GaveUp { child, restarts, exit } => self.gave_up(child, restarts, &exit),
            Output::Done(ticket, result) => {
                let answer = lock(&self.state).answers.remove(&ticket);
                if let Some(answer) = answer {
                    answer(result);
                }
            }
            Output::Down(exit) => self.down(exit),
        }
    }

    fn child(&self, key: ChildKey, act: impl FnOnce(Arc<dyn Node>)) {
        let node = lock(&self.state).children.get(&key).map(|charge| charge.node.clone());
        if let Some(node) = node {
            act(node);
        }
    }

    /// A child was deleted: its name is free.
    pub(crate) fn discard(&self, key: ChildKey) {
        let charge = lock(&self.state).children.remove(&key);
        if let Some(charge) = charge {
            charge.node.settle(Fate::Gone(Exit::Normal));
        }
    }

    /// A child was not added: its name is free. One that had begun when a stop overtook it is ended by that.
    pub(crate) fn refuse(&self, key: ChildKey) {
        if !lock(&self.state).machine.has(key) {
            self.settle_child(key, Fate::Gone(Exit::Normal));
        }
    }

    /// A static child keeps its name as long as its supervisor may be begun anew.
    pub(crate) fn settle_child(&self, key: ChildKey, fate: Fate) {
        let mut state = lock(&self.state);
        let Some(charge) = state.children.get(&key) else { return };
        let (node, dynamic) = (charge.node.clone(), charge.dynamic);
        let fate = match fate {
            Fate::Gone(exit) if !dynamic => Fate::Kept(exit),
            Fate::Gone(exit) => {
                state.children.remove(&key);
                Fate::Gone(exit)
            }
            other => other,
        };
        drop(state);
        node.settle(fate);
    }

    fn up(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        state.is_up = true;
        if !matches!(state.stage, Stage::Stopping) {
            state.stage = Stage::Running;
        }
        let again = std::mem::replace(&mut state.was_up, true);
        let (restarts, on_start) = (state.restarts, state.on_start.take());
        drop(state);
        if !self.implicit {
            if again {
                self.shared.count_restart();
            }
            self.shared.notify(&self.core, |id| match again {
                true => Notice::Restarted { id, restarts },
                false => Notice::Started { id },
            });
        }
        if let Some(waiting) = on_start {
            waiting.settle(Ok(()));
        }
        if let Some((supervisor, key)) = self.core.supervisor() {
            supervisor.feed(Input::Started(key));
        }
    }

    fn gave_up(&self, key: ChildKey, restarts: u64, exit: &Exit) {
        let node = lock(&self.state).children.get(&key).map(|charge| charge.node.clone());
        let Some(node) = node else { return };
        node.given_up(GaveUp { restarts, period: self.period, last: exit.clone() });
        let (period, child) = (self.period, node.core().id());
        let core = if self.implicit { node.core() } else { &self.core };
        self.shared.notify(core, |id| Notice::GaveUp { id, child: &child, restarts, period, exit });
    }

    /// The key of a child to come.
    pub(crate) fn next_key(&self) -> ChildKey {
        let mut state = lock(&self.state);
        state.serial += 1;
        ChildKey(state.serial)
    }

    /// All its children are down, and so is it.
    fn down(self: &Arc<Self>, exit: Exit) {
        let mut state = lock(&self.state);
        state.deadline = None;
        let is_up = std::mem::take(&mut state.is_up);
        state.stage = Stage::Down(exit.clone());
        drop(state);
        match self.core.supervisor() {
            Some((supervisor, key)) if is_up => supervisor.feed(Input::Exited(key, exit)),
            Some((supervisor, key)) => supervisor.feed(Input::Failed(key, exit)),
            None => self.clone().settle(Fate::Gone(exit)),
        }
    }

    /// Ends a child because somebody asked for that: nobody restarts it.
    pub(crate) fn terminate(self: &Arc<Self>, key: ChildKey) {
        if self.implicit {
            return self.feed(Input::Stop(Exit::Shutdown));
        }
        let mut state = lock(&self.state);
        let Some(charge) = state.children.get_mut(&key) else { return };
        // Asked once, however many want it.
        if std::mem::replace(&mut charge.terminates, true) {
            return;
        }
        drop(state);
        let weak = Arc::downgrade(self);
        let answer = move |_| {
            if let Some(supervisor) = weak.upgrade()
                && let Some(charge) = lock(&supervisor.state).children.get_mut(&key)
            {
                charge.terminates = false;
            }
        };
        self.ask(|ticket| Input::Terminate(ticket, key), Box::new(answer));
    }

    fn end_life(self: &Arc<Self>, mut state: MutexGuard<'_, State>, ending: Ending) {
        if matches!(state.stage, Stage::Down(_) | Stage::Stopped(_)) {
            return;
        }
        state.stage = Stage::Stopping;
        state.killed |= ending == Ending::Kill;
        let ending = if state.killed { Ending::Kill } else { ending };
        if let Ending::Stop(Some(grace)) = ending {
            let due: Arc<dyn Due> = self.clone();
            let deadline = self.shared.deadlines.after(grace, Arc::downgrade(&due));
            state.deadline = Deadline::earlier(state.deadline.take(), deadline);
        }
        self.feed_into(state, Input::Stop(ending.exit()));
        if ending == Ending::Kill {
            self.children().into_iter().for_each(|node| node.end(Ending::Kill));
        }
    }

    /// Its own supervisor is not to start it again.
    fn ask_to_stop(&self) {
        if let Some((supervisor, key)) = self.core.supervisor() {
            supervisor.terminate(key);
        }
    }

    pub(crate) fn ask(self: &Arc<Self>, input: impl FnOnce(Ticket) -> Input, answer: Answer) {
        let mut state = lock(&self.state);
        state.serial += 1;
        let ticket = Ticket(state.serial);
        state.answers.insert(ticket, answer);
        drop(state);
        self.feed(input(ticket));
    }

    /// Whom a request waits for that was made just now: a child that ends first, or itself for all of them.
    pub(crate) fn ends_first(&self) -> Option<Handle> {
        let state = lock(&self.state);
        let Busy::With(key) = state.machine.ends_first(&state.inbox)? else { return Some(self.core.handle) };
        Some(state.children.get(&key)?.node.core().handle)
    }

    /// What becomes of its children follows from what becomes of it, newest first.
    fn settle_children(&self, fate: &Fate) {
        let mut state = lock(&self.state);
        let children: Vec<_> = state
            .children
            .iter()
            .rev()
            .map(|(key, charge)| (*key, charge.node.clone(), charge.dynamic))
            .collect();
        match fate {
            Fate::Again { .. } => state.children.retain(|_, charge| !charge.dynamic),
            Fate::Gone(_) => state.children.clear(),
            Fate::Kept(_) => {}
        }
        drop(state);
        for (_, node, dynamic) in children {
            node.settle(match fate {
                Fate::Again { .. } if dynamic => Fate::Gone(Exit::Shutdown),
                Fate::Kept(_) => Fate::Kept(Exit::Shutdown),
                Fate::Gone(_) => Fate::Gone(Exit::Shutdown),
                again => again.clone(),
            });
        }
    }

    fn tell_end(self: &Arc<Self>, exit: &Exit, restarting: bool) {
        let watchers = std::mem::take(&mut lock(&self.state).watchers);
        if !watchers.is_empty() {
            let down = Down { id: self.core.id(), exit: exit.clone(), restarting };
            watchers.tell(self.core.handle, &down);
        }
    }

    fn settle_stopped(self: &Arc<Self>, fate: &Fate, exit: &Exit) {
        let mut state = lock(&self.state);
        let stopped_before = matches!(state.stage, Stage::Stopped(_));
        let exit = match &state.stage {
            Stage::Down(exit) | Stage::Stopped(exit) => exit.clone(),
            _ => exit.clone(),
        };
        (state.stage, state.stops) = (Stage::Stopped(exit.clone()), false);
        state.last_exit = Some(exit.clone());
        let (was_up, on_start) = (state.was_up, state.on_start.take());
        let on_stop = std::mem::take(&mut state.on_stop);
        drop(state);
        self.settle_children(fate);
        if matches!(fate, Fate::Gone(_)) {
            self.shared.retire(&self.core, &Counts::default());
        }
        if !stopped_before && !self.implicit {
            let kept = !matches!(fate, Fate::Gone(_));
            self.shared.notify(&self.core, |id| Notice::Stopped { id, exit: &exit, was_up, kept });
        } else if matches!(fate, Fate::Gone(_)) && !self.implicit {
            self.shared.notify(&self.core, |id| Notice::Removed { id, exit: &exit });
        }
        self.tell_end(&exit, false);
        if let Some(waiting) = on_start {
            waiting.settle(Err(match &exit {
                Exit::Crash(cause) => Error::StartFailed(cause.clone()),
                other => Error::Stopped(other.clone()),
            }));
        }
        on_stop.into_iter().for_each(life::tell);
    }
}

/// Keys begin at 1, in the order of the specs.
fn static_key(place: usize) -> ChildKey {
    ChildKey(place as u64 + 1)
}

impl State {
    fn new(machine: Machine, serial: u64, on_start: Option<Resolver<(), Error>>) -> Self {
        Self {
            machine,
            inbox: VecDeque::new(),
            working: false,
            children: BTreeMap::new(),
            serial,
            answers: HashMap::new(),
            stage: Stage::Starting,
            is_up: false,
            was_up: false,
            killed: false,
            stops: false,
            restarts: 0,
            last_exit: None,
            on_start,
            on_stop: Vec::new(),
            watchers: Watchers::default(),
            deadline: None,
        }
    }
}

impl Runnable for Supervisor {
    fn run(self: Arc<Self>) {
        self.work();
    }
}

impl Due for Supervisor {
    /// The grace of a stop is over.
    fn due(self: Arc<Self>) {
        self.shared.queue.push_fresh(Arc::new(Overdue(self.clone())));
    }
}

impl Node for Supervisor {
    fn core(&self) -> &Core {
        &self.core
    }

    fn begin(self: Arc<Self>) {
        let mut state = lock(&self.state);
        state.stage = if state.was_up { Stage::Restarting } else { Stage::Starting };
        state.killed = false;
        let asked = state.stops;
        drop(state);
        self.feed(Input::Begin);
        if asked {
            // Its supervisor refused to stop it, as it was about to start it again.
            self.ask_to_stop();
            self.shut_down();
        }
    }

    fn end(self: Arc<Self>, ending: Ending) {
        self.end_life(lock(&self.state), ending);
    }

    fn overdue(self: Arc<Self>) {
        let state = lock(&self.state);
        if state.deadline.as_ref().is_some_and(|deadline| deadline.at() <= Instant::now()) {
            self.end_life(state, Ending::Kill);
        }
    }

    fn shut_down(self: Arc<Self>) {
        let ending = self.shutdown.into();
        self.end(ending);
    }

    fn settle(self: Arc<Self>, fate: Fate) {
        match &fate {
            Fate::Again { .. } => {
                let mut state = lock(&self.state);
                let Stage::Down(exit) = state.stage.clone() else { return };
                state.stage = Stage::Restarting;
                state.restarts += 1;
                state.last_exit = Some(exit.clone());
                drop(state);
                self.settle_children(&fate);
                self.tell_end(&exit, true);
            }
            Fate::Kept(exit) | Fate::Gone(exit) => self.settle_stopped(&fate, exit),
        }
    }

    fn stop(self: Arc<Self>, ending: Ending, done: Option<Done>) {
        let mut state = lock(&self.state);
        if matches!(state.stage, Stage::Stopped(_)) {
            drop(state);
            return done.into_iter().for_each(Done::tell);
        }
        state.on_stop.extend(done);
        state.stops = true;
        // Known before its own supervisor asks it to stop too.
        state.killed |= ending == Ending::Kill;
        drop(state);
        self.ask_to_stop();
        let state = lock(&self.state);
        // Else it got its end meanwhile: the life at hand is one that somebody asked for after that.
        if state.stops {
            self.end_life(state, ending);
        }
    }

    fn status(&self) -> Status {
        let state = lock(&self.state);
        Status {
            state: state.stage.name(),
            mailbox_messages: 0,
            handled: 0,
            restarts: state.restarts,
            last_exit: state.last_exit.clone(),
            busy: Duration::ZERO,
        }
    }

    fn abolish(self: Arc<Self>) {
        self.settle(Fate::Gone(Exit::Killed));
    }

    fn is_stopped(&self) -> bool {
        matches!(lock(&self.state).stage, Stage::Stopped(_))
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }

    fn watch(&self, watcher: Watcher) -> Result<(), Option<Exit>> {
        let mut state = lock(&self.state);
        if let Stage::Stopped(exit) = &state.stage {
            return Err(Some(exit.clone()));
        }
        state.watchers.add(watcher).then_some(()).ok_or(None)
    }

    fn demonitor(&self, monitor: MonitorId) -> bool {
        lock(&self.state).watchers.demonitor(monitor)
    }

    fn unlink(&self, other: Handle) -> bool {
        lock(&self.state).watchers.unlink(other)
    }

    /// A supervisor monitors nobody.
    fn signal(self: Arc<Self>, _signal: Signal) {}

    /// As in OTP, a supervisor traps exits and heeds only its children's.
    fn linked_down(self: Arc<Self>, _id: &ActorId, _exit: &Exit) {}

    fn children(&self) -> Vec<Arc<dyn Node>> {
        lock(&self.state).children.values().map(|charge| charge.node.clone()).collect()
    }

    fn is_hidden(&self) -> bool {
        self.implicit
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
