//! What a guest's file descriptor is: a path in its one root, and for a file the handle that osl opened.

use airssys_osl::{FileHandle, FsError, Kind, Metadata, SetTime};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue,
    NewTimestamp,
};

/// An open file or directory. Absolute paths, `/` being the guest's root.
#[derive(Clone)]
pub(super) enum Descriptor {
    Dir(String, DescriptorFlags),
    File(String, FileHandle),
}

impl Descriptor {
    pub(super) fn path(&self) -> &str {
        match self {
            Descriptor::Dir(path, _) | Descriptor::File(path, _) => path,
        }
    }

    /// The file; a directory is none.
    pub(super) fn file(self) -> Result<FileHandle, ErrorCode> {
        match self {
            Descriptor::File(_, file) => Ok(file),
            Descriptor::Dir(..) => Err(ErrorCode::IsDirectory),
        }
    }

    /// The file, if it was opened to be read.
    pub(super) fn readable(self) -> Result<FileHandle, ErrorCode> {
        let file = self.file()?;
        if file.options().read { Ok(file) } else { Err(ErrorCode::BadDescriptor) }
    }

    /// The file, if it was opened to be written.
    pub(super) fn writable(self) -> Result<FileHandle, ErrorCode> {
        let file = self.file()?;
        if file.options().write { Ok(file) } else { Err(ErrorCode::BadDescriptor) }
    }

    /// The path of `name` below this directory.
    pub(super) fn join(&self, name: &str) -> Result<String, ErrorCode> {
        match self {
            Descriptor::File(..) => Err(ErrorCode::NotDirectory),
            Descriptor::Dir(..) if name.is_empty() => Err(ErrorCode::NoEntry),
            // WASI: a path given to an `-at` function is relative.
            Descriptor::Dir(..) if name.starts_with('/') => Err(ErrorCode::NotPermitted),
            Descriptor::Dir(path, _) => Ok(format!("{}/{name}", path.trim_end_matches('/'))),
        }
    }
}

/// The entries of a directory that were not read yet.
pub(super) struct Entries {
    pub(super) rest: std::vec::IntoIter<DirectoryEntry>,
    /// Their room among all that one life has listed.
    _room: OwnedSemaphorePermit,
}

/// A handle of the WASI bindings, whose own type we cannot name ours: the table holds our type under the number.
pub(super) trait Handle {
    fn ours<T: 'static>(&self) -> Resource<T>;
}

impl<W: 'static> Handle for Resource<W> {
    fn ours<T: 'static>(&self) -> Resource<T> {
        match self.owned() {
            true => Resource::new_own(self.rep()),
            false => Resource::new_borrow(self.rep()),
        }
    }
}

/// Stores ours and gives the handle the bindings want.
pub(super) fn push<T: Send + 'static, W: 'static>(
    table: &mut ResourceTable,
    value: T,
) -> Result<Resource<W>, ResourceTableError> {
    table.push(value).map(|handle| Resource::new_own(handle.rep()))
}

/// The WASI code of an error of osl; a denial has been noted by then.
pub(super) fn code(error: &FsError) -> ErrorCode {
    match error {
        // WASI has a code of its own for a path that leads out of a directory.
        FsError::Denied(denial) if denial.is_above_root() => ErrorCode::NotPermitted,
        FsError::Denied(_) => ErrorCode::Access,
        FsError::NotFound => ErrorCode::NoEntry,
        FsError::NotDirectory => ErrorCode::NotDirectory,
        FsError::IsDirectory => ErrorCode::IsDirectory,
        FsError::NotFile(_) => ErrorCode::NotPermitted,
        FsError::Loop => ErrorCode::Loop,
        FsError::NameTooLong => ErrorCode::NameTooLong,
        FsError::InvalidPath(_) => ErrorCode::Invalid,
        // WASI 0.2 has no code of its own for it.
        FsError::TooManyOpen { .. } => ErrorCode::InsufficientMemory,
        FsError::TooManyEntries { .. } | FsError::TooLarge { .. } => ErrorCode::Overflow,
        FsError::AlreadyExists => ErrorCode::Exist,
        FsError::NotEmpty => ErrorCode::NotEmpty,
        FsError::InvalidOptions(_) | FsError::SameFile => ErrorCode::Invalid,
        FsError::NotOpenFor(_) => ErrorCode::BadDescriptor,
        FsError::NoLinks => ErrorCode::NotPermitted,
        FsError::QuotaExceeded { .. } => ErrorCode::Quota,
        FsError::Io(why) => ErrorCode::from(why),
    }
}

