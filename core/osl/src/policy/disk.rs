//! Policy files of the file system: who may have written them, and whether they have changed.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, Stat};

use super::layer::Fetched;
use super::yaml::FILE_BYTES_MAX;
use crate::audit::Audit;

/// What changes when a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
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

    /// Reads a file, and tells it from others by device and inode.
    pub fn fetch(&self, path: &Path) -> Result<(Fetched, Stamp), String> {
        let Content { bytes, stamp } = (self.read)(path).map_err(|error| error.to_string())?;
        let id = format!("{}:{}", stamp.device, stamp.inode);
        Ok((Fetched { id, path: path.to_owned(), bytes }, stamp))
    }
}

/// A directory would take all that lies below it out of reach.
fn protect(audit: &Audit, path: &Path) -> io::Result<()> {
    let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let file = std::fs::File::from(fd);
    match file.metadata()?.is_file() {
        true => audit.protected().file_at(path, &file),
        false => Ok(()),
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    Ok(Stamp::of(&rustix::fs::stat(path)?))
}

/// Reads at most one byte more than a policy file may have. Never waits for a writer, as a pipe would have it.
fn read(path: &Path) -> io::Result<Content> {
    let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let file = std::fs::File::from(fd);
    let before = rustix::fs::fstat(&file)?;
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    trusted(mode_of(&before), (before.st_uid, before.st_gid), own).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    (&file).take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let stamp = Stamp::of(&before);
    if stamp != Stamp::of(&rustix::fs::fstat(&file)?) {
        return Err(io::Error::other("it changed while it was read"));
    }
    Ok(Content { bytes, stamp })
}

// The types of a stat's fields differ by platform, here and in `Stamp::of`.
#[allow(clippy::unnecessary_cast)]
fn mode_of(stat: &Stat) -> u32 {
    stat.st_mode as u32
}

/// Whether nobody but root, the process's user and its own group can have written a file of this mode and owner.
///
/// A directory that others may write need not be asked: what they put there is theirs.
fn trusted(mode: u32, owner: (u32, u32), own: (u32, u32)) -> Result<(), String> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    if mode & KIND != REGULAR {
        return Err("a policy is a regular file".into());
    }
    if owner.0 != 0 && owner.0 != own.0 {
        return Err(format!(
            "it belongs to another user ({}): a policy belongs to root or to the user of this process ({})",
            owner.0, own.0
        ));
    }
    if mode & 0o002 != 0 {
        return Err("everybody may write it: chmod o-w takes that away".into());
    }
    if mode & 0o020 != 0 && owner.1 != own.1 {
        return Err(format!("another group ({}) may write it: chmod g-w takes that away", owner.1));
    }
    Ok(())
}

impl Stamp {
    #[allow(clippy::unnecessary_cast)]
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

#[cfg(test)]
impl Stamp {
    /// The stamp of a file that is on no disk.
    pub fn fake(inode: u64, version: u64) -> Self {
        Self { device: 0, inode, size: 0, modified: (version as i64, 0), changed: (0, 0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_m11_a_policy_that_others_may_write_is_refused() {
        let (own, root, other) = ((1000, 1000), (0, 0), (1001, 1001));
        let table = [
            (0o100_644, own, None),
            (0o100_600, root, None),
            (0o100_664, own, None),
            (0o100_644, other, Some("another user")),
            (0o100_600, other, Some("another user")),
            (0o100_666, own, Some("chmod o-w")),
            (0o100_602, root, Some("chmod o-w")),
            (0o100_664, (1000, 50), Some("another group")),
            (0o100_664, root, Some("another group")),
            (0o040_755, own, Some("regular file")),
            (0o010_600, own, Some("regular file")),
        ];
        for (mode, owner, want) in table {
            let got = trusted(mode, owner, own);
            match want {
                None => assert_eq!(got, Ok(()), "{mode:o} {owner:?}"),
                Some(why) => {
                    assert!(got.clone().is_err_and(|got| got.contains(why)), "{mode:o} {owner:?} {got:?}")
                }
            }
        }
    }
}
