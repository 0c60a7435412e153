//! Chance that can be had again.

use std::time::Duration;

use crate::exit::Exit;
use crate::supervision::script::crash;
use crate::supervision::{AutoShutdown, Backoff, ChildRules, GiveUp, Intensity, Restart, Rules, Strategy};

/// Marsaglia's xorshift64*.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut dice = Self(mixed | 1);
        dice.next();
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// 0 to one less than the bound; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11).checked_rem(bound).unwrap_or(0)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    pub(super) fn exit(&mut self) -> Exit {
        match self.below(6) {
            0 => Exit::Normal,
            1 => Exit::Shutdown,
            2 => Exit::Killed,
            _ => crash(),
        }
    }

    pub(super) fn rules(&mut self) -> Rules {
        use {AutoShutdown as A, GiveUp as G, Strategy as S};
        let ms = Duration::from_millis;
        let restarts_max = if self.chance(20) { 40 } else { self.below(7) as u32 };
        let period = Duration::from_micros(1 + self.below(100_000));
        let delay = Duration::from_micros(self.below(5_000));
        Rules {
            strategy: self.pick(&[S::OneForOne, S::OneForAll, S::RestForOne]),
            intensity: Intensity { restarts_max, period },
            backoff: match self.below(3) {
                0 => Backoff::immediate(),
                1 => Backoff::delayed(delay),
                _ => Backoff { forget_after: ms(10), ..Backoff::exponential(ms(1), ms(20), 2.0, 0.5) },
            },
            auto_shutdown: self.pick(&[A::Never, A::Never, A::AnySignificant, A::AllSignificant]),
            give_up: self.pick(&[G::Escalate, G::Escalate, G::Restart, G::Ignore]),
            children_max: self.pick(&[3, 6, 100]),
        }
    }

    pub(super) fn child_rules(&mut self, auto_shutdown: AutoShutdown, dynamic: bool) -> ChildRules {
        let restart = self.pick(&[
            Restart::Permanent,
            Restart::Permanent,
            Restart::Permanent,
            Restart::Transient,
            Restart::Temporary,
        ]);
        let may_be = auto_shutdown != AutoShutdown::Never && restart != Restart::Permanent;
        ChildRules { restart, significant: may_be && self.chance(50), dynamic }
    }
}
