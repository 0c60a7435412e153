//! Wall-clock time as RFC 3339 in UTC, to the millisecond.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serializer;

pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

/// `2026-11-21T09:00:00.123Z`. A clock before 1970 reads as 1970, and one past 9999 as its end.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    String::from_utf8(ascii(time).to_vec()).expect("it is ASCII")
}

/// The same without an allocation.
pub(crate) fn ascii(time: SystemTime) -> [u8; 24] {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST);
    let (seconds, ms) = (since.as_secs(), u64::from(since.subsec_millis()));
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let fields = [(3, year), (6, month), (9, day), (12, hour), (15, minute), (18, second), (22, ms)];
    for (mut at, mut value) in fields {
        while value > 0 {
            text[at] = b'0' + (value % 10) as u8;
            value /= 10;
            at = at.saturating_sub(1);
        }
    }
    text
}

/// The last second of the year 9999, from 1970 on.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The Gregorian date of a day counted from 1970-01-01 (Hinnant's `civil_from_days`): the year is
/// taken to start in March, so that the leap day is its last.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_251_600_123, "2026-11-21T09:00:00.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.000Z"),
        ];
        for (ms, want) in table {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(ms)), want);
        }
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }
}
