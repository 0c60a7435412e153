use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fs::FsError;

/// How many bytes may still be written. A clone counts on the same account.
#[derive(Clone, Default)]
pub(super) struct Quota(Option<Arc<Account>>);

struct Account {
    bytes_max: u64,
    bytes_used: AtomicU64,
}

/// Bytes taken for one write; what is not kept goes back.
pub(super) struct Taken<'a> {
    quota: &'a Quota,
    bytes: u64,
}

impl Quota {
    pub fn new(bytes_max: u64) -> Self {
        Self(Some(Arc::new(Account { bytes_max, bytes_used: AtomicU64::new(0) })))
    }

    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    pub fn bytes_used(&self) -> u64 {
        self.0.as_ref().map_or(0, |account| account.bytes_used.load(Ordering::Relaxed))
    }

    /// Takes all the bytes or none, before any of them is written.
    pub fn take(&self, bytes: u64) -> Result<Taken<'_>, FsError> {
        if let Some(account) = &self.0 {
            let sum = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= account.bytes_max);
            account
                .bytes_used
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum)
                .map_err(|_| FsError::QuotaExceeded { write_bytes_max: account.bytes_max })?;
        }
        Ok(Taken { quota: self, bytes })
    }

    /// Gives back what was taken and kept.
    pub fn give_back(&self, bytes: u64) {
        if let Some(account) = &self.0 {
            account.bytes_used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Taken<'_> {
    /// Of what was taken this much was used.
    pub fn keep(mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.quota.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_goes_back() {
        let quota = Quota::new(10);
        quota.take(6).unwrap().keep(6);
        drop(quota.take(4).unwrap());
        quota.take(4).unwrap().keep(1);
        assert_eq!(quota.bytes_used(), 7);
        assert!(matches!(quota.take(4), Err(FsError::QuotaExceeded { write_bytes_max: 10 })));
        assert!(quota.take(u64::MAX).is_err());
        assert_eq!(quota.bytes_used(), 7);
        Quota::default().take(u64::MAX).unwrap().keep(1);
    }

    #[test]
    fn concurrent_takers_never_pass_the_limit() {
        let quota = Quota::new(1_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| while quota.take(3).map(|taken| taken.keep(3)).is_ok() {});
            }
        });
        assert_eq!(quota.bytes_used(), 999);
    }
}
