use std::time::Duration;

/// How many starts are left of a burst that refills by so many a second. Time is an argument: since
/// any moment, never less than before.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: u32,
    /// In nanoseconds of refilling: a start costs a second's share of them.
    filled_ns: u64,
    last: Duration,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Rate {
    pub fn new(per_second: u32) -> Self {
        Self { per_second, filled_ns: SECOND_NS, last: Duration::ZERO }
    }

    pub fn per_second(&self) -> u32 {
        self.per_second
    }

    pub fn set_per_second(&mut self, per_second: u32) {
        self.per_second = per_second;
    }

    /// Whether one more may start now; it is counted if so.
    pub fn take(&mut self, now: Duration) -> bool {
        let passed_ns = now.saturating_sub(self.last).as_nanos().min(u128::from(SECOND_NS)) as u64;
        self.last = self.last.max(now);
        self.filled_ns = (self.filled_ns + passed_ns).min(SECOND_NS);
        let cost_ns = SECOND_NS / u64::from(self.per_second.max(1));
        if self.per_second == 0 || self.filled_ns < cost_ns {
            return false;
        }
        self.filled_ns -= cost_ns;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut rate = Rate::new(4);
        let taken =
            |rate: &mut Rate, ms: u64| (0..9).filter(|_| rate.take(Duration::from_millis(ms))).count();
        assert_eq!(taken(&mut rate, 5), 4);
        assert_eq!(taken(&mut rate, 254), 0);
        assert_eq!(taken(&mut rate, 255), 1);
        assert_eq!(taken(&mut rate, 100), 0, "time does not go back");
        assert_eq!(taken(&mut rate, 1_005), 3);
        assert_eq!(taken(&mut rate, 3_600_000), 4, "what is not used is not saved");
        assert_eq!(taken(&mut Rate::new(0), 9), 0);
    }
}
