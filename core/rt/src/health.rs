//! Health checks: asked at an interval, and a reason to end a life when missed.

use std::sync::Arc;
use std::sync::Weak;

use tokio::task::AbortHandle;

use crate::actor::Message;
use crate::cell::Cell;
use crate::exit::{Cause, Exit, Unhealthy};
use crate::spec::Health;
use crate::sync::lock;

/// The checks of one life. Dropped, none follows.
#[derive(Debug)]
pub(crate) struct Checks {
    task: AbortHandle,
    seen: Seen,
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What came of them so far.
#[derive(Debug, Default)]
struct Seen {
    asked: bool,
    missed: u32,
    last: Option<Cause>,
}

impl Seen {
    /// The next check is due; says the exit if that is one missed check too many.
    fn due(&mut self, missed_max: u32) -> Option<Exit> {
        if std::mem::replace(&mut self.asked, true) {
            self.missed += 1;
        }
        (self.missed > missed_max)
            .then(|| Exit::Crash(Arc::new(Unhealthy { missed: self.missed, last: self.last.take() })))
    }

    fn answered(&mut self, answer: &Result<(), Cause>) {
        match answer {
            Ok(()) => *self = Self::default(),
            // It stays asked: the next one that is due counts it as missed.
            Err(cause) => self.last = Some(cause.clone()),
        }
    }
}

/// Asks this life at each interval.
pub(crate) fn watch<M: Message>(cell: &Arc<Cell<M>>, health: Health) -> Box<Checks> {
    let weak: Weak<Cell<M>> = Arc::downgrade(cell);
    let asks = async move {
        loop {
            tokio::time::sleep(health.interval).await;
            let Some(cell) = weak.upgrade() else { return };
            let due = match &mut lock(&cell.life).checks {
                Some(checks) => checks.seen.due(health.missed_max),
                None => return,
            };
            match due {
                Some(exit) => return cell.force(exit),
                None => cell.check(),
            }
        }
    };
    Box::new(Checks { task: cell.shared.io.spawn(asks).abort_handle(), seen: Seen::default() })
}

/// Notes the answer to a check.
pub(crate) fn answered<M: Message>(cell: &Cell<M>, answer: &Result<(), Cause>) {
    if let Some(checks) = &mut lock(&cell.life).checks {
        checks.seen.answered(answer);
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn a_check_without_a_good_answer_before_the_next_is_missed() {
        let mut checks = Seen::default();
        assert!(checks.due(1).is_none(), "the first is asked");
        checks.answered(&Ok(()));
        assert!(checks.due(1).is_none());
        assert!(checks.due(1).is_none(), "one was missed, which may be");
        checks.answered(&Err(Arc::new(crate::error::Error::NoReply)));
        let exit = checks.due(1).expect("two in a row were missed");
        assert!(exit.to_string().contains("2 health checks failed"), "{exit}");
    }
}
