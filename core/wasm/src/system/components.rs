//! Loading, inspecting and forgetting components.

use std::path::Path;
use std::sync::Arc;

use airssys_rt::{Pending, promise};

use super::operation::Operation;
use super::{Inner, System};
use crate::component::{Loaded, read};
use crate::types::error::{Code, Error, Result};
use crate::types::event::detail;
use crate::types::handle::{ComponentHandle, Kind};
use crate::types::info::ComponentInfo;

impl System {
    /// Reads, checks and compiles a component. Not a file: `IO`; no component: `INVALID_COMPONENT` or `CORE_MODULE`.
    pub fn load(&self, path: &Path) -> Result<ComponentHandle> {
        self.load_async(path).wait()
    }

    /// [`load`](System::load) without blocking.
    pub fn load_async(&self, path: &Path) -> Operation<ComponentHandle> {
        let path = path.to_owned();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        self.begin_load(stem, move || read(&path))
    }

    /// [`load`](System::load) from memory.
    pub fn load_bytes(&self, bytes: Vec<u8>) -> Result<ComponentHandle> {
        self.load_bytes_async(bytes).wait()
    }

    /// [`load_bytes`](System::load_bytes) without blocking.
    pub fn load_bytes_async(&self, bytes: Vec<u8>) -> Operation<ComponentHandle> {
        self.begin_load("component".to_owned(), move || Ok(bytes))
    }

    /// What is known of a component before it runs: its digest, imports, exports, and what it could ask for.
    pub fn inspect(&self, component: ComponentHandle) -> Result<ComponentInfo> {
        Ok(self.open_inner()?.component(component)?.info.clone())
    }

    /// Forgets a component. Its actors live on; its number is `NOT_FOUND` from now on.
    pub fn unload(&self, component: ComponentHandle) -> Result<()> {
        let inner = self.open_inner()?;
        inner.component(component)?;
        inner.components.remove(&component.raw());
        Ok(())
    }

    fn begin_load(
        &self,
        stem: String,
        bytes: impl FnOnce() -> Result<Vec<u8>> + Send + 'static,
    ) -> Operation<ComponentHandle> {
        let inner = match self.open_inner() {
            Ok(inner) => inner,
            Err(error) => return self.failed(error),
        };
        let (resolver, pending) = promise::<ComponentHandle, Error>();
        let weak = Arc::downgrade(inner);
        let (engine, linker) = (inner.engine.clone(), inner.linker.clone());
        inner.io.handle().spawn_blocking(move || {
            let loaded = bytes().and_then(|bytes| Loaded::new(&engine, &linker, &bytes, stem));
            let entered = loaded.and_then(|loaded| match weak.upgrade() {
                Some(inner) => Ok(inner.enter_component(loaded)),
                None => Err(Error::new(Code::Closed, "the system is closed")),
            });
            resolver.settle(entered);
        });
        self.operation(pending)
    }

    fn operation(&self, pending: Pending<ComponentHandle, Error>) -> Operation<ComponentHandle> {
        Operation::new(pending, None, &self.inner.tickets)
    }
}

impl Inner {
    fn enter_component(&self, loaded: Loaded) -> ComponentHandle {
        let handle = ComponentHandle(Kind::Component.tag(self.directory.serial()));
        let digest = loaded.info.digest.clone();
        self.components.insert(handle.raw(), Arc::new(loaded));
        self.ports.hub.tell("component.loaded", None, || detail("digest", digest));
        handle
    }

    pub(super) fn component(&self, handle: ComponentHandle) -> Result<Arc<Loaded>> {
        self.directory.check_ours(handle.raw())?;
        let found = self.components.get(&handle.raw()).map(|entry| entry.value().clone());
        found.ok_or_else(|| {
            Error::new(Code::NotFound, format!("no component has the number {:#x}", handle.raw()))
        })
    }
}
