use std::time::{SystemTime, UNIX_EPOCH};

pub(super) use rustix::fs::Timestamps;
use rustix::fs::{Timespec, UTIME_NOW, UTIME_OMIT};

use crate::fs::FsError;

/// What a time of a file becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    Keep,
    Now,
    To(SystemTime),
}

pub(super) fn timestamps(accessed: SetTime, modified: SetTime) -> Result<Timestamps, FsError> {
    Ok(Timestamps { last_access: timespec(accessed)?, last_modification: timespec(modified)? })
}

fn timespec(time: SetTime) -> Result<Timespec, FsError> {
    match time {
        SetTime::Keep => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }),
        SetTime::Now => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_NOW }),
        SetTime::To(time) => {
            let (negative, apart) = match time.duration_since(UNIX_EPOCH) {
                Ok(after) => (false, after),
                Err(before) => (true, before.duration()),
            };
            let seconds = i64::try_from(apart.as_secs()).map_err(|_| rustix::io::Errno::OVERFLOW)?;
            let nanos = apart.subsec_nanos() as i64;
            let (seconds, nanos) = match (negative, nanos) {
                (false, _) => (seconds, nanos),
                (true, 0) => (-seconds, 0),
                // The nanoseconds of a timespec always count forward.
                (true, _) => (-seconds - 1, 1_000_000_000 - nanos),
            };
            Ok(Timespec { tv_sec: seconds, tv_nsec: nanos as _ })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_before_the_epoch_count_forward() {
        for (time, seconds, nanos) in [
            (UNIX_EPOCH, 0, 0),
            (UNIX_EPOCH + Duration::new(1, 5), 1, 5),
            (UNIX_EPOCH - Duration::new(1, 0), -1, 0),
            (UNIX_EPOCH - Duration::new(1, 5), -2, 999_999_995),
        ] {
            let found = timespec(SetTime::To(time)).unwrap();
            assert_eq!((found.tv_sec, found.tv_nsec), (seconds, nanos), "{time:?}");
        }
    }
}
