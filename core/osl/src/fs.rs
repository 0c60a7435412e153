//! The file system of one actor: one root `/`, each path routed to a granted directory.
//!
//! All calls block; callers run them on a pool for blocking work. Nothing is ever mapped into memory:
//! content is read and written at offsets, into and from the caller's buffers.
//!
//! | operation | of the path | of the second path |
//! |---|---|---|
//! | open to read, `read_all` | `fs.read` |  |
//! | open to write, append, create or truncate, `write_all` | `fs.write` |  |
//! | `list` | `fs.list` |  |
//! | `metadata` | `fs.read` or `fs.list` |  |
//! | `set_times` | `fs.write` |  |
//! | `create_directory` | `fs.write` |  |
//! | `remove_file` | `fs.delete` |  |
//! | `remove_directory` | `fs.delete` |  |
//! | `rename` | `fs.read` and `fs.delete` | `fs.write` |
//! | `copy` | `fs.read` | `fs.write` |
//!
//! Once all is decided about what a call acts on, its start is recorded, and its result with the time it took; what a
//! call only looks at, or needs besides, has one record of the check.
//!
//! Different grants may meet several needs of one call; a handle open under two is cut by the end of
//! either. Beyond the table:
//! - `fs.write` replaces the file that a rename ends at, as a truncation would; a directory there must be
//!   empty. A directory moves only under grants of all that lies below it, old and new.
//! - What was opened, made or moved must be covered where it really lies, not only as it was asked for.
//! - A link at the end of a path is followed to what exists, and never to make, move or remove something.
//! - No link is ever made, neither hard nor symbolic, and a symbolic one is not renamed.
//! - A file with several names is read, but not written: another name of it may lie outside of the grant.
//! - The host's own files ([`Protected`](crate::Protected)) are out of reach of every operation. The
//!   directory above them may be listed, and not moved.
//! - A ban holds for the place as it is written, for where that really lies, and for what links in the path of the ban
//!   led to when it was put in force; one of a file without wildcards, for the file under its other names too.
//! - A mount below a granted directory is part of it, unless
//!   [`stay_on_device`](Files::stay_on_device) says otherwise.

mod append;
mod at_hand;
mod base;
mod call;
mod change;
mod copy;
mod error;
mod handle;
mod metadata;
mod needs;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod object;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "fs/object_portable.rs"]
mod object;
mod open;
mod options;
mod path;
mod place;
mod quota;
mod times;

use rustix::fs::{AtFlags, Dir, statat};

pub(crate) use base::Base;
pub use error::FsError;
pub use handle::FileHandle;
pub use metadata::{Kind, Metadata};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use object::proc_name;
pub(crate) use object::real_path;
pub use options::OpenOptions;
pub(crate) use path::climbs;
pub use times::SetTime;

use crate::resources::{Permit, Resources};
use crate::set::CapabilitySet;
use needs::Act;
use object::Object;
use quota::Quota;

/// Most entries that one listing gives.
pub const ENTRIES_MAX: usize = 100_000;

/// Does what the table says for the holder of a [`CapabilitySet`]; a clone is the same.
///
/// A path is the guest's: absolute, or taken from `/`. `.` and `..` are resolved on the text, before
/// any link is followed. Nothing on disk is looked at before a grant covers the path, and what was
/// opened must be covered by the same grant as well. Each call writes one audit record when it is denied,
/// and otherwise one for each need.
#[derive(Clone)]
pub struct Files {
    set: CapabilitySet,
    quota: Quota,
    one_device: bool,
    resources: Resources,
}

/// Bytes that count as written, unless it turns out that they were not.
pub struct Written {
    quota: Quota,
    bytes: u64,
}

impl Written {
    /// Nothing was written: they count no more.
    pub fn give_back(self) {
        self.quota.give_back(self.bytes);
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A name that is not UTF-8 shows replacement characters, and cannot be opened.
    pub name: String,
    pub kind: Kind,
}

impl Files {
    /// With the default [`Resources`] of an actor that is alone.
    pub fn new(set: CapabilitySet) -> Self {
        Self { set, quota: Quota::default(), one_device: false, resources: Resources::default() }
    }

    /// The same, whose open files count on these resources.
    pub fn with_resources(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }

    /// The same, whose next open file counts as what the permit was taken for.
    pub fn with_permit(self, permit: Permit) -> Self {
        Self { resources: self.resources.with_permit(permit), ..self }
    }

    /// The same with a limit on the bytes that it and its clones write in all, counted from now. A byte
    /// that a file grows by counts too; one that is overwritten or removed later is not given back.
    pub fn with_write_bytes_max(self, write_bytes_max: u64) -> Self {
        Self { quota: Quota::new(write_bytes_max), ..self }
    }

    /// The same, but what lies on another mount than the directory its grant begins at is out of reach.
    pub fn stay_on_device(self) -> Self {
        Self { one_device: true, ..self }
    }

    /// Bytes that count on the limit so far; 0 without one.
    pub fn write_bytes_used(&self) -> u64 {
        self.quota.bytes_used()
    }

    /// Counts bytes that are written elsewhere than to a file on the same limit: all or, if they are too many, none.
    pub fn count_written(&self, bytes: u64) -> Result<Written, FsError> {
        self.quota.take(bytes)?.keep(bytes);
        Ok(Written { quota: self.quota.clone(), bytes })
    }

    /// The entries of a directory in the order of their names, without `.` and `..`; needs `fs.list`
    /// of the directory.
    pub fn list(&self, path: &str, function: &str) -> Result<Vec<Entry>, FsError> {
        self.one(path, Act::List, function, |under| {
            let object = under.object(true)?;
            match object.metadata.kind {
                Kind::Directory => {
                    under.begin("list");
                    Ok(entries(&object)?)
                }
                _ => Err(FsError::NotDirectory.into()),
            }
        })
    }

    /// Describes a file, a directory or, without `follow`, a symbolic link; needs `fs.read` or
    /// `fs.list` of it.
    pub fn metadata(&self, path: &str, follow: bool, function: &str) -> Result<Metadata, FsError> {
        self.one(path, Act::Metadata, function, |under| Ok(under.object(follow)?.metadata))
    }

    fn set(&self) -> &CapabilitySet {
        &self.set
    }

    fn stays_on_device(&self) -> bool {
        self.one_device
    }
}

fn entries(object: &Object) -> Result<Vec<Entry>, FsError> {
    let mut entries = Vec::new();
    for entry in Dir::new(object.open_directory()?)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if entries.len() == ENTRIES_MAX {
            return Err(FsError::TooManyEntries { entries_max: ENTRIES_MAX });
        }
        let mut kind = Kind::from(entry.file_type());
        if kind == Kind::Unknown {
            // Not every file system says so in the listing. A name that has gone meanwhile stays unknown.
            let stat = statat(object.directory(), name, AtFlags::SYMLINK_NOFOLLOW);
            kind = stat.map_or(kind, |stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).into());
        }
        entries.push(Entry { name: name.to_string_lossy().into_owned(), kind });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
