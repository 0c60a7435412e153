use sha2::{Digest, Sha256};

use super::KvError;

/// Bytes of each half.
const HALF: usize = 8;

/// What is kept beside a pair so that a damaged one is known: half for the key in its namespace, half for the value.
pub(super) type Sum = [u8; 2 * HALF];

pub(super) fn sum(namespace: &str, key: &str, value: &[u8]) -> Sum {
    let mut sum = [0; 2 * HALF];
    sum[..HALF].copy_from_slice(&of_key(namespace, key));
    sum[HALF..].copy_from_slice(&half(&[value]));
    sum
}

/// The value as it was written, or none of it.
pub(super) fn verified(
    namespace: &str,
    key: &str,
    (value, found): (Vec<u8>, Vec<u8>),
) -> Result<Vec<u8>, KvError> {
    match found == sum(namespace, key, &value) {
        true => Ok(value),
        false => Err(damaged(namespace)),
    }
}

/// The same for a key alone.
pub(super) fn verify_key(namespace: &str, key: &str, found: &[u8]) -> Result<(), KvError> {
    match found.starts_with(&of_key(namespace, key)) {
        true => Ok(()),
        false => Err(damaged(namespace)),
    }
}

fn damaged(namespace: &str) -> KvError {
    KvError::Damaged(format!("a pair of {namespace} is not what was written"))
}

fn of_key(namespace: &str, key: &str) -> [u8; HALF] {
    // No name holds a zero.
    half(&[namespace.as_bytes(), &[0], key.as_bytes()])
}

fn half(parts: &[&[u8]]) -> [u8; HALF] {
    let mut state = Sha256::new();
    parts.iter().for_each(|part| state.update(part));
    state.finalize()[..HALF].try_into().expect("a digest is longer than a half")
}
