//! The time that a stop gives: nearly every stop is over in one poll, and only one that is not gets a deadline.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Instant;

use crate::deadlines::{Deadline, Deadlines, Due};
use crate::handle::Handle;

/// Until when a life that was told to stop may go on.
#[derive(Default)]
pub(crate) enum Grace {
    #[default]
    Endless,
    /// Nobody looks at the clock yet: it is polled first.
    Until(Instant),
    /// It is ended then.
    Armed(Box<Deadline>),
}

impl Grace {
    /// Several may want it down: the earliest counts.
    pub(crate) fn shorten(&mut self, until: Instant) {
        let is_earlier = match self {
            Self::Endless => true,
            Self::Until(at) => until < *at,
            Self::Armed(deadline) => until < deadline.at(),
        };
        if is_earlier {
            *self = Self::Until(until);
        }
    }

    /// Whether the time that was given has passed.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        matches!(self, Self::Armed(deadline) if deadline.at() <= now)
    }

    /// From now on the clock is looked at.
    pub(crate) fn arm(&mut self, deadlines: &Deadlines, who: impl FnOnce() -> Weak<dyn Due>) {
        if let Self::Until(at) = *self {
            *self = Self::Armed(Box::new(deadlines.add(at, who())));
        }
    }
}

/// Which actors are polled after they were told to stop, one a worker: a poll that lasts gets its deadline meanwhile.
#[derive(Clone)]
pub(crate) struct LastPolls(Arc<[AtomicU64]>);

const NOBODY: u64 = 0;

impl LastPolls {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| AtomicU64::new(NOBODY)).collect())
    }

    /// This worker is about to poll such an actor. Undone by [`LastPolls::leave`].
    pub(crate) fn enter(&self, worker: usize, actor: Handle) {
        self.0[worker].store(actor.to_u64(), Relaxed);
    }

    /// The poll is over.
    pub(crate) fn leave(&self, worker: usize) {
        self.0[worker].store(NOBODY, Relaxed);
    }
}

/// Looks at each tick for polls that last.
pub(crate) struct Watch {
    polls: LastPolls,
    /// Who was seen at the last tick, and at how many ticks in a row.
    seen: Vec<(u64, u32)>,
}

impl Watch {
    pub(crate) fn new(polls: LastPolls) -> Self {
        let seen = polls.0.iter().map(|_| (NOBODY, 0)).collect();
        Self { polls, seen }
    }

    /// Those that are still polled since an earlier tick; told at the second tick, and seldom after that.
    pub(crate) fn tick(&mut self) -> impl Iterator<Item = Handle> {
        self.polls.0.iter().zip(&mut self.seen).filter_map(|(polled, (last, ticks))| {
            let now = polled.load(Relaxed);
            *ticks = if now == *last { ticks.saturating_add(1) } else { 1 };
            *last = now;
            Handle::from_u64(now).filter(|_| *ticks > 1 && ticks.is_power_of_two())
        })
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn a_poll_that_lasts_is_told_and_one_that_does_not_is_not() {
        let polls = LastPolls::new(2);
        let mut watch = Watch::new(polls.clone());
        let [one, other] = [1, 3].map(|generation| Handle::new(0, generation).expect("odd"));
        let told = |watch: &mut Watch| watch.tick().collect::<Vec<_>>();
        polls.enter(1, one);
        assert_eq!(told(&mut watch), [], "it may be over at once");
        assert_eq!(told(&mut watch), [one]);
        assert_eq!(told(&mut watch), [], "it was told");
        assert_eq!(told(&mut watch), [one], "but nobody may have heard");
        polls.enter(1, other);
        assert_eq!(told(&mut watch), [], "another one");
        polls.leave(1);
        assert_eq!((told(&mut watch), told(&mut watch)), (vec![], vec![]));
    }
}
