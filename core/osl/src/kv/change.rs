use super::{KvError, StoreLimits};

/// Digits of the largest number.
const NUMBER_BYTES_MAX: usize = 20;

/// What is done to a namespace: all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts the pairs there, over what was there; of two with one key the later counts. Comes to their number.
    Set(Vec<(String, Vec<u8>)>),
    /// Takes the keys away. Comes to the number of those that were there.
    Delete(Vec<String>),
    /// Adds to a number that is kept as decimal text; what is not there counts as 0. Comes to the sum.
    Increment { key: String, delta: u64 },
    /// Puts `new` in the place of `expected`, where none is no value; if that is not what is there it does nothing.
    /// Comes to 1 if it did, else to 0.
    Swap { key: String, expected: Option<Vec<u8>>, new: Option<Vec<u8>> },
}

impl Change {
    /// Bytes of the keys and values that it puts there.
    pub fn bytes(&self) -> u64 {
        let len = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        let bytes = match self {
            Change::Set(pairs) => pairs.iter().map(|(key, value)| key.len() + value.len()).sum(),
            Change::Delete(_) => 0,
            Change::Increment { key, .. } => key.len() + NUMBER_BYTES_MAX,
            Change::Swap { key, new, .. } => key.len() + len(new),
        };
        bytes as u64
    }

    /// Whether what it comes to tells what was there.
    pub(super) fn reads(&self) -> bool {
        matches!(self, Change::Increment { .. } | Change::Swap { .. })
    }

    /// The bytes that it holds while it waits, if it is within the bounds.
    pub(super) fn checked(&self, limits: &StoreLimits) -> Result<usize, KvError> {
        match self {
            Change::Set(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.len()));
                batch_bytes(pairs, limits)
            }
            Change::Delete(keys) => batch_bytes(keys.iter().map(|key| (key.as_str(), 0)), limits),
            Change::Increment { key, .. } => batch_bytes([(key.as_str(), 0)].into_iter(), limits),
            Change::Swap { key, expected, new } => {
                let len = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
                check_pair(key, len(expected), limits)?;
                check_pair(key, len(new), limits)?;
                Ok(key.len() + len(expected) + len(new))
            }
        }
    }
}

/// The bytes of these keys with values of these sizes, if one call may move them.
pub(super) fn batch_bytes<'a>(
    pairs: impl Iterator<Item = (&'a str, usize)>,
    limits: &StoreLimits,
) -> Result<usize, KvError> {
    let StoreLimits { batch_pairs_max, batch_bytes_max, .. } = *limits;
    let (mut count, mut bytes) = (0, 0);
    for (key, value_bytes) in pairs {
        check_pair(key, value_bytes, limits)?;
        (count, bytes) = (count + 1, bytes + key.len() + value_bytes);
        if count > batch_pairs_max || bytes > batch_bytes_max {
            return Err(KvError::BatchTooLarge { batch_pairs_max, batch_bytes_max });
        }
    }
    Ok(bytes)
}

fn check_pair(key: &str, value_bytes: usize, limits: &StoreLimits) -> Result<(), KvError> {
    let StoreLimits { key_bytes_max, value_bytes_max, .. } = *limits;
    match () {
        () if key.len() > key_bytes_max => Err(KvError::KeyTooLong { key_bytes_max }),
        () if value_bytes > value_bytes_max => Err(KvError::ValueTooLarge { value_bytes_max }),
        () => Ok(()),
    }
}
