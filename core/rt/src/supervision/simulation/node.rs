//! A simulated supervisor: the machine, and an own idea of what it may say.

use std::collections::{BTreeMap, VecDeque};

use super::kid::{Kid, Life};
use crate::supervision::{
    AutoShutdown, ChildKey, ChildState, Fate, GiveUp, Input, Machine, Output, Restart, Rules, Strategy,
    Ticket,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Add(ChildKey),
    Terminate(ChildKey),
    Restart(ChildKey),
    Delete(ChildKey),
}

pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) rules: Rules,
    pub(super) parent: Option<(usize, ChildKey)>,
    pub(super) depth: usize,
    pub(super) kids: BTreeMap<ChildKey, Kid>,
    pub(super) requests: BTreeMap<Ticket, Request>,
    pub(super) ordered_us: u64,
    pub(super) is_begun: bool,
    pub(super) is_up: bool,
    /// The child it gave up on in this step.
    pub(super) gave_up_on: Option<ChildKey>,
    gave_up_us: Option<u64>,
    /// It must go down, nothing begins any more.
    is_doomed: bool,
    /// It may go down.
    may_go_down: bool,
    /// It stops all to start anew, and has not begun to start.
    is_renewed: bool,
    restarts_us: VecDeque<u64>,
    /// The restart of several children that is under way was counted.
    is_round_open: bool,
    keys: u64,
}

type Verdict = Result<(), String>;

