//! Policy files of the file system: who may have written them, and whether they have changed.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::layer::Fetched;
use super::native;
use super::yaml::FILE_BYTES_MAX;
use crate::audit::Audit;

/// What changes when a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Zero where a file has no such numbers.
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    pub modified: (i64, i64),
    pub changed: (i64, i64),
}

/// The bytes of a file, all read between two equal stamps.
pub(super) struct Content {
    pub bytes: Vec<u8>,
    pub stamp: Stamp,
}

/// How files are reached; the tests of this module reach them in ways that fail.
pub(super) struct Disk {
    pub read: Way<Content>,
    pub stamp: Way<Stamp>,
}

type Way<T> = Box<dyn Fn(&Path) -> io::Result<T> + Send + Sync>;

impl Disk {
    pub fn new() -> Self {
        Self { read: Box::new(read), stamp: Box::new(stamp) }
    }

    /// The same, and no grant of a set over this audit reaches what is read or looked at.
    pub fn protecting(audit: Arc<Audit>) -> Self {
        let looked = audit.clone();
        Self {
            read: Box::new(move |path| protect(&audit, path).and_then(|()| read(path))),
            stamp: Box::new(move |path| protect(&looked, path).and_then(|()| stamp(path))),
        }
    }

    /// Reads a file, and says what tells it from others.
    pub fn fetch(&self, path: &Path) -> Result<(Fetched, Stamp), String> {
        let Content { bytes, stamp } = (self.read)(path).map_err(|error| error.to_string())?;
        Ok((Fetched { id: native::id(path, &stamp), path: path.to_owned(), bytes }, stamp))
    }
}

/// A directory would take all that lies below it out of reach.
fn protect(audit: &Audit, path: &Path) -> io::Result<()> {
    let file = native::open(path)?;
    match file.metadata()?.is_file() {
        true => audit.protected().file_at(path, &file),
        false => Ok(()),
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    Ok(native::stamp(&fs::metadata(path)?))
}

/// Reads at most one byte more than a policy file may have. Never waits for a writer, as a pipe would have it.
fn read(path: &Path) -> io::Result<Content> {
    let file = native::open(path)?;
    let before = file.metadata()?;
    native::trust(&before).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    (&file).take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let stamp = native::stamp(&before);
    if stamp != native::stamp(&file.metadata()?) {
        return Err(io::Error::other("it changed while it was read"));
    }
    Ok(Content { bytes, stamp })
}

#[cfg(test)]
impl Stamp {
    /// The stamp of a file that is on no disk.
    pub fn fake(inode: u64, version: u64) -> Self {
        Self { device: 0, inode, size: 0, modified: (version as i64, 0), changed: (0, 0) }
    }
}
