//! Requests to change one child while the supervisor runs.

use super::children::State;
use super::machine::{Deferred, Machine, Step, Task};
use super::signal::Output;
use super::spec::{ChildKey, ChildRules, Refusal, Strategy, Ticket};
use crate::exit::Exit;

/// Requests that are unanswered at most; more are refused.
const REQUESTS_OPEN_MAX: usize = 10_000;

/// A request.
#[derive(Debug)]
pub(super) enum Operation {
    Add(Ticket, ChildKey, ChildRules),
    Terminate(Ticket, ChildKey),
    Restart(Ticket, ChildKey),
    Delete(Ticket, ChildKey),
}

impl Operation {
    pub(super) fn ticket(&self) -> Ticket {
        match self {
            Operation::Add(ticket, ..)
            | Operation::Terminate(ticket, _)
            | Operation::Restart(ticket, _)
            | Operation::Delete(ticket, _) => *ticket,
        }
    }
}

/// The request a child is started for.
#[derive(Debug)]
pub(super) enum StartOf {
    Add(Ticket),
    Restart(Ticket),
}

impl StartOf {
    pub(super) fn ticket(&self) -> Ticket {
        match self {
            StartOf::Add(ticket) | StartOf::Restart(ticket) => *ticket,
        }
    }
}

impl Machine {
    pub(super) fn request(&mut self, operation: Operation, step: &mut Step<'_>) {
        let ticket = operation.ticket();
        let refusal = if !self.is_begun || self.is_halting() {
            Refusal::Stopping
        } else if self.tickets_open >= REQUESTS_OPEN_MAX {
            Refusal::TooMany
        } else {
            self.tickets_open += 1;
            return self.deferred.push_back(Deferred::Request(operation));
        };
        step.out.push(Output::Done(ticket, Err(refusal)));
    }

    pub(super) fn answer(&mut self, ticket: Ticket, result: Result<(), Refusal>, step: &mut Step<'_>) {
        self.tickets_open = self.tickets_open.saturating_sub(1);
        step.out.push(Output::Done(ticket, result));
    }

    pub(super) fn answer_start(&mut self, key: ChildKey, result: Result<(), Refusal>, step: &mut Step<'_>) {
        if let Some(start) = self.starts.remove(&key) {
            self.answer(start.ticket(), result, step);
        }
    }

    /// Carries out a request; its answer comes at once, or when the child has started or ended.
    pub(super) fn operate(&mut self, operation: Operation, step: &mut Step<'_>) {
        let ticket = operation.ticket();
        let answer = match operation {
            Operation::Add(_, key, rules) => self.add(ticket, key, rules, step),
            Operation::Terminate(_, key) => self.terminate(ticket, key, step),
            Operation::Restart(_, key) => self.restart_child(ticket, key, step),
            Operation::Delete(_, key) => self.delete(key, step),
        };
        if let Some(result) = answer {
            self.answer(ticket, result, step);
        }
    }

    fn add(&mut self, ticket: Ticket, key: ChildKey, rules: ChildRules, step: &mut Step<'_>) -> Answer {
        if let Err(invalid) = rules.check(self.rules.auto_shutdown) {
            return Some(Err(Refusal::Invalid(invalid)));
        }
        if self.children.get(key).is_some() {
            return Some(Err(Refusal::AlreadyPresent));
        }
        if self.is_full() {
            return Some(Err(Refusal::TooMany));
        }
        self.children.insert(key, ChildRules { dynamic: true, ..rules });
        self.start_for(key, StartOf::Add(ticket), step);
        None
    }

    fn terminate(&mut self, ticket: Ticket, key: ChildKey, step: &mut Step<'_>) -> Answer {
        let Some(child) = self.children.get(key) else { return Some(Err(Refusal::NotFound)) };
        match child.state.clone() {
            State::Down { .. } => {}
            State::Dead(exit) => self.dismiss(key, exit, step),
            State::Waiting { exit, .. } => {
                self.dismiss(key, exit, step);
                self.take_back(step);
            }
            State::Starting | State::Up { .. } => {
                self.end(key, step);
                self.stops.entry(key).or_default().push(ticket);
                self.busy_with(key);
                return None;
            }
            State::Ending => {
                self.stops.entry(key).or_default().push(ticket);
                return None;
            }
        }
        Some(Ok(()))
    }

    fn restart_child(&mut self, ticket: Ticket, key: ChildKey, step: &mut Step<'_>) -> Answer {
        let Some(child) = self.children.get(key) else { return Some(Err(Refusal::NotFound)) };
        match child.state {
            State::Down { .. } => {
                self.children.set_failures(key, 0);
                self.start_for(key, StartOf::Restart(ticket), step);
                None
            }
            State::Waiting { .. } | State::Starting => Some(Err(Refusal::Restarting)),
            State::Up { .. } | State::Ending | State::Dead(_) => Some(Err(Refusal::Running)),
        }
    }

    fn delete(&mut self, key: ChildKey, step: &mut Step<'_>) -> Answer {
        let Some(child) = self.children.get(key) else { return Some(Err(Refusal::NotFound)) };
        match child.state.clone() {
            State::Down { exit, .. } => {
                self.remove(key, exit, step);
                Some(Ok(()))
            }
            State::Waiting { .. } | State::Starting => Some(Err(Refusal::Restarting)),
            State::Up { .. } | State::Ending | State::Dead(_) => Some(Err(Refusal::Running)),
        }
    }

    fn start_for(&mut self, key: ChildKey, start: StartOf, step: &mut Step<'_>) {
        self.starts.insert(key, start);
        self.begin(key, step);
        self.busy_with(key);
    }

    /// Where siblings are affected by a restart, none may begin while a request changes a child.
    fn busy_with(&mut self, key: ChildKey) {
        if !self.is_one_for_one() {
            self.task = Some(Task::Request(key));
        }
    }

    /// A child that a request told to stop has ended.
    pub(super) fn terminated(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        self.dismiss(key, exit.clone(), step);
        self.answer_start(key, Err(Refusal::StartFailed(exit)), step);
        for ticket in self.stops.remove(&key).unwrap_or_default() {
            self.answer(ticket, Ok(()), step);
        }
    }

    pub(super) fn requested_start_failed(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        if matches!(self.starts.get(&key), Some(StartOf::Add(_))) {
            self.remove(key, exit.clone(), step);
        } else {
            self.dismiss(key, exit.clone(), step);
        }
        self.answer_start(key, Err(Refusal::StartFailed(exit)), step);
    }

    /// A restart that siblings waited for was called off: as in OTP they stay down, unless another child
    /// that waits takes them along.
    fn take_back(&mut self, step: &mut Step<'_>) {
        if self.is_one_for_one() {
            return; // nobody waits for a sibling
        }
        let is_waiting = |state: &State| matches!(state, State::Waiting { .. });
        let mut is_served = self.rules.strategy == Strategy::OneForAll
            && self.children.iter().any(|(_, child)| is_waiting(&child.state));
        let mut kept = Vec::new();
        for (key, child) in self.children.iter() {
            is_served |= is_waiting(&child.state);
            if let State::Down { exit, owed: true } = &child.state
                && !is_served
            {
                kept.push((key, exit.clone()));
            }
        }
        for (key, exit) in kept {
            self.dismiss(key, exit, step);
        }
    }
}

type Answer = Option<Result<(), Refusal>>;
