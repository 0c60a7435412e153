//! Those who read, each on a connection of its own, so that no commit keeps them waiting.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension};

use super::file::StoreFile;
use super::space::first_id;
use super::sum::{verified, verify_key};
use super::{KvError, StoreLimits};

/// Reads at once; more wait for these.
const READERS: usize = 4;

/// Keys of a namespace, in the order in which they first came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    pub keys: Vec<String>,
    /// Where the next listing goes on, if there may be more.
    pub cursor: Option<u64>,
}

pub(super) struct Readers {
    /// None once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
    back: Condvar,
}

/// One that was taken; it goes back when it is dropped.
struct Reader<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Readers {
    pub fn open(file: &StoreFile) -> Result<Self, KvError> {
        let idle = (0..READERS).map(|_| file.reader()).collect::<Result<_, _>>()?;
        Ok(Self { idle: Mutex::new(Some(idle)), back: Condvar::new() })
    }

    /// The values of these keys, all as they were at one moment.
    pub fn get(
        &self,
        namespace: &str,
        keys: &[String],
        limits: &StoreLimits,
    ) -> Result<Vec<Option<Vec<u8>>>, KvError> {
        let StoreLimits { batch_pairs_max, batch_bytes_max, .. } = *limits;
        let reader = self.take()?;
        let snapshot = reader.connection().unchecked_transaction()?;
        let mut find = snapshot.prepare_cached(
            "SELECT value, sum FROM pairs WHERE space = (SELECT id FROM spaces WHERE name = ?1) AND key = ?2",
        )?;
        let (mut values, mut bytes) = (Vec::with_capacity(keys.len()), 0);
        for key in keys {
            let found = find.query_row((namespace, key), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let value = found.map(|found| verified(namespace, key, found)).transpose()?;
            bytes += value.as_ref().map_or(0, Vec::len);
            if bytes > batch_bytes_max {
                return Err(KvError::BatchTooLarge { batch_pairs_max, batch_bytes_max });
            }
            values.push(value);
        }
        Ok(values)
    }

    pub fn exists(&self, namespace: &str, key: &str) -> Result<bool, KvError> {
        let reader = self.take()?;
        let mut find = reader.connection().prepare_cached(
            "SELECT 1 FROM pairs WHERE space = (SELECT id FROM spaces WHERE name = ?1) AND key = ?2",
        )?;
        Ok(find.exists((namespace, key))?)
    }

    /// The keys after a cursor.
    pub fn list(&self, namespace: &str, cursor: Option<u64>, keys_max: usize) -> Result<Keys, KvError> {
        let reader = self.take()?;
        let snapshot = reader.connection().unchecked_transaction()?;
        let space = snapshot
            .prepare_cached("SELECT id FROM spaces WHERE name = ?1")?
            .query_row([namespace], |row| row.get::<_, i64>(0))
            .optional()?;
        let Some(space) = space else { return Ok(Keys::default()) };
        let (first, end) = (first_id(space), first_id(space + 1));
        // Whatever a caller made of it, it stays a number of this namespace.
        let begin = first.saturating_add_unsigned(cursor.unwrap_or(0)).min(end);
        let mut find = snapshot.prepare_cached(
            "SELECT id, key, sum FROM pairs WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut rows = find.query((begin, end, keys_max as i64))?;
        let (mut keys, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            let key: String = row.get(1)?;
            verify_key(namespace, &key, &row.get::<_, Vec<u8>>(2)?)?;
            keys.push(key);
            last = Some(row.get::<_, i64>(0)?);
        }
        let full = keys.len() == keys_max;
        Ok(Keys { keys, cursor: last.filter(|_| full).map(|last| (last + 1 - first) as u64) })
    }

    /// Closes the connections; those in use close when they come back.
    pub fn close(&self) {
        let idle = self.lock().take();
        self.back.notify_all();
        drop(idle);
    }

    fn take(&self) -> Result<Reader<'_>, KvError> {
        let mut idle = self.lock();
        loop {
            let Some(connections) = idle.as_mut() else { return Err(KvError::Closed) };
            if let Some(connection) = connections.pop() {
                return Ok(Reader { readers: self, connection: Some(connection) });
            }
            idle = self.back.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        // No code that runs under this lock can leave it half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader<'_> {
    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("it goes back only in the end")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.lock();
        if let Some(connections) = idle.as_mut() {
            connections.extend(self.connection.take());
            drop(idle);
            self.readers.back.notify_one();
        }
    }
}
