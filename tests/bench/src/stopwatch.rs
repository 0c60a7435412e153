//! The time of each of many operations.

use std::time::{Duration, Instant};

/// How long each of many operations took.
pub struct Latencies {
    sorted_ns: Vec<u32>,
    total: Duration,
}

/// Takes the time between one operation and the next, so that the clock is read once for each.
pub struct Stopwatch {
    began: Instant,
    last: Instant,
    laps_ns: Vec<u32>,
}

impl Stopwatch {
    /// Starts to count so many operations.
    pub fn start(count: usize) -> Self {
        // Written once, so that no page is touched for the first time while the clock runs.
        let mut laps_ns = vec![u32::MAX; count];
        laps_ns.clear();
        let now = Instant::now();
        Self { began: now, last: now, laps_ns }
    }

    /// One operation is over.
    pub fn lap(&mut self) {
        let now = Instant::now();
        self.laps_ns.push(u32::try_from((now - self.last).as_nanos()).unwrap_or(u32::MAX));
        self.last = now;
    }

    /// All are over.
    pub fn stop(mut self) -> Latencies {
        self.laps_ns.sort_unstable();
        Latencies { sorted_ns: self.laps_ns, total: self.last - self.began }
    }
}

impl Latencies {
    /// The time that so many percent stay within, in microseconds.
    pub fn percentile_us(&self, percent: usize) -> f64 {
        let index = (self.sorted_ns.len() * percent / 100).min(self.sorted_ns.len() - 1);
        f64::from(self.sorted_ns[index]) / 1e3
    }

    /// The mean, in microseconds.
    pub fn mean_us(&self) -> f64 {
        self.total.as_secs_f64() * 1e6 / self.sorted_ns.len() as f64
    }
}
