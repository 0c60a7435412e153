//! A supervisor as a pure state machine: told what happened, it says what to do. No thread, clock or
//! randomness of its own.
//!
//! Like OTP's it is busy with one *task* at a time, a first start, a restart of several children, a stop,
//! and everything else that it is told meanwhile is *deferred* until the task is done. Only a stop
//! overtakes. Under [`Strategy::OneForOne`] the restarts and requests of one child concern nobody else:
//! they are no tasks and run side by side.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::children::{Children, State};
use super::ending::{Stop, Then};
use super::operations::{Operation, StartOf};
use super::signal::{Fate, Input, Output};
use super::spec::{ChildKey, ChildRules, InvalidRules, Rules, Strategy, Ticket, Token};
use super::window::Window;
use crate::exit::Exit;
use crate::supervision::Restart;

/// One supervisor.
#[derive(Debug)]
pub struct Machine {
    pub(super) rules: Rules,
    pub(super) statics: Vec<(ChildKey, ChildRules)>,
    pub(super) children: Children,
    pub(super) window: Window,
    pub(super) gave_up: Option<Instant>,
    pub(super) is_begun: bool,
    pub(super) task: Option<Task>,
    pub(super) deferred: VecDeque<Deferred>,
    /// Requests whose child is starting.
    pub(super) starts: BTreeMap<ChildKey, StartOf>,
    /// Requests whose child is ending.
    pub(super) stops: BTreeMap<ChildKey, Vec<Ticket>>,
    pub(super) tickets_open: usize,
    serial: u64,
}

/// What a supervisor is busy with.
#[derive(Debug)]
pub(super) enum Task {
    /// Children are started in order, those after this one are left.
    Start { is_first: bool, after: Option<ChildKey> },
    /// Children are stopped in reverse order.
    Stop(Stop),
    /// A request of this child is carried out.
    Request(ChildKey),
}

/// Who has to end before a supervisor looks at anything else.
pub(crate) enum Busy {
    /// One child; of several the last one that was asked for.
    With(ChildKey),
    /// Every child, and all that are below them.
    WithAll,
}

/// What is looked at when the task is done.
#[derive(Debug)]
pub(super) enum Deferred {
    Exit(ChildKey),
    Due(Token),
    Request(Operation),
}

/// What one step may use: the time, randomness, and where its outputs go.
pub(super) struct Step<'a> {
    pub(super) now: Instant,
    pub(super) out: &'a mut Vec<Output>,
    random: f64,
    draws: u32,
}

impl Step<'_> {
    /// The step's random number, spread over its uses so that many restarts in one step do not coincide.
    pub(super) fn random(&mut self) -> f64 {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let spread = self.random + f64::from(self.draws) * GOLDEN;
        self.draws = self.draws.saturating_add(1);
        spread.fract()
    }

    pub(super) fn settle(&mut self, key: ChildKey, fate: Fate) {
        self.out.push(Output::Settle(key, fate));
    }
}

/// Where a child is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// It does not run.
    Down,
    /// It waits for its next start.
    Restarting,
    /// It is starting.
    Starting,
    /// It runs.
    Up,
    /// It was told to stop.
    Ending,
}

/// OTP's `count_children`, as far as the supervisor knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildCounts {
    /// Children, dead or alive.
    pub specs: usize,
    /// Children that run.
    pub active: usize,
}

impl Machine {
    /// A supervisor that was not begun, without children.
    pub fn new(rules: Rules) -> Result<Self, InvalidRules> {
        rules.check()?;
        Ok(Self {
            rules,
            statics: Vec::new(),
            children: Children::default(),
            window: Window::default(),
            gave_up: None,
            is_begun: false,
            task: None,
            deferred: VecDeque::new(),
            starts: BTreeMap::new(),
            stops: BTreeMap::new(),
            tickets_open: 0,
            serial: 0,
        })
    }

    /// A child that each `Begin` starts. Refused once the supervisor runs.
    pub fn add_static(&mut self, key: ChildKey, rules: ChildRules) -> Result<(), InvalidRules> {
        rules.check(self.rules.auto_shutdown)?;
        if self.is_begun {
            return Err(InvalidRules::Begun);
        }
        if rules.dynamic {
            return Err(InvalidRules::StaticAndDynamic);
        }
        if self.is_full() {
            return Err(InvalidRules::TooMany);
        }
        if !self.children.insert(key, rules) {
            return Err(InvalidRules::DuplicateKey);
        }
        self.statics.push((key, rules));
        Ok(())
    }

