use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The number of forks between the first process and this one; counted from the first call on.
pub fn forks() -> u64 {
    static PROCESS: AtomicU32 = AtomicU32::new(0);
    static FORKS: AtomicU64 = AtomicU64::new(0);
    let (now, before) = (std::process::id(), PROCESS.load(Relaxed));
    // Of several threads that notice, one counts.
    let changed = before != now && PROCESS.compare_exchange(before, now, Relaxed, Relaxed).is_ok();
    if changed && before != 0 {
        FORKS.fetch_add(1, Relaxed);
    }
    FORKS.load(Relaxed)
}
