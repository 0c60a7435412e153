//! Calling code that is not ours where its panic must end nothing of ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls it; `None` if it panicked, which is told to `tracing` and goes no further.
pub(crate) fn call<T>(what: &'static str, foreign: impl FnOnce() -> T) -> Option<T> {
    let called = catch_unwind(AssertUnwindSafe(foreign));
    if called.is_err() {
        tracing::error!(target: "airssys_rt", what, "panicked");
    }
    called.ok()
}
