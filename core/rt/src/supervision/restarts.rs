//! Whether and how a child that ended is started again.

use std::time::{Duration, Instant};

use super::children::State;
use super::ending::{Stop, Then};
use super::machine::{Machine, Step, Task};
use super::signal::{Fate, Output};
use super::spec::{AutoShutdown, ChildKey, GiveUp, Strategy, Token};
use crate::exit::Exit;
use crate::supervision::Restart;

/// A restart of several children.
#[derive(Clone, Debug)]
pub(super) struct Again {
    /// The child because of which they are restarted.
    pub(super) trigger: ChildKey,
    /// The wait between their stop and their start.
    pub(super) after: Duration,
}

impl Machine {
    /// A child ended by itself, and nothing else is under way that concerns it.
    pub(super) fn crashed(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        let Some(child) = self.children.get(key) else { return };
        let is_again = match child.rules.restart {
            Restart::Permanent => true,
            Restart::Transient => exit.is_crash(),
            Restart::Temporary => false,
        };
        if is_again {
            return self.restart(key, exit, step);
        }
        let is_significant = child.rules.significant;
        self.dismiss(key, exit, step);
        if is_significant {
            self.shut_down_by_itself(step);
        }
    }

    pub(super) fn resume_exit(&mut self, key: ChildKey, step: &mut Step<'_>) {
        if let Some(State::Dead(exit)) = self.children.get(key).map(|child| &child.state) {
            let exit = exit.clone();
            self.crashed(key, exit, step);
        }
    }

    fn shut_down_by_itself(&mut self, step: &mut Step<'_>) {
        let is_due = match self.rules.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => self.children.significant_present() == 0,
        };
        if is_due {
            self.halt(Then::Down(Exit::Shutdown), step);
        }
    }

    fn restart(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        let Some(after) = self.admit(key, &exit, step) else { return };
        if !self.is_one_for_one() {
            self.children.set(key, State::Down { exit, owed: true });
            self.restart_group(Again { trigger: key, after });
        } else if after.is_zero() {
            self.begin(key, step);
        } else {
            self.wait(key, exit, after, step);
        }
    }

    /// A start that no request asked for has failed, and that is no first start of the supervisor: it is
    /// tried again after a wait, be it of no length, so that whatever else happened comes before.
    fn restart_failed(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        let Some(after) = self.admit(key, &exit, step) else { return };
        self.wait(key, exit, after, step);
        if !self.is_one_for_one() {
            self.task = None; // the ones after it are started with it
        }
    }

    /// Counts a restart and says how long it waits; or gives up.
    fn admit(&mut self, key: ChildKey, exit: &Exit, step: &mut Step<'_>) -> Option<Duration> {
        if let Err(restarts) = self.window.admit(&self.rules.intensity, step.now) {
            self.give_up(key, exit.clone(), restarts, step);
            return None;
        }
        let child = self.children.get(key)?;
        let failures = if self.has_lived(&child.state, step.now) { 0 } else { child.failures };
        let after = self.rules.backoff.wait(failures, step.random());
        self.children.set_failures(key, failures.saturating_add(1));
        step.settle(key, Fate::Again { after });
        Some(after)
    }

    fn has_lived(&self, state: &State, now: Instant) -> bool {
        matches!(state, State::Up { since }
            if now.saturating_duration_since(*since) >= self.rules.backoff.forget_after)
    }

    fn give_up(&mut self, key: ChildKey, exit: Exit, restarts: u64, step: &mut Step<'_>) {
        step.out.push(Output::GaveUp { child: key, restarts, exit: exit.clone() });
        match self.rules.give_up {
            GiveUp::Ignore => self.dismiss(key, exit, step),
            GiveUp::Restart if !self.has_given_up_lately(step.now) => {
                self.gave_up = Some(step.now);
                self.children.set(key, State::Dead(exit)); // settled with the others
                self.halt(Then::Anew, step);
            }
            GiveUp::Restart | GiveUp::Escalate => {
                self.children.set(key, State::Down { exit, owed: false });
                self.halt(Then::Down(Exit::Shutdown), step);
            }
        }
    }

    fn has_given_up_lately(&self, now: Instant) -> bool {
        let period = self.rules.intensity.period;
        self.gave_up.is_some_and(|at| now.saturating_duration_since(at) <= period)
    }

    /// Stops the children a restart affects, then starts them in order.
    fn restart_group(&mut self, again: Again) {
        let from = match self.rules.strategy {
            Strategy::RestForOne => again.trigger,
            Strategy::OneForAll | Strategy::OneForOne => ChildKey(0),
        };
        self.task = Some(Task::Stop(Stop { from, before: None, then: Then::Restart(again) }));
    }

    /// The affected children are down.
    pub(super) fn start_again(&mut self, again: Again, step: &mut Step<'_>) {
        let trigger = again.trigger;
        if again.after.is_zero() {
            let after = match self.rules.strategy {
                Strategy::RestForOne => trigger.0.checked_sub(1).map(ChildKey),
                Strategy::OneForAll | Strategy::OneForOne => None,
            };
            self.task = Some(Task::Start { is_first: false, after });
        } else if let Some(State::Down { exit, .. }) = self.children.get(trigger).map(|child| &child.state) {
            let exit = exit.clone();
            self.wait(trigger, exit, again.after, step);
        }
    }

    pub(super) fn restart_due(&mut self, token: Token, step: &mut Step<'_>) {
        if !self.is_waiting(token) {
            return; // another restart took it along
        }
        if self.is_one_for_one() {
            self.begin(token.child, step);
        } else {
            self.restart_group(Again { trigger: token.child, after: Duration::ZERO });
        }
    }

    pub(super) fn start_failed(&mut self, key: ChildKey, exit: Exit, step: &mut Step<'_>) {
        if self.starts.contains_key(&key) {
            return self.requested_start_failed(key, exit, step);
        }
        if matches!(self.task, Some(Task::Start { is_first: true, .. })) {
            self.children.set(key, State::Down { exit: exit.clone(), owed: false });
            return self.halt(Then::Down(exit), step);
        }
        let is_temporary =
            self.children.get(key).is_some_and(|child| child.rules.restart == Restart::Temporary);
        if is_temporary { self.dismiss(key, exit, step) } else { self.restart_failed(key, exit, step) }
    }
}