pub(super) fn kind(kind: Kind) -> DescriptorType {
    match kind {
        Kind::File => DescriptorType::RegularFile,
        Kind::Directory => DescriptorType::Directory,
        Kind::Symlink => DescriptorType::SymbolicLink,
        Kind::Fifo => DescriptorType::Fifo,
        Kind::Socket => DescriptorType::Socket,
        Kind::CharacterDevice => DescriptorType::CharacterDevice,
        Kind::BlockDevice => DescriptorType::BlockDevice,
        Kind::Unknown => DescriptorType::Unknown,
    }
}

pub(super) fn stat(found: &Metadata) -> DescriptorStat {
    DescriptorStat {
        type_: kind(found.kind),
        link_count: found.links,
        size: found.size,
        data_access_timestamp: found.accessed.and_then(time),
        data_modification_timestamp: found.modified.and_then(time),
        status_change_timestamp: found.status_changed.and_then(time),
    }
}

/// A directory that exists because the guest needs one to start from: it tells nothing of the host's.
pub(super) fn synthetic_stat() -> DescriptorStat {
    DescriptorStat {
        type_: DescriptorType::Directory,
        link_count: 1,
        size: 0,
        data_access_timestamp: None,
        data_modification_timestamp: None,
        status_change_timestamp: None,
    }
}

fn time(at: SystemTime) -> Option<Datetime> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Datetime { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() })
}

/// What a guest wants a time to become.
pub(super) fn new_time(wanted: NewTimestamp) -> Result<SetTime, ErrorCode> {
    match wanted {
        NewTimestamp::NoChange => Ok(SetTime::Keep),
        NewTimestamp::Now => Ok(SetTime::Now),
        NewTimestamp::Timestamp(Datetime { nanoseconds: 1_000_000_000.., .. }) => Err(ErrorCode::Invalid),
        NewTimestamp::Timestamp(Datetime { seconds, nanoseconds }) => SystemTime::UNIX_EPOCH
            .checked_add(Duration::new(seconds, nanoseconds))
            .map(SetTime::To)
            .ok_or(ErrorCode::Overflow),
    }
}

/// A hash of the object's identity, so that a guest never sees the host's device and inode numbers.
pub(super) fn hash(found: &Metadata) -> MetadataHashValue {
    use sha2::{Digest, Sha256};
    let mut state = Sha256::new();
    let modified = found.modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let nanos = modified.map_or(0, |since| since.as_nanos());
    state.update(found.device.to_le_bytes());
    state.update(found.inode.to_le_bytes());
    state.update(found.size.to_le_bytes());
    state.update(nanos.to_le_bytes());
    let digest = state.finalize();
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    MetadataHashValue { lower: word(0), upper: word(8) }
}

/// The WASI form of a directory's entries. `listings` has room for as many as all streams of one life hold together.
pub(super) fn entries(
    found: Vec<airssys_osl::Entry>,
    listings: &Arc<Semaphore>,
) -> Result<Entries, ErrorCode> {
    let count = u32::try_from(found.len()).map_err(|_| ErrorCode::Overflow)?;
    let room = listings.clone().try_acquire_many_owned(count).map_err(|_| ErrorCode::InsufficientMemory)?;
    let entry =
        |entry: airssys_osl::Entry| types::DirectoryEntry { type_: kind(entry.kind), name: entry.name };
    Ok(Entries { rest: found.into_iter().map(entry).collect::<Vec<_>>().into_iter(), _room: room })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_b5_all_listings_of_a_life_together_have_one_bound() {
        let listings = Arc::new(Semaphore::new(5));
        let found = |count| vec![airssys_osl::Entry { name: "a".to_owned(), kind: Kind::File }; count];
        let mut first = entries(found(3), &listings).expect("room");
        assert_eq!(first.rest.next().map(|entry| entry.name), Some("a".to_owned()));
        assert!(matches!(entries(found(3), &listings), Err(ErrorCode::InsufficientMemory)));
        let _second = entries(found(2), &listings).expect("room");
        let _empty = entries(found(0), &listings).expect("it holds nothing");
        drop(first);
        entries(found(3), &listings).expect("room again");
    }
}
