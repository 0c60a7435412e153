//! How long a restart waits.

use std::time::Duration;

use super::Backoff;
use super::spec::InvalidRules;

impl Backoff {
    /// No wait at all, as in OTP.
    pub fn immediate() -> Self {
        Self { jitter: 0.0, ..Self::delayed(Duration::ZERO) }
    }

    /// Always the same wait.
    pub fn delayed(delay: Duration) -> Self {
        Self { initial: delay, max: delay, factor: 1.0, jitter: 0.0, ..Self::default() }
    }

    /// A wait that grows by `factor` from `initial` to `max`; the share `jitter` of it is random.
    pub fn exponential(initial: Duration, max: Duration, factor: f64, jitter: f64) -> Self {
        Self { initial, max, factor, jitter, ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), InvalidRules> {
        if !self.factor.is_finite() || self.factor < 1.0 {
            return Err(InvalidRules::BackoffFactor);
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(InvalidRules::BackoffJitter);
        }
        if self.initial > self.max {
            return Err(InvalidRules::BackoffInitial);
        }
        Ok(())
    }

    /// The wait after so many failures in a row. `random` is in 0..1.
    pub(super) fn wait(&self, failures: u32, random: f64) -> Duration {
        if self.initial.is_zero() {
            return Duration::ZERO; // zero times a growth without bound would be no number
        }
        let grown = self.initial.as_secs_f64() * self.factor.powf(f64::from(failures));
        let whole = Duration::try_from_secs_f64(grown).unwrap_or(self.max).min(self.max);
        let share = 1.0 - self.jitter * random.clamp(0.0, 1.0);
        if share == 1.0 {
            whole
        } else {
            Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_three_kinds_of_backoff_wait_as_named() {
        let exponential = Backoff::exponential(ms(100), ms(1_000), 2.0, 0.0);
        let rows = [
            (Backoff::immediate(), [0, 0, 0, 0, 0]),
            (Backoff::delayed(ms(70)), [70, 70, 70, 70, 70]),
            (exponential, [100, 200, 400, 1_000, 1_000]),
        ];
        for (backoff, expected) in rows {
            assert_eq!(backoff.check(), Ok(()));
            let got = [0, 1, 2, 5_000, u32::MAX].map(|failures| backoff.wait(failures, 0.0));
            assert_eq!(got, expected.map(ms), "{backoff:?}");
        }
    }

    #[test]
    fn jitter_takes_its_share_and_never_more() {
        let backoff = Backoff { jitter: 0.5, ..Backoff::delayed(ms(100)) };
        assert_eq!([0.0, 0.5, 1.0, 7.0].map(|random| backoff.wait(3, random)), [100, 75, 50, 50].map(ms));
        assert!(backoff.wait(3, f64::NAN) <= ms(100));
    }

    #[test]
    fn a_backoff_that_cannot_be_followed_is_refused() {
        let plain = Backoff::default();
        let rows = [
            (Backoff { factor: 0.9, ..plain }, InvalidRules::BackoffFactor),
            (Backoff { factor: f64::NAN, ..plain }, InvalidRules::BackoffFactor),
            (Backoff { jitter: 1.1, ..plain }, InvalidRules::BackoffJitter),
            (Backoff { jitter: f64::NAN, ..plain }, InvalidRules::BackoffJitter),
            (Backoff { max: ms(1), ..plain }, InvalidRules::BackoffInitial),
        ];
        for (backoff, expected) in rows {
            assert_eq!(backoff.check(), Err(expected), "{backoff:?}");
        }
    }
}
