//! What the key-value store tells its host.

/// Keys of a namespace, in the order in which they first came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvKeys {
    /// At most 1,000.
    pub keys: Vec<String>,
    /// Where the next page goes on; none after the last key.
    pub cursor: Option<u64>,
}
