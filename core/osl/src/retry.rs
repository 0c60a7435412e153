use std::time::{Duration, Instant};

use crate::idempotent::Idempotent;
use crate::transience::Transience;

/// How often, and after which waits, an [`Idempotent`] operation is tried again that failed by a
/// [transient](Transience) error. Nothing is retried unless a caller asks for it by this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// With the first one; 0 is taken as 1.
    pub attempts_max: u32,
    /// The wait after the first failure.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// How much longer each wait is than the one before; from 1 on.
    pub factor: f64,
    /// The share of a wait that is random, in 0..=1.
    pub jitter: f64,
}

impl Default for Retry {
    /// Four attempts, after 100, 200 and 400 ms of which up to a half is left out at random, and never after more than 5 s.
    fn default() -> Self {
        Self {
            attempts_max: 4,
            initial: Duration::from_millis(100),
            max: Duration::from_secs(5),
            factor: 2.0,
            jitter: 0.5,
        }
    }
}

impl Retry {
    /// The wait after the last of so many attempts, which failed; none where there is no further one: the error is
    /// permanent, all attempts are used, or the wait would not end before the deadline. `random` is in 0..1.
    pub fn wait_after(
        &self,
        attempts: u32,
        transience: Transience,
        left: Duration,
        random: f64,
    ) -> Option<Duration> {
        if transience == Transience::Permanent || attempts >= self.attempts_max {
            return None;
        }
        Some(self.wait(attempts.saturating_sub(1), random)).filter(|wait| *wait < left)
    }

    /// Does it, again if need be, and gives its result or its last error. No attempt begins after the deadline, but for
    /// the first, and each gets the rest of the time. A grant that is revoked meanwhile ends it: a denial is permanent.
    ///
    /// `sleep` waits that long, on this thread; `random` gives numbers in 0..1.
    pub fn run<T, E>(
        &self,
        deadline: Instant,
        mut operation: Idempotent<T, E>,
        now: impl Fn() -> Instant,
        mut sleep: impl FnMut(Duration),
        mut random: impl FnMut() -> f64,
    ) -> Result<T, E> {
        let mut attempts = 0;
        loop {
            let error = match operation.attempt(deadline) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            attempts += 1;
            let left = deadline.saturating_duration_since(now());
            let transience = operation.transience(&error);
            let Some(wait) = self.wait_after(attempts, transience, left, random()) else { return Err(error) };
            sleep(wait);
            if now() >= deadline {
                return Err(error);
            }
        }
    }

    /// Grown so many times. What is no number, or shrinks, does not grow.
    fn wait(&self, growths: u32, random: f64) -> Duration {
        let grown = self.initial.as_secs_f64() * self.factor.max(1.0).powf(f64::from(growths));
        let whole = match self.initial.is_zero() {
            true => Duration::ZERO, // zero times a growth without bound would be no number
            false => Duration::try_from_secs_f64(grown).unwrap_or(self.max).min(self.max),
        };
        let kept = 1.0 - self.jitter.clamp(0.0, 1.0) * random.clamp(0.0, 1.0);
        if kept < 1.0 { whole.mul_f64(kept) } else { whole }
    }
}
