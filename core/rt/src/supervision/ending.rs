//! Stopping several children: those a restart affects, or all.

use std::time::Duration;

use super::children::{Children, State};
use super::machine::{Deferred, Machine, Step, Task};
use super::restarts::Again;
use super::signal::{Fate, Output};
use super::spec::{ChildKey, Refusal, Ticket};
use crate::exit::Exit;
use crate::supervision::Restart;

/// Children are stopped in reverse order, each awaited.
#[derive(Debug)]
pub(super) struct Stop {
    /// The last one to stop.
    pub(super) from: ChildKey,
    /// All from this one on are down.
    pub(super) before: Option<ChildKey>,
    pub(super) then: Then,
}

/// What follows when all are down.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// They are started again.
    Restart(Again),
    /// The static ones are started as if the supervisor were begun.
    Anew,
    /// The supervisor is down.
    Down(Exit),
}

impl Machine {
    /// Stops everything. What was under way is given up; a stop for good replaces one for a new start.
    pub(super) fn halt(&mut self, then: Then, step: &mut Step<'_>) {
        if let Some(Task::Stop(stop)) = &mut self.task
            && !matches!(stop.then, Then::Restart(_))
        {
            if matches!(stop.then, Then::Anew) {
                stop.then = then;
            }
            return;
        }
        self.refuse_all(step);
        if self.is_one_for_one() {
            self.end_dynamic(step);
        }
        self.task = Some(Task::Stop(Stop { from: ChildKey(0), before: None, then }));
    }

    pub(super) fn is_halting(&self) -> bool {
        matches!(&self.task, Some(Task::Stop(stop)) if !matches!(stop.then, Then::Restart(_)))
    }

    /// Whether the child's end belongs to a stop under way.
    pub(super) fn is_stopping(&self, key: ChildKey) -> bool {
        matches!(&self.task, Some(Task::Stop(stop)) if key >= stop.from)
    }

    fn refuse_all(&mut self, step: &mut Step<'_>) {
        let deferred = std::mem::take(&mut self.deferred);
        let starts = std::mem::take(&mut self.starts);
        let stops = std::mem::take(&mut self.stops);
        let requests = deferred.into_iter().filter_map(|deferred| match deferred {
            Deferred::Request(operation) => Some(operation.ticket()),
            // The children are found dead or waiting when they are stopped.
            Deferred::Exit(_) | Deferred::Due(_) => None,
        });
        let starts = starts.into_values().map(|start| start.ticket());
        let tickets: Vec<Ticket> = requests.chain(starts).chain(stops.into_values().flatten()).collect();
        for ticket in tickets {
            self.answer(ticket, Err(Refusal::Stopping), step);
        }
    }

    /// Tells all dynamic children at once, as OTP's `simple_one_for_one` does: there may be many.
    fn end_dynamic(&mut self, step: &mut Step<'_>) {
        let runs = |state: &State| matches!(state, State::Starting | State::Up { .. });
        let dynamic = self.children.iter().filter(|(_, child)| child.rules.dynamic && runs(&child.state));
        let keys: Vec<ChildKey> = dynamic.map(|(key, _)| key).collect();
        for key in keys {
            self.end(key, step);
        }
    }

    /// Stops the next child; what is left of the task is returned, or what follows is put in place.
    pub(super) fn stop_next(&mut self, mut stop: Stop, step: &mut Step<'_>) -> Option<Task> {
        if self.children.ending() > 0 {
            return Some(Task::Stop(stop));
        }
        while let Some((key, child)) = self.children.before(stop.before, stop.from) {
            stop.before = Some(key);
            match &child.state {
                State::Starting | State::Up { .. } | State::Ending => {
                    self.end(key, step);
                    return Some(Task::Stop(stop));
                }
                State::Dead(exit) => {
                    let exit = exit.clone();
                    self.stopped_as(key, exit, &stop.then, step);
                }
                State::Waiting { exit, .. } | State::Down { exit, owed: _ } => {
                    let exit = exit.clone();
                    self.passed_over(key, exit, &stop.then, step);
                }
            }
        }
        self.follow(stop, step);
        None
    }

    /// A child that a stop under way concerns has ended.
    pub(super) fn stopped(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        if let Some(Task::Stop(stop)) = &self.task {
            let then = stop.then.clone();
            self.stopped_as(key, exit, &then, step);
        }
    }

    fn stopped_as(&mut self, key: ChildKey, exit: Exit, then: &Then, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        let (is_gone, after) = match then {
            Then::Down(_) => return self.children.set(key, State::Down { exit, owed: false }),
            Then::Restart(again) => (child.rules.restart == Restart::Temporary, again.after),
            Then::Anew => (child.rules.dynamic, Duration::ZERO),
        };
        if is_gone {
            self.remove(key, exit, step);
        } else {
            self.children.set(key, State::Down { exit, owed: true });
            step.settle(key, Fate::Again { after });
        }
    }

    /// A child without a life: its wait is over, and a dynamic one does not outlive its supervisor.
    fn passed_over(&mut self, key: ChildKey, exit: Exit, then: &Then, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        if matches!(then, Then::Anew) && child.rules.dynamic {
            self.remove(key, exit, step);
        } else if matches!(child.state, State::Waiting { .. }) {
            self.children.set(key, State::Down { exit, owed: true });
        }
    }

    fn follow(&mut self, stop: Stop, step: &mut Step<'_>) {
        match stop.then {
            Then::Restart(again) => self.start_again(again, step),
            Then::Anew => {
                self.renew(step);
                self.task = Some(Task::Start { is_first: false, after: None });
            }
            Then::Down(exit) => {
                self.forget();
                self.gave_up = None;
                self.is_begun = false;
                step.out.push(Output::Down(exit));
            }
        }
    }

    /// The static children are as they were before the first `Begin`, and promised a start.
    fn renew(&mut self, step: &mut Step<'_>) {
        let old = std::mem::take(&mut self.children);
        self.forget();
        for (key, _) in &self.statics {
            let (exit, owed) = match old.get(*key).map(|child| &child.state) {
                Some(State::Down { exit, owed }) => (exit.clone(), *owed),
                _ => (Exit::Normal, false),
            };
            self.children.set(*key, State::Down { exit, owed: true });
            if !owed {
                step.settle(*key, Fate::Again { after: Duration::ZERO });
            }
        }
    }

    /// Only what was there before the first `Begin` is left.
    fn forget(&mut self) {
        self.window.clear();
        self.children = Children::default();
        for (key, rules) in &self.statics {
            self.children.insert(*key, *rules);
        }
    }
}
