use std::time::{Duration, Instant};

/// What the network of one actor is bounded by; how many sockets are open at once is a matter of its
/// [`Resources`](crate::Resources).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetLimits {
    /// Connections accepted by one listener that are open at once; they count as sockets too.
    pub accepted_max: usize,
    /// Bytes that one socket may receive in its life; any number when absent.
    pub received_bytes_max: Option<u64>,
    /// Longest wait of one call, whatever its deadline.
    pub wait_max: Duration,
}

impl Default for NetLimits {
    /// 32 connections accepted by one listener, waits of 30 seconds.
    fn default() -> Self {
        Self { accepted_max: 32, received_bytes_max: None, wait_max: Duration::from_secs(30) }
    }
}

impl NetLimits {
    /// The deadline, or the end of the longest wait that begins `now`.
    pub(crate) fn capped(&self, deadline: Instant, now: Instant) -> Instant {
        now.checked_add(self.wait_max).map_or(deadline, |last| deadline.min(last))
    }
}
