//! How much of a processor an actor may use over time, whatever one message may.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The window in which a share is counted: as long as the period of a control group.
pub(crate) const WINDOW: Duration = Duration::from_millis(100);

/// The share of one actor over all its lives: once it is used up, the guest waits for the next window.
#[derive(Debug)]
pub(crate) struct CpuShare {
    allowed_ms: u64,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    used_ms: u64,
}

impl CpuShare {
    /// So many percent of one processor; none where that is all of it.
    pub(crate) fn new(percent: u64, now: Instant) -> Option<Self> {
        let allowed_ms = (WINDOW.as_millis() as u64 * percent.min(100) / 100).max(1);
        (percent < 100).then(|| Self { allowed_ms, window: Mutex::new(Window { began: now, used_ms: 0 }) })
    }

    /// How long the guest has to wait at `now`; nothing while there is something left.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(window.began);
        if since >= WINDOW {
            // What was used beyond the share is owed to the windows that follow.
            let passed = u64::try_from(since.as_millis() / WINDOW.as_millis()).unwrap_or(u64::MAX);
            window.used_ms = window.used_ms.saturating_sub(self.allowed_ms.saturating_mul(passed));
            window.began = now - Duration::from_nanos((since.as_nanos() % WINDOW.as_nanos()) as u64);
        }
        (window.used_ms >= self.allowed_ms).then(|| window.began + WINDOW - now)
    }

    /// So many more milliseconds of computing.
    pub(crate) fn used(&self, ms: u64) {
        if ms > 0 {
            self.window.lock().unwrap_or_else(PoisonError::into_inner).used_ms += ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_waits_for_the_next_window_once_its_share_is_used_and_pays_back_what_was_more() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let ms = Duration::from_millis;
        let share = CpuShare::new(20, start).expect("a part");
        assert_eq!(share.wait(at(0)), None);
        share.used(19);
        assert_eq!(share.wait(at(30)), None);
        share.used(11);
        assert_eq!(share.wait(at(40)), Some(ms(60)));
        assert_eq!(share.wait(at(100)), None, "10 ms of 20 are left");
        share.used(20);
        assert_eq!(share.wait(at(150)), Some(ms(50)));
        assert_eq!(share.wait(at(230)), None, "10 ms were owed");
        assert_eq!(share.wait(at(100_000)), None);
    }

    #[test]
    fn the_smallest_share_is_a_millisecond_of_each_window() {
        let start = Instant::now();
        let share = CpuShare::new(1, start).expect("a part");
        assert_eq!(share.wait(start), None);
        share.used(1);
        assert_eq!(share.wait(start), Some(WINDOW));
        assert!(CpuShare::new(100, start).is_none() && CpuShare::new(u64::MAX, start).is_none());
    }
}
