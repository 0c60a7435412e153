use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::disk;

/// The files of the audit, by device and inode, which no grant reaches whatever their names are now.
#[derive(Default)]
pub(crate) struct OwnFiles(RwLock<VecDeque<(u64, u64)>>);

/// The inode of a file that was removed long ago may be somebody else's by now.
const FILES_MAX: usize = 64;

impl OwnFiles {
    pub fn add(&self, metadata: &Metadata) {
        add(&mut self.0.write().unwrap_or_else(PoisonError::into_inner), id(metadata));
    }

    /// Opens a file of the audit, which may create it. Whoever finds it meanwhile waits to be told whose
    /// it is.
    pub fn open(&self, path: &Path) -> io::Result<(File, Metadata)> {
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let file = disk::open(path)?;
        let metadata = disk::describe(&file)?;
        add(&mut files, id(&metadata));
        Ok((file, metadata))
    }

    pub fn remove(&self, metadata: &Metadata) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|file| *file != id(metadata));
    }

    pub fn contains(&self, device: u64, inode: u64) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&(device, inode))
    }
}

fn add(files: &mut VecDeque<(u64, u64)>, id: (u64, u64)) {
    if !files.contains(&id) {
        files.push_back(id);
        let surplus = files.len().saturating_sub(FILES_MAX);
        files.drain(..surplus);
    }
}

pub(crate) fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
