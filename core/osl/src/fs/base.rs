use std::io;
use std::os::fd::AsFd;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt};

use crate::capability::Capability;
use crate::path_pattern::PathPattern;
use crate::scope::Scope;

/// The directory a file grant holds open: the deepest one in the literal part of its pattern that
/// existed when the grant was given.
///
/// Links in that part were followed then, by the host's own authority. Everything below is resolved
/// beneath the handle, so a link or a directory that takes its place later changes nothing.
pub(crate) struct Base {
    dir: Dir,
    /// How many parts of a guest's path lead to it.
    depth: usize,
    /// Its path as the guest writes it; empty for `/`.
    guest: String,
}

impl Base {
    /// That of a grant of files; the error says why there is none.
    pub fn of(capability: &Capability) -> Result<Option<Self>, String> {
        let Scope::Path(pattern) = capability.scope() else { return Ok(None) };
        let opened = Self::open(pattern, capability.name() == "fs.delete");
        opened.map(Some).map_err(|error| format!("no directory of it can be opened: {error}"))
    }

    /// With `above`, a pattern of one path opens at most the directory above it, from where that one
    /// can be removed.
    fn open(pattern: &PathPattern, above: bool) -> io::Result<Self> {
        let prefix = pattern.literal_prefix();
        let mut depth = prefix.len();
        if above && pattern.exact().is_some() {
            depth = depth.saturating_sub(1);
        }
        loop {
            let guest: String = prefix[..depth].iter().flat_map(|part| ["/", part]).collect();
            let path = if guest.is_empty() { "/" } else { &guest };
            match Dir::open_ambient_dir(path, ambient_authority()) {
                Ok(dir) => return Ok(Self { dir, depth, guest }),
                Err(error) if depth > 0 && is_absent(&error) => depth -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    pub fn device(&self) -> io::Result<u64> {
        self.dir.dir_metadata().map(|metadata| metadata.dev())
    }

    /// Where it lies now, by the names of the host.
    pub fn real_path(&self) -> Option<String> {
        super::real_path(self.dir.as_fd())
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    /// What remains of a normal path that the grant's pattern covers; `.` for the base itself.
    pub fn below<'a>(&self, path: &'a str) -> &'a str {
        // The pattern begins with the base's parts, so each path that it covers does too.
        match path[self.guest.len()..].trim_start_matches('/') {
            "" => ".",
            below => below,
        }
    }

    /// The guest's path of what lies at `below`, a relative path, or empty for the base itself.
    pub fn guest_path(&self, below: &str) -> String {
        match (self.guest.as_str(), below) {
            ("", "") => "/".to_owned(),
            (guest, "") => guest.to_owned(),
            (guest, below) => format!("{guest}/{below}"),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}
