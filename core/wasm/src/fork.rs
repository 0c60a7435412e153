//! The one process-wide state: how often this process has been forked, seen from the child.

/// The number of forks between the first process and this one. A system of another number belongs to a parent.
pub(crate) fn count() -> u64 {
    airssys_osl::process::forks()
}
