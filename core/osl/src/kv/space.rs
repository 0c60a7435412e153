//! One namespace within a transaction: its pairs, and the account of what it holds.

use rusqlite::{Connection, OptionalExtension};

use super::sum::{sum, verified};
use super::{KvError, StoreLimits};

/// Pairs that a namespace can have had; its own bits of an id.
const NUMBER_BITS: u32 = 40;

/// The id from which the pairs of a namespace begin.
pub(super) fn first_id(space: i64) -> i64 {
    space << NUMBER_BITS
}

/// What the whole store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub bytes: u64,
    pub pairs: u64,
    pub namespaces: usize,
}

impl Total {
    pub fn read(connection: &Connection) -> Result<Self, KvError> {
        let sql = "SELECT coalesce(sum(bytes), 0), coalesce(sum(pairs), 0), count(*) FROM spaces";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self { bytes: count(row, 0)?, pairs: count(row, 1)?, namespaces: count(row, 2)? as usize })
        };
        Ok(connection.query_row(sql, [], read)?)
    }
}

/// A namespace as it will be when the transaction is committed.
pub(super) struct Space {
    name: String,
    /// None before it holds anything.
    id: Option<i64>,
    bytes: u64,
    pairs: u64,
    next: i64,
}

/// A pair that is there.
struct Row {
    id: i64,
    value_bytes: u64,
}

/// A number of SQLite's, which are signed.
fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| count.max(0) as u64)
}

impl Space {
    pub fn load(connection: &Connection, name: &str) -> rusqlite::Result<Self> {
        let mut find =
            connection.prepare_cached("SELECT id, bytes, pairs, next FROM spaces WHERE name = ?1")?;
        let found = find.query_row([name], |row| {
            let name = name.to_owned();
            Ok(Self {
                name,
                id: row.get(0)?,
                bytes: count(row, 1)?,
                pairs: count(row, 2)?,
                next: row.get(3)?,
            })
        });
        let empty = || Self { name: name.to_owned(), id: None, bytes: 0, pairs: 0, next: 0 };
        Ok(found.optional()?.unwrap_or_else(empty))
    }

