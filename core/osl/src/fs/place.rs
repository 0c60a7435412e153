use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};

use crate::fs::error::Miss;
use crate::fs::object::Object;
use crate::fs::{Base, FsError, Kind};

/// A name in a directory that is held open, whether something stands there or not. A link that stands
/// there is never followed.
pub(crate) struct Place {
    parent: Object,
    name: String,
    /// Where it really is, as the guest writes it.
    pub location: String,
}

/// What stands at a place.
pub(crate) struct Occupant {
    pub kind: Kind,
    pub device: u64,
    pub inode: u64,
}

impl Place {
    /// The place of a relative path beneath the base, which must not be the base itself.
    pub fn locate(base: &Base, below: &str) -> Result<Self, Miss> {
        let (parent, name) = below.rsplit_once('/').unwrap_or((".", below));
        let parent = Object::locate(base, parent, true)?;
        if parent.metadata.kind != Kind::Directory {
            return Err(FsError::NotDirectory.into());
        }
        let location = join(&parent.location, name);
        Ok(Self { parent, name: name.to_owned(), location })
    }

    pub fn parent(&self) -> &Object {
        &self.parent
    }

    /// Where it is now: the directory above may have been moved since.
    pub fn location_now(&self, base: &Base) -> Result<String, Miss> {
        Ok(join(&self.parent.location_now(base)?, &self.name))
    }

    /// Its path as the host writes it.
    pub fn real_path(&self) -> Option<String> {
        Some(join(&self.parent.real_path()?, &self.name))
    }

    pub fn is_same(&self, other: &Place) -> bool {
        let identity = |place: &Place| (place.parent.metadata.device, place.parent.metadata.inode);
        self.name == other.name && identity(self) == identity(other)
    }

    #[allow(clippy::unnecessary_cast)] // the widths of device and inode differ by platform
    pub fn occupant(&self) -> Result<Option<Occupant>, FsError> {
        match statat(self.parent.directory(), &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Occupant {
                kind: FileType::from_raw_mode(stat.st_mode).into(),
                device: stat.st_dev as u64,
                inode: stat.st_ino as u64,
            })),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a regular file, where nothing must be, not even a link.
    pub fn create_file(&self, flags: OFlags) -> Result<OwnedFd, FsError> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        Ok(openat(self.parent.directory(), &self.name, flags, mode)?)
    }

    pub fn create_directory(&self) -> Result<(), FsError> {
        Ok(mkdirat(self.parent.directory(), &self.name, Mode::RWXU | Mode::RWXG | Mode::RWXO)?)
    }

    pub fn remove_file(&self) -> Result<(), FsError> {
        Ok(unlinkat(self.parent.directory(), &self.name, AtFlags::empty())?)
    }

    pub fn remove_directory(&self) -> Result<(), FsError> {
        match unlinkat(self.parent.directory(), &self.name, AtFlags::REMOVEDIR) {
            // POSIX leaves the choice of the two.
            Err(rustix::io::Errno::EXIST) => Err(FsError::NotEmpty),
            done => Ok(done?),
        }
    }

    pub fn rename_to(&self, target: &Place) -> Result<(), FsError> {
        match renameat(self.parent.directory(), &self.name, target.parent.directory(), &target.name) {
            Err(rustix::io::Errno::EXIST) => Err(FsError::NotEmpty),
            done => Ok(done?),
        }
    }
}

fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}
