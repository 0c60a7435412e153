//! What a path led to, on Linux: held by an `O_PATH` descriptor, which opens nothing, until its kind and
//! place are known.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, Timestamps, fstat, open, openat, openat2, readlink,
    statx, utimensat,
};

use crate::fs::error::Miss;
use crate::fs::{Base, FsError, Metadata};

pub(crate) struct Object {
    file: File,
    /// The path below the base that led to it without a link.
    plain: Option<String>,
    /// Where it really is, as the guest writes it.
    pub location: String,
    pub metadata: Metadata,
}

/// How often a path is walked anew that others change meanwhile.
const ATTEMPTS_MAX: usize = 16;
const WITHOUT_LINKS: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
const DELETED: &str = " (deleted)";

impl Object {
    /// Resolves a relative path beneath the base; no link leads out of it.
    pub fn locate(base: &Base, below: &str, follow: bool) -> Result<Self, Miss> {
        if let Some(found) = open_without_links(base, below, follow) {
            // Each name on the way was that of a directory, so it lies where the path says.
            let file = found.map_err(FsError::from)?;
            let metadata = Metadata::from(&file.metadata().map_err(FsError::from)?);
            let location = base.guest_path(if below == "." { "" } else { below });
            return Ok(Self { file, plain: Some(below.to_owned()), location, metadata });
        }
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
        Ok(Self { file, plain: None, location, metadata })
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

    /// Where it is now, beneath the same base.
    pub fn location_now(&self, base: &Base) -> Result<String, Miss> {
        locate_fd(base, self.file.as_fd(), &self.metadata)
    }

    /// Its path as the host writes it.
    pub fn real_path(&self) -> Option<String> {
        real_path(self.file.as_fd())
    }

    /// Whether it lies on the mount that the base lies on, or, where the kernel does not number mounts, on
    /// the same device.
    pub fn is_on_mount_of(&self, base: &Base) -> bool {
        match (mount(self.file.as_fd()), mount(base.dir().as_fd())) {
            (Some(own), Some(of_base)) => own == of_base,
            _ => base.device().is_ok_and(|device| device == self.metadata.device),
        }
    }

    /// Opens this very object. Only for a regular file.
    pub fn open_file(&self, base: &Base, flags: OFlags) -> Result<OwnedFd, FsError> {
        if let Some(fd) = self.plain.as_deref().and_then(|below| self.open_plain(base, below, flags)) {
            return Ok(fd);
        }
        // The name stands for the descriptor, whatever has happened to the path since; it is a link by nature.
        Ok(open(proc_name(self.file.as_fd()), flags - OFlags::NOFOLLOW, Mode::empty())?)
    }

    /// The same by its path, which takes half the time; none if another file stands there by now.
    #[allow(clippy::unnecessary_cast)] // the widths of device and inode differ by platform
    fn open_plain(&self, base: &Base, below: &str, flags: OFlags) -> Option<OwnedFd> {
        let fd = openat2(base.dir(), below, flags, Mode::empty(), WITHOUT_LINKS).ok()?;
        let found = fstat(&fd).ok()?;
        ((found.st_dev as u64, found.st_ino as u64) == (self.metadata.device, self.metadata.inode))
            .then_some(fd)
    }

    pub fn open_directory(&self) -> Result<OwnedFd, FsError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.file, ".", flags, Mode::empty())?)
    }

    /// Only for a regular file or a directory.
    pub fn set_times(&self, times: &Timestamps) -> Result<(), FsError> {
        Ok(utimensat(CWD, proc_name(self.file.as_fd()), times, AtFlags::empty())?)
    }

    pub fn directory(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// One call of the kernel does it where no link is met; none where one is, or where the kernel lacks the
/// call, refuses it, or met a rename meanwhile.
fn open_without_links(base: &Base, below: &str, follow: bool) -> Option<rustix::io::Result<File>> {
    use rustix::io::Errno;
    let nofollow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::PATH | OFlags::CLOEXEC | nofollow;
    match openat2(base.dir(), below, flags, Mode::empty(), WITHOUT_LINKS) {
        Ok(fd) => Some(Ok(File::from(fd))),
        Err(error @ (Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::NAMETOOLONG)) => Some(Err(error)),
        Err(_) => None,
    }
}

/// The general way, through links, with or without the kernel's help.
fn open_beneath(base: &Base, below: &str) -> Result<File, Miss> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::PATH.bits() as i32);
    let mut attempts = ATTEMPTS_MAX;
    loop {
        attempts -= 1;
        match base.dir().open_with(below, &options) {
            Ok(file) => return Ok(file.into_std()),
            // What was a link was one no more when it was to be read.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput && attempts > 0 => {}
            // cap-std's own error, without a number, for a path that leaves the directory.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() =>
            {
                return Err(Miss::Outside("a link leads out of the granted directory".into()));
            }
            Err(error) => return Err(Miss::Error(error.into())),
        }
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

fn mount(fd: BorrowedFd<'_>) -> Option<u64> {
    let found = statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
}

pub(crate) fn real_path(fd: BorrowedFd<'_>) -> Option<String> {
    let path = readlink(proc_name(fd), Vec::new()).ok()?.into_string().ok()?;
    path.starts_with('/').then_some(path)
}

pub(crate) fn proc_name(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
