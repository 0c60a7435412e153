use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// When something was, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub wall: SystemTime,
    /// Since the clock was made; never goes back.
    pub monotonic_ns: u64,
}

/// Tells the audit the time; a clone tells the same.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Clock {
    /// A clock of the caller's. Its monotonic time must not go back.
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

impl Default for Clock {
    /// The clocks of the operating system, the monotonic one from now on.
    fn default() -> Self {
        let start = Instant::now();
        Self::new(move || Moment {
            wall: SystemTime::now(),
            monotonic_ns: u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