    /// Takes in what happened and appends what to do. Whatever it is told, in whatever order, it never
    /// panics; what concerns no life it knows of does nothing.
    pub fn step(&mut self, input: Input, now: Instant, random: f64, out: &mut Vec<Output>) {
        let mut step = Step { now, out, random: if random.is_finite() { random } else { 0.0 }, draws: 0 };
        match input {
            Input::Begin => self.on_begin(),
            Input::Started(key) => self.on_started(key, &mut step),
            Input::Failed(key, exit) | Input::Exited(key, exit) => self.on_ended(key, exit, &mut step),
            Input::Ignored(key) => self.on_ignored(key, &mut step),
            Input::Due(token) => self.on_due(token),
            Input::Stop(exit) => self.on_stop(exit, &mut step),
            Input::Add(ticket, key, rules) => self.request(Operation::Add(ticket, key, rules), &mut step),
            Input::Terminate(ticket, key) => self.request(Operation::Terminate(ticket, key), &mut step),
            Input::Restart(ticket, key) => self.request(Operation::Restart(ticket, key), &mut step),
            Input::Delete(ticket, key) => self.request(Operation::Delete(ticket, key), &mut step),
        }
        self.proceed(&mut step);
    }

    /// All children in the order of their starts: OTP's `which_children`.
    pub fn children(&self) -> impl Iterator<Item = (ChildKey, ChildRules, ChildState)> {
        self.children.iter().map(|(key, child)| {
            let state = match child.state {
                State::Down { .. } => ChildState::Down,
                State::Starting => ChildState::Starting,
                State::Up { .. } | State::Dead(_) => ChildState::Up,
                State::Ending => ChildState::Ending,
                State::Waiting { .. } => ChildState::Restarting,
            };
            (key, child.rules, state)
        })
    }

    /// How many children there are, and how many run.
    pub fn counts(&self) -> ChildCounts {
        let active =
            self.children.iter().filter(|(_, child)| matches!(child.state, State::Up { .. })).count();
        ChildCounts { specs: self.children.len(), active }
    }

    /// Whom a request waits for that comes behind these inputs. Where a child is nobody else's business it waits for none.
    pub(crate) fn ends_first(&self, inbox: &VecDeque<Input>) -> Option<Busy> {
        let asked = inbox.iter().rev().find_map(|input| match input {
            Input::Terminate(_, key) => Some(*key),
            _ => None,
        });
        let deferred = || {
            self.deferred.iter().rev().find_map(|deferred| match deferred {
                Deferred::Request(Operation::Terminate(_, key)) => Some(*key),
                _ => None,
            })
        };
        match &self.task {
            Some(Task::Stop(_)) if self.rules.strategy == Strategy::OneForAll => Some(Busy::WithAll),
            _ if !self.is_one_for_one() && asked.is_some() => asked.map(Busy::With),
            None => None,
            Some(task) => deferred().or_else(|| self.ends(task)).map(Busy::With),
        }
    }

    /// The child whose end a task waits for at this moment.
    fn ends(&self, task: &Task) -> Option<ChildKey> {
        let key = match task {
            Task::Start { .. } => None,
            Task::Stop(stop) => stop.before,
            Task::Request(key) => Some(*key),
        }?;
        self.children.get(key).filter(|child| matches!(child.state, State::Ending)).map(|_| key)
    }

    pub(super) fn is_full(&self) -> bool {
        self.children.len() as u64 >= u64::from(self.rules.children_max)
    }

    /// Goes on with the task, then with what was deferred, until an answer must be awaited.
    fn proceed(&mut self, step: &mut Step<'_>) {
        loop {
            let left = match self.task.take() {
                Some(Task::Start { is_first, after }) => self.start_next(is_first, after, step),
                Some(Task::Stop(stop)) => self.stop_next(stop, step),
                Some(Task::Request(key)) => self.is_unanswered(key).then_some(Task::Request(key)),
                None => match self.deferred.pop_front() {
                    None => return,
                    Some(deferred) => {
                        self.resume(deferred, step);
                        continue;
                    }
                },
            };
            if left.is_some() {
                self.task = left;
                return;
            }
        }
    }

