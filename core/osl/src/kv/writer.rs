//! The one thread that writes: each commit makes all changes that wait.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::file::StoreFile;
use super::pending::Failure;
use super::queue::{Queue, Write};
use super::space::{Space, Total};
use super::{Change, KvError, StoreLimits};

/// The log is written back whenever it is as long.
const CHECKPOINT_BYTES: u64 = 4 << 20;

pub(super) struct Writer {
    pub connection: Connection,
    pub queue: Arc<Queue>,
    pub file: Arc<StoreFile>,
    pub limits: StoreLimits,
    pub total: Total,
}

impl Writer {
    /// A thread's life.
    pub fn run(mut self) {
        while let Some(batch) = self.queue.next() {
            match self.commit(&batch) {
                Ok(results) => {
                    // Answered, it keeps nothing of its actor's while the log is written back.
                    batch.into_iter().zip(results).for_each(|(write, result)| write.answer.settle(result));
                    if let Err(why) = self.checkpoint() {
                        self.queue.break_off(&why.to_string());
                    }
                }
                Err(why) => {
                    let why = why.to_string();
                    self.queue.break_off(&why);
                    let broken = || Err(KvError::Broken(why.clone()).into());
                    batch.iter().for_each(|write| write.answer.settle(broken()));
                }
            }
        }
    }

    /// Makes all of the changes in one commit, but for those that have an error of their own, or none at all.
    fn commit(&mut self, batch: &[Write]) -> rusqlite::Result<Vec<Result<u64, Failure>>> {
        // Taken back when it is dropped.
        let transaction = self.connection.unchecked_transaction()?;
        let mut made = Batch {
            connection: &transaction,
            limits: &self.limits,
            total: self.total,
            spaces: HashMap::new(),
        };
        let mut results = Vec::with_capacity(batch.len());
        for write in batch {
            results.push(made.make(write)?);
        }
        made.spaces.values().try_for_each(|space| space.store(&transaction))?;
        let total = made.total;
        transaction.commit()?;
        self.total = total;
        Ok(results)
    }

    /// Writes the log back to where the pairs lie, now and then; if readers have kept it too long, it waits for them.
    fn checkpoint(&self) -> rusqlite::Result<()> {
        let wal_bytes = self.file.wal_bytes();
        if wal_bytes < CHECKPOINT_BYTES {
            return Ok(());
        }
        let sql = match wal_bytes > self.limits.wal_bytes_max {
            true => "PRAGMA wal_checkpoint(TRUNCATE)",
            false => "PRAGMA wal_checkpoint(PASSIVE)",
        };
        self.connection.query_row(sql, [], |_| Ok(()))
    }
}

/// However it ends, nobody waits for it any longer.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.break_off("the store has no writer");
    }
}

/// What one commit makes.
struct Batch<'a> {
    connection: &'a Connection,
    limits: &'a StoreLimits,
    total: Total,
    spaces: HashMap<String, Space>,
}

impl Batch<'_> {
    /// Makes one change, or nothing of it; only the error of the outer result concerns the others.
    fn make(&mut self, write: &Write) -> rusqlite::Result<Result<u64, Failure>> {
        if !write.answer.begin() || write.guards.iter().any(|guard| guard.alive().is_err()) {
            return Ok(Err(Failure::Ended));
        }
        if !self.spaces.contains_key(&write.namespace) {
            let space = Space::load(self.connection, &write.namespace)?;
            self.spaces.insert(write.namespace.clone(), space);
        }
        let space = self.spaces.get_mut(&write.namespace).expect("it was put there");
        let mut target = Target {
            connection: self.connection,
            space,
            total: &mut self.total,
            limits: (write.quota_bytes, self.limits),
        };
        Ok(target.make(&write.change)?.map_err(Failure::Error))
    }
}

/// The namespace that one change is made to.
struct Target<'a> {
    connection: &'a Connection,
    space: &'a mut Space,
    total: &'a mut Total,
    limits: (Option<u64>, &'a StoreLimits),
}

impl Target<'_> {
    fn make(&mut self, change: &Change) -> rusqlite::Result<Result<u64, KvError>> {
        match change {
            Change::Set(pairs) => {
                let last: HashMap<&str, &[u8]> =
                    pairs.iter().map(|(key, value)| (key.as_str(), value.as_slice())).collect();
                let mut pairs: Vec<(&str, &[u8])> = last.into_iter().collect();
                pairs.sort_unstable();
                Ok(self.set(&pairs)?.map(|()| pairs.len() as u64))
            }
            Change::Delete(keys) => {
                let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                keys.sort_unstable();
                keys.dedup();
                Ok(Ok(self.space.delete(self.connection, &keys, self.total)?))
            }
            Change::Increment { key, delta } => self.increment(key, *delta),
            Change::Swap { key, expected, new } => self.swap(key, expected.as_deref(), new.as_deref()),
        }
    }

    fn set(&mut self, pairs: &[(&str, &[u8])]) -> rusqlite::Result<Result<(), KvError>> {
        self.space.set(self.connection, pairs, self.limits, self.total)
    }

    fn increment(&mut self, key: &str, delta: u64) -> rusqlite::Result<Result<u64, KvError>> {
        let value = match self.space.get(self.connection, key)?.transpose() {
            Ok(value) => value,
            Err(why) => return Ok(Err(why)),
        };
        let sum =
            number(value.as_deref()).and_then(|number| number.checked_add(delta).ok_or(KvError::Overflow));
        match sum {
            Ok(sum) => Ok(self.set(&[(key, sum.to_string().as_bytes())])?.map(|()| sum)),
            Err(why) => Ok(Err(why)),
        }
    }

    fn swap(
        &mut self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> rusqlite::Result<Result<u64, KvError>> {
        let found = match self.space.get(self.connection, key)?.transpose() {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if found.as_deref() != expected {
            return Ok(Ok(0));
        }
        match new {
            Some(new) => Ok(self.set(&[(key, new)])?.map(|()| 1)),
            None => self.space.delete(self.connection, &[key], self.total).map(|_| Ok(1)),
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

/// What a number is kept as.
fn number(value: Option<&[u8]>) -> Result<u64, KvError> {
    let Some(value) = value else { return Ok(0) };
    let digits = value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|text| digits && !text.is_empty());
    text.ok_or(KvError::NotNumber)?.parse().map_err(|_| KvError::Overflow)
}
