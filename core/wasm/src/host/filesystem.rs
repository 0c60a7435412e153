//! `wasi:filesystem` over osl: one synthetic root; each path operation asks the live grants.

use airssys_osl::{FileHandle, Files, FsError, Kind, Metadata, OpenOptions};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Descriptor as Theirs, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

use super::descriptor::{
    Descriptor, Entries, Handle, code, entries, hash, new_time, push, stat, synthetic_stat,
};
use super::opening::{self, Opening};
use super::sink::{FileSink, Place};
use super::state::State;
use super::stream::FileStream;
use super::turns::{self, Means};

/// Bytes of one `descriptor.read` at most.
const READ_BYTES_MAX: u64 = 64 << 10;
const OPEN_AT: &str = "wasi:filesystem/types#[method]descriptor.open-at";

impl State {
    fn descriptor(&self, fd: &Resource<Theirs>) -> FsResult<Descriptor> {
        Ok(self.table.get::<Descriptor>(&fd.ours())?.clone())
    }

    fn at(&self, fd: &Resource<Theirs>, path: &str) -> FsResult<String> {
        Ok(self.descriptor(fd)?.join(path)?)
    }

    /// Runs a blocking operation of osl away from the worker; a denial is noted.
    async fn blocking<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&Files) -> Result<T, FsError> + Send + 'static,
    ) -> FsResult<T> {
        let files = self.files.clone();
        let turn = self.grounds.access.turns.take().await;
        let done = turns::end(&mut turns::begin(turn, move || run(&files))).await;
        done.map_err(|error| self.code(&error).into())
    }

    /// The guest's code of an error; a denial is noted.
    fn code(&self, error: &FsError) -> ErrorCode {
        if let FsError::Denied(denial) = error {
            self.refusals.note(denial);
        }
        code(error)
    }

    async fn metadata(&mut self, path: String, follow: bool, function: &'static str) -> FsResult<Metadata> {
        self.blocking(move |files| files.metadata(&path, follow, function)).await
    }

    async fn open_directory(
        &mut self,
        path: String,
        (follow, write): (bool, bool),
        flags: DescriptorFlags,
    ) -> FsResult<Descriptor> {
        let found = self.metadata(path.clone(), follow, OPEN_AT).await?;
        match found.kind {
            Kind::Directory if write => Err(ErrorCode::IsDirectory.into()),
            Kind::Directory => Ok(Descriptor::Dir(path, flags)),
            _ => Err(ErrorCode::NotDirectory.into()),
        }
    }

    async fn open_file(&mut self, path: String, options: OpenOptions) -> FsResult<Descriptor> {
        let wanted = path.clone();
        let file = self.blocking(move |files| files.open_with(&wanted, options, OPEN_AT)).await?;
        Ok(Descriptor::File(path, file))
    }

    async fn open_any(
        &mut self,
        path: String,
        options: OpenOptions,
        flags: DescriptorFlags,
    ) -> FsResult<Descriptor> {
        let wanted = path.clone();
        let opened = self
            .blocking(move |files| match files.open_with(&wanted, options, OPEN_AT) {
                Ok(file) => Ok(Some(file)),
                Err(FsError::IsDirectory) => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        Ok(match opened {
            Some(file) => Descriptor::File(path, file),
            None => Descriptor::Dir(path, flags),
        })
    }

    /// What a stream needs of this state.
    fn means(&self) -> Means {
        (self.grounds.access.turns.clone(), self.refusals.clone())
    }

    fn sink(&mut self, file: FileHandle, place: Place) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(FileSink::new(file, place, self.means()));
        Ok(self.table.push(stream)?)
    }

    /// Links, hard or symbolic, are never made: `not-permitted` where `fs.write` is granted, else denied.
    async fn refuse_link(&mut self, path: String, function: &'static str) -> FsResult<()> {
        self.blocking(move |files| Err(files.refuse_link(&path, function))).await
    }
}

impl preopens::Host for State {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Theirs>, String)>> {
        let root = push(&mut self.table, Descriptor::Dir("/".to_owned(), opening::directory_flags()))?;
        Ok(vec![(root, "/".to_owned())])
    }
}

impl types::Host for State {
    fn convert_error_code(&mut self, error: wasmtime_wasi::p2::FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        let ours = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        Ok(ours.and_then(|inner| inner.downcast_ref::<FsError>()).map(code))
    }
}

