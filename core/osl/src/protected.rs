use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use crate::fs::real_path;

/// Most files and directories that may be registered.
const ENTRIES_MAX: usize = 1_024;

/// The library's own files: no grant reaches them, under whatever name, and no operation removes,
/// replaces or moves them.
///
/// A registered directory covers all that lies below it, found by its path as it is now; a bind mount that
/// shows it in another place shows files that are not covered there.
#[derive(Default)]
pub struct Protected(RwLock<Vec<Entry>>);

struct Entry {
    /// Keeps the inode's number from being used again, and knows where it lies now.
    pin: OwnedFd,
    device: u64,
    inode: u64,
    directory: bool,
    /// Where it stands, if what takes its place there takes it here too.
    place: Option<PathBuf>,
}

impl Protected {
    /// Registers an open file, until it is forgotten.
    pub fn file(&self, file: &File) -> io::Result<()> {
        add(&mut self.write(), file)
    }

    /// Registers an open file as the one at this path, in place of the one that was there before.
    pub fn file_at(&self, path: &Path, file: &File) -> io::Result<()> {
        put(&mut self.write(), path, file)
    }

    /// Opens a file, which may make it, and registers it before anybody can ask whose it is.
    pub fn open(&self, open: impl FnOnce() -> io::Result<File>) -> io::Result<File> {
        let mut entries = self.write();
        let file = open()?;
        add(&mut entries, &file)?;
        Ok(file)
    }

    /// Opens several files, which may make them, and registers those at these paths before anybody can ask whose they are;
    /// each in place of the one that was there before.
    #[cfg(feature = "kv")]
    pub(crate) fn open_at<T, E: From<io::Error>>(
        &self,
        open: impl FnOnce() -> Result<(T, Vec<PathBuf>), E>,
    ) -> Result<T, E> {
        let mut entries = self.write();
        let (opened, paths) = open()?;
        for path in &paths {
            put(&mut entries, path, &look(path)?)?;
        }
        Ok(opened)
    }

    /// Registers a directory and all that lies below it, now and later.
    pub fn directory(&self, path: &Path) -> io::Result<()> {
        let directory = File::open(path)?;
        match directory.metadata()?.is_dir() {
            true => add(&mut self.write(), &directory),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Takes a file or directory off the list, such as one that was removed.
    pub fn forget(&self, metadata: &Metadata) {
        self.write().retain(|entry| (entry.device, entry.inode) != (metadata.dev(), metadata.ino()));
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Entry>> {
        // A change of the list is one step, so a poisoned one is whole.
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the object is registered or lies below a directory that is. Its path, none where it cannot
    /// be told, is asked for only if there are such directories.
    pub(crate) fn covers(&self, device: u64, inode: u64, path: impl FnOnce() -> Option<String>) -> bool {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if entries.iter().any(|entry| (entry.device, entry.inode) == (device, inode)) {
            return true;
        }
        let mut directories = entries.iter().filter(|entry| entry.directory).peekable();
        if directories.peek().is_none() {
            return false;
        }
        let Some(path) = path() else { return true };
        directories.any(|entry| real_path(entry.pin.as_fd()).is_none_or(|above| lies_below(&path, &above)))
    }

    pub(crate) fn has_directories(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().any(|entry| entry.directory)
    }

    /// Whether something registered lies below the directory of this path; true where that cannot be told.
    pub(crate) fn lies_below(&self, directory: Option<&str>) -> bool {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(directory) = directory else { return !entries.is_empty() };
        entries
            .iter()
            .any(|entry| real_path(entry.pin.as_fd()).is_none_or(|path| lies_below(&path, directory)))
    }
}

fn add(entries: &mut Vec<Entry>, file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    let (device, inode) = (metadata.dev(), metadata.ino());
    if entries.iter().any(|entry| (entry.device, entry.inode) == (device, inode)) {
        return Ok(());
    }
    bounded(entries.len())?;
    entries.push(entry(file, &metadata, None)?);
    Ok(())
}

fn put(entries: &mut Vec<Entry>, path: &Path, file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    let id = (metadata.dev(), metadata.ino());
    let is_here = |entry: &Entry| entry.place.as_deref() == Some(path);
    if entries.iter().any(|entry| is_here(entry) && (entry.device, entry.inode) == id) {
        return Ok(());
    }
    let new = entry(file, &metadata, Some(path.to_owned()))?;
    let others = entries.iter().filter(|entry| !is_here(entry)).count();
    bounded(others)?;
    entries.retain(|entry| !is_here(entry));
    entries.push(new);
    Ok(())
}

/// The file at the path, not opened to be read where that can be helped: its end would end the locks that others of this
/// process have on it.
#[cfg(feature = "kv")]
fn look(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let access = OFlags::PATH;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let access = OFlags::RDONLY;
    Ok(rustix::fs::open(path, access | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())?.into())
}

fn entry(file: &File, metadata: &Metadata, place: Option<PathBuf>) -> io::Result<Entry> {
    let (device, inode) = (metadata.dev(), metadata.ino());
    Ok(Entry { pin: pin(file)?, device, inode, directory: metadata.is_dir(), place })
}

fn bounded(entries: usize) -> io::Result<()> {
    match entries < ENTRIES_MAX {
        true => Ok(()),
        false => Err(io::Error::other(format!("{ENTRIES_MAX} files are protected, as many as may"))),
    }
}

fn lies_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|below| below.starts_with('/'))
}

/// Not the descriptor itself, so that a lock on it ends with its owner's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn pin(file: &File) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let name = crate::fs::proc_name(file.as_fd());
    match rustix::fs::open(name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(pin) => Ok(pin),
        Err(_) => Ok(file.try_clone()?.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn pin(file: &File) -> io::Result<OwnedFd> {
    Ok(file.try_clone()?.into())
}

#[cfg(test)]
mod tests {
    use super::lies_below;

    #[test]
    fn below_is_decided_part_by_part() {
        for (path, directory, below) in [
            ("/a/b", "/a", true),
            ("/a/b/c", "/a", true),
            ("/a", "/a", false),
            ("/ab", "/a", false),
            ("/a", "/", true),
            ("/b/a", "/a", false),
        ] {
            assert_eq!(lies_below(path, directory), below, "{path} {directory}");
        }
    }
}
