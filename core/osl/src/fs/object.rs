//! What a path led to, on Linux: held by an `O_PATH` descriptor, which opens nothing, until its kind and
//! place are known.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::{Mode, OFlags, open, openat, readlink};

use crate::fs::error::Miss;
use crate::fs::{Base, FsError, Metadata};

pub(crate) struct Object {
    file: File,
    /// Where it really is, as the guest writes it.
    pub location: String,
    pub metadata: Metadata,
}

const DELETED: &str = " (deleted)";

impl Object {
    /// Resolves a relative path beneath the base; no link leads out of it.
    pub fn locate(base: &Base, below: &str, follow: bool) -> Result<Self, Miss> {
        let file = match below.rsplit_once('/').unwrap_or((".", below)) {
            (parent, name) if !follow && name != "." => {
                let parent = open_beneath(base, parent)?;
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                File::from(openat(&parent, name, flags, Mode::empty()).map_err(FsError::from)?)
            }
            _ => open_beneath(base, below)?,
        };
        let metadata = Metadata::from(&file.metadata().map_err(FsError::from)?);
        let location = locate_fd(base, file.as_fd(), &metadata)?;
        Ok(Self { file, location, metadata })
    }

    /// Whether some part of the path that resolving follows is a symbolic link.
    pub fn crosses_link(base: &Base, below: &str, follow: bool) -> bool {
        let parts: Vec<&str> = below.split('/').collect();
        let followed = if follow { parts.len() } else { parts.len() - 1 };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut directory: Option<File> = None;
        for part in &parts[..followed] {
            let at = directory.as_ref().map_or(base.dir().as_fd(), AsFd::as_fd);
            let Ok(fd) = openat(at, *part, flags, Mode::empty()) else { return false };
            let file = File::from(fd);
            if file.metadata().is_ok_and(|metadata| metadata.is_symlink()) {
                return true;
            }
            directory = Some(file);
        }
        false
    }

    /// Opens this very object for reading. Only for a regular file.
    pub fn open_file(&self) -> Result<OwnedFd, FsError> {
        // The name stands for the descriptor, whatever has happened to the path since.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(open(proc_name(self.file.as_fd()), flags, Mode::empty())?)
    }

    pub fn open_directory(&self) -> Result<OwnedFd, FsError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.file, ".", flags, Mode::empty())?)
    }

    pub fn directory(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn open_beneath(base: &Base, below: &str) -> Result<File, Miss> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::PATH.bits() as i32);
    match base.dir().open_with(below, &options) {
        Ok(file) => Ok(file.into_std()),
        // cap-std's own error, without a number, for a path that leaves the directory.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() => {
            Err(Miss::Outside("a link leads out of the granted directory".into()))
        }
        Err(error) => Err(Miss::Error(error.into())),
    }
}

/// Where the object is in relation to the base, asked of the kernel: both names move along with a
/// rename of a directory above them. Without a usable `/proc` nothing is opened.
fn locate_fd(base: &Base, object: BorrowedFd<'_>, metadata: &Metadata) -> Result<String, Miss> {
    let unknown = || Miss::Outside("where it lies cannot be told from /proc".into());
    let base_path = real_path(base.dir().as_fd()).ok_or_else(unknown)?;
    let path = real_path(object).ok_or_else(unknown)?;
    let below = match path.strip_prefix(base_path.trim_end_matches('/')) {
        Some("") => "",
        Some(below) => below.strip_prefix('/').ok_or_else(unknown)?,
        None => return Err(unknown()),
    };
    // The kernel marks a removed object by a suffix that may just as well be part of a name.
    if below.ends_with(DELETED) && !is_at(base, below, metadata) {
        return Err(FsError::NotFound.into());
    }
    Ok(base.guest_path(below))
}

fn is_at(base: &Base, below: &str, metadata: &Metadata) -> bool {
    use cap_std::fs::MetadataExt;
    let found = base.dir().symlink_metadata(below);
    found.is_ok_and(|found| (found.dev(), found.ino()) == (metadata.device, metadata.inode))
}

fn real_path(fd: BorrowedFd<'_>) -> Option<String> {
    let path = readlink(proc_name(fd), Vec::new()).ok()?.into_string().ok()?;
    path.starts_with('/').then_some(path)
}

fn proc_name(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
