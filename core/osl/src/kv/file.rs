//! The files of a store: who may have them, and whether what is in them is a store.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};

use super::KvError;

/// Four bytes in the head of the file: `airw`.
const APPLICATION: i64 = 0x6169_7277;
/// Of the tables below.
const VERSION: i64 = 1;
/// The first of SQLite without a known fault of its log.
const SQLITE_MIN: i32 = 3_051_003;
/// A larger store is not read through when it is opened: what is damaged in it is found when it is used.
const CHECKED_BYTES_MAX: u64 = 64 << 20;
/// How long a reader and a checkpoint wait for each other.
const BUSY: Duration = Duration::from_secs(5);

/// A pair's id is that of its namespace and a number within it, so that the pairs of one lie together, in the order in
/// which they came: `next` is the number of the next, and a listing goes on after a number.
const TABLES: &str = "
    CREATE TABLE spaces (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
        bytes INTEGER NOT NULL, pairs INTEGER NOT NULL, next INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE pairs (
        id INTEGER PRIMARY KEY, space INTEGER NOT NULL, key TEXT NOT NULL, sum BLOB NOT NULL, value BLOB NOT NULL,
        UNIQUE (space, key)
    ) STRICT;";

/// What of the accounts does not agree with the pairs.
const WRONG_ACCOUNTS: &str = "
    SELECT count(*) FROM spaces WHERE (bytes, pairs) IS NOT (
        SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0), count(*)
        FROM pairs WHERE pairs.id >= spaces.id << 40 AND pairs.id < (spaces.id + 1) << 40
    )";

/// The files of a store that nobody else has open.
pub(super) struct StoreFile {
    path: PathBuf,
    /// Not empty once the store has its tables.
    lock: File,
}

impl StoreFile {
    /// Locks the store at the path, whose file is made if there is none.
    pub fn lock(path: &Path) -> Result<Self, KvError> {
        let path = real(path)?;
        let lock = private(&beside(&path, "-lock"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(KvError::InUse),
            Err(why) => return Err(io::Error::from(why).into()),
        }
        let was_there = path.symlink_metadata().is_ok();
        let mut head = Vec::new();
        private(&path)?.take(100).read_to_end(&mut head)?;
        if was_there && head.is_empty() && lock.metadata()?.len() > 0 {
            return Err(KvError::Damaged(format!("{} is empty and held something", path.display())));
        }
        if !head.is_empty() && !head.starts_with(b"SQLite format 3\0") {
            return Err(KvError::Damaged(format!("{} is no store", path.display())));
        }
        // A store keeps no journal of this kind, but a file of that name would be played back into it.
        let journal = beside(&path, "-journal");
        if head.get(18) == Some(&2) && journal.symlink_metadata().is_ok() {
            return Err(KvError::Damaged(format!("{} is not of the store: take it away", journal.display())));
        }
        // What is left of a crash is this user's alone as well: the one is played back into the store, the other is mapped.
        for end in ["-wal", "-shm"] {
            let beside = beside(&path, end);
            if beside.symlink_metadata().is_ok() {
                private(&beside)?;
            }
        }
        Ok(Self { path, lock })
    }

    /// All that there are once somebody is connected.
    pub fn paths(&self) -> Vec<PathBuf> {
        let [lock, wal, shm] = ["-lock", "-wal", "-shm"].map(|end| beside(&self.path, end));
        vec![self.path.clone(), lock, wal, shm]
    }

    /// The connection that writes, after a look at what is there.
    pub fn writer(&self) -> Result<Connection, KvError> {
        if rusqlite::version_number() < SQLITE_MIN {
            let version = rusqlite::version();
            return Err(KvError::Io(io::Error::other(format!("SQLite {version} is older than 3.51.3"))));
        }
        let connection = self.connect()?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(KvError::Io(io::Error::other("the file system cannot hold the log of a store")));
        }
        // Each commit waits for the disk; when the log is written back is the writer's business. One that begins anew is
        // cut off, so that its length says what waits.
        let pragmas =
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 0";
        connection.execute_batch(pragmas)?;
        self.prepare(&connection)?;
        Ok(connection)
    }

    /// One that cannot write.
    pub fn reader(&self) -> Result<Connection, KvError> {
        let connection = self.connect()?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        Ok(connection)
    }

    /// The bytes of commits that are not written back yet.
    pub fn wal_bytes(&self) -> u64 {
        beside(&self.path, "-wal").metadata().map_or(0, |found| found.len())
    }

    fn connect(&self) -> Result<Connection, KvError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")?;
        Ok(connection)
    }

    /// Makes the tables of a new store; refuses one that is none, is newer, or is damaged.
    fn prepare(&self, connection: &Connection) -> Result<(), KvError> {
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let application = number("PRAGMA application_id")?;
        let version = number("PRAGMA user_version")?;
        let tables = number("SELECT count(*) FROM sqlite_schema")?;
        match (application, version) {
            (0, 0) if tables == 0 => {
                let marks =
                    format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
                connection.execute_batch(&format!("BEGIN; {TABLES} {marks} COMMIT;"))?;
                return Ok((&self.lock).write_all(b"made\n")?);
            }
            (APPLICATION, VERSION) => {}
            (APPLICATION, found) if found > VERSION => return Err(KvError::Newer { found, known: VERSION }),
            _ => return Err(KvError::Damaged(format!("{} is no store", self.path.display()))),
        }
        if self.path.metadata()?.len() > CHECKED_BYTES_MAX {
            return Ok(());
        }
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        match found.as_str() {
            "ok" if number(WRONG_ACCOUNTS)? == 0 => Ok(()),
            "ok" => Err(KvError::Damaged("the accounts of a namespace are wrong".to_owned())),
            _ => Err(KvError::Damaged(found)),
        }
    }
}

/// A process that was forked meanwhile has the lock too: it ends here, for both.
impl Drop for StoreFile {
    fn drop(&mut self) {
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

/// The path without links in what is above the file.
fn real(path: &Path) -> io::Result<PathBuf> {
    let Some(name) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(parent.unwrap_or(Path::new(".")).canonicalize()?.join(name))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// Opens or makes a file that is this user's alone.
fn private(path: &Path) -> Result<File, KvError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(io::Error::from)?;
    let file = File::from(file);
    let about = file.metadata()?;
    match () {
        () if !about.is_file() => Err(KvError::NotPrivate("it is no regular file")),
        () if about.uid() != rustix::process::geteuid().as_raw() => {
            Err(KvError::NotPrivate("it belongs to another user"))
        }
        () if about.mode() & 0o077 != 0 => Err(KvError::NotPrivate("its mode is not 0600")),
        () if about.nlink() != 1 => Err(KvError::NotPrivate("it has several names")),
        () => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_pair_stands_last_so_that_a_listing_does_not_read_past_it() {
        let folder = tempfile::tempdir().unwrap();
        let connection = StoreFile::lock(&folder.path().join("store.db")).unwrap().writer().unwrap();
        let mut columns =
            connection.prepare("SELECT name FROM pragma_table_info('pairs') ORDER BY cid").unwrap();
        let columns = columns.query_map([], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(columns.map(Result::unwrap).last().as_deref(), Some("value"));
    }
}
