use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::FileType;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    Fifo,
    Socket,
    CharacterDevice,
    BlockDevice,
    Unknown,
}

/// What is known of a file. A time that the file system does not keep is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub kind: Kind,
    pub size: u64,
    pub links: u64,
    pub modified: Option<SystemTime>,
    pub accessed: Option<SystemTime>,
    pub created: Option<SystemTime>,
    /// The last change of the file's content, name, owner or mode.
    pub status_changed: Option<SystemTime>,
    /// With `inode`: the same for the same object. The host's own numbers, to be hashed before a guest
    /// sees them.
    pub device: u64,
    pub inode: u64,
}

impl From<&fs::Metadata> for Metadata {
    fn from(found: &fs::Metadata) -> Self {
        Self {
            kind: found.file_type().into(),
            size: found.size(),
            links: found.nlink(),
            modified: found.modified().ok(),
            accessed: found.accessed().ok(),
            created: found.created().ok(),
            status_changed: time(found.ctime(), found.ctime_nsec()),
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

fn time(seconds: i64, nanoseconds: i64) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let start = if seconds < 0 { UNIX_EPOCH.checked_sub(whole)? } else { UNIX_EPOCH.checked_add(whole)? };
    start.checked_add(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

impl From<fs::FileType> for Kind {
    fn from(found: fs::FileType) -> Self {
        match found {
            f if f.is_file() => Kind::File,
            f if f.is_dir() => Kind::Directory,
            f if f.is_symlink() => Kind::Symlink,
            f if f.is_fifo() => Kind::Fifo,
            f if f.is_socket() => Kind::Socket,
            f if f.is_char_device() => Kind::CharacterDevice,
            f if f.is_block_device() => Kind::BlockDevice,
            _ => Kind::Unknown,
        }
    }
}

impl From<FileType> for Kind {
    fn from(found: FileType) -> Self {
        match found {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Symlink,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            FileType::CharacterDevice => Kind::CharacterDevice,
            FileType::BlockDevice => Kind::BlockDevice,
            FileType::Unknown => Kind::Unknown,
        }
    }
}
