//! What of the audit's disk is done otherwise where files have neither modes nor numbers that std knows.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;

use super::disk;

/// What tells a file from others: nothing does.
#[derive(Clone, Copy)]
pub(crate) struct Id;

pub(crate) fn id(_: &Metadata) -> Id {
    Id
}

/// How long the file at the path is, if it is the open one: asked anew each time, by its lock. Who finds it taken has
/// found the file that is locked here.
pub(crate) fn len_in_place(path: &Path, file: &File, _: Id) -> io::Result<Option<u64>> {
    let found = match disk::open_to_read(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match disk::lock(&found) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => Ok(Some(disk::describe(file)?.len())),
        Err(error) => Err(error),
    }
}

/// Not in the mode to append, in which a file cannot be emptied on Windows.
pub(crate) fn to_append() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).truncate(false);
    options
}

pub(crate) fn to_read() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

/// The one who has the lock is the only one who writes, so the end stays where it is.
pub(crate) fn to_end(mut file: &File) -> io::Result<()> {
    file.seek(SeekFrom::End(0)).map(|_| ())
}
