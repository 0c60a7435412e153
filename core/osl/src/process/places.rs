use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::ProcessError;
use super::limits::ProcessLimits;
use super::rate::Rate;

/// How many programs run, of however many actors share it.
#[derive(Debug)]
pub struct ProcessTotal {
    processes_max: usize,
    began: Instant,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    running: usize,
    rate: Rate,
}

impl Default for ProcessTotal {
    /// 64 programs at once, 256 starts in a second.
    fn default() -> Self {
        Self::of(64, 256)
    }
}

impl ProcessTotal {
    /// At most so many at once, and so many starts in a second.
    pub fn new(processes_max: usize, starts_per_second_max: u32) -> Arc<Self> {
        Arc::new(Self::of(processes_max, starts_per_second_max))
    }

    fn of(processes_max: usize, starts_per_second_max: u32) -> Self {
        let counts = Mutex::new(Counts { running: 0, rate: Rate::new(starts_per_second_max) });
        Self { processes_max, began: Instant::now(), counts }
    }

    /// Programs that run now; one counts until nothing that it started is left.
    pub fn running(&self) -> usize {
        self.lock().running
    }

    fn take(self: &Arc<Self>, now: Duration) -> Result<Seat, ProcessError> {
        let mut counts = self.lock();
        if counts.running >= self.processes_max {
            return Err(ProcessError::TooManyProcesses { processes_max: self.processes_max });
        }
        if !counts.rate.take(now) {
            let starts_per_second_max = counts.rate.per_second();
            return Err(ProcessError::TooManyStarts { starts_per_second_max });
        }
        counts.running += 1;
        Ok(Seat(self.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        // No code that runs under this lock can leave it half changed.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Seat(Arc<ProcessTotal>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

/// The place of one program among those of its actor and those of all; free again when it is dropped.
pub(super) struct Place {
    _own: Seat,
    _total: Seat,
}

/// The places of one actor, and all of which they are a part.
pub(super) struct Places {
    own: Arc<ProcessTotal>,
    total: Arc<ProcessTotal>,
}

impl Places {
    pub fn new(limits: &ProcessLimits, total: Arc<ProcessTotal>) -> Self {
        Self { own: ProcessTotal::new(limits.processes_max, limits.starts_per_second_max), total }
    }

    pub fn running(&self) -> usize {
        self.own.running()
    }

    /// A place, or which of the four limits is reached. A start that the total refuses still counts in
    /// the actor's own rate.
    pub fn take(&self) -> Result<Place, ProcessError> {
        let own = self.own.take(self.own.began.elapsed())?;
        let total = self.total.take(self.total.began.elapsed())?;
        Ok(Place { _own: own, _total: total })
    }
}
