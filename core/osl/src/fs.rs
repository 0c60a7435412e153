//! The reading file system of one actor: one root `/`, each path routed to a granted directory.
//!
//! All calls block; callers run them on a pool for blocking work.

mod base;
mod error;
mod handle;
mod metadata;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod object;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "fs/object_portable.rs"]
mod object;
mod path;

use rustix::fs::{AtFlags, Dir, statat};

pub(crate) use base::Base;
pub use error::FsError;
pub use handle::FileHandle;
pub use metadata::{Kind, Metadata};

use crate::ask::Ask;
use crate::denial::DenialKind;
use crate::grant::Guard;
use crate::scope::Scope;
use crate::set::CapabilitySet;
use error::Miss;
use object::Object;
use path::{Fault, GuestPath};

/// Most entries that one listing gives.
pub const ENTRIES_MAX: usize = 100_000;

/// Opens, lists and describes files for the holder of a [`CapabilitySet`]; a clone is the same.
///
/// A path is the guest's: absolute, or taken from `/`. `.` and `..` are resolved on the text, before
/// any link is followed. Nothing on disk is looked at before a grant covers the path, and what was
/// opened must be covered by the same grant as well. Each call writes one audit record.
#[derive(Clone)]
pub struct Files {
    set: CapabilitySet,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A name that is not UTF-8 shows replacement characters, and cannot be opened.
    pub name: String,
    pub kind: Kind,
}

/// What is wanted of a path, before a grant is looked for.
struct Request<'a> {
    path: &'a str,
    /// A grant for any of them will do; the first names the request in a denial.
    asks: &'static [fn(String) -> Ask],
    follow: bool,
    function: &'a str,
}

/// Files that one actor may have open at once.
pub const OPEN_FILES_MAX: usize = 64;

impl Files {
    pub fn new(set: CapabilitySet) -> Self {
        Self { set }
    }

    /// Opens a regular file for reading; needs `fs.read` of it. Anything else is not even opened, so
    /// that a FIFO or a device neither blocks nor notices.
    pub fn open(&self, path: &str, function: &str) -> Result<FileHandle, FsError> {
        let request = Request { path, asks: &[Ask::FsRead], follow: true, function };
        self.reach(&request, |object, guard, capability| {
            match object.metadata.kind {
                Kind::File => {}
                Kind::Directory => return Err(FsError::IsDirectory.into()),
                kind => return Err(FsError::NotFile(kind).into()),
            }
            if self.set.open_count() >= OPEN_FILES_MAX as u64 {
                return Err(FsError::TooManyOpen { open_files_max: OPEN_FILES_MAX }.into());
            }
            let lease = guard.mint(object.open_file()?)?;
            Ok(FileHandle::new(lease, self.set.clone(), capability, function))
        })
    }

    /// The entries of a directory in the order of their names, without `.` and `..`; needs `fs.list`
    /// of the directory.
    pub fn list(&self, path: &str, function: &str) -> Result<Vec<Entry>, FsError> {
        let request = Request { path, asks: &[Ask::FsList], follow: true, function };
        self.reach(&request, |object, _, _| match object.metadata.kind {
            Kind::Directory => Ok(entries(object)?),
            _ => Err(FsError::NotDirectory.into()),
        })
    }

    /// Describes a file, a directory or, without `follow`, a symbolic link; needs `fs.read` or
    /// `fs.list` of it.
    pub fn metadata(&self, path: &str, follow: bool, function: &str) -> Result<Metadata, FsError> {
        let request = Request { path, asks: &[Ask::FsRead, Ask::FsList], follow, function };
        self.reach(&request, |object, _, _| Ok(object.metadata.clone()))
    }

    /// Finds the object under the grants that cover its path, one after the other, and acts on the
    /// first that all rules allow. An error that says something about the disk counts as allowed.
    fn reach<T>(
        &self,
        request: &Request<'_>,
        act: impl Fn(&Object, &Guard, &str) -> Result<T, Miss>,
    ) -> Result<T, FsError> {
        let Request { asks, function, .. } = request;
        let path = match GuestPath::parse(request.path) {
            Ok(path) => path,
            Err(Fault::Invalid(error)) => return Err(error),
            Err(Fault::Climbs) => {
                let text = asks[0](request.path.to_owned()).capability_text();
                let rule = Some("the path climbs above /".to_owned());
                return Err(self.set.deny(DenialKind::NotGranted, text, function, rule).into());
            }
        };
        let asks: Vec<Ask> = asks.iter().map(|ask| ask(path.text.clone())).collect();
        let text = asks[0].capability_text();
        let guards = match self.set.covering(&asks) {
            Ok(guards) => guards,
            Err(kind) => return Err(self.set.deny(kind, text, function, None).into()),
        };
        let mut failed = None;
        let mut refused = None;
        for guard in guards {
            match self.find(&guard, &path, request.follow).and_then(|object| act(&object, &guard, &text)) {
                Ok(found) => {
                    self.set.allow(&guard, text, function);
                    return Ok(found);
                }
                Err(Miss::Error(error)) => {
                    failed.get_or_insert((guard, error));
                }
                Err(Miss::Outside(why)) => {
                    refused.get_or_insert((DenialKind::NotGranted, format!("{}: {why}", guard.rule())));
                }
                Err(Miss::Ended(kind)) => {
                    refused.get_or_insert((kind, guard.rule().to_string()));
                }
            }
        }
        if let Some((guard, error)) = failed {
            self.set.allow(&guard, text, function);
            return Err(error);
        }
        let (kind, rule) = refused.expect("every grant that covers the path was tried, and one does");
        Err(self.set.deny(kind, text, function, Some(rule)).into())
    }

    /// Resolves the path under one grant and checks where that led.
    fn find(&self, guard: &Guard, path: &GuestPath, follow: bool) -> Result<Object, Miss> {
        let (Some(base), Scope::Path(pattern)) = (guard.base(), guard.capability().scope()) else {
            return Err(Miss::Ended(guard.alive().err().unwrap_or(DenialKind::Revoked)));
        };
        let below = base.below(&path.text);
        // As in POSIX: a slash at the end follows a link, and only a directory may stand before it.
        let follow = follow || path.directory;
        let object = Object::locate(&base, below, follow).map_err(|miss| match miss {
            // The error might describe what a link in the granted directory points to, and that may lie
            // outside the pattern. Only a grant of the whole directory may tell.
            Miss::Error(_)
                if !pattern.is_whole_below(base.depth()) && Object::crosses_link(&base, below, follow) =>
            {
                Miss::Outside("a link leads to nothing that can be checked".into())
            }
            miss => miss,
        })?;
        if !pattern.matches(&object.location) {
            return Err(Miss::Outside(format!(
                "what was opened is {}",
                crate::text::one_line(&object.location)
            )));
        }
        if self.set.audit().is_own_file(object.metadata.device, object.metadata.inode) {
            return Err(Miss::Outside("the audit log is denied to every actor".into()));
        }
        if path.directory && object.metadata.kind != Kind::Directory {
            return Err(FsError::NotDirectory.into());
        }
        Ok(object)
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