impl HostDescriptor for State {
    fn read_via_stream(
        &mut self,
        fd: Resource<Theirs>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let file = self.descriptor(&fd)?.readable()?;
        let stream: DynInputStream = Box::new(FileStream::new(file, offset, self.means()));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Theirs>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let file = self.descriptor(&fd)?.writable()?;
        self.sink(file, Place::Offset(offset))
    }

    fn append_via_stream(&mut self, fd: Resource<Theirs>) -> FsResult<Resource<DynOutputStream>> {
        let file = self.descriptor(&fd)?.writable()?;
        self.sink(file, Place::End)
    }

    async fn advise(
        &mut self,
        fd: Resource<Theirs>,
        _: Filesize,
        _: Filesize,
        _: types::Advice,
    ) -> FsResult<()> {
        self.descriptor(&fd).map(drop)
    }

    async fn sync_data(&mut self, fd: Resource<Theirs>) -> FsResult<()> {
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) => self.blocking(move |_| file.sync_data()).await,
            // Nothing is kept back of what was done in a directory.
            Descriptor::Dir(..) => Ok(()),
        }
    }

    async fn sync(&mut self, fd: Resource<Theirs>) -> FsResult<()> {
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) => self.blocking(move |_| file.sync_all()).await,
            Descriptor::Dir(..) => Ok(()),
        }
    }

    async fn get_flags(&mut self, fd: Resource<Theirs>) -> FsResult<DescriptorFlags> {
        Ok(match self.descriptor(&fd)? {
            Descriptor::File(_, file) => opening::flags(file.options()),
            Descriptor::Dir(_, flags) => flags,
        })
    }

    async fn get_type(&mut self, fd: Resource<Theirs>) -> FsResult<DescriptorType> {
        Ok(match self.descriptor(&fd)? {
            Descriptor::Dir(..) => DescriptorType::Directory,
            Descriptor::File(..) => DescriptorType::RegularFile,
        })
    }

    async fn set_size(&mut self, fd: Resource<Theirs>, size: Filesize) -> FsResult<()> {
        let file = self.descriptor(&fd)?.file()?;
        if !file.options().write {
            // POSIX has a code of its own for this one.
            return Err(ErrorCode::Invalid.into());
        }
        self.blocking(move |_| file.set_len(size)).await
    }

    async fn set_times(
        &mut self,
        fd: Resource<Theirs>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (accessed, modified) = (new_time(accessed)?, new_time(modified)?);
        let function = "wasi:filesystem/types#[method]descriptor.set-times";
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) if file.options().write => {
                self.blocking(move |_| file.set_times(accessed, modified)).await
            }
            Descriptor::File(path, file) => {
                let times = (accessed, modified);
                self.blocking(move |files| files.set_times_opened(&file, &path, times, function)).await
            }
            Descriptor::Dir(path, _) => {
                self.blocking(move |files| files.set_times(&path, accessed, modified, function)).await
            }
        }
    }

    async fn read(
        &mut self,
        fd: Resource<Theirs>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let file = self.descriptor(&fd)?.file()?;
        let size = usize::try_from(length.min(READ_BYTES_MAX)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size];
        // What is in memory takes less time than a thread to hand it over would.
        match file.try_read_at(&mut bytes, offset) {
            Ok(Some(read)) => bytes.truncate(read),
            Ok(None) => {
                bytes = self
                    .blocking(move |_| {
                        let read = file.read_at(&mut bytes, offset)?;
                        bytes.truncate(read);
                        Ok(bytes)
                    })
                    .await?;
            }
            Err(error) => return Err(self.code(&error).into()),
        }
        let end = bytes.is_empty() && size > 0;
        Ok((bytes, end))
    }

    async fn write(&mut self, fd: Resource<Theirs>, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let file = self.descriptor(&fd)?.writable()?;
        self.blocking(move |_| file.write_at(&bytes, offset)).await.map(|written| written as Filesize)
    }

    async fn read_directory(&mut self, fd: Resource<Theirs>) -> FsResult<Resource<DirectoryEntryStream>> {
        let Descriptor::Dir(path, _) = self.descriptor(&fd)? else {
            return Err(ErrorCode::NotDirectory.into());
        };
        let function = "wasi:filesystem/types#[method]descriptor.read-directory";
        let found = self.blocking(move |files| files.list(&path, function)).await?;
        Ok(push(&mut self.table, entries(found, &self.listings)?)?)
    }

    async fn create_directory_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.create-directory-at";
        self.blocking(move |files| files.create_directory(&path, function)).await
    }

    async fn stat(&mut self, fd: Resource<Theirs>) -> FsResult<DescriptorStat> {
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) => Ok(stat(&self.blocking(move |_| file.metadata()).await?)),
            Descriptor::Dir(path, _) if path == "/" => Ok(synthetic_stat()),
            Descriptor::Dir(path, _) => {
                let function = "wasi:filesystem/types#[method]descriptor.stat";
                Ok(stat(&self.metadata(path, true, function).await?))
            }
        }
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Theirs>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.stat-at";
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        Ok(stat(&self.metadata(path, follow, function).await?))
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Theirs>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        let times = (new_time(accessed)?, new_time(modified)?);
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        let function = "wasi:filesystem/types#[method]descriptor.set-times-at";
        self.blocking(move |files| files.set_times_of(&path, follow, times, function)).await
    }

    async fn link_at(
        &mut self,
        _: Resource<Theirs>,
        _: PathFlags,
        _: String,
        fd: Resource<Theirs>,
        path: String,
    ) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse_link(path, "wasi:filesystem/types#[method]descriptor.link-at").await
    }

    async fn open_at(
        &mut self,
        fd: Resource<Theirs>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Theirs>> {
        let path = self.at(&fd, &path)?;
        let directory = flags & opening::directory_flags();
        let opened = match opening::opening(path_flags, open, flags)? {
            Opening::Directory { follow, write } => {
                self.open_directory(path, (follow, write), directory).await?
            }
            Opening::File(options) => self.open_file(path, options).await?,
            Opening::Either(options) => self.open_any(path, options, directory).await?,
        };
        Ok(push(&mut self.table, opened)?)
    }

    /// What a link says may name what lies outside of every grant, so nobody is told: `not-permitted`.
    async fn readlink_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<String> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.readlink-at";
        match self.metadata(path, false, function).await?.kind {
            Kind::Symlink => Err(ErrorCode::NotPermitted.into()),
            _ => Err(ErrorCode::Invalid.into()),
        }
    }

    async fn remove_directory_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.remove-directory-at";
        self.blocking(move |files| files.remove_directory(&path, function)).await
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Theirs>,
        path: String,
        new_fd: Resource<Theirs>,
        new_path: String,
    ) -> FsResult<()> {
        let (path, new_path) = (self.at(&fd, &path)?, self.at(&new_fd, &new_path)?);
        let function = "wasi:filesystem/types#[method]descriptor.rename-at";
        self.blocking(move |files| files.rename(&path, &new_path, function)).await
    }

    async fn symlink_at(&mut self, fd: Resource<Theirs>, _: String, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse_link(path, "wasi:filesystem/types#[method]descriptor.symlink-at").await
    }

    async fn unlink_file_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.unlink-file-at";
        self.blocking(move |files| files.remove_file(&path, function)).await
    }

    async fn is_same_object(&mut self, a: Resource<Theirs>, b: Resource<Theirs>) -> wasmtime::Result<bool> {
        let (a, b) = (self.table.get::<Descriptor>(&a.ours())?, self.table.get::<Descriptor>(&b.ours())?);
        match (a.clone(), b.clone()) {
            (Descriptor::File(_, a), Descriptor::File(_, b)) => {
                let identity = |file: &FileHandle| file.metadata().map(|found| (found.device, found.inode));
                let same = self.blocking(move |_| Ok(identity(&a)? == identity(&b)?)).await;
                Ok(same.unwrap_or(false))
            }
            (a, b) => Ok(a.path() == b.path()),
        }
    }

    async fn metadata_hash(&mut self, fd: Resource<Theirs>) -> FsResult<MetadataHashValue> {
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) => Ok(hash(&self.blocking(move |_| file.metadata()).await?)),
            Descriptor::Dir(path, _) if path == "/" => Ok(MetadataHashValue { lower: 1, upper: 0 }),
            Descriptor::Dir(path, _) => {
                let function = "wasi:filesystem/types#[method]descriptor.metadata-hash";
                Ok(hash(&self.metadata(path, true, function).await?))
            }
        }
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Theirs>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.metadata-hash-at";
        let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
        Ok(hash(&self.metadata(path, follow, function).await?))
    }

    fn drop(&mut self, fd: Resource<Theirs>) -> wasmtime::Result<()> {
        self.table.delete::<Descriptor>(fd.ours())?;
        Ok(())
    }
}

impl HostDirectoryEntryStream for State {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        Ok(self.table.get_mut::<Entries>(&stream.ours())?.rest.next())
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete::<Entries>(stream.ours())?;
        Ok(())
    }
}
