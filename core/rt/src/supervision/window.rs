//! The restarts of the last period.

use std::collections::VecDeque;
use std::time::Instant;

use super::Intensity;

/// Counts restarts within a sliding window.
#[derive(Debug, Default)]
pub(super) struct Window {
    restarts: VecDeque<Instant>,
}

impl Window {
    /// Counts one more restart, or says how many there were when that would be too many. One that is
    /// exactly a period old still counts.
    pub(super) fn admit(&mut self, intensity: &Intensity, now: Instant) -> Result<(), u64> {
        let is_old = |at: &Instant| now.saturating_duration_since(*at) > intensity.period;
        while self.restarts.front().is_some_and(is_old) {
            self.restarts.pop_front();
        }
        let count = self.restarts.len() as u64;
        if count >= u64::from(intensity.restarts_max) {
            return Err(count);
        }
        self.restarts.push_back(now);
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.restarts.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn hostile_h3_a_restart_exactly_a_period_old_still_counts() {
        let intensity = Intensity { restarts_max: 2, period: Duration::from_secs(10) };
        let begin = Instant::now();
        let mut window = Window::default();
        let mut at = |ns: u64| window.admit(&intensity, begin + Duration::from_nanos(ns));
        let period_ns = 10_000_000_000;
        assert_eq!([at(0), at(1)], [Ok(()), Ok(())]);
        assert_eq!([at(period_ns - 1), at(period_ns)], [Err(2), Err(2)], "the first is a period old at most");
        assert_eq!(at(period_ns + 1), Ok(()), "only the first is older than a period");
        assert_eq!(at(period_ns + 1), Err(2), "the second is exactly a period old");
        assert_eq!(at(period_ns + 2), Ok(()));
    }

    #[test]
    fn hostile_h3_a_clock_that_seems_to_go_back_is_no_error() {
        let intensity = Intensity { restarts_max: 1, period: Duration::from_secs(1) };
        let later = Instant::now() + Duration::from_secs(5);
        let mut window = Window::default();
        assert_eq!(window.admit(&intensity, later), Ok(()));
        assert_eq!(window.admit(&intensity, later - Duration::from_secs(3)), Err(1));
    }

    #[test]
    fn an_intensity_of_zero_admits_nothing() {
        let intensity = Intensity { restarts_max: 0, period: Duration::from_secs(1) };
        assert_eq!(Window::default().admit(&intensity, Instant::now()), Err(0));
    }
}
