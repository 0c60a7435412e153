/// How many denials of one actor had a record of their own in this second.
#[derive(Default)]
pub(crate) struct Flood {
    second_start_ns: u64,
    recorded: u64,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Flood {
    /// Whether a denial at this time gets a record; otherwise it is only counted.
    pub fn records(&mut self, now_ns: u64, per_second_max: u64) -> bool {
        if now_ns.saturating_sub(self.second_start_ns) >= SECOND_NS {
            *self = Self { second_start_ns: now_ns, recorded: 0 };
        }
        let records = self.recorded < per_second_max;
        self.recorded += u64::from(records);
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_second() {
        let mut flood = Flood::default();
        let mut records = |now_ns| flood.records(now_ns, 2);
        assert_eq!([0, 1, 2, SECOND_NS - 1].map(&mut records), [true, true, false, false]);
        assert_eq!([SECOND_NS, SECOND_NS, SECOND_NS + 5].map(&mut records), [true, true, false]);
        assert!(!Flood::default().records(0, 0));
    }
}
