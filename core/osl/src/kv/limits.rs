/// What one store holds and how much may wait for it. Each bound has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    pub key_bytes_max: usize,
    pub value_bytes_max: usize,
    /// Keys and values of all namespaces together.
    pub store_bytes_max: u64,
    /// Pairs of all namespaces together, so that many tiny ones do not outgrow the bytes that are counted.
    pub store_pairs_max: u64,
    /// Namespaces that hold something.
    pub namespaces_max: usize,
    /// Pairs that one call reads or writes, and keys that one listing gives.
    pub batch_pairs_max: usize,
    /// Keys and values that one call reads or writes.
    pub batch_bytes_max: usize,
    /// Changes that wait for their commit.
    pub queued_max: usize,
    pub queued_bytes_max: usize,
    /// Beyond it the log of commits is written back and cut off before the next commit.
    pub wal_bytes_max: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            key_bytes_max: 1_024,
            value_bytes_max: 1 << 20,
            store_bytes_max: 1 << 30,
            store_pairs_max: 10_000_000,
            namespaces_max: 4_096,
            batch_pairs_max: 1_000,
            batch_bytes_max: 8 << 20,
            queued_max: 4_096,
            queued_bytes_max: 64 << 20,
            wal_bytes_max: 16 << 20,
        }
    }
}