    fn resume(&mut self, deferred: Deferred, step: &mut Step<'_>) {
        match deferred {
            Deferred::Exit(key) => self.resume_exit(key, step),
            Deferred::Due(token) => self.restart_due(token, step),
            Deferred::Request(operation) => self.operate(operation, step),
        }
    }

    fn is_unanswered(&self, key: ChildKey) -> bool {
        self.children.get(key).is_some_and(|child| matches!(child.state, State::Starting | State::Ending))
    }

    fn on_begin(&mut self) {
        if !self.is_begun {
            self.is_begun = true;
            self.task = Some(Task::Start { is_first: true, after: None });
        }
    }

    /// Starts the next child that is down; what is left of the task is returned, or put in place.
    fn start_next(
        &mut self,
        is_first: bool,
        mut after: Option<ChildKey>,
        step: &mut Step<'_>,
    ) -> Option<Task> {
        if after.is_some_and(|key| self.is_unanswered(key)) {
            return Some(Task::Start { is_first, after });
        }
        while let Some((key, child)) = self.children.after(after) {
            after = Some(key);
            if matches!(child.state, State::Down { .. }) {
                self.begin(key, step);
                return Some(Task::Start { is_first, after });
            }
        }
        if is_first {
            step.out.push(Output::Up);
        }
        None
    }

    pub(super) fn begin(&mut self, key: ChildKey, step: &mut Step<'_>) {
        self.children.set(key, State::Starting);
        step.out.push(Output::Begin(key));
    }

    pub(super) fn end(&mut self, key: ChildKey, step: &mut Step<'_>) {
        self.children.set(key, State::Ending);
        step.out.push(Output::End(key));
    }

    pub(super) fn wait(&mut self, key: ChildKey, exit: Exit, after: Duration, step: &mut Step<'_>) {
        self.serial += 1;
        self.children.set(key, State::Waiting { serial: self.serial, exit });
        step.out.push(Output::Wait(Token { child: key, serial: self.serial }, after));
    }

    /// The child ended for good: a temporary one is removed, any other is kept.
    pub(super) fn dismiss(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        if child.rules.restart == Restart::Temporary {
            self.remove(key, exit, step);
        } else {
            self.children.set(key, State::Down { exit: exit.clone(), owed: false });
            step.settle(key, Fate::Kept(exit));
        }
    }

    pub(super) fn remove(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        self.children.remove(key);
        step.settle(key, Fate::Gone(exit));
    }

    fn on_started(&mut self, key: ChildKey, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        match child.state {
            State::Starting => self.children.set(key, State::Up { since: step.now }),
            State::Ending => {}
            _ => return,
        }
        self.answer_start(key, Ok(()), step);
    }

    fn on_ignored(&mut self, key: ChildKey, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        let is_starting = matches!(child.state, State::Starting);
        if !is_starting && !matches!(child.state, State::Ending) {
            return;
        }
        self.answer_start(key, Ok(()), step);
        if is_starting && !self.is_stopping(key) {
            self.dismiss(key, Exit::Normal, step);
        } else {
            self.on_ended(key, Exit::Normal, step);
        }
    }

    fn on_ended(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        if !child.state.is_live() {
            return; // late, or told twice
        }
        if self.is_stopping(key) {
            return self.stopped(key, exit, step);
        }
        match child.state {
            State::Ending => self.terminated(key, exit, step),
            State::Starting => self.start_failed(key, exit, step),
            _ if self.task.is_some() => {
                self.children.set(key, State::Dead(exit));
                self.deferred.push_back(Deferred::Exit(key));
            }
            _ => self.crashed(key, exit, step),
        }
    }

    fn on_due(&mut self, token: Token) {
        if self.is_waiting(token) {
            self.deferred.push_back(Deferred::Due(token));
        }
    }

    pub(super) fn is_waiting(&self, token: Token) -> bool {
        self.children.get(token.child).is_some_and(
            |child| matches!(child.state, State::Waiting { serial, .. } if serial == token.serial),
        )
    }

    fn on_stop(&mut self, exit: Exit, step: &mut Step<'_>) {
        if self.is_begun {
            self.halt(Then::Down(exit), step);
        }
    }

    pub(super) fn is_one_for_one(&self) -> bool {
        self.rules.strategy == Strategy::OneForOne
    }
}
