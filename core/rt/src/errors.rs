//! Errors per time as a reason to end a life.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::exit::{Cause, TooManyErrors};
use crate::sync::{Mutex, lock};

/// How many answers of an actor may be errors within which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorRate {
    /// Errors that are allowed within the period.
    pub errors_max: u32,
    /// The sliding window.
    pub period: Duration,
}

/// The errors of the last period.
pub(crate) struct ErrorWatch {
    rate: ErrorRate,
    seen: Mutex<VecDeque<Instant>>,
}

impl ErrorWatch {
    pub(crate) fn new(rate: ErrorRate) -> Self {
        Self { rate, seen: Mutex::new(VecDeque::new()) }
    }

    /// Notes one more; `true` if it is one too many.
    pub(crate) fn note(&self, now: Instant) -> bool {
        let mut seen = lock(&self.seen);
        while seen.front().is_some_and(|first| now.duration_since(*first) > self.rate.period) {
            seen.pop_front();
        }
        if seen.len() >= self.rate.errors_max as usize {
            seen.clear();
            return true;
        }
        seen.push_back(now);
        false
    }

    pub(crate) fn cause(&self) -> Cause {
        Arc::new(TooManyErrors { errors: self.rate.errors_max.saturating_add(1), period: self.rate.period })
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_allowed_within_the_period_is_too_many() {
        let watch = ErrorWatch::new(ErrorRate { errors_max: 2, period: Duration::from_secs(1) });
        let begin = Instant::now();
        let at = |ms| watch.note(begin + Duration::from_millis(ms));
        assert_eq!([at(0), at(500), at(1_001), at(1_400)], [false, false, false, true]);
        assert!(!at(1_401), "the next life starts anew");
    }
}
