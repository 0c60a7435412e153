//! Loading, inspecting and forgetting components.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use airssys_osl::Audit;
use serde_json::{Map, Value};

use super::compilers::Watch;
use super::operation::Operation;
use super::{Inner, System};
use crate::component::{Loaded, Progress, read};
use crate::engine::{COMPILE_MS_MAX, Cache, Onlooker, digest};
use crate::host::hub::Hub;
use crate::types::error::{Code, Error, Result};
use crate::types::event::detail;
use crate::types::handle::{ComponentHandle, Kind};
use crate::types::info::ComponentInfo;
use crate::types::limits::millis;

/// In which languages [`System::types`] tells what a component exports.
const LANGUAGES: [&str; 1] = ["wit"];
/// How often the progress of a compilation is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

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

    /// What a component exports, as text in a language: `wit`; any other is `UNSUPPORTED`, whose `languages` are those that
    /// there are. At most 256 KiB: `LIMIT_EXCEEDED`.
    pub fn types(&self, component: ComponentHandle, language: &str) -> Result<String> {
        let component = self.open_inner()?.component(component)?;
        if LANGUAGES.contains(&language) {
            return component.wit.clone();
        }
        let named = language[..language.floor_char_boundary(64)].to_owned();
        let text = format!("no types in language {named:?}: there are {}", LANGUAGES.join(", "));
        Err(Error::new(Code::Unsupported, text).with("language", named).with("languages", LANGUAGES.to_vec()))
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
        let (engine, linker) = (inner.engine.clone(), inner.linker.clone());
        let (hub, id) = (inner.ports.hub.clone(), inner.loads.fetch_add(1, Relaxed) + 1);
        let pending = inner.compilers.begin(Box::new(move |task| {
            let progress = &task.progress;
            progress.name(id, &stem);
            let bytes = bytes()?;
            let digest = digest(&bytes);
            progress.has_read(&digest, bytes.len());
            let enter = |phase, functions| {
                progress.enter(phase, functions);
                hub.tell("component.loading", None, || facts(progress));
            };
            let onlooker = Onlooker { enter: &enter, is_given_up: &|| task.is_given_up() };
            Loaded::new(&engine, &linker, &bytes, (stem, digest), &onlooker)
        }));
        let weak = Arc::downgrade(inner);
        let entered = move |loaded: Result<Loaded>| match (loaded, weak.upgrade()) {
            (Ok(loaded), Some(inner)) => Ok(inner.enter_component(loaded, id)),
            (Ok(_), None) => Err(Error::new(Code::Closed, "the system is closed")),
            (Err(error), _) => Err(error),
        };
        Operation::new(pending.map(entered), None, &inner.tickets)
    }
}

/// Opens the folder of compiled code, and takes it out of every grant's reach.
pub(super) fn open_cache(path: &Path, audit: &Audit) -> Result<Cache> {
    let opened = Cache::open(path).and_then(|cache| audit.protected().directory(path).map(|()| cache));
    opened.map_err(|why| {
        Error::new(Code::Io, format!("cache_dir {}: {why}", path.display()))
            .with("errno", why.raw_os_error().unwrap_or_default())
            .with("path", path.display().to_string())
    })
}

/// Tells of compilations that take long, and ends the wait for those that take too long.
pub(super) fn watch(io: tokio::runtime::Handle, hub: Arc<Hub>, cached: bool) -> Watch<Loaded> {
    Box::new(move |compilers, task| {
        let (compilers, watched, hub) = (Arc::downgrade(compilers), Arc::downgrade(task), hub.clone());
        let told = task.clone();
        let watching = io.spawn(async move {
            let allowed = Duration::from_millis(COMPILE_MS_MAX);
            loop {
                tokio::time::sleep(TELL_EVERY).await;
                let (Some(compilers), Some(task)) = (compilers.upgrade(), watched.upgrade()) else { return };
                compilers.relieve();
                hub.tell("component.loading", None, || facts(&task.progress));
                if task.progress.spent() >= allowed {
                    return compilers.abandon(&task, allowed);
                }
            }
        });
        Box::new(move || {
            watching.abort();
            if !cached && told.progress.elapsed() >= TELL_EVERY {
                let (stage, ms) = (told.progress.stage(), told.progress.elapsed().as_millis());
                let line = "a cache_dir for this system would save the next one";
                tracing::info!(target: "airwasm", bytes = stage.bytes, ms, "a compilation took long: {line}");
            }
        })
    })
}

fn facts(progress: &Progress) -> Map<String, Value> {
    let stage = progress.stage();
    let mut facts = detail("phase", stage.phase);
    facts.insert("id".to_owned(), stage.id.into());
    facts.insert("label".to_owned(), (*stage.label).into());
    facts.insert("digest".to_owned(), (*stage.digest).into());
    facts.insert("bytes".to_owned(), stage.bytes.into());
    facts.insert("functions".to_owned(), stage.functions.into());
    facts.insert("elapsed_ms".to_owned(), millis(progress.elapsed()).into());
    facts.insert("spent_ms".to_owned(), millis(progress.spent()).into());
    facts.insert("allowed_ms".to_owned(), COMPILE_MS_MAX.into());
    facts
}

impl Inner {
    fn enter_component(&self, loaded: Loaded, id: u64) -> ComponentHandle {
        let handle = ComponentHandle(Kind::Component.tag(self.directory.serial()));
        let loaded = Arc::new(loaded);
        self.components.insert(handle.raw(), loaded.clone());
        self.ports.hub.tell("component.loaded", None, || {
            let mut facts = detail("id", id);
            facts.insert("label".to_owned(), loaded.stem.clone().into());
            facts.insert("digest".to_owned(), loaded.info.digest.clone().into());
            facts
        });
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
