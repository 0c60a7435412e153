//! The locks and atomics of what is model-checked: std's, or loom's under the feature `loom`.

#[cfg(feature = "loom")]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, RwLock, atomic};
#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock, atomic};

// Nothing panics while one of the locks is held, so a poisoned lock still guards a whole state.
/// Locks, whatever befell the thread that held it before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
