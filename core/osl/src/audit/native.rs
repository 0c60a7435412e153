//! What of the audit's disk Unix has and others have not: modes, pipes that need not be waited for, numbers of files.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::disk;

/// Device and inode.
pub(crate) type Id = (u64, u64);

pub(crate) fn id(metadata: &Metadata) -> Id {
    (metadata.dev(), metadata.ino())
}

/// How long the file at the path is, if it is the open one.
pub(crate) fn len_in_place(path: &Path, _: &File, open: Id) -> io::Result<Option<u64>> {
    Ok(disk::look(path)?.filter(|found| id(found) == open).map(|found| found.len()))
}

/// What is made by these is its owner's alone.
pub(crate) fn to_append() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    options
}

/// Without waiting for somebody at the other end of a pipe.
pub(crate) fn to_read() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits() as i32);
    options
}

/// Each write goes there by itself.
pub(crate) fn to_end(_: &File) -> io::Result<()> {
    Ok(())
}
