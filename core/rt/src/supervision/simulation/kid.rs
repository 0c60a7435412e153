//! A simulated child: what its body does, and what its supervisor said of it.

use super::dice::Dice;
use crate::exit::Exit;
use crate::supervision::{ChildRules, Fate};

/// How a leaf behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub(super) fails_percent: u64,
    /// Half of how long it lives at most, when it ends by itself.
    pub(super) lives_us: Option<u64>,
    pub(super) is_slow: bool,
}

impl Profile {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let fails_percent = [0, 0, 5, 40, 95][dice.below(5) as usize];
        let lives_us = [None, Some(2_000), Some(10_000), Some(50_000)][dice.below(4) as usize];
        Self { fails_percent, lives_us, is_slow: dice.chance(20) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// None, and its supervisor knows.
    None,
    Starting,
    Up,
    /// It is over, and its supervisor will hear of it.
    Over,
}

/// How the last life ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    /// It was up, and nobody had told it to stop.
    pub(super) by_itself: bool,
    pub(super) ignored: bool,
}

pub(super) struct Kid {
    pub(super) rules: ChildRules,
    pub(super) profile: Profile,
    /// It is a supervisor.
    pub(super) node: Option<usize>,
    pub(super) life: Life,
    /// Lives so far.
    pub(super) number: u32,
    /// It was told to stop.
    pub(super) is_told: bool,
    pub(super) reported_us: u64,
    pub(super) ended: Option<Ended>,
    /// Its supervisor heard of its end and has not said what becomes of it.
    pub(super) is_unsettled: bool,
    /// What its supervisor said last, since it was begun.
    pub(super) fate: Option<Fate>,
}

impl Kid {
    pub(super) fn new(rules: ChildRules, profile: Profile) -> Self {
        Self {
            rules,
            profile,
            node: None,
            life: Life::None,
            number: 0,
            is_told: false,
            reported_us: 0,
            ended: None,
            is_unsettled: false,
            fate: None,
        }
    }

    pub(super) fn begin(&mut self) {
        self.life = Life::Starting;
        self.number += 1;
        self.is_told = false;
        self.fate = None;
    }

    pub(super) fn end_with(&mut self, exit: Exit, was_up: bool) {
        self.life = Life::Over;
        self.ended = Some(Ended { exit, by_itself: was_up && !self.is_told, ignored: false });
    }

    pub(super) fn ignore(&mut self) {
        self.life = Life::Over;
        self.ended = Some(Ended { exit: Exit::Normal, by_itself: false, ignored: true });
    }

    /// The supervisor that knew what becomes of it is down.
    pub(super) fn forget(&mut self) {
        self.is_unsettled = false;
        self.fate = None;
    }

    pub(super) fn is_again(&self) -> bool {
        matches!(self.fate, Some(Fate::Again { .. }))
    }
}
