//! What changes names and times.

use crate::denial::{DenialKind, Refusal};
use crate::fs::call::{Stop, Under};
use crate::fs::error::Miss;
use crate::fs::needs::Act;
use crate::fs::place::{Occupant, Place};
use crate::fs::{FileHandle, Files, FsError, Kind, Metadata, SetTime, times};

impl Files {
    /// Makes a directory; the one above it must exist. Needs `fs.write`.
    pub fn create_directory(&self, path: &str, function: &str) -> Result<(), FsError> {
        self.one(path, Act::CreateDirectory, function, |under| {
            if under.is_base() {
                return Err(FsError::AlreadyExists.into());
            }
            let place = under.place()?;
            under.begin("create_directory");
            place.create_directory()?;
            under.permit_place_now(&place).inspect_err(|_| drop(place.remove_directory()))
        })
    }

    /// Removes a name of anything but a directory; of a link the link itself. Needs `fs.delete`.
    pub fn remove_file(&self, path: &str, function: &str) -> Result<(), FsError> {
        self.one(path, Act::RemoveFile, function, |under| {
            let place = under.place()?;
            let occupant = occupant(under, &place)?;
            match occupant.kind {
                Kind::Directory => Err(FsError::IsDirectory.into()),
                _ if under.wants_directory() => Err(FsError::NotDirectory.into()),
                _ => {
                    under.begin("remove");
                    Ok(place.remove_file()?)
                }
            }
        })
    }

    /// Removes an empty directory, but not the one that a grant begins at. Needs `fs.delete`.
    pub fn remove_directory(&self, path: &str, function: &str) -> Result<(), FsError> {
        self.one(path, Act::RemoveDirectory, function, |under| {
            let place = under.place()?;
            match occupant(under, &place)?.kind {
                Kind::Directory => {
                    under.begin("remove");
                    Ok(place.remove_directory()?)
                }
                _ => Err(FsError::NotDirectory.into()),
            }
        })
    }

    /// Gives a regular file or a directory another name, which replaces a regular file or an empty
    /// directory there. Needs `fs.read` and `fs.delete` of the old and `fs.write` of the new name; for a
    /// directory the three must cover all that lies below it.
    pub fn rename(&self, from: &str, to: &str, function: &str) -> Result<(), FsError> {
        let (of_source, of_target) = Act::Rename.needs();
        self.call(function, |call| {
            call.cover(Act::Rename, from, to)?;
            let mut source: Option<(Place, Kind)> = None;
            for need in of_source {
                let found = call.reach(from, *need, |under| {
                    let place = under.place()?;
                    let kind = movable(under, &place)?;
                    if source.as_ref().is_some_and(|(other, _)| !other.is_same(&place)) {
                        return Err(Miss::Outside("under another grant the path leads elsewhere".into()));
                    }
                    Ok((place, kind))
                })?;
                source = Some(found);
            }
            let (source, kind) = source.expect("a rename needs something of its source");
            for need in of_target {
                call.reach(to, *need, |under| {
                    let place = under.place()?;
                    replaceable(under, &place, kind)?;
                    under.begin("rename");
                    Ok(source.rename_to(&place)?)
                })?;
            }
            Ok(())
        })
    }

    /// Sets the times of a regular file or a directory. Needs `fs.write`.
    pub fn set_times(
        &self,
        path: &str,
        accessed: SetTime,
        modified: SetTime,
        function: &str,
    ) -> Result<(), FsError> {
        self.set_times_of(path, true, (accessed, modified), function)
    }

    /// The same; without `follow` a link at the end of the path is refused, for its own times stay.
    pub fn set_times_of(
        &self,
        path: &str,
        follow: bool,
        (accessed, modified): (SetTime, SetTime),
        function: &str,
    ) -> Result<(), FsError> {
        self.stamp(path, follow, None, times::timestamps(accessed, modified)?, function)
    }

