//! The one process-wide state: how often this process has been forked, seen from the child.

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static FORKS: AtomicU64 = AtomicU64::new(0);
static WATCH: Once = Once::new();

/// The number of forks between the first process and this one. A system of another number belongs to a parent.
pub(crate) fn count() -> u64 {
    #[cfg(unix)]
    WATCH.call_once(|| {
        extern "C" fn in_child() {
            FORKS.fetch_add(1, Relaxed);
        }
        // SAFETY: the handler only adds to an atomic, which is allowed in the child of a threaded process, and it
        // lives as long as the process. Without memory for it forks go unseen, which is no worse than not asking.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    FORKS.load(Relaxed)
}
