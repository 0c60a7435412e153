//! How files are opened, and what is made of that.

use std::fs::File;

use crate::fs::call::{Call, Stop, Under};
use crate::fs::error::Miss;
use crate::fs::handle::{FileHandle, Held};
use crate::fs::needs::{Act, Need};
use crate::fs::{Files, FsError, Kind, Metadata, OpenOptions};
use crate::resources::{Permit, Resource};

/// How often a file is looked for that others make and remove meanwhile.
const ATTEMPTS_MAX: usize = 8;

/// What was opened under one grant.
struct Opened {
    held: Held,
    metadata: Metadata,
}

impl Files {
    /// Opens a regular file for reading; needs `fs.read` of it. Anything else is not even opened, so
    /// that a FIFO or a device neither blocks nor notices.
    pub fn open(&self, path: &str, function: &str) -> Result<FileHandle, FsError> {
        self.open_with(path, OpenOptions::READ, function)
    }

    /// The same with options: reading needs `fs.read`, all else `fs.write`. A link at the end of the path
    /// is followed to an existing file, and never to a new one.
    pub fn open_with(&self, path: &str, options: OpenOptions, function: &str) -> Result<FileHandle, FsError> {
        options.check()?;
        self.call(function, |call| {
            let (handle, _) = call.open(path, options)?;
            if options.truncate {
                handle.set_len(0)?;
            }
            Ok(handle)
        })
    }

    /// The whole content of a file that has at most `bytes_max` bytes.
    pub fn read_all(&self, path: &str, bytes_max: u64, function: &str) -> Result<Vec<u8>, FsError> {
        const STEP_BYTES: usize = 65_536;
        let (file, Metadata { size, .. }) = self.call(function, |call| call.open(path, OpenOptions::READ))?;
        if size > bytes_max {
            return Err(FsError::TooLarge { bytes_max });
        }
        let mut content = Vec::new();
        content
            .try_reserve_exact(usize::try_from(size).map_err(|_| FsError::TooLarge { bytes_max })?)
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::OutOfMemory))?;
        loop {
            // Not by its size alone: a file may grow meanwhile, and those of /proc have none.
            let filled = content.len();
            let room = (size as usize).saturating_sub(filled).clamp(1, STEP_BYTES).max(512);
            content.resize(filled + room, 0);
            let read = file.read_at(&mut content[filled..], filled as u64)?;
            content.truncate(filled + read);
            if content.len() as u64 > bytes_max {
                return Err(FsError::TooLarge { bytes_max });
            }
            if read == 0 {
                return Ok(content);
            }
        }
    }

    /// Makes the content of a file these bytes, whether it exists or not.
    pub fn write_all(&self, path: &str, content: &[u8], function: &str) -> Result<(), FsError> {
        self.open_with(path, OpenOptions::REWRITE, function)?.write_all_at(content, 0)
    }
}

impl Call<'_> {
    /// Opens a file, and says what it was like before; it is not emptied yet.
    pub fn open(&mut self, path: &str, options: OpenOptions) -> Result<(FileHandle, Metadata), Stop> {
        let ([read], [write]) = (Act::Read.needs().0, Act::Write.needs().0) else {
            unreachable!("reading and writing have one need each")
        };
        if !options.writes() {
            let opened = self.reach(path, *read, |under| under.open_to_read(options))?;
            return Ok((self.handle(vec![opened.held], options), opened.metadata));
        }
        if options.read {
            // So that nothing is made for one who may not read it.
            self.covering(path, *read)?;
        }
        let opened = self.reach(path, *write, |under| under.open_to_write(options))?;
        let mut held = vec![opened.held];
        if options.read {
            held.push(self.hold_to_read((path, options), *read, &held[0], &opened.metadata)?);
        }
        Ok((self.handle(held, options), opened.metadata))
    }

    /// Ties what was opened to a grant that covers reading it.
    fn hold_to_read(
        &mut self,
        (path, options): (&str, OpenOptions),
        need: Need,
        held: &Held,
        metadata: &Metadata,
    ) -> Result<Held, Stop> {
        self.reach(path, need, |under| {
            let object = under.file(!options.no_follow)?;
            let found = &object.metadata;
            if (found.device, found.inode) != (metadata.device, metadata.inode) {
                return Err(Miss::Outside("under another grant the path leads elsewhere".into()));
            }
            Ok(Held { lease: under.guard.share(&held.lease)?, capability: under.text.to_owned() })
        })
    }

    fn handle(&self, held: Vec<Held>, options: OpenOptions) -> FileHandle {
        let Files { set, quota, .. } = self.files;
        FileHandle::new(held, options, set.clone(), quota.clone(), self.function)
    }
}

impl Under<'_> {
    fn open_to_read(&self, options: OpenOptions) -> Result<Opened, Miss> {
        let object = self.file(!options.no_follow)?;
        let permit = self.permit_open()?;
        self.begin("open");
        let fd = object.open_file(self.base(), options.flags())?;
        self.opened(fd, object.metadata, permit)
    }

    fn open_to_write(&self, options: OpenOptions) -> Result<Opened, Miss> {
        for _ in 0..ATTEMPTS_MAX {
            match if options.create_new {
                Err(FsError::NotFound.into())
            } else {
                self.file(!options.no_follow)
            } {
                Ok(object) => {
                    self.permit_writing(&object)?;
                    let permit = self.permit_open()?;
                    self.begin("open");
                    let fd = object.open_file(self.base(), options.flags())?;
                    return self.opened(fd, object.metadata, permit);
                }
                Err(Miss::Error(FsError::NotFound)) if options.creates() => {}
                Err(miss) => return Err(miss),
            }
            match self.make(options) {
                // Somebody else was faster; then that one is opened.
                Err(Miss::Error(FsError::AlreadyExists)) if !options.create_new => {}
                done => return done,
            }
        }
        Err(FsError::AlreadyExists.into())
    }

    /// Makes the file and checks where that was, before anything is written.
    fn make(&self, options: OpenOptions) -> Result<Opened, Miss> {
        if self.is_base() || self.wants_directory() {
            return Err(FsError::IsDirectory.into());
        }
        let place = self.place()?;
        let permit = self.permit_open()?;
        self.begin("create");
        let fd = match place.create_file(options.flags()) {
            Err(FsError::AlreadyExists)
                if place.occupant()?.is_some_and(|found| found.kind == Kind::Symlink) =>
            {
                return Err(match options.create_new {
                    true => FsError::AlreadyExists.into(),
                    // Made would be what the link leads to.
                    false => FsError::NotFile(Kind::Symlink).into(),
                });
            }
            done => File::from(done?),
        };
        let metadata = Metadata::from(&fd.metadata().map_err(FsError::from)?);
        self.permit_place_now(&place).inspect_err(|_| drop(place.remove_file()))?;
        self.opened(fd.into(), metadata, permit)
    }

    fn opened(&self, fd: std::os::fd::OwnedFd, metadata: Metadata, permit: Permit) -> Result<Opened, Miss> {
        let held = Held { lease: self.guard.mint(fd, permit)?, capability: self.text.to_owned() };
        Ok(Opened { held, metadata })
    }

    fn permit_open(&self) -> Result<Permit, FsError> {
        self.files.resources.try_acquire(Resource::File).map_err(FsError::TooManyOpen)
    }
}
