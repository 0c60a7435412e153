//! `wasi:filesystem` over osl: one synthetic root; each path operation asks the live grants.

use airssys_osl::{Ask, Files, FsError, Kind, Metadata};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Descriptor as Theirs, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

use super::descriptor::{Descriptor, Entries, Handle, code, entries, hash, push, stat, synthetic_stat};
use super::state::State;
use super::stream::FileStream;

/// Bytes of one `descriptor.read` at most.
const READ_BYTES_MAX: u64 = 64 << 10;

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
        let done = tokio::task::spawn_blocking(move || run(&files)).await;
        let result = done.unwrap_or_else(|why| Err(std::io::Error::other(why).into()));
        result.map_err(|error| {
            if let FsError::Denied(denial) = &error {
                self.refusals.note(denial);
            }
            code(&error).into()
        })
    }

    async fn metadata(&mut self, path: String, follow: bool, function: &'static str) -> FsResult<Metadata> {
        self.blocking(move |files| files.metadata(&path, follow, function)).await
    }

    /// What cannot be granted in this version: asked for all the same, so that the denial is audited and told.
    fn refuse<T>(&self, ask: &Ask, function: &str) -> FsResult<T> {
        match self.refusals.check(ask, function) {
            Err(_) => Err(ErrorCode::Access.into()),
            Ok(_) => Err(ErrorCode::Unsupported.into()),
        }
    }

    fn refuse_write<T>(&self, fd: &Resource<Theirs>, function: &str) -> FsResult<T> {
        let path = self.descriptor(fd)?.path().to_owned();
        self.refuse(&Ask::FsWrite(path), function)
    }

    async fn open_directory(&mut self, path: String, function: &'static str) -> FsResult<Descriptor> {
        let found = self.metadata(path.clone(), true, function).await?;
        match found.kind {
            Kind::Directory => Ok(Descriptor::Dir(path)),
            _ => Err(ErrorCode::NotDirectory.into()),
        }
    }

    async fn open_any(&mut self, path: String, function: &'static str) -> FsResult<Descriptor> {
        let wanted = path.clone();
        let opened = self
            .blocking(move |files| match files.open(&wanted, function) {
                Ok(file) => Ok(Some(file)),
                Err(FsError::IsDirectory) => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        Ok(opened.map_or(Descriptor::Dir(path.clone()), |file| Descriptor::File(path, file)))
    }
}

impl preopens::Host for State {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Theirs>, String)>> {
        let root = push(&mut self.table, Descriptor::Dir("/".to_owned()))?;
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
        let Descriptor::File(_, file) = self.descriptor(&fd)? else {
            return Err(ErrorCode::IsDirectory.into());
        };
        let stream: DynInputStream = Box::new(FileStream::new(file, offset, self.refusals.clone()));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Resource<Theirs>, _: Filesize) -> FsResult<Resource<DynOutputStream>> {
        self.refuse_write(&fd, "wasi:filesystem/types#[method]descriptor.write-via-stream")
    }

    fn append_via_stream(&mut self, fd: Resource<Theirs>) -> FsResult<Resource<DynOutputStream>> {
        self.refuse_write(&fd, "wasi:filesystem/types#[method]descriptor.append-via-stream")
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
        self.descriptor(&fd).map(drop)
    }

    async fn sync(&mut self, fd: Resource<Theirs>) -> FsResult<()> {
        self.descriptor(&fd).map(drop)
    }

    async fn get_flags(&mut self, fd: Resource<Theirs>) -> FsResult<DescriptorFlags> {
        self.descriptor(&fd).map(|_| DescriptorFlags::READ)
    }

    async fn get_type(&mut self, fd: Resource<Theirs>) -> FsResult<DescriptorType> {
        Ok(match self.descriptor(&fd)? {
            Descriptor::Dir(_) => DescriptorType::Directory,
            Descriptor::File(..) => DescriptorType::RegularFile,
        })
    }

    async fn set_size(&mut self, fd: Resource<Theirs>, _: Filesize) -> FsResult<()> {
        self.refuse_write(&fd, "wasi:filesystem/types#[method]descriptor.set-size")
    }

    async fn set_times(&mut self, fd: Resource<Theirs>, _: NewTimestamp, _: NewTimestamp) -> FsResult<()> {
        self.refuse_write(&fd, "wasi:filesystem/types#[method]descriptor.set-times")
    }

    async fn read(
        &mut self,
        fd: Resource<Theirs>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let Descriptor::File(_, file) = self.descriptor(&fd)? else {
            return Err(ErrorCode::IsDirectory.into());
        };
        let size = usize::try_from(length.min(READ_BYTES_MAX)).unwrap_or(usize::MAX);
        let bytes = self
            .blocking(move |_| {
                let mut buffer = vec![0; size];
                let read = file.read_at(&mut buffer, offset)?;
                buffer.truncate(read);
                Ok(buffer)
            })
            .await?;
        let end = bytes.is_empty() && size > 0;
        Ok((bytes, end))
    }

    async fn write(&mut self, fd: Resource<Theirs>, _: Vec<u8>, _: Filesize) -> FsResult<Filesize> {
        self.refuse_write(&fd, "wasi:filesystem/types#[method]descriptor.write")
    }

    async fn read_directory(&mut self, fd: Resource<Theirs>) -> FsResult<Resource<DirectoryEntryStream>> {
        let Descriptor::Dir(path) = self.descriptor(&fd)? else {
            return Err(ErrorCode::NotDirectory.into());
        };
        let function = "wasi:filesystem/types#[method]descriptor.read-directory";
        let found = self.blocking(move |files| files.list(&path, function)).await?;
        Ok(push(&mut self.table, entries(found))?)
    }

    async fn create_directory_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsWrite(path), "wasi:filesystem/types#[method]descriptor.create-directory-at")
    }

    async fn stat(&mut self, fd: Resource<Theirs>) -> FsResult<DescriptorStat> {
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) => Ok(stat(&self.blocking(move |_| file.metadata()).await?)),
            Descriptor::Dir(path) if path == "/" => Ok(synthetic_stat()),
            Descriptor::Dir(path) => {
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
        _: PathFlags,
        path: String,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsWrite(path), "wasi:filesystem/types#[method]descriptor.set-times-at")
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
        self.refuse(&Ask::FsWrite(path), "wasi:filesystem/types#[method]descriptor.link-at")
    }

    async fn open_at(
        &mut self,
        fd: Resource<Theirs>,
        _: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Theirs>> {
        let path = self.at(&fd, &path)?;
        let function = "wasi:filesystem/types#[method]descriptor.open-at";
        let making = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        let writing = DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
        if open.intersects(making) || flags.intersects(writing) {
            return self.refuse(&Ask::FsWrite(path), function);
        }
        let opened = match open.contains(OpenFlags::DIRECTORY) {
            true => self.open_directory(path, function).await?,
            false => self.open_any(path, function).await?,
        };
        Ok(push(&mut self.table, opened)?)
    }

    async fn readlink_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<String> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsRead(path), "wasi:filesystem/types#[method]descriptor.readlink-at")
    }

    async fn remove_directory_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsDelete(path), "wasi:filesystem/types#[method]descriptor.remove-directory-at")
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Theirs>,
        path: String,
        _: Resource<Theirs>,
        _: String,
    ) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsDelete(path), "wasi:filesystem/types#[method]descriptor.rename-at")
    }

    async fn symlink_at(&mut self, fd: Resource<Theirs>, _: String, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsWrite(path), "wasi:filesystem/types#[method]descriptor.symlink-at")
    }

    async fn unlink_file_at(&mut self, fd: Resource<Theirs>, path: String) -> FsResult<()> {
        let path = self.at(&fd, &path)?;
        self.refuse(&Ask::FsDelete(path), "wasi:filesystem/types#[method]descriptor.unlink-file-at")
    }

    async fn is_same_object(&mut self, a: Resource<Theirs>, b: Resource<Theirs>) -> wasmtime::Result<bool> {
        let (a, b) = (self.table.get::<Descriptor>(&a.ours())?, self.table.get::<Descriptor>(&b.ours())?);
        Ok(match (a, b) {
            (Descriptor::File(_, a), Descriptor::File(_, b)) => match (a.metadata(), b.metadata()) {
                (Ok(a), Ok(b)) => (a.device, a.inode) == (b.device, b.inode),
                _ => false,
            },
            (a, b) => a.path() == b.path(),
        })
    }

    async fn metadata_hash(&mut self, fd: Resource<Theirs>) -> FsResult<MetadataHashValue> {
        match self.descriptor(&fd)? {
            Descriptor::File(_, file) => Ok(hash(&self.blocking(move |_| file.metadata()).await?)),
            Descriptor::Dir(path) if path == "/" => Ok(MetadataHashValue { lower: 1, upper: 0 }),
            Descriptor::Dir(path) => {
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
        Ok(self.table.get_mut::<Entries>(&stream.ours())?.next())
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete::<Entries>(stream.ours())?;
        Ok(())
    }
}
