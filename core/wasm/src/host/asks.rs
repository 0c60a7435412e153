//! The asks of one actor for more than it has: who waits is woken when its grants change.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::turns::{Turn, Turns};

/// Asks of one actor that are under way at once.
const WAITING_MAX: usize = 4;
/// Asks of one actor that the host is told of in a second.
const TOLD_PER_SECOND_MAX: u32 = 8;

/// Over all lives of the actor.
pub(crate) struct Asks {
    changed: Notify,
    waiting: Turns,
    told: Mutex<Window>,
}

/// How many the host was told of since its beginning.
#[derive(Default)]
struct Window {
    began: Option<Instant>,
    told: u32,
}

impl Default for Asks {
    fn default() -> Self {
        Self { changed: Notify::new(), waiting: Turns::new(WAITING_MAX), told: Mutex::default() }
    }
}

impl Asks {
    /// What the actor is granted or denied has changed: whoever waits looks again.
    pub(crate) fn changed(&self) {
        self.changed.notify_waiters();
    }

    /// Listens from now on.
    pub(super) fn listen(&self) -> Pin<Box<Notified<'_>>> {
        let mut notified = Box::pin(self.changed.notified());
        notified.as_mut().enable();
        notified
    }

    /// A place to wait in, unless too many wait or too many were told of in this second.
    pub(super) fn enter(&self, now: Instant) -> Option<Turn> {
        let turn = self.waiting.try_take()?;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).admits(now).then_some(turn)
    }
}

impl Window {
    fn admits(&mut self, now: Instant) -> bool {
        let over = |began: Instant| now.saturating_duration_since(began) >= Duration::from_secs(1);
        if self.began.is_none_or(over) {
            *self = Self { began: Some(now), told: 0 };
        }
        let admits = self.told < TOLD_PER_SECOND_MAX;
        self.told += u32::from(admits);
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_told_of_so_many_a_second() {
        let (mut window, start) = (Window::default(), Instant::now());
        let mut told = |after_ms| {
            let now = start + Duration::from_millis(after_ms);
            (0..100).filter(|_| window.admits(now)).count() as u32
        };
        assert_eq!([0, 999, 1_000, 1_500, 5_000].map(&mut told), [8, 0, 8, 0, 8]);
    }

    #[test]
    fn so_many_wait_at_once() {
        let (asks, now) = (Asks::default(), Instant::now());
        let kept: Vec<Turn> = (0..WAITING_MAX).filter_map(|_| asks.enter(now)).collect();
        assert_eq!((kept.len(), asks.enter(now).is_none()), (WAITING_MAX, true));
        drop(kept);
        assert!(asks.enter(now).is_some());
    }
}