fn require(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

impl Node {
    pub(super) fn new(rules: Rules, parent: Option<(usize, ChildKey)>, depth: usize) -> Self {
        Self {
            machine: Machine::new(rules).expect("the rules are valid"),
            rules,
            parent,
            depth,
            kids: BTreeMap::new(),
            requests: BTreeMap::new(),
            ordered_us: 0,
            is_begun: false,
            is_up: false,
            gave_up_on: None,
            gave_up_us: None,
            is_doomed: false,
            may_go_down: false,
            is_renewed: false,
            restarts_us: VecDeque::new(),
            is_round_open: false,
            keys: 0,
        }
    }

    pub(super) fn next_key(&mut self) -> ChildKey {
        self.keys += 1;
        ChildKey(self.keys)
    }

    fn is_group(&self) -> bool {
        self.rules.strategy != Strategy::OneForOne
    }

    fn is_asked(&self, request: Request) -> bool {
        self.requests.values().any(|open| *open == request)
    }

    /// What the supervisor is about to be told.
    pub(super) fn take_in(&mut self, input: &Input) -> Verdict {
        match input {
            Input::Begin => {
                require(!self.is_begun, "begun twice")?;
                self.is_begun = true;
            }
            // What it restarts with the child that waited was counted when the wait began.
            Input::Due(_) => self.is_round_open = true,
            Input::Stop(_) if self.is_begun => self.is_doomed = true,
            Input::Exited(key, _) | Input::Failed(key, _) | Input::Ignored(key) => {
                if let Some(kid) = self.kids.get_mut(key) {
                    require(kid.life == Life::Over, "a report of a life that goes on")?;
                    require(self.is_begun, "a life went on while its supervisor was down")?;
                    kid.life = Life::None;
                    kid.is_unsettled = true;
                    let is_start = kid.ended.as_ref().is_some_and(|ended| !ended.by_itself && !ended.ignored);
                    let is_failure = matches!(input, Input::Failed(..)) && is_start && !kid.is_told;
                    self.is_doomed |= is_failure && !self.is_up && !self.is_renewed;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the supervisor said.
    pub(super) fn judge(&mut self, output: &Output, now_us: u64) -> Verdict {
        if let Output::Done(ticket, result) = output {
            let request = self.requests.remove(ticket).ok_or("answered without being asked")?;
            if let (Request::Add(key), Err(_)) = (request, result)
                && self.kids.get(&key).is_some_and(|kid| kid.life == Life::None && kid.number == 0)
            {
                self.kids.remove(&key);
            }
            return Ok(());
        }
        require(self.is_begun, "it is down")?;
        match output {
            Output::Begin(key) => self.judge_begin(*key),
            Output::End(key) => self.judge_end(*key),
            Output::Settle(key, fate) => self.judge_settle(*key, fate, now_us),
            Output::Wait(_, after) => require(*after <= self.rules.backoff.max, "a wait without bound"),
            Output::Up => {
                require(!self.is_up && !self.is_doomed, "not to come up")?;
                self.is_up = true;
                Ok(())
            }
            Output::GaveUp { child, restarts, .. } => self.judge_give_up(*child, *restarts, now_us),
            Output::Done(..) => Ok(()),
            Output::Down(_) => self.judge_down(),
        }
    }

    fn judge_begin(&mut self, key: ChildKey) -> Verdict {
        require(!self.is_doomed, "it must go down")?;
        let is_asked = self.is_asked(Request::Add(key)) || self.is_asked(Request::Restart(key));
        let kid = self.kids.get(&key).ok_or("no such child")?;
        require(kid.life == Life::None, "the child is alive")?;
        require(!kid.is_unsettled, "its last life is not settled")?;
        if !is_asked {
            let is_ordered = self.is_group() || !self.is_up;
            let later = self.kids.range(key..).skip(1).all(|(_, kid)| kid.life == Life::None);
            require(!is_ordered || later, "one that is started after it is alive")?;
            self.is_round_open = false;
        }
        self.is_renewed = false;
        Ok(())
    }

    fn judge_end(&self, key: ChildKey) -> Verdict {
        let kid = self.kids.get(&key).ok_or("no such child")?;
        require(kid.life != Life::None && !kid.is_told, "the child is down or told already")?;
        if self.is_asked(Request::Terminate(key)) {
            return Ok(());
        }
        let is_together = !self.is_group() && kid.rules.dynamic;
        let later_or_dynamic = self.kids.iter().filter(|(other, kid)| {
            **other > key || (!self.is_group() && kid.rules.dynamic && **other != key)
        });
        let are_down = later_or_dynamic.map(|(_, kid)| kid.life).all(|life| life == Life::None);
        require(is_together || are_down, "one that is stopped before it is alive")
    }

    fn judge_settle(&mut self, key: ChildKey, fate: &Fate, now_us: u64) -> Verdict {
        let kid = self.kids.get(&key).ok_or("no such child")?;
        require(kid.life == Life::None, "its life is not over")?;
        let is_first = kid.is_unsettled;
        let is_taken_back = match (&kid.fate, fate) {
            (Some(Fate::Again { .. }), Fate::Kept(_)) => true,
            (Some(Fate::Again { .. } | Fate::Kept(_)), Fate::Gone(_)) => true,
            (fate, Fate::Again { .. }) => self.is_renewed && !matches!(fate, Some(Fate::Again { .. })),
            _ => false,
        };
        require(is_first || is_taken_back, "settled twice")?;
        match fate {
            Fate::Again { .. } => self.judge_again(key, now_us)?,
            Fate::Kept(_) => self.judge_kept(key)?,
            Fate::Gone(_) => self.judge_gone(key)?,
        }
        let kid = self.kids.get_mut(&key).ok_or("no such child")?;
        kid.is_unsettled = false;
        kid.fate = Some(fate.clone());
        if is_first && !self.is_renewed && !matches!(fate, Fate::Again { .. }) {
            self.expect_auto_shutdown(key);
        }
        let is_dynamic = self.kids.get(&key).is_some_and(|kid| kid.rules.dynamic);
        if matches!(fate, Fate::Gone(_)) && is_dynamic {
            self.kids.remove(&key);
        }
        Ok(())
    }

    fn judge_again(&mut self, key: ChildKey, now_us: u64) -> Verdict {
        let kid = &self.kids[&key];
        if self.is_renewed {
            return require(!kid.rules.dynamic, "a dynamic child does not outlive a new start");
        }
        require(!self.is_doomed, "it must go down")?;
        require(kid.rules.restart != Restart::Temporary, "temporary")?;
        require(!kid.is_told || self.is_group(), "it was told to stop, not to stop and start")?;
        let ended = kid.ended.as_ref().ok_or("it never ended")?;
        let is_done = kid.rules.restart == Restart::Transient && ended.by_itself && !ended.exit.is_crash();
        require(!is_done || self.is_group(), "transient, and it was done")?;
        if !self.is_group() || !self.is_round_open {
            self.is_round_open = true;
            self.restarts_us.push_back(now_us);
        }
        let count = self.restarts_within(now_us);
        require(count <= u64::from(self.rules.intensity.restarts_max), "too many restarts")
    }

    fn restarts_within(&self, now_us: u64) -> u64 {
        let period_us = self.rules.intensity.period.as_micros() as u64;
        self.restarts_us.iter().filter(|at| now_us - **at <= period_us).count() as u64
    }

    fn judge_kept(&self, key: ChildKey) -> Verdict {
        let kid = &self.kids[&key];
        require(kid.rules.restart != Restart::Temporary, "temporary")?;
        let ended = kid.ended.as_ref().ok_or("it never ended")?;
        let is_done = kid.rules.restart == Restart::Transient && ended.by_itself && !ended.exit.is_crash();
        let is_given_up = self.rules.give_up == GiveUp::Ignore && self.gave_up_on == Some(key);
        let is_called_off =
            kid.is_again() && self.requests.values().any(|open| matches!(open, Request::Terminate(_)));
        let is_asked = self.is_asked(Request::Terminate(key)) || self.is_asked(Request::Restart(key));
        let is_ignored = ended.ignored;
        // A start that a request asked for and that was ignored is answered before it is settled.
        require(is_done || is_given_up || is_called_off || is_asked || is_ignored, "it should be up again")
    }

    fn judge_gone(&self, key: ChildKey) -> Verdict {
        let kid = &self.kids[&key];
        let is_deleted = self.is_asked(Request::Delete(key)) || self.is_asked(Request::Add(key));
        let is_temporary = kid.rules.restart == Restart::Temporary;
        let is_renewed = self.is_renewed && kid.rules.dynamic;
        require(is_deleted || is_temporary || is_renewed, "it should be kept")
    }

    /// Own idea of `auto_shutdown`.
    fn expect_auto_shutdown(&mut self, key: ChildKey) {
        let kid = &self.kids[&key];
        let ended_by_itself = kid.ended.as_ref().is_some_and(|ended| ended.by_itself);
        let is_asked = self.is_asked(Request::Terminate(key));
        if !kid.rules.significant || !ended_by_itself || self.gave_up_on == Some(key) {
            return;
        }
        let is_absent = |kid: &Kid| kid.life == Life::None && !kid.is_unsettled && !kid.is_again();
        let others = self.kids.values().filter(|kid| kid.rules.significant);
        let is_due = match self.rules.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => others.into_iter().all(is_absent),
        };
        // Seen from outside, a child that ended by itself may as well have been stopped: with its siblings,
        // or because a request asked for it.
        self.is_doomed |= is_due && !self.is_group() && !is_asked;
        self.may_go_down |= is_due;
    }

    fn judge_give_up(&mut self, key: ChildKey, restarts: u64, now_us: u64) -> Verdict {
        require(!self.is_doomed && !self.is_renewed, "it stops already")?;
        let restarts_max = u64::from(self.rules.intensity.restarts_max);
        let is_exact = self.is_group() || self.restarts_within(now_us) == restarts_max;
        require(restarts == restarts_max && is_exact, "it gave up too early")?;
        self.gave_up_on = Some(key);
        let period_us = self.rules.intensity.period.as_micros() as u64;
        let is_lately = self.gave_up_us.is_some_and(|at| now_us - at <= period_us);
        match self.rules.give_up {
            GiveUp::Ignore => {}
            GiveUp::Restart if !is_lately => {
                self.gave_up_us = Some(now_us);
                self.is_renewed = true;
                self.is_round_open = false;
                self.restarts_us.clear();
            }
            GiveUp::Restart | GiveUp::Escalate => self.is_doomed = true,
        }
        Ok(())
    }

    fn judge_down(&mut self) -> Verdict {
        require(self.is_doomed || self.may_go_down, "it has no reason to go down")?;
        require(self.kids.values().all(|kid| kid.life == Life::None), "a child is alive")?;
        self.kids.retain(|_, kid| !kid.rules.dynamic);
        self.kids.values_mut().for_each(Kid::forget);
        (self.is_begun, self.is_up, self.is_doomed, self.is_renewed) = (false, false, false, false);
        (self.gave_up_us, self.is_round_open, self.may_go_down) = (None, false, false);
        self.restarts_us.clear();
        Ok(())
    }

    pub(super) fn check_rest(&self) -> Verdict {
        require(self.requests.is_empty(), "a request is unanswered")?;
        require(!self.is_doomed, "it should have gone down")?;
        require(self.is_begun == self.is_up, "it is still starting")?;
        let states: BTreeMap<ChildKey, ChildState> =
            self.machine.children().map(|(key, _, state)| (key, state)).collect();
        for (key, kid) in &self.kids {
            let state = states.get(key).copied();
            let is_down = matches!(state, None | Some(ChildState::Down));
            let what = format!("child {}: {:?} and {state:?}, fate {:?}", key.0, kid.life, kid.fate);
            require(!kid.is_unsettled, &what)?;
            require((kid.life == Life::Up) == (state == Some(ChildState::Up)), &what)?;
            require((kid.life == Life::None) == is_down, &what)?;
            let is_settled_down = matches!(kid.fate, Some(Fate::Kept(_) | Fate::Gone(_)));
            require(!self.is_up || kid.life == Life::Up || is_settled_down, &what)?;
        }
        Ok(())
    }
}