    /// The same for a file that was opened to be read alone, by the path of that time. Needs `fs.write` of it there;
    /// `NotFound` if something else stands there by now.
    pub fn set_times_opened(
        &self,
        file: &FileHandle,
        path: &str,
        (accessed, modified): (SetTime, SetTime),
        function: &str,
    ) -> Result<(), FsError> {
        let opened = file.metadata()?;
        self.stamp(path, true, Some(&opened), times::timestamps(accessed, modified)?, function)
    }

    fn stamp(
        &self,
        path: &str,
        follow: bool,
        opened: Option<&Metadata>,
        times: times::Timestamps,
        function: &str,
    ) -> Result<(), FsError> {
        self.one(path, Act::SetTimes, function, |under| {
            let object = under.object(follow)?;
            let found = (object.metadata.device, object.metadata.inode);
            if opened.is_some_and(|opened| (opened.device, opened.inode) != found) {
                return Err(FsError::NotFound.into());
            }
            match object.metadata.kind {
                Kind::File | Kind::Directory => {}
                kind => return Err(FsError::NotFile(kind).into()),
            }
            under.permit_writing(&object)?;
            under.begin("set_times");
            Ok(object.set_times(&times)?)
        })
    }

    /// Why no link, hard or symbolic, is made there: it would bring a file under another grant. Recorded as
    /// a denial, or as an error where `fs.write` is not granted either.
    pub fn refuse_link(&self, path: &str, function: &str) -> FsError {
        let [need] = Act::Write.needs().0 else { return FsError::NoLinks };
        let refused = self.call(function, |call| -> Result<(), Stop> {
            call.covering(path, *need)?;
            Ok(())
        });
        match refused {
            Err(error) => error,
            Ok(()) => {
                let text = crate::ask::Ask::FsWrite(path.to_owned()).capability_text();
                let refusal = Refusal::because(DenialKind::NotGranted, "links are never made");
                self.set().deny(refusal, text, function);
                FsError::NoLinks
            }
        }
    }

    /// An operation with one path and one need.
    pub(super) fn one<T>(
        &self,
        path: &str,
        act: Act,
        function: &str,
        run: impl Fn(&Under<'_>) -> Result<T, Miss>,
    ) -> Result<T, FsError> {
        let ([need], []) = act.needs() else { unreachable!("{act:?} has one need") };
        self.call(function, |call| call.reach(path, *need, run))
    }
}

/// What stands there, if it is not the library's own.
fn occupant(under: &Under<'_>, place: &Place) -> Result<Occupant, Miss> {
    let found = place.occupant()?.ok_or(FsError::NotFound)?;
    under.permit_identity(place, found.device, found.inode)?;
    if found.kind == Kind::Directory {
        under.permit_moving(place)?;
    }
    Ok(found)
}

/// The kind of what stands there, if it may go from there. A symbolic link may not: at another place it
/// would be a new one.
fn movable(under: &Under<'_>, place: &Place) -> Result<Kind, Miss> {
    match occupant(under, place)?.kind {
        Kind::Directory => {
            under.permit_whole(place)?;
            Ok(Kind::Directory)
        }
        _ if under.wants_directory() => Err(FsError::NotDirectory.into()),
        Kind::File => Ok(Kind::File),
        kind => Err(FsError::NotFile(kind).into()),
    }
}

/// Whether what stands there, if anything, may give way to something of this kind.
fn replaceable(under: &Under<'_>, place: &Place, kind: Kind) -> Result<(), Miss> {
    if kind == Kind::Directory {
        under.permit_whole(place)?;
    } else if under.wants_directory() {
        return Err(FsError::NotDirectory.into());
    }
    let Some(found) = place.occupant()? else { return Ok(()) };
    under.permit_identity(place, found.device, found.inode)?;
    match (kind, found.kind) {
        (Kind::File, Kind::File) | (Kind::Directory, Kind::Directory) => Ok(()),
        (Kind::File, Kind::Directory) => Err(FsError::IsDirectory.into()),
        (Kind::Directory, Kind::File) => Err(FsError::NotDirectory.into()),
        (_, kind) => Err(FsError::NotFile(kind).into()),
    }
}