    /// Writes the account back; a namespace that holds nothing has none.
    pub fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(id) = self.id else { return Ok(()) };
        if self.pairs == 0 {
            connection.prepare_cached("DELETE FROM spaces WHERE id = ?1")?.execute([id])?;
            return Ok(());
        }
        let sql = "UPDATE spaces SET bytes = ?2, pairs = ?3, next = ?4 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute((id, self.bytes as i64, self.pairs as i64, self.next))?;
        Ok(())
    }

    /// The value of a key.
    pub fn get(
        &self,
        connection: &Connection,
        key: &str,
    ) -> rusqlite::Result<Option<Result<Vec<u8>, KvError>>> {
        let Some(id) = self.id else { return Ok(None) };
        let mut find =
            connection.prepare_cached("SELECT value, sum FROM pairs WHERE space = ?1 AND key = ?2")?;
        let found = find.query_row((id, key), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(found.map(|found| verified(&self.name, key, found)))
    }

    /// Puts the pairs there if all bounds allow it, else none of them. No key stands twice.
    pub fn set(
        &mut self,
        connection: &Connection,
        pairs: &[(&str, &[u8])],
        (quota_bytes, limits): (Option<u64>, &StoreLimits),
        total: &mut Total,
    ) -> rusqlite::Result<Result<(), KvError>> {
        let mut rows = Vec::with_capacity(pairs.len());
        let (mut bytes, mut count) = (self.bytes, self.pairs);
        for (key, value) in pairs {
            let row = self.row(connection, key)?;
            bytes += (key.len() + value.len()) as u64;
            match &row {
                Some(row) => bytes = bytes.saturating_sub(key.len() as u64 + row.value_bytes),
                None => count += 1,
            }
            rows.push(row);
        }
        if let Err(why) = self.permit((bytes, count), quota_bytes, limits, total) {
            return Ok(Err(why));
        }
        self.account(bytes, count, total);
        for ((key, value), row) in pairs.iter().zip(rows) {
            self.put(connection, key, value, row)?;
        }
        Ok(Ok(()))
    }

    /// Takes the keys away; how many were there. No key stands twice.
    pub fn delete(
        &mut self,
        connection: &Connection,
        keys: &[&str],
        total: &mut Total,
    ) -> rusqlite::Result<u64> {
        let mut deleted = 0;
        for key in keys {
            let Some(row) = self.row(connection, key)? else { continue };
            connection.prepare_cached("DELETE FROM pairs WHERE id = ?1")?.execute([row.id])?;
            let bytes = self.bytes.saturating_sub(key.len() as u64 + row.value_bytes);
            self.account(bytes, self.pairs.saturating_sub(1), total);
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Whether it may come to hold so much. What does not grow is always allowed, so that it can be made less.
    fn permit(
        &self,
        (bytes, pairs): (u64, u64),
        quota_bytes: Option<u64>,
        limits: &StoreLimits,
        total: &Total,
    ) -> Result<(), KvError> {
        let within = |now: u64, then: u64, all: u64, max: u64| then <= now || all - now + then <= max;
        match quota_bytes {
            Some(quota_bytes) if bytes > self.bytes && bytes > quota_bytes => {
                Err(KvError::QuotaExceeded { quota_bytes, needed_bytes: bytes })
            }
            _ if !within(self.bytes, bytes, total.bytes, limits.store_bytes_max) => {
                Err(KvError::Full("bytes"))
            }
            _ if !within(self.pairs, pairs, total.pairs, limits.store_pairs_max) => {
                Err(KvError::Full("pairs"))
            }
            _ if self.next + pairs.saturating_sub(self.pairs) as i64 >= 1 << NUMBER_BITS => {
                Err(KvError::Full("new keys"))
            }
            _ if self.pairs == 0 && pairs > 0 && total.namespaces >= limits.namespaces_max => {
                Err(KvError::Full("namespaces"))
            }
            _ => Ok(()),
        }
    }

    fn account(&mut self, bytes: u64, pairs: u64, total: &mut Total) {
        total.bytes = (total.bytes + bytes).saturating_sub(self.bytes);
        total.pairs = (total.pairs + pairs).saturating_sub(self.pairs);
        match (self.pairs, pairs) {
            (0, 1..) => total.namespaces += 1,
            (1.., 0) => total.namespaces = total.namespaces.saturating_sub(1),
            _ => {}
        }
        (self.bytes, self.pairs) = (bytes, pairs);
    }

    fn row(&self, connection: &Connection, key: &str) -> rusqlite::Result<Option<Row>> {
        let Some(id) = self.id else { return Ok(None) };
        let mut find =
            connection.prepare_cached("SELECT id, length(value) FROM pairs WHERE space = ?1 AND key = ?2")?;
        find.query_row((id, key), |row| Ok(Row { id: row.get(0)?, value_bytes: count(row, 1)? })).optional()
    }

    fn put(
        &mut self,
        connection: &Connection,
        key: &str,
        value: &[u8],
        row: Option<Row>,
    ) -> rusqlite::Result<()> {
        let sum = sum(&self.name, key, value);
        if let Some(row) = row {
            let sql = "UPDATE pairs SET value = ?2, sum = ?3 WHERE id = ?1";
            connection.prepare_cached(sql)?.execute((row.id, value, &sum[..]))?;
            return Ok(());
        }
        let space = match self.id {
            Some(space) => space,
            None => self.begin(connection)?,
        };
        let sql = "INSERT INTO pairs (id, space, key, value, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
        let id = first_id(space) + self.next;
        connection.prepare_cached(sql)?.execute((id, space, key, value, &sum[..]))?;
        self.next += 1;
        Ok(())
    }

    /// Gives it the smallest id that no namespace has.
    fn begin(&mut self, connection: &Connection) -> rusqlite::Result<i64> {
        let mut ids = connection.prepare_cached("SELECT id FROM spaces ORDER BY id")?;
        let mut free = 1;
        for id in ids.query_map([], |row| row.get::<_, i64>(0))? {
            if id? != free {
                break;
            }
            free += 1;
        }
        let sql = "INSERT INTO spaces (id, name, bytes, pairs, next) VALUES (?1, ?2, 0, 0, 0)";
        connection.prepare_cached(sql)?.execute((free, &self.name))?;
        self.id = Some(free);
        Ok(free)
    }
}
